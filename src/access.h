/*
 * access.h
 *	  Who calls, for whom, and what he may.
 */
#ifndef POOL_ACCESS_H
#define POOL_ACCESS_H

#include "config.h"

/* where nothing says otherwise; made when it is first needed */
#define POOL_DEFAULT_TENANT "default"

/*
 * On whose behalf an operation runs.  member_id 0 is a service (or superuser)
 * that acts for nobody in particular.
 */
typedef struct PoolActor
{
	int32		member_id;
	int32		tenant_id;		/* 0 = whatever the role may see */
} PoolActor;

typedef struct PoolActing PoolActing;

extern void pool_access_init(void);

/* for pool_acting_set: nobody, whatever member the login is */
#define POOL_ACTING_NOBODY (-1)

/* act_as(): until the transaction ends */
extern void pool_acting_set(int32 member_id);
extern PoolActing *pool_acting_suspend(void);
extern void pool_acting_restore(PoolActing *before);

/* the caller */
extern int32 pool_caller_member(void);
extern bool pool_role_is_service(Oid role);
extern bool pool_caller_is_service(void);
extern bool pool_role_sees_beyond(Oid role, int32 tenant_id);
extern bool pool_caller_sees_tenant(int32 tenant_id);
extern bool pool_caller_sees_all(void);
extern void pool_require_all_tenants(const char *function);

/* rights */
extern bool pool_actor_sees(const PoolActor *actor, int32 tenant_id);
extern PoolRole pool_actor_role(const PoolActor *actor, int32 pool_id);
extern bool pool_actor_manages(const PoolActor *actor, int32 pool_id);
extern void pool_require_manager(const PoolActor *actor, int32 pool_id);

#endif							/* POOL_ACCESS_H */
