-- Tables of the application whose rows are leads.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, everyone, hold_limit) VALUES ('sea', true, 3);
INSERT INTO pool.pool (name, everyone) VALUES ('odoo', true);
INSERT INTO pool.member (key, profile)
VALUES ('ann', '{"uid": 7}'), ('bob', '{"uid": 8}'), ('cid', '{}');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool WHERE name = 'sea';

-- Like CordysCRM
CREATE TABLE customer (id varchar(32) PRIMARY KEY, name varchar(255) NOT NULL,
    owner varchar(32), in_shared_pool boolean NOT NULL DEFAULT true,
    phone text, industry text, create_time bigint,
    collection_time timestamptz, follow_time timestamptz);
INSERT INTO customer VALUES
    ('c1', 'One', 'ann', false, '13800138001', 'SaaS', 1767225600000,
        '2026-03-01', '2026-03-01 12:00+00'),
    ('c2', 'Two', NULL, true, NULL, NULL, 1767225600000, NULL, NULL),
    ('c3', 'Three', 'ghost', false, NULL, NULL, NULL, NULL, NULL),
    ('c4', 'Four', 'bob', false, '138 0013 8001', NULL, NULL, NULL, NULL),
    ('c5', 'Five', NULL, false, NULL, 'spam', NULL, NULL, NULL),
    ('c6', 'Six', 'bob', true, NULL, NULL, NULL, NULL, NULL);
CREATE FUNCTION t.attach(dry boolean, on_bypass text DEFAULT 'translate')
RETURNS TABLE (outcome text, owner_value text, reason text, row_count bigint)
LANGUAGE sql AS $$
    SELECT * FROM pool.attach('customer', 'sea', 'id', 'owner',
        columns => '{"name": "name", "created_at": "create_time",
            "owned_at": "collection_time", "last_follow_up_at": "follow_time",
            "attributes": ["industry"]}',
        identities => '{"phone": "phone"}',
        condition => '!($.industry == "spam")',
        on_bypass => on_bypass, dry_run => dry, shared => 'in_shared_pool')
$$;
CREATE FUNCTION t.both() RETURNS TABLE (id text, owner text, shared boolean,
    status text, member text)
LANGUAGE sql AS $$
    SELECT c.id, c.owner, c.in_shared_pool, l.status, m.key
    FROM public.customer c
    LEFT JOIN pool.lead l ON l.key = c.id
    LEFT JOIN pool.member m ON m.id = l.owner_id
    ORDER BY c.id
$$;

------------------------------------------------------------------------
-- Rows that are there
------------------------------------------------------------------------

SELECT * FROM t.attach(true);
SELECT count(*) FROM pool.lead;
SELECT count(*) FROM pool.attachment;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'customer'::regclass;
SELECT * FROM t.attach(false);
SELECT * FROM t.both();
SELECT key, name, attributes, created_at, owned_at, last_follow_up_at
FROM pool.lead ORDER BY key;
SELECT key, rule, due_at FROM pool.lead_due ORDER BY key;
SELECT * FROM t.events(t.id('c1'));
SELECT * FROM pool.attachment;

------------------------------------------------------------------------
-- What pool_ext does is in the table at once
------------------------------------------------------------------------

SELECT outcome, key FROM pool.claim('sea', 'ann');
SELECT * FROM t.both() WHERE id = 'c2';
SELECT outcome FROM pool.transfer(t.ids('c2'), 'bob');
SELECT * FROM t.both() WHERE id = 'c2';
SELECT outcome FROM pool.release(t.ids('c2'), member => 'bob');
SELECT * FROM t.both() WHERE id = 'c2';
SELECT outcome FROM pool.assign(t.ids('c2'), 'bob');
SELECT outcome FROM pool.archive(t.ids('c2'), 'lost');
SELECT * FROM t.both() WHERE id = 'c2';
SELECT outcome FROM pool.reopen(t.ids('c2'));
SELECT * FROM t.both() WHERE id = 'c2';
-- a converted lead keeps its last owner in the table
SELECT outcome FROM pool.convert(t.id('c6'), member => 'bob');
SELECT * FROM t.both() WHERE id = 'c6';
-- by time
SET pool_ext.clock = '2026-03-06 09:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT * FROM t.both() WHERE id = 'c1';
-- an undone change is undone in both
BEGIN;
SAVEPOINT s;
SELECT outcome FROM pool.assign(t.ids('c1'), 'bob');
ROLLBACK TO s;
COMMIT;
SELECT * FROM t.both() WHERE id = 'c1';
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Old code: translate
------------------------------------------------------------------------

