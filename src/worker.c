/*
 * worker.c
 *	  Background processes that do what time makes due.
 *
 * A worker connects to one database, does there what tick() does, in batches
 * with a transaction each, and leaves.  It has no loop that waits: between
 * two looks nobody is connected, so that databases can be dropped and copied,
 * and nothing is held or leaked.  It knows nothing of the tasks it runs.
 *
 * An error ends the batch, not the worker: it is reported once, and the next
 * task goes on.  Everything runs as the owner of the extension, in a
 * security-restricted operation, for a worker begins as a superuser.
 */
#include "compat.h"
#include "worker.h"

#include "access/xact.h"
#include "attempt.h"
#include "clock.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "guc.h"
#include "installation.h"
#include "job.h"
#include "launcher.h"
#include "lock.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "sql.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "table.h"
#include "tcop/tcopprot.h"
#include "tick.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "worker_database.h"
#include "worker_setting.h"
#include "worker_slot.h"

#define SLICE_MS (30 * 1000)	/* a worker stays no longer */
#define MAX_IDLE_BATCHES 100	/* that do nothing and ask for more */
#define LOOK (-1)				/* as a task: what is in this database */
#define AHEAD (-3)				/* as a task: when there will be more to do */
#define RETRY_MS (10 * 1000)	/* what could not be done */
#define MAX_REST_MS 100

/* What this worker is about. */
typedef struct Run
{
	WorkerSlot *slot;
	char	   *database;		/* its name, for messages */
	WorkerFinding found;
	WorkerReport report;
	bool		leave;			/* somebody wants the database, or it is off */
	bool		failed;			/* some batch ended with an error */
	bool		interrupted;	/* or was ended by somebody else */
	TimestampTz as_of;			/* when it began, by the clock that counts */
	TimestampTz next;			/* when the next worker is due */
	bool		reporting;		/* what is being logged has been counted */
	int			task;			/* under way */
} Run;

static Run *running = NULL;
static emit_log_hook_type prev_emit_log = NULL;

static const char *
task_name(int task)
{
	if (task == AHEAD)
		return "ahead";
	return task == LOOK ? "look" : pool_tick_task_name(task);
}

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------ */

/* Whether the log has it already. */
static bool
note_error(Run *run, const char *message, int sqlerrcode)
{
	run->failed = true;
	return worker_slot_note_error(run->slot, message, sqlerrcode);
}

/* Sees each warning on its way to the log: an error of one pool of a batch. */
static void
watch_log(ErrorData *error)
{
	if (prev_emit_log)
		prev_emit_log(error);
	if (error->elevel == WARNING && error->message != NULL &&
		!running->reporting &&
		note_error(running, error->message, error->sqlerrcode))
		error->output_to_server = false;
}

/* Whether it is somebody else's doing, and gone the next time. */
static bool
is_passing(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_QUERY_CANCELED ||
		pool_attempt_is_passing(sqlerrcode);
}

/* It would crash the server again: see job. */
static void
report_left_alone(const Run *run)
{
	ereport(WARNING,
			(errcode(ERRCODE_CRASH_SHUTDOWN),
			 errmsg("task \"%s\" of pool_ext in database \"%s\" is left alone",
					task_name(run->task), run->database),
			 errdetail("It has crashed the server several times in a row."),
			 errhint("When the cause is mended, call pool.resume().")));
}

/*
 * Reports the error of a batch, once.  Only the wording of the message, not
 * what is filled in, which may be somebody's data.
 */
static void
report_error(Run *run, const ErrorData *error)
{
	char	   *message;

	if (is_passing(error->sqlerrcode))
	{
		run->interrupted = true;
		return;
	}
	message = psprintf("task \"%s\" of pool_ext in database \"%s\" failed: %s",
					   task_name(run->task), run->database,
					   error->message_id ? error->message_id : "?");
	if (!note_error(run, message, error->sqlerrcode))
	{
		run->reporting = true;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg_internal("%s", message),
				 errhint("It is tried again; SELECT * FROM pool.tick() shows "
						 "the error in full.")));
		run->reporting = false;
	}
	pfree(message);
}

/* ------------------------------------------------------------------------
 * One batch
 * ------------------------------------------------------------------------ */

