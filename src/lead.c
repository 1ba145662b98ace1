/*
 * lead.c
 *	  The lead row: the only writer of lead_state.
 *
 * Every transition goes through write_lead, which tells queue.c before a lead
 * leaves the queue and after it has entered it.  Callers hold the row's lock
 * and write the event.
 */
#include "lead.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "errors.h"
#include "due.h"
#include "group.h"
#include "place.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "wake.h"

#define TICKET_BAND_BITS 48

int64
pool_lead_new_id(void)
{
	return pool_sequence_new_id(POOL_LEAD_ID_SEQ);
}

/* The last place of the band of this priority. */
static int64
new_ticket(int16 priority)
{
	return ((int64) (100 - priority) << TICKET_BAND_BITS) +
		pool_sequence_next(POOL_TICKET_SEQ);
}

static PoolCandidate
as_candidate(const PoolLead *lead)
{
	PoolCandidate candidate = {lead->ticket, lead->id, lead->tid};

	return candidate;
}

static void
form_lead(const PoolLead *lead, Datum *v, bool *n)
{
#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
#define PUT_TIME(attnum, at) \
	PUT(attnum, TimestampTzGetDatum(at), (at) == POOL_NO_TIME)
	PUT(LEAD_STATE_ID, Int64GetDatum(lead->id), false);
	PUT(LEAD_STATE_TICKET, Int64GetDatum(lead->ticket), lead->ticket == 0);
	PUT_TIME(LEAD_STATE_ENTERED_AT, lead->entered_at);
	PUT_TIME(LEAD_STATE_OWNED_AT, lead->owned_at);
	PUT_TIME(LEAD_STATE_CHAIN_AT, lead->chain_at);
	PUT_TIME(LEAD_STATE_FIRST_FOLLOW_UP_AT, lead->first_follow_up_at);
	PUT_TIME(LEAD_STATE_LAST_FOLLOW_UP_AT, lead->last_follow_up_at);
	PUT_TIME(LEAD_STATE_NEXT_FOLLOW_UP_AT, lead->next_follow_up_at);
	PUT_TIME(LEAD_STATE_PROTECTED_UNTIL, lead->protected_until);
	PUT_TIME(LEAD_STATE_HIDDEN_UNTIL, lead->hidden_until);
	PUT_TIME(LEAD_STATE_CLOSED_AT, lead->closed_at);
	PUT_TIME(LEAD_STATE_CHECK_AT, lead->check_at);
	PUT_TIME(LEAD_STATE_STAGE_AT, lead->stage_at);
	PUT(LEAD_STATE_GROUP_ID, Int64GetDatum(lead->group_id),
		lead->group_id == 0);
	PUT(LEAD_STATE_TENANT_ID, Int32GetDatum(lead->tenant_id), false);
	PUT(LEAD_STATE_POOL_ID, Int32GetDatum(lead->pool_id), false);
	PUT(LEAD_STATE_OWNER_ID, Int32GetDatum(lead->owner_id),
		lead->owner_id == 0);
	PUT(LEAD_STATE_LAST_OWNER_ID, Int32GetDatum(lead->last_owner_id),
		lead->last_owner_id == 0);
	PUT(LEAD_STATE_RESERVED_FOR, Int32GetDatum(lead->reserved_for),
		lead->reserved_for == 0);
	PUT(LEAD_STATE_FOLLOW_UPS, Int32GetDatum(lead->follow_ups), false);
	PUT(LEAD_STATE_CLAIMS, Int32GetDatum(lead->claims), false);
	PUT(LEAD_STATE_PRIORITY, Int16GetDatum(lead->priority), false);
	PUT(LEAD_STATE_EXTENSIONS, Int16GetDatum(lead->extensions), false);
	PUT(LEAD_STATE_STATUS,
		CStringGetTextDatum(pool_status_name(lead->status)), false);
	PUT(LEAD_STATE_LAST_RESULT, lead->last_result, lead->last_result == 0);
	PUT(LEAD_STATE_STAGE, lead->stage, lead->stage == 0);
	PUT(LEAD_STATE_AMOUNT, lead->amount, lead->amount == 0);
	PUT(LEAD_STATE_CURRENCY, lead->currency, lead->currency == 0);
#undef PUT
#undef PUT_TIME
}

