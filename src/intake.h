/*
 * intake.h
 *	  Leads enter: what is allowed, and who may.
 */
#ifndef POOL_INTAKE_H
#define POOL_INTAKE_H

#include "access.h"
#include "entry.h"

#define POOL_ERASED_KEY "erased:"
#define POOL_MAX_KEY_LENGTH 500 /* characters */
#define POOL_MAX_NAME_LENGTH 2000
#define POOL_MAX_ATTRIBUTES_LENGTH (1024 * 1024)	/* bytes */

extern void pool_check_entry(PoolEntry *entry);
extern void pool_check_entry_right(const PoolActor *actor,
								   const PoolConf *pool, int32 owner_id);
extern int32 pool_resolve_owner(const PoolConf *pool, text *name);
extern void pool_check_attributes(Datum attributes);
extern void pool_check_priority(int32 priority);
extern PoolActor pool_caller_as_actor(void);

#endif							/* POOL_INTAKE_H */
