-- The owner records contacts: every outcome of follow_up.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('p', 'ann', 'bob', 'boss');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'first', 'first_contact', '1 day' FROM pool.pool;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool;
SELECT t.fill('p', 'a', 3);
SELECT outcome, key, due_at FROM pool.claim('p', 'ann');

-- ok: the first of the spell answers, the due time is that of the next rule
SET pool_ext.clock = '2026-03-02 10:30+00';
SELECT f.outcome, f.event_id = e.id AS same, f.due_at, e.at, e.kind,
    e.member_id = e.actor_id AS own, e.detail
FROM pool.follow_up(t.id('a1'), member => 'ann') f
LEFT JOIN pool.event e ON e.id = f.event_id;
SELECT e.at, e.detail
FROM pool.event e WHERE e.lead_id = t.id('a1') AND e.kind = 'followed_up';
SET pool_ext.clock = '2026-03-03 10:00+00';
SELECT outcome, due_at FROM pool.follow_up(t.id('a1'), 'call', 'interested',
    'asks for an offer', '2026-03-10 09:00+08', '2026-03-03 17:00+08',
    '{"minutes": 12}', 'offer', 'ann');
SELECT first_follow_up_at, last_follow_up_at, follow_ups, last_result,
    next_follow_up_at, stage FROM pool.lead WHERE key = 'a1' \gx
SELECT detail FROM t.events(t.id('a1')) WHERE kind = 'followed_up';
-- what it does not name stays, but for the next one
SET pool_ext.clock = '2026-03-04 10:00+00';
SELECT outcome, due_at FROM pool.follow_up(t.id('a1'), NULL, member => 'ann');
SELECT first_follow_up_at, last_follow_up_at, follow_ups, last_result,
    next_follow_up_at, stage FROM pool.lead WHERE key = 'a1' \gx
-- what counts is when it is recorded, not when it is said to have been
SELECT outcome, due_at FROM pool.follow_up(t.id('a1'),
    occurred_at => '2026-03-05 10:00+00', member => 'ann');
SELECT last_follow_up_at FROM pool.lead WHERE key = 'a1';
-- clocks differ, but not by more than a day
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a1'),
    occurred_at => '2026-03-05 10:00:00.000001+00', member => 'ann')$$);

-- another's lead, one in the pool, a closed one, none
SELECT * FROM pool.follow_up(t.id('a1'), member => 'bob');
SELECT * FROM pool.follow_up(t.id('a1'), member => 'boss');
SELECT * FROM pool.follow_up(t.id('a2'), member => 'ann');
SELECT outcome FROM pool.convert(t.id('a1'), member => 'ann');
SELECT * FROM pool.follow_up(t.id('a1'), member => 'ann');
SELECT outcome FROM pool.archive(t.ids('a2'), 'lost');
SELECT * FROM pool.follow_up(t.id('a2'), member => 'bob');
SELECT * FROM pool.follow_up(999, member => 'bob');
-- one who is away goes on working on what he has
SELECT outcome FROM pool.claim('p', 'bob');
UPDATE pool.member SET status = 'away' WHERE key = 'bob';
SELECT outcome FROM pool.follow_up(t.id('a3'), member => 'bob');
-- after a return the next spell starts from nothing
SELECT outcome FROM pool.release(t.ids('a3'), member => 'bob');
SELECT outcome, due_at FROM pool.claim('p', 'ann');
SELECT follow_ups, first_follow_up_at, last_result FROM pool.lead
    WHERE key = 'a3';
SELECT outcome FROM pool.follow_up(t.id('a3'), member => 'ann');
SELECT m.key, e.detail -> 'first_seconds' AS first_seconds
FROM pool.event e JOIN pool.member m ON m.id = e.member_id
WHERE e.lead_id = t.id('a3') AND e.kind = 'followed_up' ORDER BY e.id;

SELECT * FROM t.error($$SELECT pool.follow_up(NULL, member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(1)$$);
SELECT * FROM t.error($$SELECT pool.follow_up(1, member => 'x')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a3'),
    next_at => '294276-12-31 23:59:59+00', member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a3'), next_at => 'infinity',
    member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a3'),
    occurred_at => '-infinity', member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a3'), repeat('x', 201),
    member => 'ann')$$);
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a3'), note =>
    repeat('线', 10001), member => 'ann')$$);
SELECT outcome FROM pool.follow_up(t.id('a3'), repeat('线', 200),
    repeat('线', 200), repeat('线', 10000), stage => repeat('线', 200),
    member => 'ann');
SELECT (SELECT array_agg(length(d.value #>> '{}') ORDER BY d.key)
    FROM jsonb_each(e.detail) d) FROM t.events(t.id('a3')) e
    WHERE detail ? 'note';
SELECT * FROM t.error($$SELECT pool.follow_up(t.id('a3'), detail =>
    to_jsonb(repeat('x', 65536)), member => 'ann')$$);
SELECT outcome FROM pool.follow_up(t.id('a3'), detail => to_jsonb(repeat('x', 65000)),
    member => 'ann');
-- any JSON is a detail
SELECT outcome FROM unnest(
    '{null,1,true,"\"x\"","[1,{\"a\":[]}]","{}"}'::jsonb[]) d
CROSS JOIN LATERAL pool.follow_up(t.id('a3'), detail => d, member => 'ann');
SELECT left((detail -> 'data')::text, 12) AS data FROM t.events(t.id('a3'))
    WHERE detail ? 'data';
SELECT * FROM pool.verify();
