/*
 * normalise.c
 *	  By what a customer is recognised: normalisation, version 1.
 *
 * Values are compared byte by byte after this, so whatever people write
 * differently and mean the same has to become the same here.  What is stored
 * was made by the version of its day: change nothing here without raising
 * POOL_NORMALISER, with an update that normalises what is stored anew.
 *
 * All work is done in UTF-8, whatever the encoding of the database.
 */
#include "compat.h"
#include "identity.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "utils/formatting.h"

/* the Chinese word before an extension, zhuan */
#define EXTENSION_WORD "\xE8\xBD\xAC"

/* ------------------------------------------------------------------------
 * Characters
 * ------------------------------------------------------------------------ */

/*
 * In SQL_ASCII, whose bytes mean nothing by themselves, they have to be UTF-8
 * already (22021): what is typed differently could not be told there.
 */
static char *
to_utf8(const char *value)
{
	return GetDatabaseEncoding() == PG_SQL_ASCII ?
		pg_any_to_server(value, strlen(value), PG_UTF8) :
		pg_server_to_any(value, strlen(value), PG_UTF8);
}

static char *
from_utf8(char *value)
{
	return GetDatabaseEncoding() == PG_UTF8 ? value :
		pg_any_to_server(value, strlen(value), PG_UTF8);
}

/* Bytes of the character here. */
static int
width_at(const char *p)
{
	return pg_encoding_mblen(PG_UTF8, p);
}

static pg_wchar
character_at(const char *p)
{
	return utf8_to_unicode((const unsigned char *) p);
}

static bool
is_space(pg_wchar c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
		c == 0x3000 || c == 0xA0 || (c >= 0x2000 && c <= 0x200F) ||
		c == 0x202F || c == 0xFEFF;
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

	initStringInfo(&out);
	for (const char *p = value; *p != '\0'; p += width_at(p))
	{
		pg_wchar	c = character_at(p);

		if (c >= 0xFF01 && c <= 0xFF5E)
			appendStringInfoChar(&out, (char) (c - 0xFF01 + '!'));
		else if (is_space(c))
			appendStringInfoChar(&out, ' ');
		else
			appendBinaryStringInfo(&out, p, width_at(p));
	}
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		out.data[--out.len] = '\0';
	result = out.data;
	while (*result == ' ')
		result++;
	return result;
}

static char *
lower_case(char *value)
{
	char	   *text = from_utf8(value);

	return to_utf8(str_tolower(text, strlen(text), DEFAULT_COLLATION_OID));
}

