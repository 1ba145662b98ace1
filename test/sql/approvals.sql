-- What a manager must approve: requests, steps, expiry, and what is left of them
-- when the lead goes elsewhere.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+08';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai'), ('other', 'UTC');
INSERT INTO pool.pool (name) VALUES ('company');
INSERT INTO pool.pool (name, parent_id) SELECT v, id FROM pool.pool, (VALUES ('p'), ('q'), ('r')) v (v);
INSERT INTO pool.member (key, level, login) VALUES ('ann', 0, 'ap_ann'), ('bob', 0, NULL), ('cid', 0, NULL),
    ('boss', 1, 'ap_boss'), ('chief', 5, NULL);
SELECT t.join_pool('p', 'ann', 'bob', 'cid'), t.join_pool('q', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE (p.name, m.key) IN (('p', 'boss'), ('r', 'boss'), ('company', 'chief'));
CREATE FUNCTION t.rule(pool_name text, rule text, action text, condition jsonpath DEFAULT NULL,
    step integer DEFAULT 1, min_level integer DEFAULT 0, expires_after interval DEFAULT NULL) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pool.approval_rule (pool_id, name, action, condition, step, min_level, expires_after)
    SELECT id, rule, $3, $4, $5, $6, $7 FROM pool.pool WHERE name = pool_name
$$;
-- The latest request about a lead.
CREATE FUNCTION t.request_of(lead text) RETURNS bigint
LANGUAGE sql AS $$ SELECT max(id) FROM pool.approval WHERE lead_id = t.id(lead) $$;
CREATE FUNCTION t.log(lead text)
RETURNS TABLE (kind text, member text, actor text, reason text, action text, step text)
LANGUAGE sql AS $$
    SELECT kind, member, actor, reason, detail ->> 'action', detail ->> 'step'
    FROM t.events(t.id(lead)) WHERE kind <> 'entered'
$$;
INSERT INTO pool.intake (pool, key, grade, attributes)
    SELECT 'p', 'l' || i, 'L', '{"size": "large"}' FROM generate_series(1, 9) i;
SELECT t.fill('p', 's', 3);
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
    SELECT id, 'large ones', '$.size == "large"', true FROM pool.pool WHERE name = 'p';

-- a claim that needs approval: asked for, reserved, decided, done
SELECT outcome, key FROM pool.claim('p', 'ann');
SELECT outcome, key FROM pool.claim_leads(t.ids('l1', 's2'), 'ann');
SELECT outcome, key FROM pool.claim_leads(t.ids('l1'), 'boss');
SELECT test, detail FROM pool.explain_claim(t.id('l1'), 'ann') WHERE NOT passed;
SELECT outcome, approval_id IS NOT NULL AS has_id, expires_at
    FROM pool.request_claim(t.id('l1'), 'my town', 'ann');
SELECT outcome, approval_id = t.request_of('l1') AS the_same
    FROM pool.request_claim(t.id('l1'), 'again', 'ann');
SELECT outcome, approval_id FROM pool.request_claim(t.id('l1'), NULL, 'bob');
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('l1'), 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('l1'), 'ann');
SELECT outcome FROM pool.hide(t.ids('l1'), actor => 'boss');
SELECT outcome FROM pool.unhide(t.ids('l1'), actor => 'boss');
SELECT reserved_for = (SELECT id FROM pool.member WHERE key = 'ann'), hidden_until
    FROM pool.lead WHERE key = 'l1';
SELECT pool, key, action, step, applicant, member, reason, created_at, expires_at, min_level, decides
    FROM pool.approval_open;
SELECT outcome, key, reason, step FROM pool.approve(t.request_of('l1'), 'fine', 'boss');
SELECT outcome, key FROM pool.approve(t.request_of('l1'), actor => 'boss');
SELECT outcome, key FROM pool.reject(t.request_of('l1'), actor => 'boss');
SELECT * FROM t.log('l1');
SELECT key, owner, status FROM t.leads('p') WHERE key = 'l1';
SELECT claimed, held FROM pool.membership_state s JOIN pool.member m ON m.id = s.member_id
    JOIN pool.pool p ON p.id = s.pool_id WHERE m.key = 'ann' AND p.name = 'p';
