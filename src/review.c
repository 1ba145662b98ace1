/*
 * review.c
 *	  Leads that wait for somebody to look at them: review.
 */
#include "batch.h"

#include "access/xact.h"
#include "close.h"
#include "request.h"
#include "route.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_review);

static const char *
check_review(void *arg, const PoolLead *lead)
{
	return lead->status == POOL_IN_REVIEW ? NULL : "not_in_review";
}

/* The lead enters the queue of its pool as the newest of its band. */
static void
accept_one(PoolBatch *batch, PoolBatchItem *item, PoolEvent *event)
{
	PoolWork   *work = batch->call->work;
	PoolDetail	detail;
	PoolData	data;

	pool_batch_open(batch, item, &data);
	event->kind = "entered";
	event->at = pool_lead_time(&item->lead, batch->now);
	pool_detail_begin(&detail);
	pool_detail_datum(&detail, "from",
					  CStringGetTextDatum(pool_status_name(item->lead.status)));
	event->detail = pool_detail_end(&detail);
	pool_lead_admit(pool_work_table(work, POOL_LEAD_STATE), &item->lead,
					event->at);
	pool_event_append(work, event, &item->lead, &data);
}

static bool
arg_accepts(PoolCall *call, int argno)
{
	char	   *decision = text_to_cstring(pool_arg_text(call, argno,
														 "decision"));

	if (strcmp(decision, "accept") == 0)
		return true;
	if (strcmp(decision, "reject") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("decision \"%.64s\" is not known",
						pool_cut(decision, 64)),
				 errdetail("A lead in review is let in or turned away."),
				 errhint("Decision is accept or reject.")));
	return false;
}

/* Names the pools that will route what is let in; NULL if none will. */
static PoolRoute *
begin_routing(PoolBatch *batch)
{
	PoolRoute  *route = NULL;

	for (int i = 0; i < batch->n; i++)
	{
		const PoolLead *lead = &batch->items[i].lead;

		if (batch->items[i].outcome != NULL ||
			pool_config_pool(lead->pool_id)->n_routing_rules == 0)
			continue;
		if (route == NULL)
			route = pool_route_begin(batch->call->work, batch->set,
									 batch->actor->member_id);
		(void) pool_route_add_pool(route, lead->pool_id);
	}
	return route;
}

/* Routes what has been let in, as if it had just entered. */
static void
route_accepted(PoolBatch *batch, PoolRoute *route)
{
	CommandCounterIncrement();
	pool_route_ready(route, batch->now);
	for (int i = 0; i < batch->n; i++)
	{
		const PoolLead *lead = &batch->items[i].lead;
		PoolRouted	routed;

		if (batch->items[i].outcome == NULL &&
			pool_config_pool(lead->pool_id)->n_routing_rules > 0)
			(void) pool_route_by_id(route, lead->id, lead->pool_id, 0,
									&routed);
	}
	pool_route_end(route);
}

/*
 * pool.review(leads, decision, reason, actor, request_id)
 */
Datum
pool_review(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "review");
	PoolActor	actor = pool_resolve_actor(fcinfo, 3);
	bool		accepts = arg_accepts(call, 1);
	Datum		reason = pool_arg_short(call, 2, POOL_MAX_LABEL_LENGTH,
										"reason");
	PoolRoute  *route;
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (pool_request_replay(call, 4, actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, ids, n, check_review, NULL);
	pool_batch_require_manager(batch, NULL);
	pool_batch_lock_leads(batch);
	pool_batch_require_manager(batch, NULL);
	route = accepts ? begin_routing(batch) : NULL;
	pool_batch_lock_counters(batch);
	for (int i = 0; i < n; i++)
	{
		PoolBatchItem *item = &batch->items[i];
		PoolEvent	event = {.kind = "archived",.reason = reason,
		.actor_id = actor.member_id};

		if (item->outcome == NULL && accepts)
			accept_one(batch, item, &event);
		else if (item->outcome == NULL)
			pool_archive_one(batch, item, &event);
		pool_batch_emit(batch, item, item->outcome != NULL ? item->outcome :
						accepts ? "accepted" : "rejected");
	}
	if (route != NULL)
		route_accepted(batch, route);
	return pool_batch_end(batch);
}
