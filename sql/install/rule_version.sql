-- Versions of rules, and the rules in force in words.

CREATE FUNCTION pool.rule_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'pool_rule_written'
    LANGUAGE C;
COMMENT ON FUNCTION pool.rule_written() IS
    'Trigger: every version of a rule is kept in rule_version.';

CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.pool
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.membership
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.timer_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.claim_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.entry_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.score_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.routing_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.approval_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.reward_rule
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();
CREATE TRIGGER rule_written AFTER INSERT OR UPDATE OR DELETE ON pool.dictionary
    FOR EACH ROW EXECUTE FUNCTION pool.rule_written();

CREATE TRIGGER merge_state BEFORE INSERT ON pool.rule_version
    FOR EACH ROW EXECUTE FUNCTION pool.merge_state();

-- What each enabled rule says.  Not granted to anyone: it asks nobody.
CREATE VIEW pool.rule_words AS
SELECT p.id AS pool_id, 'pool' AS rule_table, p.id AS rule_id, p.name,
    concat_ws('; ',
        CASE WHEN p.everyone THEN 'open to every member of the tenant' END,
        'a member holds at most ' || p.hold_limit || ' leads',
        'claims at most ' || p.claim_limit || ' a day',
        'claims once in ' || p.claim_interval,
        'waits ' || p.cooldown || ' before he may have a lead again',
        CASE WHEN p.masked_attributes <> '{}'
            THEN 'masked before the claim: '
                || array_to_string(p.masked_attributes, ', ') END,
        CASE WHEN p.follow_up_requires <> '{}'
            THEN 'a follow-up needs '
                || array_to_string(p.follow_up_requires, ', ') END,
        'a note has at least ' || p.follow_up_min_chars || ' characters',
        CASE p.duplicate_policy
            WHEN 'reject' THEN 'a known customer is refused'
            WHEN 'touch' THEN 'a known customer is told to his owner'
            ELSE 'a known customer is linked' END,
        CASE WHEN p.review THEN 'entries are reviewed' END,
        CASE WHEN p.route_returned THEN 'what comes back is routed' END,
        'a converted customer stays with his owner for ' || p.keep_converted,
        CASE WHEN p.pause_when_away
            THEN 'clocks pause while the owner is away'
                || coalesce(', at most ' || p.max_pause, '') END,
        'protects at most ' || p.protect_limit || ' leads',
        'protection lasts at most ' || p.protect_for,
        'at most ' || p.extension_limit || ' extensions in a spell',
        CASE WHEN p.reserve_limit IS DISTINCT FROM 5
            THEN 'reserves ' || coalesce('at most ' || p.reserve_limit
                || ' leads', 'any number of leads') END,
        CASE WHEN p.reserve_for <> '10 minutes'
            THEN 'a reservation lasts at most ' || p.reserve_for END,
        'reveals at most ' || p.reveal_limit || ' a day',
        'after ' || p.quarantine_after
            || ' spells without a result a lead goes to '
            || (SELECT q.name FROM pool.pool q
                WHERE q.id = p.quarantine_pool_id),
        'timers reclaim at most ' || p.reclaim_limit || ' leads a day',
        'timers reclaim at most '
            || trim_scale(p.reclaim_share * 100)
            || ' % of the owned leads a day',
        CASE WHEN NOT p.enabled THEN 'disabled: nobody may claim' END)
        AS words
FROM pool.pool p
UNION ALL
SELECT r.pool_id, 'timer_rule', r.id, r.name,
    CASE r.action
        WHEN 'reclaim' THEN 'taken back'
        WHEN 'move' THEN 'moved'
        WHEN 'archive' THEN 'archived'
        ELSE 'reported to ' || CASE r.notify
            WHEN 'owner' THEN 'the owner'
            WHEN 'manager' THEN 'the manager'
            ELSE 'the manager above' END
    END
    || coalesce(' to ' || (SELECT q.name FROM pool.pool q
                            WHERE q.id = r.to_pool_id), '')
    || ' ' || r.after
    || CASE WHEN r.working_time THEN ' of working time' ELSE '' END
    || CASE r.basis
        WHEN 'first_contact'
            THEN ' after the owner got it, without a follow-up'
        WHEN 'follow_up' THEN ' after the last follow-up'
        WHEN 'ownership' THEN ' after the owner got it, without a deal'
        WHEN 'entry' THEN ' after it entered, without an owner'
        WHEN 'creation' THEN ' after it was created'
        WHEN 'stage' THEN ' after its stage was reached'
        WHEN 'review' THEN ' in review'
        WHEN 'approval' THEN ' after an approval was asked for'
        ELSE ' after the planned follow-up was missed' END
    || coalesce(', if ' || r.condition::text, '')
    || CASE WHEN r.remind_before <> '{}'
        THEN '; warns ' || array_to_string(r.remind_before, ' and ')
            || ' before' ELSE '' END
    || CASE WHEN r.notice_required
        THEN '; never without a warning' ELSE '' END
FROM pool.timer_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'claim_rule', r.id, r.name,
    coalesce('if ' || r.condition::text || ': ', '')
    || coalesce(nullif(concat_ws(', ',
        CASE WHEN r.min_level > 0
            THEN 'claimed from level ' || r.min_level || ' on' END,
        'claimed by members with ' || r.member_condition::text,
        CASE WHEN r.approval THEN 'claimed with approval' END), ''),
        'claimed by anybody')
    || coalesce(', in the first ' || r.head_start || ' after entry', '')
