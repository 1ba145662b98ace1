-- What the tables of the rule book mean.

COMMENT ON TABLE pool.claim_rule IS
    'Who may claim which leads. Every rule whose condition matches the lead '
    'must be satisfied, by managers too.';
COMMENT ON COLUMN pool.claim_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.claim_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.claim_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.claim_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.claim_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.claim_rule.member_condition IS
    'Members it admits: a jsonpath predicate on the member''s document, '
    'with the fields of the lead as variables ($.regions[*] == $region); '
    'NULL = all.';
COMMENT ON COLUMN pool.claim_rule.min_level IS
    'Lowest level that may claim: that of the membership, else of the '
    'member; 0 = any.';
COMMENT ON COLUMN pool.claim_rule.approval IS
    'Whether a manager must approve each claim (outcome approval; '
    'request_claim() asks).';
COMMENT ON COLUMN pool.claim_rule.head_start IS
    'How long after its entry the rule binds a lead; NULL = always. So '
    'those whom it admits choose first.';
COMMENT ON COLUMN pool.claim_rule.enabled IS 'Whether the rule is in force.';

COMMENT ON TABLE pool.entry_rule IS
    'What is let in: the first rule in force that matches decides, by '
    'position, then id.';
COMMENT ON COLUMN pool.entry_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.entry_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.entry_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.entry_rule.position IS
    'Order of the rules of a pool, the lowest first.';
COMMENT ON COLUMN pool.entry_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.entry_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.entry_rule."then" IS
    'accept, review (a human decides by review()), reject or to_pool.';
COMMENT ON COLUMN pool.entry_rule.to_pool_id IS
    'Pool the lead enters instead (id), for to_pool.';
COMMENT ON COLUMN pool.entry_rule.grade IS
    'Grade the lead gets; NULL = the one it came with.';
COMMENT ON COLUMN pool.entry_rule.reason IS
    'Why; stands in the event, or in the answer of enter().';
COMMENT ON COLUMN pool.entry_rule.enabled IS 'Whether the rule is in force.';

COMMENT ON TABLE pool.score_rule IS
    'Points that make up the priority of a lead: their sum, from 0 to 100, '
    'at entry, edit and follow-up. A pool without rules keeps the priority '
    'given.';
COMMENT ON COLUMN pool.score_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.score_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.score_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.score_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.score_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.score_rule.points IS
    'Points a matching lead gets, negative ones too.';
COMMENT ON COLUMN pool.score_rule.enabled IS 'Whether the rule is in force.';

COMMENT ON TABLE pool.routing_rule IS
    'Who receives leads by rule: at entry, on return where the pool says '
    'route_returned, and in auto_assign(). The first rule in force that '
    'matches decides, by position, then id.';
COMMENT ON COLUMN pool.routing_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.routing_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.routing_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.routing_rule.position IS
    'Order of the rules of a pool, the lowest first.';
COMMENT ON COLUMN pool.routing_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.routing_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.routing_rule.member_condition IS
    'Members it admits: a jsonpath predicate on the member''s document, '
    'with the fields of the lead as variables ($.regions[*] == $region); '
    'NULL = all.';
COMMENT ON COLUMN pool.routing_rule.min_level IS
    'Lowest level that receives: that of the membership, else of the '
    'member; 0 = any.';
COMMENT ON COLUMN pool.routing_rule.strategy IS
    'How one is chosen of those who may receive the lead; weight 0 receives '
    'nothing. round_robin: one after another. weighted: by turns, share = '
    'weight / sum of weights of those who may receive the lead. random: by '
    'lot, with that probability. least_loaded: least held / weight. '
    'performance: highest member_fact.conversion_rate, those without '
    'results last. best_match: by turns, share by weight * score, the score '
    'being the smoothed share of leads of the same source and grade that he '
    'won ((won + 10 * m) / (ended + 10), m that of all who may receive in the '
    'pool, (won + 1) / (ended + 2); without results as weighted). suggest: as '
    'weighted, but the lead is only kept for him, by an approval that takes '
    'effect unless vetoed. hand_over: to the rules of another pool. Ties go '
    'to who was served the longest ago.';
