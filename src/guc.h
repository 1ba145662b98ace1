/*
 * guc.h
 *	  Settings.  Business policy is rows, not settings.
 */
#ifndef POOL_GUC_H
#define POOL_GUC_H

#include "postgres.h"

#define POOL_NODE_BITS 43

typedef enum PoolIntakeMode
{
	POOL_INTAKE_LOAD,
	POOL_INTAKE_CHECK
} PoolIntakeMode;

extern char *pool_clock_setting;	/* '' = the system's clock */
extern int	pool_node_id;		/* above POOL_NODE_BITS of new ids */
extern bool pool_allow_drop;
extern int	pool_intake_mode;	/* one of PoolIntakeMode */
extern int	pool_queue_pools;
extern int	pool_request_retention; /* seconds, 0 = forever */
extern int	pool_bypass_retention;	/* likewise */
extern bool pool_worker_enabled;
extern int	pool_worker_naptime;	/* milliseconds */
extern int	pool_worker_batch;	/* leads per transaction */
extern int	pool_worker_limit;	/* workers at one time */
extern int	pool_worker_databases;	/* that workers look after */

extern void pool_guc_init(void);

#endif							/* POOL_GUC_H */
