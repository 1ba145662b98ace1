-- What time does.

------------------------------------------------------------------------
-- Working time
------------------------------------------------------------------------

-- So much working time a span is: a day of it is one working day.
CREATE FUNCTION model.work_amount(span interval) RETURNS interval
LANGUAGE sql STABLE AS $$
    SELECT d.days * (t.work_until - t.work_from)
        + (span - make_interval(
               years => extract(year FROM span)::integer,
               months => extract(month FROM span)::integer,
               days => extract(day FROM span)::integer))
    FROM model.tenant t, LATERAL (
        SELECT extract(year FROM span)::integer * 360
            + extract(month FROM span)::integer * 30
            + extract(day FROM span)::integer) d (days)
$$;

-- The hours of work on that day, by the clocks; none on others.
CREATE FUNCTION model.work_hours(the_day date, OUT opens timestamp,
                                 OUT closes timestamp)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT the_day + work_from, the_day + work_until INTO opens, closes
    FROM model.tenant t
    WHERE coalesce((SELECT is_workday FROM model.calendar WHERE day = the_day),
                   extract(isodow FROM the_day) = ANY (t.workdays));
END $$;

-- The earliest moment by which so much working time has passed.
CREATE FUNCTION model.work_later(moment timestamptz, amount interval,
                                 zone text)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    here    timestamp := moment AT TIME ZONE zone;
    h       record;
BEGIN
    FOR i IN 0..400 LOOP
        h := model.work_hours(here::date + i);
        IF amount = '0' OR h.closes - greatest(h.opens, here) >= amount THEN
            RETURN greatest(moment, (greatest(h.opens, here) + amount)
                                    AT TIME ZONE zone);
        END IF;
        amount := amount - greatest(
            coalesce(h.closes - greatest(h.opens, here), '0'), '0');
    END LOOP;
END $$;

-- The latest moment since which so much has passed.
CREATE FUNCTION model.work_earlier(moment timestamptz, amount interval,
                                   zone text)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    here    timestamp := moment AT TIME ZONE zone;
    h       record;
BEGIN
    FOR i IN 0..400 LOOP
        h := model.work_hours(here::date - i);
        IF amount = '0' OR least(h.closes, here) - h.opens >= amount THEN
            RETURN least(moment, (least(h.closes, here) - amount)
                                 AT TIME ZONE zone);
        END IF;
        amount := amount - greatest(
            coalesce(least(h.closes, here) - h.opens, '0'), '0');
    END LOOP;
END $$;

CREATE FUNCTION model.work_between(since timestamptz, until timestamptz,
                                   zone text)
RETURNS interval LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(least(closes, u) - greatest(opens, s)), '0')
    FROM (SELECT since AT TIME ZONE zone, until AT TIME ZONE zone) m (s, u),
         generate_series(s::date, u::date, interval '1 day') d (day),
         model.work_hours(day::date)
    WHERE closes > s AND opens < u
$$;

-- So much later, or earlier, as the rule counts.
CREATE FUNCTION model.later(r model.timer_rule, moment timestamptz,
                            span interval)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    zone    text := model.pool_zone(r.pool_id);
BEGIN
    RETURN CASE WHEN moment IS NULL THEN NULL
        WHEN r.working_time AND isfinite(moment)
        THEN model.work_later(moment, model.work_amount(span), zone)
        ELSE model.plus(moment, span, zone) END;
END $$;

CREATE FUNCTION model.earlier(r model.timer_rule, moment timestamptz,
                              span interval)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    zone    text := model.pool_zone(r.pool_id);
BEGIN
    RETURN CASE WHEN r.working_time AND isfinite(moment)
        THEN model.work_earlier(moment, model.work_amount(span), zone)
        ELSE model.plus(moment, -span, zone) END;
END $$;

------------------------------------------------------------------------
-- Absences, and when no tick ran
------------------------------------------------------------------------

CREATE TABLE model.absence (
    member_id   integer,
    since       timestamptz,
    until       timestamptz NOT NULL,
    PRIMARY KEY (member_id, since)
);

