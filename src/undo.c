/*
 * undo.c
 *	  What a run has taken goes back to those it was taken from: undo_run.
 *
 * A lead goes back if nothing has happened to it since: its latest event is
 * the run's.  What has been touched is listed and left alone.
 */
#include "plan_run.h"

#include "assign.h"
#include "catalog/pg_type.h"
#include "errors.h"
#include "people.h"
#include "request.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_undo_run);

/*
 * What the run has taken: the leads of its list, or those of its events; for
 * offboard and relocate also those that have gone to other members.  Where a
 * lead changed its pool with the event, it goes back to the pool it came from.
 * Whoever claims a lead back while the run is on loses it again: the last time
 * counts.
 */
#define UNDO_SQL \
	"SELECT DISTINCT ON (x.lead_id) x.lead_id, x.id, x.member_id," \
	"  x.pool_id, x.rule_id FROM (" \
	"SELECT e.lead_id, e.id, e.member_id," \
	"  coalesce((e.detail ->> 'from_pool')::integer, e.pool_id) AS pool_id," \
	"  e.rule_id FROM pool.run_lead l" \
	" JOIN pool.event e ON e.lead_id = l.lead_id AND e.id = l.event_id" \
	" WHERE l.run_id = $1 AND e.kind IN ('reclaimed', 'released')" \
	" UNION ALL" \
	" SELECT e.lead_id, e.id, e.member_id," \
	"  coalesce((e.detail ->> 'from_pool')::integer, e.pool_id)," \
	"  e.rule_id FROM pool.run r" \
	" JOIN pool.event e ON e.generation = (r.detail ->> 'generation')::integer" \
	"  AND e.xid = (r.detail ->> 'xid')::xid8" \
	"  AND e.id BETWEEN (r.detail ->> 'first_event')::bigint" \
	"   AND (r.detail ->> 'last_event')::bigint" \
	" WHERE r.id = $1 AND e.kind = 'reclaimed' AND e.rule_id IS NOT NULL" \
	"  AND coalesce((e.detail ->> 'from_pool')::integer, e.pool_id) =" \
	"   r.pool_id" \
	" UNION ALL" \
	" SELECT e.lead_id, e.id, r.member_id," \
	"  coalesce((e.detail ->> 'from_pool')::integer, e.pool_id)," \
	"  e.rule_id FROM pool.run r" \
	" JOIN pool.event e ON e.at >= r.started_at" \
	"  AND e.tenant_id = r.tenant_id" \
	"  AND e.kind IN ('transferred', 'released')" \
	"  AND (e.detail ->> 'run')::bigint = r.id" \
	" WHERE r.id = $1 AND r.kind IN ('offboard', 'relocate')) x" \
	" ORDER BY x.lead_id, x.id DESC"

/*
 * The id of the latest event of a lead, 0 if there is none.  The lead is locked,
 * which guards its events: so they are read in the latest snapshot at every
 * isolation level.
 */
static int64
latest_event(PoolWork *work, int64 lead_id)
{
	PoolTable  *events = pool_work_table(work, POOL_EVENT);
	Snapshot	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(events->rel)));
	IndexScanDesc scan = pool_index_scan(events->rel,
										 pool_work_index(events,
														 POOL_EVENT_PKEY),
										 snapshot, &pool_key_int8(lead_id),
										 1);
	int64		id = 0;
	bool		isnull;

	if (index_getnext_slot(scan, BackwardScanDirection, events->old))
		id = DatumGetInt64(slot_getattr(events->old, EVENT_ID, &isnull));
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return id;
}

static const char *
check_undone(void *arg, const PoolLead *lead)
{
	const PoolPlanRun *run = arg;

	return lead->status == POOL_AVAILABLE ||
		(lead->status == POOL_OWNED && run->member_id != 0) ? NULL : "changed";
}

/* Whether the member and the pool he had the lead in are still there. */
static bool
can_go_back(const PoolPlanLead *lead)
{
	return pool_config_find_member(lead->member_id) != NULL &&
		pool_config_find_pool(lead->pool_id) != NULL;
}

static void
name_receiver(PoolPlanWork *work, PoolBatch *batch, PoolBatchItem *item,
			  const PoolPlanLead *lead)
{
	if (can_go_back(lead))
		pool_quota_add(batch->set, lead->pool_id, lead->member_id, true);
	if (item->lead.owner_id != 0)
		pool_quota_add(batch->set, item->lead.pool_id, item->lead.owner_id,
					   false);
}

