/*
 * queue_slot.c
 *	  The shared memory behind queue.c: a queue head per pool.
 *
 * Everything here is a hint that may vanish at any time: a head that is given
 * to another pool, or a restart, costs a scan of the queue's index and nothing
 * else.  Without shared_preload_libraries there are no heads at all.
 *
 * Locks: the directory's lock may be held while a head's is taken, never the
 * other way round.  Neither is held while anything else is waited for.
 */
#include "queue_slot.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "guc.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"

#define TICKET_FIRST PG_INT64_MIN

/* A prepared transaction that took leads or made some available. */
typedef struct PreparedEntry
{
	TransactionId xid;			/* invalid = unused */
	QueueKey	key;			/* pool_id 0 = several pools */
	int64		ticket;			/* the least it touched */
} PreparedEntry;

typedef struct QueueDirectory
{
	LWLock	   *lock;			/* the hash table and the prepared list */
	int			tranche;		/* of the heads' locks */
	int			n_slots;
	int			next_victim;
	pg_atomic_uint32 homeless;	/* answers that no head counts */
	pg_atomic_uint32 n_prepared;
	int			prepared_size;
	PreparedEntry *prepared;
	QueueSlot  *slots;
} QueueDirectory;

typedef struct QueueHashEntry
{
	QueueKey	key;
	int			slot;
} QueueHashEntry;

static QueueDirectory *directory = NULL;
static HTAB *slot_hash = NULL;

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

/* One entry per prepared transaction, and room for as many just ended. */
static int
prepared_size(void)
{
	return 2 * max_prepared_xacts + 8;
}

static Size
slots_size(void)
{
	return mul_size(pool_queue_pools, sizeof(QueueSlot));
}

static void
request_shmem(void)
{
	Size		size = MAXALIGN(sizeof(QueueDirectory));

	if (prev_shmem_request)
		prev_shmem_request();
	size = add_size(size, mul_size(prepared_size(), sizeof(PreparedEntry)));
	size = add_size(size, slots_size());
	size = add_size(size, hash_estimate_size(pool_queue_pools,
											 sizeof(QueueHashEntry)));
	/* alignment of the pieces */
	size = add_size(size, 4 * PG_CACHE_LINE_SIZE);
	RequestAddinShmemSpace(size);
	RequestNamedLWLockTranche("pool_ext", 1);
}

static void
init_slot(QueueSlot *slot, const QueueKey *key)
{
	slot->key = *key;
	pg_atomic_write_u32(&slot->unsettled, 0);
	slot->epoch++;
	slot->frontier = TICKET_FIRST;
	slot->refilling = false;
	slot->dry = false;
	slot->head = slot->tail = 0;
}

static void
init_directory(void)
{
	bool		found;
	QueueKey	none = {0};

	directory->lock = &GetNamedLWLockTranche("pool_ext")->lock;
	directory->tranche = LWLockNewTrancheId();
	directory->n_slots = pool_queue_pools;
	directory->next_victim = 0;
	pg_atomic_init_u32(&directory->homeless, 0);
	pg_atomic_init_u32(&directory->n_prepared, 0);
	directory->prepared_size = prepared_size();
	directory->prepared = ShmemInitStruct("pool_ext prepared",
										  prepared_size() *
										  sizeof(PreparedEntry), &found);
	memset(directory->prepared, 0, prepared_size() * sizeof(PreparedEntry));
	directory->slots = ShmemInitStruct("pool_ext queues", slots_size(),
									   &found);
	for (int i = 0; i < directory->n_slots; i++)
	{
		QueueSlot  *slot = &directory->slots[i];

		LWLockInitialize(&slot->lock, directory->tranche);
		ConditionVariableInit(&slot->refilled);
		pg_atomic_init_u32(&slot->unsettled, 0);
		slot->epoch = 0;
		init_slot(slot, &none);
	}
}

static void
startup_shmem(void)
{
	bool		found;
	HASHCTL		ctl;

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	directory = ShmemInitStruct("pool_ext", sizeof(QueueDirectory), &found);
	if (!found)
		init_directory();
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(QueueKey);
	ctl.entrysize = sizeof(QueueHashEntry);
	slot_hash = ShmemInitHash("pool_ext queue directory",
							  pool_queue_pools, pool_queue_pools,
							  &ctl, HASH_ELEM | HASH_BLOBS);
	LWLockRelease(AddinShmemInitLock);
	LWLockRegisterTranche(directory->tranche, "pool_ext_queue");
}

void
queue_slot_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

bool
queue_slot_available(void)
{
	return directory != NULL;
}

/* Only where heads are available. */
pg_atomic_uint32 *
queue_slot_homeless(void)
{
	return &directory->homeless;
}

