/*
 * message.c
 *	  Messages in the language of the session.
 *
 * Translations are in po/, one catalog for each language, as for the server's
 * own messages.  Which language it is lc_messages says.
 *
 * A library that is preloaded is loaded before the database is known, and with
 * it the encoding that translations have to be in; core would bind a catalog
 * only then, and a database whose LC_CTYPE is C would see question marks.  So
 * ours is bound when something is to be reported.
 *
 * Where the database is in an encoding without Chinese characters, messages
 * stay English: gettext would write question marks, or core report 22P05
 * instead of what has happened.
 */
#include "compat.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

/* a domain that has no catalog in any language */
#define UNTRANSLATED "pool_ext-untranslated"

/* Whether all translations can be written. */
static bool
can_translate(void)
{
	int			encoding = GetDatabaseEncoding();

	/* gettext goes by LC_CTYPE then */
	if (encoding == PG_SQL_ASCII)
		encoding = pg_get_encoding_from_locale(NULL, false);
	return encoding == PG_UTF8 || encoding == PG_EUC_CN ||
		encoding == PG_GBK || encoding == PG_GB18030;
}

const char *
pool_textdomain(void)
{
	static bool is_bound = false;
	const char *domain = PG_TEXTDOMAIN("pool_ext");

	if (!can_translate())
		return UNTRANSLATED;
	if (!is_bound)
	{
		pg_bindtextdomain(domain);
		is_bound = OidIsValid(MyDatabaseId);
	}
	return domain;
}

/*
 * What a message shows of a text that somebody has given, of any length: as many
 * whole characters as have room in so many bytes.  (A precision of %s would cut
 * in the midst of one, and then the client may not get the message at all.)
 */
char *
pool_cut(const char *text, int bytes)
{
	return pnstrdup(text, pg_mbcliplen(text, strlen(text), bytes));
}
