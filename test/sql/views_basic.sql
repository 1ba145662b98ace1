-- What the views show, to whom: leads by their place, quotas, masks.
-- (The figures of stat_* are compared with a recount of the log.)
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
CREATE ROLE regress_view_ann;
CREATE ROLE regress_view_bob;
CREATE ROLE regress_view_boss;
CREATE ROLE regress_view_reader;
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC'), ('other', 'UTC');
INSERT INTO pool.pool (name, timezone) VALUES ('company', 'Asia/Shanghai');
INSERT INTO pool.pool (name, parent_id, hold_limit, claim_limit, masked_attributes,
    claim_interval) SELECT 'team', id, 4, 5, '{name,phone}', '10 minutes'
    FROM pool.pool;
INSERT INTO pool.pool (name, everyone) VALUES ('all', true);
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'theirs' FROM pool.tenant
    WHERE name = 'other';
INSERT INTO pool.member (key, login, timezone) VALUES
    ('ann', 'regress_view_ann', 'Asia/Shanghai'),
    ('bob', 'regress_view_bob', NULL), ('boss', 'regress_view_boss', NULL);
SELECT t.join_pool('team', 'ann', 'bob'), t.join_pool('company', 'boss');
UPDATE pool.membership SET role = 'manager' WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'boss');
UPDATE pool.membership SET role = 'viewer' WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'bob');
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
    SELECT id, 'idle', 'follow_up', '3 days', '{1 day}' FROM pool.pool
    WHERE name = 'team';
INSERT INTO pool.intake (pool, key, name, source, grade, priority, attributes)
    SELECT 'team', 'k' || i, 'N' || i, CASE WHEN i % 2 = 0 THEN 'web' END, 'A',
    i, '{"phone": "1", "city": "SH"}' FROM generate_series(1, 8) i;
SELECT outcome FROM pool.enter('all', 'x1', 'X1');
SELECT outcome FROM pool.enter('all', 'x2', 'X2', owner => 'ann');
SELECT outcome FROM pool.enter('other/theirs', 'y1', 'Y1');
SELECT key FROM pool.claim('team', 'ann', 4);
SET pool_ext.clock = '2026-03-02 10:00+00';
SELECT outcome FROM pool.follow_up(t.id('k8'), result => 'busy', member => 'ann');
SELECT outcome FROM pool.convert(t.id('k8'), 100, 'CNY', 'ann');
SELECT outcome FROM pool.convert(t.id('x2'), 10, 'EUR', 'ann');
SELECT outcome FROM pool.release(t.ids('k7'), 'no', member => 'ann');
SELECT outcome FROM pool.archive(t.ids('k1'), 'lost');
SELECT outcome FROM pool.transfer(t.ids('k6'), 'ann');
SET pool_ext.clock = '2026-03-04 20:00+00';
SELECT count(*) FROM pool.tick();
SELECT pool.grant_access('regress_view_ann', 'member');
SELECT pool.grant_access('regress_view_bob', 'member');
SELECT pool.grant_access('regress_view_boss', 'manager');
SELECT pool.grant_access('regress_view_reader', 'reader', 'default');
GRANT USAGE ON SCHEMA t TO PUBLIC;

SET ROLE regress_view_ann;
-- what she may take, without what the pool masks; best first by the ticket
SELECT key, name, source, grade, priority, attributes, pool, entered_at, claims
    FROM pool.lead_open ORDER BY pool, ticket;
SELECT key, name, status, owned_at, follow_ups, amount, due_at
    FROM pool.lead_mine ORDER BY key;
SELECT (t.error('SELECT * FROM pool.' || v)).state, v
    FROM unnest('{lead,lead_team,lead_closed,lead_spell,stat_pool}'::text[]) v;
SELECT key, pool, owner, rule, action, due_at, warned_at FROM pool.lead_due
    ORDER BY key;
SELECT * FROM pool.quota_mine ORDER BY pool;
-- what is claimed is counted at once
SELECT outcome FROM pool.claim('team');
SELECT pool, held, hold_limit, claimed_today, claim_limit, resets_at,
    next_claim_at FROM pool.quota_mine WHERE pool = 'team';
SELECT outcome, used FROM pool.claim('all');
SELECT pool, held, claimed_today FROM pool.quota_mine WHERE pool = 'all';
RESET ROLE;
-- masks are on what is open; the pool of a member who is away, a pool that is
-- disabled
UPDATE pool.pool SET masked_attributes = '{key,name,source,grade,city}'
    WHERE name = 'team';
SET ROLE regress_view_ann;
SELECT key, name, source, grade, attributes FROM pool.lead_open
    WHERE pool = 'team' LIMIT 1;
RESET ROLE;
UPDATE pool.pool SET enabled = false WHERE name = 'team';
SET ROLE regress_view_ann;
SELECT count(*) FROM pool.lead_open WHERE pool = 'team';
RESET ROLE;
UPDATE pool.pool SET enabled = true WHERE name = 'team';
-- a viewer sees what is open, but takes nothing and has no leads
SET ROLE regress_view_bob;
SELECT key, pool FROM pool.lead_open;
SELECT outcome FROM pool.claim_leads(ARRAY(SELECT lead_id FROM pool.lead_open));
SELECT count(*) FROM pool.lead_mine;
SELECT count(*) FROM pool.lead_due;
RESET ROLE;
-- a manager sees those of the pools below
SET ROLE regress_view_boss;
SELECT key, pool, owner, status FROM (SELECT key, pool, owner, 'owned' AS status
    FROM pool.lead_team) x ORDER BY key;
