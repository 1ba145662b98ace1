/*
 * judge.h
 *	  What the timer rules of its pool say of one lead.
 */
#ifndef POOL_JUDGE_H
#define POOL_JUDGE_H

#include "data.h"
#include "rule.h"
#include "table.h"

/* A lead under judgement at a moment. */
typedef struct PoolJudgement
{
	PoolWork   *work;
	Snapshot	snapshot;		/* of the log */
	PoolLead   *lead;
	const PoolData *data;
	const PoolConf *pool;		/* its own */
	TimestampTz now;
	Jsonb	   *document;		/* made when a condition needs it */
	List	   *sent;			/* read when a rule needs it */
	bool		sent_read;		/* or known to be nothing */
} PoolJudgement;

/* What one rule says. */
typedef struct PoolTimer
{
	const PoolTimerRule *rule;
	bool		applies;		/* the rest is set only then */
	PoolVerdict verdict;		/* of its condition */
	bool		done;			/* has escalated in this spell */
	bool		unwarned;		/* due, but nobody was warned */
	TimestampTz deadline;		/* what reminders count down to */
	TimestampTz due_at;			/* when it acts: notice is over as well */
	TimestampTz warned_at;		/* POOL_NO_TIME = not, or not asked */
} PoolTimer;

extern void pool_judge_begin(PoolJudgement *j, PoolWork *work,
							 Snapshot snapshot, PoolLead *lead,
							 const PoolData *data, TimestampTz now);
extern PoolTimer *pool_judge_all(PoolJudgement *j);
extern bool pool_judge_next(PoolJudgement *j, bool acting, PoolTimer *next);
extern TimestampTz pool_judge_due_at(PoolJudgement *j);
extern const PoolTimer *pool_judge_acting(const PoolJudgement *j,
										  const PoolTimer *timers);
extern bool pool_judge_was_reminded(PoolJudgement *j,
									const PoolTimerRule *rule,
									const char *before);
extern void pool_judge_note_reminder(PoolJudgement *j,
									 const PoolTimerRule *rule,
									 const char *before, TimestampTz at);
extern char *pool_judge_span_text(const Interval *span);

#endif							/* POOL_JUDGE_H */
