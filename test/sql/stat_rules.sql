-- The views for analysis, checked against plain counting.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name, timezone) VALUES ('a', 'Asia/Shanghai'), ('b', NULL);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('cy'), ('max');
SELECT t.join_pool('a', 'ann', 'bob', 'cy'), t.join_pool('b', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role, weight)
    SELECT p.id, m.id, 'manager', 0 FROM pool.pool p, pool.member m
    WHERE m.key = 'max';
UPDATE pool.membership SET weight = 2 WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'ann');
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
    SELECT id, 'call', 'first_contact', interval '2 days', '{1 day}'
    FROM pool.pool WHERE name = 'a';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', interval '10 days'
    FROM pool.pool WHERE name = 'a';
-- disabled, but they have their figures
INSERT INTO pool.timer_rule (pool_id, name, basis, after, condition, enabled)
    SELECT p.id, v.name, 'follow_up', interval '2 days', v.path::jsonpath, false
    FROM pool.pool p, (VALUES ('of grade A', '$.grade == "A"'),
        ('of what is told later', '$.follow_ups > 3 || $.name == "x"'),
        ('of nothing', '$.name == $name')) v (name, path)
    WHERE p.name = 'a';
INSERT INTO pool.dictionary (pool_id, kind, code, counts) SELECT p.id, v.* FROM
    pool.pool p, (VALUES
    ('result', 'reached', true), ('result', 'engaged', false)) v
    WHERE p.name = 'a';
INSERT INTO pool.intake (pool, key, source, grade, priority)
    SELECT 'a', 'k' || i, CASE WHEN i % 2 = 0 THEN 'web' ELSE 'fair' END,
        CASE WHEN i <= 6 THEN 'A' END, CASE WHEN i <= 2 THEN 50 ELSE 0 END
    FROM generate_series(1, 12) i;

-- a course of twenty days
SELECT count(*) FROM pool.claim('a', 'ann', 6);
SET pool_ext.clock = '2026-03-02 09:10+00';
SELECT outcome FROM pool.assign(t.ids('k7', 'k8'), 'bob', actor => 'max');
SET pool_ext.clock = '2026-03-02 10:00+00';
SELECT count(*) FROM (SELECT pool.follow_up(t.id(k), result => 'reached',
    member => 'ann') FROM unnest('{k1,k2,k3}'::text[]) k) f;
SET pool_ext.clock = '2026-03-02 11:00+00';
SELECT outcome FROM pool.follow_up(t.id('k4'), result => 'engaged',
    member => 'ann');
SELECT outcome FROM pool.follow_up(t.id('k7'), member => 'bob');
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT outcome FROM pool.convert(t.id('k1'), 100, member => 'ann');
SELECT outcome FROM pool.release(t.ids('k2'), 'no budget', member => 'ann');
SELECT outcome FROM pool.release(t.ids('k3'), 'he was rude', member => 'ann');
-- what is no word is told as `other`
INSERT INTO pool.dictionary (pool_id, kind, code)
    SELECT id, 'release_reason', 'no budget' FROM pool.pool WHERE name = 'a';
SELECT outcome FROM pool.archive(t.ids('k3'), 'dead', 'max');
SELECT outcome FROM pool.transfer(t.ids('k4'), 'bob', actor => 'max');
SET pool_ext.clock = '2026-03-03 10:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SET pool_ext.clock = '2026-03-04 10:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT outcome FROM pool.claim_leads(t.ids('k5'), 'cy');
SELECT outcome FROM pool.follow_up(t.id('k5'), result => 'reached',
    occurred_at => '2026-03-04 23:30+00', member => 'cy');
SET pool_ext.clock = '2026-03-06 09:00+00';
SELECT outcome FROM pool.convert(t.id('k5'), 50, member => 'cy');
SELECT outcome FROM pool.move(t.ids('k12'), 'b', actor => 'max');
SELECT outcome FROM pool.transfer(t.ids('k7'), 'ann', to_pool => 'b',
    actor => 'max');
SELECT count(*) FROM pool.claim('a', 'ann', 3);
SELECT outcome FROM pool.release(t.ids('k10'), 'no budget', member => 'ann');
SET pool_ext.clock = '2026-03-07 09:00+00';
SELECT outcome FROM pool.erase(t.ids('k2'), 'asked', 'max');
SELECT outcome FROM pool.reopen(t.ids('k3'), actor => 'max');

