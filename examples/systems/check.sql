-- What every file here begins with: the extension, a clock that stands still
-- until it is told the time, and a way to say what must come out.  The files
-- run in an empty database:
--
--   createdb try
--   psql -d try -f examples/systems/zoho.sql
--
-- Each prints what it has shown, and stops with an error where something that
-- is promised does not happen.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pool_ext;
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO, YMD';
CREATE SCHEMA example;

-- Runs a query and compares its rows: columns are separated by commas, rows by
-- semicolons.
CREATE FUNCTION example.expect(promise text, query text, expected text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line record;
    seen text;
BEGIN
    FOR line IN EXECUTE query LOOP
        seen := concat_ws('; ', seen, translate(line::text, '()"', ''));
    END LOOP;
    IF coalesce(seen, '') <> expected THEN
        RAISE 'not as promised: %', promise
            USING DETAIL = format('Expected: %s. Seen: %s.', expected, seen);
    END IF;
    RETURN 'ok  ' || promise;
END $$;

-- Lets time pass up to a moment, with a tick at every step of the way, as the
-- worker does every few seconds.
CREATE PROCEDURE example.until(moment timestamptz,
    step interval DEFAULT '1 hour')
LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := current_setting('pool_ext.clock');
BEGIN
    WHILE now < moment LOOP
        now := least(now + step, moment);
        PERFORM set_config('pool_ext.clock', now::text, false);
        PERFORM count(*) FROM pool.tick();
        COMMIT;
    END LOOP;
END $$;

-- Ids of leads by their keys.
CREATE FUNCTION example.ids(VARIADIC keys text[]) RETURNS bigint[]
LANGUAGE sql AS $$
    SELECT array_agg(l.id ORDER BY k.n)
    FROM unnest(keys) WITH ORDINALITY k (key, n)
    LEFT JOIN pool.lead l USING (key)
$$;
CREATE FUNCTION example.id(key text) RETURNS bigint
LANGUAGE sql AS $$ SELECT (example.ids(key))[1] $$;

-- Who belongs to a pool, as what.
CREATE FUNCTION example.join_pool(pool_name text, member_role text,
    VARIADIC members text[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, member_role
    FROM pool.pool p
    JOIN pool.member m USING (tenant_id)
    WHERE p.name = pool_name AND m.key = ANY (members)
$$;

SET pool_ext.clock = '2030-03-04 09:00+08';  -- a Monday
