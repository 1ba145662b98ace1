/*
 * table.h
 *	  Direct access to the extension's tables.
 */
#ifndef POOL_TABLE_H
#define POOL_TABLE_H

#include "compat.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog.h"
#include "nodes/execnodes.h"
#include "snapshot.h"

/*
 * An open table.  `old` holds the row version last fetched or locked, with its
 * page pinned; `new` is where the next version is built.
 */
typedef struct PoolTable
{
	PoolTableId id;
	Relation	rel;
	EState	   *estate;			/* NULL: open for reading only */
	ResultRelInfo *target;		/* NULL: not written to so far */
	EPQState   *epq;
	List	   *indexes;		/* those opened for reading so far */
	TupleTableSlot *old;
	TupleTableSlot *new;
	BlockNumber n_blocks;		/* at least; it cannot shrink meanwhile */
	struct place_hash *places;	/* see place.c; NULL = none so far */
	struct PoolWork *work;		/* what it was opened for */
} PoolTable;

/*
 * The tables one SQL call works on.  Opened on first use; one executor state
 * and one trigger query level for all of them.
 */
typedef struct PoolWork
{
	EState	   *estate;			/* NULL: for reading only */
	PoolTable  *tables[POOL_TABLE_COUNT];
	struct PoolAttachNotes *notes;	/* leads that tables follow, or NULL */
	void		(*at_end) (struct PoolAttachNotes *notes);
} PoolWork;

/* An equality key of an index scan. */
typedef struct PoolKey
{
	Oid			type;			/* INT4OID, INT8OID, TEXTOID or UUIDOID */
	Datum		value;
} PoolKey;

extern PoolWork *pool_work_begin(void);
extern PoolWork *pool_work_begin_reading(void);
extern PoolTable *pool_work_table(PoolWork *work, PoolTableId id);
extern Relation pool_work_index(PoolTable *table, PoolIndexId id);
extern bool pool_index_unused(PoolIndexId id);
extern bool pool_work_index_unused(PoolTable *table, PoolIndexId id);
extern void pool_work_end(PoolWork *work);

extern IndexScanDesc pool_index_scan(Relation rel, Relation index,
									 Snapshot snapshot,
									 const PoolKey *keys, int nkeys);
extern bool pool_table_find(PoolTable *table, PoolIndexId index,
							Snapshot snapshot,
							const PoolKey *keys, int nkeys);
extern bool pool_table_fetch(PoolTable *table, ItemPointer tid,
							 Snapshot snapshot);
extern TM_Result pool_table_lock(PoolTable *table, ItemPointer tid,
								 Snapshot snapshot, LockWaitPolicy wait);
extern void pool_table_insert(PoolTable *table,
							  const Datum *values, const bool *nulls);
extern void pool_table_update(PoolTable *table,
							  const Datum *values, const bool *nulls);
extern TM_Result pool_table_try_update(PoolTable *table, const Datum *values,
									   const bool *nulls);
extern void pool_table_delete(PoolTable *table);
extern pool_noreturn void pool_report_serialization(void);

#define pool_key_int4(v) ((PoolKey) {INT4OID, Int32GetDatum(v)})
#define pool_key_int8(v) ((PoolKey) {INT8OID, Int64GetDatum(v)})
#define pool_key_text(v) ((PoolKey) {TEXTOID, (v)})

#endif							/* POOL_TABLE_H */
