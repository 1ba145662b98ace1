-- What verify() looks at: one view per check, empty when all is well.
--
-- pool.verification lists the checks: 1 = counters, cheap; 2 = the history of
-- every lead; 3 = everything else.  pool.verify(level) runs the views
-- pool.verify_<name> of its level and below, in one snapshot, as the owner of
-- the extension.  Objects and messages name ids only, never personal data.

CREATE VIEW pool.verification AS
SELECT v.name, v.level, v.meaning, v.remedy
FROM (VALUES
    ('absence', 1,
        'A member has an absence without end if and only if he is away, and '
        'no two of his overlap.',
        'Timers that stand still count wrongly; end or delete the row of '
        'pool.absence, then set pause_when_away off and on.'),
    ('counter_held', 1,
        'The leads a membership_state row counts as held are those owned.',
        'Nobody but the library may write lead_state and membership_state; '
        'restore held from a recount and find out who wrote.'),
    ('counter_limit', 1,
        'The limit over all pools in membership_state is that of the member.',
        'UPDATE pool.member SET hold_limit = hold_limit WHERE id = the '
        'member''s: the trigger copies it.'),
    ('counter_missing', 1,
        'Every membership and every owner has a row in membership_state.',
        'Insert the missing row, held being a recount.'),
    ('counter_status', 1,
        'The status in membership_state mirrors that of the member, or says '
        'removed.',
        'UPDATE pool.member SET status = status WHERE id = the member''s: '
        'the trigger copies it.'),
    ('groups', 1,
        'The owner of a group of leads of one customer, and how many he '
        'holds, are those of its leads.',
        'Nobody but the library may write lead_state and identity_group; '
        'restore owner_id and held from a recount.'),
    ('lead_status', 1,
        'Status, owner, queue place and times of every lead fit together.',
        'The CHECK of lead_state was dropped or bypassed; compare with the '
        'history of the lead.'),
    ('owner_known', 1,
        'Pool, owner and last owner of every lead exist.',
        'Create the row anew with the same id, or transfer the lead.'),
    ('rule_version', 1,
        'The version in force of every rule, pool and membership says what '
        'its row says, and versions follow one another.',
        'UPDATE the row setting a column to itself: the trigger writes the '
        'version that is missing.'),
    ('rollup_stock', 1,
        'The stock that the statistics add up for each pool is that of '
        'lead_state.',
        'If rollup_day and lead_replay are silent, an event is missing; '
        'otherwise see there.'),
    ('triggers', 1,
        'Every trigger of the extension exists and is enabled as it was '
        'created.',
        'Run the ALTER that the message ends with; where one does not exist, '
        'create it as the script of the extension does. Then look what the '
        'other checks say of the time without it.'),
    ('counter_claimed', 2,
        'The claims of a member''s day are the claim events since the day '
        'opened.',
        'Restore claimed from a recount of the events from day_event on.'),
    ('event_chain', 2,
        'Every event starts from the status and the pool that the one '
        'before left.',
        'The log was written around the library, or restored in part.'),
    ('event_order', 2,
        'The times of the events that change one lead never step back.',
        'The clock of the server or pool_ext.clock was set back; durations '
        'across it are wrong.'),
    ('lead_replay', 2,
        'Status, owner, pool and number of spells of every lead are what '
        'its events say.',
        'Nobody but the library may write lead_state and event; decide by '
        'the history which one is right.'),
    ('spell_open', 2,
        'The open spell in the log began and was followed up as the lead '
        'says.',
        'As for lead_replay.'),
    ('spell_overlap', 2,
        'No spell of a lead begins while another runs, and only the running '
        'one ends.',
        'As for event_chain.'),
    ('collaborator', 3,
        'Who helps with a lead is another than its owner, and both are of '
        'its tenant.',
        'DELETE the row of pool.collaborator: its spell has ended.'),
    ('due', 3,
        'No timer rule acts on an open lead before the tick looks at it.',
        'Have the timers of its pool computed anew: UPDATE pool.timer_rule '
        'SET enabled = enabled WHERE pool_id = the pool''s; then tick.'),
    ('id_sequence', 3,
        'The sequences are past every id of this server and every ticket.',
        'SELECT setval() of the sequence to the number in the message, before '
        'anything is entered.'),
    ('identity_orphan', 3,
        'Every identity belongs to a lead.',
        'DELETE the identity, or it keeps its value from being entered '
        'again.'),
    ('lead_orphan', 3,
        'lead_state and lead_data have the same leads.',
        'One of the tables was restored without the other; restore both.'),
    ('reservations', 3,
        'A lead is reserved for whom an open request says, and for nobody '
        'else.',
        'Cancel or reject the request named; nobody but the library may '
        'write lead_state and approval.'),
    ('routing_served', 3,
        'Each routing rule has given each member as many leads as the log '
        'and the open suggestions say, or more where events were purged.',
        'UPDATE pool.routing_state to the number of events; only the order '
        'of turns hangs on it.'),
    ('rollup_day', 3,
        'Rolled-up days of pools are the sums of their events.',
        'Empty rollup_day, rollup_member and rollup_state in one '
        'transaction if no event was ever purged: the next tick folds all '
        'anew.'),
    ('rollup_member', 3,
        'Rolled-up days of members are the sums of their events.',
        'As for rollup_day.'),
    ('run_count', 3,
        'Every run has done what it says: its leads name events that are '
        'theirs.',
        'Nobody but the library may write run and run_lead; the events '
        'are right.'),
    ('tenant_mixed', 3,
        'A lead, its pool, owner, identities and events, and each counter '
        'and its member are of one tenant.',
        'Stop using both tenants until it is clear which lead is whose.')
) AS v(name, level, meaning, remedy);

