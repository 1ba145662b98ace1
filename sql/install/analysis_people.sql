-- Views for analysis: what members do.  See analysis.sql.

CREATE VIEW pool.stat_fairness WITH (security_barrier) AS
SELECT g.pool, g.member, g.received, g.claimed, g.assigned, g.weight,
    g.pool_received::bigint AS pool_received,
    round(g.share, 4) AS entitled_share,
    round(g.received::numeric / nullif(g.pool_received, 0), 4)
        AS received_share,
    round(g.received - g.share * g.pool_received, 2) AS deviation,
    round(g.sum_x * g.sum_x / nullif(g.n * g.sum_xx, 0), 4) AS jain_index,
    round(2 * g.sum_rank_x / nullif(g.n * g.sum_x, 0)
        - (g.n + 1)::numeric / nullif(g.n, 0), 4) AS gini,
    g.last_received_at,
    extract(epoch FROM pool.clock() - g.last_received_at)::bigint
        AS waiting_seconds,
    g.claimed_priority, g.assigned_priority, g.held, g.idle,
    round(g.idle::numeric / nullif(g.held, 0), 4) AS hoarding,
    g.pool_id, g.member_id, g.tenant_id
FROM (
    SELECT q.*,
        q.weight / nullif(sum(q.weight) OVER w, 0) AS share,
        sum(q.received) OVER w AS pool_received,
        count(q.x) OVER w AS n, sum(q.x) OVER w AS sum_x,
        sum(q.x * q.x) OVER w AS sum_xx, sum(q.rank * q.x) OVER w AS sum_rank_x
    FROM (
        SELECT b.*,
            row_number() OVER (PARTITION BY b.pool_id, b.x IS NULL
                               ORDER BY b.x, b.member_id) AS rank
        FROM (
            SELECT p.name AS pool, m.key AS member, p.id AS pool_id,
                m.id AS member_id, p.tenant_id,
                CASE WHEN m.status = 'active' THEN a.weight ELSE 0 END
                    AS weight,
                coalesce(c.held, 0) AS held,
                coalesce(x.received, 0) AS received,
                coalesce(x.claimed, 0) AS claimed,
                coalesce(x.assigned, 0) AS assigned,
                x.last_received_at, x.claimed_priority, x.assigned_priority,
                CASE WHEN m.status = 'active' AND a.weight > 0
                    THEN coalesce(x.received, 0) / a.weight END AS x,
                coalesce(i.idle, 0) AS idle
            FROM pool.pool p
            JOIN (
                SELECT k.pool_id, k.member_id, k.weight
                FROM pool.membership k
                WHERE k.role IN ('member', 'manager')
                UNION ALL
                SELECT z.id, y.id, 1
                FROM pool.pool z
                JOIN pool.member y ON y.tenant_id = z.tenant_id
                WHERE z.everyone AND y.status <> 'left'
                    AND NOT EXISTS (
                        SELECT FROM pool.membership k
                        WHERE k.pool_id = z.id AND k.member_id = y.id)
            ) a ON a.pool_id = p.id
            JOIN pool.member m ON m.id = a.member_id
            LEFT JOIN pool.membership_state c
                ON c.pool_id = p.id AND c.member_id = m.id
            LEFT JOIN (
                SELECT e.pool_id, e.member_id, count(*) AS received,
                    count(*) FILTER (WHERE e.kind = 'claimed') AS claimed,
                    count(*) FILTER (WHERE e.kind <> 'claimed') AS assigned,
                    max(e.at) AS last_received_at,
                    round(avg(s.priority) FILTER (WHERE e.kind = 'claimed'),
                        2) AS claimed_priority,
                    round(avg(s.priority) FILTER (WHERE e.kind <> 'claimed'),
                        2) AS assigned_priority
                FROM pool.event e
                JOIN pool.lead_state s ON s.id = e.lead_id
                WHERE e.kind IN ('claimed', 'assigned', 'transferred')
                    AND e.at > (SELECT pool.clock()) - interval '28 days'
                    AND NOT coalesce(e.detail ? 'undo', false)
                GROUP BY e.pool_id, e.member_id
            ) x ON x.pool_id = p.id AND x.member_id = m.id
            LEFT JOIN (
                SELECT s.pool_id, s.owner_id, count(*) AS idle
                FROM pool.lead_state s
                LEFT JOIN (
                    SELECT r.pool_id, min(r.after) AS after
                    FROM pool.timer_rule r
                    WHERE r.enabled AND r.action = 'reclaim'
                        AND r.basis = 'follow_up'
                    GROUP BY r.pool_id
                ) t ON t.pool_id = s.pool_id
                WHERE s.owner_id IS NOT NULL
                    AND greatest(s.owned_at, s.last_follow_up_at)
                        < (SELECT pool.clock())
                            - coalesce(t.after, '14 days') / 2
                GROUP BY s.pool_id, s.owner_id
            ) i ON i.pool_id = p.id AND i.owner_id = m.id
            WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
        ) b
    ) q
    WINDOW w AS (PARTITION BY q.pool_id)
) g;
COMMENT ON VIEW pool.stat_fairness IS
    'Every pool and member who may take leads: what he received in the last '
    '28 * 24 hours beside what his weight entitles him to. Jain''s index '
    'and the Gini coefficient are those of the pool, over received / weight '
    'of its active members with a weight.';
