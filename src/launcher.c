/*
 * launcher.c
 *	  The process that starts workers.
 *
 * It is connected to no database, so it stands in nobody's way; it sees the
 * list of databases in the shared catalogs and starts a short-lived worker in
 * each by turns, as autovacuum's launcher does.  Only such a worker can tell
 * whether the extension is there.  A worker that ends otherwise than by
 * itself is followed by the next one only after a pause that doubles.
 *
 * If the launcher dies, the postmaster starts it again; what the slots say of
 * workers that still run stays true.
 */
#include "launcher.h"

#include "access/xact.h"
#include "guc.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "worker_database.h"
#include "worker_slot.h"

#define MAX_WORKERS 64			/* pool_ext.worker_limit cannot be more */
#define RESTART_SECONDS 5
#define POLL_MS 1000			/* while workers are to end */

/* A worker this launcher has asked for. */
typedef struct Started
{
	Oid			database;
	uint32		launch;
	BackgroundWorkerHandle *handle;
} Started;

/* A database without the extension. */
typedef struct Absent
{
	Oid			database;
	TimestampTz until;			/* when to look again */
} Absent;

static Started started[MAX_WORKERS];
static int	n_started = 0;
static HTAB *absent = NULL;
static bool shortage_reported = false;
static bool too_many_reported = false;

void
launcher_register(void)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	/* on a standby nothing runs; after promotion it does */
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "pool_ext", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "pool_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "pool_ext launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "pool_ext launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

static void
detach(int code, Datum arg)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->launcher = NULL;
	LWLockRelease(worker_shared->lock);
}

/* Workers that a former launcher asked for and that did not come yet are off. */
static void
attach(void)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->launcher = MyLatch;
	worker_shared->awaited = 0;
	for (int i = 0; i < worker_shared->n_slots; i++)
	{
		WorkerSlot *slot = &worker_shared->slots[i];

		if (slot->starting)
			slot->launch++;
		slot->starting = false;
	}
	LWLockRelease(worker_shared->lock);
	before_shmem_exit(detach, (Datum) 0);
}

/* ------------------------------------------------------------------------
 * Workers that ended
 * ------------------------------------------------------------------------ */

/* The slot is free again; its database is left alone for a while. */
static void
remember_absent(WorkerSlot *slot)
{
	Absent	   *entry = hash_search(absent, &slot->database, HASH_ENTER, NULL);

	entry->until = slot->not_before;
	slot->database = InvalidOid;
}

static void
forget_started(int i)
{
	pfree(started[i].handle);
	started[i] = started[--n_started];
}

static void
reap(TimestampTz now)
{
	for (int i = n_started - 1; i >= 0; i--)
	{
		WorkerSlot *slot;
		pid_t		pid;

		if (GetBackgroundWorkerPid(started[i].handle, &pid) != BGWH_STOPPED)
			continue;
		LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
		slot = worker_slot_find(started[i].database);
		/* whoever came has said himself when the next one is due */
		if (slot != NULL && slot->launch == started[i].launch &&
			slot->starting)
			worker_slot_ended(slot, now);
		LWLockRelease(worker_shared->lock);
		forget_started(i);
	}
}

/* ------------------------------------------------------------------------
 * Databases
 * ------------------------------------------------------------------------ */

/* Begins to remember which databases are without the extension. */
static void
forget_absent(void)
{
	HASHCTL		ctl;

	if (absent != NULL)
		hash_destroy(absent);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(Absent);
	ctl.hcxt = TopMemoryContext;
	absent = hash_create("databases without pool_ext", 64, &ctl,
						 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Frees the slots of databases that are gone, or without the extension. */
static void
update_slots(List *databases)
{
	bool		look_everywhere;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < worker_shared->n_slots; i++)
	{
		WorkerSlot *slot = &worker_shared->slots[i];

		if (!OidIsValid(slot->database) || slot->pid != 0 || slot->starting)
			continue;
		if (!list_member_oid(databases, slot->database))
			slot->database = InvalidOid;
		else if (slot->found == WORKER_NO_EXTENSION && slot->left &&
				 !slot->look_again)
			remember_absent(slot);
	}
	look_everywhere = worker_shared->extension_made;
	worker_shared->extension_made = false;
	LWLockRelease(worker_shared->lock);
	/* databases come and go: now and then the gone ones are forgotten, too */
	if (look_everywhere ||
		hash_get_num_entries(absent) > 2 * list_length(databases))
		forget_absent();
}

/* When a worker is due in this database; false if one is there. */
static bool
due_in(Oid database, TimestampTz *due)
{
	WorkerSlot *slot = worker_slot_find(database);
	Absent	   *entry;

	if (slot != NULL)
	{
		*due = worker_slot_due(slot);
		return slot->pid == 0 && !slot->starting;
	}
	entry = hash_search(absent, &database, HASH_FIND, NULL);
	*due = entry == NULL ? 0 : entry->until;
	return true;
}

static int
count_busy(void)
{
	int			busy = 0;

	for (int i = 0; i < worker_shared->n_slots; i++)
		if (worker_shared->slots[i].pid != 0 ||
			worker_shared->slots[i].starting)
			busy++;
	return busy;
}

static void
report_too_many(void)
{
	if (!too_many_reported)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many databases for the workers of pool_ext"),
				 errdetail("They look after %d databases.",
						   worker_shared->n_slots),
				 errhint("Increase pool_ext.worker_databases, or call pool.tick() regularly in the others.")));
	too_many_reported = true;
}

/*
 * The database in which a worker is due first, and when.  One that finds no
 * slot free must not stand before those that have one; *left_out tells of it.
 */
