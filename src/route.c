/*
 * route.c
 *	  Giving leads to members by the routing rules of their pool.
 *
 * A call names the pools its leads may come through, locks the counters of all
 * who may receive in them (once, as every call does), and then decides lead by
 * lead: the first rule whose condition matches decides, alone.  Members, their
 * documents and their turns are read once per call.  Explaining goes the same
 * way, without locks, and tells of every test.
 */
#include "compat.h"
#include "route.h"

#include "access/xact.h"
#include "approval.h"
#include "batch.h"
#include "common/pg_prng.h"
#include "group.h"
#include "miscadmin.h"
#include "routing_wait.h"
#include "utils/memutils.h"

#define SEED_BITS 53			/* a double holds them exactly */

/* ------------------------------------------------------------------------
 * Pools and rules
 * ------------------------------------------------------------------------ */

static PoolRoutePool *
find_pool(const PoolRoute *route, int32 pool_id)
{
	ListCell   *lc;

	foreach(lc, route->pools)
	{
		PoolRoutePool *pool = lfirst(lc);

		if (pool->conf->id == pool_id)
			return pool;
	}
	return NULL;
}

PoolRoutePool *
pool_route_pool(PoolRoute *route, int32 pool_id)
{
	PoolRoutePool *pool = find_pool(route, pool_id);
	MemoryContext old;

	if (pool != NULL)
		return pool;
	old = MemoryContextSwitchTo(route->context);
	pool = palloc0(sizeof(PoolRoutePool));
	pool->conf = pool_config_pool(pool_id);
	pool->rules = palloc0(Max(pool->conf->n_routing_rules, 1) *
						  sizeof(PoolRouteRule));
	for (int i = 0; i < pool->conf->n_routing_rules; i++)
		pool->rules[i].rule = &pool->conf->routing_rules[i];
	route->pools = lappend(route->pools, pool);
	MemoryContextSwitchTo(old);
	return pool;
}

/* Counters in `set` are named by the following functions, and locked after. */
PoolRoute *
pool_route_begin(PoolWork *work, PoolQuotaSet *set, int32 actor_id)
{
	PoolRoute  *route = palloc0(sizeof(PoolRoute));

	route->work = work;
	route->set = set;
	route->actor_id = actor_id;
	route->context = CurrentMemoryContext;
	route->lead_context = AllocSetContextCreate(CurrentMemoryContext,
												"pool_ext routing",
												ALLOCSET_DEFAULT_SIZES);
	return route;
}

static void
name_receivers(PoolRoute *route, PoolRoutePool *pool)
{
	MemoryContext old = MemoryContextSwitchTo(route->context);

	if (!pool->named)
		pool_receivers_name(route->set, pool->conf);
	pool->named = true;
	MemoryContextSwitchTo(old);
}

/*
 * Leads of this pool may be routed, through whatever pools its rules hand
 * over to.  False if the pool has no rules.
 */
bool
pool_route_add_pool(PoolRoute *route, int32 pool_id)
{
	PoolRoutePool *pool = pool_route_pool(route, pool_id);

	if (pool->named)
		return pool->conf->n_routing_rules > 0;
	name_receivers(route, pool);
	for (int i = 0; i < pool->conf->n_routing_rules; i++)
		if (pool->rules[i].rule->strategy == POOL_HAND_OVER)
			(void) pool_route_add_pool(route, pool->rules[i].rule->to_pool_id);
	return pool->conf->n_routing_rules > 0;
}

/* Whether the first rule decides for every lead, by the pool's own members. */
static bool
decides_for_all(const PoolConf *conf)
{
	return conf->routing_rules[0].condition.path == NULL &&
		conf->routing_rules[0].strategy != POOL_HAND_OVER;
}

/*
 * This lead of the pool is to be routed: names only the counters of the pool
 * where it will arrive.  False if its own pool has no rules.
 */
