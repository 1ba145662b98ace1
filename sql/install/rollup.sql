-- Roll-ups: folded events, and what an event counts for. Statistics and folding
-- count in tail.c; the views of single events are what verify() recounts by.
--
-- An event is folded if its generation is lower than that of rollup_state, or
-- equal with its transaction visible in the snapshot stored there.  The rest
-- is the tail.  Statistics are folded sums plus the tail, read in one snapshot.
-- There is no row in rollup_state before the first fold, and none in
-- purge_horizon before the first purge, so that a dump restores cleanly.

CREATE TABLE pool.rollup_day (
    pool_id         integer NOT NULL,
    day             date NOT NULL,
    source          text NOT NULL,
    entered         integer NOT NULL,
    claimed         integer NOT NULL,
    assigned        integer NOT NULL,
    transferred     integer NOT NULL,
    given           integer NOT NULL,
    followed_up     integer NOT NULL,
    first_responses integer NOT NULL,
    released        integer NOT NULL,
    reclaimed       integer NOT NULL,
    missed          integer NOT NULL,
    converted       integer NOT NULL,
    archived        integer NOT NULL,
    reopened        integer NOT NULL,
    erased          integer NOT NULL,
    moved_in        integer NOT NULL,
    moved_out       integer NOT NULL,
    ended           integer NOT NULL,
    d_available     integer NOT NULL,
    d_review        integer NOT NULL,
    d_owned         integer NOT NULL,
    d_converted     integer NOT NULL,
    d_archived      integer NOT NULL,
    first_response_seconds_sum bigint NOT NULL,
    seconds_to_convert_sum     bigint NOT NULL,
    amount          numeric NOT NULL,
    CONSTRAINT rollup_day_pkey PRIMARY KEY (pool_id, day, source)
) WITH (fillfactor = 80);

CREATE TABLE pool.rollup_member (
    pool_id         integer NOT NULL,
    member_id       integer NOT NULL,
    day             date NOT NULL,
    claimed         integer NOT NULL,
    assigned        integer NOT NULL,
    received        integer NOT NULL,
    given           integer NOT NULL,
    followed_up     integer NOT NULL,
    first_responses integer NOT NULL,
    missed          integer NOT NULL,
    released        integer NOT NULL,
    reclaimed       integer NOT NULL,
    converted       integer NOT NULL,
    archived        integer NOT NULL,
    ended           integer NOT NULL,
    first_response_seconds_sum bigint NOT NULL,
    amount          numeric NOT NULL,
    CONSTRAINT rollup_member_pkey PRIMARY KEY (pool_id, member_id, day)
) WITH (fillfactor = 80);

CREATE TABLE pool.rollup_state (
    singleton   boolean NOT NULL DEFAULT true,
    generation  integer NOT NULL,
    snapshot    pg_snapshot NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT rollup_state_pkey PRIMARY KEY (singleton),
    CONSTRAINT rollup_state_singleton_check CHECK (singleton)
);

CREATE TABLE pool.purge_horizon (
    singleton   boolean NOT NULL DEFAULT true,
    before      timestamptz NOT NULL,
    CONSTRAINT purge_horizon_pkey PRIMARY KEY (singleton),
    CONSTRAINT purge_horizon_singleton_check CHECK (singleton)
);

