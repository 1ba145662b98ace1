-- Comments on what tables.sql makes.

COMMENT ON TABLE pool.tenant IS
    'Organisations. Leads, members and pools of different tenants never '
    'meet.';
COMMENT ON COLUMN pool.tenant.id IS 'Tenant.';
COMMENT ON COLUMN pool.tenant.name IS 'Name, without /.';
COMMENT ON COLUMN pool.tenant.timezone IS
    'Time zone of pools and members that name none.';
COMMENT ON COLUMN pool.tenant.workdays IS
    'Working days: ISO days of the week, 1 = Monday.';
COMMENT ON COLUMN pool.tenant.work_from IS 'Working hours begin.';
COMMENT ON COLUMN pool.tenant.work_until IS 'Working hours end.';
COMMENT ON COLUMN pool.tenant.country IS
    'Country of phone numbers written without a country code, ISO 3166.';

COMMENT ON TABLE pool.calendar IS
    'Holidays and make-up working days of a tenant.';
COMMENT ON COLUMN pool.calendar.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.calendar.day IS 'Day.';
COMMENT ON COLUMN pool.calendar.is_workday IS
    'Whether this day is a working day, whatever the day of the week.';

COMMENT ON TABLE pool.pool IS
    'Public pools: shared sets of leads, each with its own rules. They '
    'form a tree.';
COMMENT ON COLUMN pool.pool.id IS 'Pool.';
COMMENT ON COLUMN pool.pool.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.pool.parent_id IS
    'Pool above it in the tree (id); NULL = root.';
COMMENT ON COLUMN pool.pool.name IS 'Name, unique in the tenant, without /.';
COMMENT ON COLUMN pool.pool.description IS 'What the pool is for.';
COMMENT ON COLUMN pool.pool.timezone IS
    'Time zone of its days; NULL = that of the tenant.';
COMMENT ON COLUMN pool.pool.everyone IS
    'Whether every member of the tenant belongs to it, without a '
    'membership.';
COMMENT ON COLUMN pool.pool.hold_limit IS
    'How many of its leads a member may own; NULL = no limit.';
COMMENT ON COLUMN pool.pool.claim_limit IS
    'How many of its leads a member may claim in one calendar day of his; '
    'NULL = no limit.';
COMMENT ON COLUMN pool.pool.claim_interval IS
    'Least time between two claims of a member; NULL = none.';
COMMENT ON COLUMN pool.pool.cooldown IS
    'How long a member whose spell on a lead ended does not get it again '
    'by a claim; NULL = none.';
COMMENT ON COLUMN pool.pool.masked_attributes IS
    'What lead_open does not show: names of attributes, and key, name, '
    'source or grade.';
COMMENT ON COLUMN pool.pool.duplicate_policy IS
    'What happens to an entry whose identity exists: reject (duplicate), '
    'touch (its lead notes the inquiry), link (a second lead of the same '
    'customer). An existing key is always a duplicate.';
COMMENT ON COLUMN pool.pool.review IS
    'Whether entries wait for a human check (review()).';
COMMENT ON COLUMN pool.pool.route_returned IS
    'Whether what comes back is routed anew by the routing rules: after '
    'release() and reclaim() in the same transaction, whatever else gives '
    'it back (timers, results of follow-ups, runs, requests) by the next '
    'tick. Whoever gave it back, or lost it, does not get it.';
COMMENT ON COLUMN pool.pool.keep_converted IS
    'How long after its conversion a lead that is reopened or entered again '
    'goes to its last owner if he may receive it, else to its pool. NULL, or '
    'later: reopen() takes it to the pool, enter() says duplicate.';
COMMENT ON COLUMN pool.pool.enabled IS 'Whether its leads can be claimed.';
COMMENT ON COLUMN pool.pool.country IS
    'Country that phone numbers without prefix are from, by its ISO code; '
    'NULL = the tenant''s.';
COMMENT ON COLUMN pool.pool.identity_scope IS
    'Where a customer is one customer, with one owner at most: tenant, or '
    'the subtree of pools below the topmost pool that says subtree. A lead '
    'keeps the scope it has entered in, wherever it is moved.';
COMMENT ON COLUMN pool.pool.newcomer_period IS
    'How long a member is a newcomer after joined_at, and what newcomer_min '
    'and newcomer_share of routing rules are counted over.';
