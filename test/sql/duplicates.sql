-- A customer who is known already: reject, touch, link; converted and archived
-- leads that come again; merge.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, duplicate_policy, everyone) VALUES
    ('reject', 'reject', true), ('touch', 'touch', true), ('link', 'link', true),
    ('keep', 'reject', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m WHERE m.key = 'boss';
CREATE FUNCTION t.pool(name text) RETURNS integer LANGUAGE sql AS
    $$ SELECT id FROM pool.pool p WHERE p.name = $1 $$;
CREATE FUNCTION t.phone(n integer) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('phone', '+86139' || lpad(n::text, 8, '0')) $$;
CREATE VIEW t.groups AS
SELECT g.id = min(s.id) AS named_after_first, g.scope, m.key AS owner, g.held,
    array_agg(d.key ORDER BY d.id) AS leads
FROM pool.identity_group g
JOIN pool.lead_state s ON s.group_id = g.id
JOIN pool.lead_data d ON d.id = s.id
LEFT JOIN pool.member m ON m.id = g.owner_id
GROUP BY g.id, g.scope, m.key, g.held ORDER BY g.id;

------------------------------------------------------------------------
-- touch
------------------------------------------------------------------------

INSERT INTO pool.timer_rule (pool_id, name, basis, after)
VALUES (t.pool('touch'), 'idle', 'follow_up', '3 days');
INSERT INTO pool.score_rule (pool_id, name, condition, points)
VALUES (t.pool('touch'), 'idle', '$.idle_days >= 2', 40);
SELECT outcome FROM pool.enter('touch', 't1', source => 'web', grade => 'A',
    identities => t.phone(1));
SELECT outcome, due_at FROM pool.claim('touch', 'ann');
SET pool_ext.clock = '2026-03-04 10:00+00';
SELECT outcome, lead_id = t.id('t1') AS same, member, status, rule
FROM pool.enter('touch', 't2', source => 'fair', identities => t.phone(1));
SELECT kind, at, member, actor, reason FROM pool.history(t.id('t1'));
SELECT kind, source, grade FROM pool.event
WHERE lead_id = t.id('t1') ORDER BY id;
-- the first source, the owner and his deadline stay; the score may change
SELECT key, source, priority FROM pool.lead WHERE key LIKE 't_';
SELECT key, due_at FROM pool.lead_due WHERE key = 't1';
-- by key, too; and in bulk, twice in one statement
SELECT outcome FROM pool.enter('touch', 't1', source => 'again');
INSERT INTO pool.intake (pool, key, source, identities) VALUES
    ('touch', 'b1', 'x', t.phone(1)), ('touch', 'b2', 'y', t.phone(2)),
    ('touch', 'b3', 'z', t.phone(2)), ('touch', 'b2', 'k', NULL);
SELECT row_number, key, outcome, lead_id = t.id('t1') AS t1 FROM pool.intake_check();
SELECT d.key, e.kind, e.source FROM pool.event e JOIN pool.lead_data d
ON d.id = e.lead_id WHERE d.key IN ('t1', 'b2') ORDER BY e.id;
-- what counts in the queue stays claimable: a touched lead in the pool
SELECT outcome, key FROM pool.claim('touch', 'bob', 5);
-- the pool that is entered decides: reject notes nothing
SELECT outcome, home_pool FROM pool.enter('reject', 'r1', identities => t.phone(1));
SELECT count(*) FROM pool.history(t.id('t1')) WHERE kind = 'touched';

------------------------------------------------------------------------
-- link
------------------------------------------------------------------------

SELECT outcome FROM pool.enter('reject', 'l1', source => 'web',
    identities => t.phone(10) || '{"email": "a@x.cn"}');
SELECT outcome, lead_id = t.id('l2') AS own, status FROM pool.enter('link',
    'l2', source => 'fair', identities => t.phone(10) || '{"email": "b@x.cn"}');
SELECT outcome FROM pool.enter('link', 'l3', identities => '{"email": "B@x.cn"}');
SELECT * FROM t.groups;
-- an identity is one lead's; the new ones are the second lead's
SELECT d.key, i.kind, i.value FROM pool.identity i
JOIN pool.lead_data d ON d.id = i.lead_id WHERE d.key LIKE 'l_' ORDER BY 1, 2, 3;
SELECT d.key, e.kind, e.source, e.detail - 'lead' - 'group' AS rest,
    e.detail ->> 'group' = t.id('l1')::text AS grouped,
    (SELECT n.key FROM pool.lead_data n WHERE n.id = (e.detail ->> 'lead')::bigint)
        AS linked
FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
WHERE d.key LIKE 'l_' ORDER BY e.id;
-- the same key is the same lead
SELECT outcome, lead_id = t.id('l2') AS same FROM pool.enter('link', 'l2');
-- edit: what a sibling has is no conflict
SELECT outcome FROM pool.edit(t.id('l2'), identities => t.phone(10));
SELECT outcome FROM pool.edit(t.id('t1'), identities => t.phone(10));

-- one owner: whoever owns one may have the others, nobody else may
SELECT outcome FROM pool.claim_leads(t.ids('l1'), 'ann');
SELECT * FROM t.groups;
SELECT outcome, key FROM pool.claim_leads(t.ids('l2', 'l3'), 'bob');
SELECT outcome FROM pool.claim('link', 'bob', 5);
SELECT test, passed, detail FROM pool.explain_claim(t.id('l2'), 'bob')
WHERE NOT passed;
SELECT outcome FROM pool.assign(t.ids('l2'), 'bob', actor => 'boss');
SELECT outcome, status, member, reason FROM pool.enter('link', 'l4',
    identities => t.phone(10), owner => 'bob');
SELECT outcome, key FROM pool.claim_leads(t.ids('l2', 'l3'), 'ann');
SELECT * FROM t.groups;
SELECT outcome FROM pool.transfer(t.ids('l2'), 'bob', actor => 'boss');
SELECT * FROM pool.verify();
-- he loses them one by one: release, reclaim, convert, archive
SELECT outcome FROM pool.release(t.ids('l1'), member => 'ann');
SELECT outcome FROM pool.convert(t.id('l2'), member => 'ann');
SELECT owner, held FROM t.groups;
SELECT outcome FROM pool.claim_leads(t.ids('l1'), 'bob');
-- the last one may be handed on
SELECT outcome FROM pool.transfer(t.ids('l3'), 'bob', actor => 'boss');
SELECT owner, held FROM t.groups;
SELECT outcome FROM pool.claim_leads(t.ids('l1', 'l4'), 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('l1', 'l4'), 'bob');
SELECT outcome FROM pool.archive(t.ids('l1'), 'lost', 'boss');
SELECT outcome FROM pool.reclaim(t.ids('l3', 'l4'), actor => 'boss');
SELECT owner, held FROM t.groups;
SELECT outcome FROM pool.claim_leads(t.ids('l3'), 'ann');
-- an archived one comes back instead of being linked
SELECT outcome, lead_id = t.id('l1') AS same, home_pool
FROM pool.enter('link', 'l5', identities => t.phone(10));
-- erasing leaves the group to the others
SELECT outcome FROM pool.erase(t.ids('l3'), 'asked');
SELECT owner, held FROM t.groups;
-- in bulk, among themselves, with owners
INSERT INTO pool.intake (pool, key, identities, owner) VALUES
    ('link', 'm1', t.phone(20), 'ann'), ('link', 'm2', t.phone(20), 'ann'),
    ('link', 'm3', t.phone(20), 'bob'), ('link', 'm4', t.phone(21), NULL),
    ('link', 'm5', t.phone(21), NULL);
SELECT row_number, key, outcome, member, reason FROM pool.intake_check();
SELECT owner, held, leads FROM t.groups WHERE leads[1] LIKE 'm_';
-- a claim of several takes no more than one customer's worth wrongly
SELECT outcome, key FROM pool.claim('link', 'bob', 10) ORDER BY key;
SELECT owner, held, leads FROM t.groups;
SELECT * FROM pool.lookup(t.phone(20));
SELECT * FROM pool.verify();
-- verify notices
SET session_replication_role = replica;
UPDATE pool.identity_group SET held = held + 1
WHERE id = t.id('m1');
SELECT check_name, object = format('identity group %s', t.id('m1')) AS named,
    message FROM pool.verify(1);
UPDATE pool.identity_group SET held = held - 1 WHERE id = t.id('m1');
DELETE FROM pool.identity_group WHERE id = t.id('m4');
SELECT check_name, message FROM pool.verify(1);
INSERT INTO pool.identity_group (id, tenant_id, owner_id, held)
SELECT t.id('m4'), m.tenant_id, m.id, 2 FROM pool.member m WHERE m.key = 'bob';
RESET session_replication_role;
SELECT * FROM pool.verify();

-- scopes: a subtree has its own customers
INSERT INTO pool.pool (name, everyone, identity_scope, duplicate_policy)
VALUES ('line', true, 'subtree', 'link');
INSERT INTO pool.pool (name, parent_id, everyone, identity_scope) VALUES
    ('line a', t.pool('line'), true, 'tenant'),
    ('line b', t.pool('line'), true, 'subtree');
SELECT outcome FROM pool.enter('line a', 's1', identities => t.phone(1));
SELECT outcome, lead_id = t.id('s1') AS same
FROM pool.enter('line b', 's2', identities => t.phone(1));
SELECT outcome FROM pool.enter('line', 's3', identities => t.phone(1));
SELECT scope = t.pool('line')::text AS of_line, owner, leads FROM t.groups
WHERE leads[1] = 's1';
SELECT scope = t.pool('line')::text AS of_line, count(*) FROM pool.identity
WHERE value = t.phone(1) ->> 'phone' GROUP BY 1 ORDER BY 1;
SELECT outcome FROM pool.edit(t.id('s1'), identities => t.phone(10));
-- ann owns the lead of that number in the rest of the tenant
SELECT outcome FROM pool.claim_leads(t.ids('s1'), 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('s3'), 'ann');

------------------------------------------------------------------------
-- a lead keeps the scope it has entered in, wherever it is moved
SELECT outcome FROM pool.enter('line a', 's4', identities => t.phone(40));
SELECT outcome FROM pool.move(t.ids('s4'), 'reject');
SELECT outcome FROM pool.edit(t.id('s4'), identities => t.phone(41));
SELECT i.scope = t.pool('line')::text AS of_line, count(*) FROM pool.identity i
WHERE lead_id = t.id('s4') GROUP BY 1;
SELECT outcome, lead_id = t.id('s4') AS same
FROM pool.enter('line b', 's5', identities => t.phone(41));
SELECT outcome FROM pool.enter('reject', 's6', identities => t.phone(41));
-- Converted leads that come again
------------------------------------------------------------------------

UPDATE pool.pool SET keep_converted = '30 days', cooldown = '5 days'
WHERE name = 'keep';
INSERT INTO pool.intake (pool, key, owner, identities)
SELECT 'keep', 'k' || i, 'ann', t.phone(100 + i) FROM generate_series(1, 5) i;
SELECT DISTINCT outcome FROM generate_series(1, 5) i,
    pool.convert(t.id('k' || i), 100, 'CNY', 'ann');
SELECT outcome, lead_id = t.id('k1') AS same, member, status, home_pool, reason
FROM pool.enter('reject', 'kk', identities => t.phone(101));
SELECT kind, member, detail FROM pool.history(t.id('k1'));
SELECT outcome FROM pool.reopen(t.ids('k2'), actor => 'boss');
SELECT outcome FROM pool.reopen(t.ids('k3'), 'link', actor => 'boss');
-- whatever entry rules, or the pool that is entered, would have looked at
SELECT outcome FROM pool.enter('keep', 'k6', owner => 'ann');
SELECT outcome FROM pool.convert(t.id('k6'), 100, 'CNY', 'ann');
UPDATE pool.pool SET review = true WHERE name = 'keep';
SELECT outcome, member, status FROM pool.enter('keep', 'k6');
UPDATE pool.pool SET review = false WHERE name = 'keep';
-- he is away: to the pool
UPDATE pool.member SET status = 'away' WHERE key = 'ann';
SELECT outcome, member, status, reason FROM pool.enter('keep', 'k4');
UPDATE pool.member SET status = 'active' WHERE key = 'ann';
-- too long ago: known, and no more
SET pool_ext.clock = '2026-04-04 10:00+00';
SELECT outcome, status FROM pool.enter('keep', 'k5');
SELECT outcome FROM pool.reopen(t.ids('k5'), actor => 'boss');
SELECT pool, key, status, owner FROM t.leads() WHERE key LIKE 'k_' ORDER BY key;
-- without the setting a converted lead is a duplicate
SELECT outcome FROM pool.enter('reject', 'n1', owner => 'ann');
SELECT outcome FROM pool.convert(t.id('n1'), member => 'ann');
SELECT outcome, status FROM pool.enter('reject', 'n1');

------------------------------------------------------------------------
-- Archived for good
------------------------------------------------------------------------

INSERT INTO pool.dictionary (pool_id, kind, code, "then") VALUES
    (t.pool('reject'), 'archive_reason', 'blacklist', 'never'),
    (t.pool('reject'), 'archive_reason', 'lost', 'nothing');
SELECT outcome FROM pool.enter('reject', 'a1', identities => t.phone(200));
SELECT outcome FROM pool.enter('reject', 'a2');
SELECT outcome FROM pool.archive(t.ids('a1'), 'blacklist', 'boss');
SELECT outcome FROM pool.archive(t.ids('a2'), 'lost', 'boss');
SELECT outcome, lead_id = t.id('a1') AS same, status
FROM pool.enter('touch', 'a3', source => 'fair', identities => t.phone(200));
-- the inquiry is noted all the same
SELECT kind, source FROM pool.event WHERE lead_id = t.id('a1') ORDER BY id DESC LIMIT 1;
SELECT outcome, status FROM pool.enter('reject', 'a2');
-- a manager may all the same, and then the reason is history
SELECT outcome FROM pool.reopen(t.ids('a1'), actor => 'boss');
SELECT outcome FROM pool.archive(t.ids('a1'), 'lost', 'boss');
SELECT outcome, status FROM pool.enter('reject', 'a1');

------------------------------------------------------------------------
-- merge
------------------------------------------------------------------------

SELECT outcome FROM pool.enter('reject', 'x1', 'X', 'web', NULL, 5,
    '{"city": "Suzhou", "staff": 5}', t.phone(300));
SELECT outcome FROM pool.enter('keep', 'x2', NULL, 'fair', 'B', 3,
    '{"staff": 7}', t.phone(301), 'ann');
SELECT outcome, lead_id = t.id('x2') AS target, key
FROM pool.merge(t.id('x1'), t.id('x2'), 'same person', 'boss');
SELECT key, name, source, grade, priority, attributes, status
FROM pool.lead WHERE key LIKE 'x_' ORDER BY key;
SELECT d.key, i.value FROM pool.identity i JOIN pool.lead_data d
ON d.id = i.lead_id WHERE d.key LIKE 'x_' ORDER BY 2;
SELECT d.key, e.kind, e.reason, a.key AS actor,
    (e.detail ->> 'into')::bigint = t.id('x2') AS into_x2,
    (e.detail ->> 'lead')::bigint = t.id('x1') AS of_x1
FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
LEFT JOIN pool.member a ON a.id = e.actor_id
WHERE d.key LIKE 'x_' AND e.kind <> 'entered' ORDER BY e.id;
-- whoever enters the one meets the other, however often it was merged
SELECT outcome, lead_id = t.id('x2') AS is_x2, status FROM pool.enter('reject', 'x1');
SELECT outcome FROM pool.enter('reject', 'x3');
SELECT outcome FROM pool.merge(t.id('x2'), t.id('x3'), actor => 'boss');
SELECT outcome FROM pool.release(t.ids('x2'), member => 'ann');
SELECT outcome FROM pool.merge(t.id('x2'), t.id('x3'), actor => 'boss');
SELECT outcome, lead_id = t.id('x3') AS is_x3 FROM pool.enter('reject', 'x1');
SELECT outcome, lead_id = t.id('x3') AS is_x3
FROM pool.enter('touch', 'x9', source => 'late', identities => t.phone(300));
SELECT count(*) FROM pool.history(t.id('x3')) WHERE kind = 'touched';
-- in a group
SELECT outcome FROM pool.enter('reject', 'g0', owner => 'ann');
SELECT outcome FROM pool.merge(t.id('m5'), t.id('g0'), actor => 'boss');
SELECT outcome FROM pool.enter('reject', 'g1', owner => 'bob');
SELECT outcome FROM pool.merge(t.id('m5'), t.id('g1'), actor => 'boss');
SELECT owner, held, leads FROM t.groups WHERE leads[1] = 'm4';
-- what the target learns counts for its priority, and for its place
INSERT INTO pool.score_rule (pool_id, name, condition, points)
VALUES (t.pool('reject'), 'near', '$.city == "Suzhou"', 30);
SELECT outcome FROM pool.enter('reject', 'z1', priority => 10);
SELECT outcome FROM pool.enter('reject', 'z2', attributes => '{"city": "Suzhou"}');
SELECT outcome FROM pool.merge(t.id('z2'), t.id('z1'), actor => 'boss');
SELECT key, priority FROM pool.lead WHERE key = 'z1';
SELECT outcome, key FROM pool.claim('reject', 'ann');
-- a closed one takes what it is given, and keeps its priority
SELECT outcome FROM pool.enter('reject', 'z3');
SELECT outcome FROM pool.enter('reject', 'z4', attributes => '{"city": "Suzhou"}');
SELECT outcome FROM pool.convert(t.id('z1'), member => 'ann');
SELECT outcome FROM pool.assign(t.ids('z3'), 'ann');
SELECT outcome FROM pool.convert(t.id('z3'), member => 'ann');
SELECT outcome FROM pool.merge(t.id('z4'), t.id('z3'), actor => 'boss');
SELECT key, status, priority, attributes FROM pool.lead WHERE key IN ('z3', 'z4')
ORDER BY key;
-- refusals
SELECT outcome FROM pool.merge(t.id('x1'), t.id('x3'), actor => 'boss');
SELECT outcome FROM pool.merge(t.id('x3'), t.id('x1'), actor => 'boss');
SELECT outcome FROM pool.merge(t.id('x3'), 12345, actor => 'boss');
SELECT * FROM t.error($$SELECT pool.merge(t.id('x3'), t.id('x3'), actor => 'boss')$$);
SELECT (t.error($$SELECT pool.merge(t.id('x3'), t.id('a1'), actor => 'ann')$$)).state;
-- erased, or of another tenant
SELECT t.id('z1') AS z1 \gset
SELECT outcome FROM pool.erase(t.ids('z1'), 'asked', 'boss');
SELECT outcome FROM pool.enter('reject', 'z5');
SELECT outcome FROM pool.merge(t.id('z5'), :z1, actor => 'boss');
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'theirs' FROM pool.tenant
WHERE name = 'other';
SELECT lead_id AS o1 FROM pool.enter('other/theirs', 'o1') \gset
SELECT outcome FROM pool.merge(t.id('z5'), :o1);
-- the same request twice
SELECT e.outcome FROM unnest('{y1,y2}'::text[]) k, pool.enter('reject', k) e;
SELECT outcome FROM pool.merge(t.id('y1'), t.id('y2'), NULL, 'boss',
    '00000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.merge(t.id('y1'), t.id('y2'), NULL, 'boss',
    '00000000-0000-0000-0000-000000000001');
SELECT * FROM pool.verify();
