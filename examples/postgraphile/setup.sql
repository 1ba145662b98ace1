-- A pool, three people with roles of their own, and the gateway that may become
-- any of them and nobody else.  As a superuser, in an empty database.
CREATE EXTENSION IF NOT EXISTS pool_ext;

CREATE ROLE gateway LOGIN NOINHERIT;
CREATE ROLE ann;
CREATE ROLE bob;
CREATE ROLE eve;
GRANT ann, bob, eve TO gateway;
SELECT pool.grant_access('ann', 'member'), pool.grant_access('bob', 'member'),
    pool.grant_access('eve', 'manager');

INSERT INTO pool.pool (name, claim_limit, masked_attributes)
VALUES ('sales', 2, '{phone}');
INSERT INTO pool.member (key, login)
VALUES ('ann', 'ann'), ('bob', 'bob'), ('eve', 'eve');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, CASE m.key WHEN 'eve' THEN 'manager' ELSE 'member' END
FROM pool.pool p, pool.member m
WHERE m.key <> 'bob';
INSERT INTO pool.intake (pool, key, name, priority, attributes)
SELECT 'sales', 'c' || i, 'Customer ' || i, 10 * i,
    '{"city": "Shanghai", "phone": "138"}'
FROM generate_series(1, 5) i;
