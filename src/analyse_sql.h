/*
 * analyse_sql.h
 *	  The queries behind check_rules, compare and suggest_after.
 */
#ifndef POOL_ANALYSE_SQL_H
#define POOL_ANALYSE_SQL_H

/* $1 = tenants the caller may see, $2 = pool or NULL */
#define CHECK_RULES_SQL \
	"SELECT f.severity, f.object, f.rule, f.message, f.hint" \
	" FROM pool.rule_finding f WHERE f.tenant_id = ANY ($1)" \
	" AND ($2 IS NULL OR f.pool_id = $2)" \
	" ORDER BY array_position('{error,warning,info}'::text[], f.severity)," \
	"  f.object COLLATE \"C\", f.rule COLLATE \"C\" NULLS FIRST," \
	"  f.message COLLATE \"C\""

/*
 * $1 = pool, $2 = the moment, $3 = days, $4 = now.  side is false before and
 * true after; span is how many of the days have been.
 */
#define COMPARE_SQL \
	"WITH side AS (" \
	" SELECT s.side, s.from_at, least(s.until_at, $4) AS until_at," \
	"  extract(epoch FROM least(s.until_at, $4) - s.from_at) / 86400 AS span" \
	" FROM (VALUES (false, $2 - make_interval(hours => 24 * $3), $2)," \
	"  (true, $2, $2 + make_interval(hours => 24 * $3)))" \
	"  s (side, from_at, until_at)" \
	"), happened AS (" \
	" SELECT d.side, e.kind, count(*) AS n FROM side d" \
	" JOIN pool.event_effect e ON e.at >= d.from_at AND e.at < d.until_at" \
	" WHERE $1 = CASE WHEN e.kind IN ('released', 'reclaimed')" \
	"  THEN coalesce(e.from_pool_id, e.pool_id) ELSE e.pool_id END" \
	" AND (e.kind <> 'followed_up' OR e.detail -> 'counted' IS NULL)" \
	" GROUP BY d.side, e.kind" \
	"), fact AS (" \
	" SELECT m.ord, m.metric, d.side," \
	"  round(coalesce(h.n, 0) / nullif(greatest(d.span, 0), 0), 4) AS value," \
	"  coalesce(h.n, 0) AS sample" \
	" FROM unnest('{entered,claimed,assigned,followed_up,released," \
	"reclaimed,converted}'::text[]) WITH ORDINALITY m (metric, ord)" \
	" CROSS JOIN side d" \
	" LEFT JOIN happened h ON h.side = d.side AND h.kind = m.metric" \
	" UNION ALL" \
	" SELECT m.ord, m.metric, d.side," \
	"  round(count(*) FILTER (WHERE s.ended_by = m.ended_by)::numeric" \
	"   / nullif(count(s.lead_id), 0), 4), count(s.lead_id)" \
	" FROM (VALUES (8, 'conversion_rate', 'converted')," \
	"  (9, 'reclaim_rate', 'reclaimed'), (10, 'release_rate', 'released'))" \
	"  m (ord, metric, ended_by)" \
	" CROSS JOIN side d" \
	" LEFT JOIN pool.spell s ON s.pool_id = $1 AND s.ended_at >= d.from_at" \
	"  AND s.ended_at < d.until_at" \
	" GROUP BY m.ord, m.metric, d.side" \
	" UNION ALL" \
	" SELECT 11, 'response_rate', d.side, round(count(s.first_seconds)::numeric" \
	"  / nullif(count(s.lead_id), 0), 4), count(s.lead_id)" \
	" FROM side d LEFT JOIN pool.spell s ON s.pool_id = $1" \
	"  AND s.began_at >= d.from_at AND s.began_at < d.until_at" \
	" GROUP BY d.side" \
	" UNION ALL" \
	" SELECT 12, 'first_response_seconds', d.side," \
	"  round(avg(s.first_seconds), 1), count(s.first_seconds)" \
	" FROM side d LEFT JOIN pool.spell s ON s.pool_id = $1" \
	"  AND s.began_at >= d.from_at AND s.began_at < d.until_at" \
	" GROUP BY d.side)" \
	" SELECT b.metric, b.value, a.value, a.value - b.value, b.sample, a.sample" \
	" FROM fact b JOIN fact a ON a.ord = b.ord AND a.side" \
	" WHERE NOT b.side ORDER BY b.ord"

