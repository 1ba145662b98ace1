-- What managers and owners say of a lead beside whose it is: hidden, protected,
-- who helps; and who is away.

CREATE FUNCTION model.hide(keys text[], moment timestamptz, until timestamptz)
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
            WHEN l.status <> 'available' THEN 'not_available'
            WHEN l.reserved_for IS NOT NULL AND l.hidden_until > moment
                THEN 'reserved'
            ELSE 'hidden'
        END;
        IF outcome = 'hidden' THEN
            UPDATE model.lead x SET hidden_until = coalesce(until, 'infinity'),
                   reserved_for = NULL
            WHERE x.key = the_lead;
            PERFORM model.note('hidden', the_lead, moment);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION model.unhide(keys text[], moment timestamptz)
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
            WHEN l.status <> 'available' THEN 'not_available'
            WHEN l.hidden_until > moment IS NOT TRUE THEN 'not_hidden'
            WHEN l.reserved_for IS NOT NULL THEN 'reserved'
            ELSE 'unhidden'
        END;
        IF outcome = 'unhidden' THEN
            UPDATE model.lead x SET hidden_until = NULL
            WHERE x.key = the_lead;
            PERFORM model.note('unhidden', the_lead, moment);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- the owner, or a manager of the lead's pool
CREATE FUNCTION model.speaks_for(l model.lead, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.status = 'owned'
       AND (l.owner_id = the_member OR model.manages(l.pool_id, the_member))
$$;

CREATE FUNCTION model.protect(keys text[], the_member text,
                              moment timestamptz, span interval)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member m
                            WHERE m.key = the_member);
    l           model.lead;
    p           model.pool;
    the_lead    text;
    longest     timestamptz;
    until       timestamptz;
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        SELECT * INTO p FROM model.pool WHERE id = l.pool_id;
        longest := coalesce(model.plus(moment, p.protect_for,
                                       model.pool_zone(p.id)), 'infinity');
        until := coalesce(model.plus(moment, span, model.pool_zone(p.id)),
                          longest);
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN NOT model.speaks_for(l, member) THEN 'not_owner'
            WHEN until > longest THEN 'too_long'
            WHEN l.protected_until > moment IS NOT TRUE AND
                 (SELECT count(*) FROM model.lead o
                  WHERE o.owner_id = l.owner_id AND o.pool_id = l.pool_id
                    AND o.key <> l.key AND o.protected_until > moment)
                 >= p.protect_limit THEN 'limit'
            ELSE 'protected'
        END;
        IF outcome = 'protected' THEN
            UPDATE model.lead x SET protected_until = until
            WHERE x.key = the_lead;
            PERFORM model.note('protected', the_lead, moment, l.owner_id);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION model.unprotect(keys text[], the_member text,
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
            WHEN NOT model.speaks_for(l, member) THEN 'not_owner'
            WHEN l.protected_until > moment THEN 'unprotected'
            ELSE 'not_protected'
        END;
        IF outcome = 'unprotected' THEN
            UPDATE model.lead x SET protected_until = NULL
            WHERE x.key = the_lead;
            PERFORM model.note('unprotected', the_lead, moment, l.owner_id);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION model.add_collaborator(the_lead text, the_member text,
                                       the_role text, the_counts boolean,
                                       the_actor text, moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    helper      integer := (SELECT id FROM model.member WHERE key = the_member);
    actor       integer := (SELECT id FROM model.member WHERE key = the_actor);
    l           model.lead;
    outcome     text;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN NOT model.speaks_for(l, actor) THEN 'not_owner'
        WHEN helper = l.owner_id THEN 'already'
        WHEN NOT model.may_own(l.pool_id, helper) THEN 'not_member'
        WHEN (SELECT status <> 'active' FROM model.member WHERE id = helper)
            THEN 'inactive'
        WHEN EXISTS (SELECT FROM model.collaborator c
                     WHERE c.key = the_lead AND c.member_id = helper
                       AND c.role = the_role AND c.counts = the_counts)
            THEN 'already'
        ELSE 'added'
    END;
    IF outcome = 'added' THEN
        DELETE FROM model.collaborator
        WHERE key = the_lead AND member_id = helper;
        INSERT INTO model.collaborator
        VALUES (the_lead, helper, the_role, the_counts);
        PERFORM model.note('collaborator_added', the_lead, moment, helper);
    END IF;
    RETURN outcome;
END $$;

CREATE FUNCTION model.remove_collaborator(the_lead text, the_member text,
                                          the_actor text, moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    helper      integer := (SELECT id FROM model.member WHERE key = the_member);
    actor       integer := (SELECT id FROM model.member WHERE key = the_actor);
    l           model.lead;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    IF l.key IS NULL THEN
        RETURN 'not_found';
    ELSIF l.status <> 'owned'
        OR NOT model.speaks_for(l, actor) AND actor <> helper THEN
        RETURN 'not_owner';
    END IF;
    DELETE FROM model.collaborator WHERE key = the_lead AND member_id = helper;
    IF NOT found THEN
        RETURN 'none';
    END IF;
    PERFORM model.note('collaborator_removed', the_lead, moment, helper);
    RETURN 'removed';
END $$;

------------------------------------------------------------------------
-- Away and back
------------------------------------------------------------------------

-- set_away and set_active; whoever leaves does not come back by them
CREATE FUNCTION model.set_status(the_member text, wanted text,
                                 until timestamptz,
                                 OUT outcome text, OUT member_key text)
LANGUAGE plpgsql AS $$
DECLARE
    m   model.member;
BEGIN
    SELECT * INTO m FROM model.member WHERE key = the_member;
    member_key := m.key;
    outcome := CASE
        WHEN m.status IN ('leaving', 'left') THEN m.status
        WHEN m.status = wanted AND m.away_until IS NOT DISTINCT FROM until
            THEN 'already'
        ELSE wanted
    END;
    IF outcome = wanted THEN
        UPDATE model.member SET status = wanted, away_until = until
        WHERE id = m.id;
    END IF;
END $$;

-- Absences whose time is over end.
CREATE FUNCTION model.call_back(moment timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE model.member SET status = 'active', away_until = NULL
    WHERE status = 'away' AND away_until <= moment
$$;
