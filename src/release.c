/*
 * release.c
 *	  Leads return to a pool: release by the owner, reclaim by a manager.
 *
 * Reclaims by time go the same way, through pool_give_back.
 */
#include "release.h"

#include "access/xact.h"
#include "approval.h"
#include "collaborator.h"
#include "errors.h"
#include "quarantine.h"
#include "request.h"
#include "route.h"
#include "routing_wait.h"
#include "rule.h"
#include "term.h"

PG_FUNCTION_INFO_V1(pool_release);
PG_FUNCTION_INFO_V1(pool_reclaim);

/* Whether somebody takes leads back who has named where they go. */
static bool
is_chosen(const char *kind, const PoolConf *to_pool)
{
	return to_pool != NULL && strcmp(kind, "reclaimed") == 0;
}

/*
 * Returns the owned and locked lead of this item to to_pool (NULL: its own): row,
 * event, counters.  It goes into quarantine instead if it has come back too
 * often, unless an actor who reclaims it has chosen the pool himself.
 */
void
pool_give_back(PoolBatch *batch, PoolBatchItem *item, const PoolConf *to_pool,
			   PoolEvent *event)
{
	PoolWork   *work = batch->call->work;
	PoolLead   *lead = &item->lead;
	const PoolConf *quarantine = event->rule_id == 0 &&
	is_chosen(event->kind, to_pool) ? NULL : pool_quarantine(work, lead);
	int32		pool_id;
	PoolQuota  *quota = pool_batch_quota(batch, lead->pool_id,
										 lead->owner_id);
	PoolDetail	detail;
	PoolData	data;

	if (quarantine != NULL)
		to_pool = quarantine;
	pool_id = to_pool != NULL ? to_pool->id : lead->pool_id;
	pool_batch_open(batch, item, &data);
	event->at = pool_lead_time(lead, batch->now);
	pool_detail_begin(&detail);
	pool_detail_from_pool(&detail, lead->pool_id, pool_id, event->at);
	if (lead->follow_ups > 0)
		pool_detail_true(&detail, "answered");
	if (quarantine != NULL)
		pool_detail_true(&detail, "quarantine");
	if (event->no_cooldown)
		pool_detail_false(&detail, "cooldown");
	if (event->run_id != 0)
		pool_detail_int(&detail, "run", event->run_id);
	if (item->hide_for != NULL)
	{
		lead->hidden_until = pool_time_add(event->at, item->hide_for,
										   pool_config_pool(pool_id)->zone);
		pool_detail_time(&detail, "hidden_until", lead->hidden_until);
	}
	event->member_id = lead->owner_id;
	event->detail = pool_detail_end(&detail);
	pool_collaborators_end(work, lead->id);
	pool_lead_give_back(pool_work_table(work, POOL_LEAD_STATE), lead,
						pool_id, event->at);
	pool_batch_note(batch, pool_event_append(work, event, lead, &data));
	pool_quota_lose(batch->set, quota);
	pool_wait_returned(work, lead, event->member_id);
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

/* What a release is judged by. */
typedef struct Release
{
	const PoolActor *actor;
	Datum		reason;			/* 0 = NULL */
} Release;

static const char *
check_release(void *arg, const PoolLead *lead)
{
	const Release *release = arg;
	const PoolTerm *term;

	if (lead->status != POOL_OWNED ||
		lead->owner_id != release->actor->member_id)
		return "not_owner";
	if (!pool_term_find(pool_config_pool(lead->pool_id), POOL_TERM_RELEASE,
						release->reason, &term))
		return "reason_unknown";
	return NULL;
}

/* What the dictionary says of the reason of a release. */
void
pool_release_apply_reason(PoolBatchItem *item, PoolEvent *event)
{
	const PoolTerm *term;

	(void) pool_term_find(pool_config_pool(item->lead.pool_id),
						  POOL_TERM_RELEASE, event->reason, &term);
	event->no_cooldown = !pool_term_counts(term);
	if (pool_term_then(term, "cool"))
		item->hide_for = term->after;
}

/*
 * Names the pools that will route what comes back to them; returns NULL if
 * none will.
 */
static PoolRoute *
begin_routing(PoolBatch *batch, const char *kind, const PoolConf *to_pool)
{
	PoolRoute  *route = NULL;

	for (int i = 0; i < batch->n; i++)
	{
		const PoolLead *lead = &batch->items[i].lead;
		const PoolConf *pool = NULL;

		if (batch->items[i].outcome != NULL)
			continue;
		if (!is_chosen(kind, to_pool))
			pool = pool_quarantine(batch->call->work, lead);
		if (pool == NULL)
			pool = to_pool != NULL ? to_pool :
				pool_config_pool(lead->pool_id);
		if (!pool->route_returned || pool->n_routing_rules == 0)
			continue;
		if (route == NULL)
			route = pool_route_begin(batch->call->work, batch->set,
									 batch->actor->member_id);
		(void) pool_route_add_pool(route, pool->id);
	}
	return route;
}

/* Routes what has come back; whoever gave it back does not get it. */
static void
route_returned(PoolBatch *batch, PoolRoute *route)
{
	CommandCounterIncrement();
	pool_route_ready(route, batch->now);
	for (int i = 0; i < batch->n; i++)
	{
		const PoolLead *lead = &batch->items[i].lead;
		const PoolConf *pool;
		PoolRouted	routed;

		if (batch->items[i].outcome != NULL)
			continue;
		pool = pool_config_pool(lead->pool_id);
		if (pool->route_returned && pool->n_routing_rules > 0)
			(void) pool_route_by_id(route, lead->id, pool->id,
									lead->last_owner_id, &routed);
	}
	pool_route_end(route);
}

/* Gives back what nothing speaks against, and emits the rows. */
static Datum
give_back_all(PoolBatch *batch, const char *kind, const PoolConf *to_pool,
			  Datum reason)
{
	PoolRoute  *route = begin_routing(batch, kind, to_pool);

	pool_batch_add_owners(batch);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];
		PoolEvent	event = {.kind = kind,.reason = reason};

		if (item->outcome == NULL && to_pool != NULL &&
			to_pool->tenant_id != item->lead.tenant_id)
			item->outcome = "not_found";
		if (item->outcome == NULL && strcmp(kind, "released") == 0 &&
			pool_approval_needed(batch->call->work, batch->actor, "release",
								 &item->lead, batch->now))
			item->outcome = "blocked";
		if (item->outcome == NULL)
		{
			event.actor_id = batch->actor->member_id;
			if (batch->check == check_release)
				pool_release_apply_reason(item, &event);
			pool_give_back(batch, item, to_pool, &event);
			pool_batch_emit(batch, item, kind);
		}
		else
			pool_batch_emit(batch, item, item->outcome);
	}
	if (route != NULL)
		route_returned(batch, route);
	return pool_batch_end(batch);
}

/*
 * Who may send his leads into this pool: whoever belongs to it, a viewer too,
 * or manages one above it; PO003 for others.  In a pool of another tenant
 * there are no leads of his anyway.
 */
void
pool_require_belonging(const PoolActor *actor, const PoolConf *pool)
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
	Release		release = {&actor,
	pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH, "reason")};
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, 4, member->tenant_id))
		return pool_call_end(call);
	if (to_pool != NULL)
		pool_require_belonging(&actor, to_pool);
	batch = pool_batch_begin(call, &actor, ids, n, check_release, &release);
	pool_batch_lock_leads(batch);
	return give_back_all(batch, "released", to_pool, release.reason);
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
