-- What time does to owned leads: timer rules, reminders, tick.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name, everyone) SELECT n, true
    FROM unnest('{first,idle,chain,notice,cond,dst,a,b}'::text[]) n;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');

CREATE FUNCTION rule(pool_name text, rule_name text, basis text, after interval,
    remind interval[] DEFAULT '{}', condition jsonpath DEFAULT NULL,
    notice boolean DEFAULT false, to_pool text DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before,
        condition, notice_required, to_pool_id)
    SELECT p.id, rule_name, $3, $4, remind, $6, notice,
        (SELECT id FROM pool.pool WHERE name = to_pool)
    FROM pool.pool p WHERE p.name = pool_name
$$;
-- what the tick at a moment did to owned leads
CREATE FUNCTION tick_at(moment timestamptz)
RETURNS TABLE (key text, kind text, rule text, reason text, detail jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    last bigint := (SELECT max(id) FROM pool.event);
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    PERFORM pool.tick();
    RETURN QUERY SELECT d.key, e.kind, r.name, e.reason, e.detail
        FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
        LEFT JOIN pool.timer_rule r ON r.id = e.rule_id
        WHERE e.id > last ORDER BY d.key, e.id;
END $$;

-- nothing to do
SELECT * FROM pool.tick();

-- first_contact: from the start of the spell, until somebody follows up
SELECT rule('first', 'call', 'first_contact', '6 hours');
SELECT t.fill('first', 'f', 3);
SELECT outcome, key, due_at FROM pool.claim('first', 'ann', 3);
SELECT * FROM tick_at('2026-03-02 14:59:59+00');
SELECT outcome, due_at FROM pool.follow_up(t.id('f2'), member => 'ann');
SELECT * FROM tick_at('2026-03-02 15:00+00');
SELECT key, status, owner FROM t.leads('first');
SELECT kind, member, actor, rule, reason, detail FROM t.events(t.id('f1'));
SELECT held FROM pool.membership_state s WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'ann') AND held > 0;
-- a transfer begins anew
SELECT outcome FROM pool.transfer(t.ids('f2'), 'bob');
SELECT * FROM tick_at('2026-03-02 20:59+00');
SELECT * FROM tick_at('2026-03-02 21:00+00');

-- follow_up: from the last follow-up of this spell, or its start
SELECT rule('idle', 'idle', 'follow_up', '3 days');
SELECT t.fill('idle', 'i', 2);
SELECT count(*) FROM pool.claim('idle', 'ann', 2);
SET pool_ext.clock = '2026-03-04 12:00+00';
SELECT outcome, due_at FROM pool.follow_up(t.id('i1'), member => 'ann');
SELECT * FROM tick_at('2026-03-05 21:00+00');
SELECT * FROM tick_at('2026-03-07 11:59+00');
-- a fresh claim is not reclaimed the same night: neither the age of the lead
-- nor the follow-ups of earlier spells count
SELECT outcome FROM pool.release(t.ids('i1'), member => 'ann');
SELECT outcome, key, due_at FROM pool.claim('idle', 'bob', 2);
SELECT * FROM tick_at('2026-03-07 23:59+00');
SELECT outcome FROM pool.transfer(t.ids('i2'), 'ann');
SELECT * FROM tick_at('2026-03-10 11:58+00');
SELECT * FROM tick_at('2026-03-10 11:59+00');
SELECT * FROM tick_at('2026-03-10 23:59+00');

