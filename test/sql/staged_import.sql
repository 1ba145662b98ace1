-- Staged import: what would become of each row, and spells taken over.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.pool (name, hold_limit) VALUES ('small', 1);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
SELECT t.join_pool('small', 'ann');
INSERT INTO pool.entry_rule (pool_id, name, condition, "then", reason)
SELECT id, 'no spam', '$.source == "spam"', 'reject', 'spam' FROM pool.pool;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'idle', 'follow_up', '10 days' FROM pool.pool WHERE name = 'p';
SELECT outcome FROM pool.enter('p', 'known', identities => '{"phone": "13800138000"}');
SELECT * FROM pool.intake_check();

------------------------------------------------------------------------
-- Check mode
------------------------------------------------------------------------

CREATE TABLE t.rows (n serial, pool text, key text, source text, identities jsonb,
    owner text, created_at timestamptz, owned_at timestamptz,
    last_follow_up_at timestamptz, status text, priority integer);
COPY t.rows (pool, key, source, identities, owner, created_at, owned_at,
    last_follow_up_at, status, priority) FROM stdin (NULL '-');
p	new	-	-	-	-	-	-	-	-
p	spam	spam	-	-	-	-	-	-	-
p	twin	-	{"phone": "138 0013 8000"}	-	-	-	-	-	-
nowhere	lost	-	-	-	-	-	-	-	-
p	-	-	-	-	-	-	-	-	-
small	s1	-	-	ann	-	-	-	-	-
small	s2	-	-	ann	-	-	-	-	-
p	own	-	-	bob	2026-01-01 00:00+00	2026-02-01 00:00+00	2026-02-20 00:00+00	owned	7
p	new	-	-	-	-	-	-	-	-
p	high	-	-	-	-	-	-	-	101
p	won	-	-	ann	2026-01-01 00:00+00	2026-01-05 00:00+00	-	converted	-
p	lost	-	-	-	2026-01-01 00:00+00	-	-	archived	-
p	mine	-	-	ann	-	2026-02-01 00:00+00	-	-	-
p	free	-	-	-	2026-02-01 00:00+00	-	-	available	-
p	stale	-	-	bob	-	-	-	owned	-
\.
CREATE TEMP TABLE sums AS SELECT t.checksum();
SET pool_ext.intake_mode = 'check';
INSERT INTO pool.intake (pool, key, source, identities, owner, created_at,
    owned_at, last_follow_up_at, status, priority)
SELECT pool, key, source, identities, owner, created_at, owned_at,
    last_follow_up_at, status, priority FROM t.rows ORDER BY n;
SELECT row_number AS n, key, outcome,
    CASE WHEN lead_id = t.id('known') THEN 'known' ELSE lead_id::text END AS lead, member,
    status, home_pool, rule, reason FROM pool.intake_check();
SELECT outcome, count(*) FROM pool.intake_check() GROUP BY 1 ORDER BY 1;
-- nothing was written
SELECT t.checksum() = checksum AS same FROM sums;
-- nor by COPY; the verdicts are there after a rollback, too
BEGIN;
COPY pool.intake (pool, key, priority) FROM stdin;
p	c1	1
p	c2	1000
p	known	1
\.
ROLLBACK;
SELECT row_number AS n, key, outcome, reason FROM pool.intake_check();
SELECT t.checksum() = checksum AS same FROM sums;
-- others do not see them
CREATE ROLE loader LOGIN;
SELECT pool.grant_access('loader', 'service');
SET ROLE loader;
SELECT * FROM pool.intake_check();
INSERT INTO pool.intake (pool, key) VALUES ('p', 'by loader');
SELECT key, outcome FROM pool.intake_check();
RESET ROLE;
-- leads can be claimed as before: the queue knows nothing of the check
SELECT outcome, key FROM pool.claim('p', 'ann', 10);
SELECT outcome FROM pool.release(t.ids('known'), member => 'ann');
SET pool_ext.intake_mode = 'dream';

------------------------------------------------------------------------
-- Loading: the same verdicts
------------------------------------------------------------------------

RESET pool_ext.intake_mode;
SHOW pool_ext.intake_mode;
-- an error ends it, and names the row
INSERT INTO pool.intake (pool, key) SELECT pool, key FROM t.rows ORDER BY n;
SELECT count(*) FROM pool.lead;
DELETE FROM t.rows WHERE key IS NULL OR pool = 'nowhere' OR priority > 100;
INSERT INTO pool.intake (pool, key, source, identities, owner, created_at,
    owned_at, last_follow_up_at, status, priority)
SELECT pool, key, source, identities, owner, created_at, owned_at,
    last_follow_up_at, status, priority FROM t.rows ORDER BY n;
SELECT row_number AS n, key, outcome, lead_id = t.id(key) AS own, member,
    status, home_pool, rule, reason FROM pool.intake_check();
SELECT key, status, created_at, entered_at, owned_at, first_follow_up_at,
    last_follow_up_at, follow_ups, claims, closed_at
