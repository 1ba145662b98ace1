/*
 * priority.c
 *	  The priority a pool's score rules give a lead: the sum of the points of
 *	  all rules whose condition is met, kept within 0 and 100.
 */
#include "compat.h"
#include "priority.h"

#include "config.h"
#include "rule.h"
#include "utils/memutils.h"

#define HIGHEST_PRIORITY 100

/* Whether priorities come from rules in this pool. */
bool
pool_scores(int32 pool_id)
{
	return pool_config_pool(pool_id)->n_score_rules > 0;
}

/*
 * The priority of the lead as it is; its own where its pool has no rules.  A
 * rule that cannot be evaluated gives no points.
 */
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
		if (pool_rule_matches(&pool->score_rules[i].condition, document))
			points += pool->score_rules[i].points;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return Min(Max(points, 0), HIGHEST_PRIORITY);
}
