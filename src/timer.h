/*
 * timer.h
 *	  Leads that time acts on.
 */
#ifndef POOL_TIMER_H
#define POOL_TIMER_H

#include "tick.h"

extern PoolTickResult pool_timer_run(int max_leads, TimestampTz now);

#endif							/* POOL_TIMER_H */
