/*
 * job.h
 *	  What workers are about, and which of it has crashed the server.
 */
#ifndef POOL_JOB_H
#define POOL_JOB_H

#include "postgres.h"

extern void pool_job_init(void);

/* a worker's task, and within it a pool; sessions may do anything */
extern void pool_job_attach(void);
extern bool pool_job_begin(int task);
extern bool pool_job_begin_pool(int32 pool_id);
extern void pool_job_end_pool(void);
extern void pool_job_end(void);

extern void pool_job_resume(void);

#endif							/* POOL_JOB_H */
