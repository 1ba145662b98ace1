/*
 * timer.c
 *	  Leads that time acts on.
 *
 * A tick looks at leads whose check_at has come, skips those that somebody
 * holds just now, and judges each again under its lock.  It costs in
 * proportion to what is due.  The leads of one pool are handled in a
 * subtransaction of their own, so that a pool that fails stops no other.
 */
#include "compat.h"
#include "timer.h"

#include "access/xact.h"
#include "downtime.h"
#include "miscadmin.h"
#include "release.h"
#include "plan_run.h"
#include "timer_act.h"
#include "timer_approval.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* A lead whose check_at has come. */
typedef struct DueLead
{
	int64		id;
	int32		pool_id;
} DueLead;

/* Due leads that somebody holds just now. */
typedef struct HeldLeads
{
	int64	   *ids;
	int			n;
	int			size;
	bool		groups;			/* identity groups have been locked */
} HeldLeads;

/* ------------------------------------------------------------------------
 * Finding what is due
 * ------------------------------------------------------------------------ */

static bool
is_held(const HeldLeads *held, int64 id)
{
	for (int i = 0; i < held->n; i++)
		if (held->ids[i] == id)
			return true;
	return false;
}

static void
note_held(HeldLeads *held, int64 id)
{
	if (held->n == held->size)
	{
		held->size = Max(64, held->size * 2);
		held->ids = held->ids == NULL ?
			palloc(held->size * sizeof(int64)) :
			repalloc(held->ids, held->size * sizeof(int64));
	}
	held->ids[held->n++] = id;
}

static int
collect_due(PoolWork *work, TimestampTz now, List *failed,
			const HeldLeads *held, DueLead *due, int max)
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
		if (list_member_int(failed, pool_id) || is_held(held, due[n].id))
			continue;
		due[n].pool_id = pool_id;
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

/*
 * Locks the lead without waiting for it, and unless counters may be waited
 * for, those of its owner, if it has one, too.
 */
static void
lock_due(PoolBatch *batch, PoolBatchItem *item, bool wait)
{
	pool_batch_lock_one(batch, item, false);
	if (item->outcome == NULL && !wait && item->lead.owner_id != 0 &&
		!pool_quota_try_lock(batch->set, item->lead.pool_id,
							 item->lead.owner_id))
		item->outcome = "contended";
}

/* Remembers which leads others hold, and whether groups are locked now. */
static void
note_contended(PoolBatch *batch, HeldLeads *held)
{
	for (int i = 0; i < batch->n; i++)
	{
		const PoolBatchItem *item = &batch->items[i];

		if (item->outcome == NULL)
			held->groups |= item->lead.group_id != 0;
		else if (strcmp(item->outcome, "contended") == 0)
			note_held(held, item->id);
	}
}

/* Handles these leads of one pool; returns how many were judged. */
static int64
run_pool(const DueLead *due, int n, TimestampTz now, bool wait,
		 HeldLeads *held)
{
	PoolCall	call = {0};
	PoolActor	actor = {0};
	PoolTold	told = {0};
	PoolBatch  *batch;
	PoolReclaims reclaims = {0};
	DueCheck	check = {due[0].pool_id, now};
	int64	   *ids = palloc(n * sizeof(int64));
	int64		done = 0;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	actor.tenant_id = pool_config_pool(due[0].pool_id)->tenant_id;
	for (int i = 0; i < n; i++)
		ids[i] = due[i].id;
	batch = pool_batch_begin(&call, &actor, ids, n, check_due, &check);
	batch->reclaims = &reclaims;
	for (int i = 0; i < n; i++)
		lock_due(batch, &batch->items[i], wait);
	pool_batch_add_owners(batch);
	batch->tries_groups = true;
	pool_batch_lock_counters(batch);
	note_contended(batch, held);
	batch->now = now;
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
	pool_reclaims_record(&reclaims, pool_config_pool(due[0].pool_id), now);
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
	return done;
}

/* Locks that others held in another order: the next tick will do. */
static bool
is_passing(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* What the error says may be personal: its code has to do. */
static void
report_failure(int32 pool_id, int sqlerrcode)
{
	ereport(WARNING,
			(errcode(sqlerrcode),
			 errmsg("timers of pool %d failed", pool_id),
			 errdetail("SQLSTATE %s.", unpack_sql_state(sqlerrcode)),
			 errhint("The other pools go on; this one is tried again at "
					 "the next tick.")));
}

/*
 * The same in a subtransaction.  An error is reported, undone and remembered
 * in *failed; cancel and shutdown go through.
 */
static int64
try_pool(const DueLead *due, int n, TimestampTz now, bool wait, List **failed,
		 HeldLeads *held)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int64 done = 0;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (pool_brake_allows(pool_config_pool(due[0].pool_id), now))
			done = run_pool(due, n, now, wait, held);
		else
			*failed = lappend_int(*failed, due[0].pool_id);
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
		if (!is_passing(error->sqlerrcode))
			report_failure(due[0].pool_id, error->sqlerrcode);
		*failed = lappend_int(*failed, due[0].pool_id);
		done = 0;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

/*
 * Pool by pool: so counters are locked in order.  The next time in the same
 * transaction goes back to the first pool, and may not wait for counters;
 * neither may it once groups are locked, which come after all counters.
 */
static int64
run_due(DueLead *due, int n, TimestampTz now, List **failed, HeldLeads *held)
{
	bool		wait = !pool_quota_any_held();
	int64		done = 0;

	qsort(due, n, sizeof(DueLead), compare_due);
	for (int from = 0, to; from < n; from = to)
	{
		for (to = from + 1; to < n; to++)
			if (due[to].pool_id != due[from].pool_id)
				break;
		done += try_pool(&due[from], to - from, now, wait && !held->groups,
						 failed, held);
	}
	return done;
}

/*
 * Acts on up to max_leads leads that are due at `now`.  Where a pool fails or
 * leads are held by others, looks again without them, so that they do not
 * stand before the rest.
 */
PoolTickResult
pool_timer_run(int max_leads, TimestampTz now)
{
	PoolTickResult result = {0, false};
	DueLead    *due = palloc(max_leads * sizeof(DueLead));
	List	   *failed = NIL;
	HeldLeads	held = {0};
	int			n_before;
	int			n;

	if (!pool_downtime_note(now))
		return result;
	result.done = pool_timer_approvals(max_leads, now);
	max_leads -= result.done;
	do
	{
		PoolWork   *work = pool_work_begin_reading();

		n_before = list_length(failed) + held.n;
		n = collect_due(work, now, failed, &held, due, max_leads);
		pool_work_end(work);
		result.done += run_due(due, n, now, &failed, &held);
	} while (list_length(failed) + held.n > n_before);
	result.more = n == max_leads && result.done > 0;
	pfree(due);
	return result;
}
