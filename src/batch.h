/*
 * batch.h
 *	  One operation over many leads.
 */
#ifndef POOL_BATCH_H
#define POOL_BATCH_H

#include "result.h"

/*
 * One lead of a batch.  `outcome` is NULL as long as nothing speaks against
 * the operation.  `lead` may be used while it is NULL or after a refusal that
 * was read from it; pool_batch_open makes its pointers valid.
 */
typedef struct PoolBatchItem
{
	int64		id;
	const char *outcome;
	bool		seen;			/* the lead exists and may be known of */
	const Interval *hide_for;	/* once given back; NULL = not hidden */
	PoolLead	lead;
} PoolBatchItem;

/* Judges a lead: NULL, or why the operation is refused. */
typedef const char *(*PoolBatchCheck) (void *arg, const PoolLead *lead);

/* The leads that came back in a batch, where somebody counts them. */
typedef struct PoolReclaims
{
	int64		first_event;
	int64		last_event;
	int			n;
	int64		run_id;			/* the row they are in; 0 = none yet */
} PoolReclaims;

typedef struct PoolBatch
{
	PoolCall   *call;
	const PoolActor *actor;
	PoolBatchCheck check;
	void	   *arg;
	PoolQuotaSet *set;
	TimestampTz now;			/* after the locks */
	bool		tries_groups;	/* a tick: does not wait for groups */
	int			n;
	PoolBatchItem *items;		/* in the order given */
	PoolReclaims *reclaims;		/* NULL = nobody counts */
} PoolBatch;

extern PoolBatch *pool_batch_begin(PoolCall *call, const PoolActor *actor,
								   const int64 *ids, int n,
								   PoolBatchCheck check, void *arg);
extern void pool_batch_require_manager(PoolBatch *batch,
									   const PoolConf *to_pool);
extern void pool_batch_lock_leads(PoolBatch *batch);
extern void pool_batch_lock_one(PoolBatch *batch, PoolBatchItem *item,
								bool wait);
extern void pool_batch_lock_counters(PoolBatch *batch);
extern void pool_open_lead(PoolWork *work, PoolLead *lead, PoolData *data);
extern void pool_batch_open(PoolBatch *batch, PoolBatchItem *item,
							PoolData *data);
extern PoolQuota *pool_batch_quota(PoolBatch *batch, int32 pool_id,
								   int32 member_id);
extern void pool_batch_emit(PoolBatch *batch, PoolBatchItem *item,
							const char *outcome);
extern void pool_batch_note(PoolBatch *batch, int64 event_id);
extern Datum pool_batch_end(PoolBatch *batch);

#endif							/* POOL_BATCH_H */