UPDATE customer SET owner = 'ann' WHERE id = 'c1';
UPDATE customer SET owner = 'bob', name = 'Won over' WHERE id = 'c1';
UPDATE customer SET owner = NULL WHERE id = 'c1';
SELECT kind, member, reason, detail FROM t.events(t.id('c1')) OFFSET 3;
SELECT * FROM t.both() WHERE id = 'c1';
UPDATE customer SET owner = owner, name = 'The same' WHERE id = 'c1';
-- what else is mapped follows the table; what becomes NULL is left as it is, but
-- for attributes
UPDATE customer SET name = 'One Ltd.', industry = NULL, phone = '138 0013 8002',
    owner = 'ann' WHERE id = 'c1';
SELECT name, attributes FROM pool.lead WHERE key = 'c1';
SELECT value FROM pool.identity WHERE lead_id = t.id('c1') ORDER BY 1;
SELECT kind, member, actor, detail FROM t.events(t.id('c1')) OFFSET 8;
UPDATE customer SET owner = NULL, industry = 'SaaS' WHERE id = 'c1';
-- many at once, one that was left alone among them, and what is the same leaves no event
UPDATE customer SET name = 'Co. ' || id, create_time = 0;
UPDATE customer SET name = 'Co. ' || id, create_time = 0;
SELECT key, name, (SELECT count(*) FROM t.events(l.id) WHERE kind = 'edited') AS edited
FROM pool.lead l ORDER BY key;
-- an identity that another lead has stays there, and is written down
UPDATE customer SET phone = '13800138002', name = 'Two' WHERE id = 'c2';
SELECT name FROM pool.lead WHERE key = 'c2';
SELECT l.key FROM pool.identity i JOIN pool.lead l ON l.id = i.lead_id WHERE i.value = '+8613800138002';
SELECT b.kind, d.key, o.key AS owner FROM pool.bypass b
JOIN pool.lead_data d ON d.id = b.lead_id LEFT JOIN pool.member o ON o.id = b.owner_id;
-- such rows are kept for 90 days
BEGIN;
INSERT INTO pool.bypass (at, tenant_id, attachment_id, lead_id, login, kind)
SELECT pool.clock() - make_interval(days => d), tenant_id, attachment_id, lead_id, login, 'claim'
FROM pool.bypass, unnest(ARRAY[89, 91, 92]) d;
SELECT done, more FROM pool.tick(1) WHERE task = 'requests';
SELECT done, more FROM pool.tick() WHERE task = 'requests';
SELECT kind, pool.clock() - at < '90 days' AS young FROM pool.bypass ORDER BY at;
ROLLBACK;
DELETE FROM pool.bypass;
-- a column that becomes empty takes the identities of its kind away, and a change
-- of other columns none
BEGIN;
SELECT outcome FROM pool.edit(t.id('c1'), identities => '{"email": "one@example.org"}');
UPDATE customer SET name = 'One', phone = phone || ' ' WHERE id = 'c1';
SELECT kind, value FROM pool.identity WHERE lead_id = t.id('c1') ORDER BY 1, 2;
UPDATE customer SET phone = ' ' WHERE id = 'c1';
SELECT kind, value FROM pool.identity WHERE lead_id = t.id('c1') ORDER BY 1, 2;
SELECT kind, detail FROM (SELECT row_number() OVER () AS n, * FROM t.events(t.id('c1'))) e
ORDER BY n DESC LIMIT 2;
UPDATE customer SET phone = NULL WHERE id IN ('c1', 'c2');
UPDATE customer SET phone = '13800138002' WHERE id = 'c2';
SELECT l.key FROM pool.identity i JOIN pool.lead l ON l.id = i.lead_id WHERE i.value = '+8613800138002';
SELECT count(*) FROM pool.bypass;
ROLLBACK;
-- refusals are errors, and nothing stays
SELECT * FROM t.error($$UPDATE customer SET owner = 'ghost' WHERE id = 'c1'$$);
SELECT * FROM t.error($$UPDATE customer SET owner = 'spirit' WHERE id = 'c3'$$);
SELECT * FROM t.error($$UPDATE customer SET owner = 'ann' WHERE id = 'c6'$$);
SELECT outcome FROM pool.set_away('ann');
SELECT * FROM t.error($$UPDATE customer SET owner = 'ann' WHERE id = 'c1'$$);
SELECT outcome FROM pool.set_active('ann');
SELECT * FROM t.error($$UPDATE customer SET id = 'c9' WHERE id = 'c1'$$);
SELECT * FROM t.error($$TRUNCATE customer$$);
SELECT * FROM t.both();
-- new rows enter; those that match from now on, too; a limit is a limit
INSERT INTO customer (id, name, owner) VALUES
    ('n1', 'New', 'cid'), ('n2', 'New', NULL), ('n3', 'New', 'cid'),
    ('n4', 'New', 'cid'), ('n5', 'New', 'cid');
