/*
 * explain_claim.c
 *	  Why a member may claim a lead, or why not: each of the tests that a claim
 *	  makes, and how it ends.
 */
#include "result.h"

#include "claim_test.h"

PG_FUNCTION_INFO_V1(pool_explain_claim);

/* The outcome a claim would have that failed this test. */
static const char *
outcome_of(const PoolClaimCase *c, const PoolClaimTest *test)
{
	return strcmp(test->outcome, "not_available") == 0 &&
		c->lead->status == POOL_OWNED ? "taken" : test->outcome;
}

static void
explain_test(PoolCall *call, PoolClaimCase *c, const PoolClaimTest *test)
{
	PoolBound	bound = POOL_NO_BOUND;
	bool		passed;

	c->rule = NULL;
	c->kept = false;
	passed = test->passes(c, &bound);

	pool_put_text(call, 0, test->name);
	pool_put(call, 1, BoolGetDatum(passed));
	if (!passed && bound.limit != POOL_NO_LIMIT)
		pool_put_text(call, 2, psprintf("%s: %d of %d", test->outcome,
										bound.used, bound.limit));
	else if (!passed && c->rule != NULL)
		pool_put_text(call, 2, psprintf("%s: rule \"%s\"", test->outcome,
										c->rule));
	else if (!passed && c->kept)
		pool_put_text(call, 2, psprintf("%s: reserved", test->outcome));
	else if (!passed)
		pool_put_text(call, 2, outcome_of(c, test));
	if (!passed)
		pool_put_time(call, 3, bound.retry_at);
	pool_call_row(call);
}

/*
 * pool.explain_claim(lead, member)
 */
Datum
pool_explain_claim(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "explain_claim");
	int64		id = pool_arg_id(call, 0);
	PoolClaimCase c = {.work = call->work};
	PoolLead	lead;

	c.member = pool_resolve_self(fcinfo, 1);
	c.now = pool_now();
	if (!pool_claim_peek(&c, id, &lead))
	{
		pool_put_text(call, 0, "exists");
		pool_put(call, 1, BoolGetDatum(false));
		pool_put_text(call, 2, "not_found");
		pool_call_row(call);
		return pool_call_end(call);
	}
	pool_claim_look_at(&c, &lead);
	c.pool = pool_config_pool(lead.pool_id);
	c.set = pool_quota_begin(call->work, call->snapshot);
	pool_quota_add(c.set, c.pool->id, c.member->id, true);
	pool_quota_peek(c.set);
	c.quota = pool_quota_get(c.set, c.pool->id, c.member->id);
	for (int i = 0; i < pool_claim_test_count; i++)
		explain_test(call, &c, &pool_claim_tests[i]);
	return pool_call_end(call);
}
