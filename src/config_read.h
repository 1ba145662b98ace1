/*
 * config_read.h
 *	  Reading configuration rows, for the cache in config.c.
 */
#ifndef POOL_CONFIG_READ_H
#define POOL_CONFIG_READ_H

#include "config.h"
#include "table.h"

/* A scan of a configuration table; what it reads is put into `context`. */
typedef struct ConfigScan
{
	MemoryContext context;
	Relation	rel;
	Relation	index;
	IndexScanDesc scan;
	Snapshot	snapshot;
	TupleTableSlot *slot;
} ConfigScan;

extern ConfigScan config_scan_begin(MemoryContext context, PoolTableId table,
									PoolIndexId index, const PoolKey *keys,
									int nkeys);
extern bool config_scan_next(ConfigScan *scan);
extern void config_scan_end(ConfigScan *scan);

/* columns of the row the scan stands on */
extern Datum config_column(ConfigScan *scan, int attnum, bool *isnull);
extern int32 config_column_int(ConfigScan *scan, int attnum, int32 if_null);
extern bool config_column_bool(ConfigScan *scan, int attnum);
extern char *config_column_text(ConfigScan *scan, int attnum);
extern Interval *config_column_interval(ConfigScan *scan, int attnum);
extern double config_column_number(ConfigScan *scan, int attnum,
								   double if_null);
extern List *config_column_texts(ConfigScan *scan, int attnum);
extern void config_column_condition(ConfigScan *scan, int attnum,
									PoolCondition *condition);
extern void *config_make_room(MemoryContext context, void *array, int n,
							  Size size);

extern int	config_find_name(const char *name, const char *const *names, int n);
extern int	config_read_periods(ConfigScan *scan, int from_column,
								int until_column, PoolPeriod **periods);

extern bool config_read_tenant(MemoryContext context, PoolTenantConf *tenant);
extern bool config_read_pool(MemoryContext context, PoolConf *pool);
extern bool config_read_member(MemoryContext context, PoolMemberConf *member);
extern void config_read_membership(MemoryContext context, const PoolConf *pool,
								   const PoolMemberConf *member,
								   PoolMembershipConf *read);
extern void config_read_calendar(MemoryContext context,
								 PoolTenantConf *tenant);
extern bool config_find_timer_basis(MemoryContext context,
									PoolTimerBasis basis);
extern void config_read_timer_rules(MemoryContext context, PoolConf *pool);
extern PoolTimerRule *config_read_timer_rule(MemoryContext context,
											 int32 pool_id, int32 rule_id);
extern void config_read_rules(MemoryContext context, PoolConf *pool);

#endif							/* POOL_CONFIG_READ_H */
