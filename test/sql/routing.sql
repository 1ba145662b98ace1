-- Routing: leads come to members by the rules of their pool.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
-- who got how many, of leads whose keys begin so
CREATE FUNCTION t.got(prefix text DEFAULT '')
RETURNS TABLE (member text, leads bigint)
LANGUAGE sql AS $$
    SELECT m.key, count(*)
    FROM pool.lead_state s
    JOIN pool.lead_data d USING (id)
    LEFT JOIN pool.member m ON m.id = s.owner_id
    WHERE d.key LIKE prefix || '%'
    GROUP BY m.key ORDER BY m.key
$$;
-- the members of a run, in the order in which they were served
CREATE FUNCTION t.sequence(prefix text) RETURNS text
LANGUAGE sql AS $$
    SELECT string_agg(left(coalesce(m.key, '-'), 1), '' ORDER BY d.id)
    FROM pool.lead_state s
    JOIN pool.lead_data d USING (id)
    LEFT JOIN pool.member m ON m.id = s.owner_id
    WHERE d.key LIKE prefix || '%'
$$;
-- a rule; a new pool of that name where there is none
CREATE FUNCTION t.rule(pool_name text, rule_name text, strategy text,
    condition text DEFAULT NULL, member_condition text DEFAULT NULL,
    min_level integer DEFAULT 0, to_pool text DEFAULT NULL,
    rule_position integer DEFAULT 100)
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pool.pool (name) SELECT pool_name WHERE NOT EXISTS (
        SELECT FROM pool.pool WHERE name = pool_name);
    INSERT INTO pool.routing_rule (pool_id, name, strategy, condition,
        member_condition, min_level, to_pool_id, position)
    SELECT p.id, rule_name, strategy, condition::jsonpath,
        member_condition::jsonpath, min_level,
        (SELECT q.id FROM pool.pool q WHERE q.name = to_pool), rule_position
    FROM pool.pool p WHERE p.name = pool_name
$$;
INSERT INTO pool.member (key, joined_at, level) VALUES
    ('ann', '2025-01-01', 1), ('bob', '2025-01-01', 2),
    ('cid', '2025-01-01', 3), ('dan', '2025-01-01', 0),
    ('eva', '2025-01-01', 0), ('boss', '2025-01-01', 9);

-- round_robin: whatever comes in, one after another; managers get nothing
SELECT t.rule('rr', 'turn', 'round_robin');
SELECT t.join_pool('rr', 'ann', 'bob', 'cid');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE p.name = 'rr' AND m.key = 'boss';
SELECT * FROM pool.enter('rr', 'r01');
SELECT kind, pool, member, reason, detail FROM t.events(t.id('r01'));
INSERT INTO pool.intake (pool, key) SELECT 'rr', 'r' || i
    FROM generate_series(10, 17) i;
SELECT * FROM t.got('r');
-- everybody has three; who joins is served once in every four from now on,
-- not until he has as many as the others
SELECT t.join_pool('rr', 'dan');
INSERT INTO pool.intake (pool, key) SELECT 'rr', 's' || i
    FROM generate_series(10, 17) i;
SELECT * FROM t.got('s');
-- who comes back has nothing to make up for
UPDATE pool.member SET status = 'away' WHERE key = 'ann';
INSERT INTO pool.intake (pool, key) SELECT 'rr', 'u' || i
    FROM generate_series(100, 159) i;
SELECT * FROM t.got('u');
UPDATE pool.member SET status = 'active' WHERE key = 'ann';
INSERT INTO pool.intake (pool, key) SELECT 'rr', 'v' || i
    FROM generate_series(10, 17) i;
SELECT * FROM t.got('v');
-- a manager may have it done, a member may not
BEGIN;
SELECT pool.act_as('boss');
SELECT * FROM pool.auto_assign('rr');
SELECT pool.act_as('ann');
SELECT * FROM t.error($$SELECT pool.auto_assign('rr')$$);
ROLLBACK;

-- claim-only: a pool without rules; and both tracks on one pool
INSERT INTO pool.pool (name) VALUES ('open');
SELECT t.join_pool('open', 'ann', 'bob', 'cid', 'dan');
SELECT outcome, member, rule, reason FROM pool.enter('open', 'o1');
SELECT * FROM pool.auto_assign('open');
SELECT t.rule('open', 'web', 'round_robin', '$.source == "web"');
SELECT outcome, member IS NOT NULL AS given, rule, reason
    FROM pool.enter('open', 'o2', source => 'web');
SELECT outcome, member, rule, reason
    FROM pool.enter('open', 'o3', source => 'fair');
SELECT * FROM pool.routing_waiting;
SELECT outcome, key FROM pool.claim('open', 'cid', 3);
-- the row of a lead that is gone goes with the next try
SELECT count(*) FROM pool.routing_waiting;
SELECT task, done FROM pool.tick() WHERE task = 'routing';
SELECT count(*) FROM pool.routing_wait;
SELECT * FROM t.error($$SELECT pool.auto_assign('open', 0)$$);
SELECT * FROM t.error($$SELECT pool.auto_assign('nowhere')$$);
SELECT (t.error($$SELECT pool.auto_assign(NULL)$$)).state;

-- the first rule that matches decides, by position; level and condition
SELECT t.rule('first', 'big', 'round_robin', '$.size > 100', NULL, 2, NULL, 10);
SELECT t.rule('first', 'region', 'round_robin', '$.region != null',
    '$.regions[*] == $region', 0, NULL, 20);
