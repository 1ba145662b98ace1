/*
 * score.h
 *	  How good members are: what performance and best_match go by.
 */
#ifndef POOL_SCORE_H
#define POOL_SCORE_H

#include "receiver.h"

typedef struct PoolScores PoolScores;

extern PoolScores *pool_scores_begin(PoolReceivers *receivers,
									 PoolStrategy strategy);
extern const double *pool_scores_for(PoolScores *scores,
									 const PoolData *data);

#endif							/* POOL_SCORE_H */
