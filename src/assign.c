/*
 * assign.c
 *	  Managers give leads to members: assign, transfer.
 */
#include "assign.h"

#include "approval.h"
#include "claim_test.h"
#include "collaborator.h"
#include "group.h"
#include "request.h"

PG_FUNCTION_INFO_V1(pool_assign);
PG_FUNCTION_INFO_V1(pool_transfer);

static int32
target_pool(const PoolHanding *h, const PoolLead *lead)
{
	return h->to_pool != NULL ? h->to_pool->id : lead->pool_id;
}

/* Why the member cannot receive in this pool; NULL if he can. */
const char *
pool_refuse_receiver(PoolQuotaSet *set, PoolQuota *quota)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);
	PoolBound	bound;

	/* the locked row knows of a removal that the cache may not have seen */
	if (conf->role < POOL_ROLE_MEMBER || quota->status == POOL_MEMBER_REMOVED)
		return "not_member";
	if (quota->status == POOL_MEMBER_AWAY || quota->status == POOL_MEMBER_GONE)
		return "inactive";
	if (pool_quota_hold_bound(set, quota, &bound))
		return "hold_limit";
	return NULL;
}

static void
begin_event(PoolWork *work, const PoolHanding *h, TimestampTz now,
			PoolEvent *event, PoolLead *lead, PoolDetail *detail)
{
	TimestampTz until;

	event->at = pool_lead_time(lead, now);
	event->member_id = h->member->id;
	event->actor_id = h->actor.member_id;
	event->rule_id = h->rule_id;
	event->reason = h->reason;
	pool_detail_begin(detail);
	pool_detail_from_pool(detail, lead->pool_id, target_pool(h, lead),
						  event->at);
	if (pool_cooling_down(work, lead, h->member->id, event->at, &until))
		pool_detail_true(detail, "cooldown");
	if (h->undone_run != 0)
		pool_detail_int(detail, "undo", h->undone_run);
	if (h->estimated)
		pool_detail_true(detail, "estimated");
}

/* arguments: leads, member, to_pool, reason, actor, request_id */
static bool
begin_handing(PoolCall *call, PoolHanding *h)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	h->actor = pool_resolve_actor(fcinfo, 4);
	h->member = pool_resolve_member(pool_arg_text(call, 1, "member"));
	h->to_pool = pool_arg_pool(call, 2);
	h->reason = pool_arg_short(call, 3, POOL_MAX_LABEL_LENGTH, "reason");
	h->run_id = 0;
	/* a service acts in the tenant of the member it names */
	h->actor.tenant_id = h->member->tenant_id;
	if (h->to_pool != NULL && h->to_pool->tenant_id != h->member->tenant_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool \"%s\" and member \"%s\" belong to different tenants",
						h->to_pool->name, h->member->key),
				 errdetail("Leads, members and pools of different tenants never meet."),
				 errhint("Name a pool of the member's tenant.")));
	return pool_request_replay(call, 5, h->member->tenant_id);
}

/* ------------------------------------------------------------------------
 * assign: available leads
 * ------------------------------------------------------------------------ */

static const char *
check_assign(void *arg, const PoolLead *lead)
{
	if (lead->status == POOL_AVAILABLE)
		return NULL;
	return lead->status == POOL_OWNED ? "taken" : "not_available";
}

/*
 * A locked available lead becomes the member's: row, event, counters.  Returns
 * the id of the event.
 */
int64
pool_hand_lead(PoolWork *work, PoolQuotaSet *set, const PoolHanding *h,
			   PoolQuota *quota, PoolLead *lead, TimestampTz now)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolEvent	event = {.kind = "assigned"};
	PoolDetail	detail;
	PoolData	data;
	int64		event_id;

	pool_open_lead(work, lead, &data);
	begin_event(work, h, now, &event, lead, &detail);
	event.detail = pool_detail_end(&detail);
	pool_lead_leave_queue(leads, lead);
	pool_lead_own(leads, lead, h->member->id, quota->pool_id, event.at);
	event_id = pool_event_append(work, &event, lead, &data);
	pool_quota_gain(set, quota);
	return event_id;
}

