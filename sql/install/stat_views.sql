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
WITH p AS MATERIALIZED (
    SELECT q.id, q.name, q.everyone, q.enabled, tn.id AS tenant_id,
        tn.name AS tenant, tn.members,
        (pool.clock() AT TIME ZONE pool.pool_zone(q.id))::date AS today
    FROM (
        SELECT n.id, n.name, (
            SELECT count(*) FROM pool.member m
            WHERE m.tenant_id = n.id AND m.status = 'active') AS members
        FROM pool.visible_tenant v
        JOIN pool.tenant n ON n.id = v.tenant_id
        OFFSET 0 -- once per tenant
    ) tn
    JOIN pool.pool q ON q.tenant_id = tn.id
)
SELECT p.id AS pool_id, p.name AS pool,
    coalesce(w.path, p.name) AS pool_path,
    coalesce(k.takers, 0) + CASE WHEN p.everyone
        THEN p.members - coalesce(k.known, 0) ELSE 0 END AS members,
    coalesce(g.available, 0) AS available,
    coalesce(g.review, 0) AS review,
    coalesce(g.owned, 0) AS owned,
    coalesce(g.converted, 0) AS converted,
    coalesce(g.archived, 0) AS archived,
    coalesce(g.entered_today, 0) AS entered_today,
    coalesce(g.claimed_today, 0) AS claimed_today,
    coalesce(g.assigned_today, 0) AS assigned_today,
    coalesce(g.released_today, 0) AS released_today,
    coalesce(g.reclaimed_today, 0) AS reclaimed_today,
    coalesce(g.converted_today, 0) AS converted_today,
    (SELECT floor(extract(epoch FROM pool.clock() - min(q.entered_at)))::bigint
     FROM pool.lead_state q
     WHERE q.pool_id = p.id AND q.ticket IS NOT NULL)
        AS oldest_available_seconds,
    round(g.owned::numeric / nullif(g.available + g.owned, 0), 4)
        AS utilisation,
    round(g.converted_spells::numeric / nullif(g.ended_spells, 0), 4)
        AS conversion_rate,
    round(g.reclaimed_spells::numeric / nullif(g.ended_spells, 0), 4)
        AS reclaim_rate,
    coalesce(g.available + g.owned, 0) AS workable,
    coalesce(g.ended_spells, 0) AS ended_spells,
    coalesce(g.converted_spells, 0) AS converted_spells,
    coalesce(g.reclaimed_spells, 0) AS reclaimed_spells,
    coalesce(g.transferred_today, 0) AS transferred_today,
    coalesce(g.followed_up_today, 0) AS followed_up_today,
    coalesce(g.archived_today, 0) AS archived_today,
    p.today, p.enabled, p.tenant_id, p.tenant
