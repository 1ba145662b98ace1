-- Personal data goes, counts stay.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';
INSERT INTO pool.pool (name) VALUES ('p'), ('q');
INSERT INTO pool.member (key) VALUES ('ann'), ('boss');
SELECT t.join_pool('p', 'ann', 'boss');
UPDATE pool.membership SET role = 'manager' WHERE member_id =
    (SELECT id FROM pool.member WHERE key = 'boss');
-- four leads: in the pool, owned, converted, archived; every text is secret
INSERT INTO pool.intake (pool, key, name, source, grade, attributes, identities)
    SELECT 'p', 'secret key ' || i, 'secret name ' || i, 'web', 'A',
        '{"address": "secret"}', jsonb_build_object('phone', '1380013800' || i)
    FROM generate_series(1, 4) i;
INSERT INTO pool.intake (pool, key, name) VALUES ('p', 'other', 'other');
SELECT outcome FROM pool.claim('p', 'ann', 4, request_id => '00000000-0000-0000-0000-000000000001');
SELECT outcome FROM pool.follow_up(t.id('secret key 2'), 'call', 'busy',
    'secret note', '2026-03-03 09:00+00', '2026-03-03 08:00+00',
    '{"x": "secret"}', 'offer', 'ann');
SELECT outcome FROM pool.release(t.ids('secret key 1', 'other'), 'secret reason',
    member => 'ann', request_id => '00000000-0000-0000-0000-000000000002');
SELECT outcome FROM pool.convert(t.id('secret key 3'), 100, 'CNY', 'ann',
    '00000000-0000-0000-0000-000000000003');
SELECT outcome FROM pool.reveal(t.id('secret key 1'), 'boss', '00000000-0000-0000-0000-000000000004');
SELECT outcome FROM pool.reserve(t.ids('secret key 1'), member => 'boss',
    request_id => '00000000-0000-0000-0000-000000000005');
SELECT outcome FROM pool.unreserve(t.ids('secret key 1'), 'boss', '00000000-0000-0000-0000-000000000006');
SELECT outcome FROM pool.add_collaborator(t.id('secret key 2'), 'boss', actor => 'ann',
    request_id => '00000000-0000-0000-0000-000000000007');
SELECT outcome FROM pool.archive(t.ids('secret key 4'), 'secret reason');
SELECT outcome FROM pool.edit(t.id('secret key 2'), 'secret name',
    attributes => '{"secret": "secret"}');
SELECT t.ids('secret key 1', 'secret key 2', 'secret key 3', 'secret key 4')
    AS ids \gset
CREATE TEMP TABLE before AS SELECT 'daily' AS what,
    to_jsonb(d) - '{archived,available_at_end,owned_at_end,ended_spells,erased}'::text[] AS row
    FROM pool.stat_daily d UNION ALL SELECT 'member', to_jsonb(m)
    - '{archived,ended_spells}'::text[] FROM pool.stat_member_daily m;

SELECT * FROM t.error(format('SELECT pool.erase(%L, NULL, %L)', :'ids', 'ann'));
SELECT * FROM t.error('SELECT pool.erase(NULL)');
SET pool_ext.clock = '2026-03-03 09:00+00';
-- stored results have no index on leads: they are walked through once
BEGIN;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT seq_scan AS before FROM pg_stat_xact_user_tables
    WHERE relid = 'pool.request_log'::regclass \gset
SELECT count(*) FROM pool.erase(:'ids'::bigint[], NULL, 'boss');
SELECT seq_scan - :before AS walks FROM pg_stat_xact_user_tables
    WHERE relid = 'pool.request_log'::regclass;
ROLLBACK;
SELECT * FROM t.error(format('SELECT pool.erase(%L, %L)', :'ids',
    repeat('x', 201)));
SELECT outcome, lead_id - (:'ids'::bigint[])[1] AS nth
FROM pool.erase(:'ids'::bigint[] || -1::bigint || (:'ids'::bigint[])[2:3],
    'request of the person', 'boss');
-- nothing personal is left in any table
DO $$
DECLARE
    tab regclass;
    n bigint;
BEGIN
    FOR tab IN SELECT oid FROM pg_class WHERE relnamespace = 'pool'::regnamespace
        AND relkind = 'r'
    LOOP
        EXECUTE format('SELECT count(*) FROM %s x WHERE x::text ~* %L', tab,
            'secret|1380013800') INTO n;
        IF n > 0 THEN RAISE NOTICE '% rows of % tell', n, tab; END IF;
    END LOOP;
END $$;
SELECT key, name, source, grade, attributes, status, amount, currency,
    last_owner_id IS NOT NULL AS had_owner, erased_at
