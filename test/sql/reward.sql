-- Reward points.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('p', true), ('q', true);
INSERT INTO pool.member (key, profile) VALUES ('ann', '{"team": "new"}'), ('bob', '{}');
SELECT t.fill('p', 'a', 9), t.fill('q', 'z', 1);
SELECT outcome FROM pool.enter('p', 'big', 'Big', grade => 'A', priority => 9);

CREATE FUNCTION t.rule(name text, event_kind text, points numeric,
    condition jsonpath DEFAULT NULL, member_condition jsonpath DEFAULT NULL,
    shares jsonb DEFAULT '{"owner": 1}', within interval DEFAULT NULL,
    cap numeric DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pool.reward_rule (pool_id, name, event_kind, points, condition,
        member_condition, shares, within, cap)
    SELECT id, $1, $2, $3, $4, $5, $6, $7, $8 FROM pool.pool WHERE name = 'p'
$$;
-- what was before the first tick with a rule is not rewarded
SELECT outcome FROM pool.claim('q', 'ann');
SELECT t.rule('claims', 'claimed', 1, cap => 3);
SELECT t.rule('key deals', 'converted', 50, '$.grade == "A"');
SELECT t.rule('quick', 'followed_up', 2.5, within => '1 hour');
SELECT t.rule('newcomers', 'claimed', 10, member_condition => '$.team == "new"');
SELECT t.rule('late', 'reclaimed', -5);
SELECT count(*) FROM pool.tick();
SELECT outcome FROM pool.claim('p', 'ann', 4);
SELECT outcome FROM pool.claim('p', 'bob', 2);
SELECT outcome FROM pool.follow_up(t.id('big'), member => 'ann');
SET pool_ext.clock = '2026-03-02 11:00+00';
SELECT outcome FROM pool.follow_up(t.id('a1'), member => 'ann');
SELECT outcome FROM pool.convert(t.id('big'), 100, 'CNY', 'ann');
SELECT outcome FROM pool.convert(t.id('a1'), 100, 'CNY', 'ann');
SELECT outcome FROM pool.reclaim(t.ids('a2'), 'idle');
-- nothing of a transaction that has not ended, nor of one that is undone
BEGIN;
SELECT outcome FROM pool.convert(t.id('a3'), member => 'ann');
SELECT done FROM pool.tick() WHERE task = 'rewards';
ROLLBACK;
SELECT done > 0 AS rewarded FROM pool.tick() WHERE task = 'rewards';
SELECT rule, member, sum(points), count(*) FROM pool.points
    GROUP BY 1, 2 ORDER BY 1, 2;
SELECT pool, member, day, points, events FROM pool.stat_reward ORDER BY 1, 2, 3;
-- once
SELECT done FROM pool.tick() WHERE task = 'rewards';
-- the cap is per day
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT outcome FROM pool.claim('p', 'ann');
SELECT count(*) FROM pool.tick();
SELECT day, rule, points FROM pool.points
    WHERE member = 'ann' AND rule = 'claims' ORDER BY event_id;
-- shares
SELECT t.rule('together', 'converted', 10, shares => '{"owner": 0.7, "helper": 0.3}');
INSERT INTO pool.collaborator (lead_id, member_id, tenant_id, role, since)
    SELECT t.id('a3'), id, tenant_id, 'helper', now() FROM pool.member
    WHERE key = 'bob';
SELECT outcome FROM pool.convert(t.id('a3'), member => 'ann');
SELECT count(*) FROM pool.tick();
SELECT member, points FROM pool.points WHERE rule = 'together' ORDER BY member;
-- of a follow-up that counts, whoever wrote it
SELECT t.rule('joint', 'followed_up', 10, shares => '{"owner": 0.6, "helper": 0.4}');
SELECT outcome FROM pool.add_collaborator(t.id('a4'), 'ann');
SELECT outcome FROM pool.follow_up(t.id('a4'), member => 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('a4'), 'ann', counts => true);
SELECT outcome FROM pool.follow_up(t.id('a4'), member => 'ann');
SELECT count(*) FROM pool.tick();
SELECT member, points FROM pool.points WHERE rule = 'joint' ORDER BY member;
-- overdue: what a timer reports or takes back, but not what a manager does
SELECT t.rule('missed', 'overdue', -3);
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
    SELECT p.id, v.action, v.action, 'follow_up', v.after::interval
    FROM pool.pool p, (VALUES ('escalate', '2 days'), ('reclaim', '3 days'))
        v (action, after) WHERE p.name = 'p';
SELECT outcome FROM pool.enter('p', 'late', owner => 'bob');
SELECT outcome FROM pool.enter('p', 'taken', owner => 'bob');
SELECT outcome FROM pool.reclaim(t.ids('taken'), 'idle');
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT count(*) FROM pool.tick();
SET pool_ext.clock = '2026-03-06 09:00+00';
SELECT count(*) FROM pool.tick();
SELECT count(*) FROM pool.tick();
SELECT l.key, p.kind, p.member, p.points FROM pool.points p
    JOIN pool.lead l ON l.id = p.lead_id
    WHERE p.rule = 'missed' AND l.key IN ('late', 'taken') ORDER BY p.event_id;
DELETE FROM pool.timer_rule;
-- a condition that cannot be evaluated gives nothing, is told of, and the other
-- rules go on
SELECT t.rule('broken', 'claimed', 9, '$.name.double() > 3');
SELECT t.rule('whole', 'claimed', 8);
SELECT outcome FROM pool.enter('p', 'named', 'Long', priority => 100);
SELECT outcome, key FROM pool.claim('p', 'bob');
SELECT count(*) FROM pool.tick();
SELECT member, rule, points FROM pool.points WHERE rule IN ('broken', 'whole');
-- without a rule there is nothing to remember
DELETE FROM pool.reward_rule;
SELECT done FROM pool.tick() WHERE task = 'rewards';
SELECT count(*) FROM pool.consumer;
SELECT count(DISTINCT rule) AS known, count(*) > 0 AS kept FROM pool.points;
\set VERBOSITY sqlstate
SELECT t.rule('bad', 'dreamt', 1);
SELECT t.rule('bad', 'claimed', 'NaN');
SELECT t.rule('bad', 'claimed', 1, shares => '[]');
SELECT t.rule('bad', 'claimed', 1, cap => -1);
SELECT t.rule('bad', 'claimed', 1, within => '0');
\set VERBOSITY default
SELECT * FROM pool.verify();
