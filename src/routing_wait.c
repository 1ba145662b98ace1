/*
 * routing_wait.c
 *	  Leads that wait to be routed: rows of routing_wait.
 *
 * A row says why no rule could give the lead to anybody, or that it came back
 * by time and was not tried yet.  Nobody who takes the lead otherwise looks
 * here: the row says nothing of a lead that has entered a pool since it was
 * tried, and goes when a tick finds it out of date (routing_retry.c).
 */
#include "compat.h"
#include "routing_wait.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "wake.h"

static bool
find_row(PoolWork *work, int64 lead_id)
{
	PoolTable  *table = pool_work_table(work, POOL_ROUTING_WAIT);

	return !pool_work_index_unused(table, POOL_ROUTING_WAIT_PKEY) &&
		pool_table_find(table, POOL_ROUTING_WAIT_PKEY, pool_snapshot(),
						&pool_key_int8(lead_id), 1);
}

/* Whether the row just found is about the lead's present stay in its pool. */
static bool
is_present(PoolTable *table, const PoolLead *lead)
{
	bool		isnull;
	Datum		tried_at = slot_getattr(table->old, ROUTING_WAIT_TRIED_AT,
										&isnull);

	if (!isnull && DatumGetTimestampTz(tried_at) < lead->entered_at)
		return false;
	return DatumGetInt32(slot_getattr(table->old, ROUTING_WAIT_POOL_ID,
									  &isnull)) == lead->pool_id;
}

/* The member who does not get this waiting lead by a rule; 0 = nobody. */
int32
pool_wait_excluded(PoolWork *work, const PoolLead *lead)
{
	PoolTable  *table = pool_work_table(work, POOL_ROUTING_WAIT);
	bool		isnull;
	Datum		value;

	if (!find_row(work, lead->id) || !is_present(table, lead))
		return 0;
	value = slot_getattr(table->old, ROUTING_WAIT_EXCLUDED_ID, &isnull);
	return isnull ? 0 : DatumGetInt32(value);
}

/*
 * Finds the row and locks it; false if there is none, or none any more.  A tick
 * may be dropping it, and waits for nothing that the caller holds.
 */
static bool
lock_row(PoolWork *work, int64 lead_id)
{
	PoolTable  *table = pool_work_table(work, POOL_ROUTING_WAIT);

	if (!find_row(work, lead_id))
		return false;
	if (pool_table_lock(table, &table->old->tts_tid, pool_snapshot(),
						LockWaitBlock) == TM_Ok)
		return true;
	if (IsolationUsesXactSnapshot())
		pool_report_serialization();
	return false;
}

static void
form_row(const PoolLead *lead, const char *reason, TimestampTz tried_at,
		 int32 excluded_id, Datum *v, bool *n)
{
#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
	PUT(ROUTING_WAIT_LEAD_ID, Int64GetDatum(lead->id), false);
	PUT(ROUTING_WAIT_POOL_ID, Int32GetDatum(lead->pool_id), false);
	PUT(ROUTING_WAIT_TENANT_ID, Int32GetDatum(lead->tenant_id), false);
	PUT(ROUTING_WAIT_REASON, CStringGetTextDatum(reason), false);
	PUT(ROUTING_WAIT_TRIED_AT, TimestampTzGetDatum(tried_at),
		tried_at == POOL_NO_TIME);
	PUT(ROUTING_WAIT_EXCLUDED_ID, Int32GetDatum(excluded_id),
		excluded_id == 0);
#undef PUT
}

/* Whether the row just found says the same already. */
static bool
row_says(PoolTable *table, const PoolLead *lead, const char *reason)
{
	bool		isnull;

	return is_present(table, lead) &&
		strcmp(TextDatumGetCString(slot_getattr(table->old,
												ROUTING_WAIT_REASON,
												&isnull)), reason) == 0;
}

/* 40001 if there is a row that the snapshot of a higher level does not see. */
static void
check_current(PoolTable *table, int64 lead_id)
{
	Snapshot	snapshot;

	if (!IsolationUsesXactSnapshot() || find_row(table->work, lead_id))
		return;
	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(table->rel)));
	if (pool_table_find(table, POOL_ROUTING_WAIT_PKEY, snapshot,
						&pool_key_int8(lead_id), 1))
		pool_report_serialization();
	UnregisterSnapshot(snapshot);
}

static void
put_row(PoolWork *work, const PoolLead *lead, const char *reason,
		TimestampTz tried_at, int32 excluded_id)
{
	PoolTable  *table = pool_work_table(work, POOL_ROUTING_WAIT);
	Datum		values[ROUTING_WAIT_NATTS];
	bool		nulls[ROUTING_WAIT_NATTS];

	/* tried at once; one that has been tried waits for a change */
	if (tried_at == POOL_NO_TIME)
		pool_wake_now();
	check_current(table, lead->id);
	form_row(lead, reason, tried_at, excluded_id, values, nulls);
	if (!lock_row(work, lead->id))
		pool_table_insert(table, values, nulls);
	else if (tried_at == POOL_NO_TIME || !row_says(table, lead, reason))
		pool_table_update(table, values, nulls);
}

/* Writes down what became of a locked lead that was routed. */
void
pool_wait_note(PoolWork *work, const PoolLead *lead, const PoolRouted *routed,
			   int32 excluded_id, TimestampTz now)
{
	if (routed->outcome == NULL || routed->member_id != 0)
	{
		if (lock_row(work, lead->id))
			pool_table_delete(pool_work_table(work, POOL_ROUTING_WAIT));
	}
	else
		put_row(work, lead, routed->outcome, pool_lead_time(lead, now),
				excluded_id);
}

/*
 * A lead that this transaction has locked has come back into its pool and is
 * to go to another than this member: where there are rules, the next tick
 * gives it to somebody.
 */
void
pool_wait_for_another(PoolWork *work, const PoolLead *lead, int32 excluded_id)
{
	if (pool_config_pool(lead->pool_id)->n_routing_rules > 0)
		put_row(work, lead, "returned", POOL_NO_TIME, excluded_id);
}

/* The same where the pool routes what returns. */
void
pool_wait_returned(PoolWork *work, const PoolLead *lead, int32 excluded_id)
{
	if (pool_config_pool(lead->pool_id)->route_returned)
		pool_wait_for_another(work, lead, excluded_id);
}
