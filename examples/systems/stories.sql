-- Three customers: a small software company, a maker of machines, and a house
-- whose best people choose first.
\ir check.sql

INSERT INTO pool.tenant (name, timezone) VALUES ('故事', 'Asia/Shanghai');

-- 科技 SaaS: eight people, three days, five a day ----------------------------

INSERT INTO pool.pool (tenant_id, name, claim_limit)
SELECT id, 'SaaS', 5 FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key)
SELECT t.id, 's' || i FROM pool.tenant t, generate_series(1, 8) i;
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m;
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
SELECT id, '3 天', 'reclaim', 'follow_up', interval '3 days' FROM pool.pool;

INSERT INTO pool.intake (pool, key)
SELECT '故事/SaaS', 'c' || i FROM generate_series(1, 50) i;
SELECT example.expect('eight people claim five each, whatever they ask for',
    $$ SELECT count(*), count(DISTINCT c.lead_id) FROM generate_series(1, 8) i,
           pool.claim('故事/SaaS', '故事/s' || i, 10) c
       WHERE outcome = 'claimed' $$, '40,40');
CALL example.until('2030-03-06 09:00+08');
SELECT example.expect('half of them work',
    $$ SELECT count(*) FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id,
           pool.follow_up(l.id, 'call', member => '故事/' || m.key) f
       WHERE m.key IN ('s1', 's2', 's3', 's4') AND f.outcome = 'ok' $$, '20');
CALL example.until('2030-03-07 09:00+08');
SELECT example.expect('and keep their leads; the others have theirs no longer',
    $$ SELECT available, owned FROM pool.stat_pool WHERE pool = 'SaaS' $$,
    '30,20');
SELECT example.expect('who missed what',
    $$ SELECT member, held, missed FROM pool.stat_member
       WHERE member IN ('s1', 's8') ORDER BY 1 $$, 's1,5,0; s8,0,5');

-- 装备制造: ordinary leads for newcomers, key accounts for seniors -----------

INSERT INTO pool.pool (tenant_id, name) SELECT id, '装备' FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key, level, profile)
SELECT t.id, v.key, v.level, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('lao', 3, '{"regions": ["华东"], "products": ["机床"]}'),
    ('da', 4, '{"regions": ["华北"], "products": ["机床"]}'),
    ('xiao', 1, '{}'), ('xin', 1, '{}')) v (key, level, profile);
SELECT example.join_pool('装备', 'member', 'lao', 'da', 'xiao', 'xin');
INSERT INTO pool.routing_rule (pool_id, position, name, condition,
    member_condition, min_level, strategy)
SELECT p.id, v.position, v.name, v.condition::jsonpath,
    v.member_condition::jsonpath, v.min_level, 'weighted'
FROM pool.pool p, (VALUES
    (10, '核心客户', '$.grade == "A"',
        '$.regions[*] == $region && $.products[*] == $product', 3),
    (20, '普通线索', NULL, '$.level < 3', 0))
    v (position, name, condition, member_condition, min_level)
WHERE p.name = '装备';

SELECT example.expect('a key account goes to the senior of its region',
    $$ SELECT outcome, member, rule FROM pool.enter('故事/装备', 'k1',
           grade => 'A',
           attributes => '{"region": "华东", "product": "机床"}') $$,
    'assigned,lao,核心客户');
SELECT example.expect('one of a region without a senior waits for people',
    $$ SELECT outcome FROM pool.enter('故事/装备', 'k2', grade => 'A',
           attributes => '{"region": "西南", "product": "机床"}') $$,
    'entered');
INSERT INTO pool.intake (pool, key)
SELECT '故事/装备', 'o' || i FROM generate_series(1, 10) i;
SELECT example.expect('ordinary ones go to the newcomers, half and half',
    $$ SELECT m.key, count(*) FROM pool.lead l
       JOIN pool.member m ON m.id = l.owner_id
       WHERE l.key LIKE 'o%' GROUP BY 1 ORDER BY 1 $$, 'xiao,5; xin,5');
-- every week somebody sets the weights anew
UPDATE pool.membership SET weight = 3
WHERE member_id = (SELECT id FROM pool.member WHERE key = 'xiao');
INSERT INTO pool.intake (pool, key)
SELECT '故事/装备', 'p' || i FROM generate_series(1, 20) i;
SELECT example.expect('new weights count from then on',
    $$ SELECT m.key, count(*) FROM pool.lead l
       JOIN pool.member m ON m.id = l.owner_id
       WHERE l.key LIKE 'p%' GROUP BY 1 ORDER BY 1 $$, 'xiao,15; xin,5');

-- 大客户: the best fifth chooses first --------------------------------------

INSERT INTO pool.tenant (name, timezone) VALUES ('集团', 'Asia/Shanghai');
INSERT INTO pool.pool (tenant_id, name)
SELECT id, '大客户' FROM pool.tenant WHERE name = '集团';
INSERT INTO pool.member (tenant_id, key)
SELECT t.id, 'b' || i FROM pool.tenant t, generate_series(1, 5) i
WHERE t.name = '集团';
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p JOIN pool.member m USING (tenant_id)
WHERE p.name = '大客户';
INSERT INTO pool.claim_rule (pool_id, name, member_condition, head_start)
SELECT id, '前 20% 先选', '$.rank <= 0.2', interval '24 hours'
FROM pool.pool WHERE name = '大客户';

-- what they have won of late: b1 more than the others
INSERT INTO pool.intake (pool, key, owner)
SELECT '集团/大客户', 'r' || m || '-' || i, '集团/b' || m
FROM generate_series(1, 5) m, generate_series(1, 10) i;
SELECT example.expect('results',
    $$ SELECT count(*) FROM generate_series(1, 5) m, generate_series(1, 10) i,
           pool.convert(example.id('r' || m || '-' || i), 1, 'CNY',
               '集团/b' || m)
       WHERE i <= CASE m WHEN 1 THEN 9 ELSE 2 END $$, '17');
SELECT example.expect('and what they gave back',
    $$ SELECT count(*) FROM generate_series(1, 5) m, generate_series(1, 10) i,
           pool.release(example.ids('r' || m || '-' || i),
               member => '集团/b' || m)
       WHERE i > CASE m WHEN 1 THEN 9 ELSE 2 END $$, '33');
CALL example.until('2030-03-09 09:00+08');
SELECT example.expect('b1 is the best fifth',
    $$ SELECT m.key FROM pool.member_fact f
       JOIN pool.member m ON m.id = f.member_id
       WHERE f.rank <= 0.2 AND m.key LIKE 'b%' $$, 'b1');
SELECT example.expect('two new leads',
    $$ SELECT count(*) FROM generate_series(1, 2) i,
           pool.enter('集团/大客户', 'new' || i, priority => 90) $$, '2');
SELECT example.expect('in the first day they are for the best',
    $$ SELECT a.outcome, a.retry_at, b.outcome
       FROM pool.claim_leads(example.ids('new1'), '集团/b2') a,
           pool.claim_leads(example.ids('new1'), '集团/b1') b $$,
    'level,2030-03-10 09:00:00+08,claimed');
CALL example.until('2030-03-10 09:00+08');
SELECT example.expect('and then for everybody',
    $$ SELECT outcome FROM pool.claim_leads(example.ids('new2'), '集团/b2') $$,
    'claimed');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
