/*
 * offboard.c
 *	  Members leave or change their post: offboard, relocate, cancel_run.
 *
 * The call that begins a run only writes its row and, for offboard, the status
 * of the member, which takes all his counters: nothing can be given to him
 * once that is committed.  The leads are left to ticks and to further calls
 * (run.c), since whoever holds counters must not take others'.
 */
#include "result.h"

#include "catalog/pg_type.h"
#include "guc.h"
#include "people.h"
#include "request.h"
#include "rule.h"
#include "run.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "wake.h"

PG_FUNCTION_INFO_V1(pool_offboard);
PG_FUNCTION_INFO_V1(pool_relocate);
PG_FUNCTION_INFO_V1(pool_cancel_run);

/* columns of the result */
enum
{
	OUTCOME, RUN_COLUMN, PLANNED, DONE, SKIPPED
};

/* What is asked for. */
typedef struct Removal
{
	const char *kind;			/* offboard or relocate */
	PoolActor	actor;
	const PoolMemberConf *member;
	const PoolMemberConf *successor;	/* NULL = none */
	const PoolConf *to_pool;	/* NULL = the lead's own */
	JsonPath   *condition;		/* NULL = all leads */
} Removal;

/* ------------------------------------------------------------------------
 * Arguments
 * ------------------------------------------------------------------------ */

static void
check_target(const Removal *r)
{
	if (r->successor != NULL && r->successor->id == r->member->id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member \"%s\" cannot be his own successor",
						r->member->key),
				 errdetail("His leads are to go to somebody else."),
				 errhint("Name another member, or none.")));
	if ((r->successor != NULL &&
		 r->successor->tenant_id != r->member->tenant_id) ||
		(r->to_pool != NULL && r->to_pool->tenant_id != r->member->tenant_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the leads of member \"%s\" cannot go to another tenant",
						r->member->key),
				 errdetail("Leads, members and pools of different tenants never meet."),
				 errhint("Name a successor and a pool of his tenant.")));
}

static void
resolve_removal(PoolCall *call, int successor_argno, int pool_argno,
				int actor_argno, Removal *r)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	r->actor = pool_resolve_actor(fcinfo, actor_argno);
	r->member = pool_resolve_member(pool_arg_text(call, 0, "member"));
	r->successor = PG_ARGISNULL(successor_argno) ? NULL :
		pool_resolve_member(PG_GETARG_TEXT_PP(successor_argno));
	r->to_pool = pool_arg_pool(call, pool_argno);
	check_target(r);
	if (r->condition != NULL)
		pool_rule_check_argument(r->condition);
	pool_require_manager_of(&r->actor, r->member, true);
	if (r->to_pool != NULL)
		pool_require_manager(&r->actor, r->to_pool->id);
}

/* ------------------------------------------------------------------------
 * Beginning a run
 * ------------------------------------------------------------------------ */

/*
 * Keeps others from beginning one for the same member, and looks for the run
 * that is under way.  Returns its id, 0 if there is none; *same tells whether
 * it is of the kind asked for.
 */
static int64
find_run(const Removal *r, bool *same)
{
	Oid			types[2] = {INT4OID, TEXTOID};
	Datum		values[2] = {Int32GetDatum(r->member->id),
	CStringGetTextDatum(r->kind)};
	PoolSql		sql = pool_sql_begin();
	int64		id = 0;

	pool_sql_run("SELECT FROM pool.member WHERE id = $1 FOR NO KEY UPDATE",
				 1, types, values, NULL);
	if (pool_sql_run("SELECT id, kind = $2 FROM pool.run"
					 " WHERE member_id = $1 AND status = 'running'"
					 " AND " POOL_RUN_KINDS, 2, types, values, NULL) > 0)
	{
		bool		isnull;

		id = pool_sql_int8(0, 1);
		*same = DatumGetBool(pool_sql_datum(0, 2, &isnull));
	}
	pool_sql_end(sql);
	return id;
}