-- What an event does to its lead, and whether it is folded.  The upper bounds
-- in is_tail always hold: they tell the planner that the ranges are small, so
-- that it walks event_order_idx and not the whole log.
CREATE VIEW pool.event_effect AS
SELECT e.id, e.at, e.xid, e.lead_id, e.day, e.generation, e.tenant_id,
    e.pool_id, e.member_id, e.actor_id, e.rule_id, e.kind, e.reason,
    e.source, e.grade, e.detail,
    CASE WHEN e.kind IN ('assigned', 'transferred', 'released', 'reclaimed',
                         'reopened', 'moved')
        THEN (e.detail ->> 'from_pool')::integer
    END AS from_pool_id,
    coalesce((e.detail ->> 'from_day')::date, e.day) AS from_day,
    CASE e.kind
        WHEN 'transferred' THEN (e.detail ->> 'from')::integer
        WHEN 'released' THEN e.member_id
        WHEN 'reclaimed' THEN e.member_id
        WHEN 'converted' THEN e.member_id
        WHEN 'archived' THEN e.member_id
        WHEN 'erased' THEN e.member_id
    END AS former_id,
    CASE e.kind
        WHEN 'entered' THEN e.detail ->> 'from'
        WHEN 'review' THEN e.detail ->> 'from'
        WHEN 'claimed' THEN 'available'
        WHEN 'assigned' THEN 'available'
        WHEN 'moved' THEN 'available'
        WHEN 'transferred' THEN 'owned'
        WHEN 'released' THEN 'owned'
        WHEN 'reclaimed' THEN 'owned'
        WHEN 'converted' THEN coalesce(e.detail ->> 'from', 'owned')
        WHEN 'archived' THEN e.detail ->> 'from'
        WHEN 'reopened' THEN e.detail ->> 'from'
        WHEN 'erased' THEN e.detail ->> 'from'
    END AS state_before,
    CASE e.kind
        WHEN 'entered' THEN 'available'
        WHEN 'review' THEN 'review'
        WHEN 'claimed' THEN 'owned'
        WHEN 'assigned' THEN 'owned'
        WHEN 'transferred' THEN 'owned'
        WHEN 'released' THEN 'available'
        WHEN 'reclaimed' THEN 'available'
        WHEN 'moved' THEN 'available'
        WHEN 'reopened' THEN 'available'
        WHEN 'converted' THEN 'converted'
        WHEN 'archived' THEN 'archived'
        WHEN 'erased' THEN
            CASE e.detail ->> 'from' WHEN 'converted' THEN 'converted'
                ELSE 'archived' END
    END AS state_after,
    (e.generation > coalesce(
            (SELECT s.generation FROM pool.rollup_state s), -2147483648)
        AND e.generation <= 2147483647)
    OR (e.generation = (SELECT s.generation FROM pool.rollup_state s)
        AND e.xid >= (SELECT pg_snapshot_xmax(s.snapshot)
                      FROM pool.rollup_state s)
        AND e.xid <= '18446744073709551615'::xid8)
    OR (e.generation = (SELECT s.generation FROM pool.rollup_state s)
        AND e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(s.snapshot)
                               FROM pool.rollup_state s))) AS is_tail
FROM pool.event e;

CREATE VIEW pool.event_tail AS
SELECT e.id, e.at, e.xid, e.lead_id, e.day, e.generation, e.tenant_id,
    e.pool_id, e.member_id, e.actor_id, e.rule_id, e.kind, e.reason,
    e.source, e.grade, e.detail
FROM pool.event_effect e
WHERE e.is_tail;

-- A lead that changes its pool counts in two: where it comes from it only
-- leaves (gains is ''), where it goes to it only arrives (loses is '').
CREATE VIEW pool.event_day_fact AS
SELECT e.generation, e.xid, e.is_tail, e.lead_id, e.event_id,
    e.pool_id, e.day, e.source,
    (e.kind = 'entered')::integer AS entered,
    (e.kind = 'claimed')::integer AS claimed,
    (e.kind = 'assigned' AND e.gains <> '')::integer AS assigned,
    (e.kind = 'transferred' AND e.gains <> '')::integer AS transferred,
    (e.kind = 'transferred' AND e.loses <> '')::integer AS given,
    (e.kind = 'followed_up' AND e.detail -> 'counted' IS NULL)::integer
        AS followed_up,
    (e.kind = 'followed_up'
        AND e.detail ->> 'first_seconds' IS NOT NULL)::integer
        AS first_responses,
    (e.kind = 'released' AND e.loses <> '')::integer AS released,
    (e.kind = 'reclaimed' AND e.loses <> '')::integer AS reclaimed,
    (e.kind = 'reclaimed' AND e.loses <> ''
        AND e.rule_id IS NOT NULL)::integer AS missed,
    (e.kind = 'converted')::integer AS converted,
    (e.kind = 'archived')::integer AS archived,
    (e.kind = 'reopened' AND e.gains <> '')::integer AS reopened,
    (e.kind = 'erased')::integer AS erased,
    (e.kind = 'moved' AND e.gains <> '')::integer AS moved_in,
    (e.kind = 'moved' AND e.loses <> '')::integer AS moved_out,
    (e.loses = 'owned')::integer AS ended,
    (e.gains = 'available')::integer - (e.loses = 'available')::integer
        AS d_available,
    (e.gains = 'review')::integer - (e.loses = 'review')::integer AS d_review,
    (e.gains = 'owned')::integer - (e.loses = 'owned')::integer AS d_owned,
    (e.gains = 'converted')::integer - (e.loses = 'converted')::integer
        AS d_converted,
    (e.gains = 'archived')::integer - (e.loses = 'archived')::integer
        AS d_archived,
    CASE WHEN e.kind = 'followed_up'
        THEN coalesce((e.detail ->> 'first_seconds')::bigint, 0)
        ELSE 0 END AS first_response_seconds_sum,
    CASE WHEN e.kind = 'converted'
        THEN coalesce((e.detail ->> 'seconds')::bigint, 0)
        ELSE 0 END AS seconds_to_convert_sum,
    CASE WHEN e.kind = 'converted'
        THEN coalesce((e.detail ->> 'amount')::numeric, 0)
        ELSE 0 END AS amount
