-- Bad input: a clear error or an outcome, and nothing changed.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC'), ('other', 'UTC');
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.pool (tenant_id, name, everyone) SELECT id, 'theirs', true
    FROM pool.tenant WHERE name = 'other';
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('p', 'ann', 'bob', 'boss'), t.join_pool('q', 'bob', 'boss');
UPDATE pool.membership SET role = 'manager' WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'boss');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'viewer' FROM pool.pool p, pool.member m
    WHERE p.name = 'q' AND m.key = 'ann';
SELECT t.fill('p', 'a', 9);
SELECT outcome FROM pool.enter('other/theirs', 'z1');
SELECT outcome, key FROM pool.claim('p', 'ann', 3);
SELECT outcome FROM pool.archive(t.ids('a9'), 'lost');

-- a NULL in every place, each in turn
CREATE TABLE calls (n int GENERATED ALWAYS AS IDENTITY, fn text, names text,
    args text);
INSERT INTO calls (fn, names, args) VALUES
    ('enter', 'pool key name source grade priority attributes identities owner id',
     $$'p'|'new'|'N'|'web'|'A'|5|'{}'|'{"phone": "1"}'|'ann'|gen_random_uuid()$$),
    ('edit', 'lead name grade priority attributes identities id',
     $$t.id('a1')|'N'|'A'|5|'{}'|'{}'|gen_random_uuid()$$),
    ('claim', 'pool member n match id', $$'p'|'ann'|1|NULL|gen_random_uuid()$$),
    ('claim_leads', 'leads member id', $$t.ids('a4')|'ann'|gen_random_uuid()$$),
    ('assign', 'leads member to_pool reason actor id',
     $$t.ids('a4')|'bob'|'q'|'r'|'boss'|gen_random_uuid()$$),
    ('transfer', 'leads member to_pool reason actor id',
     $$t.ids('a1')|'bob'|'q'|'r'|'boss'|gen_random_uuid()$$),
    ('release', 'leads reason to_pool member id',
     $$t.ids('a1')|'r'|'q'|'ann'|gen_random_uuid()$$),
    ('reclaim', 'leads reason to_pool actor id',
     $$t.ids('a1')|'r'|'q'|'boss'|gen_random_uuid()$$),
    ('follow_up', 'lead kind result note next_at occurred_at detail stage member id',
     $$t.id('a1')|'call'|'ok'|'n'|'2026-03-03'|'2026-03-03'|'{}'|'s'|'ann'|gen_random_uuid()$$),
    ('convert', 'lead amount currency member id',
     $$t.id('a1')|1|'CNY'|'ann'|gen_random_uuid()$$),
    ('archive', 'leads reason actor id', $$t.ids('a1')|'r'|'boss'|gen_random_uuid()$$),
    ('reopen', 'leads to_pool actor id', $$t.ids('a9')|'q'|'boss'|gen_random_uuid()$$),
    ('move', 'leads to_pool actor id', $$t.ids('a4')|'q'|'boss'|gen_random_uuid()$$),
    ('hide', 'leads until reason actor id',
     $$t.ids('a4')|'2026-04-01'|'r'|'boss'|gen_random_uuid()$$),
    ('unhide', 'leads reason actor id', $$t.ids('a4')|'r'|'boss'|gen_random_uuid()$$),
    ('protect', 'leads until span reason member id',
     $$t.ids('a1')|NULL|'1 day'|'r'|'ann'|gen_random_uuid()$$),
    ('unprotect', 'leads reason member id', $$t.ids('a1')|'r'|'ann'|gen_random_uuid()$$),
    ('request_claim', 'lead reason member id', $$t.id('a4')|'r'|'ann'|gen_random_uuid()$$),
    ('request_transfer', 'lead to_member reason member id',
     $$t.id('a1')|'bob'|'r'|'ann'|gen_random_uuid()$$),
    ('request_extension', 'lead by reason member id',
     $$t.id('a1')|'1 day'|'r'|'ann'|gen_random_uuid()$$),
    ('request', 'action lead member to_pool reason actor id',
     $$'archive'|t.id('a1')|'ann'|'p'|'r'|'ann'|gen_random_uuid()$$),
    ('cancel_request', 'approval_id member id', $$1|'ann'|gen_random_uuid()$$),
    ('approve', 'approval_id note actor id', $$1|'n'|'boss'|gen_random_uuid()$$),
    ('reject', 'approval_id note actor id', $$1|'n'|'boss'|gen_random_uuid()$$),
    ('erase', 'leads reason actor', $$t.ids('a4')|'r'|'boss'$$),
    ('tick', 'max_leads', '1'),
    ('purge_events', 'before', $$'2020-01-01'$$),
    ('grant_access', 'role access tenant', $$'postgres'|'reader'|'default'$$),
    ('revoke_access', 'role access tenant', $$'postgres'|'reader'|'default'$$),
    ('apply_comments', 'locale', $$'en'$$),
    ('act_as', 'member', $$'ann'$$),
    ('explain_claim', 'lead member', $$t.id('a4')|'ann'$$),
    ('history', 'lead', $$t.id('a1')$$),
    ('lead_id', 'key tenant', $$'a1'|'default'$$),
    ('next_timer', 'lead', $$t.id('a1')$$),
    ('verify', 'level', '1'),
    ('normalise_identity', 'kind value country', $$'phone'|'1'|'CN'$$),
    ('sees_tenant', 'tenant', '1'), ('is_team_manager', 'pool', '1'),
    ('pool_zone', 'pool', '1'), ('member_zone', 'member', '1');
