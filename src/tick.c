/*
 * tick.c
 *	  Everything that time makes due, task by task.
 *
 * The worker commits after each run of a task; pool.tick() does the same work
 * in the caller's transaction.
 */
#include "result.h"

#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "clock.h"
#include "decide.h"
#include "guc.h"
#include "member_fact.h"
#include "miscadmin.h"
#include "people.h"
#include "recheck.h"
#include "reward.h"
#include "rollup.h"
#include "run.h"
#include "routing_retry.h"
#include "sql.h"
#include "storage/lmgr.h"
#include "table.h"
#include "tick.h"
#include "timer.h"
#include "timer_approval.h"
#include "utils/timestamp.h"
#include "wake.h"

/* for tick(), which is one transaction in any case */
#define LEADS_PER_ROUND 1000

PG_FUNCTION_INFO_V1(pool_tick);

/* this transaction has run tick() */
static bool ticked = false;

/*
 * A prepared tick would hold back every other one until it is resolved, so
 * preparing it is refused.
 */
static void
end_of_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_PREPARE && ticked)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that has executed pool.tick()"),
				 errdetail("Until it ended, no other tick could run."),
				 errhint("Commit it, or let the worker do the work.")));
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		ticked = false;
}

void
pool_tick_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
}

/*
 * Deletes up to max rows of a table that are older than that many seconds, of
 * which 0 is for ever; `at` has an index.
 */
static int64
forget(const char *table, PoolIndexId index, int retention, int max,
	   TimestampTz now)
{
	Oid			types[2] = {TIMESTAMPTZOID, INT4OID};
	Datum		values[2] = {TimestampTzGetDatum(now -
												 retention * USECS_PER_SEC),
	Int32GetDatum(max)};
	int64		done = 0;
	PoolSql		sql;

	if (retention == 0 || pool_index_unused(index))
		return 0;
	sql = pool_sql_begin();
	/* before its index is read, or REINDEX may wait for us and we for it */
	LockRelationOid(IndexGetRelation(pool_index_oid(index), false),
					RowExclusiveLock);
	/* mostly there are none: then even planning to delete is too much */
	if (pool_sql_run(psprintf("SELECT FROM pool.%s WHERE at < $1 LIMIT 1",
							  table), 1, types, values, NULL) > 0)
		done = pool_sql_run(psprintf("DELETE FROM pool.%s"
									 " WHERE ctid = ANY (ARRAY"
									 "  (SELECT ctid FROM pool.%s"
									 "   WHERE at < $1 ORDER BY at LIMIT $2"
									 "   FOR UPDATE SKIP LOCKED))",
									 table, table), 2, types, values, NULL);
	pool_sql_end(sql);
	return done;
}

/* Forgets results of request ids, and what attached tables were found to say. */
static PoolTickResult
forget_old(int max, TimestampTz now)
{
	PoolTickResult result = {0, false};

	/* results are stamped with the system's time, whatever the clock says */
	result.done = forget("request_log", POOL_REQUEST_LOG_PKEY,
						 pool_request_retention, max, GetCurrentTimestamp());
	if (result.done < max)
		result.done += forget("bypass", POOL_BYPASS_AT, pool_bypass_retention,
							  max - (int) result.done, now);
	result.more = result.done == max;
	return result;
}

static const struct
{
	const char *name;
	PoolTickResult (*run) (int max_leads, TimestampTz now);
}			tasks[] = {
	{"recheck", pool_recheck_run},
	{"timers", pool_timer_run},
	{"approvals", pool_decide_run},
	{"people", pool_people_run},
	{"runs", pool_runs_run},
	{"routing", pool_routing_run},
	{"facts", pool_fact_run},
	{"rollup", pool_rollup_run},
	{"rewards", pool_reward_run},
	{"requests", forget_old}
};
const int	pool_tick_task_count = lengthof(tasks);

const char *
pool_tick_task_name(int task)
{
	return tasks[task].name;
}

/* One bounded run of a task, in the transaction under way. */
PoolTickResult
pool_tick_run(int task, int max_leads, TimestampTz now)
{
	pool_config_refresh();
	return tasks[task].run(max_leads, now);
}

/*
 * The earliest time after $1 of all that tables know of, and whether something
 * has been left undone.  What follows from events is not among it.
 */