COMMENT ON COLUMN pool.routing_rule.to_pool_id IS
    'Pool that takes over (id), for hand_over.';
COMMENT ON COLUMN pool.routing_rule.newcomer_share IS
    'What every newcomer is sure of: this share, 0 to 1, of the leads the '
    'rule gives in his newcomer period (pool.newcomer_period from '
    'member.joined_at), before the others'' turn. What is unused expires '
    'with the period.';
COMMENT ON COLUMN pool.routing_rule.newcomer_min IS
    'Leads every newcomer is sure of in his newcomer period, if that is '
    'more than his share.';
COMMENT ON COLUMN pool.routing_rule.rotate_every IS
    'How long a seat lasts where only some members receive at a time; NULL '
    '= no seats.';
COMMENT ON COLUMN pool.routing_rule.rotate_seats IS
    'How many members have a seat at a time.';
COMMENT ON COLUMN pool.routing_rule.expires_after IS
    'How long a suggestion waits for a veto; NULL = 24 hours.';
COMMENT ON COLUMN pool.routing_rule.enabled IS 'Whether the rule is in force.';

COMMENT ON TABLE pool.approval_rule IS
    'What a manager must approve, in steps.';
COMMENT ON COLUMN pool.approval_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.approval_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.approval_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.approval_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.approval_rule.action IS
    'claim, assign, transfer, release, move, archive or extension.';
COMMENT ON COLUMN pool.approval_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.approval_rule.step IS
    'Order of the decisions, 1 to 10; the next step begins when the one '
    'before is approved.';
COMMENT ON COLUMN pool.approval_rule.min_level IS
    'Lowest level of the manager who decides; 0 = any.';
COMMENT ON COLUMN pool.approval_rule.expires_after IS
    'How long the request stays open; NULL = until it is decided.';
COMMENT ON COLUMN pool.approval_rule.enabled IS
    'Whether the rule is in force.';

COMMENT ON TABLE pool.reward_rule IS
    'Points for results, entered in the ledger by ticks.';
COMMENT ON COLUMN pool.reward_rule.id IS 'Rule.';
COMMENT ON COLUMN pool.reward_rule.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.reward_rule.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.reward_rule.name IS 'Name, unique in the pool.';
COMMENT ON COLUMN pool.reward_rule.event_kind IS
    'What is rewarded: claimed, assigned, followed_up, converted, released, '
    'reclaimed or overdue.';
COMMENT ON COLUMN pool.reward_rule.condition IS
    'Leads it applies to: a jsonpath predicate on the lead''s document; '
    'NULL = all.';
COMMENT ON COLUMN pool.reward_rule.member_condition IS
    'Members it admits: a jsonpath predicate on the member''s document, '
    'with the fields of the lead as variables ($.regions[*] == $region); '
    'NULL = all.';
COMMENT ON COLUMN pool.reward_rule.points IS
    'Points for one event; negative ones are taken.';
COMMENT ON COLUMN pool.reward_rule.shares IS
    'Share of the points by role: a JSON object such as {"owner": 0.7, '
    '"mentor": 0.3}.';
COMMENT ON COLUMN pool.reward_rule.within IS
    'How soon after the start of the spell it must happen; NULL = any time.';
COMMENT ON COLUMN pool.reward_rule.cap IS
    'Most points of this rule a member gets per day of the pool; NULL = no '
    'cap.';
COMMENT ON COLUMN pool.reward_rule.enabled IS 'Whether the rule is in force.';

COMMENT ON TABLE pool.dictionary IS
    'The words a pool knows. A pool with enabled words of a kind takes no '
    'others: release and archive answer reason_unknown (a release without a '
    'reason too), follow_up incomplete.';
