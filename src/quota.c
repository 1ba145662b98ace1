/*
 * quota.c
 *	  Counters of a member in a pool, which are also his lock.
 *
 * The only writer of membership_state, apart from the triggers that mirror
 * member.status.  A row lock here serialises one member's own operations in
 * one pool, never two members.  Where a member has a limit over all pools, his
 * row of member_state is locked before, and the holdings of all his pools are
 * added up under it: whoever increases one of them holds that lock.
 */
#include "compat.h"
#include "quota.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "errors.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define MAX_REMEMBERED 4096

/* Where a membership's row was last seen; spares a walk over dead versions. */
typedef struct Remembered
{
	PoolMembershipKey key;
	ItemPointerData tid;
} Remembered;

/* Holdings over all pools of a member with such a limit. */
typedef struct MemberTotal
{
	int32		member_id;
	int32		limit;
	int32		held;
} MemberTotal;

struct PoolQuotaSet
{
	PoolWork   *work;
	Snapshot	snapshot;
	PoolQuota  *quotas;			/* sorted once locked */
	int			n;
	int			size;
	MemberTotal *totals;
	int			n_totals;
	List	   *receivers;		/* member ids that may gain leads */
};

static HTAB *remembered = NULL;

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

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------ */

static PoolMemberStatus
status_from_datum(Datum value)
{
	char	   *name = TextDatumGetCString(value);

	if (strcmp(name, "active") == 0)
		return POOL_MEMBER_ACTIVE;
	if (strcmp(name, "away") == 0)
		return POOL_MEMBER_AWAY;
	if (strcmp(name, "removed") == 0)
		return POOL_MEMBER_REMOVED;
	return POOL_MEMBER_GONE;
}

static void
read_quota(TupleTableSlot *slot, PoolQuota *quota)
{
	Datum	   *v;
	bool	   *n;

	slot_getallattrs(slot);
	v = slot->tts_values;
	n = slot->tts_isnull;
#define GET(attnum, convert, if_null) \
	(n[(attnum) - 1] ? (if_null) : convert(v[(attnum) - 1]))
	quota->spells = GET(MEMBERSHIP_STATE_SPELLS, DatumGetInt64, 0);
	quota->day_event = GET(MEMBERSHIP_STATE_DAY_EVENT, DatumGetInt64, 0);
	quota->day_until = GET(MEMBERSHIP_STATE_DAY_UNTIL, DatumGetTimestampTz,
						   POOL_NO_TIME);
	quota->last_claim_at = GET(MEMBERSHIP_STATE_LAST_CLAIM_AT,
							   DatumGetTimestampTz, POOL_NO_TIME);
	quota->pool_id = GET(MEMBERSHIP_STATE_POOL_ID, DatumGetInt32, 0);
	quota->member_id = GET(MEMBERSHIP_STATE_MEMBER_ID, DatumGetInt32, 0);
	quota->tenant_id = GET(MEMBERSHIP_STATE_TENANT_ID, DatumGetInt32, 0);
	quota->held = GET(MEMBERSHIP_STATE_HELD, DatumGetInt32, 0);
	quota->claimed = GET(MEMBERSHIP_STATE_CLAIMED, DatumGetInt32, 0);
	quota->day = GET(MEMBERSHIP_STATE_DAY, DatumGetDateADT, DATEVAL_NOBEGIN);
#undef GET
	quota->status = status_from_datum(v[MEMBERSHIP_STATE_STATUS - 1]);
	quota->status_text = PointerGetDatum(PG_DETOAST_DATUM_COPY(v[MEMBERSHIP_STATE_STATUS - 1]));
	quota->tid = slot->tts_tid;
	quota->previous_claim_at = quota->last_claim_at;
	quota->changed = false;
}