static TimestampTz
find_first(List *databases, TimestampTz now, Oid *first, bool *left_out)
{
	bool		room = worker_slot_find(InvalidOid) != NULL;
	TimestampTz earliest = DT_NOEND;
	ListCell   *lc;

	foreach(lc, databases)
	{
		Oid			database = lfirst_oid(lc);
		TimestampTz due;

		if (!due_in(database, &due) || due >= earliest)
			continue;
		if (room || worker_slot_find(database) != NULL)
		{
			earliest = due;
			*first = database;
		}
		else if (due <= now)
			*left_out = true;
	}
	return earliest;
}

/*
 * The database whose turn it is, marked as starting; false if it is nobody's.
 * Then *next_run becomes when the next one is due, if that is earlier, and
 * whoever is due before that wakes the launcher.
 */
static bool
choose(List *databases, TimestampTz now, WorkerOrder *order,
	   TimestampTz *next_run)
{
	WorkerSlot *slot = NULL;
	TimestampTz earliest;
	bool		left_out = false;
	bool		full;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	earliest = find_first(databases, now, &order->database, &left_out);
	full = count_busy() >= pool_worker_limit || n_started >= MAX_WORKERS;
	if (!full && earliest <= now)
		slot = worker_slot_make(order->database);
	if (slot != NULL)
	{
		slot->starting = true;
		slot->left = false;
		slot->look_again = false;
		slot->begun = now;
		order->launch = ++slot->launch;
	}
	if (earliest > now)
		*next_run = Min(*next_run, earliest);
	worker_shared->crowded = full && earliest <= now;
	if (worker_shared->crowded)
		*next_run = TimestampTzPlusMilliseconds(now, POLL_MS);
	worker_shared->awaited = *next_run;
	LWLockRelease(worker_shared->lock);
	if (left_out)
		report_too_many();
	return slot != NULL;
}

/* The worker does not come after all. */
static void
call_off(const WorkerOrder *order, TimestampTz now, bool failed)
{
	WorkerSlot *slot;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot = worker_slot_find(order->database);
	if (slot != NULL && slot->launch == order->launch)
	{
		if (failed)
			worker_slot_ended(slot, now);
		slot->starting = false;
		if (!failed)
			slot->not_before = TimestampTzPlusMilliseconds(now, POLL_MS);
	}
	LWLockRelease(worker_shared->lock);
}

static bool
register_worker(const WorkerOrder *order)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "pool_ext", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "pool_worker_main", BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "pool_ext worker for database %u",
			 order->database);
	strlcpy(worker.bgw_type, "pool_ext worker", BGW_MAXLEN);
	memcpy(worker.bgw_extra, order, sizeof(WorkerOrder));
	return RegisterDynamicBackgroundWorker(&worker,
										   &started[n_started].handle);
}

static bool
is_wanted(Oid database)
{
	bool		wanted;

	StartTransactionCommand();
	wanted = worker_database_wanted(database);
	CommitTransactionCommand();
	return wanted;
}

static void
start(const WorkerOrder *order, TimestampTz now)
{
	MemoryContext old;
	bool		success;

	if (is_wanted(order->database))
	{
		call_off(order, now, false);
		return;
	}
	/* the handle outlives this round */
	old = MemoryContextSwitchTo(TopMemoryContext);
	success = register_worker(order);
	MemoryContextSwitchTo(old);
	if (success)
	{
		started[n_started].database = order->database;
		started[n_started].launch = order->launch;
		n_started++;
		shortage_reported = false;
		return;
	}
	/* of those that have ended some may not be gone yet */
	if (n_started > 0)
	{
		call_off(order, now, false);
		return;
	}
	call_off(order, now, true);
	if (!shortage_reported)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not start a worker of pool_ext"),
				 errdetail("No slot for a background worker is free."),
				 errhint("You might need to increase max_worker_processes.")));
	shortage_reported = true;
}

/* ------------------------------------------------------------------------
 * The loop
 * ------------------------------------------------------------------------ */

/* New settings: all times that hang on the old ones are off. */
static void
reload(void)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < worker_shared->n_slots; i++)
		worker_shared->slots[i].next_run = 0;
	LWLockRelease(worker_shared->lock);
}

/* Nobody needs to wake it. */
static void
rest(void)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->awaited = 0;
	worker_shared->crowded = false;
	LWLockRelease(worker_shared->lock);
}

/*
 * One round; returns how long to sleep in milliseconds, -1 = until woken.  The
 * launcher is not notified when workers come or go: they do what is needed
 * themselves, and the next round lets go of their handles.
 */
static long
launch(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next_run;
	WorkerOrder order = {0};
	List	   *databases;

	reap(now);
	if (!pool_worker_enabled)
	{
		rest();
		return n_started > 0 ? POLL_MS : -1;
	}
	databases = worker_database_list();
	update_slots(databases);
	next_run = TimestampTzPlusMilliseconds(now, pool_worker_naptime);
	while (choose(databases, now, &order, &next_run))
		start(&order, now);
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next_run);
}

void
pool_launcher_main(Datum arg)
{
	MemoryContext context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	SetConfigOption("application_name", "pool_ext launcher", PGC_USERSET,
					PGC_S_SESSION);
	attach();
	forget_absent();
	context = AllocSetContextCreate(TopMemoryContext, "pool_ext launcher",
									ALLOCSET_SMALL_SIZES);
	for (;;)
	{
		long		timeout;
		int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload();
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		timeout = launch();
		pgstat_report_activity(STATE_IDLE, NULL);
		if (timeout >= 0)
			events |= WL_TIMEOUT;
		(void) WaitLatch(MyLatch, events, timeout, PG_WAIT_EXTENSION);
	}
}
