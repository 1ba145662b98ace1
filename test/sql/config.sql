-- Configuration: what is refused, and what follows from a change.
SET client_min_messages = warning;
SET timezone = 'UTC';

-- Everything but names and keys has a default; the tenant comes by itself.
INSERT INTO pool.pool (name) VALUES ('north');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m;
SELECT name, timezone FROM pool.tenant;
SELECT p.name, m.key, s.role, s.level, s.weight, s.tenant_id = p.tenant_id AS ok
FROM pool.membership s
JOIN pool.pool p ON p.id = s.pool_id
JOIN pool.member m ON m.id = s.member_id
ORDER BY 1, 2;

-- Time zones
INSERT INTO pool.tenant (name, timezone) VALUES ('acme', 'Europe/Berlin');
INSERT INTO pool.tenant (name, timezone) VALUES ('nowhere', 'Mars/Olympus');
\set VERBOSITY sqlstate
INSERT INTO pool.tenant (name, timezone) VALUES ('nowhere', repeat('x', 10000));
UPDATE pool.tenant SET timezone = '' WHERE name = 'acme';
INSERT INTO pool.pool (name, timezone) VALUES ('p', 'Mars/Olympus');
UPDATE pool.pool SET timezone = 'Mars/Olympus';
INSERT INTO pool.member (key, timezone) VALUES ('m', 'Mars/Olympus');
UPDATE pool.member SET timezone = 'Mars/Olympus';
UPDATE pool.pool SET timezone = 'Asia/Shanghai' WHERE name = 'north';
UPDATE pool.pool SET timezone = NULL WHERE name = 'north';

-- Names and keys
INSERT INTO pool.tenant (name) VALUES ('a/b');
INSERT INTO pool.tenant (name) VALUES ('');
INSERT INTO pool.pool (name) VALUES ('a/b');
INSERT INTO pool.pool (name) VALUES (NULL);
INSERT INTO pool.member (key) VALUES ('a/b');
INSERT INTO pool.member (key) VALUES (repeat('x', 10000));
INSERT INTO pool.member (key) VALUES ('ann');
INSERT INTO pool.member (key, login) VALUES ('x', '');
INSERT INTO pool.member (key, login) VALUES ('x', repeat('x', 64));
INSERT INTO pool.member (key, profile) VALUES ('x', '[]');
INSERT INTO pool.member (key, status) VALUES ('x', 'asleep');
INSERT INTO pool.pool (name, duplicate_policy) VALUES ('x', 'merge');
INSERT INTO pool.pool (name, country) VALUES ('x', 'china');

-- Intervals
\set VERBOSITY default
UPDATE pool.pool SET cooldown = '-1 day';
\set VERBOSITY sqlstate
UPDATE pool.pool SET cooldown = '0';
UPDATE pool.pool SET cooldown = '1 month -29 days';
UPDATE pool.pool SET cooldown = '101 years';
UPDATE pool.pool SET cooldown = '178000000 years';
UPDATE pool.pool SET claim_interval = '-1 second';
UPDATE pool.pool SET claim_interval = '-00:00:00.000001';
UPDATE pool.pool SET cooldown = '100 years', claim_interval = '1 microsecond'
WHERE name = 'north';
UPDATE pool.pool SET cooldown = NULL, claim_interval = NULL
WHERE name = 'north';
UPDATE pool.pool SET hold_limit = -1;
UPDATE pool.pool SET claim_limit = -1;
UPDATE pool.membership SET weight = -1;
UPDATE pool.membership SET weight = 'Infinity';
UPDATE pool.membership SET weight = 1000000001;
UPDATE pool.membership SET weight = 'NaN';

-- Ids and tenants stay
\set VERBOSITY default
UPDATE pool.member SET tenant_id = (SELECT id FROM pool.tenant
                                    WHERE name = 'acme') WHERE key = 'ann';
\set VERBOSITY sqlstate
UPDATE pool.pool SET tenant_id = tenant_id + 1;
UPDATE pool.pool SET id = id + 100;
UPDATE pool.member SET id = id + 100;
UPDATE pool.tenant SET id = id + 100;

-- Unknown pools and members; those of two tenants do not meet
\set VERBOSITY default
INSERT INTO pool.membership (pool_id, member_id) VALUES (0, 1);
INSERT INTO pool.membership (pool_id, member_id) VALUES (99, 1);
INSERT INTO pool.membership (pool_id, member_id)
SELECT id, 99 FROM pool.pool;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
VALUES (99, 'r', 'follow_up', '1 day');
\set VERBOSITY sqlstate
INSERT INTO pool.membership (pool_id, member_id, tenant_id) VALUES (99, 1, 1);
INSERT INTO pool.membership (pool_id, member_id) VALUES (NULL, 1);
INSERT INTO pool.pool (name, tenant_id)
SELECT 'abroad', id FROM pool.tenant WHERE name = 'acme';
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'abroad' AND m.key = 'ann';
-- a pool and its members in one statement
WITH p AS (INSERT INTO pool.pool (name) VALUES ('at once')
           RETURNING id, tenant_id),
     m AS (INSERT INTO pool.member (key) VALUES ('newcomer') RETURNING id)
