/*
 * close.c
 *	  Leads leave circulation and come back: convert, archive, reopen, and
 *	  move from pool to pool.
 */
#include "close.h"

#include "access/xact.h"
#include "again.h"
#include "approval.h"
#include "assign.h"
#include "catalog/pg_type.h"
#include "claim_test.h"
#include "collaborator.h"
#include "release.h"
#include "request.h"
#include "term.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(pool_convert);
PG_FUNCTION_INFO_V1(pool_archive);
PG_FUNCTION_INFO_V1(pool_reopen);
PG_FUNCTION_INFO_V1(pool_move);

#define MAX_CURRENCY_LENGTH 16	/* characters */
#define MAX_AMOUNT_DIGITS 30	/* before the decimal point, and behind it */

/* ------------------------------------------------------------------------
 * convert
 * ------------------------------------------------------------------------ */

/* What a conversion is judged by. */
typedef struct Conversion
{
	const PoolActor *actor;
	Datum		amount;			/* 0 = NULL, as the next one */
	Datum		currency;
	int32		credit_id;		/* who won a lead nobody owns; 0 = its owner */
} Conversion;

static const char *
check_convert(void *arg, const PoolLead *lead)
{
	const Conversion *c = arg;

	if (lead->status == POOL_CONVERTED)
		return "already_converted";
	if (c->credit_id != 0 && c->credit_id != lead->owner_id)
	{
		if (!pool_actor_manages(c->actor, lead->pool_id))
			return "not_owner";
		if (lead->status == POOL_OWNED)
			return "taken";
		return lead->status == POOL_AVAILABLE ? NULL : "not_owner";
	}
	if (lead->status != POOL_OWNED)
		return "not_owner";
	if (lead->owner_id != c->actor->member_id &&
		!pool_actor_manages(c->actor, lead->pool_id))
		return "not_owner";
	return NULL;
}

/* Whether the member had this lead not long ago. */
static bool
deserves_credit(PoolBatch *batch, const PoolBatchItem *item, int32 member_id)
{
	return pool_last_spell_end(batch->call->work, item->id, member_id,
							   batch->now - POOL_CREDIT_DAYS * USECS_PER_DAY) !=
		POOL_NO_TIME;
}

static Jsonb *
describe_conversion(const Conversion *c, const PoolLead *lead, List *helpers,
					int64 seconds)
{
	PoolDetail	detail;

	pool_detail_begin(&detail);
	pool_detail_numeric(&detail, "amount", c->amount);
	pool_detail_datum(&detail, "currency", c->currency);
	pool_detail_int(&detail, "seconds", seconds);
	if (lead->status != POOL_OWNED)
		pool_detail_datum(&detail, "from",
						  CStringGetTextDatum(pool_status_name(lead->status)));
	pool_detail_collaborators(&detail, helpers);
	return pool_detail_end(&detail);
}

static void
convert_one(PoolBatch *batch, PoolBatchItem *item, const Conversion *c)
{
	PoolWork   *work = batch->call->work;
	PoolLead   *lead = &item->lead;
	PoolEvent	event = {.kind = "converted"};
	int32		owner_id = lead->owner_id;
	PoolData	data;

	pool_batch_open(batch, item, &data);
	event.at = pool_lead_time(lead, batch->now);
	event.member_id = owner_id != 0 ? owner_id : c->credit_id;
	event.actor_id = batch->actor->member_id;
	event.detail = describe_conversion(c, lead,
									   pool_collaborators(work, lead->id),
									   Max(event.at - data.created_at, 0) /
									   USECS_PER_SEC);
	lead->amount = c->amount;
	lead->currency = c->currency;
	lead->last_owner_id = event.member_id;
	pool_collaborators_end(work, lead->id);
	pool_lead_close(pool_work_table(work, POOL_LEAD_STATE), lead,
					POOL_CONVERTED, event.at);
	pool_event_append(work, &event, lead, &data);
	if (owner_id != 0)
		pool_quota_lose(batch->set,
						pool_batch_quota(batch, lead->pool_id, owner_id));
}

/*
 * Amounts are added up, over all leads and for ever: a sum of any number of
 * them has to be a numeric, too.
 */
static void
check_amount_size(Datum amount)
{
	Datum		bound = DirectFunctionCall2(numeric_power,
											NumericGetDatum(int64_to_numeric(10)),
											NumericGetDatum(int64_to_numeric(MAX_AMOUNT_DIGITS)));

	if (DatumGetInt32(DirectFunctionCall1(numeric_scale, amount)) <=
		MAX_AMOUNT_DIGITS &&
		DatumGetBool(DirectFunctionCall2(numeric_lt, amount, bound)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("amount is out of range"),
			 errdetail("It has more than %d digits before or behind the decimal point.",
					   MAX_AMOUNT_DIGITS),
			 errhint("Pass what the deal is worth, or NULL if it is not known.")));
}

