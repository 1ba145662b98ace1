-- What the bench works on: one pool, its members, n available leads; the same
-- for the rival and for the bare writes.  Limits are set, so that they are
-- tested, and too high to be met.
\set ON_ERROR_STOP on
\set ECHO none
SET client_min_messages = warning;
CREATE EXTENSION pool_ext;
CREATE EXTENSION pg_prewarm;

INSERT INTO pool.pool (name, hold_limit, claim_limit)
VALUES ('bench pool', 10000000, 10000000);
INSERT INTO pool.member (key)
SELECT 'm' || i FROM generate_series(1, :members) i;
INSERT INTO pool.membership (pool_id, member_id, tenant_id)
SELECT p.id, m.id, p.tenant_id FROM pool.pool p, pool.member m;

-- what the lead of this number is like: a name of two Chinese characters out of
-- 500 and 2,000, and a few attributes
CREATE SCHEMA bench;
CREATE FUNCTION bench.name_of(i bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT chr(19968 + (i * 7919 % 500)::integer)
        || chr(21000 + (i * 104729 % 2003)::integer)
$$;
CREATE FUNCTION bench.attributes_of(i bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('city', i % 101, 'industry', i % 23,
                              'size', i % 5)
$$;

-- in portions: what one statement enters is kept in memory until its end
CREATE PROCEDURE pg_temp.load(n integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR low IN 1..n BY 50000 LOOP
        INSERT INTO pool.intake (pool, key, name, source, grade, attributes)
        SELECT 'bench pool', 'k' || i,
               bench.name_of(i) || '公司', 's' || i % 7, chr(65 + i % 4),
               bench.attributes_of(i)
        FROM generate_series(low, least(n, low + 49999)) i;
        COMMIT;
    END LOOP;
END $$;
CALL pg_temp.load(:leads);

\ir rival.sql
INSERT INTO rival.member (pool_id, id, hold_limit, claim_limit)
SELECT pool_id, member_id, 10000000, 10000000 FROM pool.membership;
INSERT INTO rival.lead (id, pool_id, priority)
SELECT id, pool_id, priority FROM pool.lead_state ORDER BY ticket;
SELECT setval('rival.next_lead', max(id), false) AS leads
FROM rival.lead \gset

\ir bare.sql
INSERT INTO bare.membership_state SELECT * FROM pool.membership_state;
INSERT INTO bare.lead_state SELECT * FROM pool.lead_state ORDER BY ticket;
INSERT INTO bare.event SELECT * FROM pool.event ORDER BY id;
SELECT setval('bare.event_id_seq', max(id)) AS events FROM bare.event \gset
SELECT setval('bare.next_lead', min(id), false) AS leads
FROM bare.lead_state \gset

VACUUM (ANALYZE, FREEZE);
