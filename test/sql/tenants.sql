-- Who is who: tenants that never meet, logins, acting for others.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
CREATE ROLE regress_pool_ann;
CREATE ROLE regress_pool_bob;
CREATE ROLE regress_pool_boss;
CREATE ROLE regress_pool_service;
CREATE ROLE regress_pool_limited;
CREATE ROLE regress_pool_nobody;
-- the same names in two tenants
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC'), ('other', 'UTC');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'p' FROM pool.tenant;
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'theirs' FROM pool.tenant
    WHERE name = 'other';
INSERT INTO pool.member (tenant_id, key, login)
    SELECT t.id, m.key, m.login FROM (VALUES
        ('default', 'ann', 'regress_pool_ann'), ('default', 'boss', 'regress_pool_boss'),
        ('default', 'cat', NULL),
        ('other', 'ann', 'regress_pool_bob'), ('other', 'zoe', NULL)) m (tenant, key, login)
    JOIN pool.tenant t ON t.name = m.tenant;
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, CASE m.key WHEN 'boss' THEN 'manager' ELSE 'member' END
    FROM pool.pool p JOIN pool.member m USING (tenant_id);
SELECT outcome FROM pool.enter('p', 'k1', identities => '{"phone": "13800138000"}');
SELECT outcome FROM pool.enter('other/p', 'k1', identities => '{"phone": "13800138000"}');
SELECT outcome FROM pool.enter('p', 'k2');
SELECT outcome FROM pool.enter('other/p', 'k2');
SELECT t.name AS tenant, l.key FROM pool.lead l JOIN pool.tenant t
    ON t.id = l.tenant_id ORDER BY 1, 2;
SELECT pool.lead_id('k1') = t.id('k1') AS ours,
    pool.lead_id('k1', 'default') = t.id('k1') AS ours_too,
    pool.lead_id('k1', 'other') = t.id('k1') AS theirs,
    pool.lead_id('k1', 'nowhere') AS nowhere, pool.lead_id('x') AS unknown;
