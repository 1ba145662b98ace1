-- What enters, and what is known of it: the pool's entry rules, scores, known
-- customers; edit, review and merge.

-- Sets what the score rules say of an open lead; one in the queue goes to the
-- end of its new band.
CREATE FUNCTION model.rate(the_lead text, otherwise integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    l       model.lead;
    rated   integer;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    rated := coalesce(model.score(l), otherwise, l.priority);
    IF l.status IN ('converted', 'archived') AND model.score(l) IS NOT NULL THEN
        RETURN;
    END IF;
    IF rated <> l.priority THEN
        UPDATE model.lead SET priority = rated,
               ticket = CASE status WHEN 'available'
                                    THEN nextval('model.ticket') END
        WHERE key = the_lead;
    END IF;
END $$;

CREATE FUNCTION model.edit(the_lead text, moment timestamptz,
                           new_name text = NULL, new_grade text = NULL,
                           new_priority integer = NULL,
                           new_attributes jsonb = NULL,
                           new_identities jsonb = NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    l       model.lead;
    given   jsonb := jsonb_strip_nulls(new_identities);
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    IF l.key IS NULL THEN
        RETURN 'not_found';
    ELSIF model.twin(given, model.scope_of(l), l.key,
                     l.customer) IS NOT NULL THEN
        RETURN 'duplicate';
    END IF;

    PERFORM model.identify(the_lead, given, model.scope_of(l));
    DELETE FROM model.identity i WHERE key = the_lead
      AND new_identities -> i.kind = 'null';
    UPDATE model.lead SET name = coalesce(new_name, name),
           grade = coalesce(new_grade, grade),
           attributes = attributes || coalesce(new_attributes, '{}')
    WHERE key = the_lead;
    UPDATE model.lead SET attributes = attributes - ARRAY(
        SELECT k FROM jsonb_each(new_attributes) e (k, v) WHERE v = 'null')
    WHERE key = the_lead;
    PERFORM model.rate(the_lead, new_priority);
    RETURN 'ok';
END $$;

-- The rule that decides: the first that matches, of the pool that a rule before
-- it named, if one did.  Each pool is asked once.
CREATE FUNCTION model.entry_verdict(INOUT l model.lead, OUT verdict text,
                                    OUT rule model.entry_rule)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked   integer[] := '{}';
    r       model.entry_rule;
BEGIN
    WHILE l.pool_id <> ALL (asked) LOOP
        asked := asked || l.pool_id;
        r := NULL;
        SELECT * INTO r FROM model.entry_rule e
        WHERE e.pool_id = l.pool_id AND enabled AND model.meets(l, condition)
        ORDER BY position, id LIMIT 1;
        EXIT WHEN r.id IS NULL;
        EXIT WHEN r."then" = 'to_pool' AND r.to_pool_id = ANY (asked);
        rule := r;
        l.grade := coalesce(r.grade, l.grade);
        verdict := r."then";
        EXIT WHEN verdict <> 'to_pool';
        l.pool_id := r.to_pool_id;
    END LOOP;
    IF verdict IS DISTINCT FROM 'reject'
        AND (SELECT review FROM model.pool WHERE id = l.pool_id) THEN
        verdict := 'review';
    END IF;
END $$;

CREATE TYPE model.routed AS (outcome text, key text, member text, rule text);

CREATE TYPE model.entry AS (outcome text, key text, member text, status text,
                            home_pool text, rule text, reason text,
                            kept boolean);

-- what an entry finds that is known already, in its present state
CREATE FUNCTION model.known(INOUT e model.entry) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT m.key, l.status, p.name INTO e.member, e.status, e.home_pool
    FROM model.lead l JOIN model.pool p ON p.id = l.pool_id
         LEFT JOIN model.member m ON m.id = l.owner_id
    WHERE l.key = e.key;
END $$;

CREATE FUNCTION model.enter(the_pool text, the_lead text, moment timestamptz,
                            name text = NULL, source text = NULL,
                            grade text = NULL, priority integer = 0,
                            attributes jsonb = '{}', identities jsonb = '{}',
                            owner text = NULL, alias text = NULL,
                            routed boolean = true)
RETURNS SETOF model.entry LANGUAGE plpgsql AS $$
DECLARE
    e           model.entry;
    p           model.pool;
    owner_id    integer := (SELECT id FROM model.member m WHERE m.key = owner);
    l           model.lead;
    known       model.lead;
    twin        model.lead;
    judged      record;
    verdict     text;
    rule        model.entry_rule;
BEGIN
    SELECT * INTO p FROM model.pool WHERE pool.name = the_pool;
    IF p.id IS NULL OR owner IS NOT NULL AND owner_id IS NULL THEN
        e.outcome := CASE WHEN p.id IS NULL THEN 'PO001' ELSE 'PO002' END;
        RETURN NEXT e;
        RETURN;
    END IF;

    l := (the_lead, name, source, grade, priority, attributes);
    l.pool_id := p.id;
    l.claims := 0;
    l.follow_ups := 0;
    judged := model.entry_verdict(l);
    l := judged.l;
    verdict := judged.verdict;
    rule := judged.rule;
    SELECT * INTO p FROM model.pool WHERE id = l.pool_id;

    e.rule := rule.name;
    e.reason := rule.reason;
    IF verdict = 'reject' THEN
        e.outcome := 'rejected';
        e.home_pool := p.name;
        RETURN NEXT e;
        RETURN;
    END IF;

    -- known by its key, else by an identity?
    SELECT * INTO known FROM model.lead
    WHERE lead.key = model.stands_for(coalesce(alias, the_lead));
    IF known.key IS NULL THEN
        SELECT * INTO twin FROM model.lead WHERE lead.key =
            model.stands_for(model.twin(identities, model.scope(p.id)));
        IF p.duplicate_policy <> 'link' OR twin.status = 'archived' THEN
            known := twin;
        END IF;
    END IF;
    IF known.key IS NOT NULL THEN
        e := model.meet(known, p, verdict, rule, moment, owner_id);
        IF routed THEN
            e := model.route_entry(e, owner_id, moment);
        END IF;
        RETURN NEXT e;
        RETURN;
    END IF;

    INSERT INTO model.lead (key, name, source, grade, priority, attributes,
                            status, pool_id, entered_at, created_at, customer)
    VALUES (the_lead, name, source, l.grade, priority, attributes, 'new', p.id,
            moment, moment, coalesce(twin.customer, the_lead));
    IF twin.key IS NOT NULL THEN
        INSERT INTO model.customer VALUES (twin.customer, model.scope(p.id))
        ON CONFLICT DO NOTHING;
        PERFORM model.note('linked', twin.key, moment, twin.owner_id);
    END IF;
    PERFORM model.identify(the_lead, identities, model.scope(p.id));
    PERFORM model.rate(the_lead, NULL);
    e := model.let_in(the_lead, p.id, 'entered', verdict, moment, owner_id,
                      rule.id, e);
    IF routed THEN
        e := model.route_entry(e, owner_id, moment);
    END IF;
    RETURN NEXT e;
END $$;

-- What is in the pool now, and was meant for nobody, goes to whom its rules say.
CREATE FUNCTION model.route_entry(e model.entry, owner_id integer,
                                  moment timestamptz)
RETURNS model.entry LANGUAGE plpgsql AS $$
DECLARE
    r   model.routed;
BEGIN
    IF owner_id IS NOT NULL OR e.kept OR e.status <> 'available'
        OR e.outcome NOT IN ('entered', 'reopened') THEN
        RETURN e;
    END IF;
    PERFORM model.begin_routing();
    r := model.route(e.key, moment);
    IF r.outcome IS NULL THEN
        RETURN e;
    END IF;
    e.rule := coalesce(r.rule, e.rule);
    IF r.outcome <> 'assigned' THEN
        e.reason := r.outcome;
    ELSIF e.outcome = 'entered' THEN
        e.outcome := 'assigned';
    END IF;
    RETURN model.known(e);
END $$;

-- In the queue, with its owner, or where it is checked first.
CREATE FUNCTION model.let_in(the_lead text, the_pool integer, the_kind text,
                             verdict text, moment timestamptz,
                             owner_id integer, rule integer, e model.entry)
RETURNS model.entry LANGUAGE plpgsql AS $$
BEGIN
    e.outcome := the_kind;
    e.key := the_lead;
    IF verdict = 'review' THEN
        e.outcome := 'review';
        IF the_kind = 'reopened' THEN
            PERFORM model.put(the_lead, the_pool, the_kind, moment, rule);
        END IF;
        PERFORM model.note('review', the_lead, moment, NULL, rule);
        UPDATE model.lead SET status = 'review', pool_id = the_pool,
               ticket = NULL, entered_at = moment, stay = stay + 1
        WHERE key = the_lead;
        RETURN model.known(e);
    END IF;
    PERFORM model.put(the_lead, the_pool, the_kind, moment, rule);
    IF owner_id IS NOT NULL THEN
        e := model.hand_to(e, owner_id, moment);
    END IF;
    RETURN model.known(e);
END $$;

CREATE FUNCTION model.hand_to(e model.entry, owner_id integer,
                              moment timestamptz)
RETURNS model.entry LANGUAGE plpgsql AS $$
DECLARE
    l       model.lead;
    refused text;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = e.key;
    refused := model.unfit_for(l, l.pool_id, owner_id);
    e.reason := coalesce(refused, e.reason);
    IF refused IS NULL THEN
        PERFORM model.give(l.key, owner_id, l.pool_id, 'assigned', moment);
        IF e.outcome = 'entered' THEN
            e.outcome := 'assigned';
        END IF;
    END IF;
    RETURN e;
END $$;

-- An entry meets a known lead: nothing of what is known of it changes.  An
-- archived one comes back unless its reason forbids it, a converted one to its
-- last owner while its pool keeps it for him.
CREATE FUNCTION model.meet(l model.lead, p model.pool, verdict text,
                           rule model.entry_rule, moment timestamptz,
                           owner_id integer)
RETURNS model.entry LANGUAGE plpgsql AS $$
DECLARE
    e       model.entry;
BEGIN
    e.key := l.key;
    e.rule := rule.name;
    e.reason := rule.reason;
    IF l.status = 'archived' AND NOT EXISTS (
        SELECT FROM model.words(l.pool_id, 'archive_reason')
        WHERE code = l.reason AND "then" = 'never') THEN
        RETURN model.let_in(l.key, p.id, 'reopened', verdict, moment,
                            owner_id, rule.id, e);
    END IF;
    IF l.status = 'converted' AND model.kept(l, moment) THEN
        e.kept := true;
        RETURN model.let_in(l.key, l.pool_id, 'reopened', 'accept', moment,
                            l.last_owner_id, rule.id, e);
    END IF;
    e.outcome := 'duplicate';
    e.rule := NULL;
    e.reason := NULL;
    IF p.duplicate_policy = 'touch' THEN
        PERFORM model.note('touched', l.key, moment, l.owner_id, rule.id);
        PERFORM model.rate(l.key, NULL);
    END IF;
    RETURN model.known(e);
END $$;

CREATE FUNCTION model.review(keys text[], decision text, moment timestamptz)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    the_lead    text;
    accepted    text[] := '{}';
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        key := l.key;
        IF l.key IS NULL THEN
            outcome := 'not_found';
        ELSIF l.status <> 'review' THEN
            outcome := 'not_in_review';
        ELSIF decision = 'accept' THEN
            outcome := 'accepted';
            PERFORM model.put(the_lead, l.pool_id, 'entered', moment);
            accepted := accepted || the_lead;
        ELSE
            outcome := 'rejected';
            PERFORM model.shut(the_lead, 'archived', moment);
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM model.begin_routing();
    FOREACH the_lead IN ARRAY accepted LOOP
        PERFORM model.route(x.key, moment) FROM model.lead x
        WHERE x.key = the_lead AND model.may_be_routed(x, moment);
    END LOOP;
END $$;

-- Two leads turn out to be one customer: the one is archived, the other keeps
-- what both have.
CREATE FUNCTION model.merge(the_lead text, other text, moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    into_lead   model.lead;
    joins       boolean;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    SELECT * INTO into_lead FROM model.lead WHERE key = other;
    joins := EXISTS (SELECT FROM model.customer WHERE name = l.customer)
        AND NOT EXISTS (SELECT FROM model.customer
                        WHERE name = into_lead.customer);
    IF l.key IS NULL THEN
        RETURN 'not_found';
    ELSIF l.status IN ('converted', 'archived') THEN
        RETURN 'already_closed';
    ELSIF into_lead.key IS NULL THEN
        RETURN 'not_found';
    ELSIF into_lead.status = 'archived' THEN
        RETURN 'already_closed';
    ELSIF l.owner_id <> coalesce(into_lead.owner_id, 0) THEN
        RETURN 'owned';
    ELSIF joins AND model.customer_taken(l, into_lead.owner_id) THEN
        RETURN 'identity_owned';
    END IF;

    PERFORM model.shut(the_lead, 'archived', moment, 'merged');
    PERFORM model.note('merged', the_lead, moment);
    UPDATE model.lead SET merged_into = other WHERE key = the_lead;
    UPDATE model.identity SET key = other WHERE key = the_lead;
    UPDATE model.lead SET attributes = l.attributes || attributes,
           name = coalesce(name, l.name), grade = coalesce(grade, l.grade),
           customer = CASE WHEN joins THEN l.customer ELSE customer END
    WHERE key = other;
    PERFORM model.note('merged', other, moment, into_lead.owner_id);
    PERFORM model.rate(other, NULL);
    RETURN 'merged';
END $$;
