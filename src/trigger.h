/*
 * trigger.h
 *	  What all trigger functions begin with, and what those of others may not do.
 */
#ifndef POOL_TRIGGER_H
#define POOL_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"

extern TriggerData *pool_trigger_data(FunctionCallInfo fcinfo);
extern void pool_trigger_check_written(Relation rel, bool written);

#endif							/* POOL_TRIGGER_H */
