/*
 * plan.c
 *	  Reclaims that are looked at before they happen: plan_reclaim, apply_plan.
 *
 * A plan is a run with a list of leads, made in one snapshot; nothing else
 * changes.  To apply it is to judge each lead of the list again under its
 * lock: what is no longer due, or no longer in the spell that was planned for,
 * is reported and left alone.  Leads that became due since are not in the list
 * and stay.
 */
#include "plan_run.h"

#include "catalog/pg_type.h"
#include "config_read.h"
#include "errors.h"
#include "judge.h"
#include "release.h"
#include "request.h"
#include "rule.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_reclaim_due);
PG_FUNCTION_INFO_V1(pool_plan_reclaim);
PG_FUNCTION_INFO_V1(pool_apply_plan);

/* ------------------------------------------------------------------------
 * Which leads are due
 * ------------------------------------------------------------------------ */

/*
 * The pool as timers see it; with only this rule, enabled or not, if one is
 * given.  NULL if the rule is gone.
 */
static const PoolConf *
pool_with_rule(int32 pool_id, int32 rule_id)
{
	const PoolConf *pool = pool_config_pool(pool_id);
	PoolConf   *copy;
	PoolTimerRule *rule;

	if (rule_id == 0)
		return pool;
	rule = config_read_timer_rule(CurrentMemoryContext, pool_id, rule_id);
	if (rule == NULL)
		return NULL;
	copy = palloc(sizeof(PoolConf));
	*copy = *pool;
	copy->rules = rule;
	copy->n_rules = 1;
	return copy;
}

/* The pool of a lead, remembered from call to call of one query. */
static const PoolConf *
remembered_pool(FunctionCallInfo fcinfo, int32 pool_id, int32 rule_id)
{
	const PoolConf *pool = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (rule_id == 0)
		return pool_config_pool(pool_id);
	if (pool != NULL && pool->id == pool_id && pool->n_rules == 1 &&
		pool->rules[0].id == rule_id)
		return pool;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = (void *) pool_with_rule(pool_id, rule_id);
	MemoryContextSwitchTo(old);
	return fcinfo->flinfo->fn_extra;
}

/* Of rules that reclaim, the one whose time came first unannounced, or NULL. */
static const PoolTimer *
first_unwarned(const PoolJudgement *j, const PoolTimer *timers)
{
	const PoolTimer *first = NULL;

	for (int i = 0; i < j->pool->n_rules; i++)
	{
		const PoolTimer *timer = &timers[i];

		if (timer->unwarned && timer->verdict == POOL_MATCH &&
			timer->rule->action == POOL_TIMER_RECLAIM &&
			(first == NULL || timer->deadline < first->deadline))
			first = timer;
	}
	return first;
}

/*
 * What reclaims the lead at this time by the rules of `pool`, as the tick would
 * judge; NULL if nothing does.  Its `unwarned` is set where only one thing
 * speaks against it: that the owner has had no notice.
 */
static const PoolTimer *
reclaiming_timer(PoolWork *work, const PoolConf *pool, PoolLead *lead,
				 const PoolData *data, TimestampTz as_of)
{
	PoolJudgement j;
	PoolTimer  *timers;
	const PoolTimer *acting;

	pool_judge_begin(&j, work, GetActiveSnapshot(), lead, data, as_of);
	j.pool = pool;
	timers = pool_judge_all(&j);
	acting = pool_judge_acting(&j, timers);
	if (acting == NULL)
		return first_unwarned(&j, timers);
	return acting->rule->action == POOL_TIMER_RECLAIM ? acting : NULL;
}

/*
 * SQL, for plans: reclaim_due(lead, rule, as_of) -> rule_id, due_at, warned.
 * The rule that has made an owned lead due by then, no row if none.  NULL for
 * the rule: any that is enabled.  Asks nobody who he is, so it is granted to
 * nobody.
 */
