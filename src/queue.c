/*
 * queue.c
 *	  Where each pool's queue begins: shared hints for finding the next lead.
 *
 * Claims must not all start at the first entry of the queue's index: they
 * would fight for the same rows and, under an old snapshot, walk over
 * everything that was ever claimed.  So shared memory remembers, per pool, a
 * few candidates in order and a frontier; whoever needs one pops it, and
 * refills scan the index from the frontier on.  For every other lead some
 * transaction answers.
 *
 * Where there is nothing left, a claim has to tell `empty` from `contended`,
 * and what is held from what is on its way back just now.  It looks at the
 * tickets others answer for, and at no others; what it has found is true if
 * nothing was put back meanwhile.  Where hints do not fit (no shared memory, a
 * snapshot that does not move, leads this very transaction has made available),
 * it scans the queue's index from its beginning: slower, same answers.
 *
 * The row decides.  A candidate is no promise: the caller locks and re-checks.
 */
#include "queue_refill.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "queue_answer.h"
#include "queue_holder.h"
#include "queue_prepared.h"

#define MAX_LOOKS 10			/* then a last one, at everything */

struct PoolQueueScan
{
	QueueReader reader;
	Snapshot	snapshot;
	QueueSlot  *slot;			/* NULL: there is no head */

	/* looking at the index itself */
	bool		whole;			/* all of it: hints do not fit */
	bool		looking;
	int			looks;
	uint32		published;		/* the slot's, when the look began */
	QueueHoldings others;		/* what they held then */
	int			next_span;
	IndexScanDesc index_scan;	/* of the span, or NULL */

	PoolCandidate *popped;		/* to be handed out, from next_popped on */
	int			n_popped;
	int			next_popped;

	bool		contended;
	bool		unseen;			/* passed what the snapshot does not see */
	PoolCandidate current;		/* last one handed out */
	bool		let_go;			/* answers for some only for a while */
	PoolCandidate *put_back;
	int			n_put_back;
	int			put_back_size;
};

void
pool_queue_init(void)
{
	queue_refill_init();
	queue_answer_init();
}

/*
 * Starts looking for leads of this pool, best first.  The snapshot matters
 * only where it stays the same for the transaction.
 */
PoolQueueScan *
pool_queue_begin(PoolTable *leads, int32 pool_id, Snapshot snapshot)
{
	PoolQueueScan *scan = palloc0(sizeof(PoolQueueScan));
	QueueKey	key = queue_slot_key(leads, pool_id);

	queue_reader_begin(&scan->reader, leads, &key);
	scan->snapshot = snapshot;
	scan->slot = queue_slot_get(&key, true);
	scan->whole = scan->slot == NULL || !queue_answer_fits_hints(&key);
	return scan;
}

/* ------------------------------------------------------------------------
 * Popping
 * ------------------------------------------------------------------------ */

/* Moves the head's first entries, n at most, to the scan; slot->lock held. */
static void
take_entries(PoolQueueScan *scan, int n)
{
	QueueSlot  *slot = scan->slot;

	scan->next_popped = 0;
	scan->n_popped = Min(n, slot->tail - slot->head);
	memcpy(scan->popped, &slot->entries[slot->head],
		   scan->n_popped * sizeof(PoolCandidate));
	slot->head += scan->n_popped;
	for (int i = 0; i < scan->n_popped; i++)
		queue_answer_popped(&scan->reader.key, slot, &scan->popped[i]);
}

/*
 * Pops the head's first entries: as many as are wanted, if it has them, since
 * neighbours in the queue are mostly neighbours in the table, where two who
 * take turns are in each other's way.  *starved is set if there was none
 * although everything behind the frontier was looked at.
 */
