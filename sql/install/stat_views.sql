-- Statistics: see views.sql.
--
-- Amounts of 0 are left out of sums: adding a numeric is dear, and most rows
-- have none.
--
-- Large tables are read by the pools of visible tenants, as an array: so who sees
-- one tenant of many reads his own rows by index, whatever the others have.

CREATE VIEW pool.stat_pool WITH (security_barrier) AS
SELECT g.pool_id, g.pool,
    coalesce(w.path, g.pool) AS pool_path,
    coalesce(k.takers, 0) + CASE WHEN g.everyone
        THEN g.tenant_members - coalesce(k.known, 0) ELSE 0 END AS members,
    g.available, g.review, g.owned, g.converted, g.archived,
    g.entered_today, g.claimed_today, g.assigned_today, g.released_today,
    g.reclaimed_today, g.converted_today,
    (SELECT floor(extract(epoch FROM pool.clock() - min(q.entered_at)))::bigint
     FROM pool.lead_state q
     WHERE q.pool_id = g.pool_id AND q.ticket IS NOT NULL)
        AS oldest_available_seconds,
    round(g.owned::numeric / nullif(g.workable, 0), 4) AS utilisation,
    round(g.converted_spells::numeric / nullif(g.ended_spells, 0), 4)
        AS conversion_rate,
    round(g.reclaimed_spells::numeric / nullif(g.ended_spells, 0), 4)
        AS reclaim_rate,
    g.workable, g.ended_spells, g.converted_spells, g.reclaimed_spells,
    g.transferred_today, g.followed_up_today, g.archived_today, g.today,
    g.enabled, g.tenant_id, g.tenant
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, p.everyone, p.enabled,
        t.today, tn.name AS tenant, tn.members AS tenant_members,
        coalesce(sum(s.d_available), 0) AS available,
        coalesce(sum(s.d_review), 0) AS review,
        coalesce(sum(s.d_owned), 0) AS owned,
        coalesce(sum(s.d_converted), 0) AS converted,
        coalesce(sum(s.d_archived), 0) AS archived,
        coalesce(sum(s.d_available), 0) + coalesce(sum(s.d_owned), 0)
            AS workable,
        coalesce(sum(s.ended), 0) AS ended_spells,
        coalesce(sum(s.converted), 0) AS converted_spells,
        coalesce(sum(s.reclaimed), 0) AS reclaimed_spells,
        coalesce(sum(s.entered) FILTER (WHERE s.day = t.today), 0)
            AS entered_today,
        coalesce(sum(s.claimed) FILTER (WHERE s.day = t.today), 0)
            AS claimed_today,
        coalesce(sum(s.assigned) FILTER (WHERE s.day = t.today), 0)
            AS assigned_today,
        coalesce(sum(s.transferred) FILTER (WHERE s.day = t.today), 0)
            AS transferred_today,
        coalesce(sum(s.followed_up) FILTER (WHERE s.day = t.today), 0)
            AS followed_up_today,
        coalesce(sum(s.released) FILTER (WHERE s.day = t.today), 0)
            AS released_today,
        coalesce(sum(s.reclaimed) FILTER (WHERE s.day = t.today), 0)
            AS reclaimed_today,
        coalesce(sum(s.converted) FILTER (WHERE s.day = t.today), 0)
            AS converted_today,
        coalesce(sum(s.archived) FILTER (WHERE s.day = t.today), 0)
            AS archived_today
    FROM (
        SELECT v.tenant_id, n.name, (
            SELECT count(*) FROM pool.member m
            WHERE m.tenant_id = v.tenant_id AND m.status = 'active') AS members
        FROM pool.visible_tenant v
        JOIN pool.tenant n ON n.id = v.tenant_id
        OFFSET 0 -- once per tenant
    ) tn
    JOIN pool.pool p ON p.tenant_id = tn.tenant_id
    CROSS JOIN LATERAL (
        SELECT (pool.clock() AT TIME ZONE pool.pool_zone(p.id))::date AS today
        OFFSET 0 -- once per pool, not once per row of day_sum
    ) t
    LEFT JOIN pool.day_sum s ON s.pool_id = p.id
    GROUP BY p.id, t.today, tn.name, tn.members
) g
LEFT JOIN (
    SELECT a.pool_id, count(*) AS known,
        count(*) FILTER (WHERE a.role IN ('member', 'manager')) AS takers
    FROM pool.membership a
    JOIN pool.member m ON m.id = a.member_id
    WHERE m.status = 'active' AND a.pool_id = ANY (ARRAY(SELECT q.id
        FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
    GROUP BY a.pool_id
) k ON k.pool_id = g.pool_id
LEFT JOIN pool.pool_path w ON w.pool_id = g.pool_id;
COMMENT ON VIEW pool.stat_pool IS
    'Every pool now and today. Today is the day of the pool''s zone.';
COMMENT ON COLUMN pool.stat_pool.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_pool.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_pool.pool_path IS
    'Names from the root of the tree down to the pool, joined by /.';
COMMENT ON COLUMN pool.stat_pool.members IS
    'Active members who may take leads here: role member or manager; in a '
    'pool of everyone all active members of the tenant but its viewers.';
COMMENT ON COLUMN pool.stat_pool.available IS 'Leads available now.';
COMMENT ON COLUMN pool.stat_pool.review IS 'Leads in review now.';
COMMENT ON COLUMN pool.stat_pool.owned IS 'Leads owned now.';
COMMENT ON COLUMN pool.stat_pool.converted IS 'Converted leads here now.';
COMMENT ON COLUMN pool.stat_pool.archived IS 'Archived leads here now.';
COMMENT ON COLUMN pool.stat_pool.entered_today IS 'Leads that entered today.';
COMMENT ON COLUMN pool.stat_pool.claimed_today IS 'Leads claimed today.';
COMMENT ON COLUMN pool.stat_pool.assigned_today IS 'Leads assigned today.';
COMMENT ON COLUMN pool.stat_pool.released_today IS 'Leads released today.';
COMMENT ON COLUMN pool.stat_pool.reclaimed_today IS 'Leads reclaimed today.';
COMMENT ON COLUMN pool.stat_pool.converted_today IS 'Leads converted today.';
COMMENT ON COLUMN pool.stat_pool.oldest_available_seconds IS
    'Seconds since the available lead that entered longest ago did so; '
    'NULL if none is available.';
COMMENT ON COLUMN pool.stat_pool.utilisation IS
    'round(owned / workable, 4): share of the workable leads that someone '
    'works on; NULL at zero.';
COMMENT ON COLUMN pool.stat_pool.conversion_rate IS
    'round(converted_spells / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_pool.reclaim_rate IS
    'round(reclaimed_spells / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_pool.workable IS
    'available + owned; denominator of utilisation.';
COMMENT ON COLUMN pool.stat_pool.ended_spells IS
    'Spells ended since the beginning; denominator of the rates.';
COMMENT ON COLUMN pool.stat_pool.converted_spells IS
    'Spells ended by a conversion since the beginning.';
COMMENT ON COLUMN pool.stat_pool.reclaimed_spells IS
    'Spells ended by a reclaim since the beginning.';
COMMENT ON COLUMN pool.stat_pool.transferred_today IS
    'Leads transferred today.';
COMMENT ON COLUMN pool.stat_pool.followed_up_today IS
    'Follow-ups recorded today that count.';
COMMENT ON COLUMN pool.stat_pool.archived_today IS 'Leads archived today.';
COMMENT ON COLUMN pool.stat_pool.today IS 'Today in the zone of the pool.';
COMMENT ON COLUMN pool.stat_pool.enabled IS 'Whether the pool is enabled.';
COMMENT ON COLUMN pool.stat_pool.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.stat_pool.tenant IS 'Tenant (name).';

CREATE VIEW pool.stat_member WITH (security_barrier) AS
SELECT g.pool_id, g.pool, g.member_id, g.member, g.status, g.held,
    g.hold_limit,
    round(g.held::numeric / nullif(g.hold_limit, 0), 4) AS held_share,
    g.claimed_today, g.claim_limit, g.claimed, g.assigned, g.followed_up,
    g.converted, g.released, g.reclaimed,
    round(g.converted::numeric / nullif(g.ended_spells, 0), 4)
        AS conversion_rate,
    round(g.first_response_seconds_sum / nullif(g.first_responses, 0), 1)
        AS first_response_seconds,
    round(g.missed::numeric / nullif(g.ended_spells, 0), 4) AS missed_rate,
    coalesce(o.overdue, 0) AS overdue,
    g.ended_spells, g.first_responses,
    g.first_response_seconds_sum::bigint AS first_response_seconds_sum,
    g.missed, g.received, g.given, g.archived, g.amount, g.role, g.tenant_id
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, m.id AS member_id,
        m.key AS member,
        CASE WHEN b.role IS NULL AND NOT p.everyone THEN 'removed'
            ELSE m.status END AS status,
        coalesce(b.role, CASE WHEN p.everyone THEN 'member' END) AS role,
        coalesce(c.held, 0) AS held,
        coalesce(b.hold_limit, p.hold_limit) AS hold_limit,
        CASE WHEN c.day_until > pool.clock() THEN c.claimed ELSE 0 END
            AS claimed_today,
        coalesce(b.claim_limit, p.claim_limit) AS claim_limit,
        coalesce(s.claimed, 0) AS claimed,
        coalesce(s.assigned, 0) AS assigned,
        coalesce(s.received, 0) AS received,
        coalesce(s.given, 0) AS given,
        coalesce(s.followed_up, 0) AS followed_up,
        coalesce(s.converted, 0) AS converted,
        coalesce(s.released, 0) AS released,
        coalesce(s.reclaimed, 0) AS reclaimed,
        coalesce(s.archived, 0) AS archived,
        coalesce(s.missed, 0) AS missed,
        coalesce(s.ended, 0) AS ended_spells,
        coalesce(s.first_responses, 0) AS first_responses,
        coalesce(s.first_response_seconds_sum, 0)
            AS first_response_seconds_sum,
        coalesce(s.amount, 0) AS amount
    FROM (
        SELECT * FROM pool.membership a
        WHERE a.pool_id = ANY (ARRAY(SELECT q.id
            FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
    ) b
    FULL JOIN (
        SELECT * FROM pool.membership_state a
        WHERE a.pool_id = ANY (ARRAY(SELECT q.id
            FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
    ) c USING (pool_id, member_id)
    JOIN pool.pool p ON p.id = pool_id
    JOIN pool.member m ON m.id = member_id
    LEFT JOIN (
        SELECT t.pool_id, t.member_id, sum(t.claimed) AS claimed,
            sum(t.assigned) AS assigned, sum(t.received) AS received,
            sum(t.given) AS given, sum(t.followed_up) AS followed_up,
            sum(t.converted) AS converted, sum(t.released) AS released,
            sum(t.reclaimed) AS reclaimed, sum(t.archived) AS archived,
            sum(t.missed) AS missed, sum(t.ended) AS ended,
            sum(t.first_responses) AS first_responses,
            sum(t.first_response_seconds_sum) AS first_response_seconds_sum,
            sum(t.amount) FILTER (WHERE t.amount <> 0) AS amount
        FROM pool.member_sum t
        WHERE t.pool_id = ANY (ARRAY(SELECT q.id
            FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
        GROUP BY t.pool_id, t.member_id
    ) s ON s.pool_id = p.id AND s.member_id = m.id
    WHERE b.role IS NOT NULL OR p.everyone OR c.held > 0
) g
LEFT JOIN (
    SELECT x.pool_id, x.owner_id, count(*) AS overdue
    FROM (
        SELECT a.id, a.pool_id, a.owner_id
        FROM pool.lead_state a
        WHERE a.owner_id IS NOT NULL AND a.check_at <= pool.clock()
        UNION ALL
        -- rules changed: check_at says nothing until the tick has been there
        SELECT a.id, a.pool_id, a.owner_id
        FROM (SELECT DISTINCT c.pool_id FROM pool.timer_recheck c) k
        JOIN pool.lead_state a ON a.pool_id = k.pool_id
        WHERE a.owner_id IS NOT NULL
            AND (a.check_at > pool.clock() OR a.check_at IS NULL)
    ) x
    CROSS JOIN LATERAL pool.next_timer(x.id) n
    WHERE n.due_at <= pool.clock()
    GROUP BY x.pool_id, x.owner_id
) o ON o.pool_id = g.pool_id AND o.owner_id = g.member_id;
COMMENT ON VIEW pool.stat_member IS
    'Every membership: what the member holds now and what he has done in '
    'the pool since the beginning. Members of a pool of everyone appear '
    'from their first operation on, former members while they hold leads.';
COMMENT ON COLUMN pool.stat_member.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_member.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_member.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_member.member IS 'Key of the member.';
COMMENT ON COLUMN pool.stat_member.status IS
    'Status of the member; removed if he is no longer in the pool.';
COMMENT ON COLUMN pool.stat_member.held IS
    'Leads he holds here; numerator of held_share.';
COMMENT ON COLUMN pool.stat_member.hold_limit IS
    'Limit of held, his own or the pool''s; NULL = none.';
COMMENT ON COLUMN pool.stat_member.held_share IS
    'round(held / hold_limit, 4); NULL without a limit or at zero.';
COMMENT ON COLUMN pool.stat_member.claimed_today IS
    'Claims of his calendar day, which is that of his own zone.';
COMMENT ON COLUMN pool.stat_member.claim_limit IS
    'Limit of claimed_today, his own or the pool''s; NULL = none.';
COMMENT ON COLUMN pool.stat_member.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.stat_member.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.stat_member.followed_up IS 'Follow-ups he recorded that count.';
COMMENT ON COLUMN pool.stat_member.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.stat_member.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.stat_member.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.stat_member.conversion_rate IS
    'round(converted / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_member.first_response_seconds IS
    'round(first_response_seconds_sum / first_responses, 1), in seconds; '
    'NULL at zero.';
COMMENT ON COLUMN pool.stat_member.missed_rate IS
    'round(missed / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_member.overdue IS
    'Leads he owns here whose next timer is past.';
COMMENT ON COLUMN pool.stat_member.ended_spells IS
    'Spells of his that ended, in whatever way; denominator of '
    'conversion_rate and missed_rate.';
COMMENT ON COLUMN pool.stat_member.first_responses IS
    'Spells of his that got a follow-up; denominator of '
    'first_response_seconds.';
COMMENT ON COLUMN pool.stat_member.first_response_seconds_sum IS
    'Seconds from the start of a spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.stat_member.missed IS
    'Spells of his that a timer ended; numerator of missed_rate.';
COMMENT ON COLUMN pool.stat_member.received IS 'Leads transferred to him.';
COMMENT ON COLUMN pool.stat_member.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.stat_member.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.stat_member.amount IS
    'Sum of the amounts of his conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_member.role IS
    'member, manager or viewer; NULL if he is no longer in the pool.';
COMMENT ON COLUMN pool.stat_member.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_member_daily WITH (security_barrier) AS
SELECT p.name AS pool, m.key AS member, s.day,
    sum(s.claimed) AS claimed,
    sum(s.assigned) AS assigned,
    sum(s.received) AS received,
    sum(s.followed_up) AS followed_up,
    sum(s.first_responses) AS first_responses,
    sum(s.first_response_seconds_sum)::bigint AS first_response_seconds_sum,
    sum(s.missed) AS missed,
    sum(s.released) AS released,
    sum(s.reclaimed) AS reclaimed,
    sum(s.converted) AS converted,
    coalesce(sum(s.amount) FILTER (WHERE s.amount <> 0), 0)
        AS amount,
    sum(s.given) AS given,
    sum(s.archived) AS archived,
    sum(s.ended) AS ended_spells,
    p.id AS pool_id, s.member_id, p.tenant_id
FROM pool.pool p
JOIN pool.member_sum s ON s.pool_id = p.id
LEFT JOIN pool.member m ON m.id = s.member_id
WHERE s.pool_id = ANY (ARRAY(SELECT q.id
    FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
GROUP BY p.id, s.member_id, m.key, s.day;
COMMENT ON VIEW pool.stat_member_daily IS
    'Every pool, member and day with events: sums and counts, to be added '
    'up over any period. The day is that of the pool''s zone.';
COMMENT ON COLUMN pool.stat_member_daily.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_member_daily.member IS
    'Key of the member; NULL if he was deleted.';
COMMENT ON COLUMN pool.stat_member_daily.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.stat_member_daily.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.stat_member_daily.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.stat_member_daily.received IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.stat_member_daily.followed_up IS
    'Follow-ups he recorded that count.';
COMMENT ON COLUMN pool.stat_member_daily.first_responses IS
    'Spells of his that got their first follow-up on this day.';
COMMENT ON COLUMN pool.stat_member_daily.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.stat_member_daily.missed IS
    'Spells of his that a timer ended.';
COMMENT ON COLUMN pool.stat_member_daily.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.stat_member_daily.reclaimed IS
    'Spells of his ended by a reclaim; missed are among them.';
COMMENT ON COLUMN pool.stat_member_daily.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.stat_member_daily.amount IS
    'Sum of the amounts of his conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_member_daily.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.stat_member_daily.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.stat_member_daily.ended_spells IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.stat_member_daily.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_member_daily.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_member_daily.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_source WITH (security_barrier) AS
SELECT g.pool, g.source, g.entered, g.owned, g.followed_up, g.converted,
    g.archived, g.amount,
    round(g.converted::numeric / nullif(g.entered, 0), 4) AS conversion_rate,
    round(g.seconds_to_convert_sum / nullif(g.converted, 0), 1)
        AS seconds_to_convert,
    g.seconds_to_convert_sum::bigint AS seconds_to_convert_sum,
    g.available, g.spells, g.ended_spells, g.first_responses, g.pool_id,
    g.tenant_id
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id,
        nullif(s.source, '') AS source,
        sum(s.entered) AS entered,
        sum(s.d_owned) AS owned,
        sum(s.followed_up) AS followed_up,
        sum(s.converted) AS converted,
        sum(s.archived) AS archived,
        coalesce(sum(s.amount) FILTER (WHERE s.amount <> 0), 0)
            AS amount,
        sum(s.seconds_to_convert_sum) AS seconds_to_convert_sum,
        sum(s.d_available) AS available,
        sum(s.claimed) + sum(s.assigned) + sum(s.transferred) AS spells,
        sum(s.ended) AS ended_spells,
        sum(s.first_responses) AS first_responses
    FROM pool.pool p
    JOIN pool.day_sum s ON s.pool_id = p.id
    WHERE p.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id, s.source
) g;
COMMENT ON VIEW pool.stat_source IS
    'Every pool and source (channel), since the beginning.';
COMMENT ON COLUMN pool.stat_source.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_source.source IS
    'Source of the leads; NULL = none given.';
COMMENT ON COLUMN pool.stat_source.entered IS
    'Leads that entered here; denominator of conversion_rate.';
COMMENT ON COLUMN pool.stat_source.owned IS 'Leads owned now.';
COMMENT ON COLUMN pool.stat_source.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.stat_source.converted IS
    'Leads converted; numerator of conversion_rate, denominator of '
    'seconds_to_convert.';
COMMENT ON COLUMN pool.stat_source.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.stat_source.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_source.conversion_rate IS
    'round(converted / entered, 4); above 1 where leads came from other '
    'pools or were converted again; NULL at zero.';
COMMENT ON COLUMN pool.stat_source.seconds_to_convert IS
    'round(seconds_to_convert_sum / converted, 1), in seconds; NULL at '
    'zero.';
COMMENT ON COLUMN pool.stat_source.seconds_to_convert_sum IS
    'Seconds from the creation of a lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.stat_source.available IS 'Leads available now.';
COMMENT ON COLUMN pool.stat_source.spells IS
    'Spells begun: claimed, assigned or transferred.';
COMMENT ON COLUMN pool.stat_source.ended_spells IS
    'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.stat_source.first_responses IS
    'Spells that got a follow-up.';
COMMENT ON COLUMN pool.stat_source.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_source.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_daily WITH (security_barrier) AS
SELECT g.pool, g.day, g.entered, g.claimed, g.assigned, g.transferred,
    g.followed_up, g.released, g.reclaimed, g.converted, g.archived,
    (sum(g.d_available) OVER w)::bigint AS available_at_end,
    (sum(g.d_owned) OVER w)::bigint AS owned_at_end,
    g.reopened, g.erased, g.moved_in, g.moved_out, g.missed, g.ended_spells,
    g.first_responses, g.first_response_seconds_sum, g.amount, g.pool_id,
    g.tenant_id
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, s.day,
        sum(s.entered) AS entered,
        sum(s.claimed) AS claimed,
        sum(s.assigned) AS assigned,
        sum(s.transferred) AS transferred,
        sum(s.followed_up) AS followed_up,
        sum(s.released) AS released,
        sum(s.reclaimed) AS reclaimed,
        sum(s.converted) AS converted,
        sum(s.archived) AS archived,
        sum(s.reopened) AS reopened,
        sum(s.erased) AS erased,
        sum(s.moved_in) AS moved_in,
        sum(s.moved_out) AS moved_out,
        sum(s.missed) AS missed,
        sum(s.ended) AS ended_spells,
        sum(s.first_responses) AS first_responses,
        sum(s.first_response_seconds_sum)::bigint
            AS first_response_seconds_sum,
        coalesce(sum(s.amount) FILTER (WHERE s.amount <> 0), 0)
            AS amount,
        sum(s.d_available) AS d_available,
        sum(s.d_owned) AS d_owned
    FROM pool.pool p
    JOIN pool.day_sum s ON s.pool_id = p.id
    WHERE p.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id, s.day
) g
WINDOW w AS (PARTITION BY g.pool_id ORDER BY g.day);
COMMENT ON VIEW pool.stat_daily IS
    'Every pool and day with events. The day is that of the pool''s zone.';
COMMENT ON COLUMN pool.stat_daily.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_daily.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.stat_daily.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.stat_daily.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.stat_daily.assigned IS 'Leads assigned.';
COMMENT ON COLUMN pool.stat_daily.transferred IS
    'Leads transferred, in the pool they belong to afterwards.';
COMMENT ON COLUMN pool.stat_daily.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.stat_daily.released IS
    'Spells ended by a release, in the pool they ran in.';
COMMENT ON COLUMN pool.stat_daily.reclaimed IS
    'Spells ended by a reclaim, in the pool they ran in.';
COMMENT ON COLUMN pool.stat_daily.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.stat_daily.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.stat_daily.available_at_end IS
    'Leads available at the end of the day.';
COMMENT ON COLUMN pool.stat_daily.owned_at_end IS
    'Leads owned at the end of the day.';
COMMENT ON COLUMN pool.stat_daily.reopened IS
    'Closed leads that became available again.';
COMMENT ON COLUMN pool.stat_daily.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.stat_daily.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.stat_daily.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.stat_daily.missed IS
    'Spells ended by a timer; they are among reclaimed.';
COMMENT ON COLUMN pool.stat_daily.ended_spells IS
    'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.stat_daily.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.stat_daily.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.stat_daily.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_daily.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_daily.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_worker WITH (security_barrier) AS
SELECT w.last_tick, w.duration_ms, w.done, w.backlog, w.oldest_due, w.errors,
    w.last_error, w.state, w.active
FROM pool.worker_status() w;
COMMENT ON VIEW pool.stat_worker IS
    'The background worker of this database: one row.';
COMMENT ON COLUMN pool.stat_worker.last_tick IS
    'When the last tick ended; NULL if there was none.';
COMMENT ON COLUMN pool.stat_worker.duration_ms IS
    'Duration of the last tick in milliseconds.';
COMMENT ON COLUMN pool.stat_worker.done IS
    'What the last tick did: leads and rows handled.';
COMMENT ON COLUMN pool.stat_worker.backlog IS 'What is due and not done yet.';
COMMENT ON COLUMN pool.stat_worker.oldest_due IS
    'Since when the oldest of the backlog is due; NULL if nothing is.';
COMMENT ON COLUMN pool.stat_worker.errors IS 'Errors since the server started.';
COMMENT ON COLUMN pool.stat_worker.last_error IS 'Message of the last error.';
COMMENT ON COLUMN pool.stat_worker.state IS
    'What the worker is doing, or why it is off.';
COMMENT ON COLUMN pool.stat_worker.active IS
    'Whether the worker may act in this database; resume() turns it on '
    'for a restored copy.';