/* Whether a manager of a higher level has to approve first. */
static bool
must_ask(PoolBatch *batch, const PoolHanding *h, const char *action,
		 const PoolLead *lead)
{
	return !h->approved &&
		pool_approval_needed(batch->call->work, &h->actor, action, lead,
							 batch->now);
}

/* Whether another member keeps the lead for himself just now (lease.c). */
static bool
is_kept(const PoolBatch *batch, const PoolHanding *h, const PoolLead *lead)
{
	return lead->reserved_for != 0 && lead->reserved_for != h->member->id &&
		lead->hidden_until > batch->now &&
		!pool_approval_reserves(batch->call->work, lead);
}

/*
 * Why the member may receive nothing is reported only for leads that are still
 * there: they were looked at before the wait for his counters.
 */
static const char *
refuse_lead(PoolBatch *batch, int64 lead_id, const char *refusal)
{
	PoolTable  *leads = pool_work_table(batch->call->work, POOL_LEAD_STATE);
	const char *gone = NULL;
	PoolLead	lead;

	if (pool_lead_peek(leads, lead_id, pool_snapshot(), &lead))
		gone = check_assign(NULL, &lead);
	return gone != NULL ? gone : refusal;
}

/* The member's counters are locked; the lead is taken without waiting. */
const char *
pool_assign_one(PoolBatch *batch, const PoolHanding *h, PoolBatchItem *item)
{
	int32		pool_id = item->lead.pool_id;
	PoolQuota  *quota;

	if (item->outcome != NULL)
		return item->outcome;
	quota = pool_quota_get(batch->set, target_pool(h, &item->lead),
						   h->member->id);
	item->outcome = pool_refuse_receiver(batch->set, quota);
	if (item->outcome != NULL)
		return refuse_lead(batch, item->id, item->outcome);
	pool_batch_lock_one(batch, item, false);
	if (item->outcome != NULL)
		return item->outcome;
	/* it has moved just now: the actor's right was to the pool before */
	if (item->lead.pool_id != pool_id)
		return item->outcome = "contended";
	if (is_kept(batch, h, &item->lead))
		return item->outcome = "reserved";
	if (must_ask(batch, h, "assign", &item->lead))
		return item->outcome = "approval";
	item->outcome = pool_group_refusal(pool_group_try(batch->call->work,
													  item->lead.group_id,
													  h->member->id));
	if (item->outcome != NULL)
		return item->outcome;
	pool_hand_lead(batch->call->work, batch->set, h, quota, &item->lead,
				   batch->now);
	return "assigned";
}

/*
 * pool.assign(leads, member, to_pool, reason, actor, request_id)
 */
Datum
pool_assign(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "assign");
	PoolHanding h = {0};
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (begin_handing(call, &h))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &h.actor, ids, n, check_assign, NULL);
	pool_batch_require_manager(batch, h.to_pool);
	for (int i = 0; i < n; i++)
		if (batch->items[i].outcome == NULL)
			pool_quota_add(batch->set, target_pool(&h, &batch->items[i].lead),
						   h.member->id, true);
	pool_batch_lock_counters(batch);
	for (int i = 0; i < n; i++)
		pool_batch_emit(batch, &batch->items[i],
						pool_assign_one(batch, &h, &batch->items[i]));
	return pool_batch_end(batch);
}

/*
 * Gives a locked available lead back to whom a run took it from, in the pool
 * where he had it; his counters are locked.  Returns why he cannot have it,
 * NULL if he got it.
 */
