-- The public views.
--
-- They run with the rights of the extension's owner, since callers have none on
-- the tables; each is a security barrier and decides itself what the caller
-- may see.  What the caller is asked once per query (ARRAY(SELECT ...) and
-- (SELECT ...) are evaluated before the scan), never once per row.

-- Helpers, not granted to anyone --------------------------------------

CREATE VIEW pool.visible_tenant AS
SELECT t.id AS tenant_id
FROM pool.tenant t
WHERE pool.sees_tenant(t.id);

COMMENT ON VIEW pool.visible_tenant IS 'Tenants whose data the caller may see.';
COMMENT ON COLUMN pool.visible_tenant.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.managed_pool AS
SELECT p.id AS pool_id
FROM pool.pool p
WHERE pool.is_team_manager(p.id);

COMMENT ON VIEW pool.managed_pool IS
    'Pools the caller manages, directly or from an ancestor.';
COMMENT ON COLUMN pool.managed_pool.pool_id IS 'Pool (id).';

CREATE VIEW pool.own_membership AS
SELECT p.id AS pool_id, m.id AS member_id,
    coalesce(s.role, 'member') AS role,
    coalesce(s.hold_limit, p.hold_limit) AS hold_limit,
    coalesce(s.claim_limit, p.claim_limit) AS claim_limit
FROM pool.member m
JOIN pool.pool p ON p.tenant_id = m.tenant_id
LEFT JOIN pool.membership s ON s.pool_id = p.id AND s.member_id = m.id
WHERE m.id = (SELECT pool.current_member_id())
    AND m.status <> 'left'
    AND (s.member_id IS NOT NULL OR p.everyone);

COMMENT ON VIEW pool.own_membership IS
    'Pools the caller belongs to, by a membership or because everyone '
    'does.';
COMMENT ON COLUMN pool.own_membership.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.own_membership.member_id IS 'The caller (id).';
COMMENT ON COLUMN pool.own_membership.role IS
    'Role: member, manager or viewer; member where everyone belongs.';
COMMENT ON COLUMN pool.own_membership.hold_limit IS
    'Limit of leads held in this pool; NULL = none.';
COMMENT ON COLUMN pool.own_membership.claim_limit IS
    'Limit of claims per day in this pool; NULL = none.';

CREATE VIEW pool.pool_path AS
WITH RECURSIVE walk AS (
    SELECT p.id, p.name AS path
    FROM pool.pool p
    WHERE p.parent_id IS NULL
    UNION ALL
    SELECT p.id, w.path || '/' || p.name
    FROM walk w
    JOIN pool.pool p ON p.parent_id = w.id
)
SELECT w.id AS pool_id, w.path
FROM walk w;

COMMENT ON VIEW pool.pool_path IS 'Every pool with its place in the tree.';
COMMENT ON COLUMN pool.pool_path.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.pool_path.path IS
    'Names from the root down to the pool, joined by /.';

-- Leads ---------------------------------------------------------------

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
    (SELECT CASE
            WHEN n.due_at <= pool.clock() THEN 'stalled'
            WHEN s.follow_ups = 0 THEN 'new'
            WHEN pool.clock() - w.since < (n.due_at - w.since) / 2
            THEN 'active'
            WHEN n.due_at IS NOT NULL THEN 'slow'
        END
     FROM (SELECT) one
     LEFT JOIN pool.next_timer(s.id, true) n ON true
     LEFT JOIN pool.timer_rule r ON r.id = n.rule_id
     CROSS JOIN LATERAL (
        SELECT CASE r.basis
            WHEN 'ownership' THEN s.chain_at
            WHEN 'creation' THEN d.created_at
            WHEN 'stage' THEN greatest(s.stage_at, s.owned_at)
            ELSE greatest(s.owned_at, s.last_follow_up_at)
        END AS since) w) AS progress
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
    'follow-up, with the chain of transfers (ownership), the stage or the '
    'creation of the lead. Without a timer new or NULL.';

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
    (SELECT CASE
            WHEN n.due_at <= pool.clock() THEN 'stalled'
            WHEN s.follow_ups = 0 THEN 'new'
            WHEN pool.clock() - w.since < (n.due_at - w.since) / 2
            THEN 'active'
            WHEN n.due_at IS NOT NULL THEN 'slow'
        END
     FROM (SELECT) one
     LEFT JOIN pool.next_timer(s.id, true) n ON true
     LEFT JOIN pool.timer_rule r ON r.id = n.rule_id
     CROSS JOIN LATERAL (
        SELECT CASE r.basis
            WHEN 'ownership' THEN s.chain_at
            WHEN 'creation' THEN d.created_at
            WHEN 'stage' THEN greatest(s.stage_at, s.owned_at)
            ELSE greatest(s.owned_at, s.last_follow_up_at)
        END AS since) w) AS progress
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
    'follow-up, with the chain of transfers (ownership), the stage or the '
    'creation of the lead. Without a timer new or NULL.';

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