FROM pool.lead WHERE id = ANY (:'ids') ORDER BY id;
SELECT id - (:'ids'::bigint[])[1] AS nth, e.* FROM unnest(:'ids'::bigint[]) id,
    LATERAL t.events(id) e;
SELECT held FROM pool.membership_state WHERE held <> 0;
-- counts and amounts stay
SELECT what, row FROM before EXCEPT ALL (SELECT 'daily' AS what,
    to_jsonb(d) - '{archived,available_at_end,owned_at_end,ended_spells,erased}'::text[] AS row
    FROM pool.stat_daily d UNION ALL SELECT 'member', to_jsonb(m)
    - '{archived,ended_spells}'::text[] FROM pool.stat_member_daily m);
SELECT converted, archived, amount FROM pool.stat_source;
-- the request still answers, without the person
SELECT outcome, key, name, attributes FROM pool.claim('p', 'ann', 4,
    request_id => '00000000-0000-0000-0000-000000000001');
SELECT outcome, key FROM pool.release(ARRAY[(:'ids'::bigint[])[1], t.id('other')],
    'secret reason', member => 'ann',
    request_id => '00000000-0000-0000-0000-000000000002');
SELECT outcome, key, name, attributes, identities FROM pool.reveal((:'ids'::bigint[])[1], 'boss',
    '00000000-0000-0000-0000-000000000004');
SELECT outcome, key, reserved_until FROM pool.reserve((:'ids'::bigint[])[1:1], member => 'boss',
    request_id => '00000000-0000-0000-0000-000000000005');
-- the numbers are free for others, the keys too
SELECT outcome FROM pool.enter('p', 'secret key 1', identities => '{"phone": "13800138001"}');
-- which nobody may choose that look like one that was erased
SELECT * FROM t.error($$SELECT pool.enter('p', (SELECT key FROM pool.lead
    WHERE erased_at IS NOT NULL ORDER BY id LIMIT 1))$$);
SELECT (t.error($$INSERT INTO pool.intake (pool, key)
    SELECT 'p', key FROM pool.lead WHERE erased_at IS NOT NULL$$)).state;
-- nobody is behind it any more who could be worked on again
SELECT outcome, key ~ '^erased' AS erased
FROM pool.reopen(:'ids'::bigint[], actor => 'boss');
SELECT status, count(*) FROM pool.lead WHERE id = ANY (:'ids') GROUP BY 1
    ORDER BY 1;
-- what was erased stays so, and keeps its reason
SELECT outcome FROM pool.edit((:'ids'::bigint[])[1], 'secret name');
SELECT outcome FROM pool.erase(ARRAY[(:'ids'::bigint[])[1]], NULL, 'boss');
SELECT kind, reason FROM t.events((:'ids'::bigint[])[1]) WHERE kind = 'erased';
SELECT * FROM pool.verify();
-- nor what routing and undoing is counted by
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT id, 1, 'turns', 'round_robin' FROM pool.pool WHERE name = 'p';
SELECT outcome, member FROM pool.enter('p', 'routed');
SELECT outcome FROM pool.follow_up(t.id('routed'), 'call', 'reached',
    'secret note', member => (SELECT owner FROM t.leads('p')
        WHERE key = 'routed'));
SELECT t.id('routed') AS routed \gset
SELECT outcome FROM pool.erase(ARRAY[:routed], NULL, 'boss');
SELECT kind, array(SELECT jsonb_object_keys(detail) ORDER BY 1) AS kept
FROM pool.event WHERE lead_id = :routed ORDER BY id;
SELECT * FROM pool.verify();

-- A trigger that leaves rows out does not leave a customer in, who is said to
-- be erased.
SELECT outcome FROM pool.enter('p', 'kept', 'secret name',
    identities => '{"phone": "13800138999"}', owner => 'ann');
SELECT outcome FROM pool.follow_up(t.id('kept'), 'call', 'reached',
    'secret note', member => 'ann');
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;
CREATE FUNCTION left_out(name text, events text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    e record;
BEGIN
    EXECUTE format('CREATE TRIGGER leave_out BEFORE %s ON pool.%I'
        ' FOR EACH ROW EXECUTE FUNCTION leave_out()', events, name);
    SELECT * INTO e
        FROM t.error('SELECT pool.erase(ARRAY[t.id(''kept'')], NULL, ''boss'')');
    EXECUTE format('DROP TRIGGER leave_out ON pool.%I', name);
    RETURN concat_ws(' ', e.state, e.message);
END $$;
SELECT left_out('lead_data', 'UPDATE'), left_out('identity', 'DELETE'),
    left_out('event', 'UPDATE');
SELECT outcome FROM pool.erase(ARRAY[t.id('kept')], NULL, 'boss');
