-- Who is counted: members of a pool in stat_pool, rows of stat_member.
SET client_min_messages = warning;
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name) VALUES ('north'), ('south');
INSERT INTO pool.pool (tenant_id, name, everyone)
SELECT id, pool, pool <> 'closed'
FROM pool.tenant, unnest('{closed,open,quiet}'::text[]) pool;
INSERT INTO pool.member (tenant_id, key)
SELECT id, key FROM pool.tenant, unnest(
    '{ann,bob,cho,dan,eve,away,left,gone,none}'::text[]) key;
-- open to everyone, with some who are known there all the same
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, CASE m.key WHEN 'bob' THEN 'manager' WHEN 'cho' THEN 'viewer'
    WHEN 'away' THEN 'viewer' ELSE 'member' END
FROM pool.pool p JOIN pool.member m USING (tenant_id)
WHERE p.name = 'closed' AND m.key <> 'none'
    OR p.name = 'open' AND m.key IN ('ann', 'bob', 'cho', 'away', 'left');
INSERT INTO pool.intake (pool, key)
SELECT t.name || '/' || p.name, p.name || i
FROM pool.tenant t JOIN pool.pool p ON p.tenant_id = t.id,
    generate_series(1, 30) i;
-- those whom nobody has put into the pool have claimed there, too
SELECT t.name, p.name AS pool, m.key, c.outcome, count(*)
FROM pool.tenant t
JOIN pool.pool p ON p.tenant_id = t.id
JOIN pool.member m ON m.tenant_id = t.id,
    pool.claim(t.name || '/' || p.name, t.name || '/' || m.key, 2) c
WHERE t.name = 'north' AND (m.key IN ('ann', 'bob', 'gone', 'left')
    OR p.name = 'open' AND m.key IN ('dan', 'eve', 'none'))
    AND p.name <> 'quiet'
GROUP BY t.name, p.name, m.key, c.outcome ORDER BY 1, 2, 3, 4;
-- he gives all back and goes, the others go as they are
SELECT count(*) FROM pool.release(ARRAY(SELECT s.id FROM pool.lead_state s
        JOIN pool.member m ON m.id = s.owner_id WHERE m.key = 'eve'),
    member => 'north/eve');
DELETE FROM pool.membership USING pool.member m
WHERE m.id = member_id AND m.key IN ('gone', 'dan');
UPDATE pool.member SET status = key WHERE key IN ('away', 'left');

-- the same, counted one by one
CREATE VIEW one_by_one AS
SELECT p.id AS pool_id, m.id AS member_id, m.status,
    coalesce(s.role, CASE WHEN p.everyone THEN 'member' END) AS role,
    coalesce(c.held, 0) AS held, s.member_id IS NOT NULL OR c.held > 0
        OR c.member_id IS NOT NULL AND p.everyone AS shown
FROM pool.pool p
JOIN pool.member m USING (tenant_id)
LEFT JOIN pool.membership s ON (s.pool_id, s.member_id) = (p.id, m.id)
LEFT JOIN pool.membership_state c ON (c.pool_id, c.member_id) = (p.id, m.id);

SELECT tenant, pool, members, owned FROM pool.stat_pool ORDER BY 1, 2;
SELECT pool_id, members FROM pool.stat_pool
EXCEPT
SELECT pool_id, count(*) FILTER (WHERE status = 'active'
    AND role IN ('member', 'manager')) FROM one_by_one GROUP BY pool_id;

SELECT pool, member, status, role, held, claimed, released
FROM pool.stat_member m JOIN pool.tenant t ON t.id = m.tenant_id
WHERE t.name = 'north' ORDER BY 1, 2;
SELECT pool_id, member_id,
    CASE WHEN role IS NULL THEN 'removed' ELSE status END AS status, role, held
FROM one_by_one WHERE shown
EXCEPT ALL
SELECT pool_id, member_id, status, role, held FROM pool.stat_member;
SELECT count(*) = (SELECT count(*) FROM one_by_one WHERE shown)
FROM pool.stat_member;

-- a reader of one tenant counts the same of it, before and after folding
CREATE TABLE seen AS
SELECT to_jsonb(p) - 'oldest_available_seconds' AS said FROM pool.stat_pool p
WHERE tenant = 'north'
UNION ALL SELECT to_jsonb(m) FROM pool.stat_member m
JOIN pool.tenant t ON t.id = m.tenant_id WHERE t.name = 'north'
UNION ALL SELECT to_jsonb(d) FROM pool.stat_member_daily d
JOIN pool.tenant t ON t.id = d.tenant_id WHERE t.name = 'north';
CREATE ROLE regress_north_reader;
SELECT pool.grant_access('regress_north_reader', 'reader', 'north');
GRANT SELECT ON seen TO regress_north_reader;
CREATE VIEW seen_now WITH (security_invoker) AS
SELECT to_jsonb(p) - 'oldest_available_seconds' AS said FROM pool.stat_pool p
UNION ALL SELECT to_jsonb(m) FROM pool.stat_member m
UNION ALL SELECT to_jsonb(d) FROM pool.stat_member_daily d;
GRANT SELECT ON seen_now TO regress_north_reader;
SET ROLE regress_north_reader;
SELECT count(*), count(*) = (SELECT count(*) FROM seen) AS all_of_it
FROM seen_now;
TABLE seen EXCEPT ALL TABLE seen_now;
RESET ROLE;
SELECT sum(done) > 0 AS folded FROM pool.tick() WHERE task = 'rollup';
SET ROLE regress_north_reader;
TABLE seen EXCEPT ALL TABLE seen_now;
RESET ROLE;
SELECT * FROM pool.verify();
DROP OWNED BY regress_north_reader;
DROP ROLE regress_north_reader;