COMMENT ON COLUMN pool.dictionary.id IS 'Word.';
COMMENT ON COLUMN pool.dictionary.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.dictionary.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.dictionary.kind IS
    'follow_up (kinds of follow-up; note is one unless another is given), '
    'result, release_reason or archive_reason.';
COMMENT ON COLUMN pool.dictionary.code IS
    'The word, as given to the functions.';
COMMENT ON COLUMN pool.dictionary.label IS 'What people read.';
COMMENT ON COLUMN pool.dictionary.counts IS
    'Whether a follow-up with it counts (outcome not_counted if it does '
    'not); of a release reason, whether cooldown begins.';
COMMENT ON COLUMN pool.dictionary."then" IS
    'What follows. Of a result: nothing, call_back (next contact after '
    '`after`, unless the follow-up names it), release (the lead goes back), '
    'cool (it goes back and is hidden for `after`) or archive; these three '
    'end the spell in the same call if the owner writes it, or a deputy '
    'whose follow-ups count. Of a release reason: nothing or cool. Of an archive reason: nothing or '
    'never (an entry does not reopen the lead). Of a kind: nothing.';
COMMENT ON COLUMN pool.dictionary.after IS
    'How long, for call_back and cool, which need it; NULL otherwise.';
COMMENT ON COLUMN pool.dictionary.enabled IS 'Whether the word may be used.';

COMMENT ON TABLE pool.rule_version IS
    'What every rule, pool and membership said, and when: one row per '
    'version. Written by triggers.';
COMMENT ON COLUMN pool.rule_version.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.rule_version.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rule_version.rule IS 'Table the row is from.';
COMMENT ON COLUMN pool.rule_version.rule_id IS
    'Its id there; of a membership the member.';
COMMENT ON COLUMN pool.rule_version.version IS '1, 2, 3, ...';
COMMENT ON COLUMN pool.rule_version.valid_from IS 'When it came into force.';
COMMENT ON COLUMN pool.rule_version.valid_to IS
    'When it was replaced or deleted; NULL = in force.';
COMMENT ON COLUMN pool.rule_version.changed_by IS
    'Database role that wrote it.';
COMMENT ON COLUMN pool.rule_version."row" IS 'The row as it was.';

COMMENT ON TABLE pool.approval IS
    'Requests somebody has to grant. Written by the library only; read '
    'approval_open.';
COMMENT ON COLUMN pool.approval.id IS 'Request.';
COMMENT ON COLUMN pool.approval.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.approval.pool_id IS 'Pool whose managers decide (id).';
COMMENT ON COLUMN pool.approval.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.approval.action IS
    'claim, assign, transfer, release, move, archive or extension.';
COMMENT ON COLUMN pool.approval.status IS
    'open, approved, rejected, expired or cancelled.';
COMMENT ON COLUMN pool.approval.step IS
    'Step that is open, or was decided last.';
COMMENT ON COLUMN pool.approval.min_level IS
    'Lowest level of the manager who decides.';
COMMENT ON COLUMN pool.approval.applicant_id IS
    'Member who asks (id); NULL = a rule or a service.';
COMMENT ON COLUMN pool.approval.member_id IS
    'Member who is to receive the lead (id).';
COMMENT ON COLUMN pool.approval.to_pool_id IS 'Pool it is to go to (id).';
COMMENT ON COLUMN pool.approval.from_rule_id IS 'Rule it comes from.';
COMMENT ON COLUMN pool.approval.reason IS 'Why it is asked for.';
COMMENT ON COLUMN pool.approval.note IS 'Why it was decided so.';
COMMENT ON COLUMN pool.approval.span IS
    'How much longer, for extension; how long hidden, for a release that a '
    'result of a follow-up asks for.';
COMMENT ON COLUMN pool.approval.created_at IS 'When it was asked for.';
COMMENT ON COLUMN pool.approval.expires_at IS
    'When it ends by itself; NULL = never. A suggestion takes effect then.';