static void
form_quota(const PoolQuota *quota, Datum *v, bool *n)
{
#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
	PUT(MEMBERSHIP_STATE_SPELLS, Int64GetDatum(quota->spells), false);
	PUT(MEMBERSHIP_STATE_DAY_EVENT, Int64GetDatum(quota->day_event),
		quota->day_event == 0);
	PUT(MEMBERSHIP_STATE_DAY_UNTIL, TimestampTzGetDatum(quota->day_until),
		quota->day_until == POOL_NO_TIME);
	PUT(MEMBERSHIP_STATE_LAST_CLAIM_AT,
		TimestampTzGetDatum(quota->last_claim_at),
		quota->last_claim_at == POOL_NO_TIME);
	PUT(MEMBERSHIP_STATE_POOL_ID, Int32GetDatum(quota->pool_id), false);
	PUT(MEMBERSHIP_STATE_MEMBER_ID, Int32GetDatum(quota->member_id), false);
	PUT(MEMBERSHIP_STATE_TENANT_ID, Int32GetDatum(quota->tenant_id), false);
	PUT(MEMBERSHIP_STATE_HELD, Int32GetDatum(quota->held), false);
	PUT(MEMBERSHIP_STATE_CLAIMED, Int32GetDatum(quota->claimed), false);
	PUT(MEMBERSHIP_STATE_DAY, DateADTGetDatum(quota->day),
		quota->day == DATEVAL_NOBEGIN);
	PUT(MEMBERSHIP_STATE_STATUS, quota->status_text, false);
#undef PUT
}

/* ------------------------------------------------------------------------
 * Locking
 * ------------------------------------------------------------------------ */

static void
report_serialization(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

static void
remember(const PoolQuota *quota, ItemPointer tid)
{
	PoolMembershipKey key = {quota->pool_id, quota->member_id};
	Remembered *entry;
	bool		found;

	if (remembered == NULL ||
		hash_get_num_entries(remembered) >= MAX_REMEMBERED)
	{
		HASHCTL		ctl;

		if (remembered != NULL)
			hash_destroy(remembered);
		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(PoolMembershipKey);
		ctl.entrysize = sizeof(Remembered);
		ctl.hcxt = TopMemoryContext;
		remembered = hash_create("pool_ext memberships seen", 256, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(remembered, &key, HASH_ENTER, &found);
	entry->tid = *tid;
}

static bool
is_row_of(TupleTableSlot *slot, const PoolMembershipKey *key)
{
	bool		isnull;

	return DatumGetInt32(slot_getattr(slot, MEMBERSHIP_STATE_POOL_ID,
									  &isnull)) == key->pool_id &&
		DatumGetInt32(slot_getattr(slot, MEMBERSHIP_STATE_MEMBER_ID,
								   &isnull)) == key->member_id;
}

/*
 * Locks the row starting from the version seen last.  False if that is of no
 * use any more, and the index has to be asked.  Only where the row may be
 * followed to its last version.
 */
static bool
lock_remembered(PoolTable *table, Snapshot snapshot,
				const PoolMembershipKey *key)
{
	Remembered *entry;
	ItemPointerData tid;

	if (remembered == NULL || IsolationUsesXactSnapshot())
		return false;
	entry = hash_search(remembered, key, HASH_FIND, NULL);
	if (entry == NULL)
		return false;
	tid = entry->tid;
	if (!pool_table_fetch(table, &tid, SnapshotAny) ||
		!is_row_of(table->old, key))
		return false;
	return pool_table_lock(table, &tid, snapshot, LockWaitBlock) == TM_Ok &&
		is_row_of(table->old, key);
}

/* A member of an `everyone` pool has no row before his first operation. */
static void
create_row(const PoolMembershipKey *key)
{
	PoolSql		sql = pool_sql_begin();
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(key->pool_id),
	Int32GetDatum(key->member_id)};

	/* locking member and pool keeps the mirrored status right */
	pool_sql_run("INSERT INTO pool.membership_state"
				 " (pool_id, member_id, tenant_id, status)"
				 " SELECT p.id, m.id, m.tenant_id,"
				 "  CASE WHEN p.everyone OR EXISTS (SELECT"
				 "   FROM pool.membership s WHERE s.pool_id = p.id"
				 "   AND s.member_id = m.id)"
				 "  THEN m.status ELSE 'removed' END"
				 " FROM pool.member m, pool.pool p"
				 " WHERE p.id = $1 AND m.id = $2 FOR SHARE"
				 " ON CONFLICT DO NOTHING",
				 2, types, values, NULL);
	pool_sql_end(sql);
}

static void
lock_row(PoolQuotaSet *set, PoolQuota *quota)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBERSHIP_STATE);
	PoolMembershipKey key = {quota->pool_id, quota->member_id};
	PoolKey		keys[2] = {pool_key_int4(key.pool_id),
	pool_key_int4(key.member_id)};

	if (!lock_remembered(table, set->snapshot, &key))
	{
		Snapshot	snapshot = pool_snapshot();

		if (!pool_table_find(table, POOL_MEMBERSHIP_STATE_PKEY, snapshot,
							 keys, 2))
		{
			create_row(&key);
			snapshot = pool_snapshot();
			if (!pool_table_find(table, POOL_MEMBERSHIP_STATE_PKEY, snapshot,
								 keys, 2))
				report_serialization();
		}
		if (pool_table_lock(table, &table->old->tts_tid, snapshot,
							LockWaitBlock) != TM_Ok)
			report_serialization();
	}
	read_quota(table->old, quota);
	remember(quota, &quota->tid);
}

