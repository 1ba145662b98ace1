/*
 * quota_row.c
 *	  The row of a member's counters in a pool: found, made, locked, written.
 */
#include "compat.h"
#include "quota_row.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "quota_place.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

static PoolMemberStatus
status_from_datum(Datum value)
{
	char	   *name = TextDatumGetCString(value);

	if (strcmp(name, "active") == 0)
		return POOL_MEMBER_ACTIVE;
	if (strcmp(name, "away") == 0)
		return POOL_MEMBER_AWAY;
	if (strcmp(name, "removed") == 0)
		return POOL_MEMBER_REMOVED;
	return POOL_MEMBER_GONE;
}

static void
read_quota(TupleTableSlot *slot, PoolQuota *quota)
{
	Datum	   *v;
	bool	   *n;

	slot_getallattrs(slot);
	v = slot->tts_values;
	n = slot->tts_isnull;
#define GET(attnum, convert, if_null) \
	(n[(attnum) - 1] ? (if_null) : convert(v[(attnum) - 1]))
	quota->spells = GET(MEMBERSHIP_STATE_SPELLS, DatumGetInt64, 0);
	quota->day_event = GET(MEMBERSHIP_STATE_DAY_EVENT, DatumGetInt64, 0);
	quota->day_until = GET(MEMBERSHIP_STATE_DAY_UNTIL, DatumGetTimestampTz,
						   POOL_NO_TIME);
	quota->last_claim_at = GET(MEMBERSHIP_STATE_LAST_CLAIM_AT,
							   DatumGetTimestampTz, POOL_NO_TIME);
	quota->pool_id = GET(MEMBERSHIP_STATE_POOL_ID, DatumGetInt32, 0);
	quota->member_id = GET(MEMBERSHIP_STATE_MEMBER_ID, DatumGetInt32, 0);
	quota->tenant_id = GET(MEMBERSHIP_STATE_TENANT_ID, DatumGetInt32, 0);
	quota->held = GET(MEMBERSHIP_STATE_HELD, DatumGetInt32, 0);
	quota->claimed = GET(MEMBERSHIP_STATE_CLAIMED, DatumGetInt32, 0);
	quota->day = GET(MEMBERSHIP_STATE_DAY, DatumGetDateADT, DATEVAL_NOBEGIN);
	quota->member_limit = GET(MEMBERSHIP_STATE_MEMBER_LIMIT, DatumGetInt32,
							  POOL_NO_LIMIT);
#undef GET
	quota->status = status_from_datum(v[MEMBERSHIP_STATE_STATUS - 1]);
	quota->status_text = PointerGetDatum(PG_DETOAST_DATUM_COPY(v[MEMBERSHIP_STATE_STATUS - 1]));
	quota->tid = slot->tts_tid;
	quota->previous_claim_at = quota->last_claim_at;
	quota->changes = 0;
}

static void
form_quota(const PoolQuota *quota, Datum *v, bool *n)
{
#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
	PUT(MEMBERSHIP_STATE_SPELLS, Int64GetDatum(quota->spells), false);
	PUT(MEMBERSHIP_STATE_DAY_EVENT, Int64GetDatum(quota->day_event),
		quota->day_event == 0);
	PUT(MEMBERSHIP_STATE_DAY_UNTIL, TimestampTzGetDatum(quota->day_until),
		quota->day_until == POOL_NO_TIME);
	PUT(MEMBERSHIP_STATE_LAST_CLAIM_AT,
		TimestampTzGetDatum(quota->last_claim_at),
		quota->last_claim_at == POOL_NO_TIME);
	PUT(MEMBERSHIP_STATE_POOL_ID, Int32GetDatum(quota->pool_id), false);
	PUT(MEMBERSHIP_STATE_MEMBER_ID, Int32GetDatum(quota->member_id), false);
	PUT(MEMBERSHIP_STATE_TENANT_ID, Int32GetDatum(quota->tenant_id), false);
	PUT(MEMBERSHIP_STATE_HELD, Int32GetDatum(quota->held), false);
	PUT(MEMBERSHIP_STATE_CLAIMED, Int32GetDatum(quota->claimed), false);
	PUT(MEMBERSHIP_STATE_DAY, DateADTGetDatum(quota->day),
		quota->day == DATEVAL_NOBEGIN);
	PUT(MEMBERSHIP_STATE_STATUS, quota->status_text, false);
	PUT(MEMBERSHIP_STATE_MEMBER_LIMIT, Int32GetDatum(quota->member_limit),
		quota->member_limit == POOL_NO_LIMIT);
#undef PUT
}

