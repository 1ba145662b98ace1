/*
 * edit.c
 *	  What a lead is called and carries changes: edit.
 */
#include "batch.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "due.h"
#include "errors.h"
#include "group.h"
#include "identity.h"
#include "intake.h"
#include "priority.h"
#include "request.h"
#include "sql.h"
#include "trigger.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_edit);

typedef struct Edit
{
	Datum		name;			/* 0 = unchanged, as the two next */
	Datum		grade;
	Datum		attributes;
	int32		priority;		/* -1 = unchanged */
	Jsonb	   *identities;
	List	   *cleared;		/* kinds of which the lead is to have none */
} Edit;

static void
read_edit(PoolCall *call, Edit *e)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	e->name = pool_arg_short(call, 1, POOL_MAX_NAME_LENGTH, "name");
	e->grade = pool_arg_short(call, 2, POOL_MAX_LABEL_LENGTH, "grade");
	e->priority = PG_ARGISNULL(3) ? -1 : PG_GETARG_INT32(3);
	e->attributes = pool_arg_datum(call, 4);
	e->identities = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);
	if (!PG_ARGISNULL(3))
		pool_check_priority(e->priority);
	if (e->attributes != 0)
		pool_check_attributes(e->attributes);
}

static uint64
run_identity(const char *command, const PoolLead *lead,
			 const PoolIdentity *identity)
{
	Oid			types[5] = {INT4OID, TEXTOID, TEXTOID, INT8OID, TEXTOID};
	Datum		values[5] = {Int32GetDatum(lead->tenant_id),
		CStringGetTextDatum(identity->kind),
		CStringGetTextDatum(identity->value),
		Int64GetDatum(lead->id),
	CStringGetTextDatum(pool_group_scope(lead->pool_id))};

	return pool_sql_run(command, 5, types, values, NULL);
}

/* where its customer is one: as when it entered, wherever it has been moved */
#define SCOPE \
	"coalesce((SELECT min(scope) FROM pool.identity WHERE lead_id = $4)," \
	" (SELECT g.scope FROM pool.identity_group g JOIN pool.lead_state s" \
	" ON s.group_id = g.id WHERE s.id = $4), $5)"

#define OF_IDENTITY \
	" WHERE tenant_id = $1 AND scope = " SCOPE " AND kind = $2 AND value = $3"
#define OF_LEAD " AND lead_id = $4"

/* a lead of the same customer may have it */
#define OF_GROUP \
	" AND (lead_id = $4 OR EXISTS (SELECT FROM pool.lead_state a" \
	" JOIN pool.lead_state b ON b.group_id = a.group_id" \
	" WHERE a.id = lead_id AND b.id = $4))"

static void
drop_identities(const PoolLead *lead, List *identities)
{
	ListCell   *lc;
	PoolSql		sql = pool_sql_begin();

	foreach(lc, identities)
		run_identity("DELETE FROM pool.identity" OF_IDENTITY OF_LEAD,
					 lead, lfirst(lc));
	pool_sql_end(sql);
}

/* Whether the lead was given an identity that nobody had. */
static bool
add_identity(const PoolLead *lead, const PoolIdentity *identity)
{
	return run_identity("INSERT INTO pool.identity"
						" (tenant_id, scope, kind, value, lead_id)"
						" VALUES ($1, " SCOPE ", $2, $3, $4)"
						" ON CONFLICT (tenant_id, scope, kind, value)"
						" DO NOTHING", lead, identity) > 0;
}

/*
 * Gives the lead these identities, in the common order.  If another lead has
 * one of them, returns false and leaves things as they were; else *added are
 * those it did not have, in the caller's memory, which outlives the statements.
 */
static bool
add_identities(const PoolLead *lead, List *identities, List **added)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		conflict = false;
	ListCell   *lc;
	PoolSql		sql = pool_sql_begin();

	list_sort(identities, pool_compare_identities);
	foreach(lc, identities)
	{
		if (add_identity(lead, lfirst(lc)))
		{
			MemoryContext statements = MemoryContextSwitchTo(caller);

			*added = lappend(*added, lfirst(lc));
			MemoryContextSwitchTo(statements);
		}
		else if (run_identity("SELECT FROM pool.identity" OF_IDENTITY OF_GROUP,
							  lead, lfirst(lc)) == 0)
		{
			if (run_identity("SELECT FROM pool.identity" OF_IDENTITY,
							 lead, lfirst(lc)) == 0)
				pool_trigger_report_missing(pool_table_oid(POOL_IDENTITY));
			conflict = true;
			break;
		}
	}
	pool_sql_end(sql);
	if (conflict)
		drop_identities(lead, *added);
	return !conflict;
}

