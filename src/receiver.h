/*
 * receiver.h
 *	  Those whom the routing rules of a pool may give leads to.
 */
#ifndef POOL_RECEIVER_H
#define POOL_RECEIVER_H

#include "lead.h"
#include "quota.h"
#include "rule.h"

typedef struct PoolReceiver
{
	const PoolMemberConf *member;
	const PoolMembershipConf *membership;
	PoolQuota  *quota;			/* locked, unless only explained */
	int32		reserved;		/* leads that requests keep for him */
	bool		present;		/* belongs to the pool and is active */
	bool		full;			/* may not hold one lead more */
	Jsonb	   *document;		/* NULL = to be made */
} PoolReceiver;

/* All of a pool, by member id. */
typedef struct PoolReceivers
{
	PoolWork   *work;
	PoolQuotaSet *set;
	const PoolConf *pool;
	TimestampTz now;
	MemoryContext context;		/* what is kept lives here */
	PoolReceiver *items;
	int			n;
} PoolReceivers;

/* What a rule's condition on members says of each, as far as it was asked. */
typedef struct PoolMemberVerdicts PoolMemberVerdicts;

extern void pool_receivers_name(PoolQuotaSet *set, const PoolConf *pool);
extern PoolReceivers *pool_receivers_load(PoolWork *work, PoolQuotaSet *set,
										  const PoolConf *pool,
										  TimestampTz now);
extern void pool_receiver_count(PoolReceivers *receivers, PoolReceiver *r);
extern bool pool_receivers_full(const PoolReceivers *receivers);
extern PoolMemberVerdicts *pool_member_verdicts_begin(PoolReceivers *receivers,
													  const PoolCondition *condition);
extern PoolVerdict *pool_member_verdicts_for(PoolMemberVerdicts *verdicts,
											 Jsonb *document);
extern bool pool_member_verdicts_failed(const PoolMemberVerdicts *verdicts);
extern bool pool_member_meets(PoolMemberVerdicts *verdicts, PoolVerdict *row,
							  int i, Jsonb *document);
extern void pool_member_verdicts_forget(PoolMemberVerdicts *verdicts, int i);

#endif							/* POOL_RECEIVER_H */