INSERT INTO customer (id, name, owner) VALUES
    ('n1', 'New', 'cid'), ('n2', 'New', NULL), ('n3', 'New', 'cid');
UPDATE customer SET industry = 'SaaS' WHERE id = 'c5';
SELECT * FROM t.error($$INSERT INTO customer VALUES ('n6', 'New', 'ghost')$$);
-- many at once
UPDATE customer SET owner = 'ann' WHERE id IN ('n1', 'n2', 'n3');
SELECT * FROM t.both();
-- deleted rows are archived, and come back as the same lead
DELETE FROM customer WHERE id IN ('n1', 'n2', 'c6');
SELECT key, status FROM pool.lead WHERE key IN ('n1', 'n2', 'c6') ORDER BY 1;
INSERT INTO customer (id, name, owner) VALUES ('n1', 'Again', 'bob');
SELECT * FROM t.both() WHERE id = 'n1';
-- a rule finds an owner for new rows, which have none
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT id, 1, 'turns', 'round_robin' FROM pool.pool WHERE name = 'sea';
INSERT INTO customer (id, name) VALUES ('r1', 'Routed');
SELECT owner = member AS by_rule, status FROM t.both() WHERE id = 'r1';
DELETE FROM pool.routing_rule;
DELETE FROM customer WHERE id = 'r1';
-- a lead that was there before the row keeps its owner
SELECT outcome FROM pool.enter('sea', 'early', owner => 'cid');
INSERT INTO customer (id, name) VALUES ('early', 'Late');
SELECT * FROM t.both() WHERE id = 'early';
SELECT * FROM pool.verify();

-- a member's own login
CREATE ROLE regress_attach_ann LOGIN;
UPDATE pool.member SET login = 'regress_attach_ann' WHERE key = 'ann';
SELECT outcome FROM pool.reclaim(t.ids('n1', 'n3', 'c2', 'c5'));
SELECT * FROM t.both();
GRANT SELECT, UPDATE ON customer TO regress_attach_ann;
SET ROLE regress_attach_ann;
UPDATE customer SET owner = 'ann' WHERE id = 'n1';
UPDATE customer SET owner = NULL WHERE id = 'n1';
UPDATE customer SET owner = 'bob' WHERE id = 'n1';
RESET ROLE;
SELECT kind, member, actor FROM t.events(t.id('n1')) OFFSET 6;
UPDATE pool.member SET login = NULL WHERE key = 'ann';

------------------------------------------------------------------------
-- Old code: refuse, log
------------------------------------------------------------------------

UPDATE pool.attachment SET on_bypass = 'refuse';
SELECT * FROM t.error($$UPDATE customer SET owner = 'ann' WHERE id = 'n1'$$);
SELECT * FROM t.error($$DELETE FROM customer WHERE id = 'n1'$$);
SELECT outcome FROM pool.transfer(t.ids('n1'), 'ann');
UPDATE customer SET name = 'A name' WHERE id = 'n1';
UPDATE pool.attachment SET on_bypass = 'log';
UPDATE customer SET owner = 'bob' WHERE id = 'n1';
UPDATE customer SET owner = 'ghost' WHERE id = 'n3';
DELETE FROM customer WHERE id = 'c2';
SELECT b.kind, d.key, o.key AS owner, m.key AS member
FROM pool.bypass b JOIN pool.lead_data d ON d.id = b.lead_id
LEFT JOIN pool.member o ON o.id = b.owner_id
LEFT JOIN pool.member m ON m.id = b.member_id ORDER BY b.id;
SELECT check_name, message FROM pool.verify();
-- attached again, the table says what the pool says
SELECT pool.detach('customer');
SELECT * FROM t.attach(false);
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Columns and tables that go
------------------------------------------------------------------------

