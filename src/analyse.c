/*
 * analyse.c
 *	  Questions about rules: check_rules, compare, suggest_after.
 *
 * They are queries over views that nobody else may read, run as the owner in
 * the caller's snapshot; what the caller may know of is settled before.
 */
#include "result.h"

#include "analyse_sql.h"
#include "catalog/pg_type.h"
#include "errors.h"
#include "miscadmin.h"
#include "rule.h"
#include "sql.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_lead_document);
PG_FUNCTION_INFO_V1(pool_condition_variables);
PG_FUNCTION_INFO_V1(pool_check_rules);
PG_FUNCTION_INFO_V1(pool_compare);
PG_FUNCTION_INFO_V1(pool_suggest_after);

#define MAX_COMPARED_DAYS 3650
#define MIN_CASES 30

/* SQL, for rule_finding: what conditions see of a lead. */
Datum
pool_lead_document(PG_FUNCTION_ARGS)
{
	PoolWork   *work;
	PoolLead	lead;
	PoolData	data;
	Jsonb	   *document = NULL;
	Snapshot	snapshot = GetActiveSnapshot();

	pool_config_refresh();
	work = pool_work_begin_reading();
	if (pool_lead_peek(pool_work_table(work, POOL_LEAD_STATE),
					   PG_GETARG_INT64(0), snapshot, &lead) &&
		pool_data_read(pool_work_table(work, POOL_LEAD_DATA), lead.id,
					   snapshot, &data))
		document = pool_rule_document(&lead, &data, pool_now());
	pool_work_end(work);
	if (document == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(document);
}

/* SQL, for views: the names of the variables of a condition. */
Datum
pool_condition_variables(PG_FUNCTION_ARGS)
{
	PoolCondition condition;
	Datum	   *names;

	pool_rule_prepare(&condition, PG_GETARG_JSONPATH_P(0));
	names = palloc(Max(condition.n_variables, 1) * sizeof(Datum));
	for (int i = 0; i < condition.n_variables; i++)
		names[i] = CStringGetTextDatum(condition.variables[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, condition.n_variables,
										  TEXTOID, -1, false, TYPALIGN_INT));
}

/* Emits the rows of a query, in the snapshot of the caller's statement. */
static void
emit_query(PoolCall *call, const char *query, int nargs, Oid *types,
		   Datum *values, const char *nulls)
{
	PoolSql		sql = pool_sql_begin();
	int			rc = SPI_execute_with_args(query, nargs, types, values, nulls,
										   true, 0);

	if (rc != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	pool_call_result(call);
	pool_sql_end(sql);
}

/*
 * pool.check_rules(pool)
 */
Datum
pool_check_rules(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "check_rules");
	const PoolConf *pool = pool_arg_pool(call, 0);
	Oid			types[2] = {INT4ARRAYOID, INT4OID};
	Datum		values[2] = {pool_visible_tenants(NULL),
	Int32GetDatum(pool != NULL ? pool->id : 0)};

	emit_query(call, CHECK_RULES_SQL, 2, types, values,
			   pool != NULL ? "  " : " n");
	return pool_call_end(call);
}

/*
 * pool.compare(pool, at, days)
 */
Datum
pool_compare(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "compare");
	const PoolConf *pool = pool_resolve_pool(pool_arg_text(call, 0, "pool"));
	Oid			types[4] = {INT4OID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID};
	Datum		values[4];
	int			days;

	if (PG_ARGISNULL(1))
		pool_report_null("at");
	if (PG_ARGISNULL(2))
		pool_report_null("days");
	days = PG_GETARG_INT32(2);
	if (days < 1 || days > MAX_COMPARED_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days %d is out of range", days),
				 errdetail("At least 1 and at most %d days are compared.",
						   MAX_COMPARED_DAYS),
				 errhint("28 days on each side even out the weekdays.")));
	pool_check_time(PG_GETARG_TIMESTAMPTZ(1), "at");
	values[0] = Int32GetDatum(pool->id);
	values[1] = PG_GETARG_DATUM(1);
	values[2] = Int32GetDatum(days);
	values[3] = TimestampTzGetDatum(pool_now());
	emit_query(call, COMPARE_SQL, 4, types, values, NULL);
	return pool_call_end(call);
}

/* Why nothing can be suggested for this rule; NULL if something can. */
static const char *
refuse_rule(int32 rule_id)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(rule_id)};
	PoolSql		sql = pool_sql_begin();
	uint64		n = pool_sql_run("SELECT tenant_id, action, basis,"
								 " working_time::text FROM pool.timer_rule"
								 " WHERE id = $1", 1, types, values, NULL);
	const char *refusal = NULL;
	int32		tenant_id = 0;

	if (n > 0)
	{
		TupleDesc	desc = SPI_tuptable->tupdesc;
		HeapTuple	row = SPI_tuptable->vals[0];
		const char *basis = SPI_getvalue(row, desc, 3);

		tenant_id = pool_sql_int4(0, 1);
		if (strcmp(SPI_getvalue(row, desc, 2), "reclaim") != 0)
			refusal = "the rule does not reclaim";
		else if (strcmp(basis, "first_contact") != 0 &&
				 strcmp(basis, "follow_up") != 0 &&
				 strcmp(basis, "ownership") != 0)
			refusal = "nothing is known to suggest for this basis";
		else if (strcmp(SPI_getvalue(row, desc, 4), "true") == 0)
			refusal = "the rule counts working time: events tell elapsed time";
	}
	pool_sql_end(sql);
	if (tenant_id == 0 || !pool_caller_sees_tenant(tenant_id))
		ereport(ERROR,
				(errcode(POOL_ERRCODE_UNKNOWN_RULE),
				 errmsg("timer rule %d does not exist", rule_id),
				 errdetail("No such rule is known to the caller."),
				 errhint("rule is pool.timer_rule.id; pool.rules_in_force shows "
						 "it as rule_id.")));
	return refusal;
}

/*
 * pool.suggest_after(rule)
 */
Datum
pool_suggest_after(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "suggest_after");
	Oid			types[3] = {INT4OID, TIMESTAMPTZOID, INT4OID};
	Datum		values[3];
	const char *refusal;

	if (PG_ARGISNULL(0))
		pool_report_null("rule");
	refusal = refuse_rule(PG_GETARG_INT32(0));
	if (refusal != NULL)
	{
		pool_put(call, 1, Int64GetDatum(0));
		pool_put_text(call, 2, refusal);
		pool_call_row(call);
		return pool_call_end(call);
	}
	values[0] = PG_GETARG_DATUM(0);
	values[1] = TimestampTzGetDatum(pool_now());
	values[2] = Int32GetDatum(MIN_CASES);
	emit_query(call, SUGGEST_SQL, 3, types, values, NULL);
	return pool_call_end(call);
}
