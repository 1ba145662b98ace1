/*
 * rollup.c
 *	  Statistics kept up to date: folds finished events into the roll-ups, and
 *	  removes old events once they are folded.
 */
#include "compat.h"
#include "rollup.h"

#include "access.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "clock.h"
#include "config.h"
#include "cooldown.h"
#include "fmgr.h"
#include "guard.h"
#include "installation.h"
#include "miscadmin.h"
#include "poll.h"
#include "rollup_sql.h"
#include "sql.h"
#include "storage/lmgr.h"
#include "table.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pool_purge_events);

/* events folded in one transaction */
#define EVENTS_PER_LEAD 20

/* Whoever folds holds a lock on it. */
static Oid
rollup_state_oid(void)
{
	return get_relname_relid("rollup_state",
							 get_namespace_oid("pool", false));
}

/* A column of the one row the last statement has given, never NULL. */
static Datum
answer(int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column,
						 &isnull);
}

/*
 * Folds what is finished, unless another transaction folds just now: a tick may
 * hold counters, and waits for nobody.  max_events is a measure of how much at
 * once, not exact: a transaction is never split.
 */
PoolTickResult
pool_rollup_run(int max_events, TimestampTz now)
{
	PoolTickResult result = {0, false};
	Oid			types[2] = {INT8OID, INT4OID};
	Oid			fold_types[2] = {InvalidOid, INT4OID};
	Datum		values[2];
	int32		generation = pool_generation();
	bool		pending;
	bool		behind;
	PoolSql		sql;

	if (!ConditionalLockRelationOid(rollup_state_oid(),
									ShareRowExclusiveLock))
		return result;
	sql = pool_sql_begin();
	/* the tail is short however long the log is */
	pool_sql_walk_indexes();
	values[0] = Int64GetDatum((int64) max_events * EVENTS_PER_LEAD);
	values[1] = Int32GetDatum(generation);
	pool_sql_run(ROLLUP_SNAPSHOT_SQL, 2, types, values, NULL);
	result.more = DatumGetBool(answer(2));
	pending = DatumGetBool(answer(3));
	behind = DatumGetBool(answer(4));
	fold_types[0] = SPI_gettypeid(SPI_tuptable->tupdesc, 1);
	values[0] = datumCopy(answer(1), false, -1);
	if (pending)
	{
		result.done = pool_sql_run(ROLLUP_FOLD_DAY_SQL, 2, fold_types,
								   values, NULL);
		pool_sql_run(ROLLUP_FOLD_MEMBER_SQL, 2, fold_types, values, NULL);
	}
	/* in an older generation everyone would look for its tail, too */
	if (pending || behind)
		pool_sql_run(ROLLUP_ADVANCE_SQL, 2, fold_types, values, NULL);
	if (pending)
		pool_wake_readers();
	pool_sql_end(sql);
	return result;
}

/*
 * An event of a lead, called e, from the first end of a spell on that a member
 * may still be given the credit for (close.c).
 */
#define IS_OF_CREDIT \
	"e.at >= $2 - " CppAsString2(POOL_CREDIT_DAYS) " * interval '24 hours'" \
	" AND EXISTS (SELECT FROM pool.event s" \
	"  WHERE s.lead_id = e.lead_id AND s.id <= e.id" \
	"  AND s.at >= $2 -" \
	"   " CppAsString2(POOL_CREDIT_DAYS) " * interval '24 hours'" \
	"  AND s.kind IN ('transferred', 'released', 'reclaimed', 'converted'," \
	"   'archived', 'erased'))"

/* One that tells how often a lead has come back in vain (quarantine.c). */
#define IS_OF_QUARANTINE \
	"EXISTS (SELECT FROM pool.lead_state l" \
	"  JOIN pool.pool p ON p.id = l.pool_id" \
	"  WHERE l.id = e.lead_id AND l.status IN ('available', 'owned')" \
	"  AND p.quarantine_after IS NOT NULL" \
	"  AND p.quarantine_pool_id IS NOT NULL)" \
	" AND NOT EXISTS (SELECT FROM pool.event s" \
	"  WHERE s.lead_id = e.lead_id AND s.id >= e.id" \
	"  AND (s.kind IN ('entered', 'reopened', 'moved')" \
	"   OR s.kind = 'followed_up'" \
	"   AND s.detail -> 'counted' IS DISTINCT FROM 'false'))"

