-- What may be wrong with the rules of a pool: check_rules().

CREATE VIEW pool.rule_finding AS
SELECT p.tenant_id, p.id AS pool_id,
    'error'
        AS severity,
    r.rule_table || ' of pool ' || p.name AS object,
    r.name AS rule,
    'is never reached: rule "' || e.name || '" before it takes '
        || CASE WHEN e.condition IS NULL THEN 'every lead'
            ELSE 'the same leads' END
        AS message,
    'Give it a lower position, or the rule before it a condition.'
        AS hint
FROM pool.rule_order r
JOIN pool.pool p ON p.id = r.pool_id
JOIN LATERAL (
    SELECT x.name, x.condition
    FROM pool.rule_order x
    WHERE x.rule_table = r.rule_table AND x.pool_id = r.pool_id
        AND (x.position, x.rule_id) < (r.position, r.rule_id)
        AND (x.condition IS NULL OR x.condition::text = r.condition::text)
    ORDER BY x.position, x.rule_id
    LIMIT 1
) e ON true
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'timer_rule of pool ' || p.name AS object,
    r.name AS rule,
    'reminds ' || b.span || ' before it acts, but its time is only ' || r.after
        AS message,
    'Such a reminder comes at once: shorten it, or lengthen after.'
        AS hint
FROM pool.timer_rule r
JOIN pool.pool p ON p.id = r.pool_id
JOIN LATERAL (
    SELECT max(x) AS span FROM unnest(r.remind_before) x
) b ON b.span >= r.after AND r.basis <> 'planned'
WHERE r.enabled
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'timer_rule of pool ' || p.name AS object,
    c.name AS rule,
    'never acts: rule "' || f.name || '" reclaims earlier, after '
        || f.after
        AS message,
    'Make its time shorter than that of the other rule.'
        AS hint
FROM pool.timer_rule c
JOIN pool.pool p ON p.id = c.pool_id
JOIN pool.timer_rule f ON f.pool_id = c.pool_id AND f.enabled
    AND f.action = 'reclaim' AND f.basis = 'follow_up'
    AND f.condition IS NULL AND f.working_time = c.working_time
    AND f.after < c.after
WHERE c.enabled AND c.action = 'reclaim' AND c.basis = 'first_contact'
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'info'
        AS severity,
    'timer_rule of pool ' || p.name AS object,
    r.name AS rule,
    'demands a warning but has no reminder: it warns one tick before it acts'
        AS message,
    'Set remind_before.'
        AS hint
FROM pool.timer_rule r
JOIN pool.pool p ON p.id = r.pool_id
WHERE r.enabled AND r.notice_required AND r.remind_before = '{}'
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'error'
        AS severity,
    'timer_rule of pool ' || p.name AS object,
    r.name AS rule,
    'moves leads, but the pool has no parent and the rule no target'
        AS message,
    'Set to_pool_id.'
        AS hint
FROM pool.timer_rule r
JOIN pool.pool p ON p.id = r.pool_id
WHERE r.enabled AND r.action = 'move' AND r.to_pool_id IS NULL
    AND p.parent_id IS NULL
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'pool ' || p.name AS object,
    NULL::text AS rule,
    q.what || ' is 0: nobody can take a lead'
        AS message,
    'Set it to NULL for no limit.'
        AS hint
FROM pool.pool p
CROSS JOIN LATERAL (VALUES ('claim_limit', p.claim_limit),
    ('hold_limit', p.hold_limit)) q (what, value)
WHERE p.enabled AND q.value = 0
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'pool ' || p.name AS object,
    NULL::text AS rule,
    'the brake lets timers reclaim nothing'
        AS message,
    'Raise reclaim_limit and reclaim_share, or disable the rules that reclaim.'
        AS hint
FROM pool.pool p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.held), 0) AS held
    FROM pool.membership_state c WHERE c.pool_id = p.id
) h
WHERE (p.reclaim_limit = 0 OR h.held > 0 AND p.reclaim_share * h.held < 1)
    AND EXISTS (
        SELECT FROM pool.timer_rule r
        WHERE r.pool_id = p.id AND r.enabled AND r.action = 'reclaim')
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'routing_rule of pool ' || p.name AS object,
    r.name AS rule,
    'newcomer_share ' || trim_scale(r.newcomer_share) || ' of ' || g.n
        || ' leads a period is less than one lead'
        AS message,
    'Raise newcomer_share, or set newcomer_min.'
        AS hint
