/*
 * config_rule.c
 *	  Reading the rule book of a pool, for config.c: all rules but timers.
 */
#include "compat.h"
#include "config_read.h"

#include "errors.h"

static const char *const then_names[] = {
	[POOL_THEN_ACCEPT] = "accept",
	[POOL_THEN_REVIEW] = "review",
	[POOL_THEN_REJECT] = "reject",
	[POOL_THEN_TO_POOL] = "to_pool"
};

static const char *const strategy_names[] = {
	[POOL_ROUND_ROBIN] = "round_robin",
	[POOL_WEIGHTED] = "weighted",
	[POOL_RANDOM] = "random",
	[POOL_LEAST_LOADED] = "least_loaded",
	[POOL_PERFORMANCE] = "performance",
	[POOL_BEST_MATCH] = "best_match",
	[POOL_SUGGEST] = "suggest",
	[POOL_HAND_OVER] = "hand_over"
};

const char *
pool_strategy_name(PoolStrategy strategy)
{
	return strategy_names[strategy];
}

/* Whether there is a strategy of that name. */
bool
pool_strategy_exists(const char *name)
{
	return config_find_name(name, strategy_names, lengthof(strategy_names)) >= 0;
}

/* Whether the row the scan stands on is in force. */
static bool
next_enabled(ConfigScan *scan, int enabled_column)
{
	while (config_scan_next(scan))
		if (config_column_bool(scan, enabled_column))
			return true;
	return false;
}

static void
read_claim_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_CLAIM_RULE,
										 POOL_CLAIM_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	while (next_enabled(&scan, CLAIM_RULE_ENABLED))
	{
		PoolClaimRule *rule;

		pool->claim_rules = config_make_room(context, pool->claim_rules,
											 pool->n_claim_rules,
											 sizeof(PoolClaimRule));
		rule = &pool->claim_rules[pool->n_claim_rules++];
		rule->id = config_column_int(&scan, CLAIM_RULE_ID, 0);
		rule->name = config_column_text(&scan, CLAIM_RULE_NAME);
		config_column_condition(&scan, CLAIM_RULE_CONDITION,
								&rule->condition);
		config_column_condition(&scan, CLAIM_RULE_MEMBER_CONDITION,
								&rule->member_condition);
		rule->min_level = config_column_int(&scan, CLAIM_RULE_MIN_LEVEL, 0);
		rule->approval = config_column_bool(&scan, CLAIM_RULE_APPROVAL);
		rule->head_start = config_column_interval(&scan,
												  CLAIM_RULE_HEAD_START);
	}
	config_scan_end(&scan);
}

static int
compare_entry_rules(const void *a, const void *b)
{
	const PoolEntryRule *x = a;
	const PoolEntryRule *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
read_entry_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_ENTRY_RULE,
										 POOL_ENTRY_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	while (next_enabled(&scan, ENTRY_RULE_ENABLED))
	{
		PoolEntryRule *rule;

		pool->entry_rules = config_make_room(context, pool->entry_rules,
											 pool->n_entry_rules,
											 sizeof(PoolEntryRule));
		rule = &pool->entry_rules[pool->n_entry_rules++];
		rule->id = config_column_int(&scan, ENTRY_RULE_ID, 0);
		rule->position = config_column_int(&scan, ENTRY_RULE_POSITION, 0);
		rule->name = config_column_text(&scan, ENTRY_RULE_NAME);
		config_column_condition(&scan, ENTRY_RULE_CONDITION,
								&rule->condition);
		rule->then = config_find_name(config_column_text(&scan, ENTRY_RULE_THEN),
									  then_names, lengthof(then_names));
		rule->to_pool_id = config_column_int(&scan, ENTRY_RULE_TO_POOL_ID, 0);
		rule->grade = config_column_text(&scan, ENTRY_RULE_GRADE);
		rule->reason = config_column_text(&scan, ENTRY_RULE_REASON);
	}
	config_scan_end(&scan);
	if (pool->n_entry_rules > 1)
		qsort(pool->entry_rules, pool->n_entry_rules, sizeof(PoolEntryRule),
			  compare_entry_rules);
}

static void
read_score_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_SCORE_RULE,
										 POOL_SCORE_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	while (next_enabled(&scan, SCORE_RULE_ENABLED))
	{
		PoolScoreRule *rule;

		pool->score_rules = config_make_room(context, pool->score_rules,
											 pool->n_score_rules,
											 sizeof(PoolScoreRule));
		rule = &pool->score_rules[pool->n_score_rules++];
		rule->id = config_column_int(&scan, SCORE_RULE_ID, 0);
		rule->name = config_column_text(&scan, SCORE_RULE_NAME);
		config_column_condition(&scan, SCORE_RULE_CONDITION,
								&rule->condition);
		rule->points = config_column_int(&scan, SCORE_RULE_POINTS, 0);
	}
	config_scan_end(&scan);
}

