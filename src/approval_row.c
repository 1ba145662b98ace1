/*
 * approval_row.c
 *	  Rows of approval: found, made, written.
 *
 * The only writer of approval.
 */
#include "compat.h"
#include "approval.h"

#include "catalog/pg_type.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "wake.h"

static Datum
copy_text(Datum value)
{
	return PointerGetDatum(DatumGetTextPCopy(value));
}

static void
read_approval(TupleTableSlot *slot, PoolApproval *a)
{
	Datum	   *v;
	bool	   *n;

	slot_getallattrs(slot);
	v = slot->tts_values;
	n = slot->tts_isnull;
#define GET(attnum, convert, if_null) \
	(n[(attnum) - 1] ? (if_null) : convert(v[(attnum) - 1]))
	a->id = DatumGetInt64(v[APPROVAL_ID - 1]);
	a->lead_id = DatumGetInt64(v[APPROVAL_LEAD_ID - 1]);
	a->tenant_id = DatumGetInt32(v[APPROVAL_TENANT_ID - 1]);
	a->pool_id = DatumGetInt32(v[APPROVAL_POOL_ID - 1]);
	a->action = TextDatumGetCString(v[APPROVAL_ACTION - 1]);
	a->status = TextDatumGetCString(v[APPROVAL_STATUS - 1]);
	a->step = DatumGetInt32(v[APPROVAL_STEP - 1]);
	a->min_level = DatumGetInt32(v[APPROVAL_MIN_LEVEL - 1]);
	a->applicant_id = GET(APPROVAL_APPLICANT_ID, DatumGetInt32, 0);
	a->member_id = GET(APPROVAL_MEMBER_ID, DatumGetInt32, 0);
	a->to_pool_id = GET(APPROVAL_TO_POOL_ID, DatumGetInt32, 0);
	a->from_rule_id = GET(APPROVAL_FROM_RULE_ID, DatumGetInt32, 0);
	a->decided_by = GET(APPROVAL_DECIDED_BY, DatumGetInt32, 0);
	a->claims = GET(APPROVAL_CLAIMS, DatumGetInt32, -1);
	a->reason = GET(APPROVAL_REASON, copy_text, (Datum) 0);
	a->note = GET(APPROVAL_NOTE, copy_text, (Datum) 0);
	a->created_at = GET(APPROVAL_CREATED_AT, DatumGetTimestampTz,
						POOL_NO_TIME);
	a->expires_at = GET(APPROVAL_EXPIRES_AT, DatumGetTimestampTz,
						POOL_NO_TIME);
	a->decided_at = GET(APPROVAL_DECIDED_AT, DatumGetTimestampTz,
						POOL_NO_TIME);
#undef GET
	a->span = NULL;
	if (!n[APPROVAL_SPAN - 1])
	{
		a->span = palloc(sizeof(Interval));
		*a->span = *DatumGetIntervalP(v[APPROVAL_SPAN - 1]);
	}
}

static void
form_approval(const PoolApproval *a, Datum *v, bool *n)
{
#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
#define PUT_ID(attnum, id) PUT(attnum, Int32GetDatum(id), (id) == 0)
#define PUT_TIME(attnum, at) \
	PUT(attnum, TimestampTzGetDatum(at), (at) == POOL_NO_TIME)
	PUT(APPROVAL_ID, Int64GetDatum(a->id), false);
	PUT(APPROVAL_TENANT_ID, Int32GetDatum(a->tenant_id), false);
	PUT(APPROVAL_POOL_ID, Int32GetDatum(a->pool_id), false);
	PUT(APPROVAL_LEAD_ID, Int64GetDatum(a->lead_id), false);
	PUT(APPROVAL_ACTION, CStringGetTextDatum(a->action), false);
	PUT(APPROVAL_STATUS, CStringGetTextDatum(a->status), false);
	PUT(APPROVAL_STEP, Int32GetDatum(a->step), false);
	PUT(APPROVAL_MIN_LEVEL, Int32GetDatum(a->min_level), false);
	PUT_ID(APPROVAL_APPLICANT_ID, a->applicant_id);
	PUT_ID(APPROVAL_MEMBER_ID, a->member_id);
	PUT_ID(APPROVAL_TO_POOL_ID, a->to_pool_id);
	PUT_ID(APPROVAL_FROM_RULE_ID, a->from_rule_id);
	PUT_ID(APPROVAL_DECIDED_BY, a->decided_by);
	PUT(APPROVAL_CLAIMS, Int32GetDatum(a->claims), a->claims < 0);
	PUT(APPROVAL_REASON, a->reason, a->reason == 0);
	PUT(APPROVAL_NOTE, a->note, a->note == 0);
	PUT(APPROVAL_SPAN, IntervalPGetDatum(a->span), a->span == NULL);
	PUT_TIME(APPROVAL_CREATED_AT, a->created_at);
	PUT_TIME(APPROVAL_EXPIRES_AT, a->expires_at);
	PUT_TIME(APPROVAL_DECIDED_AT, a->decided_at);
#undef PUT
#undef PUT_ID
#undef PUT_TIME
}

