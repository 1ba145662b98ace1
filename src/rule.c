/*
 * rule.c
 *	  Conditions on leads and members.
 *
 * A condition is a jsonpath predicate over a document.  A lead's is its
 * attributes, and on top of them (they win) its own fields; a member's is in
 * fact.c, and conditions on it see the fields of the lead as variables.  What is
 * not true is no match, errors included, but a caller may tell them apart.
 */
#include "compat.h"
#include "rule.h"

#include "attempt.h"
#include "fmgr.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

static Jsonb *
parse_json(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
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

/* A field of the lead as conditions see it. */
typedef struct Field
{
	const char *key;
	JsonbValue	value;
} Field;

#define FIELD_COUNT 11

/* What the lead does not have is null. */
static Field
text_field(const char *key, Datum value)
{
	Field		field = {.key = key,.value = {.type = jbvNull}};
	text	   *t;

	if (value == 0)
		return field;
	t = DatumGetTextPP(value);
	field.value.type = jbvString;
	field.value.val.string.val = VARDATA_ANY(t);
	field.value.val.string.len = VARSIZE_ANY_EXHDR(t);
	return field;
}

static Field
number_field(const char *key, Numeric value)
{
	Field		field = {.key = key,.value = {.type = jbvNull}};

	if (value == NULL)
		return field;
	field.value.type = jbvNumeric;
	field.value.val.numeric = value;
	return field;
}

/* In jsonb's order of keys: by length, then by bytes. */
static void
read_fields(const PoolLead *lead, const PoolData *data, TimestampTz now,
			Field *fields)
{
	Field	   *f = fields;

	*f++ = text_field("key", data->key);
	*f++ = text_field("name", data->name);
	*f++ = text_field("grade", data->grade);
	*f++ = text_field("stage", lead->stage);
	*f++ = number_field("amount", lead->amount != 0 ?
						DatumGetNumeric(lead->amount) : NULL);
	*f++ = number_field("claims", int64_to_numeric(lead->claims));
	*f++ = text_field("source", data->source);
	*f++ = number_field("priority", int64_to_numeric(lead->priority));
	*f++ = number_field("idle_days", int64_to_numeric(idle_days(lead, now)));
	*f++ = number_field("follow_ups", int64_to_numeric(lead->follow_ups));
	*f++ = text_field("last_result", lead->last_result);
	Assert(f - fields == FIELD_COUNT);
}

static int
compare_key(const Field *field, const JsonbValue *key)
{
	int			len = strlen(field->key);

	if (len != key->val.string.len)
		return len - key->val.string.len;
	return memcmp(field->key, key->val.string.val, len);
}

static void
push_field(JsonbParseState **state, Field *field)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = unconstify(char *, field->key);
	key.val.string.len = strlen(field->key);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &field->value);
}

/*
 * The document conditions see; `now` is what idle_days counts to.  Attributes
 * (0 = none) and fields are merged in their order, since claims make it for
 * every lead they look at, and nothing costs as much as sorting it.
 */
