-- Giving leads to members by the rules of their pool: at entry, when they come
-- back, in auto_assign, and by ticks where they wait.  Results of members are what the extension's facts say.
--
-- A draw cannot be foretold: where a rule decides by lot the model asks to be
-- told (PM003), and only checks that whoever was drawn might be.

-- whom a rule has served, and what it owes those who were there last time
CREATE TABLE model.turn (
    rule_id     integer,
    member_id   integer,
    served      bigint NOT NULL DEFAULT 0,
    last_no     bigint NOT NULL DEFAULT 0,
    credit      float8,                 -- NULL: begins at the others' average
    seat_until  timestamptz,
    seated      boolean NOT NULL DEFAULT true,  -- in the call under way
    period_from timestamptz,            -- of a newcomer
    period_base bigint NOT NULL DEFAULT 0,      -- what the rule had given then
    period_served integer NOT NULL DEFAULT 0,
    PRIMARY KEY (rule_id, member_id)
);

-- rules that the call under way has used, and what it has taken off the credits
-- of those who are present; that is kept if the rule serves anybody
CREATE TABLE model.used (rule_id integer PRIMARY KEY, off float8 NOT NULL);

-- leads that wait for somebody, while they are there; excluded is who gave them
-- back, tried_at when a rule was asked last
CREATE TABLE model.waiting (
    key         text PRIMARY KEY,
    pool_id     integer NOT NULL,
    excluded    integer,
    tried_at    timestamptz
);

CREATE FUNCTION model.waits(l model.lead, w model.waiting) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT w.key = l.key AND l.status = 'available' AND w.pool_id = l.pool_id
       AND coalesce(w.tried_at >= l.entered_at, true)
$$;

-- results of members, as far as the last tick has found them
CREATE TABLE model.member_fact (LIKE pool.member_fact);
CREATE TABLE model.member_segment (LIKE pool.member_segment);

CREATE FUNCTION model.learn_facts() RETURNS void LANGUAGE sql AS $$
    DELETE FROM model.member_fact;
    INSERT INTO model.member_fact TABLE pool.member_fact;
    DELETE FROM model.member_segment;
    INSERT INTO model.member_segment TABLE pool.member_segment
$$;

-- what lots have fallen on in the step under way
CREATE TABLE model.drawn (key text PRIMARY KEY, member_id integer NOT NULL);

CREATE FUNCTION model.routing_rules(the_pool integer)
RETURNS SETOF model.routing_rule LANGUAGE sql STABLE AS $$
    SELECT * FROM model.routing_rule WHERE pool_id = the_pool AND enabled
    ORDER BY position, id
$$;

CREATE FUNCTION model.routes(the_pool integer) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM model.routing_rules(the_pool))
$$;

