-- A plain model of the rules: one tenant, one session, no thought of speed.
-- Here are its tables, members and limits.  What the rule book says is in
-- rules.sql, the steps every operation is made of in steps.sql.
-- It recounts what the extension keeps in counters, and it is told the time.
--
-- Leads go by key, pools by name, members by key.  Answers are rows whose first
-- column is the outcome; misuse answers with its SQLSTATE in that column.
-- Batches are worked off in the order given, each distinct lead once.

CREATE SCHEMA model;

------------------------------------------------------------------------
-- Configuration: what administrators write, so that one statement suits both
------------------------------------------------------------------------

CREATE TABLE model.tenant (LIKE pool.tenant);
CREATE TABLE model.pool (LIKE pool.pool);
CREATE TABLE model.member (LIKE pool.member);
CREATE TABLE model.membership (LIKE pool.membership INCLUDING DEFAULTS,
                               PRIMARY KEY (pool_id, member_id));
CREATE TABLE model.calendar (LIKE pool.calendar);
CREATE TABLE model.timer_rule (LIKE pool.timer_rule);
CREATE TABLE model.claim_rule (LIKE pool.claim_rule);
CREATE TABLE model.entry_rule (LIKE pool.entry_rule);
CREATE TABLE model.score_rule (LIKE pool.score_rule);
CREATE TABLE model.routing_rule (LIKE pool.routing_rule);
CREATE TABLE model.approval_rule (LIKE pool.approval_rule);
CREATE TABLE model.dictionary (LIKE pool.dictionary);

------------------------------------------------------------------------
-- What happens
------------------------------------------------------------------------

CREATE TABLE model.lead (
    key                 text PRIMARY KEY,
    name                text,
    source              text,
    grade               text,
    priority            integer NOT NULL,
    attributes          jsonb NOT NULL,
    status              text NOT NULL,
    pool_id             integer NOT NULL,
    owner_id            integer,
    ticket              bigint,         -- place in the queue
    entered_at          timestamptz NOT NULL,
    owned_at            timestamptz,    -- start of the spell
    chain_at            timestamptz,    -- start of its chain of transfers
    last_follow_up_at   timestamptz,    -- in this spell
    follow_ups          integer NOT NULL DEFAULT 0,     -- in this spell
    claims              integer NOT NULL DEFAULT 0,     -- spells ever
    last_result         text,
    stage               text,
    stage_at            timestamptz,
    next_follow_up_at   timestamptz,    -- planned in this spell
    contacted           boolean NOT NULL DEFAULT false, -- in this chain
    cold                integer NOT NULL DEFAULT 0,     -- chains without one
    hidden_until        timestamptz,
    reserved_for        integer,        -- hidden for whoever asked to claim it
    protected_until     timestamptz,
    extensions          integer NOT NULL DEFAULT 0,     -- in this spell
    last_owner_id       integer,
    created_at          timestamptz,
    closed_at           timestamptz,
    reason              text,           -- why it is archived
    amount              numeric,
    customer            text,           -- first of the leads linked with it
    stay                integer NOT NULL DEFAULT 0,     -- spells and stays ever
    merged_into         text            -- for which it stands while archived
);

-- those who have several leads, and within which pools they are one
CREATE TABLE model.customer (
    name        text PRIMARY KEY,
    scope       integer NOT NULL
);

CREATE TABLE model.identity (
    scope       integer NOT NULL,       -- a pool, or 0 for the tenant
    kind        text,
    value       text,
    key         text NOT NULL,
    PRIMARY KEY (scope, kind, value)
);

CREATE TABLE model.collaborator (
    key         text,
    member_id   integer,
    role        text NOT NULL,
    counts      boolean NOT NULL,
    PRIMARY KEY (key, member_id)
);

CREATE TABLE model.spell (
    key         text NOT NULL,
    member_id   integer NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    cools       boolean NOT NULL DEFAULT true
);
CREATE INDEX ON model.spell (key, member_id);

