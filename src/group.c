/*
 * group.c
 *	  Leads of one customer: who of the members may own them.
 *
 * The only writer of identity_group: owner_id is the one member who owns leads
 * of the group, held is how many he owns.  Locks come last, after leads and
 * counters.
 * Whoever asks for a lead takes the group without waiting; whoever gives one
 * up waits for it, and a batch takes its groups in ascending order before.
 */
#include "compat.h"
#include "group.h"

#include "access/xact.h"
#include "config.h"
#include "utils/builtins.h"

typedef struct IdentityGroup
{
	int32		tenant_id;
	Datum		scope;
	int32		owner_id;		/* 0 = nobody */
	int32		held;
} IdentityGroup;

static void
read_group(TupleTableSlot *slot, IdentityGroup *group)
{
	bool		isnull;

	group->tenant_id = DatumGetInt32(slot_getattr(slot,
												  IDENTITY_GROUP_TENANT_ID,
												  &isnull));
	group->scope = slot_getattr(slot, IDENTITY_GROUP_SCOPE, &isnull);
	group->held = DatumGetInt32(slot_getattr(slot, IDENTITY_GROUP_HELD,
											 &isnull));
	group->owner_id = DatumGetInt32(slot_getattr(slot,
												 IDENTITY_GROUP_OWNER_ID,
												 &isnull));
	if (isnull)
		group->owner_id = 0;
}

static bool
find_group(PoolTable *table, int64 id, IdentityGroup *group)
{
	if (!pool_table_find(table, POOL_IDENTITY_GROUP_PKEY, pool_snapshot(),
						 &pool_key_int8(id), 1))
		return false;
	read_group(table->old, group);
	return true;
}

/* An old snapshot may know the lead and not its group. */
static void
report_missing(int64 id)
{
	if (IsolationUsesXactSnapshot())
		pool_report_serialization();
	elog(ERROR, "identity group " INT64_FORMAT " does not exist", id);
}

/*
 * Locks the group and reads it; false if a running transaction has it and
 * `wait` is false.
 */
static bool
lock_group(PoolTable *table, int64 id, bool wait, IdentityGroup *group)
{
	/* without waiting, a row that just changed is found again by its id */
	for (int tries = 0; tries < 3; tries++)
	{
		if (!find_group(table, id, group))
			report_missing(id);
		switch (pool_table_lock(table, &table->old->tts_tid, pool_snapshot(),
								wait ? LockWaitBlock : LockWaitSkip))
		{
			case TM_Ok:
				read_group(table->old, group);
				return true;
			case TM_WouldBlock:
				Assert(!wait);
				return false;
			default:
				if (IsolationUsesXactSnapshot())
					pool_report_serialization();
		}
	}
	if (wait)
		pool_report_serialization();
	return false;
}

static void
form_group(int64 id, const IdentityGroup *group, Datum *v, bool *n)
{
	memset(n, 0, sizeof(bool) * IDENTITY_GROUP_NATTS);
	v[IDENTITY_GROUP_ID - 1] = Int64GetDatum(id);
	v[IDENTITY_GROUP_TENANT_ID - 1] = Int32GetDatum(group->tenant_id);
	v[IDENTITY_GROUP_SCOPE - 1] = group->scope;
	v[IDENTITY_GROUP_OWNER_ID - 1] = Int32GetDatum(group->owner_id);
	n[IDENTITY_GROUP_OWNER_ID - 1] = group->owner_id == 0;
	v[IDENTITY_GROUP_HELD - 1] = Int32GetDatum(group->held);
}

/* Replaces the locked row; the same call may come to the group again. */
static void
write_group(PoolTable *table, int64 id, IdentityGroup *group)
{
	Datum		values[IDENTITY_GROUP_NATTS];
	bool		nulls[IDENTITY_GROUP_NATTS];

	if (group->held == 0)
		group->owner_id = 0;
	form_group(id, group, values, nulls);
	pool_table_update(table, values, nulls);
	CommandCounterIncrement();
}

/* A new group of one lead, which this member owns (0 = nobody). */
void
pool_group_create(PoolWork *work, int64 id, int32 tenant_id,
				  const char *scope, int32 owner_id)
{
	IdentityGroup group = {.tenant_id = tenant_id,.owner_id = owner_id};
	Datum		values[IDENTITY_GROUP_NATTS];
	bool		nulls[IDENTITY_GROUP_NATTS];

	group.scope = CStringGetTextDatum(scope);
	group.held = owner_id != 0 ? 1 : 0;
	form_group(id, &group, values, nulls);
	pool_table_insert(pool_work_table(work, POOL_IDENTITY_GROUP),
					  values, nulls);
	CommandCounterIncrement();
}

