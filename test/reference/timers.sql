-- What time does.  Working time, the pause of absent owners and catching up
-- stay out: of these the model knows nothing.

-- From when a rule counts for a lead; NULL where it is not about it.
CREATE FUNCTION model.counts_from(r model.timer_rule, l model.lead)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN r.basis = 'entry' AND l.status = 'available' THEN l.entered_at
        WHEN r.basis = 'review' AND l.status = 'review' THEN l.entered_at
        WHEN r.basis = 'creation' AND l.status IN ('available', 'review')
             AND r.action <> 'reclaim'
             AND (r.action <> 'move' OR l.status <> 'review') THEN l.created_at
        WHEN l.status = 'owned' THEN CASE r.basis
            WHEN 'creation' THEN l.created_at
            WHEN 'ownership' THEN l.chain_at
            WHEN 'first_contact' THEN
                CASE l.follow_ups WHEN 0 THEN l.owned_at END
            WHEN 'follow_up' THEN greatest(l.owned_at, l.last_follow_up_at)
            WHEN 'stage' THEN greatest(l.owned_at, l.stage_at)
            WHEN 'planned' THEN l.next_follow_up_at END
        END
$$;

-- Where the rule takes the lead; NULL where it stays or there is no such place.
CREATE FUNCTION model.takes_to(r model.timer_rule) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE r.action WHEN 'reclaim' THEN coalesce(r.to_pool_id, r.pool_id)
        WHEN 'move' THEN coalesce(r.to_pool_id,
            (SELECT parent_id FROM model.pool WHERE id = r.pool_id)) END;
END $$;

-- When each rule about the lead is due: of those in force, or this one alone,
-- in force or not.  What takes a lead away waits for the
-- end of its protection; a spell that began too late is none of its business.
CREATE FUNCTION model.deadlines(the_lead text, alone integer = NULL)
RETURNS TABLE (due timestamptz, rule_id integer, action text,
               remind_before interval[])
LANGUAGE sql STABLE AS $$
    SELECT CASE r.action WHEN 'escalate' THEN d.due
                         ELSE greatest(d.due, l.protected_until) END,
           r.id, r.action, r.remind_before
    FROM model.lead l JOIN model.timer_rule r ON r.pool_id = l.pool_id,
         LATERAL (SELECT model.plus(model.counts_from(r, l), r.after,
                                    model.pool_zone(l.pool_id)) AS due) d
    WHERE l.key = the_lead AND d.due IS NOT NULL
      AND coalesce(r.id = alone, r.enabled)
      AND model.meets(l, r.condition)
      AND (r.action <> 'move' OR model.takes_to(r) IS NOT NULL)
      AND (r.action = 'escalate' OR r.basis <> 'creation'
           OR l.status <> 'owned' OR l.owned_at < d.due)
$$;

CREATE FUNCTION model.warned(the_lead text, rule integer) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT min(w.at) FROM model.warned w JOIN model.lead l USING (key, stay)
    WHERE w.key = the_lead AND w.rule_id = rule AND w.before IS NOT NULL
$$;

-- When each rule that takes the lead away acts: not before the shortest notice
-- has passed, where one is demanded.
CREATE FUNCTION model.acts(the_lead text, alone integer = NULL)
RETURNS TABLE (due timestamptz, rule_id integer, ready boolean)
LANGUAGE sql STABLE AS $$
    SELECT greatest(d.due, CASE WHEN r.notice_required THEN
               model.plus(model.warned(the_lead, r.id), least.notice,
                          model.pool_zone(r.pool_id)) END),
           d.rule_id,
           NOT r.notice_required OR model.warned(the_lead, r.id) IS NOT NULL
    FROM model.deadlines(the_lead, alone) d
         JOIN model.timer_rule r ON r.id = d.rule_id,
         LATERAL (SELECT min(n) AS notice FROM unnest(r.remind_before) n) least
    WHERE d.action <> 'escalate'
$$;

