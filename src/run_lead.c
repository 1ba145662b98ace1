/*
 * run_lead.c
 *	  What becomes of the leads of a run, chunk by chunk.
 *
 * Each lead goes to a deputy among its collaborators, else to the successor,
 * else to a pool.  Leads are locked without waiting, then all counters that
 * may be needed; without waiting, too, in a tick and where the transaction
 * holds some.  What others hold is left for another pass, and nothing else.
 */
#include "compat.h"
#include "run.h"

#include "access/xact.h"
#include "approval.h"
#include "assign.h"
#include "attempt.h"
#include "catalog/pg_type.h"
#include "collaborator.h"
#include "miscadmin.h"
#include "release.h"
#include "rule.h"
#include "rule_report.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

static const char *
check_his(void *arg, const PoolLead *lead)
{
	const PoolRun *run = arg;

	return lead->status == POOL_OWNED && lead->owner_id == run->member_id ?
		NULL : "not_owned";
}

static bool
is_contended(const PoolBatchItem *item)
{
	return item->outcome != NULL && strcmp(item->outcome, "contended") == 0;
}

/* Whether the run is about the lead; of what cannot be evaluated it is not. */
static bool
is_meant(PoolBatch *batch, PoolBatchItem *item, const PoolRun *run)
{
	PoolVerdict verdict;
	PoolData	data;

	if (run->condition.path == NULL)
		return true;
	pool_batch_open(batch, item, &data);
	verdict = pool_rule_judge(&run->condition,
							  pool_rule_document(&item->lead, &data,
												 batch->now), NULL);
	if (verdict == POOL_RULE_ERROR)
		pool_rule_report(POOL_KIND_RUN, (int32) run->id,
						 psprintf("%lld", (long long) run->id),
						 run->offboards ? "offboard" : "relocate");
	return verdict == POOL_MATCH;
}

/* Locks what nobody holds and the run is about. */
static void
lock_leads(PoolBatch *batch, const PoolRun *run)
{
	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		pool_batch_lock_one(batch, item, false);
		if (item->outcome == NULL && !is_meant(batch, item, run))
			item->outcome = "other";
	}
}

/* Who is no member of the pool has no counters there, and needs none. */
static bool
may_own(int32 pool_id, int32 member_id)
{
	return pool_config_find_member(member_id) != NULL &&
		pool_config_membership(pool_id, member_id)->role >= POOL_ROLE_MEMBER;
}

/* Who may receive the lead in its pool (member ids), the first one first. */
static List *
find_receivers(PoolWork *work, const PoolRun *run, const PoolLead *lead)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, pool_collaborators(work, lead->id))
	{
		PoolCollaborator *c = lfirst(lc);

		if (strcmp(c->role, "deputy") == 0 &&
			c->member_id != run->member_id &&
			may_own(lead->pool_id, c->member_id))
			result = lappend_int(result, c->member_id);
	}
	if (run->successor_id != 0 && may_own(lead->pool_id, run->successor_id))
		result = list_append_unique_int(result, run->successor_id);
	return result;
}

/* Whether the successor may have leads in the pool they are to go to. */
static bool
takes_elsewhere(const PoolRun *run)
{
	return run->successor_id != 0 && run->to_pool_id != 0 &&
		pool_config_find_pool(run->to_pool_id) != NULL &&
		may_own(run->to_pool_id, run->successor_id);
}

/*
 * Locks what the lead needs of counters without waiting; false if somebody
 * holds any of it.
 */
static bool
try_counters(PoolBatch *batch, const PoolBatchItem *item, const PoolRun *run,
			 List *receivers)
{
	int32		pool_id = item->lead.pool_id;
	ListCell   *lc;

	if (!pool_quota_try_lock(batch->set, pool_id, run->member_id, false))
		return false;
	foreach(lc, receivers)
	{
		if (!pool_quota_try_lock(batch->set, pool_id, lfirst_int(lc), true))
			return false;
	}
	return !takes_elsewhere(run) ||
		pool_quota_try_lock(batch->set, run->to_pool_id, run->successor_id,
							true);
}

/*
 * Names the counters of the member and of all who may receive; returns those
 * (member ids) by lead.
 */
static List **
name_counters(PoolBatch *batch, const PoolRun *run)
{
	List	  **receivers = palloc0(batch->n * sizeof(List *));
	bool		wait = run->waits && !pool_quota_any_held();

	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];
		ListCell   *lc;

		if (item->outcome != NULL)
			continue;
		receivers[i] = find_receivers(batch->call->work, run,
									  &item->lead);
		if (!wait && !try_counters(batch, item, run, receivers[i]))
		{
			item->outcome = "contended";
			continue;
		}
		pool_quota_add(batch->set, item->lead.pool_id, run->member_id, false);
		foreach(lc, receivers[i])
			pool_quota_add(batch->set, item->lead.pool_id, lfirst_int(lc),
						   true);
		if (takes_elsewhere(run))
			pool_quota_add(batch->set, run->to_pool_id, run->successor_id,
						   true);
	}
	return receivers;
}

