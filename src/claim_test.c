/*
 * claim_test.c
 *	  Whether a member may claim a lead: the tests, in their order.
 *
 * One list for enforcing and for explaining.
 */
#include "compat.h"
#include "claim_test.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "event.h"
#include "fact.h"
#include "group.h"
#include "rule.h"
#include "rule_report.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ------------------------------------------------------------------------
 * What rules see
 * ------------------------------------------------------------------------ */

/* The case is about this lead from now on, as it is now. */
void
pool_claim_look_at(PoolClaimCase *c, const PoolLead *lead)
{
	c->lead = lead;
	if (c->document == NULL)
		return;
	c->document = NULL;
	MemoryContextReset(c->scratch);
}

/* The lead's document, good until the case is about another lead. */
static Jsonb *
lead_document(PoolClaimCase *c)
{
	PoolTable  *table = pool_work_table(c->work, POOL_LEAD_DATA);
	MemoryContext old;
	PoolData	data;

	if (c->document != NULL)
		return c->document;
	if (c->scratch == NULL)
		c->scratch = AllocSetContextCreate(CurrentMemoryContext,
										   "pool_ext claim",
										   ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(c->scratch);
	pool_data_get(table, c->lead->id, &data);
	c->document = pool_rule_document(c->lead, &data, c->now);
	MemoryContextSwitchTo(old);
	return c->document;
}

/*
 * What may be looked for in the lead's document: not what the pool masks, since
 * the answer tells even of leads that the member does not get.
 */
Jsonb *
pool_claim_shown_document(PoolClaimCase *c)
{
	Jsonb	   *document = lead_document(c);
	MemoryContext old = MemoryContextSwitchTo(c->scratch);
	ListCell   *lc;

	foreach(lc, c->pool->masked)
		document = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete,
													  JsonbPGetDatum(document),
													  CStringGetTextDatum(lfirst(lc))));
	MemoryContextSwitchTo(old);
	return document;
}

/* The member's document, made anew when he holds more than before. */
static Jsonb *
member_document(PoolClaimCase *c, const PoolMembershipConf *membership)
{
	int32		held = c->quota != NULL ? c->quota->held : 0;

	if (c->member_document != NULL && c->member_held == held &&
		c->member_pool_id == c->pool->id)
		return c->member_document;
	c->member_held = held;
	c->member_pool_id = c->pool->id;
	c->member_document = pool_member_document(c->work, pool_snapshot(),
											  c->member, membership, held,
											  c->now);
	return c->member_document;
}

/* What the condition says of a document; leaves nothing in memory. */
static PoolVerdict
judge(PoolClaimCase *c, const PoolCondition *condition, Jsonb *document,
	  Jsonb *variables)
{
	MemoryContext old = MemoryContextSwitchTo(c->scratch);
	PoolVerdict verdict = pool_rule_judge(condition, document, variables);

	MemoryContextSwitchTo(old);
	return verdict;
}

static PoolVerdict
judge_lead(PoolClaimCase *c, const PoolCondition *condition)
{
	if (condition->path == NULL)
		return POOL_MATCH;
	return judge(c, condition, lead_document(c), NULL);
}

/* ------------------------------------------------------------------------
 * The tests
 * ------------------------------------------------------------------------ */

static bool
is_available(PoolClaimCase *c, PoolBound *bound)
{
	return c->lead->status == POOL_AVAILABLE;
}

static bool
is_member(PoolClaimCase *c, PoolBound *bound)
{
	const PoolMembershipConf *conf = pool_config_membership(c->pool->id,
															c->member->id);

	/* the locked row knows of a removal that the cache may not have seen */
	return conf->role >= POOL_ROLE_MEMBER &&
		c->quota->status != POOL_MEMBER_REMOVED;
}

static bool
is_active(PoolClaimCase *c, PoolBound *bound)
{
	return c->quota->status == POOL_MEMBER_ACTIVE ||
		c->quota->status == POOL_MEMBER_REMOVED;
}

static bool
is_enabled(PoolClaimCase *c, PoolBound *bound)
{
	return c->pool->enabled;
}

/*
 * What the rule says of this lead now; *until is when it ceases to, by its
 * head start.  A rule that cannot be evaluated binds, and is told of.
 */
