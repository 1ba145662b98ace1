-- Buffers touched by one claim of member m1, median of 100, one after another
-- from every pool in turn; the first ones, which fill caches, do not count.
CREATE FUNCTION pg_temp.buffers(pool text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    plan    json;
BEGIN
    EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)
        SELECT outcome FROM pool.claim(%L, member => %L)', pool, 'm1')
    INTO plan;
    RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::integer
        + (plan->0->'Plan'->>'Shared Read Blocks')::integer;
END $$;

CREATE TEMP TABLE look (n integer, buffers integer);
DO $$
DECLARE
    names   text[] := ARRAY(SELECT name FROM pool.pool ORDER BY id LIMIT 100);
BEGIN
    FOR i IN 1..200 LOOP
        INSERT INTO look VALUES
            (i, pg_temp.buffers(names[1 + i % cardinality(names)]));
        COMMIT;
    END LOOP;
    IF (SELECT count(*) FROM pool.event WHERE kind = 'claimed') <> 200 THEN
        RAISE EXCEPTION 'some claim has got nothing';
    END IF;
END $$;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY buffers) FROM look
WHERE n > 100;
