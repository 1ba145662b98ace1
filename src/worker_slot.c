/*
 * worker_slot.c
 *	  The shared memory of launcher and workers: a slot per database.
 *
 * One lock for all slots: it is held for moments, by few processes.
 *
 * Who commits what is due earlier than anybody looks says so in the slot, and
 * wakes the launcher if it would sleep longer.  `asked_at` begins anew before
 * a worker takes its first snapshot: what it cannot see is committed, and asked
 * for, after that.  It begins with the time at which a worker comes anyway, so
 * that nearly every commit is done with one look at it.
 */
#include "worker_slot.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
#include "common/hashfn.h"
#include "guc.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
#include "wake.h"

#define MIN_PAUSE_MS 1000
#define MAX_PAUSE_MS (5 * 60 * 1000)
#define LOOK_AGAIN_MS (5 * 60 * 1000)	/* where there is no extension */
#define LEAST_GAP_MS 500		/* between two workers */
#define QUIET_NAPS 10			/* where nothing is written */
#define QUIET_MS (10 * 60 * 1000)

WorkerShared *worker_shared = NULL;

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;
static object_access_hook_type prev_object_access = NULL;

/* CREATE EXTENSION has run in this transaction */
static bool extension_made = false;

static Size
shared_size(void)
{
	return add_size(offsetof(WorkerShared, slots),
					mul_size(pool_worker_databases, sizeof(WorkerSlot)));
}

static void
request_shmem(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(shared_size()));
	RequestNamedLWLockTranche("pool_ext_worker", 1);
}

static void
startup_shmem(void)
{
	bool		found;

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	worker_shared = ShmemInitStruct("pool_ext workers", shared_size(), &found);
	if (!found)
	{
		memset(worker_shared, 0, shared_size());
		worker_shared->n_slots = pool_worker_databases;
		worker_shared->lock = &GetNamedLWLockTranche("pool_ext_worker")->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

WorkerSlot *
worker_slot_find(Oid database)
{
	for (int i = 0; i < worker_shared->n_slots; i++)
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
	pg_atomic_init_u64(&slot->asked_at, DT_NOEND);
	return slot;
}

/* ------------------------------------------------------------------------
 * When the next worker comes
 * ------------------------------------------------------------------------ */

/* When a worker is due, if none is there. */
TimestampTz
worker_slot_due(WorkerSlot *slot)
{
	TimestampTz asked = (TimestampTz) pg_atomic_read_u64(&slot->asked_at);

	return Max(slot->not_before, Min(slot->next_run, asked));
}

static int
pause_ms(int failures)
{
	int			pause = Max(pool_worker_naptime, MIN_PAUSE_MS);

	while (--failures > 0 && pause < MAX_PAUSE_MS)
		pause *= 2;
	return Min(pause, MAX_PAUSE_MS);
}

/* The worker takes the slot, before it looks at anything. */
void
worker_slot_begun(WorkerSlot *slot, int pid)
{
	int64		quiet = Min(pool_worker_naptime * (int64) QUIET_NAPS, QUIET_MS);

	quiet = Max(quiet, pool_worker_naptime);
	slot->pid = pid;
	slot->starting = false;
	pg_atomic_write_u64(&slot->asked_at,
						TimestampTzPlusMilliseconds(slot->begun, quiet));
	pg_memory_barrier();
}

/*
 * Sets when the next worker comes, now that none is there any more: at the time
 * that one which left by itself has named; after one that crashed or did not
 * start, later and later.
 */
void
worker_slot_ended(WorkerSlot *slot, TimestampTz now)
{
	int			gap = Min(pool_worker_naptime, LEAST_GAP_MS);

	slot->pid = 0;
	slot->starting = false;
	if (!slot->left)
	{
		gap = pause_ms(++slot->failures);
		slot->next_run = now;
	}
	else
	{
		slot->failures = 0;
		if (slot->look_again || slot->last.more)
			gap = 0;
		if (slot->look_again)
			slot->next_run = now;
		else if (slot->found == WORKER_NO_EXTENSION)
			gap = LOOK_AGAIN_MS;
	}
	slot->not_before = TimestampTzPlusMilliseconds(now, gap);
}

/* ------------------------------------------------------------------------
 * Waking the launcher
 * ------------------------------------------------------------------------ */

/* Wakes the launcher unless it is awake by then; under the lock. */
void
worker_slot_poke(TimestampTz due)
{
	if (worker_shared->launcher == NULL || due >= worker_shared->awaited)
		return;
	/* once is enough */
	worker_shared->awaited = 0;
	SetLatch(worker_shared->launcher);
}

/* This database's slot; not to be trusted without the lock. */
static WorkerSlot *
my_slot(void)
{
	static WorkerSlot *slot = NULL;
	static TimestampTz search_at = 0;
	TimestampTz now;

	if (slot != NULL && slot->database == MyDatabaseId)
		return slot;
	/* where there is none, not every commit looks for it */
	now = GetCurrentTransactionStopTimestamp();
	if (now < search_at)
		return NULL;
	search_at = TimestampTzPlusMilliseconds(now, 1000);
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	slot = worker_slot_find(MyDatabaseId);
	LWLockRelease(worker_shared->lock);
	return slot;
}

/* A worker is to look at this database at that time, or earlier. */
static void
ask(TimestampTz at)
{
	WorkerSlot *slot = my_slot();

	if (slot == NULL)
		return;
	/* what we have committed is visible before this is read */
	pg_memory_barrier();
	if (at >= (TimestampTz) pg_atomic_read_u64(&slot->asked_at))
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (slot->database == MyDatabaseId && slot->pid != MyProcPid &&
		at < (TimestampTz) pg_atomic_read_u64(&slot->asked_at))
	{
		pg_atomic_write_u64(&slot->asked_at, at);
		if (slot->pid == 0 && !slot->starting)
			worker_slot_poke(worker_slot_due(slot));
	}
	LWLockRelease(worker_shared->lock);
}

/*
 * What this transaction has noted.  Nobody hears of it when a prepared one is
 * committed; as long as it is open, workers come once in every naptime.
 */
static void
ask_for_noted(bool prepared)
{
	TimestampTz at = prepared ? POOL_WAKE_NEVER : pool_wake_at;
	TimestampTz now = prepared ? GetCurrentTimestamp() :
	GetCurrentTransactionStopTimestamp();

	if (prepared || pool_wake_written)
		at = Min(at, TimestampTzPlusMilliseconds(now, pool_worker_naptime));
	ask(at);
}

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
		slot->next_run = slot->not_before = 0;
	}
	if (worker_shared->launcher != NULL)
		SetLatch(worker_shared->launcher);
	LWLockRelease(worker_shared->lock);
}

