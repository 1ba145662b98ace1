-- Who may do what.
SET client_min_messages = warning;
SET timezone = 'UTC';

------------------------------------------------------------------------
-- Nothing is for everybody
------------------------------------------------------------------------
SELECT c.relname, a.privilege_type
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'pool'::regnamespace AND a.grantee = 0;
SELECT p.proname
FROM pg_proc p
WHERE p.pronamespace = 'pool'::regnamespace
    AND (p.proacl IS NULL
         OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0));
SELECT a.privilege_type
FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = 'pool' AND a.grantee = 0;
-- and nothing runs with another's rights or in another's search path
SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'pool'::regnamespace
    AND (p.prosecdef OR l.lanname <> 'c');

------------------------------------------------------------------------
-- The sets: every function, view and table, and who gets what of it.
-- R reader, M member, G manager, A admin, S service; for relations the
-- privileges instead of a cross.  A new object has to be put here by thought.
------------------------------------------------------------------------
CREATE ROLE set_reader;
CREATE ROLE set_member;
CREATE ROLE set_manager;
CREATE ROLE set_admin;
CREATE ROLE set_service;
SELECT pool.grant_access('set_reader', 'reader'),
    pool.grant_access('set_member', 'member'),
    pool.grant_access('set_manager', 'manager'),
    pool.grant_access('set_admin', 'admin'),
    pool.grant_access('set_service', 'service');

CREATE FUNCTION pg_temp.executes(role text, function oid) RETURNS text
LANGUAGE sql AS $$
    SELECT CASE WHEN has_function_privilege(role, function, 'EXECUTE')
        THEN 'x' ELSE '' END
$$;
SELECT p.oid::regprocedure AS function,
    pg_temp.executes('set_reader', p.oid) AS r,
    pg_temp.executes('set_member', p.oid) AS m,
    pg_temp.executes('set_manager', p.oid) AS g,
    pg_temp.executes('set_admin', p.oid) AS a,
    pg_temp.executes('set_service', p.oid) AS s
FROM pg_proc p
WHERE p.pronamespace = 'pool'::regnamespace
    AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
ORDER BY p.proname COLLATE "C", 1;

-- triggers are called by nobody
SELECT p.proname, r.rolname
FROM pg_proc p, pg_roles r
WHERE p.pronamespace = 'pool'::regnamespace
    AND p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND r.rolname LIKE 'set\_%'
    AND has_function_privilege(r.oid, p.oid, 'EXECUTE');

CREATE FUNCTION pg_temp.holds(role text, relation oid, kind "char")
RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN kind = 'S' THEN
        CASE WHEN has_sequence_privilege(role, relation, 'SELECT')
            THEN 's' ELSE '' END ||
        CASE WHEN has_sequence_privilege(role, relation, 'USAGE')
            THEN 'u' ELSE '' END ||
        CASE WHEN has_sequence_privilege(role, relation, 'UPDATE')
            THEN 'w' ELSE '' END
    ELSE (
        SELECT coalesce(string_agg(lower(left(p, 1)), '' ORDER BY i), '')
        FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'
            ::text[]) WITH ORDINALITY u(p, i)
        WHERE has_table_privilege(role, relation, p))
    END
$$;
SELECT c.relname AS relation, c.relkind AS kind,
    pg_temp.holds('set_reader', c.oid, c.relkind) AS r,
    pg_temp.holds('set_member', c.oid, c.relkind) AS m,
    pg_temp.holds('set_manager', c.oid, c.relkind) AS g,
    pg_temp.holds('set_admin', c.oid, c.relkind) AS a,
    pg_temp.holds('set_service', c.oid, c.relkind) AS s
FROM pg_class c
WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind IN ('r', 'v', 'S')
ORDER BY c.relkind, c.relname COLLATE "C";

