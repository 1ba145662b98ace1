-- Choosing an owner among those who may receive a lead.

-- Ties among those who were never served go by a lot that never changes.
CREATE FUNCTION model.lot(rule integer, the_member integer) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT (a # ((b + 2654435769 + (a << 6) + (a >> 2)) & 4294967295))
    FROM (SELECT hashint4(rule)::bigint & 4294967295,
                 hashint4(the_member)::bigint & 4294967295) h (a, b)
$$;

CREATE TYPE model.contender AS (
    member_id   integer,
    weight      float8,
    score       float8,
    held        integer,
    credit      float8,
    last_no     bigint,
    lot         bigint,
    owed        float8                  -- to a newcomer, at once
);

-- Of contenders with a cost, the cheapest; the least recently served of equals.
CREATE FUNCTION model.cheapest(contenders model.contender[], cost float8[])
RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    best    integer;
    a       model.contender;
    b       model.contender;
BEGIN
    FOR i IN 1..cardinality(contenders) LOOP
        CONTINUE WHEN cost[i] IS NULL;
        a := contenders[i];
        b := contenders[best];
        IF best IS NULL OR cost[i] < cost[best] - 1e-9
            OR cost[i] <= cost[best] + 1e-9
               AND (a.last_no, a.lot) < (b.last_no, b.lot) THEN
            best := i;
        END IF;
    END LOOP;
    RETURN best;
END $$;

-- The index of who is chosen.  Where members take turns, each has been credited
-- with his share of the lead, and a credit that would come to a whole lead
-- first is served first; whoever is served is debited with it.  Before all that
-- newcomers get what they are owed.
CREATE FUNCTION model.choose(the_strategy text,
                             INOUT contenders model.contender[],
                             OUT chosen integer)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n       integer := cardinality(contenders);
    claim   float8[];
    total   float8 := 0;
    margin  float8 := CASE WHEN n > 1 THEN 1.0::float8 / (2 * (n - 1))
                           ELSE 0 END;
BEGIN
    IF EXISTS (SELECT FROM unnest(contenders) WHERE owed > 1e-9) THEN
        chosen := model.cheapest(contenders, ARRAY(
            SELECT CASE WHEN owed > 1e-9 THEN -owed END
            FROM unnest(contenders)));
        RETURN;
    END IF;
    IF the_strategy IN ('least_loaded', 'performance') THEN
        chosen := model.cheapest(contenders, ARRAY(
            SELECT CASE the_strategy WHEN 'performance' THEN -score
                                     ELSE held / weight END
            FROM unnest(contenders)));
        RETURN;
    END IF;
    claim := ARRAY(SELECT CASE the_strategy WHEN 'round_robin' THEN 1
                                            WHEN 'best_match' THEN weight * score
                                            ELSE weight END
                   FROM unnest(contenders));
    FOR i IN 1..n LOOP
        total := total + claim[i];
    END LOOP;
    FOR i IN 1..n LOOP
        contenders[i].credit := contenders[i].credit + claim[i] / total;
    END LOOP;
    chosen := coalesce(
        model.cheapest(contenders, ARRAY(
            SELECT CASE WHEN (contenders[i]).credit >= margin - 1e-9
                THEN (1 - margin - (contenders[i]).credit) * total / claim[i]
                END
            FROM generate_series(1, n) i)),
        model.cheapest(contenders, ARRAY(
            SELECT -credit FROM unnest(contenders))));
    contenders[chosen].credit := contenders[chosen].credit - 1;
END $$;
