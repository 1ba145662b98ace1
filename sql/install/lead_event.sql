-- The log, for people.

CREATE VIEW pool.lead_event WITH (security_barrier) AS
SELECT e.lead_id, d.key, e.id AS event_id, e.at, e.day, e.kind,
    p.name AS pool, m.key AS member, a.key AS actor, e.rule_id, e.reason,
    e.source, e.grade, e.detail
FROM pool.event e
JOIN pool.lead_state s ON s.id = e.lead_id
JOIN pool.lead_data d ON d.id = e.lead_id
LEFT JOIN pool.pool p ON p.id = e.pool_id
LEFT JOIN pool.member m ON m.id = e.member_id
LEFT JOIN pool.member a ON a.id = e.actor_id
WHERE CASE WHEN (SELECT pool.current_member_id()) IS NULL
    THEN s.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    ELSE s.owner_id = (SELECT pool.current_member_id())
        OR s.pool_id = ANY (ARRAY(
            SELECT g.pool_id FROM pool.managed_pool g))
        OR EXISTS (SELECT FROM pool.collaborator c
            WHERE c.lead_id = s.id
                AND c.member_id = (SELECT pool.current_member_id()))
    END;
COMMENT ON VIEW pool.lead_event IS
    'What happened to leads: for members, those they own or help with; for '
    'managers, those of their pools and of the pools below; for others, those '
    'of the tenants they may see. Of one lead, history() says the same.';
COMMENT ON COLUMN pool.lead_event.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_event.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_event.event_id IS
    'Event; of one lead, the higher is the later.';
COMMENT ON COLUMN pool.lead_event.at IS 'When it was.';
COMMENT ON COLUMN pool.lead_event.day IS 'Its day in the pool''s zone.';
COMMENT ON COLUMN pool.lead_event.kind IS
    'What happened: the outcome word of the change (claimed, released, ...), '
    'or followed_up, edited, reminded, escalated and the like.';
COMMENT ON COLUMN pool.lead_event.pool IS 'Home pool after it.';
COMMENT ON COLUMN pool.lead_event.member IS
    'New owner; for endings the former one.';
COMMENT ON COLUMN pool.lead_event.actor IS
    'Member who did it; NULL = a rule or a service.';
COMMENT ON COLUMN pool.lead_event.rule_id IS 'Rule that did it.';
COMMENT ON COLUMN pool.lead_event.reason IS 'Why.';
COMMENT ON COLUMN pool.lead_event.source IS 'Source of the lead then.';
COMMENT ON COLUMN pool.lead_event.grade IS 'Grade of the lead then.';
COMMENT ON COLUMN pool.lead_event.detail IS
    'More, depending on kind: see Events in docs/design.md.';