COMMENT ON COLUMN pool.stat_fairness.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_fairness.member IS 'Key of the member.';
COMMENT ON COLUMN pool.stat_fairness.received IS
    'Leads he claimed, was assigned or got by transfer; undone runs aside.';
COMMENT ON COLUMN pool.stat_fairness.claimed IS 'Those of them he claimed.';
COMMENT ON COLUMN pool.stat_fairness.assigned IS
    'Those of them given to him, by a rule or a manager.';
COMMENT ON COLUMN pool.stat_fairness.weight IS
    'His weight; 0 while he is not active.';
COMMENT ON COLUMN pool.stat_fairness.pool_received IS
    'Leads all of them received.';
COMMENT ON COLUMN pool.stat_fairness.entitled_share IS
    'round(weight / sum of the weights of the pool, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.received_share IS
    'round(received / pool_received, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.deviation IS
    'received - entitled share * pool_received, in leads, rounded to 2 '
    'places.';
COMMENT ON COLUMN pool.stat_fairness.jain_index IS
    '(sum x)^2 / (n * sum x^2), x = received / weight; 1 = equal, 1 / n = one '
    'got all; NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.gini IS
    '2 * sum(rank * x) / (n * sum x) - (n + 1) / n, x in ascending order; 0 '
    '= equal; NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.last_received_at IS
    'When he received the last one; NULL = none in that time.';
COMMENT ON COLUMN pool.stat_fairness.waiting_seconds IS 'Seconds since then.';
COMMENT ON COLUMN pool.stat_fairness.claimed_priority IS
    'Average present priority of the leads he claimed: much above '
    'assigned_priority means that he picks the best; NULL = none.';
COMMENT ON COLUMN pool.stat_fairness.assigned_priority IS
    'The same of those given to him.';
COMMENT ON COLUMN pool.stat_fairness.held IS
    'Leads he holds now; denominator of hoarding.';
COMMENT ON COLUMN pool.stat_fairness.idle IS
    'Those of them without a follow-up for half the time after which the '
    'pool reclaims them (the shortest after of its rules of basis follow_up, '
    'conditions and working time aside; 7 days where it has none); numerator '
    'of hoarding.';
COMMENT ON COLUMN pool.stat_fairness.hoarding IS
    'round(idle / held, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_fairness.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_fairness.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_fairness.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.gaming WITH (security_barrier) AS
SELECT g.pattern, p.name AS pool, m.key AS member, o.key AS other_member,
    g.lead_id, g.times, g.last_at, p.id AS pool_id, g.member_id, p.tenant_id
