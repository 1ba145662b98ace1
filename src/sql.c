/*
 * sql.c
 *	  SQL run by the library itself, as the owner of the extension's tables.
 *
 * For what is neither hot nor per lead: roll-ups, checks, housekeeping.  The
 * search path is pinned and the user switched, because callers have no rights
 * on the tables and must not be able to slip in objects of their own.  An
 * error restores both at the end of the (sub)transaction.
 */
#include "sql.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "table.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "catalog/pg_class.h"

Oid
pool_sql_owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* The owner of the extension's tables. */
Oid
pool_sql_owner(void)
{
	return pool_sql_owner_of(pool_table_oid(POOL_LEAD_STATE));
}

/* The same as another role, with these flags of its security context. */
PoolSql
pool_sql_begin_as(Oid user, int context)
{
	PoolSql		sql;

	GetUserIdAndSecContext(&sql.saved_user, &sql.saved_context);
	SetUserIdAndSecContext(user, sql.saved_context |
						   SECURITY_LOCAL_USERID_CHANGE | context);
	sql.guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	return sql;
}

PoolSql
pool_sql_begin(void)
{
	return pool_sql_begin_as(pool_sql_owner(), 0);
}

void
pool_sql_end(PoolSql sql)
{
	SPI_finish();
	AtEOXact_GUC(true, sql.guc_level);
	SetUserIdAndSecContext(sql.saved_user, sql.saved_context);
}

/*
 * From here to pool_sql_end statements walk indexes.  Left alone, the planner
 * reads whole tables where bounds are known only at run time, or where most of
 * a small table is dead.
 */
void
pool_sql_walk_indexes(void)
{
	static const char *const settings[] = {
		"enable_seqscan", "enable_indexonlyscan", "jit"
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i], "off", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
}

/* Runs one command to its end; returns the number of rows. */
uint64
pool_sql_run(const char *command, int nargs, Oid *types, Datum *values,
			 const char *nulls)
{
	int			rc = SPI_execute_with_args(command, nargs, types, values,
										   nulls, false, 0);

	if (rc < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * The same of a command that is to see what has been committed until now, and
 * what this transaction has written, whatever the isolation level.
 */
uint64
pool_sql_run_latest(const char *command, int nargs, Oid *types, Datum *values)
{
	SPIPlanPtr	plan = SPI_prepare(command, nargs, types);
	int			rc;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	CommandCounterIncrement();
	rc = SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(),
							  InvalidSnapshot, false, true, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(rc));
	return SPI_processed;
}

Datum
pool_sql_datum(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}

/* A number; 0 for NULL, as ids have it. */
int32
pool_sql_int4(uint64 row, int column)
{
	bool		isnull;
	Datum		value = pool_sql_datum(row, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

int64
pool_sql_int8(uint64 row, int column)
{
	bool		isnull;
	Datum		value = pool_sql_datum(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}
