-- Statistics: see views.sql.
--
-- Amounts of 0 are left out of sums: adding a numeric is dear, and most rows
-- have none.
--
-- Large tables are read by the pools of visible tenants, as an array: so who sees
-- one tenant of many reads his own rows by index, whatever the others have.
--
-- What counts since the beginning reads totals, not days: the length of the
-- history costs nothing.  Totals are bigint, whose sum is numeric: hence casts.

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
    g.transferred_today, g.followed_up_today, g.archived_today,
    (pool.clock() AT TIME ZONE pool.pool_zone(g.pool_id))::date AS today,
    g.enabled, g.tenant_id, g.tenant
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, p.everyone, p.enabled,
        tn.name AS tenant, tn.members AS tenant_members,
        coalesce(sum(s.d_available) FILTER (WHERE s.is_total), 0)::bigint
            AS available,
        coalesce(sum(s.d_review) FILTER (WHERE s.is_total), 0)::bigint
            AS review,
        coalesce(sum(s.d_owned) FILTER (WHERE s.is_total), 0)::bigint
            AS owned,
        coalesce(sum(s.d_converted) FILTER (WHERE s.is_total), 0)::bigint
            AS converted,
        coalesce(sum(s.d_archived) FILTER (WHERE s.is_total), 0)::bigint
            AS archived,
        coalesce(sum(s.d_available + s.d_owned) FILTER (WHERE s.is_total), 0)
            ::bigint AS workable,
        coalesce(sum(s.ended) FILTER (WHERE s.is_total), 0)::bigint
            AS ended_spells,
        coalesce(sum(s.converted) FILTER (WHERE s.is_total), 0)::bigint
            AS converted_spells,
        coalesce(sum(s.reclaimed) FILTER (WHERE s.is_total), 0)::bigint
            AS reclaimed_spells,
        coalesce(sum(s.entered) FILTER (WHERE s.is_today), 0)::bigint
            AS entered_today,
        coalesce(sum(s.claimed) FILTER (WHERE s.is_today), 0)::bigint
            AS claimed_today,
        coalesce(sum(s.assigned) FILTER (WHERE s.is_today), 0)::bigint
            AS assigned_today,
        coalesce(sum(s.transferred) FILTER (WHERE s.is_today), 0)::bigint
            AS transferred_today,
        coalesce(sum(s.followed_up) FILTER (WHERE s.is_today), 0)::bigint
            AS followed_up_today,
        coalesce(sum(s.released) FILTER (WHERE s.is_today), 0)::bigint
            AS released_today,
        coalesce(sum(s.reclaimed) FILTER (WHERE s.is_today), 0)::bigint
            AS reclaimed_today,
        coalesce(sum(s.converted) FILTER (WHERE s.is_today), 0)::bigint
            AS converted_today,
        coalesce(sum(s.archived) FILTER (WHERE s.is_today), 0)::bigint
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
    LEFT JOIN (
        -- folded since the beginning, folded today, and the tail
        SELECT r.pool_id, true AS is_total, false AS is_today,
            r.ended, r.entered, r.claimed, r.assigned, r.transferred,
            r.followed_up, r.released, r.reclaimed, r.converted, r.archived,
            r.d_available, r.d_review, r.d_owned, r.d_converted, r.d_archived
        FROM pool.rollup_source r
        UNION ALL
        SELECT q.id, false, true,
            d.ended, d.entered, d.claimed, d.assigned, d.transferred,
            d.followed_up, d.released, d.reclaimed, d.converted, d.archived,
            d.d_available, d.d_review, d.d_owned, d.d_converted, d.d_archived
        FROM pool.pool q
        CROSS JOIN LATERAL (
            SELECT (pool.clock() AT TIME ZONE pool.pool_zone(q.id))::date
                AS today
            OFFSET 0 -- once per pool
        ) n
        CROSS JOIN LATERAL (
            SELECT * FROM pool.rollup_day o
            WHERE o.pool_id = q.id AND o.day = n.today
            OFFSET 0 -- by index, however many days there are
        ) d
        UNION ALL
        SELECT f.pool_id, true, f.day
                = (pool.clock() AT TIME ZONE pool.pool_zone(f.pool_id))::date,
            f.ended, f.entered, f.claimed, f.assigned, f.transferred,
            f.followed_up, f.released, f.reclaimed, f.converted, f.archived,
            f.d_available, f.d_review, f.d_owned, f.d_converted, f.d_archived
        FROM pool.tail_day((SELECT s.generation FROM pool.rollup_state s),
            (SELECT s.snapshot FROM pool.rollup_state s), NULL, NULL) f
    ) s ON s.pool_id = p.id AND s.pool_id = ANY (ARRAY(SELECT q.id
        FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
    GROUP BY p.id, tn.name, tn.members
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
        sum(s.entered)::bigint AS entered,
        sum(s.d_owned)::bigint AS owned,
        sum(s.followed_up)::bigint AS followed_up,
        sum(s.converted)::bigint AS converted,
        sum(s.archived)::bigint AS archived,
        coalesce(sum(s.amount) FILTER (WHERE s.amount <> 0), 0)
            AS amount,
        sum(s.seconds_to_convert_sum) AS seconds_to_convert_sum,
        sum(s.d_available)::bigint AS available,
        sum(s.claimed + s.assigned + s.transferred)::bigint AS spells,
        sum(s.ended)::bigint AS ended_spells,
        sum(s.first_responses)::bigint AS first_responses
    FROM pool.pool p
    JOIN pool.source_sum s ON s.pool_id = p.id
    WHERE s.pool_id = ANY (ARRAY(SELECT q.id
        FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
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
