-- What verify() looks at: one view per check, empty when all is well.
--
-- pool.verification lists the checks: 1 = settings and counters, cheap; 2 = the
-- history of every lead; 3 = everything else that rows say; 4 = files.
-- pool.verify(level) runs the views pool.verify_<name> of its level and below,
-- in one snapshot, as the owner of the extension, and what only C can check.  Objects and messages name ids only, never personal data.

CREATE VIEW pool.verification AS
SELECT v.name, v.level,
    CASE WHEN v.name IN ('absence', 'attachment', 'due', 'id_sequence',
            'rule_version', 'triggers') THEN 'settings'
        WHEN v.name LIKE ANY ('{counter%,rollup%,groups,routing_served,'
            'run_count}'::text[]) THEN 'counters'
        WHEN v.name LIKE ANY ('{event%,spell%,lead_replay}'::text[])
        THEN 'history'
        WHEN v.level = 4 OR v.name = 'queue_hidden' THEN 'physical'
        ELSE 'leads' END AS area,
    v.name NOT IN ('attachment', 'index_complete', 'queue_hidden',
        'table_readable') AS in_view, v.meaning, v.remedy
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
        'If rollup_source, rollup_day and lead_replay are silent, an event is '
        'missing; otherwise see there.'),
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
    ('attachment', 3,
        'Attached tables say of owners what the leads say, and their triggers '
        'are there and enabled.',
        'The object names attachment and lead: see pool.attachment, and write '
        'the owner column anew; enable the trigger, or detach and attach.'),
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
    ('queue_hidden', 3,
        'Every lead that is available is found by claims.',
        'Restart the server, which empties the hints, and report it as a '
        'fault of the library.'),
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
        'Empty all tables rollup_* in one transaction if no event was ever '
        'purged: the next tick folds all anew.'),
    ('rollup_member', 3,
        'Rolled-up days of members are the sums of their events.',
        'As for rollup_day.'),
    ('rollup_membership', 3,
        'Totals of members are the sums of their rolled-up days.',
        'As for rollup_source.'),
    ('rollup_pool', 3,
        'Rolled-up days of pools are the sums of those of sources, and their '
        'stock that of all changes until then.',
        'As for rollup_source.'),
    ('rollup_source', 3,
        'Totals of pools are the sums of their rolled-up days.',
        'Lock pool.rollup_state, empty the table and fill it from the view of '
        'its name with _recount.'),
    ('run_count', 3,
        'Every run has done what it says: its leads name events that are '
        'theirs.',
        'Nobody but the library may write run and run_lead; the events '
        'are right.'),
    ('tenant_mixed', 3,
        'A lead, its pool, owner, identities and events, and each counter '
        'and its member are of one tenant.',
        'Stop using both tenants until it is clear which lead is whose.'),
    ('index_complete', 4,
        'Every index is valid, and every B-tree finds the rows its table '
        'has.',
        'REINDEX INDEX it; where that fails because of duplicates, look for '
        'these rows by a sequential scan first. Then run pg_amcheck, and find '
        'out what went wrong with the disk or the locale.'),
    ('table_readable', 4,
        'Every value of every row can be read.',
        'Stop the server, copy its files and restore from a backup: what '
        'cannot be read is lost here. Run pg_amcheck on the copy.')
) AS v(name, level, meaning, remedy);

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
            'absence,downtime,attachment}'),
        ('config_written_by_replication', 'R', '{tenant,pool,member,'
            'membership,timer_rule,installation,access_grant,claim_rule,'
            'entry_rule,score_rule,routing_rule,approval_rule,reward_rule,'
            'dictionary,calendar,absence,downtime,attachment}'),
        ('calendar_inserted', 'O', '{calendar}'),
        ('calendar_updated', 'O', '{calendar}'),
        ('calendar_deleted', 'O', '{calendar}'),
        ('guard_event', 'O', '{event}'),
        ('guard_installation', 'O', '{installation}'),
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
SELECT format('event trigger %s', x.name),
    CASE WHEN g.evtenabled IS NULL THEN 'it does not exist'
        ELSE format('it is not enabled: ALTER EVENT TRIGGER %s ENABLE',
            x.name)
    END
FROM (VALUES ('pool_ext_attachment'), ('pool_ext_guard')) x (name)
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
COMMENT ON VIEW pool.verification IS
    'Checks of pool.verify: all that it can find, each with its remedy.';
COMMENT ON COLUMN pool.verification.name IS 'Name of the check.';
COMMENT ON COLUMN pool.verification.level IS
    'pool.verify(level) runs checks up to this level: 1 = settings and '
    'counters, 2 = history, 3 = all that rows say, 4 = files.';
COMMENT ON COLUMN pool.verification.area IS
    'What the check is about: settings, counters, leads, history or physical '
    '(files and shared memory).';
COMMENT ON COLUMN pool.verification.in_view IS
    'Whether it is a view pool.verify_<name>; false = only verify() has it.';
COMMENT ON COLUMN pool.verification.meaning IS
    'What holds when the check is silent.';
COMMENT ON COLUMN pool.verification.remedy IS 'What to do when it is not.';
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
