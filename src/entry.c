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
#include "again.h"
#include "approval.h"
#include "assign.h"
#include "claim_test.h"
#include "data.h"
#include "entry_rule.h"
#include "event.h"
#include "group.h"
#include "lead.h"
#include "miscadmin.h"
#include "priority.h"
#include "quota.h"
#include "reserve.h"
#include "route_entry.h"
#include "take_over.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

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

/* Since when the lead counts as being in the pool. */
static TimestampTz
entry_time(const Run *run, const PoolEntry *entry)
{
	if (!entry->taken_over)
		return run->now;
	return entry->owned_at == POOL_NO_TIME ? entry->created_at :
		Min(entry->created_at, entry->owned_at);
}

static void
form_lead(Run *run, const PoolEntry *entry, PoolLead *lead)
{
	memset(lead, 0, sizeof(PoolLead));
	lead->id = entry->lead_id;
	lead->tenant_id = entry->tenant_id;
	lead->pool_id = entry->pool_id;
	lead->priority = entry->priority;
	lead->entered_at = entry_time(run, entry);
	lead->created_at = entry->created_at;
	lead->owned_at = lead->chain_at = POOL_NO_TIME;
	lead->first_follow_up_at = lead->last_follow_up_at = POOL_NO_TIME;
	lead->next_follow_up_at = lead->protected_until = POOL_NO_TIME;
	lead->hidden_until = lead->closed_at = lead->check_at = POOL_NO_TIME;
	lead->stage_at = POOL_NO_TIME;
	if (entry->then == POOL_THEN_REVIEW)
		lead->status = POOL_IN_REVIEW;
}

static Jsonb *
describe_group(int64 group_id)
{
	PoolDetail	detail;

	if (group_id == 0)
		return NULL;
	pool_detail_begin(&detail);
	pool_detail_int(&detail, "group", group_id);
	return pool_detail_end(&detail);
}

static void
let_in(Run *run, PoolEntry *entry)
{
	PoolLead	lead;
	PoolData	data = pool_entry_data(entry);
	PoolEvent	event = {.actor_id = run->actor_id,
	.rule_id = entry->rule_id};

	form_lead(run, entry, &lead);
	lead.priority = pool_score(&lead, &data, run->now);
	if (entry->linked_to != 0)
		lead.group_id = pool_again_join(run->work, entry, run->actor_id,
										run->now);
	event.kind = lead.status == POOL_IN_REVIEW ? "review" : "entered";
	event.at = lead.entered_at;
	event.detail = describe_group(lead.group_id);
	if (entry->reason != NULL)
		event.reason = CStringGetTextDatum(entry->reason);
	if (pool_is_closed(entry))
		pool_take_over_closed(run->work, entry, &lead, &event);
	else
	{
		pool_lead_create(pool_work_table(run->work, POOL_LEAD_STATE), &lead);
		pool_event_append(run->work, &event, &lead, &data);
	}
	entry->outcome = event.kind;
	entry->status = pool_status_name(lead.status);
	entry->home_pool_id = entry->pool_id;
}

static void
turn_away(PoolEntry *entry)
{
	entry->lead_id = 0;
	entry->outcome = "rejected";
	entry->home_pool_id = entry->pool_id;
}

/* ------------------------------------------------------------------------
 * Known customers
 * ------------------------------------------------------------------------ */

static int64
known_lead(const Run *run, int i)
{
	return run->doubled[i] != 0 ? run->doubled[i] :
		run->entries[i].linked_to;
}

/* Two entries, by the leads they double or are linked to, and then as given. */
static int
compare_known(const void *a, const void *b, void *run)
{
	int64		x = known_lead(run, *(const int *) a);
	int64		y = known_lead(run, *(const int *) b);

	if (x != y)
		return x < y ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/* Locks the known leads to which something will be done, ascending. */
static void
lock_known(Run *run)
{
	PoolTable  *leads = pool_work_table(run->work, POOL_LEAD_STATE);
	int		   *order = MemoryContextAllocHuge(CurrentMemoryContext,
											   run->n * sizeof(int));
	int			n = 0;
	PoolLead	lead;

	for (int i = 0; i < run->n; i++)
		if (known_lead(run, i) != 0)
			order[n++] = i;
	qsort_arg(order, n, sizeof(int), compare_known, run);
	for (int i = 0; i < n; i++)
	{
		int64		id = known_lead(run, order[i]);

		CHECK_FOR_INTERRUPTS();
		/* those of this very run are not there yet */
		if (pool_lead_peek(leads, id, pool_snapshot(), &lead) &&
			pool_again_changes(&run->entries[order[i]], &lead, run->now))
			(void) pool_lead_lock(leads, id, run->snapshot,
								  !pool_quota_any_held(), &lead);
	}
	pfree(order);
}

/*
 * Whether one of them was archived or came back meanwhile: then its customer
 * comes back with it, or has another lead beside it.
 */
static bool
any_turned(const Run *run)
{
	PoolTable  *leads = pool_work_table(run->work, POOL_LEAD_STATE);

	for (int i = 0; i < run->n; i++)
	{
		const PoolEntry *entry = &run->entries[i];
		PoolLead	lead;

		CHECK_FOR_INTERRUPTS();
		if (entry->judged != 0 &&
			pool_lead_peek(leads, entry->judged, pool_snapshot(), &lead) &&
			(lead.status == POOL_ARCHIVED) != entry->judged_archived)
			return true;
	}
	return false;
}

/*
 * Whether one of them was erased meanwhile: then its key and identities are free
 * again.  40001 where they cannot be reserved once more.
 */
static bool
any_erased(const Run *run)
{
	PoolTable  *table = pool_work_table(run->work, POOL_LEAD_DATA);
	Snapshot	snapshot = NULL;
	bool		any = false;

	for (int i = 0; i < run->n && !any; i++)
	{
		PoolData	data;

		CHECK_FOR_INTERRUPTS();
		if (known_lead(run, i) == 0)
			continue;
		if (snapshot == NULL)
			snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(table->rel)));
		any = pool_data_read(table, known_lead(run, i), snapshot, &data) &&
			data.erased_at != POOL_NO_TIME;
	}
	if (snapshot != NULL)
		UnregisterSnapshot(snapshot);
	if (any && IsolationUsesXactSnapshot())
		pool_report_serialization();
	return any;
}