static PoolVerdict
judge_rule(PoolClaimCase *c, const PoolClaimRule *rule, TimestampTz *until)
{
	PoolVerdict verdict;

	*until = DT_NOEND;
	if (rule->head_start != NULL)
		*until = pool_time_add(c->lead->entered_at, rule->head_start,
							   c->pool->zone);
	if (*until <= c->now)
		return POOL_NO_MATCH;
	verdict = judge_lead(c, &rule->condition);
	if (verdict == POOL_RULE_ERROR)
		pool_rule_report(POOL_KIND_CLAIM, rule->id, rule->name,
						 c->pool->name);
	return verdict;
}

/* Whether the member meets what a rule that matches demands of him. */
static bool
rule_admits(PoolClaimCase *c, const PoolClaimRule *rule)
{
	const PoolMembershipConf *conf = pool_config_membership(c->pool->id,
															c->member->id);
	PoolVerdict verdict;
	Jsonb	   *lead;

	if (conf->level < rule->min_level)
		return false;
	if (rule->member_condition.path == NULL)
		return true;
	lead = lead_document(c);
	verdict = judge(c, &rule->member_condition, member_document(c, conf),
					lead);
	if (verdict == POOL_RULE_ERROR)
		pool_rule_report(POOL_KIND_CLAIM, rule->id, rule->name,
						 c->pool->name);
	return verdict == POOL_MATCH;
}

/* Of the rules that bar him, the one that does so longest is named. */
static bool
is_admitted(PoolClaimCase *c, PoolBound *bound)
{
	for (int i = 0; i < c->pool->n_claim_rules; i++)
	{
		const PoolClaimRule *rule = &c->pool->claim_rules[i];
		TimestampTz until;
		PoolVerdict verdict = judge_rule(c, rule, &until);

		if (verdict == POOL_NO_MATCH ||
			(verdict == POOL_MATCH && rule_admits(c, rule)))
			continue;
		if (c->rule == NULL || until > bound->retry_at)
		{
			c->rule = rule->name;
			bound->retry_at = until;
		}
	}
	if (bound->retry_at == DT_NOEND)
		bound->retry_at = POOL_NO_TIME;
	return c->rule == NULL;
}

static bool
is_shown(PoolClaimCase *c, PoolBound *bound)
{
	if (c->lead->hidden_until <= c->now ||
		c->lead->reserved_for == c->member->id)
		return true;
	c->kept = c->lead->reserved_for != 0;
	if (c->lead->hidden_until != DT_NOEND)
		bound->retry_at = c->lead->hidden_until;
	return false;
}

/* Whether an approval rule is about the claim; one that fails is. */
static bool
approval_binds(PoolClaimCase *c, const PoolApprovalRule *rule)
{
	PoolVerdict verdict;

	if (strcmp(rule->action, "claim") != 0)
		return false;
	verdict = judge_lead(c, &rule->condition);
	if (verdict == POOL_RULE_ERROR)
		pool_rule_report(POOL_KIND_APPROVAL, rule->id, rule->name,
						 c->pool->name);
	return verdict != POOL_NO_MATCH;
}

/* Whether a manager must approve that somebody claims this lead. */
bool
pool_claim_needs_approval(PoolClaimCase *c)
{
	const PoolConf *pool = c->pool;
	TimestampTz until;

	for (int i = 0; i < pool->n_claim_rules; i++)
		if (pool->claim_rules[i].approval &&
			judge_rule(c, &pool->claim_rules[i], &until) != POOL_NO_MATCH)
		{
			c->rule = pool->claim_rules[i].name;
			return true;
		}
	for (int i = 0; i < pool->n_approval_rules; i++)
		if (approval_binds(c, &pool->approval_rules[i]))
		{
			c->rule = pool->approval_rules[i].name;
			return true;
		}
	return false;
}

static bool
is_approved(PoolClaimCase *c, PoolBound *bound)
{
	return c->approved || !pool_claim_needs_approval(c);
}

static bool
is_not_cooling_down(PoolClaimCase *c, PoolBound *bound)
{
	return !pool_cooling_down(c->work, c->lead, c->member->id, c->now,
							  &bound->retry_at);
}

/* Leads of one customer have one owner. */
static bool
is_of_free_group(PoolClaimCase *c, PoolBound *bound)
{
	return pool_group_look(c->work, c->lead->group_id, c->member->id) ==
		POOL_GROUP_FREE;
}

static bool
is_late_enough(PoolClaimCase *c, PoolBound *bound)
{
	return !pool_quota_interval_bound(c->quota, c->now, bound);
}

static bool
is_below_claim_limit(PoolClaimCase *c, PoolBound *bound)
{
	return !pool_quota_claim_bound(c->quota, c->now, bound);
}

