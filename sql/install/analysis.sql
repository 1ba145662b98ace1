-- Views for analysis: flow, service levels, fairness, ageing, patterns.
--
-- They are exact in the caller's snapshot: computed from leads and events as
-- they are now, so that they reach back as far as events have not been purged.
-- All of them say how they count in their comments.

CREATE VIEW pool.spell AS
SELECT s.lead_id, s.event_id, s.tenant_id, s.pool_id, s.member_id, s.began_by,
    s.began_at, s.source, s.grade, s.undone,
    CASE WHEN s.ended_by IS NOT NULL THEN s.ended_by
        WHEN s.next_by = 'transferred' THEN s.next_by END AS ended_by,
    CASE WHEN s.ended_by IS NOT NULL THEN s.ended_at
        WHEN s.next_by = 'transferred' THEN s.next_at END AS ended_at,
    s.ended_rule_id, s.amount, s.follow_ups, s.first_seconds
FROM (
    SELECT g.lead_id, g.spell,
        min(g.id) FILTER (WHERE g.begins) AS event_id,
        min(g.tenant_id) AS tenant_id,
        min(g.pool_id) FILTER (WHERE g.begins) AS pool_id,
        min(g.member_id) FILTER (WHERE g.begins) AS member_id,
        min(g.kind) FILTER (WHERE g.begins) AS began_by,
        min(g.at) FILTER (WHERE g.begins) AS began_at,
        min(g.source) FILTER (WHERE g.begins) AS source,
        min(g.grade) FILTER (WHERE g.begins) AS grade,
        coalesce(bool_or(g.detail ? 'undo') FILTER (WHERE g.begins), false)
            AS undone,
        min(g.kind) FILTER (WHERE g.ends) AS ended_by,
        min(g.at) FILTER (WHERE g.ends) AS ended_at,
        min(g.rule_id) FILTER (WHERE g.ends) AS ended_rule_id,
        min((g.detail ->> 'amount')::numeric) FILTER (WHERE g.ends)
            AS amount,
        count(*) FILTER (WHERE g.kind = 'followed_up'
            AND g.detail -> 'counted' IS NULL) AS follow_ups,
        min((g.detail ->> 'first_seconds')::bigint)
            FILTER (WHERE g.kind = 'followed_up'
            AND g.detail -> 'counted' IS NULL) AS first_seconds,
        lead(min(g.kind) FILTER (WHERE g.begins)) OVER w AS next_by,
        lead(min(g.at) FILTER (WHERE g.begins)) OVER w AS next_at
    FROM (
        SELECT e.id, e.at, e.lead_id, e.tenant_id, e.pool_id, e.member_id,
            e.rule_id, e.kind, e.source, e.grade, e.detail,
            e.kind IN ('claimed', 'assigned', 'transferred') AS begins,
            -- a lead that nobody owns may be archived or erased, too
            e.kind <> 'transferred'
                AND coalesce(e.state_before = 'owned', false) AS ends,
            count(*) FILTER (WHERE e.kind IN
                ('claimed', 'assigned', 'transferred'))
                OVER (PARTITION BY e.lead_id ORDER BY e.id) AS spell
        FROM pool.event_effect e
        WHERE e.kind IN ('claimed', 'assigned', 'transferred', 'followed_up')
            OR e.state_before = 'owned'
    ) g
    WHERE g.spell > 0
    GROUP BY g.lead_id, g.spell
    WINDOW w AS (PARTITION BY g.lead_id ORDER BY g.spell)
) s;

COMMENT ON VIEW pool.spell IS
    'Spells with what began and ended them, of every tenant, from the log.';
COMMENT ON COLUMN pool.spell.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.spell.event_id IS 'Event that began it.';
COMMENT ON COLUMN pool.spell.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.spell.pool_id IS 'Home pool when it began (id).';
COMMENT ON COLUMN pool.spell.member_id IS 'Owner (id).';
COMMENT ON COLUMN pool.spell.began_by IS 'claimed, assigned or transferred.';
COMMENT ON COLUMN pool.spell.began_at IS 'When it began.';
COMMENT ON COLUMN pool.spell.source IS 'Source of the lead then.';
COMMENT ON COLUMN pool.spell.grade IS 'Grade of the lead then.';
COMMENT ON COLUMN pool.spell.undone IS
    'Whether it began because a run was undone.';
COMMENT ON COLUMN pool.spell.ended_by IS
    'transferred, released, reclaimed, converted, archived or erased; NULL '
    'while it runs.';
COMMENT ON COLUMN pool.spell.ended_at IS 'When it ended; NULL while it runs.';
COMMENT ON COLUMN pool.spell.ended_rule_id IS 'Timer rule that ended it (id).';
COMMENT ON COLUMN pool.spell.amount IS
    'Amount of the conversion that ended it.';
COMMENT ON COLUMN pool.spell.follow_ups IS 'Follow-ups in it.';
COMMENT ON COLUMN pool.spell.first_seconds IS
    'Seconds to its first follow-up; NULL = none.';

CREATE VIEW pool.flow_fact AS
SELECT f.pool_id, f.day, f.direction, f.kind,
    CASE WHEN f.rule_id IS NOT NULL THEN coalesce(f.reason, '')
        WHEN f.reason IS NULL THEN ''
        WHEN EXISTS (
            SELECT FROM pool.dictionary d
            WHERE d.pool_id = f.pool_id AND d.code = f.reason
                AND d.kind IN ('release_reason', 'archive_reason'))
            THEN f.reason
        ELSE 'other' END AS cause,
    coalesce(f.source, '') AS source, coalesce(f.grade, '') AS grade, f.at,
    f.lead_id
FROM (
    SELECT e.pool_id, e.day, 'in' AS direction, e.kind, e.rule_id, e.reason,
        e.source, e.grade, e.at, e.lead_id
    FROM pool.event_effect e
    WHERE e.state_after = 'available'
        AND (e.state_before IS DISTINCT FROM 'available'
            OR e.from_pool_id <> e.pool_id)
    UNION ALL
    SELECT coalesce(e.from_pool_id, e.pool_id), e.from_day, 'out', e.kind,
        e.rule_id, e.reason, e.source, e.grade, e.at, e.lead_id
    FROM pool.event_effect e
    WHERE e.state_before = 'available'
        AND (e.state_after <> 'available' OR e.from_pool_id <> e.pool_id)
) f;

COMMENT ON VIEW pool.flow_fact IS
    'What each event brings into, or takes out of, the available leads of a '
    'pool; of every tenant.';
COMMENT ON COLUMN pool.flow_fact.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.flow_fact.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.flow_fact.direction IS 'in or out.';
COMMENT ON COLUMN pool.flow_fact.kind IS 'What happened.';
COMMENT ON COLUMN pool.flow_fact.cause IS 'Rule or reason.';
COMMENT ON COLUMN pool.flow_fact.source IS 'Source of the lead; empty = none.';
COMMENT ON COLUMN pool.flow_fact.grade IS 'Grade of the lead; empty = none.';
COMMENT ON COLUMN pool.flow_fact.at IS 'When.';
COMMENT ON COLUMN pool.flow_fact.lead_id IS 'Lead.';

