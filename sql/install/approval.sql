-- Requests that somebody has to grant.

------------------------------------------------------------------------
-- Asking (propose.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.request_claim(
    lead bigint, reason text DEFAULT NULL, member text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_request_claim'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.request_claim(bigint, text, text, uuid) IS
'The member asks to claim a lead that claim_leads() answers approval for. Until the request is decided, cancelled or over, the lead is reserved for him: others see hidden. Approving the last step claims it; quotas are charged then.
The steps are the approval rules for claim that match the lead, in order; without any, every manager of the pool decides, in one step that does not expire.
Outcomes: requested (approval_id; expires_at, NULL = when it is decided); already_requested (his own open one); not_needed (claim it); and what a claim would be refused with: taken, not_available, not_member, away, pool_disabled, level, hidden (reserved for another, too), cooldown, identity_owned, too_soon, claim_limit, hold_limit (what is reserved for him in the pool counts), contended, not_found. Errors: PO002, PO004, PO010, 22004.';

CREATE FUNCTION pool.request_transfer(
    lead bigint, to_member text DEFAULT NULL, reason text DEFAULT NULL,
    member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_request_transfer'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.request_transfer(bigint, text, text, text, uuid) IS
'The owner (or a manager) asks that his lead be given to another member or, without one, to anybody but him: approved, it goes back to its pool, whose routing rules, if it has any, give it to another at the next tick. Meanwhile it stays his.
Outcomes: requested; already_requested; not_needed (a manager may transfer it himself); not_owner; not_member (the receiver is not of the lead''s pool); contended; not_found. Errors: PO002, PO004, PO010, 22004.';

CREATE FUNCTION pool.request_extension(
    lead bigint, by interval, reason text DEFAULT NULL,
    member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_request_extension'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.request_extension(bigint, interval, text, text, uuid) IS
'The owner (or a manager) asks for more time. Approved, no timer acts on the lead for so long after the next one would (after now, if none would): its protected_until.
Outcomes: requested; already_requested; limit (pool.extension_limit in this spell); not_owner; contended; not_found. Errors: PO002, PO004, PO010, 22004, 22023 by is nothing, has negative parts or is longer than 100 years.';

CREATE FUNCTION pool.request(
    action text, lead bigint, member text DEFAULT NULL,
    to_pool text DEFAULT NULL, reason text DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_request'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.request(text, bigint, text, text, text, text, uuid) IS
'Asks for what the function of the same name answered approval for, or for what the actor has no right to: assign (to member, who is needed), transfer (to member, or back to the pool), release, move (to to_pool, which is needed), archive (reason is needed). member and to_pool are what that function would get. Nothing changes before it is approved. transfer and release are for the owner and for managers, the others for every member of the pool.
Outcomes: requested; already_requested; not_needed (call the function); not_owner; not_member (actor or receiver is not of the pool); taken; not_available; already_closed; reason_unknown (of a release or an archive: no word of the pool); contended; not_found. Errors: PO001, PO002, PO004, PO010, 22004, 22023 another action.';

CREATE FUNCTION pool.cancel_request(
    approval_id bigint, member text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_cancel_request'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.cancel_request(bigint, text, uuid) IS
'Whoever asked asks no longer; what was reserved for him may be claimed again.
Outcomes: cancelled; already_decided; contended; not_found (or somebody else''s). Errors: PO002, PO004, PO010, 22004.';

------------------------------------------------------------------------
-- Deciding (decide.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.approve(
    approval_id bigint, note text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text, OUT reason text,
    OUT step integer)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_approve'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.approve(bigint, text, text, uuid) IS
'A manager of the request''s pool or of one above it, of the level the step needs, grants a request. With the last step what was asked for is judged again and done in the same transaction, with the rights of the member it is for; for to_pool the actor needs the right of whoever would do it himself. Whoever has the right may decide his own request, and the log says so. The event of what was done comes before approved. Of a suggestion of a routing rule, it is done before its time.
Outcomes: approved (done); next_step (step is the one now open); refused (reason is the outcome it would have, such as hold_limit; the request stays open); already_decided (the request; or the actor has approved an earlier step of it: each step takes another person, and all callers who act for no member are one); expired (its time is over); cancelled (the lead is no longer where it was); contended; not_found. Errors: PO002, PO004, PO005 manager of that level needed, PO010, 22004.';

CREATE FUNCTION pool.reject(
    approval_id bigint, note text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_reject'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.reject(bigint, text, text, uuid) IS
'A manager, as for approve(), refuses a request, or vetoes a suggestion of a routing rule; what was reserved may be claimed again.
Outcomes: rejected; already_decided; cancelled (the lead is no longer where it was); contended; not_found. Errors: PO002, PO004, PO005, PO010, 22004.';

-- What is open: no longer where its time is over or the lead is elsewhere
-- (pool_approval_is_live), be it closed yet or not.
CREATE VIEW pool.approval_open WITH (security_barrier) AS
SELECT a.id, p.name AS pool, a.lead_id,
    CASE WHEN 'key' = ANY (p.masked_attributes) AND s.owner_id IS NULL
            AND NOT o.decides
        THEN NULL ELSE d.key END AS key,
    a.action, a.step, ap.key AS applicant, m.key AS member, a.reason,
    a.created_at, a.expires_at, a.min_level, tp.name AS to_pool,
    a.span, rr.name AS rule, o.decides, a.pool_id
FROM pool.approval a
JOIN pool.pool p ON p.id = a.pool_id
JOIN pool.lead_state s ON s.id = a.lead_id
JOIN pool.lead_data d ON d.id = a.lead_id
LEFT JOIN pool.member ap ON ap.id = a.applicant_id
LEFT JOIN pool.member m ON m.id = a.member_id
LEFT JOIN pool.pool tp ON tp.id = a.to_pool_id
LEFT JOIN pool.routing_rule rr ON rr.id = a.from_rule_id
CROSS JOIN LATERAL (
    SELECT a.pool_id = ANY (ARRAY(
            SELECT q.id
            FROM pool.pool q
            WHERE pool.is_team_manager(q.id)
                OR ((SELECT pool.current_member_id()) IS NULL
                    AND q.tenant_id = ANY (ARRAY(
                        SELECT v.tenant_id FROM pool.visible_tenant v)))))
        AS decides
) o
WHERE a.status = 'open'
    AND (o.decides OR a.applicant_id = (SELECT pool.current_member_id()))
    AND (a.expires_at IS NULL OR a.expires_at > (SELECT pool.clock())
        OR a.from_rule_id IS NOT NULL AND a.action = 'assign')
    AND s.pool_id = a.pool_id
    AND s.claims = coalesce(a.claims, s.claims)
    AND (s.status <> 'available' OR s.entered_at <= a.created_at)
    AND CASE a.action
        WHEN 'claim' THEN s.status = 'available'
            AND s.reserved_for = a.member_id
        WHEN 'assign' THEN s.status = 'available'
        WHEN 'move' THEN s.status = 'available'
        WHEN 'archive' THEN s.status NOT IN ('converted', 'archived')
        ELSE s.status = 'owned'
    END;

COMMENT ON VIEW pool.approval_open IS
    'Requests that wait for a decision: those of the pools the caller manages '
    'and of the pools below them, and his own; for a caller who is no member, '
    'of the tenants he may see.';
COMMENT ON COLUMN pool.approval_open.id IS
    'Request; what approve() and reject() get.';
COMMENT ON COLUMN pool.approval_open.pool IS 'Pool whose managers decide.';
COMMENT ON COLUMN pool.approval_open.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.approval_open.key IS
    'The application''s id of the lead; NULL for an applicant where the pool '
    'masks it.';
COMMENT ON COLUMN pool.approval_open.action IS
    'claim, assign, transfer, release, move, archive or extension.';
COMMENT ON COLUMN pool.approval_open.step IS 'Step that is open.';
COMMENT ON COLUMN pool.approval_open.applicant IS
    'Key of the member who asks; NULL = a rule or a service.';
COMMENT ON COLUMN pool.approval_open.member IS
    'Key of the member who is to receive the lead.';
COMMENT ON COLUMN pool.approval_open.reason IS 'Why it is asked for.';
COMMENT ON COLUMN pool.approval_open.created_at IS 'When it was asked for.';
COMMENT ON COLUMN pool.approval_open.expires_at IS
    'When it ends by itself; NULL = never. A suggestion takes effect then.';
COMMENT ON COLUMN pool.approval_open.min_level IS
    'Lowest level of the manager who decides.';
COMMENT ON COLUMN pool.approval_open.to_pool IS 'Pool it is to go to.';
COMMENT ON COLUMN pool.approval_open.span IS
    'How much longer, for extension; how long hidden, for a release that a '
    'result of a follow-up asks for.';
COMMENT ON COLUMN pool.approval_open.rule IS
    'Routing rule that suggests it; NULL = somebody asks.';
COMMENT ON COLUMN pool.approval_open.decides IS
    'Whether the caller manages the pool, or sees all of it.';
COMMENT ON COLUMN pool.approval_open.pool_id IS
    'Pool whose managers decide (id).';