SELECT * FROM t.error($$ALTER TABLE customer DROP COLUMN owner$$);
SELECT * FROM t.error($$ALTER TABLE customer RENAME id TO ident$$);
SELECT * FROM t.error($$ALTER TABLE customer RENAME in_shared_pool TO pooled$$);
SELECT * FROM t.error($$ALTER TABLE customer DROP COLUMN industry$$);
SELECT * FROM t.error($$ALTER TABLE customer RENAME phone TO telephone$$);
SELECT state, message FROM t.error($$DROP TABLE customer$$);
SELECT state FROM t.error($$DROP EXTENSION pool_ext$$);
ALTER TABLE customer ADD COLUMN note text;
ALTER TABLE customer RENAME TO kunde;
ALTER TABLE kunde RENAME TO customer;
ALTER TABLE customer DISABLE TRIGGER pool_ext_updated;
SELECT * FROM pool.verify();
ALTER TABLE customer ENABLE TRIGGER pool_ext_updated;
-- row security does not keep the pool from writing
ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
ALTER TABLE customer FORCE ROW LEVEL SECURITY;
CREATE ROLE regress_attach_boss;
GRANT CREATE ON SCHEMA public TO regress_attach_boss;
ALTER TABLE customer OWNER TO regress_attach_boss;
SELECT outcome FROM pool.assign(t.ids('n3'), 'ann');
SELECT * FROM t.both() WHERE id = 'n3';
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Who may, and what is refused
------------------------------------------------------------------------

SELECT pool.grant_access('regress_attach_boss', 'admin');
SET ROLE regress_attach_boss;
SELECT pool.detach('customer');
SELECT outcome, row_count FROM pool.attach('customer', 'sea', 'id', 'owner');
SELECT outcome FROM pool.attach('pool.member', 'sea', 'id', 'key');
RESET ROLE;
CREATE TABLE other (id integer PRIMARY KEY, who text, n numeric, flag text);
SET ROLE regress_attach_boss;
SELECT pool.attach('other', 'sea', 'id', 'who');
RESET ROLE;
SELECT * FROM t.error($$SELECT pool.attach('customer', 'sea', 'id', 'owner', key_prefix => 'x')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'who')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'nowhere', 'id', 'who')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'who', 'id', key_prefix => 'o')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'n', key_prefix => 'o')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'nothing', key_prefix => 'o')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'who', shared => 'flag')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'who', columns => '{"title": "flag"}')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'who', columns => '{"name": "title"}')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'who', columns => '[]')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', 'id', 'who', on_bypass => 'ask')$$);
SELECT * FROM t.error($$SELECT pool.attach('pg_class', 'sea', 'oid', 'relname')$$);
SELECT * FROM t.error($$SELECT pool.attach(NULL, 'sea', 'id', 'who')$$);
SELECT * FROM t.error($$SELECT pool.attach('other', 'sea', NULL, 'who')$$);
SELECT * FROM t.error($$SELECT pool.attach(1::regclass, 'sea', 'id', 'who')$$);
SELECT * FROM t.error($$SELECT pool.detach('other')$$);
SELECT * FROM t.error($$SELECT pool.detach(NULL)$$);
SELECT * FROM t.error($$SELECT pool.attached_written()$$);

------------------------------------------------------------------------
-- Like Odoo, under names that hope to be run; who nobody is, is 0
------------------------------------------------------------------------

CREATE SCHEMA "o'; DROP TABLE t.x; --";
CREATE TABLE "o'; DROP TABLE t.x; --"."crm""lead" (
    "id""; --" serial PRIMARY KEY, "user_id'" integer NOT NULL DEFAULT 0,
    active boolean DEFAULT true, phone text, partner_name text);