-- flow: what came in and went out is what is there
SELECT pool, direction, kind, cause, sum(leads) AS leads FROM pool.stat_flow
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT p.pool, p.available, sum(CASE f.direction WHEN 'in' THEN f.leads
        ELSE -f.leads END) AS balance
    FROM pool.stat_pool p LEFT JOIN pool.stat_flow f USING (pool_id)
    GROUP BY p.pool, p.available ORDER BY 1;
-- ... in every day, as the roll-ups say
SELECT count(*) AS days, bool_and(d.entered = coalesce(f.entered, 0)
        AND d.reclaimed = coalesce(f.reclaimed, 0)
        AND d.claimed = coalesce(f.claimed, 0)) AS same
    FROM pool.stat_daily d LEFT JOIN (
        SELECT pool_id, day, sum(leads) FILTER (WHERE kind = 'entered') AS entered,
            sum(leads) FILTER (WHERE kind = 'reclaimed') AS reclaimed,
            sum(leads) FILTER (WHERE kind = 'claimed') AS claimed
        FROM pool.stat_flow GROUP BY 1, 2) f USING (pool_id, day)
    WHERE d.pool = 'a';
SELECT pool, available, inflow, outflow, inflow_per_day, days_to_empty, held
    FROM pool.stat_stock ORDER BY pool;

-- spells by grade, as the view of single spells says
SELECT * FROM pool.stat_grade ORDER BY pool, grade \gx
SELECT b.grade, count(*) AS spells, count(s.first_response_seconds) AS responded,
    count(s.ended_at) AS ended,
    count(*) FILTER (WHERE s.ended_by = 'converted') AS converted,
    count(*) FILTER (WHERE s.ended_by = 'reclaimed') AS reclaimed,
    sum(s.amount) AS amount
    FROM pool.lead_spell s JOIN pool.event b ON b.lead_id = s.lead_id
        AND b.at = s.started_at AND b.kind = s.began_by
    WHERE s.pool = 'a' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS wrong FROM (
    (SELECT lead_id, member_id, began_at, began_by, ended_at, ended_by,
        follow_ups, first_seconds FROM pool.spell
     EXCEPT SELECT lead_id, member_id, started_at, began_by, ended_at, ended_by,
        follow_ups, first_response_seconds FROM pool.lead_spell)
    UNION ALL
    (SELECT lead_id, member_id, started_at, began_by, ended_at, ended_by,
        follow_ups, first_response_seconds FROM pool.lead_spell
     EXCEPT SELECT lead_id, member_id, began_at, began_by, ended_at, ended_by,
        follow_ups, first_seconds FROM pool.spell)) x;

-- service levels: kept, missed, and how fast
SELECT pool, rule, basis, spells, met, missed, attainment, first_responses,
    median_seconds, p95_seconds FROM pool.stat_sla ORDER BY rule;
SELECT first_response_seconds FROM pool.lead_spell WHERE pool = 'a'
    AND first_response_seconds IS NOT NULL ORDER BY 1;

-- fairness: ann has weight 2, so that x = 4.5, 3, 1
SELECT member, received, claimed, assigned, weight, pool_received,
    entitled_share, received_share, deviation, jain_index, gini,
    waiting_seconds, claimed_priority, assigned_priority, held, idle, hoarding
    FROM pool.stat_fairness WHERE pool = 'a' ORDER BY member;
-- idle: half of the ten days after which they are reclaimed
SET pool_ext.clock = '2026-03-11 10:00+00';
SELECT member, held, idle, hoarding
    FROM pool.stat_fairness WHERE pool = 'a' ORDER BY member;
SET pool_ext.clock = '2026-03-07 09:00+00';
SELECT m.key, count(*) AS received FROM pool.event e
    JOIN pool.member m ON m.id = e.member_id
    JOIN pool.pool p ON p.id = e.pool_id
    WHERE e.kind IN ('claimed', 'assigned', 'transferred') AND p.name = 'a'
    GROUP BY 1 ORDER BY 1;
WITH x (v) AS (VALUES (4.5), (3.0), (1.0))
SELECT round(sum(v) ^ 2 / (count(*) * sum(v * v)), 4) AS jain,
    (SELECT round(sum(abs(a.v - b.v)) / (2 * 3 * 3 * avg(a.v)), 4)
     FROM x a, x b) AS gini FROM x;

-- ageing
SET pool_ext.clock = '2026-03-11 09:00+00';
SELECT pool, status, bucket, leads, oldest_seconds FROM pool.stat_aging
    ORDER BY pool, status, from_days;
SELECT status, count(*) FROM pool.lead WHERE status IN ('available', 'owned')
    GROUP BY 1 ORDER BY 1;