-- ownership: goes on through transfers and follow-ups, a new claim ends it
SELECT rule('chain', 'deadline', 'ownership', '5 days');
SELECT t.fill('chain', 'o', 3);
SELECT count(*) FROM pool.claim('chain', 'ann', 3);
SET pool_ext.clock = '2026-03-13 00:00+00';
SELECT outcome FROM pool.transfer(t.ids('o1'), 'bob');
SELECT outcome, due_at FROM pool.follow_up(t.id('o1'), member => 'bob');
SELECT outcome FROM pool.transfer(t.ids('o1'), 'ann');
SELECT outcome FROM pool.release(t.ids('o2'), member => 'ann');
SELECT outcome, key, due_at FROM pool.claim('chain', 'ann');
SELECT outcome FROM pool.convert(t.id('o3'), member => 'ann');
SELECT * FROM tick_at('2026-03-15 23:59+00');
SELECT * FROM tick_at('2026-03-17 23:59+00');
SELECT * FROM tick_at('2026-03-18 00:00+00');

-- reminders: each once per spell, in time; both at once after a pause
SELECT rule('a', 'idle', 'follow_up', '3 days', '{2 days,1 hour}');
SELECT t.fill('a', 'r', 1);
SET pool_ext.clock = '2026-04-01 09:00+00';
SELECT outcome, due_at FROM pool.claim('a', 'ann');
SELECT * FROM tick_at('2026-04-02 08:59+00');
SELECT * FROM tick_at('2026-04-02 09:00+00');
SELECT * FROM tick_at('2026-04-02 09:00+00');
SELECT key, pool, owner, rule, action, due_at, warned_at FROM pool.lead_due
    WHERE key = 'r1';
SET pool_ext.clock = '2026-04-03 09:00+00';
SELECT outcome, due_at FROM pool.follow_up(t.id('r1'), member => 'ann');
SELECT * FROM tick_at('2026-04-04 09:00+00');
SET intervalstyle = 'iso_8601';
SELECT * FROM tick_at('2026-04-06 08:30+00');
RESET intervalstyle;
SELECT * FROM tick_at('2026-04-06 09:00+00');
SELECT outcome FROM pool.claim('a', 'bob');
SELECT * FROM tick_at('2026-04-09 08:30+00');
SELECT outcome FROM pool.release(t.ids('r1'), member => 'bob');

-- notice_required: nothing goes that was not warned of in time
SELECT rule('notice', 'idle', 'follow_up', '1 day', '{4 hours,1 hour}',
    notice => true);
SELECT t.fill('notice', 'n', 2);
SET pool_ext.clock = '2026-05-01 09:00+00';
SELECT count(*) FROM pool.claim('notice', 'ann', 2);
SELECT * FROM tick_at('2026-05-02 06:00+00');
SELECT * FROM tick_at('2026-05-02 09:00+00');
-- the worker slept: it warns first, and acts the shortest notice later
SELECT count(*) FROM pool.claim('notice', 'bob', 2);
SELECT * FROM tick_at('2026-05-04 09:00+00');
-- while the notice runs, all say when it ends
INSERT INTO pool.dictionary (pool_id, kind, code, counts)
SELECT id, 'follow_up', code, code <> 'memo' FROM pool.pool, unnest('{note,memo}'::text[]) code WHERE name = 'notice';
SELECT f.outcome, f.due_at, l.due_at = f.due_at AS as_lead_due, m.due_at = f.due_at AS as_lead_mine
FROM pool.follow_up(t.id('n1'), 'memo', member => 'bob') f, pool.act_as('bob'), pool.lead_due l, pool.lead_mine m
WHERE l.lead_id = t.id('n1') AND m.lead_id = t.id('n1');
SELECT * FROM tick_at('2026-05-04 09:59+00');
SELECT outcome FROM pool.follow_up(t.id('n2'), member => 'bob');
SELECT * FROM tick_at('2026-05-04 10:00+00');
SELECT key, owner FROM t.leads('notice');
SELECT outcome FROM pool.release(t.ids('n2'), member => 'bob');
-- without a reminder of its own it warns one tick ahead
SELECT rule('notice', 'short', 'first_contact', '1 hour', notice => true);
SELECT outcome FROM pool.claim('notice', 'ann');
SELECT * FROM tick_at('2026-05-04 11:00+00');
SELECT * FROM tick_at('2026-05-04 11:00+00');
SELECT * FROM tick_at('2026-05-04 11:01+00');
-- where less time is left than the notice takes, all count it, the claim too
UPDATE pool.timer_rule SET enabled = false WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'notice');
SELECT rule('notice', 'old', 'creation', '10 days', '{2 days}', notice => true);
INSERT INTO pool.intake (pool, key, created_at) VALUES ('notice', 'old', '2026-04-24 15:00+00');
SELECT key, due_at FROM pool.claim_leads(ARRAY[t.id('old')], 'ann');
SELECT due_at FROM pool.lead_due WHERE key = 'old';
SELECT outcome, due_at FROM pool.follow_up(t.id('old'), 'memo', member => 'ann');
SELECT * FROM tick_at('2026-05-04 12:00+00');
SELECT due_at FROM pool.lead_due WHERE key = 'old';
SELECT * FROM tick_at('2026-05-06 11:59+00');
SELECT * FROM tick_at('2026-05-06 12:00+00');
SELECT * FROM pool.verify();

