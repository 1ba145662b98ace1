-- 腾讯企点 CRM: inquiries from WeChat given out in turn within the minute, a
-- first answer in half an hour, assignment in batches, messages.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('企点', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, duplicate_policy)
SELECT id, '咨询公海', 'touch' FROM pool.tenant;

INSERT INTO pool.member (tenant_id, key, profile)
SELECT t.id, v.key, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('zhang', '{"channels": ["wechat_mp", "wechat_ad"]}'),
    ('liu', '{"channels": ["wechat_mp"]}'),
    ('chen', '{"channels": ["phone"]}'),
    ('head', '{}')) v (key, profile);
SELECT example.join_pool('咨询公海', 'member', 'zhang', 'liu', 'chen'),
    example.join_pool('咨询公海', 'manager', 'head');

INSERT INTO pool.routing_rule (pool_id, position, name, condition,
    member_condition, strategy)
SELECT id, 10, '微信咨询实时轮流', '$.source like_regex "^wechat"',
    '$.channels[*] == $source', 'round_robin'
FROM pool.pool;
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    remind_before)
SELECT id, '30 分钟首响', 'reclaim', 'first_contact', interval '30 minutes',
    '{10 minutes}'::interval[]
FROM pool.pool;

-- In turn ------------------------------------------------------------------

SELECT example.expect('inquiries are given out at once, in turn',
    $$ SELECT count(*), count(DISTINCT member), bool_and(outcome = 'assigned')
       FROM generate_series(1, 4) i,
           pool.enter('企点/咨询公海', 'w' || i, source => 'wechat_mp',
               identities => jsonb_build_object('wechat', 'union-' || i)) $$,
    '4,2,t');
SELECT example.expect('two for each',
    $$ SELECT m.key, count(*) FROM pool.lead l
       JOIN pool.member m ON m.id = l.owner_id GROUP BY 1 ORDER BY 1 $$,
    'liu,2; zhang,2');
SELECT example.expect('an advertisement only for who serves that channel',
    $$ SELECT outcome, member FROM pool.enter('企点/咨询公海', 'ad',
           source => 'wechat_ad') $$, 'assigned,zhang');

-- The same customer asks again ---------------------------------------------

CREATE TABLE example.owner AS
SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
WHERE l.key = 'w1';
SELECT example.expect('a repeated inquiry makes no second lead',
    $$ SELECT outcome, lead_id = example.id('w1'),
           member = (SELECT key FROM example.owner)
       FROM pool.enter('企点/咨询公海', 'again', source => 'wechat_ad',
           identities => '{"wechat": "union-1"}') $$, 'duplicate,t,t');
SELECT example.expect('but tells its owner, and keeps its first source',
    $$ SELECT e.kind, e.member = (SELECT key FROM example.owner),
           e.source, l.source
       FROM pool.lead_event e JOIN pool.lead l ON l.id = e.lead_id
       WHERE e.key = 'w1' AND e.kind = 'touched' $$,
    'touched,t,wechat_ad,wechat_mp');
SELECT example.expect('an identity of WeChat is compared as it is',
    $$ SELECT found, place FROM pool.lookup('{"wechat": "union-2"}', '企点')
       UNION ALL
       SELECT found, place FROM pool.lookup('{"wechat": "UNION-2"}', '企点') $$,
    't,private; f,');

-- Half an hour -------------------------------------------------------------

SELECT example.expect('one is answered',
    $$ SELECT outcome FROM pool.follow_up(example.id('ad'), 'chat',
           member => '企点/zhang') $$, 'ok');
CALL example.until('2030-03-04 09:20+08', '1 minute');
SELECT example.expect('the others are warned of after 20 minutes',
    $$ SELECT count(*), max(at) FROM pool.lead_event
       WHERE kind = 'reminded' $$, '4,2030-03-04 09:20:00+08');
SELECT example.expect('which is a message for each of their owners',
    $$ SELECT member, leads FROM pool.digest('wecom', 500)
       WHERE kind = 'reminded' ORDER BY member $$, 'liu,2; zhang,2');
CALL example.until('2030-03-04 09:30+08', '1 minute');
SELECT example.expect('and taken back after 30',
    $$ SELECT available, owned, reclaimed_today FROM pool.stat_pool $$,
    '4,1,4');

-- Batches and messages -----------------------------------------------------

SELECT example.expect('the head gives out the rest in one call',
    $$ SELECT outcome, count(*) FROM pool.assign(
           ARRAY(SELECT lead_id FROM pool.search('企点/咨询公海', n => 1000)),
           '企点/chen', reason => '人工补位', actor => '企点/head')
       GROUP BY 1 $$, 'assigned,4');
SELECT example.expect('messages for WeCom, put together',
    $$ SELECT kind, member, leads FROM pool.digest('wecom', 500)
       WHERE kind = 'assigned' AND member = 'chen' $$, 'assigned,chen,4');
SELECT example.expect('once they are acknowledged they do not come again',
    $$ SELECT a.outcome,
           (SELECT count(*) FROM pool.poll('wecom', 500))
       FROM (SELECT max(position) AS position
             FROM pool.digest('wecom', 500)) d,
           pool.ack('wecom', d.position) a $$, 'ok,0');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
