/*
 * routing_retry.c
 *	  A tick's task: leads that wait to be routed are tried again.
 *
 * What was in vain is tried again when something has changed that the answer
 * may hang on: rules, members, their status, who has room.  A digest of all
 * that, per pool, tells; what it does not see (documents, cooldowns, time) is
 * covered by trying again after a while anyway.  A pass goes through the
 * waiting leads of a pool in the order of the queue, in bounded steps, and ends
 * as soon as nobody has room any more.
 */
#include "compat.h"
#include "routing_retry.h"

#include "attempt.h"
#include "catalog/pg_type.h"
#include "lock.h"
#include "miscadmin.h"
#include "route.h"
#include "sql.h"
#include "utils/timestamp.h"

/* tried again although nothing is known to have changed */
#define RETRY_AFTER (15 * USECS_PER_MINUTE)

/* a lead to be tried */
typedef struct Waiting
{
	int64		lead_id;
	int64		ticket;			/* of passes only */
	int32		pool_id;
	int32		excluded_id;
} Waiting;

/* ------------------------------------------------------------------------
 * Trying
 * ------------------------------------------------------------------------ */

/* What a try has come to. */
typedef struct Tally
{
	int64		tried;
	int64		given;			/* or suggested */
	int64		put_off;		/* failed, and wait for a pass now */
	bool		full;			/* nobody has room for any of the rest */
	bool		held;			/* others hold counters: not now */
} Tally;

/*
 * Tries these leads, waiting for no lead.  Counters of all their pools are
 * locked at once, in order; what this transaction has locked before may come
 * after them, and then they are not waited for.
 */
static void
try_leads(const Waiting *leads, int n, TimestampTz now, Tally *tally)
{
	PoolWork   *work = pool_work_begin();
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	PoolQuotaSet *set = pool_quota_begin(work, snapshot);
	PoolRoute  *route = pool_route_begin(work, set, 0);
	bool		wait = !pool_quota_any_held();

	for (int i = 0; i < n; i++)
		if (i == 0 || leads[i].pool_id != leads[i - 1].pool_id)
			(void) pool_route_add_pool(route, leads[i].pool_id);
	tally->held = !wait && !pool_route_try_lock(route);
	if (!tally->held)
	{
		pool_quota_lock(set);
		pool_route_ready(route, now);
	}
	for (int i = 0; i < n && !tally->full && !tally->held; i++)
	{
		PoolRouted	routed;

		CHECK_FOR_INTERRUPTS();
		if (!pool_route_by_id(route, leads[i].lead_id, leads[i].pool_id,
							  leads[i].excluded_id, &routed))
			continue;
		tally->tried++;
		if (routed.member_id != 0)
			tally->given++;
		else
			tally->full = leads[i].ticket != 0 && pool_route_full(route);
	}
	pool_route_end(route);
	pool_quota_write(set);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
}

/* Leads under trial. */
typedef struct Trial
{
	const Waiting *leads;
	int			n;
	TimestampTz now;
	Tally		tally;
} Trial;

static void
try_all(void *arg)
{
	Trial	   *trial = arg;

	try_leads(trial->leads, trial->n, trial->now, &trial->tally);
}

static void
try_some(void *arg, int from, int n)
{
	Trial	   *trial = arg;
	Tally		tally = trial->tally;

	if (tally.full || tally.held)
		return;
	try_leads(&trial->leads[from], n, trial->now, &tally);
	trial->tally = tally;
}

static void
report(const Trial *trial, int which, const ErrorData *error)
{
	pool_attempt_report(error, psprintf(pool_text("routing of pool %d"),
										trial->leads[0].pool_id),
						which < 0 ? 0 : trial->leads[which].lead_id);
}

/*
 * A lead that has failed counts as tried: it waits for the next pass through
 * its pool, and is not in the way of what comes back after it.
 */
static bool
put_off(int64 lead_id, TimestampTz now)
{
	Oid			types[2] = {INT8OID, TIMESTAMPTZOID};
	Datum		values[2] = {Int64GetDatum(lead_id), TimestampTzGetDatum(now)};
	PoolSql		sql = pool_sql_begin();
	bool		done;

	done = pool_sql_run("UPDATE pool.routing_wait u SET tried_at ="
						" greatest($2, w.entered_at) FROM ("
						" SELECT w.ctid AS place, s.entered_at"
						" FROM pool.routing_wait w"
						" JOIN pool.lead_state s ON s.id = w.lead_id"
						" WHERE w.lead_id = $1 AND w.tried_at IS NULL"
						" FOR UPDATE OF w SKIP LOCKED) w"
						" WHERE u.ctid = w.place",
						2, types, values, NULL) > 0;
	pool_sql_end(sql);
	return done;
}

