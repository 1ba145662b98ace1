-- What a customer may expect who has several leads: they change hands together,
-- they are told where he came from, they are erased together; and what an entry
-- that names an owner must ask.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, duplicate_policy, everyone) VALUES
    ('p', 'link', true), ('q', 'link', true), ('r', 'reject', true), ('s', 'link', false);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss'), ('chief');
INSERT INTO pool.membership (pool_id, member_id, role, level)
SELECT p.id, m.id, 'manager', CASE m.key WHEN 'chief' THEN 5 ELSE 1 END
FROM pool.pool p, pool.member m WHERE m.key IN ('boss', 'chief');
CREATE FUNCTION t.pool(name text) RETURNS integer LANGUAGE sql AS
    $$ SELECT id FROM pool.pool p WHERE p.name = $1 $$;
CREATE FUNCTION t.phone(n integer) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('phone', '+86139' || lpad(n::text, 8, '0')) $$;
CREATE VIEW t.groups AS
SELECT m.key AS owner, g.held, array_agg(d.key ORDER BY d.id) AS leads
FROM pool.identity_group g
JOIN pool.lead_state s ON s.group_id = g.id
JOIN pool.lead_data d ON d.id = s.id
LEFT JOIN pool.member m ON m.id = g.owner_id
GROUP BY g.id, m.key, g.held ORDER BY g.id;

------------------------------------------------------------------------
-- Siblings change hands together
------------------------------------------------------------------------

INSERT INTO pool.intake (pool, key, identities, owner) VALUES
    ('p', 'a1', t.phone(1), 'ann'), ('q', 'a2', t.phone(1), 'ann'),
    ('q', 'a3', t.phone(1), 'ann'), ('p', 'x', t.phone(2), 'ann'),
    ('p', 'free', t.phone(1), NULL);
-- one of them, or all but one, would leave the customer to two
SELECT outcome, key FROM pool.transfer(t.ids('a1'), 'bob', actor => 'boss');
SELECT outcome, key FROM pool.transfer(t.ids('a1', 'x', 'a3'), 'bob', actor => 'boss');
SELECT * FROM t.groups;
SELECT * FROM pool.verify();
-- his own are no others'
SELECT outcome, key FROM pool.transfer(t.ids('a1'), 'ann', actor => 'boss');
-- nor do some of them begin anew with him where one may not, in whatever order
UPDATE pool.pool SET hold_limit = 0 WHERE name = 'q';
SELECT outcome, key FROM pool.transfer(t.ids('a1', 'a2'), 'ann', actor => 'boss');
SELECT outcome, key FROM pool.transfer(t.ids('a2', 'a1'), 'ann', actor => 'boss');
SELECT outcome, key FROM pool.transfer(t.ids('a1'), 'ann', actor => 'boss');
-- all or none: there is room for one of two
UPDATE pool.pool SET hold_limit = 1 WHERE name = 'q';
SELECT outcome, key FROM pool.transfer(t.ids('a3', 'a1', 'a2'), 'bob', actor => 'boss');
SELECT key, held FROM pool.membership_state s JOIN pool.member m ON m.id = s.member_id
WHERE key IN ('ann', 'bob') ORDER BY pool_id, key;
-- room over all pools counts for all of them
UPDATE pool.pool SET hold_limit = NULL WHERE name = 'q';
UPDATE pool.member SET hold_limit = 3 WHERE key = 'bob';
SELECT outcome, key FROM pool.transfer(t.ids('a3', 'a1', 'a2'), 'bob', actor => 'boss');
UPDATE pool.member SET hold_limit = 4 WHERE key = 'bob';
SELECT outcome, key FROM pool.transfer(t.ids('a3', 'a1', 'a2'), 'bob', actor => 'boss');
SELECT * FROM t.groups;
SELECT m.key, s.held FROM pool.membership_state s JOIN pool.member m ON m.id = s.member_id
WHERE m.key IN ('ann', 'bob') ORDER BY pool_id, m.key;
-- the customer is his now, in all that is free, too
SELECT outcome FROM pool.claim_leads(t.ids('free'), 'ann');
SELECT * FROM pool.verify();
-- no other lead of the call takes the place that was found for one of them
SELECT outcome FROM pool.enter('p', 'y', owner => 'boss');
UPDATE pool.member SET hold_limit = 3 WHERE key = 'ann';
SELECT outcome, key FROM pool.transfer(t.ids('a1', 'y', 'a2', 'a3'), 'ann', actor => 'boss');
SELECT * FROM t.groups;
SELECT * FROM pool.verify();
UPDATE pool.member SET hold_limit = NULL WHERE key = 'ann';
SELECT outcome FROM pool.transfer(t.ids('a1', 'a2', 'a3'), 'bob', actor => 'boss');
-- whoever may not receive is told that first
SELECT outcome FROM pool.transfer(t.ids('a1'), 'ann', 's', actor => 'boss');
-- into another pool
SELECT outcome, key FROM pool.transfer(t.ids('a1', 'a2', 'a3'), 'ann', 'r', actor => 'boss');
SELECT key, pool_id = t.pool('r') AS in_r FROM pool.lead WHERE key LIKE 'a_' ORDER BY key;
-- who leaves hands all of a customer to his successor
SELECT outcome FROM pool.offboard('ann', 'boss', actor => 'chief');
DO $$ BEGIN FOR i IN 1..5 LOOP PERFORM pool.tick(); END LOOP; END $$;
SELECT * FROM t.groups;
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Who names an owner must ask whom an assignment must ask
------------------------------------------------------------------------