const char *
pool_assign_again(PoolBatch *batch, PoolBatchItem *item, int32 owner_id,
				  int32 pool_id, int64 undone_run, int64 *event_id)
{
	PoolHanding h = {.actor = *batch->actor,.undone_run = undone_run,
		.to_pool = pool_config_pool(pool_id),
	.member = pool_config_member(owner_id)};
	PoolQuota  *quota = pool_batch_quota(batch, pool_id, owner_id);
	const char *refusal = pool_refuse_receiver(batch->set, quota);

	if (refusal == NULL)
		refusal = pool_group_refusal(pool_group_try(batch->call->work,
													item->lead.group_id,
													owner_id));
	if (refusal == NULL)
		*event_id = pool_hand_lead(batch->call->work, batch->set, &h, quota,
								   &item->lead, batch->now);
	return refusal;
}

/* ------------------------------------------------------------------------
 * transfer: owned leads
 * ------------------------------------------------------------------------ */

static const char *
check_transfer(void *arg, const PoolLead *lead)
{
	return lead->status == POOL_OWNED ? NULL : "not_owned";
}

/* Whether the two are leads of one customer that go the same way. */
static bool
are_siblings(const PoolBatchItem *a, const PoolBatchItem *b)
{
	return a->outcome == NULL && b->outcome == NULL &&
		a->lead.group_id == b->lead.group_id &&
		a->lead.owner_id == b->lead.owner_id;
}

static int
count_siblings(const PoolBatch *batch, const PoolBatchItem *item)
{
	int			n = 0;

	for (int i = 0; i < batch->n; i++)
		if (are_siblings(item, &batch->items[i]))
			n++;
	return n;
}

/*
 * Why the member cannot receive all leads of this customer; NULL if he can.
 * Counts them with him to find out, and back again.
 */
static const char *
refuse_siblings(PoolBatch *batch, const PoolHanding *h,
				const PoolBatchItem *item)
{
	const char *refusal = NULL;
	int			n = 0;

	while (n < batch->n && refusal == NULL)
	{
		const PoolBatchItem *sibling = &batch->items[n++];
		PoolQuota  *from;
		PoolQuota  *to;

		if (!are_siblings(item, sibling))
			continue;
		from = pool_batch_quota(batch, sibling->lead.pool_id,
								sibling->lead.owner_id);
		to = pool_batch_quota(batch, target_pool(h, &sibling->lead),
							  h->member->id);
		pool_quota_lose(batch->set, from);
		refusal = must_ask(batch, h, "transfer", &sibling->lead) ?
			"approval" : pool_refuse_receiver(batch->set, to);
		pool_quota_regain(batch->set, to);
	}
	while (n-- > 0)
	{
		const PoolLead *lead = &batch->items[n].lead;

		if (!are_siblings(item, &batch->items[n]))
			continue;
		pool_quota_lose(batch->set, pool_batch_quota(batch,
													 target_pool(h, lead),
													 h->member->id));
		pool_quota_regain(batch->set, pool_batch_quota(batch, lead->pool_id,
													   lead->owner_id));
	}
	return refusal;
}

/*
 * Why the member cannot have the owner's lead, which is locked, because of other
 * leads of the same customer; NULL if nothing speaks against it.  He would have
 * to get all that the owner has: those of one call go all or none, in whatever
 * order they are named, even to the owner himself.
 */
static const char *
refuse_group(PoolBatch *batch, const PoolHanding *h, const PoolBatchItem *item)
{
	const PoolLead *lead = &item->lead;
	int			n = 1;

	if (lead->group_id == 0)
		return NULL;
	if (h->together)
		n = count_siblings(batch, item);
	if (lead->owner_id != h->member->id &&
		!pool_group_may_pass(batch->call->work, lead->group_id,
							 lead->owner_id, h->member->id, n))
		return "identity_owned";
	return n == 1 ? NULL : refuse_siblings(batch, h, item);
}

/* Why the member cannot receive the lead, his own place in its pool left out. */
static const char *
refuse_passing(PoolBatch *batch, const PoolHanding *h, const PoolLead *lead)
{
	PoolQuota  *from = pool_batch_quota(batch, lead->pool_id, lead->owner_id);
	PoolQuota  *to = pool_batch_quota(batch, target_pool(h, lead),
									  h->member->id);
	const char *refusal;

	pool_quota_lose(batch->set, from);
	refusal = pool_refuse_receiver(batch->set, to);
	pool_quota_regain(batch->set, from);
	return refusal;
}

