/*
 * attach.c
 *	  Tables of the application are put under management: attach, detach.
 *
 * attach() locks the table, then all writing to leads: when it has committed,
 * every call that writes leads knows of it, and every row that was written
 * before is a lead.
 */
#include "compat.h"
#include "attach.h"

#include "access.h"
#include "attempt.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(pool_attach);
PG_FUNCTION_INFO_V1(pool_detach);

/* arguments of attach() */
enum
{
	RELATION, POOL, KEY, OWNER, COLUMNS, IDENTITIES, CONDITION, ON_BYPASS,
	DRY_RUN, SHARED, NOBODY, MEMBER_FIELD, KEY_PREFIX
};

static const char *const triggers[] = {
	"AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows",
	"AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
	"AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows",
	"BEFORE TRUNCATE ON %s"
};
static const char *const trigger_names[] = {
	"pool_ext_inserted", "pool_ext_updated", "pool_ext_deleted",
	"pool_ext_truncated"
};

/* A call of attach(). */
typedef struct Attaching
{
	PoolCall   *call;
	PoolAttachment a;
	const PoolConf *pool;
	List	   *counts;
} Attaching;

/* ------------------------------------------------------------------------
 * What is asked for
 * ------------------------------------------------------------------------ */

static NameData
name_arg(PoolCall *call, int argno, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		pool_report_null(name);
	return *PG_GETARG_NAME(argno);
}

static void
read_arguments(Attaching *at)
{
	PoolCall   *call = at->call;
	FunctionCallInfo fcinfo = call->fcinfo;
	PoolAttachment *a = &at->a;

	if (PG_ARGISNULL(RELATION))
		pool_report_null("relation");
	a->relid = PG_GETARG_OID(RELATION);
	at->pool = pool_resolve_pool(pool_arg_text(call, POOL, "pool"));
	a->key = name_arg(call, KEY, "key");
	a->owner = name_arg(call, OWNER, "owner");
	if (!PG_ARGISNULL(SHARED))
		a->shared = *PG_GETARG_NAME(SHARED);
	if (!PG_ARGISNULL(NOBODY))
		a->nobody = text_to_cstring(PG_GETARG_TEXT_PP(NOBODY));
	pool_attach_check_relation(a->relid);
	/* before anything is read of it: it must stay as it is */
	if (PG_ARGISNULL(DRY_RUN) || !PG_GETARG_BOOL(DRY_RUN))
		LockRelationOid(a->relid, ShareRowExclusiveLock);
	else
		LockRelationOid(a->relid, RowExclusiveLock);
	pool_attach_check_relation(a->relid);
	pool_attach_check_fit(a, PG_ARGISNULL(CONDITION) ? NULL :
						  DatumGetJsonPathP(PG_GETARG_DATUM(CONDITION)));
	if (PG_ARGISNULL(COLUMNS) || PG_ARGISNULL(IDENTITIES))
		pool_report_null(PG_ARGISNULL(COLUMNS) ? "columns" : "identities");
	pool_attach_check_mapping(a->relid, PG_GETARG_DATUM(COLUMNS),
							  PG_GETARG_DATUM(IDENTITIES));
}

static void
report_attached(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is attached already, or its key_prefix is taken",
					get_rel_name(relid)),
			 errdetail("A table has one attachment, and the attachments of a "
					   "tenant have different prefixes."),
			 errhint("Call pool.detach() first, or give another key_prefix.")));
}

/* ------------------------------------------------------------------------
 * attach
 * ------------------------------------------------------------------------ */

static void
insert_attachment(Attaching *at)
{
	FunctionCallInfo fcinfo = at->call->fcinfo;
	static const int args[] = {
		SHARED, NOBODY, MEMBER_FIELD, KEY_PREFIX, COLUMNS, IDENTITIES,
		CONDITION, ON_BYPASS
	};
	Oid			types[13] = {
		INT4OID, INT4OID, OIDOID, NAMEOID, NAMEOID, NAMEOID, TEXTOID, TEXTOID,
		TEXTOID, JSONBOID, JSONBOID, JSONPATHOID, TEXTOID
	};
	Datum		values[13] = {
		Int32GetDatum(at->pool->tenant_id), Int32GetDatum(at->pool->id),
		ObjectIdGetDatum(at->a.relid), NameGetDatum(&at->a.key),
		NameGetDatum(&at->a.owner)
	};
	char		nulls[13];
	PoolSql		sql;

	memset(nulls, ' ', sizeof(nulls));
	for (int i = 0; i < (int) lengthof(args); i++)
	{
		values[5 + i] = PG_GETARG_DATUM(args[i]);
		if (PG_ARGISNULL(args[i]))
			nulls[5 + i] = 'n';
	}
	sql = pool_sql_begin();
	if (pool_sql_run("INSERT INTO pool.attachment (tenant_id, pool_id, relation,"
					 "  key_column, owner_column, shared_column, nobody,"
					 "  member_field, key_prefix, columns, identities,"
					 "  condition, on_bypass)"
					 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
					 "  coalesce($9, ''), $10, $11, $12,"
					 "  coalesce($13, 'translate'))"
					 " ON CONFLICT DO NOTHING RETURNING id",
					 13, types, values, nulls) == 0)
		report_attached(at->a.relid);
	at->a.id = pool_sql_int4(0, 1);
	pool_sql_end(sql);
	CommandCounterIncrement();
}

