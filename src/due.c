/*
 * due.c
 *	  When time will act on a lead, by the timer rules of its pool.
 *
 * Pure: computes from a lead and the configuration it is given.
 */
#include "compat.h"
#include "due.h"

/*
 * The moment this rule acts on an owned lead, its condition aside; false if
 * it does not apply.
 */
bool
pool_due_at(const PoolLead *lead, const PoolConf *pool,
			const PoolTimerRule *rule, TimestampTz *due_at)
{
	TimestampTz from;

	if (lead->status != POOL_OWNED)
		return false;
	switch (rule->basis)
	{
		case POOL_BASIS_FIRST_CONTACT:
			if (lead->follow_ups > 0)
				return false;
			from = lead->owned_at;
			break;
		case POOL_BASIS_FOLLOW_UP:
			/* POOL_NO_TIME is before everything */
			from = Max(lead->owned_at, lead->last_follow_up_at);
			break;
		default:
			from = lead->chain_at;
			break;
	}
	*due_at = pool_time_add(from, &rule->after, pool->zone);
	return true;
}

/*
 * A moment before which no rule of its pool touches the lead, POOL_NO_TIME if
 * none ever will.  Reminders already sent and conditions are not looked at:
 * the tick does that when the moment has come.
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
			at = Min(at, pool_time_subtract(due_at, &rule->remind_before[j],
											pool->zone));
		if (result == POOL_NO_TIME || at < result)
			result = at;
	}
	return result;
}
