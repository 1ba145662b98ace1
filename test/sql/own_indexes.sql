-- Unique indexes that a DBA has added to our tables hold for what we write.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
SELECT t.join_pool('p', 'ann', 'bob');
SELECT t.fill('p', 'a', 6, 50);

-- one column: a second row with the value is refused, keeping it is not
CREATE UNIQUE INDEX one_owned ON pool.lead_state (owner_id);
SELECT outcome FROM pool.claim('p', 'ann');
SELECT outcome FROM pool.follow_up(t.id('a1'), member => 'ann');
SELECT outcome FROM pool.claim('p', 'ann');
DROP INDEX pool.one_owned;

-- the same value, but of a row that the index did not know so far
CREATE UNIQUE INDEX one_of_pool ON pool.lead_state (pool_id)
    WHERE owner_id IS NOT NULL;
SELECT outcome FROM pool.claim('p', 'ann');
SELECT outcome FROM pool.follow_up(t.id('a1'), member => 'ann');
DROP INDEX pool.one_of_pool;

-- an expression
CREATE UNIQUE INDEX one_of_tenant ON pool.lead_state ((tenant_id + 1))
    WHERE owner_id IS NOT NULL;
SELECT outcome FROM pool.claim('p', 'ann');
SELECT outcome FROM pool.follow_up(t.id('a1'), member => 'ann');
DROP INDEX pool.one_of_tenant;

-- a constraint that core looks at once more, at the end
ALTER TABLE pool.lead_state ADD CONSTRAINT one_owned UNIQUE (owner_id)
    DEFERRABLE INITIALLY DEFERRED;
BEGIN;
SELECT outcome FROM pool.claim('p', 'ann');
COMMIT;
SELECT outcome FROM pool.claim('p', 'bob');
ALTER TABLE pool.lead_state DROP CONSTRAINT one_owned;

SELECT key, owner_id FROM pool.lead WHERE owner_id IS NOT NULL ORDER BY key;
SELECT * FROM pool.verify();
