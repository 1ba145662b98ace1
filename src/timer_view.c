/*
 * timer_view.c
 *	  What timers will do, for people: next_timer, lead_progress,
 *	  explain_reclaim.
 *
 * The same judgement as the tick's, at the moment of asking.
 */
#include "compat.h"

#include "access.h"
#include "due.h"
#include "fmgr.h"
#include "judge.h"
#include "result.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_next_timer);
PG_FUNCTION_INFO_V1(pool_lead_progress);
PG_FUNCTION_INFO_V1(pool_explain_reclaim);

/* Reads the lead and begins to judge it; false if the caller sees none. */
static bool
begin(PoolWork *work, int64 id, PoolLead *lead, PoolData *data,
	  PoolJudgement *j)
{
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolTable  *table = pool_work_table(work, POOL_LEAD_DATA);
	Snapshot	snapshot = GetActiveSnapshot();

	if (!pool_lead_peek(leads, id, snapshot, lead) ||
		!pool_caller_sees_tenant(lead->tenant_id) ||
		!pool_data_read(table, id, snapshot, data))
		return false;
	pool_judge_begin(j, work, snapshot, lead, data, pool_now());
	return true;
}

/*
 * SQL, for views: pool.next_timer(lead_id, acting) -> rule_id, action, due_at
 */
Datum
pool_next_timer(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "next_timer");
	PoolJudgement j;
	PoolTimer	next;
	PoolLead	lead;
	PoolData	data;

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1) &&
		begin(call->work, PG_GETARG_INT64(0), &lead, &data, &j) &&
		pool_judge_next(&j, PG_GETARG_BOOL(1), &next))
	{
		pool_put(call, 0, Int32GetDatum(next.rule->id));
		pool_put_text(call, 1, pool_timer_action_name(next.rule->action));
		pool_put_time(call, 2, next.due_at);
		pool_call_row(call);
	}
	return pool_call_end(call);
}

/*
 * For an owned lead: how much of the window is used of the timer that takes it
 * next.  NULL: nothing takes it, and it was followed up.
 */
static const char *
progress_of(PoolJudgement *j)
{
	PoolTimer	next;
	bool		found = pool_judge_next(j, true, &next);
	TimestampTz since;

	if (found && next.due_at <= j->now)
		return "stalled";
	if (j->lead->follow_ups == 0)
		return "new";
	if (!found)
		return NULL;
	since = pool_due_since(j->lead, next.rule);
	return j->now - since < (next.due_at - since) / 2 ? "active" : "slow";
}

/*
 * SQL, for views: pool.lead_progress(lead_id)
 */
Datum
pool_lead_progress(PG_FUNCTION_ARGS)
{
	const char *progress = NULL;
	PoolWork   *work;
	PoolJudgement j;
	PoolLead	lead;
	PoolData	data;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	pool_config_refresh();
	work = pool_work_begin_reading();
	if (begin(work, PG_GETARG_INT64(0), &lead, &data, &j) &&
		lead.status == POOL_OWNED)
		progress = progress_of(&j);
	pool_work_end(work);
	if (progress == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(progress));
}

/* ------------------------------------------------------------------------
 * explain_reclaim
 * ------------------------------------------------------------------------ */

/* columns of the result */
enum
{
	RULE, ACTION, TEST, PASSED, DUE_AT, DETAIL
};

static void
emit(PoolCall *call, const PoolTimer *timer, const char *test, bool passed,
	 const char *detail)
{
	pool_put_text(call, RULE, timer->rule->name);
	pool_put_text(call, ACTION, pool_timer_action_name(timer->rule->action));
	pool_put_text(call, TEST, test);
	pool_put(call, PASSED, BoolGetDatum(passed));
	if (timer->applies)
		pool_put_time(call, DUE_AT, timer->due_at);
	if (detail != NULL)
		pool_put_text(call, DETAIL, detail);
	pool_call_row(call);
}

static const char *
verdict_detail(const PoolTimer *timer)
{
	if (timer->rule->condition.path == NULL)
		return "no condition";
	return timer->verdict == POOL_RULE_ERROR ?
		"neither true nor false of this lead" : NULL;
}

/* The tests of one rule, in the order in which the tick makes them. */
static void
explain_rule(PoolCall *call, const PoolJudgement *j, const PoolTimer *timer,
			 const PoolTimer *acting)
{
	const PoolTimerRule *rule = timer->rule;
	const char *basis = pool_timer_basis_name(rule->basis);

	emit(call, timer, "applies", timer->applies,
		 psprintf("basis %s, lead is %s", basis,
				  pool_status_name(j->lead->status)));
	if (!timer->applies)
		return;
	emit(call, timer, "condition", timer->verdict == POOL_MATCH,
		 verdict_detail(timer));
	if (rule->action == POOL_TIMER_ESCALATE)
		emit(call, timer, "not escalated yet", !timer->done, NULL);
	else if (j->lead->protected_until != POOL_NO_TIME)
		emit(call, timer, "unprotected",
			 j->lead->protected_until <= j->now, NULL);
	emit(call, timer, "due", timer->deadline <= j->now, NULL);
	if (timer->deadline > j->now || rule->action == POOL_TIMER_ESCALATE)
		return;
	if (rule->notice_required)
		emit(call, timer, "notice", timer->due_at <= j->now,
			 timer->unwarned ? "nobody was warned yet" : NULL);
	emit(call, timer, "first", timer == acting,
		 acting != NULL && timer != acting ?
		 psprintf("rule \"%s\" acts", acting->rule->name) : NULL);
}

/*
 * pool.explain_reclaim(lead)
 */
Datum
pool_explain_reclaim(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "explain_reclaim");
	PoolJudgement j;
	PoolLead	lead;
	PoolData	data;

	if (begin(call->work, pool_arg_id(call, 0), &lead, &data, &j) &&
		pool_lead_visible(call->work, &lead))
	{
		PoolTimer  *timers = pool_judge_all(&j);
		const PoolTimer *acting = pool_judge_acting(&j, timers);

		for (int i = 0; i < j.pool->n_rules; i++)
			explain_rule(call, &j, &timers[i], acting);
	}
	return pool_call_end(call);
}
