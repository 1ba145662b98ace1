/*
 * route_test.c
 *	  Whether a member may receive a lead by a routing rule: the tests, in their
 *	  order.
 *
 * One list for enforcing and for explaining.
 */
#include "compat.h"
#include "route.h"

#include "claim_test.h"
#include "common/hashfn.h"
#include "group.h"

static bool
is_member(PoolRouteCase *c, int i)
{
	const PoolReceiver *r = &c->pool->receivers->items[i];

	return r->membership->role == POOL_ROLE_MEMBER &&
		r->quota->status != POOL_MEMBER_REMOVED;
}

static bool
is_active(PoolRouteCase *c, int i)
{
	const PoolReceiver *r = &c->pool->receivers->items[i];

	return r->present || !is_member(c, i);
}

static bool
has_level(PoolRouteCase *c, int i)
{
	return c->pool->receivers->items[i].membership->level >=
		c->rule->rule->min_level;
}

static bool
has_weight(PoolRouteCase *c, int i)
{
	return c->pool->receivers->items[i].membership->weight > 0;
}

static bool
has_seat(PoolRouteCase *c, int i)
{
	return c->rule->turns->items[i].seated;
}

static bool
has_not_given_back(PoolRouteCase *c, int i)
{
	return c->pool->receivers->items[i].member->id != c->excluded_id;
}

static bool
meets_condition(PoolRouteCase *c, int i)
{
	return pool_member_meets(c->rule->verdicts, c->verdicts, i, c->document);
}

static bool
is_not_cooling_down(PoolRouteCase *c, int i)
{
	return !list_member_int(c->cooling,
							c->pool->receivers->items[i].member->id);
}

/* Leads of one customer have one owner. */
static bool
is_of_free_group(PoolRouteCase *c, int i)
{
	return c->customer_of == 0 ||
		c->customer_of == c->pool->receivers->items[i].member->id;
}

static bool
has_room(PoolRouteCase *c, int i)
{
	return !c->pool->receivers->items[i].full;
}

/* What makes a test superfluous for this lead, whoever is tested. */

static bool
somebody_gave_back(const PoolRouteCase *c)
{
	return c->excluded_id != 0;
}

static bool
condition_is_given(const PoolRouteCase *c)
{
	return c->rule->rule->member_condition.path != NULL;
}

static bool
somebody_cools_down(const PoolRouteCase *c)
{
	return c->cooling != NIL;
}

static bool
group_has_owner(const PoolRouteCase *c)
{
	return c->customer_of != 0;
}

/*
 * The tests in their order; `concerns` is NULL where the test always does.  The
 * first ones, up to the seat, say the same of every lead of a call; the last
 * one tells at_capacity from the others.
 */
static const struct
{
	const char *name;
	bool		(*passes) (PoolRouteCase *c, int i);
	bool		(*concerns) (const PoolRouteCase *c);
}			tests[] = {
	{"membership", is_member, NULL},
	{"active", is_active, NULL},
	{"level", has_level, NULL},
	{"weight", has_weight, NULL},
	{"seat", has_seat, NULL},
	{"not_returned", has_not_given_back, somebody_gave_back},
	{"member_condition", meets_condition, condition_is_given},
	{"cooldown", is_not_cooling_down, somebody_cools_down},
	{"identity", is_of_free_group, group_has_owner},
	{"capacity", has_room, NULL}
};
#define N_STANDING_TESTS 5

/* Tells the outcome of every test; returns whether all were passed. */
static bool
explain_receiver(PoolRouteCase *c, int i)
{
	const PoolRouteWatch *watch = c->route->watch;
	bool		all = true;

	for (int t = 0; t < (int) lengthof(tests); t++)
	{
		const PoolReceiver *r = &c->pool->receivers->items[i];
		PoolRouteTest test = {.rule = c->rule->rule,.member = r->member,
		.name = tests[t].name};

		test.passed = tests[t].passes(c, i);
		if (!test.passed && tests[t].passes == has_room)
		{
			test.detail = psprintf("holds %d, %d reserved", r->quota->held,
								   r->reserved);
			c->any_full |= all;
		}
		else if (!test.passed && tests[t].passes == meets_condition &&
				 c->verdicts[i] == POOL_RULE_ERROR)
			test.detail = "error";
		watch->tell(watch->arg, &test);
		all &= test.passed;
	}
	return all;
}

/* Tests that this lead asks for, those of standing aside. */
typedef struct LeadTests
{
	int			which[lengthof(tests)];
	int			n;
} LeadTests;