FROM pool.routing_rule r
JOIN pool.pool p ON p.id = r.pool_id
CROSS JOIN LATERAL (
    SELECT count(*) AS n
    FROM pool.event e
    WHERE e.pool_id = r.pool_id AND e.kind = 'assigned' AND e.rule_id = r.id
        AND e.at > (SELECT pool.clock()) - p.newcomer_period
) g
WHERE r.enabled AND r.newcomer_share > 0 AND r.newcomer_min = 0
    AND r.newcomer_share * g.n < 1
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'error'
        AS severity,
    'routing_rule of pool ' || p.name AS object,
    r.name AS rule,
    'nobody can receive: all weights in the pool are 0'
        AS message,
    'Give at least one active member a weight.'
        AS hint
FROM pool.routing_rule r
JOIN pool.pool p ON p.id = r.pool_id
WHERE r.enabled AND r.strategy <> 'hand_over'
    AND EXISTS (SELECT FROM pool.pool_people a WHERE a.pool_id = p.id)
    AND NOT EXISTS (
        SELECT FROM pool.pool_people a
        WHERE a.pool_id = p.id AND a.weight > 0)
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    CASE WHEN f.at_once THEN 'error' ELSE 'warning' END
        AS severity,
    f.rule_table || ' of pool ' || p.name AS object,
    f.name AS rule,
    'takes leads in a circle: they come back to this pool'
        || CASE WHEN f.at_once THEN ' at once' ELSE '' END
        AS message,
    'Let one of the rules of the circle go elsewhere.'
        AS hint
FROM (
    SELECT x.pool_id, x.rule_table, x.name, bool_or(x.at_once) AS at_once
    FROM pool.rule_flow x
    WHERE x.reaches = x.pool_id
    GROUP BY x.pool_id, x.rule_table, x.name
) f
JOIN pool.pool p ON p.id = f.pool_id
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    f.rule_table || ' of pool ' || p.name AS object,
    f.name AS rule,
    'sends leads to pool "' || q.name || '", which is disabled'
        AS message,
    'Enable that pool, or name another one.'
        AS hint
FROM (
    SELECT x.pool_id, x.to_pool_id, 'routing_rule' AS rule_table, x.name
    FROM pool.routing_rule x WHERE x.enabled
    UNION ALL
    SELECT x.pool_id, x.to_pool_id, 'entry_rule', x.name
    FROM pool.entry_rule x WHERE x.enabled
    UNION ALL
    SELECT x.pool_id, x.to_pool_id, 'timer_rule', x.name
    FROM pool.timer_rule x WHERE x.enabled
) f
JOIN pool.pool p ON p.id = f.pool_id
JOIN pool.pool q ON q.id = f.to_pool_id AND NOT q.enabled
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'error'
        AS severity,
    f.rule_table || ' of pool ' || p.name AS object,
    f.name AS rule,
    'asks for level ' || f.min_level || ', which no active '
        || CASE f.rule_table WHEN 'approval_rule' THEN 'manager'
            ELSE 'member' END
        || ' of the pool has'
        AS message,
    'Lower min_level, or raise somebody''s level.'
        AS hint
FROM (
    SELECT x.pool_id, x.min_level, 'routing_rule' AS rule_table, x.name
    FROM pool.routing_rule x WHERE x.enabled AND x.strategy <> 'hand_over'
    UNION ALL
    SELECT x.pool_id, x.min_level, 'claim_rule', x.name
    FROM pool.claim_rule x WHERE x.enabled
    UNION ALL
    SELECT x.pool_id, x.min_level, 'approval_rule', x.name
    FROM pool.approval_rule x WHERE x.enabled
) f
JOIN pool.pool p ON p.id = f.pool_id
WHERE f.min_level > 0
    AND NOT EXISTS (
        SELECT FROM pool.pool_people a
        WHERE a.level >= f.min_level
            AND (f.rule_table <> 'approval_rule' AND a.pool_id = p.id
                OR f.rule_table = 'approval_rule' AND a.role = 'manager'
                    AND a.pool_id IN (
                        WITH RECURSIVE up AS (
                            SELECT p.id, p.parent_id
                            UNION
                            SELECT q.id, q.parent_id
                            FROM up JOIN pool.pool q ON q.id = up.parent_id)
                        SELECT up.id FROM up)))
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'error'
        AS severity,
    'timer_rule of pool ' || p.name AS object,
    r.name AS rule,
    'counts working time, but no day of the next year is a working day'
        AS message,
    'Mend pool.calendar.'
        AS hint
