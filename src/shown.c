/*
 * shown.c
 *	  Masked data that was shown in a transaction that is undone.
 *
 * A reveal and a claim count and write their events in the caller's
 * transaction: who can roll back sees the lead all the same and leaves nothing
 * in the tables.  So that it does not pass unseen, the server's log says who it
 * was.  A prepared transaction that is rolled back is not noticed.
 */
#include "compat.h"
#include "shown.h"

#include "access/xact.h"
#include "utils/memutils.h"

/* How many leads of a pool one member was shown in one (sub)transaction. */
typedef struct Shown
{
	SubTransactionId subid;
	int32		member_id;
	int32		pool_id;
	int64		leads;
} Shown;

/* in TopTransactionContext, and gone with it */
static List *shown = NIL;

/* Notes one more lead that a member was shown. */
void
pool_shown_note(int32 member_id, int32 pool_id)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	MemoryContext old;
	Shown	   *entry;
	ListCell   *lc;

	foreach(lc, shown)
	{
		entry = lfirst(lc);
		if (entry->subid == subid && entry->member_id == member_id &&
			entry->pool_id == pool_id)
		{
			entry->leads++;
			return;
		}
	}
	old = MemoryContextSwitchTo(TopTransactionContext);
	entry = palloc(sizeof(Shown));
	*entry = (Shown)
	{
		subid, member_id, pool_id, 1
	};
	shown = lappend(shown, entry);
	MemoryContextSwitchTo(old);
}

static void
report(const Shown *entry)
{
	ereport(LOG_SERVER_ONLY,
			(errmsg("masked leads of pool %d were shown to member %d and the"
					" transaction was undone: %lld",
					entry->pool_id, entry->member_id,
					(long long) entry->leads),
			 errhidestmt(true)));
}

static void
end_of_xact(XactEvent event, void *arg)
{
	ListCell   *lc;

	if (event == XACT_EVENT_ABORT)
		foreach(lc, shown)
			report(lfirst(lc));
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT ||
		event == XACT_EVENT_PREPARE)
		shown = NIL;
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	ListCell   *lc;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach(lc, shown)
	{
		Shown	   *entry = lfirst(lc);

		if (entry->subid != subid)
			continue;
		entry->subid = parent;
		if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			report(entry);
			shown = foreach_delete_current(shown, lc);
		}
	}
}

void
pool_shown_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}
