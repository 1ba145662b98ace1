-- Entry rules and score rules: what they make of leads that enter, and review.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('front'), ('big'), ('loop'), ('other');
INSERT INTO pool.pool (name, review) VALUES ('careful', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('front', 'ann', 'bob');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
WHERE m.key = 'boss' AND p.name IN ('front', 'big', 'careful');
CREATE FUNCTION t.pool(name text) RETURNS integer LANGUAGE sql AS
    $$ SELECT id FROM pool.pool p WHERE p.name = $1 $$;

------------------------------------------------------------------------
-- The first rule that matches decides
------------------------------------------------------------------------

INSERT INTO pool.entry_rule (pool_id, position, name, condition, "then",
    to_pool_id, grade, reason)
VALUES
    (t.pool('front'), 10, 'spam', '$.source == "spam"', 'reject', NULL, NULL,
        'not a customer'),
    (t.pool('front'), 20, 'unsure', '$.staff < 3', 'review', NULL, 'C', 'tiny'),
    (t.pool('front'), 30, 'large', '$.staff >= 1000', 'to_pool', t.pool('big'),
        'A', NULL),
    (t.pool('front'), 40, 'known', '$.source == "fair"', 'accept', NULL, 'B',
        NULL),
    (t.pool('front'), 50, 'after it', '$.source == "spam"', 'accept',
        NULL, 'Z', NULL),
    (t.pool('big'), 10, 'not from abroad', '$.country == "XX"', 'reject',
        NULL, NULL, 'embargo'),
    (t.pool('big'), 20, 'of grade A', '$.grade == "A" && $.staff > 5000',
        'review', NULL, NULL, 'look twice');
SELECT e.outcome, e.lead_id IS NULL AS no_lead, e.member, e.status,
    e.home_pool, e.rule, e.reason
FROM (VALUES
    (1, 'plain', 'web', '{}'::jsonb), (2, 'spam', 'spam', '{}'),
    (3, 'tiny', 'web', '{"staff": 2}'), (4, 'large', 'web', '{"staff": 1000}'),
    (5, 'fair', 'fair', '{}'), (6, 'abroad', 'web',
        '{"staff": 2000, "country": "XX"}'),
    (7, 'huge', 'web', '{"staff": 9000}')) v (n, key, source, attributes)
CROSS JOIN LATERAL pool.enter('front', v.key, v.key, v.source, 'D', 7,
    v.attributes) e
ORDER BY v.n;
SELECT pool, key, status FROM t.leads() ORDER BY 1, 2;
SELECT d.key, d.grade FROM pool.lead_data d ORDER BY d.key;
-- nothing of the rejected ones is stored, and they may come again
SELECT count(*) FROM pool.identity;
UPDATE pool.entry_rule SET enabled = false WHERE name = 'spam';
SELECT outcome, rule FROM pool.enter('front', 'spam', source => 'spam');
UPDATE pool.entry_rule SET enabled = true WHERE name = 'spam';
-- a known customer is a duplicate, whatever rules would make of him
SELECT outcome, status, home_pool, rule, reason
FROM pool.enter('front', 'tiny', attributes => '{"staff": 2}');
-- the events name the rule
SELECT d.key, e.kind, r.name AS rule, e.reason, e.grade, e.detail
FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
LEFT JOIN pool.entry_rule r ON r.id = e.rule_id
WHERE d.key IN ('plain', 'tiny', 'large', 'fair', 'huge') ORDER BY e.id;
-- an owner does not jump the review
SELECT outcome, member, status, rule
FROM pool.enter('front', 'tiny2', attributes => '{"staff": 1}', owner => 'ann');
-- nor do leads that wait show up for claims
SELECT outcome FROM pool.claim_leads(t.ids('tiny'), 'ann');
SELECT outcome, key FROM pool.claim('front', 'ann', 10) ORDER BY key;
SELECT outcome FROM pool.assign(t.ids('tiny'), 'ann', actor => 'boss');

-- pools that send to each other: each is asked once
INSERT INTO pool.entry_rule (pool_id, name, "then", to_pool_id, grade)
VALUES (t.pool('loop'), 'on', 'to_pool', t.pool('other'), NULL),
    (t.pool('other'), 'back', 'to_pool', t.pool('loop'), 'L');
SELECT outcome, home_pool, rule FROM pool.enter('loop', 'l1');
SELECT outcome, home_pool, rule FROM pool.enter('other', 'l2');
DELETE FROM pool.entry_rule WHERE name IN ('on', 'back');

-- a rule that cannot be evaluated is passed over, and said so once
INSERT INTO pool.entry_rule (pool_id, position, name, condition, "then")
VALUES (t.pool('other'), 1, 'broken', '$.staff > 10', 'reject');
SELECT outcome, rule FROM pool.enter('other', 'b1',
    attributes => '{"staff": "many"}');
INSERT INTO pool.intake (pool, key, attributes)
SELECT 'other', 'b' || i, '{"staff": "many"}' FROM generate_series(2, 5) i;
SELECT outcome, rule FROM pool.enter('other', 'b6', attributes => '{"staff": 11}');

-- in bulk it is the same
INSERT INTO pool.intake (pool, key, source, attributes) VALUES
    ('front', 'i1', 'spam', '{}'), ('front', 'i2', 'fair', '{}'),
    ('front', 'i3', 'web', '{"staff": 1}'), ('front', 'i2', 'web', '{}'),
    ('front', 'i5', 'web', '{"staff": 1001}');
SELECT row_number, key, outcome, status, home_pool, rule, reason
FROM pool.intake_check();

------------------------------------------------------------------------
-- Review
------------------------------------------------------------------------

SELECT outcome, status, home_pool, rule FROM pool.enter('careful', 'c1');
SELECT outcome, status FROM pool.enter('careful', 'c2', owner => 'boss');
SELECT outcome, status FROM pool.enter('careful', 'c3');
SELECT review, available FROM pool.stat_pool WHERE pool = 'careful';
SELECT outcome, key FROM pool.review(t.ids('c1', 'plain', 'c1')
    || ARRAY[123::bigint], 'accept', 'fine', 'boss');
SELECT outcome, key FROM pool.review(t.ids('c2'), 'reject', 'nonsense', 'boss');
SELECT outcome, key FROM pool.review(t.ids('c2', 'c1'), 'accept',
    actor => 'boss');
SELECT pool, key, status FROM t.leads('careful');
SELECT d.key, e.kind, e.reason, m.key AS actor, e.detail FROM pool.event e
JOIN pool.lead_data d ON d.id = e.lead_id
LEFT JOIN pool.member m ON m.id = e.actor_id
WHERE d.key IN ('c1', 'c2') ORDER BY e.id;
SELECT review, available, archived, entered_today
FROM pool.stat_pool WHERE pool = 'careful';
-- it enters as the newest of its band
SELECT outcome FROM pool.enter('front', 'z1', priority => 7);
SELECT outcome FROM pool.review(t.ids('tiny'), 'accept', actor => 'boss');
SELECT key FROM t.leads('front') WHERE status = 'available';
-- by whom, and what else is wrong
SELECT * FROM t.error($$SELECT pool.review(t.ids('c3'), 'accept', actor => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.review(t.ids('c3'), 'maybe', actor => 'boss')$$);
SELECT * FROM t.error($$SELECT pool.review(t.ids('c3'), NULL, actor => 'boss')$$);
-- the same request twice
SELECT outcome FROM pool.review(t.ids('c3'), 'accept', NULL, 'boss',
    '00000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.review(t.ids('c3'), 'accept', NULL, 'boss',
    '00000000-0000-0000-0000-000000000001');
-- archived while it waits; entered again it waits again
SELECT outcome FROM pool.enter('careful', 'c4');
SELECT outcome FROM pool.archive(t.ids('c4'), 'lost', 'boss');
SELECT outcome, status FROM pool.enter('careful', 'c4');
SELECT kind, detail FROM pool.history(t.id('c4'));
-- the managers' list
CREATE ROLE boss_login LOGIN;
UPDATE pool.member SET login = 'boss_login' WHERE key = 'boss';
SELECT pool.grant_access('boss_login', 'manager');
SET ROLE boss_login;
SELECT key, pool, grade, priority FROM pool.lead_review ORDER BY key;
RESET ROLE;

------------------------------------------------------------------------
-- Scores
------------------------------------------------------------------------

INSERT INTO pool.pool (name) VALUES ('scored');
SELECT t.join_pool('scored', 'ann');
INSERT INTO pool.score_rule (pool_id, name, condition, points) VALUES
    (t.pool('scored'), 'any', NULL, 10),
    (t.pool('scored'), 'web', '$.source == "web"', 20),
    (t.pool('scored'), 'large', '$.staff > 100', 90),
    (t.pool('scored'), 'bad', '$.grade == "Z"', -500),
    (t.pool('scored'), 'keen', '$.follow_ups >= 1', 25),
    (t.pool('scored'), 'off', NULL, 1000),
    (t.pool('scored'), 'broken', '$.name > 5', 1000);
UPDATE pool.score_rule SET enabled = false WHERE name = 'off';
SELECT outcome FROM pool.enter('scored', 's1', priority => 99);
SELECT outcome FROM pool.enter('scored', 's2', source => 'web');
SELECT outcome FROM pool.enter('scored', 's3', source => 'web',
    attributes => '{"staff": 500}');
SELECT outcome FROM pool.enter('scored', 's4', grade => 'Z');
SELECT outcome FROM pool.enter('scored', 's5', source => 'web');
SELECT key, priority FROM t.leads('scored');
-- an edit scores anew: to the end of the new band
SELECT outcome FROM pool.edit(t.id('s1'), attributes => '{"staff": 101}',
    priority => 3);
SELECT outcome FROM pool.edit(t.id('s4'), grade => 'A');
SELECT key, priority FROM t.leads('scored');
SELECT detail FROM pool.history(t.id('s1')) WHERE kind = 'edited';
-- a priority alone changes nothing where rules give it
SELECT outcome FROM pool.edit(t.id('s2'), priority => 77);
SELECT count(*) FROM pool.history(t.id('s2')) WHERE kind = 'edited';
-- neither a clock nor a place within the band moves by an edit without effect
SELECT outcome FROM pool.edit(t.id('s2'), name => 'Two');
SELECT key, priority FROM t.leads('scored');
-- so does a follow-up
SELECT outcome, key FROM pool.claim('scored', 'ann', 3);
SELECT outcome FROM pool.follow_up(t.id('s2'), member => 'ann');
SELECT outcome FROM pool.release(t.ids('s2'), member => 'ann');
SELECT key, status, priority FROM t.leads('scored');
-- a pool without rules keeps what it was given
SELECT outcome FROM pool.enter('other', 'o1', priority => 42);
SELECT priority FROM pool.lead WHERE key = 'o1';
-- where rules give it, an edit gives it anew, whatever else it names
SELECT outcome FROM pool.move(t.ids('o1'), 'scored');
SELECT outcome FROM pool.edit(t.id('o1'), priority => 42);
SELECT priority FROM pool.lead WHERE key = 'o1';
SELECT * FROM pool.verify();
