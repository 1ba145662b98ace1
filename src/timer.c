/*
 * timer.c
 *	  Leads that time acts on: reminders and reclaims.
 *
 * A tick looks at leads whose check_at has come, skips those that somebody
 * holds just now, and judges each again under its lock.  It costs in
 * proportion to what is due.  The leads of one pool are handled in a
 * subtransaction of their own, so that a pool that fails stops no other.
 */
#include "compat.h"
#include "timer.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "due.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "release.h"
#include "rule.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pool_next_timer);

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

/* A reminder already sent in the present spell. */
typedef struct Sent
{
	int32		rule_id;
	char	   *before;
	TimestampTz at;
} Sent;

/* One lead under judgement. */
typedef struct Judgement
{
	PoolBatch  *batch;
	PoolBatchItem *item;
	const PoolConf *pool;
	PoolData	data;
	Jsonb	   *document;		/* made when a condition needs it */
	List	   *sent;
	const PoolTimerRule *acting;	/* NULL = none */
	TimestampTz acting_due;
	TimestampTz next;			/* when to look again */
} Judgement;

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
 * Judging one lead
 * ------------------------------------------------------------------------ */

/* The same whatever the session's IntervalStyle: was_sent() compares it. */
static char *
interval_text(const Interval *span)
{
	struct pg_itm parts;
	char		buffer[MAXDATELEN + 1];

	interval2itm(*span, &parts);
	EncodeInterval(&parts, INTSTYLE_POSTGRES, buffer);
	return pstrdup(buffer);
}

static char *
detail_text(Jsonb *detail, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *found = getKeyJsonValueFromContainer(&detail->root, key,
													 strlen(key), &buffer);

	if (found == NULL || found->type != jbvString)
		return NULL;
	return pnstrdup(found->val.string.val, found->val.string.len);
}

/* The reminders sent since the present spell began, from the log. */
static List *
read_sent(PoolWork *work, const PoolLead *lead)
{
	PoolTable  *events = pool_work_table(work, POOL_EVENT);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(events->rel,
										 pool_work_index(events, POOL_EVENT_PKEY),
										 snapshot, &pool_key_int8(lead->id),
										 1);
	List	   *result = NIL;

	while (index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		char	   *kind = TextDatumGetCString(slot_getattr(events->old,
															EVENT_KIND,
															&isnull));
		Sent	   *sent;
		Datum		detail;

		if (strcmp(kind, "claimed") == 0 || strcmp(kind, "assigned") == 0 ||
			strcmp(kind, "transferred") == 0)
			break;
		if (strcmp(kind, "reminded") != 0)
			continue;
		sent = palloc0(sizeof(Sent));
		sent->rule_id = DatumGetInt32(slot_getattr(events->old, EVENT_RULE_ID,
												   &isnull));
		sent->at = DatumGetTimestampTz(slot_getattr(events->old, EVENT_AT,
													&isnull));
		detail = slot_getattr(events->old, EVENT_DETAIL, &isnull);
		if (!isnull)
			sent->before = detail_text(DatumGetJsonbP(detail), "before");
		result = lappend(result, sent);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

/* When this rule first warned in the present spell; NO_TIME = not yet. */
static TimestampTz
warned_at(const Judgement *j, const PoolTimerRule *rule)
{
	TimestampTz result = POOL_NO_TIME;
	ListCell   *lc;

	foreach(lc, j->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->rule_id == rule->id &&
			(result == POOL_NO_TIME || sent->at < result))
			result = sent->at;
	}
	return result;
}

static bool
was_sent(const Judgement *j, const PoolTimerRule *rule, const char *before)
{
	ListCell   *lc;

	foreach(lc, j->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->rule_id == rule->id && sent->before != NULL &&
			strcmp(sent->before, before) == 0)
			return true;
	}
	return false;
}

