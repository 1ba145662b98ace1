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
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
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

static void
read_remind(ConfigScan *scan, PoolTimerRule *rule)
{
	bool		isnull;
	ArrayType  *array = DatumGetArrayTypeP(config_column(scan,
														 TIMER_RULE_REMIND_BEFORE,
														 &isnull));
	Datum	   *spans;
	int			n;

	deconstruct_array(array, INTERVALOID, sizeof(Interval), false,
					  TYPALIGN_DOUBLE, &spans, NULL, &n);
	rule->n_remind = n;
	rule->remind_before = MemoryContextAlloc(scan->context,
											 Max(n, 1) * sizeof(Interval));
	for (int i = 0; i < n; i++)
		rule->remind_before[i] = *DatumGetIntervalP(spans[i]);
}

static void
read_rule(ConfigScan *scan, PoolTimerRule *rule)
{
	bool		isnull;
	char	   *basis = config_column_text(scan, TIMER_RULE_BASIS);

	config_column_condition(scan, TIMER_RULE_CONDITION, &rule->condition);
	rule->id = config_column_int(scan, TIMER_RULE_ID, 0);
	rule->name = config_column_text(scan, TIMER_RULE_NAME);
	if (strcmp(basis, "first_contact") == 0)
		rule->basis = POOL_BASIS_FIRST_CONTACT;
	else if (strcmp(basis, "follow_up") == 0)
		rule->basis = POOL_BASIS_FOLLOW_UP;
	else
		rule->basis = POOL_BASIS_OWNERSHIP;
	rule->after = *DatumGetIntervalP(config_column(scan, TIMER_RULE_AFTER, &isnull));
	rule->notice_required = config_column_bool(scan, TIMER_RULE_NOTICE_REQUIRED);
	rule->to_pool_id = config_column_int(scan, TIMER_RULE_TO_POOL_ID, 0);
	read_remind(scan, rule);
}

/* The enabled timer rules of a pool, by name. */
void
config_read_timer_rules(MemoryContext context, PoolConf *pool)
{
	ConfigScan	scan = config_scan_begin(context, POOL_TIMER_RULE,
										 POOL_TIMER_RULE_NAME,
										 &pool_key_int4(pool->id), 1);

	pool->rules = NULL;
	pool->n_rules = 0;
	pool->conditional = false;
	while (config_scan_next(&scan))
	{
		if (!config_column_bool(&scan, TIMER_RULE_ENABLED))
			continue;
		pool->rules = config_make_room(context, pool->rules, pool->n_rules,
									   sizeof(PoolTimerRule));
		read_rule(&scan, &pool->rules[pool->n_rules]);
		if (pool->rules[pool->n_rules].condition.path != NULL)
			pool->conditional = true;
		pool->n_rules++;
	}
	config_scan_end(&scan);
}

/* One of them, enabled or not; NULL if the pool has none of that id. */
PoolTimerRule *
config_read_timer_rule(MemoryContext context, int32 pool_id, int32 rule_id)
{
	ConfigScan	scan = config_scan_begin(context, POOL_TIMER_RULE,
										 POOL_TIMER_RULE_NAME,
										 &pool_key_int4(pool_id), 1);
	PoolTimerRule *rule = NULL;

	while (rule == NULL && config_scan_next(&scan))
		if (config_column_int(&scan, TIMER_RULE_ID, 0) == rule_id)
		{
			rule = MemoryContextAllocZero(context, sizeof(PoolTimerRule));
			read_rule(&scan, rule);
		}
	config_scan_end(&scan);
	return rule;
}