SELECT t.rule('first', 'rest', 'round_robin', NULL, '$.held < 2', 0, NULL, 30);
UPDATE pool.member SET profile = '{"regions": ["n", "e"]}' WHERE key = 'ann';
UPDATE pool.member SET profile = '{"regions": ["s"]}' WHERE key = 'cid';
SELECT t.join_pool('first', 'ann', 'bob', 'cid');
SELECT e.outcome, e.member, e.rule, e.reason FROM (VALUES
    ('f1', '{"size": 500}'::jsonb), ('f2', '{"size": 200, "region": "n"}'),
    ('f3', '{"size": 7, "region": "n"}'), ('f4', '{"region": "s"}'),
    ('f5', '{"region": "w"}')) v (key, a)
    CROSS JOIN LATERAL pool.enter('first', v.key, attributes => v.a) e;
-- what a condition sees of holdings is true for each lead anew
INSERT INTO pool.intake (pool, key) SELECT 'first', 'fr' || i
    FROM generate_series(1, 9) i;
SELECT * FROM t.got('f');
SELECT reason, count(*) FROM pool.routing_waiting GROUP BY 1;
-- an error of a rule is told once; the others go on
SELECT t.rule('first', 'wrong', 'round_robin', '$.size > "x"', NULL, 0, NULL, 1);
SELECT key, outcome, rule FROM pool.auto_assign('first', 2);
SELECT e.outcome, e.rule FROM generate_series(1, 2) i
    CROSS JOIN LATERAL pool.enter('first', 'fe' || i,
        attributes => '{"size": 300}') e;

-- weighted: share = weight / sum, exactly, spread evenly
SELECT t.rule('w', 'weights', 'weighted');
SELECT t.join_pool('w', 'ann', 'bob', 'cid', 'dan');
UPDATE pool.membership s SET weight = v.weight
    FROM (VALUES ('ann', 5), ('bob', 3), ('cid', 2), ('dan', 0)) v (key, weight)
    JOIN pool.member m ON m.key = v.key
    WHERE s.member_id = m.id
        AND s.pool_id = (SELECT id FROM pool.pool WHERE name = 'w');
INSERT INTO pool.intake (pool, key) SELECT 'w', 'w' || i
    FROM generate_series(100, 199) i;
SELECT * FROM t.got('w');
-- never more than one lead away from the share, at any time
WITH given AS (
    SELECT row_number() OVER (ORDER BY d.id) AS n, m.key AS member
    FROM pool.lead_state s JOIN pool.lead_data d USING (id)
    JOIN pool.member m ON m.id = s.owner_id WHERE d.key LIKE 'w%'
), so_far AS (
    SELECT g.n, v.key, v.share, count(*) FILTER (WHERE h.member = v.key) AS had
    FROM given g JOIN given h ON h.n <= g.n
    CROSS JOIN (VALUES ('ann', 0.5), ('bob', 0.3), ('cid', 0.2)) v (key, share)
    GROUP BY 1, 2, 3
)
SELECT max(abs(had - share * n)) < 1 AS exact FROM so_far;
-- one by one is the same as all at once
INSERT INTO pool.pool (name) VALUES ('w1');
SELECT t.rule('w1', 'weights', 'weighted');
INSERT INTO pool.membership (pool_id, member_id, weight)
    SELECT q.id, s.member_id, s.weight FROM pool.membership s
    JOIN pool.pool p ON p.id = s.pool_id AND p.name = 'w'
    JOIN pool.pool q ON q.name = 'w1';
SELECT count(e.outcome) FROM generate_series(100, 199) i
    CROSS JOIN LATERAL pool.enter('w1', 'x' || i) e;
SELECT * FROM t.got('x');

-- where each lead has other candidates, everybody has his share of those he
-- could receive
SELECT t.rule('sets', 'regions', 'weighted', NULL, '$.r[*] == $r');
INSERT INTO pool.member (key, joined_at, profile) SELECT 's' || i, '2025-01-01',
    jsonb_build_object('r', jsonb_build_array(i % 5, (i + 1) % 5))
    FROM generate_series(1, 10) i;
SELECT t.join_pool('sets', VARIADIC array_agg(key)) FROM pool.member
    WHERE key ~ '^s[0-9]';
INSERT INTO pool.intake (pool, key, attributes)
    SELECT 'sets', 'set' || i, jsonb_build_object('r', i % 5)
    FROM generate_series(1, 1000) i;
SELECT count(*), min(leads) >= 99 AND max(leads) <= 101 AS fair FROM t.got('set');
-- all in one transaction, entered before
BEGIN;
UPDATE pool.routing_rule SET enabled = false WHERE name = 'regions';
INSERT INTO pool.intake (pool, key, attributes)
    SELECT 'sets', 'tx' || i, jsonb_build_object('r', i % 5)
    FROM generate_series(1, 20) i;
UPDATE pool.routing_rule SET enabled = true WHERE name = 'regions';
SELECT outcome, count(*) FROM pool.auto_assign('sets', 15) GROUP BY 1;
SELECT outcome, count(*) FROM pool.auto_assign('sets') GROUP BY 1;
SELECT count(*), min(leads), max(leads) FROM t.got('tx');
ROLLBACK;

-- least_loaded: held / weight
SELECT t.rule('load', 'least', 'least_loaded');
SELECT t.join_pool('load', 'ann', 'bob');
SELECT count(e.outcome) FROM generate_series(1, 4) i
    CROSS JOIN LATERAL pool.enter('load', 'la' || i, owner => 'ann') e;
UPDATE pool.membership s SET weight = 2 FROM pool.pool p, pool.member m
    WHERE p.id = s.pool_id AND p.name = 'load' AND m.id = s.member_id
        AND m.key = 'bob';
INSERT INTO pool.intake (pool, key) SELECT 'load', 'lb' || i
    FROM generate_series(10, 20) i;
SELECT * FROM t.got('l');

-- random: by weight, and the draw can be repeated from the log
SELECT t.rule('chance', 'lot', 'random');
SELECT t.join_pool('chance', 'ann', 'bob', 'cid');
UPDATE pool.membership s SET weight = 0 FROM pool.pool p, pool.member m
    WHERE p.id = s.pool_id AND p.name = 'chance' AND m.id = s.member_id
        AND m.key = 'cid';