COMMENT ON COLUMN pool.pool.follow_up_requires IS
    'What a follow-up must have, or it is incomplete: note, result, next_at '
    '(unless its result ends the spell), stage, kind (another than note, '
    'unless that is a word of the dictionary), occurred_at, or a field of '
    'detail.';
COMMENT ON COLUMN pool.pool.follow_up_min_chars IS
    'Least length of the note of a follow-up, in characters, white space '
    'around it aside; NULL = any, or none.';
COMMENT ON COLUMN pool.pool.pause_when_away IS
    'Whether the timers of a lead stand still while its owner''s status is '
    'away (away_until only informs).';
COMMENT ON COLUMN pool.pool.max_pause IS
    'Longest pause per spell: of the owner''s absences since it began only '
    'the first so much counts, a month as 30 days; NULL = no limit.';
COMMENT ON COLUMN pool.pool.protect_limit IS
    'Leads a member may protect from timers at a time; NULL = no limit.';
COMMENT ON COLUMN pool.pool.protect_for IS
    'Longest protection; NULL = no limit.';
COMMENT ON COLUMN pool.pool.extension_limit IS
    'Extensions of deadlines per spell; NULL = no limit.';
COMMENT ON COLUMN pool.pool.reveal_limit IS
    'Masked leads a member may reveal per day; NULL = no limit.';
COMMENT ON COLUMN pool.pool.quarantine_after IS
    'Spells without any counted follow-up after which a lead that comes back '
    'goes to the quarantine pool; NULL = never. Counted in a row, whoever had '
    'them, the one that ends included; spells that transfers have joined '
    'count as one. A counted follow-up begins the count anew, and so does '
    'entering, reopening or moving the lead. Not where a manager reclaims '
    'into a pool he names. The event says quarantine in its detail.';
COMMENT ON COLUMN pool.pool.quarantine_pool_id IS
    'Pool for leads that nobody works on (id).';
COMMENT ON COLUMN pool.pool.reclaim_limit IS
    'Brake: most leads that timers reclaim from this pool on one of its '
    'days. What would go over stops before its first lead, as a held run '
    '(stat_run); NULL = no limit.';
COMMENT ON COLUMN pool.pool.reclaim_share IS
    'Brake: the same as a share, 0 to 1, of the leads that were owned before '
    'the day''s reclaims; NULL = no limit.';
COMMENT ON COLUMN pool.pool.catch_up IS
    'How long owners have, after no tick ran for more than an hour (and '
    'longer than pool_ext.worker_naptime), for what was to be reclaimed, '
    'moved or archived meanwhile, from the first tick on and once; NULL = '
    'nothing is added.';
COMMENT ON COLUMN pool.pool.reserve_limit IS
    'Leads a member may have reserved for himself with reserve() at a time; '
    '0 = nobody reserves any, NULL = no limit.';
COMMENT ON COLUMN pool.pool.reserve_for IS
    'How long reserve() reserves a lead: where it does not say, and at most.';

COMMENT ON TABLE pool.member IS 'People who may own leads.';
COMMENT ON COLUMN pool.member.id IS 'Member.';
COMMENT ON COLUMN pool.member.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.member.key IS
    'The application''s user id, unique in the tenant, without /.';
COMMENT ON COLUMN pool.member.name IS 'Name.';
COMMENT ON COLUMN pool.member.login IS
    'Database role that acts as this member; NULL = none. A warning says '
    'where there is no such role yet.';
COMMENT ON COLUMN pool.member.level IS 'Level.';
COMMENT ON COLUMN pool.member.profile IS 'What rules may know of the member.';
COMMENT ON COLUMN pool.member.timezone IS
    'Time zone of his days; NULL = that of the tenant.';
COMMENT ON COLUMN pool.member.hold_limit IS
    'How many leads he may own over all pools; NULL = no limit.';
COMMENT ON COLUMN pool.member.joined_at IS 'When he joined.';
COMMENT ON COLUMN pool.member.status IS
    'active, away, leaving or left; only an active member receives leads.';
COMMENT ON COLUMN pool.member.away_until IS 'When he means to be back.';

COMMENT ON TABLE pool.membership IS
    'Which members belong to which pools, and as what.';
COMMENT ON COLUMN pool.membership.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.membership.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.membership.tenant_id IS 'Tenant of both (id).';
COMMENT ON COLUMN pool.membership.role IS
    'member, manager or viewer. Managers also manage the pools below.';
