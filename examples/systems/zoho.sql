-- Zoho CRM: countries and business lines, people in several time zones, who
-- speak several languages; leads come into one pool and go where they belong.
\ir check.sql

INSERT INTO pool.tenant (name, timezone, country)
VALUES ('zoho', 'Europe/London', 'GB');
INSERT INTO pool.pool (tenant_id, name, timezone, country, claim_limit)
SELECT t.id, v.*
FROM pool.tenant t, (VALUES
    ('global', 'Europe/London', 'GB', NULL),
    ('DE', 'Europe/Berlin', 'DE', NULL),
    ('BR', 'America/Sao_Paulo', 'BR', 1)) v;

INSERT INTO pool.member (tenant_id, key, timezone, profile)
SELECT t.id, v.key, v.timezone, v.profile::jsonb
FROM pool.tenant t, (VALUES
    ('anna', 'Europe/Berlin',
        '{"lines": ["crm", "desk"], "languages": ["de", "en"]}'),
    ('bernd', 'Europe/Berlin', '{"lines": ["crm"], "languages": ["de"]}'),
    ('li', 'America/Sao_Paulo', '{"lines": ["crm"], "languages": ["pt"]}'))
    v (key, timezone, profile);
SELECT example.join_pool('DE', 'member', 'anna', 'bernd'),
    example.join_pool('BR', 'member', 'li');

INSERT INTO pool.routing_rule (pool_id, position, name, condition, strategy,
    to_pool_id)
SELECT g.id, v.position, v.name, v.condition::jsonpath, 'hand_over', t.id
FROM pool.pool g, pool.pool t, (VALUES
    (10, 'Germany', '$.country == "DE"', 'DE'),
    (20, 'Brazil', '$.country == "BR"', 'BR'))
    v (position, name, condition, pool)
WHERE g.name = 'global' AND t.name = v.pool;
INSERT INTO pool.routing_rule (pool_id, position, name, member_condition,
    strategy)
SELECT id, 10, 'line and language',
    '$.lines[*] == $line && $.languages[*] == $language', 'least_loaded'
FROM pool.pool WHERE name IN ('DE', 'BR');

-- Country, line and language -----------------------------------------------

SELECT example.expect('country, then line and language decide',
    $$ SELECT outcome, home_pool, member, rule
       FROM pool.enter('zoho/global', 'd1',
           attributes => '{"country": "DE", "line": "desk", "language": "de"}')
    $$, 'assigned,DE,anna,line and language');
SELECT example.expect('of two who could, the one with less in hand',
    $$ SELECT member FROM pool.enter('zoho/global', 'd2',
           attributes => '{"country": "DE", "line": "crm", "language": "de"}')
    $$, 'bernd');
SELECT example.expect('another country, another team',
    $$ SELECT home_pool, member FROM pool.enter('zoho/global', 'b1',
           attributes => '{"country": "BR", "line": "crm", "language": "pt"}')
    $$, 'BR,li');
SELECT example.expect('a language that nobody speaks waits in its country',
    $$ SELECT outcome, home_pool, status FROM pool.enter('zoho/global', 'd3',
           attributes => '{"country": "DE", "line": "crm", "language": "fr"}')
    $$, 'entered,DE,available');
SELECT example.expect('and a country without a rule at the top',
    $$ SELECT home_pool FROM pool.enter('zoho/global', 'f1',
           attributes => '{"country": "FR"}') $$, 'global');

-- Phone numbers of each country --------------------------------------------

SELECT example.expect('a number as it is written in Germany',
    $$ SELECT outcome FROM pool.enter('zoho/DE', 'p1',
           identities => '{"phone": "030 123456"}') $$, 'entered');
SELECT example.expect('is the same as from abroad',
    $$ SELECT outcome, lead_id = example.id('p1') FROM pool.enter('zoho/BR',
           'p2', identities => '{"phone": "+49 30 123456"}') $$,
    'duplicate,t');

-- Time zones ---------------------------------------------------------------

INSERT INTO pool.intake (pool, key) VALUES ('zoho/BR', 't1'), ('zoho/BR', 't2');
SELECT example.expect('one claim a day',
    $$ SELECT a.outcome, b.outcome, b.retry_at
       FROM pool.claim('zoho/BR', 'zoho/li') a,
           pool.claim('zoho/BR', 'zoho/li') b $$,
    'claimed,claim_limit,2030-03-04 11:00:00+08');
CALL example.until('2030-03-04 11:00+08');
SELECT example.expect('which begins at midnight in Brazil',
    $$ SELECT outcome FROM pool.claim('zoho/BR', 'zoho/li') $$, 'claimed');

-- Currencies ---------------------------------------------------------------

SELECT example.expect('amounts keep their currency',
    $$ SELECT a.outcome, b.outcome
       FROM pool.convert(example.id('d1'), 500, 'EUR', 'zoho/anna') a,
           pool.convert(example.id('b1'), 900, 'BRL', 'zoho/li') b $$,
    'converted,converted');
SELECT example.expect('in the lead',
    $$ SELECT key, amount, currency FROM pool.lead
       WHERE status = 'converted' ORDER BY key $$, 'b1,900,BRL; d1,500,EUR');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