INSERT INTO pool.approval_rule (pool_id, name, action, condition, min_level)
VALUES (t.pool('p'), 'large', 'assign', '$.size == "large"', 5);
UPDATE pool.member SET hold_limit = NULL WHERE key = 'bob';
BEGIN;
SELECT pool.act_as('boss');
SELECT outcome, member, status, reason FROM pool.enter('p', 'big1',
    attributes => '{"size": "large"}', owner => 'bob');
SELECT outcome, member, reason FROM pool.enter('p', 'small1', owner => 'bob');
SELECT outcome FROM pool.assign(t.ids('big1'), 'bob');
INSERT INTO pool.intake (pool, key, attributes, owner, owned_at)
VALUES ('p', 'big2', '{"size": "large"}', 'bob', '2026-03-01 09:00+00');
SELECT key, outcome, member, reason FROM pool.intake_check();
COMMIT;
BEGIN;
SELECT pool.act_as('bob');
SELECT outcome, member, reason FROM pool.enter('p', 'big3',
    attributes => '{"size": "large"}', owner => 'bob');
COMMIT;
BEGIN;
SELECT pool.act_as('chief');
SELECT outcome, member, reason FROM pool.enter('p', 'big4',
    attributes => '{"size": "large"}', owner => 'bob');
COMMIT;
-- a service is asked nothing
SELECT outcome, member, reason FROM pool.enter('p', 'big5',
    attributes => '{"size": "large"}', owner => 'bob');
-- nor is an archived lead a way round it
SELECT outcome FROM pool.archive(t.ids('big4'), 'lost', 'boss');
BEGIN;
SELECT pool.act_as('boss');
SELECT outcome, member, reason FROM pool.enter('p', 'big4', owner => 'bob');
COMMIT;
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- What brought them back
------------------------------------------------------------------------

SELECT outcome FROM pool.enter('r', 's1', source => 'fair');
SELECT outcome FROM pool.archive(t.ids('s1'), 'lost', 'boss');
SELECT outcome FROM pool.enter('r', 's1', source => 'web');
SELECT outcome FROM pool.archive(t.ids('s1'), 'lost', 'boss');
SELECT outcome FROM pool.enter('r', 's1');
SELECT kind, source FROM pool.event WHERE lead_id = t.id('s1') ORDER BY id;
SELECT source FROM pool.lead WHERE key = 's1';

------------------------------------------------------------------------
-- An entry that is two customers at once
------------------------------------------------------------------------

-- it joins the one whose identity comes first in jsonb's order; the other is
-- untouched, whatever it was
SELECT outcome FROM pool.enter('p', 'g1', identities => t.phone(20), owner => 'chief');
SELECT outcome FROM pool.enter('p', 'g2', identities => '{"email": "g@x.cn"}', owner => 'bob');
SELECT outcome, member, reason FROM pool.enter('p', 'g3', owner => 'bob',
    identities => t.phone(20) || '{"email": "g@x.cn"}');
SELECT * FROM t.groups WHERE leads && '{g1,g2,g3}';
SELECT d.key, e.kind, e.detail IS NOT NULL AS said FROM pool.event e
JOIN pool.lead_data d ON d.id = e.lead_id WHERE d.key IN ('g1', 'g2') AND e.kind = 'linked';

------------------------------------------------------------------------
-- A customer stays one within the pools where he entered
------------------------------------------------------------------------

INSERT INTO pool.pool (name, everyone, identity_scope) VALUES ('line', true, 'subtree');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT t.pool('line'), id, 'manager' FROM pool.member WHERE key = 'boss';
SELECT outcome FROM pool.enter('line', 'm1', identities => t.phone(30));
SELECT outcome FROM pool.move(t.ids('m1'), 'r', 'boss');
SELECT outcome FROM pool.enter('r', 'm2', identities => t.phone(30));
SELECT outcome, lead_id = t.id('m1') AS m1, home_pool
FROM pool.enter('line', 'm3', identities => t.phone(30));
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Erasing a customer erases what was merged into his lead
------------------------------------------------------------------------

