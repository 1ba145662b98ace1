/*
 * attach_trigger.c
 *	  What follows when the application writes to an attached table.
 *
 * The triggers run once, after each statement, so that all its leads are locked
 * together, before any counters, and without waiting: the statement has locked
 * its rows before the leads, whereas we lock rows after them, so that each could
 * wait for the other.
 *
 * Our own writes fire them, too, and find the leads in agreement.
 */
#include "compat.h"
#include "attach.h"

#include "access.h"
#include "attach_sql.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "errors.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(pool_attached_written);

#define ARCHIVED "deleted"
#define REASON "attached table"

/* Rows that were written, and what is to become of their leads. */
typedef struct Written
{
	const PoolAttachment *a;
	Datum		rows;			/* jsonb[], 0 = none */
	Datum		gone;			/* rows whose keys are there no more, likewise */
	Datum		edited;			/* rows that say something else of their leads */
	Datum		identified;		/* those of them that say so of identities */
	Datum		before;			/* what these said before, in the same order */
	Datum		touched;		/* rows that may match from now on, owners as
								 * before */
	Datum		fresh;			/* rows whose keys were not there before */
	int32		self;			/* the caller's member, 0 = none */
	bool		deleted;
	bool		entered;		/* they are new to the pool: owners count only */
} Written;

/*
 * What each lead would need so that it is as its row says.  $1 attachment,
 * $2 rows, $3 the caller's member, $4 whether the rows were deleted, $5 whether
 * they have just been let in: then a rule may have found an owner for them.
 */
#define DIFFERENCES \
	"SELECT s.id, s.status, s.owner_id," \
	" CASE WHEN $4 THEN NULL ELSE m.id END AS member_id," \
	" CASE WHEN NOT $4 THEN t.name || '/' || m.key END AS member," \
	" CASE WHEN $4 THEN 'archive'" \
	"  WHEN r.owner_value IS NOT NULL AND m.id IS NULL THEN 'unknown_owner'" \
	"  WHEN s.status = 'available' AND m.id = $3 THEN 'claim'" \
	"  WHEN s.status = 'available' THEN 'assign'" \
	"  WHEN s.status <> 'owned' THEN 'not_available'" \
	"  WHEN m.id IS NOT NULL THEN 'transfer'" \
	"  WHEN s.owner_id = $3 THEN 'release'" \
	"  ELSE 'reclaim' END AS op" \
	" FROM (" POOL_ATTACHED_ROWS ") r" \
	" JOIN pool.tenant t ON t.id = r.tenant_id" \
	" CROSS JOIN LATERAL " POOL_ATTACHED_LEAD " d" \
	" JOIN pool.lead_state s ON s.id = d.id" \
	POOL_ATTACHED_MEMBER \
	" WHERE CASE WHEN $4 THEN s.status IN ('available', 'owned', 'review')" \
	"  WHEN $5 AND r.owner_value IS NULL THEN false" \
	"  ELSE " POOL_ATTACHED_OWNER " IS DISTINCT FROM m.id" \
	"   OR (r.owner_value IS NOT NULL AND m.id IS NULL) END"

static const char *const leads_query =
"SELECT array_agg(x.id ORDER BY x.id), count(*) FROM (" DIFFERENCES ") x";

/* $1 attachment, $2 rows: those that are leads, in whatever state */
static const char *const known_query =
"SELECT FROM (" POOL_ATTACHED_ROWS ") r CROSS JOIN LATERAL "
POOL_ATTACHED_LEAD " d";
static const char *const lock_query =
"SELECT s.id FROM pool.lead_state s WHERE s.id = ANY ($1) ORDER BY s.id"
" FOR NO KEY UPDATE SKIP LOCKED";
static const char *const log_query =
"INSERT INTO pool.bypass (at, tenant_id, attachment_id, lead_id, login,"
"  kind, owner_id, member_id)"
" SELECT pool.clock(), a.tenant_id, a.id, x.id, session_user, x.op,"
"  x.owner_id, x.member_id"
" FROM (" DIFFERENCES ") x, pool.attachment a WHERE a.id = $1";
static const char *const groups_query =
"SELECT g.op, g.member, array_agg(g.id ORDER BY g.id)"
" FROM (SELECT x.*, (row_number() OVER (PARTITION BY x.op, x.member"
"   ORDER BY x.id) - 1) / 5000 AS part FROM (" DIFFERENCES ") x) g"
" GROUP BY g.op, g.member, g.part ORDER BY min(g.id)";

static uint64
run(const Written *w, const char *query, Datum rows)
{
	Oid			types[5] = {INT4OID, JSONBARRAYOID, INT4OID, BOOLOID, BOOLOID};
	Datum		values[5] = {Int32GetDatum(w->a->id), rows,
		Int32GetDatum(w->self), BoolGetDatum(w->deleted),
	BoolGetDatum(w->entered)};

	return pool_sql_run(query, 5, types, values, NULL);
}

/* ------------------------------------------------------------------------
 * Refusing
 * ------------------------------------------------------------------------ */

