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

#endif							/* POOL_SQL_H */
