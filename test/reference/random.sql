-- Random operations step by step against the extension and the model.
--   CALL model.run(seed, first, steps, ...) stops at the first difference.
-- Each step has dice of its own, so that it depends on the state alone.

CREATE FUNCTION model.set_clock(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE model.world SET at = moment;
    PERFORM set_config('pool_ext.clock', moment::text, true);
END $$;

-- What time will soon change: a lead or a reminder is due, a member may claim
-- again, a lead is open to a member again.
CREATE FUNCTION model.turns(moment timestamptz)
RETURNS TABLE (at timestamptz, key text, pool text, member text)
LANGUAGE sql VOLATILE AS $$
    SELECT t.* FROM (SELECT model.upto(3)) dice (side), LATERAL (
        SELECT model.due_at(l.key, moment), l.key, NULL, NULL
        FROM model.lead l WHERE side = 1
        UNION ALL
        SELECT model.plus(d.due, -before, model.pool_zone(l.pool_id)),
               l.key, NULL, NULL
        FROM model.lead l, model.deadlines(l.key) d,
             unnest(d.remind_before) before
        WHERE side = 1
        UNION ALL
        SELECT away_until, NULL, NULL, NULL FROM model.member
        WHERE side = 1 AND status = 'away'
        UNION ALL
        SELECT (model.refusal(p.id, m.id, moment, 9e18::bigint)).retry_at,
               NULL, p.name, m.key
        FROM model.pool p, model.member m
        WHERE side = 2 AND model.may_own(p.id, m.id)
        UNION ALL
        SELECT c.until, l.key, p.name, m.key
        FROM model.lead l JOIN model.pool p ON p.id = l.pool_id,
             model.member m,
             LATERAL (SELECT model.cooling(l.key, m.id) OFFSET 0) c (until)
        WHERE side = 3 AND l.status = 'available' AND c.until > moment
          AND model.may_own(p.id, m.id)
        UNION ALL
        SELECT l.hidden_until, l.key, p.name, 'm' || l.pool_id
        FROM model.lead l JOIN model.pool p ON p.id = l.pool_id
        WHERE side = 3) t (at, key, pool, member)
    WHERE t.at > moment AND t.at < moment + interval '1 day'
    ORDER BY hashtext(t::text || moment), t LIMIT 1
$$;

-- Ask at that microsecond, one before or one after.
CREATE FUNCTION model.turn_question(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql AS $$
DECLARE
    t   record;
BEGIN
    SELECT * INTO t FROM model.turns(moment);
    IF NOT found THEN
        RETURN model.any_question(moment);
    END IF;
    moment := greatest(moment,
        t.at + (model.upto(3) - 2) * interval '1 microsecond');
    PERFORM model.set_clock(moment);
    RETURN CASE
        WHEN t.member IS NULL THEN model.ask_tick(moment)
        WHEN t.key IS NULL OR model.chance(0.5)
            THEN model.claim_question(t.pool, t.member, 8, moment)
        ELSE model.claim_leads_question(ARRAY[t.key], t.member, moment)
    END;
END $$;

-- Whoever has reached his limit of today moves to another zone and asks again.
CREATE FUNCTION model.zone_question(moment timestamptz)
RETURNS model.question LANGUAGE plpgsql AS $$
DECLARE
    zone    text := model.one_of('Pacific/Auckland', 'America/Los_Angeles',
                                 'America/Havana');
    t       record;
BEGIN
    SELECT p.name AS pool, m.key AS member INTO t
    FROM model.pool p, model.member m
    WHERE model.may_own(p.id, m.id)
      AND (model.refusal(p.id, m.id, moment, 0)).outcome = 'claim_limit'
    ORDER BY hashtext(p.name || m.key || moment), p.id, m.id LIMIT 1;
    IF NOT found THEN
        RETURN model.any_question(moment);
    END IF;
    UPDATE model.member SET timezone = zone WHERE key = t.member;
    UPDATE pool.member SET timezone = zone WHERE key = t.member;
    RETURN model.claim_question(t.pool, t.member, 1, moment);
END $$;

CREATE FUNCTION model.next_question() RETURNS model.question
LANGUAGE plpgsql AS $$
DECLARE
    moment  timestamptz := (SELECT at FROM model.world);
    dice    float := random();
BEGIN
    moment := moment + CASE
        WHEN dice < 0.12 THEN '0'
        WHEN dice < 0.88 THEN random() * interval '1 minute'
        WHEN dice < 0.99 THEN random() * interval '40 minutes'
        ELSE random() * interval '36 hours'
    END;
    PERFORM model.set_clock(moment);
    IF model.chance(0.03) THEN
        RETURN model.turn_question(moment);
    ELSIF model.chance(0.005) THEN
        RETURN model.zone_question(moment);
    END IF;
    RETURN model.any_question(moment);
END $$;

-- The rows a statement answers with, as text.
CREATE FUNCTION model.ask(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer  text := '';
BEGIN
    IF query LIKE 'SELECT%' THEN
        EXECUTE format('SELECT string_agg(r::text, E''\n'') FROM (%s) r',
                       query) INTO answer;
    ELSE
        EXECUTE query;
    END IF;
    RETURN answer;
END $$;

-- which answers have come up, how often
CREATE TABLE model.seen (verb text, outcome text, times integer,
                         PRIMARY KEY (verb, outcome));

CREATE FUNCTION model.count_answers(theirs text, answer text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO model.seen
    SELECT substring(theirs, 'pool\.(\w+)\('), outcome[1], count(*)
    FROM regexp_matches(answer, '^\(([a-zA-Z_0-9]+)', 'gn') outcome
    WHERE theirs ~ 'pool\.\w+\(' GROUP BY 1, 2
    ON CONFLICT (verb, outcome)
        DO UPDATE SET times = seen.times + excluded.times
$$;

-- One operation on both sides.  Sometimes several, undone again.
CREATE FUNCTION model.step(seed integer, no integer, depth integer = 0)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    q       model.question;
    mine    text;
    theirs  text;
    mark    bigint;
BEGIN
    IF depth = 0 THEN
        PERFORM setseed(hashtext(seed || '.' || no) / 2147483648.0);
    END IF;
    IF depth < 2 AND random() < 0.05 THEN
        BEGIN
            FOR i IN 1..model.upto(6) LOOP
                PERFORM model.step(seed, no, depth + 1);
            END LOOP;
            RAISE 'undo' USING ERRCODE = 'PM001';
        EXCEPTION WHEN SQLSTATE 'PM001' THEN
            RETURN;
        END;
    END IF;

    q := model.next_question();
    RAISE DEBUG '%', q;
    DELETE FROM model.drawn;
    BEGIN
        mine := model.ask(q.mine);
    EXCEPTION WHEN SQLSTATE 'PM003' THEN
        mark := (SELECT coalesce(max(id), 0) FROM pool.event);
        theirs := model.ask(q.theirs);
        INSERT INTO model.drawn
        SELECT d.key, e.member_id
        FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
        WHERE e.id > mark AND e.detail ->> 'strategy' = 'random';
        mine := model.ask(q.mine);
    END;
    IF theirs IS NOT NULL THEN
        NULL;
    ELSIF mine LIKE '(PO___,%' OR mine LIKE '(55000,%' THEN    -- misuse: an error is expected
        BEGIN
            theirs := model.ask(q.theirs);
        EXCEPTION WHEN OTHERS THEN
            theirs := '(' || SQLSTATE || substr(mine, 7);
        END;
    ELSE
        theirs := model.ask(format('%s /* seed %s, step %s */',
                                   q.theirs, seed, no));
    END IF;
    IF mine IS DISTINCT FROM theirs THEN
        RAISE E'seed %, step %\n%\n%\n--- model:\n%\n--- extension:\n%',
            seed, no, q.mine, q.theirs, mine, theirs
            USING ERRCODE = 'PM002';
    END IF;
    PERFORM model.count_answers(q.theirs, mine);
END $$;

------------------------------------------------------------------------
-- The whole state
------------------------------------------------------------------------

CREATE FUNCTION model.state_queries()
RETURNS TABLE (what text, mine text, theirs text) LANGUAGE sql AS $$
    VALUES ('leads',
        'SELECT key, name, source, grade, attributes, status, pool_id, owner_id,
            priority, claims, follow_ups, owned_at, last_follow_up_at,
            last_result, stage, next_follow_up_at, hidden_until,
            protected_until,
            CASE status WHEN ''available'' THEN entered_at END,
            CASE status WHEN ''converted'' THEN amount END
         FROM model.lead',
        'SELECT key, name, source, grade, attributes, status, pool_id, owner_id,
            priority::integer, claims, follow_ups, owned_at, last_follow_up_at,
            last_result, stage, next_follow_up_at, hidden_until,
            protected_until,
            CASE status WHEN ''available'' THEN entered_at END,
            CASE status WHEN ''converted'' THEN amount END
         FROM pool.lead_data JOIN pool.lead_state USING (id)'),
    ('queues',
        'SELECT pool_id, string_agg(key, '','' ORDER BY priority DESC, ticket)
         FROM model.lead WHERE status = ''available'' GROUP BY 1',
        'SELECT pool_id, string_agg(key, '','' ORDER BY priority DESC, ticket)
         FROM pool.lead_data JOIN pool.lead_state USING (id)
         WHERE status = ''available'' GROUP BY 1'),
    ('held',
        'SELECT pool_id, owner_id, count(*)::integer FROM model.lead
         WHERE status = ''owned'' GROUP BY 1, 2',
        'SELECT pool_id, member_id, held FROM pool.membership_state
         WHERE held > 0'),
    ('claimed today',
        'SELECT pool_id, member_id, count(*)::integer
         FROM model.claimed, model.world w
         WHERE counts_until > w.at GROUP BY 1, 2',
        'SELECT pool_id, member_id, claimed
         FROM pool.membership_state, model.world w
         WHERE day_until > w.at AND claimed > 0'),
    ('identities',
        'SELECT scope, kind, value, key FROM model.identity',
        'SELECT coalesce(nullif(i.scope, '''')::integer, 0), i.kind, i.value,
                d.key
         FROM pool.identity i JOIN pool.lead_data d ON d.id = i.lead_id'),
    ('members',
        'SELECT id, status, CASE status WHEN ''away'' THEN away_until END
         FROM model.member',
        'SELECT id, status, CASE status WHEN ''away'' THEN away_until END
         FROM pool.member'),
    ('plans',
        'SELECT kind, pool_id, done FROM model.run
         WHERE kind IN (''plan'', ''reclaim'')',
        'SELECT kind, pool_id, status = ''done'' FROM pool.run
         WHERE kind = ''plan'' OR kind = ''reclaim'' AND token IS NOT NULL'),
    ('what ticks reclaimed',
        'SELECT pool_id, at, (SELECT count(*) FROM model.run_lead WHERE run = no)
         FROM model.run WHERE kind = ''tick''',
        'SELECT pool_id, started_at, done FROM pool.run
         WHERE kind = ''reclaim'' AND token IS NULL'),
    ('absences',
        'SELECT member_id, since, nullif(until, ''infinity'')
         FROM model.absence',
        'SELECT member_id, started_at, ended_at FROM pool.absence'),
    ('downtimes',
        'SELECT since, until FROM model.downtime',
        'SELECT started_at, ended_at FROM pool.downtime'),
    ('turns',
        'SELECT rule_id, member_id, served, last_no FROM model.turn
         WHERE served > 0',
        'SELECT rule_id, member_id, served, last_no FROM pool.routing_state
         WHERE served > 0'),
    ('seats and newcomers',
        'SELECT rule_id, member_id, seat_until, period_from, period_base,
            period_served
         FROM model.turn WHERE seat_until IS NOT NULL
            OR period_from IS NOT NULL',
        'SELECT rule_id, member_id, seat_until, period_from, period_base,
            period_served
         FROM pool.routing_state WHERE seat_until IS NOT NULL
            OR period_from IS NOT NULL'),
    ('requests',
        'SELECT key, action, CASE WHEN action IN (''claim'', ''transfer'',
                                                     ''assign'')
                                  THEN member_id END, step, status, expires_at
         FROM model.approval',
        'SELECT d.key, a.action, a.member_id, a.step, a.status, a.expires_at
         FROM pool.approval a JOIN pool.lead_data d ON d.id = a.lead_id'),
    ('collaborators',
        'SELECT key, member_id, role, counts FROM model.collaborator',
        'SELECT d.key, c.member_id, c.role, c.counts
         FROM pool.collaborator c JOIN pool.lead_data d ON d.id = c.lead_id'),
    ('events',
        'SELECT key, at, kind, member_id, rule_id FROM model.log',
        'SELECT d.key, e.at, e.kind, e.member_id, e.rule_id
         FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
         WHERE e.kind <> ''edited''')
$$;

CREATE FUNCTION model.compare(seed integer, no integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    q       record;
    more    text;
    less    text;
BEGIN
    FOR q IN SELECT * FROM model.state_queries() LOOP
        more := model.ask(format('SELECT * FROM (%s EXCEPT ALL %s) d '
                                 'ORDER BY 1 LIMIT 5', q.mine, q.theirs));
        less := model.ask(format('SELECT * FROM (%s EXCEPT ALL %s) d '
                                 'ORDER BY 1 LIMIT 5', q.theirs, q.mine));
        IF more IS NOT NULL OR less IS NOT NULL THEN
            RAISE E'seed %, after step %: %\n--- model:\n%\n--- extension:\n%',
                seed, no, q.what, more, less USING ERRCODE = 'PM002';
        END IF;
    END LOOP;
END $$;

-- The steps from first on, a transaction every commit_every steps; some of
-- these are rolled back.  The whole state is compared every compare_every.
CREATE PROCEDURE model.run(seed integer, first integer, steps integer,
                           compare_every integer, commit_every integer)
LANGUAGE plpgsql AS $$
BEGIN
    FOR nr IN first .. first + steps - 1 LOOP
        PERFORM model.step(seed, nr);
        IF nr % compare_every = 0 THEN
            PERFORM model.compare(seed, nr);
        END IF;
        IF nr % commit_every = 0 THEN
            IF hashtext(nr || ':' || seed) % 10 = 0 THEN
                ROLLBACK;
            ELSE
                COMMIT;
            END IF;
        END IF;
    END LOOP;
END $$;
