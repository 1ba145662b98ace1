/*
 * decide.c
 *	  Managers decide requests, and time does: approve, reject, and a tick's
 *	  task.
 *
 * The lead is locked first, then the counters of all whom the action touches:
 * what was true when it was asked for is judged again, and what the last
 * approval grants is done in its transaction or not at all.
 */
#include "compat.h"
#include "decide.h"

#include "access/xact.h"
#include "approval.h"
#include "assign.h"
#include "catalog/pg_type.h"
#include "claim.h"
#include "close.h"
#include "errors.h"
#include "miscadmin.h"
#include "release.h"
#include "request.h"
#include "rule.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_approve);
PG_FUNCTION_INFO_V1(pool_reject);

/* columns of approve() */
enum
{
	APPROVE_OUTCOME, APPROVE_LEAD_ID, APPROVE_KEY, APPROVE_REASON,
	APPROVE_STEP
};

/* A request under decision; its lead is the only item of the batch. */
typedef struct Decision
{
	PoolActor	actor;
	PoolApproval approval;
	PoolBatch  *batch;
	PoolBatchItem *item;
	Datum		note;
} Decision;

static const char *
check_nothing(void *arg, const PoolLead *lead)
{
	return NULL;
}

/* ------------------------------------------------------------------------
 * Doing what was asked for
 * ------------------------------------------------------------------------ */

static const PoolConf *
target_pool(const PoolApproval *a)
{
	return a->to_pool_id != 0 ? pool_config_pool(a->to_pool_id) : NULL;
}

/* The member or pool it names may have been deleted since. */
static bool
names_nobody(const PoolApproval *a)
{
	return (a->member_id != 0 &&
			pool_config_find_member(a->member_id) == NULL) ||
		(a->to_pool_id != 0 && pool_config_find_pool(a->to_pool_id) == NULL);
}

/* Names the counters of all whom the action touches. */
static void
add_counters(Decision *d)
{
	const PoolApproval *a = &d->approval;
	const PoolLead *lead = &d->item->lead;

	if (lead->owner_id != 0)
		pool_quota_add(d->batch->set, lead->pool_id, lead->owner_id, false);
	if (a->member_id != 0 && !names_nobody(a))
		pool_quota_add(d->batch->set,
					   a->to_pool_id != 0 ? a->to_pool_id : lead->pool_id,
					   a->member_id, true);
}

static const char *
hand_over(Decision *d)
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

/* Released for its owner, by whoever asked. */
static const char *
give_back(Decision *d)
{
	PoolEvent	event = {.kind = "released",.reason = d->approval.reason,
	.actor_id = d->approval.applicant_id};

	pool_give_back(d->batch, d->item, target_pool(&d->approval), &event);
	return NULL;
}

static const char *
archive(Decision *d)
{
	PoolEvent	event = {.kind = "archived",.reason = d->approval.reason,
	.actor_id = d->actor.member_id};

	pool_archive_one(d->batch, d->item, &event);
	return NULL;
}

static const char *
move(Decision *d)
{
	PoolEvent	event = {.kind = "moved",.actor_id = d->actor.member_id};

	event.at = pool_lead_time(&d->item->lead, d->batch->now);
	pool_requeue(d->batch->call->work, &d->item->lead,
				 d->approval.to_pool_id, &event);
	return NULL;
}

