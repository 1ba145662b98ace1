-- Members take leads: every outcome of claim, claim_leads and explain_claim.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+08';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai');
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.pool (name, everyone) VALUES ('all', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss'), ('view');
SELECT t.join_pool('p', 'ann', 'bob'), t.join_pool('q', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, r.role FROM pool.pool p, pool.member m, (VALUES
        ('boss', 'manager'), ('view', 'viewer')) r (key, role)
    WHERE p.name = 'p' AND m.key = r.key;

-- best first: the highest priority, then longest in the pool
SELECT t.fill('p', 'low', 2), t.fill('p', 'high', 2, 80), t.fill('p', 'mid', 2, 50);
SELECT * FROM pool.claim('p', 'ann');
SELECT outcome, key FROM pool.claim('p', 'bob', 4);
-- as many as there are
SELECT outcome, key FROM pool.claim('p', 'ann', 10000);
SELECT * FROM pool.claim('p', 'ann');
SELECT kind, pool, member, actor, detail FROM t.events(t.id('high1'));
SELECT key, owner, status, claims FROM t.leads('p');
-- calls of one statement see each other
SELECT t.fill('p', 'one', 3, 10);
SELECT a.outcome, a.key FROM generate_series(1, 4) i
    CROSS JOIN LATERAL pool.claim('p', 'ann', 1 + 0 * i) a;
-- everything the lead carries comes with it
SELECT outcome FROM pool.enter('all', 'full', 'Acme', 'web', 'A', 7,
    '{"x": 1}', '{"phone": "13800138000"}');
SELECT outcome, key, name, source, grade, priority, attributes, due_at
    FROM pool.claim('all', 'view');
-- what comes back is the newest of its band
SELECT t.fill('q', 'b', 3, 60);
SELECT outcome, key FROM pool.claim('q', 'ann');
SELECT outcome FROM pool.release(t.ids('b1'), member => 'ann');
SELECT key, status FROM t.leads('q');
SELECT outcome, key FROM pool.claim('q', 'bob', 3);

-- a pool nobody may claim from, a member who may not
UPDATE pool.pool SET enabled = false WHERE name = 'q';
SELECT outcome, lead_id FROM pool.claim('q', 'ann');
UPDATE pool.pool SET enabled = true WHERE name = 'q';
SELECT outcome FROM pool.enter('all', 'free');
UPDATE pool.member SET status = 'away' WHERE key = 'ann';
SELECT outcome, lead_id FROM pool.claim('q', 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('b1', 'free'), 'ann');
UPDATE pool.member SET status = 'leaving' WHERE key = 'ann';
SELECT outcome FROM pool.claim('p', 'ann');
UPDATE pool.member SET status = 'left' WHERE key = 'ann';
SELECT outcome FROM pool.claim('all', 'ann');
UPDATE pool.member SET status = 'active' WHERE key = 'ann';
SELECT outcome FROM pool.claim('q', 'ann');
SELECT * FROM t.error($$SELECT pool.claim('p', 'view')$$);
SELECT * FROM t.error($$SELECT pool.claim('q', 'boss')$$);
SELECT * FROM t.error($$SELECT pool.claim('p', 'nobody')$$);
SELECT * FROM t.error($$SELECT pool.claim('nowhere', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.claim('p')$$);
SELECT * FROM t.error($$SELECT pool.claim('p', 'ann', match => '[]')$$);
-- he may again, and no longer, as soon as the configuration says so
SELECT t.join_pool('q', 'boss');
SELECT outcome FROM pool.claim('q', 'boss');
DELETE FROM pool.membership WHERE (pool_id, member_id) =
    (SELECT p.id, m.id FROM pool.pool p, pool.member m
     WHERE p.name = 'q' AND m.key = 'boss');
SELECT (t.error($$SELECT pool.claim('q', 'boss')$$)).state;

-- hold_limit: what is owned with this home pool.  Of the membership, if it
-- has one, else of the pool.
SELECT t.fill('q', 'h', 9);
UPDATE pool.pool SET hold_limit = 2 WHERE name = 'q';
SELECT outcome, key FROM pool.claim('q', 'ann', 5);
SELECT outcome, lead_id, retry_at, limit_value, used FROM pool.claim('q', 'ann');
UPDATE pool.membership SET hold_limit = 3
    WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'q');
SELECT outcome, key FROM pool.claim('q', 'ann', 5);
-- lowering takes nothing away, it only refuses more
UPDATE pool.membership SET hold_limit = 1
    WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'q');
SELECT outcome, limit_value, used FROM pool.claim('q', 'ann');
SELECT count(*) FROM t.leads('q') WHERE owner = 'ann';
-- a released lead makes room, and so does a converted one
SELECT outcome FROM pool.release(t.ids('h1', 'h2'), member => 'ann');
SELECT outcome, limit_value, used FROM pool.claim('q', 'ann');
SELECT outcome FROM pool.convert(t.id('h3'), member => 'ann');
SELECT outcome, key FROM pool.claim('q', 'ann', 5);
-- nothing at all
UPDATE pool.membership SET hold_limit = 0
    WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'q');
