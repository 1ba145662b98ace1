/*
 * queue.c
 *	  Where each pool's queue begins: shared hints for finding the next lead.
 *
 * Claims must not all start at the first entry of the queue's index: they
 * would fight for the same rows and, under an old snapshot, walk over
 * everything that was ever claimed.  So shared memory remembers, per pool, a
 * few candidates in order and a frontier; whoever needs one pops it, and
 * refills scan the index from the frontier on.
 *
 * What makes this safe is that somebody always answers for a lead that is
 * neither remembered nor behind the frontier: the transaction that took it
 * puts it back when it (or its subtransaction) aborts, the transaction that
 * made it available publishes it when it has committed.  Both happen after the
 * outcome is visible.  A prepared transaction cannot do that itself and leaves
 * an entry in a shared list that every later look settles.  Hence a refill may
 * pass over everything that is in progress, and no entry is walked over twice.
 *
 * Writers other than lead.c (superusers' SQL, a restore, logical replication)
 * answer by resetting all heads of the database when they end; a trigger on
 * the table sees to that.  Meanwhile they count as homeless, as does whoever
 * finds no room for a head: then nobody believes that a pool is empty before
 * he has looked at every row.
 *
 * The row decides.  A candidate is no promise: the caller locks and re-checks.
 *
 * Where hints do not fit (no shared memory, a snapshot that does not move,
 * leads this very transaction has made available), a claim scans the queue's
 * index from its beginning: slower, same answers.
 */
#include "queue_slot.h"

#include "access/subtrans.h"
#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "access/sysattr.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "replication/logicalworker.h"
#include "storage/procarray.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_lead_written);

#define TICKET_FIRST PG_INT64_MIN
#define TICKET_LAST PG_INT64_MAX
#define REFILL_STEPS 20000		/* index entries one refill walks over */
#define MAX_ANSWERS 8192		/* beyond, a range per pool */

/* A lead this transaction answers for. */
typedef struct Answer
{
	QueueKey	key;
	QueueSlot  *slot;			/* that counts it as unsettled, NULL: none has */
	SubTransactionId subid;
	bool		given;			/* publish on commit, else on abort */
	PoolCandidate lead;
} Answer;

/* What is left of answers that became too many: everything from a ticket. */
typedef struct AnswerRange
{
	QueueKey	key;
	QueueSlot  *slot;
	uint32		unsettled;
	int64		ticket;
} AnswerRange;

struct PoolQueueScan
{
	PoolTable  *leads;
	Relation	index;
	QueueKey	key;
	Snapshot	snapshot;
	QueueSlot  *slot;			/* NULL: private scan */
	IndexScanDesc private_scan;
	SnapshotData *dirty;
	TupleTableSlot *row;
	bool		contended;
	bool		unseen;			/* passed what the snapshot does not see */
	PoolCandidate current;		/* last one handed out */
	PoolCandidate *put_back;
	int			n_put_back;
	int			put_back_size;
};

static MemoryContext answer_context = NULL;
static Answer *answers = NULL;
static int	n_answers = 0;
static int	answers_size = 0;
static AnswerRange *ranges = NULL;
static int	n_ranges = 0;
static int	ranges_size = 0;

/* set by the trigger: SQL has written leads in this transaction */
static bool foreign_writes = false;

/* the head whose refill flag this backend holds */
static QueueSlot *my_refill = NULL;

/* ------------------------------------------------------------------------
 * Answers
 * ------------------------------------------------------------------------ */

static QueueKey
queue_key(Relation leads, int32 pool_id)
{
	QueueKey	key;

	key.database = MyDatabaseId;
	key.table = pool_relation_number(leads);
	key.pool_id = pool_id;
	return key;
}

static void *
grow(void *array, int *size, Size item)
{
	if (answer_context == NULL)
		answer_context = AllocSetContextCreate(TopMemoryContext,
											   "pool_ext queue",
											   ALLOCSET_DEFAULT_SIZES);
	if (array == NULL)
	{
		*size = 64;
		return MemoryContextAlloc(answer_context, *size * item);
	}
	*size *= 2;
	return repalloc(array, *size * item);
}

