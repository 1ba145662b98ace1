-- The tables of a run, from its list of measurements.  A ratio is the median of
-- the ratios within each round; in brackets the least and the greatest of them.
\set ON_ERROR_STOP on
\pset footer off
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE figure (part text, task text, variant text, round integer,
                          value float);
\copy figure FROM pstdin
CREATE TEMP TABLE target (place integer, part text, task text, variant text,
                          against text, compare text, wanted float);
\ir targets.sql

CREATE FUNCTION pg_temp.shown(value float) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN value IS NULL THEN '-'
                WHEN abs(value) >= 100 THEN round(value)::text
                WHEN abs(value) >= 10 THEN round(value::numeric, 1)::text
                ELSE round(value::numeric, 2)::text END
$$;

SELECT format($$# Figures

%s cores, PostgreSQL %s, %s leads, %s members, %s rounds, %s s a leg where a leg
has a time. Settings: %s.

Per second unless the part says otherwise (p50, p99: milliseconds). A ratio is the
median over the rounds of what was measured side by side in one round, with the least
and the greatest. Absolute figures are this machine's.$$,
    :'cores', current_setting('server_version'), :'leads', :'members', :'rounds',
    :'leg', (SELECT string_agg(name || ' = ' || current_setting(name), ', '
                               ORDER BY name)
             FROM pg_settings WHERE source = 'configuration file'
              AND name !~ '(_directory|_directories|_file|path|listen|port|log_|permissions)'));

\echo
\echo '## Against what must be reached'
\echo
\echo '| part | case | variant | against | measured | must reach | |'
\echo '| --- | --- | --- | --- | --- | --- | --- |'
WITH pair AS (
    SELECT t.*, f.round,
           CASE WHEN t.against IS NULL THEN f.value
                ELSE f.value / nullif(g.value, 0) END AS ratio
    FROM target t
    JOIN figure f ON f.part = t.part AND f.task ~ ('^(' || t.task || ')$')
                 AND f.variant = t.variant
    LEFT JOIN figure g ON g.part = f.part AND g.variant = t.against
                      AND g.round = f.round AND g.task = f.task
), summary AS (
    SELECT place, part, task, variant, against, compare, wanted,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio) AS median,
           min(ratio) AS least, max(ratio) AS most, count(*) AS pairs
    FROM pair GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT format('| %s | %s | %s | %s | %s%s | %s | %s |', part, task, variant,
    coalesce(against, ''), pg_temp.shown(median),
    CASE WHEN pairs > 1 THEN format(' (%s–%s)', pg_temp.shown(least),
                                    pg_temp.shown(most)) END,
    CASE compare WHEN '>=' THEN '≥ ' WHEN '<=' THEN '≤ ' ELSE '' END
        || pg_temp.shown(wanted),
    CASE WHEN wanted IS NULL THEN '-'
         WHEN CASE compare WHEN '>=' THEN median >= wanted
                           ELSE median <= wanted END
         THEN 'reached' ELSE '**not reached**' END)
FROM summary WHERE wanted IS NOT NULL OR median IS NOT NULL
ORDER BY place, part, task, variant;

SELECT E'\n## Pictures\n\nMedians; lines from the least to the greatest.'
WHERE :'pictures' <> '';
SELECT format(E'\n![%s](%s.png)', name, name)
FROM regexp_split_to_table(:'pictures', ' +') name WHERE name <> ''
ORDER BY name;

\echo
\echo '## All that was measured'
\echo
\echo '| part | case | variant | median | least | most | rounds |'
\echo '| --- | --- | --- | --- | --- | --- | --- |'
SELECT format('| %s | %s | %s | %s | %s | %s | %s |', part, task, variant,
    pg_temp.shown(percentile_cont(0.5) WITHIN GROUP (ORDER BY value)),
    pg_temp.shown(min(value)), pg_temp.shown(max(value)), count(*))
FROM figure GROUP BY part, task, variant
ORDER BY min(ctid), part, task, variant;
