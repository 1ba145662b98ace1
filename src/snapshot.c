/*
 * snapshot.c
 *	  Which versions of rows are seen.
 */
#include "compat.h"
#include "snapshot.h"

#include "access/xact.h"
#include "utils/snapmgr.h"

/*
 * The snapshot in which rows are looked up: the latest under READ COMMITTED,
 * the transaction's at the higher levels.  Both see what earlier commands of
 * this transaction wrote.  To be registered by whoever keeps it.
 */
Snapshot
pool_snapshot(void)
{
	return GetTransactionSnapshot();
}

/*
 * Everything that is committed by now, at every isolation level.  While a plan
 * of the caller runs in parallel, core has no such snapshot but that of the
 * catalogs.
 */
Snapshot
pool_latest_snapshot(Oid relid)
{
	return IsInParallelMode() ? GetCatalogSnapshot(relid) : GetLatestSnapshot();
}

/*
 * The latest snapshots are in static memory, where the next ones are written:
 * core wants whatever is looked with to be registered meanwhile.  Those that
 * are no snapshots of a moment cannot be.
 */
Snapshot
pool_snapshot_hold(Snapshot snapshot)
{
	return IsMVCCSnapshot(snapshot) ? RegisterSnapshot(snapshot) : snapshot;
}

void
pool_snapshot_let_go(Snapshot held)
{
	if (IsMVCCSnapshot(held))
		UnregisterSnapshot(held);
}
