/*
 * delays.c
 *	  Windows of time, made wide: a build for tests only.
 *
 * `make DELAYS=1` links this in.  The linker leads calls of the functions
 * below, wherever the library makes them, through here first: locks, scans and
 * writes of rows, the library's own locks, what it does when a transaction
 * ends, and the start of a worker wait now and then for a random time.  Nothing
 * of it is in the source of the product, or in any other build.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/lwlock.h"
#include "table.h"

/* one call in so many waits, up to so long */
#define SELDOM 97
#define NOW_AND_THEN 29
#define OFTEN 7
#define MAX_DELAY 3000			/* microseconds */

static void
delay(int one_in)
{
	static bool seeded = false;

	if (!seeded)
		srandom(MyProcPid);
	seeded = true;
	if (random() % one_in == 0)
		pg_usleep(random() % MAX_DELAY);
}

#define WRAP(type, name, params, args, one_in) \
	extern type __real_##name params; \
	extern type __wrap_##name params; \
	type \
	__wrap_##name params \
	{ \
		type		result; \
		delay(one_in); \
		result = __real_##name args; \
		delay(one_in); \
		return result; \
	}

#define WRAP_VOID(name, params, args, one_in) \
	extern void __real_##name params; \
	extern void __wrap_##name params; \
	void \
	__wrap_##name params \
	{ \
		delay(one_in); \
		__real_##name args; \
		delay(one_in); \
	}

/* locks and writes of rows */
WRAP(TM_Result, pool_table_lock,
	 (PoolTable *table, ItemPointer tid, Snapshot snapshot,
	  LockWaitPolicy policy),
	 (table, tid, snapshot, policy), OFTEN)
WRAP(TM_Result, pool_table_try_update,
	 (PoolTable *table, const Datum *values, const bool *nulls),
	 (table, values, nulls), OFTEN)
WRAP_VOID(pool_table_update,
		  (PoolTable *table, const Datum *values, const bool *nulls),
		  (table, values, nulls), OFTEN)

/* scans */
WRAP(bool, index_getnext_slot,
	 (IndexScanDesc scan, ScanDirection direction, TupleTableSlot *slot),
	 (scan, direction, slot), SELDOM)
WRAP(ItemPointer, index_getnext_tid,
	 (IndexScanDesc scan, ScanDirection direction), (scan, direction), SELDOM)

/* shared memory; whoever waits for it is not held up by us for long */
WRAP(bool, LWLockAcquire, (LWLock *lock, LWLockMode mode), (lock, mode),
	 SELDOM)

/* workers */
WRAP_VOID(BackgroundWorkerInitializeConnectionByOid,
		  (Oid database, Oid role, uint32 flags), (database, role, flags),
		  OFTEN)

/* ends of transactions: before each of the library's callbacks */
extern void __real_RegisterXactCallback(XactCallback callback, void *arg);
extern void __wrap_RegisterXactCallback(XactCallback callback, void *arg);

static void
end_late(XactEvent event, void *arg)
{
	delay(NOW_AND_THEN);
}

void
__wrap_RegisterXactCallback(XactCallback callback, void *arg)
{
	__real_RegisterXactCallback(callback, arg);
	/* what is registered last is called first */
	__real_RegisterXactCallback(end_late, NULL);
}