-- Helpers -------------------------------------------------------------

-- Events that change a lead, each with what the one before left.
CREATE VIEW pool.event_step AS
SELECT e.lead_id, e.id, e.at, e.kind, e.pool_id, e.member_id, e.from_pool_id,
    e.former_id, e.state_before, e.state_after,
    lag(e.kind) OVER w AS last_kind,
    lag(e.at) OVER w AS last_at,
    lag(e.pool_id) OVER w AS last_pool_id,
    lag(e.state_after) OVER w AS last_state,
    lag(CASE WHEN e.state_after = 'owned' THEN e.member_id END) OVER w
        AS last_owner_id,
    lead(e.id) OVER w IS NULL AS is_last
FROM pool.event_effect e
WHERE e.state_after IS NOT NULL
WINDOW w AS (PARTITION BY e.lead_id ORDER BY e.id);

-- Days up to this one may have lost events to a purge, whatever the zone.
CREATE VIEW pool.purge_day AS
SELECT coalesce(max((h.before AT TIME ZONE 'UTC')::date + 1), '-infinity')
    AS day
FROM pool.purge_horizon h;

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

-- Time ----------------------------------------------------------------

CREATE FUNCTION pool.late_timer(lead_id bigint) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'pool_late_timer'
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION pool.late_timer(bigint) IS
    'When a timer rule acts on an open lead, if the tick would look at it '
    'later than that; NULL if all is well. For views.';

-- What waits to be computed anew may be late until then.
CREATE VIEW pool.verify_due AS
SELECT format('lead %s', s.id) AS object,
    format('a rule acts at %s, but check_at is %s', n.due_at,
        coalesce(s.check_at::text, 'empty')) AS message
FROM pool.lead_state s
CROSS JOIN LATERAL (SELECT pool.late_timer(s.id) AS due_at OFFSET 0) n
WHERE s.status IN ('available', 'owned', 'review') AND n.due_at IS NOT NULL
    AND EXISTS (SELECT FROM pool.timer_rule r
        WHERE r.pool_id = s.pool_id AND r.enabled
            AND (s.owner_id IS NOT NULL
                OR r.basis IN ('entry', 'creation', 'review')))
    AND NOT EXISTS (SELECT FROM pool.timer_recheck r
        WHERE r.pool_id = s.pool_id AND r.member_id IN (0, s.owner_id));

-- The machinery -------------------------------------------------------

