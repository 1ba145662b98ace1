/*
 * due.h
 *	  When time will act on a lead, by the timer rules of its pool.
 */
#ifndef POOL_DUE_H
#define POOL_DUE_H

#include "lead.h"

extern int32 pool_due_target(const PoolConf *pool, const PoolTimerRule *rule);
extern TimestampTz pool_due_since(const PoolLead *lead,
								  const PoolTimerRule *rule);
extern bool pool_due_at(const PoolLead *lead, const PoolConf *pool,
						const PoolTimerRule *rule, TimestampTz *due_at);
extern TimestampTz pool_due_later(TimestampTz at, const Interval *span,
								  const PoolConf *pool,
								  const PoolTimerRule *rule);
extern TimestampTz pool_due_earlier(TimestampTz at, const Interval *span,
									const PoolConf *pool,
									const PoolTimerRule *rule);
extern TimestampTz pool_due_check_at(const PoolLead *lead);

#endif							/* POOL_DUE_H */