INSERT INTO pool.intake (pool, key) SELECT 'chance', 'c' || i
    FROM generate_series(1000, 1199) i;
SELECT member, leads BETWEEN 60 AND 140 AS fair FROM t.got('c');
SELECT count(*) AS repeated FROM pool.event e
JOIN pool.member m ON m.id = e.member_id
CROSS JOIN LATERAL (
    SELECT c ->> 'member' AS key,
        sum((c ->> 'weight')::numeric) OVER (ORDER BY n) AS passed,
        sum((c ->> 'weight')::numeric) OVER () AS total, n
    FROM jsonb_array_elements(e.detail -> 'candidates') WITH ORDINALITY a (c, n)
) x
WHERE e.detail ->> 'strategy' = 'random' AND x.key = m.key
    AND x.n = (SELECT min(y.n) FROM (
        SELECT n, sum((c ->> 'weight')::numeric) OVER (ORDER BY n) AS passed,
            sum((c ->> 'weight')::numeric) OVER () AS total
        FROM jsonb_array_elements(e.detail -> 'candidates')
            WITH ORDINALITY b (c, n)) y
        WHERE y.passed > (e.detail ->> 'seed')::numeric / 2 ^ 53 * y.total);

-- performance: the best first, those without results last
SELECT t.rule('perf', 'best', 'performance');
SELECT t.join_pool('perf', 'ann', 'bob', 'cid', 'dan');
SELECT count(f.outcome) FROM (VALUES ('bob', 3, 1), ('cid', 2, 2), ('ann', 4, 1))
        v (member, n, won)
    CROSS JOIN LATERAL generate_series(1, v.n) i
    CROSS JOIN LATERAL pool.enter('perf', 'pp' || v.member || i,
        owner => v.member, source => 'web', grade => 'A') e
    CROSS JOIN LATERAL (SELECT (pool.convert(e.lead_id, member => v.member)).outcome
        WHERE i <= v.won
        UNION ALL SELECT (pool.archive(ARRAY[e.lead_id], 'lost')).outcome
        WHERE i > v.won) f;
UPDATE pool.member_fact SET at = '2026-03-01';
SELECT task, done FROM pool.tick() WHERE task = 'facts';
SELECT m.key, f.ended_90d, f.converted_90d, f.conversion_rate, f.rank
    FROM pool.member_fact f JOIN pool.member m ON m.id = f.member_id
    ORDER BY m.key;
-- not twice within the hour
SELECT task, done FROM pool.tick() WHERE task = 'facts';
UPDATE pool.pool SET hold_limit = 2 WHERE name = 'perf';
INSERT INTO pool.intake (pool, key) SELECT 'perf', 'pq' || i
    FROM generate_series(1, 9) i;
SELECT t.sequence('pq');
SELECT reason, count(*) FROM pool.routing_waiting WHERE pool = 'perf' GROUP BY 1;

-- best_match: by success with the same source and grade; without data weighted
SELECT t.rule('match', 'match', 'best_match');
SELECT t.join_pool('match', 'ann', 'bob', 'cid');
SET pool_ext.clock = '2026-03-02 11:00+00';
SELECT task, done FROM pool.tick() WHERE task = 'facts';
SELECT m.key, s.source, s.grade, s.ended, s.converted
    FROM pool.member_segment s JOIN pool.member m ON m.id = s.member_id
    ORDER BY 1, 2, 3;
INSERT INTO pool.intake (pool, key) SELECT 'match', 'ma' || i
    FROM generate_series(10, 39) i;
SELECT * FROM t.got('ma');
SELECT outcome, member FROM pool.enter('match', 'mb', source => 'web', grade => 'A');
SELECT detail FROM t.events(t.id('mb')) WHERE kind = 'assigned';
INSERT INTO pool.intake (pool, key, source, grade)
    SELECT 'match', 'mc' || i, 'web', 'A' FROM generate_series(100, 199) i;
SELECT * FROM t.got('mc');

-- suggest: kept for him, hidden from others, and a request that takes effect
SELECT t.rule('sug', 'suggest', 'suggest');
SELECT t.join_pool('sug', 'ann', 'bob');
UPDATE pool.pool SET hold_limit = 1 WHERE name = 'sug';
UPDATE pool.routing_rule SET expires_after = '2 hours' WHERE name = 'suggest';
SELECT outcome, member, status, rule, reason
    FROM generate_series(1, 3) i CROSS JOIN LATERAL pool.enter('sug', 'g' || i);
SELECT d.key, a.action, a.status, m.key AS member, r.name AS rule,
    a.applicant_id, a.expires_at, s.hidden_until, s.reserved_for = a.member_id AS kept
    FROM pool.approval a JOIN pool.lead_data d ON d.id = a.lead_id
    JOIN pool.lead_state s ON s.id = a.lead_id
    JOIN pool.member m ON m.id = a.member_id
    JOIN pool.routing_rule r ON r.id = a.from_rule_id ORDER BY a.id;
-- the log says so, and by which rule
SELECT d.key, e.kind, e.reason, e.rule_id = a.from_rule_id AS ruled,
    e.member_id = a.member_id AS for_him, e.actor_id, e.detail = jsonb_build_object(
        'approval', a.id, 'action', 'assign', 'step', 1) AS told
    FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
    JOIN pool.approval a USING (lead_id) WHERE d.key LIKE 'g_' AND e.kind <> 'entered'
    ORDER BY e.id;
-- what is suggested counts as held by whoever asks for a claim
BEGIN;
INSERT INTO pool.claim_rule (pool_id, name, approval)
    SELECT id, 'ask', true FROM pool.pool WHERE name = 'sug';
