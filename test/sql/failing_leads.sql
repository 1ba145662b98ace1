-- A lead that somebody's trigger refuses: ticks report it and leave it out, and
-- all others go on.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2028-03-01 09:00+00';
INSERT INTO pool.tenant (name, timezone) VALUES ('default', 'UTC');
INSERT INTO pool.pool (name, everyone) SELECT n, true
    FROM unnest('{idle,broken,other,leaver,routed}'::text[]) n;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '1 day' FROM pool.pool
    WHERE name IN ('idle', 'broken', 'other');

-- The text a lead's key begins with and that no change of it gets past.
CREATE TABLE poison (key text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pool.lead_data d JOIN poison p
               ON d.key ~ ('^' || p.key || '$')
               WHERE d.id = (to_jsonb(new) ->> TG_ARGV[0])::bigint) THEN
        RAISE 'refused: Mr %', TG_ARGV[0];
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER INSERT ON pool.event
    FOR EACH ROW EXECUTE FUNCTION refuse('lead_id');
CREATE TRIGGER refuse AFTER UPDATE ON pool.lead_state
    FOR EACH ROW EXECUTE FUNCTION refuse('id');
CREATE FUNCTION tick_at(moment timestamptz, max_leads integer DEFAULT NULL)
RETURNS TABLE (key text, kind text) LANGUAGE plpgsql AS $$
DECLARE
    last bigint := (SELECT max(id) FROM pool.event);
BEGIN
    PERFORM set_config('pool_ext.clock', moment::text, false);
    PERFORM pool.tick(max_leads);
    RETURN QUERY SELECT d.key, e.kind FROM pool.event e
        JOIN pool.lead_data d ON d.id = e.lead_id
        WHERE e.id > last ORDER BY d.key, e.id;
END $$;

-- timers: two of ten, the first one among them; nothing personal is said
SELECT t.fill('idle', 'i', 10), t.fill('other', 'o', 1);
SELECT count(*) FROM pool.claim('idle', 'ann', 10);
SELECT count(*) FROM pool.claim('other', 'ann', 1);
INSERT INTO poison VALUES ('i1'), ('i7');
SELECT string_agg(key, ' ' ORDER BY key) AS keys, kind
    FROM tick_at('2028-03-02 09:00+00') GROUP BY kind;
SELECT key, status FROM t.leads('idle') WHERE status = 'owned';
-- ... and what it did is one run still
SELECT pool, done, leads FROM pool.stat_run r, LATERAL (SELECT count(*) AS leads
    FROM pool.event e WHERE e.pool_id = r.pool_id AND e.kind = 'reclaimed') e
    WHERE kind = 'reclaim' ORDER BY pool;
-- however many batches a transaction has, it tries them once
SELECT count(*) FROM pool.claim('idle', 'ann', 8);
BEGIN;
SELECT count(*) FROM tick_at('2028-03-03 09:00+00', 3);
SELECT count(*) FROM tick_at('2028-03-03 09:00+00');
COMMIT;
-- with few at a time they do not stand before the rest
SELECT count(*) FROM pool.claim('idle', 'ann', 8);
SELECT string_agg(key, ' ' ORDER BY key) AS keys, kind
    FROM tick_at('2028-03-04 09:00+00', 3) GROUP BY kind;
TRUNCATE poison;
SELECT string_agg(key, ' ' ORDER BY key) AS keys, kind
    FROM tick_at('2028-03-04 09:00+00') GROUP BY kind;

-- a cancel ends the tick, and leaves no transaction behind
SELECT count(*) FROM pool.claim('idle', 'ann', 10);
CREATE FUNCTION cancel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'stop' USING ERRCODE = 'query_canceled';
END $$;
CREATE TRIGGER zz_cancel AFTER INSERT ON pool.event
    FOR EACH ROW EXECUTE FUNCTION cancel();
SET pool_ext.clock = '2028-03-05 09:00+00';
SELECT count(*) FROM pool.tick();
SELECT key, status FROM t.leads('idle') WHERE status <> 'owned';
-- ... nor does an error where rows are only checked
SET pool_ext.intake_mode = 'check';
INSERT INTO pool.intake (pool, key) VALUES ('other', 'o9');
RESET pool_ext.intake_mode;
SELECT t.id('o9');
DROP TRIGGER zz_cancel ON pool.event;
SELECT count(*), kind FROM tick_at('2028-03-05 09:00+00') GROUP BY kind;

