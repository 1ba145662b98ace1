/*
 * entry_rule.h
 *	  What the entry rules of a pool make of a lead that asks to be let in.
 */
#ifndef POOL_ENTRY_RULE_H
#define POOL_ENTRY_RULE_H

#include "data.h"
#include "entry.h"

extern PoolData pool_entry_data(const PoolEntry *entry);
extern void pool_entry_judge(PoolEntry *entry, TimestampTz now,
							 MemoryContext scratch, List **reported);

#endif							/* POOL_ENTRY_RULE_H */
