-- What verify() looks at of leads, counters and what belongs to them: see
-- verify.sql.

-- Counters ------------------------------------------------------------

CREATE VIEW pool.verify_counter_held AS
SELECT format('membership (pool %s, member %s)', c.pool_id, c.member_id)
        AS object,
    format('held is %s, but %s leads are owned', c.held, coalesce(o.held, 0))
        AS message
FROM pool.membership_state c
LEFT JOIN (
    SELECT s.pool_id, s.owner_id, count(*) AS held
    FROM pool.lead_state s
    WHERE s.owner_id IS NOT NULL
    GROUP BY s.pool_id, s.owner_id
) o ON o.pool_id = c.pool_id AND o.owner_id = c.member_id
WHERE c.held <> coalesce(o.held, 0);

CREATE VIEW pool.verify_counter_missing AS
SELECT format('membership (pool %s, member %s)', n.pool_id, n.member_id)
        AS object,
    format('%s without a row in membership_state', n.what) AS message
FROM (
    SELECT m.pool_id, m.member_id, 'membership' AS what
    FROM pool.membership m
    UNION ALL
    SELECT DISTINCT s.pool_id, s.owner_id, 'owner'
    FROM pool.lead_state s
    WHERE s.owner_id IS NOT NULL
) n
WHERE NOT EXISTS (
    SELECT FROM pool.membership_state c
    WHERE c.pool_id = n.pool_id AND c.member_id = n.member_id);

CREATE VIEW pool.verify_counter_status AS
SELECT format('membership (pool %s, member %s)', n.pool_id, n.member_id)
        AS object,
    format('status is %s, should be %s', n.status, n.expected) AS message
FROM (
    SELECT c.pool_id, c.member_id, c.status,
        CASE WHEN a.member_id IS NOT NULL OR (p.everyone
                AND p.tenant_id = m.tenant_id)
            THEN m.status ELSE 'removed' END AS expected
    FROM pool.membership_state c
    LEFT JOIN pool.member m ON m.id = c.member_id
    LEFT JOIN pool.pool p ON p.id = c.pool_id
    LEFT JOIN pool.membership a
        ON a.pool_id = c.pool_id AND a.member_id = c.member_id
) n
WHERE n.status IS DISTINCT FROM n.expected;

CREATE VIEW pool.verify_counter_limit AS
SELECT format('membership (pool %s, member %s)', c.pool_id, c.member_id)
        AS object,
    format('member_limit is %s, should be %s',
        coalesce(c.member_limit::text, 'none'),
        coalesce(m.hold_limit::text, 'none')) AS message
FROM pool.membership_state c
JOIN pool.member m ON m.id = c.member_id
WHERE c.member_limit IS DISTINCT FROM m.hold_limit;

CREATE VIEW pool.verify_counter_claimed AS
SELECT format('membership (pool %s, member %s)', n.pool_id, n.member_id)
        AS object,
    format('claimed is %s, but the log has %s claims of the day',
        n.claimed, n.counted) AS message
FROM (
    SELECT c.pool_id, c.member_id, c.claimed, count(e.id) AS counted
    FROM pool.membership_state c
    LEFT JOIN pool.event e
        ON e.kind = 'claimed' AND e.pool_id = c.pool_id
            AND e.member_id = c.member_id AND e.id >= c.day_event
    WHERE c.day_until IS NULL
        OR c.day_until - '72 hours'::interval >= coalesce(
            (SELECT h.before FROM pool.purge_horizon h), '-infinity')
    GROUP BY c.pool_id, c.member_id
) n
WHERE n.claimed <> n.counted;

-- A lead and its group may be of different scopes only after a move.
CREATE VIEW pool.verify_groups AS
SELECT format('identity group %s', coalesce(g.id, s.group_id)) AS object,
    CASE WHEN g.id IS NULL THEN 'leads refer to a group that does not exist'
        WHEN s.group_id IS NULL THEN 'a group without leads'
        WHEN s.owners > 1 THEN format('%s members own leads of it', s.owners)
        WHEN s.tenants > 1 OR s.tenant_id <> g.tenant_id
        THEN 'leads of several tenants'
        ELSE format('owner is %s with %s held, but %s owns %s',
            coalesce(g.owner_id::text, 'nobody'), g.held,
            coalesce(s.owner_id::text, 'nobody'), s.held)
    END AS message