SELECT outcome FROM pool.request_claim(t.id('g3'), member => 'ann');
UPDATE pool.pool SET hold_limit = 2 WHERE name = 'sug';
SELECT outcome FROM pool.request_claim(t.id('g3'), member => 'ann');
-- and what he asks to claim by the rules, as what they have suggested
UPDATE pool.routing_rule SET strategy = 'round_robin' WHERE name = 'suggest';
SELECT outcome, member FROM pool.enter('sug', 'g4');
-- be the rule that made him ask gone since
DELETE FROM pool.claim_rule WHERE name = 'ask';
SELECT outcome, member FROM pool.enter('sug', 'g5');
SELECT member, test, detail FROM pool.explain_assign(t.id('g5'))
    WHERE NOT passed;
SELECT outcome FROM pool.cancel_request((SELECT id FROM pool.approval
    WHERE action = 'claim'), 'ann');
SELECT outcome, key, member FROM pool.auto_assign('sug');
ROLLBACK;
SELECT outcome, key FROM pool.auto_assign('sug');
-- who has claimed it meanwhile and given it back, be it at once, does not get it
BEGIN;
SELECT m.key AS kept_for FROM pool.member m JOIN pool.lead_state s ON s.reserved_for = m.id
    WHERE s.id = t.id('g1') \gset
SELECT outcome FROM pool.claim_leads(t.ids('g1'), :'kept_for');
SELECT outcome FROM pool.release(t.ids('g1'), member => :'kept_for');
SELECT set_config('pool_ext.clock', (pool.clock() + interval '3 hours')::text, true) <> '' AS later;
SELECT task, done FROM pool.tick() WHERE task = 'approvals';
SELECT d.key, s.status, a.status AS request FROM pool.lead_state s JOIN pool.lead_data d USING (id)
    LEFT JOIN pool.approval a ON a.lead_id = s.id WHERE d.key IN ('g1', 'g2') ORDER BY d.key;
ROLLBACK;

-- hand_over: routed on in the other pool; in a circle it stays where it is
INSERT INTO pool.pool (name) VALUES ('head'), ('south'), ('empty');
SELECT t.rule('south', 'turn', 'round_robin', NULL, NULL, 0, NULL, 10);
SELECT t.rule('head', 'to south', 'hand_over', '$.region == "s"', NULL, 0, 'south', 10);
SELECT t.rule('head', 'to empty', 'hand_over', '$.region == "e"', NULL, 0, 'empty', 20);
SELECT t.join_pool('south', 'eva');
SELECT e.outcome, e.member, e.home_pool, e.rule, e.reason FROM (VALUES
    ('h1', '{"region": "s"}'::jsonb), ('h2', '{"region": "e"}'),
    ('h3', '{}')) v (key, a)
    CROSS JOIN LATERAL pool.enter('head', v.key, attributes => v.a) e;
SELECT kind, pool, member, reason, detail FROM t.events(t.id('h1'));
SELECT kind, pool, member, reason, detail FROM t.events(t.id('h2'));
SELECT t.rule('south', 'back', 'hand_over', '$.round == true', NULL, 0, 'head', 1);
SELECT outcome, home_pool, rule, reason FROM pool.enter('head', 'h4',
    attributes => '{"region": "s", "round": true}');
SELECT rule, test, passed, detail FROM pool.explain_assign(t.id('h4'));
SELECT pool, key, reason FROM pool.routing_waiting WHERE key LIKE 'h%' ORDER BY key;
SELECT * FROM pool.verify();

-- cooldown: past owners are no candidates; return: who gave it back is none
SELECT t.rule('ret', 'turn', 'round_robin');
SELECT t.join_pool('ret', 'ann', 'bob', 'cid');
UPDATE pool.pool SET route_returned = true, cooldown = '7 days' WHERE name = 'ret';
SELECT outcome, member AS first FROM pool.enter('ret', 'b1') \gset
SELECT outcome FROM pool.release(t.ids('b1'), member => :'first');
SELECT kind, member FROM t.events(t.id('b1'));
SELECT m.key AS second FROM pool.lead_state s JOIN pool.member m ON m.id = s.owner_id
    WHERE s.id = t.id('b1') \gset
SELECT outcome FROM pool.release(t.ids('b1'), member => :'second');
SELECT m.key AS third FROM pool.lead_state s JOIN pool.member m ON m.id = s.owner_id
    WHERE s.id = t.id('b1') \gset
SELECT outcome FROM pool.reclaim(t.ids('b1'));
SELECT pool, key, reason FROM pool.routing_waiting WHERE pool = 'ret';
SELECT member, test, passed FROM pool.explain_assign(t.id('b1'))
    WHERE NOT passed;
SELECT outcome, member FROM pool.auto_assign('ret');
SET pool_ext.clock = '2026-03-10 11:00+00';
-- the cooldown is over, but the last one is left out all the same
SELECT task, done FROM pool.tick() WHERE task = 'routing';
SELECT m.key <> :'third' AS another FROM pool.lead_state s
    JOIN pool.member m ON m.id = s.owner_id WHERE s.id = t.id('b1');
-- by time: a tick routes them in bulk
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'late', 'first_contact', '1 day' FROM pool.pool WHERE name = 'ret';
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
SELECT m.key AS late FROM pool.lead_state s JOIN pool.member m ON m.id = s.owner_id
    WHERE s.id = t.id('b1') \gset
SET pool_ext.clock = '2026-03-12 11:00+00';
SELECT task, done FROM pool.tick() WHERE task IN ('timers', 'routing');
SELECT kind FROM t.events(t.id('b1')) OFFSET 6;
SELECT m.key <> :'late' AS another FROM pool.lead_state s
    JOIN pool.member m ON m.id = s.owner_id WHERE s.id = t.id('b1');

-- nobody has room: they wait, and are tried again when somebody has
SELECT t.rule('cap', 'turn', 'round_robin');
SELECT t.join_pool('cap', 'ann', 'bob');
UPDATE pool.pool SET hold_limit = 2 WHERE name = 'cap';
UPDATE pool.member SET hold_limit = (SELECT sum(held) + 1 FROM
    pool.membership_state s WHERE s.member_id = member.id) WHERE key = 'bob';
