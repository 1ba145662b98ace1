/*
 * clock.c
 *	  Time: the clock and its override, days and intervals in a zone.
 *
 * Only entry points ask for the time; everything below them is given it.
 */
#include "compat.h"
#include "clock.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pool_clock);

/* bytes of a zone's name that are shown in messages */
#define SHOWN_NAME_LENGTH 64

/* years of times that are taken */
#define FIRST_YEAR 1
#define LAST_YEAR 9999

static TimestampTz clock_override = POOL_NO_TIME;

/* The first moment of FIRST_YEAR in any zone */
static TimestampTz
first_time(void)
{
	return (date2j(FIRST_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE - 1) *
		USECS_PER_DAY;
}

/* The last one of LAST_YEAR */
static TimestampTz
last_time(void)
{
	return (date2j(LAST_YEAR + 1, 1, 1) - POSTGRES_EPOCH_JDATE + 1) *
		USECS_PER_DAY - 1;
}

/*
 * Whether a time can be computed with: most clients know its year, and whatever
 * is added to it or taken from it is a timestamp in every zone.
 */
static bool
is_usable(TimestampTz at)
{
	return at >= first_time() && at <= last_time();
}

/*
 * Reads a timestamptz without raising an error, since a setting may also be
 * read from a file by the postmaster.  False if it is none that can be used.
 */
static bool
parse_time(const char *text, TimestampTz *result)
{
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	char		workbuf[MAXDATELEN + MAXDATEFIELDS];
	struct pg_tm tm;
	fsec_t		fsec;
	int			nf,
				dtype,
				tz;

	if (ParseDateTime(text, workbuf, sizeof(workbuf), field, ftype,
					  MAXDATEFIELDS, &nf) != 0)
		return false;
	if (pool_decode_date_time(field, ftype, nf, &dtype, &tm, &fsec, &tz) != 0)
		return false;
	return dtype == DTK_DATE && tm2timestamp(&tm, fsec, &tz, result) == 0 &&
		is_usable(*result);
}

bool
pool_clock_check(char **newval, void **extra, GucSource source)
{
	TimestampTz *parsed;
	TimestampTz at = POOL_NO_TIME;

	if (**newval != '\0' && !parse_time(*newval, &at))
	{
		GUC_check_errdetail("A timestamp with time zone of the years %d to %d is expected, for example \"%s\".",
							FIRST_YEAR, LAST_YEAR,
							"2026-01-31 09:00:00+08");
		return false;
	}
	parsed = guc_malloc(LOG, sizeof(TimestampTz));
	if (parsed == NULL)
		return false;
	*parsed = at;
	*extra = parsed;
	return true;
}

void
pool_clock_assign(const char *newval, void *extra)
{
	clock_override = *(TimestampTz *) extra;
}

bool
pool_clock_is_set(void)
{
	return clock_override != POOL_NO_TIME;
}

/* The time now; entry points ask after their locks. */
TimestampTz
pool_now(void)
{
	if (pool_clock_is_set())
		return clock_override;
	return GetCurrentTimestamp();
}

/* SQL: the time of this statement, or the override */
Datum
pool_clock(PG_FUNCTION_ARGS)
{
	if (pool_clock_is_set())
		PG_RETURN_TIMESTAMPTZ(clock_override);
	PG_RETURN_TIMESTAMPTZ(GetCurrentStatementStartTimestamp());
}

/* The zone of this name; raises 22023 if there is none. */
pg_tz *
pool_zone(const char *name)
{
	pg_tz	   *zone = NULL;

	if (strlen(name) <= TZ_STRLEN_MAX)
		zone = pg_tzset(name);
	if (zone == NULL || !pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known",
						pool_cut(name, SHOWN_NAME_LENGTH)),
				 errdetail("No zone has this name, or it counts leap seconds."),
				 errhint("pg_timezone_names lists the names, for example \"Asia/Shanghai\".")));
	return zone;
}

/* The same, or the first or last time that can be computed with. */
TimestampTz
pool_time_within(TimestampTz at)
{
	return Min(Max(at, first_time()), last_time());
}

/* Raises 22023 for times that cannot be computed with. */
void
pool_check_time(TimestampTz at, const char *what)
{
	if (is_usable(at))
		return;
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite", what),
				 errdetail("Infinite times cannot be computed with."),
				 errhint("Pass a point in time, or NULL for none.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is out of range", what),
			 errdetail("Only times of the years %d to %d can be computed with.",
					   FIRST_YEAR, LAST_YEAR),
			 errhint("Pass such a time, or NULL for none; mind seconds "
					 "against milliseconds.")));
}

/* Raises 22023 for what cannot have been yet, by more than clocks differ. */
void
pool_check_not_ahead(TimestampTz at, const char *what)
{
	if (at != POOL_NO_TIME && at > pool_now() + USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s lies in the future", what),
				 errdetail("It is more than a day ahead of the server's clock."),
				 errhint("Give a time that has passed, or NULL; mind the "
						 "time zone, and seconds against milliseconds.")));
}

