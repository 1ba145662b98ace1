/*
 * hide.c
 *	  Leads that wait for a while: hidden from claims by managers, protected
 *	  from timers by their owners.
 *
 * Time ends both by itself.  A lead reserved for whoever asked to claim it
 * (approval.c) or is reading it (lease.c) is hidden too, but a manager does
 * not end that here.
 */
#include "compat.h"
#include "batch.h"

#include "due.h"
#include "intake.h"
#include "miscadmin.h"
#include "release.h"
#include "request.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_hide);
PG_FUNCTION_INFO_V1(pool_unhide);
PG_FUNCTION_INFO_V1(pool_protect);
PG_FUNCTION_INFO_V1(pool_unprotect);

/* How many leads an owner protects in a pool, this call's included. */
typedef struct Protecting
{
	int32		pool_id;
	int32		owner_id;
	int32		n;
} Protecting;

/* What one call does to each of its leads. */
typedef struct Holding
{
	PoolActor	actor;
	TimestampTz until;			/* DT_NOEND = for good, NO_TIME = not said */
	Interval   *span;			/* instead of until; NULL = none */
	Datum		reason;
	List	   *protecting;		/* of Protecting */
} Holding;

/* Leaves word of it: until when, unless it is for good or over. */
static void
append_event(PoolBatch *batch, PoolBatchItem *item, const PoolData *data,
			 const char *kind, const Holding *h, TimestampTz until)
{
	PoolEvent	event = {.kind = kind,.reason = h->reason,
	.actor_id = h->actor.member_id,.member_id = item->lead.owner_id};
	PoolDetail	detail;

	event.at = pool_lead_time(&item->lead, batch->now);
	pool_detail_begin(&detail);
	if (until != DT_NOEND)
		pool_detail_time(&detail, "until", until);
	event.detail = pool_detail_end(&detail);
	pool_event_append(batch->call->work, &event, &item->lead, data);
}

static Datum
arg_reason(PoolCall *call, int argno)
{
	return pool_arg_short(call, argno, POOL_MAX_LABEL_LENGTH, "reason");
}

/* The end that is asked for; infinity = for good. */
static TimestampTz
arg_until(FunctionCallInfo fcinfo, TimestampTz otherwise)
{
	TimestampTz until;

	if (PG_ARGISNULL(1))
		return otherwise;
	until = PG_GETARG_TIMESTAMPTZ(1);
	if (until != DT_NOEND)
		pool_check_time(until, "until");
	return until;
}

static void
check_future(TimestampTz until, TimestampTz now)
{
	if (until > now)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the end must be in the future"),
			 errdetail("It is over already."),
			 errhint("Name a later one, or leave it out.")));
}

typedef const char *(*HoldOne) (PoolBatch *batch, PoolBatchItem *item,
								Holding *h);

/* Emits what each lead, locked with its owner's counters, comes to. */
static Datum
hold_all(PoolBatch *batch, HoldOne one, Holding *h)
{
	pool_batch_add_owners(batch);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		pool_batch_emit(batch, item, item->outcome != NULL ?
						item->outcome : one(batch, item, h));
	}
	return pool_batch_end(batch);
}

/* ------------------------------------------------------------------------
 * hide, unhide: available leads, by managers
 * ------------------------------------------------------------------------ */

static const char *
check_hide(void *arg, const PoolLead *lead)
{
	if (lead->status != POOL_AVAILABLE)
		return "not_available";
	return lead->reserved_for != 0 && lead->hidden_until > pool_now() ?
		"reserved" : NULL;
}

static const char *
hide_one(PoolBatch *batch, PoolBatchItem *item, Holding *h)
{
	PoolData	data;

	check_future(h->until, batch->now);
	pool_batch_open(batch, item, &data);
	pool_lead_hide(pool_work_table(batch->call->work, POOL_LEAD_STATE),
				   &item->lead, h->until, 0);
	append_event(batch, item, &data, "hidden", h, h->until);
	return "hidden";
}

static const char *
unhide_one(PoolBatch *batch, PoolBatchItem *item, Holding *h)
{
	PoolData	data;

	if (item->lead.hidden_until <= batch->now)
		return "not_hidden";
	pool_batch_open(batch, item, &data);
	pool_lead_hide(pool_work_table(batch->call->work, POOL_LEAD_STATE),
				   &item->lead, POOL_NO_TIME, 0);
	append_event(batch, item, &data, "unhidden", h, POOL_NO_TIME);
	return "unhidden";
}

/* Whether a lead is hidden is the business of its pool's managers. */
static Datum
hide_leads(PoolCall *call, Holding *h, HoldOne one, int request_argno)
{
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, request_argno, h->actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &h->actor, ids, n, check_hide, NULL);
	pool_batch_require_manager(batch, NULL);
	pool_batch_lock_leads(batch);
	pool_batch_require_manager(batch, NULL);
	return hold_all(batch, one, h);
}

/*
 * pool.hide(leads, until, reason, actor, request_id)
 */
Datum
pool_hide(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "hide");
	Holding		h = {.actor = pool_resolve_actor(fcinfo, 3)};

	h.until = arg_until(fcinfo, DT_NOEND);
	h.reason = arg_reason(call, 2);
	return hide_leads(call, &h, hide_one, 4);
}

/*
 * pool.unhide(leads, reason, actor, request_id)
 */
