/*
 * table.c
 *	  Direct access to the extension's tables.
 *
 * Reading goes through index scans, writing through the executor's functions
 * for replicated rows, so that core looks after constraints, indexes, triggers
 * and replica identity.  Direct access skips the checks of an SQL statement:
 * privileges, read-only transactions and recovery are the entry points' duty
 * (result.c).
 *
 * The structs of the executor are always allocated by core or with room to
 * spare: their size has changed within a major before.
 */
#include "compat.h"
#include "table.h"

#include "access/nbtree.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "constraint.h"
#include "executor/executor.h"
#include "index_entry.h"
#include "place.h"
#include "room.h"
#include "storage/bufmgr.h"
#include "trigger.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* A row is not what the snapshot, or an earlier look, says it is. */
void
pool_report_serialization(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

PoolWork *
pool_work_begin(void)
{
	PoolWork   *work = palloc0(sizeof(PoolWork));

	work->estate = CreateExecutorState();
	work->estate->es_output_cid = GetCurrentCommandId(true);
	AfterTriggerBeginQuery();
	return work;
}

/* For functions that only read, on a standby too. */
PoolWork *
pool_work_begin_reading(void)
{
	return palloc0(sizeof(PoolWork));
}

static PoolTable *
open_table(PoolWork *work, PoolTableId id)
{
	PoolTable  *table = palloc0(sizeof(PoolTable));

	table->id = id;
	table->work = work;
	table->estate = work->estate;
	table->rel = table_open(pool_table_oid(id), work->estate == NULL ?
							AccessShareLock : RowExclusiveLock);
	table->old = table_slot_create(table->rel, NULL);
	return table;
}

/*
 * What only a writer needs is opened by the first write: most calls just read
 * most of their tables.
 */
static void
prepare_to_write(PoolTable *table)
{
	MemoryContext old;

	if (table->target != NULL)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	table->target = ExecGetTriggerResultRel(table->estate,
											RelationGetRelid(table->rel),
											NULL);
	pool_constraint_prepare(table->id, table->target);
	table->new = MakeSingleTupleTableSlot(RelationGetDescr(table->rel),
										  &TTSOpsVirtual);
	/* room to spare, see above */
	table->epq = palloc0(sizeof(EPQState) + 256);
	pool_begin_epq(table->epq, table->estate);
	MemoryContextSwitchTo(old);
}

/* Indexes are opened by the first write that is not a HOT update. */
static void
prepare_indexes(PoolTable *table)
{
	MemoryContext old;

	if (table->target->ri_IndexRelationDescs != NULL)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	ExecOpenIndices(table->target, false);
	pool_constraint_prepare_indexes(table->id, table->target);
	MemoryContextSwitchTo(old);
}

PoolTable *
pool_work_table(PoolWork *work, PoolTableId id)
{
	if (work->tables[id] == NULL)
	{
		/* the caller may be in a context that lives shorter */
		MemoryContext old =
		MemoryContextSwitchTo(GetMemoryChunkContext(work));

		work->tables[id] = open_table(work, id);
		MemoryContextSwitchTo(old);
	}
	return work->tables[id];
}

static void
close_table(PoolTable *table)
{
	ListCell   *lc;

	foreach(lc, table->indexes)
		index_close((Relation) lfirst(lc), AccessShareLock);
	ExecDropSingleTupleTableSlot(table->old);
	if (table->target != NULL)
	{
		EvalPlanQualEnd(table->epq);
		ExecDropSingleTupleTableSlot(table->new);
		ExecCloseIndices(table->target);
		/* opened once more by ExecGetTriggerResultRel */
		table_close(table->rel, NoLock);
	}
	table_close(table->rel,
				table->estate == NULL ? AccessShareLock : NoLock);
}

/* Fires the triggers, if any, and closes everything; write locks stay. */
void
pool_work_end(PoolWork *work)
{
	struct PoolAttachNotes *notes = work->notes;
	void		(*at_end) (struct PoolAttachNotes *notes) = work->at_end;

	if (work->estate != NULL)
		AfterTriggerEndQuery(work->estate);
	for (int i = 0; i < POOL_TABLE_COUNT; i++)
	{
		if (work->tables[i] != NULL)
			close_table(work->tables[i]);
	}
	if (work->estate != NULL)
	{
		ExecResetTupleTable(work->estate->es_tupleTable, false);
		FreeExecutorState(work->estate);
		/* what we wrote is visible to the next call of the same statement */
		CommandCounterIncrement();
	}
	pfree(work);
	if (at_end != NULL)
		at_end(notes);
}

static Relation
reading_index(PoolTable *table, Oid oid)
{
	ListCell   *lc;
	Relation	index;
	MemoryContext old;

	foreach(lc, table->indexes)
	{
		index = lfirst(lc);
		if (RelationGetRelid(index) == oid)
			return index;
	}
	index = index_open(oid, AccessShareLock);
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	table->indexes = lappend(table->indexes, index);
	MemoryContextSwitchTo(old);
	return index;
}

/* One of the table's indexes, open as long as the table is. */
Relation
pool_work_index(PoolTable *table, PoolIndexId id)
{
	Oid			oid = pool_index_oid(id);

	if (table->target != NULL)
	{
		for (int i = 0; i < table->target->ri_NumIndices; i++)
		{
			Relation	index = table->target->ri_IndexRelationDescs[i];

			if (RelationGetRelid(index) == oid)
				return index;
		}
	}
	return reading_index(table, oid);
}

/* Whether a btree has never had an entry: it has its metapage only. */
static bool
is_unused(Relation index)
{
	return RelationGetNumberOfBlocks(index) <= 1;
}

/*
 * Whether the index has never had an entry, which costs no look at it: a tick
 * asks many of them, mostly for nothing.
 */
bool
pool_index_unused(PoolIndexId id)
{
	Relation	index = index_open(pool_index_oid(id), AccessShareLock);
	bool		unused = is_unused(index);

	index_close(index, AccessShareLock);
	return unused;
}

/* The same of an index that is asked again and again. */
bool
pool_work_index_unused(PoolTable *table, PoolIndexId id)
{
	return is_unused(pool_work_index(table, id));
}

static RegProcedure
equality_of(Oid type)
{
	switch (type)
	{
		case INT4OID:
			return F_INT4EQ;
		case INT8OID:
			return F_INT8EQ;
		case UUIDOID:
			return F_UUID_EQ;
		default:
			Assert(type == TEXTOID);
			return F_TEXTEQ;
	}
}

/*
 * Starts a scan for rows whose first index columns equal the keys.  The
 * caller ends it with index_endscan.
 */
IndexScanDesc
pool_index_scan(Relation rel, Relation index, Snapshot snapshot,
				const PoolKey *keys, int nkeys)
{
	IndexScanDesc scan;
	ScanKeyData scankeys[4];

	Assert(nkeys <= (int) lengthof(scankeys));
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&scankeys[i], 0, i + 1, BTEqualStrategyNumber,
							   InvalidOid, index->rd_indcollation[i],
							   equality_of(keys[i].type), keys[i].value);
	scan = pool_index_beginscan(rel, index, snapshot, nkeys);
	index_rescan(scan, scankeys, nkeys, NULL, 0);
	return scan;
}