-- a superuser sees all of them, by their names
SELECT outcome, key FROM pool.claim('other/p', 'other/ann');
SELECT outcome, key FROM pool.claim('default/p', 'default/ann');
SELECT * FROM t.error($$SELECT pool.claim('other/p', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.claim('none/p', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.claim('other/p/q', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.claim('/p', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.assign(t.ids('k2'), 'zoe')$$);
-- what is another tenant's is not found, whoever asks for a member of this one
SELECT pool.lead_id('k1', 'other') AS theirs, pool.lead_id('k2', 'other') AS free \gset
SELECT outcome, lead_id = :free AS same, key FROM pool.claim_leads(ARRAY[:free, :theirs], 'ann');
SELECT outcome, key FROM pool.assign(ARRAY[:free, :theirs], 'cat');
SELECT outcome, key FROM pool.transfer(ARRAY[:free, :theirs], 'cat');
SELECT outcome, key FROM pool.release(ARRAY[:free, :theirs], member => 'ann');
SELECT outcome, key FROM pool.reclaim(ARRAY[:free, :theirs], actor => 'boss');
SELECT outcome FROM pool.follow_up(:theirs, member => 'ann');
SELECT outcome, key FROM pool.convert(:theirs, member => 'ann');
SELECT outcome, key FROM pool.convert(:theirs, member => 'boss');
SELECT outcome, key FROM pool.archive(ARRAY[:free], 'x', 'boss');
SELECT outcome, key FROM pool.reopen(ARRAY[:free], NULL, 'boss');
SELECT outcome, key FROM pool.move(ARRAY[:free], 'p', 'boss');
SELECT outcome FROM pool.erase(ARRAY[:free], NULL, 'boss');
SELECT * FROM pool.explain_claim(:free, 'ann');
-- an owner may be named with his tenant
SELECT outcome, member FROM pool.enter('p', 'owned', owner => 'default/cat');
-- leads do not cross the border
SELECT outcome, key FROM pool.move(ARRAY[:free], 'p');
SELECT outcome, key FROM pool.release(ARRAY[:theirs], NULL, 'p', 'other/ann');
SELECT outcome, key FROM pool.reclaim(ARRAY[:theirs], NULL, 'p');
SELECT * FROM t.error($$SELECT pool.assign(ARRAY[$$ || :free ||
    $$]::bigint[], 'other/zoe', 'p')$$);
SELECT * FROM t.error($$SELECT pool.enter('p', 'k9', owner => 'other/zoe')$$);
SELECT status FROM pool.lead WHERE id IN (:free, :theirs) ORDER BY id;
-- nor do memberships, parents and rules
SELECT (t.error($$INSERT INTO pool.membership (pool_id, member_id)
    SELECT p.id, m.id FROM pool.pool p, pool.member m
    WHERE p.name = 'theirs' AND m.key = 'cat'$$)).state;
SELECT (t.error($$UPDATE pool.pool SET parent_id =
    (SELECT id FROM pool.pool WHERE name = 'theirs')
    WHERE id = (SELECT min(id) FROM pool.pool)$$)).state;
SELECT (t.error($$INSERT INTO pool.timer_rule (pool_id, name, basis, after,
    to_pool_id) SELECT p.id, 'x', 'follow_up', '1 day', q.id
    FROM pool.pool p, pool.pool q WHERE p.name = 'p' AND q.name = 'theirs'
    AND p.tenant_id <> q.tenant_id$$)).state;

-- a login is the member whose login it is
SELECT pool.grant_access('regress_pool_ann', 'member');
SELECT pool.grant_access('regress_pool_bob', 'member');
SELECT pool.grant_access('regress_pool_boss', 'manager');
SELECT pool.grant_access('regress_pool_service', 'service');
SELECT pool.grant_access('regress_pool_limited', 'service', 'other');
GRANT USAGE ON SCHEMA t TO PUBLIC;
SELECT pool.current_member() AS superuser;
SET ROLE regress_pool_ann;
SELECT pool.current_member();
SELECT outcome, key FROM pool.claim('p');
SELECT outcome, key FROM pool.claim('p', 'ann');
SELECT * FROM t.error($$SELECT pool.claim('p', 'boss')$$);
SELECT * FROM t.error($$SELECT pool.claim('other/p')$$);
SELECT * FROM t.error($$SELECT pool.claim('theirs')$$);
SELECT * FROM t.error($$SELECT pool.act_as('boss')$$);
SELECT * FROM t.error($$SELECT pool.release('{1}', member => 'boss')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(1, member => 'cat')$$);
SELECT * FROM t.error($$SELECT pool.convert(1, member => 'cat')$$);
SELECT * FROM t.error($$SELECT pool.explain_claim(1, 'cat')$$);
-- nothing of another tenant is visible
SELECT (t.error($$SELECT pool.claim('p', 'nobody')$$)).state;
SELECT (t.error($$SELECT pool.claim('p', 'other/zoe')$$)).state;
SELECT pool.lead_id('k1') IS NULL AS none, pool.lead_id('k1', 'other') AS theirs;
SELECT count(*) FROM pool.history(pool.lead_id('k1'));
SELECT count(*) FROM pool.history(:theirs);
SELECT outcome FROM pool.claim_leads(ARRAY[:free]);
-- he lets in, for himself only
SELECT outcome, member FROM pool.enter('p', 'mine', owner => 'ann');
SELECT * FROM t.error($$SELECT pool.enter('p', 'mine2', owner => 'cat')$$);
SELECT (t.error($$SELECT pool.enter('other/p', 'mine2')$$)).state;
SELECT outcome FROM pool.edit(pool.lead_id('mine'), 'New name');
-- and manages nothing
SELECT (t.error($$SELECT pool.assign('{1}', 'ann')$$)).state;
RESET ROLE;
-- entering it again is no way round the cooldown, but for a manager
UPDATE pool.pool SET cooldown = '3 days';
SELECT outcome FROM pool.archive(t.ids('mine'), 'lost');
SET ROLE regress_pool_ann;
SELECT outcome, member, status, reason FROM pool.enter('p', 'mine', owner => 'ann');
SELECT outcome FROM pool.claim_leads(ARRAY[pool.lead_id('mine')]);
RESET ROLE;
SELECT outcome FROM pool.archive(t.ids('mine'), 'lost');
SET ROLE regress_pool_boss;
SELECT outcome, member, status, reason FROM pool.enter('p', 'mine', owner => 'ann');
RESET ROLE;
UPDATE pool.pool SET cooldown = NULL;
SET ROLE regress_pool_bob;
SELECT pool.current_member();
SELECT outcome, key FROM pool.claim('p');
SELECT outcome, key FROM pool.release(ARRAY[pool.lead_id('k2')]);
SELECT pool.lead_id('k1') = :theirs AS his;
RESET ROLE;
SET ROLE regress_pool_boss;
SELECT outcome, key FROM pool.assign(ARRAY[pool.lead_id('k1')], 'ann');
SELECT outcome, key FROM pool.transfer(ARRAY[pool.lead_id('k1')], 'cat');
SELECT (t.error($$SELECT pool.assign('{1}', 'other/zoe')$$)).state;
SELECT (t.error($$SELECT pool.claim('p', 'cat')$$)).state;
SELECT outcome FROM pool.edit(pool.lead_id('mine'), 'Newer name');
RESET ROLE;
-- a service acts for anybody, until the transaction ends
SET ROLE regress_pool_service;
SELECT pool.current_member();
SELECT outcome FROM pool.enter('p', 's1');
SELECT outcome, key FROM pool.claim('p', 'cat');
BEGIN;
SELECT pool.act_as('cat');
SELECT pool.current_member();
SELECT outcome FROM pool.follow_up(pool.lead_id('s1'));
SAVEPOINT s;
SELECT pool.act_as('other/zoe');
SELECT pool.current_member(), pool.lead_id('k1') = :theirs AS theirs;
ROLLBACK TO s;
SELECT pool.current_member();
SELECT pool.act_as(NULL);
SELECT pool.current_member();
SELECT pool.act_as('cat');
COMMIT;
SELECT pool.current_member();
SELECT * FROM t.error($$SELECT pool.act_as('nobody')$$);
BEGIN;
SELECT pool.act_as('cat');
SELECT state FROM t.error($$SELECT pool.act_as('nobody')$$);
SELECT pool.current_member();
ROLLBACK;
RESET ROLE;
-- one for one tenant only
SET ROLE regress_pool_limited;
SELECT outcome, key FROM pool.claim('other/p', 'other/zoe');
SELECT (t.error($$SELECT pool.claim('p', 'cat')$$)).state;
SELECT (t.error($$SELECT pool.act_as('cat')$$)).state;
SELECT outcome FROM pool.archive(ARRAY[1, :theirs], 'x');
RESET ROLE;
-- inside a function of somebody else's, the caller stays who he is
CREATE FUNCTION who() RETURNS text LANGUAGE sql SECURITY DEFINER
    AS 'SELECT pool.current_member()';
SET ROLE regress_pool_ann;
SELECT who();
RESET ROLE;
-- one without rights gets nowhere, not even past the schema
SET ROLE regress_pool_nobody;
SELECT (t.error(c)).state, c FROM unnest(ARRAY[
    $$SELECT pool.claim('p')$$, $$SELECT * FROM pool.lead$$,
    $$SELECT * FROM pool.stat_pool$$,
    $$INSERT INTO pool.intake (pool, key) VALUES ('p', 'x')$$,
    $$SELECT pool.current_member()$$, $$SELECT pool.tick()$$,
    $$SELECT nextval('pool.lead_id_seq')$$]) c;
RESET ROLE;
SET ROLE regress_pool_ann;
SELECT (t.error(c)).state, c FROM unnest(ARRAY[
    $$SELECT * FROM pool.lead_state$$, $$SELECT * FROM pool.lead_data$$,
    $$SELECT * FROM pool.identity$$, $$SELECT * FROM pool.event$$,
    $$SELECT * FROM pool.membership_state$$,
    $$SELECT * FROM pool.request_log$$, $$UPDATE pool.pool SET hold_limit = 1$$,
    $$UPDATE pool.lead_state SET owner_id = 1$$,
    $$SELECT pool.grant_access('regress_pool_ann', 'admin')$$,
    $$SELECT pool.purge_events('2020-01-01')$$, $$SELECT pool.tick()$$,
    $$SELECT pool.resume()$$,
    $$SET pool_ext.clock = '2020-01-01'$$, $$SET pool_ext.allow_drop = on$$])
    c;
RESET ROLE;
-- a member whose status is left has a login still, and nothing to take
UPDATE pool.member SET status = 'left' WHERE login = 'regress_pool_ann';
SET ROLE regress_pool_ann;
SELECT outcome FROM pool.claim('p');
RESET ROLE;
-- nor does a manager who left manage anything, whoever names him
UPDATE pool.member SET status = 'left' WHERE login = 'regress_pool_boss';
SELECT (t.error($$SELECT pool.assign(t.ids('s1'), 'cat', actor => 'boss')$$)).state;
SET ROLE regress_pool_boss;
SELECT (t.error(c)).state, c FROM unnest(ARRAY[
    $$SELECT pool.assign(ARRAY[pool.lead_id('s1')], 'cat')$$,
    $$SELECT pool.transfer(ARRAY[pool.lead_id('s1')], 'cat')$$,
    $$SELECT pool.reclaim(ARRAY[pool.lead_id('s1')])$$,
    $$SELECT pool.archive(ARRAY[pool.lead_id('s1')], 'x')$$]) c;
SELECT count(*) FROM pool.lead_team;
RESET ROLE;
UPDATE pool.member SET status = 'active' WHERE login = 'regress_pool_boss';
SET ROLE regress_pool_boss;
SELECT outcome FROM pool.reclaim(ARRAY[pool.lead_id('s1')]);
SELECT count(*) > 0 AS sees FROM pool.lead_team;
RESET ROLE;
-- a login that is taken away is nobody's
UPDATE pool.member SET login = NULL WHERE login = 'regress_pool_ann';
SET ROLE regress_pool_ann;
SELECT pool.current_member();
SELECT * FROM t.error($$SELECT pool.claim('p')$$);
SELECT * FROM t.error($$SELECT pool.claim('p', 'ann')$$);
SELECT * FROM t.error($$SELECT pool.enter('p', 'x')$$);
SELECT * FROM t.error($$SELECT pool.reclaim('{1}')$$);
RESET ROLE;
SELECT * FROM pool.verify();
DROP OWNED BY regress_pool_ann, regress_pool_bob, regress_pool_boss,
    regress_pool_service, regress_pool_limited;
DROP ROLE regress_pool_ann, regress_pool_bob, regress_pool_boss,
    regress_pool_service, regress_pool_limited, regress_pool_nobody;