-- Quota ---------------------------------------------------------------

CREATE VIEW pool.quota_mine WITH (security_barrier) AS
SELECT p.name AS pool, coalesce(c.held, 0) AS held, o.hold_limit,
    CASE WHEN c.day_until > t.now THEN c.claimed ELSE 0 END AS claimed_today,
    o.claim_limit,
    CASE WHEN c.day_until > t.now THEN c.day_until
        ELSE ((t.now AT TIME ZONE t.zone)::date + 1)::timestamp
            AT TIME ZONE t.zone
    END AS resets_at,
    CASE WHEN w.next > t.now THEN w.next END AS next_claim_at,
    p.id AS pool_id, o.role, p.enabled, m.hold_limit AS member_hold_limit,
    (SELECT coalesce(sum(a.held), 0)
     FROM pool.membership_state a
     WHERE a.member_id = m.id) AS member_held
FROM pool.own_membership o
JOIN pool.pool p ON p.id = o.pool_id
JOIN pool.member m ON m.id = o.member_id
LEFT JOIN pool.membership_state c
    ON c.pool_id = o.pool_id AND c.member_id = o.member_id
CROSS JOIN LATERAL (
    SELECT pool.clock() AS now, pool.member_zone(m.id) AS zone,
        pool.pool_zone(p.id) AS pool_zone,
        make_interval(
            months => (extract(year FROM p.claim_interval) * 12
                       + extract(month FROM p.claim_interval))::integer,
            days => extract(day FROM p.claim_interval)::integer) AS calendar
) t
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.calendar = '0'
        THEN c.last_claim_at + p.claim_interval
        ELSE ((c.last_claim_at AT TIME ZONE t.pool_zone) + t.calendar)
            AT TIME ZONE t.pool_zone + (p.claim_interval - t.calendar)
    END AS next
) w;

COMMENT ON VIEW pool.quota_mine IS
    'What the caller may still take: one row per pool he belongs to.';
COMMENT ON COLUMN pool.quota_mine.pool IS 'Pool.';
COMMENT ON COLUMN pool.quota_mine.held IS 'Leads he holds in this pool.';
COMMENT ON COLUMN pool.quota_mine.hold_limit IS 'Limit of held; NULL = none.';
COMMENT ON COLUMN pool.quota_mine.claimed_today IS
    'Claims of his calendar day in this pool.';
COMMENT ON COLUMN pool.quota_mine.claim_limit IS
    'Limit of claimed_today; NULL = none.';
COMMENT ON COLUMN pool.quota_mine.resets_at IS
    'When his day ends and claimed_today begins anew.';
COMMENT ON COLUMN pool.quota_mine.next_claim_at IS
    'When the pool''s claim_interval lets him claim again; NULL = now.';
COMMENT ON COLUMN pool.quota_mine.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.quota_mine.role IS
    'member, manager or viewer; a viewer takes nothing.';
COMMENT ON COLUMN pool.quota_mine.enabled IS 'Whether the pool is enabled.';
COMMENT ON COLUMN pool.quota_mine.member_hold_limit IS
    'Limit of member_held; NULL = none.';
