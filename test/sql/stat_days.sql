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
