/*
 * member_fact.h
 *	  A tick's task: what conditions on members see of their results.
 */
#ifndef POOL_MEMBER_FACT_H
#define POOL_MEMBER_FACT_H

#include "tick.h"

extern bool pool_fact_wanted(void);
extern PoolTickResult pool_fact_run(int max_leads, TimestampTz now);

#endif							/* POOL_MEMBER_FACT_H */
