/*
 * assign.h
 *	  Managers give leads to members.
 */
#ifndef POOL_ASSIGN_H
#define POOL_ASSIGN_H

#include "batch.h"

/* How leads are handed to a member. */
typedef struct PoolHanding
{
	PoolActor	actor;
	const PoolMemberConf *member;	/* who receives */
	const PoolConf *to_pool;	/* NULL = the lead's own */
	Datum		reason;
	int32		rule_id;		/* 0 = none */
	int64		run_id;			/* 0 = of no run, as the next */
	int64		undone_run;
	bool		approved;		/* whoever had to be asked has been */
	bool		estimated;		/* it happened elsewhere, and earlier */
	bool		together;		/* he gets all leads of the batch */
	int64	   *event_id;		/* receives that of a transfer; NULL = not
								 * asked for */
} PoolHanding;

extern const char *pool_assign_one(PoolBatch *batch, const PoolHanding *h,
								   PoolBatchItem *item);
extern const char *pool_transfer_one(PoolBatch *batch, const PoolHanding *h,
									 PoolBatchItem *item);
extern const char *pool_assign_again(PoolBatch *batch, PoolBatchItem *item,
									 int32 owner_id, int32 pool_id,
									 int64 undone_run, int64 *event_id);
extern const char *pool_refuse_receiver(PoolQuotaSet *set, PoolQuota *quota);
extern int64 pool_hand_lead(PoolWork *work, PoolQuotaSet *set,
							const PoolHanding *h, PoolQuota *quota,
							PoolLead *lead, TimestampTz now);

/* assign_entry.c */
extern const char *pool_assign_at_entry(PoolWork *work, PoolQuotaSet *set,
										int64 lead_id, int32 owner_id,
										int32 actor_id, TimestampTz now);
extern const char *pool_assign_taken_over(PoolWork *work, PoolQuotaSet *set,
										  int64 lead_id, int32 owner_id,
										  int32 actor_id, TimestampTz owned_at);

#endif							/* POOL_ASSIGN_H */
