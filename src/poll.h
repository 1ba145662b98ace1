/*
 * poll.h
 *	  Events for the outside.
 */
#ifndef POOL_POLL_H
#define POOL_POLL_H

#include "postgres.h"

/*
 * Events that can be given out to the reader $1 of scope $2, of the tenants
 * $3, in generation $4 and before, $5 at most.
 */
#define POOL_POLLABLE_SQL \
	"SELECT e.* FROM pool.consumer c JOIN pool.event e" \
	" ON (e.generation, e.xid) >= (c.generation, c.xid)" \
	" WHERE c.name = $1 AND c.tenant_id = $2" \
	" AND (e.generation, e.xid, e.id) > (c.generation, c.xid, c.event_id)" \
	" AND e.tenant_id = ANY ($3)" \
	" AND (e.generation, e.xid) <" \
	" ($4, pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()))" \
	" ORDER BY e.generation, e.xid, e.id LIMIT $5"

extern void pool_poll_parameters(const char *name, int32 scope, int32 n,
								 Datum *values);
extern void pool_wake_readers(void);

#endif							/* POOL_POLL_H */
