-- What rules of entry, groups of one customer's leads and those who give leads
-- out have to do with each other: routing, reviews, approvals, undone
-- runs.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, duplicate_policy) VALUES
    ('p', 'link'), ('q', 'link'), ('ask', 'link'), ('s', 'link');
INSERT INTO pool.member (key, joined_at) VALUES
    ('ann', '2025-01-01'), ('bob', '2025-01-01'), ('boss', '2025-01-01');
SELECT t.join_pool(v, 'ann', 'bob') FROM (VALUES ('p'), ('q'), ('ask'), ('s')) v (v);
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m WHERE m.key = 'boss';
CREATE FUNCTION t.pool(name text) RETURNS integer LANGUAGE sql AS
    $$ SELECT id FROM pool.pool p WHERE p.name = $1 $$;
CREATE FUNCTION t.phone(n integer) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('phone', '+86139' || lpad(n::text, 8, '0')) $$;
CREATE VIEW t.leads AS
SELECT d.key, s.status, m.key AS owner
FROM pool.lead_state s JOIN pool.lead_data d ON d.id = s.id
LEFT JOIN pool.member m ON m.id = s.owner_id ORDER BY d.key;
INSERT INTO pool.entry_rule (pool_id, name, condition, "then", to_pool_id)
VALUES (t.pool('p'), 'look', '$.grade == "?"', 'review', NULL),
    (t.pool('p'), 'there', '$.grade == "Q"', 'to_pool', t.pool('q'));
INSERT INTO pool.routing_rule (pool_id, name, strategy)
VALUES (t.pool('p'), 'turn', 'round_robin'), (t.pool('q'), 'turn of q', 'round_robin'),
    (t.pool('s'), 'propose', 'suggest');

-- routing gives what rules of entry let in, in the pool they send it to
SELECT outcome, member, status, home_pool, rule, reason FROM pool.enter('p', 'q1', grade => 'Q');
-- and nothing that waits for review, until it is accepted
SELECT outcome, member, status, rule, reason FROM pool.enter('p', 'v1', grade => '?');
SELECT outcome, member, status, rule, reason FROM pool.enter('p', 'v2', grade => '?');
SELECT outcome, key FROM pool.review(t.ids('v1', 'v2'), 'accept', actor => 'boss');
SELECT key, kind, member, reason FROM pool.history(t.id('v1')) h, pool.lead_data d
WHERE d.id = t.id('v1');
SELECT key, status, owner FROM t.leads WHERE key LIKE 'v_';

-- a second lead of a customer goes to whom the first one is
SELECT outcome, member FROM pool.enter('p', 'c1', owner => 'bob', identities => t.phone(1));
INSERT INTO pool.intake (pool, key, identities)
SELECT 'p', 'c' || i, t.phone(1) FROM generate_series(2, 5) i;
SELECT key, owner FROM t.leads WHERE key LIKE 'c_';
-- or to nobody, if he cannot have it
UPDATE pool.member SET status = 'away' WHERE key = 'bob';
SELECT outcome, member, reason FROM pool.enter('p', 'c6', identities => t.phone(1));
SELECT member, test, passed FROM pool.explain_assign(t.id('c6'))
WHERE test IN ('active', 'identity', 'outcome') ORDER BY member, test;
SELECT key, reason FROM pool.routing_waiting;
UPDATE pool.member SET status = 'active' WHERE key = 'bob';
SELECT sum(done) FROM pool.tick() WHERE task = 'routing';
SELECT key, owner FROM t.leads WHERE key = 'c6';
SELECT * FROM pool.verify();

-- a suggestion is made to whom the first one is; what has changed since counts
SELECT outcome FROM pool.enter('s', 's1', owner => 'bob', identities => t.phone(2));
SELECT outcome, member, reason FROM pool.enter('s', 's2', identities => t.phone(2));
SELECT outcome FROM pool.release(t.ids('s1'), 'gone', member => 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('s1'), 'ann');
SET pool_ext.clock = '2026-03-04 09:00+00';
SELECT sum(done) > 0 AS done FROM pool.tick() WHERE task = 'approvals';
SELECT key, status, owner FROM t.leads WHERE key LIKE 's_';
SELECT a.status FROM pool.approval a WHERE a.lead_id = t.id('s2') ORDER BY id;

