/*
 * route_entry.c
 *	  Routing what enters: all leads of a statement in one pass.
 */
#include "compat.h"
#include "route_entry.h"

#include "access/xact.h"
#include "miscadmin.h"

/* Known leads stay where they are, and who was named an owner has his own. */
static bool
is_to_be_routed(const PoolEntry *entry)
{
	return entry->owner_id == 0 &&
		(strcmp(entry->outcome, "entered") == 0 ||
		 strcmp(entry->outcome, "reopened") == 0) &&
		strcmp(entry->status, pool_status_name(POOL_AVAILABLE)) == 0;
}

/*
 * Names in `set` the counters that routing these entries needs; NULL if there
 * is nothing to route.  Their rows have been written by earlier commands.
 */
PoolRoute *
pool_route_entries_begin(PoolWork *work, PoolQuotaSet *set,
						 PoolEntry *entries, int n, int32 actor_id)
{
	PoolRoute  *route = NULL;
	bool		any = false;

	for (int i = 0; i < n; i++)
	{
		if (!is_to_be_routed(&entries[i]))
			continue;
		if (route == NULL)
			route = pool_route_begin(work, set, actor_id);
		any |= pool_route_add_lead(route, entries[i].lead_id,
								   entries[i].home_pool_id);
	}
	return any ? route : NULL;
}

static void
answer(PoolEntry *entry, const PoolRouted *routed)
{
	if (routed->outcome == NULL)
		return;
	entry->home_pool_id = routed->pool_id;
	if (routed->rule != NULL)
		entry->rule = routed->rule->name;
	if (strcmp(routed->outcome, "assigned") != 0)
	{
		entry->reason = routed->outcome;
		return;
	}
	if (strcmp(entry->outcome, "entered") == 0)
		entry->outcome = "assigned";
	entry->member_id = routed->member_id;
	entry->status = pool_status_name(POOL_OWNED);
}

/* Routes them, in the order given; the counters are locked. */
void
pool_route_entries(PoolRoute *route, PoolEntry *entries, int n,
				   TimestampTz now)
{
	if (route == NULL)
		return;
	/* a lead that was reopened twice has been written twice */
	CommandCounterIncrement();
	pool_route_ready(route, now);
	for (int i = 0; i < n; i++)
	{
		PoolRouted	routed;

		CHECK_FOR_INTERRUPTS();
		if (is_to_be_routed(&entries[i]) &&
			pool_route_by_id(route, entries[i].lead_id,
							 entries[i].home_pool_id, 0, &routed))
			answer(&entries[i], &routed);
	}
	pool_route_end(route);
}