CREATE TABLE t.x ();
INSERT INTO "o'; DROP TABLE t.x; --"."crm""lead" ("user_id'", active)
VALUES (7, true), (0, true), (9, true), (8, false);
SELECT * FROM pool.attach('"o''; DROP TABLE t.x; --"."crm""lead"', 'odoo',
    'id"; --', 'user_id''', condition => '$.active == true', nobody => '0',
    member_field => 'uid', key_prefix => 'lead ''"');
SELECT outcome, key FROM pool.claim('odoo', 'bob');
UPDATE "o'; DROP TABLE t.x; --"."crm""lead" SET "user_id'" = 0
WHERE "id""; --" = 1;
UPDATE "o'; DROP TABLE t.x; --"."crm""lead" SET active = true;
SELECT * FROM "o'; DROP TABLE t.x; --"."crm""lead" ORDER BY 1;
SELECT key, status FROM pool.lead WHERE key ~ '^lead' ORDER BY key;
-- a member whom the application does not know cannot be written
SELECT * FROM t.error($$SELECT pool.claim('odoo', 'cid')$$);
-- leads of other keys, in a tenant with attachments
SELECT outcome, lead_id IS NOT NULL FROM pool.enter('odoo', 'lead ''"01');
SELECT outcome, lead_id IS NOT NULL FROM pool.enter('odoo', 'lead ''"x', owner => 'ann');
SELECT * FROM pool.verify();
------------------------------------------------------------------------
-- What the application itself refuses stops no other lead
------------------------------------------------------------------------

INSERT INTO pool.pool (name, everyone, route_returned) VALUES ('strict', true, false);
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool WHERE name = 'strict';
CREATE TABLE strict (id integer PRIMARY KEY, owner text, name text, CHECK (id <> 3 OR owner IS NOT NULL));
-- as of Django: checked when the transaction ends
CREATE FUNCTION t.later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.id = 6 AND new.owner IS NULL THEN
        RAISE EXCEPTION 'row 6 keeps its owner';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON strict DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION t.later();
INSERT INTO strict SELECT i, 'ann', 'Name ' || i FROM generate_series(1, 6) i;
CREATE FUNCTION t.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.owner IS NULL AND old.id = 5 THEN
        RAISE EXCEPTION 'row % keeps its owner', old.name;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER keep BEFORE UPDATE ON strict FOR EACH ROW EXECUTE FUNCTION t.keep();
SELECT * FROM pool.attach('strict', 'strict', 'id', 'owner', columns => '{"name": "name"}', key_prefix => 'strict:');
SET pool_ext.clock = '2026-04-06 09:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT s.id, s.owner, l.status, m.key AS member FROM strict s
JOIN pool.lead l ON l.key = 'strict:' || s.id LEFT JOIN pool.member m ON m.id = l.owner_id ORDER BY s.id;
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT * FROM t.error($$SELECT pool.reclaim(t.ids('strict:3', 'strict:1'))$$);
-- a trigger that writes something else than it is told: then they differ, and verify() says so
CREATE OR REPLACE FUNCTION t.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.owner := old.owner;
    RETURN new;
END $$;
SELECT outcome FROM pool.claim_leads(t.ids('strict:1'), 'bob');
SELECT check_name, message FROM pool.verify();
DROP TRIGGER keep ON strict;
DROP TRIGGER later ON strict;
ALTER TABLE strict DROP CONSTRAINT strict_check;
SET pool_ext.clock = '2026-04-07 09:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT * FROM strict ORDER BY id;
SELECT pool.detach('strict');
DROP TABLE strict;

------------------------------------------------------------------------
-- Keys and owners of other types; columns that cannot be compared
------------------------------------------------------------------------

CREATE TABLE by_uuid (id uuid PRIMARY KEY, owner_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    title text, extra json, place point);
INSERT INTO pool.member (key) VALUES ('aaaaaaaa-0000-4000-8000-000000000001'), ('aaaaaaaa-0000-4000-8000-000000000002');
INSERT INTO by_uuid VALUES ('BBBBBBBB-0000-4000-8000-000000000001', 'AAAAAAAA-0000-4000-8000-000000000001', 'u1', '{"a": 1}'),
    ('bbbbbbbb-0000-4000-8000-000000000002', DEFAULT, 'u2', NULL);