Datum
pool_unhide(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "unhide");
	Holding		h = {.actor = pool_resolve_actor(fcinfo, 2)};

	h.reason = arg_reason(call, 1);
	return hide_leads(call, &h, unhide_one, 3);
}

/* ------------------------------------------------------------------------
 * protect, unprotect: owned leads, by their owners or managers
 * ------------------------------------------------------------------------ */

static const char *
check_protect(void *arg, const PoolLead *lead)
{
	const Holding *h = arg;

	if (lead->status != POOL_OWNED)
		return "not_owner";
	return lead->owner_id == h->actor.member_id ||
		pool_actor_manages(&h->actor, lead->pool_id) ? NULL : "not_owner";
}

/*
 * As it is now, whatever the isolation level: the owner's lock, which is held,
 * is not written, so that an old snapshot would not be noticed.
 */
static int32
count_protected(PoolWork *work, const PoolLead *lead, TimestampTz now)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	Relation	index = pool_work_index(leads, POOL_LEAD_STATE_OWNER);
	PoolKey		keys[2] = {pool_key_int4(lead->pool_id),
	pool_key_int4(lead->owner_id)};
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = pool_index_scan(leads->rel, index, snapshot, keys, 2);
	int32		n = 0;

	while (index_getnext_slot(scan, ForwardScanDirection, leads->old))
	{
		bool		isnull;
		Datum		until = slot_getattr(leads->old,
										 LEAD_STATE_PROTECTED_UNTIL, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (!isnull && DatumGetTimestampTz(until) > now)
			n++;
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return n;
}

/* Counted once for each owner, whose counters are locked. */
static Protecting *
protecting_of(PoolBatch *batch, Holding *h, const PoolLead *lead)
{
	Protecting *found;
	ListCell   *lc;

	foreach(lc, h->protecting)
	{
		found = lfirst(lc);
		if (found->pool_id == lead->pool_id &&
			found->owner_id == lead->owner_id)
			return found;
	}
	found = palloc(sizeof(Protecting));
	found->pool_id = lead->pool_id;
	found->owner_id = lead->owner_id;
	found->n = count_protected(batch->call->work, lead, batch->now);
	h->protecting = lappend(h->protecting, found);
	return found;
}

/* Until when: as asked for, else as long as the pool allows. */
static TimestampTz
protection_end(const Holding *h, const PoolConf *pool, TimestampTz now)
{
	if (h->span != NULL)
		return pool_time_add(now, h->span, pool->zone);
	if (h->until != POOL_NO_TIME)
		return h->until;
	if (pool->protect_for != NULL)
		return pool_time_add(now, pool->protect_for, pool->zone);
	return DT_NOEND;
}

static const char *
protect_one(PoolBatch *batch, PoolBatchItem *item, Holding *h)
{
	PoolLead   *lead = &item->lead;
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	TimestampTz until = protection_end(h, pool, batch->now);
	Protecting *protecting = NULL;
	PoolData	data;

	check_future(until, batch->now);
	if (pool->protect_for != NULL &&
		until > pool_time_add(batch->now, pool->protect_for, pool->zone))
		return "too_long";
	if (pool->protect_limit != POOL_NO_LIMIT &&
		lead->protected_until <= batch->now)
	{
		protecting = protecting_of(batch, h, lead);
		if (protecting->n >= pool->protect_limit)
			return "limit";
		protecting->n++;
	}
	pool_batch_open(batch, item, &data);
	lead->protected_until = until;
	lead->check_at = pool_due_check_at(lead);	/* it may end earlier now */
	pool_lead_note(pool_work_table(batch->call->work, POOL_LEAD_STATE), lead);
	append_event(batch, item, &data, "protected", h, until);
	return "protected";
}

static const char *
unprotect_one(PoolBatch *batch, PoolBatchItem *item, Holding *h)
{
	PoolLead   *lead = &item->lead;
	PoolData	data;

	if (lead->protected_until <= batch->now)
		return "not_protected";
	pool_batch_open(batch, item, &data);
	lead->protected_until = POOL_NO_TIME;
	lead->check_at = pool_due_check_at(lead);
	pool_lead_note(pool_work_table(batch->call->work, POOL_LEAD_STATE), lead);
	append_event(batch, item, &data, "unprotected", h, POOL_NO_TIME);
	return "unprotected";
}

static Datum
protect_leads(PoolCall *call, Holding *h, HoldOne one, int request_argno)
{
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, request_argno, h->actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &h->actor, ids, n, check_protect, h);
	pool_batch_lock_leads(batch);
	return hold_all(batch, one, h);
}

/*
 * pool.protect(leads, until, span, reason, member, request_id)
 */
Datum
pool_protect(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "protect");
	Holding		h = {.actor = pool_resolve_actor(fcinfo, 4)};

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments \"until\" and \"span\" exclude each other"),
				 errdetail("Both say when the protection ends."),
				 errhint("Name the end or the length.")));
	h.until = arg_until(fcinfo, POOL_NO_TIME);
	h.span = PG_ARGISNULL(2) ? NULL : PG_GETARG_INTERVAL_P(2);
	h.reason = arg_reason(call, 3);
	return protect_leads(call, &h, protect_one, 5);
}

/*
 * pool.unprotect(leads, reason, member, request_id)
 */
Datum
pool_unprotect(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "unprotect");
	Holding		h = {.actor = pool_resolve_actor(fcinfo, 2)};

	h.reason = arg_reason(call, 1);
	return protect_leads(call, &h, unprotect_one, 3);
}
