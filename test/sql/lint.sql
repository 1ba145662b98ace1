-- Questions about rules: check_rules finds what is planted here and nothing
-- else; compare and suggest_after, checked against plain counting.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET intervalstyle = 'postgres';
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name) SELECT n
    FROM unnest('{clean,p,q,r,off}'::text[]) n;
INSERT INTO pool.member (key, level) VALUES ('ann', 2), ('bob', 0), ('max', 5);
INSERT INTO pool.membership (pool_id, member_id) SELECT p.id, m.id
    FROM pool.pool p, pool.member m WHERE m.key IN ('ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role) SELECT p.id, m.id,
    'manager' FROM pool.pool p, pool.member m WHERE m.key = 'max';
CREATE FUNCTION pid(pool_name text) RETURNS integer LANGUAGE sql AS $$
    SELECT id FROM pool.pool WHERE name = pool_name $$;

-- rules that are as they should be
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before,
        condition) VALUES
    (pid('clean'), 'call', 'first_contact', '2 days', '{1 day}', NULL),
    (pid('clean'), 'idle', 'follow_up', '7 days', '{1 day}',
     '$.grade == "A"');
INSERT INTO pool.routing_rule (pool_id, position, name, condition,
        member_condition, min_level, strategy) VALUES
    (pid('clean'), 10, 'best', '$.grade == "A"',
     '$.regions[*] == $region', 2, 'weighted'),
    (pid('clean'), 20, 'rest', NULL, NULL, 0, 'round_robin');
INSERT INTO pool.intake (pool, key, grade, attributes)
    VALUES ('clean', 'c1', 'A', '{"region": "north"}');
SELECT * FROM pool.check_rules();

-- never reached
INSERT INTO pool.routing_rule (pool_id, position, name, condition, strategy)
    VALUES (pid('p'), 10, 'A', '$.grade == "A"', 'random'),
    (pid('p'), 20, 'A again', '$.grade == "A"', 'random'),
    (pid('p'), 30, 'all', NULL, 'random'),
    (pid('p'), 40, 'late', '$.grade == "B"', 'random');
INSERT INTO pool.entry_rule (pool_id, position, name, "then")
    VALUES (pid('p'), 10, 'all', 'accept'), (pid('p'), 20, 'late', 'review');
SELECT * FROM pool.check_rules('p') \gx
DELETE FROM pool.routing_rule WHERE pool_id = pid('p');
DELETE FROM pool.entry_rule;

-- times that do not fit
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before,
        notice_required, action) VALUES
    (pid('p'), 'warns', 'follow_up', '1 day', '{2 hours,1 day}', false,
     'reclaim'),
    (pid('p'), 'slow', 'first_contact', '2 days', '{}', true, 'reclaim'),
    (pid('p'), 'nowhere', 'entry', '2 days', '{}', false, 'move');
SELECT * FROM pool.check_rules('p') \gx
DELETE FROM pool.timer_rule WHERE pool_id = pid('p');

-- numbers that come to nothing
UPDATE pool.pool SET claim_limit = 0, reclaim_limit = 0 WHERE name = 'p';
UPDATE pool.membership SET weight = 0 WHERE pool_id = pid('p');
INSERT INTO pool.timer_rule (pool_id, name, basis, after) VALUES
    (pid('p'), 'idle', 'follow_up', '1 day');
INSERT INTO pool.routing_rule (pool_id, name, strategy, newcomer_share)
    VALUES (pid('p'), 'all', 'weighted', 0.2);
SELECT severity, object, rule, message FROM pool.check_rules('p');
UPDATE pool.pool SET claim_limit = NULL, reclaim_limit = NULL
    WHERE name = 'p';
UPDATE pool.membership SET weight = 1 WHERE pool_id = pid('p');
DELETE FROM pool.timer_rule WHERE pool_id = pid('p');
DELETE FROM pool.routing_rule WHERE pool_id = pid('p');

-- circles, and dead ends
INSERT INTO pool.routing_rule (pool_id, name, strategy, to_pool_id) VALUES
    (pid('p'), 'on', 'hand_over', pid('q')),
    (pid('q'), 'on', 'hand_over', pid('r'));