COMMENT ON COLUMN pool.approval.decided_at IS 'When it was decided.';
COMMENT ON COLUMN pool.approval.decided_by IS
    'Member who decided (id); NULL = time, a service, or nobody yet.';
COMMENT ON COLUMN pool.approval.claims IS
    'Spells the lead had had when it was asked for: another number, and '
    'the request is about what is no longer.';

COMMENT ON TABLE pool.collaborator IS 'Who helps the owner of a lead.';
COMMENT ON COLUMN pool.collaborator.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.collaborator.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.collaborator.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.collaborator.role IS 'helper, mentor or deputy.';
COMMENT ON COLUMN pool.collaborator.counts IS 'Whether his follow-ups count.';
COMMENT ON COLUMN pool.collaborator.since IS 'Since when.';

COMMENT ON TABLE pool.absence IS
    'When members were away. Written by a trigger on pool.member.';
COMMENT ON COLUMN pool.absence.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.absence.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.absence.started_at IS 'Since when.';
COMMENT ON COLUMN pool.absence.ended_at IS 'Until when; NULL = still.';

COMMENT ON TABLE pool.routing_state IS
    'Whom routing rules have served. Written by the library only.';
COMMENT ON COLUMN pool.routing_state.rule_id IS 'Routing rule.';
COMMENT ON COLUMN pool.routing_state.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.routing_state.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.routing_state.served IS
    'Leads the rule gave him, suggestions included.';
COMMENT ON COLUMN pool.routing_state.early IS
    'Those of them he got as a newcomer, before the others'' turn.';
COMMENT ON COLUMN pool.routing_state.last_no IS
    'Number, among all leads the rule gave, of the last one he got; 0 = '
    'none.';
COMMENT ON COLUMN pool.routing_state.last_at IS 'When he was served last.';
COMMENT ON COLUMN pool.routing_state.seat_from IS
    'When his last seat began; NULL = he never had one.';
COMMENT ON COLUMN pool.routing_state.seat_until IS 'When it ends.';
COMMENT ON COLUMN pool.routing_state.period_from IS
    'When his newcomer period began: when he joined.';
COMMENT ON COLUMN pool.routing_state.period_base IS
    'Leads the rule had given to all before it first saw him in that '
    'period.';
COMMENT ON COLUMN pool.routing_state.period_served IS
    'Leads the rule gave him in it.';

COMMENT ON TABLE pool.routing_credit IS
    'What routing rules that go by turns owe to whom; of other rules a row '
    'without members. Written by the library only.';
COMMENT ON COLUMN pool.routing_credit.rule_id IS 'Routing rule.';
COMMENT ON COLUMN pool.routing_credit.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.routing_credit.members IS
    'Members who could receive when it was written (ids).';
COMMENT ON COLUMN pool.routing_credit.credits IS
    'What each of them is due, in leads: his share of every lead he could '
    'have received, less those he got by turns; their average is taken off '
    'where the rule is used.';

COMMENT ON TABLE pool.routing_wait IS
    'Leads to be routed by a tick: those that no rule could give to '
    'anybody, and those that came back by time. Written by the library '
    'only; read routing_waiting.';
COMMENT ON COLUMN pool.routing_wait.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.routing_wait.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.routing_wait.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.routing_wait.reason IS
    'Why: returned (not tried yet), no_rule, no_candidate or at_capacity.';
COMMENT ON COLUMN pool.routing_wait.tried_at IS
    'When that was found; NULL = not tried yet.';
COMMENT ON COLUMN pool.routing_wait.excluded_id IS
    'Member who gave it back and does not get it by a rule (id).';

COMMENT ON TABLE pool.routing_retry IS
    'How far the waiting leads of a pool have been tried again. Written by '
    'the library only.';
COMMENT ON COLUMN pool.routing_retry.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.routing_retry.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.routing_retry.after_ticket IS
    'Place in the queue of the last lead tried in the pass under way; 0 = '
    'none is.';
