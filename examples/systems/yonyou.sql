-- 用友 CRM: a group with divisions, leads handed down by region, approval of
-- large customers, assignment across departments, receipts.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('用友', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name) SELECT id, '集团' FROM pool.tenant;
INSERT INTO pool.pool (tenant_id, name, parent_id, hold_limit,
    masked_attributes)
SELECT p.tenant_id, v.name, p.id, 100, '{phone,credit_line}'
FROM pool.pool p, (VALUES ('北方事业部'), ('南方事业部')) v (name)
WHERE p.name = '集团';

INSERT INTO pool.member (tenant_id, key, level)
SELECT t.id, v.key, v.level
FROM pool.tenant t, (VALUES ('bei', 1), ('nan', 1), ('guang', 1),
    ('nan_head', 2), ('group_head', 5)) v (key, level);
SELECT example.join_pool('北方事业部', 'member', 'bei'),
    example.join_pool('南方事业部', 'member', 'nan', 'guang'),
    example.join_pool('南方事业部', 'manager', 'nan_head'),
    example.join_pool('集团', 'manager', 'group_head');

INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
SELECT id, '大客户领取需审批', '$.size == "large"', true
FROM pool.pool WHERE name LIKE '%方事业部';

-- the division's head, and for large amounts the group's as well
INSERT INTO pool.approval_rule (pool_id, name, action, condition, step,
    min_level, expires_after)
SELECT p.id, v.*
FROM pool.pool p, (VALUES
    ('一级', 'claim', '$.size == "large"'::jsonpath, 1, 2,
        interval '3 days'),
    ('二级', 'claim', '$.credit_line >= 1000000', 2, 5, '3 days'),
    ('退回需同意', 'release', '$.size == "large"', 1, 2, '3 days')) v
WHERE p.name = '南方事业部';

INSERT INTO pool.routing_rule (pool_id, position, name, condition, strategy,
    to_pool_id)
SELECT p.id, 10, '按区域下发', '$.region == "南方"', 'hand_over', s.id
FROM pool.pool p, pool.pool s
WHERE p.name = '集团' AND s.name = '南方事业部';

-- Flow between the pools ---------------------------------------------------

SELECT example.expect('a lead of the south goes to the south',
    $$ SELECT outcome, home_pool, rule FROM pool.enter('用友/集团', 's1',
           attributes => '{"region": "南方", "size": "small"}') $$,
    'entered,南方事业部,按区域下发');
SELECT example.expect('others stay with the group',
    $$ SELECT outcome, home_pool FROM pool.enter('用友/集团', 'x1',
           attributes => '{"region": "西部"}') $$, 'entered,集团');

-- Approval -----------------------------------------------------------------

SELECT example.expect('large customers enter',
    $$ SELECT string_agg(home_pool, ' ') FROM (VALUES
           ('l1', '{"region": "南方", "size": "large", "credit_line": 500000}'),
           ('l2', '{"region": "南方", "size": "large", "credit_line": 2000000}'))
           v (key, attributes),
           pool.enter('用友/集团', v.key, attributes => v.attributes::jsonb) $$,
    '南方事业部 南方事业部');
SELECT example.expect('a small one is claimed, a large one needs approval',
    $$ SELECT key, outcome
       FROM pool.claim_leads(example.ids('s1', 'l1', 'l2'), '用友/nan') $$,
    's1,claimed; l1,approval; l2,approval');
SELECT example.expect('the member asks',
    $$ SELECT r.outcome, r.expires_at FROM unnest(example.ids('l1', 'l2')) l,
           pool.request_claim(l, '已有关系', '用友/nan') r $$,
    'requested,2030-03-07 09:00:00+08; requested,2030-03-07 09:00:00+08');
SELECT example.expect('meanwhile it is kept for him',
    $$ SELECT outcome FROM pool.request_claim(example.id('l1'), NULL,
           '用友/guang') $$, 'hidden');
BEGIN;
SELECT pool.act_as('用友/nan_head');
SELECT example.expect('the head of the division sees both',
    $$ SELECT key, action, applicant, step FROM pool.approval_open
       ORDER BY key $$, 'l1,claim,nan,1; l2,claim,nan,1');
SELECT example.expect('and grants them',
    $$ SELECT o.key, a.outcome, a.step FROM (SELECT * FROM pool.approval_open
           ORDER BY key) o, pool.approve(o.id, '同意') a $$,
    'l1,approved,; l2,next_step,2');
COMMIT;
BEGIN;
SELECT pool.act_as('用友/group_head');
SELECT example.expect('the large amount needs the head of the group',
    $$ SELECT o.key, a.outcome FROM pool.approval_open o,
           pool.approve(o.id) a $$, 'l2,approved');
COMMIT;
SELECT example.expect('both are his now',
    $$ SELECT l.key, m.key FROM pool.lead l
       JOIN pool.member m ON m.id = l.owner_id
       WHERE l.key IN ('l1', 'l2') ORDER BY 1 $$, 'l1,nan; l2,nan');
SELECT example.expect('a large customer is not simply given back',
    $$ SELECT outcome FROM pool.release(example.ids('l1'),
           member => '用友/nan') $$, 'blocked');

-- Across departments -------------------------------------------------------

SELECT example.expect('the head of a division gives leads to others of it',
    $$ SELECT outcome FROM pool.transfer(example.ids('s1'), '用友/guang',
           actor => '用友/nan_head') $$, 'transferred');
SELECT example.expect('the head of the group can',
    $$ SELECT outcome FROM pool.transfer(example.ids('s1'), '用友/bei',
           '用友/北方事业部', '客户迁址', '用友/group_head') $$, 'transferred');
SELECT example.expect('it has a new home, and the log says all',
    $$ SELECT kind, pool, member, actor, reason FROM pool.lead_event
       WHERE key = 's1' ORDER BY event_id DESC LIMIT 1 $$,
    'transferred,北方事业部,bei,group_head,客户迁址');

-- Receipts -----------------------------------------------------------------

SELECT example.expect('a receipt of the finance system, by its customer key',
    $$ SELECT outcome FROM pool.convert(pool.lead_id('l2', '用友'), 800000,
           'CNY', '用友/nan') $$, 'converted');
SELECT example.expect('for the next order the customer comes back',
    $$ SELECT outcome FROM pool.reopen(example.ids('l2'),
           actor => '用友/nan_head') $$, 'reopened');
SELECT example.expect('to whom he knows',
    $$ SELECT outcome FROM pool.assign(example.ids('l2'), '用友/nan',
           actor => '用友/nan_head') $$, 'assigned');
SELECT example.expect('and pays again',
    $$ SELECT outcome FROM pool.convert(example.id('l2'), 200000, 'CNY',
           '用友/nan') $$, 'converted');
SELECT example.expect('all amounts count',
    $$ SELECT member, converted, amount FROM pool.stat_member_daily
       WHERE converted > 0 $$, 'nan,2,1000000');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