-- conditions: a predicate on the lead's document
SELECT rule('cond', 'hot', 'follow_up', '1 hour', condition =>
    '$.grade == "A" && $.industry == "SaaS"');
SELECT rule('cond', 'no predicate', 'follow_up', '1 hour', condition =>
    '$.grade');
SELECT rule('cond', 'no number', 'follow_up', '1 hour', condition =>
    '$.industry.double() > 1');
SELECT rule('cond', 'strict', 'follow_up', '1 hour', condition =>
    'strict $.nothing.at.all > 1');
SELECT rule('cond', 'variable', 'follow_up', '1 hour', condition =>
    '$.grade == $grade');
SELECT rule('cond', 'zones', 'follow_up', '1 hour', condition =>
    '$.d.datetime() > "2000-01-01T00:00:00+08".datetime()
     && $.grade == "Z"');
SELECT rule('cond', 'rest', 'follow_up', '2 hours', condition =>
    '$.priority == 7 || $.stage == "dead" || $.last_result == "no"');
INSERT INTO pool.intake (pool, key, grade, priority, attributes) VALUES
    ('cond', 'hot', 'A', 0, '{"industry": "SaaS", "d": "2020-01-01"}'),
    ('cond', 'cold', 'B', 0, '{"industry": "SaaS"}'),
    ('cond', 'sly', NULL, 0, '{"grade": "A", "industry": "SaaS"}'),
    ('cond', 'seven', 'B', 7, '{}'), ('cond', 'asked', 'B', 0, '{}'),
    ('cond', 'edited', 'B', 0, '{}');
SET pool_ext.clock = '2026-06-01 09:00+00';
SELECT key, due_at FROM pool.claim('cond', 'ann', 9);
SELECT * FROM tick_at('2026-06-01 10:00+00');
-- what a follow-up or an edit notes may make one come true
SELECT outcome, due_at FROM pool.follow_up(t.id('asked'), result => 'no',
    member => 'ann');
SELECT outcome FROM pool.edit(t.id('edited'), priority => 7);
SELECT key, rule FROM tick_at('2026-06-01 11:00+00');
SELECT key, rule FROM tick_at('2026-06-01 12:00+00');
SELECT key FROM t.leads('cond') WHERE owner IS NOT NULL;
SELECT outcome FROM pool.edit(t.id('cold'), grade => 'A');
SELECT key, rule FROM tick_at('2026-06-01 12:00:01+00');
-- idle_days: comes true because time goes by, to the minute
DELETE FROM pool.timer_rule WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'cond');
SELECT rule('cond', 'lazy', 'ownership', '1 hour', condition =>
    '$.idle_days >= 2');
