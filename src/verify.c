/*
 * verify.c
 *	  Whether every invariant holds.
 *
 * The checks are views (sql/install/verify*.sql), run as the owner in one
 * snapshot; what views cannot see is here: shared memory, what timer rules make
 * of a lead, and, by calls, attached tables and what is stored.
 */
#include "result.h"

#include "access/xact.h"
#include "attach.h"
#include "attempt.h"
#include "judge.h"
#include "miscadmin.h"
#include "physical.h"
#include "queue_check.h"
#include "rule.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_verify);
PG_FUNCTION_INFO_V1(pool_late_timer);

#define QUEUE_CHECK "queue_hidden"
#define ATTACH_CHECK "attachment"

static void
select_read_only(const char *query)
{
	int			rc = SPI_execute(query, true, 0);

	if (rc != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
}

/* The names of the checks up to this level. */
static List *
check_names(int level)
{
	List	   *names = NIL;

	select_read_only(psprintf("SELECT name FROM pool.verification"
							  " WHERE level <= %d AND in_view"
							  " ORDER BY level, name", level));
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i],
											SPI_tuptable->tupdesc, 1));
	return names;
}

static void
run_check(PoolCall *call, const char *name)
{
	SPITupleTable *rows;
	uint64		n;

	CHECK_FOR_INTERRUPTS();
	select_read_only(psprintf("SELECT object, message FROM pool.%s",
							  quote_identifier(psprintf("verify_%s", name))));
	rows = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		pool_put_text(call, 0, name);
		pool_put_text(call, 1, SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
		pool_put_text(call, 2, SPI_getvalue(rows->vals[i], rows->tupdesc, 2));
		pool_call_row(call);
	}
	SPI_freetuptable(rows);
}

static void
check_queues(PoolCall *call)
{
	List	   *hidden = pool_queue_hidden(pool_work_table(call->work,
														   POOL_LEAD_STATE));
	ListCell   *lc;

	foreach(lc, hidden)
	{
		PoolHidden *found = lfirst(lc);

		pool_put_text(call, 0, QUEUE_CHECK);
		pool_put_text(call, 1, psprintf("lead " INT64_FORMAT, found->lead_id));
		pool_put_text(call, 2, psprintf("available in pool %d, but no claim "
										"would find it", found->pool_id));
		pool_call_row(call);
	}
}

/* One check, of those that are views or of the others. */
typedef struct Check
{
	PoolCall   *call;
	const char *name;
	void		(*run) (struct Check *check);
} Check;

static void
run_view(Check *check)
{
	run_check(check->call, check->name);
}

static void
run_queues(Check *check)
{
	check_queues(check->call);
}

static void
run_attachments(Check *check)
{
	pool_attach_verify(check->call);
}

static void
run_attempted(void *arg)
{
	Check	   *check = arg;

	check->run(check);
}

/* Where files may be damaged, a check that fails is a finding like others. */
static void
run(PoolCall *call, int level, const char *name, void (*what) (Check *check))
{
	Check		check = {call, name, what};
	ErrorData  *error = NULL;

	if (level < 4 || IsInParallelMode())
		check.run(&check);
	else
		error = pool_attempt(run_attempted, &check);
	if (error == NULL)
		return;
	pool_put_text(call, 0, name);
	pool_put_text(call, 1, "check");
	pool_put_text(call, 2,
				  psprintf("it could not be done: SQLSTATE %s",
						   unpack_sql_state(error->sqlerrcode)));
	pool_call_row(call);
}

static void
run_views(PoolCall *call, int level)
{
	PoolSql		sql = pool_sql_begin();
	ListCell   *lc;

	/* versions of rules are compared as they were written */
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	foreach(lc, check_names(level))
		run(call, level, lfirst(lc), run_view);
	pool_sql_end(sql);
}

/*
 * pool.verify(level)
 */
Datum
pool_verify(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "verify");
	int			level = PG_ARGISNULL(0) ? 3 : PG_GETARG_INT32(0);

	if (level < 1 || level > 4)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level %d is out of range", level),
				 errdetail("Levels are 1, 2, 3 and 4."),
				 errhint("3 looks at all rows and is the default.")));
	pool_require_all_tenants("verify");
	run_views(call, level);
	if (level >= 3)
	{
		/* opened here, and not by an attempt that would have to close it */
		(void) pool_work_index(pool_work_table(call->work, POOL_LEAD_STATE),
							   POOL_LEAD_STATE_QUEUE);
		run(call, level, QUEUE_CHECK, run_queues);
		run(call, level, ATTACH_CHECK, run_attachments);
	}
	if (level >= 4)
		pool_physical_verify(call);
	return pool_call_end(call);
}

/*
 * SQL, for verify_due: late_timer(lead)
 *
 * check_at need not be exact: the tick may look too early, never too late.
 */
Datum
pool_late_timer(PG_FUNCTION_ARGS)
{
	PoolWork   *work = pool_work_begin_reading();
	Snapshot	snapshot = GetActiveSnapshot();
	TimestampTz now = pool_now();
	TimestampTz result = POOL_NO_TIME;
	PoolJudgement j;
	PoolLead	lead;
	PoolData	data;

	pool_config_refresh();
	if (!PG_ARGISNULL(0) &&
		pool_lead_peek(pool_work_table(work, POOL_LEAD_STATE),
					   PG_GETARG_INT64(0), snapshot, &lead) &&
		pool_data_read(pool_work_table(work, POOL_LEAD_DATA), lead.id,
					   snapshot, &data))
	{
		PoolTimer  *timers;

		pool_judge_begin(&j, work, snapshot, &lead, &data, now);
		timers = pool_judge_all(&j);
		for (int i = 0; i < j.pool->n_rules; i++)
		{
			TimestampTz at = Max(timers[i].due_at, now);

			/* one that waits for its own warning is left to the tick */
			if (timers[i].applies && timers[i].verdict == POOL_MATCH &&
				!timers[i].done && !timers[i].unwarned &&
				(lead.check_at == POOL_NO_TIME || lead.check_at > at) &&
				(result == POOL_NO_TIME || at < result))
				result = at;
		}
	}
	pool_work_end(work);
	if (result == POOL_NO_TIME)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}
