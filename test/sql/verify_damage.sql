-- Damage of every kind that verify.sql does not plant: the check named after it
-- finds it, and what docs/verify.md says mends it.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('p', true), ('q', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.tenant (name) VALUES ('other');
SELECT t.fill('p', 'k', 4);
SELECT outcome FROM pool.edit(t.id('k1'), identities => '{"email": "a@x.cn"}');
SELECT outcome FROM pool.claim_leads(t.ids('k1', 'k2', 'k3'), 'ann');
SET pool_ext.clock = '2026-03-02 10:00+00';
SELECT outcome FROM pool.follow_up(t.id('k1'), 'call', member => 'ann');
SELECT outcome FROM pool.release(t.ids('k2'), member => 'ann');
SELECT outcome FROM pool.convert(t.id('k3'), 5, 'CNY', 'ann');
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT * FROM pool.verify();

CREATE TABLE t.damage (check_name text, harm text, mend text);
-- what a backup has
CREATE TABLE t.events AS SELECT * FROM pool.event;
CREATE TABLE t.data AS SELECT * FROM pool.lead_data;
INSERT INTO t.damage VALUES
('counter_held', 'UPDATE pool.membership_state SET held = held + 1',
'UPDATE pool.membership_state c SET held = (
    SELECT count(*) FROM pool.lead_state s
    WHERE s.pool_id = c.pool_id AND s.owner_id = c.member_id)'),
('counter_missing', 'DELETE FROM pool.membership_state WHERE held > 0',
'INSERT INTO pool.membership_state (pool_id, member_id, tenant_id, held,
    status, member_limit)
SELECT s.pool_id, s.owner_id, m.tenant_id, count(*), m.status, m.hold_limit
FROM pool.lead_state s JOIN pool.member m ON m.id = s.owner_id
WHERE NOT EXISTS (SELECT FROM pool.membership_state c
    WHERE c.pool_id = s.pool_id AND c.member_id = s.owner_id)
GROUP BY s.pool_id, s.owner_id, m.id'),
('counter_status', $$UPDATE pool.membership_state SET status = 'away'$$,
'UPDATE pool.member SET status = status'),
('counter_claimed', 'UPDATE pool.membership_state SET claimed = claimed + 1',
$$UPDATE pool.membership_state c SET claimed = (
    SELECT count(*) FROM pool.event e
    WHERE e.kind = 'claimed' AND e.pool_id = c.pool_id
        AND e.member_id = c.member_id AND e.id >= c.day_event)$$),
('lead_status', $$ALTER TABLE pool.lead_state DROP CONSTRAINT lead_state_check;
UPDATE pool.lead_state SET closed_at = now() WHERE id = t.id('k4')$$,
$$UPDATE pool.lead_state SET closed_at = NULL WHERE id = t.id('k4')$$),
('owner_known', $$UPDATE pool.lead_state SET last_owner_id = 999
WHERE id = t.id('k4')$$,
$$UPDATE pool.lead_state s SET last_owner_id = (
    SELECT e.member_id FROM pool.event e WHERE e.lead_id = s.id
        AND e.kind IN ('released', 'reclaimed', 'converted', 'archived')
    ORDER BY e.id DESC LIMIT 1)
WHERE s.id = t.id('k4')$$),
('rollup_stock', 'UPDATE pool.rollup_source SET d_available = d_available + 1',
'DELETE FROM pool.rollup_day; DELETE FROM pool.rollup_member;
DELETE FROM pool.rollup_source; DELETE FROM pool.rollup_membership;
DELETE FROM pool.rollup_pool; DELETE FROM pool.rollup_state; SELECT FROM pool.tick()'),
('rollup_day', 'UPDATE pool.rollup_day SET claimed = claimed + 1',
'DELETE FROM pool.rollup_day; DELETE FROM pool.rollup_member;
DELETE FROM pool.rollup_source; DELETE FROM pool.rollup_membership;
DELETE FROM pool.rollup_pool; DELETE FROM pool.rollup_state; SELECT FROM pool.tick()'),
('rollup_member', 'UPDATE pool.rollup_member SET claimed = claimed + 1',
'DELETE FROM pool.rollup_day; DELETE FROM pool.rollup_member;
DELETE FROM pool.rollup_source; DELETE FROM pool.rollup_membership;
DELETE FROM pool.rollup_pool; DELETE FROM pool.rollup_state; SELECT FROM pool.tick()'),
('rollup_source', 'UPDATE pool.rollup_source SET claimed = claimed + 1',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_source;
INSERT INTO pool.rollup_source SELECT * FROM pool.rollup_source_recount'),
('rollup_source', 'DELETE FROM pool.rollup_source',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_source;
INSERT INTO pool.rollup_source SELECT * FROM pool.rollup_source_recount'),
('rollup_pool', 'UPDATE pool.rollup_pool SET claimed = claimed + 1',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_pool;
INSERT INTO pool.rollup_pool SELECT * FROM pool.rollup_pool_recount'),
('rollup_pool', 'UPDATE pool.rollup_pool SET owned_at_end = owned_at_end + 1',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_pool;
INSERT INTO pool.rollup_pool SELECT * FROM pool.rollup_pool_recount'),
('rollup_pool', 'DELETE FROM pool.rollup_pool',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_pool;
INSERT INTO pool.rollup_pool SELECT * FROM pool.rollup_pool_recount'),
('rollup_membership', 'UPDATE pool.rollup_membership SET claimed = claimed + 1',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_membership;
INSERT INTO pool.rollup_membership SELECT * FROM pool.rollup_membership_recount'),
('rollup_membership', 'DELETE FROM pool.rollup_membership',
'LOCK TABLE pool.rollup_state IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM pool.rollup_membership;
INSERT INTO pool.rollup_membership SELECT * FROM pool.rollup_membership_recount'),
('event_chain', $$DELETE FROM pool.event
WHERE lead_id = t.id('k2') AND kind = 'claimed'$$,
'INSERT INTO pool.event SELECT * FROM t.events o
WHERE NOT EXISTS (SELECT FROM pool.event e WHERE e.id = o.id)'),
('event_order', $$UPDATE pool.event SET at = at - interval '1 day'
WHERE lead_id = t.id('k2') AND kind = 'released'$$,
'UPDATE pool.event e SET at = o.at FROM t.events o WHERE o.id = e.id'),
('spell_overlap', $$UPDATE pool.event SET member_id = (SELECT id
    FROM pool.member WHERE key = 'bob')
WHERE lead_id = t.id('k2') AND kind = 'released'$$,
'UPDATE pool.event e SET member_id = o.member_id
FROM t.events o WHERE o.id = e.id'),
('lead_replay', $$UPDATE pool.lead_state SET pool_id = (SELECT id
    FROM pool.pool WHERE name = 'q') WHERE id = t.id('k4')$$,
$$UPDATE pool.lead_state SET pool_id = (SELECT e.pool_id FROM pool.event e
    WHERE e.lead_id = t.id('k4') ORDER BY e.id DESC LIMIT 1)
WHERE id = t.id('k4')$$),
('spell_open', $$UPDATE pool.lead_state SET follow_ups = 7
WHERE id = t.id('k1')$$,
$$UPDATE pool.lead_state s SET follow_ups = (
    SELECT count(*) FROM pool.event e WHERE e.lead_id = s.id
        AND e.kind = 'followed_up' AND e.detail -> 'counted' IS NULL
        AND e.at >= s.owned_at)
WHERE id = t.id('k1')$$),
('identity_orphan', $$INSERT INTO pool.identity (tenant_id, kind, value, lead_id)
SELECT tenant_id, 'email', 'z@x.cn', 999999 FROM pool.identity LIMIT 1$$,
'DELETE FROM pool.identity i WHERE NOT EXISTS (
    SELECT FROM pool.lead_data d WHERE d.id = i.lead_id)'),
('lead_orphan', $$DELETE FROM pool.lead_data WHERE key = 'k4'$$,
'INSERT INTO pool.lead_data SELECT * FROM t.data o
WHERE NOT EXISTS (SELECT FROM pool.lead_data d WHERE d.id = o.id)'),
('tenant_mixed', $$UPDATE pool.identity SET tenant_id = (SELECT id
    FROM pool.tenant WHERE name = 'other')$$,
'UPDATE pool.identity i SET tenant_id = d.tenant_id
FROM pool.lead_data d WHERE d.id = i.lead_id');

-- What went wrong with one kind of damage; everything is undone again.
CREATE FUNCTION pg_temp.plant(d t.damage) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
    left_over text;
BEGIN
    EXECUTE 'ALTER TABLE pool.event DISABLE TRIGGER guard_event';
    EXECUTE d.harm;
    SELECT string_agg(DISTINCT check_name, ', ') INTO found
    FROM pool.verify() WHERE check_name = d.check_name;
    EXECUTE d.mend;
    SELECT string_agg(concat_ws(' ', check_name, object, message), '; ')
    INTO left_over FROM pool.verify() WHERE check_name <> 'triggers';
    RAISE 'undo' USING ERRCODE = 'ZZ000', DETAIL = concat_ws(', ',
        CASE WHEN found IS NULL THEN 'not found' END, 'left: ' || left_over);
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    GET STACKED DIAGNOSTICS found = PG_EXCEPTION_DETAIL;
    RETURN nullif(found, '');
END $$;
SELECT d.check_name, p.wrong FROM t.damage d, pg_temp.plant(d) p (wrong)
WHERE p.wrong IS NOT NULL;
SELECT * FROM pool.verify();
SELECT count(*) AS planted FROM t.damage;
