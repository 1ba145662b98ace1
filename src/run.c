/*
 * run.c
 *	  Working off runs that take a member's leads away, and a tick's task.
 *
 * One step handles a chunk of leads in the order of their ids and leaves in
 * the row of the run how far it came: so a run is resumed wherever it was
 * interrupted, and a lead that was handled is simply no longer his.  It waits
 * for no lead, and in a tick for no counters: what others hold is skipped, and
 * looked at again in another pass.  Locks: run, leads (without waiting),
 * counters; a step that ends the run handles no leads.
 */
#include "compat.h"
#include "run.h"

#include "attempt.h"
#include "catalog/pg_type.h"
#include "id_set.h"
#include "quota.h"
#include "rule.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static void
read_condition(PoolRun *run, const char *path)
{
	if (path == NULL)
		return;
	pool_rule_prepare(&run->condition,
					  DatumGetJsonPathP(DirectFunctionCall1(jsonpath_in,
															CStringGetDatum(path))));
}

/* Locks the run without waiting; false if it is over or somebody has it. */
static bool
lock_run(int64 id, PoolRun *run)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	MemoryContext context = CurrentMemoryContext;
	char	   *path = NULL;
	PoolSql		sql = pool_sql_begin();
	bool		found;

	memset(run, 0, sizeof(PoolRun));
	run->id = id;
	run->waits = !pool_attempt_is_running();
	found = pool_sql_run("SELECT member_id, tenant_id, actor_id, pool_id,"
						 " (detail ->> 'successor')::integer,"
						 " kind = 'offboard', after_lead, done, skipped,"
						 " EXISTS (SELECT FROM pool.member m"
						 "  WHERE m.id = member_id AND m.status = 'leaving'),"
						 " detail ->> 'condition'"
						 " FROM pool.run WHERE id = $1 AND status = 'running'"
						 " AND " POOL_RUN_KINDS " FOR UPDATE SKIP LOCKED",
						 1, types, values, NULL) > 0;
	if (found)
	{
		char	   *stored = SPI_getvalue(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 11);
		bool		isnull;

		run->member_id = pool_sql_int4(0, 1);
		run->tenant_id = pool_sql_int4(0, 2);
		run->actor_id = pool_sql_int4(0, 3);
		run->to_pool_id = pool_sql_int4(0, 4);
		run->successor_id = pool_sql_int4(0, 5);
		run->offboards = DatumGetBool(pool_sql_datum(0, 6, &isnull));
		run->after = pool_sql_int8(0, 7);
		run->done = pool_sql_int8(0, 8);
		run->skipped = pool_sql_int8(0, 9);
		run->leaves = DatumGetBool(pool_sql_datum(0, 10, &isnull));
		if (stored != NULL)
			path = MemoryContextStrdup(context, stored);
	}
	pool_sql_end(sql);
	read_condition(run, path);
	return found;
}

/* ------------------------------------------------------------------------
 * Passes
 * ------------------------------------------------------------------------ */

/*
 * Runs whose pass under way has begun in this tick; in a worker, since it came.
 * What others hold in such a pass is left to the next tick.
 */
static HTAB *passes = NULL;

static HTAB *
begun_passes(void)
{
	if (passes == NULL)
		passes = pool_ids_create(TopMemoryContext, 16);
	return passes;
}

/* A tick begins that is to leave nothing but what others hold. */
void
pool_runs_begin(void)
{
	if (passes != NULL)
		hash_destroy(passes);
	passes = NULL;
}

/* ------------------------------------------------------------------------
 * One chunk of leads
 * ------------------------------------------------------------------------ */

/* Leads of one step. */
typedef struct Chunk
{
	int64	   *ids;
	int			n;
	int64		last;			/* where the next one goes on */
	bool		own;			/* they are his */
} Chunk;

/*
 * From a query over $1 member, $2 last id, $3 how many; each row has the id
 * of a lead and the last one of the chunk.
 */