/*
 * Passes an owned and locked lead on, with row, event and counters, which are
 * locked.  Returns `transferred`, or why not: then nothing has changed.
 */
const char *
pool_transfer_one(PoolBatch *batch, const PoolHanding *h,
				  PoolBatchItem *item)
{
	PoolWork   *work = batch->call->work;
	PoolLead   *lead = &item->lead;
	PoolEvent	event = {.kind = "transferred"};
	PoolDetail	detail;
	PoolQuota  *from;
	PoolQuota  *to;
	PoolData	data;
	int64		event_id;

	if (item->outcome != NULL)
		return item->outcome;
	if (must_ask(batch, h, "transfer", lead))
		return item->outcome = "approval";
	item->outcome = refuse_passing(batch, h, lead);
	if (item->outcome == NULL)
		item->outcome = refuse_group(batch, h, item);
	if (item->outcome != NULL)
		return item->outcome;
	from = pool_batch_quota(batch, lead->pool_id, lead->owner_id);
	to = pool_batch_quota(batch, target_pool(h, lead), h->member->id);
	/* his own place becomes free before it is filled */
	pool_quota_lose(batch->set, from);
	pool_batch_open(batch, item, &data);
	begin_event(work, h, batch->now, &event, lead, &detail);
	pool_detail_int(&detail, "from", lead->owner_id);
	if (h->run_id != 0)
		pool_detail_int(&detail, "run", h->run_id);
	event.detail = pool_detail_end(&detail);
	/* those who help stay, but nobody helps himself */
	(void) pool_collaborator_remove(work, lead->id, h->member->id);
	pool_lead_pass(pool_work_table(work, POOL_LEAD_STATE), lead,
				   h->member->id, to->pool_id, event.at);
	event_id = pool_event_append(work, &event, lead, &data);
	if (h->event_id != NULL)
		*h->event_id = event_id;
	pool_quota_gain(batch->set, to);
	return "transferred";
}

/*
 * Leads of one customer are refused all or none, so they are passed on together,
 * before another lead of the batch takes the room that was found for them.
 */
static void
transfer_item(PoolBatch *batch, const PoolHanding *h, int first,
			  const char **outcomes)
{
	PoolBatchItem before = batch->items[first];
	const char *refusal;

	outcomes[first] = pool_transfer_one(batch, h, &batch->items[first]);
	refusal = batch->items[first].outcome;
	if (before.outcome != NULL || before.lead.group_id == 0)
		return;
	for (int i = first + 1; i < batch->n; i++)
	{
		if (!are_siblings(&before, &batch->items[i]))
			continue;
		batch->items[i].outcome = refusal;
		outcomes[i] = pool_transfer_one(batch, h, &batch->items[i]);
	}
}

/*
 * pool.transfer(leads, member, to_pool, reason, actor, request_id)
 */
Datum
pool_transfer(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "transfer");
	PoolHanding h = {0};
	PoolBatch  *batch;
	const char **outcomes;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);

	if (begin_handing(call, &h))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &h.actor, ids, n, check_transfer, NULL);
	pool_batch_require_manager(batch, h.to_pool);
	pool_batch_lock_leads(batch);
	/* a lead may have come into another pool meanwhile */
	pool_batch_require_manager(batch, h.to_pool);
	for (int i = 0; i < n; i++)
	{
		PoolLead   *lead = &batch->items[i].lead;

		if (batch->items[i].outcome != NULL)
			continue;
		pool_quota_add(batch->set, lead->pool_id, lead->owner_id, false);
		pool_quota_add(batch->set, target_pool(&h, lead), h.member->id, true);
	}
	pool_batch_lock_counters(batch);
	h.together = true;
	outcomes = palloc0(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		if (outcomes[i] == NULL)
			transfer_item(batch, &h, i, outcomes);
		pool_batch_emit(batch, &batch->items[i], outcomes[i]);
	}
	return pool_batch_end(batch);
}
