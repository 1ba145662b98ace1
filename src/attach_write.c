/*
 * attach_write.c
 *	  Who owns a lead is written to the rows of attached tables.
 *
 * This happens in the transaction of the change and with the rights of the
 * table's owner, once the call has done with its leads and counters: rows come
 * after those in the order of locks.  Our trigger on the table sees these
 * writes, too, and that they agree with the leads.
 */
#include "compat.h"
#include "attach.h"

#include "attach_sql.h"
#include "attempt.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* A column of an attached table. */
typedef struct Column
{
	const char *name;			/* quoted */
	Oid			type;
} Column;

#define INTEGER_KEY "^(0|-?[1-9][0-9]{0,18})$"
#define INT8_RANGE "-9223372036854775808 AND 9223372036854775807"

/*
 * $1 attachment, $2 leads, $3 what keys look like in the table; those that are
 * integers are to be in the range of the largest ones.
 */
#define OWNERS(source) \
	"SELECT array_agg(x.key), array_agg(coalesce(x.owner, x.nobody))," \
	" array_agg(x.shared)," \
	" count(*) FILTER (WHERE x.member_id IS NOT NULL AND x.owner IS NULL)" \
	" FROM (SELECT substr(d.key, length(a.key_prefix) + 1) AS key," \
	"  CASE WHEN a.member_field IS NULL THEN m.key" \
	"   WHEN " POOL_ATTACHED_NAMED("a", "(m.profile ->> a.member_field)") \
	"    = m.id THEN m.profile ->> a.member_field END AS owner, a.nobody," \
	"  s.status = 'available' AS shared, m.id AS member_id" \
	"  FROM " source \
	"  JOIN pool.lead_state s ON s.id = d.id" \
	"  LEFT JOIN pool.member m ON m.id = " POOL_ATTACHED_OWNER \
	"  WHERE a.id = $1 AND starts_with(d.key, a.key_prefix) OFFSET 0) x" \
	" WHERE x.key ~ $3 AND CASE WHEN $3 = '" INTEGER_KEY "'" \
	"  THEN x.key::numeric BETWEEN " INT8_RANGE " ELSE true END"

/* OFFSET 0: each lead is looked up, whatever the planner makes of arrays */
static const char *const owners_of_leads =
OWNERS("unnest($2) i (id) CROSS JOIN LATERAL"
	   " (SELECT * FROM pool.lead_data l WHERE l.id = i.id OFFSET 0) d"
	   " JOIN pool.attachment a ON a.tenant_id = d.tenant_id");
static const char *const owners_of_rows =
OWNERS("(" POOL_ATTACHED_ROWS ") r CROSS JOIN LATERAL " POOL_ATTACHED_LEAD " d"
	   " JOIN pool.attachment a ON a.id = r.id");

void
pool_attach_report_gone(const char *table, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("attached table \"%s\" needs its column \"%s\"",
					table != NULL ? table : "(dropped)", column),
			 errdetail("Leads and rows follow each other by it."),
			 errhint("Call pool.detach() first, and pool.attach() again "
					 "after.")));
}

static Column
column_of(const PoolAttachment *a, const NameData *name)
{
	Column		column = {quote_identifier(NameStr(*name)), InvalidOid};
	AttrNumber	attnum = get_attnum(a->relid, NameStr(*name));

	if (attnum == InvalidAttrNumber)
		pool_attach_report_gone(get_rel_name(a->relid), NameStr(*name));
	column.type = getBaseType(get_atttype(a->relid, attnum));
	return column;
}

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* What the keys of leads must be like that rows may have. */
static const char *
key_pattern(Oid type)
{
	if (is_integer(type))
		return INTEGER_KEY;
	if (type == UUIDOID)
		return "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
	return "";
}

/* Smaller integers are compared as bigint: no key is out of their range. */
static const char *
key_type(Oid type)
{
	return is_integer(type) ? "pg_catalog.int8" :
		type == UUIDOID ? "pg_catalog.uuid" : "pg_catalog.text";
}

static char *
update_command(const PoolAttachment *a)
{
	Column		key = column_of(a, &a->key);
	Column		owner = column_of(a, &a->owner);
	const char *type = format_type_be_qualified(owner.type);
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "UPDATE ONLY %s t SET %s = x.owner::%s",
					 pool_attach_table_name(a), owner.name, type);
	if (*NameStr(a->shared) != '\0')
		appendStringInfo(&s, ", %s = x.shared",
						 quote_identifier(NameStr(a->shared)));
	appendStringInfo(&s, " FROM unnest($1, $2, $3) x (key, owner, shared)"
					 " WHERE t.%s = x.key::%s"
					 " AND (t.%s IS DISTINCT FROM x.owner::%s",
					 key.name, key_type(key.type), owner.name, type);
	if (*NameStr(a->shared) != '\0')
		appendStringInfo(&s, " OR t.%s IS DISTINCT FROM x.shared",
						 quote_identifier(NameStr(a->shared)));
	appendStringInfoString(&s, ")");
	return s.data;
}

