-- Who may claim which leads: levels, conditions on members, head starts; and
-- claims of what matches.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+08';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'Asia/Shanghai');
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key, level, profile) VALUES
    ('ann', 1, '{"regions": ["north"]}'), ('bob', 3, '{"regions": ["south"]}'),
    ('boss', 0, '{}');
SELECT t.join_pool('p', 'ann', 'bob'), t.join_pool('q', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE m.key = 'boss';
CREATE FUNCTION t.rule(pool_name text, rule text, condition jsonpath,
    min_level integer DEFAULT 0, member_condition jsonpath DEFAULT NULL,
    head_start interval DEFAULT NULL) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pool.claim_rule (pool_id, name, condition, min_level,
        member_condition, head_start)
    SELECT id, rule, $3, $4, $5, $6 FROM pool.pool WHERE name = pool_name
$$;
CREATE FUNCTION t.explain(lead text, member text)
RETURNS TABLE (test text, passed boolean, detail text, retry_at timestamptz)
LANGUAGE sql AS $$ SELECT * FROM pool.explain_claim(t.id(lead), member) $$;
INSERT INTO pool.intake (pool, key, grade, priority, attributes) VALUES
    ('p', 'a1', 'A', 90, '{"region": "south"}'), ('p', 'a2', 'A', 80, '{"region": "north"}'),
    ('p', 'b1', 'B', 10, '{"region": "north"}'), ('p', 'x1', NULL, 5, '{"region": "south"}');

-- a level: of the membership, else of the member; managers are not exempt
SELECT t.rule('p', 'A needs 3', '$.grade == "A"', 3);
SELECT outcome, key FROM pool.claim('p', 'ann');
SELECT outcome, key, retry_at, limit_value, used
    FROM pool.claim_leads(t.ids('a1', 'a2', 'x1'), 'ann');
SELECT outcome, lead_id FROM pool.claim('p', 'ann');
SELECT outcome, lead_id FROM pool.claim('p', 'boss');
SELECT * FROM t.explain('a1', 'ann');
SELECT count(*), bool_and(passed) FROM t.explain('a1', 'bob');
UPDATE pool.membership SET level = 2 WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'p') AND member_id =
    (SELECT id FROM pool.member WHERE key = 'bob');
SELECT outcome FROM pool.claim('p', 'bob');
UPDATE pool.membership SET level = 5 WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'p') AND member_id =
    (SELECT id FROM pool.member WHERE key = 'ann');
SELECT outcome, key FROM pool.claim('p', 'ann');
SELECT outcome FROM pool.release(t.ids('a1'), member => 'ann');
-- a manager's assign is no claim
SELECT outcome FROM pool.assign(t.ids('a2'), 'bob', actor => 'boss');
SELECT outcome FROM pool.release(t.ids('a2'), member => 'bob');
UPDATE pool.membership SET level = NULL;
-- what he holds is his, whatever the rules become
SELECT outcome FROM pool.follow_up(t.id('b1'), member => 'ann');
-- a rule switched off is none; in force again at once
UPDATE pool.claim_rule SET enabled = false;
SELECT outcome FROM pool.claim_leads(t.ids('a1'), 'ann');
SELECT outcome FROM pool.release(t.ids('a1'), member => 'ann');
UPDATE pool.claim_rule SET enabled = true;
SELECT outcome FROM pool.claim_leads(t.ids('a1'), 'ann');

-- every rule whose condition matches must be satisfied
SELECT t.rule('p', 'own region', NULL, 0, '$.regions[*] == $region');
SELECT outcome, key FROM pool.claim_leads(t.ids('a1', 'a2'), 'bob');
SELECT test, detail FROM t.explain('a2', 'bob') WHERE NOT passed;
SELECT outcome FROM pool.release(t.ids('a1'), member => 'bob');
-- a lead without the field: nobody is admitted
SELECT outcome FROM pool.enter('p', 'nowhere', grade => 'B', priority => 100);
SELECT outcome, key FROM pool.claim('p', 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('nowhere'), 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('nowhere'), 'ann');
-- an edit counts at once
SELECT outcome FROM pool.edit(t.id('nowhere'), attributes => '{"region": "south"}');
SELECT outcome, key FROM pool.claim('p', 'bob');

-- the member's document: what he holds is counted within a call
DELETE FROM pool.claim_rule;
SELECT t.rule('q', 'three at most', '$.grade == "A"', 0, '$.held < 3');
SELECT t.fill('q', 'f', 5, 20);
INSERT INTO pool.intake (pool, key, grade, priority)
    SELECT 'q', 'g' || i, 'A', 50 FROM generate_series(1, 5) i;
SELECT outcome, key FROM pool.claim('q', 'ann', 5);
SELECT outcome, count(*) FROM pool.claim_leads(t.ids('g1', 'g2', 'g4', 'g5'), 'bob')
    GROUP BY 1 ORDER BY 1;

