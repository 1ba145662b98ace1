/*
 * brake.c
 *	  What timers reclaim is counted, and stopped where it is too much.
 *
 * pool.reclaim_limit and reclaim_share bound what timers reclaim in a pool on
 * one of its local days.  Before a tick touches the first lead of a pool, it
 * counts all that are due: if these exceed the bound, it touches none, and
 * their list becomes a held run, which a manager applies (apply_plan) or lets go
 * on (resume_run).  Until then, or for 24 hours, the timers of the pool rest.
 *
 * One tick at a time counts in a pool, under a lock of its own that nobody
 * waits for.
 */
#include "plan_run.h"

#include "catalog/pg_type.h"
#include "installation.h"
#include "miscadmin.h"
#include "request.h"
#include "lock.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/xid8.h"
#include "wake.h"

PG_FUNCTION_INFO_V1(pool_resume_run);

#define HELD_SQL \
	"SELECT r.status FROM pool.run r WHERE r.pool_id = $1" \
	" AND r.kind = 'reclaim' AND r.status IN ('held', 'running')" \
	" AND r.token IS NOT NULL AND r.expires_at > $2" \
	" ORDER BY r.status LIMIT 1"

#define EXPIRE_SQL \
	"UPDATE pool.run SET status = 'expired', ended_at = expires_at" \
	" WHERE pool_id = $1 AND kind = 'reclaim'" \
	" AND status IN ('held', 'running') AND expires_at <= $2"

/*
 * Whether what was reclaimed today and what is due would go over a limit.  The
 * share is one of the leads that were owned before the day's reclaims.
 */
#define EXCEEDED_SQL \
	"SELECT FROM (SELECT t.done, least($3, floor($4::numeric *" \
	"  (t.done + (SELECT sum(s.held) FROM pool.membership_state s" \
	"   WHERE s.pool_id = $1)))) AS most" \
	" FROM (SELECT coalesce(sum(r.done), 0) AS done FROM pool.run r" \
	"  CROSS JOIN (SELECT pool.pool_zone($1) AS zone OFFSET 0) z" \
	"  WHERE r.pool_id = $1 AND r.kind = 'reclaim' AND r.token IS NULL" \
	"  AND r.started_at > $2 - interval '2 days'" \
	"  AND (r.started_at AT TIME ZONE z.zone)::date =" \
	"   ($2 AT TIME ZONE z.zone)::date) t) b" \
	" CROSS JOIN LATERAL (SELECT count(*) AS n FROM (" \
	"  SELECT FROM pool.lead_state s" \
	"  CROSS JOIN LATERAL pool.reclaim_due(s.id, NULL, $2) n" \
	"  WHERE s.pool_id = $1 AND s.owner_id IS NOT NULL AND s.check_at <= $2" \
	"  AND n.warned" \
	"  LIMIT greatest(b.most - b.done, 0) + 1) d) c" \
	" WHERE c.n > 0 AND b.done + c.n > b.most"

/*
 * Whether timers may reclaim in this pool now.  If not, the leads that are due
 * are in a held run.
 */
bool
pool_brake_allows(const PoolConf *pool, TimestampTz now)
{
	Oid			types[4] = {INT4OID, TIMESTAMPTZOID, INT4OID, FLOAT8OID};
	Datum		values[4] = {Int32GetDatum(pool->id),
		TimestampTzGetDatum(now), Int32GetDatum(pool->reclaim_limit),
	Float8GetDatum(pool->reclaim_share)};
	char		nulls[] = "    ";
	PoolSql		sql;
	bool		exceeded;

	if (pool->reclaim_limit == POOL_NO_LIMIT && pool->reclaim_share < 0)
		return true;
	if (!pool_lock_try(POOL_RUN, pool->id))
		return false;
	sql = pool_sql_begin();
	pool_sql_run(EXPIRE_SQL, 2, types, values, NULL);
	if (pool_sql_run(HELD_SQL, 2, types, values, NULL) > 0)
		exceeded = strcmp(SPI_getvalue(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1),
						  "held") == 0;
	else
	{
		if (pool->reclaim_limit == POOL_NO_LIMIT)
			nulls[2] = 'n';
		if (pool->reclaim_share < 0)
			nulls[3] = 'n';
		exceeded = pool_sql_run(EXCEEDED_SQL, 4, types, values, nulls) > 0;
		if (exceeded)
			(void) pool_plan_make(pool, 0, "reclaim", 0, now);
	}
	pool_sql_end(sql);
	return !exceeded;
}

