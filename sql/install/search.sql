-- Finding leads (search.c).

CREATE FUNCTION pool.search_terms(
    key text, name text, source text, grade text, attributes jsonb)
RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'pool_search_terms'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION pool.search_terms(text, text, text, text, jsonb) IS
    'What the search index holds of a lead: hashes of neighbouring characters '
    'of its key and name and of each field with its value.';

CREATE INDEX lead_data_search_idx ON pool.lead_data
    USING gin (pool.search_terms(key, name, source, grade, attributes));

CREATE FUNCTION pool.search(
    pool text, match jsonb DEFAULT NULL, query text DEFAULT NULL,
    n integer DEFAULT 50, after_id bigint DEFAULT NULL,
    scope text DEFAULT 'open', actor text DEFAULT NULL,
    OUT lead_id bigint, OUT key text, OUT name text, OUT source text,
    OUT grade text, OUT priority integer, OUT attributes jsonb,
    OUT member text, OUT entered_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_search'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 50;
COMMENT ON FUNCTION pool.search(
    text, jsonb, text, integer, bigint, text, text) IS
    'Leads of a pool that fit: match names any number of fields of the lead''s '
    'document, each with a value, an array (any of them) or {"from": ..., '
    '"to": ...}; query is words, all of which must occur in the name or key, '
    'whatever their case or width, a Chinese one of one character too. scope: '
    'open (available leads, for members and managers; masked, and what is '
    'masked is not searched), mine (those the caller owns, in any pool if pool '
    'is NULL), team (owned ones of the pool and of those below, for '
    'managers). By id: pass the last lead_id as after_id for the next n (1 to '
    '10000). member is the owner. Errors: PO001, PO002, PO003, PO004, PO005, '
    '22004, 22023.';
