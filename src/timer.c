/*
 * timer.c
 *	  Leads that time acts on.
 *
 * A tick looks at leads whose check_at has come, skips those that somebody
 * holds just now, and judges each again under its lock.  It costs in
 * proportion to what is due.  The leads of one pool are handled in a
 * subtransaction of their own, so that a pool that fails stops no other, and
 * a lead that fails no other lead.
 */
#include "compat.h"
#include "timer.h"

#include "access/xact.h"
#include "attempt.h"
#include "downtime.h"
#include "id_set.h"
#include "job.h"
#include "miscadmin.h"
#include "release.h"
#include "place.h"
#include "plan_run.h"
#include "timer_act.h"
#include "timer_approval.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* A lead whose check_at has come. */
typedef struct DueLead
{
	int64		id;
	int32		pool_id;
	ItemPointerData tid;
} DueLead;

/* What one look at what is due passes over. */
typedef struct Passed
{
	List	   *pools;			/* that failed, or whose timers rest */
	HTAB	   *leads;			/* ids of those that others hold, or that
								 * failed */
} Passed;

/* The leads of one pool that are due. */
typedef struct PoolTurn
{
	const DueLead *due;
	TimestampTz now;
	bool		wait;			/* counters may be waited for */
	bool		groups;			/* identity groups have been locked */
	bool		in_vain;		/* counters have been waited for */
	bool		rests;			/* the brake holds */
	PoolReclaims reclaims;
	int64		done;
	Passed	   *passed;
} PoolTurn;

/* ------------------------------------------------------------------------
 * Finding what is due
 * ------------------------------------------------------------------------ */

/* ids of leads that have failed in this transaction: once is enough */
static HTAB *failed_leads = NULL;
static FullTransactionId failed_in = {InvalidTransactionId};

static bool
has_failed(int64 lead_id)
{
	return FullTransactionIdIsValid(failed_in) &&
		FullTransactionIdEquals(failed_in, GetTopFullTransactionIdIfAny()) &&
		pool_ids_has(failed_leads, lead_id);
}

static void
note_failed(int64 lead_id)
{
	if (!FullTransactionIdEquals(failed_in, GetTopFullTransactionId()))
		failed_leads = pool_ids_create(TopTransactionContext, 64);
	failed_in = GetTopFullTransactionId();
	(void) pool_ids_add(failed_leads, lead_id);
}

static bool
is_passed(const Passed *passed, int32 pool_id, int64 lead_id)
{
	return list_member_int(passed->pools, pool_id) || has_failed(lead_id) ||
		pool_ids_has(passed->leads, lead_id);
}

static void
pass_over(Passed *passed, int64 lead_id)
{
	(void) pool_ids_add(passed->leads, lead_id);
}

static int64
count_passed(const Passed *passed)
{
	return list_length(passed->pools) + hash_get_num_entries(passed->leads);
}