FROM p
LEFT JOIN (
    SELECT s.pool_id,
        (sum(s.d_available) FILTER (WHERE s.is_total))::bigint AS available,
        (sum(s.d_review) FILTER (WHERE s.is_total))::bigint AS review,
        (sum(s.d_owned) FILTER (WHERE s.is_total))::bigint AS owned,
        (sum(s.d_converted) FILTER (WHERE s.is_total))::bigint AS converted,
        (sum(s.d_archived) FILTER (WHERE s.is_total))::bigint AS archived,
        (sum(s.ended) FILTER (WHERE s.is_total))::bigint AS ended_spells,
        (sum(s.converted) FILTER (WHERE s.is_total))::bigint
            AS converted_spells,
        (sum(s.reclaimed) FILTER (WHERE s.is_total))::bigint
            AS reclaimed_spells,
        (sum(s.entered) FILTER (WHERE s.is_today))::bigint AS entered_today,
        (sum(s.claimed) FILTER (WHERE s.is_today))::bigint AS claimed_today,
        (sum(s.assigned) FILTER (WHERE s.is_today))::bigint AS assigned_today,
        (sum(s.transferred) FILTER (WHERE s.is_today))::bigint
            AS transferred_today,
        (sum(s.followed_up) FILTER (WHERE s.is_today))::bigint
            AS followed_up_today,
        (sum(s.released) FILTER (WHERE s.is_today))::bigint AS released_today,
        (sum(s.reclaimed) FILTER (WHERE s.is_today))::bigint AS reclaimed_today,
        (sum(s.converted) FILTER (WHERE s.is_today))::bigint AS converted_today,
        (sum(s.archived) FILTER (WHERE s.is_today))::bigint AS archived_today
    FROM (
        -- folded since the beginning, folded today, and the tail
        SELECT r.pool_id, true AS is_total, false AS is_today,
            r.ended, r.entered, r.claimed, r.assigned, r.transferred,
            r.followed_up, r.released, r.reclaimed, r.converted, r.archived,
            r.d_available, r.d_review, r.d_owned, r.d_converted, r.d_archived
        FROM pool.rollup_source r
        WHERE r.pool_id = ANY (ARRAY(SELECT p.id FROM p))
        UNION ALL
        SELECT p.id, false, true,
            r.ended, r.entered, r.claimed, r.assigned, r.transferred,
            r.followed_up, r.released, r.reclaimed, r.converted, r.archived,
            0, 0, 0, 0, 0
        FROM p
        CROSS JOIN LATERAL (
            SELECT * FROM pool.rollup_pool o
            WHERE o.pool_id = p.id AND o.day = p.today
            OFFSET 0 -- by index, however many days there are
        ) r
        UNION ALL
        SELECT p.id, true, t.day = p.today,
            t.ended, t.entered, t.claimed, t.assigned, t.transferred,
            t.followed_up, t.released, t.reclaimed, t.converted, t.archived,
            t.d_available, t.d_review, t.d_owned, t.d_converted, t.d_archived
        FROM p
        JOIN pool.tail_day((SELECT s.generation FROM pool.rollup_state s),
            (SELECT s.snapshot FROM pool.rollup_state s), NULL, NULL) t
            ON t.pool_id = p.id
    ) s
    GROUP BY s.pool_id
) g ON g.pool_id = p.id
LEFT JOIN (
    SELECT a.pool_id, count(*) AS known,
        count(*) FILTER (WHERE a.role IN ('member', 'manager')) AS takers
    FROM pool.membership a
    JOIN pool.member m ON m.id = a.member_id
    WHERE m.status = 'active'
        AND a.pool_id = ANY (ARRAY(SELECT p.id FROM p))
    GROUP BY a.pool_id
) k ON k.pool_id = p.id
LEFT JOIN pool.pool_path w ON w.pool_id = p.id;
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
    'Conversions since the beginning: spells that ended so, and late wins '
    '(convert() with credit).';
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
    'Every pool and source (channel): owned and available as they are now, '
    'all else since the beginning.';
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

-- What a day's tail adds to the stock counts for the days that follow, too.
CREATE VIEW pool.stat_daily WITH (security_barrier) AS
WITH tail AS MATERIALIZED (
    SELECT t.pool_id, t.day,
        sum(t.entered)::integer AS entered,
        sum(t.claimed)::integer AS claimed,
        sum(t.assigned)::integer AS assigned,
        sum(t.transferred)::integer AS transferred,
        sum(t.followed_up)::integer AS followed_up,
        sum(t.released)::integer AS released,
        sum(t.reclaimed)::integer AS reclaimed,
        sum(t.converted)::integer AS converted,
        sum(t.archived)::integer AS archived,
        sum(t.reopened)::integer AS reopened,
        sum(t.erased)::integer AS erased,
        sum(t.moved_in)::integer AS moved_in,
        sum(t.moved_out)::integer AS moved_out,
        sum(t.missed)::integer AS missed,
        sum(t.ended)::integer AS ended,
        sum(t.first_responses)::integer AS first_responses,
        sum(t.first_response_seconds_sum)::bigint
            AS first_response_seconds_sum,
        sum(t.amount) FILTER (WHERE t.amount <> 0) AS amount,
        sum(sum(t.d_available)) OVER w AS available,
        sum(sum(t.d_owned)) OVER w AS owned,
        lead(t.day) OVER w AS until_day
    FROM pool.tail_day((SELECT s.generation FROM pool.rollup_state s),
        (SELECT s.snapshot FROM pool.rollup_state s), NULL, NULL) t
    GROUP BY t.pool_id, t.day
    WINDOW w AS (PARTITION BY t.pool_id ORDER BY t.day)
)
SELECT p.name AS pool, g.day, g.entered, g.claimed, g.assigned,
    g.transferred, g.followed_up, g.released, g.reclaimed, g.converted,
    g.archived,
    (coalesce(g.available_at_end, b.available_at_end, 0)
        + coalesce(t.available, 0))::bigint AS available_at_end,
    (coalesce(g.owned_at_end, b.owned_at_end, 0)
        + coalesce(t.owned, 0))::bigint AS owned_at_end,
    g.reopened, g.erased, g.moved_in, g.moved_out, g.missed, g.ended_spells,
    g.first_responses, g.first_response_seconds_sum, g.amount, g.pool_id,
    p.tenant_id
