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

/* What others answer for in one pool, at one moment. */
typedef struct QueueHoldings
{
	int			size;			/* allocated, of both */
	int			n;
	QueueSpan  *spans;			/* to look at: ascending, apart */
	int			n_givers;
	TransactionId *givers;		/* running, and give something */
} QueueHoldings;

extern Size queue_holder_size(void);
extern void queue_holder_create(void);

/* what this backend's transaction answers for; show makes it known */
extern void queue_holder_note(const QueueKey *key, bool given,
							  int64 first, int64 last);
extern void queue_holder_forget(void);
extern void queue_holder_show(void);
extern void queue_holder_hide(void);

/* what the others' answer for */
extern void queue_holder_look(const QueueKey *key, QueueHoldings *them);
extern bool queue_holder_unchanged(const QueueHoldings *them);

#endif							/* POOL_QUEUE_HOLDER_H */