/* What the run is to do, and what the member was before. */
static Jsonb *
describe(const Removal *r, const char *status)
{
	PoolDetail	detail;
	char	   *path;

	pool_detail_begin(&detail);
	pool_detail_text(&detail, "status", status, strlen(status));
	if (r->successor != NULL)
		pool_detail_int(&detail, "successor", r->successor->id);
	if (r->condition != NULL)
	{
		path = DatumGetCString(DirectFunctionCall1(jsonpath_out,
												   PointerGetDatum(r->condition)));
		pool_detail_text(&detail, "condition", path, strlen(path));
	}
	return pool_detail_end(&detail);
}

/*
 * The status of the member, whose row is locked; NULL if he has left and holds
 * nothing.  For offboard it is leaving from here on, and his counters are ours.
 */
static char *
change_status(const Removal *r)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(r->member->id)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	char	   *before = NULL;

	if (pool_sql_run("SELECT m.status FROM pool.member m WHERE m.id = $1"
					 " AND (m.status <> 'left' OR EXISTS"
					 "  (SELECT FROM pool.membership_state s"
					 "   WHERE s.member_id = m.id AND s.held > 0))",
					 1, types, values, NULL) > 0)
		before = MemoryContextStrdup(context,
									 SPI_getvalue(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1));
	if (before != NULL && strcmp(r->kind, "offboard") == 0)
	{
		pool_sql_run("UPDATE pool.member SET status = 'leaving'"
					 " WHERE id = $1", 1, types, values, NULL);
		pool_quota_note_held();
	}
	pool_sql_end(sql);
	return before;
}

/*
 * Writes the row of a new run; returns its id, 0 if there is nothing to do.
 * 40001, by ON CONFLICT, where one is under way that the snapshot of a higher
 * level is too old for.
 */
static int64
begin_run(const Removal *r, TimestampTz now)
{
	char	   *status = change_status(r);
	Oid			types[6] = {INT4OID, INT4OID, TEXTOID, INT4OID,
	TIMESTAMPTZOID, JSONBOID};
	Datum		values[6] = {Int32GetDatum(r->member->id),
		Int32GetDatum(r->to_pool != NULL ? r->to_pool->id : 0),
		CStringGetTextDatum(r->kind), Int32GetDatum(r->actor.member_id),
	TimestampTzGetDatum(now)};
	char		nulls[] = {' ', r->to_pool != NULL ? ' ' : 'n', ' ',
	r->actor.member_id != 0 ? ' ' : 'n', ' ', ' ', '\0'};
	PoolSql		sql;
	int64		id;

	if (status == NULL)
		return 0;
	values[5] = JsonbPGetDatum(describe(r, status));
	sql = pool_sql_begin();
	pool_wake_now();
	pool_sql_run("INSERT INTO pool.run (id, tenant_id, pool_id, member_id,"
				 " kind, status, actor_id, started_at, planned, detail)"
				 " SELECT nextval('pool.run_id_seq'), m.tenant_id, $2, m.id,"
				 " $3, 'running', $4, $5, (SELECT coalesce(sum(s.held), 0)"
				 "  FROM pool.membership_state s WHERE s.member_id = $1), $6"
				 " FROM pool.member m WHERE m.id = $1"
				 " ON CONFLICT DO NOTHING RETURNING id",
				 6, types, values, nulls);
	id = pool_sql_int8(0, 1);
	pool_sql_end(sql);
	return id;
}

/* One row: outcome, and how far the run is. */
static Datum
emit_run(PoolCall *call, const char *outcome, int64 id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	PoolSql		sql = pool_sql_begin();

	if (pool_sql_run("SELECT id, planned, done, skipped FROM pool.run"
					 " WHERE id = $1", 1, types, values, NULL) > 0)
		for (int i = 0; i < 4; i++)
		{
			bool		isnull;

			pool_put(call, RUN_COLUMN + i,
					 pool_sql_datum(0, i + 1, &isnull));
		}
	pool_sql_end(sql);
	pool_put_text(call, OUTCOME, outcome);
	pool_call_row(call);
	return pool_call_end(call);
}