-- Of foreign keys only whether they are off: their names are core's.
CREATE VIEW pool.verify_triggers AS
WITH letter (state, words) AS (
    VALUES ('O', 'ENABLE TRIGGER'), ('A', 'ENABLE ALWAYS TRIGGER'),
        ('R', 'ENABLE REPLICA TRIGGER')
)
SELECT format('trigger %s of pool.%s', x.name, x.relation) AS object,
    CASE WHEN t.tgenabled IS NULL THEN 'it does not exist'
        ELSE format('it is %s: ALTER TABLE pool.%I %s %I',
            CASE t.tgenabled WHEN 'D' THEN 'disabled'
                WHEN 'O' THEN 'not fired for replicated rows'
                WHEN 'R' THEN 'fired for replicated rows only'
                ELSE 'always fired' END,
            x.relation, l.words, x.name) END AS message
FROM (
    SELECT e.name, e.state, unnest(e.relations) AS relation
    FROM (VALUES
        ('check_tenant', 'O', '{tenant}'::text[]),
        ('check_pool', 'O', '{pool}'),
        ('check_member', 'O', '{member}'),
        ('check_membership', 'O', '{membership}'),
        ('check_timer_rule', 'O', '{timer_rule}'),
        ('check_rule', 'O', '{claim_rule,entry_rule,score_rule,routing_rule,'
            'approval_rule,reward_rule,dictionary}'),
        ('config_written', 'A', '{tenant,pool,member,membership,timer_rule,'
            'installation,access_grant,claim_rule,entry_rule,score_rule,'
            'routing_rule,approval_rule,reward_rule,dictionary,calendar,'
            'absence,downtime}'),
        ('config_written_by_replication', 'R', '{tenant,pool,member,'
            'membership,timer_rule,installation,access_grant,claim_rule,'
            'entry_rule,score_rule,routing_rule,approval_rule,reward_rule,'
            'dictionary,calendar,absence,downtime}'),
        ('calendar_inserted', 'O', '{calendar}'),
        ('calendar_updated', 'O', '{calendar}'),
        ('calendar_deleted', 'O', '{calendar}'),
        ('guard_event', 'O', '{event}'),
        ('guard_truncate', 'O', '{lead_state,lead_data,identity,event,'
            'request_log,member_state,membership_state,installation,tenant,'
            'pool,member,membership}'),
        ('intake_begin', 'O', '{intake}'),
        ('intake_row', 'O', '{intake}'),
        ('intake_end', 'O', '{intake}'),
        ('lead_written', 'A', '{lead_state}'),
        ('lead_replicated', 'R', '{lead_state}'),
        ('member_inserted', 'O', '{member}'),
        ('member_updated', 'O', '{member}'),
        ('member_deleted', 'O', '{member}'),
        ('membership_inserted', 'O', '{membership}'),
        ('membership_updated', 'O', '{membership}'),
        ('membership_deleted', 'O', '{membership}'),
        ('merge_state', 'O', '{member_state,membership_state,timer_recheck,'
            'absence,rule_version}'),
        ('pool_inserted', 'O', '{pool}'),
        ('pool_updated', 'O', '{pool}'),
        ('pool_deleted', 'O', '{pool}'),
        ('rule_written', 'O', '{pool,membership,timer_rule,claim_rule,'
            'entry_rule,score_rule,routing_rule,approval_rule,reward_rule,'
            'dictionary}'),
        ('tenant_updated', 'O', '{tenant}'),
        ('timer_rule_inserted', 'O', '{timer_rule}'),
        ('timer_rule_updated', 'O', '{timer_rule}'),
        ('timer_rule_deleted', 'O', '{timer_rule}')
    ) AS e (name, state, relations)
) x
JOIN letter l ON l.state = x.state
LEFT JOIN pg_trigger t
    ON t.tgrelid = to_regclass(format('pool.%I', x.relation))
        AND t.tgname = x.name
WHERE t.tgenabled IS DISTINCT FROM x.state::"char"
UNION ALL
SELECT format('foreign key %s of pool.%s', f.conname, c.relname),
    format('it is disabled: ALTER TABLE pool.%I ENABLE TRIGGER %I',
        c.relname, t.tgname)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_constraint f ON f.oid = t.tgconstraint
WHERE c.relnamespace = 'pool'::regnamespace AND t.tgisinternal
    AND t.tgenabled = 'D'
UNION ALL
SELECT 'event trigger pool_ext_guard',
    CASE WHEN g.evtenabled IS NULL THEN 'it does not exist'
        ELSE 'it is not enabled: ALTER EVENT TRIGGER pool_ext_guard ENABLE'
    END
