/*
 * timer_act.c
 *	  What timers do to one lead: remind, escalate, reclaim, move, archive.
 *
 * The lead and its owner's counters are locked, and its check_at has come.
 */
#include "compat.h"
#include "timer_act.h"

#include "catalog/pg_type.h"
#include "close.h"
#include "due.h"
#include "judge.h"
#include "release.h"
#include "rule_report.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* One lead that is acted on. */
typedef struct Act
{
	PoolBatch  *batch;
	PoolBatchItem *item;
	PoolTold   *told;
	PoolJudgement judgement;
	PoolData	data;
	TimestampTz next;			/* when to look again; POOL_NO_TIME = never */
} Act;

static void
look_again(Act *act, TimestampTz at)
{
	if (act->next == POOL_NO_TIME || at < act->next)
		act->next = at;
}

/* ------------------------------------------------------------------------
 * Who is told
 * ------------------------------------------------------------------------ */

static Jsonb *
keys_of_one(const char *key)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (key != NULL)
	{
		value.type = jbvString;
		value.val.string.val = unconstify(char *, key);
		value.val.string.len = strlen(key);
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* Managers of the pool, or of the nearest one above it that has any. */
static Jsonb *
keys_of_managers(int32 pool_id)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(pool_id)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	Jsonb	   *keys;
	bool		isnull;

	pool_sql_run("WITH RECURSIVE up (id, height) AS ("
				 " SELECT $1, 0 UNION ALL SELECT p.parent_id, u.height + 1"
				 " FROM up u JOIN pool.pool p ON p.id = u.id"
				 " WHERE p.parent_id IS NOT NULL),"
				 " manager (key, height) AS (SELECT m.key, u.height"
				 " FROM up u JOIN pool.membership a ON a.pool_id = u.id"
				 " JOIN pool.member m ON m.id = a.member_id"
				 " WHERE a.role = 'manager' AND m.status IN ('active', 'away'))"
				 " SELECT to_jsonb(ARRAY(SELECT g.key FROM manager g"
				 " WHERE g.height = (SELECT min(height) FROM manager)"
				 " ORDER BY g.key))", 1, types, values, NULL);
	MemoryContextSwitchTo(context);
	keys = DatumGetJsonbPCopy(pool_sql_datum(0, 1, &isnull));
	pool_sql_end(sql);
	return keys;
}

/* Keys of the members to tell, an array. */
Jsonb *
pool_told(PoolTold *told, PoolNotify notify, const PoolLead *lead)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	const PoolMemberConf *owner;

	if (notify == POOL_NOTIFY_OWNER)
	{
		owner = lead->owner_id == 0 ? NULL :
			pool_config_find_member(lead->owner_id);
		return keys_of_one(owner == NULL ? NULL : owner->key);
	}
	if (told->keys[notify] == NULL)
		told->keys[notify] =
			keys_of_managers(notify == POOL_NOTIFY_PARENT_MANAGER &&
							 pool->parent_id != 0 ?
							 pool->parent_id : pool->id);
	return told->keys[notify];
}

/* ------------------------------------------------------------------------
 * Telling
 * ------------------------------------------------------------------------ */

static void
remind(Act *act, const PoolTimer *timer, const char *before)
{
	PoolEvent	event = {.kind = "reminded",.rule_id = timer->rule->id};
	PoolLead   *lead = &act->item->lead;
	PoolDetail	detail;

	event.at = pool_lead_time(lead, act->batch->now);
	event.member_id = lead->owner_id;
	pool_detail_begin(&detail);
	pool_detail_time(&detail, "due_at", timer->deadline);
	pool_detail_text(&detail, "before", before, strlen(before));
	event.detail = pool_detail_end(&detail);
	pool_event_append(act->batch->call->work, &event, lead, &act->data);
	pool_judge_note_reminder(&act->judgement, timer->rule, before, event.at);
}

static void
escalate(Act *act, const PoolTimer *timer)
{
	PoolEvent	event = {.kind = "escalated",.rule_id = timer->rule->id};
	PoolLead   *lead = &act->item->lead;
	const char *notify = pool_timer_notify_name(timer->rule->notify);
	PoolDetail	detail;

	event.at = pool_lead_time(lead, act->batch->now);
	event.member_id = lead->owner_id;
	event.reason = CStringGetTextDatum(timer->rule->name);
	pool_detail_begin(&detail);
	pool_detail_time(&detail, "due_at", timer->due_at);
	pool_detail_text(&detail, "notify", notify, strlen(notify));
	pool_detail_json(&detail, "told",
					 pool_told(act->told, timer->rule->notify, lead));
	event.detail = pool_detail_end(&detail);
	pool_event_append(act->batch->call->work, &event, lead, &act->data);
}

