/*
 * assign_entry.c
 *	  Assigning leads that this transaction has let in.
 */
#include "assign.h"

#include "group.h"
#include "utils/snapmgr.h"

static const char *
assign_new(PoolWork *work, PoolQuotaSet *set, const PoolHanding *h,
		   int64 lead_id, TimestampTz now)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolQuota  *quota;
	PoolLead	lead;
	const char *refusal;

	if (pool_lead_lock(leads, lead_id, pool_snapshot(), false, &lead) !=
		POOL_LEAD_LOCKED)
		elog(ERROR, "new lead " INT64_FORMAT " is not ours", lead_id);
	quota = pool_quota_get(set, lead.pool_id, h->member->id);
	refusal = pool_refuse_receiver(set, quota);
	if (refusal == NULL)
		refusal = pool_group_refusal(pool_group_try(work, lead.group_id,
													h->member->id));
	if (refusal == NULL)
		pool_hand_lead(work, set, h, quota, &lead, now);
	return refusal;
}

/*
 * Assigns a lead that this transaction has let in and whose owner's counters
 * are locked.  Returns why he cannot have it, NULL if he got it.
 */
const char *
pool_assign_at_entry(PoolWork *work, PoolQuotaSet *set, int64 lead_id,
					 int32 owner_id, int32 actor_id, TimestampTz now)
{
	PoolHanding h = {.actor = {.member_id = actor_id}};

	h.member = pool_config_member(owner_id);
	return assign_new(work, set, &h, lead_id, now);
}

/* The same with a spell that began before the lead came here. */
const char *
pool_assign_taken_over(PoolWork *work, PoolQuotaSet *set, int64 lead_id,
					   int32 owner_id, int32 actor_id, TimestampTz owned_at)
{
	PoolHanding h = {.actor = {.member_id = actor_id},.estimated = true};

	h.member = pool_config_member(owner_id);
	return assign_new(work, set, &h, lead_id, owned_at);
}
