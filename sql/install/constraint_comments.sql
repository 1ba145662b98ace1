-- What CHECK constraints of the configuration ask for.  Whoever violates one is
-- given its comment as a hint.

COMMENT ON CONSTRAINT tenant_name_check ON pool.tenant IS
    'A name has 1 to 200 characters, none of them a slash.';
COMMENT ON CONSTRAINT tenant_workdays_check ON pool.tenant IS
    'Give ISO days of the week, 1 = Monday to 7, for example "{1,2,3,4,5}".';
COMMENT ON CONSTRAINT tenant_work_check ON pool.tenant IS
    'Working hours begin before they end, on one day.';
COMMENT ON CONSTRAINT tenant_country_check ON pool.tenant IS
    'Give two capital letters as in ISO 3166, for example "CN".';
COMMENT ON CONSTRAINT pool_name_check ON pool.pool IS
    'A name has 1 to 200 characters, none of them a slash.';
COMMENT ON CONSTRAINT pool_parent_check ON pool.pool IS
    'A pool cannot be above itself: name another one, or NULL for none.';
COMMENT ON CONSTRAINT pool_hold_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_claim_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_claim_interval_check ON pool.pool IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT pool_cooldown_check ON pool.pool IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT pool_reserve_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_reserve_for_check ON pool.pool IS
    'Give a time longer than nothing, for example "10 minutes".';
COMMENT ON CONSTRAINT pool_duplicate_policy_check ON pool.pool IS
    'It is one of reject, touch and link.';
COMMENT ON CONSTRAINT pool_country_check ON pool.pool IS
    'Give two capital letters as in ISO 3166, for example "CN", or NULL for '
    'the tenant''s.';
COMMENT ON CONSTRAINT pool_identity_scope_check ON pool.pool IS
    'It is one of tenant and subtree.';
COMMENT ON CONSTRAINT pool_newcomer_period_check ON pool.pool IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT pool_follow_up_requires_check ON pool.pool IS
    'Give names of fields in one dimension, none of them NULL, for example '
    '"{result,next_at}".';
COMMENT ON CONSTRAINT pool_follow_up_min_chars_check ON pool.pool IS
    'Give 1 or more, or NULL for any length.';
COMMENT ON CONSTRAINT pool_max_pause_check ON pool.pool IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT pool_protect_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_protect_for_check ON pool.pool IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT pool_extension_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_reveal_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_quarantine_check ON pool.pool IS
    'Give a number of rounds from 1 on, and another pool.';
COMMENT ON CONSTRAINT pool_reclaim_limit_check ON pool.pool IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_reclaim_share_check ON pool.pool IS
    'Give a share from 0 to 1, or NULL for no limit.';
COMMENT ON CONSTRAINT pool_catch_up_check ON pool.pool IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT member_key_check ON pool.member IS
    'A key has 1 to 200 characters, none of them a slash.';
COMMENT ON CONSTRAINT member_hold_limit_check ON pool.member IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT member_profile_check ON pool.member IS
    'A profile is a JSON object, for example {"regions": ["north"]}.';
COMMENT ON CONSTRAINT member_status_check ON pool.member IS
    'It is one of active, away, leaving and left.';
COMMENT ON CONSTRAINT membership_role_check ON pool.membership IS
    'It is one of member, manager and viewer.';
COMMENT ON CONSTRAINT membership_weight_check ON pool.membership IS
    'Give a number from 0 on; 0 = receives nothing by weight.';
COMMENT ON CONSTRAINT membership_hold_limit_check ON pool.membership IS
    'Give 0 or more, or NULL for the pool''s limit.';
COMMENT ON CONSTRAINT membership_claim_limit_check ON pool.membership IS
    'Give 0 or more, or NULL for the pool''s limit.';
COMMENT ON CONSTRAINT timer_rule_action_check ON pool.timer_rule IS
    'It is one of reclaim, move, archive and escalate.';
COMMENT ON CONSTRAINT timer_rule_basis_check ON pool.timer_rule IS
    'It is one of first_contact, follow_up, ownership, entry, creation, '
    'stage, review, approval and planned.';
COMMENT ON CONSTRAINT timer_rule_after_check ON pool.timer_rule IS
    'Give a time longer than nothing, for example "3 days".';
COMMENT ON CONSTRAINT timer_rule_notify_check ON pool.timer_rule IS
    'It is one of owner, manager and parent_manager.';
COMMENT ON CONSTRAINT claim_rule_head_start_check ON pool.claim_rule IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT entry_rule_then_check ON pool.entry_rule IS
    'It is one of accept, review, reject and to_pool.';
COMMENT ON CONSTRAINT entry_rule_to_pool_check ON pool.entry_rule IS
    'A rule whose then is to_pool names another pool in to_pool_id; others '
    'name none.';
COMMENT ON CONSTRAINT score_rule_points_check ON pool.score_rule IS
    'Give points from -1000 to 1000.';
COMMENT ON CONSTRAINT routing_rule_to_pool_check ON pool.routing_rule IS
    'A rule whose strategy is hand_over names another pool in to_pool_id; '
    'others name none.';
COMMENT ON CONSTRAINT routing_rule_newcomer_check ON pool.routing_rule IS
    'Give a share from 0 to 1, and a number from 0 on.';
COMMENT ON CONSTRAINT routing_rule_rotate_check ON pool.routing_rule IS
    'Give both rotate_every, longer than nothing, and rotate_seats, 1 or '
    'more, or neither.';
COMMENT ON CONSTRAINT routing_rule_expires_after_check ON pool.routing_rule IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT approval_rule_action_check ON pool.approval_rule IS
    'It is one of claim, assign, transfer, release, move, archive and '
    'extension.';
COMMENT ON CONSTRAINT approval_rule_step_check ON pool.approval_rule IS
    'Steps are numbered from 1 to 10.';
COMMENT ON CONSTRAINT approval_rule_expires_after_check ON pool.approval_rule IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT reward_rule_event_kind_check ON pool.reward_rule IS
    'It is one of claimed, assigned, followed_up, converted, released, '
    'reclaimed and overdue.';
COMMENT ON CONSTRAINT reward_rule_points_check ON pool.reward_rule IS
    'Give points from -1000000 to 1000000.';
COMMENT ON CONSTRAINT reward_rule_shares_check ON pool.reward_rule IS
    'Shares are a JSON object, for example {"helper": 0.2}.';
COMMENT ON CONSTRAINT reward_rule_within_check ON pool.reward_rule IS
    'Give a time longer than nothing, for example "3 days", or NULL for '
    'none.';
COMMENT ON CONSTRAINT reward_rule_cap_check ON pool.reward_rule IS
    'Give 0 or more, or NULL for no limit.';
COMMENT ON CONSTRAINT dictionary_kind_check ON pool.dictionary IS
    'It is one of follow_up, result, release_reason and archive_reason.';
COMMENT ON CONSTRAINT dictionary_code_check ON pool.dictionary IS
    'A code has 1 to 200 characters.';
COMMENT ON CONSTRAINT dictionary_then_check ON pool.dictionary IS
    'For a result it is one of nothing, call_back, release, archive and '
    'cool; for a release_reason nothing or cool; for an archive_reason '
    'nothing or never; for a follow_up nothing.';
COMMENT ON CONSTRAINT dictionary_after_check ON pool.dictionary IS
    'Words whose then is call_back or cool need a time longer than nothing '
    'in after; others have none.';
