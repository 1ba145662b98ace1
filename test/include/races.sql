-- Two operations at once, and whether what became of them is what becomes of
-- them one after the other.  races.pl runs this.
--
-- Each trial has a tenant of its own: leads k1 in pool p, k2 in pool q, members
-- ann, bob and boss.  A fixture says how far k1 has come.
CREATE EXTENSION dblink;
CREATE SCHEMA race;

CREATE TABLE race.fixture (name text PRIMARY KEY, setup text);
INSERT INTO race.fixture VALUES
('open', ''),
('held', $$PERFORM pool.claim('p', 'ann');$$),
('both', $$PERFORM pool.claim('p', 'ann'); PERFORM pool.claim('q', 'ann');$$),
('tight', $$UPDATE pool.member SET hold_limit = 1
    WHERE tenant_id = race.tenant() AND key = 'ann';$$),
('review', $$INSERT INTO pool.entry_rule (tenant_id, pool_id, name,
        "then")
    SELECT tenant_id, id, 'look', 'review' FROM pool.pool
    WHERE tenant_id = race.tenant() AND name = 'p';
    PERFORM pool.archive(ARRAY[race.k1()], 'lost');
    PERFORM pool.enter('p', 'k1');$$),
('archived', $$PERFORM pool.archive(ARRAY[race.k1()], 'lost');$$),
('converted', $$PERFORM pool.claim('p', 'ann');
    PERFORM pool.convert(race.k1(), 5, 'EUR', 'ann');$$),
('asked', $$INSERT INTO pool.approval_rule (tenant_id, pool_id, name, action)
    SELECT tenant_id, id, 'ask', 'claim' FROM pool.pool
    WHERE tenant_id = race.tenant() AND name = 'p';
    PERFORM pool.request_claim(race.k1(), 'mine', 'ann');$$),
('leaving', $$PERFORM pool.claim('p', 'ann'); PERFORM pool.offboard('ann', 'bob');$$),
('moving', $$PERFORM pool.claim('p', 'ann');
    PERFORM pool.relocate('ann', to_pool => 'q');$$),
('planned', $$PERFORM pool.claim('p', 'ann');
    SET pool_ext.clock = '2030-03-09 09:00+00';
    PERFORM pool.plan_reclaim('p', 'idle');$$),
('applied', $$PERFORM pool.claim('p', 'ann');
    SET pool_ext.clock = '2030-03-09 09:00+00';
    PERFORM pool.apply_plan(token) FROM pool.plan_reclaim('p', 'idle') LIMIT 1;$$),
('away', $$PERFORM pool.claim('p', 'ann'); PERFORM pool.set_away('ann');$$),
('hidden', $$PERFORM pool.hide(ARRAY[race.k1()]);$$),
('linked', $$UPDATE pool.pool SET duplicate_policy = 'link'
    WHERE tenant_id = race.tenant();
    PERFORM pool.enter('q', 'k1b', identities => '{"phone": "13800000001"}');$$),
('kin', $$UPDATE pool.pool SET duplicate_policy = 'link'
    WHERE tenant_id = race.tenant();
    PERFORM pool.enter('q', 'k1b', identities => '{"phone": "13800000001"}');
    PERFORM pool.claim_leads(ARRAY[race.k1(), race.k3()], 'ann');
    PERFORM pool.offboard('ann', 'bob');$$);

CREATE FUNCTION race.tenant() RETURNS integer LANGUAGE sql STABLE AS
$$SELECT id FROM pool.tenant WHERE name = 'default'$$;
-- by the index of the tenant's leads, whatever other trials have left
CREATE FUNCTION race.lead(n integer) RETURNS bigint LANGUAGE sql STABLE AS
$$SELECT id FROM pool.lead_data WHERE tenant_id = race.tenant()
ORDER BY id + 0 OFFSET n - 1 LIMIT 1$$;
CREATE FUNCTION race.k1() RETURNS bigint LANGUAGE sql STABLE AS
$$SELECT race.lead(1)$$;
CREATE FUNCTION race.k2() RETURNS bigint LANGUAGE sql STABLE AS
$$SELECT race.lead(2)$$;
CREATE FUNCTION race.k3() RETURNS bigint LANGUAGE sql STABLE AS
$$SELECT race.lead(3)$$;

