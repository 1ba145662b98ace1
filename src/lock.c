/*
 * lock.c
 *	  Locks of what is no row.
 */
#include "compat.h"
#include "lock.h"

#include "miscadmin.h"
#include "storage/lmgr.h"

/*
 * Whether this transaction is the one that may do something with the table, or
 * about one of its ids (0 = all), until it ends: nobody waits for that.
 */
bool
pool_lock_try(PoolTableId about, int32 id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, pool_table_oid(about), id, 0);
	return LockAcquire(&tag, ExclusiveLock, false, true) !=
		LOCKACQUIRE_NOT_AVAIL;
}