SELECT key, pool, status, last_owner, reason FROM pool.lead_closed ORDER BY key;
SELECT key, rule, due_at FROM pool.lead_due ORDER BY key;
SELECT count(*) FROM pool.history(pool.lead_id('k6'));
RESET ROLE;
-- whoever gets a lead sees all that happened to it before
UPDATE pool.membership SET role = 'member' WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'bob');
BEGIN;
SELECT outcome FROM pool.transfer(t.ids('k5'), 'bob', reason => 'your town');
SET LOCAL ROLE regress_view_bob;
SELECT at, kind, member, actor, reason FROM pool.history(pool.lead_id('k5'));
ROLLBACK;
UPDATE pool.membership SET role = 'viewer' WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'bob');
-- a reader sees statistics of his tenant, and no person
SET ROLE regress_view_reader;
SELECT pool, members, available, owned, converted, archived, entered_today,
    utilisation, conversion_rate, reclaim_rate FROM pool.stat_pool ORDER BY pool;
SELECT (t.error('SELECT * FROM pool.' || v)).state, v
    FROM unnest('{lead,lead_open,lead_mine,lead_team,lead_closed}'::text[]) v;
RESET ROLE;

-- spells
SELECT key, member, started_at, ended_at, began_by, ended_by, follow_ups,
    first_response_seconds, amount FROM pool.lead_spell ORDER BY lead_id, started_at;

-- every figure against a recount
SELECT pool, day, entered, claimed, assigned, transferred, followed_up, released,
    reclaimed, converted, archived, available_at_end
FROM pool.stat_daily WHERE pool <> 'theirs' ORDER BY pool, day;
CREATE TEMP VIEW recount AS
SELECT p.name AS pool, e.day,
    count(*) FILTER (WHERE kind = 'entered') AS entered,
    count(*) FILTER (WHERE kind = 'claimed') AS claimed,
    count(*) FILTER (WHERE kind = 'assigned') AS assigned,
    count(*) FILTER (WHERE kind = 'transferred') AS transferred,
    count(*) FILTER (WHERE kind = 'followed_up') AS followed_up,
    count(*) FILTER (WHERE kind = 'released') AS released,
    count(*) FILTER (WHERE kind = 'reclaimed') AS reclaimed,
    count(*) FILTER (WHERE kind = 'converted') AS converted,
    count(*) FILTER (WHERE kind = 'archived') AS archived
FROM pool.event e JOIN pool.pool p ON p.id = e.pool_id GROUP BY 1, 2;
SELECT r.pool, r.day FROM recount r NATURAL FULL JOIN (SELECT pool, day, entered,
    claimed, assigned, transferred, followed_up, released, reclaimed, converted,
    archived FROM pool.stat_daily) s WHERE r.pool IS NULL OR s.pool IS NULL;
SELECT member, pool, held, hold_limit, held_share, claimed_today, claimed,
    assigned, followed_up, converted, released, reclaimed, conversion_rate,
    first_response_seconds, missed_rate, overdue FROM pool.stat_member
    ORDER BY pool, member;
SELECT pool, source, entered, owned, followed_up, converted, archived, amount,
    conversion_rate, seconds_to_convert FROM pool.stat_source ORDER BY 1, 2;
-- folding changes no figure
CREATE TEMP TABLE figures AS SELECT to_jsonb(d) AS row FROM pool.stat_daily d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_member d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_member_daily d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_source d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_pool d;
SELECT done > 0 AS folded FROM pool.tick() WHERE task = 'rollup';
CREATE TEMP TABLE folded AS SELECT to_jsonb(d) AS row FROM pool.stat_daily d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_member d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_member_daily d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_source d
    UNION ALL SELECT to_jsonb(d) FROM pool.stat_pool d;
(TABLE figures EXCEPT ALL TABLE folded)
UNION ALL (TABLE folded EXCEPT ALL TABLE figures);
-- what is overdue: past its timer, and not yet ticked
SET pool_ext.clock = '2026-03-09 09:00+00';
SELECT member, overdue FROM pool.stat_member WHERE pool = 'team' ORDER BY 1;
SELECT count(*) FROM pool.tick();
SELECT member, overdue, held, reclaimed, missed, missed_rate
    FROM pool.stat_member WHERE pool = 'team' ORDER BY 1;
SELECT count(*) FROM pool.stat_worker;
-- a tick that a session runs is the last one, unless it is undone
CREATE VIEW last_tick AS SELECT last_tick, duration_ms > 0 AS measured,
    done > 0 AS worked, errors FROM pool.stat_worker;
TABLE last_tick;
BEGIN;
SET LOCAL pool_ext.clock = '2026-03-09 10:00+00';
SAVEPOINT s;
SELECT count(*) FROM pool.tick();
TABLE last_tick;
ROLLBACK TO s;
TABLE last_tick;
SELECT count(*) FROM pool.tick();
ROLLBACK;
TABLE last_tick;
DROP VIEW last_tick;
SELECT * FROM pool.verify();
DROP OWNED BY regress_view_ann, regress_view_bob, regress_view_boss,
    regress_view_reader;
DROP ROLE regress_view_ann, regress_view_bob, regress_view_boss,
    regress_view_reader;