-- fixtures: where it has something to do; a trial is of one of either's.
-- waits: for whoever holds the lead, so that it never says contended.
CREATE TABLE race.operation (name text PRIMARY KEY, fixtures text[], call text,
    waits boolean DEFAULT false);
INSERT INTO race.operation VALUES
('claim ann', '{open,tight,linked}', $$claim('p', 'ann')$$),
('claim bob', '{open,asked,hidden}', $$claim('p', 'bob')$$),
('claim q ann', '{tight,linked}', $$claim('q', 'ann')$$),
('claim_leads twin', '{linked}', $$claim_leads(ARRAY[race.k3()], 'bob')$$),
('claim_leads ann', '{open,tight}', $$claim_leads(ARRAY[race.k1()], 'ann')$$),
('assign bob', '{open,asked}', $$assign(ARRAY[race.k1()], 'bob')$$),
('assign q ann', '{open,tight,held}', $$assign(ARRAY[race.k2()], 'ann')$$),
('auto_assign', '{open}', $$auto_assign('p')$$),
('transfer bob', '{held,both}', $$transfer(ARRAY[race.k1()], 'bob')$$),
('release', '{held,both,kin}', $$release(ARRAY[race.k1()], member => 'ann')$$),
('release q', '{both}', $$release(ARRAY[race.k2()], member => 'ann')$$),
('reclaim', '{held,leaving,kin}', $$reclaim(ARRAY[race.k1()], to_pool => 'q')$$),
('follow_up', '{held,leaving,planned,kin}',
    $$follow_up(race.k1(), 'call', member => 'ann')$$),
('convert', '{held}', $$convert(race.k1(), 7, 'EUR', 'ann')$$),
('archive', '{open,held,review}', $$archive(ARRAY[race.k1()], 'lost')$$),
('reopen', '{archived,converted}', $$reopen(ARRAY[race.k1()])$$),
('move', '{open,hidden}', $$move(ARRAY[race.k1()], 'q')$$),
('edit', '{open,held}', $$edit(race.k1(), priority => 9,
    identities => '{"email": "x@example.com"}')$$),
('merge 1 2', '{open,held,both}', $$merge(race.k1(), race.k2())$$),
('merge 2 1', '{open,held,both}', $$merge(race.k2(), race.k1())$$),
('hide', '{open}', $$hide(ARRAY[race.k1()])$$),
('unhide', '{hidden}', $$unhide(ARRAY[race.k1()])$$),
('protect', '{held}', $$protect(ARRAY[race.k1()], member => 'ann')$$),
('extend', '{held}', $$request_extension(race.k1(), '1 day', member => 'ann')$$),
('reserve ann', '{open}', $$reserve(ARRAY[race.k1()], '5 minutes', 'ann')$$),
('reserve q ann', '{open}', $$reserve(ARRAY[race.k2()], '5 minutes', 'ann')$$),
('ask ann', '{open,hidden}', $$request_claim(race.k1(), 'please', 'ann')$$),
('ask bob', '{asked}', $$request_claim(race.k1(), 'please', 'bob')$$),
('approve', '{asked}', $$approve((SELECT max(id) FROM pool.approval
    WHERE tenant_id = race.tenant()))$$),
('reject', '{asked}', $$reject((SELECT max(id) FROM pool.approval
    WHERE tenant_id = race.tenant()))$$),
('cancel', '{asked}', $$cancel_request((SELECT max(id) FROM pool.approval
    WHERE tenant_id = race.tenant()), 'ann')$$),
('review', '{review}', $$review(ARRAY[race.k1()], 'accept')$$),
('enter key', '{open,archived,held}', $$enter('p', 'k1')$$),
('enter phone', '{open,archived,linked}',
    $$enter('p', 'k9', identities => '{"phone": "13800000001"}')$$),
('enter new', '{open}', $$enter('p', 'k9')$$),
('erase', '{open,held,archived}', $$erase(ARRAY[race.k1()], 'asked')$$),
('helper', '{held}', $$add_collaborator(race.k1(), 'bob')$$),
('offboard', '{held,both,asked,leaving,kin}', $$offboard('ann', 'bob')$$),
('relocate', '{held,moving}', $$relocate('ann', to_pool => 'q')$$),
('cancel_run', '{leaving}', $$cancel_run((SELECT max(id) FROM pool.run
    WHERE tenant_id = race.tenant() AND kind = 'offboard'))$$),
