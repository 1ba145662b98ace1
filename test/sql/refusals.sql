-- What a row that says no tells of a lead: its key only to whoever may see it.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
CREATE ROLE sales;
CREATE ROLE ann LOGIN IN ROLE sales;
CREATE ROLE chef LOGIN;
CREATE ROLE crm LOGIN;
SELECT pool.grant_access('sales', 'member');
SELECT pool.grant_access('chef', 'manager');
SELECT pool.grant_access('crm', 'service');
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key, login)
    VALUES ('ann', 'ann'), ('bob', NULL), ('chef', 'chef');
SELECT t.join_pool('p', 'ann', 'bob', 'chef'), t.join_pool('q', 'bob');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'chef');
SELECT t.fill('p', 'p', 6), t.fill('q', 'q', 2);
-- of p: 1 open, 2 hers, 3 bob's, 4 archived, 5 was hers and is bob's, 6 won
-- by her; of q: 1 open, 2 bob's
SELECT outcome FROM pool.assign(t.ids('p2', 'p5', 'p6'), 'ann');
SELECT outcome FROM pool.assign(t.ids('p3', 'q2'), 'bob');
SELECT outcome FROM pool.archive(t.ids('p4'), 'lost');
SELECT outcome FROM pool.transfer(t.ids('p5'), 'bob');
SELECT outcome FROM pool.convert(t.id('p6'), member => 'ann');
SELECT t.ids('p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'q1', 'q2') AS ids,
    t.id('p3') AS p3, t.id('q2') AS q2 \gset

-- a member: open leads of her pools, her own, those she had last
SET ROLE ann;
BEGIN;
SELECT ordinality, outcome, key FROM pool.release(:'ids') WITH ORDINALITY;
ROLLBACK;
BEGIN;
SELECT ordinality, outcome, key FROM pool.claim_leads(:'ids') WITH ORDINALITY;
ROLLBACK;
SELECT outcome, key FROM pool.convert(:p3);
SELECT outcome, key FROM pool.convert(:q2);
-- that is what history() tells her of
SELECT ordinality, (SELECT count(*) > 0 FROM pool.history(id)) AS told
FROM unnest(:'ids'::bigint[]) WITH ORDINALITY u (id);
RESET ROLE;

-- a manager: all of his pools
SET ROLE chef;
BEGIN;
SELECT ordinality, outcome, key
FROM pool.reclaim((:'ids'::bigint[])[:6]) WITH ORDINALITY;
ROLLBACK;
BEGIN;
SELECT ordinality, outcome, key FROM pool.claim_leads(:'ids') WITH ORDINALITY;
ROLLBACK;
RESET ROLE;

-- a service: all, whomever it names; but not while it acts as her
SET ROLE crm;
BEGIN;
SELECT ordinality, outcome, key FROM pool.release(:'ids', member => 'ann')
    WITH ORDINALITY;
ROLLBACK;
BEGIN;
SELECT pool.act_as('ann');
SELECT ordinality, outcome, key FROM pool.release(:'ids') WITH ORDINALITY;
ROLLBACK;
RESET ROLE;
