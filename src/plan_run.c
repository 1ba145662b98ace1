/*
 * plan_run.c
 *	  Runs: what plans, their application and their undoing share.
 *
 * The leads of a run are handled in chunks, each with its locks in the usual
 * order: leads ascending, then counters.  From the second chunk on this
 * transaction holds counters, so that leads held by others are not waited for
 * but answered with `contended`.  The row of the run is locked first of all,
 * so that nobody else works on the same run.
 */
#include "plan_run.h"

#include "catalog/pg_type.h"
#include "errors.h"
#include "miscadmin.h"
#include "sql.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* What changed in the rules of a pool since the run began. */
#define RULES_CHANGED \
	"(SELECT count(*) + count(v.valid_to) FROM pool.rule_version v" \
	" WHERE v.pool_id = r.pool_id AND v.rule <> 'membership')" \
	" <> (r.detail ->> 'rules')::bigint"

static char *
text_column(int column, MemoryContext context)
{
	bool		isnull;

	return MemoryContextStrdup(context,
							   TextDatumGetCString(pool_sql_datum(0, column,
																  &isnull)));
}

/*
 * The run that `where` ($1) finds, locked; NULL if there is none that the
 * actor may see.  Raises PO005 unless he manages its pool.
 */
PoolPlanRun *
pool_plan_find(PoolCall *call, const PoolActor *actor, const char *where,
			   Oid type, Datum value)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[2] = {type, TIMESTAMPTZOID};
	Datum		values[2] = {value, TimestampTzGetDatum(pool_now())};
	PoolSql		sql = pool_sql_begin();
	PoolPlanRun *run = NULL;
	bool		isnull;

	pool_sql_run(psprintf("SELECT FROM pool.run r WHERE %s FOR UPDATE",
						  where), 1, types, values, NULL);
	if (pool_sql_run(psprintf("SELECT r.id, r.tenant_id, r.pool_id,"
							  " (r.detail ->> 'rule_id')::integer, r.kind,"
							  " r.status, r.started_at,"
							  " coalesce(r.expires_at <= $2, false),"
							  " coalesce(" RULES_CHANGED ", false),"
							  " r.member_id"
							  " FROM pool.run r WHERE %s", where),
					 2, types, values, NULL) > 0)
	{
		run = MemoryContextAllocZero(context, sizeof(PoolPlanRun));
		run->id = pool_sql_int8(0, 1);
		run->tenant_id = pool_sql_int4(0, 2);
		run->pool_id = pool_sql_int4(0, 3);
		run->rule_id = pool_sql_int4(0, 4);
		run->kind = text_column(5, context);
		run->status = text_column(6, context);
		run->started_at = DatumGetTimestampTz(pool_sql_datum(0, 7, &isnull));
		run->expired = DatumGetBool(pool_sql_datum(0, 8, &isnull));
		run->changed = DatumGetBool(pool_sql_datum(0, 9, &isnull));
		run->member_id = pool_sql_int4(0, 10);
	}
	pool_sql_end(sql);
	if (run == NULL || !pool_actor_sees(actor, run->tenant_id))
		return NULL;
	if (run->pool_id != 0)
		pool_require_manager(actor, run->pool_id);
	return run;
}

/* The run is in the wrong state for what was asked. */
void
pool_plan_refuse(const char *message, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg_internal("%s", pool_text(message)),
			 errdetail_internal("%s", pool_text(detail)),
			 errhint("%s", pool_text(hint))));
}

/* The leads that a query (lead, event, member, pool, rule; $1 = run) finds. */
PoolPlanLead *
pool_plan_leads(const char *query, int64 run_id, int *n)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(run_id)};
	PoolSql		sql = pool_sql_begin();
	PoolPlanLead *leads;

	*n = pool_sql_run(query, 1, types, values, NULL);
	leads = MemoryContextAllocHuge(context,
								   Max(*n, 1) * sizeof(PoolPlanLead));
	for (int i = 0; i < *n; i++)
	{
		leads[i].lead_id = pool_sql_int8(i, 1);
		leads[i].event_id = pool_sql_int8(i, 2);
		leads[i].member_id = pool_sql_int4(i, 3);
		leads[i].pool_id = pool_sql_int4(i, 4);
		leads[i].rule_id = pool_sql_int4(i, 5);
	}
	pool_sql_end(sql);
	return leads;
}