('plan', '{held}', $$plan_reclaim('p', 'idle')$$),
('apply', '{planned}', $$apply_plan((SELECT token FROM pool.run
    WHERE tenant_id = race.tenant() AND token IS NOT NULL))$$),
('undo', '{applied}', $$undo_run((SELECT min(id) FROM pool.run
    WHERE tenant_id = race.tenant()))$$),
('set_away', '{open,held}', $$set_away('ann')$$),
('set_active', '{away}', $$set_active('ann')$$);

-- what the table cannot hold: calls that tell no outcome, and one that races
-- with none
CREATE FUNCTION race.call(what text) RETURNS text LANGUAGE sql STABLE AS
$$SELECT CASE what
    WHEN 'tick' THEN 'SELECT ''ticked'' FROM (SELECT count(*) FROM pool.tick()) t'
    WHEN 'status' THEN 'WITH u AS (UPDATE pool.member SET status = ''left''
        WHERE tenant_id = race.tenant() AND key = ''ann'' RETURNING 1)
        SELECT ''set'' FROM u'
    WHEN 'limit' THEN 'WITH u AS (UPDATE pool.member SET hold_limit = 1
        WHERE tenant_id = race.tenant() AND key = ''ann'' RETURNING 1)
        SELECT ''set'' FROM u'
    WHEN 'pool limit' THEN 'WITH u AS (UPDATE pool.pool SET hold_limit = 0
        WHERE tenant_id = race.tenant() AND name = ''p'' RETURNING 1)
        SELECT ''set'' FROM u'
    WHEN 'claim next' THEN 'SELECT outcome
        FROM pool.claim_leads(ARRAY[race.k3()], ''ann'')'
    ELSE (SELECT 'SELECT string_agg(DISTINCT outcome, '','') FROM pool.' || call
        FROM race.operation WHERE name = what) END$$;
INSERT INTO race.operation VALUES
('tick', '{open,held,leaving,away,kin}', NULL), ('status', '{open,held}', NULL),
('limit', '{open,both}', NULL), ('pool limit', '{open}', NULL);

UPDATE race.operation SET waits = true
WHERE name ~ ('^(transfer|release|reclaim|follow_up|convert|archive|reopen|move|'
    'edit|merge|hide|unhide|protect|extend|ask|approve|reject|cancel|review|'
    'enter|erase|helper|plan)\M');

-- Ids in the order they were given out, times of the clock; where in the queue
-- of its pool a lead stands.
CREATE FUNCTION race.state() RETURNS text LANGUAGE sql STABLE AS $$
WITH l AS (
    SELECT s.*, d.key, d.name, d.grade, d.erased_at,
        'lead' || row_number() OVER (ORDER BY s.id) AS label,
        CASE WHEN s.ticket IS NOT NULL THEN rank() OVER (
            PARTITION BY s.pool_id ORDER BY s.ticket) END AS place
    FROM pool.lead_state s JOIN pool.lead_data d ON d.id = s.id
    WHERE d.tenant_id = race.tenant()),