-- every claim ever; it counts against the day's limit until counts_until
CREATE TABLE model.claimed (
    no              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pool_id         integer NOT NULL,
    member_id       integer NOT NULL,
    at              timestamptz NOT NULL,
    counts_until    timestamptz NOT NULL
);
CREATE INDEX ON model.claimed (pool_id, member_id, counts_until);

-- what a rule has told of a lead in one spell, or stay in a pool
CREATE TABLE model.warned (
    key         text NOT NULL,
    stay        integer NOT NULL,
    rule_id     integer NOT NULL,
    before      interval,               -- NULL for an escalation
    at          timestamptz NOT NULL
);
CREATE INDEX ON model.warned (key);

CREATE TABLE model.log (
    no          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    kind        text NOT NULL,
    key         text NOT NULL,
    member_id   integer,
    rule_id     integer
);
CREATE INDEX ON model.log (key);

CREATE SEQUENCE model.ticket;

CREATE TYPE model.answer AS (
    outcome     text,
    key         text,
    due_at      timestamptz,
    retry_at    timestamptz,
    limit_value integer,
    used        integer
);

------------------------------------------------------------------------
-- Time
------------------------------------------------------------------------

CREATE FUNCTION model.pool_zone(the_pool integer) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(p.timezone, t.timezone)
            FROM model.pool p, model.tenant t WHERE p.id = the_pool);
END $$;

CREATE FUNCTION model.member_zone(the_member integer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce(m.timezone, t.timezone)
    FROM model.member m, model.tenant t WHERE m.id = the_member
$$;

-- Days and months move the wall clock of the zone, hours are elapsed time.
CREATE FUNCTION model.plus(moment timestamptz, step interval, zone text)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    days    interval := make_interval(
                years => extract(year FROM step)::integer,
                months => extract(month FROM step)::integer,
                days => extract(day FROM step)::integer);
BEGIN
    IF days <> '0' THEN
        moment := (moment AT TIME ZONE zone + days) AT TIME ZONE zone;
    END IF;
    RETURN moment + (step - days);
END $$;

-- When the next day begins: where clocks go back over midnight, the first time.
CREATE FUNCTION model.next_day(moment timestamptz, zone text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(t) FROM (VALUES ((moment AT TIME ZONE zone)::date + 1)) n (day),
        generate_series(day::timestamp AT TIME ZONE zone - interval '3 hours',
                        day::timestamp AT TIME ZONE zone, '15 minutes') t
    WHERE (t AT TIME ZONE zone)::date >= day AND t > moment
$$;

-- When the day ends that a claim at this moment counts for.  A day once opened
-- runs to its end, even if the member's zone changes meanwhile.
CREATE FUNCTION model.day_until(the_pool integer, the_member integer,
                                moment timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT max(c.counts_until) FROM model.claimed c
         WHERE c.pool_id = the_pool AND c.member_id = the_member
           AND c.counts_until > moment),
        model.next_day(moment, z))
    FROM model.member_zone(the_member) z
$$;

------------------------------------------------------------------------
-- Members
------------------------------------------------------------------------

CREATE FUNCTION model.role(the_pool integer, the_member integer) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(s.role, CASE WHEN p.everyone THEN 'member' END)
            FROM model.pool p LEFT JOIN model.membership s
                 ON s.pool_id = p.id AND s.member_id = the_member
            WHERE p.id = the_pool);
END $$;

