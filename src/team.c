/*
 * team.c
 *	  Who helps the owner of a lead: add_collaborator, remove_collaborator.
 *
 * The lead first, then the counters of him who is to help: they say whether he
 * is there, and keep him from leaving meanwhile.
 */
#include "batch.h"

#include "collaborator.h"
#include "request.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_add_collaborator);
PG_FUNCTION_INFO_V1(pool_remove_collaborator);

/* What both functions work with. */
typedef struct Team
{
	PoolActor	actor;
	const PoolMemberConf *member;	/* who helps */
} Team;

/* The owner decides who helps him, and so do managers. */
static const char *
check_decides(void *arg, const PoolLead *lead)
{
	const Team *t = arg;

	if (lead->status != POOL_OWNED)
		return "not_owner";
	return lead->owner_id == t->actor.member_id ||
		pool_actor_manages(&t->actor, lead->pool_id) ? NULL : "not_owner";
}

/* Whoever helps may stop it himself. */
static const char *
check_stops(void *arg, const PoolLead *lead)
{
	const Team *t = arg;

	if (lead->status == POOL_OWNED && t->member->id == t->actor.member_id)
		return NULL;
	return check_decides(arg, lead);
}

static char *
arg_role(PoolCall *call, int argno)
{
	char	   *role = text_to_cstring(pool_arg_text(call, argno, "role"));

	if (strcmp(role, "helper") == 0 || strcmp(role, "mentor") == 0 ||
		strcmp(role, "deputy") == 0)
		return role;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("role \"%.64s\" is not known", pool_cut(role, 64)),
			 errdetail("It is the role of one who helps with a lead."),
			 errhint("It is one of helper, mentor and deputy.")));
	return NULL;
}

/* A service acts in the tenant of the member it names. */
static void
begin_team(PoolCall *call, int actor_argno, Team *t)
{
	t->actor = pool_resolve_actor(call->fcinfo, actor_argno);
	t->member = pool_resolve_member(pool_arg_text(call, 1, "member"));
	t->actor.tenant_id = t->member->tenant_id;
}

static void
append_event(PoolBatch *batch, PoolBatchItem *item, const char *kind,
			 const PoolCollaborator *who)
{
	PoolEvent	event = {.kind = kind,.member_id = who->member_id};
	PoolDetail	detail;
	PoolData	data;

	pool_batch_open(batch, item, &data);
	event.at = pool_lead_time(&item->lead, batch->now);
	event.actor_id = batch->actor->member_id;
	pool_detail_begin(&detail);
	pool_detail_text(&detail, "role", who->role, strlen(who->role));
	if (who->counts)
		pool_detail_true(&detail, "counts");
	event.detail = pool_detail_end(&detail);
	pool_event_append(batch->call->work, &event, &item->lead, &data);
}

/* Why the member cannot help with this lead; NULL if he can. */
static const char *
refuse_helper(PoolBatch *batch, const PoolLead *lead, int32 member_id)
{
	PoolQuota  *quota = pool_batch_quota(batch, lead->pool_id, member_id);

	/* the locked row knows of a removal that the cache may not have seen */
	if (pool_config_membership(lead->pool_id, member_id)->role <
		POOL_ROLE_MEMBER || quota->status == POOL_MEMBER_REMOVED)
		return "not_member";
	return quota->status == POOL_MEMBER_AWAY ||
		quota->status == POOL_MEMBER_GONE ? "inactive" : NULL;
}

static const char *
add_one(PoolBatch *batch, PoolBatchItem *item, PoolCollaborator *who)
{
	PoolWork   *work = batch->call->work;
	PoolCollaborator before;
	bool		helps;
	const char *refusal;

	if (item->lead.owner_id == who->member_id)
		return "already";
	refusal = refuse_helper(batch, &item->lead, who->member_id);
	if (refusal != NULL)
		return refusal;
	helps = pool_collaborator_find(work, item->id, who->member_id, &before);
	if (helps && strcmp(before.role, who->role) == 0 &&
		before.counts == who->counts)
		return "already";
	who->since = helps ? before.since : batch->now;
	append_event(batch, item, "collaborator_added", who);
	pool_collaborator_put(work, &item->lead, who);
	return "added";
}

/*
 * pool.add_collaborator(lead, member, role, counts, actor, request_id)
 */
Datum
pool_add_collaborator(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "add_collaborator");
	int64		id = pool_arg_id(call, 0);
	PoolCollaborator who = {0};
	PoolBatch  *batch;
	PoolBatchItem *item;
	Team		t;

	begin_team(call, 4, &t);
	who.member_id = t.member->id;
	who.role = arg_role(call, 2);
	who.counts = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	if (pool_request_replay(call, 5, t.member->tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &t.actor, &id, 1, check_decides, &t);
	item = &batch->items[0];
	pool_batch_lock_leads(batch);
	if (item->outcome == NULL)
	{
		pool_quota_add(batch->set, item->lead.pool_id, t.member->id, false);
		pool_batch_lock_counters(batch);
		item->outcome = add_one(batch, item, &who);
	}
	pool_batch_emit(batch, item, item->outcome);
	return pool_batch_end(batch);
}

/*
 * pool.remove_collaborator(lead, member, actor, request_id)
 */
Datum
pool_remove_collaborator(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "remove_collaborator");
	int64		id = pool_arg_id(call, 0);
	PoolCollaborator who;
	const char *outcome = "removed";
	PoolBatch  *batch;
	PoolBatchItem *item;
	Team		t;

	begin_team(call, 2, &t);
	if (pool_request_replay(call, 3, t.member->tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &t.actor, &id, 1, check_stops, &t);
	item = &batch->items[0];
	pool_batch_lock_leads(batch);
	batch->now = pool_now();
	if (item->outcome == NULL &&
		!pool_collaborator_find(call->work, id, t.member->id, &who))
		item->outcome = "none";
	if (item->outcome == NULL)
	{
		append_event(batch, item, "collaborator_removed", &who);
		(void) pool_collaborator_remove(call->work, id, t.member->id);
	}
	else
		outcome = item->outcome;
	pool_batch_emit(batch, item, outcome);
	return pool_batch_end(batch);
}