static void
collect_ids(const char *query, const PoolRun *run, int64 after, int max,
			Chunk *chunk)
{
	Oid			types[3] = {INT4OID, INT8OID, INT4OID};
	Datum		values[3] = {Int32GetDatum(run->member_id),
	Int64GetDatum(after), Int32GetDatum(max)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();

	chunk->n = pool_sql_run(query, 3, types, values, NULL);
	chunk->ids = MemoryContextAlloc(context, Max(chunk->n, 1) * sizeof(int64));
	for (int i = 0; i < chunk->n; i++)
	{
		chunk->ids[i] = pool_sql_int8(i, 1);
		chunk->last = pool_sql_int8(i, 2);
	}
	pool_sql_end(sql);
}

/*
 * `+ 0` makes the planner use the index on owners, never walk all leads in order
 * of id.  With each lead come the others of its customer, for they go together.
 */
#define OWNED_LEADS_SQL \
	"WITH chunk AS MATERIALIZED" \
	" (SELECT s.id, s.group_id FROM pool.lead_state s WHERE s.owner_id = $1" \
	"  AND s.pool_id = ANY (ARRAY (SELECT c.pool_id" \
	"   FROM pool.membership_state c WHERE c.member_id = $1 AND c.held > 0))" \
	"  AND s.id > $2 ORDER BY s.id + 0 LIMIT $3)" \
	" SELECT x.id, (SELECT max(c.id) FROM chunk c) FROM" \
	" (SELECT * FROM chunk UNION SELECT s.id, s.group_id" \
	"  FROM pool.lead_state s WHERE s.owner_id = $1 AND s.group_id = ANY" \
	"   (ARRAY (SELECT c.group_id FROM chunk c" \
	"    WHERE c.group_id IS NOT NULL))) x" \
	" ORDER BY min(x.id) OVER" \
	"  (PARTITION BY coalesce(x.group_id, - x.id)), x.id"

/* he helps with them, or requests by or for him are open */
#define OTHER_LEADS_SQL \
	"SELECT x.lead_id, x.lead_id FROM" \
	" (SELECT c.lead_id FROM pool.collaborator c WHERE c.member_id = $1" \
	" UNION SELECT a.lead_id FROM pool.approval a WHERE a.status = 'open'" \
	"  AND $1 IN (a.applicant_id, a.member_id)) x" \
	" WHERE x.lead_id > $2 ORDER BY x.lead_id LIMIT $3"

/*
 * The next leads of the run, about max.  Once somebody who leaves owns none any
 * more, these are the leads that he helps with or has asked for.
 */
static void
next_leads(const PoolRun *run, int max, Chunk *chunk)
{
	Chunk		left = {0};

	collect_ids(OWNED_LEADS_SQL, run, run->after, max, chunk);
	chunk->own = chunk->n > 0 || !run->offboards;
	if (!chunk->own && run->after > 0)
	{
		collect_ids(OWNED_LEADS_SQL, run, 0, 1, &left);
		chunk->own = left.n > 0;
	}
	if (!chunk->own)
		collect_ids(OTHER_LEADS_SQL, run, run->after, max, chunk);
}

/* ------------------------------------------------------------------------
 * One step
 * ------------------------------------------------------------------------ */

/* What this step has given, as {"members": {id: n}, "pools": {id: n}}. */
static Datum
receipts_json(const PoolRun *run)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int pass = 0; pass < 2; pass++)
	{
		const char *separator = "";
		ListCell   *lc;

		appendStringInfo(&json, pass == 0 ? "{\"members\": {" :
						 ", \"pools\": {");
		foreach(lc, run->receipts)
		{
			PoolReceipt *receipt = lfirst(lc);

			if (receipt->is_member != (pass == 0))
				continue;
			appendStringInfo(&json, "%s\"%d\": " INT64_FORMAT, separator,
							 receipt->id, receipt->n);
			separator = ", ";
		}
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

#define SUM_OF(key) \
	"(SELECT coalesce(jsonb_object_agg(u.k, u.n), '{}') FROM" \
	" (SELECT x.key AS k, sum(x.value::bigint) AS n FROM" \
	"  (SELECT * FROM jsonb_each_text(r.detail -> '" key "')" \
	"  UNION ALL SELECT * FROM jsonb_each_text($5 -> '" key "')) x" \
	"  GROUP BY x.key) u)"

/* Leaves in the row how far the run has come. */
static void
write_run(const PoolRun *run)
{
	Oid			types[5] = {INT8OID, INT8OID, INT8OID, INT8OID, JSONBOID};
	Datum		values[5] = {Int64GetDatum(run->id), Int64GetDatum(run->done),
		Int64GetDatum(run->skipped), Int64GetDatum(run->after),
	receipts_json(run)};
	PoolSql		sql = pool_sql_begin();

	pool_sql_run("UPDATE pool.run r SET done = $2, skipped = $3,"
				 " after_lead = $4, detail = r.detail ||"
				 " jsonb_build_object('members', " SUM_OF("members")
				 ", 'pools', " SUM_OF("pools") ") WHERE r.id = $1",
				 5, types, values, NULL);
	pool_sql_end(sql);
}

/*
 * Whether the member has gone for good: nobody else holds his counters, and
 * according to these he has no lead.  Waits for nobody.
 */
static bool
leave(const PoolRun *run)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(run->member_id)};
	PoolSql		sql = pool_sql_begin();
	bool		left;

	left = pool_sql_run("SELECT FROM pool.member WHERE id = $1"
						" FOR NO KEY UPDATE SKIP LOCKED",
						1, types, values, NULL) > 0 &&
		pool_sql_run("WITH mine AS MATERIALIZED ("
					 " SELECT s.held FROM pool.membership_state s"
					 " WHERE s.member_id = $1 ORDER BY s.pool_id"
					 " FOR NO KEY UPDATE SKIP LOCKED)"
					 " SELECT FROM mine HAVING count(*) ="
					 " (SELECT count(*) FROM pool.membership_state c"
					 "  WHERE c.member_id = $1)"
					 " AND coalesce(sum(held), 0) = 0",
					 1, types, values, NULL) > 0;
	pool_quota_note_held();
	if (left)
		pool_sql_run("UPDATE pool.member SET status = 'left',"
					 " away_until = NULL WHERE id = $1 AND status = 'leaving'",
					 1, types, values, NULL);
	pool_sql_end(sql);
	return left;
}

