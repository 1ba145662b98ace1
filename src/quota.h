/*
 * quota.h
 *	  Counters of a member in a pool, which are also his lock.
 */
#ifndef POOL_QUOTA_H
#define POOL_QUOTA_H

#include "config.h"
#include "table.h"

typedef enum PoolMemberStatus
{
	POOL_MEMBER_ACTIVE,
	POOL_MEMBER_AWAY,
	POOL_MEMBER_GONE,			/* leaving or left */
	POOL_MEMBER_REMOVED			/* no longer in this pool */
} PoolMemberStatus;

/* A locked row of membership_state. */
typedef struct PoolQuota
{
	int32		pool_id;
	int32		member_id;
	int32		tenant_id;
	int64		spells;
	int64		day_event;		/* 0 = NULL */
	TimestampTz day_until;
	TimestampTz last_claim_at;
	TimestampTz previous_claim_at;	/* last_claim_at before this call */
	int32		held;
	int32		claimed;
	DateADT		day;			/* DATEVAL_NOBEGIN = NULL */
	PoolMemberStatus status;
	int32		member_limit;	/* member.hold_limit, over all his pools */
	Datum		status_text;
	ItemPointerData tid;
	int			changes;		/* made and not taken back; 0 = as stored */
} PoolQuota;

/*
 * The counters one call needs, locked together in ascending order of pool and
 * member: a tick goes on from pool to pool.
 */
typedef struct PoolQuotaSet PoolQuotaSet;

/* Holdings over all pools of a member who may gain leads by this call. */
typedef struct PoolMemberTotal
{
	int32		member_id;
	int32		limit;
	int32		held;
} PoolMemberTotal;

/* A limit that binds. */
typedef struct PoolBound
{
	int32		limit;
	int32		used;
	TimestampTz retry_at;		/* POOL_NO_TIME = time alone will not help */
} PoolBound;

#define POOL_NO_BOUND \
	((PoolBound) {POOL_NO_LIMIT, POOL_NO_LIMIT, POOL_NO_TIME})

extern void pool_quota_init(void);
extern bool pool_quota_any_held(void);
extern void pool_quota_note_held(void);
extern PoolQuotaSet *pool_quota_begin(PoolWork *work, Snapshot snapshot);
extern void pool_quota_add(PoolQuotaSet *set, int32 pool_id, int32 member_id,
						   bool receives);
extern bool pool_quota_try_lock(PoolQuotaSet *set, int32 pool_id,
								int32 member_id, bool receives);
extern void pool_quota_lock(PoolQuotaSet *set);
extern void pool_quota_peek(PoolQuotaSet *set);
extern PoolQuota *pool_quota_get(PoolQuotaSet *set, int32 pool_id,
								 int32 member_id);
extern void pool_quota_write(PoolQuotaSet *set);
extern PoolMemberTotal *pool_quota_total(PoolQuotaSet *set, int32 member_id);

/* quota_limit.c */
extern bool pool_quota_hold_bound(PoolQuotaSet *set, PoolQuota *quota,
								  PoolBound *bound);
extern bool pool_quota_claim_bound(PoolQuota *quota, TimestampTz now,
								   PoolBound *bound);
extern bool pool_quota_interval_bound(PoolQuota *quota, TimestampTz now,
									  PoolBound *bound);
extern int	pool_quota_room(PoolQuotaSet *set, PoolQuota *quota,
							TimestampTz now);
extern void pool_quota_gain(PoolQuotaSet *set, PoolQuota *quota);
extern void pool_quota_lose(PoolQuotaSet *set, PoolQuota *quota);
extern void pool_quota_regain(PoolQuotaSet *set, PoolQuota *quota);
extern void pool_quota_count_claim(PoolQuota *quota, int64 event_id,
								   TimestampTz now);

#endif							/* POOL_QUOTA_H */
