/*
 * attach_verify.c
 *	  Whether attached tables say what the leads say.
 */
#include "compat.h"
#include "attach.h"

#include "attach_sql.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define CHECK "attachment"

/*
 * $1 attachment, $2 rows with key, owner and whether they are shared.  One row
 * for each that differs, and whether it is the owner that does.
 */
static const char *const compare_query =
"SELECT x.id, x.owner_differs FROM (SELECT s.id,"
" " POOL_ATTACHED_OWNER " IS DISTINCT FROM m.id"
"  OR (r.owner_value IS NOT NULL AND m.id IS NULL) AS owner_differs,"
" r.shared_column IS NOT NULL AND (r.doc ->> r.shared_column::text)::boolean"
"  IS DISTINCT FROM (s.status = 'available') AS shared_differs"
" FROM (" POOL_ATTACHED_ROWS ") r"
" CROSS JOIN LATERAL " POOL_ATTACHED_LEAD " d"
" JOIN pool.lead_state s ON s.id = d.id"
POOL_ATTACHED_MEMBER
") x WHERE x.owner_differs OR x.shared_differs ORDER BY x.id";

static const char *const trigger_query =
"SELECT FROM pg_trigger t WHERE t.tgrelid = $1 AND t.tgenabled IN ('O', 'A')"
" AND t.tgfoid = 'pool.attached_written()'::regprocedure";

static void
emit(PoolCall *call, const char *object, const char *message)
{
	pool_put_text(call, 0, CHECK);
	pool_put_text(call, 1, object);
	pool_put_text(call, 2, message);
	pool_call_row(call);
}

static void
compare(PoolCall *call, const PoolAttachment *a, Datum rows)
{
	Oid			types[2] = {INT4OID, JSONBARRAYOID};
	Datum		values[2] = {Int32GetDatum(a->id), rows};
	PoolSql		sql = pool_sql_begin();
	uint64		n;
	SPITupleTable *found;

	pool_sql_walk_indexes();
	if (SPI_execute_with_args(compare_query, 2, types, values, NULL, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed");
	n = SPI_processed;
	found = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
		emit(call, psprintf("attachment %d, lead %s", a->id,
							SPI_getvalue(found->vals[i], found->tupdesc, 1)),
			 *SPI_getvalue(found->vals[i], found->tupdesc, 2) == 't' ?
			 "the owner column of its row does not say who owns it" :
			 "the shared column of its row does not say whether it is "
			 "available");
	pool_sql_end(sql);
}

static char *
reading_query(const PoolAttachment *a)
{
	const NameData *const names[] = {&a->key, &a->owner, &a->shared};
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "SELECT jsonb_build_object(");
	for (int i = 0; i < (int) lengthof(names); i++)
		if (*NameStr(*names[i]) != '\0')
			appendStringInfo(&s, "%s%s, t.%s", i == 0 ? "" : ", ",
							 quote_literal_cstr(NameStr(*names[i])),
							 quote_identifier(NameStr(*names[i])));
	appendStringInfo(&s, ") FROM ONLY %s t", pool_attach_table_name(a));
	return s.data;
}

static void
compare_rows(PoolCall *call, const PoolAttachment *a)
{
	PoolSql		sql = pool_attach_as_owner(a);
	Portal		portal = SPI_cursor_open_with_args(NULL, reading_query(a), 0,
												   NULL, NULL, NULL, true, 0);
	Datum		rows;
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext,
												"pool_ext attachment",
												ALLOCSET_DEFAULT_SIZES);

	while ((rows = pool_attach_fetch(portal, chunk)) != 0)
	{
		CHECK_FOR_INTERRUPTS();
		compare(call, a, rows);
		MemoryContextReset(chunk);
	}
	SPI_cursor_close(portal);
	pool_sql_end(sql);
}

static void
check_triggers(PoolCall *call, const PoolAttachment *a)
{
	Oid			type = OIDOID;
	Datum		relid = ObjectIdGetDatum(a->relid);
	PoolSql		sql = pool_sql_begin();

	if (SPI_execute_with_args(trigger_query, 1, &type, &relid, NULL, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed");
	if (SPI_processed != 4)
		emit(call, psprintf("attachment %d", a->id),
			 "triggers of its table are missing or disabled: detach and "
			 "attach it again");
	pool_sql_end(sql);
}

static void
check_key(PoolCall *call, const PoolAttachment *a)
{
	if (!pool_attach_key_is_unique(a->relid, NameStr(a->key)))
		emit(call, psprintf("attachment %d", a->id),
			 "no unique index is on the key column of its table alone");
}

/* Emits a row for everything that does not fit. */
void
pool_attach_verify(PoolCall *call)
{
	ListCell   *lc;

	foreach(lc, pool_attachments())
	{
		const PoolAttachment *a = lfirst(lc);

		if (get_rel_name(a->relid) == NULL ||
			get_attnum(a->relid, NameStr(a->key)) == InvalidAttrNumber ||
			get_attnum(a->relid, NameStr(a->owner)) == InvalidAttrNumber)
		{
			emit(call, psprintf("attachment %d", a->id),
				 "its table or a column of it is gone: detach it");
			continue;
		}
		check_triggers(call, a);
		check_key(call, a);
		compare_rows(call, a);
	}
}
