/*
 * approval.c
 *	  Requests that somebody has to grant, and the rules that demand them.
 *
 * A request is changed only by whoever holds its lead's lock, so that it needs
 * none of its own.  What it is about may end without it (the lead is assigned,
 * archived, moved ...): then it is no longer live, and closed by whoever meets
 * it next.
 */
#include "compat.h"
#include "approval.h"

#include "batch.h"
#include "rule.h"
#include "rule_report.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "wake.h"

int64
pool_arg_approval(PoolCall *call, int argno)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"approval_id\" must not be null"),
				 errdetail("It is the id of a request."),
				 errhint("pool.approval_open lists open requests.")));
	return PG_GETARG_INT64(argno);
}

/* ------------------------------------------------------------------------
 * Their course
 * ------------------------------------------------------------------------ */

bool
pool_approval_is(const PoolApproval *a, const char *action)
{
	return strcmp(a->action, action) == 0;
}

/* A routing rule's proposal, which takes effect unless it is rejected. */
bool
pool_approval_is_suggestion(const PoolApproval *a)
{
	return a->from_rule_id != 0 && pool_approval_is(a, "assign");
}

bool
pool_approval_is_over(const PoolApproval *a, TimestampTz now)
{
	return a->expires_at != POOL_NO_TIME && a->expires_at <= now;
}

/*
 * Whether the lead is still where it was when this was asked for: the view
 * approval_open says the same.  What is to be claimed is reserved until the
 * request's time is over; who hides or reserves it then does not move it.
 */
bool
pool_approval_is_live(const PoolApproval *a, const PoolLead *lead,
					  TimestampTz now)
{
	if (lead->pool_id != a->pool_id ||
		(a->claims >= 0 && lead->claims != a->claims))
		return false;
	if (lead->status == POOL_AVAILABLE && lead->entered_at > a->created_at)
		return false;
	if (pool_approval_is(a, "claim"))
		return lead->status == POOL_AVAILABLE &&
			(lead->reserved_for == a->member_id ||
			 pool_approval_is_over(a, now));
	if (pool_approval_is(a, "assign") || pool_approval_is(a, "move"))
		return lead->status == POOL_AVAILABLE;
	if (pool_approval_is(a, "archive"))
		return pool_lead_is_open(lead);
	return lead->status == POOL_OWNED;
}

/* Writes an event of the request; given are its kind, by whom and why. */
void
pool_approval_log(PoolWork *work, PoolLead *lead, const PoolApproval *a,
				  PoolEvent *event, TimestampTz now)
{
	PoolDetail	detail;
	PoolData	data;

	pool_open_lead(work, lead, &data);
	event->at = pool_lead_time(lead, now);
	event->rule_id = a->from_rule_id;
	event->member_id = a->member_id != 0 ? a->member_id : a->applicant_id;
	pool_detail_begin(&detail);
	pool_detail_int(&detail, "approval", a->id);
	pool_detail_text(&detail, "action", a->action, strlen(a->action));
	pool_detail_int(&detail, "step", a->step);
	event->detail = pool_detail_end(&detail);
	pool_event_append(work, event, lead, &data);
}

static TimestampTz
reserved_until(const PoolApproval *a)
{
	return a->expires_at != POOL_NO_TIME ? a->expires_at : DT_NOEND;
}

/* Whether it is this request that the available lead is reserved by. */
static bool
is_reserved_by(const PoolLead *lead, const PoolApproval *a)
{
	return lead->status == POOL_AVAILABLE && lead->reserved_for != 0 &&
		lead->reserved_for == a->member_id &&
		lead->hidden_until == reserved_until(a);
}

/*
 * Whether a request or a suggestion, and not the member himself (lease.c), has
 * reserved the lead.
 */
