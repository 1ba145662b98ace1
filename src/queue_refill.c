/*
 * queue_refill.c
 *	  Reading the queue's index, and filling heads from it.
 *
 * A refill scans the index from the frontier on without holding the head's
 * lock; the flag it holds instead is dropped by an error as well.  It passes
 * over whatever is in progress, since somebody answers for that, and over what
 * is dead: the frontier goes on behind both, so that nobody walks over them
 * again.
 */
#include "queue_refill.h"

#include "access/subtrans.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "queue_prepared.h"
#include "storage/procarray.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define REFILL_STEPS 20000		/* index entries one refill walks over */
#define TICKET_COLUMN 2			/* of the index */

/* the head whose refill flag this backend holds */
static QueueSlot *my_refill = NULL;

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

void
queue_reader_begin(QueueReader *reader, PoolTable *leads, const QueueKey *key)
{
	reader->leads = leads;
	reader->index = pool_work_index(leads, POOL_LEAD_STATE_QUEUE);
	reader->key = *key;
	reader->row = table_slot_create(leads->rel, NULL);
	reader->dirty = palloc0(sizeof(SnapshotData));
	InitDirtySnapshot(*reader->dirty);
}

/*
 * A scan of the pool's queue between two tickets; the caller ends it.  It also
 * sees rows in progress, and, with_entries, index entries of dead rows.
 */
IndexScanDesc
queue_reader_scan(const QueueReader *reader, int64 first, int64 last,
				  bool with_entries)
{
	IndexScanDesc result;
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(reader->key.pool_id));
	ScanKeyInit(&keys[1], TICKET_COLUMN, BTGreaterEqualStrategyNumber,
				F_INT8GE, Int64GetDatum(first));
	ScanKeyInit(&keys[2], TICKET_COLUMN, BTLessEqualStrategyNumber,
				F_INT8LE, Int64GetDatum(last));
	result = pool_index_beginscan(reader->leads->rel, reader->index,
								  reader->dirty, 3);
	result->xs_want_itup = with_entries;
	index_rescan(result, keys, 3, NULL, 0);
	return result;
}

/* The lead just read. */
void
queue_reader_candidate(const QueueReader *reader, PoolCandidate *candidate)
{
	bool		isnull;

	candidate->id = DatumGetInt64(slot_getattr(reader->row, LEAD_STATE_ID,
											   &isnull));
	candidate->ticket = DatumGetInt64(slot_getattr(reader->row,
												   LEAD_STATE_TICKET,
												   &isnull));
	candidate->tid = reader->row->tts_tid;
}

void
queue_reader_end(QueueReader *reader)
{
	ExecDropSingleTupleTableSlot(reader->row);
}

/* Whether this very transaction has inserted the row version just read. */
static bool
is_mine(const QueueReader *reader)
{
	bool		isnull;
	TransactionId xmin;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return false;
	xmin = DatumGetTransactionId(slot_getsysattr(reader->row,
												 MinTransactionIdAttributeNumber,
												 &isnull));
	return TransactionIdIsCurrentTransactionId(xmin);
}

/* ------------------------------------------------------------------------
 * Refills
 * ------------------------------------------------------------------------ */

/*
 * A refill passes over a row that xid is changing.  A running backend answers
 * for it; a transaction prepared before the last restart does not, unless it
 * is listed.
 */
static void
ensure_answer(const QueueReader *reader, TransactionId xid, int64 ticket)
{
	if (max_prepared_xacts == 0)
		return;
	xid = SubTransGetTopmostTransaction(xid);
	if (BackendXidGetPid(xid) == 0)
		queue_prepared_add(xid, &reader->key, ticket, ticket);
}

/* Whether the lead just read is available, committed, and not held. */
static bool
is_available(const QueueReader *reader, PoolCandidate *candidate)
{
	queue_reader_candidate(reader, candidate);
	if (TransactionIdIsValid(reader->dirty->xmin))
		ensure_answer(reader, reader->dirty->xmin, candidate->ticket);
	else if (TransactionIdIsValid(reader->dirty->xmax))
		ensure_answer(reader, reader->dirty->xmax, candidate->ticket);
	else
		return !is_mine(reader);
	return false;
}

/* The ticket of the index entry the scan is at, dead or alive. */
static int64
scanned_ticket(IndexScanDesc scan)
{
	bool		isnull;

	return DatumGetInt64(index_getattr(scan->xs_itup, TICKET_COLUMN,
									   scan->xs_itupdesc, &isnull));
}

/*
 * Collects up to n candidates from `from` on.  *end is where the next scan is
 * to begin; *at_end whether there was nothing more.
 */
static int
collect(QueueReader *reader, int64 from, PoolCandidate *found, int n,
		int64 *end, bool *at_end)
{
	IndexScanDesc scan = queue_reader_scan(reader, from, QUEUE_LAST, true);
	int			count = 0;
	int			steps = 0;

	*end = from;
	while (count < n && steps < REFILL_STEPS)
	{
		/* there may be several versions at one entry */
		if (!scan->xs_heap_continue)
		{
			CHECK_FOR_INTERRUPTS();
			if (index_getnext_tid(scan, ForwardScanDirection) == NULL)
				break;
			steps++;
			*end = scanned_ticket(scan) + 1;
		}
		if (index_fetch_heap(scan, reader->row) &&
			is_available(reader, &found[count]))
			count++;
	}
	*at_end = count < n && steps < REFILL_STEPS;
	index_endscan(scan);
	ExecClearTuple(reader->row);
	return count;
}

/* Takes the refill flag; slot->lock held, and nobody else has it. */
void
queue_refill_begin(QueueSlot *slot)
{
	slot->refilling = true;
	slot->refill_floor = QUEUE_LAST;
	my_refill = slot;
}

/*
 * Refills the head; this backend holds its refill flag.  Returns false if
 * there was nothing behind the frontier.
 */
bool
queue_refill(QueueReader *reader, QueueSlot *slot, int64 from, uint32 epoch)
{
	PoolCandidate found[QUEUE_REFILL];
	int64		end;
	bool		at_end;
	bool		voided;
	int			n = collect(reader, from, found, QUEUE_REFILL, &end, &at_end);

	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	voided = slot->epoch != epoch;
	if (!voided)
	{
		queue_slot_append(slot, found, n, end);
		slot->dry = at_end && slot->frontier >= end &&
			slot->refill_floor == QUEUE_LAST;
	}
	slot->refilling = false;
	my_refill = NULL;
	LWLockRelease(&slot->lock);
	ConditionVariableBroadcast(&slot->refilled);
	return voided || n > 0 || !at_end;
}

static void
stop_refill(void)
{
	QueueSlot  *slot = my_refill;

	if (slot == NULL)
		return;
	my_refill = NULL;
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot->refilling = false;
	LWLockRelease(&slot->lock);
	ConditionVariableBroadcast(&slot->refilled);
}

static void
end_of_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		stop_refill();
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		stop_refill();
}

void
queue_refill_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}
