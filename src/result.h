/*
 * result.h
 *	  One call of an SQL function: its guards, its rows, its request id.
 */
#ifndef POOL_RESULT_H
#define POOL_RESULT_H

#include "compat.h"

#include "data.h"
#include "event.h"
#include "fmgr.h"
#include "lead.h"
#include "nodes/pg_list.h"
#include "quota.h"
#include "resolve.h"
#include "table.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#define POOL_MAX_BATCH 10000
#define POOL_MAX_LABEL_LENGTH 200	/* characters */

typedef struct PoolCall
{
	FunctionCallInfo fcinfo;
	const char *function;
	PoolWork   *work;
	Snapshot	snapshot;		/* registered */
	Tuplestorestate *store;
	TupleDesc	desc;
	Datum	   *values;			/* the row being built, reset after each */
	bool	   *nulls;
	pg_uuid_t  *request_id;		/* NULL = none */
	int32		request_tenant;
	bytea	   *request_digest;
	List	   *request_rows;	/* of HeapTuple, for the log */
} PoolCall;

extern PoolCall *pool_call_begin(FunctionCallInfo fcinfo, const char *function);
extern PoolCall *pool_call_begin_reading(FunctionCallInfo fcinfo,
										 const char *function);
extern void pool_call_row(PoolCall *call);
extern void pool_call_result(PoolCall *call);
extern void pool_call_query(PoolCall *call, const char *query, int nargs,
							Oid *types, Datum *values);
extern Datum pool_call_end(PoolCall *call);

/* columns of the row being built, by number from 0; all start as NULL */
extern void pool_put(PoolCall *call, int column, Datum value);
extern void pool_put_text(PoolCall *call, int column, const char *value);
extern void pool_put_datum(PoolCall *call, int column, Datum value_or_0);
extern void pool_put_time(PoolCall *call, int column, TimestampTz at);
extern void pool_put_bound(PoolCall *call, int retry_column,
						   const PoolBound *bound);

/* arguments */
extern void pool_report_null(const char *name);
extern int	pool_arg_ids(PoolCall *call, int argno, int64 **ids);
extern int64 pool_arg_id(PoolCall *call, int argno);
extern text *pool_arg_text(PoolCall *call, int argno, const char *name);
extern Datum pool_arg_datum(PoolCall *call, int argno);
extern Datum pool_arg_short(PoolCall *call, int argno, int limit,
							const char *name);
extern const PoolConf *pool_arg_pool(PoolCall *call, int argno);
extern void pool_check_length(text *value, int limit, const char *name);

#endif							/* POOL_RESULT_H */
