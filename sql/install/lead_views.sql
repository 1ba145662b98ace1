-- Leads as callers see them: see views.sql.

CREATE VIEW pool.lead WITH (security_barrier) AS
SELECT s.id, s.tenant_id, s.pool_id, d.key, d.name, d.source, d.grade,
    s.priority, d.attributes, s.status, s.owner_id, s.owned_at, s.entered_at,
    d.created_at, s.first_follow_up_at, s.last_follow_up_at, s.follow_ups,
    s.last_result, s.next_follow_up_at, s.stage, s.last_owner_id, s.claims,
    s.protected_until, s.hidden_until, s.closed_at, s.amount, s.currency,
    s.chain_at, d.erased_at, s.stage_at, s.group_id, s.reserved_for,
    s.extensions
FROM pool.lead_state s
JOIN pool.lead_data d ON d.id = s.id
WHERE d.tenant_id = ANY (ARRAY(SELECT v.tenant_id FROM pool.visible_tenant v));
COMMENT ON VIEW pool.lead IS
    'Every lead of the tenants the caller may see, unmasked.';
COMMENT ON COLUMN pool.lead.id IS 'Lead.';
COMMENT ON COLUMN pool.lead.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.lead.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead.name IS 'Name of the lead.';
COMMENT ON COLUMN pool.lead.source IS 'Source (channel) of the lead.';
COMMENT ON COLUMN pool.lead.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.lead.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead.status IS
    'review, available, owned, converted or archived.';
COMMENT ON COLUMN pool.lead.owner_id IS
    'Owner (id); set if and only if the status is owned.';
COMMENT ON COLUMN pool.lead.owned_at IS
    'Start of the present spell, or of the last one of a converted or '
    'archived lead where kept.';
COMMENT ON COLUMN pool.lead.entered_at IS 'When it entered this pool.';
COMMENT ON COLUMN pool.lead.created_at IS 'When the lead was created.';
COMMENT ON COLUMN pool.lead.first_follow_up_at IS
    'First follow-up of this spell.';
COMMENT ON COLUMN pool.lead.last_follow_up_at IS
    'Last counted follow-up of this spell.';
COMMENT ON COLUMN pool.lead.follow_ups IS 'Follow-ups of this spell that count.';
COMMENT ON COLUMN pool.lead.last_result IS
    'Result of the last follow-up that had one.';
COMMENT ON COLUMN pool.lead.next_follow_up_at IS
    'When the owner means to follow up next.';
COMMENT ON COLUMN pool.lead.stage IS 'Stage the lead has reached.';
COMMENT ON COLUMN pool.lead.last_owner_id IS 'Last or present owner (id).';
COMMENT ON COLUMN pool.lead.claims IS 'Number of spells the lead has had.';
COMMENT ON COLUMN pool.lead.protected_until IS 'No timer acts before this.';
COMMENT ON COLUMN pool.lead.hidden_until IS 'Not claimable before this.';
COMMENT ON COLUMN pool.lead.closed_at IS 'When it was converted or archived.';
COMMENT ON COLUMN pool.lead.amount IS 'Amount of the conversion.';
COMMENT ON COLUMN pool.lead.currency IS 'Currency of the amount.';
COMMENT ON COLUMN pool.lead.chain_at IS
    'Start of the unbroken chain of transfers the spell belongs to.';
COMMENT ON COLUMN pool.lead.erased_at IS 'When personal data were erased.';
COMMENT ON COLUMN pool.lead.stage_at IS 'When the stage was reached.';
COMMENT ON COLUMN pool.lead.group_id IS
    'Group of leads of the same customer; NULL = the only one.';
COMMENT ON COLUMN pool.lead.reserved_for IS
    'Member (id) for whom it is hidden until hidden_until.';
COMMENT ON COLUMN pool.lead.extensions IS
    'Extensions of deadlines in this spell.';