-- where everything fails the pool is given up, after a while
SELECT t.fill('broken', 'b', 200);
SELECT count(*) FROM pool.claim('broken', 'bob', 200);
SELECT count(*) FROM pool.claim('other', 'ann', 1);
INSERT INTO poison VALUES ('b.*');
SET client_min_messages = error;
SELECT * FROM tick_at('2028-03-06 09:00+00') WHERE key !~ '^i';
RESET client_min_messages;
TRUNCATE poison;
SELECT count(*), kind FROM tick_at('2028-03-06 09:00+00') GROUP BY kind;

-- a change of rules: all others have new times
SELECT count(*) FROM pool.claim('idle', 'ann', 20);
INSERT INTO poison VALUES ('i3');
UPDATE pool.timer_rule SET after = '2 days' WHERE name = 'idle';
SELECT count(*) FROM tick_at('2028-03-06 09:00+00');
SELECT d.key, s.check_at FROM pool.lead_state s JOIN pool.lead_data d USING (id)
    WHERE s.status = 'owned' AND d.key IN ('i2', 'i3', 'i4') ORDER BY d.key;
SELECT count(*) FROM pool.timer_recheck;
TRUNCATE poison;
SELECT count(*), kind FROM tick_at('2028-03-08 09:00+00') GROUP BY kind;

-- a run goes on around it, and is done when it can be
SELECT setval('pool.run_id_seq', 1000);
SELECT t.fill('leaver', 'l', 10);
SELECT count(*) FROM pool.claim('leaver', 'bob', 10);
INSERT INTO poison VALUES ('l5');
SELECT outcome FROM pool.offboard('bob');
SELECT kind, status, done, skipped FROM pool.stat_run WHERE kind = 'offboard';
SELECT count(*) FROM tick_at('2028-03-08 09:00+00');
SELECT key, owner FROM t.leads('leaver') WHERE status = 'owned';
TRUNCATE poison;
SELECT count(*) FROM tick_at('2028-03-08 09:00+00');
SELECT kind, status, done, skipped FROM pool.stat_run WHERE kind = 'offboard';
SELECT status FROM pool.member WHERE key = 'bob';

-- routing
UPDATE pool.pool SET route_returned = true WHERE name = 'routed';
UPDATE pool.member SET status = 'away';
INSERT INTO pool.routing_rule (pool_id, name, strategy)
    SELECT id, 'turns', 'round_robin' FROM pool.pool WHERE name = 'routed';
SELECT t.fill('routed', 'r', 5);
UPDATE pool.member SET status = 'active' WHERE key = 'ann';
INSERT INTO poison VALUES ('r2');
SELECT * FROM tick_at('2028-03-08 10:00+00');
TRUNCATE poison;
SELECT * FROM tick_at('2028-03-08 11:00+00');
SELECT * FROM pool.verify();

-- A lock that a trigger is refused is no other error, and told of.
INSERT INTO pool.pool (name, everyone) VALUES ('locked', true);
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '1 day' FROM pool.pool WHERE name = 'locked';
SELECT t.fill('locked', 'k', 6);
SELECT count(*) FROM pool.claim('locked', 'ann', 6);
CREATE FUNCTION lock_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.lead_id = t.id('k2') THEN
        RAISE 'held: Mr Wang' USING ERRCODE = 'lock_not_available';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lock_it AFTER INSERT ON pool.event
    FOR EACH ROW EXECUTE FUNCTION lock_it();
SELECT * FROM tick_at('2028-03-09 12:00+00') WHERE key ~ '^k';
DROP TRIGGER lock_it ON pool.event;
SELECT * FROM tick_at('2028-03-09 13:00+00') WHERE key ~ '^k';

-- Leads of one customer leave a member together, or none of them.
INSERT INTO pool.pool (name, everyone, duplicate_policy)
    VALUES ('joined', true, 'link');