static bool
find_by_index(PoolTable *table, PoolIndexId id, Snapshot snapshot,
			  const PoolKey *keys, int nkeys)
{
	IndexScanDesc scan = pool_index_scan(table->rel,
										 pool_work_index(table, id), snapshot,
										 keys, nkeys);
	bool		found = index_getnext_slot(scan, ForwardScanDirection,
										   table->old);

	index_endscan(scan);
	return found;
}

/*
 * Fetches into table->old the row with these unique keys that the snapshot
 * sees; false if there is none.
 */
bool
pool_table_find(PoolTable *table, PoolIndexId id, Snapshot snapshot,
				const PoolKey *keys, int nkeys)
{
	bool		by_id = id == POOL_LEAD_STATE_PKEY || id == POOL_LEAD_DATA_PKEY;
	Snapshot	held = pool_snapshot_hold(snapshot);
	bool		placed = by_id &&
	pool_place_fetch(table, DatumGetInt64(keys[0].value), held);
	bool		found = placed || find_by_index(table, id, held, keys, nkeys);

	pool_snapshot_let_go(held);
	if (by_id && found && !placed)
		pool_place_note(table, DatumGetInt64(keys[0].value),
						&table->old->tts_tid);
	return found;
}

/*
 * Fetches into table->old the row version at tid, if the snapshot sees one
 * there.  Its page stays pinned, so nothing else can take its place.
 */
bool
pool_table_fetch(PoolTable *table, ItemPointer tid, Snapshot snapshot)
{
	ItemPointerData copy = *tid;	/* tid may point into table->old */

	if (ItemPointerGetBlockNumber(tid) >= table->n_blocks)
		table->n_blocks = RelationGetNumberOfBlocks(table->rel);
	if (ItemPointerGetBlockNumber(tid) >= table->n_blocks)
		return false;
	if (!table_tuple_fetch_row_version(table->rel, tid, snapshot, table->old))
		return false;
	if (!pool_room_wanted(table))
		return true;
	pool_room_make(table);
	return table_tuple_fetch_row_version(table->rel, &copy, snapshot,
										 table->old);
}

/*
 * Locks the row at tid for update and leaves its version in table->old.
 * Under READ COMMITTED a waiting lock follows the row to its last version; at
 * the higher levels a row that changed since the snapshot is reported as
 * TM_Updated or TM_Deleted.
 */
