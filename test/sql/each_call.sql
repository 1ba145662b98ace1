-- Each kind of call once or twice, with rules of each kind: a short course for
-- servers that were built to find faults, or are told to (valgrind,
-- CATCACHE_FORCE_RELEASE, debug_discard_caches), on which other tests take
-- hours.  What the calls are to do, those say.
SET timezone = 'UTC';
SET pool_ext.clock = '2030-01-07 09:00+00';

-- Configuration
INSERT INTO pool.pool
    (name, everyone, hold_limit, claim_limit, duplicate_policy, route_returned)
VALUES ('p', true, 50, 40, 'reject', true),
    ('q', true, NULL, NULL, 'link', false),
    ('r', true, NULL, NULL, 'touch', false);
UPDATE pool.pool SET masked_attributes = '{phone}',
    parent_id = (SELECT id FROM pool.pool WHERE name = 'q')
WHERE name = 'p';
INSERT INTO pool.member (key, hold_limit, profile)
VALUES ('ann', 60, '{"regions": ["east"]}'),
    ('bob', NULL, '{"regions": ["west", "east"]}'),
    ('cat', NULL, '{}'), ('boss', NULL, '{}');
INSERT INTO pool.membership (pool_id, member_id, role, weight)
SELECT p.id, m.id, CASE m.key WHEN 'boss' THEN 'manager' ELSE 'member' END,
    1 + m.id
FROM pool.pool p, pool.member m;
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'silence', 'follow_up', '3 days', '{1 day}' FROM pool.pool
WHERE name IN ('p', 'q');
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
SELECT id, 'old', 'move', 'entry', '10 days' FROM pool.pool WHERE name = 'p';
INSERT INTO pool.entry_rule (pool_id, name, condition, "then")
SELECT id, 'seven', '$.n == 7', 'reject' FROM pool.pool WHERE name = 'p';
INSERT INTO pool.score_rule (pool_id, name, condition, points)
SELECT id, 'even', '$.n % 2 == 0', 20 FROM pool.pool;
INSERT INTO pool.claim_rule (pool_id, name, condition, member_condition)
SELECT id, 'east', '$.region == "east"', '$.regions[*] == $region'
FROM pool.pool WHERE name = 'p';
INSERT INTO pool.routing_rule
    (pool_id, position, name, strategy, condition, member_condition)
SELECT id, 1, 'regions', 'weighted', '$.region == "west"',
    '$.regions[*] == $region'
FROM pool.pool WHERE name = 'r';
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT id, 2, 'turns', 'round_robin' FROM pool.pool WHERE name = 'r';
INSERT INTO pool.approval_rule (pool_id, name, action, condition, step)
SELECT id, 'big', 'release', '$.priority > 21', 1 FROM pool.pool
WHERE name = 'q';

-- Entry
SELECT outcome, member, status
FROM pool.enter('p', 'k1', 'One', 'web', 'A', 5,
    '{"n": 1, "region": "east", "phone": "13800138000"}',
    '{"phone": "13800138000"}');
SELECT outcome, member, status
FROM pool.enter('p', 'k2', identities => '{"phone": "13800138000"}');
SELECT outcome, member, status
FROM pool.enter('r', 'k3', attributes => '{"region": "west"}',
    request_id => '00000000-0000-0000-0000-000000000001');
SELECT outcome, member, status
FROM pool.enter('r', 'k3', attributes => '{"region": "west"}',
    request_id => '00000000-0000-0000-0000-000000000001');
UPDATE pool.routing_rule SET enabled = false WHERE name = 'turns';
INSERT INTO pool.intake (pool, key, attributes, identities, priority)
SELECT CASE i % 3 WHEN 0 THEN 'p' WHEN 1 THEN 'q' ELSE 'r' END, 'b' || i,
    jsonb_build_object('n', i % 10,
        'region', CASE WHEN i % 2 = 0 THEN 'east' ELSE 'west' END),
    jsonb_build_object('phone', '139' || lpad((i - (i % 13 = 0)::int)::text, 8, '0'),
        'wechat', 'wx_customer_' || i),
    i % 3
FROM generate_series(1, 60) i;
SELECT outcome, count(*) FROM pool.intake_check() GROUP BY 1 ORDER BY 1;
SET pool_ext.intake_mode = 'check';
INSERT INTO pool.intake (pool, key) VALUES ('p', 'c1'), ('q', 'b1');
SELECT outcome, count(*) FROM pool.intake_check() GROUP BY 1 ORDER BY 1;
RESET pool_ext.intake_mode;
UPDATE pool.routing_rule SET enabled = true;

-- To members and back
SELECT outcome, key FROM pool.claim('p', 'ann', 2);
SELECT outcome, key FROM pool.claim('p', 'bob', 2, '{"region": "east"}');
SELECT outcome, key FROM pool.claim('q', 'ann', 4);
SELECT outcome, key
FROM pool.claim_leads(ARRAY[pool.lead_id('b16'), 99], 'ann');
SELECT test, passed FROM pool.explain_claim(pool.lead_id('b19'), 'cat');
SELECT outcome, key
FROM pool.assign(ARRAY[pool.lead_id('b25')], 'cat', actor => 'boss');
SELECT outcome, key, member FROM pool.auto_assign('r', 5);
SELECT * FROM pool.explain_assign(pool.lead_id('b56'));
SELECT outcome
FROM pool.transfer(ARRAY[pool.lead_id('b25')], 'bob', actor => 'boss');
SELECT outcome FROM pool.follow_up((SELECT min(id) FROM pool.lead
    WHERE owner_id = 1), 'call', note => 'x', member => 'ann');
