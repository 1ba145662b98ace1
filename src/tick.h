/*
 * tick.h
 *	  Everything that time makes due, task by task.
 */
#ifndef POOL_TICK_H
#define POOL_TICK_H

#include "postgres.h"

#include "datatype/timestamp.h"

typedef struct PoolTickResult
{
	int64		done;
	bool		more;			/* call again */
} PoolTickResult;

extern void pool_tick_init(void);
extern const int pool_tick_task_count;
extern const char *pool_tick_task_name(int task);
extern PoolTickResult pool_tick_run(int task, int max_leads, TimestampTz now);
extern TimestampTz pool_tick_next(TimestampTz now, bool *overdue);

#endif							/* POOL_TICK_H */