CREATE VIEW pool.lead_open WITH (security_barrier) AS
SELECT s.id AS lead_id,
    CASE WHEN 'key' = ANY (p.masked_attributes) THEN NULL ELSE d.key END AS key,
    CASE WHEN 'name' = ANY (p.masked_attributes) THEN NULL ELSE d.name END
        AS name,
    CASE WHEN 'source' = ANY (p.masked_attributes) THEN NULL ELSE d.source END
        AS source,
    CASE WHEN 'grade' = ANY (p.masked_attributes) THEN NULL ELSE d.grade END
        AS grade,
    s.priority, d.attributes - p.masked_attributes AS attributes,
    p.name AS pool, s.entered_at, p.id AS pool_id, s.ticket, d.created_at,
    s.claims
FROM pool.own_membership o
JOIN pool.pool p ON p.id = o.pool_id
JOIN pool.lead_state s ON s.pool_id = p.id
JOIN pool.lead_data d ON d.id = s.id
WHERE p.enabled
    AND s.ticket IS NOT NULL
    AND s.status = 'available'
    AND (s.hidden_until IS NULL OR s.reserved_for = o.member_id
        OR s.hidden_until <= (SELECT pool.clock()));
COMMENT ON VIEW pool.lead_open IS
    'Leads available in the enabled pools the caller belongs to, but for '
    'hidden ones that are not reserved for him; a viewer may look at them '
    'only. What the pool masks is left out.';
COMMENT ON COLUMN pool.lead_open.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_open.key IS
    'The application''s id of the lead; NULL if masked.';
COMMENT ON COLUMN pool.lead_open.name IS 'Name of the lead; NULL if masked.';
COMMENT ON COLUMN pool.lead_open.source IS
    'Source of the lead; NULL if masked.';
COMMENT ON COLUMN pool.lead_open.grade IS 'Grade of the lead; NULL if masked.';
COMMENT ON COLUMN pool.lead_open.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_open.attributes IS
    'Attributes without those the pool masks.';
COMMENT ON COLUMN pool.lead_open.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_open.entered_at IS 'When it entered this pool.';
COMMENT ON COLUMN pool.lead_open.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_open.ticket IS
    'Place in the queue of the pool; the lowest is served first.';
COMMENT ON COLUMN pool.lead_open.created_at IS 'When the lead was created.';
COMMENT ON COLUMN pool.lead_open.claims IS 'Number of spells the lead has had.';

CREATE VIEW pool.lead_mine WITH (security_barrier) AS
SELECT s.id AS lead_id, d.key, d.name, d.source, d.grade, s.priority,
    d.attributes, p.name AS pool, s.entered_at, p.id AS pool_id, s.status,
    s.owned_at, s.first_follow_up_at, s.last_follow_up_at,
    s.next_follow_up_at, s.follow_ups, s.last_result, s.stage, d.created_at,
    s.claims, s.closed_at, s.amount, s.currency,
    (SELECT n.due_at FROM pool.next_timer(s.id, true) n) AS due_at,
    s.stage_at,
    pool.lead_progress(s.id) AS progress
FROM pool.member m
JOIN pool.membership_state c ON c.member_id = m.id
JOIN pool.pool p ON p.id = c.pool_id
JOIN pool.lead_state s ON s.pool_id = p.id AND s.owner_id = m.id
JOIN pool.lead_data d ON d.id = s.id
WHERE m.id = (SELECT pool.current_member_id())
    AND m.status <> 'left'
UNION ALL
SELECT s.id, d.key, d.name, d.source, d.grade, s.priority,
    d.attributes, p.name, s.entered_at, p.id, s.status,
    s.owned_at, s.first_follow_up_at, s.last_follow_up_at,
    s.next_follow_up_at, s.follow_ups, s.last_result, s.stage, d.created_at,
    s.claims, s.closed_at, s.amount, s.currency, NULL::timestamptz,
    s.stage_at, NULL::text
FROM pool.member m
JOIN pool.pool p ON p.tenant_id = m.tenant_id
JOIN pool.lead_state s ON s.pool_id = p.id AND s.last_owner_id = m.id
JOIN pool.lead_data d ON d.id = s.id
WHERE m.id = (SELECT pool.current_member_id())
    AND m.status <> 'left'
    AND s.closed_at IS NOT NULL
    AND s.status = 'converted';
COMMENT ON VIEW pool.lead_mine IS
    'Leads the caller owns, and those he converted.';