/* What tick() has done in this transaction; ended_at 0 = it has not run. */
WorkerReport
worker_slot_own_report(void)
{
	WorkerReport report = {0};

	if (pool_wake_tick.ended_at == POOL_NO_TIME)
		return report;
	report.ended_at = pool_wake_tick.ended_at;
	report.duration = pool_wake_tick.duration;
	report.done = pool_wake_tick.done;
	return report;
}

static bool
count_error(WorkerSlot *slot, const char *message, uint32 hash)
{
	bool		seen = false;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot->errors++;
	strlcpy(slot->last_error, message, WORKER_ERROR_LENGTH);
	for (int i = 0; i < slot->n_seen && !seen; i++)
		seen = slot->seen[i] == hash;
	if (!seen && slot->n_seen < WORKER_ERRORS_SEEN)
		slot->seen[slot->n_seen++] = hash;
	LWLockRelease(worker_shared->lock);
	return seen;
}

/*
 * Counts an error by its message; true if the log has it already.  What
 * follows a colon comes from elsewhere and may quote data: last_error goes
 * without it.  Never raises an error itself.
 */
bool
worker_slot_note_error(WorkerSlot *slot, const char *message, int sqlerrcode)
{
	char		shown[WORKER_ERROR_LENGTH];
	int			length = strcspn(message, ":");

	snprintf(shown, sizeof(shown), "%.*s (SQLSTATE %s)",
			 Min(length, WORKER_ERROR_LENGTH - 30), message,
			 unpack_sql_state(sqlerrcode));
	return count_error(slot, shown, hash_bytes((const unsigned char *) message,
											   strlen(message)));
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

/* tick() has run in this transaction, which has committed: stat_worker says so. */
static void
publish_tick(void)
{
	WorkerReport report = worker_slot_own_report();
	WorkerSlot *slot;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	/* where workers are off nobody else makes one */
	slot = worker_slot_make(MyDatabaseId);
	if (slot != NULL)
	{
		/* that is for the launcher, of workers */
		report.more = slot->last.more;
		slot->last = report;
	}
	LWLockRelease(worker_shared->lock);
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (pool_wake_tick.subid != subid)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pool_wake_tick.ended_at = POOL_NO_TIME;
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		pool_wake_tick.subid = parent;
}

static void
end_of_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && extension_made)
		wake_launcher(MyDatabaseId);
	if (event == XACT_EVENT_COMMIT && pool_wake_tick.ended_at != POOL_NO_TIME)
		publish_tick();
	if ((event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE) &&
		(pool_wake_written || pool_wake_at != POOL_WAKE_NEVER))
		ask_for_noted(event == XACT_EVENT_PREPARE);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
	{
		extension_made = false;
		pool_wake_tick.ended_at = POOL_NO_TIME;
		pool_wake_written = false;
		pool_wake_at = POOL_WAKE_NEVER;
	}
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
	RegisterSubXactCallback(end_of_subxact, NULL);
}
