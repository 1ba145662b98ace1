/*
 * lock.c
 *	  Locks on things that are not rows.
 */
#include "compat.h"
#include "lock.h"

#include "miscadmin.h"
#include "storage/lmgr.h"

/*
 * Tries to become the only transaction, until it ends, that does a certain kind
 * of work with the table, or with one of its ids (0 = all of it).  Never waits:
 * false if another one is at it.
 */
bool
pool_lock_try(PoolTableId about, int32 id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, pool_table_oid(about), id, 0);
	return LockAcquire(&tag, ExclusiveLock, false, true) !=
		LOCKACQUIRE_NOT_AVAIL;
}