/*
 * More than nothing, whatever the month, and short enough to be added to any
 * date: parts of different signs are longer or shorter than nothing depending
 * on where they are added.
 */
bool
pool_span_is_sane(const Interval *span)
{
	int64		days;

	if (span->month < 0 || span->day < 0 || span->time < 0)
		return false;
	if (span->month == 0 && span->day == 0 && span->time == 0)
		return false;
	days = (int64) span->month * DAYS_PER_MONTH + span->day +
		span->time / USECS_PER_DAY;
	return days <= (int64) POOL_MAX_YEARS * MONTHS_PER_YEAR * DAYS_PER_MONTH;
}

void
pool_check_span(const Interval *span, const char *argument)
{
	if (pool_span_is_sane(span))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("interval is out of range for argument \"%s\"",
					argument),
			 errdetail("It must be longer than nothing, without negative "
					   "parts, and no longer than %d years.",
					   POOL_MAX_YEARS),
			 errhint("For example \"3 days\" or \"48 hours\".")));
}

/* What was computed is no time. */
void
pool_report_time_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp out of range"),
			 errdetail("What was computed from it is no timestamp any more."),
			 errhint("Use times between 4713 BC and 294276 AD.")));
}

static void
to_local(TimestampTz at, pg_tz *zone, struct pg_tm *tm, fsec_t *fsec)
{
	int			offset;

	if (timestamp2tm(at, &offset, tm, fsec, NULL, zone) != 0)
		pool_report_time_range();
}

static TimestampTz
from_local(struct pg_tm *tm, fsec_t fsec, pg_tz *zone)
{
	TimestampTz result;
	int			offset = DetermineTimeZoneOffset(tm, zone);

	if (tm2timestamp(tm, fsec, &offset, &result) != 0)
		pool_report_time_range();
	return result;
}

DateADT
pool_local_day(TimestampTz at, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;

	to_local(at, zone, &tm, &fsec);
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

/* Day and time of day that the clocks of the zone show. */
DateADT
pool_wall_clock(TimestampTz at, pg_tz *zone, TimeADT *time)
{
	struct pg_tm tm;
	fsec_t		fsec;

	to_local(at, zone, &tm, &fsec);
	*time = ((tm.tm_hour * MINS_PER_HOUR + tm.tm_min) * SECS_PER_MINUTE +
			 tm.tm_sec) * USECS_PER_SEC + fsec;
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

/* The instant at which they show that; 24:00 is the end of the day. */
TimestampTz
pool_wall_time(DateADT day, TimeADT time, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;

	memset(&tm, 0, sizeof(tm));
	day += time / USECS_PER_DAY;
	time %= USECS_PER_DAY;
	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	dt2time(time, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fsec);
	return from_local(&tm, fsec, zone);
}

/*
 * The instant at which this day begins in the zone.  Where clocks go back at
 * midnight there are two: it is the one by the offset that held before.
 */
TimestampTz
pool_day_start(DateADT day, pg_tz *zone)
{
	struct pg_tm tm;
	struct pg_tm before;
	fsec_t		fsec;
	int			offset;
	TimestampTz result;
	TimestampTz first;

	memset(&tm, 0, sizeof(tm));
	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	result = from_local(&tm, 0, zone);
	if (timestamp2tm(result - 1, &offset, &before, &fsec, NULL, zone) == 0 &&
		tm2timestamp(&tm, 0, &offset, &first) == 0)
		result = Min(result, first);
	return result;
}

/*
 * at + sign * span: months and days by the calendar of the zone (the same
 * wall-clock time), the rest as elapsed time.
 */
static TimestampTz
shift(TimestampTz at, const Interval *span, int sign, pg_tz *zone)
{
	TimestampTz result = at;

	if (span->month != 0 || span->day != 0)
	{
		struct pg_tm tm;
		fsec_t		fsec;
		int			months;
		int			day;

		to_local(at, zone, &tm, &fsec);
		months = tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1 +
			sign * span->month;
		tm.tm_year = months / MONTHS_PER_YEAR;
		tm.tm_mon = months % MONTHS_PER_YEAR + 1;
		tm.tm_mday = Min(tm.tm_mday,
						 day_tab[isleap(tm.tm_year)][tm.tm_mon - 1]);
		day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) + sign * span->day;
		j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		result = from_local(&tm, fsec, zone);
	}
	if (pg_add_s64_overflow(result, sign * span->time, &result) ||
		!IS_VALID_TIMESTAMP(result))
		pool_report_time_range();
	return result;
}

TimestampTz
pool_time_add(TimestampTz at, const Interval *span, pg_tz *zone)
{
	return shift(at, span, 1, zone);
}

TimestampTz
pool_time_subtract(TimestampTz at, const Interval *span, pg_tz *zone)
{
	return shift(at, span, -1, zone);
}