INSERT INTO pool.member (key) VALUES ('dan'), ('eve');
INSERT INTO pool.intake (pool, key, identities, owner) SELECT 'joined', 'j' || n,
    jsonb_build_object('phone', '1380013800' || n / 3), 'dan'
    FROM generate_series(0, 8) n;
INSERT INTO poison VALUES ('j4');
SELECT outcome, planned FROM pool.offboard('dan', 'eve');
SELECT * FROM tick_at('2028-03-09 14:00+00') WHERE kind <> 'reclaimed';
SELECT key, owner FROM t.leads('joined') ORDER BY key;
TRUNCATE poison;
SELECT * FROM tick_at('2028-03-09 15:00+00') WHERE kind <> 'reclaimed';

-- Of two runs one goes on where the other's row cannot be written, and whoever
-- has few leads at a time comes to both.
INSERT INTO pool.pool (name, everyone) VALUES ('going', true);
INSERT INTO pool.member (key) VALUES ('fay'), ('gus');
SELECT t.fill('going', 'f', 6);
SELECT count(*) FROM pool.claim('going', 'fay', 3);
SELECT count(*) FROM pool.claim('going', 'gus', 3);
CREATE FUNCTION refuse_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'refused: Mr Li';
END $$;
BEGIN;
SELECT outcome, planned, done FROM pool.offboard('fay');
SELECT outcome, planned, done FROM pool.offboard('gus');
SELECT r.run_id AS fays FROM pool.stat_run r ORDER BY run_id DESC OFFSET 1 LIMIT 1 \gset
COMMIT;
SELECT format('CREATE TRIGGER refuse BEFORE UPDATE ON pool.run FOR EACH ROW
    WHEN (new.id = %s) EXECUTE FUNCTION refuse_run()', :fays) \gexec
SELECT task, done, more FROM pool.tick(2) WHERE task = 'runs';
SELECT key, owner FROM t.leads('going');
DROP TRIGGER refuse ON pool.run;
SELECT task, done, more FROM pool.tick(2) WHERE task = 'runs';
SELECT task, done, more FROM pool.tick(9) WHERE task = 'runs';
SELECT key, owner FROM t.leads('going');
SELECT kind, status, done, skipped FROM pool.stat_run ORDER BY run_id DESC LIMIT 2;

-- Where most of them fail a step is given up, after a while, and the next one goes on.
INSERT INTO pool.member (key) VALUES ('hal');
SELECT t.fill('going', 'h', 150);
SELECT count(*) FROM pool.claim_leads(ARRAY(SELECT t.id('h' || i)
    FROM generate_series(1, 150) i), 'hal') WHERE outcome = 'claimed';
INSERT INTO poison VALUES ('h[0-9]*[1-9]');
SELECT outcome, planned FROM pool.offboard('hal');
SET client_min_messages = error;
SELECT count(*) > 0 AS any FROM pool.tick();
SELECT count(*) > 0 AS any FROM pool.tick();
SELECT count(*) > 50 AS many FROM t.leads('going') WHERE owner = 'hal';
SELECT status FROM pool.stat_run ORDER BY run_id DESC LIMIT 1;
-- ... and so it is with a change of rules
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '90 days' FROM pool.pool WHERE name = 'going';
SELECT count(*) > 0 AS any FROM pool.tick();
RESET client_min_messages;
TRUNCATE poison;
SELECT count(*) > 0 AS any FROM pool.tick();
SELECT count(*) FROM t.leads('going') WHERE owner = 'hal';
SELECT status, done FROM pool.stat_run ORDER BY run_id DESC LIMIT 1;
SELECT count(*) FROM pool.timer_recheck;

-- Requests whose time is over: one that cannot end holds up no other, however few
-- are ended at a time.
INSERT INTO pool.pool (name, everyone) VALUES ('asked', true);
INSERT INTO pool.claim_rule (pool_id, name, approval)
    SELECT id, 'ask', true FROM pool.pool WHERE name = 'asked';
SELECT t.fill('asked', 'q', 3);
SELECT r.outcome FROM generate_series(1, 3) i,
    pool.request_claim(t.id('q' || i), NULL, 'ann') r;
UPDATE pool.approval SET expires_at = '2028-03-09 16:00+00' WHERE status = 'open';
UPDATE pool.lead_state SET hidden_until = '2028-03-09 16:00+00'
    WHERE id = ANY (t.ids('q1', 'q2', 'q3'));
INSERT INTO poison VALUES ('q1');
SELECT * FROM tick_at('2028-03-09 16:00+00', 1) WHERE key ~ '^q';
SELECT * FROM tick_at('2028-03-09 16:00+00', 1) WHERE key ~ '^q';
TRUNCATE poison;
SELECT * FROM tick_at('2028-03-09 16:00+00') WHERE key ~ '^q';

-- Of what came back by time, and is routed, one that fails holds up no other pool.
INSERT INTO pool.pool (name, everyone, route_returned)
    SELECT 'ring' || i, true, true FROM generate_series(1, 3) i;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '1 day' FROM pool.pool WHERE name ~ '^ring';
INSERT INTO pool.routing_rule (pool_id, name, strategy)
    SELECT id, 'turns', 'round_robin' FROM pool.pool WHERE name ~ '^ring';
UPDATE pool.member SET status = 'active' WHERE key IN ('ann', 'cat');
INSERT INTO pool.intake (pool, key, owner) SELECT 'ring' || i, format('ring%s-%s', i, n),
    'ann' FROM generate_series(1, 3) i, generate_series(1, 2) n;
CREATE FUNCTION refuse_routed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.kind = 'assigned' AND new.lead_id = t.id('ring2-1') THEN
        RAISE 'refused: Mr Zhao';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_routed AFTER INSERT ON pool.event
    FOR EACH ROW EXECUTE FUNCTION refuse_routed();
SELECT * FROM tick_at('2028-03-11 12:00+00') WHERE key ~ '^ring';
DROP TRIGGER refuse_routed ON pool.event;
SELECT * FROM tick_at('2028-03-11 12:20+00') WHERE key ~ '^ring';

-- Requests that nobody decides on: one that cannot be escalated holds up no other.
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
    SELECT id, 'undecided', 'escalate', 'approval', '1 day' FROM pool.pool
    WHERE name = 'asked';
SELECT r.outcome FROM generate_series(1, 3) i,
    pool.request_claim(t.id('q' || i), NULL, 'ann') r;
INSERT INTO poison VALUES ('q1');
SELECT * FROM tick_at('2028-03-12 14:00+00') WHERE key ~ '^q';
TRUNCATE poison;
SELECT * FROM tick_at('2028-03-12 14:00+00') WHERE key ~ '^q';

-- What fails, or somebody holds, keeps nothing else from being routed, nor
-- from ending in time, however few ticks look at at once.
DROP TRIGGER refuse ON pool.event;
DROP TRIGGER refuse ON pool.lead_state;
CREATE TRIGGER refuse AFTER INSERT ON pool.event FOR EACH ROW
    WHEN (new.kind = 'assigned') EXECUTE FUNCTION refuse('lead_id');
INSERT INTO pool.pool (name, everyone, route_returned)
    VALUES ('back1', true, true), ('back2', true, true);
SELECT t.fill('back1', 's', 3), t.fill('back2', 'u', 1);
SELECT outcome FROM pool.assign(t.ids('s1', 's2', 's3', 'u1'), 'eve');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'back', 'follow_up', '1 day' FROM pool.pool WHERE name ~ '^back';
INSERT INTO pool.routing_rule (pool_id, name, strategy)
    SELECT id, 'back', 'round_robin' FROM pool.pool WHERE name ~ '^back';
INSERT INTO poison VALUES ('s.*');
SET client_min_messages = error;
SELECT * FROM tick_at('2028-03-10 15:00+00', 3) WHERE key ~ '^[su]';
SELECT * FROM tick_at('2028-03-10 15:01+00', 3) WHERE key ~ '^[su]';
SELECT * FROM tick_at('2028-03-10 15:02+00', 3) WHERE key ~ '^[su]';
TRUNCATE poison;
SELECT * FROM tick_at('2028-03-10 15:03+00', 3) WHERE key ~ '^[su]';
RESET client_min_messages;
INSERT INTO pool.pool (name, everyone) VALUES ('veto', true);
INSERT INTO pool.routing_rule (pool_id, name, strategy, expires_after)
    SELECT id, 'veto', 'suggest', '1 hour' FROM pool.pool WHERE name = 'veto';
SELECT t.fill('veto', 'v', 4);
INSERT INTO poison VALUES ('v[123]');
SET client_min_messages = error;
SELECT * FROM tick_at('2028-03-10 17:00+00', 3) WHERE key ~ '^v';
TRUNCATE poison;
SELECT key, kind FROM tick_at('2028-03-10 17:01+00', 3) WHERE key ~ '^v';
RESET client_min_messages;
SELECT * FROM pool.verify();
DROP TRIGGER refuse ON pool.event;

-- A trigger that leaves a row out without a word is told of: it is not
-- written by half, and nobody hears that it is done.
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;
CREATE FUNCTION left_out(name text, events text, call text)
RETURNS TABLE (state text, message text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER leave_out BEFORE %s ON pool.%I'
        ' FOR EACH ROW EXECUTE FUNCTION leave_out()', events, name);
    SELECT e.state, e.message INTO state, message FROM t.error(call) e;
    RETURN NEXT;
    EXECUTE format('DROP TRIGGER leave_out ON pool.%I', name);
END $$;
SELECT t.fill('other', 'n', 2);
INSERT INTO pool.member (key) VALUES ('cat');
SELECT left_out(name, events, call) FROM (VALUES
    ('lead_state', 'UPDATE', $$SELECT pool.claim('other', 'ann')$$),
    ('membership_state', 'UPDATE', $$SELECT pool.claim('other', 'ann')$$),
    ('event', 'INSERT', $$SELECT pool.claim('other', 'ann')$$),
    ('lead_state', 'INSERT', $$SELECT pool.enter('other', 'new')$$),
    ('lead_data', 'INSERT', $$SELECT pool.enter('other', 'new')$$),
    ('lead_data', 'INSERT', $$INSERT INTO pool.intake (pool, key)
        VALUES ('other', 'new'), ('other', 'newer')$$),
    ('identity', 'INSERT', $$SELECT pool.enter('other', 'new',
        identities => '{"phone": "13900139000"}')$$),
    ('identity', 'INSERT', $$SELECT pool.edit(t.id('r1'),
        identities => '{"phone": "13900139000"}')$$),
    ('collaborator', 'INSERT',
        'SELECT pool.add_collaborator(t.id(''r1''), ''cat'')'))
    v (name, events, call);
SELECT outcome FROM pool.add_collaborator(t.id('r1'), 'cat');
SELECT left_out('collaborator', 'DELETE',
    'SELECT pool.remove_collaborator(t.id(''r1''), ''cat'')');
SELECT outcome FROM pool.claim('other', 'ann');
-- ticks go on around it
CREATE TRIGGER leave_out BEFORE UPDATE ON pool.lead_state FOR EACH ROW
    WHEN (new.pool_id = 3) EXECUTE FUNCTION leave_out();
SELECT key, kind FROM tick_at('2028-03-30 11:00+00') WHERE key ~ '^[no]';
DROP TRIGGER leave_out ON pool.lead_state;
SELECT key, kind FROM tick_at('2028-03-30 12:00+00') WHERE key ~ '^[no]';

-- Members who come back: one who cannot be changed keeps no other away.
SELECT outcome FROM unnest(ARRAY['ann', 'cat', 'eve']) m (key),
    pool.set_away(m.key, '2028-04-01 09:00+00');
CREATE FUNCTION refuse_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.key = 'ann' AND new.status = 'active' THEN
        RAISE 'refused: Mrs Sun';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER UPDATE ON pool.member
    FOR EACH ROW EXECUTE FUNCTION refuse_member();
SET pool_ext.clock = '2028-04-01 10:00+00';
-- however few are looked at at a time
SELECT task, done, more FROM pool.tick(1) WHERE task = 'people';
SELECT task, done, more FROM pool.tick() WHERE task = 'people';
SELECT key, status FROM pool.member WHERE key IN ('ann', 'cat', 'eve') ORDER BY 1;
DROP TRIGGER refuse ON pool.member;
SELECT task, done, more FROM pool.tick() WHERE task = 'people';
SELECT key, status FROM pool.member WHERE key = 'ann';
SELECT * FROM pool.verify();