FROM pool.identity_group g
FULL JOIN (
    SELECT l.group_id, count(l.owner_id) AS held,
        count(DISTINCT l.owner_id) AS owners, max(l.owner_id) AS owner_id,
        count(DISTINCT l.tenant_id) AS tenants, max(l.tenant_id) AS tenant_id
    FROM pool.lead_state l
    WHERE l.group_id IS NOT NULL
    GROUP BY l.group_id
) s ON s.group_id = g.id
WHERE g.id IS NULL OR s.group_id IS NULL OR s.owners > 1 OR s.tenants > 1
    OR s.tenant_id <> g.tenant_id OR s.held <> g.held
    OR s.owner_id IS DISTINCT FROM g.owner_id;

-- Leads ---------------------------------------------------------------

CREATE VIEW pool.verify_rule_version AS
SELECT coalesce(c.rule, v.rule) || ' ' || coalesce(c.rule_id, v.rule_id)
        || ' of pool ' || coalesce(c.pool_id, v.pool_id) AS object,
    CASE WHEN v.rule IS NULL THEN 'has no version in force'
        WHEN c.rule IS NULL THEN 'has a version in force, but no row'
        ELSE 'version ' || v.version || ' does not say what the row says' END
        AS message
FROM (
    SELECT 'pool' AS rule, x.id AS pool_id, x.id AS rule_id,
        to_jsonb(x) AS said
    FROM pool.pool x
    UNION ALL
    SELECT 'membership', x.pool_id, x.member_id, to_jsonb(x)
    FROM pool.membership x
    UNION ALL
    SELECT 'timer_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.timer_rule x
    UNION ALL
    SELECT 'claim_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.claim_rule x
    UNION ALL
    SELECT 'entry_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.entry_rule x
    UNION ALL
    SELECT 'score_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.score_rule x
    UNION ALL
    SELECT 'routing_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.routing_rule x
    UNION ALL
    SELECT 'approval_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.approval_rule x
    UNION ALL
    SELECT 'reward_rule', x.pool_id, x.id, to_jsonb(x)
    FROM pool.reward_rule x
    UNION ALL
    SELECT 'dictionary', x.pool_id, x.id, to_jsonb(x)
    FROM pool.dictionary x
) c
FULL JOIN (
    SELECT o.rule, o.pool_id, o.rule_id, o.version, o."row"
    FROM pool.rule_version o
    WHERE o.valid_to IS NULL
) v ON v.rule = c.rule AND v.pool_id = c.pool_id AND v.rule_id = c.rule_id
WHERE v."row" IS DISTINCT FROM c.said
UNION ALL
SELECT g.rule || ' ' || g.rule_id || ' of pool ' || g.pool_id,
    'version ' || g.version || ' does not follow the one before'
FROM (
    SELECT v.rule, v.pool_id, v.rule_id, v.version, v.valid_from,
        lag(v.valid_to, 1, '-infinity') OVER w AS ended_at,
        lag(v.version, 1, 0) OVER w AS before
    FROM pool.rule_version v
    WINDOW w AS (PARTITION BY v.rule, v.pool_id, v.rule_id
                 ORDER BY v.version)
) g
WHERE g.version <> g.before + 1
    OR g.ended_at IS NULL OR g.ended_at > g.valid_from;

CREATE VIEW pool.verify_run_count AS
SELECT 'run ' || r.id AS object,
    'has done ' || r.done || ', its leads say ' || count(l.event_id)
        AS message
FROM pool.run r
JOIN pool.run_lead l ON l.run_id = r.id
WHERE r.kind IN ('reclaim', 'plan', 'undo')
GROUP BY r.id
HAVING r.done <> count(l.event_id)
UNION ALL
SELECT 'run ' || l.run_id || ', lead ' || l.lead_id,
    'names event ' || l.event_id || ', which is another lead''s'
FROM pool.run_lead l
JOIN pool.lead_state s ON s.id = l.lead_id
WHERE l.event_id IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pool.event e
        WHERE e.lead_id = l.lead_id AND e.id = l.event_id)
    AND NOT EXISTS (SELECT FROM pool.purge_horizon)
UNION ALL
SELECT 'run ' || r.id,
    'has done ' || r.done || ', its events are ' || count(e.id)
FROM pool.run r
LEFT JOIN pool.event e
    ON e.generation = (r.detail ->> 'generation')::integer
        AND e.xid = (r.detail ->> 'xid')::xid8
        AND e.id BETWEEN (r.detail ->> 'first_event')::bigint
            AND (r.detail ->> 'last_event')::bigint
        AND e.kind = 'reclaimed' AND e.rule_id IS NOT NULL
        AND coalesce((e.detail ->> 'from_pool')::integer, e.pool_id)
            = r.pool_id
WHERE r.detail ? 'first_event'
    AND NOT EXISTS (SELECT FROM pool.purge_horizon)
GROUP BY r.id
HAVING r.done <> count(e.id);

