-- Nothing that holds leads goes without being asked for twice.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE guard_owner SUPERUSER;

-- An extension without leads can be dropped in every way.
BEGIN;
DROP EXTENSION pool_ext;
ROLLBACK;
BEGIN;
DROP SCHEMA pool CASCADE;
ROLLBACK;
DROP EXTENSION pool_ext;
DROP SCHEMA pool;
SET ROLE guard_owner;
CREATE EXTENSION pool_ext;
RESET ROLE;
BEGIN;
DROP OWNED BY guard_owner;
ROLLBACK;

INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.member (key) VALUES ('m');
SELECT outcome FROM pool.enter('p', 'one');
SELECT outcome FROM pool.claim('p', 'm', request_id => gen_random_uuid());

-- With leads it cannot.
\set VERBOSITY default
DROP SCHEMA pool CASCADE;
\set VERBOSITY terse
DROP EXTENSION pool_ext;
DROP EXTENSION pool_ext CASCADE;
DROP SCHEMA pool CASCADE;

DROP OWNED BY guard_owner;
DROP OWNED BY guard_owner CASCADE;

-- Nor table by table, once taken out of the extension.
BEGIN;
ALTER EXTENSION pool_ext DROP TABLE pool.lead_state;
SAVEPOINT s;
DROP TABLE pool.lead_state CASCADE;
ROLLBACK TO s;
-- the extension alone would leave tables that nothing guards
ALTER EXTENSION pool_ext DROP TABLE pool.lead_data;
ALTER EXTENSION pool_ext DROP TABLE pool.event;
DROP EXTENSION pool_ext CASCADE;
ROLLBACK;
BEGIN;
ALTER EXTENSION pool_ext DROP TABLE pool.event;
DROP TABLE pool.event CASCADE;
ROLLBACK;

-- In a function or a savepoint it is the same.
DO $$ BEGIN EXECUTE 'DROP SCHEMA pool CASCADE'; END $$;
BEGIN;
SAVEPOINT s;
DROP EXTENSION pool_ext;
ROLLBACK TO s;
SELECT count(*) FROM pool.lead_state;
ROLLBACK;

-- Nor do they get another name, under which nothing finds or guards them.
\set VERBOSITY default
ALTER SCHEMA pool RENAME TO sales;
\set VERBOSITY terse
ALTER TABLE pool.lead_state RENAME TO leads;
ALTER TABLE pool.lead_data RENAME TO people;
ALTER TABLE pool.event SET SCHEMA public;
-- nor do they become what a crash empties
\set VERBOSITY default
ALTER TABLE pool.lead_state SET UNLOGGED;
\set VERBOSITY terse
ALTER TABLE pool.event SET UNLOGGED;
BEGIN;
ALTER SCHEMA pool OWNER TO guard_owner;
ALTER TABLE pool.lead_state SET (fillfactor = 50);
ROLLBACK;
VACUUM FULL pool.lead_state;
CREATE SCHEMA others;
ALTER SCHEMA others RENAME TO other_ones;
DROP SCHEMA other_ones;
-- nor have they children, whose rows would be leads of nobody's, or a parent
\set VERBOSITY default
CREATE TABLE more () INHERITS (pool.lead_state);
\set VERBOSITY terse
CREATE TABLE more (LIKE pool.lead_state INCLUDING ALL);
ALTER TABLE more INHERIT pool.lead_state;
CREATE TEMP TABLE fewer () INHERITS (pool.membership);
CREATE TABLE parts (LIKE pool.lead_state) PARTITION BY RANGE (id);
ALTER TABLE parts ATTACH PARTITION pool.lead_state DEFAULT;
ALTER TABLE parts ATTACH PARTITION more DEFAULT;
ALTER TABLE parts DETACH PARTITION more;
DROP TABLE parts;
BEGIN;
SET LOCAL pool_ext.allow_drop = on;
ALTER TABLE more INHERIT pool.lead_state;
SET LOCAL pool_ext.allow_drop = off;
ALTER TABLE more NO INHERIT pool.lead_state;
ROLLBACK;
DROP TABLE more;
-- of other tables it is said what is missing
BEGIN;
ALTER TABLE pool.membership_state RENAME TO states;
\set VERBOSITY default
SELECT pool.claim('p', 'm');
\set VERBOSITY terse
ROLLBACK;

