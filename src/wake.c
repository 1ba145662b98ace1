/*
 * wake.c
 *	  What this transaction makes due, for the worker to be there in time.
 *
 * Whoever writes a time notes it here; worker_slot.c looks at it when the
 * transaction ends.  What a subtransaction that is rolled back has noted
 * stays: at worst a worker comes and finds nothing.
 *
 * A tick in a session is noted, too: stat_worker tells of it.
 */
#include "wake.h"

PoolWakeTick pool_wake_tick = {.ended_at = POOL_NO_TIME};
TimestampTz pool_wake_at = POOL_WAKE_NEVER;
bool		pool_wake_written = false;
