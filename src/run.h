/*
 * run.h
 *	  Runs that take a member's leads away.
 */
#ifndef POOL_RUN_H
#define POOL_RUN_H

#include "config.h"
#include "tick.h"

/* runs this room works off; those of other kinds are others' */
#define POOL_RUN_KINDS "kind IN ('offboard', 'relocate')"

typedef enum PoolRunStep
{
	POOL_RUN_BUSY,				/* somebody else works on it, or it is over */
	POOL_RUN_WAITS,				/* what is left is held by others */
	POOL_RUN_GOES_ON,
	POOL_RUN_DONE,
	POOL_RUN_CANCELLED			/* he leaves no longer */
} PoolRunStep;

/* A locked row of pool.run. */
typedef struct PoolRun
{
	int64		id;
	int32		member_id;
	int32		tenant_id;
	int32		actor_id;		/* 0 = NULL, as the next two */
	int32		to_pool_id;
	int32		successor_id;
	bool		offboards;
	bool		leaves;			/* the member, still */
	bool		waits;			/* for counters: it is no tick */
	PoolCondition condition;
	int64		after;			/* the last lead looked at in this pass */
	int64		done;
	int64		skipped;		/* held by others in this pass */
	List	   *receipts;		/* of PoolReceipt, of this step */
} PoolRun;

/* How many leads somebody has received. */
typedef struct PoolReceipt
{
	bool		is_member;		/* or a pool */
	int32		id;
	int64		n;
} PoolReceipt;

extern void pool_run_leads(PoolRun *run, const int64 *ids, int n,
						   TimestampTz now, bool own);
extern PoolRunStep pool_run_step(int64 run_id, int max, TimestampTz now,
								 int64 *looked_at);
extern void pool_runs_begin(void);
extern PoolTickResult pool_runs_run(int max, TimestampTz now);

#endif							/* POOL_RUN_H */