FROM (
    SELECT 'claim_and_return' AS pattern, s.pool_id, s.member_id,
        NULL::integer AS other_id, s.lead_id, count(*) AS times,
        max(s.ended_at) AS last_at
    FROM pool.spell s
    WHERE s.began_by = 'claimed' AND s.ended_by = 'released'
        AND s.ended_at > (SELECT pool.clock()) - interval '30 days'
    GROUP BY s.pool_id, s.member_id, s.lead_id
    HAVING count(*) >= 2
    UNION ALL
    SELECT 'swap', e.pool_id, least(e.member_id, x.from_id),
        greatest(e.member_id, x.from_id), e.lead_id, count(*), max(e.at)
    FROM pool.event e
    CROSS JOIN LATERAL (
        SELECT (e.detail ->> 'from')::integer AS from_id) x
    WHERE e.kind = 'transferred'
        AND e.at > (SELECT pool.clock()) - interval '30 days'
    GROUP BY e.pool_id, least(e.member_id, x.from_id),
        greatest(e.member_id, x.from_id), e.lead_id
    HAVING count(DISTINCT e.member_id) = 2
    UNION ALL
    SELECT 'last_minute', f.pool_id, f.member_id, NULL, NULL, count(*),
        max(f.at)
    FROM pool.event f
    WHERE f.kind = 'followed_up'
        AND f.at > (SELECT pool.clock()) - interval '30 days'
        AND EXISTS (
            SELECT FROM pool.event r
            WHERE r.lead_id = f.lead_id AND r.kind = 'reminded'
                AND r.id < f.id AND r.member_id = f.member_id
                AND f.at BETWEEN (r.detail ->> 'due_at')::timestamptz
                        - interval '2 hours'
                    AND (r.detail ->> 'due_at')::timestamptz)
    GROUP BY f.pool_id, f.member_id
    HAVING count(*) >= 3
    UNION ALL
    SELECT 'instant_claim', c.pool_id, c.member_id, NULL, NULL, count(*),
        max(c.at)
    FROM pool.event c
    WHERE c.kind = 'claimed'
        AND c.at > (SELECT pool.clock()) - interval '30 days'
        AND EXISTS (
            SELECT FROM pool.event n
            WHERE n.lead_id = c.lead_id AND n.id < c.id
                AND n.kind IN ('entered', 'released', 'reclaimed', 'reopened',
                               'moved')
                AND n.at > c.at - interval '1 second')
    GROUP BY c.pool_id, c.member_id
    HAVING count(*) >= 3
    UNION ALL
    SELECT 'follow_up_burst', b.pool_id, b.member_id, NULL, NULL,
        max(b.times), max(b.last_at)
    FROM (
        SELECT f.pool_id, f.member_id, count(*) AS times, max(f.at) AS last_at
        FROM pool.event f
        WHERE f.kind = 'followed_up'
            AND f.at > (SELECT pool.clock()) - interval '30 days'
        GROUP BY f.pool_id, f.member_id, date_trunc('minute', f.at)
        HAVING count(*) >= 10
    ) b
    GROUP BY b.pool_id, b.member_id
) g
JOIN pool.pool p ON p.id = g.pool_id
LEFT JOIN pool.member m ON m.id = g.member_id
LEFT JOIN pool.member o ON o.id = g.other_id
WHERE g.pool_id = ANY (ARRAY(SELECT k.pool_id FROM pool.managed_pool k))
    OR ((SELECT pool.current_member_id()) IS NULL
        AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v)));
COMMENT ON VIEW pool.gaming IS
    'Patterns in the last 30 * 24 hours that may mean that somebody is gaming '
    'the rules. They prove nothing, but are worth a look.';
COMMENT ON COLUMN pool.gaming.pattern IS
    'claim_and_return = the same lead claimed and released twice or more; '
    'swap = a lead passed to and fro between two members; last_minute = '
    'three or more follow-ups within 2 hours before a deadline that was '
    'warned of; instant_claim = three or more claims within a second of the '
    'lead becoming available; follow_up_burst = ten or more follow-ups '
    'within one minute.';
COMMENT ON COLUMN pool.gaming.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.gaming.member IS 'Key of the member.';
COMMENT ON COLUMN pool.gaming.other_member IS
    'Key of the other one, of a swap.';
COMMENT ON COLUMN pool.gaming.lead_id IS 'Lead, if it is about one.';
COMMENT ON COLUMN pool.gaming.times IS
    'How often; of a burst, the follow-ups of the fullest minute.';
COMMENT ON COLUMN pool.gaming.last_at IS 'When last.';
COMMENT ON COLUMN pool.gaming.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.gaming.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.gaming.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.assignment_public WITH (security_barrier) AS
SELECT p.name AS pool, s.day, m.key AS member, sum(s.claimed) AS claimed,
    sum(s.assigned) AS assigned, sum(s.received) AS transferred,
    p.id AS pool_id
FROM pool.pool p
JOIN (
    -- not member_sum: not all who read this may call tail_member
    SELECT r.pool_id, r.member_id, r.day, r.claimed, r.assigned, r.received
    FROM pool.rollup_member r
    UNION ALL
    SELECT e.pool_id, e.member_id, e.day, e.claimed, e.assigned, e.received
    FROM pool.event_member_fact e
    WHERE e.is_tail
) s ON s.pool_id = p.id
JOIN pool.member m ON m.id = s.member_id
WHERE (p.id = ANY (ARRAY(
        SELECT o.pool_id FROM pool.own_membership o
        UNION ALL
        SELECT g.pool_id FROM pool.managed_pool g))
    OR ((SELECT pool.current_member_id()) IS NULL
        AND p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))))
GROUP BY p.id, s.day, m.key
HAVING sum(s.claimed) + sum(s.assigned) + sum(s.received) > 0;
COMMENT ON VIEW pool.assignment_public IS
    'Who got how many leads, day by day, for every member of the pool to '
    'see: nothing of the leads themselves.';
COMMENT ON COLUMN pool.assignment_public.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.assignment_public.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.assignment_public.member IS 'Key of the member.';
COMMENT ON COLUMN pool.assignment_public.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.assignment_public.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.assignment_public.transferred IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.assignment_public.pool_id IS 'Pool (id).';
