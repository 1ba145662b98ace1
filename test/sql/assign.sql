-- Managers give leads to members: every outcome of assign and transfer.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('company');
INSERT INTO pool.pool (name, parent_id)
    SELECT n, id FROM pool.pool, unnest('{north,south}'::text[]) n;
INSERT INTO pool.member (key)
    VALUES ('ann'), ('bob'), ('chief'), ('lead'), ('view'), ('out');
SELECT t.join_pool('north', 'ann', 'bob'), t.join_pool('south', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, r.role FROM pool.pool p, pool.member m, (VALUES
        ('company', 'chief', 'manager'), ('north', 'lead', 'manager'),
        ('north', 'view', 'viewer')) r (pool, key, role)
    WHERE p.name = r.pool AND m.key = r.key;
SELECT t.fill('north', 'n', 9), t.fill('south', 's', 5);

-- assigned, by a service, a manager of the pool, a manager from above
SELECT * FROM pool.assign(t.ids('n1'), 'ann');
SELECT * FROM pool.assign(t.ids('n2'), 'bob', NULL, 'regional', 'lead');
SELECT outcome, key FROM pool.assign(t.ids('n3', 's1'), 'bob', actor => 'chief');
SELECT kind, pool, member, actor, reason, detail FROM t.events(t.id('n2'));
SELECT key, owner, claims FROM t.leads() WHERE owner IS NOT NULL;
-- into another pool than its own
SELECT outcome, key FROM pool.assign(t.ids('n4'), 'bob', 'south', actor => 'chief');
SELECT e.kind, e.pool, e.member, p.name AS from_pool
FROM t.events(t.id('n4')) e
LEFT JOIN pool.pool p ON p.id = (e.detail ->> 'from_pool')::int;
-- where he manages both pools
SELECT * FROM t.error($$SELECT pool.assign(t.ids('n5'), 'bob', 'south',
    actor => 'lead')$$);
SELECT (t.error($$SELECT pool.transfer(t.ids('n2'), 'bob', 'south',
    actor => 'lead')$$)).state;
SELECT key, status FROM t.leads('south');
SELECT * FROM t.error($$SELECT pool.assign(t.ids('n5'), 'ann',
    reason => repeat('x', 201))$$);
SELECT * FROM t.error($$SELECT pool.transfer(t.ids('n2'), 'ann',
    reason => repeat('x', 201))$$);
-- only a manager may, of every lead he may see; nothing happens otherwise
SELECT * FROM t.error($$SELECT pool.assign(t.ids('n5'), 'ann', actor => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.assign(t.ids('n5', 's2'), 'bob',
    actor => 'lead')$$);
-- rights go down the tree, not up or aside
INSERT INTO pool.intake (pool, key) VALUES ('company', 'top');
SELECT (t.error($$SELECT pool.assign(t.ids('top'), 'ann', actor => 'lead')$$)).state;
SELECT key, status FROM t.leads() WHERE key IN ('n5', 's2', 'top');
-- one row per distinct id, in the order given; each for its own reason
SELECT outcome FROM pool.archive(t.ids('n9'), 'lost');
SELECT outcome, key FROM pool.assign(t.ids('n9', 'n1', 'n5') || 4711::bigint
    || t.ids('n5', 's2', 'n6'), 'ann');
-- whoever is not there does not receive
UPDATE pool.member SET status = 'away' WHERE key = 'ann';
SELECT outcome FROM pool.assign(t.ids('n7'), 'ann');
UPDATE pool.member SET status = 'leaving' WHERE key = 'ann';
SELECT outcome FROM pool.assign(t.ids('n7'), 'ann');
UPDATE pool.member SET status = 'left' WHERE key = 'ann';
SELECT outcome FROM pool.assign(t.ids('n7'), 'ann');
SELECT outcome FROM pool.transfer(t.ids('n2'), 'ann');
UPDATE pool.member SET status = 'active' WHERE key = 'ann';
SELECT outcome FROM pool.assign(t.ids('n7'), 'view');
SELECT outcome FROM pool.assign(t.ids('n7'), 'out');
SELECT outcome FROM pool.assign(t.ids('n7'), 'ann', 'south');
-- hold_limit counts, claim_limit and claim_interval do not
UPDATE pool.pool SET hold_limit = 4, claim_limit = 0, claim_interval = '1 day'
    WHERE name = 'north';
SELECT outcome, key FROM pool.assign(t.ids('n7', 'n8'), 'ann');
SELECT outcome FROM pool.claim('north', 'bob');
SELECT outcome, key FROM pool.assign(t.ids('n8'), 'bob', 'south');
UPDATE pool.pool SET hold_limit = NULL, claim_limit = NULL,
    claim_interval = NULL;
UPDATE pool.member SET hold_limit = 5 WHERE key = 'bob';
SELECT outcome, key FROM pool.assign(t.ids('s2', 's3'), 'bob');
UPDATE pool.member SET hold_limit = NULL;
-- a pool that is disabled only stops claims
UPDATE pool.pool SET enabled = false;
SELECT outcome FROM pool.assign(t.ids('s3'), 'bob');
UPDATE pool.pool SET enabled = true;
SELECT * FROM pool.assign('{}', 'bob');
SELECT * FROM t.error($$SELECT pool.assign(t.ids('s4'), NULL)$$);
SELECT * FROM t.error($$SELECT pool.assign(NULL, 'bob')$$);
SELECT * FROM t.error($$SELECT pool.assign(t.ids('s4'), 'nobody')$$);
SELECT * FROM t.error($$SELECT pool.assign(t.ids('s4'), 'bob', 'nowhere')$$);
SELECT * FROM t.error($$SELECT pool.assign(t.ids('s4'), 'bob', actor => 'x')$$);

-- transferred: a new spell, the follow-ups of the old one do not count
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT outcome FROM pool.follow_up(t.id('n2'), result => 'busy',
    stage => 'offer', member => 'bob');
SET pool_ext.clock = '2026-03-04 09:00+00';
SELECT * FROM pool.transfer(t.ids('n2'), 'ann', NULL, 'holiday', 'lead');
SELECT m.key AS owner, l.owned_at, l.chain_at, l.first_follow_up_at,
    l.last_follow_up_at, l.next_follow_up_at, l.follow_ups, l.last_result,
    l.stage, l.claims, o.key AS last_owner
FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
JOIN pool.member o ON o.id = l.last_owner_id WHERE l.key = 'n2';
SELECT e.kind, e.member, e.actor, e.reason, f.key AS former, e.detail - 'from'
FROM t.events(t.id('n2')) e
LEFT JOIN pool.member f ON f.id = (e.detail ->> 'from')::int
WHERE e.kind = 'transferred';
-- to another pool, and to himself
SELECT outcome, key FROM pool.transfer(t.ids('n3'), 'bob', 'south');
SELECT pool, key, owner FROM t.leads() WHERE key = 'n3';
SELECT m.key, p.name, s.held FROM pool.membership_state s
    JOIN pool.member m ON m.id = s.member_id
    JOIN pool.pool p ON p.id = s.pool_id
    WHERE s.held > 0 ORDER BY 1, 2;
-- every outcome
SELECT outcome, key FROM pool.transfer(t.ids('s5', 'n9', 'n4') || 4711::bigint
    || t.ids('n4', 'n3'), 'bob');
SELECT outcome FROM pool.transfer(t.ids('n1'), 'view');
SELECT outcome FROM pool.transfer(t.ids('n1'), 'bob', 'company');
UPDATE pool.pool SET hold_limit = 1 WHERE name = 'north';
SELECT outcome, key FROM pool.transfer(t.ids('n1', 'n2'), 'lead');
-- his own place becomes free before it is asked for
SELECT outcome FROM pool.transfer(t.ids('n1'), 'lead');
UPDATE pool.pool SET hold_limit = NULL;
SELECT * FROM t.error($$SELECT pool.transfer(t.ids('n1'), 'ann',
    actor => 'bob')$$);
SELECT * FROM t.error($$SELECT pool.transfer(t.ids('n1', 's1'), 'bob',
    actor => 'lead')$$);
SELECT * FROM t.error($$SELECT pool.transfer(ARRAY[1, NULL], 'bob')$$);
SELECT * FROM pool.verify();
