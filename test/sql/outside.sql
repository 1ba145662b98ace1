-- Events for the outside: poll, ack, digest.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers

INSERT INTO pool.pool (name, everyone) VALUES ('sea', true);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.tenant (name) VALUES ('other');
INSERT INTO pool.pool (tenant_id, name)
    SELECT id, 'lake' FROM pool.tenant WHERE name = 'other';

-- Only what is written with COMMIT can be given out: each statement here is a
-- transaction of its own.
SELECT outcome FROM pool.enter('sea', 'a', source => 'web');
SELECT outcome FROM pool.enter('sea', 'b', owner => 'bob');
SELECT outcome FROM pool.enter('other/lake', 'z');
SELECT outcome FROM pool.claim('sea', 'ann');

CREATE FUNCTION t.polled(consumer text, n integer DEFAULT 500)
RETURNS TABLE (kind text, tenant text, pool text, key text, member text)
LANGUAGE sql AS $$
    SELECT kind, tenant, pool, key, member FROM pool.poll($1, $2)
$$;
CREATE FUNCTION t.ack(consumer text, n integer) RETURNS text
LANGUAGE sql AS $$
    SELECT pool.ack($1, (SELECT p.position FROM
        (SELECT "position" FROM pool.poll($1, $2)) p OFFSET $2 - 1))
$$;

SELECT * FROM t.polled('wecom');
-- again until it is acknowledged
SELECT count(*) FROM pool.poll('wecom');
SELECT count(*) FROM pool.poll('wecom', 2);
SELECT t.ack('wecom', 2);
SELECT * FROM t.polled('wecom');
-- an earlier position changes nothing
SELECT pool.ack('wecom', '0:0:0');
SELECT count(*) FROM pool.poll('wecom');
-- another consumer stands where it stands
SELECT count(*) FROM pool.poll('dingtalk');
SELECT pool.ack('dingtalk', NULL);
SELECT count(*) FROM pool.poll('dingtalk');
SELECT pool.ack('nobody', '0:0:0');
-- one that begins with the present
SELECT pool.ack('bi', NULL);
SELECT outcome FROM pool.release(t.ids('a'), 'no time', member => 'ann');
SELECT * FROM t.polled('bi');
SELECT reason FROM pool.poll('bi');

-- What is not committed is not given out, and neither is what this transaction
-- itself has written; nor can it be acknowledged.
BEGIN;
SELECT outcome FROM pool.enter('sea', 'c');
SELECT count(*) FROM pool.poll('bi');
\set VERBOSITY sqlstate
SELECT pool.ack('bi', '1:' || pg_current_xact_id() || ':1');
ROLLBACK;
SELECT pool.ack('bi', 'x');
SELECT pool.ack('bi', '1:2');
SELECT pool.ack('bi', '1:2:3:4');
SELECT pool.ack('bi', '-1:2:3');
SELECT count(*) FROM pool.poll('bi', 0);
SELECT count(*) FROM pool.poll('bi', 10001);
SELECT count(*) FROM pool.poll(NULL);
SELECT count(*) FROM pool.poll('');
SELECT count(*) FROM pool.poll(repeat('x', 201));
-- a consumer that exists can be read in a read-only transaction
BEGIN READ ONLY;
SELECT count(*) FROM pool.poll('bi');
SELECT count(*) FROM pool.poll('new');
ROLLBACK;
\set VERBOSITY default

-- Messages: one per person, kind and pool.
SELECT pool.ack('messages', NULL);
INSERT INTO pool.intake (pool, key)
    SELECT 'sea', 'm' || i FROM generate_series(1, 25) i;
SELECT count(*) FROM pool.assign(ARRAY(SELECT t.id('m' || i)
    FROM generate_series(1, 25) i), 'ann', actor => NULL);
SELECT outcome FROM pool.transfer(t.ids('m1', 'm2'), 'bob');
SELECT outcome FROM pool.follow_up(t.id('m1'), member => 'bob');
SELECT tenant, member, kind, pool, leads, cardinality(lead_ids) AS listed, until
    FROM pool.digest('messages');
SELECT pool.ack('messages', (SELECT DISTINCT "position"
    FROM pool.digest('messages')));
SELECT * FROM pool.digest('messages');
-- nobody is to be told of an edit, but it can be acknowledged
SELECT pool.edit(t.id('m3'), name => 'M3');
SELECT tenant, member, kind, leads, "position" IS NOT NULL AS positioned
    FROM pool.digest('messages');
SELECT pool.ack('messages', (SELECT "position" FROM pool.digest('messages')));
SELECT count(*) FROM pool.poll('messages');
-- an escalation is for those it names, not for the owner
INSERT INTO pool.member (key) VALUES ('head');
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
    WHERE p.name = 'sea' AND m.key = 'head';
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after, condition, notify)
    SELECT id, 'idle', 'escalate', 'follow_up', '3 days'::interval,
        '$.key == "m1"'::jsonpath, 'manager' FROM pool.pool WHERE name = 'sea';
SELECT set_config('pool_ext.clock', (now() + '4 days')::text, false) <> '';
SELECT count(*) > 0 AS ticked FROM pool.tick();
RESET pool_ext.clock;
SELECT member, kind, leads FROM pool.digest('messages');
SELECT pool.ack('messages', (SELECT "position" FROM pool.digest('messages')));
DELETE FROM pool.timer_rule;

-- Tenants: a service of one polls what is its own, under names of its own.
CREATE ROLE outside_service;
SELECT pool.grant_access('outside_service', 'service', 'other');
GRANT USAGE ON SCHEMA t TO outside_service;
SET ROLE outside_service;
SELECT * FROM t.polled('wecom');
SELECT pool.ack('wecom', NULL);
RESET ROLE;
SELECT consumer, tenant, acked_at IS NOT NULL AS acked FROM pool.stat_consumer
    ORDER BY consumer COLLATE "C", tenant;
SET ROLE outside_service;
SELECT consumer, tenant FROM pool.stat_consumer;
RESET ROLE;

-- Events are kept until every consumer has acknowledged them.
SELECT count(*) FROM pool.tick() WHERE task = 'rollup';
BEGIN;
SELECT set_config('pool_ext.clock', (now() + '100 days')::text, true) <> '';
SELECT pool.purge_events(now() + '90 days') AS acknowledged_by_all;
ROLLBACK;
SELECT consumer, pool.drop_consumer(consumer) FROM pool.stat_consumer
    WHERE tenant IS NULL ORDER BY 1;
SELECT pool.drop_consumer('wecom');

-- A poll reads what it gives out, however much one transaction has written.
CREATE FUNCTION t.buffers(command text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || command INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
        + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
INSERT INTO pool.intake (pool, key)
    SELECT 'sea', 'huge-' || i FROM generate_series(1, 20000) i;
ANALYZE pool.event;
SELECT count(*) FROM pool.poll('huge', 1);
SELECT pool.ack('huge', (SELECT max("position") FROM pool.poll('huge', 10000) p
    WHERE p.event_id = (SELECT max(event_id) FROM pool.poll('huge', 10000))));
SELECT t.buffers($$SELECT * FROM pool.poll('huge', 10)$$) < 500 AS few,
    t.buffers($$SELECT * FROM pool.digest('huge', 10)$$) < 500 AS few_too;
SELECT pool.drop_consumer('huge');

DROP OWNED BY outside_service;
DROP ROLE outside_service;
SELECT * FROM pool.verify();