static char *
upper_case(char *value)
{
	char	   *text = from_utf8(value);

	return to_utf8(str_toupper(text, strlen(text), DEFAULT_COLLATION_OID));
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

/* ------------------------------------------------------------------------
 * Phone numbers
 * ------------------------------------------------------------------------ */

/*
 * Calling codes; what precedes the area code of calls at home and is dropped
 * (NULL: nothing, a leading 0 is part of the number); and how many digits a
 * number has at home with its area code, if it is always the same: one that is
 * longer by the code has the code before it, with the plus left out.
 */
static const struct Country
{
	const char *country;
	const char *code;
	const char *trunk;
	int			digits;
}			countries[] = {
	{"CN", "86", "0", 0}, {"HK", "852", NULL, 8}, {"MO", "853", NULL, 8},
	{"TW", "886", "0", 0}, {"SG", "65", NULL, 8}, {"MY", "60", "0", 0},
	{"JP", "81", "0", 0}, {"KR", "82", "0", 0}, {"IN", "91", "0", 10},
	{"US", "1", "1", 10}, {"CA", "1", "1", 10}, {"GB", "44", "0", 0},
	{"DE", "49", "0", 0}, {"FR", "33", "0", 9}, {"ES", "34", NULL, 9},
	{"PT", "351", NULL, 9}, {"IT", "39", NULL, 0}, {"NL", "31", "0", 9},
	{"BR", "55", "0", 0}, {"AU", "61", "0", 9}, {"AE", "971", "0", 0},
	{"RU", "7", "8", 10}, {"TH", "66", "0", 0}, {"VN", "84", "0", 0},
	{"ID", "62", "0", 0}, {"PH", "63", "0", 0}
};

static const struct Country *
find_country(const char *name)
{
	for (int i = 0; i < (int) lengthof(countries); i++)
		if (strcmp(countries[i].country, name) == 0)
			return &countries[i];
	return NULL;
}

/* Whose calling code these digits begin with; no code begins another. */
static const struct Country *
country_of(const char *digits)
{
	for (int i = 0; i < (int) lengthof(countries); i++)
		if (strncmp(countries[i].code, digits, strlen(countries[i].code)) == 0)
			return &countries[i];
	return NULL;
}

/* "ext", "x", "#" and the like stand before an extension, not before a number. */
static bool
begins_extension(const char *p)
{
	return *p == 'x' || *p == 'X' || *p == '#' || *p == ';' ||
		strncmp(p, EXTENSION_WORD, strlen(EXTENSION_WORD)) == 0;
}

/*
 * Splits a phone number into its digits and those of an extension.
 * *international is set where it begins with + or 00.
 */
static void
split_phone(const char *value, StringInfo digits, StringInfo extension,
			bool *international)
{
	StringInfo	part = digits;
	bool		plus = false;

	initStringInfo(digits);
	initStringInfo(extension);
	for (const char *p = value; *p != '\0'; p += width_at(p))
	{
		if (*p >= '0' && *p <= '9')
			appendStringInfoChar(part, *p);
		else if (*p == '+' && digits->len == 0)
			plus = true;
		else if (digits->len > 0 && begins_extension(p))
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

/*
 * Whether a number of this country was written with its calling code but
 * without a plus: that it has as many digits more than at home tells, and of
 * Chinese mobile numbers how they begin.
 */
static bool
has_bare_code(const struct Country *country, const char *digits, int len)
{
	int			code_len = strlen(country->code);

	if (strcmp(country->country, "CN") == 0)
		return len == 13 && strncmp(digits, "861", 3) == 0;
	return country->digits != 0 && len == country->digits + code_len &&
		strncmp(digits, country->code, code_len) == 0;
}

/* Where the number goes on after what is dialled before calls at home. */
static const char *
skip_trunk(const struct Country *country, const char *digits, int len)
{
	if (country->trunk == NULL || *digits != country->trunk[0])
		return digits;
	/* only a 0 cannot be part of the number */
	if (country->trunk[0] == '0' || len == country->digits + 1)
		return digits + 1;
	return digits;
}

/*
 * Brazilians dial the 0 and the two digits of a carrier before the area code:
 * 0 xx (11) 3333-4444.
 */
static const char *
skip_carrier(const struct Country *country, const char *digits)
{
	int			len = strlen(digits);

	return strcmp(country->country, "BR") == 0 && (len == 12 || len == 13) ?
		digits + 2 : digits;
}

/* Some write the 0 of calls at home after the country's code: it goes. */
static void
append_international(StringInfo out, const char *digits)
{
	const struct Country *country = country_of(digits);

	if (country != NULL)
	{
		int			len = strlen(country->code);

		appendBinaryStringInfo(out, digits, len);
		digits += len;
		if (*digits == '0')
			digits = skip_trunk(country, digits, strlen(digits));
	}
	appendStringInfoString(out, digits);
}

/* Digits without a country are those of this one. */
static void
append_national(StringInfo out, const char *digits,
				const struct Country *country)
{
	const char *number = skip_trunk(country, digits, strlen(digits));

	if (number != digits)
		number = skip_carrier(country, number);
	appendStringInfoString(out, country->code);
	appendStringInfoString(out, number);
}

static char *
normalise_phone(const char *value, const char *country_name)
{
	const struct Country *country = find_country(country_name);
	StringInfoData digits;
	StringInfoData extension;
	StringInfoData out;
	bool		international;

	split_phone(value, &digits, &extension, &international);
	if (digits.len == 0)
		return NULL;
	initStringInfo(&out);
	appendStringInfoChar(&out, '+');
	if (international || (country != NULL &&
						  has_bare_code(country, digits.data, digits.len)))
		append_international(&out, digits.data);
	else if (country != NULL)
		append_national(&out, digits.data, country);
	else
		appendStringInfoString(&out, digits.data);
	if (extension.len > 0)
		appendStringInfo(&out, "x%s", extension.data);
	return out.data;
}

/* ------------------------------------------------------------------------
 * Companies
 * ------------------------------------------------------------------------ */

/*
 * Legal forms, in lower case.  Those in Latin letters are words of their own
 * at the end of the name, the others just end it; Japanese ones may begin it.
 * Longer ones come before those they end with.
 */
static const char *const latin_forms[] = {
	"aktiengesellschaft", "incorporated", "corporation", "limited", "company",
	"gmbh & co kg", "gmbh & co", "gmbh", "mbh", "kgaa", "ohg", "gbr", "kg",
	"ag", "ug", "se", "ltda", "eireli", "sarl", "sasu", "sas", "srl", "bv",
	"nv", "plc", "llp", "llc", "lp", "inc", "corp", "pvt", "pte", "pty",
	"private", "ltd", "co", "sa", "kk", "bhd", "sdn"
};

static const char *const eastern_forms[] = {
	"\xE8\x82\xA1\xE4\xBB\xBD\xE6\x9C\x89\xE9\x99\x90\xE5\x85\xAC\xE5\x8F\xB8",
	"\xE6\x9C\x89\xE9\x99\x90\xE8\xB4\xA3\xE4\xBB\xBB\xE5\x85\xAC\xE5\x8F\xB8",
	"\xE6\x9C\x89\xE9\x99\x90\xE8\xB2\xAC\xE4\xBB\xBB\xE5\x85\xAC\xE5\x8F\xB8",
	"\xE6\x9C\x89\xE9\x99\x90\xE5\x85\xAC\xE5\x8F\xB8",
	"\xE6\xA0\xAA\xE5\xBC\x8F\xE4\xBC\x9A\xE7\xA4\xBE",
	"\xE6\x9C\x89\xE9\x99\x90\xE4\xBC\x9A\xE7\xA4\xBE",
	"\xE5\x90\x88\xE5\x90\x8C\xE4\xBC\x9A\xE7\xA4\xBE"
};

/* Nothing of a name but letters and digits tells companies apart. */
static bool
is_punctuation(pg_wchar c)
{
	if (c < 0x80)
		return !isalnum(c) && c != '&' && c != '+';
	return (c >= 0xA1 && c <= 0xBF && c != 0xAA && c != 0xB2 && c != 0xB3 &&
			c != 0xB5 && c != 0xB9 && c != 0xBA) ||
		(c >= 0x2010 && c <= 0x205E) || (c >= 0x3001 && c <= 0x3003) ||
		(c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301F) ||
		c == 0x30FB || (c >= 0xFF61 && c <= 0xFF65);
}

/*
 * Words with one space between them: dots and apostrophes vanish (G.m.b.H.),
 * other punctuation and brackets part words.
 */
static char *
as_words(const char *value)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const char *p = value; *p != '\0'; p += width_at(p))
	{
		pg_wchar	c = character_at(p);

		if (c == '.' || c == '\'' || c == 0x2019)
			continue;
		if (!is_space(c) && !is_punctuation(c))
			appendBinaryStringInfo(&out, p, width_at(p));
		else if (out.len > 0 && out.data[out.len - 1] != ' ')
			appendStringInfoChar(&out, ' ');
	}
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		out.data[--out.len] = '\0';
	return out.data;
}

/*
 * Takes one legal form from the end of the name; false if there is none, or
 * nothing but it.
 */
static bool
drop_latin_form(char *name)
{
	int			len = strlen(name);

	for (int i = 0; i < (int) lengthof(latin_forms); i++)
	{
		int			form_len = strlen(latin_forms[i]);

		if (len > form_len + 1 && name[len - form_len - 1] == ' ' &&
			strcmp(name + len - form_len, latin_forms[i]) == 0)
		{
			name[len - form_len - 1] = '\0';
			return true;
		}
	}
	return false;
}

static bool
drop_eastern_form(char *name)
{
	int			len = strlen(name);

	for (int i = 0; i < (int) lengthof(eastern_forms); i++)
	{
		int			form_len = strlen(eastern_forms[i]);

		if (len <= form_len)
			continue;
		if (strcmp(name + len - form_len, eastern_forms[i]) == 0)
		{
			name[len - form_len] = '\0';
			return true;
		}
		if (strncmp(name, eastern_forms[i], form_len) == 0)
		{
			memmove(name, name + form_len, len - form_len + 1);
			return true;
		}
	}
	return false;
}

static char *
trim(char *name)
{
	int			len = strlen(name);

	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '&'))
		name[--len] = '\0';
	while (*name == ' ')
		name++;
	return name;
}

