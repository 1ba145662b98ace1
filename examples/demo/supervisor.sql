-- The supervisor closes what was declined, until nothing more can come.
-- Runs as his own login.  Wants the variable pool.
SELECT set_config('demo.pool', :'pool', false) \g /dev/null
DO $supervisor$
DECLARE
    the_pool    text := current_setting('demo.pool');
    last_look   boolean;
    ids         bigint[];
BEGIN
    LOOP
        last_look := NOT demo.work_left(the_pool);
        COMMIT;
        ids := ARRAY(SELECT lead_id FROM pool.lead_open
                     WHERE pool = the_pool || ' declined' LIMIT 500);
        PERFORM pool.archive(ids, 'not interested');
        COMMIT;
        IF cardinality(ids) = 0 THEN
            EXIT WHEN last_look;
            PERFORM pg_sleep(0.2);
        END IF;
    END LOOP;
END $supervisor$;
