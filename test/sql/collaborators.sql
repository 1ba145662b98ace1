-- Who helps with a lead: add_collaborator, remove_collaborator, what helpers
-- may, how helping ends, and who gets the credit of a conversion.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET client_min_messages = warning;
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key, login) SELECT k, 'regress_pool_' || k
    FROM unnest('{ann,bob,cat,dan,eve,boss,view}'::text[]) k;
SELECT t.join_pool('p', 'ann', 'bob', 'cat', 'dan', 'boss', 'view'),
    t.join_pool('q', 'eve', 'boss');
UPDATE pool.membership s SET role = r.role
FROM (VALUES ('boss', 'manager'), ('view', 'viewer')) r (key, role)
WHERE s.member_id = (SELECT id FROM pool.member m WHERE m.key = r.key);
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool WHERE name = 'p';
SELECT t.fill('p', 'a', 8);
SELECT count(*) FROM pool.claim('p', 'ann', 6);

-- every outcome
SELECT * FROM pool.add_collaborator(t.id('a1'), 'bob', actor => 'ann');
SELECT * FROM pool.add_collaborator(t.id('a1'), 'bob', actor => 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'bob', 'mentor', actor => 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'ann', actor => 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'cat', 'deputy', true, 'boss');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'cat', 'deputy', true);
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'dan', actor => 'bob');
SELECT outcome FROM pool.add_collaborator(t.id('a7'), 'dan', actor => 'boss');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'eve', actor => 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'view', actor => 'ann');
SELECT outcome FROM pool.set_away('dan');
SELECT outcome FROM pool.add_collaborator(t.id('a1'), 'dan', actor => 'ann');
SELECT outcome FROM pool.set_active('dan');
SELECT * FROM pool.add_collaborator(-1, 'dan', actor => 'ann');
SELECT * FROM t.error($$SELECT pool.add_collaborator(NULL, 'bob')$$);
SELECT * FROM t.error($$SELECT pool.add_collaborator(t.id('a1'), NULL)$$);
SELECT * FROM t.error($$SELECT pool.add_collaborator(t.id('a1'), 'nobody')$$);
SELECT * FROM t.error($$SELECT pool.add_collaborator(t.id('a1'), 'bob', 'friend')$$);
SELECT m.key, c.role, c.counts, c.since FROM pool.collaborator c
    JOIN pool.member m ON m.id = c.member_id ORDER BY 1;
