/*
 * attach_row.c
 *	  Rows of attached tables, and what they say of leads.
 *
 * A row is read with the rights of the table's owner, and as JSON: so neither the
 * names that users give to columns nor the functions of their types ever run
 * anything with our rights.
 */
#include "compat.h"
#include "attach.h"

#include "access.h"
#include "attach_sql.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "config.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#define COLUMN POOL_ATTACHED_COLUMN
#define JSON(field) "(r.doc -> (r.columns ->> '" field "'))"

/* A timestamp, or a number of seconds or milliseconds. */
#define MOMENT(field) \
	"(CASE jsonb_typeof(" JSON(field) ")" \
	" WHEN 'number' THEN to_timestamp(" JSON(field) "::float8 /" \
	"  CASE WHEN " JSON(field) "::float8 > 1e11 THEN 1000 ELSE 1 END)" \
	" WHEN 'string' THEN " COLUMN(field) "::timestamptz END)"

/* as pool_rule_judge() does it: what cannot be compared is no match */
#define MATCHES \
	"(r.condition IS NULL OR" \
	" coalesce(jsonb_path_match_tz(r.doc, r.condition, '{}', true), false))"
#define IS_KNOWN \
	"EXISTS (SELECT FROM pool.lead_data d" \
	"  JOIN pool.lead_state s ON s.id = d.id" \
	"  WHERE d.tenant_id = r.tenant_id AND d.key = r.lead_key" \
	"  AND NOT ($4 AND s.status = 'archived'))"

/*
 * $1 attachment, $2 rows, $3 whether they were there before: then the spells
 * have begun before, too; $4 whether they are new: then archived leads of the
 * same keys are reopened.
 */
static const char *const enter_query =
"INSERT INTO pool.intake (pool, key, name, source, grade, priority,"
"  attributes, identities, owner, created_at, owned_at, last_follow_up_at)"
" SELECT t.name || '/' || p.name, r.lead_key, " COLUMN("name") ", "
COLUMN("source") ", " COLUMN("grade") ","
" coalesce(" COLUMN("priority") "::integer, 0),"
" " POOL_ATTACHED_ATTRIBUTES ", " POOL_ATTACHED_IDENTITIES ", m.key,"
" CASE WHEN $3 THEN least(h.created_at, h.owned_at, h.now) END,"
" CASE WHEN $3 AND m.key IS NOT NULL THEN h.owned_at END,"
" CASE WHEN $3 AND m.key IS NOT NULL AND h.followed_at >= h.owned_at"
"  THEN least(h.followed_at, h.now) END"
" FROM (" POOL_ATTACHED_ROWS ") r"
" JOIN pool.pool p ON p.id = r.pool_id"
" JOIN pool.tenant t ON t.id = p.tenant_id"
POOL_ATTACHED_MEMBER
" CROSS JOIN LATERAL (SELECT pool.clock() AS now,"
"  " MOMENT("created_at") " AS created_at,"
"  least(coalesce(" MOMENT("owned_at") ", " MOMENT("created_at") "),"
"   pool.clock()) AS owned_at,"
"  " MOMENT("last_follow_up_at") " AS followed_at) h0"
" CROSS JOIN LATERAL (SELECT h0.now, h0.created_at, h0.followed_at,"
"  coalesce(h0.owned_at, h0.now) AS owned_at) h"
" WHERE r.lead_key IS NOT NULL AND " MATCHES
" AND (r.owner_value IS NULL OR m.id IS NOT NULL) AND NOT " IS_KNOWN
" ORDER BY r.n";

/* Those that the query above leaves out, and why. */
static const char *const skipped_query =
"SELECT x.outcome, CASE x.outcome WHEN 'unknown_owner' THEN x.owner_value END,"
" NULL, count(*)"
" FROM (SELECT CASE WHEN r.lead_key IS NULL THEN 'no_key'"
"  WHEN NOT " MATCHES " THEN 'not_matching'"
"  WHEN " IS_KNOWN " THEN 'known'"
"  WHEN r.owner_value IS NOT NULL AND m.id IS NULL THEN 'unknown_owner'"
"  END AS outcome, r.owner_value"
"  FROM (" POOL_ATTACHED_ROWS ") r"
POOL_ATTACHED_MEMBER ") x"
" WHERE x.outcome IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";

static const char *const verdict_query =
"SELECT v.outcome, NULL, v.reason, count(*) FROM pool.intake_check() v"
" GROUP BY 1, 3 ORDER BY 1, 3";

/* $1 attachment: rows that have just been left out, and whose lead is theirs */
static const char *const duplicates_query =
"INSERT INTO pool.bypass (at, tenant_id, attachment_id, lead_id, login,"
"  kind, owner_id)"
" SELECT pool.clock(), a.tenant_id, a.id, s.id, session_user, v.outcome,"
"  s.owner_id"
" FROM pool.intake_check() v JOIN pool.lead_state s ON s.id = v.lead_id,"
"  pool.attachment a"
" WHERE a.id = $1 AND v.outcome = 'duplicate' ORDER BY v.row_number";

/* ------------------------------------------------------------------------
 * Whose rights
 * ------------------------------------------------------------------------ */