CREATE VIEW pool.stat_flow WITH (security_barrier) AS
SELECT p.name AS pool, f.day, f.direction, f.kind, f.cause, f.source, f.grade,
    count(*) AS leads, p.id AS pool_id, p.tenant_id
FROM pool.pool p
JOIN pool.flow_fact f ON f.pool_id = p.id
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, f.day, f.direction, f.kind, f.cause, f.source, f.grade;

COMMENT ON VIEW pool.stat_flow IS
    'Inflow and outflow of the available leads of each pool: one row per '
    'pool, day, direction, kind, cause, source and grade. in - out over all '
    'days = available (stat_pool), as far as events have not been purged.';
COMMENT ON COLUMN pool.stat_flow.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_flow.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.stat_flow.direction IS
    'in = became available here, out = no longer available here.';
COMMENT ON COLUMN pool.stat_flow.kind IS
    'The event: in by entered, released, reclaimed, reopened or moved; out '
    'by claimed, assigned, archived, erased or moved. A lead entered with '
    'an owner is in and out.';
COMMENT ON COLUMN pool.stat_flow.cause IS
    'Name of the rule that did it, or a reason from the pool''s dictionary; '
    'empty = neither, other = a reason in free words.';
COMMENT ON COLUMN pool.stat_flow.source IS
    'Source of the lead at that moment; empty = none.';
COMMENT ON COLUMN pool.stat_flow.grade IS
    'Grade of the lead at that moment; empty = none.';
COMMENT ON COLUMN pool.stat_flow.leads IS 'Number of events, one lead each.';
COMMENT ON COLUMN pool.stat_flow.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_flow.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_stock WITH (security_barrier) AS
SELECT g.pool, g.available, g.inflow, g.outflow,
    round(g.inflow::numeric / 28, 4) AS inflow_per_day,
    round(g.outflow::numeric / 28, 4) AS outflow_per_day,
    CASE WHEN g.outflow > g.inflow
        THEN round(g.available * 28::numeric / (g.outflow - g.inflow), 1)
    END AS days_to_empty, g.held, g.pool_id, g.tenant_id
FROM (
    SELECT p.name AS pool,
        (SELECT count(*) FROM pool.lead_state s
         WHERE s.pool_id = p.id AND s.ticket IS NOT NULL) AS available,
        (SELECT coalesce(sum(c.held), 0) FROM pool.membership_state c
         WHERE c.pool_id = p.id) AS held,
        count(*) FILTER (WHERE f.direction = 'in') AS inflow,
        count(*) FILTER (WHERE f.direction = 'out') AS outflow,
        p.id AS pool_id, p.tenant_id
    FROM pool.pool p
    LEFT JOIN pool.flow_fact f ON f.pool_id = p.id
        AND f.at > (SELECT pool.clock()) - interval '28 days'
    WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id
) g;

COMMENT ON VIEW pool.stat_stock IS
    'The stock of available leads of each pool, and how long it lasts at '
    'the rate of the last 28 days.';
COMMENT ON COLUMN pool.stat_stock.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_stock.available IS 'Leads available now.';
COMMENT ON COLUMN pool.stat_stock.inflow IS
    'Leads that became available in the last 28 × 24 hours.';
COMMENT ON COLUMN pool.stat_stock.outflow IS
    'Leads that ceased to be available in that time.';
COMMENT ON COLUMN pool.stat_stock.inflow_per_day IS 'round(inflow / 28, 4).';
COMMENT ON COLUMN pool.stat_stock.outflow_per_day IS 'round(outflow / 28, 4).';
COMMENT ON COLUMN pool.stat_stock.days_to_empty IS
    'round(available / ((outflow - inflow) / 28), 1): days until none is '
    'available at that rate; NULL if the stock does not shrink.';
COMMENT ON COLUMN pool.stat_stock.held IS 'Leads owned now.';
COMMENT ON COLUMN pool.stat_stock.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_stock.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_grade WITH (security_barrier) AS
SELECT p.name AS pool, g.grade,
    sum(g.available)::bigint AS available, sum(g.review)::bigint AS review,
    sum(g.owned)::bigint AS owned, sum(g.converted)::bigint AS converted,
    sum(g.archived)::bigint AS archived, sum(g.spells)::bigint AS spells,
    sum(g.responded)::bigint AS responded,
    sum(g.ended_spells)::bigint AS ended_spells,
    sum(g.converted_spells)::bigint AS converted_spells,
    sum(g.reclaimed_spells)::bigint AS reclaimed_spells,
    sum(g.amount) AS amount,
    round(sum(g.converted_spells) / nullif(sum(g.ended_spells), 0), 4)
        AS conversion_rate,
    round(sum(g.reclaimed_spells) / nullif(sum(g.ended_spells), 0), 4)
        AS reclaim_rate,
    round(sum(g.responded) / nullif(sum(g.spells), 0), 4) AS response_rate,
    p.id AS pool_id, p.tenant_id
FROM pool.pool p
JOIN (
    SELECT s.pool_id, coalesce(d.grade, '') AS grade,
        count(*) FILTER (WHERE s.status = 'available') AS available,
        count(*) FILTER (WHERE s.status = 'review') AS review,
        count(*) FILTER (WHERE s.status = 'owned') AS owned,
        count(*) FILTER (WHERE s.status = 'converted') AS converted,
        count(*) FILTER (WHERE s.status = 'archived') AS archived,
        0 AS spells, 0 AS responded, 0 AS ended_spells,
        0 AS converted_spells, 0 AS reclaimed_spells, 0::numeric AS amount
    FROM pool.lead_state s
    JOIN pool.lead_data d ON d.id = s.id
    GROUP BY s.pool_id, coalesce(d.grade, '')
    UNION ALL
    SELECT x.pool_id, coalesce(x.grade, ''), 0, 0, 0, 0, 0, count(*),
        count(x.first_seconds), count(x.ended_at),
        count(*) FILTER (WHERE x.ended_by = 'converted'),
        count(*) FILTER (WHERE x.ended_by = 'reclaimed'),
        coalesce(sum(x.amount), 0)
    FROM pool.spell x
    GROUP BY x.pool_id, coalesce(x.grade, '')
) g ON g.pool_id = p.id
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, g.grade;

COMMENT ON VIEW pool.stat_grade IS
    'Every pool and grade: leads as they are now by their present grade, '
    'and spells by the grade the lead had when they began.';
COMMENT ON COLUMN pool.stat_grade.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_grade.grade IS 'Grade; empty = none.';
COMMENT ON COLUMN pool.stat_grade.available IS
    'Leads of this grade available now.';
COMMENT ON COLUMN pool.stat_grade.review IS 'In review now.';
COMMENT ON COLUMN pool.stat_grade.owned IS 'Owned now.';
COMMENT ON COLUMN pool.stat_grade.converted IS 'Converted now.';
COMMENT ON COLUMN pool.stat_grade.archived IS 'Archived now.';
COMMENT ON COLUMN pool.stat_grade.spells IS
    'Spells that began; denominator of response_rate.';
