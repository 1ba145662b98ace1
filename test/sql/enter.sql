-- Leads enter: enter() and edit() one by one, pool.intake in bulk.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SET pool_ext.clock = '2026-03-02 09:00+00';

-- nothing exists until it is needed
SELECT count(*) FROM pool.tenant;
INSERT INTO pool.pool (name) VALUES ('north');
SELECT name, workdays, work_from, work_until, country FROM pool.tenant;
UPDATE pool.tenant SET timezone = 'Asia/Shanghai';
INSERT INTO pool.pool (name, hold_limit) VALUES ('south', 1);
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('eve');
SELECT t.join_pool('north', 'ann', 'bob'), t.join_pool('south', 'ann');
UPDATE pool.member SET status = 'away' WHERE key = 'bob';

-- entered: with nothing but a key, and with everything
SELECT * FROM pool.enter('north', 'k1');
SELECT * FROM pool.enter('north', 'k2', 'Acme', 'web', 'A', 70,
    '{"industry": "SaaS", "staff": 50}',
    '{"phone": "138 0013 8000", "email": ["Boss@Acme.CN", "it@acme.cn"]}');
SELECT key, name, source, grade, priority, attributes, status, owner_id,
    owned_at, entered_at, created_at, first_follow_up_at, last_follow_up_at,
    follow_ups, last_result, next_follow_up_at, stage, last_owner_id, claims,
    protected_until, hidden_until, closed_at, amount, currency
FROM pool.lead ORDER BY id \gx
SELECT kind, value, scope FROM pool.identity ORDER BY 1, 2;
-- explicit NULLs are defaults
SELECT outcome, status FROM pool.enter('north', 'k3', NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL);
SELECT key, priority, attributes FROM pool.lead WHERE key = 'k3';
-- bounds of the priority
SELECT outcome FROM pool.enter('north', 'p0', priority => 0);
SELECT outcome FROM pool.enter('north', 'p100', priority => 100);
SELECT * FROM t.error($$SELECT pool.enter('north', 'x', priority => 101)$$);
SELECT * FROM t.error($$SELECT pool.enter('north', 'x', priority => -1)$$);

-- duplicate: by key, by phone however it is written, by any of the addresses
SELECT * FROM pool.enter('south', 'k2');
SELECT i.how, e.outcome, e.lead_id = t.id('k2') AS same, e.status, e.home_pool
FROM (VALUES
    (1, 'full width', '{"phone": "１３８ ００１３ ８０００"}'::jsonb),
    (2, 'with country', '{"phone": "+86-138-0013-8000"}'),
    (3, 'full-width plus', '{"phone": "＋８６（１３８）００１３８０００"}'),
    (4, 'with 00', '{"phone": "0086 13800138000"}'),
    (5, 'bare 86', '{"phone": "86 13800138000"}'),
    (6, 'in brackets', '{"phone": "(138) 0013-8000"}'),
    (7, 'ideographic space', '{"phone": "　138　0013　8000"}'),
    (8, 'among others', '{"phone": ["021-555", "13800138000"]}'),
    (9, 'case of an address', '{"email": "BOSS@acme.cn"}'),
    (10, 'full-width address', '{"email": "ｉｔ＠ａｃｍｅ．ｃｎ "}'))
    i (n, how, identities)
CROSS JOIN LATERAL pool.enter('south', 'other' || i.n,
    identities => i.identities) e
ORDER BY i.n;
-- the same digits are something else elsewhere, or in another kind
SELECT outcome FROM pool.enter('north', 'us',
    identities => '{"phone": "+1 38001380000", "wechat": "13800138000"}');
-- a trunk zero counts for nothing, with or without the country
SELECT outcome FROM pool.enter('north', 'land',
    identities => '{"phone": "010-6555 1234"}');
SELECT i.phone, e.outcome, e.lead_id = t.id('land') AS same
FROM unnest('{+86 10 65551234,+86 (0)10 65551234,0086-010-65551234}'::text[])
    WITH ORDINALITY i (phone, n)
CROSS JOIN LATERAL pool.enter('north', 'land' || n,
    identities => jsonb_build_object('phone', i.phone)) e
ORDER BY i.n;
-- an extension is part of a number
SELECT outcome FROM pool.enter('north', 'ext',
    identities => '{"phone": "010-6555 1234 转 801"}');
SELECT outcome FROM pool.enter('north', 'ext2',
    identities => '{"phone": "010-65551234 ext. 801"}');