#define NEXT_SQL \
	"SELECT least(" \
	" (SELECT min(check_at) FROM pool.lead_state WHERE check_at > $1)," \
	" (SELECT min(expires_at) FROM pool.approval" \
	"  WHERE status = 'open' AND expires_at > $1)," \
	" (SELECT min(away_until) FROM pool.member" \
	"  WHERE status = 'away' AND away_until > $1)," \
	" CASE WHEN $2 THEN (SELECT min(at) + interval '1 hour'" \
	"  FROM pool.member_fact WHERE at > $1 - interval '1 hour') END)," \
	" EXISTS (SELECT FROM pool.lead_state WHERE check_at <= $1)" \
	" OR EXISTS (SELECT FROM pool.approval" \
	"  WHERE status = 'open' AND expires_at <= $1)" \
	" OR EXISTS (SELECT FROM pool.member" \
	"  WHERE status = 'away' AND away_until <= $1)" \
	" OR $2 AND EXISTS (SELECT FROM pool.member_fact" \
	"  WHERE at <= $1 - interval '1 hour')" \
	" OR EXISTS (SELECT FROM pool.timer_recheck)" \
	" OR EXISTS (SELECT FROM pool.run WHERE status = 'running'" \
	"  AND " POOL_RUN_KINDS ")" \
	" OR EXISTS (SELECT FROM pool.routing_wait)"

/*
 * When the next task will have something to do, as far as that is known;
 * DT_NOEND if nothing is.  That is later than now; what was due then, and is
 * still, for whatever reason, hides none of it: *overdue tells of that.
 */
TimestampTz
pool_tick_next(TimestampTz now, bool *overdue)
{
	Oid			types[2] = {TIMESTAMPTZOID, BOOLOID};
	Datum		values[2] = {TimestampTzGetDatum(now),
	BoolGetDatum(pool_fact_wanted())};
	PoolSql		sql;
	TimestampTz next;
	Datum		due;
	bool		isnull;

	pool_config_refresh();
	*overdue = false;
	next = pool_timer_approvals_next(now, overdue);
	sql = pool_sql_begin();
	pool_sql_walk_indexes();
	pool_sql_run(NEXT_SQL, 2, types, values, NULL);
	due = pool_sql_datum(0, 1, &isnull);
	if (!isnull)
		next = Min(next, DatumGetTimestampTz(due));
	if (DatumGetBool(pool_sql_datum(0, 2, &isnull)))
		*overdue = true;
	pool_sql_end(sql);
	return next;
}

/* Runs a task until nothing is left, or max_leads are done (0 = no bound). */
static PoolTickResult
run_task(int task, int max_leads, TimestampTz now)
{
	PoolTickResult total = {0, true};

	while (total.more)
	{
		PoolTickResult result;
		int			batch = LEADS_PER_ROUND;

		CHECK_FOR_INTERRUPTS();
		if (max_leads > 0)
			batch = Min(batch, max_leads - (int) total.done);
		if (batch <= 0)
			break;
		result = pool_tick_run(task, batch, now);
		total.done += result.done;
		total.more = result.more;
	}
	return total;
}

/* What stat_worker says of it; the clock that counts may stand still. */
static void
note_tick(TimestampTz began, int64 done)
{
	pool_wake_tick = (PoolWakeTick)
	{
		.ended_at = pool_now(),
			.duration = GetCurrentTimestamp() - began,
			.done = done,
			.subid = GetCurrentSubTransactionId()
	};
}

/*
 * pool.tick(max_leads)
 */
Datum
pool_tick(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "tick");
	int			max_leads = 0;
	TimestampTz began = GetCurrentTimestamp();
	TimestampTz now = pool_now();
	int64		done = 0;

	ticked = true;
	if (!PG_ARGISNULL(0))
	{
		max_leads = PG_GETARG_INT32(0);
		if (max_leads < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("max_leads %d is out of range", max_leads),
					 errdetail("It bounds how many leads each task looks at."),
					 errhint("Pass a positive number, or NULL for no bound.")));
	}
	else
		pool_runs_begin();
	for (int task = 0; task < pool_tick_task_count; task++)
	{
		PoolTickResult result = run_task(task, max_leads, now);

		pool_put_text(call, 0, pool_tick_task_name(task));
		pool_put(call, 1, Int64GetDatum(result.done));
		pool_put(call, 2, BoolGetDatum(result.more));
		pool_call_row(call);
		done += result.done;
	}
	note_tick(began, done);
	return pool_call_end(call);
}
