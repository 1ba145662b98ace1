-- The views as tables.  Wants the variables pool and csv.
\pset border 2
\pset linestyle unicode
\pset null '-'
\echo
\echo stat_pool: the pools of the sellers
SELECT pool, members, available, owned, converted, archived,
    reclaim_rate AS reclaimed
FROM pool.stat_pool
WHERE pool IN (:'pool', :'pool' || ' declined')
ORDER BY pool;

\echo stat_member: the top 10 of it
SELECT member, claimed, claimed_today AS today, claim_limit AS "limit",
    followed_up AS calls, converted AS sold, missed
FROM pool.stat_member
WHERE pool = :'pool' AND role = 'member'
ORDER BY converted DESC, member
LIMIT 10;

\echo stat_source: by channel
SELECT source, entered, followed_up AS calls, converted AS sold,
    round(100.0 * converted / nullif(entered, 0), 1) AS "sold %"
FROM pool.stat_source
WHERE pool = :'pool'
ORDER BY entered DESC
LIMIT 10;

\if :replayed
\echo stat_pool: the busiest teams of the help desk
SELECT p.pool AS team, p.ended_spells AS spells, p.converted AS closed,
    p.archived AS unowned, p.conversion_rate AS rate
FROM pool.stat_pool p JOIN pool.tenant t ON t.id = p.tenant_id
WHERE t.name = 'incidents'
ORDER BY p.converted DESC
LIMIT 5;

\echo stat_member: the top 10 of the help desk
SELECT member, sum(claimed) AS claimed, sum(assigned) AS assigned,
    sum(received) AS received, sum(released) AS released,
    sum(converted) AS closed
FROM pool.stat_member s JOIN pool.tenant t ON t.id = s.tenant_id
WHERE t.name = 'incidents'
GROUP BY member
ORDER BY closed DESC, member
LIMIT 10;

\echo stat_daily: one week of it
SELECT day, sum(entered) AS entered, sum(assigned) AS assigned,
    sum(claimed) AS claimed, sum(released) AS released,
    sum(transferred) AS passed, sum(converted) AS closed
FROM pool.stat_daily s JOIN pool.tenant t ON t.id = s.tenant_id
WHERE t.name = 'incidents' AND day BETWEEN '2016-03-21' AND '2016-03-27'
GROUP BY day
ORDER BY day;
\endif

\echo stat_daily: the sellers
SELECT pool, day, entered, claimed, released, reclaimed AS taken,
    converted AS sold, archived
FROM pool.stat_daily
WHERE pool IN (:'pool', :'pool' || ' declined')
ORDER BY pool, day;

\echo stat_worker
SELECT to_char(last_tick, 'HH24:MI:SS') AS last_tick, duration_ms, done,
    backlog, errors, state
FROM pool.stat_worker;

\echo The figures
SELECT step, figure, to_char(expected, 'FM999,999,999') AS expected,
    to_char(found, 'FM999,999,999') AS found,
    CASE WHEN found = expected THEN 'OK'
         ELSE to_char(found - expected, 'SGFM999,999,999') END AS " "
FROM demo.result
ORDER BY id;

\echo verify()
SELECT * FROM pool.verify();