static LeadTests
tests_of_lead(const PoolRouteCase *c)
{
	LeadTests	result = {.n = 0};

	for (int t = N_STANDING_TESTS; t < (int) lengthof(tests); t++)
		if (tests[t].concerns == NULL || tests[t].concerns(c))
			result.which[result.n++] = t;
	return result;
}

static bool
is_eligible(PoolRouteCase *c, const LeadTests *asked, int i)
{
	for (int t = 0; t < asked->n; t++)
	{
		if (tests[asked->which[t]].passes(c, i))
			continue;
		c->any_full |= tests[asked->which[t]].passes == has_room;
		return false;
	}
	return true;
}

static bool
has_standing(PoolRouteCase *c, int i)
{
	for (int t = 0; t < N_STANDING_TESTS; t++)
		if (!tests[t].passes(c, i))
			return false;
	return true;
}

/* Finds those to whom the rule can give anything, once per call. */
void
pool_route_find_standing(PoolRouteCase *c)
{
	const PoolReceivers *receivers = c->pool->receivers;
	PoolRouteRule *rule = c->rule;
	bool		explains = c->route->watch != NULL;

	rule->standing = MemoryContextAlloc(receivers->context,
										Max(receivers->n, 1) *
										sizeof(PoolStanding));
	for (int i = 0; i < receivers->n; i++)
		if (explains || has_standing(c, i))
			rule->standing[rule->n_standing++] = (PoolStanding)
		{
			i, hash_combine(hash_bytes_uint32(rule->rule->id),
							hash_bytes_uint32(receivers->items[i].member->id))
		};
}

static void
add_contender(PoolRouteCase *c, const PoolStanding *standing,
			  const double *scores)
{
	int			i = standing->index;
	const PoolReceiver *r = &c->pool->receivers->items[i];
	const PoolTurn *turn = &c->rule->turns->items[i];

	c->route->contenders[c->n_contenders++] = (PoolContender)
	{
		.index = i,
			.lot = standing->lot,
			.weight = r->membership->weight,
			.score = scores == NULL ? 0 : scores[i],
			.held = r->quota->held,
			.owed = pool_turn_owed(c->rule->turns, i),
			.last_no = turn->last_no,
			.credit = turn->credit
	};
}

/*
 * Finds those who may receive the lead by the rule that decides: leaves them
 * in the route's contenders, or explains.
 */
void
pool_route_contenders(PoolRouteCase *c)
{
	PoolLead	there = *c->lead;
	const double *scores = pool_scores_for(c->rule->scores, &c->data);
	LeadTests	asked;

	there.pool_id = c->pool->conf->id;
	c->cooling = pool_cooling_members(c->route->work, &there, c->route->now);
	c->customer_of = pool_group_owner(c->route->work, c->lead->group_id);
	c->verdicts = pool_member_verdicts_for(c->rule->verdicts,
										   c->rule->rule->member_condition.n_variables > 0 ?
										   pool_route_document(c) : NULL);
	asked = tests_of_lead(c);
	for (int i = 0; i < c->rule->n_standing; i++)
	{
		const PoolStanding *standing = &c->rule->standing[i];

		if (c->route->watch != NULL ? explain_receiver(c, standing->index) :
			is_eligible(c, &asked, standing->index))
			add_contender(c, standing, scores);
	}
}

/* ------------------------------------------------------------------------
 * Conditions that cannot be evaluated, told once per call
 * ------------------------------------------------------------------------ */

/* What the rule says may be personal: its name has to do. */
void
pool_route_report_rule(PoolRoutePool *pool, PoolRouteRule *rule)
{
	if (rule->reported)
		return;
	rule->reported = true;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("condition of routing rule \"%s\" of pool \"%s\" failed",
					rule->rule->name, pool->conf->name),
			 errdetail("It compares what cannot be compared for at least one lead."),
			 errhint("The rules after it go on; compare numbers with numbers.")));
}

void
pool_route_report_members(PoolRoutePool *pool, PoolRouteRule *rule)
{
	if (rule->member_reported || !pool_member_verdicts_failed(rule->verdicts))
		return;
	rule->member_reported = true;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("member condition of routing rule \"%s\" of pool \"%s\" failed",
					rule->rule->name, pool->conf->name),
			 errdetail("It compares what cannot be compared for at least one member and lead, and he is left out."),
			 errhint("The others receive; compare numbers with numbers.")));
}
