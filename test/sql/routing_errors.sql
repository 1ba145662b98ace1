-- What is wrong in a routing rule, in the numbers it goes by, or in a lead, is
-- told, and stops neither the call nor the other rules.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key, profile) VALUES
    ('ann', '{"budget": 5}'), ('bob', '{"budget": "much"}'), ('cat', '{}');
SELECT t.join_pool(v, 'ann', 'bob', 'cat') FROM (VALUES ('p'), ('q')) v (v);
CREATE FUNCTION t.pool(name text) RETURNS integer LANGUAGE sql AS
    $$ SELECT id FROM pool.pool p WHERE p.name = $1 $$;
INSERT INTO pool.routing_rule (pool_id, position, name, condition, strategy)
VALUES (t.pool('p'), 1, 'bad', '$.amount.double() > 3', 'round_robin');
INSERT INTO pool.routing_rule (pool_id, position, name, member_condition, strategy)
VALUES (t.pool('p'), 2, 'half', '$.budget.double() > $size', 'round_robin');

-- the rule after it goes on; whoever the condition fails for is left out
SELECT outcome, member, rule FROM pool.enter('p', 'k1',
    attributes => '{"size": 3}');
-- each is told once per statement
INSERT INTO pool.intake (pool, key, attributes)
SELECT 'p', 'k' || i, '{"size": 3}' FROM generate_series(2, 4) i;
SELECT key, outcome, member FROM pool.intake_check();
SELECT outcome FROM pool.release(t.ids('k4'), member => 'ann');
SELECT rule, member, test, detail FROM pool.explain_assign(t.id('k4'))
WHERE NOT passed AND test IN ('rule', 'member_condition') ORDER BY 1, 2;
-- nothing to compare with: no match, and no error
SELECT outcome, rule, reason FROM pool.enter('p', 'k5');

-- leads as large as they come, and conditions on them
SELECT outcome, rule, reason FROM pool.enter('p', 'k6', attributes =>
    jsonb_build_object('size', repeat('x', 60000), 'amount', 1));
SELECT outcome, member FROM pool.enter('p', 'k7', attributes =>
    jsonb_build_object('size', 1, 'text', repeat('x', 60000), 'amount', 9));

-- numbers beyond what is reckoned with
DELETE FROM pool.routing_rule;
INSERT INTO pool.routing_rule (pool_id, name, strategy, newcomer_share)
VALUES (t.pool('q'), 'weight', 'weighted', 1e-400);
UPDATE pool.membership SET weight = CASE member_id % 3 WHEN 0 THEN 1e-400
    WHEN 1 THEN 1e-300 ELSE 1000000000 END;
INSERT INTO pool.intake (pool, key) SELECT 'q', 'q' || i FROM generate_series(1, 3) i;
SELECT count(DISTINCT member) FROM pool.intake_check();
UPDATE pool.membership SET weight = 1;
INSERT INTO pool.intake (pool, key) SELECT 'q', 'r' || i FROM generate_series(1, 6) i;
SELECT member, count(*) FROM pool.intake_check() GROUP BY member ORDER BY member;

-- a suggestion that died with the lead's place is no obstacle to the next one,
-- and none is made while somebody is deciding
DELETE FROM pool.routing_rule;
INSERT INTO pool.member (key) VALUES ('boss');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m WHERE m.key = 'boss';
INSERT INTO pool.routing_rule (pool_id, name, strategy)
VALUES (t.pool('q'), 'suggest', 'suggest');
SET pool_ext.clock = '2030-01-01 10:00+00';
SELECT outcome, reason FROM pool.enter('q', 's1');
SET pool_ext.clock = '2030-01-01 11:00+00';
SELECT outcome FROM pool.move(t.ids('s1'), 'p', 'boss');
SELECT outcome FROM pool.move(t.ids('s1'), 'q', 'boss');
SELECT outcome, key FROM pool.auto_assign('q');
SELECT status, count(*) FROM pool.approval GROUP BY status ORDER BY status;
SELECT kind FROM pool.history(t.id('s1'));
-- nor does it take anybody's place
SELECT count(*) > 0 AS reclaimed FROM pool.reclaim(
    ARRAY(SELECT id FROM pool.lead WHERE owner_id IS NOT NULL), actor => 'boss');
UPDATE pool.pool SET hold_limit = 1 WHERE name = 'q';
UPDATE pool.membership SET weight = CASE WHEN member_id =
    (SELECT reserved_for FROM pool.lead WHERE key = 's1') THEN 1 ELSE 0 END;
SELECT outcome, reason FROM pool.enter('q', 's1b');
SET pool_ext.clock = '2030-01-01 12:00+00';
SELECT outcome FROM pool.move(t.ids('s1'), 'p', 'boss');
SELECT outcome, reason FROM pool.enter('q', 's1c');
UPDATE pool.pool SET hold_limit = NULL WHERE name = 'q';
UPDATE pool.membership SET weight = 1;
UPDATE pool.routing_rule SET enabled = false;
INSERT INTO pool.approval_rule (pool_id, name, action, min_level)
VALUES (t.pool('q'), 'ask', 'assign', 5);
SELECT outcome FROM pool.enter('q', 's2');
SELECT outcome FROM pool.request('assign', t.id('s2'), 'ann', actor => 'boss');
UPDATE pool.routing_rule SET enabled = true;
SELECT outcome, key FROM pool.auto_assign('q');
SELECT key, reason FROM pool.routing_waiting WHERE key LIKE 's%' ORDER BY key;
SELECT sum(done) FROM pool.tick() WHERE task = 'routing';
DELETE FROM pool.approval_rule;
DELETE FROM pool.routing_rule;

-- rules that send leads round in a circle
INSERT INTO pool.routing_rule (pool_id, position, name, strategy, to_pool_id)
VALUES (t.pool('p'), 1, 'there', 'hand_over', t.pool('q')),
    (t.pool('q'), 1, 'back', 'hand_over', t.pool('p'));
SELECT outcome, home_pool, rule, reason FROM pool.enter('p', 'c1');
SELECT outcome, key FROM pool.auto_assign('p', 1);
SELECT DISTINCT rule, detail FROM pool.explain_assign(t.id('c1')) WHERE test = 'rule' ORDER BY 1, 2;
SELECT * FROM pool.verify();
