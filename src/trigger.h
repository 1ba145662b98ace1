/*
 * trigger.h
 *	  What all trigger functions begin with, and what those of others may not do.
 */
#ifndef POOL_TRIGGER_H
#define POOL_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"
#include "sql.h"
#include "utils/rel.h"

extern TriggerData *pool_trigger_data(FunctionCallInfo fcinfo);
extern void pool_trigger_check_written(Relation rel, bool written);
extern pool_noreturn void pool_trigger_report_missing(Oid relid);

/* SQL about the rows of a statement, in the latest snapshot */
extern PoolSql pool_trigger_begin(TriggerData *data);
extern uint64 pool_trigger_run(const char *command);
extern char *pool_trigger_value(void);

#endif							/* POOL_TRIGGER_H */