static bool
is_row_of(TupleTableSlot *slot, const PoolMembershipKey *key)
{
	bool		isnull;

	return DatumGetInt32(slot_getattr(slot, MEMBERSHIP_STATE_POOL_ID,
									  &isnull)) == key->pool_id &&
		DatumGetInt32(slot_getattr(slot, MEMBERSHIP_STATE_MEMBER_ID,
								   &isnull)) == key->member_id;
}

static bool
is_written_by_us(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber,
									   &isnull);

	return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

/* Whether there is a version of the row, fetched into table->old. */
static bool
is_row_at(PoolTable *table, const PoolMembershipKey *key, ItemPointer tid)
{
	return pool_table_fetch(table, tid, SnapshotAny) &&
		is_row_of(table->old, key);
}

/*
 * Where the row may be found without the index.  Nowhere at the higher levels:
 * they may not follow it to its last version, nor trust that a row made since
 * their snapshot is there.
 */
static int
usable_places(const PoolMembershipKey *key, ItemPointerData *places)
{
	return IsolationUsesXactSnapshot() ? 0 : pool_quota_places(key, places);
}

/* Once there, a row goes only with its member or its pool. */
static bool
was_seen(PoolTable *table, const PoolMembershipKey *key)
{
	ItemPointerData places[POOL_QUOTA_PLACES];

	return usable_places(key, places) > 0 &&
		is_row_at(table, key, &places[0]);
}

/*
 * Locks the row starting from a version seen before.  False if none is of use
 * any more: then the index has to be asked.
 */
static bool
lock_seen(PoolTable *table, Snapshot snapshot, const PoolMembershipKey *key)
{
	ItemPointerData places[POOL_QUOTA_PLACES];
	int			n = usable_places(key, places);

	for (int i = 0; i < n; i++)
	{
		if (is_row_at(table, key, &places[i]) &&
			pool_table_lock(table, &places[i], snapshot,
							LockWaitBlock) == TM_Ok &&
			is_row_of(table->old, key))
			return true;
	}
	return false;
}

/* A member of an `everyone` pool has no row before his first operation. */
static void
create_row(const PoolMembershipKey *key)
{
	PoolSql		sql = pool_sql_begin();
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(key->pool_id),
	Int32GetDatum(key->member_id)};

	/* locking member and pool keeps what is mirrored right */
	pool_sql_run("INSERT INTO pool.membership_state"
				 " (pool_id, member_id, tenant_id, status, member_limit)"
				 " SELECT p.id, m.id, m.tenant_id,"
				 "  CASE WHEN p.everyone OR EXISTS (SELECT"
				 "   FROM pool.membership s WHERE s.pool_id = p.id"
				 "   AND s.member_id = m.id)"
				 "  THEN m.status ELSE 'removed' END, m.hold_limit"
				 " FROM pool.member m, pool.pool p"
				 " WHERE p.id = $1 AND m.id = $2 FOR SHARE"
				 " ON CONFLICT DO NOTHING",
				 2, types, values, NULL);
	pool_sql_end(sql);
}

/*
 * Finds the row in table->old; false if there is none.
 */
static bool
find_row(PoolTable *table, const PoolMembershipKey *key, Snapshot snapshot)
{
	PoolKey		keys[2] = {pool_key_int4(key->pool_id),
	pool_key_int4(key->member_id)};

	return pool_table_find(table, POOL_MEMBERSHIP_STATE_PKEY, snapshot,
						   keys, 2);
}

