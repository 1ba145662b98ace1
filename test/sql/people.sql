-- Members come and go: set_away, set_active, offboard, relocate, cancel_run,
-- and what viewers and managers over a tree may.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET client_min_messages = warning;
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('company');
INSERT INTO pool.pool (name, parent_id) SELECT n, id
    FROM pool.pool, unnest('{north,south}'::text[]) n;
INSERT INTO pool.pool (name, everyone) VALUES ('all', true);
INSERT INTO pool.member (key, login) SELECT k, 'regress_pool_' || k
    FROM unnest('{ann,bob,cat,dan,boss,chief,view}'::text[]) k;
SELECT t.join_pool('north', 'ann', 'bob', 'cat', 'boss', 'view'),
    t.join_pool('south', 'ann', 'cat', 'dan'), t.join_pool('company', 'chief');
UPDATE pool.membership s SET role = r.role
FROM (VALUES ('boss', 'manager'), ('chief', 'manager'), ('view', 'viewer')) r (key, role)
WHERE s.member_id = (SELECT id FROM pool.member m WHERE m.key = r.key);
SELECT t.fill('north', 'n', 20), t.fill('south', 's', 10);
CREATE FUNCTION t.person(k text, OUT status text, OUT away_until timestamptz,
    OUT held bigint)
LANGUAGE sql AS $$
    SELECT m.status, m.away_until, (SELECT sum(c.held) FROM pool.membership_state c
        WHERE c.member_id = m.id) FROM pool.member m WHERE m.key = k
$$;
-- who holds how many, by pool
CREATE FUNCTION t.holdings() RETURNS TABLE (pool text, status text, owner text, n bigint)
LANGUAGE sql AS $$
    SELECT pool, status, owner, count(*) FROM t.leads()
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
$$;

-- away: by himself, a manager of one of his pools, a service
SELECT * FROM pool.set_away('ann', '2026-03-10 09:00+00', 'ann');
SELECT * FROM t.person('ann');
SELECT outcome FROM pool.set_away('ann', '2026-03-10 09:00+00', 'boss');
SELECT outcome FROM pool.set_away('ann', '2026-03-12 09:00+00', 'chief');
SELECT outcome FROM pool.claim('north', 'ann');
SELECT outcome FROM pool.assign(t.ids('n1'), 'ann');
SELECT * FROM t.error($$SELECT pool.set_away('ann', NULL, 'bob')$$);
SELECT * FROM t.error($$SELECT pool.set_away('dan', NULL, 'boss')$$);
SELECT * FROM t.error($$SELECT pool.set_active('dan', 'boss')$$);
SELECT * FROM t.error($$SELECT pool.set_away('ann', '2026-03-02 09:00+00')$$);
SELECT * FROM t.error($$SELECT pool.set_away('ann', 'infinity')$$);
SELECT * FROM t.error($$SELECT pool.set_away('ann', '10001-01-01')$$);
SELECT * FROM t.error($$SELECT pool.set_away('nobody')$$);
SELECT * FROM t.error($$SELECT pool.set_away()$$);
-- the tick ends an absence, not before its time
SET pool_ext.clock = '2026-03-12 08:59+00';
SELECT task, done, more FROM pool.tick() WHERE task = 'people';
SET pool_ext.clock = '2026-03-12 09:00+00';
SELECT task, done, more FROM pool.tick() WHERE task = 'people';
SELECT * FROM t.person('ann');
SELECT outcome FROM pool.claim('north', 'ann', 5);
SELECT outcome FROM pool.set_active('ann');
-- without an end he comes back when he says so; the same request does it once
BEGIN;
SELECT pool.act_as('bob');
SELECT * FROM pool.set_away(request_id => '00000000-0000-0000-0000-000000000001');
SELECT * FROM pool.set_active();
SELECT * FROM pool.set_away(request_id => '00000000-0000-0000-0000-000000000001');
SELECT * FROM t.person('bob');
COMMIT;
SELECT outcome FROM pool.set_away('bob');
SET pool_ext.clock = '2027-03-02 09:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'people';
SELECT outcome FROM pool.set_active('bob');
SET pool_ext.clock = '2026-03-12 09:00+00';