static void
count_receipt(PoolRun *run, bool is_member, int32 id)
{
	PoolReceipt *receipt;
	ListCell   *lc;

	run->done++;
	foreach(lc, run->receipts)
	{
		receipt = lfirst(lc);
		if (receipt->is_member == is_member && receipt->id == id)
		{
			receipt->n++;
			return;
		}
	}
	receipt = palloc(sizeof(PoolReceipt));
	*receipt = (PoolReceipt)
	{
		is_member, id, 1
	};
	run->receipts = lappend(run->receipts, receipt);
}

static Datum
reason_of(const PoolRun *run)
{
	return CStringGetTextDatum(run->offboards ? "offboarding" : "relocation");
}

/* Passes the lead on, in its own pool or another; false if he cannot. */
static bool
hand_over(PoolBatch *batch, PoolBatchItem *item, PoolRun *run, int32 member_id,
		  const PoolConf *to_pool)
{
	PoolHanding h = {.actor = *batch->actor,.run_id = run->id,.approved = true};

	h.member = pool_config_member(member_id);
	h.to_pool = to_pool;
	h.reason = reason_of(run);
	h.together = member_id == run->successor_id;
	if (strcmp(pool_transfer_one(batch, &h, item), "transferred") == 0)
	{
		count_receipt(run, true, member_id);
		return true;
	}
	item->outcome = NULL;
	return false;
}

/* The lead goes to the first who can have it. */
static void
place(PoolBatch *batch, PoolBatchItem *item, PoolRun *run, List *receivers)
{
	const PoolConf *to_pool = run->to_pool_id == 0 ? NULL :
	pool_config_find_pool(run->to_pool_id);
	PoolEvent	event = {.kind = "released",.run_id = run->id};
	ListCell   *lc;

	foreach(lc, receivers)
	{
		if (hand_over(batch, item, run, lfirst_int(lc), NULL))
			return;
	}
	if (takes_elsewhere(run) &&
		hand_over(batch, item, run, run->successor_id, to_pool))
		return;
	event.actor_id = run->actor_id;
	event.reason = reason_of(run);
	pool_give_back(batch, item, to_pool, &event);
	count_receipt(run, false, item->lead.pool_id);
}

/* He helps with these leads no longer; they are locked like his own. */
static void
stop_helping(PoolBatch *batch, PoolBatchItem *item, PoolRun *run)
{
	PoolEvent	event = {.kind = "collaborator_removed"};
	PoolDetail	detail;
	PoolData	data;

	if (!pool_collaborator_remove(batch->call->work, item->id,
								  run->member_id))
		return;
	pool_batch_open(batch, item, &data);
	event.at = pool_lead_time(&item->lead, batch->now);
	event.member_id = run->member_id;
	event.actor_id = run->actor_id;
	event.reason = reason_of(run);
	pool_detail_begin(&detail);
	pool_detail_int(&detail, "run", run->id);
	event.detail = pool_detail_end(&detail);
	pool_event_append(batch->call->work, &event, &item->lead, &data);
}

/* Ids of the open requests about the lead that he made or that are for him. */
static List *
requests_of(const PoolRun *run, int64 lead_id)
{
	Oid			types[2] = {INT8OID, INT4OID};
	Datum		values[2] = {Int64GetDatum(lead_id),
	Int32GetDatum(run->member_id)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	uint64		n = pool_sql_run("SELECT id FROM pool.approval"
								 " WHERE lead_id = $1 AND status = 'open'"
								 " AND $2 IN (applicant_id, member_id)"
								 " ORDER BY id", 2, types, values, NULL);
	List	   *result = NIL;

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);
		int64	   *id = palloc(sizeof(int64));

		*id = pool_sql_int8(i, 1);
		result = lappend(result, id);
		MemoryContextSwitchTo(spi);
	}
	pool_sql_end(sql);
	return result;
}

/* What he asked for, or was to receive, is no longer asked for. */
static void
cancel_requests(PoolBatch *batch, PoolBatchItem *item, PoolRun *run)
{
	PoolWork   *work = batch->call->work;
	ListCell   *lc;

	foreach(lc, requests_of(run, item->id))
	{
		PoolEvent	event = {.kind = "cancelled",.actor_id = run->actor_id,
		.reason = reason_of(run)};
		PoolApproval a;

		if (!pool_approval_read(work, *(int64 *) lfirst(lc), &a))
			continue;
		pool_approval_close(work, &item->lead, &a, &event, batch->now);
		/* the next one may be about the same row */
		CommandCounterIncrement();
	}
}