FROM (VALUES ('pool_ext_guard')) x (name)
LEFT JOIN pg_event_trigger g ON g.evtname = x.name
WHERE coalesce(g.evtenabled, 'D') = 'D';

-- Ids carry the number of the server that gave them above 43 bits (the
-- sequence of event ids itself does, too), tickets the priority above 48.
CREATE VIEW pool.verify_id_sequence AS
WITH node AS (
    SELECT coalesce(current_setting('pool_ext.node_id', true), '0')::bigint
        AS id
)
SELECT format('sequence pool.%s', q.name) AS object,
    format('it stands at %s, but %s is in use', q.last_value, u.value)
        AS message
FROM (
    SELECT 'lead_id_seq' AS name, last_value, is_called FROM pool.lead_id_seq
    UNION ALL
    SELECT 'event_id_seq', last_value, is_called FROM pool.event_id_seq
    UNION ALL
    SELECT 'ticket_seq', last_value, is_called FROM pool.ticket_seq
) q
JOIN (
    SELECT 'lead_id_seq' AS name, max(d.id) & ((1::bigint << 43) - 1) AS value
    FROM pool.lead_data d, node n
    WHERE d.id >= n.id << 43 AND d.id < (n.id + 1) << 43
    UNION ALL
    SELECT 'event_id_seq', max(e.id)
    FROM pool.event e, node n
    WHERE e.id < (n.id + 1) << 43
    UNION ALL
    SELECT 'ticket_seq', max(s.ticket & ((1::bigint << 48) - 1))
    FROM pool.lead_state s
) u ON u.name = q.name
WHERE u.value > q.last_value OR (u.value = q.last_value AND NOT q.is_called);
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

-- History -------------------------------------------------------------

-- A lead without any event is right only if events were ever purged.
CREATE VIEW pool.verify_lead_replay AS
SELECT format('lead %s', s.id) AS object,
    CASE WHEN r.lead_id IS NULL THEN 'lead without events'
        WHEN (r.state_after, r.owner_id, r.pool_id)
            IS DISTINCT FROM (s.status, s.owner_id, s.pool_id)
        THEN format('status %s, owner %s, pool %s; by its events %s, %s, %s',
            s.status, s.owner_id, s.pool_id,
            r.state_after, r.owner_id, r.pool_id)
        ELSE format('claims is %s, but it has %s spells', s.claims, r.spells)
    END AS message
FROM pool.lead_state s
LEFT JOIN (
    SELECT e.lead_id,
        max(e.state_after) FILTER (WHERE e.is_last) AS state_after,
        max(e.member_id) FILTER (WHERE e.is_last AND e.state_after = 'owned')
            AS owner_id,
        max(e.pool_id) FILTER (WHERE e.is_last) AS pool_id,
        count(*) FILTER (WHERE e.state_after = 'owned') AS spells,
        bool_or(e.kind IN ('entered', 'review')) AS whole
    FROM pool.event_step e
    GROUP BY e.lead_id
) r ON r.lead_id = s.id
WHERE CASE WHEN r.lead_id IS NULL
        THEN NOT EXISTS (SELECT FROM pool.purge_horizon)
        ELSE (r.state_after, r.owner_id, r.pool_id)
                IS DISTINCT FROM (s.status, s.owner_id, s.pool_id)
            OR (r.whole AND r.spells <> s.claims)
            OR (NOT r.whole AND NOT EXISTS (SELECT FROM pool.purge_horizon))
    END;

-- An owner given at entry may have held the lead before it came here.
CREATE VIEW pool.verify_spell_open AS
SELECT format('lead %s', s.id) AS object,
    CASE WHEN s.status <> 'owned' THEN
            format('status is %s, but a spell of member %s is open',
                s.status, b.member_id)
        WHEN b.id IS NULL OR b.member_id IS DISTINCT FROM s.owner_id THEN
            format('owned by member %s without an open spell', s.owner_id)
        WHEN s.owned_at IS DISTINCT FROM b.at
            THEN 'owned_at is not the beginning of the spell'
        WHEN s.chain_at > s.owned_at
            THEN 'chain_at is after the beginning of the spell'
        ELSE format('follow_ups is %s, but the log has %s',
            s.follow_ups, f.follow_ups)
    END AS message
