-- A history for the views: so many events of a hundred pools in the thirty days
-- before today, folded, and ten thousand more of today that are not.
\set ON_ERROR_STOP on
UPDATE pool.pool SET hold_limit = NULL, claim_limit = NULL;
INSERT INTO pool.pool (name, everyone)
SELECT 'pool ' || i, true FROM generate_series(2, 100) i;
SELECT set_config('pool_ext.clock',
    (date_trunc('day', now()) - interval '31 days')::text, false) AS clock \gset
INSERT INTO pool.intake (pool, key, source)
SELECT 'pool ' || (2 + i % 99), 'v' || i, 's' || i % 7
FROM generate_series(1, 20000) i;

-- claimed and given back by members in turn, from one day to another
CREATE PROCEDURE pg_temp.work(events bigint, from_day integer, to_day integer)
LANGUAGE plpgsql AS $$
DECLARE
    done    bigint := 0;
    turn    integer := 0;
    today   timestamptz := date_trunc('day', now());
    leads   bigint[];
BEGIN
    WHILE done < events LOOP
        turn := turn + 1;
        PERFORM set_config('pool_ext.clock', (today + interval '1 day'
            * (from_day + (to_day - from_day) * done::float / events))::text,
            false);
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
CALL pg_temp.work(:events, -30, 0);
SELECT count(*) AS tasks FROM pool.tick() \gset
SELECT count(*) AS tasks FROM pool.tick() \gset
CALL pg_temp.work(10000, 0, 0);
VACUUM (ANALYZE);
