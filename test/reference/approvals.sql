-- What a manager has to approve, asked for in steps: claims, extensions and
-- transfers, and what the result of a follow-up brings.
-- Nobody's level stands in a manager's way, but he takes one step only; so does
-- whoever is no member.  What a routing rule suggests is such a request, too,
-- and done when its time is over.

CREATE TABLE model.approval (
    no          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL,
    stay        integer NOT NULL,       -- the spell or stay it is about
    action      text NOT NULL,
    asker_id    integer,
    rule_id     integer,                -- that suggests it
    member_id   integer NOT NULL,       -- who receives, else who asks
    span        interval,
    step        integer NOT NULL,
    status      text NOT NULL DEFAULT 'open',
    expires_at  timestamptz
);
CREATE TABLE model.approved (no bigint NOT NULL, by_id integer);

-- One that cannot be judged applies.
CREATE FUNCTION model.approval_rules(l model.lead, the_action text)
RETURNS SETOF model.approval_rule LANGUAGE sql STABLE AS $$
    SELECT * FROM model.approval_rule r
    WHERE r.pool_id = l.pool_id AND r.enabled AND r.action = the_action
      AND model.meets(l, r.condition) IS NOT false
$$;

-- The first step after this one, and when its time is over; one step without
-- an end where no rule says more.
CREATE FUNCTION model.next_step(l model.lead, the_action text, after integer,
                                moment timestamptz, OUT step integer,
                                OUT expires_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(min(r.step), CASE after WHEN 0 THEN 1 END),
           min(model.plus(moment, r.expires_after, model.pool_zone(l.pool_id)))
    FROM model.approval_rules(l, the_action) r
    WHERE r.step = (SELECT min(s.step)
                    FROM model.approval_rules(l, the_action) s
                    WHERE s.step > after)
$$;

-- Of a request that is over: why.
CREATE FUNCTION model.over(a model.approval, moment timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN l.stay <> a.stay THEN 'cancelled'
                WHEN a.expires_at <= moment AND a.rule_id IS NULL
                THEN 'expired' END
    FROM model.lead l WHERE l.key = a.key
$$;

-- The request ends, and with it what was reserved.
CREATE FUNCTION model.end_request(a model.approval, how text,
                                  moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE model.approval SET status = how WHERE no = a.no;
    UPDATE model.lead SET hidden_until = NULL, reserved_for = NULL
    WHERE key = a.key AND stay = a.stay AND a.action IN ('claim', 'assign')
      AND reserved_for = a.member_id
      AND hidden_until = coalesce(a.expires_at, 'infinity');
    SELECT model.note(how, a.key, moment, a.member_id, a.rule_id)
$$;

-- Whoever meets a request that is over says so; the one that is open is told.
CREATE FUNCTION model.open_request(the_lead text, the_action text,
                                   moment timestamptz)
RETURNS model.approval LANGUAGE plpgsql AS $$
DECLARE
    a   model.approval;
BEGIN
    FOR a IN SELECT * FROM model.approval
             WHERE key = the_lead AND status = 'open' AND action = the_action
    LOOP
        IF model.over(a, moment) IS NOT NULL THEN
            PERFORM model.end_request(a, model.over(a, moment), moment);
        END IF;
    END LOOP;
    SELECT * INTO a FROM model.approval
    WHERE key = the_lead AND status = 'open' AND action = the_action;
    RETURN a;
END $$;

CREATE FUNCTION model.ask_for(l model.lead, the_action text,
                              the_member integer, moment timestamptz,
                              span interval = NULL, receiver integer = NULL)
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    s   record := model.next_step(l, the_action, 0, moment);
BEGIN
    INSERT INTO model.approval (key, stay, action, asker_id, member_id, span,
                                step, expires_at)
    VALUES (l.key, l.stay, the_action, the_member,
            coalesce(receiver, the_member), span, s.step, s.expires_at);
    IF the_action = 'claim' THEN
        UPDATE model.lead SET reserved_for = the_member,
               hidden_until = coalesce(s.expires_at, 'infinity')
        WHERE key = l.key;
    END IF;
    PERFORM model.note('requested', l.key, moment,
                       coalesce(receiver, the_member));
    RETURN s.expires_at;
END $$;

-- Why he may not be reserved this lead: as he may not claim it, and what is
-- reserved for him counts as held.
CREATE FUNCTION model.unreservable(l model.lead, the_member integer,
                                   moment timestamptz)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    why     model.answer := model.refusal(l.pool_id, the_member, moment,
                                9e18::bigint);
    room    integer;
BEGIN
    IF why.outcome IS NOT NULL THEN
        RETURN why.outcome;
    END IF;
    SELECT coalesce(s.hold_limit, p.hold_limit) INTO room
    FROM model.pool p LEFT JOIN model.membership s
         ON s.pool_id = p.id AND s.member_id = the_member
    WHERE p.id = l.pool_id;
    RETURN CASE WHEN model.held(l.pool_id, the_member)
            + model.kept_for(l.pool_id, the_member, moment)
            >= room THEN 'hold_limit' END;
END $$;

CREATE FUNCTION model.request_claim(the_lead text, the_member text,
                                    moment timestamptz,
                                    OUT outcome text, OUT until timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    member  integer := (SELECT id FROM model.member WHERE key = the_member);
    l       model.lead;
    a       model.approval;
    bar     text;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    a := model.open_request(the_lead, 'claim', moment);
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    bar := (model.barred(l, member, moment)).outcome;
    outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN l.status = 'owned' THEN 'taken'
        WHEN l.status <> 'available' THEN 'not_available'
        WHEN a.member_id = member THEN 'already_requested'
        WHEN NOT model.may_own(l.pool_id, member) THEN 'not_member'
        WHEN model.closed_to(l.pool_id, member) IS NOT NULL
            THEN model.closed_to(l.pool_id, member)
        WHEN bar <> 'approval' THEN bar
        WHEN bar IS NULL THEN coalesce((model.refusal(l.pool_id, member, moment,
            9e18::bigint)).outcome, 'not_needed')
        ELSE coalesce(model.unreservable(l, member, moment), 'requested')
    END;
    IF outcome = 'requested' THEN
        until := model.ask_for(l, 'claim', member, moment);
    ELSIF outcome = 'already_requested' THEN
        until := a.expires_at;
    END IF;
END $$;

CREATE FUNCTION model.request_extension(the_lead text, span interval,
                                        the_member text, moment timestamptz,
                                        OUT outcome text,
                                        OUT until timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    member  integer := (SELECT id FROM model.member WHERE key = the_member);
    l       model.lead;
    a       model.approval;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN NOT model.speaks_for(l, member) THEN 'not_owner'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    a := model.open_request(the_lead, 'extension', moment);
    IF a.no IS NOT NULL THEN
        outcome := 'already_requested';
        until := a.expires_at;
    ELSIF l.extensions >= (SELECT extension_limit FROM model.pool
                           WHERE id = l.pool_id) THEN
        outcome := 'limit';
    ELSE
        outcome := 'requested';
        until := model.ask_for(l, 'extension', member, moment, span);
    END IF;
END $$;

-- Asks that his lead be given to another.
CREATE FUNCTION model.request_leave(the_action text, the_lead text,
                                    the_receiver text, the_member text,
                                    moment timestamptz,
                                    OUT outcome text, OUT until timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    receiver    integer := (SELECT id FROM model.member
                            WHERE key = the_receiver);
    l           model.lead;
    a           model.approval;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN NOT model.speaks_for(l, member) THEN 'not_owner'
    END;
    IF outcome IS NULL THEN
        a := model.open_request(the_lead, the_action, moment);
        until := a.expires_at;
        outcome := CASE
            WHEN a.no IS NOT NULL THEN 'already_requested'
            WHEN the_action = 'transfer'
                AND NOT model.may_own(l.pool_id, receiver) THEN 'not_member'
            WHEN the_action = 'transfer' AND model.manages(l.pool_id, member)
                THEN 'not_needed'
            ELSE 'requested'
        END;
    END IF;
    IF outcome = 'requested' THEN
        until := model.ask_for(l, the_action, member, moment,
                               receiver => receiver);
    END IF;
END $$;

-- What was asked for, judged again; NULL when it is done.
CREATE FUNCTION model.perform(a model.approval, moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    l   model.lead;
    why text;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = a.key;
    IF a.action = 'extension' THEN
        IF l.extensions >= (SELECT extension_limit FROM model.pool
                            WHERE id = l.pool_id) THEN
            RETURN 'limit';
        END IF;
        UPDATE model.lead SET extensions = extensions + 1, protected_until =
            model.plus(greatest(moment, model.due_at(a.key, moment),
                                protected_until),
                       a.span, model.pool_zone(pool_id))
        WHERE key = a.key;
        RETURN NULL;
    ELSIF a.action = 'release' THEN
        PERFORM model.put(a.key, l.pool_id, 'released', moment);
        UPDATE model.lead SET hidden_until =
            model.plus(moment, a.span, model.pool_zone(pool_id))
        WHERE key = a.key AND a.span IS NOT NULL;
        RETURN NULL;
    ELSIF a.action = 'assign' THEN
        why := coalesce(model.unfit(l.pool_id, a.member_id, a.key),
            CASE WHEN model.kept_from(l, a.member_id, moment)
                 THEN 'reserved' END,
            model.unfit_for(l, l.pool_id, a.member_id));
        IF why IS NULL THEN
            PERFORM model.give(a.key, a.member_id, l.pool_id, 'assigned',
                               moment, a.rule_id);
        END IF;
        RETURN why;
    ELSIF a.action = 'transfer' THEN
        why := model.unfit_for(l, l.pool_id, a.member_id);
        IF why IS NULL THEN
            PERFORM model.give(a.key, a.member_id, l.pool_id, 'transferred',
                               moment);
        END IF;
        RETURN why;
    END IF;
    why := CASE
        WHEN NOT model.may_own(l.pool_id, a.member_id) THEN 'not_member'
        WHEN model.closed_to(l.pool_id, a.member_id) IS NOT NULL
            THEN model.closed_to(l.pool_id, a.member_id)
        WHEN (model.barred(l, a.member_id, moment)).outcome <> 'approval'
            THEN (model.barred(l, a.member_id, moment)).outcome
        ELSE (model.refusal(l.pool_id, a.member_id, moment,
                            9e18::bigint)).outcome
    END;
    IF why IS NULL THEN
        PERFORM model.take(a.key, a.member_id, moment);
    END IF;
    RETURN why;
END $$;

CREATE FUNCTION model.approve(the_no bigint, moment timestamptz,
                              the_member text,
                              OUT outcome text, OUT key text, OUT reason text,
                              OUT step integer)
LANGUAGE plpgsql AS $$
DECLARE
    a   model.approval;
    l   model.lead;
    s   record;
    who integer := (SELECT id FROM model.member m WHERE m.key = the_member);
BEGIN
    SELECT * INTO a FROM model.approval WHERE no = the_no;
    key := a.key;
    IF a.status <> 'open'
        OR EXISTS (SELECT FROM model.approved x
                   WHERE x.no = a.no AND x.by_id IS NOT DISTINCT FROM who) THEN
        outcome := 'already_decided';
        RETURN;
    END IF;
    outcome := model.over(a, moment);
    IF outcome IS NOT NULL THEN
        PERFORM model.end_request(a, outcome, moment);
        RETURN;
    END IF;
    SELECT * INTO l FROM model.lead x WHERE x.key = a.key;
    s := model.next_step(l, a.action, a.step, moment);
    IF s.step IS NOT NULL THEN
        outcome := 'next_step';
        step := s.step;
        INSERT INTO model.approved VALUES (a.no, who);
        UPDATE model.approval x SET step = s.step, expires_at = s.expires_at
        WHERE no = a.no;
        UPDATE model.lead x
        SET hidden_until = coalesce(s.expires_at, 'infinity')
        WHERE x.key = a.key AND a.action = 'claim';
        PERFORM model.note('approved', a.key, moment, a.member_id);
        RETURN;
    END IF;
    reason := model.perform(a, moment);
    outcome := CASE WHEN reason IS NULL THEN 'approved' ELSE 'refused' END;
    IF outcome = 'approved' THEN
        PERFORM model.end_request(a, 'approved', moment);
    END IF;
END $$;

-- reject, and cancel_request by whoever asked
CREATE FUNCTION model.refuse(the_no bigint, the_member text, how text,
                             moment timestamptz,
                             OUT outcome text, OUT key text)
LANGUAGE plpgsql AS $$
DECLARE
    a   model.approval;
BEGIN
    SELECT * INTO a FROM model.approval WHERE no = the_no;
    key := a.key;
    IF how = 'cancelled' AND coalesce(a.asker_id, 0) <>
        (SELECT id FROM model.member m WHERE m.key = the_member) THEN
        outcome := 'not_found';
        key := NULL;
    ELSIF a.status <> 'open' THEN
        outcome := 'already_decided';
    ELSE
        -- it does not matter any more whether its time was over
        outcome := CASE model.over(a, moment) WHEN 'cancelled'
                        THEN 'cancelled' ELSE how END;
        PERFORM model.end_request(a, outcome, moment);
    END IF;
END $$;

-- what ends by time
CREATE FUNCTION model.expire(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    a   model.approval;
BEGIN
    FOR a IN SELECT * FROM model.approval
             WHERE status = 'open' AND expires_at <= moment
             ORDER BY expires_at, no LOOP
        IF a.rule_id IS NOT NULL AND model.over(a, moment) IS NULL
            AND model.perform(a, moment) IS NULL THEN
            PERFORM model.end_request(a, 'approved', moment);
        ELSE
            PERFORM model.end_request(
                a, coalesce(model.over(a, moment), 'expired'), moment);
        END IF;
    END LOOP;
END $$;