SELECT outcome, limit_value, used FROM pool.claim('q', 'ann');
UPDATE pool.membership SET hold_limit = NULL;
UPDATE pool.pool SET hold_limit = NULL;
-- member.hold_limit is over all pools
SELECT held FROM pool.membership_state s JOIN pool.member m
    ON m.id = s.member_id WHERE m.key = 'ann' ORDER BY s.pool_id;
UPDATE pool.member SET hold_limit = 9 WHERE key = 'ann';
SELECT outcome, key FROM pool.claim('q', 'ann', 9);
SELECT outcome, limit_value, used FROM pool.claim('q', 'ann');
SELECT outcome, limit_value, used FROM pool.claim('all', 'ann');
UPDATE pool.member SET hold_limit = NULL;

-- claim_limit: claims of the day; releasing gives none back
SELECT t.fill('p', 'c', 9);
UPDATE pool.member SET timezone = 'Asia/Shanghai' WHERE key = 'bob';
SET pool_ext.clock = '2026-03-03 09:00+08';
UPDATE pool.pool SET claim_limit = 2 WHERE name = 'p';
SELECT outcome, key FROM pool.claim('p', 'bob', 5);
SELECT outcome FROM pool.release(t.ids('c1', 'c2'), member => 'bob');
SELECT outcome, lead_id, retry_at, limit_value, used FROM pool.claim('p', 'bob');
-- what is assigned does not count, nor what is claimed elsewhere
SELECT outcome FROM pool.assign(t.ids('c3'), 'bob');
SELECT outcome FROM pool.enter('p', 'own', owner => 'bob');
SELECT outcome FROM pool.claim('q', 'bob');
UPDATE pool.pool SET claim_limit = 3 WHERE name = 'p';
SELECT outcome, key FROM pool.claim('p', 'bob', 5);
SELECT outcome, limit_value, used FROM pool.claim('p', 'bob');
UPDATE pool.pool SET claim_limit = NULL;

-- claim_interval: the time between two calls, not between two leads
UPDATE pool.pool SET claim_interval = '10 minutes' WHERE name = 'p';
SET pool_ext.clock = '2026-03-04 09:00+08';
SELECT outcome, key FROM pool.claim('p', 'bob', 2);
SET pool_ext.clock = '2026-03-04 09:09:59+08';
SELECT outcome, lead_id, retry_at, limit_value, used FROM pool.claim('p', 'bob');
SELECT outcome, key, retry_at FROM pool.claim_leads(t.ids('c7'), 'bob');
SELECT outcome FROM pool.claim('q', 'bob');
SET pool_ext.clock = '2026-03-04 09:10+08';
SELECT outcome, key FROM pool.claim_leads(t.ids('c7', 'c8'), 'bob');
SELECT outcome, retry_at FROM pool.claim('p', 'bob');
SELECT outcome FROM pool.claim('p', 'ann');
UPDATE pool.pool SET claim_interval = NULL;