-- nothing of a refused entry stays
SELECT count(*) FROM pool.lead WHERE key LIKE 'other%' OR key LIKE 'land_';
SELECT count(*) FROM pool.identity WHERE value LIKE '%555';
SELECT pool.normalise_identity(k, v), k, v FROM (VALUES
    ('company', '  Acme　Ltd. '), ('tax_id', '91 3100 00ma1fl8xq30'),
    ('wechat', ' Ann_1 '), ('wecom', 'ＵserＡ'), ('email', ' '),
    ('phone', 'n/a')) i (k, v);
SELECT * FROM t.error($$SELECT pool.normalise_identity('fax', '1')$$);

-- assigned: an owner is given the lead at once; no claim is charged
SELECT * FROM pool.enter('south', 's1', owner => 'ann');
SELECT held, claimed FROM pool.membership_state s JOIN pool.pool p
    ON p.id = s.pool_id WHERE p.name = 'south';
SELECT kind, pool, member, actor, detail FROM t.events(t.id('s1'));
-- an owner who may not receive it: entered, without him
SELECT outcome, member, status, home_pool, reason
    FROM pool.enter('south', 's2', owner => 'ann');
SELECT outcome, member, status, reason
    FROM pool.enter('south', 's3', owner => 'eve');
SELECT outcome, member, status, reason
    FROM pool.enter('north', 's4', owner => 'bob');
-- one who is named for a lead that is known is not heard
SELECT outcome, member, status FROM pool.enter('south', 's1', owner => 'eve');
SELECT key, status, owner FROM t.leads() WHERE key LIKE 's_';

-- reopened: with its id and its priority, as the newest of its band
SELECT outcome FROM pool.enter('north', 'r1', 'Old', priority => 70,
    identities => '{"wecom": "w1"}');
SELECT outcome FROM pool.archive(t.ids('r1'), 'lost');
SELECT outcome, lead_id = t.id('r1') AS same, member, status, home_pool, reason
    FROM pool.enter('north', 'r1', 'New', priority => 5);
SELECT key, name, priority FROM pool.lead WHERE key = 'r1';
SELECT key, priority FROM t.leads('north') WHERE priority = 70;
-- ... also when an identity tells, from another pool, and to an owner
SELECT outcome FROM pool.archive(t.ids('r1'), 'lost');
SELECT outcome, lead_id = t.id('r1') AS same, member, status, home_pool
    FROM pool.enter('south', 'r1 again', identities => '{"wecom": "w1"}');
SELECT outcome FROM pool.archive(t.ids('r1'), 'lost');
SELECT outcome, lead_id = t.id('r1') AS same, member, status, home_pool
    FROM pool.enter('north', 'r1', owner => 'ann');
SELECT kind, pool, member, reason, detail - 'from_pool' AS detail,
    detail ? 'from_pool' AS moved FROM t.events(t.id('r1'));
-- a converted lead is a duplicate
SELECT outcome FROM pool.convert(t.id('r1'), member => 'ann');
SELECT outcome, member, status FROM pool.enter('north', 'r1');

-- edit: NULL changes nothing, attributes merge, a JSON null removes
SELECT outcome FROM pool.edit(t.id('k2'), grade => 'B',
    attributes => '{"staff": 60, "industry": null, "city": "SH"}');
SELECT name, grade, priority, attributes FROM pool.lead WHERE key = 'k2';
SELECT outcome FROM pool.edit(t.id('k2'), 'Acme Ltd',
    identities => '{"phone": ["13800138000", "13900139000"]}');
SELECT value FROM pool.identity WHERE lead_id = t.id('k2') ORDER BY 1;
-- an identity of another lead: duplicate, and nothing of the edit happens
SELECT outcome FROM pool.edit(t.id('k1'), 'Nobody', 'Z', 9, '{"a": 1}',
    '{"email": "new@acme.cn", "phone": "139 0013 9000"}');
SELECT name, grade, priority, attributes FROM pool.lead WHERE key = 'k1';
SELECT count(*) FROM pool.identity WHERE lead_id = t.id('k1');
SELECT outcome FROM pool.edit(-1, 'x');
SELECT outcome FROM pool.edit(t.id('k2'), priority => 70);
-- the log names what changed, without the values
SELECT kind, actor, detail FROM t.events(t.id('k2'));
-- an edit that changes nothing leaves no trace
SELECT t.checksum() \gset before_
SELECT outcome FROM pool.edit(t.id('k2'));
SELECT outcome FROM pool.edit(t.id('k2'), 'Acme Ltd', 'B', 70,
    '{"city": "SH", "x": null}', '{"phone": "138-00138000"}');