INSERT INTO pool.entry_rule (pool_id, name, "then", to_pool_id) VALUES
    (pid('r'), 'back', 'to_pool', pid('p'));
SELECT severity, object, rule, message FROM pool.check_rules();
UPDATE pool.entry_rule SET to_pool_id = pid('off');
UPDATE pool.pool SET enabled = false WHERE name = 'off';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, to_pool_id)
    VALUES (pid('r'), 'idle', 'follow_up', '1 day', pid('q'));
SELECT severity, object, rule, message FROM pool.check_rules();
DELETE FROM pool.routing_rule WHERE pool_id <> pid('clean');
DELETE FROM pool.entry_rule;
DELETE FROM pool.timer_rule WHERE pool_id <> pid('clean');
UPDATE pool.pool SET enabled = true;

-- people who are not there
INSERT INTO pool.claim_rule (pool_id, name, min_level) VALUES
    (pid('p'), 'three', 6), (pid('p'), 'two', 2);
INSERT INTO pool.approval_rule (pool_id, name, action, min_level) VALUES
    (pid('p'), 'boss', 'archive', 5), (pid('p'), 'nobody', 'archive', 6);
INSERT INTO pool.pool (name) VALUES ('empty');
INSERT INTO pool.member (key) VALUES ('alone');
SELECT severity, object, rule, message FROM pool.check_rules();
DELETE FROM pool.claim_rule;
DELETE FROM pool.approval_rule;
DELETE FROM pool.pool WHERE name = 'empty';
DELETE FROM pool.member WHERE key = 'alone';

-- a calendar without a working day
INSERT INTO pool.calendar (tenant_id, day)
    SELECT t.id, date '2026-03-02' + i
    FROM pool.tenant t, generate_series(0, 365) i;
INSERT INTO pool.timer_rule (pool_id, name, basis, after, working_time)
    VALUES (pid('p'), 'idle', 'follow_up', '1 day', true);
SELECT severity, object, rule, message FROM pool.check_rules();
DELETE FROM pool.calendar WHERE day = '2026-12-24';
SELECT * FROM pool.check_rules();
DELETE FROM pool.timer_rule WHERE pool_id = pid('p');
DELETE FROM pool.calendar;

-- conditions that can never be true, or err; the others are left alone
INSERT INTO pool.claim_rule (pool_id, name, condition, member_condition) VALUES
    (pid('clean'), 'variable', '$.grade == $grade', NULL),
    (pid('clean'), 'unknown', NULL, '$.lines[*] == $line'),
    (pid('clean'), 'errs', '$.name.double() > 1', NULL),
    (pid('clean'), 'good', '$.grade == "A"', '$.regions[*] == $region');
SELECT * FROM pool.check_rules('clean') \gx
DELETE FROM pool.claim_rule;
INSERT INTO pool.dictionary (pool_id, kind, code, counts)
    VALUES (pid('p'), 'result', 'none', false);
INSERT INTO pool.purge_horizon (before) VALUES ('2026-03-01');
UPDATE pool.pool SET cooldown = '7 days' WHERE name = 'q';
UPDATE pool.pool SET cooldown = '1 day' WHERE name = 'r';
SELECT severity, object, rule, message FROM pool.check_rules();
DELETE FROM pool.purge_horizon;
DELETE FROM pool.dictionary;
SELECT count(*) FROM pool.check_rules();

-- nothing of other tenants
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'theirs' FROM pool.tenant
    WHERE name = 'other';
CREATE ROLE lint_admin;
SELECT pool.grant_access('lint_admin', 'admin', 'default');
GRANT USAGE ON SCHEMA t TO lint_admin;
SELECT object FROM pool.check_rules();
SET ROLE lint_admin;
SELECT object FROM pool.check_rules();
SELECT state FROM t.error('SELECT pool.check_rules(''other/theirs'')');
SELECT state FROM t.error('SELECT pool.compare(''other/theirs'', now())');
RESET ROLE;
SELECT state FROM t.error('SELECT pool.check_rules(''nowhere'')');