-- offboard: the first call keeps everything from him and begins the run
SELECT count(*) FROM pool.claim('north', 'ann', 3);
SELECT count(*) FROM pool.claim('south', 'ann', 6);
SELECT outcome FROM pool.add_collaborator(t.id('s1'), 'dan', 'deputy', actor => 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('s1'), 'cat', 'helper', actor => 'ann');
SELECT count(*) FROM pool.claim('north', 'cat', 1);
SELECT outcome FROM pool.add_collaborator(t.id('n9'), 'ann', 'helper', actor => 'cat');
UPDATE pool.membership SET hold_limit = 6
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'bob');
SELECT * FROM t.holdings();
SELECT * FROM t.error($$SELECT pool.offboard('ann', actor => 'boss')$$);
SELECT * FROM t.error($$SELECT pool.offboard('ann', to_pool => 'all', actor => 'chief')$$);
SELECT * FROM t.error($$SELECT pool.offboard('ann', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.offboard(NULL)$$);
SELECT outcome, run, planned, done, skipped
FROM pool.offboard('ann', 'bob', actor => 'chief');
SELECT * FROM t.person('ann');
SELECT outcome FROM pool.claim('north', 'ann');
SELECT outcome FROM pool.transfer(t.ids('n9'), 'ann');
SELECT outcome FROM pool.set_active('ann');
SELECT outcome, run FROM pool.relocate('ann');
-- ticks do the rest: the deputy first, then the successor, then the pools
SELECT task, done, more FROM pool.tick(4) WHERE task = 'runs';
SELECT kind, status, done, skipped, after_lead, detail FROM pool.run;
SELECT outcome, planned, done, skipped FROM pool.offboard('ann', actor => 'chief');
SELECT task, more FROM pool.tick() WHERE task = 'runs';
SELECT kind, status, planned, done, skipped, ended_at FROM pool.run;
SELECT w.what, coalesce(m.key, p.name) AS who, v.value AS n
FROM pool.run r, unnest('{members,pools}'::text[]) w (what),
    jsonb_each_text(r.detail -> w.what) v
LEFT JOIN pool.member m ON m.id = v.key::integer
LEFT JOIN pool.pool p ON p.id = v.key::integer
WHERE (w.what = 'members') = (m.id IS NOT NULL) AND w.what = 'members'
ORDER BY 1, 2;
SELECT * FROM t.holdings();
SELECT * FROM t.person('ann');
SELECT owner FROM t.leads() WHERE key = 's1';
SELECT count(*) FROM pool.collaborator;
SELECT kind, member, actor, reason, detail FROM t.events(t.id('s1')) OFFSET 2;
SELECT kind, member, actor, reason, detail FROM t.events(t.id('s2')) OFFSET 2;
SELECT kind, member, actor, reason FROM t.events(t.id('n9')) OFFSET 2;
-- again there is nothing to do, and nobody brings him back but by plain SQL
SELECT outcome, run FROM pool.offboard('ann');
SELECT outcome FROM pool.set_active('ann');
SELECT outcome FROM pool.set_away('ann');
SELECT * FROM pool.verify();

-- relocate: what meets the condition, to another pool, and he stays
SELECT outcome FROM pool.lead l, LATERAL pool.edit(l.id, attributes => jsonb_build_object('city',
    CASE WHEN l.key IN ('n1', 'n3', 'n9') THEN 'SH' ELSE 'BJ' END))
WHERE l.owner_id IS NOT NULL ORDER BY l.id;
SELECT * FROM t.error($$SELECT pool.relocate('bob', '$.city')$$);
SELECT * FROM t.error($$SELECT pool.relocate('bob',
    '$.since.datetime("x") < "2030-01-01".datetime()')$$);
SELECT outcome, planned FROM pool.relocate('bob', '$.city == "SH"', 'south', 'dan', 'chief');
SELECT outcome, planned, done FROM pool.relocate('bob', actor => 'chief');
SELECT outcome, planned, done FROM pool.relocate('bob', actor => 'chief');
SELECT * FROM t.holdings() WHERE owner IN ('bob', 'dan');
SELECT * FROM t.person('bob');
SELECT kind, pool, member, reason, detail FROM t.events(t.id('n1')) OFFSET 3;
-- the next one begins anew, and may be stopped
SELECT outcome, planned FROM pool.offboard('bob', to_pool => 'south', actor => 'chief',
    request_id => '00000000-0000-0000-0000-000000000002') \gset
SELECT outcome, planned, done FROM pool.offboard('bob', to_pool => 'south', actor => 'chief',
    request_id => '00000000-0000-0000-0000-000000000002');
SELECT max(id) AS run FROM pool.run \gset
SELECT task, done FROM pool.tick(1) WHERE task = 'runs';
SELECT * FROM t.error(format('SELECT pool.cancel_run(%s, ''ann'')', :run));
SELECT * FROM pool.cancel_run(:run, 'chief');
SELECT outcome FROM pool.cancel_run(:run, 'chief');
SELECT outcome FROM pool.cancel_run(-1);
SELECT * FROM t.error('SELECT pool.cancel_run(NULL)');
SELECT task, done FROM pool.tick() WHERE task = 'runs';
SELECT status, done FROM pool.run WHERE id = :run;
SELECT * FROM t.person('bob');
SELECT * FROM pool.verify();

-- whoever is called back keeps what he has left
SELECT outcome FROM pool.offboard('bob');
UPDATE pool.member SET status = 'active' WHERE key = 'bob';
SELECT outcome, planned, done FROM pool.offboard('bob');
SELECT * FROM t.person('bob');

-- many leads: chunk by chunk, in order, everything accounted for
SELECT t.fill('south', 'x', 2000);
SELECT outcome, count(*) FROM pool.claim('south', 'dan', 2000) GROUP BY 1;
UPDATE pool.member SET hold_limit = 700 WHERE key = 'cat';
SELECT outcome FROM pool.offboard('dan', 'cat', 'all') \gset
SELECT task, done >= 2000 AS done, more FROM pool.tick() WHERE task = 'runs';
SELECT status, planned = done AS all_done, skipped FROM pool.run ORDER BY id DESC LIMIT 1;
SELECT * FROM t.person('cat');
SELECT * FROM t.person('dan');
SELECT pool, status, owner, n FROM t.holdings() WHERE n > 100;
SELECT * FROM pool.verify();

-- called back for good: what nobody has touched since is his again
SELECT id AS run FROM pool.run ORDER BY id DESC LIMIT 1 \gset
BEGIN;
SELECT outcome, count(*) FROM pool.undo_run(:run) GROUP BY 1;
UPDATE pool.member SET status = 'active' WHERE key = 'dan';
SELECT outcome, count(*) FROM pool.claim('all', 'chief', 3) GROUP BY 1;
SELECT outcome FROM pool.follow_up((SELECT min(s.id) FROM pool.lead_state s
    JOIN pool.member m ON m.id = s.owner_id JOIN pool.event e ON e.lead_id = s.id
    WHERE m.key = 'cat' AND (e.detail ->> 'run')::bigint = :run), member => 'cat');
SELECT (t.error(format('SELECT pool.undo_run(%s, actor => %L)', :run, k))).state
    FROM unnest('{boss,chief}'::text[]) k;
SELECT outcome, count(*) FROM pool.undo_run(:run) GROUP BY 1 ORDER BY 1;
SELECT * FROM t.person('dan');
SELECT pool, status, owner, n FROM t.holdings() WHERE n > 100;
SELECT kind, member, actor, detail ? 'undo' AS undo, count(*) FROM pool.lead_data d,
    t.events(d.id) e WHERE d.key LIKE 'x_' AND kind <> 'entered' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3;
SELECT outcome, count(*) FROM pool.undo_run(:run) GROUP BY 1;
SELECT * FROM pool.verify();
ROLLBACK;
-- what a member takes back while a run is on is taken from him again, and goes
-- back to him but once
BEGIN;
INSERT INTO pool.member (key) VALUES ('eve');
INSERT INTO pool.pool (name, everyone, duplicate_policy) VALUES ('twice', true, 'link');
INSERT INTO pool.intake (pool, key, identities, owner) SELECT 'twice', 'w' || n,
    CASE WHEN n IN (1, 150) THEN '{"wechat": "w"}' ELSE '{}' END::jsonb, 'eve'
    FROM generate_series(1, 150) n;
SELECT outcome FROM pool.relocate('eve');
SELECT outcome, done FROM pool.relocate('eve');
SELECT outcome FROM pool.claim_leads(t.ids('w150'), 'eve');
SELECT outcome, done FROM pool.relocate('eve');
SELECT outcome, done FROM pool.relocate('eve');
SELECT outcome, count(*) FROM pool.undo_run((SELECT max(id) FROM pool.run))
    GROUP BY 1;
SELECT * FROM pool.verify();
ROLLBACK;
-- leads of which nobody can say whether they are meant stay, and that is told
BEGIN;
INSERT INTO pool.member (key) VALUES ('eve');
INSERT INTO pool.pool (name, everyone) VALUES ('odd', true);
INSERT INTO pool.intake (pool, key, attributes, owner) SELECT 'odd', 'o' || n,
    jsonb_build_object('size', CASE n WHEN 2 THEN '5' WHEN 3 THEN '"large"'
    WHEN 4 THEN '"vast"' ELSE '50' END::jsonb), 'eve' FROM generate_series(1, 4) n;
SELECT outcome FROM pool.relocate('eve', '$.size > 9') \gset
SELECT outcome, done FROM pool.relocate('eve');
SELECT key, status FROM t.leads('odd') ORDER BY key;
ROLLBACK;
-- a member who holds nothing is gone at the first step
SELECT outcome, planned FROM pool.offboard('view') \gset
SELECT outcome, planned, done FROM pool.offboard('view');
SELECT * FROM t.person('view');
UPDATE pool.member SET status = 'active' WHERE key = 'view';

UPDATE pool.member SET hold_limit = NULL WHERE key = 'cat';
-- what he asked for, and what he was to receive, is asked for no longer
INSERT INTO pool.member (key) VALUES ('goer');
SELECT t.join_pool('north', 'goer');
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
    SELECT id, 'ask', '$.key starts with "g"', true FROM pool.pool WHERE name = 'north';
SELECT t.fill('north', 'g', 4);
SELECT outcome FROM pool.request_claim(t.id('g1'), member => 'goer');
SELECT outcome FROM pool.request('archive', t.id('g1'), reason => 'dead', actor => 'goer');
SELECT outcome FROM pool.request('assign', t.id('g2'), member => 'goer', actor => 'cat');
SELECT outcome FROM pool.request_claim(t.id('g3'), member => 'cat');
SELECT outcome FROM pool.assign(t.ids('g4'), 'goer', actor => 'boss');
SELECT outcome FROM pool.request_extension(t.id('g4'), '1 day', member => 'goer');
SELECT outcome, planned FROM pool.offboard('goer', actor => 'boss') \gset
SELECT outcome, done FROM generate_series(1, 3) i, pool.offboard('goer', actor => CASE WHEN i > 0 THEN 'boss' END);
SELECT outcome, done FROM pool.offboard('goer', actor => 'boss');
SELECT key, action, applicant FROM pool.approval_open;
SELECT d.key, a.action, a.status, a.note FROM pool.approval a
JOIN pool.lead_data d ON d.id = a.lead_id WHERE d.key LIKE 'g_' ORDER BY a.id;
SELECT kind, member, actor, reason, detail FROM t.events(t.id('g1')) WHERE kind = 'cancelled';
SELECT reserved_for, hidden_until FROM pool.lead WHERE key = 'g1';
SELECT outcome FROM pool.cancel_request((SELECT max(id) FROM pool.approval
    WHERE status = 'open'), 'cat');
DELETE FROM pool.claim_rule;
SELECT outcome FROM pool.archive(t.ids('g1', 'g2', 'g3', 'g4'), 'done');
SELECT * FROM pool.verify();

GRANT USAGE ON SCHEMA t TO PUBLIC;
-- viewers look at their pools only: masked, and without any right
UPDATE pool.pool SET masked_attributes = '{name,city}' WHERE name = 'north';
SELECT format('CREATE ROLE %I', login), format('SELECT pool.grant_access(%L, %L)', login,
        CASE key WHEN 'view' THEN 'member' ELSE 'manager' END)
    FROM pool.member WHERE key IN ('boss', 'chief', 'view') ORDER BY key \gexec
SET ROLE regress_pool_view;
SELECT pool, count(*) FROM pool.lead_open GROUP BY 1;
SELECT key, name, attributes, pool, owner FROM pool.lead_team ORDER BY key;
SELECT count(*) > 0 AS history FROM pool.history((SELECT lead_id FROM pool.lead_team LIMIT 1));
SELECT outcome FROM pool.claim_leads(ARRAY(SELECT lead_id FROM pool.lead_open WHERE pool = 'north' LIMIT 1));
SELECT (t.error('SELECT pool.' || c)).state, c FROM unnest(ARRAY[
    $$claim('north')$$, $$enter('north', 'new')$$, $$assign('{1}', 'bob')$$,
    $$edit((SELECT max(lead_id) FROM pool.lead_team), name => 'x')$$,
    $$edit((SELECT max(lead_id) FROM pool.lead_open WHERE pool = 'north'), name => 'x')$$,
    $$set_away('bob')$$]) c;
SELECT outcome FROM pool.follow_up((SELECT max(lead_id) FROM pool.lead_team));
RESET ROLE;
-- nothing is given to him
SELECT outcome FROM pool.assign(t.ids('n20'), 'view');
-- a manager sees his branch, unmasked; he gives leads where he manages only
SET ROLE regress_pool_boss;
SELECT pool, count(*) FROM pool.lead_team GROUP BY 1 ORDER BY 1;
SELECT attributes FROM pool.lead_team ORDER BY key LIMIT 1;
SELECT (t.error('SELECT pool.' || c)).state, c FROM unnest(ARRAY[
    $$assign('{20}', 'cat', 'south')$$,
    $$transfer(ARRAY(SELECT lead_id FROM pool.lead_team), 'cat', 'south')$$]) c;
RESET ROLE;
SET ROLE regress_pool_chief;
SELECT pool, count(*) > 0 AS some FROM pool.lead_team GROUP BY 1 ORDER BY 1;
SELECT outcome FROM pool.claim_leads('{20}');
SELECT * FROM t.error($$SELECT pool.claim('north')$$);
SELECT outcome FROM pool.transfer(ARRAY(SELECT lead_id FROM pool.lead_team
    WHERE key = 'n4'), 'cat', 'south');
SELECT outcome FROM pool.transfer(ARRAY(SELECT lead_id FROM pool.lead_team
    WHERE key = 'n4'), 'bob', 'all');
RESET ROLE;
-- a successor who is no member of the pool keeps no run from its end, be it in a
-- transaction that holds counters
INSERT INTO pool.member (key) VALUES ('retiree'), ('heiress');
SELECT t.join_pool('south', 'retiree'), t.join_pool('north', 'heiress');
SELECT outcome FROM pool.enter('south', 'legacy', owner => 'retiree');
BEGIN;
SELECT outcome FROM pool.enter('south', 'other', owner => 'cat');
SELECT outcome, planned FROM pool.offboard('retiree', 'heiress');
SELECT outcome, done, skipped FROM pool.offboard('retiree', 'heiress');
SELECT outcome, done, skipped FROM pool.offboard('retiree', 'heiress');
COMMIT;
SELECT pool, status, owner FROM t.leads() WHERE key = 'legacy';
SELECT status FROM pool.member WHERE key = 'retiree';
SELECT * FROM pool.verify();
SELECT format('SELECT pool.revoke_access(%L, %L)', login,
        CASE key WHEN 'view' THEN 'member' ELSE 'manager' END), format('DROP ROLE %I', login)
    FROM pool.member WHERE key IN ('boss', 'chief', 'view') ORDER BY key \gexec
