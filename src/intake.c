/*
 * intake.c
 *	  Leads enter and are edited: enter, edit, the view intake.
 */
#include "compat.h"
#include "intake.h"

#include "batch.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "entry.h"
#include "errors.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "request.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_enter);
PG_FUNCTION_INFO_V1(pool_intake_row);
PG_FUNCTION_INFO_V1(pool_intake_statement);

/* bytes of a key that are shown in messages */
#define SHOWN_KEY_LENGTH 100

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

static void
check_entry(PoolEntry *entry)
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
static void
check_right(const PoolActor *actor, const PoolConf *pool, int32 owner_id)
{
	if (actor->member_id == 0)
		return;
	if (actor->tenant_id != pool->tenant_id ||
		(pool_config_membership(pool->id, actor->member_id)->role <
		 POOL_ROLE_MEMBER && !pool_actor_manages(actor, pool->id)))
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
static int32
resolve_owner(const PoolConf *pool, text *name)
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
	.created_at = POOL_NO_TIME};
	int32		priority = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);

	entry.key = pool_arg_datum(call, 1);
	entry.name = pool_arg_datum(call, 2);
	entry.source = pool_arg_datum(call, 3);
	entry.grade = pool_arg_datum(call, 4);
	pool_check_priority(priority);
	entry.priority = priority;
	entry.attributes = pool_arg_datum(call, 6);
	check_entry(&entry);
	if (!PG_ARGISNULL(7))
		entry.identities = pool_identities(PG_GETARG_JSONB_P(7),
										   pool_config_tenant(pool->tenant_id)->country);
	if (!PG_ARGISNULL(8))
		entry.owner_id = resolve_owner(pool, PG_GETARG_TEXT_PP(8));
	check_right(&actor, pool, entry.owner_id);
	if (pool_request_replay(call, 9, pool->tenant_id))
		return pool_call_end(call);
	pool_entry_run(call->work, call->snapshot, &entry, 1, actor.member_id);
	emit_entry(call, &entry);
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * The view intake: a row trigger collects, a statement trigger enters
 * ------------------------------------------------------------------------ */

/* columns of the view */
enum
{
	INTAKE_POOL = 1, INTAKE_KEY, INTAKE_NAME, INTAKE_SOURCE, INTAKE_GRADE,
	INTAKE_PRIORITY, INTAKE_ATTRIBUTES, INTAKE_IDENTITIES, INTAKE_OWNER,
	INTAKE_CREATED_AT, INTAKE_OWNED_AT, INTAKE_LAST_FOLLOW_UP_AT,
	INTAKE_STATUS
};

/* Rows collected by the statement under way at one query level. */
typedef struct Intake
{
	SubTransactionId subid;
	MemoryContext context;
	PoolActor	actor;
	PoolEntry  *entries;
	int			n;
	int			size;
	struct Intake *outer;
} Intake;

static Intake *intake = NULL;

static void
drop_intake(void)
{
	Intake	   *gone = intake;

	intake = gone->outer;
	MemoryContextDelete(gone->context);
}

static void
intake_end_of_xact(XactEvent event, void *arg)
{
	/* their memory goes with the transaction */
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT ||
		event == XACT_EVENT_PREPARE)
		intake = NULL;
}

static void
intake_end_of_subxact(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (intake != NULL && intake->subid == subid)
			drop_intake();
}

void
pool_intake_init(void)
{
	RegisterXactCallback(intake_end_of_xact, NULL);
	RegisterSubXactCallback(intake_end_of_subxact, NULL);
}

static void
begin_intake(void)
{
	MemoryContext context;
	Intake	   *level;

	PreventCommandIfReadOnly("INSERT INTO pool.intake");
	PreventCommandDuringRecovery("INSERT INTO pool.intake");
	pool_config_refresh();
	context = AllocSetContextCreate(TopTransactionContext, "pool_ext intake",
									ALLOCSET_DEFAULT_SIZES);
	level = MemoryContextAllocZero(context, sizeof(Intake));
	level->subid = GetCurrentSubTransactionId();
	level->context = context;
	level->actor = pool_caller_as_actor();
	level->size = 64;
	level->entries = MemoryContextAllocHuge(context,
											level->size * sizeof(PoolEntry));
	level->outer = intake;
	intake = level;
}

static void
end_intake(void)
{
	PoolWork   *work = pool_work_begin();
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	MemoryContext old = MemoryContextSwitchTo(intake->context);

	pool_entry_run(work, snapshot, intake->entries, intake->n,
				   intake->actor.member_id);
	MemoryContextSwitchTo(old);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
	drop_intake();
}