static int
compare_routing_rules(const void *a, const void *b)
{
	const PoolRoutingRule *x = a;
	const PoolRoutingRule *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
read_routing_rule(ConfigScan *scan, PoolRoutingRule *rule)
{
	rule->id = config_column_int(scan, ROUTING_RULE_ID, 0);
	rule->position = config_column_int(scan, ROUTING_RULE_POSITION, 0);
	rule->name = config_column_text(scan, ROUTING_RULE_NAME);
	config_column_condition(scan, ROUTING_RULE_CONDITION, &rule->condition);
	config_column_condition(scan, ROUTING_RULE_MEMBER_CONDITION,
							&rule->member_condition);
	rule->min_level = config_column_int(scan, ROUTING_RULE_MIN_LEVEL, 0);
	rule->strategy = config_find_name(config_column_text(scan,
														 ROUTING_RULE_STRATEGY),
									  strategy_names, lengthof(strategy_names));
	rule->to_pool_id = config_column_int(scan, ROUTING_RULE_TO_POOL_ID, 0);
	rule->newcomer_share = config_column_number(scan,
												ROUTING_RULE_NEWCOMER_SHARE,
												0);
	rule->newcomer_min = config_column_int(scan, ROUTING_RULE_NEWCOMER_MIN,
										   0);
	rule->rotate_every = config_column_interval(scan,
												ROUTING_RULE_ROTATE_EVERY);
	rule->rotate_seats = config_column_int(scan, ROUTING_RULE_ROTATE_SEATS,
										   0);
	rule->expires_after = config_column_interval(scan,
												 ROUTING_RULE_EXPIRES_AFTER);
}

static void
read_routing_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_ROUTING_RULE,
										 POOL_ROUTING_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	while (next_enabled(&scan, ROUTING_RULE_ENABLED))
	{
		pool->routing_rules = config_make_room(context, pool->routing_rules,
											   pool->n_routing_rules,
											   sizeof(PoolRoutingRule));
		read_routing_rule(&scan,
						  &pool->routing_rules[pool->n_routing_rules++]);
	}
	config_scan_end(&scan);
	if (pool->n_routing_rules > 1)
		qsort(pool->routing_rules, pool->n_routing_rules,
			  sizeof(PoolRoutingRule), compare_routing_rules);
}

static int
compare_ints(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Those whom rules of this pool may give leads to: where everyone belongs,
 * that is every member of the tenant who has not left.
 */
static void
read_receivers(MemoryContext context, PoolConf *pool)
{
	int32		key = pool->everyone ? pool->tenant_id : pool->id;
	ConfigScan	scan = config_scan_begin(context, pool->everyone ?
										 POOL_MEMBER : POOL_MEMBERSHIP,
										 pool->everyone ? POOL_MEMBER_KEY :
										 POOL_MEMBERSHIP_PKEY,
										 &pool_key_int4(key), 1);

	while (config_scan_next(&scan))
	{
		if (pool->everyone ?
			strcmp(config_column_text(&scan, MEMBER_STATUS), "left") == 0 :
			strcmp(config_column_text(&scan, MEMBERSHIP_ROLE), "member") != 0)
			continue;
		pool->receivers = config_make_room(context, pool->receivers,
										   pool->n_receivers, sizeof(int32));
		pool->receivers[pool->n_receivers++] =
			config_column_int(&scan, pool->everyone ? MEMBER_ID :
							  MEMBERSHIP_MEMBER_ID, 0);
	}
	config_scan_end(&scan);
	if (pool->n_receivers > 1)
		qsort(pool->receivers, pool->n_receivers, sizeof(int32),
			  compare_ints);
}

static int
compare_approval_rules(const void *a, const void *b)
{
	const PoolApprovalRule *x = a;
	const PoolApprovalRule *y = b;
	int			by_action = strcmp(x->action, y->action);

	if (by_action != 0)
		return by_action;
	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
read_approval_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_APPROVAL_RULE,
										 POOL_APPROVAL_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	while (next_enabled(&scan, APPROVAL_RULE_ENABLED))
	{
		PoolApprovalRule *rule;

		pool->approval_rules = config_make_room(context,
												pool->approval_rules,
												pool->n_approval_rules,
												sizeof(PoolApprovalRule));
		rule = &pool->approval_rules[pool->n_approval_rules++];
		rule->id = config_column_int(&scan, APPROVAL_RULE_ID, 0);
		rule->name = config_column_text(&scan, APPROVAL_RULE_NAME);
		rule->action = config_column_text(&scan, APPROVAL_RULE_ACTION);
		config_column_condition(&scan, APPROVAL_RULE_CONDITION,
								&rule->condition);
		rule->step = config_column_int(&scan, APPROVAL_RULE_STEP, 0);
		rule->min_level = config_column_int(&scan, APPROVAL_RULE_MIN_LEVEL,
											0);
		rule->expires_after = config_column_interval(&scan,
													 APPROVAL_RULE_EXPIRES_AFTER);
	}
	config_scan_end(&scan);
	if (pool->n_approval_rules > 1)
		qsort(pool->approval_rules, pool->n_approval_rules,
			  sizeof(PoolApprovalRule), compare_approval_rules);
}

static void
read_terms(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_DICTIONARY,
										 POOL_DICTIONARY_CODE,
										 &pool_key_int4(pool->id), 1);

	while (next_enabled(&scan, DICTIONARY_ENABLED))
	{
		PoolTerm   *term;

		pool->terms = config_make_room(context, pool->terms, pool->n_terms,
									   sizeof(PoolTerm));
		term = &pool->terms[pool->n_terms++];
		term->kind = config_column_text(&scan, DICTIONARY_KIND);
		term->code = config_column_text(&scan, DICTIONARY_CODE);
		term->then = config_column_text(&scan, DICTIONARY_THEN);
		term->counts = config_column_bool(&scan, DICTIONARY_COUNTS);
		term->after = config_column_interval(&scan, DICTIONARY_AFTER);
	}
	config_scan_end(&scan);
}

/* All the rules of a pool that are in force; *pool has none yet. */
void
config_read_rules(MemoryContext context, PoolConf *pool)
{
	config_read_timer_rules(context, pool);
	read_claim_rules(context, pool);
	read_entry_rules(context, pool);
	read_score_rules(context, pool);
	read_routing_rules(context, pool);
	if (pool->n_routing_rules > 0)
		read_receivers(context, pool);
	read_approval_rules(context, pool);
	read_terms(context, pool);
}
