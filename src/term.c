/*
 * term.c
 *	  The words a pool knows: its dictionary.
 *
 * Pure: looks only at the configuration it is given.
 */
#include "compat.h"
#include "term.h"

#include "fmgr.h"

/*
 * Looks up a word (0 = none was given).  False if the pool has words of this
 * kind, and this is none of them.  *term stays NULL where it has no words of
 * the kind: then every word will do, and nothing follows from it.
 */
bool
pool_term_find(const PoolConf *pool, const char *kind, Datum code,
			   const PoolTerm **term)
{
	text	   *word = code != 0 ? DatumGetTextPP(code) : NULL;
	bool		any = false;

	*term = NULL;
	for (int i = 0; i < pool->n_terms; i++)
	{
		const PoolTerm *t = &pool->terms[i];

		if (strcmp(t->kind, kind) != 0)
			continue;
		any = true;
		if (word == NULL || VARSIZE_ANY_EXHDR(word) != strlen(t->code) ||
			memcmp(VARDATA_ANY(word), t->code, strlen(t->code)) != 0)
			continue;
		*term = t;
		return true;
	}
	return !any;
}

/* Whether this follows from the word. */
bool
pool_term_then(const PoolTerm *term, const char *then)
{
	return term != NULL && strcmp(term->then, then) == 0;
}

bool
pool_term_counts(const PoolTerm *term)
{
	return term == NULL || term->counts;
}
