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
#include "group.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static bool
is_available(const PoolClaimCase *c, PoolBound *bound)
{
	return c->lead->status == POOL_AVAILABLE;
}

static bool
is_member(const PoolClaimCase *c, PoolBound *bound)
{
	const PoolMembershipConf *conf = pool_config_membership(c->pool->id,
															c->member->id);

	/* the locked row knows of a removal that the cache may not have seen */
	return conf->role >= POOL_ROLE_MEMBER &&
		c->quota->status != POOL_MEMBER_REMOVED;
}

static bool
is_active(const PoolClaimCase *c, PoolBound *bound)
{
	return c->quota->status == POOL_MEMBER_ACTIVE ||
		c->quota->status == POOL_MEMBER_REMOVED;
}

static bool
is_enabled(const PoolClaimCase *c, PoolBound *bound)
{
	return c->pool->enabled;
}

static bool
is_not_cooling_down(const PoolClaimCase *c, PoolBound *bound)
{
	return !pool_cooling_down(c->work, c->lead, c->member->id, c->now,
							  &bound->retry_at);
}

/* Leads of one customer have one owner. */
static bool
is_of_free_group(const PoolClaimCase *c, PoolBound *bound)
{
	return pool_group_look(c->work, c->lead->group_id, c->member->id) ==
		POOL_GROUP_FREE;
}

static bool
is_late_enough(const PoolClaimCase *c, PoolBound *bound)
{
	return !pool_quota_interval_bound(c->quota, c->now, bound);
}

static bool
is_below_claim_limit(const PoolClaimCase *c, PoolBound *bound)
{
	return !pool_quota_claim_bound(c->quota, c->now, bound);
}

static bool
is_below_hold_limit(const PoolClaimCase *c, PoolBound *bound)
{
	return !pool_quota_hold_bound(c->set, c->quota, bound);
}

const PoolClaimTest pool_claim_tests[] = {
	{"available", "not_available", true, is_available},
	{"membership", "not_member", false, is_member},
	{"active", "away", false, is_active},
	{"pool_enabled", "pool_disabled", false, is_enabled},
	{"cooldown", "cooldown", true, is_not_cooling_down},
	{"identity", "identity_owned", true, is_of_free_group},
	{"claim_interval", "too_soon", false, is_late_enough},
	{"claim_limit", "claim_limit", false, is_below_claim_limit},
	{"hold_limit", "hold_limit", false, is_below_hold_limit}
};
const int	pool_claim_test_count = lengthof(pool_claim_tests);

static const PoolClaimTest *
first_failing(const PoolClaimCase *c, bool of_member, bool of_lead,
			  PoolBound *bound)
{
	for (int i = 0; i < pool_claim_test_count; i++)
	{
		const PoolClaimTest *test = &pool_claim_tests[i];

		if (test->of_lead ? !of_lead : !of_member)
			continue;
		*bound = (PoolBound)
		{
			POOL_NO_LIMIT, POOL_NO_LIMIT, POOL_NO_TIME
		};
		if (!test->passes(c, bound))
			return test;
	}
	return NULL;
}

/* The first test that fails whatever the lead; NULL if none does. */
const PoolClaimTest *
pool_claim_check_member(const PoolClaimCase *c, PoolBound *bound)
{
	return first_failing(c, true, false, bound);
}

/* The first test that fails because of this lead. */
const PoolClaimTest *
pool_claim_check_lead(const PoolClaimCase *c, PoolBound *bound)
{
	return first_failing(c, false, true, bound);
}

/* The first test of all that fails. */
const PoolClaimTest *
pool_claim_check(const PoolClaimCase *c, PoolBound *bound)
{
	return first_failing(c, true, true, bound);
}

static bool
is_one_of(const char *kind, const char *const *kinds, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* Whose spell the event in the slot has ended; 0 if nobody's. */
static int32
ended_spell_of(TupleTableSlot *event)
{
	static const char *const endings[] = {
		"released", "reclaimed", "converted", "archived", "erased"
	};
	bool		isnull;
	char	   *kind = TextDatumGetCString(slot_getattr(event, EVENT_KIND,
														&isnull));
	Datum		value;

	if (is_one_of(kind, endings, lengthof(endings)))
	{
		value = slot_getattr(event, EVENT_MEMBER_ID, &isnull);
		return isnull ? 0 : DatumGetInt32(value);
	}
	if (strcmp(kind, "transferred") != 0)
		return 0;
	value = slot_getattr(event, EVENT_DETAIL, &isnull);
	return isnull ? 0 : pool_detail_get_int(DatumGetJsonbP(value), "from");
}

/*
 * When the member's latest spell on this lead ended, POOL_NO_TIME if none did
 * since then.  Walks the lead's events backwards.
 */
static TimestampTz
last_spell_end(PoolWork *work, int64 lead_id, int32 member_id,
			   TimestampTz since)
{
	PoolTable  *events = pool_work_table(work, POOL_EVENT);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = pool_index_scan(events->rel,
										 pool_work_index(events, POOL_EVENT_PKEY),
										 snapshot, &pool_key_int8(lead_id), 1);
	TimestampTz result = POOL_NO_TIME;

	while (index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		TimestampTz at = DatumGetTimestampTz(slot_getattr(events->old, EVENT_AT,
														  &isnull));

		if (at < since)
			break;
		if (ended_spell_of(events->old) == member_id)
		{
			result = at;
			break;
		}
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

/*
 * Whether the pool's cooldown still bars the member from this lead, and until
 * when: a spell of his ended less than that ago, however it ended and whoever
 * has held the lead since.
 */
bool
pool_cooling_down(PoolWork *work, const PoolLead *lead, int32 member_id,
				  TimestampTz now, TimestampTz *until)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	TimestampTz since;
	TimestampTz ended_at;

	*until = POOL_NO_TIME;
	if (pool->cooldown == NULL || lead->claims == 0)
		return false;
	since = pool_time_subtract(now, pool->cooldown, pool->zone);
	/* by the calendar, adding and subtracting may differ by a little */
	since -= USECS_PER_DAY * 4;
	ended_at = last_spell_end(work, lead->id, member_id, since);
	if (ended_at == POOL_NO_TIME)
		return false;
	*until = pool_time_add(ended_at, pool->cooldown, pool->zone);
	return *until > now;
}
