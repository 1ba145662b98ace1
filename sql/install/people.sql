-- People: who helps with a lead, who is away, who leaves (team.c, people.c,
-- offboard.c, run.c).

CREATE FUNCTION pool.add_collaborator(
    lead bigint, member text, role text DEFAULT 'helper',
    counts boolean DEFAULT false, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_add_collaborator'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.add_collaborator(bigint, text, text, boolean, text, uuid) IS
'The owner of a lead, or a manager (actor; default the caller), lets another member help with it as helper, mentor or deputy. He sees it in lead_shared and history() and writes follow-ups; with counts these move its clocks as the owner''s do, and without it they change nothing of the lead. A deputy whose follow-ups count may end the spell by a result; any deputy is the first to receive the lead when its owner leaves. Helping ends with the spell, but goes on through transfers; converted events name who helped. Called again it changes role and counts.
Outcomes: added; already (so it is, or he is the owner); not_owner (the lead is not owned, or actor neither owns it nor manages its pool); not_member (he does not belong to its pool as member or manager); inactive (away, leaving or left); contended; not_found.
Errors: PO002, PO004, PO010, 22004, 22023 unknown role.';

CREATE FUNCTION pool.remove_collaborator(
    lead bigint, member text, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_remove_collaborator'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.remove_collaborator(bigint, text, text, uuid) IS
'A member helps with a lead no longer: said by its owner, a manager (actor; default the caller) or himself.
Outcomes: removed; none (he did not help); not_owner; contended; not_found. Errors: PO002, PO004, PO010, 22004.';

CREATE FUNCTION pool.set_away(
    member text DEFAULT NULL, until timestamptz DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT member_key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_set_away'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.set_away(text, timestamptz, text, uuid) IS
'A member (default: the caller''s own) is away until then, or until set_active(): said by himself, by a manager of one of his pools (actor; default the caller) or by a service. As after UPDATE pool.member SET status, nothing is given to him by any path once this is committed; what he holds he keeps. Ticks end an absence whose time is over.
Outcomes: away; already (so it is); leaving, left (he does not come back by it). Errors: PO002, PO004, PO005 manager needed, PO010, 22023 until is in the past.';

CREATE FUNCTION pool.set_active(
    member text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT member_key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_set_active'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.set_active(text, text, uuid) IS
'A member (default: the caller''s own) is back; who may say so is as for set_away().
Outcomes: active; already; leaving, left (cancel_run() or an administrator brings him back). Errors: PO002, PO004, PO005, PO010.';

CREATE FUNCTION pool.offboard(
    member text, successor text DEFAULT NULL, to_pool text DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT run bigint, OUT planned bigint, OUT done bigint,
    OUT skipped bigint)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_offboard'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.offboard(text, text, text, text, uuid) IS
'A member leaves. The first call sets his status to leaving, so that nothing can be given to him once it is committed, and writes a run; ticks, and further calls of this function, take his leads away in chunks of pool_ext.worker_batch, in the order of their ids, those of one customer together, waiting for no lead. Each lead goes to a deputy among its collaborators, else to the successor while his limits and pools allow (in its own pool, else in to_pool), else to to_pool or its own pool; its event (transferred or released) has the reason offboarding and the run in its detail. When no lead is left, he helps nobody any longer, and the open requests that he made or that would give him a lead are cancelled, his status is left and the run done. Whatever interrupts it, it goes on where it was; if an administrator sets another status meanwhile, it is cancelled.
planned is what he held at first, done what was taken away, skipped what others hold just now: it is looked at again. pool.run.detail counts what each member and pool has received. The actor (default the caller) manages all pools the member belongs to or holds leads in, and to_pool.
Outcomes: running; done; left (he had left, and holds nothing); busy (a relocate() is under way); contended (somebody else works on the run); cancelled (he is no longer leaving). Errors: PO001, PO002, PO004, PO005, PO010, 22004, 22023 successor or pool do not fit.';

CREATE FUNCTION pool.relocate(
    member text, condition jsonpath DEFAULT NULL, to_pool text DEFAULT NULL,
    successor text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT run bigint, OUT planned bigint, OUT done bigint,
    OUT skipped bigint)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_relocate'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.relocate(text, jsonpath, text, text, text, uuid) IS
'A member changes his post: as offboard(), but he stays what he is, and only leads whose document meets the condition (a jsonpath predicate; NULL = all) are taken away, with the reason relocation. planned counts all that he held.
Outcomes and errors as for offboard(); busy: an offboard() is under way; 22023 also where condition is no predicate.';

CREATE FUNCTION pool.cancel_run(
    run bigint, actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT run_id bigint)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_cancel_run'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.cancel_run(bigint, text, uuid) IS
'Stops a run of offboard() or relocate(). What it has done stays; a member who was leaving is again what he was before. Who may is as for offboard().
Outcomes: cancelled; not_running; not_found. Errors: PO002, PO004, PO005, PO010, 22004.';

CREATE VIEW pool.lead_shared WITH (security_barrier) AS
SELECT s.id AS lead_id, d.key, d.name, d.source, d.grade, s.priority,
    d.attributes, p.name AS pool, o.key AS owner, c.role, c.counts, c.since,
    p.id AS pool_id, s.owner_id, s.owned_at, s.first_follow_up_at,
    s.last_follow_up_at, s.next_follow_up_at, s.follow_ups, s.last_result,
    s.stage
FROM pool.member m
JOIN pool.collaborator c ON c.member_id = m.id
JOIN pool.lead_state s ON s.id = c.lead_id
JOIN pool.lead_data d ON d.id = s.id
JOIN pool.pool p ON p.id = s.pool_id
LEFT JOIN pool.member o ON o.id = s.owner_id
WHERE m.id = (SELECT pool.current_member_id())
    AND m.status <> 'left'
    AND s.owner_id IS NOT NULL;

COMMENT ON VIEW pool.lead_shared IS
    'Leads of others that the caller helps with (add_collaborator).';
COMMENT ON COLUMN pool.lead_shared.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_shared.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_shared.name IS 'Name of the lead.';
COMMENT ON COLUMN pool.lead_shared.source IS 'Source (channel) of the lead.';
COMMENT ON COLUMN pool.lead_shared.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.lead_shared.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_shared.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead_shared.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_shared.owner IS 'Key of the owner.';
COMMENT ON COLUMN pool.lead_shared.role IS
    'What the caller is there: helper, mentor or deputy.';
COMMENT ON COLUMN pool.lead_shared.counts IS
    'Whether the caller''s follow-ups count.';
COMMENT ON COLUMN pool.lead_shared.since IS 'Since when he helps.';
COMMENT ON COLUMN pool.lead_shared.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_shared.owner_id IS 'Owner (id).';
COMMENT ON COLUMN pool.lead_shared.owned_at IS 'Start of the present spell.';
COMMENT ON COLUMN pool.lead_shared.first_follow_up_at IS
    'First follow-up of this spell.';
COMMENT ON COLUMN pool.lead_shared.last_follow_up_at IS
    'Last counted follow-up of this spell.';
COMMENT ON COLUMN pool.lead_shared.next_follow_up_at IS
    'When the owner means to follow up next.';
COMMENT ON COLUMN pool.lead_shared.follow_ups IS
    'Counted follow-ups of this spell.';
COMMENT ON COLUMN pool.lead_shared.last_result IS
    'Result of the last follow-up that had one.';
COMMENT ON COLUMN pool.lead_shared.stage IS 'Stage the lead has reached.';