/* The reminders of a rule that is not due yet. */
static void
send_reminders(Act *act, const PoolTimer *timer)
{
	const PoolTimerRule *rule = timer->rule;

	for (int i = 0; i < rule->n_remind; i++)
	{
		TimestampTz at = pool_due_earlier(timer->deadline,
										  &rule->remind_before[i],
										  act->judgement.pool, rule);
		char	   *before = pool_judge_span_text(&rule->remind_before[i]);

		if (pool_judge_was_reminded(&act->judgement, rule, before))
			continue;
		if (at <= act->batch->now)
			remind(act, timer, before);
		else
			look_again(act, at);
	}
}

/* Rules of which nobody can say whether they are about the lead. */
static void
report_rules(const Act *act, const PoolTimer *timers)
{
	const PoolConf *pool = act->judgement.pool;

	for (int i = 0; i < pool->n_rules; i++)
		if (timers[i].applies && timers[i].verdict == POOL_RULE_ERROR)
			pool_rule_report(POOL_KIND_TIMER, timers[i].rule->id,
							 timers[i].rule->name, pool->name);
}

/* Warns where it is time to; no rule takes the lead away. */
static void
warn_of(Act *act, const PoolTimer *timer)
{
	const PoolTimerRule *rule = timer->rule;

	if (!timer->applies || timer->done)
		return;
	if (timer->verdict != POOL_MATCH)
	{
		if (rule->condition.on_time)
			look_again(act, pool_rule_next_idle_day(&act->item->lead,
													act->batch->now));
		return;
	}
	if (timer->deadline > act->batch->now)
		send_reminders(act, timer);
	if (timer->unwarned)
		remind(act, timer, rule->n_remind > 0 ?
			   pool_judge_span_text(&rule->remind_before[0]) : "0");
	if (timer->due_at > act->batch->now)
		look_again(act, timer->due_at);
}

/* ------------------------------------------------------------------------
 * Acting
 * ------------------------------------------------------------------------ */

static void
take_back(Act *act, const PoolConf *to_pool, PoolEvent *event)
{
	event->kind = "reclaimed";
	pool_give_back(act->batch, act->item, to_pool, event);
}

/* Does what the rule says. */
static void
enforce(Act *act, const PoolTimerRule *rule)
{
	PoolEvent	event = {.rule_id = rule->id};
	PoolLead   *lead = &act->item->lead;
	int32		target = pool_due_target(act->judgement.pool, rule);
	const PoolConf *to_pool = target != 0 ? pool_config_pool(target) : NULL;

	event.reason = CStringGetTextDatum(rule->name);
	if (rule->action == POOL_TIMER_ARCHIVE)
	{
		event.kind = "archived";
		pool_archive_one(act->batch, act->item, &event);
	}
	else if (lead->status == POOL_OWNED)
		take_back(act, to_pool, &event);
	else
	{
		event.kind = "moved";
		event.at = pool_lead_time(lead, act->batch->now);
		pool_requeue(act->batch->call->work, lead, target, &event);
	}
}

static void
note_next_look(Act *act)
{
	PoolTable  *leads = pool_work_table(act->batch->call->work,
										POOL_LEAD_STATE);

	pool_lead_reload(leads, &act->item->lead);
	act->item->lead.check_at = act->next;
	pool_lead_note(leads, &act->item->lead);
}

/*
 * Judges a locked lead and acts on it; its owner's counters are locked.  Notices
 * that are due are given even if the lead goes in the same moment.
 */
void
pool_timer_act(PoolBatch *batch, PoolBatchItem *item, PoolTold *told)
{
	Act			act = {.batch = batch,.item = item,.told = told,
	.next = POOL_NO_TIME};
	const PoolTimer *acting;
	PoolTimer  *timers;
	int			n;

	pool_batch_open(batch, item, &act.data);
	pool_judge_begin(&act.judgement, batch->call->work, pool_snapshot(),
					 &item->lead, &act.data, batch->now);
	timers = pool_judge_all(&act.judgement);
	n = act.judgement.pool->n_rules;
	report_rules(&act, timers);
	acting = pool_judge_acting(&act.judgement, timers);
	for (int i = 0; i < n; i++)
	{
		PoolTimer  *timer = &timers[i];

		if (timer->applies && timer->verdict == POOL_MATCH && !timer->done &&
			timer->rule->action == POOL_TIMER_ESCALATE &&
			timer->due_at <= batch->now)
		{
			escalate(&act, timer);
			timer->done = true;
		}
	}
	if (acting != NULL)
	{
		enforce(&act, acting->rule);
		return;
	}
	for (int i = 0; i < n; i++)
		warn_of(&act, &timers[i]);
	note_next_look(&act);
}
