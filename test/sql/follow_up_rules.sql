-- What a pool demands of follow-ups and reasons, and what follows from words:
-- the dictionary, follow_up_requires, stages and progress.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p'), ('free');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('p', 'ann', 'bob', 'boss'), t.join_pool('free', 'ann');
UPDATE pool.membership SET role = 'manager'
    WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '10 days' FROM pool.pool WHERE name = 'p';
INSERT INTO pool.dictionary (pool_id, kind, code, counts, "then", after)
SELECT p.id, w.kind, w.code, w.counts, w."then", w.after::interval
FROM pool.pool p, (VALUES
    ('follow_up', 'call', true, 'nothing', NULL),
    ('follow_up', 'visit', true, 'nothing', NULL),
    ('follow_up', 'memo', false, 'nothing', NULL),
    ('result', 'reached', true, 'nothing', NULL),
    ('result', 'no answer', false, 'call_back', '4 hours'),
    ('result', 'later', true, 'call_back', '2 days'),
    ('result', 'not mine', true, 'release', NULL),
    ('result', 'next year', true, 'cool', '90 days'),
    ('result', 'wrong number', false, 'archive', NULL),
    ('release_reason', 'too busy', true, 'nothing', NULL),
    ('release_reason', 'mistake', false, 'nothing', NULL),
    ('release_reason', 'not now', true, 'cool', '7 days'),
    ('archive_reason', 'invalid', true, 'nothing', NULL),
    ('archive_reason', 'blocked', true, 'never', NULL))
    w (kind, code, counts, "then", after)
WHERE p.name = 'p';
UPDATE pool.pool SET cooldown = '30 days';
SELECT t.fill('p', 'a', 9), t.fill('free', 'f', 2);
SELECT count(*) FROM pool.claim('p', 'ann', 8);
SELECT count(*) FROM pool.claim('free', 'ann', 2);
CREATE FUNCTION t.lead(k text, OUT status text, OUT owner text, OUT ups integer,
    OUT last_at timestamptz, OUT next_at timestamptz, OUT result text,
    OUT hidden_until timestamptz)
LANGUAGE sql AS $$
    SELECT l.status, m.key, l.follow_ups, l.last_follow_up_at,
        l.next_follow_up_at, l.last_result, l.hidden_until
    FROM pool.lead l LEFT JOIN pool.member m ON m.id = l.owner_id
    WHERE l.key = k
$$;

-- a pool that has words takes no others; nothing is recorded
SET pool_ext.clock = '2026-03-03 09:00+00';
SELECT * FROM pool.follow_up(t.id('a1'), member => 'ann');
SELECT * FROM pool.follow_up(t.id('a1'), 'chat', member => 'ann');
SELECT * FROM pool.follow_up(t.id('a1'), 'call', 'REACHED', member => 'ann');
SELECT * FROM t.lead('a1');
SELECT count(*) FROM t.events(t.id('a1')) WHERE kind = 'followed_up';
SELECT outcome FROM pool.follow_up(t.id('f1'), 'chat', 'whatever', member => 'ann');
-- a word that is disabled is none; a kind without words is free again
UPDATE pool.dictionary SET enabled = false WHERE code = 'visit';
SELECT outcome FROM pool.follow_up(t.id('a1'), 'visit', member => 'ann');
BEGIN;
UPDATE pool.dictionary SET enabled = false WHERE kind = 'follow_up';
SELECT outcome FROM pool.follow_up(t.id('a1'), 'anything', member => 'ann');
ROLLBACK;

-- what counts moves the clocks
SELECT outcome, due_at FROM pool.follow_up(t.id('a1'), 'call', 'reached', member => 'ann');
SELECT * FROM t.lead('a1');
-- what does not is recorded, moves none, and says nothing of the first contact
SET pool_ext.clock = '2026-03-04 09:00+00';
SELECT outcome, event_id IS NOT NULL AS recorded, due_at
FROM pool.follow_up(t.id('a1'), 'memo', note => 'looked at the file', member => 'ann');
SELECT * FROM t.lead('a1');
SELECT outcome FROM pool.follow_up(t.id('a2'), 'call', 'no answer', member => 'ann');
SELECT * FROM t.lead('a2');
SELECT detail FROM t.events(t.id('a2')) WHERE kind = 'followed_up';
-- an entry from before the spell does not count either; a later one does
SELECT outcome FROM pool.follow_up(t.id('a2'), 'call', 'reached',
    occurred_at => '2026-03-02 08:59+00', member => 'ann');
