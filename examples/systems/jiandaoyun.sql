-- 简道云 CRM: claims by level and tag, newcomers, core and senior people, five
-- claims a day, 48 hours for the first contact and then every week, return by
-- time, weights, a monthly rota for key leads, several business lines.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('简道云', 'Asia/Shanghai');

INSERT INTO pool.pool (tenant_id, name, claim_limit, hold_limit, cooldown,
    masked_attributes, route_returned, follow_up_requires, newcomer_period)
SELECT id, '公海', 5, 50, '7 days', '{phone,wechat}', true,
    '{note,result,next_at}', '90 days'
FROM pool.tenant;

INSERT INTO pool.member (tenant_id, key, level, profile, joined_at)
SELECT t.id, v.key, v.level, v.profile::jsonb, v.joined_at::timestamptz
FROM pool.tenant t, (VALUES
    ('he', 2, '{"lines": ["crm", "erp"]}', '2029-01-01 09:00+08'),
    ('zi', 3, '{"lines": ["crm", "erp"]}', '2028-01-01 09:00+08'),
    ('gu', 2, '{"lines": ["crm"]}', '2029-06-01 09:00+08'),
    ('xin', 1, '{"lines": ["erp"]}', '2030-03-01 09:00+08'),
    ('jing', 0, '{}', '2027-01-01 09:00+08')) v (key, level, profile, joined_at);
SELECT example.join_pool('公海', 'member', 'he', 'zi', 'gu', 'xin'),
    example.join_pool('公海', 'manager', 'jing');
UPDATE pool.membership SET weight = 3
WHERE member_id = (SELECT id FROM pool.member WHERE key = 'he');

INSERT INTO pool.claim_rule (pool_id, name, condition, min_level)
SELECT id, 'A 类需 3 级', '$.grade == "A"', 3 FROM pool.pool;

INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    remind_before, notice_required, notify)
SELECT p.id, v.*
FROM pool.pool p, (VALUES
    ('48 小时首联', 'reclaim', 'first_contact', interval '48 hours',
        '{24 hours}'::interval[], true, 'owner'),
    ('每周跟进', 'escalate', 'follow_up', '7 days', '{1 day}', false,
        'manager'),
    ('30 天未跟进', 'reclaim', 'follow_up', '30 days', '{3 days}', true,
        'owner')) v;

INSERT INTO pool.routing_rule (pool_id, position, name, condition,
    member_condition, min_level, strategy, rotate_every, rotate_seats,
    newcomer_share)
SELECT p.id, v.*
FROM pool.pool p, (VALUES
    (10, '重点给骨干', '$.grade == "A"'::jsonpath,
        '$.lines[*] == $line'::jsonpath, 2, 'performance',
        interval '1 month', 2, 0),
    (20, '其余轮流', NULL, '$.lines[*] == $line', 0, 'weighted',
        NULL, NULL, 0.2)) v;

-- Claims -------------------------------------------------------------------

-- leads that name no business line suit no rule: they are there to be claimed
INSERT INTO pool.intake (pool, key, grade, source, attributes)
SELECT '简道云/公海', 'n' || i, 'B', '官网',
    '{"phone": "13800000000", "city": "南京"}'
FROM generate_series(1, 6) i;
INSERT INTO pool.intake (pool, key, grade) VALUES ('简道云/公海', 'a1', 'A');

BEGIN;
SELECT pool.act_as('简道云/xin');
SELECT example.expect('what is masked is not seen before the claim',
    $$ SELECT key, attributes FROM pool.lead_open WHERE key = 'n1' $$,
    'n1,{city: 南京}');
COMMIT;
SELECT example.expect('five claims a day',
    $$ SELECT outcome, count(*) FROM pool.claim('简道云/公海', '简道云/xin', 6)
       GROUP BY 1 $$, 'claimed,5');
SELECT example.expect('and then no more',
    $$ SELECT outcome, used, retry_at
       FROM pool.claim('简道云/公海', '简道云/xin') $$,
    'claim_limit,5,2030-03-05 00:00:00+08');
SELECT example.expect('grade A is for level 3',
    $$ SELECT a.outcome, b.outcome
       FROM pool.claim_leads(example.ids('a1'), '简道云/gu') a,
           pool.claim_leads(example.ids('a1'), '简道云/zi') b $$,
    'level,claimed');