SELECT a.status, a.note, m.key AS decided_by, a.decided_at FROM pool.approval a
    JOIN pool.member m ON m.id = a.decided_by;

-- nobody asks who has left
UPDATE pool.member SET status = 'left' WHERE key = 'bob';
SELECT outcome FROM pool.request('archive', t.id('l2'), reason => 'dead', actor => 'bob');
SELECT outcome FROM pool.request_claim(t.id('l2'), member => 'bob');
UPDATE pool.member SET status = 'active' WHERE key = 'bob';
-- rejected, and cancelled: anybody may ask again
SELECT outcome FROM pool.request_claim(t.id('l2'), NULL, 'ann');
SELECT outcome, key FROM pool.reject(t.request_of('l2'), 'not yours', 'boss');
SELECT outcome FROM pool.request_claim(t.id('l2'), NULL, 'bob');
SELECT outcome, key FROM pool.cancel_request(t.request_of('l2'), 'ann');
SELECT outcome, key FROM pool.cancel_request(t.request_of('l2'), 'bob');
SELECT outcome, key FROM pool.cancel_request(t.request_of('l2'), 'bob');
SELECT * FROM t.log('l2');
SELECT reserved_for, hidden_until FROM pool.lead WHERE key = 'l2';

-- who may decide
SELECT outcome FROM pool.request_claim(t.id('l2'), NULL, 'ann');
SELECT * FROM t.error(format('SELECT pool.approve(%s, actor => ''ann'')', t.request_of('l2')));
SELECT (t.error(format('SELECT pool.reject(%s, actor => ''bob'')', t.request_of('l2')))).state;
SELECT outcome FROM pool.approve(4711, actor => 'boss');
SELECT (t.error('SELECT pool.' || f || '(NULL)')).state FROM unnest('{approve,reject,cancel_request}'::text[]) f;
INSERT INTO pool.member (tenant_id, key) SELECT id, 'spy' FROM pool.tenant WHERE name = 'other';
SELECT outcome FROM pool.approve(t.request_of('l2'), actor => 'other/spy');
SELECT outcome FROM pool.approve(t.request_of('l2'));
SELECT kind, member, actor FROM t.log('l2') ORDER BY 1 DESC LIMIT 2;

-- what asks in vain
SELECT outcome, approval_id FROM pool.request_claim(t.id('s3'), NULL, 'ann');
SELECT outcome, approval_id FROM pool.request_claim(t.id('l1'), NULL, 'bob');
-- that it is taken is said first, as a claim says it
SELECT outcome, approval_id FROM pool.request_claim(t.id('l1'), NULL, 'chief');
SELECT outcome, approval_id FROM pool.request_claim(4711, NULL, 'bob');
SELECT outcome, approval_id FROM pool.request_claim(t.id('l3'), NULL, 'chief');
UPDATE pool.member SET status = 'away' WHERE key = 'cid';
SELECT outcome, approval_id FROM pool.request_claim(t.id('l3'), NULL, 'cid');
UPDATE pool.member SET status = 'active' WHERE key = 'cid';
SELECT t.error($$SELECT pool.request_claim(NULL, NULL, 'cid')$$);

-- quotas: what is reserved counts when asked for, what is granted is exact
UPDATE pool.pool SET hold_limit = 3 WHERE name = 'p';
SELECT held FROM pool.membership_state s JOIN pool.member m ON m.id = s.member_id
    JOIN pool.pool p ON p.id = s.pool_id WHERE m.key = 'bob' AND p.name = 'p';
