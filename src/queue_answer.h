/*
 * queue_answer.h
 *	  The leads this transaction answers for.
 */
#ifndef POOL_QUEUE_ANSWER_H
#define POOL_QUEUE_ANSWER_H

#include "queue_slot.h"

extern void queue_answer_init(void);

extern void queue_answer_reserve(int n);
extern void queue_answer_popped(const QueueKey *key, QueueSlot *slot,
								const PoolCandidate *lead);
extern void queue_answer_drop(const QueueKey *key, const PoolCandidate *lead);
extern void queue_answer_put_back(const QueueKey *key,
								  const PoolCandidate *lead);
extern void queue_answer_show(void);

extern bool queue_answer_fits_hints(const QueueKey *key);
extern bool queue_answer_by_others(const QueueKey *key, QueueSlot *slot);

#endif							/* POOL_QUEUE_ANSWER_H */
