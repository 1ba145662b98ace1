-- Working time: timers that count only the days and hours of the tenant.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-01-05 09:00+08';
SET timezone = 'Asia/Shanghai';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai');
INSERT INTO pool.member (key) VALUES ('ann');
-- the National Day holidays of 2026, with their make-up days
INSERT INTO pool.calendar (day) SELECT d::date
    FROM generate_series('2026-10-01'::timestamp, '2026-10-07', '1 day') d;
INSERT INTO pool.calendar (day, is_workday) VALUES ('2026-09-20', true),
    ('2026-10-10', true);

-- one pool per rule: a lead is given at a moment, and when is it due?
CREATE FUNCTION setup(pool_name text, after interval, zone text DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO pool.pool (name, everyone, timezone)
        VALUES (pool_name, true, zone);
    INSERT INTO pool.timer_rule (pool_id, name, basis, after, working_time)
    SELECT id, 'work', 'follow_up', $2, true FROM pool.pool
    WHERE name = pool_name;
$$;
CREATE SEQUENCE keys;
CREATE FUNCTION due(pool_name text, since timestamptz) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    result timestamptz;
BEGIN
    PERFORM set_config('pool_ext.clock', since::text, false);
    PERFORM pool.enter(pool_name, 'k' || nextval('keys'));
    SELECT c.due_at INTO result FROM pool.claim(pool_name, 'ann') c;
    RETURN result;
END $$;
CREATE FUNCTION dues(pool_name text, VARIADIC moments timestamptz[])
RETURNS TABLE (since text, due text)
LANGUAGE sql AS $$
    SELECT to_char(m, 'Dy MM-DD HH24:MI:SS'),
        to_char(due(pool_name, m), 'Dy MM-DD HH24:MI:SS')
    FROM unnest(moments) WITH ORDINALITY u (m, n) ORDER BY n
$$;
SELECT setup('3 days', '3 days'), setup('1 day', '1 day'),
    setup('2 hours', '2 hours'), setup('9 hours', '9 hours'),
    setup('day and hours', '1 day 4 hours'), setup('long', '250 days');

-- within the week, over the weekend: the same time of day three working days on
SELECT * FROM dues('3 days', '2026-03-02 10:00', '2026-03-04 10:00',
    '2026-03-05 17:59:59', '2026-03-06 10:00');
-- outside of working hours nothing passes: the whole of the next days counts
SELECT * FROM dues('1 day', '2026-03-02 08:00', '2026-03-02 09:00',
    '2026-03-02 09:00:01', '2026-03-02 18:00', '2026-03-02 23:00',
    '2026-03-06 18:00', '2026-03-07 12:00');
-- a working day is nine hours, so nine hours are a working day
SELECT count(*) FROM generate_series('2026-03-02 00:30+08'::timestamptz,
    '2026-03-09 00:00', '83 minutes') m
    WHERE due('1 day', m) <> due('9 hours', m);
SELECT * FROM dues('2 hours', '2026-03-02 10:00', '2026-03-02 16:00',
    '2026-03-02 16:00:01', '2026-03-06 17:30', '2026-03-07 17:30');
SELECT * FROM dues('day and hours', '2026-03-05 16:00', '2026-03-06 09:00');
-- holidays, and the make-up days around them
SELECT * FROM dues('1 day', '2026-09-18 12:00', '2026-09-30 12:00',
    '2026-10-03 12:00', '2026-10-09 12:00', '2026-10-10 12:00');
SELECT * FROM dues('3 days', '2026-09-29 12:00', '2026-09-30 18:00');
-- a year of working days, holidays and make-up days in it
SELECT * FROM dues('long', '2026-01-05 12:00');

-- a plain count, moment by moment, in a year with everything in it
CREATE FUNCTION is_working(at timestamptz) RETURNS boolean LANGUAGE sql AS $$
    SELECT coalesce((SELECT is_workday FROM pool.calendar c
            WHERE c.day = at::date), extract(isodow FROM at) < 6)
        AND at::time >= '09:00' AND at::time < '18:00'
$$;
WITH minutes AS MATERIALIZED (
    SELECT m, is_working(m) AS works FROM generate_series(
        '2026-09-15 00:00+08'::timestamptz, '2026-10-20 00:00', '1 hour') m
), starts AS (
    SELECT s, due('3 days', s) AS due FROM generate_series(
        '2026-09-15 00:00+08'::timestamptz, '2026-10-12 00:00', '7 hours') s
)
SELECT count(*) AS starts, count(*) FILTER (WHERE (SELECT count(*) FROM minutes
    WHERE works AND m >= date_trunc('hour', s) AND m < due) <> 27) AS wrong
FROM starts;

-- the zone is the pool's: clocks going forward and back at night, and by day
SELECT setup('berlin', '1 day', 'Europe/Berlin');
SET timezone = 'Europe/Berlin';
SELECT * FROM dues('berlin', '2026-03-27 12:00', '2026-10-23 12:00');
UPDATE pool.tenant SET work_from = '00:00', work_until = '24:00',
    workdays = '{1,2,3,4,5,6,7}';
SELECT * FROM dues('berlin', '2026-03-28 12:00', '2026-03-29 01:30',
    '2026-10-24 12:00', '2026-10-25 00:30');
SELECT due('berlin', '2026-10-24 12:00') - '2026-10-24 12:00'::timestamptz
    AS back, due('berlin', '2026-03-28 12:00')
    - '2026-03-28 12:00'::timestamptz AS forward;
UPDATE pool.tenant SET work_from = '09:00', work_until = '18:00',
    workdays = '{1,2,3,4,5}';
SET timezone = 'Asia/Shanghai';

-- reminders in working time too, and the notice
DELETE FROM pool.timer_rule;
SELECT setup('remind', '1 day');
UPDATE pool.timer_rule SET remind_before = '{2 hours}', notice_required = true
    WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'remind');
