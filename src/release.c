/*
 * release.c
 *	  Leads return to a pool: release by the owner, reclaim by a manager.
 *
 * Reclaims by time go the same way, through pool_give_back.
 */
#include "release.h"

#include "errors.h"
#include "request.h"

PG_FUNCTION_INFO_V1(pool_release);
PG_FUNCTION_INFO_V1(pool_reclaim);

/*
 * The owned and locked lead of this item returns to to_pool (NULL: its own):
 * row, event, counters.
 */
void
pool_give_back(PoolBatch *batch, PoolBatchItem *item, const PoolConf *to_pool,
			   PoolEvent *event)
{
	PoolWork   *work = batch->call->work;
	PoolLead   *lead = &item->lead;
	int32		pool_id = to_pool != NULL ? to_pool->id : lead->pool_id;
	PoolQuota  *quota = pool_batch_quota(batch, lead->pool_id,
										 lead->owner_id);
	PoolDetail	detail;
	PoolData	data;

	pool_batch_open(batch, item, &data);
	event->at = pool_lead_time(lead, batch->now);
	pool_detail_begin(&detail);
	pool_detail_from_pool(&detail, lead->pool_id, pool_id, event->at);
	if (lead->follow_ups > 0)
		pool_detail_true(&detail, "answered");
	event->member_id = lead->owner_id;
	event->detail = pool_detail_end(&detail);
	pool_lead_give_back(pool_work_table(work, POOL_LEAD_STATE), lead,
						pool_id, event->at);
	pool_batch_note(batch, pool_event_append(work, event, lead, &data));
	pool_quota_lose(batch->set, quota);
}

/* Names the counters of the owners of all leads that are to go. */
void
pool_batch_add_owners(PoolBatch *batch)
{
	for (int i = 0; i < batch->n; i++)
	{
		PoolLead   *lead = &batch->items[i].lead;

		if (batch->items[i].outcome == NULL && lead->owner_id != 0)
			pool_quota_add(batch->set, lead->pool_id, lead->owner_id, false);
	}
}

/* Gives back what nothing speaks against, and emits the rows. */
static Datum
give_back_all(PoolBatch *batch, const char *kind, const PoolConf *to_pool,
			  Datum reason)
{
	pool_batch_add_owners(batch);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];
		PoolEvent	event = {.kind = kind,.reason = reason};

		if (item->outcome == NULL && to_pool != NULL &&
			to_pool->tenant_id != item->lead.tenant_id)
			item->outcome = "not_found";
		if (item->outcome == NULL)
		{
			event.actor_id = batch->actor->member_id;
			pool_give_back(batch, item, to_pool, &event);
			pool_batch_emit(batch, item, kind);
		}
		else
			pool_batch_emit(batch, item, item->outcome);
	}
	return pool_batch_end(batch);
}

static const char *
check_release(void *arg, const PoolLead *lead)
{
	const PoolActor *actor = arg;

	return lead->status == POOL_OWNED && lead->owner_id == actor->member_id ?
		NULL : "not_owner";
}

/*
 * Who may send his leads into this pool: whoever belongs to it, a viewer too,
 * or manages one above it; PO003 for others.  In a pool of another tenant
 * there are no leads of his anyway.
 */
static void
require_belonging(const PoolActor *actor, const PoolConf *pool)
{
	if (pool->tenant_id != actor->tenant_id ||
		pool_config_membership(pool->id, actor->member_id)->role !=
		POOL_ROLE_NONE || pool_actor_manages(actor, pool->id))
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_NOT_MEMBER),
			 errmsg("member \"%s\" does not belong to pool \"%s\"",
					pool_config_member(actor->member_id)->key, pool->name),
			 errdetail("Releasing leads into another pool needs a membership there, of any role."),
			 errhint("INSERT INTO pool.membership, with role viewer where he is to take none.")));
}

/*
 * pool.release(leads, reason, to_pool, member, request_id)
 */
Datum
pool_release(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "release");
	const PoolMemberConf *member = pool_resolve_self(fcinfo, 3);
	PoolActor	actor = {member->id, member->tenant_id};
	const PoolConf *to_pool = pool_arg_pool(call, 2);
	Datum		reason = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH,
										"reason");
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, 4, member->tenant_id))
		return pool_call_end(call);
	if (to_pool != NULL)
		require_belonging(&actor, to_pool);
	batch = pool_batch_begin(call, &actor, ids, n, check_release, &actor);
	pool_batch_lock_leads(batch);
	return give_back_all(batch, "released", to_pool, reason);
}

static const char *
check_reclaim(void *arg, const PoolLead *lead)
{
	return lead->status == POOL_OWNED ? NULL : "not_owned";
}

/*
 * pool.reclaim(leads, reason, to_pool, actor, request_id)
 */
Datum
pool_reclaim(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "reclaim");
	PoolActor	actor = pool_resolve_actor(fcinfo, 3);
	const PoolConf *to_pool = pool_arg_pool(call, 2);
	Datum		reason = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH,
										"reason");
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, 4, actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, ids, n, check_reclaim, NULL);
	pool_batch_require_manager(batch, to_pool);
	pool_batch_lock_leads(batch);
	pool_batch_require_manager(batch, to_pool);
	return give_back_all(batch, "reclaimed", to_pool, reason);
}
