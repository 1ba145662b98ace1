/*
 * room.c
 *	  Room in a page for the next version of its rows.
 *
 * A version that finds no room in the page of the last one goes to another page:
 * that costs more WAL, and for counters entries in all indexes.  Core prunes a
 * page when an index scan leads there, but not when a row is fetched by its
 * ctid, as most rows are that we write.
 */
#include "compat.h"
#include "room.h"

#include "access/heapam.h"
#include "catalog/pg_am_d.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* By how many bytes a row usually grows from version to version, at most. */
#define VERSION_GROWTH 32

/*
 * Whether the page of the row in table->old lacks room for another version, and
 * pruning may make some.  Cheap, and safe without a lock on the page: the answer
 * is only a guess.
 */
bool
pool_room_wanted(const PoolTable *table)
{
	BufferHeapTupleTableSlot *slot = (BufferHeapTupleTableSlot *) table->old;
	TransactionId prune_xid;
	Page		page;

	if (table->estate == NULL ||
		table->rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		return false;
	page = BufferGetPage(slot->buffer);
	prune_xid = ((PageHeader) page)->pd_prune_xid;
	return TransactionIdIsValid(prune_xid) &&
		PageGetHeapFreeSpace(page) <
		MAXALIGN(slot->base.tuple->t_len) + VERSION_GROWTH &&
		GlobalVisTestIsRemovableXid(GlobalVisTestFor(table->rel), prune_xid);
}

/* Prunes the page, unless somebody else has it pinned; clears table->old. */
void
pool_room_make(PoolTable *table)
{
	BlockNumber block = ItemPointerGetBlockNumber(&table->old->tts_tid);
	Buffer		buffer;

	/* our own pin would prevent it, too */
	ExecClearTuple(table->old);
	buffer = ReadBuffer(table->rel, block);
	heap_page_prune_opt(table->rel, buffer);
	ReleaseBuffer(buffer);
}