static AnswerRange *
range_for(const QueueKey *key, QueueSlot *slot)
{
	AnswerRange *range;

	for (int i = 0; i < n_ranges; i++)
		if (memcmp(&ranges[i].key, key, sizeof(QueueKey)) == 0 &&
			ranges[i].slot == slot)
			return &ranges[i];
	if (n_ranges == ranges_size)
		ranges = grow(ranges, &ranges_size, sizeof(AnswerRange));
	range = &ranges[n_ranges++];
	range->key = *key;
	range->slot = slot;
	range->unsettled = 0;
	range->ticket = TICKET_LAST;
	return range;
}

/* Turns all answers into ranges: less exact, but bounded. */
static void
collapse_answers(void)
{
	for (int i = 0; i < n_answers; i++)
	{
		Answer	   *answer = &answers[i];
		AnswerRange *range = range_for(&answer->key, answer->slot);

		range->unsettled++;
		range->ticket = Min(range->ticket, answer->lead.ticket);
	}
	n_answers = 0;
}

/* Makes room for n more answers, so that adding one cannot fail. */
static void
reserve_answers(int n)
{
	if (n_answers + n > MAX_ANSWERS)
		collapse_answers();
	while (n_answers + n > answers_size)
		answers = grow(answers, &answers_size, sizeof(Answer));
}

/* Room must have been reserved; the caller has counted it as unsettled. */
static void
add_answer(const QueueKey *key, QueueSlot *slot, bool given,
		   const PoolCandidate *lead)
{
	Answer	   *answer = &answers[n_answers++];

	Assert(n_answers <= answers_size);
	answer->key = *key;
	answer->slot = slot;
	answer->subid = GetCurrentSubTransactionId();
	answer->given = given;
	answer->lead = *lead;
}

/*
 * Counts an answer with the pool's head, or with all of them where there is
 * no room for one: then returns NULL.
 */
static QueueSlot *
count_unsettled(const QueueKey *key)
{
	QueueSlot  *slot = queue_slot_get(key, true);
	bool		counted = false;

	if (slot != NULL)
	{
		LWLockAcquire(&slot->lock, LW_SHARED);
		counted = queue_slot_is(slot, key);
		if (counted)
			pg_atomic_add_fetch_u32(&slot->unsettled, 1);
		LWLockRelease(&slot->lock);
	}
	if (counted)
		return slot;
	pg_atomic_add_fetch_u32(queue_slot_homeless(), 1);
	return NULL;
}

static void
uncount(QueueSlot *slot, uint32 n)
{
	pg_atomic_sub_fetch_u32(slot != NULL ? &slot->unsettled :
							queue_slot_homeless(), n);
}

/* Puts a lead, or everything from it on, back into its pool's head. */
static void
publish(const QueueKey *key, QueueSlot *slot, const PoolCandidate *lead,
		bool range)
{
	if (slot == NULL)
		slot = queue_slot_get(key, false);
	if (slot == NULL)
		return;
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (queue_slot_is(slot, key))
	{
		if (range)
			queue_slot_pull_back(slot, lead->ticket);
		else
			queue_slot_insert(slot, lead);
	}
	LWLockRelease(&slot->lock);
}

static void
settle_answer(const Answer *answer, bool committed)
{
	if (answer->given == committed)
		publish(&answer->key, answer->slot, &answer->lead, false);
	uncount(answer->slot, 1);
}

