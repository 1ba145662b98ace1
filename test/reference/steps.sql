-- The steps every operation is made of, and who a customer is.

------------------------------------------------------------------------
-- The steps every operation is made of
------------------------------------------------------------------------

CREATE FUNCTION model.note(the_kind text, the_lead text, moment timestamptz,
                           the_member integer = NULL, rule integer = NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO model.log (at, kind, key, member_id, rule_id)
    VALUES (moment, the_kind, the_lead, the_member, rule)
$$;

CREATE FUNCTION model.end_spell(the_lead text, moment timestamptz,
                                cools boolean = true)
RETURNS void LANGUAGE sql AS $$
    UPDATE model.spell SET ended_at = moment, cools = end_spell.cools
    WHERE key = the_lead AND ended_at IS NULL;
    UPDATE model.lead SET owner_id = NULL, owned_at = NULL,
           last_follow_up_at = NULL, follow_ups = 0, next_follow_up_at = NULL,
           protected_until = NULL, extensions = 0,
           last_owner_id = coalesce(owner_id, last_owner_id)
    WHERE key = the_lead
$$;

-- A member becomes the owner: kind is claimed, assigned or transferred.
CREATE FUNCTION model.give(the_lead text, the_member integer, the_pool integer,
                           the_kind text, moment timestamptz,
                           rule integer = NULL)
RETURNS void LANGUAGE sql AS $$
    SELECT model.end_spell(the_lead, moment);
    INSERT INTO model.spell (key, member_id, started_at)
    VALUES (the_lead, the_member, moment);
    UPDATE model.lead SET status = 'owned', owner_id = the_member,
           pool_id = the_pool, ticket = NULL, owned_at = moment,
           chain_at = CASE the_kind WHEN 'transferred' THEN chain_at
                                    ELSE moment END,
           contacted = contacted AND the_kind = 'transferred',
           hidden_until = NULL, reserved_for = NULL, claims = claims + 1,
           stay = stay + 1
    WHERE key = the_lead;
    DELETE FROM model.collaborator
    WHERE key = the_lead AND member_id = the_member;
    SELECT model.note(the_kind, the_lead, moment, the_member, rule)
$$;

-- Where a lead goes that comes back: to quarantine after so many chains of
-- spells in a row in which nobody reached the customer.
CREATE FUNCTION model.comes_back_to(l model.lead, the_pool integer)
RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN l.cold >= quarantine_after
                THEN coalesce(quarantine_pool_id, the_pool)
                ELSE the_pool END
    FROM model.pool WHERE id = l.pool_id
$$;

-- The lead enters a pool as the newest of its band.
CREATE FUNCTION model.put(the_lead text, the_pool integer, the_kind text,
                          moment timestamptz, rule integer = NULL,
                          cools boolean = true, ordered boolean = false)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l   model.lead;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    IF the_kind IN ('released', 'reclaimed') THEN
        l.cold := CASE WHEN l.contacted THEN 0 ELSE l.cold + 1 END;
        IF NOT ordered THEN
            the_pool := model.comes_back_to(l, the_pool);
        END IF;
    ELSE
        l.cold := 0;
    END IF;
    PERFORM model.note(the_kind, the_lead, moment, l.owner_id, rule);
    PERFORM model.end_spell(the_lead, moment, cools);
    DELETE FROM model.collaborator WHERE key = the_lead;
    UPDATE model.lead SET status = 'available', pool_id = the_pool,
           ticket = nextval('model.ticket'), entered_at = moment,
           hidden_until = CASE WHEN the_kind = 'moved' AND reserved_for IS NULL
                               THEN hidden_until END,
           reserved_for = NULL, cold = l.cold, reason = NULL, closed_at = NULL,
           merged_into = NULL, stay = stay + 1
    WHERE key = the_lead;
    IF the_kind IN ('released', 'reclaimed') THEN
        PERFORM model.wait_returned(the_lead, l.owner_id);
    END IF;
END $$;

-- Where its pool routes what returns it waits for another than this member.
CREATE FUNCTION model.wait_returned(the_lead text, the_member integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM model.waiting w USING model.lead l JOIN model.pool p
        ON p.id = l.pool_id
    WHERE l.key = the_lead AND w.key = l.key
      AND p.route_returned AND model.routes(p.id);
    INSERT INTO model.waiting
    SELECT l.key, l.pool_id, the_member, NULL
    FROM model.lead l JOIN model.pool p ON p.id = l.pool_id
    WHERE l.key = the_lead AND p.route_returned AND model.routes(p.id)
    ON CONFLICT DO NOTHING;
END $$;

-- The lead leaves circulation: kind is converted or archived.
CREATE FUNCTION model.shut(the_lead text, the_kind text, moment timestamptz,
                           why text = NULL, rule integer = NULL)
RETURNS void LANGUAGE sql AS $$
    SELECT model.note(the_kind, the_lead, moment,
                      (SELECT owner_id FROM model.lead WHERE key = the_lead),
                      rule);
    SELECT model.end_spell(the_lead, moment);
    DELETE FROM model.collaborator WHERE key = the_lead;
    UPDATE model.lead SET status = the_kind, ticket = NULL, reason = why,
           hidden_until = NULL, reserved_for = NULL, closed_at = moment,
           stay = stay + 1
    WHERE key = the_lead
$$;

-- Why this member may not be given leads of this pool, or NULL.  The lead
-- named counts as not held.
CREATE FUNCTION model.unfit(the_pool integer, the_member integer,
                            but text = NULL)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT model.may_own(the_pool, the_member) THEN 'not_member'
        WHEN (SELECT status <> 'active' FROM model.member
              WHERE id = the_member) THEN 'inactive'
        ELSE (model.full_up(the_pool, the_member, but)).outcome
    END
$$;

-- Why he may not be given this lead, into this pool.
CREATE FUNCTION model.unfit_for(l model.lead, the_pool integer,
                                the_member integer)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(model.unfit(the_pool, the_member, l.key),
        CASE WHEN model.customer_taken(l, the_member)
             THEN 'identity_owned' END)
$$;

-- distinct leads in the order of their first mention
CREATE FUNCTION model.distinct_leads(keys text[]) RETURNS SETOF text
LANGUAGE sql IMMUTABLE AS $$
    SELECT key FROM unnest(keys) WITH ORDINALITY u (key, place)
    GROUP BY key ORDER BY min(place)
$$;

------------------------------------------------------------------------
-- Identities
------------------------------------------------------------------------

-- Chinese phone numbers, however they are written, become +86 and digits.
CREATE FUNCTION model.normal(kind text, value text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE kind
        WHEN 'phone' THEN '+86' || regexp_replace(
            regexp_replace(value, '[^0-9]', '', 'g'), '^(00)?86(?=1)', '')
        WHEN 'email' THEN lower(btrim(value))
        ELSE value
    END
$$;

-- the identities given, each once, in their order
CREATE FUNCTION model.identities(given jsonb)
RETURNS TABLE (kind text, value text) LANGUAGE sql IMMUTABLE AS $$
    SELECT g.key, model.normal(g.key, v)
    FROM jsonb_each(given) WITH ORDINALITY g (key, value, place),
         jsonb_array_elements_text(
             CASE jsonb_typeof(g.value) WHEN 'array' THEN g.value
                  ELSE jsonb_build_array(g.value) END)
             WITH ORDINALITY e (v, part)
    GROUP BY 1, 2 ORDER BY min(place), min(part)
$$;

-- The pool below which a customer is one customer: the topmost that says so.
-- 0 is the whole tenant.
CREATE FUNCTION model.scope(the_pool integer) RETURNS integer
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT id, parent_id, identity_scope, 1 AS height
        FROM model.pool WHERE id = the_pool
        UNION ALL
        SELECT p.id, p.parent_id, p.identity_scope, height + 1
        FROM model.pool p JOIN up ON p.id = up.parent_id)
    SELECT coalesce((SELECT id FROM up WHERE identity_scope = 'subtree'
                     ORDER BY height DESC LIMIT 1), 0)
$$;

-- the lead of another customer that has one of these identities, the first of
-- them that counts
CREATE FUNCTION model.twin(given jsonb, the_scope integer, the_lead text = '',
                           the_customer text = '')
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT i.key
    FROM model.identities(given) WITH ORDINALITY g (kind, value, place)
         JOIN model.identity i USING (kind, value)
         JOIN model.lead l USING (key)
    WHERE i.scope = the_scope AND i.key <> the_lead
      AND l.customer IS DISTINCT FROM the_customer
    ORDER BY place LIMIT 1
$$;

CREATE FUNCTION model.identify(the_lead text, given jsonb, the_scope integer)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO model.identity (scope, kind, value, key)
    SELECT the_scope, kind, value, the_lead FROM model.identities(given)
    ON CONFLICT DO NOTHING      -- those that it, or its sibling, has already
$$;

-- Where an open or closed lead's customer is one: as when it entered.
CREATE FUNCTION model.scope_of(l model.lead) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT min(scope) FROM model.identity WHERE key = l.key),
                    (SELECT scope FROM model.customer WHERE name = l.customer),
                    model.scope(l.pool_id))
$$;

-- the lead that stands for this one: what it was merged into, if it was
CREATE FUNCTION model.stands_for(the_lead text) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT key, merged_into, 1 AS place FROM model.lead
        WHERE key = the_lead
        UNION ALL
        SELECT l.key, l.merged_into, place + 1
        FROM chain c JOIN model.lead l ON l.key = c.merged_into)
    SELECT key FROM chain ORDER BY place DESC LIMIT 1
$$;