-- what a call answers; it is undone
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE 'SELECT min(coalesce(to_jsonb(r) ->> ''outcome'', to_jsonb(r) #>> ''{}'','
        ' ''NULL'')) FROM ' || call || ' r' INTO answer;
    RAISE EXCEPTION SQLSTATE 'ZZZZZ' USING MESSAGE = coalesce(answer, 'no rows');
EXCEPTION
    WHEN SQLSTATE 'ZZZZZ' THEN RETURN left(SQLERRM, 30);
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT t.checksum() AS whole \gset
SELECT c.fn, n.name AS "null", try(format('pool.%s(%s)', c.fn,
    (SELECT string_agg(CASE WHEN i = n.i THEN 'NULL' ELSE a END, ', ' ORDER BY i)
     FROM string_to_table(c.args, '|') WITH ORDINALITY a (a, i)))) AS answer
FROM calls c CROSS JOIN LATERAL (SELECT '-' AS name, 0 AS i UNION ALL
    SELECT * FROM string_to_table(c.names, ' ') WITH ORDINALITY) n
ORDER BY c.n, n.i;
-- and in all places at once
SELECT c.fn, try(format('pool.%s(%s)', c.fn, c.args)) AS answer
FROM (SELECT fn, n, replace(regexp_replace(args, '[^|]+', 'NULL', 'g'), '|', ', ')
    AS args FROM calls) c ORDER BY c.n;
SELECT t.checksum() = :'whole' AS unchanged;

-- whatever a row violates, there is a hint
SELECT r.conrelid::regclass, r.conname FROM pg_constraint r
    WHERE r.contype = 'c' AND obj_description(r.oid, 'pg_constraint') IS NULL
    AND EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = r.conrelid AND p.proname ~ '^check_');

-- numbers, names, sizes
CREATE FUNCTION wrong(VARIADIC commands text[])
RETURNS TABLE (state text, message text, detail text, hint text)
LANGUAGE sql AS $$
    SELECT e.state, left(e.message, 110), CASE WHEN e.state !~ '^23(?!514)'
        THEN left(e.detail, 110) END, e.hint
    FROM unnest(commands) WITH ORDINALITY c (c, n), t.error(c) e ORDER BY n
$$;
SELECT * FROM wrong(
    $$SELECT pool.claim('p', 'ann', 0)$$,
    $$SELECT pool.claim('p', 'ann', -1)$$,
    $$SELECT pool.claim('p', 'ann', 10001)$$,
    $$SELECT pool.claim('p', 'ann', -2147483648)$$,
    $$SELECT pool.claim('p', 'ann', match => '{"grade": []}')$$,
    $$SELECT pool.claim('nowhere', 'ann')$$,
    $$SELECT pool.claim('', 'ann')$$,
    $$SELECT pool.claim('p', '')$$,
    $$SELECT pool.claim('p', 'nobody')$$,
    $$SELECT pool.claim('p', repeat('k', 10240))$$,
    $$SELECT pool.claim(repeat('线', 4000), 'ann')$$,
    $$SELECT pool.claim('q', 'ann')$$,
    $$SELECT pool.enter('p', repeat('k', 10240))$$,
    $$SELECT pool.enter('p', '')$$,
    $$SELECT pool.enter('p', 'k', repeat('n', 2001))$$,
    $$SELECT pool.enter('p', 'k', source => repeat('n', 201))$$,
    $$SELECT pool.enter('p', 'k', grade => repeat('n', 201))$$,
    $$SELECT pool.enter('p', 'k', priority => 101)$$,
    $$SELECT pool.enter('p', 'k', priority => -1)$$,
    $$SELECT pool.enter('p', 'k', attributes => '[]')$$,
    $$SELECT pool.enter('p', 'k', attributes => 'null')$$,
    $$SELECT pool.enter('p', 'k', attributes => jsonb_build_object('x', repeat('x', 1024 * 1024)))$$,
    $$SELECT pool.enter('p', 'k', identities => '[1]')$$,
    $$SELECT pool.enter('p', 'k', owner => 'nobody')$$,
    $$SELECT pool.edit(t.id('a1'), priority => 101)$$,
    $$SELECT pool.edit(t.id('a1'), attributes => '1')$$,
    $$SELECT pool.edit(t.id('a1'), repeat('n', 2001))$$,
    $$SELECT pool.convert(t.id('a1'), -0.01)$$,
    $$SELECT pool.tick(0)$$, $$SELECT pool.tick(-5)$$,
    $$SELECT pool.verify(0)$$, $$SELECT pool.verify(5)$$,
    $$SELECT pool.archive(ARRAY(SELECT generate_series(1, 10001)), 'x')$$,
    $$SELECT pool.release(ARRAY(SELECT generate_series(1, 10001)), member => 'ann')$$,
    $$SELECT pool.claim_leads('{1,NULL,2}', 'ann')$$,
    $$SELECT pool.act_as('nobody')$$,
    $$SELECT pool.follow_up(t.id('a1'), stage => repeat('s', 201), member => 'ann')$$);
