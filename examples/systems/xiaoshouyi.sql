-- 销售易 CRM: assignment by match and by results, reminders, progress, and what
-- each person has achieved.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('销售易', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, claim_limit)
SELECT id, '线索池', 20 FROM pool.tenant;

INSERT INTO pool.member (tenant_id, key, profile)
SELECT t.id, v.key, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('wang', '{"industries": ["制造", "零售"]}'),
    ('zhao', '{"industries": ["金融"]}'),
    ('qian', '{"industries": ["制造"]}')) v (key, profile);
SELECT example.join_pool('线索池', 'member', 'wang', 'zhao', 'qian');

INSERT INTO pool.routing_rule (pool_id, position, name, condition,
    member_condition, strategy)
SELECT p.id, v.*
FROM pool.pool p, (VALUES
    (10, '匹配', '$.grade == "A"'::jsonpath,
        '$.industries[*] == $industry'::jsonpath, 'best_match'),
    (20, '按业绩', '$.grade == "B"', NULL, 'performance')) v;

INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    remind_before)
SELECT id, '7 天未跟进', 'reclaim', 'follow_up', interval '7 days',
    '{1 day}'::interval[]
FROM pool.pool;
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after, condition)
SELECT id, '报价停滞', 'escalate', 'stage', interval '3 days',
    '$.stage == "报价"'
FROM pool.pool;

-- Results of the past: wang wins, zhao does not ----------------------------

INSERT INTO pool.intake (pool, key, source, grade, owner)
SELECT '销售易/线索池', 'w' || i, '官网', 'B', '销售易/wang'
FROM generate_series(1, 6) i;
INSERT INTO pool.intake (pool, key, source, grade, owner)
SELECT '销售易/线索池', 'z' || i, '官网', 'B', '销售易/zhao'
FROM generate_series(1, 6) i;
SELECT example.expect('wang wins',
    $$ SELECT count(*) FROM generate_series(1, 5) i,
           pool.convert(example.id('w' || i), 1000, 'CNY', '销售易/wang') c
       WHERE c.outcome = 'converted' $$, '5');
SELECT example.expect('zhao gives back',
    $$ SELECT count(*) FROM pool.release(
           example.ids('z1', 'z2', 'z3', 'z4', 'z5'),
           member => '销售易/zhao') WHERE outcome = 'released' $$, '5');
CALL example.until('2030-03-04 12:00+08');
SELECT example.expect('the facts of the members know it',
    $$ SELECT m.key, f.converted_90d, round(f.conversion_rate, 2)
       FROM pool.member_fact f JOIN pool.member m ON m.id = f.member_id
       WHERE m.key IN ('wang', 'zhao') ORDER BY 1 $$,
    'wang,5,1.00; zhao,0,0.00');

-- Assignment ---------------------------------------------------------------

SELECT example.expect('who has won is served first',
    $$ SELECT outcome, member, rule FROM pool.enter('销售易/线索池', 'b1',
           source => '官网', grade => 'B') $$, 'assigned,wang,按业绩');
SELECT example.expect('only who knows the industry gets the lead',
    $$ SELECT outcome, member IN ('wang', 'qian'), rule
       FROM pool.enter('销售易/线索池', 'a1', source => '展会', grade => 'A',
           attributes => '{"industry": "制造"}') $$, 'assigned,t,匹配');
SELECT example.expect('the event says why',
    $$ SELECT detail ? 'strategy', jsonb_array_length(detail -> 'candidates')
       FROM pool.lead_event WHERE key = 'a1' AND kind = 'assigned' $$, 't,2');
SELECT example.expect('an industry that nobody knows stays in the pool',
    $$ SELECT outcome, status FROM pool.enter('销售易/线索池', 'a2',
           grade => 'A', attributes => '{"industry": "农业"}') $$,
    'entered,available');
SELECT example.expect('and waits',
    $$ SELECT key, reason FROM pool.routing_waiting WHERE key = 'a2' $$,
    'a2,no_candidate');
UPDATE pool.member SET profile = '{"industries": ["农业"]}' WHERE key = 'zhao';
CALL example.until('2030-03-04 13:00+08');
SELECT example.expect('until somebody does',
    $$ SELECT kind, member FROM pool.lead_event
       WHERE key = 'a2' AND kind = 'assigned' $$, 'assigned,zhao');

-- Progress and reminders ---------------------------------------------------

SELECT example.expect('a new stage',
    $$ SELECT outcome FROM pool.follow_up(example.id('b1'), 'visit',
           stage => '报价', member => '销售易/wang') $$, 'ok');
BEGIN;
SELECT pool.act_as('销售易/wang');
SELECT example.expect('is active',
    $$ SELECT stage, progress FROM pool.lead_mine WHERE key = 'b1' $$,
    '报价,active');
COMMIT;
CALL example.until('2030-03-08 13:00+08');
SELECT example.expect('three days in one stage are told',
    $$ SELECT kind FROM pool.lead_event WHERE key = 'b1'
       AND kind = 'escalated' $$, 'escalated');
BEGIN;
SELECT pool.act_as('销售易/wang');
SELECT example.expect('and after half of the window it is slow',
    $$ SELECT progress FROM pool.lead_mine WHERE key = 'b1' $$, 'slow');
COMMIT;
CALL example.until('2030-03-10 14:00+08');
SELECT example.expect('a reminder a day before',
    $$ SELECT count(*) FROM pool.lead_event WHERE key = 'b1'
       AND kind = 'reminded' $$, '1');
CALL example.until('2030-03-11 14:00+08');
SELECT example.expect('seven days without contact: it goes back',
    $$ SELECT reason FROM pool.lead_event
       WHERE key = 'b1' AND kind = 'reclaimed' $$, '7 天未跟进');

-- What each person has achieved --------------------------------------------

SELECT example.expect('per day',
    $$ SELECT member, converted, amount FROM pool.stat_member_daily
       WHERE converted > 0 $$, 'wang,5,5000');
SELECT example.expect('by month of entry',
    $$ SELECT month, entered, converted FROM pool.stat_cohort $$,
    '2030-03-01,15,5');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
