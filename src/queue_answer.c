/*
 * queue_answer.c
 *	  The leads this transaction answers for.
 *
 * Somebody always answers for a lead that its pool's head neither remembers
 * nor finds behind its frontier: the transaction that took it puts it back when
 * it (or its subtransaction) aborts, the transaction that made it available
 * publishes it when it has committed.  Both happen after the outcome is visible,
 * and only then the answer ceases to count.  A prepared transaction cannot do
 * that itself and leaves word in queue_prepared.c.
 *
 * Writers other than lead.c (superusers' SQL, a restore, logical replication)
 * answer by resetting all heads of the database when they end; a trigger on
 * the table sees to that.
 */
#include "queue_answer.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "queue_holder.h"
#include "queue_prepared.h"
#include "replication/logicalworker.h"
#include "trigger.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(pool_lead_written);

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

/* What is left of answers that became too many: all between two tickets. */
typedef struct AnswerRange
{
	QueueKey	key;
	QueueSlot  *slot;
	bool		given;
	uint32		unsettled;
	int64		first;
	int64		last;
} AnswerRange;

static MemoryContext answer_context = NULL;
static Answer *answers = NULL;
static int	n_answers = 0;
static int	answers_size = 0;
static AnswerRange *ranges = NULL;
static int	n_ranges = 0;
static int	ranges_size = 0;

/* set by the trigger: in this transaction SQL has written leads */
static bool foreign_writes = false;
static bool foreign_changes = false;	/* and not only inserted some */

/* ------------------------------------------------------------------------
 * The list
 * ------------------------------------------------------------------------ */