SELECT i, r.outcome FROM generate_series(3, 6) i, pool.request_claim(t.id('l' || i), NULL, 'bob') r;
SELECT outcome, key FROM pool.claim('p', 'bob');
SELECT outcome FROM pool.approve(t.request_of('l3'), actor => 'boss');
SELECT outcome FROM pool.approve(t.request_of('l4'), actor => 'boss');
SELECT outcome, key, reason FROM pool.approve(t.request_of('l5'), actor => 'boss');
SELECT status FROM pool.approval WHERE id = t.request_of('l5');
UPDATE pool.pool SET hold_limit = NULL, claim_limit = 3 WHERE name = 'p';
SELECT outcome, reason FROM pool.approve(t.request_of('l5'), actor => 'boss');
UPDATE pool.pool SET claim_limit = 4 WHERE name = 'p';
SELECT outcome, reason FROM pool.approve(t.request_of('l5'), actor => 'boss');
SELECT outcome FROM pool.request_claim(t.id('l6'), NULL, 'bob');
UPDATE pool.pool SET claim_limit = NULL;
SELECT * FROM pool.verify();

-- steps, in order, each with its level and its time
SELECT t.rule('p', 'first', 'claim', NULL, 1, 0, '2 days'), t.rule('p', 'first, A', 'claim', '$.grade == "A"', 1, 1, '1 day'),
    t.rule('p', 'second', 'claim', '$.size == "large"', 3, 5, '7 days');
INSERT INTO pool.intake (pool, key, grade, attributes) VALUES ('p', 'a1', 'A', '{"size": "large"}'),
    ('p', 'a2', 'A', '{"size": "large"}'), ('p', 'a3', 'A', '{}');
SELECT outcome, expires_at FROM pool.request_claim(t.id('a1'), NULL, 'ann');
SELECT outcome, reason, step FROM pool.approve(t.request_of('a1'), 'ok', 'boss');
SELECT step, min_level, expires_at FROM pool.approval_open;
SELECT hidden_until FROM pool.lead WHERE key = 'a1';
-- once more by the same person is no second pair of eyes; another needs the level
SELECT outcome, reason, step FROM pool.approve(t.request_of('a1'), 'ok', 'boss');
INSERT INTO pool.member (key, level) VALUES ('vice', 1);
SELECT t.join_pool('p', 'vice');
UPDATE pool.membership SET role = 'manager' WHERE member_id = (SELECT id FROM pool.member WHERE key = 'vice');
SELECT * FROM t.error(format('SELECT pool.approve(%s, actor => ''vice'')', t.request_of('a1')));
SELECT outcome, reason, step FROM pool.approve(t.request_of('a1'), 'ok too', 'chief');
SELECT * FROM t.log('a1');
-- a claim without a claim rule needs it where an approval rule says so
SELECT outcome FROM pool.claim_leads(t.ids('a3'), 'ann');
SELECT test, detail FROM pool.explain_claim(t.id('a3'), 'ann') WHERE NOT passed;
-- one step only for what is not large, and none once the rules are gone
SELECT outcome, expires_at FROM pool.request_claim(t.id('a3'), NULL, 'ann');
SELECT outcome, reason, step FROM pool.approve(t.request_of('a3'), 'ok', 'boss');

-- expiry: the tick ends it, and whoever comes first says so
SELECT outcome, expires_at FROM pool.request_claim(t.id('a2'), NULL, 'ann');
SELECT outcome, expires_at FROM pool.request_claim(t.id('l6'), NULL, 'ann');
SELECT outcome, expires_at FROM pool.request_claim(t.id('l7'), NULL, 'ann');
SET pool_ext.clock = '2026-03-04 08:59:59+08';
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('l6'), 'bob');
SELECT task, done FROM pool.tick() WHERE task = 'approvals';
SELECT key FROM pool.approval_open ORDER BY 1;
SET pool_ext.clock = '2026-03-04 09:00+08';
SELECT count(*) FROM pool.approval_open;
SELECT outcome FROM pool.claim_leads(t.ids('l6'), 'bob');
SELECT outcome FROM pool.approve(t.request_of('l6'), actor => 'boss');
SELECT outcome FROM pool.request_claim(t.id('l7'), NULL, 'bob');
SELECT task, done, more FROM pool.tick(1) WHERE task = 'approvals';
SELECT key, a.status, a.decided_at FROM pool.approval a JOIN pool.lead l ON l.id = a.lead_id
    WHERE key IN ('a2', 'l6', 'l7') ORDER BY a.id;