COMMENT ON COLUMN pool.membership.level IS
    'Level in this pool; NULL = the member''s.';
COMMENT ON COLUMN pool.membership.weight IS
    'Share of what is distributed by weight, from 0 (none) to 1000000000.';
COMMENT ON COLUMN pool.membership.hold_limit IS
    'Instead of the pool''s; NULL = the pool''s.';
COMMENT ON COLUMN pool.membership.claim_limit IS
    'Instead of the pool''s; NULL = the pool''s.';

COMMENT ON TABLE pool.timer_rule IS 'What time does to the leads of a pool.';
COMMENT ON COLUMN pool.timer_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.timer_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.timer_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.timer_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.timer_rule.action IS
    'What is done: reclaim, move (to to_pool_id, else the parent pool; an '
    'owned lead is reclaimed into it; without either nothing happens), '
    'archive, or escalate (an event that names whom notify stands for). Of '
    'reclaim, move and archive the one that is due first acts and is named in '
    'the event, the lowest id of several; every escalation happens once per '
    'spell, or stay in the pool. 22023 where it cannot apply: reclaim on '
    'basis entry or review, move on review, anything but escalate on '
    'approval.';
COMMENT ON COLUMN pool.timer_rule.basis IS
    'What the time counts from: first_contact (start of the spell, while '
    'there is no follow-up), follow_up (last counted follow-up of the '
    'spell, or its start), ownership (start of the unbroken chain of '
    'transfers), entry (available, since it entered this pool), creation, '
    'stage (since the stage was reached), review (waits for a check), '
    'approval (waits for a decision), planned (next_follow_up_at has '
    'passed). entry is about available leads, review about those in review, '
    'creation about all open ones (but a spell that began when it was due '
    'already is left alone), the others about owned ones; stage counts from '
    'the start of the spell at the earliest.';
COMMENT ON COLUMN pool.timer_rule.after IS
    'How long after; days and months by the calendar of the pool''s zone, '
    'the rest as elapsed time.';
COMMENT ON COLUMN pool.timer_rule.working_time IS
    'Whether only working days and hours count, in after and remind_before: '
    'workdays, work_from and work_until of the tenant, and its calendar, by '
    'the clocks of the pool''s zone. A day is one working day, that is '
    'work_until - work_from; months are refused (22023).';
COMMENT ON COLUMN pool.timer_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.timer_rule.remind_before IS
    'How long before it acts there is a reminder, once per spell, or stay in '
    'the pool, each; never longer than after, but on basis planned.';
COMMENT ON COLUMN pool.timer_rule.notice_required IS
    'Whether it reclaims, moves or archives only leads that were reminded '
    'of at least the shortest remind_before ago.';
COMMENT ON COLUMN pool.timer_rule.notify IS
    'Who is told by an escalation: owner, manager (of the pool, or of the '
    'nearest one above it that has any) or parent_manager (likewise from the '
    'parent on; of a pool without parent its own).';
COMMENT ON COLUMN pool.timer_rule.to_pool_id IS
    'Pool the lead goes to (id); NULL = stays in its own, for move the '
    'parent.';
COMMENT ON COLUMN pool.timer_rule.enabled IS 'Whether the rule is in force.';

COMMENT ON TABLE pool.access_grant IS 'What grant_access() gave to roles.';
COMMENT ON COLUMN pool.access_grant.role IS 'Database role.';
COMMENT ON COLUMN pool.access_grant.access IS
    'reader, member, manager, admin or service.';
COMMENT ON COLUMN pool.access_grant.tenant_id IS
    'Tenant the role may see (id); NULL = all.';

COMMENT ON TABLE pool.installation IS
    'Where this data has lived: one row per cluster and database.';
COMMENT ON COLUMN pool.installation.system_identifier IS
    'System identifier of the cluster.';
COMMENT ON COLUMN pool.installation.database_oid IS 'OID of the database.';
COMMENT ON COLUMN pool.installation.generation IS
    'Generation of the events written there; transaction ids compare only '
    'within one.';
COMMENT ON COLUMN pool.installation.since IS
    'When the data came to live there.';
COMMENT ON COLUMN pool.installation.active IS
    'Whether the worker may act there.';

COMMENT ON TABLE pool.lead_state IS
    'Leads: what a claim rewrites. Written by the library only; read '
    'pool.lead.';
