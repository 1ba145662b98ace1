-- The rival: the leanest PL/pgSQL that hands out leads under two quotas.
-- Lean tables of its own, no foreign keys, only the indexes it needs; the
-- answer is the lead's id.  Everything it leaves out makes it faster.

CREATE SCHEMA rival;

CREATE TABLE rival.member (
    pool_id     integer,
    id          integer,
    hold_limit  integer NOT NULL,
    claim_limit integer NOT NULL,       -- per day
    held        integer NOT NULL DEFAULT 0,
    claimed     integer NOT NULL DEFAULT 0,
    day         date NOT NULL DEFAULT current_date,
    PRIMARY KEY (pool_id, id)
) WITH (fillfactor = 50);

CREATE TABLE rival.lead (
    id          bigint PRIMARY KEY,
    pool_id     integer NOT NULL,
    priority    integer NOT NULL DEFAULT 0,
    owner_id    integer,
    owned_at    timestamptz
) WITH (fillfactor = 85);
CREATE INDEX lead_queue_idx ON rival.lead (pool_id, priority DESC, id)
    WHERE owner_id IS NULL;

CREATE TABLE rival.event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    lead_id     bigint NOT NULL,
    member_id   integer NOT NULL,
    kind        text NOT NULL
);

-- The usual order: lock the member and test his quotas, then take the lead.
CREATE FUNCTION rival.claim_usual(the_pool integer, the_member integer)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    m       rival.member;
    picked  bigint;
BEGIN
    SELECT * INTO m FROM rival.member
    WHERE pool_id = the_pool AND id = the_member FOR UPDATE;
    IF m.day < current_date THEN
        m.claimed := 0;
    END IF;
    IF m.held >= m.hold_limit OR m.claimed >= m.claim_limit THEN
        RETURN NULL;
    END IF;

    UPDATE rival.lead SET owner_id = the_member, owned_at = now()
    WHERE id = (SELECT id FROM rival.lead
                WHERE pool_id = the_pool AND owner_id IS NULL
                ORDER BY priority DESC, id
                LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id INTO picked;
    IF picked IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE rival.member
    SET held = held + 1, claimed = m.claimed + 1, day = current_date
    WHERE pool_id = the_pool AND id = the_member;
    INSERT INTO rival.event (lead_id, member_id, kind)
    VALUES (picked, the_member, 'claimed');
    RETURN picked;
END $$;

-- The best order: the member's row last, so that its lock is held shortest;
-- a full quota undoes the rest.
CREATE FUNCTION rival.claim_best(the_pool integer, the_member integer)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    picked  bigint;
BEGIN
    UPDATE rival.lead SET owner_id = the_member, owned_at = now()
    WHERE id = (SELECT id FROM rival.lead
                WHERE pool_id = the_pool AND owner_id IS NULL
                ORDER BY priority DESC, id
                LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id INTO picked;
    IF picked IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO rival.event (lead_id, member_id, kind)
    VALUES (picked, the_member, 'claimed');

    UPDATE rival.member
    SET held = held + 1, day = current_date,
        claimed = CASE WHEN day < current_date THEN 1 ELSE claimed + 1 END
    WHERE pool_id = the_pool AND id = the_member AND held < hold_limit
      AND (day < current_date OR claimed < claim_limit);
    IF NOT found THEN
        RAISE 'quota of member % is full', the_member;
    END IF;
    RETURN picked;
END $$;

-- The same, many at a time.
CREATE FUNCTION rival.claim_batch(the_pool integer, the_member integer,
                                  n integer)
RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    m       rival.member;
    picked  bigint[];
BEGIN
    SELECT * INTO m FROM rival.member
    WHERE pool_id = the_pool AND id = the_member FOR UPDATE;
    IF m.day < current_date THEN
        m.claimed := 0;
    END IF;
    n := least(n, m.hold_limit - m.held, m.claim_limit - m.claimed);

    WITH taken AS (
        UPDATE rival.lead SET owner_id = the_member, owned_at = now()
        WHERE id IN (SELECT id FROM rival.lead
                     WHERE pool_id = the_pool AND owner_id IS NULL
                     ORDER BY priority DESC, id
                     LIMIT n FOR UPDATE SKIP LOCKED)
        RETURNING id
    ), logged AS (
        INSERT INTO rival.event (lead_id, member_id, kind)
        SELECT id, the_member, 'claimed' FROM taken
    )
    SELECT array_agg(id) INTO picked FROM taken;

    UPDATE rival.member
    SET held = held + coalesce(cardinality(picked), 0),
        claimed = m.claimed + coalesce(cardinality(picked), 0),
        day = current_date
    WHERE pool_id = the_pool AND id = the_member;
    RETURN QUERY SELECT unnest(picked);
END $$;

-- A lead seen in a list and asked for by its id.
CREATE FUNCTION rival.claim_lead(the_lead bigint, the_pool integer,
                                 the_member integer)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    m   rival.member;
BEGIN
    SELECT * INTO m FROM rival.member
    WHERE pool_id = the_pool AND id = the_member FOR UPDATE;
    IF m.day < current_date THEN
        m.claimed := 0;
    END IF;
    IF m.held >= m.hold_limit OR m.claimed >= m.claim_limit THEN
        RETURN false;
    END IF;

    UPDATE rival.lead SET owner_id = the_member, owned_at = now()
    WHERE id = the_lead AND pool_id = the_pool AND owner_id IS NULL;
    IF NOT found THEN
        RETURN false;
    END IF;

    UPDATE rival.member
    SET held = held + 1, claimed = m.claimed + 1, day = current_date
    WHERE pool_id = the_pool AND id = the_member;
    INSERT INTO rival.event (lead_id, member_id, kind)
    VALUES (the_lead, the_member, 'claimed');
    RETURN true;
END $$;

-- Only the row writes, of a lead known beforehand: the limit of these tables.
CREATE SEQUENCE rival.next_lead INCREMENT -1 MAXVALUE 9000000000000000 CACHE 50;
CREATE FUNCTION rival.write(the_lead bigint, the_pool integer,
                            the_member integer)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rival.member SET held = held + 1, claimed = claimed + 1
    WHERE pool_id = the_pool AND id = the_member;
    UPDATE rival.lead SET owner_id = the_member, owned_at = now()
    WHERE id = the_lead;
    INSERT INTO rival.event (lead_id, member_id, kind)
    VALUES (the_lead, the_member, 'claimed');
    RETURN the_lead;
END $$;

-- The traces of so many claims of the usual order, left behind at once: what
-- would take hours one by one under a snapshot held open.
CREATE PROCEDURE rival.age(the_pool integer, members integer, claims integer)
LANGUAGE plpgsql AS $$
DECLARE
    picked      bigint;
    the_member  integer := 0;
BEGIN
    FOR picked IN
        SELECT id FROM rival.lead
        WHERE pool_id = the_pool AND owner_id IS NULL
        ORDER BY priority DESC, id LIMIT claims
    LOOP
        the_member := the_member % members + 1;
        UPDATE rival.lead SET owner_id = the_member, owned_at = now()
        WHERE id = picked;
        UPDATE rival.member SET held = held + 1, claimed = claimed + 1
        WHERE pool_id = the_pool AND id = the_member;
        INSERT INTO rival.event (lead_id, member_id, kind)
        VALUES (picked, the_member, 'claimed');
    END LOOP;
END $$;