bool
pool_route_add_lead(PoolRoute *route, int64 lead_id, int32 pool_id)
{
	PoolRouteCase c = {.route = route,.now = pool_now()};
	PoolRoutePool *pool = pool_route_pool(route, pool_id);
	MemoryContext old;
	PoolLead	lead;
	bool		found;

	if (pool->conf->n_routing_rules == 0)
		return false;
	if (decides_for_all(pool->conf))
	{
		name_receivers(route, pool);
		return true;
	}
	old = MemoryContextSwitchTo(route->lead_context);
	found = pool_lead_peek(pool_work_table(route->work, POOL_LEAD_STATE),
						   lead_id, pool_snapshot(), &lead) &&
		pool_data_read(pool_work_table(route->work, POOL_LEAD_DATA), lead_id,
					   pool_snapshot(), &c.data);
	if (found)
	{
		c.lead = &lead;
		pool_route_follow(&c);
		name_receivers(route, c.pool);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(route->lead_context);
	return found;
}

/* Locks the named counters if nobody else holds any; to be locked again. */
bool
pool_route_try_lock(PoolRoute *route)
{
	ListCell   *lc;

	foreach(lc, route->pools)
	{
		PoolRoutePool *pool = lfirst(lc);

		for (int i = 0; pool->named && i < pool->conf->n_receivers; i++)
			if (!pool_quota_try_lock(route->set, pool->conf->id,
									 pool->conf->receivers[i], true))
				return false;
	}
	return true;
}

/* The counters are locked: reads who may receive. */
void
pool_route_ready(PoolRoute *route, TimestampTz now)
{
	MemoryContext old = MemoryContextSwitchTo(route->context);
	int			most = 1;
	ListCell   *lc;

	route->now = now;
	foreach(lc, route->pools)
	{
		PoolRoutePool *pool = lfirst(lc);

		if (!pool->named)
			continue;
		pool->receivers = pool_receivers_load(route->work, route->set,
											  pool->conf, now);
		most = Max(most, pool->receivers->n);
	}
	route->contenders = palloc(most * sizeof(PoolContender));
	MemoryContextSwitchTo(old);
}

/* Whether nobody in any of the pools can receive anything. */
bool
pool_route_full(const PoolRoute *route)
{
	ListCell   *lc;

	foreach(lc, route->pools)
	{
		PoolRoutePool *pool = lfirst(lc);

		if (pool->receivers != NULL && !pool_receivers_full(pool->receivers))
			return false;
	}
	return true;
}

/* Reads what the rule needs, the first time. */
static void
load_rule(PoolRouteCase *c)
{
	PoolRouteRule *rule = c->rule;
	PoolReceivers *receivers = c->pool->receivers;

	if (rule->turns != NULL)
		return;
	rule->turns = pool_turns_load(receivers, rule->rule);
	rule->verdicts = pool_member_verdicts_begin(receivers,
												&rule->rule->member_condition);
	rule->scores = pool_scores_begin(receivers, rule->rule->strategy);
	pool_route_find_standing(c);
}

/* ------------------------------------------------------------------------
 * Choosing
 * ------------------------------------------------------------------------ */

static void
choose(PoolRouteCase *c)
{
	c->seed = pg_prng_uint64(&pg_global_prng_state) >> (64 - SEED_BITS);
	c->choice = pool_strategy_choose(c->rule->rule->strategy,
									 c->route->contenders, c->n_contenders,
									 c->seed / (double) (INT64CONST(1) << SEED_BITS));
}

/* The lead has been given or suggested: whoever was chosen has had his turn. */
static void
take_turn(PoolRouteCase *c)
{
	PoolTurns  *turns = c->rule->turns;
	int			chosen = c->choice.chosen->index;

	for (int i = 0; c->choice.by_turn && i < c->n_contenders; i++)
	{
		PoolContender *contender = &c->route->contenders[i];

		turns->items[contender->index].credit = contender->credit;
		turns->credits_changed = true;
	}
	pool_turn_serve(turns, chosen, c->choice.early, c->route->now);
}

/* What he holds has changed: in other pools he may be at a limit, too. */
static void
count_gain(PoolRouteCase *c, const PoolMemberConf *member)
{
	ListCell   *lc;

	foreach(lc, c->route->pools)
	{
		PoolRoutePool *pool = lfirst(lc);

		for (int i = 0; pool->receivers != NULL && i < pool->receivers->n; i++)
		{
			if (pool->receivers->items[i].member->id != member->id)
				continue;
			pool_receiver_count(pool->receivers, &pool->receivers->items[i]);
			for (int r = 0; r < pool->conf->n_routing_rules; r++)
			{
				PoolMemberVerdicts *verdicts = pool->rules[r].verdicts;

				if (verdicts != NULL)
					pool_member_verdicts_forget(verdicts, i);
			}
		}
	}
}

/* Tells who would get the lead, and how probable that is. */
static void
explain_choice(PoolRouteCase *c)
{
	const PoolRouteWatch *watch = c->route->watch;
	const PoolRoutingRule *rule = c->rule->rule;
	bool		by_lot = rule->strategy == POOL_RANDOM && !c->choice.early;

	for (int i = 0; i < c->n_contenders; i++)
	{
		PoolContender *contender = &c->route->contenders[i];
		PoolRouteTest test = {.rule = rule,.name = "chosen"};

		test.member = c->pool->receivers->items[contender->index].member;
		test.passed = contender == c->choice.chosen && !by_lot;
		test.detail = by_lot ? "by lot" :
			c->choice.early ? "newcomer" : NULL;
		if (rule->strategy == POOL_BEST_MATCH ||
			rule->strategy == POOL_PERFORMANCE)
			test.score = &contender->score;
		watch->tell(watch->arg, &test);
	}
}

/*
 * Whether leads of the same customer let him own this one: somebody may be
 * deciding on them just now, and then a later try will do.
 */
static bool
may_have(const PoolRouteCase *c, const PoolMemberConf *member)
{
	return c->rule->rule->strategy == POOL_SUGGEST ||
		pool_group_try(c->route->work, c->lead->group_id, member->id) ==
		POOL_GROUP_FREE;
}

/*
 * Whether the lead can be suggested to somebody: not while others decide whom
 * it is assigned to.  A request that has died with what it was about is closed.
 */
static bool
may_suggest(PoolRouteCase *c)
{
	PoolWork   *work = c->route->work;
	PoolApproval found;

	if (c->rule->rule->strategy != POOL_SUGGEST ||
		!pool_approval_find_open(work, c->lead->id, "assign", &found))
		return true;
	if (pool_approval_is_live(&found, c->lead, c->route->now))
		return false;
	(void) pool_approval_lapse(work, c->lead, &found, c->route->now);
	CommandCounterIncrement();
	return true;
}

/* Decides, and acts unless the lead is only explained. */
static const char *
decide(PoolRouteCase *c)
{
	const PoolMemberConf *member;

	if (c->rule == NULL)
		return "no_rule";
	load_rule(c);
	pool_route_contenders(c);
	pool_route_report_members(c->pool, c->rule);
	if (c->n_contenders == 0)
		return c->any_full ? "at_capacity" : "no_candidate";
	choose(c);
	if (c->route->watch != NULL)
	{
		explain_choice(c);
		return "assigned";
	}
	member = c->pool->receivers->items[c->choice.chosen->index].member;
	if (!may_have(c, member) || !may_suggest(c))
	{
		c->choice.chosen = NULL;
		return "no_candidate";
	}
	take_turn(c);
	if (c->rule->rule->strategy == POOL_SUGGEST)
		pool_route_suggest(c);
	else
		pool_route_give(c);
	count_gain(c, member);
	return c->rule->rule->strategy == POOL_SUGGEST ? "suggested" : "assigned";
}

static PoolRouted
route_case(PoolRouteCase *c)
{
	PoolRouted	result = {0};

	result.pool_id = c->lead->pool_id;
	if (pool_route_pool(c->route, c->lead->pool_id)->conf->n_routing_rules == 0)
		return result;
	pool_route_follow(c);
	if (c->rule != NULL && c->pool->receivers == NULL)
		elog(ERROR, "counters of pool %d are not locked", c->pool->conf->id);
	result.outcome = decide(c);
	if (c->choice.chosen != NULL)
		result.member_id =
			c->pool->receivers->items[c->choice.chosen->index].member->id;
	else if (c->hops != NIL && c->route->watch == NULL)
		pool_route_move(c);
	result.pool_id = c->pool->conf->id;
	if (c->rule != NULL)
		result.rule = c->rule->rule;
	else if (c->hops != NIL)
		result.rule = ((PoolRouteRule *) llast(c->hops))->rule;
	return result;
}

/*
 * Routes an available lead that this transaction has locked (or, explaining,
 * has only read): gives it to whom the rules choose, or leaves it to be tried
 * again.  `excluded_id` (0 = nobody) does not get it; queue_knows where it was
 * popped from the queue.
 */
PoolRouted
pool_route_lead(PoolRoute *route, PoolLead *lead, int32 excluded_id,
				bool queue_knows)
{
	PoolRouteCase c = {.route = route,.lead = lead,.now = route->now,
	.queue_knows = queue_knows};
	MemoryContext old = MemoryContextSwitchTo(route->lead_context);
	PoolRouted	result;

	if (route->watch == NULL)
		pool_open_lead(route->work, lead, &c.data);
	else
		pool_data_get(pool_work_table(route->work, POOL_LEAD_DATA), lead->id,
					  &c.data);
	c.excluded_id = excluded_id != 0 ? excluded_id :
		pool_wait_excluded(route->work, lead);
	result = route_case(&c);
	if (route->watch == NULL)
		pool_wait_note(route->work, lead, &result, c.excluded_id,
					   route->now);
	MemoryContextSwitchTo(old);
	MemoryContextReset(route->lead_context);
	return result;
}

/*
 * The same for a lead given by its id, if it is available in this pool, kept
 * for nobody and held by nobody else.
 */
bool
pool_route_by_id(PoolRoute *route, int64 lead_id, int32 pool_id,
				 int32 excluded_id, PoolRouted *routed)
{
	PoolLead	lead;

	if (pool_lead_lock(pool_work_table(route->work, POOL_LEAD_STATE), lead_id,
					   pool_snapshot(), false, &lead) != POOL_LEAD_LOCKED ||
		lead.status != POOL_AVAILABLE || lead.pool_id != pool_id ||
		!pool_may_be_routed(route->work, &lead, route->now))
		return false;
	*routed = pool_route_lead(route, &lead, excluded_id, false);
	return true;
}

/* Writes the turns; the counters are the caller's. */
void
pool_route_end(PoolRoute *route)
{
	ListCell   *lc;

	foreach(lc, route->pools)
	{
		PoolRoutePool *pool = lfirst(lc);

		for (int i = 0; i < pool->conf->n_routing_rules; i++)
			if (pool->rules[i].turns != NULL)
				pool_turns_write(pool->rules[i].turns);
	}
	MemoryContextDelete(route->lead_context);
}