-- rules
SELECT rule, action, acted, leads, warned, warned_leads, saved_leads,
    saved_rate, matched, due, last_acted_at FROM pool.stat_rule ORDER BY rule;
SELECT r.name, e.kind, count(*) FROM pool.event e
    JOIN pool.timer_rule r ON r.id = e.rule_id GROUP BY 1, 2 ORDER BY 1, 2;

-- leads at risk
SET pool_ext.clock = '2026-03-07 10:00+00';
SELECT key, owner, reason, rule, due_at, window_used, idle_seconds
    FROM pool.at_risk ORDER BY key;
BEGIN;
SELECT pool.act_as('cy');
SELECT count(*) FROM pool.at_risk;
COMMIT;

-- won by another after a reclaim
SELECT key, pool, former_owner, winner, rule, seconds, had_followed_up, amount
    FROM pool.won_after_reclaim;

-- when customers are reached, in the zone of the pool
SELECT pool, source, weekday, hour, contacts, reached, reach_rate
    FROM pool.stat_contact_hour ORDER BY 1, 2, 3, 4;

-- survival: by hand of those with grade A from fairs
SELECT day, open, contacted, converted, contacted_share, converted_share,
    hazard, spells FROM pool.stat_survival
    WHERE pool = 'a' AND grade = 'A' AND source = 'fair' ORDER BY day;
SELECT key, member, ended_by, ended_at - started_at AS lasted,
    first_response_seconds FROM pool.lead_spell
    WHERE key IN ('k1', 'k3', 'k5') ORDER BY lead_id, started_at;
SELECT pool, month, entered, owned, contacted, converted, conversion_rate,
    complete FROM pool.stat_cohort;

-- patterns
SET pool_ext.clock = '2026-03-08 09:00+00';
SELECT t.fill('b', 'g', 3);
SELECT count(*) FROM pool.claim('b', 'bob', 3);
SELECT count(*) FROM pool.claim_leads(t.ids('g1'), 'bob');
SELECT outcome FROM pool.release(t.ids('g1'), member => 'bob');
SET pool_ext.clock = '2026-03-08 10:00+00';
SELECT outcome FROM pool.claim_leads(t.ids('g1'), 'bob');
SELECT outcome FROM pool.release(t.ids('g1'), member => 'bob');
SELECT outcome FROM pool.transfer(t.ids('g2'), 'ann', actor => 'max');
SELECT outcome FROM pool.transfer(t.ids('g2'), 'bob', actor => 'max');
SELECT count(*) FROM (SELECT pool.follow_up(t.id('g2'), member => 'bob')
    FROM generate_series(1, 12)) f;
SELECT pattern, pool, member, other_member, times FROM pool.gaming
    ORDER BY pattern;
BEGIN;
SELECT pool.act_as('ann');
SELECT count(*) FROM pool.gaming;
COMMIT;

-- leads nobody wants are to be looked through
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after, condition)
    SELECT id, 'old', 'escalate', 'entry', interval '2 days',
        '$.claims <= 1 && $.source == "web"'
    FROM pool.pool WHERE name IN ('a', 'b');
SELECT key, pool, rule, due_at, claims FROM pool.cleaning_due ORDER BY key;
SELECT key, entered_at, claims, source FROM pool.lead
    WHERE status = 'available' ORDER BY key;

-- who got how much, for every member to see
BEGIN;
SELECT pool.act_as('cy');
SELECT * FROM pool.assignment_public ORDER BY pool, day, member;
COMMIT;

-- plans that run in parallel find the configuration as well, changed or not
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION t.is_parallel(query text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line ~ 'Gather' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;
ANALYZE pool.event;
SELECT t.is_parallel('SELECT * FROM pool.stat_grade');
UPDATE pool.pool SET description = 'changed';
SELECT sum(spells) AS spells FROM pool.stat_grade;
UPDATE pool.pool SET description = 'again';
SELECT count(*) > 0 AS flows FROM pool.stat_flow;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- a condition that names a variable, or compares dates with moments, spoils no view
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after, condition)
    SELECT p.id, v.* FROM pool.pool p, (VALUES
    ('variable', 'escalate', 'entry', interval '2 days', '$.claims == $claims'::jsonpath),
    ('dated', 'reclaim', 'follow_up', '30 days',
        '$.asked.datetime() < "2026-03-01 00:00:00+00".datetime()')) v
    WHERE p.name = 'a';