/* As the extension's owner: nobody else may have triggers of its functions. */
static void
create_triggers(const PoolAttachment *a)
{
	PoolSql		sql = pool_sql_begin();

	for (int i = 0; i < (int) lengthof(triggers); i++)
		pool_sql_run(psprintf("CREATE TRIGGER %s %s FOR EACH STATEMENT"
							  " EXECUTE FUNCTION pool.attached_written()",
							  trigger_names[i],
							  psprintf(triggers[i],
									   pool_attach_table_name(a))),
					 0, NULL, NULL, NULL);
	pool_sql_end(sql);
}

static void
adopt(void *arg)
{
	Attaching  *at = arg;

	insert_attachment(at);
	at->counts = NIL;
	/* with what its condition and columns name */
	pool_attach_enter_all(pool_attachment_of(at->a.relid), &at->counts);
}

static int
compare_counts(const ListCell *a, const ListCell *b)
{
	const PoolAttachCount *x = lfirst(a);
	const PoolAttachCount *y = lfirst(b);
	int			order = strcmp(x->outcome, y->outcome);

	if (order == 0)
		order = strcmp(x->owner != NULL ? x->owner : "",
					   y->owner != NULL ? y->owner : "");
	if (order == 0)
		order = strcmp(x->reason != NULL ? x->reason : "",
					   y->reason != NULL ? y->reason : "");
	return order;
}

static void
emit_counts(Attaching *at)
{
	ListCell   *lc;

	list_sort(at->counts, compare_counts);
	foreach(lc, at->counts)
	{
		const PoolAttachCount *count = lfirst(lc);

		pool_put_text(at->call, 0, count->outcome);
		pool_put_text(at->call, 1, count->owner);
		pool_put_text(at->call, 2, count->reason);
		pool_put(at->call, 3, Int64GetDatum(count->n));
		pool_call_row(at->call);
	}
}

static void
check_on_bypass(PoolCall *call)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	char	   *given;

	if (PG_ARGISNULL(ON_BYPASS))
		return;
	given = text_to_cstring(PG_GETARG_TEXT_PP(ON_BYPASS));
	if (strcmp(given, "translate") != 0 && strcmp(given, "refuse") != 0 &&
		strcmp(given, "log") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_bypass cannot be \"%.64s\"",
						pool_cut(given, 64)),
				 errdetail("It is translate, refuse or log."),
				 errhint("See pool.attach().")));
}

/*
 * pool.attach(relation, pool, key, owner, columns, identities, condition,
 *			   on_bypass, dry_run, shared, nobody, member_field, key_prefix)
 */
Datum
pool_attach(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "attach");
	Attaching	at = {.call = call};

	check_on_bypass(call);
	read_arguments(&at);
	at.a.tenant_id = at.pool->tenant_id;
	at.a.pool_id = at.pool->id;
	if (!PG_ARGISNULL(DRY_RUN) && PG_GETARG_BOOL(DRY_RUN))
		pool_rehearse(adopt, &at);
	else
	{
		LockRelationOid(pool_table_oid(POOL_LEAD_STATE),
						ShareRowExclusiveLock);
		/* before rows are read, which no trigger must hide from them */
		adopt(&at);
		create_triggers(&at.a);
	}
	emit_counts(&at);
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * detach
 * ------------------------------------------------------------------------ */

static void
drop_triggers(const PoolAttachment *a)
{
	Oid			user;
	int			context;
	PoolSql		sql;

	GetUserIdAndSecContext(&user, &context);
	sql = pool_sql_begin_as(user, 0);
	for (int i = 0; i < (int) lengthof(trigger_names); i++)
		pool_sql_run(psprintf("DROP TRIGGER IF EXISTS %s ON %s",
							  trigger_names[i], pool_attach_table_name(a)),
					 0, NULL, NULL, NULL);
	pool_sql_end(sql);
}

/*
 * pool.detach(relation)
 */
Datum
pool_detach(PG_FUNCTION_ARGS)
{
	const PoolAttachment *a;
	PoolAttachment copy;
	const char *name;
	Oid			type = INT4OID;
	Datum		id;
	PoolSql		sql;

	PreventCommandIfReadOnly("pool.detach()");
	PreventCommandDuringRecovery("pool.detach()");
	PreventCommandIfParallelMode("pool.detach()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"relation\" must not be null"),
				 errdetail("It has no default."),
				 errhint("Name the table.")));
	pool_config_refresh();
	a = pool_attachment_of(PG_GETARG_OID(0));
	name = get_rel_name(PG_GETARG_OID(0));
	if (a == NULL || !pool_caller_sees_tenant(a->tenant_id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not attached",
						name != NULL ? name : "(dropped)"),
				 errdetail("No row of pool.attachment is about it."),
				 errhint("See pool.attach().")));
	copy = *a;
	if (get_rel_name(copy.relid) != NULL)
	{
		pool_attach_check_owner(copy.relid);
		drop_triggers(&copy);
	}
	id = Int32GetDatum(copy.id);
	sql = pool_sql_begin();
	pool_sql_run("DELETE FROM pool.attachment WHERE id = $1", 1, &type, &id,
				 NULL);
	pool_sql_end(sql);
	PG_RETURN_VOID();
}
