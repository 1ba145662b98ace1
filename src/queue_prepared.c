/*
 * queue_prepared.c
 *	  What prepared transactions hold of the queues.
 *
 * A prepared transaction outlives the callbacks of its backend, so what it
 * answers for is written down in a list in shared memory.  Nobody is told when
 * it ends: whoever looks at a queue settles those that have.  Usually the
 * list is empty, and that costs one read.
 *
 * The list's lock may be held while those of queue_slot.c are taken, never the
 * other way round.
 */
#include "queue_prepared.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "storage/procarray.h"
#include "storage/shmem.h"

/* A prepared transaction that took leads or made some available. */
typedef struct PreparedEntry
{
	TransactionId xid;			/* invalid = unused */
	QueueKey	key;			/* pool_id 0 = several pools */
	int64		first;			/* tickets it touched */
	int64		last;
} PreparedEntry;

typedef struct PreparedList
{
	LWLock	   *lock;			/* guards the entries */
	pg_atomic_uint32 n_used;
	int			size;
	PreparedEntry entries[FLEXIBLE_ARRAY_MEMBER];
} PreparedList;

static PreparedList *list = NULL;

/* One entry per prepared transaction, and room for as many just ended. */
static int
list_size(void)
{
	return 2 * max_prepared_xacts + 8;
}

Size
queue_prepared_size(void)
{
	return add_size(offsetof(PreparedList, entries),
					mul_size(list_size(), sizeof(PreparedEntry)));
}

/* At the start of the server, AddinShmemInitLock held. */
void
queue_prepared_create(LWLock *lock)
{
	bool		found;

	list = ShmemInitStruct("pool_ext prepared", queue_prepared_size(), &found);
	if (found)
		return;
	memset(list, 0, queue_prepared_size());
	list->lock = lock;
	list->size = list_size();
	pg_atomic_init_u32(&list->n_used, 0);
}

static bool
is_empty(void)
{
	return list == NULL || pg_atomic_read_u32(&list->n_used) == 0;
}

/* List locked. */
static void
settle_entry(PreparedEntry *entry)
{
	QueueSlot  *slot;

	if (entry->key.pool_id == 0)
		queue_slot_reset_database(entry->key.database);
	else if ((slot = queue_slot_get(&entry->key, false)) != NULL)
	{
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		if (queue_slot_is(slot, &entry->key))
			queue_slot_pull_back(slot, entry->first);
		LWLockRelease(&slot->lock);
	}
	entry->xid = InvalidTransactionId;
	pg_atomic_sub_fetch_u32(&list->n_used, 1);
}

/*
 * Lets the frontiers go back behind the prepared transactions that have
 * ended meanwhile.  Costs nothing where none is listed.
 */
void
queue_prepared_settle(void)
{
	if (is_empty())
		return;
	LWLockAcquire(list->lock, LW_EXCLUSIVE);
	for (int i = 0; i < list->size; i++)
	{
		PreparedEntry *entry = &list->entries[i];

		if (TransactionIdIsValid(entry->xid) &&
			!TransactionIdIsInProgress(entry->xid))
			settle_entry(entry);
	}
	LWLockRelease(list->lock);
}

/* More tickets, or one entry for several pools. */
static void
widen_entry(PreparedEntry *entry, const QueueKey *key, int64 first, int64 last)
{
	if (entry->key.pool_id != key->pool_id || entry->key.table != key->table)
		entry->key.pool_id = 0;
	entry->first = Min(entry->first, first);
	entry->last = Max(entry->last, last);
}

/* The transaction's entry, or else an unused one, or NULL.  List locked. */
static PreparedEntry *
find_entry(TransactionId xid)
{
	PreparedEntry *unused = NULL;

	for (int i = 0; i < list->size; i++)
	{
		PreparedEntry *entry = &list->entries[i];

		if (entry->xid == xid)
			return entry;
		if (!TransactionIdIsValid(entry->xid) && unused == NULL)
			unused = entry;
	}
	return unused;
}

/*
 * Notes that this transaction, which is prepared or about to be, stands for
 * these tickets of the pool.
 */
void
queue_prepared_add(TransactionId xid, const QueueKey *key,
				   int64 first, int64 last)
{
	PreparedEntry *entry;

	if (list == NULL)
		return;
	queue_prepared_settle();
	LWLockAcquire(list->lock, LW_EXCLUSIVE);
	entry = find_entry(xid);
	if (entry == NULL)
	{
		LWLockRelease(list->lock);
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no room for another prepared transaction"),
				 errdetail("Each one that has claimed or entered leads is remembered in shared memory."),
				 errhint("Increase max_prepared_transactions.")));
	}
	if (entry->xid == xid)
		widen_entry(entry, key, first, last);
	else
	{
		*entry = (PreparedEntry)
		{
			xid, *key, first, last
		};
		pg_atomic_add_fetch_u32(&list->n_used, 1);
	}
	LWLockRelease(list->lock);
}

/*
 * Whether prepared transactions stand for leads of this pool, and between
 * which tickets.
 */
bool
queue_prepared_pending(const QueueKey *key, int64 *first, int64 *last)
{
	*first = QUEUE_LAST;
	*last = QUEUE_FIRST;
	if (is_empty())
		return false;
	LWLockAcquire(list->lock, LW_SHARED);
	for (int i = 0; i < list->size; i++)
	{
		PreparedEntry *entry = &list->entries[i];

		if (!TransactionIdIsValid(entry->xid) ||
			entry->key.database != key->database ||
			(entry->key.pool_id != 0 && entry->key.pool_id != key->pool_id))
			continue;
		*first = Min(*first, entry->first);
		*last = Max(*last, entry->last);
	}
	LWLockRelease(list->lock);
	return *first <= *last;
}
