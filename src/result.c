/*
 * result.c
 *	  One call of an SQL function: its guards, its rows, its arguments.
 *
 * All rows are kept before the first is returned, so that a client that
 * fetches slowly or not to the end changes nothing.
 */
#include "result.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "id_set.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "request.h"
#include "sql.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

static PoolCall *
begin_call(FunctionCallInfo fcinfo, const char *function)
{
	PoolCall   *call = palloc0(sizeof(PoolCall));
	ReturnSetInfo *info;

	pool_config_refresh();
	/* edit() returns no row type but a text: then only the caller knows it */
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC | MAT_SRF_BLESS);
	info = (ReturnSetInfo *) fcinfo->resultinfo;
	call->fcinfo = fcinfo;
	call->function = function;
	call->store = info->setResult;
	call->desc = info->setDesc;
	call->values = palloc0(call->desc->natts * sizeof(Datum));
	call->nulls = palloc(call->desc->natts * sizeof(bool));
	memset(call->nulls, true, call->desc->natts * sizeof(bool));
	call->snapshot = RegisterSnapshot(pool_snapshot());
	return call;
}

/*
 * Starts a call that writes.  Refuses read-only transactions, standbys and
 * parallel mode as an SQL statement would be.
 */
PoolCall *
pool_call_begin(FunctionCallInfo fcinfo, const char *function)
{
	PoolCall   *call;
	char	   *name = psprintf("pool.%s()", function);

	PreventCommandIfReadOnly(name);
	PreventCommandDuringRecovery(name);
	PreventCommandIfParallelMode(name);
	/* from here on no pool with leads can go: config_trigger.c waits for us */
	LockRelationOid(pool_table_oid(POOL_LEAD_STATE), RowExclusiveLock);
	call = begin_call(fcinfo, function);
	call->work = pool_work_begin();
	return call;
}

/* Starts a call that only reads, on a standby too. */
PoolCall *
pool_call_begin_reading(FunctionCallInfo fcinfo, const char *function)
{
	PoolCall   *call = begin_call(fcinfo, function);

	call->work = pool_work_begin_reading();
	return call;
}

/* A copy of the row, for the request; it outlives the SQL it may come from. */
static void
remember_row(PoolCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(call));

	call->request_rows = lappend(call->request_rows,
								 heap_form_tuple(call->desc, call->values,
												 call->nulls));
	MemoryContextSwitchTo(old);
}

/* Emits the row built by pool_put and starts the next one. */
void
pool_call_row(PoolCall *call)
{
	if (call->request_id != NULL)
		remember_row(call);
	tuplestore_putvalues(call->store, call->desc, call->values, call->nulls);
	memset(call->nulls, true, call->desc->natts * sizeof(bool));
}

/*
 * Emits the rows returned by the statement that was just run, whose columns must
 * be those of the call.
 */
void
pool_call_result(PoolCall *call)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		for (int column = 0; column < call->desc->natts; column++)
		{
			bool		isnull;
			Datum		value = pool_sql_datum(i, column + 1, &isnull);

			if (!isnull)
				pool_put(call, column, value);
		}
		pool_call_row(call);
	}
}

/* Runs a query as the owner of the tables, and emits its rows. */
void
pool_call_query(PoolCall *call, const char *query, int nargs, Oid *types,
				Datum *values)
{
	PoolSql		sql = pool_sql_begin();

	pool_sql_run(query, nargs, types, values, NULL);
	pool_call_result(call);
	pool_sql_end(sql);
}

/* Stores the request's result and ends the call. */
Datum
pool_call_end(PoolCall *call)
{
	if (call->request_id != NULL)
		pool_request_store(call);
	UnregisterSnapshot(call->snapshot);
	pool_work_end(call->work);
	return (Datum) 0;
}

void
pool_put(PoolCall *call, int column, Datum value)
{
	call->values[column] = value;
	call->nulls[column] = false;
}

void
pool_put_text(PoolCall *call, int column, const char *value)
{
	if (value != NULL)
		pool_put(call, column, CStringGetTextDatum(value));
}

