-- The view lead_event: who sees what happened to which lead.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
CREATE ROLE event_ann;
CREATE ROLE event_bob;
CREATE ROLE event_boss;
CREATE ROLE event_service;
INSERT INTO pool.pool (name) VALUES ('company');
INSERT INTO pool.pool (name, parent_id) SELECT 'desk', id FROM pool.pool;
INSERT INTO pool.member (key, login) VALUES ('ann', 'event_ann'),
    ('bob', 'event_bob'), ('boss', 'event_boss');
SELECT t.join_pool('company', 'boss'), t.join_pool('desk', 'ann', 'bob');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.pool (tenant_id, name)
    SELECT id, 'lake' FROM pool.tenant WHERE name = 'other';
SELECT pool.grant_access('event_ann', 'member'),
    pool.grant_access('event_bob', 'member'),
    pool.grant_access('event_boss', 'manager'),
    pool.grant_access('event_service', 'service', 'other');

SELECT t.fill('desk', 'a', 2);
SELECT outcome FROM pool.enter('other/lake', 'z');
SELECT outcome FROM pool.claim('desk', 'ann');
SELECT outcome FROM pool.claim('desk', 'bob');
SELECT outcome FROM pool.transfer(t.ids('a1'), 'bob', reason => 'swap');
INSERT INTO pool.collaborator (lead_id, member_id, tenant_id, role, since)
    SELECT t.id('a2'), id, tenant_id, 'helper', now() FROM pool.member
    WHERE key = 'ann';
SET ROLE event_ann;
SELECT key, kind, pool, member, reason FROM pool.lead_event ORDER BY event_id;
SET ROLE event_bob;
SELECT key, kind, pool, member, reason FROM pool.lead_event ORDER BY event_id;
SET ROLE event_boss;
SELECT key, kind, pool, member, reason FROM pool.lead_event ORDER BY event_id;
SET ROLE event_service;
SELECT key, kind, pool, member, reason FROM pool.lead_event ORDER BY event_id;
RESET ROLE;
SELECT count(*) FROM pool.lead_event;
DROP OWNED BY event_ann, event_bob, event_boss, event_service;
DROP ROLE event_ann, event_bob, event_boss, event_service;
