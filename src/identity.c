/*
 * identity.c
 *	  By what a customer is recognised: normalisation.
 *
 * Values are compared byte by byte after this, so whatever people write
 * differently and mean the same has to become the same here.  Messages never
 * carry a value: it is personal.
 */
#include "compat.h"
#include "identity.h"

#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

PG_FUNCTION_INFO_V1(pool_normalise_identity);

#define MAX_VALUE_LENGTH 500
#define MAX_IDENTITIES 50

static const char *const kinds[] = {
	"phone", "email", "company", "wechat", "wecom", "tax_id"
};

/* Calling codes, and whether numbers at home begin with a 0 that is dropped. */
static const struct
{
	const char *country;
	const char *code;
	bool		trunk_zero;
}			countries[] = {
	{"CN", "86", true}, {"HK", "852", false}, {"MO", "853", false},
	{"TW", "886", true}, {"SG", "65", false}, {"MY", "60", true},
	{"JP", "81", true}, {"KR", "82", true}, {"IN", "91", true},
	{"US", "1", false}, {"CA", "1", false}, {"GB", "44", true},
	{"DE", "49", true}, {"FR", "33", true}, {"ES", "34", false},
	{"PT", "351", false}, {"IT", "39", false}, {"NL", "31", true},
	{"BR", "55", true}, {"AU", "61", true}, {"AE", "971", true},
	{"RU", "7", false}, {"TH", "66", true}, {"VN", "84", true},
	{"ID", "62", true}, {"PH", "63", true}
};

static const char *
known_kind(const char *kind, int len)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
		if ((int) strlen(kinds[i]) == len && memcmp(kinds[i], kind, len) == 0)
			return kinds[i];
	return NULL;
}

/*
 * Full-width characters become half-width, all kinds of spaces a plain one,
 * spaces at both ends go.
 */
static char *
to_half_width(const char *value)
{
	StringInfoData out;
	char	   *result;
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	initStringInfo(&out);
	for (const char *p = value; *p != '\0'; p += pg_mblen(p))
	{
		pg_wchar	c = (unsigned char) *p;

		if (utf8)
			c = utf8_to_unicode((const unsigned char *) p);
		if (utf8 && c >= 0xFF01 && c <= 0xFF5E)
			appendStringInfoChar(&out, (char) (c - 0xFF01 + '!'));
		else if (c == '\t' || c == '\n' || c == '\r' ||
				 (utf8 && (c == 0x3000 || c == 0xA0)))
			appendStringInfoChar(&out, ' ');
		else
			appendBinaryStringInfo(&out, p, pg_mblen(p));
	}
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		out.data[--out.len] = '\0';
	result = out.data;
	while (*result == ' ')
		result++;
	return result;
}

/*
 * Splits a phone number into its digits and those of an extension, which
 * follows "ext", "x", "#" or the Chinese word for it.  *international is set
 * where it begins with + or 00.
 */
static void
split_phone(const char *value, StringInfo digits, StringInfo extension,
			bool *international)
{
	StringInfo	part = digits;
	bool		plus = false;

	initStringInfo(digits);
	initStringInfo(extension);
	for (const char *p = value; *p != '\0'; p += pg_mblen(p))
	{
		if (*p >= '0' && *p <= '9')
			appendStringInfoChar(part, *p);
		else if (*p == '+' && digits->len == 0)
			plus = true;
		else if (digits->len > 0 &&
				 (*p == 'x' || *p == 'X' || *p == '#' ||
				  strncmp(p, "\xE8\xBD\xAC", 3) == 0))	/* zhuan */
			part = extension;
	}
	if (!plus && strncmp(digits->data, "00", 2) == 0)
	{
		plus = true;
		memmove(digits->data, digits->data + 2, digits->len - 1);
		digits->len -= 2;
	}
	*international = plus;
}

/* A Chinese mobile number written with 86 but without a plus. */
static bool
is_bare_chinese_mobile(const char *digits, int len)
{
	return len == 13 && strncmp(digits, "861", 3) == 0;
}

/* Some write the 0 of calls at home after the country's code: it goes. */
static void
append_international(StringInfo out, const char *digits)
{
	for (int i = 0; i < (int) lengthof(countries); i++)
	{
		size_t		len = strlen(countries[i].code);

		if (countries[i].trunk_zero &&
			strncmp(digits, countries[i].code, len) == 0 &&
			digits[len] == '0')
		{
			appendBinaryStringInfo(out, digits, len);
			digits += len + 1;
			break;
		}
	}
	appendStringInfoString(out, digits);
}

/* Digits without a country are those of this one. */
static void
append_national(StringInfo out, const char *digits, const char *country)
{
	for (int i = 0; i < (int) lengthof(countries); i++)
	{
		if (strcmp(countries[i].country, country) != 0)
			continue;
		appendStringInfoString(out, countries[i].code);
		if (countries[i].trunk_zero && *digits == '0')
			digits++;
	}
	appendStringInfoString(out, digits);
}

static char *
normalise_phone(const char *value, const char *country)
{
	StringInfoData digits;
	StringInfoData extension;
	StringInfoData out;
	bool		international;

	split_phone(value, &digits, &extension, &international);
	if (digits.len == 0)
		return NULL;
	initStringInfo(&out);
	appendStringInfoChar(&out, '+');
	if (international || (strcmp(country, "CN") == 0 &&
						  is_bare_chinese_mobile(digits.data, digits.len)))
		append_international(&out, digits.data);
	else
		append_national(&out, digits.data, country);
	if (extension.len > 0)
		appendStringInfo(&out, "x%s", extension.data);
	return out.data;
}

static char *
lower_case(const char *value)
{
	return str_tolower(value, strlen(value), DEFAULT_COLLATION_OID);
}

static char *
without_spaces(const char *value)
{
	char	   *result = pstrdup(value);
	char	   *to = result;

	for (const char *p = value; *p != '\0'; p++)
		if (*p != ' ')
			*to++ = *p;
	*to = '\0';
	return result;
}

/*
 * The form in which this value is compared; NULL if nothing is left of it.
 * The kind must be a known one.
 */
char *
pool_normalise(const char *kind, const char *value, const char *country)
{
	char	   *half = to_half_width(value);
	char	   *result;

	if (strcmp(kind, "phone") == 0)
		return normalise_phone(half, country);
	if (strcmp(kind, "email") == 0)
		result = lower_case(without_spaces(half));
	else if (strcmp(kind, "tax_id") == 0)
		result = str_toupper(without_spaces(half), strlen(without_spaces(half)),
							 DEFAULT_COLLATION_OID);
	else if (strcmp(kind, "company") == 0)
		result = lower_case(half);
	else
		result = half;			/* ids of other systems stay as they are */
	return *result == '\0' ? NULL : result;
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
