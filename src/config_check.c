/*
 * config_check.c
 *	  What a row of the configuration tables must be like, beyond what their
 *	  constraints can say.
 *
 * Row triggers before INSERT and UPDATE.  They look at nothing but the row,
 * so that a restore may bring the tables in any order; only a membership or a
 * rule that names no tenant has it looked up.
 */
#include "compat.h"
#include "config_check.h"

#include "access.h"
#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "clock.h"
#include "errors.h"
#include "config.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "rule.h"
#include "table.h"
#include "trigger.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pool_check_tenant);
PG_FUNCTION_INFO_V1(pool_check_pool);
PG_FUNCTION_INFO_V1(pool_check_member);
PG_FUNCTION_INFO_V1(pool_check_membership);
PG_FUNCTION_INFO_V1(pool_check_timer_rule);
PG_FUNCTION_INFO_V1(pool_check_rule);

static CheckedRow
checked_row(FunctionCallInfo fcinfo)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	CheckedRow	row = {0};

	if (!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function for rows before INSERT or UPDATE")));
	row.rel = data->tg_relation;
	row.desc = RelationGetDescr(row.rel);
	row.new = data->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
	{
		row.old = data->tg_trigtuple;
		row.new = data->tg_newtuple;
	}
	return row;
}

Datum
config_check_column(const CheckedRow *row, int attnum, bool *isnull)
{
	return heap_getattr(row->new, attnum, row->desc, isnull);
}

const char *
config_check_name(const CheckedRow *row, int attnum)
{
	return NameStr(TupleDescAttr(row->desc, attnum - 1)->attname);
}

bool
config_check_is_null(const CheckedRow *row, int attnum)
{
	bool		isnull;

	(void) config_check_column(row, attnum, &isnull);
	return isnull;
}

/* An id column, 0 for NULL. */
int32
config_check_id(const CheckedRow *row, HeapTuple tuple, int attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, row->desc, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

/* Whether this value of a text column is another than that before. */
static bool
is_changed(const CheckedRow *row, int attnum, Datum value)
{
	bool		isnull;
	Datum		before = heap_getattr(row->old, attnum, row->desc, &isnull);

	return isnull || !DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID,
														   before, value));
}

static void
check_zone(const CheckedRow *row, int attnum)
{
	bool		isnull;
	Datum		value = config_check_column(row, attnum, &isnull);

	if (!isnull)
		(void) pool_zone(TextDatumGetCString(value));
}

/* Leads and events carry these ids without a foreign key. */
static void
check_unchanged(const CheckedRow *row, int attnum)
{
	if (row->old == NULL ||
		config_check_id(row, row->old, attnum) == config_check_id(row, row->new, attnum))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of table \"pool.%s\" cannot be changed",
					config_check_name(row, attnum),
					RelationGetRelationName(row->rel)),
			 errdetail("Leads and events refer to the row by it."),
			 errhint("Insert a new row instead.")));
}

/* ------------------------------------------------------------------------
 * Intervals
 * ------------------------------------------------------------------------ */

void
config_check_span(const CheckedRow *row, int attnum, Datum value)
{
	if (pool_span_is_sane(DatumGetIntervalP(value)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("interval \"%s\" is out of range for column \"%s\"",
					DatumGetCString(DirectFunctionCall1(interval_out, value)),
					config_check_name(row, attnum)),
			 errdetail("It must be longer than nothing, without negative "
					   "parts, and no longer than %d years.", POOL_MAX_YEARS),
			 errhint("For example \"3 days\" or \"48 hours\".")));
}

static void
check_interval(const CheckedRow *row, int attnum)
{
	bool		isnull;
	Datum		value = config_check_column(row, attnum, &isnull);

	if (!isnull)
		config_check_span(row, attnum, value);
}

/* Every column of type interval. */
static void
check_intervals(const CheckedRow *row)
{
	for (int i = 0; i < row->desc->natts; i++)
		if (TupleDescAttr(row->desc, i)->atttypid == INTERVALOID)
			check_interval(row, i + 1);
}

/* ------------------------------------------------------------------------
 * The tenant of a membership or a rule
 * ------------------------------------------------------------------------ */

/*
 * Whether row policies keep this tenant from the caller: then its rows do not
 * exist for him, and no message may say that they do.
 */
static bool
is_foreign(PoolTableId id, int32 tenant_id)
{
	if (check_enable_rls(pool_table_oid(id), InvalidOid, true) != RLS_ENABLED)
		return false;
	pool_config_refresh();
	return !pool_caller_sees_tenant(tenant_id);
}

/*
 * The tenant of a row of pool or member, 0 if there is none.  Rows of the
 * very command that is running count.
 */
