-- Clocks, days, zones: pool_ext.clock, claim_limit by the member's calendar
-- day, retention of events.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
-- the clock: the start of the statement, or what the setting says
SELECT pool.clock() = statement_timestamp() AS real;
SET pool_ext.clock = '2026-03-02 09:00+08';
SELECT pool.clock();
BEGIN;
SET LOCAL pool_ext.clock = '2030-01-01 00:00+00';
SELECT pool.clock();
ROLLBACK;
SELECT pool.clock();
SET pool_ext.clock = '';
SELECT pool.clock() = statement_timestamp() AS real;
SET pool_ext.clock = 'yesterday noon';
SET pool_ext.clock = 'garbage';
SET pool_ext.clock = 'infinity';
SET pool_ext.clock = '2026-02-30 00:00+00';
-- nor one that cannot be computed with or shown in every zone
SET pool_ext.clock = '-infinity';
SET pool_ext.clock = '4714-11-24 00:00+00 BC';
SELECT * FROM t.error($$SET pool_ext.clock = '294276-12-31 23:59:59+00'$$);
SET pool_ext.clock = '0001-01-01 00:00+14';
SET pool_ext.clock = '9999-12-31 23:59:59-12';
SELECT pool.clock();
RESET pool_ext.clock;
-- without a zone it is in that of the session
SET timezone = 'Asia/Shanghai';
SET pool_ext.clock = '2026-03-02 09:00';
SET timezone = 'UTC';
SELECT pool.clock();
-- for superusers, and whom they grant it
CREATE ROLE regress_pool_replay;
SET ROLE regress_pool_replay;
SET pool_ext.clock = '2026-03-02 09:00+00';
RESET ROLE;
GRANT SET ON PARAMETER pool_ext.clock TO regress_pool_replay;
SET ROLE regress_pool_replay;
SET pool_ext.clock = '2026-03-02 09:00+00';
RESET ROLE;
RESET pool_ext.clock;
REVOKE SET ON PARAMETER pool_ext.clock FROM regress_pool_replay;
DROP ROLE regress_pool_replay;

-- claim_limit counts claims of the member's calendar day
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai');
INSERT INTO pool.pool (name, everyone, claim_limit, timezone)
    VALUES ('p', true, 1, 'America/Los_Angeles');
INSERT INTO pool.member (key, timezone) VALUES ('sh', NULL),
    ('ny', 'America/New_York'), ('berlin', 'Europe/Berlin'),
    ('havana', 'America/Havana'), ('beirut', 'Asia/Beirut'),
    ('flyer', 'Asia/Shanghai'), ('east', 'America/New_York');
SET pool_ext.clock = '2025-01-01 00:00+00';
SELECT t.fill('p', 'k', 60);
CREATE FUNCTION claim_at(moment timestamptz, who text, OUT outcome text,
    OUT retry_at timestamptz, OUT used int)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    SELECT c.outcome, c.retry_at, c.used INTO claim_at.outcome,
        claim_at.retry_at, claim_at.used FROM pool.claim('p', who) c;
END $$;
-- that of his own zone, else the tenant's; never the pool's
SELECT m AS at, c.* FROM unnest('{2026-03-02 00:00+08,
    2026-03-02 23:59:59+08,2026-03-03 00:00+08,2026-03-03 00:00:01+08}'
    ::timestamptz[]) m,
    LATERAL claim_at(m, 'sh') c;
SELECT m AS at, c.* FROM unnest('{2026-03-02 23:00-05,
    2026-03-02 23:59:59.999999-05,2026-03-03 00:00-05}'::timestamptz[]) m,
    LATERAL claim_at(m, 'ny') c;
-- days of 23 and of 25 hours
SELECT m AS at, c.* FROM unnest('{2026-03-29 00:00+01,
    2026-03-29 23:59+02,2026-03-30 00:00+02,2026-10-25 00:00+02,
    2026-10-25 23:59+01,2026-10-26 00:00+01}'::timestamptz[]) m,
    LATERAL claim_at(m, 'berlin') c;
-- midnight comes twice in Havana on 2025-11-02, the day begins with the first
SELECT m AS at, c.* FROM unnest('{2025-11-01 23:59-04,
    2025-11-02 00:30-04,2025-11-02 00:30-05,2025-11-02 23:59-05,
    2025-11-03 00:00-05}'::timestamptz[]) m,
    LATERAL claim_at(m, 'havana') c;