/* Finds out which of the entries are known, and locks what will change. */
static void
meet_known(Run *run)
{
	PoolReserved *reserved = pool_reserve(run->work, run->entries, run->n);

	run->now = pool_now();
	run->doubled = pool_reserve_settle(reserved);
	lock_known(run);
}

/* ------------------------------------------------------------------------
 * The course of an entry
 * ------------------------------------------------------------------------ */

/* Asks the rules, and finds out within which pools a customer is one. */
static void
judge_entries(Run *run)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "entry rules",
												  ALLOCSET_DEFAULT_SIZES);
	List	   *reported = NIL;

	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[i];

		CHECK_FOR_INTERRUPTS();
		pool_entry_judge(entry, run->now, scratch, &reported);
		if (pool_is_closed(entry) && entry->then == POOL_THEN_REVIEW)
			entry->then = POOL_THEN_ACCEPT;
		entry->scope = pool_group_scope(entry->pool_id);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
}

/* Lets in and brings back, in the order of the rows: so they queue. */
static void
admit_entries(Run *run)
{
	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[i];

		CHECK_FOR_INTERRUPTS();
		/* the known lead may be one of this very run */
		if (known_lead(run, i) != 0)
			CommandCounterIncrement();
		if (entry->then == POOL_THEN_REJECT)
			turn_away(entry);
		else if (run->doubled[i] == 0)
			let_in(run, entry);
		else
			pool_again_meet(run->work, entry, run->doubled[i], run->actor_id,
							run->now);
	}
}

/* Only what is in the pool is given to whoever was named for it. */
static bool
wants_owner(const PoolEntry *entry)
{
	return entry->owner_id != 0 && !pool_is_closed(entry) &&
		(strcmp(entry->outcome, "entered") == 0 ||
		 strcmp(entry->outcome, "reopened") == 0);
}

/*
 * Entering a lead is no way round the cooldown, unless a manager or a service
 * enters it again, nor round the need of approval.  Why the named owner cannot
 * have it; NULL if nothing of this keeps him from it.
 */
static const char *
refuse_owner(Run *run, const PoolEntry *entry)
{
	PoolActor	actor = {run->actor_id, entry->tenant_id};
	PoolLead	lead;
	TimestampTz until;

	if (entry->kept ||
		!pool_lead_peek(pool_work_table(run->work, POOL_LEAD_STATE),
						entry->lead_id, pool_snapshot(), &lead))
		return NULL;
	if (strcmp(entry->outcome, "reopened") == 0 &&
		!pool_actor_manages(&actor, entry->home_pool_id) &&
		pool_cooling_down(run->work, &lead, entry->owner_id, run->now, &until))
		return "cooldown";
	return pool_approval_needed(run->work, &actor, "assign", &lead,
								run->now) ? "approval" : NULL;
}

/* Why the named owner cannot have the lead; NULL if he has got it. */
static const char *
give(Run *run, PoolQuotaSet *set, const PoolEntry *entry)
{
	if (entry->taken_over && strcmp(entry->outcome, "entered") == 0)
		return pool_take_over_owned(run->work, set, entry, run->actor_id);
	return pool_assign_at_entry(run->work, set, entry->lead_id,
								entry->owner_id, run->actor_id, run->now);
}

/* Those who were named as owners receive, if they may. */
static void
hand_over(Run *run, PoolQuotaSet *set)
{
	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[i];
		const char *refusal;

		CHECK_FOR_INTERRUPTS();
		if (!wants_owner(entry))
			continue;
		refusal = refuse_owner(run, entry);
		if (refusal == NULL)
			refusal = give(run, set, entry);
		if (refusal != NULL)
		{
			entry->reason = refusal;
			continue;
		}
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

	if (n == 0)
		return;
	run.now = pool_now();
	for (int i = 0; i < n; i++)
	{
		entries[i].lead_id = pool_lead_new_id();
		if (entries[i].created_at == POOL_NO_TIME)
			entries[i].created_at = pool_default_created_at(&entries[i],
															run.now);
	}
	judge_entries(&run);
	meet_known(&run);
	while (any_erased(&run) || any_turned(&run))
	{
		CommandCounterIncrement();
		for (int i = 0; i < n; i++)
			entries[i].linked_to = entries[i].judged = 0;
		meet_known(&run);
	}
	admit_entries(&run);
	CommandCounterIncrement();
	find_owners(&run);
}
