/*
 * queue_check.h
 *	  Whether the queue hints hide a lead.
 */
#ifndef POOL_QUEUE_CHECK_H
#define POOL_QUEUE_CHECK_H

#include "table.h"
#include "nodes/pg_list.h"

typedef struct PoolHidden
{
	int32		pool_id;
	int64		lead_id;
} PoolHidden;

extern List *pool_queue_hidden(PoolTable *leads);

#endif							/* POOL_QUEUE_CHECK_H */
