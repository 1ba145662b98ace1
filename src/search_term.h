/*
 * search_term.h
 *	  What the search index holds of a lead.
 */
#ifndef POOL_SEARCH_TERM_H
#define POOL_SEARCH_TERM_H

#include "postgres.h"

#include "utils/jsonb.h"

/* Terms being collected: hashes, perhaps more than once each. */
typedef struct PoolTerms
{
	Datum	   *hashes;			/* of int8 */
	int			n;
	int			size;
} PoolTerms;

extern char *pool_search_fold(const char *string, int len);
extern void pool_terms_add_text(PoolTerms *terms, const char *text, int len,
								bool asked);
extern void pool_terms_add_match(PoolTerms *terms, Jsonb *match);
extern Datum pool_terms_array(PoolTerms *terms);

#endif							/* POOL_SEARCH_TERM_H */
