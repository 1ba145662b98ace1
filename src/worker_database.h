/*
 * worker_database.h
 *	  The databases that workers look after.
 */
#ifndef POOL_WORKER_DATABASE_H
#define POOL_WORKER_DATABASE_H

#include "compat.h"

#include "nodes/pg_list.h"

extern List *worker_database_list(void);
extern bool worker_database_wanted(Oid database);

#endif							/* POOL_WORKER_DATABASE_H */
