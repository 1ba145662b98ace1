/*
 * attach_fit.c
 *	  Whether a table can be attached, and stay so.
 *
 * What would make every claim or release fail later is refused beforehand: by
 * attach(), and by an event trigger when somebody alters the table.  So are
 * partitions and children of other tables, whose rows can be written without
 * firing our triggers.  That the key stays unique is left to verify(): one index
 * may replace another in the midst of a transaction.
 */
#include "compat.h"
#include "attach.h"

#include "access.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "miscadmin.h"
#include "rule.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(pool_guard_attachment);

/* ------------------------------------------------------------------------
 * The table
 * ------------------------------------------------------------------------ */

static bool
relation_fits(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_RELATION &&
		!get_rel_relispartition(relid) && !has_superclass(relid) &&
		find_inheritance_children(relid, NoLock) == NIL &&
		!IsCatalogRelationOid(relid) &&
		get_rel_namespace(relid) !=
		get_rel_namespace(pool_table_oid(POOL_LEAD_STATE)) &&
		get_rel_persistence(relid) == RELPERSISTENCE_PERMANENT;
}

/* Raises 42501 unless it is the caller's, 42P01 if it is none. */
void
pool_attach_check_owner(Oid relid)
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
}

/* Likewise, and 42809 unless it can be attached. */
void
pool_attach_check_relation(Oid relid)
{
	pool_attach_check_owner(relid);
	if (!relation_fits(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be attached", get_rel_name(relid)),
				 errdetail("Only ordinary tables can, that are neither "
						   "partitioned nor inherited, temporary, unlogged or "
						   "pool_ext's own."),
				 errhint("Let the application call pool.enter().")));
}

/* ------------------------------------------------------------------------
 * Its columns
 * ------------------------------------------------------------------------ */

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

static const char *
type_misfit(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
			return NULL;
		default:
			return gettext_noop("Its type is none of text, varchar, "
								"smallint, integer, bigint and uuid.");
	}
}

/* Why we could not write the column, or not NULL to it. */
static const char *
writing_misfit(Oid relid, const char *name, bool null)
{
	HeapTuple	tuple = SearchSysCacheAttName(relid, name);
	const char *detail = NULL;
	Form_pg_attribute column;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for column of relation %u", relid);
	column = (Form_pg_attribute) GETSTRUCT(tuple);
	if (column->attgenerated != '\0' ||
		column->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		detail = gettext_noop("It is generated, and cannot be written.");
	else if (null && column->attnotnull)
		detail = gettext_noop("It is NOT NULL, and the argument \"nobody\" "
							  "is NULL.");
	ReleaseSysCache(tuple);
	return detail;
}

/* What nobody is must be a value of the owner column, as that is written. */
static bool
fits_nobody(const PoolAttachment *a, Oid type)
{
	Oid			input;
	Oid			output;
	Oid			param;
	bool		varlena;
	Datum		value;

	if (a->nobody == NULL)
		return true;
	getTypeInputInfo(type, &input, &param);
	getTypeOutputInfo(type, &output, &varlena);
	value = OidInputFunctionCall(input, a->nobody, param, -1);
	return strcmp(OidOutputFunctionCall(output, value), a->nobody) == 0;
}

static const char *
owner_misfit(const PoolAttachment *a)
{
	const char *name = NameStr(a->owner);
	Oid			type = column_type(a->relid, name);
	const char *detail = type_misfit(type);

	if (detail != NULL)
		return detail;
	if (strcmp(NameStr(a->key), name) == 0)
		return gettext_noop("It is the key, too.");
	if (!fits_nobody(a, type))
		return gettext_noop("The argument \"nobody\" is not how one of its "
							"values is written.");
	return writing_misfit(a->relid, name, a->nobody == NULL);
}

static const char *
shared_misfit(const PoolAttachment *a)
{
	if (*NameStr(a->shared) == '\0')
		return NULL;
	if (column_type(a->relid, NameStr(a->shared)) != BOOLOID)
		return gettext_noop("Its type is not boolean.");
	return writing_misfit(a->relid, NameStr(a->shared), false);
}

/* The first column that does not fit, and why; NULL if all do. */
static const char *
column_misfit(const PoolAttachment *a, const char **column)
{
	const char *detail;

	*column = NameStr(a->key);
	detail = type_misfit(column_type(a->relid, *column));
	if (detail != NULL)
		return detail;
	*column = NameStr(a->owner);
	detail = owner_misfit(a);
	if (detail != NULL)
		return detail;
	*column = NameStr(a->shared);
	return shared_misfit(a);
}

/* Whether a row is found by its key, and there is but one. */
bool
pool_attach_key_is_unique(Oid relid, const char *name)
{
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2] = {ObjectIdGetDatum(relid), CStringGetTextDatum(name)};
	PoolSql		sql = pool_sql_begin();
	bool		result;

	if (SPI_execute_with_args("SELECT FROM pg_index i JOIN pg_attribute a"
							  " ON a.attrelid = i.indrelid"
							  " AND a.attnum = i.indkey[0]"
							  " WHERE i.indrelid = $1 AND a.attname = $2::name"
							  " AND i.indisunique AND i.indisvalid"
							  " AND i.indnkeyatts = 1 AND i.indpred IS NULL",
							  2, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed");
	result = SPI_processed > 0;
	pool_sql_end(sql);
	return result;
}

/* Raises 22023 for what cannot be asked of a row. */
static void
check_condition(JsonPath *condition)
{
	List	   *variables = pool_rule_variables(condition);

	pool_rule_check_argument(condition);
	if (variables != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"condition\" is not a condition"),
				 errdetail("It names variable \"%.64s\", and rows have none.",
						   pool_cut(strVal(linitial(variables)), 64)),
				 errhint("Columns are fields: $.name.")));
}