/* A datum of a pass-by-reference type, 0 for NULL. */
void
pool_put_datum(PoolCall *call, int column, Datum value)
{
	if (value != 0)
		pool_put(call, column, value);
}

void
pool_put_time(PoolCall *call, int column, TimestampTz at)
{
	if (at != POOL_NO_TIME)
		pool_put(call, column, TimestampTzGetDatum(at));
}

/* retry_at, limit_value and used, which always stand together */
void
pool_put_bound(PoolCall *call, int retry_column, const PoolBound *bound)
{
	pool_put_time(call, retry_column, bound->retry_at);
	if (bound->limit == POOL_NO_LIMIT)
		return;
	pool_put(call, retry_column + 1, Int32GetDatum(bound->limit));
	pool_put(call, retry_column + 2, Int32GetDatum(bound->used));
}

/* 22004 for an argument that has no default. */
void
pool_report_null(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" must not be null", name),
			 errdetail("It has no default, and the call cannot do without it."),
			 errhint("Only arguments that have a default may be left out.")));
}

/*
 * The lead ids of an array argument, each once, in the order given.  Raises
 * 22004 for NULLs, 22023 for more than POOL_MAX_BATCH.
 */
int
pool_arg_ids(PoolCall *call, int argno, int64 **ids)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	HTAB	   *seen;
	int			n;
	int			kept = 0;

	if (PG_ARGISNULL(argno))
		pool_report_null("leads");
	array = PG_GETARG_ARRAYTYPE_P(argno);
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, &n);
	if (n > POOL_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d leads in one call are too many", n),
				 errdetail("At most %d are allowed.", POOL_MAX_BATCH),
				 errhint("Split the leads over several calls.")));
	seen = pool_ids_create(CurrentMemoryContext, Max(n, 16));
	*ids = palloc(Max(n, 1) * sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		int64		id;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"leads\" must not contain nulls"),
					 errdetail("Element %d is null.", i + 1),
					 errhint("pool.lead_id() returns NULL for keys it does not know.")));
		id = DatumGetInt64(elements[i]);
		if (pool_ids_add(seen, id))
			(*ids)[kept++] = id;
	}
	hash_destroy(seen);
	return kept;
}

/* A lead's id, which must not be NULL. */
int64
pool_arg_id(PoolCall *call, int argno)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"lead\" must not be null"),
				 errdetail("It is the id of a lead."),
				 errhint("pool.lead_id() returns NULL for keys it does not know.")));
	return PG_GETARG_INT64(argno);
}

/* A text argument that must not be NULL. */
text *
pool_arg_text(PoolCall *call, int argno, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		pool_report_null(name);
	return PG_GETARG_TEXT_PP(argno);
}

/* An argument of a pass-by-reference type, 0 for NULL. */
Datum
pool_arg_datum(PoolCall *call, int argno)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	return PG_ARGISNULL(argno) ? (Datum) 0 : PG_GETARG_DATUM(argno);
}

/* A pool argument that may be NULL; PO001 if there is no such pool. */
const PoolConf *
pool_arg_pool(PoolCall *call, int argno)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		return NULL;
	return pool_resolve_pool(PG_GETARG_TEXT_PP(argno));
}

/* Raises 22023 for a text of more characters than the limit. */
void
pool_check_length(text *value, int limit, const char *name)
{
	int			length;

	if ((int) VARSIZE_ANY_EXHDR(value) <= limit)
		return;
	length = pg_mbstrlen_with_len(VARDATA_ANY(value),
								  VARSIZE_ANY_EXHDR(value));
	if (length > limit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" is too long", name),
				 errdetail("It has %d characters, at most %d are allowed.",
						   length, limit),
				 errhint("Pass a shorter text.")));
}

/* A text argument of bounded length, 0 for NULL. */
Datum
pool_arg_short(PoolCall *call, int argno, int limit, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		return (Datum) 0;
	pool_check_length(PG_GETARG_TEXT_PP(argno), limit, name);
	return PG_GETARG_DATUM(argno);
}