static void
settle_ranges(void)
{
	for (int i = 0; i < n_ranges; i++)
	{
		PoolCandidate from = {.ticket = ranges[i].ticket};

		publish(&ranges[i].key, ranges[i].slot, &from, true);
	}
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
forget_answers(void)
{
	for (int i = 0; i < n_ranges; i++)
		uncount(ranges[i].slot, ranges[i].unsettled);
	if (foreign_writes)
		uncount(NULL, 1);
	n_answers = 0;
	n_ranges = 0;
	foreign_writes = false;
	if (answers_size > 1024 || ranges_size > 1024)
	{
		/* one large transaction is no reason to stay large */
		MemoryContextReset(answer_context);
		answers = NULL;
		ranges = NULL;
		answers_size = ranges_size = 0;
	}
}

static void
settle_transaction(bool committed)
{
	for (int i = n_answers - 1; i >= 0; i--)
		settle_answer(&answers[i], committed);
	settle_ranges();
	/* an apply worker may fail before the trigger has told us */
	if (foreign_writes || (!committed && IsLogicalWorker()))
		queue_slot_reset_database(MyDatabaseId);
	forget_answers();
}

/* Leaves word of what this transaction stands for once it is prepared. */
static void
prepare_transaction(void)
{
	TransactionId xid;
	QueueKey	all = {.database = MyDatabaseId};

	if (n_answers == 0 && n_ranges == 0 && !foreign_writes)
		return;
	xid = GetTopTransactionId();
	if (foreign_writes)
		queue_prepared_add(xid, &all, TICKET_FIRST);
	for (int i = 0; i < n_answers; i++)
		queue_prepared_add(xid, &answers[i].key, answers[i].lead.ticket);
	for (int i = 0; i < n_ranges; i++)
		queue_prepared_add(xid, &ranges[i].key, ranges[i].ticket);
}

static void
end_of_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			settle_transaction(true);
			break;
		case XACT_EVENT_ABORT:
			stop_refill();
			settle_transaction(false);
			break;
		case XACT_EVENT_PRE_PREPARE:
			prepare_transaction();
			break;
		case XACT_EVENT_PREPARE:
			for (int i = 0; i < n_answers; i++)
				uncount(answers[i].slot, 1);
			forget_answers();
			break;
		default:
			break;
	}
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = n_answers - 1; i >= 0 && answers[i].subid == subid; i--)
			answers[i].subid = parent;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		stop_refill();
		while (n_answers > 0 && answers[n_answers - 1].subid == subid)
			settle_answer(&answers[--n_answers], false);
		/* which part of a range aborted is not known, nor what SQL wrote */
		settle_ranges();
		if (foreign_writes)
			queue_slot_reset_database(MyDatabaseId);
	}
}

void
pool_queue_init(void)
{
	queue_slot_init();
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}

/*
 * The writer is about to take this lead out of the queue (or has popped it):
 * this transaction answers for it from now on.  To be called before the row is
 * changed, so that whoever finds it changed knows that somebody answers.
 */
void
pool_queue_take(PoolTable *leads, int32 pool_id,
				const PoolCandidate *candidate)
{
	QueueKey	key;

	if (!queue_slot_available())
		return;
	key = queue_key(leads->rel, pool_id);
	reserve_answers(1);
	add_answer(&key, count_unsettled(&key), false, candidate);
}

/* The writer has made this lead available. */
void
pool_queue_give(PoolTable *leads, int32 pool_id,
				const PoolCandidate *candidate)
{
	QueueKey	key;

	if (!queue_slot_available())
		return;
	key = queue_key(leads->rel, pool_id);
	reserve_answers(1);
	add_answer(&key, count_unsettled(&key), true, candidate);
}

/* Trigger on lead_state: somebody else than lead.c has written. */
Datum
pool_lead_written(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.lead_written() is a trigger function")));
	if (!foreign_writes && queue_slot_available())
	{
		/* whatever is written, others are to look for it in the table */
		pg_atomic_add_fetch_u32(queue_slot_homeless(), 1);
		foreign_writes = true;
	}
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------
 * Scanning the index
 * ------------------------------------------------------------------------ */

static IndexScanDesc
start_index_scan(PoolQueueScan *scan, int64 from)
{
	IndexScanDesc result;
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(scan->key.pool_id));
	ScanKeyInit(&keys[1], 2, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(from));
	result = pool_index_beginscan(scan->leads->rel, scan->index,
								  scan->dirty, 2);
	index_rescan(result, keys, 2, NULL, 0);
	return result;
}

