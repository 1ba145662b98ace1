-- Every kind of damage is found by the check that is named after it, and mended
-- by what pool.verification says.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('p', true), ('untimed', true);
INSERT INTO pool.member (key, hold_limit) VALUES ('ann', 9), ('bob', NULL);
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool WHERE name = 'p';
SELECT t.fill('p', 'k', 4), t.fill('untimed', 'u', 2);
SELECT count(*) FROM pool.claim('p', 'ann', 2);
SELECT count(*) FROM pool.claim('untimed', 'bob', 1);
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT * FROM pool.verify();
-- every check is a view, and every view a check
SELECT coalesce(v.name, c.relname) AS unmatched FROM pool.verification v
FULL JOIN (SELECT substr(relname, 8) AS relname FROM pg_class
    WHERE relnamespace = 'pool'::regnamespace AND relname LIKE 'verify\_%') c
    ON c.relname = v.name
WHERE coalesce(v.in_view, true) IS DISTINCT FROM (c.relname IS NOT NULL)
    OR v.name IS NULL;

-- due: a tick would come too late, or never; too early does not matter
BEGIN;
UPDATE pool.lead_state SET check_at = NULL WHERE id = t.id('k1');
UPDATE pool.lead_state SET check_at = check_at + '1 microsecond'
    WHERE id = t.id('k2');
SELECT check_name, object = 'lead ' || t.id('k1') AS k1, message
FROM pool.verify() ORDER BY 2 DESC;
SELECT count(*) FROM pool.verify(2);
UPDATE pool.timer_rule SET enabled = enabled;
SELECT * FROM pool.verify() WHERE check_name = 'due';
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
SELECT * FROM pool.verify() WHERE check_name = 'due';
UPDATE pool.lead_state SET check_at = '2020-01-01' WHERE id = t.id('k1');
UPDATE pool.lead_state SET check_at = NULL WHERE id = t.id('u1');
SELECT * FROM pool.verify() WHERE check_name = 'due';
-- not what a condition leaves alone
UPDATE pool.timer_rule SET condition = '$.grade == "A"';
SELECT count(*) > 0 AS ticked FROM pool.tick();
UPDATE pool.lead_state SET check_at = NULL WHERE id = t.id('k1');
SELECT * FROM pool.verify() WHERE check_name = 'due';
UPDATE pool.lead_data SET grade = 'A' WHERE id = t.id('k1');
SELECT check_name, message FROM pool.verify() WHERE check_name = 'due';
-- what is late already is as bad
SET LOCAL pool_ext.clock = '2026-04-01 09:00+00';
SELECT check_name, message FROM pool.verify() WHERE check_name = 'due';
-- but a rule that has to warn first takes its time
UPDATE pool.timer_rule SET notice_required = true, condition = NULL;
DELETE FROM pool.timer_recheck;
UPDATE pool.lead_state SET check_at = '2026-04-02 09:00+00'
    WHERE owner_id IS NOT NULL;
SELECT * FROM pool.verify() WHERE check_name = 'due';
ROLLBACK;

-- collaborator: of a lead that is not owned, of the owner, of another tenant
BEGIN;
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.member (key, tenant_id)
    SELECT 'eve', id FROM pool.tenant WHERE name = 'other';
INSERT INTO pool.collaborator (lead_id, member_id, tenant_id, role, since)
SELECT t.id(c.lead), m.id, l.tenant_id, 'helper', now()
FROM (VALUES ('k3', 'bob'), ('k1', 'ann'), ('k2', 'eve'), ('k2', 'bob'))
    c (lead, key)
JOIN pool.member m ON m.key = c.key
JOIN pool.lead_state l ON l.id = t.id(c.lead);
SELECT check_name, message FROM pool.verify() ORDER BY message;
DELETE FROM pool.collaborator c USING pool.member m
    WHERE m.id = c.member_id AND (m.key <> 'bob' OR c.lead_id = t.id('k3'));
SELECT * FROM pool.verify();
ROLLBACK;

-- counter_limit
BEGIN;
UPDATE pool.membership_state SET member_limit = CASE WHEN member_limit IS NULL
    THEN 3 END;
SELECT check_name, message FROM pool.verify(1) ORDER BY message;
UPDATE pool.member SET hold_limit = hold_limit;
SELECT * FROM pool.verify(1);
ROLLBACK;

