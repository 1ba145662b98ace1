/*
 * queue_holder.h
 *	  Where in the queues each backend's transaction answers for leads.
 */
#ifndef POOL_QUEUE_HOLDER_H
#define POOL_QUEUE_HOLDER_H

#include "queue_slot.h"

/* Tickets of one pool, first to last. */
typedef struct QueueSpan
{
	int64		first;
	int64		last;
} QueueSpan;

extern Size queue_holder_size(void);
extern void queue_holder_create(void);

/* what this backend's transaction answers for; show makes it known */
extern void queue_holder_note(const QueueKey *key, bool given,
							  int64 first, int64 last);
extern void queue_holder_forget(void);
extern void queue_holder_show(void);
extern void queue_holder_hide(void);

/* what the others' answer for */
extern QueueSpan *queue_holder_spans(const QueueKey *key, int *n);

#endif							/* POOL_QUEUE_HOLDER_H */
