/*
 * bulk.h
 *	  INSERT of many rows.
 */
#ifndef POOL_BULK_H
#define POOL_BULK_H

#include "postgres.h"

#include "sql.h"

#define POOL_BULK_COLUMNS 8

/* An INSERT whose parameters are arrays of these types, one per column. */
typedef struct PoolInsert
{
	const char *command;
	int			n_columns;
	Oid			types[POOL_BULK_COLUMNS];
	SPIPlanPtr	plan;			/* kept for the session */
} PoolInsert;

/* Rows on their way into it. */
typedef struct PoolBulk
{
	PoolInsert *insert;
	PoolSql		sql;
	MemoryContext context;		/* of the present chunk */
	int			n;				/* rows of the present chunk */
	Size		bytes;
	uint64		inserted;		/* so far; the rest met a conflict */
	bool		varlena[POOL_BULK_COLUMNS];
	Datum	   *columns[POOL_BULK_COLUMNS];
	bool	   *nulls[POOL_BULK_COLUMNS];
} PoolBulk;

extern void pool_bulk_begin(PoolBulk *bulk, PoolInsert *insert, int n);
extern void pool_bulk_put(PoolBulk *bulk, const Datum *row);
extern uint64 pool_bulk_end(PoolBulk *bulk);

#endif							/* POOL_BULK_H */
