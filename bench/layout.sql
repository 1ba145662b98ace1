-- What a claim pays for the shape of the lead's row: WAL and time of the lead
-- update alone, for one wide row against the split one, and per index.
-- Usage: psql -f bench/layout.sql (any database with the extension, nothing
-- of it is touched).  WAL is exact; times are of one session, compare ratios.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS layout CASCADE;
CREATE SCHEMA layout;

CREATE TABLE layout.split (LIKE pool.lead_state INCLUDING ALL);
CREATE TABLE layout.no_owner (LIKE pool.lead_state INCLUDING ALL);
CREATE TABLE layout.no_timer (LIKE pool.lead_state INCLUDING ALL);
CREATE TABLE layout.wide AS
SELECT s.*, d.key, d.name, d.source, d.grade, d.attributes, d.created_at
FROM pool.lead_state s, pool.lead_data d WHERE false;
ALTER TABLE layout.wide ADD PRIMARY KEY (id), ADD UNIQUE (tenant_id, key);
CREATE UNIQUE INDEX ON layout.wide (pool_id, ticket) WHERE ticket IS NOT NULL;
CREATE INDEX ON layout.wide (pool_id, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX ON layout.wide (check_at) WHERE check_at IS NOT NULL;
ALTER TABLE layout.wide SET (fillfactor = 85);
SELECT format('DROP INDEX layout.%I', indexname) FROM pg_indexes
WHERE schemaname = 'layout' AND (tablename, indexdef) IN (
    SELECT tablename, indexdef FROM pg_indexes
    WHERE tablename = 'no_owner' AND indexdef LIKE '%owner_id)%'
       OR tablename = 'no_timer' AND indexdef LIKE '%(check_at)%') \gexec

INSERT INTO layout.split (id, ticket, entered_at, tenant_id, pool_id, status)
SELECT i, (100::bigint << 48) + i, now(), 1, 1, 'available'
FROM generate_series(1, 200000) i;
INSERT INTO layout.no_owner SELECT * FROM layout.split;
INSERT INTO layout.no_timer SELECT * FROM layout.split;
INSERT INTO layout.wide
SELECT s.*, 'customer-' || s.id, 'Company number ' || s.id, 'web', 'A',
    jsonb_build_object('industry', 'SaaS', 'size', s.id % 500, 'city', '上海',
        'contact', 'somebody ' || s.id, 'remark', repeat('x', 60)), now()
FROM layout.split s;
-- what searching will want sooner or later
CREATE TABLE layout.wide_search (LIKE layout.wide INCLUDING ALL);
CREATE INDEX ON layout.wide_search USING gin (attributes jsonb_path_ops);
INSERT INTO layout.wide_search SELECT * FROM layout.wide;
VACUUM ANALYZE;
CHECKPOINT;

CREATE TABLE layout.result (shape text, round int, wal numeric, us numeric);
CREATE PROCEDURE layout.run(shape text, round int, n int) LANGUAGE plpgsql AS $$
DECLARE
    lsn pg_lsn := pg_current_wal_insert_lsn();
    began timestamptz := clock_timestamp();
BEGIN
    FOR i IN (round - 1) * n + 1 .. round * n LOOP
        EXECUTE format('UPDATE layout.%I SET status = ''owned'', ticket = NULL,
            owner_id = 7, owned_at = now(), chain_at = now(), claims = 1,
            check_at = now() WHERE id = $1', shape) USING i::bigint;
    END LOOP;
    INSERT INTO layout.result VALUES (shape, round,
        pg_wal_lsn_diff(pg_current_wal_insert_lsn(), lsn) / n,
        extract(epoch FROM clock_timestamp() - began) * 1e6 / n);
END $$;
SELECT format('CALL layout.run(%L, %s, 10000)', s, r)
FROM generate_series(1, 7) r,
     unnest('{split,no_owner,no_timer,wide,wide_search}'::text[]) s \gexec

SELECT shape,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY wal)::numeric)
        AS wal_bytes_per_update,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.us)::numeric, 1)
        AS microseconds,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY r.us / s.us))::numeric,
        2) AS time_to_split
FROM layout.result r JOIN (SELECT round, us FROM layout.result
    WHERE shape = 'split') s USING (round)
GROUP BY shape ORDER BY 2;
DROP SCHEMA layout CASCADE;
