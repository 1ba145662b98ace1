/*
 * trigger.c
 *	  What all trigger functions begin with.
 */
#include "compat.h"
#include "trigger.h"

#include "catalog/namespace.h"
#include "catalog.h"

/*
 * The call's context; 39P01 for a function that no trigger has called, or that
 * of a table that is not the extension's, of whose columns it knows nothing.
 */
TriggerData *
pool_trigger_data(FunctionCallInfo fcinfo)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		RelationGetNamespace(data->tg_relation) !=
		get_namespace_oid(POOL_SCHEMA_NAME, true))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function of pool_ext's own tables"),
				 errdetail("It depends on their columns."),
				 errhint("Write a trigger function of your own.")));
	return data;
}