Jsonb *
pool_rule_document(const PoolLead *lead, const PoolData *data,
				   TimestampTz now)
{
	Field		fields[FIELD_COUNT];
	JsonbParseState *state = NULL;
	int			i = 0;

	read_fields(lead, data, now, fields);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (data->attributes != 0)
	{
		JsonbIterator *it =
		JsonbIteratorInit(&DatumGetJsonbP(data->attributes)->root);
		JsonbValue	key;
		JsonbValue	value;

		(void) JsonbIteratorNext(&it, &key, true);
		while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
		{
			(void) JsonbIteratorNext(&it, &value, true);
			while (i < FIELD_COUNT && compare_key(&fields[i], &key) < 0)
				push_field(&state, &fields[i++]);
			/* the lead's own field wins */
			if (i < FIELD_COUNT && compare_key(&fields[i], &key) == 0)
				continue;
			pushJsonbValue(&state, WJB_KEY, &key);
			pushJsonbValue(&state, WJB_VALUE, &value);
		}
	}
	while (i < FIELD_COUNT)
		push_field(&state, &fields[i++]);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static char *
condition_text(JsonPath *condition)
{
	return DatumGetCString(DirectFunctionCall1(jsonpath_out,
											   PointerGetDatum(condition)));
}

/* Where the string that begins with this quote ends: at its other quote. */
static const char *
skip_string(const char *quote)
{
	const char *p = quote + 1;

	while (*p != '"' && *p != '\0')
		p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	return p;
}

/* What a string in JSON notation says, from quote to quote. */
static char *
unquote(const char *from, const char *to)
{
	Jsonb	   *json = parse_json(pnstrdup(from, to - from + 1));
	JsonbValue	value;

	JsonbExtractScalar(&json->root, &value);
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/*
 * The names that follow this in a condition, each once: variables, which core
 * writes as $"name", or fields of the document, $."name".
 */
static List *
names_after(const char *text, const char *before)
{
	List	   *result = NIL;
	bool		in_string = false;
	size_t		length = strlen(before);

	for (const char *p = text; *p != '\0'; p++)
	{
		if (in_string && *p == '\\')
			p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && strncmp(p, before, length) == 0 &&
				 p[length] == '"')
		{
			const char *end = skip_string(p + length);

			result = list_append_unique(result,
										makeString(unquote(p + length, end)));
			p = end;
		}
	}
	return result;
}

/* The fields of the document that a condition names, as String nodes. */
List *
pool_rule_fields(JsonPath *path)
{
	return names_after(condition_text(path), "$.");
}

/* The variables that a condition names, as String nodes. */
List *
pool_rule_variables(JsonPath *path)
{
	return names_after(condition_text(path), "$");
}

/* Makes a condition of a path; both live in the current memory context. */
void
pool_rule_prepare(PoolCondition *condition, JsonPath *path)
{
	char	   *text = condition_text(path);
	List	   *variables = names_after(text, "$");
	ListCell   *lc;

	condition->path = path;
	condition->n_variables = 0;
	condition->variables = palloc(Max(list_length(variables), 1) *
								  sizeof(char *));
	foreach(lc, variables)
		condition->variables[condition->n_variables++] = strVal(lfirst(lc));
	condition->on_time = strstr(text, "idle_days") != NULL;
}

/* Whether a path yields true or false, as a condition must. */
bool
pool_rule_is_predicate(JsonPath *path)
{
	JsonPathItem root;

	jspInit(&root, path);
	switch (root.type)
	{
		case jpiAnd:
		case jpiOr:
		case jpiNot:
		case jpiIsUnknown:
		case jpiEqual:
		case jpiNotEqual:
		case jpiLess:
		case jpiGreater:
		case jpiLessOrEqual:
		case jpiGreaterOrEqual:
		case jpiExists:
		case jpiStartsWith:
		case jpiLikeRegex:
			return true;
		default:
			return false;
	}
}

static bool
are_bound(const PoolCondition *condition, Jsonb *variables)
{
	JsonbValue	buffer;

	if (condition->n_variables > 0 && variables == NULL)
		return false;
	for (int i = 0; i < condition->n_variables; i++)
		if (getKeyJsonValueFromContainer(&variables->root,
										 condition->variables[i],
										 strlen(condition->variables[i]),
										 &buffer) == NULL)
			return false;
	return true;
}

/* {}, for the session */
static Jsonb *no_variables = NULL;

static Jsonb *
make_empty(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	Jsonb	   *empty = parse_json("{}");

	MemoryContextSwitchTo(old);
	return empty;
}

/*
 * Whether the document meets the condition.  Without a variable that it names
 * there is no match (core would raise an error even when told not to).  ERROR:
 * it is neither true nor false, since it compares what cannot be compared.
 */
PoolVerdict
pool_rule_judge(const PoolCondition *condition, Jsonb *document,
				Jsonb *variables)
{
	LOCAL_FCINFO(fcinfo, 4);
	Datum		result;

	if (condition->path == NULL)
		return POOL_MATCH;
	if (!are_bound(condition, variables))
		return POOL_NO_MATCH;

	/*
	 * Silent, and the variant that knows time zones, because the other one
	 * raises an error, silent or not, where it would need one.
	 */
	if (no_variables == NULL)
		no_variables = make_empty();
	InitFunctionCallInfoData(*fcinfo, NULL, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(document);
	fcinfo->args[1].value = PointerGetDatum(condition->path);
	fcinfo->args[2].value =
		JsonbPGetDatum(variables != NULL ? variables : no_variables);
	fcinfo->args[3].value = BoolGetDatum(true);
	for (int i = 0; i < 4; i++)
		fcinfo->args[i].isnull = false;
	result = jsonb_path_match_tz(fcinfo);
	if (fcinfo->isnull)
		return POOL_RULE_ERROR;
	return DatumGetBool(result) ? POOL_MATCH : POOL_NO_MATCH;
}

/* Has core read a template of datetime(), which raises an error if it cannot. */
static void
read_template(void *template)
{
	PoolCondition condition;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "exists($.datetime(");
	escape_json(&text, template);
	appendStringInfoString(&text, "))");
	pool_rule_prepare(&condition,
					  DatumGetJsonPathP(DirectFunctionCall1(jsonpath_in,
															CStringGetDatum(text.data))));
	(void) pool_rule_judge(&condition, parse_json("\"2030-01-01\""), NULL);
}

/*
 * The first template of datetime() in a path that cannot be read; NULL if there
 * is none.  Core finds out only where it meets one, and then raises an error
 * even when told not to.
 */
char *
pool_rule_bad_template(JsonPath *path)
{
	ListCell   *lc;

	foreach(lc, names_after(condition_text(path), ".datetime("))
		if (pool_attempt(read_template, strVal(lfirst(lc))) != NULL)
		return strVal(lfirst(lc));
	return NULL;
}

/* Raises 22023 unless an argument of this name, not NULL, is a condition. */
void
pool_rule_check_argument(JsonPath *condition)
{
	char	   *template;

	if (!pool_rule_is_predicate(condition))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"condition\" is not a condition"),
				 errdetail("The path selects something, but is neither true nor false."),
				 errhint("Compare it, for example $.region == \"north\".")));
	template = pool_rule_bad_template(condition);
	if (template != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"condition\" is not a condition"),
				 errdetail("The template \"%.200s\" of datetime() cannot be read.",
						   pool_cut(template, 200)),
				 errhint("Templates are those of to_timestamp(), for example "
						 "\"YYYY-MM-DD\".")));
}
