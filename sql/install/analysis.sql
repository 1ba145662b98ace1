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
    'Leads that became available in the last 28 * 24 hours.';
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
    'How spells turn out with the days since they began (Kaplan-Meier): one '
    'row per pool, source, grade and number of days at which a spell ended, '
    'had its first follow-up or, if it still runs, has arrived. Spells that '
    'end otherwise than by a conversion, or run on, are censored; those that '
    'began by undoing a run are left out.';
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
    'pool: what became of them within 90 * 24 hours.';
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
