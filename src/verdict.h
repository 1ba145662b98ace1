/*
 * verdict.h
 *	  What became, or would become, of each row of the last bulk entry.
 */
#ifndef POOL_VERDICT_H
#define POOL_VERDICT_H

#include "entry.h"

typedef struct PoolVerdicts PoolVerdicts;

extern void pool_verdict_init(void);
extern PoolVerdicts *pool_verdict_begin(MemoryContext parent);
extern void pool_verdict_put(PoolVerdicts *list, int row,
							 const PoolEntry *entry, int64 undone_from);
extern void pool_verdict_error(PoolVerdicts *list, int row, Datum key,
							   const char *message);
extern void pool_verdict_publish(PoolVerdicts *list, bool keep);

#endif							/* POOL_VERDICT_H */