m AS (SELECT * FROM pool.member WHERE tenant_id = race.tenant()),
p AS (SELECT * FROM pool.pool WHERE tenant_id = race.tenant())
SELECT concat_ws(E'\n',
    (SELECT string_agg(concat_ws(' ', l.label,
            CASE WHEN erased_at IS NULL THEN l.key END, l.status,
            'in ' || p.name, 'of ' || m.key, 'once of ' || o.key,
            'for ' || r.key, 'priority ' || l.priority, 'place ' || place,
            'claims ' || claims,
            'follow_ups ' || follow_ups, last_result, amount::text,
            'protected ' || protected_until, 'hidden ' || hidden_until,
            'extended ' || extensions,
            'with ' || (SELECT string_agg(g.label, ',' ORDER BY g.label)
                FROM l g WHERE g.group_id = l.group_id)), E'\n' ORDER BY l.id)
        FROM l JOIN p ON p.id = l.pool_id
        LEFT JOIN m ON m.id = l.owner_id
        LEFT JOIN m o ON o.id = l.last_owner_id
        LEFT JOIN m r ON r.id = l.reserved_for),
    -- in the order of the log, whatever else each of them says
    (SELECT string_agg(concat_ws(' ', l.label, e.n, e.kind, m.key, p.name,
                'by ' || a.key, 'from ' || coalesce(
                    CASE WHEN e.kind = 'transferred' THEN f.key END,
                    e.detail ->> 'from'),
                'from ' || q.name, 'for ' || e.reason,
                'answered ' || (e.detail ->> 'answered')),
            E'\n' ORDER BY l.id, e.n)
        FROM (SELECT e.*, row_number() OVER (PARTITION BY l.id ORDER BY e.id) n
            FROM l JOIN pool.event e ON e.lead_id = l.id) e
        JOIN l ON l.id = e.lead_id
        JOIN p ON p.id = e.pool_id
        LEFT JOIN m ON m.id = e.member_id LEFT JOIN m a ON a.id = e.actor_id
        LEFT JOIN m f ON f.id::text = e.detail ->> 'from'
        LEFT JOIN p q ON q.id::text = e.detail ->> 'from_pool'),
    (SELECT string_agg(concat_ws(' ', i.kind, l.label), E'\n'
            ORDER BY l.id, i.kind, i.value)
        FROM pool.identity i JOIN l ON l.id = i.lead_id),
    (SELECT string_agg(concat_ws(' ', m.key, m.status, m.hold_limit), E'\n'
            ORDER BY m.key) FROM m),
    (SELECT string_agg(concat_ws(' ', m.key, p.name, c.status, 'holds', c.held,
            'claimed', c.claimed), E'\n' ORDER BY p.name, m.key)
        FROM pool.membership_state c JOIN m ON m.id = c.member_id
        JOIN p ON p.id = c.pool_id WHERE c.held > 0 OR c.claimed > 0),
    (SELECT string_agg(concat_ws(' ', l.label, a.action, a.status, m.key), E'\n'
            ORDER BY l.id, a.action, a.status, m.key)
        FROM pool.approval a JOIN l ON l.id = a.lead_id
        LEFT JOIN m ON m.id = a.member_id),
    (SELECT string_agg(concat_ws(' ', l.label, 'waits to be routed'), E'\n'
            ORDER BY l.id)
        FROM pool.routing_wait w JOIN l ON l.id = w.lead_id),
    (SELECT string_agg(concat_ws(' ', l.label, 'helped by', m.key), E'\n'
            ORDER BY l.id, m.key)
        FROM pool.collaborator c JOIN l ON l.id = c.lead_id
        JOIN m ON m.id = c.member_id),
    (SELECT string_agg(concat_ws(' ', r.kind, r.status), E'\n'
            ORDER BY r.kind, r.id)
        FROM pool.run r WHERE tenant_id = race.tenant()),
    (SELECT string_agg(concat_ws(' ', m.key, 'away until', a.ended_at), E'\n'
            ORDER BY m.key, a.started_at)
        FROM pool.absence a JOIN m ON m.id = a.member_id))
$$;

