/*
 * load.c
 *	  Leads enter in bulk: the view intake.
 *
 * A row trigger collects, a statement trigger enters all rows at once.  In
 * check mode it undoes what it did and keeps the verdicts only.
 */
#include "compat.h"
#include "load.h"

#include "access/xact.h"
#include "attempt.h"
#include "batch.h"
#include "entry.h"
#include "guc.h"
#include "intake.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "take_over.h"
#include "trigger.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "verdict.h"

PG_FUNCTION_INFO_V1(pool_intake_row);
PG_FUNCTION_INFO_V1(pool_intake_statement);

/* bytes of a key that are shown in messages */
#define SHOWN_KEY_LENGTH 100

/* columns of the view */
enum
{
	INTAKE_POOL = 1, INTAKE_KEY, INTAKE_NAME, INTAKE_SOURCE, INTAKE_GRADE,
	INTAKE_PRIORITY, INTAKE_ATTRIBUTES, INTAKE_IDENTITIES, INTAKE_OWNER,
	INTAKE_CREATED_AT, INTAKE_OWNED_AT, INTAKE_LAST_FOLLOW_UP_AT,
	INTAKE_STATUS
};

/* Rows collected by the statement under way at one query level. */
typedef struct Intake
{
	SubTransactionId subid;
	MemoryContext context;
	PoolActor	actor;
	PoolEntry  *entries;
	int		   *rows;			/* their numbers in the statement, from 1 */
	int			n;
	int			size;
	int			n_rows;			/* seen so far, entries or not */
	bool		check;			/* nothing is to be written */
	PoolVerdicts *verdicts;
	struct Intake *outer;
} Intake;

static Intake *intake = NULL;

static void
drop_intake(void)
{
	Intake	   *gone = intake;

	intake = gone->outer;
	MemoryContextDelete(gone->context);
}

static void
intake_end_of_xact(XactEvent event, void *arg)
{
	/* their memory goes with the transaction */
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT ||
		event == XACT_EVENT_PREPARE)
		intake = NULL;
}

static void
intake_end_of_subxact(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (intake != NULL && intake->subid == subid)
			drop_intake();
}

void
pool_load_init(void)
{
	RegisterXactCallback(intake_end_of_xact, NULL);
	RegisterSubXactCallback(intake_end_of_subxact, NULL);
}

static void
begin_intake(void)
{
	MemoryContext context;
	Intake	   *level;

	PreventCommandIfReadOnly("INSERT INTO pool.intake");
	PreventCommandDuringRecovery("INSERT INTO pool.intake");
	pool_config_refresh();
	context = AllocSetContextCreate(TopTransactionContext, "pool_ext intake",
									ALLOCSET_DEFAULT_SIZES);
	level = MemoryContextAllocZero(context, sizeof(Intake));
	level->subid = GetCurrentSubTransactionId();
	level->context = context;
	level->actor = pool_caller_as_actor();
	level->size = 64;
	level->entries = MemoryContextAllocHuge(context,
											level->size * sizeof(PoolEntry));
	level->rows = MemoryContextAllocHuge(context, level->size * sizeof(int));
	level->check = pool_intake_mode == POOL_INTAKE_CHECK;
	level->verdicts = pool_verdict_begin(context);
	level->outer = intake;
	intake = level;
}

static void
enter_rows(void *arg)
{
	PoolWork   *work = pool_work_begin();
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());
	MemoryContext old = MemoryContextSwitchTo(intake->context);
	int64		undone_from = intake->check ? pool_lead_new_id() : PG_INT64_MAX;

	pool_entry_run(work, snapshot, intake->entries, intake->n,
				   intake->actor.member_id);
	for (int i = 0; i < intake->n; i++)
		pool_verdict_put(intake->verdicts, intake->rows[i], &intake->entries[i],
						 undone_from);
	MemoryContextSwitchTo(old);
	UnregisterSnapshot(snapshot);
	pool_work_end(work);
}

static void
end_intake(void)
{
	if (intake->check)
		pool_rehearse(enter_rows, NULL);
	else
		enter_rows(NULL);
	pool_verdict_publish(intake->verdicts, intake->check);
	drop_intake();
}

/* Statement trigger, before and after INSERT */
Datum
pool_intake_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = pool_trigger_data(fcinfo);

	if (TRIGGER_FIRED_BEFORE(trigger->tg_event))
		begin_intake();
	else
		end_intake();
	return PointerGetDatum(NULL);
}

