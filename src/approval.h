/*
 * approval.h
 *	  Requests that somebody has to grant.
 */
#ifndef POOL_APPROVAL_H
#define POOL_APPROVAL_H

#include "event.h"
#include "result.h"

/* A row of approval.  Ids that are NULL are 0, times POOL_NO_TIME. */
typedef struct PoolApproval
{
	int64		id;
	int64		lead_id;
	int32		tenant_id;
	int32		pool_id;
	char	   *action;
	const char *status;
	int32		step;
	int32		min_level;
	int32		applicant_id;
	int32		member_id;
	int32		to_pool_id;
	int32		from_rule_id;
	int32		decided_by;
	int32		claims;			/* of the lead when it was asked for; -1 =
								 * NULL */
	Datum		reason;			/* text, 0 = NULL, as the next */
	Datum		note;
	Interval   *span;			/* NULL = none */
	TimestampTz created_at;
	TimestampTz expires_at;
	TimestampTz decided_at;
} PoolApproval;

/* How many leads are kept for a member. */
typedef struct PoolKept
{
	int32		member_id;
	int32		n;
} PoolKept;

extern int64 pool_arg_approval(PoolCall *call, int argno);

/* rows: written by whoever holds the lead's lock */
extern bool pool_approval_read(PoolWork *work, int64 id, PoolApproval *a);
extern bool pool_approval_find_open(PoolWork *work, int64 lead_id,
									const char *action, PoolApproval *a);
extern bool pool_approval_any_open(PoolWork *work, int32 pool_id);
extern int	pool_approval_kept(int32 pool_id, int32 member_id,
							   TimestampTz now, PoolKept **kept);
extern void pool_approval_insert(PoolWork *work, PoolApproval *a);
extern void pool_approval_update(PoolWork *work, const PoolApproval *a);

/* what they come to */
extern bool pool_approval_is(const PoolApproval *a, const char *action);
extern bool pool_approval_is_live(const PoolApproval *a,
								  const PoolLead *lead, TimestampTz now);
extern bool pool_approval_is_over(const PoolApproval *a, TimestampTz now);
extern bool pool_approval_is_suggestion(const PoolApproval *a);
extern void pool_approval_open(PoolWork *work, PoolLead *lead,
							   PoolApproval *a, int32 actor_id, Datum reason,
							   TimestampTz now);
extern bool pool_approval_reserves(PoolWork *work, const PoolLead *lead);
extern void pool_approval_reserve(PoolWork *work, PoolLead *lead,
								  const PoolApproval *a);
extern void pool_approval_close(PoolWork *work, PoolLead *lead,
								PoolApproval *a, PoolEvent *event,
								TimestampTz now);
extern const char *pool_approval_lapse(PoolWork *work, PoolLead *lead,
									   PoolApproval *a, TimestampTz now);
extern void pool_approval_log(PoolWork *work, PoolLead *lead,
							  const PoolApproval *a, PoolEvent *event,
							  TimestampTz now);

/* rules */
extern bool pool_approval_next_step(PoolWork *work, const PoolLead *lead,
									PoolApproval *a, TimestampTz now);
extern bool pool_approval_find_live(PoolWork *work, PoolLead *lead,
									const char *action, TimestampTz now,
									PoolApproval *found);
extern void pool_approval_ask(PoolWork *work, PoolLead *lead,
							  PoolApproval *a, TimestampTz now);
extern bool pool_approval_may_decide(const PoolActor *actor, int32 pool_id,
									 int32 min_level);
extern bool pool_approval_needed(PoolWork *work, const PoolActor *actor,
								 const char *action, const PoolLead *lead,
								 TimestampTz now);

#endif							/* POOL_APPROVAL_H */
