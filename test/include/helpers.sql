-- Helpers of the regression tests, which include this file first.
\set QUIET on
\pset null '-'
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
CREATE SCHEMA t;

-- Ids of leads of the tenant "default" by their keys, in the order given.
CREATE FUNCTION t.ids(VARIADIC keys text[]) RETURNS bigint[]
LANGUAGE sql AS $$
    SELECT array_agg(d.id ORDER BY k.n)
    FROM unnest(keys) WITH ORDINALITY k (key, n)
    LEFT JOIN pool.lead_data d ON d.key = k.key
        AND d.tenant_id = (SELECT id FROM pool.tenant WHERE name = 'default')
$$;

CREATE FUNCTION t.id(key text) RETURNS bigint
LANGUAGE sql AS $$ SELECT (t.ids(key))[1] $$;

-- Everything that is said about the error of a command.
CREATE FUNCTION t.error(command text, OUT state text, OUT message text,
                        OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
        message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
END $$;

-- One number for the contents of all tables of the extension.
CREATE FUNCTION t.checksum() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    tab regclass;
    part text;
    sums text := '';
BEGIN
    FOR tab IN SELECT oid FROM pg_class
        WHERE relnamespace = 'pool'::regnamespace AND relkind = 'r'
        ORDER BY relname
    LOOP
        EXECUTE format('SELECT md5(string_agg(x::text, E''\n'''
                       ' ORDER BY x::text)) FROM %s x', tab) INTO part;
        sums := sums || coalesce(part, '-');
    END LOOP;
    RETURN md5(sums);
END $$;

-- A pool of the tenant "default" as it stands: who holds what, in the order of
-- the queue.
CREATE FUNCTION t.leads(pool_name text DEFAULT NULL)
RETURNS TABLE (pool text, key text, status text, priority integer,
               owner text, follow_ups integer, claims integer)
LANGUAGE sql AS $$
    SELECT p.name, d.key, s.status, s.priority, m.key, s.follow_ups, s.claims
    FROM pool.lead_state s
    JOIN pool.lead_data d USING (id)
    JOIN pool.pool p ON p.id = s.pool_id
    LEFT JOIN pool.member m ON m.id = s.owner_id
    WHERE p.name = pool_name OR pool_name IS NULL
    ORDER BY p.name, s.ticket, s.id
$$;

-- The log of one lead.
CREATE FUNCTION t.events(lead bigint)
RETURNS TABLE (kind text, pool text, member text, actor text, reason text,
               rule text, detail jsonb)
LANGUAGE sql AS $$
    SELECT e.kind, p.name, m.key, a.key, e.reason, r.name, e.detail
    FROM pool.event e
    JOIN pool.pool p ON p.id = e.pool_id
    LEFT JOIN pool.member m ON m.id = e.member_id
    LEFT JOIN pool.member a ON a.id = e.actor_id
    LEFT JOIN pool.timer_rule r ON r.id = e.rule_id
    WHERE e.lead_id = lead
    ORDER BY e.id
$$;

-- Memberships by names; those of a pool that is for everyone need none.
CREATE FUNCTION t.join_pool(pool_name text, VARIADIC member_keys text[])
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pool.membership (pool_id, member_id)
    SELECT p.id, m.id
    FROM pool.pool p, pool.member m
    WHERE p.name = pool_name AND m.key = ANY (member_keys)
        AND m.tenant_id = p.tenant_id
$$;

-- n leads key1, key2, ... of one priority.
CREATE FUNCTION t.fill(pool_name text, prefix text, n integer,
                       priority integer DEFAULT 0)
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO pool.intake (pool, key, priority)
    SELECT pool_name, prefix || i, $4 FROM generate_series(1, n) i
$$;
\set QUIET off
\set ECHO all
