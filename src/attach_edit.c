/*
 * attach_edit.c
 *	  What else rows of attached tables say of leads: names, labels, attributes
 *	  and identities follow the table.
 *
 * Not the other way round: an edit of a lead leaves its row as it is.  Leads are
 * locked without waiting, before any counters: see attach_trigger.c.
 */
#include "compat.h"
#include "attach.h"

#include "attach_sql.h"
#include "catalog/pg_type.h"

/* $1 attachment, $2 rows; in the order of locks */
#define LEADS \
	"(SELECT r.*, d.id AS lead_id FROM (" POOL_ATTACHED_ROWS ") r" \
	" CROSS JOIN LATERAL " POOL_ATTACHED_LEAD " d" \
	" ORDER BY d.id OFFSET 0) r"

static const char *const leads_query =
"SELECT array_agg(r.lead_id ORDER BY r.lead_id), count(*) FROM " LEADS;

/* Columns that say nothing of a lead are NULL: unchanged. */
static const char *const edit_query =
"SELECT e.outcome FROM " LEADS " CROSS JOIN LATERAL pool.edit(r.lead_id,"
" name => " POOL_ATTACHED_COLUMN("name") ","
" grade => " POOL_ATTACHED_COLUMN("grade") ","
" priority => " POOL_ATTACHED_COLUMN("priority") "::integer,"
" attributes => " POOL_ATTACHED_ATTRIBUTES ") e";

/*
 * What the columns say now; JSON null where it is nothing any more, and $3, the
 * rows before, said something.
 */
#define IDENTITIES \
	"(SELECT coalesce(jsonb_object_agg(c.key," \
	"  nullif(btrim(r.doc ->> c.value), '')), '{}')" \
	" FROM jsonb_each_text(r.identities) c" \
	" WHERE btrim(r.doc ->> c.value) <> ''" \
	"  OR btrim(($3)[r.n] ->> c.value) <> '')"

/* An identity that another lead has stays with it, and the log says so. */
static const char *const identities_query =
"INSERT INTO pool.bypass (at, tenant_id, attachment_id, lead_id, login,"
"  kind, owner_id)"
" SELECT pool.clock(), r.tenant_id, r.id, r.lead_id, session_user,"
"  e.outcome, s.owner_id"
" FROM " LEADS " JOIN pool.lead_state s ON s.id = r.lead_id"
" CROSS JOIN LATERAL pool.edit(r.lead_id,"
"  identities => " IDENTITIES ") e"
" WHERE e.outcome = 'duplicate'";

/*
 * The leads of these rows, a jsonb[], become as the rows say; rows without a
 * lead are left alone.  Those of `identified`, 0 = none of them, say something
 * else of identities than `before`, the same rows as they were.  Raises 55P03
 * if another transaction has one of the leads, and what edit() raises.
 */
void
pool_attach_edit(const PoolAttachment *a, Datum rows, Datum identified,
				 Datum before)
{
	Oid			types[3] = {INT4OID, JSONBARRAYOID, JSONBARRAYOID};
	Datum		values[3] = {Int32GetDatum(a->id), rows, before};
	Datum		leads;
	int64		n;
	bool		isnull;

	pool_sql_run(leads_query, 2, types, values, NULL);
	leads = pool_sql_datum(0, 1, &isnull);
	if (isnull)
		return;
	n = pool_sql_int8(0, 2);
	pool_attach_lock_leads(a, leads, n);
	pool_sql_run(edit_query, 2, types, values, NULL);
	values[1] = identified;
	if (identified != 0)
		pool_sql_run(identities_query, 3, types, values, NULL);
}
