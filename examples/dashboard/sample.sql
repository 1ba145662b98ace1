-- Three weeks of a small sales team, ending now, for the dashboard to show.  In
-- an empty database, as a superuser:
--
--   psql -f sample.sql -d DATABASE
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pool_ext;

INSERT INTO pool.pool (name, hold_limit, claim_limit, cooldown)
VALUES ('sales', 40, 12, '2 days');
INSERT INTO pool.member (key)
VALUES ('ann'), ('bob'), ('cid'), ('dan'), ('eve');
INSERT INTO pool.membership (pool_id, member_id, role, weight)
SELECT p.id, m.id, CASE m.key WHEN 'eve' THEN 'manager' ELSE 'member' END,
    CASE m.key WHEN 'eve' THEN 0 WHEN 'bob' THEN 2 ELSE 1 END
FROM pool.pool p, pool.member m;

-- the rules were there from the beginning, so that their deadlines are counted
SELECT set_config('pool_ext.clock',
    (date_trunc('day', now()) - interval '21 days')::text, false) \g /dev/null
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, r.name, r.basis, r.after::interval, r.warn::interval[]
FROM pool.pool, (VALUES
    ('first contact in 2 days', 'first_contact', '2 days', '{6 hours}'),
    ('contact every 5 days', 'follow_up', '5 days', '{1 day}'),
    ('deal in 18 days', 'ownership', '18 days', '{}')) r (name, basis, after, warn);

DO $$
DECLARE
    began timestamptz := date_trunc('day', now()) - interval '21 days';
    now_then timestamptz;
    who text;
    lead record;
BEGIN
    PERFORM setseed(0.42);
    FOR day IN 0 .. 20 LOOP
        now_then := began + make_interval(days => day, hours => 9);
        PERFORM set_config('pool_ext.clock', now_then::text, false);
        PERFORM pool.tick();
        INSERT INTO pool.intake (pool, key, name, source, grade, priority)
        SELECT 'sales', format('C%s', 1000 + day * 40 + i),
            (ARRAY['Li Lei', 'Han Mei', 'Jim Green', '王芳', '张伟', 'Lucy King'])
                [1 + floor(random() * 6)],
            (ARRAY['web', 'fair', 'partner'])[1 + floor(random() * 3)],
            (ARRAY['A', 'B', 'C'])[1 + floor(random() * 3)],
            floor(random() * 5)::integer * 20
        FROM generate_series(1, 14 + (day * 5) % 7) i;

        FOREACH who IN ARRAY ARRAY['ann', 'bob', 'cid', 'dan'] LOOP
            now_then := now_then + interval '20 minutes';
            PERFORM set_config('pool_ext.clock', now_then::text, false);
            PERFORM pool.act_as(who);
            PERFORM pool.claim('sales', n => 3 + ascii(who) % 3);
            FOR lead IN SELECT lead_id FROM pool.lead_mine
                WHERE status = 'owned' ORDER BY lead_id
            LOOP
                IF random() < 0.45 THEN
                    PERFORM pool.follow_up(lead.lead_id, 'call');
                    IF random() < 0.12 THEN
                        PERFORM pool.convert(lead.lead_id,
                            floor(random() * 9000)::integer, 'CNY');
                    ELSIF random() < 0.05 THEN
                        PERFORM pool.release(ARRAY[lead.lead_id], 'no need');
                    END IF;
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;
RESET pool_ext.clock;
SELECT count(*) FROM pool.tick() \g /dev/null

-- and this morning's, which nobody has had before
INSERT INTO pool.intake (pool, key, name, source, grade, priority)
SELECT 'sales', format('C%s', 3000 + i), name, 'web', 'A', 90
FROM unnest(ARRAY['李雷', 'Ann Lee', '韩梅梅', 'Tom Fox']) WITH ORDINALITY n (name, i);

-- the dashboard's login: it may act for every member
CREATE ROLE crm LOGIN;
SELECT pool.grant_access('crm', 'service') \g /dev/null
