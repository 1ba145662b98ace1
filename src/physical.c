/*
 * physical.c
 *	  Whether what is stored can be read, and is found: verify, level 4.
 *
 * Every table of the extension is read once from its beginning to its end, every
 * value of it, and once by each of its B-trees, in one snapshot: they must come
 * to the same rows.  What lies in no row that the snapshot sees, and the order
 * within an index, are left to pg_amcheck.
 */
#include "result.h"
#include "physical.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "attempt.h"
#include "catalog/pg_am.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "sql.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define TABLE_CHECK "table_readable"
#define INDEX_CHECK "index_complete"

/* Rows, without their order. */
typedef struct Sum
{
	uint64		rows;
	uint64		places;			/* of all rows, by exclusive or */
} Sum;

/* A table, and the index of it that is looked at. */
typedef struct Look
{
	PoolCall   *call;
	Relation	table;
	Relation	index;			/* NULL = the table itself */
	Sum			by_table;
	Sum			by_index;
} Look;

static void
emit(PoolCall *call, const char *check, Relation rel, const char *message)
{
	pool_put_text(call, 0, check);
	pool_put_text(call, 1, psprintf("%s %s", rel->rd_rel->relkind ==
									RELKIND_INDEX ? "index" : "table",
									RelationGetRelationName(rel)));
	pool_put_text(call, 2, message);
	pool_call_row(call);
}

static void
add(Sum *sum, ItemPointer tid)
{
	uint64		place = ((uint64) ItemPointerGetBlockNumber(tid) << 16) |
	ItemPointerGetOffsetNumber(tid);

	sum->rows++;
	sum->places ^= hash_bytes_extended((unsigned char *) &place,
									   sizeof(place), 0);
}

/* Every value of the row, out of line ones included. */
static void
read_values(TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
		if (!slot->tts_isnull[i] &&
			TupleDescAttr(slot->tts_tupleDescriptor, i)->attlen == -1)
		{
			Datum		value = slot->tts_values[i];
			struct varlena *plain = pg_detoast_datum((struct varlena *)
													 DatumGetPointer(value));

			if ((Pointer) plain != DatumGetPointer(value))
				pfree(plain);
		}
}

/* Reads the table, and counts the rows that the index, if any, should have. */
static void
read_table(void *arg)
{
	Look	   *look = arg;
	EState	   *estate = CreateExecutorState();
	ExprContext *context = GetPerTupleExprContext(estate);
	ExprState  *predicate = look->index == NULL ? NULL :
	ExecPrepareQual(RelationGetIndexPredicate(look->index), estate);
	TupleTableSlot *slot = table_slot_create(look->table, NULL);
	TableScanDesc scan = table_beginscan_strat(look->table,
											   look->call->snapshot, 0, NULL,
											   true, false);

	memset(&look->by_table, 0, sizeof(Sum));
	context->ecxt_scantuple = slot;
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (look->index == NULL)
			read_values(slot);
		if (ExecQual(predicate, context))
			add(&look->by_table, &slot->tts_tid);
		ResetExprContext(context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

static void
read_index(void *arg)
{
	Look	   *look = arg;
	TupleTableSlot *slot = table_slot_create(look->table, NULL);
	IndexScanDesc scan = pool_index_beginscan(look->table, look->index,
											  look->call->snapshot, 0);

	memset(&look->by_index, 0, sizeof(Sum));
	index_rescan(scan, NULL, 0, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		add(&look->by_index, &slot->tts_tid);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	read_table(arg);
}

/*
 * Does this; an error is a finding.  In parallel mode, where nothing can be
 * attempted, it stays an error.
 */
static bool
succeeds(Look *look, void (*work) (void *arg), const char *check, Relation rel)
{
	ErrorData  *error = NULL;

	if (IsInParallelMode())
		work(look);
	else
		error = pool_attempt(work, look);
	if (error != NULL)
		emit(look->call, check, rel,
			 psprintf("it could not be read: SQLSTATE %s",
					  unpack_sql_state(error->sqlerrcode)));
	return error == NULL;
}

static void
check_index(Look *look)
{
	Relation	index = look->index;

	if (!index->rd_index->indisvalid || !index->rd_index->indisready ||
		!index->rd_index->indislive)
		emit(look->call, INDEX_CHECK, index, "it is not valid");
	else if (index->rd_rel->relam == BTREE_AM_OID &&
			 succeeds(look, read_index, INDEX_CHECK, index) &&
			 memcmp(&look->by_table, &look->by_index, sizeof(Sum)) != 0)
		emit(look->call, INDEX_CHECK, index,
			 psprintf("it finds " UINT64_FORMAT " rows, the table has "
					  UINT64_FORMAT "%s", look->by_index.rows,
					  look->by_table.rows,
					  look->by_index.rows == look->by_table.rows ?
					  ", but not the same" : ""));
}

static void
check_table(PoolCall *call, Oid relid)
{
	Look		look = {.call = call};
	List	   *indexes;
	ListCell   *lc;

	look.table = table_open(relid, AccessShareLock);
	indexes = RelationGetIndexList(look.table);
	if (!succeeds(&look, read_table, TABLE_CHECK, look.table))
		indexes = NIL;
	foreach(lc, indexes)
	{
		look.index = index_open(lfirst_oid(lc), AccessShareLock);
		check_index(&look);
		index_close(look.index, AccessShareLock);
	}
	table_close(look.table, AccessShareLock);
}

/* The tables of the extension, by name. */
static List *
own_tables(void)
{
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	List	   *result = NIL;

	if (SPI_execute("SELECT c.oid FROM pg_class c"
					" JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
					"  AND d.objid = c.oid AND d.deptype = 'e'"
					"  AND d.refclassid = 'pg_extension'::regclass"
					" JOIN pg_extension e ON e.oid = d.refobjid"
					" WHERE e.extname = 'pool_ext' AND c.relkind = 'r'"
					" ORDER BY c.relname", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the tables of the extension");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			oid = DatumGetObjectId(pool_sql_datum(i, 1, &isnull));
		MemoryContext spi = MemoryContextSwitchTo(context);

		result = lappend_oid(result, oid);
		MemoryContextSwitchTo(spi);
	}
	pool_sql_end(sql);
	return result;
}

/* Emits a row for each table that cannot be read, and each index that lacks. */
void
pool_physical_verify(PoolCall *call)
{
	ListCell   *lc;

	foreach(lc, own_tables())
		check_table(call, lfirst_oid(lc));
}
