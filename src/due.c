/*
 * due.c
 *	  When time will act on a lead, by the timer rules of its pool.
 *
 * Computes from a lead and the configuration alone: rules, calendar, absences
 * of the owner, and when ticks did not run.  Whoever changes what it reads of a
 * lead computes check_at anew.
 */
#include "compat.h"
#include "due.h"

#include "data.h"
#include "worktime.h"

/* when a clock stands still for good */
#define NEVER DT_NOEND

static const PoolTenantConf *
tenant_of(const PoolConf *pool)
{
	return pool_config_tenant(pool->tenant_id);
}

/* at + span, in working time if the rule counts that. */
TimestampTz
pool_due_later(TimestampTz at, const Interval *span, const PoolConf *pool,
			   const PoolTimerRule *rule)
{
	if (!rule->working_time)
		return pool_time_add(at, span, pool->zone);
	return pool_work_add(at, pool_work_amount(span, tenant_of(pool)),
						 tenant_of(pool), pool->zone);
}

/* at - span, likewise; NEVER before NEVER. */
TimestampTz
pool_due_earlier(TimestampTz at, const Interval *span, const PoolConf *pool,
				 const PoolTimerRule *rule)
{
	if (at == NEVER)
		return NEVER;
	if (!rule->working_time)
		return pool_time_subtract(at, span, pool->zone);
	return pool_work_subtract(at, pool_work_amount(span, tenant_of(pool)),
							  tenant_of(pool), pool->zone);
}

/* The pool the rule sends leads to; 0 = none, they stay in theirs. */
int32
pool_due_target(const PoolConf *pool, const PoolTimerRule *rule)
{
	if (rule->to_pool_id == 0 && rule->action == POOL_TIMER_MOVE)
		return pool->parent_id;
	return rule->to_pool_id;
}

/* ------------------------------------------------------------------------
 * From when a rule counts
 * ------------------------------------------------------------------------ */

static TimestampTz
created_at(const PoolLead *lead)
{
	return lead->created_at != POOL_NO_TIME ? lead->created_at :
		pool_data_created_at(lead->id);
}

/* For rules about leads that somebody owns. */
static TimestampTz
spell_start(const PoolLead *lead, PoolTimerBasis basis)
{
	switch (basis)
	{
		case POOL_BASIS_FIRST_CONTACT:
			return lead->follow_ups > 0 ? POOL_NO_TIME : lead->owned_at;
		case POOL_BASIS_FOLLOW_UP:
			/* POOL_NO_TIME is before everything */
			return Max(lead->owned_at, lead->last_follow_up_at);
		case POOL_BASIS_OWNERSHIP:
			return lead->chain_at;
		case POOL_BASIS_STAGE:
			return Max(lead->owned_at, lead->stage_at);
		case POOL_BASIS_PLANNED:
			return lead->next_follow_up_at;
		default:
			return POOL_NO_TIME;
	}
}

/* When its clock began; POOL_NO_TIME: not about leads in this state. */
TimestampTz
pool_due_since(const PoolLead *lead, const PoolTimerRule *rule)
{
	switch (rule->basis)
	{
		case POOL_BASIS_ENTRY:
			return lead->status == POOL_AVAILABLE ?
				lead->entered_at : POOL_NO_TIME;
		case POOL_BASIS_REVIEW:
			return lead->status == POOL_IN_REVIEW ?
				lead->entered_at : POOL_NO_TIME;
		case POOL_BASIS_CREATION:
			if (rule->action == POOL_TIMER_RECLAIM &&
				lead->status != POOL_OWNED)
				return POOL_NO_TIME;
			if (rule->action == POOL_TIMER_MOVE &&
				lead->status == POOL_IN_REVIEW)
				return POOL_NO_TIME;
			return pool_lead_is_open(lead) ? created_at(lead) : POOL_NO_TIME;
		case POOL_BASIS_APPROVAL:
			/* counts from a request, not from the lead: timer_approval.c */
			return POOL_NO_TIME;
		default:
			return lead->status == POOL_OWNED ?
				spell_start(lead, rule->basis) : POOL_NO_TIME;
	}
}

/* ------------------------------------------------------------------------
 * What moves a deadline
 * ------------------------------------------------------------------------ */

static int64
span_length(const Interval *span)
{
	return ((int64) span->month * DAYS_PER_MONTH + span->day) *
		USECS_PER_DAY + span->time;
}

