-- The operations of the model, each of them as its contract reads: the tests in
-- their order, then the change.

CREATE FUNCTION model.edit(the_lead text, moment timestamptz,
                           new_name text = NULL, new_grade text = NULL,
                           new_priority integer = NULL,
                           new_attributes jsonb = NULL,
                           new_identities jsonb = NULL)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM model.lead WHERE key = the_lead) THEN
        RETURN 'not_found';
    ELSIF model.twin(new_identities, the_lead) IS NOT NULL THEN
        RETURN 'duplicate';
    END IF;

    INSERT INTO model.identity (kind, value, key)
    SELECT kind, value, the_lead FROM model.identities(new_identities)
    ON CONFLICT DO NOTHING;     -- those it has already

    UPDATE model.lead SET ticket = nextval('model.ticket')
    WHERE key = the_lead AND status = 'available'
      AND priority <> new_priority;
    UPDATE model.lead SET name = coalesce(new_name, name),
           grade = coalesce(new_grade, grade),
           priority = coalesce(new_priority, priority),
           attributes = attributes || coalesce(new_attributes, '{}')
    WHERE key = the_lead;
    UPDATE model.lead SET attributes = attributes - k
    FROM jsonb_each(new_attributes) e (k, v)
    WHERE key = the_lead AND v = 'null';
    RETURN 'ok';
END $$;

CREATE FUNCTION model.enter(the_pool text, the_lead text, moment timestamptz,
                            name text = NULL, source text = NULL,
                            grade text = NULL, priority integer = 0,
                            attributes jsonb = '{}', identities jsonb = '{}',
                            owner text = NULL,
                            OUT outcome text, OUT key text, OUT member text,
                            OUT status text, OUT home_pool text,
                            OUT reason text)
LANGUAGE plpgsql AS $$
DECLARE
    pool_id     integer;
    owner_id    integer;
BEGIN
    SELECT id INTO pool_id FROM model.pool p WHERE p.name = the_pool;
    SELECT id INTO owner_id FROM model.member m WHERE m.key = owner;
    IF pool_id IS NULL THEN
        outcome := 'PO001';
        RETURN;
    ELSIF owner IS NOT NULL AND owner_id IS NULL THEN
        outcome := 'PO002';
        RETURN;
    END IF;

    -- known by its key, else by an identity?
    SELECT l.key INTO key FROM model.lead l WHERE l.key = the_lead;
    key := coalesce(key, model.twin(identities, the_lead));
    IF key IS NULL THEN
        key := the_lead;
        outcome := 'entered';
        INSERT INTO model.lead (key, name, source, grade, priority, attributes,
                                status, pool_id, entered_at)
        VALUES (key, name, source, grade, priority, attributes,
                'new', pool_id, moment);
        INSERT INTO model.identity (kind, value, key)
        SELECT g.kind, g.value, key FROM model.identities(identities) g;
    ELSE
        -- nothing of what is known of it changes
        outcome := CASE WHEN (SELECT l.status = 'archived' FROM model.lead l
                              WHERE l.key = enter.key)
                        THEN 'reopened' ELSE 'duplicate' END;
    END IF;

    IF outcome <> 'duplicate' THEN
        PERFORM model.put(key, pool_id, outcome, moment);
        IF owner_id IS NOT NULL THEN
            reason := model.unfit(pool_id, owner_id);
            IF reason IS NULL THEN
                PERFORM model.give(key, owner_id, pool_id, 'assigned',
                                   moment);
                IF outcome = 'entered' THEN
                    outcome := 'assigned';
                END IF;
            END IF;
        END IF;
    END IF;
    SELECT m.key, l.status, p.name INTO member, status, home_pool
    FROM model.lead l JOIN model.pool p ON p.id = l.pool_id
         LEFT JOIN model.member m ON m.id = l.owner_id
    WHERE l.key = enter.key;
END $$;

CREATE FUNCTION model.claim(the_pool text, the_member text, n integer,
                            moment timestamptz)
RETURNS SETOF model.answer LANGUAGE plpgsql AS $$
DECLARE
    answer      model.answer;
    pool        integer := (SELECT id FROM model.pool WHERE name = the_pool);
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    mark        bigint := (SELECT max(no) FROM model.claimed);
    candidate   text;
    barred      boolean := false;
    taken       integer := 0;