Datum
pool_reclaim_due(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "reclaim_due");
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolTable  *table = pool_work_table(call->work, POOL_LEAD_DATA);
	Snapshot	snapshot = GetActiveSnapshot();
	const PoolConf *pool;
	const PoolTimer *timer;
	PoolLead	lead;
	PoolData	data;

	if (!pool_lead_peek(leads, PG_GETARG_INT64(0), snapshot, &lead) ||
		!pool_data_read(table, lead.id, snapshot, &data))
		return pool_call_end(call);
	pool = remembered_pool(fcinfo, lead.pool_id,
						   PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1));
	timer = pool == NULL ? NULL :
		reclaiming_timer(call->work, pool, &lead, &data,
						 PG_GETARG_TIMESTAMPTZ(2));
	if (timer != NULL)
	{
		pool_put(call, 0, Int32GetDatum(timer->rule->id));
		pool_put_time(call, 1,
					  timer->unwarned ? timer->deadline : timer->due_at);
		pool_put(call, 2, BoolGetDatum(!timer->unwarned));
		pool_call_row(call);
	}
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * Making a plan
 * ------------------------------------------------------------------------ */

#define RUN_SQL \
	"INSERT INTO pool.run (id, tenant_id, pool_id, kind, status, token," \
	" actor_id, started_at, expires_at, detail)" \
	" SELECT nextval('pool.run_id_seq'), p.tenant_id, p.id, $3," \
	"  CASE $3 WHEN 'plan' THEN 'planned' ELSE 'held' END," \
	"  gen_random_uuid(), nullif($4, 0), $5, $5 + interval '24 hours'," \
	"  jsonb_strip_nulls(jsonb_build_object('rule_id', nullif($2, 0)," \
	"   'rules', (SELECT count(*) + count(v.valid_to)" \
	"    FROM pool.rule_version v" \
	"    WHERE v.pool_id = p.id AND v.rule <> 'membership')))" \
	" FROM pool.pool p WHERE p.id = $1 RETURNING id"

/*
 * Leads that the tick would not look at are passed over, unless rules have
 * changed since it looked or the rule is not in force.  Where a rule asks for a
 * warning, leads whose owners were not warned in time are listed, but stay.
 */
#define LEADS_SQL \
	"INSERT INTO pool.run_lead (run_id, lead_id, tenant_id, rule_id," \
	" due_at, member_id, outcome)" \
	" SELECT $6, s.id, s.tenant_id, n.due_rule, n.due_at, s.owner_id," \
	"  CASE WHEN NOT n.warned THEN 'not_warned' END" \
	" FROM pool.lead_state s" \
	" CROSS JOIN LATERAL pool.reclaim_due(s.id, nullif($2, 0), $5) n" \
	" WHERE s.pool_id = $1 AND s.owner_id IS NOT NULL" \
	" AND (s.check_at <= $5 OR $2 <> 0 OR EXISTS (" \
	"  SELECT FROM pool.timer_recheck k WHERE k.pool_id = $1))"

#define COUNT_SQL \
	"UPDATE pool.run r SET planned = (SELECT count(*) FROM pool.run_lead l" \
	" WHERE l.run_id = r.id AND l.outcome IS NULL) WHERE r.id = $6"

/*
 * Writes a run with the leads of the pool that timers would reclaim now;
 * returns its id.  rule_id 0 = by any rule.
 */
int64
pool_plan_make(const PoolConf *pool, int32 rule_id, const char *kind,
			   int32 actor_id, TimestampTz now)
{
	Oid			types[6] = {INT4OID, INT4OID, TEXTOID, INT4OID,
	TIMESTAMPTZOID, INT8OID};
	Datum		values[6] = {Int32GetDatum(pool->id), Int32GetDatum(rule_id),
		CStringGetTextDatum(kind), Int32GetDatum(actor_id),
	TimestampTzGetDatum(now)};
	PoolSql		sql = pool_sql_begin();
	int64		id;

	pool_sql_run(RUN_SQL, 5, types, values, NULL);
	id = pool_sql_int8(0, 1);
	values[5] = Int64GetDatum(id);
	pool_sql_run(LEADS_SQL, 6, types, values, NULL);
	pool_sql_run(COUNT_SQL, 6, types, values, NULL);
	pool_sql_end(sql);
	return id;
}