COMMENT ON COLUMN pool.routing_retry.begun_with IS
    'Digest of rules, members and free places when that pass began.';
COMMENT ON COLUMN pool.routing_retry.ended_with IS
    'The same of the last pass that ended: while it stays so, a new one '
    'would find the same.';
COMMENT ON COLUMN pool.routing_retry.ended_at IS 'When that pass ended.';

COMMENT ON TABLE pool.member_segment IS
    'Results of members with leads of one source and grade, for best_match. '
    'Kept by ticks for tenants that use it.';
COMMENT ON COLUMN pool.member_segment.member_id IS
    'Member (id).';
COMMENT ON COLUMN pool.member_segment.source IS
    'Source of the leads; the empty string where they have none.';
COMMENT ON COLUMN pool.member_segment.grade IS
    'Grade of the leads; the empty string where they have none.';
COMMENT ON COLUMN pool.member_segment.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.member_segment.ended IS
    'Spells of his with such leads that ended in the last 365 days.';
COMMENT ON COLUMN pool.member_segment.converted IS
    'Those of them that were won.';

COMMENT ON TABLE pool.member_fact IS
    'What conditions on members see of their results. Kept by ticks, once '
    'an hour, where claim, routing or reward rules may look at it. The last '
    '90 days are local days of the pool, today included.';

COMMENT ON COLUMN pool.member_fact.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.member_fact.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.member_fact.at IS 'When it was computed.';
COMMENT ON COLUMN pool.member_fact.ended_90d IS
    'Spells that ended in the last 90 days.';
COMMENT ON COLUMN pool.member_fact.converted_90d IS
    'Those of them that were won.';
COMMENT ON COLUMN pool.member_fact.conversion_rate IS
    'converted_90d / ended_90d; NULL at zero.';
COMMENT ON COLUMN pool.member_fact.rank IS
    'Place by conversion rate among the active members of the tenant who '
    'have results, divided by their number: 0.2 = within the best fifth of '
    'them; NULL without results.';
COMMENT ON COLUMN pool.member_fact.first_response_seconds IS
    'Average time from start of a spell to its first follow-up, in seconds, '
    'over the first follow-ups of the last 90 days; NULL at zero.';
COMMENT ON COLUMN pool.member_fact.overdue IS
    'Leads he holds whose next timer was due at that time.';

COMMENT ON TABLE pool.identity_group IS
    'Leads of one customer: they have one owner at most. Written by the '
    'library only.';
COMMENT ON COLUMN pool.identity_group.id IS 'Group: the id of its first lead.';
COMMENT ON COLUMN pool.identity_group.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.identity_group.scope IS
    'Subtree of pools it holds for; empty = the tenant.';
COMMENT ON COLUMN pool.identity_group.owner_id IS
    'Member who owns any of its leads (id).';
COMMENT ON COLUMN pool.identity_group.held IS 'How many he owns.';

COMMENT ON TABLE pool.run IS
    'Runs of many leads: plans, reclaims, offboarding and the like.';
COMMENT ON COLUMN pool.run.id IS 'Run.';
COMMENT ON COLUMN pool.run.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.run.pool_id IS 'Pool (id), if it is about one.';
COMMENT ON COLUMN pool.run.member_id IS 'Member (id), if it is about one.';
COMMENT ON COLUMN pool.run.kind IS
    'reclaim, plan, offboard, relocate or undo.';
COMMENT ON COLUMN pool.run.status IS
    'planned, running, held (the brake has stopped it), done, cancelled or '
    'expired.';
COMMENT ON COLUMN pool.run.token IS 'What apply_plan() takes.';
COMMENT ON COLUMN pool.run.actor_id IS 'Member who began it (id).';
COMMENT ON COLUMN pool.run.started_at IS 'When it began.';
COMMENT ON COLUMN pool.run.ended_at IS 'When it ended.';
COMMENT ON COLUMN pool.run.expires_at IS
    'When a plan can no longer be applied.';
