/*
 * queue_holder.c
 *	  Where in the queues each backend's transaction answers for leads.
 *
 * Whoever finds a queue empty must look at what others hold: it may be on its
 * way back, and it decides between `contended` and `empty`.  So that he need not
 * look at the whole queue, and everything dead in it, each backend shows in
 * shared memory between which tickets of which pools its answers lie.  It may
 * show too much, never too little: from before the transaction's first answer
 * counts until after its last one is settled.
 *
 * Each backend writes its own record, with a spinlock that only such a look
 * contends for.
 */
#include "queue_holder.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "queue_prepared.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "storage/spin.h"

#define HOLDS 16				/* beyond, one for all pools */
#define NEAR 32					/* tickets between spans read as one */

/* Answers of one kind in one pool. */
typedef struct QueueHold
{
	QueueKey	key;			/* pool_id 0 = all pools of the database */
	bool		given;			/* available once the transaction commits */
	int64		first;
	int64		last;
} QueueHold;

typedef struct QueueHolds
{
	TransactionId xid;			/* invalid = none yet */
	int			n;
	QueueHold	holds[HOLDS];
} QueueHolds;

typedef struct QueueHolder
{
	slock_t		mutex;			/* guards what follows */
	QueueHolds	shown;
} QueueHolder;

static QueueHolder *holders = NULL; /* by backend number */
static QueueHolds mine;			/* what this backend has to show */
static bool shown = false;		/* some of it */

static Size
record_size(void)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(QueueHolder));
}

Size
queue_holder_size(void)
{
	return mul_size(MaxBackends, record_size());
}

static QueueHolder *
holder_of(int backend)
{
	return (QueueHolder *) ((char *) holders + backend * record_size());
}

/* At the start of the server, AddinShmemInitLock held. */
void
queue_holder_create(void)
{
	bool		found;

	holders = ShmemInitStruct("pool_ext holders", queue_holder_size(), &found);
	if (found)
		return;
	for (int i = 0; i < MaxBackends; i++)
	{
		SpinLockInit(&holder_of(i)->mutex);
		holder_of(i)->shown.n = 0;
	}
}

/* The hold to widen: the last one serves all pools there is no room for. */
static QueueHold *
hold_for(const QueueKey *key, bool given)
{
	QueueHold  *hold;

	for (int i = 0; i < mine.n; i++)
	{
		hold = &mine.holds[i];
		if (hold->given == given &&
			memcmp(&hold->key, key, sizeof(QueueKey)) == 0)
			return hold;
	}
	if (mine.n < HOLDS)
	{
		hold = &mine.holds[mine.n++];
		*hold = (QueueHold)
		{
			*key, given, QUEUE_LAST, QUEUE_FIRST
		};
		return hold;
	}
	hold = &mine.holds[HOLDS - 1];
	hold->key.pool_id = 0;
	hold->given = hold->given && given;
	return hold;
}

/* Adds tickets to what is to be shown. */
void
queue_holder_note(const QueueKey *key, bool given, int64 first, int64 last)
{
	QueueHold  *hold = hold_for(key, given);

	hold->first = Min(hold->first, first);
	hold->last = Max(hold->last, last);
}

void
queue_holder_forget(void)
{
	mine.n = 0;
}

/* Copies up to what is in use. */
static void
copy_holds(QueueHolds *to, const QueueHolds *from)
{
	memcpy(to, from, offsetof(QueueHolds, holds) +
		   from->n * sizeof(QueueHold));
}

void
queue_holder_show(void)
{
	QueueHolder *holder = holder_of(MyProcNumber);

	mine.xid = GetTopTransactionIdIfAny();
	SpinLockAcquire(&holder->mutex);
	copy_holds(&holder->shown, &mine);
	SpinLockRelease(&holder->mutex);
	shown = mine.n > 0;
}

/* Nothing is held any more. */
void
queue_holder_hide(void)
{
	mine.n = 0;
	if (shown)
		queue_holder_show();
}

static bool
is_relevant(const QueueHold *hold, const QueueKey *key)
{
	return hold->key.database == key->database &&
		(hold->key.pool_id == 0 ||
		 (hold->key.pool_id == key->pool_id &&
		  hold->key.table == key->table));
}

static int
compare_spans(const void *a, const void *b)
{
	int64		left = ((const QueueSpan *) a)->first;
	int64		right = ((const QueueSpan *) b)->first;

	return left < right ? -1 : left > right;
}

/* Sorts them, and joins those that overlap or lie close together. */
static int
join_spans(QueueSpan *spans, int n)
{
	int			last = 0;

	if (n == 0)
		return 0;
	qsort(spans, n, sizeof(QueueSpan), compare_spans);
	for (int i = 1; i < n; i++)
	{
		if (spans[i].first <= spans[last].last ||
			spans[i].first - spans[last].last <= NEAR)
			spans[last].last = Max(spans[last].last, spans[i].last);
		else
			spans[++last] = spans[i];
	}
	return last + 1;
}

/* Room for one more of either, and for the span of prepared transactions. */
static void
make_room(QueueHoldings *them)
{
	if (Max(them->n, them->n_givers) + 1 < them->size)
		return;
	them->size *= 2;
	them->spans = repalloc(them->spans, them->size * sizeof(QueueSpan));
	them->givers = repalloc(them->givers, them->size * sizeof(TransactionId));
}

/*
 * What a running transaction is about to give is not there yet, for anybody;
 * what it has taken is.
 */
static void
add_hold(QueueHoldings *them, const QueueHold *hold, TransactionId xid)
{
	make_room(them);
	if (hold->given && TransactionIdIsValid(xid) &&
		TransactionIdIsInProgress(xid))
		them->givers[them->n_givers++] = xid;
	else
		them->spans[them->n++] = (QueueSpan)
	{
		hold->first, hold->last
	};
}

/*
 * What others' transactions answer for in this pool.  Prepared ones come last:
 * a transaction is written down there before its backend forgets it.
 */
void
queue_holder_look(const QueueKey *key, QueueHoldings *them)
{
	QueueSpan	prepared;

	them->size = 64;
	them->spans = palloc(them->size * sizeof(QueueSpan));
	them->givers = palloc(them->size * sizeof(TransactionId));
	them->n = them->n_givers = 0;
	for (int i = 0; i < MaxBackends; i++)
	{
		QueueHolder *holder = holder_of(i);
		QueueHolds	theirs;

		if (i == MyProcNumber)
			continue;
		SpinLockAcquire(&holder->mutex);
		copy_holds(&theirs, &holder->shown);
		SpinLockRelease(&holder->mutex);
		for (int j = 0; j < theirs.n; j++)
			if (is_relevant(&theirs.holds[j], key))
				add_hold(them, &theirs.holds[j], theirs.xid);
	}
	if (queue_prepared_pending(key, &prepared.first, &prepared.last))
		them->spans[them->n++] = prepared;
	them->n = join_spans(them->spans, them->n);
}

/*
 * Whether those who were about to give something still are.  One that has
 * ended may have moved a lead from where nobody has looked yet to where nobody
 * will.
 */
bool
queue_holder_unchanged(const QueueHoldings *them)
{
	for (int i = 0; i < them->n_givers; i++)
		if (!TransactionIdIsInProgress(them->givers[i]))
			return false;
	return true;
}
