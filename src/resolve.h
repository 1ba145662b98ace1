/*
 * resolve.h
 *	  Whom and what an argument names.
 */
#ifndef POOL_RESOLVE_H
#define POOL_RESOLVE_H

#include "access.h"
#include "fmgr.h"

/* names given as arguments; errors PO001, PO002 */
extern const PoolConf *pool_resolve_pool(text *name);
extern int32 pool_resolve_tenant(FunctionCallInfo fcinfo, int argno);
extern const PoolMemberConf *pool_resolve_member(text *name);

/* the member or actor argument; errors PO002, PO004 */
extern const PoolMemberConf *pool_resolve_self(FunctionCallInfo fcinfo,
											   int argno);
extern PoolActor pool_resolve_actor(FunctionCallInfo fcinfo, int argno);
extern PoolActor pool_resolve_operator(FunctionCallInfo fcinfo, int argno);

#endif							/* POOL_RESOLVE_H */
