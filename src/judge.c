/*
 * judge.c
 *	  What the timer rules of its pool say of one lead.
 *
 * One code for the tick, which acts on it, and for those who ask what it will
 * do.  Changes nothing.
 */
#include "compat.h"
#include "judge.h"

#include "due.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* A reminder or an escalation since the lead came to be where it is. */
typedef struct Sent
{
	int32		rule_id;
	char	   *before;			/* NULL = an escalation */
	TimestampTz at;
} Sent;

/* Events that begin a spell, or a stay in a pool. */
static const char *const turning_points[] = {
	"entered", "review", "claimed", "assigned", "transferred", "released",
	"reclaimed", "converted", "archived", "reopened", "moved", "erased"
};

void
pool_judge_begin(PoolJudgement *j, PoolWork *work, Snapshot snapshot,
				 PoolLead *lead, const PoolData *data, TimestampTz now)
{
	memset(j, 0, sizeof(*j));
	j->work = work;
	j->snapshot = snapshot;
	j->lead = lead;
	j->data = data;
	j->pool = pool_config_pool(lead->pool_id);
	j->now = now;
	lead->created_at = data->created_at;
}

/* ------------------------------------------------------------------------
 * What has been sent
 * ------------------------------------------------------------------------ */

/* The same whatever the session's IntervalStyle: events are compared by it. */
char *
pool_judge_span_text(const Interval *span)
{
	struct pg_itm parts;
	char		buffer[MAXDATELEN + 1];

	interval2itm(*span, &parts);
	EncodeInterval(&parts, INTSTYLE_POSTGRES, buffer);
	return pstrdup(buffer);
}

static char *
detail_text(Jsonb *detail, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *found = getKeyJsonValueFromContainer(&detail->root, key,
													 strlen(key), &buffer);

	if (found == NULL || found->type != jbvString)
		return NULL;
	return pnstrdup(found->val.string.val, found->val.string.len);
}

static bool
is_turning_point(const char *kind)
{
	for (int i = 0; i < (int) lengthof(turning_points); i++)
		if (strcmp(turning_points[i], kind) == 0)
			return true;
	return false;
}

static Sent *
read_event(TupleTableSlot *event, bool reminder)
{
	Sent	   *sent = palloc0(sizeof(Sent));
	bool		isnull;
	Datum		detail = slot_getattr(event, EVENT_DETAIL, &isnull);

	if (reminder)
		sent->before = isnull ? NULL :
			detail_text(DatumGetJsonbP(detail), "before");
	if (reminder && sent->before == NULL)
		sent->before = "";
	sent->rule_id = DatumGetInt32(slot_getattr(event, EVENT_RULE_ID,
											   &isnull));
	sent->at = DatumGetTimestampTz(slot_getattr(event, EVENT_AT, &isnull));
	return sent;
}

/* From the log, backwards to where the present spell or stay begins. */
static void
read_sent(PoolJudgement *j)
{
	PoolTable  *events;
	Snapshot	snapshot;
	IndexScanDesc scan;

	if (j->sent_read)
		return;
	j->sent_read = true;
	events = pool_work_table(j->work, POOL_EVENT);
	snapshot = RegisterSnapshot(j->snapshot);
	scan = pool_index_scan(events->rel,
						   pool_work_index(events, POOL_EVENT_PKEY),
						   snapshot, &pool_key_int8(j->lead->id), 1);
	while (index_getnext_slot(scan, BackwardScanDirection, events->old))
	{
		bool		isnull;
		char	   *kind = TextDatumGetCString(slot_getattr(events->old,
															EVENT_KIND,
															&isnull));
		bool		reminder = strcmp(kind, "reminded") == 0;

		if (is_turning_point(kind))
			break;
		(void) slot_getattr(events->old, EVENT_RULE_ID, &isnull);
		if (!isnull && (reminder || strcmp(kind, "escalated") == 0))
			j->sent = lappend(j->sent, read_event(events->old, reminder));
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
}

/* When this rule first warned; NO_TIME = not yet. */
static TimestampTz
warned_at(PoolJudgement *j, const PoolTimerRule *rule)
{
	TimestampTz result = POOL_NO_TIME;
	ListCell   *lc;

	read_sent(j);
	foreach(lc, j->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->rule_id == rule->id && sent->before != NULL &&
			(result == POOL_NO_TIME || sent->at < result))
			result = sent->at;
	}
	return result;
}

static bool
has_escalated(PoolJudgement *j, const PoolTimerRule *rule)
{
	ListCell   *lc;

	read_sent(j);
	foreach(lc, j->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->rule_id == rule->id && sent->before == NULL)
			return true;
	}
	return false;
}

bool
pool_judge_was_reminded(PoolJudgement *j, const PoolTimerRule *rule,
						const char *before)
{
	ListCell   *lc;

	read_sent(j);
	foreach(lc, j->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->rule_id == rule->id && sent->before != NULL &&
			strcmp(sent->before, before) == 0)
			return true;
	}
	return false;
}

