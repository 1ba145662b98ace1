/*
 * trigger.c
 *	  What all trigger functions begin with.
 */
#include "compat.h"
#include "trigger.h"

/* The call's context; 39P01 for a function that no trigger has called. */
TriggerData *
pool_trigger_data(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function")));
	return (TriggerData *) fcinfo->context;
}
