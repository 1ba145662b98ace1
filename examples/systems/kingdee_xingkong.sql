-- 金蝶云星空 CRM: assignment by what the ERP knows, subsidiaries and product
-- lines of one customer in one hand, amounts.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('星空', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name, duplicate_policy)
SELECT t.id, v.name, 'link'
FROM pool.tenant t, (VALUES ('客户池'), ('云产品')) v (name);
INSERT INTO pool.member (tenant_id, key, level, profile)
SELECT t.id, v.key, v.level, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('old', 3, '{"industries": ["制造"]}'),
    ('wise', 4, '{"industries": ["制造", "贸易"]}'),
    ('young', 1, '{"industries": ["制造"]}'),
    ('head', 5, '{}')) v (key, level, profile);
SELECT example.join_pool(p, 'member', 'old', 'wise', 'young'),
    example.join_pool(p, 'manager', 'head')
FROM unnest(ARRAY['客户池', '云产品']) p;
INSERT INTO pool.routing_rule (pool_id, position, name, condition,
    member_condition, min_level, strategy)
SELECT id, 10, '有欠款客户给资深', '$.receivable > 0',
    '$.industries[*] == $industry', 3, 'least_loaded'
FROM pool.pool WHERE name = '客户池';
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    remind_before)
SELECT id, '90 天未成交', 'reclaim', 'ownership', interval '90 days',
    '{7 days}'::interval[]
FROM pool.pool WHERE name = '客户池';

-- What the ERP knows -------------------------------------------------------

SELECT example.expect('a customer without debts enters the pool',
    $$ SELECT outcome, status FROM pool.enter('星空/客户池', 'e1', '机电公司',
           attributes => '{"industry": "制造"}',
           identities => '{"tax_id": "91320500MA1XXXXX11"}') $$,
    'entered,available');
SELECT example.expect('the ERP writes what he owes, by his key',
    $$ SELECT outcome FROM pool.edit(pool.lead_id('e1', '星空'),
           attributes => '{"receivable": 120000}') $$, 'ok');
SELECT example.expect('now he goes to somebody of experience',
    $$ SELECT outcome, rule, member IN ('old', 'wise')
       FROM pool.auto_assign('星空/客户池') $$, 'assigned,有欠款客户给资深,t');
SELECT example.expect('trade only to who knows it',
    $$ SELECT member FROM pool.enter('星空/客户池', 'e2',
           attributes => '{"industry": "贸易", "receivable": 1}') $$, 'wise');

-- One customer, two product lines ------------------------------------------

CREATE TABLE example.owner AS
SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
WHERE l.key = 'e1';
SELECT example.expect('the same company with another product is a lead too',
    $$ SELECT outcome, lead_id <> example.id('e1'), home_pool
       FROM pool.enter('星空/云产品', 'e1-cloud', '机电公司',
           identities => '{"tax_id": "91320500MA1XXXXX11"}') $$,
    'entered,t,云产品');
SELECT example.expect('of the same customer',
    $$ SELECT count(DISTINCT group_id), count(*) FROM pool.lead_state
       WHERE id = ANY (example.ids('e1', 'e1-cloud')) $$, '1,2');
SELECT example.expect('who has one owner: nobody else may claim the other',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('e1-cloud'),
           '星空/young') $$, 'identity_owned');
SELECT example.expect('nor be given it',
    $$ SELECT outcome FROM pool.assign(example.ids('e1-cloud'), '星空/young',
           actor => '星空/head') $$, 'identity_owned');
SELECT example.expect('but the owner may claim it',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('e1-cloud'),
           '星空/' || (SELECT key FROM example.owner)) $$, 'claimed');

-- Amounts and the 90 days --------------------------------------------------

SELECT example.expect('an order of the cloud product',
    $$ SELECT outcome FROM pool.convert(example.id('e1-cloud'), 60000, 'CNY',
           '星空/' || (SELECT key FROM example.owner)) $$, 'converted');
CALL example.until('2030-05-26 10:00+08', '1 day');
SELECT example.expect('seven days before the 90 are over he is warned',
    $$ SELECT count(*) FROM pool.lead_event
       WHERE key = 'e1' AND kind = 'reminded' $$, '1');
CALL example.until('2030-06-02 10:00+08', '1 day');
SELECT example.expect('then the pool has it, and it is given out anew',
    $$ SELECT kind, reason FROM pool.lead_event
       WHERE key = 'e1' AND kind = 'reclaimed' $$, 'reclaimed,90 天未成交');
SELECT example.expect('now the customer is free',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('e1'), '星空/young') $$,
    'claimed');
SELECT example.expect('amounts per pool and day',
    $$ SELECT pool, converted, amount FROM pool.stat_member_daily
       WHERE converted > 0 $$, '云产品,1,60000');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