COMMENT ON COLUMN pool.quota_mine.member_held IS 'Leads he holds in all pools.';

-- Statistics ----------------------------------------------------------

CREATE VIEW pool.stat_pool WITH (security_barrier) AS
SELECT g.pool_id, g.pool,
    coalesce(w.path, g.pool) AS pool_path,
    (SELECT count(*)
     FROM pool.member m
     LEFT JOIN pool.membership s
        ON s.pool_id = g.pool_id AND s.member_id = m.id
     WHERE m.tenant_id = g.tenant_id AND m.status = 'active'
        AND coalesce(s.role, CASE WHEN g.everyone THEN 'member' END)
            IN ('member', 'manager')) AS members,
    g.available, g.review, g.owned, g.converted, g.archived,
    g.entered_today, g.claimed_today, g.assigned_today, g.released_today,
    g.reclaimed_today, g.converted_today,
    (SELECT floor(extract(epoch FROM pool.clock() - min(q.entered_at)))::bigint
     FROM pool.lead_state q
     WHERE q.pool_id = g.pool_id AND q.ticket IS NOT NULL)
        AS oldest_available_seconds,
    round(g.owned::numeric / nullif(g.workable, 0), 4) AS utilisation,
    round(g.converted_spells::numeric / nullif(g.ended_spells, 0), 4)
        AS conversion_rate,
    round(g.reclaimed_spells::numeric / nullif(g.ended_spells, 0), 4)
        AS reclaim_rate,
    g.workable, g.ended_spells, g.converted_spells, g.reclaimed_spells,
    g.transferred_today, g.followed_up_today, g.archived_today, g.today,
    g.enabled, g.tenant_id, tn.name AS tenant
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, p.everyone, p.enabled,
        t.today,
        coalesce(sum(s.d_available), 0) AS available,
        coalesce(sum(s.d_review), 0) AS review,
        coalesce(sum(s.d_owned), 0) AS owned,
        coalesce(sum(s.d_converted), 0) AS converted,
        coalesce(sum(s.d_archived), 0) AS archived,
        coalesce(sum(s.d_available), 0) + coalesce(sum(s.d_owned), 0)
            AS workable,
        coalesce(sum(s.ended), 0) AS ended_spells,
        coalesce(sum(s.converted), 0) AS converted_spells,
        coalesce(sum(s.reclaimed), 0) AS reclaimed_spells,
        coalesce(sum(s.entered) FILTER (WHERE s.day = t.today), 0)
            AS entered_today,
        coalesce(sum(s.claimed) FILTER (WHERE s.day = t.today), 0)
            AS claimed_today,
        coalesce(sum(s.assigned) FILTER (WHERE s.day = t.today), 0)
            AS assigned_today,
        coalesce(sum(s.transferred) FILTER (WHERE s.day = t.today), 0)
            AS transferred_today,
        coalesce(sum(s.followed_up) FILTER (WHERE s.day = t.today), 0)
            AS followed_up_today,
        coalesce(sum(s.released) FILTER (WHERE s.day = t.today), 0)
            AS released_today,
        coalesce(sum(s.reclaimed) FILTER (WHERE s.day = t.today), 0)
            AS reclaimed_today,
        coalesce(sum(s.converted) FILTER (WHERE s.day = t.today), 0)
            AS converted_today,
        coalesce(sum(s.archived) FILTER (WHERE s.day = t.today), 0)
            AS archived_today
    FROM pool.pool p
    CROSS JOIN LATERAL (
        SELECT (pool.clock() AT TIME ZONE pool.pool_zone(p.id))::date AS today
        OFFSET 0 -- once per pool, not once per row of day_sum
    ) t
    LEFT JOIN pool.day_sum s ON s.pool_id = p.id
    WHERE p.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id, t.today
) g
JOIN pool.tenant tn ON tn.id = g.tenant_id
LEFT JOIN pool.pool_path w ON w.pool_id = g.pool_id;

COMMENT ON VIEW pool.stat_pool IS
    'Every pool now and today. Today is the day of the pool''s zone.';
