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

#include "attempt.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "errors.h"
#include "group.h"
#include "id_set.h"
#include "intake.h"
#include "miscadmin.h"
#include "perform.h"
#include "request.h"
#include "sql.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_approve);
PG_FUNCTION_INFO_V1(pool_reject);

/* columns of approve() */
enum
{
	APPROVE_OUTCOME, APPROVE_LEAD_ID, APPROVE_KEY, APPROVE_REASON,
	APPROVE_STEP
};

static const char *
check_nothing(void *arg, const PoolLead *lead)
{
	return NULL;
}

/* ------------------------------------------------------------------------
 * approve, reject
 * ------------------------------------------------------------------------ */

static void
close_request(PoolDecision *d, const char *status)
{
	PoolEvent	event = {.kind = status,.actor_id = d->actor.member_id,
	.reason = d->note};

	pool_approval_close(d->batch->call->work, &d->item->lead, &d->approval,
						&event, d->batch->now);
}

/* A request nobody decided in time, or whose lead is elsewhere. */
static const char *
lapse(PoolDecision *d)
{
	return pool_approval_lapse(d->batch->call->work, &d->item->lead,
							   &d->approval, d->batch->now);
}

static const char *
next_step(PoolDecision *d, PoolApproval *next)
{
	PoolWork   *work = d->batch->call->work;
	PoolEvent	event = {.kind = "approved",.actor_id = d->actor.member_id,
	.reason = d->note};

	pool_approval_update(work, next);
	if (pool_approval_is(next, "claim"))
		pool_approval_reserve(work, &d->item->lead, next);
	pool_approval_log(work, &d->item->lead, &d->approval, &event,
					  d->batch->now);
	pool_put(d->batch->call, APPROVE_STEP, Int32GetDatum(next->step));
	return "next_step";
}

/* The lead is locked; the outcome, and nothing has changed if it is refused. */
static const char *
approve_one(PoolDecision *d)
{
	PoolCall   *call = d->batch->call;
	PoolApproval next = d->approval;
	const char *refusal;

	pool_batch_lock_counters(d->batch);
	if (!pool_approval_is_live(&d->approval, &d->item->lead,
							   d->batch->now) ||
		(pool_approval_is_over(&d->approval, d->batch->now) &&
		 !pool_approval_is_suggestion(&d->approval)))
		return lapse(d);
	if (!pool_approval_is_suggestion(&next) &&
		pool_approval_next_step(call->work, &d->item->lead, &next,
								d->batch->now))
		return next_step(d, &next);
	/* as for whoever would do it himself */
	if (d->approval.to_pool_id != 0 &&
		!pool_approval_is(&d->approval, "release") &&
		!pool_names_nobody(&d->approval))
		pool_require_manager(&d->actor, d->approval.to_pool_id);
	refusal = pool_perform(d);
	if (refusal != NULL)
	{
		pool_put_text(call, APPROVE_REASON, refusal);
		return "refused";
	}
	close_request(d, "approved");
	return "approved";
}

static const char *
reject_one(PoolDecision *d)
{
	pool_batch_lock_counters(d->batch);
	if (!pool_approval_is_live(&d->approval, &d->item->lead, d->batch->now))
		return lapse(d);
	close_request(d, "rejected");
	return "rejected";
}

