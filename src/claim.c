/*
 * claim.c
 *	  Members take leads: claim, claim_leads.
 *
 * The member's counters are locked first, leads are taken without waiting:
 * whoever holds a member's lock never waits for a lead.
 */
#include "result.h"

#include "batch.h"
#include "claim.h"
#include "claim_test.h"
#include "errors.h"
#include "group.h"
#include "judge.h"
#include "match.h"
#include "request.h"
#include "shown.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_claim);
PG_FUNCTION_INFO_V1(pool_claim_leads);

/* columns of claim() */
enum
{
	CLAIM_OUTCOME, CLAIM_LEAD_ID, CLAIM_KEY, CLAIM_NAME, CLAIM_SOURCE,
	CLAIM_GRADE, CLAIM_PRIORITY, CLAIM_ATTRIBUTES, CLAIM_DUE_AT,
	CLAIM_RETRY_AT
};

/* columns of claim_leads() */
enum
{
	LEADS_OUTCOME, LEADS_LEAD_ID, LEADS_KEY, LEADS_DUE_AT, LEADS_RETRY_AT
};

/* What a claim looks for, and what it met on its way. */
typedef struct ClaimTally
{
	PoolMatch  *match;			/* NULL = any lead */
	int			claimed;
	bool		barred;			/* available, but not to this member */
	TimestampTz retry_at;		/* when the first such one may be, as known */
	bool		contended;		/* held by a running transaction */
} ClaimTally;

/*
 * The lead has become the member's: event and counters.  Its data is left in
 * *data.
 */
static void
count_claim(PoolCall *call, const PoolClaimCase *c, const PoolLead *lead,
			PoolData *data)
{
	PoolEvent	event = {.kind = "claimed",.at = lead->owned_at};
	int64		event_id;

	pool_data_get(pool_work_table(call->work, POOL_LEAD_DATA), lead->id, data);
	event.member_id = event.actor_id = c->member->id;
	event_id = pool_event_append(call->work, &event, lead, data);
	pool_quota_gain(c->set, c->quota);
	pool_quota_count_claim(c->quota, event_id, c->now);
	if (pool_config_pool(lead->pool_id)->masked != NIL)
		pool_shown_note(c->member->id, lead->pool_id);
}

/* The lead, locked and available, becomes the member's. */
static void
take_lead(PoolCall *call, const PoolClaimCase *c, PoolLead *lead,
		  PoolData *data)
{
	pool_lead_own(pool_work_table(call->work, POOL_LEAD_STATE), lead,
				  c->member->id, lead->pool_id, pool_lead_time(lead, c->now));
	count_claim(call, c, lead, data);
}

/* When time takes the lead away again, of a spell that begins now. */
static TimestampTz
next_due(PoolCall *call, PoolLead *lead, const PoolData *data,
		 TimestampTz now)
{
	PoolJudgement j;

	pool_judge_begin(&j, call->work, pool_snapshot(), lead, data, now);
	j.sent_read = true;
	return pool_judge_due_at(&j);
}

/* ------------------------------------------------------------------------
 * claim: the best ones of a pool
 * ------------------------------------------------------------------------ */

static void
emit_claimed(PoolCall *call, PoolLead *lead, const PoolData *data,
			 TimestampTz now)
{
	pool_put_text(call, CLAIM_OUTCOME, "claimed");
	pool_put(call, CLAIM_LEAD_ID, Int64GetDatum(lead->id));
	pool_put_datum(call, CLAIM_KEY, data->key);
	pool_put_datum(call, CLAIM_NAME, data->name);
	pool_put_datum(call, CLAIM_SOURCE, data->source);
	pool_put_datum(call, CLAIM_GRADE, data->grade);
	pool_put(call, CLAIM_PRIORITY, Int32GetDatum(lead->priority));
	pool_put_datum(call, CLAIM_ATTRIBUTES, data->attributes);
	pool_put_time(call, CLAIM_DUE_AT, next_due(call, lead, data, now));
	pool_call_row(call);
}

