/*
 * downtime.c
 *	  When ticks did not run.
 *
 * A row says when the last tick was, give or take NOTE_EVERY: ticks are
 * frequent, and to write each of them down would cost more than it tells.  The
 * first tick after a longer pause notes it in downtime, which due.c reads for
 * pools that let their owners catch up.
 */
#include "compat.h"
#include "downtime.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "config.h"
#include "guc.h"
#include "sql.h"
#include "storage/lmgr.h"
#include "table.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define NOTE_EVERY (10 * USECS_PER_MINUTE)
#define LEAST_DOWNTIME USECS_PER_HOUR

/* what this backend has read last of what others have committed */
static TimestampTz noted_at = POOL_NO_TIME;

static bool
is_fresh(TimestampTz last_at, TimestampTz now)
{
	return last_at != POOL_NO_TIME && now >= last_at &&
		now - last_at < NOTE_EVERY;
}

/* The time of the last tick, as noted; NO_TIME = there was none. */
static TimestampTz
read_last(void)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *table = pool_work_table(work, POOL_TICK_STATE);
	TimestampTz last_at = POOL_NO_TIME;
	bool		isnull;

	noted_at = POOL_NO_TIME;
	if (pool_table_find(table, POOL_TICK_STATE_PKEY, pool_snapshot(), NULL,
						0))
	{
		Datum		xmin = slot_getsysattr(table->old,
										   MinTransactionIdAttributeNumber,
										   &isnull);

		last_at = DatumGetTimestampTz(slot_getattr(table->old,
												   TICK_STATE_LAST_AT,
												   &isnull));
		/* our own may still be undone */
		if (!TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin)))
			noted_at = last_at;
	}
	pool_work_end(work);
	return last_at;
}

/* Longer than an hour, and than a worker stays away by itself. */
static bool
is_downtime(TimestampTz last_at, TimestampTz now)
{
	int64		naptime = pool_worker_naptime * INT64CONST(1000);

	return last_at != POOL_NO_TIME &&
		now - last_at > Max(LEAST_DOWNTIME, naptime + NOTE_EVERY);
}

/*
 * Writes down that ticks run.  False if another one is about to do so: its
 * transaction is not over, and nobody waits for it.
 */
static bool
write_now(TimestampTz last_at, TimestampTz now)
{
	Oid			types[2] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[2] = {TimestampTzGetDatum(now),
	TimestampTzGetDatum(last_at)};
	PoolSql		sql;

	if (!ConditionalLockRelationOid(pool_table_oid(POOL_TICK_STATE),
									ShareUpdateExclusiveLock))
		return false;
	sql = pool_sql_begin();
	pool_sql_run("INSERT INTO pool.tick_state (last_at) VALUES ($1)"
				 " ON CONFLICT (id) DO UPDATE SET last_at = $1",
				 1, types, values, NULL);
	if (is_downtime(last_at, now))
	{
		pool_sql_run("INSERT INTO pool.downtime (started_at, ended_at)"
					 " VALUES ($2, $1) ON CONFLICT DO NOTHING",
					 2, types, values, NULL);
		/* old ones matter to nothing that is still due */
		pool_sql_run("DELETE FROM pool.downtime WHERE ended_at < $1"
					 " - (SELECT coalesce(max(catch_up), '0') FROM pool.pool)"
					 " - interval '100 days'", 1, types, values, NULL);
	}
	pool_sql_end(sql);
	return true;
}

/*
 * Notes that a tick runs.  False if it must not act yet, because another one is
 * just finding out what became due while none ran.
 */
bool
pool_downtime_note(TimestampTz now)
{
	TimestampTz last_at;

	if (is_fresh(noted_at, now))
		return true;
	last_at = read_last();
	if (is_fresh(last_at, now))
		return true;
	if (!write_now(last_at, now))
		return !is_downtime(last_at, now);
	CommandCounterIncrement();
	pool_config_refresh();
	return true;
}
