-- Sums of roll-ups, which the fold keeps beside these: since the beginning, and
-- of all sources of a day with the stock at its end.  So no statistic adds up
-- more days than it shows.

CREATE TABLE pool.rollup_source (
    pool_id         integer NOT NULL,
    source          text NOT NULL,
    entered         bigint NOT NULL,
    claimed         bigint NOT NULL,
    assigned        bigint NOT NULL,
    transferred     bigint NOT NULL,
    given           bigint NOT NULL,
    followed_up     bigint NOT NULL,
    first_responses bigint NOT NULL,
    released        bigint NOT NULL,
    reclaimed       bigint NOT NULL,
    missed          bigint NOT NULL,
    converted       bigint NOT NULL,
    archived        bigint NOT NULL,
    reopened        bigint NOT NULL,
    erased          bigint NOT NULL,
    moved_in        bigint NOT NULL,
    moved_out       bigint NOT NULL,
    ended           bigint NOT NULL,
    d_available     bigint NOT NULL,
    d_review        bigint NOT NULL,
    d_owned         bigint NOT NULL,
    d_converted     bigint NOT NULL,
    d_archived      bigint NOT NULL,
    first_response_seconds_sum bigint NOT NULL,
    seconds_to_convert_sum bigint NOT NULL,
    amount          numeric NOT NULL,
    CONSTRAINT rollup_source_pkey PRIMARY KEY (pool_id, source)
) WITH (fillfactor = 80);

CREATE TABLE pool.rollup_membership (
    pool_id         integer NOT NULL,
    member_id       integer NOT NULL,
    claimed         bigint NOT NULL,
    assigned        bigint NOT NULL,
    received        bigint NOT NULL,
    given           bigint NOT NULL,
    followed_up     bigint NOT NULL,
    first_responses bigint NOT NULL,
    missed          bigint NOT NULL,
    released        bigint NOT NULL,
    reclaimed       bigint NOT NULL,
    converted       bigint NOT NULL,
    archived        bigint NOT NULL,
    ended           bigint NOT NULL,
    first_response_seconds_sum bigint NOT NULL,
    amount          numeric NOT NULL,
    CONSTRAINT rollup_membership_pkey PRIMARY KEY (pool_id, member_id)
) WITH (fillfactor = 80);

CREATE TABLE pool.rollup_pool (
    pool_id         integer NOT NULL,
    day             date NOT NULL,
    entered         integer NOT NULL,
    claimed         integer NOT NULL,
    assigned        integer NOT NULL,
    transferred     integer NOT NULL,
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
    first_response_seconds_sum bigint NOT NULL,
    amount          numeric NOT NULL,
    available_at_end bigint NOT NULL,
    owned_at_end    bigint NOT NULL,
    CONSTRAINT rollup_pool_pkey PRIMARY KEY (pool_id, day)
) WITH (fillfactor = 80);

CREATE VIEW pool.source_sum AS
SELECT pool_id, source,
    entered, claimed, assigned, transferred, given, followed_up,
    first_responses, released, reclaimed, missed, converted, archived,
    reopened, erased, moved_in, moved_out, ended, d_available, d_review,
    d_owned, d_converted, d_archived, first_response_seconds_sum,
    seconds_to_convert_sum, amount
FROM pool.rollup_source
UNION ALL
SELECT pool_id, source,
    entered, claimed, assigned, transferred, given, followed_up,
    first_responses, released, reclaimed, missed, converted, archived,
    reopened, erased, moved_in, moved_out, ended, d_available, d_review,
    d_owned, d_converted, d_archived, first_response_seconds_sum,
    seconds_to_convert_sum, amount
FROM pool.tail_day((SELECT s.generation FROM pool.rollup_state s),
    (SELECT s.snapshot FROM pool.rollup_state s), NULL, NULL);

CREATE VIEW pool.membership_sum AS
SELECT pool_id, member_id,
    claimed, assigned, received, given, followed_up, first_responses, missed,
    released, reclaimed, converted, archived, ended,
    first_response_seconds_sum, amount
