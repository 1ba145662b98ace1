/*
 * entry.c
 *	  Leads enter: the engine behind enter() and the view intake.
 *
 * Works on any number of entries at once.  Identities and keys are reserved
 * for all of them, then each is judged in the order given, and let in, brought
 * back, or reported as a duplicate.
 */
#include "compat.h"
#include "entry.h"

#include "access.h"
#include "access/xact.h"
#include "assign.h"
#include "claim_test.h"
#include "close.h"
#include "data.h"
#include "event.h"
#include "lead.h"
#include "miscadmin.h"
#include "quota.h"
#include "reserve.h"
#include "route_entry.h"

typedef struct Run
{
	PoolWork   *work;
	Snapshot	snapshot;
	PoolEntry  *entries;
	int			n;
	int32		actor_id;
	TimestampTz now;
	int64	   *doubled;		/* the lead each entry doubles, 0 = none */
} Run;

/* ------------------------------------------------------------------------
 * Letting in
 * ------------------------------------------------------------------------ */

static void
let_in(Run *run, PoolEntry *entry)
{
	PoolLead	lead = {0};
	PoolEvent	event = {.kind = "entered",.at = run->now};
	PoolData	data = {.source = entry->source,.grade = entry->grade};

	lead.id = entry->lead_id;
	lead.tenant_id = entry->tenant_id;
	lead.pool_id = entry->pool_id;
	lead.priority = entry->priority;
	lead.entered_at = run->now;
	lead.owned_at = lead.chain_at = POOL_NO_TIME;
	lead.first_follow_up_at = lead.last_follow_up_at = POOL_NO_TIME;
	lead.next_follow_up_at = lead.protected_until = POOL_NO_TIME;
	lead.hidden_until = lead.closed_at = lead.check_at = POOL_NO_TIME;
	lead.stage_at = POOL_NO_TIME;
	lead.created_at = entry->created_at;
	pool_lead_create(pool_work_table(run->work, POOL_LEAD_STATE), &lead);
	event.actor_id = run->actor_id;
	pool_event_append(run->work, &event, &lead, &data);
	entry->outcome = "entered";
	entry->status = pool_status_name(lead.status);
	entry->home_pool_id = entry->pool_id;
}

/*
 * The entry doubles a known lead: an archived one comes back, any other is
 * reported.
 */
static void
meet_again(Run *run, PoolEntry *entry, int64 lead_id)
{
	PoolTable  *leads = pool_work_table(run->work, POOL_LEAD_STATE);
	PoolLead	lead;

	entry->lead_id = lead_id;
	entry->outcome = "duplicate";
	if (!pool_lead_peek(leads, lead_id, pool_snapshot(), &lead))
		elog(ERROR, "lead " INT64_FORMAT " has no state", lead_id);
	if (lead.status == POOL_ARCHIVED &&
		pool_lead_lock(leads, lead_id, pool_snapshot(),
					   !pool_quota_any_held(), &lead) == POOL_LEAD_LOCKED &&
		lead.status == POOL_ARCHIVED)
	{
		PoolEvent	event = {.kind = "reopened",.actor_id = run->actor_id};

		event.at = pool_lead_time(&lead, run->now);
		pool_requeue(run->work, &lead, entry->pool_id, &event);
		/* the next entry may double the same lead */
		CommandCounterIncrement();
		entry->outcome = "reopened";
	}
	entry->member_id = lead.owner_id;
	entry->status = pool_status_name(lead.status);
	entry->home_pool_id = lead.pool_id;
}

static Run *sort_run;

