-- On top of load.sql: members with weights 1 to 5, two of four grades as their
-- skills, and a cap that stops the heaviest; the rival the same.
\set ON_ERROR_STOP on
UPDATE pool.membership SET weight = 1 + member_id % 5;
UPDATE pool.member SET profile = jsonb_build_object('grades',
    jsonb_build_array(chr(65 + id % 4), chr(65 + (id / 4 + id + 1) % 4)));
UPDATE pool.pool SET hold_limit = :cap WHERE id = :pool;
INSERT INTO pool.routing_rule (pool_id, name, member_condition, strategy)
VALUES (:pool, 'by weight', '$.grades[*] == $grade', 'weighted');

ALTER TABLE rival.member ADD COLUMN weight integer, ADD COLUMN grades text[],
    ADD COLUMN given integer NOT NULL DEFAULT 0;
UPDATE rival.member r
SET weight = s.weight, hold_limit = :cap, grades = ARRAY(
    SELECT jsonb_array_elements_text(m.profile->'grades'))
FROM pool.membership s JOIN pool.member m ON m.id = s.member_id
WHERE s.member_id = r.id;
ALTER TABLE rival.lead ADD COLUMN grade text;
UPDATE rival.lead r SET grade = d.grade FROM pool.lead_data d
WHERE d.id = r.id;

CREATE FUNCTION rival.assign_at_random(the_pool integer, n integer)
RETURNS bigint LANGUAGE sql AS $$
    WITH share AS (
        SELECT grade, array_agg(id ORDER BY id) AS members,
               array_agg(above ORDER BY id) AS above
        FROM (SELECT g.grade, m.id,
                     (sum(m.weight) OVER (PARTITION BY g.grade ORDER BY m.id)
                      - m.weight)::float
                     / sum(m.weight) OVER (PARTITION BY g.grade) AS above
              FROM rival.member m, unnest(m.grades) g (grade)
              WHERE m.pool_id = the_pool) s
        GROUP BY grade
    ), picked AS (
        SELECT id, grade, random() AS lot FROM rival.lead
        WHERE pool_id = the_pool AND owner_id IS NULL
        ORDER BY priority DESC, id LIMIT n FOR UPDATE SKIP LOCKED
    ), given AS (
        UPDATE rival.lead l
        SET owner_id = s.members[width_bucket(p.lot, s.above)],
            owned_at = now()
        FROM picked p JOIN share s USING (grade)
        WHERE l.id = p.id
        RETURNING l.id, l.owner_id
    ), logged AS (
        INSERT INTO rival.event (lead_id, member_id, kind)
        SELECT id, owner_id, 'assigned' FROM given
    ), counted AS (
        UPDATE rival.member m SET held = m.held + g.leads
        FROM (SELECT owner_id, count(*) AS leads FROM given GROUP BY 1) g
        WHERE m.pool_id = the_pool AND m.id = g.owner_id
    )
    SELECT count(*) FROM given
$$;

CREATE FUNCTION rival.assign_exactly(the_pool integer, n integer)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    l       record;
    chosen  integer;
    done    bigint := 0;
BEGIN
    FOR l IN SELECT id, grade FROM rival.lead
             WHERE pool_id = the_pool AND owner_id IS NULL
             ORDER BY priority DESC, id LIMIT n FOR UPDATE SKIP LOCKED
    LOOP
        SELECT id INTO chosen FROM rival.member
        WHERE pool_id = the_pool AND l.grade = ANY (grades)
          AND held < hold_limit
        ORDER BY (given + 1)::float / weight, id LIMIT 1 FOR UPDATE;
        CONTINUE WHEN NOT found;
        UPDATE rival.member SET held = held + 1, given = given + 1
        WHERE pool_id = the_pool AND id = chosen;
        UPDATE rival.lead SET owner_id = chosen, owned_at = now()
        WHERE id = l.id;
        INSERT INTO rival.event (lead_id, member_id, kind)
        VALUES (l.id, chosen, 'assigned');
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;
-- The random statement with all columns and indexes of the pool's own tables.
CREATE FUNCTION bare.assign_at_random(the_pool integer, n integer)
RETURNS bigint LANGUAGE sql AS $$
    WITH share AS (
        SELECT grade, array_agg(id ORDER BY id) AS members,
               array_agg(above ORDER BY id) AS above
        FROM (SELECT g.grade, m.id,
                     (sum(s.weight) OVER (PARTITION BY g.grade ORDER BY m.id)
                      - s.weight)::float
                     / sum(s.weight) OVER (PARTITION BY g.grade) AS above
              FROM pool.membership s JOIN pool.member m ON m.id = s.member_id,
                   jsonb_array_elements_text(m.profile->'grades') g (grade)
              WHERE s.pool_id = the_pool) x
        GROUP BY grade
    ), picked AS (
        SELECT id, random() AS lot FROM bare.lead_state
        WHERE pool_id = the_pool AND ticket IS NOT NULL
        ORDER BY ticket LIMIT n FOR UPDATE SKIP LOCKED
    ), given AS (
        UPDATE bare.lead_state l
        SET status = 'owned', ticket = NULL, owned_at = now(),
            owner_id = s.members[width_bucket(p.lot, s.above)],
            chain_at = now()
        FROM picked p JOIN pool.lead_data d USING (id)
        JOIN share s USING (grade)
        WHERE l.id = p.id
        RETURNING l.id, l.pool_id, l.tenant_id, l.owner_id
    ), logged AS (
        INSERT INTO bare.event (id, at, xid, lead_id, day, generation,
            tenant_id, pool_id, member_id, kind)
        SELECT nextval('bare.event_id_seq'), now(), pg_current_xact_id(), id,
               current_date, 1, tenant_id, pool_id, owner_id, 'assigned'
        FROM given
    ), counted AS (
        UPDATE bare.membership_state m
        SET held = m.held + g.leads, spells = m.spells + g.leads
        FROM (SELECT owner_id, count(*) AS leads FROM given GROUP BY 1) g
        WHERE m.pool_id = the_pool AND m.member_id = g.owner_id
    )
    SELECT count(*) FROM given
$$;
VACUUM (ANALYZE, FREEZE);
