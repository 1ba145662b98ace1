/*
 * decide.h
 *	  Requests are decided, by managers or by time.
 */
#ifndef POOL_DECIDE_H
#define POOL_DECIDE_H

#include "tick.h"

extern PoolTickResult pool_decide_run(int max, TimestampTz now);

#endif							/* POOL_DECIDE_H */
