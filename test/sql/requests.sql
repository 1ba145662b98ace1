-- Request ids: the same call twice happens once.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SELECT t.join_pool('p', 'ann', 'bob', 'boss'), t.join_pool('q', 'ann');
-- who may give leads back there, and take none
INSERT INTO pool.membership (pool_id, member_id, role)
    SELECT p.id, m.id, 'viewer' FROM pool.pool p, pool.member m
    WHERE p.name = 'q' AND m.key = 'bob';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
    SELECT id, 'idle', 'follow_up', '3 days' FROM pool.pool;
SELECT t.fill('p', 'a', 9);
CREATE FUNCTION id(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT lpad(n::text, 32, '0')::uuid $$;

-- every function that changes something: the second call returns what the
-- first returned, row by row, and changes nothing
CREATE TABLE calls (n int, call text);
INSERT INTO calls VALUES
    (1, $$pool.enter('p', 'new', 'Acme, "Ltd"', 'web', 'A', 7, '{"x": 1}',
        '{"phone": "13800138000"}', 'ann', id(1))$$),
    (2, $$pool.edit(t.id('new'), 'It''s (new)', 'B', 8, '{"y": [1, "a,b"]}',
        '{"email": "a@b.cn"}', id(2))$$),
    (3, $$pool.claim('p', 'ann', 3, NULL, id(3))$$),
    (4, $$pool.claim_leads(t.ids('a4', 'a1', 'a5'), 'bob', id(4))$$),
    (5, $$pool.assign(t.ids('a6', 'a7', 'a1'), 'ann', NULL, 'r', NULL, id(5))$$),
    (6, $$pool.transfer(t.ids('a6', 'a8'), 'bob', NULL, 'r', NULL, id(6))$$),
    (7, $$pool.release(t.ids('a6', 'a7'), 'r', 'q', 'bob', id(7))$$),
    (8, $$pool.reclaim(t.ids('a7', 'a9'), 'r', 'q', NULL, id(8))$$),
    (9, $$pool.follow_up(t.id('a1'), 'call', 'busy', 'no "answer"',
        '2026-03-09 09:00+08', '2026-03-02 17:00+08', '{"a": 1}', 'offer',
        'ann', id(9))$$),
    (10, $$pool.convert(t.id('a1'), 12.50, 'CNY', 'ann', id(10))$$),
    (11, $$pool.archive(t.ids('a2', 'a1'), 'lost, twice', NULL, id(11))$$),
    (12, $$pool.reopen(t.ids('a2', 'a1', 'a3'), 'q', NULL, id(12))$$),
    (13, $$pool.move(t.ids('a2', 'a3'), 'p', NULL, id(13))$$);
CREATE FUNCTION twice(call text, OUT first_rows jsonb, OUT same bool,
    OUT unchanged bool)
LANGUAGE plpgsql AS $$
DECLARE
    before text;
BEGIN
    DROP TABLE IF EXISTS one, two;
    EXECUTE 'CREATE TEMP TABLE one AS SELECT row_number() OVER (), r.* FROM '
        || call || ' r';
    before := t.checksum();
    -- the next one may come from a session that writes times differently
    SET LOCAL datestyle = 'SQL, DMY';
    SET LOCAL timezone = 'Asia/Shanghai';
    SET LOCAL intervalstyle = 'iso_8601';
    EXECUTE 'CREATE TEMP TABLE two AS SELECT row_number() OVER (), r.* FROM '
        || call || ' r';
    SET LOCAL datestyle = 'ISO';
    SET LOCAL timezone = 'UTC';
    SET LOCAL intervalstyle = 'postgres';
    unchanged := before = t.checksum();
    same := NOT EXISTS (TABLE one EXCEPT ALL TABLE two)
        AND NOT EXISTS (TABLE two EXCEPT ALL TABLE one);
    SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(o)) - 'row_number'
        - 'event_id' ORDER BY row_number) INTO first_rows FROM one o;
END $$;
SET client_min_messages = warning;
SET intervalstyle = 'postgres';
SELECT c.n, jsonb_pretty(w.first_rows) AS first, w.same, w.unchanged
FROM (SELECT * FROM calls ORDER BY n) c CROSS JOIN LATERAL twice(c.call) w \gx
-- the others
INSERT INTO pool.member (key) VALUES ('dan');
SELECT t.join_pool('p', 'dan'), t.fill('p', 'd', 1);
SELECT outcome FROM pool.assign(t.ids('d1'), 'dan');
INSERT INTO calls VALUES
    (31, $$pool.add_collaborator(t.id('a3'), 'bob', request_id => id(31))$$),
    (32, $$pool.remove_collaborator(t.id('a3'), 'bob', NULL, id(32))$$),
    (33, $$pool.hide(t.ids('a8', 'a3'), NULL, 'r', NULL, id(33))$$),
    (34, $$pool.unhide(t.ids('a8'), NULL, NULL, id(34))$$),
    (35, $$pool.protect(t.ids('a3', 'a8'), NULL, '1 day', 'r', 'ann', id(35))$$),
    (36, $$pool.unprotect(t.ids('a3'), 'r', 'ann', id(36))$$),
    (37, $$pool.reserve(t.ids('a8'), '1 minute', 'ann', id(37))$$),
    (38, $$pool.unreserve(t.ids('a8'), 'ann', id(38))$$),
    (39, $$pool.request_transfer(t.id('a3'), 'bob', 'r', 'ann', id(39))$$),
    (40, $$pool.cancel_request((SELECT max(id) FROM pool.approval), 'ann',
        id(40))$$),
    (41, $$pool.set_away('bob', '2026-03-09 09:00+00', NULL, id(41))$$),
    (42, $$pool.set_active('bob', NULL, id(42))$$),
    (43, $$pool.relocate('dan', NULL, 'q', NULL, NULL, id(43))$$),
    (44, $$pool.cancel_run((SELECT min(run_id) FROM pool.stat_run), NULL,
        id(44))$$),
    (45, $$pool.undo_run((SELECT min(run_id) FROM pool.stat_run), NULL,
        id(45))$$),
    (46, $$pool.offboard('dan', NULL, NULL, NULL, id(46))$$);
