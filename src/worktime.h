/*
 * worktime.h
 *	  Working time: days and hours that count, by a tenant's calendar.
 */
#ifndef POOL_WORKTIME_H
#define POOL_WORKTIME_H

#include "config.h"

extern int64 pool_work_amount(const Interval *span,
							  const PoolTenantConf *tenant);
extern TimestampTz pool_work_add(TimestampTz at, int64 amount,
								 const PoolTenantConf *tenant, pg_tz *zone);
extern TimestampTz pool_work_subtract(TimestampTz at, int64 amount,
									  const PoolTenantConf *tenant,
									  pg_tz *zone);
extern int64 pool_work_between(TimestampTz from, TimestampTz until,
							   const PoolTenantConf *tenant, pg_tz *zone);

#endif							/* POOL_WORKTIME_H */
