/*
 * lease.c
 *	  Members keep leads for themselves while they look at them: reserve,
 *	  unreserve.
 *
 * The columns are those of a lead reserved by a request (approval.c), which
 * claims pass over: a lease is one that no open request answers for.  The clock
 * ends it, and nothing has to be written then: hidden_until is over.
 *
 * reserve starts from the member, as a claim does, so that his leases are
 * counted under his lock; unreserve starts from the lead.
 */
#include "compat.h"
#include "approval.h"
#include "batch.h"

#include "claim_test.h"
#include "intake.h"
#include "miscadmin.h"
#include "request.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_reserve_leads);
PG_FUNCTION_INFO_V1(pool_unreserve_leads);

/* columns of reserve() */
enum
{
	OUTCOME, LEAD_ID_COLUMN, KEY, UNTIL, RETRY_AT
};

/* What the member keeps in a pool, this call's leases included. */
typedef struct Leases
{
	int32		pool_id;
	int32		n;
	TimestampTz first_end;		/* POOL_NO_TIME = none */
} Leases;

/* One call. */
typedef struct Leasing
{
	PoolCall   *call;
	PoolClaimCase c;
	Interval   *span;			/* NULL = as long as the pool lets him */
	List	   *leases;			/* of Leases */
} Leasing;

static bool
is_his_lease(PoolWork *work, const PoolLead *lead, int32 member_id,
			 TimestampTz now)
{
	return lead->status == POOL_AVAILABLE && lead->reserved_for == member_id &&
		lead->hidden_until > now && !pool_approval_reserves(work, lead);
}

static void
append_event(PoolWork *work, PoolLead *lead, const PoolData *data,
			 const char *kind, int32 member_id, TimestampTz now)
{
	PoolEvent	event = {.kind = kind,.member_id = member_id,
	.actor_id = member_id};
	PoolDetail	detail;

	event.at = pool_lead_time(lead, now);
	pool_detail_begin(&detail);
	pool_detail_time(&detail, "until", lead->hidden_until);
	event.detail = pool_detail_end(&detail);
	pool_event_append(work, &event, lead, data);
}

/* ------------------------------------------------------------------------
 * reserve
 * ------------------------------------------------------------------------ */

static void
count_lease(Leases *leases, TimestampTz end)
{
	leases->n++;
	if (leases->first_end == POOL_NO_TIME || end < leases->first_end)
		leases->first_end = end;
}

/*
 * As they are now, whatever the isolation level: the member's lock, which is
 * held, is not written, so that an old snapshot would not be noticed.
 */