FROM pool.timer_rule r
JOIN pool.pool p ON p.id = r.pool_id
JOIN pool.tenant t ON t.id = p.tenant_id
WHERE r.enabled AND r.working_time
    AND NOT EXISTS (
        SELECT
        FROM (
            SELECT (SELECT pool.clock())::date + i AS day
            FROM generate_series(0, 365) i
        ) d
        LEFT JOIN pool.calendar c
            ON c.tenant_id = t.id AND c.day = d.day
        WHERE coalesce(c.is_workday,
            extract(isodow FROM d.day) = ANY (t.workdays)))
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'pool ' || p.name AS object,
    NULL::text AS rule,
    'has no active member who may take leads'
        AS message,
    'Add memberships, or set everyone or enabled.'
        AS hint
FROM pool.pool p
WHERE p.enabled
    AND NOT EXISTS (SELECT FROM pool.pool_people a WHERE a.pool_id = p.id)
UNION ALL
SELECT p.tenant_id, NULL::integer AS pool_id,
    'info'
        AS severity,
    'member ' || p.key AS object,
    NULL::text AS rule,
    'belongs to no pool'
        AS message,
    'Add a membership, or set his status to left.'
        AS hint
FROM pool.member p
WHERE p.status = 'active'
    AND NOT EXISTS (
        SELECT FROM pool.membership a WHERE a.member_id = p.id)
    AND NOT EXISTS (
        SELECT FROM pool.pool q
        WHERE q.tenant_id = p.tenant_id AND q.everyone)
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'error'
        AS severity,
    c.rule_table || ' of pool ' || p.name AS object,
    c.name AS rule,
    'its condition on the lead names the variable $' || v.name
        || ', and so is never true'
        AS message,
    'Write $.' || v.name || ' for a field of the lead.'
        AS hint
FROM pool.rule_condition c
JOIN pool.pool p ON p.id = c.pool_id
CROSS JOIN LATERAL unnest(pool.condition_variables(c.condition)) v (name)
WHERE NOT c.on_member
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    c.rule_table || ' of pool ' || p.name AS object,
    c.name AS rule,
    'its condition on the member names the variable $' || v.name
        || ', which none of the last leads of the pool has'
        AS message,
    'Name a field or an attribute that leads have.'
        AS hint
FROM pool.rule_condition c
JOIN pool.pool p ON p.id = c.pool_id
CROSS JOIN LATERAL unnest(pool.condition_variables(c.condition)) v (name)
WHERE c.on_member
    AND EXISTS (SELECT FROM pool.lead_state s WHERE s.pool_id = p.id)
    AND NOT EXISTS (
        SELECT FROM (
            SELECT s.id FROM pool.lead_state s
            WHERE s.pool_id = p.id ORDER BY s.id DESC LIMIT 500
        ) l
        WHERE jsonb_typeof(pool.lead_document(l.id) -> v.name) <> 'null')
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    c.rule_table || ' of pool ' || p.name AS object,
    c.name AS rule,
    'its condition is neither true nor false of ' || g.n
        || ' of the last ' || g.total || ' leads of the pool'
        AS message,
    'It compares what cannot be compared, such as text with a number: '
        'use exists() or .double().'
        AS hint
FROM pool.rule_condition c
JOIN pool.pool p ON p.id = c.pool_id
CROSS JOIN LATERAL (
    SELECT count(*) AS total,
        count(*) FILTER (WHERE jsonb_path_match_tz(
            pool.lead_document(l.id), c.condition, '{}', true) IS NULL) AS n
    FROM (
        SELECT s.id FROM pool.lead_state s
        WHERE s.pool_id = p.id ORDER BY s.id DESC LIMIT 500
    ) l
) g
WHERE NOT c.on_member AND pool.condition_variables(c.condition) = '{}'
    AND g.n > 0
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'pool ' || p.name AS object,
    NULL::text AS rule,
    'the cooldown reaches back to before ' || h.before::date
        || ', where events may have been purged'
        AS message,
    'Purge events only after the longest cooldown has passed.'
        AS hint
