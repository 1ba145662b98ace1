-- Timers stand still while the owner is away, where the pool says so.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name, everyone, pause_when_away, max_pause) VALUES
    ('goes on', true, false, NULL), ('pauses', true, true, NULL),
    ('capped', true, true, '3 days'), ('works', true, true, NULL);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.timer_rule (pool_id, name, basis, after, working_time)
SELECT id, 'idle', 'follow_up', '5 days', name = 'works' FROM pool.pool;
SELECT t.fill(name, name || ' ', 2) FROM pool.pool;
CREATE FUNCTION status_at(moment timestamptz, member text, status text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    UPDATE pool.member SET status = $3 WHERE key = $2;
END $$;
CREATE FUNCTION tick_at(moment timestamptz)
RETURNS TABLE (key text, kind text, member text)
LANGUAGE plpgsql AS $$
DECLARE
    last bigint := (SELECT max(id) FROM pool.event);
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    PERFORM pool.tick();
    RETURN QUERY SELECT d.key, e.kind, m.key
        FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
        LEFT JOIN pool.member m ON m.id = e.member_id
        WHERE e.id > last ORDER BY d.key, e.id;
END $$;
CREATE VIEW absences AS SELECT m.key, a.started_at, a.ended_at
    FROM pool.absence a JOIN pool.member m ON m.id = a.member_id
    ORDER BY 1, 2;
CREATE VIEW dues AS SELECT key, due_at FROM pool.lead_due ORDER BY key;

SELECT p.name, c.due_at FROM pool.pool p, pool.claim(p.name, 'ann') c
    ORDER BY 1;
SELECT * FROM absences;
-- status decides; away_until only informs
UPDATE pool.member SET away_until = '2026-03-30 09:00+00' WHERE key = 'ann';
SELECT * FROM absences;
SELECT status_at('2026-03-04 09:00+00', 'ann', 'away');
UPDATE pool.member SET away_until = NULL, level = 3 WHERE key = 'ann';
SELECT * FROM absences;
SELECT * FROM dues;
-- what is due at its time goes; what stands still is forgotten by the tick
SELECT * FROM tick_at('2026-03-07 09:00+00');
SELECT * FROM tick_at('2026-03-10 08:59+00');
SELECT * FROM tick_at('2026-03-10 09:00+00');
SELECT d.key, s.check_at FROM pool.lead_state s JOIN pool.lead_data d USING (id)
    WHERE s.owner_id IS NOT NULL ORDER BY d.key;
-- back: the clocks go on, the tick finds his leads in chunks
SELECT status_at('2026-03-14 09:00+00', 'ann', 'active');
SELECT * FROM absences;
SELECT * FROM dues;
SELECT pool, member, to_do, done FROM pool.stat_recheck ORDER BY pool;
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
SELECT count(*) FROM pool.stat_recheck;
SELECT d.key, s.check_at FROM pool.lead_state s JOIN pool.lead_data d USING (id)
    WHERE s.owner_id IS NOT NULL ORDER BY d.key;
-- away again: each absence of the spell, of the earlier ones none
SELECT status_at('2026-03-15 09:00+00', 'ann', 'away');
SELECT * FROM dues;
SELECT status_at('2026-03-16 09:00+00', 'ann', 'active');
SELECT * FROM dues;
SELECT outcome FROM pool.follow_up(t.id('pauses 1'), member => 'ann');
SELECT * FROM dues;
SELECT outcome FROM pool.transfer(t.ids('works 1'), 'bob');
SELECT * FROM dues;
SELECT * FROM tick_at('2026-03-21 08:59+00');
SELECT * FROM tick_at('2026-03-21 09:00+00');
-- the limit is the spell's, over all its absences
SELECT outcome, due_at FROM pool.claim_leads(t.ids('capped 2'), 'ann');
SELECT status_at('2026-03-22 09:00+00', 'ann', 'away'),
    status_at('2026-03-24 09:00+00', 'ann', 'active'),
    status_at('2026-03-25 09:00+00', 'ann', 'away');
SELECT * FROM dues WHERE key = 'capped 2';
SELECT status_at('2026-03-28 09:00+00', 'ann', 'active');
SELECT * FROM dues WHERE key = 'capped 2';
SELECT * FROM tick_at('2026-03-29 08:59+00') WHERE member = 'ann';
SELECT * FROM tick_at('2026-03-29 09:00+00') WHERE member = 'ann';
-- other ends of being away, and others who are
SELECT status_at('2026-04-01 09:00+00', 'bob', 'away');
SELECT * FROM dues;
SELECT status_at('2026-04-02 09:00+00', 'bob', 'leaving');
SELECT status_at('2026-04-03 09:00+00', 'bob', 'left');
SELECT * FROM absences WHERE key = 'bob';
UPDATE pool.member SET status = 'active';
-- a member who comes to be while away; who goes leaves nothing
INSERT INTO pool.member (key, status) VALUES ('eve', 'away');
SELECT * FROM absences WHERE key = 'eve';
DELETE FROM pool.member WHERE key = 'eve';
SELECT count(*) FROM pool.absence a WHERE NOT EXISTS
    (SELECT FROM pool.member m WHERE m.id = a.member_id);
-- undone
BEGIN;
SELECT status_at('2026-04-05 09:00+00', 'ann', 'away');
ROLLBACK;
SELECT count(*) FROM pool.absence WHERE ended_at IS NULL;
-- a restore: whichever row comes first, the restored one stays
BEGIN;
SELECT status_at('2026-04-06 09:00+00', 'ann', 'away');
INSERT INTO pool.absence SELECT id, tenant_id, '2026-04-05 09:00+00'
    FROM pool.member WHERE key = 'ann';
SELECT * FROM absences WHERE ended_at IS NULL;
ROLLBACK;
-- rules of the pause itself
SELECT outcome, due_at FROM pool.claim_leads(t.ids('goes on 2'), 'ann');
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT status_at('2026-04-07 09:00+00', 'ann', 'away'),
    status_at('2026-04-08 09:00+00', 'ann', 'active');
SELECT count(*) FROM pool.stat_recheck WHERE pool = 'goes on';
UPDATE pool.pool SET pause_when_away = true WHERE name = 'goes on';
SELECT * FROM dues WHERE key = 'goes on 2';
UPDATE pool.pool SET max_pause = '6 hours' WHERE name = 'goes on';
SELECT * FROM dues WHERE key = 'goes on 2';
SELECT task, done > 0 AS done FROM pool.tick() WHERE task = 'recheck';
SELECT * FROM pool.verify();
-- what does not fit is found
BEGIN;
INSERT INTO pool.absence VALUES
    (1, 1, '2026-03-05 09:00+00', '2026-03-06 09:00+00'),
    (2, 1, '2026-05-01 09:00+00', NULL), (99, 1, '2026-05-01 09:00+00', NULL);
UPDATE pool.absence SET ended_at = NULL WHERE member_id = 1
    AND started_at = '2026-03-15 09:00+00';
SELECT * FROM pool.verify(1) ORDER BY object, message;
ROLLBACK;
