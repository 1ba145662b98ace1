/*
 * routing_wait.h
 *	  Leads that wait to be routed.
 */
#ifndef POOL_ROUTING_WAIT_H
#define POOL_ROUTING_WAIT_H

#include "route.h"
#include "tick.h"

extern int32 pool_wait_excluded(PoolWork *work, int64 lead_id);
extern void pool_wait_note(PoolWork *work, const PoolLead *lead,
						   const PoolRouted *routed, int32 excluded_id,
						   TimestampTz now);
extern void pool_wait_returned(PoolWork *work, const PoolLead *lead,
							   int32 excluded_id);
extern PoolTickResult pool_routing_run(int max_leads, TimestampTz now);

#endif							/* POOL_ROUTING_WAIT_H */
