-- Members keep leads for themselves for a short time: reserve, unreserve.

-- Whether a request, and not the member himself, keeps the lead for him.
CREATE FUNCTION model.asked_for(l model.lead) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM model.approval a
                   WHERE a.key = l.key AND a.stay = l.stay
                     AND a.status = 'open' AND a.action IN ('claim', 'assign')
                     AND a.member_id = l.reserved_for
                     AND coalesce(a.expires_at, 'infinity') = l.hidden_until)
$$;

CREATE FUNCTION model.leased(l model.lead, the_member integer,
                             moment timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(l.status = 'available' AND l.reserved_for = the_member
                    AND l.hidden_until > moment, false)
       AND NOT model.asked_for(l)
$$;

-- Whether another keeps the lead for himself, against assignments too.
CREATE FUNCTION model.kept_from(l model.lead, the_member integer,
                                moment timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.reserved_for <> the_member
       AND model.leased(l, l.reserved_for, moment)
$$;

CREATE FUNCTION model.reserve(keys text[], the_member text, span interval,
                              moment timestamptz)
RETURNS SETOF model.answer LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    answer      model.answer;
    the_lead    text;
    l           model.lead;
    p           model.pool;
    zone        text;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead WHERE key = the_lead;
        SELECT * INTO p FROM model.pool WHERE id = l.pool_id;
        zone := model.pool_zone(p.id);
        answer := model.unclaimable(l, member, moment, 9e18::bigint);
        IF answer.outcome IS NULL AND (l.reserved_for = member
            AND l.hidden_until > moment) IS NOT TRUE THEN
            answer := model.no_lease(p, member, moment);
            l.hidden_until := model.plus(moment, coalesce(span, p.reserve_for),
                                         zone);
            IF l.hidden_until > model.plus(moment, p.reserve_for, zone) THEN
                answer := NULL;
                answer.outcome := 'too_long';
            END IF;
            IF answer.outcome IS NULL THEN
                UPDATE model.lead SET reserved_for = member,
                       hidden_until = l.hidden_until WHERE key = the_lead;
                PERFORM model.note('reserved', the_lead, moment, member);
            END IF;
        END IF;
        IF answer.outcome IS NULL THEN
            answer.outcome := 'reserved';
            answer.due_at := l.hidden_until;
        END IF;
        answer.key := l.key;
        RETURN NEXT answer;
    END LOOP;
END $$;

-- Whether he keeps as many leads of the pool as he may, and when he may again.
CREATE FUNCTION model.no_lease(p model.pool, the_member integer,
                               moment timestamptz)
RETURNS model.answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    answer  model.answer;
BEGIN
    SELECT count(*), min(l.hidden_until) INTO answer.used, answer.retry_at
    FROM model.lead l
    WHERE l.pool_id = p.id AND model.leased(l, the_member, moment);
    IF answer.used >= p.reserve_limit THEN
        answer.outcome := 'limit';
        answer.limit_value := p.reserve_limit;
        RETURN answer;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION model.unreserve(keys text[], the_member text,
                                moment timestamptz)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member m
                            WHERE m.key = the_member);
    l           model.lead;
    the_lead    text;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN model.leased(l, member, moment) THEN 'unreserved'
            ELSE 'not_reserved'
        END;
        IF outcome = 'unreserved' THEN
            UPDATE model.lead x SET hidden_until = NULL, reserved_for = NULL
            WHERE x.key = the_lead;
            PERFORM model.note('unreserved', the_lead, moment, member);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
