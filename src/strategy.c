/*
 * strategy.c
 *	  Choosing an owner among those who may receive a lead.
 *
 * Pure: decides by what it is given.
 *
 * Turns are kept as credits, in leads: of every lead, each who may receive it
 * is credited with his share, and who gets it is debited with the whole.  A lead
 * goes to the one who must have it first, of those who have enough credit for
 * one: when another share would take him a whole lead away from what he is
 * due (R. Tijdeman, The chairman assignment problem, 1980).  So nobody ever is.
 * Who may not receive a lead is credited with nothing: so nothing is made up
 * for, and whatever the history, credits stay about zero.
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

/* What entitles to leads. */
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

/*
 * Who must have the lead first: his deadline, in leads from now, is when his
 * credit will be a whole lead (less what keeps deadlines from colliding).
 */
static PoolContender *
first_due(PoolStrategy strategy, PoolContender *contenders, int n,
		  double total)
{
	double		margin = n > 1 ? 1.0 / (2 * (n - 1)) : 0;
	PoolContender *first = NULL;
	double		least = 0;

	for (int i = 0; i < n; i++)
	{
		PoolContender *c = &contenders[i];
		double		deadline = (1 - margin - c->credit) * total /
		claim_of(strategy, c);

		if (c->credit < margin - EPSILON)
			continue;
		if (first == NULL || deadline < least - EPSILON ||
			(deadline <= least + EPSILON && is_less_recent(c, first)))
		{
			first = c;
			least = deadline;
		}
	}
	return first;
}

/* Whose credit is highest, where nobody has enough for a lead. */
static PoolContender *
highest_credit(PoolContender *contenders, int n)
{
	PoolContender *first = &contenders[0];

	for (int i = 1; i < n; i++)
	{
		PoolContender *c = &contenders[i];

		if (c->credit > first->credit + EPSILON ||
			(c->credit >= first->credit - EPSILON &&
			 is_less_recent(c, first)))
			first = c;
	}
	return first;
}

static PoolChoice
choose_by_turn(PoolStrategy strategy, PoolContender *contenders, int n)
{
	PoolChoice	choice = {.by_turn = true};
	double		total = 0;

	for (int i = 0; i < n; i++)
		total += claim_of(strategy, &contenders[i]);
	for (int i = 0; i < n; i++)
		contenders[i].credit += claim_of(strategy, &contenders[i]) / total;
	choice.chosen = first_due(strategy, contenders, n, total);
	if (choice.chosen == NULL)
		choice.chosen = highest_credit(contenders, n);
	choice.chosen->credit -= 1;
	choice.probability = claim_of(strategy, choice.chosen) / total;
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
	PoolChoice	choice = {0};
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
 * Chooses one of n > 0 contenders; `draw` is a random number from 0 up to 1.
 * Credits are changed by the strategies that go by turns.
 */
PoolChoice
pool_strategy_choose(PoolStrategy strategy, PoolContender *contenders, int n,
					 double draw)
{
	PoolChoice	choice = choose_newcomer(contenders, n);

	Assert(n > 0);
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
			return choose_by_turn(strategy, contenders, n);
	}
}