-- triggers: each one that the extension has made
CREATE TEMP TABLE had AS
SELECT t.tgrelid::regclass AS tab, t.tgname, t.tgenabled FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'pool'::regnamespace AND NOT t.tgisinternal
    AND c.relkind = 'r';
CREATE FUNCTION pg_temp.missed() RETURNS TABLE (missed text) LANGUAGE plpgsql
AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM had LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', r.tab, r.tgname);
        IF NOT EXISTS (SELECT FROM pool.verify(1) v
            WHERE v.check_name = 'triggers'
                AND v.object = format('trigger %s of %s', r.tgname, r.tab)
                AND v.message LIKE 'it is disabled: ALTER TABLE %')
        THEN
            missed := format('%s of %s', r.tgname, r.tab);
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
BEGIN;
SELECT * FROM pg_temp.missed();
SELECT count(*) = (SELECT count(*) FROM had) AS each_once FROM pool.verify(1);
-- mended by the statements of the messages
DO $$
DECLARE
    command text;
BEGIN
    FOR command IN SELECT substring(message FROM ': (ALTER .*)')
        FROM pool.verify(1) WHERE check_name = 'triggers'
    LOOP
        EXECUTE command;
    END LOOP;
END $$;
SELECT * FROM pool.verify(1);
SELECT count(*) AS other_than_before FROM had h JOIN pg_trigger t
    ON t.tgrelid = h.tab AND t.tgname = h.tgname
WHERE t.tgenabled <> h.tgenabled;
-- as a restore with --disable-triggers leaves them
ALTER TABLE pool.lead_state ENABLE TRIGGER ALL;
SELECT * FROM pool.verify(1) ORDER BY object;
ROLLBACK;
BEGIN;
ALTER TABLE pool.membership DISABLE TRIGGER ALL;
SELECT check_name, regexp_replace(object, '\d+', 'N') AS object,
    regexp_replace(message, '\d+', 'N') AS message
FROM pool.verify(1) WHERE object LIKE 'foreign%' ORDER BY 2;
ROLLBACK;
BEGIN;
ALTER EVENT TRIGGER pool_ext_guard DISABLE;
DROP TRIGGER guard_event ON pool.event;
SELECT * FROM pool.verify(1) ORDER BY object;
ROLLBACK;

-- id_sequence: as a restore of rows without sequences leaves them
BEGIN;
SELECT setval('pool.lead_id_seq', 1), setval('pool.event_id_seq', 1, false),
    setval('pool.ticket_seq', 2);
SELECT * FROM pool.verify() ORDER BY object;
SELECT setval('pool.lead_id_seq', 6), setval('pool.event_id_seq', 9),
    setval('pool.ticket_seq', 6, false);
SELECT * FROM pool.verify() ORDER BY object;
SELECT setval('pool.ticket_seq', 6);
SELECT * FROM pool.verify();
ROLLBACK;
-- ids of other servers are none of ours
BEGIN;
UPDATE pool.lead_state SET id = id + (7::bigint << 43) WHERE id = t.id('k4');
UPDATE pool.lead_data SET id = id + (7::bigint << 43) WHERE id = t.id('k4');
SELECT * FROM pool.verify() WHERE check_name = 'id_sequence';
ROLLBACK;
SELECT setval('pool.lead_id_seq', 100), setval('pool.event_id_seq', 100),
    setval('pool.ticket_seq', 100);
SELECT * FROM pool.verify();

-- index_complete: an index that is not valid, and one that lacks a row
BEGIN;
UPDATE pg_index SET indisvalid = false
WHERE indexrelid = 'pool.lead_state_queue_idx'::regclass;
SELECT * FROM pool.verify(4);
SELECT * FROM pool.verify(3);
ROLLBACK;
BEGIN;
UPDATE pg_index SET indisready = false
WHERE indexrelid = 'pool.calendar_pkey'::regclass;
INSERT INTO pool.calendar (tenant_id, day, is_workday)
SELECT id, '2030-01-01', false FROM pool.tenant;
UPDATE pg_index SET indisready = true
WHERE indexrelid = 'pool.calendar_pkey'::regclass;
SELECT * FROM pool.verify(4);
REINDEX INDEX pool.calendar_pkey;
SELECT * FROM pool.verify(4);
ROLLBACK;
SELECT * FROM pool.verify(4);
SELECT area, count(*) > 0 AS some FROM pool.verification GROUP BY 1 ORDER BY 1;
