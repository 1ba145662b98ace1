/*
 * room.c
 *	  Room in a page for the next version of its rows.
 *
 * A version that finds no room beside the last one goes to another page: that
 * is a record of WAL more, and for counters entries in all indexes.  Core
 * removes what nobody sees any more where an index leads to a page, but not
 * where a row is fetched by its place, as most rows are that are written.
 */
#include "compat.h"
#include "room.h"

#include "access/heapam.h"
#include "catalog/pg_am_d.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* A row becomes longer than its last version by so much at most, mostly. */
#define VERSION_GROWTH 32

/*
 * Whether the page of the row in table->old, which may be written, has no room
 * for another version of it, but would have some.  Asking is cheap, and safe
 * without a lock on the page: the answer is a guess.
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

/* Makes it, unless somebody else looks at the page; empties table->old. */
void
pool_room_make(PoolTable *table)
{
	BlockNumber block = ItemPointerGetBlockNumber(&table->old->tts_tid);
	Buffer		buffer;

	/* nobody may point into the page, not even we */
	ExecClearTuple(table->old);
	buffer = ReadBuffer(table->rel, block);
	heap_page_prune_opt(table->rel, buffer);
	ReleaseBuffer(buffer);
}
