/*
 * assign.h
 *	  Managers give leads to members.
 */
#ifndef POOL_ASSIGN_H
#define POOL_ASSIGN_H

#include "batch.h"

extern const char *pool_assign_at_entry(PoolWork *work, PoolQuotaSet *set,
										int64 lead_id, int32 owner_id,
										int32 actor_id, TimestampTz now);
extern const char *pool_assign_again(PoolBatch *batch, PoolBatchItem *item,
									 int32 owner_id, int32 pool_id,
									 int64 undone_run, int64 *event_id);

#endif							/* POOL_ASSIGN_H */
