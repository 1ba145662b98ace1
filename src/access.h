/*
 * access.h
 *	  Who calls, for whom, and what he may.
 */
#ifndef POOL_ACCESS_H
#define POOL_ACCESS_H

#include "config.h"
#include "fmgr.h"

/*
 * On whose behalf an operation runs.  member_id 0 is a service (or superuser)
 * that acts for nobody in particular.
 */
typedef struct PoolActor
{
	int32		member_id;
	int32		tenant_id;		/* 0 = whatever the role may see */
} PoolActor;

extern void pool_access_init(void);

/* the caller */
extern int32 pool_caller_member(void);
extern bool pool_role_is_service(Oid role);
extern bool pool_caller_is_service(void);
extern bool pool_caller_sees_tenant(int32 tenant_id);
extern void pool_require_all_tenants(const char *function);

/* names given as arguments; errors PO001, PO002 */
extern const PoolConf *pool_resolve_pool(text *name);
extern const PoolMemberConf *pool_resolve_member(text *name);

/* the member or actor argument; errors PO002, PO004 */
extern const PoolMemberConf *pool_resolve_self(FunctionCallInfo fcinfo,
											   int argno);
extern PoolActor pool_resolve_actor(FunctionCallInfo fcinfo, int argno);
extern PoolActor pool_resolve_operator(FunctionCallInfo fcinfo, int argno);

/* rights */
extern bool pool_actor_sees(const PoolActor *actor, int32 tenant_id);
extern bool pool_actor_manages(const PoolActor *actor, int32 pool_id);
extern void pool_require_manager(const PoolActor *actor, int32 pool_id);

#endif							/* POOL_ACCESS_H */
