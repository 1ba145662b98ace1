-- Many leads as one: plan_reclaim, apply_plan, undo_run, of what ticks reclaim,
-- too; the brake, resume_run; offboard, relocate.
-- Whether rules have changed since a plan was made is what the extension's
-- versions say; so is whether a lead was edited since.  Leads that are due but
-- were not warned in time are left out.

CREATE TABLE model.run (
    no          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    pool_id     integer,
    rule_id     integer,
    member_id   integer,                -- whose leads it takes
    at          timestamptz NOT NULL,
    versions    bigint,
    done        boolean NOT NULL DEFAULT false,
    resumed     boolean NOT NULL DEFAULT false
);

-- what timers have reclaimed, in which pools
CREATE TABLE model.taken_back (
    pool_id     integer NOT NULL,
    at          timestamptz NOT NULL
);

CREATE TABLE model.run_lead (
    run         bigint,
    key         text,
    rule_id     integer,
    member_id   integer NOT NULL,       -- whose it was
    pool_id     integer,                -- and where
    outcome     text,
    log_no      bigint,                 -- its latest event then
    edits       bigint,
    PRIMARY KEY (run, key)
);

CREATE FUNCTION model.versions(the_pool integer) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) + count(valid_to) FROM pool.rule_version
    WHERE pool_id = the_pool AND rule <> 'membership'
$$;