static void
row_candidate(PoolQueueScan *scan, PoolCandidate *candidate)
{
	bool		isnull;

	candidate->id = DatumGetInt64(slot_getattr(scan->row, LEAD_STATE_ID,
											   &isnull));
	candidate->ticket = DatumGetInt64(slot_getattr(scan->row,
												   LEAD_STATE_TICKET,
												   &isnull));
	candidate->tid = scan->row->tts_tid;
}

/* Whether this very transaction has inserted the row version in scan->row. */
static bool
row_is_mine(PoolQueueScan *scan)
{
	bool		isnull;
	TransactionId xmin;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return false;
	xmin = DatumGetTransactionId(slot_getsysattr(scan->row,
												 MinTransactionIdAttributeNumber,
												 &isnull));
	return TransactionIdIsCurrentTransactionId(xmin);
}

/*
 * A refill passes over a row that xid is changing.  A running backend answers
 * for it; a transaction prepared before the last restart does not, unless it
 * is listed.
 */
static void
ensure_answer(PoolQueueScan *scan, TransactionId xid, int64 ticket)
{
	if (max_prepared_xacts == 0)
		return;
	xid = SubTransGetTopmostTransaction(xid);
	if (BackendXidGetPid(xid) == 0)
		queue_prepared_add(xid, &scan->key, ticket);
}

/*
 * Collects up to n candidates from `from` on.  *end is where the next scan is
 * to begin; *at_end whether there was nothing more.
 */
static int
collect(PoolQueueScan *scan, int64 from, PoolCandidate *found, int n,
		int64 *end, bool *at_end)
{
	IndexScanDesc index_scan = start_index_scan(scan, from);
	int			count = 0;
	int			steps = 0;

	*end = from;
	*at_end = true;
	while (index_getnext_slot(index_scan, ForwardScanDirection, scan->row))
	{
		PoolCandidate candidate;

		CHECK_FOR_INTERRUPTS();
		row_candidate(scan, &candidate);
		*end = candidate.ticket + 1;
		if (TransactionIdIsValid(scan->dirty->xmin))
			ensure_answer(scan, scan->dirty->xmin, candidate.ticket);
		else if (TransactionIdIsValid(scan->dirty->xmax))
			ensure_answer(scan, scan->dirty->xmax, candidate.ticket);
		else if (!row_is_mine(scan))
			found[count++] = candidate;
		if (count == n || ++steps == REFILL_STEPS)
		{
			*at_end = false;
			break;
		}
	}
	index_endscan(index_scan);
	ExecClearTuple(scan->row);
	return count;
}

/*
 * Refills the head; this backend holds its refill flag.  Returns false if
 * there was nothing behind the frontier.
 */
static bool
refill(PoolQueueScan *scan, int64 from, uint32 epoch)
{
	QueueSlot  *slot = scan->slot;
	PoolCandidate found[QUEUE_REFILL];
	int64		end;
	bool		at_end;
	bool		voided;
	int			n = collect(scan, from, found, QUEUE_REFILL, &end, &at_end);

	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	voided = slot->epoch != epoch;
	if (!voided)
	{
		queue_slot_append(slot, found, n, end);
		slot->dry = at_end && slot->frontier >= end &&
			slot->refill_floor == TICKET_LAST;
	}
	slot->refilling = false;
	my_refill = NULL;
	LWLockRelease(&slot->lock);
	ConditionVariableBroadcast(&slot->refilled);
	return voided || n > 0 || !at_end;
}

/* slot->lock held */
static void
start_refill(QueueSlot *slot)
{
	slot->refilling = true;
	slot->refill_floor = TICKET_LAST;
	my_refill = slot;
}

/* ------------------------------------------------------------------------
 * Looking for leads
 * ------------------------------------------------------------------------ */

static bool
has_given_here(const QueueKey *key)
{
	for (int i = 0; i < n_answers; i++)
		if (answers[i].given && answers[i].key.pool_id == key->pool_id)
			return true;
	return n_ranges > 0;
}

