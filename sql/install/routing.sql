-- Routing: leads come to members by rules (auto_assign.c, route.c).

CREATE FUNCTION pool.auto_assign(
    pool text, n integer DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text, OUT member text,
    OUT rule text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_auto_assign'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION pool.auto_assign(text, integer, uuid) IS
'Gives the best n available leads of the pool (all if NULL; at most 10000 per call), in the order of the queue, to members by the pool''s routing rules: the first rule whose condition matches a lead decides, alone. One row per lead looked at, none if there is none; leads that running transactions hold, or that are hidden or kept for somebody, are left out.
Those who may receive: active members with role member (not managers) whose level, weight (above 0), seat and member_condition fit, who are not cooling down, did not just give the lead back and have room under hold_limit. claim_limit and claim_interval do not count.
Outcomes: assigned; suggested (strategy suggest: kept for member until the suggestion takes effect); no_rule (no rule is about it, or hand_over goes in a circle); no_candidate (nobody fits); at_capacity (all who fit are at their hold_limit). What was not given waits in routing_waiting and is tried again by ticks. rule is the one that decided, or that handed the lead over to a pool where none did. Errors: PO001 unknown pool, PO004 neither member, service nor administrator, PO005 a manager is needed, PO010 request id reused, 22023 n.';

CREATE FUNCTION pool.explain_assign(
    lead bigint, OUT rule text, OUT member text, OUT test text,
    OUT passed boolean, OUT detail text, OUT score double precision)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_explain_assign'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 50;
COMMENT ON FUNCTION pool.explain_assign(bigint) IS
'Why the routing rules would give an available lead to whom, by the code that does it; changes nothing. Rows in order: test rule for each rule looked at (passed: it is about the lead; detail: error, or circle of hand_over); for each member of the rule that decides, the tests membership, active, level, weight, seat, not_returned, member_condition, cooldown, identity (of a lead whose customer another member owns a lead of), capacity; chosen for each who passed them all (passed: he would get it; detail: newcomer = before the others'' turn, by lot = chance decides; score of performance, -1 without results, and of best_match); at last outcome (assigned, no_rule, no_candidate, at_capacity). A single row exists or available says why the lead cannot be routed at all. Errors: PO004, PO005 a manager is needed, 22004.';

CREATE VIEW pool.routing_waiting WITH (security_barrier) AS
SELECT p.name AS pool, d.key, w.reason, w.tried_at, w.lead_id, w.pool_id
FROM pool.routing_wait w
JOIN pool.lead_state s ON s.id = w.lead_id AND s.pool_id = w.pool_id
JOIN pool.lead_data d ON d.id = w.lead_id
JOIN pool.pool p ON p.id = w.pool_id
WHERE s.ticket IS NOT NULL
    AND (w.tried_at >= s.entered_at) IS NOT FALSE
    AND CASE WHEN (SELECT pool.current_member_id()) IS NULL
        THEN w.tenant_id = ANY (ARRAY(
            SELECT v.tenant_id FROM pool.visible_tenant v))
        ELSE w.pool_id = ANY (ARRAY(
            SELECT g.pool_id FROM pool.managed_pool g))
        END;

COMMENT ON VIEW pool.routing_waiting IS
    'Available leads that no routing rule could give to anybody; ticks try '
    'them again when rules, members or free places have changed, and every '
    '15 minutes. Managers see those of their pools and the pools below.';
COMMENT ON COLUMN pool.routing_waiting.pool IS 'Pool.';
COMMENT ON COLUMN pool.routing_waiting.key IS
    'The application''s id of the lead.';
COMMENT ON COLUMN pool.routing_waiting.reason IS
    'Why: returned (came back by time, not tried yet), no_rule, '
    'no_candidate or at_capacity.';
COMMENT ON COLUMN pool.routing_waiting.tried_at IS
    'When that was found; NULL = not tried yet.';
COMMENT ON COLUMN pool.routing_waiting.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.routing_waiting.pool_id IS 'Pool (id).';

CREATE VIEW pool.rota WITH (security_barrier) AS
SELECT p.name AS pool, r.name AS rule, m.key AS member,
    s.seat_from AS started_at, s.seat_until AS ended_at,
    s.seat_until > pool.clock() AS present, r.pool_id
FROM pool.routing_state s
JOIN pool.routing_rule r ON r.id = s.rule_id
JOIN pool.pool p ON p.id = r.pool_id
JOIN pool.member m ON m.id = s.member_id
WHERE s.seat_from IS NOT NULL
    AND CASE WHEN (SELECT pool.current_member_id()) IS NULL
        THEN s.tenant_id = ANY (ARRAY(
            SELECT v.tenant_id FROM pool.visible_tenant v))
        ELSE r.pool_id = ANY (ARRAY(
            SELECT g.pool_id FROM pool.managed_pool g))
        END;

COMMENT ON VIEW pool.rota IS
    'Routing rules whose leads go to a few members at a time: the last seat '
    'of each. Seats pass on when the rule is used after their end, to those '
    'who had one the longest ago.';
COMMENT ON COLUMN pool.rota.pool IS 'Pool.';
COMMENT ON COLUMN pool.rota.rule IS 'Routing rule.';
COMMENT ON COLUMN pool.rota.member IS 'Key of the member.';
COMMENT ON COLUMN pool.rota.started_at IS 'When his last seat began.';
COMMENT ON COLUMN pool.rota.ended_at IS 'When it ends, or ended.';
COMMENT ON COLUMN pool.rota.present IS 'Whether he has it now.';
COMMENT ON COLUMN pool.rota.pool_id IS 'Pool (id).';