COMMENT ON COLUMN pool.stat_grade.responded IS
    'Those of them with a follow-up; numerator of response_rate.';
COMMENT ON COLUMN pool.stat_grade.ended_spells IS
    'Those of them that ended; denominator of the other rates.';
COMMENT ON COLUMN pool.stat_grade.converted_spells IS
    'Those ended by a conversion.';
COMMENT ON COLUMN pool.stat_grade.reclaimed_spells IS
    'Those ended by a reclaim.';
COMMENT ON COLUMN pool.stat_grade.amount IS
    'Sum of the amounts of these conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_grade.conversion_rate IS
    'round(converted_spells / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_grade.reclaim_rate IS
    'round(reclaimed_spells / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_grade.response_rate IS
    'round(responded / spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_grade.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_grade.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_sla WITH (security_barrier) AS
SELECT p.name AS pool, r.name AS rule, r.basis, count(x.lead_id) AS spells,
    count(*) FILTER (WHERE x.ended_rule_id IS DISTINCT FROM r.id
        AND (x.ended_at IS NOT NULL OR r.basis = 'first_contact'
            AND x.first_seconds IS NOT NULL)) AS met,
    count(*) FILTER (WHERE x.ended_rule_id = r.id) AS missed,
    round(count(*) FILTER (WHERE x.ended_rule_id IS DISTINCT FROM r.id
            AND (x.ended_at IS NOT NULL OR r.basis = 'first_contact'
                AND x.first_seconds IS NOT NULL))::numeric
        / nullif(count(*) FILTER (WHERE x.ended_at IS NOT NULL
            OR r.basis = 'first_contact'
                AND x.first_seconds IS NOT NULL), 0), 4) AS attainment,
    count(x.first_seconds) AS first_responses,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY x.first_seconds)
        AS median_seconds,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY x.first_seconds)
        AS p95_seconds,
    p.id AS pool_id, r.id AS rule_id, p.tenant_id
FROM (
    SELECT t.id, t.pool_id, t.name, t.basis,
        (SELECT min(v.valid_from)
         FROM pool.rule_version v
         WHERE v.rule = 'timer_rule' AND v.pool_id = t.pool_id
            AND v.rule_id = t.id) AS since
    FROM pool.timer_rule t
    WHERE t.action = 'reclaim'
        AND t.basis IN ('first_contact', 'follow_up', 'ownership', 'stage',
                        'planned')
) r
JOIN pool.pool p ON p.id = r.pool_id
LEFT JOIN pool.spell x ON x.pool_id = r.pool_id
    AND x.began_at >= coalesce(r.since, '-infinity')
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, r.id, r.name, r.basis;

COMMENT ON VIEW pool.stat_sla IS
    'Every timer rule on owned leads that reclaims: in how many spells of '
    'its pool the owner kept within it. Spells are those that began since '
    'the rule was first written; one to which its condition did not apply '
    'counts as met.';
COMMENT ON COLUMN pool.stat_sla.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_sla.rule IS 'Name of the timer rule.';
COMMENT ON COLUMN pool.stat_sla.basis IS 'What its time runs from.';
COMMENT ON COLUMN pool.stat_sla.spells IS
    'Spells of the pool that began since the rule was written.';
COMMENT ON COLUMN pool.stat_sla.met IS
    'Those ended by anything but this rule, or (basis first_contact) with a '
    'follow-up; numerator of attainment.';
COMMENT ON COLUMN pool.stat_sla.missed IS 'Those ended by this rule.';
COMMENT ON COLUMN pool.stat_sla.attainment IS
    'round(met / (met + missed), 4); NULL at zero. Spells neither met nor '
    'missed are still running.';
COMMENT ON COLUMN pool.stat_sla.first_responses IS
    'Spells with a follow-up; what the next two are taken from.';
COMMENT ON COLUMN pool.stat_sla.median_seconds IS
    'Median of the seconds from the start of the spell to its first '
    'follow-up; NULL without any.';
COMMENT ON COLUMN pool.stat_sla.p95_seconds IS 'The same for 95 of 100.';
COMMENT ON COLUMN pool.stat_sla.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_sla.rule_id IS 'Timer rule (id).';
COMMENT ON COLUMN pool.stat_sla.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.at_risk WITH (security_barrier) AS
SELECT g.lead_id, g.key, g.pool, g.owner,
    CASE WHEN g.window_used >= 0.5 THEN 'window' ELSE 'gap' END AS reason,
    g.rule, g.due_at, round(g.window_used, 4) AS window_used, g.idle_seconds,
    g.usual_gap_seconds, g.pool_id, g.owner_id, g.rule_id
FROM (
    SELECT s.id AS lead_id, d.key, p.name AS pool, m.key AS owner,
        r.name AS rule, n.due_at, s.pool_id, s.owner_id, r.id AS rule_id,
        extract(epoch FROM pool.clock() - b.start_at)
            / nullif(extract(epoch FROM n.due_at - b.start_at), 0)
            AS window_used,
        extract(epoch FROM pool.clock() - greatest(s.owned_at,
            s.last_follow_up_at))::bigint AS idle_seconds,
        CASE WHEN s.follow_ups > 1
            THEN (extract(epoch FROM s.last_follow_up_at
                    - s.first_follow_up_at) / (s.follow_ups - 1))::bigint
        END AS usual_gap_seconds
    FROM pool.lead_state s
    JOIN pool.pool p ON p.id = s.pool_id
    JOIN pool.lead_data d ON d.id = s.id
    LEFT JOIN pool.member m ON m.id = s.owner_id
    LEFT JOIN LATERAL pool.next_timer(s.id) n ON true
    LEFT JOIN pool.timer_rule r ON r.id = n.rule_id
    CROSS JOIN LATERAL (
        SELECT CASE r.basis
            WHEN 'ownership' THEN s.chain_at
            WHEN 'first_contact' THEN s.owned_at
            WHEN 'stage' THEN coalesce(s.stage_at, s.owned_at)
            WHEN 'creation' THEN d.created_at
            ELSE greatest(s.owned_at, s.last_follow_up_at) END AS start_at
    ) b
    WHERE s.owner_id IS NOT NULL
        AND ((SELECT pool.current_member_id()) IS NULL
                AND s.tenant_id = ANY (ARRAY(
                    SELECT v.tenant_id FROM pool.visible_tenant v))
            OR s.owner_id = (SELECT pool.current_member_id())
            OR s.pool_id = ANY (ARRAY(
                SELECT g.pool_id FROM pool.managed_pool g)))
) g
WHERE g.window_used >= 0.5
    OR g.idle_seconds > 2 * g.usual_gap_seconds;

COMMENT ON VIEW pool.at_risk IS
    'Owned leads that are past half of their window (the time from when the '
    'rule began to count to when it acts), or idle for twice their usual '
    'gap between follow-ups. Who sees them: as lead_due.';
COMMENT ON COLUMN pool.at_risk.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.at_risk.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.at_risk.pool IS 'Home pool.';
COMMENT ON COLUMN pool.at_risk.owner IS 'Key of the owner.';
COMMENT ON COLUMN pool.at_risk.reason IS
    'window = past half of its window, gap = idle for more than twice its '
    'usual gap.';