/* keys, owners, shared: what the table is to say.  False if nothing. */
static bool
read_owners(const PoolAttachment *a, const char *query, Oid type, Datum which,
			Datum *owners)
{
	Oid			types[3] = {INT4OID, type, TEXTOID};
	Datum		values[3] = {Int32GetDatum(a->id), which, (Datum) 0};
	Column		key = column_of(a, &a->key);
	PoolSql		sql;
	bool		isnull;

	values[2] = CStringGetTextDatum(key_pattern(key.type));
	sql = pool_sql_begin();
	pool_sql_walk_indexes();
	pool_sql_run(query, 3, types, values, NULL);
	if (pool_sql_int8(0, 4) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no name for the owner of a lead",
						get_rel_name(a->relid)),
				 errdetail("The profile of the member lacks the field that its "
						   "owner column refers to, or another member has the "
						   "same value there."),
				 errhint("See member_field of pool.attachment, and UPDATE "
						 "pool.member.")));
	for (int i = 0; i < 3; i++)
	{
		Datum		value = pool_sql_datum(0, i + 1, &isnull);

		if (isnull)
		{
			pool_sql_end(sql);
			return false;
		}
		owners[i] = SPI_datumTransfer(value, false, -1);
	}
	pool_sql_end(sql);
	return true;
}

/*
 * A deferred check of the application that fails would undo a whole tick, so in
 * an attempt it is made immediate.  A worker may not leave checks for later at
 * all.
 */
static void
check_at_once(void)
{
	if (pool_attempt_is_running() || InSecurityRestrictedOperation())
		pool_sql_run("SET CONSTRAINTS ALL IMMEDIATE", 0, NULL, NULL, NULL);
}

static void
report_held(const PoolAttachment *a)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("rows of attached table \"%s\" are locked",
					get_rel_name(a->relid)),
			 errdetail("Ticks do not wait for other transactions."),
			 errhint("The next tick tries again.")));
}

/*
 * In an attempt rows are not waited for: whoever holds one would stop all timers.
 * So they are locked here; if one is held, 55006 fails these leads only.
 */
static void
lock_at_once(const PoolAttachment *a, Datum *owners)
{
	Column		key = column_of(a, &a->key);
	Oid			type = TEXTARRAYOID;
	uint64		n;

	if (!pool_attempt_may_fail())
		return;
	if (!ConditionalLockRelationOid(a->relid, RowExclusiveLock))
		report_held(a);
	n = pool_sql_run(psprintf("SELECT FROM ONLY %s t WHERE t.%s ="
							  " ANY ($1::%s[])",
							  pool_attach_table_name(a), key.name,
							  key_type(key.type)), 1, &type, owners, NULL);
	if (pool_sql_run(psprintf("SELECT FROM ONLY %s t WHERE t.%s ="
							  " ANY ($1::%s[]) FOR NO KEY UPDATE SKIP LOCKED",
							  pool_attach_table_name(a), key.name,
							  key_type(key.type)), 1, &type, owners, NULL) < n)
		report_held(a);
}

/*
 * Runs the statement, without the details of its errors: core quotes rows that
 * break a constraint, which whoever claims a lead may have no right to see.
 */
static void
run_discreetly(const char *command, int nargs, Oid *types, Datum *values)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		pool_sql_run(command, nargs, types, values, NULL);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) !=
			ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
			PG_RE_THROW();
		FlushErrorState();
		error->detail = NULL;
		error->detail_log = NULL;
		ReThrowError(error);
	}
	PG_END_TRY();
}

static void
write_owners(const PoolAttachment *a, const char *query, Oid type, Datum which)
{
	Oid			types[3] = {TEXTARRAYOID, TEXTARRAYOID, BOOLARRAYOID};
	Datum		owners[3];
	char	   *command;
	PoolSql		sql;

	if (!read_owners(a, query, type, which, owners))
		return;
	command = update_command(a);
	sql = pool_attach_as_owner(a);
	pool_sql_walk_indexes();
	check_at_once();
	lock_at_once(a, owners);
	run_discreetly(command, 3, types, owners);
	pool_sql_end(sql);
}

/* The rows of these leads, whatever table they are in. */
static void
write_leads(PoolAttachNotes *notes)
{
	Datum	   *ids = palloc(notes->n * sizeof(Datum));
	ArrayType  *leads;
	ListCell   *lc;

	for (int i = 0; i < notes->n; i++)
		ids[i] = Int64GetDatum(notes->leads[i]);
	leads = construct_array(ids, notes->n, INT8OID, sizeof(int64),
							FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	foreach(lc, pool_attachments())
		write_owners(lfirst(lc), owners_of_leads, INT8ARRAYOID,
					 PointerGetDatum(leads));
}

/* These rows, a jsonb[], of this table. */
void
pool_attach_write_rows(const PoolAttachment *a, Datum rows)
{
	write_owners(a, owners_of_rows, JSONBARRAYOID, rows);
}

void
pool_attach_write_init(void)
{
	pool_attach_set_writer(write_leads);
}