SELECT e.outcome FROM unnest('{2026-02-01,2026-03-02}'::text[]) d, pool.enter('a',
    'asked ' || d, attributes => jsonb_build_object('asked', d), owner => 'ann') e;
SELECT count(*) FROM pool.cleaning_due WHERE rule = 'variable';
SELECT rule, spells FROM pool.stat_sla WHERE rule = 'dated';
DELETE FROM pool.timer_rule WHERE name IN ('variable', 'dated');

-- a window is that of the timer: a stage of an earlier spell began none
SET pool_ext.clock = '2026-05-01 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('staged', true);
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'staged', 'stage', interval '10 days' FROM pool.pool
    WHERE name = 'staged';
SELECT outcome FROM pool.enter('staged', 'st', owner => 'ann');
SELECT outcome FROM pool.follow_up(t.id('st'), stage => 'offer', member => 'ann');
SELECT outcome FROM pool.release(t.ids('st'), member => 'ann');
SET pool_ext.clock = '2026-05-09 09:00+00';
SELECT outcome, due_at FROM pool.claim_leads(t.ids('st'), 'bob');
SET pool_ext.clock = '2026-05-10 09:00+00';
SELECT key, window_used FROM pool.at_risk WHERE pool = 'staged';
SET pool_ext.clock = '2026-05-15 09:00+00';
SELECT key, window_used FROM pool.at_risk WHERE pool = 'staged';

-- each rule has what it did itself, whatever rules of other tables have its number
SELECT acted AS before FROM pool.stat_rule WHERE rule = 'idle' \gset
INSERT INTO pool.pool (name) VALUES ('door');
INSERT INTO pool.entry_rule (id, pool_id, name, grade)
    SELECT t.id, p.id, 'sorts', 'C' FROM pool.timer_rule t, pool.pool p
    WHERE t.name = 'idle' AND p.name = 'door';
INSERT INTO pool.routing_rule (id, pool_id, name, strategy, to_pool_id)
    SELECT t.id, p.id, 'passes on', 'hand_over', b.id
    FROM pool.timer_rule t, pool.pool p, pool.pool b
    WHERE t.name = 'idle' AND p.name = 'door' AND b.name = 'b';
SELECT outcome, home_pool, rule FROM pool.enter('door', 'through');
SELECT kind, rule_id IS NOT NULL AS by_rule FROM pool.lead_event
    WHERE key = 'through';
SELECT rule_table, rule, acted - CASE rule WHEN 'idle' THEN :before ELSE 0 END
    AS acted FROM pool.stat_rule WHERE rule IN ('idle', 'passes on') ORDER BY 1;

-- nothing of other tenants
CREATE ROLE stat_reader;
SELECT pool.grant_access('stat_reader', 'reader', 'default');
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'theirs' FROM pool.tenant
    WHERE name = 'other';
INSERT INTO pool.intake (pool, key) VALUES ('other/theirs', 'x');
SELECT count(*) FROM pool.stat_flow WHERE pool = 'theirs';
SET ROLE stat_reader;
SELECT count(*) FROM pool.stat_flow WHERE pool = 'theirs';
SELECT count(*) FROM pool.stat_flow WHERE pool = 'a';
SELECT pool FROM pool.stat_stock ORDER BY pool;
SELECT pool FROM pool.stat_aging WHERE pool = 'theirs';
RESET ROLE;

-- at risk: idle for more than twice the usual gap, long before a timer acts
INSERT INTO pool.pool (name, everyone) VALUES ('gap', true);
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'month', 'follow_up', '30 days' FROM pool.pool WHERE name = 'gap';
SET pool_ext.clock = '2026-06-01 09:00+00';
SELECT outcome FROM pool.enter('gap', 'daily', owner => 'ann');
SELECT outcome FROM pool.enter('gap', 'once', owner => 'ann');
SELECT outcome FROM pool.follow_up(t.id('once'), member => 'ann');
SELECT outcome FROM pool.follow_up(t.id('daily'), member => 'ann');
SET pool_ext.clock = '2026-06-02 09:00+00';
SELECT outcome FROM pool.follow_up(t.id('daily'), member => 'ann');
SET pool_ext.clock = '2026-06-04 09:00+00';
SELECT key FROM pool.at_risk WHERE pool = 'gap';
SET pool_ext.clock = '2026-06-04 09:00:01+00';
SELECT key, owner, reason, rule, due_at, window_used, idle_seconds,
    usual_gap_seconds FROM pool.at_risk WHERE pool = 'gap';
SELECT * FROM pool.verify();
