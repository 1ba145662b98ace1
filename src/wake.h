/*
 * wake.h
 *	  What this transaction makes due, for the worker to be there in time.
 */
#ifndef POOL_WAKE_H
#define POOL_WAKE_H

#include "postgres.h"

#include "clock.h"

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