SELECT * FROM t.log('a2');
SELECT key, hidden_until, reserved_for IS NOT NULL AS reserved FROM pool.lead WHERE key IN ('a2', 'l6', 'l7') ORDER BY 1;
-- its time was over before somebody hid or reserved the lead; a lead that went
-- elsewhere cancels it, whoever says so and when
BEGIN;
SELECT t.rule('p', 'extend', 'extension', expires_after => '1 hour');
INSERT INTO pool.intake (pool, key, attributes) SELECT 'p', 'x' || i, '{"size": "large"}' FROM generate_series(1, 4) i;
SELECT r.outcome FROM generate_series(1, 3) i, pool.request_claim(t.id('x' || i), NULL, 'ann') r;
UPDATE pool.claim_rule SET enabled = false;
UPDATE pool.approval_rule SET enabled = false WHERE action = 'claim';
SELECT outcome FROM pool.claim_leads(t.ids('x4'), 'ann');
SELECT outcome FROM pool.request_extension(t.id('x4'), '1 day', NULL, 'ann');
SELECT outcome FROM pool.transfer(t.ids('x4'), 'cid');
SET pool_ext.clock = '2026-03-20 09:00+08';
SELECT outcome FROM pool.hide(t.ids('x1', 'x2'));
SELECT outcome FROM pool.reserve(t.ids('x3'), '1 minute', 'bob');
SELECT outcome FROM pool.approve(t.request_of('x1'), actor => 'boss');
SELECT outcome FROM pool.request_extension(t.id('x4'), '1 day', NULL, 'cid');
SELECT task, done FROM pool.tick() WHERE task = 'approvals';
SELECT i, kind FROM generate_series(1, 4) i, t.events(t.id('x' || i)) WHERE kind IN ('expired', 'cancelled') ORDER BY 1;
ROLLBACK;

-- the lead goes elsewhere: the request is nobody's business any more
SELECT outcome FROM pool.request_claim(t.id('l8'), NULL, 'ann');
SELECT outcome FROM pool.assign(t.ids('l8'), 'cid', actor => 'boss');
SELECT key FROM pool.approval_open ORDER BY 1;
SELECT outcome FROM pool.approve(t.request_of('l8'), actor => 'boss');
SELECT outcome FROM pool.approve(t.request_of('l8'), actor => 'boss');
SELECT outcome FROM pool.release(t.ids('l8'), member => 'cid');
SELECT outcome FROM pool.request_claim(t.id('l8'), NULL, 'ann');
SELECT outcome FROM pool.move(t.ids('l8'), 'q');
SELECT outcome FROM pool.claim_leads(t.ids('l8'), 'bob');
SELECT outcome FROM pool.request_claim(t.id('l9'), NULL, 'ann');
SELECT outcome FROM pool.archive(t.ids('l9'), 'dead', 'boss');
SELECT outcome FROM pool.reopen(t.ids('l9'), actor => 'boss');
SELECT outcome FROM pool.request_claim(t.id('l9'), 'a friend of mine', 'bob');
SELECT t.request_of('l9') AS l9 \gset
SELECT outcome FROM pool.erase(t.ids('l9'), 'asked', 'boss');
SELECT count(*) FROM pool.approval_open;
SELECT outcome, key LIKE 'erased:%' AS erased FROM pool.reject(:l9, actor => 'boss');
SELECT status, reason, note FROM pool.approval WHERE id <= :l9 ORDER BY id DESC LIMIT 2;
SELECT * FROM pool.verify();

-- assign, transfer, release, move, archive: who could not approve it must ask
DELETE FROM pool.claim_rule;
DELETE FROM pool.approval_rule;
SELECT t.rule('p', 'r' || a, a, '$.grade == "L"', 1, 5, '1 day')
    FROM unnest('{assign,transfer,release,move,archive}'::text[]) a;
