-- Nothing of what is passed is ever run: not the text of any argument, nor
-- objects of the caller's own that are called like those of the system.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, everyone, masked_attributes)
    VALUES ('p', true, '{phone}'), ('q', true, '{}');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE m.key = 'bob';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool;
SELECT t.fill('p', 'a', 9);
SELECT outcome FROM pool.claim('p', 'ann', 3);
CREATE ROLE regress_pool_victim;

-- It is counted whatever becomes of the transaction.
CREATE SCHEMA trap;
CREATE SEQUENCE trap.sprung;
CREATE FUNCTION trap.spring() RETURNS text LANGUAGE sql AS $$
    SELECT pg_catalog.nextval('trap.sprung')::text $$;
CREATE TABLE payload (text text);
INSERT INTO payload VALUES (''''), (''''''), ('"'), ('\'), ('\'''), ('--'),
    ('/*'), (';'), ('$1'), ('$$'), ('%s%n%x%p'), ('%'), ('_'), ('{}'), ('null'),
    (''' || trap.spring() || '''), ('''); SELECT trap.spring(); --'),
    ('\''); SELECT trap.spring(); --'), ('" || trap.spring() || "'),
    ('"; SELECT trap.spring(); --'), ('$$ || trap.spring() || $$'),
    ('; SELECT trap.spring()'), ('trap.spring()'), ('(SELECT trap.spring())'),
    ('x'' OR ''1'' = ''1'), ('1 OR 1 = 1'), ('p''; DROP SCHEMA trap CASCADE; --'),
    ('p"; DROP SCHEMA trap CASCADE; --'), ('PUBLIC'), ('public; --'),
    ('regress_pool_victim, PUBLIC'), ('regress_pool_victim"; SELECT trap.spring(); --'),
    ('default/p''--'), ('../p'), ('$.a == "x" || trap.spring()'), ('@.a'),
    (E'a\nb'), (E'a\tb'), (E'\u200b'), (E'\u202e'), ('ﬀ＇；－－'), (repeat('''', 300)),
    (repeat('(', 3000)), (repeat('{"a":', 900) || '1' || repeat('}', 900)),
    ('{"phone": "'' || trap.spring() || ''"}'), ('[1, "''; --"]'),
    ('{"''; SELECT trap.spring(); --": 1}'), ('{"a": {"from": "''", "to": "\""}}');

-- What one call comes to; it is undone.
CREATE FUNCTION outcome(call text, OUT state text, OUT message text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    state := 'done';
    IF (SELECT count(*) FROM pg_namespace WHERE nspname = 'trap') <> 1
        OR has_schema_privilege('regress_pool_victim', 'pool', 'USAGE')
        AND call !~ 'grant_access' OR (SELECT count(*) FROM pg_namespace n,
            aclexplode(n.nspacl) a WHERE n.nspname = 'pool' AND a.grantee = 0) > 0
    THEN
        state := 'HIT';
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        NULL;
    WHEN OTHERS THEN
        state := SQLSTATE;
        message := SQLERRM;
END $$;
-- A sane value for an argument.
CREATE FUNCTION sane(name text, type text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT v.value FROM (VALUES
        ('pool', 'text', $v$'p'$v$), ('to_pool', 'text', $v$'q'$v$),
        ('member', 'text', $v$'ann'$v$), ('actor', 'text', $v$'bob'$v$),
        ('owner', 'text', 'NULL'), ('to_member', 'text', $v$'bob'$v$),
        ('successor', 'text', $v$'bob'$v$), ('action', 'text', $v$'archive'$v$),
        ('decision', 'text', $v$'accept'$v$), ('scope', 'text', $v$'open'$v$),
        ('access', 'text', $v$'reader'$v$), ('tenant', 'text', $v$'default'$v$),
        ('role', 'text', $v$'regress_pool_victim'$v$),
        ('kind', 'text', $v$'phone'$v$), ('position', 'text', $v$'1:1:1'$v$),
        ('lead', 'bigint', $v$t.id('a1')$v$), ('into', 'bigint', $v$t.id('a5')$v$),
        ('leads', 'bigint[]', $v$t.ids('a1', 'a5')$v$))
        v (name, type, value) WHERE v.name = $1 AND v.type = $2),
        CASE $2 WHEN 'text' THEN $v$'x'$v$ WHEN 'jsonb' THEN $v$'{}'$v$
        WHEN 'bigint' THEN '1' WHEN 'integer' THEN '1' WHEN 'interval' THEN
        $v$'1 day'$v$ ELSE 'NULL' END) || '::' || $2 $$;

-- each payload in each argument that may carry text, the others being sane
CREATE TABLE results AS
SELECT f.proname::text AS fn, f.names[i] AS argument, o.state, o.message, p.text
FROM (SELECT proname, pronargs, proargnames AS names,
        proargtypes::regtype[] AS types
    FROM pg_proc WHERE pronamespace = 'pool'::regnamespace
        AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)) f
CROSS JOIN LATERAL generate_series(1, f.pronargs) i
CROSS JOIN payload p
CROSS JOIN LATERAL (
    SELECT 'SELECT * FROM pool.' || f.proname || '(' || string_agg(
        CASE WHEN j <> i THEN sane(f.names[j], f.types[j - 1]::text)
            WHEN f.types[j - 1] = 'text'::regtype THEN quote_literal(p.text)
            WHEN f.types[j - 1] = 'text[]'::regtype
            THEN quote_literal(ARRAY[p.text]::text)
            WHEN p.text ~ '^[[{]' AND p.text <> '{}'
            THEN quote_literal(p.text) || '::' || f.types[j - 1]
            ELSE quote_literal(jsonb_build_object('phone', p.text, p.text, p.text))
                || '::' || f.types[j - 1] END, ', ' ORDER BY j) || ')' AS call
    FROM generate_series(1, f.pronargs) j) c
CROSS JOIN LATERAL outcome(c.call) o
WHERE f.types[i - 1] IN ('text', 'text[]', 'jsonb');
SELECT count(DISTINCT (fn, argument)) > 100 AS arguments, count(*) > 5000 AS calls
    FROM results;
-- nothing but what the contract names
SELECT DISTINCT state FROM results ORDER BY 1;
SELECT fn, argument, state, message, text FROM results
    WHERE state ~ '^(HIT|XX|42|22P|0A|5[378]|2[5-9])' AND (state, fn) NOT IN
        (('42704', 'grant_access'), ('42704', 'revoke_access')) ORDER BY 1, 2;
-- no message runs what it says through another format
SELECT count(*) FROM results WHERE message LIKE '%(null)%'
    OR text = '%s%n%x%p' AND message LIKE '%0x%';
SELECT last_value, is_called FROM trap.sprung;

-- An administrator writes text, too.
SELECT v.tab, v.col, (t.error(format('UPDATE pool.%s SET %I = %L', v.tab, v.col,
    p.text))).state, count(*)
FROM (VALUES ('pool', 'name'), ('pool', 'timezone'), ('pool', 'country'),
    ('pool', 'masked_attributes'), ('member', 'timezone'), ('member', 'profile'),
    ('timer_rule', 'name'), ('timer_rule', 'condition'), ('member', 'login'))
    v (tab, col), payload p
WHERE v.col NOT IN ('name', 'login')
    OR p.text ~ '^[^/]+$' AND length(p.text) < 60 AND v.tab = 'timer_rule'
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT last_value, is_called FROM trap.sprung;

-- Operators, functions, types and tables of the caller's, before all others.
DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT DISTINCT oprname, oprleft::regtype AS a, oprright::regtype AS b
        FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
        AND oprresult = 'boolean'::regtype
        AND oprname = ANY ('{=,<>,<,>,<=,>=,@>,<@,?,~}'::text[])
        AND oprleft = ANY ('{integer,bigint,smallint,text,xid8,boolean,
            timestamptz,date,interval,numeric,jsonb,anyarray,uuid,"\"char\""}'
            ::regtype[])
        AND oprright = oprleft LOOP
        EXECUTE format('CREATE FUNCTION trap.%I(%s, %s) RETURNS boolean'
            ' LANGUAGE sql AS ''SELECT trap.spring() IS NULL''',
            'op_' || o.oprname, o.a, o.b);
        EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s,'
            ' FUNCTION = trap.%I)', o.oprname, o.a, o.b, 'op_' || o.oprname);
    END LOOP;
    FOR o IN SELECT f FROM unnest(ARRAY['now()', 'clock_timestamp()',
        'statement_timestamp()', 'pg_current_snapshot()', 'current_setting(text)',
        'count(bigint)', 'lower(text)', 'jsonb_typeof(jsonb)', 'md5(text)',
        'nextval(regclass)', 'pg_snapshot_xmin(pg_snapshot)', 'length(text)',
        'floor(numeric)', 'round(numeric)', 'date(timestamptz)', 'abs(integer)',
        'jsonb_array_elements_text(jsonb)', 'to_jsonb(anyelement)',
        'array_agg(bigint)', 'jsonb_build_object(text, integer)',
        'generate_series(integer, integer)', 'unnest(anyarray)']) f LOOP
        EXECUTE format('CREATE FUNCTION trap.%s RETURNS text'
            ' LANGUAGE sql AS ''SELECT trap.spring()''', o.f);
    END LOOP;