INSERT INTO pool.membership (pool_id, member_id) SELECT p.id, m.id FROM p, m;
SELECT count(*) FROM pool.membership_state s JOIN pool.pool p ON p.id = s.pool_id
WHERE p.name = 'at once';

-- The tree
UPDATE pool.pool SET parent_id = id;
INSERT INTO pool.pool (name, parent_id)
SELECT 'team', id FROM pool.pool WHERE name = 'north';
INSERT INTO pool.pool (name, parent_id)
SELECT 'desk', id FROM pool.pool WHERE name = 'team';
\set VERBOSITY default
UPDATE pool.pool SET parent_id = (SELECT id FROM pool.pool
                                  WHERE name = 'desk') WHERE name = 'north';
\set VERBOSITY sqlstate
UPDATE pool.pool p SET parent_id = q.id FROM pool.pool q
WHERE (p.name, q.name) IN (('north', 'at once'), ('at once', 'desk'));
INSERT INTO pool.pool (id, name, parent_id)
VALUES (1001, 'x', 1002), (1002, 'y', 1001);
INSERT INTO pool.pool (name, parent_id)
SELECT 'x', id FROM pool.pool WHERE name = 'abroad';
DELETE FROM pool.pool WHERE name = 'team';
-- turned round in one statement
UPDATE pool.pool p
SET parent_id = CASE name WHEN 'desk' THEN NULL
    WHEN 'team' THEN (SELECT id FROM pool.pool WHERE name = 'desk')
    ELSE (SELECT id FROM pool.pool WHERE name = 'team') END
WHERE name IN ('north', 'team', 'desk');
SELECT pool_path FROM pool.stat_pool ORDER BY 1;

-- Timer rules
\set VERBOSITY sqlstate
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'r', 'follow_up', '0' FROM pool.pool WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'r', 'entrance', '1 day' FROM pool.pool WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, action)
SELECT id, 'r', 'follow_up', '1 day', 'burn' FROM pool.pool WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, condition)
SELECT id, 'r', 'follow_up', '1 day', '$.grade' FROM pool.pool WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, condition)
SELECT id, 'r', 'follow_up', '1 day', '$.grade ==' FROM pool.pool
WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, to_pool_id)
SELECT id, 'r', 'follow_up', '1 day', 99 FROM pool.pool WHERE name = 'north';
\set VERBOSITY default
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'r', 'follow_up', '1 day', '{1 hour,NULL}' FROM pool.pool
WHERE name = 'north';
\set VERBOSITY sqlstate
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'r', 'follow_up', '1 day', '{1 hour,-1 hour}' FROM pool.pool
WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'r', 'follow_up', '1 day', '{{1 hour},{2 hours}}' FROM pool.pool
WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'r', 'follow_up', '1 day', array_fill('1 hour'::interval, '{21}')
FROM pool.pool WHERE name = 'north';
DELETE FROM pool.timer_recheck;
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'r', 'follow_up', '1 day', '{1 hour,10 minutes}' FROM pool.pool
WHERE name = 'north';
-- the same rule again
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'r', 'follow_up', '1 day' FROM pool.pool WHERE name = 'north';

-- Whatever moves deadlines has them computed anew: rules, zones
CREATE FUNCTION pg_temp.rechecks() RETURNS text LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM pool.timer_recheck RETURNING *)
    SELECT string_agg(p.name || ' ' || g.after_lead, ', ' ORDER BY p.name)
    FROM gone g JOIN pool.pool p ON p.id = g.pool_id
$$;
SELECT pg_temp.rechecks();
UPDATE pool.timer_rule SET after = '2 days';
SELECT pg_temp.rechecks();
UPDATE pool.timer_rule
SET pool_id = (SELECT id FROM pool.pool WHERE name = 'desk');
SELECT pg_temp.rechecks();
DELETE FROM pool.timer_rule;
SELECT pg_temp.rechecks();
UPDATE pool.pool SET timezone = 'Asia/Tokyo' WHERE name IN ('team', 'desk');
SELECT pg_temp.rechecks();
UPDATE pool.pool SET description = 'the north' WHERE name = 'north';
SELECT pg_temp.rechecks();
UPDATE pool.tenant SET timezone = 'Asia/Shanghai' WHERE name = 'default';
SELECT pg_temp.rechecks();
UPDATE pool.tenant SET timezone = 'Asia/Shanghai' WHERE name = 'default';
SELECT pg_temp.rechecks();
-- a recheck under way begins anew
INSERT INTO pool.timer_recheck SELECT id, 17 FROM pool.pool WHERE name = 'north';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'r', 'follow_up', '1 day' FROM pool.pool WHERE name = 'north';
SELECT pg_temp.rechecks();

