-- The bare minimum: the three row writes of a claim, member counter, lead and
-- event, of a lead known beforehand, on the table shapes of the extension with
-- all their indexes and constraints, in one PL/pgSQL function.

CREATE SCHEMA bare;

CREATE TABLE bare.membership_state
    (LIKE pool.membership_state INCLUDING ALL);
CREATE TABLE bare.lead_state (LIKE pool.lead_state INCLUDING ALL);
CREATE TABLE bare.event (LIKE pool.event INCLUDING ALL);

-- LIKE leaves the storage parameters out.
DO $$
DECLARE
    t   record;
BEGIN
    FOR t IN SELECT relname, array_to_string(reloptions, ', ') AS options
             FROM pg_class
             WHERE relnamespace = 'pool'::regnamespace AND reloptions <> '{}'
               AND relname IN ('membership_state', 'lead_state', 'event')
    LOOP
        EXECUTE format('ALTER TABLE bare.%I SET (%s)', t.relname, t.options);
    END LOOP;
END $$;

CREATE SEQUENCE bare.next_lead CACHE 50;
CREATE SEQUENCE bare.event_id_seq;

CREATE FUNCTION bare.claim(the_lead bigint, the_pool integer,
                           the_member integer)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bare.membership_state
    SET held = held + 1, claimed = claimed + 1, spells = spells + 1,
        last_claim_at = now()
    WHERE pool_id = the_pool AND member_id = the_member;
    UPDATE bare.lead_state
    SET status = 'owned', ticket = NULL, owner_id = the_member,
        owned_at = now(), chain_at = now(), claims = claims + 1
    WHERE id = the_lead;
    INSERT INTO bare.event (id, at, xid, lead_id, day, generation, tenant_id,
                            pool_id, member_id, actor_id, kind)
    VALUES (nextval('bare.event_id_seq'), now(), pg_current_xact_id(),
            the_lead, current_date, 1, 1, the_pool, the_member, the_member,
            'claimed');
    RETURN the_lead;
END $$;

-- The same for n leads of one member: statements over sets.
CREATE FUNCTION bare.claim_batch(the_pool integer, the_member integer,
                                 n integer)
RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    leads   bigint[] := ARRAY(SELECT nextval('bare.next_lead')
                              FROM generate_series(1, n));
BEGIN
    UPDATE bare.membership_state
    SET held = held + n, claimed = claimed + n, spells = spells + n,
        last_claim_at = now()
    WHERE pool_id = the_pool AND member_id = the_member;
    UPDATE bare.lead_state
    SET status = 'owned', ticket = NULL, owner_id = the_member,
        owned_at = now(), chain_at = now(), claims = claims + 1
    WHERE id = ANY (leads);
    INSERT INTO bare.event (id, at, xid, lead_id, day, generation, tenant_id,
                            pool_id, member_id, actor_id, kind)
    SELECT nextval('bare.event_id_seq'), now(), pg_current_xact_id(), lead,
           current_date, 1, 1, the_pool, the_member, the_member, 'claimed'
    FROM unnest(leads) lead;
    RETURN QUERY SELECT unnest(leads);
END $$;
