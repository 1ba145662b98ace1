/*
 * access.c
 *	  Who calls, for whom, and what he may.
 *
 * The member behind a session is the one act_as() named in this transaction,
 * else the one whose login is the outer user: the role of SET ROLE, not that
 * of a security-definer function around us.  Privileges proper are those of the
 * current user, as everywhere in core.
 */
#include "compat.h"
#include "access.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "errors.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "sql.h"
#include "table.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_current_member);
PG_FUNCTION_INFO_V1(pool_current_member_id);
PG_FUNCTION_INFO_V1(pool_sees_tenant);
PG_FUNCTION_INFO_V1(pool_is_team_manager);
PG_FUNCTION_INFO_V1(pool_default_tenant);

/*
 * What act_as() has set: one entry for each subtransaction that called it, so
 * that what was set before comes back when that one is undone.
 */
struct PoolActing
{
	SubTransactionId subid;
	int32		member_id;		/* 0 = nobody */
	PoolActing *outer;
};

static PoolActing *acting = NULL;

static void
end_of_xact(XactEvent event, void *arg)
{
	/* its memory goes with the transaction */
	if (event != XACT_EVENT_PRE_COMMIT &&
		event != XACT_EVENT_PARALLEL_PRE_COMMIT &&
		event != XACT_EVENT_PRE_PREPARE)
		acting = NULL;
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (acting == NULL || acting->subid != subid)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		acting = acting->outer;
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		acting->subid = parent;
		if (acting->outer != NULL && acting->outer->subid == parent)
			acting->outer = acting->outer->outer;
	}
}

static int32
acting_member(void)
{
	return acting != NULL ? acting->member_id : 0;
}

/* Until the (sub)transaction ends; 0 is nobody. */
void
pool_acting_set(int32 member_id)
{
	SubTransactionId subid = GetCurrentSubTransactionId();

	if (acting == NULL || acting->subid != subid)
	{
		PoolActing *entry = MemoryContextAlloc(TopTransactionContext,
											   sizeof(PoolActing));

		entry->subid = subid;
		entry->outer = acting;
		acting = entry;
	}
	acting->member_id = member_id;
}

/* Looks at the world with the role's own eyes until pool_acting_restore. */
PoolActing *
pool_acting_suspend(void)
{
	PoolActing *before = acting;

	acting = NULL;
	return before;
}

void
pool_acting_restore(PoolActing *before)
{
	acting = before;
}

void
pool_access_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}

/* The member behind this session, 0 if there is none. */
int32
pool_caller_member(void)
{
	if (acting_member() == POOL_ACTING_NOBODY)
		return 0;
	if (acting_member() != 0)
		return acting_member();
	return pool_config_member_by_login(GetUserNameFromId(GetOuterUserId(),
														 false));
}

/* Whether this role may act for others: EXECUTE on pool.act_as(text). */
bool
pool_role_is_service(Oid role)
{
	Oid			argtype = TEXTOID;
	Oid			func = LookupFuncName(list_make2(makeString("pool"),
												 makeString("act_as")),
									  1, &argtype, false);

	return pool_may_execute(func, role);
}

bool
pool_caller_is_service(void)
{
	return pool_role_is_service(GetUserId());
}

/* Access as a member or manager opens nothing to who is no member. */
static bool
is_for_members(Datum access)
{
	char	   *name = TextDatumGetCString(access);

	return strcmp(name, "member") == 0 || strcmp(name, "manager") == 0;
}

/* What of a grant counts: 0 is every tenant. */
typedef bool (*GrantTest) (int32 granted, int32 tenant_id);

static bool
opens(int32 granted, int32 tenant_id)
{
	return granted == 0 || granted == tenant_id;
}

static bool
goes_beyond(int32 granted, int32 tenant_id)
{
	return granted != tenant_id;
}

/* Whether some grant_access() row that counts for this role passes the test. */
static bool
any_grant(Oid role, GrantTest test, int32 tenant_id)
{
	Relation	rel = table_open(pool_table_oid(POOL_ACCESS_GRANT),
								 AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(rel)));
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	bool		found = false;

	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		every;
		bool		isnull;
		Datum		tenant = slot_getattr(slot, ACCESS_GRANT_TENANT_ID, &every);
		Datum		name = slot_getattr(slot, ACCESS_GRANT_ROLE, &isnull);
		Oid			granted;

		if (!test(every ? 0 : DatumGetInt32(tenant), tenant_id) ||
			is_for_members(slot_getattr(slot, ACCESS_GRANT_ACCESS, &isnull)))
			continue;
		granted = get_role_oid(TextDatumGetCString(name), true);
		found = OidIsValid(granted) && has_privs_of_role(role, granted);
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	return found;
}

/* Whether the current user was granted this tenant; 0 is every one. */
static bool
granted_tenant(int32 tenant_id)
{
	return any_grant(GetUserId(), opens, tenant_id);
}

