/*
 * id_set.c
 *	  Sets of ids.
 */
#include "compat.h"
#include "id_set.h"

/* An empty set for about so many; it lives in this context. */
HTAB *
pool_ids_create(MemoryContext context, int about)
{
	HASHCTL		control = {.keysize = sizeof(int64),
		.entrysize = sizeof(int64),
	.hcxt = context};

	return hash_create("pool_ext ids", about, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Whether it was not in there yet. */
bool
pool_ids_add(HTAB *ids, int64 id)
{
	bool		found;

	(void) hash_search(ids, &id, HASH_ENTER, &found);
	return !found;
}

bool
pool_ids_has(HTAB *ids, int64 id)
{
	return hash_search(ids, &id, HASH_FIND, NULL) != NULL;
}