COMMENT ON COLUMN pool.lead_mine.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_mine.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_mine.name IS 'Name of the lead.';
COMMENT ON COLUMN pool.lead_mine.source IS 'Source (channel) of the lead.';
COMMENT ON COLUMN pool.lead_mine.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.lead_mine.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_mine.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead_mine.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_mine.entered_at IS 'When it entered this pool.';
COMMENT ON COLUMN pool.lead_mine.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_mine.status IS 'owned or converted.';
COMMENT ON COLUMN pool.lead_mine.owned_at IS 'Start of the present spell.';
COMMENT ON COLUMN pool.lead_mine.first_follow_up_at IS
    'First follow-up of this spell.';
COMMENT ON COLUMN pool.lead_mine.last_follow_up_at IS
    'Last counted follow-up of this spell.';
COMMENT ON COLUMN pool.lead_mine.next_follow_up_at IS
    'When the owner means to follow up next.';
COMMENT ON COLUMN pool.lead_mine.follow_ups IS 'Follow-ups of this spell that count.';
COMMENT ON COLUMN pool.lead_mine.last_result IS
    'Result of the last follow-up that had one.';
COMMENT ON COLUMN pool.lead_mine.stage IS 'Stage the lead has reached.';
COMMENT ON COLUMN pool.lead_mine.created_at IS 'When the lead was created.';
COMMENT ON COLUMN pool.lead_mine.claims IS 'Number of spells the lead has had.';
COMMENT ON COLUMN pool.lead_mine.closed_at IS
    'When it was converted or archived.';
COMMENT ON COLUMN pool.lead_mine.amount IS 'Amount of the conversion.';
COMMENT ON COLUMN pool.lead_mine.currency IS 'Currency of the amount.';
COMMENT ON COLUMN pool.lead_mine.due_at IS
    'When its next timer ends the spell; NULL if none will.';
COMMENT ON COLUMN pool.lead_mine.stage_at IS 'When the stage was reached.';
COMMENT ON COLUMN pool.lead_mine.progress IS
    'Share of the next due window used, (now - its start) / (due_at - its '
    'start): stalled = 100 % and more; new = less, and no follow-up in this '
    'spell yet; active = less than 50 %; slow = 50 % or more. The window of '
    'a timer starts when its clock does: with the spell or its last counted '
    'follow-up, with the chain of transfers (ownership), the stage, the '
    'follow-up planned or the creation of the lead. Without a timer new or '
    'NULL.';

CREATE VIEW pool.lead_team WITH (security_barrier) AS
SELECT s.id AS lead_id,
    CASE WHEN v.masks AND 'key' = ANY (p.masked_attributes) THEN NULL
        ELSE d.key END AS key,
    CASE WHEN v.masks AND 'name' = ANY (p.masked_attributes) THEN NULL
        ELSE d.name END AS name,
    CASE WHEN v.masks AND 'source' = ANY (p.masked_attributes) THEN NULL
        ELSE d.source END AS source,
    CASE WHEN v.masks AND 'grade' = ANY (p.masked_attributes) THEN NULL
        ELSE d.grade END AS grade,
    s.priority,
    CASE WHEN v.masks THEN d.attributes - p.masked_attributes
        ELSE d.attributes END AS attributes,
    p.name AS pool, s.entered_at, m.key AS owner,
    p.id AS pool_id, s.owner_id, s.owned_at, s.first_follow_up_at,
    s.last_follow_up_at, s.next_follow_up_at, s.follow_ups, s.last_result,
    s.stage, d.created_at, s.claims,
    (SELECT n.due_at FROM pool.next_timer(s.id, true) n) AS due_at,
    s.stage_at,
    pool.lead_progress(s.id) AS progress
FROM pool.lead_state s
JOIN pool.pool p ON p.id = s.pool_id
JOIN pool.lead_data d ON d.id = s.id
LEFT JOIN pool.member m ON m.id = s.owner_id
CROSS JOIN LATERAL (
    SELECT s.pool_id <> ALL (ARRAY(SELECT g.pool_id FROM pool.managed_pool g))
        AS masks) v