/*
 * $1 = rule, $2 = now, $3 = least number of cases.  A case is what the rule's
 * time runs over; it takes `cell` units of time (the first is 1), and either
 * it happened or it is censored.  Beyond the last cell of the present time
 * nothing is looked at.
 */
#define SUGGEST_SQL \
	"WITH r AS (" \
	" SELECT t.pool_id, t.basis, t.after, u.unit," \
	"  floor(extract(epoch FROM t.after) / u.unit)::integer AS cells" \
	" FROM pool.timer_rule t CROSS JOIN LATERAL (SELECT CASE WHEN t.after" \
	"  < interval '72 hours' THEN 3600 ELSE 86400 END AS unit) u" \
	" WHERE t.id = $1" \
	"), moment AS (" \
	" SELECT e.lead_id, e.pool_id, e.at, e.kind," \
	"  lead(e.at) OVER w AS next_at, lead(e.kind) OVER w AS next_kind" \
	" FROM pool.event_effect e" \
	" WHERE e.kind IN ('claimed', 'assigned', 'transferred')" \
	"  OR e.kind = 'followed_up' AND e.detail -> 'counted' IS NULL" \
	"  OR e.state_before = 'owned'" \
	" WINDOW w AS (PARTITION BY e.lead_id ORDER BY e.id)" \
	"), cases AS (" \
	" SELECT m.at, coalesce(m.next_at, $2) AS until_at," \
	"  coalesce(m.next_kind = 'followed_up', false) AS happened" \
	" FROM r JOIN moment m ON m.pool_id = r.pool_id" \
	" WHERE m.kind IN ('claimed', 'assigned', 'transferred')" \
	"   AND r.basis IN ('first_contact', 'follow_up')" \
	"  OR m.kind = 'followed_up' AND r.basis = 'follow_up'" \
	" UNION ALL" \
	" SELECT s.began_at, coalesce(s.ended_at, $2)," \
	"  coalesce(s.ended_by = 'converted', false)" \
	" FROM r JOIN pool.spell s ON s.pool_id = r.pool_id" \
	" WHERE r.basis = 'ownership'" \
	"), cell AS (" \
	" SELECT g.cell, count(*) AS leaving," \
	"  count(*) FILTER (WHERE g.happened) AS happened" \
	" FROM (SELECT greatest(ceil(extract(epoch FROM c.until_at - c.at)" \
	"  / r.unit), 1)::integer AS cell, c.happened FROM cases c, r" \
	"  WHERE c.at > $2 - interval '365 days') g GROUP BY g.cell" \
	"), risk AS (" \
	" SELECT c.cell, c.happened," \
	"  sum(c.leaving) OVER (ORDER BY c.cell DESC) AS at_risk FROM cell c" \
	"), curve AS (" \
	" SELECT k.cell, k.happened, 1 - exp(sum(CASE WHEN k.happened >= k.at_risk" \
	"  THEN -50 ELSE ln(1 - k.happened::double precision / k.at_risk) END)" \
	"  OVER (ORDER BY k.cell)) AS share" \
	" FROM risk k, r WHERE k.cell <= r.cells" \
	"), total AS (" \
	" SELECT coalesce(sum(c.happened), 0)::bigint AS n, max(c.share) AS share" \
	" FROM curve c)" \
	" SELECT CASE WHEN t.n >= $3 THEN (SELECT min(c.cell) FROM curve c" \
	"  WHERE c.share >= 0.95 * t.share) * CASE r.unit WHEN 3600" \
	"  THEN interval '1 hour' ELSE interval '1 day' END END," \
	" t.n, CASE WHEN t.n < $3 THEN 'insufficient data: ' || t.n || ' of '" \
	"  || $3 || ' cases' ELSE round((100 * t.share)::numeric, 1)" \
	"  || ' % happen within the present ' || r.after || ', 95 % of that'" \
	"  || ' by the time suggested' END" \
	" FROM r, total t"

#endif							/* POOL_ANALYSE_SQL_H */