FROM pool.lead_state s
LEFT JOIN pool.event_step b
    ON b.lead_id = s.id AND b.is_last AND b.state_after = 'owned'
LEFT JOIN LATERAL (
    SELECT count(*) AS follow_ups
    FROM pool.event e
    WHERE e.lead_id = b.lead_id AND e.id > b.id AND e.kind = 'followed_up'
        AND e.detail -> 'counted' IS NULL
) f ON true
WHERE (s.status = 'owned' OR b.id IS NOT NULL)
    AND NOT (b.id IS NULL AND EXISTS (SELECT FROM pool.purge_horizon)
        AND NOT EXISTS (SELECT FROM pool.event_step x WHERE x.lead_id = s.id))
    AND (s.status <> 'owned'
        OR b.member_id IS DISTINCT FROM s.owner_id
        OR ((b.last_kind IS DISTINCT FROM 'entered' OR b.kind <> 'assigned')
            AND (s.owned_at IS DISTINCT FROM b.at
                OR s.follow_ups <> f.follow_ups))
        OR s.chain_at > s.owned_at);

CREATE VIEW pool.verify_spell_overlap AS
SELECT format('event %s of lead %s', e.id, e.lead_id) AS object,
    CASE WHEN e.state_before = 'owned'
        THEN format('%s ends a spell of member %s, but that of %s was open',
            e.kind, e.former_id, coalesce(e.last_owner_id::text, 'nobody'))
        ELSE format('%s begins a spell while that of member %s runs',
            e.kind, e.last_owner_id)
    END AS message
FROM pool.event_step e
WHERE e.last_kind IS NOT NULL
    AND CASE WHEN e.state_before = 'owned'
        THEN e.former_id IS DISTINCT FROM e.last_owner_id
        ELSE e.state_after = 'owned' AND e.last_state = 'owned' END;

CREATE VIEW pool.verify_event_chain AS
SELECT format('event %s of lead %s', e.id, e.lead_id) AS object,
    CASE WHEN e.last_kind IS NULL
        THEN format('the history begins with %s', e.kind)
        ELSE format('%s starts from %s in pool %s, but %s left %s in pool %s',
            e.kind, coalesce(e.state_before, 'nothing'),
            coalesce(e.from_pool_id, e.pool_id),
            e.last_kind, e.last_state, e.last_pool_id)
    END AS message
FROM pool.event_step e
WHERE CASE WHEN e.last_kind IS NULL
        THEN e.kind NOT IN ('entered', 'review')
            AND NOT EXISTS (SELECT FROM pool.purge_horizon)
        ELSE e.state_before IS DISTINCT FROM e.last_state
            OR coalesce(e.from_pool_id, e.pool_id) <> e.last_pool_id END;

CREATE VIEW pool.verify_event_order AS
SELECT format('event %s of lead %s', e.id, e.lead_id) AS object,
    format('%s is dated before the %s that precedes it', e.kind, e.last_kind)
        AS message
FROM pool.event_step e
WHERE e.at < e.last_at;

-- Routing -------------------------------------------------------------

CREATE VIEW pool.verify_routing_served AS
SELECT format('routing_rule %s, member %s', r.rule_id, r.member_id) AS object,
    format('served is %s, but the log and suggestions say %s to %s',
           coalesce(sum(r.served), 0), coalesce(sum(r.given), 0),
           coalesce(sum(r.given), 0) + coalesce(sum(r.suggested), 0))
        AS message
FROM (
    SELECT s.rule_id, s.member_id, s.served, NULL::bigint AS given,
        NULL::bigint AS suggested
    FROM pool.routing_state s
    UNION ALL
    SELECT e.rule_id, e.member_id, NULL, count(*), NULL
    FROM pool.event e
    WHERE e.kind = 'assigned' AND e.detail ? 'strategy'
    GROUP BY e.rule_id, e.member_id
    UNION ALL
    SELECT a.from_rule_id, a.member_id, NULL, NULL, count(*)
    FROM pool.approval a
    WHERE a.action = 'assign' AND a.from_rule_id IS NOT NULL
    GROUP BY a.from_rule_id, a.member_id
) r
WHERE r.rule_id IN (SELECT q.id FROM pool.routing_rule q)
GROUP BY r.rule_id, r.member_id
HAVING coalesce(sum(r.served), 0) < coalesce(sum(r.given), 0)
    OR (coalesce(sum(r.served), 0) > coalesce(sum(r.given), 0)
            + coalesce(sum(r.suggested), 0)
        AND NOT EXISTS (SELECT FROM pool.purge_horizon));

