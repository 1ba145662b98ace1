/*
 * recheck.c
 *	  Timers of leads after a change of rules.
 *
 * A trigger notes the pools concerned in timer_recheck, or a member in a pool;
 * ticks walk over the leads in chunks and compute check_at anew.  A transaction
 * that took a lead by the old rules may commit after the walk has passed it.
 * Whoever still used the old rules had his transaction id when the new ones
 * became visible, so the row is kept until a walk has begun after all ids of
 * that time have ended.
 */
#include "compat.h"
#include "recheck.h"

#include "attempt.h"
#include "batch.h"
#include "catalog/pg_type.h"
#include "due.h"
#include "sql.h"
#include "utils/snapmgr.h"

#define LEADS_PER_CHUNK 1000

/* A pool that is walked over, or one member's leads in it. */
typedef struct Walk
{
	int32		pool_id;		/* 0 = there is none */
	int32		member_id;		/* 0 = all leads */
	bool		everything;		/* those that nobody owns as well */
	bool		counted;		/* how many there are is known */
	int64		after;			/* up to this one they are done */
} Walk;

/* What the walk is about, for $1 the pool and $2 the member. */
static const char *
leads_of(const Walk *walk)
{
	if (walk->everything)
		return "pool.lead_state WHERE pool_id = $1"
			" AND status IN ('available', 'owned', 'review')"
			" AND ($2 = 0 OR owner_id = $2)";
	return "pool.lead_state WHERE pool_id = $1 AND owner_id IS NOT NULL"
		" AND ($2 = 0 OR owner_id = $2)";
}

/* The next leads of the walk, by id. */
static int
next_ids(const Walk *walk, int max, int64 *ids)
{
	Oid			types[4] = {INT4OID, INT4OID, INT8OID, INT4OID};
	Datum		values[4] = {Int32GetDatum(walk->pool_id),
		Int32GetDatum(walk->member_id), Int64GetDatum(walk->after),
	Int32GetDatum(max)};
	PoolSql		sql = pool_sql_begin();
	int			n;

	n = pool_sql_run(psprintf("SELECT id FROM %s AND id > $3"
							  " ORDER BY id LIMIT $4", leads_of(walk)),
					 4, types, values, NULL);
	for (int i = 0; i < n; i++)
		ids[i] = pool_sql_int8(i, 1);
	pool_sql_end(sql);
	return n;
}

/* Notes how many leads there are to do, when a walk begins. */
static void
count_leads(const Walk *walk)
{
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(walk->pool_id),
	Int32GetDatum(walk->member_id)};
	PoolSql		sql;

	if (walk->counted)
		return;
	sql = pool_sql_begin();
	pool_sql_run(psprintf("UPDATE pool.timer_recheck SET todo ="
						  " (SELECT count(*) FROM %s)"
						  " WHERE pool_id = $1 AND member_id = $2",
						  leads_of(walk)), 2, types, values, NULL);
	pool_sql_end(sql);
}

/* A lead whose check_at is right is not even locked. */
static const char *
check_outdated(void *arg, const PoolLead *lead)
{
	return pool_lead_is_open(lead) &&
		pool_due_check_at(lead) != lead->check_at ? NULL : "right";
}

/* Leads of one step of a walk. */
typedef struct Chunk
{
	int32		pool_id;
	int32		tenant_id;
	const int64 *ids;
	int			done;			/* before the first one that somebody holds */
} Chunk;

/* Locks leads until one is held by others; how many come before it. */
static int
lock_leads(PoolBatch *batch, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		pool_batch_lock_one(batch, &batch->items[i], false);
		if (batch->items[i].outcome != NULL &&
			strcmp(batch->items[i].outcome, "contended") == 0)
			break;
	}
	return i;
}

/* Computes check_at of some anew, waiting for nobody. */
static void
recheck_part(void *arg, int from, int n)
{
	Chunk	   *chunk = arg;
	PoolCall	call = {0};
	PoolActor	actor = {0, chunk->tenant_id};
	PoolBatch  *batch;
	PoolTable  *leads;
	int			done;

	if (chunk->done < from)
		return;
	call.work = pool_work_begin();
	call.snapshot = RegisterSnapshot(pool_snapshot());
	batch = pool_batch_begin(&call, &actor, &chunk->ids[from], n,
							 check_outdated, NULL);
	done = lock_leads(batch, n);
	leads = pool_work_table(call.work, POOL_LEAD_STATE);
	for (int i = 0; i < done; i++)
	{
		PoolLead   *lead = &batch->items[i].lead;

		if (batch->items[i].outcome != NULL)
			continue;
		pool_lead_reload(leads, lead);
		pool_lead_retime(leads, lead);
	}
	UnregisterSnapshot(call.snapshot);
	pool_work_end(call.work);
	chunk->done = from + done;
}

static void
report(const Chunk *chunk, int64 lead_id, const ErrorData *error)
{
	pool_attempt_report(error, psprintf(pool_text("change of timers of pool %d"),
										chunk->pool_id), lead_id);
}

/* The walk goes on without it. */
static void
leave_out(void *arg, int which, const ErrorData *error)
{
	Chunk	   *chunk = arg;

	report(chunk, chunk->ids[which], error);
	if (chunk->done == which)
		chunk->done++;
}