------------------------------------------------------------------------
-- Giving and taking
------------------------------------------------------------------------
CREATE ROLE nobody;
CREATE ROLE "Odd ""name""; --";
\set VERBOSITY default
SELECT pool.grant_access('nobody', 'owner');
SELECT pool.grant_access('nobody', 'reader', 'elsewhere');
\set VERBOSITY sqlstate
SELECT pool.grant_access('no such role', 'reader');
SELECT pool.grant_access('public', 'reader');
SELECT pool.grant_access(NULL, 'reader');
SELECT pool.grant_access('nobody', NULL);
SELECT pool.revoke_access('nobody', 'Reader');
SELECT pool.revoke_access('no such role', 'reader');
BEGIN READ ONLY;
SELECT pool.grant_access('nobody', 'reader');
ROLLBACK;
-- the owner of the extension only
GRANT USAGE ON SCHEMA pool TO nobody;
GRANT EXECUTE ON FUNCTION pool.grant_access TO nobody;
SET ROLE nobody;
SELECT pool.revoke_access('set_reader', 'reader');
\set VERBOSITY default
SELECT pool.grant_access('nobody', 'service');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION pool.grant_access FROM nobody;
REVOKE USAGE ON SCHEMA pool FROM nobody;

-- any name of a role
SELECT pool.grant_access('Odd "name"; --', 'reader');
SELECT has_table_privilege('Odd "name"; --', 'pool.stat_pool', 'SELECT');
SELECT pool.revoke_access('Odd "name"; --', 'reader');
SELECT has_table_privilege('Odd "name"; --', 'pool.stat_pool', 'SELECT');
DROP ROLE "Odd ""name""; --";

-- twice is once, and what another access needs stays
SELECT pool.grant_access('nobody', 'member');
SELECT pool.grant_access('nobody', 'member');
SELECT pool.grant_access('nobody', 'manager');
SELECT pool.revoke_access('nobody', 'manager');
SELECT has_function_privilege('nobody', f, 'EXECUTE'), f
FROM unnest('{pool.claim,pool.assign}'::regproc[]) f;
SELECT pool.revoke_access('nobody', 'member');
SELECT pool.revoke_access('nobody', 'member');
SELECT has_function_privilege('nobody', f, 'EXECUTE'), f
FROM unnest('{pool.claim,pool.assign}'::regproc[]) f;
SELECT has_schema_privilege('nobody', 'pool', 'USAGE');
-- by tenant: the last one takes the privileges along
INSERT INTO pool.tenant (name, timezone) VALUES ('one', 'UTC'), ('two', 'UTC');
SELECT pool.grant_access('nobody', 'reader', 'one'),
    pool.grant_access('nobody', 'reader', 'two'),
    pool.revoke_access('nobody', 'reader', 'one');
SELECT has_table_privilege('nobody', 'pool.stat_pool', 'SELECT');
SELECT pool.revoke_access('nobody', 'reader', 'two');
SELECT has_table_privilege('nobody', 'pool.stat_pool', 'SELECT');
SELECT pool.grant_access('nobody', 'reader', 'one'),
    pool.grant_access('nobody', 'reader', 'two'),
    pool.revoke_access('nobody', 'reader');
SELECT count(*) FROM pool.access_grant WHERE role = 'nobody';
-- all of it rolls back
BEGIN;
SELECT pool.grant_access('nobody', 'service');
ROLLBACK;
SELECT has_function_privilege('nobody', 'pool.act_as(text)', 'EXECUTE');
-- nothing is left that keeps the role
DROP ROLE nobody;

------------------------------------------------------------------------
-- What the sets are good for
------------------------------------------------------------------------
INSERT INTO pool.pool (name, tenant_id, everyone)
SELECT 'pool of ' || name, id, true FROM pool.tenant;
INSERT INTO pool.member (key, tenant_id, login)
SELECT 'm' || name, id, 'login_' || name FROM pool.tenant;
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p JOIN pool.member m USING (tenant_id);
CREATE ROLE login_one IN ROLE set_manager;
CREATE ROLE login_two IN ROLE set_member;
CREATE ROLE app IN ROLE set_service;
CREATE ROLE boss IN ROLE set_admin;
SELECT pool.revoke_access('set_manager', 'manager'),
    pool.grant_access('set_manager', 'manager', 'one'),
    pool.revoke_access('set_member', 'member'),
    pool.grant_access('set_member', 'member', 'two');

