/*
 * worktime.c
 *	  Working time: days and hours that count, by a tenant's calendar.
 *
 * Pure.  A working day is one of the tenant's workdays, unless the calendar
 * says otherwise for that day, and lasts from work_from to work_until by the
 * clock on the wall of the zone.  A span is an amount of such time, a day of
 * it being one working day: nine hours from 09:00 to 18:00, say.  It is used up
 * at the earliest moment at which that much has passed, the end of a day rather
 * than the beginning of the next.  A tenant has a workday at least, and a
 * calendar has an end, so there always is more of it.
 */
#include "compat.h"
#include "worktime.h"

#include "utils/datetime.h"

static int64
day_length(const PoolTenantConf *tenant)
{
	return tenant->work_until - tenant->work_from;
}

/* What the calendar says of a day, NULL = nothing. */
static const PoolCalendarDay *
calendar_day(const PoolTenantConf *tenant, DateADT day)
{
	int			low = 0;
	int			high = tenant->n_calendar;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (tenant->calendar[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tenant->n_calendar && tenant->calendar[low].day == day ?
		&tenant->calendar[low] : NULL;
}

static bool
is_workday(const PoolTenantConf *tenant, DateADT day)
{
	const PoolCalendarDay *special = calendar_day(tenant, day);
	int			weekday = j2day(day + POSTGRES_EPOCH_JDATE);

	if (special != NULL)
		return special->is_workday;
	return tenant->workdays[weekday == 0 ? 7 : weekday];
}

/* The amount of working time that a span stands for. */
int64
pool_work_amount(const Interval *span, const PoolTenantConf *tenant)
{
	return ((int64) span->month * DAYS_PER_MONTH + span->day) *
		day_length(tenant) + span->time;
}

/*
 * The earliest moment by which that much working time has passed since `at`.
 */
TimestampTz
pool_work_add(TimestampTz at, int64 amount, const PoolTenantConf *tenant,
			  pg_tz *zone)
{
	TimeADT		time;
	DateADT		day = pool_wall_clock(at, zone, &time);

	if (amount == 0)
		return at;
	for (;; day++, time = 0)
	{
		int64		left = tenant->work_until - Max(time, tenant->work_from);

		if (left > 0 && is_workday(tenant, day))
		{
			if (amount <= left)
				return Max(at, pool_wall_time(day, tenant->work_until - left +
											  amount, zone));
			amount -= left;
		}
	}
}

/*
 * The latest moment since which that much working time has passed at `at`.
 */
TimestampTz
pool_work_subtract(TimestampTz at, int64 amount,
				   const PoolTenantConf *tenant, pg_tz *zone)
{
	TimeADT		time;
	DateADT		day = pool_wall_clock(at, zone, &time);

	if (amount == 0)
		return at;
	for (;; day--, time = USECS_PER_DAY)
	{
		int64		gone = Min(time, tenant->work_until) - tenant->work_from;

		if (gone > 0 && is_workday(tenant, day))
		{
			if (amount <= gone)
				return Min(at, pool_wall_time(day, tenant->work_from + gone -
											  amount, zone));
			amount -= gone;
		}
	}
}

/* How much working time passes between two moments. */
int64
pool_work_between(TimestampTz from, TimestampTz until,
				  const PoolTenantConf *tenant, pg_tz *zone)
{
	TimeADT		from_time;
	TimeADT		until_time;
	DateADT		first = pool_wall_clock(from, zone, &from_time);
	DateADT		last = pool_wall_clock(until, zone, &until_time);
	int64		total = 0;

	for (DateADT day = first; day <= last; day++)
	{
		TimeADT		begin = tenant->work_from;
		TimeADT		end = tenant->work_until;

		if (day == first)
			begin = Max(begin, from_time);
		if (day == last)
			end = Min(end, until_time);
		if (begin < end && is_workday(tenant, day))
			total += end - begin;
	}
	return total;
}