COMMENT ON COLUMN pool.stat_pool.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_pool.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_pool.pool_path IS
    'Names from the root of the tree down to the pool, joined by /.';
COMMENT ON COLUMN pool.stat_pool.members IS
    'Active members who may take leads here: role member or manager; in a '
    'pool of everyone all active members of the tenant but its viewers.';
COMMENT ON COLUMN pool.stat_pool.available IS 'Leads available now.';
COMMENT ON COLUMN pool.stat_pool.review IS 'Leads in review now.';
COMMENT ON COLUMN pool.stat_pool.owned IS 'Leads owned now.';
COMMENT ON COLUMN pool.stat_pool.converted IS 'Converted leads here now.';
COMMENT ON COLUMN pool.stat_pool.archived IS 'Archived leads here now.';
COMMENT ON COLUMN pool.stat_pool.entered_today IS 'Leads that entered today.';
COMMENT ON COLUMN pool.stat_pool.claimed_today IS 'Leads claimed today.';
COMMENT ON COLUMN pool.stat_pool.assigned_today IS 'Leads assigned today.';
COMMENT ON COLUMN pool.stat_pool.released_today IS 'Leads released today.';
COMMENT ON COLUMN pool.stat_pool.reclaimed_today IS 'Leads reclaimed today.';
COMMENT ON COLUMN pool.stat_pool.converted_today IS 'Leads converted today.';
COMMENT ON COLUMN pool.stat_pool.oldest_available_seconds IS
    'Seconds since the available lead that entered longest ago did so; '
    'NULL if none is available.';
COMMENT ON COLUMN pool.stat_pool.utilisation IS
    'round(owned / workable, 4): share of the workable leads that someone '
    'works on; NULL at zero.';
COMMENT ON COLUMN pool.stat_pool.conversion_rate IS
    'round(converted_spells / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_pool.reclaim_rate IS
    'round(reclaimed_spells / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_pool.workable IS
    'available + owned; denominator of utilisation.';
COMMENT ON COLUMN pool.stat_pool.ended_spells IS
    'Spells ended since the beginning; denominator of the rates.';
COMMENT ON COLUMN pool.stat_pool.converted_spells IS
    'Spells ended by a conversion since the beginning.';
COMMENT ON COLUMN pool.stat_pool.reclaimed_spells IS
    'Spells ended by a reclaim since the beginning.';
COMMENT ON COLUMN pool.stat_pool.transferred_today IS
    'Leads transferred today.';
COMMENT ON COLUMN pool.stat_pool.followed_up_today IS
    'Follow-ups recorded today that count.';
COMMENT ON COLUMN pool.stat_pool.archived_today IS 'Leads archived today.';
COMMENT ON COLUMN pool.stat_pool.today IS 'Today in the zone of the pool.';
COMMENT ON COLUMN pool.stat_pool.enabled IS 'Whether the pool is enabled.';
COMMENT ON COLUMN pool.stat_pool.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.stat_pool.tenant IS 'Tenant (name).';

