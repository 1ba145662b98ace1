-- Leads that members reserve for themselves before they claim them (lease.c).

CREATE FUNCTION pool.reserve(
    leads bigint[], for_time interval DEFAULT NULL, member text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text,
    OUT reserved_until timestamptz, OUT retry_at timestamptz,
    OUT limit_value integer, OUT used integer)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_reserve_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.reserve(bigint[], interval, text, uuid) IS
'The member keeps available leads for himself for a short time, to look at them before he decides: for so long, at most and by default as long as pool.reserve_for says. Until then claims of others pass over them, and claim_leads() answers them hidden. It ends by itself, with unreserve(), and when the lead is claimed, assigned to him, moved or archived; a reservation that stands is not prolonged. Nothing is charged, and what the pool masks stays masked, the key included. Whom a request or a suggestion keeps a lead for needs none.
Outcomes: reserved (reserved_until); limit (pool.reserve_limit of his reservations in this pool stand: limit_value, used, and retry_at when the first one ends); too_long (more than pool.reserve_for); and what claim_leads() would refuse the lead with: taken, contended, not_available, not_member, away, pool_disabled, level, approval, hidden (reserved for another, too), cooldown, identity_owned, too_soon, claim_limit, hold_limit, not_found. Errors: PO002, PO004, PO010, 22004, 22023 for_time is nothing, has negative parts or is longer than 100 years.';

CREATE FUNCTION pool.unreserve(
    leads bigint[], member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_unreserve_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.unreserve(bigint[], text, uuid) IS
'The member lets go of leads that he has reserved. What his request reserves for him, cancel_request() lets go.
Outcomes: unreserved; not_reserved (by him, or no longer); contended; not_found. Errors: PO002, PO004, PO010, 22004, 22023.';