static bool
pop(PoolQueueScan *scan, int wanted, bool *starved)
{
	QueueReader *reader = &scan->reader;
	QueueSlot  *slot = scan->slot;
	bool		popped = false;
	bool		do_refill = false;
	bool		wait = false;
	int64		from;
	uint32		epoch;

	queue_prepared_settle();
	wanted = Min(wanted, QUEUE_CAPACITY);
	if (scan->popped == NULL)
		scan->popped = palloc(wanted * sizeof(PoolCandidate));
	queue_answer_reserve(wanted);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (!queue_slot_is(slot, &reader->key))
	{
		LWLockRelease(&slot->lock);
		scan->slot = queue_slot_get(&reader->key, true);
		scan->whole = scan->slot == NULL;
		return false;
	}
	if (slot->head < slot->tail)
	{
		take_entries(scan, wanted);
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
		queue_refill_begin(slot);
	from = slot->frontier;
	epoch = slot->epoch;
	LWLockRelease(&slot->lock);

	if (wait)
	{
		ConditionVariableSleep(&slot->refilled, PG_WAIT_EXTENSION);
		ConditionVariableCancelSleep();
	}
	else if (do_refill && !queue_refill(reader, slot, from, epoch) && !popped)
		*starved = true;
	return popped;
}

/* ------------------------------------------------------------------------
 * Looking at the index
 * ------------------------------------------------------------------------ */

/*
 * Whether the head has nothing to offer, and nothing lies behind its frontier.
 * Tells how often something was published there.
 */
static bool
is_dry(PoolQueueScan *scan, uint32 *published)
{
	QueueSlot  *slot = scan->slot;
	bool		dry;

	LWLockAcquire(&slot->lock, LW_SHARED);
	dry = queue_slot_is(slot, &scan->reader.key) && slot->dry &&
		slot->head == slot->tail;
	*published = slot->published;
	LWLockRelease(&slot->lock);
	return dry;
}

/*
 * Begins to look at what others hold, unless there is something to be popped
 * again; or at everything.
 */
static void
begin_look(PoolQueueScan *scan)
{
	const QueueKey *key = &scan->reader.key;
	bool		dry = false;

	if (++scan->looks > MAX_LOOKS)
		scan->whole = true;
	if (scan->slot != NULL)
		dry = is_dry(scan, &scan->published);
	if (!dry && !scan->whole)
		return;
	scan->looking = true;
	scan->next_span = 0;
	scan->others.n = scan->others.n_givers = 0;
	if (scan->slot != NULL && queue_answer_by_others(key, scan->slot))
		queue_holder_look(key, &scan->others);
	if (scan->whole)
		scan->others.n = 1;
}

/*
 * Ends the look; whether what it has found is all there is.  Whoever lets a
 * lead go publishes that before he stops being counted and shown, so if nothing
 * was published since the look began, and nobody committed, nothing can have
 * slipped past it.  After MAX_LOOKS there clearly are others who hold leads and
 * let them go: `contended`.
 */
static bool
end_look(PoolQueueScan *scan)
{
	uint32		published;
	bool		dry;

	scan->looking = false;
	if (scan->slot == NULL)
		return true;
	dry = is_dry(scan, &published);
	if ((dry || scan->whole) && published == scan->published &&
		queue_holder_unchanged(&scan->others))
		return true;
	if (scan->looks <= MAX_LOOKS)
		return false;
	scan->contended = true;
	return true;
}

/* Whether the lead just read is one to hand out. */
static bool
is_eligible(PoolQueueScan *scan)
{
	QueueReader *reader = &scan->reader;

	if (TransactionIdIsValid(reader->dirty->xmin))
		return false;			/* not committed: there is nothing yet */
	if (TransactionIdIsValid(reader->dirty->xmax))
	{
		scan->contended = true;
		return false;
	}
	if (IsolationUsesXactSnapshot() &&
		!table_tuple_satisfies_snapshot(reader->leads->rel, reader->row,
										scan->snapshot))
	{
		scan->unseen = true;
		return false;
	}
	return true;
}

/* The next lead of the span looked at. */
static bool
next_of_span(PoolQueueScan *scan, PoolCandidate *candidate)
{
	QueueReader *reader = &scan->reader;

	while (index_getnext_slot(scan->index_scan, ForwardScanDirection,
							  reader->row))
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_eligible(scan))
			continue;
		queue_reader_candidate(reader, candidate);
		pool_queue_take(reader->leads, reader->key.pool_id, candidate);
		return true;
	}
	return false;
}

static bool
next_of_look(PoolQueueScan *scan, PoolCandidate *candidate)
{
	static const QueueSpan everything = {QUEUE_FIRST, QUEUE_LAST};

	for (;;)
	{
		const QueueSpan *span = &everything;

		if (scan->index_scan != NULL)
		{
			if (next_of_span(scan, candidate))
				return true;
			index_endscan(scan->index_scan);
			scan->index_scan = NULL;
		}
		if (scan->next_span == scan->others.n)
			return false;
		if (!scan->whole)
			span = &scan->others.spans[scan->next_span];
		scan->next_span++;
		scan->index_scan = queue_reader_scan(&scan->reader, span->first,
											 span->last, false);
	}
}

/* ------------------------------------------------------------------------
 * Handing out
 * ------------------------------------------------------------------------ */

/*
 * Hands out the next candidate, for which this transaction then answers;
 * false if there is none.  It may be locked, or not available any more.
 * `wanted` is how many the caller has use for: never more than last time.
 */
bool
pool_queue_next(PoolQueueScan *scan, int wanted, PoolCandidate *candidate)
{
	for (;;)
	{
		bool		starved = false;

		CHECK_FOR_INTERRUPTS();
		if (scan->next_popped < scan->n_popped)
		{
			scan->current = *candidate = scan->popped[scan->next_popped++];
			return true;
		}
		if (!scan->looking && scan->whole)
			begin_look(scan);
		if (!scan->looking && pop(scan, wanted, &starved))
			continue;
		if (scan->looking && next_of_look(scan, candidate))
		{
			scan->current = *candidate;
			return true;
		}
		if (scan->looking && end_look(scan))
			return false;
		if (starved)
			begin_look(scan);
	}
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
	scan->let_go = true;
}

/* The candidate is gone, or somebody else answers for it. */
void
pool_queue_drop(PoolQueueScan *scan)
{
	queue_answer_drop(&scan->reader.key, &scan->current);
	scan->let_go = true;
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
	/* what the caller has not come to */
	while (scan->next_popped < scan->n_popped)
		queue_answer_put_back(&scan->reader.key,
							  &scan->popped[--scan->n_popped]);
	for (int i = scan->n_put_back - 1; i >= 0; i--)
		queue_answer_put_back(&scan->reader.key, &scan->put_back[i]);
	if (scan->let_go)
		queue_answer_show();
	if (scan->index_scan != NULL)
		index_endscan(scan->index_scan);
	queue_reader_end(&scan->reader);
	pfree(scan);
}