INSERT INTO pool.intake (pool, key, priority) SELECT 'cap', 'q' || i, i
    FROM generate_series(1, 6) i;
SELECT * FROM t.got('q');
SELECT key, reason FROM pool.routing_waiting WHERE pool = 'cap' ORDER BY key;
SELECT task, done FROM pool.tick() WHERE task = 'routing';
-- nothing has changed: nothing is tried
SELECT ended_at FROM pool.routing_retry r JOIN pool.pool p ON p.id = r.pool_id
    WHERE p.name = 'cap';
SET pool_ext.clock = '2026-03-12 11:05+00';
SELECT task, done FROM pool.tick() WHERE task = 'routing';
SELECT ended_at FROM pool.routing_retry r JOIN pool.pool p ON p.id = r.pool_id
    WHERE p.name = 'cap';
-- room: the best one first
SELECT outcome FROM pool.convert(t.id('q1'), member =>
    (SELECT m.key FROM pool.lead_state s JOIN pool.member m ON m.id = s.owner_id
     WHERE s.id = t.id('q1')));
SELECT key, status FROM t.leads('cap') ORDER BY key;
SELECT task, done FROM pool.tick() WHERE task = 'routing';
SELECT key, status FROM t.leads('cap') ORDER BY key;
-- somebody joins
SELECT t.join_pool('cap', 'eva');
SELECT task, done FROM pool.tick() WHERE task = 'routing';
SELECT key, status, owner FROM t.leads('cap') WHERE owner = 'eva' OR owner IS NULL
    ORDER BY key;
-- somebody comes back
UPDATE pool.member SET status = 'away' WHERE key = 'dan';
SELECT t.join_pool('cap', 'dan');
SELECT task, done FROM pool.tick() WHERE task = 'routing';
UPDATE pool.member SET status = 'active' WHERE key = 'dan';
SELECT outcome FROM pool.enter('cap', 'q7');
SELECT task, done FROM pool.tick() WHERE task = 'routing';
UPDATE pool.member SET hold_limit = NULL;

-- newcomers: what they are sure of comes before the others' turn
INSERT INTO pool.member (key, joined_at) VALUES ('new', '2026-03-01');
SELECT t.rule('nc', 'turn', 'weighted');
SELECT t.join_pool('nc', 'ann', 'bob', 'new');
UPDATE pool.membership s SET weight = 0.01 FROM pool.member m
    WHERE m.id = s.member_id AND m.key = 'new';
UPDATE pool.pool SET newcomer_period = '30 days' WHERE name = 'nc';
UPDATE pool.routing_rule SET newcomer_min = 2 WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'nc');
INSERT INTO pool.intake (pool, key) SELECT 'nc', 'n' || i
    FROM generate_series(10, 15) i;
SELECT left(t.sequence('n'), 2), length(replace(t.sequence('n'), 'n', ''));
UPDATE pool.routing_rule SET newcomer_min = 0, newcomer_share = 0.25
    WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'nc');
INSERT INTO pool.intake (pool, key) SELECT 'nc', 'n' || i
    FROM generate_series(16, 49) i;
SELECT * FROM t.got('n1') WHERE member = 'new';
SELECT member, leads FROM t.got('n') WHERE member = 'new';
SELECT detail FROM t.events(t.id('n10')) WHERE kind = 'assigned';
-- it expires with the period
SET pool_ext.clock = '2026-04-12 11:00+00';
INSERT INTO pool.intake (pool, key) SELECT 'nc', 'o' || i
    FROM generate_series(100, 139) i;
SELECT coalesce(sum(leads), 0) AS new_got FROM t.got('o1') WHERE member = 'new';

-- rotation: seats pass on to who had one the longest ago
SELECT t.rule('rota', 'seats', 'round_robin');
SELECT t.join_pool('rota', 'ann', 'bob', 'cid', 'dan', 'eva');
UPDATE pool.routing_rule SET rotate_every = '1 month', rotate_seats = 2
    WHERE name = 'seats';
CREATE FUNCTION t.seated() RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(member ORDER BY member) FROM pool.rota
    WHERE rule = 'seats' AND present $$;
SELECT outcome FROM pool.enter('rota', 'z1');
SELECT started_at, ended_at, count(*) FROM pool.rota GROUP BY 1, 2;
INSERT INTO pool.intake (pool, key) SELECT 'rota', 'z1' || i
    FROM generate_series(1, 7) i;
SELECT array_agg(member) = t.seated() AS only_seated, min(leads), max(leads)
    FROM t.got('z1');
SELECT t.seated() AS month1 \gset
SET pool_ext.clock = '2026-05-13 11:00+00';
SELECT outcome FROM pool.enter('rota', 'z2');
SELECT t.seated() AS month2 \gset
SET pool_ext.clock = '2026-06-13 11:00+00';
SELECT outcome FROM pool.enter('rota', 'z3');
SELECT t.seated() AS month3 \gset
SELECT :'month1'::text[] && :'month2'::text[] AS overlap12,
    cardinality(:'month3'::text[]) AS seats,
    (SELECT count(DISTINCT m) FROM unnest(:'month1'::text[] || :'month2'::text[]
        || :'month3'::text[]) m) AS had_one;
SELECT DISTINCT started_at, ended_at FROM pool.rota WHERE present;
-- who goes leaves his seat to the next
UPDATE pool.member SET status = 'away'
    WHERE key = (:'month3'::text[])[1];
SELECT outcome FROM pool.enter('rota', 'z4');
SELECT cardinality(t.seated()), (:'month3'::text[])[1] = ANY (t.seated()) AS still;
UPDATE pool.member SET status = 'active';

