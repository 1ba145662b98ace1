/*
 * turn.h
 *	  What a routing rule remembers of the members it serves.
 */
#ifndef POOL_TURN_H
#define POOL_TURN_H

#include "receiver.h"

/* A row of routing_state, and a credit; times POOL_NO_TIME where NULL. */
typedef struct PoolTurn
{
	bool		stored;			/* there is a row, at tid */
	ItemPointerData tid;
	bool		changed;
	bool		newcomer;
	bool		seated;			/* false: the rule has seats and he has none */
	bool		credited;		/* he has a credit, if of nothing */
	double		credit;			/* leads he is due, see strategy.c */
	int64		served;
	int64		early;
	int64		last_no;
	TimestampTz last_at;
	TimestampTz seat_from;
	TimestampTz seat_until;
	TimestampTz period_from;
	int64		period_base;
	int32		period_served;
} PoolTurn;

/* All of a rule, one per receiver of its pool. */
typedef struct PoolTurns
{
	const PoolRoutingRule *rule;
	PoolReceivers *receivers;
	PoolTurn   *items;
	int64		served;			/* leads the rule gave to anybody */
	bool		credits_stored; /* at credits_tid */
	ItemPointerData credits_tid;
	TransactionId credits_xmin;
	bool		credits_changed;
} PoolTurns;

extern PoolTurns *pool_turns_load(PoolReceivers *receivers,
								  const PoolRoutingRule *rule);
extern double pool_turn_owed(const PoolTurns *turns, int i);
extern void pool_turn_serve(PoolTurns *turns, int i, bool early,
							TimestampTz at);

/* turn_row.c */
extern void pool_turns_read(PoolTurns *turns);
extern void pool_turns_write(PoolTurns *turns);

#endif							/* POOL_TURN_H */
