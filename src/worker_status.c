/*
 * worker_status.c
 *	  What the worker of this database does, or tick() in its place, for people.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "clock.h"
#include "config.h"
#include "fmgr.h"
#include "funcapi.h"
#include "guc.h"
#include "installation.h"
#include "miscadmin.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "worker_slot.h"

PG_FUNCTION_INFO_V1(pool_worker_status);

/* columns of worker_status() */
enum
{
	STATUS_LAST_TICK, STATUS_DURATION_MS, STATUS_DONE, STATUS_BACKLOG,
	STATUS_OLDEST_DUE, STATUS_ERRORS, STATUS_LAST_ERROR, STATUS_STATE,
	STATUS_ACTIVE
};
#define STATUS_NATTS (STATUS_ACTIVE + 1)

typedef struct Status
{
	Datum		values[STATUS_NATTS];
	bool		nulls[STATUS_NATTS];
} Status;

static void
put(Status *status, int column, Datum value)
{
	status->values[column] = value;
	status->nulls[column] = false;
}

/*
 * A copy of this database's slot, zeros if it has none; with what tick() has done
 * in this transaction, which nobody else knows of yet.
 */
static WorkerSlot
read_slot(void)
{
	WorkerSlot	copy = {0};
	WorkerReport own;
	WorkerSlot *slot;

	if (worker_shared == NULL)
		return copy;
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	slot = worker_slot_find(MyDatabaseId);
	if (slot != NULL)
		copy = *slot;
	LWLockRelease(worker_shared->lock);
	own = worker_slot_own_report();
	if (own.ended_at != 0)
		copy.last = own;
	return copy;
}

/* Without shared memory: when tick() ran last, give or take ten minutes. */
static void
put_noted_tick(Status *status)
{
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	bool		found = pool_sql_run("SELECT last_at FROM pool.tick_state",
									 0, NULL, NULL, NULL) > 0;
	bool		isnull;

	MemoryContextSwitchTo(context);
	if (found)
		put(status, STATUS_LAST_TICK, pool_sql_datum(0, 1, &isnull));
	pool_sql_end(sql);
}

static const char *
state_name(const WorkerSlot *slot, bool active)
{
	if (worker_shared == NULL)
		return "not preloaded";
	if (RecoveryInProgress())
		return "standby";
	if (!pool_worker_enabled)
		return "disabled";
	if (!active)
		return "waiting for resume()";
	return slot->pid != 0 ? "running" : "idle";
}

static void
put_last_run(Status *status, const WorkerSlot *slot)
{
	Datum		scale = Int32GetDatum(3);

	if (slot->last.ended_at != 0)
	{
		Datum		us = NumericGetDatum(int64_to_numeric(slot->last.duration));
		Datum		ms = DirectFunctionCall2(numeric_div, us,
											 NumericGetDatum(int64_to_numeric(1000)));

		put(status, STATUS_LAST_TICK,
			TimestampTzGetDatum(slot->last.ended_at));
		put(status, STATUS_DURATION_MS,
			DirectFunctionCall2(numeric_round, ms, scale));
		put(status, STATUS_DONE, Int64GetDatum(slot->last.done));
	}
	put(status, STATUS_ERRORS, Int64GetDatum(slot->errors));
	if (slot->last_error[0] != '\0')
		put(status, STATUS_LAST_ERROR,
			CStringGetTextDatum(slot->last_error));
}

/* Leads whose time has come; at each the tick has to look. */
static void
put_backlog(Status *status)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1] = {TimestampTzGetDatum(pool_now())};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	Datum		oldest;
	bool		none;

	pool_sql_run("SELECT count(*), min(check_at) FROM pool.lead_state"
				 " WHERE check_at <= $1", 1, types, values, NULL);
	MemoryContextSwitchTo(context);
	put(status, STATUS_BACKLOG,
		Int64GetDatum(pool_sql_int8(0, 1)));
	oldest = pool_sql_datum(0, 2, &none);
	if (!none)
		put(status, STATUS_OLDEST_DUE,
			TimestampTzGetDatum(DatumGetTimestampTz(oldest)));
	pool_sql_end(sql);
}

/*
 * SQL: worker_status(), one row
 */
Datum
pool_worker_status(PG_FUNCTION_ARGS)
{
	WorkerSlot	slot = read_slot();
	Status		status;
	TupleDesc	desc;
	bool		active;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	memset(status.nulls, true, sizeof(status.nulls));
	pool_config_refresh();
	active = pool_installation_active();
	put_last_run(&status, &slot);
	if (worker_shared == NULL)
		put_noted_tick(&status);
	put_backlog(&status);
	put(&status, STATUS_STATE,
		CStringGetTextDatum(state_name(&slot, active)));
	put(&status, STATUS_ACTIVE, BoolGetDatum(active));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  status.values,
													  status.nulls)));
}