CREATE FUNCTION model.may_be_routed(l model.lead, moment timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.status = 'available'
       AND coalesce(l.hidden_until <= moment, true) AND NOT model.asked_for(l)
$$;

-- What a waiting lead remembers of who gave it back.
CREATE FUNCTION model.excluded(l model.lead) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT excluded FROM model.waiting w
    WHERE w.key = l.key AND model.waits(l, w)
$$;

------------------------------------------------------------------------
-- Choosing
------------------------------------------------------------------------

CREATE FUNCTION model.score_of(rule model.routing_rule, the_member integer,
                               l model.lead)
RETURNS float8 LANGUAGE plpgsql STABLE AS $$
DECLARE
    mean    float8;
    ended   bigint := 0;
    won     bigint := 0;
BEGIN
    IF rule.strategy = 'performance' THEN
        RETURN coalesce((SELECT conversion_rate FROM model.member_fact f
                         WHERE f.member_id = the_member), -1);
    ELSIF rule.strategy <> 'best_match' THEN
        RETURN 0;
    END IF;
    SELECT (coalesce(sum(s.converted), 0) + 1)::float8
           / (coalesce(sum(s.ended), 0) + 2)::float8 INTO mean
    FROM model.member_segment s JOIN model.receivers(rule.pool_id) r
         ON r = s.member_id
    WHERE s.source = coalesce(l.source, '') AND s.grade = coalesce(l.grade, '');
    SELECT s.ended, s.converted INTO ended, won FROM model.member_segment s
    WHERE s.member_id = the_member AND s.source = coalesce(l.source, '')
      AND s.grade = coalesce(l.grade, '');
    RETURN (coalesce(won, 0) + 10 * mean) / (coalesce(ended, 0) + 10.0::float8);
END $$;

-- all whom rules of the pool might give leads to, present or not
CREATE FUNCTION model.receivers(the_pool integer) RETURNS SETOF integer
LANGUAGE sql STABLE AS $$
    SELECT m.id FROM model.member m JOIN model.pool p ON p.id = the_pool
    WHERE CASE WHEN p.everyone THEN m.status <> 'left'
               ELSE model.role(p.id, m.id) = 'member' END
    ORDER BY 1
$$;

CREATE FUNCTION model.present(the_pool integer, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT model.role(the_pool, the_member) = 'member' AND status = 'active'
    FROM model.member WHERE id = the_member
$$;

CREATE FUNCTION model.weight(the_pool integer, the_member integer)
RETURNS float8 LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT weight FROM model.membership
                     WHERE pool_id = the_pool AND member_id = the_member), 1)
$$;