static const char *
check_any(void *arg, const PoolLead *lead)
{
	return NULL;
}

/*
 * Leads of one customer go together: where one of them is held, the others wait
 * for it.
 */
static void
leave_siblings(PoolBatch *batch)
{
	for (int i = 0; i < batch->n; i++)
	{
		const PoolBatchItem *held = &batch->items[i];

		if (!is_contended(held) || held->lead.group_id == 0)
			continue;
		for (int j = 0; j < batch->n; j++)
		{
			PoolBatchItem *item = &batch->items[j];

			if (item->outcome == NULL &&
				item->lead.group_id == held->lead.group_id)
				item->outcome = "contended";
		}
	}
}

static int
count_contended(const PoolBatch *batch)
{
	int			n = 0;

	for (int i = 0; i < batch->n; i++)
		n += is_contended(&batch->items[i]);
	return n;
}

/* Handles these leads: his own, or those that he has to do with. */
static void
handle_leads(PoolRun *run, const int64 *ids, int n, TimestampTz now, bool own)
{
	PoolCall	call = {0};
	PoolActor	actor = {run->actor_id, run->tenant_id};
	PoolBatch  *batch;
	List	  **receivers;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	batch = pool_batch_begin(&call, &actor, ids, n,
							 own ? check_his : check_any, run);
	batch->now = now;
	lock_leads(batch, run);
	receivers = own ? name_counters(batch, run) : NULL;
	/* a step waits for no group either */
	batch->tries_groups = true;
	if (own)
		pool_batch_lock_counters(batch);
	if (own)
		leave_siblings(batch);
	run->skipped += count_contended(batch);
	batch->now = now;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (batch->items[i].outcome != NULL)
			continue;
		if (own)
			place(batch, &batch->items[i], run, receivers[i]);
		else
		{
			stop_helping(batch, &batch->items[i], run);
			cancel_requests(batch, &batch->items[i], run);
		}
	}
	pool_quota_write(batch->set);
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
}

/* ------------------------------------------------------------------------
 * All that can be handled
 * ------------------------------------------------------------------------ */

/* Leads of one step. */
typedef struct Chunk
{
	PoolRun    *run;
	const int64 *ids;
	TimestampTz now;
	bool		own;
} Chunk;

static List *
copy_receipts(const PoolRun *run)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, run->receipts)
	{
		PoolReceipt *copy = palloc(sizeof(PoolReceipt));

		*copy = *(PoolReceipt *) lfirst(lc);
		result = lappend(result, copy);
	}
	return result;
}

/* What a part has counted counts only if it was done. */
static void
handle_part(void *arg, int from, int n)
{
	Chunk	   *chunk = arg;
	PoolRun		run = *chunk->run;

	run.receipts = copy_receipts(chunk->run);
	handle_leads(&run, &chunk->ids[from], n, chunk->now, chunk->own);
	*chunk->run = run;
}

static void
report(const PoolRun *run, int64 lead_id, const ErrorData *error)
{
	pool_attempt_report(error, psprintf(pool_text("run %lld"),
										(long long) run->id), lead_id);
}

static void
skip_one(void *arg, int which, const ErrorData *error)
{
	Chunk	   *chunk = arg;

	report(chunk->run, chunk->ids[which], error);
	chunk->run->skipped++;
}

/* Leads of one customer go together, or the later ones find the group taken. */
static bool
is_of_same_customer(void *arg, int which)
{
	const Chunk *chunk = arg;
	PoolWork   *work;
	PoolTable  *leads;
	PoolLead	lead;
	PoolLead	before;
	bool		result;

	if (!chunk->own)
		return false;
	work = pool_work_begin_reading();
	leads = pool_work_table(work, POOL_LEAD_STATE);
	result = pool_lead_peek(leads, chunk->ids[which - 1], pool_snapshot(),
							&before) &&
		before.group_id != 0 &&
		pool_lead_peek(leads, chunk->ids[which], pool_snapshot(), &lead) &&
		lead.group_id == before.group_id;
	pool_work_end(work);
	return result;
}

/*
 * Handles these leads: his own, or others that he has to do with.  Those that
 * fail are reported and left for the next pass.  In a call, what cannot be done
 * before its transaction ends, and a lock timeout, are errors of the call.
 */
void
pool_run_leads(PoolRun *run, const int64 *ids, int n, TimestampTz now,
			   bool own)
{
	Chunk		chunk = {run, ids, now, own};
	PoolParts	parts = {&chunk, handle_part, skip_one, run->waits,
	is_of_same_customer};
	ErrorData  *error = pool_attempt_parts(&parts, n);

	if (error == NULL)
		return;
	if (run->waits && pool_attempt_is_passing(error->sqlerrcode))
		ReThrowError(error);
	report(run, 0, error);
	run->skipped++;
}