CREATE VIEW pool.verify_lead_status AS
SELECT format('lead %s', s.id) AS object,
    format('status %s does not fit its owner, queue place or times', s.status)
        AS message
FROM pool.lead_state s
WHERE NOT coalesce(
    (s.status = 'owned') = (s.owner_id IS NOT NULL)
    AND (s.status = 'available') = (s.ticket IS NOT NULL)
    AND (s.status IN ('converted', 'archived')) = (s.closed_at IS NOT NULL)
    AND (s.status <> 'owned' OR (s.owned_at IS NOT NULL
            AND s.chain_at <= s.owned_at AND s.claims > 0))
    AND (s.status NOT IN ('available', 'review') OR s.owned_at IS NULL)
    AND s.status IN ('review', 'available', 'owned', 'converted', 'archived'),
    false);

CREATE VIEW pool.verify_lead_orphan AS
SELECT format('lead %s', coalesce(s.id, d.id)) AS object,
    format('lead without a row in %s',
        CASE WHEN s.id IS NULL THEN 'lead_state' ELSE 'lead_data' END)
        AS message
FROM pool.lead_state s
FULL JOIN pool.lead_data d ON d.id = s.id
WHERE s.id IS NULL OR d.id IS NULL;

CREATE VIEW pool.verify_owner_known AS
SELECT format('lead %s', s.id) AS object,
    CASE WHEN p.id IS NULL
        THEN format('pool %s does not exist', s.pool_id)
        WHEN s.owner_id IS NOT NULL AND o.id IS NULL
        THEN format('owner %s does not exist', s.owner_id)
        ELSE format('last owner %s does not exist', s.last_owner_id)
    END AS message
FROM pool.lead_state s
LEFT JOIN pool.pool p ON p.id = s.pool_id
LEFT JOIN pool.member o ON o.id = s.owner_id
LEFT JOIN pool.member l ON l.id = s.last_owner_id
WHERE p.id IS NULL
    OR (s.owner_id IS NOT NULL AND o.id IS NULL)
    OR (s.last_owner_id IS NOT NULL AND l.id IS NULL);

CREATE VIEW pool.verify_identity_orphan AS
SELECT format('identity of kind %s', i.kind) AS object,
    format('lead %s does not exist', i.lead_id) AS message
FROM pool.identity i
WHERE NOT EXISTS (SELECT FROM pool.lead_data d WHERE d.id = i.lead_id);

CREATE VIEW pool.verify_reservations AS
SELECT format('lead %s', s.id) AS object,
    format('reserved for member %s without an open request',
        s.reserved_for) AS message
FROM pool.lead_state s
WHERE s.reserved_for IS NOT NULL
    -- his own reservation has an end
    AND (s.status <> 'available' OR s.hidden_until IS NULL
        OR s.hidden_until = 'infinity' AND NOT EXISTS (
        SELECT FROM pool.approval a
        WHERE a.lead_id = s.id AND a.status = 'open'
            AND a.action IN ('claim', 'assign')
            AND a.member_id = s.reserved_for))
UNION ALL
SELECT format('approval %s', a.id),
    format('open, but lead %s is not reserved for member %s', s.id,
        a.member_id)
FROM pool.approval a
JOIN pool.lead_state s ON s.id = a.lead_id
WHERE a.status = 'open' AND a.action = 'claim'
    AND s.status = 'available' AND s.pool_id = a.pool_id
    AND s.claims = a.claims AND s.entered_at < a.created_at
    AND (a.expires_at IS NULL OR a.expires_at > (SELECT pool.clock()))
    AND s.reserved_for IS DISTINCT FROM a.member_id;

CREATE VIEW pool.verify_tenant_mixed AS
SELECT format('lead %s', s.id) AS object,
    format('tenants: lead %s and %s, pool %s, owner %s',
        s.tenant_id, d.tenant_id, p.tenant_id, m.tenant_id) AS message
FROM pool.lead_state s
LEFT JOIN pool.lead_data d ON d.id = s.id
LEFT JOIN pool.pool p ON p.id = s.pool_id
LEFT JOIN pool.member m ON m.id = s.owner_id
WHERE d.tenant_id <> s.tenant_id OR p.tenant_id <> s.tenant_id
    OR m.tenant_id <> s.tenant_id
UNION ALL
SELECT format('identity of kind %s', i.kind),
    format('tenants: identity %s, lead %s (id %s)',
        i.tenant_id, d.tenant_id, d.id)
FROM pool.identity i
JOIN pool.lead_data d ON d.id = i.lead_id
WHERE d.tenant_id <> i.tenant_id
UNION ALL
SELECT format('event %s', e.id),
    format('tenants: event %s, lead %s (id %s)',
        e.tenant_id, s.tenant_id, s.id)
