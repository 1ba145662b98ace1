/*
 * follow_up.c
 *	  The owner records a contact.
 *
 * Locks the lead and only the lead: against a reclaim at the same moment
 * exactly one of the two comes first.
 */
#include "batch.h"

#include "due.h"
#include "priority.h"
#include "request.h"
#include "rule.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_follow_up);

#define MAX_NOTE_LENGTH 10000	/* characters */

/* columns of the result */
enum
{
	OUTCOME, EVENT_ID_COLUMN, DUE_AT
};

typedef struct FollowUp
{
	Datum		kind;
	Datum		result;			/* 0 = NULL, as the next two */
	Datum		note;
	Datum		stage;
	TimestampTz next_at;
	TimestampTz occurred_at;
	Jsonb	   *data;
} FollowUp;

static const char *
check_follow_up(void *arg, const PoolLead *lead)
{
	const PoolActor *actor = arg;

	if (lead->status == POOL_CONVERTED || lead->status == POOL_ARCHIVED)
		return "closed";
	return lead->status == POOL_OWNED && lead->owner_id == actor->member_id ?
		NULL : "not_owner";
}

static TimestampTz
arg_time(PoolCall *call, int argno, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	TimestampTz at;

	if (PG_ARGISNULL(argno))
		return POOL_NO_TIME;
	at = PG_GETARG_TIMESTAMPTZ(argno);
	pool_check_time(at, name);
	return at;
}

static void
read_arguments(PoolCall *call, FollowUp *f)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	f->kind = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH, "kind");
	if (f->kind == 0)
		f->kind = CStringGetTextDatum("note");
	f->result = pool_arg_short(call, 2, POOL_MAX_LABEL_LENGTH, "result");
	f->note = pool_arg_short(call, 3, MAX_NOTE_LENGTH, "note");
	f->next_at = arg_time(call, 4, "next_at");
	f->occurred_at = arg_time(call, 5, "occurred_at");
	f->data = PG_ARGISNULL(6) ? NULL : PG_GETARG_JSONB_P(6);
	f->stage = pool_arg_short(call, 7, POOL_MAX_LABEL_LENGTH, "stage");
}

static Jsonb *
describe(const FollowUp *f, int64 first_seconds)
{
	PoolDetail	detail;

	pool_detail_begin(&detail);
	pool_detail_datum(&detail, "kind", f->kind);
	pool_detail_datum(&detail, "result", f->result);
	pool_detail_datum(&detail, "note", f->note);
	pool_detail_time(&detail, "next_at", f->next_at);
	pool_detail_time(&detail, "occurred_at", f->occurred_at);
	pool_detail_datum(&detail, "stage", f->stage);
	pool_detail_json(&detail, "data", f->data);
	if (first_seconds >= 0)
		pool_detail_int(&detail, "first_seconds", first_seconds);
	return pool_detail_end(&detail);
}

static void
note_on_lead(PoolLead *lead, const FollowUp *f, TimestampTz at)
{
	if (lead->follow_ups == 0)
		lead->first_follow_up_at = at;
	lead->last_follow_up_at = at;
	lead->follow_ups++;
	lead->next_follow_up_at = f->next_at;
	if (f->result != 0)
		lead->last_result = f->result;
	if (f->stage != 0)
		lead->stage = f->stage;

	/*
	 * A follow-up only moves deadlines later, so check_at may stay; unless
	 * what it noted makes a condition come true.
	 */
	if (pool_config_pool(lead->pool_id)->conditional)
		lead->check_at = pool_due_check_at(lead);
}

static void
record(PoolBatch *batch, PoolBatchItem *item, const FollowUp *f)
{
	PoolCall   *call = batch->call;
	PoolLead   *lead = &item->lead;
	PoolEvent	event = {.kind = "followed_up"};
	PoolData	data;
	TimestampTz due_at;
	int64		first_seconds = -1;
	int64		event_id;

	pool_batch_open(batch, item, &data);
	event.at = pool_lead_time(lead, batch->now);
	event.member_id = event.actor_id = batch->actor->member_id;
	if (lead->follow_ups == 0)
		first_seconds = (event.at - lead->owned_at) / USECS_PER_SEC;
	event.detail = describe(f, first_seconds);
	note_on_lead(lead, f, event.at);
	lead->priority = pool_score(lead, &data, event.at);
	pool_lead_note(pool_work_table(call->work, POOL_LEAD_STATE), lead);
	event_id = pool_event_append(call->work, &event, lead, &data);
	(void) pool_rule_next(lead, &data, batch->now, &due_at);
	pool_put_text(call, OUTCOME, "ok");
	pool_put(call, EVENT_ID_COLUMN, Int64GetDatum(event_id));
	pool_put_time(call, DUE_AT, due_at);
	pool_call_row(call);
}

/*
 * pool.follow_up(lead, kind, result, note, next_at, occurred_at, detail,
 *				  stage, member, request_id)
 */
Datum
pool_follow_up(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "follow_up");
	const PoolMemberConf *member = pool_resolve_self(fcinfo, 8);
	PoolActor	actor = {member->id, member->tenant_id};
	PoolBatch  *batch;
	FollowUp	f;
	int64		id;

	id = pool_arg_id(call, 0);
	read_arguments(call, &f);
	if (pool_request_replay(call, 9, member->tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, &id, 1, check_follow_up, &actor);
	pool_batch_lock_leads(batch);
	batch->now = pool_now();
	if (batch->items[0].outcome == NULL)
		record(batch, &batch->items[0], &f);
	else
	{
		pool_put_text(call, OUTCOME, batch->items[0].outcome);
		pool_call_row(call);
	}
	return pool_call_end(call);
}