/*
 * Starts looking for leads of this pool, best first.  The snapshot matters
 * only where it stays the same for the transaction.
 */
PoolQueueScan *
pool_queue_begin(PoolTable *leads, int32 pool_id, Snapshot snapshot)
{
	PoolQueueScan *scan = palloc0(sizeof(PoolQueueScan));

	scan->leads = leads;
	scan->index = pool_work_index(leads, POOL_LEAD_STATE_QUEUE);
	scan->key = queue_key(leads->rel, pool_id);
	scan->snapshot = snapshot;
	scan->row = table_slot_create(leads->rel, NULL);
	scan->dirty = palloc0(sizeof(SnapshotData));
	InitDirtySnapshot(*scan->dirty);
	if (!IsolationUsesXactSnapshot() && !foreign_writes &&
		!has_given_here(&scan->key))
		scan->slot = queue_slot_get(&scan->key, true);
	return scan;
}

static bool
next_private(PoolQueueScan *scan, PoolCandidate *candidate)
{
	if (scan->private_scan == NULL)
		scan->private_scan = start_index_scan(scan, TICKET_FIRST);
	while (index_getnext_slot(scan->private_scan, ForwardScanDirection,
							  scan->row))
	{
		CHECK_FOR_INTERRUPTS();
		if (TransactionIdIsValid(scan->dirty->xmin))
			continue;			/* not committed: there is nothing yet */
		if (TransactionIdIsValid(scan->dirty->xmax))
		{
			scan->contended = true;
			continue;
		}
		if (IsolationUsesXactSnapshot() &&
			!table_tuple_satisfies_snapshot(scan->leads->rel, scan->row,
											scan->snapshot))
		{
			scan->unseen = true;
			continue;
		}
		row_candidate(scan, candidate);
		pool_queue_take(scan->leads, scan->key.pool_id, candidate);
		return true;
	}
	return false;
}

/* How many of those that count as unsettled there are ours. */
static uint32
my_unsettled(const QueueSlot *slot)
{
	uint32		mine = slot == NULL && foreign_writes ? 1 : 0;

	for (int i = 0; i < n_answers; i++)
		if (answers[i].slot == slot)
			mine++;
	for (int i = 0; i < n_ranges; i++)
		if (ranges[i].slot == slot)
			mine += ranges[i].unsettled;
	return mine;
}

/* Whether others may hold leads of this pool that would be ours. */
static bool
others_unsettled(PoolQueueScan *scan)
{
	return pg_atomic_read_u32(&scan->slot->unsettled) >
		my_unsettled(scan->slot) ||
		pg_atomic_read_u32(queue_slot_homeless()) > my_unsettled(NULL) ||
		queue_prepared_pending(&scan->key);
}

/*
 * Whether nothing was published since the refill that found nothing.  Asked
 * after others_unsettled: who publishes does so before he stops being counted.
 */
static bool
is_dry(PoolQueueScan *scan)
{
	QueueSlot  *slot = scan->slot;
	bool		dry;

	LWLockAcquire(&slot->lock, LW_SHARED);
	dry = queue_slot_is(slot, &scan->key) && slot->dry &&
		slot->head == slot->tail;
	LWLockRelease(&slot->lock);
	return dry;
}

/*
 * Pops the head's first entry.  *starved is set if there was none although
 * everything behind the frontier was looked at.
 */