/* SQL as the owner of the table, whom its policies do not bind. */
PoolSql
pool_attach_as_owner(const PoolAttachment *a)
{
	return pool_sql_begin_as(pool_sql_owner_of(a->relid), SECURITY_NOFORCE_RLS);
}

/*
 * Does this with the rights of the extension's owner and as no member: what a
 * row says is done for nobody in particular.
 */
void
pool_attach_as_nobody(void (*work) (void *arg), void *arg)
{
	PoolActing *before = pool_acting_suspend();

	PG_TRY();
	{
		PoolSql		sql = pool_sql_begin();

		pool_sql_walk_indexes();
		pool_acting_set(POOL_ACTING_NOBODY);
		/* a caller that only checks his own rows does not mean these */
		(void) set_config_option("pool_ext.intake_mode", "load", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
		work(arg);
		pool_sql_end(sql);
	}
	PG_FINALLY();
	{
		pool_acting_restore(before);
	}
	PG_END_TRY();
}

char *
pool_attach_table_name(const PoolAttachment *a)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(a->relid)),
									  get_rel_name(a->relid));
}

/*
 * A row, called `row` in a statement, as JSON.  Where no condition may be about
 * any of its columns, no more of it than is needed: it may be large.
 */
static char *
document_of(const PoolAttachment *a, const char *row)
{
	const NameData *const names[] = {&a->key, &a->owner, &a->shared};
	List	   *columns = list_copy(a->mapped);
	ListCell   *lc;
	StringInfoData s;

	if (a->conditional)
		return psprintf("to_jsonb(%s.*)", row);
	for (int i = 0; i < (int) lengthof(names); i++)
		if (*NameStr(*names[i]) != '\0')
			columns = lappend(columns, pstrdup(NameStr(*names[i])));
	initStringInfo(&s);
	foreach(lc, columns)
		appendStringInfo(&s, "%s%s.%s", s.len == 0 ? "" : ", ", row,
						 quote_identifier(lfirst(lc)));
	return psprintf("(SELECT to_jsonb(d.*) FROM (SELECT %s) d)", s.data);
}

/* ------------------------------------------------------------------------
 * The rows of a statement
 * ------------------------------------------------------------------------ */

/*
 * Whether a row n says something else in these columns than o did; whose it is,
 * is another matter.
 */
static char *
edit_condition(const PoolAttachment *a, List *columns)
{
	StringInfoData s;
	ListCell   *lc;

	initStringInfo(&s);
	appendStringInfoString(&s, "false");
	foreach(lc, columns)
	{
		const char *name = quote_identifier(lfirst(lc));

		if (strcmp(lfirst(lc), NameStr(a->owner)) == 0 ||
			strcmp(lfirst(lc), NameStr(a->shared)) == 0)
			continue;
		/* json has no equality */
		appendStringInfo(&s, " OR to_jsonb(n.%s) IS DISTINCT FROM"
						 " to_jsonb(o.%s)", name, name);
	}
	return s.data;
}

/*
 * What reads the rows of the statement: those to look at, those gone, those
 * that say something else of their leads.
 */
char *
pool_attach_reading(const PoolAttachment *a, TriggerEvent event)
{
	const char *key = quote_identifier(NameStr(a->key));
	const char *owner = quote_identifier(NameStr(a->owner));

	if (TRIGGER_FIRED_BY_INSERT(event))
		return psprintf("SELECT array_agg(%s), NULL, NULL, NULL, NULL, NULL,"
						" NULL FROM new_rows n", document_of(a, "n"));
	if (TRIGGER_FIRED_BY_DELETE(event))
		return psprintf("SELECT array_agg(%s), NULL, NULL, NULL, NULL, NULL,"
						" NULL FROM old_rows o", document_of(a, "o"));
	return psprintf("SELECT array_agg(x.n) FILTER (WHERE x.owned),"
					" array_agg(x.o) FILTER (WHERE x.gone),"
					" array_agg(x.n) FILTER (WHERE x.edited),"
					" array_agg(x.n) FILTER (WHERE x.touched AND NOT x.owned),"
					" array_agg(x.n) FILTER (WHERE x.fresh),"
					" array_agg(x.n) FILTER (WHERE x.edited AND x.identified),"
					" array_agg(x.o) FILTER (WHERE x.edited AND x.identified)"
					" FROM (SELECT %s AS o, %s AS n,"
					"  o.%s IS NOT NULL AND n.%s IS NULL AS gone,"
					"  n.%s IS NOT NULL AND o.%s IS NULL AS fresh,"
					"  n.%s = o.%s AND n.%s IS DISTINCT FROM o.%s AS owned,"
					"  n.%s = o.%s AND (%s) AS edited, (%s) AS identified,"
					"  n.%s = o.%s AND %s AS touched"
					"  FROM old_rows o FULL JOIN new_rows n ON n.%s = o.%s) x"
					" WHERE x.gone OR x.fresh OR x.owned OR x.edited"
					" OR x.touched",
					document_of(a, "o"), document_of(a, "n"),
					key, key, key, key, key, key, owner, owner,
					key, key, edit_condition(a, a->followed),
					edit_condition(a, a->identities), key, key,
					a->conditional ?
					"to_jsonb(n.*) IS DISTINCT FROM to_jsonb(o.*)" : "false",
					key, key);
}