-- a service acts for members, by name or by act_as
SET ROLE app;
SELECT outcome FROM pool.enter('one/pool of one', 'a');
INSERT INTO pool.intake (pool, key) VALUES ('two/pool of two', 'b');
BEGIN;
SELECT pool.act_as('one/mone');
SELECT outcome, key FROM pool.claim('pool of one');
ROLLBACK;
SELECT outcome, key FROM pool.claim('two/pool of two', 'two/mtwo');
SELECT key, status FROM pool.lead ORDER BY key;
\set VERBOSITY sqlstate
SELECT * FROM pool.tick();
SELECT * FROM pool.lead_state;
SELECT * FROM pool.event;
INSERT INTO pool.member (key) VALUES ('x');
-- a member acts as himself only, and sees his tenant only
SET ROLE login_two;
SELECT key FROM pool.lead_mine;
SELECT outcome FROM pool.claim('pool of two', 'mone');
SELECT outcome FROM pool.claim('one/pool of one');
SELECT pool.act_as('mtwo');
SELECT * FROM pool.assign('{1}', 'mtwo');
SELECT * FROM pool.lead;
SELECT * FROM pool.stat_pool;
SELECT * FROM pool.member;
-- a manager has his pools
SET ROLE login_one;
SELECT outcome, key FROM pool.assign(ARRAY[pool.lead_id('a')], 'mone');
SELECT pool, owned FROM pool.stat_pool;
SELECT key, owner FROM pool.lead_team;
SELECT * FROM pool.tick();
-- an administrator the configuration and the machinery
SET ROLE boss;
INSERT INTO pool.pool (name) VALUES ('made by boss');
INSERT INTO pool.member (key) VALUES ('made by boss');
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p JOIN pool.member m
    ON p.name = 'made by boss' AND m.key = 'made by boss';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'r', 'follow_up', '1 day' FROM pool.pool
WHERE name = 'made by boss';
UPDATE pool.member SET status = 'away' WHERE key = 'made by boss';
DELETE FROM pool.timer_rule;
INSERT INTO pool.calendar (day) VALUES ('2026-10-01');
SELECT task FROM pool.tick();
SELECT * FROM pool.verify();
SELECT pool.resume();
SELECT pool.purge_events('2000-01-01');
SELECT count(*) FROM pool.stat_worker;
SELECT outcome FROM pool.claim('made by boss', 'made by boss');
SELECT * FROM pool.lead_state;
UPDATE pool.membership_state SET held = 0;
TRUNCATE pool.timer_rule;
-- older psql take the rows of a COPY that fails for statements
\copy pool.member (key) FROM /dev/null
-- a reader statistics
SET ROLE set_reader;
SELECT pool, available, owned FROM pool.stat_pool ORDER BY pool;
SELECT count(*) FROM pool.stat_member;
SELECT count(*) FROM pool.stat_member_daily;
SELECT count(*) FROM pool.stat_source;
SELECT count(*) FROM pool.stat_daily;
SELECT count(*) FROM pool.stat_worker;
SELECT count(*) FROM pool.lead_spell;
SELECT * FROM pool.lead_due;
SELECT * FROM pool.pool;
RESET ROLE;

------------------------------------------------------------------------
-- Access of a member or manager is nothing to a login that is no member's
------------------------------------------------------------------------
CREATE ROLE stranger;
SELECT pool.grant_access('stranger', 'member'),
    pool.grant_access('stranger', 'manager');
SET ROLE stranger;
SELECT pool.current_member();
SELECT count(*) FROM pool.stat_pool;
SELECT count(*) FROM pool.stat_member;
SELECT count(*) FROM pool.lead_open;
SELECT count(*) FROM pool.lead_team;
SELECT count(*) FROM pool.lead_spell;
SELECT pool.lead_id('a', 'one');
SELECT outcome FROM pool.enter('one/pool of one', 'x');
SELECT outcome FROM pool.claim('one/pool of one');
SELECT outcome FROM pool.claim('one/pool of one', 'one/mone');
SELECT outcome FROM pool.assign('{1}', 'one/mone');
SELECT * FROM pool.history(1);
RESET ROLE;
SELECT pool.revoke_access('stranger', 'member'),
    pool.revoke_access('stranger', 'manager');
