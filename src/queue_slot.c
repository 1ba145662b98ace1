/*
 * queue_slot.c
 *	  The queue heads in shared memory, one per pool.
 *
 * Everything here is a hint that may vanish at any time: a head that is given
 * to another pool, or a restart, costs a scan of the queue's index and nothing
 * else.  Without shared_preload_libraries there are no heads at all.
 *
 * Locks: the directory's lock may be held while a head's is taken, never the
 * other way round.  Neither is held while anything else is waited for.
 */
#include "queue_slot.h"

#include "guc.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

typedef struct QueueDirectory
{
	LWLock	   *lock;			/* guards the hash table */
	int			tranche;		/* of the heads' locks */
	int			n_slots;
	int			next_victim;
	pg_atomic_uint32 homeless;	/* answers that no head counts */
	QueueSlot  *slots;
} QueueDirectory;

typedef struct QueueHashEntry
{
	QueueKey	key;
	int			slot;
} QueueHashEntry;

static QueueDirectory *directory = NULL;
static HTAB *slot_hash = NULL;

static Size
slots_size(void)
{
	return mul_size(pool_queue_pools, sizeof(QueueSlot));
}

Size
queue_slot_size(void)
{
	Size		size = add_size(MAXALIGN(sizeof(QueueDirectory)), slots_size());

	return add_size(size, hash_estimate_size(pool_queue_pools,
											 sizeof(QueueHashEntry)));
}

static void
init_slot(QueueSlot *slot, const QueueKey *key)
{
	slot->key = *key;
	pg_atomic_write_u32(&slot->unsettled, 0);
	slot->epoch++;
	slot->published++;
	slot->frontier = QUEUE_FIRST;
	slot->refilling = false;
	slot->dry = false;
	slot->head = slot->tail = 0;
}

static void
create_slots(void)
{
	bool		found;
	QueueKey	none = {0};

	directory->slots = ShmemInitStruct("pool_ext queues", slots_size(),
									   &found);
	for (int i = 0; i < directory->n_slots; i++)
	{
		QueueSlot  *slot = &directory->slots[i];

		LWLockInitialize(&slot->lock, directory->tranche);
		ConditionVariableInit(&slot->refilled);
		pg_atomic_init_u32(&slot->unsettled, 0);
		slot->epoch = 0;
		slot->published = 0;
		init_slot(slot, &none);
	}
}

/* At the start of the server, AddinShmemInitLock held. */
void
queue_slot_create(LWLock *lock)
{
	bool		found;
	HASHCTL		ctl = {0};

	directory = ShmemInitStruct("pool_ext", sizeof(QueueDirectory), &found);
	if (!found)
	{
		directory->lock = lock;
		directory->tranche = LWLockNewTrancheId();
		directory->n_slots = pool_queue_pools;
		directory->next_victim = 0;
		pg_atomic_init_u32(&directory->homeless, 0);
		create_slots();
	}
	ctl.keysize = sizeof(QueueKey);
	ctl.entrysize = sizeof(QueueHashEntry);
	slot_hash = ShmemInitHash("pool_ext queue directory",
							  pool_queue_pools, pool_queue_pools,
							  &ctl, HASH_ELEM | HASH_BLOBS);
	LWLockRegisterTranche(directory->tranche, "pool_ext_queue");
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

QueueKey
queue_slot_key(PoolTable *leads, int32 pool_id)
{
	QueueKey	key;

	key.database = MyDatabaseId;
	key.table = pool_relation_number(leads->rel);
	key.pool_id = pool_id;
	return key;
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
	if (entry != NULL || !create)
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
	slot->published++;
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

/* Where an entry with this ticket belongs: behind all that are not after it. */
static int
place_of(const QueueSlot *slot, int64 ticket)
{
	int			at = slot->tail;

	while (at > slot->head && slot->entries[at - 1].ticket > ticket)
		at--;
	return at;
}

/* Whether this very version is among the entries before this place. */
static bool
is_before(const QueueSlot *slot, const PoolCandidate *entry, int at)
{
	while (at-- > slot->head && slot->entries[at].ticket == entry->ticket)
		if (ItemPointerEquals((ItemPointer) &slot->entries[at].tid,
							  (ItemPointer) &entry->tid))
			return true;
	return false;
}

/*
 * Remembers a lead that is available and committed, at its place.  Another
 * version of its row may be remembered already, and which of the two is dead
 * cannot be told here: whoever put back a lead that he did not lock may be
 * late.  Both stay, and whoever pops the dead one drops it.
 */
static void
insert_entry(QueueSlot *slot, const PoolCandidate *entry)
{
	int			at;

	slot->published++;
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
	at = place_of(slot, entry->ticket);
	if (is_before(slot, entry, at))
		return;
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

/*
 * Puts a lead, or everything from it on, back into its pool's head, which is
 * found by its key unless given.  NULL: others answer for it now, and nothing
 * is put back; but who looks for them may have missed both.
 */
void
queue_slot_publish(const QueueKey *key, QueueSlot *slot,
				   const PoolCandidate *lead, bool range)
{
	if (slot == NULL)
		slot = queue_slot_get(key, false);
	if (slot == NULL)
		return;
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (queue_slot_is(slot, key))
	{
		if (lead == NULL)
			slot->published++;
		else if (range)
			queue_slot_pull_back(slot, lead->ticket);
		else
			insert_entry(slot, lead);
	}
	LWLockRelease(&slot->lock);
}

/*
 * Counts an answer with the pool's head, or with all of them where there is
 * no room for one: then returns NULL.
 */
QueueSlot *
queue_slot_count_unsettled(const QueueKey *key)
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
	pg_atomic_add_fetch_u32(&directory->homeless, 1);
	return NULL;
}

void
queue_slot_uncount(QueueSlot *slot, uint32 n)
{
	pg_atomic_sub_fetch_u32(slot != NULL ? &slot->unsettled :
							&directory->homeless, n);
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
			queue_slot_pull_back(slot, QUEUE_FIRST);
		LWLockRelease(&slot->lock);
	}
}