CREATE FUNCTION model.note_absence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment  timestamptz := (SELECT at FROM model.world);
BEGIN
    UPDATE model.absence SET until = greatest(since, moment)
    WHERE member_id = new.id AND until = 'infinity';
    IF new.status = 'away' THEN
        INSERT INTO model.absence VALUES (new.id, greatest(moment, (
            SELECT max(until) FROM model.absence WHERE member_id = new.id)),
            'infinity')
        ON CONFLICT (member_id, since) DO UPDATE SET until = 'infinity';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_absence AFTER UPDATE ON model.member FOR EACH ROW
    WHEN (old.status <> new.status) EXECUTE FUNCTION model.note_absence();

-- The clock stands still while the owner is away: as long as the spell's
-- absences before it strikes, of which only the first max_pause counts.
CREATE FUNCTION model.paused(r model.timer_rule, l model.lead,
                             since timestamptz, due timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    p       model.pool;
    a       record;
    room    interval;
BEGIN
    SELECT * INTO p FROM model.pool WHERE id = l.pool_id;
    room := make_interval(hours => 24 * (
                30 * extract(month FROM p.max_pause)
                + extract(day FROM p.max_pause))::integer)
        + p.max_pause - date_trunc('day', p.max_pause);
    FOR a IN SELECT greatest(x.since, l.owned_at) AS since, x.until
             FROM model.absence x
             WHERE member_id = l.owner_id AND x.until > l.owned_at
               AND x.until > x.since ORDER BY x.since
    LOOP
        a.until := least(a.until, a.since + room);
        IF a.until < 'infinity' THEN
            room := room - (a.until - a.since);
        END IF;
        a.since := greatest(a.since, paused.since);
        CONTINUE WHEN a.since >= due OR a.until <= a.since;
        IF a.until = 'infinity' THEN
            RETURN NULL;
        END IF;
        due := CASE WHEN r.working_time
            THEN model.work_later(due, model.work_between(a.since, a.until,
                     model.pool_zone(p.id)), model.pool_zone(p.id))
            ELSE due + (a.until - a.since) END;
    END LOOP;
    RETURN due;
END $$;

CREATE TABLE model.downtime (since timestamptz, until timestamptz);
CREATE TABLE model.last_tick (at timestamptz);

-- A tick is noted unless one of the last ten minutes was; it ends a downtime
-- if the last was an hour ago.
CREATE FUNCTION model.note_tick(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last    timestamptz := (SELECT at FROM model.last_tick);
BEGIN
    IF last <= moment AND moment < last + interval '10 minutes' THEN
        RETURN;
    END IF;
    DELETE FROM model.last_tick;
    INSERT INTO model.last_tick VALUES (moment);
    INSERT INTO model.downtime
    SELECT last, moment WHERE moment > last + interval '1 hour';
END $$;

-- What became due while no tick ran is due so much after the next one.
CREATE FUNCTION model.caught_up(l model.lead, due timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT model.plus(d.until, p.catch_up, model.pool_zone(p.id))
        FROM model.downtime d, model.pool p
        WHERE p.id = l.pool_id AND p.catch_up IS NOT NULL
          AND due > d.since AND due <= d.until
        ORDER BY d.since LIMIT 1), due)
$$;

------------------------------------------------------------------------
-- Rules
------------------------------------------------------------------------

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
-- in force or not.  What takes a lead away waits for the end of its protection,
-- and lets its owner catch up; a spell that began too late is none of its
-- business.
CREATE FUNCTION model.deadlines(the_lead text, alone integer = NULL)
RETURNS TABLE (due timestamptz, rule_id integer, action text,
               remind_before interval[])
LANGUAGE sql STABLE AS $$
    SELECT CASE r.action WHEN 'escalate' THEN e.due
               ELSE model.caught_up(l, greatest(e.due, l.protected_until)) END,
           r.id, r.action, r.remind_before
    FROM model.lead l JOIN model.timer_rule r ON r.pool_id = l.pool_id
         JOIN model.pool p ON p.id = l.pool_id,
         LATERAL (SELECT model.counts_from(r, l) AS since OFFSET 0) c,
         LATERAL (SELECT CASE WHEN r.working_time
             THEN model.later(r, c.since, r.after)
             ELSE model.plus(c.since, r.after, model.pool_zone(l.pool_id)) END
             AS due OFFSET 0) d,
         LATERAL (SELECT CASE WHEN p.pause_when_away AND l.status = 'owned'
                 AND d.due IS NOT NULL
             THEN model.paused(r, l, c.since, d.due) ELSE d.due END
             AS due OFFSET 0) e
    WHERE l.key = the_lead AND e.due IS NOT NULL
      AND coalesce(r.id = alone, r.enabled)
      AND model.meets(l, r.condition)
      AND (r.action <> 'move' OR model.takes_to(r) IS NOT NULL)
      AND (r.action = 'escalate' OR r.basis <> 'creation'
           OR l.status <> 'owned' OR l.owned_at < d.due)
$$;

-- The shortest notice that the rule gives who is warned then ends.
CREATE FUNCTION model.notice_over(r model.timer_rule, moment timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(model.later(r, moment, n)) FROM unnest(r.remind_before) n
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
               model.notice_over(r, model.warned(the_lead, r.id)) END),
           d.rule_id,
           NOT r.notice_required OR model.warned(the_lead, r.id) IS NOT NULL
    FROM model.deadlines(the_lead, alone) d
         JOIN model.timer_rule r ON r.id = d.rule_id
    WHERE d.action <> 'escalate'
$$;

-- What all are told: nothing acts before a notice has passed that began when
-- the lead's owner was warned, or would begin now.
CREATE FUNCTION model.due_at(the_lead text, moment timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(nullif(CASE WHEN r.notice_required
        THEN greatest(d.due, model.notice_over(
            r, coalesce(model.warned(the_lead, r.id), moment)))
        ELSE d.due END, 'infinity'))
    FROM model.deadlines(the_lead) d
         JOIN model.timer_rule r ON r.id = d.rule_id
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
    rule    model.timer_rule;
    next    timestamptz;
BEGIN
    PERFORM model.note_tick(moment);
    FOR pool IN SELECT id FROM model.pool ORDER BY id LOOP
        IF model.rests(pool, moment) THEN
            resting := resting || pool;
        END IF;
    END LOOP;
    FOR l IN SELECT * FROM model.lead
             WHERE status IN ('owned', 'available', 'review')
               AND pool_id <> ALL (resting) ORDER BY key
    LOOP
        -- nothing is told earlier than ten days before
        SELECT min(due) INTO next FROM model.deadlines(l.key);
        CONTINUE WHEN (next <= moment + interval '10 days') IS NOT TRUE;
        r := NULL;
        IF next <= moment THEN
            FOR d IN SELECT * FROM model.deadlines(l.key)
                     WHERE action = 'escalate' AND due <= moment LOOP
                PERFORM model.once(l, d.rule_id, NULL, 'escalated', moment);
            END LOOP;
            SELECT x.* INTO r FROM model.acts(l.key) a
                 JOIN model.timer_rule x ON x.id = a.rule_id
            WHERE ready AND due <= moment ORDER BY due, rule_id LIMIT 1;
        END IF;
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
            SELECT * INTO rule FROM model.timer_rule x WHERE x.id = d.rule_id;
            FOREACH distance IN ARRAY d.remind_before LOOP
                IF model.earlier(rule, d.due, distance) <= moment THEN
                    PERFORM model.once(l, d.rule_id, distance, 'reminded',
                                       moment);
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
    UPDATE model.run SET done = true WHERE kind = 'tick' AND NOT done;
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
        PERFORM model.put(l.key, model.takes_to(r),
            CASE l.status WHEN 'owned' THEN 'reclaimed' ELSE 'moved' END,
            moment, r.id);
        IF l.status = 'owned' THEN
            PERFORM model.note_taken(l, r, moment);
        END IF;
    END IF;
END $$;

-- What a tick takes from owners is counted, and is a run in each pool.
CREATE FUNCTION model.note_taken(l model.lead, r model.timer_rule,
                                 moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    run bigint := (SELECT no FROM model.run x WHERE kind = 'tick'
                   AND NOT done AND x.pool_id = l.pool_id);
BEGIN
    INSERT INTO model.taken_back VALUES (l.pool_id, moment);
    IF run IS NULL THEN
        INSERT INTO model.run (kind, pool_id, at)
        VALUES ('tick', l.pool_id, moment) RETURNING no INTO run;
    END IF;
    INSERT INTO model.run_lead (run, key, rule_id, member_id, pool_id)
    VALUES (run, l.key, r.id, l.owner_id, l.pool_id);
    PERFORM model.mark(run, l.key, 'reclaimed');
END $$;
