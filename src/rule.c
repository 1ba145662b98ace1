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

static Jsonb *
parse_json(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* What the lead does not have hides an attribute of that name, too. */
static void
put_null(PoolDetail *fields, const char *key)
{
	pool_detail_json(fields, key, parse_json("null"));
}

static void
put_text(PoolDetail *fields, const char *key, Datum value)
{
	if (value != 0)
		pool_detail_datum(fields, key, value);
	else
		put_null(fields, key);
}

static TimestampTz
idle_since(const PoolLead *lead)
{
	return Max(lead->last_follow_up_at, Max(lead->owned_at, lead->entered_at));
}

static int64
idle_days(const PoolLead *lead, TimestampTz now)
{
	return Max(now - idle_since(lead), 0) / USECS_PER_DAY;
}

/* When idle_days will next be another number. */
TimestampTz
pool_rule_next_idle_day(const PoolLead *lead, TimestampTz now)
{
	return idle_since(lead) + (idle_days(lead, now) + 1) * USECS_PER_DAY;
}

/* The document conditions see; `now` is what idle_days counts to. */
Jsonb *
pool_rule_document(const PoolLead *lead, const PoolData *data,
				   TimestampTz now)
{
	PoolDetail	fields;
	Jsonb	   *own;

	pool_detail_begin(&fields);
	put_text(&fields, "key", data->key);
	put_text(&fields, "name", data->name);
	put_text(&fields, "source", data->source);
	put_text(&fields, "grade", data->grade);
	pool_detail_int(&fields, "priority", lead->priority);
	pool_detail_int(&fields, "claims", lead->claims);
	pool_detail_int(&fields, "follow_ups", lead->follow_ups);
	put_text(&fields, "last_result", lead->last_result);
	pool_detail_int(&fields, "idle_days", idle_days(lead, now));
	if (lead->amount != 0)
		pool_detail_numeric(&fields, "amount", lead->amount);
	else
		put_null(&fields, "amount");
	put_text(&fields, "stage", lead->stage);
	own = pool_detail_end(&fields);
	if (data->attributes == 0)
		return own;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, data->attributes,
											  JsonbPGetDatum(own)));
}

static char *
condition_text(JsonPath *condition)
{
	return DatumGetCString(DirectFunctionCall1(jsonpath_out,
											   PointerGetDatum(condition)));
}

/*
 * Whether the condition names a variable, which a lead has none of: core
 * writes it as $"name", and raises an error for it even when told not to.
 */
static bool
has_variables(JsonPath *condition)
{
	bool		in_string = false;

	for (const char *p = condition_text(condition); *p != '\0'; p++)
	{
		if (in_string && *p == '\\')
			p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && p[0] == '$' && p[1] == '"')
			return true;
	}
	return false;
}

bool
pool_rule_matches(JsonPath *condition, Jsonb *document)
{
	LOCAL_FCINFO(fcinfo, 4);
	Datum		result;

	if (has_variables(condition))
		return false;

	/*
	 * Silent: an error is no match, and so is anything but true.  The variant
	 * that knows time zones, because the other one raises an error, silent or
	 * not, where it would need one.
	 */
	InitFunctionCallInfoData(*fcinfo, NULL, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(document);
	fcinfo->args[1].value = PointerGetDatum(condition);
	fcinfo->args[2].value = JsonbPGetDatum(parse_json("{}"));
	fcinfo->args[3].value = BoolGetDatum(true);
	for (int i = 0; i < 4; i++)
		fcinfo->args[i].isnull = false;
	result = jsonb_path_match_tz(fcinfo);
	return !fcinfo->isnull && DatumGetBool(result);
}

/* Whether a condition may become true just because time passes. */
bool
pool_rule_depends_on_time(JsonPath *condition)
{
	return strstr(condition_text(condition), "idle_days") != NULL;
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
