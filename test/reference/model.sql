-- A plain model of the rules: one tenant, one session, no thought of speed.
-- Here are its tables and rules; the operations follow in operations.sql.
-- It recounts what the extension keeps in counters, and it is told the time.
--
-- Leads go by key, pools by name, members by key.  Answers are rows whose first
-- column is the outcome; misuse answers with its SQLSTATE in that column.
-- Batches are worked off in the order given, each distinct lead once.

CREATE SCHEMA model;

------------------------------------------------------------------------
-- Configuration: columns as in the extension, so that one statement suits both
------------------------------------------------------------------------

CREATE TABLE model.tenant (timezone text NOT NULL);

CREATE TABLE model.pool (
    id              integer PRIMARY KEY,
    parent_id       integer,
    name            text NOT NULL UNIQUE,
    timezone        text,
    everyone        boolean NOT NULL,
    hold_limit      integer,
    claim_limit     integer,
    claim_interval  interval,
    cooldown        interval,
    enabled         boolean NOT NULL
);

CREATE TABLE model.member (
    id              integer PRIMARY KEY,
    key             text NOT NULL UNIQUE,
    timezone        text,
    hold_limit      integer,
    status          text NOT NULL
);

CREATE TABLE model.membership (
    pool_id         integer,
    member_id       integer,
    tenant_id       integer,
    role            text NOT NULL DEFAULT 'member',
    hold_limit      integer,
    claim_limit     integer,
    PRIMARY KEY (pool_id, member_id)
);

CREATE TABLE model.timer_rule (
    id              integer PRIMARY KEY,
    pool_id         integer NOT NULL,
    name            text NOT NULL,
    basis           text NOT NULL,
    after           interval NOT NULL,
    condition       jsonpath,
    remind_before   interval[] NOT NULL,
    to_pool_id      integer,
    enabled         boolean NOT NULL
);

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
    amount              numeric
);

CREATE TABLE model.identity (
    kind        text,
    value       text,
    key         text NOT NULL,
    PRIMARY KEY (kind, value)
);

CREATE TABLE model.spell (
    key         text NOT NULL,
    member_id   integer NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz
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

CREATE TABLE model.reminded (
    key         text,
    spell       integer,
    rule_id     integer,
    before      interval,
    PRIMARY KEY (key, spell, rule_id, before)
);

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
LANGUAGE sql STABLE AS $$
    SELECT coalesce(p.timezone, t.timezone)
    FROM model.pool p, model.tenant t WHERE p.id = the_pool
$$;

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

-- When the day ends that a claim at this moment counts for.  A day once opened
-- runs to its end, even if the member's zone changes meanwhile.
CREATE FUNCTION model.day_until(the_pool integer, the_member integer,
                                moment timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT max(c.counts_until) FROM model.claimed c
         WHERE c.pool_id = the_pool AND c.member_id = the_member
           AND c.counts_until > moment),
        ((moment AT TIME ZONE z)::date + 1)::timestamp AT TIME ZONE z)
    FROM model.member_zone(the_member) z
$$;

------------------------------------------------------------------------
-- Members
------------------------------------------------------------------------

