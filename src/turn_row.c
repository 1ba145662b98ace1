/*
 * turn_row.c
 *	  The rows of routing rules: whom they have served, and whom they owe leads.
 *
 * The only writer of routing_state and routing_credit.  Their rows have no lock
 * of their own: a rule is used under the counters of all whom it may serve.
 *
 * Every use of a rule writes them, so under an old snapshot, or in a long
 * transaction, dead versions pile up.  So each backend remembers where it last
 * saw a rule's rows, and goes there instead of walking over the dead.  The row
 * of routing_credit is written whenever another one is: while its version is the
 * one remembered, no row has come or gone.
 */
#include "compat.h"
#include "turn.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define MAX_RULES_SEEN 256

/* Where the rows of a rule were last seen, for these receivers. */
typedef struct RuleSeen
{
	int32		rule_id;
	ItemPointerData credits;
	TransactionId xmin;			/* of that version */
	int64		others;			/* leads the rule gave to nobody of them */
	int			n;
	int32	   *member_ids;
	ItemPointerData *tids;		/* invalid where there is no row */
} RuleSeen;

static HTAB *seen = NULL;
static MemoryContext seen_context = NULL;

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------ */

static int64
get_int8(TupleTableSlot *slot, int attnum)
{
	bool		isnull;

	return DatumGetInt64(slot_getattr(slot, attnum, &isnull));
}

static TimestampTz
get_time(TupleTableSlot *slot, int attnum)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, attnum, &isnull);

	return isnull ? POOL_NO_TIME : DatumGetTimestampTz(value);
}

static void
read_turn(TupleTableSlot *slot, PoolTurn *turn)
{
	bool		isnull;

	turn->stored = true;
	turn->tid = slot->tts_tid;
	turn->served = get_int8(slot, ROUTING_STATE_SERVED);
	turn->early = get_int8(slot, ROUTING_STATE_EARLY);
	turn->last_no = get_int8(slot, ROUTING_STATE_LAST_NO);
	turn->last_at = get_time(slot, ROUTING_STATE_LAST_AT);
	turn->seat_from = get_time(slot, ROUTING_STATE_SEAT_FROM);
	turn->seat_until = get_time(slot, ROUTING_STATE_SEAT_UNTIL);
	turn->period_from = get_time(slot, ROUTING_STATE_PERIOD_FROM);
	turn->period_base = get_int8(slot, ROUTING_STATE_PERIOD_BASE);
	turn->period_served =
		DatumGetInt32(slot_getattr(slot, ROUTING_STATE_PERIOD_SERVED,
								   &isnull));
}

/* ------------------------------------------------------------------------
 * Where they were seen
 * ------------------------------------------------------------------------ */

static TransactionId
xmin_of(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = slot_getsysattr(slot, MinTransactionIdAttributeNumber,
										&isnull);

	return DatumGetTransactionId(value);
}