CREATE FUNCTION model.edits(the_lead text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM pool.event
    WHERE lead_id = model.id(the_lead) AND kind = 'edited'
$$;

-- leads are worked off in the order of their ids
CREATE FUNCTION model.by_id(keys text[]) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT key FROM unnest(keys) key ORDER BY model.id(key)
$$;

------------------------------------------------------------------------
-- Plans
------------------------------------------------------------------------

-- The rule by which the lead would be reclaimed now, and whether whoever has it
-- was warned in time, where that is demanded.
CREATE FUNCTION model.reclaimed_by(the_lead text, alone integer,
                                   moment timestamptz, OUT rule_id integer,
                                   OUT warned boolean)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.rule_id, a.ready AND a.due <= moment INTO rule_id, warned
    FROM model.acts(the_lead, alone) a
         JOIN model.deadlines(the_lead, alone) d USING (rule_id)
    WHERE d.due <= moment
    ORDER BY 2 DESC, a.due, a.rule_id LIMIT 1;
    IF (SELECT action FROM model.timer_rule WHERE id = rule_id) <> 'reclaim'
    THEN
        rule_id := NULL;
    END IF;
END $$;

-- A run of the leads that timers would reclaim.
CREATE FUNCTION model.list_due(the_kind text, the_pool integer, alone integer,
                               moment timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan    bigint;
    l       model.lead;
    r       record;
BEGIN
    INSERT INTO model.run (kind, pool_id, rule_id, at, versions)
    VALUES (the_kind, the_pool, alone, moment, model.versions(the_pool))
    RETURNING no INTO plan;
    FOR l IN SELECT * FROM model.lead
             WHERE pool_id = the_pool AND status = 'owned'
    LOOP
        r := model.reclaimed_by(l.key, alone, moment);
        CONTINUE WHEN r.rule_id IS NULL OR NOT r.warned;
        INSERT INTO model.run_lead (run, key, rule_id, member_id)
        VALUES (plan, l.key, r.rule_id, l.owner_id);
    END LOOP;
    RETURN plan;
END $$;

CREATE FUNCTION model.plan_reclaim(the_pool text, rule text,
                                   moment timestamptz)
RETURNS TABLE (outcome text, leads bigint, by_owner jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    p       integer := (SELECT id FROM model.pool WHERE name = the_pool);
    alone   integer := (SELECT id FROM model.timer_rule t
                        WHERE pool_id = p AND t.name = rule);
    plan    bigint;
BEGIN
    IF p IS NULL THEN
        outcome := 'PO001';
        RETURN NEXT;
        RETURN;
    END IF;
    plan := model.list_due('plan', p, alone, moment);
    RETURN QUERY SELECT 'planned', coalesce(sum(g.n), 0)::bigint,
            coalesce(jsonb_object_agg(g.key, g.n) FILTER (WHERE g.n > 0), '{}')
        FROM (SELECT m.key, count(*) AS n
              FROM model.run_lead x JOIN model.member m ON m.id = x.member_id
              WHERE run = plan AND x.outcome IS NULL GROUP BY 1) g;
END $$;

CREATE FUNCTION model.run_rows(the_run bigint)
RETURNS TABLE (outcome text, key text, member text) LANGUAGE sql STABLE AS $$
    SELECT x.outcome, x.key, m.key
    FROM model.run_lead x JOIN model.member m ON m.id = x.member_id
    WHERE run = the_run ORDER BY 2
$$;

-- What the run has done to the lead is the latest of its events.
CREATE FUNCTION model.mark(the_run bigint, the_lead text, how text)
RETURNS void LANGUAGE sql AS $$
    UPDATE model.run_lead x SET outcome = how, edits = model.edits(the_lead),
           log_no = (SELECT max(g.no) FROM model.log g WHERE g.key = the_lead)
    WHERE run = the_run AND x.key = the_lead
$$;

CREATE FUNCTION model.apply_plan(the_run bigint, moment timestamptz)
RETURNS TABLE (outcome text, key text, member text) LANGUAGE plpgsql AS $$
DECLARE
    r       model.run;
    x       model.run_lead;
    l       model.lead;
    rule    model.timer_rule;
    the_lead text;
    how     text;
BEGIN
    SELECT * INTO r FROM model.run WHERE no = the_run;
    IF NOT r.done AND (r.at + interval '24 hours' <= moment
                       OR r.versions <> model.versions(r.pool_id)) THEN
        RETURN QUERY VALUES ('55000', NULL, NULL);
        RETURN;
    END IF;
    FOR the_lead IN SELECT model.by_id(ARRAY(
        SELECT o.key FROM model.run_lead o
        WHERE run = the_run AND o.outcome IS NULL AND NOT r.done))
    LOOP
        SELECT * INTO x FROM model.run_lead o
        WHERE run = the_run AND o.key = the_lead;
        SELECT * INTO l FROM model.lead o WHERE o.key = the_lead;
        SELECT * INTO rule FROM model.timer_rule t WHERE t.id = x.rule_id;
        IF l.owner_id = x.member_id AND l.pool_id = r.pool_id
            AND l.owned_at <= r.at THEN
            how := CASE WHEN model.reclaimed_by(the_lead, r.rule_id, moment)
                             = (rule.id, true)
                        THEN 'reclaimed' ELSE 'no_longer_due' END;
        ELSE
            how := 'gone';
        END IF;
        IF how = 'reclaimed' THEN
            UPDATE model.run_lead o SET pool_id = l.pool_id
            WHERE run = the_run AND o.key = the_lead;
            PERFORM model.put(the_lead, model.takes_to(rule), how, moment,
                              rule.id);
        END IF;
        PERFORM model.mark(the_run, the_lead, how);
    END LOOP;
    UPDATE model.run SET done = true WHERE no = the_run;
    RETURN QUERY SELECT * FROM model.run_rows(the_run);
END $$;

------------------------------------------------------------------------
-- The brake
------------------------------------------------------------------------

-- Whether the timers of the pool rest: while a run is held, for a day, and
-- from when what is due would be more than may be reclaimed today; then it
-- becomes such a run.  A run that was resumed lets them go on, for that day.
CREATE FUNCTION model.rests(the_pool integer, moment timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    p       model.pool;
    zone    text := model.pool_zone(the_pool);
    held    boolean;
    taken   integer;
    owned   integer;
    due     integer;
BEGIN
    SELECT * INTO p FROM model.pool WHERE id = the_pool;
    IF p.reclaim_limit IS NULL AND p.reclaim_share IS NULL THEN
        RETURN false;
    END IF;
    SELECT bool_or(NOT resumed) INTO held FROM model.run
    WHERE kind = 'reclaim' AND pool_id = p.id AND NOT done
      AND at + interval '24 hours' > moment;
    IF held IS NOT NULL THEN
        RETURN held;
    END IF;

    SELECT count(*) INTO taken FROM model.taken_back
    WHERE pool_id = p.id AND (at AT TIME ZONE zone)::date =
                             (moment AT TIME ZONE zone)::date;
    SELECT count(*), count(r.rule_id) FILTER (WHERE r.warned)
    INTO owned, due
    FROM model.lead l, model.reclaimed_by(l.key, NULL, moment) r
    WHERE l.pool_id = p.id AND l.status = 'owned';
    IF due = 0 OR taken + due <= least(p.reclaim_limit,
                                       floor(p.reclaim_share * (taken + owned)))
    THEN
        RETURN false;
    END IF;
    PERFORM model.list_due('reclaim', p.id, NULL, moment);
    RETURN true;
END $$;

CREATE FUNCTION model.resume_run(the_run bigint, moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE model.run SET resumed = true
    WHERE no = the_run AND kind = 'reclaim' AND NOT done AND NOT resumed
      AND at + interval '24 hours' > moment;
    RETURN CASE WHEN found THEN 'resumed' ELSE 'not_held' END;
END $$;

------------------------------------------------------------------------
-- Undoing
------------------------------------------------------------------------

CREATE FUNCTION model.undo_run(the_run bigint, moment timestamptz)
RETURNS TABLE (outcome text, key text, member text) LANGUAGE plpgsql AS $$
DECLARE
    r       model.run;
    x       model.run_lead;
    l       model.lead;
    undo    bigint;
    the_lead text;
    how     text;
BEGIN
    SELECT * INTO r FROM model.run WHERE no = the_run;
    INSERT INTO model.run (kind, pool_id, member_id, at, done)
    VALUES ('undo', r.pool_id, r.member_id, moment, true)
    RETURNING no INTO undo;
    FOR the_lead IN SELECT model.by_id(ARRAY(
        SELECT o.key FROM model.run_lead o
        WHERE run = the_run
          AND o.outcome IN ('reclaimed', 'released', 'transferred')))
    LOOP
        SELECT * INTO x FROM model.run_lead o
        WHERE run = the_run AND o.key = the_lead;
        SELECT * INTO l FROM model.lead o WHERE o.key = the_lead;
        IF (SELECT max(g.no) FROM model.log g WHERE g.key = the_lead) > x.log_no
            OR model.edits(the_lead) > x.edits THEN
            how := 'changed';
        ELSE
            how := coalesce(model.unfit_for(l, x.pool_id, x.member_id),
                            'undone');
        END IF;
        IF how = 'undone' THEN
            PERFORM model.give(the_lead, x.member_id, x.pool_id,
                CASE l.status WHEN 'owned' THEN 'transferred'
                              ELSE 'assigned' END, moment);
        END IF;
        INSERT INTO model.run_lead (run, key, member_id, outcome)
        VALUES (undo, the_lead, x.member_id, how);
    END LOOP;
    RETURN QUERY SELECT * FROM model.run_rows(undo);
END $$;

------------------------------------------------------------------------
-- Leaving
------------------------------------------------------------------------

-- Whether the member could have all of these leads of one customer.
CREATE FUNCTION model.may_pass(keys text[], member integer, target integer,
                               moment timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    outcome := model.pass(keys, member, target, moment);
    RAISE 'undo' USING ERRCODE = 'PM001';
EXCEPTION WHEN SQLSTATE 'PM001' THEN
    RETURN outcome = 'transferred';
END $$;

-- One lead of who leaves goes to the first who can have it: a deputy, the
-- successor, if he can have all of the customer's, there or in the other pool.
CREATE FUNCTION model.place(the_lead text, his text[], successor integer,
                            target integer, moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    l           model.lead;
    siblings    text[];
    deputy      integer;
    there       integer;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    FOR deputy IN SELECT member_id FROM model.collaborator c
                  WHERE c.key = the_lead AND role = 'deputy'
                    AND member_id IS DISTINCT FROM successor
                  ORDER BY member_id
    LOOP
        IF model.unfit_for(l, l.pool_id, deputy) IS NULL THEN
            PERFORM model.give(the_lead, deputy, l.pool_id, 'transferred',
                               moment);
            RETURN 'transferred';
        END IF;
    END LOOP;
    siblings := ARRAY(SELECT o.key FROM model.lead o
                      WHERE o.key = ANY (his) AND o.owner_id = l.owner_id
                        AND o.customer = l.customer
                      ORDER BY o.key <> the_lead);
    FOREACH there IN ARRAY ARRAY[NULL, target] LOOP
        IF successor IS NOT NULL
            AND model.may_pass(siblings, successor, there, moment) THEN
            PERFORM model.give(the_lead, successor, coalesce(there, l.pool_id),
                               'transferred', moment);
            RETURN 'transferred';
        END IF;
        EXIT WHEN target IS NULL;
    END LOOP;
    PERFORM model.put(the_lead, coalesce(target, l.pool_id), 'released',
                      moment);
    RETURN 'released';
END $$;

-- offboard, and relocate, to their end; or stopped by cancel_run, before or
-- after the leads
CREATE FUNCTION model.remove_leads(the_kind text, the_member text,
                                   condition jsonpath, successor text,
                                   to_pool text, moment timestamptz,
                                   stopped text = NULL)
RETURNS TABLE (outcome text, planned bigint, done bigint)
LANGUAGE plpgsql AS $$
DECLARE
    m       model.member;
    next    integer := (SELECT id FROM model.member WHERE key = successor);
    target  integer := (SELECT id FROM model.pool WHERE name = to_pool);
    run     bigint;
    his     text[];
    the_lead text;
    how     text;
BEGIN
    SELECT * INTO m FROM model.member WHERE key = the_member;
    planned := (SELECT count(*) FROM model.lead WHERE owner_id = m.id);
    IF m.status = 'left' AND planned = 0 THEN
        RETURN QUERY VALUES ('left', NULL::bigint, NULL::bigint);
        RETURN;
    END IF;
    INSERT INTO model.run (kind, pool_id, member_id, at, done)
    VALUES (the_kind, target, m.id, moment, true) RETURNING no INTO run;
    IF the_kind = 'offboard' THEN
        UPDATE model.member SET status = 'leaving' WHERE id = m.id;
    END IF;
    -- those of one customer together
    his := ARRAY(SELECT l.key FROM model.lead l
                 JOIN (SELECT key, min(model.id(key))
                           OVER (PARTITION BY coalesce(customer, key)) AS first
                       FROM model.lead WHERE owner_id = m.id) o USING (key)
                 WHERE condition IS NULL OR model.meets(l, condition)
                 ORDER BY o.first, model.id(l.key));
    IF stopped = 'before' THEN
        his := '{}';
    END IF;
    FOREACH the_lead IN ARRAY his LOOP
        INSERT INTO model.run_lead (run, key, member_id, pool_id)
        SELECT run, key, m.id, pool_id FROM model.lead WHERE key = the_lead;
        how := model.place(the_lead, his, next, target, moment);
        PERFORM model.mark(run, the_lead, how);
    END LOOP;
    outcome := CASE WHEN stopped IS NULL THEN 'done' ELSE 'cancelled' END;
    IF stopped IS NOT NULL THEN     -- he is what he was
        UPDATE model.member SET status = m.status WHERE id = m.id;
    ELSIF the_kind = 'offboard' THEN
        PERFORM model.leave(m.id, moment);
    END IF;
    done := cardinality(his);
    RETURN NEXT;
END $$;

-- He helps no longer, asks for nothing and has left.
CREATE FUNCTION model.leave(the_member integer, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    the_lead text;
    a       model.approval;
BEGIN
    FOR the_lead IN SELECT key FROM model.collaborator
                    WHERE member_id = the_member LOOP
        PERFORM model.note('collaborator_removed', the_lead, moment,
                           the_member);
    END LOOP;
    DELETE FROM model.collaborator WHERE member_id = the_member;
    FOR a IN SELECT * FROM model.approval
             WHERE status = 'open' AND the_member IN (asker_id, member_id)
             ORDER BY no LOOP
        PERFORM model.end_request(a, 'cancelled', moment);
    END LOOP;
    UPDATE model.member SET status = 'left', away_until = NULL
    WHERE id = the_member;
END $$;

CREATE FUNCTION model.their_removal(call text)
RETURNS TABLE (outcome text, planned bigint, done bigint)
LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..20 LOOP
        EXECUTE 'SELECT outcome, planned, done FROM pool.' || call
        INTO outcome, planned, done;
        EXIT WHEN outcome <> 'running';
    END LOOP;
    RETURN NEXT;
END $$;

-- The first call begins the run, the second sees to all leads.
CREATE FUNCTION model.their_stop(call text, calls integer)
RETURNS TABLE (outcome text, planned bigint, done bigint)
LANGUAGE plpgsql AS $$
DECLARE
    the_run bigint;
BEGIN
    FOR i IN 1..calls LOOP
        EXECUTE 'SELECT outcome, planned, done, run FROM pool.' || call
        INTO outcome, planned, done, the_run;
    END LOOP;
    IF outcome = 'running' THEN
        SELECT c.outcome INTO outcome FROM pool.cancel_run(the_run) c;
    END IF;
    RETURN NEXT;
END $$;

------------------------------------------------------------------------
-- Questions
------------------------------------------------------------------------

-- The run of the extension that stands where this one of the model does: what a
-- tick has reclaimed in a pool, or any of the others.
CREATE FUNCTION model.their_run(the_run bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    r   model.run := (SELECT x FROM model.run x WHERE no = the_run);
BEGIN
    IF r.kind = 'tick' THEN
        RETURN (SELECT id FROM pool.run
                WHERE kind = 'reclaim' AND token IS NULL
                  AND pool_id = r.pool_id AND started_at = r.at
                ORDER BY id
                OFFSET (SELECT count(*) FROM model.run x
                        WHERE x.no < the_run AND kind = 'tick'
                          AND pool_id = r.pool_id AND x.at = r.at) LIMIT 1);
    END IF;
    RETURN (SELECT id FROM pool.run
            WHERE kind <> 'reclaim' OR token IS NOT NULL
            ORDER BY id
            OFFSET (SELECT count(*) FROM model.run x
                    WHERE x.no < the_run AND kind <> 'tick') LIMIT 1);
END $$;

-- plan_reclaim; apply_plan, undo_run and resume_run, mostly of one of the last
CREATE FUNCTION model.ask_run(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    dice    float := random();
    at      text := model.any_pool();
    rule    text;
    back    integer := CASE WHEN model.chance(0.3) THEN model.upto(20) - 1
                            ELSE 0 END;
    run     bigint := (SELECT no FROM model.run
                       WHERE CASE WHEN dice < 0.75
                                  THEN kind IN ('plan', 'reclaim')
                                  WHEN dice < 0.85 THEN kind = 'tick'
                                  ELSE kind <> 'tick' AND (
                                      back > 9 OR EXISTS (
                                          SELECT FROM model.run_lead
                                          WHERE run = no AND log_no > 0)) END
                       ORDER BY no DESC OFFSET back LIMIT 1);
BEGIN
    IF model.chance(0.15) THEN
        run := coalesce((SELECT no FROM model.run WHERE kind = 'reclaim'
                         ORDER BY no DESC LIMIT 1), run);
        IF run IS NOT NULL AND model.chance(0.6) THEN
            RETURN (format('SELECT model.resume_run(%s, %L)', run, moment),
                    format('SELECT outcome FROM pool.resume_run(%s)',
                           model.their_run(run)));
        END IF;
    END IF;
    IF dice < 0.35 OR run IS NULL THEN
        IF model.chance(0.8) THEN       -- one where something is due
            at := coalesce((SELECT p.name FROM model.lead l
                            JOIN model.pool p ON p.id = l.pool_id
                            WHERE l.status = 'owned'
                              AND model.due_at(l.key, moment) <= moment
                            ORDER BY hashtext(l.key || moment), l.key LIMIT 1),
                           at);
        END IF;
        IF model.chance(0.3) THEN
            SELECT name INTO rule FROM model.timer_rule
            WHERE action = 'reclaim'
              AND pool_id = (SELECT id FROM model.pool p WHERE p.name = at)
            ORDER BY hashtext(name || moment), id LIMIT 1;
        END IF;
        RETURN (format('SELECT * FROM model.plan_reclaim(%L, %L, %L)',
                       at, rule, moment),
                format('SELECT outcome, leads, by_owner '
                       'FROM pool.plan_reclaim(%L, %L)', at, rule));
    ELSIF dice < 0.75 THEN
        RETURN (format('SELECT * FROM model.apply_plan(%s, %L)', run, moment),
                format('SELECT outcome, key, member FROM pool.apply_plan('
                       '(SELECT token FROM pool.run WHERE id = %s)) '
                       'WHERE outcome <> ''not_warned'' ORDER BY key',
                       model.their_run(run)));
    END IF;
    RETURN (format('SELECT * FROM model.undo_run(%s, %L)', run, moment),
            format('SELECT outcome, key, member FROM pool.undo_run(%s) '
                   'ORDER BY key', model.their_run(run)));
END $$;

-- offboard, relocate
CREATE FUNCTION model.ask_removal(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    kind    text := model.one_of('offboard', 'relocate');
    member  text := coalesce(CASE WHEN model.chance(0.3) THEN
                        (SELECT min(key) FROM model.member
                         WHERE status = 'left') END, model.some_member());
    other   text := CASE WHEN model.chance(0.7)
                         THEN nullif(model.some_member(), member) END;
    target  text := model.any_target();
    path    text := CASE WHEN kind = 'relocate'
                         THEN model.one_of('$.attempts > 1', NULL) END;
    call    text := format('%s(%L, successor => %L, to_pool => %L%s)', kind,
                           member, other, target,
                           ', condition => ' || quote_literal(path));
    stopped text := CASE WHEN model.chance(0.3)
                         THEN model.one_of('before', 'after') END;
BEGIN
    IF NOT EXISTS (SELECT FROM model.lead l JOIN model.member m
                   ON m.id = l.owner_id WHERE m.key = member) THEN
        stopped := replace(stopped, 'after', 'before');
    END IF;
    RETURN (format('SELECT * FROM model.remove_leads(%L, %L, %L, %L, %L, %L, '
                   '%L)', kind, member, path, other, target, moment, stopped),
            CASE WHEN stopped IS NULL
            THEN format('SELECT * FROM model.their_removal(%L) /* pool.%s( */',
                        call, kind)
            ELSE format('SELECT * FROM model.their_stop(%L, %s) '
                        '/* pool.cancel_run( */', call,
                        CASE stopped WHEN 'before' THEN 1 ELSE 2 END)
            END);
END $$;
