/*
 * recheck.c
 *	  Timers of owned leads after a change of rules.
 *
 * A trigger notes the pools concerned in timer_recheck; ticks walk over their
 * owned leads in chunks and compute check_at anew.  A transaction that took a
 * lead by the old rules may commit after the walk has passed it.  Whoever
 * still used the old rules had his transaction id when the new ones became
 * visible, so the row is kept until a walk has begun after all ids of that
 * time have ended.
 */
#include "compat.h"
#include "recheck.h"

#include "batch.h"
#include "catalog/pg_type.h"
#include "due.h"
#include "sql.h"
#include "utils/snapmgr.h"

#define LEADS_PER_CHUNK 1000

/* The next owned leads of the pool, by id. */
static int
recheck_ids(int32 pool_id, int64 after, int max, int64 *ids)
{
	Oid			types[3] = {INT4OID, INT8OID, INT4OID};
	Datum		values[3] = {Int32GetDatum(pool_id), Int64GetDatum(after),
	Int32GetDatum(max)};
	PoolSql		sql = pool_sql_begin();
	int			n;
	bool		isnull;

	n = pool_sql_run("SELECT id FROM pool.lead_state"
					 " WHERE pool_id = $1 AND owner_id IS NOT NULL"
					 " AND id > $2 ORDER BY id LIMIT $3",
					 3, types, values, NULL);
	for (int i = 0; i < n; i++)
		ids[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
											 SPI_tuptable->tupdesc, 1,
											 &isnull));
	pool_sql_end(sql);
	return n;
}

static const char *
check_owned(void *arg, const PoolLead *lead)
{
	return lead->status == POOL_OWNED ? NULL : "not_owned";
}

/*
 * Computes check_at anew, waiting for nobody.  Returns how many leads were
 * done before the first one that somebody holds.
 */
static int
recheck_leads(int32 tenant_id, const int64 *ids, int n)
{
	PoolCall	call = {0};
	PoolActor	actor = {0, tenant_id};
	PoolBatch  *batch;
	PoolTable  *leads;
	int			done;

	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	batch = pool_batch_begin(&call, &actor, ids, n, check_owned, NULL);
	for (done = 0; done < n; done++)
	{
		pool_batch_lock_one(batch, &batch->items[done], false);
		if (batch->items[done].outcome != NULL &&
			strcmp(batch->items[done].outcome, "contended") == 0)
			break;
	}
	leads = pool_work_table(call.work, POOL_LEAD_STATE);
	for (int i = 0; i < done; i++)
	{
		PoolLead   *lead = &batch->items[i].lead;
		TimestampTz check_at;

		if (batch->items[i].outcome != NULL)
			continue;
		check_at = pool_due_check_at(lead);
		if (check_at == lead->check_at)
			continue;
		pool_lead_reload(leads, lead);
		lead->check_at = check_at;
		pool_lead_note(leads, lead);
	}
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
	return done;
}

/*
 * Takes the first pool that can be walked, and holds its row: two ticks do not
 * share a pool.  Returns its id, 0 if there is none, and where to go on.
 */
static int32
take_pool(int64 *after)
{
	PoolSql		sql = pool_sql_begin();
	int32		pool_id = 0;
	bool		isnull;

	/* a horizon from another cluster's ids means nothing here */
	if (pool_sql_run("WITH now AS (SELECT pg_current_snapshot() AS s),"
					 " r AS (SELECT pool_id FROM pool.timer_recheck, now"
					 " WHERE horizon IS NULL OR walk_xmin IS NOT NULL OR"
					 "  horizon <= pg_snapshot_xmin(s) OR"
					 "  horizon > pg_snapshot_xmax(s)"
					 " ORDER BY pool_id LIMIT 1 FOR UPDATE OF timer_recheck"
					 "  SKIP LOCKED)"
					 " UPDATE pool.timer_recheck t SET"
					 "  horizon = least(t.horizon, pg_snapshot_xmax(s)),"
					 "  walk_xmin = coalesce(t.walk_xmin,"
					 "   pg_snapshot_xmin(s))"
					 " FROM r, now WHERE t.pool_id = r.pool_id"
					 " RETURNING t.pool_id, t.after_lead",
					 0, NULL, NULL, NULL) > 0)
	{
		pool_id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
											  SPI_tuptable->tupdesc, 1,
											  &isnull));
		*after = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 2,
											 &isnull));
	}
	pool_sql_end(sql);
	return pool_id;
}

/* Notes how far the walk is, or that it is over. */
static void
advance(int32 pool_id, int64 after, bool over)
{
	Oid			types[2] = {INT4OID, INT8OID};
	Datum		values[2] = {Int32GetDatum(pool_id), Int64GetDatum(after)};
	PoolSql		sql = pool_sql_begin();

	if (!over)
		pool_sql_run("UPDATE pool.timer_recheck SET after_lead = $2"
					 " WHERE pool_id = $1", 2, types, values, NULL);
	else
	{
		pool_sql_run("DELETE FROM pool.timer_recheck"
					 " WHERE pool_id = $1 AND walk_xmin >= horizon",
					 1, types, values, NULL);
		pool_sql_run("UPDATE pool.timer_recheck"
					 " SET after_lead = 0, walk_xmin = NULL"
					 " WHERE pool_id = $1", 1, types, values, NULL);
	}
	pool_sql_end(sql);
}

/* The next chunk of the first pool whose rules have changed. */
PoolTickResult
pool_recheck_run(int max_leads, TimestampTz now)
{
	PoolTickResult result = {0, false};
	int64		after = 0;
	int32		pool_id = take_pool(&after);
	const PoolConf *pool;
	int64	   *ids;
	int			n;
	int			done = 0;

	if (pool_id == 0)
		return result;
	pool_config_refresh();
	pool = pool_config_find_pool(pool_id);
	max_leads = Min(max_leads, LEADS_PER_CHUNK);
	ids = palloc(max_leads * sizeof(int64));
	n = pool == NULL ? 0 : recheck_ids(pool_id, after, max_leads, ids);
	if (n > 0)
		done = recheck_leads(pool->tenant_id, ids, n);
	advance(pool_id, done > 0 ? ids[done - 1] : after,
			done == n && n < max_leads);
	result.done = done;
	result.more = done == n;
	return result;
}
