-- What rollup_total.sql makes, in words.

COMMENT ON TABLE pool.rollup_source IS
    'Folded events: counters of each pool and source since the beginning, '
    'the sums of rollup_day. Purging events leaves it as it is.';
COMMENT ON COLUMN pool.rollup_source.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_source.source IS
    'Source (channel) of the lead; the empty string where it has none.';
COMMENT ON COLUMN pool.rollup_source.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.rollup_source.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.rollup_source.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_source.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_source.given IS
    'Spells ended by a transfer (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_source.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.rollup_source.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_source.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_source.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_source.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_source.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.rollup_source.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.rollup_source.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.rollup_source.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.rollup_source.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.rollup_source.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.rollup_source.ended IS 'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_source.d_available IS
    'Change of the number of available leads.';
COMMENT ON COLUMN pool.rollup_source.d_review IS
    'Change of the number of leads in review.';
COMMENT ON COLUMN pool.rollup_source.d_owned IS
    'Change of the number of owned leads.';
COMMENT ON COLUMN pool.rollup_source.d_converted IS
    'Change of the number of converted leads.';
COMMENT ON COLUMN pool.rollup_source.d_archived IS
    'Change of the number of archived leads.';
COMMENT ON COLUMN pool.rollup_source.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_source.seconds_to_convert_sum IS
    'Seconds from the creation of the lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.rollup_source.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON TABLE pool.rollup_membership IS
    'Folded events: counters of each member in each pool since the '
    'beginning, the sums of rollup_member. Purging events leaves it as it is.';
COMMENT ON COLUMN pool.rollup_membership.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_membership.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.rollup_membership.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.rollup_membership.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.rollup_membership.received IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.rollup_membership.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.rollup_membership.followed_up IS
    'Follow-ups he recorded.';
COMMENT ON COLUMN pool.rollup_membership.first_responses IS
    'Spells of his that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_membership.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_membership.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.rollup_membership.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.rollup_membership.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.rollup_membership.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.rollup_membership.ended IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_membership.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_membership.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON VIEW pool.rollup_source_recount IS
    'What rollup_source must be: rollup_day, added up.';
COMMENT ON COLUMN pool.rollup_source_recount.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_source_recount.source IS
    'Source (channel) of the lead; the empty string where it has none.';
COMMENT ON COLUMN pool.rollup_source_recount.entered IS
    'Leads that entered here.';
COMMENT ON COLUMN pool.rollup_source_recount.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.rollup_source_recount.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_source_recount.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_source_recount.given IS
    'Spells ended by a transfer (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_source_recount.followed_up IS
    'Follow-ups that count.';
COMMENT ON COLUMN pool.rollup_source_recount.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_source_recount.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_source_recount.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_source_recount.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_source_recount.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.rollup_source_recount.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.rollup_source_recount.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.rollup_source_recount.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.rollup_source_recount.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.rollup_source_recount.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.rollup_source_recount.ended IS
    'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_source_recount.d_available IS
    'Change of the number of available leads.';
COMMENT ON COLUMN pool.rollup_source_recount.d_review IS
    'Change of the number of leads in review.';
COMMENT ON COLUMN pool.rollup_source_recount.d_owned IS
    'Change of the number of owned leads.';
COMMENT ON COLUMN pool.rollup_source_recount.d_converted IS
    'Change of the number of converted leads.';
COMMENT ON COLUMN pool.rollup_source_recount.d_archived IS
    'Change of the number of archived leads.';
COMMENT ON COLUMN pool.rollup_source_recount.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_source_recount.seconds_to_convert_sum IS
    'Seconds from the creation of the lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.rollup_source_recount.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON VIEW pool.rollup_membership_recount IS
    'What rollup_membership must be: rollup_member, added up.';
COMMENT ON COLUMN pool.rollup_membership_recount.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_membership_recount.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.rollup_membership_recount.claimed IS
    'Leads he claimed.';
COMMENT ON COLUMN pool.rollup_membership_recount.assigned IS
    'Leads assigned to him.';
COMMENT ON COLUMN pool.rollup_membership_recount.received IS
    'Leads transferred to him.';
COMMENT ON COLUMN pool.rollup_membership_recount.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.rollup_membership_recount.followed_up IS
    'Follow-ups he recorded.';
COMMENT ON COLUMN pool.rollup_membership_recount.first_responses IS
    'Spells of his that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_membership_recount.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_membership_recount.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.rollup_membership_recount.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.rollup_membership_recount.converted IS
    'Leads he converted.';
COMMENT ON COLUMN pool.rollup_membership_recount.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.rollup_membership_recount.ended IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_membership_recount.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_membership_recount.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON VIEW pool.source_sum IS
    'Folded totals and the tail: the sums over a pool and source are what '
    'it counts since the beginning.';
COMMENT ON COLUMN pool.source_sum.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.source_sum.source IS
    'Source (channel) of the lead; the empty string where it has none.';
COMMENT ON COLUMN pool.source_sum.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.source_sum.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.source_sum.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.source_sum.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.source_sum.given IS
    'Spells ended by a transfer (counted in the pool they ran in).';
COMMENT ON COLUMN pool.source_sum.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.source_sum.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.source_sum.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.source_sum.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.source_sum.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.source_sum.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.source_sum.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.source_sum.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.source_sum.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.source_sum.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.source_sum.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.source_sum.ended IS 'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.source_sum.d_available IS
    'Change of the number of available leads.';
COMMENT ON COLUMN pool.source_sum.d_review IS
    'Change of the number of leads in review.';
COMMENT ON COLUMN pool.source_sum.d_owned IS
    'Change of the number of owned leads.';