COMMENT ON COLUMN pool.at_risk.rule IS
    'Timer rule that acts next; NULL if none will.';
COMMENT ON COLUMN pool.at_risk.due_at IS 'When it acts.';
COMMENT ON COLUMN pool.at_risk.window_used IS
    '(now - start) / (due_at - start), rounded to 4 places; above 1 = past '
    'due.';
COMMENT ON COLUMN pool.at_risk.idle_seconds IS
    'Seconds since the last follow-up of the spell, or its start.';
COMMENT ON COLUMN pool.at_risk.usual_gap_seconds IS
    'Average seconds between the follow-ups of the spell; NULL with fewer '
    'than two.';
COMMENT ON COLUMN pool.at_risk.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.at_risk.owner_id IS 'Owner (id).';
COMMENT ON COLUMN pool.at_risk.rule_id IS 'Timer rule (id).';

CREATE VIEW pool.stat_fairness WITH (security_barrier) AS
SELECT g.pool, g.member, g.received, g.claimed, g.assigned, g.weight,
    g.pool_received::bigint AS pool_received,
    round(g.share, 4) AS entitled_share,
    round(g.received::numeric / nullif(g.pool_received, 0), 4)
        AS received_share,
    round(g.received - g.share * g.pool_received, 2) AS deviation,
    round(g.sum_x * g.sum_x / nullif(g.n * g.sum_xx, 0), 4) AS jain_index,
    round(2 * g.sum_rank_x / nullif(g.n * g.sum_x, 0)
        - (g.n + 1)::numeric / nullif(g.n, 0), 4) AS gini,
    g.last_received_at,
    extract(epoch FROM pool.clock() - g.last_received_at)::bigint
        AS waiting_seconds,
    g.claimed_priority, g.assigned_priority, g.held, g.idle,
    round(g.idle::numeric / nullif(g.held, 0), 4) AS hoarding,
    g.pool_id, g.member_id, g.tenant_id
FROM (
    SELECT q.*,
        q.weight / nullif(sum(q.weight) OVER w, 0) AS share,
        sum(q.received) OVER w AS pool_received,
        count(q.x) OVER w AS n, sum(q.x) OVER w AS sum_x,
        sum(q.x * q.x) OVER w AS sum_xx, sum(q.rank * q.x) OVER w AS sum_rank_x
    FROM (
        SELECT b.*,
            row_number() OVER (PARTITION BY b.pool_id, b.x IS NULL
                               ORDER BY b.x, b.member_id) AS rank
        FROM (
            SELECT p.name AS pool, m.key AS member, p.id AS pool_id,
                m.id AS member_id, p.tenant_id,
                CASE WHEN m.status = 'active' THEN a.weight ELSE 0 END
                    AS weight,
                coalesce(c.held, 0) AS held,
                coalesce(x.received, 0) AS received,
                coalesce(x.claimed, 0) AS claimed,
                coalesce(x.assigned, 0) AS assigned,
                x.last_received_at, x.claimed_priority, x.assigned_priority,
                CASE WHEN m.status = 'active' AND a.weight > 0
                    THEN coalesce(x.received, 0) / a.weight END AS x,
                coalesce(i.idle, 0) AS idle
            FROM pool.pool p
            JOIN (
                SELECT k.pool_id, k.member_id, k.weight
                FROM pool.membership k
                WHERE k.role IN ('member', 'manager')
                UNION ALL
                SELECT z.id, y.id, 1
                FROM pool.pool z
                JOIN pool.member y ON y.tenant_id = z.tenant_id
                WHERE z.everyone AND y.status <> 'left'
                    AND NOT EXISTS (
                        SELECT FROM pool.membership k
                        WHERE k.pool_id = z.id AND k.member_id = y.id)
            ) a ON a.pool_id = p.id
            JOIN pool.member m ON m.id = a.member_id
            LEFT JOIN pool.membership_state c
                ON c.pool_id = p.id AND c.member_id = m.id
            LEFT JOIN (
                SELECT e.pool_id, e.member_id, count(*) AS received,
                    count(*) FILTER (WHERE e.kind = 'claimed') AS claimed,
                    count(*) FILTER (WHERE e.kind <> 'claimed') AS assigned,
                    max(e.at) AS last_received_at,
                    round(avg(s.priority) FILTER (WHERE e.kind = 'claimed'),
                        2) AS claimed_priority,
                    round(avg(s.priority) FILTER (WHERE e.kind <> 'claimed'),
                        2) AS assigned_priority
                FROM pool.event e
                JOIN pool.lead_state s ON s.id = e.lead_id
                WHERE e.kind IN ('claimed', 'assigned', 'transferred')
                    AND e.at > (SELECT pool.clock()) - interval '28 days'
                    AND NOT coalesce(e.detail ? 'undo', false)
                GROUP BY e.pool_id, e.member_id
            ) x ON x.pool_id = p.id AND x.member_id = m.id
            LEFT JOIN (
                SELECT s.pool_id, s.owner_id, count(*) AS idle
                FROM pool.lead_state s
                WHERE s.owner_id IS NOT NULL
                    AND greatest(s.owned_at, s.last_follow_up_at)
                        < (SELECT pool.clock()) - interval '7 days'
                GROUP BY s.pool_id, s.owner_id
            ) i ON i.pool_id = p.id AND i.owner_id = m.id
            WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
        ) b
    ) q
    WINDOW w AS (PARTITION BY q.pool_id)
) g;

COMMENT ON VIEW pool.stat_fairness IS
    'Every pool and member who may take leads: what he received in the last '
    '28 × 24 hours beside what his weight entitles him to. Jain''s index '
    'and the Gini coefficient are those of the pool, over received / weight '
    'of its active members with a weight.';
COMMENT ON COLUMN pool.stat_fairness.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_fairness.member IS 'Key of the member.';
COMMENT ON COLUMN pool.stat_fairness.received IS
    'Leads he claimed, was assigned or got by transfer; undone runs aside.';
COMMENT ON COLUMN pool.stat_fairness.claimed IS 'Those of them he claimed.';
COMMENT ON COLUMN pool.stat_fairness.assigned IS
    'Those of them given to him, by a rule or a manager.';
COMMENT ON COLUMN pool.stat_fairness.weight IS
    'His weight; 0 while he is not active.';
COMMENT ON COLUMN pool.stat_fairness.pool_received IS
    'Leads all of them received.';
COMMENT ON COLUMN pool.stat_fairness.entitled_share IS
    'round(weight / sum of the weights of the pool, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.received_share IS
    'round(received / pool_received, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.deviation IS
    'received - entitled share × pool_received, in leads, rounded to 2 '
    'places.';
COMMENT ON COLUMN pool.stat_fairness.jain_index IS
    '(sum x)² / (n × sum x²), x = received / weight; 1 = equal, 1 / n = one '
    'got all; NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.gini IS
    '2 × sum(rank × x) / (n × sum x) - (n + 1) / n, x in ascending order; 0 '
    '= equal; NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.last_received_at IS
    'When he received the last one; NULL = none in that time.';
