/*
 * cooldown.c
 *	  Whom the end of a spell keeps from a lead for a while, by the log.
 */
#include "compat.h"
#include "cooldown.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "event.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static bool
is_one_of(const char *kind, const char *const *kinds, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* The detail of the event in the slot, NULL if there is none. */
static Jsonb *
detail_of(TupleTableSlot *event)
{
	bool		isnull;
	Datum		value = slot_getattr(event, EVENT_DETAIL, &isnull);

	return isnull ? NULL : DatumGetJsonbP(value);
}

/* Whose spell the event in the slot has ended; 0 if nobody's. */
static int32
ended_spell_of(TupleTableSlot *event)
{
	static const char *const endings[] = {
		"released", "reclaimed", "converted", "archived", "erased"
	};
	bool		isnull;
	char	   *kind = TextDatumGetCString(slot_getattr(event, EVENT_KIND,
														&isnull));
	bool		converted = strcmp(kind, "converted") == 0;
	bool		transferred = strcmp(kind, "transferred") == 0;
	Jsonb	   *detail = converted || transferred ? detail_of(event) : NULL;
	Datum		value;

	if (transferred)
		return detail == NULL ? 0 : pool_detail_get_int(detail, "from");
	/* a conversion that says from which state it came ended no spell */
	if (!is_one_of(kind, endings, lengthof(endings)) ||
		(converted && detail != NULL && pool_detail_has(detail, "from")))
		return 0;
	value = slot_getattr(event, EVENT_MEMBER_ID, &isnull);
	return isnull ? 0 : DatumGetInt32(value);
}

/* Whether no cooldown begins with the end of a spell in the slot. */
static bool
is_mild(TupleTableSlot *event)
{
	Jsonb	   *detail = detail_of(event);

	return detail != NULL && pool_detail_is_false(detail, "cooldown");
}

/*
 * When the member's latest spell on this lead ended, POOL_NO_TIME if none did
 * since then.  Walks the lead's events backwards.  With `cooling` it passes
 * over releases after which there is no cooldown.
 */
static TimestampTz
last_spell_end(PoolWork *work, int64 lead_id, int32 member_id,
			   TimestampTz since, bool cooling)
{
	PoolTable  *events = pool_work_table(work, POOL_EVENT);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(events->rel,
										 pool_work_index(events, POOL_EVENT_PKEY),
										 snapshot, &pool_key_int8(lead_id), 1);
	TimestampTz result = POOL_NO_TIME;

	while (result == POOL_NO_TIME &&
		   index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		TimestampTz at = DatumGetTimestampTz(slot_getattr(events->old, EVENT_AT,
														  &isnull));

		if (at < since)
			break;
		if (ended_spell_of(events->old) == member_id &&
			!(cooling && is_mild(events->old)))
			result = at;
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

TimestampTz
pool_last_spell_end(PoolWork *work, int64 lead_id, int32 member_id,
					TimestampTz since)
{
	return last_spell_end(work, lead_id, member_id, since, false);
}

/* Since when an end of a spell may still bar; the pool has a cooldown. */
static TimestampTz
cooldown_since(const PoolConf *pool, TimestampTz now)
{
	/* by the calendar, adding and subtracting may differ by a little */
	return pool_time_subtract(now, pool->cooldown, pool->zone) -
		USECS_PER_DAY * 4;
}

/* Ids of all members whom the pool's cooldown bars from this lead. */
List *
pool_cooling_members(PoolWork *work, const PoolLead *lead, TimestampTz now)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	PoolTable  *events;
	Snapshot	snapshot;
	IndexScanDesc scan;
	TimestampTz since;
	List	   *result = NIL;

	if (pool->cooldown == NULL || lead->claims == 0)
		return NIL;
	since = cooldown_since(pool, now);
	events = pool_work_table(work, POOL_EVENT);
	snapshot = RegisterSnapshot(pool_snapshot());
	scan = pool_index_scan(events->rel,
						   pool_work_index(events, POOL_EVENT_PKEY),
						   snapshot, &pool_key_int8(lead->id), 1);
	while (index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		TimestampTz at = DatumGetTimestampTz(slot_getattr(events->old, EVENT_AT,
														  &isnull));
		int32		member_id = ended_spell_of(events->old);

		if (at < since)
			break;
		if (member_id != 0 && !is_mild(events->old) &&
			pool_time_add(at, pool->cooldown, pool->zone) > now)
			result = list_append_unique_int(result, member_id);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

/*
 * Whether the pool's cooldown still bars the member from this lead, and until
 * when: a spell of his ended less than that ago, however it ended and whoever
 * has held the lead since.
 */
bool
pool_cooling_down(PoolWork *work, const PoolLead *lead, int32 member_id,
				  TimestampTz now, TimestampTz *until)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	TimestampTz since;
	TimestampTz ended_at;

	*until = POOL_NO_TIME;
	if (pool->cooldown == NULL || lead->claims == 0)
		return false;
	since = cooldown_since(pool, now);
	ended_at = last_spell_end(work, lead->id, member_id, since, true);
	if (ended_at == POOL_NO_TIME)
		return false;
	*until = pool_time_add(ended_at, pool->cooldown, pool->zone);
	return *until > now;
}
