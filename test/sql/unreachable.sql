-- What a role may not see is out of its reach by any path: views, refusals,
-- guesses, ids, statistics, its own functions and operators.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
CREATE PROCEDURE t.rules(tenant integer) LANGUAGE sql AS $$
    INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
        SELECT id, name || '-idle', 'follow_up', '3 days', '{1 day}'
        FROM pool.pool WHERE tenant_id = tenant;
    INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
        SELECT id, name || '-look', 'escalate', 'entry', '1 hour'
        FROM pool.pool WHERE tenant_id = tenant;
    INSERT INTO pool.reward_rule (pool_id, name, event_kind, points, shares)
        SELECT id, name || '-won', 'claimed', 1, '{"owner": 1}'
        FROM pool.pool WHERE tenant_id = tenant;
    INSERT INTO pool.approval_rule (pool_id, name, action)
        SELECT id, name || '-archive', 'archive'
        FROM pool.pool WHERE tenant_id = tenant;
    INSERT INTO pool.routing_rule (pool_id, name, condition, strategy, min_level)
        SELECT id, name || '-route', '$.x == 1', 'random', 9
        FROM pool.pool WHERE tenant_id = tenant;
$$;
CREATE PROCEDURE t.load(pool text, word text, phone text) LANGUAGE sql AS $$
    INSERT INTO pool.intake (pool, key, name, source, grade, attributes,
            identities)
        SELECT pool, word || '-key-' || i, word || '-name-' || i,
            word || '-source', word || '-grade', jsonb_build_object('phone',
                word || '-phone-' || i, 'city', 'x', 'x',
                CASE WHEN i = 8 THEN 1 END),
            jsonb_build_object('phone', phone || i)
        FROM generate_series(1, 8) i;
$$;
INSERT INTO pool.pool (name, masked_attributes, claim_limit, hold_limit,
        reveal_limit) VALUES
    ('desk', '{key,name,source,grade,phone}', 2, 9, 2),
    ('upstairs', '{}', NULL, NULL, NULL);
INSERT INTO pool.member (key, login) VALUES ('ann', 'reach_ann'),
    ('bob', 'reach_bob'), ('vic', 'reach_viewer'), ('eve', 'reach_manager'),
    ('uwe', 'reach_upstairs');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, CASE m.key WHEN 'eve' THEN 'manager'
        WHEN 'vic' THEN 'viewer' ELSE 'member' END
    FROM pool.pool p, pool.member m
    WHERE p.name = 'desk' AND m.key <> 'uwe';
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE p.name = 'upstairs' AND m.key = 'uwe';
CALL t.rules(1);
CALL t.load('desk', 'hidden', '1380013800');
SELECT outcome FROM pool.claim_leads(ARRAY[t.id('hidden-key-1')], 'ann');

-- the ids of the other tenant are no ids of this one
SELECT count(setval(c.oid::regclass, 70000 + 1000 * i)) > 5 AS far
    FROM (SELECT oid, row_number() OVER (ORDER BY relname) AS i FROM pg_class
        WHERE relnamespace = 'pool'::regnamespace AND relkind = 'S') c;
INSERT INTO pool.tenant (name, timezone) VALUES ('acme', 'UTC');
SELECT id AS acme_tenant FROM pool.tenant WHERE name = 'acme' \gset
INSERT INTO pool.pool (tenant_id, name) VALUES (:acme_tenant, 'acme-desk');
INSERT INTO pool.member (tenant_id, key, login)
    VALUES (:acme_tenant, 'acme-zoe', 'reach_zoe');
INSERT INTO pool.membership (pool_id, member_id)
    SELECT p.id, m.id FROM pool.pool p JOIN pool.member m USING (tenant_id)
    WHERE tenant_id = :acme_tenant;
CALL t.rules(:acme_tenant);
CALL t.load('acme/acme-desk', 'acme', '1390013900');
SELECT outcome FROM pool.claim('acme/acme-desk', 'acme/acme-zoe', 3);
SELECT pool.lead_id('acme-key-1', 'acme') AS theirs \gset
SELECT outcome FROM pool.release(ARRAY[:theirs], 'acme-reason',
    member => 'acme/acme-zoe');