/*
 * Whether the lead is what is looked for, and the member may have it.
 */
static bool
suits(PoolClaimCase *c, const PoolLead *lead, ClaimTally *tally)
{
	PoolBound	bound;

	pool_claim_look_at(c, lead);
	if (tally->match != NULL &&
		!pool_match_holds(tally->match, pool_claim_shown_document(c)))
		return false;
	if (pool_claim_check_lead(c, &bound) == NULL)
		return true;
	tally->barred = true;
	if (bound.retry_at != POOL_NO_TIME &&
		(tally->retry_at == POOL_NO_TIME || bound.retry_at < tally->retry_at))
		tally->retry_at = bound.retry_at;
	return false;
}

/*
 * Whether the group leaves the lead to the member; else the lead keeps its
 * place.
 */
static bool
group_allows(PoolCall *call, PoolClaimCase *c, PoolQueueScan *scan,
			 const PoolLead *lead, ClaimTally *tally)
{
	switch (pool_group_try(call->work, lead->group_id, c->member->id))
	{
		case POOL_GROUP_FREE:
			return true;
		case POOL_GROUP_BUSY:
			tally->contended = true;
			break;
		case POOL_GROUP_OWNED:
			tally->barred = true;
			break;
	}
	pool_queue_put_back(scan);
	return false;
}

/*
 * The fetched candidate, which suits, becomes the member's, or the queue is
 * told why not.  Where nothing but its row has been looked at, locking and
 * writing are one step; otherwise an edit may have come between.
 */
static bool
own_candidate(PoolCall *call, PoolClaimCase *c, PoolQueueScan *scan,
			  const PoolCandidate *candidate, PoolLead *lead,
			  ClaimTally *tally)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	TimestampTz at = pool_lead_time(lead, c->now);
	bool		one_step = c->document == NULL && lead->group_id == 0;

	switch (one_step ? pool_lead_try_own(leads, lead, c->member->id, at) :
			pool_lead_lock_candidate(leads, candidate))
	{
		case POOL_LEAD_BUSY:
			tally->contended = true;
			pool_queue_put_back(scan);
			return false;
		case POOL_LEAD_MISSING:
			pool_queue_drop(scan);
			return false;
		case POOL_LEAD_LOCKED:
			break;
	}
	if (one_step)
		return true;
	if (c->document != NULL && !suits(c, lead, tally))
	{
		pool_queue_put_back(scan);
		return false;
	}
	pool_lead_own(leads, lead, c->member->id, lead->pool_id, at);
	return true;
}

/*
 * Tries the candidate: claims it, or tells the queue what became of it.
 */
static void
try_candidate(PoolCall *call, PoolClaimCase *c, PoolQueueScan *scan,
			  const PoolCandidate *candidate, ClaimTally *tally)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolLead	lead;
	PoolData	data;

	switch (pool_lead_fetch_candidate(leads, candidate, &lead))
	{
		case POOL_LEAD_BUSY:
			tally->contended = true;
			/* FALLTHROUGH */
		case POOL_LEAD_MISSING:
			pool_queue_drop(scan);
			return;
		case POOL_LEAD_LOCKED:
			break;
	}
	if (!suits(c, &lead, tally))
	{
		pool_queue_put_back(scan);
		return;
	}
	if (!group_allows(call, c, scan, &lead, tally) ||
		!own_candidate(call, c, scan, candidate, &lead, tally))
		return;
	count_claim(call, c, &lead, &data);
	emit_claimed(call, &lead, &data, c->now);
	tally->claimed++;
}