/*
 * Takes all identities of these kinds from the locked lead; whether it had one.
 * Others who ask for one of them wait for us; from here on we wait for nobody.
 */
static bool
clear_identities(const PoolLead *lead, List *kinds)
{
	bool		any = false;
	ListCell   *lc;
	PoolSql		sql;

	if (kinds == NIL)
		return false;
	sql = pool_sql_begin();
	foreach(lc, kinds)
	{
		PoolIdentity all = {lfirst(lc), ""};

		any |= run_identity("DELETE FROM pool.identity"
							" WHERE tenant_id = $1 AND kind = $2" OF_LEAD,
							lead, &all) > 0;
	}
	pool_sql_end(sql);
	return any;
}

/* The old attributes with the new ones on top; a JSON null removes a key. */
static Datum
merge_attributes(Datum old, Datum changes)
{
	Datum		merged = DirectFunctionCall2(jsonb_concat, old, changes);
	JsonbIterator *it = JsonbIteratorInit(&DatumGetJsonbP(changes)->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	Datum		key = (Datum) 0;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = PointerGetDatum(cstring_to_text_with_len(value.val.string.val,
														   value.val.string.len));
		else if (token == WJB_VALUE && value.type == jbvNull)
			merged = DirectFunctionCall2(jsonb_delete, merged, key);
	}
	pool_check_attributes(merged);
	return merged;
}

static void
add_name(JsonbParseState **state, const char *name)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, name);
	value.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_ELEM, &value);
}

/* What changed, by name; values are personal and stay out of the log. */
static Jsonb *
describe(const Edit *e)
{
	JsonbParseState *state = NULL;
	PoolDetail	detail;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (e->name != 0)
		add_name(&state, "name");
	if (e->grade != 0)
		add_name(&state, "grade");
	if (e->priority >= 0)
		add_name(&state, "priority");
	if (e->attributes != 0)
		add_name(&state, "attributes");
	if (e->identities != NULL)
		add_name(&state, "identities");
	pool_detail_begin(&detail);
	pool_detail_json(&detail, "changed",
					 JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY,
													  NULL)));
	return pool_detail_end(&detail);
}

static bool
same_text(Datum a, Datum b)
{
	return a != 0 && b != 0 &&
		DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, a, b));
}

/* Forgets what the lead has already; attributes become the merged ones. */
static void
keep_changes(Edit *e, const PoolLead *lead, const PoolData *data)
{
	if (same_text(e->name, data->name))
		e->name = 0;
	if (same_text(e->grade, data->grade))
		e->grade = 0;
	if (e->priority == lead->priority || pool_scores(lead->pool_id))
		e->priority = -1;
	if (e->attributes == 0)
		return;
	e->attributes = merge_attributes(data->attributes, e->attributes);
	if (compareJsonbContainers(&DatumGetJsonbP(e->attributes)->root,
							   &DatumGetJsonbP(data->attributes)->root) == 0)
		e->attributes = 0;
}

/* Where rules say how much a lead is worth, they say it anew. */
static void
score(Edit *e, const PoolLead *lead, const PoolData *data)
{
	int16		priority;

	if (!pool_scores(lead->pool_id) || pool_lead_is_closed(lead))
		return;
	priority = pool_score(lead, data, pool_now());
	e->priority = priority == lead->priority ? -1 : priority;
}

/*
 * False if there is nothing to edit any more: the lead was erased.  What
 * changes nothing leaves no event.
 */
