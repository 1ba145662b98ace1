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

/* A table of rules, and what one of them is in memory. */
typedef struct RuleTable
{
	PoolTableId table;
	PoolIndexId index;
	int			enabled_column;
	Size		size;
	void		(*read) (ConfigScan *scan, void *rule);
	int			(*compare) (const void *a, const void *b);	/* NULL = as they come */
} RuleTable;

/* The rules of the pool that are in force; *n says how many. */
static void *
read_rules(MemoryContext context, int32 pool_id, const RuleTable *table,
		   int *n)
{
	ConfigScan	scan = config_scan_begin(context, table->table, table->index,
										 &pool_key_int4(pool_id), 1);
	char	   *rules = NULL;

	while (config_scan_next(&scan))
	{
		if (!config_column_bool(&scan, table->enabled_column))
			continue;
		rules = config_make_room(context, rules, *n, table->size);
		table->read(&scan, rules + *n * table->size);
		(*n)++;
	}
	config_scan_end(&scan);
	if (*n > 1 && table->compare != NULL)
		qsort(rules, *n, table->size, table->compare);
	return rules;
}

static void
read_claim_rule(ConfigScan *scan, void *row)
{
	PoolClaimRule *rule = row;

	rule->id = config_column_int(scan, CLAIM_RULE_ID, 0);
	rule->name = config_column_text(scan, CLAIM_RULE_NAME);
	config_column_condition(scan, CLAIM_RULE_CONDITION,
							&rule->condition);
	config_column_condition(scan, CLAIM_RULE_MEMBER_CONDITION,
							&rule->member_condition);
	rule->min_level = config_column_int(scan, CLAIM_RULE_MIN_LEVEL, 0);
	rule->approval = config_column_bool(scan, CLAIM_RULE_APPROVAL);
	rule->head_start = config_column_interval(scan,
											  CLAIM_RULE_HEAD_START);
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
read_entry_rule(ConfigScan *scan, void *row)
{
	PoolEntryRule *rule = row;

	rule->id = config_column_int(scan, ENTRY_RULE_ID, 0);
	rule->position = config_column_int(scan, ENTRY_RULE_POSITION, 0);
	rule->name = config_column_text(scan, ENTRY_RULE_NAME);
	config_column_condition(scan, ENTRY_RULE_CONDITION,
							&rule->condition);
	rule->then = config_find_name(config_column_text(scan, ENTRY_RULE_THEN),
								  then_names, lengthof(then_names));
	rule->to_pool_id = config_column_int(scan, ENTRY_RULE_TO_POOL_ID, 0);
	rule->grade = config_column_text(scan, ENTRY_RULE_GRADE);
	rule->reason = config_column_text(scan, ENTRY_RULE_REASON);
}

static void
read_score_rule(ConfigScan *scan, void *row)
{
	PoolScoreRule *rule = row;

	rule->id = config_column_int(scan, SCORE_RULE_ID, 0);
	rule->name = config_column_text(scan, SCORE_RULE_NAME);
	config_column_condition(scan, SCORE_RULE_CONDITION,
							&rule->condition);
	rule->points = config_column_int(scan, SCORE_RULE_POINTS, 0);
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
read_routing_rule(ConfigScan *scan, void *row)
{
	PoolRoutingRule *rule = row;

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
read_approval_rule(ConfigScan *scan, void *row)
{
	PoolApprovalRule *rule = row;

	rule->id = config_column_int(scan, APPROVAL_RULE_ID, 0);
	rule->name = config_column_text(scan, APPROVAL_RULE_NAME);
	rule->action = config_column_text(scan, APPROVAL_RULE_ACTION);
	config_column_condition(scan, APPROVAL_RULE_CONDITION,
							&rule->condition);
	rule->step = config_column_int(scan, APPROVAL_RULE_STEP, 0);
	rule->min_level = config_column_int(scan, APPROVAL_RULE_MIN_LEVEL,
										0);
	rule->expires_after = config_column_interval(scan,
												 APPROVAL_RULE_EXPIRES_AFTER);
}

static void
read_term(ConfigScan *scan, void *row)
{
	PoolTerm   *term = row;

	term->kind = config_column_text(scan, DICTIONARY_KIND);
	term->code = config_column_text(scan, DICTIONARY_CODE);
	term->then = config_column_text(scan, DICTIONARY_THEN);
	term->counts = config_column_bool(scan, DICTIONARY_COUNTS);
	term->after = config_column_interval(scan, DICTIONARY_AFTER);
}

static const RuleTable claim_rules = {
	POOL_CLAIM_RULE, POOL_CLAIM_RULE_NAME, CLAIM_RULE_ENABLED,
	sizeof(PoolClaimRule), read_claim_rule, NULL
};
static const RuleTable entry_rules = {
	POOL_ENTRY_RULE, POOL_ENTRY_RULE_NAME, ENTRY_RULE_ENABLED,
	sizeof(PoolEntryRule), read_entry_rule, compare_entry_rules
};
static const RuleTable score_rules = {
	POOL_SCORE_RULE, POOL_SCORE_RULE_NAME, SCORE_RULE_ENABLED,
	sizeof(PoolScoreRule), read_score_rule, NULL
};
static const RuleTable routing_rules = {
	POOL_ROUTING_RULE, POOL_ROUTING_RULE_NAME, ROUTING_RULE_ENABLED,
	sizeof(PoolRoutingRule), read_routing_rule, compare_routing_rules
};
static const RuleTable approval_rules = {
	POOL_APPROVAL_RULE, POOL_APPROVAL_RULE_NAME, APPROVAL_RULE_ENABLED,
	sizeof(PoolApprovalRule), read_approval_rule, compare_approval_rules
};
static const RuleTable dictionary = {
	POOL_DICTIONARY, POOL_DICTIONARY_CODE, DICTIONARY_ENABLED,
	sizeof(PoolTerm), read_term, NULL
};

/* All the rules of a pool that are in force; *pool has none yet. */
void
config_read_rules(MemoryContext context, PoolConf *pool)
{
	config_read_timer_rules(context, pool);
	pool->claim_rules = read_rules(context, pool->id, &claim_rules,
								   &pool->n_claim_rules);
	pool->entry_rules = read_rules(context, pool->id, &entry_rules,
								   &pool->n_entry_rules);
	pool->score_rules = read_rules(context, pool->id, &score_rules,
								   &pool->n_score_rules);
	pool->routing_rules = read_rules(context, pool->id, &routing_rules,
									 &pool->n_routing_rules);
	if (pool->n_routing_rules > 0)
		read_receivers(context, pool);
	pool->approval_rules = read_rules(context, pool->id, &approval_rules,
									  &pool->n_approval_rules);
	pool->terms = read_rules(context, pool->id, &dictionary, &pool->n_terms);
}