SELECT ups, last_at, next_at, result FROM t.lead('a2');
SELECT outcome FROM pool.follow_up(t.id('a2'), 'call', 'reached',
    occurred_at => '2026-03-02 09:00+00', member => 'ann');
SELECT ups, last_at, next_at, result FROM t.lead('a2');
-- the statistics and the spell count what counts
SELECT sum(followed_up) FROM pool.stat_daily WHERE pool = 'p';
SELECT follow_ups, first_response_seconds FROM pool.lead_spell WHERE key = 'a2';

-- then: call_back plans, unless a time is named
SELECT outcome FROM pool.follow_up(t.id('a3'), 'call', 'later', member => 'ann');
SELECT next_at FROM t.lead('a3');
SELECT outcome FROM pool.follow_up(t.id('a3'), 'call', 'later',
    next_at => '2026-04-01 09:00+00', member => 'ann');
SELECT next_at FROM t.lead('a3');
-- then: release, cool, archive end the spell in the same call
SELECT outcome, due_at FROM pool.follow_up(t.id('a4'), 'call', 'not mine', member => 'ann');
SELECT * FROM t.lead('a4');
SELECT kind, member, actor, reason, detail FROM t.events(t.id('a4'));
SELECT outcome FROM pool.follow_up(t.id('a5'), 'call', 'next year', member => 'ann');
SELECT * FROM t.lead('a5');
SELECT kind, member, actor, reason, detail FROM t.events(t.id('a5')) OFFSET 2;
SELECT outcome FROM pool.follow_up(t.id('a6'), 'call', 'wrong number', member => 'ann');
SELECT * FROM t.lead('a6');
SELECT kind, member, actor, reason, detail FROM t.events(t.id('a6')) OFFSET 2;
SELECT held FROM pool.membership_state s JOIN pool.pool p ON p.id = s.pool_id
    WHERE p.name = 'p' AND held > 0;
SELECT * FROM pool.verify();
-- the same request again does nothing
SELECT outcome FROM pool.follow_up(t.id('a7'), 'call', 'not mine', member => 'ann',
    request_id => '00000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.follow_up(t.id('a7'), 'call', 'not mine', member => 'ann',
    request_id => '00000000-0000-0000-0000-000000000001');
SELECT count(*) FROM t.events(t.id('a7'));

-- release needs a word where the pool has them
SELECT outcome, key FROM pool.release(t.ids('a1', 'a2', 'a4'), member => 'ann');
SELECT outcome, key FROM pool.release(t.ids('a1', 'f2'), 'tired', member => 'ann');
SELECT outcome, key FROM pool.release(t.ids('a1'), 'mistake', member => 'ann');
SELECT outcome, key FROM pool.release(t.ids('a2'), 'too busy', member => 'ann');
SELECT outcome, key FROM pool.release(t.ids('a3'), 'not now', member => 'ann');
SELECT hidden_until FROM t.lead('a3');
SELECT detail FROM t.events(t.id('a1')) WHERE kind = 'released';
-- a reason that does not count begins no cooldown
SELECT outcome, key, retry_at FROM pool.claim_leads(t.ids('a1', 'a2'), 'ann');
-- archive as well
SELECT outcome, key FROM pool.archive(t.ids('a1', 'f2'), 'dull');
SELECT outcome, key FROM pool.archive(t.ids('a1'), 'blocked');
-- releases that an approval rule is about
INSERT INTO pool.approval_rule (pool_id, name, action, condition)
    SELECT id, 'big', 'release', '$.big == true' FROM pool.pool WHERE name = 'p';
SELECT outcome FROM pool.claim_leads(t.ids('a9', 'a7'), 'bob');
SELECT * FROM pool.edit(t.id('a9'), attributes => '{"big": true}');
SELECT outcome, key FROM pool.release(t.ids('a9', 'a7'), 'too busy', member => 'bob');
SELECT outcome FROM pool.reclaim(t.ids('a9'));

-- a result that ends the spell asks where a release must be asked for: the
-- follow-up stays, and so does the lead until somebody agrees
INSERT INTO pool.approval_rule (pool_id, name, action, condition)
    SELECT id, 'wrong', 'archive', '$.last_result == "wrong number"' FROM pool.pool WHERE name = 'p';