-- who has joined of late
DELETE FROM pool.claim_rule;
SELECT t.rule('q', 'not for newcomers', '$.grade == "A"', 0, '$.joined_days >= 30');
SELECT outcome FROM pool.enter('q', 'valuable', grade => 'A');
UPDATE pool.member SET joined_at = CASE key WHEN 'ann'
    THEN '2026-01-31 09:00:01+08'::timestamptz ELSE '2026-01-31 09:00+08' END;
SELECT outcome FROM pool.claim_leads(t.ids('valuable'), 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('valuable'), 'bob');

-- what cannot be evaluated bars, be it the condition or the member's
DELETE FROM pool.claim_rule;
SELECT t.rule('q', 'broken', '$.size > 10');
SELECT outcome FROM pool.enter('q', 'large', priority => 99, attributes => '{"size": 11}');
SELECT outcome FROM pool.enter('q', 'text', priority => 98, attributes => '{"size": "11"}');
SELECT outcome FROM pool.claim_leads(t.ids('large', 'text'), 'ann');
SELECT test, detail FROM t.explain('text', 'ann') WHERE NOT passed;
DELETE FROM pool.claim_rule;
SELECT t.rule('q', 'error', '$.size == "11"', 0, '$.name > 5');
SELECT outcome FROM pool.claim_leads(t.ids('text', 'f3'), 'ann');

-- a head start: the rule binds until so long after the entry
DELETE FROM pool.claim_rule;
SELECT t.rule('q', 'best first', NULL, 3, NULL, '24 hours');
SELECT outcome FROM pool.enter('q', 'new');
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('new'), 'ann');
SELECT test, detail, retry_at FROM t.explain('new', 'ann') WHERE NOT passed;
-- a rule that binds for good has no end
SELECT t.rule('q', 'never', '$.key == "new"', 9);
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('new'), 'ann');
SELECT test, detail, retry_at FROM t.explain('new', 'ann') WHERE NOT passed;
DELETE FROM pool.claim_rule WHERE name = 'never';
SET pool_ext.clock = '2026-03-03 08:59:59+08';
SELECT outcome FROM pool.claim_leads(t.ids('new'), 'ann');
SET pool_ext.clock = '2026-03-03 09:00+08';
SELECT outcome FROM pool.claim_leads(t.ids('new'), 'ann');
-- of several that bind the one that does so longest is named
SELECT t.rule('q', 'two days', NULL, 9, NULL, '2 days'),
    t.rule('q', 'a day', NULL, 9, NULL, '1 day');
SELECT test, detail, retry_at FROM t.explain('new', 'ann') WHERE NOT passed;
DELETE FROM pool.claim_rule WHERE name LIKE '% day%';
-- it begins anew with each entry
SELECT outcome FROM pool.release(t.ids('new'), member => 'ann');
SELECT outcome, retry_at FROM pool.claim_leads(t.ids('new'), 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('new'), 'bob');
DELETE FROM pool.claim_rule;
SELECT * FROM t.error($$INSERT INTO pool.claim_rule (pool_id, name, condition)
    SELECT id, 'no', '$.grade' FROM pool.pool WHERE name = 'q'$$);
-- nor what core refuses to evaluate: it would fail claims, not bar them
SELECT * FROM t.error($e$INSERT INTO pool.claim_rule (pool_id, name, member_condition)
    SELECT id, 'no', '$.a.datetime("YYYY-MM") < $.b.datetime("YYYY$\"MM")'
    FROM pool.pool WHERE name = 'q'$e$);
INSERT INTO pool.claim_rule (pool_id, name, condition)
    SELECT id, 'dated', '$.a.datetime("YYYY-MM") < "2030-01-01".datetime() || $.a == ".datetime(\"$"'
    FROM pool.pool WHERE name = 'q';
DELETE FROM pool.claim_rule;
SELECT (t.error($$INSERT INTO pool.claim_rule (pool_id, name, head_start)
    SELECT id, 'no', '0' FROM pool.pool WHERE name = 'q'$$)).state;

-- match: the best of those that fit
INSERT INTO pool.pool (name, everyone) VALUES ('m', true);
INSERT INTO pool.intake (pool, key, source, priority, attributes) VALUES
    ('m', 'm1', 'web', 50, '{"city": "suzhou", "size": 20, "tags": ["x", "y"], "day": "2026-03-01"}'),
    ('m', 'm2', 'fair', 40, '{"city": "wuxi", "size": 200, "tags": [], "key": "m9"}'),
    ('m', 'm3', 'web', 30, '{"city": "suzhou", "size": 20.0, "hot": true}'),
    ('m', 'm4', NULL, 20, '{"size": "20", "hot": null}');