static PoolGroupVerdict
judge(const IdentityGroup *group, int32 member_id)
{
	return group->owner_id == 0 || group->owner_id == member_id ?
		POOL_GROUP_FREE : POOL_GROUP_OWNED;
}

/*
 * Within which pools a customer is one: as identity.scope says.  The highest
 * pool on the way up that says so, else the tenant.
 */
const char *
pool_group_scope(int32 pool_id)
{
	int32		top = 0;

	for (int depth = 0; pool_id != 0 && depth < POOL_MAX_DEPTH; depth++)
	{
		const PoolConf *pool = pool_config_pool(pool_id);

		if (pool->subtree_identity)
			top = pool->id;
		pool_id = pool->parent_id;
	}
	return top == 0 ? "" : psprintf("%d", top);
}

/* Who owns leads of it, as things are committed, without a lock; 0 = nobody. */
int32
pool_group_owner(PoolWork *work, int64 id)
{
	IdentityGroup group;

	if (id == 0 ||
		!find_group(pool_work_table(work, POOL_IDENTITY_GROUP), id, &group))
		return 0;
	return group.owner_id;
}

/* The same for one member: FREE or OWNED. */
PoolGroupVerdict
pool_group_look(PoolWork *work, int64 id, int32 member_id)
{
	IdentityGroup group = {.owner_id = pool_group_owner(work, id)};

	return judge(&group, member_id);
}

/* Locks the group for a member who is about to get a lead of it. */
PoolGroupVerdict
pool_group_try(PoolWork *work, int64 id, int32 member_id)
{
	IdentityGroup group;

	if (id == 0)
		return POOL_GROUP_FREE;
	if (!lock_group(pool_work_table(work, POOL_IDENTITY_GROUP), id, false,
					&group))
		return POOL_GROUP_BUSY;
	return judge(&group, member_id);
}

/* The outcome that says so, NULL if there is nothing to say. */
const char *
pool_group_refusal(PoolGroupVerdict verdict)
{
	switch (verdict)
	{
		case POOL_GROUP_OWNED:
			return "identity_owned";
		case POOL_GROUP_BUSY:
			return "contended";
		default:
			return NULL;
	}
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* Locks these groups in ascending order, waiting. */
void
pool_group_lock(PoolWork *work, int64 *ids, int n)
{
	IdentityGroup group;

	if (n == 0)
		return;
	qsort(ids, n, sizeof(int64), compare_ids);
	for (int i = 0; i < n; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			(void) lock_group(pool_work_table(work, POOL_IDENTITY_GROUP),
							  ids[i], true, &group);
}

/*
 * Whether n of the owner's leads of this group, which are locked, may go to
 * another member: only if they are all he owns, or what is left of all.
 */
bool
pool_group_may_pass(PoolWork *work, int64 id, int32 owner_id,
					int32 member_id, int n)
{
	IdentityGroup group;

	if (id == 0 || owner_id == member_id)
		return true;
	return lock_group(pool_work_table(work, POOL_IDENTITY_GROUP), id, true,
					  &group) &&
		(group.held <= n || group.owner_id == member_id);
}

static void
report_owned(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("identity group %lld has another owner", (long long) id),
			 errdetail("Leads of one customer have one owner at a time."),
			 errhint("Give the lead to that member, or take his leads of this customer back first.")));
}

void
pool_group_gain(PoolWork *work, int64 id, int32 member_id)
{
	PoolTable  *table;
	IdentityGroup group;

	if (id == 0)
		return;
	table = pool_work_table(work, POOL_IDENTITY_GROUP);
	if (!lock_group(table, id, false, &group))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("could not obtain lock on identity group %lld",
						(long long) id),
				 errdetail("Another transaction is giving or taking a lead of the same customer."),
				 errhint("Try again.")));
	if (judge(&group, member_id) != POOL_GROUP_FREE)
		report_owned(id);
	group.owner_id = member_id;
	group.held++;
	write_group(table, id, &group);
}

void
pool_group_lose(PoolWork *work, int64 id)
{
	PoolTable  *table;
	IdentityGroup group;

	if (id == 0)
		return;
	table = pool_work_table(work, POOL_IDENTITY_GROUP);
	(void) lock_group(table, id, true, &group);
	group.held--;
	write_group(table, id, &group);
}

/* The first of all his leads of the group goes to him, or the next. */
void
pool_group_pass(PoolWork *work, int64 id, int32 member_id)
{
	PoolTable  *table;
	IdentityGroup group;

	if (id == 0)
		return;
	table = pool_work_table(work, POOL_IDENTITY_GROUP);
	(void) lock_group(table, id, true, &group);
	group.owner_id = member_id;
	write_group(table, id, &group);
}