COMMENT ON COLUMN pool.lead_state.id IS 'Lead.';
COMMENT ON COLUMN pool.lead_state.ticket IS
    'Place in the queue of its pool, the lowest first; set if and only if '
    'the lead is available.';
COMMENT ON COLUMN pool.lead_state.entered_at IS 'When it entered this pool.';
COMMENT ON COLUMN pool.lead_state.owned_at IS 'Start of the present spell.';
COMMENT ON COLUMN pool.lead_state.chain_at IS
    'Start of the unbroken chain of transfers the spell belongs to.';
COMMENT ON COLUMN pool.lead_state.first_follow_up_at IS
    'First follow-up of this spell.';
COMMENT ON COLUMN pool.lead_state.last_follow_up_at IS
    'Last counted follow-up of this spell.';
COMMENT ON COLUMN pool.lead_state.next_follow_up_at IS
    'When the owner means to follow up next.';
COMMENT ON COLUMN pool.lead_state.protected_until IS
    'No timer reclaims, moves or archives it before this.';
COMMENT ON COLUMN pool.lead_state.hidden_until IS 'Not claimable before this.';
COMMENT ON COLUMN pool.lead_state.closed_at IS
    'When it was converted or archived.';
COMMENT ON COLUMN pool.lead_state.check_at IS
    'Nothing that time decides happens to the lead before this; NULL = '
    'never.';
COMMENT ON COLUMN pool.lead_state.stage_at IS
    'When the stage was reached.';
COMMENT ON COLUMN pool.lead_state.group_id IS
    'Group of leads of the same customer; NULL = the only one.';
COMMENT ON COLUMN pool.lead_state.reserved_for IS
    'Member (id) for whom it is hidden until hidden_until.';
COMMENT ON COLUMN pool.lead_state.extensions IS
    'Extensions of deadlines in this spell.';
COMMENT ON COLUMN pool.lead_state.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.lead_state.pool_id IS 'Home pool (id).';
COMMENT ON COLUMN pool.lead_state.owner_id IS
    'Owner (id); set if and only if the status is owned.';
COMMENT ON COLUMN pool.lead_state.last_owner_id IS
    'Last or present owner (id).';
COMMENT ON COLUMN pool.lead_state.follow_ups IS 'Follow-ups of this spell that count.';
COMMENT ON COLUMN pool.lead_state.claims IS
    'Number of spells the lead has had.';
COMMENT ON COLUMN pool.lead_state.priority IS
    'Priority, 0 to 100; higher is served first.';
COMMENT ON COLUMN pool.lead_state.status IS
    'review, available, owned, converted or archived.';
COMMENT ON COLUMN pool.lead_state.last_result IS
    'Result of the last follow-up that had one.';
COMMENT ON COLUMN pool.lead_state.stage IS 'Stage the lead has reached.';
COMMENT ON COLUMN pool.lead_state.amount IS 'Amount of the conversion.';
COMMENT ON COLUMN pool.lead_state.currency IS 'Currency of the amount.';

COMMENT ON TABLE pool.lead_data IS
    'Leads: what a claim only reads. Written by the library only; read '
    'pool.lead.';
COMMENT ON COLUMN pool.lead_data.id IS 'Lead.';
COMMENT ON COLUMN pool.lead_data.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.lead_data.key IS
    'The application''s id of the lead, unique in the tenant.';
COMMENT ON COLUMN pool.lead_data.name IS 'Name.';
COMMENT ON COLUMN pool.lead_data.source IS 'Source (channel).';
COMMENT ON COLUMN pool.lead_data.grade IS 'Grade.';
COMMENT ON COLUMN pool.lead_data.attributes IS
    'Attributes given by the application.';
COMMENT ON COLUMN pool.lead_data.created_at IS 'When the lead was created.';
COMMENT ON COLUMN pool.lead_data.erased_at IS 'When personal data were erased.';

COMMENT ON TABLE pool.identity IS
    'Normalised identities of leads: one lead per phone number, e-mail '
    'address and so on.';
COMMENT ON COLUMN pool.identity.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.identity.scope IS
    'Within what it is unique: the id of the topmost pool of a subtree, or '
    'the empty string for the tenant.';
COMMENT ON COLUMN pool.identity.kind IS
    'phone, email, company, wechat, wecom or tax_id.';
