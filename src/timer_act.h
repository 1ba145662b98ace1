/*
 * timer_act.h
 *	  What timers do to one lead.
 */
#ifndef POOL_TIMER_ACT_H
#define POOL_TIMER_ACT_H

#include "batch.h"
#include "utils/jsonb.h"

/* Who is told of the leads of one pool, by PoolNotify; NULL = not looked up. */
typedef struct PoolTold
{
	Jsonb	   *keys[POOL_NOTIFY_PARENT_MANAGER + 1];
} PoolTold;

extern Jsonb *pool_told(PoolTold *told, PoolNotify notify,
						const PoolLead *lead);
extern void pool_timer_act(PoolBatch *batch, PoolBatchItem *item,
						   PoolTold *told);

#endif							/* POOL_TIMER_ACT_H */