static Datum
arg_amount(PoolCall *call, int argno)
{
	Datum		amount = pool_arg_datum(call, argno);

	if (amount == 0)
		return amount;
	if (numeric_is_nan(DatumGetNumeric(amount)) ||
		numeric_is_inf(DatumGetNumeric(amount)) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, amount,
										 NumericGetDatum(int64_to_numeric(0)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must be a number of zero or more"),
				 errdetail("It is negative, infinite or not a number."),
				 errhint("Pass what the deal is worth, or NULL if it is not known.")));
	check_amount_size(amount);
	return amount;
}

/*
 * pool.convert(lead, amount, currency, member, request_id, credit)
 */
Datum
pool_convert(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "convert");
	PoolActor	actor = pool_resolve_actor(fcinfo, 3);
	Conversion	c = {.actor = &actor,.amount = arg_amount(call, 1)};
	PoolBatch  *batch;
	PoolBatchItem *item;
	int64		id = pool_arg_id(call, 0);

	c.currency = pool_arg_short(call, 2, MAX_CURRENCY_LENGTH, "currency");
	if (!PG_ARGISNULL(5))
		c.credit_id = pool_resolve_member(PG_GETARG_TEXT_PP(5))->id;
	if (pool_request_replay(call, 4, actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, &id, 1, check_convert, &c);
	item = &batch->items[0];
	pool_batch_lock_leads(batch);
	pool_batch_add_owners(batch);
	pool_batch_lock_counters(batch);
	if (item->outcome == NULL && item->lead.status != POOL_OWNED &&
		!deserves_credit(batch, item, c.credit_id))
		item->outcome = "no_credit";
	if (item->outcome == NULL)
	{
		convert_one(batch, item, &c);
		pool_batch_emit(batch, item, "converted");
	}
	else
		pool_batch_emit(batch, item, item->outcome);
	return pool_batch_end(batch);
}

/* ------------------------------------------------------------------------
 * archive, reopen, move
 * ------------------------------------------------------------------------ */

/* arg is the reason */
static const char *
check_archive(void *arg, const PoolLead *lead)
{
	const PoolTerm *term;

	if (pool_lead_is_closed(lead))
		return "already_closed";
	return pool_term_find(pool_config_pool(lead->pool_id), POOL_TERM_ARCHIVE,
						  PointerGetDatum(arg), &term) ?
		NULL : "reason_unknown";
}

static const char *
check_reopen(void *arg, const PoolLead *lead)
{
	return pool_lead_is_closed(lead) ? NULL : "not_closed";
}

static const char *
check_move(void *arg, const PoolLead *lead)
{
	return lead->status == POOL_AVAILABLE ? NULL : "not_available";
}

/* The lead of this item is archived, or erased: row, event, counters. */
void
pool_archive_one(PoolBatch *batch, PoolBatchItem *item, PoolEvent *event)
{
	PoolWork   *work = batch->call->work;
	PoolLead   *lead = &item->lead;
	PoolDetail	detail;
	PoolData	data;

	pool_batch_open(batch, item, &data);
	event->at = pool_lead_time(lead, batch->now);
	event->member_id = lead->owner_id;
	pool_detail_begin(&detail);
	pool_detail_datum(&detail, "from",
					  CStringGetTextDatum(pool_status_name(lead->status)));
	event->detail = pool_detail_end(&detail);
	if (lead->owner_id != 0)
	{
		pool_collaborators_end(work, lead->id);
		pool_quota_lose(batch->set, pool_batch_quota(batch, lead->pool_id,
													 lead->owner_id));
	}
	if (pool_lead_is_closed(lead))
		pool_lead_seal(pool_work_table(work, POOL_LEAD_STATE), lead);
	else
		pool_lead_close(pool_work_table(work, POOL_LEAD_STATE), lead,
						POOL_ARCHIVED, event->at);
	pool_event_append(work, event, lead, &data);
}

/*
 * A locked lead goes to another pool, or comes back from being closed: row and
 * event, whose time is set.
 */
void
pool_requeue(PoolWork *work, PoolLead *lead, int32 pool_id, PoolEvent *event)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolDetail	detail;
	PoolData	data;

	pool_open_lead(work, lead, &data);
	pool_detail_begin(&detail);
	if (lead->status != POOL_AVAILABLE)
		pool_detail_datum(&detail, "from",
						  CStringGetTextDatum(pool_status_name(lead->status)));
	pool_detail_from_pool(&detail, lead->pool_id, pool_id, event->at);
	event->detail = pool_detail_end(&detail);
	if (lead->status == POOL_AVAILABLE)
		pool_lead_move(leads, lead, pool_id, event->at);
	else
		pool_lead_reopen(leads, lead, pool_id, event->at);
	pool_event_append(work, event, lead, &data);
}

/*
 * Names the counters of those who may get a converted lead back that is
 * reopened in its own pool.
 */
static void
add_keepers(PoolBatch *batch, const PoolConf *to_pool)
{
	for (int i = 0; i < batch->n; i++)
	{
		const PoolLead *lead = &batch->items[i].lead;

		if (batch->items[i].outcome == NULL &&
			(to_pool == NULL || to_pool->id == lead->pool_id) &&
			pool_again_keeps(lead, pool_now()))
			pool_quota_add(batch->set, lead->pool_id, lead->last_owner_id,
						   true);
	}
}