COMMENT ON COLUMN pool.identity.value IS 'The value, normalised.';
COMMENT ON COLUMN pool.identity.lead_id IS 'Lead.';

COMMENT ON TABLE pool.member_state IS
    'One row per member: the lock where a limit spans pools.';
COMMENT ON COLUMN pool.member_state.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.member_state.tenant_id IS 'Tenant (id).';

COMMENT ON TABLE pool.membership_state IS
    'Counters of one member in one pool, which are also his quota lock. '
    'Written by the library only.';
COMMENT ON COLUMN pool.membership_state.spells IS 'Spells ever begun.';
COMMENT ON COLUMN pool.membership_state.day_event IS
    'First event of day; his claims of the day are the claim events from '
    'it on.';
COMMENT ON COLUMN pool.membership_state.day_until IS
    'The instant at which day ends.';
COMMENT ON COLUMN pool.membership_state.last_claim_at IS
    'When he last claimed here.';
COMMENT ON COLUMN pool.membership_state.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.membership_state.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.membership_state.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.membership_state.held IS 'Leads of this pool he owns.';
COMMENT ON COLUMN pool.membership_state.claimed IS 'Claims of day.';
COMMENT ON COLUMN pool.membership_state.day IS
    'The member''s calendar day that claimed counts.';
COMMENT ON COLUMN pool.membership_state.status IS
    'Status of the member, or removed if he is no longer in the pool.';
COMMENT ON COLUMN pool.membership_state.member_limit IS
    'hold_limit of the member, over all his pools; NULL = no limit.';

COMMENT ON TABLE pool.event IS
    'The log: every change of every lead, written in the transaction that '
    'made it. Append-only.';
COMMENT ON COLUMN pool.event.id IS
    'Event; in the order of events for each lead and each membership.';
COMMENT ON COLUMN pool.event.at IS 'When it happened.';
COMMENT ON COLUMN pool.event.xid IS 'Top-level transaction that wrote it.';
COMMENT ON COLUMN pool.event.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.event.day IS 'Local day of the pool.';
COMMENT ON COLUMN pool.event.generation IS
    'Generation of the installation it was written in; xid compares only '
    'within one.';
COMMENT ON COLUMN pool.event.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.event.pool_id IS
    'Home pool of the lead, after the change (id).';
COMMENT ON COLUMN pool.event.member_id IS
    'New owner; for endings the former one (id).';
COMMENT ON COLUMN pool.event.actor_id IS
    'Member who acted (id); NULL = a service.';
COMMENT ON COLUMN pool.event.rule_id IS 'Rule that acted (id).';
COMMENT ON COLUMN pool.event.kind IS
    'entered, claimed, assigned, transferred, released, reclaimed, '
    'followed_up, converted, archived, reopened, moved, erased, edited, '
    'collaborator_added, collaborator_removed, reminded, review (waits for '
    'review()), touched (an inquiry of a known customer), linked (he got a '
    'second lead) or merged.';
COMMENT ON COLUMN pool.event.reason IS 'Reason given.';
COMMENT ON COLUMN pool.event.source IS 'Source of the lead at that moment.';
COMMENT ON COLUMN pool.event.grade IS 'Grade of the lead at that moment.';
COMMENT ON COLUMN pool.event.detail IS
    'What else belongs to the kind; see the reference.';

COMMENT ON TABLE pool.request_log IS
    'Results of calls with a request_id, given again when the call is '
    'repeated.';
COMMENT ON COLUMN pool.request_log.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.request_log.login IS 'Role that called.';
COMMENT ON COLUMN pool.request_log.request_id IS 'Id of the request.';
COMMENT ON COLUMN pool.request_log.function IS 'Function called.';
COMMENT ON COLUMN pool.request_log.digest IS 'Digest of the arguments.';
COMMENT ON COLUMN pool.request_log.result IS 'Rows returned.';
COMMENT ON COLUMN pool.request_log.at IS 'When it was called.';

COMMENT ON TABLE pool.timer_recheck IS
    'Pools whose timer rules changed, and members who are back: ticks '
    'compute check_at of their leads anew. See stat_recheck.';
COMMENT ON COLUMN pool.timer_recheck.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.timer_recheck.member_id IS
    'Member (id) whose leads are concerned; 0 = all.';
COMMENT ON COLUMN pool.timer_recheck.everything IS
    'Whether leads that nobody owns are concerned, too.';
