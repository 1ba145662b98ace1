/*
 * history.c
 *	  What happened to a lead, and finding one by its key.
 */
#include "result.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_history);
PG_FUNCTION_INFO_V1(pool_lead_id);
PG_FUNCTION_INFO_V1(pool_pool_zone);
PG_FUNCTION_INFO_V1(pool_member_zone);

static void
put_member(PoolCall *call, int column, TupleTableSlot *event, int attnum)
{
	bool		isnull;
	int32		id = DatumGetInt32(slot_getattr(event, attnum, &isnull));
	const PoolMemberConf *member = isnull ? NULL :
	pool_config_find_member(id);

	if (member != NULL)
		pool_put_text(call, column, member->key);
}

static void
emit_event(PoolCall *call, TupleTableSlot *event)
{
	bool		isnull;
	Datum		value;

	pool_put(call, 0, slot_getattr(event, EVENT_AT, &isnull));
	pool_put(call, 1, slot_getattr(event, EVENT_KIND, &isnull));
	put_member(call, 2, event, EVENT_MEMBER_ID);
	put_member(call, 3, event, EVENT_ACTOR_ID);
	value = slot_getattr(event, EVENT_REASON, &isnull);
	if (!isnull)
		pool_put(call, 4, value);
	value = slot_getattr(event, EVENT_DETAIL, &isnull);
	if (!isnull)
		pool_put(call, 5, value);
	pool_call_row(call);
}

/*
 * pool.history(lead)
 */
Datum
pool_history(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "history");
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolTable  *events = pool_work_table(call->work, POOL_EVENT);
	IndexScanDesc scan;
	PoolLead	lead;
	int64		id = pool_arg_id(call, 0);

	if (!pool_lead_peek(leads, id, call->snapshot, &lead) ||
		!pool_lead_visible(call->work, &lead))
		return pool_call_end(call);
	scan = pool_index_scan(events->rel,
						   pool_work_index(events, POOL_EVENT_PKEY),
						   call->snapshot, &pool_key_int8(id), 1);
	while (index_getnext_slot(scan, ForwardScanDirection, events->old))
	{
		CHECK_FOR_INTERRUPTS();
		emit_event(call, events->old);
	}
	index_endscan(scan);
	return pool_call_end(call);
}

/*
 * pool.lead_id(key, tenant) -> NULL if there is none
 */
Datum
pool_lead_id(PG_FUNCTION_ARGS)
{
	PoolWork   *work;
	Snapshot	snapshot;
	PoolData	data;
	int32		tenant_id;
	bool		found;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	pool_config_refresh();
	tenant_id = pool_resolve_tenant(fcinfo, 1);
	if (tenant_id == 0)
		PG_RETURN_NULL();
	work = pool_work_begin_reading();
	snapshot = RegisterSnapshot(pool_snapshot());
	found = pool_data_read_by_key(pool_work_table(work, POOL_LEAD_DATA),
								  tenant_id, PG_GETARG_DATUM(0), snapshot,
								  &data);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_INT64(data.id);
}

/* SQL, for views: the time zone that applies in a pool */
Datum
pool_pool_zone(PG_FUNCTION_ARGS)
{
	const PoolConf *pool;

	pool_config_refresh();
	pool = pool_config_find_pool(PG_GETARG_INT32(0));
	if (pool == NULL || !pool_caller_sees_tenant(pool->tenant_id))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(pg_get_timezone_name(pool->zone)));
}

/* SQL, for views: the time zone that applies to a member */
Datum
pool_member_zone(PG_FUNCTION_ARGS)
{
	const PoolMemberConf *member;

	pool_config_refresh();
	member = pool_config_find_member(PG_GETARG_INT32(0));
	if (member == NULL || !pool_caller_sees_tenant(member->tenant_id))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(pg_get_timezone_name(member->zone)));
}
