/*
 * route_rule.c
 *	  Which routing rule decides about a lead.
 */
#include "compat.h"
#include "route.h"

static void
tell_rule(PoolRouteCase *c, PoolRouteRule *rule, bool passed,
		  const char *detail)
{
	const PoolRouteWatch *watch = c->route->watch;
	PoolRouteTest test = {.rule = rule->rule,.name = "rule",
	.passed = passed,.detail = detail};

	if (watch != NULL)
		watch->tell(watch->arg, &test);
}

/* What conditions see of the lead; most rules ask for nothing. */
Jsonb *
pool_route_document(PoolRouteCase *c)
{
	if (c->document == NULL)
		c->document = pool_rule_document(c->lead, &c->data, c->now);
	return c->document;
}

static PoolVerdict
judge_rule(PoolRouteCase *c, const PoolCondition *condition)
{
	return condition->path == NULL ? POOL_MATCH :
		pool_rule_judge(condition, pool_route_document(c), NULL);
}

/* The first rule of the pool that is about this lead; NULL if none is. */
static PoolRouteRule *
find_rule(PoolRouteCase *c, PoolRoutePool *pool)
{
	for (int i = 0; i < pool->conf->n_routing_rules; i++)
	{
		PoolRouteRule *rule = &pool->rules[i];
		PoolVerdict verdict = judge_rule(c, &rule->rule->condition);

		if (verdict == POOL_RULE_ERROR)
			pool_route_report_rule(pool, rule);
		tell_rule(c, rule, verdict == POOL_MATCH,
				  verdict == POOL_RULE_ERROR ? "error" : NULL);
		if (verdict == POOL_MATCH)
			return rule;
	}
	return NULL;
}

/*
 * Follows the lead through the pools that hand it over, up to the rule that
 * decides.  Where that goes round in a circle the lead stays where it is.
 */
void
pool_route_follow(PoolRouteCase *c)
{
	PoolRoutePool *start = pool_route_pool(c->route, c->lead->pool_id);
	List	   *visited = list_make1(start);

	c->pool = start;
	for (;;)
	{
		c->rule = find_rule(c, c->pool);
		if (c->rule == NULL || c->rule->rule->strategy != POOL_HAND_OVER)
			return;
		c->hops = lappend(c->hops, c->rule);
		c->pool = pool_route_pool(c->route, c->rule->rule->to_pool_id);
		if (list_member_ptr(visited, c->pool))
			break;
		visited = lappend(visited, c->pool);
	}
	tell_rule(c, c->rule, false, "circle");
	c->hops = NIL;
	c->pool = start;
	c->rule = NULL;
}