COMMENT ON COLUMN pool.stat_fairness.waiting_seconds IS 'Seconds since then.';
COMMENT ON COLUMN pool.stat_fairness.claimed_priority IS
    'Average present priority of the leads he claimed: much above '
    'assigned_priority means that he picks the best; NULL = none.';
COMMENT ON COLUMN pool.stat_fairness.assigned_priority IS
    'The same of those given to him.';
COMMENT ON COLUMN pool.stat_fairness.held IS
    'Leads he holds now; denominator of hoarding.';
COMMENT ON COLUMN pool.stat_fairness.idle IS
    'Those of them without a follow-up for 7 × 24 hours; numerator of '
    'hoarding.';
COMMENT ON COLUMN pool.stat_fairness.hoarding IS
    'round(idle / held, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_fairness.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_fairness.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_aging WITH (security_barrier) AS
SELECT p.name AS pool, g.status, b.bucket, b.from_days, b.until_days,
    count(*) AS leads, max(g.seconds)::bigint AS oldest_seconds,
    p.id AS pool_id, p.tenant_id
FROM (
    SELECT s.pool_id, s.status,
        greatest(extract(epoch FROM (SELECT pool.clock())
            - CASE s.status WHEN 'owned'
                THEN greatest(s.owned_at, s.last_follow_up_at)
                ELSE s.entered_at END), 0) AS seconds
    FROM pool.lead_state s
    WHERE s.status IN ('available', 'owned')
) g
JOIN pool.pool p ON p.id = g.pool_id
JOIN (VALUES ('under 1 day', 0, 1), ('1 to 3 days', 1, 3),
        ('3 to 7 days', 3, 7), ('7 to 30 days', 7, 30),
        ('30 to 90 days', 30, 90), ('90 days and more', 90, NULL))
    b (bucket, from_days, until_days)
    ON g.seconds >= b.from_days * 86400
        AND (b.until_days IS NULL OR g.seconds < b.until_days * 86400)
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, g.status, b.bucket, b.from_days, b.until_days;

COMMENT ON VIEW pool.stat_aging IS
    'Leads of each pool by age: available ones by the time since they '
    'entered the pool, owned ones by the time since the last follow-up of '
    'the spell, or its start.';
COMMENT ON COLUMN pool.stat_aging.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_aging.status IS 'available or owned.';
COMMENT ON COLUMN pool.stat_aging.bucket IS
    'Age in words; order by from_days.';
COMMENT ON COLUMN pool.stat_aging.from_days IS
    'Least age in days of 24 hours.';
COMMENT ON COLUMN pool.stat_aging.until_days IS
    'Age below which it is, in days; NULL = no bound.';
COMMENT ON COLUMN pool.stat_aging.leads IS 'Leads of that age now.';
COMMENT ON COLUMN pool.stat_aging.oldest_seconds IS
    'Age of the oldest of them in seconds.';
COMMENT ON COLUMN pool.stat_aging.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_aging.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_rule WITH (security_barrier) AS
SELECT p.name AS pool, r.rule_table, r.name AS rule, r.action, r.enabled,
    coalesce(e.acted, 0)::bigint AS acted, coalesce(e.leads, 0) AS leads,
    coalesce(e.warned, 0)::bigint AS warned, coalesce(e.warned_leads, 0)
        AS warned_leads,
    coalesce(e.saved_leads, 0) AS saved_leads,
    round(e.saved_leads::numeric / nullif(e.warned_leads, 0), 4)
        AS saved_rate,
    coalesce(n.matched, 0) AS matched, coalesce(n.due, 0) AS due,
    e.last_acted_at, p.id AS pool_id, r.id AS rule_id, p.tenant_id
FROM (
    SELECT t.pool_id, 'timer_rule' AS rule_table, t.id, t.name, t.action,
        t.enabled
    FROM pool.timer_rule t
    UNION ALL
    SELECT t.pool_id, 'routing_rule', t.id, t.name, t.strategy, t.enabled
    FROM pool.routing_rule t
) r
JOIN pool.pool p ON p.id = r.pool_id
LEFT JOIN (
    SELECT k.rule_table, k.rule_id, sum(k.acted) AS acted,
        count(*) FILTER (WHERE k.acted > 0) AS leads,
        sum(k.warned) AS warned,
        count(*) FILTER (WHERE k.warned > 0) AS warned_leads,
        count(*) FILTER (WHERE k.warned > 0 AND k.acted = 0) AS saved_leads,
        max(k.last_acted_at) AS last_acted_at
    FROM (
        SELECT CASE v.kind WHEN 'assigned' THEN 'routing_rule'
                ELSE 'timer_rule' END AS rule_table,
            v.rule_id, v.lead_id,
            count(*) FILTER (WHERE v.kind <> 'reminded') AS acted,
            count(*) FILTER (WHERE v.kind = 'reminded') AS warned,
            max(v.at) FILTER (WHERE v.kind <> 'reminded') AS last_acted_at
        FROM pool.event v
        WHERE v.rule_id IS NOT NULL
        GROUP BY 1, v.rule_id, v.lead_id
    ) k
    GROUP BY k.rule_table, k.rule_id
) e ON e.rule_table = r.rule_table AND e.rule_id = r.id
LEFT JOIN (
    SELECT t.rule_id, count(*) AS matched,
        count(*) FILTER (WHERE t.due_at <= pool.clock()) AS due
    FROM pool.lead_state s
    CROSS JOIN LATERAL pool.next_timer(s.id) t
    WHERE s.check_at IS NOT NULL OR s.owner_id IS NOT NULL
    GROUP BY t.rule_id
) n ON r.rule_table = 'timer_rule' AND n.rule_id = r.id
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v));

COMMENT ON VIEW pool.stat_rule IS
    'What every timer and routing rule has done, as far as events have not '
    'been purged, and what it is about to do.';
COMMENT ON COLUMN pool.stat_rule.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_rule.rule_table IS 'timer_rule or routing_rule.';
COMMENT ON COLUMN pool.stat_rule.rule IS 'Name of the rule.';
COMMENT ON COLUMN pool.stat_rule.action IS
    'What it does: the action of a timer rule, the strategy of a routing '
    'rule.';
COMMENT ON COLUMN pool.stat_rule.enabled IS 'Whether it is in force.';
COMMENT ON COLUMN pool.stat_rule.acted IS
    'Events it has written, reminders aside.';
COMMENT ON COLUMN pool.stat_rule.leads IS 'Different leads it has acted on.';
COMMENT ON COLUMN pool.stat_rule.warned IS 'Reminders it has sent.';
COMMENT ON COLUMN pool.stat_rule.warned_leads IS
    'Different leads it has warned of; denominator of saved_rate.';
COMMENT ON COLUMN pool.stat_rule.saved_leads IS
    'Those of them it has never acted on; numerator of saved_rate.';
COMMENT ON COLUMN pool.stat_rule.saved_rate IS
    'round(saved_leads / warned_leads, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_rule.matched IS
    'Leads on which it is the next timer rule to act.';
COMMENT ON COLUMN pool.stat_rule.due IS 'Those of them that are past due.';
COMMENT ON COLUMN pool.stat_rule.last_acted_at IS
    'When it acted last; NULL = never.';