SELECT * FROM pool.attach('by_uuid', 'odoo', 'id', 'owner_id',
    columns => '{"name": "title", "attributes": ["extra", "owner_id"]}', condition => '$.title != "no"',
    nobody => '00000000-0000-0000-0000-000000000000', key_prefix => 'uuid:');
SELECT outcome, key FROM pool.claim_leads(t.ids('uuid:bbbbbbbb-0000-4000-8000-000000000002'), 'aaaaaaaa-0000-4000-8000-000000000002');
UPDATE by_uuid SET owner_id = 'aaaaaaaa-0000-4000-8000-000000000002', extra = '{"a": 2}' WHERE title = 'u1';
UPDATE by_uuid SET owner_id = DEFAULT, title = 'u2 too' WHERE title = 'u2';
SELECT b.id, b.owner_id, l.name, l.attributes -> 'extra' AS extra, m.key AS owner
FROM by_uuid b JOIN pool.lead l ON l.key = 'uuid:' || b.id LEFT JOIN pool.member m ON m.id = l.owner_id ORDER BY b.id;
SELECT kind, detail FROM t.events(t.id('uuid:bbbbbbbb-0000-4000-8000-000000000002'));
CREATE TABLE by_text (id text PRIMARY KEY, owner integer);
INSERT INTO by_text VALUES ('客户/1 ''', 7), ('2', NULL), ('', 8);
SELECT * FROM pool.attach('by_text', 'odoo', 'id', 'owner', member_field => 'uid', key_prefix => 'text:');
SELECT outcome, key FROM pool.transfer(t.ids('text:客户/1 '''), 'bob');
UPDATE by_text SET owner = 7 WHERE id = '2';
SELECT outcome FROM pool.release(t.ids('text:2'), member => 'ann');
SELECT * FROM by_text ORDER BY id COLLATE "C";
CREATE TABLE by_small (id smallint PRIMARY KEY, owner varchar(8));
INSERT INTO by_small VALUES (-1, 'ann'), (2, NULL);
SELECT * FROM pool.attach('by_small', 'odoo', 'id', 'owner', key_prefix => 'small:');
SELECT outcome FROM pool.reclaim(t.ids('small:-1'));
SELECT outcome FROM pool.claim_leads(t.ids('small:2'), 'bob');
-- a name that the column cannot hold
SELECT * FROM t.error($$SELECT pool.claim_leads(t.ids('small:-1'), 'aaaaaaaa-0000-4000-8000-000000000002')$$);
SELECT * FROM by_small ORDER BY id;
SELECT * FROM pool.verify();
SELECT pool.detach(c) FROM unnest('{by_uuid,by_text,by_small}'::regclass[]) c;
DROP TABLE by_uuid, by_text, by_small;

------------------------------------------------------------------------
-- What cannot work is refused before: by attach, and when a table is altered
------------------------------------------------------------------------

CREATE TABLE unfit (id integer PRIMARY KEY, who text NOT NULL, uid integer NOT NULL, maybe text,
    free boolean GENERATED ALWAYS AS (maybe IS NULL) STORED, made text GENERATED ALWAYS AS (maybe || '!') STORED);
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'who', key_prefix => 'f:')$$);
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'uid', nobody => '00', key_prefix => 'f:')$$);
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'uid', nobody => 'none', key_prefix => 'f:')$$);
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'made', key_prefix => 'f:')$$);
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'maybe', shared => 'free', key_prefix => 'f:')$$);
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'maybe', condition => '$.fee == true', key_prefix => 'f:')$$);
-- a condition is true or false of a row, and cannot fail for one
SELECT c, e.* FROM unnest(ARRAY['$.maybe', '$.maybe == $who',
    '$.maybe.datetime("YYYY-Q-XX") == $.who']) c,
    t.error(format('SELECT pool.attach(''unfit'', ''odoo'', ''id'', ''maybe'', condition => %L, key_prefix => ''f:'')', c)) e;
BEGIN;
INSERT INTO unfit VALUES (1, '2026-01-02', 1), (2, '2026-01-02 10:00:00+00', 1),
    (3, '2025-01-01', 1), (4, 'soon', 1);
SET LOCAL timezone = 'Asia/Shanghai';
SELECT * FROM pool.attach('unfit', 'odoo', 'id', 'maybe', key_prefix => 'f:',
    condition => '$.who.datetime() > "2026-01-01T00:00:00+00:00".datetime()');
