/*
 * intake.c
 *	  Leads enter one by one: enter; what is allowed, and who may.
 */
#include "compat.h"
#include "intake.h"

#include "batch.h"
#include "entry.h"
#include "errors.h"
#include "miscadmin.h"
#include "request.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(pool_enter);

/* ------------------------------------------------------------------------
 * Checking what is asked for
 * ------------------------------------------------------------------------ */

static void
check_text(Datum value, int limit, const char *name)
{
	if (value != 0)
		pool_check_length(DatumGetTextPP(value), limit, name);
}

static Datum
empty_object(void)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
}

void
pool_check_attributes(Datum attributes)
{
	Jsonb	   *json = DatumGetJsonbP(attributes);

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes must be a JSON object"),
				 errdetail("A JSON array, string, number, boolean or null was given."),
				 errhint("For example {\"industry\": \"SaaS\", \"staff\": 50}.")));
	if (VARSIZE(json) > POOL_MAX_ATTRIBUTES_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes are too long"),
				 errdetail("They have %d bytes, at most %d are allowed.",
						   (int) VARSIZE(json), POOL_MAX_ATTRIBUTES_LENGTH),
				 errhint("Keep documents elsewhere, and where they are here.")));
}

void
pool_check_priority(int32 priority)
{
	if (priority < 0 || priority > 100)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("priority %d is out of range", priority),
				 errdetail("Priorities go from 0 to 100."),
				 errhint("The highest are claimed first; 0 is the default.")));
}

void
pool_check_entry(PoolEntry *entry)
{
	if (entry->key == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"key\" must not be null"),
				 errdetail("Every lead of a tenant has a key of its own."),
				 errhint("The key is the application's own id of the customer.")));
	if (VARSIZE_ANY_EXHDR(DatumGetTextPP(entry->key)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"key\" must not be empty"),
				 errdetail("Every lead of a tenant has a key of its own."),
				 errhint("The key is the application's own id of the customer.")));
	if (strncmp(text_to_cstring(DatumGetTextPP(entry->key)), POOL_ERASED_KEY,
				strlen(POOL_ERASED_KEY)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("keys cannot begin with \"%s\"", POOL_ERASED_KEY),
				 errdetail("Leads whose personal data was erased have such keys."),
				 errhint("Choose keys that begin otherwise.")));
	check_text(entry->key, POOL_MAX_KEY_LENGTH, "key");
	check_text(entry->name, POOL_MAX_NAME_LENGTH, "name");
	check_text(entry->source, POOL_MAX_LABEL_LENGTH, "source");
	check_text(entry->grade, POOL_MAX_LABEL_LENGTH, "grade");
	if (entry->attributes == 0)
		entry->attributes = empty_object();
	pool_check_attributes(entry->attributes);
}

/*
 * Who may let leads into this pool: its members and managers, and services.
 * Naming an owner other than oneself takes a manager.
 */
void
pool_check_entry_right(const PoolActor *actor, const PoolConf *pool, int32 owner_id)
{
	if (actor->member_id == 0)
		return;
	if (actor->tenant_id != pool->tenant_id ||
		(pool_actor_role(actor, pool->id) < POOL_ROLE_MEMBER &&
		 !pool_actor_manages(actor, pool->id)))
		ereport(ERROR,
				(errcode(POOL_ERRCODE_NOT_MEMBER),
				 errmsg("member \"%s\" does not belong to pool \"%s\"",
						pool_config_member(actor->member_id)->key,
						pool->name),
				 errdetail("Entering leads needs a membership with role member or manager."),
				 errhint("INSERT INTO pool.membership, or let the pool be for everyone.")));
	if (owner_id != 0 && owner_id != actor->member_id)
		pool_require_manager(actor, pool->id);
}

/* The member named as owner, who must be of the pool's tenant. */
int32
pool_resolve_owner(const PoolConf *pool, text *name)
{
	const PoolMemberConf *member;
	char	   *key = text_to_cstring(name);

	/* an unqualified name means the pool's tenant here */
	if (strchr(key, '/') == NULL)
	{
		int32		id = pool_config_member_by_key(pool->tenant_id, key);

		if (id != 0)
			return id;
	}
	member = pool_resolve_member(name);
	if (member->tenant_id != pool->tenant_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool \"%s\" and member \"%s\" belong to different tenants",
						pool->name, member->key),
				 errdetail("Leads, members and pools of different tenants never meet."),
				 errhint("Name a member of the pool's tenant.")));
	return member->id;
}

PoolActor
pool_caller_as_actor(void)
{
	PoolActor	actor = {0, 0};

	actor.member_id = pool_caller_member();
	if (actor.member_id != 0)
		actor.tenant_id = pool_config_member(actor.member_id)->tenant_id;
	else if (!pool_caller_is_service())
		ereport(ERROR,
				(errcode(POOL_ERRCODE_NOT_PERMITTED),
				 errmsg("only members and services may enter leads"),
				 errdetail("Role \"%s\" is neither.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("Set pool.member.login, or use pool.grant_access(role, 'service').")));
	return actor;
}

/* ------------------------------------------------------------------------
 * enter
 * ------------------------------------------------------------------------ */

/* columns of enter() */
enum
{
	OUTCOME, LEAD_ID, MEMBER, STATUS, HOME_POOL, RULE, REASON
};

static void
emit_entry(PoolCall *call, const PoolEntry *entry)
{
	pool_put_text(call, OUTCOME, entry->outcome);
	if (entry->lead_id != 0)
		pool_put(call, LEAD_ID, Int64GetDatum(entry->lead_id));
	if (entry->member_id != 0)
		pool_put_text(call, MEMBER, pool_config_member(entry->member_id)->key);
	pool_put_text(call, STATUS, entry->status);
	pool_put_text(call, HOME_POOL, pool_config_pool(entry->home_pool_id)->name);
	pool_put_text(call, RULE, entry->rule);
	pool_put_text(call, REASON, entry->reason);
	pool_call_row(call);
}

/*
 * pool.enter(pool, key, name, source, grade, priority, attributes,
 *			  identities, owner, request_id)
 */
Datum
pool_enter(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "enter");
	PoolActor	actor = pool_caller_as_actor();
	const PoolConf *pool = pool_resolve_pool(pool_arg_text(call, 0, "pool"));
	PoolEntry	entry = {.tenant_id = pool->tenant_id,.pool_id = pool->id,
		.created_at = POOL_NO_TIME,.owned_at = POOL_NO_TIME,
	.last_follow_up_at = POOL_NO_TIME};
	int32		priority = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);

	entry.key = pool_arg_datum(call, 1);
	entry.name = pool_arg_datum(call, 2);
	entry.source = pool_arg_datum(call, 3);
	entry.grade = pool_arg_datum(call, 4);
	pool_check_priority(priority);
	entry.priority = priority;
	entry.attributes = pool_arg_datum(call, 6);
	pool_check_entry(&entry);
	if (!PG_ARGISNULL(7))
		entry.identities = pool_identities(PG_GETARG_JSONB_P(7),
										   pool->country);
	if (!PG_ARGISNULL(8))
		entry.owner_id = pool_resolve_owner(pool, PG_GETARG_TEXT_PP(8));
	pool_check_entry_right(&actor, pool, entry.owner_id);
	if (pool_request_replay(call, 9, pool->tenant_id))
		return pool_call_end(call);
	pool_entry_run(call->work, call->snapshot, &entry, 1, actor.member_id);
	emit_entry(call, &entry);
	return pool_call_end(call);
}
