-- Rules and people of a pool as check_rules() sees them: see lint.sql.

CREATE FUNCTION pool.lead_document(lead_id bigint) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'pool_lead_document'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.lead_document(bigint) IS
'What conditions see of a lead; NULL if there is none. Asks nobody who he is, so it is granted to nobody.';

CREATE VIEW pool.rule_condition AS
SELECT r.pool_id, 'timer_rule' AS rule_table, r.id AS rule_id, r.name,
    r.condition, false AS on_member
FROM pool.timer_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'entry_rule', r.id, r.name, r.condition, false
FROM pool.entry_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'score_rule', r.id, r.name, r.condition, false
FROM pool.score_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'claim_rule', r.id, r.name, r.condition, false
FROM pool.claim_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'routing_rule', r.id, r.name, r.condition, false
FROM pool.routing_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'approval_rule', r.id, r.name, r.condition, false
FROM pool.approval_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'reward_rule', r.id, r.name, r.condition, false
FROM pool.reward_rule r WHERE r.enabled AND r.condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'claim_rule', r.id, r.name, r.member_condition, true
FROM pool.claim_rule r WHERE r.enabled AND r.member_condition IS NOT NULL
UNION ALL
SELECT r.pool_id, 'routing_rule', r.id, r.name, r.member_condition, true
FROM pool.routing_rule r WHERE r.enabled AND r.member_condition IS NOT NULL;
COMMENT ON VIEW pool.rule_condition IS
    'Every condition in force, of every tenant.';
COMMENT ON COLUMN pool.rule_condition.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rule_condition.rule_table IS
    'Table the rule stands in.';
COMMENT ON COLUMN pool.rule_condition.rule_id IS 'Its id there.';
COMMENT ON COLUMN pool.rule_condition.name IS 'Name of the rule.';
COMMENT ON COLUMN pool.rule_condition.condition IS 'The condition.';
COMMENT ON COLUMN pool.rule_condition.on_member IS
    'Whether it is on the member, not the lead.';

CREATE VIEW pool.rule_order AS
SELECT r.pool_id, 'routing_rule' AS rule_table, r.id AS rule_id, r.name,
    r.position, r.condition
FROM pool.routing_rule r WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'entry_rule', r.id, r.name, r.position, r.condition
FROM pool.entry_rule r WHERE r.enabled;
COMMENT ON VIEW pool.rule_order IS
    'Rules in force of which the first to match counts, of every tenant.';
COMMENT ON COLUMN pool.rule_order.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rule_order.rule_table IS 'Table the rule stands in.';
COMMENT ON COLUMN pool.rule_order.rule_id IS 'Its id there.';
COMMENT ON COLUMN pool.rule_order.name IS 'Name of the rule.';
COMMENT ON COLUMN pool.rule_order.position IS
    'Its place: lower ones come first, of equals the lower id.';
COMMENT ON COLUMN pool.rule_order.condition IS
    'Its condition on the lead; NULL = every lead.';

CREATE VIEW pool.pool_people AS
SELECT a.pool_id, m.id AS member_id, coalesce(a.level, m.level) AS level,
    a.weight, a.role
FROM pool.membership a
JOIN pool.member m ON m.id = a.member_id
WHERE a.role IN ('member', 'manager') AND m.status = 'active'
UNION ALL
SELECT p.id, m.id, m.level, 1, 'member'
FROM pool.pool p
JOIN pool.member m ON m.tenant_id = p.tenant_id
WHERE p.everyone AND m.status = 'active'
    AND NOT EXISTS (
        SELECT FROM pool.membership a
        WHERE a.pool_id = p.id AND a.member_id = m.id);
COMMENT ON VIEW pool.pool_people IS
    'Active members who may take leads of a pool, of every tenant.';
COMMENT ON COLUMN pool.pool_people.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.pool_people.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.pool_people.level IS 'His level there.';
COMMENT ON COLUMN pool.pool_people.weight IS 'His weight there.';
COMMENT ON COLUMN pool.pool_people.role IS 'member or manager.';

CREATE VIEW pool.rule_flow AS
WITH RECURSIVE edge AS (
    SELECT r.pool_id, r.to_pool_id, 'routing_rule' AS rule_table, r.name,
        true AS at_once
    FROM pool.routing_rule r
    WHERE r.enabled AND r.strategy = 'hand_over'
    UNION ALL
    SELECT r.pool_id, r.to_pool_id, 'entry_rule', r.name, true
    FROM pool.entry_rule r
    WHERE r.enabled AND r."then" = 'to_pool'
    UNION ALL
    SELECT r.pool_id, coalesce(r.to_pool_id, p.parent_id), 'timer_rule',
        r.name, false
    FROM pool.timer_rule r
    JOIN pool.pool p ON p.id = r.pool_id
    WHERE r.enabled AND (r.action = 'move'
        OR r.action = 'reclaim' AND r.to_pool_id IS NOT NULL)
), walk AS (
    SELECT e.pool_id, e.rule_table, e.name, e.to_pool_id AS here, e.at_once
    FROM edge e
    UNION
    SELECT w.pool_id, w.rule_table, w.name, e.to_pool_id,
        w.at_once AND e.at_once
    FROM walk w
    JOIN edge e ON e.pool_id = w.here
    WHERE w.here <> w.pool_id
)
SELECT w.pool_id, w.rule_table, w.name, w.here AS reaches, w.at_once
FROM walk w
WHERE w.here IS NOT NULL;
COMMENT ON VIEW pool.rule_flow IS
    'Where rules take leads from each pool, over any number of steps; of '
    'every tenant.';
COMMENT ON COLUMN pool.rule_flow.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rule_flow.rule_table IS 'Table of the first rule.';
COMMENT ON COLUMN pool.rule_flow.name IS 'Name of the first rule.';
COMMENT ON COLUMN pool.rule_flow.reaches IS 'Pool that leads get to (id).';
COMMENT ON COLUMN pool.rule_flow.at_once IS 'Whether no step waits for time.';
