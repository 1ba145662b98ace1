/*
 * constraint.h
 *	  CHECK constraints and predicates of indexes prepared once per session.
 */
#ifndef POOL_CONSTRAINT_H
#define POOL_CONSTRAINT_H

#include "table.h"

extern void pool_constraint_init(void);
extern void pool_constraint_prepare(PoolTableId id, ResultRelInfo *target);
extern void pool_constraint_prepare_indexes(PoolTableId id,
											ResultRelInfo *target);

#endif							/* POOL_CONSTRAINT_H */
