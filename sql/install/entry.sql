-- What comes after entry: review, merge, and what a load would do
-- (review.c, merge.c, verdict.c).

CREATE FUNCTION pool.review(
    leads bigint[], decision text, reason text DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_review'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.review(bigint[], text, text, text, uuid) IS
'A manager decides on leads that wait in review. decision accept: they enter the queue of their pool as the newest of their band, or go to whom its routing rules choose; reject: they are archived. One row per distinct id, in the order given.
Outcomes: accepted; rejected; not_in_review; contended; not_found. A refusal tells the key only where history() would tell the caller of the lead.
Errors: PO002, PO004, PO005 manager needed, PO010, 22004, 22023 bad ids, another decision, or a reason of more than 200 characters.';

CREATE FUNCTION pool.merge(
    lead bigint, "into" bigint, reason text DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_merge'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.merge(bigint, bigint, text, text, uuid) IS
'A manager of both pools says that two leads are one customer. lead is archived with the reason merged; its identities go to the lead "into", and so do name, grade and attributes that this one lacks. Whoever enters the archived lead''s key from now on meets the other. Both have the event merged. To erase the customer, erase both.
The row is about the lead "into". Outcomes: merged; already_closed (lead is converted or archived, or "into" is archived); owned (lead has an owner who does not own "into": transfer or reclaim it first); identity_owned (another member owns a lead of the same customer); contended; not_found (of another tenant, or erased, included).
Errors: PO002, PO004, PO005 manager needed, PO010, 22004, 22023 the same lead twice, attributes that are too long together, or a reason of more than 200 characters.';

CREATE FUNCTION pool.intake_check(
    OUT row_number integer, OUT key text, OUT outcome text,
    OUT lead_id bigint, OUT member text, OUT status text,
    OUT home_pool text, OUT rule text, OUT reason text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_intake_check'
    LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000;
COMMENT ON FUNCTION pool.intake_check() IS
'What became of each row of the last INSERT or COPY into pool.intake of this session and user; after SET pool_ext.intake_mode = ''check'' (in quotes: it is a keyword) what would have become of it. One row for each, in the order of the statement; row_number counts from 1. Columns and outcomes are those of enter(), and error (reason says why): in check mode a row that cannot be entered at all does not end the statement. lead_id is NULL for new leads of a check. Count verdicts by grouping by outcome. Behind a pooler call it in the transaction of the load. What a load reports is forgotten when it is rolled back, what a check reports when the next statement into pool.intake begins.';

CREATE VIEW pool.lead_review WITH (security_barrier) AS
SELECT s.id AS lead_id, d.key, d.name, d.source, d.grade, s.priority,
    d.attributes, p.name AS pool, s.entered_at, p.id AS pool_id, d.created_at
FROM pool.lead_state s
JOIN pool.pool p ON p.id = s.pool_id
JOIN pool.lead_data d ON d.id = s.id
WHERE s.status = 'review'
    AND s.pool_id = ANY (ARRAY(SELECT g.pool_id FROM pool.managed_pool g));

COMMENT ON VIEW pool.lead_review IS
    'Leads that wait for review() in the pools the caller manages and in the '
    'pools below them.';
COMMENT ON COLUMN pool.lead_review.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_review.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_review.name IS 'Name of the lead.';
COMMENT ON COLUMN pool.lead_review.source IS 'Source (channel) of the lead.';
COMMENT ON COLUMN pool.lead_review.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.lead_review.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_review.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead_review.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_review.entered_at IS
    'Since when it has waited.';
COMMENT ON COLUMN pool.lead_review.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_review.created_at IS
    'When the lead was created.';
