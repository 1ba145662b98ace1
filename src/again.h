/*
 * again.h
 *	  A customer who is known already asks to be let in.
 */
#ifndef POOL_AGAIN_H
#define POOL_AGAIN_H

#include "entry.h"
#include "lead.h"

extern int64 pool_again_resolve(PoolWork *work, int64 lead_id);
extern bool pool_again_returns(PoolWork *work, const PoolLead *lead);
extern bool pool_again_changes(const PoolEntry *entry, const PoolLead *lead,
							   TimestampTz now);
extern bool pool_again_keeps(const PoolLead *lead, TimestampTz now);
extern void pool_again_meet(PoolWork *work, PoolEntry *entry, int64 lead_id,
							int32 actor_id, TimestampTz now);
extern int64 pool_again_join(PoolWork *work, PoolEntry *entry,
							 int32 actor_id, TimestampTz now);

#endif							/* POOL_AGAIN_H */
