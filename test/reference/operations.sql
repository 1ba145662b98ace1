-- The operations that give leads to members, each as its contract reads: the
-- tests in their order, then the change.

-- whether every field named is what is asked for, or one of these
CREATE FUNCTION model.fits(l model.lead, match jsonb) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(CASE jsonb_typeof(wanted)
        WHEN 'array' THEN wanted @> has ELSE wanted = has END), true)
    FROM jsonb_each(match) m (field, wanted),
         coalesce(model.document(l) -> field, 'null') has
$$;

CREATE FUNCTION model.claim(the_pool text, the_member text, n integer,
                            moment timestamptz, match jsonb = NULL)
RETURNS SETOF model.answer LANGUAGE plpgsql AS $$
DECLARE
    answer      model.answer;
    pool        integer := (SELECT id FROM model.pool WHERE name = the_pool);
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    mark        bigint := (SELECT max(no) FROM model.claimed);
    candidate   text;
    l           model.lead;
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
        SELECT * INTO l FROM model.lead WHERE key = candidate;
        CONTINUE WHEN NOT model.fits(l, match);
        IF (model.barred(l, member, moment)).outcome IS NOT NULL THEN
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
    answer.due_at := model.due_at(the_lead, moment);
    RETURN answer;
END $$;

-- Why the member may not claim the lead he has named; all NULL if he may.
CREATE FUNCTION model.unclaimable(l model.lead, member integer,
                                  moment timestamptz, mark bigint)
RETURNS model.answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    answer      model.answer;
BEGIN
    answer.outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN l.status = 'owned' THEN 'taken'
        WHEN l.status <> 'available' THEN 'not_available'
        WHEN NOT model.may_own(l.pool_id, member) THEN 'not_member'
        ELSE model.closed_to(l.pool_id, member)
    END;
    IF answer.outcome IS NULL THEN
        answer := model.barred(l, member, moment);
    END IF;
    IF answer.outcome IS NULL THEN
        answer := model.refusal(l.pool_id, member, moment, mark);
    END IF;
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
        answer := model.unclaimable(l, member, moment, mark);
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
            ELSE coalesce(model.unfit(target, member, l.key),
                          CASE WHEN model.kept_from(l, member, moment)
                               THEN 'reserved' END,
                          model.unfit_for(l, target, member), 'assigned')
        END;
        IF outcome = 'assigned' THEN
            PERFORM model.give(the_lead, member, target, outcome, moment);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- These leads of one customer and owner go to another member together, or none
-- of them does.
CREATE FUNCTION model.pass(keys text[], member integer, target integer,
                           moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    refusal     text;
    the_lead    text;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = keys[1];
    refusal := model.unfit(coalesce(target, l.pool_id), member, l.key);
    IF refusal IS NULL AND EXISTS (
        SELECT FROM model.lead o
        WHERE o.customer = l.customer AND o.key <> ALL (keys)
          AND o.status = 'owned' AND o.owner_id <> member) THEN
        refusal := 'identity_owned';
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    FOREACH the_lead IN ARRAY keys LOOP
        SELECT * INTO l FROM model.lead WHERE key = the_lead;
        refusal := model.unfit(coalesce(target, l.pool_id), member, the_lead);
        IF refusal IS NOT NULL THEN
            RAISE 'undo' USING ERRCODE = 'PM001';
        END IF;
        PERFORM model.give(the_lead, member, coalesce(target, l.pool_id),
                           'transferred', moment);
    END LOOP;
    RETURN 'transferred';
EXCEPTION WHEN SQLSTATE 'PM001' THEN
    RETURN refusal;
END $$;

CREATE FUNCTION model.transfer(keys text[], the_member text, moment timestamptz,
                               to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member m
                            WHERE m.key = the_member);
    target      integer := (SELECT id FROM model.pool WHERE name = to_pool);
    l           model.lead;
    siblings    text[];
    done        jsonb := '{}';
    the_lead    text;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN done ? l.key THEN done ->> l.key
            WHEN l.status <> 'owned' THEN 'not_owned'
        END;
        IF outcome IS NULL THEN
            siblings := ARRAY(
                SELECT o.key FROM model.distinct_leads(keys)
                     WITH ORDINALITY g (one, place)
                     JOIN model.lead o ON o.key = g.one
                WHERE o.customer = l.customer AND o.owner_id = l.owner_id
                  AND NOT done ? o.key ORDER BY place);
            outcome := model.pass(siblings, member, target, moment);
            done := done || jsonb_object(siblings,
                array_fill(outcome, ARRAY[cardinality(siblings)]));
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
