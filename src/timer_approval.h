/*
 * timer_approval.h
 *	  Requests that nobody has decided in time.
 */
#ifndef POOL_TIMER_APPROVAL_H
#define POOL_TIMER_APPROVAL_H

#include "postgres.h"

#include "datatype/timestamp.h"

extern TimestampTz pool_timer_approvals_next(TimestampTz now,
											 bool *overdue);
extern int64 pool_timer_approvals(int max, TimestampTz now);

#endif							/* POOL_TIMER_APPROVAL_H */