static int32
tenant_of(PoolTableId id, PoolIndexId index, int attnum, int32 key)
{
	PoolWork   *work = pool_work_begin_reading();
	PoolTable  *table = pool_work_table(work, id);
	int32		tenant_id = 0;
	bool		isnull;

	if (pool_table_find(table, index, SnapshotSelf, &pool_key_int4(key), 1))
		tenant_id = DatumGetInt32(slot_getattr(table->old, attnum, &isnull));
	pool_work_end(work);
	return is_foreign(id, tenant_id) ? 0 : tenant_id;
}

static int32
tenant_of_pool(int32 pool_id)
{
	int32		tenant_id = tenant_of(POOL_POOL, POOL_POOL_PKEY,
									  POOL_TENANT_ID, pool_id);

	if (tenant_id == 0)
		ereport(ERROR,
				(errcode(POOL_ERRCODE_UNKNOWN_POOL),
				 errmsg("pool %d does not exist", pool_id),
				 errdetail("No row of pool.pool has this id."),
				 errhint("pool_id is pool.pool.id.")));
	return tenant_id;
}

static void
check_member_exists(int32 member_id)
{
	if (tenant_of(POOL_MEMBER, POOL_MEMBER_PKEY, MEMBER_TENANT_ID,
				  member_id) == 0)
		ereport(ERROR,
				(errcode(POOL_ERRCODE_UNKNOWN_MEMBER),
				 errmsg("member %d does not exist", member_id),
				 errdetail("No row of pool.member has this id."),
				 errhint("member_id is pool.member.id.")));
}

/* The row with the tenant of its pool. */
static HeapTuple
fill_tenant(const CheckedRow *row, int tenant_column, int pool_column)
{
	int32		pool_id = config_check_id(row, row->new, pool_column);
	Datum		value = Int32GetDatum(tenant_of_pool(pool_id));
	bool		isnull = false;

	return heap_modify_tuple_by_cols(row->new, row->desc, 1, &tenant_column,
									 &value, &isnull);
}

/* ------------------------------------------------------------------------
 * Conditions and strategies
 * ------------------------------------------------------------------------ */

/* A predicate, or it would never be true; and one that can be evaluated. */
static void
check_condition(const CheckedRow *row, int attnum, JsonPath *path)
{
	char	   *template;

	if (!pool_rule_is_predicate(path))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is not a condition",
						config_check_name(row, attnum)),
				 errdetail("The path \"%.200s\" selects something, but is "
						   "neither true nor false.",
						   pool_cut(DatumGetCString(DirectFunctionCall1(jsonpath_out,
																		PointerGetDatum(path))),
									200)),
				 errhint("Compare it, for example $.grade == \"A\" or "
						 "exists($.industry).")));
	template = pool_rule_bad_template(path);
	if (template != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is not a condition",
						config_check_name(row, attnum)),
				 errdetail("The template \"%.200s\" of datetime() cannot be read.",
						   pool_cut(template, 200)),
				 errhint("Templates are those of to_timestamp(), for example "
						 "\"YYYY-MM-DD\".")));
}

/* Every column of type jsonpath. */
static void
check_conditions(const CheckedRow *row)
{
	for (int attnum = 1; attnum <= row->desc->natts; attnum++)
	{
		bool		isnull;
		Datum		value;

		if (TupleDescAttr(row->desc, attnum - 1)->atttypid != JSONPATHOID)
			continue;
		value = config_check_column(row, attnum, &isnull);
		if (!isnull)
			check_condition(row, attnum, DatumGetJsonPathP(value));
	}
}

static void
check_strategy(const CheckedRow *row)
{
	int			attnum = SPI_fnumber(row->desc, "strategy");
	bool		isnull;
	Datum		value;

	if (attnum <= 0)
		return;
	value = config_check_column(row, attnum, &isnull);
	if (isnull || pool_strategy_exists(TextDatumGetCString(value)))
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_UNKNOWN_RULE),
			 errmsg("strategy \"%.64s\" is not known",
					pool_cut(TextDatumGetCString(value), 64)),
			 errdetail("It is the strategy of a routing rule."),
			 errhint("It is one of round_robin, weighted, random, "
					 "least_loaded, performance, best_match, suggest and "
					 "hand_over.")));
}

/* ------------------------------------------------------------------------
 * The triggers
 * ------------------------------------------------------------------------ */

/* What a trigger ends with: the row keeps all constraints as well. */
static Datum
checked(FunctionCallInfo fcinfo, const CheckedRow *row)
{
	config_check_constraints(fcinfo->flinfo, row);
	return PointerGetDatum(row->new);
}

Datum
pool_check_tenant(PG_FUNCTION_ARGS)
{
	CheckedRow	row = checked_row(fcinfo);

	check_unchanged(&row, TENANT_ID);
	check_zone(&row, TENANT_TIMEZONE);
	return checked(fcinfo, &row);
}