/* ------------------------------------------------------------------------
 * Entering
 * ------------------------------------------------------------------------ */

typedef struct Entering
{
	const PoolAttachment *a;
	Datum		rows;
	PoolAttachRows how;
	List	  **counts;
	bool		any;			/* of them enter */
	MemoryContext context;		/* of the counts */
} Entering;

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
count_rows(Entering *e, const char *outcome, const char *owner,
		   const char *reason, int64 n)
{
	MemoryContext old;
	PoolAttachCount *count;
	ListCell   *lc;

	foreach(lc, *e->counts)
	{
		count = lfirst(lc);
		if (same(count->outcome, outcome) && same(count->owner, owner) &&
			same(count->reason, reason))
		{
			count->n += n;
			return;
		}
	}
	old = MemoryContextSwitchTo(e->context);
	count = palloc(sizeof(PoolAttachCount));
	count->outcome = pstrdup(outcome);
	count->owner = owner != NULL ? pstrdup(owner) : NULL;
	count->reason = reason != NULL ? pstrdup(reason) : NULL;
	count->n = n;
	*e->counts = lappend(*e->counts, count);
	MemoryContextSwitchTo(old);
}

/* Adds up what the statement just run has returned; how many rows it was. */
static int64
count_result(Entering *e)
{
	SPITupleTable *table = SPI_tuptable;
	int64		sum = 0;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *v[4];

		for (int c = 0; c < 4; c++)
			v[c] = SPI_getvalue(table->vals[i], table->tupdesc, c + 1);
		count_rows(e, v[0], v[1], v[2], pg_strtoint64(v[3]));
		sum += pg_strtoint64(v[3]);
	}
	return sum;
}

static void
enter(void *arg)
{
	Entering   *e = arg;
	Oid			types[4] = {INT4OID, JSONBARRAYOID, BOOLOID, BOOLOID};
	Datum		values[4] = {Int32GetDatum(e->a->id), e->rows,
		BoolGetDatum(e->how == POOL_ATTACH_EXISTING),
	BoolGetDatum(e->how == POOL_ATTACH_INSERTED)};
	ArrayType  *rows = DatumGetArrayTypeP(e->rows);

	pool_sql_run(skipped_query, 4, types, values, NULL);
	e->any = count_result(e) < ArrayGetNItems(ARR_NDIM(rows), ARR_DIMS(rows));
	if (!e->any)
		return;
	pool_sql_run(enter_query, 4, types, values, NULL);
	pool_sql_run(verdict_query, 0, NULL, NULL, NULL);
	(void) count_result(e);
	if (e->how == POOL_ATTACH_INSERTED || e->how == POOL_ATTACH_UPDATED)
		pool_sql_run(duplicates_query, 1, types, values, NULL);
}

/*
 * Lets in these rows, a jsonb[], but for those that are leads already, do not
 * match, or name an owner who is no member.  *counts gets what became of all.
 * Returns whether any was left.
 */
bool
pool_attach_enter(const PoolAttachment *a, Datum rows, PoolAttachRows how,
				  List **counts)
{
	Entering	e = {a, rows, how, counts, false, CurrentMemoryContext};

	pool_attach_as_nobody(enter, &e);
	return e.any;
}

/* The next rows of the cursor as a jsonb[], 0 if there is none left. */
Datum
pool_attach_fetch(Portal portal, MemoryContext context)
{
	ArrayBuildState *state = NULL;

	SPI_cursor_fetch(portal, true, POOL_ATTACH_CHUNK);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		row = pool_sql_datum(i, 1, &isnull);

		state = accumArrayResult(state, row, isnull, JSONBOID, context);
	}
	SPI_freetuptable(SPI_tuptable);
	return state == NULL ? (Datum) 0 : makeArrayResult(state, context);
}

/*
 * The same for all rows there are; then the owner column says what the pool
 * says, where there were leads before.
 */
void
pool_attach_enter_all(const PoolAttachment *a, List **counts)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext chunk = AllocSetContextCreate(outer, "pool_ext attach",
												ALLOCSET_DEFAULT_SIZES);
	PoolSql		sql = pool_attach_as_owner(a);
	Portal		portal;
	Datum		rows;

	portal = SPI_cursor_open_with_args(NULL,
									   psprintf("SELECT %s FROM ONLY %s t",
												document_of(a, "t"),
												pool_attach_table_name(a)),
									   0, NULL, NULL, NULL, true, 0);
	while ((rows = pool_attach_fetch(portal, chunk)) != 0)
	{
		MemoryContext inner = MemoryContextSwitchTo(outer);

		CHECK_FOR_INTERRUPTS();
		(void) pool_attach_enter(a, rows, POOL_ATTACH_EXISTING, counts);
		pool_attach_write_rows(a, rows);
		MemoryContextSwitchTo(inner);
		MemoryContextReset(chunk);
	}
	SPI_cursor_close(portal);
	pool_sql_end(sql);
	MemoryContextDelete(chunk);
}
