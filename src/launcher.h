/*
 * launcher.h
 *	  The process that starts workers.
 */
#ifndef POOL_LAUNCHER_H
#define POOL_LAUNCHER_H

#include "compat.h"

#include "postmaster/bgworker.h"

/* What a worker is told, in bgw_extra. */
typedef struct WorkerOrder
{
	Oid			database;
	uint32		launch;
} WorkerOrder;

extern void launcher_register(void);

extern PGDLLEXPORT void pool_launcher_main(Datum arg);
extern PGDLLEXPORT void pool_worker_main(Datum arg);

#endif							/* POOL_LAUNCHER_H */
