-- 企客宝 CRM: claiming and queueing on one pool, three days without contact and
-- seven without a deal, five claims a day, one pool for all channels with label
-- and priority, search by several fields, reports by channel.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('企客宝', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, claim_limit, cooldown, route_returned)
SELECT id, '销售部', 5, '3 days', true FROM pool.tenant;

INSERT INTO pool.member (tenant_id, key, profile)
SELECT t.id, v.key, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('on1', '{"team": "在线"}'), ('on2', '{"team": "在线"}'),
    ('out1', '{"team": "外勤", "regions": ["华东"], "products": ["机床"]}'),
    ('out2', '{"team": "外勤", "regions": ["华南"], "products": ["机床"]}'))
    v (key, profile);
SELECT example.join_pool('销售部', 'member', 'on1', 'on2', 'out1', 'out2');

INSERT INTO pool.timer_rule (pool_id, name, action, basis, after, condition,
    remind_before)
SELECT p.id, v.name, 'reclaim', v.basis, v.after::interval,
    v.condition::jsonpath, v.remind::interval[]
FROM pool.pool p, (VALUES
    ('3 天未跟进', 'follow_up', '3 days', NULL, '{1 day}'),
    ('7 天未成交', 'ownership', '7 days', '$.need == "高"', '{1 day}'),
    ('培育 30 天', 'ownership', '30 days', '$.need == "低"', '{3 days}'))
    v (name, basis, after, condition, remind);

INSERT INTO pool.routing_rule (pool_id, position, name, condition,
    member_condition, strategy)
SELECT p.id, v.position, v.name, v.condition::jsonpath,
    v.member_condition::jsonpath, 'round_robin'
FROM pool.pool p, (VALUES
    (10, '官网给在线组', '$.source == "官网"', '$.team == "在线"'),
    (20, '区域 + 产品', '$.source == "展会"',
        '$.regions[*] == $region && $.products[*] == $product'))
    v (position, name, condition, member_condition);

INSERT INTO pool.score_rule (pool_id, name, condition, points)
SELECT p.id, v.name, v.condition::jsonpath, v.points
FROM pool.pool p, (VALUES
    ('官网', '$.source == "官网"', 20), ('需求高', '$.need == "高"', 50),
    ('需求低', '$.need == "低"', -10)) v (name, condition, points);

-- Queue or match -----------------------------------------------------------

SELECT example.expect('inquiries of the site go to the online team in turn',
    $$ SELECT count(DISTINCT member), bool_and(member LIKE 'on_')
       FROM generate_series(1, 2) i,
           pool.enter('企客宝/销售部', 'g' || i, source => '官网',
               attributes => '{"need": "高"}') $$, '2,t');
SELECT example.expect('leads of a fair by region and product',
    $$ SELECT outcome, member, rule FROM pool.enter('企客宝/销售部', 'z1',
           source => '展会',
           attributes => '{"region": "华南", "product": "机床"}') $$,
    'assigned,out2,区域 + 产品');

-- Channels, labels, priorities ---------------------------------------------

INSERT INTO pool.intake (pool, key, name, source, attributes) VALUES
    ('企客宝/销售部', 'p1', '苏州精密机械', '平台',
        '{"industry": "机械", "city": "苏州", "need": "高"}'),
    ('企客宝/销售部', 'p2', '苏州精密仪器', '平台',
        '{"industry": "仪器", "city": "苏州", "need": "高"}'),
    ('企客宝/销售部', 'p3', '无锡机械', '平台',
        '{"industry": "机械", "city": "无锡", "need": "低"}');
SELECT example.expect('the priority follows from label and need',
    $$ SELECT key, priority FROM pool.lead ORDER BY key $$,
    'g1,70; g2,70; p1,50; p2,50; p3,0; z1,0');
SELECT example.expect('search by three fields and a word',
    $$ SELECT key, name FROM pool.search('企客宝/销售部',
           '{"industry": "机械", "city": "苏州", "need": "高"}', '精密', 50) $$,
    'p1,苏州精密机械');
SELECT example.expect('and claim what fits',
    $$ SELECT outcome, key FROM pool.claim('企客宝/销售部', '企客宝/out1',
           match => '{"industry": "仪器"}') $$, 'claimed,p2');

-- Days ---------------------------------------------------------------------

CALL example.until('2030-03-07 09:00+08');
SELECT example.expect('three days without contact: back, and to the next',
    $$ SELECT e.kind, e.reason, count(*) FROM pool.lead_event e
       WHERE e.key IN ('g1', 'g2') AND e.kind = 'reclaimed'
       GROUP BY 1, 2 $$, 'reclaimed,3 天未跟进,2');
SELECT example.expect('to another than before',
    $$ SELECT e.key, count(DISTINCT e.member) FROM pool.lead_event e
       WHERE e.key IN ('g1', 'g2') AND e.kind = 'assigned'
       GROUP BY 1 ORDER BY 1 $$, 'g1,2; g2,2');
SELECT example.expect('what nobody may have yet is there to be claimed',
    $$ SELECT key, status FROM pool.lead WHERE key = 'z1' $$, 'z1,available');

-- kept alive by contacts, but not sold
CREATE TABLE example.keeper AS
SELECT '企客宝/' || m.key AS key FROM pool.lead l
JOIN pool.member m ON m.id = l.owner_id WHERE l.key = 'g1';
CALL example.until('2030-03-09 09:00+08');
SELECT example.expect('he keeps in touch',
    $$ SELECT outcome FROM pool.follow_up(example.id('g1'), 'call',
           member => (SELECT key FROM example.keeper)) $$, 'ok');
CALL example.until('2030-03-11 09:00+08');
SELECT example.expect('and again',
    $$ SELECT outcome FROM pool.follow_up(example.id('g1'), 'call',
           member => (SELECT key FROM example.keeper)) $$, 'ok');
CALL example.until('2030-03-13 09:00+08');
SELECT example.expect('and once more',
    $$ SELECT outcome FROM pool.follow_up(example.id('g1'), 'call',
           member => (SELECT key FROM example.keeper)) $$, 'ok');
CALL example.until('2030-03-14 08:00+08');
SELECT example.expect('which does not stop the clock of the deal',
    $$ SELECT owner = (SELECT split_part(key, '/', 2) FROM example.keeper),
           rule, due_at FROM pool.lead_due WHERE key = 'g1' $$,
    't,7 天未成交,2030-03-14 09:00:00+08');
CALL example.until('2030-03-14 09:00+08');
SELECT example.expect('seven days without a deal: back',
    $$ SELECT reason FROM pool.lead_event WHERE key = 'g1'
       AND kind = 'reclaimed' ORDER BY event_id DESC LIMIT 1 $$,
    '7 天未成交');

-- Channels in the reports --------------------------------------------------

SELECT example.expect('a lead of the platform',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('p1'),
           '企客宝/out1') $$, 'claimed');
SELECT example.expect('becomes a deal',
    $$ SELECT outcome FROM pool.convert(example.id('p1'), 30000, 'CNY',
           '企客宝/out1') $$, 'converted');
SELECT example.expect('per channel',
    $$ SELECT source, entered, converted, amount FROM pool.stat_source
       ORDER BY entered, source $$, '展会,1,0,0; 官网,2,0,0; 平台,3,1,30000');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
