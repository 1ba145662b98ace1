/*
 * job.c
 *	  What workers are about, and which of it has crashed the server.
 *
 * A crash takes all sessions with it, and shared memory.  A job that crashes
 * whenever it is done would do so for ever, since it is the first thing done
 * after each recovery; so it is left alone after a few times.  Each worker
 * shows what it is about in shared memory.  The postmaster, before it gives
 * that up after a crash, keeps in its own memory which jobs were under way in
 * workers that did not end by themselves and were not told to, either.
 *
 * That memory ends with the postmaster, which may end with a crash, too
 * (restart_after_crash = off), and be started again by whoever watches it.  So
 * what is counted is in a file as well.  A stop that somebody has asked for
 * forgets it: he may have mended the cause.
 */
#include "compat.h"
#include "job.h"

#include <unistd.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#define MAX_CRASHES 3			/* in a row, then the job is left alone */
#define JOBS 64					/* workers, and jobs remembered */
#define NO_TASK (-2)
#define JOB_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/pool_ext_jobs.stat"
#define JOB_MAGIC 0x504A4F42	/* to be changed with Job */

/* Without a database: a free place.  pool_id 0 is the task as a whole. */
typedef struct Job
{
	Oid			database;
	int			task;
	int32		pool_id;
	int			crashes;		/* in a row */
} Job;

/*
 * Guarded by the lock, but that a worker writes its own entry of `running`
 * alone, and the postmaster asks nobody when all others are dead.
 */
typedef struct JobShared
{
	LWLock	   *lock;
	Job			running[JOBS];
	Job			crashed[JOBS];
} JobShared;

static JobShared *shared = NULL;
static Job *mine = NULL;

/* the postmaster's: what outlives shared memory */
static Job	remembered[JOBS];

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

/* ------------------------------------------------------------------------
 * Crashes
 * ------------------------------------------------------------------------ */

static Job *
find(Job *jobs, Oid database, int task, int32 pool_id)
{
	for (int i = 0; i < JOBS; i++)
		if (jobs[i].database == database && jobs[i].task == task &&
			jobs[i].pool_id == pool_id)
			return &jobs[i];
	return NULL;
}

static Job *
find_free(Job *jobs)
{
	for (int i = 0; i < JOBS; i++)
		if (jobs[i].database == InvalidOid)
			return &jobs[i];
	return NULL;
}

/*
 * Keeps these as what was counted so far.  Without an error: a file that
 * cannot be written is lost, and crashes are counted anew.
 */
static void
save(const Job *jobs)
{
	uint32		magic = JOB_MAGIC;
	bool		any = false;
	bool		written;
	FILE	   *file;

	for (int i = 0; i < JOBS && !any; i++)
		any = jobs[i].database != InvalidOid;
	if (!any)
	{
		(void) unlink(JOB_FILE);
		return;
	}
	file = AllocateFile(JOB_FILE ".tmp", PG_BINARY_W);
	if (file == NULL)
		return;
	written = fwrite(&magic, sizeof(magic), 1, file) == 1 &&
		fwrite(jobs, sizeof(Job), JOBS, file) == JOBS;
	if (FreeFile(file) == 0 && written)
		(void) rename(JOB_FILE ".tmp", JOB_FILE);
}

/* What a postmaster before this one has left; nothing if that cannot be read. */
static void
load(Job *jobs)
{
	uint32		magic;
	FILE	   *file = AllocateFile(JOB_FILE, PG_BINARY_R);

	if (file == NULL)
		return;
	if (fread(&magic, sizeof(magic), 1, file) != 1 || magic != JOB_MAGIC ||
		fread(jobs, sizeof(Job), JOBS, file) != JOBS)
		memset(jobs, 0, sizeof(Job) * JOBS);
	FreeFile(file);
}