/* Timers let the lead be for so long from when the next one is due. */
static const char *
extend(Decision *d)
{
	PoolLead   *lead = &d->item->lead;
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	TimestampTz from;
	TimestampTz due_at;
	PoolData	data;

	if (pool->extension_limit != POOL_NO_LIMIT &&
		lead->extensions >= pool->extension_limit)
		return "limit";
	pool_batch_open(d->batch, d->item, &data);
	(void) pool_rule_next(lead, &data, d->batch->now, &due_at);
	from = Max(d->batch->now, Max(due_at, lead->protected_until));
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
static const char *
perform(Decision *d)
{
	const PoolApproval *a = &d->approval;

	if (names_nobody(a))
		return "not_member";
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

/* ------------------------------------------------------------------------
 * approve, reject
 * ------------------------------------------------------------------------ */

static void
close_request(Decision *d, const char *status)
{
	pool_approval_close(d->batch->call->work, &d->item->lead, &d->approval,
						status, d->actor.member_id, d->note, d->batch->now);
}

/* A request nobody decided in time, or whose lead is elsewhere. */
static const char *
lapse(Decision *d)
{
	bool		live = pool_approval_is_live(&d->approval, &d->item->lead);

	d->note = (Datum) 0;
	d->actor.member_id = 0;
	close_request(d, live ? "expired" : "cancelled");
	return live ? "expired" : "cancelled";
}

static const char *
next_step(Decision *d, PoolApproval *next)
{
	PoolWork   *work = d->batch->call->work;

	pool_approval_update(work, next);
	if (pool_approval_is(next, "claim"))
		pool_approval_reserve(work, &d->item->lead, next);
	pool_approval_log(work, &d->item->lead, &d->approval, "approved",
					  d->actor.member_id, d->note, d->batch->now);
	pool_put(d->batch->call, APPROVE_STEP, Int32GetDatum(next->step));
	return "next_step";
}

/* The lead is locked; the outcome, and nothing has changed if it is refused. */
static const char *
approve_one(Decision *d)
{
	PoolCall   *call = d->batch->call;
	PoolApproval next = d->approval;
	const char *refusal;

	pool_batch_lock_counters(d->batch);
	if (!pool_approval_is_live(&d->approval, &d->item->lead) ||
		(pool_approval_is_over(&d->approval, d->batch->now) &&
		 !pool_approval_is_suggestion(&d->approval)))
		return lapse(d);
	if (!pool_approval_is_suggestion(&next) &&
		pool_approval_next_step(call->work, &d->item->lead, &next,
								d->batch->now))
		return next_step(d, &next);
	refusal = perform(d);
	if (refusal != NULL)
	{
		pool_put_text(call, APPROVE_REASON, refusal);
		return "refused";
	}
	close_request(d, "approved");
	return "approved";
}

static const char *
reject_one(Decision *d)
{
	pool_batch_lock_counters(d->batch);
	if (!pool_approval_is_live(&d->approval, &d->item->lead))
		return lapse(d);
	close_request(d, "rejected");
	return "rejected";
}

static void
require_level(const Decision *d)
{
	const PoolApproval *a = &d->approval;

	pool_require_manager(&d->actor, a->pool_id);
	if (pool_approval_may_decide(&d->actor, a->pool_id, a->min_level))
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_MANAGER_NEEDED),
			 errmsg("member \"%s\" may not decide this request",
					pool_config_member(d->actor.member_id)->key),
			 errdetail("Step %d of it needs a manager of level %d.",
					   a->step, a->min_level),
			 errhint("Ask a manager of that level, or one of a pool above.")));
}

/* Finds the request; the actor must have the right to decide it. */
static bool
find_request(PoolCall *call, Decision *d)
{
	if (!pool_approval_read(call->work, pool_arg_approval(call, 0),
							&d->approval) ||
		!pool_actor_sees(&d->actor, d->approval.tenant_id))
		return false;
	require_level(d);
	return true;
}

/*
 * Locks the lead and looks at the request again; false if it is not to be
 * decided any more, and then the outcome says why.
 */
static bool
lock_request(PoolCall *call, Decision *d)
{
	d->batch = pool_batch_begin(call, &d->actor, &d->approval.lead_id, 1,
								check_nothing, NULL);
	d->item = &d->batch->items[0];
	pool_batch_lock_leads(d->batch);
	if (d->item->outcome != NULL)
		return false;
	if (!pool_approval_read(call->work, d->approval.id, &d->approval) ||
		strcmp(d->approval.status, "open") != 0)
	{
		d->item->outcome = "already_decided";
		return false;
	}
	/* another step may be open by now */
	require_level(d);
	return true;
}