/*
 * Whether the worker may act.  While the installations are not known, there
 * are no leads either, or a restore is under way that will bring both.
 */
static WorkerFinding
look_for_home(void)
{
	PoolSql		sql = pool_sql_begin();
	uint64		known = pool_sql_run("SELECT FROM pool.installation LIMIT 1",
									 0, NULL, NULL, NULL);

	pool_sql_end(sql);
	return known > 0 && pool_installation_active() ?
		WORKER_AT_HOME : WORKER_NOT_AT_HOME;
}

/* Deferred triggers, too: later they would run as a superuser. */
static PoolTickResult
run_as_owner(int task)
{
	ConstraintsSetStmt at_once = {.type = T_ConstraintsSetStmt};
	PoolTickResult result;
	Oid			user;
	int			context;

	AfterTriggerSetState(&at_once);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(pool_sql_owner(),
						   context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	result = pool_tick_run(task, pool_worker_batch, pool_now());
	SetUserIdAndSecContext(user, context);
	return result;
}

/* When to try again what could not be done. */
static TimestampTz
soon_again(void)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									   Min(RETRY_MS, pool_worker_naptime));
}

/*
 * When the next worker is due: when something is that was not when this one
 * began, at once if it has become so meanwhile; soon, if something was left
 * undone.  Where nothing was done and nobody else writes, that is enough, and
 * the slot sees to it that somebody comes now and then; where somebody may
 * commit what this one has not seen, one naptime is the limit.
 */
static void
look_ahead(Run *run)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TimestampTz soon = soon_again();
	TimestampTz nap = TimestampTzPlusMilliseconds(run->slot->begun,
												  pool_worker_naptime);
	bool		overdue;

	run->next = pool_tick_next(run->as_of, &overdue);
	/* times by another clock say nothing */
	if (pool_clock_setting[0] != '\0')
		run->next = soon;
	if (overdue)
		run->next = Min(run->next, soon);
	if (run->report.done > 0 || snapshot->xmin != snapshot->xmax)
		run->next = Min(run->next, nap);
}

static PoolTickResult
run_task(Run *run)
{
	PoolTickResult result = {0, false};

	PushActiveSnapshot(GetTransactionSnapshot());
	if (run->task == LOOK)
		run->found = look_for_home();
	else if (run->task == AHEAD)
		look_ahead(run);
	else
		result = run_as_owner(run->task);
	PopActiveSnapshot();
	return result;
}

/*
 * The extension first: until the batch ends it is neither dropped nor updated,
 * and what follows sees what an update of it has changed.
 */
static PoolTickResult
run_batch(Run *run)
{
	PoolTickResult result = {0, false};

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	if (worker_database_wanted(MyDatabaseId))
		run->leave = true;
	else if (!pool_lock_extension(ShareLock) || !pool_extension_exists())
	{
		run->found = WORKER_NO_EXTENSION;
		run->leave = true;
	}
	else
		result = run_task(run);
	CommitTransactionCommand();
	return result;
}

/* The same; an error undoes the batch and is reported. */
static PoolTickResult
try_batch(Run *run, int task)
{
	PoolTickResult result = {0, false};

	run->task = task;
	if (!pool_job_begin(task))
	{
		report_left_alone(run);
		return result;
	}
	pgstat_report_activity(STATE_RUNNING, task_name(task));
	PG_TRY();
	{
		result = run_batch(run);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(TopMemoryContext);
		error = CopyErrorData();
		AbortOutOfAnyTransaction();
		FlushErrorState();
		report_error(run, error);
		FreeErrorData(error);
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	pool_job_end();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
	return result;
}

/* ------------------------------------------------------------------------
 * A slice: all tasks by turns
 * ------------------------------------------------------------------------ */

static bool
may_go_on(Run *run)
{
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	return pool_worker_enabled && !run->leave;
}

/*
 * After a batch that leaves more to do, as long as it took: half of the time
 * is for those who work with the leads.
 */
static void
rest(TimestampTz began)
{
	long		ms = Min(TimestampDifferenceMilliseconds(began,
														 GetCurrentTimestamp()),
						 MAX_REST_MS);

	if (ms > 0)
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT |
						 WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/*
 * Runs a batch of every task by turns until none has more to do, or time is
 * up: no task keeps another one waiting for long.
 */
static void
run_tasks(Run *run)
{
	TimestampTz until;
	int		   *idle = palloc0(pool_tick_task_count * sizeof(int));
	bool	   *finished = palloc0(pool_tick_task_count * sizeof(bool));
	bool		again = true;

	until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), SLICE_MS);
	while (again && GetCurrentTimestamp() < until)
	{
		again = false;
		for (int task = 0; task < pool_tick_task_count; task++)
		{
			PoolTickResult result;
			TimestampTz began;

			if (finished[task])
				continue;
			if (!may_go_on(run))
				return;
			began = GetCurrentTimestamp();
			result = try_batch(run, task);
			if (result.more && result.done > 0)
				rest(began);
			run->report.done += result.done;
			idle[task] = result.done > 0 ? 0 : idle[task] + 1;
			finished[task] = !result.more || idle[task] > MAX_IDLE_BATCHES;
			again |= !finished[task];
		}
	}
	run->report.more = again;
}

