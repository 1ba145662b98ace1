/*
 * worker_slot.h
 *	  The shared memory of launcher and workers: a slot per database.
 */
#ifndef POOL_WORKER_SLOT_H
#define POOL_WORKER_SLOT_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#define WORKER_ERROR_LENGTH 256
#define WORKER_ERRORS_SEEN 16

/* What the last worker found in a database. */
typedef enum WorkerFinding
{
	WORKER_UNKNOWN,
	WORKER_NO_EXTENSION,
	WORKER_NOT_AT_HOME,			/* the data waits for resume() */
	WORKER_AT_HOME
} WorkerFinding;

/* What one run did, of a worker or of tick(). */
typedef struct WorkerReport
{
	TimestampTz ended_at;		/* 0 = none yet */
	int64		duration;		/* microseconds */
	int64		done;			/* leads and rows */
	bool		more;			/* left with work to do */
} WorkerReport;

/*
 * A database.  Guarded by worker_shared->lock.  A worker owns the slot while
 * `pid` is its own; the launcher decides when the next one starts.
 */
typedef struct WorkerSlot
{
	Oid			database;		/* invalid = unused */
	uint32		launch;			/* counts starts: a late one finds another */
	int			pid;			/* 0 = no worker is connected */
	bool		starting;		/* asked for, not there yet */
	bool		left;			/* the last worker ended by itself */
	bool		look_again;		/* something happened that it may have missed */
	WorkerFinding found;
	int			failures;		/* workers in a row that did not leave */
	TimestampTz begun;			/* when the last worker was asked for */
	TimestampTz next_run;		/* what that one said */
	TimestampTz not_before;		/* ... and however urgent it is */
	/* earlier than that: what has been committed since it began */
	pg_atomic_uint64 asked_at;
	WorkerReport last;
	int64		errors;			/* since the server started */
	char		last_error[WORKER_ERROR_LENGTH];	/* '' = none */
	int			n_seen;
	uint32		seen[WORKER_ERRORS_SEEN];	/* hashes of errors in the log */
} WorkerSlot;

typedef struct WorkerShared
{
	LWLock	   *lock;
	Latch	   *launcher;		/* NULL = not running */
	TimestampTz awaited;		/* until when it sleeps; 0 = not at all */
	bool		crowded;		/* it waits for a worker to end */
	bool		extension_made; /* somewhere, since the launcher last looked */
	int			n_slots;		/* pool_ext.worker_databases */
	WorkerSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} WorkerShared;

/* NULL without shared_preload_libraries */
extern WorkerShared *worker_shared;

extern bool worker_slot_note_error(WorkerSlot *slot, const char *message,
								   int sqlerrcode);
extern WorkerReport worker_slot_own_report(void);
extern void worker_slot_init(void);

/* under the lock */
extern WorkerSlot *worker_slot_find(Oid database);
extern WorkerSlot *worker_slot_make(Oid database);
extern TimestampTz worker_slot_due(WorkerSlot *slot);
extern void worker_slot_begun(WorkerSlot *slot, int pid);
extern void worker_slot_ended(WorkerSlot *slot, TimestampTz now);
extern void worker_slot_poke(TimestampTz due);

#endif							/* POOL_WORKER_SLOT_H */