static bool
condition_holds(Judgement *j, const PoolTimerRule *rule)
{
	if (rule->condition.path == NULL)
		return true;
	if (j->document == NULL)
		j->document = pool_rule_document(&j->item->lead, &j->data,
										 j->batch->now);
	return pool_rule_matches(&rule->condition, j->document);
}

static void
look_again(Judgement *j, TimestampTz at)
{
	if (j->next == POOL_NO_TIME || at < j->next)
		j->next = at;
}

static void
remind(Judgement *j, const PoolTimerRule *rule, TimestampTz due_at,
	   const char *before)
{
	PoolEvent	event = {.kind = "reminded",.rule_id = rule->id};
	PoolLead   *lead = &j->item->lead;
	PoolDetail	detail;
	Sent	   *sent = palloc0(sizeof(Sent));

	event.at = pool_lead_time(lead, j->batch->now);
	event.member_id = lead->owner_id;
	pool_detail_begin(&detail);
	pool_detail_time(&detail, "due_at", due_at);
	pool_detail_text(&detail, "before", before, strlen(before));
	event.detail = pool_detail_end(&detail);
	pool_event_append(j->batch->call->work, &event, lead, &j->data);
	sent->rule_id = rule->id;
	sent->before = pstrdup(before);
	sent->at = event.at;
	j->sent = lappend(j->sent, sent);
}

/*
 * How long before the deadline the last warning is to come; a rule that
 * requires notice and names none warns one tick before.
 */
static TimestampTz
notice_over(const Judgement *j, const PoolTimerRule *rule)
{
	TimestampTz result = POOL_NO_TIME;
	TimestampTz from = warned_at(j, rule);

	for (int i = 0; i < rule->n_remind; i++)
	{
		TimestampTz at = pool_time_add(from, &rule->remind_before[i],
									   j->pool->zone);

		if (result == POOL_NO_TIME || at < result)
			result = at;
	}
	return result == POOL_NO_TIME ? from : result;
}

static void
judge_reminders(Judgement *j, const PoolTimerRule *rule, TimestampTz due_at)
{
	for (int i = 0; i < rule->n_remind; i++)
	{
		TimestampTz at = pool_time_subtract(due_at, &rule->remind_before[i],
											j->pool->zone);
		char	   *before = interval_text(&rule->remind_before[i]);

		if (was_sent(j, rule, before))
			continue;
		if (at <= j->batch->now)
			remind(j, rule, due_at, before);
		else
			look_again(j, at);
	}
}

static void
judge_rule(Judgement *j, const PoolTimerRule *rule)
{
	TimestampTz due_at;

	if (!pool_due_at(&j->item->lead, j->pool, rule, &due_at))
		return;
	if (!condition_holds(j, rule))
	{
		if (rule->condition.on_time)
			look_again(j, pool_rule_next_idle_day(&j->item->lead,
												  j->batch->now));
		return;
	}
	if (rule->notice_required && due_at <= j->batch->now)
	{
		if (warned_at(j, rule) == POOL_NO_TIME)
			return;				/* to be warned of first */
		due_at = Max(due_at, notice_over(j, rule));
	}
	if (due_at > j->batch->now)
		look_again(j, due_at);
	else if (j->acting == NULL || due_at < j->acting_due)
	{
		j->acting = rule;
		j->acting_due = due_at;
	}
}

/* Sends the warnings of this rule that are due; no rule acts on the lead. */
static void
warn_of_rule(Judgement *j, const PoolTimerRule *rule)
{
	TimestampTz due_at;

	if (!pool_due_at(&j->item->lead, j->pool, rule, &due_at) ||
		!condition_holds(j, rule))
		return;
	if (due_at > j->batch->now)
		judge_reminders(j, rule, due_at);
	else if (rule->notice_required && warned_at(j, rule) == POOL_NO_TIME)
	{
		remind(j, rule, due_at,
			   rule->n_remind > 0 ? interval_text(&rule->remind_before[0]) :
			   "0");
		/* never in the tick that warned */
		look_again(j, Max(notice_over(j, rule), j->batch->now + 1));
	}
}

