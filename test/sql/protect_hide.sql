-- Leads hidden from claims by managers, and protected by their owners.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+08';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai'), ('other', 'UTC');
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key, login) VALUES ('ann', 'ph_ann'), ('bob', NULL), ('boss', 'ph_boss');
SELECT t.join_pool('p', 'ann', 'bob'), t.join_pool('q', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE m.key = 'boss' AND p.name = 'p';
SELECT t.fill('p', 'h', 4, 50), t.fill('q', 'q', 1);

-- hidden: claims pass over it, by id it says until when
SELECT outcome, key FROM pool.hide(t.ids('h1', 'h2'), '2026-03-02 18:00+08', 'checking', 'boss');
SELECT outcome, key FROM pool.hide(t.ids('h2'), actor => 'boss');
SELECT outcome, key, retry_at FROM pool.claim_leads(t.ids('h1', 'h2'), 'ann');
SELECT test, detail, retry_at FROM pool.explain_claim(t.id('h1'), 'ann') WHERE NOT passed;
SELECT outcome, key FROM pool.claim('p', 'ann');
SELECT kind, member, actor, reason, detail FROM t.events(t.id('h1')) WHERE kind <> 'entered';
SELECT kind, detail FROM t.events(t.id('h2')) WHERE kind = 'hidden';
SELECT l.key, l.hidden_until FROM pool.lead l WHERE hidden_until IS NOT NULL ORDER BY 1;
-- nobody sees it offered
CREATE ROLE ph_ann;
CREATE ROLE ph_boss;
SELECT pool.grant_access('ph_ann', 'member'), pool.grant_access('ph_boss', 'manager');
SET ROLE ph_ann;
SELECT key FROM pool.lead_open ORDER BY 1;
SELECT pool.hide('{1}');
RESET ROLE;
-- the end comes by itself, and it has its old place
SELECT outcome, key FROM pool.claim('p', 'bob', 5);
SELECT outcome FROM pool.claim('p', 'bob');
SET pool_ext.clock = '2026-03-02 18:00+08';
SELECT outcome, key FROM pool.claim('p', 'bob', 5);
SELECT outcome FROM pool.claim_leads(t.ids('h2'), 'bob');
SELECT outcome FROM pool.unhide(t.ids('h2'), actor => 'boss');
SELECT outcome FROM pool.unhide(t.ids('h2'), actor => 'boss');
SELECT outcome, key FROM pool.claim('p', 'bob', 5);
SELECT kind, detail FROM t.events(t.id('h2')) WHERE kind = 'unhidden';
-- a manager gives it away all the same, and then it is hidden no more
SELECT outcome FROM pool.release(t.ids('h2'), member => 'bob');
SELECT outcome FROM pool.hide(t.ids('h2'), actor => 'boss');
SELECT outcome FROM pool.assign(t.ids('h2'), 'ann', actor => 'boss');
SELECT outcome FROM pool.release(t.ids('h2'), member => 'ann');
SELECT outcome, key FROM pool.claim('p', 'bob');
-- moved it stays hidden, archived and reopened it does not
SELECT outcome FROM pool.enter('p', 'm1');
SELECT outcome FROM pool.enter('p', 'm2');
SELECT outcome FROM pool.hide(t.ids('m1', 'm2'), actor => 'boss');
SELECT outcome FROM pool.move(t.ids('m1'), 'q');
SELECT outcome FROM pool.claim_leads(t.ids('m1'), 'ann');
SELECT outcome FROM pool.archive(t.ids('m2'), 'dead');
SELECT outcome FROM pool.reopen(t.ids('m2'));
SELECT outcome FROM pool.claim_leads(t.ids('m2'), 'ann');
-- a savepoint that goes takes it along; the same transaction sees it
BEGIN;
SELECT outcome FROM pool.enter('p', 's1');
SAVEPOINT s;
SELECT outcome FROM pool.hide(t.ids('s1'), actor => 'boss');
SELECT outcome FROM pool.claim('p', 'ann');
ROLLBACK TO s;
SELECT outcome, key FROM pool.claim('p', 'ann');
COMMIT;
-- refusals
SELECT outcome FROM pool.hide(t.ids('s1') || 4711::bigint, actor => 'boss');
SELECT outcome FROM pool.unhide(t.ids('s1'), actor => 'boss');
SELECT (t.error($$SELECT pool.hide(t.ids('h1'), actor => 'ann')$$)).state;
SELECT (t.error($$SELECT pool.hide(t.ids('q1'), actor => 'boss')$$)).state;
SELECT t.fill('p', 'z', 1);
SELECT * FROM t.error($$SELECT pool.hide(t.ids('z1'), '2026-03-02 18:00+08', actor => 'boss')$$);
SELECT outcome, key FROM pool.hide(t.ids('z1'), '2026-04-01', request_id => 'a0000000-0000-0000-0000-000000000001');
SELECT outcome, key FROM pool.unhide(t.ids('z1'));
SELECT outcome, key FROM pool.hide(t.ids('z1'), '2026-04-01', request_id => 'a0000000-0000-0000-0000-000000000001');
SELECT hidden_until FROM pool.lead WHERE key = 'z1';

-- protected: by the owner or a manager
SELECT outcome, key FROM pool.protect(t.ids('h1'), '2026-03-09 09:00+08', NULL, 'exam', 'bob');
SELECT outcome, key FROM pool.protect(t.ids('h1', 'z1'), member => 'ann');
SELECT outcome, key FROM pool.protect(t.ids('s1'), span => '3 days', member => 'boss');
SELECT key, protected_until FROM pool.lead WHERE protected_until IS NOT NULL ORDER BY 1;
SELECT kind, member, actor, reason, detail FROM t.events(t.id('h1')) WHERE kind = 'protected';
SELECT outcome FROM pool.unprotect(t.ids('h1', 's1'), member => 'bob');
SELECT outcome FROM pool.unprotect(t.ids('h1'), member => 'bob');
SELECT kind, member, actor FROM t.events(t.id('h1')) WHERE kind = 'unprotected';
-- without an end: as long as the pool allows, here for good
SELECT outcome FROM pool.protect(t.ids('h1'), member => 'bob');
SELECT protected_until FROM pool.lead WHERE key = 'h1';
UPDATE pool.pool SET protect_limit = 2, protect_for = '10 days' WHERE name = 'p';
SELECT outcome FROM pool.unprotect(t.ids('h1'), member => 'bob');
SELECT outcome FROM pool.protect(t.ids('h1'), member => 'bob');
SELECT protected_until FROM pool.lead WHERE key = 'h1';
SELECT outcome FROM pool.protect(t.ids('h1'), span => '11 days', member => 'bob');
SELECT outcome FROM pool.protect(t.ids('h1'), 'infinity', member => 'bob');
-- at most two at a time, whoever asks; to prolong one is no other
SELECT outcome, count(*) FROM pool.protect(ARRAY(SELECT id FROM pool.lead WHERE owner_id =
    (SELECT id FROM pool.member WHERE key = 'bob') ORDER BY id), member => 'bob')
    GROUP BY 1 ORDER BY 1;
SELECT outcome FROM pool.protect(t.ids('h4'), span => '1 day', member => 'boss');
-- what has ended, by time or with the spell, does not count
SET pool_ext.clock = '2026-03-13 09:00+08';
SELECT outcome FROM pool.protect(t.ids('h4'), member => 'bob');
SELECT outcome FROM pool.release(t.ids('h4'), member => 'bob');
SELECT protected_until FROM pool.lead WHERE key = 'h4';
SELECT outcome FROM pool.unprotect(t.ids('h4'), member => 'bob');
SELECT outcome FROM pool.transfer(t.ids('h1'), 'ann', actor => 'boss');
SELECT protected_until FROM pool.lead WHERE key = 'h1';
SELECT outcome FROM pool.transfer(t.ids('h1'), 'bob', actor => 'boss');
SELECT * FROM t.error($$SELECT pool.protect(t.ids('h1'), '2026-04-01', '1 day', member => 'bob')$$);
SELECT (t.error($$SELECT pool.protect(t.ids('h1'), span => '-1 day', member => 'bob')$$)).state;
SELECT (t.error($$SELECT pool.protect(NULL, member => 'bob')$$)).state;
SELECT outcome FROM pool.protect('{4711}', member => 'bob');
-- several at once: each pool has its own limit
INSERT INTO pool.pool (name, everyone, protect_limit) VALUES ('l1', true, 1), ('l2', true, 1);
SELECT t.fill('l1', 'l1', 2), t.fill('l2', 'l2', 1);
SELECT count(*) FROM pool.claim('l1', 'bob', 2);
SELECT count(*) FROM pool.claim('l2', 'bob');
SELECT outcome, key FROM pool.protect(t.ids('l11', 'l21', 'l12'), member => 'bob');
SELECT * FROM pool.verify();
DROP OWNED BY ph_ann, ph_boss;
-- for good is one end of time, the other and all that nobody can compute with
-- are errors
SELECT (t.error(format('SELECT pool.%s(''{1}'', %L)', f, at))).*
    FROM unnest('{protect,hide}'::text[]) f,
    unnest('{-infinity,4714-11-24 00:00+00 BC,294276-12-31 23:59:59+00}'
        ::text[]) at;
