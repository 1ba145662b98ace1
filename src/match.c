/*
 * match.c
 *	  Looking for leads by their fields: the argument "match".
 *
 * It is an object of fields and what each must be: a value, an array of values
 * (any of them) or {"from": a, "to": b} (both ends included, one may be left
 * out).  All must hold of the lead's document (rule.c).  As in conditions, a
 * field that is an array fits if one of its elements does, a field that is
 * missing is null, and text is never a number.
 */
#include "compat.h"
#include "match.h"

#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* What one field must be: one of `values`, or within the range. */
typedef struct FieldMatch
{
	char	   *name;
	bool		is_range;
	JsonbValue *values;
	int			n_values;
	JsonbValue	from;			/* jbvNull = no bound, as the other */
	JsonbValue	to;
} FieldMatch;

struct PoolMatch
{
	FieldMatch *fields;
	int			n;
};

static void
report_shape(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"match\" has a wrong shape"),
			 errdetail_internal("%s", pool_text(detail)),
			 errhint("Pass an object such as {\"industry\": \"retail\", "
					 "\"city\": [\"a\", \"b\"], "
					 "\"employees\": {\"from\": 10, \"to\": 50}}.")));
}

/* ------------------------------------------------------------------------
 * Preparing
 * ------------------------------------------------------------------------ */

static bool
is_scalar(const JsonbValue *value)
{
	return value->type == jbvNull || value->type == jbvString ||
		value->type == jbvNumeric || value->type == jbvBool;
}

static void
read_values(FieldMatch *field, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;

	field->values = palloc(Max(JsonContainerSize(array), 1) *
						   sizeof(JsonbValue));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (!is_scalar(&value))
			report_shape(gettext_noop("An array must hold plain values only."));
		field->values[field->n_values++] = value;
	}
	if (field->n_values == 0)
		report_shape(gettext_noop("An array must hold a value at least."));
}

static bool
is_bound(const JsonbValue *value)
{
	return value->type == jbvNumeric || value->type == jbvString ||
		value->type == jbvNull;
}

static bool
is_named(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

static void
read_range(FieldMatch *field, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue *end = NULL;

	field->is_range = true;
	field->from.type = field->to.type = jbvNull;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			end = is_named(&value, "from") ? &field->from :
				is_named(&value, "to") ? &field->to : NULL;
			if (end == NULL)
				report_shape(gettext_noop("A range has the keys \"from\" and \"to\" only."));
		}
		else if (token == WJB_VALUE)
		{
			if (!is_bound(&value))
				report_shape(gettext_noop("The ends of a range are numbers or texts."));
			Assert(end != NULL);
			*end = value;
		}
	}
	if (field->from.type == jbvNull && field->to.type == jbvNull)
		report_shape(gettext_noop("A range has \"from\" or \"to\" or both."));
	if (field->from.type != field->to.type && field->from.type != jbvNull &&
		field->to.type != jbvNull)
		report_shape(gettext_noop("The ends of a range are of one type."));
}

static void
read_field(FieldMatch *field, JsonbValue *value)
{
	if (is_scalar(value))
	{
		field->values = palloc(sizeof(JsonbValue));
		field->values[0] = *value;
		field->n_values = 1;
	}
	else if (JsonContainerIsArray(value->val.binary.data))
		read_values(field, value->val.binary.data);
	else
		read_range(field, value->val.binary.data);
}

/*
 * Makes a match of the argument, which must live as long.  Raises 22023 for
 * another shape.
 */
PoolMatch *
pool_match_prepare(Jsonb *json)
{
	PoolMatch  *match = palloc0(sizeof(PoolMatch));
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(json))
		report_shape(gettext_noop("It is no object."));
	match->fields = palloc0(Max(JB_ROOT_COUNT(json), 1) * sizeof(FieldMatch));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			match->fields[match->n].name = pnstrdup(value.val.string.val,
													value.val.string.len);
		else if (token == WJB_VALUE)
			read_field(&match->fields[match->n++], &value);
	}
	return match;
}

/* ------------------------------------------------------------------------
 * Judging
 * ------------------------------------------------------------------------ */

/* Of two values of one type: <0, 0, >0; texts by their bytes. */
static int
compare_values(const JsonbValue *a, const JsonbValue *b)
{
	int			result;

	switch (a->type)
	{
		case jbvNumeric:
			return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
													 NumericGetDatum(a->val.numeric),
													 NumericGetDatum(b->val.numeric)));
		case jbvBool:
			return a->val.boolean - b->val.boolean;
		case jbvString:
			result = memcmp(a->val.string.val, b->val.string.val,
							Min(a->val.string.len, b->val.string.len));
			return result != 0 ? result : a->val.string.len -
				b->val.string.len;
		default:
			return 0;
	}
}

static bool
value_fits(const FieldMatch *field, const JsonbValue *value)
{
	if (field->is_range)
	{
		if (field->from.type != jbvNull &&
			(value->type != field->from.type ||
			 compare_values(value, &field->from) < 0))
			return false;
		return field->to.type == jbvNull ||
			(value->type == field->to.type &&
			 compare_values(value, &field->to) <= 0);
	}
	for (int i = 0; i < field->n_values; i++)
		if (value->type == field->values[i].type &&
			compare_values(value, &field->values[i]) == 0)
			return true;
	return false;
}

static bool
element_fits(const FieldMatch *field, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM && is_scalar(&value) &&
			value_fits(field, &value))
			return true;
	return false;
}

static bool
field_fits(const FieldMatch *field, Jsonb *document)
{
	JsonbValue	buffer;
	JsonbValue	missing = {.type = jbvNull};
	JsonbValue *value = getKeyJsonValueFromContainer(&document->root,
													 field->name,
													 strlen(field->name),
													 &buffer);

	if (value == NULL)
		value = &missing;
	if (is_scalar(value))
		return value_fits(field, value);
	return JsonContainerIsArray(value->val.binary.data) &&
		element_fits(field, value->val.binary.data);
}

/* Whether all that is asked for holds of a lead's document. */
bool
pool_match_holds(const PoolMatch *match, Jsonb *document)
{
	for (int i = 0; i < match->n; i++)
		if (!field_fits(&match->fields[i], document))
			return false;
	return true;
}
