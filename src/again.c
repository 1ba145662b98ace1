/*
 * again.c
 *	  A customer who is known already asks to be let in.
 *
 * An archived lead comes back, unless it was archived for good; a converted
 * one comes back while its pool keeps it for its last owner; any other, in
 * whatever state, notes the inquiry, is joined by a second lead, or is only
 * reported: that is the pool's duplicate_policy.
 */
#include "compat.h"
#include "again.h"

#include "access/genam.h"
#include "access/xact.h"
#include "close.h"
#include "event.h"
#include "group.h"
#include "priority.h"
#include "quota.h"
#include "term.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* how often a lead may have been merged into another that was merged */
#define MAX_MERGES 20

/* Why an archived lead was archived, and what it was merged into. */
typedef struct Closing
{
	char	   *reason;			/* NULL = none */
	int64		into;			/* 0 = nothing */
} Closing;

/* Reads the end of the lead's history, up to when it was archived. */
static void
read_closing(PoolWork *work, int64 lead_id, Closing *closing)
{
	PoolTable  *events = pool_work_table(work, POOL_EVENT);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(events->rel,
										 pool_work_index(events, POOL_EVENT_PKEY),
										 snapshot, &pool_key_int8(lead_id), 1);
	bool		found = false;

	memset(closing, 0, sizeof(Closing));
	while (!found &&
		   index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		char	   *kind = TextDatumGetCString(slot_getattr(events->old,
															EVENT_KIND,
															&isnull));
		Datum		value;

		found = strcmp(kind, "archived") == 0;
		if (!found && strcmp(kind, "merged") != 0)
			continue;
		value = slot_getattr(events->old, EVENT_REASON, &isnull);
		if (found && !isnull)
			closing->reason = TextDatumGetCString(value);
		value = slot_getattr(events->old, EVENT_DETAIL, &isnull);
		if (!found && !isnull && closing->into == 0)
			closing->into = pool_detail_get_id(DatumGetJsonbP(value), "into");
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
}

/* The lead that stands for this one: what it was merged into, if it was. */
int64
pool_again_resolve(PoolWork *work, int64 lead_id)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolLead	lead;
	Closing		closing;

	for (int i = 0; i < MAX_MERGES; i++)
	{
		if (!pool_lead_peek(leads, lead_id, pool_snapshot(), &lead) ||
			lead.status != POOL_ARCHIVED)
			break;
		read_closing(work, lead_id, &closing);
		if (closing.into == 0)
			break;
		lead_id = closing.into;
	}
	return lead_id;
}

/* Whether the reason the lead was archived for keeps it from coming back. */
static bool
is_archived_for_good(PoolWork *work, const PoolLead *lead)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	Closing		closing = {0};
	bool		read = false;

	for (int i = 0; i < pool->n_terms; i++)
	{
		const PoolTerm *term = &pool->terms[i];

		if (strcmp(term->kind, POOL_TERM_ARCHIVE) != 0 ||
			!pool_term_then(term, "never"))
			continue;
		if (!read)
			read_closing(work, lead->id, &closing);
		read = true;
		if (closing.reason != NULL && strcmp(closing.reason, term->code) == 0)
			return true;
	}
	return false;
}

/* Whether an archived lead comes back when it is met. */
bool
pool_again_returns(PoolWork *work, const PoolLead *lead)
{
	return lead->status == POOL_ARCHIVED && !is_archived_for_good(work, lead);
}

/* Whether a converted lead that comes back is its last owner's. */
bool
pool_again_keeps(const PoolLead *lead, TimestampTz now)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);

	return lead->status == POOL_CONVERTED && pool->keep_converted != NULL &&
		lead->last_owner_id != 0 &&
		pool_time_add(lead->closed_at, pool->keep_converted,
					  pool->zone) > now;
}

static bool
is_noted(const PoolEntry *entry)
{
	return pool_config_pool(entry->pool_id)->duplicate_policy == 't';
}

/* Whether the known lead has to be locked, for something to be done to it. */
bool
pool_again_changes(const PoolEntry *entry, const PoolLead *lead,
				   TimestampTz now)
{
	return entry->linked_to != 0 || is_noted(entry) ||
		lead->status == POOL_ARCHIVED || pool_again_keeps(lead, now);
}

/* Waits, unless this transaction holds counters: whoever does never waits. */
static PoolLeadLock
lock_known(PoolWork *work, int64 lead_id, PoolLead *lead)
{
	return pool_lead_lock(pool_work_table(work, POOL_LEAD_STATE), lead_id,
						  pool_snapshot(), !pool_quota_any_held(), lead);
}

static void
report_busy(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("could not obtain lock on a lead of the same customer"),
			 errdetail("Another transaction holds it, and this one holds counters of a member, so that it must not wait."),
			 errhint("Try again, or enter leads in a transaction of their own.")));
}

