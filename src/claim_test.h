/*
 * claim_test.h
 *	  Whether a member may claim a lead: the tests, in their order.
 */
#ifndef POOL_CLAIM_TEST_H
#define POOL_CLAIM_TEST_H

#include "lead.h"
#include "quota.h"

/* A member looks at a lead (or, with lead NULL, at a pool). */
typedef struct PoolClaimCase
{
	PoolWork   *work;
	const PoolConf *pool;
	const PoolMemberConf *member;
	PoolQuotaSet *set;
	PoolQuota  *quota;			/* of the member in the pool */
	const PoolLead *lead;
	TimestampTz now;
} PoolClaimCase;

typedef struct PoolClaimTest
{
	const char *name;
	const char *outcome;		/* when it fails */
	bool		of_lead;		/* needs the lead */
	bool		(*passes) (const PoolClaimCase *c, PoolBound *bound);
} PoolClaimTest;

extern const PoolClaimTest pool_claim_tests[];
extern const int pool_claim_test_count;

extern const PoolClaimTest *pool_claim_check_member(const PoolClaimCase *c,
													PoolBound *bound);
extern const PoolClaimTest *pool_claim_check_lead(const PoolClaimCase *c,
												  PoolBound *bound);
extern const PoolClaimTest *pool_claim_check(const PoolClaimCase *c,
											 PoolBound *bound);
extern List *pool_cooling_members(PoolWork *work, const PoolLead *lead,
								  TimestampTz now);
extern bool pool_cooling_down(PoolWork *work, const PoolLead *lead,
							  int32 member_id, TimestampTz now,
							  TimestampTz *until);

#endif							/* POOL_CLAIM_TEST_H */