INSERT INTO pool.intake (pool, key, grade) SELECT 'p', 'm' || i, 'L' FROM generate_series(1, 9) i;
INSERT INTO pool.intake (pool, key) VALUES ('p', 'free');
SELECT outcome, key FROM pool.assign(t.ids('m1', 'free'), 'ann', actor => 'boss');
SELECT outcome FROM pool.move(t.ids('m1'), 'q', 'chief');
SELECT outcome FROM pool.move(t.ids('m1'), 'p', 'chief');
SELECT outcome FROM pool.assign(t.ids('m2'), 'ann', actor => 'chief');
SELECT outcome FROM pool.assign(t.ids('m3'), 'ann');
SELECT outcome, key FROM pool.transfer(t.ids('m2', 'free'), 'bob', actor => 'boss');
SELECT outcome, key FROM pool.release(t.ids('m2', 'm3'), member => 'ann');
SELECT outcome, key FROM pool.archive(t.ids('m2', 'm4'), 'dead', 'boss');
SELECT outcome FROM pool.move(t.ids('m4'), 'r', 'boss');
SELECT key, status, owner FROM t.leads('p') WHERE key LIKE 'm%' ORDER BY 1;
SELECT outcome, expires_at FROM pool.request('release', t.id('m2'), reason => 'too far', actor => 'ann');
SELECT outcome FROM pool.request('transfer', t.id('m2'), 'bob', actor => 'boss');
SELECT outcome FROM pool.request('archive', t.id('m4'), reason => 'dead', actor => 'boss');
SELECT outcome FROM pool.request('assign', t.id('m5'), 'cid', actor => 'boss');
SELECT outcome FROM pool.request('move', t.id('m6'), to_pool => 'q', actor => 'ann');
SELECT outcome FROM pool.request('release', t.id('m3'), to_pool => 'q', actor => 'ann');
SELECT key, action, applicant, member, to_pool, reason, min_level FROM pool.approval_open ORDER BY id;
SELECT o.key, o.action, a.outcome, a.reason FROM pool.approval_open o, pool.approve(o.id, 'yes', 'chief') a ORDER BY o.id;
SELECT pool, key, status, owner FROM t.leads() WHERE key LIKE 'm%' ORDER BY 2;
SELECT * FROM t.log('m5');
SELECT * FROM t.log('m3');
SELECT reason FROM t.events(t.id('m4')) WHERE kind = 'archived';
-- who approves that a lead goes to another pool must be manager there too; who
-- releases his there belongs to it
SELECT t.fill('p', 'mv', 1);
SELECT outcome FROM pool.request('move', t.id('mv1'), to_pool => 'q', actor => 'ann');
SELECT (t.error(format('SELECT pool.approve(%s, actor => ''boss'')', t.request_of('mv1')))).state;
SELECT outcome FROM pool.approve(t.request_of('mv1'), actor => 'chief');
SELECT (t.error($$SELECT pool.request('release', t.id('m5'), to_pool => 'q', actor => 'cid')$$)).state;
-- not needed where it may be done at once; asked for by whoever belongs there
SELECT outcome FROM pool.request('assign', t.id('m7'), 'cid', actor => 'chief');
SELECT outcome FROM pool.request('assign', t.id('s3'), 'cid', actor => 'boss');
SELECT outcome FROM pool.request('release', t.id('free'), actor => 'bob');
SELECT outcome FROM pool.request('release', t.id('free'), actor => 'ann');
SELECT outcome FROM pool.request('archive', t.id('free'), reason => 'x', actor => 'ann');
SELECT outcome FROM pool.request('archive', t.id('m1'), reason => 'x', actor => 'cid');
INSERT INTO pool.member (key) VALUES ('stranger');
SELECT outcome FROM pool.request('archive', t.id('m7'), reason => 'x', actor => 'stranger');
SELECT outcome FROM pool.request('assign', t.id('m7'), 'stranger', actor => 'boss');
SELECT outcome FROM pool.request('assign', t.id('free'), 'ann', actor => 'boss');
SELECT outcome FROM pool.request('archive', t.id('m4'), reason => 'x', actor => 'boss');
SELECT outcome FROM pool.request('move', t.id('m4'), to_pool => 'q', actor => 'boss');
SELECT c, (e).state, (e).message FROM (SELECT c, t.error('SELECT pool.request(' || c || ')') e FROM unnest(ARRAY[
    '''claim'', 1', '''reclaim'', 1', 'NULL, 1', '''assign'', 1', '''move'', 1', '''archive'', 1', '''release'', NULL',
    '''assign'', 1, ''nobody''']) c) x;