-- which is shown as the end of the day before, too, be that open or not
BEGIN;
INSERT INTO pool.member (key, timezone) VALUES ('idler', 'America/Havana');
SELECT set_config('pool_ext.clock', '2025-11-01 12:00-04', true) <> '' AS noon;
SELECT pool.act_as('idler');
SELECT claimed_today, resets_at FROM pool.quota_mine;
SELECT outcome FROM pool.claim('p');
SELECT claimed_today, resets_at FROM pool.quota_mine;
ROLLBACK;
-- and not at all in Beirut on 2026-03-29
SELECT m AS at, c.* FROM unnest('{2026-03-28 23:59+02,
    2026-03-29 01:00+03,2026-03-29 23:59+03,2026-03-30 00:00+03}'
    ::timestamptz[]) m,
    LATERAL claim_at(m, 'beirut') c;
-- a changed zone opens no new day before the old one has ended
SELECT * FROM claim_at('2026-04-01 10:00+08', 'flyer');
UPDATE pool.member SET timezone = 'Pacific/Auckland' WHERE key = 'flyer';
-- (it is the 2nd there)
SELECT * FROM claim_at('2026-04-01 21:00+08', 'flyer');
SELECT * FROM claim_at('2026-04-02 00:00+08', 'flyer');
SELECT * FROM claim_at('2026-04-02 00:00:01+08', 'flyer');
UPDATE pool.member SET timezone = 'America/Los_Angeles' WHERE key = 'flyer';
-- (it is the 1st there)
SELECT * FROM claim_at('2026-04-02 02:00+08', 'flyer');
SELECT * FROM claim_at('2026-04-02 23:59+13', 'flyer');
SELECT * FROM claim_at('2026-04-03 00:00+13', 'flyer');
-- the tenant's zone is the members' who have none
UPDATE pool.tenant SET timezone = 'UTC';
SELECT m AS at, c.* FROM unnest('{2026-05-01 00:00+00,
    2026-05-01 16:00+00,2026-05-02 00:00+00}'::timestamptz[]) m,
    LATERAL claim_at(m, 'sh') c;
SELECT * FROM pool.verify(2);

-- events belong to the day of the pool
SELECT DISTINCT e.at, e.day FROM pool.event e JOIN pool.member m
    ON m.id = e.member_id WHERE m.key = 'berlin' ORDER BY 1;

-- retention: folded events go, the state of each lead and all sums stay
SET pool_ext.clock = '2026-06-01 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('old', true);
SELECT outcome FROM pool.enter('old', 'a', 'A', 'web');
SELECT outcome FROM pool.enter('old', 'b', 'B', 'web');
SELECT outcome FROM pool.claim('old', 'sh', 2);
SELECT outcome FROM pool.follow_up(t.id('a'), member => 'sh');
SELECT outcome FROM pool.release(t.ids('a'), member => 'sh');
SET pool_ext.clock = '2026-06-11 09:00+00';
SELECT outcome FROM pool.claim('old', 'ny');
SELECT outcome FROM pool.follow_up(t.id('a'), member => 'ny');
SELECT * FROM t.error($$SELECT pool.purge_events('2026-06-08 09:00:01+00')$$);
SELECT * FROM t.error($$SELECT pool.purge_events('infinity')$$);
SELECT * FROM t.error($$SELECT pool.purge_events(NULL)$$);
SELECT pool.purge_events('-infinity');
CREATE TEMP TABLE before AS SELECT 'daily' AS what, to_jsonb(d) AS row
    FROM pool.stat_daily d UNION ALL SELECT 'member', to_jsonb(m)
    FROM pool.stat_member_daily m UNION ALL SELECT 'source', to_jsonb(s)
    FROM pool.stat_source s UNION ALL SELECT 'pool', to_jsonb(p)
    FROM pool.stat_pool p UNION ALL SELECT 'lead', to_jsonb(l) FROM pool.lead l;