-- ids that are none, twice, in two dimensions, of another tenant
SELECT outcome, lead_id, key FROM pool.release('{9223372036854775807,0,-1,0}',
    member => 'ann');
SELECT count(*) FROM pool.release(ARRAY(SELECT generate_series(1000, 10999)),
    member => 'ann') WHERE outcome = 'not_found';
SELECT outcome, key FROM pool.release(ARRAY[ARRAY[t.id('a1')], ARRAY[t.id('a1')]]
    || '{}'::bigint[], member => 'bob');
SELECT outcome, key FROM pool.release('[5:6]={-7,-7}', member => 'bob');
SELECT outcome, key FROM pool.claim_leads(ARRAY[pool.lead_id('z1', 'other')], 'ann');
SELECT t.checksum() = :'whole' AS unchanged;

-- configuration
SELECT * FROM wrong(
    $$INSERT INTO pool.member (key) VALUES (repeat('k', 10240))$$,
    $$INSERT INTO pool.member (key) VALUES ('a/b')$$,
    $$INSERT INTO pool.member (key) VALUES ('')$$,
    $$INSERT INTO pool.member (key) VALUES (NULL)$$,
    $$INSERT INTO pool.member (key) VALUES ('ann')$$,
    $$INSERT INTO pool.member (key, timezone) VALUES ('x', 'Mars/Phobos')$$,
    $$INSERT INTO pool.member (key, hold_limit) VALUES ('x', -1)$$,
    $$INSERT INTO pool.member (key, status) VALUES ('x', 'asleep')$$,
    $$INSERT INTO pool.member (key, profile) VALUES ('x', '[]')$$,
    $$INSERT INTO pool.pool (name) VALUES ('a/b')$$,
    $$INSERT INTO pool.pool (name) VALUES ('')$$,
    $$INSERT INTO pool.pool (name) VALUES ('p')$$,
    $$INSERT INTO pool.pool (name, timezone) VALUES ('x', repeat('线', 200))$$,
    $$INSERT INTO pool.pool (name, claim_limit) VALUES ('x', -1)$$,
    $$INSERT INTO pool.pool (name, claim_interval) VALUES ('x', '0')$$,
    $$INSERT INTO pool.pool (name, claim_interval) VALUES ('x', '-1 day')$$,
    $$INSERT INTO pool.pool (name, cooldown) VALUES ('x', '0')$$,
    $$INSERT INTO pool.pool (name, cooldown) VALUES ('x', '1 day -25 hours')$$,
    $$INSERT INTO pool.pool (name, duplicate_policy) VALUES ('x', 'merge')$$,
    $$INSERT INTO pool.pool (name, country) VALUES ('x', 'china')$$,
    $$INSERT INTO pool.pool (name, identity_scope) VALUES ('x', 'world')$$,
    $$INSERT INTO pool.tenant (name) VALUES ('a/b')$$,
    $$INSERT INTO pool.tenant (name, timezone) VALUES ('x', 'nowhere')$$,
    $$INSERT INTO pool.tenant (name, workdays) VALUES ('x', '{8}')$$,
    $$INSERT INTO pool.tenant (name, country) VALUES ('x', 'China')$$,
    $$UPDATE pool.membership SET role = 'owner'$$,
    $$UPDATE pool.membership SET weight = -1$$,
    $$UPDATE pool.membership SET weight = 'NaN'$$,
    $$UPDATE pool.membership SET hold_limit = -1$$,
    $$INSERT INTO pool.membership (pool_id, member_id) VALUES (1, 999)$$,
    $$INSERT INTO pool.membership (pool_id, member_id) VALUES (999, 1)$$);
