-- On top of a small load.sql: members with weights, a routing rule, the rival's
-- way of entering, copies of all tables that entry writes, and :n new leads in
-- a file.
\set ON_ERROR_STOP on
UPDATE pool.membership SET weight = 1 + member_id % 5;
INSERT INTO pool.routing_rule (pool_id, name, strategy)
SELECT id, 'by weight', 'weighted' FROM pool.pool;

CREATE TABLE rival.new AS
SELECT 'bench pool'::text AS pool, 'new' || i AS key, 'customer ' || i AS name,
       's' || i % 7 AS source, jsonb_build_object('city', i % 100) AS attributes,
       jsonb_build_object('phone', (13800000000 + i)::text) AS identities
FROM generate_series(1, :n) i;
COPY rival.new TO :'file';

CREATE TABLE bare.lead_data (LIKE pool.lead_data INCLUDING ALL);
CREATE TABLE bare.identity (LIKE pool.identity INCLUDING ALL);
TRUNCATE bare.lead_state, bare.event;

ALTER TABLE rival.member ADD COLUMN weight integer,
    ADD COLUMN given integer NOT NULL DEFAULT 0;
UPDATE rival.member r SET weight = s.weight
FROM pool.membership s WHERE s.member_id = r.id;
ALTER TABLE rival.lead ADD COLUMN key text UNIQUE, ADD COLUMN name text,
    ADD COLUMN source text, ADD COLUMN attributes jsonb;
CREATE INDEX ON rival.lead USING gin (attributes jsonb_path_ops);
CREATE TABLE rival.identity (phone text PRIMARY KEY, lead_id bigint NOT NULL);
CREATE SEQUENCE rival.lead_id START 100000000;

CREATE FUNCTION rival.enter_all(n integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    r       rival.new;
    the_id  bigint;
    chosen  rival.member;
    done    bigint := 0;
BEGIN
    FOR r IN SELECT * FROM rival.new LIMIT n LOOP
        CONTINUE WHEN EXISTS (SELECT FROM rival.lead WHERE key = r.key);
        CONTINUE WHEN EXISTS (SELECT FROM rival.identity
                              WHERE phone = r.identities->>'phone');
        SELECT * INTO chosen FROM rival.member WHERE held < hold_limit
        ORDER BY (given + 1)::float / weight, id LIMIT 1 FOR UPDATE;
        the_id := nextval('rival.lead_id');
        INSERT INTO rival.lead (id, pool_id, key, name, source, attributes,
                                owner_id, owned_at)
        VALUES (the_id, chosen.pool_id, r.key, r.name, r.source, r.attributes,
                chosen.id, now());
        INSERT INTO rival.identity VALUES (r.identities->>'phone', the_id);
        UPDATE rival.member SET held = held + 1, given = given + 1
        WHERE (pool_id, id) = (chosen.pool_id, chosen.id);
        INSERT INTO rival.event (lead_id, member_id, kind)
        VALUES (the_id, chosen.id, 'entered'), (the_id, chosen.id, 'assigned');
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;
VACUUM (ANALYZE, FREEZE);
