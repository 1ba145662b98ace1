/*
 * auto_assign.c
 *	  Routing on demand: auto_assign, explain_assign.
 *
 * The counters of all who may receive are locked first, leads are taken from
 * the queue without waiting.
 */
#include "compat.h"

#include "errors.h"
#include "miscadmin.h"
#include "request.h"
#include "result.h"
#include "route.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_auto_assign);
PG_FUNCTION_INFO_V1(pool_explain_assign);

/* columns of auto_assign() */
enum
{
	ASSIGN_OUTCOME, ASSIGN_LEAD_ID, ASSIGN_KEY, ASSIGN_MEMBER, ASSIGN_RULE
};

/* columns of explain_assign() */
enum
{
	EXPLAIN_RULE, EXPLAIN_MEMBER, EXPLAIN_TEST, EXPLAIN_PASSED,
	EXPLAIN_DETAIL, EXPLAIN_SCORE
};

/* Whoever may write routing rules may have them applied. */
static bool
caller_is_admin(void)
{
	return pg_class_aclcheck(pool_table_oid(POOL_ROUTING_RULE), GetUserId(),
							 ACL_UPDATE) == ACLCHECK_OK;
}

/* The caller's member, or nobody for a service or an administrator. */
static PoolActor
resolve_caller(void)
{
	PoolActor	actor = {pool_caller_member(), 0};

	if (actor.member_id != 0)
		actor.tenant_id = pool_config_member(actor.member_id)->tenant_id;
	else if (!pool_caller_is_service() && !caller_is_admin())
		ereport(ERROR,
				(errcode(POOL_ERRCODE_NOT_PERMITTED),
				 errmsg("only managers, services and administrators may have leads assigned"),
				 errdetail("Role \"%s\" is none of them.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("Set pool.member.login, or use pool.grant_access(role, 'service').")));
	return actor;
}

/* ------------------------------------------------------------------------
 * auto_assign
 * ------------------------------------------------------------------------ */

static int
arg_count(FunctionCallInfo fcinfo, int argno)
{
	int32		n;

	if (PG_ARGISNULL(argno))
		return POOL_MAX_BATCH;
	n = PG_GETARG_INT32(argno);
	if (n < 1 || n > POOL_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot assign %d leads in one call", n),
				 errdetail("n must be between 1 and %d.", POOL_MAX_BATCH),
				 n < 1 ? errhint("Leave it out for all leads.") :
				 errhint("Assign in several calls.")));
	return n;
}

static void
emit_routed(PoolCall *call, const PoolLead *lead, const PoolRouted *routed)
{
	PoolData	data;

	pool_put_text(call, ASSIGN_OUTCOME,
				  routed->outcome != NULL ? routed->outcome : "no_rule");
	pool_put(call, ASSIGN_LEAD_ID, Int64GetDatum(lead->id));
	if (pool_data_read(pool_work_table(call->work, POOL_LEAD_DATA), lead->id,
					   pool_snapshot(), &data))
		pool_put_datum(call, ASSIGN_KEY, data.key);
	if (routed->member_id != 0)
		pool_put_text(call, ASSIGN_MEMBER,
					  pool_config_member(routed->member_id)->key);
	if (routed->rule != NULL)
		pool_put_text(call, ASSIGN_RULE, routed->rule->name);
	pool_call_row(call);
}

/*
 * Tries the candidate, or tells the queue what became of it.  True if it
 * counts as one of the leads asked for.
 */
static bool
try_candidate(PoolCall *call, PoolRoute *route, PoolQueueScan *scan,
			  const PoolCandidate *candidate)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolLead	lead;
	PoolRouted	routed;
	PoolLeadLock found = pool_lead_fetch_candidate(leads, candidate, &lead);

	if (found != POOL_LEAD_LOCKED)
	{
		pool_queue_drop(scan);
		return false;
	}
	if (!pool_may_be_routed(call->work, &lead, route->now))
	{
		pool_queue_put_back(scan);
		return false;
	}
	found = pool_lead_lock_candidate(leads, candidate);
	if (found == POOL_LEAD_MISSING)
		pool_queue_drop(scan);
	if (found == POOL_LEAD_BUSY)
		pool_queue_put_back(scan);
	if (found != POOL_LEAD_LOCKED)
		return false;
	routed = pool_route_lead(route, &lead, 0, true);
	if (lead.ticket == candidate->ticket && lead.hidden_until <= route->now)
		pool_queue_put_back(scan);
	emit_routed(call, &lead, &routed);
	return true;
}

/*
 * pool.auto_assign(pool, n, request_id)
 */
Datum
pool_auto_assign(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "auto_assign");
	PoolActor	actor = resolve_caller();
	const PoolConf *pool = pool_resolve_pool(pool_arg_text(call, 0, "pool"));
	int			n = arg_count(fcinfo, 1);
	PoolQuotaSet *set;
	PoolRoute  *route;
	PoolQueueScan *scan;
	PoolCandidate candidate;

	pool_require_manager(&actor, pool->id);
	if (pool_request_replay(call, 2, pool->tenant_id))
		return pool_call_end(call);
	set = pool_quota_begin(call->work, call->snapshot);
	route = pool_route_begin(call->work, set, actor.member_id);
	(void) pool_route_add_pool(route, pool->id);
	pool_quota_lock(set);
	pool_route_ready(route, pool_now());
	scan = pool_queue_begin(pool_work_table(call->work, POOL_LEAD_STATE),
							pool->id, call->snapshot);
	while (n > 0 && pool_queue_next(scan, n, &candidate))
	{
		CHECK_FOR_INTERRUPTS();
		if (try_candidate(call, route, scan, &candidate))
			n--;
	}
	if (n > 0 && pool_queue_unseen(scan))
		pool_report_serialization();
	pool_queue_end(scan);
	pool_route_end(route);
	pool_quota_write(set);
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * explain_assign
 * ------------------------------------------------------------------------ */

static void
emit_test(void *arg, const PoolRouteTest *test)
{
	PoolCall   *call = arg;

	pool_put_text(call, EXPLAIN_RULE, test->rule->name);
	if (test->member != NULL)
		pool_put_text(call, EXPLAIN_MEMBER, test->member->key);
	pool_put_text(call, EXPLAIN_TEST, test->name);
	pool_put(call, EXPLAIN_PASSED, BoolGetDatum(test->passed));
	pool_put_text(call, EXPLAIN_DETAIL, test->detail);
	if (test->score != NULL)
		pool_put(call, EXPLAIN_SCORE, Float8GetDatum(*test->score));
	pool_call_row(call);
}

/* One row that answers for the whole lead. */
static Datum
end_with(PoolCall *call, const char *test, bool passed, const char *detail)
{
	pool_put_text(call, EXPLAIN_TEST, test);
	pool_put(call, EXPLAIN_PASSED, BoolGetDatum(passed));
	pool_put_text(call, EXPLAIN_DETAIL, detail);
	pool_call_row(call);
	return pool_call_end(call);
}

/*
 * pool.explain_assign(lead)
 */
Datum
pool_explain_assign(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "explain_assign");
	PoolActor	actor = resolve_caller();
	PoolRouteWatch watch = {emit_test, call};
	PoolRoute  *route;
	PoolRouted	routed;
	PoolQuotaSet *set;
	PoolLead	lead;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"lead\" must not be null"),
				 errdetail("One lead is explained at a time."),
				 errhint("pool.lead_id(key) finds the id of a lead.")));
	if (!pool_lead_peek(pool_work_table(call->work, POOL_LEAD_STATE),
						PG_GETARG_INT64(0), pool_snapshot(), &lead) ||
		!pool_actor_sees(&actor, lead.tenant_id))
		return end_with(call, "exists", false, "not_found");
	pool_require_manager(&actor, lead.pool_id);
	if (lead.status != POOL_AVAILABLE)
		return end_with(call, "available", false,
						lead.status == POOL_OWNED ? "taken" :
						"not_available");
	if (!pool_may_be_routed(call->work, &lead, pool_now()))
		return end_with(call, "available", false, "hidden");
	set = pool_quota_begin(call->work, call->snapshot);
	route = pool_route_begin(call->work, set, actor.member_id);
	route->watch = &watch;
	(void) pool_route_add_pool(route, lead.pool_id);
	pool_quota_peek(set);
	pool_route_ready(route, pool_now());
	routed = pool_route_lead(route, &lead, 0, false);
	return end_with(call, "outcome", routed.outcome != NULL &&
					strcmp(routed.outcome, "assigned") == 0,
					routed.outcome != NULL ? routed.outcome : "no_rule");
}
