-- Leads return to a pool: every outcome of release and reclaim.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.pool (name, parent_id) SELECT 'q2', id FROM pool.pool
    WHERE name = 'q';
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('p', 'ann', 'bob', 'boss'), t.join_pool('q', 'ann');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
SELECT t.fill('p', 'a', 6, 50), t.fill('p', 'b', 2, 50), t.fill('p', 'c', 2, 60);
SELECT count(*) FROM pool.claim('p', 'ann', 8);

-- released: the spell is over, the priority stays, the place is the last
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT outcome FROM pool.follow_up(t.id('a2'), result => 'busy',
    next_at => '2026-03-09 09:00+00', stage => 'offer', member => 'ann');
SET pool_ext.clock = '2026-03-04 09:00+00';
SELECT * FROM pool.release(t.ids('a2'), 'no answer', NULL, 'ann');
SELECT status, priority, owner_id, owned_at, entered_at, chain_at,
    first_follow_up_at, last_follow_up_at, follow_ups, last_result,
    next_follow_up_at, stage, claims,
    last_owner_id = (SELECT id FROM pool.member WHERE key = 'ann') AS by_ann
FROM pool.lead WHERE key = 'a2' \gx
SELECT kind, pool, member, actor, reason, detail FROM t.events(t.id('a2'));
SELECT key, priority, status FROM t.leads('p') WHERE status = 'available';
-- to another pool
SELECT outcome, key FROM pool.release(t.ids('a1'), to_pool => 'q', member => 'ann');
SELECT e.kind, e.pool, p.name AS from_pool, e.detail - 'from_pool' AS detail
FROM t.events(t.id('a1')) e
LEFT JOIN pool.pool p ON p.id = (e.detail ->> 'from_pool')::int;
SELECT held FROM pool.membership_state s JOIN pool.pool p ON p.id = s.pool_id
    JOIN pool.member m ON m.id = s.member_id
    WHERE m.key = 'ann' ORDER BY p.name;
-- only where he belongs, if only to look on, or manages one above
SELECT * FROM t.error($$SELECT pool.release(t.ids('a3'), to_pool => 'q2',
    member => 'ann')$$);
SELECT key, status FROM t.leads() WHERE key = 'a3';
BEGIN;
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'viewer' FROM pool.pool p, pool.member m
    WHERE p.name = 'q2' AND m.key = 'ann';
SELECT outcome FROM pool.release(t.ids('a3'), to_pool => 'q2', member => 'ann');
ROLLBACK;
BEGIN;
UPDATE pool.membership SET role = 'manager'
    WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'q')
    AND member_id = (SELECT id FROM pool.member WHERE key = 'ann');
SELECT outcome FROM pool.release(t.ids('a3'), to_pool => 'q2', member => 'ann');
ROLLBACK;
-- his own leads only, whatever he is; one row per distinct id, in order
SELECT outcome FROM pool.archive(t.ids('b1'), 'lost');
SELECT outcome, key FROM pool.release(t.ids('c1', 'a2', 'b1', 'a3') ||
    99::bigint || t.ids('a3', 'c1'), 'tired', member => 'ann');
SELECT outcome FROM pool.release(t.ids('a4'), member => 'boss');
SELECT * FROM pool.release('{}', member => 'ann');
-- one who is away or no longer in the pool may still give back
UPDATE pool.member SET status = 'left' WHERE key = 'ann';
DELETE FROM pool.membership WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'p')
    AND member_id = (SELECT id FROM pool.member WHERE key = 'ann');
SELECT outcome FROM pool.release(t.ids('a4'), member => 'ann');
UPDATE pool.member SET status = 'active';
-- reasons are free text
SELECT outcome FROM pool.release(t.ids('a5'), repeat('线', 200), member => 'ann');
SELECT * FROM t.error($$SELECT pool.release(t.ids('a6'), repeat('线', 201),
    member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.release(t.ids('a6'), to_pool => 'nowhere',
    member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.release(t.ids('a6'), member => 'x')$$);
SELECT * FROM t.error($$SELECT pool.release(t.ids('a6'))$$);
SELECT * FROM t.error($$SELECT pool.release(NULL, member => 'ann')$$);

-- reclaimed: by a manager, whoever holds it
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT * FROM pool.reclaim(t.ids('a6'), 'neglected', NULL, 'boss');
SELECT kind, pool, member, actor, reason, detail FROM t.events(t.id('a6'));
SELECT count(*) FROM pool.claim('p', 'bob', 3);
SELECT key, owner FROM t.leads() WHERE status = 'owned';
SELECT outcome, key FROM pool.reclaim(t.ids('a4', 'c2', 'a6', 'b1', 'b2') ||
    99::bigint || t.ids('c2'), to_pool => 'q');
SELECT pool, key, status FROM t.leads();
SELECT * FROM t.error($$SELECT pool.reclaim(t.ids('a2'), actor => 'bob')$$);
SELECT * FROM t.error($$SELECT pool.reclaim(t.ids('a2', 'a1'), actor => 'boss')$$);
SELECT * FROM t.error($$SELECT pool.reclaim(t.ids('a2'), to_pool => 'x')$$);
-- into a pool he manages only
SELECT * FROM t.error($$SELECT pool.reclaim(t.ids('a2'), to_pool => 'q',
    actor => 'boss')$$);
SELECT * FROM t.error($$SELECT pool.reclaim(t.ids('a2'), repeat('x', 201))$$);
SELECT * FROM t.error($$SELECT pool.reclaim('{1,NULL}')$$);

-- it all rolls back, counters and the place in the queue included
SELECT t.checksum() \gset before_
BEGIN;
SELECT outcome FROM pool.reclaim(t.ids('a2'));
SELECT outcome, key FROM pool.claim('p', 'boss');
ROLLBACK;
SELECT t.checksum() = :'before_checksum' AS same;
-- an event never lies before the one it follows, whatever the clock says
SELECT outcome FROM pool.enter('p', 'late', priority => 99, owner => 'bob');
SET pool_ext.clock = '2026-03-01 09:00+00';
SELECT outcome FROM pool.release(t.ids('late'), member => 'bob');
SELECT kind, at FROM pool.event WHERE lead_id = t.id('late') ORDER BY id;
SELECT * FROM pool.verify();
