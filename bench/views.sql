-- A history for the views: so many events of a hundred pools, folded, and ten
-- thousand more that are not.
\set ON_ERROR_STOP on
UPDATE pool.pool SET hold_limit = NULL, claim_limit = NULL;
INSERT INTO pool.pool (name, everyone)
SELECT 'pool ' || i, true FROM generate_series(2, 100) i;
INSERT INTO pool.intake (pool, key, source)
SELECT 'pool ' || (2 + i % 99), 'v' || i, 's' || i % 7
FROM generate_series(1, 20000) i;

-- claimed, followed up, and given back by members in turn, on thirty days
CREATE PROCEDURE pg_temp.work(events bigint) LANGUAGE plpgsql AS $$
DECLARE
    done    bigint := 0;
    turn    integer := 0;
    the_day timestamptz := date_trunc('day', now()) + interval '1 day';
    leads   bigint[];
BEGIN
    WHILE done < events LOOP
        turn := turn + 1;
        PERFORM set_config('pool_ext.clock',
            (the_day + interval '1 minute' * (turn % 43200))::text, false);
        leads := ARRAY(SELECT lead_id FROM pool.claim('pool ' || 2 + turn % 99,
            'm' || 1 + turn % 200, 200) WHERE lead_id IS NOT NULL);
        PERFORM count(*) FROM pool.release(leads, 'worked on',
            member => 'm' || 1 + turn % 200);
        done := done + 2 * cardinality(leads);
        COMMIT;
        IF turn % 500 = 0 THEN
            PERFORM pool.tick();
            COMMIT;
        END IF;
    END LOOP;
END $$;
CALL pg_temp.work(:events);
SELECT count(*) AS tasks FROM pool.tick() \gset
SELECT count(*) AS tasks FROM pool.tick() \gset
CALL pg_temp.work(10000);
VACUUM (ANALYZE);