CREATE FUNCTION model.role(the_pool integer, the_member integer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce(s.role, CASE WHEN p.everyone THEN 'member' END)
    FROM model.pool p LEFT JOIN model.membership s
         ON s.pool_id = p.id AND s.member_id = the_member
    WHERE p.id = the_pool
$$;

-- who may own leads of the pool
CREATE FUNCTION model.may_own(the_pool integer, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(model.role(the_pool, the_member)
                    IN ('member', 'manager'), false)
$$;

-- manager of the pool or of one above it
CREATE FUNCTION model.manages(the_pool integer, the_member integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT id, parent_id FROM model.pool WHERE id = the_pool
        UNION ALL
        SELECT p.id, p.parent_id
        FROM model.pool p JOIN up ON p.id = up.parent_id)
    SELECT coalesce(bool_or(model.role(id, the_member) = 'manager'), false)
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

-- Until when the member's last spell on this lead bars him, or NULL.
CREATE FUNCTION model.cooling(the_lead text, the_member integer)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT max(model.plus(s.ended_at, p.cooldown, model.pool_zone(p.id)))
    FROM model.lead l JOIN model.pool p ON p.id = l.pool_id
         JOIN model.spell s ON s.key = l.key AND s.member_id = the_member
    WHERE l.key = the_lead
$$;

------------------------------------------------------------------------
-- Timers
------------------------------------------------------------------------

-- what conditions see
CREATE FUNCTION model.document(l model.lead) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT l.attributes || jsonb_build_object('key', l.key, 'name', l.name,
        'source', l.source, 'grade', l.grade, 'priority', l.priority,
        'claims', l.claims, 'follow_ups', l.follow_ups,
        'last_result', l.last_result, 'stage', l.stage, 'amount', l.amount)
$$;

CREATE FUNCTION model.deadlines(the_lead text)
RETURNS TABLE (due timestamptz, rule_id integer, rule text,
               to_pool_id integer, remind_before interval[])
LANGUAGE sql STABLE AS $$
    SELECT model.plus(
               CASE r.basis
                   WHEN 'ownership' THEN l.chain_at
                   WHEN 'first_contact' THEN l.owned_at
                   ELSE greatest(l.owned_at, l.last_follow_up_at)
               END, r.after, model.pool_zone(l.pool_id)),
           r.id, r.name, r.to_pool_id, r.remind_before
    FROM model.lead l JOIN model.timer_rule r ON r.pool_id = l.pool_id
    WHERE l.key = the_lead AND l.status = 'owned' AND r.enabled
      AND (r.basis <> 'first_contact' OR l.follow_ups = 0)
      AND (r.condition IS NULL
           OR jsonb_path_match(model.document(l), r.condition, '{}', true))
$$;

CREATE FUNCTION model.due_at(the_lead text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT min(due) FROM model.deadlines(the_lead)
$$;

------------------------------------------------------------------------
-- The steps every operation is made of
------------------------------------------------------------------------

CREATE FUNCTION model.note(the_kind text, the_lead text, moment timestamptz,
                           the_member integer = NULL, rule integer = NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO model.log (at, kind, key, member_id, rule_id)
    VALUES (moment, the_kind, the_lead, the_member, rule)
$$;

CREATE FUNCTION model.end_spell(the_lead text, moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE model.spell SET ended_at = moment
    WHERE key = the_lead AND ended_at IS NULL;
    UPDATE model.lead SET owner_id = NULL, owned_at = NULL,
           last_follow_up_at = NULL, follow_ups = 0
    WHERE key = the_lead
$$;

-- A member becomes the owner: kind is claimed, assigned or transferred.
CREATE FUNCTION model.give(the_lead text, the_member integer, the_pool integer,
                           the_kind text, moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT model.end_spell(the_lead, moment);
    INSERT INTO model.spell (key, member_id, started_at)
    VALUES (the_lead, the_member, moment);
    UPDATE model.lead SET status = 'owned', owner_id = the_member,
           pool_id = the_pool, ticket = NULL, owned_at = moment,
           chain_at = CASE the_kind WHEN 'transferred' THEN chain_at
                                    ELSE moment END,
           claims = claims + 1
    WHERE key = the_lead;
    SELECT model.note(the_kind, the_lead, moment, the_member)
$$;

-- The lead enters a pool as the newest of its band.
CREATE FUNCTION model.put(the_lead text, the_pool integer, the_kind text,
                          moment timestamptz, rule integer = NULL)
RETURNS void LANGUAGE sql AS $$
    SELECT model.note(the_kind, the_lead, moment,
                      (SELECT owner_id FROM model.lead WHERE key = the_lead),
                      rule);
    SELECT model.end_spell(the_lead, moment);
    UPDATE model.lead SET status = 'available', pool_id = the_pool,
           ticket = nextval('model.ticket'), entered_at = moment
    WHERE key = the_lead
$$;

-- The lead leaves circulation: kind is converted or archived.
CREATE FUNCTION model.shut(the_lead text, the_kind text, moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT model.note(the_kind, the_lead, moment,
                      (SELECT owner_id FROM model.lead WHERE key = the_lead));
    SELECT model.end_spell(the_lead, moment);
    UPDATE model.lead SET status = the_kind, ticket = NULL
    WHERE key = the_lead
$$;

-- Why this member may not be given leads of this pool, or NULL.
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

-- another lead that has one of these identities, the first of them that counts
CREATE FUNCTION model.twin(given jsonb, of_lead text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT i.key
    FROM model.identities(given) WITH ORDINALITY g (kind, value, place)
         JOIN model.identity i USING (kind, value)
    WHERE i.key <> of_lead ORDER BY place LIMIT 1
$$;