/* Claims up to n leads, or says in one row why there are none. */
static void
claim_best(PoolCall *call, PoolClaimCase *c, PoolMatch *match, int n)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolQueueScan *scan = pool_queue_begin(leads, c->pool->id, call->snapshot);
	PoolCandidate candidate;
	ClaimTally	tally = {.match = match,.retry_at = POOL_NO_TIME};

	n = Min(n, pool_quota_room(c->set, c->quota, c->now));
	while (tally.claimed < n &&
		   pool_queue_next(scan, n - tally.claimed, &candidate))
		try_candidate(call, c, scan, &candidate, &tally);
	if (pool_queue_contended(scan))
		tally.contended = true;
	/* what this snapshot is too old for is there all the same */
	if (tally.claimed == 0 && !tally.contended && pool_queue_unseen(scan))
		pool_report_serialization();
	pool_queue_end(scan);
	if (tally.claimed > 0)
		return;
	pool_put_text(call, CLAIM_OUTCOME,
				  tally.contended ? "contended" :
				  tally.barred ? "none_allowed" : "empty");
	if (tally.barred && !tally.contended)
		pool_put_time(call, CLAIM_RETRY_AT, tally.retry_at);
	pool_call_row(call);
}

static void
report_not_member(const PoolConf *pool, const PoolMemberConf *member)
{
	ereport(ERROR,
			(errcode(POOL_ERRCODE_NOT_MEMBER),
			 errmsg("member \"%s\" does not belong to pool \"%s\"",
					member->key, pool->name),
			 errdetail("Claiming needs a membership with role member or manager."),
			 errhint("INSERT INTO pool.membership, or let the pool be for everyone.")));
}

/* Only who sees both tenants gets here; a name without one is a likely slip. */
static void
report_other_tenant(const PoolConf *pool, const PoolMemberConf *member)
{
	ereport(ERROR,
			(errcode(POOL_ERRCODE_NOT_MEMBER),
			 errmsg("member \"%s\" does not belong to pool \"%s\"",
					member->key, pool->name),
			 errdetail("They are of different tenants."),
			 errhint("Name a member of the pool's tenant, as tenant/key.")));
}

/* A pool of another tenant does not exist for this member. */
static void
check_belongs(const PoolConf *pool, const PoolMemberConf *member)
{
	if (pool->tenant_id != member->tenant_id)
		report_other_tenant(pool, member);
	if (pool_config_membership(pool->id, member->id)->role < POOL_ROLE_MEMBER)
		report_not_member(pool, member);
}

static int
arg_count(FunctionCallInfo fcinfo, int argno)
{
	int32		n = PG_ARGISNULL(argno) ? 1 : PG_GETARG_INT32(argno);

	if (n < 1 || n > POOL_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot claim %d leads in one call", n),
				 errdetail("n must be between 1 and %d.", POOL_MAX_BATCH),
				 n < 1 ? errhint("Leave it out for one lead.") :
				 errhint("Claim in several calls.")));
	return n;
}

/*
 * pool.claim(pool, member, n, match, request_id)
 */
Datum
pool_claim(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "claim");
	PoolClaimCase c = {.work = call->work};
	const PoolClaimTest *failed;
	PoolBound	bound;
	PoolMatch  *match = NULL;
	int			n = arg_count(fcinfo, 2);

	if (!PG_ARGISNULL(3))
		match = pool_match_prepare(PG_GETARG_JSONB_P(3));
	c.member = pool_resolve_self(fcinfo, 1);
	c.pool = pool_resolve_pool(pool_arg_text(call, 0, "pool"));
	if (pool_request_replay(call, 4, c.pool->tenant_id))
		return pool_call_end(call);
	check_belongs(c.pool, c.member);

	c.set = pool_quota_begin(call->work, call->snapshot);
	pool_quota_add(c.set, c.pool->id, c.member->id, true);
	pool_quota_lock(c.set);
	c.quota = pool_quota_get(c.set, c.pool->id, c.member->id);
	c.now = pool_now();
	failed = pool_claim_check_member(&c, &bound);
	if (failed == NULL)
		claim_best(call, &c, match, n);
	else if (strcmp(failed->outcome, "not_member") == 0)
		report_not_member(c.pool, c.member);
	else
	{
		pool_put_text(call, CLAIM_OUTCOME, failed->outcome);
		pool_put_bound(call, CLAIM_RETRY_AT, &bound);
		pool_call_row(call);
	}
	pool_quota_write(c.set);
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * claim_leads: these ones
 * ------------------------------------------------------------------------ */

