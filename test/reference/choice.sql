-- Random operations on what the rule book adds, what administrators change, and
-- the choice among all of them.

-- hide, unhide, review
CREATE FUNCTION model.ask_manager(verb text, moment timestamptz)
RETURNS model.question LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads(CASE verb WHEN 'review' THEN 'review'
                                                ELSE 'available' END);
    until   text := model.one_of((moment + interval '90 minutes')::text, NULL);
    way     text := model.one_of('accept', 'accept', 'reject');
BEGIN
    IF verb = 'unhide' THEN
        keys := keys || (SELECT array_agg(key ORDER BY key) FROM model.lead
                         WHERE hidden_until > moment);
    END IF;
    RETURN CASE verb
        WHEN 'hide' THEN (
            format('SELECT * FROM model.hide(%L, %L, %L)', keys, moment, until),
            format('SELECT outcome, key FROM pool.hide(%L, %L)',
                   model.ids(keys), until))::model.question
        WHEN 'unhide' THEN (
            format('SELECT * FROM model.unhide(%L, %L)', keys, moment),
            format('SELECT outcome, key FROM pool.unhide(%L)',
                   model.ids(keys)))::model.question
        ELSE (
            format('SELECT * FROM model.review(%L, %L, %L)', keys, way, moment),
            format('SELECT outcome, key FROM pool.review(%L, %L)',
                   model.ids(keys), way))::model.question
    END;
END $$;

