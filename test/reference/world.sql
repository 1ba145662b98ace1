-- The world of the random operations, and the rules of its book.

-- One world for both: a company with two teams, a desk below one of them, and
-- an attic that nothing enters anew, so that often all its leads are barred.
CREATE FUNCTION model.build() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pool.tenant (name, timezone)
    VALUES ('default', 'Asia/Shanghai');
    INSERT INTO pool.pool (name, everyone) VALUES ('company', true);
    INSERT INTO pool.pool (name, parent_id, timezone, hold_limit, claim_limit,
                           claim_interval, cooldown)
    SELECT n.name, c.id, n.timezone, n.hold_limit, n.claim_limit,
           n.claim_interval, n.cooldown
    FROM pool.pool c, (VALUES
        ('north', 'America/New_York', 6, 5, NULL::interval, interval '2 days'),
        ('south', NULL, NULL, 6, '20 minutes', '36 hours'))
        n (name, timezone, hold_limit, claim_limit, claim_interval, cooldown)
    WHERE c.name = 'company';
    INSERT INTO pool.pool (name, parent_id, timezone, hold_limit)
    SELECT 'desk', id, 'Europe/Berlin', 8 FROM pool.pool WHERE name = 'north';
    INSERT INTO pool.pool (name, parent_id, everyone, cooldown)
    SELECT 'attic', id, true, '5 days' FROM pool.pool WHERE name = 'south';

    INSERT INTO pool.pool (name, parent_id, hold_limit, cooldown,
                           route_returned)
    SELECT 'hall', id, 7, '1 day', true FROM pool.pool WHERE name = 'company';

    UPDATE pool.pool SET duplicate_policy = 'touch' WHERE name = 'south';
    UPDATE pool.pool SET route_returned = true
    WHERE name IN ('south', 'attic');
    UPDATE pool.pool SET duplicate_policy = 'link', identity_scope = 'subtree'
    WHERE name = 'north';
    UPDATE pool.pool SET duplicate_policy = 'link' WHERE name = 'desk';
    UPDATE pool.pool SET keep_converted = '3 days' WHERE name = 'company';
    UPDATE pool.pool p SET quarantine_after = 2, quarantine_pool_id = q.id
    FROM pool.pool q WHERE p.name = 'north' AND q.name = 'attic';
    UPDATE pool.pool SET reclaim_limit = 2 WHERE name = 'south';
    UPDATE pool.pool SET reclaim_share = 0.4 WHERE name = 'desk';
    UPDATE pool.pool SET extension_limit = 2 WHERE name = 'north';
    UPDATE pool.pool SET pause_when_away = true, max_pause = '1 day'
    WHERE name = 'south';
    UPDATE pool.pool SET pause_when_away = true WHERE name = 'company';
    UPDATE pool.pool SET catch_up = '90 minutes'
    WHERE name IN ('desk', 'company');
    INSERT INTO pool.calendar (day, is_workday)
    VALUES ('2024-03-08', false), ('2024-03-09', true), ('2024-04-04', false),
           ('2024-04-05', false), ('2024-04-07', true), ('2024-05-01', false);
    UPDATE pool.pool SET reserve_limit = 1, reserve_for = '3 hours';
    UPDATE pool.pool SET protect_limit = 2, protect_for = '3 days'
    WHERE name IN ('north', 'company');

    INSERT INTO pool.member (key, level, profile, timezone, hold_limit)
    SELECT 'm' || i, i % 4,
           (ARRAY['{"regions": ["east", "west"]}', '{"regions": ["east"]}',
                  '{}'])[i % 3 + 1]::jsonb,
           (ARRAY['Europe/London', 'America/Los_Angeles', NULL])[i % 3 + 1],
           CASE WHEN i % 4 = 0 THEN 9 END
    FROM generate_series(1, 10) i;
    UPDATE pool.pool SET newcomer_period = '12 days';
    UPDATE pool.member SET joined_at = '2024-02-25'::timestamptz
        + substr(key, 2)::integer * interval '5 days';
    INSERT INTO pool.membership (pool_id, member_id, tenant_id, role, level,
                                 claim_limit, weight)
    SELECT p.id, m.id, p.tenant_id,
           CASE WHEN m.key = 'm1' THEN 'manager'
                WHEN m.key = 'm10' THEN 'viewer' ELSE 'member' END,
           (ARRAY[0, 3])[m.id % 4],
           CASE WHEN m.key = 'm3' THEN 2 END,
           (ARRAY[1, 2, 0.5, 3, 1, 0])[1 + m.id % 6]
    FROM pool.pool p, pool.member m
    WHERE NOT p.everyone AND (p.id + m.id) % 5 <> 0;

    INSERT INTO pool.timer_rule (tenant_id, pool_id, name, action, basis, after,
                                 remind_before, condition, to_pool_id)
    SELECT p.tenant_id, p.id, r.name, r.action, r.basis, r.after::interval,
           r.remind_before::interval[], r.condition::jsonpath,
           (SELECT id FROM pool.pool WHERE name = r.to_pool)
    FROM pool.pool p JOIN (VALUES
        ('north', 'first call', 'reclaim', 'first_contact', '6 hours',
         '{1 hour}', NULL, NULL),
        ('north', 'idle', 'reclaim', 'follow_up', '2 days', '{1 day,2 hours}',
         NULL, NULL),
        ('north', 'slow', 'escalate', 'follow_up', '20 hours', '{}',
         NULL, NULL),
        ('north', 'unwanted', 'move', 'entry', '3 days', '{4 hours}',
         '$.claims > 0', NULL),
        ('south', 'no deal', 'reclaim', 'ownership', '5 days', '{1 day}',
         NULL, 'company'),
        ('south', 'hot', 'reclaim', 'follow_up', '20 hours', '{}',
         '$.grade == "A"', NULL),
        ('south', 'stuck', 'archive', 'stage', '30 hours', '{3 hours}',
         '$.stage == "s2"', NULL),
        ('south', 'lies about', 'escalate', 'entry', '1 day', '{}', NULL, NULL),
        ('desk', 'idle', 'reclaim', 'follow_up', '3 days', '{}', NULL, NULL),
        ('desk', 'vip', 'reclaim', 'first_contact', '90 minutes', '{}',
         '$.priority >= 50 && $.attempts > 1', NULL),
        ('desk', 'forgotten', 'move', 'planned', '5 hours', '{2 hours}',
         NULL, 'company'),
        ('company', 'too old', 'reclaim', 'creation', '4 days', '{1 day}',
         NULL, 'attic'),
        ('company', 'unchecked', 'archive', 'review', '2 days', '{}',
         NULL, NULL),
        ('attic', 'cleared', 'archive', 'entry', '5 days', '{1 day}',
         '$.claims >= 2', NULL))
        r (pool, name, action, basis, after, remind_before, condition, to_pool)
        ON r.pool = p.name;

    INSERT INTO pool.timer_rule (tenant_id, pool_id, name, action, basis, after,
                                 remind_before, working_time)
    SELECT p.tenant_id, p.id, r.name, r.action, r.basis, r.after::interval,
           r.remind_before::interval[], true
    FROM pool.pool p JOIN (VALUES
        ('hall', 'untouched', 'reclaim', 'follow_up', '10 hours', '{1 hour}'),
        ('hall', 'unseen', 'escalate', 'first_contact', '90 minutes', '{}'),
        ('hall', 'left over', 'move', 'entry', '3 days', '{1 day}'),
        ('south', 'slow', 'escalate', 'follow_up', '1 day 2 hours', '{}'),
        ('company', 'quiet', 'reclaim', 'first_contact', '2 days 3 hours',
         '{1 day,4 hours}'))
        r (pool, name, action, basis, after, remind_before) ON r.pool = p.name;

    PERFORM model.write_book();

    -- the model reads the same
    INSERT INTO model.tenant TABLE pool.tenant;
    INSERT INTO model.pool TABLE pool.pool;
    INSERT INTO model.member TABLE pool.member;
    INSERT INTO model.membership TABLE pool.membership;
    INSERT INTO model.calendar TABLE pool.calendar;
    INSERT INTO model.timer_rule TABLE pool.timer_rule;
    INSERT INTO model.claim_rule TABLE pool.claim_rule;
    INSERT INTO model.entry_rule TABLE pool.entry_rule;
    INSERT INTO model.score_rule TABLE pool.score_rule;
    INSERT INTO model.routing_rule TABLE pool.routing_rule;
    INSERT INTO model.approval_rule TABLE pool.approval_rule;
    INSERT INTO model.dictionary TABLE pool.dictionary;
    INSERT INTO model.world VALUES ('2024-03-05 00:00+00');
