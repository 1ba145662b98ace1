/*
 * turn.c
 *	  What a routing rule remembers of the members it serves: turns, seats and
 *	  newcomers.
 *
 * Their rows are read and written by turn_row.c.
 */
#include "compat.h"
#include "turn.h"

#include "common/hashfn.h"

/* seats that nobody asked for are not passed on one by one */
#define MAX_SEAT_STEPS 1000

/* ------------------------------------------------------------------------
 * Credits
 * ------------------------------------------------------------------------ */

/* Who joins or comes back begins at the others' average, which is made zero. */
static void
level_credits(PoolTurns *turns)
{
	double		sum = 0;
	int			n = 0;

	for (int i = 0; i < turns->receivers->n; i++)
	{
		if (!turns->items[i].credited)
			continue;
		sum += turns->items[i].credit;
		n++;
	}
	for (int i = 0; i < turns->receivers->n; i++)
		if (turns->items[i].credited)
			turns->items[i].credit -= sum / n;
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
 * Decides who has a seat now: when the time is over, all seats pass on to those
 * who had one the longest ago; when somebody goes, only his does.
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
	MemoryContextSwitchTo(old);
	pool_turns_read(turns);
	level_credits(turns);
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
