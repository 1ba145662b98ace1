/*
 * rule.c
 *	  Conditions on leads.
 *
 * A condition is a jsonpath predicate over the lead's document: its attributes,
 * and on top of them (they win) its own fields.  What is not true is no match,
 * errors included.
 */
#include "compat.h"
#include "rule.h"

#include "due.h"
#include "event.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static void
put_null(PoolDetail *fields, const char *key, Datum value)
{
	if (value != 0)
		pool_detail_datum(fields, key, value);
}

/* The document conditions see; `now` is what idle_days counts to. */
Jsonb *
pool_rule_document(const PoolLead *lead, const PoolData *data,
				   TimestampTz now)
{
	PoolDetail	fields;
	TimestampTz idle_since = Max(lead->last_follow_up_at,
								 Max(lead->owned_at, lead->entered_at));
	Jsonb	   *own;

	pool_detail_begin(&fields);
	put_null(&fields, "key", data->key);
	put_null(&fields, "name", data->name);
	put_null(&fields, "source", data->source);
	put_null(&fields, "grade", data->grade);
	pool_detail_int(&fields, "priority", lead->priority);
	pool_detail_int(&fields, "claims", lead->claims);
	pool_detail_int(&fields, "follow_ups", lead->follow_ups);
	put_null(&fields, "last_result", lead->last_result);
	pool_detail_int(&fields, "idle_days",
					Max(now - idle_since, 0) / USECS_PER_DAY);
	pool_detail_numeric(&fields, "amount", lead->amount);
	put_null(&fields, "stage", lead->stage);
	own = pool_detail_end(&fields);
	if (data->attributes == 0)
		return own;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, data->attributes,
											  JsonbPGetDatum(own)));
}

bool
pool_rule_matches(JsonPath *condition, Jsonb *document)
{
	LOCAL_FCINFO(fcinfo, 4);
	Jsonb	   *vars = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														  CStringGetDatum("{}")));
	Datum		result;

	/* silent: an error is no match, and so is anything but true */
	InitFunctionCallInfoData(*fcinfo, NULL, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(document);
	fcinfo->args[1].value = PointerGetDatum(condition);
	fcinfo->args[2].value = JsonbPGetDatum(vars);
	fcinfo->args[3].value = BoolGetDatum(true);
	for (int i = 0; i < 4; i++)
		fcinfo->args[i].isnull = false;
	result = jsonb_path_match(fcinfo);
	return !fcinfo->isnull && DatumGetBool(result);
}

/* Whether a condition may become true just because time passes. */
bool
pool_rule_depends_on_time(JsonPath *condition)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(jsonpath_out,
														   PointerGetDatum(condition)));

	return strstr(text, "idle_days") != NULL;
}

/*
 * The rule that will act on the lead next, as things are now, and when; NULL
 * if none will.
 */
const PoolTimerRule *
pool_rule_next(const PoolLead *lead, const PoolData *data, TimestampTz now,
			   TimestampTz *due_at)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	const PoolTimerRule *next = NULL;
	Jsonb	   *document = NULL;

	*due_at = POOL_NO_TIME;
	for (int i = 0; i < pool->n_rules; i++)
	{
		const PoolTimerRule *rule = &pool->rules[i];
		TimestampTz at;

		if (!pool_due_at(lead, pool, rule, &at))
			continue;
		if (next != NULL && at >= *due_at)
			continue;
		if (rule->condition != NULL)
		{
			if (document == NULL)
				document = pool_rule_document(lead, data, now);
			if (!pool_rule_matches(rule->condition, document))
				continue;
		}
		next = rule;
		*due_at = at;
	}
	return next;
}