-- claim_leads: one row per distinct id, in the order given
SET pool_ext.clock = '2026-03-05 09:00+08';
SELECT t.fill('p', 'l', 4), t.fill('q', 'm', 2);
SELECT outcome FROM pool.enter('all', 'n1');
SELECT outcome FROM pool.enter('all', 'n2');
SELECT outcome FROM pool.archive(t.ids('l4'), 'lost');
SELECT outcome, lead_id - t.id('l1') AS nth, key, due_at, retry_at, limit_value,
    used
FROM pool.claim_leads(t.ids('l2', 'c1', 'l1') || -1::bigint
    || t.ids('l2', 'l4', 'm1', 'n1', 'l2'), 'boss');
-- each is charged to the membership of its own pool
UPDATE pool.pool SET claim_limit = 1 WHERE name IN ('p', 'q');
UPDATE pool.pool SET hold_limit = 0 WHERE name = 'all';
SELECT t.fill('p', 'u', 2), t.fill('q', 'v', 2);
SELECT outcome, key, retry_at, limit_value, used
FROM pool.claim_leads(t.ids('u2', 'v1', 'n2', 'v2', 'u1'), 'ann');
UPDATE pool.pool SET claim_limit = NULL, hold_limit = NULL;
SELECT * FROM pool.claim_leads('{}', 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('u1'), 'view');
UPDATE pool.pool SET enabled = false WHERE name = 'p';
SELECT outcome FROM pool.claim_leads(t.ids('u1'), 'ann');
UPDATE pool.pool SET enabled = true WHERE name = 'p';

-- cooldown
UPDATE pool.pool SET cooldown = '3 days' WHERE name = 'p';
SET pool_ext.clock = '2026-03-10 09:00+08';
SELECT t.fill('p', 'k', 1, 100);
SELECT outcome, key FROM pool.claim('p', 'ann');
SET pool_ext.clock = '2026-03-10 10:00+08';
SELECT outcome FROM pool.release(t.ids('k1'), member => 'ann');
SELECT outcome, retry_at, limit_value, used
FROM pool.claim_leads(t.ids('k1'), 'ann');
-- claim passes it over, and leaves it to others
SELECT outcome, key = 'k1' AS it FROM pool.claim('p', 'ann');
SELECT outcome, key FROM pool.claim('p', 'bob');
-- however it ended and whoever held it since
SELECT outcome FROM pool.release(t.ids('k1'), member => 'bob');
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('k1'), 'ann');
-- a manager overrides it, and the event says so
SELECT outcome FROM pool.assign(t.ids('k1'), 'ann', actor => 'boss');
SELECT kind, member, actor, detail FROM t.events(t.id('k1'))
    WHERE kind IN ('assigned', 'claimed');
-- from A to the pool to B and by transfer to A: A's spell is new, and ends
SET pool_ext.clock = '2026-03-11 10:00+08';
SELECT outcome FROM pool.reclaim(t.ids('k1'), actor => 'boss');
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('k1'), 'ann');
SELECT outcome FROM pool.assign(t.ids('k1'), 'boss');
SELECT outcome FROM pool.transfer(t.ids('k1'), 'ann', actor => 'boss');
SET pool_ext.clock = '2026-03-12 10:00+08';
SELECT outcome FROM pool.transfer(t.ids('k1'), 'boss', actor => 'boss');
SELECT outcome FROM pool.release(t.ids('k1'), member => 'boss');
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('k1'), 'ann');
SELECT kind, member, detail - 'from' AS detail FROM t.events(t.id('k1'))
    WHERE kind IN ('assigned', 'transferred');
-- it ends to the second
SET pool_ext.clock = '2026-03-15 09:59:59+08';
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('k1'), 'ann');
SET pool_ext.clock = '2026-03-15 10:00+08';
SELECT outcome FROM pool.claim_leads(t.ids('k1'), 'ann');
-- an archived lead that comes back keeps them away too
SELECT outcome FROM pool.archive(t.ids('k1'), 'lost');
SELECT outcome FROM pool.reopen(t.ids('k1'));
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('k1'), 'ann');
-- stock exists, but all of it is barred
SELECT count(*) FROM pool.claim('p', 'bob', 1000);
SELECT outcome FROM pool.claim('p', 'bob', 1000) WHERE outcome <> 'claimed';
SELECT count(*) FROM pool.release(ARRAY(SELECT id FROM pool.lead
    WHERE owner_id = (SELECT id FROM pool.member WHERE key = 'bob')),
    member => 'bob') WHERE outcome = 'released';
