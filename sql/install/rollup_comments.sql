-- What rollup.sql makes, in words.

COMMENT ON TABLE pool.rollup_day IS
    'Folded events: counters of each pool, day and source. Purging events '
    'leaves it as it is.';
COMMENT ON COLUMN pool.rollup_day.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_day.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.rollup_day.source IS
    'Source (channel) of the lead; the empty string where it has none.';
COMMENT ON COLUMN pool.rollup_day.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.rollup_day.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.rollup_day.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_day.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_day.given IS
    'Spells ended by a transfer (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_day.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.rollup_day.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_day.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_day.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_day.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_day.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.rollup_day.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.rollup_day.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.rollup_day.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.rollup_day.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.rollup_day.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.rollup_day.ended IS 'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_day.d_available IS
    'Change of the number of available leads.';
COMMENT ON COLUMN pool.rollup_day.d_review IS
    'Change of the number of leads in review.';
COMMENT ON COLUMN pool.rollup_day.d_owned IS
    'Change of the number of owned leads.';
COMMENT ON COLUMN pool.rollup_day.d_converted IS
    'Change of the number of converted leads.';
COMMENT ON COLUMN pool.rollup_day.d_archived IS
    'Change of the number of archived leads.';
COMMENT ON COLUMN pool.rollup_day.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_day.seconds_to_convert_sum IS
    'Seconds from the creation of the lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.rollup_day.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON TABLE pool.rollup_member IS
    'Folded events: counters of each member in each pool on each day. '
    'Purging events leaves it as it is.';
COMMENT ON COLUMN pool.rollup_member.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_member.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.rollup_member.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.rollup_member.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.rollup_member.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.rollup_member.received IS 'Leads transferred to him.';
COMMENT ON COLUMN pool.rollup_member.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.rollup_member.followed_up IS 'Follow-ups he recorded.';
COMMENT ON COLUMN pool.rollup_member.first_responses IS
    'Spells of his that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_member.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_member.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.rollup_member.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.rollup_member.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.rollup_member.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.rollup_member.ended IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_member.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_member.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON TABLE pool.rollup_state IS
    'One row: up to where events are folded; no row before the first '
    'fold.';
COMMENT ON COLUMN pool.rollup_state.singleton IS
    'Always true: there is one row.';
COMMENT ON COLUMN pool.rollup_state.generation IS
    'Generation of the last fold; events of lower ones are folded.';
COMMENT ON COLUMN pool.rollup_state.snapshot IS
    'Snapshot of the last fold; events of this generation are folded if '
    'their transaction is visible in it.';
COMMENT ON COLUMN pool.rollup_state.at IS 'When it was folded.';
COMMENT ON TABLE pool.purge_horizon IS
    'One row: up to where events may have been purged; no row before the '
    'first purge.';
COMMENT ON COLUMN pool.purge_horizon.singleton IS
    'Always true: there is one row.';
COMMENT ON COLUMN pool.purge_horizon.before IS
    'Folded events older than this may be gone.';
COMMENT ON VIEW pool.event_effect IS
    'Every event with what it does to its lead, and whether it is folded.';
COMMENT ON COLUMN pool.event_effect.id IS 'Event.';
COMMENT ON COLUMN pool.event_effect.at IS 'When it happened.';
COMMENT ON COLUMN pool.event_effect.xid IS
    'Top-level transaction that wrote it.';
COMMENT ON COLUMN pool.event_effect.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.event_effect.day IS 'Local day of pool_id.';
COMMENT ON COLUMN pool.event_effect.generation IS
    'Generation of the installation it was written in; xid compares only '
    'within one.';
COMMENT ON COLUMN pool.event_effect.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.event_effect.pool_id IS
    'Home pool of the lead, after the change.';
COMMENT ON COLUMN pool.event_effect.member_id IS
    'New owner; for endings the former one.';
COMMENT ON COLUMN pool.event_effect.actor_id IS 'Member who acted.';
COMMENT ON COLUMN pool.event_effect.rule_id IS 'Rule that acted.';
COMMENT ON COLUMN pool.event_effect.kind IS 'What happened.';
COMMENT ON COLUMN pool.event_effect.reason IS 'Reason given.';
COMMENT ON COLUMN pool.event_effect.source IS
    'Source of the lead at that moment.';
COMMENT ON COLUMN pool.event_effect.grade IS
    'Grade of the lead at that moment.';
COMMENT ON COLUMN pool.event_effect.detail IS 'What else belongs to the kind.';
COMMENT ON COLUMN pool.event_effect.from_pool_id IS
    'Pool the lead came from, where the event could change it.';
COMMENT ON COLUMN pool.event_effect.from_day IS
    'Local day of from_pool_id, which may differ from day where the two '
    'pools have different zones.';
COMMENT ON COLUMN pool.event_effect.former_id IS
    'Member whose spell the event ends, if it ends one.';
COMMENT ON COLUMN pool.event_effect.state_before IS
    'Status before; NULL if the event changes none, or makes the lead.';
COMMENT ON COLUMN pool.event_effect.state_after IS
    'Status after; NULL if the event changes none.';
COMMENT ON COLUMN pool.event_effect.is_tail IS
    'Whether the event is not folded yet.';