static void
fail_one(void *arg, int which, const ErrorData *error)
{
	Trial	   *trial = arg;

	report(trial, which, error);
	if (put_off(trial->leads[which].lead_id, trial->now))
		trial->tally.put_off++;
}

/*
 * The same for leads of one pool: what fails stops no other.  False if all was
 * given up.
 */
static bool
try_pool(const Waiting *leads, int n, TimestampTz now, Tally *tally)
{
	Trial		trial = {leads, n, now, *tally};
	PoolParts	parts = {.arg = &trial,.work = try_some,.failed = fail_one};
	ErrorData  *error = pool_attempt_parts(&parts, n);

	*tally = trial.tally;
	if (error != NULL)
		report(&trial, -1, error);
	return error == NULL;
}

/* ------------------------------------------------------------------------
 * Leads that came back
 * ------------------------------------------------------------------------ */

/* Runs a query for lead, ticket, pool and excluded member. */
static int
read_waiting(const char *query, int nargs, Oid *types, Datum *values,
			 Waiting *leads)
{
	PoolSql		sql = pool_sql_begin();
	int			n = pool_sql_run(query, nargs, types, values, NULL);

	for (int i = 0; i < n; i++)
	{
		leads[i].lead_id = pool_sql_int8(i, 1);
		leads[i].ticket = pool_sql_int8(i, 2);
		leads[i].pool_id = pool_sql_int4(i, 3);
		leads[i].excluded_id = pool_sql_int4(i, 4);
	}
	pool_sql_end(sql);
	return n;
}

/*
 * Drops rows of leads that are not to be had any more in these pools.  Waits
 * for nobody; after counters, since who writes rows holds counters.
 */
static void
forget_gone(int32 first_pool, int32 last_pool, bool untried)
{
	Oid			types[3] = {INT4OID, INT4OID, BOOLOID};
	Datum		values[3] = {Int32GetDatum(first_pool),
	Int32GetDatum(last_pool), BoolGetDatum(untried)};
	PoolSql		sql = pool_sql_begin();

	pool_sql_run("DELETE FROM pool.routing_wait WHERE ctid = ANY (ARRAY ("
				 " SELECT w.ctid FROM pool.routing_wait w"
				 " WHERE w.pool_id BETWEEN $1 AND $2"
				 " AND (w.tried_at IS NULL OR NOT $3)"
				 " AND NOT EXISTS (SELECT FROM pool.lead_state s"
				 "  WHERE s.id = w.lead_id AND s.pool_id = w.pool_id"
				 "  AND s.ticket IS NOT NULL"
				 "  AND (w.tried_at >= s.entered_at) IS NOT FALSE)"
				 " FOR UPDATE SKIP LOCKED))", 3, types, values, NULL);
	pool_sql_end(sql);
}

/* All at once, so that counters are locked in order; else pool by pool. */
static void
try_pools(const Waiting *leads, int n, TimestampTz now, Tally *tally)
{
	Trial		trial = {leads, n, now, *tally};

	if (pool_attempt(try_all, &trial) == NULL)
	{
		*tally = trial.tally;
		return;
	}
	for (int from = 0, to; from < n; from = to)
	{
		for (to = from + 1; to < n; to++)
			if (leads[to].pool_id != leads[from].pool_id)
				break;
		(void) try_pool(&leads[from], to - from, now, tally);
	}
}

/*
 * Routes what came back by time.  Leads that somebody holds, and pools that are
 * given up, are left for the next tick; so are those still hidden, which may be
 * many, and take no room in the batch.
 */
static Tally
route_returned(int max_leads, TimestampTz now)
{
	Tally		tally = {0};
	Waiting    *leads = palloc(max_leads * sizeof(Waiting));
	Oid			types[2] = {INT4OID, TIMESTAMPTZOID};
	Datum		values[2] = {Int32GetDatum(max_leads),
	TimestampTzGetDatum(now)};
	int			n = read_waiting("SELECT w.lead_id, 0::bigint, w.pool_id,"
								 " w.excluded_id FROM pool.routing_wait w"
								 " JOIN pool.pool p ON p.id = w.pool_id"
								 " WHERE w.tried_at IS NULL AND NOT EXISTS ("
								 "  SELECT FROM pool.lead_state s"
								 "  WHERE s.id = w.lead_id"
								 "  AND s.pool_id = w.pool_id"
								 "  AND s.hidden_until > $2)"
								 " ORDER BY w.pool_id, w.lead_id LIMIT $1",
								 2, types, values, leads);

	if (n > 0)
	{
		try_pools(leads, n, now, &tally);
		forget_gone(leads[0].pool_id, leads[n - 1].pool_id, true);
	}
	pfree(leads);
	return tally;
}