static char *
normalise_company(char *value)
{
	char	   *words = as_words(lower_case(value));

	/* such as "Co., Ltd.": several forms stand one after the other */
	while (drop_latin_form(words) || drop_eastern_form(words))
		words = trim(words);
	return without_spaces(words);
}

/* The value itself; NULL if it is nothing but space. */
static char *
as_it_is(const char *value)
{
	for (const char *p = value; *p != '\0'; p += width_at(p))
		if (!is_space(character_at(p)))
			return pstrdup(value);
	return NULL;
}

/* pool_normalise, in UTF-8 */
static char *
normalise(const char *kind, const char *value, const char *country)
{
	char	   *half;

	/* ids of other systems */
	if (strcmp(kind, "wechat") == 0 || strcmp(kind, "wecom") == 0)
		return as_it_is(value);
	half = to_half_width(value);
	if (strcmp(kind, "phone") == 0)
		return normalise_phone(half, country);
	if (strcmp(kind, "email") == 0)
		return lower_case(without_spaces(half));
	if (strcmp(kind, "company") == 0)
		return normalise_company(half);
	return upper_case(without_spaces(half));
}

/*
 * The form in which this value is compared; NULL if nothing is left of it.
 * The kind must be a known one.
 */
char *
pool_normalise(const char *kind, const char *value, const char *country)
{
	char	   *result = normalise(kind, to_utf8(value), country);

	return result == NULL || *result == '\0' ? NULL : from_utf8(result);
}
