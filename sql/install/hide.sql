-- Leads hidden from claims, and leads protected from timers (hide.c).

CREATE FUNCTION pool.hide(
    leads bigint[], until timestamptz DEFAULT NULL, reason text DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_hide'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.hide(bigint[], timestamptz, text, text, uuid) IS
'A manager keeps available leads from being claimed until then (NULL = until unhide()). They keep their place in the queue and are not in lead_open, and managers may still assign, move and archive them, which for assigned and archived ones ends it. Hiding again sets another end.
Outcomes: hidden; not_available (owned or closed); reserved (for whoever asked to claim it: decide his request; or by reserve(), for a short time); contended; not_found. Errors: PO002, PO004, PO005 manager needed, PO010, 22004, 22023 until is over.';

CREATE FUNCTION pool.unhide(
    leads bigint[], reason text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_unhide'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.unhide(bigint[], text, text, uuid) IS
'A manager lets hidden leads be claimed again.
Outcomes: unhidden; not_hidden; not_available; reserved; contended; not_found. Errors: PO002, PO004, PO005, PO010, 22004, 22023.';

CREATE FUNCTION pool.protect(
    leads bigint[], until timestamptz DEFAULT NULL,
    span interval DEFAULT NULL, reason text DEFAULT NULL,
    member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_protect'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.protect(bigint[], timestamptz, interval, text, text, uuid) IS
'The owner, or a manager, keeps timers from acting on owned leads until then or for so long (in the pool''s zone, from now); without either as long as pool.protect_for allows. It ends with the spell. Protecting again sets another end.
Outcomes: protected; not_owner; limit (the owner protects pool.protect_limit leads of this pool already); too_long (more than pool.protect_for); contended; not_found. Errors: PO002, PO004, PO010, 22004, 22023 both ends named, or an end that is over.';

CREATE FUNCTION pool.unprotect(
    leads bigint[], reason text DEFAULT NULL, member text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_unprotect'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.unprotect(bigint[], text, text, uuid) IS
'The owner, or a manager, ends the protection of leads.
Outcomes: unprotected; not_protected; not_owner; contended; not_found. Errors: PO002, PO004, PO010, 22004, 22023.';