static bool
apply_edit(PoolCall *call, PoolLead *lead, Edit *e, int32 actor_id)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolTable  *table = pool_work_table(call->work, POOL_LEAD_DATA);
	PoolEvent	event = {.kind = "edited",.actor_id = actor_id};
	PoolData	data;

	if (!pool_data_lock(table, lead->id, pool_snapshot(), &data))
		elog(ERROR, "lead " INT64_FORMAT " has no data", lead->id);
	if (data.erased_at != POOL_NO_TIME)
		return false;
	keep_changes(e, lead, &data);
	if (e->name != 0)
		data.name = e->name;
	if (e->grade != 0)
		data.grade = e->grade;
	if (e->attributes != 0)
		data.attributes = e->attributes;
	if (e->name != 0 || e->grade != 0 || e->attributes != 0)
		pool_data_update(table, &data);
	pool_lead_reload(leads, lead);
	score(e, lead, &data);
	if (e->name == 0 && e->grade == 0 && e->attributes == 0 &&
		e->priority < 0 && e->identities == NULL)
		return true;
	if (e->priority >= 0)
		pool_lead_rank(leads, lead, e->priority);
	else if (pool_lead_is_open(lead) &&
			 pool_config_pool(lead->pool_id)->conditional)
		pool_lead_retime(leads, lead);	/* a condition may have come true */
	event.at = pool_lead_time(lead, pool_now());
	event.member_id = lead->owner_id;
	event.detail = describe(e);
	pool_event_append(call->work, &event, lead, &data);
	return true;
}

/*
 * Who may change this lead: its owner, managers of its pool, services; while
 * it is in the pool, every member of the pool.
 */
static bool
may_edit(const PoolActor *actor, const PoolLead *lead)
{
	if (actor->member_id == 0 || lead->owner_id == actor->member_id ||
		pool_actor_manages(actor, lead->pool_id))
		return true;
	return lead->status == POOL_AVAILABLE &&
		pool_actor_role(actor, lead->pool_id) >= POOL_ROLE_MEMBER;
}

/*
 * Whether the edit touches what the member cannot see.  It must not: a value
 * guessed right would leave no event, and so be given away.
 */
static bool
touches_masked(const Edit *e, List *masked)
{
	ListCell   *lc;

	if ((e->name != 0 && pool_is_masked(masked, "name")) ||
		(e->grade != 0 && pool_is_masked(masked, "grade")))
		return true;
	foreach(lc, masked)
	{
		if (e->attributes != 0 &&
			DatumGetBool(DirectFunctionCall2(jsonb_exists, e->attributes,
											 CStringGetTextDatum(lfirst(lc)))))
			return true;
	}
	foreach(lc, e->cleared)
	{
		if (pool_is_masked(masked, lfirst(lc)))
			return true;
	}
	return false;
}

static const char *
edit_lead(PoolCall *call, int64 id, Edit *e, const PoolActor *actor)
{
	PoolTable  *leads = pool_work_table(call->work, POOL_LEAD_STATE);
	PoolLead	lead;
	List	   *identities;
	List	   *added = NIL;

	if (!pool_lead_peek(leads, id, pool_snapshot(), &lead) ||
		!pool_actor_sees(actor, lead.tenant_id))
		return "not_found";
	if (!may_edit(actor, &lead))
		pool_require_manager(actor, lead.pool_id);
	e->cleared = pool_identities_cleared(e->identities);
	if (touches_masked(e, pool_lead_masked(call->work, &lead,
										   actor->member_id)))
		return "masked";
	/* identities come before leads in the order of locks */
	identities = pool_identities(e->identities,
								 pool_config_pool(lead.pool_id)->country);
	if (!add_identities(&lead, identities, &added))
		return "duplicate";
	if (pool_lead_lock(leads, id, call->snapshot, !pool_quota_any_held(),
					   &lead) != POOL_LEAD_LOCKED)
	{
		drop_identities(&lead, added);
		return "contended";
	}
	/* it may have changed hands, or pools, just now */
	if (!may_edit(actor, &lead))
		pool_require_manager(actor, lead.pool_id);
	if (touches_masked(e, pool_lead_masked(call->work, &lead,
										   actor->member_id)))
	{
		drop_identities(&lead, added);
		return "masked";
	}
	if (!clear_identities(&lead, e->cleared) && added == NIL)
		e->identities = NULL;
	if (apply_edit(call, &lead, e, actor->member_id))
		return "ok";
	drop_identities(&lead, added);
	return "not_found";
}

/*
 * pool.edit(lead, name, grade, priority, attributes, identities, request_id)
 */
Datum
pool_edit(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "edit");
	PoolActor	actor = pool_caller_as_actor();
	int64		id = pool_arg_id(call, 0);
	const char *outcome;
	Edit		e;

	read_edit(call, &e);
	if (pool_request_replay(call, 6, actor.tenant_id))
		return pool_call_end(call);
	outcome = edit_lead(call, id, &e, &actor);
	pool_put_text(call, 0, outcome);
	pool_call_row(call);
	return pool_call_end(call);
}
