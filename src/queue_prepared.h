/*
 * queue_prepared.h
 *	  What prepared transactions hold of the queues.
 */
#ifndef POOL_QUEUE_PREPARED_H
#define POOL_QUEUE_PREPARED_H

#include "queue_slot.h"

extern Size queue_prepared_size(void);
extern void queue_prepared_create(LWLock *lock);

extern void queue_prepared_add(TransactionId xid, const QueueKey *key,
							   int64 first, int64 last);
extern void queue_prepared_settle(void);
extern bool queue_prepared_pending(const QueueKey *key,
								   int64 *first, int64 *last);

#endif							/* POOL_QUEUE_PREPARED_H */
