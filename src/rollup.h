/*
 * rollup.h
 *	  Statistics kept up to date.
 */
#ifndef POOL_ROLLUP_H
#define POOL_ROLLUP_H

#include "tick.h"

extern PoolTickResult pool_rollup_run(int max_events, TimestampTz now);

#endif							/* POOL_ROLLUP_H */