/* That of all pools. */
static QueueKey
database_key(void)
{
	QueueKey	key = {.database = MyDatabaseId};

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
range_for(const Answer *answer)
{
	AnswerRange *range;

	for (int i = 0; i < n_ranges; i++)
		if (memcmp(&ranges[i].key, &answer->key, sizeof(QueueKey)) == 0 &&
			ranges[i].slot == answer->slot &&
			ranges[i].given == answer->given)
			return &ranges[i];
	if (n_ranges == ranges_size)
		ranges = grow(ranges, &ranges_size, sizeof(AnswerRange));
	range = &ranges[n_ranges++];
	*range = (AnswerRange)
	{
		answer->key, answer->slot, answer->given, 0, QUEUE_LAST, QUEUE_FIRST
	};
	return range;
}

/* Turns all answers into ranges: less exact, but bounded. */
static void
collapse_answers(void)
{
	for (int i = 0; i < n_answers; i++)
	{
		AnswerRange *range = range_for(&answers[i]);
		int64		ticket = answers[i].lead.ticket;

		range->unsettled++;
		range->first = Min(range->first, ticket);
		range->last = Max(range->last, ticket);
	}
	n_answers = 0;
}

/* Makes room for n more answers, so that adding one cannot fail. */
void
queue_answer_reserve(int n)
{
	if (n_answers + n > MAX_ANSWERS)
		collapse_answers();
	while (n_answers + n > answers_size)
		answers = grow(answers, &answers_size, sizeof(Answer));
}

/*
 * Adds an answer, for which room has been reserved, and lets others know of
 * it.  The caller counts it as unsettled afterwards.
 */
static Answer *
add_answer(const QueueKey *key, bool given, const PoolCandidate *lead)
{
	Answer	   *answer = &answers[n_answers++];

	Assert(n_answers <= answers_size);
	answer->key = *key;
	answer->slot = NULL;
	answer->subid = GetCurrentSubTransactionId();
	answer->given = given;
	answer->lead = *lead;
	queue_holder_note(key, given, lead->ticket, lead->ticket);
	queue_holder_show();
	return answer;
}

/* Finds the answer for a lead taken; the latest are the likeliest. */
static Answer *
find_answer(const QueueKey *key, const PoolCandidate *lead)
{
	for (int i = n_answers - 1; i >= 0; i--)
		if (!answers[i].given && answers[i].lead.ticket == lead->ticket &&
			answers[i].key.pool_id == key->pool_id &&
			ItemPointerEquals(&answers[i].lead.tid,
							  (ItemPointer) &lead->tid))
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

/*
 * Shows others what is left of the answers.  Without it they are shown, and
 * look at, too much.
 */
void
queue_answer_show(void)
{
	QueueKey	all = database_key();

	if (!queue_slot_available())
		return;
	queue_holder_forget();
	for (int i = 0; i < n_answers; i++)
		queue_holder_note(&answers[i].key, answers[i].given,
						  answers[i].lead.ticket, answers[i].lead.ticket);
	for (int i = 0; i < n_ranges; i++)
		queue_holder_note(&ranges[i].key, ranges[i].given,
						  ranges[i].first, ranges[i].last);
	if (foreign_writes)
		queue_holder_note(&all, !foreign_changes, QUEUE_FIRST, QUEUE_LAST);
	queue_holder_show();
}

/* ------------------------------------------------------------------------
 * Counting
 * ------------------------------------------------------------------------ */

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

/* Whether others may answer for leads of this pool; false is certain. */
bool
queue_answer_by_others(const QueueKey *key, QueueSlot *slot)
{
	int64		first;
	int64		last;

	return pg_atomic_read_u32(&slot->unsettled) > my_unsettled(slot) ||
		pg_atomic_read_u32(queue_slot_homeless()) > my_unsettled(NULL) ||
		queue_prepared_pending(key, &first, &last);
}

/*
 * Whether this transaction can use the hints for the pool: nobody else
 * knows of the leads it has itself made available.
 */
bool
queue_answer_fits_hints(const QueueKey *key)
{
	if (IsolationUsesXactSnapshot() || foreign_writes || n_ranges > 0)
		return false;
	for (int i = 0; i < n_answers; i++)
		if (answers[i].given && answers[i].key.pool_id == key->pool_id)
			return false;
	return true;
}

/* ------------------------------------------------------------------------
 * What the writer of lead rows, and whoever looks for leads, tell
 * ------------------------------------------------------------------------ */

static void
answer_for(PoolTable *leads, int32 pool_id, bool given,
		   const PoolCandidate *candidate)
{
	QueueKey	key;
	Answer	   *answer;

	if (!queue_slot_available())
		return;
	key = queue_slot_key(leads, pool_id);
	queue_answer_reserve(1);
	answer = add_answer(&key, given, candidate);
	answer->slot = queue_slot_count_unsettled(&key);
}

/*
 * The writer is about to take this lead out of the queue: this transaction
 * answers for it from now on.  To be called before the row is changed, so that
 * whoever finds it changed knows that somebody answers.
 */
void
pool_queue_take(PoolTable *leads, int32 pool_id,
				const PoolCandidate *candidate)
{
	answer_for(leads, pool_id, false, candidate);
}

/* The writer has made this lead available. */
void
pool_queue_give(PoolTable *leads, int32 pool_id,
				const PoolCandidate *candidate)
{
	answer_for(leads, pool_id, true, candidate);
}

/*
 * This lead was popped from a head, whose lock is held and which will count
 * it; room has been reserved.
 */
void
queue_answer_popped(const QueueKey *key, QueueSlot *slot,
					const PoolCandidate *lead)
{
	add_answer(key, false, lead)->slot = slot;
	pg_atomic_add_fetch_u32(&slot->unsettled, 1);
}

/*
 * Trigger on lead_state: somebody else than lead.c is writing.  Others are to
 * look for his leads in the table; for those he only inserts, not before they
 * are committed.
 */
Datum
pool_lead_written(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = pool_trigger_data(fcinfo);
	bool		first = !foreign_writes;
	bool		changes;

	if (!queue_slot_available())
		return PointerGetDatum(NULL);
	changes = !TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	if (!first && (foreign_changes || !changes))
		return PointerGetDatum(NULL);
	foreign_writes = true;
	foreign_changes = changes;
	(void) GetTopTransactionId();	/* to tell when it has ended */
	queue_answer_show();
	if (first)
		pg_atomic_add_fetch_u32(queue_slot_homeless(), 1);
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------
 * Settling
 * ------------------------------------------------------------------------ */

static void
settle_answer(const Answer *answer, bool committed)
{
	if (answer->given == committed)
		queue_slot_publish(&answer->key, answer->slot, &answer->lead, false);
	queue_slot_uncount(answer->slot, 1);
}

static void
settle_ranges(void)
{
	for (int i = 0; i < n_ranges; i++)
	{
		PoolCandidate from = {.ticket = ranges[i].first};

		queue_slot_publish(&ranges[i].key, ranges[i].slot, &from, true);
	}
}

/* The lead is gone, or somebody else answers for it. */
void
queue_answer_drop(const QueueKey *key, const PoolCandidate *lead)
{
	Answer	   *answer = find_answer(key, lead);

	if (answer == NULL)
		return;					/* part of a range: pulled back in the end */
	queue_slot_publish(key, answer->slot, NULL, false);
	queue_slot_uncount(answer->slot, 1);
	remove_answer(answer);
}

/* The lead is available to others. */
void
queue_answer_put_back(const QueueKey *key, const PoolCandidate *lead)
{
	Answer	   *answer = find_answer(key, lead);

	if (answer == NULL)
	{
		/* part of a range; others need not wait for its end */
		queue_slot_publish(key, NULL, lead, false);
		return;
	}
	settle_answer(answer, false);
	remove_answer(answer);
}

/* Everything is settled, or prepared. */
static void
forget_answers(void)
{
	if (!queue_slot_available())
		return;
	for (int i = 0; i < n_ranges; i++)
		queue_slot_uncount(ranges[i].slot, ranges[i].unsettled);
	if (foreign_writes)
		queue_slot_uncount(NULL, 1);
	n_answers = 0;
	n_ranges = 0;
	foreign_writes = foreign_changes = false;
	queue_holder_hide();
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
	for (int i = 0; i < n_answers; i++)
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
	QueueKey	all = database_key();

	if (n_answers == 0 && n_ranges == 0 && !foreign_writes)
		return;
	xid = GetTopTransactionId();
	if (foreign_writes)
		queue_prepared_add(xid, &all, QUEUE_FIRST, QUEUE_LAST);
	for (int i = 0; i < n_answers; i++)
		queue_prepared_add(xid, &answers[i].key, answers[i].lead.ticket,
						   answers[i].lead.ticket);
	for (int i = 0; i < n_ranges; i++)
		queue_prepared_add(xid, &ranges[i].key, ranges[i].first,
						   ranges[i].last);
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
			settle_transaction(false);
			break;
		case XACT_EVENT_PRE_PREPARE:
			prepare_transaction();
			break;
		case XACT_EVENT_PREPARE:
			for (int i = 0; i < n_answers; i++)
				queue_slot_uncount(answers[i].slot, 1);
			forget_answers();
			break;
		default:
			break;
	}
}

static void
abort_subxact(SubTransactionId subid)
{
	bool		settled = false;

	while (n_answers > 0 && answers[n_answers - 1].subid == subid)
	{
		settle_answer(&answers[--n_answers], false);
		settled = true;
	}
	/* which part of a range aborted is not known, nor what SQL wrote */
	settle_ranges();
	if (foreign_writes)
		queue_slot_reset_database(MyDatabaseId);
	if (settled)
		queue_answer_show();
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
		abort_subxact(subid);
}

void
queue_answer_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}