static void
require_level(const PoolDecision *d)
{
	const PoolApproval *a = &d->approval;

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

/* Finds the request; the actor must manage its pool. */
static bool
find_request(PoolCall *call, PoolDecision *d)
{
	if (!pool_approval_read(call->work, pool_arg_approval(call, 0),
							&d->approval) ||
		!pool_actor_sees(&d->actor, d->approval.tenant_id))
		return false;
	pool_require_manager(&d->actor, d->approval.pool_id);
	return true;
}

/*
 * Whether the actor has approved an earlier step: each needs another pair of
 * eyes, and a repeated call must not go on to the next one.  All who act for no
 * member count as one person: nobody can tell them apart.
 */
static bool
has_approved(const PoolDecision *d)
{
	Oid			types[4] = {INT8OID, INT4OID, INT8OID, TIMESTAMPTZOID};
	Datum		values[4] = {Int64GetDatum(d->approval.lead_id),
		Int32GetDatum(d->actor.member_id), Int64GetDatum(d->approval.id),
	TimestampTzGetDatum(d->approval.created_at)};
	PoolSql		sql;
	bool		found;

	sql = pool_sql_begin();
	found = pool_sql_run("SELECT FROM pool.event WHERE lead_id = $1"
						 " AND kind = 'approved'"
						 " AND actor_id IS NOT DISTINCT FROM nullif($2, 0)"
						 " AND (detail ->> 'approval')::bigint = $3"
						 " AND at >= $4 LIMIT 1",
						 4, types, values, NULL) > 0;
	pool_sql_end(sql);
	return found;
}

/*
 * Locks the lead and looks at the request again; false if it is not to be
 * decided any more, and then the outcome says why.
 */
static bool
lock_request(PoolCall *call, PoolDecision *d, bool approves)
{
	d->batch = pool_batch_begin(call, &d->actor, &d->approval.lead_id, 1,
								check_nothing, NULL);
	d->item = &d->batch->items[0];
	pool_batch_lock_leads(d->batch);
	if (d->item->outcome != NULL)
		return false;
	if (!pool_approval_read(call->work, d->approval.id, &d->approval) ||
		strcmp(d->approval.status, "open") != 0 ||
		(approves && has_approved(d)))
	{
		d->item->outcome = "already_decided";
		return false;
	}
	require_level(d);
	return true;
}

/* arguments: approval_id, note, actor, request_id */
static Datum
decide(PoolCall *call, const char *(*one) (PoolDecision *d), bool approves)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	PoolDecision d = {.actor = pool_resolve_actor(fcinfo, 2),
	.note = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH, "note")};
	const char *outcome;

	if (pool_request_replay(call, 3, d.actor.tenant_id))
		return pool_call_end(call);
	if (!find_request(call, &d))
	{
		pool_put_text(call, APPROVE_OUTCOME, "not_found");
		pool_call_row(call);
		return pool_call_end(call);
	}
	if (lock_request(call, &d, approves))
	{
		if (approves)
			pool_perform_add_counters(&d);
		outcome = one(&d);
	}
	else
		outcome = d.item->outcome;
	pool_batch_emit(d.batch, d.item, outcome);
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

/*
 * Locks the counters of whoever is to receive the lead, but does not wait for
 * them: a tick may hold others' already.  False if somebody has them.
 */
static bool
try_counters(PoolDecision *d)
{
	const PoolApproval *a = &d->approval;
	PoolQuotaSet *set = d->batch->set;
	int32		pool_id = a->to_pool_id != 0 ? a->to_pool_id : a->pool_id;

	if (pool_names_nobody(a))
		return true;
	if (!pool_quota_try_lock(set, pool_id, a->member_id, true))
		return false;
	pool_perform_add_counters(d);
	return true;
}

/* False if somebody is deciding on a lead of the same customer just now. */
static bool
try_group(const PoolDecision *d)
{
	return pool_group_try(d->batch->call->work, d->item->lead.group_id,
						  d->approval.member_id) != POOL_GROUP_BUSY;
}

/*
 * A suggestion that nobody vetoed takes effect, if it still can.  False if
 * that must wait for the next tick.
 */
static bool
let_lapse(PoolDecision *d)
{
	bool		takes_effect = pool_approval_is_suggestion(&d->approval) &&
	pool_approval_is_live(&d->approval, &d->item->lead, d->batch->now);

	if (takes_effect && (!try_counters(d) || !try_group(d)))
		return false;
	pool_batch_lock_counters(d->batch);
	if (takes_effect && pool_perform(d) == NULL)
		close_request(d, "approved");
	else
		lapse(d);
	return true;
}

