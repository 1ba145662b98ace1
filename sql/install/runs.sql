-- Runs: plans, their application, the brake, undoing.

CREATE FUNCTION pool.reclaim_due(
    lead_id bigint, rule_id integer, as_of timestamptz,
    OUT due_rule integer, OUT due_at timestamptz, OUT warned boolean)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_reclaim_due'
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 1;
COMMENT ON FUNCTION pool.reclaim_due(bigint, integer, timestamptz) IS
'The timer rule that has made an owned lead due by that moment, and since when; no row if none has. Not warned: it would act, had the owner had the notice it demands, and no other rule acts. With a rule only that one is asked, in force or not. For plans; granted to nobody.';

CREATE FUNCTION pool.plan_reclaim(
    pool text, rule text DEFAULT NULL, actor text DEFAULT NULL,
    request_id uuid DEFAULT NULL,
    OUT outcome text, OUT token uuid, OUT run_id bigint,
    OUT expires_at timestamptz, OUT leads bigint, OUT unwarned bigint,
    OUT by_owner jsonb, OUT by_rule jsonb, OUT by_grade jsonb)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_plan_reclaim'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.plan_reclaim(text, text, text, uuid) IS
'A manager (actor; default the caller) asks what timers would reclaim in a pool now: by all its rules, or by one, which need not be enabled. Nothing changes; the list is kept for 24 hours (pool.run_detail shows it) and applied by apply_plan(token). One row: outcome planned, leads in the list, unwarned = due, but by a rule that demands a warning they have not had; by_owner, by_rule and by_grade are objects of counts (key "" = no grade).
Errors: PO001, PO002, PO004, PO005 manager needed, PO007 no such rule that reclaims, PO010, 22004.';

CREATE FUNCTION pool.apply_plan(
    token uuid, actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text, OUT member text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_apply_plan'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION pool.apply_plan(uuid, text, uuid) IS
'A manager reclaims what is in the list of a plan or of a held run, and nothing else; every lead is judged again under its lock. One row per lead, ascending; member is whose it was.
Outcomes: reclaimed; no_longer_due (followed up, edited, protected since); gone (no longer in the spell that was planned for); not_warned (its rule demands a warning); contended (held by a running transaction: apply again); not_found. Applying again changes nothing more but for contended leads, and returns the same rows.
Errors: PO002, PO004, PO005, PO010, 22004, 22023 unknown token, 55000 the plan has expired, or a rule of the pool has changed since.';

CREATE FUNCTION pool.resume_run(
    run_id bigint, actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT resumed_run bigint)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_resume_run'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pool.resume_run(bigint, text, uuid) IS
'A manager lets the timers of a pool go on that its reclaim_limit or reclaim_share has stopped: until the run would have expired (24 hours after it was held) they are not bound by the limits. To reclaim just what the run was held for, apply_plan() its token.
Outcomes: resumed; not_held; not_found. Errors: PO002, PO004, PO005, PO010, 22004.';

CREATE FUNCTION pool.undo_run(
    run_id bigint, actor text DEFAULT NULL, request_id uuid DEFAULT NULL,
    OUT outcome text, OUT lead_id bigint, OUT key text, OUT member text)
RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'pool_undo_run'
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION pool.undo_run(bigint, text, uuid) IS
'A manager gives back what a run has taken, to those it was taken from and in the pools where they had it: a new spell, with clocks that begin anew, whose event assigned names the run (detail undo). What offboard() or relocate() has given to others is transferred back; the member must be active again, and the actor manages all of his pools. Cooldown and claim limits do not count. One row per lead, ascending; member is who had it.
Outcomes: undone; changed (something has happened to the lead since: it is left alone); not_member; inactive; hold_limit; identity_owned (another member owns a lead of the same customer by now); contended; not_found. Undoing is a run itself.
Errors: PO002, PO004, PO005, PO010, 22004, 22023 unknown run, 55000 a run over many pools, for whoever is no service.';

-- What BI tools and managers see of them ------------------------------

CREATE VIEW pool.stat_run WITH (security_barrier) AS
SELECT r.id AS run_id, p.name AS pool, m.key AS member, r.kind,
    CASE WHEN r.status IN ('planned', 'held') AND r.expires_at <= pool.clock()
        THEN 'expired' ELSE r.status END AS status,
    a.key AS actor, r.started_at, r.ended_at, r.expires_at, r.planned, r.done,
    r.skipped, round(r.done::numeric / nullif(r.planned, 0), 4) AS done_rate,
    CASE WHEN pool.is_team_manager(r.pool_id)
            OR (SELECT pool.current_member_id()) IS NULL
        THEN r.token::text END AS token,
    r.pool_id, r.member_id, r.tenant_id
FROM pool.run r
LEFT JOIN pool.pool p ON p.id = r.pool_id
LEFT JOIN pool.member m ON m.id = r.member_id
LEFT JOIN pool.member a ON a.id = r.actor_id
WHERE r.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v));

