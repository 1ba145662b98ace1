-- What verify() looks at of the log, and of what is summed up from it: see
-- verify.sql.

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
    FROM pool.source_sum d
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

-- Totals are not recounted by events, but by days: these are never purged.
CREATE VIEW pool.verify_rollup_source AS
SELECT format('pool %s', coalesce(r.pool_id, n.pool_id)) AS object,
    CASE WHEN r.pool_id IS NULL THEN 'rolled-up days without a total'
        WHEN n.pool_id IS NULL THEN 'total without rolled-up days'
        ELSE 'the total is not the sum of the rolled-up days' END AS message
FROM pool.rollup_source r
FULL JOIN pool.rollup_source_recount n
    ON n.pool_id = r.pool_id AND n.source = r.source
WHERE r IS DISTINCT FROM n;

CREATE VIEW pool.verify_rollup_pool AS
SELECT format('pool %s, day %s', coalesce(r.pool_id, n.pool_id),
        to_char(coalesce(r.day, n.day), 'YYYY-MM-DD')) AS object,
    CASE WHEN r.pool_id IS NULL THEN 'rolled-up sources without a day'
        WHEN n.pool_id IS NULL THEN 'day without rolled-up sources'
        ELSE 'the day is not the sum of its sources, or its stock not that of '
            'all days until then' END AS message
FROM pool.rollup_pool r
FULL JOIN pool.rollup_pool_recount n
    ON n.pool_id = r.pool_id AND n.day = r.day
WHERE r IS DISTINCT FROM n;

CREATE VIEW pool.verify_rollup_membership AS
SELECT format('pool %s, member %s', coalesce(r.pool_id, n.pool_id),
        coalesce(r.member_id, n.member_id)) AS object,
    CASE WHEN r.pool_id IS NULL THEN 'rolled-up days without a total'
        WHEN n.pool_id IS NULL THEN 'total without rolled-up days'
        ELSE 'the total is not the sum of the rolled-up days' END AS message
FROM pool.rollup_membership r
FULL JOIN pool.rollup_membership_recount n
    ON n.pool_id = r.pool_id AND n.member_id = r.member_id
WHERE r IS DISTINCT FROM n;
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
COMMENT ON VIEW pool.verify_rollup_source IS
    'Check of level 3. Totals of pools are the sums of their rolled-up days.';
COMMENT ON COLUMN pool.verify_rollup_source.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rollup_source.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_rollup_pool IS
    'Check of level 3. Rolled-up days of pools are the sums of those of '
    'sources, and their stock that of all changes until then.';
COMMENT ON COLUMN pool.verify_rollup_pool.object IS 'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rollup_pool.message IS
    'What is wrong with it.';
COMMENT ON VIEW pool.verify_rollup_membership IS
    'Check of level 3. Totals of members are the sums of their rolled-up days.';
COMMENT ON COLUMN pool.verify_rollup_membership.object IS
    'What is wrong, by ids.';
COMMENT ON COLUMN pool.verify_rollup_membership.message IS
    'What is wrong with it.';
