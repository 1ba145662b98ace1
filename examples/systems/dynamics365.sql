-- Dynamics 365: queues, capacity, and work for who has the least of it.
\ir check.sql

INSERT INTO pool.tenant (name, timezone, country)
VALUES ('d365', 'Asia/Shanghai', 'CN');
INSERT INTO pool.pool (tenant_id, name, hold_limit)
SELECT id, 'inbound', 40 FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key, profile)
SELECT t.id, v.key, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('zhang', '{"segments": ["smb", "key"]}'),
    ('li', '{"segments": ["smb"]}'),
    ('head', '{}')) v (key, profile);
INSERT INTO pool.membership (pool_id, member_id, role, weight, hold_limit)
SELECT p.id, m.id, 'member', 1, CASE m.key WHEN 'zhang' THEN 25 END
FROM pool.pool p, pool.member m
WHERE p.name = 'inbound' AND m.key IN ('zhang', 'li');
SELECT example.join_pool('inbound', 'manager', 'head');
INSERT INTO pool.routing_rule (pool_id, position, name, member_condition,
    strategy)
SELECT id, 10, 'capacity', '$.segments[*] == $segment', 'least_loaded'
FROM pool.pool;
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    working_time, condition, remind_before)
SELECT id, '4 working hours', 'reclaim', 'first_contact', interval '4 hours',
    true, '$.channel == "phone"', '{1 hour}'::interval[]
FROM pool.pool;

-- Least loaded, up to capacity ---------------------------------------------

SELECT example.expect('key accounts only for who looks after them',
    $$ SELECT DISTINCT member FROM generate_series(1, 3) i,
           pool.enter('d365/inbound', 'k' || i,
               attributes => '{"segment": "key"}') $$, 'zhang');
INSERT INTO pool.intake (pool, key, attributes)
SELECT 'd365/inbound', 's' || i, '{"segment": "smb"}'
FROM generate_series(1, 17) i;
SELECT example.expect('the load is the same for both',
    $$ SELECT member, held FROM pool.stat_member WHERE held > 0
       ORDER BY 1 $$, 'li,10; zhang,10');
INSERT INTO pool.intake (pool, key, attributes)
SELECT 'd365/inbound', 't' || i, '{"segment": "smb"}'
FROM generate_series(1, 45) i;
SELECT example.expect('until one has as many as he can, and then the other',
    $$ SELECT member, held, hold_limit, held_share FROM pool.stat_member
       WHERE held > 0 ORDER BY 1 $$,
    'li,40,40,1.0000; zhang,25,25,1.0000');
SELECT example.expect('one more waits',
    $$ SELECT outcome, status FROM pool.enter('d365/inbound', 'more',
           attributes => '{"segment": "smb"}') $$, 'entered,available');
SELECT example.expect('because all have as many as they can',
    $$ SELECT key, reason FROM pool.routing_waiting $$, 'more,at_capacity');
SELECT example.expect('somebody closes one',
    $$ SELECT outcome FROM pool.convert(example.id('k1'), 10, 'USD',
           'd365/zhang') $$, 'converted');
CALL example.until('2030-03-04 09:10+08', '5 minutes');
SELECT example.expect('and has it',
    $$ SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
       WHERE l.key = 'more' $$, 'zhang');

-- Working hours ------------------------------------------------------------

UPDATE pool.tenant SET work_from = '09:00', work_until = '18:00';
CALL example.until('2030-03-04 16:30+08');
SELECT example.expect('li has room again',
    $$ SELECT outcome FROM pool.convert(example.id('t45'), 10, 'USD',
           'd365/li') $$, 'converted');
SELECT example.expect('a call comes in at half past four',
    $$ SELECT outcome, member FROM pool.enter('d365/inbound', 'call',
           attributes => '{"segment": "smb", "channel": "phone"}') $$,
    'assigned,li');
SELECT example.expect('one and a half hours today, two and a half tomorrow',
    $$ SELECT rule, due_at FROM pool.lead_due $$,
    '4 working hours,2030-03-05 11:30:00+08');
CALL example.until('2030-03-05 11:29+08');
SELECT example.expect('a reminder an hour before, and still his',
    $$ SELECT status, (SELECT max(at) FROM pool.lead_event
           WHERE key = 'call' AND kind = 'reminded')
       FROM pool.lead WHERE key = 'call' $$, 'owned,2030-03-05 10:30:00+08');
CALL example.until('2030-03-05 11:30+08');
SELECT example.expect('now taken back',
    $$ SELECT reason FROM pool.lead_event
       WHERE key = 'call' AND kind = 'reclaimed' $$, '4 working hours');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