static void
report_refused(const Written *w)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("owners in table \"%s\" are changed by pool_ext only",
					get_rel_name(w->a->relid)),
			 errdetail("The table is attached, and on_bypass is refuse."),
			 errhint("Call pool.claim_leads(), assign(), transfer(), "
					 "release(), reclaim() or archive().")));
}

static void
report_busy(const PoolAttachment *a)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("could not obtain lock on a lead of table \"%s\"",
					get_rel_name(a->relid)),
			 errdetail("Another transaction is changing it."),
			 errhint("Try the statement again.")));
}

static void
report_outcome(const Written *w, const char *op, const char *outcome, int64 id)
{
	if (strcmp(outcome, "contended") == 0)
		report_busy(w->a);
	ereport(ERROR,
			(errcode(strcmp(outcome, "unknown_owner") == 0 ?
					 POOL_ERRCODE_UNKNOWN_MEMBER :
					 ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the pool does not let table \"%s\" change an owner",
					get_rel_name(w->a->relid)),
			 errdetail("For lead %lld it says %s to %s.", (long long) id,
					   outcome, op),
			 errhint("Outcomes are those of the function of that name; "
					 "unknown_owner: the column names no member.")));
}

/* ------------------------------------------------------------------------
 * Doing what the rows say
 * ------------------------------------------------------------------------ */

/* How an operation is called: $1 leads, $2 member, $3 reason. */
static const struct
{
	const char *op;
	const char *call;
	const char *done;
}			calls[] =

{
	{"claim", "pool.claim_leads($1, $2)", "claimed"},
	{"assign", "pool.assign($1, $2, NULL, $3)", "assigned"},
	{"transfer", "pool.transfer($1, $2, NULL, $3)", "transferred"},
	{"release", "pool.release($1, NULL, NULL, $2)", "released"},
	{"reclaim", "pool.reclaim($1, $3)", "reclaimed"},
	{"archive", "pool.archive($1, '" ARCHIVED "')", "archived"}
};

/* Does it to these leads, all of which must be allowed. */
static void
operate(const Written *w, const char *op, Datum member, Datum leads)
{
	Oid			types[3] = {INT8ARRAYOID, TEXTOID, TEXTOID};
	Datum		values[3] = {leads, member, CStringGetTextDatum(REASON)};
	int			i = 0;

	while (i < (int) lengthof(calls) && strcmp(calls[i].op, op) != 0)
		i++;
	if (i == (int) lengthof(calls))
	{
		ArrayType  *array = DatumGetArrayTypeP(leads);

		report_outcome(w, "any operation", op,
					   *(int64 *) ARR_DATA_PTR(array));
	}
	pool_sql_run(psprintf("SELECT f.outcome, f.lead_id FROM %s f"
						  " WHERE f.outcome <> '%s'"
						  " OR ($2 IS NULL AND $3 IS NULL)",
						  calls[i].call, calls[i].done),
				 3, types, values, member == 0 ? " n " : NULL);
	if (SPI_processed > 0)
		report_outcome(w, op, SPI_getvalue(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1),
					   pool_sql_int8(0, 2));
}

/* A member who gives his own lead back is named for release. */
static Datum
releasing(const Written *w, const char *op, Datum member)
{
	const PoolMemberConf *self;

	if (strcmp(op, "release") != 0)
		return member;
	self = pool_config_member(w->self);
	return CStringGetTextDatum(psprintf("%s/%s",
										pool_config_tenant(self->tenant_id)->name,
										self->key));
}

static void
do_as_rows_say(const Written *w, Datum rows)
{
	uint64		n = run(w, groups_query, rows);
	SPITupleTable *groups = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		char	   *op = SPI_getvalue(groups->vals[i], groups->tupdesc, 1);
		Datum		member = SPI_getbinval(groups->vals[i], groups->tupdesc, 2,
										   &isnull);
		Datum		leads;

		if (isnull)
			member = (Datum) 0;
		leads = SPI_getbinval(groups->vals[i], groups->tupdesc, 3, &isnull);
		operate(w, op, releasing(w, op, member), leads);
	}
}

/* Locks these n leads, a bigint[]; 55P03 if somebody has one of them. */
void
pool_attach_lock_leads(const PoolAttachment *a, Datum leads, int64 n)
{
	Oid			type = INT8ARRAYOID;

	if (pool_sql_run(lock_query, 1, &type, &leads, NULL) < (uint64) n)
		report_busy(a);
}

/* Leads whose rows say something else become like them, or nothing does. */
static void
follow_rows(const Written *w, Datum rows)
{
	Datum		leads;
	bool		isnull;
	int64		n;

	run(w, leads_query, rows);
	leads = pool_sql_datum(0, 1, &isnull);
	if (isnull)
		return;
	n = pool_sql_int8(0, 2);
	if (w->a->on_bypass == 'r')
		report_refused(w);
	if (w->a->on_bypass == 'l')
	{
		run(w, log_query, rows);
		return;
	}
	pool_attach_lock_leads(w->a, leads, n);
	do_as_rows_say(w, rows);
}

