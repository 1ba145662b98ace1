/*
 * claim_test.h
 *	  Whether a member may claim a lead: the tests, in their order.
 */
#ifndef POOL_CLAIM_TEST_H
#define POOL_CLAIM_TEST_H

#include "cooldown.h"
#include "lead.h"
#include "quota.h"

/*
 * A member looks at a lead (or, with lead NULL, at a pool).  Documents are
 * made when a rule asks for them; pool_claim_look_at() names the next lead.
 */
typedef struct PoolClaimCase
{
	PoolWork   *work;
	const PoolConf *pool;
	const PoolMemberConf *member;
	PoolQuotaSet *set;
	PoolQuota  *quota;			/* of the member in the pool */
	const PoolLead *lead;
	TimestampTz now;
	bool		approved;		/* a manager grants it just now */
	const char *rule;			/* why the last test failed; NULL = no rule */
	bool		kept;			/* because it is reserved for another */
	MemoryContext scratch;		/* of the lead's document; NULL = none yet */
	Jsonb	   *document;
	Jsonb	   *member_document;
	int32		member_held;	/* what it was made for, as the next */
	int32		member_pool_id;
} PoolClaimCase;

typedef struct PoolClaimTest
{
	const char *name;
	const char *outcome;		/* when it fails */
	bool		of_lead;		/* needs the lead */
	bool		reads;			/* more than the lead's own row */
	bool		(*passes) (PoolClaimCase *c, PoolBound *bound);
} PoolClaimTest;

extern const PoolClaimTest pool_claim_tests[];
extern const int pool_claim_test_count;

extern void pool_claim_look_at(PoolClaimCase *c, const PoolLead *lead);
extern Jsonb *pool_claim_shown_document(PoolClaimCase *c);
extern bool pool_claim_needs_approval(PoolClaimCase *c);
extern const PoolClaimTest *pool_claim_check_member(PoolClaimCase *c,
													PoolBound *bound);
extern const PoolClaimTest *pool_claim_check_lead(PoolClaimCase *c,
												  PoolBound *bound);
extern const char *pool_claim_judge(PoolClaimCase *c, const PoolLead *lead,
									PoolBound *bound);
extern bool pool_claim_peek(const PoolClaimCase *c, int64 id,
							PoolLead *lead);
extern void pool_claim_lock_counters(PoolClaimCase *c, Snapshot snapshot,
									 const int64 *ids, int n);

#endif							/* POOL_CLAIM_TEST_H */
