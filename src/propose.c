/*
 * propose.c
 *	  Members ask for what a manager has to grant: request_claim,
 *	  request_transfer, request_extension, request, cancel_request.
 *
 * A request starts from the lead: it waits for it, then locks the counters of
 * whoever is to receive it.
 */
#include "compat.h"
#include "approval.h"
#include "batch.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "claim_test.h"
#include "intake.h"
#include "perform.h"
#include "release.h"
#include "request.h"
#include "sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_request_claim);
PG_FUNCTION_INFO_V1(pool_request_transfer);
PG_FUNCTION_INFO_V1(pool_request_extension);
PG_FUNCTION_INFO_V1(pool_request);
PG_FUNCTION_INFO_V1(pool_cancel_request);

/* What is asked for. */
typedef struct Proposal
{
	PoolActor	actor;
	const PoolMemberConf *member;	/* who is to receive it; NULL = nobody */
	const PoolConf *to_pool;	/* NULL = the lead's own */
	PoolApproval approval;
} Proposal;

/* ------------------------------------------------------------------------
 * Whether it may be asked for
 * ------------------------------------------------------------------------ */

static bool
owns_or_manages(const PoolActor *actor, const PoolLead *lead)
{
	return lead->owner_id == actor->member_id ||
		pool_actor_manages(actor, lead->pool_id);
}

static bool
belongs(const PoolActor *actor, const PoolLead *lead)
{
	return owns_or_manages(actor, lead) ||
		(!pool_config_member(actor->member_id)->left &&
		 pool_config_membership(lead->pool_id, actor->member_id)->role >=
		 POOL_ROLE_MEMBER);
}

/* The state and the right that a request of this kind needs. */
static const char *
check_proposal(void *arg, const PoolLead *lead)
{
	const Proposal *p = arg;

	if (pool_approval_is(&p->approval, "claim"))
		return NULL;			/* the tests of claims say it all */
	if (pool_approval_is(&p->approval, "transfer") ||
		pool_approval_is(&p->approval, "release") ||
		pool_approval_is(&p->approval, "extension"))
		return lead->status == POOL_OWNED &&
			owns_or_manages(&p->actor, lead) ? NULL : "not_owner";
	if (!belongs(&p->actor, lead))
		return "not_member";
	if (pool_approval_is(&p->approval, "archive"))
		return pool_lead_is_closed(lead) ? "already_closed" : NULL;
	if (lead->status == POOL_AVAILABLE)
		return NULL;
	return lead->status == POOL_OWNED ? "taken" : "not_available";
}

/* How many leads of the pool are kept for the member. */
static int32
count_reserved(int32 pool_id, int32 member_id, TimestampTz now)
{
	PoolKept   *kept;

	return pool_approval_kept(pool_id, member_id, now, &kept) > 0 ?
		kept[0].n : 0;
}

/* A claim is asked for only where approval is all that is missing. */
static const char *
judge_claim(PoolBatch *batch, const Proposal *p, const PoolLead *lead)
{
	PoolClaimCase c = {.work = batch->call->work,.set = batch->set,
	.member = p->member,.now = batch->now,.approved = true};
	const PoolMembershipConf *conf;
	PoolBound	bound;
	const char *outcome = pool_claim_judge(&c, lead, &bound);

	if (outcome != NULL)
		return outcome;
	if (!pool_claim_needs_approval(&c))
		return "not_needed";
	conf = pool_config_membership(lead->pool_id, p->member->id);
	if (conf->hold_limit != POOL_NO_LIMIT &&
		c.quota->held + count_reserved(lead->pool_id, p->member->id,
									   batch->now) >= conf->hold_limit)
		return "hold_limit";
	return NULL;
}

static const char *
judge_receiver(const Proposal *p, const PoolLead *lead)
{
	int32		pool_id = p->to_pool != NULL ? p->to_pool->id : lead->pool_id;

	if (p->to_pool != NULL && p->to_pool->tenant_id != lead->tenant_id)
		return "not_found";
	if (p->member != NULL &&
		(p->member->tenant_id != lead->tenant_id ||
		 pool_config_membership(pool_id, p->member->id)->role <
		 POOL_ROLE_MEMBER))
		return "not_member";
	return NULL;
}