SELECT outcome FROM pool.request('archive', pool.lead_id('acme-key-2', 'acme'),
    reason => 'acme-reason', actor => 'acme/acme-zoe');
SELECT count(*) FROM pool.plan_reclaim('acme/acme-desk');
SELECT count(*) > 9 AS polled FROM pool.poll('acme-consumer');
SELECT count(*) > 0 AS ticked FROM pool.tick();
ANALYZE;
CREATE ROLE reach_ann;
CREATE ROLE reach_bob;
CREATE ROLE reach_viewer;
CREATE ROLE reach_manager;
CREATE ROLE reach_upstairs;
CREATE ROLE reach_zoe;
CREATE ROLE reach_reader;
CREATE ROLE reach_admin;
CREATE ROLE reach_service;
SELECT pool.grant_access('reach_' || r, 'member')
    FROM unnest('{ann,bob,viewer,zoe}'::text[]) r;
SELECT pool.grant_access('reach_' || r, 'manager')
    FROM unnest('{manager,upstairs}'::text[]) r;
SELECT pool.grant_access('reach_' || r, r, 'default')
    FROM unnest('{reader,admin,service}'::text[]) r;

-- A function that costs nothing and tells what it is shown runs before any
-- condition of the caller's that may be moved: not before those of a view.
CREATE SCHEMA spy;
GRANT ALL ON SCHEMA spy TO PUBLIC;
GRANT USAGE ON SCHEMA t TO PUBLIC;
CREATE TABLE spy.saw (role name DEFAULT current_user, place text, what text);
GRANT ALL ON spy.saw TO PUBLIC;
CREATE FUNCTION spy.leak(place text, what text) RETURNS boolean
LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    INSERT INTO spy.saw (place, what) VALUES (place, what);
    RETURN true;
END $$;
CREATE FUNCTION spy.look() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    FOR v IN SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind IN ('v', 'r')
            AND has_table_privilege(c.oid, 'SELECT') LOOP
        EXECUTE format('SELECT count(*) FROM pool.%I x'
            ' WHERE spy.leak(%L, x::text)', v.relname, v.relname);
        EXECUTE format('SELECT count(*) FROM pool.%I x JOIN pool.%I y'
            ' ON spy.leak(%L, x::text) AND spy.leak(%L, y::text)'
            ' WHERE x::text > y::text', v.relname, v.relname, v.relname,
            v.relname);
    END LOOP;
    RETURN count(DISTINCT s.place) FROM spy.saw s WHERE s.role = current_user;
END $$;
SET ROLE reach_ann;
SELECT spy.look() > 5 AS looked;
SET ROLE reach_bob;
SELECT spy.look() > 1 AS looked;
SET ROLE reach_viewer;
SELECT spy.look() > 1 AS looked;
SET ROLE reach_manager;
SELECT spy.look() > 15 AS looked;
SET ROLE reach_upstairs;
SELECT spy.look() > 5 AS looked;
SET ROLE reach_zoe;
SELECT spy.look() > 1 AS looked;
SET ROLE reach_reader;
SELECT spy.look() > 10 AS looked;
SET ROLE reach_admin;
SELECT spy.look() > 20 AS looked;
SET ROLE reach_service;
SELECT spy.look() > 20 AS looked;
RESET ROLE;
SELECT role, place, what FROM spy.saw
    WHERE what LIKE '%acme%' AND role <> 'reach_zoe'
    OR what LIKE '%hidden%' AND role = 'reach_zoe'
    OR what LIKE '%hidden%' AND what NOT LIKE '%hidden-key-1%'
        AND role IN ('reach_ann', 'reach_bob', 'reach_viewer')
    OR what LIKE '%hidden-key%' AND role IN ('reach_bob', 'reach_viewer',
        'reach_upstairs')
    ORDER BY 1, 2, 3;