FROM pool.rollup_membership
UNION ALL
SELECT pool_id, member_id,
    claimed, assigned, received, given, followed_up, first_responses, missed,
    released, reclaimed, converted, archived, ended,
    first_response_seconds_sum, amount
FROM pool.tail_member((SELECT s.generation FROM pool.rollup_state s),
    (SELECT s.snapshot FROM pool.rollup_state s), NULL, NULL);

-- What these tables must be: to check and to mend them.
CREATE VIEW pool.rollup_source_recount AS
SELECT pool_id, source,
    sum(entered)::bigint AS entered,
    sum(claimed)::bigint AS claimed,
    sum(assigned)::bigint AS assigned,
    sum(transferred)::bigint AS transferred,
    sum(given)::bigint AS given,
    sum(followed_up)::bigint AS followed_up,
    sum(first_responses)::bigint AS first_responses,
    sum(released)::bigint AS released,
    sum(reclaimed)::bigint AS reclaimed,
    sum(missed)::bigint AS missed,
    sum(converted)::bigint AS converted,
    sum(archived)::bigint AS archived,
    sum(reopened)::bigint AS reopened,
    sum(erased)::bigint AS erased,
    sum(moved_in)::bigint AS moved_in,
    sum(moved_out)::bigint AS moved_out,
    sum(ended)::bigint AS ended,
    sum(d_available)::bigint AS d_available,
    sum(d_review)::bigint AS d_review,
    sum(d_owned)::bigint AS d_owned,
    sum(d_converted)::bigint AS d_converted,
    sum(d_archived)::bigint AS d_archived,
    sum(first_response_seconds_sum)::bigint AS first_response_seconds_sum,
    sum(seconds_to_convert_sum)::bigint AS seconds_to_convert_sum,
    sum(amount) AS amount
FROM pool.rollup_day
GROUP BY pool_id, source;

CREATE VIEW pool.rollup_membership_recount AS
SELECT pool_id, member_id,
    sum(claimed)::bigint AS claimed,
    sum(assigned)::bigint AS assigned,
    sum(received)::bigint AS received,
    sum(given)::bigint AS given,
    sum(followed_up)::bigint AS followed_up,
    sum(first_responses)::bigint AS first_responses,
    sum(missed)::bigint AS missed,
    sum(released)::bigint AS released,
    sum(reclaimed)::bigint AS reclaimed,
    sum(converted)::bigint AS converted,
    sum(archived)::bigint AS archived,
    sum(ended)::bigint AS ended,
    sum(first_response_seconds_sum)::bigint AS first_response_seconds_sum,
    sum(amount) AS amount
FROM pool.rollup_member
GROUP BY pool_id, member_id;

CREATE VIEW pool.rollup_pool_recount AS
SELECT pool_id, day,
    sum(entered)::integer AS entered,
    sum(claimed)::integer AS claimed,
    sum(assigned)::integer AS assigned,
    sum(transferred)::integer AS transferred,
    sum(followed_up)::integer AS followed_up,
    sum(first_responses)::integer AS first_responses,
    sum(released)::integer AS released,
    sum(reclaimed)::integer AS reclaimed,
    sum(missed)::integer AS missed,
    sum(converted)::integer AS converted,
    sum(archived)::integer AS archived,
    sum(reopened)::integer AS reopened,
    sum(erased)::integer AS erased,
    sum(moved_in)::integer AS moved_in,
    sum(moved_out)::integer AS moved_out,
    sum(ended)::integer AS ended,
    sum(first_response_seconds_sum)::bigint AS first_response_seconds_sum,
    sum(amount) AS amount,
    (sum(sum(d_available)) OVER w)::bigint AS available_at_end,
    (sum(sum(d_owned)) OVER w)::bigint AS owned_at_end
FROM pool.rollup_day
GROUP BY pool_id, day
WINDOW w AS (PARTITION BY pool_id ORDER BY day);