/* Nobody asks in vain, and what can be done at once needs no request. */
static const char *
judge_need(PoolBatch *batch, const Proposal *p, const PoolLead *lead)
{
	const char *action = p->approval.action;
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	const char *refusal = judge_receiver(p, lead);

	if (refusal != NULL)
		return refusal;
	if (!pool_knows_reason(&p->approval, lead))
		return "reason_unknown";
	if (pool_approval_is(&p->approval, "extension"))
		return pool->extension_limit != POOL_NO_LIMIT &&
			lead->extensions >= pool->extension_limit ? "limit" : NULL;
	if (pool_approval_is(&p->approval, "transfer") && p->member == NULL)
		return NULL;			/* back through the pool, but not to him */
	if (pool_approval_is(&p->approval, "release") ?
		lead->owner_id != p->actor.member_id :
		!pool_actor_manages(&p->actor, lead->pool_id))
		return NULL;
	return pool_approval_needed(batch->call->work, &p->actor, action, lead,
								batch->now) ? NULL : "not_needed";
}

/* ------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------ */

static void
emit_proposal(PoolCall *call, const char *outcome, const PoolApproval *a)
{
	pool_put_text(call, 0, outcome);
	if (a != NULL)
	{
		pool_put(call, 1, Int64GetDatum(a->id));
		pool_put_time(call, 2, a->expires_at);
	}
	pool_call_row(call);
}

/* Judges the locked lead, and opens the request; the row it comes to. */
static void
propose_one(PoolBatch *batch, PoolBatchItem *item, Proposal *p)
{
	PoolWork   *work = batch->call->work;
	PoolApproval *a = &p->approval;
	PoolApproval found;
	const char *outcome = item->outcome;

	if (outcome == NULL &&
		pool_approval_find_live(work, &item->lead, a->action, batch->now,
								&found) &&
		(!pool_approval_is(a, "claim") || found.member_id == p->member->id))
	{
		emit_proposal(batch->call, "already_requested", &found);
		return;
	}
	if (outcome == NULL)
		outcome = pool_approval_is(a, "claim") ?
			judge_claim(batch, p, &item->lead) :
			judge_need(batch, p, &item->lead);
	if (outcome != NULL)
	{
		emit_proposal(batch->call, outcome, NULL);
		return;
	}
	a->applicant_id = p->actor.member_id;
	a->member_id = p->member != NULL ? p->member->id : 0;
	a->to_pool_id = p->to_pool != NULL ? p->to_pool->id : 0;
	pool_approval_ask(work, &item->lead, a, batch->now);
	emit_proposal(batch->call, "requested", a);
}

/* Common course of the four: the lead is locked, then judged. */
static Datum
propose(PoolCall *call, Proposal *p, int64 lead_id, int request_argno)
{
	PoolBatch  *batch;
	PoolBatchItem *item;

	if (pool_request_replay(call, request_argno, p->actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &p->actor, &lead_id, 1, check_proposal, p);
	item = &batch->items[0];
	pool_batch_lock_leads(batch);
	if (item->outcome == NULL && pool_approval_is(&p->approval, "claim") &&
		item->lead.status == POOL_AVAILABLE)
		pool_quota_add(batch->set, item->lead.pool_id, p->member->id, true);
	pool_batch_lock_counters(batch);
	propose_one(batch, item, p);
	return pool_batch_end(batch);
}

static Datum
arg_reason(PoolCall *call, int argno)
{
	return pool_arg_short(call, argno, POOL_MAX_LABEL_LENGTH, "reason");
}

static PoolActor
as_actor(const PoolMemberConf *member)
{
	PoolActor	actor = {member->id, member->tenant_id};

	return actor;
}

/*
 * pool.request_claim(lead, reason, member, request_id)
 */
Datum
pool_request_claim(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "request_claim");
	Proposal	p = {.approval = {.action = "claim"}};

	p.member = pool_resolve_self(fcinfo, 2);
	p.actor = as_actor(p.member);
	p.approval.reason = arg_reason(call, 1);
	return propose(call, &p, pool_arg_id(call, 0), 3);
}

/*
 * pool.request_transfer(lead, to_member, reason, member, request_id)
 */
Datum
pool_request_transfer(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "request_transfer");
	Proposal	p = {.approval = {.action = "transfer"}};

	p.actor = pool_resolve_actor(fcinfo, 3);
	if (!PG_ARGISNULL(1))
		p.member = pool_resolve_member(PG_GETARG_TEXT_PP(1));
	p.approval.reason = arg_reason(call, 2);
	return propose(call, &p, pool_arg_id(call, 0), 4);
}

