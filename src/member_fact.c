/*
 * member_fact.c
 *	  A tick's task: what conditions on members, and strategies, see of their
 *	  results.
 *
 * Once an hour, tenant by tenant, where claim, routing or reward rules may look
 * at them.  Facts come from the roll-ups, so that they cost in proportion to
 * members and days; segments come from the log and are kept only for tenants
 * that use best_match.
 */
#include "compat.h"
#include "member_fact.h"

#include "catalog/pg_type.h"
#include "lock.h"
#include "miscadmin.h"
#include "sql.h"
#include "table.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* min(), since LIMIT 1 would look members up one by one */
#define STALE_SQL \
	"SELECT min(m.tenant_id) FROM pool.member m" \
	" LEFT JOIN pool.member_fact f ON f.member_id = m.id" \
	" WHERE m.status <> 'left'" \
	" AND (f.at IS NULL OR f.at < $1 - interval '1 hour' OR f.at > $1)"

/* $1: now, $2: tenant; a day is the pool's, as in the roll-ups */
#define FACTS_SQL \
	"WITH result AS (" \
	" SELECT s.member_id, sum(s.ended) AS ended," \
	"  sum(s.converted) AS converted," \
	"  sum(s.first_responses) AS responses," \
	"  sum(s.first_response_seconds_sum) AS seconds" \
	" FROM pool.member_sum s JOIN pool.pool p ON p.id = s.pool_id" \
	" WHERE p.tenant_id = $2" \
	"  AND s.day > ($1 AT TIME ZONE pool.pool_zone(p.id))::date - 90" \
	" GROUP BY s.member_id)," \
	" late AS (" \
	" SELECT s.owner_id, count(*) AS overdue FROM pool.lead_state s" \
	" CROSS JOIN LATERAL pool.next_timer(s.id) n" \
	" WHERE s.tenant_id = $2 AND s.owner_id IS NOT NULL" \
	"  AND s.check_at <= $1 AND n.due_at <= $1" \
	" GROUP BY s.owner_id)," \
	" fact AS (" \
	" SELECT m.id, m.status = 'active' AS active," \
	"  coalesce(r.ended, 0) AS ended," \
	"  coalesce(r.converted, 0) AS converted," \
	"  round(r.converted::numeric / nullif(r.ended, 0), 4) AS rate," \
	"  round(r.seconds::numeric / nullif(r.responses, 0), 1) AS response," \
	"  coalesce(l.overdue, 0) AS overdue" \
	" FROM pool.member m LEFT JOIN result r ON r.member_id = m.id" \
	" LEFT JOIN late l ON l.owner_id = m.id" \
	" WHERE m.tenant_id = $2 AND m.status <> 'left')," \
	" place AS (" \
	" SELECT f.id, round(rank() OVER (ORDER BY f.rate DESC)::numeric" \
	"  / count(*) OVER (), 4) AS rank" \
	" FROM fact f WHERE f.active AND f.rate IS NOT NULL)" \
	" INSERT INTO pool.member_fact AS t (member_id, tenant_id, at," \
	"  ended_90d, converted_90d, conversion_rate, rank," \
	"  first_response_seconds, overdue)" \
	" SELECT f.id, $2, $1, f.ended, f.converted, f.rate, p.rank," \
	"  f.response, f.overdue" \
	" FROM fact f LEFT JOIN place p ON p.id = f.id ORDER BY f.id" \
	" ON CONFLICT (member_id) DO UPDATE SET at = excluded.at," \
	"  ended_90d = excluded.ended_90d," \
	"  converted_90d = excluded.converted_90d," \
	"  conversion_rate = excluded.conversion_rate, rank = excluded.rank," \
	"  first_response_seconds = excluded.first_response_seconds," \
	"  overdue = excluded.overdue"

