/*
 * lock.h
 *	  Locks of what is no row.
 */
#ifndef POOL_LOCK_H
#define POOL_LOCK_H

#include "catalog.h"
#include "storage/lockdefs.h"

extern bool pool_lock_try(PoolTableId about, int32 id);
extern bool pool_lock_extension(LOCKMODE mode);

#endif							/* POOL_LOCK_H */