static bool
pop(PoolQueueScan *scan, PoolCandidate *candidate, bool *starved)
{
	QueueSlot  *slot = scan->slot;
	bool		popped = false;
	bool		do_refill = false;
	bool		wait = false;
	int64		from;
	uint32		epoch;

	queue_prepared_settle();
	reserve_answers(1);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (!queue_slot_is(slot, &scan->key))
	{
		LWLockRelease(&slot->lock);
		scan->slot = queue_slot_get(&scan->key, true);
		return false;
	}
	if (slot->head < slot->tail)
	{
		*candidate = slot->entries[slot->head++];
		pg_atomic_add_fetch_u32(&slot->unsettled, 1);
		add_answer(&scan->key, slot, false, candidate);
		popped = true;
		do_refill = !slot->refilling && !slot->dry &&
			slot->tail - slot->head < QUEUE_LOW;
	}
	else if (slot->refilling)
	{
		wait = true;
		ConditionVariablePrepareToSleep(&slot->refilled);
	}
	else
		do_refill = true;
	if (do_refill)
		start_refill(slot);
	from = slot->frontier;
	epoch = slot->epoch;
	LWLockRelease(&slot->lock);

	if (wait)
	{
		ConditionVariableSleep(&slot->refilled, PG_WAIT_EXTENSION);
		ConditionVariableCancelSleep();
	}
	else if (do_refill && !refill(scan, from, epoch) && !popped)
		*starved = true;
	return popped;
}

/*
 * Hands out the next candidate, for which this transaction then answers;
 * false if there is none.  It may be locked, or not available any more.
 */
bool
pool_queue_next(PoolQueueScan *scan, PoolCandidate *candidate)
{
	bool		starved = false;

	while (scan->slot != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (pop(scan, candidate, &starved))
		{
			scan->current = *candidate;
			return true;
		}
		if (!starved)
			continue;
		if (!others_unsettled(scan))
		{
			if (is_dry(scan))
				return false;
			starved = false;
			continue;
		}
		/* some may be on their way back just now: look at every row */
		scan->slot = NULL;
	}
	if (!next_private(scan, candidate))
		return false;
	scan->current = *candidate;
	return true;
}

/* The candidate is available, but not now or not for this member. */
void
pool_queue_put_back(PoolQueueScan *scan)
{
	if (scan->n_put_back == scan->put_back_size)
	{
		scan->put_back_size = Max(16, scan->put_back_size * 2);
		if (scan->put_back == NULL)
			scan->put_back = palloc(scan->put_back_size *
									sizeof(PoolCandidate));
		else
			scan->put_back = repalloc(scan->put_back, scan->put_back_size *
									  sizeof(PoolCandidate));
	}
	scan->put_back[scan->n_put_back++] = scan->current;
}

/* Finds the answer for this lead; the latest are the likeliest. */
static Answer *
find_answer(const QueueKey *key, const PoolCandidate *lead)
{
	for (int i = n_answers - 1; i >= 0; i--)
		if (!answers[i].given && answers[i].lead.ticket == lead->ticket &&
			answers[i].key.pool_id == key->pool_id)
			return &answers[i];
	return NULL;
}

static void
remove_answer(Answer *answer)
{
	int			at = answer - answers;

	memmove(answer, answer + 1, (n_answers - at - 1) * sizeof(Answer));
	n_answers--;
}

/* The candidate is gone, or somebody else answers for it. */
void
pool_queue_drop(PoolQueueScan *scan)
{
	Answer	   *answer = find_answer(&scan->key, &scan->current);

	if (answer == NULL)
		return;					/* part of a range: pulled back in the end */
	uncount(answer->slot, 1);
	remove_answer(answer);
}

/* Whether a running transaction holds what this scan could not have. */
bool
pool_queue_contended(PoolQueueScan *scan)
{
	return scan->contended;
}

/* Whether there are leads that this transaction's snapshot is too old for. */
bool
pool_queue_unseen(PoolQueueScan *scan)
{
	return scan->unseen;
}

void
pool_queue_end(PoolQueueScan *scan)
{
	for (int i = scan->n_put_back - 1; i >= 0; i--)
	{
		Answer	   *answer = find_answer(&scan->key, &scan->put_back[i]);

		if (answer == NULL)
		{
			/* part of a range; others need not wait for its end */
			publish(&scan->key, NULL, &scan->put_back[i], false);
			continue;
		}
		settle_answer(answer, false);
		remove_answer(answer);
	}
	if (scan->private_scan != NULL)
		index_endscan(scan->private_scan);
	ExecDropSingleTupleTableSlot(scan->row);
	pfree(scan);
}