COMMENT ON COLUMN pool.timer_recheck.since IS 'When the last change was made.';
COMMENT ON COLUMN pool.timer_recheck.todo IS
    'Leads of the present walk; NULL = not counted yet.';
COMMENT ON COLUMN pool.timer_recheck.done IS
    'Leads the present walk has passed.';
COMMENT ON COLUMN pool.timer_recheck.horizon IS
    'Transactions before this one may have used the old rules; NULL until the first walk begins.';
COMMENT ON COLUMN pool.timer_recheck.walk_xmin IS
    'Oldest transaction that ran when the present walk began; NULL between walks.';
COMMENT ON COLUMN pool.timer_recheck.after_lead IS
    'Leads up to this one are done.';

COMMENT ON TABLE pool.tick_state IS
    'When a tick ran last in this database; one row, if any did.';
COMMENT ON COLUMN pool.tick_state.id IS 'Always true.';
COMMENT ON COLUMN pool.tick_state.last_at IS
    'When it ran, give or take ten minutes.';
COMMENT ON TABLE pool.downtime IS
    'When no tick ran for more than an hour; what matters no more is '
    'deleted.';
COMMENT ON COLUMN pool.downtime.started_at IS
    'Last tick before, give or take ten minutes.';
COMMENT ON COLUMN pool.downtime.ended_at IS 'First tick after it.';

COMMENT ON SEQUENCE pool.lead_id_seq IS
    'Ids of leads, without the node number.';
COMMENT ON SEQUENCE pool.event_id_seq IS
    'Ids of events, with the highest node number there was.';
COMMENT ON SEQUENCE pool.ticket_seq IS
    'Places in the queue: the order of entries into pools.';
COMMENT ON SEQUENCE pool.tenant_id_seq IS 'Ids of tenants.';
COMMENT ON SEQUENCE pool.pool_id_seq IS 'Ids of pools.';
COMMENT ON SEQUENCE pool.member_id_seq IS 'Ids of members.';
COMMENT ON SEQUENCE pool.timer_rule_id_seq IS 'Ids of timer rules.';

COMMENT ON FUNCTION pool.default_tenant() IS
    'The tenant of rows that name none: that of the caller''s member, '
    'otherwise the one named default, made if need be.';

COMMENT ON VIEW pool.intake IS
    'Bulk entry: INSERT and COPY into it do what enter() does; it is empty '
    'to read. A bad row is named by number and key, and nothing of the '
    'statement stays. intake_check() says what became of each row; with '
    'pool_ext.intake_mode = ''check'' nothing is written, and it says what '
    'would have.';
COMMENT ON COLUMN pool.intake.pool IS 'Pool, or tenant/pool.';
COMMENT ON COLUMN pool.intake.key IS
    'The application''s id of the lead, unique in the tenant.';
COMMENT ON COLUMN pool.intake.name IS 'Name.';
COMMENT ON COLUMN pool.intake.source IS 'Source (channel).';
COMMENT ON COLUMN pool.intake.grade IS 'Grade.';
COMMENT ON COLUMN pool.intake.priority IS 'Priority, 0 to 100; NULL = 0.';
COMMENT ON COLUMN pool.intake.attributes IS
    'Attributes: a JSON object; NULL = none.';
COMMENT ON COLUMN pool.intake.identities IS
    'Identities by kind, such as phone and email: a JSON object; NULL = none.';
COMMENT ON COLUMN pool.intake.owner IS
    'Key of the member who owns the lead; NULL = none.';
COMMENT ON COLUMN pool.intake.created_at IS
    'When the lead was created; NULL = now.';
COMMENT ON COLUMN pool.intake.owned_at IS
    'When its owner received it elsewhere: his spell goes on from there, and '
    'its events say estimated. Needs owner; NULL = now.';
COMMENT ON COLUMN pool.intake.last_follow_up_at IS
    'Last follow-up in that spell, which counts as its first; needs owned_at.';
COMMENT ON COLUMN pool.intake.status IS
    'What it was elsewhere: available (no owner), owned (owner given), '
    'converted or archived (with the spell of owner, if given, that ended '
    'then); closed ones do not wait for review. NULL = owned with an owner, '
    'else available.';

COMMENT ON SCHEMA pool IS
    'pool_ext: leads, the pools they are in, and who works on them.';