static void
end_run(const PoolRun *run, const char *status, TimestampTz now)
{
	Oid			types[3] = {INT8OID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[3] = {Int64GetDatum(run->id),
	TimestampTzGetDatum(now), CStringGetTextDatum(status)};
	PoolSql		sql = pool_sql_begin();

	pool_sql_run("UPDATE pool.run SET status = $3, ended_at = $2,"
				 " after_lead = 0, skipped = 0 WHERE id = $1",
				 3, types, values, NULL);
	pool_sql_end(sql);
}

/*
 * The pass has ended.  Where others held leads, another one is to come: at
 * once, unless all of this one was in this tick.
 */
static PoolRunStep
end_pass(PoolRun *run, TimestampTz now)
{
	if (run->skipped > 0)
	{
		run->after = 0;
		write_run(run);
		return pool_ids_has(begun_passes(), run->id) ?
			POOL_RUN_WAITS : POOL_RUN_GOES_ON;
	}
	if (run->offboards && !leave(run))
		return POOL_RUN_WAITS;
	end_run(run, "done", now);
	return POOL_RUN_DONE;
}

static void
begin_pass(PoolRun *run)
{
	run->skipped = 0;
	(void) pool_ids_add(begun_passes(), run->id);
}

/*
 * Works on about max leads of a run; *looked_at says on how many.
 */
PoolRunStep
pool_run_step(int64 run_id, int max, TimestampTz now, int64 *looked_at)
{
	Chunk		chunk = {0};
	PoolRun		run;

	*looked_at = 0;
	if (!lock_run(run_id, &run))
		return POOL_RUN_BUSY;
	/* somebody has called him back: he keeps what he has left */
	if (run.offboards && !run.leaves)
	{
		end_run(&run, "cancelled", now);
		return POOL_RUN_CANCELLED;
	}
	if (run.after == 0)
		begin_pass(&run);
	next_leads(&run, max, &chunk);
	/* his leads are gone: the others are left */
	if (chunk.n == 0 && run.offboards && run.after > 0 && run.skipped == 0)
	{
		run.after = 0;
		begin_pass(&run);
		next_leads(&run, max, &chunk);
	}
	if (chunk.n == 0)
		return end_pass(&run, now);
	pool_run_leads(&run, chunk.ids, chunk.n, now, chunk.own);
	*looked_at = chunk.n;
	run.after = chunk.last;
	write_run(&run);
	return POOL_RUN_GOES_ON;
}

/* ------------------------------------------------------------------------
 * The tick's task
 * ------------------------------------------------------------------------ */

/* A step of a run. */
typedef struct Step
{
	int64		run_id;
	int			max;
	TimestampTz now;
	int64		looked_at;
	PoolRunStep result;
} Step;

static void
take_step(void *arg)
{
	Step	   *step = arg;

	step->result = pool_run_step(step->run_id, step->max, step->now,
								 &step->looked_at);
}

/* An error is reported, and the other runs go on. */
static PoolRunStep
try_step(int64 run_id, int max, TimestampTz now, int64 *looked_at)
{
	Step		step = {run_id, max, now, 0, POOL_RUN_BUSY};
	ErrorData  *error = pool_attempt(take_step, &step);

	*looked_at = error == NULL ? step.looked_at : 0;
	if (error == NULL)
		return step.result;
	pool_attempt_report(error, psprintf(pool_text("run %lld"),
										(long long) run_id), 0);
	return POOL_RUN_BUSY;
}

static int
compare_ids(const ListCell *a, const ListCell *b)
{
	int64		x = *(int64 *) lfirst(a);
	int64		y = *(int64 *) lfirst(b);

	return x < y ? -1 : x > y;
}

/* The runs under way, oldest first: mostly one look at an empty index. */
static List *
running(void)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *runs = pool_work_table(work, POOL_RUN);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	PoolKey		key = pool_key_text(CStringGetTextDatum("running"));
	IndexScanDesc scan = pool_index_scan(runs->rel,
										 pool_work_index(runs, POOL_RUN_STATUS),
										 snapshot, &key, 1);
	List	   *result = NIL;

	while (index_getnext_slot(scan, ForwardScanDirection, runs->old))
	{
		int64	   *id = palloc(sizeof(int64));
		bool		isnull;

		*id = DatumGetInt64(slot_getattr(runs->old, RUN_ID, &isnull));
		result = lappend(result, id);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	list_sort(result, compare_ids);
	return result;
}

/* Works on up to max leads of the runs under way. */
PoolTickResult
pool_runs_run(int max, TimestampTz now)
{
	PoolTickResult result = {0, false};
	ListCell   *lc;

	if (pool_index_unused(POOL_RUN_STATUS))
		return result;
	foreach(lc, running())
	{
		int64		looked_at;
		PoolRunStep step;

		if (result.done >= max)
		{
			result.more = true;
			break;
		}
		step = try_step(*(int64 *) lfirst(lc), max - (int) result.done, now,
						&looked_at);
		result.done += looked_at;
		result.more |= step == POOL_RUN_GOES_ON;
	}
	return result;
}