/* Statement trigger, before and after INSERT */
Datum
pool_intake_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.intake_statement() is a trigger function")));
	if (TRIGGER_FIRED_BEFORE(trigger->tg_event))
		begin_intake();
	else
		end_intake();
	return PointerGetDatum(NULL);
}

/* A column of the row, copied; 0 for NULL. */
static Datum
row_datum(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? (Datum) 0 :
		PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

static int32
row_priority(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(row, INTAKE_PRIORITY, desc, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static TimestampTz
row_time(HeapTuple row, TupleDesc desc, int column, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	if (isnull)
		return POOL_NO_TIME;
	pool_check_time(DatumGetTimestampTz(value), name);
	return DatumGetTimestampTz(value);
}

static void
refuse_taken_over(HeapTuple row, TupleDesc desc)
{
	for (int column = INTAKE_OWNED_AT; column <= INTAKE_STATUS; column++)
		if (!heap_attisnull(row, column, desc))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" of pool.intake is not supported yet",
							NameStr(TupleDescAttr(desc, column - 1)->attname)),
					 errdetail("It is for leads that come with a history, which this version cannot take in."),
					 errhint("Leave it NULL.")));
}

static void
read_row(HeapTuple row, TupleDesc desc, PoolEntry *entry)
{
	Datum		pool_name = row_datum(row, desc, INTAKE_POOL);
	Datum		identities = row_datum(row, desc, INTAKE_IDENTITIES);
	Datum		owner = row_datum(row, desc, INTAKE_OWNER);
	int32		priority = row_priority(row, desc);
	const PoolConf *pool;

	if (pool_name == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"pool\" must not be null"),
				 errdetail("Every lead has one home pool."),
				 errhint("It names the pool the lead enters.")));
	pool = pool_resolve_pool(DatumGetTextPP(pool_name));
	memset(entry, 0, sizeof(PoolEntry));
	entry->tenant_id = pool->tenant_id;
	entry->pool_id = pool->id;
	entry->key = row_datum(row, desc, INTAKE_KEY);
	entry->name = row_datum(row, desc, INTAKE_NAME);
	entry->source = row_datum(row, desc, INTAKE_SOURCE);
	entry->grade = row_datum(row, desc, INTAKE_GRADE);
	pool_check_priority(priority);
	entry->priority = priority;
	entry->attributes = row_datum(row, desc, INTAKE_ATTRIBUTES);
	entry->created_at = row_time(row, desc, INTAKE_CREATED_AT, "created_at");
	refuse_taken_over(row, desc);
	check_entry(entry);
	if (identities != 0)
		entry->identities = pool_identities(DatumGetJsonbP(identities),
											pool_config_tenant(pool->tenant_id)->country);
	if (owner != 0)
		entry->owner_id = resolve_owner(pool, DatumGetTextPP(owner));
	check_right(&intake->actor, pool, entry->owner_id);
}

/* Adds the row's number and key to any error about it. */
static void
name_row(void *arg)
{
	TriggerData *trigger = arg;
	bool		isnull;
	Datum		value = heap_getattr(trigger->tg_trigtuple, INTAKE_KEY,
									 RelationGetDescr(trigger->tg_relation),
									 &isnull);
	char	   *key = isnull ? pstrdup("") : TextDatumGetCString(value);

	key[pg_mbcliplen(key, strlen(key), SHOWN_KEY_LENGTH)] = '\0';
	errcontext("row %d of the intake, key \"%s\"", intake->n + 1, key);
}

/* Row trigger, instead of INSERT */
Datum
pool_intake_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	ErrorContextCallback context;
	MemoryContext old;

	if (!CALLED_AS_TRIGGER(fcinfo) || intake == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.intake_row() is a trigger function of pool.intake")));
	context.callback = name_row;
	context.arg = trigger;
	context.previous = error_context_stack;
	error_context_stack = &context;
	old = MemoryContextSwitchTo(intake->context);
	if (intake->n == intake->size)
	{
		intake->size *= 2;
		intake->entries = repalloc_huge(intake->entries,
										intake->size * sizeof(PoolEntry));
	}
	read_row(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation),
			 &intake->entries[intake->n]);
	intake->n++;
	MemoryContextSwitchTo(old);
	error_context_stack = context.previous;
	return PointerGetDatum(trigger->tg_trigtuple);
}