-- In session s0, whose clock stands before that of the others.
CREATE PROCEDURE race.begin_trial(what text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_exec('s0', $sql$
UPDATE pool.tenant SET name = 'gone ' || id WHERE name = 'default';
SET pool_ext.clock = '2030-03-01 09:00+00';
INSERT INTO pool.pool (name, everyone) VALUES ('p', true), ('q', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
INSERT INTO pool.intake (pool, key, identities) VALUES
    ('p', 'k1', '{"phone": "13800000001"}'),
    ('q', 'k2', '{"phone": "13800000002"}');
INSERT INTO pool.routing_rule (tenant_id, pool_id, name, strategy,
    member_condition)
SELECT tenant_id, id, 'to bob', 'round_robin', '$.key == "bob"' FROM pool.pool
WHERE tenant_id = race.tenant() AND name = 'p';
INSERT INTO pool.timer_rule (tenant_id, pool_id, name, basis, after, action,
    to_pool_id)
SELECT p.tenant_id, p.id, 'idle', 'follow_up', interval '3 days', 'reclaim', NULL::integer
FROM pool.pool p WHERE p.tenant_id = race.tenant() AND p.name = 'p'
UNION ALL
SELECT p.tenant_id, p.id, 'over', 'entry', interval '3 days', 'move', q.id
FROM pool.pool p JOIN pool.pool q USING (tenant_id)
WHERE p.tenant_id = race.tenant() AND p.name = 'p' AND q.name = 'q';
$sql$);
    PERFORM dblink_exec('s0', format('DO $do$ BEGIN %s END $do$', setup))
    FROM race.fixture WHERE name = what;
END$$;

CREATE FUNCTION race.ask(session text, call text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    SELECT a INTO answer FROM dblink(session, call) AS d(a text);
    RETURN coalesce(answer, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || CASE WHEN SQLSTATE = 'XX000' THEN ' ' || SQLERRM
        ELSE '' END;
END$$;

CREATE FUNCTION race.answer(session text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    said text;
BEGIN
    BEGIN
        SELECT a INTO answer FROM dblink_get_result(session) AS d(a text);
        answer := coalesce(answer, 'nothing');
    EXCEPTION WHEN OTHERS THEN
        answer := SQLSTATE || CASE WHEN SQLSTATE = 'XX000'
            THEN ' ' || SQLERRM ELSE '' END;
    END;
    LOOP
        SELECT a INTO said FROM dblink_get_result(session) AS d(a text);
        EXIT WHEN NOT FOUND;
    END LOOP;
    RETURN answer;
END$$;

-- Ends a session's transaction; the SQLSTATE where that fails.
CREATE FUNCTION race.finish(session text, how text, answer text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_exec(session,
        CASE WHEN answer ~ '^[0-9A-Z]{5}( |$)' THEN 'ROLLBACK' ELSE how END);
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END$$;

-- What has become of it.  A tick leaves to the next one what others hold.
CREATE FUNCTION race.outcome(tick boolean) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    IF tick THEN
        PERFORM FROM dblink('s1', race.call('tick')) AS d(a text);
    END IF;
    SELECT s INTO state FROM dblink('s0', 'SELECT race.state()') AS d(s text);
    RETURN state;
END$$;

-- What they leave is done by the next tick: routing leaves what others of the
-- same customer's leads are given to.
CREATE FUNCTION race.is_ticked(fixture text, one text, two text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
SELECT ARRAY['tick', 'offboard', 'relocate', 'cancel_run'] && ARRAY[one, two]
    OR fixture = 'linked'
    AND ARRAY['auto_assign', 'enter phone', 'enter key'] && ARRAY[one, two]$$;

-- One after the other; NULL = nothing.  The second is always answered in two.
CREATE TABLE race.known (fixture text, one text, two text, tick boolean,
    said_one text,
    said_two text, state text);
CREATE INDEX ON race.known (fixture, one);
CREATE FUNCTION race.in_turn(fixture text, one text, two text, tick boolean,
    OUT said_one text, OUT said_two text, OUT state text)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT k.said_one, k.said_two, k.state INTO said_one, said_two, state
    FROM race.known k
    WHERE k.fixture = in_turn.fixture AND k.one IS NOT DISTINCT FROM in_turn.one
        AND k.two IS NOT DISTINCT FROM in_turn.two
        AND k.tick = in_turn.tick;
    IF FOUND THEN
        RETURN;
    END IF;
    CALL race.begin_trial(fixture);
    IF one IS NOT NULL THEN
        said_one := race.ask('s1', race.call(one));
    END IF;
    IF two IS NOT NULL THEN
        said_two := race.ask('s2', race.call(two));
    END IF;
    state := race.outcome(tick);
    INSERT INTO race.known
    VALUES (fixture, one, two, tick, said_one, said_two, state);
END$$;

-- Whether somebody holds a lead, a customer or a run of the trial.
CREATE FUNCTION race.is_held() RETURNS boolean LANGUAGE sql VOLATILE AS $$
WITH l AS MATERIALIZED (SELECT array_agg(id) AS ids FROM pool.lead_data
    WHERE tenant_id = race.tenant()),
free AS (SELECT FROM pool.lead_state
    WHERE id = ANY ((SELECT ids FROM l)::bigint[])
    FOR NO KEY UPDATE SKIP LOCKED),
free_group AS (SELECT FROM pool.identity_group
    WHERE id = ANY ((SELECT ids FROM l)::bigint[])
    FOR NO KEY UPDATE SKIP LOCKED),
free_run AS (SELECT FROM pool.run WHERE tenant_id = race.tenant()
    FOR NO KEY UPDATE SKIP LOCKED)
SELECT (SELECT count(*) FROM free) < (SELECT count(*) FROM pool.lead_state
        WHERE id = ANY ((SELECT ids FROM l)::bigint[]))
    OR (SELECT count(*) FROM free_group) < (SELECT count(*)
        FROM pool.identity_group
        WHERE id = ANY ((SELECT ids FROM l)::bigint[]))
    OR (SELECT count(*) FROM free_run) < (SELECT count(*) FROM pool.run
        WHERE tenant_id = race.tenant())
$$;

-- level, how the first ends, and whether the second begins its work only then
CREATE FUNCTION race.at_once(fixture text, one text, two text, level text,
    ending text, after boolean,
    OUT said_one text, OUT said_two text, OUT state text, OUT waited boolean,
    OUT held boolean)
LANGUAGE plpgsql AS $$
DECLARE
    pid integer := (SELECT p FROM dblink('s2', 'SELECT pg_backend_pid()')
        AS d(p integer));
    began timestamptz := clock_timestamp();
BEGIN
    CALL race.begin_trial(fixture);
    PERFORM dblink_exec(s, 'BEGIN ISOLATION LEVEL ' || level)
    FROM unnest(ARRAY['s1', 's2']) s;
    PERFORM FROM dblink('s2', 'SELECT 1 FROM pool.lead_state LIMIT 1')
        AS d(i integer);
    said_one := race.ask('s1', race.call(one));
    waited := false;
    IF after THEN
        said_one := race.finish('s1', ending, said_one);
        said_two := race.ask('s2', race.call(two));
    ELSE
        SELECT h INTO held FROM dblink('s0', 'SELECT race.is_held()')
            AS d(h boolean);
        PERFORM dblink_send_query('s2', race.call(two));
        WHILE dblink_is_busy('s2') = 1 LOOP
            waited := cardinality(pg_blocking_pids(pid)) > 0;
            EXIT WHEN waited;
            IF clock_timestamp() > began + '60 s'::interval THEN
                RAISE '% and % hang', one, two;
            END IF;
            PERFORM pg_sleep(0.0005);
        END LOOP;
        said_one := race.finish('s1', ending, said_one);
        said_two := race.answer('s2');
    END IF;
    said_two := race.finish('s2', 'COMMIT', said_two);
    state := race.outcome(race.is_ticked(fixture, one, two));
END$$;

-- Operations that say something else, or do, at a higher level without anybody
-- beside them.
CREATE FUNCTION race.alone(level text) RETURNS TABLE (trial text, message text)
LANGUAGE plpgsql AS $$
DECLARE
    o record;
    known record;
    said text;
    state text;
BEGIN
    FOR o IN SELECT name, f FROM race.operation, unnest(fixtures) f LOOP
        known := race.in_turn(o.f, o.name, NULL, false);
        CALL race.begin_trial(o.f);
        PERFORM dblink_exec('s1', 'BEGIN ISOLATION LEVEL ' || level);
        said := race.ask('s1', race.call(o.name));
        said := race.finish('s1', 'COMMIT', said);
        state := race.outcome(false);
        trial := format('%s: %s: %s', o.f, o.name, level);
        message := CASE WHEN said <> known.said_one OR state <> known.state
            THEN format('said %s, not %s:%s', said, known.said_one,
                race.difference(state, known.state)) END;
        RETURN NEXT;
    END LOOP;
END$$;

-- Without what is said of requests that died with the place of their lead: a
-- tick at a higher level does not see one made since, nor write that it is over.
CREATE FUNCTION race.without_requests(state text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT string_agg(line, E'\n') FROM unnest(string_to_array(state, E'\n')) line
WHERE line !~ '^lead[0-9]+ ([0-9]+ cancelled|extension|claim (open|cancelled))'$$;

-- Lines of the first that the second lacks, and the reverse.
CREATE FUNCTION race.difference(one text, two text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(string_agg(E'\n    ' || sign || ' ' || line, ''), ' the same')
FROM (
    (SELECT 'is ' AS sign, * FROM unnest(string_to_array(one, E'\n')) line
    EXCEPT ALL SELECT 'is ', * FROM unnest(string_to_array(two, E'\n')))
    UNION ALL
    (SELECT 'not', * FROM unnest(string_to_array(two, E'\n')) line
    EXCEPT ALL SELECT 'not', * FROM unnest(string_to_array(one, E'\n')))) d$$;

-- Trials of this pair that no order explains; one row without message each
-- where all is well, to be counted.
CREATE FUNCTION race.pair(fixture text, one text, two text, trials text[])
RETURNS TABLE (trial text, waited boolean, message text)
LANGUAGE plpgsql AS $$
DECLARE
    tick boolean := race.is_ticked(fixture, one, two);
    one_two record := race.in_turn(fixture, one, two, tick);
    two_one record;
    only_one record := race.in_turn(fixture, one, NULL, tick);
    only_two record := race.in_turn(fixture, NULL, two, tick);
    none record := race.in_turn(fixture, NULL, NULL, tick);
    said record;
    level text;
    ending text;
    busy boolean;
    -- what is merged while it waits, erase has not locked
    waits boolean := o.waits AND NOT (two = 'erase' AND one LIKE 'merge %')
        FROM race.operation o WHERE name = two;
BEGIN
    SELECT t.said_two AS said_one, t.said_one AS said_two, t.state
    INTO two_one FROM race.in_turn(fixture, two, one, tick) t;
    FOREACH trial IN ARRAY trials LOOP
        level := split_part(trial, ', ', 1);
        ending := split_part(trial, ', ', 2);
        said := race.at_once(fixture, one, two, level, ending,
            trial LIKE '%, after');
        waited := said.waited;
        busy := said.said_two = '40001' AND level <> 'READ COMMITTED'
            OR two = 'tick' AND trial NOT LIKE '%, after'
            OR said.held AND (
                said.said_two IN ('contended', 'taken', '55P03') AND NOT waits
                OR said.said_two = 'running'
                OR said.said_two IN ('nothing', 'no_candidate')
                AND two = 'auto_assign');
        -- routing has left it to the tick
        IF tick AND said.said_two = 'entered'
            AND said.said_two NOT IN (one_two.said_two, two_one.said_two) THEN
            said.said_two := 'assigned';
        END IF;
        message := CASE
            -- a claim passes over what is held, or has changed, for the next
            WHEN fixture = 'linked' AND one LIKE 'merge %'
                AND two = 'claim q ann' AND said.said_one = only_one.said_one
                AND said.said_two = only_two.said_two
                AND said.state = (race.in_turn(fixture,
                        CASE ending WHEN 'COMMIT' THEN one END,
                        'claim next', tick)).state THEN NULL
            WHEN level <> 'READ COMMITTED' AND two = 'tick'
                AND said.said_one = 'requested'
                AND one_two.said_one = 'requested'
                AND race.without_requests(said.state)
                = race.without_requests(one_two.state) THEN NULL
            WHEN ending = 'COMMIT' AND (
                said.said_one = one_two.said_one
                AND said.said_two = one_two.said_two
                AND said.state = one_two.state
                OR said.said_one = two_one.said_one
                AND said.said_two = two_one.said_two
                AND said.state = two_one.state
                OR busy AND said.said_one = only_one.said_one
                AND said.state = only_one.state) THEN NULL
            WHEN ending = 'ROLLBACK' AND (
                said.said_two = only_two.said_two
                AND said.state = only_two.state
                OR busy AND said.state = none.state) THEN NULL
            ELSE format(E'said %s, %s; in turn %s, %s:%s; '
                'the other way round %s, %s:%s; only the first: %s',
                said.said_one, said.said_two, one_two.said_one,
                one_two.said_two, race.difference(said.state,
                    CASE ending WHEN 'COMMIT' THEN one_two.state
                        ELSE only_two.state END),
                two_one.said_one, two_one.said_two,
                race.difference(said.state, two_one.state),
                race.difference(said.state, CASE ending
                    WHEN 'COMMIT' THEN only_one.state ELSE none.state END))
            END;
        IF message IS NULL AND concat_ws(' ', said.said_one, said.said_two,
            one_two.said_one, one_two.said_two) ~ 'XX000|40P01' THEN
            message := concat_ws(', ', 'internal error:', said.said_one,
                said.said_two, one_two.said_one, one_two.said_two);
        END IF;
        RETURN NEXT;
    END LOOP;
END$$;

CREATE PROCEDURE race.connect() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_connect(s, format('dbname=%s host=%s port=%s',
            current_database(),
            split_part(current_setting('unix_socket_directories'), ',', 1),
            current_setting('port')))
    FROM unnest(ARRAY['s0', 's1', 's2']) s;
    PERFORM dblink_exec(s, $sql$SET pool_ext.clock = '2030-03-06 09:00+00';
        SET client_min_messages = error$sql$)
    FROM unnest(ARRAY['s0', 's1', 's2']) s;
    -- nobody counts the rows of all trials for its plans
    PERFORM dblink_exec('s0', 'SET enable_seqscan = off');
END$$;