static void
lock_member(PoolQuotaSet *set, int32 member_id)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBER_STATE);
	Snapshot	snapshot = pool_snapshot();

	if (!pool_table_find(table, POOL_MEMBER_STATE_PKEY, snapshot,
						 &pool_key_int4(member_id), 1) ||
		pool_table_lock(table, &table->old->tts_tid, snapshot,
						LockWaitBlock) != TM_Ok)
		report_serialization();
}

static MemberTotal *
find_total(PoolQuotaSet *set, int32 member_id)
{
	for (int i = 0; i < set->n_totals; i++)
		if (set->totals[i].member_id == member_id)
			return &set->totals[i];
	return NULL;
}

/* Leads held in all pools, by the latest committed counters and our own. */
static int32
held_over_all(PoolQuotaSet *set, int32 member_id)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBERSHIP_STATE);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = pool_index_scan(table->rel,
										 pool_work_index(table, POOL_MEMBERSHIP_STATE_MEMBER),
										 snapshot, &pool_key_int4(member_id),
										 1);
	int32		held = 0;

	while (index_getnext_slot(scan, ForwardScanDirection, table->old))
	{
		bool		isnull;

		held += DatumGetInt32(slot_getattr(table->old, MEMBERSHIP_STATE_HELD,
										   &isnull));
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return held;
}

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

/* Locks those who may gain leads and have a limit over all their pools. */
static void
lock_totals(PoolQuotaSet *set)
{
	ListCell   *lc;

	set->totals = palloc(list_length(set->receivers) * sizeof(MemberTotal) +
						 1);
	list_sort(set->receivers, list_int_cmp);
	foreach(lc, set->receivers)
	{
		const PoolMemberConf *member = pool_config_member(lfirst_int(lc));

		if (member->hold_limit == POOL_NO_LIMIT)
			continue;
		lock_member(set, member->id);
		set->totals[set->n_totals].member_id = member->id;
		set->totals[set->n_totals].limit = member->hold_limit;
		set->n_totals++;
	}
}

static bool
is_remembered(const PoolMembershipKey *key)
{
	return remembered != NULL &&
		hash_search(remembered, key, HASH_FIND, NULL) != NULL;
}

static bool
row_exists(PoolQuotaSet *set, const PoolMembershipKey *key)
{
	PoolKey		keys[2] = {pool_key_int4(key->pool_id),
	pool_key_int4(key->member_id)};

	return pool_table_find(pool_work_table(set->work, POOL_MEMBERSHIP_STATE),
						   POOL_MEMBERSHIP_STATE_PKEY, pool_snapshot(),
						   keys, 2);
}

/*
 * Making a missing row needs the member and the pool, and who changes these
 * holds them while he waits for counters: so they come before all counters.
 */
static void
hold_members(PoolQuotaSet *set)
{
	for (int i = 0; i < set->n; i++)
	{
		PoolMembershipKey key = {set->quotas[i].pool_id,
		set->quotas[i].member_id};
		Oid			types[2] = {INT4OID, INT4OID};
		Datum		values[2] = {Int32GetDatum(key.pool_id),
		Int32GetDatum(key.member_id)};
		PoolSql		sql;

		if (is_remembered(&key) || row_exists(set, &key))
			continue;
		sql = pool_sql_begin();
		pool_sql_run("SELECT FROM pool.member m, pool.pool p"
					 " WHERE p.id = $1 AND m.id = $2 FOR SHARE",
					 2, types, values, NULL);
		pool_sql_end(sql);
	}
}