CREATE VIEW pool.stat_member WITH (security_barrier) AS
SELECT g.pool_id, g.pool, g.member_id, g.member, g.status, g.held,
    g.hold_limit,
    round(g.held::numeric / nullif(g.hold_limit, 0), 4) AS held_share,
    g.claimed_today, g.claim_limit, g.claimed, g.assigned, g.followed_up,
    g.converted, g.released, g.reclaimed,
    round(g.converted::numeric / nullif(g.ended_spells, 0), 4)
        AS conversion_rate,
    round(g.first_response_seconds_sum / nullif(g.first_responses, 0), 1)
        AS first_response_seconds,
    round(g.missed::numeric / nullif(g.ended_spells, 0), 4) AS missed_rate,
    coalesce(o.overdue, 0) AS overdue,
    g.ended_spells, g.first_responses,
    g.first_response_seconds_sum::bigint AS first_response_seconds_sum,
    g.missed, g.received, g.given, g.archived, g.amount, g.role, g.tenant_id
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, b.member_id,
        m.key AS member,
        CASE WHEN b.role IS NULL THEN 'removed' ELSE m.status END AS status,
        b.role,
        coalesce(c.held, 0) AS held,
        coalesce(b.hold_limit, p.hold_limit) AS hold_limit,
        CASE WHEN c.day_until > pool.clock() THEN c.claimed ELSE 0 END
            AS claimed_today,
        coalesce(b.claim_limit, p.claim_limit) AS claim_limit,
        coalesce(sum(s.claimed), 0) AS claimed,
        coalesce(sum(s.assigned), 0) AS assigned,
        coalesce(sum(s.received), 0) AS received,
        coalesce(sum(s.given), 0) AS given,
        coalesce(sum(s.followed_up), 0) AS followed_up,
        coalesce(sum(s.converted), 0) AS converted,
        coalesce(sum(s.released), 0) AS released,
        coalesce(sum(s.reclaimed), 0) AS reclaimed,
        coalesce(sum(s.archived), 0) AS archived,
        coalesce(sum(s.missed), 0) AS missed,
        coalesce(sum(s.ended), 0) AS ended_spells,
        coalesce(sum(s.first_responses), 0) AS first_responses,
        coalesce(sum(s.first_response_seconds_sum), 0)
            AS first_response_seconds_sum,
        coalesce(sum(s.amount), 0) AS amount
    FROM pool.pool p
    JOIN (
        SELECT a.pool_id, a.member_id, a.role, a.hold_limit, a.claim_limit
        FROM pool.membership a
        UNION ALL
        SELECT a.pool_id, a.member_id,
            CASE WHEN q.everyone THEN 'member' END, NULL, NULL
        FROM pool.membership_state a
        JOIN pool.pool q ON q.id = a.pool_id
        WHERE (q.everyone OR a.held > 0)
            AND NOT EXISTS (
                SELECT FROM pool.membership k
                WHERE k.pool_id = a.pool_id AND k.member_id = a.member_id)
    ) b ON b.pool_id = p.id
    JOIN pool.member m ON m.id = b.member_id
    LEFT JOIN pool.membership_state c
        ON c.pool_id = b.pool_id AND c.member_id = b.member_id
    LEFT JOIN pool.member_sum s
        ON s.pool_id = b.pool_id AND s.member_id = b.member_id
    WHERE p.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id, m.id, c.pool_id, c.member_id, b.member_id, b.role,
        b.hold_limit, b.claim_limit
) g
LEFT JOIN (
    SELECT x.pool_id, x.owner_id, count(*) AS overdue
    FROM (
        SELECT a.id, a.pool_id, a.owner_id
        FROM pool.lead_state a
        WHERE a.owner_id IS NOT NULL AND a.check_at <= pool.clock()
        UNION ALL
        -- rules changed: check_at says nothing until the tick has been there
        SELECT a.id, a.pool_id, a.owner_id
        FROM (SELECT DISTINCT c.pool_id FROM pool.timer_recheck c) k
        JOIN pool.lead_state a ON a.pool_id = k.pool_id
        WHERE a.owner_id IS NOT NULL
            AND (a.check_at > pool.clock() OR a.check_at IS NULL)
    ) x
    CROSS JOIN LATERAL pool.next_timer(x.id) n
    WHERE n.due_at <= pool.clock()
    GROUP BY x.pool_id, x.owner_id
) o ON o.pool_id = g.pool_id AND o.owner_id = g.member_id;

COMMENT ON VIEW pool.stat_member IS
    'Every membership: what the member holds now and what he has done in '
    'the pool since the beginning. Members of a pool of everyone appear '
    'from their first operation on, former members while they hold leads.';
COMMENT ON COLUMN pool.stat_member.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_member.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_member.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_member.member IS 'Key of the member.';
COMMENT ON COLUMN pool.stat_member.status IS
    'Status of the member; removed if he is no longer in the pool.';
COMMENT ON COLUMN pool.stat_member.held IS
    'Leads he holds here; numerator of held_share.';
