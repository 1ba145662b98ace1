/*
 * resolve.c
 *	  Whom and what an argument names.
 *
 * Names are looked up in the tenant of the caller's member, or in the one they
 * name; what the caller may not see does not exist.
 */
#include "compat.h"
#include "resolve.h"

#include "errors.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_act_as);

#define SHOWN_NAME_LENGTH 64	/* bytes */

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
		tenant_id = pool_config_tenant_by_name(POOL_DEFAULT_TENANT);
	}
	if (tenant_id != 0 && !pool_caller_sees_tenant(tenant_id))
		return 0;
	return tenant_id;
}

/* Names are cut in messages: a name of any length may have been given. */
static char *
shown(const char *name)
{
	return pool_cut(name, SHOWN_NAME_LENGTH);
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
	return POOL_DEFAULT_TENANT;
}

/*
 * The tenant argument: NULL is the caller's, or the default one where he has
 * none.  0 if there is no such tenant, or the caller must not know of it.
 */
int32
pool_resolve_tenant(FunctionCallInfo fcinfo, int argno)
{
	int32		member_id = pool_caller_member();
	int32		tenant_id;

	if (PG_ARGISNULL(argno) && member_id != 0)
		return pool_config_member(member_id)->tenant_id;
	tenant_id = pool_config_tenant_by_name(PG_ARGISNULL(argno) ? POOL_DEFAULT_TENANT :
										   text_to_cstring(PG_GETARG_TEXT_PP(argno)));
	if (tenant_id != 0 && !pool_caller_sees_tenant(tenant_id))
		return 0;
	return tenant_id;
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
					 errhint("Name the member, set pool.member.login or, as a service, call pool.act_as() in this transaction.")));
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

/* The member of this name, as seen by the caller himself. */
static int32
resolve_unacting(text *name)
{
	PoolActing *before = pool_acting_suspend();
	volatile int32 member_id = 0;

	PG_TRY();
	{
		member_id = pool_resolve_member(name)->id;
	}
	PG_FINALLY();
	{
		pool_acting_restore(before);
	}
	PG_END_TRY();
	return member_id;
}

/* SQL: act for this member until the transaction ends; NULL ends it */
Datum
pool_act_as(PG_FUNCTION_ARGS)
{
	int32		member_id = 0;

	pool_config_refresh();
	if (!PG_ARGISNULL(0))
		member_id = resolve_unacting(PG_GETARG_TEXT_PP(0));
	pool_acting_set(member_id);
	PG_RETURN_VOID();
}