bool
pool_approval_reserves(PoolWork *work, const PoolLead *lead)
{
	PoolApproval a;

	return lead->reserved_for != 0 &&
		((pool_approval_find_open(work, lead->id, "claim", &a) &&
		  is_reserved_by(lead, &a)) ||
		 (pool_approval_find_open(work, lead->id, "assign", &a) &&
		  is_reserved_by(lead, &a)));
}

/* The lead waits for the member until the request ends. */
void
pool_approval_reserve(PoolWork *work, PoolLead *lead, const PoolApproval *a)
{
	PoolData	data;

	pool_open_lead(work, lead, &data);
	pool_lead_hide(pool_work_table(work, POOL_LEAD_STATE), lead,
				   reserved_until(a), a->member_id);
}

/*
 * A new request, whose step is known, about the locked lead.  What is to be
 * claimed, or is suggested, is reserved.  The event says by whom and why.
 */
void
pool_approval_open(PoolWork *work, PoolLead *lead, PoolApproval *a,
				   int32 actor_id, Datum reason, TimestampTz now)
{
	PoolEvent	event = {.kind = "requested",.actor_id = actor_id,
	.reason = reason};

	a->lead_id = lead->id;
	a->tenant_id = lead->tenant_id;
	a->pool_id = lead->pool_id;
	a->claims = lead->claims;
	a->status = "open";
	a->created_at = pool_lead_time(lead, now);
	a->decided_at = POOL_NO_TIME;
	pool_approval_insert(work, a);
	if (pool_approval_is(a, "claim") || pool_approval_is_suggestion(a))
		pool_approval_reserve(work, lead, a);
	pool_approval_log(work, lead, a, &event, now);
}

/*
 * The request ends with this event, whose kind is its status; given as well are
 * by whom and why.  The lead, locked, is no longer reserved by it.
 */
void
pool_approval_close(PoolWork *work, PoolLead *lead, PoolApproval *a,
					PoolEvent *event, TimestampTz now)
{
	PoolData	data;

	if (is_reserved_by(lead, a) &&
		(pool_approval_is(a, "claim") || pool_approval_is(a, "assign")))
	{
		pool_open_lead(work, lead, &data);
		pool_lead_hide(pool_work_table(work, POOL_LEAD_STATE), lead,
					   POOL_NO_TIME, 0);
	}
	a->status = event->kind;
	a->note = event->reason;
	a->decided_at = now;
	a->decided_by = event->actor_id;
	pool_approval_update(work, a);
	pool_approval_log(work, lead, a, event, now);
}

/*
 * The request ends because its lead is elsewhere, or else its time is over;
 * the status says which.
 */
const char *
pool_approval_lapse(PoolWork *work, PoolLead *lead, PoolApproval *a,
					TimestampTz now)
{
	PoolEvent	event = {0};

	event.kind = pool_approval_is_live(a, lead, now) ? "expired" : "cancelled";
	pool_approval_close(work, lead, a, &event, now);
	return event.kind;
}

/* ------------------------------------------------------------------------
 * Rules
 * ------------------------------------------------------------------------ */

/*
 * A rule that cannot be evaluated binds, and is told of.  *document is made when
 * needed.
 */
static bool
rule_binds(PoolWork *work, const PoolApprovalRule *rule, const char *action,
		   const PoolLead *lead, TimestampTz now, Jsonb **document)
{
	PoolVerdict verdict;
	PoolData	data;

	if (strcmp(rule->action, action) != 0)
		return false;
	if (rule->condition.path == NULL)
		return true;
	if (*document == NULL)
	{
		pool_data_get(pool_work_table(work, POOL_LEAD_DATA), lead->id, &data);
		*document = pool_rule_document(lead, &data, now);
	}
	verdict = pool_rule_judge(&rule->condition, *document, NULL);
	if (verdict == POOL_RULE_ERROR)
		pool_rule_report(POOL_KIND_APPROVAL, rule->id, rule->name,
						 pool_config_pool(lead->pool_id)->name);
	return verdict != POOL_NO_MATCH;
}