-- Roll-ups ------------------------------------------------------------

CREATE VIEW pool.verify_rollup_stock AS
SELECT format('pool %s', coalesce(r.pool_id, s.pool_id)) AS object,
    format('statistics say %s available, %s in review, %s owned, '
        '%s converted, %s archived; the leads are %s, %s, %s, %s, %s',
        coalesce(r.available, 0), coalesce(r.review, 0), coalesce(r.owned, 0),
        coalesce(r.converted, 0), coalesce(r.archived, 0),
        coalesce(s.available, 0), coalesce(s.review, 0), coalesce(s.owned, 0),
        coalesce(s.converted, 0), coalesce(s.archived, 0)) AS message
FROM (
    SELECT d.pool_id, sum(d.d_available) AS available,
        sum(d.d_review) AS review, sum(d.d_owned) AS owned,
        sum(d.d_converted) AS converted, sum(d.d_archived) AS archived
    FROM pool.day_sum d
    GROUP BY d.pool_id
) r
FULL JOIN (
    SELECT l.pool_id,
        count(*) FILTER (WHERE l.status = 'available') AS available,
        count(*) FILTER (WHERE l.status = 'review') AS review,
        count(*) FILTER (WHERE l.status = 'owned') AS owned,
        count(*) FILTER (WHERE l.status = 'converted') AS converted,
        count(*) FILTER (WHERE l.status = 'archived') AS archived
    FROM pool.lead_state l
    GROUP BY l.pool_id
) s ON s.pool_id = r.pool_id
WHERE (coalesce(r.available, 0), coalesce(r.review, 0), coalesce(r.owned, 0),
        coalesce(r.converted, 0), coalesce(r.archived, 0))
    <> (coalesce(s.available, 0), coalesce(s.review, 0), coalesce(s.owned, 0),
        coalesce(s.converted, 0), coalesce(s.archived, 0));

-- Days of which an event may have been purged cannot be recounted.
CREATE VIEW pool.verify_rollup_day AS
SELECT format('pool %s, day %s', coalesce(r.pool_id, f.pool_id),
        to_char(coalesce(r.day, f.day), 'YYYY-MM-DD')) AS object,
    CASE WHEN r.pool_id IS NULL THEN 'folded events without a roll-up'
        WHEN f.pool_id IS NULL THEN 'roll-up without folded events'
        ELSE 'the roll-up is not the sum of the folded events' END AS message
FROM (
    SELECT d.*
    FROM pool.rollup_day d
    WHERE d.day > (SELECT h.day FROM pool.purge_day h)
) r
FULL JOIN (
    SELECT e.pool_id, e.day, e.source,
        sum(e.entered) AS entered,
        sum(e.claimed) AS claimed,
        sum(e.assigned) AS assigned,
        sum(e.transferred) AS transferred,
        sum(e.given) AS given,
        sum(e.followed_up) AS followed_up,
        sum(e.first_responses) AS first_responses,
        sum(e.released) AS released,
        sum(e.reclaimed) AS reclaimed,
        sum(e.missed) AS missed,
        sum(e.converted) AS converted,
        sum(e.archived) AS archived,
        sum(e.reopened) AS reopened,
        sum(e.erased) AS erased,
        sum(e.moved_in) AS moved_in,
        sum(e.moved_out) AS moved_out,
        sum(e.ended) AS ended,
        sum(e.d_available) AS d_available,
        sum(e.d_review) AS d_review,
        sum(e.d_owned) AS d_owned,
        sum(e.d_converted) AS d_converted,
        sum(e.d_archived) AS d_archived,
        sum(e.first_response_seconds_sum) AS first_response_seconds_sum,
        sum(e.seconds_to_convert_sum) AS seconds_to_convert_sum,
        sum(e.amount) AS amount
    FROM pool.event_day_fact e
    WHERE NOT e.is_tail AND e.day > (SELECT h.day FROM pool.purge_day h)
    GROUP BY e.pool_id, e.day, e.source
) f ON f.pool_id = r.pool_id AND f.day = r.day AND f.source = r.source
WHERE (
        r.entered, r.claimed, r.assigned, r.transferred, r.given,
        r.followed_up, r.first_responses, r.released, r.reclaimed, r.missed,
        r.converted, r.archived, r.reopened, r.erased, r.moved_in,
        r.moved_out, r.ended, r.d_available, r.d_review, r.d_owned,
        r.d_converted, r.d_archived, r.first_response_seconds_sum,
        r.seconds_to_convert_sum, r.amount
    ) IS DISTINCT FROM (
        f.entered, f.claimed, f.assigned, f.transferred, f.given,
        f.followed_up, f.first_responses, f.released, f.reclaimed, f.missed,
        f.converted, f.archived, f.reopened, f.erased, f.moved_in,
        f.moved_out, f.ended, f.d_available, f.d_review, f.d_owned,
        f.d_converted, f.d_archived, f.first_response_seconds_sum,
        f.seconds_to_convert_sum, f.amount
    );

