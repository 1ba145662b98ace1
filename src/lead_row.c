/*
 * lead_row.c
 *	  Finding, locking and reading the lead row.
 */
#include "lead.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "errors.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static const char *const status_names[] = {
	[POOL_AVAILABLE] = "available",
	[POOL_OWNED] = "owned",
	[POOL_CONVERTED] = "converted",
	[POOL_ARCHIVED] = "archived",
	[POOL_IN_REVIEW] = "review"
};

const char *
pool_status_name(PoolStatus status)
{
	return status_names[status];
}

/* Won, or out of circulation. */
bool
pool_lead_is_closed(const PoolLead *lead)
{
	return lead->status == POOL_CONVERTED || lead->status == POOL_ARCHIVED;
}

bool
pool_lead_is_open(const PoolLead *lead)
{
	return !pool_lead_is_closed(lead);
}

static PoolStatus
status_from_datum(Datum value)
{
	text	   *name = DatumGetTextPP(value);

	for (int i = 0; i < (int) lengthof(status_names); i++)
		if (VARSIZE_ANY_EXHDR(name) == strlen(status_names[i]) &&
			memcmp(VARDATA_ANY(name), status_names[i],
				   VARSIZE_ANY_EXHDR(name)) == 0)
			return i;
	elog(ERROR, "unknown lead status \"%s\"", text_to_cstring(name));
	return POOL_AVAILABLE;
}

static void
read_lead(TupleTableSlot *slot, PoolLead *lead)
{
	Datum	   *v;
	bool	   *n;

	slot_getallattrs(slot);
	v = slot->tts_values;
	n = slot->tts_isnull;
#define GET(attnum, convert, if_null) \
	(n[(attnum) - 1] ? (if_null) : convert(v[(attnum) - 1]))
#define GET_TIME(attnum) GET(attnum, DatumGetTimestampTz, POOL_NO_TIME)
	lead->id = GET(LEAD_STATE_ID, DatumGetInt64, 0);
	lead->ticket = GET(LEAD_STATE_TICKET, DatumGetInt64, 0);
	lead->entered_at = GET_TIME(LEAD_STATE_ENTERED_AT);
	lead->owned_at = GET_TIME(LEAD_STATE_OWNED_AT);
	lead->chain_at = GET_TIME(LEAD_STATE_CHAIN_AT);
	lead->first_follow_up_at = GET_TIME(LEAD_STATE_FIRST_FOLLOW_UP_AT);
	lead->last_follow_up_at = GET_TIME(LEAD_STATE_LAST_FOLLOW_UP_AT);
	lead->next_follow_up_at = GET_TIME(LEAD_STATE_NEXT_FOLLOW_UP_AT);
	lead->protected_until = GET_TIME(LEAD_STATE_PROTECTED_UNTIL);
	lead->hidden_until = GET_TIME(LEAD_STATE_HIDDEN_UNTIL);
	lead->closed_at = GET_TIME(LEAD_STATE_CLOSED_AT);
	lead->check_at = GET_TIME(LEAD_STATE_CHECK_AT);
	lead->stage_at = GET_TIME(LEAD_STATE_STAGE_AT);
	lead->group_id = GET(LEAD_STATE_GROUP_ID, DatumGetInt64, 0);
	lead->tenant_id = GET(LEAD_STATE_TENANT_ID, DatumGetInt32, 0);
	lead->pool_id = GET(LEAD_STATE_POOL_ID, DatumGetInt32, 0);
	lead->owner_id = GET(LEAD_STATE_OWNER_ID, DatumGetInt32, 0);
	lead->last_owner_id = GET(LEAD_STATE_LAST_OWNER_ID, DatumGetInt32, 0);
	lead->reserved_for = GET(LEAD_STATE_RESERVED_FOR, DatumGetInt32, 0);
	lead->follow_ups = GET(LEAD_STATE_FOLLOW_UPS, DatumGetInt32, 0);
	lead->claims = GET(LEAD_STATE_CLAIMS, DatumGetInt32, 0);
	lead->priority = GET(LEAD_STATE_PRIORITY, DatumGetInt16, 0);
	lead->extensions = GET(LEAD_STATE_EXTENSIONS, DatumGetInt16, 0);
	lead->status = status_from_datum(v[LEAD_STATE_STATUS - 1]);
	lead->last_result = GET(LEAD_STATE_LAST_RESULT,, (Datum) 0);
	lead->stage = GET(LEAD_STATE_STAGE,, (Datum) 0);
	lead->amount = GET(LEAD_STATE_AMOUNT,, (Datum) 0);
	lead->currency = GET(LEAD_STATE_CURRENCY,, (Datum) 0);
#undef GET
#undef GET_TIME
	lead->created_at = POOL_NO_TIME;
	lead->tid = slot->tts_tid;
}