COMMENT ON COLUMN pool.stat_member.hold_limit IS
    'Limit of held, his own or the pool''s; NULL = none.';
COMMENT ON COLUMN pool.stat_member.held_share IS
    'round(held / hold_limit, 4); NULL without a limit or at zero.';
COMMENT ON COLUMN pool.stat_member.claimed_today IS
    'Claims of his calendar day, which is that of his own zone.';
COMMENT ON COLUMN pool.stat_member.claim_limit IS
    'Limit of claimed_today, his own or the pool''s; NULL = none.';
COMMENT ON COLUMN pool.stat_member.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.stat_member.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.stat_member.followed_up IS 'Follow-ups he recorded that count.';
COMMENT ON COLUMN pool.stat_member.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.stat_member.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.stat_member.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.stat_member.conversion_rate IS
    'round(converted / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_member.first_response_seconds IS
    'round(first_response_seconds_sum / first_responses, 1), in seconds; '
    'NULL at zero.';
COMMENT ON COLUMN pool.stat_member.missed_rate IS
    'round(missed / ended_spells, 4); NULL at zero.';
COMMENT ON COLUMN pool.stat_member.overdue IS
    'Leads he owns here whose next timer is past.';
COMMENT ON COLUMN pool.stat_member.ended_spells IS
    'Spells of his that ended, in whatever way; denominator of '
    'conversion_rate and missed_rate.';
COMMENT ON COLUMN pool.stat_member.first_responses IS
    'Spells of his that got a follow-up; denominator of '
    'first_response_seconds.';
COMMENT ON COLUMN pool.stat_member.first_response_seconds_sum IS
    'Seconds from the start of a spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.stat_member.missed IS
    'Spells of his that a timer ended; numerator of missed_rate.';
COMMENT ON COLUMN pool.stat_member.received IS 'Leads transferred to him.';
COMMENT ON COLUMN pool.stat_member.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.stat_member.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.stat_member.amount IS
    'Sum of the amounts of his conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_member.role IS
    'member, manager or viewer; NULL if he is no longer in the pool.';
COMMENT ON COLUMN pool.stat_member.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_member_daily WITH (security_barrier) AS
SELECT p.name AS pool, m.key AS member, s.day,
    sum(s.claimed) AS claimed,
    sum(s.assigned) AS assigned,
    sum(s.received) AS received,
    sum(s.followed_up) AS followed_up,
    sum(s.first_responses) AS first_responses,
    sum(s.first_response_seconds_sum)::bigint AS first_response_seconds_sum,
    sum(s.missed) AS missed,
    sum(s.released) AS released,
    sum(s.reclaimed) AS reclaimed,
    sum(s.converted) AS converted,
    sum(s.amount) AS amount,
    sum(s.given) AS given,
    sum(s.archived) AS archived,
    sum(s.ended) AS ended_spells,
    p.id AS pool_id, s.member_id, p.tenant_id
FROM pool.pool p
JOIN pool.member_sum s ON s.pool_id = p.id
LEFT JOIN pool.member m ON m.id = s.member_id
WHERE p.tenant_id = ANY (ARRAY(
    SELECT v.tenant_id FROM pool.visible_tenant v))
GROUP BY p.id, s.member_id, m.key, s.day;

COMMENT ON VIEW pool.stat_member_daily IS
    'Every pool, member and day with events: sums and counts, to be added '
    'up over any period. The day is that of the pool''s zone.';
COMMENT ON COLUMN pool.stat_member_daily.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_member_daily.member IS
    'Key of the member; NULL if he was deleted.';
COMMENT ON COLUMN pool.stat_member_daily.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.stat_member_daily.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.stat_member_daily.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.stat_member_daily.received IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.stat_member_daily.followed_up IS
    'Follow-ups he recorded that count.';
COMMENT ON COLUMN pool.stat_member_daily.first_responses IS
    'Spells of his that got their first follow-up on this day.';
COMMENT ON COLUMN pool.stat_member_daily.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.stat_member_daily.missed IS
    'Spells of his that a timer ended.';