/* ------------------------------------------------------------------------
 * The process
 * ------------------------------------------------------------------------ */

static void
detach(int code, Datum arg)
{
	WorkerSlot *slot = (WorkerSlot *) DatumGetPointer(arg);

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_slot_ended(slot, GetCurrentTimestamp());
	worker_slot_poke(worker_shared->crowded ? 0 : worker_slot_due(slot));
	LWLockRelease(worker_shared->lock);
}

/* Takes the slot; NULL if this worker is not the one that is awaited. */
static WorkerSlot *
attach(const WorkerOrder *order)
{
	WorkerSlot *slot;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot = worker_slot_find(order->database);
	if (slot == NULL || slot->launch != order->launch || slot->pid != 0)
		slot = NULL;
	else
		worker_slot_begun(slot, MyProcPid);
	LWLockRelease(worker_shared->lock);
	if (slot != NULL)
		before_shmem_exit(detach, PointerGetDatum(slot));
	return slot;
}

/* The worker leaves by itself. */
static void
sign_off(const Run *run)
{
	WorkerSlot *slot = run->slot;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot->left = true;
	slot->next_run = run->next;
	/* interrupted before it could look: as before */
	if (run->found != WORKER_UNKNOWN)
		slot->found = run->found;
	if (run->found == WORKER_AT_HOME)
		slot->last = run->report;
	/* what comes again after a good run is news */
	if (run->found == WORKER_AT_HOME && !run->failed)
		slot->n_seen = 0;
	LWLockRelease(worker_shared->lock);
}

static void
run_slice(Run *run)
{
	TimestampTz began = GetCurrentTimestamp();

	running = run;
	run->as_of = pool_now();
	prev_emit_log = emit_log_hook;
	emit_log_hook = watch_log;
	(void) try_batch(run, LOOK);
	if (run->found == WORKER_AT_HOME)
		run_tasks(run);
	if (run->found == WORKER_AT_HOME && may_go_on(run))
		(void) try_batch(run, AHEAD);
	if (run->report.more)
		run->next = 0;
	else if (run->failed || run->interrupted || run->leave)
		run->next = Min(run->next, soon_again());
	run->report.ended_at = GetCurrentTimestamp();
	run->report.duration = run->report.ended_at - began;
	sign_off(run);
}

void
pool_worker_main(Datum arg)
{
	WorkerOrder order;
	Run			run = {0};

	memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	run.slot = attach(&order);
	if (run.slot == NULL)
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(order.database, InvalidOid, 0);
	pool_worker_override_settings();
	StartTransactionCommand();
	run.database = MemoryContextStrdup(TopMemoryContext,
									   get_database_name(MyDatabaseId));
	CommitTransactionCommand();
	pool_job_attach();
	/* unless a look ahead says something else */
	run.next = TimestampTzPlusMilliseconds(run.slot->begun,
										   pool_worker_naptime);
	if (may_go_on(&run))
		run_slice(&run);
	else
		sign_off(&run);
	proc_exit(0);
}

void
pool_worker_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	worker_slot_init();
	pool_job_init();
	launcher_register();
}