SELECT c.n, jsonb_path_query_array(w.first_rows, '$[*].outcome') AS first, w.same,
    w.unchanged
FROM (SELECT * FROM calls WHERE n > 13 ORDER BY n) c
    CROSS JOIN LATERAL twice(c.call) w;
RESET client_min_messages;
SELECT function, count(*) FROM pool.request_log GROUP BY 1 ORDER BY 1;

-- with other arguments, or for another function, it is an error
SELECT * FROM t.error($$SELECT pool.claim('p', 'ann', 2, NULL, id(3))$$);
SELECT * FROM t.error($$SELECT pool.claim('p', 'bob', 3, NULL, id(3))$$);
SELECT * FROM t.error($$SELECT pool.claim('q', 'ann', 3, NULL, id(3))$$);
SELECT * FROM t.error($$SELECT pool.assign(t.ids('a6', 'a7', 'a1'), 'ann', NULL,
    'r', NULL, id(6))$$);
SELECT * FROM t.error($$SELECT pool.edit(t.id('new'), request_id => id(3))$$);
SELECT c.n, (t.error('SELECT ' || replace(c.call, 'id(' || c.n || ')',
    'id(' || c.n % 13 + 1 || ')'))).state FROM calls c ORDER BY n;

-- an outcome that was nothing stays nothing
SELECT outcome FROM pool.claim('q', 'ann', 9);
SELECT outcome FROM pool.claim('q', 'ann', request_id => id(20));
SELECT outcome FROM pool.enter('q', 'late');
SELECT outcome FROM pool.claim('q', 'ann', request_id => id(20));
SELECT outcome FROM pool.claim('q', 'ann', request_id => id(21));
-- no rows are a result too
SELECT * FROM pool.claim_leads('{}', 'ann', id(22));
SELECT * FROM pool.claim_leads('{}', 'ann', id(22));
-- what was rolled back or failed did not happen
SELECT t.fill('p', 'b', 3);
BEGIN;
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(23));
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(23));
ROLLBACK TO s;
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(23));
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(23));
COMMIT;
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(23));
SELECT (t.error($$SELECT pool.claim('nowhere', 'ann', 1, NULL, id(24))$$)).state;
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(24));
-- an interval is the same argument however the session writes it
SELECT outcome, key FROM pool.reserve(t.ids('b3'), '90 seconds', 'ann', id(26));
SET intervalstyle = 'iso_8601';
SELECT outcome, key FROM pool.reserve(t.ids('b3'), '90 seconds', 'ann', id(26));
RESET intervalstyle;
-- ids belong to a login, and within it to the member acted for
CREATE ROLE regress_call_service;
SELECT pool.grant_access('regress_call_service', 'service');
GRANT USAGE ON SCHEMA t TO PUBLIC;
SET ROLE regress_call_service;
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(24));
SELECT outcome, key FROM pool.claim('p', 'ann', 1, NULL, id(24));
BEGIN;
SELECT pool.act_as('ann');
SELECT outcome FROM pool.claim('q', request_id => id(25));
SELECT outcome FROM pool.claim('q', request_id => id(25));
COMMIT;
RESET ROLE;
GRANT ALL ON TABLE calls TO PUBLIC;
SELECT login, function, t.name AS tenant FROM pool.request_log
    JOIN pool.tenant t ON t.id = tenant_id
    WHERE request_id IN (id(24), id(25)) ORDER BY 1, 2;
-- they are forgotten after a while
UPDATE pool.request_log SET at = at - interval '1 week' WHERE request_id =
    id(20);
UPDATE pool.request_log SET at = at - interval '6 days 23 hours'
    WHERE request_id = id(21);
SELECT task, done, more FROM pool.tick() WHERE task = 'requests';
SELECT request_id FROM pool.request_log WHERE request_id IN (id(20), id(21));
-- not a request
SELECT outcome FROM pool.claim('q', 'ann', request_id => NULL);
SELECT * FROM pool.verify();
DROP OWNED BY regress_call_service;
DROP ROLE regress_call_service;
