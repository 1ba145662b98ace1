/*
 * recheck.h
 *	  Timers of owned leads after a change of rules.
 */
#ifndef POOL_RECHECK_H
#define POOL_RECHECK_H

#include "tick.h"

extern PoolTickResult pool_recheck_run(int max_leads, TimestampTz now);

#endif							/* POOL_RECHECK_H */