COMMENT ON COLUMN pool.stat_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_rule.rule_id IS 'Id in rule_table.';
COMMENT ON COLUMN pool.stat_rule.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.gaming WITH (security_barrier) AS
SELECT g.pattern, p.name AS pool, m.key AS member, o.key AS other_member,
    g.lead_id, g.times, g.last_at, p.id AS pool_id, g.member_id, p.tenant_id
FROM (
    SELECT 'claim_and_return' AS pattern, s.pool_id, s.member_id,
        NULL::integer AS other_id, s.lead_id, count(*) AS times,
        max(s.ended_at) AS last_at
    FROM pool.spell s
    WHERE s.began_by = 'claimed' AND s.ended_by = 'released'
        AND s.ended_at > (SELECT pool.clock()) - interval '30 days'
    GROUP BY s.pool_id, s.member_id, s.lead_id
    HAVING count(*) >= 2
    UNION ALL
    SELECT 'swap', e.pool_id, least(e.member_id, x.from_id),
        greatest(e.member_id, x.from_id), e.lead_id, count(*), max(e.at)
    FROM pool.event e
    CROSS JOIN LATERAL (
        SELECT (e.detail ->> 'from')::integer AS from_id) x
    WHERE e.kind = 'transferred'
        AND e.at > (SELECT pool.clock()) - interval '30 days'
    GROUP BY e.pool_id, least(e.member_id, x.from_id),
        greatest(e.member_id, x.from_id), e.lead_id
    HAVING count(DISTINCT e.member_id) = 2
    UNION ALL
    SELECT 'last_minute', f.pool_id, f.member_id, NULL, NULL, count(*),
        max(f.at)
    FROM pool.event f
    WHERE f.kind = 'followed_up'
        AND f.at > (SELECT pool.clock()) - interval '30 days'
        AND EXISTS (
            SELECT FROM pool.event r
            WHERE r.lead_id = f.lead_id AND r.kind = 'reminded'
                AND r.id < f.id AND r.member_id = f.member_id
                AND f.at BETWEEN (r.detail ->> 'due_at')::timestamptz
                        - interval '2 hours'
                    AND (r.detail ->> 'due_at')::timestamptz)
    GROUP BY f.pool_id, f.member_id
    HAVING count(*) >= 3
    UNION ALL
    SELECT 'instant_claim', c.pool_id, c.member_id, NULL, NULL, count(*),
        max(c.at)
    FROM pool.event c
    WHERE c.kind = 'claimed'
        AND c.at > (SELECT pool.clock()) - interval '30 days'
        AND EXISTS (
            SELECT FROM pool.event n
            WHERE n.lead_id = c.lead_id AND n.id < c.id
                AND n.kind IN ('entered', 'released', 'reclaimed', 'reopened',
                               'moved')
                AND n.at > c.at - interval '1 second')
    GROUP BY c.pool_id, c.member_id
    HAVING count(*) >= 3
    UNION ALL
    SELECT 'follow_up_burst', b.pool_id, b.member_id, NULL, NULL,
        max(b.times), max(b.last_at)
    FROM (
        SELECT f.pool_id, f.member_id, count(*) AS times, max(f.at) AS last_at
        FROM pool.event f
        WHERE f.kind = 'followed_up'
            AND f.at > (SELECT pool.clock()) - interval '30 days'
        GROUP BY f.pool_id, f.member_id, date_trunc('minute', f.at)
        HAVING count(*) >= 10
    ) b
    GROUP BY b.pool_id, b.member_id
) g
JOIN pool.pool p ON p.id = g.pool_id
LEFT JOIN pool.member m ON m.id = g.member_id
LEFT JOIN pool.member o ON o.id = g.other_id
WHERE g.pool_id = ANY (ARRAY(SELECT k.pool_id FROM pool.managed_pool k))
    OR ((SELECT pool.current_member_id()) IS NULL
        AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v)));

COMMENT ON VIEW pool.gaming IS
    'Patterns of the last 30 × 24 hours that may mean that rules are played '
    'with. They only point at something to look into.';
COMMENT ON COLUMN pool.gaming.pattern IS
    'claim_and_return = the same lead claimed and released twice or more; '
    'swap = a lead passed to and fro between two members; last_minute = '
    'three or more follow-ups within 2 hours before a deadline that was '
    'warned of; instant_claim = three or more claims within a second of the '
    'lead becoming available; follow_up_burst = ten or more follow-ups '
    'within one minute.';
COMMENT ON COLUMN pool.gaming.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.gaming.member IS 'Key of the member.';
COMMENT ON COLUMN pool.gaming.other_member IS
    'Key of the other one, of a swap.';
COMMENT ON COLUMN pool.gaming.lead_id IS 'Lead, if it is about one.';
COMMENT ON COLUMN pool.gaming.times IS
    'How often; of a burst, the follow-ups of the fullest minute.';
COMMENT ON COLUMN pool.gaming.last_at IS 'When last.';
COMMENT ON COLUMN pool.gaming.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.gaming.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.gaming.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.won_after_reclaim WITH (security_barrier) AS
SELECT w.lead_id, d.key, p.name AS pool, f.key AS former_owner,
    m.key AS winner, t.name AS rule, r.at AS reclaimed_at, w.at AS won_at,
    extract(epoch FROM w.at - r.at)::bigint AS seconds,
    coalesce((r.detail ->> 'answered')::boolean, false) AS had_followed_up,
    (w.detail ->> 'amount')::numeric AS amount,
    w.detail ->> 'currency' AS currency, p.id AS pool_id,
    r.member_id AS former_owner_id, w.member_id AS winner_id, p.tenant_id
FROM pool.event w
JOIN LATERAL (
    SELECT e.member_id, e.rule_id, e.at, e.detail
    FROM pool.event e
    WHERE e.lead_id = w.lead_id AND e.id < w.id AND e.kind = 'reclaimed'
        AND e.member_id <> w.member_id
        AND e.at > w.at - interval '90 days'
    ORDER BY e.id DESC
    LIMIT 1
) r ON true
JOIN pool.pool p ON p.id = w.pool_id
JOIN pool.lead_data d ON d.id = w.lead_id
LEFT JOIN pool.timer_rule t ON t.id = r.rule_id
LEFT JOIN pool.member f ON f.id = r.member_id
LEFT JOIN pool.member m ON m.id = w.member_id
WHERE w.kind = 'converted'
    AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v));

COMMENT ON VIEW pool.won_after_reclaim IS
    'Conversions within 90 × 24 hours after a reclaim had taken the lead '
    'from another member: who had worked on it, and who won it.';
COMMENT ON COLUMN pool.won_after_reclaim.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.won_after_reclaim.key IS
    'The application''s id of the lead.';
COMMENT ON COLUMN pool.won_after_reclaim.pool IS 'Pool it was won in.';
COMMENT ON COLUMN pool.won_after_reclaim.former_owner IS
    'Key of the member it was taken from last.';
COMMENT ON COLUMN pool.won_after_reclaim.winner IS
    'Key of the member who won it.';
