/*
 * clock.h
 *	  Time: the clock and its override, days and intervals in a zone.
 */
#ifndef POOL_CLOCK_H
#define POOL_CLOCK_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* A timestamp column that is NULL. */
#define POOL_NO_TIME DT_NOBEGIN

extern bool pool_clock_check(char **newval, void **extra, GucSource source);
extern void pool_clock_assign(const char *newval, void *extra);

extern TimestampTz pool_now(void);
extern bool pool_clock_is_set(void);
extern pg_tz *pool_zone(const char *name);
extern DateADT pool_local_day(TimestampTz at, pg_tz *zone);
extern DateADT pool_wall_clock(TimestampTz at, pg_tz *zone, TimeADT *time);
extern TimestampTz pool_wall_time(DateADT day, TimeADT time, pg_tz *zone);
extern TimestampTz pool_day_start(DateADT day, pg_tz *zone);
extern TimestampTz pool_time_add(TimestampTz at, const Interval *span,
								 pg_tz *zone);
extern TimestampTz pool_time_subtract(TimestampTz at, const Interval *span,
									  pg_tz *zone);
extern void pool_report_time_range(void);
#define POOL_MAX_YEARS 100		/* of an interval */

extern bool pool_span_is_sane(const Interval *span);
extern void pool_check_span(const Interval *span, const char *argument);
extern void pool_check_not_ahead(TimestampTz at, const char *what);
extern void pool_check_time(TimestampTz at, const char *what);
extern TimestampTz pool_time_within(TimestampTz at);

#endif							/* POOL_CLOCK_H */