/* What a call does to each of its leads. */
typedef struct Change
{
	PoolActor	actor;
	const char *kind;			/* of the events; the outcome, too */
	PoolBatchCheck check;
	const PoolConf *to_pool;	/* NULL = the lead's own */
	Datum		reason;			/* 0 = NULL */
	void		(*apply) (PoolBatch *batch, PoolBatchItem *item,
						  const struct Change *c, PoolEvent *event);
} Change;

/* Why the locked lead is not changed after all; NULL if it is. */
static const char *
refuse_change(PoolBatch *batch, const PoolBatchItem *item, const Change *c)
{
	PoolCall   *call = batch->call;

	if (c->to_pool != NULL && c->to_pool->tenant_id != item->lead.tenant_id)
		return "not_found";
	/* an erased lead stays closed */
	if (c->check == check_reopen)
		return pool_data_is_erased(pool_work_table(call->work,
												   POOL_LEAD_DATA),
								   item->id) ? "not_found" : NULL;
	return pool_approval_needed(call->work, &c->actor, call->function,
								&item->lead, batch->now) ? "approval" : NULL;
}

static void
change_lead(PoolBatch *batch, PoolBatchItem *item, const Change *c)
{
	PoolEvent	event = {.kind = c->kind,.reason = c->reason,
	.actor_id = c->actor.member_id};

	if (item->outcome == NULL)
		item->outcome = refuse_change(batch, item, c);
	if (item->outcome != NULL)
	{
		pool_batch_emit(batch, item, item->outcome);
		return;
	}
	event.at = pool_lead_time(&item->lead, batch->now);
	c->apply(batch, item, c, &event);
	pool_batch_emit(batch, item, c->kind);
}

/*
 * Common course of the three: the actor manages the pools, the leads are
 * locked, those that nothing speaks against are changed.
 */
static Datum
change_leads(PoolCall *call, const Change *c, int request_argno)
{
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, request_argno, c->actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &c->actor, ids, n, c->check,
							 DatumGetPointer(c->reason));
	pool_batch_require_manager(batch, c->to_pool);
	pool_batch_lock_leads(batch);
	pool_batch_require_manager(batch, c->to_pool);
	pool_batch_add_owners(batch);
	if (c->check == check_reopen)
		add_keepers(batch, c->to_pool);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < n; i++)
		change_lead(batch, &batch->items[i], c);
	return pool_batch_end(batch);
}

static void
apply_archive(PoolBatch *batch, PoolBatchItem *item, const Change *c,
			  PoolEvent *event)
{
	pool_archive_one(batch, item, event);
}

/*
 * pool.archive(leads, reason, actor, request_id)
 */
Datum
pool_archive(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "archive");
	Change		c = {.actor = pool_resolve_actor(fcinfo, 2),
		.kind = "archived",.check = check_archive,
	.apply = apply_archive};

	(void) pool_arg_text(call, 1, "reason");
	c.reason = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH, "reason");
	return change_leads(call, &c, 3);
}

/* The lead comes back: into a pool, or to its last owner if he may have it. */
static void
apply_reopen(PoolBatch *batch, PoolBatchItem *item, const Change *c,
			 PoolEvent *event)
{
	const PoolConf *to_pool = c->to_pool;
	PoolLead   *lead = &item->lead;
	int32		keeper_id = 0;

	if ((to_pool == NULL || to_pool->id == lead->pool_id) &&
		pool_again_keeps(lead, batch->now) &&
		pool_quota_get(batch->set, lead->pool_id, lead->last_owner_id) != NULL)
		keeper_id = lead->last_owner_id;
	pool_requeue(batch->call->work, lead,
				 to_pool != NULL ? to_pool->id : lead->pool_id, event);
	if (keeper_id == 0)
		return;
	CommandCounterIncrement();
	(void) pool_assign_at_entry(batch->call->work, batch->set, item->id,
								keeper_id, batch->actor->member_id,
								batch->now);
}

/*
 * pool.reopen(leads, to_pool, actor, request_id)
 */
Datum
pool_reopen(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "reopen");
	Change		c = {.actor = pool_resolve_actor(fcinfo, 2),
		.kind = "reopened",.check = check_reopen,
	.apply = apply_reopen};

	c.to_pool = pool_arg_pool(call, 1);
	return change_leads(call, &c, 3);
}

static void
apply_move(PoolBatch *batch, PoolBatchItem *item, const Change *c,
		   PoolEvent *event)
{
	pool_requeue(batch->call->work, &item->lead, c->to_pool->id, event);
}

/*
 * pool.move(leads, to_pool, actor, request_id)
 */
Datum
pool_move(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "move");
	Change		c = {.actor = pool_resolve_actor(fcinfo, 2),
		.kind = "moved",.check = check_move,
	.apply = apply_move};

	(void) pool_arg_text(call, 1, "to_pool");
	c.to_pool = pool_arg_pool(call, 1);
	return change_leads(call, &c, 3);
}