-- Counters follow memberships, members and pools
CREATE VIEW pg_temp.counters AS
SELECT p.name AS pool, m.key AS member, s.status
FROM pool.membership_state s
JOIN pool.pool p ON p.id = s.pool_id
JOIN pool.member m ON m.id = s.member_id;
SELECT * FROM pg_temp.counters WHERE pool = 'north' ORDER BY 1, 2;
DELETE FROM pool.membership s USING pool.member m, pool.pool p
WHERE m.id = s.member_id AND p.id = s.pool_id
    AND p.name = 'north' AND m.key = 'ann';
UPDATE pool.member SET status = 'away' WHERE key IN ('ann', 'bob');
SELECT * FROM pg_temp.counters WHERE pool = 'north' ORDER BY 1, 2;
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'north' AND m.key = 'ann';
UPDATE pool.member SET status = 'active' WHERE key = 'bob';
SELECT * FROM pg_temp.counters WHERE pool = 'north' ORDER BY 1, 2;
-- another membership in the same row
UPDATE pool.membership s
SET pool_id = (SELECT id FROM pool.pool WHERE name = 'team')
FROM pool.member m WHERE m.id = s.member_id AND m.key = 'bob';
SELECT * FROM pg_temp.counters WHERE member = 'bob' ORDER BY 1, 2;
-- belonging as everyone does
UPDATE pool.pool SET everyone = true WHERE name = 'north';
SELECT * FROM pg_temp.counters WHERE pool = 'north' ORDER BY 1, 2;
DELETE FROM pool.membership;
SELECT * FROM pg_temp.counters ORDER BY 1, 2;
UPDATE pool.pool SET everyone = false WHERE name = 'north';
SELECT * FROM pg_temp.counters WHERE pool = 'north' ORDER BY 1, 2;
-- what is wrong is mended by the statement that verify() names
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'north' AND m.key IN ('ann', 'bob');
UPDATE pool.membership_state SET status = 'removed';
UPDATE pool.member SET status = status;
SELECT * FROM pool.verify() WHERE check_name LIKE 'counter%';
-- the limit over all pools, wherever it comes from
UPDATE pool.member SET hold_limit = 7 WHERE key = 'bob';
SELECT DISTINCT member_limit FROM pool.membership_state s
JOIN pool.member m ON m.id = s.member_id WHERE m.key = 'bob';
WITH m AS (INSERT INTO pool.member (key, hold_limit) VALUES ('limited', 4)
           RETURNING id)
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, m WHERE p.name = 'north';
UPDATE pool.member SET hold_limit = NULL WHERE key = 'bob';
SELECT m.key, s.member_limit FROM pool.membership_state s
JOIN pool.member m ON m.id = s.member_id
WHERE m.key IN ('bob', 'limited') AND s.status <> 'removed' ORDER BY 1;
DELETE FROM pool.member WHERE key = 'limited';
SELECT * FROM pool.verify(1);
-- each in the transaction of the change
BEGIN;
UPDATE pool.member SET status = 'left' WHERE key = 'bob';
ROLLBACK;
SELECT * FROM pg_temp.counters WHERE pool = 'north' ORDER BY 1, 2;

-- Deleting what was never used
INSERT INTO pool.member (key) VALUES ('passer-by');
INSERT INTO pool.pool (name) VALUES ('short-lived');
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'short-lived' AND m.key = 'passer-by';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'r', 'follow_up', '1 day' FROM pool.pool WHERE name = 'short-lived';
DELETE FROM pool.pool WHERE name = 'short-lived';
DELETE FROM pool.member WHERE key = 'passer-by';
SELECT (SELECT count(*) FROM pool.membership_state s
        WHERE NOT EXISTS (SELECT FROM pool.pool p WHERE p.id = s.pool_id)
            OR NOT EXISTS (SELECT FROM pool.member m WHERE m.id = s.member_id))
    AS counters,
    (SELECT count(*) FROM pool.member_state s
     WHERE NOT EXISTS (SELECT FROM pool.member m WHERE m.id = s.member_id))
    AS locks,
    (SELECT count(*) FROM pool.timer_recheck r
     WHERE NOT EXISTS (SELECT FROM pool.pool p WHERE p.id = r.pool_id))
    AS rechecks;

