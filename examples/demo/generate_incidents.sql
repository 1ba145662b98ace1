-- Cases of three to nine rows, each of which may change the owner.  Wants the
-- variable cases.
INSERT INTO demo.incident_event (number, incident_state, sys_mod_count,
    caller_id, opened_at, sys_updated_at, contact_type, category, priority,
    assignment_group, assigned_to)
WITH RECURSIVE step AS (
    SELECT i AS case_no, 1 AS n,
        3 + (demo.draw(i, 'rows') ^ 2 * 6)::int AS rows,
        timestamp '2016-02-29 08:00' + i * interval '25 minutes' AS at,
        (1 + demo.draw(i, 'team') ^ 2 * 60)::int AS team,
        CASE WHEN demo.draw(i, 'owned') < .71
             THEN (1 + demo.draw(i, 'member') * 200)::int END AS member
    FROM generate_series(1, :cases) i
    UNION ALL
    SELECT case_no, n + 1, rows,
        at + demo.draw(case_no * 100 + n, 'wait') ^ 4 * interval '5 days',
        CASE WHEN r.change < .1 THEN (1 + r.other * 60)::int ELSE team END,
        CASE WHEN member IS NULL AND r.change < .5
                  OR member IS NOT NULL AND r.change < .03
             THEN (1 + r.other * 200)::int
             WHEN r.change BETWEEN .03 AND .055 THEN NULL
             ELSE member END
    FROM step
    CROSS JOIN LATERAL (SELECT demo.draw(case_no * 100 + n, 'change') AS change,
        demo.draw(case_no * 100 + n, 'other') AS other) r
    WHERE n < rows
)
SELECT 'INC' || to_char(case_no, 'FM0000000'),
    CASE WHEN n = rows THEN 'Closed' WHEN n = rows - 1 THEN 'Resolved'
         WHEN n = 1 THEN 'New' ELSE 'Active' END,
    n - 1, 'Caller ' || (1 + demo.draw(case_no, 'caller') * 1000)::int,
    to_char(min(at) OVER (PARTITION BY case_no), 'FMDD/FMMM/YYYY HH24:MI'),
    to_char(at, 'FMDD/FMMM/YYYY HH24:MI'),
    demo.pick(demo.draw(case_no, 'contact'), '{.99,.997}',
        '{Phone,Self service,Email}'),
    'Category ' || (1 + demo.draw(case_no, 'category') * 57)::int,
    demo.pick(demo.draw(case_no, 'priority'), '{.93,.97,.99}',
        '{3 - Moderate,4 - Low,2 - High,1 - Critical}'),
    'Group ' || team, 'Resolver ' || member
FROM step
ORDER BY case_no, n;