FROM pool.event e
JOIN pool.lead_state s ON s.id = e.lead_id
WHERE s.tenant_id <> e.tenant_id
UNION ALL
SELECT format('membership (pool %s, member %s)', c.pool_id, c.member_id),
    format('tenants: counter %s, pool %s, member %s',
        c.tenant_id, p.tenant_id, m.tenant_id)
FROM pool.membership_state c
LEFT JOIN pool.pool p ON p.id = c.pool_id
LEFT JOIN pool.member m ON m.id = c.member_id
WHERE p.tenant_id <> c.tenant_id OR m.tenant_id <> c.tenant_id
UNION ALL
SELECT format('member %s', c.member_id),
    format('tenants: lock %s, member %s', c.tenant_id, m.tenant_id)
FROM pool.member_state c
JOIN pool.member m ON m.id = c.member_id
WHERE m.tenant_id <> c.tenant_id;

CREATE VIEW pool.verify_collaborator AS
SELECT format('collaborator (lead %s, member %s)', c.lead_id, c.member_id)
        AS object,
    CASE WHEN s.owner_id IS NULL THEN 'the lead is not owned'
        WHEN s.owner_id = c.member_id THEN 'he is the owner'
        ELSE 'the lead or the member is of another tenant'
    END AS message
FROM pool.collaborator c
LEFT JOIN pool.lead_state s ON s.id = c.lead_id
LEFT JOIN pool.member m ON m.id = c.member_id
WHERE s.owner_id IS NULL OR s.owner_id = c.member_id
    OR s.tenant_id <> c.tenant_id
    OR m.tenant_id IS DISTINCT FROM c.tenant_id;
COMMENT ON VIEW pool.verify_counter_held IS
    'Check of level 1. The leads a membership_state row counts as held '
    'are those owned.';
COMMENT ON COLUMN pool.verify_counter_held.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_counter_held.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_counter_missing IS
    'Check of level 1. Every membership and every owner has a row in '
    'membership_state.';
COMMENT ON COLUMN pool.verify_counter_missing.object IS
    'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_counter_missing.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_counter_status IS
    'Check of level 1. The status in membership_state mirrors that of the '
    'member, or says removed.';
COMMENT ON COLUMN pool.verify_counter_status.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_counter_status.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_rule_version IS
    'Check of level 1. The version in force of every rule, pool and '
    'membership says what its row says, and versions follow one another.';
COMMENT ON COLUMN pool.verify_rule_version.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rule_version.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_run_count IS
    'Check of level 3. Every run has done what it says: its leads name '
    'events that are theirs.';
COMMENT ON COLUMN pool.verify_run_count.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_run_count.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_groups IS
    'Check of level 1. The owner of a group of leads of one customer, and how '
    'many he holds, are those of its leads.';
COMMENT ON COLUMN pool.verify_groups.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_groups.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_lead_status IS
    'Check of level 1. Status, owner, queue place and times of every lead '
    'fit together.';
COMMENT ON COLUMN pool.verify_lead_status.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_lead_status.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_owner_known IS
    'Check of level 1. Pool, owner and last owner of every lead exist.';
COMMENT ON COLUMN pool.verify_owner_known.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_owner_known.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_counter_claimed IS
    'Check of level 2. The claims of a member''s day are the claim events '
    'since the day opened.';
COMMENT ON COLUMN pool.verify_counter_claimed.object IS
    'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_counter_claimed.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_collaborator IS
    'Check of level 3. Who helps with a lead is another than its owner, '
    'and both are of its tenant.';
COMMENT ON COLUMN pool.verify_collaborator.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_collaborator.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_identity_orphan IS
    'Check of level 3. Every identity belongs to a lead.';
COMMENT ON COLUMN pool.verify_identity_orphan.object IS
    'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_identity_orphan.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_lead_orphan IS
    'Check of level 3. lead_state and lead_data have the same leads.';
COMMENT ON COLUMN pool.verify_lead_orphan.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_lead_orphan.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_reservations IS
    'Check of level 3. A lead is reserved for whom an open request says, '
    'and for nobody else.';
COMMENT ON COLUMN pool.verify_reservations.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_reservations.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_tenant_mixed IS
    'Check of level 3. A lead, its pool, owner, identities and events, '
    'and each counter and its member are of one tenant.';
COMMENT ON COLUMN pool.verify_tenant_mixed.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_tenant_mixed.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_counter_limit IS
    'Check of level 1. The limit over all pools in membership_state is that of the '
    'member.';
COMMENT ON COLUMN pool.verify_counter_limit.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_counter_limit.message IS 'What is wrong with it.';