/* Closed leads keep their rows, too: they may be reopened. */
static void
check_keys(const Written *w)
{
	Oid			types[2] = {INT4OID, JSONBARRAYOID};
	Datum		values[2] = {Int32GetDatum(w->a->id), w->gone};

	if (w->gone != 0 &&
		pool_sql_run(known_query, 2, types, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("keys of table \"%s\" cannot be changed",
						get_rel_name(w->a->relid)),
				 errdetail("The table is attached: a lead is known by the key "
						   "of its row."),
				 errhint("Delete the row and insert another one.")));
}

static void
handle(void *arg)
{
	const Written *w = arg;

	check_keys(w);
	/* before any counters */
	if (w->edited != 0)
		pool_attach_edit(w->a, w->edited, w->identified, w->before);
	if (w->rows != 0)
		follow_rows(w, w->rows);
}

/* ------------------------------------------------------------------------
 * The statement
 * ------------------------------------------------------------------------ */

static Datum
result_column(int column)
{
	bool		isnull;
	Datum		value = pool_sql_datum(0, column, &isnull);

	return isnull ? (Datum) 0 : SPI_datumTransfer(value, false, -1);
}

/* Copies the rows of the statement, as their owner. */
static void
read_rows(Written *w, TriggerData *trigger)
{
	char	   *query = pool_attach_reading(w->a, trigger->tg_event);
	PoolSql		sql = pool_attach_as_owner(w->a);

	if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER)
		elog(ERROR, "SPI_register_trigger_data failed");
	pool_sql_run(query, 0, NULL, NULL, NULL);
	w->rows = result_column(1);
	w->gone = result_column(2);
	w->edited = result_column(3);
	w->touched = result_column(4);
	w->fresh = result_column(5);
	w->identified = result_column(6);
	w->before = result_column(7);
	pool_sql_end(sql);
}

static void
refuse_truncate(const PoolAttachment *a)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot truncate table \"%s\" while it is attached",
					get_rel_name(a->relid)),
			 errdetail("Its rows are leads."),
			 errhint("Use DELETE, or pool.detach() first.")));
}

/* Unless such things are only logged. */
static void
refuse_unknown_owners(const Written *w, List *counts)
{
	ListCell   *lc;

	if (w->a->on_bypass == 'l')
		return;
	foreach(lc, counts)
	{
		const PoolAttachCount *count = lfirst(lc);

		if (strcmp(count->outcome, "unknown_owner") == 0)
			ereport(ERROR,
					(errcode(POOL_ERRCODE_UNKNOWN_MEMBER),
					 errmsg("a row of table \"%s\" has an unknown owner",
							get_rel_name(w->a->relid)),
					 errdetail("Its owner column names no member."),
					 errhint("INSERT INTO pool.member, or leave the owner "
							 "out.")));
	}
}

/*
 * Rows enter that are new, or have come to match.  An owner whom nobody knows
 * is an error where the statement has named him; else the row is left alone.
 */
static void
let_in(const Written *w, Datum rows, PoolAttachRows how)
{
	Written		entered = {.a = w->a,.rows = rows,.self = w->self,
	.entered = true};
	List	   *counts = NIL;
	bool		any;

	if (rows == 0)
		return;
	any = pool_attach_enter(w->a, rows, how, &counts);
	if (how != POOL_ATTACH_TOUCHED)
		refuse_unknown_owners(w, counts);
	if (any || how == POOL_ATTACH_INSERTED)
		pool_attach_as_nobody(handle, &entered);
}

static void
report_stray(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("pool.attached_written() is a trigger function of attached tables"),
			 errdetail("No row of pool.attachment is about this one."),
			 errhint("See pool.attach(); drop a trigger that a copy of a table "
					 "has brought along.")));
}

static TriggerData *
called_by(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		report_stray();
	return (TriggerData *) fcinfo->context;
}

/* Statement trigger of attached tables. */
Datum
pool_attached_written(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_by(fcinfo);
	Written		w = {0};

	pool_config_refresh();
	w.a = pool_attachment_of(RelationGetRelid(trigger->tg_relation));
	if (w.a == NULL)
		report_stray();
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		refuse_truncate(w.a);
	pool_attach_check_columns(w.a);
	read_rows(&w, trigger);
	w.self = pool_caller_member();
	w.deleted = TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		(w.rows != 0 || w.gone != 0 || w.edited != 0))
		pool_attach_as_nobody(handle, &w);
	if (w.deleted)
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		w.fresh = w.rows;
	else
	{
		let_in(&w, w.rows, POOL_ATTACH_UPDATED);
		let_in(&w, w.touched, POOL_ATTACH_TOUCHED);
	}
	let_in(&w, w.fresh, POOL_ATTACH_INSERTED);
	/* a lead that was here before keeps its owner where the row names none */
	if (w.fresh != 0)
		pool_attach_write_rows(w.a, w.fresh);
	return PointerGetDatum(NULL);
}