WHERE s.owner_id IS NOT NULL
    AND s.pool_id = ANY (ARRAY(
        SELECT g.pool_id FROM pool.managed_pool g
        UNION ALL
        SELECT o.pool_id FROM pool.own_membership o WHERE o.role = 'viewer'));
COMMENT ON VIEW pool.lead_team IS
    'Owned leads of the pools the caller manages and of the pools below '
    'them; for a viewer those of his pools, without what they mask.';
COMMENT ON COLUMN pool.lead_team.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_team.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_team.name IS 'Name of the lead.';
COMMENT ON COLUMN pool.lead_team.source IS 'Source (channel) of the lead.';
COMMENT ON COLUMN pool.lead_team.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.lead_team.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_team.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead_team.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_team.entered_at IS 'When it entered this pool.';
COMMENT ON COLUMN pool.lead_team.owner IS 'Key of the owner.';
COMMENT ON COLUMN pool.lead_team.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_team.owner_id IS 'Owner (id).';
COMMENT ON COLUMN pool.lead_team.owned_at IS 'Start of the present spell.';
COMMENT ON COLUMN pool.lead_team.first_follow_up_at IS
    'First follow-up of this spell.';
COMMENT ON COLUMN pool.lead_team.last_follow_up_at IS
    'Last counted follow-up of this spell.';
COMMENT ON COLUMN pool.lead_team.next_follow_up_at IS
    'When the owner means to follow up next.';
COMMENT ON COLUMN pool.lead_team.follow_ups IS 'Follow-ups of this spell that count.';
COMMENT ON COLUMN pool.lead_team.last_result IS
    'Result of the last follow-up that had one.';
COMMENT ON COLUMN pool.lead_team.stage IS 'Stage the lead has reached.';
COMMENT ON COLUMN pool.lead_team.created_at IS 'When the lead was created.';
COMMENT ON COLUMN pool.lead_team.claims IS 'Number of spells the lead has had.';
COMMENT ON COLUMN pool.lead_team.due_at IS
    'When its next timer ends the spell; NULL if none will.';
COMMENT ON COLUMN pool.lead_team.stage_at IS 'When the stage was reached.';
COMMENT ON COLUMN pool.lead_team.progress IS
    'Share of the next due window used, (now - its start) / (due_at - its '
    'start): stalled = 100 % and more; new = less, and no follow-up in this '
    'spell yet; active = less than 50 %; slow = 50 % or more. The window of '
    'a timer starts when its clock does: with the spell or its last counted '
    'follow-up, with the chain of transfers (ownership), the stage, the '
    'follow-up planned or the creation of the lead. Without a timer new or '
    'NULL.';

CREATE VIEW pool.lead_closed WITH (security_barrier) AS
SELECT s.id AS lead_id, d.key, d.name, d.source, d.grade, s.priority,
    d.attributes, p.name AS pool, s.entered_at, s.status, s.closed_at,
    m.key AS last_owner, p.id AS pool_id, s.last_owner_id, s.amount,
    s.currency, d.created_at, s.claims, s.last_result, s.stage, d.erased_at,
    (SELECT e.reason
     FROM pool.event e
     WHERE e.lead_id = s.id AND e.kind IN ('converted', 'archived', 'erased')
     ORDER BY e.id DESC
     LIMIT 1) AS reason
FROM pool.lead_state s
JOIN pool.pool p ON p.id = s.pool_id
JOIN pool.lead_data d ON d.id = s.id
LEFT JOIN pool.member m ON m.id = s.last_owner_id
WHERE s.closed_at IS NOT NULL
    AND s.pool_id = ANY (ARRAY(
        SELECT q.id
        FROM pool.pool q
        WHERE pool.is_team_manager(q.id)
            OR ((SELECT pool.current_member_id()) IS NULL
                AND q.tenant_id = ANY (ARRAY(
                    SELECT v.tenant_id FROM pool.visible_tenant v)))));
COMMENT ON VIEW pool.lead_closed IS
    'Converted and archived leads of the pools the caller manages and of '
    'the pools below them; for a caller who is no member, of the tenants '
    'he may see.';
