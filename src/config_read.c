/*
 * config_read.c
 *	  Reading configuration rows, for config.c.
 *
 * Always with the latest snapshot, and without asking for privileges: callers
 * have none on these tables.
 */
#include "compat.h"
#include "config_read.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "rule.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

ConfigScan
config_scan_begin(MemoryContext context, PoolTableId table,
				  PoolIndexId index, const PoolKey *keys, int nkeys)
{
	ConfigScan	scan;

	scan.context = context;
	scan.rel = table_open(pool_table_oid(table), AccessShareLock);
	scan.index = index_open(pool_index_oid(index), AccessShareLock);
	scan.snapshot =
		RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(scan.rel)));
	scan.slot = table_slot_create(scan.rel, NULL);
	scan.scan = pool_index_scan(scan.rel, scan.index, scan.snapshot,
								keys, nkeys);
	return scan;
}

bool
config_scan_next(ConfigScan *scan)
{
	CHECK_FOR_INTERRUPTS();
	return index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot);
}

void
config_scan_end(ConfigScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	UnregisterSnapshot(scan->snapshot);
	index_close(scan->index, AccessShareLock);
	table_close(scan->rel, AccessShareLock);
}

Datum
config_column(ConfigScan *scan, int attnum, bool *isnull)
{
	return slot_getattr(scan->slot, attnum, isnull);
}

int32
config_column_int(ConfigScan *scan, int attnum, int32 if_null)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);

	return isnull ? if_null : DatumGetInt32(value);
}

bool
config_column_bool(ConfigScan *scan, int attnum)
{
	bool		isnull;

	return DatumGetBool(config_column(scan, attnum, &isnull));
}

/* in the scan's context, NULL for NULL */
char *
config_column_text(ConfigScan *scan, int attnum)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);

	if (isnull)
		return NULL;
	return MemoryContextStrdup(scan->context, TextDatumGetCString(value));
}

Interval *
config_column_interval(ConfigScan *scan, int attnum)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);
	Interval   *copy;

	if (isnull)
		return NULL;
	copy = MemoryContextAlloc(scan->context, sizeof(Interval));
	*copy = *DatumGetIntervalP(value);
	return copy;
}

double
config_column_number(ConfigScan *scan, int attnum, double if_null)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);

	if (isnull)
		return if_null;
	/* what is too small is nothing */
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  value));
}

/* The elements of a text[] without NULLs. */
List *
config_column_texts(ConfigScan *scan, int attnum)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);
	MemoryContext old;
	List	   *result = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &n);
	old = MemoryContextSwitchTo(scan->context);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			result = lappend(result, TextDatumGetCString(elements[i]));
	MemoryContextSwitchTo(old);
	return result;
}

void
config_column_condition(ConfigScan *scan, int attnum,
						PoolCondition *condition)
{
	bool		isnull;
	Datum		value = config_column(scan, attnum, &isnull);
	MemoryContext old;

	memset(condition, 0, sizeof(*condition));
	if (isnull)
		return;
	old = MemoryContextSwitchTo(scan->context);
	pool_rule_prepare(condition, DatumGetJsonPathPCopy(value));
	MemoryContextSwitchTo(old);
}

/* The array with room for one element after the first n. */
void *
config_make_room(MemoryContext context, void *array, int n, Size size)
{
	if (array == NULL)
		return MemoryContextAlloc(context, 4 * size);
	if (n >= 4 && (n & (n - 1)) == 0)
		return repalloc(array, 2 * n * size);
	return array;
}

/* The place of the name in the list, -1 if it is not there. */
int
config_find_name(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* All rows of the scan as periods; ends it and returns how many there are. */
int
config_read_periods(ConfigScan *scan, int from_column, int until_column,
					PoolPeriod **periods)
{
	int			n = 0;

	*periods = NULL;
	while (config_scan_next(scan))
	{
		PoolPeriod *period;
		bool		isnull;
		Datum		value;

		*periods = config_make_room(scan->context, *periods, n,
									sizeof(PoolPeriod));
		period = &(*periods)[n++];
		value = config_column(scan, from_column, &isnull);
		period->from = DatumGetTimestampTz(value);
		value = config_column(scan, until_column, &isnull);
		period->until = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	}
	config_scan_end(scan);
	return n;
}

/* Which days and hours are working time; *tenant's id is set. */
void
config_read_calendar(MemoryContext context, PoolTenantConf *tenant)
{
	ConfigScan	scan = config_scan_begin(context, POOL_CALENDAR,
										 POOL_CALENDAR_PKEY,
										 &pool_key_int4(tenant->id), 1);

	tenant->calendar = NULL;
	tenant->n_calendar = 0;
	while (config_scan_next(&scan))
	{
		PoolCalendarDay *day;
		bool		isnull;

		tenant->calendar = config_make_room(context, tenant->calendar,
											tenant->n_calendar,
											sizeof(PoolCalendarDay));
		day = &tenant->calendar[tenant->n_calendar++];
		day->day = DatumGetDateADT(config_column(&scan, CALENDAR_DAY,
												 &isnull));
		day->is_workday = config_column_bool(&scan, CALENDAR_IS_WORKDAY);
	}
	config_scan_end(&scan);
}