-- an approved claim is judged by the customer's other leads again
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
VALUES (t.pool('ask'), 'ask', NULL, true);
INSERT INTO pool.intake (pool, key, identities) VALUES
    ('ask', 'a1', t.phone(3)), ('ask', 'a2', t.phone(3));
SELECT outcome, approval_id IS NOT NULL AS asked
FROM pool.request_claim(t.id('a1'), member => 'ann');
SELECT outcome FROM pool.assign(t.ids('a2'), 'bob', actor => 'boss');
SELECT outcome, reason FROM pool.approve(
    (SELECT id FROM pool.approval WHERE lead_id = t.id('a1')), actor => 'boss');
SELECT outcome FROM pool.reclaim(t.ids('a2'), actor => 'boss');
SELECT outcome, reason FROM pool.approve(
    (SELECT id FROM pool.approval WHERE lead_id = t.id('a1')), actor => 'boss');
SELECT test, passed FROM pool.explain_claim(t.id('a2'), 'bob') WHERE NOT passed;

-- what a run took from him comes back to him only while nobody else has one
INSERT INTO pool.pool (name, duplicate_policy) VALUES ('u', 'link');
SELECT t.join_pool('u', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT t.pool('u'), id, 'manager' FROM pool.member WHERE key = 'boss';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
VALUES (t.pool('u'), 'idle', 'follow_up', '3 days');
INSERT INTO pool.intake (pool, key, owner, identities) VALUES
    ('u', 'u1', 'ann', t.phone(4)), ('u', 'u2', 'ann', t.phone(4)),
    ('u', 'u3', 'ann', t.phone(5)), ('u', 'u4', 'ann', t.phone(5));
SET pool_ext.clock = '2026-03-08 09:00+00';
SELECT token AS plan, run_id AS run FROM pool.plan_reclaim('u', actor => 'boss') \gset
SELECT outcome, key, member FROM pool.apply_plan(:'plan', 'boss');
SELECT outcome FROM pool.claim_leads(t.ids('u1'), 'bob');
SELECT outcome, key, member FROM pool.undo_run(:run, 'boss');
SELECT key, status, owner FROM t.leads WHERE key LIKE 'u_';

SELECT * FROM pool.verify();

-- who asks for a transfer to nobody in particular does not get the lead back,
-- whether or not the pool routes what returns
INSERT INTO pool.pool (name, route_returned) VALUES ('back', true), ('stay', false);
SELECT t.join_pool(v, 'ann', 'bob') FROM (VALUES ('back'), ('stay')) v (v);
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
WHERE m.key = 'boss' AND p.name IN ('back', 'stay');
INSERT INTO pool.routing_rule (pool_id, name, strategy)
VALUES (t.pool('back'), 'turn', 'least_loaded'), (t.pool('stay'), 'turn', 'least_loaded');
INSERT INTO pool.approval_rule (pool_id, name, action)
VALUES (t.pool('back'), 'ask', 'transfer'), (t.pool('stay'), 'ask', 'transfer');
SELECT outcome, member FROM pool.enter('back', 'w1', owner => 'ann');
SELECT outcome, member FROM pool.enter('stay', 'w2', owner => 'ann');
SELECT outcome FROM pool.request_transfer(t.id('w1'), member => 'ann');
SELECT outcome FROM pool.request_transfer(t.id('w2'), member => 'ann');
SELECT a.outcome, a.key FROM pool.approval_open o, pool.approve(o.id, NULL, 'boss') a
WHERE o.action = 'transfer' ORDER BY a.key;
SELECT key, status, owner FROM t.leads WHERE key LIKE 'w_';
SELECT key, reason FROM pool.routing_waiting WHERE key LIKE 'w_' ORDER BY key;
SELECT sum(done) FROM pool.tick() WHERE task = 'routing';
SELECT key, status, owner FROM t.leads WHERE key LIKE 'w_';
SELECT * FROM pool.verify();