Datum
pool_check_pool(PG_FUNCTION_ARGS)
{
	CheckedRow	row = checked_row(fcinfo);

	check_unchanged(&row, POOL_ID);
	check_unchanged(&row, POOL_TENANT_ID);
	check_zone(&row, POOL_TIMEZONE);
	check_intervals(&row);
	return checked(fcinfo, &row);
}

/*
 * A role is bound to one member by being his login.  Only a superuser may bind a
 * role that may act for others or is a superuser; only one who was granted every
 * tenant may bind a role that was granted more than the member's tenant.
 */
static void
check_capture(const char *login, int32 tenant_id)
{
	Oid			role = get_role_oid(login, true);
	const char *reason;

	if (!OidIsValid(role) || superuser())
		return;
	if (pool_role_is_service(role))
		reason = pool_text("It may act for any member.");
	else if (pool_role_sees_beyond(role, tenant_id) &&
			 !pool_caller_sees_all())
		reason = pool_text("It was granted more than the tenant of this member.");
	else
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" cannot be the login of a member", login),
			 errdetail_internal("%s", reason),
			 errhint("Give the member a role of his own.")));
}

/* A restore may create the role later. */
static void
warn_of_unknown(const char *login)
{
	if (OidIsValid(get_role_oid(login, true)))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("role \"%s\" does not exist", login),
			 errdetail("It is the login of a member, who cannot act until "
					   "there is such a role."),
			 errhint("Create the role, or correct the login.")));
}

/* A login is a role, whose name is shorter than an identifier. */
static void
check_login(const CheckedRow *row)
{
	bool		isnull;
	Datum		value = config_check_column(row, MEMBER_LOGIN, &isnull);
	int			length;

	if (isnull)
		return;
	length = VARSIZE_ANY_EXHDR(DatumGetTextPP(value));
	if (length == 0 || length >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a login of %d bytes is not the name of a role",
						length),
				 errdetail("Names of roles have 1 to %d bytes.",
						   NAMEDATALEN - 1),
				 errhint("Leave it NULL for a member without a login.")));
	if (row->old != NULL && !is_changed(row, MEMBER_LOGIN, value))
		return;
	warn_of_unknown(text_to_cstring(DatumGetTextPP(value)));
	check_capture(text_to_cstring(DatumGetTextPP(value)),
				  config_check_id(row, row->new, MEMBER_TENANT_ID));
}

Datum
pool_check_member(PG_FUNCTION_ARGS)
{
	CheckedRow	row = checked_row(fcinfo);

	check_unchanged(&row, MEMBER_ID);
	check_unchanged(&row, MEMBER_TENANT_ID);
	check_zone(&row, MEMBER_TIMEZONE);
	check_login(&row);
	return checked(fcinfo, &row);
}

Datum
pool_check_membership(PG_FUNCTION_ARGS)
{
	CheckedRow	row = checked_row(fcinfo);

	if (config_check_is_null(&row, MEMBERSHIP_TENANT_ID) &&
		!config_check_is_null(&row, MEMBERSHIP_POOL_ID) &&
		!config_check_is_null(&row, MEMBERSHIP_MEMBER_ID))
	{
		check_member_exists(config_check_id(&row, row.new, MEMBERSHIP_MEMBER_ID));
		row.new = fill_tenant(&row, MEMBERSHIP_TENANT_ID, MEMBERSHIP_POOL_ID);
	}
	return checked(fcinfo, &row);
}

Datum
pool_check_timer_rule(PG_FUNCTION_ARGS)
{
	CheckedRow	row = checked_row(fcinfo);

	check_unchanged(&row, TIMER_RULE_ID);
	check_intervals(&row);
	check_conditions(&row);
	config_check_timer(&row);
	if (config_check_is_null(&row, TIMER_RULE_TENANT_ID) &&
		!config_check_is_null(&row, TIMER_RULE_POOL_ID))
		row.new = fill_tenant(&row, TIMER_RULE_TENANT_ID, TIMER_RULE_POOL_ID);
	return checked(fcinfo, &row);
}

/* Any table of rules, by the names and types of its columns. */
Datum
pool_check_rule(PG_FUNCTION_ARGS)
{
	CheckedRow	row = checked_row(fcinfo);
	int			id = SPI_fnumber(row.desc, "id");
	int			tenant_id = SPI_fnumber(row.desc, "tenant_id");
	int			pool_id = SPI_fnumber(row.desc, "pool_id");

	check_unchanged(&row, id);
	check_intervals(&row);
	check_conditions(&row);
	check_strategy(&row);
	if (config_check_is_null(&row, tenant_id) && !config_check_is_null(&row, pool_id))
		row.new = fill_tenant(&row, tenant_id, pool_id);
	return checked(fcinfo, &row);
}
