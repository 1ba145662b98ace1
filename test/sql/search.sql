-- Finding leads.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('company');
INSERT INTO pool.pool (name, parent_id, masked_attributes)
    SELECT 'desk', id, '{name,phone}'::text[] FROM pool.pool;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss'), ('eve');
SELECT t.join_pool('company', 'ann', 'boss'), t.join_pool('desk', 'bob', 'ann');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
INSERT INTO pool.intake (pool, key, name, source, grade, priority, attributes)
VALUES ('company', 'c1', '苏州精密机械有限公司', 'web', 'A', 5,
        '{"industry": "机械", "city": "苏州", "staff": 120, "tags": ["vip", "old"]}'),
    ('company', 'c2', '精工机械厂', 'web', 'B', 0,
        '{"industry": "机械", "city": "无锡", "staff": 80}'),
    ('company', 'c3', 'Acme Precision Ltd', 'fair', NULL, 0,
        '{"industry": "tools", "city": "苏州", "staff": 120.0, "vip": true}'),
    ('company', 'c4', 'ＡＣＭＥ　二号', 'fair', 'A', 0, '{}'),
    ('company', 'c5', NULL, NULL, NULL, 0, '{"nested": {"city": "苏州"}}'),
    ('desk', 'd1', '精密 secret', 'web', 'A', 0,
        '{"phone": "13800138000", "city": "苏州"}');
CREATE FUNCTION t.found(pool text, match jsonb DEFAULT NULL,
    query text DEFAULT NULL, scope text DEFAULT 'open', actor text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(coalesce(key, '?' || lead_id), ' ')
    FROM pool.search($1, $2, $3, 50, NULL, $4, $5)
$$;

SELECT * FROM pool.search('company', '{"city": "苏州"}', '精密') \gx

-- words: parts of the name or the key
SELECT t.found('company', NULL, '精密'), t.found('company', NULL, '精'),
    t.found('company', NULL, '密精'), t.found('company', NULL, '机械 精'),
    t.found('company', NULL, 'acme'), t.found('company', NULL, 'ACME pre'),
    t.found('company', NULL, 'c'), t.found('company', NULL, 'C3'),
    t.found('company', NULL, 'ｃ３'), t.found('company', NULL, '二'),
    t.found('company', NULL, 'precision acme');
-- fields: values, any of several, ranges, elements of lists, built-in ones
SELECT t.found('company', '{"industry": "机械"}'),
    t.found('company', '{"industry": "机械", "city": "无锡"}'),
    t.found('company', '{"city": ["无锡", "苏州"]}'),
    t.found('company', '{"staff": 120}'),
    t.found('company', '{"staff": {"from": 100}}'),
    t.found('company', '{"staff": {"from": 80, "to": 100}}'),
    t.found('company', '{"tags": "vip"}'), t.found('company', '{"vip": true}'),
    t.found('company', '{"source": "fair"}'),
    t.found('company', '{"grade": ["A", "B"]}'),
    t.found('company', '{"grade": null}'),
    t.found('company', '{"priority": {"from": 1}}'),
    t.found('company', '{"key": "c2"}'), t.found('company', '{"claims": 0}');
SELECT t.found('company', '{"industry": "机械", "staff": {"from": 100}}', '苏州'),
    t.found('company', '{"city": "北京"}', '精密'), t.found('company', '{}');
-- page by page
SELECT string_agg(key, ' ' ORDER BY lead_id), max(lead_id) AS last
    FROM pool.search('company', n => 2) \gset page_
SELECT :'page_string_agg' AS page;
SELECT string_agg(key, ' ') FROM pool.search('company', n => 2,
    after_id => :page_last);

-- what is masked is not searched
SELECT key, name, attributes FROM pool.search('desk');
SELECT t.found('desk', '{"city": "苏州"}'),
    t.found('desk', '{"phone": "13800138000"}'),
    t.found('desk', '{"phone": null}'), t.found('desk', NULL, '精密'),
    t.found('desk', NULL, 'd1');

-- what changes is found by what it is now
SELECT pool.edit(t.id('c2'), name => '新名字', attributes => '{"city": "常州"}');
SELECT t.found('company', '{"city": "无锡"}'), t.found('company', '{"city": "常州"}'),
    t.found('company', NULL, '精工'), t.found('company', NULL, '新名');
SELECT outcome FROM pool.claim_leads(t.ids('c1', 'd1'), 'ann');
SELECT t.found('company', NULL, '精密'),
    t.found('company', NULL, '精密', 'mine', 'ann') AS mine,
    t.found(NULL, NULL, '精密', 'mine', 'ann') AS everywhere,
    t.found(NULL, '{"phone": "13800138000"}', NULL, 'mine', 'ann') AS own,
    t.found(NULL, NULL, NULL, 'mine', 'bob') AS none,
    t.found('company', NULL, '精密', 'team', 'boss') AS team,
    t.found('company', '{"phone": "13800138000"}', NULL, 'team', 'boss') AS phone;
SELECT key, member FROM pool.search('company', scope => 'team', actor => 'boss');
-- nothing of the erased
SELECT outcome FROM pool.erase(t.ids('c4'), 'request');
SELECT t.found('company', NULL, '二号');

\set VERBOSITY sqlstate
SELECT t.found('desk', NULL, NULL, 'open', 'eve');
SELECT t.found('desk', NULL, NULL, 'team', 'bob');
SELECT t.found('company', NULL, NULL, 'all');
SELECT t.found(NULL);
SELECT t.found('nowhere');
SELECT t.found('company', '[]');
SELECT t.found('company', '{"a": {"b": 1}}');
SELECT t.found('company', NULL, repeat('x ', 11));
SELECT t.found('company', NULL, repeat('x', 201));
SELECT count(*) FROM pool.search('company', n => 0);
SELECT count(*) FROM pool.search('company', n => 10001);
\set VERBOSITY default

-- by the index: 20,000 leads, few buffers
INSERT INTO pool.intake (pool, key, name, attributes)
SELECT 'company', 'n' || i, 'name ' || i || CASE WHEN i % 4000 = 0
        THEN ' 龙虎' ELSE ' 凤' END,
    jsonb_build_object('industry', i % 7, 'city', i % 11, 'size', i % 3)
FROM generate_series(1, 20000) i;
VACUUM ANALYZE pool.lead_data, pool.lead_state;
CREATE FUNCTION t.buffers(command text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || command INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
        + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
SELECT string_agg(key, ' ') FROM pool.search('company', '{"size": 1}', '龙虎');
SELECT t.buffers($$SELECT * FROM pool.search('company',
    '{"industry": 3, "city": 7, "size": 1}', '龙虎')$$) < 500 AS few;
-- nobody's own leads
SELECT state, message FROM t.error($$SELECT pool.search(NULL, scope => 'mine')$$);
SELECT * FROM pool.verify();
