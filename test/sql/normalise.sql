-- The forms in which identities are compared, country by country.
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/include/helpers.sql'
\set ECHO none
\i :helpers
SELECT pool.normaliser_version();

-- every way to write a number gives one form
SELECT n.country, count(DISTINCT f.form) AS forms, min(f.form) AS form,
    min(f.form) = min(n.form) AS right
FROM (VALUES
    ('CN', '+8613800138000', '13800138000'), ('CN', '+8613800138000', '+86 138 0013 8000'),
    ('CN', '+8613800138000', '86-13800138000'), ('CN', '+8613800138000', '０１３８００１３８０００'),
    ('CN', '+8613800138000', '0086 (0)138 0013 8000'),
    ('DE', '+49301234567', '030 1234567'), ('DE', '+49301234567', '(030) 123-45-67'),
    ('DE', '+49301234567', '+49 (0)30 1234567'), ('DE', '+49301234567', '0049 30/1234567'),
    ('BR', '+5511987654321', '(11) 98765-4321'), ('BR', '+5511987654321', '011 98765-4321'),
    ('BR', '+5511987654321', '0 15 11 98765-4321'), ('BR', '+5511987654321', '+55 11 98765 4321'),
    ('US', '+12125550100', '(212) 555-0100'), ('US', '+12125550100', '1-212-555-0100'),
    ('US', '+12125550100', '+1 212 555 0100'), ('US', '+12125550100', '001.212.555.0100'),
    ('GB', '+442079460958', '020 7946 0958'), ('GB', '+442079460958', '+44 (0)20 7946 0958'),
    ('GB', '+442079460958', '0044-20-79460958'),
    ('FR', '+33123456789', '01 23 45 67 89'), ('FR', '+33123456789', '+33 (0)1 23 45 67 89'),
    ('FR', '+33123456789', '33 1 23 45 67 89'), ('FR', '+33123456789', '0033.1.23.45.67.89'),
    ('JP', '+81312345678', '03-1234-5678'), ('JP', '+81312345678', '０３（１２３４）５６７８'),
    ('JP', '+81312345678', '+81 3 1234 5678'), ('JP', '+81312345678', '+81-03-1234-5678'),
    ('IN', '+919876543210', '98765 43210'), ('IN', '+919876543210', '098765-43210'),
    ('IN', '+919876543210', '91 98765 43210'), ('IN', '+919876543210', '+91-98765-43210'),
    ('HK', '+85223456789', '2345 6789'), ('HK', '+85223456789', '852 2345 6789'),
    ('HK', '+85223456789', '+852-23456789'),
    ('TW', '+886223456789', '02-2345-6789'), ('TW', '+886223456789', '+886 2 2345 6789'),
    ('TW', '+886223456789', '00886 (02) 2345 6789'),
    ('SG', '+6561234567', '6123 4567'), ('SG', '+6561234567', '65 6123 4567'),
    ('SG', '+6561234567', '+65-6123-4567'),
    ('RU', '+79123456789', '8 912 345-67-89'), ('RU', '+79123456789', '+7 912 3456789'),
    ('IT', '+39061234567', '06 1234567'), ('IT', '+39061234567', '+39 06 1234567'),
    ('ZZ', '+12345', '12345'), ('ZZ', '+12345', '+1 2345'))
    n (country, form, phone)
CROSS JOIN LATERAL pool.normalise_identity('phone', n.phone, n.country) f (form)
GROUP BY 1 ORDER BY 1;
-- a Singapore number that begins like its country's code stays whole
SELECT pool.normalise_identity('phone', '6512 3456', 'SG');
-- extensions are kept apart
SELECT DISTINCT pool.normalise_identity('phone', p, 'DE') FROM unnest(
    '{030 1234567 ext. 12,+49 30 1234567x12,030-1234567#12,030 1234567;ext=12,
    030 1234567 转12}'::text[]) p;
SELECT count(DISTINCT pool.normalise_identity('phone', p, 'DE')) AS different
FROM unnest('{030 1234567,030 1234567 x1,030 12345671}'::text[]) p;
-- the pool's country before the tenant's
INSERT INTO pool.tenant (name, country) VALUES ('default', 'CN');
INSERT INTO pool.pool (name, country) VALUES ('cn', NULL), ('de', 'DE');
SELECT outcome FROM pool.enter('cn', 'c', identities => '{"phone": "030 1234567"}');
SELECT outcome FROM pool.enter('de', 'd', identities => '{"phone": "030 1234567"}');
INSERT INTO pool.intake (pool, key, identities) VALUES ('de', 'd2',
    '{"phone": "+49 30 1234567"}');
SELECT outcome, lead_id = t.id('d') AS is_d FROM pool.intake_check();
SELECT outcome FROM pool.edit(t.id('c'), identities => '{"phone": "+49 30 1234567"}');
UPDATE pool.pool SET country = 'FR' WHERE name = 'de';
SELECT outcome FROM pool.edit(t.id('d'), identities => '{"phone": "01 23 45 67 89"}');
SELECT value FROM pool.identity ORDER BY 1;

-- companies: one name each, whatever the legal form
SELECT n.name, count(DISTINCT pool.normalise_identity('company', n.written)) AS forms,
    min(pool.normalise_identity('company', n.written)) = n.name AS right
FROM (VALUES
    ('acme', 'ACME'), ('acme', 'Acme Co., Ltd.'), ('acme', 'Acme, Inc.'),
    ('acme', 'Acme LLC'), ('acme', 'acme l.l.c.'), ('acme', 'ACME GmbH'),
    ('acme', 'Acme G.m.b.H.'), ('acme', 'Acme GmbH & Co. KG'), ('acme', 'Acme AG'),
    ('acme', 'ＡＣＭＥ　有限公司'), ('acme', 'acme股份有限公司'),
    ('acme', 'Acme 有限责任公司'), ('acme', 'Acme Corporation'),
    ('acme', 'Acme Pvt. Ltd.'), ('acme', 'Acme Pte Ltd'), ('acme', 'Acme Ltda.'),
    ('acme', 'Acme S.A.'), ('acme', 'acme 株式会社'), ('acme', '株式会社acme'),
    ('阿里巴巴中国', '阿里巴巴（中国）有限公司'), ('阿里巴巴中国', '阿里巴巴(中国) 有限公司'),
    ('阿里巴巴中国', '阿里巴巴·中国　股份有限公司'),
    ('smith&sons', 'Smith & Sons'), ('smith&sons', 'SMITH & SONS LTD'))
    n (name, written)
GROUP BY 1 ORDER BY 1;
-- and names that only look like forms are left
SELECT c, pool.normalise_identity('company', c) FROM unnest(
    '{Inc,有限公司,Co,Limited Editions,Tesco,Agco,"3M Co","A & B",C++}'::text[]) c;
-- ids of other systems are never touched
SELECT k, v = pool.normalise_identity(k, v) AS same FROM (VALUES
    ('wechat', 'oX_Ab-９ '), ('wecom', ' wm ABC'), ('wechat', '13800138000')) i (k, v);
SELECT pool.normalise_identity('wecom', E' \t　') IS NULL AS nothing;
SELECT pool.normalise_identity('tax_id', ' ９１３１ 0000-ma1k '),
    pool.normalise_identity('email', ' Ann@Ｘ.cn');
SELECT p.provolatile, p.proparallel FROM pg_proc p
WHERE p.oid = 'pool.normalise_identity'::regproc;
SELECT * FROM pool.verify();