-- transfer of what one owns: to somebody, or away
SELECT outcome FROM pool.request_transfer(t.id('free'), 'cid', 'his town', 'bob');
SELECT outcome FROM pool.request_transfer(t.id('free'), 'cid', 'his town', 'bob');
SELECT outcome FROM pool.request_transfer(t.id('free'), 'cid', 'mine', 'ann');
SELECT outcome FROM pool.follow_up(t.id('free'), member => 'bob');
SELECT outcome FROM pool.approve(t.request_of('free'), actor => 'boss');
SELECT outcome FROM pool.request_transfer(t.id('free'), NULL, 'not for me', 'cid');
SELECT outcome FROM pool.approve(t.request_of('free'), 'all right', 'boss');
SELECT * FROM t.log('free');
SELECT outcome FROM pool.request_transfer(t.id('free'), NULL, NULL, 'cid');
-- the receiver is judged when it is approved
SELECT outcome FROM pool.claim_leads(t.ids('free'), 'ann');
SELECT outcome FROM pool.request_transfer(t.id('free'), 'cid', NULL, 'ann');
UPDATE pool.member SET status = 'away' WHERE key = 'cid';
SELECT outcome, reason FROM pool.approve(t.request_of('free'), actor => 'boss');
UPDATE pool.member SET status = 'active' WHERE key = 'cid';
SELECT outcome, reason FROM pool.approve(t.request_of('free'), actor => 'boss');

-- more time
UPDATE pool.pool SET extension_limit = 1 WHERE name = 'p';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'weekly', 'follow_up', '7 days' FROM pool.pool WHERE name = 'p';
SELECT outcome FROM pool.request_extension(t.id('free'), '3 days', 'ill', 'ann');
SELECT outcome FROM pool.request_extension(t.id('free'), '3 days', 'ill', 'cid');
SELECT span FROM pool.approval_open WHERE action = 'extension';
SELECT outcome FROM pool.approve(t.request_of('free'), actor => 'boss');
SELECT protected_until, extensions FROM pool.lead WHERE key = 'free';
SELECT outcome FROM pool.request_extension(t.id('free'), '3 days', 'ill', 'cid');
-- the limit holds when it is approved; what is protected for good stays so
BEGIN;
UPDATE pool.pool SET extension_limit = 2 WHERE name = 'p';
SELECT outcome FROM pool.request_extension(t.id('free'), '3 days', 'ill', 'cid');
UPDATE pool.pool SET extension_limit = 1 WHERE name = 'p';
SELECT outcome, reason FROM pool.approve(t.request_of('free'), actor => 'boss');
UPDATE pool.pool SET extension_limit = 2 WHERE name = 'p';
SELECT outcome FROM pool.protect(t.ids('free'), 'infinity', member => 'cid');
SELECT outcome, reason FROM pool.approve(t.request_of('free'), actor => 'boss');
SELECT protected_until, extensions FROM pool.lead WHERE key = 'free';
ROLLBACK;
SELECT (t.error($$SELECT pool.request_extension(t.id('free'), '-1 day', NULL, 'cid')$$)).state;
SELECT (t.error($$SELECT pool.request_extension(t.id('free'), NULL, NULL, 'cid')$$)).state;

-- a suggestion of a routing rule takes effect unless it is rejected
INSERT INTO pool.routing_rule (pool_id, name, strategy, enabled) SELECT id, 'propose', 'suggest', false FROM pool.pool WHERE name = 'p';
SELECT t.fill('p', 'g', 4);
INSERT INTO pool.approval (id, tenant_id, pool_id, lead_id, action, member_id, from_rule_id, created_at, expires_at)
    SELECT 900 + row_number() OVER (ORDER BY l.id), l.tenant_id, l.pool_id, l.id, 'assign', m.id, r.id,
        '2026-03-04 09:00+08', '2026-03-04 12:00+08'
    FROM pool.lead l, pool.member m, pool.routing_rule r WHERE l.key LIKE 'g_' AND m.key = 'cid';
