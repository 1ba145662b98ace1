-- What timers will do, and how far a change of their rules is.

CREATE FUNCTION pool.explain_reclaim(
    lead bigint, OUT rule text, OUT action text, OUT test text,
    OUT passed boolean, OUT due_at timestamptz, OUT detail text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_explain_reclaim'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION pool.explain_reclaim(bigint) IS
'What the timers of its pool say of a lead now: for each rule, by id, the tests a tick would make, in its order, and when the rule is due as things are; no rows for whoever may not see the lead. Tests: applies (its basis fits the state of the lead; the rest only then), condition, not escalated yet (in this spell), unprotected (protected_until is over), due, and when it is due notice (it was warned of in time, where notice_required) and first (of those that reclaim, move or archive now it is the one that acts). A tick does what passes all of its tests. Errors: 22004.';

CREATE VIEW pool.stat_recheck WITH (security_barrier) AS
SELECT p.id AS pool_id, p.name AS pool, m.id AS member_id, m.key AS member,
    CASE WHEN r.todo IS NOT NULL THEN greatest(r.todo - r.done, 0) END
        AS to_do,
    r.done, r.since,
    round(least(r.done, r.todo)::numeric / nullif(r.todo, 0), 4)
        AS done_share,
    p.tenant_id
FROM pool.timer_recheck r
JOIN pool.pool p ON p.id = r.pool_id
LEFT JOIN pool.member m ON m.id = r.member_id
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v));

COMMENT ON VIEW pool.stat_recheck IS
    'Changes of timer rules, calendars and absences that are not yet in '
    'force for all the leads they touch: ticks compute their timers anew in '
    'chunks. No rows: all are in force. What is not done yet acts by the '
    'older timers, at most too late.';
COMMENT ON COLUMN pool.stat_recheck.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_recheck.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_recheck.member_id IS
    'Member whose leads are concerned (id); NULL = all leads of the pool.';
COMMENT ON COLUMN pool.stat_recheck.member IS 'Key of that member.';
COMMENT ON COLUMN pool.stat_recheck.to_do IS
    'Leads that are still to be looked at; NULL = not begun.';
COMMENT ON COLUMN pool.stat_recheck.done IS 'Leads that have been looked at.';
COMMENT ON COLUMN pool.stat_recheck.since IS 'When the last change was made.';
COMMENT ON COLUMN pool.stat_recheck.done_share IS
    'round(done / (done + to_do), 4); NULL at zero and before it has begun.';
COMMENT ON COLUMN pool.stat_recheck.tenant_id IS 'Tenant (id).';

-- A check of verify().
CREATE VIEW pool.verify_absence AS
SELECT format('member %s', m.id) AS object,
    format('is %s, but has %s absences without end', m.status,
        count(a.member_id)) AS message
FROM pool.member m
LEFT JOIN pool.absence a ON a.member_id = m.id AND a.ended_at IS NULL
GROUP BY m.id
HAVING count(a.member_id) <> (m.status = 'away')::integer
UNION ALL
SELECT format('member %s', a.member_id),
    format('the absences of %s and %s overlap', a.started_at, b.started_at)
FROM pool.absence a
JOIN pool.absence b ON b.member_id = a.member_id
    AND b.started_at > a.started_at
    AND b.started_at < coalesce(a.ended_at, 'infinity')
UNION ALL
SELECT format('member %s', a.member_id), 'has absences, but does not exist'
FROM pool.absence a
WHERE NOT EXISTS (SELECT FROM pool.member m WHERE m.id = a.member_id);

COMMENT ON VIEW pool.verify_absence IS
    'A check of verify(): a member has an absence without end if and only if '
    'he is away, and no two of his overlap.';
COMMENT ON COLUMN pool.verify_absence.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_absence.message IS 'What is wrong with it.';