/*
 * Computes check_at of these leads anew.  Returns how many were done before
 * the first one that somebody holds.
 */
static int
recheck_leads(const PoolConf *pool, const int64 *ids, int n)
{
	Chunk		chunk = {pool->id, pool->tenant_id, ids, 0};
	PoolParts	parts = {.arg = &chunk,.work = recheck_part,.failed = leave_out};
	ErrorData  *error = pool_attempt_parts(&parts, n);

	if (error != NULL)
		report(&chunk, 0, error);
	return chunk.done;
}

/*
 * Takes the first walk after `last` that can be gone on with, and holds its
 * row: two ticks do not share a walk.
 */
static Walk
take_walk(const Walk *last)
{
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(last->pool_id),
	Int32GetDatum(last->member_id)};
	PoolSql		sql = pool_sql_begin();
	Walk		walk = {0};
	bool		isnull;

	/* a finished walk has left dead versions of its row behind */
	pool_sql_walk_indexes();
	/* a horizon from another cluster's ids means nothing here */
	if (pool_sql_run("WITH now AS (SELECT pg_current_snapshot() AS s),"
					 " r AS (SELECT pool_id, member_id"
					 " FROM pool.timer_recheck, now"
					 " WHERE (pool_id, member_id) > ($1, $2) AND"
					 "  (horizon IS NULL OR walk_xmin IS NOT NULL OR"
					 "   horizon <= pg_snapshot_xmin(s) OR"
					 "   horizon > pg_snapshot_xmax(s))"
					 " ORDER BY pool_id, member_id LIMIT 1"
					 "  FOR UPDATE OF timer_recheck SKIP LOCKED)"
					 " UPDATE pool.timer_recheck t SET"
					 "  horizon = least(t.horizon, pg_snapshot_xmax(s)),"
					 "  walk_xmin = coalesce(t.walk_xmin,"
					 "   pg_snapshot_xmin(s))"
					 " FROM r, now WHERE t.pool_id = r.pool_id"
					 " AND t.member_id = r.member_id"
					 " RETURNING t.pool_id, t.member_id, t.everything,"
					 " t.todo IS NOT NULL, t.after_lead",
					 2, types, values, NULL) > 0)
	{
		walk.pool_id = pool_sql_int4(0, 1);
		walk.member_id = pool_sql_int4(0, 2);
		walk.everything = DatumGetBool(pool_sql_datum(0, 3, &isnull));
		walk.counted = DatumGetBool(pool_sql_datum(0, 4, &isnull));
		walk.after = pool_sql_int8(0, 5);
	}
	pool_sql_end(sql);
	return walk;
}

/* Notes how far the walk is: `done` more leads; or that it is over. */
static void
advance(const Walk *walk, int done, bool over)
{
	Oid			types[4] = {INT4OID, INT4OID, INT8OID, INT4OID};
	Datum		values[4] = {Int32GetDatum(walk->pool_id),
		Int32GetDatum(walk->member_id), Int64GetDatum(walk->after),
	Int32GetDatum(done)};
	PoolSql		sql = pool_sql_begin();

	if (!over)
		pool_sql_run("UPDATE pool.timer_recheck"
					 " SET after_lead = $3, done = done + $4"
					 " WHERE pool_id = $1 AND member_id = $2",
					 4, types, values, NULL);
	else
	{
		pool_sql_run("DELETE FROM pool.timer_recheck WHERE pool_id = $1"
					 " AND member_id = $2 AND walk_xmin >= horizon",
					 2, types, values, NULL);
		pool_sql_run("UPDATE pool.timer_recheck SET after_lead = 0,"
					 " walk_xmin = NULL, todo = NULL, done = 0"
					 " WHERE pool_id = $1 AND member_id = $2",
					 2, types, values, NULL);
	}
	pool_sql_end(sql);
}

/* The next chunk of a walk; false if somebody holds the lead it stands at. */
static bool
walk_on(Walk *walk, int max_leads, int64 *done)
{
	const PoolConf *pool = pool_config_find_pool(walk->pool_id);
	int64	   *ids = palloc(max_leads * sizeof(int64));
	int			n = 0;
	int			passed = 0;

	if (pool != NULL)
	{
		count_leads(walk);
		n = next_ids(walk, max_leads, ids);
	}
	if (n > 0)
		passed = recheck_leads(pool, ids, n);
	if (passed > 0)
		walk->after = ids[passed - 1];
	advance(walk, passed, passed == n && n < max_leads);
	*done += passed;
	pfree(ids);
	return passed == n;
}

/*
 * The next chunk of the first pool whose rules have changed, and that nobody
 * keeps from going on.
 */
PoolTickResult
pool_recheck_run(int max_leads, TimestampTz now)
{
	PoolTickResult result = {0, false};
	Walk		walk = {0};

	max_leads = Min(max_leads, LEADS_PER_CHUNK);
	while (!result.more)
	{
		walk = take_walk(&walk);
		if (walk.pool_id == 0)
			break;
		pool_config_refresh();
		result.more = walk_on(&walk, max_leads, &result.done);
	}
	return result;
}