COMMENT ON VIEW pool.event_tail IS 'Events not folded yet.';
COMMENT ON COLUMN pool.event_tail.id IS 'Event.';
COMMENT ON COLUMN pool.event_tail.at IS 'When it happened.';
COMMENT ON COLUMN pool.event_tail.xid IS 'Top-level transaction that wrote it.';
COMMENT ON COLUMN pool.event_tail.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.event_tail.day IS 'Local day of pool_id.';
COMMENT ON COLUMN pool.event_tail.generation IS
    'Generation of the installation it was written in; xid compares only '
    'within one.';
COMMENT ON COLUMN pool.event_tail.tenant_id IS 'Tenant (id).';
COMMENT ON COLUMN pool.event_tail.pool_id IS
    'Home pool of the lead, after the change.';
COMMENT ON COLUMN pool.event_tail.member_id IS
    'New owner; for endings the former one.';
COMMENT ON COLUMN pool.event_tail.actor_id IS 'Member who acted.';
COMMENT ON COLUMN pool.event_tail.rule_id IS 'Rule that acted.';
COMMENT ON COLUMN pool.event_tail.kind IS 'What happened.';
COMMENT ON COLUMN pool.event_tail.reason IS 'Reason given.';
COMMENT ON COLUMN pool.event_tail.source IS
    'Source of the lead at that moment.';
COMMENT ON COLUMN pool.event_tail.grade IS 'Grade of the lead at that moment.';
COMMENT ON COLUMN pool.event_tail.detail IS 'What else belongs to the kind.';
COMMENT ON VIEW pool.event_day_fact IS
    'What each event counts for in the statistics of pools; two rows if '
    'it takes a lead from one pool to another.';
COMMENT ON COLUMN pool.event_day_fact.generation IS
    'Generation of the installation it was written in; xid compares only '
    'within one.';
COMMENT ON COLUMN pool.event_day_fact.xid IS
    'Top-level transaction that wrote it.';
COMMENT ON COLUMN pool.event_day_fact.is_tail IS
    'Whether the event is not folded yet.';
COMMENT ON COLUMN pool.event_day_fact.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.event_day_fact.event_id IS 'Event.';
COMMENT ON COLUMN pool.event_day_fact.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.event_day_fact.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.event_day_fact.source IS
    'Source (channel) of the lead; the empty string where it has none.';
COMMENT ON COLUMN pool.event_day_fact.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.event_day_fact.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.event_day_fact.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.event_day_fact.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.event_day_fact.given IS
    'Spells ended by a transfer (counted in the pool they ran in).';
COMMENT ON COLUMN pool.event_day_fact.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.event_day_fact.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.event_day_fact.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.event_day_fact.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.event_day_fact.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.event_day_fact.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.event_day_fact.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.event_day_fact.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.event_day_fact.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.event_day_fact.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.event_day_fact.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.event_day_fact.ended IS 'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.event_day_fact.d_available IS
    'Change of the number of available leads.';
COMMENT ON COLUMN pool.event_day_fact.d_review IS
    'Change of the number of leads in review.';
COMMENT ON COLUMN pool.event_day_fact.d_owned IS
    'Change of the number of owned leads.';
COMMENT ON COLUMN pool.event_day_fact.d_converted IS
    'Change of the number of converted leads.';
COMMENT ON COLUMN pool.event_day_fact.d_archived IS
    'Change of the number of archived leads.';
COMMENT ON COLUMN pool.event_day_fact.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.event_day_fact.seconds_to_convert_sum IS
    'Seconds from the creation of the lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.event_day_fact.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON VIEW pool.event_member_fact IS
    'What each event counts for in the statistics of members; two rows '
    'for a transfer.';
COMMENT ON COLUMN pool.event_member_fact.generation IS
    'Generation of the installation it was written in; xid compares only '
    'within one.';
COMMENT ON COLUMN pool.event_member_fact.xid IS
    'Top-level transaction that wrote it.';
COMMENT ON COLUMN pool.event_member_fact.is_tail IS
    'Whether the event is not folded yet.';
COMMENT ON COLUMN pool.event_member_fact.lead_id IS 'Lead.';
COMMENT ON COLUMN pool.event_member_fact.event_id IS 'Event.';
COMMENT ON COLUMN pool.event_member_fact.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.event_member_fact.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.event_member_fact.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.event_member_fact.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.event_member_fact.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.event_member_fact.received IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.event_member_fact.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.event_member_fact.followed_up IS
    'Follow-ups he recorded.';
COMMENT ON COLUMN pool.event_member_fact.first_responses IS
    'Spells of his that got their first follow-up.';
COMMENT ON COLUMN pool.event_member_fact.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.event_member_fact.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.event_member_fact.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.event_member_fact.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.event_member_fact.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.event_member_fact.ended IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.event_member_fact.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.event_member_fact.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON VIEW pool.member_sum IS
    'Counters of members: folded, and one row per event of the tail. To '
    'be summed.';
COMMENT ON COLUMN pool.member_sum.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.member_sum.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.member_sum.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.member_sum.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.member_sum.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.member_sum.received IS 'Leads transferred to him.';
COMMENT ON COLUMN pool.member_sum.given IS 'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.member_sum.followed_up IS 'Follow-ups he recorded.';
COMMENT ON COLUMN pool.member_sum.first_responses IS
    'Spells of his that got their first follow-up.';
COMMENT ON COLUMN pool.member_sum.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.member_sum.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.member_sum.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.member_sum.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.member_sum.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.member_sum.ended IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.member_sum.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.member_sum.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
