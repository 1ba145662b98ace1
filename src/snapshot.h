/*
 * snapshot.h
 *	  Which versions of rows are seen.
 */
#ifndef POOL_SNAPSHOT_H
#define POOL_SNAPSHOT_H

#include "compat.h"

#include "utils/snapshot.h"

extern Snapshot pool_snapshot(void);
extern Snapshot pool_latest_snapshot(Oid relid);
extern Snapshot pool_snapshot_hold(Snapshot snapshot);
extern void pool_snapshot_let_go(Snapshot held);

#endif							/* POOL_SNAPSHOT_H */
