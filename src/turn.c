/*
 * turn.c
 *	  What a routing rule remembers of the members it serves: turns, seats and
 *	  newcomers.
 *
 * The only writer of routing_state and routing_credit.  Their rows have no lock
 * of their own: a rule is used under the counters of all whom it may serve.
 */
#include "compat.h"
#include "turn.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/rel.h"

/* seats that nobody asked for are not passed on one by one */
#define MAX_SEAT_STEPS 1000

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

/* ------------------------------------------------------------------------
 * Credits: one row per rule, since every lead changes those of all
 * ------------------------------------------------------------------------ */

/* Credits of members who are there no more are forgotten. */
static int
read_credits(PoolTurns *turns, bool *known)
{
	PoolReceivers *receivers = turns->receivers;
	PoolTable  *table = pool_work_table(receivers->work, POOL_ROUTING_CREDIT);
	Datum	   *ids;
	Datum	   *credits;
	bool		isnull;
	int			n;
	int			n_known = 0;

	turns->credits_stored = pool_table_find(table, POOL_ROUTING_CREDIT_PKEY,
											pool_snapshot(),
											&pool_key_int4(turns->rule->id),
											1);
	if (!turns->credits_stored)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(slot_getattr(table->old,
													  ROUTING_CREDIT_MEMBERS,
													  &isnull)),
					  INT4OID, 4, true, TYPALIGN_INT, &ids, NULL, &n);
	deconstruct_array(DatumGetArrayTypeP(slot_getattr(table->old,
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
		known[r - receivers->items] = true;
		n_known++;
	}
	return n_known;
}

/* Who joins or comes back begins at the others' average, which is made zero. */
static void
load_credits(PoolTurns *turns)
{
	bool	   *known = palloc0(Max(turns->receivers->n, 1) * sizeof(bool));
	int			n_known = read_credits(turns, known);
	double		sum = 0;

	for (int i = 0; i < turns->receivers->n; i++)
		sum += turns->items[i].credit;
	for (int i = 0; i < turns->receivers->n; i++)
		if (known[i])
			turns->items[i].credit -= sum / n_known;
	pfree(known);
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
	int			n = 0;

	for (int i = 0; i < receivers->n; i++)
	{
		if (!receivers->items[i].present)
			continue;
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
	else if (pool_table_find(table, POOL_ROUTING_CREDIT_PKEY,
							 pool_snapshot(),
							 &pool_key_int4(turns->rule->id), 1))
		pool_table_update(table, values, nulls);
	else
		elog(ERROR, "credits of a rule have vanished");
	turns->credits_stored = true;
	turns->credits_changed = false;
}

/* ------------------------------------------------------------------------
 * Newcomers
 * ------------------------------------------------------------------------ */

static bool
is_newcomer(const PoolReceivers *receivers, int i)
{
	const PoolConf *pool = receivers->pool;
	TimestampTz joined_at = receivers->items[i].member->joined_at;

	return pool->newcomer_period != NULL && joined_at <= receivers->now &&
		pool_time_add(joined_at, pool->newcomer_period, pool->zone) >
		receivers->now;
}

/*
 * Finds the newcomers, where the rule has something for them, and begins the
 * periods of those it sees for the first time.
 */
static void
begin_periods(PoolTurns *turns)
{
	if (turns->rule->newcomer_share <= 0 && turns->rule->newcomer_min <= 0)
		return;
	for (int i = 0; i < turns->receivers->n; i++)
	{
		PoolTurn   *turn = &turns->items[i];
		TimestampTz joined_at = turns->receivers->items[i].member->joined_at;

		turn->newcomer = is_newcomer(turns->receivers, i);
		if (!turn->newcomer || turn->period_from == joined_at)
			continue;
		turn->period_from = joined_at;
		turn->period_base = turns->served;
		turn->period_served = 0;
		turn->changed = true;
	}
}

/*
 * How many leads this receiver is still sure of, were the next one given now;
 * at most 0 if he is no newcomer or has had his share.
 */
double
pool_turn_owed(const PoolTurns *turns, int i)
{
	const PoolRoutingRule *rule = turns->rule;
	const PoolTurn *turn = &turns->items[i];
	double		sure;

	if (!turn->newcomer)
		return 0;
	sure = rule->newcomer_share * (turns->served - turn->period_base + 1);
	return Max(floor(sure + 1e-9), rule->newcomer_min) - turn->period_served;
}

/* ------------------------------------------------------------------------
 * Seats
 * ------------------------------------------------------------------------ */

static uint32
seat_lot(const PoolTurns *turns, int i)
{
	return hash_combine(hash_bytes_uint32(turns->rule->id),
						hash_bytes_uint32(turns->receivers->items[i].member->id));
}

static bool
may_sit(const PoolTurns *turns, int i)
{
	const PoolReceiver *r = &turns->receivers->items[i];

	return r->present && r->membership->level >= turns->rule->min_level &&
		r->membership->weight > 0;
}

/* When the seats under way end; POOL_NO_TIME if there are none. */
static TimestampTz
seats_end(const PoolTurns *turns, TimestampTz *last_end)
{
	TimestampTz end = POOL_NO_TIME;

	*last_end = POOL_NO_TIME;
	for (int i = 0; i < turns->receivers->n; i++)
		*last_end = Max(*last_end, turns->items[i].seat_until);
	if (*last_end > turns->receivers->now)
		end = *last_end;
	return end;
}

/* When the seats that begin now do end: no seat begins in between. */
static TimestampTz
next_end(const PoolTurns *turns, TimestampTz last_end, TimestampTz *begin)
{
	pg_tz	   *zone = turns->receivers->pool->zone;
	TimestampTz now = turns->receivers->now;
	TimestampTz end = last_end;

	*begin = last_end;
	for (int i = 0; last_end != POOL_NO_TIME && i < MAX_SEAT_STEPS; i++)
	{
		*begin = end;
		end = pool_time_add(end, turns->rule->rotate_every, zone);
		if (end > now)
			return end;
	}
	*begin = now;
	return pool_time_add(now, turns->rule->rotate_every, zone);
}

/* Who had a seat the longest ago, by lot among those who never had one. */
static int
next_to_sit(const PoolTurns *turns)
{
	int			next = -1;

	for (int i = 0; i < turns->receivers->n; i++)
	{
		const PoolTurn *a = &turns->items[i];
		const PoolTurn *b = next < 0 ? NULL : &turns->items[next];

		if (a->seated || !may_sit(turns, i))
			continue;
		if (b == NULL || a->seat_until < b->seat_until ||
			(a->seat_until == b->seat_until &&
			 seat_lot(turns, i) < seat_lot(turns, next)))
			next = i;
	}
	return next;
}

/*
 * Seats those who have one now: when the time is over, all seats pass on to
 * who had one the longest ago; when somebody goes, his seat does.
 */
static void
take_seats(PoolTurns *turns)
{
	TimestampTz begin = turns->receivers->now;
	TimestampTz last_end;
	TimestampTz end = seats_end(turns, &last_end);
	bool		under_way = end != POOL_NO_TIME;
	int			taken = 0;

	if (!under_way)
		end = next_end(turns, last_end, &begin);
	for (int i = 0; under_way && i < turns->receivers->n; i++)
	{
		PoolTurn   *turn = &turns->items[i];

		if (turn->seat_until != end)
			continue;
		turn->seated = may_sit(turns, i);
		if (turn->seated)
			taken++;
		else
		{
			turn->seat_until = begin;
			turn->changed = true;
		}
	}
	for (; taken < turns->rule->rotate_seats; taken++)
	{
		int			next = next_to_sit(turns);

		if (next < 0)
			break;
		turns->items[next].seated = true;
		turns->items[next].seat_from = begin;
		turns->items[next].seat_until = end;
		turns->items[next].changed = true;
	}
}

/* ------------------------------------------------------------------------
 * Serving
 * ------------------------------------------------------------------------ */

/* Reads what the rule remembers of all who may receive in its pool. */
PoolTurns *
pool_turns_load(PoolReceivers *receivers, const PoolRoutingRule *rule)
{
	MemoryContext old = MemoryContextSwitchTo(receivers->context);
	PoolTurns  *turns = palloc0(sizeof(PoolTurns));

	turns->rule = rule;
	turns->receivers = receivers;
	turns->items = palloc0(Max(receivers->n, 1) * sizeof(PoolTurn));
	for (int i = 0; i < receivers->n; i++)
	{
		turns->items[i].last_at = POOL_NO_TIME;
		turns->items[i].seat_from = POOL_NO_TIME;
		turns->items[i].seat_until = POOL_NO_TIME;
		turns->items[i].period_from = POOL_NO_TIME;
	}
	MemoryContextSwitchTo(old);
	read_turns(turns);
	load_credits(turns);
	begin_periods(turns);
	if (rule->rotate_every != NULL)
		take_seats(turns);
	else
		for (int i = 0; i < receivers->n; i++)
			turns->items[i].seated = true;
	return turns;
}

/* Receiver i gets a lead. */
void
pool_turn_serve(PoolTurns *turns, int i, bool early, TimestampTz at)
{
	PoolTurn   *turn = &turns->items[i];

	turns->served++;
	turn->served++;
	if (early)
		turn->early++;
	if (turn->newcomer)
		turn->period_served++;
	turn->last_no = turns->served;
	turn->last_at = at;
	turn->changed = true;
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

/* Writes what has changed. */
void
pool_turns_write(PoolTurns *turns)
{
	PoolTable  *table = pool_work_table(turns->receivers->work,
										POOL_ROUTING_STATE);

	if (turns->credits_changed)
		write_credits(turns);
	for (int i = 0; i < turns->receivers->n; i++)
	{
		Datum		values[ROUTING_STATE_NATTS];
		bool		nulls[ROUTING_STATE_NATTS];
		PoolKey		keys[2] = {pool_key_int4(turns->rule->id),
		pool_key_int4(turns->receivers->items[i].member->id)};

		if (!turns->items[i].changed)
			continue;
		form_turn(turns, i, values, nulls);
		if (!turns->items[i].stored)
			pool_table_insert(table, values, nulls);
		else if (pool_table_find(table, POOL_ROUTING_STATE_PKEY,
								 pool_snapshot(), keys, 2))
			pool_table_update(table, values, nulls);
		else
			elog(ERROR, "turn of a member has vanished");
		turns->items[i].stored = true;
		turns->items[i].changed = false;
	}
}