SELECT t.checksum() = :'before_checksum' AS same;
-- in the queue only a new priority moves a lead, to the end of its new band
SELECT t.fill('south', 'q', 3, 20), t.fill('south', 'w', 1, 30);
SELECT key, priority FROM t.leads('south') WHERE key ~ '^[qw]';
SELECT outcome FROM pool.edit(t.id('q1'), 'Name', 'A', NULL, '{"a": 1}');
SELECT outcome FROM pool.edit(t.id('q1'), priority => 20);
SELECT key, priority FROM t.leads('south') WHERE key ~ '^[qw]';
SELECT outcome FROM pool.edit(t.id('q1'), priority => 30);
SELECT key, priority FROM t.leads('south') WHERE key ~ '^[qw]';
SELECT outcome FROM pool.edit(t.id('q1'), priority => 20);
SELECT key, priority FROM t.leads('south') WHERE key ~ '^[qw]';
-- it restarts no clock
SET pool_ext.clock = '2026-03-05 09:00+00';
SELECT outcome FROM pool.edit(t.id('q1'), priority => 25);
SELECT entered_at = '2026-03-02 09:00+00' AS same FROM pool.lead
    WHERE key = 'q1';

-- intake: what enter does, in the order of the rows
COPY pool.intake (pool, key, name, source, grade, priority, attributes,
    identities, owner, created_at) FROM stdin;
north	c1	One	fair	A	40	{"x": 1}	{"phone": "150-0000-0001"}	ann	2026-01-01 00:00+00
north	c2	Two	fair	\N	\N	\N	\N	\N	\N
north	c3	Three	\N	\N	40	{}	{"phone": "15000000001"}	\N	\N
north	c2	Two again	\N	\N	\N	\N	\N	\N	\N
south	c4	Four	\N	\N	40	{}	{}	eve	\N
\.
SELECT l.key, l.name, l.source, l.grade, l.priority, l.attributes, l.status,
    m.key AS owner, l.created_at
FROM pool.lead l LEFT JOIN pool.member m ON m.id = l.owner_id
WHERE l.key LIKE 'c_' ORDER BY l.id;
INSERT INTO pool.intake (pool, key) SELECT 'north', 'o' || i
    FROM generate_series(5, 1, -1) i;
SELECT key FROM pool.lead WHERE key LIKE 'o_' ORDER BY id;
SELECT key FROM t.leads('north') WHERE key LIKE 'o_';

-- twins inside one load.  b doubles a, and so its second number stays free
-- for c; d doubles c, whose number it was; e is a known lead's.
INSERT INTO pool.intake (pool, key, identities) VALUES
    ('north', 'ta', '{"phone": "15100000001"}'),
    ('north', 'tb', '{"phone": ["15100000001", "15100000002"]}'),
    ('north', 'tc', '{"phone": "15100000002"}'),
    ('north', 'td', '{"phone": "+86 151 0000 0002", "email": "d@x.cn"}'),
    ('north', 'te', '{"phone": ["13800138000", "15100000003"]}'),
    ('north', 'tf', '{"phone": "15100000003", "email": "d@x.cn"}'),
    ('north', 'ta', '{"phone": "15100000009"}'),
    ('north', 'tg', '{"phone": "15100000009"}');
SELECT l.key, i.kind, i.value FROM pool.lead l JOIN pool.identity i
    ON i.lead_id = l.id WHERE l.key LIKE 't_' ORDER BY 1, 2, 3;
-- an archived lead comes back through intake too, and only once
SELECT outcome FROM pool.archive(t.ids('ta'), 'lost');
INSERT INTO pool.intake (pool, key) VALUES ('south', 'ta'), ('north', 'ta');
SELECT kind, pool FROM t.events(t.id('ta'));

-- a bad row: the error names its number and its key, nothing stays
\set SHOW_CONTEXT always
INSERT INTO pool.intake (pool, key, priority) VALUES
    ('north', 'bad1', 1), ('north', 'bad2', 2), ('north', 'bad3', 101);
INSERT INTO pool.intake (pool, key) VALUES
    ('north', 'bad1'), ('nowhere', 'bad2');
COPY pool.intake (pool, key, owner) FROM stdin;
north	bad1	\N
north	bad2	nobody
\.
INSERT INTO pool.intake (pool, key) VALUES ('north', 'bad1'), ('north', NULL);
INSERT INTO pool.intake (pool, key) VALUES ('north', 'bad1'), (NULL, 'bad2');
INSERT INTO pool.intake (pool, key) VALUES ('north', '');
INSERT INTO pool.intake (pool, key, attributes) VALUES ('north', 'bad1', '[]');
INSERT INTO pool.intake (pool, key, identities)
    VALUES ('north', 'bad1', '{"fax": "1"}');
