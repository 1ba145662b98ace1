/*
 * attempt.h
 *	  Work that may fail without harm to other work.
 */
#ifndef POOL_ATTEMPT_H
#define POOL_ATTEMPT_H

#include "utils/elog.h"

/* Work on many things, of which some may fail. */
typedef struct PoolParts
{
	void	   *arg;
	void		(*work) (void *arg, int from, int n);
	/* this one alone has failed */
	void		(*failed) (void *arg, int which, const ErrorData *error);
	bool		waits;			/* for what others hold, until lock_timeout */
	/* it must not be parted from the one before it; NULL = none */
	bool		(*joined) (void *arg, int which);
} PoolParts;

extern ErrorData *pool_attempt(void (*work) (void *arg), void *arg);
extern void pool_rehearse(void (*work) (void *arg), void *arg);
extern ErrorData *pool_attempt_parts(const PoolParts *parts, int n);
extern bool pool_attempt_is_running(void);
extern bool pool_attempt_may_fail(void);
extern bool pool_attempt_is_passing(int sqlerrcode);
extern void pool_attempt_report(const ErrorData *error, const char *what,
								int64 lead_id);

#endif							/* POOL_ATTEMPT_H */