COMMENT ON COLUMN pool.won_after_reclaim.rule IS
    'Timer rule that took it; NULL = a manager did.';
COMMENT ON COLUMN pool.won_after_reclaim.reclaimed_at IS 'When it was taken.';
COMMENT ON COLUMN pool.won_after_reclaim.won_at IS 'When it was won.';
COMMENT ON COLUMN pool.won_after_reclaim.seconds IS 'Seconds between the two.';
COMMENT ON COLUMN pool.won_after_reclaim.had_followed_up IS
    'Whether the former owner had followed up.';
COMMENT ON COLUMN pool.won_after_reclaim.amount IS 'Amount of the conversion.';
COMMENT ON COLUMN pool.won_after_reclaim.currency IS 'Currency of the amount.';
COMMENT ON COLUMN pool.won_after_reclaim.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.won_after_reclaim.former_owner_id IS
    'Former owner (id).';
COMMENT ON COLUMN pool.won_after_reclaim.winner_id IS 'Winner (id).';
COMMENT ON COLUMN pool.won_after_reclaim.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_contact_hour WITH (security_barrier) AS
SELECT p.name AS pool, coalesce(f.source, '') AS source,
    extract(isodow FROM f.local_at)::integer AS weekday,
    extract(hour FROM f.local_at)::integer AS hour, count(*) AS contacts,
    count(*) FILTER (WHERE f.reached) AS reached,
    round(count(*) FILTER (WHERE f.reached)::numeric / nullif(count(*), 0), 4)
        AS reach_rate,
    p.id AS pool_id, p.tenant_id
FROM pool.pool p
CROSS JOIN LATERAL (
    SELECT pool.pool_zone(p.id) AS zone OFFSET 0) z
JOIN LATERAL (
    SELECT e.source,
        coalesce((e.detail ->> 'occurred_at')::timestamptz, e.at)
            AT TIME ZONE z.zone AS local_at,
        CASE WHEN e.detail ->> 'result' IS NULL THEN false
            ELSE coalesce(w.counts, true) END AS reached
    FROM pool.event e
    LEFT JOIN pool.dictionary w ON w.pool_id = e.pool_id
        AND w.kind = 'result' AND w.code = e.detail ->> 'result'
    WHERE e.pool_id = p.id AND e.kind = 'followed_up'
) f ON true
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, coalesce(f.source, ''), extract(isodow FROM f.local_at),
    extract(hour FROM f.local_at);

COMMENT ON VIEW pool.stat_contact_hour IS
    'Follow-ups by source, weekday and hour in the zone of the pool: when '
    'customers are reached. The time is occurred_at where it was given, '
    'else when it was recorded.';
COMMENT ON COLUMN pool.stat_contact_hour.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_contact_hour.source IS
    'Source of the lead; empty = none.';
COMMENT ON COLUMN pool.stat_contact_hour.weekday IS
    '1 = Monday to 7 = Sunday, in the zone of the pool.';
COMMENT ON COLUMN pool.stat_contact_hour.hour IS
    '0 to 23, in the zone of the pool.';
COMMENT ON COLUMN pool.stat_contact_hour.contacts IS
    'Follow-ups; denominator of reach_rate.';
COMMENT ON COLUMN pool.stat_contact_hour.reached IS
    'Those with a result that counts by the pool''s dictionary (any result '
    'where the dictionary does not know it); numerator of reach_rate.';
COMMENT ON COLUMN pool.stat_contact_hour.reach_rate IS
    'round(reached / contacts, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_contact_hour.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_contact_hour.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_survival WITH (security_barrier) AS
SELECT g.pool, g.source, g.grade, g.day, g.open::bigint AS open,
    g.contacted::bigint AS contacted, g.converted,
    round(g.contacted / nullif(g.spells, 0), 4) AS contacted_share,
    round((1 - exp(sum(CASE WHEN g.converted = 0 THEN 0
            WHEN g.converted >= g.open THEN -50
            ELSE ln(1 - g.converted / g.open::double precision) END)
        OVER w))::numeric, 4) AS converted_share,
    round(g.converted / nullif(g.open, 0), 4) AS hazard,
    g.spells::bigint AS spells, g.pool_id, g.tenant_id
FROM (
    SELECT k.pool, k.pool_id, k.tenant_id, k.source, k.grade, k.day,
        sum(k.converted)::bigint AS converted,
        sum(sum(k.leaving)) OVER (PARTITION BY k.pool_id, k.source, k.grade
            ORDER BY k.day DESC) AS open,
        sum(sum(k.leaving)) OVER (PARTITION BY k.pool_id, k.source, k.grade)
            AS spells,
        sum(sum(k.contacted)) OVER (PARTITION BY k.pool_id, k.source, k.grade
            ORDER BY k.day) AS contacted
    FROM (
        SELECT p.name AS pool, p.id AS pool_id, p.tenant_id,
            coalesce(s.source, '') AS source, coalesce(s.grade, '') AS grade,
            t.day, t.leaving, t.contacted,
            t.leaving * (s.ended_by IS NOT DISTINCT FROM 'converted')::integer
                AS converted
        FROM pool.pool p
        JOIN pool.spell s ON s.pool_id = p.id
        CROSS JOIN LATERAL (
            SELECT floor(extract(epoch FROM coalesce(s.ended_at, pool.clock())
                - s.began_at) / 86400)::integer, 1, 0
            UNION ALL
            SELECT (s.first_seconds / 86400)::integer, 0, 1
            WHERE s.first_seconds IS NOT NULL
        ) t (day, leaving, contacted)
        WHERE NOT s.undone
            AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
    ) k
    GROUP BY k.pool, k.pool_id, k.tenant_id, k.source, k.grade, k.day
) g
WINDOW w AS (PARTITION BY g.pool_id, g.source, g.grade ORDER BY g.day);

COMMENT ON VIEW pool.stat_survival IS
    'What becomes of spells with the days since they began (Kaplan-Meier): '
    'one row per pool, source, grade and day on which a spell ended, has '
    'come to now, or had its first follow-up. Spells that end otherwise '
    'than by a conversion, or run on, are censored; those that began by '
    'undoing a run are left out.';
COMMENT ON COLUMN pool.stat_survival.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_survival.source IS
    'Source of the lead; empty = none.';
COMMENT ON COLUMN pool.stat_survival.grade IS
    'Grade of the lead; empty = none.';
COMMENT ON COLUMN pool.stat_survival.day IS
    'Whole days of 24 hours since the spell began.';
COMMENT ON COLUMN pool.stat_survival.open IS
    'Spells still running when that day began; denominator of hazard.';
COMMENT ON COLUMN pool.stat_survival.contacted IS
    'Spells that had a follow-up by the end of that day; numerator of '
    'contacted_share.';
COMMENT ON COLUMN pool.stat_survival.converted IS
    'Spells converted on that day; numerator of hazard.';
COMMENT ON COLUMN pool.stat_survival.contacted_share IS
    'round(contacted / spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_survival.converted_share IS
    '1 - product over the days so far of (1 - converted / open): the chance '
    'of a conversion by then; never NULL, since open is never zero.';