-- more seats than members: nobody stands
SELECT t.rule('wide', 'wide seats', 'round_robin');
SELECT t.join_pool('wide', 'ann', 'bob');
UPDATE pool.routing_rule SET rotate_every = '1 month', rotate_seats = 3
    WHERE name = 'wide seats';
INSERT INTO pool.intake (pool, key) SELECT 'wide', 'seat' || i
    FROM generate_series(1, 4) i;
SELECT * FROM t.got('seat');
-- one goes and another comes: what the session remembers is not about them
SELECT t.rule('swap', 'swapped', 'round_robin');
SELECT t.join_pool('swap', 'ann', 'bob');
INSERT INTO pool.intake (pool, key) SELECT 'swap', 'swap-a' || i FROM generate_series(1, 4) i;
DELETE FROM pool.membership WHERE pool_id = (SELECT id FROM pool.pool WHERE name = 'swap')
    AND member_id = (SELECT id FROM pool.member WHERE key = 'bob');
SELECT t.join_pool('swap', 'cid');
INSERT INTO pool.intake (pool, key) SELECT 'swap', 'swap-b' || i FROM generate_series(1, 4) i;
SELECT * FROM t.got('swap-a');
SELECT * FROM t.got('swap-b');
-- of two newcomers the one who is owed more comes first
INSERT INTO pool.member (key, joined_at) VALUES ('nina', '2026-06-10'), ('noel', '2026-06-11');
SELECT t.rule('ncs', 'fresh', 'round_robin');
SELECT t.join_pool('ncs', 'ann', 'nina');
UPDATE pool.pool SET newcomer_period = '30 days' WHERE name = 'ncs';
UPDATE pool.routing_rule SET newcomer_min = 2 WHERE name = 'fresh';
INSERT INTO pool.intake (pool, key) SELECT 'ncs', 'v' || i FROM generate_series(1, 1) i;
SELECT t.join_pool('ncs', 'noel');
INSERT INTO pool.intake (pool, key) SELECT 'ncs', 'v' || i FROM generate_series(2, 6) i;
SELECT d.key, m.key AS member FROM pool.lead_state s JOIN pool.lead_data d USING (id)
    JOIN pool.member m ON m.id = s.owner_id WHERE d.key ~ '^v[1-6]$' ORDER BY 1;
DELETE FROM pool.routing_rule WHERE name IN ('wide seats', 'fresh');
UPDATE pool.member SET status = 'left' WHERE key IN ('nina', 'noel');

-- everyone: the tenant's members without a membership
INSERT INTO pool.pool (name, everyone) VALUES ('all', true);
SELECT t.rule('all', 'turn', 'round_robin');
INSERT INTO pool.intake (pool, key) SELECT 'all', 'y' || i
    FROM generate_series(1, 7) i;
SELECT count(*), max(leads) FROM t.got('y');

-- in bulk: one pass, exact shares, caps
INSERT INTO pool.member (key) SELECT 'm' || i FROM generate_series(1, 30) i;
SELECT t.rule('bulk', 'turn', 'weighted');
INSERT INTO pool.membership (pool_id, member_id, weight)
    SELECT p.id, m.id, substr(m.key, 2)::int
    FROM pool.pool p, pool.member m WHERE p.name = 'bulk' AND m.key ~ '^m[0-9]+$';
SELECT t.fill('bulk', 'bulk', 10000);
SELECT max(abs(g.leads - 10000 * substr(g.member, 2)::int / 465.0)) < 1 AS exact,
    sum(g.leads) FROM t.got('bulk') g;
UPDATE pool.routing_rule SET enabled = false WHERE pool_id =
    (SELECT id FROM pool.pool WHERE name = 'bulk');
SELECT t.fill('bulk', 'more', 10000);
SELECT outcome, count(*) FROM pool.auto_assign('bulk', 10) GROUP BY 1;
UPDATE pool.routing_rule SET enabled = true;
UPDATE pool.membership s SET hold_limit = c.held + 100
    FROM pool.membership_state c, pool.member m
    WHERE c.pool_id = s.pool_id AND c.member_id = s.member_id
        AND m.id = s.member_id AND m.key = 'm30';
SELECT outcome, count(*) FROM pool.auto_assign('bulk') GROUP BY 1;
SELECT leads FROM t.got('more') WHERE member = 'm30';
SELECT max(abs(g.leads - 9900 * substr(g.member, 2)::int / 435.0)) < 4 AS fair,
    sum(g.leads) FROM t.got('more') g WHERE g.member <> 'm30';
SELECT * FROM pool.auto_assign('bulk');

-- the same request is done once
SELECT count(e.outcome) FROM pool.enter('open', 'once') e;
SELECT outcome, key, rule FROM pool.auto_assign('open', 1,
    '00000000-0000-0000-0000-000000000001');
SELECT outcome, key, rule FROM pool.auto_assign('open', 1,
    '00000000-0000-0000-0000-000000000001');
SELECT (t.error($$SELECT pool.auto_assign('open', 2,
    '00000000-0000-0000-0000-000000000001')$$)).state;

-- explain_assign: why, and who would get it
SELECT t.rule('why', 'A only', 'performance', '$.grade == "A"', '$.level >= 1', 1,
    NULL, 1);
SELECT t.rule('why', 'others', 'random', NULL, NULL, 0, NULL, 2);
SELECT outcome, key FROM pool.auto_assign('why');
SELECT count(e.outcome) FROM pool.enter('why', 'why', grade => 'A') e;
SELECT t.join_pool('why', 'ann', 'bob', 'cid', 'dan');
UPDATE pool.member SET status = 'away' WHERE key = 'cid';
UPDATE pool.membership s SET hold_limit = 0 FROM pool.member m, pool.pool p
    WHERE m.id = s.member_id AND m.key = 'bob' AND p.id = s.pool_id
        AND p.name = 'why';
