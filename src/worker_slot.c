/*
 * worker_slot.c
 *	  The shared memory of launcher and workers: a slot per database.
 *
 * One lock for all slots: it is held for moments, by few processes.
 */
#include "worker_slot.h"

#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

WorkerShared *worker_shared = NULL;

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

static void
request_shmem(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(WorkerShared)));
	RequestNamedLWLockTranche("pool_ext_worker", 1);
}

static void
startup_shmem(void)
{
	bool		found;

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	worker_shared = ShmemInitStruct("pool_ext workers", sizeof(WorkerShared),
									&found);
	if (!found)
	{
		memset(worker_shared, 0, sizeof(WorkerShared));
		worker_shared->lock = &GetNamedLWLockTranche("pool_ext_worker")->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

void
worker_slot_init(void)
{
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

WorkerSlot *
worker_slot_find(Oid database)
{
	for (int i = 0; i < WORKER_SLOTS; i++)
		if (worker_shared->slots[i].database == database)
			return &worker_shared->slots[i];
	return NULL;
}

/* The slot of this database, a free one if need be; NULL if none is. */
WorkerSlot *
worker_slot_make(Oid database)
{
	WorkerSlot *slot = worker_slot_find(database);
	uint32		launch;

	if (slot != NULL)
		return slot;
	slot = worker_slot_find(InvalidOid);
	if (slot == NULL)
		return NULL;
	/* goes on counting: a late worker of the last database is none of ours */
	launch = slot->launch;
	memset(slot, 0, sizeof(WorkerSlot));
	slot->launch = launch;
	slot->database = database;
	return slot;
}

/* An extension has been made in this database: perhaps ours. */
void
worker_slot_wake(Oid database)
{
	WorkerSlot *slot;

	if (worker_shared == NULL)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->extension_made = true;
	slot = worker_slot_find(database);
	if (slot != NULL)
	{
		slot->look_again = true;
		slot->next_run = 0;
	}
	if (worker_shared->launcher != NULL)
		SetLatch(worker_shared->launcher);
	LWLockRelease(worker_shared->lock);
}

/*
 * Whether somebody drops, renames, moves or copies the database, or waits to:
 * then no worker should be in it.  Needs a transaction.
 */
bool
worker_database_wanted(Oid database)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
	/* the lock a connecting backend takes for a moment */
	if (LockAcquire(&tag, RowExclusiveLock, false, true) ==
		LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, RowExclusiveLock, false);
	return false;
}
