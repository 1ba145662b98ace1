/*
 * strategy.h
 *	  Choosing an owner among those who may receive a lead.
 */
#ifndef POOL_STRATEGY_H
#define POOL_STRATEGY_H

#include "config.h"

/* One who may receive the lead. */
typedef struct PoolContender
{
	int			index;			/* whose he is, for the caller */
	uint32		lot;			/* decides among those never served */
	double		weight;			/* above 0 */
	double		score;			/* what performance and best_match rate */
	int32		held;
	double		owed;			/* leads a newcomer is to get before others */
	int64		last_no;		/* number of the last lead he got, 0 = none */
	double		credit;			/* leads he is due by turns; updated */
} PoolContender;

typedef struct PoolChoice
{
	PoolContender *chosen;
	bool		early;			/* as a newcomer, before the others' turn */
	double		probability;	/* his share of the leads like this one */
	bool		by_turn;		/* credits have changed */
} PoolChoice;

extern PoolChoice pool_strategy_choose(PoolStrategy strategy,
									   PoolContender *contenders, int n,
									   double draw);

#endif							/* POOL_STRATEGY_H */
