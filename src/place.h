/*
 * place.h
 *	  Where rows have been found by their ids.
 */
#ifndef POOL_PLACE_H
#define POOL_PLACE_H

#include "table.h"

extern void pool_place_note(PoolTable *table, int64 id,
							const ItemPointerData *tid);
extern bool pool_place_fetch(PoolTable *table, int64 id, Snapshot snapshot);

#endif							/* POOL_PLACE_H */