UPDATE unfit SET who = '2026-01-03' WHERE id = 3;
SELECT key FROM pool.lead WHERE key ~ '^f:' ORDER BY key;
ROLLBACK;
CREATE TABLE above (id integer, maybe text);
ALTER TABLE unfit INHERIT above;
SELECT * FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'maybe', key_prefix => 'f:')$$);
SELECT state FROM t.error($$SELECT pool.attach('above', 'odoo', 'id', 'maybe', key_prefix => 'f:')$$);
ALTER TABLE unfit NO INHERIT above;
ALTER TABLE unfit SET UNLOGGED;
SELECT state FROM t.error($$SELECT pool.attach('unfit', 'odoo', 'id', 'maybe', key_prefix => 'f:')$$);
DROP TABLE unfit, above;

CREATE TABLE fit (id integer PRIMARY KEY, who text, uid integer, active boolean, free boolean);
INSERT INTO fit VALUES (1, NULL, 7, true, true), (2, 'ann', 8, true, true);
SELECT * FROM pool.attach('fit', 'odoo', 'id', 'who', condition => '$.active == true', shared => 'free', key_prefix => 'f:');
CREATE TABLE whole (id integer NOT NULL, who text, uid integer, active boolean, free boolean) PARTITION BY RANGE (id);
CREATE TABLE above (id integer);
SELECT * FROM t.error($$ALTER TABLE whole ATTACH PARTITION fit FOR VALUES FROM (0) TO (9)$$);
SELECT state FROM t.error($$ALTER TABLE fit INHERIT above$$);
SELECT state FROM t.error($$CREATE TABLE below () INHERITS (fit)$$);
SELECT state FROM t.error($$ALTER TABLE fit SET UNLOGGED$$);
SELECT * FROM t.error($$ALTER TABLE fit ALTER id TYPE numeric$$);
SELECT detail FROM t.error($$ALTER TABLE fit ALTER free TYPE integer USING 1$$);
SELECT message FROM t.error($$ALTER TABLE fit RENAME active TO is_active$$);
ALTER TABLE fit ALTER id TYPE bigint, ALTER who TYPE varchar(32), ADD extra json;
SELECT outcome, key FROM pool.claim_leads(t.ids('f:1'), 'bob');
SELECT detail FROM t.error($$ALTER TABLE fit ALTER who SET NOT NULL$$);
DROP TABLE whole, above;
-- what only the pool writes, and what lets two rows be one lead
UPDATE fit SET free = true WHERE id = 1;
ALTER TABLE fit DROP CONSTRAINT fit_pkey;
SELECT check_name, message FROM pool.verify();
ALTER TABLE fit ADD PRIMARY KEY (id);
UPDATE fit SET free = false WHERE id = 1;
SELECT * FROM pool.verify();

------------------------------------------------------------------------
-- Keys that come late, or change; customers that are known by another row
------------------------------------------------------------------------

-- a row that is no lead may have another key, or its first
INSERT INTO fit VALUES (3, NULL, NULL, false, true);
UPDATE fit SET id = 30, active = true WHERE id = 3;
SELECT key, status FROM pool.lead WHERE key ~ '^f:3';
-- a closed lead is known by its key, too
SELECT outcome FROM pool.convert(t.id('f:2'), member => 'ann');
SELECT state FROM t.error($$UPDATE fit SET id = 20 WHERE id = 2$$);
SELECT pool.detach('fit');
DROP TABLE fit;
CREATE TABLE late (code text UNIQUE, owner text, phone text, document json);
INSERT INTO late VALUES (NULL, 'ann', '13700000001'), ('', NULL, NULL), ('k1', 'bob', '13700000002');
SELECT pool.detach('customer');
SELECT * FROM pool.attach('late', 'odoo', 'code', 'owner', identities => '{"phone": "phone"}');
UPDATE late SET code = 'k2' WHERE code IS NULL;
INSERT INTO late VALUES ('k3', 'ann', '13700000002');
UPDATE late SET owner = 'cid' WHERE code = 'k3';
UPDATE late SET document = '{"a": 1}';
SELECT l.key, m.key AS owner FROM pool.lead l LEFT JOIN pool.member m ON m.id = l.owner_id WHERE l.key ~ '^k' ORDER BY 1;
SELECT b.kind, d.key, o.key AS owner FROM pool.bypass b JOIN pool.lead_data d ON d.id = b.lead_id
LEFT JOIN pool.member o ON o.id = b.owner_id WHERE d.key ~ '^k' ORDER BY b.id;
-- columns called what our statements call their rows
CREATE TABLE short (x integer PRIMARY KEY, o text, n text, t text, d text, r text);
INSERT INTO short VALUES (1, 'ann', 'n1', 't1', 'd1', 'r1');
SELECT outcome, row_count FROM pool.attach('short', 'odoo', 'x', 'o', key_prefix => 's:',
    columns => '{"name": "n", "attributes": ["t", "d", "r"]}');
