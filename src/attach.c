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
PG_FUNCTION_INFO_V1(pool_guard_attachment);

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

static void
check_relation(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %u does not exist", relid),
				 errdetail("The argument \"relation\" is an oid without a "
						   "table."),
				 errhint("Name a table.")));
	if (!pool_owns_relation(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(relid)), name);
	if (get_rel_relkind(relid) != RELKIND_RELATION ||
		get_rel_relispartition(relid) || IsCatalogRelationOid(relid) ||
		get_rel_namespace(relid) == get_rel_namespace(pool_table_oid(POOL_LEAD_STATE)) ||
		get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be attached", name),
				 errdetail("Only ordinary tables can, that are neither "
						   "partitioned nor temporary nor pool_ext's own."),
				 errhint("Let the application call pool.enter().")));
}

static Oid
column_type(Oid relid, const char *name)
{
	AttrNumber	attnum = get_attnum(relid, name);

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, get_rel_name(relid)),
				 errdetail("Names are as they are stored, without quotes."),
				 errhint("See \\d, and pool.attach().")));
	return getBaseType(get_atttype(relid, attnum));
}

static void
refuse_column(const char *name, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" does not fit", name),
			 errdetail_internal("%s", pool_text(detail)),
			 errhint("See pool.attach().")));
}

static void
check_type(Oid relid, const char *name)
{
	switch (column_type(relid, name))
	{
		case TEXTOID:
		case VARCHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
			return;
		default:
			refuse_column(name,
						  gettext_noop("Its type is none of text, varchar, "
									   "smallint, integer, bigint and uuid."));
	}
}

/* A row is found by its key, and there is but one. */
static void
check_key(Oid relid, const char *name)
{
	Oid			types[2] = {OIDOID, NAMEOID};
	Datum		values[2] = {ObjectIdGetDatum(relid), CStringGetDatum(name)};
	PoolSql		sql;
	NameData	key;

	namestrcpy(&key, name);
	values[1] = NameGetDatum(&key);
	check_type(relid, name);
	sql = pool_sql_begin();
	if (pool_sql_run("SELECT FROM pg_index i JOIN pg_attribute a"
					 " ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
					 " WHERE i.indrelid = $1 AND a.attname = $2"
					 " AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1"
					 " AND i.indpred IS NULL", 2, types, values, NULL) == 0)
		refuse_column(name, gettext_noop("No unique index is on it alone."));
	pool_sql_end(sql);
}

static NameData
name_arg(PoolCall *call, int argno, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (PG_ARGISNULL(argno))
		pool_report_null(name);
	return *PG_GETARG_NAME(argno);
}

/* What the arrays and objects name must be columns. */
static void
check_mapping(Oid relid, Datum columns, Datum identities)
{
	Oid			types[3] = {OIDOID, JSONBOID, JSONBOID};
	Datum		values[3] = {ObjectIdGetDatum(relid), columns, identities};
	PoolSql		sql = pool_sql_begin();

	if (pool_sql_run("SELECT FROM (VALUES ($2), ($3)) v (o)"
					 " WHERE jsonb_typeof(v.o) <> 'object'"
					 " OR jsonb_typeof(v.o -> 'attributes') <> 'array'",
					 3, types, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns and identities must be JSON objects"),
				 errdetail("Only \"attributes\" is an array, of names."),
				 errhint("For example {\"name\": \"title\", \"attributes\": "
						 "[\"city\"]}.")));
	if (pool_sql_run("SELECT coalesce(c.col, '') FROM ("
					 " SELECT e.value #>> '{}' FROM jsonb_each($2) e"
					 "  WHERE e.key <> 'attributes'"
					 " UNION ALL SELECT e.value FROM jsonb_each_text($3) e"
					 " UNION ALL SELECT x FROM jsonb_array_elements_text("
					 "  coalesce($2 -> 'attributes', '[]')) x) c (col)"
					 " WHERE NOT EXISTS (SELECT FROM pg_attribute a"
					 "  WHERE a.attrelid = $1 AND a.attnum > 0"
					 "  AND NOT a.attisdropped AND a.attname = c.col)",
					 3, types, values, NULL) > 0)
		(void) column_type(relid, SPI_getvalue(SPI_tuptable->vals[0],
											   SPI_tuptable->tupdesc, 1));
	if (pool_sql_run("SELECT k FROM jsonb_object_keys($2) k"
					 " WHERE k <> ALL ('{name,source,grade,priority,created_at,"
					 "owned_at,last_follow_up_at,attributes}')",
					 3, types, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"columns\" says what leads do not have"),
				 errdetail("They have name, source, grade, priority, "
						   "created_at, owned_at, last_follow_up_at and "
						   "attributes."),
				 errhint("Put other columns into attributes.")));
	pool_sql_end(sql);
}

