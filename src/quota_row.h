/*
 * quota_row.h
 *	  The row of a member's counters in a pool.
 */
#ifndef POOL_QUOTA_ROW_H
#define POOL_QUOTA_ROW_H

#include "quota.h"

extern void pool_quota_row_prepare(PoolWork *work, const PoolQuota *quota);
extern bool pool_quota_row_try_make(int32 pool_id, int32 member_id);
extern void pool_quota_row_lock(PoolWork *work, Snapshot snapshot,
								PoolQuota *quota);
extern void pool_quota_row_peek(PoolWork *work, Snapshot snapshot,
								PoolQuota *quota);
extern void pool_quota_row_write(PoolWork *work, PoolQuota *quota);

#endif							/* POOL_QUOTA_ROW_H */
