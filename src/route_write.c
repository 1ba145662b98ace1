/*
 * route_write.c
 *	  What routing does to a lead: rows, events, counters.
 *
 * The detail of the event says how the choice was made, so that it can be
 * checked, and judged by its results, later: the strategy, the probability of
 * whoever was chosen, and where chance or scores decided, the candidates.
 */
#include "compat.h"
#include "route.h"

#include "access/xact.h"
#include "approval.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* A suggestion waits that long for a veto where the rule says nothing. */
static const Interval default_expiry = {.time = 24 * USECS_PER_HOUR};

/* Whether nobody is to have the lead but by a decision that is pending. */
bool
pool_may_be_routed(PoolWork *work, const PoolLead *lead, TimestampTz now)
{
	return lead->hidden_until <= now && !pool_approval_reserves(work, lead);
}

/* ------------------------------------------------------------------------
 * Details
 * ------------------------------------------------------------------------ */

/* To six places, which is what people compare. */
static void
put_number(PoolDetail *detail, const char *key, double value)
{
	Datum		number = DirectFunctionCall1(float8_numeric,
											 Float8GetDatum(rint(value * 1e6) / 1e6));

	pool_detail_numeric(detail, key, number);
}

/* All candidates, in the order in which a lot falls on them. */
static Jsonb *
candidates_of(const PoolRouteCase *c)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < c->n_contenders; i++)
	{
		const PoolContender *contender = &c->route->contenders[i];
		const PoolMemberConf *member =
		c->pool->receivers->items[contender->index].member;
		PoolDetail	one;
		JsonbValue	value;
		Jsonb	   *object;

		pool_detail_begin(&one);
		pool_detail_text(&one, "member", member->key, strlen(member->key));
		put_number(&one, "weight", contender->weight);
		if (c->rule->rule->strategy == POOL_BEST_MATCH)
			put_number(&one, "score", contender->score);
		object = pool_detail_end(&one);
		value.type = jbvBinary;
		value.val.binary.data = &object->root;
		value.val.binary.len = VARSIZE(object) - VARHDRSZ;
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(result);
}

static Jsonb *
describe_choice(const PoolRouteCase *c)
{
	const PoolRoutingRule *rule = c->rule->rule;
	const char *strategy = pool_strategy_name(rule->strategy);
	PoolDetail	detail;

	pool_detail_begin(&detail);
	pool_detail_text(&detail, "strategy", strategy, strlen(strategy));
	if (rule->strategy == POOL_RANDOM || rule->strategy == POOL_BEST_MATCH)
		pool_detail_json(&detail, "candidates", candidates_of(c));
	else
		pool_detail_int(&detail, "candidates", c->n_contenders);
	put_number(&detail, "probability", c->choice.probability);
	if (rule->strategy == POOL_BEST_MATCH ||
		(rule->strategy == POOL_PERFORMANCE && c->choice.chosen->score >= 0))
		put_number(&detail, "score", c->choice.chosen->score);
	if (c->choice.early)
		pool_detail_true(&detail, "newcomer");
	else if (rule->strategy == POOL_RANDOM)
		pool_detail_int(&detail, "seed", c->seed);
	return pool_detail_end(&detail);
}

/* ------------------------------------------------------------------------
 * Acts
 * ------------------------------------------------------------------------ */

/*
 * Writes the events of the pools that have handed the lead over.  Its row is
 * not written: *lead becomes what it is in the pool where it arrived.
 */
static void
note_hops(PoolRouteCase *c, TimestampTz at)
{
	ListCell   *lc;

	foreach(lc, c->hops)
	{
		const PoolRoutingRule *rule = ((PoolRouteRule *) lfirst(lc))->rule;
		PoolEvent	event = {.kind = "moved",.at = at,
			.actor_id = c->route->actor_id,
		.rule_id = rule->id};
		PoolDetail	detail;

		pool_detail_begin(&detail);
		pool_detail_from_pool(&detail, c->lead->pool_id, rule->to_pool_id,
							  at);
		pool_detail_true(&detail, "hand_over");
		event.detail = pool_detail_end(&detail);
		event.reason = CStringGetTextDatum(rule->name);
		c->lead->pool_id = rule->to_pool_id;
		c->lead->entered_at = at;
		pool_event_append(c->route->work, &event, c->lead, &c->data);
	}
}

/* The lead becomes the chosen member's: row, events, counters. */
void
pool_route_give(PoolRouteCase *c)
{
	PoolTable  *leads = pool_work_table(c->route->work, POOL_LEAD_STATE);
	PoolReceiver *r = &c->pool->receivers->items[c->choice.chosen->index];
	PoolEvent	event = {.kind = "assigned",.member_id = r->member->id,
		.actor_id = c->route->actor_id,
	.rule_id = c->rule->rule->id};

	event.at = pool_lead_time(c->lead, c->route->now);
	event.reason = CStringGetTextDatum(c->rule->rule->name);
	event.detail = describe_choice(c);
	if (!c->queue_knows)
		pool_lead_leave_queue(leads, c->lead);
	note_hops(c, event.at);
	pool_lead_own(leads, c->lead, r->member->id, c->pool->conf->id, event.at);
	pool_event_append(c->route->work, &event, c->lead, &c->data);
	pool_quota_gain(c->route->set, r->quota);
}

/* The lead arrives in the pool it was handed over to, and stays there. */
void
pool_route_move(PoolRouteCase *c)
{
	TimestampTz at = pool_lead_time(c->lead, c->route->now);
	PoolLead	before = *c->lead;

	pool_lead_move(pool_work_table(c->route->work, POOL_LEAD_STATE), c->lead,
				   c->pool->conf->id, at);
	/* the events name the pools on the way */
	c->lead->pool_id = before.pool_id;
	note_hops(c, at);
}

/*
 * The lead is kept for the chosen member until the suggestion expires, which
 * gives it to him, or is decided.
 */
void
pool_route_suggest(PoolRouteCase *c)
{
	PoolWork   *work = c->route->work;
	const PoolRoutingRule *rule = c->rule->rule;
	PoolReceiver *r = &c->pool->receivers->items[c->choice.chosen->index];
	PoolApproval a = {.action = "assign",.step = 1,
	.member_id = r->member->id,.from_rule_id = rule->id};

	a.expires_at = pool_time_add(c->route->now, rule->expires_after != NULL ?
								 rule->expires_after : &default_expiry,
								 c->pool->conf->zone);
	if (c->hops != NIL)
	{
		pool_route_move(c);
		CommandCounterIncrement();
		pool_lead_reload(pool_work_table(work, POOL_LEAD_STATE), c->lead);
	}
	pool_approval_open(work, c->lead, &a, c->route->actor_id,
					   CStringGetTextDatum(rule->name), c->route->now);
	r->reserved++;
}