COMMENT ON VIEW pool.stat_run IS
    'Every run of many leads: plans, what timers reclaimed (one row per tick '
    'and pool), runs held by the brake, undoings, offboarding and the like.';
COMMENT ON COLUMN pool.stat_run.run_id IS 'Run.';
COMMENT ON COLUMN pool.stat_run.pool IS 'Pool, if it is about one.';
COMMENT ON COLUMN pool.stat_run.member IS
    'Key of the member, if it is about one.';
COMMENT ON COLUMN pool.stat_run.kind IS
    'reclaim (by timers), plan, offboard, relocate or undo.';
COMMENT ON COLUMN pool.stat_run.status IS
    'planned, running, held (the brake has stopped it), done, cancelled or '
    'expired. A reclaim that is running was held and resumed.';
COMMENT ON COLUMN pool.stat_run.actor IS
    'Key of the member who began it; NULL = a service or time.';
COMMENT ON COLUMN pool.stat_run.started_at IS 'When it began.';
COMMENT ON COLUMN pool.stat_run.ended_at IS
    'When it ended; NULL = not yet.';
COMMENT ON COLUMN pool.stat_run.expires_at IS
    'Until when it can be applied or holds the timers; NULL = no bound.';
COMMENT ON COLUMN pool.stat_run.planned IS
    'Leads it is about; denominator of done_rate.';
COMMENT ON COLUMN pool.stat_run.done IS
    'Leads it has changed; numerator of done_rate.';
COMMENT ON COLUMN pool.stat_run.skipped IS 'Leads it has left alone.';
COMMENT ON COLUMN pool.stat_run.done_rate IS
    'round(done / planned, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_run.token IS
    'What apply_plan() takes; for managers of the pool and services.';
COMMENT ON COLUMN pool.stat_run.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_run.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_run.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.run_detail WITH (security_barrier) AS
SELECT l.run_id, l.lead_id, d.key, m.key AS member, t.name AS rule, d.grade,
    l.due_at, l.outcome, l.event_id, r.pool_id, l.member_id, l.rule_id
FROM pool.run r
JOIN pool.run_lead l ON l.run_id = r.id
LEFT JOIN pool.lead_data d ON d.id = l.lead_id
LEFT JOIN pool.member m ON m.id = l.member_id
LEFT JOIN pool.timer_rule t ON t.id = l.rule_id
WHERE pool.is_team_manager(r.pool_id)
    OR ((SELECT pool.current_member_id()) IS NULL
        AND r.tenant_id = ANY (ARRAY(
            SELECT v.tenant_id FROM pool.visible_tenant v)));

COMMENT ON VIEW pool.run_detail IS
    'The leads of plans, held runs, undoings and the like, of the pools the '
    'caller manages. What timers reclaim has events only.';
COMMENT ON COLUMN pool.run_detail.run_id IS 'Run.';
COMMENT ON COLUMN pool.run_detail.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.run_detail.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.run_detail.member IS 'Key of its owner then.';
COMMENT ON COLUMN pool.run_detail.rule IS 'Timer rule that made it due.';
COMMENT ON COLUMN pool.run_detail.grade IS 'Grade of the lead now.';
COMMENT ON COLUMN pool.run_detail.due_at IS 'When it was due.';
COMMENT ON COLUMN pool.run_detail.outcome IS
    'What became of it; NULL = nothing yet.';
COMMENT ON COLUMN pool.run_detail.event_id IS 'Event that the run wrote.';
COMMENT ON COLUMN pool.run_detail.pool_id IS 'Pool of the run (id).';
COMMENT ON COLUMN pool.run_detail.member_id IS 'Owner then (id).';
COMMENT ON COLUMN pool.run_detail.rule_id IS 'Timer rule (id).';
