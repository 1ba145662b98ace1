/*
 * batch.c
 *	  One operation over many leads.
 *
 * Every lead is first judged as it is, without a lock, so that what is refused
 * anyway is not locked.  Then either the leads are locked in ascending order,
 * waiting, and the counters after them (operations that start from the lead),
 * or the counters first and each lead without waiting (those that start from
 * the member).  Each lead is judged again when it is locked.
 */
#include "compat.h"
#include "batch.h"

#include "group.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"
#include "visible.h"

static void
judge(PoolBatch *batch, PoolBatchItem *item)
{
	item->seen = pool_actor_sees(batch->actor, item->lead.tenant_id);
	item->outcome = item->seen ?
		batch->check(batch->arg, &item->lead) : "not_found";
}

/* Reads and judges all leads. */
PoolBatch *
pool_batch_begin(PoolCall *call, const PoolActor *actor, const int64 *ids,
				 int n, PoolBatchCheck check, void *arg)
{
	PoolBatch  *batch = palloc0(sizeof(PoolBatch));
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);

	batch->call = call;
	batch->actor = actor;
	batch->check = check;
	batch->arg = arg;
	batch->set = pool_quota_begin(call->work, call->snapshot);
	batch->n = n;
	batch->items = palloc0(Max(n, 1) * sizeof(PoolBatchItem));
	for (int i = 0; i < n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		item->id = ids[i];
		if (pool_lead_peek(leads, item->id, pool_snapshot(), &item->lead))
			judge(batch, item);
		else
			item->outcome = "not_found";
	}
	return batch;
}

/*
 * Raises PO005 unless the actor manages the pools of all leads he may see, and
 * the one they are to go to (NULL: they stay).
 */
void
pool_batch_require_manager(PoolBatch *batch, const PoolConf *to_pool)
{
	for (int i = 0; i < batch->n; i++)
		if (batch->items[i].seen)
			pool_require_manager(batch->actor, batch->items[i].lead.pool_id);
	if (to_pool != NULL)
		pool_require_manager(batch->actor, to_pool->id);
}

/* Locks the lead of an item that nothing speaks against, and judges again. */
void
pool_batch_lock_one(PoolBatch *batch, PoolBatchItem *item, bool wait)
{
	PoolTable  *leads = pool_work_table(batch->call->work, POOL_LEAD_STATE);

	if (item->outcome != NULL)
		return;
	switch (pool_lead_lock(leads, item->id, batch->call->snapshot, wait,
						   &item->lead))
	{
		case POOL_LEAD_LOCKED:
			judge(batch, item);
			break;
		case POOL_LEAD_BUSY:
			item->outcome = "contended";
			break;
		case POOL_LEAD_MISSING:
			item->outcome = "not_found";
			break;
	}
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = (*(PoolBatchItem *const *) a)->id;
	int64		y = (*(PoolBatchItem *const *) b)->id;

	return x < y ? -1 : x > y;
}

/*
 * Locks the leads, ascending.  Waits for whoever holds one, unless this
 * transaction holds counters: then waiting might be for ever.
 */
void
pool_batch_lock_leads(PoolBatch *batch)
{
	PoolBatchItem **sorted = palloc(Max(batch->n, 1) * sizeof(PoolBatchItem *));
	bool		wait = !pool_quota_any_held();

	for (int i = 0; i < batch->n; i++)
		sorted[i] = &batch->items[i];
	qsort(sorted, batch->n, sizeof(PoolBatchItem *), compare_ids);
	for (int i = 0; i < batch->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pool_batch_lock_one(batch, sorted[i], wait);
	}
	pfree(sorted);
}

/* Whether the item's lead is one of a group that is going to lose it. */
static bool
leaves_group(const PoolBatchItem *item)
{
	return item->outcome == NULL && item->lead.owner_id != 0 &&
		item->lead.group_id != 0;
}

/* Leads of groups that others hold are not to be had now. */
static void
try_groups(PoolBatch *batch)
{
	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		if (leaves_group(item) &&
			pool_group_try(batch->call->work, item->lead.group_id,
						   item->lead.owner_id) == POOL_GROUP_BUSY)
			item->outcome = "contended";
	}
}

static void
lock_groups(PoolBatch *batch)
{
	int64	   *ids = palloc(Max(batch->n, 1) * sizeof(int64));
	int			n = 0;

	for (int i = 0; i < batch->n; i++)
		if (leaves_group(&batch->items[i]))
			ids[n++] = batch->items[i].lead.group_id;
	pool_group_lock(batch->call->work, ids, n);
	pfree(ids);
}

/*
 * Locks the counters named with pool_quota_add, then the groups of owned
 * leads, and then asks for the time.
 */
void
pool_batch_lock_counters(PoolBatch *batch)
{
	pool_quota_lock(batch->set);
	if (batch->tries_groups)
		try_groups(batch);
	else
		lock_groups(batch);
	batch->now = pool_now();
}

/* Makes a locked lead ready to be changed, and reads its data. */
void
pool_open_lead(PoolWork *work, PoolLead *lead, PoolData *data)
{
	pool_lead_reload(pool_work_table(work, POOL_LEAD_STATE), lead);
	pool_data_get(pool_work_table(work, POOL_LEAD_DATA), lead->id, data);
}

void
pool_batch_open(PoolBatch *batch, PoolBatchItem *item, PoolData *data)
{
	pool_open_lead(batch->call->work, &item->lead, data);
}

/* The locked counters of a member in a pool; they must have been named. */
PoolQuota *
pool_batch_quota(PoolBatch *batch, int32 pool_id, int32 member_id)
{
	PoolQuota  *quota = pool_quota_get(batch->set, pool_id, member_id);

	if (quota == NULL)
		elog(ERROR, "counters of member %d in pool %d are not locked",
			 member_id, pool_id);
	return quota;
}

/*
 * One row: outcome, lead_id, key.  A refusal tells the key only to whoever may
 * know of the lead.
 */
void
pool_batch_emit(PoolBatch *batch, PoolBatchItem *item, const char *outcome)
{
	PoolCall   *call = batch->call;
	bool		show = item->outcome == NULL ||
	(item->seen && pool_lead_key_visible(batch->call->work, &item->lead));
	PoolData	data;

	pool_put_text(call, 0, outcome);
	pool_put(call, 1, Int64GetDatum(item->id));
	if (show &&
		pool_data_read(pool_work_table(call->work, POOL_LEAD_DATA), item->id,
					   pool_snapshot(), &data))
		pool_put_datum(call, 2, data.key);
	pool_call_row(call);
}

/* A lead has come back with this event. */
void
pool_batch_note(PoolBatch *batch, int64 event_id)
{
	PoolReclaims *reclaims = batch->reclaims;

	if (reclaims == NULL)
		return;
	if (reclaims->n++ == 0)
		reclaims->first_event = event_id;
	reclaims->last_event = event_id;
}

Datum
pool_batch_end(PoolBatch *batch)
{
	pool_quota_write(batch->set);
	return pool_call_end(batch->call);
}
