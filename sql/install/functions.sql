-- Functions.  What they do is in C; see the room named in the comment.

------------------------------------------------------------------------
-- Who calls (access.c, history.c, clock.c)
------------------------------------------------------------------------

COMMENT ON FUNCTION pool.default_tenant() IS
'Id of the tenant "default", which the first pool or member that names none brings into being.';

CREATE FUNCTION pool.current_member() RETURNS text
    AS 'MODULE_PATHNAME', 'pool_current_member'
    LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.current_member() IS
'Key of the member behind this session: the one act_as() named in this transaction, else the one whose login is the role of SET ROLE. NULL if there is none.';

CREATE FUNCTION pool.current_member_id() RETURNS integer
    AS 'MODULE_PATHNAME', 'pool_current_member_id'
    LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.current_member_id() IS
'Id of the member behind this session, NULL if there is none, 0 if he has left.';

CREATE FUNCTION pool.act_as(member text) RETURNS void
    AS 'MODULE_PATHNAME', 'pool_act_as'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pool.act_as(text) IS
'Acts for this member until the transaction ends; NULL ends it at once. Whoever may execute it may act for any member he sees: grant it to service accounts only. Errors: PO002 unknown member.';

CREATE FUNCTION pool.sees_tenant(tenant_id integer) RETURNS boolean
    AS 'MODULE_PATHNAME', 'pool_sees_tenant'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.sees_tenant(integer) IS
'Whether the caller may see data of this tenant: a member his own, others what grant_access() opened. For views.';

CREATE FUNCTION pool.is_team_manager(pool_id integer) RETURNS boolean
    AS 'MODULE_PATHNAME', 'pool_is_team_manager'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.is_team_manager(integer) IS
'Whether the caller''s member is manager of this pool or of one above it. For views.';

CREATE FUNCTION pool.clock() RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'pool_clock'
    LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.clock() IS
'The time that counts: the start of this statement, or the setting pool_ext.clock.';

CREATE FUNCTION pool.pool_zone(pool_id integer) RETURNS text
    AS 'MODULE_PATHNAME', 'pool_pool_zone'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.pool_zone(integer) IS
'Name of the time zone that applies in a pool: its own or its tenant''s. For views.';

CREATE FUNCTION pool.member_zone(member_id integer) RETURNS text
    AS 'MODULE_PATHNAME', 'pool_member_zone'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.member_zone(integer) IS
'Name of the time zone that applies to a member: his own or his tenant''s. For views.';

