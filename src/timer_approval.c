/*
 * timer_approval.c
 *	  Requests that nobody has decided in time: rules of basis approval.
 *
 * They count from the request, of which a lead may have several, so check_at
 * knows nothing of them: a tick looks at the open requests of pools that have
 * such a rule.  These are few, for somebody is to decide each of them.
 */
#include "compat.h"
#include "timer_approval.h"

#include "attempt.h"
#include "catalog/pg_type.h"
#include "due.h"
#include "event.h"
#include "miscadmin.h"
#include "sql.h"
#include "timer_act.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* A rule about an open request that has not escalated it yet. */
typedef struct Pending
{
	int64		approval_id;
	int64		lead_id;
	int32		pool_id;		/* whose managers decide */
	int32		rule_id;
	TimestampTz created_at;
	char	   *action;
} Pending;

static int
read_pending(TimestampTz now, Pending **pending)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1] = {TimestampTzGetDatum(now)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	int			n;

	n = pool_sql_run("SELECT a.id, a.lead_id, a.pool_id, r.id, a.created_at,"
					 " a.action FROM pool.approval a"
					 " JOIN pool.timer_rule r ON r.pool_id = a.pool_id"
					 " WHERE a.status = 'open' AND r.enabled"
					 " AND r.basis = 'approval' AND a.created_at < $1"
					 " AND NOT EXISTS (SELECT FROM pool.event e"
					 "  WHERE e.lead_id = a.lead_id AND e.kind = 'escalated'"
					 "  AND e.rule_id = r.id AND e.at >= a.created_at"
					 "  AND e.detail ->> 'approval' = a.id::text)"
					 " ORDER BY a.lead_id, a.id, r.id",
					 1, types, values, NULL);
	MemoryContextSwitchTo(context);
	*pending = palloc(Max(n, 1) * sizeof(Pending));
	for (int i = 0; i < n; i++)
	{
		Pending    *p = &(*pending)[i];
		bool		isnull;

		p->approval_id = pool_sql_int8(i, 1);
		p->lead_id = pool_sql_int8(i, 2);
		p->pool_id = pool_sql_int4(i, 3);
		p->rule_id = pool_sql_int4(i, 4);
		p->created_at = DatumGetTimestampTz(pool_sql_datum(i, 5, &isnull));
		p->action = TextDatumGetCString(pool_sql_datum(i, 6, &isnull));
	}
	pool_sql_end(sql);
	return n;
}

static const PoolTimerRule *
find_rule(const PoolConf *pool, int32 rule_id)
{
	for (int i = 0; i < pool->n_rules; i++)
		if (pool->rules[i].id == rule_id)
			return &pool->rules[i];
	return NULL;
}

/* Whether the locked lead's request is still open. */
static bool
is_open(PoolWork *work, const Pending *p)
{
	PoolTable  *table = pool_work_table(work, POOL_APPROVAL);
	bool		isnull;

	return pool_table_find(table, POOL_APPROVAL_PKEY, pool_snapshot(),
						   &pool_key_int8(p->approval_id), 1) &&
		strcmp(TextDatumGetCString(slot_getattr(table->old, APPROVAL_STATUS,
												&isnull)), "open") == 0;
}

static void
escalate(PoolWork *work, const Pending *p, const PoolTimerRule *rule,
		 PoolLead *lead, TimestampTz due_at, TimestampTz now)
{
	PoolEvent	event = {.kind = "escalated",.rule_id = rule->id};
	const char *notify = pool_timer_notify_name(rule->notify);
	PoolTold	told = {0};
	PoolDetail	detail;
	PoolData	data;

	pool_open_lead(work, lead, &data);
	event.at = pool_lead_time(lead, now);
	event.member_id = lead->owner_id;
	event.reason = CStringGetTextDatum(rule->name);
	pool_detail_begin(&detail);
	pool_detail_time(&detail, "due_at", due_at);
	pool_detail_int(&detail, "approval", p->approval_id);
	pool_detail_text(&detail, "action", p->action, strlen(p->action));
	pool_detail_text(&detail, "notify", notify, strlen(notify));
	pool_detail_json(&detail, "told", pool_told(&told, rule->notify, lead));
	event.detail = pool_detail_end(&detail);
	pool_event_append(work, &event, lead, &data);
}

/* The rule, if it is still there, and when its time comes. */
static const PoolTimerRule *
rule_of(const Pending *p, TimestampTz *due_at)
{
	const PoolConf *pool = pool_config_find_pool(p->pool_id);
	const PoolTimerRule *rule = pool == NULL ? NULL :
	find_rule(pool, p->rule_id);

	if (rule != NULL)
		*due_at = pool_due_later(p->created_at, &rule->after, pool, rule);
	return rule;
}

/* An escalation under way. */
typedef struct Turn
{
	const Pending *pending;
	const PoolTimerRule *rule;
	TimestampTz due_at;
	TimestampTz now;
	bool		done;
} Turn;

/* Escalates one, if nobody holds the lead. */
static void
escalate_one(void *arg)
{
	Turn	   *turn = arg;
	PoolWork   *work = pool_work_begin();
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	PoolLead	lead;

	turn->done = pool_lead_lock(pool_work_table(work, POOL_LEAD_STATE),
								turn->pending->lead_id, snapshot, false,
								&lead) == POOL_LEAD_LOCKED &&
		is_open(work, turn->pending);
	if (turn->done)
		escalate(work, turn->pending, turn->rule, &lead, turn->due_at,
				 turn->now);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
}

/* One that fails stops no other. */
static bool
try_one(const Pending *p, TimestampTz now)
{
	Turn		turn = {p,.now = now};
	ErrorData  *error;

	turn.rule = rule_of(p, &turn.due_at);
	if (turn.rule == NULL || turn.due_at > now)
		return false;
	error = pool_attempt(escalate_one, &turn);
	if (error != NULL)
		pool_attempt_report(error, psprintf(pool_text("timers of pool %d"),
											p->pool_id), p->lead_id);
	return error == NULL && turn.done;
}

/* Tells of up to `max` requests that wait too long; returns how many. */
int64
pool_timer_approvals(int max, TimestampTz now)
{
	Pending    *pending;
	int64		done = 0;
	int			n;

	if (!pool_config_approval_timers())
		return 0;
	n = read_pending(now, &pending);
	for (int i = 0; i < n && done < max; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (try_one(&pending[i], now))
			done++;
	}
	return done;
}

/*
 * When the next request will have waited too long, DT_NOEND if none will; sets
 * *overdue if one has.
 */
TimestampTz
pool_timer_approvals_next(TimestampTz now, bool *overdue)
{
	TimestampTz next = DT_NOEND;
	Pending    *pending;
	int			n;

	if (!pool_config_approval_timers())
		return next;
	n = read_pending(DT_NOEND, &pending);
	for (int i = 0; i < n; i++)
	{
		TimestampTz due_at;

		if (rule_of(&pending[i], &due_at) == NULL)
			continue;
		if (due_at > now)
			next = Min(next, due_at);
		else
			*overdue = true;
	}
	return next;
}