/* Too many rules are forgotten all at once. */
static void
make_room(void)
{
	HASHCTL		ctl;

	if (seen != NULL && hash_get_num_entries(seen) < MAX_RULES_SEEN)
		return;
	if (seen_context != NULL)
		MemoryContextDelete(seen_context);
	seen = NULL;
	seen_context = AllocSetContextCreate(TopMemoryContext,
										 "pool_ext routing rows seen",
										 ALLOCSET_DEFAULT_SIZES);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(int32);
	ctl.entrysize = sizeof(RuleSeen);
	ctl.hcxt = seen_context;
	seen = hash_create("pool_ext routing rules seen", 16, &ctl,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
forget(int32 rule_id)
{
	RuleSeen   *entry = seen == NULL ? NULL :
	hash_search(seen, &rule_id, HASH_FIND, NULL);

	if (entry == NULL)
		return;
	pfree(entry->member_ids);
	pfree(entry->tids);
	hash_search(seen, &rule_id, HASH_REMOVE, NULL);
}

/* The rows are where *turns says. */
static void
remember(const PoolTurns *turns)
{
	int			n = turns->receivers->n;
	int64		sum = 0;
	RuleSeen   *entry;
	bool		found;

	make_room();
	forget(turns->rule->id);
	entry = hash_search(seen, &turns->rule->id, HASH_ENTER, &found);
	entry->credits = turns->credits_tid;
	entry->xmin = turns->credits_xmin;
	entry->n = n;
	entry->member_ids = MemoryContextAlloc(seen_context,
										   Max(n, 1) * sizeof(int32));
	entry->tids = MemoryContextAlloc(seen_context,
									 Max(n, 1) * sizeof(ItemPointerData));
	for (int i = 0; i < n; i++)
	{
		const PoolTurn *turn = &turns->items[i];

		entry->member_ids[i] = turns->receivers->items[i].member->id;
		ItemPointerSetInvalid(&entry->tids[i]);
		if (turn->stored)
			entry->tids[i] = turn->tid;
		sum += turn->served;
	}
	entry->others = turns->served - sum;
}

/* What is remembered, if it is about the same receivers; else NULL. */
static RuleSeen *
recall(const PoolTurns *turns)
{
	RuleSeen   *entry = seen == NULL ? NULL :
	hash_search(seen, &turns->rule->id, HASH_FIND, NULL);

	if (entry == NULL || entry->n != turns->receivers->n)
		return NULL;
	for (int i = 0; i < entry->n; i++)
		if (entry->member_ids[i] != turns->receivers->items[i].member->id)
			return NULL;
	return entry;
}

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

static int
compare_receiver(const void *key, const void *item)
{
	int32		a = *(const int32 *) key;
	int32		b = ((const PoolReceiver *) item)->member->id;

	return a < b ? -1 : a > b;
}

/* The rule's rows, those of members gone included in the sums only. */
static void
read_turns(PoolTurns *turns)
{
	PoolReceivers *receivers = turns->receivers;
	PoolTable  *table = pool_work_table(receivers->work, POOL_ROUTING_STATE);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	IndexScanDesc scan = pool_index_scan(table->rel,
										 pool_work_index(table, POOL_ROUTING_STATE_PKEY),
										 snapshot,
										 &pool_key_int4(turns->rule->id), 1);

	while (index_getnext_slot(scan, ForwardScanDirection, table->old))
	{
		bool		isnull;
		int32		member_id = DatumGetInt32(slot_getattr(table->old,
														   ROUTING_STATE_MEMBER_ID,
														   &isnull));
		PoolReceiver *r = bsearch(&member_id, receivers->items, receivers->n,
								  sizeof(PoolReceiver), compare_receiver);

		turns->served += get_int8(table->old, ROUTING_STATE_SERVED);
		if (r != NULL)
			read_turn(table->old, &turns->items[r - receivers->items]);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
}

/*
 * The same from where they were seen last; false if one of them is not there
 * any more.  At most one version of a row is visible.
 */
static bool
read_turns_seen(PoolTurns *turns, const RuleSeen *entry)
{
	PoolTable  *table = pool_work_table(turns->receivers->work,
										POOL_ROUTING_STATE);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	bool		all = true;

	turns->served = entry->others;
	for (int i = 0; i < entry->n && all; i++)
	{
		bool		isnull;

		if (!ItemPointerIsValid(&entry->tids[i]))
			continue;
		all = pool_table_fetch(table, &entry->tids[i], snapshot) &&
			DatumGetInt32(slot_getattr(table->old, ROUTING_STATE_RULE_ID,
									   &isnull)) == turns->rule->id &&
			DatumGetInt32(slot_getattr(table->old, ROUTING_STATE_MEMBER_ID,
									   &isnull)) == entry->member_ids[i];
		if (!all)
			break;
		read_turn(table->old, &turns->items[i]);
		turns->served += turns->items[i].served;
	}
	UnregisterSnapshot(snapshot);
	return all;
}

/* Credits of members who are there no more are forgotten. */
static void
read_credits(PoolTurns *turns, TupleTableSlot *slot)
{
	PoolReceivers *receivers = turns->receivers;
	Datum	   *ids;
	Datum	   *credits;
	bool		isnull;
	int			n;

	turns->credits_tid = slot->tts_tid;
	turns->credits_xmin = xmin_of(slot);
	deconstruct_array(DatumGetArrayTypeP(slot_getattr(slot,
													  ROUTING_CREDIT_MEMBERS,
													  &isnull)),
					  INT4OID, 4, true, TYPALIGN_INT, &ids, NULL, &n);
	deconstruct_array(DatumGetArrayTypeP(slot_getattr(slot,
													  ROUTING_CREDIT_CREDITS,
													  &isnull)),
					  FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &credits, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		int32		member_id = DatumGetInt32(ids[i]);
		PoolReceiver *r = bsearch(&member_id, receivers->items, receivers->n,
								  sizeof(PoolReceiver), compare_receiver);

		if (r == NULL || !r->present)
			continue;
		turns->items[r - receivers->items].credit = DatumGetFloat8(credits[i]);
		turns->items[r - receivers->items].credited = true;
	}
}

static bool
find_credits_seen(PoolTable *table, int32 rule_id, RuleSeen *entry)
{
	Snapshot	snapshot = pool_snapshot_hold(pool_snapshot());
	bool		found = pool_table_fetch(table, &entry->credits, snapshot);
	bool		isnull;

	pool_snapshot_let_go(snapshot);
	return found &&
		DatumGetInt32(slot_getattr(table->old, ROUTING_CREDIT_RULE_ID,
								   &isnull)) == rule_id &&
		TransactionIdEquals(xmin_of(table->old), entry->xmin);
}

static void
clear(PoolTurns *turns)
{
	turns->served = 0;
	for (int i = 0; i < turns->receivers->n; i++)
	{
		memset(&turns->items[i], 0, sizeof(PoolTurn));
		turns->items[i].last_at = POOL_NO_TIME;
		turns->items[i].seat_from = POOL_NO_TIME;
		turns->items[i].seat_until = POOL_NO_TIME;
		turns->items[i].period_from = POOL_NO_TIME;
	}
}

/* Reads what is stored of all receivers. */
void
pool_turns_read(PoolTurns *turns)
{
	PoolTable  *table = pool_work_table(turns->receivers->work,
										POOL_ROUTING_CREDIT);
	RuleSeen   *entry = recall(turns);

	clear(turns);
	turns->credits_stored = true;
	if (entry != NULL && find_credits_seen(table, turns->rule->id, entry))
	{
		read_credits(turns, table->old);
		if (read_turns_seen(turns, entry))
			return;
		clear(turns);
	}
	read_turns(turns);
	turns->credits_stored = pool_table_find(table, POOL_ROUTING_CREDIT_PKEY,
											pool_snapshot(),
											&pool_key_int4(turns->rule->id),
											1);
	if (turns->credits_stored)
		read_credits(turns, table->old);
}

/* ------------------------------------------------------------------------
 * Writing
 * ------------------------------------------------------------------------ */

/* Whether anybody is owed anything: not where a rule does not go by turns. */
static bool
has_credits(const PoolTurns *turns)
{
	if (turns->credits_changed)
		return true;
	for (int i = 0; i < turns->receivers->n; i++)
		if (turns->items[i].credited)
			return true;
	return false;
}

static void
write_credits(PoolTurns *turns)
{
	PoolReceivers *receivers = turns->receivers;
	PoolTable  *table = pool_work_table(receivers->work, POOL_ROUTING_CREDIT);
	Datum	   *ids = palloc(receivers->n * sizeof(Datum));
	Datum	   *credits = palloc(receivers->n * sizeof(Datum));
	Datum		values[ROUTING_CREDIT_NATTS];
	bool		nulls[ROUTING_CREDIT_NATTS] = {0};
	bool		any = has_credits(turns);
	int			n = 0;

	for (int i = 0; any && i < receivers->n; i++)
	{
		if (!receivers->items[i].present)
			continue;
		turns->items[i].credited = true;
		ids[n] = Int32GetDatum(receivers->items[i].member->id);
		credits[n++] = Float8GetDatum(turns->items[i].credit);
	}
	values[ROUTING_CREDIT_RULE_ID - 1] = Int32GetDatum(turns->rule->id);
	values[ROUTING_CREDIT_TENANT_ID - 1] =
		Int32GetDatum(receivers->pool->tenant_id);
	values[ROUTING_CREDIT_MEMBERS - 1] =
		PointerGetDatum(construct_array(ids, n, INT4OID, 4, true,
										TYPALIGN_INT));
	values[ROUTING_CREDIT_CREDITS - 1] =
		PointerGetDatum(construct_array(credits, n, FLOAT8OID, 8,
										FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	if (!turns->credits_stored)
		pool_table_insert(table, values, nulls);
	else if (pool_table_fetch(table, &turns->credits_tid, SnapshotAny))
		pool_table_update(table, values, nulls);
	else
		elog(ERROR, "credits of a rule have vanished");
	turns->credits_tid = table->new->tts_tid;
	turns->credits_xmin = GetCurrentTransactionId();
	turns->credits_stored = true;
	turns->credits_changed = false;
}

static void
form_turn(const PoolTurns *turns, int i, Datum *v, bool *n)
{
	const PoolTurn *turn = &turns->items[i];
	const PoolMemberConf *member = turns->receivers->items[i].member;

#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
#define PUT_TIME(attnum, at) \
	PUT(attnum, TimestampTzGetDatum(at), (at) == POOL_NO_TIME)
	PUT(ROUTING_STATE_RULE_ID, Int32GetDatum(turns->rule->id), false);
	PUT(ROUTING_STATE_MEMBER_ID, Int32GetDatum(member->id), false);
	PUT(ROUTING_STATE_TENANT_ID, Int32GetDatum(member->tenant_id), false);
	PUT(ROUTING_STATE_SERVED, Int64GetDatum(turn->served), false);
	PUT(ROUTING_STATE_EARLY, Int64GetDatum(turn->early), false);
	PUT(ROUTING_STATE_LAST_NO, Int64GetDatum(turn->last_no), false);
	PUT_TIME(ROUTING_STATE_LAST_AT, turn->last_at);
	PUT_TIME(ROUTING_STATE_SEAT_FROM, turn->seat_from);
	PUT_TIME(ROUTING_STATE_SEAT_UNTIL, turn->seat_until);
	PUT_TIME(ROUTING_STATE_PERIOD_FROM, turn->period_from);
	PUT(ROUTING_STATE_PERIOD_BASE, Int64GetDatum(turn->period_base), false);
	PUT(ROUTING_STATE_PERIOD_SERVED, Int32GetDatum(turn->period_served),
		false);
#undef PUT
#undef PUT_TIME
}

/* 40001 if somebody has used the rule since the snapshot of a higher level. */
static void
check_current(const PoolTurns *turns)
{
	PoolTable  *table = pool_work_table(turns->receivers->work,
										POOL_ROUTING_CREDIT);
	Snapshot	snapshot;
	bool		found;

	if (!IsolationUsesXactSnapshot())
		return;
	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(table->rel)));
	found = pool_table_find(table, POOL_ROUTING_CREDIT_PKEY, snapshot,
							&pool_key_int4(turns->rule->id), 1);
	UnregisterSnapshot(snapshot);
	if (found != turns->credits_stored ||
		(found && !ItemPointerEquals(&table->old->tts_tid,
									 (ItemPointer) &turns->credits_tid)))
		pool_report_serialization();
}

/* Writes what has changed; the counters of all receivers are locked. */
void
pool_turns_write(PoolTurns *turns)
{
	PoolTable  *table = pool_work_table(turns->receivers->work,
										POOL_ROUTING_STATE);
	bool		any = false;

	for (int i = 0; i < turns->receivers->n; i++)
	{
		Datum		values[ROUTING_STATE_NATTS];
		bool		nulls[ROUTING_STATE_NATTS];

		if (!turns->items[i].changed)
			continue;
		if (!any)
			check_current(turns);
		any = true;
		form_turn(turns, i, values, nulls);
		if (!turns->items[i].stored)
			pool_table_insert(table, values, nulls);
		else if (pool_table_fetch(table, &turns->items[i].tid, SnapshotAny))
			pool_table_update(table, values, nulls);
		else
			elog(ERROR, "turn of a member has vanished");
		turns->items[i].tid = table->new->tts_tid;
		turns->items[i].stored = true;
		turns->items[i].changed = false;
	}
	if (!any)
		return;
	write_credits(turns);
	remember(turns);
}