SELECT * FROM pool.explain_assign(t.id('why'));
SELECT pool.edit(t.id('why'), grade => 'B');
SELECT * FROM pool.explain_assign(t.id('why')) WHERE test IN ('rule', 'chosen', 'outcome');
SELECT * FROM pool.explain_assign(4711);
SELECT outcome FROM pool.hide(t.ids('why'));
SELECT * FROM pool.explain_assign(t.id('why'));
SELECT outcome FROM pool.unhide(t.ids('why'));
SELECT * FROM pool.explain_assign(t.id('r01'));
BEGIN;
SELECT pool.act_as('ann');
SELECT (t.error($$SELECT pool.explain_assign(t.id('why'))$$)).state;
SELECT count(*) FROM pool.routing_waiting;
ROLLBACK;

-- administrators have it done, other logins without a member do not
GRANT USAGE ON SCHEMA t TO PUBLIC;
CREATE ROLE regress_admin;
CREATE ROLE regress_nobody;
SELECT pool.grant_access('regress_admin', 'admin', 'default'),
    pool.grant_access('regress_nobody', 'manager', 'default');
SET ROLE regress_admin;
SELECT outcome, rule FROM pool.auto_assign('why');
SELECT count(*) > 0 AS waiting FROM pool.routing_waiting;
SELECT count(*) > 0 AS facts FROM pool.member_fact;
SET ROLE regress_nobody;
SELECT * FROM t.error($$SELECT pool.auto_assign('why')$$);
RESET ROLE;

-- whatever gives a lead back has it routed: the result of a follow-up here
INSERT INTO pool.pool (name, route_returned) VALUES ('back', true);
SELECT t.join_pool('back', 'ann', 'bob'), t.rule('back', 'turn', 'round_robin');
INSERT INTO pool.dictionary (pool_id, kind, code, "then")
    SELECT id, 'result', 'not mine', 'release' FROM pool.pool WHERE name = 'back';
SELECT outcome FROM pool.enter('back', 'back1', owner => 'ann');
SELECT outcome FROM pool.follow_up(t.id('back1'), result => 'not mine', member => 'ann');
SELECT done FROM pool.tick() WHERE task = 'routing';
SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
    WHERE l.key = 'back1';
-- of a batch only what has come back, and to a pool that has its returns routed
INSERT INTO pool.pool (name, route_returned) VALUES ('norules', true);
SELECT t.join_pool('norules', 'ann');
SELECT outcome FROM pool.enter('back', 'back2', owner => 'ann');
SELECT outcome FROM pool.enter('back', 'back3', owner => 'bob');
SELECT outcome FROM pool.enter('norules', 'back4', owner => 'ann');
SELECT outcome, key FROM pool.release(t.ids('back3', 'back4', 'back2'), member => 'ann');
SELECT pool, key, owner FROM t.leads() WHERE key LIKE 'back_';
-- a transfer to nobody in particular is routed wherever there are rules
UPDATE pool.pool SET route_returned = false WHERE name = 'back';
INSERT INTO pool.member (key) VALUES ('chief');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE p.name = 'back' AND m.key = 'chief';
SELECT approval_id FROM pool.request_transfer(t.id('back1'), NULL, 'too far', 'bob')
    \gset
SELECT outcome FROM pool.approve(:approval_id, NULL, 'chief');
SELECT done FROM pool.tick() WHERE task = 'routing';
SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
    WHERE l.key = 'back1';
-- a release that brings no cooldown bars nobody from what rules give
INSERT INTO pool.pool (name, cooldown) VALUES ('mild', '7 days');
SELECT t.join_pool('mild', 'ann'), t.rule('mild', 'turn', 'round_robin');
INSERT INTO pool.dictionary (pool_id, kind, code, counts)
    SELECT id, 'release_reason', w.code, w.counts FROM pool.pool p,
    (VALUES ('by mistake', false), ('no time', true)) w (code, counts)
    WHERE p.name = 'mild';
SELECT outcome FROM pool.enter('mild', 'mild1', owner => 'ann');
SELECT outcome FROM pool.release(t.ids('mild1'), 'by mistake', member => 'ann');
SELECT outcome, member FROM pool.auto_assign('mild');
SELECT outcome FROM pool.release(t.ids('mild1'), 'no time', member => 'ann');
SELECT outcome, member FROM pool.auto_assign('mild');

-- what somebody has asked for is not suggested, nor is what has been suggested and
-- waits for the tick that gives it away, even if a member has reserved it since
INSERT INTO pool.pool (name) VALUES ('asked');
SELECT t.join_pool('asked', 'ann', 'bob');
SELECT outcome FROM pool.enter('asked', 'asked1');
SELECT outcome FROM pool.enter('asked', 'asked2');
SELECT outcome FROM pool.request('assign', t.id('asked1'), member => 'ann', actor => 'bob');
SELECT t.rule('asked', 'suggests', 'suggest');
UPDATE pool.routing_rule SET expires_after = '5 minutes' WHERE name = 'suggests';
SELECT outcome, key FROM pool.auto_assign('asked');
BEGIN;
SELECT set_config('pool_ext.clock', (pool.clock() + interval '6 minutes')::text, true) <> '' AS later;
SELECT count(outcome) FROM pool.reserve(t.ids('asked1', 'asked2'), '1 minute', 'ann') WHERE outcome = 'reserved';
SELECT set_config('pool_ext.clock', (pool.clock() + interval '2 minutes')::text, true) <> '' AS later;
SELECT outcome, key FROM pool.auto_assign('asked');
ROLLBACK;
SELECT d.key, a.action, a.status, a.from_rule_id IS NOT NULL AS suggested FROM pool.approval a
JOIN pool.lead_data d ON d.id = a.lead_id WHERE d.key LIKE 'asked_' ORDER BY a.id;

