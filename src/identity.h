/*
 * identity.h
 *	  By what a customer is recognised: phone, e-mail, ...
 */
#ifndef POOL_IDENTITY_H
#define POOL_IDENTITY_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct PoolIdentity
{
	const char *kind;			/* one of a fixed list, compare by strcmp */
	char	   *value;			/* normalised */
} PoolIdentity;

/* Raised whenever the normal form of any value changes. */
#define POOL_NORMALISER 1

extern int	pool_compare_identities(const ListCell *a, const ListCell *b);
extern List *pool_identities(Jsonb *identities, const char *country);
extern List *pool_identities_cleared(Jsonb *identities);
extern char *pool_normalise(const char *kind, const char *value,
							const char *country);

#endif							/* POOL_IDENTITY_H */
