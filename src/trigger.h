/*
 * trigger.h
 *	  What all trigger functions begin with.
 */
#ifndef POOL_TRIGGER_H
#define POOL_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"
#include "sql.h"

extern TriggerData *pool_trigger_data(FunctionCallInfo fcinfo);

/* SQL about the rows of a statement, in the latest snapshot */
extern PoolSql pool_trigger_begin(TriggerData *data);
extern uint64 pool_trigger_run(const char *command);
extern char *pool_trigger_value(void);

#endif							/* POOL_TRIGGER_H */
