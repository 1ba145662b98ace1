-- Salesforce: leads with a predicted score to who is likeliest to win them, the
-- rest by lot, a service level in working days, and an explanation for each.
\ir check.sql

INSERT INTO pool.tenant (name, timezone, country)
VALUES ('sf', 'America/New_York', 'US');
INSERT INTO pool.pool (tenant_id, name) SELECT id, 'queue' FROM pool.tenant;
INSERT INTO pool.member (tenant_id, key)
SELECT id, unnest(ARRAY['ada', 'ben', 'cho', 'boss']) FROM pool.tenant;
SELECT example.join_pool('queue', 'member', 'ada', 'ben', 'cho'),
    example.join_pool('queue', 'manager', 'boss');

INSERT INTO pool.routing_rule (pool_id, position, name, condition, strategy)
SELECT p.id, v.position, v.name, v.condition::jsonpath, v.strategy
FROM pool.pool p, (VALUES
    (10, 'predicted', '$.score >= 70', 'best_match'),
    (20, 'rest', '$.score < 70', 'random'))
    v (position, name, condition, strategy);
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after,
    working_time, notify)
SELECT id, 'SLA 2 working days', 'escalate', 'first_contact',
    interval '2 days', true, 'manager'
FROM pool.pool;

-- What was won of late -----------------------------------------------------

INSERT INTO pool.intake (pool, key, source, owner)
SELECT 'sf/queue', 'old' || i, 'web',
    CASE WHEN i <= 10 THEN 'sf/ada' ELSE 'sf/ben' END
FROM generate_series(1, 20) i;
SELECT example.expect('ada wins what comes from the web, ben does not',
    $$ SELECT count(*) FILTER (WHERE c.outcome = 'converted'),
           count(*) FILTER (WHERE r.outcome = 'released')
       FROM generate_series(1, 9) i,
           pool.convert(example.id('old' || i), 100, 'USD', 'sf/ada') c,
           pool.release(example.ids('old' || i + 10), member => 'sf/ben') r $$,
    '9,9');
CALL example.until('2030-03-04 12:00+08');

-- Assignment ---------------------------------------------------------------

INSERT INTO pool.intake (pool, key, source, attributes)
SELECT 'sf/queue', 's' || i, 'web', '{"score": 90}'
FROM generate_series(1, 20) i;
SELECT example.expect('high scores go to who wins such leads, most of them',
    $$ SELECT bool_and(l.status = 'owned'),
           count(*) FILTER (WHERE m.key = 'ada')
               > count(*) FILTER (WHERE m.key = 'ben')
       FROM pool.lead l LEFT JOIN pool.member m ON m.id = l.owner_id
       WHERE l.key LIKE 's%' $$, 't,t');
SELECT example.expect('each event lists the candidates, scores and chance',
    $$ SELECT count(*),
           bool_and(jsonb_array_length(detail -> 'candidates') = 3),
           bool_and((detail ->> 'probability')::numeric > 0)
       FROM pool.lead_event WHERE key ~ '^s\d' AND kind = 'assigned' $$,
    '20,t,t');

INSERT INTO pool.intake (pool, key, source, attributes)
SELECT 'sf/queue', 'r' || i, 'web', '{"score": 20}'
FROM generate_series(1, 60) i;
SELECT example.expect('low ones by lot: everybody gets some',
    $$ SELECT count(DISTINCT owner_id), bool_and(status = 'owned')
       FROM pool.lead WHERE key LIKE 'r%' $$, '3,t');

-- A score that comes later -------------------------------------------------

SELECT example.expect('without a score there is no rule',
    $$ SELECT outcome, status FROM pool.enter('sf/queue', 'late',
           source => 'web') $$, 'entered,available');
SELECT example.expect('the model writes its score',
    $$ SELECT outcome FROM pool.edit(example.id('late'),
           attributes => '{"score": 81}') $$, 'ok');
SELECT example.expect('why would whom get it now?',
    $$ SELECT DISTINCT rule FROM pool.explain_assign(example.id('late'))
       WHERE test = 'chosen' $$, 'predicted');
SELECT example.expect('and it is given',
    $$ SELECT outcome, key, rule FROM pool.auto_assign('sf/queue', 10)
       WHERE key = 'late' $$, 'assigned,late,predicted');

-- Two working days ---------------------------------------------------------

-- New York: Sunday evening now; working time begins on Monday at nine.
INSERT INTO pool.calendar (tenant_id, day, is_workday)
SELECT id, '2030-03-05', false FROM pool.tenant;
SELECT example.expect('holidays and nights do not count',
    $$ SELECT due_at FROM pool.lead_due WHERE key = 's1' $$,
    '2030-03-07 07:00:00+08');
CALL example.until('2030-03-07 06:00+08');
SELECT example.expect('not yet',
    $$ SELECT count(*) FROM pool.lead_event WHERE kind = 'escalated' $$, '0');
CALL example.until('2030-03-07 08:00+08');
SELECT example.expect('then the manager is told, and the owner keeps it',
    $$ SELECT e.detail ->> 'notify', l.status FROM pool.lead_event e
       JOIN pool.lead l ON l.id = e.lead_id
       WHERE e.key = 's1' AND e.kind = 'escalated' $$, 'manager,owned');
SELECT example.expect('nothing contradicts anything',
    $$ SELECT * FROM pool.verify() $$, '');
