-- 纷享销客 CRM: claim, private and public sea, reminders, progress, cleaning.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('纷享', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, claim_limit, hold_limit,
    claim_interval, cooldown)
SELECT id, '公海', 8, 60, '1 minute', '14 days' FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key)
SELECT id, unnest(ARRAY['sun', 'zhou', 'feng', 'head']) FROM pool.tenant;
SELECT example.join_pool('公海', 'member', 'sun', 'zhou', 'feng'),
    example.join_pool('公海', 'manager', 'head');
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    remind_before, notice_required)
SELECT p.id, v.*
FROM pool.pool p, (VALUES
    ('48 小时首联', 'reclaim', 'first_contact', interval '48 hours',
        '{12 hours}'::interval[], true),
    ('15 天未跟进', 'reclaim', 'follow_up', '15 days', '{2 days}', true),
    ('60 天未成交', 'reclaim', 'ownership', '60 days', '{7 days}', true)) v;
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after, condition)
SELECT id, '半年无人要清理', 'archive', 'entry', interval '180 days',
    '$.claims >= 3'
FROM pool.pool;

-- Claims -------------------------------------------------------------------

INSERT INTO pool.intake (pool, key, priority)
SELECT '纷享/公海', 'f' || i, 100 - i FROM generate_series(1, 12) i;
SELECT example.expect('a first claim',
    $$ SELECT outcome, key FROM pool.claim('纷享/公海', '纷享/sun') $$,
    'claimed,f1');
SELECT example.expect('a second one at once is too soon',
    $$ SELECT outcome, retry_at FROM pool.claim('纷享/公海', '纷享/sun') $$,
    'too_soon,2030-03-04 09:01:00+08');
CALL example.until('2030-03-04 09:01+08');
SELECT example.expect('a minute later he may take several, up to eight a day',
    $$ SELECT outcome, count(*) FROM pool.claim('纷享/公海', '纷享/sun', 10)
       GROUP BY 1 $$, 'claimed,7');

-- Private sea: contacts, progress, reminders -------------------------------

SELECT example.expect('he calls one',
    $$ SELECT outcome, due_at FROM pool.follow_up(example.id('f1'), 'call',
           '有意向', member => '纷享/sun') $$, 'ok,2030-03-19 09:01:00+08');
BEGIN;
SELECT pool.act_as('纷享/sun');
SELECT example.expect('which is active; the others are new',
    $$ SELECT progress, count(*) FROM pool.lead_mine GROUP BY 1 ORDER BY 1 $$,
    'active,1; new,7');
COMMIT;
CALL example.until('2030-03-06 10:00+08');
SELECT example.expect('no contact in 48 hours, warned of: back to the pool',
    $$ SELECT kind, count(*) FROM pool.lead_event
       WHERE kind IN ('reminded', 'reclaimed') GROUP BY 1 ORDER BY 1 $$,
    'reclaimed,7; reminded,7');
SELECT example.expect('the reason is said',
    $$ SELECT DISTINCT reason FROM pool.lead_event WHERE kind = 'reclaimed' $$,
    '48 小时首联');
SELECT example.expect('he may not have them again for 14 days',
    $$ SELECT outcome, retry_at FROM pool.claim_leads(example.ids('f2'),
           '纷享/sun') $$, 'cooldown,2030-03-20 09:01:00+08');
SELECT example.expect('somebody else may',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('f2'), '纷享/zhou') $$,
    'claimed');
CALL example.until('2030-03-13 10:00+08');
BEGIN;
SELECT pool.act_as('纷享/sun');
SELECT example.expect('after half of the 15 days it is slow',
    $$ SELECT key, progress FROM pool.lead_mine $$, 'f1,slow');
COMMIT;
BEGIN;
SELECT pool.act_as('纷享/head');
SELECT example.expect('the head sees who holds what, and how it goes',
    $$ SELECT key, owner, progress FROM pool.lead_team ORDER BY key $$,
    'f1,sun,slow');
SELECT example.expect('and what happened',
    $$ SELECT kind, member FROM pool.history(example.id('f2')) $$,
    'entered,; claimed,sun; reminded,sun; reclaimed,sun; claimed,zhou; '
    'reminded,zhou; reclaimed,zhou');
COMMIT;
SELECT example.expect('who missed how much',
    $$ SELECT member, missed_rate FROM pool.stat_member
       WHERE missed_rate IS NOT NULL ORDER BY 1 $$,
    'sun,1.0000; zhou,1.0000');

-- Cleaning -----------------------------------------------------------------

SELECT example.expect('a third one tries, in vain',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('f2'), '纷享/feng') $$,
    'claimed');
SELECT example.expect('and gives it back',
    $$ SELECT outcome FROM pool.release(example.ids('f2'), '空号',
           member => '纷享/feng') $$, 'released');
CALL example.until('2030-09-08 10:00+08', '1 day');
SELECT example.expect('three claims and half a year in the pool: not yet',
    $$ SELECT status FROM pool.lead WHERE key = 'f2' $$, 'available');
CALL example.until('2030-09-10 10:00+08', '1 day');
SELECT example.expect('then it is put away',
    $$ SELECT status, (SELECT reason FROM pool.lead_event e
           WHERE e.lead_id = l.id AND kind = 'archived')
       FROM pool.lead l WHERE key = 'f2' $$, 'archived,半年无人要清理');
SELECT example.expect('what nobody has tried yet stays',
    $$ SELECT status FROM pool.lead WHERE key = 'f12' $$, 'available');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