SELECT t.fill('p', 'e', 4), t.fill('p', 'h', 2);
SELECT outcome FROM pool.assign(t.ids('e1', 'e2', 'e3', 'e4', 'h1', 'h2'), 'bob');
SELECT outcome FROM generate_series(1, 4) i, pool.edit(t.id('e' || i), attributes => '{"big": true}');
SELECT outcome, due_at FROM pool.follow_up(t.id('e1'), 'call', 'not mine', member => 'bob');
SELECT outcome FROM pool.follow_up(t.id('e2'), 'call', 'next year', member => 'bob');
SELECT outcome FROM pool.follow_up(t.id('e3'), 'call', 'wrong number', member => 'bob');
-- once asked for is enough; others are not asked about
SELECT outcome FROM pool.follow_up(t.id('e1'), 'call', 'not mine', member => 'bob');
SELECT outcome FROM pool.follow_up(t.id('h1'), 'call', 'not mine', member => 'bob');
SELECT key, status, owner, ups, result FROM (VALUES ('e1'), ('e2'), ('e3'), ('h1')) k (key), t.lead(key);
SELECT key, action, applicant, reason, span FROM pool.approval_open ORDER BY key;
SELECT kind, member, actor, reason, detail - 'approval' FROM t.events(t.id('e1')) OFFSET 3;
SELECT o.key, a.outcome, a.reason FROM pool.approval_open o, pool.approve(o.id, 'so be it', 'boss') a ORDER BY o.key;
SELECT key, status, owner, hidden_until FROM (VALUES ('e1'), ('e2'), ('e3')) k (key), t.lead(key);
SELECT kind, member, actor, reason FROM t.events(t.id('e2')) OFFSET 4;
-- who could agree need not ask; refused, the lead stays
SELECT outcome FROM pool.transfer(t.ids('e4'), 'boss');
SELECT outcome FROM pool.follow_up(t.id('e4'), 'call', 'not mine', member => 'boss');
SELECT status FROM t.lead('e4');
SELECT outcome FROM pool.follow_up(t.id('h2'), 'call', 'wrong number', member => 'bob');
SELECT o.key, r.outcome FROM pool.approval_open o, pool.reject(o.id, 'try again', 'boss') r;
SELECT status, owner FROM t.lead('h2');
SELECT outcome FROM pool.follow_up(t.id('h2'), 'call', 'wrong number', member => 'bob');
SELECT key, action FROM pool.approval_open;
-- a member cannot ask with a word of follow-ups
SELECT outcome FROM pool.request('release', t.id('h2'), reason => 'not mine', actor => 'bob');
DELETE FROM pool.approval_rule WHERE action = 'archive';
SELECT * FROM pool.verify();

-- what a follow-up must have
UPDATE pool.pool SET follow_up_requires = '{note,result,next_at,minutes}',
    follow_up_min_chars = 5 WHERE name = 'p';
CREATE FUNCTION t.try(k text, result text, note text, next_at timestamptz,
    detail jsonb) RETURNS text
LANGUAGE sql AS $$
    SELECT outcome FROM pool.follow_up(t.id(k), 'call', $2, $3, $4, NULL, $5,
        NULL, 'ann')
$$;
SELECT t.try('a8', NULL, 'a note', '2026-03-09', '{"minutes": 3}') AS result,
    t.try('a8', 'reached', NULL, '2026-03-09', '{"minutes": 3}') AS note,
    t.try('a8', 'reached', E' 四个字啊 \n', '2026-03-09', '{"minutes": 3}') AS short,
    t.try('a8', 'reached', 'a note', NULL, '{"minutes": 3}') AS next_at,
    t.try('a8', 'reached', 'a note', '2026-03-09', '{"minutes": null}') AS nothing,
    t.try('a8', 'reached', 'a note', '2026-03-09', '["minutes"]') AS list,
    t.try('a8', 'reached', 'a note', '2026-03-09', NULL) AS field;
SELECT t.try('a8', 'reached', E'\u3000\u00a0\u2003\u200b\u3000一\u3000\u3000', '2026-03-09', '{"minutes": 3}') AS wide_space;
SELECT ups, result FROM t.lead('a8');
SELECT t.try('a8', 'reached', '五个字也可', '2026-03-09', '{"minutes": 0}') AS all,
    t.try('a8', 'later', 'a note', NULL, '{"minutes": 3}') AS planned;