/*
 * Raises 22023 or 42703 unless its columns are as they must be, those that
 * `condition` names, NULL = none, included.
 */
void
pool_attach_check_fit(const PoolAttachment *a, JsonPath *condition)
{
	const char *column;
	const char *detail;
	ListCell   *lc;

	detail = type_misfit(column_type(a->relid, NameStr(a->key)));
	if (detail == NULL &&
		!pool_attach_key_is_unique(a->relid, NameStr(a->key)))
		detail = gettext_noop("No unique index is on it alone.");
	column = NameStr(a->key);
	if (detail == NULL)
		detail = column_misfit(a, &column);
	if (detail != NULL)
		refuse_column(column, detail);
	if (condition == NULL)
		return;
	check_condition(condition);
	foreach(lc, pool_rule_fields(condition))
		(void) column_type(a->relid, strVal(lfirst(lc)));
}

/* What the arrays and objects name must be columns. */
void
pool_attach_check_mapping(Oid relid, Datum columns, Datum identities)
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

/* Raises 55000 where a column is gone that says something of leads. */
void
pool_attach_check_columns(const PoolAttachment *a)
{
	const NameData *const names[] = {&a->key, &a->owner, &a->shared};
	ListCell   *lc;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		const char *name = NameStr(*names[i]);

		if (*name != '\0' &&
			get_attnum(a->relid, name) == InvalidAttrNumber)
			pool_attach_report_gone(get_rel_name(a->relid), name);
	}
	foreach(lc, a->mapped)
	{
		if (get_attnum(a->relid, lfirst(lc)) == InvalidAttrNumber)
			pool_attach_report_gone(get_rel_name(a->relid), lfirst(lc));
	}
}

/* ------------------------------------------------------------------------
 * DDL
 * ------------------------------------------------------------------------ */

static void
report_altered(const PoolAttachment *a, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("attached table \"%s\" cannot become like that",
					get_rel_name(a->relid)),
			 errdetail_internal("%s", pool_text(detail)),
			 errhint("Call pool.detach() first, and pool.attach() again "
					 "after.")));
}

static void
check_altered(const PoolAttachment *a)
{
	const char *column;
	const char *detail;

	pool_attach_check_columns(a);
	if (!relation_fits(a->relid))
		report_altered(a, gettext_noop("Its rows could be written by way of "
									   "another table, or be lost in a "
									   "crash."));
	detail = column_misfit(a, &column);
	if (detail != NULL)
		report_altered(a, psprintf("\"%s\": %s", column, pool_text(detail)));
}

/* Event trigger at the end of commands that may have made a table unfit. */
Datum
pool_guard_attachment(PG_FUNCTION_ARGS)
{
	ListCell   *lc;
	bool		dropping;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.guard_attachment() is an event trigger function")));
	if (!pool_extension_exists())
		return PointerGetDatum(NULL);
	dropping = strncmp(GetCommandTagName(((EventTriggerData *)
										  fcinfo->context)->tag),
					   "DROP", 4) == 0;
	foreach(lc, pool_attachments())
	{
		const PoolAttachment *a = lfirst(lc);

		/* what has long been gone is no reason to refuse other tables */
		if (dropping || get_rel_name(a->relid) != NULL)
			check_altered(a);
	}
	return PointerGetDatum(NULL);
}