-- What leads were in, or whoever had any, stays
UPDATE pool.member SET status = 'active';
SELECT outcome FROM pool.enter('north', 'lead');
SELECT outcome FROM pool.claim('north', 'ann');
SELECT outcome FROM pool.release(ARRAY[pool.lead_id('lead')], member => 'ann');
SELECT outcome FROM pool.move(ARRAY[pool.lead_id('lead')], 'team');
\set VERBOSITY default
DELETE FROM pool.member WHERE key = 'ann';
DELETE FROM pool.pool WHERE name = 'team';
\set VERBOSITY sqlstate
UPDATE pool.pool SET parent_id = NULL;
DELETE FROM pool.pool WHERE name = 'north';
DELETE FROM pool.pool WHERE name = 'team';
DELETE FROM pool.member;
DELETE FROM pool.member WHERE key = 'bob';
SELECT done > 0 AS folded FROM pool.tick() WHERE task = 'rollup';
DELETE FROM pool.pool WHERE name = 'north';

-- Caches see every change at once, in this session and transaction too
SELECT outcome FROM pool.enter('team', 'lead 2');
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'team' AND m.key = 'ann';
BEGIN;
UPDATE pool.pool SET enabled = false WHERE name = 'team';
SELECT outcome FROM pool.claim('team', 'ann');
ROLLBACK;
BEGIN;
UPDATE pool.membership SET claim_limit = 0;
SELECT outcome FROM pool.claim('team', 'ann');
ROLLBACK;
BEGIN;
UPDATE pool.member SET key = 'anna' WHERE key = 'ann';
SELECT outcome FROM pool.claim('team', 'ann');
ROLLBACK;
BEGIN;
UPDATE pool.pool SET name = 'crew' WHERE name = 'team';
SELECT outcome FROM pool.claim('crew', 'ann');
ROLLBACK;
SELECT outcome FROM pool.claim('team', 'ann');

-- even where a trigger of somebody else's changes and reads it amid a call
INSERT INTO pool.member (key) VALUES ('zoe');
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pool.pool SET description = coalesce(description, '') || '.'
    WHERE id = NEW.pool_id;
    UPDATE pool.member SET name = NEW.kind WHERE id = NEW.member_id;
    -- others are the first in the new cache
    PERFORM pool.explain_claim(id, 'zoe') FROM pool.lead WHERE key = 'lead';
    RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE INSERT ON pool.event
    FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
INSERT INTO pool.intake (pool, key)
SELECT 'team', 'meddled ' || i FROM generate_series(1, 20) i;
UPDATE pool.member SET name = 'Ann' WHERE key = 'ann';
SELECT count(*), count(DISTINCT lead_id) FROM pool.claim('team', 'ann', 10)
WHERE outcome = 'claimed';
SELECT m.key, count(*) FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
WHERE l.key LIKE 'meddled%' GROUP BY 1;
SELECT outcome, count(*) FROM pool.release((SELECT array_agg(id) FROM pool.lead
    WHERE key LIKE 'meddled%'), member => 'ann') GROUP BY 1 ORDER BY 1;
SELECT length(description) FROM pool.pool WHERE name = 'team';
DROP TRIGGER meddle ON pool.event;

-- Rows of a restore take the place of those the triggers made, in any order
INSERT INTO pool.member (key) VALUES ('cid');
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'north' AND m.key = 'cid'
RETURNING pool_id, member_id \gset
BEGIN;
INSERT INTO pool.membership_state
    (pool_id, member_id, tenant_id, status, spells, held, claimed, member_limit)
SELECT :pool_id, :member_id, tenant_id, 'away', 7, 3, 1, 5 FROM pool.member
WHERE id = :member_id;
SELECT spells, held, claimed, status FROM pool.membership_state
WHERE pool_id = :pool_id AND member_id = :member_id;
SELECT member_limit FROM pool.membership_state
WHERE pool_id = :pool_id AND member_id = :member_id;
-- not those in use
SAVEPOINT s;
INSERT INTO pool.membership_state (pool_id, member_id, tenant_id)
VALUES (:pool_id, :member_id, 1);
ROLLBACK TO s;
-- a membership that comes later finds them
DELETE FROM pool.membership WHERE pool_id = :pool_id AND member_id = :member_id;
INSERT INTO pool.membership (pool_id, member_id) VALUES (:pool_id, :member_id);
SELECT spells, held, claimed, status FROM pool.membership_state
WHERE pool_id = :pool_id AND member_id = :member_id;
INSERT INTO pool.member_state SELECT * FROM pool.member_state;
DELETE FROM pool.timer_recheck;
INSERT INTO pool.timer_recheck SELECT id, 0 FROM pool.pool;
INSERT INTO pool.timer_recheck SELECT id, 5 FROM pool.pool WHERE name = 'north';
INSERT INTO pool.timer_recheck VALUES (4711, 5);
SELECT p.name, r.after_lead FROM pool.timer_recheck r
LEFT JOIN pool.pool p ON p.id = r.pool_id ORDER BY 1;
ROLLBACK;

SELECT * FROM pool.verify();
