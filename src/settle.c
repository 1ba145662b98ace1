/*
 * settle.c
 *	  Which lead each entry doubles, once all keys and identities are reserved.
 *
 * Each is judged in the order given, as if they had come one by one: what has
 * been made of those before it counts.
 */
#include "compat.h"
#include "reserve.h"

#include "again.h"
#include "data.h"
#include "id_set.h"
#include "miscadmin.h"
#include "trigger.h"
#include "utils/snapmgr.h"

/* The lead that has this entry's key: its own, or a known one. */
static int64
holder_of_key(PoolReserved *all, PoolEntry *entry)
{
	PoolTable  *table;
	PoolData	data;

	if (all->keys_new)
		return entry->lead_id;
	table = pool_work_table(all->work, POOL_LEAD_DATA);
	if (!pool_data_read_by_key(table, entry->tenant_id, entry->key,
							   pool_snapshot(), &data))
		pool_trigger_report_missing(RelationGetRelid(table->rel));
	return data.id;
}

/* The entry of this run that asked to become this lead, -1 if none. */
static int
entry_of(PoolReserved *all, int64 lead_id)
{
	int			low = 0;
	int			high = all->n - 1;

	/* their ids were drawn in ascending order, perhaps with gaps */
	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (all->entries[middle].lead_id == lead_id)
			return middle;
		if (all->entries[middle].lead_id < lead_id)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

/* The lead that has this identity for good, 0 if none has yet. */
static int64
holder_of_identity(PoolReserved *all, const PoolReservation *r)
{
	if (r->keeper != 0)
		return r->keeper;
	return r->holder != all->entries[r->entry].lead_id ? r->holder : 0;
}

/*
 * Whether the entry becomes a lead of its own beside the one that has its
 * identity.  An archived one comes back instead, once: then it is there.
 */
static bool
is_linked(PoolReserved *all, PoolEntry *entry, int64 known)
{
	PoolTable  *leads = pool_work_table(all->work, POOL_LEAD_STATE);
	PoolLead	lead;

	if (pool_config_pool(entry->pool_id)->duplicate_policy != 'l')
		return false;
	if (!pool_lead_peek(leads, known, pool_snapshot(), &lead))
		return true;
	entry->judged = known;
	entry->judged_archived = lead.status == POOL_ARCHIVED;
	if (!entry->judged_archived)
		return true;
	return pool_ids_has(all->met, known) &&
		pool_again_returns(all->work, &lead);
}

/*
 * The lead that entry i doubles, 0 if none.  All entries before it have been
 * judged: an identity first named by one of them counts as taken only if that
 * one was let in, as if they had come one by one; a key leads to whatever that
 * one doubles in turn.
 */
static int64
find_double(PoolReserved *all, int i)
{
	PoolEntry  *entry = &all->entries[i];
	int64		by_key = holder_of_key(all, entry);
	ListCell   *lc;

	if (by_key != entry->lead_id)
	{
		int			j = entry_of(all, by_key);

		return j >= 0 && all->doubled[j] != 0 ? all->doubled[j] : by_key;
	}
	foreach(lc, entry->identities)
	{
		PoolReservation *r = pool_reservation_of(all, entry, lfirst(lc));
		int64		known = holder_of_identity(all, r);

		if (known == 0)
			continue;
		known = pool_again_resolve(all->work, known);
		if (!is_linked(all, entry, known))
			return known;
		entry->linked_to = known;
		break;
	}
	return 0;
}

/* What a lead of the same customer has already stays with that one. */
static void
keep_identities(PoolReserved *all, PoolEntry *entry)
{
	ListCell   *lc;

	foreach(lc, entry->identities)
	{
		PoolReservation *r = pool_reservation_of(all, entry, lfirst(lc));

		if (holder_of_identity(all, r) == 0)
			r->keeper = entry->lead_id;
	}
}

/*
 * Finds for each entry, in the order given, the lead that it doubles (0 = none),
 * followed to the one that it was merged into.  What was reserved for doubles is
 * given up.  Where the pool lets a customer have several leads, linked_to of the
 * entry is set instead.
 */
int64 *
pool_reserve_settle(PoolReserved *all)
{
	all->doubled = pool_reserve_alloc(all->n, sizeof(int64));
	all->met = pool_ids_create(CurrentMemoryContext, 64);
	for (int i = 0; i < all->n; i++)
	{
		int64		known;

		CHECK_FOR_INTERRUPTS();
		all->doubled[i] = 0;
		if (all->entries[i].then == POOL_THEN_REJECT)
			continue;
		known = find_double(all, i);
		if (known == 0)
		{
			keep_identities(all, &all->entries[i]);
			continue;
		}
		all->doubled[i] = pool_again_resolve(all->work, known);
		(void) pool_ids_add(all->met, all->doubled[i]);
	}
	hash_destroy(all->met);
	pool_reserve_give_up(all);
	return all->doubled;
}