-- suggest_after: of 40 leads 10 are called on the first day, 27 on the second
-- and one on the fifth; two are given back on the fifth, of which nobody knows
INSERT INTO pool.timer_rule (pool_id, name, basis, after) VALUES
    (pid('q'), 'call', 'first_contact', '10 days'),
    (pid('q'), 'idle', 'follow_up', '30 days'),
    (pid('q'), 'deal', 'ownership', '60 days');
SELECT t.fill('q', 's', 40);
SELECT count(*) FROM pool.claim('q', 'ann', 40);
CREATE FUNCTION follow(first integer, last integer) RETURNS bigint
LANGUAGE sql AS $$
    SELECT count(outcome) FROM (SELECT (pool.follow_up(t.id('s' || i),
        member => 'ann')).outcome FROM generate_series(first, last) i) f
    WHERE outcome = 'ok' $$;
SET pool_ext.clock = '2026-03-02 20:00+00';
-- notes that do not count are none of it
SELECT f.outcome, count(*) FROM generate_series(1, 40) i, pool.follow_up(
    t.id('s' || i), occurred_at => '2026-01-01', member => 'ann') f GROUP BY 1;
SELECT follow(1, 10);
SELECT after, sample, reason FROM pool.suggest_after((SELECT id
    FROM pool.timer_rule WHERE pool_id = pid('q') AND name = 'call'));
SET pool_ext.clock = '2026-03-03 20:00+00';
SELECT follow(11, 37);
SET pool_ext.clock = '2026-03-06 20:00+00';
SELECT count(*) FROM pool.release(
    (SELECT array_agg(t.id('s' || i)) FROM generate_series(39, 40) i),
    member => 'ann');
-- 0.925 by the second day; 1 - 0.075 * 2 / 3 = 0.95 by the fifth, of which
-- 95 % are 0.9025
SELECT follow(38, 38);
SELECT after, sample, reason FROM pool.suggest_after((SELECT id
    FROM pool.timer_rule WHERE pool_id = pid('q') AND name = 'call'));
-- never beyond the present time, and by the hour where that is short
UPDATE pool.timer_rule SET after = '2 days' WHERE name = 'call';
SELECT after, sample, reason FROM pool.suggest_after((SELECT id
    FROM pool.timer_rule WHERE pool_id = pid('q') AND name = 'call'));
SELECT r.name, s.* FROM pool.timer_rule r, pool.suggest_after(r.id) s
    WHERE r.pool_id = pid('q') AND r.name <> 'call' ORDER BY r.name;
UPDATE pool.timer_rule SET working_time = true WHERE name = 'call';
UPDATE pool.timer_rule SET action = 'escalate' WHERE name = 'deal';
UPDATE pool.timer_rule SET basis = 'stage' WHERE name = 'idle';
SELECT r.name, s.* FROM pool.timer_rule r, pool.suggest_after(r.id) s
    WHERE r.pool_id = pid('q') ORDER BY r.name;
SELECT * FROM t.error('SELECT pool.suggest_after(0)');
SELECT state FROM t.error('SELECT pool.suggest_after(NULL)');

-- compare: so many days before and after
SET pool_ext.clock = '2026-03-12 09:00+00';
SELECT * FROM pool.compare('q', '2026-03-03 09:00+00', 4);
SELECT e.kind, count(*) FILTER (WHERE e.at < '2026-03-03 09:00+00') AS before,
    count(*) FILTER (WHERE e.at >= '2026-03-03 09:00+00') AS after
    FROM pool.event e WHERE e.pool_id = pid('q')
    AND e.detail -> 'counted' IS NULL AND e.at >= '2026-02-27 09:00+00' AND e.at < '2026-03-07 09:00+00'
    GROUP BY 1 ORDER BY 1;
-- the days after are not over yet
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT metric, before, after, sample_before, sample_after
    FROM pool.compare('q', '2026-03-03 09:00+00', 4) WHERE metric LIKE '%ed';
SELECT * FROM t.error('SELECT pool.compare(''q'', now(), 0)');
SELECT state FROM t.error('SELECT pool.compare(''q'', NULL)');
SELECT state FROM t.error('SELECT pool.compare(''nowhere'', now())');