SELECT pool.purge_events('2026-06-08 09:00+00') > 0 AS purged;
CREATE TEMP TABLE after AS SELECT 'daily' AS what, to_jsonb(d) AS row
    FROM pool.stat_daily d UNION ALL SELECT 'member', to_jsonb(m)
    FROM pool.stat_member_daily m UNION ALL SELECT 'source', to_jsonb(s)
    FROM pool.stat_source s UNION ALL SELECT 'pool', to_jsonb(p)
    FROM pool.stat_pool p UNION ALL SELECT 'lead', to_jsonb(l) FROM pool.lead l;
SELECT what, count(*) FROM before GROUP BY 1 ORDER BY 1;
(TABLE before EXCEPT ALL TABLE after) UNION ALL
(TABLE after EXCEPT ALL TABLE before);
SELECT kind, at FROM pool.history(t.id('a'));
SELECT kind, at FROM pool.history(t.id('b'));
SELECT pool.purge_events('2026-06-08 09:00+00') AS again;
SELECT outcome FROM pool.release(t.ids('b'), member => 'sh');
SELECT * FROM pool.verify();
-- what a cooldown still asks for is kept as well
SET pool_ext.clock = '2026-08-01 09:00+00';
INSERT INTO pool.pool (name, everyone, cooldown) VALUES ('cool', true, '60 days');
SELECT outcome FROM pool.enter('cool', 'c');
SELECT outcome FROM pool.claim('cool', 'sh');
SET pool_ext.clock = '2026-08-02 09:00+00';
SELECT outcome FROM pool.release(t.ids('c'), member => 'sh');
SELECT outcome FROM pool.claim('cool', 'ny');
SET pool_ext.clock = '2026-08-03 09:00+00';
SELECT outcome FROM pool.release(t.ids('c'), member => 'ny');
SET pool_ext.clock = '2026-09-20 09:00+00';
SELECT pool.purge_events('2026-09-01 09:00+00') >= 0 AS purged;
SELECT kind, member FROM t.events(t.id('c')) WHERE kind = 'released';
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('c'), 'sh');
SET pool_ext.clock = '2026-10-10 09:00+00';
SELECT pool.purge_events('2026-10-05 09:00+00') > 0 AS purged;
SELECT kind, member FROM t.events(t.id('c')) WHERE kind = 'released';
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('c'), 'sh');
SELECT * FROM pool.verify();
-- which goes by the clock of the pool, whatever that of the session
UPDATE pool.pool SET timezone = 'Europe/Berlin', cooldown = '30 days'
    WHERE name = 'cool';
SET pool_ext.clock = '2026-10-20 07:00+00';
SELECT outcome FROM pool.enter('cool', 'd', owner => 'sh');
SELECT outcome FROM pool.release(t.ids('d'), member => 'sh');
SELECT outcome FROM pool.claim_leads(t.ids('d'), 'ny');
SET pool_ext.clock = '2026-10-21 07:00+00';
SELECT outcome FROM pool.release(t.ids('d'), member => 'ny');
SET pool_ext.clock = '2026-11-19 07:30+00';
SELECT pool.purge_events('2026-11-16 07:30+00') >= 0 AS purged;
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('d'), 'sh');
-- whichever pool's reaches back the furthest
UPDATE pool.pool SET cooldown = '1831 days' WHERE name = 'old';
UPDATE pool.pool SET cooldown = '61 months' WHERE name = 'cool';
SELECT outcome FROM pool.enter('cool', 'e', owner => 'sh');
SELECT outcome FROM pool.release(t.ids('e'), member => 'sh');
SELECT outcome FROM pool.claim_leads(t.ids('e'), 'ny');
SELECT outcome FROM pool.release(t.ids('e'), member => 'ny');
SELECT set_config('pool_ext.clock', '2031-12-10 07:30+00', false) AS years_later;
SELECT pool.purge_events('2031-11-01 07:30+00') >= 0 AS purged;
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('e'), 'sh');
UPDATE pool.pool SET cooldown = NULL;
-- nor does what a late win is judged by, or what leads to quarantine
INSERT INTO pool.pool (name, everyone, quarantine_after, quarantine_pool_id)
    SELECT n, true, q, p.id FROM (VALUES ('late', NULL), ('idle', 3)) v (n, q),
    pool.pool p WHERE p.name = 'old';
CREATE FUNCTION had(pool text, key text, who text) RETURNS text LANGUAGE sql AS $$
    SELECT outcome FROM pool.claim_leads(t.ids(key), who);
    SELECT outcome FROM pool.release(t.ids(key), member => who);