-- Other people's tables are none of ours.
CREATE TABLE public.lead_state (id integer);
INSERT INTO public.lead_state VALUES (1);
DROP TABLE public.lead_state;
CREATE SCHEMA other;
CREATE TABLE other.event (id integer);
INSERT INTO other.event VALUES (1);
DROP SCHEMA other CASCADE;

-- TRUNCATE
TRUNCATE pool.lead_state;
TRUNCATE pool.lead_data;
TRUNCATE pool.event;
TRUNCATE pool.request_log;
TRUNCATE pool.member_state;
TRUNCATE pool.membership_state;
TRUNCATE pool.installation;
TRUNCATE pool.tenant CASCADE;
TRUNCATE pool.pool CASCADE;
TRUNCATE pool.member CASCADE;
TRUNCATE pool.membership;
TRUNCATE pool.identity;
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m;
TRUNCATE pool.membership;
SELECT outcome FROM pool.enter('p', 'two',
    identities => '{"phone": "13800138000"}');
TRUNCATE pool.identity;

-- The log is append-only.
\set VERBOSITY default
UPDATE pool.event SET reason = 'x';
\set VERBOSITY terse
DELETE FROM pool.event;
DELETE FROM pool.event WHERE false;
BEGIN;
-- erasing opens it for itself only
SELECT outcome FROM pool.erase(ARRAY[pool.lead_id('two')], 'asked for');
UPDATE pool.event SET reason = 'x';
ROLLBACK;

-- Where the data has lived is known for good; the worker can be switched off.
\set VERBOSITY default
DELETE FROM pool.installation;
\set VERBOSITY terse
UPDATE pool.installation SET system_identifier = 1;
UPDATE pool.installation SET database_oid = 1;
UPDATE pool.installation SET generation = 0;
DELETE FROM pool.installation WHERE false;
BEGIN;
UPDATE pool.installation SET active = false;
SELECT pool.resume();
-- a copy that comes home again goes on after the highest generation
INSERT INTO pool.installation VALUES (1, 1, 7);
SELECT outcome FROM pool.enter('p', 'after');
SELECT max(generation) FROM pool.event;
SET pool_ext.allow_drop = on;
UPDATE pool.installation SET generation = 6 WHERE generation = 7;
DELETE FROM pool.installation;
ROLLBACK;

-- Only a superuser can let it happen.
CREATE ROLE guard_user;
GRANT USAGE ON SCHEMA pool TO guard_user;
SET ROLE guard_user;
SET pool_ext.allow_drop = on;
RESET ROLE;
SET pool_ext.allow_drop = on;
BEGIN;
TRUNCATE pool.lead_state, pool.lead_data, pool.identity;
SELECT count(*) FROM pool.lead;
ROLLBACK;
SELECT count(*) FROM pool.lead;
-- the log stays closed all the same
DELETE FROM pool.event;
BEGIN;
DROP SCHEMA pool CASCADE;
ROLLBACK;
BEGIN;
ALTER SCHEMA pool RENAME TO sales;
ROLLBACK;
RESET pool_ext.allow_drop;
DROP EXTENSION pool_ext;

-- Rows deleted by hand are gone, and nothing is left to guard.
BEGIN;
DELETE FROM pool.lead_state;
DELETE FROM pool.lead_data;
ALTER TABLE pool.event DISABLE TRIGGER guard_event;
DELETE FROM pool.event;
DROP EXTENSION pool_ext;
ROLLBACK;

-- Writes around the library are noticed: nothing claimable stays hidden.
BEGIN;
ALTER TABLE pool.event DISABLE TRIGGER guard_event;
DELETE FROM pool.event;
CREATE TEMP TABLE saved AS SELECT * FROM pool.lead_state;
DELETE FROM pool.lead_state;
COMMIT;
SELECT outcome FROM pool.claim('p', 'm');
ALTER TABLE pool.event ENABLE TRIGGER guard_event;
INSERT INTO pool.lead_state SELECT * FROM saved;
SELECT outcome, key FROM pool.claim('p', 'm');

-- The trigger functions are nothing to call.
SELECT pool.guard_ddl();
SELECT pool.guard_truncate();
SELECT pool.guard_event();
CREATE TABLE mine (id integer);
CREATE TRIGGER t BEFORE INSERT ON mine
    FOR EACH ROW EXECUTE FUNCTION pool.merge_state();
INSERT INTO mine VALUES (1);
DROP TABLE mine;

SET pool_ext.allow_drop = on;
DROP EXTENSION pool_ext;
DROP SCHEMA pool;
DROP ROLE guard_owner, guard_user;
