-- Every function, also those that are granted to nobody, with NULLs, ids of
-- nothing and of everything, and values at the ends of their types: an error
-- of the contract or an answer, never one that only a mistake of ours gives.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC'), ('acme', 'UTC');
INSERT INTO pool.pool (name, masked_attributes, claim_limit, hold_limit,
        reveal_limit, cooldown)
    VALUES ('p', '{key,phone}', 50, 60, 20, '1 day'), ('q', '{}', 9, 9, 2, NULL);
INSERT INTO pool.pool (tenant_id, name, everyone)
    SELECT id, 'theirs', true FROM pool.tenant WHERE name = 'acme';
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('eve');
INSERT INTO pool.member (tenant_id, key)
    SELECT id, 'zoe' FROM pool.tenant WHERE name = 'acme';
SELECT t.join_pool('p', 'ann', 'bob', 'eve'), t.join_pool('q', 'bob', 'eve');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'eve');
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
    SELECT id, 'idle', 'follow_up', '3 days', '{1 day}' FROM pool.pool;
INSERT INTO pool.routing_rule (pool_id, name, strategy)
    SELECT id, 'all', 'weighted' FROM pool.pool WHERE name = 'q';
INSERT INTO pool.approval_rule (pool_id, name, action)
    SELECT id, 'archive', 'archive' FROM pool.pool WHERE name = 'p';
INSERT INTO pool.intake (pool, key, name, identities, attributes)
    SELECT 'p', 'k' || i, 'name', jsonb_build_object('phone', '1380013800' || i),
        jsonb_build_object('phone', '1380013800' || i, 'city', 'x')
    FROM generate_series(1, 9) i;
SELECT outcome FROM pool.enter('acme/theirs', 'k1');
SELECT count(*) FROM pool.claim('p', 'ann', 3);
SELECT outcome FROM pool.archive(t.ids('k9'), 'lost');
SELECT outcome FROM pool.request('archive', t.id('k1'), reason => 'x', actor => 'ann');
SELECT count(*) FROM pool.plan_reclaim('p');
CREATE TABLE t.customers (id integer PRIMARY KEY, who text, a text);
INSERT INTO t.customers VALUES (1, 'ann', 'x'), (2, 'nobody', NULL), (3, NULL, 'y');

