-- How it went: claims per second, and what the limits and the worker did.
-- Wants the variable pool.
\pset format unaligned
\pset tuples_only on
WITH ours AS (
    SELECT count(*) FILTER (WHERE e.kind = 'claimed') AS claims,
        count(*) FILTER (WHERE e.kind <> 'claimed') AS others,
        count(*) FILTER (WHERE e.kind = 'reclaimed') AS reclaimed,
        extract(epoch FROM max(e.at) - min(e.at)
            FILTER (WHERE e.kind = 'claimed')) AS seconds
    FROM pool.event e
    JOIN pool.pool p ON p.id = e.pool_id
    WHERE p.name IN (:'pool', :'pool' || ' declined') AND e.kind <> 'entered'
), clients AS (
    SELECT sum(claims) AS claims, sum(leads) AS leads,
        sum(neglected) AS neglected,
        extract(epoch FROM sum(claim_time)) AS seconds
    FROM demo.tally
), answer AS (
    SELECT string_agg(format('%s %s', replace(a.key, '_', ' '), a.times),
            ', ' ORDER BY a.times DESC) AS list
    FROM (SELECT e.key, sum(e.value::bigint) AS times
          FROM demo.tally t, jsonb_each_text(t.answers) e GROUP BY e.key) a
)
SELECT format('   %s claims in %s s: %s claims/s, with %s other changes',
        to_char(o.claims, 'FM999,999,999'), round(o.seconds, 1),
        to_char(o.claims / nullif(o.seconds, 0), 'FM999,999,999'),
        to_char(o.others, 'FM999,999,999'))
    || format(E'\n   a call of pool.claim for five took %s ms on average',
        round(1000 * c.seconds / nullif(c.claims, 0), 2))
    || format(E'\n   %s were forgotten, the worker took back %s',
        c.neglected, o.reclaimed)
    || format(E'\n   refusals: %s', coalesce(a.list, 'none'))
FROM ours o, clients c, answer a;