/* Judges a locked lead and acts on it; its owner's counters are locked. */
static void
act_on_lead(PoolBatch *batch, PoolBatchItem *item)
{
	Judgement	j = {.batch = batch,.item = item,.next = POOL_NO_TIME};
	PoolWork   *work = batch->call->work;
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);

	j.pool = pool_config_pool(item->lead.pool_id);
	pool_batch_open(batch, item, &j.data);
	j.sent = read_sent(work, &item->lead);
	for (int i = 0; i < j.pool->n_rules; i++)
		judge_rule(&j, &j.pool->rules[i]);
	for (int i = 0; j.acting == NULL && i < j.pool->n_rules; i++)
		warn_of_rule(&j, &j.pool->rules[i]);
	if (j.acting != NULL)
	{
		PoolEvent	event = {.kind = "reclaimed",.rule_id = j.acting->id};

		event.reason = CStringGetTextDatum(j.acting->name);
		pool_give_back(batch, item,
					   j.acting->to_pool_id != 0 ?
					   pool_config_pool(j.acting->to_pool_id) : NULL, &event);
		return;
	}
	pool_lead_reload(leads, &item->lead);
	item->lead.check_at = j.next;
	pool_lead_note(leads, &item->lead);
}

/* ------------------------------------------------------------------------
 * One pool, all pools
 * ------------------------------------------------------------------------ */

static const char *
check_due(void *arg, const PoolLead *lead)
{
	TimestampTz now = *(TimestampTz *) arg;

	return lead->status == POOL_OWNED && lead->check_at != POOL_NO_TIME &&
		lead->check_at <= now ? NULL : "not_due";
}

/*
 * Locks the lead without waiting for it, and unless counters may be waited
 * for, the owner's too.
 */
static void
lock_due(PoolBatch *batch, PoolBatchItem *item, bool wait)
{
	pool_batch_lock_one(batch, item, false);
	if (item->outcome == NULL && !wait &&
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
	PoolBatch  *batch;
	int64	   *ids = palloc(n * sizeof(int64));
	int64		done = 0;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	actor.tenant_id = pool_config_pool(due[0].pool_id)->tenant_id;
	for (int i = 0; i < n; i++)
		ids[i] = due[i].id;
	batch = pool_batch_begin(&call, &actor, ids, n, check_due, &now);
	for (int i = 0; i < n; i++)
		lock_due(batch, &batch->items[i], wait);
	pool_batch_add_owners(batch);
	batch->tries_groups = true;
	pool_batch_lock_counters(batch);
	note_contended(batch, held);
	batch->now = now;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (batch->items[i].outcome != NULL)
			continue;
		act_on_lead(batch, &batch->items[i]);
		done++;
	}
	pool_quota_write(batch->set);
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
		done = run_pool(due, n, now, wait, held);
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

/* ------------------------------------------------------------------------
 * SQL, for views: next_timer(lead) -> rule_id, action, due_at
 * ------------------------------------------------------------------------ */

Datum
pool_next_timer(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "next_timer");
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolTable  *table = pool_work_table(call->work, POOL_LEAD_DATA);
	Snapshot	snapshot = GetActiveSnapshot();
	PoolLead	lead;
	PoolData	data;

	if (!PG_ARGISNULL(0) &&
		pool_lead_peek(leads, PG_GETARG_INT64(0), snapshot, &lead) &&
		pool_caller_sees_tenant(lead.tenant_id) &&
		pool_data_read(table, lead.id, snapshot, &data))
	{
		TimestampTz due_at;
		const PoolTimerRule *rule = pool_rule_next(&lead, &data, pool_now(),
												   &due_at);

		if (rule != NULL)
		{
			pool_put(call, 0, Int32GetDatum(rule->id));
			pool_put_text(call, 1, "reclaim");
			pool_put_time(call, 2, due_at);
			pool_call_row(call);
		}
	}
	return pool_call_end(call);
}