static bool
is_below_hold_limit(PoolClaimCase *c, PoolBound *bound)
{
	return !pool_quota_hold_bound(c->set, c->quota, bound);
}

const PoolClaimTest pool_claim_tests[] = {
	{"available", "not_available", true, false, is_available},
	{"membership", "not_member", false, false, is_member},
	{"active", "away", false, false, is_active},
	{"pool_enabled", "pool_disabled", false, false, is_enabled},
	{"claim_rules", "level", true, true, is_admitted},
	{"hidden", "hidden", true, false, is_shown},
	{"cooldown", "cooldown", true, true, is_not_cooling_down},
	{"identity", "identity_owned", true, true, is_of_free_group},
	{"approval", "approval", true, true, is_approved},
	{"claim_interval", "too_soon", false, false, is_late_enough},
	{"claim_limit", "claim_limit", false, false, is_below_claim_limit},
	{"hold_limit", "hold_limit", false, false, is_below_hold_limit}
};
const int	pool_claim_test_count = lengthof(pool_claim_tests);

static bool
passes(const PoolClaimTest *test, PoolClaimCase *c, PoolBound *bound)
{
	*bound = POOL_NO_BOUND;
	c->rule = NULL;
	return test->passes(c, bound);
}

/* The first test that fails; without a lead, of those that need none. */
static const PoolClaimTest *
first_failing(PoolClaimCase *c, bool with_lead, PoolBound *bound)
{
	for (int i = 0; i < pool_claim_test_count; i++)
	{
		const PoolClaimTest *test = &pool_claim_tests[i];

		if ((with_lead || !test->of_lead) && !passes(test, c, bound))
			return test;
	}
	return NULL;
}

/* The first test that fails whatever the lead; NULL if none does. */
const PoolClaimTest *
pool_claim_check_member(PoolClaimCase *c, PoolBound *bound)
{
	return first_failing(c, false, bound);
}

/*
 * A test that fails because of this lead, if any does: those that its row
 * decides come first, for claims that pass over many leads and name none.
 */
const PoolClaimTest *
pool_claim_check_lead(PoolClaimCase *c, PoolBound *bound)
{
	for (int reads = 0; reads < 2; reads++)
		for (int i = 0; i < pool_claim_test_count; i++)
		{
			const PoolClaimTest *test = &pool_claim_tests[i];

			if (test->of_lead && test->reads == (reads == 1) &&
				!passes(test, c, bound))
				return test;
		}
	return NULL;
}

/*
 * Judges the lead, and the member in its pool, as they are just now: NULL if
 * he may have it.  A lead that has meanwhile come into a pool whose counters
 * are not locked is not to be had now.
 */
const char *
pool_claim_judge(PoolClaimCase *c, const PoolLead *lead, PoolBound *bound)
{
	const PoolClaimTest *failed;

	pool_claim_look_at(c, lead);
	c->pool = pool_config_pool(lead->pool_id);
	c->quota = pool_quota_get(c->set, lead->pool_id, c->member->id);
	*bound = POOL_NO_BOUND;
	if (lead->status != POOL_AVAILABLE)
		return lead->status == POOL_OWNED ? "taken" : "not_available";
	if (c->quota == NULL)
		return "contended";
	failed = first_failing(c, true, bound);
	return failed != NULL ? failed->outcome : NULL;
}

/* ------------------------------------------------------------------------
 * Leads that are named
 * ------------------------------------------------------------------------ */

/* Reads the lead; false if the member may not know of it. */
bool
pool_claim_peek(const PoolClaimCase *c, int64 id, PoolLead *lead)
{
	return pool_lead_peek(pool_work_table(c->work, POOL_LEAD_STATE), id,
						  pool_snapshot(), lead) &&
		lead->tenant_id == c->member->tenant_id;
}

/*
 * Locks the member's counters in every pool these leads lie in and that he
 * belongs to, and then asks for the time.
 */
void
pool_claim_lock_counters(PoolClaimCase *c, Snapshot snapshot,
						 const int64 *ids, int n)
{
	PoolLead	lead;

	c->set = pool_quota_begin(c->work, snapshot);
	for (int i = 0; i < n; i++)
		if (pool_claim_peek(c, ids[i], &lead) &&
			lead.status == POOL_AVAILABLE)
			pool_quota_add(c->set, lead.pool_id, c->member->id, true);
	pool_quota_lock(c->set);
	c->now = pool_now();
}
