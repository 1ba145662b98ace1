/*
 * release.h
 *	  Leads return to a pool.
 */
#ifndef POOL_RELEASE_H
#define POOL_RELEASE_H

#include "batch.h"

extern void pool_give_back(PoolBatch *batch, PoolBatchItem *item,
						   const PoolConf *to_pool, PoolEvent *event);
extern void pool_release_apply_reason(PoolBatchItem *item, PoolEvent *event);
extern void pool_batch_add_owners(PoolBatch *batch);
extern void pool_require_belonging(const PoolActor *actor,
								   const PoolConf *pool);

#endif							/* POOL_RELEASE_H */