SELECT outcome FROM pool.claim_leads(t.ids('hot'), 'bob');
SET pool_ext.clock = '2026-06-01 21:00+00';
SELECT outcome, due_at FROM pool.follow_up(t.id('hot'), member => 'bob');
SELECT key, rule FROM tick_at('2026-06-02 18:00+00') WHERE key = 'hot';
SELECT key, rule FROM tick_at('2026-06-03 20:59+00') WHERE key = 'hot';
SELECT key, rule FROM tick_at('2026-06-03 21:00+00') WHERE key = 'hot';

-- the earliest acts and is named; by name where two come at once
SELECT count(*) FROM pool.claim('b', 'ann', 9);
SELECT rule('b', 'second', 'ownership', '2 days'),
    rule('b', 'first', 'follow_up', '1 day', to_pool => 'first'),
    rule('b', 'also', 'first_contact', '2 days');
SELECT t.fill('b', 'e', 2);
SET pool_ext.clock = '2026-07-01 09:00+00';
SELECT key, due_at FROM pool.claim('b', 'ann', 2);
SELECT outcome, due_at FROM pool.follow_up(t.id('e2'), member => 'ann');
SELECT key, rule, due_at FROM pool.lead_due WHERE pool = 'b' ORDER BY key;
SELECT key, kind, rule, reason FROM tick_at('2026-07-05 09:00+00');
-- to_pool
SELECT pool, key, status FROM t.leads() WHERE key IN ('e1', 'e2');
SELECT kind, pool, member, rule, detail - 'from_pool' AS detail,
    detail ? 'from_pool' AS moved FROM t.events(t.id('e1'));

-- a change of rules is in force for owned leads at the next tick
SELECT t.fill('b', 'g', 3);
SET pool_ext.clock = '2026-08-01 09:00+00';
SELECT count(*) FROM pool.claim('b', 'ann', 3);
UPDATE pool.timer_rule SET enabled = false WHERE name IN
    ('first', 'second', 'also');
SELECT key, kind FROM tick_at('2026-08-20 09:00+00');
SELECT key, rule, due_at FROM pool.lead_due WHERE pool = 'b';
SELECT outcome, due_at FROM pool.follow_up(t.id('g1'), member => 'ann');
SELECT rule('b', 'new', 'follow_up', '10 days');
SELECT key, rule, due_at FROM pool.lead_due WHERE pool = 'b' ORDER BY key;
SELECT key, kind, rule FROM tick_at('2026-08-20 09:00+00');
UPDATE pool.timer_rule SET after = '3 days' WHERE name = 'new';
SELECT key, kind, rule FROM tick_at('2026-08-23 08:59+00');
UPDATE pool.timer_rule SET after = '4 days' WHERE name = 'new';
SELECT key, kind, rule FROM tick_at('2026-08-23 09:00+00');
SELECT key, kind, rule FROM tick_at('2026-08-24 09:00+00');
-- ... a bounded tick takes as many ticks as it needs
SELECT t.fill('b', 'h', 5);
SELECT count(*) FROM pool.claim('b', 'ann', 5);
UPDATE pool.timer_rule SET after = '1 day' WHERE name = 'new';
SET pool_ext.clock = '2026-08-25 09:00+00';
SELECT task, done, more FROM pool.tick(2) WHERE task IN ('recheck', 'timers');
SELECT task, done, more FROM pool.tick(3) WHERE task IN ('recheck', 'timers');
SELECT task, done, more FROM pool.tick(2) WHERE task IN ('recheck', 'timers');
SELECT task, done, more FROM pool.tick(2) WHERE task IN ('recheck', 'timers');
SELECT count(*) FROM t.leads('b') WHERE owner IS NOT NULL;
SELECT task, done, more FROM pool.tick() WHERE task IN ('recheck', 'timers');
SELECT * FROM t.error('SELECT pool.tick(0)');

-- days by the wall clock of the pool's zone, hours as they elapse
UPDATE pool.pool SET timezone = 'Europe/Berlin' WHERE name = 'dst';
SELECT rule('dst', 'days', 'follow_up', '3 days', condition => '$.grade == "D"'),
    rule('dst', 'hours', 'follow_up', '72 hours', condition => '$.grade == "H"'),
    rule('dst', 'month', 'follow_up', '1 month', condition => '$.grade == "M"');
