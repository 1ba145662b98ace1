-- The stock at the end of each day, whenever its events are folded, against
-- counting from the beginning.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name) VALUES ('a'), ('b');
INSERT INTO pool.member (key) VALUES ('ann');
SELECT t.join_pool('a', 'ann'), t.join_pool('b', 'ann');
-- what differs: days that are missing or too many, too
CREATE VIEW pg_temp.wrong AS
WITH counted AS (
    SELECT p.name AS pool, e.day, sum(e.claimed) AS claimed,
        sum(sum(e.d_available)) OVER w AS available,
        sum(sum(e.d_owned)) OVER w AS owned
    FROM pool.event_day_fact e JOIN pool.pool p ON p.id = e.pool_id
    GROUP BY p.name, e.day
    WINDOW w AS (PARTITION BY p.name ORDER BY e.day)
)
SELECT pool, day, s.claimed, s.available_at_end, s.owned_at_end, c.claimed AS
    claimed_counted, c.available, c.owned
FROM pool.stat_daily s FULL JOIN counted c USING (pool, day)
WHERE (s.claimed, s.available_at_end, s.owned_at_end)
    IS DISTINCT FROM (c.claimed, c.available, c.owned)
UNION ALL
SELECT object, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM pool.verify(3);
-- a day of a pool: so many come, and so many of them are claimed
CREATE PROCEDURE pg_temp.day(pool text, day date, entered integer,
    claimed integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('pool_ext.clock', day || ' 12:00+00', false);
    PERFORM pool.enter(pool, pool || day || i, source => 's' || i % 2)
        FROM generate_series(1, entered) i;
    IF claimed > 0 THEN
        PERFORM FROM pool.claim(pool, 'ann', claimed);
    END IF;
END $$;
CALL pg_temp.day('a', '2026-03-02', 5, 2);
CALL pg_temp.day('b', '2026-03-02', 3, 0);
CALL pg_temp.day('a', '2026-03-04', 3, 1);
SELECT * FROM pg_temp.wrong;
SELECT count(*) FROM pool.tick();
SELECT * FROM pg_temp.wrong;
-- a folded day, the one before and the one after, in the tail and folded
CALL pg_temp.day('a', '2026-03-04', 1, 0);
SELECT * FROM pg_temp.wrong;
CALL pg_temp.day('a', '2026-03-03', 2, 1);
CALL pg_temp.day('a', '2026-03-01', 4, 1);
CALL pg_temp.day('a', '2026-03-06', 1, 1);
CALL pg_temp.day('b', '2026-03-05', 1, 1);
SELECT * FROM pg_temp.wrong;
SELECT pool, day, entered, claimed, available_at_end, owned_at_end
FROM pool.stat_daily WHERE day > '2026-03-02' ORDER BY 1, 2;
SELECT count(*) FROM pool.tick();
SELECT * FROM pg_temp.wrong;
CALL pg_temp.day('a', '2026-03-02', 0, 3);
CALL pg_temp.day('a', '2026-03-05', 2, 1);
SELECT * FROM pg_temp.wrong;
SELECT count(*) FROM pool.tick();
SELECT * FROM pg_temp.wrong;
-- pools and days are those asked for
SELECT pool, day, available_at_end, owned_at_end FROM pool.stat_daily
ORDER BY 1, 2;
SELECT pool, day, available_at_end, owned_at_end FROM pool.stat_daily
WHERE pool = 'a' AND day BETWEEN '2026-03-03' AND '2026-03-04' ORDER BY 1, 2;

-- A long course: the clock goes forth and back, zones change, leads change
-- pools, some of it is taken back, and folds take parts of it.
INSERT INTO pool.member (key) VALUES ('bob');
SELECT t.join_pool('a', 'bob'), t.join_pool('b', 'bob');
SELECT max(id) AS before FROM pool.event \gset
CREATE PROCEDURE pg_temp.course(steps integer) LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := '2026-04-01 12:00+00';
    ids bigint[];
    a_pool text;
    what text;
    wrongs text;
BEGIN
    PERFORM setseed(0.5);
    FOR i IN 1 .. steps LOOP
        now := now + (floor(random() * 40) - 15) * interval '1 hour';
        PERFORM set_config('pool_ext.clock', now::text, false);
        ids := ARRAY(SELECT l.id FROM pool.lead l
            ORDER BY md5(l.id::text || i) LIMIT 6);
        a_pool := CASE WHEN random() < 0.5 THEN 'a' ELSE 'b' END;
        what := (ARRAY['enter', 'claim', 'claim', 'transfer', 'release',
            'reclaim', 'archive', 'reopen', 'move', 'convert', 'follow_up',
            'erase', 'merge', 'zone'])[1 + floor(random() * 14)];
        BEGIN
            CASE what
            WHEN 'enter' THEN
                PERFORM pool.enter(a_pool, 'c' || i || j, source => 's' || j % 3)
                    FROM generate_series(1, 4) j;
            WHEN 'claim' THEN
                PERFORM pool.claim(a_pool, 'ann', 4);
            WHEN 'transfer' THEN
                PERFORM pool.transfer(ids, 'bob', a_pool);
            WHEN 'release' THEN
                PERFORM pool.release(ids, NULL, a_pool, m)
                    FROM unnest('{ann,bob}'::text[]) m;
            WHEN 'reclaim' THEN
                PERFORM pool.reclaim(ids[1:2], NULL, a_pool);
            WHEN 'archive' THEN
                PERFORM pool.archive(ids[1:2], 'lost');
            WHEN 'reopen' THEN
                PERFORM pool.reopen(ids, a_pool);
            WHEN 'move' THEN
                PERFORM pool.move(ids, a_pool);
            WHEN 'convert' THEN
                PERFORM pool.convert(ids[1], 10);
            WHEN 'follow_up' THEN
                PERFORM pool.follow_up(id, member => 'ann') FROM unnest(ids) id;
            WHEN 'erase' THEN
                PERFORM pool.erase(ids[1:1], 'asked for');
            WHEN 'merge' THEN
                PERFORM pool.merge(ids[1], ids[2]);
            WHEN 'zone' THEN
                UPDATE pool.pool SET timezone = (ARRAY['UTC', 'Asia/Tokyo',
                    'America/Los_Angeles'])[1 + floor(random() * 3)]
                WHERE name = a_pool;
            END CASE;
            IF random() < 0.15 THEN
                RAISE EXCEPTION 'taken back';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
        CONTINUE WHEN i % 3 > 0;
        COMMIT;
        IF i % 2 = 0 THEN
            PERFORM pool.tick(1);
            COMMIT;
        END IF;
        CONTINUE WHEN i % 21 > 0;
        SELECT string_agg(w::text, ' ') INTO wrongs FROM pg_temp.wrong w;
        IF wrongs IS NOT NULL THEN
            RAISE 'after step %: %', i, wrongs;
        END IF;
    END LOOP;
END $$;
CALL pg_temp.course(420);
SELECT * FROM pg_temp.wrong;
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT * FROM pg_temp.wrong;
-- it had something of each
SELECT kind, count(*) > 4 AS often FROM pool.event WHERE id > :before
GROUP BY kind ORDER BY kind;
SELECT count(DISTINCT day) > 20 AS days, bool_or(day < before) AS back
FROM (SELECT day, lag(day) OVER (PARTITION BY pool_id ORDER BY id) AS before
    FROM pool.event WHERE id > :before) e;