/* Begins the run, or goes on with it. */
static Datum
remove_leads(PoolCall *call, const Removal *r)
{
	static const char *const outcomes[] = {
		[POOL_RUN_BUSY] = "contended",
		[POOL_RUN_WAITS] = "running",
		[POOL_RUN_GOES_ON] = "running",
		[POOL_RUN_DONE] = "done",
		[POOL_RUN_CANCELLED] = "cancelled"
	};
	bool		same = true;
	int64		looked_at;
	int64		id = find_run(r, &same);

	if (id == 0)
	{
		id = begin_run(r, pool_now());
		return emit_run(call, id != 0 ? "running" : "left", id);
	}
	if (!same)
		return emit_run(call, "busy", id);
	return emit_run(call, outcomes[pool_run_step(id, pool_worker_batch,
												 pool_now(), &looked_at)], id);
}

/*
 * pool.offboard(member, successor, to_pool, actor, request_id)
 */
Datum
pool_offboard(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "offboard");
	Removal		r = {.kind = "offboard"};

	resolve_removal(call, 1, 2, 3, &r);
	if (pool_request_replay(call, 4, r.member->tenant_id))
		return pool_call_end(call);
	return remove_leads(call, &r);
}

/*
 * pool.relocate(member, condition, to_pool, successor, actor, request_id)
 */
Datum
pool_relocate(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "relocate");
	Removal		r = {.kind = "relocate"};

	if (!PG_ARGISNULL(1))
		r.condition = PG_GETARG_JSONPATH_P(1);
	resolve_removal(call, 3, 2, 4, &r);
	if (pool_request_replay(call, 5, r.member->tenant_id))
		return pool_call_end(call);
	return remove_leads(call, &r);
}

/* ------------------------------------------------------------------------
 * Stopping one
 * ------------------------------------------------------------------------ */

/* Whom the run is about, NULL if the caller may not know of it. */
static const PoolMemberConf *
member_of_run(const PoolActor *actor, int64 id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	PoolSql		sql = pool_sql_begin();
	const PoolMemberConf *member = NULL;
	int32		member_id = 0;

	if (pool_sql_run("SELECT member_id FROM pool.run WHERE id = $1"
					 " AND " POOL_RUN_KINDS, 1, types, values, NULL) > 0)
		member_id = pool_sql_int4(0, 1);
	pool_sql_end(sql);
	if (member_id != 0)
		member = pool_config_find_member(member_id);
	return member != NULL && pool_actor_sees(actor, member->tenant_id) ?
		member : NULL;
}

/* Stops a run; who was to leave is again what he was before. */
static const char *
cancel(int64 id, TimestampTz now)
{
	Oid			types[2] = {INT8OID, TIMESTAMPTZOID};
	Datum		values[2] = {Int64GetDatum(id), TimestampTzGetDatum(now)};
	PoolSql		sql = pool_sql_begin();
	const char *outcome = "not_running";

	if (pool_sql_run("UPDATE pool.run SET status = 'cancelled', ended_at = $2"
					 " WHERE id = $1 AND status = 'running'",
					 2, types, values, NULL) > 0)
	{
		outcome = "cancelled";
		pool_sql_run("UPDATE pool.member m SET status = r.detail ->> 'status'"
					 " FROM pool.run r WHERE r.id = $1 AND m.id = r.member_id"
					 " AND r.kind = 'offboard' AND m.status = 'leaving'",
					 1, types, values, NULL);
		pool_quota_note_held();
	}
	pool_sql_end(sql);
	return outcome;
}

/*
 * pool.cancel_run(run, actor, request_id)
 */
Datum
pool_cancel_run(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "cancel_run");
	PoolActor	actor = pool_resolve_actor(fcinfo, 1);
	const PoolMemberConf *member;
	int64		id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"run\" must not be null"),
				 errdetail("It names the run to stop."),
				 errhint("offboard() and relocate() return it.")));
	id = PG_GETARG_INT64(0);
	member = member_of_run(&actor, id);
	if (member != NULL)
		pool_require_manager_of(&actor, member, true);
	if (pool_request_replay(call, 2, member != NULL ?
							member->tenant_id : actor.tenant_id))
		return pool_call_end(call);
	pool_put_text(call, 0, member != NULL ?
				  cancel(id, pool_now()) : "not_found");
	pool_put(call, 1, Int64GetDatum(id));
	pool_call_row(call);
	return pool_call_end(call);
}