END $$;
CREATE DOMAIN trap.xid8 AS text CHECK (trap.spring() IS NULL);
CREATE DOMAIN trap.int4 AS text CHECK (trap.spring() IS NULL);
CREATE DOMAIN trap.jsonb AS text CHECK (trap.spring() IS NULL);
CREATE TEMP TABLE lead_state (id text);
CREATE TEMP TABLE pool (id text);
CREATE TEMP TABLE pg_class (oid text);
GRANT ALL ON SCHEMA trap TO PUBLIC;
SET search_path = trap, pg_temp, pg_catalog, public;
SELECT outcome FROM pool.enter('p', 'new', identities => '{"phone": "1"}');
SELECT outcome FROM pool.claim('p', 'ann', 1, '{"key": "a6"}');
SELECT outcome FROM pool.assign(ARRAY[pool.lead_id('a7')], 'ann', actor => 'bob');
SELECT outcome FROM pool.reveal(pool.lead_id('a8'), 'ann');
SELECT kind, found FROM pool.lookup('{"phone": "1"}');
SELECT key FROM pool.search('p', '{"key": "a8"}', 'a8');
SELECT outcome FROM pool.release(ARRAY[pool.lead_id('a6')], member => 'ann');
SELECT member FROM pool.poll('trapped', 1);
SELECT kind FROM pool.digest('trapped', 3);
SELECT outcome FROM pool.ack('trapped', NULL);
SELECT outcome FROM pool.drop_consumer('trapped');
SELECT outcome FROM pool.plan_reclaim('p', actor => 'bob');
SELECT outcome FROM pool.erase(ARRAY[pool.lead_id('a9')], 'x');
SELECT task FROM pool.tick() ORDER BY task USING OPERATOR(pg_catalog.<) LIMIT 1;
SELECT check_name FROM pool.verify();
SELECT message FROM pool.check_rules('p');
SELECT pool.compare('p', '2026-03-01', 1) LIMIT 0;
SELECT outcome FROM pool.request_extension(pool.lead_id('a1'), '1 day', 'x', 'ann');
SELECT pool.resume();
SELECT pool.purge_events('2020-01-01');
SELECT pool.grant_access('regress_pool_victim', 'member');
SELECT pool.revoke_access('regress_pool_victim', 'member');
INSERT INTO pool.intake (pool, key) VALUES ('p', 'bulk');
UPDATE pool.pool SET cooldown = '1 day';
INSERT INTO pool.member (key) VALUES ('late');
SELECT pool FROM pool.stat_pool LIMIT 0;
SELECT member FROM pool.stat_member LIMIT 0;
SELECT key FROM pool.lead_due LIMIT 0;
SELECT last_value, is_called FROM trap.sprung;
-- the trap is set
SELECT 1 = 1;
SELECT now();
RESET search_path;
SELECT last_value FROM trap.sprung;
SELECT * FROM pool.verify();
DROP ROLE regress_pool_victim;