/* The row just written has a place in the queue: whoever comes may claim it. */
static void
offer(PoolTable *leads, const PoolLead *lead)
{
	PoolCandidate candidate = as_candidate(lead);

	pool_queue_give(leads, lead->pool_id, &candidate);
}

/* Replaces the locked row `before` by `after`. */
static void
write_lead(PoolTable *leads, const PoolLead *before, PoolLead *after)
{
	Datum		values[LEAD_STATE_NATTS];
	bool		nulls[LEAD_STATE_NATTS];

	form_lead(after, values, nulls);
	pool_table_update(leads, values, nulls);
	pool_wake_note(after->check_at);
	after->tid = leads->new->tts_tid;
	if (after->ticket != 0 && after->ticket != before->ticket)
		offer(leads, after);
}

/*
 * A locked lead is about to leave the queue: this transaction answers for it
 * from now on.  The transitions below do that themselves, but for own, whose
 * leads mostly come from the queue, which knows already.
 */
void
pool_lead_leave_queue(PoolTable *leads, const PoolLead *lead)
{
	PoolCandidate candidate = as_candidate(lead);

	pool_queue_take(leads, lead->pool_id, &candidate);
}

/*
 * Writes a lead that stays where it is.  An available one keeps its place in
 * the queue, which has to learn of the new version: it knows leads by where
 * their rows are, too.
 */
static void
write_in_place(PoolTable *leads, PoolLead *lead)
{
	if (lead->ticket != 0)
		pool_lead_leave_queue(leads, lead);
	write_lead(leads, lead, lead);
	if (lead->ticket != 0)
		offer(leads, lead);
}

/* What a lead is hidden for ends when it leaves the place it waits at. */
static void
end_reservation(PoolLead *lead)
{
	if (lead->reserved_for == 0)
		return;
	lead->hidden_until = POOL_NO_TIME;
	lead->reserved_for = 0;
}

static void
enter_queue(PoolLead *lead, int32 pool_id, TimestampTz at)
{
	lead->status = POOL_AVAILABLE;
	lead->pool_id = pool_id;
	lead->entered_at = at;
	lead->ticket = new_ticket(lead->priority);
	lead->check_at = pool_due_check_at(lead);
}

static void
begin_spell(PoolLead *lead, int32 owner_id, TimestampTz at)
{
	lead->status = POOL_OWNED;
	lead->owner_id = owner_id;
	lead->owned_at = at;
	lead->first_follow_up_at = POOL_NO_TIME;
	lead->last_follow_up_at = POOL_NO_TIME;
	lead->next_follow_up_at = POOL_NO_TIME;
	lead->protected_until = POOL_NO_TIME;
	lead->hidden_until = POOL_NO_TIME;
	lead->reserved_for = 0;
	lead->follow_ups = 0;
	lead->extensions = 0;
	lead->claims++;
}

static void
end_spell(PoolLead *lead)
{
	lead->last_owner_id = lead->owner_id;
	lead->owner_id = 0;
	lead->owned_at = POOL_NO_TIME;
	lead->chain_at = POOL_NO_TIME;
	lead->first_follow_up_at = POOL_NO_TIME;
	lead->last_follow_up_at = POOL_NO_TIME;
	lead->next_follow_up_at = POOL_NO_TIME;
	lead->follow_ups = 0;
	lead->extensions = 0;
	lead->protected_until = POOL_NO_TIME;
	lead->check_at = POOL_NO_TIME;
}

/*
 * Inserts a new lead, all of whose fields are set but for its place in the
 * queue: available, in review, or closed before it came here.
 */