int
queue_slot_count(void)
{
	return directory == NULL ? 0 : directory->n_slots;
}

QueueSlot *
queue_slot_number(int i)
{
	return &directory->slots[i];
}

bool
queue_slot_is(const QueueSlot *slot, const QueueKey *key)
{
	return slot->key.pool_id == key->pool_id &&
		slot->key.table == key->table &&
		slot->key.database == key->database;
}

/*
 * A head to give to another pool: an unused one, or one nobody needs just
 * now.  NULL if all are in use.  Directory lock held.
 */
static QueueSlot *
find_victim(void)
{
	for (int i = 0; i < directory->n_slots; i++)
	{
		QueueSlot  *slot = &directory->slots[directory->next_victim];

		directory->next_victim = (directory->next_victim + 1) %
			directory->n_slots;
		if (!LWLockConditionalAcquire(&slot->lock, LW_EXCLUSIVE))
			continue;
		if (!slot->refilling && pg_atomic_read_u32(&slot->unsettled) == 0)
			return slot;
		LWLockRelease(&slot->lock);
	}
	return NULL;
}

static QueueSlot *
create_slot(const QueueKey *key)
{
	QueueSlot  *slot = find_victim();
	QueueHashEntry *entry;

	if (slot == NULL)
		return NULL;
	if (slot->key.pool_id != 0)
		hash_search(slot_hash, &slot->key, HASH_REMOVE, NULL);
	init_slot(slot, key);
	entry = hash_search(slot_hash, key, HASH_ENTER_NULL, NULL);
	if (entry == NULL)
	{
		slot->key.pool_id = 0;
		LWLockRelease(&slot->lock);
		return NULL;
	}
	entry->slot = slot - directory->slots;
	LWLockRelease(&slot->lock);
	return slot;
}

/*
 * The head of this pool, NULL if there is none (or, with create, no room for
 * one).  By the time the caller locks it, it may be another pool's: ask
 * queue_slot_is.
 */
QueueSlot *
queue_slot_get(const QueueKey *key, bool create)
{
	QueueHashEntry *entry;
	QueueSlot  *slot = NULL;

	if (directory == NULL)
		return NULL;
	LWLockAcquire(directory->lock, LW_SHARED);
	entry = hash_search(slot_hash, key, HASH_FIND, NULL);
	if (entry != NULL)
		slot = &directory->slots[entry->slot];
	LWLockRelease(directory->lock);
	if (slot != NULL || !create)
		return slot;

	LWLockAcquire(directory->lock, LW_EXCLUSIVE);
	entry = hash_search(slot_hash, key, HASH_FIND, NULL);
	if (entry != NULL)
		slot = &directory->slots[entry->slot];
	else
		slot = create_slot(key);
	LWLockRelease(directory->lock);
	return slot;
}

/*
 * Lets the frontier begin at this ticket, if it is not before it anyway; what
 * is remembered behind it will be found again.
 */
void
queue_slot_pull_back(QueueSlot *slot, int64 ticket)
{
	slot->dry = false;
	if (ticket >= slot->frontier)
	{
		if (slot->refilling)
			slot->refill_floor = Min(slot->refill_floor, ticket);
		return;
	}
	while (slot->tail > slot->head &&
		   slot->entries[slot->tail - 1].ticket >= ticket)
		slot->tail--;
	slot->frontier = ticket;
	slot->epoch++;				/* a refill under way is void */
}

static void
compact(QueueSlot *slot)
{
	memmove(slot->entries, &slot->entries[slot->head],
			(slot->tail - slot->head) * sizeof(PoolCandidate));
	slot->tail -= slot->head;
	slot->head = 0;
}

/* Remembers a lead that is available and committed, at its place. */
void
queue_slot_insert(QueueSlot *slot, const PoolCandidate *entry)
{
	int			at;

	if (entry->ticket >= slot->frontier)
	{
		queue_slot_pull_back(slot, entry->ticket);
		return;
	}
	if (slot->tail - slot->head == QUEUE_CAPACITY)
	{
		/* the worst one makes room: the frontier begins there now */
		int64		worst = slot->entries[slot->tail - 1].ticket;

		queue_slot_pull_back(slot, Max(worst, entry->ticket));
		if (entry->ticket >= worst)
			return;
	}
	if (slot->tail == QUEUE_CAPACITY)
		compact(slot);
	for (at = slot->tail; at > slot->head; at--)
		if (slot->entries[at - 1].ticket <= entry->ticket)
			break;
	if (at > slot->head && slot->entries[at - 1].ticket == entry->ticket)
	{
		slot->entries[at - 1] = *entry;
		return;
	}
	memmove(&slot->entries[at + 1], &slot->entries[at],
			(slot->tail - at) * sizeof(PoolCandidate));
	slot->entries[at] = *entry;
	slot->tail++;
}