SELECT ups, result FROM t.lead('a8');
-- nothing comes next where the spell ends
BEGIN;
SELECT t.try('a8', 'not mine', 'a note', NULL, '{"minutes": 3}');
ROLLBACK;
UPDATE pool.pool SET follow_up_requires = '{kind,stage,occurred_at}' WHERE name = 'free';
SELECT outcome FROM pool.follow_up(t.id('f1'), 'call', occurred_at => '2026-03-03', member => 'ann');
SELECT outcome FROM pool.follow_up(t.id('f1'), 'call', stage => 'offer', member => 'ann');
SELECT outcome FROM pool.follow_up(t.id('f1'), 'note', stage => 'offer', occurred_at => '2026-03-03', member => 'ann');
SELECT outcome FROM pool.follow_up(t.id('f1'), 'call', stage => 'offer', occurred_at => '2026-03-03', member => 'ann');

-- stage: since when it is what it is
SELECT stage, stage_at FROM pool.lead WHERE key = 'f1';
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT outcome FROM pool.follow_up(t.id('f1'), 'call', stage => 'offer', occurred_at => '2026-03-03', member => 'ann');
SELECT stage, stage_at FROM pool.lead WHERE key = 'f1';
SELECT outcome FROM pool.follow_up(t.id('f1'), 'call', stage => 'contract', occurred_at => '2026-03-03', member => 'ann');
SELECT stage, stage_at FROM pool.lead WHERE key = 'f1';

-- progress: of the ten days of the timer
CREATE FUNCTION t.progress(at timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('pool_ext.clock', at::text, true);
    PERFORM pool.act_as('ann');
    RETURN (SELECT string_agg(key || ' ' || coalesce(progress, '-'), ', ' ORDER BY key)
        FROM pool.lead_mine);
END $$;
SELECT outcome FROM pool.assign(t.ids('a9'), 'ann');
SELECT key, last_follow_up_at, owned_at FROM pool.lead WHERE key IN ('a8', 'a9', 'f1');
SELECT at, t.progress(at) FROM unnest('{2026-03-05 09:00+00,2026-03-09 08:59+00,
    2026-03-09 09:00+00,2026-03-14 08:59+00,2026-03-14 09:00+00,
    2026-03-15 09:00+00}'::timestamptz[]) at;
BEGIN;
SELECT pool.act_as('boss');
SELECT key, progress, stage_at FROM pool.lead_team ORDER BY key;
COMMIT;

-- of a planned follow-up the window begins when that was to be
INSERT INTO pool.pool (name) VALUES ('plans');
SELECT t.join_pool('plans', 'ann', 'boss');
UPDATE pool.membership SET role = 'manager' WHERE member_id = (SELECT id FROM pool.member WHERE key = 'boss');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'forgotten', 'planned', '4 days' FROM pool.pool WHERE name = 'plans';
SELECT t.fill('plans', 'g', 1);
SELECT outcome FROM pool.claim_leads(t.ids('g1'), 'ann');
SELECT outcome, due_at FROM pool.follow_up(t.id('g1'), next_at => '2026-03-11 09:00+00', member => 'ann');
CREATE FUNCTION t.progress_of(lead text, at timestamptz) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    mine text;
BEGIN
    PERFORM set_config('pool_ext.clock', at::text, true);
    PERFORM pool.act_as('ann');
    mine := (SELECT progress FROM pool.lead_mine WHERE key = lead);
    PERFORM pool.act_as('boss');
    RETURN ARRAY[mine, (SELECT progress FROM pool.lead_team WHERE key = lead)];
END $$;
SELECT at, t.progress_of('g1', at) FROM unnest('{2026-03-11 08:00+00,2026-03-12 09:00+00,
    2026-03-13 09:00+00,2026-03-15 08:59+00,2026-03-15 09:00+00}'::timestamptz[]) at;

-- what a word may be
CREATE FUNCTION t.word(kind text, thn text, after interval) RETURNS text
LANGUAGE sql AS $$
    SELECT coalesce(state, message) FROM t.error(format(
        'INSERT INTO pool.dictionary (pool_id, kind, code, "then", after)'
        ' SELECT id, %L, ''w'' || random(), %L, %L::interval FROM pool.pool'
        ' WHERE name = ''free''', kind, thn, after))
$$;
SELECT k, string_agg(w || ' ' || t.word(k, w, NULL) || ' '
    || t.word(k, w, '1 day'), ', ' ORDER BY n)
FROM unnest('{follow_up,result,release_reason,archive_reason,other}'::text[]) k,
    unnest('{nothing,call_back,release,archive,cool,never}'::text[])
        WITH ORDINALITY w (w, n)
GROUP BY k ORDER BY k;
SELECT * FROM pool.verify();
