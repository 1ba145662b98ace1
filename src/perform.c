/*
 * perform.c
 *	  Doing what a request asks for.
 *
 * The lead is locked, and so are the counters of all whom the action touches.
 * Everything is judged again, with the rights of the member it is for.
 */
#include "compat.h"
#include "perform.h"

#include "assign.h"
#include "claim.h"
#include "close.h"
#include "judge.h"
#include "release.h"
#include "routing_wait.h"
#include "term.h"

static const PoolConf *
target_pool(const PoolApproval *a)
{
	return a->to_pool_id != 0 ? pool_config_pool(a->to_pool_id) : NULL;
}

/* The member or pool it names may have been deleted since. */
bool
pool_names_nobody(const PoolApproval *a)
{
	return (a->member_id != 0 &&
			pool_config_find_member(a->member_id) == NULL) ||
		(a->to_pool_id != 0 && pool_config_find_pool(a->to_pool_id) == NULL);
}

/* Names the counters of all whom the action touches. */
void
pool_perform_add_counters(PoolDecision *d)
{
	const PoolApproval *a = &d->approval;
	const PoolLead *lead = &d->item->lead;

	if (lead->owner_id != 0)
		pool_quota_add(d->batch->set, lead->pool_id, lead->owner_id, false);
	if (a->member_id != 0 && !pool_names_nobody(a))
		pool_quota_add(d->batch->set,
					   a->to_pool_id != 0 ? a->to_pool_id : lead->pool_id,
					   a->member_id, true);
}

static const char *
hand_over(PoolDecision *d)
{
	const PoolApproval *a = &d->approval;
	PoolHanding h = {.actor = d->actor,.reason = a->reason,
	.rule_id = a->from_rule_id,.approved = true};
	const char *outcome;

	h.member = pool_config_member(a->member_id);
	h.to_pool = target_pool(a);
	outcome = pool_approval_is(a, "assign") ?
		pool_assign_one(d->batch, &h, d->item) :
		pool_transfer_one(d->batch, &h, d->item);
	/* refused, it stays as it is */
	d->item->outcome = NULL;
	return strcmp(outcome, "assigned") == 0 ||
		strcmp(outcome, "transferred") == 0 ? NULL : outcome;
}

/*
 * Whether the pool of the lead knows the reason: a release and an archive have
 * words of their own.
 */
bool
pool_knows_reason(const PoolApproval *a, const PoolLead *lead)
{
	const PoolTerm *term;
	const char *kind = pool_approval_is(a, "release") ? POOL_TERM_RELEASE :
	pool_approval_is(a, "archive") ? POOL_TERM_ARCHIVE : NULL;

	return kind == NULL ||
		pool_term_find(pool_config_pool(lead->pool_id), kind, a->reason,
					   &term);
}

/* A result of follow-ups that ends the spell this way is a reason, too. */
static bool
is_ending_result(const PoolApproval *a, const PoolLead *lead)
{
	const PoolTerm *term;

	(void) pool_term_find(pool_config_pool(lead->pool_id), POOL_TERM_RESULT,
						  a->reason, &term);
	if (pool_approval_is(a, "archive"))
		return pool_term_then(term, "archive");
	return pool_approval_is(a, "release") &&
		(pool_term_then(term, "release") || pool_term_then(term, "cool"));
}

/* Released for its owner, by whoever asked. */
static const char *
give_back(PoolDecision *d)
{
	PoolEvent	event = {.kind = "released",.reason = d->approval.reason,
	.actor_id = d->approval.applicant_id};

	if (pool_approval_is(&d->approval, "release"))
		pool_release_apply_reason(d->item, &event);
	if (pool_approval_is(&d->approval, "release") && d->approval.span != NULL)
		d->item->hide_for = d->approval.span;
	pool_give_back(d->batch, d->item, target_pool(&d->approval), &event);
	/* he who asks for a transfer to nobody in particular wants it routed */
	if (pool_approval_is(&d->approval, "transfer") &&
		!pool_config_pool(d->item->lead.pool_id)->route_returned)
		pool_wait_for_another(d->batch->call->work, &d->item->lead,
							  event.member_id);
	return NULL;
}

static const char *
archive(PoolDecision *d)
{
	PoolEvent	event = {.kind = "archived",.reason = d->approval.reason,
	.actor_id = d->actor.member_id};

	pool_archive_one(d->batch, d->item, &event);
	return NULL;
}

static const char *
move(PoolDecision *d)
{
	PoolEvent	event = {.kind = "moved",.actor_id = d->actor.member_id};

	event.at = pool_lead_time(&d->item->lead, d->batch->now);
	pool_requeue(d->batch->call->work, &d->item->lead,
				 d->approval.to_pool_id, &event);
	return NULL;
}

/* Timers let the lead be for so long from when the next one is due. */
static const char *
extend(PoolDecision *d)
{
	PoolLead   *lead = &d->item->lead;
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	TimestampTz from;
	PoolJudgement j;
	PoolData	data;

	if (pool->extension_limit != POOL_NO_LIMIT &&
		lead->extensions >= pool->extension_limit)
		return "limit";
	pool_batch_open(d->batch, d->item, &data);
	pool_judge_begin(&j, d->batch->call->work, pool_snapshot(), lead, &data,
					 d->batch->now);
	from = Max(d->batch->now,
			   Max(pool_judge_due_at(&j), lead->protected_until));
	if (from != DT_NOEND)
		from = pool_time_add(from, d->approval.span, pool->zone);
	lead->protected_until = from;
	lead->extensions++;
	pool_lead_note(pool_work_table(d->batch->call->work, POOL_LEAD_STATE),
				   lead);
	return NULL;
}

/*
 * Does it with the rights of the member it is for; NULL, or why it cannot be
 * done, and then nothing has changed.
 */
const char *
pool_perform(PoolDecision *d)
{
	const PoolApproval *a = &d->approval;

	if (pool_names_nobody(a))
		return "not_member";
	if (!pool_knows_reason(a, &d->item->lead) &&
		!is_ending_result(a, &d->item->lead))
		return "reason_unknown";
	if (pool_approval_is(a, "claim"))
		return pool_claim_grant(d->batch->call, d->batch->set, &d->item->lead,
								a->member_id, d->batch->now);
	if (pool_approval_is(a, "assign") ||
		(pool_approval_is(a, "transfer") && a->member_id != 0))
		return hand_over(d);
	if (pool_approval_is(a, "release") || pool_approval_is(a, "transfer"))
		return give_back(d);
	if (pool_approval_is(a, "archive"))
		return archive(d);
	if (pool_approval_is(a, "move"))
		return move(d);
	return extend(d);
}