FROM pool.claim_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'entry_rule', r.id, r.name,
    coalesce('if ' || r.condition::text || ': ', '')
    || CASE r."then"
        WHEN 'accept' THEN 'accepted'
        WHEN 'review' THEN 'reviewed'
        WHEN 'reject' THEN 'rejected'
        ELSE 'sent to ' || (SELECT q.name FROM pool.pool q
                            WHERE q.id = r.to_pool_id) END
    || coalesce(', grade ' || r.grade, '')
    || coalesce(' (' || r.reason || ')', '')
    || '; position ' || r.position
FROM pool.entry_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'score_rule', r.id, r.name,
    coalesce('if ' || r.condition::text || ': ', '') || 'priority '
    || to_char(r.points, 'SG999999FM')
FROM pool.score_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'routing_rule', r.id, r.name,
    coalesce('if ' || r.condition::text || ': ', '')
    || CASE r.strategy
        WHEN 'hand_over' THEN 'handed over to '
            || (SELECT q.name FROM pool.pool q WHERE q.id = r.to_pool_id)
        WHEN 'round_robin' THEN 'given in turn'
        WHEN 'weighted' THEN 'given by weight'
        WHEN 'random' THEN 'given at random'
        WHEN 'least_loaded' THEN 'given to whoever holds least'
        WHEN 'performance' THEN 'given by results'
        WHEN 'best_match' THEN 'given to the best match'
        ELSE 'suggested, and given unless vetoed' END
    || CASE WHEN r.min_level > 0
        THEN ', from level ' || r.min_level || ' on' ELSE '' END
    || coalesce(', to members with ' || r.member_condition::text, '')
    || CASE WHEN r.newcomer_share > 0
        THEN ', ' || trim_scale(r.newcomer_share * 100)
            || ' % to newcomers' ELSE '' END
    || CASE WHEN r.newcomer_min > 0
        THEN ', at least ' || r.newcomer_min || ' to each newcomer'
        ELSE '' END
    || coalesce(', ' || r.rotate_seats || ' seats that rotate every '
        || r.rotate_every, '')
    || '; position ' || r.position
FROM pool.routing_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'approval_rule', r.id, r.name,
    CASE r.action
        WHEN 'extension' THEN 'an extension' ELSE 'to ' || r.action END
    || coalesce(' if ' || r.condition::text, '')
    || ' needs approval, step ' || r.step
    || CASE WHEN r.min_level > 0
        THEN ', from level ' || r.min_level || ' on' ELSE '' END
    || coalesce(', within ' || r.expires_after, '')
FROM pool.approval_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'reward_rule', r.id, r.name,
    trim_scale(r.points) || ' points for ' || r.event_kind
    || coalesce(' if ' || r.condition::text, '')
    || coalesce(' by members with ' || r.member_condition::text, '')
    || coalesce(' within ' || r.within, '')
    || coalesce(', at most ' || trim_scale(r.cap) || ' a day', '')
FROM pool.reward_rule r
WHERE r.enabled
UNION ALL
SELECT r.pool_id, 'dictionary', r.id, r.kind || ' ' || r.code,
    coalesce(r.label, r.code)
    || CASE WHEN r.kind IN ('result', 'follow_up') AND NOT r.counts
        THEN ', does not count as a contact' ELSE '' END
    || CASE WHEN r."then" <> 'nothing'
        THEN ', then ' || replace(r."then", '_', ' ') ELSE '' END
    || coalesce(' for ' || r.after, '')
FROM pool.dictionary r
WHERE r.enabled;

COMMENT ON VIEW pool.rule_words IS
    'What each rule in force says, in words, of every pool.';
COMMENT ON COLUMN pool.rule_words.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rule_words.rule_table IS 'Table the rule stands in.';
COMMENT ON COLUMN pool.rule_words.rule_id IS 'Its id there.';
COMMENT ON COLUMN pool.rule_words.name IS 'Name of the rule.';
COMMENT ON COLUMN pool.rule_words.words IS 'What it says.';

CREATE VIEW pool.rules_in_force WITH (security_barrier) AS
SELECT p.name AS pool, w.rule_table, w.name, w.words, v.valid_from AS since,
    v.version, w.pool_id, w.rule_id, p.tenant_id
FROM pool.rule_words w
JOIN pool.pool p ON p.id = w.pool_id
LEFT JOIN pool.rule_version v ON v.rule = w.rule_table
    AND v.pool_id = w.pool_id AND v.rule_id = w.rule_id AND v.valid_to IS NULL
WHERE w.pool_id = ANY (ARRAY(
        SELECT o.pool_id FROM pool.own_membership o
        UNION ALL
        SELECT g.pool_id FROM pool.managed_pool g))
    OR ((SELECT pool.current_member_id()) IS NULL
        AND p.tenant_id = ANY (ARRAY(
            SELECT t.tenant_id FROM pool.visible_tenant t)));

COMMENT ON VIEW pool.rules_in_force IS
    'Every rule in force, in words: of the pools the caller belongs to or '
    'manages; for whoever is no member, of the tenants he may see.';
COMMENT ON COLUMN pool.rules_in_force.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.rules_in_force.rule_table IS
    'Table the rule stands in; pool = the limits of the pool itself.';
COMMENT ON COLUMN pool.rules_in_force.name IS
    'Name of the rule; of a word of the dictionary its kind and code.';
COMMENT ON COLUMN pool.rules_in_force.words IS 'What it says.';
COMMENT ON COLUMN pool.rules_in_force.since IS
    'Since when it has said so; NULL if that is not known.';
COMMENT ON COLUMN pool.rules_in_force.version IS
    '1 as it was written first, one more with every change.';
COMMENT ON COLUMN pool.rules_in_force.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rules_in_force.rule_id IS 'Id in rule_table.';
COMMENT ON COLUMN pool.rules_in_force.tenant_id IS 'Tenant (id).';
