-- On top of load.sql: four fifths of the leads owned, a tenth of all of them
-- for so long that a timer takes them back; the rival the same.
\set ON_ERROR_STOP on
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
VALUES (:pool, 'a day', 'ownership', '1 day');
SELECT count(*) AS tasks FROM pool.tick() \gset

CREATE PROCEDURE pg_temp.own(n integer) LANGUAGE plpgsql AS $$
DECLARE
    members integer := (SELECT count(*) FROM pool.member);
    each    integer := n / members;
BEGIN
    FOR i IN 1..members LOOP
        PERFORM count(*) FROM pool.claim('bench pool', 'm' || i, each);
        COMMIT;
    END LOOP;
END $$;
CALL pg_temp.own(:leads / 10);
-- when those are due
CREATE TABLE bench.due AS
SELECT max(owned_at) + interval '1 day 1 second' AS at FROM pool.lead_state;
SELECT set_config('pool_ext.clock', (now() + interval '12 hours')::text, false)
    AS later \gset
CALL pg_temp.own(:leads / 10 * 7);
RESET pool_ext.clock;
-- so that nothing but the reclaims is left for the ticks that are measured
SELECT count(*) AS tasks FROM pool.tick() \gset
SELECT count(*) AS tasks FROM pool.tick() \gset

ALTER TABLE rival.lead ADD COLUMN due_at timestamptz;
UPDATE rival.lead r
SET owner_id = s.owner_id, owned_at = s.owned_at,
    due_at = s.owned_at + interval '1 day'
FROM pool.lead_state s WHERE s.id = r.id AND s.owner_id IS NOT NULL;
CREATE INDEX lead_due_idx ON rival.lead (due_at) WHERE due_at IS NOT NULL;
UPDATE rival.member m SET held = s.held
FROM pool.membership_state s
WHERE (s.pool_id, s.member_id) = (m.pool_id, m.id);

-- What is due goes back, in one statement.
CREATE FUNCTION rival.reclaim(the_time timestamptz) RETURNS bigint LANGUAGE sql AS $$
    WITH due AS (
        SELECT id, owner_id FROM rival.lead WHERE due_at <= the_time FOR UPDATE
    ), back AS (
        UPDATE rival.lead l
        SET owner_id = NULL, owned_at = NULL, due_at = NULL
        FROM due WHERE l.id = due.id
        RETURNING l.id, l.pool_id, due.owner_id
    ), logged AS (
        INSERT INTO rival.event (lead_id, member_id, kind)
        SELECT id, owner_id, 'reclaimed' FROM back
    ), counted AS (
        UPDATE rival.member m SET held = m.held - b.leads
        FROM (SELECT pool_id, owner_id, count(*) AS leads
              FROM back GROUP BY 1, 2) b
        WHERE (m.pool_id, m.id) = (b.pool_id, b.owner_id)
    )
    SELECT count(*) FROM back
$$;

-- The same with all columns and indexes of the pool's own tables.
TRUNCATE bare.lead_state, bare.membership_state, bare.event;
INSERT INTO bare.lead_state SELECT * FROM pool.lead_state ORDER BY ticket, id;
INSERT INTO bare.membership_state SELECT * FROM pool.membership_state;
INSERT INTO bare.event SELECT * FROM pool.event ORDER BY id;
SELECT setval('bare.event_id_seq', max(id)) AS events FROM bare.event \gset
CREATE SEQUENCE bare.ticket_seq START 1000000000;
CREATE FUNCTION bare.reclaim(the_time timestamptz) RETURNS bigint
LANGUAGE sql AS $$
    WITH due AS (
        SELECT id, owner_id FROM bare.lead_state WHERE check_at <= the_time
        FOR UPDATE
    ), back AS (
        UPDATE bare.lead_state l
        SET status = 'available', last_owner_id = l.owner_id, owner_id = NULL,
            owned_at = NULL, chain_at = NULL, check_at = NULL,
            entered_at = the_time, follow_ups = 0,
            ticket = ((100 - l.priority)::bigint << 48)
                     + nextval('bare.ticket_seq')
        FROM due WHERE l.id = due.id
        RETURNING l.id, l.pool_id, l.tenant_id, due.owner_id
    ), logged AS (
        INSERT INTO bare.event (id, at, xid, lead_id, day, generation,
            tenant_id, pool_id, member_id, kind)
        SELECT nextval('bare.event_id_seq'), the_time, pg_current_xact_id(), id,
               current_date, 1, tenant_id, pool_id, owner_id, 'reclaimed'
        FROM back
    ), counted AS (
        UPDATE bare.membership_state m SET held = m.held - b.leads
        FROM (SELECT pool_id, owner_id, count(*) AS leads
              FROM back GROUP BY 1, 2) b
        WHERE (m.pool_id, m.member_id) = (b.pool_id, b.owner_id)
    )
    SELECT count(*) FROM back
$$;
VACUUM (ANALYZE, FREEZE);
