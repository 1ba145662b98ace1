-- Random operations, each as two statements with one meaning: what the model
-- is asked and what the extension is asked.

CREATE TYPE model.question AS (mine text, theirs text);

-- the moment at which the world stands
CREATE TABLE model.world (
    at          timestamptz NOT NULL,
    lots        boolean NOT NULL DEFAULT false  -- whether rules may draw lots
);

------------------------------------------------------------------------
-- Choices
------------------------------------------------------------------------

CREATE FUNCTION model.chance(p float) RETURNS boolean
LANGUAGE sql VOLATILE AS $$ SELECT random() < p $$;

CREATE FUNCTION model.upto(n integer) RETURNS integer
LANGUAGE sql VOLATILE AS $$ SELECT 1 + floor(random() * n)::integer $$;

CREATE FUNCTION model.one_of(VARIADIC choices text[]) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT choices[model.upto(array_length(choices, 1))]
$$;

CREATE FUNCTION model.any_pool() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN model.chance(0.005) THEN 'nowhere'
        ELSE model.one_of('company', 'north', 'north', 'south', 'south', 'desk',
                          'attic', 'hall')
    END
$$;

-- half of the time whoever is busy at that hour
CREATE FUNCTION model.some_member() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT 'm' || CASE WHEN model.chance(0.5) THEN model.upto(10)
        ELSE 1 + (SELECT extract(epoch FROM at)::bigint / 3600 % 10
                  FROM model.world) END
$$;

CREATE FUNCTION model.any_member() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN model.chance(0.005) THEN 'nobody'
                ELSE model.some_member() END
$$;

CREATE FUNCTION model.fresh_key() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT 'k' || coalesce(max(substr(key, 2)::integer), 0) + 1 FROM model.lead
$$;

-- a pool that leads may go to, mostly none named
CREATE FUNCTION model.any_target() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN model.chance(0.3)
        THEN model.one_of('company', 'north', 'south', 'desk', 'attic',
                          'hall') END
$$;

-- A lead in this state if there is one; sometimes just any, or none at all.
CREATE FUNCTION model.any_lead(wanted text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    salt    text := random()::text;
    anyhow  boolean := model.chance(0.15);
BEGIN
    IF model.chance(0.01) THEN
        RETURN 'none';
    END IF;
    RETURN coalesce((SELECT key FROM model.lead
                     WHERE anyhow OR status = wanted
                     ORDER BY hashtext(key || salt), key LIMIT 1), 'none');
END $$;

CREATE FUNCTION model.any_leads(wanted text) RETURNS text[]
LANGUAGE sql VOLATILE AS $$
    SELECT array_agg(model.any_lead(wanted))
    FROM generate_series(1, greatest(1, model.upto(7) - 2))
$$;

CREATE FUNCTION model.any_identities() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    tail    text := to_char(model.upto(900), 'FM0000');
    phone   text := model.one_of('1380013' || tail, '138-0013-' || tail,
                                 '+86 138 0013 ' || tail,
                                 '0086 1380013' || tail);
    email   text := model.one_of('a', 'A') || model.upto(900) || '@Example.org';
    salt    text := random()::text;
BEGIN
    IF model.chance(0.1) THEN       -- one that is known
        RETURN coalesce((SELECT jsonb_build_object(kind, value)
                         FROM model.identity
                         ORDER BY hashtext(kind || value || salt), scope, kind,
                                  value LIMIT 1), '{}');
    END IF;
    RETURN CASE model.upto(6)
        WHEN 1 THEN jsonb_build_object('phone', phone)
        WHEN 2 THEN jsonb_build_object('email', email)
        WHEN 3 THEN jsonb_build_object('email', email, 'phone', phone)
        WHEN 4 THEN jsonb_build_object('phone', jsonb_build_array(
                        phone, '1390013' || to_char(model.upto(900), 'FM0000')))
        ELSE '{}'
    END;
END $$;

CREATE FUNCTION model.any_attributes() RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
    SELECT jsonb_build_object('attempts', model.upto(3))
        || model.one_of('{"region": "east"}', '{"region": "west"}',
                        '{"attempts": "2"}', '{}')::jsonb
$$;

-- the owner of the lead, or anybody
CREATE FUNCTION model.mostly_owner(lead text, often float) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(CASE WHEN model.chance(often) THEN
        (SELECT m.key FROM model.lead l
         JOIN model.member m ON m.id = l.owner_id WHERE l.key = lead) END,
        model.some_member())
$$;

------------------------------------------------------------------------
-- How the extension is asked
------------------------------------------------------------------------

CREATE FUNCTION model.id(the_key text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT id FROM pool.lead_data WHERE key = the_key),
                    4000000000)