COMMENT ON COLUMN pool.lead_closed.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_closed.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_closed.name IS 'Name of the lead.';
COMMENT ON COLUMN pool.lead_closed.source IS 'Source (channel) of the lead.';
COMMENT ON COLUMN pool.lead_closed.grade IS 'Grade of the lead.';
COMMENT ON COLUMN pool.lead_closed.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_closed.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead_closed.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_closed.entered_at IS 'When it entered this pool.';
COMMENT ON COLUMN pool.lead_closed.status IS 'converted or archived.';
COMMENT ON COLUMN pool.lead_closed.closed_at IS
    'When it was converted or archived.';
COMMENT ON COLUMN pool.lead_closed.last_owner IS 'Key of the last owner.';
COMMENT ON COLUMN pool.lead_closed.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_closed.last_owner_id IS 'Last owner (id).';
COMMENT ON COLUMN pool.lead_closed.amount IS 'Amount of the conversion.';
COMMENT ON COLUMN pool.lead_closed.currency IS 'Currency of the amount.';
COMMENT ON COLUMN pool.lead_closed.created_at IS 'When the lead was created.';
COMMENT ON COLUMN pool.lead_closed.claims IS
    'Number of spells the lead has had.';
COMMENT ON COLUMN pool.lead_closed.last_result IS
    'Result of the last follow-up that had one.';
COMMENT ON COLUMN pool.lead_closed.stage IS 'Stage the lead has reached.';
COMMENT ON COLUMN pool.lead_closed.erased_at IS
    'When personal data were erased.';
COMMENT ON COLUMN pool.lead_closed.reason IS 'Reason given when it was closed.';

CREATE VIEW pool.lead_due WITH (security_barrier) AS
SELECT s.id AS lead_id, d.key, p.name AS pool, m.key AS owner,
    r.name AS rule, n.action, n.due_at,
    (SELECT max(e.at)
     FROM pool.event e
     WHERE e.lead_id = s.id AND e.kind = 'reminded' AND e.rule_id = n.rule_id
        AND e.id > coalesce(
            (SELECT max(b.id)
             FROM pool.event b
             WHERE b.lead_id = s.id
                AND b.kind IN ('entered', 'review', 'claimed', 'assigned',
                    'transferred', 'released', 'reclaimed', 'reopened',
                    'moved')), 0))
        AS warned_at,
    p.id AS pool_id, s.owner_id, n.rule_id
FROM pool.lead_state s
JOIN pool.pool p ON p.id = s.pool_id
JOIN pool.lead_data d ON d.id = s.id
CROSS JOIN LATERAL pool.next_timer(s.id) n
LEFT JOIN pool.member m ON m.id = s.owner_id
LEFT JOIN pool.timer_rule r ON r.id = n.rule_id
WHERE (s.check_at IS NOT NULL
        -- rules changed: check_at says nothing until the tick has been there
        OR s.owner_id IS NOT NULL
            AND s.pool_id = ANY (ARRAY(
                SELECT c.pool_id FROM pool.timer_recheck c))
        OR s.status IN ('available', 'review')
            AND s.pool_id = ANY (ARRAY(
                SELECT c.pool_id FROM pool.timer_recheck c
                WHERE c.everything)))
    AND ((SELECT pool.current_member_id()) IS NULL
            AND s.tenant_id = ANY (ARRAY(
                SELECT v.tenant_id FROM pool.visible_tenant v))
        OR s.owner_id = (SELECT pool.current_member_id())
        OR s.pool_id = ANY (ARRAY(SELECT g.pool_id FROM pool.managed_pool g)))
    AND n.due_at IS NOT NULL;
COMMENT ON VIEW pool.lead_due IS
    'Open leads with their next timer: those of the tenants the caller '
    'may see, his own, and those of the pools he manages. Leads that are '
    'available or in review have no owner.';
COMMENT ON COLUMN pool.lead_due.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_due.key IS 'The application''s id of the lead.';
COMMENT ON COLUMN pool.lead_due.pool IS 'Home pool.';
COMMENT ON COLUMN pool.lead_due.owner IS
    'Key of the owner; NULL = nobody owns it.';
COMMENT ON COLUMN pool.lead_due.rule IS 'Name of the timer rule.';
COMMENT ON COLUMN pool.lead_due.action IS
    'What the timer will do: reclaim, move, archive or escalate.';
