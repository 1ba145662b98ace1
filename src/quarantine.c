/*
 * quarantine.c
 *	  Leads that come back again and again without having been worked on.
 *
 * A round is what happens between a lead's leaving the pool and its coming
 * back: one spell, or several that transfers have joined.  What counts is the
 * number of rounds in a row, whoever had them, without a single counted
 * follow-up, the one that ends now included.  A follow-up begins the count
 * anew, and so does whoever has looked after the lead: by entering or reopening
 * it, or by moving it to another pool.
 */
#include "compat.h"
#include "quarantine.h"

#include "event.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* A note that did not count says so. */
static bool
counted(TupleTableSlot *event)
{
	bool		isnull;
	Datum		detail = slot_getattr(event, EVENT_DETAIL, &isnull);

	return isnull || !pool_detail_is_false(DatumGetJsonbP(detail), "counted");
}

/* Whether the last `limit` rounds, the present one included, were idle. */
static bool
were_idle(PoolWork *work, const PoolLead *lead, int limit)
{
	PoolTable  *events = pool_work_table(work, POOL_EVENT);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(events->rel,
										 pool_work_index(events, POOL_EVENT_PKEY),
										 snapshot, &pool_key_int8(lead->id),
										 1);
	int			rounds = 0;

	while (rounds < limit &&
		   index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		char	   *kind = TextDatumGetCString(slot_getattr(events->old,
															EVENT_KIND,
															&isnull));

		/* what a round begins with is met last */
		if (strcmp(kind, "claimed") == 0 || strcmp(kind, "assigned") == 0)
			rounds++;
		else if (strcmp(kind, "entered") == 0 ||
				 strcmp(kind, "reopened") == 0 ||
				 strcmp(kind, "moved") == 0 ||
				 (strcmp(kind, "followed_up") == 0 && counted(events->old)))
			break;
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return rounds == limit;
}

/*
 * The pool that an owned lead goes to, now that it comes back, instead of its
 * own; NULL if it is not to go into quarantine.
 */
const PoolConf *
pool_quarantine(PoolWork *work, const PoolLead *lead)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);

	if (pool->quarantine_after == POOL_NO_LIMIT ||
		pool->quarantine_pool_id == 0 || lead->follow_ups > 0 ||
		!were_idle(work, lead, pool->quarantine_after))
		return NULL;
	return pool_config_find_pool(pool->quarantine_pool_id);
}