FROM pool.lead WHERE key IN ('own', 'won', 'lost', 'mine', 'free', 'stale', 'new')
ORDER BY key;
SELECT d.key, e.kind, e.at, m.key AS member, e.detail FROM pool.event e
JOIN pool.lead_data d ON d.id = e.lead_id
LEFT JOIN pool.member m ON m.id = e.member_id
WHERE d.key IN ('own', 'won', 'lost', 'mine', 'stale') ORDER BY d.key, e.id;
-- the spell goes on: so do its timers, and what follows is counted from there
SELECT key, due_at FROM pool.lead_due ORDER BY key;
SELECT lead_id = t.id('own') AS own, started_at, ended_at, began_by
FROM pool.lead_spell WHERE key = 'own';
SELECT outcome, due_at FROM pool.follow_up(t.id('own'), member => 'bob');
SELECT key, follow_ups, first_follow_up_at, last_follow_up_at
FROM pool.lead WHERE key = 'own';
SELECT outcome FROM pool.release(t.ids('own'), member => 'bob');
SELECT * FROM pool.verify();
-- what was rolled back is forgotten
BEGIN;
INSERT INTO pool.intake (pool, key) VALUES ('p', 'gone');
SELECT count(*) FROM pool.intake_check();
ROLLBACK;
SELECT count(*) FROM pool.intake_check();
BEGIN;
INSERT INTO pool.intake (pool, key) VALUES ('p', 'kept');
SAVEPOINT s;
INSERT INTO pool.intake (pool, key) VALUES ('p', 'gone');
ROLLBACK TO s;
SELECT count(*) FROM pool.intake_check();
COMMIT;

------------------------------------------------------------------------
-- What contradicts itself
------------------------------------------------------------------------

SET pool_ext.intake_mode = 'check';
INSERT INTO pool.intake (pool, key, owner, created_at, owned_at,
    last_follow_up_at, status)
VALUES ('p', 'e1', NULL, NULL, NULL, NULL, 'owned'),
    ('p', 'e2', 'ann', NULL, NULL, NULL, 'available'),
    ('p', 'e3', NULL, NULL, NULL, '2026-02-01', 'available'),
    ('p', 'e4', NULL, NULL, '2026-02-01', NULL, NULL),
    ('p', 'e5', 'ann', NULL, NULL, '2026-02-01', NULL),
    ('p', 'e6', 'ann', NULL, '2026-03-03', NULL, NULL),
    ('p', 'e7', 'ann', '2026-02-02', '2026-02-01', NULL, NULL),
    ('p', 'e8', 'ann', NULL, '2026-02-01', '2026-01-31', NULL),
    ('p', 'e9', 'ann', NULL, '2026-02-01', '2026-03-03', NULL),
    ('p', 'f1', NULL, NULL, NULL, NULL, 'review'),
    ('p', 'f2', NULL, NULL, NULL, NULL, 'Owned'),
    ('p', 'f3', 'ann', NULL, NULL, '2026-02-01', 'archived'),
    ('p', 'f4', NULL, '2026-03-03', NULL, NULL, 'converted');
SELECT row_number AS n, key, outcome, reason FROM pool.intake_check();
RESET pool_ext.intake_mode;
SELECT * FROM t.error($$INSERT INTO pool.intake (pool, key, owner, owned_at)
    VALUES ('p', 'e6', 'ann', '2026-03-03')$$);
SELECT * FROM t.error($$INSERT INTO pool.intake (pool, key, status)
    VALUES ('p', 'f1', 'review')$$);
SELECT * FROM t.error($$INSERT INTO pool.intake (pool, key, owner,
    last_follow_up_at) VALUES ('p', 'f1', 'ann', 'infinity')$$);

-- check, then load, and 2,000 rows agree
SET pool_ext.intake_mode = 'check';
INSERT INTO pool.intake (pool, key, identities)
SELECT 'p', 'many' || i, jsonb_build_object('phone', '+86137' ||
    lpad((i % 1900)::text, 8, '0')) FROM generate_series(1, 2000) i;
CREATE TEMP TABLE foreseen AS SELECT row_number, key, outcome, status
FROM pool.intake_check();
RESET pool_ext.intake_mode;
INSERT INTO pool.intake (pool, key, identities)
SELECT 'p', 'many' || i, jsonb_build_object('phone', '+86137' ||
    lpad((i % 1900)::text, 8, '0')) FROM generate_series(1, 2000) i;
SELECT outcome, count(*) FROM pool.intake_check() GROUP BY 1 ORDER BY 1;
TABLE foreseen EXCEPT SELECT row_number, key, outcome, status
FROM pool.intake_check();
SELECT * FROM pool.verify();

-- created in years to come: seconds taken for milliseconds
SELECT * FROM t.error($$INSERT INTO pool.intake (pool, key, created_at)
    VALUES ('p', 'ahead', '2040-01-01')$$);
SET pool_ext.intake_mode = 'check';
INSERT INTO pool.intake (pool, key, created_at)
VALUES ('p', 'ahead', '2040-01-01'), ('p', 'skew', '2026-03-03 09:00+00');
SELECT key, outcome, reason FROM pool.intake_check();
RESET pool_ext.intake_mode;

-- what is over already is not looked at first, and is as old as its last time
INSERT INTO pool.pool (name, everyone, review) VALUES ('looked', true, true);
INSERT INTO pool.intake (pool, key, owner, owned_at, last_follow_up_at, status)
VALUES ('looked', 'g1', NULL, NULL, NULL, NULL),
    ('looked', 'g2', NULL, NULL, NULL, 'archived'),
    ('looked', 'g3', 'ann', NULL, NULL, 'archived'),
    ('looked', 'g4', 'ann', '2026-01-05', '2026-02-01', 'converted');
SELECT key, outcome, status FROM pool.intake_check();
SELECT key, created_at, entered_at, closed_at, claims FROM pool.lead
WHERE key ~ '^g[1-4]$' ORDER BY key;
SELECT key, started_at, ended_at, ended_by FROM pool.lead_spell WHERE key ~ '^g[1-4]$';
SELECT * FROM pool.verify();