/*
 * Adds what a refill has found between the frontier and `end`, up to the
 * first ticket that was settled behind its back or finds no room.
 */
void
queue_slot_append(QueueSlot *slot, const PoolCandidate *entries, int n,
				  int64 end)
{
	int			used = 0;

	compact(slot);
	end = Min(end, slot->refill_floor);
	while (used < n && entries[used].ticket < end)
	{
		if (slot->tail == QUEUE_CAPACITY)
		{
			end = entries[used].ticket;
			break;
		}
		slot->entries[slot->tail++] = entries[used++];
	}
	if (end > slot->frontier)
		slot->frontier = end;
}

/* Forgets all that is known of a database's queues. */
void
queue_slot_reset_database(Oid database)
{
	for (int i = 0; i < queue_slot_count(); i++)
	{
		QueueSlot  *slot = &directory->slots[i];

		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		if (slot->key.database == database)
			queue_slot_pull_back(slot, TICKET_FIRST);
		LWLockRelease(&slot->lock);
	}
}

static void
settle_entry(PreparedEntry *entry)
{
	QueueHashEntry *hashed;
	QueueSlot  *slot;

	if (entry->key.pool_id == 0)
		queue_slot_reset_database(entry->key.database);
	else if ((hashed = hash_search(slot_hash, &entry->key,
								   HASH_FIND, NULL)) != NULL)
	{
		slot = &directory->slots[hashed->slot];
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		if (queue_slot_is(slot, &entry->key))
			queue_slot_pull_back(slot, entry->ticket);
		LWLockRelease(&slot->lock);
	}
	entry->xid = InvalidTransactionId;
	pg_atomic_sub_fetch_u32(&directory->n_prepared, 1);
}

/*
 * Lets the frontiers go back behind the prepared transactions that have
 * ended meanwhile.  Costs nothing where none is listed.
 */
void
queue_prepared_settle(void)
{
	if (directory == NULL ||
		pg_atomic_read_u32(&directory->n_prepared) == 0)
		return;
	LWLockAcquire(directory->lock, LW_EXCLUSIVE);
	for (int i = 0; i < directory->prepared_size; i++)
	{
		PreparedEntry *entry = &directory->prepared[i];

		if (TransactionIdIsValid(entry->xid) &&
			!TransactionIdIsInProgress(entry->xid))
			settle_entry(entry);
	}
	LWLockRelease(directory->lock);
}

/* A lower ticket, or one entry for several pools. */
static void
widen_entry(PreparedEntry *entry, const QueueKey *key, int64 ticket)
{
	if (entry->key.pool_id != key->pool_id || entry->key.table != key->table)
		entry->key.pool_id = 0;
	entry->ticket = Min(entry->ticket, ticket);
}

/*
 * Notes that this transaction, which is prepared or about to be, stands for
 * leads of the pool from this ticket on.
 */
void
queue_prepared_add(TransactionId xid, const QueueKey *key, int64 ticket)
{
	PreparedEntry *free_entry = NULL;

	if (directory == NULL)
		return;
	queue_prepared_settle();
	LWLockAcquire(directory->lock, LW_EXCLUSIVE);
	for (int i = 0; i < directory->prepared_size; i++)
	{
		PreparedEntry *entry = &directory->prepared[i];

		if (entry->xid == xid)
		{
			widen_entry(entry, key, ticket);
			LWLockRelease(directory->lock);
			return;
		}
		if (!TransactionIdIsValid(entry->xid) && free_entry == NULL)
			free_entry = entry;
	}
	if (free_entry == NULL)
	{
		LWLockRelease(directory->lock);
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no room for another prepared transaction"),
				 errdetail("Each one that has claimed or entered leads is remembered in shared memory."),
				 errhint("Increase max_prepared_transactions.")));
	}
	free_entry->xid = xid;
	free_entry->key = *key;
	free_entry->ticket = ticket;
	pg_atomic_add_fetch_u32(&directory->n_prepared, 1);
	LWLockRelease(directory->lock);
}

/* Whether a prepared transaction stands for leads of this pool. */
bool
queue_prepared_pending(const QueueKey *key)
{
	bool		pending = false;

	if (directory == NULL ||
		pg_atomic_read_u32(&directory->n_prepared) == 0)
		return false;
	LWLockAcquire(directory->lock, LW_SHARED);
	for (int i = 0; i < directory->prepared_size && !pending; i++)
	{
		PreparedEntry *entry = &directory->prepared[i];

		pending = TransactionIdIsValid(entry->xid) &&
			entry->key.database == key->database &&
			(entry->key.pool_id == 0 || entry->key.pool_id == key->pool_id);
	}
	LWLockRelease(directory->lock);
	return pending;
}
