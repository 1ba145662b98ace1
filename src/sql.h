/*
 * sql.h
 *	  SQL run by the library itself, as the owner of the extension's tables.
 */
#ifndef POOL_SQL_H
#define POOL_SQL_H

#include "compat.h"

#include "executor/spi.h"

typedef struct PoolSql
{
	Oid			saved_user;
	int			saved_context;
	int			guc_level;
} PoolSql;

extern Oid	pool_sql_owner_of(Oid relid);
extern Oid	pool_sql_owner(void);
extern PoolSql pool_sql_begin(void);
extern PoolSql pool_sql_begin_as(Oid user, int context);
extern void pool_sql_end(PoolSql sql);
extern void pool_sql_walk_indexes(void);
extern uint64 pool_sql_run(const char *command, int nargs, Oid *types,
						   Datum *values, const char *nulls);
extern uint64 pool_sql_run_latest(const char *command, int nargs, Oid *types,
								  Datum *values);

/* what the last statement returned: rows from 0, columns from 1 */
extern Datum pool_sql_datum(uint64 row, int column, bool *isnull);
extern int32 pool_sql_int4(uint64 row, int column);
extern int64 pool_sql_int8(uint64 row, int column);

#endif							/* POOL_SQL_H */
