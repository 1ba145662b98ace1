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
extern const char *pool_assign_taken_over(PoolWork *work, PoolQuotaSet *set,
										  int64 lead_id, int32 owner_id,
										  int32 actor_id, TimestampTz owned_at);

#endif							/* POOL_ASSIGN_H */
