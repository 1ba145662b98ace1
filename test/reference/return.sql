-- What is given back, closed or followed up: by people, with the words of the
-- dictionary, and by time.

-- reclaim, reopen, move: back into a pool.  `missing` is the answer where the
-- lead is not in a state for it.
CREATE FUNCTION model.put_back(keys text[], the_kind text, missing text,
                               moment timestamptz, to_pool text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    the_lead    text;
    target      integer := (SELECT id FROM model.pool WHERE name = to_pool);
    returned    text[] := '{}';
BEGIN
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        key := l.key;
        IF l.key IS NULL THEN
            outcome := 'not_found';
        ELSIF (CASE the_kind
                   WHEN 'reclaimed' THEN l.status = 'owned'
                   WHEN 'reopened' THEN l.status IN ('converted', 'archived')
                   WHEN 'moved' THEN l.status = 'available'
               END) THEN
            outcome := the_kind;
            PERFORM model.put(the_lead, coalesce(target, l.pool_id),
                              the_kind, moment, ordered => target IS NOT NULL);
            IF coalesce(target, l.pool_id) = l.pool_id
                AND l.status = 'converted' AND model.kept(l, moment)
                AND model.unfit_for(l, l.pool_id, l.last_owner_id) IS NULL THEN
                PERFORM model.give(the_lead, l.last_owner_id, l.pool_id,
                                   'assigned', moment);
            END IF;
            returned := returned || the_lead;
        ELSE
            outcome := missing;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF the_kind = 'reclaimed' THEN
        PERFORM model.route_returned(returned, moment);
    END IF;
END $$;

-- whether its pool keeps a converted lead for its last owner still
CREATE FUNCTION model.kept(l model.lead, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(model.plus(l.closed_at, keep_converted,
                               model.pool_zone(id)) > moment, false)
    FROM model.pool WHERE id = l.pool_id
$$;

CREATE FUNCTION model.release(keys text[], the_member text, moment timestamptz,
                              to_pool text = NULL, why text = NULL)
RETURNS TABLE (outcome text, key text) LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member m
                            WHERE m.key = the_member);
    target      integer := (SELECT id FROM model.pool WHERE name = to_pool);
    l           model.lead;
    the_lead    text;
    returned    text[] := '{}';
BEGIN
    -- he belongs to where he sends them, in whatever role
    IF target IS NOT NULL AND model.role(target, member) IS NULL
        AND NOT model.manages(target, member) THEN
        RETURN QUERY VALUES ('PO003', NULL);
        RETURN;
    END IF;
    FOR the_lead IN SELECT model.distinct_leads(keys) LOOP
        SELECT * INTO l FROM model.lead x WHERE x.key = the_lead;
        key := l.key;
        outcome := CASE
            WHEN l.key IS NULL THEN 'not_found'
            WHEN l.owner_id IS DISTINCT FROM member THEN 'not_owner'
            WHEN EXISTS (SELECT FROM model.approval_rules(l, 'release'))
                AND NOT model.manages(l.pool_id, member) THEN 'blocked'
            WHEN model.unknown(l.pool_id, 'release_reason', why)
                THEN 'reason_unknown'
            ELSE 'released'
        END;
        IF outcome = 'released' THEN
            PERFORM model.let_go(l, coalesce(target, l.pool_id), moment,
                                 'release_reason', why);
            returned := returned || the_lead;
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM model.route_returned(returned, moment);
END $$;

-- The owner's spell ends by a word, which may hide the lead for a while or, if
-- it is the reason of a release, spare the cooldown.
CREATE FUNCTION model.let_go(l model.lead, the_pool integer,
                             moment timestamptz, the_kind text, word text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w   model.dictionary;
BEGIN
    SELECT * INTO w FROM model.words(l.pool_id, the_kind) WHERE code = word;
    PERFORM model.put(l.key, the_pool, 'released', moment,
        cools => coalesce(w.counts, true) OR the_kind = 'result');
    UPDATE model.lead SET hidden_until =
        model.plus(moment, w.after, model.pool_zone(pool_id))
    WHERE key = l.key AND w."then" = 'cool';
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

CREATE FUNCTION model.archive(keys text[], moment timestamptz, why text)
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
            WHEN model.unknown(l.pool_id, 'archive_reason', why)
                THEN 'reason_unknown'
            ELSE 'archived'
        END;
        IF outcome = 'archived' THEN
            PERFORM model.shut(the_lead, outcome, moment, why);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Whether the pool asks for more: its own words, a note of so many characters,
-- a result, a plan (unless the result makes one, or ends the spell).
CREATE FUNCTION model.incomplete(l model.lead, kind text, result text,
                                 note text, next_at timestamptz, stage text,
                                 ends boolean)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT model.unknown(p.id, 'follow_up', kind)
        OR result IS NOT NULL AND model.unknown(p.id, 'result', result)
        OR length(btrim(coalesce(note, ''))) < p.follow_up_min_chars
        OR 'note' = ANY (p.follow_up_requires) AND btrim(note) <> '' IS NOT TRUE
        OR 'result' = ANY (p.follow_up_requires) AND result IS NULL
        OR 'stage' = ANY (p.follow_up_requires) AND stage IS NULL
        OR 'next_at' = ANY (p.follow_up_requires) AND next_at IS NULL
           AND NOT EXISTS (SELECT FROM model.words(p.id, 'result')
                           WHERE code = result AND ("then" = 'call_back'
                               OR ends AND "then" <> 'nothing'))
    FROM model.pool p WHERE p.id = l.pool_id
$$;

CREATE FUNCTION model.follow_up(the_lead text, the_member text,
                                moment timestamptz, kind text = 'note',
                                result text = NULL, note text = NULL,
                                next_at timestamptz = NULL,
                                occurred_at timestamptz = NULL,
                                new_stage text = NULL,
                                OUT outcome text, OUT due_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    member      integer := (SELECT id FROM model.member WHERE key = the_member);
    l           model.lead;
    helper      model.collaborator;
    word        model.dictionary;
    counts      boolean;
    ends        boolean;    -- whether a result of his may end the spell
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    -- who has left the lead's pool, or altogether, helps no longer
    SELECT * INTO helper FROM model.collaborator c
    WHERE c.key = the_lead AND c.member_id = member
      AND model.may_own(l.pool_id, member)
      AND (SELECT m.status <> 'left' FROM model.member m WHERE m.id = member);
    ends := coalesce(l.owner_id = member, false)
         OR coalesce(helper.role = 'deputy' AND helper.counts, false);
    outcome := CASE
        WHEN l.key IS NULL THEN 'not_found'
        WHEN l.status IN ('converted', 'archived') THEN 'closed'
        WHEN l.owner_id IS DISTINCT FROM member AND helper.key IS NULL
            THEN 'not_owner'
        WHEN model.incomplete(l, kind, result, note, next_at, new_stage, ends)
            THEN 'incomplete'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM model.note('followed_up', the_lead, moment, member);
    IF helper.counts IS false THEN
        outcome := 'not_counted';
        due_at := model.due_at(the_lead, moment);
        RETURN;
    END IF;

    SELECT * INTO word FROM model.words(l.pool_id, 'result')
    WHERE code = result;
    counts := coalesce(word.counts, true)
        AND coalesce(occurred_at >= l.owned_at, true)
        AND NOT EXISTS (SELECT FROM model.words(l.pool_id, 'follow_up') w
                        WHERE w.code = follow_up.kind AND NOT w.counts);
    IF word."then" = 'call_back' THEN
        next_at := coalesce(next_at, model.plus(moment, word.after,
                                                model.pool_zone(l.pool_id)));
    END IF;
    outcome := CASE WHEN counts THEN 'ok' ELSE 'not_counted' END;
    UPDATE model.lead SET last_result = coalesce(result, last_result),
           stage_at = CASE WHEN new_stage <> coalesce(stage, '')
                           THEN moment ELSE stage_at END,
           stage = coalesce(new_stage, stage),
           next_follow_up_at = CASE WHEN counts THEN next_at
                                    ELSE coalesce(next_at, next_follow_up_at)
                               END
    WHERE key = the_lead;
    IF counts THEN
        UPDATE model.lead SET last_follow_up_at = moment,
               follow_ups = follow_ups + 1, contacted = true
        WHERE key = the_lead;
    END IF;
    PERFORM model.rate(the_lead, NULL);
    IF ends THEN
        SELECT * INTO l FROM model.lead WHERE key = the_lead;
        IF word."then" IN ('release', 'cool')
            AND EXISTS (SELECT FROM model.approval_rules(l, 'release'))
            AND NOT model.manages(l.pool_id, member) THEN
            IF (model.open_request(the_lead, 'release', moment)).no IS NULL
            THEN
                PERFORM model.ask_for(l, 'release', member, moment, word.after);
            END IF;
        ELSIF word."then" IN ('release', 'cool') THEN
            PERFORM model.let_go(l, l.pool_id, moment, 'result', result);
        ELSIF word."then" = 'archive' THEN
            PERFORM model.shut(the_lead, 'archived', moment, result);
        END IF;
    END IF;
    due_at := model.due_at(the_lead, moment);
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