/* Locks all named counters, in order, and reads them. */
void
pool_quota_lock(PoolQuotaSet *set)
{
	int			kept = 0;

	qsort(set->quotas, set->n, sizeof(PoolQuota), compare_quotas);
	hold_members(set);
	if (set->n > 0 && holder == InvalidSubTransactionId)
		holder = GetCurrentSubTransactionId();
	lock_totals(set);
	for (int i = 0; i < set->n; i++)
	{
		PoolQuota  *quota = &set->quotas[i];

		if (kept > 0 && compare_quotas(&set->quotas[kept - 1], quota) == 0)
			continue;
		set->quotas[kept] = *quota;
		lock_row(set, &set->quotas[kept]);
		kept++;
	}
	set->n = kept;
	for (int i = 0; i < set->n_totals; i++)
		set->totals[i].held = held_over_all(set, set->totals[i].member_id);
}

/* The locked counters; NULL if they were not named before. */
PoolQuota *
pool_quota_get(PoolQuotaSet *set, int32 pool_id, int32 member_id)
{
	PoolQuota	key = {.pool_id = pool_id,.member_id = member_id};

	return bsearch(&key, set->quotas, set->n, sizeof(PoolQuota),
				   compare_quotas);
}

/*
 * Reads all named counters without locking them; a member without any has
 * zeros.  For explaining, on a standby too.
 */
void
pool_quota_peek(PoolQuotaSet *set)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBERSHIP_STATE);

	qsort(set->quotas, set->n, sizeof(PoolQuota), compare_quotas);
	set->totals = palloc(list_length(set->receivers) * sizeof(MemberTotal) +
						 1);
	for (int i = 0; i < set->n; i++)
	{
		PoolQuota  *quota = &set->quotas[i];
		const PoolMemberConf *member = pool_config_member(quota->member_id);
		PoolKey		keys[2] = {pool_key_int4(quota->pool_id),
		pool_key_int4(quota->member_id)};

		if (pool_table_find(table, POOL_MEMBERSHIP_STATE_PKEY, set->snapshot,
							keys, 2))
			read_quota(table->old, quota);
		else
		{
			quota->day_until = POOL_NO_TIME;
			quota->previous_claim_at = POOL_NO_TIME;
		}
		if (member->hold_limit != POOL_NO_LIMIT &&
			find_total(set, quota->member_id) == NULL)
			set->totals[set->n_totals++] = (MemberTotal)
		{
			member->id, member->hold_limit,
				held_over_all(set, member->id)
		};
	}
}

/* Writes what has changed. */
void
pool_quota_write(PoolQuotaSet *set)
{
	PoolTable  *table = pool_work_table(set->work, POOL_MEMBERSHIP_STATE);

	for (int i = 0; i < set->n; i++)
	{
		PoolQuota  *quota = &set->quotas[i];
		Datum		values[MEMBERSHIP_STATE_NATTS];
		bool		nulls[MEMBERSHIP_STATE_NATTS];

		if (!quota->changed)
			continue;
		if (!pool_table_fetch(table, &quota->tid, SnapshotAny))
			elog(ERROR, "locked counters have vanished");
		form_quota(quota, values, nulls);
		pool_table_update(table, values, nulls);
		remember(quota, &table->new->tts_tid);
	}
}

/* ------------------------------------------------------------------------
 * Limits
 * ------------------------------------------------------------------------ */

static bool
bound_by(int32 limit, int32 used, TimestampTz retry_at, PoolBound *bound)
{
	if (limit == POOL_NO_LIMIT || used < limit)
		return false;
	bound->limit = limit;
	bound->used = used;
	bound->retry_at = retry_at;
	return true;
}