BEGIN
    answer.outcome := CASE
        WHEN member IS NULL THEN 'PO002'
        WHEN pool IS NULL THEN 'PO001'
        WHEN NOT model.may_own(pool, member) THEN 'PO003'
    END;
    IF answer.outcome IS NULL THEN
        answer := model.refusal(pool, member, moment, mark);
    END IF;
    IF answer.outcome IS NOT NULL THEN
        RETURN NEXT answer;
        RETURN;
    END IF;

    FOR candidate IN
        SELECT key FROM model.lead
        WHERE pool_id = pool AND status = 'available'
        ORDER BY priority DESC, ticket
    LOOP
        EXIT WHEN taken = n;
        EXIT WHEN (model.refusal(pool, member, moment, mark)).outcome <> '';
        IF model.cooling(candidate, member) > moment THEN
            barred := true;
            CONTINUE;
        END IF;
        RETURN NEXT model.take(candidate, member, moment);
        taken := taken + 1;
    END LOOP;
    IF taken = 0 THEN
        answer.outcome := CASE WHEN barred THEN 'none_allowed' ELSE 'empty' END;
        RETURN NEXT answer;
    END IF;
END $$;

-- one claim that has passed all tests
CREATE FUNCTION model.take(the_lead text, the_member integer,
                           moment timestamptz)
RETURNS model.answer LANGUAGE plpgsql AS $$
DECLARE
    answer      model.answer;
    home        integer;
BEGIN
    SELECT pool_id INTO home FROM model.lead WHERE key = the_lead;
    INSERT INTO model.claimed (pool_id, member_id, at, counts_until)
    VALUES (home, the_member, moment,
            model.day_until(home, the_member, moment));
    PERFORM model.give(the_lead, the_member, home, 'claimed', moment);
    answer.outcome := 'claimed';
    answer.key := the_lead;
    answer.due_at := model.due_at(the_lead);
    RETURN answer;
END $$;

CREATE FUNCTION model.claim_leads(keys text[], the_member text,
                                  moment timestamptz)
RETURNS SETOF model.answer LANGUAGE plpgsql AS $$
DECLARE
    answer      model.answer;
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    mark        bigint := (SELECT max(no) FROM model.claimed);
    the_lead    text;
    l           model.lead;
BEGIN
    IF member IS NULL THEN
        answer.outcome := 'PO002';
        RETURN NEXT answer;
        RETURN;
    END IF;
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead WHERE key = the_lead;
        answer := NULL;
        answer.outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN l.status = 'owned' THEN 'taken'
            WHEN l.status <> 'available' THEN 'not_available'
            WHEN NOT model.may_own(l.pool_id, member) THEN 'not_member'
            WHEN model.closed_to(l.pool_id, member) IS NOT NULL
                THEN model.closed_to(l.pool_id, member)
            WHEN model.cooling(the_lead, member) > moment THEN 'cooldown'
        END;
        IF answer.outcome = 'cooldown' THEN
            answer.retry_at := model.cooling(the_lead, member);
        ELSIF answer.outcome IS NULL THEN
            answer := model.refusal(l.pool_id, member, moment, mark);
        END IF;
        IF answer.outcome IS NULL THEN
            answer := model.take(the_lead, member, moment);
        END IF;
        answer.key := l.key;
        RETURN NEXT answer;
    END LOOP;
END $$;

CREATE FUNCTION model.assign(keys text[], the_member text, moment timestamptz,
                             to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member m
                            WHERE m.key = the_member);
    l           model.lead;
    target      integer;
    the_lead    text;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        target := coalesce((SELECT id FROM model.pool WHERE name = to_pool),
                           l.pool_id);
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN l.status = 'owned' THEN 'taken'
            WHEN l.status <> 'available' THEN 'not_available'
            ELSE coalesce(model.unfit(target, member), 'assigned')
        END;
        IF outcome = 'assigned' THEN
            PERFORM model.give(the_lead, member, target, outcome, moment);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION model.transfer(keys text[], the_member text, moment timestamptz,
                               to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member m
                            WHERE m.key = the_member);
    l           model.lead;
    target      integer;
    the_lead    text;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        target := coalesce((SELECT id FROM model.pool WHERE name = to_pool),
                           l.pool_id);
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN l.status <> 'owned' THEN 'not_owned'
            ELSE coalesce(model.unfit(target, member, the_lead), 'transferred')
        END;
        IF outcome = 'transferred' THEN
            PERFORM model.give(the_lead, member, target, outcome, moment);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- release, reclaim, reopen, move: back into a pool.  `missing` is the answer