CREATE FUNCTION t.matching(match jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    BEGIN
        SELECT string_agg(coalesce(key, outcome), ' ') INTO said
            FROM pool.claim('m', 'ann', 9, match);
        RAISE 'undo';
    EXCEPTION WHEN raise_exception THEN
        RETURN said;
    END;
END $$;
SELECT m, t.matching(m::jsonb) FROM unnest(ARRAY['{}', '{"city": "suzhou"}',
    '{"city": ["wuxi", "suzhou"]}', '{"city": "suzhou", "source": "web", "hot": true}',
    '{"size": 20}', '{"size": {"from": 20}}', '{"size": {"to": 20}}',
    '{"size": {"from": 21, "to": 200}}', '{"size": {"from": 30, "to": 10}}', '{"size": "20"}',
    '{"day": {"from": "2026-02-01", "to": "2026-03-01"}}', '{"day": {"from": "2026-03-02"}}',
    '{"size": {"from": null, "to": 100}}', '{"tags": "y"}', '{"tags": ["q", "x"]}',
    '{"hot": null}', '{"source": null}', '{"source": [null, "fair"]}', '{"key": "m9"}',
    '{"key": "m2"}', '{"priority": {"from": 25, "to": 45}}', '{"city": "SUZHOU"}',
    '{"claims": 0, "name": null}', '{"nothing": 1}']) m;
-- bad shapes
SELECT m, (e).state, (e).detail FROM (SELECT m, t.error(format(
    'SELECT pool.claim(''m'', ''ann'', match => %L)', m)) e
    FROM unnest(ARRAY['[]', '"x"', '1', 'null', '{"a": []}', '{"a": {}}', '{"a": {"from": null}}',
    '{"a": {"form": 1}}', '{"a": {"from": 1, "to": "2"}}', '{"a": {"from": true}}',
    '{"a": [[1]]}', '{"a": [{"b": 1}]}', '{"a": {"from": [1]}}']) m) x;
-- best first, and nothing is lost for who asks for less
SELECT outcome, key FROM pool.claim('m', 'ann', match => '{"source": "web"}');
SELECT outcome, key FROM pool.claim('m', 'ann', match => '{"city": "suzhou"}');
SELECT outcome, key FROM pool.claim('m', 'ann', match => '{"city": "suzhou"}');
-- barred and matching is none_allowed, barred and not matching is empty
SELECT t.rule('m', 'fairs', '$.source == "fair"', 9);
SELECT outcome FROM pool.claim('m', 'ann', match => '{"source": "fair"}');
SELECT outcome FROM pool.claim('m', 'ann', match => '{"source": "web"}');
-- nothing is found out by what the pool masks, least of all of leads that are barred
INSERT INTO pool.pool (name, masked_attributes) VALUES ('masked', '{phone,grade}');
SELECT t.join_pool('masked', 'ann', 'bob');
INSERT INTO pool.intake (pool, key, grade, attributes)
    VALUES ('masked', 'mk', 'A', '{"phone": "138", "city": "suzhou"}');
SELECT outcome FROM pool.reserve(t.ids('mk'), member => 'bob');
SELECT m, outcome FROM unnest(ARRAY['{"phone": "138"}', '{"phone": {"from": "0"}}', '{"grade": "A"}',
    '{"city": "suzhou"}']::jsonb[]) m, pool.claim('masked', 'ann', match => m);
SELECT outcome, key FROM pool.claim('masked', 'bob', match => '{"phone": "138"}');
SELECT outcome, key FROM pool.claim('masked', 'bob', match => '{"city": "suzhou", "phone": null}');
SELECT outcome, key FROM pool.claim('m', 'bob', 3);
SELECT * FROM pool.verify();

-- a rule that cannot be evaluated bars, and is told of once in a statement
INSERT INTO pool.pool (name) VALUES ('failing');
SELECT t.join_pool('failing', 'ann');
INSERT INTO pool.intake (pool, key, attributes) SELECT 'failing', 'fail' || i,
    '{"size": "many"}' FROM generate_series(1, 3) i;
SELECT t.rule('failing', 'large', '$.size > 100', 9);
SELECT outcome FROM pool.claim('failing', 'ann', 3);
SELECT outcome FROM pool.claim_leads(t.ids('fail1', 'fail2'), 'ann');
SELECT test, detail FROM pool.explain_claim(t.id('fail1'), 'ann') WHERE NOT passed;
UPDATE pool.claim_rule SET condition = NULL, min_level = 0,
    member_condition = '$.level > $size' WHERE name = 'large';
SELECT outcome FROM pool.claim('failing', 'ann', 3);
DELETE FROM pool.claim_rule WHERE name = 'large';
INSERT INTO pool.approval_rule (pool_id, name, action, condition)
    SELECT id, 'large', 'claim', '$.size > 100' FROM pool.pool
    WHERE name = 'failing';
SELECT outcome FROM pool.claim('failing', 'ann', 3);
UPDATE pool.approval_rule SET action = 'release' WHERE name = 'large';
SELECT outcome FROM pool.claim('failing', 'ann', 3);
SELECT outcome FROM pool.release(t.ids('fail1', 'fail2'), member => 'ann');