TM_Result
pool_table_lock(PoolTable *table, ItemPointer tid, Snapshot snapshot,
				LockWaitPolicy wait)
{
	TM_FailureData failure;
	ItemPointerData copy = *tid;	/* tid may point into table->old */
	uint8		flags = 0;

	if (wait == LockWaitBlock && !IsolationUsesXactSnapshot())
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	return table_tuple_lock(table->rel, &copy, snapshot, table->old,
							GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							wait, flags, &failure);
}

static void
fill_slot(TupleTableSlot *slot, const Datum *values, const bool *nulls)
{
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
}

/* Inserts a row; its place is in table->new->tts_tid afterwards. */
void
pool_table_insert(PoolTable *table, const Datum *values, const bool *nulls)
{
	prepare_to_write(table);
	prepare_indexes(table);
	fill_slot(table->new, values, nulls);
	ExecSimpleRelationInsert(table->target, table->estate, table->new);
	pool_trigger_check_written(table->rel,
							   ItemPointerIsValid(&table->new->tts_tid));
	ResetPerTupleExprContext(table->estate);
}

/* Whether core must see to the row before it is written, and lock it first. */
static bool
has_work_before_update(const PoolTable *table)
{
	TriggerDesc *triggers = table->target->ri_TrigDesc;
	TupleConstr *constr = RelationGetDescr(table->rel)->constr;

	return (triggers != NULL && triggers->trig_update_before_row) ||
		(constr != NULL && constr->has_generated_stored);
}

/*
 * Does what ExecSimpleRelationUpdate does where there is no such work, but
 * opens the indexes only if the update turns out not to be HOT.
 */
static TM_Result
update_plainly(PoolTable *table, bool wait)
{
	TM_FailureData failure;
	TM_Result	result;
	LockTupleMode mode;
	TU_UpdateIndexes indexes;
	List	   *recheck = NIL;

	CheckCmdReplicaIdentity(table->rel, CMD_UPDATE);
	ExecConstraints(table->target, table->new, table->estate);
	result = table_tuple_update(table->rel, &table->old->tts_tid, table->new,
								GetCurrentCommandId(true),
								table->estate->es_snapshot, InvalidSnapshot,
								wait, &failure, &mode, &indexes);
	if (result != TM_Ok)
		return result;
	if (indexes != TU_None)
	{
		prepare_indexes(table);
		recheck = pool_index_entry_add(table, indexes);
	}
	ExecARUpdateTriggers(table->estate, table->target, NULL, NULL,
						 &table->old->tts_tid, NULL, table->new, recheck,
						 NULL, false);
	list_free(recheck);
	return TM_Ok;
}

/* Replaces the row in table->old, which the caller has locked. */
void
pool_table_update(PoolTable *table, const Datum *values, const bool *nulls)
{
	prepare_to_write(table);
	fill_slot(table->new, values, nulls);
	if (has_work_before_update(table))
	{
		prepare_indexes(table);
		ExecSimpleRelationUpdate(table->target, table->estate, table->epq,
								 table->old, table->new);
		pool_trigger_check_written(table->rel,
								   ItemPointerIsValid(&table->new->tts_tid));
	}
	else if (update_plainly(table, true) != TM_Ok)
		elog(ERROR, "row of \"%s\" changed while it was locked",
			 RelationGetRelationName(table->rel));
	ResetPerTupleExprContext(table->estate);
}

/*
 * The same for a row that is fetched (it is still pinned) but not locked:
 * a lock of its own would be another change of the page and another record
 * of WAL.  Anything but TM_Ok says that nothing was done, since another
 * transaction holds the row (TM_WouldBlock) or has changed it.
 */
TM_Result
pool_table_try_update(PoolTable *table, const Datum *values,
					  const bool *nulls)
{
	TM_Result	result = TM_BeingModified;

	prepare_to_write(table);
	if (POOL_MAY_TRY_UPDATE && !has_work_before_update(table))
	{
		fill_slot(table->new, values, nulls);
		result = update_plainly(table, false);
		ResetPerTupleExprContext(table->estate);
	}
	/* any locker counts as that, ourselves and such as do no harm included */
	if (result == TM_BeingModified)
	{
		result = pool_table_lock(table, &table->old->tts_tid, pool_snapshot(),
								 LockWaitSkip);
		if (result == TM_Ok)
			pool_table_update(table, values, nulls);
	}
	return result;
}

/* Deletes the row in table->old, which the caller has locked. */
void
pool_table_delete(PoolTable *table)
{
	prepare_to_write(table);
	ExecSimpleRelationDelete(table->target, table->estate, table->epq,
							 table->old);
	pool_trigger_check_written(table->rel,
							   !table_tuple_satisfies_snapshot(table->rel,
															   table->old,
															   SnapshotSelf));
	ResetPerTupleExprContext(table->estate);
}