/* The id of a reclaiming rule of the pool, enabled or not; PO007. */
static int32
rule_by_name(const PoolConf *pool, const char *name)
{
	Oid			types[2] = {INT4OID, TEXTOID};
	Datum		values[2] = {Int32GetDatum(pool->id),
	CStringGetTextDatum(name)};
	PoolSql		sql = pool_sql_begin();
	int32		id = 0;

	if (pool_sql_run("SELECT r.id FROM pool.timer_rule r WHERE r.pool_id = $1"
					 " AND r.name = $2 AND r.action = 'reclaim'",
					 2, types, values, NULL) > 0)
		id = pool_sql_int4(0, 1);
	pool_sql_end(sql);
	if (id == 0)
		ereport(ERROR,
				(errcode(POOL_ERRCODE_UNKNOWN_RULE),
				 errmsg("rule \"%.64s\" of pool \"%s\" does not exist",
						pool_cut(name, 64), pool->name),
				 errdetail("The pool has no timer rule of that name whose "
						   "action is reclaim."),
				 errhint("Leave the rule out for all rules of the pool.")));
	return id;
}

#define RESULT_SQL \
	"SELECT 'planned'::text, r.token, r.id, r.expires_at, r.planned," \
	" (SELECT count(*) FROM pool.run_lead l" \
	"  WHERE l.run_id = r.id AND l.outcome = 'not_warned')," \
	" (SELECT coalesce(jsonb_object_agg(g.k, g.n), '{}') FROM (" \
	"  SELECT coalesce(m.key, '') AS k, count(*) AS n" \
	"  FROM pool.run_lead l LEFT JOIN pool.member m ON m.id = l.member_id" \
	"  WHERE l.run_id = r.id AND l.outcome IS NULL GROUP BY 1) g)," \
	" (SELECT coalesce(jsonb_object_agg(g.k, g.n), '{}') FROM (" \
	"  SELECT t.name AS k, count(*) AS n" \
	"  FROM pool.run_lead l JOIN pool.timer_rule t ON t.id = l.rule_id" \
	"  WHERE l.run_id = r.id AND l.outcome IS NULL GROUP BY 1) g)," \
	" (SELECT coalesce(jsonb_object_agg(g.k, g.n), '{}') FROM (" \
	"  SELECT coalesce(d.grade, '') AS k, count(*) AS n" \
	"  FROM pool.run_lead l JOIN pool.lead_data d ON d.id = l.lead_id" \
	"  WHERE l.run_id = r.id AND l.outcome IS NULL GROUP BY 1) g)" \
	" FROM pool.run r WHERE r.id = $1"

static void
emit_plan(PoolCall *call, int64 run_id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(run_id)};

	pool_call_query(call, RESULT_SQL, 1, types, values);
}

/*
 * pool.plan_reclaim(pool, rule, actor, request_id)
 */