$$;

-- volatile: it sees the lead that the statement around it has made
CREATE FUNCTION model.key(lead bigint) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT key FROM pool.lead_data WHERE id = lead
$$;

CREATE FUNCTION model.ids(keys text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '{' || string_agg(model.id(key)::text, ',' ORDER BY place) || '}'
    FROM unnest(keys) WITH ORDINALITY u (key, place)
$$;

-- The columns of a claim's answer that the contract gives for its outcome.
CREATE FUNCTION model.their_claim(call text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT 'SELECT outcome, key, due_at, '
        'CASE WHEN outcome <> ''none_allowed'' THEN retry_at END, '
        'CASE WHEN outcome LIKE ''%limit'' THEN limit_value END, '
        'CASE WHEN outcome LIKE ''%limit'' THEN used END FROM pool.' || call
$$;

-- Both take in the same rows and answer with what became of these leads.  A
-- statement enters all of its rows before it gives them to their owners; rows of
-- one key are one lead: if the first met a known one, that is whom all met.
CREATE FUNCTION model.take_in(given jsonb, moment timestamptz)
RETURNS TABLE (key text, status text, pool_id integer, owner_id integer,
               priority integer)
LANGUAGE plpgsql AS $$
DECLARE
    r       record;
    e       model.entry;
    entries model.entry[] := '{}';
    owners  integer[] := '{}';
    met     jsonb := '{}';
BEGIN
    FOR r IN SELECT * FROM jsonb_to_recordset(given)
             AS g (pool text, key text, priority integer, identities jsonb,
                   owner text)
    LOOP
        e := model.enter(r.pool, r.key, moment, priority => r.priority,
                         identities => r.identities,
                         alias => met ->> r.key, routed => false);
        met := met || jsonb_build_object(r.key, e.key);
        IF e.outcome IN ('entered', 'reopened') AND e.status = 'available' THEN
            entries := entries || e;
            owners := owners || (SELECT id FROM model.member m
                                 WHERE m.key = r.owner);
        END IF;
    END LOOP;
    FOR i IN 1..coalesce(array_length(entries, 1), 0) LOOP
        IF owners[i] IS NOT NULL THEN
            PERFORM model.hand_to(entries[i], owners[i], moment);
        END IF;
    END LOOP;
    FOR i IN 1..coalesce(array_length(entries, 1), 0) LOOP
        PERFORM model.route_entry(entries[i], owners[i], moment);
    END LOOP;
    RETURN QUERY SELECT DISTINCT l.key, l.status, l.pool_id, l.owner_id,
               l.priority
        FROM model.lead l JOIN jsonb_array_elements(given) g
             ON g ->> 'key' = l.key
        ORDER BY 1;
END $$;

CREATE FUNCTION model.their_take_in(given jsonb)
RETURNS TABLE (key text, status text, pool_id integer, owner_id integer,
               priority integer)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pool.intake (pool, key, priority, identities, owner)
    SELECT pool, g.key, g.priority, identities, owner
    FROM jsonb_to_recordset(given)
         AS g (pool text, key text, priority integer, identities jsonb,
               owner text);
    RETURN QUERY SELECT DISTINCT d.key, s.status, s.pool_id, s.owner_id,
               s.priority::integer
        FROM pool.lead_data d JOIN pool.lead_state s USING (id)
             JOIN jsonb_array_elements(given) g ON g ->> 'key' = d.key
        ORDER BY 1;
END $$;

-- Both tick and answer with what that did, in no particular order.
CREATE FUNCTION model.do_tick(moment timestamptz)
RETURNS TABLE (kind text, key text, rule_id integer)
LANGUAGE plpgsql AS $$
DECLARE
    mark    bigint := (SELECT coalesce(max(no), 0) FROM model.log);
BEGIN
    PERFORM model.tick(moment);
    RETURN QUERY SELECT g.kind, g.key, g.rule_id FROM model.log g
        WHERE no > mark AND g.kind NOT IN ('assigned', 'requested')
        ORDER BY 2, 1, 3;
END $$;

CREATE FUNCTION model.their_tick()
RETURNS TABLE (kind text, key text, rule_id integer)
LANGUAGE plpgsql AS $$
DECLARE
    mark    bigint := (SELECT coalesce(max(id), 0) FROM pool.event);
    moment  timestamptz := (SELECT at FROM model.world);
    stale   integer[] := ARRAY(
                SELECT p.id FROM pool.pool p LEFT JOIN pool.routing_retry r
                    ON r.pool_id = p.id
                WHERE (ended_at BETWEEN moment - interval '15 minutes'
                                AND moment) IS NOT TRUE);
    entered text;
    followed bigint := mark;
    again   boolean;
BEGIN
    FOR i IN 1..100 LOOP
        again := (SELECT bool_or(more) FROM pool.tick());
        PERFORM model.follow_routing(followed, moment);
        PERFORM model.follow_seats(moment);
        PERFORM model.learn_facts();
        EXIT WHEN NOT again;
        followed := (SELECT coalesce(max(id), 0) FROM pool.event);
    END LOOP;
    PERFORM model.check_waiting(stale, moment);
    -- What one tick takes back enters in an order of its own: follow it.
    FOR entered IN
        SELECT d.key FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
             JOIN pool.lead_state s ON s.id = e.lead_id
        WHERE e.id > mark AND e.kind IN ('reclaimed', 'moved')
        ORDER BY s.ticket
    LOOP
        UPDATE model.lead l SET ticket = nextval('model.ticket')
        WHERE l.key = entered AND l.status = 'available';
    END LOOP;
    RETURN QUERY SELECT e.kind, d.key, e.rule_id
        FROM pool.event e JOIN pool.lead_data d ON d.id = e.lead_id
        WHERE e.id > mark AND (e.detail ? 'hand_over'
                               OR e.kind IN ('assigned', 'requested'))
                              IS NOT TRUE
        ORDER BY 2, 1, 3;
END $$;

------------------------------------------------------------------------
-- Questions
------------------------------------------------------------------------

CREATE FUNCTION model.ask_enter(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    known   integer := (SELECT count(*) FROM model.lead);
    key     text := CASE WHEN known > 150 AND model.chance(0.7)
                         THEN 'k' || model.upto(known)
                         ELSE model.fresh_key() END;
    args    text := format('name => %L, source => %L, grade => %L, '
                'priority => %s, attributes => %L, identities => %L, '
                'owner => %L',
                'n' || model.upto(9), model.one_of('web', 'fair', NULL),
                model.one_of('A', 'B', 'C', NULL),
                model.one_of('0', '0', '10', '50', '100'),
                model.any_attributes(),
                model.any_identities(),
                CASE WHEN model.chance(0.1) THEN model.any_member() END);
    pool    text := replace(model.any_pool(), 'attic', 'company');
BEGIN
    RETURN (format('SELECT outcome, key, member, status, home_pool, rule, '
                   'reason FROM model.enter(%L, %L, %L, %s)',
                   pool, key, moment, args),
            format('SELECT outcome, model.key(lead_id), member, status, '
                   'home_pool, rule, reason FROM pool.enter(%L, %L, %s)',
                   pool, key, args));
END $$;

-- Some rows of one statement may name the same lead, in the same way and pool.
CREATE FUNCTION model.ask_intake(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    fresh       integer := substr(model.fresh_key(), 2);
    identities  jsonb[] := array_agg(model.any_identities())
                    FROM generate_series(1, 8);
    pools       text[] := array_agg(model.one_of('company', 'north', 'south',
                                                 'desk', 'hall'))
                    FROM generate_series(1, 8) i;
    given       jsonb := '[]';
    pick        integer;
BEGIN
    FOR i IN 1..model.upto(6) LOOP
        pick := model.upto(8);
        given := given || jsonb_build_object(
            'pool', pools[pick],
            'key', 'k' || abs(fresh + pick - 3),
            'priority', model.one_of('0', '10')::integer,
            'identities', identities[pick],
            'owner', CASE WHEN model.chance(0.1)
                          THEN 'm' || model.upto(10) END);
    END LOOP;
    RETURN (format('SELECT * FROM model.take_in(%L, %L)', given, moment),
            format('SELECT * FROM model.their_take_in(%L)', given));
END $$;

CREATE FUNCTION model.ask_edit(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    key         text := model.any_lead(model.one_of('available', 'owned'));
    name        text := model.one_of('x', NULL);
    grade       text := model.one_of('A', 'B', NULL);
    priority    text := model.one_of('0', '10', '50', '100', NULL);
    attributes  text := model.one_of('{"attempts": 2, "seen": true}',
                                     '{"seen": null, "region": null}',
                                     model.any_attributes()::text, NULL);
    identities  jsonb := CASE WHEN model.chance(0.3)
                              THEN model.any_identities() END;
BEGIN
    IF model.chance(0.1) THEN
        identities := coalesce(identities, '{}')
            || model.one_of('{"phone": null}', '{"email": null}')::jsonb;
    END IF;
    RETURN (format('SELECT model.edit(%L, %L, %L, %L, %L, %L, %L)', key, moment,
                   name, grade, priority, attributes, identities),
            format('SELECT outcome FROM pool.edit(%s, name => %L, grade => %L, '
                   'priority => %L, attributes => %L, identities => %L)',
                   model.id(key), name, grade, priority, attributes,
                   identities));
END $$;

CREATE FUNCTION model.claim_question(pool text, member text, n integer,
                                     moment timestamptz, match jsonb = NULL)
RETURNS model.question LANGUAGE sql IMMUTABLE AS $$
    SELECT format('SELECT * FROM model.claim(%L, %L, %s, %L, %L)',
                  pool, member, n, moment, match),
           model.their_claim(format('claim(%L, member => %L, n => %s, '
                                    'match => %L)', pool, member, n, match))
$$;

CREATE FUNCTION model.claim_leads_question(keys text[], member text,
                                           moment timestamptz)
RETURNS model.question LANGUAGE sql STABLE AS $$
    SELECT format('SELECT * FROM model.claim_leads(%L, %L, %L)',
                  keys, member, moment),
           model.their_claim(format('claim_leads(%L, member => %L)',
                                    model.ids(keys), member))
$$;

-- These leads and one more that its owner has beside another of the customer;
-- mostly with that other, too.
CREATE FUNCTION model.with_siblings(keys text[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    salt    text := random()::text;
    first   model.lead;
BEGIN
    SELECT * INTO first FROM model.lead l
    WHERE EXISTS (SELECT FROM model.lead o
                  WHERE o.customer = l.customer AND o.key <> l.key
                    AND o.owner_id = l.owner_id)
    ORDER BY hashtext(key || salt), key LIMIT 1;
    IF NOT found THEN
        RETURN keys;
    END IF;
    keys := first.key || keys;
    IF model.chance(0.8) THEN
        keys := keys || ARRAY(SELECT key FROM model.lead o
                              WHERE o.customer = first.customer ORDER BY key);
    END IF;
    RETURN keys;
END $$;

-- assign, transfer, release
CREATE FUNCTION model.ask_give(verb text, moment timestamptz)
RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads(
                CASE verb WHEN 'assign' THEN 'available' ELSE 'owned' END);
    target  text := model.any_target();
    member  text := model.mostly_owner(keys[1], CASE verb
                WHEN 'release' THEN 0.8 WHEN 'transfer' THEN 0.15 ELSE 0 END);
    reason  text := model.one_of('full', 'full', 'slip', 'rest', NULL);
BEGIN
    IF verb = 'transfer' AND model.chance(0.4) THEN
        keys := model.with_siblings(keys);
    END IF;
    IF verb = 'release' THEN
        RETURN (format('SELECT * FROM model.release(%L, %L, %L, %L, %L)',
                       keys, member, moment, target, reason),
                format('SELECT outcome, key FROM pool.release(%L, '
                       'member => %L, to_pool => %L, reason => %L)',
                       model.ids(keys), member, target, reason));
    END IF;
    RETURN (format('SELECT * FROM model.%I(%L, %L, %L, %L)',
                   verb, keys, member, moment, target),
            format('SELECT outcome, key FROM pool.%I(%L, member => %L, '
                   'to_pool => %L)', verb, model.ids(keys), member, target));
END $$;

-- reclaim, reopen, move
CREATE FUNCTION model.ask_put(verb text, moment timestamptz)
RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads(CASE verb
                WHEN 'reclaim' THEN 'owned' WHEN 'move' THEN 'available'
                ELSE model.one_of('archived', 'converted') END);
    target  text := model.any_target();
BEGIN
    IF verb = 'move' THEN
        target := coalesce(target, 'company');
    END IF;
    RETURN (format('SELECT * FROM model.%I(%L, %L, %L)',
                   verb, keys, moment, target),
            format('SELECT outcome, key FROM pool.%I(%L, to_pool => %L)',
                   verb, model.ids(keys), target));
END $$;

CREATE FUNCTION model.ask_archive(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads(model.one_of('available', 'owned',
                                                   'review'));
    reason  text := model.one_of('lost', 'lost', 'never', 'dull');
BEGIN
    RETURN (format('SELECT * FROM model.archive(%L, %L, %L)',
                   keys, moment, reason),
            format('SELECT outcome, key FROM pool.archive(%L, %L)',
                   model.ids(keys), reason));
END $$;

CREATE FUNCTION model.ask_convert(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    lead    text := model.any_lead('owned');
    member  text := model.mostly_owner(lead, 0.85);
BEGIN
    RETURN (format('SELECT model.convert(%L, %L, %L, 9.5)',
                   lead, member, moment),
            format('SELECT outcome FROM pool.convert(%s, 9.5, member => %L)',
                   model.id(lead), member));
END $$;

-- mostly by the owner, else often by one who helps him
CREATE FUNCTION model.ask_follow_up(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    lead    text := model.any_lead('owned');
    member  text := model.mostly_owner(lead, 0.75);
    kind    text := model.one_of('note', 'call', 'call', 'memo');
    result  text := model.one_of('busy', 'later', 'later', 'void', 'back',
                                 'cool', NULL);
    note    text := model.one_of('said so', ' x ', NULL);
    next_at text := model.one_of((moment + interval '5 hours')::text,
                                 NULL, NULL);
    since   text := model.one_of((moment - model.upto(30)
                                  * interval '1 hour')::text, NULL, NULL);
    stage   text := model.one_of('s1', 's2', NULL);
BEGIN
    IF model.chance(0.15) THEN
        SELECT h.lead, h.helper INTO lead, member FROM model.any_helper() h;
    END IF;
    RETURN (format('SELECT * FROM model.follow_up(%L, %L, %L, %L, %L, %L, %L, '
                   '%L, %L)', lead, member, moment, kind, result, note, next_at,
                   since, stage),
            format('SELECT outcome, due_at FROM pool.follow_up(%s, %L, '
                   'result => %L, note => %L, next_at => %L, '
                   'occurred_at => %L, stage => %L, member => %L)',
                   model.id(lead), kind, result, note, next_at, since, stage,
                   member));
END $$;

CREATE FUNCTION model.ask_tick(moment timestamptz) RETURNS model.question
LANGUAGE sql VOLATILE AS $$
    SELECT format('SELECT * FROM model.do_tick(%L)', moment),
           'SELECT * FROM model.their_tick()'
$$;
