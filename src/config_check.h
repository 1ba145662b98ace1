/*
 * config_check.h
 *	  What a row of the configuration tables must be like.
 */
#ifndef POOL_CONFIG_CHECK_H
#define POOL_CONFIG_CHECK_H

#include "postgres.h"

#include "access/htup.h"
#include "utils/rel.h"

/* A row about to be written, and the one it replaces. */
typedef struct CheckedRow
{
	Relation	rel;
	HeapTuple	new;
	HeapTuple	old;			/* NULL: an INSERT */
	TupleDesc	desc;
} CheckedRow;

extern Datum config_check_column(const CheckedRow *row, int attnum,
								 bool *isnull);
extern const char *config_check_name(const CheckedRow *row, int attnum);
extern bool config_check_is_null(const CheckedRow *row, int attnum);
extern int32 config_check_id(const CheckedRow *row, HeapTuple tuple,
							 int attnum);
extern void config_check_span(const CheckedRow *row, int attnum, Datum value);

extern void config_check_timer(const CheckedRow *row);
extern void config_check_constraints(const CheckedRow *row);

#endif							/* POOL_CONFIG_CHECK_H */
