-- Masked data before a claim (reveal.c).

CREATE FUNCTION pool.reveal(
    lead bigint, member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text, OUT name text,
    OUT source text, OUT grade text, OUT attributes jsonb,
    OUT identities jsonb, OUT limit_value integer, OUT used integer)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_reveal'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.reveal(bigint, text, uuid) IS
    'Shows a member an available lead of his pool unmasked, identities '
    'included, and writes the event revealed. Leads seen are counted per pool '
    'and day of the member, each once a day: used, of limit_value '
    '(pool.reveal_limit; NULL = no limit). Outcomes: revealed, reveal_limit, '
    'not_available (owned or closed), not_member, contended, not_found. If the '
    'transaction is undone, so are the count and the event; the server''s log '
    'then says which member was shown how many leads of which pool. '
    'Errors: PO002, PO004, PO010, 22004, 25006.';

CREATE FUNCTION pool.lookup(
    identities jsonb, tenant text DEFAULT NULL,
    OUT kind text, OUT found boolean, OUT place text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_lookup'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 2;
COMMENT ON FUNCTION pool.lookup(jsonb, text) IS
    'Whether a customer is known, by identities such as {"phone": "..."}, '
    'normalised as at entry: one row per identity given. place is pool (in a '
    'public pool or in review), private (somebody owns it) or closed; NULL if '
    'it is not found. It tells neither whose it is nor in which pool. tenant '
    'defaults to the caller''s, else to "default". Errors: 22004, 22023.';