void
pool_lead_create(PoolTable *leads, PoolLead *lead)
{
	Datum		values[LEAD_STATE_NATTS];
	bool		nulls[LEAD_STATE_NATTS];

	Assert(lead->status != POOL_OWNED);
	if (lead->status == POOL_AVAILABLE)
		enter_queue(lead, lead->pool_id, lead->entered_at);
	else if (lead->status == POOL_IN_REVIEW)
		lead->check_at = pool_due_check_at(lead);
	form_lead(lead, values, nulls);
	pool_table_insert(leads, values, nulls);
	pool_wake_note(lead->check_at);
	lead->tid = leads->new->tts_tid;
	/* whoever lets it in asks for it again */
	pool_place_note(leads, lead->id, &lead->tid);
	if (lead->ticket != 0)
		offer(leads, lead);
}

static void
own(PoolLead *lead, int32 owner_id, int32 pool_id, TimestampTz at)
{
	Assert(lead->status == POOL_AVAILABLE);
	lead->ticket = 0;
	lead->pool_id = pool_id;
	begin_spell(lead, owner_id, at);
	lead->chain_at = at;
	lead->check_at = pool_due_check_at(lead);
}

/*
 * available -> owned, perhaps in another pool.  The queue must know already
 * that the lead leaves it.
 */
void
pool_lead_own(PoolTable *leads, PoolLead *lead, int32 owner_id,
			  int32 pool_id, TimestampTz at)
{
	PoolLead	before = *lead;

	pool_group_gain(leads->work, lead->group_id, owner_id);
	own(lead, owner_id, pool_id, at);
	write_lead(leads, &before, lead);
}

/*
 * The same in one step with locking, for a candidate just fetched that belongs
 * to no group.  Unless the answer is LOCKED nothing has happened, and what
 * *lead holds is of no use.
 */
PoolLeadLock
pool_lead_try_own(PoolTable *leads, PoolLead *lead, int32 owner_id,
				  TimestampTz at)
{
	Datum		values[LEAD_STATE_NATTS];
	bool		nulls[LEAD_STATE_NATTS];
	TM_Result	result;

	Assert(lead->group_id == 0);
	own(lead, owner_id, lead->pool_id, at);
	form_lead(lead, values, nulls);
	result = pool_table_try_update(leads, values, nulls);
	if (result == TM_Ok)
	{
		pool_wake_note(lead->check_at);
		lead->tid = leads->new->tts_tid;
	}
	return pool_lead_lock_of(result);
}

/* owned -> owned by another, perhaps in another pool */
void
pool_lead_pass(PoolTable *leads, PoolLead *lead, int32 owner_id,
			   int32 pool_id, TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(lead->status == POOL_OWNED);
	pool_group_pass(leads->work, lead->group_id, owner_id);
	lead->last_owner_id = lead->owner_id;
	lead->pool_id = pool_id;
	begin_spell(lead, owner_id, at);
	lead->check_at = pool_due_check_at(lead);
	write_lead(leads, &before, lead);
}

/* owned -> available */
void
pool_lead_give_back(PoolTable *leads, PoolLead *lead, int32 pool_id,
					TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(lead->status == POOL_OWNED);
	pool_group_lose(leads->work, lead->group_id);
	end_spell(lead);
	enter_queue(lead, pool_id, at);
	write_lead(leads, &before, lead);
}

/* owned -> converted; anything open or converted -> archived */
void
pool_lead_close(PoolTable *leads, PoolLead *lead, PoolStatus status,
				TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(status == POOL_CONVERTED || status == POOL_ARCHIVED);
	Assert(lead->status != POOL_ARCHIVED);
	if (lead->status == POOL_OWNED)
	{
		pool_group_lose(leads->work, lead->group_id);
		end_spell(lead);
	}
	else if (lead->status == POOL_AVAILABLE)
		pool_lead_leave_queue(leads, lead);
	lead->ticket = 0;
	lead->status = status;
	lead->hidden_until = POOL_NO_TIME;
	lead->reserved_for = 0;
	lead->closed_at = at;
	lead->check_at = POOL_NO_TIME;
	write_lead(leads, &before, lead);
}