DROP ROLE stranger;

------------------------------------------------------------------------
-- An administrator of one tenant has nothing of another
------------------------------------------------------------------------
CREATE ROLE boss_one;
CREATE ROLE plain;
CREATE ROLE reader_one;
CREATE ROLE reader_two;
SELECT pool.grant_access('reader_one', 'reader', 'one'),
    pool.grant_access('reader_two', 'reader', 'two');
SELECT pool.grant_access('boss_one', 'admin', 'one');
SET ROLE boss_one;
SELECT name FROM pool.tenant;
SELECT name FROM pool.pool;
SELECT key FROM pool.member;
SELECT count(*) FROM pool.membership;
SELECT pool FROM pool.stat_pool;
UPDATE pool.pool SET hold_limit = 1;
INSERT INTO pool.member (key, tenant_id)
SELECT 'second', id FROM pool.tenant WHERE name = 'one';
INSERT INTO pool.tenant (name) VALUES ('three');
INSERT INTO pool.member (key) VALUES ('in default');
UPDATE pool.pool SET tenant_id = tenant_id + 1;
-- neither what concerns all of them
SELECT * FROM pool.verify();
SELECT pool.resume();
SELECT pool.purge_events('2000-01-01');
-- leads by their key, his own only
SELECT pool.lead_id('a', 'one') IS NOT NULL AS his, pool.lead_id('b', 'two');
-- and he makes nobody a member here who is more elsewhere
INSERT INTO pool.member (key, tenant_id, login)
SELECT 'captive', id, 'app' FROM pool.tenant WHERE name = 'one';
INSERT INTO pool.member (key, tenant_id, login)
SELECT 'captive', id, 'postgres' FROM pool.tenant WHERE name = 'one';
INSERT INTO pool.member (key, tenant_id, login)
SELECT 'captive', id, 'boss' FROM pool.tenant WHERE name = 'one';
\set VERBOSITY default
UPDATE pool.member SET login = 'set_reader' WHERE key = 'second';
\set VERBOSITY sqlstate
UPDATE pool.member SET login = 'reader_two' WHERE key = 'second';
-- but for his own people
UPDATE pool.member SET login = 'reader_one' WHERE key = 'second';
UPDATE pool.member SET login = 'boss_one' WHERE key = 'second';
UPDATE pool.member SET login = 'plain' WHERE key = 'second';
UPDATE pool.member SET login = 'not yet a role' WHERE key = 'second';
-- somebody's login that was bound by others stays as it is
RESET ROLE;
UPDATE pool.member SET login = 'app' WHERE key = 'second';
SET ROLE boss_one;
UPDATE pool.member SET name = 'Second', login = 'app' WHERE key = 'second';
UPDATE pool.member SET login = NULL WHERE key = 'second';
RESET ROLE;
SELECT key, login FROM pool.member WHERE key IN ('second', 'captive');
SELECT name, hold_limit FROM pool.pool ORDER BY name;
-- all of them one who administers every tenant
SET ROLE boss;
SELECT pool.lead_id('a', 'one') IS NOT NULL AS one,
    pool.lead_id('b', 'two') IS NOT NULL AS two;
UPDATE pool.member SET login = 'reader_two' WHERE key = 'second';
UPDATE pool.member SET login = 'app' WHERE key = 'second';
UPDATE pool.member SET login = NULL WHERE key = 'second';
SELECT count(*) FROM pool.pool;
INSERT INTO pool.tenant (name) VALUES ('three');
RESET ROLE;
SELECT pool.grant_access('boss_one', 'admin', 'two');
SET ROLE boss_one;
SELECT name FROM pool.tenant ORDER BY name;
RESET ROLE;
SELECT count(*) FROM pool.pool;
SELECT * FROM pool.verify();

SELECT pool.revoke_access('boss_one', 'admin');
SET ROLE boss_one;
SELECT name FROM pool.tenant;
RESET ROLE;
