/*
 * data.c
 *	  What a lead is called and carries: rows of lead_data.
 *
 * Apart from lead_state, because a claim must not rewrite it.  Changed only
 * by whoever holds the lead's row in lead_state, or has just inserted it.
 */
#include "compat.h"
#include "data.h"

#include "catalog/pg_type.h"
#include "errors.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static void
read_data(TupleTableSlot *slot, PoolData *data)
{
	Datum	   *v;
	bool	   *n;

	slot_getallattrs(slot);
	v = slot->tts_values;
	n = slot->tts_isnull;
#define GET(attnum) (n[(attnum) - 1] ? (Datum) 0 : v[(attnum) - 1])
	data->id = DatumGetInt64(v[LEAD_DATA_ID - 1]);
	data->tenant_id = DatumGetInt32(v[LEAD_DATA_TENANT_ID - 1]);
	data->key = GET(LEAD_DATA_KEY);
	data->name = GET(LEAD_DATA_NAME);
	data->source = GET(LEAD_DATA_SOURCE);
	data->grade = GET(LEAD_DATA_GRADE);
	data->attributes = GET(LEAD_DATA_ATTRIBUTES);
	data->created_at = DatumGetTimestampTz(v[LEAD_DATA_CREATED_AT - 1]);
	data->erased_at = n[LEAD_DATA_ERASED_AT - 1] ? POOL_NO_TIME :
		DatumGetTimestampTz(v[LEAD_DATA_ERASED_AT - 1]);
#undef GET
}

static void
form_data(const PoolData *data, Datum *v, bool *n)
{
#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
	PUT(LEAD_DATA_ID, Int64GetDatum(data->id), false);
	PUT(LEAD_DATA_TENANT_ID, Int32GetDatum(data->tenant_id), false);
	PUT(LEAD_DATA_KEY, data->key, data->key == 0);
	PUT(LEAD_DATA_NAME, data->name, data->name == 0);
	PUT(LEAD_DATA_SOURCE, data->source, data->source == 0);
	PUT(LEAD_DATA_GRADE, data->grade, data->grade == 0);
	PUT(LEAD_DATA_ATTRIBUTES, data->attributes, data->attributes == 0);
	PUT(LEAD_DATA_CREATED_AT, TimestampTzGetDatum(data->created_at), false);
	PUT(LEAD_DATA_ERASED_AT, TimestampTzGetDatum(data->erased_at),
		data->erased_at == POOL_NO_TIME);
#undef PUT
}

/* Reads the row into *data; false if the snapshot sees none. */
bool
pool_data_read(PoolTable *table, int64 id, Snapshot snapshot, PoolData *data)
{
	if (!pool_table_find(table, POOL_LEAD_DATA_PKEY, snapshot,
						 &pool_key_int8(id), 1))
		return false;
	read_data(table->old, data);
	return true;
}

/* The same of a lead that is there, as this transaction sees it. */
void
pool_data_get(PoolTable *table, int64 id, PoolData *data)
{
	if (!pool_data_read(table, id, pool_snapshot(), data))
		elog(ERROR, "lead " INT64_FORMAT " has no data", id);
}

/* Whether the lead was erased: there is nobody behind it any more. */
bool
pool_data_is_erased(PoolTable *table, int64 id)
{
	PoolData	data;

	return pool_data_read(table, id, pool_snapshot(), &data) &&
		data.erased_at != POOL_NO_TIME;
}

bool
pool_data_read_by_key(PoolTable *table, int32 tenant_id, Datum key,
					  Snapshot snapshot, PoolData *data)
{
	PoolKey		keys[2] = {pool_key_int4(tenant_id), pool_key_text(key)};

	if (!pool_table_find(table, POOL_LEAD_DATA_KEY, snapshot, keys, 2))
		return false;
	read_data(table->old, data);
	return true;
}

/*
 * When the lead was created, which never changes; POOL_NO_TIME if it is not to
 * be found.  For rows of this very command, too.
 */
TimestampTz
pool_data_created_at(int64 id)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *table = pool_work_table(work, POOL_LEAD_DATA);
	PoolData	data;
	bool		found = pool_data_read(table, id, pool_snapshot(), &data) ||
	pool_data_read(table, id, SnapshotSelf, &data);
	TimestampTz created_at = found ? data.created_at : POOL_NO_TIME;

	pool_work_end(work);
	return created_at;
}

/* The caller holds the lead's row, so that nobody else changes this one. */
bool
pool_data_lock(PoolTable *table, int64 id, Snapshot snapshot, PoolData *data)
{
	if (!pool_data_read(table, id, snapshot, data))
		return false;
	if (pool_table_lock(table, &table->old->tts_tid, snapshot,
						LockWaitBlock) != TM_Ok)
		pool_report_serialization();
	read_data(table->old, data);
	return true;
}

/* Replaces the row in table->old, which pool_data_lock has locked. */
void
pool_data_update(PoolTable *table, const PoolData *data)
{
	Datum		values[LEAD_DATA_NATTS];
	bool		nulls[LEAD_DATA_NATTS];

	form_data(data, values, nulls);
	pool_table_update(table, values, nulls);
}