Datum
pool_plan_reclaim(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "plan_reclaim");
	PoolActor	actor = pool_resolve_actor(fcinfo, 2);
	const PoolConf *pool = pool_resolve_pool(pool_arg_text(call, 0, "pool"));
	int32		rule_id = 0;

	if (pool_request_replay(call, 3, pool->tenant_id))
		return pool_call_end(call);
	pool_require_manager(&actor, pool->id);
	if (!PG_ARGISNULL(1))
		rule_id = rule_by_name(pool, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	emit_plan(call, pool_plan_make(pool, rule_id, "plan", actor.member_id,
								   pool_now()));
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * Applying it
 * ------------------------------------------------------------------------ */

static const char *
check_planned(void *arg, const PoolLead *lead)
{
	const PoolPlanRun *run = arg;

	return lead->status == POOL_OWNED && lead->pool_id == run->pool_id &&
		lead->owned_at <= run->started_at ? NULL : "gone";
}

static void
name_owner(PoolPlanWork *work, PoolBatch *batch, PoolBatchItem *item,
		   const PoolPlanLead *lead)
{
	pool_quota_add(batch->set, item->lead.pool_id, item->lead.owner_id, false);
}

/*
 * The lead is locked: is it still due by the rule, and in the spell, that it was
 * planned for?
 */
static const char *
apply_one(PoolPlanWork *work, PoolBatch *batch, PoolBatchItem *item,
		  const PoolPlanLead *lead, int64 *event_id)
{
	const PoolPlanRun *run = work->arg;
	const PoolConf *pool = pool_with_rule(run->pool_id, run->rule_id);
	const PoolTimer *timer;
	const PoolTimerRule *rule;
	PoolEvent	event = {.kind = "reclaimed"};
	PoolReclaims reclaims = {0};
	PoolData	data;

	if (item->lead.owner_id != lead->member_id)
		return "gone";
	pool_batch_open(batch, item, &data);
	timer = pool == NULL ? NULL :
		reclaiming_timer(work->call->work, pool, &item->lead, &data,
						 batch->now);
	if (timer == NULL || timer->unwarned || timer->rule->id != lead->rule_id)
		return "no_longer_due";
	rule = timer->rule;
	event.rule_id = rule->id;
	event.actor_id = work->actor->member_id;
	event.reason = CStringGetTextDatum(rule->name);
	batch->reclaims = &reclaims;
	pool_give_back(batch, item,
				   rule->to_pool_id != 0 ?
				   pool_config_pool(rule->to_pool_id) : NULL, &event);
	batch->reclaims = NULL;
	*event_id = reclaims.last_event;
	return "reclaimed";
}

/* Raises 55000 for a plan that may not be applied any more. */
static void
check_plan(const PoolPlanRun *run)
{
	if (strcmp(run->status, "cancelled") == 0 ||
		strcmp(run->status, "expired") == 0 || run->expired)
		pool_plan_refuse(gettext_noop("the plan has expired"),
						 gettext_noop("A plan is good for 24 hours, and a held "
									  "run until it is resumed."),
						 gettext_noop("Make a new one with pool.plan_reclaim()."));
	if (run->changed)
		pool_plan_refuse(gettext_noop("the rules of the pool have changed since the plan was made"),
						 gettext_noop("The list of the plan is not what they say now."),
						 gettext_noop("Make a new one with pool.plan_reclaim()."));
}

static PoolPlanRun *
arg_plan(PoolCall *call, const PoolActor *actor)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	PoolPlanRun *run;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"token\" must not be null"),
				 errdetail("It names the plan to apply."),
				 errhint("Pass the token that pool.plan_reclaim() returned.")));
	run = pool_plan_find(call, actor, "r.token = $1", UUIDOID,
						 PG_GETARG_DATUM(0));
	if (run == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no plan has this token"),
				 errdetail("Tokens are those of plans and of held runs."),
				 errhint("Make a plan with pool.plan_reclaim().")));
	return run;
}

/*
 * pool.apply_plan(token, actor, request_id)
 */
Datum
pool_apply_plan(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "apply_plan");
	PoolActor	actor = pool_resolve_actor(fcinfo, 1);
	PoolPlanLead *leads;
	PoolPlanRun *run;
	int			n;

	if (pool_request_replay(call, 2, actor.tenant_id))
		return pool_call_end(call);
	run = arg_plan(call, &actor);
	if (strcmp(run->status, "done") != 0)
	{
		PoolPlanWork work = {call, &actor, run->id, run, check_planned,
		name_owner, apply_one};

		check_plan(run);
		leads = pool_plan_leads("SELECT l.lead_id, NULL::bigint, l.member_id,"
								" NULL::integer, l.rule_id FROM pool.run_lead l"
								" WHERE l.run_id = $1 AND (l.outcome IS NULL"
								"  OR l.outcome = 'contended')"
								" ORDER BY l.lead_id", run->id, &n);
		pool_plan_work(&work, leads, n);
		pool_plan_close(run->id, pool_now());
	}
	pool_plan_emit(call, run->id);
	return pool_call_end(call);
}
