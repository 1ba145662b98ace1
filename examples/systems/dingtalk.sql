-- 钉钉 CRM: the owner hears after three days, his head after five, and after
-- seven the lead goes back; messages for the phone.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('钉钉', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, claim_limit)
SELECT id, '客户公海', 10 FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key)
SELECT id, unnest(ARRAY['wu', 'zheng', 'head']) FROM pool.tenant;
SELECT example.join_pool('客户公海', 'member', 'wu', 'zheng'),
    example.join_pool('客户公海', 'manager', 'head');
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    remind_before, notify)
SELECT p.id, v.*
FROM pool.pool p, (VALUES
    ('3 天提醒负责人', 'escalate', 'follow_up', interval '3 days',
        '{12 hours}'::interval[], 'owner'),
    ('5 天提醒主管', 'escalate', 'follow_up', '5 days', '{}', 'manager'),
    ('7 天回收', 'reclaim', 'follow_up', '7 days', '{1 day}', 'owner')) v;

INSERT INTO pool.intake (pool, key)
SELECT '钉钉/客户公海', 'c' || i FROM generate_series(1, 12) i;
SELECT example.expect('ten claims a day',
    $$ SELECT outcome, count(*) FROM pool.claim('钉钉/客户公海', '钉钉/wu', 12)
       GROUP BY 1 $$, 'claimed,10');
SELECT example.expect('one of them is followed up',
    $$ SELECT outcome, due_at FROM pool.follow_up(example.id('c1'), 'call',
           next_at => '2030-03-20 09:00+08', member => '钉钉/wu') $$,
    'ok,2030-03-11 09:00:00+08');

-- The ladder ---------------------------------------------------------------

CALL example.until('2030-03-11 09:00+08');
SELECT example.expect('each step once, in order',
    $$ SELECT e.kind, e.at, t.name FROM pool.lead_event e
       LEFT JOIN pool.timer_rule t ON t.id = e.rule_id
       WHERE e.key = 'c2' AND e.kind NOT IN ('entered', 'claimed')
       ORDER BY e.event_id $$,
    'reminded,2030-03-06 21:00:00+08,3 天提醒负责人; '
    'escalated,2030-03-07 09:00:00+08,3 天提醒负责人; '
    'escalated,2030-03-09 09:00:00+08,5 天提醒主管; '
    'reminded,2030-03-10 09:00:00+08,7 天回收; '
    'reclaimed,2030-03-11 09:00:00+08,7 天回收');
SELECT example.expect('who is told',
    $$ SELECT DISTINCT t.name, e.detail ->> 'notify', e.detail ->> 'told'
       FROM pool.lead_event e JOIN pool.timer_rule t ON t.id = e.rule_id
       WHERE e.kind = 'escalated' ORDER BY 1 $$,
    '3 天提醒负责人,owner,[wu]; 5 天提醒主管,manager,[head]');
SELECT example.expect('a follow-up would have begun it anew',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('c2'), '钉钉/zheng') $$,
    'claimed');
CALL example.until('2030-03-13 09:00+08');
SELECT example.expect('zheng keeps in touch',
    $$ SELECT outcome FROM pool.follow_up(example.id('c2'), 'call',
           member => '钉钉/zheng') $$, 'ok');
CALL example.until('2030-03-15 09:00+08');
SELECT example.expect('and nobody is told of it',
    $$ SELECT count(*) FROM pool.lead_event
       WHERE key = 'c2' AND kind = 'escalated' AND member = 'zheng' $$, '0');

-- Messages -----------------------------------------------------------------

SELECT example.expect('one message per person, kind and pool',
    $$ SELECT member, kind, leads FROM pool.digest('dingtalk', 1000)
       WHERE kind IN ('escalated', 'reclaimed') ORDER BY 1, 2 $$,
    'head,escalated,10; wu,escalated,10; wu,reclaimed,10');
SELECT example.expect('every event, in order, for whoever wants them',
    $$ SELECT count(*) > 50, count(*) = count(DISTINCT event_id)
       FROM pool.poll('dingtalk', 1000) $$, 't,t');
SELECT example.expect('acknowledged',
    $$ SELECT a.outcome FROM (
           SELECT max(position) AS position
           FROM pool.digest('dingtalk', 1000)) p,
           pool.ack('dingtalk', p.position) a $$, 'ok');
SELECT example.expect('nothing is left',
    $$ SELECT count(*) FROM pool.poll('dingtalk', 500) $$, '0');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
