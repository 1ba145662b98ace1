-- Timers of every basis and action, and what stands before them.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name, everyone) SELECT n, true
    FROM unnest('{company,entry,clean,create,stage,plan,ladder,ties,shield,
        down,pingpong,sick,request,held}'::text[]) n;
UPDATE pool.pool SET parent_id = (SELECT id FROM pool.pool
    WHERE name = 'company') WHERE name <> 'company';
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss'), ('chief');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
WHERE (p.name, m.key) IN (('ladder', 'boss'), ('company', 'chief'));

CREATE FUNCTION pool_id(name text) RETURNS integer LANGUAGE sql AS
    'SELECT id FROM pool.pool p WHERE p.name = pool_id.name';
CREATE FUNCTION rule(pool_name text, rule_name text, action text, basis text,
    after interval, VARIADIC rest text[] DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
        VALUES (pool_id(pool_name), rule_name, action, basis, after);
    FOR i IN 1 .. coalesce(array_length(rest, 1), 0) LOOP
        EXECUTE format('UPDATE pool.timer_rule SET %s WHERE pool_id = $1'
            ' AND name = $2', rest[i]) USING pool_id(pool_name), rule_name;
    END LOOP;
END $$;
CREATE FUNCTION tick_at(moment timestamptz)
RETURNS TABLE (key text, kind text, rule text, member text, pool text,
    detail jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    last bigint := (SELECT max(id) FROM pool.event);
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    PERFORM pool.tick();
    RETURN QUERY SELECT d.key, e.kind, r.name, m.key, p.name,
            e.detail - 'from_pool'
        FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
        JOIN pool.pool p ON p.id = e.pool_id
        LEFT JOIN pool.timer_rule r ON r.id = e.rule_id
        LEFT JOIN pool.member m ON m.id = e.member_id
        WHERE e.id > last ORDER BY d.key, e.id;
END $$;
-- what a level of the log says of a lead: next timer, and whether check_at is
-- early enough
CREATE FUNCTION due(lead_key text)
RETURNS TABLE (rule text, action text, due_at timestamptz, in_time boolean)
LANGUAGE sql AS $$
    SELECT d.rule, d.action, d.due_at, s.check_at <= d.due_at
    FROM pool.lead_due d JOIN pool.lead_state s ON s.id = d.lead_id
    WHERE d.key = lead_key
$$;

-- what cannot apply is refused when it is written
CREATE TEMP TABLE refused AS SELECT b, a, (t.error(format($q$
        INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
        VALUES (pool_id('company'), %L, %L, %L, '1 day')
    $q$, a || b, a, b))).* FROM
    unnest('{first_contact,follow_up,ownership,entry,creation,stage,review,
        approval,planned}'::text[]) WITH ORDINALITY x (b, i),
    unnest('{reclaim,move,archive,escalate}'::text[]) WITH ORDINALITY y (a, j)
    ORDER BY i, j;
SELECT state, message, hint FROM refused WHERE state IS NOT NULL;
DELETE FROM pool.timer_rule;
SELECT * FROM t.error($$SELECT rule('entry', 'x', 'move', 'entry', '1 day',
    'to_pool_id = pool_id')$$);
SELECT * FROM t.error($$SELECT rule('entry', 'x', 'move', 'entry', '1 month',
    'working_time = true')$$);
SELECT * FROM t.error($$SELECT rule('entry', 'x', 'move', 'entry', '90 days',
    'remind_before = ''{1 month}''', 'working_time = true')$$);

-- entry, move: what nobody takes overflows to the parent, best first in its band
SELECT rule('entry', 'overflow', 'move', 'entry', '2 days');
SELECT t.fill('entry', 'e', 3);
SELECT * FROM due('e1');
SELECT outcome, key FROM pool.claim('entry', 'ann');
SELECT * FROM tick_at('2026-03-04 08:59+00');
SELECT * FROM tick_at('2026-03-04 09:00+00');
-- what comes back begins anew; an edit does not
SELECT outcome FROM pool.release(t.ids('e1'), member => 'ann');
SET pool_ext.clock = '2026-03-05 12:00+00';
SELECT outcome FROM pool.edit(t.id('e1'), priority => 7);
SELECT * FROM due('e1');
SELECT * FROM tick_at('2026-03-06 09:00+00');
-- and stays the pool's where there is no parent
UPDATE pool.pool SET parent_id = NULL WHERE name = 'entry';
SELECT t.fill('entry', 'top', 1);
SELECT * FROM tick_at('2026-03-30 09:00+00');
SELECT * FROM due('top1');
UPDATE pool.pool SET parent_id = pool_id('company') WHERE name = 'entry';
SELECT * FROM due('top1');
SELECT * FROM tick_at('2026-03-30 09:01+00');
SELECT count(*) FROM pool.verify();

-- entry, archive: cleaning, with a warning, of what was claimed often
SELECT rule('clean', 'nobody wants it', 'archive', 'entry', '180 days',
    'condition = ''$.claims >= 2''', 'remind_before = ''{30 days,7 days}''',
    'notice_required = true');
SELECT t.fill('clean', 'c', 2);
SELECT outcome FROM pool.claim_leads(t.ids('c1', 'c2'), 'ann');
SELECT outcome FROM pool.release(t.ids('c1', 'c2'), member => 'ann');
SELECT outcome FROM pool.claim_leads(t.ids('c1'), 'bob');
SET pool_ext.clock = '2026-04-01 09:00+00';
SELECT outcome FROM pool.release(t.ids('c1'), member => 'bob');
SELECT * FROM tick_at('2026-08-29 09:00+00');
SELECT * FROM tick_at('2026-08-30 09:00+00');
-- a lead that was touched by a timer can be claimed as before
SELECT key, due_at FROM pool.claim('clean', 'ann', 9);
SELECT outcome FROM pool.release(t.ids('c2', 'c1'), member => 'ann');
-- the worker slept: it warns first, and acts the shortest notice later
SELECT outcome FROM pool.claim_leads(t.ids('c2'), 'ann');
SELECT * FROM tick_at('2027-03-01 09:00+00');
SELECT key, rule, action, due_at, warned_at FROM pool.lead_due WHERE key = 'c1';
SELECT * FROM tick_at('2027-03-08 08:59+00');
SELECT * FROM tick_at('2027-03-08 09:00+00');
SELECT status, reason FROM pool.lead l JOIN pool.event e ON e.lead_id = l.id
    AND e.kind = 'archived' WHERE key = 'c1';

-- creation: whoever has it, but no spell that began when it was too late
SELECT rule('create', 'too old', 'reclaim', 'creation', '10 days',
    'to_pool_id = ' || pool_id('company')),
    rule('create', 'old', 'escalate', 'creation', '5 days');
SET pool_ext.clock = '2027-04-01 09:00+00';
INSERT INTO pool.intake (pool, key, created_at) VALUES
    ('create', 'new', NULL), ('create', 'old', '2027-03-25 09:00+00'),
    ('create', 'late', '2027-03-25 09:00+00');
SELECT key, due_at FROM pool.claim_leads(t.ids('new', 'old'), 'ann');
SELECT key, rule, due_at FROM pool.lead_due WHERE pool = 'create' ORDER BY key;
SELECT key, kind, rule, member, pool FROM tick_at('2027-04-01 09:00+00');
SET pool_ext.clock = '2027-04-05 09:00+00';
SELECT key, due_at FROM pool.claim('create', 'bob');
SELECT key, kind, rule, member, pool FROM tick_at('2027-04-06 09:00+00');
SELECT key, kind, rule, member, pool FROM tick_at('2027-05-06 09:00+00');
SELECT key, owner FROM t.leads() WHERE key IN ('new', 'old', 'late');

-- review: what nobody checks (as an entry rule leaves it)
INSERT INTO pool.pool (name, everyone) VALUES ('check', true);
INSERT INTO pool.membership (pool_id, member_id, role) SELECT pool_id('check'),
    id, 'manager' FROM pool.member WHERE key = 'boss';
SELECT t.fill('check', 'w', 1);
BEGIN;
UPDATE pool.lead_state SET status = 'review', ticket = NULL
    WHERE id = t.id('w1');
SELECT rule('check', 'look', 'escalate', 'review', '1 day',
    'notify = ''manager'''), rule('check', 'junk', 'archive', 'review', '9 days');
SELECT * FROM due('w1');
SELECT * FROM tick_at('2027-05-07 09:00+00');
SELECT * FROM tick_at('2027-05-15 08:59+00');
SELECT * FROM tick_at('2027-05-15 09:00+00');
ROLLBACK;

-- stage: since it was reached, in this spell
SELECT rule('stage', 'stuck', 'reclaim', 'stage', '3 days');
SELECT t.fill('stage', 's', 2);
SET pool_ext.clock = '2027-06-01 09:00+00';
SELECT key, due_at FROM pool.claim('stage', 'ann', 2);
-- (what follow_up(stage => …) notes)
UPDATE pool.lead_state SET stage = 'offer', stage_at = '2027-06-02 09:00+00'
    WHERE id = t.id('s1');
SELECT key, kind, rule, member FROM tick_at('2027-06-04 09:00+00');
SELECT * FROM due('s1');
SELECT key, kind, rule, member FROM tick_at('2027-06-05 09:00+00');
SET pool_ext.clock = '2027-07-01 09:00+00';
SELECT outcome, due_at FROM pool.claim_leads(t.ids('s1'), 'bob');

-- planned: what was promised and not done
SELECT rule('plan', 'forgotten', 'escalate', 'planned', '1 hour');
SELECT t.fill('plan', 'p', 2);
SELECT key, due_at FROM pool.claim('plan', 'ann', 2);
SELECT check_at FROM pool.lead_state WHERE id = t.id('p1');
SELECT outcome FROM pool.follow_up(t.id('p1'), member => 'ann',
    next_at => '2027-07-02 10:00+00');
SELECT * FROM due('p1');
SELECT * FROM tick_at('2027-07-02 10:59+00');
SELECT * FROM tick_at('2027-07-02 11:00+00');
SELECT * FROM tick_at('2027-07-05 11:00+00');

-- a ladder: day 3 the owner, day 5 his manager, day 6 the one above, day 7 gone
SELECT rule('ladder', 'owner', 'escalate', 'follow_up', '3 days'),
    rule('ladder', 'manager', 'escalate', 'follow_up', '5 days',
        'notify = ''manager'''),
    rule('ladder', 'above', 'escalate', 'follow_up', '6 days',
        'notify = ''parent_manager'''),
    rule('ladder', 'gone', 'reclaim', 'follow_up', '7 days',
        'remind_before = ''{1 day}''', 'notice_required = true');
SET pool_ext.clock = '2027-08-01 09:00+00';
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT t.fill('ladder', 'l', 3);
SELECT key, due_at FROM pool.claim('ladder', 'ann', 3);
SELECT rule, action, due_at FROM pool.lead_due WHERE key = 'l1';
SELECT * FROM tick_at('2027-08-04 09:00+00');
SELECT rule, action, due_at FROM pool.lead_due WHERE key = 'l1';
SELECT member, overdue FROM pool.stat_member WHERE pool = 'ladder'
    AND member = 'ann';
-- once per spell: a follow-up does not wind it up again, a new spell does
SELECT outcome, due_at FROM pool.follow_up(t.id('l1'), member => 'ann');
SELECT outcome FROM pool.transfer(t.ids('l2'), 'bob');
SELECT key, kind, rule, member, detail FROM tick_at('2027-08-07 09:00+00');
SELECT key, kind, rule, member, detail ->> 'told' AS told
    FROM tick_at('2027-08-08 09:00+00');
SELECT key, kind, rule, member, detail ->> 'told' AS told
    FROM tick_at('2027-08-09 09:00+00');
-- why: the same tests
SET pool_ext.clock = '2027-08-10 10:00+00';
SELECT rule, action, test, passed, due_at, detail
    FROM pool.explain_reclaim(t.id('l1'));
-- a long sleep: whoever is to be told is told, even of what goes
SELECT key, kind, rule, member, detail ->> 'told' AS told
    FROM tick_at('2027-09-09 09:00+00');
SELECT key, kind, rule, member, detail ->> 'told' AS told
    FROM tick_at('2027-09-10 09:00+00');
SELECT outcome FROM pool.claim_leads(t.ids('l1'), 'ann');
DELETE FROM pool.timer_rule WHERE name = 'gone';
SELECT key, kind, rule, detail ->> 'told' AS told
    FROM tick_at('2027-11-09 09:00+00');
SELECT rule('ladder', 'gone', 'reclaim', 'follow_up', '7 days');
SELECT key, kind, rule FROM tick_at('2027-11-09 09:01+00');
SELECT count(*) FROM due('l1');
-- of what is available once per stay
SELECT rule('ladder', 'lies about', 'escalate', 'entry', '1 day',
    'notify = ''manager''');
SELECT * FROM tick_at('2027-11-10 09:01+00') WHERE key = 'l1';
SELECT count(*) FROM tick_at('2027-11-20 09:01+00');
SELECT outcome FROM pool.claim_leads(t.ids('l1'), 'ann');
SELECT outcome FROM pool.release(t.ids('l1'), member => 'ann');
SELECT key, kind, rule FROM tick_at('2027-11-21 09:01+00');

-- of several that come at once the lowest id acts, an archiving one as well
SELECT rule('ties', 'b', 'archive', 'follow_up', '2 days'),
    rule('ties', 'a', 'reclaim', 'ownership', '2 days'),
    rule('ties', 'c', 'move', 'ownership', '1 day',
        'condition = ''$.grade == "M"''');
INSERT INTO pool.intake (pool, key, grade) VALUES ('ties', 't1', NULL),
    ('ties', 't2', 'M'), ('ties', 't3', NULL);
SET pool_ext.clock = '2027-12-01 09:00+00';
SELECT key, due_at FROM pool.claim('ties', 'ann', 3);
SELECT outcome FROM pool.follow_up(t.id('t3'), member => 'ann');
SET pool_ext.clock = '2027-12-02 08:00+00';
SELECT outcome FROM pool.follow_up(t.id('t3'), member => 'ann');
SELECT key, kind, rule, member, pool FROM tick_at('2027-12-03 09:00+00');
SELECT held FROM pool.stat_member WHERE pool = 'ties' AND member = 'ann';

-- protection: reclaim waits, escalations and reminders do not
SELECT rule('shield', 'told', 'escalate', 'ownership', '1 day'),
    rule('shield', 'gone', 'reclaim', 'ownership', '2 days',
        'remind_before = ''{12 hours}''');
SELECT t.fill('shield', 'sh', 1);
SELECT count(*) FROM pool.claim('shield', 'ann');
UPDATE pool.lead_state SET protected_until = '2027-12-08 09:00+00'
    WHERE id = t.id('sh1');
SELECT key, kind, rule, detail - 'told' AS detail
    FROM tick_at('2027-12-06 09:00+00');
SELECT * FROM due('sh1');
SELECT rule, test, passed, due_at FROM pool.explain_reclaim(t.id('sh1'));
SELECT key, kind, rule, detail FROM tick_at('2027-12-07 21:00+00');
SELECT key, kind, rule, detail FROM tick_at('2027-12-08 09:00+00');

-- after a pause of the ticks owners have time to catch up
SELECT rule('down', 'gone', 'reclaim', 'follow_up', '2 days');
SELECT t.fill('down', 'd', 4);
SET pool_ext.clock = '2028-01-03 09:00+00';
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT count(*) FROM pool.claim('down', 'ann', 3);
SELECT key, kind FROM tick_at('2028-01-05 08:30+00');
SET pool_ext.clock = '2028-01-04 09:00+00';
SELECT outcome FROM pool.follow_up(t.id('d2'), member => 'ann');
SELECT key, kind FROM tick_at('2028-01-05 08:30+00');
-- nothing is added where the pool says nothing
BEGIN;
SELECT key, kind FROM tick_at('2028-01-10 09:00+00');
ROLLBACK;
UPDATE pool.pool SET catch_up = '1 day' WHERE name = 'down';
SELECT key, kind FROM tick_at('2028-01-05 08:30+00');
-- undone, it has not been noted
BEGIN;
SELECT key, kind FROM tick_at('2028-01-10 09:00+00');
ROLLBACK;
SELECT key, kind FROM tick_at('2028-01-10 09:30+00');
SELECT key, rule, due_at FROM pool.lead_due WHERE pool = 'down' ORDER BY key;
SELECT outcome FROM pool.follow_up(t.id('d1'), member => 'ann');
-- what is due later is not moved, and an hour is no pause
SELECT key, kind FROM tick_at('2028-01-11 09:29+00');
SELECT key, kind FROM tick_at('2028-01-11 09:30+00');
SELECT key, kind FROM tick_at('2028-01-12 08:31+00');
SELECT key, kind FROM tick_at('2028-01-12 09:31+00');
SELECT count(*) FROM pool.downtime WHERE ended_at > '2028-01-05';

-- once, or rare ticks would put it off for ever
SELECT count(*) FROM pool.claim('down', 'bob', 1);
SELECT key, kind FROM tick_at('2028-01-13 12:00+00');
SELECT key, kind FROM tick_at('2028-01-14 12:00+00');
SELECT key, due_at FROM pool.lead_due WHERE pool = 'down';
SELECT key, kind FROM tick_at('2028-01-15 11:00+00');
SELECT key, kind FROM tick_at('2028-01-15 12:01+00');
DELETE FROM pool.downtime;

-- ping-pong: two rounds without a follow-up, whoever had them
UPDATE pool.pool SET quarantine_after = 2, quarantine_pool_id = pool_id('sick')
    WHERE name = 'pingpong';
SELECT rule('pingpong', 'idle', 'reclaim', 'follow_up', '1 day');
SELECT t.fill('pingpong', 'q', 4);
SELECT outcome FROM pool.claim_leads(t.ids('q1', 'q2', 'q3', 'q4'), 'ann');
SELECT outcome FROM pool.release(t.ids('q1', 'q2', 'q3'), member => 'ann');
SELECT outcome FROM pool.transfer(t.ids('q4'), 'bob');
SELECT outcome FROM pool.release(t.ids('q4'), member => 'bob');
SELECT outcome FROM pool.claim_leads(t.ids('q1', 'q2', 'q3', 'q4'), 'bob');
SELECT outcome FROM pool.follow_up(t.id('q2'), member => 'bob');
SELECT outcome FROM pool.release(t.ids('q1', 'q2'), member => 'bob');
SELECT outcome FROM pool.reclaim(t.ids('q3'), to_pool => 'company');
SELECT key, kind, rule, pool, detail FROM tick_at('2028-01-17 09:31+00');
SELECT pool, key FROM t.leads() WHERE key LIKE 'q_' ORDER BY key;
SELECT kind, reason, detail ? 'quarantine' AS quarantine
    FROM t.events(t.id('q1'));
-- a follow-up has begun the count anew, and so does moving
SELECT outcome FROM pool.claim_leads(t.ids('q2'), 'ann');
SELECT outcome FROM pool.release(t.ids('q2'), member => 'ann');
SELECT outcome FROM pool.move(t.ids('q1'), 'pingpong');
SELECT outcome FROM pool.claim_leads(t.ids('q1', 'q2'), 'bob');
SELECT outcome FROM pool.release(t.ids('q1', 'q2'), member => 'bob');
SELECT pool, key FROM t.leads() WHERE key IN ('q1', 'q2') ORDER BY key;

-- approval: requests that nobody decides
SELECT rule('request', 'waits', 'escalate', 'approval', '1 day',
    'notify = ''manager''');
SELECT t.fill('request', 'r', 1);
INSERT INTO pool.approval (id, tenant_id, pool_id, lead_id, action, created_at)
    SELECT 1, p.tenant_id, p.id, t.id('r1'), 'claim', pool.clock()
    FROM pool.pool p WHERE name = 'request';
SELECT * FROM tick_at('2028-01-18 09:30+00');
SELECT * FROM tick_at('2028-01-18 09:31+00');
SELECT * FROM tick_at('2028-01-19 09:31+00');
UPDATE pool.approval SET status = 'rejected';
INSERT INTO pool.approval (id, tenant_id, pool_id, lead_id, action, created_at)
    SELECT 2, p.tenant_id, p.id, t.id('r1'), 'claim', pool.clock()
    FROM pool.pool p WHERE name = 'request';
SELECT key, kind, detail -> 'approval' AS approval
    FROM tick_at('2028-01-20 09:31+00');

-- what comes back to a pool that routes is tried by the tick that took it back
UPDATE pool.pool SET route_returned = true WHERE name = 'shield';
INSERT INTO pool.routing_rule (pool_id, name, min_level, strategy)
    SELECT pool_id('shield'), 'nobody', 99, 'round_robin';
SELECT outcome FROM pool.claim_leads(t.ids('sh1'), 'bob');
SELECT key, kind, rule FROM tick_at('2028-02-16 09:31+00') WHERE key = 'sh1';
SELECT d.key, p.name, w.reason, w.tried_at FROM pool.routing_wait w
    JOIN pool.lead_data d ON d.id = w.lead_id
    JOIN pool.pool p ON p.id = w.pool_id;

-- a change of rules touches what it concerns, in chunks, and says how far it is
SELECT t.fill('clean', 'many', 5);
SELECT count(*) FROM pool.claim('clean', 'bob', 2);
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT pool, member, to_do, done, done_share FROM pool.stat_recheck;
UPDATE pool.timer_rule SET after = '90 days' WHERE pool_id = pool_id('clean');
SELECT pool, member, to_do, done, since, done_share FROM pool.stat_recheck;
SELECT task, done, more FROM pool.tick(2) WHERE task = 'recheck';
SELECT pool, member, to_do, done, done_share FROM pool.stat_recheck;
SELECT task, done, more FROM pool.tick() WHERE task = 'recheck';
SELECT count(*) FROM pool.stat_recheck;
-- rules about owned leads do not walk over the others
SELECT rule('clean', 'owned', 'escalate', 'ownership', '9 days');
SELECT task, done FROM pool.tick() WHERE task = 'recheck';
SELECT count(*) FROM pool.claim('clean', 'ann', 9);
-- a transaction that holds counters already deals with leads nobody owns, too
SELECT rule('held', 'lies about', 'escalate', 'entry', '1 day'),
    rule('held', 'gone', 'reclaim', 'follow_up', '2 days',
        'remind_before = ''{1 day}''');
SET pool_ext.clock = '2031-01-06 09:00+00';
SELECT count(*) > 0 AS ticked FROM pool.tick();
SELECT t.fill('held', 'hd', 4);
BEGIN;
SELECT count(*) FROM pool.claim('held', 'ann', 2);
SELECT key, kind, rule FROM tick_at('2031-01-07 09:00+00') WHERE pool = 'held';
ROLLBACK;
-- one lead that is protected for good holds up no other
SET pool_ext.clock = '2031-01-06 09:00+00';
SELECT key FROM pool.claim('held', 'ann', 3);
SELECT outcome FROM pool.protect(t.ids('hd1'), member => 'ann');
SELECT outcome, due_at FROM pool.follow_up(t.id('hd1'), member => 'ann');
SELECT * FROM due('hd1');
SELECT test, passed, due_at FROM pool.explain_reclaim(t.id('hd1'))
    WHERE rule = 'gone';
SELECT outcome FROM pool.protect(t.ids('hd3'), '2031-02-01', member => 'ann');
SELECT key, kind, rule FROM tick_at('2031-01-08 09:00+00')
    WHERE kind = 'reclaimed';
-- protected anew, for less time: what is due then waits no longer
SELECT outcome FROM pool.protect(t.ids('hd1', 'hd3'), '2031-01-09 09:00+00',
    member => 'ann');
SELECT key, kind, rule FROM tick_at('2031-01-09 09:00+00')
    WHERE kind = 'reclaimed';
-- a condition that cannot be evaluated is no match; it is told of once, and the
-- other rules go on
INSERT INTO pool.pool (name, everyone) VALUES ('odd', true);
SELECT rule('odd', 'broken', 'reclaim', 'follow_up', '1 day',
        'condition = ''$.size.double() > 3'''),
    rule('odd', 'whole', 'reclaim', 'follow_up', '2 days');
SELECT e.outcome FROM unnest('{many,few,4}'::text[]) s, pool.enter('odd',
    'odd-' || s, attributes => jsonb_build_object('size', s), owner => 'ann') e;
SELECT key, kind, rule FROM tick_at('2031-01-10 09:00+00') WHERE pool = 'odd';
SELECT key, kind, rule FROM tick_at('2031-01-11 09:00+00') WHERE pool = 'odd';
-- why a lead that is due goes or stays: conditions, the notice, who comes first
INSERT INTO pool.pool (name, everyone) VALUES ('why', true);
SELECT rule('why', 'vague', 'reclaim', 'follow_up', '1 day',
        'condition = ''$.size.double() > 3'''),
    rule('why', 'few', 'reclaim', 'follow_up', '1 day',
        'condition = ''$.size == "few"'''),
    rule('why', 'warned', 'reclaim', 'follow_up', '1 day',
        'remind_before = ''{1 hour}''', 'notice_required = true'),
    rule('why', 'later', 'reclaim', 'follow_up', '2 days'),
    rule('why', 'last', 'archive', 'follow_up', '3 days');
SELECT outcome FROM pool.enter('why', 'y1', attributes => '{"size": "many"}',
    owner => 'ann');
SET pool_ext.clock = '2031-01-13 09:00+00';
SELECT rule, test, passed, due_at, detail FROM pool.explain_reclaim(t.id('y1'));
SET pool_ext.clock = '2031-01-15 09:00+00';
SELECT rule, test, passed, detail FROM pool.explain_reclaim(t.id('y1'))
    WHERE rule IN ('later', 'last');
SELECT key, kind, rule FROM tick_at('2031-01-15 09:00+00') WHERE pool = 'why';
-- the first of several warnings counts as notice
INSERT INTO pool.pool (name, everyone, review) VALUES ('notice', true, false),
    ('gate', true, true);
SELECT rule('notice', 'gone', 'reclaim', 'follow_up', '5 days',
    'remind_before = ''{2 days,1 day}''', 'notice_required = true');
SELECT outcome FROM pool.enter('notice', 'n1', owner => 'ann');
SELECT key, kind FROM tick_at('2031-01-18 10:00+00') WHERE pool = 'notice';
SELECT key, kind FROM tick_at('2031-01-19 10:00+00') WHERE pool = 'notice';
SELECT key, due_at, warned_at FROM pool.lead_due WHERE key = 'n1';
SELECT key, kind FROM tick_at('2031-01-20 10:00+00') WHERE pool = 'notice';
-- nothing moves that waits in review, however old it is
SELECT rule('gate', 'stale', 'move', 'creation', '1 day',
    'to_pool_id = ' || pool_id('clean'));
SELECT outcome FROM pool.enter('gate', 'g1');
SELECT key, kind FROM tick_at('2031-01-22 10:00+00') WHERE key = 'g1';
SELECT outcome FROM pool.review(t.ids('g1'), 'accept');
SELECT key, kind, pool FROM tick_at('2031-01-22 10:00+00') WHERE key = 'g1';
SELECT * FROM pool.verify();