-- the spies work
SELECT count(*) > 0 AS seen FROM spy.saw
    WHERE what LIKE '%hidden-name-1%' AND role = 'reach_ann';
SELECT count(*) > 0 AS seen FROM spy.saw
    WHERE what LIKE '%acme-name%' AND role = 'reach_zoe';
-- every view that is granted to anybody is a barrier
SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind = 'v'
    AND 'security_barrier=true' <> ALL (coalesce(c.reloptions, '{}'))
    AND c.relname NOT IN ('intake', 'verification')
    AND EXISTS (SELECT FROM aclexplode(c.relacl) a
        WHERE a.grantee <> c.relowner) ORDER BY 1;
-- nor do statistics of the planner tell
SET ROLE reach_admin;
SELECT count(*) FROM pg_stats WHERE schemaname = 'pool';
SET ROLE reach_ann;
SELECT count(*) FROM pg_stats WHERE schemaname = 'pool';

-- A plan, its estimates and its counts are the same for a right guess.
CREATE FUNCTION spy.plan(condition text, view text, guess text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF)'
        ' SELECT count(*) FROM pool.%I WHERE %s', view, format(condition, guess))
    LOOP
        plan := plan || replace(line, guess, 'GUESS') || E'\n';
    END LOOP;
    RETURN plan;
END $$;
CREATE VIEW spy.guess AS
    SELECT * FROM (VALUES ('key = %L', 'hidden-key-5'),
        ('name = %L', 'hidden-name-5'), ('source = %L', 'hidden-source'),
        ('grade = %L', 'hidden-grade'),
        ('attributes ->> ''phone'' = %L', 'hidden-phone-5')) v (condition, value);
GRANT SELECT ON spy.guess TO PUBLIC;
SET ROLE reach_bob;
SELECT condition, spy.plan(condition, 'lead_open', value)
    = spy.plan(condition, 'lead_open', 'wrong') AS same FROM spy.guess;
-- but not for whoever may see it
RESET ROLE;
SELECT condition, spy.plan(condition, 'lead', value)
    = spy.plan(condition, 'lead', 'wrong') AS same FROM spy.guess;

-- A refusal does not tell what is masked, an edit not whether a guess is right.
RESET ROLE;
SELECT array_agg(id ORDER BY id) FILTER (WHERE key ~ 'key-[23]') AS two,
    array_agg(id ORDER BY id) FILTER (WHERE key ~ 'key-[4]') AS one,
    min(id) FILTER (WHERE key ~ 'key-5') AS five
    FROM pool.lead WHERE key LIKE 'hidden%' \gset
SET ROLE reach_bob;
SELECT outcome, key FROM pool.claim_leads(:'two');
SELECT outcome, key FROM pool.claim_leads(:'one');
SELECT outcome, key FROM pool.release(:'one');
SELECT outcome, key FROM pool.protect(:'one', span => '1 day');
SELECT outcome, key FROM pool.add_collaborator(:five, 'bob');
SELECT outcome, key FROM pool.convert(:five);
SELECT pool.edit(:five, name => 'hidden-name-5');
SELECT pool.edit(:five, name => 'guess');
SELECT pool.edit(:five, grade => 'guess');
SELECT pool.edit(:five, attributes => '{"phone": "guess", "city": "y"}');
SELECT pool.edit(:five, attributes => '{"city": "y"}');
SELECT kind, detail FROM pool.history(:five);
SELECT count(*) FROM pool.search('desk', '{"phone": "hidden-phone-5"}');
SELECT count(*) FROM pool.search('desk', NULL, 'hidden');
SET ROLE reach_manager;
SELECT pool.edit(:five, name => 'corrected');
SELECT outcome, key FROM pool.release(:'one');
SET ROLE reach_ann;
SELECT pool.edit(pool.lead_id('hidden-key-1'), name => 'my own');
RESET ROLE;

-- Who has left is out, though he has a login.
UPDATE pool.member SET status = 'left' WHERE key = 'bob';
SET ROLE reach_bob;
SELECT (t.error(c)).state, c FROM unnest(ARRAY[
    'SELECT pool.search(''desk'')', 'SELECT pool.enter(''desk'', ''new'')',
    format('SELECT pool.edit(%s, priority => 5)', :five)]) c;