FROM (
    SELECT f.generation, f.xid, f.is_tail, f.lead_id, f.id AS event_id,
        f.pool_id, f.day, coalesce(f.source, '') AS source, f.kind, f.rule_id,
        f.detail, coalesce(f.state_after, '') AS gains,
        CASE WHEN f.from_pool_id <> f.pool_id THEN ''
            ELSE coalesce(f.state_before, '') END AS loses
    FROM pool.event_effect f
    UNION ALL
    SELECT f.generation, f.xid, f.is_tail, f.lead_id, f.id,
        f.from_pool_id, f.from_day, coalesce(f.source, ''), f.kind, f.rule_id,
        f.detail, '', coalesce(f.state_before, '')
    FROM pool.event_effect f
    WHERE f.from_pool_id <> f.pool_id
) e;

-- A transfer counts for two members: the new owner, and him whose spell ends.
CREATE VIEW pool.event_member_fact AS
SELECT e.generation, e.xid, e.is_tail, e.lead_id, e.event_id,
    e.pool_id, e.member_id, e.day,
    (e.kind = 'claimed')::integer AS claimed,
    (e.kind = 'assigned')::integer AS assigned,
    (e.kind = 'transferred' AND NOT e.ends)::integer AS received,
    (e.kind = 'transferred' AND e.ends)::integer AS given,
    (e.kind = 'followed_up' AND e.detail -> 'counted' IS NULL)::integer
        AS followed_up,
    (e.kind = 'followed_up'
        AND e.detail ->> 'first_seconds' IS NOT NULL)::integer
        AS first_responses,
    (e.kind = 'reclaimed' AND e.rule_id IS NOT NULL)::integer AS missed,
    (e.kind = 'released')::integer AS released,
    (e.kind = 'reclaimed')::integer AS reclaimed,
    (e.kind = 'converted')::integer AS converted,
    (e.kind = 'archived')::integer AS archived,
    e.ends::integer AS ended,
    CASE WHEN e.kind = 'followed_up'
        THEN coalesce((e.detail ->> 'first_seconds')::bigint, 0)
        ELSE 0 END AS first_response_seconds_sum,
    CASE WHEN e.kind = 'converted'
        THEN coalesce((e.detail ->> 'amount')::numeric, 0)
        ELSE 0 END AS amount
FROM (
    SELECT f.generation, f.xid, f.is_tail, f.lead_id, f.id AS event_id,
        f.pool_id, f.member_id, f.day, f.kind, f.rule_id, f.detail,
        false AS ends
    FROM pool.event_effect f
    WHERE (f.kind IN ('claimed', 'assigned', 'transferred', 'followed_up')
            OR (f.kind = 'converted' AND f.state_before <> 'owned'))
        AND f.member_id IS NOT NULL
    UNION ALL
    SELECT f.generation, f.xid, f.is_tail, f.lead_id, f.id,
        coalesce(f.from_pool_id, f.pool_id), f.former_id, f.from_day, f.kind,
        f.rule_id, f.detail, true
    FROM pool.event_effect f
    WHERE f.state_before = 'owned' AND f.former_id IS NOT NULL
) e;

-- The tail, and folded sums with it: what statistics add up.
CREATE FUNCTION pool.tail_day(
    generation integer, folded pg_snapshot,
    upto_generation integer, upto pg_snapshot)
RETURNS SETOF pool.rollup_day
    AS 'MODULE_PATHNAME', 'pool_tail_day'
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 100;
COMMENT ON FUNCTION pool.tail_day(integer, pg_snapshot, integer, pg_snapshot) IS
'Events of the caller''s tenants that are not folded yet, added up as rollup_day has them. generation and folded say what is (those of rollup_state; NULL: nothing); with the others, not NULL, only what that snapshot sees, or older generations wrote. For views.';

CREATE FUNCTION pool.tail_member(
    generation integer, folded pg_snapshot,
    upto_generation integer, upto pg_snapshot)
RETURNS SETOF pool.rollup_member
    AS 'MODULE_PATHNAME', 'pool_tail_member'
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 100;
COMMENT ON FUNCTION pool.tail_member(integer, pg_snapshot, integer, pg_snapshot) IS
'Events of the caller''s tenants that are not folded yet, added up as rollup_member has them. Arguments as of tail_day. For views.';

CREATE VIEW pool.member_sum AS
SELECT pool_id, member_id, day,
    claimed, assigned, received, given, followed_up, first_responses,
    missed, released, reclaimed, converted, archived, ended,
    first_response_seconds_sum, amount
FROM pool.rollup_member
UNION ALL
SELECT pool_id, member_id, day,
    claimed, assigned, received, given, followed_up, first_responses,
    missed, released, reclaimed, converted, archived, ended,
    first_response_seconds_sum, amount
FROM pool.tail_member((SELECT s.generation FROM pool.rollup_state s),
    (SELECT s.snapshot FROM pool.rollup_state s), NULL, NULL);
