/*
 * people.c
 *	  Members who are away: set_away, set_active, and the end of an absence.
 *
 * The status is a column of pool.member, changed as by plain SQL: the trigger
 * there takes all counters of the member, so that nothing is on its way to him
 * once the change is committed.
 */
#include "result.h"

#include "attempt.h"
#include "catalog/pg_type.h"
#include "errors.h"
#include "miscadmin.h"
#include "people.h"
#include "request.h"
#include "sql.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_set_away);
PG_FUNCTION_INFO_V1(pool_set_active);

/* ------------------------------------------------------------------------
 * Who may
 * ------------------------------------------------------------------------ */

/*
 * The pools (ids) the member belongs to or holds leads in; with `open` those
 * that everyone belongs to as well.
 */
static List *
pools_of(const PoolMemberConf *member, bool open)
{
	Oid			types[3] = {INT4OID, INT4OID, BOOLOID};
	Datum		values[3] = {Int32GetDatum(member->id),
	Int32GetDatum(member->tenant_id), BoolGetDatum(open)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	uint64		n = pool_sql_run("SELECT pool_id FROM pool.membership"
								 " WHERE member_id = $1"
								 " UNION SELECT pool_id"
								 " FROM pool.membership_state"
								 " WHERE member_id = $1 AND held > 0"
								 " UNION SELECT id FROM pool.pool"
								 " WHERE $3 AND everyone AND tenant_id = $2",
								 3, types, values, NULL);
	List	   *result = NIL;

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);

		result = lappend_int(result, pool_sql_int4(i, 1));
		MemoryContextSwitchTo(spi);
	}
	pool_sql_end(sql);
	return result;
}

/*
 * Raises PO005 unless the actor manages a pool of the member, or all of them.
 */
void
pool_require_manager_of(const PoolActor *actor, const PoolMemberConf *member,
						bool all)
{
	List	   *pools;
	ListCell   *lc;
	int			managed = 0;

	if (actor->member_id == 0)
		return;
	pools = pools_of(member, !all);
	foreach(lc, pools)
		managed += pool_actor_manages(actor, lfirst_int(lc));
	if (managed > 0 && (!all || managed == list_length(pools)))
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_MANAGER_NEEDED),
			 errmsg("member \"%s\" is not a manager of member \"%s\"",
					pool_config_member(actor->member_id)->key, member->key),
			 all ?
			 errdetail("This needs a manager of all pools the member belongs to or holds leads in.") :
			 errdetail("This needs a manager of one of the member's pools."),
			 errhint("Ask a manager further up, or a service account.")));
}

/* ------------------------------------------------------------------------
 * Away and back
 * ------------------------------------------------------------------------ */

/* A change of status that has been asked for. */
typedef struct Change
{
	const PoolMemberConf *member;
	const char *status;			/* away or active */
	TimestampTz until;			/* POOL_NO_TIME = open end */
} Change;

/*
 * Changes the status; returns the outcome.  Whoever leaves or has left is not
 * brought back by it.
 */
static const char *
change_status(const Change *c)
{
	Oid			types[3] = {INT4OID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[3] = {Int32GetDatum(c->member->id),
		CStringGetTextDatum(c->status),
	TimestampTzGetDatum(c->until)};
	const char *nulls = c->until == POOL_NO_TIME ? "  n" : "   ";
	const char *outcome = "not_found";
	PoolSql		sql = pool_sql_begin();

	if (pool_sql_run("SELECT CASE WHEN m.status IN ('leaving', 'left')"
					 "  THEN m.status WHEN m.status = $2"
					 "   AND m.away_until IS NOT DISTINCT FROM $3"
					 "  THEN 'already' END"
					 " FROM pool.member m WHERE m.id = $1 FOR NO KEY UPDATE",
					 3, types, values, nulls) > 0)
	{
		char	   *refusal = SPI_getvalue(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1);

		if (refusal != NULL)
			outcome = strcmp(refusal, "left") == 0 ? "left" :
				strcmp(refusal, "leaving") == 0 ? "leaving" : "already";
		else
		{
			pool_sql_run("UPDATE pool.member SET status = $2,"
						 " away_until = $3 WHERE id = $1",
						 3, types, values, nulls);
			pool_quota_note_held();
			outcome = c->status;
		}
	}
	pool_sql_end(sql);
	return outcome;
}

/* Whoever it is about, and whoever says so, who may. */
static const PoolMemberConf *
resolve_person(PoolCall *call, int actor_argno, PoolActor *actor)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	const PoolMemberConf *member;

	member = PG_ARGISNULL(0) ? pool_resolve_self(fcinfo, 0) :
		pool_resolve_member(PG_GETARG_TEXT_PP(0));
	*actor = pool_resolve_actor(fcinfo, actor_argno);
	if (actor->member_id != member->id)
		pool_require_manager_of(actor, member, false);
	return member;
}

static Datum
finish(PoolCall *call, const Change *c)
{
	pool_put_text(call, 0, change_status(c));
	pool_put_text(call, 1, c->member->key);
	pool_call_row(call);
	return pool_call_end(call);
}

/*
 * pool.set_away(member, until, actor, request_id)
 */
