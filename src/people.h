/*
 * people.h
 *	  Members come and go.
 */
#ifndef POOL_PEOPLE_H
#define POOL_PEOPLE_H

#include "access.h"
#include "tick.h"

extern void pool_require_manager_of(const PoolActor *actor,
									const PoolMemberConf *member, bool all);
extern PoolTickResult pool_people_run(int max, TimestampTz now);

#endif							/* POOL_PEOPLE_H */