COMMENT ON COLUMN pool.source_sum.d_converted IS
    'Change of the number of converted leads.';
COMMENT ON COLUMN pool.source_sum.d_archived IS
    'Change of the number of archived leads.';
COMMENT ON COLUMN pool.source_sum.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.source_sum.seconds_to_convert_sum IS
    'Seconds from the creation of the lead to its conversion, summed over '
    'converted.';
COMMENT ON COLUMN pool.source_sum.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON VIEW pool.membership_sum IS
    'Folded totals and the tail: the sums over a pool and member are what '
    'he has done there since the beginning.';
COMMENT ON COLUMN pool.membership_sum.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.membership_sum.member_id IS 'Member (id).';
COMMENT ON COLUMN pool.membership_sum.claimed IS 'Leads he claimed.';
COMMENT ON COLUMN pool.membership_sum.assigned IS 'Leads assigned to him.';
COMMENT ON COLUMN pool.membership_sum.received IS 'Leads transferred to him.';
COMMENT ON COLUMN pool.membership_sum.given IS
    'Spells of his ended by a transfer.';
COMMENT ON COLUMN pool.membership_sum.followed_up IS 'Follow-ups he recorded.';
COMMENT ON COLUMN pool.membership_sum.first_responses IS
    'Spells of his that got their first follow-up.';
COMMENT ON COLUMN pool.membership_sum.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.membership_sum.released IS
    'Spells of his ended by a release.';
COMMENT ON COLUMN pool.membership_sum.reclaimed IS
    'Spells of his ended by a reclaim.';
COMMENT ON COLUMN pool.membership_sum.converted IS 'Leads he converted.';
COMMENT ON COLUMN pool.membership_sum.archived IS
    'Spells of his ended by archiving the lead.';
COMMENT ON COLUMN pool.membership_sum.ended IS
    'Spells of his that ended, in whatever way.';
COMMENT ON COLUMN pool.membership_sum.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.membership_sum.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON TABLE pool.rollup_pool IS
    'Folded events: counters of each pool and day, the sums of rollup_day over '
    'sources, and the stock at the end of the day. Purging events leaves it as '
    'it is.';
COMMENT ON COLUMN pool.rollup_pool.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_pool.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.rollup_pool.entered IS 'Leads that entered here.';
COMMENT ON COLUMN pool.rollup_pool.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.rollup_pool.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_pool.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_pool.followed_up IS 'Follow-ups that count.';
COMMENT ON COLUMN pool.rollup_pool.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_pool.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_pool.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_pool.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_pool.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.rollup_pool.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.rollup_pool.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.rollup_pool.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.rollup_pool.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.rollup_pool.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.rollup_pool.ended IS 'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_pool.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_pool.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.rollup_pool.available_at_end IS
    'Leads available at the end of the day.';
COMMENT ON COLUMN pool.rollup_pool.owned_at_end IS
    'Leads owned at the end of the day.';
COMMENT ON VIEW pool.rollup_pool_recount IS
    'What rollup_pool must be: rollup_day, added up.';
COMMENT ON COLUMN pool.rollup_pool_recount.pool_id IS 'Pool (id).';
COMMENT ON COLUMN pool.rollup_pool_recount.day IS
    'Local day of the pool when the event was written.';
COMMENT ON COLUMN pool.rollup_pool_recount.entered IS
    'Leads that entered here.';
COMMENT ON COLUMN pool.rollup_pool_recount.claimed IS 'Leads claimed.';
COMMENT ON COLUMN pool.rollup_pool_recount.assigned IS
    'Leads assigned (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_pool_recount.transferred IS
    'Leads transferred (counted in the pool they belong to afterwards).';
COMMENT ON COLUMN pool.rollup_pool_recount.followed_up IS
    'Follow-ups that count.';
COMMENT ON COLUMN pool.rollup_pool_recount.first_responses IS
    'Spells that got their first follow-up.';
COMMENT ON COLUMN pool.rollup_pool_recount.released IS
    'Spells ended by a release (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_pool_recount.reclaimed IS
    'Spells ended by a reclaim (counted in the pool they ran in).';
COMMENT ON COLUMN pool.rollup_pool_recount.missed IS
    'Those of reclaimed that a timer ended.';
COMMENT ON COLUMN pool.rollup_pool_recount.converted IS 'Leads converted.';
COMMENT ON COLUMN pool.rollup_pool_recount.archived IS 'Leads archived.';
COMMENT ON COLUMN pool.rollup_pool_recount.reopened IS
    'Closed leads that became available again (counted where they are '
    'afterwards).';
COMMENT ON COLUMN pool.rollup_pool_recount.erased IS
    'Leads whose personal data were erased.';
COMMENT ON COLUMN pool.rollup_pool_recount.moved_in IS
    'Available leads moved here from another pool.';
COMMENT ON COLUMN pool.rollup_pool_recount.moved_out IS
    'Available leads moved from here to another pool.';
COMMENT ON COLUMN pool.rollup_pool_recount.ended IS
    'Spells ended, in whatever way.';
COMMENT ON COLUMN pool.rollup_pool_recount.first_response_seconds_sum IS
    'Seconds from the start of the spell to its first follow-up, summed '
    'over first_responses.';
COMMENT ON COLUMN pool.rollup_pool_recount.amount IS
    'Sum of the amounts of conversions, as given, whatever their '
    'currency.';
COMMENT ON COLUMN pool.rollup_pool_recount.available_at_end IS
    'Leads available at the end of the day.';
COMMENT ON COLUMN pool.rollup_pool_recount.owned_at_end IS
    'Leads owned at the end of the day.';