FROM (
    SELECT s.pool_id, s.day,
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
        max(s.available_at_end) AS available_at_end,
        max(s.owned_at_end) AS owned_at_end
    FROM (
        SELECT r.pool_id, r.day,
            r.entered, r.claimed, r.assigned, r.transferred,
            r.followed_up, r.released, r.reclaimed, r.converted,
            r.archived, r.reopened, r.erased, r.moved_in,
            r.moved_out, r.missed, r.ended, r.first_responses,
            r.first_response_seconds_sum, r.amount,
            r.available_at_end, r.owned_at_end
        FROM pool.rollup_pool r
        WHERE r.pool_id = ANY (ARRAY(SELECT q.id
            FROM pool.visible_tenant v JOIN pool.pool q USING (tenant_id)))
        UNION ALL
        SELECT a.pool_id, a.day,
            a.entered, a.claimed, a.assigned, a.transferred,
            a.followed_up, a.released, a.reclaimed, a.converted,
            a.archived, a.reopened, a.erased, a.moved_in,
            a.moved_out, a.missed, a.ended, a.first_responses,
            a.first_response_seconds_sum, a.amount, NULL, NULL
        FROM tail a
    ) s
    GROUP BY s.pool_id, s.day
) g
JOIN pool.pool p ON p.id = g.pool_id
LEFT JOIN tail t ON t.pool_id = g.pool_id AND t.day <= g.day
    AND (t.until_day > g.day OR t.until_day IS NULL)
-- of a day that is in the tail only
LEFT JOIN LATERAL (
    SELECT o.available_at_end, o.owned_at_end
    FROM pool.rollup_pool o
    WHERE g.available_at_end IS NULL
        AND o.pool_id = g.pool_id AND o.day < g.day
    ORDER BY o.day DESC
    LIMIT 1
) b ON true
WHERE p.tenant_id = ANY (ARRAY(SELECT v.tenant_id FROM pool.visible_tenant v));
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
    'When the last tick ended, of the worker or by tick(); NULL if there was '
    'none since the server started. Without preload as noted, every ten '
    'minutes at most.';
COMMENT ON COLUMN pool.stat_worker.duration_ms IS
    'Duration of the last tick in milliseconds; NULL without preload.';
COMMENT ON COLUMN pool.stat_worker.done IS
    'What the last tick did: leads and rows handled; NULL without preload.';
COMMENT ON COLUMN pool.stat_worker.backlog IS 'What is due and not done yet.';
COMMENT ON COLUMN pool.stat_worker.oldest_due IS
    'Since when the oldest of the backlog is due; NULL if nothing is.';
COMMENT ON COLUMN pool.stat_worker.errors IS 'Errors since the server started.';
COMMENT ON COLUMN pool.stat_worker.last_error IS 'Message of the last error.';
COMMENT ON COLUMN pool.stat_worker.state IS
    'idle, running, or why the worker does not act: disabled '
    '(pool_ext.worker_enabled is off), standby, waiting for resume() '
    '(restored from elsewhere) or not preloaded.';
COMMENT ON COLUMN pool.stat_worker.active IS
    'Whether the worker may act in this database; resume() turns it on '
    'for a restored copy.';