CREATE FUNCTION tick_at(moment timestamptz)
RETURNS TABLE (key text, kind text, detail jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    last bigint := (SELECT max(id) FROM pool.event);
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    PERFORM pool.tick();
    RETURN QUERY SELECT d.key, e.kind, e.detail
        FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
        WHERE e.id > last ORDER BY d.key, e.id;
END $$;
SET pool_ext.clock = '2026-03-06 10:00+08';
SELECT t.fill('remind', 'r', 1);
SELECT key, due_at FROM pool.claim('remind', 'ann');
SELECT * FROM tick_at('2026-03-06 16:59+08');
SELECT * FROM tick_at('2026-03-06 17:00+08');
SELECT * FROM tick_at('2026-03-09 09:59+08');
SELECT * FROM tick_at('2026-03-09 10:00+08');
-- not warned in time: two working hours later
SELECT count(*) FROM pool.claim('remind', 'ann');
SELECT * FROM tick_at('2026-03-13 17:30+08');
SELECT due_at FROM pool.lead_due WHERE key = 'r1';
SELECT * FROM tick_at('2026-03-16 10:29+08');
SELECT * FROM tick_at('2026-03-16 10:30+08');

-- changed hours and days are in force for what is owned already
SET pool_ext.clock = '2026-04-01 10:00+08';
SELECT count(*) FROM pool.claim('remind', 'ann');
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT due_at FROM pool.lead_due WHERE key = 'r1';
INSERT INTO pool.calendar (day) VALUES ('2026-04-02');
SELECT due_at FROM pool.lead_due WHERE key = 'r1';
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
UPDATE pool.calendar SET day = '2026-04-03' WHERE day = '2026-04-02';
SELECT due_at FROM pool.lead_due WHERE key = 'r1';
DELETE FROM pool.calendar WHERE day = '2026-04-03';
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
UPDATE pool.tenant SET work_from = '10:30';
SELECT pool, to_do, done FROM pool.stat_recheck;
SELECT due_at FROM pool.lead_due WHERE key = 'r1';
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
SELECT check_at FROM pool.lead_state WHERE id = t.id('r1');
-- names, countries and pools without such rules are no reason
UPDATE pool.tenant SET name = 'default', country = 'DE';
SELECT count(*) FROM pool.stat_recheck;
SELECT * FROM pool.verify();