-- who may own leads of the pool
CREATE FUNCTION model.may_own(the_pool integer, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(model.role(the_pool, the_member)
                    IN ('member', 'manager'), false)
$$;

-- manager of the pool or of one above it, unless he has left
CREATE FUNCTION model.manages(the_pool integer, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT id, parent_id FROM model.pool WHERE id = the_pool
        UNION ALL
        SELECT p.id, p.parent_id
        FROM model.pool p JOIN up ON p.id = up.parent_id)
    SELECT coalesce(bool_or(model.role(id, the_member) = 'manager'), false)
       AND (SELECT status <> 'left' FROM model.member WHERE id = the_member)
    FROM up
$$;

-- Which limit on holdings is reached, the pool's before the member's own.
-- The lead given, if any, counts as not held.
CREATE FUNCTION model.full_up(the_pool integer, the_member integer,
                              but text = NULL)
RETURNS model.answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    answer  model.answer;
BEGIN
    SELECT coalesce(s.hold_limit, p.hold_limit) INTO answer.limit_value
    FROM model.pool p LEFT JOIN model.membership s
         ON s.pool_id = p.id AND s.member_id = the_member
    WHERE p.id = the_pool;
    SELECT count(*) INTO answer.used FROM model.lead
    WHERE owner_id = the_member AND pool_id = the_pool
      AND key IS DISTINCT FROM but;
    IF answer.used >= answer.limit_value THEN
        answer.outcome := 'hold_limit';
        RETURN answer;
    END IF;

    SELECT hold_limit INTO answer.limit_value
    FROM model.member WHERE id = the_member;
    SELECT count(*) INTO answer.used FROM model.lead
    WHERE owner_id = the_member AND key IS DISTINCT FROM but;
    IF answer.used >= answer.limit_value THEN
        answer.outcome := 'hold_limit';
        RETURN answer;
    END IF;
    RETURN NULL;
END $$;

-- Whether nobody in his state claims from a pool in this state, or NULL.
CREATE FUNCTION model.closed_to(the_pool integer, the_member integer)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN m.status <> 'active' THEN 'away'
                WHEN NOT p.enabled THEN 'pool_disabled' END
    FROM model.pool p, model.member m
    WHERE p.id = the_pool AND m.id = the_member
$$;

-- Why this member may claim nothing from this pool, or NULL.  Claims after the
-- mark belong to the present call, which is not too soon after itself.
CREATE FUNCTION model.refusal(the_pool integer, the_member integer,
                              moment timestamptz, mark bigint)
RETURNS model.answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    p       model.pool;
    answer  model.answer;
BEGIN
    SELECT * INTO p FROM model.pool WHERE id = the_pool;
    answer.outcome := model.closed_to(the_pool, the_member);
    IF answer.outcome IS NOT NULL THEN
        RETURN answer;
    END IF;

    SELECT model.plus(max(c.at), p.claim_interval, model.pool_zone(the_pool))
    INTO answer.retry_at FROM model.claimed c
    WHERE c.pool_id = the_pool AND c.member_id = the_member AND c.no <= mark;
    IF answer.retry_at > moment THEN
        answer.outcome := 'too_soon';
        RETURN answer;
    END IF;

    SELECT coalesce(s.claim_limit, p.claim_limit) INTO answer.limit_value
    FROM (VALUES (the_pool)) one (id) LEFT JOIN model.membership s
         ON s.pool_id = one.id AND s.member_id = the_member;
    SELECT count(*) INTO answer.used FROM model.claimed c
    WHERE c.pool_id = the_pool AND c.member_id = the_member
      AND c.counts_until > moment;
    IF answer.used >= answer.limit_value THEN
        answer.outcome := 'claim_limit';
        answer.retry_at := model.day_until(the_pool, the_member, moment);
        RETURN answer;
    END IF;

    RETURN model.full_up(the_pool, the_member);
END $$;

-- Until when the member's last spell on this lead bars him, or NULL: by the
-- cooldown of this pool, or of its own.
CREATE FUNCTION model.cooling_in(the_lead text, the_member integer,
                                 the_pool integer)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT max(model.plus(s.ended_at, p.cooldown, model.pool_zone(p.id)))
    FROM model.pool p JOIN model.spell s
         ON s.key = the_lead AND s.member_id = the_member
    WHERE p.id = the_pool AND s.cools
$$;

CREATE FUNCTION model.cooling(the_lead text, the_member integer)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT model.cooling_in(key, the_member, pool_id)
    FROM model.lead WHERE key = the_lead
$$;