/* converted, archived -> available */
void
pool_lead_reopen(PoolTable *leads, PoolLead *lead, int32 pool_id,
				 TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(pool_lead_is_closed(lead));
	lead->closed_at = POOL_NO_TIME;
	lead->amount = (Datum) 0;
	lead->currency = (Datum) 0;
	enter_queue(lead, pool_id, at);
	write_lead(leads, &before, lead);
}

/* available -> available in another pool */
void
pool_lead_move(PoolTable *leads, PoolLead *lead, int32 pool_id,
			   TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(lead->status == POOL_AVAILABLE);
	pool_lead_leave_queue(leads, lead);
	end_reservation(lead);
	enter_queue(lead, pool_id, at);
	write_lead(leads, &before, lead);
}

/*
 * An available lead is hidden until then (NO_TIME = no longer) from everybody
 * but this member (0 = from all).
 */
void
pool_lead_hide(PoolTable *leads, PoolLead *lead, TimestampTz until,
			   int32 reserved_for)
{
	Assert(lead->status == POOL_AVAILABLE);
	lead->hidden_until = until;
	lead->reserved_for = reserved_for;
	write_in_place(leads, lead);
}

/* available -> review */
void
pool_lead_hold(PoolTable *leads, PoolLead *lead, TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(lead->status == POOL_AVAILABLE);
	pool_lead_leave_queue(leads, lead);
	lead->status = POOL_IN_REVIEW;
	lead->entered_at = at;
	lead->ticket = 0;
	lead->check_at = pool_due_check_at(lead);
	write_lead(leads, &before, lead);
}

/* review -> available */
void
pool_lead_admit(PoolTable *leads, PoolLead *lead, TimestampTz at)
{
	PoolLead	before = *lead;

	Assert(lead->status == POOL_IN_REVIEW);
	enter_queue(lead, lead->pool_id, at);
	write_lead(leads, &before, lead);
}

/* The lead becomes one of a group. */
void
pool_lead_join(PoolTable *leads, PoolLead *lead, int64 group_id)
{
	lead->group_id = group_id;
	write_in_place(leads, lead);
}

/*
 * The closed lead is written as it is: whoever has an older snapshot, in which
 * it has not been erased, must not bring it back.
 */
void
pool_lead_seal(PoolTable *leads, PoolLead *lead)
{
	Assert(pool_lead_is_closed(lead));
	write_lead(leads, lead, lead);
}

/* A new priority; an available lead goes to the end of its new band. */
void
pool_lead_rank(PoolTable *leads, PoolLead *lead, int16 priority)
{
	PoolLead	before = *lead;

	if (lead->priority == priority)
		return;
	lead->priority = priority;
	if (lead->status == POOL_AVAILABLE)
	{
		pool_lead_leave_queue(leads, &before);
		lead->ticket = new_ticket(priority);
	}
	/* a condition may have come true */
	if (pool_lead_is_open(lead) &&
		pool_config_pool(lead->pool_id)->conditional)
		lead->check_at = pool_due_check_at(lead);
	write_lead(leads, &before, lead);
}

/* Writes what a follow-up or a timer noted on an open lead. */
void
pool_lead_note(PoolTable *leads, PoolLead *lead)
{
	Assert(pool_lead_is_open(lead));
	write_in_place(leads, lead);
}

/* Something changed that timers depend on; the lead is as in leads->old. */
void
pool_lead_retime(PoolTable *leads, PoolLead *lead)
{
	TimestampTz check_at = pool_due_check_at(lead);

	if (check_at == lead->check_at)
		return;
	lead->check_at = check_at;
	pool_lead_note(leads, lead);
}
