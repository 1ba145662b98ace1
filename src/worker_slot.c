/*
 * worker_slot.c
 *	  The shared memory of launcher and workers: a slot per database.
 *
 * One lock for all slots: it is held for moments, by few processes.
 */
#include "worker_slot.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

WorkerShared *worker_shared = NULL;

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;
static object_access_hook_type prev_object_access = NULL;

/* CREATE EXTENSION has run in this transaction */
static bool extension_made = false;

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

/* ------------------------------------------------------------------------
 * Waking the launcher
 * ------------------------------------------------------------------------ */

/* An extension has been made in this database: perhaps ours. */
static void
wake_launcher(Oid database)
{
	WorkerSlot *slot;

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

/* Its name cannot be asked for yet: any new extension will do. */
static void
watch_extensions(ObjectAccessType access, Oid classId, Oid objectId,
				 int subId, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, classId, objectId, subId, arg);
	if (access == OAT_POST_CREATE && classId == ExtensionRelationId)
		extension_made = true;
}

static void
end_of_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && extension_made)
		wake_launcher(MyDatabaseId);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		extension_made = false;
}

void
worker_slot_init(void)
{
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
	prev_object_access = object_access_hook;
	object_access_hook = watch_extensions;
	RegisterXactCallback(end_of_xact, NULL);
}
