/*
 * guard.h
 *	  Against losing leads and their history.
 */
#ifndef POOL_GUARD_H
#define POOL_GUARD_H

#include "postgres.h"

/*
 * Lets UPDATE and DELETE on pool.event through.  Set by whoever removes old
 * events or personal data, around the statement; any abort clears it.
 */
extern bool pool_guard_allow_event_writes;

extern void pool_guard_init(void);

#endif							/* POOL_GUARD_H */
