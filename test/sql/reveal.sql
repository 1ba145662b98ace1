-- Masked data before a claim: reveal and lookup.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name, masked_attributes, reveal_limit)
    VALUES ('p', '{name,phone}', 2), ('q', '{}', NULL);
INSERT INTO pool.member (key, timezone)
    VALUES ('ann', 'Asia/Shanghai'), ('bob', NULL), ('vic', NULL);
SELECT t.join_pool('p', 'ann', 'bob', 'vic'), t.join_pool('q', 'ann');
UPDATE pool.membership SET role = 'viewer'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'vic');
SELECT outcome FROM pool.enter('p', 'a', 'Name A', 'web', 'A',
    attributes => '{"phone": "1", "city": "SH"}',
    identities => '{"phone": ["13800138000", "13800138001"], "email": "a@b.cn"}');
SELECT t.fill('p', 'x', 3), t.fill('q', 'y', 1);

SELECT * FROM pool.reveal(t.id('a'), 'ann') \gx
-- the same lead counts once a day
SELECT outcome, limit_value, used FROM pool.reveal(t.id('a'), 'ann');
SELECT outcome, limit_value, used FROM pool.reveal(t.id('x1'), 'ann');
SELECT outcome, key, limit_value, used FROM pool.reveal(t.id('x2'), 'ann');
SELECT outcome FROM pool.reveal(t.id('x1'), 'ann');
-- everybody has a limit of his own, and a day of his own
SELECT outcome, used FROM pool.reveal(t.id('x2'), 'bob');
SET pool_ext.clock = '2026-03-02 15:59+00';
SELECT outcome, used FROM pool.reveal(t.id('x2'), 'ann');
SET pool_ext.clock = '2026-03-02 16:00+00';
SELECT outcome, used FROM pool.reveal(t.id('x2'), 'ann');
-- no limit
SELECT outcome, limit_value, used FROM pool.reveal(t.id('y1'), 'ann');
-- refused
SELECT outcome FROM pool.reveal(t.id('y1'), 'bob');
SELECT outcome FROM pool.reveal(t.id('x3'), 'vic');
SELECT outcome FROM pool.claim_leads(t.ids('x3'), 'bob');
SELECT outcome, key, attributes FROM pool.reveal(t.id('x3'), 'ann');
SELECT outcome FROM pool.reveal(999999, 'ann');
-- a request is answered once
SELECT outcome, used FROM pool.reveal(t.id('x1'), 'bob',
    '00000000-0000-0000-0000-000000000001');
SELECT outcome, used FROM pool.reveal(t.id('x1'), 'bob',
    '00000000-0000-0000-0000-000000000001');
\set VERBOSITY sqlstate
SELECT outcome FROM pool.reveal(NULL, 'bob');
SELECT outcome FROM pool.reveal(t.id('x1'));
SELECT outcome FROM pool.reveal(t.id('x1'), 'nobody');
\set VERBOSITY default
SELECT kind, member, actor, detail FROM t.events(t.id('a'));
-- what is rolled back was not seen
SET pool_ext.clock = '2026-03-05 09:00+00';
BEGIN;
SELECT outcome, used FROM pool.reveal(t.id('a'), 'bob');
ROLLBACK;
SELECT outcome, used FROM pool.reveal(t.id('a'), 'bob');

-- lookup: no more than that it exists
SELECT * FROM pool.lookup('{"phone": "+86 138 0013 8000"}');
SELECT * FROM pool.lookup('{"email": "A@B.CN", "phone": ["13800138009"]}');
SELECT outcome FROM pool.claim_leads(t.ids('a'), 'bob');
SELECT * FROM pool.lookup('{"phone": "13800138001"}');
SELECT outcome FROM pool.convert(t.id('a'), member => 'bob');
SELECT * FROM pool.lookup('{"phone": "13800138001"}');
SELECT * FROM pool.lookup('{}');
SELECT * FROM pool.lookup('{"phone": "13800138001"}', 'nowhere');
INSERT INTO pool.tenant (name) VALUES ('other');
SELECT * FROM pool.lookup('{"phone": "13800138001"}', 'other');
\set VERBOSITY sqlstate
SELECT * FROM pool.lookup(NULL);
SELECT * FROM pool.lookup('{"fax": "1"}');
SELECT * FROM pool.lookup('[]');
\set VERBOSITY default

-- a member looks in his own tenant only
CREATE ROLE reveal_ann;
UPDATE pool.member SET login = 'reveal_ann' WHERE key = 'ann';
SELECT pool.grant_access('reveal_ann', 'member');
SET ROLE reveal_ann;
SELECT * FROM pool.lookup('{"phone": "13800138001"}');
SELECT * FROM pool.lookup('{"phone": "13800138001"}', 'other');
SELECT count(*) FROM pool.reveal(1, 'bob');
RESET ROLE;
DROP OWNED BY reveal_ann;
DROP ROLE reveal_ann;
-- a masked key is told to whoever won the lead, and to whoever helps with it
UPDATE pool.pool SET masked_attributes = '{key}' WHERE name = 'p';
SELECT t.fill('p', 'z', 2);
SELECT outcome FROM pool.claim_leads(t.ids('z1', 'z2'), 'ann');
SELECT outcome FROM pool.add_collaborator(t.id('z2'), 'bob', actor => 'ann');
SELECT outcome FROM pool.convert(t.id('z1'), member => 'ann');
BEGIN;
SELECT pool.act_as('ann');
SELECT outcome, key FROM pool.claim_leads(t.ids('z1', 'z2'));
COMMIT;
BEGIN;
SELECT pool.act_as('bob');
SELECT outcome, key FROM pool.claim_leads(t.ids('z1', 'z2'));
COMMIT;
BEGIN;
SELECT pool.act_as('vic');
SELECT outcome, key FROM pool.claim_leads(t.ids('z1', 'z2'));
COMMIT;
SELECT * FROM pool.verify();
