-- Reward points (reward.c).

CREATE VIEW pool.points WITH (security_barrier) AS
SELECT g.at, g.day, t.name AS tenant, p.name AS pool, m.key AS member,
    r.name AS rule, r.event_kind AS kind, g.lead_id, g.event_id, g.points
FROM pool.reward g
JOIN pool.tenant t ON t.id = g.tenant_id
JOIN pool.pool p ON p.id = g.pool_id
JOIN pool.member m ON m.id = g.member_id
LEFT JOIN pool.reward_rule r ON r.id = g.rule_id
WHERE CASE WHEN (SELECT pool.current_member_id()) IS NULL
    THEN g.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    ELSE g.member_id = (SELECT pool.current_member_id())
        OR g.pool_id = ANY (ARRAY(SELECT q.pool_id FROM pool.managed_pool q))
    END;
COMMENT ON VIEW pool.points IS
    'The ledger of reward points: what each event gave whom. Members see '
    'their own, managers those of their pools.';
COMMENT ON COLUMN pool.points.at IS 'When the event was.';
COMMENT ON COLUMN pool.points.day IS 'Its day in the pool''s zone.';
COMMENT ON COLUMN pool.points.tenant IS 'Tenant.';
COMMENT ON COLUMN pool.points.pool IS 'Pool.';
COMMENT ON COLUMN pool.points.member IS 'Member who has the points.';
COMMENT ON COLUMN pool.points.rule IS
    'Reward rule; NULL if it has been deleted.';
COMMENT ON COLUMN pool.points.kind IS 'What is rewarded.';
COMMENT ON COLUMN pool.points.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.points.event_id IS 'Event.';
COMMENT ON COLUMN pool.points.points IS 'Points; negative ones were taken.';

CREATE VIEW pool.stat_reward WITH (security_barrier) AS
SELECT x.pool_id, x.pool, x.member_id, x.member, x.day,
    sum(x.points) AS points, count(*) AS events
FROM (SELECT g.pool_id, p.name AS pool, g.member_id, m.key AS member, g.day,
        g.points, g.tenant_id
    FROM pool.reward g
    JOIN pool.pool p ON p.id = g.pool_id
    JOIN pool.member m ON m.id = g.member_id
    WHERE g.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))) x
GROUP BY x.pool_id, x.pool, x.member_id, x.member, x.day;
COMMENT ON VIEW pool.stat_reward IS
    'Reward points per pool, member and day.';
COMMENT ON COLUMN pool.stat_reward.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_reward.pool IS 'Pool.';
COMMENT ON COLUMN pool.stat_reward.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_reward.member IS 'Member.';
COMMENT ON COLUMN pool.stat_reward.day IS 'Day in the pool''s zone.';
COMMENT ON COLUMN pool.stat_reward.points IS 'Sum of the points.';
COMMENT ON COLUMN pool.stat_reward.events IS 'Number of rewarded events.';