/*
 * Deletes folded events from before that moment, but for what is still of use:
 * the events of each lead since its last change of state, what may bar a
 * former owner by a cooldown (by the calendar of its pool, which may be some days
 * longer than by the session's), what a late win is judged by and what leads to
 * quarantine, and what readers have not acknowledged.
 */
static uint64
purge(TimestampTz before, TimestampTz now)
{
	Oid			types[2] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[2] = {TimestampTzGetDatum(before),
	TimestampTzGetDatum(now)};
	uint64		deleted;

	deleted = pool_sql_run("DELETE FROM pool.event e"
						   " WHERE e.at < $1"
						   " AND e.at < coalesce((SELECT min($2 - cooldown"
						   "  - interval '4 days') FROM pool.pool), $2)"
						   " AND NOT (" IS_OF_CREDIT ")"
						   " AND NOT (" IS_OF_QUARANTINE ")"
						   " AND e.id < (SELECT max(s.id) FROM pool.event s"
						   "  WHERE s.lead_id = e.lead_id AND s.kind IN"
						   "  ('entered', 'review', 'claimed', 'assigned',"
						   "  'transferred', 'released', 'reclaimed',"
						   "  'converted', 'archived', 'reopened', 'moved'))"
						   " AND NOT EXISTS (SELECT FROM pool.consumer c"
						   "  WHERE c.tenant_id IN (-1, 0, e.tenant_id)"
						   "  AND (e.generation, e.xid, e.id) >"
						   "   (c.generation, c.xid, c.event_id))"
						   " AND NOT EXISTS (SELECT FROM pool.event_tail t"
						   "  WHERE t.lead_id = e.lead_id AND t.id = e.id)",
						   2, types, values, NULL);
	if (deleted > 0)
		pool_sql_run("INSERT INTO pool.purge_horizon AS h (before)"
					 " VALUES ($1) ON CONFLICT (singleton) DO UPDATE"
					 " SET before = greatest(h.before, excluded.before)",
					 1, types, values, NULL);
	return deleted;
}

/*
 * SQL: purge_events(before) -> number of events deleted
 */
Datum
pool_purge_events(PG_FUNCTION_ARGS)
{
	TimestampTz before;
	TimestampTz latest;
	PoolSql		sql;
	uint64		deleted = 0;

	PreventCommandIfReadOnly("pool.purge_events()");
	PreventCommandDuringRecovery("pool.purge_events()");
	PreventCommandIfParallelMode("pool.purge_events()");
	pool_config_refresh();
	pool_require_all_tenants("purge_events");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"before\" must not be null"),
				 errdetail("It has no default, and the call cannot do without it."),
				 errhint("Events from before that time are deleted.")));
	before = PG_GETARG_TIMESTAMPTZ(0);
	/* counters of a day may still be compared with its events */
	latest = pool_now() - 3 * USECS_PER_DAY;
	if (before > latest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("events of the last three days cannot be purged"),
				 errdetail("Counters of a member's day may still be compared with them."),
				 errhint("Pass an earlier time.")));
	LockRelationOid(rollup_state_oid(), ShareRowExclusiveLock);
	while (pool_rollup_run(INT_MAX / EVENTS_PER_LEAD, latest).more)
		CHECK_FOR_INTERRUPTS();
	CommandCounterIncrement();
	sql = pool_sql_begin();
	pool_guard_allow_event_writes = true;
	PG_TRY();
	{
		deleted = purge(before, pool_now());
	}
	PG_FINALLY();
	{
		pool_guard_allow_event_writes = false;
	}
	PG_END_TRY();
	pool_sql_end(sql);
	PG_RETURN_INT64(deleted);
}
