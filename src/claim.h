/*
 * claim.h
 *	  Members take leads.
 */
#ifndef POOL_CLAIM_H
#define POOL_CLAIM_H

#include "result.h"

extern const char *pool_claim_grant(PoolCall *call, PoolQuotaSet *set,
									PoolLead *lead, int32 member_id,
									TimestampTz now);

#endif							/* POOL_CLAIM_H */
