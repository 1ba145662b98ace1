/*
 * strategy.c
 *	  Choosing an owner among those who may receive a lead.
 *
 * Pure: decides by what it is given.
 *
 * Turns are kept in a clock that counts the leads a rule has given by turns.
 * Whoever is entitled to a share s gets one lead in every interval of 1/s; his
 * `turn` is when his next interval begins.  A lead goes to the one whose
 * interval has begun and ends first.  So nobody is ever a whole lead away from
 * his share, and only the state of the one who was served changes (this is the
 * packet scheduler WF2Q+, where the packets are leads).  Who joins begins at
 * the others' average, and so does who was away for longer than one interval:
 * nothing is made up for.  Nobody waits longer than one interval of today's,
 * whatever his weight was before.
 */
#include "compat.h"
#include "strategy.h"

#define EPSILON 1e-9

/* Who was served less recently, by lot among those who never were. */
static bool
is_less_recent(const PoolContender *a, const PoolContender *b)
{
	if (a->last_no != b->last_no)
		return a->last_no < b->last_no;
	return a->lot < b->lot;
}

/* ------------------------------------------------------------------------
 * By turns
 * ------------------------------------------------------------------------ */

/* What entitles to leads; 0 only where all scores are. */
static double
claim_of(PoolStrategy strategy, const PoolContender *c)
{
	switch (strategy)
	{
		case POOL_ROUND_ROBIN:
			return 1;
		case POOL_BEST_MATCH:
			return c->weight * c->score;
		default:
			return c->weight;
	}
}

/* Whether he was there all the time, so that his turn is his own. */
static bool
is_in_turn(const PoolContender *c, double interval, double clock)
{
	return c->has_turn && c->turn >= clock - interval - 1 - EPSILON;
}

/* Where those who join begin. */
static double
average_turn(PoolStrategy strategy, const PoolContender *contenders, int n,
			 double total, double clock)
{
	double		sum = 0;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		double		interval = total / claim_of(strategy, &contenders[i]);

		if (!is_in_turn(&contenders[i], interval, clock))
			continue;
		sum += Min(contenders[i].turn, clock + interval);
		count++;
	}
	return count == 0 ? clock : sum / count;
}

/* Gives everyone the turn he has today; returns when the first one begins. */
static double
settle_turns(PoolStrategy strategy, PoolContender *contenders, int n,
			 double total, double clock)
{
	double		average = average_turn(strategy, contenders, n, total, clock);
	double		first = 0;

	for (int i = 0; i < n; i++)
	{
		PoolContender *c = &contenders[i];
		double		interval = total / claim_of(strategy, c);
		double		turn = is_in_turn(c, interval, clock) ?
		Min(c->turn, clock + interval) : average;

		if (!c->has_turn || turn != c->turn)
			c->moved = true;
		c->has_turn = true;
		c->turn = turn;
		if (i == 0 || turn < first)
			first = turn;
	}
	return first;
}

static PoolChoice
choose_by_turn(PoolStrategy strategy, PoolContender *contenders, int n,
			   double clock)
{
	PoolChoice	choice = {0};
	double		total = 0;
	double		begun;
	double		earliest = 0;
	double		interval;

	for (int i = 0; i < n; i++)
		total += claim_of(strategy, &contenders[i]);
	begun = Max(clock, settle_turns(strategy, contenders, n, total, clock));
	for (int i = 0; i < n; i++)
	{
		PoolContender *c = &contenders[i];
		double		end = c->turn + total / claim_of(strategy, c);

		if (c->turn > begun + EPSILON)
			continue;
		if (choice.chosen == NULL || end < earliest - EPSILON ||
			(end <= earliest + EPSILON && is_less_recent(c, choice.chosen)))
		{
			choice.chosen = c;
			earliest = end;
		}
	}
	interval = total / claim_of(strategy, choice.chosen);
	choice.chosen->turn += interval;
	choice.chosen->moved = true;
	choice.probability = 1 / interval;
	return choice;
}

/* ------------------------------------------------------------------------
 * Others
 * ------------------------------------------------------------------------ */

/*
 * The one at `draw` of the way through all weights, in the order given: the
 * same draw and weights choose the same.
 */
static PoolChoice
choose_by_lot(PoolContender *contenders, int n, double draw)
{
	PoolChoice	choice = {.draw = draw};
	double		total = 0;
	double		passed = 0;

	for (int i = 0; i < n; i++)
		total += contenders[i].weight;
	for (int i = 0; i < n; i++)
	{
		choice.chosen = &contenders[i];
		passed += contenders[i].weight;
		if (passed > draw * total)
			break;
	}
	choice.probability = choice.chosen->weight / total;
	return choice;
}

/* How much a strategy that looks for the best one minds this one. */
static double
cost_of(PoolStrategy strategy, const PoolContender *c)
{
	return strategy == POOL_LEAST_LOADED ? c->held / c->weight : -c->score;
}

static PoolChoice
choose_best(PoolStrategy strategy, PoolContender *contenders, int n)
{
	PoolChoice	choice = {.probability = 1};
	double		least = 0;

	for (int i = 0; i < n; i++)
	{
		PoolContender *c = &contenders[i];
		double		cost = cost_of(strategy, c);

		if (choice.chosen == NULL || cost < least - EPSILON ||
			(cost <= least + EPSILON && is_less_recent(c, choice.chosen)))
		{
			choice.chosen = c;
			least = cost;
		}
	}
	return choice;
}

/* The newcomer to whom most is owed; chosen is NULL if nothing is. */
static PoolChoice
choose_newcomer(PoolContender *contenders, int n)
{
	PoolChoice	choice = {.early = true,.probability = 1};

	for (int i = 0; i < n; i++)
	{
		PoolContender *c = &contenders[i];

		if (c->owed <= EPSILON)
			continue;
		if (choice.chosen == NULL ||
			c->owed > choice.chosen->owed + EPSILON ||
			(c->owed >= choice.chosen->owed - EPSILON &&
			 is_less_recent(c, choice.chosen)))
			choice.chosen = c;
	}
	return choice;
}

/*
 * Chooses one of n > 0 contenders.  `clock` is the number of leads the rule
 * has given by turns so far, `draw` a random number from 0 up to 1.  Turns
 * are left in the contenders, changed only by the strategies that have any.
 */
PoolChoice
pool_strategy_choose(PoolStrategy strategy, PoolContender *contenders, int n,
					 double clock, double draw)
{
	PoolChoice	choice = choose_newcomer(contenders, n);

	if (choice.chosen != NULL)
		return choice;
	switch (strategy)
	{
		case POOL_RANDOM:
			return choose_by_lot(contenders, n, draw);
		case POOL_LEAST_LOADED:
		case POOL_PERFORMANCE:
			return choose_best(strategy, contenders, n);
		default:
			return choose_by_turn(strategy, contenders, n, clock);
	}
}
