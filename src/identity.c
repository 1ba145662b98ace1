/*
 * identity.c
 *	  By what a customer is recognised: reading identities.
 *
 * Messages never carry a value: it is personal.
 */
#include "compat.h"
#include "identity.h"

#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_normalise_identity);
PG_FUNCTION_INFO_V1(pool_normaliser_version);

#define MAX_VALUE_LENGTH 500
#define MAX_IDENTITIES 50

static const char *const kinds[] = {
	"phone", "email", "company", "wechat", "wecom", "tax_id"
};

static const char *
known_kind(const char *kind, int len)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
		if ((int) strlen(kinds[i]) == len && memcmp(kinds[i], kind, len) == 0)
			return kinds[i];
	return NULL;
}

/* The kind may be a value in the wrong place: it is not shown. */
static void
report_unknown_kind(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of identity"),
			 errdetail("Kinds are a fixed list, in lower case."),
			 errhint("Kinds are phone, email, company, wechat, wecom and tax_id.")));
}

static void
refuse_shape(const char *kind)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("identity \"%s\" must be a string or an array of strings",
					kind),
			 errdetail("A JSON object, number or boolean was given, or an array within an array."),
			 errhint("For example {\"phone\": \"...\", \"email\": "
					 "[\"...\", \"...\"]}.")));
}

static void
add_identity(List **list, const char *kind, JsonbValue *value,
			 const char *country)
{
	PoolIdentity *identity;
	char	   *normal;

	if (value->type == jbvNull)
		return;
	if (value->type != jbvString)
		refuse_shape(kind);
	if (value->val.string.len > MAX_VALUE_LENGTH ||
		list_length(*list) >= MAX_IDENTITIES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("identity \"%s\" is too long, or there are too many",
						kind),
				 errdetail("A value has at most %d bytes, a lead at most %d identities.",
						   MAX_VALUE_LENGTH, MAX_IDENTITIES),
				 errhint("Leave out what does not tell customers apart.")));
	normal = pool_normalise(kind, pnstrdup(value->val.string.val,
										   value->val.string.len), country);
	if (normal == NULL)
		return;
	identity = palloc(sizeof(PoolIdentity));
	identity->kind = kind;
	identity->value = normal;
	*list = lappend(*list, identity);
}

/*
 * The normalised identities of {"phone": "...", "email": ["...", "..."]}, a
 * list of PoolIdentity.  Raises 22023 for what is none.
 */
List *
pool_identities(Jsonb *identities, const char *country)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	const char *kind = NULL;
	bool		in_array = false;
	List	   *result = NIL;

	if (identities == NULL)
		return NIL;
	if (!JB_ROOT_IS_OBJECT(identities))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("identities must be a JSON object"),
				 errdetail("A JSON array, string, number, boolean or null was given."),
				 errhint("For example {\"phone\": \"...\", \"email\": \"...\"}.")));
	it = JsonbIteratorInit(&identities->root);
	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			kind = known_kind(value.val.string.val, value.val.string.len);
			if (kind == NULL)
				report_unknown_kind();
		}
		else if (token == WJB_VALUE || token == WJB_ELEM)
			add_identity(&result, kind, &value, country);
		else if ((token == WJB_BEGIN_OBJECT && kind != NULL) ||
				 (token == WJB_BEGIN_ARRAY && in_array))
			refuse_shape(kind);
		else if (token == WJB_BEGIN_ARRAY || token == WJB_END_ARRAY)
			in_array = token == WJB_BEGIN_ARRAY;
	}
	return result;
}

/* The kinds, names in a list, of which a JSON null says that there is none. */
List *
pool_identities_cleared(Jsonb *identities)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	List	   *result = NIL;
	char	   *kind = NULL;

	if (identities == NULL)
		return NIL;
	it = JsonbIteratorInit(&identities->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			kind = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE && value.type == jbvNull)
			result = lappend(result, kind);
	}
	return result;
}

/* The order in which everybody locks identities of one tenant. */
int
pool_compare_identities(const ListCell *a, const ListCell *b)
{
	const PoolIdentity *x = lfirst(a);
	const PoolIdentity *y = lfirst(b);
	int			result = strcmp(x->kind, y->kind);

	return result != 0 ? result : strcmp(x->value, y->value);
}

/* SQL: normalise_identity(kind, value, country) */
Datum
pool_normalise_identity(PG_FUNCTION_ARGS)
{
	text	   *kind = PG_GETARG_TEXT_PP(0);
	const char *known = known_kind(VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
	char	   *normal;

	if (known == NULL)
		report_unknown_kind();
	normal = pool_normalise(known, text_to_cstring(PG_GETARG_TEXT_PP(1)),
							text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (normal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(normal));
}

/* SQL: normaliser_version() */
Datum
pool_normaliser_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(POOL_NORMALISER);
}
