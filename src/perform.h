/*
 * perform.h
 *	  Doing what a request asks for.
 */
#ifndef POOL_PERFORM_H
#define POOL_PERFORM_H

#include "approval.h"
#include "batch.h"

/* A request under decision; its lead is the only item of the batch. */
typedef struct PoolDecision
{
	PoolActor	actor;
	PoolApproval approval;
	PoolBatch  *batch;
	PoolBatchItem *item;
	Datum		note;
} PoolDecision;

extern bool pool_names_nobody(const PoolApproval *a);
extern bool pool_knows_reason(const PoolApproval *a, const PoolLead *lead);
extern void pool_perform_add_counters(PoolDecision *d);
extern const char *pool_perform(PoolDecision *d);

#endif							/* POOL_PERFORM_H */