SELECT outcome FROM pool.release((SELECT array_agg(id ORDER BY id)
    FROM pool.lead WHERE owner_id = 1 AND pool_id = 2), member => 'ann');

-- Requests
SELECT outcome FROM pool.request_extension((SELECT min(id) FROM pool.lead
    WHERE owner_id = 1), '2 days', member => 'ann');
SELECT outcome FROM pool.approve((SELECT min(id) FROM pool.approval
    WHERE status = 'open'), actor => 'boss');
SELECT outcome FROM pool.request_transfer((SELECT max(id) FROM pool.lead
    WHERE owner_id = 1), 'cat', member => 'ann');
SELECT outcome FROM pool.reject((SELECT min(id) FROM pool.approval
    WHERE status = 'open'), 'no', actor => 'boss');

-- Kept for somebody, and from others
SELECT outcome FROM pool.reserve(ARRAY[pool.lead_id('b28')], member => 'ann');
SELECT outcome FROM pool.unreserve(ARRAY[pool.lead_id('b28')], member => 'ann');
SELECT outcome FROM pool.reserve(ARRAY[pool.lead_id('b31')], member => 'ann');
SELECT outcome
FROM pool.hide(ARRAY[pool.lead_id('b34')], '2030-02-01', actor => 'boss');
SELECT outcome FROM pool.protect(ARRAY(SELECT id FROM pool.lead
    WHERE owner_id = 2 ORDER BY id LIMIT 1), '2030-01-09', member => 'boss');
SELECT outcome FROM pool.add_collaborator((SELECT min(id) FROM pool.lead
    WHERE owner_id = 2), 'cat', actor => 'boss');

-- Changes and ends
SELECT outcome FROM pool.edit(pool.lead_id('b37'), 'New', priority => 30,
    attributes => '{"x": [1, {"a": 2}]}', identities => '{"wechat": "wx_new_1"}');
SELECT outcome FROM pool.convert((SELECT max(id) FROM pool.lead
    WHERE owner_id = 2), 10.5, 'CNY', member => 'bob');
SELECT outcome
FROM pool.archive(ARRAY[pool.lead_id('b40')], 'lost', actor => 'boss');
SELECT outcome FROM pool.reopen(ARRAY[pool.lead_id('b40')], actor => 'boss');
SELECT outcome FROM pool.move(ARRAY[pool.lead_id('b40')], 'p', actor => 'boss');
SELECT outcome FROM pool.merge(pool.lead_id('b43'), pool.lead_id('b46'));
SELECT outcome FROM pool.erase(ARRAY[pool.lead_id('b49')], 'asked');
SELECT key FROM pool.search('p', '{"region": "east"}', NULL, 3);
SELECT count(*) FROM pool.lookup('{"phone": "13800138000"}');

-- Time
SELECT outcome FROM pool.set_away('cat', '2030-01-08');
SELECT outcome, key FROM pool.claim('q', 'cat');
SET pool_ext.clock = '2030-01-09 12:00+00';
SELECT task, done FROM pool.tick();
SELECT outcome FROM pool.set_active('cat');
SET pool_ext.clock = '2030-01-12 12:00+00';
SELECT task, done FROM pool.tick(3);
SELECT task, done FROM pool.tick();
SET pool_ext.clock = '2030-01-20 12:00+00';
SELECT task, done FROM pool.tick();
SELECT count(*) FROM pool.plan_reclaim('q');
SELECT outcome FROM pool.offboard('bob', 'ann');
SELECT task, done FROM pool.tick();

-- A table of the application
CREATE TABLE public.customer (no int PRIMARY KEY, title text, sales_id text);
INSERT INTO public.customer
SELECT i, 'c' || i, CASE i % 4 WHEN 0 THEN 'ann' WHEN 1 THEN 'cat' END
FROM generate_series(1, 12) i;
SELECT * FROM pool.attach('public.customer', 'q', 'no', 'sales_id');
SELECT outcome, key FROM pool.claim_leads(
    ARRAY[pool.lead_id('2'), pool.lead_id('3')], 'cat');
UPDATE public.customer SET sales_id = 'ann' WHERE no = 6;
UPDATE public.customer SET sales_id = NULL WHERE no = 4;
INSERT INTO public.customer VALUES (20, 'new', NULL);
SELECT no, sales_id FROM public.customer ORDER BY no;
ALTER TABLE public.customer ADD COLUMN more text DEFAULT 'x';
SET pool_ext.clock = '2030-01-25 12:00+00';
SELECT task, done FROM pool.tick();
SELECT no, sales_id FROM public.customer ORDER BY no;
SELECT * FROM pool.detach('public.customer');

-- For the outside; savepoints and levels
SELECT count(*) FROM pool.digest('bi');
SELECT count(*) FROM pool.poll('bi', 1000);
BEGIN;
SELECT outcome, key FROM pool.claim('q', 'ann', 2);
SAVEPOINT s;
SELECT outcome, key FROM pool.claim('q', 'ann', 2);
ROLLBACK TO s;
SELECT outcome, key FROM pool.claim('q', 'cat', 2);
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT outcome, key FROM pool.claim('q', 'ann', 2);
SELECT outcome, member FROM pool.enter('r', 'rr1');
COMMIT;
SELECT * FROM pool.check_rules('p');
SELECT kind, count(*) FROM pool.event GROUP BY 1 ORDER BY 1;
SELECT pool, available, owned, converted FROM pool.stat_pool ORDER BY 1;
SELECT pool, member, held, claimed FROM pool.stat_member ORDER BY 1, 2;
SELECT * FROM pool.verify();
