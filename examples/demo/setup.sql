-- Who takes part: eight sellers with limits, their supervisor, and the CRM
-- that brings the leads.  Wants the variables pool, leads (how many there are)
-- and trainee (how many of them he may claim a day).
CREATE EXTENSION pool_ext;

CREATE ROLE crm LOGIN;
SELECT pool.grant_access('crm', 'service');
CREATE ROLE supervisor LOGIN;
SELECT pool.grant_access('supervisor', 'manager');
SELECT format('CREATE ROLE seller_%s LOGIN', n) FROM generate_series(1, 8) n
\gexec
SELECT pool.grant_access('seller_' || n, 'member') FROM generate_series(1, 8) n;

-- Nobody holds more than 30 customers, and who lost one to the clock must
-- leave it to the others for a while.
INSERT INTO pool.pool (name, hold_limit, claim_limit, cooldown, description)
VALUES (:'pool', 30, :leads, '5 s', 'customers to be called');
INSERT INTO pool.pool (name, parent_id, description)
SELECT :'pool' || ' declined', id, 'said no, to be closed by the supervisor'
FROM pool.pool WHERE name = :'pool';

INSERT INTO pool.member (key, login)
SELECT 'seller ' || n, 'seller_' || n FROM generate_series(1, 8) n
UNION ALL SELECT 'supervisor', 'supervisor';

-- Sellers hand over who declined, and take none of those.  Seller 8 is a
-- trainee: his day ends early.
INSERT INTO pool.membership (pool_id, member_id, role, claim_limit)
SELECT p.id, m.id,
    CASE WHEN m.key = 'supervisor' THEN 'manager'
        WHEN p.parent_id IS NOT NULL THEN 'viewer' ELSE 'member' END,
    CASE m.key WHEN 'seller 8' THEN :trainee END
FROM pool.member m
JOIN pool.pool p ON p.name IN (:'pool', :'pool' || ' declined');

-- Whoever does not call within two seconds loses the customer.
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'call at once', 'first_contact', '2 s'
FROM pool.pool WHERE name = :'pool';

------------------------------------------------------------------------
-- The demo's own tables
------------------------------------------------------------------------

-- how each customer will answer; a seller learns it by calling him
CREATE TABLE demo.customer (
    key     text PRIMARY KEY,
    calls   integer NOT NULL,
    buys    boolean NOT NULL
);

-- what each client did
CREATE TABLE demo.tally (
    login       text NOT NULL DEFAULT current_user,
    claims      bigint NOT NULL,
    leads       bigint NOT NULL,
    neglected   bigint NOT NULL,
    claim_time  interval NOT NULL,
    answers     jsonb NOT NULL
);

-- what came out, and what had to
CREATE TABLE demo.result (
    id          integer GENERATED ALWAYS AS IDENTITY,
    step        text NOT NULL,
    figure      text NOT NULL,
    expected    bigint NOT NULL,
    found       bigint NOT NULL
);

-- whether anything is left in this pool, owned by whomever
CREATE FUNCTION demo.work_left(pool text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM pool.lead_state s JOIN pool.pool p ON p.id = s.pool_id
        WHERE p.name = work_left.pool
            AND (s.ticket IS NOT NULL OR s.owner_id IS NOT NULL));
END;

GRANT USAGE ON SCHEMA demo TO crm, supervisor;
SELECT format('GRANT USAGE ON SCHEMA demo TO seller_%s', n),
    format('GRANT SELECT ON demo.customer TO seller_%s', n),
    format('GRANT INSERT ON demo.tally TO seller_%s', n)
FROM generate_series(1, 8) n
\gexec
INSERT INTO demo.customer SELECT key, calls, buys FROM demo.incoming
ON CONFLICT DO NOTHING;
GRANT SELECT ON demo.incoming TO crm;