-- what has waited in vain and comes back from somebody who has claimed it waits no
-- more, unless its pool routes what returns
INSERT INTO pool.pool (name) VALUES ('stays');
SELECT t.join_pool('stays', 'ann', 'bob'), t.rule('stays', 'high', 'round_robin');
UPDATE pool.routing_rule SET min_level = 90 WHERE name = 'high';
SELECT outcome, reason FROM pool.enter('stays', 'stays1');
SELECT outcome, reason FROM pool.enter('stays', 'stays2');
SET pool_ext.clock = '2026-06-13 11:05+00';
SELECT outcome FROM pool.claim_leads(t.ids('stays1'), 'ann');
SELECT outcome FROM pool.release(t.ids('stays1'), member => 'ann');
SELECT key, reason FROM pool.routing_waiting WHERE pool = 'stays';
UPDATE pool.routing_rule SET min_level = 0 WHERE name = 'high';
DO $$ BEGIN FOR i IN 1..20 LOOP PERFORM pool.tick(); END LOOP; END $$;
SELECT key, status FROM pool.lead WHERE key LIKE 'stays_' ORDER BY key;

-- what comes back into quarantine is routed there at once, if that pool says so,
-- whether its own pool routes or not
INSERT INTO pool.pool (name, route_returned) VALUES ('ward', true);
INSERT INTO pool.pool (name, quarantine_after, quarantine_pool_id)
    SELECT 'circle', 1, id FROM pool.pool WHERE name = 'ward';
SELECT t.join_pool('ward', 'ann', 'bob'), t.join_pool('circle', 'ann', 'bob'),
    t.rule('ward', 'nurse', 'round_robin');
SELECT outcome FROM pool.enter('circle', 'circle1', owner => 'ann');
SELECT outcome FROM pool.enter('circle', 'circle2', owner => 'bob');
SELECT outcome FROM pool.release(t.ids('circle1'), member => 'ann');
UPDATE pool.pool SET route_returned = true WHERE name = 'circle';
SELECT t.rule('circle', 'turn', 'round_robin');
SELECT outcome FROM pool.reclaim(t.ids('circle2'));
SELECT d.key, p.name AS pool, m.key AS owner FROM pool.lead_state s
JOIN pool.lead_data d USING (id) JOIN pool.pool p ON p.id = s.pool_id
LEFT JOIN pool.member m ON m.id = s.owner_id WHERE d.key LIKE 'circle_' ORDER BY 1;

-- leads that have come back hidden take no room in the batches of ticks
INSERT INTO pool.pool (name, route_returned) VALUES ('cools', true);
SELECT t.join_pool('cools', 'ann', 'bob'), t.rule('cools', 'turn', 'round_robin');
INSERT INTO pool.dictionary (pool_id, kind, code, "then", after)
    SELECT id, 'result', 'next year', 'cool', '90 days' FROM pool.pool WHERE name = 'cools';
INSERT INTO pool.dictionary (pool_id, kind, code, "then")
    SELECT id, 'result', 'not mine', 'release' FROM pool.pool WHERE name = 'cools';
SELECT e.outcome FROM generate_series(1, 4) i, pool.enter('cools', 'cools' || i, owner => 'ann') e;
SELECT outcome FROM pool.follow_up(t.id('cools1'), result => 'next year', member => 'ann')
UNION ALL SELECT outcome FROM pool.follow_up(t.id('cools2'), result => 'next year', member => 'ann');
SELECT outcome FROM pool.follow_up(t.id('cools3'), result => 'not mine', member => 'ann')
UNION ALL SELECT outcome FROM pool.follow_up(t.id('cools4'), result => 'not mine', member => 'ann');
SELECT done FROM pool.tick(1) WHERE task = 'routing';
SELECT done FROM pool.tick(2) WHERE task = 'routing';
SELECT * FROM t.got('cools');

-- tags: a list among the attributes, met by those of a member
SELECT t.rule('tagged', 'tags', 'round_robin', '$.tags[*] == "key account"',
    '$.skills[*] == $tags[*]');
INSERT INTO pool.membership (pool_id, member_id) SELECT p.id, m.id
    FROM pool.pool p, pool.member m WHERE p.name = 'tagged' AND m.key IN ('ann', 'bob');
UPDATE pool.member SET profile = '{"skills": ["export", "metal"]}' WHERE key = 'bob';
SELECT v.tags, e.outcome, e.member, e.reason
FROM (VALUES (1, '["old", "key account", "metal"]'), (2, '["old", "metal"]'),
    (3, '["key account", "wood"]'), (4, NULL)) v (n, tags),
    pool.enter('tagged', 'tagged' || v.n, attributes =>
        jsonb_strip_nulls(jsonb_build_object('tags', v.tags::jsonb))) e
ORDER BY v.n;

-- a tick that holds counters makes those that a member lacks
INSERT INTO pool.pool (name, everyone, route_returned) VALUES ('anyone', true, true);
SELECT t.rule('anyone', 'turn', 'round_robin', min_level => 3);
INSERT INTO pool.timer_rule (pool_id, name, basis, after) SELECT id, 'idle', 'follow_up', '1 hour' FROM pool.pool WHERE name = 'anyone';
SELECT outcome FROM pool.enter('anyone', 'anyone1', owner => 'ann');
SELECT count(*) FROM pool.membership_state s JOIN pool.pool p ON p.id = s.pool_id WHERE p.name = 'anyone';
SET pool_ext.clock = '2026-06-13 13:00+00';
SELECT task, done FROM pool.tick() WHERE task IN ('timers', 'routing') ORDER BY task DESC;
SELECT status FROM pool.lead WHERE key = 'anyone1';

-- what rules have given is what the log says
SELECT * FROM pool.verify();
UPDATE pool.routing_state SET served = served + 1
    WHERE (rule_id, member_id) = (SELECT rule_id, member_id
        FROM pool.routing_state WHERE served > 0 AND early = 0
        ORDER BY rule_id, member_id LIMIT 1);
SELECT check_name, message FROM pool.verify();