INSERT INTO short VALUES (2, NULL, 'n2', 't2', 'd2', 'r2');
UPDATE short SET n = 'n1 too', d = 'd3', o = 'bob' WHERE x = 1;
SELECT pool.detach('short');
DELETE FROM short WHERE x = 1;
SELECT outcome, row_count FROM pool.attach('short', 'odoo', 'x', 'o', key_prefix => 's:', condition => '$.n like_regex "^n"');
INSERT INTO short VALUES (3, 'ann', 'x3');
UPDATE short SET n = 'n' || n;
SELECT l.key, l.name, l.attributes, m.key AS owner FROM pool.lead l
LEFT JOIN pool.member m ON m.id = l.owner_id WHERE l.key ~ '^s:' ORDER BY 1;
SELECT pool.detach('short');
DROP TABLE short;
-- a table that is gone behind our back does not stand in the way of others
SET session_replication_role = replica;
DROP TABLE late;
RESET session_replication_role;
CREATE TABLE another (id integer);
ALTER TABLE another ADD COLUMN name text;
SELECT message FROM pool.verify() WHERE check_name = 'attachment';
SELECT pool.detach(relation) FROM pool.attachment WHERE relation::text ~ '^[0-9]+$';
DROP TABLE another;

------------------------------------------------------------------------
-- Keys of nineteen digits; a field of the profile that two members share
------------------------------------------------------------------------

CREATE TABLE wide (id bigint PRIMARY KEY, uid integer, CHECK (id <> 5 OR uid IS NULL));
INSERT INTO wide VALUES (1795012345678901234, NULL), (9223372036854775807, 7), (-9223372036854775808, NULL), (5, NULL);
SELECT * FROM pool.attach('wide', 'odoo', 'id', 'uid', member_field => 'uid', key_prefix => 'w:');
SELECT outcome, lead_id IS NOT NULL AS found FROM pool.enter('odoo', 'w:9223372036854775808', owner => 'ann');
SELECT outcome, key FROM pool.claim_leads(t.ids('w:1795012345678901234', 'w:-9223372036854775808'), 'ann');
SELECT outcome FROM pool.release(t.ids('w:9223372036854775807'), member => 'ann');
SELECT * FROM wide ORDER BY id;
-- an error of the table quotes no row
SELECT * FROM t.error($$SELECT pool.claim_leads(t.ids('w:5'), 'ann')$$);
UPDATE pool.member SET profile = '{"uid": 7}' WHERE key = 'bob';
SELECT state, message FROM t.error($$SELECT pool.claim_leads(t.ids('w:9223372036854775807'), 'ann')$$);
SELECT state, detail FROM t.error($$UPDATE wide SET uid = 7 WHERE id = 9223372036854775807$$);
SELECT state FROM t.error($$INSERT INTO wide VALUES (6, 7)$$);
UPDATE pool.member SET profile = '{"uid": 8}' WHERE key = 'bob';
SELECT * FROM pool.verify();
SELECT pool.detach('wide');
DROP TABLE wide;

SELECT pool.detach('"o''; DROP TABLE t.x; --"."crm""lead"');
SELECT count(*) FROM pg_trigger
WHERE tgfoid = 'pool.attached_written'::regproc;
DROP TABLE customer, "o'; DROP TABLE t.x; --"."crm""lead";
SELECT pool.revoke_access('regress_attach_boss', 'admin');
DROP OWNED BY regress_attach_boss;
DROP ROLE regress_attach_boss, regress_attach_ann;
