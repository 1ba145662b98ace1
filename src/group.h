/*
 * group.h
 *	  Leads of one customer: who of the members may own them.
 */
#ifndef POOL_GROUP_H
#define POOL_GROUP_H

#include "table.h"

/* What a member who asks for a lead of the group meets. */
typedef enum PoolGroupVerdict
{
	POOL_GROUP_FREE,			/* nobody's, or his already */
	POOL_GROUP_OWNED,			/* another member owns a lead of it */
	POOL_GROUP_BUSY				/* a running transaction is deciding */
} PoolGroupVerdict;

/* A group of 0 is no group: free for all. */
extern void pool_group_create(PoolWork *work, int64 id, int32 tenant_id,
							  const char *scope, int32 owner_id);
extern PoolGroupVerdict pool_group_look(PoolWork *work, int64 id,
										int32 member_id);
extern int32 pool_group_owner(PoolWork *work, int64 id);
extern PoolGroupVerdict pool_group_try(PoolWork *work, int64 id,
									   int32 member_id);
extern const char *pool_group_scope(int32 pool_id);
extern const char *pool_group_refusal(PoolGroupVerdict verdict);
extern void pool_group_lock(PoolWork *work, int64 *ids, int n);
extern bool pool_group_may_pass(PoolWork *work, int64 id, int32 owner_id,
								int32 member_id, int n);

/* for lead.c: a lead of the group gets, loses, changes its owner */
extern void pool_group_gain(PoolWork *work, int64 id, int32 member_id);
extern void pool_group_lose(PoolWork *work, int64 id);
extern void pool_group_pass(PoolWork *work, int64 id, int32 member_id);

#endif							/* POOL_GROUP_H */
