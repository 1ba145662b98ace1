/*
 * index_entry.h
 *	  Entries of a row's next version in the indexes of its table.
 */
#ifndef POOL_INDEX_ENTRY_H
#define POOL_INDEX_ENTRY_H

#include "table.h"

extern List *pool_index_entry_add(PoolTable *table, TU_UpdateIndexes which);

#endif							/* POOL_INDEX_ENTRY_H */
