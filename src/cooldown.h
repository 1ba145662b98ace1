/*
 * cooldown.h
 *	  Whom the end of a spell keeps from a lead for a while.
 */
#ifndef POOL_COOLDOWN_H
#define POOL_COOLDOWN_H

#include "lead.h"
#include "table.h"

/* so many days after a spell its member may still get the credit of a win */
#define POOL_CREDIT_DAYS 30

extern List *pool_cooling_members(PoolWork *work, const PoolLead *lead,
								  TimestampTz now);
extern bool pool_cooling_down(PoolWork *work, const PoolLead *lead,
							  int32 member_id, TimestampTz now,
							  TimestampTz *until);
extern TimestampTz pool_last_spell_end(PoolWork *work, int64 lead_id,
									   int32 member_id, TimestampTz since);

#endif							/* POOL_COOLDOWN_H */
