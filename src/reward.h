/*
 * reward.h
 *	  A tick's task: points for results.
 */
#ifndef POOL_REWARD_H
#define POOL_REWARD_H

#include "tick.h"

extern PoolTickResult pool_reward_run(int max_events, TimestampTz now);

#endif							/* POOL_REWARD_H */