static void
read_leases(Leasing *l, Leases *leases)
{
	PoolTable  *leads = pool_work_table(l->c.work, POOL_LEAD_STATE);
	PoolKey		keys[2] = {pool_key_int4(leases->pool_id),
	pool_key_int4(l->c.member->id)};
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan;

	scan = pool_index_scan(leads->rel,
						   pool_work_index(leads, POOL_LEAD_STATE_RESERVED),
						   snapshot, keys, 2);
	while (index_getnext_slot(scan, ForwardScanDirection, leads->old))
	{
		PoolLead	lead;

		CHECK_FOR_INTERRUPTS();
		pool_lead_read(leads, &lead);
		if (is_his_lease(l->c.work, &lead, l->c.member->id, l->c.now))
			count_lease(leases, lead.hidden_until);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
}

static Leases *
leases_in(Leasing *l, int32 pool_id)
{
	Leases	   *found;
	ListCell   *lc;

	foreach(lc, l->leases)
	{
		found = lfirst(lc);
		if (found->pool_id == pool_id)
			return found;
	}
	found = palloc0(sizeof(Leases));
	found->pool_id = pool_id;
	found->first_end = POOL_NO_TIME;
	read_leases(l, found);
	l->leases = lappend(l->leases, found);
	return found;
}

/* Until when the pool lets him keep it; false if he asks for more. */
static bool
find_end(const Leasing *l, TimestampTz *until)
{
	const PoolConf *pool = l->c.pool;
	TimestampTz longest = pool_time_add(l->c.now, pool->reserve_for,
										pool->zone);

	*until = l->span == NULL ? longest :
		pool_time_add(l->c.now, l->span, pool->zone);
	return *until <= longest;
}

/*
 * The locked lead, which he might claim, becomes his lease; NULL, or why not.
 * Where it is one already, or he need not reserve it, nothing changes.
 */
static const char *
lease_lead(Leasing *l, PoolLead *lead, PoolBound *bound)
{
	PoolTable  *leads = pool_work_table(l->c.work, POOL_LEAD_STATE);
	const PoolConf *pool = l->c.pool;
	Leases	   *leases;
	TimestampTz until;
	PoolData	data;

	if (lead->reserved_for == l->c.member->id &&
		lead->hidden_until > l->c.now)
		return NULL;
	if (!find_end(l, &until))
		return "too_long";
	/* it reads into the slot of the lead, which is opened again below */
	leases = leases_in(l, pool->id);
	if (pool->reserve_limit != POOL_NO_LIMIT &&
		leases->n >= pool->reserve_limit)
	{
		bound->limit = pool->reserve_limit;
		bound->used = leases->n;
		bound->retry_at = leases->first_end;
		return "limit";
	}
	pool_open_lead(l->c.work, lead, &data);
	pool_lead_hide(leads, lead, until, l->c.member->id);
	append_event(l->c.work, lead, &data, "reserved", l->c.member->id,
				 l->c.now);
	count_lease(leases, until);
	return NULL;
}

/* Judges the lead as a claim would, locks it and judges it again. */
static const char *
reserve_one(Leasing *l, PoolLead *lead, int64 id, PoolBound *bound)
{
	const char *outcome = pool_claim_judge(&l->c, lead, bound);

	if (outcome != NULL)
		return outcome;
	if (pool_lead_lock(pool_work_table(l->c.work, POOL_LEAD_STATE), id,
					   l->call->snapshot, false, lead) != POOL_LEAD_LOCKED)
		return "contended";
	outcome = pool_claim_judge(&l->c, lead, bound);
	return outcome != NULL ? outcome : lease_lead(l, lead, bound);
}

/*
 * Reserves the lead if he may have it, and emits its row.  The lead stays in the
 * pool, so its key is for those from whom it is not masked.
 */
static void
reserve_and_emit(Leasing *l, int64 id)
{
	PoolCall   *call = l->call;
	PoolBound	bound = POOL_NO_BOUND;
	const char *outcome = "not_found";
	PoolLead	lead;
	PoolData	data;
	bool		found = pool_claim_peek(&l->c, id, &lead);

	if (found)
		outcome = reserve_one(l, &lead, id, &bound);
	pool_put_text(call, OUTCOME, outcome != NULL ? outcome : "reserved");
	pool_put(call, LEAD_ID_COLUMN, Int64GetDatum(id));
	if (found && pool_lead_key_visible(call->work, &lead) &&
		pool_data_read(pool_work_table(call->work, POOL_LEAD_DATA), id,
					   pool_snapshot(), &data))
		pool_put_datum(call, KEY, data.key);
	if (outcome == NULL)
		pool_put_time(call, UNTIL, lead.hidden_until);
	else
		pool_put_bound(call, RETRY_AT, &bound);
	pool_call_row(call);
}

static Interval *
arg_span(FunctionCallInfo fcinfo, int argno)
{
	Interval   *span;

	if (PG_ARGISNULL(argno))
		return NULL;
	span = PG_GETARG_INTERVAL_P(argno);
	pool_check_span(span, "for_time");
	return span;
}

/*
 * pool.reserve(leads, for_time, member, request_id)
 */
Datum
pool_reserve_leads(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "reserve");
	Leasing		l = {.call = call,.c = {.work = call->work}};
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	l.span = arg_span(fcinfo, 1);
	l.c.member = pool_resolve_self(fcinfo, 2);
	if (pool_request_replay(call, 3, l.c.member->tenant_id))
		return pool_call_end(call);
	pool_claim_lock_counters(&l.c, call->snapshot, ids, n);
	for (int i = 0; i < n; i++)
		reserve_and_emit(&l, ids[i]);
	pool_quota_write(l.c.set);
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * unreserve
 * ------------------------------------------------------------------------ */

static const char *
check_reserved(void *arg, const PoolLead *lead)
{
	const PoolMemberConf *member = arg;

	return lead->status == POOL_AVAILABLE &&
		lead->reserved_for == member->id ? NULL : "not_reserved";
}

static const char *
unreserve_one(PoolBatch *batch, PoolBatchItem *item, int32 member_id)
{
	PoolWork   *work = batch->call->work;
	PoolData	data;

	if (!is_his_lease(work, &item->lead, member_id, batch->now))
		return "not_reserved";
	pool_batch_open(batch, item, &data);
	append_event(work, &item->lead, &data, "unreserved", member_id,
				 batch->now);
	pool_lead_hide(pool_work_table(work, POOL_LEAD_STATE), &item->lead,
				   POOL_NO_TIME, 0);
	return "unreserved";
}

/*
 * pool.unreserve(leads, member, request_id)
 */
Datum
pool_unreserve_leads(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "unreserve");
	const PoolMemberConf *member;
	PoolActor	actor;
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	member = pool_resolve_self(fcinfo, 1);
	actor = (PoolActor)
	{
		member->id, member->tenant_id
	};
	if (pool_request_replay(call, 2, member->tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, ids, n, check_reserved,
							 (void *) member);
	pool_batch_lock_leads(batch);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		/* as an outcome of the item: the key is for whom it is not masked */
		if (item->outcome == NULL)
			item->outcome = unreserve_one(batch, item, member->id);
		pool_batch_emit(batch, item, item->outcome);
	}
	return pool_batch_end(batch);
}