CREATE FUNCTION rule(columns text, vals text) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO pool.timer_rule (pool_id, name, %s) SELECT id,'
        ' ''r'', %s FROM pool.pool WHERE name = ''p''', columns, vals) $$;
SELECT * FROM wrong(
    rule('basis, after', $$'follow_up', '0'$$),
    rule('basis, after', $$'follow_up', '-3 days'$$),
    rule('basis, after', $$'follow_up', '1 month -40 days'$$),
    rule('basis, after', $$'follow_up', NULL$$),
    rule('basis, after', $$'moonlight', '1 day'$$),
    rule('basis, after', $$'entrance', '1 day'$$),
    rule('basis, after, action', $$'follow_up', '1 day', 'burn'$$),
    rule('basis, after, condition', $$'follow_up', '1 day', '$.grade'$$),
    rule('basis, after, notify', $$'follow_up', '1 day', 'nobody'$$),
    rule('basis, after, remind_before', $$'follow_up', '1 day', '{0}'$$),
    rule('basis, after, remind_before', $$'follow_up', '1 day', '{-1 hour}'$$),
    rule('basis, after, remind_before', $$'follow_up', '1 day', '{NULL}'$$),
    rule('basis, after, remind_before', $$'follow_up', '1 day', '{1 hour,25 hours}'$$),
    rule('basis, after, remind_before', $$'planned', '1 hour', '{1 day}'$$),
    rule('basis, after, condition', $$'follow_up', '1 day', '$.grade =='$$),
    rule('basis, after, condition', $$'follow_up', '1 day', ''$$),
    rule('basis, after, to_pool_id', $$'follow_up', '1 day', 999$$));
SELECT t.checksum() = :'whole' AS unchanged;

-- what is long is shown in part: as whole characters, or clients in another
-- encoding would be told of bad bytes instead
SELECT c.call, count(*) AS calls, array_agg(DISTINCT e.state) AS states,
    count(convert_to(e.message || coalesce(e.detail, ''), 'GB18030')) AS whole
FROM unnest(ARRAY[
    'SELECT pool.request(%L, 1)', 'SELECT pool.review(''{1}'', %L)',
    'SELECT pool.grant_access(%L, ''reader'')',
    'SELECT pool.grant_access(current_user, %L)',
    'SELECT pool.grant_access(current_user, ''reader'', %L)',
    'SELECT pool.add_collaborator(1, ''ann'', %L)',
    'SELECT pool.search(''p'', scope => %L)', 'SELECT pool.ack(''c'', %L)',
    'SELECT pool.apply_comments(%L)', 'SELECT pool.plan_reclaim(''p'', %L)',
    'INSERT INTO pool.intake (pool, key, status) VALUES (''p'', ''x'', %L)',
    'INSERT INTO pool.routing_rule (pool_id, name, strategy) SELECT id, ''r'', %L'
    ' FROM pool.pool WHERE name = ''p''',
    'INSERT INTO pool.claim_rule (pool_id, name, condition)'
    ' SELECT id, ''r'', (''$."'' || %L || ''"'')::jsonpath FROM pool.pool',
    'INSERT INTO pool.claim_rule (pool_id, name, condition)'
    ' SELECT id, ''r'', (''exists($.datetime("'' || %L || ''"))'')::jsonpath'
    ' FROM pool.pool',
    'SELECT pool.relocate(''ann'','
    ' (''exists($.datetime("'' || %L || ''"))'')::jsonpath)',
    'SELECT pool.attach(''calls'', ''p'', ''fn'', ''names'', on_bypass => %L)',
    'SELECT pool.claim(%L)']) WITH ORDINALITY c (call, n),
    generate_series(0, 2) shift,
    t.error(format(c.call, repeat('x', shift) || repeat(U&'\52A8', 80))) e
GROUP BY c.call, c.n ORDER BY c.n;

-- nothing is written in a read-only transaction
BEGIN READ ONLY;
SELECT c.fn, (t.error(format('SELECT pool.%s(%s)', c.fn,
    replace(c.args, '|', ', ')))).state
FROM calls c WHERE c.n <= 18 ORDER BY c.n;
SELECT * FROM t.error($$INSERT INTO pool.intake (pool, key) VALUES ('p', 'x')$$);
SELECT * FROM t.error('SELECT pool.resume()');
-- but one may look
SELECT count(*) FROM pool.verify(3);
SELECT kind FROM pool.history(t.id('a9'));
ROLLBACK;
-- a tick is not for two-phase commit; the rest is
BEGIN;
SELECT count(*) FROM pool.claim('p', 'ann');
PREPARE TRANSACTION 'regress_pool_claim';
ROLLBACK PREPARED 'regress_pool_claim';
SELECT t.checksum() = :'whole' AS unchanged;
SELECT * FROM pool.verify();