Datum
pool_set_away(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "set_away");
	PoolActor	actor;
	Change		c = {resolve_person(call, 2, &actor), "away", POOL_NO_TIME};

	if (!PG_ARGISNULL(1))
	{
		c.until = PG_GETARG_TIMESTAMPTZ(1);
		pool_check_time(c.until, "until");
	}
	if (pool_request_replay(call, 3, c.member->tenant_id))
		return pool_call_end(call);
	if (c.until != POOL_NO_TIME && c.until <= pool_now())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the end of an absence is in the past"),
				 errdetail("until is %s.", timestamptz_to_str(c.until)),
				 errhint("Pass a later time, or NULL for an open end.")));
	return finish(call, &c);
}

/*
 * pool.set_active(member, actor, request_id)
 */
Datum
pool_set_active(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "set_active");
	PoolActor	actor;
	Change		c = {resolve_person(call, 1, &actor), "active", POOL_NO_TIME};

	if (pool_request_replay(call, 2, c.member->tenant_id))
		return pool_call_end(call);
	return finish(call, &c);
}

/* ------------------------------------------------------------------------
 * The tick's task
 * ------------------------------------------------------------------------ */

/* Whether any absence is over: one look at the index, each tick. */
static bool
is_due(TimestampTz now)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *members = pool_work_table(work, POOL_MEMBER);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan;
	ScanKeyData key;
	bool		due;

	ScanKeyInit(&key, 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(now));
	scan = pool_index_beginscan(members->rel,
								pool_work_index(members, POOL_MEMBER_ABSENCE),
								snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	due = index_getnext_slot(scan, ForwardScanDirection, members->old);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	return due;
}

/* Members whose absence is over, locked. */
typedef struct Ends
{
	Datum	   *ids;
	int64		done;
} Ends;

static int
collect_due(int max, TimestampTz now, int32 after, Ends *ends)
{
	Oid			types[3] = {TIMESTAMPTZOID, INT4OID, INT4OID};
	Datum		values[3] = {TimestampTzGetDatum(now), Int32GetDatum(max),
	Int32GetDatum(after)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	int			n = pool_sql_run("SELECT m.id FROM pool.member m"
								 " WHERE m.status = 'away'"
								 " AND m.away_until <= $1 AND m.id > $3"
								 " ORDER BY m.id LIMIT $2"
								 " FOR NO KEY UPDATE SKIP LOCKED",
								 3, types, values, NULL);

	ends->ids = MemoryContextAlloc(context, Max(n, 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
		ends->ids[i] = Int32GetDatum(pool_sql_int4(i, 1));
	pool_sql_end(sql);
	return n;
}

static void
end_some(void *arg, int from, int n)
{
	Ends	   *ends = arg;
	Oid			types[1] = {INT4ARRAYOID};
	Datum		values[1] = {PointerGetDatum(construct_array(&ends->ids[from], n,
															 INT4OID,
															 sizeof(int32), true,
															 TYPALIGN_INT))};
	PoolSql		sql = pool_sql_begin();

	ends->done +=
		pool_sql_run("WITH held AS MATERIALIZED ("
					 " SELECT s.member_id FROM pool.membership_state s"
					 " WHERE s.member_id = ANY ($1)"
					 " ORDER BY s.pool_id, s.member_id"
					 " FOR NO KEY UPDATE SKIP LOCKED)"
					 " UPDATE pool.member m"
					 " SET status = 'active', away_until = NULL"
					 " WHERE m.id = ANY ($1)"
					 " AND (SELECT count(*) FROM held h"
					 "  WHERE h.member_id = m.id) ="
					 " (SELECT count(*) FROM pool.membership_state c"
					 "  WHERE c.member_id = m.id)", 1, types, values, NULL);
	pool_sql_end(sql);
}

static void
fail_one(void *arg, int which, const ErrorData *error)
{
	Ends	   *ends = arg;

	pool_attempt_report(error,
						psprintf(pool_text("end of the absence of member %d"),
								 DatumGetInt32(ends->ids[which])), 0);
}

static void
try_some(Ends *ends, int n)
{
	PoolParts	parts = {.arg = ends,.work = end_some,.failed = fail_one};
	ErrorData  *error = pool_attempt_parts(&parts, n);

	if (error != NULL)
		pool_attempt_report(error, pool_text("end of absences"), 0);
}

/*
 * Ends absences whose time is over.  Waits for nobody: whose counters are held
 * just now, or who cannot be changed, comes back at the next tick.  As long as
 * there are only such, it looks further: they keep no others away.
 */
PoolTickResult
pool_people_run(int max, TimestampTz now)
{
	PoolTickResult result = {0, false};
	Ends		ends = {0};
	int32		after = 0;
	int			n;

	if (pool_index_unused(POOL_MEMBER_ABSENCE) || !is_due(now))
		return result;
	do
	{
		CHECK_FOR_INTERRUPTS();
		n = collect_due(max, now, after, &ends);
		if (n == 0)
			break;
		after = DatumGetInt32(ends.ids[n - 1]);
		try_some(&ends, n);
	} while (n == max && ends.done == 0);
	if (after != 0)
		pool_quota_note_held();
	result.done = ends.done;
	result.more = n == max && result.done > 0;
	return result;
}