/* ------------------------------------------------------------------------
 * Finding and locking
 * ------------------------------------------------------------------------ */

/* The lead that a scan has left in leads->old. */
void
pool_lead_read(PoolTable *leads, PoolLead *lead)
{
	read_lead(leads->old, lead);
}

/* Reads a lead without locking it; false if the snapshot sees none. */
bool
pool_lead_peek(PoolTable *leads, int64 id, Snapshot snapshot, PoolLead *lead)
{
	if (!pool_table_find(leads, POOL_LEAD_STATE_PKEY, snapshot,
						 &pool_key_int8(id), 1))
		return false;
	read_lead(leads->old, lead);
	return true;
}

/*
 * Locks the lead and reads its last version.  With `wait` it waits for
 * whoever holds it, otherwise says so.  Raises 40001 where the isolation level
 * forbids to go on with a version the snapshot does not see.
 */
PoolLeadLock
pool_lead_lock(PoolTable *leads, int64 id, Snapshot snapshot, bool wait,
			   PoolLead *lead)
{
	/* without waiting, a row that just changed is found again by its id */
	for (int tries = 0; tries < 3; tries++)
	{
		if (!pool_table_find(leads, POOL_LEAD_STATE_PKEY, snapshot,
							 &pool_key_int8(id), 1))
			return POOL_LEAD_MISSING;
		switch (pool_table_lock(leads, &leads->old->tts_tid, snapshot,
								wait ? LockWaitBlock : LockWaitSkip))
		{
			case TM_Ok:
				read_lead(leads->old, lead);
				return POOL_LEAD_LOCKED;
			case TM_WouldBlock:
				return POOL_LEAD_BUSY;
			case TM_Updated:
			case TM_Deleted:
				if (IsolationUsesXactSnapshot())
					pool_report_serialization();
				snapshot = pool_snapshot();
				break;
			default:
				elog(ERROR, "unexpected state of lead " INT64_FORMAT, id);
		}
	}
	return POOL_LEAD_BUSY;
}

/*
 * Reads the lead the queue has named, without locking it.  Only the version
 * that was queued counts: another one has queued itself anew.  BUSY means that
 * a running transaction is changing it, and answers for it.
 */
PoolLeadLock
pool_lead_fetch_candidate(PoolTable *leads, const PoolCandidate *candidate,
						  PoolLead *lead)
{
	SnapshotData dirty;
	ItemPointerData tid = candidate->tid;

	InitDirtySnapshot(dirty);
	if (!pool_table_fetch(leads, &tid, &dirty))
		return POOL_LEAD_MISSING;
	read_lead(leads->old, lead);
	if (lead->id != candidate->id || lead->ticket != candidate->ticket)
		return POOL_LEAD_MISSING;
	if (TransactionIdIsValid(dirty.xmin) || TransactionIdIsValid(dirty.xmax))
		return POOL_LEAD_BUSY;
	return POOL_LEAD_LOCKED;
}

/* What trying to lock or to write a row has come to. */
PoolLeadLock
pool_lead_lock_of(TM_Result result)
{
	switch (result)
	{
		case TM_Ok:
			return POOL_LEAD_LOCKED;
		case TM_WouldBlock:
			return POOL_LEAD_BUSY;
		default:
			return POOL_LEAD_MISSING;
	}
}

/*
 * Locks the lead just fetched, without waiting.  Its page is still pinned, so
 * that nothing else can have taken its place.  BUSY means that somebody has
 * locked it but not (yet) changed it.
 */
PoolLeadLock
pool_lead_lock_candidate(PoolTable *leads, const PoolCandidate *candidate)
{
	ItemPointerData tid = candidate->tid;

	return pool_lead_lock_of(pool_table_lock(leads, &tid, pool_snapshot(),
											 LockWaitSkip));
}

/* Reads a lead this transaction has locked once more into leads->old. */
void
pool_lead_reload(PoolTable *leads, PoolLead *lead)
{
	ItemPointerData tid = lead->tid;

	if (!pool_table_fetch(leads, &tid, SnapshotAny))
		elog(ERROR, "locked lead " INT64_FORMAT " has vanished", lead->id);
	read_lead(leads->old, lead);
}

TimestampTz
pool_lead_time(const PoolLead *lead, TimestampTz now)
{
	now = Max(now, lead->entered_at);
	now = Max(now, lead->owned_at);
	now = Max(now, lead->last_follow_up_at);
	return Max(now, lead->closed_at);
}
