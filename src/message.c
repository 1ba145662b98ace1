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
 */
#include "compat.h"

#include "miscadmin.h"

const char *
pool_textdomain(void)
{
	static bool is_bound = false;
	const char *domain = PG_TEXTDOMAIN("pool_ext");

	if (!is_bound)
	{
		pg_bindtextdomain(domain);
		is_bound = OidIsValid(MyDatabaseId);
	}
	return domain;
}