$$;
SELECT t.fill('late', 'l', 2), t.fill('idle', 'i', 2);
SELECT key, had(p, key, 'sh'), had(p, key, 'ny') FROM (VALUES ('late', 'l1'),
    ('late', 'l2'), ('idle', 'i1'), ('idle', 'i2')) v (p, key);
SELECT outcome FROM pool.claim_leads(t.ids('i2'), 'ny');
SELECT outcome FROM pool.follow_up(t.id('i2'), member => 'ny');
SELECT set_config('pool_ext.clock', '2032-01-05 07:30+00', false) AS weeks_later;
SELECT pool.purge_events('2032-01-02 07:30+00') > 0 AS purged;
SELECT outcome FROM pool.convert(t.id('l1'), 1, 'EUR', credit => 'sh');
SELECT key, had('idle', key, 'sh') FROM unnest('{i1}'::text[]) key;
SELECT p.name AS pool FROM pool.pool p JOIN pool.lead_state s ON s.pool_id = p.id
    WHERE s.id = t.id('i1');
SELECT key, (SELECT count(*) FROM t.events(t.id(key))) FROM unnest('{l2,i2}'::text[]) key;
SELECT set_config('pool_ext.clock', '2032-01-20 07:30+00', false) AS a_month_later;
SELECT pool.purge_events('2032-01-17 07:30+00') > 0 AS purged;
SELECT outcome FROM pool.convert(t.id('l2'), 1, 'EUR', credit => 'sh');
SELECT key, (SELECT count(*) FROM t.events(t.id(key))) FROM unnest('{l2,i2}'::text[]) key;
-- (a day of credit has 24 hours, whatever the clocks of the session do)
SELECT set_config('pool_ext.clock', '2032-02-19 16:30+00', false) AS winter;
SELECT t.fill('late', 'm', 1);
SELECT had('late', 'm1', 'sh'), had('late', 'm1', 'ny');
SELECT set_config('pool_ext.clock', '2032-03-20 16:00+00', false) AS summer;
BEGIN;
SET LOCAL timezone = 'America/New_York';
SELECT pool.purge_events('2032-03-17 16:00+00') >= 0 AS purged;
COMMIT;
SELECT outcome FROM pool.convert(t.id('m1'), 1, 'EUR', credit => 'sh');
SELECT * FROM pool.verify();
-- the log is append-only but for that
SELECT * FROM t.error('DELETE FROM pool.event');
SELECT * FROM t.error('UPDATE pool.event SET reason = NULL');
SELECT (t.error('TRUNCATE pool.event')).state;
-- a tick goes on from the first time that can be set to the last one, and what
-- came into being there can be shown
INSERT INTO pool.pool (name, everyone, timezone, catch_up, pause_when_away,
    newcomer_period) VALUES ('ends', true, 'Asia/Shanghai', '2 days', true,
    '90 days');
INSERT INTO pool.timer_rule (pool_id, name, basis, action, after,
    remind_before, notice_required, working_time)
    SELECT p.id, 'idle', 'follow_up', 'reclaim', '3 days', '{1 day}', true, true
    FROM pool.pool p WHERE p.name = 'ends';
INSERT INTO pool.routing_rule (pool_id, position, name, strategy,
    newcomer_share) SELECT p.id, 1, 'turn', 'round_robin', 0.2
    FROM pool.pool p WHERE p.name = 'ends';
UPDATE pool.member SET joined_at = CASE key WHEN 'sh' THEN '-infinity'
    WHEN 'ny' THEN 'infinity' ELSE '4714-11-24 00:00+00 BC' END::timestamptz;
SET pool_ext.clock = '0001-01-01 00:00+14';
SELECT outcome FROM pool.enter('ends', 'first');
SELECT task, done > 0 AS any FROM pool.tick() WHERE task = 'timers';
SET pool_ext.clock = '9999-12-31 23:59:59-12';
SELECT outcome FROM pool.enter('ends', 'last');
SELECT task, done > 0 AS any FROM pool.tick() WHERE task = 'timers';
SELECT count(*) FROM pool.lead_due WHERE pool = 'ends';
SELECT entered_today, owned FROM pool.stat_pool WHERE pool = 'ends';
SELECT * FROM pool.verify();