/* From whoever has received the lead back to whom it was taken from. */
static const char *
transfer_back(PoolBatch *batch, PoolBatchItem *item, const PoolPlanLead *lead,
			  int64 run_id, int64 *event_id)
{
	PoolHanding h = {.actor = *batch->actor,.undone_run = run_id,
		.to_pool = pool_config_pool(lead->pool_id),
		.member = pool_config_member(lead->member_id),
	.approved = true,.event_id = event_id};
	const char *outcome = pool_transfer_one(batch, &h, item);

	return strcmp(outcome, "transferred") == 0 ? NULL : outcome;
}

static const char *
undo_one(PoolPlanWork *work, PoolBatch *batch, PoolBatchItem *item,
		 const PoolPlanLead *lead, int64 *event_id)
{
	const PoolPlanRun *run = work->arg;
	const char *refusal;

	if (latest_event(work->call->work, lead->lead_id) != lead->event_id)
		return "changed";
	if (!can_go_back(lead))
		return "not_member";
	if (item->lead.owner_id != 0)
		refusal = transfer_back(batch, item, lead, run->id, event_id);
	else
		refusal = pool_assign_again(batch, item, lead->member_id,
									lead->pool_id, run->id, event_id);
	return refusal != NULL ? refusal : "undone";
}

/* The run that this undoing is; returns its id. */
static int64
begin_undo(const PoolPlanRun *run, const PoolActor *actor, int n)
{
	Oid			types[4] = {INT8OID, INT4OID, TIMESTAMPTZOID, INT8OID};
	Datum		values[4] = {Int64GetDatum(run->id),
		Int32GetDatum(actor->member_id), TimestampTzGetDatum(pool_now()),
	Int64GetDatum(n)};
	PoolSql		sql = pool_sql_begin();
	int64		id;

	pool_sql_run("INSERT INTO pool.run (id, tenant_id, pool_id, member_id,"
				 " kind, status, actor_id, started_at, planned, detail)"
				 " SELECT nextval('pool.run_id_seq'), r.tenant_id, r.pool_id,"
				 "  r.member_id, 'undo', 'running', nullif($2, 0), $3, $4,"
				 "  jsonb_build_object('run', r.id)"
				 " FROM pool.run r WHERE r.id = $1 RETURNING id",
				 4, types, values, NULL);
	id = pool_sql_int8(0, 1);
	pool_sql_end(sql);
	return id;
}

static PoolPlanRun *
arg_run(PoolCall *call, const PoolActor *actor)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	PoolPlanRun *run;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"run_id\" must not be null"),
				 errdetail("It names the run to undo."),
				 errhint("pool.stat_run shows the runs.")));
	run = pool_plan_find(call, actor, "r.id = $1", INT8OID,
						 PG_GETARG_DATUM(0));
	if (run == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("run %lld does not exist",
						(long long) PG_GETARG_INT64(0)),
				 errdetail("No such run is known to the caller."),
				 errhint("pool.stat_run shows the runs.")));
	return run;
}

/*
 * Who may undo it: whoever manages its pool, which has been seen to; what was
 * taken from one member, all of his pools.
 */
static void
require_right(const PoolPlanRun *run, const PoolActor *actor)
{
	const PoolMemberConf *member = run->member_id == 0 ? NULL :
	pool_config_find_member(run->member_id);

	if (member != NULL)
		pool_require_manager_of(actor, member, true);
	else if (run->pool_id == 0 && actor->member_id != 0)
		pool_plan_refuse(gettext_noop("the run belongs to no pool"),
						 gettext_noop("Only a service undoes what was done in many pools."),
						 gettext_noop("Leave the actor out, as a service."));
}

/*
 * pool.undo_run(run_id, actor, request_id)
 */
Datum
pool_undo_run(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "undo_run");
	PoolActor	actor = pool_resolve_actor(fcinfo, 1);
	PoolPlanWork work = {call, &actor, 0, NULL, check_undone, name_receiver,
	undo_one};
	PoolPlanLead *leads;
	PoolPlanRun *run;
	int			n;

	if (pool_request_replay(call, 2, actor.tenant_id))
		return pool_call_end(call);
	run = arg_run(call, &actor);
	require_right(run, &actor);
	leads = pool_plan_leads(UNDO_SQL, run->id, &n);
	work.arg = run;
	work.run_id = begin_undo(run, &actor, n);
	pool_plan_work(&work, leads, n);
	pool_plan_close(work.run_id, pool_now());
	pool_plan_emit(call, work.run_id);
	return pool_call_end(call);
}