/*
 * pool.request_extension(lead, by, reason, member, request_id)
 */
Datum
pool_request_extension(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "request_extension");
	Proposal	p = {.approval = {.action = "extension"}};

	p.actor = pool_resolve_actor(fcinfo, 3);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"by\" must not be null"),
				 errdetail("It is how much longer timers are to let the lead be."),
				 errhint("Pass an interval, such as '3 days'.")));
	p.approval.span = PG_GETARG_INTERVAL_P(1);
	pool_check_span(p.approval.span, "by");
	p.approval.reason = arg_reason(call, 2);
	return propose(call, &p, pool_arg_id(call, 0), 4);
}

static char *
arg_action(PoolCall *call, int argno)
{
	static const char *const actions[] = {
		"assign", "transfer", "release", "move", "archive"
	};
	char	   *action = text_to_cstring(pool_arg_text(call, argno, "action"));

	for (int i = 0; i < (int) lengthof(actions); i++)
		if (strcmp(actions[i], action) == 0)
			return action;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("action \"%.64s\" cannot be asked for",
					pool_cut(action, 64)),
			 errdetail("pool.request does not know it."),
			 errhint("It is one of assign, transfer, release, move and "
					 "archive; pool.request_claim and "
					 "pool.request_extension ask for the others.")));
	return NULL;
}

/* 22004 for an argument that only some actions need. */
static void
require_for_action(PoolCall *call, int argno, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name),
				 errdetail("The action asked for cannot do without it."),
				 errhint("assign needs member, move to_pool, archive reason.")));
}

/*
 * pool.request(action, lead, member, to_pool, reason, actor, request_id)
 */
Datum
pool_request(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "request");
	Proposal	p = {.approval = {.action = arg_action(call, 0)}};

	p.actor = pool_resolve_actor(fcinfo, 5);
	if (!PG_ARGISNULL(2))
		p.member = pool_resolve_member(PG_GETARG_TEXT_PP(2));
	else if (pool_approval_is(&p.approval, "assign"))
		require_for_action(call, 2, "member");
	p.to_pool = pool_arg_pool(call, 3);
	if (pool_approval_is(&p.approval, "move"))
		require_for_action(call, 3, "to_pool");
	if (p.to_pool != NULL && pool_approval_is(&p.approval, "release") &&
		p.actor.member_id != 0)
		pool_require_belonging(&p.actor, p.to_pool);
	p.approval.reason = arg_reason(call, 4);
	if (pool_approval_is(&p.approval, "archive"))
		require_for_action(call, 4, "reason");
	return propose(call, &p, pool_arg_id(call, 1), 6);
}

/* ------------------------------------------------------------------------
 * Asking no longer
 * ------------------------------------------------------------------------ */

static const char *
check_nothing(void *arg, const PoolLead *lead)
{
	return NULL;
}

/*
 * pool.cancel_request(approval_id, member, request_id)
 */
Datum
pool_cancel_request(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "cancel_request");
	PoolActor	actor = pool_resolve_actor(fcinfo, 1);
	int64		id = pool_arg_approval(call, 0);
	PoolApproval a;
	PoolBatch  *batch;
	PoolBatchItem *item;

	if (pool_request_replay(call, 2, actor.tenant_id))
		return pool_call_end(call);
	if (!pool_approval_read(call->work, id, &a) ||
		!pool_actor_sees(&actor, a.tenant_id) ||
		(actor.member_id != 0 && actor.member_id != a.applicant_id))
	{
		pool_put_text(call, 0, "not_found");
		pool_call_row(call);
		return pool_call_end(call);
	}
	batch = pool_batch_begin(call, &actor, &a.lead_id, 1, check_nothing, NULL);
	item = &batch->items[0];
	pool_batch_lock_leads(batch);
	pool_batch_lock_counters(batch);
	if (item->outcome == NULL &&
		(!pool_approval_read(call->work, id, &a) ||
		 strcmp(a.status, "open") != 0))
		item->outcome = "already_decided";
	if (item->outcome == NULL)
	{
		PoolEvent	event = {.kind = "cancelled",.actor_id = actor.member_id};

		pool_approval_close(call->work, &item->lead, &a, &event, batch->now);
		item->outcome = "cancelled";	/* the key is for who may see it */
	}
	pool_batch_emit(batch, item, item->outcome);
	return pool_batch_end(batch);
}
