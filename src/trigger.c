/*
 * trigger.c
 *	  What all trigger functions begin with, and what those of others may not do.
 */
#include "compat.h"
#include "trigger.h"

#include "catalog/namespace.h"
#include "catalog.h"
#include "utils/rel.h"

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

/*
 * Where a trigger before the row returns NULL, core leaves the row out without
 * a word (27000): but others that belong to it are written, and all is said to
 * be done.
 */
void
pool_trigger_check_written(Relation rel, bool written)
{
	if (!written)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a trigger of table \"%s.%s\" keeps a row from being written",
						POOL_SCHEMA_NAME, RelationGetRelationName(rel)),
				 errdetail("A trigger before the row has returned NULL, which leaves the row out."),
				 errhint("Let the trigger return the row, or raise an error.")));
}