static int
compare_doubled(const void *a, const void *b)
{
	int64		x = sort_run->doubled[*(const int *) a];
	int64		y = sort_run->doubled[*(const int *) b];

	if (x != y)
		return x < y ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/* Locks the archived leads that will come back, in ascending order. */
static void
lock_doubled(Run *run)
{
	PoolTable  *leads = pool_work_table(run->work, POOL_LEAD_STATE);
	int		   *order = MemoryContextAllocHuge(CurrentMemoryContext,
											   run->n * sizeof(int));
	PoolLead	lead;

	for (int i = 0; i < run->n; i++)
		order[i] = i;
	sort_run = run;
	qsort(order, run->n, sizeof(int), compare_doubled);
	for (int i = 0; i < run->n; i++)
	{
		int64		id = run->doubled[order[i]];

		if (id != 0 &&
			pool_lead_peek(leads, id, pool_snapshot(), &lead) &&
			lead.status == POOL_ARCHIVED)
			(void) pool_lead_lock(leads, id, run->snapshot,
								  !pool_quota_any_held(), &lead);
	}
	pfree(order);
}

/* Lets in and brings back, in the order of the rows: so they queue. */
static void
admit_entries(Run *run)
{
	for (int i = 0; i < run->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (run->doubled[i] == 0)
			let_in(run, &run->entries[i]);
		else
		{
			/* the doubled lead may be one of this very run */
			CommandCounterIncrement();
			meet_again(run, &run->entries[i], run->doubled[i]);
		}
	}
}

/* A duplicate is only reported, whoever was named for it. */
static bool
wants_owner(const PoolEntry *entry)
{
	return entry->owner_id != 0 && strcmp(entry->outcome, "duplicate") != 0;
}

/*
 * Entering a lead again is no way round the cooldown, unless a manager or a
 * service does it.
 */
static bool
is_cooling_down(Run *run, const PoolEntry *entry)
{
	PoolActor	actor = {run->actor_id, entry->tenant_id};
	PoolLead	lead;
	TimestampTz until;

	return strcmp(entry->outcome, "reopened") == 0 &&
		!pool_actor_manages(&actor, entry->home_pool_id) &&
		pool_lead_peek(pool_work_table(run->work, POOL_LEAD_STATE),
					   entry->lead_id, pool_snapshot(), &lead) &&
		pool_cooling_down(run->work, &lead, entry->owner_id, run->now, &until);
}

/* Those who were named as owners receive, if they may. */
static void
hand_over(Run *run, PoolQuotaSet *set)
{
	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[i];

		if (!wants_owner(entry))
			continue;
		entry->reason = is_cooling_down(run, entry) ? "cooldown" :
			pool_assign_at_entry(run->work, set, entry->lead_id,
								 entry->owner_id, run->actor_id, run->now);
		if (entry->reason != NULL)
			continue;
		if (strcmp(entry->outcome, "entered") == 0)
			entry->outcome = "assigned";
		entry->member_id = entry->owner_id;
		entry->status = pool_status_name(POOL_OWNED);
	}
}

/* Leads come to members: to those who were named, or by the pool's rules. */
static void
find_owners(Run *run)
{
	PoolQuotaSet *set = pool_quota_begin(run->work, run->snapshot);
	PoolRoute  *route = pool_route_entries_begin(run->work, set,
												 run->entries, run->n,
												 run->actor_id);
	bool		any = route != NULL;

	for (int i = 0; i < run->n; i++)
	{
		if (!wants_owner(&run->entries[i]))
			continue;
		pool_quota_add(set, run->entries[i].home_pool_id,
					   run->entries[i].owner_id, true);
		any = true;
	}
	if (!any)
		return;
	pool_quota_lock(set);
	hand_over(run, set);
	pool_route_entries(route, run->entries, run->n, run->now);
	pool_quota_write(set);
}

/*
 * Lets in what may come in; the answers are left in the entries.
 */
void
pool_entry_run(PoolWork *work, Snapshot snapshot, PoolEntry *entries, int n,
			   int32 actor_id)
{
	Run			run = {.work = work,.snapshot = snapshot,.entries = entries,
	.n = n,.actor_id = actor_id};
	PoolReserved *reserved;

	if (n == 0)
		return;
	run.now = pool_now();
	for (int i = 0; i < n; i++)
	{
		entries[i].lead_id = pool_lead_new_id();
		if (entries[i].created_at == POOL_NO_TIME)
			entries[i].created_at = run.now;
	}
	reserved = pool_reserve(work, entries, n);
	run.now = pool_now();
	run.doubled = pool_reserve_settle(reserved);
	lock_doubled(&run);
	admit_entries(&run);
	CommandCounterIncrement();
	find_owners(&run);
}
