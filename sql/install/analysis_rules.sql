-- Views for analysis: what rules do.  See analysis.sql.

-- A condition on leads that names a variable never matches, and core raises an
-- error where it meets one, silent or not: so views ask for them first.
CREATE FUNCTION pool.condition_variables(condition jsonpath) RETURNS text[]
    AS 'MODULE_PATHNAME', 'pool_condition_variables'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pool.condition_variables(jsonpath) IS
'The names of the variables of a condition, each once. For views.';

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
    SELECT t.id, t.pool_id, t.name, t.basis, t.condition,
        -- what changes as a spell goes on is not known afterwards
        t.condition IS NULL OR t.condition::text ~ ('\."(idle_days|follow_ups'
            '|claims|last_result|stage|amount)"') AS binds_all,
        pool.condition_variables(t.condition) <> '{}' AS binds_none,
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
LEFT JOIN (
    SELECT y.pool_id, y.lead_id, y.began_at, y.ended_at, y.ended_rule_id,
        y.first_seconds,
        d.attributes || jsonb_build_object('key', d.key, 'name', d.name,
            'source', y.source, 'grade', y.grade, 'priority', s.priority)
            AS document
    FROM pool.spell y
    JOIN pool.lead_data d ON d.id = y.lead_id
    JOIN pool.lead_state s ON s.id = y.lead_id
) x ON x.pool_id = r.pool_id
    AND x.began_at >= coalesce(r.since, '-infinity')
    AND CASE WHEN x.ended_rule_id = r.id THEN true WHEN r.binds_none THEN false
        WHEN r.binds_all THEN true
        ELSE jsonb_path_match_tz(x.document, r.condition, '{}', true) END
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, r.id, r.name, r.basis;
COMMENT ON VIEW pool.stat_sla IS
    'Every timer rule on owned leads that reclaims: in how many spells of '
    'its pool the owner kept within it. Spells are those that began since '
    'the rule was first written and fulfil its condition: with source and '
    'grade as they were then, name, priority and attributes as they are '
    'now. A condition on idle_days, follow_ups, claims, last_result, stage '
    'or amount, which change as a spell goes on, takes every spell.';
COMMENT ON COLUMN pool.stat_sla.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_sla.rule IS 'Name of the timer rule.';
COMMENT ON COLUMN pool.stat_sla.basis IS 'What its time runs from.';
COMMENT ON COLUMN pool.stat_sla.spells IS
    'Spells of the pool that began since the rule was written, and that it '
    'is about.';
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
COMMENT ON COLUMN pool.stat_sla.p95_seconds IS
    'The 95th percentile of the same seconds; NULL without any.';
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
            WHEN 'stage' THEN greatest(s.owned_at, s.stage_at)
            WHEN 'planned' THEN s.next_follow_up_at
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
        SELECT CASE WHEN v.kind = 'assigned' OR v.detail ? 'hand_over'
                THEN 'routing_rule' ELSE 'timer_rule' END AS rule_table,
            v.rule_id, v.lead_id,
            count(*) FILTER (WHERE v.kind <> 'reminded') AS acted,
            count(*) FILTER (WHERE v.kind = 'reminded') AS warned,
            max(v.at) FILTER (WHERE v.kind <> 'reminded') AS last_acted_at
        FROM pool.event v
        WHERE v.rule_id IS NOT NULL
            -- entries and requests name rules of other tables
            AND v.kind IN ('assigned', 'moved', 'reclaimed', 'archived',
                           'escalated', 'reminded')
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
    'Conversions within 90 * 24 hours after a reclaim had taken the lead '
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
COMMENT ON COLUMN pool.won_after_reclaim.seconds IS
    'Seconds from reclaimed_at to won_at.';
COMMENT ON COLUMN pool.won_after_reclaim.had_followed_up IS
    'Whether the former owner had followed up.';
COMMENT ON COLUMN pool.won_after_reclaim.amount IS 'Amount of the conversion.';
COMMENT ON COLUMN pool.won_after_reclaim.currency IS 'Currency of the amount.';
COMMENT ON COLUMN pool.won_after_reclaim.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.won_after_reclaim.former_owner_id IS
    'Former owner (id).';
COMMENT ON COLUMN pool.won_after_reclaim.winner_id IS 'Winner (id).';
COMMENT ON COLUMN pool.won_after_reclaim.tenant_id IS 'Tenant (id).';

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
    AND CASE WHEN r.condition IS NULL THEN true
        WHEN pool.condition_variables(r.condition) <> '{}' THEN false
        ELSE coalesce(jsonb_path_match_tz(
        d.attributes || jsonb_build_object('key', d.key, 'name', d.name,
            'source', d.source, 'grade', d.grade, 'priority', s.priority,
            'claims', s.claims, 'follow_ups', s.follow_ups,
            'last_result', s.last_result, 'amount', s.amount,
            'stage', s.stage, 'idle_days', floor(extract(epoch FROM
                (SELECT pool.clock()) - greatest(s.last_follow_up_at,
                    s.owned_at, s.entered_at)) / 86400)),
        r.condition, '{}', true), false) END
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