/*
 * `due_at`, put off by as much of the owner's absences as lies between `from` and
 * it.  Of his absences in this spell only the first max_pause count.
 */
static TimestampTz
add_pauses(TimestampTz due_at, TimestampTz from, const PoolLead *lead,
		   const PoolConf *pool, const PoolTimerRule *rule)
{
	const PoolMemberConf *owner = pool_config_find_member(lead->owner_id);
	int64		left = pool->max_pause == NULL ? PG_INT64_MAX :
	span_length(pool->max_pause);

	for (int i = 0; owner != NULL && i < owner->n_absences; i++)
	{
		TimestampTz begin = Max(owner->absences[i].from, lead->owned_at);
		TimestampTz end = owner->absences[i].until;

		if (end <= begin)
			continue;
		if (pool->max_pause != NULL && (end == DT_NOEND || end - begin > left))
			end = begin + left;
		if (end != DT_NOEND)
			left -= end - begin;
		begin = Max(begin, from);
		if (begin >= due_at || end <= begin)
			continue;
		if (end == DT_NOEND)
			return NEVER;
		due_at = !rule->working_time ? due_at + (end - begin) :
			pool_work_add(due_at,
						  pool_work_between(begin, end, tenant_of(pool),
											pool->zone),
						  tenant_of(pool), pool->zone);
	}
	return due_at;
}

/*
 * What became due while no tick ran becomes due catch_up after the next tick.
 * This happens once: where ticks are rare it would be put off for ever.
 */
static TimestampTz
add_catch_up(TimestampTz due_at, const PoolConf *pool)
{
	const PoolPeriod *downtimes;
	int			n = pool_config_downtimes(&downtimes);

	for (int i = 0; i < n; i++)
		if (due_at > downtimes[i].from && due_at <= downtimes[i].until)
			return pool_time_add(downtimes[i].until, pool->catch_up,
								 pool->zone);
	return due_at;
}

/*
 * The moment this rule acts on a lead, its condition aside: DT_NOEND while the
 * lead is protected for good.  False if the rule does not apply, or never will
 * as things are.  A rule that ends spells leaves alone those that began after
 * it had become due.
 */
bool
pool_due_at(const PoolLead *lead, const PoolConf *pool,
			const PoolTimerRule *rule, TimestampTz *due_at)
{
	TimestampTz from = pool_due_since(lead, rule);
	bool		acts = rule->action != POOL_TIMER_ESCALATE;

	if (from == POOL_NO_TIME)
		return false;
	*due_at = pool_due_later(from, &rule->after, pool, rule);
	if (acts && lead->status == POOL_OWNED && *due_at <= lead->owned_at &&
		rule->basis == POOL_BASIS_CREATION)
		return false;
	if (rule->action == POOL_TIMER_MOVE &&
		pool_due_target(pool, rule) == 0)
		return false;
	if (pool->pause_when_away && lead->status == POOL_OWNED)
		*due_at = add_pauses(*due_at, from, lead, pool, rule);
	if (*due_at == NEVER)
		return false;
	if (acts)
	{
		*due_at = Max(*due_at, lead->protected_until);
		if (pool->catch_up != NULL)
			*due_at = add_catch_up(*due_at, pool);
	}
	return true;
}

/*
 * A moment before which no rule of its pool touches the lead, POOL_NO_TIME if
 * none ever will.  What has been done already and conditions are not looked
 * at: the tick does that when the moment has come.
 */
TimestampTz
pool_due_check_at(const PoolLead *lead)
{
	const PoolConf *pool;
	TimestampTz result = POOL_NO_TIME;

	/*
	 * Whoever writes by old rules must have had his transaction id when the
	 * new ones came into force: recheck.c waits for that.
	 */
	pool_config_refresh();
	pool = pool_config_pool(lead->pool_id);

	for (int i = 0; i < pool->n_rules; i++)
	{
		const PoolTimerRule *rule = &pool->rules[i];
		TimestampTz at;
		TimestampTz due_at;

		if (!pool_due_at(lead, pool, rule, &due_at))
			continue;
		at = due_at;
		for (int j = 0; j < rule->n_remind; j++)
			at = Min(at, pool_due_earlier(due_at, &rule->remind_before[j],
										  pool, rule));
		if (result == POOL_NO_TIME || at < result)
			result = at;
	}
	return result;
}
