/*
 * wake.h
 *	  What this transaction makes due, for the worker to be there in time.
 */
#ifndef POOL_WAKE_H
#define POOL_WAKE_H

#include "postgres.h"

#include "clock.h"

/* What tick() has done in this transaction. */
typedef struct PoolWakeTick
{
	TimestampTz ended_at;		/* POOL_NO_TIME = it has not run */
	int64		duration;		/* microseconds */
	int64		done;			/* leads and rows */
	SubTransactionId subid;		/* in which it ran */
} PoolWakeTick;

extern PoolWakeTick pool_wake_tick;

/* POOL_WAKE_NEVER = nothing */
extern TimestampTz pool_wake_at;
extern bool pool_wake_written;	/* events to fold, later than that will do */

#define POOL_WAKE_NEVER DT_NOEND

/* Something may be due at that time; POOL_NO_TIME = nothing is. */
static inline void
pool_wake_note(TimestampTz at)
{
	if (at < pool_wake_at && at != POOL_NO_TIME)
		pool_wake_at = at;
}

/* There is something to do as soon as this has committed. */
static inline void
pool_wake_now(void)
{
	pool_wake_note(0);
}

#endif							/* POOL_WAKE_H */
