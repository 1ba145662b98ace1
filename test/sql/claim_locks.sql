-- What a claim holds: the leads it takes and no other, one transaction id, and
-- whatever it skips stays for others.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
CREATE EXTENSION pgrowlocks;
INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.claim_rule (pool_id, name, condition, min_level)
    SELECT id, 'odd', '$.n == 1', 9 FROM pool.pool;
INSERT INTO pool.intake (pool, key, attributes)
    SELECT 'p', 'k' || i, jsonb_build_object('n', i % 2)
    FROM generate_series(1, 20) i;
CREATE FUNCTION held(OUT leads bigint, OUT counters bigint, OUT xids bigint)
LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM pgrowlocks('pool.lead_state')),
        (SELECT count(*) FROM pgrowlocks('pool.membership_state')),
        (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()
            AND locktype = 'transactionid')
$$;
\set ECHO queries

-- half of the leads are barred for whoever claims: these are not locked
BEGIN;
SELECT count(*) FROM pool.claim('p', 'ann', 3);
SELECT * FROM held();
SELECT count(*) FROM pool.claim('p', 'bob');
SELECT * FROM held();
ROLLBACK;
SELECT * FROM held();

BEGIN;
SELECT outcome FROM pool.claim_leads(t.ids('k2', 'k3', 'k4'), 'ann');
SELECT * FROM held();
SELECT outcome FROM pool.claim('p', 'ann', match => '{"n": 0}');
SELECT * FROM held();
COMMIT;

-- nothing is left to lock where nothing is claimed
UPDATE pool.claim_rule SET condition = NULL;
BEGIN;
SELECT outcome FROM pool.claim('p', 'bob');
SELECT leads FROM held();
ROLLBACK;
SELECT * FROM pool.verify();
