/*
 * quota.c
 *	  Counters of a member in a pool, which are also his lock.
 *
 * With quota_row.c the only writer of membership_state, apart from the triggers
 * that mirror columns of member.  A row lock here serialises one member's own
 * operations in one pool, never two members.  Where a member has a limit over
 * all pools, his row of member_state is locked before, and the holdings of all
 * his pools are added up under it: whoever increases one of them holds that
 * lock.
 *
 * Whether he has such a limit is read from the counters once they are locked:
 * the configuration may have changed while we waited for them.
 */
#include "compat.h"
#include "quota.h"

#include "access/xact.h"
#include "quota_row.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

struct PoolQuotaSet
{
	PoolWork   *work;
	Snapshot	snapshot;
	PoolQuota  *quotas;			/* sorted once locked */
	int			n;
	int			size;
	PoolMemberTotal *totals;
	int			n_totals;
	List	   *receivers;		/* member ids that may gain leads */
};

/* the subtransaction that locked counters first, Invalid if none are held */
static SubTransactionId holder = InvalidSubTransactionId;

static void
end_of_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		holder = InvalidSubTransactionId;
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (holder != subid)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		holder = parent;
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		holder = InvalidSubTransactionId;
}

void
pool_quota_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}

/*
 * Whether this transaction holds counters from an earlier call: then it must
 * not wait for a lead.
 */
bool
pool_quota_any_held(void)
{
	return holder != InvalidSubTransactionId;
}

/* SQL of this transaction has locked counters: by the triggers of member. */
void
pool_quota_note_held(void)
{
	if (holder == InvalidSubTransactionId)
		holder = GetCurrentSubTransactionId();
}

/* ------------------------------------------------------------------------
 * Limits over all pools of a member
 * ------------------------------------------------------------------------ */

/* NULL if he has no such limit, or gains nothing by this call. */
PoolMemberTotal *
pool_quota_total(PoolQuotaSet *set, int32 member_id)
{
	for (int i = 0; i < set->n_totals; i++)
		if (set->totals[i].member_id == member_id)
			return &set->totals[i];
	return NULL;
}

static PoolMemberTotal *
add_total(PoolQuotaSet *set, int32 member_id, int32 limit)
{
	PoolMemberTotal *total;

	if (set->totals == NULL)
		set->totals = palloc(list_length(set->receivers) *
							 sizeof(PoolMemberTotal));
	Assert(set->n_totals < list_length(set->receivers));
	total = &set->totals[set->n_totals++];
	total->member_id = member_id;
	total->limit = limit;
	total->held = 0;
	return total;
}

static void
lock_member(PoolQuotaSet *set, int32 member_id, LockWaitPolicy wait)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBER_STATE);
	Snapshot	snapshot = pool_snapshot();

	if (!pool_table_find(table, POOL_MEMBER_STATE_PKEY, snapshot,
						 &pool_key_int4(member_id), 1) ||
		pool_table_lock(table, &table->old->tts_tid, snapshot,
						wait) != TM_Ok)
		pool_report_serialization();
}

/*
 * Leads held in all pools, by this snapshot and our own calls.  Where it is
 * newer than that of a higher level, 40001 if that one does not see the same:
 * the rest of the call goes by it.
 */
static int32
held_over_all(PoolQuotaSet *set, int32 member_id, Snapshot snapshot)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBERSHIP_STATE);
	IndexScanDesc scan = pool_index_scan(table->rel,
										 pool_work_index(table, POOL_MEMBERSHIP_STATE_MEMBER),
										 snapshot, &pool_key_int4(member_id),
										 1);
	int32		held = 0;

	while (index_getnext_slot(scan, ForwardScanDirection, table->old))
	{
		bool		isnull;

		if (IsolationUsesXactSnapshot() &&
			!table_tuple_satisfies_snapshot(table->rel, table->old,
											pool_snapshot()))
			pool_report_serialization();
		held += DatumGetInt32(slot_getattr(table->old, MEMBERSHIP_STATE_HELD,
										   &isnull));
	}
	index_endscan(scan);
	return held;
}