-- What all are told: nothing acts before a notice has passed that began when
-- the lead's owner was warned, or would begin now.
CREATE FUNCTION model.due_at(the_lead text, moment timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(nullif(CASE WHEN r.notice_required
        THEN greatest(d.due, model.plus(
            coalesce(model.warned(the_lead, r.id), moment), least.notice,
            model.pool_zone(r.pool_id)))
        ELSE d.due END, 'infinity'))
    FROM model.deadlines(the_lead) d
         JOIN model.timer_rule r ON r.id = d.rule_id,
         LATERAL (SELECT min(n) AS notice FROM unnest(r.remind_before) n) least
    WHERE d.action <> 'escalate'
$$;

-- Once per spell, or stay in the pool.
CREATE FUNCTION model.once(l model.lead, rule integer, distance interval,
                           the_kind text, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM model.warned w
                   WHERE w.key = l.key AND w.stay = l.stay
                     AND w.rule_id = rule
                     AND w.before IS NOT DISTINCT FROM distance) THEN
        INSERT INTO model.warned VALUES (l.key, l.stay, rule, distance, moment);
        PERFORM model.note(the_kind, l.key, moment, l.owner_id, rule);
    END IF;
END $$;

-- Everything that time makes due.  Whoever is to be told is told first.  Of the
-- rules that take a lead away the earliest acts, of several at once the lowest
-- id; a lead that stays gets its reminders.  Where the brake holds nothing
-- happens.
CREATE FUNCTION model.tick(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    l       model.lead;
    r       model.timer_rule;
    d       record;
    distance interval;
    resting integer[] := '{}';
    pool    integer;
BEGIN
    FOR pool IN SELECT id FROM model.pool ORDER BY id LOOP
        IF model.rests(pool, moment) THEN
            resting := resting || pool;
        END IF;
    END LOOP;
    FOR l IN SELECT * FROM model.lead
             WHERE status IN ('owned', 'available', 'review')
               AND pool_id <> ALL (resting) ORDER BY key
    LOOP
        -- nothing is told earlier than two days before
        CONTINUE WHEN NOT EXISTS (SELECT FROM model.deadlines(l.key)
                                  WHERE due <= moment + interval '2 days');
        FOR d IN SELECT * FROM model.deadlines(l.key)
                 WHERE action = 'escalate' AND due <= moment LOOP
            PERFORM model.once(l, d.rule_id, NULL, 'escalated', moment);
        END LOOP;
        r := NULL;
        SELECT x.* INTO r FROM model.acts(l.key) a
             JOIN model.timer_rule x ON x.id = a.rule_id
        WHERE ready AND due <= moment ORDER BY due, rule_id LIMIT 1;
        IF r.id IS NOT NULL THEN
            PERFORM model.act(l, r, moment);
            CONTINUE;
        END IF;
        FOR d IN SELECT * FROM model.deadlines(l.key)
                 WHERE action <> 'escalate' LOOP
            IF d.due <= moment THEN     -- one that had to be warned of first
                d.remind_before := CASE WHEN model.warned(l.key, d.rule_id)
                    IS NULL THEN ARRAY[(SELECT max(n)
                        FROM unnest(d.remind_before) n)] ELSE '{}' END;
            END IF;
            FOREACH distance IN ARRAY d.remind_before LOOP
                IF model.plus(d.due, -distance,
                              model.pool_zone(l.pool_id)) <= moment THEN
                    PERFORM model.once(l, d.rule_id, distance, 'reminded',
                                       moment);
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
    PERFORM model.expire(moment);
    PERFORM model.call_back(moment);
END $$;

CREATE FUNCTION model.act(l model.lead, r model.timer_rule,
                          moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF r.action = 'archive' THEN
        PERFORM model.shut(l.key, 'archived', moment, r.name, r.id);
    ELSE
        INSERT INTO model.taken_back
        SELECT l.pool_id, moment WHERE l.status = 'owned';
        PERFORM model.put(l.key, model.takes_to(r),
            CASE l.status WHEN 'owned' THEN 'reclaimed' ELSE 'moved' END,
            moment, r.id);
    END IF;
END $$;
