/*
 * installation.c
 *	  Which cluster and database the data lives in.
 *
 * Transaction ids of events are comparable only within one cluster, so every
 * home of the data has a generation of its own: a restored copy opens the next
 * one with its first event.  There the worker stays off until resume() says
 * that this copy is to live.
 */
#include "compat.h"
#include "installation.h"

#include "access.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "config.h"
#include "fmgr.h"
#include "job.h"
#include "miscadmin.h"
#include "sql.h"
#include "table.h"
#include "wake.h"

PG_FUNCTION_INFO_V1(pool_resume);

/* 0 = not looked up since the table last changed */
static int32 generation = 0;

void
pool_installation_forget(void)
{
	generation = 0;
}

/* Runs a query about this installation; NULL result is -1. */
static int32
query_installation(const char *query)
{
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {Int64GetDatum((int64) GetSystemIdentifier()),
	Int64GetDatum((int64) MyDatabaseId)};
	int32		result = -1;

	if (pool_sql_run(query, 2, types, values, NULL) > 0 &&
		SPI_tuptable != NULL)
	{
		bool		isnull;
		Datum		value = pool_sql_datum(0, 1, &isnull);

		if (!isnull)
			result = DatumGetInt32(value);
	}
	return result;
}

/* the row of this cluster and database, if the data lived nowhere else since */
#define OF_THIS \
	"system_identifier = $1 AND database_oid = $2" \
	" AND generation = (SELECT max(generation) FROM pool.installation)"

/*
 * Opens a generation for this home of the data: the first one of all lets the
 * worker run, a copy waits for resume().
 */
static int32
open_generation(void)
{
	int32		found;

	pool_sql_run("LOCK TABLE pool.installation IN SHARE ROW EXCLUSIVE MODE",
				 0, NULL, NULL, NULL);
	found = query_installation("SELECT generation FROM pool.installation"
							   " WHERE " OF_THIS);
	if (found >= 0)
		return found;
	return query_installation("INSERT INTO pool.installation AS i"
							  " (system_identifier, database_oid,"
							  "  generation, active)"
							  " SELECT $1, $2, coalesce(max(generation), 0) + 1,"
							  "  count(*) = 0 FROM pool.installation"
							  " ON CONFLICT (system_identifier, database_oid)"
							  " DO UPDATE SET generation = excluded.generation,"
							  "  since = now(), active = false"
							  " RETURNING generation");
}

/* The generation of events written here. */
int32
pool_generation(void)
{
	PoolSql		sql;
	int32		found;

	if (generation != 0)
		return generation;
	sql = pool_sql_begin();
	found = query_installation("SELECT generation FROM pool.installation"
							   " WHERE " OF_THIS);
	if (found < 0)
		found = open_generation();
	pool_sql_end(sql);
	generation = found;
	return generation;
}

/* Whether the data is at home here, so that the worker may run. */
bool
pool_installation_active(void)
{
	PoolSql		sql = pool_sql_begin();
	int32		found = query_installation("SELECT (NOT EXISTS ("
										   "SELECT FROM pool.installation)"
										   " AND NOT EXISTS ("
										   "SELECT FROM pool.lead_state)"
										   " OR EXISTS (SELECT"
										   " FROM pool.installation"
										   " WHERE active AND " OF_THIS
										   "))::integer");

	pool_sql_end(sql);
	return found == 1;
}

/*
 * SQL: this copy of the data is to live.  Lets the worker run, what crashed
 * the server included; true if it did not run before.
 */
Datum
pool_resume(PG_FUNCTION_ARGS)
{
	PoolSql		sql;
	bool		was_active;

	PreventCommandIfReadOnly("pool.resume()");
	PreventCommandDuringRecovery("pool.resume()");
	pool_config_refresh();
	pool_require_all_tenants("resume");
	pool_job_resume();
	pool_wake_now();
	was_active = pool_installation_active();
	(void) pool_generation();
	sql = pool_sql_begin();
	query_installation("UPDATE pool.installation SET active = true WHERE "
					   OF_THIS);
	pool_sql_end(sql);
	PG_RETURN_BOOL(!was_active);
}