COMMENT ON COLUMN pool.stat_member_daily.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.stat_member_daily.reclaimed IS
    'Spells of his ended by a reclaim; missed are among them.';
COMMENT ON COLUMN pool.stat_member_daily.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.stat_member_daily.amount IS
    'Sum of the amounts of his conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_member_daily.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.stat_member_daily.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.stat_member_daily.ended_spells IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.stat_member_daily.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_member_daily.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.stat_member_daily.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_source WITH (security_barrier) AS
SELECT g.pool, g.source, g.entered, g.owned, g.followed_up, g.converted,
    g.archived, g.amount,
    round(g.converted::numeric / nullif(g.entered, 0), 4) AS conversion_rate,
    round(g.seconds_to_convert_sum / nullif(g.converted, 0), 1)
        AS seconds_to_convert,
    g.seconds_to_convert_sum::bigint AS seconds_to_convert_sum,
    g.available, g.spells, g.ended_spells, g.first_responses, g.pool_id,
    g.tenant_id
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id,
        nullif(s.source, '') AS source,
        sum(s.entered) AS entered,
        sum(s.d_owned) AS owned,
        sum(s.followed_up) AS followed_up,
        sum(s.converted) AS converted,
        sum(s.archived) AS archived,
        sum(s.amount) AS amount,
        sum(s.seconds_to_convert_sum) AS seconds_to_convert_sum,
        sum(s.d_available) AS available,
        sum(s.claimed) + sum(s.assigned) + sum(s.transferred) AS spells,
        sum(s.ended) AS ended_spells,
        sum(s.first_responses) AS first_responses
    FROM pool.pool p
    JOIN pool.day_sum s ON s.pool_id = p.id
    WHERE p.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id, s.source
) g;

COMMENT ON VIEW pool.stat_source IS
    'Every pool and source (channel), since the beginning.';
COMMENT ON COLUMN pool.stat_source.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_source.source IS
    'Source of the leads; NULL = none given.';
COMMENT ON COLUMN pool.stat_source.entered IS
    'Leads that entered here; denominator of conversion_rate.';
COMMENT ON COLUMN pool.stat_source.owned IS 'Leads owned now.';
COMMENT ON COLUMN pool.stat_source.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.stat_source.converted IS
    'Leads converted; numerator of conversion_rate, denominator of '
    'seconds_to_convert.';
COMMENT ON COLUMN pool.stat_source.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.stat_source.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_source.conversion_rate IS
    'round(converted / entered, 4); above 1 where leads came from other '
    'pools or were converted again; NULL at zero.';
COMMENT ON COLUMN pool.stat_source.seconds_to_convert IS
    'round(seconds_to_convert_sum / converted, 1), in seconds; NULL at '
    'zero.';
COMMENT ON COLUMN pool.stat_source.seconds_to_convert_sum IS
    'Seconds from the creation of a lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.stat_source.available IS 'Leads available now.';
COMMENT ON COLUMN pool.stat_source.spells IS
    'Spells begun: claimed, assigned or transferred.';
COMMENT ON COLUMN pool.stat_source.ended_spells IS
    'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.stat_source.first_responses IS
    'Spells that got a follow-up.';
COMMENT ON COLUMN pool.stat_source.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_source.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_daily WITH (security_barrier) AS
SELECT g.pool, g.day, g.entered, g.claimed, g.assigned, g.transferred,
    g.followed_up, g.released, g.reclaimed, g.converted, g.archived,
    (sum(g.d_available) OVER w)::bigint AS available_at_end,
    (sum(g.d_owned) OVER w)::bigint AS owned_at_end,
    g.reopened, g.erased, g.moved_in, g.moved_out, g.missed, g.ended_spells,
    g.first_responses, g.first_response_seconds_sum, g.amount, g.pool_id,
    g.tenant_id
