/*
 * queue.h
 *	  Where each pool's queue begins: shared hints for finding the next lead.
 */
#ifndef POOL_QUEUE_H
#define POOL_QUEUE_H

#include "table.h"

/* One available lead.  Tickets order the queue, the smallest is the best. */
typedef struct PoolCandidate
{
	int64		ticket;
	int64		id;
	ItemPointerData tid;
} PoolCandidate;

typedef struct PoolQueueScan PoolQueueScan;

extern void pool_queue_init(void);

/* looking for leads to claim */
extern PoolQueueScan *pool_queue_begin(PoolTable *leads, int32 pool_id,
									   Snapshot snapshot);
extern bool pool_queue_next(PoolQueueScan *scan, int wanted,
							PoolCandidate *candidate);
extern void pool_queue_put_back(PoolQueueScan *scan);
extern void pool_queue_drop(PoolQueueScan *scan);
extern bool pool_queue_contended(PoolQueueScan *scan);
extern bool pool_queue_unseen(PoolQueueScan *scan);
extern void pool_queue_end(PoolQueueScan *scan);

/* what the writer of lead rows tells */
extern void pool_queue_take(PoolTable *leads, int32 pool_id,
							const PoolCandidate *candidate);
extern void pool_queue_give(PoolTable *leads, int32 pool_id,
							const PoolCandidate *candidate);

#endif							/* POOL_QUEUE_H */
