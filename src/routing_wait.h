/*
 * routing_wait.h
 *	  Leads that wait to be routed.
 */
#ifndef POOL_ROUTING_WAIT_H
#define POOL_ROUTING_WAIT_H

#include "route.h"

extern int32 pool_wait_excluded(PoolWork *work, const PoolLead *lead);
extern void pool_wait_note(PoolWork *work, const PoolLead *lead,
						   const PoolRouted *routed, int32 excluded_id,
						   TimestampTz now);
extern void pool_wait_for_another(PoolWork *work, const PoolLead *lead,
								  int32 excluded_id);
extern void pool_wait_returned(PoolWork *work, const PoolLead *lead,
							   int32 excluded_id);

#endif							/* POOL_ROUTING_WAIT_H */
