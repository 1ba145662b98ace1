/*
 * queue_check.c
 *	  Whether the queue hints hide a lead.
 *
 * A suspect is a committed available lead before the frontier that is not
 * remembered.  It is hidden if, with the head locked, nobody answers for it
 * and it is still there: whoever ends a transaction publishes before he stops
 * being counted.
 */
#include "queue_check.h"

#include "access/xact.h"
#include "lead.h"
#include "miscadmin.h"
#include "queue_prepared.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static bool
is_remembered(const QueueSlot *slot, const PoolCandidate *suspect)
{
	for (int i = slot->head; i < slot->tail; i++)
		if (slot->entries[i].ticket == suspect->ticket &&
			ItemPointerEquals((ItemPointer) &slot->entries[i].tid,
							  (ItemPointer) &suspect->tid))
			return true;
	return false;
}

/* With the head locked: is this lead out of everybody's sight? */
static bool
is_hidden(PoolTable *leads, QueueSlot *slot, const QueueKey *key,
		  const PoolCandidate *suspect)
{
	PoolLead	lead;

	return queue_slot_is(slot, key) &&
		suspect->ticket < slot->frontier &&
		!is_remembered(slot, suspect) &&
		pg_atomic_read_u32(&slot->unsettled) == 0 &&
		pg_atomic_read_u32(queue_slot_homeless()) == 0 &&
		pool_lead_fetch_candidate(leads, suspect, &lead) == POOL_LEAD_LOCKED;
}

static List *
suspects_of(PoolTable *leads, const QueueKey *key, int64 frontier)
{
	Snapshot	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(leads->rel)));
	Relation	index = pool_work_index(leads, POOL_LEAD_STATE_QUEUE);
	IndexScanDesc scan;
	ScanKeyData keys[2];
	List	   *result = NIL;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(key->pool_id));
	ScanKeyInit(&keys[1], 2, BTLessStrategyNumber, F_INT8LT,
				Int64GetDatum(frontier));
	scan = pool_index_beginscan(leads->rel, index, snapshot, 2);
	index_rescan(scan, keys, 2, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, leads->old))
	{
		PoolCandidate *suspect = palloc(sizeof(PoolCandidate));
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		suspect->id = DatumGetInt64(slot_getattr(leads->old, LEAD_STATE_ID,
												 &isnull));
		suspect->ticket = DatumGetInt64(slot_getattr(leads->old,
													 LEAD_STATE_TICKET,
													 &isnull));
		suspect->tid = leads->old->tts_tid;
		result = lappend(result, suspect);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

/*
 * Nobody locked, or prepared, answers for the lead.  The list of prepared
 * transactions has a lock that comes before a head's, so it is asked first;
 * what is settled in between shows at a second look.
 */
static bool
look(PoolTable *leads, QueueSlot *slot, const QueueKey *key,
	 const PoolCandidate *suspect)
{
	bool		hidden;
	int64		first;
	int64		last;

	queue_prepared_settle();
	if (queue_prepared_pending(key, &first, &last))
		return false;
	LWLockAcquire(&slot->lock, LW_SHARED);
	hidden = is_hidden(leads, slot, key, suspect);
	LWLockRelease(&slot->lock);
	return hidden;
}

static List *
hidden_of(PoolTable *leads, QueueSlot *slot, const QueueKey *key,
		  int64 frontier, List *hidden)
{
	ListCell   *lc;

	foreach(lc, suspects_of(leads, key, frontier))
	{
		PoolCandidate *suspect = lfirst(lc);
		bool		found;

		found = look(leads, slot, key, suspect) &&
			look(leads, slot, key, suspect);
		if (found)
		{
			PoolHidden *entry = palloc(sizeof(PoolHidden));

			entry->pool_id = key->pool_id;
			entry->lead_id = suspect->id;
			hidden = lappend(hidden, entry);
		}
	}
	return hidden;
}

/* The leads that no claim would find; a list of PoolHidden. */
List *
pool_queue_hidden(PoolTable *leads)
{
	Oid			table = pool_relation_number(leads->rel);
	List	   *hidden = NIL;

	for (int i = 0; i < queue_slot_count(); i++)
	{
		QueueSlot  *slot = queue_slot_number(i);
		QueueKey	key;
		int64		frontier;

		LWLockAcquire(&slot->lock, LW_SHARED);
		key = slot->key;
		frontier = slot->frontier;
		LWLockRelease(&slot->lock);
		if (key.pool_id == 0 || key.database != MyDatabaseId ||
			key.table != table)
			continue;
		hidden = hidden_of(leads, slot, &key, frontier, hidden);
	}
	return hidden;
}