INSERT INTO pool.intake (pool, key, name, identities) VALUES
    ('r', 'e1', 'Eins', t.phone(40)), ('r', 'e2', 'Zwei', t.phone(41)),
    ('p', 'e3', 'Drei', t.phone(42)), ('r', 'e4', 'Vier', t.phone(43));
SELECT outcome FROM pool.merge(t.id('e1'), t.id('e2'), actor => 'boss');
SELECT outcome FROM pool.merge(t.id('e2'), t.id('e3'), actor => 'boss');
-- by whoever manages all of their pools
DELETE FROM pool.membership WHERE pool_id = t.pool('r') AND member_id =
    (SELECT id FROM pool.member WHERE key = 'boss');
SELECT outcome FROM pool.erase(t.ids('e3'), 'asked', 'boss');
SELECT count(*) FROM pool.lead_data WHERE name IN ('Eins', 'Zwei', 'Drei', 'Vier');
SELECT count(*) AS rows, min(outcome) AS outcome FROM pool.erase(t.ids('e3'), 'asked', 'chief');
SELECT name FROM pool.lead_data WHERE name IN ('Eins', 'Zwei', 'Drei', 'Vier');
SELECT count(*) FROM pool.lead_data WHERE erased_at IS NOT NULL;
SELECT count(*) FROM pool.erase(t.ids('e4'), 'asked', 'chief');
SELECT * FROM pool.verify();

-- what the statistics and checks of routing go by stays
INSERT INTO pool.routing_rule (pool_id, name, strategy)
VALUES (t.pool('line'), 'turn', 'random');
SELECT outcome FROM pool.enter('line', 'v1', source => 'fair');
SELECT outcome FROM pool.erase(t.ids('v1'), 'asked', 'boss');
SELECT e.detail ? 'strategy' AS strategy, e.detail ? 'seed' AS seed,
    e.detail ? 'candidates' AS candidates
FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
WHERE e.kind = 'assigned' AND d.source = 'fair' AND e.pool_id = t.pool('line');
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Rows of one load are met one after the other, like entries
------------------------------------------------------------------------

INSERT INTO pool.dictionary (pool_id, kind, code, "then")
SELECT id, 'archive_reason', c, t FROM pool.pool,
    (VALUES ('lost', 'nothing'), ('never', 'never')) v (c, t) WHERE name = 'p';
INSERT INTO pool.intake (pool, key, identities) VALUES
    ('p', 'n1', t.phone(50)), ('p', 'n4', t.phone(51));
SELECT outcome FROM pool.archive(t.ids('n1'), 'lost', 'chief');
SELECT outcome FROM pool.archive(t.ids('n4'), 'never', 'chief');
-- the first brings the archived lead back, the others are leads beside it; who
-- is archived for good is met by all of them
INSERT INTO pool.intake (pool, key, identities) VALUES
    ('p', 'n2', t.phone(50)), ('p', 'n3', t.phone(50)), ('p', 'n1', '{}'),
    ('p', 'n5', t.phone(51)), ('p', 'n6', t.phone(51));
SELECT key, outcome, lead_id = t.id('n1') AS n1, lead_id = t.id('n4') AS n4
FROM pool.intake_check();
SELECT * FROM t.groups WHERE leads && '{n1}';
-- who was merged stands for the other, whose sibling the new one is
SELECT outcome FROM pool.enter('p', 'n7', identities => t.phone(52));
SELECT outcome FROM pool.merge(t.id('n7'), t.id('n1'), actor => 'chief');
SELECT outcome FROM pool.edit(t.id('n7'), identities => t.phone(53));
SELECT outcome FROM pool.enter('p', 'n8', identities => t.phone(53));
SELECT * FROM t.groups WHERE leads && '{n1}';
SELECT * FROM pool.verify();

-- what is merged into a lead may make a timer rule true whose time is over
INSERT INTO pool.timer_rule (pool_id, name, basis, after, condition)
VALUES (t.pool('q'), 'hot', 'follow_up', '1 day', '$.grade == "A"');
SELECT outcome FROM pool.enter('q', 'h1', grade => 'A');
SELECT outcome FROM pool.enter('q', 'h2', owner => 'chief');
SET pool_ext.clock = '2026-03-05 09:00+00';
DO $$ BEGIN FOR i IN 1..5 LOOP PERFORM pool.tick(); END LOOP; END $$;
SELECT outcome FROM pool.merge(t.id('h1'), t.id('h2'), actor => 'chief');
SELECT key, due_at FROM pool.lead_due;
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT status FROM pool.lead WHERE key = 'h2';
SELECT * FROM pool.verify();
