-- The tables of a run, from its two lists of measurements.
\pset footer off
\pset null '-'
CREATE TEMP TABLE rounds (round integer, clients integer, variant text,
                          tps numeric);
CREATE TEMP TABLE held (round integer, after integer, variant text,
                        tps numeric);
COPY rounds FROM :'rounds';
COPY held FROM :'held';

CREATE FUNCTION pg_temp.shown(median float, digits integer) RETURNS text
LANGUAGE sql AS $$
    SELECT coalesce(round(median::numeric, digits)::text, '-')
$$;

\echo
\echo '| clients | pool.claim | usual | best order | bare writes | / usual | / best | / bare |'
\echo '| --- | --- | --- | --- | --- | --- | --- | --- |'
SELECT format('| %s | %s | %s | %s | %s | %s | %s | %s |', clients,
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY pool), 0),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY usual), 0),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY best), 0),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY bare), 0),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY pool / usual), 2),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY pool / best), 2),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY pool / bare), 2))
FROM (SELECT round, clients,
             max(tps) FILTER (WHERE variant = 'pool') AS pool,
             max(tps) FILTER (WHERE variant = 'usual') AS usual,
             max(tps) FILTER (WHERE variant = 'best') AS best,
             max(tps) FILTER (WHERE variant = 'bare') AS bare
      FROM rounds GROUP BY 1, 2) r
GROUP BY clients ORDER BY clients;

\echo
\echo 'With 8 clients under a snapshot held open:'
\echo
\echo '| claims since | pool.claim | usual | / usual | pool.claim / itself fresh |'
\echo '| --- | --- | --- | --- | --- |'
SELECT format('| %s | %s | %s | %s | %s |', after,
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY pool), 0),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY usual), 0),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP
        (ORDER BY pool / nullif(usual, 0)), 1),
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY pool / fresh), 2))
FROM (SELECT round, after,
             max(tps) FILTER (WHERE variant = 'pool') AS pool,
             max(tps) FILTER (WHERE variant = 'usual') AS usual,
             first_value(max(tps) FILTER (WHERE variant = 'pool'))
                 OVER (PARTITION BY round ORDER BY after) AS fresh
      FROM held GROUP BY 1, 2) r
GROUP BY after ORDER BY after;
