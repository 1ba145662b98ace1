-- Statistics of members: see views.sql and stat_views.sql.

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
        SELECT t.pool_id, t.member_id,
            sum(t.claimed)::bigint AS claimed,
            sum(t.assigned)::bigint AS assigned,
            sum(t.received)::bigint AS received,
            sum(t.given)::bigint AS given,
            sum(t.followed_up)::bigint AS followed_up,
            sum(t.converted)::bigint AS converted,
            sum(t.released)::bigint AS released,
            sum(t.reclaimed)::bigint AS reclaimed,
            sum(t.archived)::bigint AS archived,
            sum(t.missed)::bigint AS missed,
            sum(t.ended)::bigint AS ended,
            sum(t.first_responses)::bigint AS first_responses,
            sum(t.first_response_seconds_sum) AS first_response_seconds_sum,
            sum(t.amount) FILTER (WHERE t.amount <> 0) AS amount
        FROM pool.membership_sum t
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