/* Locks those who may gain leads and are known to have such a limit. */
static void
lock_totals(PoolQuotaSet *set)
{
	ListCell   *lc;

	list_sort(set->receivers, list_int_cmp);
	foreach(lc, set->receivers)
	{
		const PoolMemberConf *member = pool_config_member(lfirst_int(lc));

		if (member->hold_limit == POOL_NO_LIMIT)
			continue;
		lock_member(set, member->id, LockWaitBlock);
		add_total(set, member->id, member->hold_limit);
	}
}

/* By all that is committed: whoever gains a lead of theirs waits for us. */
static void
add_up_totals(PoolQuotaSet *set)
{
	Oid			oid = pool_table_oid(POOL_MEMBERSHIP_STATE);
	Snapshot	latest;

	if (set->n_totals == 0)
		return;
	latest = RegisterSnapshot(pool_latest_snapshot(oid));
	for (int i = 0; i < set->n_totals; i++)
		set->totals[i].held = held_over_all(set, set->totals[i].member_id,
											latest);
	UnregisterSnapshot(latest);
}

/*
 * Takes the limits from the locked counters, which are never out of date.  For
 * a limit that was set while we waited for them, member_state is not locked yet.
 * Its holder may be waiting for counters we hold, so we do not wait for it:
 * 40001 if it is taken.
 */
static void
settle_totals(PoolQuotaSet *set)
{
	for (int i = 0; i < set->n; i++)
	{
		PoolQuota  *quota = &set->quotas[i];
		PoolMemberTotal *total = pool_quota_total(set, quota->member_id);

		if (total == NULL && (quota->member_limit == POOL_NO_LIMIT ||
							  !list_member_int(set->receivers,
											   quota->member_id)))
			continue;
		if (total == NULL)
		{
			lock_member(set, quota->member_id, LockWaitSkip);
			total = add_total(set, quota->member_id, quota->member_limit);
		}
		total->limit = quota->member_limit;
	}
	add_up_totals(set);
}

/* ------------------------------------------------------------------------
 * Sets of counters
 * ------------------------------------------------------------------------ */

static int
compare_quotas(const void *a, const void *b)
{
	const PoolQuota *x = a;
	const PoolQuota *y = b;

	if (x->pool_id != y->pool_id)
		return x->pool_id < y->pool_id ? -1 : 1;
	if (x->member_id != y->member_id)
		return x->member_id < y->member_id ? -1 : 1;
	return 0;
}

PoolQuotaSet *
pool_quota_begin(PoolWork *work, Snapshot snapshot)
{
	PoolQuotaSet *set = palloc0(sizeof(PoolQuotaSet));

	set->work = work;
	set->snapshot = snapshot;
	set->size = 4;
	set->quotas = palloc(set->size * sizeof(PoolQuota));
	return set;
}

/*
 * Names a membership whose counters the call will need; `receives` where the
 * member may gain leads.  Before pool_quota_lock; twice the same is fine.
 */
void
pool_quota_add(PoolQuotaSet *set, int32 pool_id, int32 member_id,
			   bool receives)
{
	if (receives)
		set->receivers = list_append_unique_int(set->receivers, member_id);
	if (set->n > 0 && set->quotas[set->n - 1].pool_id == pool_id &&
		set->quotas[set->n - 1].member_id == member_id)
		return;
	if (set->n == set->size)
	{
		set->size *= 2;
		set->quotas = repalloc(set->quotas, set->size * sizeof(PoolQuota));
	}
	memset(&set->quotas[set->n], 0, sizeof(PoolQuota));
	set->quotas[set->n].pool_id = pool_id;
	set->quotas[set->n].member_id = member_id;
	set->n++;
}

