/*
 * tally.h
 *	  What events count for, added up.
 */
#ifndef POOL_TALLY_H
#define POOL_TALLY_H

#include "effect.h"
#include "result.h"

typedef struct PoolTally PoolTally;

typedef void (*PoolTallyAdd) (PoolTally *tally, const PoolEffect *effect);

extern PoolTally *pool_tally_begin(void);
extern void pool_tally_day(PoolTally *tally, const PoolEffect *effect);
extern void pool_tally_member(PoolTally *tally, const PoolEffect *effect);
extern void pool_tally_emit_days(PoolTally *tally, PoolCall *call);
extern void pool_tally_emit_members(PoolTally *tally, PoolCall *call);

#endif							/* POOL_TALLY_H */