/* arguments: approval_id, note, actor, request_id */
static Datum
decide(PoolCall *call, const char *(*one) (Decision *d), bool acts)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	Decision	d = {.actor = pool_resolve_actor(fcinfo, 2),
	.note = pool_arg_datum(call, 1)};

	if (pool_request_replay(call, 3, d.actor.tenant_id))
		return pool_call_end(call);
	if (!find_request(call, &d))
	{
		pool_put_text(call, APPROVE_OUTCOME, "not_found");
		pool_call_row(call);
		return pool_call_end(call);
	}
	if (lock_request(call, &d))
	{
		if (acts)
			add_counters(&d);
		d.item->outcome = one(&d);
	}
	pool_batch_emit(d.batch, d.item, d.item->outcome);
	return pool_batch_end(d.batch);
}

/*
 * pool.approve(approval_id, note, actor, request_id)
 */
Datum
pool_approve(PG_FUNCTION_ARGS)
{
	return decide(pool_call_begin(fcinfo, "approve"), approve_one, true);
}

/*
 * pool.reject(approval_id, note, actor, request_id)
 */
Datum
pool_reject(PG_FUNCTION_ARGS)
{
	return decide(pool_call_begin(fcinfo, "reject"), reject_one, false);
}

/* ------------------------------------------------------------------------
 * A tick's task: requests whose time is over
 * ------------------------------------------------------------------------ */

/* A suggestion that nobody vetoed takes effect, if it still can. */
static void
let_lapse(Decision *d)
{
	pool_batch_lock_counters(d->batch);
	if (pool_approval_is_suggestion(&d->approval) &&
		pool_approval_is_live(&d->approval, &d->item->lead) &&
		perform(d) == NULL)
		close_request(d, "approved");
	else
		lapse(d);
}

/* False if somebody holds the lead just now, or has decided. */
static bool
run_request(int64 id, TimestampTz now)
{
	PoolCall	call = {0};
	Decision	d = {.actor = {0, 0}};
	bool		done = false;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	if (pool_approval_read(call.work, id, &d.approval))
	{
		d.actor.tenant_id = d.approval.tenant_id;
		d.batch = pool_batch_begin(&call, &d.actor, &d.approval.lead_id, 1,
								   check_nothing, NULL);
		d.item = &d.batch->items[0];
		pool_batch_lock_one(d.batch, d.item, false);
		done = d.item->outcome == NULL &&
			pool_approval_read(call.work, id, &d.approval) &&
			strcmp(d.approval.status, "open") == 0 &&
			pool_approval_is_over(&d.approval, now);
		if (done)
		{
			add_counters(&d);
			let_lapse(&d);
		}
		pool_quota_write(d.batch->set);
	}
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
	return done;
}

/*
 * The same in a subtransaction: one that fails is reported by its SQLSTATE
 * (what else the error says may be personal), and stops no other.
 */
static bool
try_request(int64 id, TimestampTz now)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		done = run_request(id, now);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("approval " INT64_FORMAT " could not be ended", id),
				 errdetail("SQLSTATE %s.",
						   unpack_sql_state(error->sqlerrcode)),
				 errhint("The others go on; it is tried again at the next tick.")));
		done = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

static int
collect_over(int64 *ids, int max, TimestampTz now)
{
	Oid			types[2] = {TIMESTAMPTZOID, INT4OID};
	Datum		values[2] = {TimestampTzGetDatum(now), Int32GetDatum(max)};
	PoolSql		sql = pool_sql_begin();
	int			n = pool_sql_run("SELECT id FROM pool.approval"
								 " WHERE status = 'open' AND expires_at <= $1"
								 " ORDER BY expires_at, id LIMIT $2",
								 2, types, values, NULL);

	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		ids[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
											 SPI_tuptable->tupdesc, 1,
											 &isnull));
	}
	pool_sql_end(sql);
	return n;
}

/* Ends up to max requests whose time is over at `now`. */
PoolTickResult
pool_decide_run(int max, TimestampTz now)
{
	PoolTickResult result = {0, false};
	int64	   *ids = palloc(max * sizeof(int64));
	int			n = collect_over(ids, max, now);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (try_request(ids[i], now))
			result.done++;
	}
	result.more = n == max && result.done > 0;
	pfree(ids);
	return result;
}