/* ------------------------------------------------------------------------
 * Passes
 * ------------------------------------------------------------------------ */

/* all pools that leads of the pool may reach, and what answers hang on there */
#define DIGEST_SQL \
	"WITH RECURSIVE reach AS (" \
	" SELECT $1::integer AS id UNION" \
	" SELECT r.to_pool_id FROM reach h" \
	" JOIN pool.routing_rule r ON r.pool_id = h.id" \
	" WHERE r.enabled AND r.to_pool_id IS NOT NULL)," \
	" config AS (" \
	" SELECT p.xmin::text || ' ' || p.ctid::text AS line" \
	" FROM pool.pool p JOIN reach h ON h.id = p.id" \
	" UNION ALL" \
	" SELECT r.xmin::text || ' ' || r.ctid::text" \
	" FROM pool.routing_rule r JOIN reach h ON h.id = r.pool_id" \
	" UNION ALL" \
	" SELECT concat_ws(' ', m.id, m.xmin, m.ctid, s.xmin, s.ctid," \
	"  c.status, c.held < coalesce(s.hold_limit, p.hold_limit)," \
	"  (SELECT sum(a.held) FROM pool.membership_state a" \
	"   WHERE m.hold_limit IS NOT NULL AND a.member_id = m.id)" \
	"  < m.hold_limit)" \
	" FROM pool.pool p JOIN reach h ON h.id = p.id" \
	" JOIN pool.member m ON m.tenant_id = p.tenant_id" \
	" LEFT JOIN pool.membership s" \
	"  ON s.pool_id = p.id AND s.member_id = m.id" \
	" LEFT JOIN pool.membership_state c" \
	"  ON c.pool_id = p.id AND c.member_id = m.id" \
	" WHERE p.everyone OR s.member_id IS NOT NULL)," \
	" digest AS (SELECT md5(string_agg(line, ';' ORDER BY line)) AS now" \
	" FROM config)"

/*
 * Makes sure that the pool has a row; false if it cannot have one just now.
 * Adding a row waits for others who are adding the same one, so two ticks that
 * go through several pools could wait for each other: only one at a time adds.
 */
static bool
ensure_row(int32 pool_id)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(pool_id)};

	if (pool_sql_run("SELECT FROM pool.routing_retry WHERE pool_id = $1",
					 1, types, values, NULL) > 0)
		return true;
	if (!pool_lock_try(POOL_ROUTING_WAIT, 0))
		return false;
	pool_sql_run("INSERT INTO pool.routing_retry (pool_id, tenant_id)"
				 " SELECT w.pool_id, w.tenant_id FROM pool.routing_wait w"
				 " WHERE w.pool_id = $1 LIMIT 1"
				 " ON CONFLICT (pool_id) DO NOTHING",
				 1, types, values, NULL);
	return true;
}

/*
 * Takes a pool whose waiting leads are worth another try, and holds its row of
 * routing_retry.  Returns its id, 0 if there is none, and where to go on.
 */
static int32
take_pool(TimestampTz now, int64 *after_ticket)
{
	Oid			types[2] = {INT4OID, TIMESTAMPTZOID};
	Datum		values[2];
	PoolSql		sql = pool_sql_begin();
	int32		pool_id = 0;

	values[0] = Int32GetDatum(0);
	while (pool_sql_run("SELECT pool_id, tenant_id FROM pool.routing_wait"
						" WHERE pool_id > $1 ORDER BY pool_id LIMIT 1",
						1, types, values, NULL) > 0)
	{
		values[0] = Int32GetDatum(pool_sql_int4(0, 1));
		values[1] = TimestampTzGetDatum(now - RETRY_AFTER);
		if (!ensure_row(DatumGetInt32(values[0])))
			continue;
		if (pool_sql_run(DIGEST_SQL
						 ", r AS (SELECT * FROM pool.routing_retry"
						 "  WHERE pool_id = $1 FOR UPDATE SKIP LOCKED)"
						 " UPDATE pool.routing_retry t SET begun_with ="
						 "  CASE WHEN r.after_ticket > 0 THEN t.begun_with"
						 "  ELSE d.now END"
						 " FROM r, digest d WHERE t.pool_id = r.pool_id"
						 " AND (r.after_ticket > 0"
						 "  OR r.ended_with IS DISTINCT FROM d.now"
						 "  OR r.ended_at IS NULL"
						 "  OR r.ended_at NOT BETWEEN $2"
						 "   AND $2 + interval '15 minutes')"
						 " RETURNING t.pool_id, t.after_ticket",
						 2, types, values, NULL) == 0)
			continue;
		pool_id = pool_sql_int4(0, 1);
		*after_ticket = pool_sql_int8(0, 2);
		break;
	}
	pool_sql_end(sql);
	return pool_id;
}

