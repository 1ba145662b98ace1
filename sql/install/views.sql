-- The public views.
--
-- They run with the rights of the extension's owner, since callers have none on
-- the tables; each is a security barrier and decides itself what the caller
-- may see.  What the caller is asked once per query (ARRAY(SELECT ...) and
-- (SELECT ...) are evaluated before the scan), never once per row.

-- Helpers, not granted to anyone --------------------------------------

CREATE VIEW pool.visible_tenant AS
SELECT t.id AS tenant_id
FROM pool.tenant t
WHERE pool.sees_tenant(t.id);
COMMENT ON VIEW pool.visible_tenant IS 'Tenants whose data the caller may see.';
COMMENT ON COLUMN pool.visible_tenant.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.managed_pool AS
SELECT p.id AS pool_id
FROM pool.pool p
WHERE pool.is_team_manager(p.id);
COMMENT ON VIEW pool.managed_pool IS
    'Pools the caller manages, directly or from an ancestor.';
COMMENT ON COLUMN pool.managed_pool.pool_id IS 'Pool (id).';

CREATE VIEW pool.own_membership AS
SELECT p.id AS pool_id, m.id AS member_id,
    coalesce(s.role, 'member') AS role,
    coalesce(s.hold_limit, p.hold_limit) AS hold_limit,
    coalesce(s.claim_limit, p.claim_limit) AS claim_limit
FROM pool.member m
JOIN pool.pool p ON p.tenant_id = m.tenant_id
LEFT JOIN pool.membership s ON s.pool_id = p.id AND s.member_id = m.id
WHERE m.id = (SELECT pool.current_member_id())
    AND m.status <> 'left'
    AND (s.member_id IS NOT NULL OR p.everyone);
COMMENT ON VIEW pool.own_membership IS
    'Pools the caller belongs to, by a membership or because everyone '
    'does.';
COMMENT ON COLUMN pool.own_membership.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.own_membership.member_id IS 'The caller (id).';
COMMENT ON COLUMN pool.own_membership.role IS
    'Role: member, manager or viewer; member where everyone belongs.';
COMMENT ON COLUMN pool.own_membership.hold_limit IS
    'Limit of leads held in this pool; NULL = none.';
COMMENT ON COLUMN pool.own_membership.claim_limit IS
    'Limit of claims per day in this pool; NULL = none.';

CREATE VIEW pool.pool_path AS
WITH RECURSIVE walk AS (
    SELECT p.id, p.name AS path
    FROM pool.pool p
    WHERE p.parent_id IS NULL
    UNION ALL
    SELECT p.id, w.path || '/' || p.name
    FROM walk w
    JOIN pool.pool p ON p.parent_id = w.id
)
SELECT w.id AS pool_id, w.path
FROM walk w;
COMMENT ON VIEW pool.pool_path IS 'Every pool with its place in the tree.';
COMMENT ON COLUMN pool.pool_path.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.pool_path.path IS
    'Names from the root down to the pool, joined by /.';

-- Quota ---------------------------------------------------------------

CREATE VIEW pool.quota_mine WITH (security_barrier) AS
SELECT p.name AS pool, coalesce(c.held, 0) AS held, o.hold_limit,
    CASE WHEN c.day_until > t.now THEN c.claimed ELSE 0 END AS claimed_today,
    o.claim_limit,
    CASE WHEN c.day_until > t.now THEN c.day_until
        ELSE least(d.start, d.start - (d.before - t.midnight))
    END AS resets_at,
    CASE WHEN w.next > t.now THEN w.next END AS next_claim_at,
    p.id AS pool_id, o.role, p.enabled, m.hold_limit AS member_hold_limit,
    (SELECT coalesce(sum(a.held), 0)
     FROM pool.membership_state a
     WHERE a.member_id = m.id) AS member_held
FROM pool.own_membership o
JOIN pool.pool p ON p.id = o.pool_id
JOIN pool.member m ON m.id = o.member_id
LEFT JOIN pool.membership_state c
    ON c.pool_id = o.pool_id AND c.member_id = o.member_id
CROSS JOIN LATERAL (
    SELECT c.now, z.zone, pool.pool_zone(p.id) AS pool_zone,
        ((c.now AT TIME ZONE z.zone)::date + 1)::timestamp AS midnight,
        make_interval(
            months => (extract(year FROM p.claim_interval) * 12
                       + extract(month FROM p.claim_interval))::integer,
            days => extract(day FROM p.claim_interval)::integer) AS calendar
    FROM (SELECT pool.clock() AS now) c,
        (SELECT pool.member_zone(m.id) AS zone) z
) t
-- where clocks go back at midnight they have shown it before (pool_day_start)
CROSS JOIN LATERAL (
    SELECT t.midnight AT TIME ZONE t.zone AS start,
        (t.midnight AT TIME ZONE t.zone - interval '1 microsecond')
            AT TIME ZONE t.zone + interval '1 microsecond' AS before
) d
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.calendar = '0'
        THEN c.last_claim_at + p.claim_interval
        ELSE ((c.last_claim_at AT TIME ZONE t.pool_zone) + t.calendar)
            AT TIME ZONE t.pool_zone + (p.claim_interval - t.calendar)
    END AS next
) w;
COMMENT ON VIEW pool.quota_mine IS
    'What the caller may still take: one row per pool he belongs to.';
COMMENT ON COLUMN pool.quota_mine.pool IS 'Pool.';
COMMENT ON COLUMN pool.quota_mine.held IS 'Leads he holds in this pool.';
COMMENT ON COLUMN pool.quota_mine.hold_limit IS 'Limit of held; NULL = none.';
COMMENT ON COLUMN pool.quota_mine.claimed_today IS
    'Claims of his calendar day in this pool.';
COMMENT ON COLUMN pool.quota_mine.claim_limit IS
    'Limit of claimed_today; NULL = none.';
COMMENT ON COLUMN pool.quota_mine.resets_at IS
    'When his day ends and claimed_today begins anew.';
COMMENT ON COLUMN pool.quota_mine.next_claim_at IS
    'When the pool''s claim_interval lets him claim again; NULL = now.';
COMMENT ON COLUMN pool.quota_mine.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.quota_mine.role IS
    'member, manager or viewer; a viewer takes nothing.';
COMMENT ON COLUMN pool.quota_mine.enabled IS 'Whether the pool is enabled.';
COMMENT ON COLUMN pool.quota_mine.member_hold_limit IS
    'Limit of member_held; NULL = none.';
COMMENT ON COLUMN pool.quota_mine.member_held IS 'Leads he holds in all pools.';
