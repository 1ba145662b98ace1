-- Leads leave circulation and come back, or go to another pool: every outcome
-- of convert, archive, reopen and move.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('p', 'ann', 'bob', 'boss'), t.join_pool('q', 'bob');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
SELECT t.fill('p', 'a', 9, 40), t.fill('q', 'b', 3, 40);
SELECT count(*) FROM pool.claim('p', 'ann', 5);

-- convert: by the owner, by a manager for him
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT * FROM pool.convert(t.id('a1'), 1234.50, 'CNY', 'ann');
SELECT * FROM pool.convert(t.id('a2'), member => 'boss');
SELECT * FROM pool.convert(t.id('a3'), 0);
SELECT key, status, owner_id, owned_at, closed_at, amount, currency,
    last_owner_id = (SELECT id FROM pool.member WHERE key = 'ann') AS by_ann
FROM pool.lead WHERE status = 'converted' ORDER BY key;
SELECT kind, member, actor, detail FROM t.events(t.id('a1'));
SELECT kind, member, actor, detail FROM t.events(t.id('a2'))
    WHERE kind = 'converted';
SELECT held FROM pool.membership_state WHERE held > 0;
SELECT * FROM pool.convert(t.id('a1'), 1, 'EUR', 'ann');
SELECT outcome FROM pool.convert(t.id('a1'), member => 'bob');
SELECT outcome, key FROM pool.convert(t.id('a4'), member => 'bob');
SELECT outcome FROM pool.convert(t.id('a6'), member => 'ann');
SELECT outcome FROM pool.convert(t.id('b1'), member => 'boss');
SELECT * FROM pool.convert(-5, member => 'ann');
SELECT amount, currency FROM pool.lead WHERE key = 'a1';
SELECT * FROM t.error($$SELECT pool.convert(NULL)$$);
SELECT * FROM t.error($$SELECT pool.convert(t.id('a4'), -1)$$);
SELECT * FROM t.error($$SELECT pool.convert(t.id('a4'), 'NaN')$$);
SELECT * FROM t.error($$SELECT pool.convert(t.id('a4'), 'Infinity')$$);
-- sums of amounts must be numbers, too
SELECT * FROM t.error($$SELECT pool.convert(t.id('a4'), 1e30)$$);
SELECT * FROM t.error($$SELECT pool.convert(t.id('a4'), 1e-31)$$);
BEGIN;
SELECT outcome FROM pool.convert(t.id('a4'),
    (repeat('9', 30) || '.' || repeat('9', 30))::numeric, member => 'ann');
ROLLBACK;
SELECT * FROM t.error($$SELECT pool.convert(t.id('a4'), 1, repeat('x', 17))$$);

-- archive: whoever owns it, in the order given
SET pool_ext.clock = '2026-03-04 09:00+00';
SELECT * FROM pool.archive(t.ids('a4'), 'invalid', 'boss');
SELECT outcome, key FROM pool.archive(t.ids('a7', 'a4', 'a1', 'a6') ||
    77::bigint || t.ids('a7'), 'lost');
SELECT key, status, owner_id, closed_at FROM pool.lead
    WHERE status = 'archived' ORDER BY key;
SELECT kind, member, actor, reason, detail FROM t.events(t.id('a4'));
SELECT kind, member, actor, reason, detail FROM t.events(t.id('a7'));
SELECT outcome FROM pool.convert(t.id('a4'), member => 'ann');
SELECT * FROM t.error($$SELECT pool.archive(t.ids('a5'), 'x', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.archive(t.ids('a5', 'b1'), 'x', 'boss')$$);
SELECT * FROM t.error($$SELECT pool.archive(t.ids('a5'), NULL)$$);
SELECT * FROM t.error($$SELECT pool.archive(NULL, 'x')$$);
SELECT * FROM t.error($$SELECT pool.archive(t.ids('a5'), repeat('x', 201))$$);
SELECT status FROM pool.lead WHERE key IN ('a5', 'b1') ORDER BY key;

-- reopen: with its priority, as the newest of its band
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT * FROM pool.reopen(t.ids('a7'), actor => 'boss');
SELECT outcome, key FROM pool.reopen(t.ids('a4', 'a5', 'a1', 'b1') ||
    77::bigint || t.ids('a8'));
SELECT key, status, priority FROM t.leads('p') WHERE status <> 'owned';
SELECT key, entered_at, closed_at, amount, currency, claims FROM pool.lead
    WHERE key IN ('a1', 'a4', 'a7') ORDER BY key;
SELECT kind, pool, member, actor, detail FROM t.events(t.id('a1'));
-- elsewhere
SELECT outcome, key FROM pool.reopen(t.ids('a2'), 'q');
SELECT kind, pool, detail - 'from_pool' AS detail FROM t.events(t.id('a2'));
SELECT key FROM t.leads('q');
SELECT * FROM t.error($$SELECT pool.reopen(t.ids('a3'), actor => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.reopen(t.ids('a3'), 'nowhere')$$);
SELECT * FROM t.error($$SELECT pool.reopen(t.ids('a3'), 'q', 'boss')$$);

-- move: available leads only, to the end of the band there
SELECT * FROM t.error($$SELECT pool.move(t.ids('a8'), 'q', 'boss')$$);
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE p.name = 'q' AND m.key = 'boss';
SELECT * FROM pool.move(t.ids('a8'), 'q', 'boss');
SELECT outcome, key FROM pool.move(t.ids('a5', 'a3', 'a9') || 77::bigint ||
    t.ids('a6', 'a9'), 'q');
SELECT key, status FROM t.leads('q');
SELECT kind, pool, member, actor, p.name AS from_pool
FROM (SELECT * FROM t.events(t.id('a8'))) e (kind, pool, member, actor, reason,
    rule, detail)
LEFT JOIN pool.pool p ON p.id = (e.detail ->> 'from_pool')::int;
SELECT outcome, key FROM pool.claim('q', 'bob', 99);
SELECT * FROM t.error($$SELECT pool.move(t.ids('a1'), 'q', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.move(t.ids('a1'), NULL)$$);
SELECT * FROM t.error($$SELECT pool.move(t.ids('a1'), 'nowhere')$$);

-- in one transaction, back and forth
BEGIN;
SELECT outcome FROM pool.archive(t.ids('a1'), 'test');
SELECT outcome FROM pool.reopen(t.ids('a1'));
SELECT outcome FROM pool.move(t.ids('a1'), 'q');
SELECT outcome FROM pool.move(t.ids('a1'), 'p');
SELECT outcome, key FROM pool.claim_leads(t.ids('a1'), 'ann');
SELECT outcome FROM pool.convert(t.id('a1'), member => 'ann');
SELECT outcome FROM pool.reopen(t.ids('a1'));
COMMIT;
SELECT status FROM pool.lead WHERE key = 'a1';
SELECT * FROM pool.verify();