/* Whether the member may not hold one lead more in this pool, or at all. */
bool
pool_quota_hold_bound(PoolQuotaSet *set, PoolQuota *quota, PoolBound *bound)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);
	MemberTotal *total = find_total(set, quota->member_id);

	return bound_by(conf->hold_limit, quota->held, POOL_NO_TIME, bound) ||
		(total != NULL &&
		 bound_by(total->limit, total->held, POOL_NO_TIME, bound));
}

/*
 * Opens the member's calendar day, if the last one has ended.  A zone changed
 * meanwhile opens none before; a clock that was set back opens that day anew.
 */
static void
open_day(PoolQuota *quota, TimestampTz now)
{
	pg_tz	   *zone = pool_config_member(quota->member_id)->zone;
	DateADT		day;

	if (quota->day_until != POOL_NO_TIME && now < quota->day_until &&
		!pool_clock_is_set())
		return;
	day = pool_local_day(now, zone);
	if (quota->day_until != POOL_NO_TIME && now < quota->day_until &&
		(day == quota->day || now >= quota->last_claim_at))
		return;
	quota->day = day;
	quota->day_until = pool_day_start(day + 1, zone);
	quota->day_event = 0;
	quota->claimed = 0;
}

bool
pool_quota_claim_bound(PoolQuota *quota, TimestampTz now, PoolBound *bound)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);

	open_day(quota, now);
	return bound_by(conf->claim_limit, quota->claimed, quota->day_until,
					bound);
}

/* Whether the member's last claim in this pool was too short a time ago. */
bool
pool_quota_interval_bound(PoolQuota *quota, TimestampTz now, PoolBound *bound)
{
	const PoolConf *pool = pool_config_pool(quota->pool_id);

	if (pool->claim_interval == NULL ||
		quota->previous_claim_at == POOL_NO_TIME)
		return false;
	bound->limit = POOL_NO_LIMIT;
	bound->used = POOL_NO_LIMIT;
	bound->retry_at = pool_time_add(quota->previous_claim_at,
									pool->claim_interval, pool->zone);
	return now < bound->retry_at;
}

static int
room_below(int32 limit, int32 used, int room)
{
	return limit == POOL_NO_LIMIT ? room : Min(room, Max(limit - used, 0));
}

/* How many leads the member may claim in this pool just now. */
int
pool_quota_room(PoolQuotaSet *set, PoolQuota *quota, TimestampTz now)
{
	const PoolMembershipConf *conf = pool_config_membership(quota->pool_id,
															quota->member_id);
	MemberTotal *total = find_total(set, quota->member_id);
	int			room = INT_MAX;

	open_day(quota, now);
	room = room_below(conf->claim_limit, quota->claimed, room);
	room = room_below(conf->hold_limit, quota->held, room);
	if (total != NULL)
		room = room_below(total->limit, total->held, room);
	return room;
}

/* A spell begins. */
void
pool_quota_gain(PoolQuotaSet *set, PoolQuota *quota)
{
	MemberTotal *total = find_total(set, quota->member_id);

	quota->held++;
	quota->spells++;
	quota->changed = true;
	if (total != NULL)
		total->held++;
}

/* A spell ends. */
void
pool_quota_lose(PoolQuotaSet *set, PoolQuota *quota)
{
	MemberTotal *total = find_total(set, quota->member_id);

	if (quota->held <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("counter of member %d in pool %d is below what he holds",
						quota->member_id, quota->pool_id),
				 errdetail("It says %d, and one of his leads is about to go.",
						   quota->held),
				 errhint("SELECT * FROM pool.verify() shows what differs.")));
	quota->held--;
	quota->changed = true;
	if (total != NULL)
		total->held--;
}

/* Takes back pool_quota_lose. */
void
pool_quota_regain(PoolQuotaSet *set, PoolQuota *quota)
{
	MemberTotal *total = find_total(set, quota->member_id);

	quota->held++;
	if (total != NULL)
		total->held++;
}

/* A claim event of this moment counts towards the day. */
void
pool_quota_count_claim(PoolQuota *quota, int64 event_id, TimestampTz now)
{
	open_day(quota, now);
	if (quota->day_event == 0)
		quota->day_event = event_id;
	quota->claimed++;
	quota->last_claim_at = now;
	quota->changed = true;
}