/* Whether the role was granted another tenant than this, or every one. */
bool
pool_role_sees_beyond(Oid role, int32 tenant_id)
{
	return any_grant(role, goes_beyond, tenant_id);
}

/*
 * Whether the caller may see anything of this tenant: a member only his own,
 * a superuser every one, others those they were granted.
 */
bool
pool_caller_sees_tenant(int32 tenant_id)
{
	int32		member_id = pool_caller_member();

	if (member_id != 0)
	{
		const PoolMemberConf *member = pool_config_find_member(member_id);

		return member != NULL && member->tenant_id == tenant_id;
	}
	return superuser() || granted_tenant(tenant_id);
}

/* Whether the caller, as a role, was granted every tenant. */
bool
pool_caller_sees_all(void)
{
	return superuser() || granted_tenant(0);
}

/*
 * For what concerns every tenant at once; 42501 unless the caller was granted
 * all of them.
 */
void
pool_require_all_tenants(const char *function)
{
	if (pool_caller_sees_all())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function pool.%s", function),
			 errdetail("It concerns every tenant, and role \"%s\" was granted some only.",
					   GetUserNameFromId(GetUserId(), false)),
			 errhint("Use a role with pool.grant_access(role, 'admin').")));
}

bool
pool_actor_sees(const PoolActor *actor, int32 tenant_id)
{
	if (actor->tenant_id != 0)
		return actor->tenant_id == tenant_id;
	return pool_caller_sees_tenant(tenant_id);
}

/* What the actor, a member, is in the pool: nothing once he has left. */
PoolRole
pool_actor_role(const PoolActor *actor, int32 pool_id)
{
	if (pool_config_member(actor->member_id)->left)
		return POOL_ROLE_NONE;
	return pool_config_membership(pool_id, actor->member_id)->role;
}

/* Manager of the pool or of one above it; services manage every pool. */
bool
pool_actor_manages(const PoolActor *actor, int32 pool_id)
{
	int			depth = 0;

	if (actor->member_id == 0)
		return true;
	if (pool_config_member(actor->member_id)->left)
		return false;
	while (pool_id != 0 && depth++ < POOL_MAX_DEPTH)
	{
		const PoolConf *pool = pool_config_find_pool(pool_id);

		if (pool == NULL)
			return false;
		if (pool_config_membership(pool_id, actor->member_id)->role ==
			POOL_ROLE_MANAGER)
			return true;
		pool_id = pool->parent_id;
	}
	return false;
}

void
pool_require_manager(const PoolActor *actor, int32 pool_id)
{
	if (pool_actor_manages(actor, pool_id))
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_MANAGER_NEEDED),
			 errmsg("member \"%s\" is not a manager of pool \"%s\"",
					pool_config_member(actor->member_id)->key,
					pool_config_pool(pool_id)->name),
			 errdetail("This needs a manager of the pool or of one above it."),
			 errhint("Give him a membership with role manager.")));
}

/* SQL: key of the caller's member, NULL if he is none */
Datum
pool_current_member(PG_FUNCTION_ARGS)
{
	int32		id;

	pool_config_refresh();
	id = pool_caller_member();
	if (id == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(pool_config_member(id)->key));
}

/* SQL, for views: the id of that member; 0, which is nobody's, if he has left */
Datum
pool_current_member_id(PG_FUNCTION_ARGS)
{
	int32		id;

	pool_config_refresh();
	id = pool_caller_member();
	if (id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(pool_config_member(id)->left ? 0 : id);
}

/* SQL, for views: may the caller see this tenant? */
Datum
pool_sees_tenant(PG_FUNCTION_ARGS)
{
	pool_config_refresh();
	PG_RETURN_BOOL(pool_caller_sees_tenant(PG_GETARG_INT32(0)));
}

/* SQL, for views: is the caller's member manager of this pool's branch? */
Datum
pool_is_team_manager(PG_FUNCTION_ARGS)
{
	PoolActor	actor = {0};

	pool_config_refresh();
	actor.member_id = pool_caller_member();
	PG_RETURN_BOOL(actor.member_id != 0 &&
				   pool_actor_manages(&actor, PG_GETARG_INT32(0)));
}

/* SQL, for column defaults: the tenant `default`, made on first use */
Datum
pool_default_tenant(PG_FUNCTION_ARGS)
{
	PoolSql		sql;
	int32		id;

	pool_config_refresh();
	id = pool_config_tenant_by_name(POOL_DEFAULT_TENANT);
	if (id != 0)
		PG_RETURN_INT32(id);
	sql = pool_sql_begin();
	pool_sql_run("INSERT INTO pool.tenant (name) VALUES ('" POOL_DEFAULT_TENANT "')"
				 " ON CONFLICT (name) DO NOTHING", 0, NULL, NULL, NULL);
	pool_sql_end(sql);
	pool_config_refresh();
	PG_RETURN_INT32(pool_config_tenant_by_name(POOL_DEFAULT_TENANT));
}
