/*
 * lock.c
 *	  Locks on things that are not rows.
 */
#include "compat.h"
#include "lock.h"

#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"

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

/*
 * Locks the extension until the transaction ends, and waits for whoever has it;
 * false if there is none.
 */
bool
pool_lock_extension(LOCKMODE mode)
{
	Oid			extension = get_extension_oid("pool_ext", true);

	if (!OidIsValid(extension))
		return false;
	LockDatabaseObject(ExtensionRelationId, extension, 0, mode);
	AcceptInvalidationMessages();
	return get_extension_oid("pool_ext", true) == extension;
}
