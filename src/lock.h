/*
 * lock.h
 *	  Locks of what is no row.
 */
#ifndef POOL_LOCK_H
#define POOL_LOCK_H

#include "catalog.h"

extern bool pool_lock_try(PoolTableId about, int32 id);

#endif							/* POOL_LOCK_H */