/*
 * Making a missing row takes locks on the member and the pool.  Whoever changes
 * those holds them while he waits for counters, so they are locked before any
 * counters.
 */
void
pool_quota_row_prepare(PoolWork *work, const PoolQuota *quota)
{
	PoolTable  *table = pool_work_table(work, POOL_MEMBERSHIP_STATE);
	PoolMembershipKey key = {quota->pool_id, quota->member_id};
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(key.pool_id),
	Int32GetDatum(key.member_id)};
	PoolSql		sql;

	if (was_seen(table, &key) || find_row(table, &key, pool_snapshot()))
		return;
	sql = pool_sql_begin();
	pool_sql_run("SELECT FROM pool.member m, pool.pool p"
				 " WHERE p.id = $1 AND m.id = $2 FOR SHARE",
				 2, types, values, NULL);
	pool_sql_end(sql);
}

/*
 * Makes the row the member lacks, whatever counters are held: so it waits for
 * nobody.  False if somebody is about to make it, or to change him or the pool.
 * All who make rows lock the member, in whatever mode.
 */
bool
pool_quota_row_try_make(int32 pool_id, int32 member_id)
{
	PoolMembershipKey key = {pool_id, member_id};
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(pool_id), Int32GetDatum(member_id)};
	PoolSql		sql = pool_sql_begin();
	bool		locked;

	locked = pool_sql_run("SELECT FROM pool.member m, pool.pool p"
						  " WHERE p.id = $1 AND m.id = $2"
						  " FOR SHARE OF p SKIP LOCKED"
						  " FOR UPDATE OF m SKIP LOCKED",
						  2, types, values, NULL) > 0;
	pool_sql_end(sql);
	if (locked)
		create_row(&key);
	return locked;
}

/*
 * Locks the row of the quota's pool and member, waiting for whoever has it,
 * and reads it.  40001 if it has changed since the snapshot of a higher level.
 */
void
pool_quota_row_lock(PoolWork *work, Snapshot snapshot, PoolQuota *quota)
{
	PoolTable  *table = pool_work_table(work, POOL_MEMBERSHIP_STATE);
	PoolMembershipKey key = {quota->pool_id, quota->member_id};

	if (!lock_seen(table, snapshot, &key))
	{
		snapshot = pool_snapshot();
		if (!find_row(table, &key, snapshot))
		{
			create_row(&key);
			snapshot = pool_snapshot();
			if (!find_row(table, &key, snapshot))
				pool_report_serialization();
		}
		if (pool_table_lock(table, &table->old->tts_tid, snapshot,
							LockWaitBlock) != TM_Ok)
			pool_report_serialization();
	}
	read_quota(table->old, quota);
	pool_quota_place_note(&key, &quota->tid, !is_written_by_us(table->old));
}

/* Reads the row without locking it; a member without any has zeros. */
void
pool_quota_row_peek(PoolWork *work, Snapshot snapshot, PoolQuota *quota)
{
	PoolTable  *table = pool_work_table(work, POOL_MEMBERSHIP_STATE);
	PoolMembershipKey key = {quota->pool_id, quota->member_id};

	if (find_row(table, &key, snapshot))
		read_quota(table->old, quota);
	else
	{
		quota->day_until = POOL_NO_TIME;
		quota->previous_claim_at = POOL_NO_TIME;
	}
}

/* Writes the locked row. */
void
pool_quota_row_write(PoolWork *work, PoolQuota *quota)
{
	PoolTable  *table = pool_work_table(work, POOL_MEMBERSHIP_STATE);
	PoolMembershipKey key = {quota->pool_id, quota->member_id};
	Datum		values[MEMBERSHIP_STATE_NATTS];
	bool		nulls[MEMBERSHIP_STATE_NATTS];

	if (!pool_table_fetch(table, &quota->tid, SnapshotAny))
		elog(ERROR, "locked counters have vanished");
	form_quota(quota, values, nulls);
	pool_table_update(table, values, nulls);
	pool_quota_place_note(&key, &table->new->tts_tid, false);
}
