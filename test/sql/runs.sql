-- Many leads at once, under control: versions of rules, plans and their
-- application, the brake on timers, undoing.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name, everyone) SELECT n, true
    FROM unnest('{a,b,back,brake,share,words}'::text[]) n;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('max'), ('eve');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE m.key = 'max';

CREATE FUNCTION rule(pool_name text, rule_name text, basis text,
    after interval, enabled boolean DEFAULT true, to_pool text DEFAULT NULL,
    condition jsonpath DEFAULT NULL, remind interval[] DEFAULT '{}',
    notice boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO pool.timer_rule (pool_id, name, basis, after, enabled,
        to_pool_id, condition, remind_before, notice_required)
    SELECT p.id, rule_name, $3, $4, $5,
        (SELECT id FROM pool.pool WHERE name = to_pool), $7, remind, notice
    FROM pool.pool p WHERE p.name = pool_name
$$;
CREATE VIEW runs AS SELECT run_id, pool, kind, status, actor, planned, done,
    skipped FROM pool.stat_run;
CREATE FUNCTION run(kind_wanted text DEFAULT NULL) RETURNS bigint
LANGUAGE sql AS $$
    SELECT max(run_id) FROM pool.stat_run WHERE kind = $1 OR $1 IS NULL
$$;
CREATE FUNCTION token() RETURNS uuid LANGUAGE sql AS $$
    SELECT token::uuid FROM pool.stat_run WHERE run_id = run()
$$;

-- every version of a rule is kept; what says the same is no new one
SELECT rule('words', 'idle', 'follow_up', '3 days', to_pool => 'back',
    condition => '$.grade == "A"', remind => '{1 day}', notice => true);
SET pool_ext.clock = '2026-03-02 10:00+00';
SET intervalstyle = 'iso_8601';
UPDATE pool.timer_rule SET after = '4 days' WHERE name = 'idle';
UPDATE pool.timer_rule SET after = '4 days' WHERE name = 'idle';
SET intervalstyle = 'postgres';
UPDATE pool.timer_rule SET after = '4 days' WHERE name = 'idle';
SET pool_ext.clock = '2026-03-02 11:00+00';
DELETE FROM pool.timer_rule WHERE name = 'idle';
SELECT rule, version, valid_from, valid_to, changed_by = current_user AS mine,
    "row" ->> 'after' AS after
    FROM pool.rule_version WHERE rule = 'timer_rule' ORDER BY version;
SELECT rule('words', 'idle', 'follow_up', '3 days', to_pool => 'back',
    condition => '$.grade == "A"', remind => '{1 day}', notice => true);
-- a rule that changes pools ends in one and begins in the other
UPDATE pool.timer_rule SET pool_id = (SELECT id FROM pool.pool
    WHERE name = 'b') WHERE name = 'idle';
SELECT p.name, v.version, v.valid_to IS NULL AS open FROM pool.rule_version v
    JOIN pool.pool p ON p.id = v.pool_id WHERE v.rule = 'timer_rule'
    AND v.rule_id = (SELECT id FROM pool.timer_rule WHERE name = 'idle')
    ORDER BY p.name;
UPDATE pool.timer_rule SET pool_id = (SELECT id FROM pool.pool
    WHERE name = 'words') WHERE name = 'idle';
-- a membership is known by its pool and member
SELECT rule_id = (SELECT id FROM pool.member WHERE key = 'max') AS max,
    version, "row" ->> 'role' AS role FROM pool.rule_version
    WHERE rule = 'membership' AND pool_id =
    (SELECT id FROM pool.pool WHERE name = 'a');
-- whatever is rolled back was never said
BEGIN;
UPDATE pool.timer_rule SET after = '9 days' WHERE name = 'idle';
ROLLBACK;
SELECT count(*) FROM pool.rule_version WHERE "row" ->> 'after' = '9 days';

-- every rule in force in words, for members of its pool
UPDATE pool.pool SET hold_limit = 50, claim_limit = 5, cooldown = '7 days',
    claim_interval = '1 minute', masked_attributes = '{phone}',
    reclaim_limit = 100, reclaim_share = 0.25 WHERE name = 'words';
INSERT INTO pool.claim_rule (pool_id, name, condition, min_level, head_start)
    SELECT id, 'A', '$.grade == "A"', 3, '24 hours' FROM pool.pool
    WHERE name = 'words';
INSERT INTO pool.entry_rule (pool_id, name, "then", to_pool_id)
    SELECT p.id, 'on', 'to_pool', q.id FROM pool.pool p, pool.pool q
    WHERE p.name = 'words' AND q.name = 'back';
INSERT INTO pool.score_rule (pool_id, name, condition, points)
    SELECT id, 'web', '$.source == "web"', 20 FROM pool.pool
    WHERE name = 'words';
INSERT INTO pool.routing_rule (pool_id, name, strategy, member_condition,
        newcomer_share, rotate_every, rotate_seats)
    SELECT id, 'turn', 'round_robin', '$.regions[*] == $region', 0.2,
        '1 month', 3 FROM pool.pool WHERE name = 'words';
INSERT INTO pool.approval_rule (pool_id, name, action, condition)
    SELECT id, 'big', 'archive', '$.size == "large"' FROM pool.pool
    WHERE name = 'words';
INSERT INTO pool.reward_rule (pool_id, name, event_kind, points, within)
    SELECT id, 'fast', 'followed_up', 2, '1 hour' FROM pool.pool
    WHERE name = 'words';
INSERT INTO pool.dictionary (pool_id, kind, code, label, counts, "then", after)
    SELECT id, 'result', 'none', 'not reached', false, 'call_back', '1 day'
    FROM pool.pool WHERE name = 'words';
INSERT INTO pool.claim_rule (pool_id, name, enabled)
    SELECT id, 'off', false FROM pool.pool WHERE name = 'words';
\x on
SELECT rule_table, name, words, since, version FROM pool.rules_in_force
    WHERE pool = 'words' ORDER BY rule_table;
\x off
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'theirs' FROM pool.tenant
    WHERE name = 'other';
INSERT INTO pool.pool (name) VALUES ('closed');
BEGIN;
SELECT pool.act_as('ann');
SELECT count(*) FILTER (WHERE pool = 'words') AS words,
    count(*) FILTER (WHERE pool IN ('closed', 'theirs')) AS closed
    FROM pool.rules_in_force;
COMMIT;

-- a plan shows what a rule would do, in force or not; nothing changes
SELECT rule('a', 'idle', 'follow_up', '3 days', enabled => false);
INSERT INTO pool.intake (pool, key, grade)
    SELECT 'a', 'p' || i, CASE WHEN i < 3 THEN 'A' END
    FROM generate_series(1, 8) i;
SELECT count(*) FROM pool.claim('a', 'ann', 5);
SELECT count(*) FROM pool.claim('a', 'bob', 3);
SELECT outcome, leads FROM pool.plan_reclaim('a', actor => 'max');
SET pool_ext.clock = '2026-03-06 09:00+00';
SELECT outcome, leads FROM pool.plan_reclaim('a', actor => 'max');
SELECT outcome, leads, unwarned, by_owner, by_rule, by_grade, expires_at
    FROM pool.plan_reclaim('a', 'idle', 'max');
SELECT key, member, rule, due_at, outcome FROM pool.run_detail
    WHERE run_id = run();
SELECT count(*) FROM t.leads('a') WHERE owner IS NOT NULL;
-- what has changed since is reported and left alone
SELECT outcome FROM pool.follow_up(t.id('p1'), member => 'ann');
SELECT outcome FROM pool.transfer(t.ids('p2'), 'bob');
SELECT outcome FROM pool.release(t.ids('p3'), member => 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('p3'), 'ann');
SELECT outcome FROM pool.convert(t.id('p4'), member => 'ann');
SELECT token() AS plan \gset
SELECT outcome, key, member FROM pool.apply_plan(:'plan', 'max');
SELECT kind, member, actor, rule, reason FROM t.events(t.id('p5'));
-- applying again changes nothing
SELECT t.checksum() AS before \gset
SELECT outcome, count(*) FROM pool.apply_plan(:'plan', 'max')
    GROUP BY 1 ORDER BY 1;
SELECT t.checksum() = :'before' AS same;
SELECT * FROM runs WHERE run_id = run();
-- one request, one plan
SELECT run_id = run() AS first FROM pool.plan_reclaim('a', 'idle', 'max',
    '00000000-0000-0000-0000-000000000001');
SELECT run_id = run() AS first FROM pool.plan_reclaim('a', 'idle', 'max',
    '00000000-0000-0000-0000-000000000001');
SELECT outcome, key FROM pool.apply_plan(:'plan', 'max',
    '00000000-0000-0000-0000-000000000002') LIMIT 1;
SELECT outcome, key FROM pool.apply_plan(:'plan', 'max',
    '00000000-0000-0000-0000-000000000002') LIMIT 1;

-- refused: unknown, expired, rules changed, others' pools
SELECT * FROM t.error(
    'SELECT pool.apply_plan(''00000000-0000-0000-0000-000000000000'')');
SELECT * FROM t.error('SELECT pool.apply_plan(NULL)');
SELECT * FROM t.error('SELECT pool.plan_reclaim(''a'', ''none'')');
SELECT state FROM t.error('SELECT pool.plan_reclaim(''nowhere'')');
SELECT state, message FROM t.error(
    'SELECT pool.plan_reclaim(''a'', actor => ''ann'')');
SELECT state, message FROM t.error(
    format('SELECT pool.apply_plan(%L, ''ann'')', token()));
UPDATE pool.timer_rule SET after = '4 days' WHERE name = 'idle'
    AND pool_id = (SELECT id FROM pool.pool WHERE name = 'a');
SELECT * FROM t.error(format('SELECT pool.apply_plan(%L)', token()));
SELECT outcome, leads FROM pool.plan_reclaim('a', 'idle');
SET pool_ext.clock = '2026-03-07 09:00+00';
SELECT * FROM t.error(format('SELECT pool.apply_plan(%L)', token()));
SELECT status FROM runs WHERE run_id = run();
-- who joins a pool changes no rule
SELECT outcome, leads FROM pool.plan_reclaim('a', 'idle');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'viewer' FROM pool.pool p, pool.member m
    WHERE p.name = 'a' AND m.key = 'eve';
SELECT outcome, key FROM pool.apply_plan(token());

-- a rule that demands a warning reclaims nobody unwarned
SELECT rule('b', 'warned', 'follow_up', '3 days', remind => '{1 day}',
    notice => true);
SELECT t.fill('b', 'n', 2);
SELECT count(*) FROM pool.claim('b', 'ann', 1);
SET pool_ext.clock = '2026-03-09 10:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SELECT count(*) FROM pool.claim('b', 'ann', 1);
SET pool_ext.clock = '2026-03-12 10:00+00';
SELECT outcome, leads, unwarned FROM pool.plan_reclaim('b');
SELECT outcome, key FROM pool.apply_plan(token());

-- undo: what nobody has touched since goes back
SELECT outcome, key, member FROM pool.undo_run(
    (SELECT min(run_id) FROM pool.stat_run WHERE done > 0), 'max');
SELECT kind, member, actor, detail ? 'undo' AS undo FROM t.events(t.id('p5'));
SELECT * FROM runs WHERE run_id = run();
SELECT outcome, key FROM pool.undo_run(
    (SELECT min(run_id) FROM pool.stat_run WHERE done > 0));
SELECT * FROM t.error('SELECT pool.undo_run(0)');
SELECT * FROM t.error('SELECT pool.undo_run(NULL)');
SELECT state, message FROM t.error(
    format('SELECT pool.undo_run(%s, ''ann'')', run()));
-- ... into the pool where he had it, as far as his limits go, whatever the
-- cooldown
SELECT rule('brake', 'idle', 'follow_up', '3 days', to_pool => 'back');
SELECT t.fill('brake', 'u', 5);
SELECT count(*) FROM pool.claim('brake', 'ann', 3);
SELECT count(*) FROM pool.claim('brake', 'bob', 1);
SELECT count(*) FROM pool.claim('brake', 'eve', 1);
SET pool_ext.clock = '2026-03-15 10:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SELECT pool, kind, status, planned, done, actor FROM runs
    WHERE run_id = run();
UPDATE pool.pool SET hold_limit = 2, cooldown = '7 days'
    WHERE name IN ('brake', 'back');
UPDATE pool.member SET status = 'away' WHERE key = 'bob';
SELECT outcome FROM pool.edit(t.id('u5'), grade => 'B');
SELECT outcome, key, member FROM pool.undo_run(run(), 'max');
SELECT pool, key, owner FROM t.leads() WHERE key LIKE 'u_' ORDER BY key;
SELECT kind, pool, detail - '{undo,from_pool}'::text[] AS detail
    FROM t.events(t.id('u1'));
UPDATE pool.member SET status = 'active' WHERE key = 'bob';

-- what belongs to no pool, and to a member who is no more, only a service undoes
INSERT INTO pool.member (key) VALUES ('zed');
SELECT outcome FROM pool.offboard('zed');
SELECT bool_or(more) AS more FROM pool.tick();
DELETE FROM pool.member WHERE key = 'zed';
SELECT * FROM t.error(format('SELECT pool.undo_run(%s, ''max'')', run('offboard')));
SELECT * FROM pool.undo_run(run('offboard'));

-- the brake: what would go over stops before its first lead
UPDATE pool.pool SET reclaim_limit = 2, hold_limit = NULL, cooldown = NULL
    WHERE name = 'brake';
SELECT t.fill('brake', 'x', 5);
SELECT count(*) FROM pool.claim('brake', 'eve', 5);
SET pool_ext.clock = '2026-03-20 10:00+00';
SELECT task, done, more FROM pool.tick() WHERE task = 'timers';
SELECT task, done, more FROM pool.tick() WHERE task = 'timers';
SELECT pool, kind, status, planned, done FROM runs WHERE run_id = run();
SELECT count(*) FROM t.leads('brake') WHERE owner IS NOT NULL;
-- the list is applied
SELECT outcome, key FROM pool.apply_plan(token(), 'max');
SELECT task, done, more FROM pool.tick() WHERE task = 'timers';
SELECT pool, kind, status, planned, done FROM runs WHERE run_id = run();
-- up to the limit of a day nothing is held; the next one is
SELECT t.fill('brake', 'y', 3);
SELECT count(*) FROM pool.claim('brake', 'eve', 2);
SET pool_ext.clock = '2026-03-20 12:00+00';
SELECT count(*) FROM pool.claim('brake', 'eve', 1);
SET pool_ext.clock = '2026-03-23 10:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SET pool_ext.clock = '2026-03-23 12:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT pool, kind, status, planned, done FROM runs WHERE run_id = run();
-- let go on
SELECT outcome FROM pool.resume_run(run(), 'max',
    '00000000-0000-0000-0000-000000000003');
SELECT outcome FROM pool.resume_run(run(), 'max',
    '00000000-0000-0000-0000-000000000003');
SELECT outcome FROM pool.resume_run(run(), 'max');
SELECT outcome FROM pool.resume_run(0);
SELECT state FROM t.error(
    format('SELECT pool.resume_run(%s, ''ann'')', run()));
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT pool, kind, status, planned, done FROM runs WHERE pool = 'brake'
    ORDER BY run_id DESC LIMIT 2;
-- a held run that nobody decided on makes room for the next
SELECT t.fill('brake', 'z', 3);
SELECT count(*) FROM pool.claim('brake', 'eve', 3);
SET pool_ext.clock = '2026-03-27 10:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SET pool_ext.clock = '2026-03-28 11:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'timers';
SELECT pool, kind, status, planned FROM runs WHERE pool = 'brake'
    ORDER BY run_id DESC LIMIT 2;
UPDATE pool.pool SET reclaim_limit = NULL WHERE name = 'brake';
-- a share of what was owned
UPDATE pool.pool SET reclaim_share = 0.5 WHERE name = 'share';
SELECT rule('share', 'idle', 'follow_up', '3 days');
SELECT t.fill('share', 's', 4);
SELECT count(*) FROM pool.claim('share', 'eve', 2);
SET pool_ext.clock = '2026-03-29 11:00+00';
SELECT count(*) FROM pool.claim('share', 'eve', 2);
SET pool_ext.clock = '2026-03-31 11:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SELECT pool, kind, status, planned, done FROM runs WHERE pool = 'share'
    ORDER BY run_id;
SET pool_ext.clock = '2026-04-01 11:00+00';
SELECT count(*) FROM pool.claim('share', 'eve', 2);
SELECT bool_or(more) AS more FROM pool.tick();
SELECT pool, kind, status, planned, done FROM runs WHERE pool = 'share'
    ORDER BY run_id;
SET pool_ext.clock = '2026-04-04 11:00+00';
SELECT outcome FROM pool.follow_up(t.id('s4'), member => 'eve');
SELECT bool_or(more) AS more FROM pool.tick();
SELECT pool, kind, status, planned, done FROM runs WHERE pool = 'share'
    ORDER BY run_id;

-- what has to be warned of first is warned of, however much it is
UPDATE pool.pool SET reclaim_limit = 0 WHERE name = 'b';
SELECT t.fill('b', 'v', 3);
SELECT count(*) FROM pool.claim('b', 'eve', 3);
SET pool_ext.clock = '2026-04-10 11:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SELECT key, warned_at FROM pool.lead_due WHERE key LIKE 'v_' ORDER BY key;
SET pool_ext.clock = '2026-04-12 11:00+00';
SELECT bool_or(more) AS more FROM pool.tick();
SELECT pool, kind, status, planned, done FROM runs WHERE pool = 'b'
    ORDER BY run_id DESC LIMIT 1;

SELECT * FROM pool.verify();

-- damage is found
SET intervalstyle = 'iso_8601';
SELECT * FROM pool.verify();
BEGIN;
DELETE FROM pool.rule_version WHERE rule = 'timer_rule' AND valid_to IS NULL
    AND pool_id = (SELECT id FROM pool.pool WHERE name = 'share');
UPDATE pool.rule_version SET "row" = "row" || '{"after": "1 day"}'
    WHERE rule = 'timer_rule' AND valid_to IS NULL
    AND pool_id = (SELECT id FROM pool.pool WHERE name = 'brake');
UPDATE pool.rule_version SET valid_from = valid_from - interval '1 hour'
    WHERE rule = 'pool' AND version = 2
    AND pool_id = (SELECT id FROM pool.pool WHERE name = 'words');
SELECT v.check_name, split_part(v.object, ' ', 1) AS rule, p.name, v.message
    FROM pool.verify(1) v JOIN pool.pool p
    ON p.id = split_part(v.object, ' of pool ', 2)::integer ORDER BY 3;
UPDATE pool.timer_rule SET name = name;
SELECT check_name, message FROM pool.verify(1);
ROLLBACK;
BEGIN;
UPDATE pool.run SET done = done + 1 WHERE id IN (
    (SELECT min(id) FROM pool.run WHERE kind = 'plan' AND done > 0),
    (SELECT min(id) FROM pool.run WHERE detail ? 'xid'));
UPDATE pool.run_lead SET event_id = event_id + 1 WHERE (run_id, lead_id) =
    (SELECT run_id, lead_id FROM pool.run_lead WHERE event_id IS NOT NULL
     ORDER BY run_id, lead_id LIMIT 1);
SELECT check_name, regexp_replace(message, 'event \d+', 'event N')
    FROM pool.verify() ORDER BY 1, 2;
ROLLBACK;

-- a rule that demands a warning hides no later one that demands none: planned,
-- and braked, is what the tick would do
DELETE FROM pool.timer_rule;
SET pool_ext.clock = '2027-03-01 10:00+00';
INSERT INTO pool.pool (name) VALUES ('two');
SELECT t.join_pool('two', 'ann', 'max');
SELECT rule('two', 'warned', 'ownership', '3 days', remind => '{1 day}',
    notice => true), rule('two', 'plain', 'ownership', '4 days');
SELECT t.fill('two', 'w', 3);
SELECT count(*) FROM pool.claim('two', 'ann', 3);
SET pool_ext.clock = '2027-03-04 10:00+00';
SELECT outcome, leads, unwarned FROM pool.plan_reclaim('two');
SET pool_ext.clock = '2027-03-05 11:00+00';
SELECT outcome, leads, unwarned, by_rule FROM pool.plan_reclaim('two');
SELECT outcome, leads, unwarned FROM pool.plan_reclaim('two', 'warned');
UPDATE pool.pool SET reclaim_limit = 2 WHERE name = 'two';
SELECT count(*) FILTER (WHERE task = 'timers') AS timers FROM pool.tick();
SELECT kind, status, planned, done FROM runs WHERE pool = 'two'
    ORDER BY run_id DESC LIMIT 1;
UPDATE pool.pool SET reclaim_limit = NULL WHERE name = 'two';
SELECT count(*) FILTER (WHERE task = 'timers') AS timers FROM pool.tick();
SELECT kind, status, planned, done FROM runs WHERE pool = 'two'
    ORDER BY run_id DESC LIMIT 1;