/* Notes how far the pass is (a ticket), or that it is over (0). */
static void
advance(int32 pool_id, int64 after_ticket, TimestampTz now)
{
	Oid			types[3] = {INT4OID, INT8OID, TIMESTAMPTZOID};
	Datum		values[3] = {Int32GetDatum(pool_id),
	Int64GetDatum(after_ticket), TimestampTzGetDatum(now)};
	PoolSql		sql = pool_sql_begin();

	pool_sql_run("UPDATE pool.routing_retry SET after_ticket = $2,"
				 " ended_with = CASE WHEN $2 = 0 THEN begun_with"
				 "  ELSE ended_with END,"
				 " ended_at = CASE WHEN $2 = 0 THEN $3 ELSE ended_at END"
				 " WHERE pool_id = $1", 3, types, values, NULL);
	pool_sql_end(sql);
}

/* One step of the pass through this pool. */
static Tally
pass_on(int32 pool_id, int64 after_ticket, int max_leads, TimestampTz now)
{
	Waiting    *leads = palloc(max_leads * sizeof(Waiting));
	Oid			types[3] = {INT4OID, INT8OID, INT4OID};
	Datum		values[3] = {Int32GetDatum(pool_id),
	Int64GetDatum(after_ticket), Int32GetDatum(max_leads)};
	Tally		tally = {0};
	bool		over;
	int			n;

	n = read_waiting("SELECT w.lead_id, s.ticket, w.pool_id, w.excluded_id"
					 " FROM pool.routing_wait w"
					 " JOIN pool.pool p ON p.id = w.pool_id"
					 " JOIN pool.lead_state s ON s.id = w.lead_id"
					 "  AND s.pool_id = w.pool_id"
					 " WHERE w.pool_id = $1 AND s.ticket > $2"
					 " AND w.tried_at >= s.entered_at"
					 " ORDER BY s.ticket LIMIT $3",
					 3, types, values, leads);
	over = n < max_leads;
	if (n > 0)
		over |= !try_pool(leads, n, now, &tally) || tally.full;
	if (tally.held)
		return tally;
	if (over)
		forget_gone(pool_id, pool_id, false);
	advance(pool_id, over ? 0 : leads[n - 1].ticket, now);
	pfree(leads);
	return tally;
}

/* Whether any lead waits at all; most ticks find out here and cost nothing. */
static bool
any_waiting(void)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *table = pool_work_table(work, POOL_ROUTING_WAIT);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(table->rel,
										 pool_work_index(table, POOL_ROUTING_WAIT_PKEY),
										 snapshot, NULL, 0);
	bool		any = index_getnext_slot(scan, ForwardScanDirection,
										 table->old);

	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	return any;
}

/*
 * Tries leads that wait: first those that came back, then those of one pool
 * for which something has changed.  One batch locks counters but once.
 */
PoolTickResult
pool_routing_run(int max_leads, TimestampTz now)
{
	PoolTickResult result = {0, false};
	int64		after_ticket = 0;
	int32		pool_id;
	Tally		tally;

	if (pool_index_unused(POOL_ROUTING_WAIT_PKEY) || !any_waiting())
		return result;
	tally = route_returned(max_leads, now);
	result.done = tally.given;
	result.more = tally.tried + tally.put_off > 0;
	if (result.more)
		return result;
	pool_id = take_pool(now, &after_ticket);
	if (pool_id == 0)
		return result;
	tally = pass_on(pool_id, after_ticket, max_leads, now);
	result.done = tally.given;
	result.more = !tally.held;
	return result;
}