static TimestampTz
expiry(const PoolApprovalRule *rule, const PoolConf *pool, TimestampTz now)
{
	return rule->expires_after == NULL ? POOL_NO_TIME :
		pool_time_add(now, rule->expires_after, pool->zone);
}

/*
 * Sets the request's next step, which begins now; false if it was the last.
 * Rules of one step are decided at once: the highest level, the nearest end.
 */
bool
pool_approval_next_step(PoolWork *work, const PoolLead *lead,
						PoolApproval *a, TimestampTz now)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	Jsonb	   *document = NULL;
	int32		step = 0;

	for (int i = 0; i < pool->n_approval_rules; i++)
	{
		const PoolApprovalRule *rule = &pool->approval_rules[i];
		TimestampTz expires_at;

		if (rule->step <= a->step || (step != 0 && rule->step != step) ||
			!rule_binds(work, rule, a->action, lead, now, &document))
			continue;
		expires_at = expiry(rule, pool, now);
		if (step == 0)
		{
			step = rule->step;
			a->min_level = rule->min_level;
			a->expires_at = expires_at;
			continue;
		}
		a->min_level = Max(a->min_level, rule->min_level);
		if (a->expires_at == POOL_NO_TIME ||
			(expires_at != POOL_NO_TIME && expires_at < a->expires_at))
			a->expires_at = expires_at;
	}
	if (step == 0)
		return false;
	a->step = step;
	return true;
}

/*
 * Whether the same is asked for already: *found is that request.  An open one
 * whose time is over, or that the locked lead no longer fits, is closed here.
 */
bool
pool_approval_find_live(PoolWork *work, PoolLead *lead, const char *action,
						TimestampTz now, PoolApproval *found)
{
	if (!pool_approval_find_open(work, lead->id, action, found))
		return false;
	if (pool_approval_is_live(found, lead, now) &&
		(!pool_approval_is_over(found, now) ||
		 pool_approval_is_suggestion(found)))
		return true;
	(void) pool_approval_lapse(work, lead, found, now);
	/* the lead may be reserved anew */
	CommandCounterIncrement();
	return false;
}

/* Opens the request at its first step; no rule: any manager, once. */
void
pool_approval_ask(PoolWork *work, PoolLead *lead, PoolApproval *a,
				  TimestampTz now)
{
	a->expires_at = POOL_NO_TIME;
	a->step = 0;
	if (!pool_approval_next_step(work, lead, a, now))
		a->step = 1;
	pool_approval_open(work, lead, a, a->applicant_id, a->reason, now);
}

/*
 * Whether the actor may decide what managers of this pool with this level may:
 * of his memberships as a manager of the pool and those above it, the highest
 * level counts.
 */
bool
pool_approval_may_decide(const PoolActor *actor, int32 pool_id,
						 int32 min_level)
{
	if (!pool_actor_manages(actor, pool_id))
		return false;
	if (actor->member_id == 0)
		return true;
	for (int depth = 0; pool_id != 0 && depth < POOL_MAX_DEPTH; depth++)
	{
		const PoolMembershipConf *conf = pool_config_membership(pool_id,
																actor->member_id);

		if (conf->role == POOL_ROLE_MANAGER && conf->level >= min_level)
			return true;
		pool_id = pool_config_pool(pool_id)->parent_id;
	}
	return false;
}

/*
 * Whether the actor, who is otherwise allowed to do this to the locked lead,
 * must ask first.  If he could approve every step himself, he need not.
 */
bool
pool_approval_needed(PoolWork *work, const PoolActor *actor,
					 const char *action, const PoolLead *lead,
					 TimestampTz now)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	Jsonb	   *document = NULL;

	for (int i = 0; i < pool->n_approval_rules; i++)
	{
		const PoolApprovalRule *rule = &pool->approval_rules[i];

		if (rule_binds(work, rule, action, lead, now, &document) &&
			!pool_approval_may_decide(actor, lead->pool_id, rule->min_level))
			return true;
	}
	return false;
}
