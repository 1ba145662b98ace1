/*
 * plan_run.h
 *	  Runs: operations over many leads that are planned, done or undone as one.
 */
#ifndef POOL_PLAN_RUN_H
#define POOL_PLAN_RUN_H

#include "batch.h"

/* A lead of a run, as it is read from the tables. */
typedef struct PoolPlanLead
{
	int64		lead_id;
	int64		event_id;		/* the run's event, 0 = none yet */
	int32		member_id;		/* owner when the run found it */
	int32		pool_id;		/* home pool then */
	int32		rule_id;		/* timer rule that made it due */
} PoolPlanLead;

/* A row of pool.run. */
typedef struct PoolPlanRun
{
	int64		id;
	int32		tenant_id;
	int32		pool_id;		/* 0 = none */
	int32		member_id;		/* who was offboarded; 0 = none */
	int32		rule_id;		/* of a plan for one rule; 0 = all */
	char	   *kind;
	char	   *status;
	TimestampTz started_at;
	bool		expired;
	bool		changed;		/* a rule of the pool was changed since */
} PoolPlanRun;

/* What is to be done with the leads of a run. */
typedef struct PoolPlanWork
{
	PoolCall   *call;
	const PoolActor *actor;
	int64		run_id;			/* whose leads the outcomes are written to */
	void	   *arg;

	/* judges without a lock and under it, as in a batch */
	PoolBatchCheck check;
	/* names the counters a locked lead needs */
	void		(*name) (struct PoolPlanWork *work, PoolBatch *batch,
						 PoolBatchItem *item, const PoolPlanLead *lead);
	/* acts on a locked lead; returns its outcome */
	const char *(*act) (struct PoolPlanWork *work, PoolBatch *batch,
						PoolBatchItem *item, const PoolPlanLead *lead,
						int64 *event_id);
} PoolPlanWork;

/* plan_run.c */
extern PoolPlanRun *pool_plan_find(PoolCall *call, const PoolActor *actor,
								   const char *where, Oid type, Datum value);
extern void pool_plan_refuse(const char *message, const char *detail,
							 const char *hint);
extern PoolPlanLead *pool_plan_leads(const char *query, int64 run_id, int *n);
extern void pool_plan_work(PoolPlanWork *work, const PoolPlanLead *leads, int n);
extern void pool_plan_close(int64 run_id, TimestampTz now);
extern void pool_plan_emit(PoolCall *call, int64 run_id);

/* plan.c */
extern int64 pool_plan_make(const PoolConf *pool, int32 rule_id,
							const char *kind, int32 actor_id,
							TimestampTz now);

/* brake.c */
extern bool pool_brake_allows(const PoolConf *pool, TimestampTz now);
extern void pool_reclaims_record(PoolReclaims *reclaims,
								 const PoolConf *pool, TimestampTz now);

#endif							/* POOL_PLAN_RUN_H */