SELECT outcome, name FROM pool.reveal(:five);
SELECT count(*) FROM pool.search(NULL, scope => 'mine');
SELECT count(*) FROM pool.history((:'two'::bigint[])[1]);
SELECT (SELECT count(*) FROM pool.lead_event) AS events,
    (SELECT count(*) FROM pool.lead_due) AS due,
    (SELECT count(*) FROM pool.lead_mine) AS mine,
    (SELECT count(*) FROM pool.lead_open) AS open,
    (SELECT count(*) FROM pool.points) AS points;
RESET ROLE;

-- What is another tenant's is what is not there, word for word.
CREATE FUNCTION spy.answer(call text, id text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
BEGIN
    EXECUTE 'SELECT string_agg(r::text, E''\n'') FROM ' || call || ' r'
        INTO answer;
    RETURN replace(answer, id, 'ID');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN replace(SQLSTATE || SQLERRM || detail, id, 'ID');
END $$;
-- which of an id's two values a call tells apart
CREATE FUNCTION spy.compare(foreign_id bigint, absent_id bigint)
RETURNS TABLE (fn text, theirs text, absent text) LANGUAGE plpgsql AS $$
DECLARE
    f record;
    call text;
    others text;
BEGIN
    FOR f IN SELECT p.oid, p.proname, n.name, (p.proargtypes::regtype[])[n.i - 1]
                AS type, p.proargnames AS names,
            p.proargtypes::regtype[] AS types, p.pronargs - p.pronargdefaults
                AS needed, n.i
        FROM pg_proc p, unnest(p.proargnames) WITH ORDINALITY n (name, i)
        WHERE p.pronamespace = 'pool'::regnamespace AND n.i <= p.pronargs
            AND has_function_privilege(p.oid, 'EXECUTE')
            AND (p.proargtypes::regtype[])[n.i - 1]
                IN ('bigint', 'bigint[]', 'integer')
            AND n.name NOT IN ('n', 'priority', 'days', 'max_leads', 'level',
                'after_id')
        ORDER BY p.proname, n.i LOOP
        SELECT string_agg(format(', %I => %s', f.names[i],
                CASE f.types[i - 1]::text WHEN 'text' THEN CASE f.names[i]
                    WHEN 'action' THEN '''archive''' WHEN 'decision'
                    THEN '''accept''' ELSE '''eve''' END
                WHEN 'bigint' THEN '1' WHEN 'integer' THEN '1'
                WHEN 'interval' THEN '''1 day''' ELSE 'NULL' END), '')
            INTO others
            FROM generate_series(1, f.needed) i WHERE i <> f.i;
        call := format('pool.%I(%I => %%s%s)', f.proname, f.name,
            coalesce(others, ''));
        fn := f.proname || '.' || f.name;
        theirs := spy.answer(format(call, CASE f.type::text WHEN 'bigint[]'
            THEN format('''{%s}''', foreign_id) ELSE foreign_id::text END),
            foreign_id::text);
        absent := spy.answer(format(call, CASE f.type::text WHEN 'bigint[]'
            THEN format('''{%s}''', absent_id) ELSE absent_id::text END),
            absent_id::text);
        INSERT INTO spy.saw (place, what) VALUES (fn, 'compared');
        IF theirs IS DISTINCT FROM absent THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
SELECT p.id AS pool, m.id AS member, r.id AS rule, a.id AS approval
    FROM pool.tenant t JOIN pool.pool p ON p.tenant_id = t.id
    JOIN pool.member m ON m.tenant_id = t.id
    JOIN pool.timer_rule r ON r.tenant_id = t.id AND r.basis = 'follow_up'
    JOIN pool.approval a ON a.tenant_id = t.id
    WHERE t.name = 'acme' \gset acme_
SELECT id AS run FROM pool.run \gset acme_
SET ROLE reach_ann;
SELECT * FROM spy.compare(:theirs, 987654);
SELECT * FROM spy.compare(:acme_member, 987654);
SET ROLE reach_manager;
SELECT * FROM spy.compare(:theirs, 987654);
SELECT * FROM spy.compare(:acme_approval, 987654);
SELECT * FROM spy.compare(:acme_run, 987654);
SELECT * FROM spy.compare(:acme_rule, 987654);
SET ROLE reach_reader;
SELECT * FROM spy.compare(:acme_rule, 987654);
SET ROLE reach_admin;
SELECT * FROM spy.compare(:theirs, 987654);
SELECT * FROM spy.compare(:acme_rule, 987654);
SET ROLE reach_service;
SELECT * FROM spy.compare(:theirs, 987654);
SELECT * FROM spy.compare(:acme_approval, 987654);
SELECT * FROM spy.compare(:acme_run, 987654);
SELECT * FROM spy.compare(:acme_rule, 987654);
RESET ROLE;
SELECT role, count(DISTINCT place) > 20 AS many FROM spy.saw
    WHERE what = 'compared' AND role IN ('reach_ann', 'reach_manager')
    GROUP BY 1 ORDER BY 1;
-- names, too, and ids that an administrator writes
SET ROLE reach_admin;
SELECT f, replace(t.error(format(f, 'acme'))::text, 'acme', 'X')
        = replace(t.error(format(f, 'nowhere'))::text, 'nowhere', 'X') AS same
    FROM unnest(ARRAY['SELECT pool.check_rules(''%s/acme-desk'')',
        'SELECT pool.compare(''%s/acme-desk'', now())',
        'SELECT pool.lead_id(''acme-key-1'', ''%s'')']) f;
SELECT replace((t.error(format(c, acme))).message, acme, 'ID')
        = replace((t.error(format(c, 987654))).message, '987654', 'ID') AS same, c
FROM (VALUES
    ('INSERT INTO pool.membership (pool_id, member_id) VALUES (%s, 1)', :'acme_pool'),
    ('INSERT INTO pool.membership (pool_id, member_id) VALUES (1, %s)', :'acme_member'),
    ('INSERT INTO pool.timer_rule (pool_id, name, basis, after)'
     ' VALUES (%s, ''x'', ''follow_up'', ''1 day'')', :'acme_pool'),
    ('INSERT INTO pool.timer_rule (pool_id, name, basis, after, to_pool_id)'
     ' VALUES (1, ''x'', ''follow_up'', ''1 day'', %s)', :'acme_pool'),
    ('INSERT INTO pool.claim_rule (pool_id, name) VALUES (%s, ''x'')', :'acme_pool'),
    ('INSERT INTO pool.pool (name, parent_id) VALUES (''x'', %s)', :'acme_pool'),
    ('INSERT INTO pool.pool (name, tenant_id) VALUES (''x'', %s)', :'acme_tenant'))
    v (c, acme);
RESET ROLE;
-- A role that was dropped leaves nothing to another one of its name.
CREATE ROLE reach_again;
SELECT pool.grant_access('reach_again', 'reader');
DROP OWNED BY reach_again;
DROP ROLE reach_again;
CREATE ROLE reach_again;
SELECT pool.grant_access('reach_again', 'reader', 'default');
SET ROLE reach_again;
SELECT DISTINCT tenant FROM pool.stat_pool;
RESET ROLE;
SELECT pool.grant_access('reach_again', 'reader', 'acme');
SET ROLE reach_again;
SELECT DISTINCT tenant FROM pool.stat_pool ORDER BY 1;
RESET ROLE;
DROP OWNED BY reach_again;
DROP ROLE reach_again;
SELECT * FROM pool.verify();
DROP OWNED BY reach_ann, reach_bob, reach_viewer, reach_manager, reach_upstairs,
    reach_zoe, reach_reader, reach_admin, reach_service;
DROP ROLE reach_ann, reach_bob, reach_viewer, reach_manager, reach_upstairs,
    reach_zoe, reach_reader, reach_admin, reach_service;
