/*
 * worker.h
 *	  Background processes that do what time makes due.
 */
#ifndef POOL_WORKER_H
#define POOL_WORKER_H

#include "postgres.h"

extern void pool_worker_init(void);

#endif							/* POOL_WORKER_H */
