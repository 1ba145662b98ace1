/*
 * poll.h
 *	  Events for the outside.
 */
#ifndef POOL_POLL_H
#define POOL_POLL_H

#include "postgres.h"

#define POOL_POSITION_SQL(column) \
	"(SELECT c." column " FROM pool.consumer c" \
	" WHERE c.name = $1 AND c.tenant_id = $2)"

/*
 * Events that can be given out to the reader $1 of scope $2, of the tenants
 * $3, in generation $4 and before, $5 at most.  The position is asked for
 * first, so that event_order_idx is read from there on and in its order: a
 * join may begin with the oldest event, and one transaction may have written
 * a million.
 */
#define POOL_POLLABLE_SQL \
	"SELECT e.* FROM pool.event e" \
	" WHERE (e.generation, e.xid, e.id) > (" \
	POOL_POSITION_SQL("generation") ", " POOL_POSITION_SQL("xid") ", " \
	POOL_POSITION_SQL("event_id") ")" \
	" AND e.tenant_id = ANY ($3)" \
	" AND (e.generation, e.xid) <" \
	" ($4, pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()))" \
	" ORDER BY e.generation, e.xid, e.id LIMIT $5"

extern void pool_poll_parameters(const char *name, int32 scope, int32 n,
								 Datum *values);
extern void pool_wake_readers(void);

#endif							/* POOL_POLL_H */
