-- Replays a help desk's audit log with its own times: a case is a lead, a team
-- a pool, ? -> X a claim, X -> ? a release, X -> Y a transfer.  A change of
-- team takes effect with the next change of owner, or at once while nobody
-- owns the case.  Other changes of state are the owner's follow-ups.  After
-- its last row a case is converted, or archived if nobody owned it then.
-- Wants the variables every (one case in so many), and from the published
-- figures cases, created_owned, claims, releases, transfers or NULL.
SET timezone = 'UTC';

CREATE TABLE demo.step AS
SELECT line, number, incident_state AS state, assignment_group AS team,
    assigned_to AS who, contact_type AS source,
    CASE left(priority, 1) WHEN '1' THEN 90 WHEN '2' THEN 60
        WHEN '3' THEN 30 ELSE 0 END AS priority,
    jsonb_strip_nulls(jsonb_build_object('caller', caller_id,
        'location', location, 'category', category)) AS attributes,
    max(to_timestamp(sys_updated_at, 'DD/MM/YYYY HH24:MI')) OVER w AS at,
    lag(assigned_to) OVER w AS who_before,
    lag(incident_state) OVER w AS state_before,
    row_number() OVER w = 1 AS is_first,
    lead(number) OVER w IS NULL AS is_last
FROM demo.incident_event
WHERE substring(number, 4)::integer % :every = 0
WINDOW w AS (PARTITION BY number ORDER BY line);
ALTER TABLE demo.step ADD PRIMARY KEY (line);

-- Anybody may work in any team; there are no limits.
INSERT INTO pool.tenant (name, timezone) VALUES ('incidents', 'UTC');
INSERT INTO pool.pool (tenant_id, name, everyone)
SELECT t.id, s.name, true
FROM pool.tenant t,
    (SELECT DISTINCT coalesce(team, 'no team') FROM demo.step) s(name)
WHERE t.name = 'incidents'
ORDER BY s.name;
INSERT INTO pool.member (tenant_id, key)
SELECT t.id, s.key
FROM pool.tenant t,
    (SELECT DISTINCT who FROM demo.step WHERE who IS NOT NULL) s(key)
WHERE t.name = 'incidents'
ORDER BY s.key;

CREATE FUNCTION demo.must_say(line bigint, answer text, expected text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF answer IS DISTINCT FROM expected THEN
        RAISE EXCEPTION 'line %: % instead of %', line, answer, expected;
    END IF;
END $$;

DO $replay$
DECLARE
    step        demo.step;
    lead        bigint;
    home        text;
    team        text;
    to_pool     text;
    who         text;
    former      text;
    expected    text;
    answer      text;
    done        bigint := 0;
BEGIN
    FOR step IN SELECT * FROM demo.step ORDER BY line LOOP
        PERFORM set_config('pool_ext.clock', step.at::text, false);
        team := 'incidents/' ||
            coalesce(step.team, CASE WHEN step.is_first THEN 'no team' END);
        to_pool := CASE WHEN NOT step.is_first AND team <> home THEN team END;
        who := 'incidents/' || step.who;
        former := 'incidents/' || step.who_before;

        -- A claim takes no pool, so the case has to be there already.
        IF to_pool IS NOT NULL AND former IS NULL THEN
            SELECT m.outcome INTO answer
            FROM pool.move(ARRAY[lead], to_pool) m;
            PERFORM demo.must_say(step.line, answer, 'moved');
            home := to_pool;
            to_pool := NULL;
        END IF;

        expected := NULL;
        IF step.is_first THEN
            expected := CASE WHEN who IS NULL THEN 'entered'
                ELSE 'assigned' END;
            SELECT e.outcome, e.lead_id INTO answer, lead
            FROM pool.enter(team, step.number,
                source => step.source, priority => step.priority,
                attributes => step.attributes, owner => who) e;
            home := team;
        ELSIF former IS NULL AND who IS NOT NULL THEN
            expected := 'claimed';
            SELECT c.outcome INTO answer
            FROM pool.claim_leads(ARRAY[lead], who) c;
        ELSIF former IS NOT NULL AND who IS NULL THEN
            expected := 'released';
            SELECT r.outcome INTO answer
            FROM pool.release(ARRAY[lead], to_pool => to_pool,
                member => former) r;
        ELSIF former <> who THEN
            expected := 'transferred';
            SELECT t.outcome INTO answer
            FROM pool.transfer(ARRAY[lead], who, to_pool => to_pool) t;
        ELSIF who IS NOT NULL AND step.state_before <> step.state THEN
            expected := 'ok';
            SELECT f.outcome INTO answer
            FROM pool.follow_up(lead, 'state', stage => step.state,
                member => who) f;
        END IF;
        IF expected IS NOT NULL THEN
            PERFORM demo.must_say(step.line, answer, expected);
        END IF;
        IF expected IN ('released', 'transferred') THEN
            home := coalesce(to_pool, home);
        END IF;

        IF step.is_last AND who IS NOT NULL THEN
            SELECT c.outcome INTO answer
            FROM pool.convert(lead, member => who) c;
            PERFORM demo.must_say(step.line, answer, 'converted');
        ELSIF step.is_last THEN
            SELECT a.outcome INTO answer
            FROM pool.archive(ARRAY[lead], 'closed unowned') a;
            PERFORM demo.must_say(step.line, answer, 'archived');
        END IF;

        done := done + 1;
        IF done % 1000 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
    PERFORM set_config('pool_ext.clock', '', false);
END $replay$;

INSERT INTO demo.result (step, figure, expected, found)
SELECT 'incidents', f.figure, coalesce(f.published, f.counted), f.found
FROM (
    SELECT count(*) FILTER (WHERE is_first) AS cases,
        count(*) FILTER (WHERE is_first AND who IS NOT NULL) AS created_owned,
        count(*) FILTER (WHERE NOT is_first AND who_before IS NULL
            AND who IS NOT NULL) AS claims,
        count(*) FILTER (WHERE who_before IS NOT NULL AND who IS NULL)
            AS releases,
        count(*) FILTER (WHERE who_before <> who) AS transfers
    FROM demo.step
) c, (
    SELECT sum(d.entered) AS entered, sum(d.assigned) AS assigned,
        sum(d.claimed) AS claimed, sum(d.released) AS released,
        sum(d.transferred) AS transferred
    FROM pool.stat_daily d
    JOIN pool.tenant t ON t.id = d.tenant_id AND t.name = 'incidents'
) v, LATERAL (VALUES
    ('cases entered', c.cases, :cases::bigint, v.entered),
    ('owned at creation', c.created_owned, :created_owned, v.assigned),
    ('claims', c.claims, :claims, v.claimed),
    ('releases', c.releases, :releases, v.released),
    ('transfers', c.transfers, :transfers, v.transferred)
) f(figure, counted, published, found);
