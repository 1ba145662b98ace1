/*
 * quota_place.h
 *	  Where the counters of members were seen last.
 */
#ifndef POOL_QUOTA_PLACE_H
#define POOL_QUOTA_PLACE_H

#include "config.h"
#include "storage/itemptr.h"

/* By whomever, and by this session. */
#define POOL_QUOTA_PLACES 2

extern Size pool_quota_place_size(void);
extern void pool_quota_place_create(void);
extern int	pool_quota_places(const PoolMembershipKey *key,
							  ItemPointerData *places);
extern void pool_quota_place_note(const PoolMembershipKey *key,
								  ItemPointer tid, bool is_committed);

#endif							/* POOL_QUOTA_PLACE_H */
