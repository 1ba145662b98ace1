/*
 * id_set.h
 *	  Sets of ids.
 */
#ifndef POOL_ID_SET_H
#define POOL_ID_SET_H

#include "utils/hsearch.h"

extern HTAB *pool_ids_create(MemoryContext context, int about);
extern bool pool_ids_add(HTAB *ids, int64 id);
extern bool pool_ids_has(HTAB *ids, int64 id);

#endif							/* POOL_ID_SET_H */
