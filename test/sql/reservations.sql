-- Members reserve leads for themselves for a while before they claim them.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+08';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai'), ('other', 'UTC');
INSERT INTO pool.pool (name, reserve_limit) VALUES ('p', 2), ('q', 2);
INSERT INTO pool.member (key, login) VALUES ('ann', 'rs_ann'), ('bob', NULL), ('boss', NULL);
SELECT t.join_pool('p', 'ann', 'bob'), t.join_pool('q', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE m.key = 'boss';
SELECT t.fill('p', 'r', 4, 50), t.fill('q', 'q', 1);

-- his for ten minutes, or for as long as he says; nobody else gets it
SELECT outcome, key, reserved_until FROM pool.reserve(t.ids('r1'), member => 'ann');
SELECT outcome, key, reserved_until FROM pool.reserve(t.ids('r2'), '5 minutes', 'ann');
SELECT outcome, key, retry_at FROM pool.claim_leads(t.ids('r1', 'r2'), 'bob');
SELECT outcome, key, retry_at FROM pool.reserve(t.ids('r1'), member => 'bob');
SELECT test, detail, retry_at FROM pool.explain_claim(t.id('r1'), 'bob') WHERE NOT passed;
SELECT count(*) FROM pool.explain_claim(t.id('r1'), 'ann') WHERE NOT passed;
SELECT outcome, key FROM pool.assign(t.ids('r1'), 'bob', actor => 'boss');
SELECT outcome, key FROM pool.hide(t.ids('r1'), actor => 'boss');
SELECT outcome, key FROM pool.claim('p', 'bob');
SELECT kind, member, actor, detail FROM t.events(t.id('r2')) WHERE kind <> 'entered';
SELECT * FROM pool.verify();
-- again it is what it was; a limit holds for each pool, and tells until when
SELECT outcome, reserved_until FROM pool.reserve(t.ids('r2'), '10 minutes', 'ann');
SELECT outcome, retry_at, limit_value, used FROM pool.reserve(t.ids('r4'), member => 'ann');
SELECT outcome, key FROM pool.reserve(t.ids('q1'), member => 'ann');
SELECT outcome FROM pool.reserve(t.ids('r4'), '11 minutes', 'bob');
UPDATE pool.pool SET reserve_limit = 0 WHERE name = 'q';
SELECT outcome, limit_value, used FROM pool.reserve(t.ids('q1'), member => 'bob');
SELECT words FROM pool.rules_in_force WHERE pool = 'q' AND rule_table = 'pool';
-- several at once: each pool has its own limit
BEGIN;
UPDATE pool.pool SET reserve_limit = 1;
SELECT t.fill('p', 'more', 2), t.fill('q', 'else', 1);
SELECT outcome, key FROM pool.reserve(t.ids('more1', 'else1', 'more2'), member => 'bob');
ROLLBACK;
-- he and nobody else finds it offered
CREATE ROLE rs_ann;
SELECT pool.grant_access('rs_ann', 'member');
SET ROLE rs_ann;
SELECT key FROM pool.lead_open ORDER BY 1;
SELECT key FROM pool.search('p', '{"key": "r1"}');
SELECT outcome FROM pool.reserve('{1}', member => 'bob');
RESET ROLE;

-- time ends it, and it has its old place
SET pool_ext.clock = '2026-03-02 09:05+08';
SELECT outcome, key FROM pool.claim_leads(t.ids('r1', 'r2'), 'bob');
SELECT outcome, key FROM pool.release(t.ids('r2', 'r3'), member => 'bob');
SELECT outcome, retry_at FROM pool.reserve(t.ids('r4'), member => 'ann');
SET pool_ext.clock = '2026-03-02 09:10+08';
SELECT outcome, key FROM pool.claim('p', 'bob');
SELECT outcome, key FROM pool.release(t.ids('r1'), member => 'bob');
-- over, it keeps nobody from anything
SET pool_ext.clock = '2026-03-02 09:30+08';
SELECT outcome FROM pool.hide(t.ids('q1'), actor => 'boss');
SELECT outcome FROM pool.unhide(t.ids('q1'), actor => 'boss');
SELECT outcome FROM pool.assign(t.ids('r4'), 'bob', actor => 'boss');
SELECT outcome FROM pool.unreserve(t.ids('r4', 'q1'), 'ann');
SELECT * FROM pool.verify();

-- his own claim ends it, and so do he, a move, and an archive
SELECT outcome, key FROM pool.reserve(t.ids('r1', 'r2'), member => 'ann');
SELECT outcome, key FROM pool.claim('p', 'ann');
SELECT outcome, key FROM pool.claim_leads(t.ids('r1', 'r2'), 'ann');
SELECT outcome, key FROM pool.release(t.ids('r1', 'r2', 'r3'), member => 'ann');
SELECT l.key, l.reserved_for, l.hidden_until FROM pool.lead l
WHERE l.reserved_for IS NOT NULL OR l.hidden_until IS NOT NULL;
SELECT outcome, key FROM pool.reserve(t.ids('r1', 'r2'), member => 'ann');
SELECT outcome, key FROM pool.unreserve(t.ids('r1', 'r4'), 'bob');
SELECT outcome, key FROM pool.unreserve(t.ids('r1', 'r4'), 'ann');
SELECT kind, member, actor, detail FROM t.events(t.id('r1')) WHERE kind = 'unreserved';
SELECT outcome, key FROM pool.claim_leads(t.ids('r1'), 'bob');
SELECT outcome FROM pool.move(t.ids('r2'), 'q', 'boss');
SELECT outcome FROM pool.claim_leads(t.ids('r2'), 'bob');
SELECT outcome FROM pool.reserve(t.ids('r3'), member => 'ann');
SELECT outcome FROM pool.archive(t.ids('r3'), 'dead', 'boss');
SELECT outcome FROM pool.reopen(t.ids('r3'), actor => 'boss');
SELECT outcome FROM pool.claim_leads(t.ids('r3'), 'bob');

-- refused as a claim would be
UPDATE pool.pool SET hold_limit = 9, claim_limit = 1, reserve_limit = NULL WHERE name = 'p';
SELECT outcome FROM pool.enter('p', 's1', grade => 'A');
SELECT outcome FROM pool.enter('p', 's2');
SELECT outcome, limit_value, used FROM pool.reserve(t.ids('s1'), member => 'ann');
UPDATE pool.pool SET claim_limit = NULL WHERE name = 'p';
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
    SELECT id, 'ask', '$.grade == "A"', true FROM pool.pool WHERE name = 'p';
SELECT outcome FROM pool.reserve(t.ids('s1', 's2', 'r1') || 4711::bigint, member => 'ann');
UPDATE pool.member SET status = 'away' WHERE key = 'ann';
SELECT outcome FROM pool.reserve(t.ids('s2'), member => 'ann');
UPDATE pool.member SET status = 'active' WHERE key = 'ann';
INSERT INTO pool.member (tenant_id, key) SELECT id, 'zed' FROM pool.tenant WHERE name = 'other';
SELECT outcome, key FROM pool.reserve(t.ids('s2'), member => 'other/zed');
SELECT outcome, key FROM pool.unreserve(t.ids('s2'), 'other/zed');
SELECT * FROM t.error($$SELECT pool.reserve(t.ids('s2'), '1 month -29 days', 'ann')$$);
SELECT (t.error('SELECT pool.' || c)).state, c FROM unnest(ARRAY[
    $$reserve(NULL, member => 'ann')$$, $$unreserve(NULL, 'ann')$$,
    $$reserve(t.ids('s2'), '0', 'ann')$$, $$reserve(t.ids('s2'), '-1 day', 'ann')$$,
    $$reserve(t.ids('s2'), '178000000 years', 'ann')$$, $$reserve(t.ids('s2'))$$,
    $$reserve(t.ids('s2'), member => 'nobody')$$]) c;
UPDATE pool.pool SET reserve_for = '0' WHERE name = 'p';
-- what a request reserves is another matter, also where both end alike
SELECT outcome FROM pool.request_claim(t.id('s1'), member => 'ann');
SELECT outcome FROM pool.unreserve(t.ids('s1'), 'ann');
SELECT outcome FROM pool.assign(t.ids('s1'), 'bob', actor => 'boss');
SELECT outcome FROM pool.release(t.ids('s1'), member => 'bob');
INSERT INTO pool.approval_rule (pool_id, name, action, expires_after)
    SELECT id, 'soon', 'claim', '1 hour' FROM pool.pool WHERE name = 'p';
SELECT outcome, expires_at FROM pool.request_claim(t.id('s1'), member => 'ann');
SET pool_ext.clock = '2026-03-02 11:00+08';
DELETE FROM pool.claim_rule;
DELETE FROM pool.approval_rule;
SELECT outcome, reserved_until FROM pool.reserve(t.ids('s1'), member => 'ann');
SELECT * FROM pool.verify();
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT kind, member FROM t.events(t.id('s1')) WHERE kind IN ('expired', 'reserved');
SELECT outcome FROM pool.claim_leads(t.ids('s1'), 'bob');
-- rules give it to nobody meanwhile, and as any other one when it is over
INSERT INTO pool.routing_rule (pool_id, name, strategy)
    SELECT id, 'turn', 'round_robin' FROM pool.pool WHERE name = 'p';
SELECT outcome, key FROM pool.auto_assign('p') WHERE key = 's1';
SELECT outcome FROM pool.reserve(t.ids('s1'), member => 'ann');
SET pool_ext.clock = '2026-03-02 12:00+08';
SELECT outcome FROM pool.enter('p', 's3');
SELECT outcome, key FROM pool.auto_assign('p') WHERE key = 's1';

-- one request, one answer
SELECT outcome, key FROM pool.reserve(t.ids('q1'), member => 'bob', request_id => '00000000-0000-0000-0000-00000000000a');
UPDATE pool.pool SET reserve_limit = 5 WHERE name = 'q';
SELECT outcome, key, reserved_until FROM pool.reserve(t.ids('q1'), member => 'bob', request_id => '00000000-0000-0000-0000-00000000000b');
SET pool_ext.clock = '2026-03-02 12:05+08';
SELECT outcome, key, reserved_until FROM pool.reserve(t.ids('q1'), member => 'bob', request_id => '00000000-0000-0000-0000-00000000000b');
-- a savepoint that goes takes it along
BEGIN;
SELECT outcome FROM pool.unreserve(t.ids('q1'), 'bob');
SAVEPOINT s;
SELECT outcome FROM pool.reserve(t.ids('q1'), member => 'bob');
ROLLBACK TO s;
SELECT outcome, key FROM pool.claim('q', 'ann');
ROLLBACK;
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('q1'), 'ann');
-- what the pool masks stays masked: the lead is not his
DELETE FROM pool.routing_rule;
UPDATE pool.pool SET masked_attributes = '{key}', reserve_limit = 1 WHERE name = 'p';
SELECT t.fill('p', 'm', 2);
SELECT t.ids('m1', 'm2') AS masked \gset
SET ROLE rs_ann;
SELECT outcome, key FROM pool.reserve(:'masked');
SELECT outcome, key FROM pool.unreserve(:'masked');
RESET ROLE;
SELECT outcome, key FROM pool.reserve(t.ids('m1'), member => 'ann');
SELECT * FROM pool.verify();
