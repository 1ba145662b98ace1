/*
 * release.h
 *	  Leads return to a pool.
 */
#ifndef POOL_RELEASE_H
#define POOL_RELEASE_H

#include "batch.h"

extern void pool_give_back(PoolBatch *batch, PoolBatchItem *item,
						   const PoolConf *to_pool, PoolEvent *event);
extern void pool_batch_add_owners(PoolBatch *batch);

#endif							/* POOL_RELEASE_H */