/* Sorts what was named, each once. */
static void
sort_quotas(PoolQuotaSet *set)
{
	int			kept = 0;

	qsort(set->quotas, set->n, sizeof(PoolQuota), compare_quotas);
	for (int i = 0; i < set->n; i++)
		if (kept == 0 ||
			compare_quotas(&set->quotas[kept - 1], &set->quotas[i]) != 0)
			set->quotas[kept++] = set->quotas[i];
	set->n = kept;
}

static bool
try_row(PoolQuotaSet *set, PoolTableId id, PoolIndexId index, PoolKey *keys,
		int n_keys, bool *found)
{
	PoolTable  *table = pool_work_table(set->work, id);
	Snapshot	snapshot = pool_snapshot();

	*found = pool_table_find(table, index, snapshot, keys, n_keys);
	return *found && pool_table_lock(table, &table->old->tts_tid, snapshot,
									 LockWaitSkip) == TM_Ok;
}

/*
 * Locks these counters if nobody else holds them, creating them if need be.  As
 * it never waits, the order of locks does not matter; the caller still names
 * them and locks them with the others afterwards.  Where the member `receives`
 * leads, and has a limit over all pools, the lock for that is tried first.
 */
bool
pool_quota_try_lock(PoolQuotaSet *set, int32 pool_id, int32 member_id,
					bool receives)
{
	PoolKey		keys[2] = {pool_key_int4(pool_id), pool_key_int4(member_id)};
	bool		found;

	/* whatever comes of it: what follows must not wait for leads */
	pool_quota_note_held();
	if (receives &&
		pool_config_member(member_id)->hold_limit != POOL_NO_LIMIT &&
		!try_row(set, POOL_MEMBER_STATE, POOL_MEMBER_STATE_PKEY, &keys[1], 1,
				 &found))
		return false;
	if (try_row(set, POOL_MEMBERSHIP_STATE, POOL_MEMBERSHIP_STATE_PKEY, keys,
				2, &found))
		return true;
	return !found && pool_quota_row_try_make(pool_id, member_id) &&
		try_row(set, POOL_MEMBERSHIP_STATE, POOL_MEMBERSHIP_STATE_PKEY, keys,
				2, &found);
}

/* Locks all named counters, in order, and reads them. */
void
pool_quota_lock(PoolQuotaSet *set)
{
	sort_quotas(set);
	for (int i = 0; i < set->n; i++)
		pool_quota_row_prepare(set->work, &set->quotas[i]);
	if (set->n > 0)
		pool_quota_note_held();
	lock_totals(set);
	for (int i = 0; i < set->n; i++)
		pool_quota_row_lock(set->work, set->snapshot, &set->quotas[i]);
	settle_totals(set);
}

/*
 * Reads all named counters without locking them; a member without any has
 * zeros.  For explaining, on a standby too.
 */
void
pool_quota_peek(PoolQuotaSet *set)
{
	sort_quotas(set);
	for (int i = 0; i < set->n; i++)
	{
		PoolQuota  *quota = &set->quotas[i];
		const PoolMemberConf *member = pool_config_member(quota->member_id);

		pool_quota_row_peek(set->work, set->snapshot, quota);
		if (member->hold_limit != POOL_NO_LIMIT &&
			pool_quota_total(set, member->id) == NULL)
			add_total(set, member->id, member->hold_limit)->held =
				held_over_all(set, member->id, set->snapshot);
	}
}

/* The locked counters; NULL if they were not named before. */
PoolQuota *
pool_quota_get(PoolQuotaSet *set, int32 pool_id, int32 member_id)
{
	PoolQuota	key = {.pool_id = pool_id,.member_id = member_id};

	return bsearch(&key, set->quotas, set->n, sizeof(PoolQuota),
				   compare_quotas);
}

/* Writes what has changed. */
void
pool_quota_write(PoolQuotaSet *set)
{
	for (int i = 0; i < set->n; i++)
		if (set->quotas[i].changes != 0)
			pool_quota_row_write(set->work, &set->quotas[i]);
}
