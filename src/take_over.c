/*
 * take_over.c
 *	  Leads that come with a history: owned or closed before they enter.
 *
 * What is known of the spell is taken over.  Its events are dated when it was
 * and say that they are estimated: nobody saw them happen here.
 */
#include "compat.h"
#include "take_over.h"

#include "access/xact.h"
#include "assign.h"
#include "data.h"
#include "due.h"
#include "entry_rule.h"
#include "utils/builtins.h"

/* Whether it was won or out of circulation when it came. */
bool
pool_is_closed(const PoolEntry *entry)
{
	return entry->taken_over && (entry->taken_status == POOL_CONVERTED ||
								 entry->taken_status == POOL_ARCHIVED);
}

/* A lead is not younger than its spell. */
TimestampTz
pool_default_created_at(const PoolEntry *entry, TimestampTz now)
{
	return entry->taken_over && entry->owned_at != POOL_NO_TIME ?
		entry->owned_at : now;
}

/* ------------------------------------------------------------------------
 * What contradicts itself
 * ------------------------------------------------------------------------ */

static void
refuse(const char *column, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of pool.intake contradicts the rest of its row",
					column),
			 errdetail_internal("%s", pool_text(detail)),
			 errhint("%s", pool_text(hint))));
}

static void
check_status(const PoolEntry *entry)
{
	if (entry->taken_status == POOL_OWNED && entry->owner_id == 0)
		refuse("status", gettext_noop("A lead that is owned has an owner."),
			   gettext_noop("Name the owner, or leave status NULL."));
	if (entry->taken_status == POOL_AVAILABLE && entry->owner_id != 0)
		refuse("status", gettext_noop("A lead that is available has no owner."),
			   gettext_noop("Leave owner NULL, or let status be owned."));
}

/* Times go forward: created, owned, followed up, now. */
static void
check_times(const PoolEntry *entry, TimestampTz now)
{
	if (entry->owned_at != POOL_NO_TIME && entry->owner_id == 0)
		refuse("owned_at", gettext_noop("Nobody is named whose spell began then."),
			   gettext_noop("Name the owner, or leave owned_at NULL."));
	if (entry->last_follow_up_at != POOL_NO_TIME &&
		entry->owned_at == POOL_NO_TIME)
		refuse("last_follow_up_at",
			   gettext_noop("A follow-up belongs to a spell, whose beginning is not known."),
			   gettext_noop("Give owned_at, or leave last_follow_up_at NULL."));
	if (entry->owned_at > now || entry->created_at > now)
		refuse(entry->owned_at > now ? "owned_at" : "created_at",
			   gettext_noop("It lies in the future."),
			   gettext_noop("Give a time that has passed."));
	if (entry->created_at != POOL_NO_TIME &&
		entry->owned_at != POOL_NO_TIME &&
		entry->created_at > entry->owned_at)
		refuse("created_at", gettext_noop("The spell began before the lead was created."),
			   gettext_noop("Correct created_at or owned_at."));
	if (entry->last_follow_up_at == POOL_NO_TIME)
		return;
	if (entry->last_follow_up_at < entry->owned_at)
		refuse("last_follow_up_at",
			   gettext_noop("The follow-up was before the spell began."),
			   gettext_noop("Correct owned_at or last_follow_up_at."));
	if (entry->last_follow_up_at > now)
		refuse("last_follow_up_at", gettext_noop("It lies in the future."),
			   gettext_noop("Give a time that has passed."));
}

/* Raises 22023 for a history that cannot have been. */
void
pool_take_over_check(const PoolEntry *entry, TimestampTz now)
{
	check_times(entry, now);
	check_status(entry);
}

/* ------------------------------------------------------------------------
 * Owned ones
 * ------------------------------------------------------------------------ */

static void
note_follow_up(PoolLead *lead, TimestampTz at)
{
	lead->first_follow_up_at = lead->last_follow_up_at = at;
	lead->follow_ups = 1;
}

/*
 * The spell of the named owner goes on in the lead just let in.  Returns why
 * he cannot have it, NULL if he has.
 */
const char *
pool_take_over_owned(PoolWork *work, PoolQuotaSet *set,
					 const PoolEntry *entry, int32 actor_id)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	const char *refusal = pool_assign_taken_over(work, set, entry->lead_id,
												 entry->owner_id, actor_id,
												 entry->owned_at);
	PoolLead	lead;

	if (refusal != NULL || entry->last_follow_up_at == POOL_NO_TIME)
		return refusal;
	CommandCounterIncrement();
	if (pool_lead_lock(leads, entry->lead_id, pool_snapshot(), false,
					   &lead) != POOL_LEAD_LOCKED)
		elog(ERROR, "new lead " INT64_FORMAT " is not ours", entry->lead_id);
	note_follow_up(&lead, entry->last_follow_up_at);
	lead.check_at = pool_due_check_at(&lead);
	pool_lead_note(leads, &lead);
	return NULL;
}

/* ------------------------------------------------------------------------
 * Closed ones
 * ------------------------------------------------------------------------ */

static Jsonb *
describe_end(const PoolEntry *entry, TimestampTz at)
{
	PoolDetail	detail;

	pool_detail_begin(&detail);
	pool_detail_datum(&detail, "from",
					  CStringGetTextDatum(entry->owner_id != 0 ?
										  "owned" : "available"));
	if (entry->taken_status == POOL_CONVERTED)
		pool_detail_int(&detail, "seconds",
						Max(at - entry->created_at, 0) / USECS_PER_SEC);
	pool_detail_true(&detail, "estimated");
	return pool_detail_end(&detail);
}

static void
append_spell(PoolWork *work, const PoolEntry *entry, const PoolLead *lead,
			 const PoolData *data, PoolEvent *event)
{
	PoolDetail	detail;

	if (entry->owner_id == 0)
		return;
	event->kind = "assigned";
	event->member_id = entry->owner_id;
	event->at = Max(event->at, entry->owned_at);
	pool_detail_begin(&detail);
	pool_detail_true(&detail, "estimated");
	event->detail = pool_detail_end(&detail);
	pool_event_append(work, event, lead, data);
}

/*
 * A closed lead is stored as it is, with the events that led there: *event is
 * its entry.  Nobody's counters change, since nothing is held.
 */
void
pool_take_over_closed(PoolWork *work, const PoolEntry *entry, PoolLead *lead,
					  PoolEvent *event)
{
	PoolData	data = pool_entry_data(entry);
	PoolEvent	step = *event;

	lead->status = entry->taken_status;
	lead->last_owner_id = entry->owner_id;
	lead->claims = entry->owner_id != 0 ? 1 : 0;
	lead->closed_at = Max(lead->entered_at,
						  Max(entry->owned_at, entry->last_follow_up_at));
	pool_lead_create(pool_work_table(work, POOL_LEAD_STATE), lead);
	pool_event_append(work, event, lead, &data);
	step.reason = 0;
	append_spell(work, entry, lead, &data, &step);
	step.kind = pool_status_name(lead->status);
	step.at = lead->closed_at;
	step.detail = describe_end(entry, step.at);
	pool_event_append(work, &step, lead, &data);
}