COMMENT ON COLUMN pool.stat_survival.hazard IS
    'round(converted / open, 4): the chance of a conversion on that day, of '
    'those still open; NULL at zero.';
COMMENT ON COLUMN pool.stat_survival.spells IS
    'Spells of this pool, source and grade; denominator of contacted_share.';
COMMENT ON COLUMN pool.stat_survival.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_survival.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_cohort WITH (security_barrier) AS
SELECT p.name AS pool, g.month, count(*) AS entered,
    count(g.owned_at) AS owned, count(g.contacted_at) AS contacted,
    count(g.won_at) AS converted,
    round(count(g.owned_at)::numeric / nullif(count(*), 0), 4) AS owned_rate,
    round(count(g.contacted_at)::numeric / nullif(count(*), 0), 4)
        AS contact_rate,
    round(count(g.won_at)::numeric / nullif(count(*), 0), 4)
        AS conversion_rate,
    bool_and(g.at <= pool.clock() - interval '90 days') AS complete,
    p.id AS pool_id, p.tenant_id
FROM pool.pool p
JOIN LATERAL (
    SELECT date_trunc('month', e.day)::date AS month, e.at, x.owned_at,
        x.contacted_at, x.won_at
    FROM pool.event e
    CROSS JOIN LATERAL (
        SELECT min(y.at) FILTER (WHERE y.kind IN ('claimed', 'assigned'))
                AS owned_at,
            min(y.at) FILTER (WHERE y.kind = 'followed_up'
                AND y.detail -> 'counted' IS NULL) AS contacted_at,
            min(y.at) FILTER (WHERE y.kind = 'converted') AS won_at
        FROM pool.event y
        WHERE y.lead_id = e.lead_id AND y.id > e.id
            AND y.at <= e.at + interval '90 days'
    ) x
    WHERE e.pool_id = p.id AND e.kind = 'entered'
) g ON true
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, g.month;

COMMENT ON VIEW pool.stat_cohort IS
    'Leads by the month in which they first entered, in the zone of the '
    'pool: what became of them within 90 × 24 hours.';
COMMENT ON COLUMN pool.stat_cohort.pool IS 'Pool they entered.';
COMMENT ON COLUMN pool.stat_cohort.month IS 'First day of the month.';
COMMENT ON COLUMN pool.stat_cohort.entered IS
    'Leads that entered; denominator of the rates.';
COMMENT ON COLUMN pool.stat_cohort.owned IS
    'Those that somebody got within 90 days.';
COMMENT ON COLUMN pool.stat_cohort.contacted IS
    'Those followed up within 90 days.';
COMMENT ON COLUMN pool.stat_cohort.converted IS
    'Those converted within 90 days.';
COMMENT ON COLUMN pool.stat_cohort.owned_rate IS
    'round(owned / entered, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_cohort.contact_rate IS
    'round(contacted / entered, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_cohort.conversion_rate IS
    'round(converted / entered, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_cohort.complete IS
    'Whether 90 days have passed for all of them.';
COMMENT ON COLUMN pool.stat_cohort.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_cohort.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.cleaning_due WITH (security_barrier) AS
SELECT s.id AS lead_id, d.key, p.name AS pool, r.name AS rule, s.entered_at,
    z.due_at, s.claims, d.source, d.grade, p.id AS pool_id, r.id AS rule_id
FROM pool.timer_rule r
JOIN pool.pool p ON p.id = r.pool_id
JOIN pool.lead_state s ON s.pool_id = p.id AND s.ticket IS NOT NULL
JOIN pool.lead_data d ON d.id = s.id
CROSS JOIN LATERAL (
    SELECT (s.entered_at AT TIME ZONE pool.pool_zone(p.id) + r.after)
        AT TIME ZONE pool.pool_zone(p.id) AS due_at
) z
WHERE r.enabled AND r.basis = 'entry' AND r.action = 'escalate'
    AND NOT r.working_time
    AND z.due_at <= (SELECT pool.clock())
    AND (r.condition IS NULL OR coalesce(jsonb_path_match_tz(
        d.attributes || jsonb_build_object('key', d.key, 'name', d.name,
            'source', d.source, 'grade', d.grade, 'priority', s.priority,
            'claims', s.claims, 'follow_ups', s.follow_ups,
            'last_result', s.last_result, 'amount', s.amount,
            'stage', s.stage, 'idle_days', floor(extract(epoch FROM
                (SELECT pool.clock()) - greatest(s.last_follow_up_at,
                    s.owned_at, s.entered_at)) / 86400)),
        r.condition, '{}', true), false))
    AND (p.id = ANY (ARRAY(SELECT g.pool_id FROM pool.managed_pool g))
        OR ((SELECT pool.current_member_id()) IS NULL
            AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))));

COMMENT ON VIEW pool.cleaning_due IS
    'Leads to be looked through: available ones that are past an entry rule '
    'of their pool that reports (timer_rule with basis entry and action '
    'escalate). For managers of the pool, and for whoever is no member, of '
    'the tenants he may see.';
COMMENT ON COLUMN pool.cleaning_due.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.cleaning_due.key IS
    'The application''s id of the lead.';
COMMENT ON COLUMN pool.cleaning_due.pool IS 'Pool it lies in.';
COMMENT ON COLUMN pool.cleaning_due.rule IS
    'Timer rule that reports it; rules that count working time are left '
    'out.';
COMMENT ON COLUMN pool.cleaning_due.entered_at IS 'When it entered the pool.';
COMMENT ON COLUMN pool.cleaning_due.due_at IS
    'Since when it is to be looked at.';
COMMENT ON COLUMN pool.cleaning_due.claims IS 'Number of spells it has had.';
COMMENT ON COLUMN pool.cleaning_due.source IS 'Source of the lead.';
COMMENT ON COLUMN pool.cleaning_due.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.cleaning_due.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.cleaning_due.rule_id IS 'Timer rule (id).';

CREATE VIEW pool.assignment_public WITH (security_barrier) AS
SELECT p.name AS pool, s.day, m.key AS member, sum(s.claimed) AS claimed,
    sum(s.assigned) AS assigned, sum(s.received) AS transferred,
    p.id AS pool_id
FROM pool.pool p
JOIN pool.member_sum s ON s.pool_id = p.id
JOIN pool.member m ON m.id = s.member_id
WHERE (p.id = ANY (ARRAY(
        SELECT o.pool_id FROM pool.own_membership o
        UNION ALL
        SELECT g.pool_id FROM pool.managed_pool g))
    OR ((SELECT pool.current_member_id()) IS NULL
        AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))))
GROUP BY p.id, s.day, m.key
HAVING sum(s.claimed) + sum(s.assigned) + sum(s.received) > 0;

COMMENT ON VIEW pool.assignment_public IS
    'Who got how many leads, day by day, for every member of the pool to '
    'see: nothing of the leads themselves.';
COMMENT ON COLUMN pool.assignment_public.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.assignment_public.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.assignment_public.member IS 'Key of the member.';
COMMENT ON COLUMN pool.assignment_public.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.assignment_public.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.assignment_public.transferred IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.assignment_public.pool_id IS 'Pool (id).';
