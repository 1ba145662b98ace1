/*
 * trigger.c
 *	  What all our trigger functions begin with, and what the triggers of others
 *	  must not do.
 */
#include "compat.h"
#include "trigger.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog.h"
#include "table.h"
#include "utils/rel.h"

/*
 * The call's context; 39P01 if the function was not called by a trigger, or by
 * one on a table that is not the extension's, whose columns it does not know.
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
 * Raises 27000 unless the row was written: a BEFORE ROW trigger has returned
 * NULL.  Core leaves such a row out silently, while others that belong to it are
 * written and the call reports success.
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

/*
 * A row that was to be inserted is not there, nor a row that conflicts with it:
 * either a BEFORE ROW trigger keeps it out (27000), or the conflicting row has
 * gone meanwhile or is not seen by the snapshot (40001).
 */
void
pool_trigger_report_missing(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);

	pool_trigger_check_written(rel, rel->trigdesc == NULL ||
							   !rel->trigdesc->trig_insert_before_row);
	table_close(rel, NoLock);
	pool_report_serialization();
}

/* The rows of the statement become the relations old_rows and new_rows. */
PoolSql
pool_trigger_begin(TriggerData *data)
{
	PoolSql		sql;

	if (!TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function for after a statement")));
	sql = pool_sql_begin();
	if (SPI_register_trigger_data(data) != SPI_OK_TD_REGISTER)
		elog(ERROR, "SPI_register_trigger_data failed");
	return sql;
}

/* Runs a command in the latest snapshot; returns the number of rows. */
uint64
pool_trigger_run(const char *command)
{
	return pool_sql_run_latest(command, 0, NULL, NULL);
}

/* The first column of the first row that pool_trigger_run() has returned. */
char *
pool_trigger_value(void)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}
