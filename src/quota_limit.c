/*
 * quota_limit.c
 *	  What limits allow, and counting what is done.
 *
 * Pure but for the configuration: works on counters that quota.c has locked.
 */
#include "compat.h"
#include "quota.h"

static bool
bound_by(int32 limit, int32 used, TimestampTz retry_at, PoolBound *bound)
{
	if (limit == POOL_NO_LIMIT || used < limit)
		return false;
	bound->limit = limit;
	bound->used = used;
	bound->retry_at = retry_at;
	return true;
}

/* Whether the member may not hold one lead more in this pool, or at all. */
bool
pool_quota_hold_bound(PoolQuotaSet *set, PoolQuota *quota, PoolBound *bound)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);
	PoolMemberTotal *total = pool_quota_total(set, quota->member_id);

	return bound_by(conf->hold_limit, quota->held, POOL_NO_TIME, bound) ||
		(total != NULL &&
		 bound_by(total->limit, total->held, POOL_NO_TIME, bound));
}

/*
 * Opens the member's calendar day, if the last one has ended.  A zone changed
 * meanwhile opens none before; a clock that was set back opens that day anew.
 */
static void
open_day(PoolQuota *quota, TimestampTz now)
{
	pg_tz	   *zone = pool_config_member(quota->member_id)->zone;
	DateADT		day;

	if (quota->day_until != POOL_NO_TIME && now < quota->day_until &&
		!pool_clock_is_set())
		return;
	day = pool_local_day(now, zone);
	if (quota->day_until != POOL_NO_TIME && now < quota->day_until &&
		(day == quota->day || now >= quota->last_claim_at))
		return;
	quota->day = day;
	quota->day_until = pool_day_start(day + 1, zone);
	quota->day_event = 0;
	quota->claimed = 0;
}

bool
pool_quota_claim_bound(PoolQuota *quota, TimestampTz now, PoolBound *bound)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);

	open_day(quota, now);
	return bound_by(conf->claim_limit, quota->claimed, quota->day_until,
					bound);
}

/* Whether the member's last claim in this pool was too short a time ago. */
bool
pool_quota_interval_bound(PoolQuota *quota, TimestampTz now, PoolBound *bound)
{
	const PoolConf *pool = pool_config_pool(quota->pool_id);

	if (pool->claim_interval == NULL ||
		quota->previous_claim_at == POOL_NO_TIME)
		return false;
	*bound = POOL_NO_BOUND;
	bound->retry_at = pool_time_add(quota->previous_claim_at,
									pool->claim_interval, pool->zone);
	return now < bound->retry_at;
}

static int
room_below(int32 limit, int32 used, int room)
{
	return limit == POOL_NO_LIMIT ? room : Min(room, Max(limit - used, 0));
}

/* How many leads the member may claim in this pool just now. */
int
pool_quota_room(PoolQuotaSet *set, PoolQuota *quota, TimestampTz now)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);
	PoolMemberTotal *total = pool_quota_total(set, quota->member_id);
	int			room = INT_MAX;

	open_day(quota, now);
	room = room_below(conf->claim_limit, quota->claimed, room);
	room = room_below(conf->hold_limit, quota->held, room);
	if (total != NULL)
		room = room_below(total->limit, total->held, room);
	return room;
}

/* A spell begins. */
void
pool_quota_gain(PoolQuotaSet *set, PoolQuota *quota)
{
	PoolMemberTotal *total = pool_quota_total(set, quota->member_id);

	quota->held++;
	quota->spells++;
	quota->changes++;
	if (total != NULL)
		total->held++;
}

/* A spell ends. */
void
pool_quota_lose(PoolQuotaSet *set, PoolQuota *quota)
{
	PoolMemberTotal *total = pool_quota_total(set, quota->member_id);

	if (quota->held <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("counter of member %d in pool %d is below what he holds",
						quota->member_id, quota->pool_id),
				 errdetail("It says %d, and one of his leads is about to go.",
						   quota->held),
				 errhint("SELECT * FROM pool.verify() shows what differs.")));
	quota->held--;
	quota->changes++;
	if (total != NULL)
		total->held--;
}

/* Takes back pool_quota_lose: then nothing has to be written. */
void
pool_quota_regain(PoolQuotaSet *set, PoolQuota *quota)
{
	PoolMemberTotal *total = pool_quota_total(set, quota->member_id);

	quota->held++;
	quota->changes--;
	if (total != NULL)
		total->held++;
}

/* A claim event of this moment counts towards the day. */
void
pool_quota_count_claim(PoolQuota *quota, int64 event_id, TimestampTz now)
{
	open_day(quota, now);
	if (quota->day_event == 0)
		quota->day_event = event_id;
	quota->claimed++;
	quota->last_claim_at = now;
	quota->changes++;
}
