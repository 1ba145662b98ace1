/*
 * priority.c
 *	  The priority a pool's score rules give a lead: the sum of the points of
 *	  all rules whose condition is met, kept within 0 and 100.
 */
#include "compat.h"
#include "priority.h"

#include "config.h"
#include "rule.h"
#include "rule_report.h"
#include "utils/memutils.h"

#define HIGHEST_PRIORITY 100

/* Whether priorities come from rules in this pool. */
bool
pool_scores(int32 pool_id)
{
	return pool_config_pool(pool_id)->n_score_rules > 0;
}

/* What the rule gives; one that cannot be evaluated is told of. */
static int32
points_of(const PoolConf *pool, const PoolScoreRule *rule, Jsonb *document)
{
	switch (pool_rule_judge(&rule->condition, document, NULL))
	{
		case POOL_MATCH:
			return rule->points;
		case POOL_RULE_ERROR:
			pool_rule_report(POOL_KIND_SCORE, rule->id, rule->name,
							 pool->name);
			break;
		case POOL_NO_MATCH:
			break;
	}
	return 0;
}

/* The priority of the lead as it is; its own where its pool has no rules. */
int16
pool_score(const PoolLead *lead, const PoolData *data, TimestampTz now)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	MemoryContext scratch;
	MemoryContext old;
	Jsonb	   *document;
	int64		points = 0;

	if (pool->n_score_rules == 0)
		return lead->priority;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "score rules",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	document = pool_rule_document(lead, data, now);
	for (int i = 0; i < pool->n_score_rules; i++)
		points += points_of(pool, &pool->score_rules[i], document);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return Min(Max(points, 0), HIGHEST_PRIORITY);
}