COMMENT ON COLUMN pool.lead_due.due_at IS
    'When it will do it: working time, absences of the owner, protection, '
    'notice and time to catch up are in it.';
COMMENT ON COLUMN pool.lead_due.warned_at IS
    'Last reminder of this rule in this spell, or stay in the pool.';
COMMENT ON COLUMN pool.lead_due.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_due.owner_id IS 'Owner (id).';
COMMENT ON COLUMN pool.lead_due.rule_id IS 'Timer rule (id).';

CREATE VIEW pool.lead_spell WITH (security_barrier) AS
SELECT b.lead_id,
    CASE WHEN h.hides THEN NULL ELSE d.key END AS key,
    m.key AS member, b.at AS started_at,
    z.at AS ended_at, b.kind AS began_by, z.kind AS ended_by, f.follow_ups,
    f.first_response_seconds,
    CASE WHEN z.kind = 'converted'
        THEN (z.detail ->> 'amount')::numeric END AS amount,
    p.name AS pool, b.pool_id, b.member_id
FROM pool.lead_data d
JOIN pool.event b ON b.lead_id = d.id
LEFT JOIN pool.pool p ON p.id = b.pool_id
LEFT JOIN pool.member m ON m.id = b.member_id
LEFT JOIN LATERAL (
    SELECT e.id, e.at, e.kind, e.detail
    FROM pool.event e
    WHERE e.lead_id = b.lead_id AND e.id > b.id
        AND e.kind IN ('transferred', 'released', 'reclaimed', 'converted',
                       'archived', 'erased')
    ORDER BY e.id
    LIMIT 1
) z ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS follow_ups,
        min((e.detail ->> 'first_seconds')::bigint) AS first_response_seconds
    FROM pool.event e
    WHERE e.lead_id = b.lead_id AND e.id > b.id AND e.kind = 'followed_up'
        AND e.detail -> 'counted' IS NULL
        AND (z.id IS NULL OR e.id < z.id)
) f
CROSS JOIN LATERAL (
    -- who claims himself, and manages another pool
    SELECT (SELECT pool.current_member_id()) IS NOT NULL
        AND EXISTS (
            SELECT FROM pool.lead_state s
            JOIN pool.pool q ON q.id = s.pool_id
            WHERE s.id = d.id AND 'key' = ANY (q.masked_attributes)
                AND q.id <> ALL (ARRAY(
                    SELECT g.pool_id FROM pool.managed_pool g))) AS hides
) h
WHERE b.kind IN ('claimed', 'assigned', 'transferred')
    AND d.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v));
COMMENT ON VIEW pool.lead_spell IS
    'Spells: uninterrupted ownerships of one lead by one member, from the '
    'log; without those whose beginning was purged.';
COMMENT ON COLUMN pool.lead_spell.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.lead_spell.key IS
    'The application''s id of the lead; NULL for a member to whom the lead''s '
    'pool masks it.';
COMMENT ON COLUMN pool.lead_spell.member IS 'Key of the owner.';
COMMENT ON COLUMN pool.lead_spell.started_at IS 'When the spell began.';
COMMENT ON COLUMN pool.lead_spell.ended_at IS
    'When it ended; NULL while it runs.';
COMMENT ON COLUMN pool.lead_spell.began_by IS
    'claimed, assigned or transferred.';
COMMENT ON COLUMN pool.lead_spell.ended_by IS
    'transferred, released, reclaimed, converted, archived or erased; '
    'NULL while it runs.';
COMMENT ON COLUMN pool.lead_spell.follow_ups IS 'Follow-ups in the spell that count.';
COMMENT ON COLUMN pool.lead_spell.first_response_seconds IS
    'Seconds from the start of the spell to its first follow-up; NULL if '
    'none.';
COMMENT ON COLUMN pool.lead_spell.amount IS
    'Amount, if the spell ended with a conversion.';
COMMENT ON COLUMN pool.lead_spell.pool IS 'Home pool during the spell.';
COMMENT ON COLUMN pool.lead_spell.pool_id IS 'Home pool during the spell (id).';
COMMENT ON COLUMN pool.lead_spell.member_id IS 'Owner (id).';