COMMENT ON COLUMN pool.run.planned IS 'Leads it is about.';
COMMENT ON COLUMN pool.run.done IS 'Leads it has changed.';
COMMENT ON COLUMN pool.run.skipped IS 'Leads it left alone.';
COMMENT ON COLUMN pool.run.after_lead IS 'Last lead it has looked at.';
COMMENT ON COLUMN pool.run.detail IS 'What it was told to do.';

COMMENT ON TABLE pool.run_lead IS 'Leads of a run.';
COMMENT ON COLUMN pool.run_lead.run_id IS 'Run.';
COMMENT ON COLUMN pool.run_lead.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.run_lead.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.run_lead.rule_id IS 'Rule that made it due.';
COMMENT ON COLUMN pool.run_lead.due_at IS 'When it was due.';
COMMENT ON COLUMN pool.run_lead.outcome IS
    'What became of it; NULL = nothing yet.';
COMMENT ON COLUMN pool.run_lead.event_id IS 'Event that the run wrote.';
COMMENT ON COLUMN pool.run_lead.member_id IS
    'Owner when the run found it (id).';

COMMENT ON TABLE pool.consumer IS
    'Readers of the log (poll, ack), and how far they are.';
COMMENT ON COLUMN pool.consumer.name IS 'Name, unique in the tenant.';
COMMENT ON COLUMN pool.consumer.tenant_id IS 'Tenant (id); 0 = all.';
COMMENT ON COLUMN pool.consumer.generation IS
    'Position: generation of the last event acknowledged.';
COMMENT ON COLUMN pool.consumer.xid IS 'Its transaction.';
COMMENT ON COLUMN pool.consumer.event_id IS 'Its id.';
COMMENT ON COLUMN pool.consumer.since IS 'When the reader came.';
COMMENT ON COLUMN pool.consumer.acked_at IS 'When it acknowledged last.';

COMMENT ON TABLE pool.reward IS
    'The ledger of reward points. Kept by ticks; read pool.points.';
COMMENT ON COLUMN pool.reward.rule_id IS 'Reward rule.';
COMMENT ON COLUMN pool.reward.event_id IS 'Event rewarded.';
COMMENT ON COLUMN pool.reward.member_id IS 'Member who gets them (id).';
COMMENT ON COLUMN pool.reward.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.reward.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.reward.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.reward.at IS 'When the event was.';
COMMENT ON COLUMN pool.reward.day IS 'Its day in the pool''s zone.';
COMMENT ON COLUMN pool.reward.points IS 'Points, rounded to two places.';

COMMENT ON TABLE pool.reveal IS
    'Masked leads that members have seen, one row a day. Written by '
    'reveal().';
COMMENT ON COLUMN pool.reveal.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.reveal.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.reveal.day IS 'The member''s day.';
COMMENT ON COLUMN pool.reveal.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.reveal.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.reveal.at IS 'When he saw it first that day.';

COMMENT ON SEQUENCE pool.claim_rule_id_seq IS 'Ids of pool.claim_rule.';
COMMENT ON SEQUENCE pool.entry_rule_id_seq IS 'Ids of pool.entry_rule.';
COMMENT ON SEQUENCE pool.score_rule_id_seq IS 'Ids of pool.score_rule.';
COMMENT ON SEQUENCE pool.routing_rule_id_seq IS 'Ids of pool.routing_rule.';
COMMENT ON SEQUENCE pool.approval_rule_id_seq IS 'Ids of pool.approval_rule.';
COMMENT ON SEQUENCE pool.reward_rule_id_seq IS 'Ids of pool.reward_rule.';
COMMENT ON SEQUENCE pool.dictionary_id_seq IS 'Ids of pool.dictionary.';
COMMENT ON SEQUENCE pool.approval_id_seq IS 'Ids of requests.';
COMMENT ON SEQUENCE pool.run_id_seq IS 'Ids of runs.';