-- A value of a type, as a literal: from its ends and from what makes no sense.
CREATE FUNCTION wild(type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v text[] := CASE type
        WHEN 'integer' THEN '{0,1,2,3,-1,999,2147483647,-2147483648}'
        WHEN 'bigint' THEN '{0,1,2,3,9,10,-1,999,9007199254740993,9223372036854775807,-9223372036854775808}'
        WHEN 'boolean' THEN '{t,f}'
        WHEN 'numeric' THEN '{0,-1,1,NaN,Infinity,-Infinity,1e300,0.00001}'
        WHEN 'text' THEN ARRAY['', ' ', 'default', 'p', 'q', 'acme/theirs', 'ann',
            'eve', 'acme/zoe', 'k5', 'nope', '/', 'a/b/c', 'archive', 'release',
            'accept', 'open', 'mine', 'team', 'reader', '0:1:1',
            '-1:99999999999999999999:1', '1 day', E'\u0001', '公海',
            repeat('x', 3000)]
        WHEN 'jsonb' THEN ARRAY['null', '{}', '[]', '1', '"x"', '[[[]]]', '{"": ""}',
            '{"phone": "13800138001"}', '{"phone": null}', '{"phone": {}}',
            '{"phone": ["1", null]}', '{"a": {"b": [1, {"c": null}]}}',
            '{"grade": ["A", "B"]}', '{"x": {"from": 1, "to": "z"}}',
            '{"x": {"from": null}}', '{"priority": 1e400}']
        WHEN 'jsonpath' THEN ARRAY['$', '$.a == 1', '$x == $y', '$.a ? (@ > 1)']
        WHEN 'regclass' THEN '{t.customers,pool.member,pg_class,1,0}'
        WHEN 'pg_snapshot' THEN ARRAY['1:1:', '10:20:10,14,15',
            '9223372036854775807:9223372036854775807:', '1:9223372036854775807:2']
        WHEN 'name' THEN ARRAY['a', 'id', 'who', '', ' ', 'A"b', repeat('x', 63)]
        WHEN 'uuid' THEN ARRAY['00000000-0000-0000-0000-000000000000']
        WHEN 'interval' THEN ARRAY['0', '1 day', '-1 day', '178000000 years',
            '1 mon -30 days', '1 microsecond']
        WHEN 'timestamp with time zone' THEN ARRAY['infinity', '-infinity',
            '2030-01-01', '4713-01-01 BC', '294276-12-31 23:59:59', '2026-03-02']
        WHEN 'bigint[]' THEN ARRAY['{}', '{NULL}', '{1,2,3}', '{1,1,1}', '{-1,10}',
            '{9223372036854775807}', '{{1,2},{3,4}}', '[0:1]={5,6}']
        WHEN 'text[]' THEN ARRAY['{}', '{NULL}', '{a,b}', '{{a}}']
        WHEN 'interval[]' THEN ARRAY['{}', '{NULL}', '{1 day}', '{{1 day}}']
        END;
BEGIN
    IF v IS NULL THEN
        RAISE EXCEPTION 'no values of type %', type;
    END IF;
    RETURN CASE WHEN random() < 0.25 THEN 'NULL'
        ELSE quote_literal(v[1 + floor(random() * cardinality(v))]) END
        || '::' || type;
END $$;
-- Mostly one that fits, so that a call comes further than its first check.
CREATE FUNCTION some_value(name text, type text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v text[] := CASE
        WHEN name IN ('pool', 'to_pool') THEN '{p,q,default/p,acme/theirs}'
        WHEN type = 'name' AND name = 'key' THEN '{id}'
        WHEN type = 'name' AND name = 'owner' THEN '{who}'
        WHEN name IN ('member', 'actor', 'owner', 'to_member', 'successor')
            THEN '{ann,bob,eve}'
        WHEN name = 'action' THEN '{archive,claim,move,release,transfer,assign,extension}'
        WHEN name = 'decision' THEN '{accept,reject}'
        WHEN name = 'scope' THEN '{open,mine,team}'
        WHEN name = 'tenant' THEN '{default,acme}'
        WHEN name = 'access' THEN '{reader,member,manager,admin,service}'
        WHEN name = 'role' AND type = 'text' THEN '{regress_pool_any,helper}'
        WHEN type = 'regclass' THEN '{t.customers}'
        WHEN name IN ('lead', 'into') THEN '{1,2,3,4,5,6,7,9}'
        WHEN type = 'bigint[]' THEN ARRAY['{1,2,3}', '{4,5,6}', '{3,3,4}']
        WHEN type = 'uuid' AND random() < 0.9 THEN ARRAY[gen_random_uuid()::text]
        END;
BEGIN
    IF v IS NULL OR random() < 0.25 THEN
        RETURN wild(type);
    END IF;
    RETURN quote_literal(v[1 + floor(random() * cardinality(v))]) || '::' || type;
END $$;
CREATE TABLE results (fn text, call text, state text, message text, detail text,
    hint text);
CREATE PROCEDURE try(fn text, call text) LANGUAGE plpgsql AS $$
DECLARE
    e record;
BEGIN
    SELECT * INTO e FROM t.error(format(
        'DO %L', format('BEGIN PERFORM * FROM %s; RAISE SQLSTATE %L; END', call,
            'ZZ000')));
    INSERT INTO results VALUES (fn, call, e.state, e.message, e.detail, e.hint);
END $$;
CREATE PROCEDURE try_all(rounds integer) LANGUAGE plpgsql AS $$
DECLARE
    f record;
    arguments text;
BEGIN
    FOR f IN SELECT p.proname, p.proargnames AS names, p.pronargs AS n,
            p.proargtypes::regtype[] AS types
        FROM pg_proc p WHERE p.pronamespace = 'pool'::regnamespace
            AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
        ORDER BY p.proname LOOP
        FOR i IN 1 .. CASE WHEN f.n = 0 THEN 1 ELSE rounds END LOOP
            SELECT string_agg(some_value(f.names[j], f.types[j - 1]::text), ', '
                ORDER BY j) INTO arguments FROM generate_series(1, f.n) j;
            CALL try(f.proname, format('pool.%I(%s)', f.proname, arguments));
        END LOOP;
        -- NULL wherever it goes
        SELECT string_agg('NULL::' || f.types[j - 1]::text, ', ' ORDER BY j)
            INTO arguments FROM generate_series(1, f.n) j;
        CALL try(f.proname, format('pool.%I(%s)', f.proname, arguments));
    END LOOP;
END $$;
CREATE ROLE regress_pool_any;
SELECT setseed(0.42);
CALL try_all(60);
SELECT count(*) > 4000 AS calls, count(*) FILTER (WHERE state = 'ZZ000') > 1000
    AS answered FROM results;
SELECT DISTINCT state FROM results WHERE state <> 'ZZ000' ORDER BY 1;
SELECT fn, state, message, call FROM results WHERE state !~ '^(ZZ000|PO|2200[48]|22023)'
    AND NOT (state = '42704' AND fn IN ('grant_access', 'revoke_access'))
    AND NOT (state ~ '^(42703|42P01|42809|55000)' AND fn IN ('attach', 'detach'))
    ORDER BY 1, 2;
-- what is said comes with the reason and with the remedy
SELECT fn, state, message FROM results WHERE state ~ '^(PO|22)' AND state <> '22008'
    AND (detail = '' OR hint = '') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM pool.verify();

-- What only reads does so in a parallel query, too.
UPDATE pool.member SET hold_limit = 9;
SELECT outcome FROM pool.add_collaborator(t.id('k1'), 'bob', actor => 'ann');
SELECT outcome FROM pool.release(t.ids('k2'), member => 'ann');
-- the setting has another name from 16 on
SELECT set_config(name, 'on', false) FROM pg_settings
    WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
BEGIN;
SELECT pool.act_as('bob');
SELECT count(*) FROM pool.history(1);
SELECT count(*) FROM pool.explain_reclaim(1);
SELECT count(*) FROM pool.lead_shared;
SELECT count(*) FROM pool.search('p');
COMMIT;
SELECT count(*) FROM pool.explain_claim(2, 'ann') WHERE NOT passed;
SELECT count(*) FROM pool.explain_assign(4);
SELECT count(*) FROM pool.stat_member;
SELECT count(*) FROM pool.verify();
SELECT set_config(name, 'off', false) FROM pg_settings
    WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

-- Trigger functions are for the extension's tables.
SELECT DISTINCT (t.error(format('SELECT pool.%I()', proname))).state FROM pg_proc
    WHERE pronamespace = 'pool'::regnamespace
    AND prorettype IN ('trigger'::regtype, 'event_trigger'::regtype);
CREATE TABLE mine (a integer);
CREATE FUNCTION triggered(fn name, timing text, level text, command text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mine VALUES (7);
    EXECUTE format('CREATE TRIGGER t %s INSERT OR UPDATE OR DELETE %s ON mine'
        ' FOR EACH %s EXECUTE FUNCTION pool.%I()', timing,
        CASE level WHEN 'STATEMENT' THEN 'OR TRUNCATE' END, level, fn);
    EXECUTE command;
    RAISE SQLSTATE 'ZZ000';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT level, command, triggered(proname, timing, level, command) AS state,
    count(*) > 30 AS many
FROM pg_proc, unnest('{BEFORE,AFTER}'::text[]) timing,
    unnest('{ROW,STATEMENT}'::text[]) level,
    unnest(ARRAY['INSERT INTO mine VALUES (1)', 'UPDATE mine SET a = 2',
        'DELETE FROM mine', 'TRUNCATE mine']) command
WHERE pronamespace = 'pool'::regnamespace AND prorettype = 'trigger'::regtype
    AND (level = 'STATEMENT' OR command <> 'TRUNCATE mine')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM pool.verify();
DROP OWNED BY regress_pool_any;
DROP ROLE regress_pool_any;
