/*
 * route_entry.h
 *	  Routing what enters.
 */
#ifndef POOL_ROUTE_ENTRY_H
#define POOL_ROUTE_ENTRY_H

#include "entry.h"
#include "route.h"

extern PoolRoute *pool_route_entries_begin(PoolWork *work, PoolQuotaSet *set,
										   PoolEntry *entries, int n,
										   int32 actor_id);
extern void pool_route_entries(PoolRoute *route, PoolEntry *entries, int n,
							   TimestampTz now);

#endif							/* POOL_ROUTE_ENTRY_H */
