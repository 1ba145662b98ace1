/*
 * config_timer.c
 *	  Reading the timer rules of a pool, for config.c.
 */
#include "compat.h"
#include "config_read.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/timestamp.h"

static const char *const basis_names[] = {
	[POOL_BASIS_FIRST_CONTACT] = "first_contact",
	[POOL_BASIS_FOLLOW_UP] = "follow_up",
	[POOL_BASIS_OWNERSHIP] = "ownership",
	[POOL_BASIS_ENTRY] = "entry",
	[POOL_BASIS_CREATION] = "creation",
	[POOL_BASIS_STAGE] = "stage",
	[POOL_BASIS_REVIEW] = "review",
	[POOL_BASIS_APPROVAL] = "approval",
	[POOL_BASIS_PLANNED] = "planned"
};

static const char *const action_names[] = {
	[POOL_TIMER_RECLAIM] = "reclaim",
	[POOL_TIMER_MOVE] = "move",
	[POOL_TIMER_ARCHIVE] = "archive",
	[POOL_TIMER_ESCALATE] = "escalate"
};

static const char *const notify_names[] = {
	[POOL_NOTIFY_OWNER] = "owner",
	[POOL_NOTIFY_MANAGER] = "manager",
	[POOL_NOTIFY_PARENT_MANAGER] = "parent_manager"
};

const char *
pool_timer_basis_name(PoolTimerBasis basis)
{
	return basis_names[basis];
}

const char *
pool_timer_action_name(PoolTimerAction action)
{
	return action_names[action];
}

const char *
pool_timer_notify_name(PoolNotify notify)
{
	return notify_names[notify];
}

/* The basis of that name, -1 if there is none; as the next one. */
int
pool_timer_basis(const char *name)
{
	return config_find_name(name, basis_names, lengthof(basis_names));
}

int
pool_timer_action(const char *name)
{
	return config_find_name(name, action_names, lengthof(action_names));
}

static void
read_remind(ConfigScan *scan, PoolTimerRule *rule)
{
	bool		isnull;
	ArrayType  *array = DatumGetArrayTypeP(config_column(scan,
														 TIMER_RULE_REMIND_BEFORE,
														 &isnull));
	Datum	   *spans;
	int			n;

	deconstruct_array(array, INTERVALOID, sizeof(Interval), false,
					  TYPALIGN_DOUBLE, &spans, NULL, &n);
	rule->n_remind = n;
	rule->remind_before = MemoryContextAlloc(scan->context,
											 Max(n, 1) * sizeof(Interval));
	for (int i = 0; i < n; i++)
		rule->remind_before[i] = *DatumGetIntervalP(spans[i]);
}

static void
read_rule(ConfigScan *scan, PoolTimerRule *rule)
{
	bool		isnull;

	config_column_condition(scan, TIMER_RULE_CONDITION, &rule->condition);
	rule->id = config_column_int(scan, TIMER_RULE_ID, 0);
	rule->name = config_column_text(scan, TIMER_RULE_NAME);
	rule->action = pool_timer_action(config_column_text(scan,
														TIMER_RULE_ACTION));
	rule->basis = pool_timer_basis(config_column_text(scan,
													  TIMER_RULE_BASIS));
	rule->notify = config_find_name(config_column_text(scan,
													   TIMER_RULE_NOTIFY),
									notify_names, lengthof(notify_names));
	rule->after = *DatumGetIntervalP(config_column(scan, TIMER_RULE_AFTER, &isnull));
	rule->working_time = config_column_bool(scan, TIMER_RULE_WORKING_TIME);
	rule->notice_required = config_column_bool(scan, TIMER_RULE_NOTICE_REQUIRED);
	rule->to_pool_id = config_column_int(scan, TIMER_RULE_TO_POOL_ID, 0);
	read_remind(scan, rule);
}

static int
compare_rules(const void *a, const void *b)
{
	const PoolTimerRule *x = a;
	const PoolTimerRule *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* The enabled timer rules of a pool, by id. */
void
config_read_timer_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_TIMER_RULE,
										 POOL_TIMER_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	pool->rules = NULL;
	pool->n_rules = 0;
	pool->conditional = false;
	while (config_scan_next(&scan))
	{
		PoolTimerRule *rule;

		if (!config_column_bool(&scan, TIMER_RULE_ENABLED))
			continue;
		pool->rules = config_make_room(context, pool->rules, pool->n_rules,
									   sizeof(PoolTimerRule));
		rule = &pool->rules[pool->n_rules++];
		read_rule(&scan, rule);
		/* a follow-up plans the next one */
		if (rule->condition.path != NULL || rule->basis == POOL_BASIS_PLANNED)
			pool->conditional = true;
	}
	config_scan_end(&scan);
	if (pool->n_rules > 1)
		qsort(pool->rules, pool->n_rules, sizeof(PoolTimerRule),
			  compare_rules);
}

/* One of them, enabled or not; NULL if the pool has none of that id. */
PoolTimerRule *
config_read_timer_rule(MemoryContext context, int32 pool_id, int32 rule_id)
{
	ConfigScan	scan = config_scan_begin(context, POOL_TIMER_RULE,
										 POOL_TIMER_RULE_NAME,
										 &pool_key_int4(pool_id), 1);
	PoolTimerRule *rule = NULL;

	while (rule == NULL && config_scan_next(&scan))
		if (config_column_int(&scan, TIMER_RULE_ID, 0) == rule_id)
		{
			rule = MemoryContextAllocZero(context, sizeof(PoolTimerRule));
			read_rule(&scan, rule);
		}
	config_scan_end(&scan);
	return rule;
}

/* Whether any pool has a rule in force that counts from there. */
bool
config_find_timer_basis(MemoryContext context, PoolTimerBasis basis)
{
	ConfigScan	scan = config_scan_begin(context, POOL_TIMER_RULE,
										 POOL_TIMER_RULE_NAME, NULL, 0);
	bool		found = false;

	while (!found && config_scan_next(&scan))
		found = config_column_bool(&scan, TIMER_RULE_ENABLED) &&
			strcmp(config_column_text(&scan, TIMER_RULE_BASIS),
				   basis_names[basis]) == 0;
	config_scan_end(&scan);
	return found;
}
