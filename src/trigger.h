/*
 * trigger.h
 *	  What all trigger functions begin with.
 */
#ifndef POOL_TRIGGER_H
#define POOL_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"

extern TriggerData *pool_trigger_data(FunctionCallInfo fcinfo);

#endif							/* POOL_TRIGGER_H */