CREATE VIEW pool.verify_rollup_member AS
SELECT format('pool %s, member %s, day %s', coalesce(r.pool_id, f.pool_id),
        coalesce(r.member_id, f.member_id),
        to_char(coalesce(r.day, f.day), 'YYYY-MM-DD')) AS object,
    CASE WHEN r.pool_id IS NULL THEN 'folded events without a roll-up'
        WHEN f.pool_id IS NULL THEN 'roll-up without folded events'
        ELSE 'the roll-up is not the sum of the folded events' END AS message
FROM (
    SELECT d.*
    FROM pool.rollup_member d
    WHERE d.day > (SELECT h.day FROM pool.purge_day h)
) r
FULL JOIN (
    SELECT e.pool_id, e.member_id, e.day,
        sum(e.claimed) AS claimed,
        sum(e.assigned) AS assigned,
        sum(e.received) AS received,
        sum(e.given) AS given,
        sum(e.followed_up) AS followed_up,
        sum(e.first_responses) AS first_responses,
        sum(e.missed) AS missed,
        sum(e.released) AS released,
        sum(e.reclaimed) AS reclaimed,
        sum(e.converted) AS converted,
        sum(e.archived) AS archived,
        sum(e.ended) AS ended,
        sum(e.first_response_seconds_sum) AS first_response_seconds_sum,
        sum(e.amount) AS amount
    FROM pool.event_member_fact e
    WHERE NOT e.is_tail AND e.day > (SELECT h.day FROM pool.purge_day h)
    GROUP BY e.pool_id, e.member_id, e.day
) f ON f.pool_id = r.pool_id AND f.member_id = r.member_id AND f.day = r.day
WHERE (
        r.claimed, r.assigned, r.received, r.given, r.followed_up,
        r.first_responses, r.missed, r.released, r.reclaimed, r.converted,
        r.archived, r.ended, r.first_response_seconds_sum, r.amount
    ) IS DISTINCT FROM (
        f.claimed, f.assigned, f.received, f.given, f.followed_up,
        f.first_responses, f.missed, f.released, f.reclaimed, f.converted,
        f.archived, f.ended, f.first_response_seconds_sum, f.amount
    );

COMMENT ON VIEW pool.verification IS
    'Checks of pool.verify: each is a view pool.verify_<name> that is '
    'empty when all is well.';
COMMENT ON COLUMN pool.verification.name IS 'Name of the check.';
COMMENT ON COLUMN pool.verification.level IS
    'pool.verify(level) runs checks up to this level: 1 = counters, 2 = '
    'history, 3 = all.';
COMMENT ON COLUMN pool.verification.meaning IS
    'What holds when the check is silent.';
COMMENT ON COLUMN pool.verification.remedy IS 'What to do when it is not.';
COMMENT ON VIEW pool.event_step IS
    'Events that change the state of a lead, each with what the one '
    'before left.';
