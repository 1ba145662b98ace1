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

/* $1 attachment, $2 rows with key and owner */
static const char *const compare_query =
"SELECT s.id FROM (" POOL_ATTACHED_ROWS ") r"
" CROSS JOIN LATERAL " POOL_ATTACHED_LEAD " d"
" JOIN pool.lead_state s ON s.id = d.id"
" LEFT JOIN pool.member m ON " POOL_ATTACHED_MEMBER
" WHERE " POOL_ATTACHED_OWNER " IS DISTINCT FROM m.id"
"  OR (r.owner_value IS NOT NULL AND m.id IS NULL) ORDER BY s.id";

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
			 "the owner column of its row does not say who owns it");
	pool_sql_end(sql);
}

static char *
reading_query(const PoolAttachment *a)
{
	return psprintf("SELECT jsonb_build_object(%s, t.%s, %s, t.%s)"
					" FROM ONLY %s t",
					quote_literal_cstr(NameStr(a->key)),
					quote_identifier(NameStr(a->key)),
					quote_literal_cstr(NameStr(a->owner)),
					quote_identifier(NameStr(a->owner)),
					pool_attach_table_name(a));
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
		compare_rows(call, a);
	}
}
