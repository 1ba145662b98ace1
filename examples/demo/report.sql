-- The views as tables.  Wants the variables pool and replayed (a boolean).
\pset border 1
\pset linestyle unicode
\pset footer off
\pset null '-'
\echo stat_pool: the pools of the sellers
SELECT pool, available, owned, converted, archived, reclaim_rate
FROM pool.stat_pool
WHERE pool IN (:'pool', :'pool' || ' declined')
ORDER BY pool;

\echo stat_member: the sellers
SELECT member, claimed, claim_limit, followed_up, converted, reclaimed
FROM pool.stat_member
WHERE pool = :'pool' AND role = 'member'
ORDER BY converted DESC, member
LIMIT 10;

\echo stat_source: the channels
SELECT source, entered, followed_up, converted,
    round(converted / nullif(entered, 0)::numeric, 4) AS of_entered
FROM pool.stat_source
WHERE pool = :'pool'
ORDER BY entered DESC
LIMIT 10;

\echo stat_daily: the days of the sellers
SELECT day, entered, claimed, released, reclaimed, converted
FROM pool.stat_daily
WHERE pool = :'pool'
ORDER BY day;

\if :replayed
\echo stat_pool: the busiest teams of the help desk
SELECT p.pool, p.ended_spells, p.converted, p.archived, p.conversion_rate
FROM pool.stat_pool p JOIN pool.tenant t ON t.id = p.tenant_id
WHERE t.name = 'incidents'
ORDER BY p.converted DESC, p.pool
LIMIT 5;

\echo stat_member: the top 10 of the help desk, over all teams
SELECT member, sum(claimed) AS claimed, sum(assigned) AS assigned,
    sum(received) AS received, sum(released) AS released,
    sum(converted) AS converted
FROM pool.stat_member s JOIN pool.tenant t ON t.id = s.tenant_id
WHERE t.name = 'incidents'
GROUP BY member
ORDER BY converted DESC, member
LIMIT 10;

\echo stat_daily: the seven busiest days of the help desk, over all teams
SELECT * FROM (
    SELECT day, sum(entered) AS entered, sum(assigned) AS assigned,
        sum(claimed) AS claimed, sum(released) AS released,
        sum(transferred) AS transferred, sum(converted) AS converted
    FROM pool.stat_daily s JOIN pool.tenant t ON t.id = s.tenant_id
    WHERE t.name = 'incidents'
    GROUP BY day
    ORDER BY entered DESC
    LIMIT 7) d
ORDER BY day;
\endif

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