COMMENT ON COLUMN pool.event_step.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.event_step.id IS 'Event.';
COMMENT ON COLUMN pool.event_step.at IS 'When it happened.';
COMMENT ON COLUMN pool.event_step.kind IS 'What happened.';
COMMENT ON COLUMN pool.event_step.pool_id IS 'Home pool after it.';
COMMENT ON COLUMN pool.event_step.member_id IS
    'New owner; for endings the former one.';
COMMENT ON COLUMN pool.event_step.from_pool_id IS
    'Pool the lead came from, where the event changed it.';
COMMENT ON COLUMN pool.event_step.former_id IS
    'Member whose spell the event ends, if it ends one.';
COMMENT ON COLUMN pool.event_step.state_before IS
    'Status before, as the event says.';
COMMENT ON COLUMN pool.event_step.state_after IS 'Status after.';
COMMENT ON COLUMN pool.event_step.last_kind IS
    'Kind of the event before; NULL for the first.';
COMMENT ON COLUMN pool.event_step.last_at IS 'When that happened.';
COMMENT ON COLUMN pool.event_step.last_pool_id IS 'Home pool after that.';
COMMENT ON COLUMN pool.event_step.last_state IS 'Status after that.';
COMMENT ON COLUMN pool.event_step.last_owner_id IS 'Owner after that.';
COMMENT ON COLUMN pool.event_step.is_last IS 'Whether no other follows.';
COMMENT ON VIEW pool.purge_day IS
    'The last day of which events may have been purged.';
COMMENT ON COLUMN pool.purge_day.day IS
    'That day; -infinity if nothing was ever purged.';
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
COMMENT ON VIEW pool.verify_routing_served IS
    'Turns of routing rules that differ from what the log says was given.';
COMMENT ON COLUMN pool.verify_routing_served.object IS
    'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_routing_served.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_rollup_stock IS
    'Check of level 1. The stock that the statistics add up for each pool '
    'is that of lead_state.';
COMMENT ON COLUMN pool.verify_rollup_stock.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rollup_stock.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_counter_claimed IS
    'Check of level 2. The claims of a member''s day are the claim events '
    'since the day opened.';
COMMENT ON COLUMN pool.verify_counter_claimed.object IS
    'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_counter_claimed.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_event_chain IS
    'Check of level 2. Every event starts from the status and the pool '
    'that the one before left.';
COMMENT ON COLUMN pool.verify_event_chain.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_event_chain.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_event_order IS
    'Check of level 2. The times of the events that change one lead never '
    'step back.';
COMMENT ON COLUMN pool.verify_event_order.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_event_order.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_lead_replay IS
    'Check of level 2. Status, owner, pool and number of spells of every '
    'lead are what its events say.';
COMMENT ON COLUMN pool.verify_lead_replay.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_lead_replay.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_spell_open IS
    'Check of level 2. The open spell in the log began and was followed '
    'up as the lead says.';
COMMENT ON COLUMN pool.verify_spell_open.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_spell_open.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_spell_overlap IS
    'Check of level 2. No spell of a lead begins while another runs, and '
    'only the running one ends.';
COMMENT ON COLUMN pool.verify_spell_overlap.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_spell_overlap.message IS 'What is wrong with it.';
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
COMMENT ON VIEW pool.verify_rollup_day IS
    'Check of level 3. Rolled-up days of pools are the sums of their '
    'events.';
COMMENT ON COLUMN pool.verify_rollup_day.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rollup_day.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_rollup_member IS
    'Check of level 3. Rolled-up days of members are the sums of their '
    'events.';
COMMENT ON COLUMN pool.verify_rollup_member.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rollup_member.message IS 'What is wrong with it.';
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
COMMENT ON VIEW pool.verify_triggers IS
    'Check of level 1. Every trigger of the extension exists and is enabled as it'
    ' was created.';
COMMENT ON COLUMN pool.verify_triggers.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_triggers.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_due IS
    'Check of level 3. No timer rule acts on an open lead before the tick looks at'
    ' it.';
COMMENT ON COLUMN pool.verify_due.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_due.message IS 'What is wrong with it.';
COMMENT ON VIEW pool.verify_id_sequence IS
    'Check of level 3. The sequences are past every id of this server and every'
    ' ticket.';
COMMENT ON COLUMN pool.verify_id_sequence.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_id_sequence.message IS 'What is wrong with it.';