-- where the lead is not in a state for it.
CREATE FUNCTION model.put_back(keys text[], the_kind text, missing text,
                               moment timestamptz, to_pool text = NULL,
                               the_member text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    the_lead    text;
    fits        boolean;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        fits := CASE the_kind
            WHEN 'released' THEN l.owner_id =
                (SELECT id FROM model.member m WHERE m.key = the_member)
            WHEN 'reclaimed' THEN l.status = 'owned'
            WHEN 'reopened' THEN l.status IN ('converted', 'archived')
            WHEN 'moved' THEN l.status = 'available'
        END;
        key := l.key;
        IF l.key IS NULL THEN
            outcome := 'not_found';
        ELSIF fits THEN
            outcome := the_kind;
            PERFORM model.put(the_lead,
                coalesce((SELECT id FROM model.pool WHERE name = to_pool),
                         l.pool_id), the_kind, moment);
        ELSE
            outcome := missing;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION model.release(keys text[], the_member text, moment timestamptz,
                              to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member  integer := (SELECT id FROM model.member m
                        WHERE m.key = the_member);
BEGIN
    -- he belongs to where he sends them, in whatever role
    IF EXISTS (SELECT FROM model.pool p WHERE p.name = to_pool
            AND model.role(p.id, member) IS NULL
            AND NOT model.manages(p.id, member)) THEN
        RETURN QUERY VALUES ('PO003', NULL);
    ELSE
        RETURN QUERY SELECT * FROM model.put_back(keys, 'released',
            'not_owner', moment, to_pool, the_member);
    END IF;
END $$;

CREATE FUNCTION model.reclaim(keys text[], moment timestamptz,
                              to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE sql AS $$
    SELECT * FROM model.put_back(keys, 'reclaimed', 'not_owned', moment,
                                 to_pool)
$$;

CREATE FUNCTION model.reopen(keys text[], moment timestamptz,
                              to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE sql AS $$
    SELECT * FROM model.put_back(keys, 'reopened', 'not_closed', moment,
                                 to_pool)
$$;

CREATE FUNCTION model.move(keys text[], moment timestamptz, to_pool text)
RETURNS TABLE (outcome text, key text) LANGUAGE sql AS $$
    SELECT * FROM model.put_back(keys, 'moved', 'not_available', moment,
                                 to_pool)
$$;

CREATE FUNCTION model.archive(keys text[], moment timestamptz)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    the_lead    text;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN l.status IN ('converted', 'archived') THEN 'already_closed'
            ELSE 'archived'
        END;
        IF outcome = 'archived' THEN
            PERFORM model.shut(the_lead, outcome, moment);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION model.follow_up(the_lead text, the_member text,
                                moment timestamptz,
                                result text = NULL, new_stage text = NULL,
                                OUT outcome text, OUT due_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    l           model.lead;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN l.status IN ('converted', 'archived') THEN 'closed'
        WHEN l.owner_id = member THEN 'ok'
        ELSE 'not_owner'
    END;
    IF outcome = 'ok' THEN
        UPDATE model.lead SET last_follow_up_at = moment,
               follow_ups = follow_ups + 1,
               last_result = coalesce(result, last_result),
               stage = coalesce(new_stage, stage)
        WHERE key = the_lead;
        PERFORM model.note('followed_up', the_lead, moment, member);
        due_at := model.due_at(the_lead);
    END IF;
END $$;

CREATE FUNCTION model.convert(the_lead text, the_member text,
                              moment timestamptz,
                              new_amount numeric = NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    l           model.lead;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    IF l.key IS NULL THEN
        RETURN 'not_found';
    ELSIF l.status = 'converted' THEN
        RETURN 'already_converted';
    ELSIF l.status = 'owned'
        AND (l.owner_id = member OR model.manages(l.pool_id, member)) THEN
        PERFORM model.shut(the_lead, 'converted', moment);
        UPDATE model.lead SET amount = new_amount WHERE key = the_lead;
        RETURN 'converted';
    END IF;
    RETURN 'not_owner';
END $$;

-- Everything that time makes due.  Of the reclaiming rules the earliest acts,
-- of several at once the first by name; a lead that stays gets each reminder
-- once per spell, rule and distance from the deadline.
CREATE FUNCTION model.tick(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    l       model.lead;
    d       record;
    distance interval;
BEGIN
    FOR l IN SELECT * FROM model.lead WHERE status = 'owned' ORDER BY key LOOP
        SELECT * INTO d FROM model.deadlines(l.key)
        ORDER BY due, rule_id LIMIT 1;
        IF d.due <= moment THEN
            PERFORM model.put(l.key, coalesce(d.to_pool_id, l.pool_id),
                              'reclaimed', moment, d.rule_id);
            CONTINUE;
        END IF;
        FOR d IN SELECT * FROM model.deadlines(l.key) LOOP
            FOREACH distance IN ARRAY d.remind_before LOOP
                CONTINUE WHEN model.plus(d.due, -distance,
                                         model.pool_zone(l.pool_id)) > moment;
                INSERT INTO model.reminded (key, spell, rule_id, before)
                VALUES (l.key, l.claims, d.rule_id, distance)
                ON CONFLICT DO NOTHING;
                CONTINUE WHEN NOT found;
                PERFORM model.note('reminded', l.key, moment, l.owner_id,
                                   d.rule_id);
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