INSERT INTO pool.intake (pool, key, created_at)
    VALUES ('north', 'bad1', 'infinity');
INSERT INTO pool.intake (pool, key, priority) SELECT 'north', repeat('线', 40),
    101;
\set SHOW_CONTEXT errors
SELECT count(*) FROM pool.lead WHERE key LIKE 'bad%';

-- 5,000 rows, a third of them twins
INSERT INTO pool.intake (pool, key, identities)
SELECT 'north', 'bulk' || i, jsonb_build_object('phone',
    '+86 139' || lpad(((i * 7919) % 3333)::text, 8, '0'))
FROM generate_series(1, 5000) i;
SELECT count(*), count(DISTINCT i.value)
FROM pool.lead l JOIN pool.identity i ON i.lead_id = l.id
WHERE l.key LIKE 'bulk%';
-- the first of each stayed
SELECT max(substr(key, 5)::int) FROM pool.lead WHERE key LIKE 'bulk%';

-- more than the executor is given at once: texts of 3.6 MB, identities of 1.3 MB,
-- twins and known ones far apart
SELECT outcome FROM pool.enter('north', 'big 7');
INSERT INTO pool.intake (pool, key, attributes, identities)
SELECT 'north', 'big ' || CASE WHEN i > 58 THEN i - 58 ELSE i END,
    jsonb_build_object('row', i, 'filler', repeat('x', 60000)),
    jsonb_build_object('tax_id', (SELECT jsonb_agg(lpad(j || '-' ||
        CASE WHEN i = 57 AND j = 45 THEN 3 ELSE i END, 480, 'y'))
        FROM generate_series(1, 45) j))
FROM generate_series(1, 60) i;
SELECT count(*), bool_and(l.after IS NULL OR l.row > l.after) AS in_order,
    count(*) FILTER (WHERE length(l.filler) <> 60000) AS cut,
    array_agg(l.row ORDER BY l.row) FILTER (WHERE l.row < 10 OR l.row > 50)
FROM (SELECT (attributes ->> 'row')::int AS row, attributes ->> 'filler' AS filler,
        lag((attributes ->> 'row')::int) OVER (ORDER BY id) AS after
    FROM pool.lead WHERE attributes ? 'filler') l;
SELECT count(*) AS behind_an_older FROM (SELECT s.ticket,
        lag(s.ticket) OVER (ORDER BY s.id) AS before FROM pool.lead_state s
    JOIN pool.lead_data d USING (id) WHERE d.attributes ? 'filler') t
    WHERE ticket <= before;
SELECT count(*), count(DISTINCT value) FROM pool.identity
    WHERE value LIKE 'YYYY%';

-- nested: a load in the course of a load, and one that fails in between
CREATE FUNCTION enter_more(n int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pool.intake (pool, key) VALUES ('north', 'inner' || n);
    BEGIN
        INSERT INTO pool.intake (pool, key) VALUES ('north', 'lost' || n),
            ('nowhere', 'lost');
    EXCEPTION WHEN SQLSTATE 'PO001' THEN
        NULL;
    END;
    RETURN 'outer' || n;
END $$;
INSERT INTO pool.intake (pool, key) SELECT 'north', enter_more(i)
    FROM generate_series(1, 3) i;
CREATE TABLE form (company text);
CREATE FUNCTION form_entered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pool.intake (pool, key) VALUES ('north', NEW.company);
    RETURN NEW;
END $$;
CREATE TRIGGER enter AFTER INSERT ON form FOR EACH ROW
    EXECUTE FUNCTION form_entered();
INSERT INTO form VALUES ('form1'), ('form2');
SELECT key FROM pool.lead WHERE key ~ '^(inner|outer|lost|form)' ORDER BY id;
-- two loads in one statement
WITH a AS (INSERT INTO pool.intake (pool, key) VALUES ('north', 'cte1')),
     b AS (INSERT INTO pool.intake (pool, key) VALUES ('north', 'cte2'))
SELECT 1;
SELECT key FROM pool.lead WHERE key LIKE 'cte%' ORDER BY key;
-- it rolls back with the transaction, and with a savepoint
BEGIN;
INSERT INTO pool.intake (pool, key) VALUES ('north', 'save1');
SAVEPOINT s;
INSERT INTO pool.intake (pool, key) VALUES ('north', 'save2');
ROLLBACK TO s;
INSERT INTO pool.intake (pool, key) VALUES ('north', 'save3');
COMMIT;
SELECT key FROM pool.lead WHERE key LIKE 'save%' ORDER BY key;
INSERT INTO pool.intake (pool, key) SELECT 'north', 'none' WHERE false;

-- every state has its events
SELECT * FROM pool.verify();
