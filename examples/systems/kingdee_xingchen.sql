-- 金蝶云星辰 CRM: software as a service for many companies, entries reviewed by
-- hand, assignment in turn and by hand on one pool, reports.
\ir check.sql

-- two customers of the service, each with a pool of the same name
INSERT INTO pool.tenant (name, timezone)
VALUES ('星辰', 'Asia/Shanghai'), ('他家', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, review)
SELECT id, '线索', name = '星辰' FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key)
SELECT id, unnest(ARRAY['li', 'wang', 'boss']) FROM pool.tenant;
SELECT example.join_pool('线索', 'member', 'li', 'wang'),
    example.join_pool('线索', 'manager', 'boss');
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT p.id, 10, '自动轮流', 'round_robin'
FROM pool.pool p JOIN pool.tenant t ON t.id = p.tenant_id
WHERE t.name = '星辰';

-- Review -------------------------------------------------------------------

SELECT example.expect('entries wait for a look',
    $$ SELECT DISTINCT outcome, status FROM generate_series(1, 4) i,
           pool.enter('星辰/线索', 'l' || i) $$, 'review,review');
SELECT example.expect('nobody can claim them',
    $$ SELECT outcome FROM pool.claim('星辰/线索', '星辰/li') $$, 'empty');
SELECT example.expect('three are good, one is not',
    $$ SELECT outcome, count(*) FROM (
           SELECT outcome FROM pool.review(example.ids('l1', 'l2', 'l3'),
               'accept', actor => '星辰/boss')
           UNION ALL
           SELECT outcome FROM pool.review(example.ids('l4'), 'reject',
               '电话是空号', '星辰/boss')) r GROUP BY 1 ORDER BY 1 $$,
    'accepted,3; rejected,1');
SELECT example.expect('good ones go out in turn at once',
    $$ SELECT count(*) FROM pool.lead l
       JOIN pool.member m ON m.id = l.owner_id
       GROUP BY m.key ORDER BY 1 DESC $$ , '2; 1');
SELECT example.expect('the bad one is closed, with the reason',
    $$ SELECT l.status, h.reason FROM pool.lead l, pool.history(l.id) h
       WHERE l.key = 'l4' AND h.kind = 'archived' $$, 'archived,电话是空号');

-- By hand as well ----------------------------------------------------------

SELECT example.expect('the head takes one back',
    $$ SELECT outcome FROM pool.reclaim(example.ids('l1'),
           actor => '星辰/boss') $$, 'reclaimed');
SELECT example.expect('and gives it to whom he likes',
    $$ SELECT outcome FROM pool.assign(example.ids('l1'), '星辰/wang',
           reason => '主管指定', actor => '星辰/boss') $$, 'assigned');
SELECT example.expect('which the log does not hide',
    $$ SELECT member, actor, reason FROM pool.lead_event
       WHERE key = 'l1' ORDER BY event_id DESC LIMIT 1 $$,
    'wang,boss,主管指定');

-- Two tenants --------------------------------------------------------------

SELECT example.expect('the other company has a pool of that name too',
    $$ SELECT outcome FROM pool.enter('他家/线索', 'l1') $$, 'entered');
SELECT example.expect('its people do not find the leads of this one',
    $$ SELECT outcome FROM pool.claim_leads(ARRAY(
           SELECT l.id FROM pool.lead l JOIN pool.tenant t ON t.id = l.tenant_id
           WHERE t.name = '星辰'), '他家/li') GROUP BY 1 $$, 'not_found');
CREATE ROLE example_reader;
SELECT pool.grant_access('example_reader', 'reader', '星辰');
SET ROLE example_reader;
SELECT pool, available, owned, archived FROM pool.stat_pool \gset seen_
RESET ROLE;
SELECT example.expect('and a report of one company shows that company',
    format('SELECT %L, %L, %L, %L', :'seen_pool', :'seen_available',
           :'seen_owned', :'seen_archived'), '线索,0,3,1');
DROP OWNED BY example_reader;
DROP ROLE example_reader;
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
