-- The public contract: tables, functions, views and settings as specified.
-- Adding to it is fine; what is listed here stays.
\set QUIET on
BEGIN;
SELECT no_plan();

SELECT has_extension('pool_ext');
SELECT is(n.nspname, 'pool', 'it lives in schema pool')
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pool_ext';
SELECT ok(NOT extrelocatable, 'it cannot be moved to another schema')
FROM pg_extension WHERE extname = 'pool_ext';

------------------------------------------------------------------------
-- Tables
------------------------------------------------------------------------

CREATE TEMP VIEW columns AS
SELECT c.relname::text AS rel, c.relkind, a.attname::text AS col, a.attnum,
    format_type(a.atttypid, a.atttypmod) AS type,
    CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END AS nullable,
    CASE WHEN a.attidentity <> '' THEN 'identity'
        ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END AS dflt
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind IN ('r', 'v')
    AND a.attnum > 0 AND NOT a.attisdropped;

-- table.column, type, may it be null, default
CREATE TEMP TABLE wanted (path text, type text, nullable text, dflt text);
INSERT INTO wanted VALUES
    ('tenant.id', 'integer', 'not null', 'identity'),
    ('tenant.name', 'text', 'not null', ''),
    ('tenant.timezone', 'text', 'not null', 'current_setting(''TimeZone''::text)'),
    ('tenant.workdays', 'integer[]', 'not null', '''{1,2,3,4,5}''::integer[]'),
    ('tenant.work_from', 'time without time zone', 'not null', '''09:00:00''::time without time zone'),
    ('tenant.work_until', 'time without time zone', 'not null', '''18:00:00''::time without time zone'),
    ('tenant.country', 'text', 'not null', '''CN''::text'),
    ('calendar.tenant_id', 'integer', 'not null', 'pool.default_tenant()'),
    ('calendar.day', 'date', 'not null', ''),
    ('calendar.is_workday', 'boolean', 'not null', 'false'),
    ('pool.id', 'integer', 'not null', 'identity'),
    ('pool.tenant_id', 'integer', 'not null', 'pool.default_tenant()'),
    ('pool.parent_id', 'integer', 'null', ''),
    ('pool.name', 'text', 'not null', ''),
    ('pool.description', 'text', 'null', ''),
    ('pool.timezone', 'text', 'null', ''),
    ('pool.everyone', 'boolean', 'not null', 'false'),
    ('pool.hold_limit', 'integer', 'null', ''),
    ('pool.claim_limit', 'integer', 'null', ''),
    ('pool.claim_interval', 'interval', 'null', ''),
    ('pool.cooldown', 'interval', 'null', ''),
    ('pool.masked_attributes', 'text[]', 'not null', '''{}''::text[]'),
    ('pool.duplicate_policy', 'text', 'not null', '''reject''::text'),
    ('pool.review', 'boolean', 'not null', 'false'),
    ('pool.route_returned', 'boolean', 'not null', 'false'),
    ('pool.keep_converted', 'interval', 'null', ''),
    ('pool.enabled', 'boolean', 'not null', 'true'),
    ('member.id', 'integer', 'not null', 'identity'),
    ('member.tenant_id', 'integer', 'not null', 'pool.default_tenant()'),
    ('member.key', 'text', 'not null', ''),
    ('member.name', 'text', 'null', ''),
    ('member.login', 'text', 'null', ''),
    ('member.level', 'integer', 'not null', '0'),
    ('member.profile', 'jsonb', 'not null', '''{}''::jsonb'),
    ('member.timezone', 'text', 'null', ''),
    ('member.hold_limit', 'integer', 'null', ''),
    ('member.joined_at', 'timestamp with time zone', 'not null', 'now()'),
    ('member.status', 'text', 'not null', '''active''::text'),
    ('member.away_until', 'timestamp with time zone', 'null', ''),
    ('membership.pool_id', 'integer', 'not null', ''),
    ('membership.member_id', 'integer', 'not null', ''),
    ('membership.role', 'text', 'not null', '''member''::text'),
    ('membership.level', 'integer', 'null', ''),
    ('membership.weight', 'numeric', 'not null', '1'),
    ('membership.hold_limit', 'integer', 'null', ''),
    ('membership.claim_limit', 'integer', 'null', ''),
    ('timer_rule.id', 'integer', 'not null', 'identity'),
    ('timer_rule.pool_id', 'integer', 'not null', ''),
    ('timer_rule.name', 'text', 'not null', ''),
    ('timer_rule.action', 'text', 'not null', '''reclaim''::text'),
    ('timer_rule.basis', 'text', 'not null', ''),
    ('timer_rule.after', 'interval', 'not null', ''),
    ('timer_rule.working_time', 'boolean', 'not null', 'false'),
    ('timer_rule.condition', 'jsonpath', 'null', ''),
    ('timer_rule.remind_before', 'interval[]', 'not null', '''{}''::interval[]'),
    ('timer_rule.notice_required', 'boolean', 'not null', 'false'),
    ('timer_rule.notify', 'text', 'not null', '''owner''::text'),
    ('timer_rule.to_pool_id', 'integer', 'null', ''),
    ('timer_rule.enabled', 'boolean', 'not null', 'true'),
    ('event.id', 'bigint', 'not null', ''),
    ('event.at', 'timestamp with time zone', 'not null', ''),
    ('event.day', 'date', 'not null', ''),
    ('event.xid', 'xid8', 'not null', ''),
    ('event.generation', 'integer', 'not null', ''),
    ('event.tenant_id', 'integer', 'not null', ''),
    ('event.pool_id', 'integer', 'not null', ''),
    ('event.lead_id', 'bigint', 'not null', ''),
    ('event.kind', 'text', 'not null', ''),
    ('event.member_id', 'integer', 'null', ''),
    ('event.actor_id', 'integer', 'null', ''),
    ('event.rule_id', 'integer', 'null', ''),
    ('event.reason', 'text', 'null', ''),
    ('event.source', 'text', 'null', ''),
    ('event.grade', 'text', 'null', ''),
    ('event.detail', 'jsonb', 'null', ''),
    ('identity.tenant_id', 'integer', 'not null', ''),
    ('identity.scope', 'text', 'not null', '''''::text'),
    ('identity.kind', 'text', 'not null', ''),
    ('identity.value', 'text', 'not null', ''),
    ('identity.lead_id', 'bigint', 'not null', ''),
    ('request_log.login', 'text', 'not null', ''),
    ('request_log.function', 'text', 'not null', ''),
    ('request_log.request_id', 'uuid', 'not null', ''),
    ('request_log.at', 'timestamp with time zone', 'not null', '');
SELECT is(c.type || ', ' || c.nullable || ', ' || c.dflt,
    w.type || ', ' || w.nullable || ', ' || w.dflt, 'column ' || w.path)
FROM wanted w LEFT JOIN columns c
    ON c.rel || '.' || c.col = w.path AND c.relkind = 'r';
-- lead is one relation to read, however it is stored
SELECT is((SELECT c.type FROM columns c WHERE c.rel = 'lead' AND c.col = w.col),
    w.type, 'column lead.' || w.col)
FROM (VALUES ('id', 'bigint'), ('tenant_id', 'integer'), ('pool_id', 'integer'),
    ('key', 'text'), ('name', 'text'), ('source', 'text'), ('grade', 'text'),
    ('priority', 'smallint'), ('attributes', 'jsonb'), ('status', 'text'),
    ('owner_id', 'integer'), ('owned_at', 'timestamp with time zone'),
    ('entered_at', 'timestamp with time zone'),
    ('created_at', 'timestamp with time zone'),
    ('first_follow_up_at', 'timestamp with time zone'),
    ('last_follow_up_at', 'timestamp with time zone'), ('follow_ups', 'integer'),
    ('last_result', 'text'), ('next_follow_up_at', 'timestamp with time zone'),
    ('stage', 'text'), ('last_owner_id', 'integer'), ('claims', 'integer'),
    ('protected_until', 'timestamp with time zone'),
    ('hidden_until', 'timestamp with time zone'),
    ('closed_at', 'timestamp with time zone'), ('amount', 'numeric'),
    ('currency', 'text')) w (col, type);
SELECT is(string_agg(col || ' ' || type, ', ' ORDER BY attnum),
    'pool text, key text, name text, source text, grade text, priority integer, '
    'attributes jsonb, identities jsonb, owner text, '
    'created_at timestamp with time zone, owned_at timestamp with time zone, '
    'last_follow_up_at timestamp with time zone, status text', 'columns of intake')
FROM columns WHERE rel = 'intake';

-- every table has a key; nothing a claim writes has a foreign one
SELECT has_pk('pool', relname, relname || ' has a primary key')
FROM pg_class WHERE relnamespace = 'pool'::regnamespace AND relkind = 'r'
    AND relname <> 'access_grant' ORDER BY relname;
SELECT is_empty($$SELECT conrelid::regclass, conname FROM pg_constraint
    WHERE contype = 'f' AND conrelid::regclass::text IN ('pool.lead_state',
        'pool.lead_data', 'pool.identity', 'pool.event', 'pool.member_state',
        'pool.membership_state', 'pool.request_log')$$,
    'no foreign keys on what a claim writes');
SELECT fk_ok('pool', 'pool', ARRAY['tenant_id', 'parent_id'], 'pool', 'pool', ARRAY['tenant_id', 'id']);
SELECT fk_ok('pool', 'membership', ARRAY['tenant_id', 'pool_id'], 'pool', 'pool', ARRAY['tenant_id', 'id']);
SELECT fk_ok('pool', 'membership', ARRAY['tenant_id', 'member_id'], 'pool', 'member', ARRAY['tenant_id', 'id']);
SELECT ok(EXISTS (SELECT FROM pg_constraint c WHERE c.contype IN ('p', 'u')
    AND c.conrelid = ('pool.' || w.rel)::regclass
    AND w.cols = (SELECT string_agg(a.attname, ', ' ORDER BY k.n)
        FROM unnest(c.conkey) WITH ORDINALITY k (num, n)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num)),
    w.rel || ' is unique by ' || w.cols)
FROM (VALUES ('tenant', 'name'), ('pool', 'tenant_id, name'),
    ('member', 'tenant_id, key'), ('member', 'login'),
    ('membership', 'pool_id, member_id'), ('timer_rule', 'pool_id, name'),
    ('lead_data', 'tenant_id, key'), ('lead_state', 'id'),
    ('identity', 'tenant_id, scope, kind, value'), ('event', 'lead_id, id'),
    ('request_log', 'login, request_id')) w (rel, cols);
SELECT is(relkind::text, 'r', 'event is one ordinary table')
FROM pg_class WHERE oid = 'pool.event'::regclass;
-- nothing is there before anybody has put it there, but for the installation
SELECT is_empty(format('SELECT * FROM %s', c.oid::regclass), c.relname || ' is empty')
FROM pg_class c WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind = 'r'
    AND c.relname <> 'installation' ORDER BY c.relname;

-- what has a default may be left out
SELECT lives_ok($$INSERT INTO pool.pool (name) VALUES ('p')$$, 'a pool needs a name');
SELECT lives_ok($$INSERT INTO pool.member (key) VALUES ('m')$$, 'a member needs a key');
SELECT lives_ok($$INSERT INTO pool.membership (pool_id, member_id)
    SELECT p.id, m.id FROM pool.pool p, pool.member m$$, 'a membership needs its ids');
SELECT lives_ok($$INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'r', 'follow_up', '1 day' FROM pool.pool$$,
    'a rule needs a pool, a name, a basis and a time');
SELECT lives_ok($$INSERT INTO pool.calendar (day) VALUES ('2026-10-01')$$,
    'a holiday needs a day');
SELECT results_eq('SELECT name FROM pool.tenant', ARRAY['default'],
    'the tenant default comes with the first of them');
SELECT is(count(DISTINCT tenant_id), 1::bigint, 'all of them are its')
FROM (SELECT tenant_id FROM pool.pool UNION ALL SELECT tenant_id FROM pool.member
    UNION ALL SELECT tenant_id FROM pool.membership
    UNION ALL SELECT tenant_id FROM pool.timer_rule
    UNION ALL SELECT tenant_id FROM pool.calendar) x;
SELECT is((SELECT count(*) FROM pool.membership_state), 1::bigint,
    'a membership has counters');

------------------------------------------------------------------------
-- Functions
------------------------------------------------------------------------

CREATE FUNCTION pg_temp.signature(name text) RETURNS text LANGUAGE sql AS $$
    SELECT replace(replace(replace(pg_get_function_arguments(p.oid),
        '::timestamp with time zone', ''), 'timestamp with time zone', 'timestamptz'),
        'DEFAULT ', '= ')
        || CASE WHEN p.prokind = 'f' AND 'o' = ANY (p.proargmodes) THEN ''
            ELSE ' -> ' || replace(pg_get_function_result(p.oid),
                'timestamp with time zone', 'timestamptz') END
    FROM pg_proc p WHERE p.pronamespace = 'pool'::regnamespace AND p.proname = name
$$;
SELECT is(regexp_replace(pg_temp.signature(f.name), '::(text|uuid|jsonb|jsonpath|name|integer|numeric|timestamptz|interval)', '', 'g'),
    f.signature, 'function ' || f.name)
FROM (VALUES
    ('review', 'leads bigint[], decision text, reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('merge', 'lead bigint, "into" bigint, reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('intake_check', 'OUT row_number integer, OUT key text, OUT outcome text, OUT lead_id bigint, OUT member text, OUT status text, OUT home_pool text, OUT rule text, OUT reason text'),
    ('attach', 'relation regclass, pool text, key name, owner name, columns jsonb = ''{}'', identities jsonb = ''{}'', condition jsonpath = NULL, on_bypass text = ''translate'', dry_run boolean = false, shared name = NULL, nobody text = NULL, member_field text = NULL, key_prefix text = '''', OUT outcome text, OUT owner_value text, OUT reason text, OUT row_count bigint'),
    ('detach', 'relation regclass -> void'),
    ('normaliser_version', ' -> integer'),
    ('enter', 'pool text, key text, name text = NULL, source text = NULL, grade text = NULL, priority integer = 0, attributes jsonb = ''{}'', identities jsonb = ''{}'', owner text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT member text, OUT status text, OUT home_pool text, OUT rule text, OUT reason text'),
    ('edit', 'lead bigint, name text = NULL, grade text = NULL, priority integer = NULL, attributes jsonb = NULL, identities jsonb = NULL, request_id uuid = NULL, OUT outcome text'),
    ('claim', 'pool text, member text = NULL, n integer = 1, match jsonb = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT name text, OUT source text, OUT grade text, OUT priority integer, OUT attributes jsonb, OUT due_at timestamptz, OUT retry_at timestamptz, OUT limit_value integer, OUT used integer'),
    ('claim_leads', 'leads bigint[], member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT due_at timestamptz, OUT retry_at timestamptz, OUT limit_value integer, OUT used integer'),
    ('assign', 'leads bigint[], member text, to_pool text = NULL, reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('transfer', 'leads bigint[], member text, to_pool text = NULL, reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('auto_assign', 'pool text, n integer = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT member text, OUT rule text'),
    ('explain_assign', 'lead bigint, OUT rule text, OUT member text, OUT test text, OUT passed boolean, OUT detail text, OUT score double precision'),
    ('release', 'leads bigint[], reason text = NULL, to_pool text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('reclaim', 'leads bigint[], reason text = NULL, to_pool text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('follow_up', 'lead bigint, kind text = ''note'', result text = NULL, note text = NULL, next_at timestamptz = NULL, occurred_at timestamptz = NULL, detail jsonb = NULL, stage text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT event_id bigint, OUT due_at timestamptz'),
    ('convert', 'lead bigint, amount numeric = NULL, currency text = NULL, member text = NULL, request_id uuid = NULL, credit text = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('add_collaborator', 'lead bigint, member text, role text = ''helper'', counts boolean = false, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('remove_collaborator', 'lead bigint, member text, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('set_away', 'member text = NULL, until timestamptz = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT member_key text'),
    ('set_active', 'member text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT member_key text'),
    ('offboard', 'member text, successor text = NULL, to_pool text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT run bigint, OUT planned bigint, OUT done bigint, OUT skipped bigint'),
    ('relocate', 'member text, condition jsonpath = NULL, to_pool text = NULL, successor text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT run bigint, OUT planned bigint, OUT done bigint, OUT skipped bigint'),
    ('cancel_run', 'run bigint, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT run_id bigint'),
    ('archive', 'leads bigint[], reason text, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('reopen', 'leads bigint[], to_pool text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('move', 'leads bigint[], to_pool text, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('erase', 'leads bigint[], reason text = NULL, actor text = NULL, OUT outcome text, OUT lead_id bigint'),
    ('hide', 'leads bigint[], until timestamptz = NULL, reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('unhide', 'leads bigint[], reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('reserve', 'leads bigint[], for_time interval = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT reserved_until timestamptz, OUT retry_at timestamptz, OUT limit_value integer, OUT used integer'),
    ('unreserve', 'leads bigint[], member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('protect', 'leads bigint[], until timestamptz = NULL, span interval = NULL, reason text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('unprotect', 'leads bigint[], reason text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('request_claim', 'lead bigint, reason text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz'),
    ('request_transfer', 'lead bigint, to_member text = NULL, reason text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz'),
    ('request_extension', 'lead bigint, by interval, reason text = NULL, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz'),
    ('request', 'action text, lead bigint, member text = NULL, to_pool text = NULL, reason text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT approval_id bigint, OUT expires_at timestamptz'),
    ('cancel_request', 'approval_id bigint, member text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('approve', 'approval_id bigint, note text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT reason text, OUT step integer'),
    ('reject', 'approval_id bigint, note text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text'),
    ('tick', 'max_leads integer = NULL, OUT task text, OUT done bigint, OUT more boolean'),
    ('verify', 'level integer = 3, OUT check_name text, OUT object text, OUT message text'),
    ('explain_claim', 'lead bigint, member text = NULL, OUT test text, OUT passed boolean, OUT detail text, OUT retry_at timestamptz'),
    ('history', 'lead bigint, OUT at timestamptz, OUT kind text, OUT member text, OUT actor text, OUT reason text, OUT detail jsonb'),
    ('current_member', ' -> text'),
    ('act_as', 'member text -> void'),
    ('lead_id', 'key text, tenant text = NULL -> bigint'),
    ('resume', ' -> boolean'),
    ('purge_events', 'before timestamptz -> bigint'),
    ('plan_reclaim', 'pool text, rule text = NULL, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT token uuid, OUT run_id bigint, OUT expires_at timestamptz, OUT leads bigint, OUT unwarned bigint, OUT by_owner jsonb, OUT by_rule jsonb, OUT by_grade jsonb'),
    ('apply_plan', 'token uuid, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT member text'),
    ('undo_run', 'run_id bigint, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT lead_id bigint, OUT key text, OUT member text'),
    ('resume_run', 'run_id bigint, actor text = NULL, request_id uuid = NULL, OUT outcome text, OUT resumed_run bigint'),
    ('check_rules', 'pool text = NULL, OUT severity text, OUT object text, OUT rule text, OUT message text, OUT hint text'),
    ('compare', 'pool text, at timestamptz, days integer = 28, OUT metric text, OUT before numeric, OUT after numeric, OUT delta numeric, OUT sample_before bigint, OUT sample_after bigint'),
    ('suggest_after', 'rule integer, OUT after interval, OUT sample bigint, OUT reason text'),
    ('grant_access', 'role text, access text, tenant text = NULL -> void'),
    ('revoke_access', 'role text, access text, tenant text = NULL -> void'),
    ('apply_comments', 'locale text -> void'))
    f (name, signature);
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace = 'pool'::regnamespace
    GROUP BY 1 HAVING count(*) > 1$$, 'no function is overloaded');
SELECT is_empty($$SELECT p.oid::regprocedure, l.lanname FROM pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace = 'pool'::regnamespace AND l.lanname <> 'c'$$,
    'every function is in C');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'pool'::regnamespace AND prosecdef$$,
    'none is a security definer');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'pool'::regnamespace AND p.proisstrict
        AND p.proname IN ('enter', 'edit', 'claim', 'claim_leads', 'assign',
        'transfer', 'release', 'reclaim', 'follow_up', 'convert', 'archive',
        'reopen', 'move', 'erase', 'tick', 'verify', 'history', 'act_as',
        'add_collaborator', 'remove_collaborator', 'set_away', 'set_active',
        'offboard', 'relocate', 'cancel_run',
        'plan_reclaim', 'apply_plan', 'undo_run', 'resume_run', 'check_rules',
        'compare', 'suggest_after')$$,
    'none of those that matter hides a NULL');
SELECT is(p.provolatile::text || p.proparallel::text, 'vu', p.proname || ' is volatile, unsafe in parallel')
FROM pg_proc p WHERE p.pronamespace = 'pool'::regnamespace AND p.proname IN
    ('enter', 'edit', 'review', 'merge', 'claim', 'claim_leads', 'assign', 'auto_assign', 'transfer', 'release',
    'reclaim', 'follow_up', 'convert', 'archive', 'reopen', 'move', 'erase',
    'hide', 'unhide', 'reserve', 'unreserve', 'protect', 'unprotect', 'request_claim',
    'request_transfer', 'request_extension', 'request', 'cancel_request',
    'approve', 'reject', 'add_collaborator', 'remove_collaborator', 'set_away',
    'set_active', 'offboard', 'relocate', 'cancel_run',
    'tick', 'resume', 'purge_events', 'act_as', 'grant_access', 'revoke_access', 'apply_comments',
    'plan_reclaim', 'apply_plan', 'undo_run', 'resume_run');
SELECT is(p.provolatile::text, 's', p.proname || ' only looks')
FROM pg_proc p WHERE p.pronamespace = 'pool'::regnamespace AND p.proname IN
    ('verify', 'explain_claim', 'explain_reclaim', 'explain_assign', 'history',
        'current_member', 'lead_id', 'check_rules', 'compare', 'suggest_after');
-- their names, arguments, outcomes and SQLSTATEs are said
SELECT ok(obj_description(p.oid) ~ w.says, w.fn || ' says ' || w.says)
FROM (VALUES ('review', 'not_in_review'), ('merge', 'identity_owned'),
    ('intake_check', 'error'), ('enter', 'rejected'), ('claim_leads', 'identity_owned'),
    ('enter', 'duplicate'), ('enter', 'reopened'), ('enter', 'PO001'),
    ('edit', 'not_found'), ('claim', 'contended'), ('claim', 'none_allowed'),
    ('claim', 'PO003'), ('claim_leads', 'taken'), ('assign', 'inactive'),
    ('assign', 'PO005'), ('transfer', 'not_owned'), ('release', 'not_owner'),
    ('auto_assign', 'no_rule'), ('auto_assign', 'no_candidate'), ('auto_assign', 'at_capacity'),
    ('auto_assign', 'PO005'), ('explain_assign', 'no_candidate'),
    ('reclaim', 'PO005'), ('follow_up', 'closed'), ('convert', 'already_converted'),
    ('archive', 'already_closed'), ('reopen', 'not_closed'), ('move', 'not_available'),
    ('hide', 'reserved'), ('reserve', 'too_long'), ('unreserve', 'not_reserved'), ('unhide', 'not_hidden'), ('protect', 'too_long'),
    ('unprotect', 'not_protected'), ('request_claim', 'already_requested'),
    ('request_transfer', 'not_needed'), ('request_extension', 'limit'),
    ('request', 'not_owner'), ('cancel_request', 'already_decided'),
    ('approve', 'next_step'), ('approve', 'refused'), ('approve', 'PO005'),
    ('reject', 'rejected'), ('claim_leads', 'approval'), ('claim_leads', 'level'),
    ('claim_leads', 'hidden'),
    ('erase', 'erased'), ('purge_events', '22023'), ('act_as', 'PO002'),
    ('follow_up', 'not_counted'), ('follow_up', 'incomplete'),
    ('release', 'blocked'), ('release', 'reason_unknown'),
    ('archive', 'reason_unknown'), ('convert', 'credit'),
    ('add_collaborator', 'not_member'), ('remove_collaborator', 'none'),
    ('set_away', 'leaving'), ('set_active', 'left'), ('offboard', 'busy'),
    ('relocate', 'busy'), ('cancel_run', 'not_running'),
    ('grant_access', '42501'), ('apply_comments', '22023'), ('plan_reclaim', 'PO007'),
    ('apply_plan', 'no_longer_due'), ('apply_plan', '55000'),
    ('undo_run', 'changed'), ('resume_run', 'not_held'),
    ('suggest_after', 'insufficient data')) w (fn, says)
JOIN pg_proc p ON p.proname = w.fn AND p.pronamespace = 'pool'::regnamespace;

------------------------------------------------------------------------
-- Views
------------------------------------------------------------------------

SELECT is((SELECT string_agg(c.col, ', ' ORDER BY c.attnum) FROM columns c
    WHERE c.rel = v.rel AND c.relkind = 'v'
        AND c.attnum <= cardinality(string_to_array(v.cols, ', '))),
    v.cols, 'leading columns of ' || v.rel)
FROM (VALUES
    ('stat_pool', 'pool_id, pool, pool_path, members, available, review, owned, converted, archived, entered_today, claimed_today, assigned_today, released_today, reclaimed_today, converted_today, oldest_available_seconds, utilisation, conversion_rate, reclaim_rate'),
    ('stat_member', 'pool_id, pool, member_id, member, status, held, hold_limit, held_share, claimed_today, claim_limit, claimed, assigned, followed_up, converted, released, reclaimed, conversion_rate, first_response_seconds, missed_rate, overdue'),
    ('stat_member_daily', 'pool, member, day, claimed, assigned, received, followed_up, first_responses, first_response_seconds_sum, missed, released, reclaimed, converted, amount'),
    ('stat_source', 'pool, source, entered, owned, followed_up, converted, archived, amount, conversion_rate, seconds_to_convert'),
    ('stat_daily', 'pool, day, entered, claimed, assigned, transferred, followed_up, released, reclaimed, converted, archived, available_at_end'),
    ('stat_worker', 'last_tick, duration_ms, done, backlog, oldest_due, errors'),
    ('stat_recheck', 'pool_id, pool, member_id, member, to_do, done, since, done_share'),
    ('lead_due', 'lead_id, key, pool, owner, rule, action, due_at, warned_at'),
    ('lead_spell', 'lead_id, key, member, started_at, ended_at, began_by, ended_by, follow_ups, first_response_seconds, amount'),
    ('approval_open', 'id, pool, lead_id, key, action, step, applicant, member, reason, created_at, expires_at'),
    ('lead_shared', 'lead_id, key, name, source, grade, priority, attributes, pool, owner, role, counts, since'),
    ('routing_waiting', 'pool, key, reason, tried_at'),
    ('rota', 'pool, rule, member, started_at, ended_at'),
    ('quota_mine', 'pool, held, hold_limit, claimed_today, claim_limit, resets_at, next_claim_at'),
    ('rules_in_force', 'pool, rule_table, name, words, since, version'),
    ('stat_flow', 'pool, day, direction, kind, cause, source, grade, leads'),
    ('stat_stock', 'pool, available, inflow, outflow, inflow_per_day, outflow_per_day, days_to_empty'),
    ('stat_sla', 'pool, rule, basis, spells, met, missed, attainment, first_responses, median_seconds, p95_seconds'),
    ('stat_contact_hour', 'pool, source, weekday, hour, contacts, reached'),
    ('assignment_public', 'pool, day, member, claimed, assigned, transferred'))
    v (rel, cols);
SELECT has_column('pool', v, 'progress', v || ' says how a lead goes on')
FROM unnest('{lead_mine,lead_team}'::name[]) v;
SELECT has_view('pool', v, 'view ' || v)
FROM unnest('{lead_open,lead_mine,lead_team,lead_closed,lead,intake,stat_grade,stat_fairness,stat_aging,stat_rule,stat_run,stat_survival,stat_cohort,run_detail,at_risk,gaming,won_after_reclaim,cleaning_due}'::text[]) v;
SELECT is_empty($$SELECT rel, col, type FROM columns WHERE rel LIKE 'stat\_%'
    AND type NOT IN ('bigint', 'integer', 'numeric', 'text', 'boolean', 'date',
        'timestamp with time zone')$$, 'plain types only in stat_*');
SELECT ok('security_barrier=true' = ANY (c.reloptions), c.relname || ' is a security barrier')
FROM pg_class c WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind = 'v'
    AND (c.relname LIKE 'stat\_%' OR c.relname ~ '^(lead|lead_.*|quota_mine|approval_open|routing_waiting|rota)$');
-- every ratio says its formula and is NULL at zero
SELECT ok(col_description(('pool.' || rel)::regclass, attnum) ~ '/.*NULL',
    rel || '.' || col || ' says its formula')
FROM columns WHERE rel LIKE 'stat\_%' AND col ~ '_(rate|share)$|^utilisation$';
SELECT lives_ok('SELECT * FROM pool.' || rel, 'one can read ' || rel)
FROM (SELECT DISTINCT rel FROM columns WHERE relkind = 'v') v ORDER BY rel;

------------------------------------------------------------------------
-- Comments, grants, dump
------------------------------------------------------------------------

SELECT is_empty($$SELECT oid::regclass FROM pg_class
    WHERE relnamespace = 'pool'::regnamespace AND relkind IN ('r', 'v', 'S')
        AND coalesce(obj_description(oid, 'pg_class'), '') = ''$$,
    'every table, view and sequence has a comment');
SELECT is_empty($$SELECT rel, col FROM columns WHERE
    coalesce(col_description(('pool.' || rel)::regclass, attnum), '') = ''$$,
    'every column has a comment');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'pool'::regnamespace
        AND coalesce(obj_description(oid, 'pg_proc'), '') = ''$$,
    'every function has a comment');
SELECT isnt(obj_description('pool'::regnamespace, 'pg_namespace'), NULL,
    'the schema has a comment');
SELECT isnt(obj_description(oid, 'pg_extension'), NULL, 'the extension has a comment')
FROM pg_extension WHERE extname = 'pool_ext';

SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c, aclexplode(coalesce(c.relacl,
    acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
    WHERE c.relnamespace = 'pool'::regnamespace AND a.grantee = 0$$,
    'nothing of the relations is granted to PUBLIC');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p, aclexplode(coalesce(p.proacl,
    acldefault('f', p.proowner))) a
    WHERE p.pronamespace = 'pool'::regnamespace AND a.grantee = 0$$,
    'no function is granted to PUBLIC');
SELECT is_empty($$SELECT 1 FROM pg_namespace n, aclexplode(coalesce(n.nspacl,
    acldefault('n', n.nspowner))) a WHERE n.nspname = 'pool' AND a.grantee = 0$$,
    'the schema is not granted to PUBLIC');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type t, aclexplode(t.typacl) a
    WHERE t.typnamespace = 'pool'::regnamespace AND a.grantee = 0 AND t.typtype <> 'c'$$,
    'nor any type of its own');

SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c
    WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind IN ('r', 'S')
        AND NOT c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension
            WHERE extname = 'pool_ext')$$,
    'every table and every sequence is registered for dump');
SELECT is((SELECT array_agg(DISTINCT x) FROM pg_extension, unnest(extcondition) x
    WHERE extname = 'pool_ext'), '{""}', 'and with all its rows');
SELECT is_empty($$SELECT classid::regclass, objid FROM (
    SELECT 'pg_class'::regclass AS classid, oid AS objid FROM pg_class
        WHERE relnamespace = 'pool'::regnamespace AND relkind IN ('r', 'v', 'S')
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
        WHERE pronamespace = 'pool'::regnamespace
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger) o
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid
        AND d.objid = o.objid AND d.deptype = 'e')$$,
    'everything is a member of the extension');

------------------------------------------------------------------------
-- Settings
------------------------------------------------------------------------

SELECT is(s.vartype || ', ' || s.context || ', ' || coalesce(s.unit, '-') || ', '
    || s.boot_val, w.props, 'setting ' || w.name)
FROM (VALUES ('clock', 'string, superuser, -, '),
    ('node_id', 'integer, sighup, -, 0'),
    ('allow_drop', 'bool, superuser, -, off'),
    ('request_retention', 'integer, sighup, s, 604800'),
    ('bypass_retention', 'integer, sighup, s, 7776000'),
    ('worker_enabled', 'bool, sighup, -, on'),
    ('worker_naptime', 'integer, sighup, ms, 60000'),
    ('worker_batch', 'integer, sighup, -, 100')) w (name, props)
LEFT JOIN pg_settings s ON s.name = 'pool_ext.' || w.name;
SELECT is_empty($$SELECT name FROM pg_settings WHERE name LIKE 'pool_ext.%'
    AND coalesce(short_desc, '') = ''$$, 'every setting has a description');
SELECT throws_ok($$SET pool_ext.nonsense = 1$$, NULL, NULL, 'the prefix is reserved');

SELECT * FROM finish();
ROLLBACK;