/* A reminder that has just been written. */
void
pool_judge_note_reminder(PoolJudgement *j, const PoolTimerRule *rule,
						 const char *before, TimestampTz at)
{
	Sent	   *sent = palloc0(sizeof(Sent));

	sent->rule_id = rule->id;
	sent->before = pstrdup(before);
	sent->at = at;
	j->sent = lappend(j->sent, sent);
}

/* ------------------------------------------------------------------------
 * Judging
 * ------------------------------------------------------------------------ */

/* Timer rules know no variables: a condition that names one is no match. */
static PoolVerdict
judge_condition(PoolJudgement *j, const PoolTimerRule *rule)
{
	if (rule->condition.path == NULL)
		return POOL_MATCH;
	if (j->document == NULL)
		j->document = pool_rule_document(j->lead, j->data, j->now);
	return pool_rule_judge(&rule->condition, j->document, NULL);
}

/*
 * When whoever was warned at `from` has had his notice: the shortest one the
 * rule gives.  A rule that names none gives one tick.
 */
static TimestampTz
notice_over(const PoolJudgement *j, const PoolTimerRule *rule,
			TimestampTz from)
{
	TimestampTz result = POOL_NO_TIME;

	for (int i = 0; i < rule->n_remind; i++)
	{
		TimestampTz at = pool_due_later(from, &rule->remind_before[i],
										j->pool, rule);

		if (result == POOL_NO_TIME || at < result)
			result = at;
	}
	return result == POOL_NO_TIME ? from : result;
}

/*
 * Nothing happens to whom nobody has warned in time: if not yet, then by the
 * next tick at the earliest, and never in the tick that warns.
 */
static void
require_notice(PoolJudgement *j, PoolTimer *timer)
{
	TimestampTz earliest = Max(notice_over(j, timer->rule, j->now),
							   j->now + 1);

	if (earliest <= timer->deadline)
		return;
	timer->warned_at = warned_at(j, timer->rule);
	if (timer->warned_at != POOL_NO_TIME)
		timer->due_at = Max(timer->deadline,
							notice_over(j, timer->rule, timer->warned_at));
	else
	{
		timer->unwarned = timer->deadline <= j->now;
		timer->due_at = earliest;
	}
}

static void
begin_timer(const PoolJudgement *j, const PoolTimerRule *rule,
			PoolTimer *timer)
{
	memset(timer, 0, sizeof(*timer));
	timer->rule = rule;
	timer->warned_at = POOL_NO_TIME;
	timer->applies = pool_due_at(j->lead, j->pool, rule, &timer->deadline);
	timer->due_at = timer->deadline;
}

/* The rest, of a rule that applies: due_at may become later. */
static void
finish_timer(PoolJudgement *j, PoolTimer *timer)
{
	timer->verdict = judge_condition(j, timer->rule);
	if (timer->rule->action == POOL_TIMER_ESCALATE)
		timer->done = has_escalated(j, timer->rule);
	else if (timer->rule->notice_required)
		require_notice(j, timer);
}

/* All rules of the pool, in their order. */
PoolTimer *
pool_judge_all(PoolJudgement *j)
{
	PoolTimer  *timers = palloc(Max(j->pool->n_rules, 1) * sizeof(PoolTimer));

	for (int i = 0; i < j->pool->n_rules; i++)
	{
		begin_timer(j, &j->pool->rules[i], &timers[i]);
		if (timers[i].applies)
			finish_timer(j, &timers[i]);
	}
	return timers;
}

/* Of those that reclaim, move or archive now, the first to be due; or NULL. */
const PoolTimer *
pool_judge_acting(const PoolJudgement *j, const PoolTimer *timers)
{
	const PoolTimer *acting = NULL;

	for (int i = 0; i < j->pool->n_rules; i++)
	{
		const PoolTimer *timer = &timers[i];

		if (timer->applies && timer->verdict == POOL_MATCH &&
			timer->rule->action != POOL_TIMER_ESCALATE &&
			timer->due_at <= j->now &&
			(acting == NULL || timer->due_at < acting->due_at))
			acting = timer;
	}
	return acting;
}

/*
 * What will happen next as things are now, false if nothing will; with `acting`
 * only what takes the lead from where it is.
 */
bool
pool_judge_next(PoolJudgement *j, bool acting, PoolTimer *next)
{
	bool		found = false;

	for (int i = 0; i < j->pool->n_rules; i++)
	{
		PoolTimer	timer;

		begin_timer(j, &j->pool->rules[i], &timer);
		if (!timer.applies || timer.deadline == DT_NOEND ||
			(acting && timer.rule->action == POOL_TIMER_ESCALATE) ||
			(found && timer.due_at >= next->due_at))
			continue;
		finish_timer(j, &timer);
		if (timer.verdict != POOL_MATCH || timer.done ||
			(found && timer.due_at >= next->due_at))
			continue;
		*next = timer;
		found = true;
	}
	return found;
}

/* When the lead goes next as things are; POOL_NO_TIME if no timer takes it. */
TimestampTz
pool_judge_due_at(PoolJudgement *j)
{
	PoolTimer	next;

	return pool_judge_next(j, true, &next) ? next.due_at : POOL_NO_TIME;
}