#define SEGMENTS_SQL \
	"WITH used AS MATERIALIZED (" \
	" SELECT FROM pool.routing_rule r WHERE r.tenant_id = $2" \
	"  AND r.strategy = 'best_match' AND r.enabled LIMIT 1)," \
	" now AS (" \
	" SELECT e.former_id AS member_id, coalesce(e.source, '') AS source," \
	"  coalesce(e.grade, '') AS grade, count(*) AS ended," \
	"  count(*) FILTER (WHERE e.kind = 'converted') AS converted" \
	" FROM pool.event_effect e" \
	" WHERE EXISTS (SELECT FROM used) AND e.tenant_id = $2" \
	"  AND e.state_before = 'owned' AND e.former_id IS NOT NULL" \
	"  AND e.at > $1 - interval '365 days'" \
	" GROUP BY 1, 2, 3)," \
	" gone AS (" \
	" DELETE FROM pool.member_segment s WHERE s.tenant_id = $2" \
	"  AND NOT EXISTS (SELECT FROM now n WHERE n.member_id = s.member_id" \
	"   AND n.source = s.source AND n.grade = s.grade))" \
	" INSERT INTO pool.member_segment AS t" \
	"  (member_id, source, grade, tenant_id, ended, converted)" \
	" SELECT member_id, source, grade, $2, ended, converted FROM now" \
	" ON CONFLICT (member_id, source, grade) DO UPDATE SET" \
	"  ended = excluded.ended, converted = excluded.converted" \
	"  WHERE (t.ended, t.converted) <> (excluded.ended, excluded.converted)"

/* Whether there ever was a rule that may look at facts. */
bool
pool_fact_wanted(void)
{
	return !pool_index_unused(POOL_CLAIM_RULE_NAME) ||
		!pool_index_unused(POOL_ROUTING_RULE_NAME) ||
		!pool_index_unused(POOL_REWARD_RULE_NAME);
}

/*
 * Whether the oldest facts are still good, those of new members aside: they
 * come with the next round.  What every tick asks, however many members.
 */
static bool
are_fresh(TimestampTz now)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *facts = pool_work_table(work, POOL_MEMBER_FACT);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(facts->rel,
										 pool_work_index(facts, POOL_MEMBER_FACT_AT),
										 snapshot, NULL, 0);
	bool		fresh = false;
	bool		isnull;

	if (index_getnext_slot(scan, ForwardScanDirection, facts->old))
	{
		TimestampTz at = DatumGetTimestampTz(slot_getattr(facts->old,
														  MEMBER_FACT_AT,
														  &isnull));

		fresh = at <= now && now - at <= USECS_PER_HOUR;
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	return fresh;
}

/*
 * The first tenant with facts that are missing or old, 0 if there is none:
 * then any old ones left are of members who have gone, and are deleted.
 */
static int32
stale_tenant(TimestampTz now)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1] = {TimestampTzGetDatum(now)};
	int32		tenant_id;

	pool_sql_run(STALE_SQL, 1, types, values, NULL);
	tenant_id = pool_sql_int4(0, 1);
	if (tenant_id != 0)
		return tenant_id;
	pool_sql_run("DELETE FROM pool.member_fact f WHERE NOT EXISTS"
				 " (SELECT FROM pool.member m WHERE m.id = f.member_id"
				 "  AND m.status <> 'left')", 0, NULL, NULL, NULL);
	return 0;
}

/* Computes the facts of a tenant's members; returns how many. */
static int64
refresh(int32 tenant_id, TimestampTz now)
{
	Oid			types[2] = {TIMESTAMPTZOID, INT4OID};
	Datum		values[2] = {TimestampTzGetDatum(now),
	Int32GetDatum(tenant_id)};
	int64		done = pool_sql_run(FACTS_SQL, 2, types, values, NULL);

	(void) pool_sql_run(SEGMENTS_SQL, 2, types, values, NULL);
	/* what is left of rules that are gone */
	(void) pool_sql_run("WITH gone AS (DELETE FROM pool.routing_credit c"
						"  WHERE c.tenant_id = $2 AND NOT EXISTS (SELECT"
						"   FROM pool.routing_rule r"
						"   WHERE r.id = c.rule_id))"
						" DELETE FROM pool.routing_state s"
						" WHERE s.tenant_id = $2 AND $1 IS NOT NULL"
						" AND NOT EXISTS (SELECT FROM pool.routing_rule r"
						"  WHERE r.id = s.rule_id)",
						2, types, values, NULL);
	return done;
}

/*
 * Computes the facts of every tenant that has old ones or lacks some: all in
 * one go, because from then on the oldest facts are fresh.  Not while another
 * tick does.
 */
PoolTickResult
pool_fact_run(int max_leads, TimestampTz now)
{
	PoolTickResult result = {0, false};
	PoolSql		sql;
	int32		tenant_id;

	if (!pool_fact_wanted() || are_fresh(now) ||
		!pool_lock_try(POOL_MEMBER_FACT, 0))
		return result;
	sql = pool_sql_begin();
	while ((tenant_id = stale_tenant(now)) != 0)
	{
		CHECK_FOR_INTERRUPTS();
		result.done += refresh(tenant_id, now);
	}
	pool_sql_end(sql);
	return result;
}