static int
collect_due(PoolWork *work, TimestampTz now, const Passed *passed,
			DueLead *due, int max)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan;
	ScanKeyData key;
	int			n = 0;

	ScanKeyInit(&key, 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(now));
	scan = pool_index_beginscan(leads->rel,
								pool_work_index(leads, POOL_LEAD_STATE_TIMER),
								snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	while (n < max && index_getnext_slot(scan, ForwardScanDirection,
										 leads->old))
	{
		bool		isnull;
		int32		pool_id = DatumGetInt32(slot_getattr(leads->old,
														 LEAD_STATE_POOL_ID,
														 &isnull));

		CHECK_FOR_INTERRUPTS();
		due[n].id = DatumGetInt64(slot_getattr(leads->old, LEAD_STATE_ID,
											   &isnull));
		if (is_passed(passed, pool_id, due[n].id))
			continue;
		due[n].pool_id = pool_id;
		due[n].tid = leads->old->tts_tid;
		n++;
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return n;
}

static int
compare_due(const void *a, const void *b)
{
	const DueLead *x = a;
	const DueLead *y = b;

	if (x->pool_id != y->pool_id)
		return x->pool_id < y->pool_id ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* ------------------------------------------------------------------------
 * One pool, all pools
 * ------------------------------------------------------------------------ */

/* What leads of one pool are due by. */
typedef struct DueCheck
{
	int32		pool_id;
	TimestampTz now;
} DueCheck;

/*
 * A lead that has just come from another pool waits for a look of its own: the
 * brake and the record of reclaims are of one pool.
 */
static const char *
check_due(void *arg, const PoolLead *lead)
{
	const DueCheck *check = arg;

	return pool_lead_is_open(lead) && lead->pool_id == check->pool_id &&
		lead->check_at != POOL_NO_TIME && lead->check_at <= check->now ?
		NULL : "not_due";
}

/* The owners of locked leads, ascending (member ids). */
static List *
owners_of(const PoolBatch *batch)
{
	List	   *owners = NIL;

	for (int i = 0; i < batch->n; i++)
	{
		const PoolBatchItem *item = &batch->items[i];

		if (item->outcome == NULL && item->lead.owner_id != 0)
			owners = lappend_int(owners, item->lead.owner_id);
	}
	list_sort(owners, list_int_cmp);
	return owners;
}

/*
 * Locks the counters of all owners without waiting.  Where somebody else holds
 * an owner's counters, his leads are left for later.
 */
static void
try_owners(PoolBatch *batch, int32 pool_id)
{
	List	   *busy = NIL;
	int32		tried = 0;
	ListCell   *lc;

	foreach(lc, owners_of(batch))
	{
		if (lfirst_int(lc) != tried &&
			!pool_quota_try_lock(batch->set, pool_id, lfirst_int(lc),
								 false))
			busy = lappend_int(busy, lfirst_int(lc));
		tried = lfirst_int(lc);
	}
	if (busy == NIL)
		return;
	for (int i = 0; i < batch->n; i++)
		if (batch->items[i].outcome == NULL &&
			list_member_int(busy, batch->items[i].lead.owner_id))
			batch->items[i].outcome = "contended";
}

/* Remembers which leads others hold, and whether groups are locked now. */
static void
note_contended(PoolBatch *batch, PoolTurn *turn)
{
	for (int i = 0; i < batch->n; i++)
	{
		const PoolBatchItem *item = &batch->items[i];

		if (item->outcome == NULL)
			turn->groups |= item->lead.group_id != 0;
		else if (strcmp(item->outcome, "contended") == 0)
			pass_over(turn->passed, item->id);
	}
}

/* Handles these leads of one pool; returns how many were judged. */
static int64
run_leads(PoolTurn *turn, const DueLead *due, int n)
{
	PoolCall	call = {0};
	PoolActor	actor = {0};
	PoolTold	told = {0};
	PoolBatch  *batch;
	DueCheck	check = {due[0].pool_id, turn->now};
	int64	   *ids = palloc(n * sizeof(int64));
	int64		done = 0;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	actor.tenant_id = pool_config_pool(due[0].pool_id)->tenant_id;
	for (int i = 0; i < n; i++)
	{
		ids[i] = due[i].id;
		pool_place_note(pool_work_table(call.work, POOL_LEAD_STATE),
						due[i].id, &due[i].tid);
	}
	batch = pool_batch_begin(&call, &actor, ids, n, check_due, &check);
	batch->reclaims = &turn->reclaims;
	for (int i = 0; i < n; i++)
		pool_batch_lock_one(batch, &batch->items[i], false);
	/* unless they may be waited for, see below */
	if (!turn->wait)
		try_owners(batch, due[0].pool_id);
	pool_batch_add_owners(batch);
	batch->tries_groups = true;
	pool_batch_lock_counters(batch);
	note_contended(batch, turn);
	batch->now = turn->now;
	/* as in pool_due_check_at: new rules, now that there is a transaction id */
	pool_config_refresh();
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (batch->items[i].outcome != NULL)
			continue;
		pool_timer_act(batch, &batch->items[i], &told);
		done++;
	}
	pool_quota_write(batch->set);
	pool_reclaims_record(&turn->reclaims,
						 pool_config_pool(due[0].pool_id), turn->now);
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
	return done;
}

/*
 * The same for a part of them, unless the brake holds.  The next part may have
 * counters that come before those that are held now.
 */
static void
run_part(void *arg, int from, int n)
{
	PoolTurn   *turn = arg;
	PoolTurn	part = *turn;

	part.rests = !pool_brake_allows(pool_config_pool(turn->due[0].pool_id),
									turn->now);
	if (!part.rests)
		part.done += run_leads(&part, &turn->due[from], n);
	part.wait = false;
	*turn = part;
}

static void
report(const PoolTurn *turn, int64 lead_id, const ErrorData *error)
{
	pool_attempt_report(error, psprintf(pool_text("timers of pool %d"),
										turn->due[0].pool_id), lead_id);
}

static void
leave_out(void *arg, int which, const ErrorData *error)
{
	PoolTurn   *turn = arg;

	pass_over(turn->passed, turn->due[which].id);
	note_failed(turn->due[which].id);
	report(turn, turn->due[which].id, error);
}

/* What crashes the server is not tried for ever: see job. */
static void
report_left_alone(int32 pool_id)
{
	ereport(WARNING,
			(errcode(ERRCODE_CRASH_SHUTDOWN),
			 errmsg("timers of pool %d are left alone", pool_id),
			 errdetail("They have crashed the server several times in a row."),
			 errhint("The other pools go on.  When the cause is mended, call "
					 "pool.resume().")));
}

/*
 * Counters that were not released before lock_timeout are not waited for again:
 * their owners' leads, and no others, are passed over.
 */
static ErrorData *
try_pool(PoolTurn *turn, int n)
{
	PoolParts	parts = {.arg = turn,.work = run_part,.failed = leave_out,
	.waits = turn->wait};
	ErrorData  *error = pool_attempt_parts(&parts, n);

	if (error == NULL || !turn->wait ||
		!pool_attempt_is_passing(error->sqlerrcode))
		return error;
	turn->wait = parts.waits = false;
	turn->in_vain = true;
	return pool_attempt_parts(&parts, n);
}

/*
 * Handles the leads of one pool.  Those that fail are reported and passed over;
 * where too many do, the whole pool is.
 */
static void
run_pool(PoolTurn *turn, int n)
{
	int32		pool_id = turn->due[0].pool_id;
	ErrorData  *error;

	if (!pool_job_begin_pool(pool_id))
	{
		report_left_alone(pool_id);
		turn->passed->pools = lappend_int(turn->passed->pools, pool_id);
		return;
	}
	error = try_pool(turn, n);
	pool_job_end_pool();
	if (error != NULL)
		report(turn, 0, error);
	if (error != NULL || turn->rests)
		turn->passed->pools = lappend_int(turn->passed->pools, pool_id);
}

/*
 * Goes pool by pool, so that counters are locked in order.  A second time in the
 * same transaction begins with the first pool again, so it must not wait for
 * counters; nor must it once groups are locked, which come after all counters.
 */
static int64
run_due(DueLead *due, int n, TimestampTz now, Passed *passed)
{
	bool		wait = !pool_quota_any_held();
	int64		done = 0;

	qsort(due, n, sizeof(DueLead), compare_due);
	for (int from = 0, to; from < n; from = to)
	{
		PoolTurn	turn = {&due[from], now, wait,.passed = passed};

		for (to = from + 1; to < n; to++)
			if (due[to].pool_id != due[from].pool_id)
				break;
		run_pool(&turn, to - from);
		done += turn.done;
		wait &= !turn.groups && !turn.in_vain;
	}
	return done;
}

/*
 * Acts on up to max_leads leads that are due at `now`.  Where a pool or leads
 * fail or are held by others, looks again without them, so that they do not
 * stand before the rest.
 */
PoolTickResult
pool_timer_run(int max_leads, TimestampTz now)
{
	PoolTickResult result = {0, false};
	DueLead    *due = palloc(max_leads * sizeof(DueLead));
	Passed		passed = {NIL, pool_ids_create(CurrentMemoryContext, 64)};
	int64		n_before;
	int			left;
	int			n;

	if (!pool_downtime_note(now))
		return result;
	result.done = pool_timer_approvals(max_leads, now);
	do
	{
		PoolWork   *work = pool_work_begin_reading();

		n_before = count_passed(&passed);
		left = max_leads - (int) result.done;
		n = collect_due(work, now, &passed, due, left);
		pool_work_end(work);
		result.done += run_due(due, n, now, &passed);
	} while (count_passed(&passed) > n_before && result.done < max_leads);
	result.more = n == left && result.done > 0;
	hash_destroy(passed.leads);
	pfree(due);
	return result;
}