INSERT INTO pool.intake (pool, key, grade) SELECT 'dst', g, g
    FROM unnest('{D,H,M}'::text[]) g;
SET pool_ext.clock = '2026-10-23 09:00+02';
SELECT key, due_at FROM pool.claim('dst', 'ann', 3);
SELECT key, rule FROM tick_at('2026-10-26 07:59+00');
SELECT key, rule FROM tick_at('2026-10-26 08:00+00');
SELECT outcome FROM pool.reclaim(t.ids('M'));
SET pool_ext.clock = '2027-03-26 09:00+01';
SELECT key, due_at FROM pool.claim('dst', 'ann', 2);
SELECT key, rule FROM tick_at('2027-03-29 07:00+00');
SELECT key, rule FROM tick_at('2027-03-29 08:00+00');
SET pool_ext.clock = '2028-01-31 09:00+01';
SELECT key, due_at FROM pool.claim('dst', 'ann', 3) WHERE key = 'M';
-- a changed zone moves them, be it the pool's or the tenant's
SELECT outcome FROM pool.reclaim(t.ids('D'));
SET pool_ext.clock = '2028-03-24 09:00+01';
SELECT outcome, due_at FROM pool.claim_leads(t.ids('D'), 'bob');
UPDATE pool.pool SET timezone = 'Asia/Shanghai' WHERE name = 'dst';
SELECT key, rule, due_at FROM pool.lead_due WHERE key = 'D';
SELECT key, rule FROM tick_at('2028-03-27 06:59+00') WHERE key = 'D';
UPDATE pool.pool SET timezone = NULL WHERE name = 'dst';
UPDATE pool.tenant SET timezone = 'Europe/Berlin';
SELECT key, rule FROM tick_at('2028-03-27 07:59+00') WHERE key = 'D';
UPDATE pool.tenant SET timezone = 'UTC';

-- a pool that fails is reported, and stops no other
SET pool_ext.clock = '2028-06-01 09:00+00';
SELECT count(*) FROM pool.tick();
SELECT t.fill('first', 'x', 1), t.fill('idle', 'y', 1);
SELECT outcome FROM pool.claim_leads(t.ids('x1', 'y1'), 'ann');
UPDATE pool.membership_state s SET held = 0 WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'first');
SELECT key, kind FROM tick_at('2028-06-05 09:00+00');
SELECT check_name FROM pool.verify(1);
UPDATE pool.membership_state s SET held = (SELECT count(*) FROM pool.lead_state l
    WHERE l.owner_id = s.member_id AND l.pool_id = s.pool_id);
SELECT key, kind FROM tick_at('2028-06-05 09:00+00');
-- whoever left keeps nothing either
SELECT outcome FROM pool.claim_leads(t.ids('x1'), 'ann');
UPDATE pool.member SET status = 'left' WHERE key = 'ann';
SELECT key, kind FROM tick_at('2028-06-06 09:00+00');

-- with nothing due a tick costs next to nothing, however much is owned
UPDATE pool.member SET status = 'active';
SELECT t.fill('idle', 'bulk', 3000);
SELECT count(*) FROM pool.claim('idle', 'bob', 3000);
SELECT count(*) FROM pool.tick();
CREATE FUNCTION buffers(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
        + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
SELECT buffers('SELECT * FROM pool.tick()') > 0 AS warm;
SELECT buffers('SELECT * FROM pool.tick()') AS buffers \gset
SELECT CASE WHEN :buffers <= 10 THEN 'at most 10' ELSE :'buffers' END AS buffers;
SELECT * FROM pool.verify();

-- a tick is not for prepared transactions
BEGIN;
SELECT count(*) > 0 AS ticked FROM pool.tick();
PREPARE TRANSACTION 'tick';