END $$;

-- From here on rules may draw lots, and no course is like another.
CREATE FUNCTION model.draw_lots() RETURNS void LANGUAGE sql AS $$
    UPDATE model.world SET lots = true;
    UPDATE pool.routing_rule SET strategy = 'random', enabled = true
    WHERE name = 'by lot';
    UPDATE model.routing_rule SET strategy = 'random', enabled = true
    WHERE name = 'by lot'
$$;

-- The rules of the book.
CREATE FUNCTION model.write_book() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pool.claim_rule (pool_id, name, condition, member_condition,
                                 min_level, approval, head_start)
    SELECT p.id, r.name, r.condition::jsonpath, r.member::jsonpath, r.min_level,
           r.approval, r.head_start::interval
    FROM pool.pool p JOIN (VALUES
        ('north', 'A for seniors', '$.grade == "A"', NULL, 2, false, NULL),
        ('north', 'tried', '$.attempts > 2', NULL, 1, false, NULL),
        ('south', 'own region', '$.attempts > 1', '$.regions[*] == $region', 0,
         false, NULL),
        ('south', 'few', NULL, '$.held < 5', 0, false, NULL),
        ('desk', 'best first', NULL, '$.level >= 1', 2, false, '3 hours'),
        ('desk', 'weighty', '$.priority >= 50', NULL, 0, true, NULL),
        ('attic', 'web', '$.source == "web"', NULL, 1, false, '1 day'))
        r (pool, name, condition, member, min_level, approval, head_start)
        ON r.pool = p.name;
    INSERT INTO pool.approval_rule (pool_id, name, action, condition, step,
                                    expires_after)
    SELECT p.id, r.name, r.action, r.condition::jsonpath, r.step,
           r.expires_after::interval
    FROM pool.pool p JOIN (VALUES
        ('desk', 'head', 'claim', '$.priority >= 50', 1, '8 hours'),
        ('desk', 'board', 'claim', '$.grade == "A"', 3, '3 hours'),
        ('south', 'head', 'claim', '$.attempts == 2', 1, NULL),
        ('south', 'keep', 'release', '$.grade == "C"', 1, '6 hours'),
        ('company', 'head', 'transfer', '$.attempts > 1', 2, '6 hours'),
        ('north', 'head', 'extension', NULL, 1, '5 hours'),
        ('north', 'board', 'extension', '$.priority > 0', 2, '1 day'))
        r (pool, name, action, condition, step, expires_after)
        ON r.pool = p.name;
    INSERT INTO pool.entry_rule (pool_id, position, name, condition, "then",
                                 to_pool_id, grade, reason)
    SELECT p.id, r.position, r.name, r.condition::jsonpath, r."then",
           (SELECT id FROM pool.pool WHERE name = r.to_pool), r.grade, r.reason
    FROM pool.pool p JOIN (VALUES
        ('company', 1, 'spam', '$.name == "n9"', 'reject', NULL, NULL, 'spam'),
        ('company', 2, 'odd', '$.attempts > 2', 'review', NULL, 'C', NULL),
        ('north', 1, 'to the desk', '$.source == "fair"', 'to_pool', 'desk',
         'B', 'theirs'),
        ('north', 1, 'rest', '!exists($.region)', 'accept', NULL, 'A', NULL),
        ('desk', 1, 'back', '$.name == "n1"', 'to_pool', 'north', NULL, NULL),
        ('desk', 2, 'look', '$.name == "n2"', 'review', NULL, NULL, 'twice'))
        r (pool, position, name, condition, "then", to_pool, grade, reason)
        ON r.pool = p.name;
    INSERT INTO pool.score_rule (pool_id, name, condition, points)
    SELECT p.id, r.name, r.condition::jsonpath, r.points
    FROM pool.pool p JOIN (VALUES
        ('south', 'web', '$.source == "web"', 30),
        ('south', 'good', '$.grade == "A"', 90),
        ('south', 'tired', '$.attempts > 2', -20),
        ('south', 'known', '$.follow_ups > 0', 15))
        r (pool, name, condition, points) ON r.pool = p.name;
    INSERT INTO pool.routing_rule (pool_id, position, name, condition,
                                   member_condition, min_level, strategy,
                                   to_pool_id)
    SELECT p.id, r.position, r.name, r.condition::jsonpath, r.member::jsonpath,
           r.min_level, r.strategy, (SELECT id FROM pool.pool
                                     WHERE name = r.to_pool)
    FROM pool.pool p JOIN (VALUES
        ('hall', 1, 'region', '$.region == "east"',
         '$.regions[*] == $region', 0, 'weighted', NULL),
        ('hall', 2, 'good', '$.grade == "A"', NULL, 2, 'least_loaded', NULL),
        ('hall', 2, 'by lot', '$.grade == "B"', NULL, 0, 'performance', NULL),
        ('hall', 3, 'fair', '$.source == "fair"', NULL, 0, 'hand_over',
         'south'),
        ('hall', 3, 'spare', '$.attempts > 2', NULL, 0, 'hand_over', 'desk'),
        ('hall', 4, 'rest', '$.priority < 50', '$.held < 5', 0, 'round_robin',
         NULL),
        ('desk', 1, 'propose', '$.attempts > 1', NULL, 0, 'suggest', NULL),
        ('south', 1, 'fair', '$.source == "fair"', NULL, 1, 'round_robin',
         NULL),
        ('south', 2, 'back', '$.claims > 2', NULL, 0, 'hand_over', 'hall'),
        ('attic', 1, 'old', '$.source == "web"', NULL, 0, 'best_match', NULL))
        r (pool, position, name, condition, member, min_level, strategy, to_pool)
        ON r.pool = p.name;
    UPDATE pool.routing_rule SET newcomer_share = 0.25, newcomer_min = 1
    WHERE name IN ('rest', 'fair') AND strategy = 'round_robin';
    UPDATE pool.routing_rule SET rotate_every = '5 hours', rotate_seats = 2
    WHERE name = 'region';
    UPDATE pool.routing_rule SET expires_after = '2 hours'
    WHERE strategy = 'suggest';
    INSERT INTO pool.dictionary (pool_id, kind, code, counts, "then", after)
    SELECT p.id, w.kind, w.code, w.counts, w."then", w.after::interval
    FROM pool.pool p JOIN (VALUES
        ('north', 'result', 'busy', false, 'call_back', '4 hours'),
        ('north', 'result', 'later', true, 'call_back', '2 days'),
        ('north', 'result', 'void', false, 'archive', NULL),
        ('north', 'result', 'back', true, 'release', NULL),
        ('south', 'result', 'later', true, 'nothing', NULL),
        ('south', 'result', 'cool', true, 'cool', '7 hours'),
        ('north', 'follow_up', 'call', true, 'nothing', NULL),
        ('north', 'follow_up', 'memo', false, 'nothing', NULL),
        ('desk', 'follow_up', 'note', false, 'nothing', NULL),
        ('desk', 'follow_up', 'call', true, 'nothing', NULL),
        ('north', 'release_reason', 'full', true, 'nothing', NULL),
        ('north', 'release_reason', 'slip', false, 'nothing', NULL),
        ('north', 'release_reason', 'rest', true, 'cool', '1 day'),
        ('south', 'archive_reason', 'lost', true, 'nothing', NULL),
        ('south', 'archive_reason', 'never', true, 'never', NULL))
        w (pool, kind, code, counts, "then", after) ON w.pool = p.name;
END $$;
