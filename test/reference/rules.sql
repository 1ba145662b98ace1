-- What the rule book says: conditions, claim rules, scores, words, timers.

-- What conditions see.  idle_days is left out, and so are the results of
-- members: both follow from more than the model keeps.
CREATE FUNCTION model.document(l model.lead) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT l.attributes || jsonb_build_object('key', l.key, 'name', l.name,
        'source', l.source, 'grade', l.grade, 'priority', l.priority,
        'claims', l.claims, 'follow_ups', l.follow_ups,
        'last_result', l.last_result, 'stage', l.stage, 'amount', l.amount)
$$;

-- true, false, or NULL where the condition cannot be judged
CREATE FUNCTION model.meets(l model.lead, condition jsonpath) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT condition IS NULL
        OR jsonb_path_match(model.document(l), condition, '{}', true)
$$;

-- the membership's level, else the member's
CREATE FUNCTION model.level(the_pool integer, the_member integer)
RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT level FROM model.membership
                     WHERE pool_id = the_pool AND member_id = the_member),
                    (SELECT level FROM model.member WHERE id = the_member))
$$;

CREATE FUNCTION model.held(the_pool integer, the_member integer)
RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer FROM model.lead
    WHERE owner_id = the_member AND pool_id = the_pool
$$;

-- Whether the condition admits the member, with the lead's fields as variables.
-- One that names a field the lead does not have admits nobody.
CREATE FUNCTION model.admits(condition jsonpath, the_member integer,
                             the_pool integer, l model.lead)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    m           model.member;
    variables   jsonb := jsonb_strip_nulls(model.document(l));
    variable    text;
BEGIN
    IF condition IS NULL THEN
        RETURN true;
    END IF;
    SELECT * INTO m FROM model.member WHERE id = the_member;
    FOR variable IN
        SELECT v[1] FROM regexp_matches(condition::text, '\$"(\w+)"', 'g') v
    LOOP
        IF NOT variables ? variable THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN coalesce(jsonb_path_match(
        m.profile || jsonb_build_object('key', m.key, 'name', m.name,
            'level', model.level(the_pool, the_member),
            'held', model.held(the_pool, the_member)),
        condition, variables, true), false);
END $$;

------------------------------------------------------------------------
-- Claims
------------------------------------------------------------------------

CREATE FUNCTION model.claim_rules(l model.lead, moment timestamptz)
RETURNS SETOF model.claim_rule LANGUAGE sql STABLE AS $$
    SELECT * FROM model.claim_rule r
    WHERE r.pool_id = l.pool_id AND r.enabled
      AND model.meets(l, r.condition) IS NOT false
      AND coalesce(model.plus(l.entered_at, r.head_start,
                              model.pool_zone(l.pool_id)) > moment, true)
$$;

-- Every rule about the lead must admit the member; one that cannot be judged
-- admits nobody.  retry_at is when the last of those that bar him ends.
CREATE FUNCTION model.level_barred(l model.lead, the_member integer,
                                   moment timestamptz)
RETURNS model.answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    r       model.claim_rule;
    answer  model.answer;
    for_good boolean := false;
BEGIN
    FOR r IN SELECT * FROM model.claim_rules(l, moment) LOOP
        CONTINUE WHEN model.meets(l, r.condition)
            AND model.level(l.pool_id, the_member) >= r.min_level
            AND model.admits(r.member_condition, the_member, l.pool_id, l);
        answer.outcome := 'level';
        IF r.head_start IS NULL THEN
            for_good := true;
        END IF;
        answer.retry_at := greatest(answer.retry_at,
            model.plus(l.entered_at, r.head_start,
                       model.pool_zone(l.pool_id)));
    END LOOP;
    IF for_good THEN
        answer.retry_at := NULL;
    END IF;
    RETURN answer;
END $$;

-- Whether somebody else owns a lead of the same customer.
CREATE FUNCTION model.customer_taken(l model.lead, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM model.lead o
                   WHERE o.customer = l.customer AND o.key <> l.key
                     AND o.status = 'owned' AND o.owner_id <> the_member)
$$;

-- Why the member may not claim this available lead, whatever his limits say.
CREATE FUNCTION model.barred(l model.lead, the_member integer,
                             moment timestamptz)
RETURNS model.answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    answer  model.answer := model.level_barred(l, the_member, moment);
BEGIN
    IF answer.outcome IS NOT NULL THEN
        RETURN answer;
    ELSIF l.hidden_until > moment
        AND l.reserved_for IS DISTINCT FROM the_member THEN
        answer.outcome := 'hidden';
        answer.retry_at := nullif(l.hidden_until, 'infinity');
    ELSIF model.cooling(l.key, the_member) > moment THEN
        answer.outcome := 'cooldown';
        answer.retry_at := model.cooling(l.key, the_member);
    ELSIF model.customer_taken(l, the_member) THEN
        answer.outcome := 'identity_owned';
    ELSIF EXISTS (SELECT FROM model.claim_rules(l, moment) WHERE approval)
        OR EXISTS (SELECT FROM model.approval_rules(l, 'claim')) THEN
        answer.outcome := 'approval';
    END IF;
    RETURN answer;
END $$;

------------------------------------------------------------------------
-- Scores and words
------------------------------------------------------------------------

-- what the score rules of its pool make of a lead; NULL where there are none
CREATE FUNCTION model.score(l model.lead) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT least(100, greatest(0, coalesce(
        sum(points) FILTER (WHERE model.meets(l, condition)), 0)))::integer
    FROM model.score_rule WHERE pool_id = l.pool_id AND enabled
    HAVING count(*) > 0
$$;

CREATE FUNCTION model.words(the_pool integer, the_kind text)
RETURNS SETOF model.dictionary LANGUAGE sql STABLE AS $$
    SELECT * FROM model.dictionary
    WHERE pool_id = the_pool AND kind = the_kind AND enabled
$$;

-- whether the pool has words of the kind, and this is none of them
CREATE FUNCTION model.unknown(the_pool integer, the_kind text, word text)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM model.words(the_pool, the_kind))
       AND NOT EXISTS (SELECT FROM model.words(the_pool, the_kind)
                       WHERE code = word)
$$;
