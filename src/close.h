/*
 * close.h
 *	  Leads leave circulation and come back.
 */
#ifndef POOL_CLOSE_H
#define POOL_CLOSE_H

#include "batch.h"

extern void pool_archive_one(PoolBatch *batch, PoolBatchItem *item,
							 PoolEvent *event);
extern void pool_requeue(PoolWork *work, PoolLead *lead, int32 pool_id,
						 PoolEvent *event);

#endif							/* POOL_CLOSE_H */