SELECT key, applicant, member, rule FROM pool.approval_open WHERE action = 'assign' ORDER BY 1;
SELECT outcome FROM pool.reject(901, 'no', 'boss');
SELECT outcome FROM pool.approve(902, 'now', 'boss');
SELECT outcome FROM pool.claim_leads(t.ids('g3'), 'ann');
SET pool_ext.clock = '2026-03-04 12:00+08';
SELECT task, done FROM pool.tick() WHERE task = 'approvals';
SELECT key, owner FROM t.leads('p') WHERE key LIKE 'g_' ORDER BY 1;
SELECT id, status, decided_by IS NULL AS by_time FROM pool.approval WHERE id BETWEEN 901 AND 904 ORDER BY 1;
SELECT e.kind, e.member_id = (SELECT id FROM pool.member WHERE key = 'cid') AS cids, e.rule_id IS NOT NULL AS ruled
    FROM pool.event e WHERE lead_id = t.id('g4') ORDER BY id;
-- he cannot have it any more: it stays in the pool
SELECT t.fill('p', 'h', 1);
INSERT INTO pool.approval (id, tenant_id, pool_id, lead_id, action, member_id, from_rule_id, created_at, expires_at)
    SELECT 910, l.tenant_id, l.pool_id, l.id, 'assign', m.id, r.id, '2026-03-04 12:00+08', '2026-03-04 12:30+08'
    FROM pool.lead l, pool.member m, pool.routing_rule r WHERE l.key = 'h1' AND m.key = 'cid';
UPDATE pool.member SET status = 'away' WHERE key = 'cid';
SET pool_ext.clock = '2026-03-04 13:00+08';
SELECT task, done FROM pool.tick() WHERE task = 'approvals';
SELECT status FROM pool.approval WHERE id = 910;
SELECT outcome FROM pool.claim_leads(t.ids('h1'), 'ann');

