/*
 * visible.h
 *	  Whether the caller may know of a lead, and what of it.
 */
#ifndef POOL_VISIBLE_H
#define POOL_VISIBLE_H

#include "lead.h"

extern bool pool_lead_visible(PoolWork *work, const PoolLead *lead);
extern List *pool_lead_masked(PoolWork *work, const PoolLead *lead,
							  int32 member_id);
extern Datum pool_visible_tenants(int32 *first);
extern bool pool_is_masked(List *masked, const char *field);
extern bool pool_lead_key_visible(PoolWork *work, const PoolLead *lead);

#endif							/* POOL_VISIBLE_H */