/* False if somebody holds what it needs just now, or has decided. */
static bool
run_request(int64 id, TimestampTz now)
{
	PoolCall	call = {0};
	PoolDecision d = {.actor = {0, 0}};
	bool		done = false;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	if (pool_approval_read(call.work, id, &d.approval))
	{
		d.actor.tenant_id = d.approval.tenant_id;
		d.batch = pool_batch_begin(&call, &d.actor, &d.approval.lead_id, 1,
								   check_nothing, NULL);
		d.item = &d.batch->items[0];
		d.batch->tries_groups = true;
		pool_batch_lock_one(d.batch, d.item, false);
		done = d.item->outcome == NULL &&
			pool_approval_read(call.work, id, &d.approval) &&
			strcmp(d.approval.status, "open") == 0 &&
			pool_approval_is_over(&d.approval, now) && let_lapse(&d);
		pool_quota_write(d.batch->set);
	}
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
	return done;
}

/* A request to be ended. */
typedef struct Ending
{
	int64		id;
	TimestampTz now;
	bool		done;
} Ending;

static void
end_request(void *arg)
{
	Ending	   *ending = arg;

	ending->done = run_request(ending->id, ending->now);
}

/* One that fails stops no other. */
static bool
try_request(int64 id, TimestampTz now)
{
	Ending		ending = {id, now, false};
	ErrorData  *error = pool_attempt(end_request, &ending);

	if (error == NULL)
		return ending.done;
	pool_attempt_report(error, psprintf(pool_text("end of approval %lld"),
										(long long) id), 0);
	return false;
}

/* A request whose time is over. */
typedef struct OverRequest
{
	int64		id;
	TimestampTz expires_at;
} OverRequest;

/* Those whose time was over first; of one moment, in the order asked. */
static int
compare_over(const void *a, const void *b)
{
	const OverRequest *x = a;
	const OverRequest *y = b;

	if (x->expires_at != y->expires_at)
		return x->expires_at < y->expires_at ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Finds up to max of them, but for those that have been tried. */
static int
collect_over(OverRequest *over, int max, TimestampTz now, HTAB *tried)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *table = pool_work_table(work, POOL_APPROVAL);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan;
	ScanKeyData key;
	int			n = 0;

	ScanKeyInit(&key, 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(now));
	scan = pool_index_beginscan(table->rel,
								pool_work_index(table, POOL_APPROVAL_EXPIRES),
								snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	while (n < max && index_getnext_slot(scan, ForwardScanDirection,
										 table->old))
	{
		bool		isnull;

		over[n].id = DatumGetInt64(slot_getattr(table->old, APPROVAL_ID,
												&isnull));
		if (pool_ids_has(tried, over[n].id))
			continue;
		over[n++].expires_at =
			DatumGetTimestampTz(slot_getattr(table->old, APPROVAL_EXPIRES_AT,
											 &isnull));
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	qsort(over, n, sizeof(OverRequest), compare_over);
	return n;
}

/*
 * Ends up to max requests whose time is over at `now`: where there is no room
 * for all that are suggested, the first has it.  Where some fail or are held by
 * others, looks again without them, so that they do not stand before the rest.
 */
PoolTickResult
pool_decide_run(int max, TimestampTz now)
{
	PoolTickResult result = {0, false};
	OverRequest *over;
	HTAB	   *tried;
	int			left;
	int			n;

	if (pool_index_unused(POOL_APPROVAL_EXPIRES))
		return result;
	over = palloc(max * sizeof(OverRequest));
	tried = pool_ids_create(CurrentMemoryContext, 64);
	do
	{
		left = max - (int) result.done;
		n = collect_over(over, left, now, tried);
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			(void) pool_ids_add(tried, over[i].id);
			if (try_request(over[i].id, now))
				result.done++;
		}
	} while (n == left && result.done < max);
	result.more = n == left;
	hash_destroy(tried);
	pfree(over);
	return result;
}