/* A column of the row, copied; 0 for NULL. */
static Datum
row_datum(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? (Datum) 0 :
		PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

static int32
row_priority(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(row, INTAKE_PRIORITY, desc, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static TimestampTz
row_time(HeapTuple row, TupleDesc desc, int column, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	if (isnull)
		return POOL_NO_TIME;
	pool_check_time(DatumGetTimestampTz(value), name);
	return DatumGetTimestampTz(value);
}

/* The status a lead comes with; AVAILABLE and *given false where none is. */
static PoolStatus
row_status(HeapTuple row, TupleDesc desc, bool *given)
{
	Datum		value = row_datum(row, desc, INTAKE_STATUS);
	char	   *name;

	*given = value != 0;
	if (value == 0)
		return POOL_AVAILABLE;
	name = TextDatumGetCString(value);
	for (PoolStatus status = POOL_AVAILABLE; status <= POOL_ARCHIVED; status++)
		if (strcmp(name, pool_status_name(status)) == 0)
			return status;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("status \"%.64s\" is not one to enter with",
					pool_cut(name, 64)),
			 errdetail("A lead comes as what it was elsewhere."),
			 errhint("Status is one of available, owned, converted and "
					 "archived, or NULL.")));
	return POOL_AVAILABLE;
}

/* What is known of the lead's life before it comes here. */
static void
read_history(HeapTuple row, TupleDesc desc, PoolEntry *entry)
{
	bool		given;

	entry->created_at = row_time(row, desc, INTAKE_CREATED_AT, "created_at");
	entry->owned_at = row_time(row, desc, INTAKE_OWNED_AT, "owned_at");
	entry->last_follow_up_at = row_time(row, desc, INTAKE_LAST_FOLLOW_UP_AT,
										"last_follow_up_at");
	entry->taken_status = row_status(row, desc, &given);
	if (!given && entry->owner_id != 0)
		entry->taken_status = POOL_OWNED;
	pool_check_not_ahead(entry->created_at, "created_at");
	if (given || entry->owned_at != POOL_NO_TIME ||
		entry->last_follow_up_at != POOL_NO_TIME)
		pool_take_over_check(entry, pool_now());
	entry->taken_over = entry->owned_at != POOL_NO_TIME ||
		entry->taken_status == POOL_CONVERTED ||
		entry->taken_status == POOL_ARCHIVED;
}

static void
read_row(HeapTuple row, TupleDesc desc, PoolEntry *entry)
{
	Datum		pool_name = row_datum(row, desc, INTAKE_POOL);
	Datum		identities = row_datum(row, desc, INTAKE_IDENTITIES);
	Datum		owner = row_datum(row, desc, INTAKE_OWNER);
	int32		priority = row_priority(row, desc);
	const PoolConf *pool;

	if (pool_name == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"pool\" must not be null"),
				 errdetail("Every lead has one home pool."),
				 errhint("It names the pool the lead enters.")));
	pool = pool_resolve_pool(DatumGetTextPP(pool_name));
	memset(entry, 0, sizeof(PoolEntry));
	entry->tenant_id = pool->tenant_id;
	entry->pool_id = pool->id;
	entry->key = row_datum(row, desc, INTAKE_KEY);
	entry->name = row_datum(row, desc, INTAKE_NAME);
	entry->source = row_datum(row, desc, INTAKE_SOURCE);
	entry->grade = row_datum(row, desc, INTAKE_GRADE);
	pool_check_priority(priority);
	entry->priority = priority;
	entry->attributes = row_datum(row, desc, INTAKE_ATTRIBUTES);
	pool_check_entry(entry);
	if (identities != 0)
		entry->identities = pool_identities(DatumGetJsonbP(identities),
											pool->country);
	if (owner != 0)
		entry->owner_id = pool_resolve_owner(pool, DatumGetTextPP(owner));
	read_history(row, desc, entry);
	pool_check_entry_right(&intake->actor, pool, entry->owner_id);
}

/* Adds the row's number and key to any error about it. */
static void
name_row(void *arg)
{
	TriggerData *trigger = arg;
	bool		isnull;
	Datum		value = heap_getattr(trigger->tg_trigtuple, INTAKE_KEY,
									 RelationGetDescr(trigger->tg_relation),
									 &isnull);
	char	   *key = isnull ? pstrdup("") : TextDatumGetCString(value);

	key[pg_mbcliplen(key, strlen(key), SHOWN_KEY_LENGTH)] = '\0';
	errcontext("row %d of the intake, key \"%s\"", intake->n_rows, key);
}

static void
make_room(void)
{
	if (intake->n < intake->size)
		return;
	intake->size *= 2;
	intake->entries = repalloc_huge(intake->entries,
									intake->size * sizeof(PoolEntry));
	intake->rows = repalloc_huge(intake->rows, intake->size * sizeof(int));
}

static void
collect_row(TriggerData *trigger)
{
	ErrorContextCallback context;
	MemoryContext old;

	context.callback = name_row;
	context.arg = trigger;
	context.previous = error_context_stack;
	error_context_stack = &context;
	old = MemoryContextSwitchTo(intake->context);
	make_room();
	read_row(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation),
			 &intake->entries[intake->n]);
	intake->rows[intake->n++] = intake->n_rows;
	MemoryContextSwitchTo(old);
	error_context_stack = context.previous;
}

static void
collect_one(void *arg)
{
	collect_row(arg);
}

/* What is wrong with the row is its verdict. */
static void
check_row(TriggerData *trigger)
{
	ErrorData  *error = pool_attempt(collect_one, trigger);
	bool		isnull;
	Datum		key;

	if (error == NULL)
		return;
	key = heap_getattr(trigger->tg_trigtuple, INTAKE_KEY,
					   RelationGetDescr(trigger->tg_relation), &isnull);
	pool_verdict_error(intake->verdicts, intake->n_rows, isnull ? 0 : key,
					   error->detail == NULL ? error->message :
					   psprintf("%s: %s", error->message, error->detail));
}

/* Row trigger, instead of INSERT */
Datum
pool_intake_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = pool_trigger_data(fcinfo);

	if (intake == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.intake_row() is a trigger function of pool.intake")));
	intake->n_rows++;
	if (intake->check)
		check_row(trigger);
	else
		collect_row(trigger);
	return PointerGetDatum(trigger->tg_trigtuple);
}