CREATE FUNCTION model.ask_protect(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads('owned');
    member  text := model.mostly_owner(keys[1], 0.8);
    span    text := model.one_of('3 hours', '1 day', '3 days', '10 days', NULL);
BEGIN
    IF model.chance(0.3) THEN
        keys := keys || (SELECT array_agg(key ORDER BY key) FROM model.lead
                         WHERE protected_until > moment);
        RETURN (format('SELECT * FROM model.unprotect(%L, %L, %L)',
                       keys, member, moment),
                format('SELECT outcome, key FROM pool.unprotect(%L, '
                       'member => %L)', model.ids(keys), member));
    END IF;
    RETURN (format('SELECT * FROM model.protect(%L, %L, %L, %L)',
                   keys, member, moment, span),
            format('SELECT outcome, key FROM pool.protect(%L, span => %L, '
                   'member => %L)', model.ids(keys), span, member));
END $$;

-- reserve, unreserve: the latter mostly by whoever keeps one
CREATE FUNCTION model.ask_reserve(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads('available');
    member  text := model.some_member();
    span    text := model.one_of('2 minutes', '1 hour', '4 hours', NULL, NULL);
    salt    text := random()::text;
BEGIN
    IF model.chance(0.5) THEN       -- who might claim the first one, if he may
        SELECT m.key INTO member FROM model.member m, model.lead l
        WHERE l.key = keys[1] AND model.may_own(l.pool_id, m.id)
          AND (model.refusal(l.pool_id, m.id, moment, 9e18::bigint)).outcome
              IS NULL
        ORDER BY hashtext(m.key || salt), m.key LIMIT 1;
        keys := keys || ARRAY(SELECT o.key FROM model.lead l
                              JOIN model.lead o USING (pool_id)
                              WHERE l.key = keys[1] AND o.status = 'available'
                              ORDER BY hashtext(o.key || salt), o.key LIMIT 2);
        member := coalesce(member, 'm1');
    END IF;
    IF model.chance(0.3) THEN
        SELECT m.key, l.key || keys INTO member, keys
        FROM model.lead l JOIN model.member m ON m.id = l.reserved_for
        WHERE l.hidden_until > moment
        ORDER BY hashtext(l.key || salt), l.key LIMIT 1;
        member := coalesce(member, 'm1');
        keys := coalesce(keys, '{none}');
        RETURN (format('SELECT * FROM model.unreserve(%L, %L, %L)',
                       keys, member, moment),
                format('SELECT outcome, key FROM pool.unreserve(%L, '
                       'member => %L)', model.ids(keys), member));
    END IF;
    RETURN (format('SELECT * FROM model.reserve(%L, %L, %L, %L)',
                   keys, member, span, moment),
            format('SELECT outcome, key, reserved_until, retry_at, '
                   'CASE WHEN outcome LIKE ''%%limit'' THEN limit_value END, '
                   'CASE WHEN outcome LIKE ''%%limit'' THEN used END '
                   'FROM pool.reserve(%L, %L, member => %L)', model.ids(keys),
                   span, member));
END $$;

-- One lead into another, often of the same owner or customer.
CREATE FUNCTION model.ask_merge(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    lead    text := model.any_lead(model.one_of('available', 'owned'));
    other   text := model.any_lead(model.one_of('available', 'owned', 'owned',
                                                'converted', 'archived'));
    salt    text := random()::text;
BEGIN
    IF model.chance(0.4) THEN
        SELECT o.key INTO other FROM model.lead l JOIN model.lead o
            ON o.key <> l.key AND (o.owner_id = l.owner_id
                                   OR o.customer = l.customer)
        WHERE l.key = lead ORDER BY hashtext(o.key || salt), o.key LIMIT 1;
    ELSIF model.chance(0.3) THEN
        SELECT key INTO lead FROM model.lead l
        WHERE status = 'available' AND EXISTS (
            SELECT FROM model.customer WHERE name = l.customer)
        ORDER BY hashtext(key || salt), key LIMIT 1;
    END IF;
    lead := coalesce(lead, 'none');
    other := CASE WHEN other <> lead THEN other ELSE 'nobody' END;
    RETURN (format('SELECT model.merge(%L, %L, %L)', lead, other, moment),
            format('SELECT outcome FROM pool.merge(%s, %s)',
                   model.id(lead), model.id(other) + (other = 'nobody')::integer));
END $$;

-- Who helps with which lead: one of these, if there is any.
CREATE FUNCTION model.any_helper(OUT lead text, OUT helper text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    salt    text := random()::text;
BEGIN
    SELECT c.key, m.key INTO lead, helper
    FROM (SELECT * FROM model.collaborator ORDER BY key, member_id) c
         JOIN model.member m ON m.id = c.member_id
    ORDER BY hashtext(c.key || m.key || salt), c.key, m.key LIMIT 1;
    lead := coalesce(lead, 'none');
    helper := coalesce(helper, 'm1');
END $$;

CREATE FUNCTION model.ask_helper(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    lead    text := model.any_lead('owned');
    helper  text := model.some_member();
    actor   text := model.mostly_owner(lead, 0.8);
    role    text := model.one_of('helper', 'mentor', 'deputy');
    counts  boolean := model.chance(0.6);
BEGIN
    IF model.chance(0.25) THEN
        SELECT h.lead, h.helper INTO lead, helper FROM model.any_helper() h;
        actor := CASE WHEN model.chance(0.3) THEN helper
                      ELSE model.mostly_owner(lead, 0.8) END;
        RETURN (format('SELECT model.remove_collaborator(%L, %L, %L, %L)',
                       lead, helper, actor, moment),
                format('SELECT outcome FROM pool.remove_collaborator(%s, %L, '
                       '%L)', model.id(lead), helper, actor));
    END IF;
    RETURN (format('SELECT model.add_collaborator(%L, %L, %L, %L, %L, %L)',
                   lead, helper, role, counts, actor, moment),
            format('SELECT outcome FROM pool.add_collaborator(%s, %L, %L, %L, '
                   '%L)', model.id(lead), helper, role, counts, actor));
END $$;

CREATE FUNCTION model.ask_auto_assign(moment timestamptz)
RETURNS model.question LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    pool    text := CASE WHEN model.chance(0.7)
                THEN model.one_of('hall', 'hall', 'south', 'attic')
                ELSE model.any_pool() END;
    n       text := model.one_of('1', '3', NULL);
BEGIN
    RETURN (format('SELECT * FROM model.auto_assign(%L, %L, %L)',
                   pool, n, moment),
            format('SELECT outcome, key, member, rule '
                   'FROM pool.auto_assign(%L, %L)', pool, n));
END $$;

CREATE FUNCTION model.ask_request(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    lead    text;
    member  text;
    receiver text := model.some_member();
BEGIN
    IF model.chance(0.5) THEN
        lead := CASE WHEN model.chance(0.7) THEN
            (SELECT key FROM model.lead l WHERE status = 'available'
             AND EXISTS (SELECT FROM model.approval_rules(l, 'claim'))
             ORDER BY hashtext(key || moment), key LIMIT 1) END;
        lead := coalesce(lead, model.any_lead('available'));
        member := model.some_member();
        RETURN (format('SELECT * FROM model.request_claim(%L, %L, %L)',
                       lead, member, moment),
                format('SELECT outcome, expires_at FROM pool.request_claim(%s, '
                       'member => %L)', model.id(lead), member));
    END IF;
    lead := model.any_lead('owned');
    member := model.mostly_owner(lead, 0.8);
    IF model.chance(0.3) THEN
        RETURN (format('SELECT * FROM model.request_leave(%L, %L, %L, %L, %L)',
                       'transfer', lead, receiver, member, moment),
                format('SELECT outcome, expires_at FROM pool.request_transfer('
                       '%s, %L, member => %L)', model.id(lead), receiver,
                       member));
    END IF;
    RETURN (format('SELECT * FROM model.request_extension(%L, %L, %L, %L)',
                   lead, '6 hours', member, moment),
            format('SELECT outcome, expires_at FROM pool.request_extension(%s, '
                   '%L, member => %L)', model.id(lead), '6 hours', member));
END $$;

-- approve, reject, cancel: requests have the same order on both sides
CREATE FUNCTION model.ask_decision(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    a       record;
    theirs  bigint;
    member  text;
    manager text;
BEGIN
    SELECT no, status, asker_id,
           row_number() OVER (ORDER BY no) AS place INTO a
    FROM model.approval ORDER BY status <> 'open' AND model.chance(0.9),
         random() LIMIT 1;
    IF NOT found THEN
        RETURN model.ask_request(moment);
    END IF;
    SELECT id INTO theirs FROM pool.approval ORDER BY id OFFSET a.place - 1
    LIMIT 1;
    IF model.chance(0.6) THEN
        IF model.chance(0.5) THEN
            SELECT m.key INTO manager FROM model.member m
            WHERE m.status = 'active' AND model.manages((SELECT pool_id
                FROM pool.approval WHERE id = theirs), m.id)
            ORDER BY random() LIMIT 1;
        END IF;
        RETURN (format('SELECT * FROM model.approve(%s, %L, %L)', a.no, moment,
                       manager),
                format('SELECT outcome, key, reason, step FROM '
                       'pool.approve(%s, actor => %L)', theirs, manager));
    ELSIF model.chance(0.5) THEN
        RETURN (format('SELECT * FROM model.refuse(%s, NULL, %L, %L)', a.no,
                       'rejected', moment),
                format('SELECT outcome, key FROM pool.reject(%s)', theirs));
    END IF;
    member := CASE WHEN model.chance(0.8)
        THEN (SELECT key FROM model.member WHERE id = a.asker_id)
        ELSE model.some_member() END;
    RETURN (format('SELECT * FROM model.refuse(%s, %L, %L, %L)', a.no,
                   member, 'cancelled', moment),
            format('SELECT outcome, key FROM pool.cancel_request(%s, %L)',
                   theirs, member));
END $$;

-- set_away, mostly for some hours; set_active
CREATE FUNCTION model.ask_status(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    member  text := model.some_member();
    until   text := model.one_of((moment + interval '40 minutes')::text,
                                 (moment + interval '5 hours')::text,
                                 (moment + interval '1 day')::text, NULL);
BEGIN
    IF model.chance(0.6) THEN
        RETURN (format('SELECT * FROM model.set_status(%L, %L, %L)',
                       member, 'away', until),
                format('SELECT * FROM pool.set_away(%L, %L)', member, until));
    END IF;
    IF model.chance(0.7) THEN
        member := coalesce((SELECT key FROM model.member WHERE status = 'away'
                            ORDER BY hashtext(key || moment), key LIMIT 1),
                           member);
    END IF;
    RETURN (format('SELECT * FROM model.set_status(%L, %L, NULL)',
                   member, 'active'),
            format('SELECT * FROM pool.set_active(%L)', member));
END $$;

-- often by whoever had the first of them last
CREATE FUNCTION model.ask_claim_leads(moment timestamptz)
RETURNS model.question LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    keys    text[] := model.any_leads('available');
    member  text;
BEGIN
    IF model.chance(0.3) THEN
        SELECT m.key INTO member FROM model.lead l
        JOIN model.member m ON m.id = l.last_owner_id WHERE l.key = keys[1];
    END IF;
    RETURN model.claim_leads_question(
        keys, coalesce(member, model.any_member()), moment);
END $$;

CREATE FUNCTION model.any_rule(rules regclass) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    rule    integer;
BEGIN
    EXECUTE format('SELECT id FROM %s ORDER BY hashtext(id || $1), id LIMIT 1',
                   rules)
    INTO rule USING random()::text;
    RETURN coalesce(rule, 0);
END $$;

-- The rules of the book, in both schemas alike.
CREATE FUNCTION model.change_rule() RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    pool    integer := model.any_rule('model.pool');
    member  integer := model.any_rule('model.member');
    book    text := model.one_of('claim_rule', 'entry_rule', 'dictionary',
                                 'dictionary', 'score_rule',
                                 'approval_rule');
BEGIN
    RETURN CASE model.upto(28)
        WHEN 1 THEN format('member SET level = %s WHERE id = %s',
            model.upto(4) - 1, member)
        WHEN 2 THEN format('membership SET level = %L '
            'WHERE pool_id = %s AND member_id = %s',
            model.one_of('0', '2', NULL), pool, member)
        WHEN 3 THEN format('claim_rule SET min_level = %s WHERE id = %s',
            model.upto(4) - 1, model.any_rule('model.claim_rule'))
        WHEN 4 THEN format('claim_rule SET head_start = %L WHERE id = %s',
            model.one_of('2 hours', '1 day', NULL),
            model.any_rule('model.claim_rule'))
        WHEN 5 THEN format('pool SET duplicate_policy = %L WHERE id = %s',
            model.one_of('reject', 'touch', 'link'), pool)
        WHEN 6 THEN format('pool SET review = %L WHERE id = %s',
            model.chance(0.2), pool)
        WHEN 7 THEN format('pool SET keep_converted = %L WHERE id = %s',
            model.one_of('2 days', NULL), pool)
        WHEN 8 THEN format('pool SET follow_up_requires = %L, '
            'follow_up_min_chars = %L WHERE id = %s',
            model.one_of('{}', '{}', '{note}', '{result,next_at}', '{stage}'),
            model.one_of(NULL, '3'), pool)
        WHEN 9 THEN format('pool SET protect_limit = %L, protect_for = %L '
            'WHERE id = %s', model.one_of('1', '2', NULL),
            model.one_of('2 days', '1 month', NULL), pool)
        WHEN 10 THEN format('pool SET quarantine_after = %L WHERE id = %s',
            model.one_of('1', '3', NULL), pool)
        WHEN 11 THEN format('timer_rule SET notice_required = %L '
            'WHERE id = %s AND array_length(remind_before, 1) > 0',
            model.chance(0.5), model.any_rule('model.timer_rule'))
        WHEN 12 THEN format('score_rule SET points = %L WHERE id = %s',
            model.one_of('-30', '20', '60'), model.any_rule('model.score_rule'))
        WHEN 13 THEN format('pool SET reserve_limit = %L, reserve_for = %L '
            'WHERE id = %s', model.one_of('0', '1', '3', NULL),
            model.one_of('1 minute', '30 minutes', '2 hours'), pool)
        WHEN 14 THEN format('routing_rule SET strategy = %L '
            'WHERE id = %s AND to_pool_id IS NULL AND strategy <> ''suggest''',
            model.one_of('round_robin', 'weighted', 'least_loaded',
                'performance', 'best_match', CASE WHEN
                    (SELECT lots FROM model.world) THEN 'random'
                    ELSE 'weighted' END),
            model.any_rule('model.routing_rule'))
        WHEN 15 THEN format('membership SET weight = %L '
            'WHERE pool_id = %s AND member_id = %s',
            model.one_of('0', '0.7', '2', '5'), pool, member)
        WHEN 16 THEN format('routing_rule SET enabled = %L WHERE id = %s',
            model.chance(0.8), model.any_rule('model.routing_rule'))
        WHEN 18 THEN format('pool SET reclaim_limit = %L, reclaim_share = %L '
            'WHERE id = %s', model.one_of('1', '2', '4', NULL, NULL),
            model.one_of('0.3', NULL, NULL, NULL), pool)
        WHEN 19 THEN format('routing_rule SET rotate_every = %L, '
            'rotate_seats = 2 WHERE id = %s AND rotate_every IS NOT NULL',
            model.one_of('1 hour', '1 day'),
            model.any_rule('model.routing_rule'))
        WHEN 20 THEN format('routing_rule SET newcomer_share = %L '
            'WHERE id = %s', model.one_of('0', '0.1', '0.5'),
            model.any_rule('model.routing_rule'))
        WHEN 21 THEN format('pool SET pause_when_away = %L, max_pause = %L '
            'WHERE id = %s', model.chance(0.5),
            model.one_of('5 hours', '2 days', NULL), pool)
        WHEN 22 THEN format('pool SET catch_up = %L WHERE id = %s',
            model.one_of('40 minutes', '5 hours', '1 day', NULL, NULL), pool)
        WHEN 23 THEN format('timer_rule SET working_time = %L WHERE id = %s',
            model.chance(0.5), model.any_rule('model.timer_rule'))
        WHEN 24 THEN model.one_of(
            'tenant SET work_from = ''08:30'', work_until = ''17:00''',
            'tenant SET work_from = ''09:00'', work_until = ''18:00''',
            'tenant SET workdays = ''{1,2,3,4,5}''',
            'tenant SET workdays = ''{1,2,4,5,6}''',
            'calendar SET is_workday = NOT is_workday')
        WHEN 17 THEN format('pool SET route_returned = %L WHERE id = %s',
            model.chance(0.6), pool)
        ELSE format('%s SET enabled = %L WHERE id = %s', book,
            model.chance(0.7), model.any_rule(('model.' || book)::regclass))
    END;
END $$;

-- An administrator changes something, in both schemas alike.
CREATE FUNCTION model.ask_configure() RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    pool    integer := (SELECT min(id) + model.upto(count(*)::integer) - 1
                        FROM model.pool);
    someone text := model.some_member();
    member  integer := (SELECT id FROM model.member WHERE key = someone);
    tenant  integer := (SELECT max(tenant_id) FROM model.membership);
    rule    integer := (SELECT min(id) + model.upto(count(*)::integer) - 1
                        FROM model.timer_rule);
    change  text;
BEGIN
    change := CASE model.upto(16)
        WHEN 1 THEN format('pool SET hold_limit = %L WHERE id = %s',
            model.one_of('0', '3', '6', '9', NULL), pool)
        WHEN 2 THEN format('pool SET claim_limit = %L WHERE id = %s',
            model.one_of('0', '2', '4', '8', NULL), pool)
        WHEN 3 THEN format('pool SET claim_interval = %L WHERE id = %s',
            model.one_of('10 minutes', '1 hour', '1 day', NULL), pool)
        WHEN 4 THEN format('pool SET cooldown = %L WHERE id = %s',
            model.one_of('3 hours', '2 days', '1 month', NULL), pool)
        WHEN 5 THEN format('pool SET enabled = %L WHERE id = %s',
            model.chance(0.85), pool)
        WHEN 6 THEN format('pool SET timezone = %L WHERE id = %s',
            model.one_of('America/New_York', 'Asia/Kolkata', 'Europe/Berlin',
                         NULL), pool)
        WHEN 7 THEN format('member SET status = %L WHERE id = %s',
            model.one_of('away', 'leaving', 'left'), member)
        WHEN 8 THEN format('member SET status = %L WHERE id %% 2 = %s',
            'active', model.upto(2) - 1)
        WHEN 9 THEN format('member SET hold_limit = %L WHERE id = %s',
            model.one_of('4', '12', NULL), member)
        WHEN 10 THEN format('member SET timezone = %L WHERE id = %s',
            model.one_of('Pacific/Auckland', 'America/Los_Angeles',
                         'America/Havana', NULL), member)
        WHEN 11 THEN format('membership SET role = %L '
            'WHERE pool_id = %s AND member_id = %s',
            model.one_of('member', 'member', 'manager', 'viewer'),
            pool, member)
        WHEN 12 THEN format('membership SET hold_limit = %L, claim_limit = %L '
            'WHERE pool_id = %s AND member_id = %s',
            model.one_of('2', '5', NULL), model.one_of('1', '6', NULL),
            pool, member)
        WHEN 13 THEN format('timer_rule SET enabled = %L WHERE id = %s',
            model.chance(0.7), rule)
        -- but not to less than its reminders, which is refused
        WHEN 14 THEN format('timer_rule SET after = greatest(%L, (SELECT '
            'max(n) FROM unnest(remind_before) n)) WHERE id = %s',
            model.one_of('5 hours', '30 hours', '2 days', '4 days'), rule)
    END;
    IF model.chance(0.4) THEN
        change := model.change_rule();
    END IF;
    IF change IS NOT NULL THEN
        RETURN ('UPDATE model.' || change, 'UPDATE pool.' || change);
    ELSIF EXISTS (SELECT FROM model.membership
                  WHERE pool_id = pool AND member_id = member) THEN
        IF model.chance(0.85) THEN
            RETURN model.ask_configure();
        END IF;
        change := format('membership WHERE pool_id = %s AND member_id = %s',
                         pool, member);
        RETURN ('DELETE FROM model.' || change, 'DELETE FROM pool.' || change);
    END IF;
    change := format('membership (pool_id, member_id, tenant_id) '
                     'VALUES (%s, %s, %s)', pool, member, tenant);
    RETURN ('INSERT INTO model.' || change, 'INSERT INTO pool.' || change);
END $$;

CREATE FUNCTION model.any_question(moment timestamptz) RETURNS model.question
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    stock   integer := (SELECT count(*) FROM model.lead
                        WHERE status = 'available');
    dice    integer := model.upto(121);
BEGIN
    IF stock < 20 AND model.chance(0.3) THEN
        dice := model.upto(18);
    ELSIF stock > 60 AND dice <= 14 AND model.chance(0.8) THEN
        dice := 14 + model.upto(86);
    END IF;
    RETURN CASE
        WHEN dice <= 12 THEN model.ask_enter(moment)
        WHEN dice <= 14 THEN model.ask_intake(moment)
        WHEN dice <= 18 THEN model.ask_edit(moment)
        WHEN dice <= 34 THEN model.claim_question(
            model.any_pool(), model.any_member(),
            model.one_of('1', '1', '1', '2', '3', '8')::integer, moment,
            model.one_of(NULL, NULL, NULL, '{"source": "web"}',
                '{"attempts": [1, "2"], "grade": null}')::jsonb)
        WHEN dice <= 43 THEN model.ask_claim_leads(moment)
        WHEN dice <= 47 THEN model.ask_give('assign', moment)
        WHEN dice <= 51 THEN model.ask_give('transfer', moment)
        WHEN dice <= 57 THEN model.ask_give('release', moment)
        WHEN dice <= 59 THEN model.ask_put('reclaim', moment)
        WHEN dice <= 62 THEN model.ask_put('reopen', moment)
        WHEN dice <= 64 THEN model.ask_put('move', moment)
        WHEN dice <= 66 THEN model.ask_archive(moment)
        WHEN dice <= 74 THEN model.ask_follow_up(moment)
        WHEN dice <= 77 THEN model.ask_convert(moment)
        WHEN dice <= 79 THEN model.ask_manager('hide', moment)
        WHEN dice <= 80 THEN model.ask_manager('unhide', moment)
        WHEN dice <= 82 THEN model.ask_manager('review', moment)
        WHEN dice <= 84 THEN model.ask_protect(moment)
        WHEN dice <= 87 THEN model.ask_helper(moment)
        WHEN dice <= 89 THEN model.ask_request(moment)
        WHEN dice <= 91 THEN model.ask_decision(moment)
        WHEN dice <= 95 THEN model.ask_tick(moment)
        WHEN dice <= 100 THEN model.ask_configure()
        WHEN dice <= 104 THEN model.ask_reserve(moment)
        WHEN dice <= 107 THEN model.ask_merge(moment)
        WHEN dice <= 111 THEN model.ask_auto_assign(moment)
        WHEN dice <= 117 THEN model.ask_run(moment)
        WHEN dice <= 119 THEN model.ask_status(moment)
        ELSE model.ask_removal(moment)
    END;
END $$;