-- Leads of the pool that open requests keep for him.
CREATE FUNCTION model.kept_for(the_pool integer, the_member integer,
                               moment timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM model.lead r WHERE r.pool_id = the_pool
        AND r.reserved_for = the_member
        AND EXISTS (SELECT FROM model.approval a
                    WHERE a.key = r.key AND a.status = 'open'
                      AND (a.action = 'claim' AND r.hidden_until > moment
                           OR a.rule_id IS NOT NULL)
                      AND a.member_id = the_member)
$$;

-- Whether the pool has a rule by which leads may be kept.
CREATE FUNCTION model.keeps(the_pool integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM model.routing_rules(the_pool)
                   WHERE strategy = 'suggest')
        OR EXISTS (SELECT FROM model.claim_rule WHERE pool_id = the_pool
                   AND enabled AND approval)
        OR EXISTS (SELECT FROM model.approval_rule WHERE pool_id = the_pool
                   AND enabled AND action = 'claim')
$$;

-- Whether he holds as much as he may, with what open requests keep for him.
CREATE FUNCTION model.no_room(the_pool integer, the_member integer,
                              moment timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (model.full_up(the_pool, the_member)).outcome IS NOT NULL
        OR coalesce(model.held(the_pool, the_member) +
            CASE WHEN model.keeps(the_pool)
                 THEN model.kept_for(the_pool, the_member, moment) ELSE 0 END
            >= coalesce((SELECT hold_limit FROM model.membership
                         WHERE pool_id = the_pool AND member_id = the_member),
                        (SELECT hold_limit FROM model.pool
                         WHERE id = the_pool)), false)
$$;

-- Why the member may not receive the lead by this rule, or NULL.
CREATE FUNCTION model.unroutable(rule model.routing_rule, the_member integer,
                                 l model.lead, excluded integer,
                                 moment timestamptz)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN NOT model.present(rule.pool_id, the_member) THEN 'not_present'
        WHEN model.level(rule.pool_id, the_member) < rule.min_level THEN 'level'
        WHEN model.weight(rule.pool_id, the_member) = 0 THEN 'weight'
        WHEN NOT coalesce((SELECT seated FROM model.turn t
                           WHERE t.rule_id = rule.id
                             AND t.member_id = the_member), true) THEN 'seat'
        WHEN the_member = excluded THEN 'not_returned'
        WHEN NOT model.admits(rule.member_condition, the_member, rule.pool_id,
                              l) THEN 'member_condition'
        WHEN model.cooling_in(l.key, the_member, rule.pool_id) > moment
            THEN 'cooldown'
        WHEN model.customer_taken(l, the_member) THEN 'identity'
        WHEN model.no_room(rule.pool_id, the_member, moment)
            THEN 'hold_limit'
    END;
END $$;

-- The rule that decides about the lead, through whatever pools hand it over;
-- no hops where they go round in a circle.
CREATE FUNCTION model.deciding_rule(l model.lead, OUT rule model.routing_rule,
                                    OUT hops model.routing_rule[],
                                    OUT arrives_in integer)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    visited integer[] := ARRAY[l.pool_id];
BEGIN
    hops := '{}';
    arrives_in := l.pool_id;
    LOOP
        rule := NULL;
        SELECT r.* INTO rule FROM model.routing_rules(arrives_in) r
        WHERE model.meets(l, r.condition) LIMIT 1;
        IF rule.id IS NULL OR rule.strategy <> 'hand_over' THEN
            RETURN;
        END IF;
        hops := hops || rule;
        arrives_in := rule.to_pool_id;
        IF arrives_in = ANY (visited) THEN
            rule := NULL;
            hops := '{}';
            arrives_in := l.pool_id;
            RETURN;
        END IF;
        visited := visited || arrives_in;
    END LOOP;
END $$;

-- Credits of those who are present and were so before are about zero: what has
-- been taken off is kept.
CREATE FUNCTION model.level_credits(rule model.routing_rule) RETURNS void
LANGUAGE sql AS $$
    UPDATE model.turn t SET credit = credit - u.off
    FROM model.used u
    WHERE u.rule_id = rule.id AND t.rule_id = rule.id
      AND model.present(rule.pool_id, t.member_id);
    UPDATE model.used u SET off = 0 WHERE u.rule_id = rule.id
$$;

-- Who is there takes part from now on, who is not begins anew.
CREATE FUNCTION model.keep_credits(rule model.routing_rule) RETURNS void
LANGUAGE sql AS $$
    UPDATE model.turn t SET credit = CASE
        WHEN model.present(rule.pool_id, t.member_id) AND EXISTS (
            SELECT FROM model.turn o
            WHERE o.rule_id = rule.id AND o.credit IS NOT NULL
              AND model.present(rule.pool_id, o.member_id))
        THEN coalesce(credit, 0) END
    WHERE rule_id = rule.id
$$;

CREATE FUNCTION model.served(rule integer) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(t.served), 0)::bigint FROM model.turn t
    WHERE t.rule_id = rule
$$;

CREATE FUNCTION model.newcomer(rule model.routing_rule, the_member integer,
                               moment timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (rule.newcomer_share > 0 OR rule.newcomer_min > 0)
       AND m.joined_at <= moment
       AND model.plus(m.joined_at, p.newcomer_period, model.pool_zone(p.id))
           > moment
    FROM model.member m, model.pool p
    WHERE m.id = the_member AND p.id = rule.pool_id
$$;

-- How many leads a newcomer is still sure of, were the next one given now.
CREATE FUNCTION model.owed(rule model.routing_rule, t model.turn,
                           moment timestamptz)
RETURNS float8 LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN model.newcomer(rule, t.member_id, moment)
        THEN greatest(floor(rule.newcomer_share::float8
                            * (model.served(rule.id) - t.period_base + 1)
                            + 1e-9),
                      rule.newcomer_min) - t.period_served
        ELSE 0 END
$$;

CREATE FUNCTION model.may_sit(rule model.routing_rule, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT model.present(rule.pool_id, the_member)
       AND model.level(rule.pool_id, the_member) >= rule.min_level
       AND model.weight(rule.pool_id, the_member) > 0
$$;

-- Seats are for a time, and those of one time end together: then they go to
-- who had one the longest ago.  Who goes leaves his to such a one.
CREATE FUNCTION model.take_seats(rule model.routing_rule, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    zone    text := model.pool_zone(rule.pool_id);
    until   timestamptz;
    next    integer;
BEGIN
    SELECT max(seat_until) INTO until FROM model.turn t
    WHERE t.rule_id = rule.id
      AND t.member_id IN (SELECT model.receivers(rule.pool_id));
    UPDATE model.turn SET seated = false WHERE rule_id = rule.id;
    IF until > moment THEN
        UPDATE model.turn t SET seated = model.may_sit(rule, t.member_id),
               seat_until = CASE WHEN model.may_sit(rule, t.member_id)
                                 THEN until ELSE moment END
        WHERE t.rule_id = rule.id AND seat_until = until
          AND t.member_id IN (SELECT model.receivers(rule.pool_id));
    ELSE
        until := coalesce(until, moment);
        FOR i IN 1..1000 LOOP
            until := model.plus(until, rule.rotate_every, zone);
            EXIT WHEN until > moment;
        END LOOP;
        IF until <= moment THEN
            until := model.plus(moment, rule.rotate_every, zone);
        END IF;
    END IF;
    WHILE (SELECT count(*) FROM model.turn t
           WHERE t.rule_id = rule.id AND seated) < rule.rotate_seats LOOP
        SELECT t.member_id INTO next FROM model.turn t
        WHERE t.rule_id = rule.id AND NOT seated
          AND t.member_id IN (SELECT model.receivers(rule.pool_id))
          AND model.may_sit(rule, t.member_id)
        ORDER BY seat_until NULLS FIRST, model.lot(rule.id, t.member_id),
                 t.member_id LIMIT 1;
        EXIT WHEN NOT found;
        UPDATE model.turn t SET seated = true, seat_until = until
        WHERE t.rule_id = rule.id AND t.member_id = next;
    END LOOP;
END $$;

CREATE FUNCTION model.seats_of(rule integer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT string_agg(concat_ws(' ', member_id, seat_until, period_from), ','
                      ORDER BY member_id)
    FROM model.turn WHERE rule_id = rule
      AND (seat_until IS NOT NULL OR period_from IS NOT NULL)
$$;

-- Whom the rule knows as newcomers, and who has a seat, from now on.
CREATE FUNCTION model.begin_turns(rule model.routing_rule, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    before  text := model.seats_of(rule.id);
BEGIN
    IF rule.rotate_every IS NULL AND rule.newcomer_share = 0
        AND rule.newcomer_min = 0 THEN
        UPDATE model.turn SET seated = true
        WHERE rule_id = rule.id AND NOT seated;
        RETURN;
    END IF;
    INSERT INTO model.turn (rule_id, member_id)
    SELECT rule.id, r FROM model.receivers(rule.pool_id) r
    ON CONFLICT DO NOTHING;
    UPDATE model.turn t SET period_from = m.joined_at,
           period_base = model.served(rule.id), period_served = 0
    FROM model.member m
    WHERE t.rule_id = rule.id AND m.id = t.member_id
      AND m.id IN (SELECT model.receivers(rule.pool_id))
      AND t.period_from IS DISTINCT FROM m.joined_at
      AND model.newcomer(rule, m.id, moment);
    IF rule.rotate_every IS NULL THEN
        UPDATE model.turn SET seated = true WHERE rule_id = rule.id;
    ELSE
        PERFORM model.take_seats(rule, moment);
    END IF;
    IF before IS DISTINCT FROM model.seats_of(rule.id) THEN
        PERFORM model.level_credits(rule);
        PERFORM model.keep_credits(rule);
    END IF;
END $$;

-- A call uses the rule for the first time: credits of those who are present
-- and were so before are put about zero.
CREATE FUNCTION model.use(rule model.routing_rule, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM model.used u WHERE u.rule_id = rule.id) THEN
        RETURN;
    END IF;
    INSERT INTO model.used
    SELECT rule.id, coalesce(sum(credit) / count(credit), 0)
    FROM model.turn t
    WHERE rule_id = rule.id AND model.present(rule.pool_id, t.member_id);
    PERFORM model.begin_turns(rule, moment);
END $$;

-- Those who may receive the lead by the rule; full is whether only room keeps
-- somebody from it.
CREATE FUNCTION model.contenders(rule model.routing_rule, l model.lead,
                                 excluded integer, moment timestamptz,
                                 OUT all_of model.contender[],
                                 OUT "full" boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    member  integer;
    why     text;
    t       model.turn;
BEGIN
    all_of := '{}';
    "full" := false;
    FOR member IN SELECT model.receivers(rule.pool_id) LOOP
        why := model.unroutable(rule, member, l, excluded, moment);
        "full" := "full" OR coalesce(why = 'hold_limit', false);
        CONTINUE WHEN why IS NOT NULL;
        SELECT * INTO t FROM model.turn
        WHERE rule_id = rule.id AND member_id = member;
        all_of := all_of || (member, model.weight(rule.pool_id, member),
            model.score_of(rule, member, l), model.held(rule.pool_id, member),
            coalesce(t.credit - (SELECT off FROM model.used u
                                 WHERE u.rule_id = rule.id), t.credit, 0),
            coalesce(t.last_no, 0), model.lot(rule.id, member),
            coalesce(model.owed(rule, t, moment), 0))::model.contender;
    END LOOP;
END $$;

------------------------------------------------------------------------
-- Routing a lead
------------------------------------------------------------------------

CREATE FUNCTION model.begin_routing() RETURNS void LANGUAGE sql AS $$
    DELETE FROM model.used
$$;

-- He is served: his turn, and what the rule owes all who are there.
CREATE FUNCTION model.serve(rule model.routing_rule, the_member integer,
                            contenders model.contender[], moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO model.turn (rule_id, member_id)
    SELECT rule.id, r FROM model.receivers(rule.pool_id) r
    ON CONFLICT DO NOTHING;
    SELECT model.level_credits(rule);
    UPDATE model.turn t SET credit = c.credit
    FROM unnest(contenders) c
    WHERE rule_id = rule.id AND t.member_id = c.member_id
      AND rule.strategy IN ('round_robin', 'weighted', 'best_match',
                            'suggest')
      AND NOT EXISTS (SELECT FROM unnest(contenders) n WHERE n.owed > 1e-9);
    SELECT model.keep_credits(rule);
    UPDATE model.turn SET served = served + 1,
           last_no = 1 + model.served(rule.id),
           period_served = period_served
               + model.newcomer(rule, the_member, moment)::integer
    WHERE rule_id = rule.id AND member_id = the_member
$$;

-- Whom the lead goes to: what of model.routed is known before anything happens,
-- and who is chosen among whom.
CREATE FUNCTION model.decide(l model.lead, rule model.routing_rule,
                             excluded integer, moment timestamptz,
                             OUT outcome text, OUT all_of model.contender[],
                             OUT chosen integer)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c       record;
BEGIN
    IF rule.id IS NULL THEN
        outcome := 'no_rule';
        RETURN;
    END IF;
    c := model.contenders(rule, l, excluded, moment);
    all_of := c.all_of;
    IF cardinality(all_of) = 0 THEN
        outcome := CASE WHEN c."full" THEN 'at_capacity' ELSE 'no_candidate' END;
        RETURN;
    END IF;
    outcome := 'assigned';
    IF rule.strategy = 'random' THEN
        SELECT i INTO chosen FROM model.drawn x, generate_subscripts(all_of, 1) i
        WHERE x.key = l.key AND (all_of[i]).member_id = x.member_id;
    ELSE
        c := model.choose(rule.strategy, all_of);
        all_of := c.contenders;
        chosen := c.chosen;
    END IF;
END $$;

-- The lead is kept for the member until the request takes effect.
CREATE FUNCTION model.suggest(the_lead text, the_member integer,
                              rule model.routing_rule, moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE model.lead SET reserved_for = the_member,
           hidden_until = model.plus(moment, rule.expires_after,
                                     model.pool_zone(pool_id))
    WHERE key = the_lead;
    INSERT INTO model.approval (key, stay, action, member_id, rule_id, step,
                                expires_at)
    SELECT key, stay, 'assign', the_member, rule.id, 1, hidden_until
    FROM model.lead WHERE key = the_lead;
    SELECT model.note('requested', the_lead, moment, the_member, rule.id)
$$;

-- Routes an available lead.  Nothing comes of it where its pool has no rules.
CREATE FUNCTION model.route(the_lead text, moment timestamptz,
                            not_to integer = NULL)
RETURNS model.routed LANGUAGE plpgsql AS $$
DECLARE
    answer  model.routed;
    l       model.lead;
    d       record;
    c       record;
    hop     model.routing_rule;
    rule    model.routing_rule;
    member  integer;
BEGIN
    SELECT * INTO l FROM model.lead WHERE key = the_lead;
    answer.key := the_lead;
    not_to := coalesce(not_to, model.excluded(l));
    DELETE FROM model.waiting WHERE key = the_lead;
    IF NOT model.routes(l.pool_id) THEN
        RETURN answer;
    END IF;
    d := model.deciding_rule(l);
    rule := d.rule;
    IF rule.id IS NOT NULL THEN
        PERFORM model.use(rule, moment);
    END IF;
    c := model.decide(l, rule, not_to, moment);
    IF c.outcome = 'assigned' AND c.chosen IS NULL THEN
        RAISE 'a lot is to fall on % for %', c.all_of, the_lead
            USING ERRCODE = 'PM003';
    END IF;
    IF c.outcome = 'assigned' AND rule.strategy = 'suggest' THEN
        c.outcome := CASE
            WHEN (model.open_request(the_lead, 'assign', moment)).no IS NULL
            THEN 'suggested' ELSE 'no_candidate' END;
    END IF;
    FOREACH hop IN ARRAY d.hops LOOP
        PERFORM model.put(the_lead, hop.to_pool_id, 'moved', moment, hop.id);
    END LOOP;
    answer.outcome := c.outcome;
    answer.rule := coalesce(rule.name,
                            (d.hops[cardinality(d.hops)]).name);
    IF c.outcome IN ('assigned', 'suggested') THEN
        member := (c.all_of[c.chosen]).member_id;
        PERFORM model.serve(rule, member, c.all_of, moment);
        IF c.outcome = 'suggested' THEN
            PERFORM model.suggest(the_lead, member, rule, moment);
        ELSE
            PERFORM model.give(the_lead, member, d.arrives_in, 'assigned',
                               moment, rule.id);
        END IF;
        answer.member := (SELECT m.key FROM model.member m WHERE id = member);
    ELSE
        INSERT INTO model.waiting
        VALUES (the_lead, d.arrives_in, not_to, moment);
    END IF;
    RETURN answer;
END $$;

-- What came back in this call goes on at once where its pool says so, but not
-- to whom it came from.
CREATE FUNCTION model.route_returned(keys text[], moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    the_lead    text;
    l           model.lead;
BEGIN
    PERFORM model.begin_routing();
    FOREACH the_lead IN ARRAY keys LOOP
        SELECT * INTO l FROM model.lead WHERE key = the_lead;
        CONTINUE WHEN NOT (SELECT route_returned FROM model.pool
                           WHERE id = l.pool_id);
        IF model.routes(l.pool_id) AND model.may_be_routed(l, moment) THEN
            PERFORM model.route(the_lead, moment, l.last_owner_id);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION model.auto_assign(the_pool text, n integer, moment timestamptz)
RETURNS SETOF model.routed LANGUAGE plpgsql AS $$
DECLARE
    pool        integer := (SELECT id FROM model.pool WHERE name = the_pool);
    answer      model.routed;
    the_lead    text;
BEGIN
    IF pool IS NULL THEN
        answer.outcome := 'PO001';
        RETURN NEXT answer;
        RETURN;
    END IF;
    PERFORM model.begin_routing();
    FOREACH the_lead IN ARRAY ARRAY(
        SELECT key FROM model.lead l
        WHERE pool_id = pool AND model.may_be_routed(l, moment)
        ORDER BY priority DESC, ticket LIMIT n)
    LOOP
        answer := model.route(the_lead, moment);
        answer.outcome := coalesce(answer.outcome, 'no_rule');
        RETURN NEXT answer;
    END LOOP;
END $$;

------------------------------------------------------------------------
-- Ticks
------------------------------------------------------------------------

-- What a tick has given by rules, or suggested, the model gives and suggests,
-- too, in the same order.
CREATE FUNCTION model.follow_routing(mark bigint, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    e       record;
    r       model.routed;
BEGIN
    PERFORM model.begin_routing();
    FOR e IN
        SELECT d.key, max(m.key) AS member
        FROM pool.event v JOIN pool.lead_data d ON d.id = v.lead_id
             LEFT JOIN pool.member m ON m.id = v.member_id
        WHERE v.id > mark
          AND (v.kind = 'assigned' AND v.detail ? 'strategy'
               OR v.detail ? 'hand_over' OR v.kind = 'requested')
        GROUP BY 1 ORDER BY min(v.id)
    LOOP
        IF NOT EXISTS (SELECT FROM model.waiting w JOIN model.lead l USING (key)
                       WHERE w.key = e.key AND model.waits(l, w)
                         AND model.may_be_routed(l, moment))
        THEN
            RAISE '% was routed, but does not wait', e.key
                USING ERRCODE = 'PM002';
        END IF;
        DELETE FROM model.drawn WHERE key = e.key;
        INSERT INTO model.drawn SELECT e.key, id FROM model.member
        WHERE key = e.member;
        r := model.route(e.key, moment);
        IF r.member IS DISTINCT FROM e.member THEN
            RAISE '% was routed to %, not %', e.key, e.member, r
                USING ERRCODE = 'PM002';
        END IF;
    END LOOP;
END $$;

-- Rules that a tick has asked in vain have seated members all the same.
CREATE FUNCTION model.follow_seats(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    rule    model.routing_rule;
BEGIN
    FOR rule IN SELECT * FROM model.routing_rule r
                WHERE EXISTS (
                    SELECT rule_id, member_id, seat_until, period_from
                    FROM pool.routing_state WHERE rule_id = r.id
                    EXCEPT
                    SELECT rule_id, member_id, seat_until, period_from
                    FROM model.turn)
    LOOP
        PERFORM model.begin_routing();
        PERFORM model.use(rule, moment);
    END LOOP;
    PERFORM model.begin_routing();
END $$;

-- Nothing waits that somebody might have, where it had to be tried: where it
-- came back by time, or nothing was tried in its pool for a quarter of an hour.
CREATE FUNCTION model.check_waiting(stale integer[], moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l       model.lead;
    c       record;
BEGIN
    DELETE FROM model.waiting w USING model.lead x
    WHERE x.key = w.key AND NOT model.routes(x.pool_id)
      AND model.may_be_routed(x, moment);
    DELETE FROM model.waiting w USING model.lead x
    WHERE x.key = w.key AND w.tried_at IS NULL AND NOT model.waits(x, w);
    FOR l IN SELECT x.* FROM model.lead x JOIN model.waiting w USING (key)
             WHERE (w.tried_at IS NULL OR x.pool_id = ANY (stale))
               AND model.waits(x, w) AND model.may_be_routed(x, moment)
    LOOP
        c := model.decide(l, (model.deciding_rule(l)).rule, model.excluded(l),
                          moment);
        IF c.outcome = 'assigned'
            AND NOT EXISTS (SELECT FROM model.approval a
                            WHERE a.key = l.key AND a.status = 'open'
                              AND a.action = 'assign') THEN
            RAISE '% waits, but might be given: %', l.key, c.all_of
                USING ERRCODE = 'PM002';
        END IF;
        UPDATE model.waiting w SET tried_at = coalesce(tried_at, moment)
        WHERE w.key = l.key;
    END LOOP;
END $$;