static void
read_arguments(Attaching *at)
{
	PoolCall   *call = at->call;
	FunctionCallInfo fcinfo = call->fcinfo;
	PoolAttachment *a = &at->a;

	if (PG_ARGISNULL(RELATION))
		(void) pool_arg_text(call, RELATION, "relation");
	a->relid = PG_GETARG_OID(RELATION);
	at->pool = pool_resolve_pool(pool_arg_text(call, POOL, "pool"));
	a->key = name_arg(call, KEY, "key");
	a->owner = name_arg(call, OWNER, "owner");
	if (!PG_ARGISNULL(SHARED))
		a->shared = *PG_GETARG_NAME(SHARED);
	check_relation(a->relid);
	/* before anything is read of it: it must stay as it is */
	if (PG_ARGISNULL(DRY_RUN) || !PG_GETARG_BOOL(DRY_RUN))
		LockRelationOid(a->relid, ShareRowExclusiveLock);
	else
		LockRelationOid(a->relid, RowExclusiveLock);
	check_relation(a->relid);
	check_key(a->relid, NameStr(a->key));
	check_type(a->relid, NameStr(a->owner));
	if (strcmp(NameStr(a->key), NameStr(a->owner)) == 0)
		refuse_column(NameStr(a->owner), gettext_noop("It is the key, too."));
	if (!PG_ARGISNULL(SHARED) &&
		column_type(a->relid, NameStr(a->shared)) != BOOLOID)
		refuse_column(NameStr(a->shared),
					  gettext_noop("Its type is not boolean."));
	if (PG_ARGISNULL(COLUMNS) || PG_ARGISNULL(IDENTITIES))
		(void) pool_arg_text(call, PG_ARGISNULL(COLUMNS) ? COLUMNS :
							 IDENTITIES, "columns and identities");
	check_mapping(a->relid, PG_GETARG_DATUM(COLUMNS),
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
	bool		isnull;

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
	at->a.id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
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
	pool_attach_enter_all(&at->a, &at->counts);
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
				 errmsg("on_bypass cannot be \"%.64s\"", given),
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
		check_relation(copy.relid);
		drop_triggers(&copy);
	}
	id = Int32GetDatum(copy.id);
	sql = pool_sql_begin();
	pool_sql_run("DELETE FROM pool.attachment WHERE id = $1", 1, &type, &id,
				 NULL);
	pool_sql_end(sql);
	PG_RETURN_VOID();
}

/* ------------------------------------------------------------------------
 * DDL
 * ------------------------------------------------------------------------ */

/* Event trigger at the end of commands that may have taken something away. */
Datum
pool_guard_attachment(PG_FUNCTION_ARGS)
{
	ListCell   *lc;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.guard_attachment() is an event trigger function")));
	if (!pool_extension_exists())
		return PointerGetDatum(NULL);
	foreach(lc, pool_attachments())
		pool_attach_check_columns(lfirst(lc));
	return PointerGetDatum(NULL);
}