SELECT * FROM pool.claim('p', 'bob', 5);
SELECT outcome FROM pool.claim('p', 'boss');

-- explain_claim says the same, in the same order
SET pool_ext.clock = '2026-03-20 09:00+08';
INSERT INTO pool.member (key) VALUES ('new');
SELECT t.join_pool('q', 'new');
SELECT t.fill('q', 'e', 3);
SELECT * FROM pool.explain_claim(t.id('e1'), 'new');
SELECT x.what, f.detail, f.retry_at, c.outcome, c.retry_at, c.limit_value,
    c.used
FROM (VALUES (1, 'free', 'e1', 'new'), (2, 'taken', 'e1', 'new'),
    (3, 'closed', 'l4', 'boss'), (4, 'other pool', 'k1', 'new'),
    (5, 'unknown', '?', 'new'))
    x (n, what, key, member)
LEFT JOIN LATERAL (
    SELECT e.detail, e.retry_at
    FROM pool.explain_claim(coalesce(t.id(x.key), -1), x.member)
        WITH ORDINALITY e (test, passed, detail, retry_at, n)
    WHERE NOT e.passed ORDER BY e.n LIMIT 1) f ON true
CROSS JOIN LATERAL
    pool.claim_leads(ARRAY[coalesce(t.id(x.key), -1)], x.member) c
ORDER BY x.n;
UPDATE pool.pool SET hold_limit = 1, claim_limit = 1, cooldown = '1 day',
    claim_interval = '1 hour', enabled = false WHERE name = 'q';
SELECT outcome FROM pool.reclaim(t.ids('e1'));
UPDATE pool.member SET status = 'away' WHERE key = 'new';
SELECT * FROM pool.explain_claim(t.id('e1'), 'new');
SELECT * FROM pool.explain_claim(t.id('e1'), 'view');
-- in the order of enforcement
SELECT outcome FROM pool.claim_leads(t.ids('e1'), 'new');
UPDATE pool.member SET status = 'active';
SELECT outcome FROM pool.claim_leads(t.ids('e1'), 'new');
UPDATE pool.pool SET enabled = true;
SELECT outcome FROM pool.claim_leads(t.ids('e1'), 'new');
UPDATE pool.pool SET cooldown = NULL;
SELECT outcome FROM pool.claim_leads(t.ids('e1'), 'new');
UPDATE pool.pool SET claim_interval = NULL;
SELECT outcome FROM pool.claim_leads(t.ids('e1'), 'new');
UPDATE pool.pool SET claim_limit = NULL;
SELECT outcome FROM pool.claim_leads(t.ids('e1', 'e2'), 'new');
-- of a lead that somebody owns, too, each test says what it is about
BEGIN;
UPDATE pool.pool SET cooldown = '1 day' WHERE name = 'q';
SELECT outcome FROM pool.release(t.ids('e1'), member => 'new');
SELECT outcome FROM pool.assign(t.ids('e1'), 'boss');
SELECT test, detail FROM pool.explain_claim(t.id('e1'), 'new') WHERE NOT passed;
ROLLBACK;
-- it reads only
BEGIN READ ONLY;
SELECT test, detail FROM pool.explain_claim(t.id('e1'), 'ann') WHERE NOT passed;
ROLLBACK;

-- all of it rolls back, quotas included
UPDATE pool.pool SET hold_limit = NULL, claim_limit = 2 WHERE name = 'q';
SET pool_ext.clock = '2026-03-21 09:00+08';
BEGIN;
SELECT outcome FROM pool.claim('q', 'new', 2);
SELECT outcome FROM pool.claim('q', 'new');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT outcome, key FROM pool.claim('q', 'new', 2);
ROLLBACK TO s;
SELECT outcome, key FROM pool.claim('q', 'new', 2);
COMMIT;
SELECT outcome, used FROM pool.claim('q', 'new');
SELECT * FROM pool.verify();