SELECT kind, member, actor, detail FROM t.events(t.id('a1')) OFFSET 2;
SELECT outcome FROM pool.add_collaborator(t.id('a2'), 'dan', actor => 'ann',
    request_id => '00000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.remove_collaborator(t.id('a2'), 'dan', 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('a2'), 'dan', actor => 'ann',
    request_id => '00000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.remove_collaborator(t.id('a2'), 'dan', 'ann');
SELECT outcome FROM pool.remove_collaborator(t.id('a7'), 'dan', 'boss');
SELECT outcome FROM pool.remove_collaborator(t.id('a1'), 'bob', 'cat');
SELECT outcome FROM pool.remove_collaborator(-1, 'bob', 'cat');

-- they see the lead, others do not
SELECT format('CREATE ROLE %I', login), format('SELECT pool.grant_access(%L, ''member'')', login)
    FROM pool.member WHERE key IN ('bob', 'dan', 'view') ORDER BY key \gexec
SET ROLE regress_pool_bob;
SELECT key, owner, role, counts, since, follow_ups FROM pool.lead_shared;
SELECT count(*) FROM pool.history(pool.lead_id('a1'));
SELECT count(*) FROM pool.history(pool.lead_id('a2'));
RESET ROLE;
SET ROLE regress_pool_dan;
SELECT count(*) FROM pool.lead_shared;
SELECT count(*) FROM pool.history(pool.lead_id('a1'));
RESET ROLE;

-- one whose entries do not count changes nothing of the lead
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT outcome, due_at FROM pool.follow_up(t.id('a1'), 'call', 'won', 'looks good',
    '2026-03-09', stage => 'offer', member => 'bob');
SELECT follow_ups, last_follow_up_at, last_result, next_follow_up_at, stage
    FROM pool.lead WHERE key = 'a1';
SELECT kind, member, actor, detail FROM t.events(t.id('a1')) WHERE kind = 'followed_up';
-- one whose entries count does as the owner does
SELECT outcome, due_at FROM pool.follow_up(t.id('a1'), 'call', 'reached',
    stage => 'offer', member => 'cat');
SELECT follow_ups, last_follow_up_at, last_result, next_follow_up_at, stage
    FROM pool.lead WHERE key = 'a1';
SELECT outcome FROM pool.follow_up(t.id('a1'), member => 'dan');
SELECT member, followed_up FROM pool.stat_member WHERE followed_up > 0 ORDER BY 1;
-- but only a deputy ends the spell by a result
INSERT INTO pool.dictionary (pool_id, kind, code, "then")
    SELECT id, 'result', 'not mine', 'release' FROM pool.pool WHERE name = 'p';
SELECT outcome FROM pool.add_collaborator(t.id('a2'), 'dan', 'mentor', true, 'ann');
SELECT outcome FROM pool.follow_up(t.id('a2'), 'call', 'not mine', member => 'dan');
SELECT status, last_result FROM pool.lead WHERE key = 'a2';
SELECT outcome FROM pool.add_collaborator(t.id('a2'), 'dan', 'deputy', true, 'ann');
SELECT outcome FROM pool.follow_up(t.id('a2'), 'call', 'not mine', member => 'dan');
SELECT status, last_result FROM pool.lead WHERE key = 'a2';
SELECT kind, member, actor, reason FROM t.events(t.id('a2')) WHERE kind = 'released';
SELECT count(*) FROM pool.collaborator WHERE lead_id = t.id('a2');
DELETE FROM pool.dictionary;

-- helping goes on through a transfer, but nobody helps himself
SELECT outcome FROM pool.transfer(t.ids('a1'), 'cat', actor => 'boss');
SELECT m.key, c.role FROM pool.collaborator c JOIN pool.member m ON m.id = c.member_id
    WHERE lead_id = t.id('a1');
SET ROLE regress_pool_bob;
SELECT key, owner, role FROM pool.lead_shared;
RESET ROLE;
-- he may stop it himself
SET ROLE regress_pool_bob;
SELECT outcome, key FROM pool.remove_collaborator(pool.lead_id('a1'), 'bob');
RESET ROLE;
SELECT outcome FROM pool.remove_collaborator(t.id('a1'), 'bob', 'bob');
-- it ends with the spell, however that ends
SELECT k, (SELECT outcome FROM pool.add_collaborator(t.id(k), 'bob', 'mentor')),
    (SELECT outcome FROM pool.add_collaborator(t.id(k), 'dan'))
FROM unnest('{a1,a3,a4,a5,a6}'::text[]) k;
SELECT outcome FROM pool.release(t.ids('a1'), member => 'cat');
SELECT outcome FROM pool.reclaim(t.ids('a3'));
SELECT outcome FROM pool.archive(t.ids('a4'), 'dull');
SELECT outcome FROM pool.convert(t.id('a5'), 100, member => 'ann');
SELECT count(*) FROM pool.collaborator;
-- a conversion says who helped
SELECT m.key, c ->> 'role' AS role
FROM pool.event e, jsonb_array_elements(e.detail -> 'collaborators') c
JOIN pool.member m ON m.id = (c ->> 'member')::integer
WHERE e.kind = 'converted' AND e.lead_id = t.id('a5') ORDER BY 1;
SET pool_ext.clock = '2026-03-30 09:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT count(*) FROM pool.collaborator;
SELECT kind FROM t.events(t.id('a6')) ORDER BY kind LIMIT 3;

-- the late win: a manager converts for him who had the lead
SET pool_ext.clock = '2026-04-01 08:59+00';
SELECT outcome FROM pool.convert(t.id('a3'), 50, member => 'ann');
SELECT outcome FROM pool.convert(t.id('a3'), 50, member => 'ann', credit => 'ann');
SELECT outcome FROM pool.convert(t.id('a3'), 50, member => 'boss', credit => 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('a8'), 'bob');
SELECT outcome FROM pool.convert(t.id('a8'), 50, member => 'boss', credit => 'ann');
SELECT * FROM pool.convert(t.id('a3'), 50, 'CNY', member => 'boss', credit => 'ann');
SELECT outcome FROM pool.convert(t.id('a3'), 50, member => 'boss', credit => 'ann');
SELECT outcome FROM pool.convert(t.id('a4'), 50, member => 'boss', credit => 'ann');
SELECT l.status, amount, m.key AS won_by FROM pool.lead l
    JOIN pool.member m ON m.id = l.last_owner_id WHERE l.key = 'a3';
SELECT kind, member, actor, detail FROM t.events(t.id('a3')) WHERE kind = 'converted';
SELECT member, converted FROM pool.stat_member WHERE converted > 0 ORDER BY 1;
-- the owner's own credit is nothing new
SELECT outcome FROM pool.convert(t.id('a8'), 50, member => 'boss', credit => 'bob');
-- a spell that ended 30 days ago is too old
SET pool_ext.clock = '2026-04-02 08:59+00';
BEGIN;
SELECT outcome FROM pool.convert(t.id('a1'), 50, member => 'boss', credit => 'cat');
ROLLBACK;
SET pool_ext.clock = '2026-04-02 09:01+00';
SELECT outcome FROM pool.convert(t.id('a1'), 50, member => 'boss', credit => 'cat');
-- who belongs to the pool no longer, or has left, keeps no lead alive
SELECT outcome FROM pool.claim('p', 'ann');
SELECT id AS lead FROM pool.lead WHERE owner_id = (SELECT id FROM pool.member WHERE key = 'ann')
    ORDER BY owned_at DESC LIMIT 1 \gset
SELECT outcome FROM pool.add_collaborator(:lead, 'cat', 'deputy', true, 'ann');
SELECT outcome FROM pool.follow_up(:lead, member => 'cat');
BEGIN;
DELETE FROM pool.membership WHERE member_id = (SELECT id FROM pool.member WHERE key = 'cat');
SELECT outcome FROM pool.follow_up(:lead, member => 'cat');
ROLLBACK;
BEGIN;
UPDATE pool.member SET status = 'left' WHERE key = 'cat';
SELECT outcome FROM pool.follow_up(:lead, member => 'cat');
ROLLBACK;
SELECT * FROM pool.verify();
SELECT task, done > 0 AS folded FROM pool.tick() WHERE task = 'rollup';
SELECT * FROM pool.verify();

SELECT format('SELECT pool.revoke_access(%L, ''member'')', login), format('DROP ROLE %I', login)
    FROM pool.member WHERE key IN ('bob', 'dan', 'view') ORDER BY key \gexec
