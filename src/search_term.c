/*
 * search_term.c
 *	  What the search index holds of a lead: pure.
 *
 * A term is a 64-bit hash of one of two things: two neighbouring characters of
 * the name or key (and each character beyond ASCII by itself, since a Chinese
 * word may have only one), or a field with its value.  Hashes may collide, so
 * whatever the index finds is judged again.
 *
 * The index is on search_terms(): what it returns for the same lead must never
 * change between versions without a REINDEX.
 */
#include "compat.h"
#include "search_term.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(pool_search_terms);

/* built-in fields that change without the index's knowing */
static const char *const unindexed[] = {
	"key", "name", "priority", "claims", "follow_ups", "last_result",
	"idle_days", "amount", "stage"
};

enum
{
	TEXT_TERM = 1, FIELD_TERM
};

static void
add_hash(PoolTerms *terms, const char *what, int len, uint64 seed)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) what, len,
										   seed);

	if (terms->n == terms->size)
	{
		terms->size = Max(32, terms->size * 2);
		terms->hashes = terms->hashes == NULL ?
			palloc(terms->size * sizeof(Datum)) :
			repalloc(terms->hashes, terms->size * sizeof(Datum));
	}
	terms->hashes[terms->n++] = Int64GetDatum((int64) hash);
}

/*
 * The text in small ASCII letters, with full-width letters and digits as plain
 * ones.  Other encodings than UTF-8 have only their ASCII letters folded.
 */
char *
pool_search_fold(const char *string, int len)
{
	char	   *result = palloc(len + 1);
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	int			n = 0;

	for (int i = 0; i < len;)
	{
		const unsigned char *p = (const unsigned char *) string + i;
		int			width = Min(pg_mblen(string + i), len - i);
		int			c = p[0];

		if (utf8 && width == 3 && p[0] == 0xEF &&
			(p[1] == 0xBC || p[1] == 0xBD))
		{
			/* U+FF01 .. U+FF5E stand for '!' .. '~' */
			int			code = ((p[1] & 0x3F) << 6) | (p[2] & 0x3F);

			if (code >= 0xF01 && code <= 0xF5E)
			{
				c = code - 0xF01 + '!';
				width = 0;
				i += 3;
			}
		}
		if (width <= 1)
		{
			result[n++] = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
			i += width;
			continue;
		}
		memcpy(result + n, string + i, width);
		n += width;
		i += width;
	}
	result[n] = '\0';
	return result;
}

/*
 * The terms of a text.  For a text that is asked for, single characters are
 * left out where pairs say more.
 */
void
pool_terms_add_text(PoolTerms *terms, const char *text, int len, bool asked)
{
	char	   *folded = pool_search_fold(text, len);
	const char *previous = NULL;
	bool		single = !asked || pg_mbstrlen(folded) == 1;

	for (const char *p = folded; *p != '\0';)
	{
		int			width = pg_mblen(p);

		if (previous != NULL)
			add_hash(terms, previous, p + width - previous, TEXT_TERM);
		if (single && width > 1)
			add_hash(terms, p, width, TEXT_TERM);
		previous = p;
		p += width;
	}
	pfree(folded);
}

/* The term of a field with a plain value; none for another value. */
static void
add_field(PoolTerms *terms, const char *key, int keylen,
		  const JsonbValue *value)
{
	StringInfoData term;

	initStringInfo(&term);
	appendBinaryStringInfo(&term, key, keylen);
	appendStringInfoChar(&term, '=');
	switch (value->type)
	{
		case jbvString:
			appendStringInfoChar(&term, '"');
			appendBinaryStringInfo(&term, value->val.string.val,
								   value->val.string.len);
			break;
		case jbvNumeric:
			/* 1.0 is 1 */
			appendStringInfoString(&term,
								   numeric_normalize(value->val.numeric));
			break;
		case jbvBool:
			appendStringInfoChar(&term, value->val.boolean ? 't' : 'f');
			break;
		default:
			pfree(term.data);
			return;
	}
	add_hash(terms, term.data, term.len, FIELD_TERM);
	pfree(term.data);
}

/* Every plain value of every attribute, the elements of arrays included. */
static void
add_attributes(PoolTerms *terms, Jsonb *attributes)
{
	JsonbIterator *it = JsonbIteratorInit(&attributes->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue	key = {0};
	int			depth = 0;

	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
			depth++;
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		else if (token == WJB_KEY && depth == 1)
			key = value;
		else if ((token == WJB_VALUE && depth == 1) ||
				 (token == WJB_ELEM && depth == 2))
			add_field(terms, key.val.string.val,
					  key.val.string.len, &value);
	}
}

static bool
is_indexed(const JsonbValue *key)
{
	for (int i = 0; i < (int) lengthof(unindexed); i++)
		if (key->val.string.len == (int) strlen(unindexed[i]) &&
			memcmp(key->val.string.val, unindexed[i],
				   key->val.string.len) == 0)
			return false;
	return true;
}

/* What every lead that fits this match (see match.c) must have. */
void
pool_terms_add_match(PoolTerms *terms, Jsonb *match)
{
	JsonbIterator *it = JsonbIteratorInit(&match->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue	key = {0};

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value;
		else if (token == WJB_VALUE)
		{
			Assert(key.type == jbvString);
			if (is_indexed(&key))
				add_field(terms, key.val.string.val,
						  key.val.string.len, &value);
		}
	}
}

static int
compare_hashes(const void *a, const void *b)
{
	int64		x = DatumGetInt64(*(const Datum *) a);
	int64		y = DatumGetInt64(*(const Datum *) b);

	return x < y ? -1 : x > y;
}

/* int8[] with each term once */
Datum
pool_terms_array(PoolTerms *terms)
{
	int			kept = 0;

	if (terms->n > 1)
		qsort(terms->hashes, terms->n, sizeof(Datum), compare_hashes);
	for (int i = 0; i < terms->n; i++)
		if (kept == 0 ||
			compare_hashes(&terms->hashes[kept - 1], &terms->hashes[i]) != 0)
			terms->hashes[kept++] = terms->hashes[i];
	return PointerGetDatum(construct_array(terms->hashes, kept, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static void
add_text_arg(FunctionCallInfo fcinfo, int argno, PoolTerms *terms)
{
	text	   *value;

	if (PG_ARGISNULL(argno))
		return;
	value = PG_GETARG_TEXT_PP(argno);
	pool_terms_add_text(terms, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
						false);
}

static void
add_label_arg(FunctionCallInfo fcinfo, int argno, PoolTerms *terms,
			  const char *field)
{
	JsonbValue	label;
	text	   *value;

	if (PG_ARGISNULL(argno))
		return;
	value = PG_GETARG_TEXT_PP(argno);
	label.type = jbvString;
	label.val.string.val = VARDATA_ANY(value);
	label.val.string.len = VARSIZE_ANY_EXHDR(value);
	add_field(terms, field, strlen(field), &label);
}

/* SQL, for the index: search_terms(key, name, source, grade, attributes) */
Datum
pool_search_terms(PG_FUNCTION_ARGS)
{
	PoolTerms	terms = {0};

	add_text_arg(fcinfo, 0, &terms);
	add_text_arg(fcinfo, 1, &terms);
	add_label_arg(fcinfo, 2, &terms, "source");
	add_label_arg(fcinfo, 3, &terms, "grade");
	if (!PG_ARGISNULL(4))
		add_attributes(&terms, PG_GETARG_JSONB_P(4));
	PG_RETURN_DATUM(pool_terms_array(&terms));
}
