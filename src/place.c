/*
 * place.c
 *	  Where rows have been found by their ids.
 *
 * One call looks for the same lead several times: to judge it, to lock it, to
 * report on it.  Descending an index costs four times as much as looking where
 * the row was last time.  A place is a hint: the snapshot and the id decide
 * whether the row is still there.
 */
#include "compat.h"
#include "place.h"

#include "common/hashfn.h"

/* When there are more than this, all are forgotten, to bound memory. */
#define MAX_PLACES 32768

typedef struct PoolPlace
{
	int64		id;
	ItemPointerData tid;
	char		status;
} PoolPlace;

#define SH_PREFIX place
#define SH_ELEMENT_TYPE PoolPlace
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(table, key) murmurhash32((uint32) (key))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The row with this id was seen there. */
void
pool_place_note(PoolTable *table, int64 id, const ItemPointerData *tid)
{
	bool		found;

	if (table->places == NULL)
		table->places = place_create(GetMemoryChunkContext(table), 4, NULL);
	else if (table->places->members >= MAX_PLACES)
		place_reset(table->places);
	place_insert(table->places, id, &found)->tid = *tid;
}

/*
 * Fetches into table->old the row with this id that the snapshot sees, if it is
 * still where it was; if not (false), it may be elsewhere.  The id is the first
 * column.
 */
bool
pool_place_fetch(PoolTable *table, int64 id, Snapshot snapshot)
{
	PoolPlace  *place;
	bool		isnull;

	if (table->places == NULL)
		return false;
	place = place_lookup(table->places, id);
	return place != NULL &&
		pool_table_fetch(table, &place->tid, snapshot) &&
		DatumGetInt64(slot_getattr(table->old, 1, &isnull)) == id;
}