------------------------------------------------------------------------
-- Entry (intake.c, entry.c, edit.c, identity.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.enter(
    pool text, key text, name text DEFAULT NULL, source text DEFAULT NULL,
    grade text DEFAULT NULL, priority integer DEFAULT 0,
    attributes jsonb DEFAULT '{}', identities jsonb DEFAULT '{}',
    owner text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT member text, OUT status text,
    OUT home_pool text, OUT rule text, OUT reason text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_enter'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.enter(text, text, text, text, text, integer, jsonb, jsonb, text, uuid) IS
'Lets a lead into a pool. key is the application''s own id of the customer, unique per tenant; priority 0..100, the highest is claimed first; attributes a JSON object; identities such as {"phone": "...", "email": ["...", "..."]} (phone, email, company, wechat, wecom, tax_id) are normalised and unique per tenant; owner is given the lead at once.
The pool''s entry rules are asked first: they may turn the lead away, send it to another pool or to review, and set its grade; score rules then set its priority. home_pool is the pool it came into; rule names the rule that routed it, or else the entry rule that decided.
Without an owner the pool''s routing rules, if it has any, give it to a member at once (outcome assigned; member, rule and, where a rule handed it over, home_pool say what they did); a lead in review when it is accepted.
Outcomes: entered; assigned (to owner, or by a rule); review (waits for review()); rejected (by a rule, whose reason is told; nothing is stored, lead_id is NULL); duplicate (lead_id, member, status and home_pool are the known lead''s); reopened (an archived lead came back with its id, unless the dictionary''s row of its archive reason says never; or a converted one within the pool''s keep_converted, to its last owner if he may receive it). If the owner may not receive it the outcome is entered (or reopened), member is NULL and reason says why: not_member, inactive, hold_limit, identity_owned (another member owns a lead of the same customer), contended, approval (an approval rule for assign matches, and the caller could not approve it: request() asks) or, where no manager enters a lead again that was his, cooldown. If no rule could give it to anybody, reason is no_rule, no_candidate or at_capacity (ticks try again), or suggested.
What a duplicate does is the pool''s duplicate_policy: reject only reports it; touch notes the inquiry at the known lead (event touched, with the new source), whose priority may change while its owner and deadlines do not; link lets a lead with another key in beside the known one (identities unique within the tenant or, by identity_scope, a part of the pool tree), and one member at a time may own leads of the customer.
Errors: PO001 unknown pool, PO002 unknown owner, PO003 not a member of the pool, PO004 neither member nor service, PO005 naming another owner needs a manager, PO010 request id reused, 22004 no key, 22023 priority, attributes, identities or a text too long, 55P03 where a transaction that holds members'' counters would have to wait for the known lead.';

CREATE FUNCTION pool.edit(
    lead bigint, name text DEFAULT NULL, grade text DEFAULT NULL,
    priority integer DEFAULT NULL, attributes jsonb DEFAULT NULL,
    identities jsonb DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text)
RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'pool_edit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.edit(bigint, text, text, integer, jsonb, jsonb, uuid) IS
'Changes what a lead is called and carries. NULL leaves a thing as it is; attributes are merged, a JSON null removes a key; identities are added, a JSON null takes all of that kind away. No clock starts anew; a new priority moves a lead in the pool to the end of its new band. Where the pool has score rules the priority is what they say of the changed lead, whatever is given.
Outcomes: ok, not_found, duplicate (another lead has one of the identities; nothing is changed), masked (the pool keeps such a field from the caller, who therefore cannot change it before the lead is his), contended (only where this transaction already holds members'' counters).
Errors: PO005 the lead is not the caller''s, 22023 bad values, PO010 request id reused.';

CREATE FUNCTION pool.normalise_identity(
    kind text, value text, country text DEFAULT 'CN') RETURNS text
    AS 'MODULE_PATHNAME', 'pool_normalise_identity'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pool.normalise_identity(text, text, text) IS
'The form in which an identity is compared: phone numbers as +, country and digits (without the 0 or other prefix of calls at home), an extension apart after x; e-mail addresses in lower case; companies in lower case without legal form, spaces and punctuation; tax ids in upper case without spaces; full-width characters as half-width. wechat and wecom stay as they are. country (ISO 3166, two letters) is that of phone numbers that do not say theirs. NULL if nothing is left. Errors: 22023 unknown kind.';

CREATE FUNCTION pool.normaliser_version() RETURNS integer
    AS 'MODULE_PATHNAME', 'pool_normaliser_version'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pool.normaliser_version() IS
'Version of the normal forms of normalise_identity(). It rises whenever the form of any value changes; the update of the extension that raises it normalises stored identities anew.';

CREATE VIEW pool.intake AS
SELECT NULL::text AS pool, NULL::text AS key, NULL::text AS name,
       NULL::text AS source, NULL::text AS grade, NULL::integer AS priority,
       NULL::jsonb AS attributes, NULL::jsonb AS identities,
       NULL::text AS owner, NULL::timestamptz AS created_at,
       NULL::timestamptz AS owned_at,
       NULL::timestamptz AS last_follow_up_at, NULL::text AS status
WHERE false;

CREATE FUNCTION pool.intake_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_intake_row' LANGUAGE C;
COMMENT ON FUNCTION pool.intake_row() IS
'Trigger: collects a row inserted into pool.intake.';
CREATE FUNCTION pool.intake_statement() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_intake_statement' LANGUAGE C;
COMMENT ON FUNCTION pool.intake_statement() IS
'Trigger: enters the rows collected from pool.intake.';
CREATE TRIGGER intake_begin BEFORE INSERT ON pool.intake
    FOR EACH STATEMENT EXECUTE FUNCTION pool.intake_statement();
CREATE TRIGGER intake_row INSTEAD OF INSERT ON pool.intake
    FOR EACH ROW EXECUTE FUNCTION pool.intake_row();
CREATE TRIGGER intake_end AFTER INSERT ON pool.intake
    FOR EACH STATEMENT EXECUTE FUNCTION pool.intake_statement();

------------------------------------------------------------------------
-- Claiming (claim.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.claim(
    pool text, member text DEFAULT NULL, n integer DEFAULT 1,
    match jsonb DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text, OUT name text,
    OUT source text, OUT grade text, OUT priority integer,
    OUT attributes jsonb, OUT due_at timestamptz, OUT retry_at timestamptz,
    OUT limit_value integer, OUT used integer)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_claim'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.claim(text, text, integer, jsonb, uuid) IS
'The member (default: the caller''s own) takes the best n leads (1..10000) of the pool: highest priority first, then longest in the pool. One row claimed for each, as many as quota and stock allow; due_at is when the next timer acts on it.
If none, one row with lead_id NULL. Outcomes: empty; contended (what there is, running transactions hold: try again); none_allowed (stock exists, all barred for this member: by a claim rule, cooldown, need of approval, or because it is hidden or reserved for another; retry_at, where it is known, when the first of them may be had); hold_limit, claim_limit (limit_value, used; retry_at when the day ends); too_soon (retry_at); away (the member is not active); pool_disabled.
match looks for the best of those that fit, else empty: an object of fields of the lead (its own or attributes; its own win) and what each must be: a value, an array (any of these) or {"from": a, "to": b} (both ends included, one may be left out; numbers, or texts by their bytes). All must fit; a field that is an array fits if one element does; a missing field is null, and so is what the pool masks. It is judged lead by lead, in order, so a match that few fit costs a walk through the pool. Errors: PO001, PO002 unknown pool or member, PO003 not a member of the pool, PO004 acting for another, PO010 request id reused, 22023 n or match.';

CREATE FUNCTION pool.claim_leads(
    leads bigint[], member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text,
    OUT due_at timestamptz, OUT retry_at timestamptz,
    OUT limit_value integer, OUT used integer)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_claim_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.claim_leads(bigint[], text, uuid) IS
'The member takes these leads. One row per distinct id, in the order given; each is charged to the membership of its own pool. Never waits for a lead.
Outcomes: claimed; taken (owned, by whomever); contended (a running transaction holds it); not_available (closed); not_member (of its pool); away; pool_disabled; level (a claim rule bars the member: his level, or its condition on members; or a condition that cannot be evaluated; retry_at when a head start ends; explain_claim names the rule); approval (request_claim() asks for it); hidden (or reserved for another), cooldown and too_soon (retry_at); identity_owned (another member owns a lead of the same customer); claim_limit and hold_limit (limit_value, used, retry_at); not_found. A refusal tells the key only where history() would tell the caller of the lead.
Errors: PO002, PO004, PO010, 22004 NULL among the ids, 22023 more than 10000.';

CREATE FUNCTION pool.explain_claim(
    lead bigint, member text DEFAULT NULL,
    OUT test text, OUT passed boolean, OUT detail text,
    OUT retry_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_explain_claim'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 8;
COMMENT ON FUNCTION pool.explain_claim(bigint, text) IS
'Why the member may or may not claim this lead now: one row per test, in the order of enforcement and by the same code. detail is the outcome a claim would have (with used and limit, the rule, or reserved if it is kept for another member), retry_at when time cures it. Tests: available, membership, active, pool_enabled, claim_rules, hidden, cooldown, identity, approval, claim_interval, claim_limit, hold_limit; of a lead the member may not know of the single test exists. Errors: PO002, PO004, 22004.';

------------------------------------------------------------------------
-- Assigning and returning (assign.c, release.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.assign(
    leads bigint[], member text, to_pool text DEFAULT NULL,
    reason text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_assign'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.assign(bigint[], text, text, text, text, uuid) IS
'A manager (actor; default the caller) gives available leads to a member, in their own pools or in to_pool, of which the actor must be manager too. Overrides cooldown, and the event says so; claim limits do not count. Never waits for a lead.
Outcomes: assigned; taken (owned); contended; not_available (closed); reserved (another member keeps it for himself for a while: reserve()); not_member (of the pool); inactive (away, leaving or left); hold_limit; identity_owned (another member owns a lead of the same customer); approval (an approval rule for assign matches, and the actor could not approve it: request() asks); not_found. A refusal tells the key only where history() would tell the caller of the lead.
Errors: PO001, PO002, PO004, PO005 manager needed, PO010, 22004, 22023 bad ids, a reason of more than 200 characters, or pool and member of different tenants.';

CREATE FUNCTION pool.transfer(
    leads bigint[], member text, to_pool text DEFAULT NULL,
    reason text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_transfer'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.transfer(bigint[], text, text, text, text, uuid) IS
'A manager gives owned leads to another member, in their own pools or in to_pool, of which the actor must be manager too. Who helps with them goes on to. A new spell begins for first_contact and follow_up timers; ownership timers go on. Waits for whoever holds a lead, unless this transaction already holds members'' counters: then contended.
Outcomes: transferred; not_owned; not_member; inactive; hold_limit; identity_owned (the owner has other leads of the same customer: name them all in this call, pool.lead.group_id finds them; all of them go, or none); approval (as for assign); contended; not_found. A refusal tells the key only where history() would tell the caller of the lead.
Errors: PO001, PO002, PO004, PO005, PO010, 22004, 22023 as of assign.';

CREATE FUNCTION pool.release(
    leads bigint[], reason text DEFAULT NULL, to_pool text DEFAULT NULL,
    member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_release'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.release(bigint[], text, text, text, uuid) IS
'The owner gives leads back to their pools, or to to_pool, to which he must belong, if only as a viewer, or of which he manages one above. They keep their priority and enter the queue as the newest of their band. Does not refund the claim. A reason may hide them for a while, or spare the cooldown: see pool.dictionary.
Outcomes: released; not_owner; blocked (an approval rule for release matches: request() asks; a manager may reclaim); reason_unknown (no word of the lead''s pool, or none given where it has words); contended; not_found. A refusal tells the key only where history() would tell the caller of the lead. Errors: PO001, PO002, PO003 he does not belong to to_pool, PO004, PO010, 22004, 22023 bad ids or a reason of more than 200 characters.';

CREATE FUNCTION pool.reclaim(
    leads bigint[], reason text DEFAULT NULL, to_pool text DEFAULT NULL,
    actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_reclaim'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.reclaim(bigint[], text, text, text, uuid) IS
'A manager takes owned leads back into their pools, or into to_pool, of which the actor must be manager too.
Outcomes: reclaimed; not_owned; contended; not_found. A refusal tells the key only where history() would tell the caller of the lead. Errors: PO001, PO002, PO004, PO005, PO010, 22004, 22023 bad ids or a reason of more than 200 characters.';

------------------------------------------------------------------------
-- Working (follow_up.c, close.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.follow_up(
    lead bigint, kind text DEFAULT 'note', result text DEFAULT NULL,
    note text DEFAULT NULL, next_at timestamptz DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL, detail jsonb DEFAULT NULL,
    stage text DEFAULT NULL, member text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT event_id bigint, OUT due_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_follow_up'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.follow_up(bigint, text, text, text, timestamptz, timestamptz, jsonb, text, text, uuid) IS
'The owner, or a collaborator who belongs to the lead''s pool, records a contact. One that counts moves the clocks of the lead to the time of recording, whatever occurred_at says; a plan (next_at) lasts until the next contact, result and stage stay with the lead. A result may end the spell at once or plan the next contact: see pool.dictionary. Where an approval rule for release or archive matches, and the caller could not approve it, such a result does not end the spell: the request is filed (event requested, pool.approval_open) unless one is open, and the follow-up stays. due_at is when the next timer takes the lead away as things are, a notice that runs included.
Outcomes: ok; not_counted (recorded, but no clock moves: kind or result do not count, it occurred before the spell began, or the collaborator''s entries do not count: those change nothing of the lead); incomplete (nothing is recorded: kind or result are no words of the pool, or something is missing that follow_up_requires or follow_up_min_chars of the pool demand); not_owner; closed; contended; not_found. Errors: PO002, PO004, PO010, 22004, 22023 a time that is not finite, an occurred_at more than a day ahead of the clock, or a text too long: kind, result and stage have up to 200 characters, note up to 10000, detail up to 64 kB as jsonb.';

CREATE FUNCTION pool.convert(
    lead bigint, amount numeric DEFAULT NULL, currency text DEFAULT NULL,
    member text DEFAULT NULL, request_id uuid DEFAULT NULL,
    credit text DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_convert'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.convert(bigint, numeric, text, text, uuid, text) IS
'The lead is won, by its owner or, for him, a manager. amount is zero or more, of at most 30 digits before and behind the decimal point, in currency. The lead leaves its owner''s holdings; last_owner_id says who won it, and the event who helped. A late win: a manager converts an available lead with credit = the member whose spell on it ended less than 30 days ago; it counts as his conversion, but ends no spell.
Outcomes: converted; already_converted; not_owner; taken (credit is not the owner); no_credit (he had no such spell); contended; not_found. A refusal tells the key only where history() would tell the caller of the lead. Errors: PO002, PO004, PO010, 22004, 22023 amount, or a currency of more than 16 characters.';

CREATE FUNCTION pool.archive(
    leads bigint[], reason text, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_archive'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.archive(bigint[], text, text, uuid) IS
'A manager takes leads out of circulation (invalid, lost), whoever owns them.
Outcomes: archived; already_closed; approval (as for assign); reason_unknown (no word of the lead''s pool, see pool.dictionary); contended; not_found. A refusal tells the key only where history() would tell the caller of the lead. Errors: PO002, PO004, PO005, PO010, 22004 no reason, 22023 bad ids or a reason of more than 200 characters.';

CREATE FUNCTION pool.reopen(
    leads bigint[], to_pool text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_reopen'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.reopen(bigint[], text, text, uuid) IS
'A manager brings closed leads back into their pools, or into to_pool, of which the actor must be manager too. A converted one within its pool''s keep_converted goes on to its last owner, if it comes back to its own pool and he may receive it.
Outcomes: reopened; not_closed; contended; not_found. A refusal tells the key only where history() would tell the caller of the lead. Errors: PO001, PO002, PO004, PO005, PO010, 22004, 22023.';

CREATE FUNCTION pool.move(
    leads bigint[], to_pool text, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_move'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.move(bigint[], text, text, uuid) IS
'A manager moves available leads to another pool, of which he must be manager too; there they enter as the newest of their band.
Outcomes: moved; not_available; approval (as for assign); contended; not_found. A refusal tells the key only where history() would tell the caller of the lead. Errors: PO001, PO002, PO004, PO005, PO010, 22004, 22023.';

CREATE FUNCTION pool.erase(
    leads bigint[], reason text DEFAULT NULL, actor text DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.erase(bigint[], text, text) IS
'A manager removes the personal data of leads: key, name, attributes, identities, notes and reasons in events, stored results. An open lead is archived by it. Leads that were merged into one of them go with it, as far as the log still knows (purge_events); the actor must be manager of their pools too. Counts and amounts stay; reason is kept and must not be personal.
Outcomes: erased; contended; not_found. Errors: PO002, PO004, PO005, 22004, 22023 bad ids or a reason of more than 200 characters.';

------------------------------------------------------------------------
-- Looking (history.c, timer.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.history(
    lead bigint,
    OUT at timestamptz, OUT kind text, OUT member text, OUT actor text,
    OUT reason text, OUT detail jsonb)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_history'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION pool.history(bigint) IS
'What happened to a lead, oldest first; no rows for whoever may not see it. member is the new owner, for endings the former one. Errors: 22004.';

CREATE FUNCTION pool.lead_id(key text, tenant text DEFAULT NULL)
RETURNS bigint
    AS 'MODULE_PATHNAME', 'pool_lead_id'
    LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pool.lead_id(text, text) IS
'Id of the lead with this key, NULL if there is none the caller may know of. tenant defaults to the caller''s, else to "default".';

CREATE FUNCTION pool.next_timer(
    lead_id bigint, acting boolean DEFAULT false, OUT rule_id integer,
    OUT action text, OUT due_at timestamptz)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_next_timer'
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 1;
COMMENT ON FUNCTION pool.next_timer(bigint, boolean) IS
'The timer rule that is due next on an open lead, and when; no row if none will be. With acting only reclaim, move and archive, which take the lead from where it is. Escalations count once per spell, or stay in the pool. For views.';

CREATE FUNCTION pool.lead_progress(lead_id bigint)
RETURNS text
    AS 'MODULE_PATHNAME', 'pool_lead_progress'
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION pool.lead_progress(bigint) IS
'How an owned lead goes on, as in lead_mine.progress; NULL for others. For views.';

------------------------------------------------------------------------
-- Running (tick.c, rollup.c, installation.c, verify.c)
------------------------------------------------------------------------

CREATE FUNCTION pool.tick(
    max_leads integer DEFAULT NULL,
    OUT task text, OUT done bigint, OUT more boolean)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_tick'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION pool.tick(integer) IS
'Does everything that time makes due, in the caller''s transaction; the background worker does the same in small ones. max_leads bounds each task, NULL is no bound. Tasks: recheck (timers after a change of rules), timers (reminders, escalations, reclaims, moves and archiving), approvals (requests whose time is over), people (ends of absences), runs (offboarding and the like), routing (leads that wait for a member), facts (what conditions see of members), rollup (statistics), rewards (the ledger of points), requests (old results, old rows of pool.bypass). done counts what was looked at; more says that some is left. Not for prepared transactions. Errors: 22023.';

CREATE FUNCTION pool.purge_events(before timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'pool_purge_events'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pool.purge_events(timestamptz) IS
'Deletes events older than that, which must be at least three days ago, and returns how many. Statistics keep their sums; each lead keeps its events since its last change of state, and those that a cooldown, a late win (convert) or a quarantine still asks for. Errors: 22004, 22023.';

CREATE FUNCTION pool.resume() RETURNS boolean
    AS 'MODULE_PATHNAME', 'pool_resume'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pool.resume() IS
'Says that this copy of the data is to live: lets the worker run where the data was restored from elsewhere, and lets it try again what it leaves alone because it has crashed the server three times in a row (stat_worker.last_error). True if it did not run before.';

CREATE FUNCTION pool.verify(
    level integer DEFAULT 3,
    OUT check_name text, OUT object text, OUT message text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_verify'
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1;
COMMENT ON FUNCTION pool.verify(integer) IS
'Compares everything that is kept twice, in one snapshot, and returns what differs; no rows mean that every invariant holds. Level 1 looks at settings and counters, 2 also at histories, 3 at all that rows say, 4 also at the files: whether every value can be read and every index finds the rows of its table. pool.verification says what each check means and how to mend it. Errors: 22023 level.';