/* False if the snapshot sees no such request. */
bool
pool_approval_read(PoolWork *work, int64 id, PoolApproval *a)
{
	PoolTable  *table = pool_work_table(work, POOL_APPROVAL);

	if (!pool_table_find(table, POOL_APPROVAL_PKEY, pool_snapshot(),
						 &pool_key_int8(id), 1))
		return false;
	read_approval(table->old, a);
	return true;
}

/* The open request of this kind for the lead; there is one at most. */
bool
pool_approval_find_open(PoolWork *work, int64 lead_id, const char *action,
						PoolApproval *a)
{
	PoolTable  *table = pool_work_table(work, POOL_APPROVAL);
	PoolKey		keys[2] = {pool_key_int8(lead_id),
	pool_key_text(CStringGetTextDatum(action))};

	if (!pool_table_find(table, POOL_APPROVAL_OPEN, pool_snapshot(),
						 keys, 2))
		return false;
	read_approval(table->old, a);
	return true;
}

/* Whether any request about leads of the pool is open. */
bool
pool_approval_any_open(PoolWork *work, int32 pool_id)
{
	return pool_table_find(pool_work_table(work, POOL_APPROVAL),
						   POOL_APPROVAL_POOL, pool_snapshot(),
						   &pool_key_int4(pool_id), 1);
}

/*
 * How many leads of the pool open requests keep for this member, 0 = for each
 * for whom there are any: those he has asked to claim, until the request's time
 * is over, and those that routing rules have suggested.  Returns the number of
 * members, *kept is in the caller's memory.
 */
int
pool_approval_kept(int32 pool_id, int32 member_id, TimestampTz now,
				   PoolKept **kept)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[3] = {INT4OID, INT4OID, TIMESTAMPTZOID};
	Datum		values[3] = {Int32GetDatum(pool_id), Int32GetDatum(member_id),
	TimestampTzGetDatum(now)};
	PoolSql		sql = pool_sql_begin();
	uint64		n = pool_sql_run("SELECT a.member_id, count(*)::integer"
								 " FROM pool.approval a"
								 " JOIN pool.lead_state s ON s.id = a.lead_id"
								 "  AND s.pool_id = a.pool_id"
								 "  AND s.reserved_for = a.member_id"
								 " WHERE a.status = 'open' AND a.pool_id = $1"
								 " AND (a.member_id = $2 OR $2 = 0)"
								 " AND (a.action = 'claim'"
								 "  AND s.hidden_until > $3"
								 "  OR a.action = 'assign'"
								 "  AND a.from_rule_id IS NOT NULL)"
								 " GROUP BY a.member_id",
								 3, types, values, NULL);

	*kept = MemoryContextAlloc(caller, (n + 1) * sizeof(PoolKept));
	for (uint64 row = 0; row < n; row++)
	{
		(*kept)[row].member_id = pool_sql_int4(row, 1);
		(*kept)[row].n = pool_sql_int4(row, 2);
	}
	pool_sql_end(sql);
	return n;
}

/* Raises 40001 if there is one that is too new for this snapshot. */
static void
require_none_open(PoolWork *work, const PoolApproval *a)
{
	PoolTable  *table = pool_work_table(work, POOL_APPROVAL);
	PoolKey		keys[2] = {pool_key_int8(a->lead_id),
	pool_key_text(CStringGetTextDatum(a->action))};
	Snapshot	latest = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(table->rel)));

	if (pool_table_find(table, POOL_APPROVAL_OPEN, latest, keys, 2))
		pool_report_serialization();
	UnregisterSnapshot(latest);
}

/* Gives it an id and writes it; its lead is locked. */
void
pool_approval_insert(PoolWork *work, PoolApproval *a)
{
	Datum		values[APPROVAL_NATTS];
	bool		nulls[APPROVAL_NATTS];

	if (IsolationUsesXactSnapshot())
		require_none_open(work, a);
	a->id = pool_sequence_new_id(POOL_APPROVAL_ID_SEQ);
	form_approval(a, values, nulls);
	pool_table_insert(pool_work_table(work, POOL_APPROVAL), values, nulls);
	/* the worker finds out when it expires or a rule escalates it */
	pool_wake_now();
}

/*
 * Writes what has become of it.  Raises 40001 where this snapshot is too old.
 */
void
pool_approval_update(PoolWork *work, const PoolApproval *a)
{
	PoolTable  *table = pool_work_table(work, POOL_APPROVAL);
	Snapshot	snapshot = pool_snapshot();
	Datum		values[APPROVAL_NATTS];
	bool		nulls[APPROVAL_NATTS];

	if (!pool_table_find(table, POOL_APPROVAL_PKEY, snapshot,
						 &pool_key_int8(a->id), 1) ||
		pool_table_lock(table, &table->old->tts_tid, snapshot,
						LockWaitBlock) != TM_Ok)
		pool_report_serialization();
	form_approval(a, values, nulls);
	pool_table_update(table, values, nulls);
}