FROM pool.pool p
JOIN pool.purge_horizon h
    ON p.cooldown IS NOT NULL AND h.before > (SELECT pool.clock()) - p.cooldown
UNION ALL
SELECT p.tenant_id, p.id AS pool_id,
    'warning'
        AS severity,
    'dictionary of pool ' || p.name AS object,
    NULL::text AS rule,
    'none of its ' || d.kind || ' words counts: no follow-up moves a deadline'
        AS message,
    'Set counts on at least one of them.'
        AS hint
FROM (
    SELECT x.pool_id, x.kind
    FROM pool.dictionary x
    WHERE x.enabled AND x.kind IN ('result', 'follow_up')
    GROUP BY x.pool_id, x.kind
    HAVING NOT bool_or(x.counts)
) d
JOIN pool.pool p ON p.id = d.pool_id;
COMMENT ON VIEW pool.rule_finding IS
    'What may be wrong with rules, of every tenant; read check_rules().';
COMMENT ON COLUMN pool.rule_finding.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.rule_finding.pool_id IS 'Pool (id); NULL = none.';
COMMENT ON COLUMN pool.rule_finding.severity IS 'error, warning or info.';
COMMENT ON COLUMN pool.rule_finding.object IS 'What it is about.';
COMMENT ON COLUMN pool.rule_finding.rule IS 'Name of the rule.';
COMMENT ON COLUMN pool.rule_finding.message IS 'What is wrong.';
COMMENT ON COLUMN pool.rule_finding.hint IS 'What to do.';

CREATE FUNCTION pool.check_rules(
    pool text DEFAULT NULL,
    OUT severity text, OUT object text, OUT rule text, OUT message text,
    OUT hint text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_check_rules'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION pool.check_rules(text) IS
'What may be wrong with the rules of a pool, or of all pools the caller may see (NULL): one row per finding, errors first. severity: error = something can never work (a rule that is never reached, a condition that is never true, leads that go round in a circle at once, a level nobody has, weights that are all 0, working time without a working day), warning = it probably does not do what was meant, info. object is the table and pool, rule the name of the rule (NULL = the pool itself). Conditions are tried on the last 500 leads of the pool; a rule that errors on some is reported alone. No rows: nothing was found. Errors: PO001.';

------------------------------------------------------------------------
-- What a change has brought, and what a rule should say
------------------------------------------------------------------------

CREATE FUNCTION pool.compare(
    pool text, at timestamptz, days integer DEFAULT 28,
    OUT metric text, OUT before numeric, OUT after numeric, OUT delta numeric,
    OUT sample_before bigint, OUT sample_after bigint)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_compare'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION pool.compare(text, timestamptz, integer) IS
'A pool in the given number of days (of 24 hours, 1 to 3650) before and after a moment, as that of a change of rules (rule_version): one row per metric. Rates are round(numerator / sample, 4), averages round(sum / sample, 1), both NULL without a sample; delta = after - before. Days after the moment that have not come yet are not there: compare like with like. It says what differed, not why.
Metrics: entered, claimed, assigned, followed_up, released, reclaimed, converted (events per day; the sample is their number); conversion_rate, reclaim_rate, release_rate (of the spells that ended, which are the sample); response_rate (of the spells that began); first_response_seconds (of the spells that began and were followed up).
Errors: PO001, 22004, 22023 days.';

CREATE FUNCTION pool.suggest_after(
    rule integer,
    OUT after interval, OUT sample bigint, OUT reason text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_suggest_after'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1;
COMMENT ON FUNCTION pool.suggest_after(integer) IS
'What the time of a reclaiming timer rule might be (rule = its id, as in rules_in_force). From what happened in the pool in the last 365 days, the condition of the rule aside: the first whole hour (where the present time is under 72 hours, else day of 24 hours) by which at least 95 of 100 of what ever happens within the present time has happened, by the Kaplan-Meier estimate. What happens is, by basis: first_contact, the first follow-up of a spell; follow_up, the next follow-up after the start of the spell or the last one; ownership, the conversion. What ends otherwise, or goes on, is censored. Never longer than the present time: beyond it there are no data. sample = how often it happened. after is NULL, and the reason says why, with fewer than 30 of them (insufficient data), for rules that do not reclaim, that count working time or from another basis.
Errors: PO007 unknown rule, 22004.';
