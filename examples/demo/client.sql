-- One seller: takes customers five at a time, calls each as often as it takes,
-- and either sells or hands him over as declined.  Every 50th he forgets; the
-- worker takes those back, and whoever gets them next calls them.
-- Runs as the seller's own login.  Wants the variable pool.
SELECT set_config('demo.pool', :'pool', false) \g /dev/null
DO $seller$
DECLARE
    the_pool    text := current_setting('demo.pool');
    ids         bigint[];
    keys        text[];
    answer      text;
    customer    demo.customer;
    began       timestamptz;
    claim_time  interval := '0';
    claims      bigint := 0;
    leads       bigint := 0;
    neglected   bigint := 0;
    answers     jsonb := '{}';
BEGIN
    LOOP
        began := clock_timestamp();
        SELECT array_agg(c.lead_id), array_agg(c.key), min(c.outcome)
        INTO ids, keys, answer
        FROM pool.claim(the_pool, n => 5) c;
        claim_time := claim_time + (clock_timestamp() - began);
        COMMIT;

        IF answer <> 'claimed' THEN
            answers := jsonb_set(answers, ARRAY[answer],
                to_jsonb(coalesce((answers ->> answer)::bigint, 0) + 1));
            EXIT WHEN answer = 'claim_limit';
            IF answer NOT IN ('empty', 'none_allowed', 'hold_limit',
                'contended') THEN
                RAISE EXCEPTION 'pool.claim says %', answer;
            END IF;
            EXIT WHEN NOT demo.work_left(the_pool);
            PERFORM pg_sleep(0.05);
            CONTINUE;
        END IF;

        claims := claims + 1;
        FOR i IN 1 .. cardinality(ids) LOOP
            leads := leads + 1;
            IF leads % 50 = 0 THEN
                neglected := neglected + 1;
                CONTINUE;
            END IF;
            SELECT * INTO STRICT customer FROM demo.customer
            WHERE key = keys[i];
            FOR nth IN 1 .. customer.calls LOOP
                SELECT f.outcome INTO answer FROM pool.follow_up(ids[i], 'call',
                    CASE WHEN nth < customer.calls THEN 'call again'
                         WHEN customer.buys THEN 'yes' ELSE 'no' END) f;
                EXIT WHEN answer <> 'ok';
            END LOOP;
            IF answer = 'ok' AND customer.buys THEN
                SELECT c.outcome INTO answer FROM pool.convert(ids[i]) c;
            ELSIF answer = 'ok' THEN
                SELECT r.outcome INTO answer FROM pool.release(ids[i : i],
                    'declined', to_pool => the_pool || ' declined') r;
            END IF;
            -- Too late: the worker was faster, somebody else will call.
            IF answer IN ('not_owner', 'contended') THEN
                ROLLBACK;
                answers := jsonb_set(answers, ARRAY[answer],
                    to_jsonb(coalesce((answers ->> answer)::bigint, 0) + 1));
            ELSIF answer NOT IN ('converted', 'released') THEN
                RAISE EXCEPTION 'lead %: %', ids[i], answer;
            END IF;
            COMMIT;
        END LOOP;
    END LOOP;
    INSERT INTO demo.tally (claims, leads, neglected, claim_time, answers)
    VALUES (claims, leads, neglected, claim_time, answers);
END $seller$;
