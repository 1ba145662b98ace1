/*
 * bulk.c
 *	  INSERT of many rows.
 *
 * Rows are passed to the executor as arrays, which cannot exceed 1 GB, so they go
 * in chunks; memory is needed for one chunk only.  The order of the rows is
 * kept.
 */
#include "compat.h"
#include "bulk.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define CHUNK_BYTES (1024 * 1024)	/* a chunk ends with the row that fills it */
#define CHUNK_ROWS 10000

static void
prepare_insert(PoolInsert *insert)
{
	Oid			types[POOL_BULK_COLUMNS];

	for (int c = 0; c < insert->n_columns; c++)
		types[c] = get_array_type(insert->types[c]);
	insert->plan = SPI_prepare(insert->command, insert->n_columns, types);
	if (insert->plan == NULL || SPI_keepplan(insert->plan) != 0)
		elog(ERROR, "could not prepare a statement: %s",
			 SPI_result_code_string(SPI_result));
}

/*
 * Begins to insert n rows in all.  Until the end, what the caller allocates for
 * a row lives as long as the row's chunk.
 */
void
pool_bulk_begin(PoolBulk *bulk, PoolInsert *insert, int n)
{
	memset(bulk, 0, sizeof(PoolBulk));
	bulk->insert = insert;
	bulk->sql = pool_sql_begin();
	if (insert->plan == NULL)
		prepare_insert(insert);
	n = Min(n, CHUNK_ROWS);
	for (int c = 0; c < insert->n_columns; c++)
	{
		bulk->columns[c] = palloc(n * sizeof(Datum));
		bulk->nulls[c] = palloc(n * sizeof(bool));
		bulk->varlena[c] = get_typlen(insert->types[c]) == -1;
	}
	bulk->context = AllocSetContextCreate(CurrentMemoryContext, "chunk",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(bulk->context);
}

static void
flush_chunk(PoolBulk *bulk)
{
	PoolInsert *insert = bulk->insert;
	Datum		values[POOL_BULK_COLUMNS];
	int			bounds[1] = {1};
	int			rc;

	for (int c = 0; c < insert->n_columns; c++)
	{
		bool		byval;
		char		align;
		int16		len;

		get_typlenbyvalalign(insert->types[c], &len, &byval, &align);
		values[c] = PointerGetDatum(construct_md_array(bulk->columns[c],
													   bulk->nulls[c], 1,
													   &bulk->n, bounds,
													   insert->types[c], len,
													   byval, align));
	}
	rc = SPI_execute_plan(insert->plan, values, NULL, false, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(rc));
	bulk->inserted += SPI_processed;
	bulk->n = 0;
	bulk->bytes = 0;
	MemoryContextReset(bulk->context);
	MemoryContextSwitchTo(bulk->context);
}

/* A row; 0 in a column of variable length is NULL. */
void
pool_bulk_put(PoolBulk *bulk, const Datum *row)
{
	PoolInsert *insert = bulk->insert;

	CHECK_FOR_INTERRUPTS();
	for (int c = 0; c < insert->n_columns; c++)
	{
		bulk->columns[c][bulk->n] = row[c];
		bulk->nulls[c][bulk->n] = bulk->varlena[c] && row[c] == 0;
		if (bulk->varlena[c] && row[c] != 0)
			bulk->bytes += VARSIZE_ANY(DatumGetPointer(row[c]));
	}
	bulk->n++;
	if (bulk->n == CHUNK_ROWS || bulk->bytes >= CHUNK_BYTES)
		flush_chunk(bulk);
}

/* Returns how many rows were inserted: those that met no conflict. */
uint64
pool_bulk_end(PoolBulk *bulk)
{
	if (bulk->n > 0)
		flush_chunk(bulk);
	pool_sql_end(bulk->sql);
	return bulk->inserted;
}
