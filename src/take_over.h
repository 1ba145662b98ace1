/*
 * take_over.h
 *	  Leads that come with a history: owned or closed before they enter.
 */
#ifndef POOL_TAKE_OVER_H
#define POOL_TAKE_OVER_H

#include "entry.h"
#include "event.h"
#include "quota.h"

extern bool pool_is_closed(const PoolEntry *entry);
extern TimestampTz pool_default_created_at(const PoolEntry *entry,
										   TimestampTz now);
extern void pool_take_over_check(const PoolEntry *entry, TimestampTz now);
extern const char *pool_take_over_owned(PoolWork *work, PoolQuotaSet *set,
										const PoolEntry *entry,
										int32 actor_id);
extern void pool_take_over_closed(PoolWork *work, const PoolEntry *entry,
								  PoolLead *lead, PoolEvent *event);

#endif							/* POOL_TAKE_OVER_H */
