/*
 * reserve.h
 *	  Who has a key or an identity, where many leads ask at once.
 */
#ifndef POOL_RESERVE_H
#define POOL_RESERVE_H

#include "entry.h"

typedef struct PoolReserved PoolReserved;

extern PoolReserved *pool_reserve(PoolWork *work, PoolEntry *entries, int n);
extern int64 *pool_reserve_settle(PoolReserved *all);

#endif							/* POOL_RESERVE_H */
