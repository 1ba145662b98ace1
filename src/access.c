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
#include "mb/pg_wchar.h"
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
PG_FUNCTION_INFO_V1(pool_act_as);
PG_FUNCTION_INFO_V1(pool_sees_tenant);
PG_FUNCTION_INFO_V1(pool_is_team_manager);
PG_FUNCTION_INFO_V1(pool_default_tenant);

#define DEFAULT_TENANT "default"
#define MAX_POOL_DEPTH 100

/*
 * What act_as() has set: one entry for each subtransaction that called it, so
 * that what was set before comes back when that one is undone.
 */
typedef struct Acting
{
	SubTransactionId subid;
	int32		member_id;		/* 0 = nobody */
	struct Acting *outer;
} Acting;

static Acting *acting = NULL;

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

static void
set_acting(int32 member_id)
{
	SubTransactionId subid = GetCurrentSubTransactionId();

	if (acting == NULL || acting->subid != subid)
	{
		Acting	   *entry = MemoryContextAlloc(TopTransactionContext,
											   sizeof(Acting));

		entry->subid = subid;
		entry->outer = acting;
		acting = entry;
	}
	acting->member_id = member_id;
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

/*
 * Whether a grant_access() row opens this tenant to the current user; 0 asks
 * for a grant to every tenant.
 */
static bool
granted_tenant(int32 tenant_id)
{
	Relation	rel = table_open(pool_table_oid(POOL_ACCESS_GRANT),
								 AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	bool		granted = false;

	while (!granted && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		every;
		bool		isnull;
		Datum		tenant = slot_getattr(slot, ACCESS_GRANT_TENANT_ID, &every);
		Datum		role = slot_getattr(slot, ACCESS_GRANT_ROLE, &isnull);
		Oid			roleid;

		if ((!every && DatumGetInt32(tenant) != tenant_id) ||
			is_for_members(slot_getattr(slot, ACCESS_GRANT_ACCESS, &isnull)))
			continue;
		roleid = get_role_oid(TextDatumGetCString(role), true);
		granted = OidIsValid(roleid) &&
			has_privs_of_role(GetUserId(), roleid);
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	return granted;
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

/*
 * For what concerns every tenant at once; 42501 unless the caller was granted
 * all of them.
 */
void
pool_require_all_tenants(const char *function)
{
	if (superuser() || granted_tenant(0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function pool.%s", function),
			 errdetail("It concerns every tenant, and role \"%s\" was granted some only.",
					   GetUserNameFromId(GetUserId(), false)),
			 errhint("Use a role with pool.grant_access(role, 'admin').")));
}

/*
 * Splits `tenant/name`.  Without a tenant it is the caller's, or the default
 * one.  Returns the tenant's id, 0 if there is none or it is not visible.
 */
static int32
split_name(const char *qualified, const char **name)
{
	const char *slash = strchr(qualified, '/');
	int32		member_id;
	int32		tenant_id;

	if (slash != NULL)
	{
		*name = slash + 1;
		tenant_id = pool_config_tenant_by_name(pnstrdup(qualified,
														slash - qualified));
	}
	else
	{
		*name = qualified;
		member_id = pool_caller_member();
		if (member_id != 0)
			return pool_config_member(member_id)->tenant_id;
		tenant_id = pool_config_tenant_by_name(DEFAULT_TENANT);
	}
	if (tenant_id != 0 && !pool_caller_sees_tenant(tenant_id))
		return 0;
	return tenant_id;
}

/* Names are cut in messages: a name of any length may have been given. */
#define SHOWN_NAME_LENGTH 64

static char *
shown(const char *name)
{
	int			len = strlen(name);

	return pnstrdup(name, pg_mbcliplen(name, len, SHOWN_NAME_LENGTH));
}

/* The tenant in which a name was looked for, whether there is one or not. */
static char *
tenant_looked_in(const char *qualified)
{
	const char *slash = strchr(qualified, '/');
	int32		member_id = pool_caller_member();

	if (slash != NULL)
		return shown(pnstrdup(qualified, slash - qualified));
	if (member_id != 0)
		return pool_config_tenant(pool_config_member(member_id)->tenant_id)->name;
	return DEFAULT_TENANT;
}

const PoolConf *
pool_resolve_pool(text *qualified)
{
	char	   *given = text_to_cstring(qualified);
	const char *name;
	int32		tenant_id = split_name(given, &name);
	int32		id = 0;

	if (tenant_id != 0)
		id = pool_config_pool_by_name(tenant_id, name);
	if (id == 0)
		ereport(ERROR,
				(errcode(POOL_ERRCODE_UNKNOWN_POOL),
				 errmsg("pool \"%s\" does not exist", shown(given)),
				 errdetail("It was looked for in tenant \"%s\".",
						   tenant_looked_in(given)),
				 errhint("Pools are named as in pool.pool; those of another "
						 "tenant as tenant/name.")));
	return pool_config_pool(id);
}

const PoolMemberConf *
pool_resolve_member(text *qualified)
{
	char	   *given = text_to_cstring(qualified);
	const char *key;
	int32		tenant_id = split_name(given, &key);
	int32		id = 0;

	if (tenant_id != 0)
		id = pool_config_member_by_key(tenant_id, key);
	if (id == 0)
		ereport(ERROR,
				(errcode(POOL_ERRCODE_UNKNOWN_MEMBER),
				 errmsg("member \"%s\" does not exist", shown(given)),
				 errdetail("He was looked for in tenant \"%s\".",
						   tenant_looked_in(given)),
				 errhint("Members are named by pool.member.key; those of "
						 "another tenant as tenant/key.")));
	return pool_config_member(id);
}

static void
refuse_acting(void)
{
	ereport(ERROR,
			(errcode(POOL_ERRCODE_NOT_PERMITTED),
			 errmsg("role \"%s\" may not act for this member",
					GetUserNameFromId(GetUserId(), false)),
			 errdetail("A member's login acts as that member only."),
			 errhint("Acting for others needs pool.grant_access(role, 'service').")));
}

/*
 * The member argument: NULL is the caller's own.  Somebody else needs the
 * right to act for others.
 */
const PoolMemberConf *
pool_resolve_self(FunctionCallInfo fcinfo, int argno)
{
	int32		self = pool_caller_member();
	const PoolMemberConf *member;

	if (PG_ARGISNULL(argno))
	{
		if (self == 0)
			ereport(ERROR,
					(errcode(POOL_ERRCODE_UNKNOWN_MEMBER),
					 errmsg("role \"%s\" is not the login of a member",
							GetUserNameFromId(GetOuterUserId(), false)),
					 errdetail("The call names no member, so that it must be the caller's."),
					 errhint("Name the member, or set pool.member.login.")));
		return pool_config_member(self);
	}
	/* whoever may not act for others learns nothing of their existence */
	if (self == 0 && !pool_caller_is_service())
		refuse_acting();
	member = pool_resolve_member(PG_GETARG_TEXT_PP(argno));
	if (member->id != self && !pool_caller_is_service())
		refuse_acting();
	return member;
}

/*
 * The actor argument: NULL is the caller's own member or, for a service,
 * nobody in particular.
 */
PoolActor
pool_resolve_actor(FunctionCallInfo fcinfo, int argno)
{
	PoolActor	actor = {0, 0};

	if (PG_ARGISNULL(argno) && pool_caller_member() == 0)
	{
		if (!pool_caller_is_service())
			refuse_acting();
		return actor;
	}
	actor.member_id = pool_resolve_self(fcinfo, argno)->id;
	actor.tenant_id = pool_config_member(actor.member_id)->tenant_id;
	return actor;
}

/*
 * The same for functions that administrators run too: there the right to
 * execute the function is right enough.
 */
PoolActor
pool_resolve_operator(FunctionCallInfo fcinfo, int argno)
{
	PoolActor	nobody = {0, 0};

	if (PG_ARGISNULL(argno) && pool_caller_member() == 0)
		return nobody;
	return pool_resolve_actor(fcinfo, argno);
}

bool
pool_actor_sees(const PoolActor *actor, int32 tenant_id)
{
	if (actor->tenant_id != 0)
		return actor->tenant_id == tenant_id;
	return pool_caller_sees_tenant(tenant_id);
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
	while (pool_id != 0 && depth++ < MAX_POOL_DEPTH)
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

Datum
pool_current_member_id(PG_FUNCTION_ARGS)
{
	int32		id;

	pool_config_refresh();
	id = pool_caller_member();
	if (id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(id);
}

/* SQL: act for this member until the transaction ends; NULL ends it */
Datum
pool_act_as(PG_FUNCTION_ARGS)
{
	Acting	   *before = acting;

	pool_config_refresh();
	if (PG_ARGISNULL(0))
	{
		set_acting(0);
		PG_RETURN_VOID();
	}
	PG_TRY();
	{
		int32		member_id;

		/* the name is looked up with the role's own eyes */
		acting = NULL;
		member_id = pool_resolve_member(PG_GETARG_TEXT_PP(0))->id;
		acting = before;
		set_acting(member_id);
	}
	PG_CATCH();
	{
		acting = before;
		PG_RE_THROW();
	}
	PG_END_TRY();
	PG_RETURN_VOID();
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
	PoolActor	actor;

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
	id = pool_config_tenant_by_name(DEFAULT_TENANT);
	if (id != 0)
		PG_RETURN_INT32(id);
	sql = pool_sql_begin();
	pool_sql_run("INSERT INTO pool.tenant (name) VALUES ('" DEFAULT_TENANT "')"
				 " ON CONFLICT (name) DO NOTHING", 0, NULL, NULL, NULL);
	pool_sql_end(sql);
	pool_config_refresh();
	PG_RETURN_INT32(pool_config_tenant_by_name(DEFAULT_TENANT));
}