/* ------------------------------------------------------------------------
 * What was reclaimed
 * ------------------------------------------------------------------------ */

#define RECORD_SQL \
	"INSERT INTO pool.run (id, tenant_id, pool_id, kind, status, started_at," \
	" ended_at, planned, done, detail)" \
	" SELECT nextval('pool.run_id_seq'), p.tenant_id, p.id, 'reclaim'," \
	"  'done', $2, $2, $5, $5, jsonb_build_object('first_event', $3," \
	"  'last_event', $4, 'generation', $6," \
	"  'xid', pg_current_xact_id()::text)" \
	" FROM pool.pool p WHERE p.id = $1 RETURNING id"

#define ADD_SQL \
	"UPDATE pool.run SET planned = $5, done = $5," \
	" detail = detail || jsonb_build_object('last_event', $4)" \
	" WHERE id = $7 RETURNING id"

/*
 * One row of pool.run for what a tick has reclaimed in a pool, if anything;
 * whatever comes to it later in the same turn is added there.  Its leads are
 * found by their events: those of the transaction, from the first to the last.
 */
void
pool_reclaims_record(PoolReclaims *reclaims, const PoolConf *pool,
					 TimestampTz now)
{
	Oid			types[7] = {INT4OID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID,
	INT4OID, INT8OID};
	Datum		values[7] = {Int32GetDatum(pool->id),
		TimestampTzGetDatum(now), Int64GetDatum(reclaims->first_event),
		Int64GetDatum(reclaims->last_event), Int64GetDatum(reclaims->n),
	Int32GetDatum(pool_generation()), Int64GetDatum(reclaims->run_id)};
	PoolSql		sql;

	if (reclaims->n == 0)
		return;
	sql = pool_sql_begin();
	if (reclaims->run_id == 0)
		pool_sql_run(RECORD_SQL, 6, types, values, NULL);
	else
		pool_sql_run(ADD_SQL, 7, types, values, NULL);
	reclaims->run_id = pool_sql_int8(0, 1);
	pool_sql_end(sql);
}

/* ------------------------------------------------------------------------
 * Letting a held run go on
 * ------------------------------------------------------------------------ */

static void
release_brake(int64 run_id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(run_id)};
	PoolSql		sql = pool_sql_begin();

	pool_wake_now();
	pool_sql_run("UPDATE pool.run SET status = 'running' WHERE id = $1",
				 1, types, values, NULL);
	pool_sql_end(sql);
}

/*
 * pool.resume_run(run_id, actor, request_id)
 */
Datum
pool_resume_run(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "resume_run");
	PoolActor	actor = pool_resolve_actor(fcinfo, 1);
	const char *outcome = "resumed";
	PoolPlanRun *run;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"run_id\" must not be null"),
				 errdetail("It names the run to let go on."),
				 errhint("pool.stat_run shows the runs that are held.")));
	if (pool_request_replay(call, 2, actor.tenant_id))
		return pool_call_end(call);
	run = pool_plan_find(call, &actor, "r.id = $1", INT8OID,
						 PG_GETARG_DATUM(0));
	if (run == NULL)
		outcome = "not_found";
	else if (strcmp(run->status, "held") != 0 || run->expired)
		outcome = "not_held";
	else
		release_brake(run->id);
	pool_put_text(call, 0, outcome);
	pool_put(call, 1, PG_GETARG_DATUM(0));
	pool_call_row(call);
	return pool_call_end(call);
}