/* Writes what became of the leads of one chunk. */
static void
store_outcomes(PoolPlanWork *work, const PoolPlanLead *leads, int n,
			   Datum *outcomes, Datum *events)
{
	Oid			types[6] = {INT8OID, INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID,
	INT4ARRAYOID, INT4OID};
	Datum	   *ids = palloc(n * sizeof(Datum));
	Datum	   *members = palloc(n * sizeof(Datum));
	Datum		values[6];
	PoolSql		sql;

	for (int i = 0; i < n; i++)
	{
		ids[i] = Int64GetDatum(leads[i].lead_id);
		members[i] = Int32GetDatum(leads[i].member_id);
	}
	values[0] = Int64GetDatum(work->run_id);
	values[1] = PointerGetDatum(construct_array(ids, n, INT8OID, 8,
												FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	values[2] = PointerGetDatum(construct_array(outcomes, n, TEXTOID, -1,
												false, TYPALIGN_INT));
	values[3] = PointerGetDatum(construct_array(events, n, INT8OID, 8,
												FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	values[4] = PointerGetDatum(construct_array(members, n, INT4OID, 4, true,
												TYPALIGN_INT));
	sql = pool_sql_begin();
	pool_sql_run("INSERT INTO pool.run_lead AS l"
				 " (run_id, lead_id, tenant_id, outcome, event_id, member_id)"
				 " SELECT r.id, u.lead_id, r.tenant_id, u.outcome,"
				 "  nullif(u.event_id, 0), u.member_id"
				 " FROM pool.run r, unnest($2, $3, $4, $5)"
				 "  u (lead_id, outcome, event_id, member_id)"
				 " WHERE r.id = $1"
				 " ON CONFLICT (run_id, lead_id) DO UPDATE"
				 " SET outcome = excluded.outcome,"
				 "  event_id = excluded.event_id",
				 5, types, values, NULL);
	pool_sql_end(sql);
}

static void
work_on_chunk(PoolPlanWork *work, const PoolPlanLead *leads, int n)
{
	int64	   *ids = palloc(n * sizeof(int64));
	Datum	   *outcomes = palloc(n * sizeof(Datum));
	Datum	   *events = palloc(n * sizeof(Datum));
	PoolBatch  *batch;

	for (int i = 0; i < n; i++)
		ids[i] = leads[i].lead_id;
	batch = pool_batch_begin(work->call, work->actor, ids, n, work->check,
							 work->arg);
	pool_batch_lock_leads(batch);
	for (int i = 0; i < n; i++)
		if (batch->items[i].outcome == NULL)
			work->name(work, batch, &batch->items[i], &leads[i]);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < n; i++)
	{
		const char *outcome = batch->items[i].outcome;
		int64		event_id = 0;

		CHECK_FOR_INTERRUPTS();
		if (outcome == NULL)
			outcome = work->act(work, batch, &batch->items[i], &leads[i],
								&event_id);
		outcomes[i] = CStringGetTextDatum(outcome);
		events[i] = Int64GetDatum(event_id);
	}
	pool_quota_write(batch->set);
	store_outcomes(work, leads, n, outcomes, events);
}

/* Does the work on these leads, which are in ascending order. */
void
pool_plan_work(PoolPlanWork *work, const PoolPlanLead *leads, int n)
{
	for (int from = 0; from < n; from += POOL_MAX_BATCH)
		work_on_chunk(work, &leads[from], Min(n - from, POOL_MAX_BATCH));
}

/*
 * Counts what became of the leads; done, unless some are still to be had.  What
 * an undoing has left is for another one: nothing goes on with it.
 */
void
pool_plan_close(int64 run_id, TimestampTz now)
{
	Oid			types[2] = {INT8OID, TIMESTAMPTZOID};
	Datum		values[2] = {Int64GetDatum(run_id), TimestampTzGetDatum(now)};
	PoolSql		sql = pool_sql_begin();

	pool_sql_run("UPDATE pool.run r SET done = c.done, skipped = c.skipped,"
				 " status = CASE WHEN c.contended AND r.kind <> 'undo'"
				 "  THEN 'running' ELSE 'done' END,"
				 " ended_at = CASE WHEN NOT c.contended OR r.kind = 'undo'"
				 "  THEN $2 END"
				 " FROM (SELECT count(l.event_id) AS done,"
				 "  count(*) - count(l.event_id) AS skipped,"
				 "  coalesce(bool_or(l.outcome = 'contended'), false)"
				 "   AS contended"
				 "  FROM pool.run_lead l WHERE l.run_id = $1) c"
				 " WHERE r.id = $1", 2, types, values, NULL);
	pool_sql_end(sql);
}

/* One row for each lead of the run: outcome, lead_id, key, member. */
void
pool_plan_emit(PoolCall *call, int64 run_id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(run_id)};

	pool_call_query(call,
					"SELECT l.outcome, l.lead_id, d.key, m.key"
					" FROM pool.run_lead l"
					" LEFT JOIN pool.lead_data d ON d.id = l.lead_id"
					" LEFT JOIN pool.member m ON m.id = l.member_id"
					" WHERE l.run_id = $1 ORDER BY l.lead_id",
					1, types, values);
}
