-- By what a customer is recognised: normalisation, uniqueness, bad shapes.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
INSERT INTO pool.tenant (name, country) VALUES ('default', 'CN'), ('us', 'US'),
    ('gb', 'GB');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'p' FROM pool.tenant;

-- phones of one country written in many ways are one number
SELECT n.country, count(DISTINCT pool.normalise_identity('phone', n.phone,
    n.country)) AS numbers, min(pool.normalise_identity('phone', n.phone,
    n.country)) AS number
FROM (VALUES
    ('CN', '13800138000'), ('CN', '138-0013-8000'), ('CN', '+86 138 0013 8000'),
    ('CN', '0086 138 0013 8000'), ('CN', '86 13800138000'),
    ('CN', '１３８００１３８０００'), ('CN', '＋８６－１３８－００１３－８０００'),
    ('CN', '(+86)13800138000'), ('CN', 'tel:+86-138-0013-8000'),
    ('US', '+1 (212) 555-0100'), ('US', '212.555.0100'), ('US', '001 212 5550100'),
    ('GB', '020 7946 0958'), ('GB', '+44 20 7946 0958'),
    ('GB', '+44 (0)20 7946 0958'), ('GB', '0044 020 79460958'),
    ('IT', '+39 06 1234567'), ('IT', '06 1234567')) n (country, phone)
GROUP BY 1 ORDER BY 1;
-- and these are different ones
SELECT count(DISTINCT pool.normalise_identity('phone', p)) AS numbers
FROM unnest('{13800138000,13800138001,+1 3800138000,010-65551234,
    010-65551234 ext 1,010-65551234x2,021-65551234,400-810-8888}'::text[]) p;
SELECT pool.normalise_identity('phone', '010-65551234 转 12') =
    pool.normalise_identity('phone', '+86 10 6555 1234 ext. 12') AS same;
SELECT pool.normalise_identity('email', e) FROM unnest(
    '{Boss@ACME.cn," boss@acme.cn ",ｂｏｓｓ＠ａｃｍｅ．ｃｎ,ÄRZTE@example.de}'::text[]) e;
SELECT pool.normalise_identity('company', c) FROM unnest(
    '{"ＡＣＭＥ　有限公司","acme 有限公司"}'::text[]) c;
SELECT pool.normalise_identity('tax_id', '９１ ３１０a') AS tax_id,
    pool.normalise_identity('wechat', 'Ann_1') <>
    pool.normalise_identity('wechat', 'ann_1') AS case_counts;
-- nothing is left of these
SELECT k, v, pool.normalise_identity(k, v) FROM (VALUES ('phone', 'unknown'),
    ('phone', ''), ('email', '  '), ('company', E'\t\n'), ('wechat', '　'))
    i (k, v);
SELECT pool.normalise_identity(NULL, 'x') AS null_kind,
    pool.normalise_identity('phone', NULL) AS null_value;
SELECT * FROM t.error($$SELECT pool.normalise_identity('Phone', '1')$$);

-- a country applies to numbers written without one
SELECT outcome FROM pool.enter('us/p', 'u1', identities => '{"phone": "212-555-0100"}');
SELECT outcome FROM pool.enter('us/p', 'u2', identities => '{"phone": "+1 212 555 0100"}');
SELECT outcome FROM pool.enter('gb/p', 'g1', identities => '{"phone": "+1 212 555 0100"}');
-- many of one kind, twice the same, empty ones
SELECT outcome FROM pool.enter('p', 'a', identities => '{"phone":
    ["13800138000", "+86 13800138000", "", null, "n/a"], "email": null,
    "wechat": [], "company": ""}');
SELECT kind, value FROM pool.identity WHERE lead_id = t.id('a');
-- a value is of its kind
SELECT outcome FROM pool.enter('p', 'b', identities => '{"wechat": "+8613800138000"}');
SELECT outcome FROM pool.enter('p', 'c', identities => '{"wecom": "+8613800138000"}');
-- an entry may double two leads; it is told of the first
SELECT outcome, lead_id = t.id('a') AS is_a FROM pool.enter('p', 'd', identities =>
    '{"phone": "13800138000", "wecom": "+8613800138000"}');
-- the key comes before the identities
SELECT outcome, lead_id = t.id('c') AS is_c FROM pool.enter('p', 'c', identities =>
    '{"phone": "13800138000"}');
-- a duplicate gives nothing to the lead it doubles
SELECT outcome FROM pool.enter('p', 'e', identities =>
    '{"phone": "13800138000", "email": "e@x.cn"}');
SELECT outcome FROM pool.enter('p', 'f', identities => '{"email": "e@x.cn"}');
-- edit adds, and is idempotent
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"phone": "13900139000"}');
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"phone": "139 0013 9000"}');
SELECT outcome FROM pool.edit(t.id('b'), identities =>
    '{"email": "b@x.cn", "phone": "13800138000"}');
SELECT kind, value FROM pool.identity WHERE lead_id = t.id('b') ORDER BY 1;
-- a JSON null takes those of its kind away, once, and they are free for others
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"phone": null, "email": "b2@x.cn"}');
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"phone": null, "tax_id": [null]}');
SELECT kind, value FROM pool.identity WHERE lead_id = t.id('b') ORDER BY 1;
SELECT detail FROM t.events(t.id('b')) WHERE kind = 'edited';
SELECT outcome FROM pool.enter('p', 'b3', identities => '{"phone": "13900139000", "email": null}');
-- not by whoever is not shown it
BEGIN;
UPDATE pool.pool SET masked_attributes = '{wechat}', everyone = true WHERE name = 'p';
INSERT INTO pool.member (key) VALUES ('ann');
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"wechat": null}');
SELECT pool.act_as('ann');
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"wechat": null}');
SELECT outcome FROM pool.edit(t.id('b'), identities => '{"email": null}');
ROLLBACK;

-- wrong shapes: an error that names the kind, never the value
SELECT e.* FROM unnest(ARRAY['[]', '"13800138000"', '1', '{"fax": "123"}',
    '{"phone": 13800138000}', '{"phone": true}', '{"phone": {"home": "secret"}}',
    '{"phone": [["secret"]]}', '{"phone": ["secret", 1]}',
    '{"phone": [{"a": "secret"}]}'])
    WITH ORDINALITY i (json, n)
CROSS JOIN LATERAL t.error(format('SELECT pool.enter(%L, %L, identities => %L)',
    'p', 'x', json)) e ORDER BY n;
SELECT e.* FROM t.error(format('SELECT pool.enter(%L, %L, identities => %L)',
    'p', 'x', jsonb_build_object('email', repeat('x', 501)))) e;
SELECT e.* FROM t.error(format('SELECT pool.enter(%L, %L, identities => %L)',
    'p', 'x', jsonb_build_object('email', (SELECT array_agg(i || '@x.cn')
    FROM generate_series(1, 51) i)))) e;
SELECT (t.error($$SELECT pool.edit(t.id('a'), identities => '{"fax": "1"}')$$)).state;
SELECT count(*) FROM pool.lead WHERE key = 'x';
SELECT * FROM pool.verify();