/* A refused lead; its key is for those who may know of it. */
static void
emit_lead(PoolCall *call, const char *outcome, int64 id,
		  const PoolLead *lead, const PoolBound *bound)
{
	PoolData	data;

	pool_put_text(call, LEADS_OUTCOME, outcome);
	pool_put(call, LEADS_LEAD_ID, Int64GetDatum(id));
	if (lead != NULL && pool_lead_key_visible(call->work, lead) &&
		pool_data_read(pool_work_table(call->work, POOL_LEAD_DATA), id,
					   pool_snapshot(), &data))
		pool_put_datum(call, LEADS_KEY, data.key);
	pool_put_bound(call, LEADS_RETRY_AT, bound);
	pool_call_row(call);
}

static void
emit_lead_claimed(PoolCall *call, const PoolClaimCase *c, PoolLead *lead)
{
	PoolData	data;

	take_lead(call, c, lead, &data);
	pool_put_text(call, LEADS_OUTCOME, "claimed");
	pool_put(call, LEADS_LEAD_ID, Int64GetDatum(lead->id));
	pool_put_datum(call, LEADS_KEY, data.key);
	pool_put_time(call, LEADS_DUE_AT, next_due(call, lead, &data, c->now));
	pool_call_row(call);
}

static void
claim_one(PoolCall *call, PoolClaimCase *c, int64 id)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolBound	bound = POOL_NO_BOUND;
	PoolLead	lead;
	const char *outcome;

	if (!pool_claim_peek(c, id, &lead))
	{
		emit_lead(call, "not_found", id, NULL, &bound);
		return;
	}
	outcome = pool_claim_judge(c, &lead, &bound);
	if (outcome == NULL)
	{
		if (pool_lead_lock(leads, id, call->snapshot, false, &lead) !=
			POOL_LEAD_LOCKED)
			outcome = "contended";
		else
			outcome = pool_claim_judge(c, &lead, &bound);
		if (outcome == NULL)
			outcome = pool_group_refusal(pool_group_try(call->work,
														lead.group_id,
														c->member->id));
	}
	if (outcome != NULL)
	{
		emit_lead(call, outcome, id, &lead, &bound);
		return;
	}
	pool_lead_leave_queue(leads, &lead);
	emit_lead_claimed(call, c, &lead);
}

/*
 * pool.claim_leads(leads, member, request_id)
 */
Datum
pool_claim_leads(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "claim_leads");
	PoolClaimCase c = {.work = call->work};
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	c.member = pool_resolve_self(fcinfo, 1);
	if (pool_request_replay(call, 2, c.member->tenant_id))
		return pool_call_end(call);
	pool_claim_lock_counters(&c, call->snapshot, ids, n);
	for (int i = 0; i < n; i++)
		claim_one(call, &c, ids[i]);
	pool_quota_write(c.set);
	return pool_call_end(call);
}

/*
 * The member gets the locked lead, whose claim a manager has approved just
 * now; his counters are locked.  NULL, or why he cannot have it.
 */
const char *
pool_claim_grant(PoolCall *call, PoolQuotaSet *set, PoolLead *lead,
				 int32 member_id, TimestampTz now)
{
	PoolClaimCase c = {.work = call->work,.set = set,.now = now,
	.approved = true};
	PoolBound	bound;
	PoolData	data;
	const char *outcome;

	c.member = pool_config_member(member_id);
	outcome = pool_claim_judge(&c, lead, &bound);
	if (outcome == NULL)
		outcome = pool_group_refusal(pool_group_try(call->work,
													lead->group_id,
													member_id));
	if (outcome != NULL)
		return outcome;
	pool_open_lead(call->work, lead, &data);
	pool_lead_leave_queue(pool_work_table(call->work, POOL_LEAD_STATE), lead);
	take_lead(call, &c, lead, &data);
	return NULL;
}