FROM (
    SELECT p.id AS pool_id, p.name AS pool, p.tenant_id, s.day,
        sum(s.entered) AS entered,
        sum(s.claimed) AS claimed,
        sum(s.assigned) AS assigned,
        sum(s.transferred) AS transferred,
        sum(s.followed_up) AS followed_up,
        sum(s.released) AS released,
        sum(s.reclaimed) AS reclaimed,
        sum(s.converted) AS converted,
        sum(s.archived) AS archived,
        sum(s.reopened) AS reopened,
        sum(s.erased) AS erased,
        sum(s.moved_in) AS moved_in,
        sum(s.moved_out) AS moved_out,
        sum(s.missed) AS missed,
        sum(s.ended) AS ended_spells,
        sum(s.first_responses) AS first_responses,
        sum(s.first_response_seconds_sum)::bigint
            AS first_response_seconds_sum,
        sum(s.amount) AS amount,
        sum(s.d_available) AS d_available,
        sum(s.d_owned) AS d_owned
    FROM pool.pool p
    JOIN pool.day_sum s ON s.pool_id = p.id
    WHERE p.tenant_id = ANY (ARRAY(
        SELECT v.tenant_id FROM pool.visible_tenant v))
    GROUP BY p.id, s.day
) g
WINDOW w AS (PARTITION BY g.pool_id ORDER BY g.day);

COMMENT ON VIEW pool.stat_daily IS
    'Every pool and day with events. The day is that of the pool''s zone.';
COMMENT ON COLUMN pool.stat_daily.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool.stat_daily.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.stat_daily.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.stat_daily.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.stat_daily.assigned IS 'Leads assigned.';
COMMENT ON COLUMN pool.stat_daily.transferred IS
    'Leads transferred, in the pool they belong to afterwards.';
COMMENT ON COLUMN pool.stat_daily.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.stat_daily.released IS
    'Spells ended by a release, in the pool they ran in.';
COMMENT ON COLUMN pool.stat_daily.reclaimed IS
    'Spells ended by a reclaim, in the pool they ran in.';
COMMENT ON COLUMN pool.stat_daily.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.stat_daily.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.stat_daily.available_at_end IS
    'Leads available at the end of the day.';
COMMENT ON COLUMN pool.stat_daily.owned_at_end IS
    'Leads owned at the end of the day.';
COMMENT ON COLUMN pool.stat_daily.reopened IS
    'Closed leads that became available again.';
COMMENT ON COLUMN pool.stat_daily.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.stat_daily.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.stat_daily.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.stat_daily.missed IS
    'Spells ended by a timer; they are among reclaimed.';
COMMENT ON COLUMN pool.stat_daily.ended_spells IS
    'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.stat_daily.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.stat_daily.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.stat_daily.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.stat_daily.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.stat_daily.tenant_id IS 'Tenant (id).';

CREATE VIEW pool.stat_worker WITH (security_barrier) AS
SELECT w.last_tick, w.duration_ms, w.done, w.backlog, w.oldest_due, w.errors,
    w.last_error, w.state, w.active
FROM pool.worker_status() w;

COMMENT ON VIEW pool.stat_worker IS
    'The background worker of this database: one row.';
COMMENT ON COLUMN pool.stat_worker.last_tick IS
    'When the last tick ended; NULL if there was none.';
COMMENT ON COLUMN pool.stat_worker.duration_ms IS
    'Duration of the last tick in milliseconds.';
COMMENT ON COLUMN pool.stat_worker.done IS
    'What the last tick did: leads and rows handled.';
COMMENT ON COLUMN pool.stat_worker.backlog IS 'What is due and not done yet.';
COMMENT ON COLUMN pool.stat_worker.oldest_due IS
    'Since when the oldest of the backlog is due; NULL if nothing is.';
COMMENT ON COLUMN pool.stat_worker.errors IS 'Errors since the server started.';
COMMENT ON COLUMN pool.stat_worker.last_error IS 'Message of the last error.';
COMMENT ON COLUMN pool.stat_worker.state IS
    'What the worker is doing, or why it is off.';
COMMENT ON COLUMN pool.stat_worker.active IS
    'Whether the worker may act in this database; resume() turns it on '
    'for a restored copy.';