-- Assignment ---------------------------------------------------------------

SELECT example.expect('a key lead goes to somebody of level 2 or more',
    $$ SELECT outcome, rule, member <> 'xin'
       FROM pool.enter('简道云/公海', 'k1', grade => 'A',
           attributes => '{"line": "crm"}') $$,
    'assigned,重点给骨干,t');
SELECT example.expect('two people have the seats of this month',
    $$ SELECT count(*), min(started_at), max(ended_at) FROM pool.rota
       WHERE present $$,
    '2,2030-03-04 09:00:00+08,2030-04-04 09:00:00+08');

INSERT INTO pool.intake (pool, key, grade, attributes)
SELECT '简道云/公海', 'e' || i, 'B', '{"line": "erp"}'
FROM generate_series(1, 20) i;
SELECT example.expect('the newcomer has his share, the core person most',
    $$ SELECT bool_and(l.status = 'owned'),
           count(*) FILTER (WHERE m.key = 'xin') >= 4,
           count(*) FILTER (WHERE m.key = 'he')
               > count(*) FILTER (WHERE m.key = 'zi'),
           count(*) FILTER (WHERE m.key = 'gu')
       FROM pool.lead l LEFT JOIN pool.member m ON m.id = l.owner_id
       WHERE l.key LIKE 'e%' $$, 't,t,t,0');

-- Follow-ups ---------------------------------------------------------------

SELECT example.expect('a follow-up without the next step is refused',
    $$ SELECT outcome FROM pool.follow_up(example.id('n1'), 'call', '已联系',
           '谈了需求', member => '简道云/xin') $$, 'incomplete');
SELECT example.expect('a complete one sets the next deadline',
    $$ SELECT outcome, due_at FROM pool.follow_up(example.id('n1'), 'call',
           '已联系', '谈了需求', next_at => '2030-03-08 09:00+08',
           member => '简道云/xin') $$,
    'ok,2030-04-03 09:00:00+08');

CALL example.until('2030-03-05 10:00+08');
SELECT example.expect('a reminder a day before',
    $$ SELECT kind, at FROM pool.history(example.id('n2'))
       WHERE kind = 'reminded' $$, 'reminded,2030-03-05 09:00:00+08');
CALL example.until('2030-03-06 10:00+08');
SELECT example.expect('no contact in 48 hours: it goes back',
    $$ SELECT l.status, h.kind, h.reason
       FROM pool.lead l, pool.history(l.id) h
       WHERE l.key = 'n2' AND h.kind = 'reclaimed' $$,
    'available,reclaimed,48 小时首联');
SELECT example.expect('who lost it cannot have it at once again',
    $$ SELECT outcome, retry_at
       FROM pool.claim_leads(example.ids('n2'), '简道云/xin') $$,
    'cooldown,2030-03-13 09:00:00+08');
CALL example.until('2030-03-11 10:00+08');
SELECT example.expect('a week without contact is told to the manager',
    $$ SELECT kind, detail ->> 'notify', detail ->> 'told'
       FROM pool.lead_event WHERE key = 'n1' AND kind = 'escalated' $$,
    'escalated,manager,[jing]');
SELECT example.expect('and is a message for him',
    $$ SELECT member, leads FROM pool.digest('dingtalk', 1000)
       WHERE kind = 'escalated' $$, 'jing,1');
CALL example.until('2030-04-03 10:00+08', '6 hours');
SELECT example.expect('30 days without contact: it goes back',
    $$ SELECT reason FROM pool.lead_event
       WHERE key = 'n1' AND kind = 'reclaimed' $$, '30 天未跟进');

-- Rotation and reports -----------------------------------------------------

CALL example.until('2030-04-05 10:00+08', '6 hours');
SELECT example.expect('next month somebody else has a seat',
    $$ SELECT outcome, rule FROM pool.enter('简道云/公海', 'k2', grade => 'A',
           attributes => '{"line": "crm"}') $$, 'assigned,重点给骨干');
SELECT example.expect('the rota says who',
    $$ SELECT count(*) FILTER (WHERE present), count(*) FROM pool.rota $$,
    '2,3');
SELECT example.expect('the statistics agree',
    $$ SELECT claimed, reclaimed = missed, missed_rate = 1
       FROM pool.stat_member WHERE member = 'zi' $$, '1,t,t');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