-- request ids
INSERT INTO pool.claim_rule (pool_id, name, approval) SELECT id, 'all', true FROM pool.pool WHERE name = 'p';
SELECT t.fill('p', 'i', 2);
SELECT outcome FROM pool.request_claim(t.id('i1'), NULL, 'ann', 'b0000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.request_claim(t.id('i1'), NULL, 'ann', 'b0000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.approve(t.request_of('i1'), NULL, 'boss', 'b0000000-0000-0000-0000-000000000002');
SELECT outcome FROM pool.approve(t.request_of('i1'), NULL, 'boss', 'b0000000-0000-0000-0000-000000000002');
SELECT (t.error(format('SELECT pool.reject(%s, NULL, ''boss'', ''b0000000-0000-0000-0000-000000000002'')', t.request_of('i1')))).state;
SELECT count(*) FROM t.events(t.id('i1')) WHERE kind = 'claimed';

-- who sees what is open
CREATE ROLE ap_ann;
CREATE ROLE ap_boss;
CREATE ROLE ap_none;
SELECT pool.grant_access('ap_ann', 'member'), pool.grant_access('ap_boss', 'manager');
UPDATE pool.pool SET masked_attributes = '{key}' WHERE name = 'p';
SELECT outcome FROM pool.request_claim(t.id('i2'), 'please', 'ann');
SELECT outcome FROM pool.enter('q', 'qq');
SELECT outcome FROM pool.request('archive', t.id('qq'), reason => 'x', actor => 'bob');
SET ROLE ap_ann;
SELECT key, action, applicant, decides FROM pool.approval_open ORDER BY id;
SELECT count(*) FROM pool.lead_open;
SELECT pool.approve(1);
RESET ROLE;
SET ROLE ap_boss;
SELECT key, action, applicant, decides FROM pool.approval_open ORDER BY id;
SELECT a.outcome FROM pool.approval_open o, pool.approve(o.id) a;
RESET ROLE;
SET ROLE ap_none;
SELECT count(*) FROM pool.approval_open;
RESET ROLE;
SELECT key, action, decides FROM pool.approval_open ORDER BY id;
SELECT * FROM pool.verify();

-- a reason must be a word of the pool, and what it means is done by an approval too
INSERT INTO pool.pool (name) VALUES ('words');
SELECT t.join_pool('words', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE p.name = 'words' AND m.key = 'boss';
INSERT INTO pool.dictionary (pool_id, kind, code, label, counts, "then", after)
    SELECT p.id, v.kind, v.code, v.code, v.counts, v.what, v.after::interval
    FROM pool.pool p, (VALUES ('release_reason', 'mistake', false, 'nothing', NULL),
        ('release_reason', 'later', true, 'cool', '2 days'),
        ('archive_reason', 'dead', true, 'nothing', NULL)) v (kind, code, counts, what, after)
    WHERE p.name = 'words';
SELECT t.rule('words', 'ask', 'release');
UPDATE pool.pool SET cooldown = '10 days' WHERE name = 'words';
SELECT t.fill('words', 'w', 3);
SELECT outcome FROM pool.claim('words', 'ann', 3);
SELECT outcome FROM pool.request('release', t.id('w1'), reason => 'whatever', actor => 'ann');
SELECT outcome FROM pool.request('archive', t.id('w1'), reason => 'whatever', actor => 'ann');
SELECT outcome FROM pool.request('release', t.id('w1'), reason => 'mistake', actor => 'ann');
SELECT outcome FROM pool.request('release', t.id('w2'), reason => 'later', actor => 'ann');
SELECT outcome FROM pool.request('release', t.id('w3'), reason => 'later', actor => 'ann');
SELECT outcome, reason FROM pool.approve(t.request_of('w1'), actor => 'boss');
SELECT outcome, reason FROM pool.approve(t.request_of('w2'), actor => 'boss');
DELETE FROM pool.dictionary WHERE code = 'later';
SELECT outcome, reason FROM pool.approve(t.request_of('w3'), actor => 'boss');
SELECT outcome FROM pool.claim_leads(t.ids('w1', 'w2', 'w3'), 'ann');
SELECT key, status, hidden_until FROM pool.lead WHERE key IN ('w1', 'w2', 'w3') ORDER BY 1;
SELECT * FROM pool.verify();

-- whoever acts for no member takes one step: nobody knows whose eyes they are
CREATE ROLE ap_crm LOGIN;
SELECT pool.grant_access('ap_crm', 'service');
SELECT t.rule('q', 'one', 'claim', '$.twice == true', 1), t.rule('q', 'two', 'claim', '$.twice == true', 2);
SELECT outcome FROM pool.enter('q', 'twice', attributes => '{"twice": true}');
SELECT outcome FROM pool.request_claim(t.id('twice'), NULL, 'ann');
SELECT t.request_of('twice') AS twice \gset
SET ROLE ap_crm;
SELECT outcome, step FROM pool.approve(:twice, 'the application');
SELECT outcome, step FROM pool.approve(:twice, 'the application');
RESET ROLE;
SELECT outcome, step FROM pool.approve(:twice, 'nobody else');
SET ROLE ap_crm;
SELECT outcome, step FROM pool.approve(:twice, 'chief', 'chief');
RESET ROLE;
SELECT * FROM t.log('twice');
SELECT * FROM pool.verify();
DROP OWNED BY ap_crm;

-- a reservation without its request, and a request without its reservation
SELECT t.fill('p', 'd', 2);
SET pool_ext.clock = '2026-03-04 14:00+08';
SELECT r.outcome FROM generate_series(1, 2) i, pool.request_claim(t.id('d' || i), NULL, 'ann') r;
UPDATE pool.approval SET status = 'cancelled' WHERE lead_id = t.id('d1');
UPDATE pool.lead_state SET reserved_for = NULL WHERE id = t.id('d2');
SELECT check_name, regexp_replace(object, '\d+', 'n') AS object, regexp_replace(message, '\d+', 'n', 'g') AS message
    FROM pool.verify();
DROP OWNED BY ap_ann, ap_boss;