/* The lead comes back into this pool, or to be looked at there. */
static void
bring_back(PoolWork *work, PoolEntry *entry, PoolLead *lead, int32 pool_id,
		   int32 actor_id, TimestampTz now)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolEvent	event = {.kind = "reopened",.actor_id = actor_id,
	.rule_id = entry->rule_id,.source = entry->source};
	PoolDetail	detail;
	PoolData	data;

	event.at = pool_lead_time(lead, now);
	pool_requeue(work, lead, pool_id, &event);
	/* the next entry may double the same lead */
	CommandCounterIncrement();
	entry->outcome = "reopened";
	/* what is kept for its last owner needs no look */
	if (entry->then != POOL_THEN_REVIEW || entry->kept)
		return;
	if (lock_known(work, lead->id, lead) != POOL_LEAD_LOCKED)
		elog(ERROR, "reopened lead " INT64_FORMAT " is not ours", lead->id);
	pool_open_lead(work, lead, &data);
	event.kind = "review";
	pool_detail_begin(&detail);
	pool_detail_datum(&detail, "from",
					  CStringGetTextDatum(pool_status_name(lead->status)));
	event.detail = pool_detail_end(&detail);
	pool_lead_hold(leads, lead, event.at);
	pool_event_append(work, &event, lead, &data);
	CommandCounterIncrement();
	entry->outcome = "review";
}

/* The lead notes the inquiry; whose it is, and until when, stays. */
static void
touch(PoolWork *work, PoolEntry *entry, PoolLead *lead, int32 actor_id,
	  TimestampTz now)
{
	PoolEvent	event = {.kind = "touched",.actor_id = actor_id,
	.rule_id = entry->rule_id,.member_id = lead->owner_id};
	PoolData	data;

	pool_open_lead(work, lead, &data);
	event.at = pool_lead_time(lead, now);
	if (pool_lead_is_open(lead))
		pool_lead_rank(pool_work_table(work, POOL_LEAD_STATE), lead,
					   pool_score(lead, &data, event.at));
	data.source = entry->source;
	pool_event_append(work, &event, lead, &data);
	CommandCounterIncrement();
}

/* Does to the locked lead what the entry does to a known one. */
static void
change_known(PoolWork *work, PoolEntry *entry, PoolLead *lead,
			 int32 actor_id, TimestampTz now)
{
	if (pool_again_returns(work, lead))
		bring_back(work, entry, lead, entry->pool_id, actor_id, now);
	else if (pool_again_keeps(lead, now))
	{
		entry->owner_id = lead->last_owner_id;
		entry->kept = true;
		bring_back(work, entry, lead, lead->pool_id, actor_id, now);
	}
	else if (is_noted(entry))
		touch(work, entry, lead, actor_id, now);
}

/* The entry doubles this lead; the answer is left in the entry. */
void
pool_again_meet(PoolWork *work, PoolEntry *entry, int64 lead_id,
				int32 actor_id, TimestampTz now)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolLead	lead;

	entry->lead_id = lead_id;
	entry->outcome = "duplicate";
	if (!pool_lead_peek(leads, lead_id, pool_snapshot(), &lead))
		elog(ERROR, "lead " INT64_FORMAT " has no state", lead_id);
	if (pool_again_changes(entry, &lead, now))
	{
		if (lock_known(work, lead_id, &lead) == POOL_LEAD_LOCKED)
		{
			int64		resolved = pool_again_resolve(work, lead_id);

			/* it may have been merged just now */
			if (resolved != lead_id)
			{
				pool_again_meet(work, entry, resolved, actor_id, now);
				return;
			}
			change_known(work, entry, &lead, actor_id, now);
		}
		else if (is_noted(entry))
			report_busy();
	}
	if (strcmp(entry->outcome, "duplicate") == 0)
		entry->rule = entry->reason = NULL;
	entry->member_id = lead.owner_id;
	entry->status = pool_status_name(lead.status);
	entry->home_pool_id = lead.pool_id;
}

/* Locks the lead to link with: what it was merged into, if just now it was. */
static void
lock_first(PoolWork *work, PoolEntry *entry, PoolLead *lead)
{
	int64		id;

	do
	{
		id = entry->linked_to;
		if (lock_known(work, id, lead) != POOL_LEAD_LOCKED)
			report_busy();
		entry->linked_to = pool_again_resolve(work, id);
	} while (entry->linked_to != id);
}

/*
 * The entry becomes a lead of its own of a customer who has one already, which
 * notes that.  Returns their group.
 */
int64
pool_again_join(PoolWork *work, PoolEntry *entry, int32 actor_id,
				TimestampTz now)
{
	PoolEvent	event = {.kind = "linked",.actor_id = actor_id};
	PoolDetail	detail;
	PoolLead	lead;
	PoolData	data;

	lock_first(work, entry, &lead);
	pool_open_lead(work, &lead, &data);
	if (lead.group_id == 0)
	{
		pool_group_create(work, lead.id, lead.tenant_id, entry->scope,
						  lead.owner_id);
		pool_lead_join(pool_work_table(work, POOL_LEAD_STATE), &lead,
					   lead.id);
	}
	event.at = pool_lead_time(&lead, now);
	event.member_id = lead.owner_id;
	pool_detail_begin(&detail);
	pool_detail_int(&detail, "lead", entry->lead_id);
	event.detail = pool_detail_end(&detail);
	data.source = entry->source;
	pool_event_append(work, &event, &lead, &data);
	CommandCounterIncrement();
	return lead.group_id;
}