/* In the postmaster, after all others have ended and before shared memory. */
static void
remember_crashes(int code, Datum arg)
{
	/* stopped by somebody */
	if (code == 0)
	{
		(void) unlink(JOB_FILE);
		return;
	}
	memcpy(remembered, shared->crashed, sizeof(remembered));
	for (int i = 0; i < JOBS; i++)
	{
		const Job  *job = &shared->running[i];
		Job		   *crash;

		if (job->database == InvalidOid || job->task == NO_TASK)
			continue;
		crash = find(remembered, job->database, job->task, job->pool_id);
		if (crash == NULL)
		{
			crash = find_free(remembered);
			if (crash == NULL)
				continue;		/* so many jobs crash: never mind this one */
			*crash = *job;
			crash->crashes = 0;
		}
		crash->crashes++;
	}
	save(remembered);
}

static void
request_shmem(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(JobShared)));
	RequestNamedLWLockTranche("pool_ext_job", 1);
}

static void
startup_shmem(void)
{
	static bool first = true;
	bool		found;

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("pool_ext jobs", sizeof(JobShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(JobShared));
		if (first)
			load(remembered);
		first = false;
		memcpy(shared->crashed, remembered, sizeof(remembered));
		shared->lock = &GetNamedLWLockTranche("pool_ext_job")->lock;
		on_shmem_exit(remember_crashes, (Datum) 0);
	}
	LWLockRelease(AddinShmemInitLock);
}

/* ------------------------------------------------------------------------
 * Workers
 * ------------------------------------------------------------------------ */

/* Somebody else has crashed: this worker was told to end. */
static void
quit(SIGNAL_ARGS)
{
	if (mine != NULL)
		mine->database = InvalidOid;
	_exit(2);
}

static void
detach(int code, Datum arg)
{
	mine->database = InvalidOid;
	mine = NULL;
}

/* This process is a worker; what it does is remembered from now on. */
void
pool_job_attach(void)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	mine = find_free(shared->running);
	if (mine != NULL)
	{
		mine->task = NO_TASK;
		mine->database = MyDatabaseId;
	}
	LWLockRelease(shared->lock);
	if (mine == NULL)
		return;
	before_shmem_exit(detach, (Datum) 0);
	pqsignal(SIGQUIT, quit);
}

static bool
is_paused(int task, int32 pool_id)
{
	const Job  *crash;
	bool		paused;

	LWLockAcquire(shared->lock, LW_SHARED);
	crash = find(shared->crashed, MyDatabaseId, task, pool_id);
	paused = crash != NULL && crash->crashes >= MAX_CRASHES;
	LWLockRelease(shared->lock);
	return paused;
}

/* It has not crashed this time. */
static void
forget(int task, int32 pool_id)
{
	Job		   *crash;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	crash = find(shared->crashed, MyDatabaseId, task, pool_id);
	if (crash != NULL)
	{
		memset(crash, 0, sizeof(Job));
		save(shared->crashed);
	}
	LWLockRelease(shared->lock);
}

/* Whether the task may be done; if so, it is under way. */
bool
pool_job_begin(int task)
{
	if (mine == NULL)
		return true;
	if (is_paused(task, 0))
		return false;
	mine->pool_id = 0;
	mine->task = task;
	return true;
}

/* The same for one pool of the task under way. */
bool
pool_job_begin_pool(int32 pool_id)
{
	if (mine == NULL)
		return true;
	if (is_paused(mine->task, pool_id))
		return false;
	mine->pool_id = pool_id;
	return true;
}

void
pool_job_end_pool(void)
{
	if (mine == NULL)
		return;
	forget(mine->task, mine->pool_id);
	mine->pool_id = 0;
}

void
pool_job_end(void)
{
	if (mine == NULL)
		return;
	forget(mine->task, 0);
	mine->task = NO_TASK;
}

/* All jobs of this database are to be tried again. */
void
pool_job_resume(void)
{
	if (shared == NULL)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < JOBS; i++)
		if (shared->crashed[i].database == MyDatabaseId)
			memset(&shared->crashed[i], 0, sizeof(Job));
	save(shared->crashed);
	LWLockRelease(shared->lock);
}

void
pool_job_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}
