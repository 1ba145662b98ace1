/*
 * entry.c
 *	  Leads enter: the engine behind enter() and the view intake.
 *
 * Works on any number of entries at once.  First all their identities are
 * reserved in ascending order, then all their keys: the unique indexes make a
 * second load wait for the first one's outcome, and the common order keeps two
 * loads from waiting for each other.  Only then is each entry judged, in the
 * order given, and the reservations of those that turn out to be duplicates
 * are given up again.
 */
#include "compat.h"
#include "entry.h"

#include "access.h"
#include "access/xact.h"
#include "assign.h"
#include "catalog/pg_type.h"
#include "claim_test.h"
#include "close.h"
#include "data.h"
#include "event.h"
#include "lead.h"
#include "miscadmin.h"
#include "quota.h"
#include "sql.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/* An identity asked for, and by which entry first. */
typedef struct Reservation
{
	int32		tenant_id;
	const char *kind;
	const char *value;
	int			entry;
	int64		holder;			/* lead that has it now */
	int64		keeper;			/* lead that is to have it, 0 = none */
} Reservation;

typedef struct Run
{
	PoolWork   *work;
	Snapshot	snapshot;
	PoolEntry  *entries;
	int			n;
	int32		actor_id;
	TimestampTz now;
	Reservation *reservations;	/* sorted, each identity once */
	int			n_reservations;
	int64	   *doubled;		/* the lead each entry doubles, 0 = none */
} Run;

/* ------------------------------------------------------------------------
 * Reserving
 * ------------------------------------------------------------------------ */

static int
compare_identity(int32 tenant_a, const char *kind_a, const char *value_a,
				 int32 tenant_b, const char *kind_b, const char *value_b)
{
	int			result;

	if (tenant_a != tenant_b)
		return tenant_a < tenant_b ? -1 : 1;
	result = strcmp(kind_a, kind_b);
	return result != 0 ? result : strcmp(value_a, value_b);
}

static int
compare_reservations(const void *a, const void *b)
{
	const Reservation *x = a;
	const Reservation *y = b;
	int			result = compare_identity(x->tenant_id, x->kind, x->value,
										  y->tenant_id, y->kind, y->value);

	return result != 0 ? result : x->entry - y->entry;
}

static void
collect_reservations(Run *run)
{
	int			size = 0;
	int			kept = 0;

	for (int i = 0; i < run->n; i++)
		size += list_length(run->entries[i].identities);
	run->reservations = palloc(Max(size, 1) * sizeof(Reservation));
	for (int i = 0; i < run->n; i++)
	{
		ListCell   *lc;

		foreach(lc, run->entries[i].identities)
		{
			PoolIdentity *identity = lfirst(lc);

			run->reservations[run->n_reservations++] = (Reservation)
			{
				.tenant_id = run->entries[i].tenant_id,
					.kind = identity->kind,
					.value = identity->value,
					.entry = i
			};
		}
	}
	qsort(run->reservations, run->n_reservations, sizeof(Reservation),
		  compare_reservations);
	for (int i = 0; i < run->n_reservations; i++)
	{
		Reservation *r = &run->reservations[i];

		if (kept > 0 &&
			compare_identity(run->reservations[kept - 1].tenant_id,
							 run->reservations[kept - 1].kind,
							 run->reservations[kept - 1].value,
							 r->tenant_id, r->kind, r->value) == 0)
			continue;
		run->reservations[kept++] = *r;
	}
	run->n_reservations = kept;
}

static Reservation *
find_reservation(Run *run, int32 tenant_id, const PoolIdentity *identity)
{
	int			low = 0;
	int			high = run->n_reservations - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		Reservation *r = &run->reservations[middle];
		int			order = compare_identity(tenant_id, identity->kind,
											 identity->value, r->tenant_id,
											 r->kind, r->value);

		if (order == 0)
			return r;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	elog(ERROR, "identity was not reserved");
	return NULL;
}

static Datum
make_array(Datum *values, const bool *nulls, int n, Oid type)
{
	int16		len = type == INT4OID ? 4 : type == INT8OID ||
	type == TIMESTAMPTZOID ? 8 : -1;
	int			dims[1] = {n};
	int			bounds[1] = {1};

	return PointerGetDatum(construct_md_array(values,
											  unconstify(bool *, nulls), 1,
											  dims, bounds, type, len, len > 0,
											  len == 8 ? TYPALIGN_DOUBLE :
											  TYPALIGN_INT));
}

/* Runs a statement whose plan is kept for the session. */
static void
run_kept(SPIPlanPtr *plan, const char *command, int nargs, Oid *types,
		 Datum *values)
{
	int			rc;

	if (*plan == NULL)
	{
		*plan = SPI_prepare(command, nargs, types);
		if (*plan == NULL || SPI_keepplan(*plan) != 0)
			elog(ERROR, "could not prepare a statement: %s",
				 SPI_result_code_string(SPI_result));
	}
	rc = SPI_execute_plan(*plan, values, NULL, false, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(rc));
}

/*
 * Reserves all identities for the leads that name them first, and finds out
 * who has them.
 */
static void
reserve_identities(Run *run)
{
	static SPIPlanPtr insert_plan = NULL;
	int			n = run->n_reservations;
	Datum	   *columns[4];
	Datum		values[4];
	Oid			types[4] = {INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID};
	PoolSql		sql;

	if (n == 0)
		return;
	for (int c = 0; c < 4; c++)
		columns[c] = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		Reservation *r = &run->reservations[i];

		columns[0][i] = Int32GetDatum(r->tenant_id);
		columns[1][i] = CStringGetTextDatum(r->kind);
		columns[2][i] = CStringGetTextDatum(r->value);
		columns[3][i] = Int64GetDatum(run->entries[r->entry].lead_id);
	}
	values[0] = make_array(columns[0], NULL, n, INT4OID);
	values[1] = make_array(columns[1], NULL, n, TEXTOID);
	values[2] = make_array(columns[2], NULL, n, TEXTOID);
	values[3] = make_array(columns[3], NULL, n, INT8OID);
	sql = pool_sql_begin();
	run_kept(&insert_plan,
			 "INSERT INTO pool.identity (tenant_id, kind, value, lead_id)"
			 " SELECT * FROM unnest($1, $2, $3, $4)"
			 " ON CONFLICT (tenant_id, scope, kind, value) DO NOTHING",
			 4, types, values);
	pool_sql_end(sql);
}

static PoolKey *
identity_keys(const Reservation *r, PoolKey *keys)
{
	keys[0] = pool_key_int4(r->tenant_id);
	keys[1] = pool_key_text(CStringGetTextDatum(""));
	keys[2] = pool_key_text(CStringGetTextDatum(r->kind));
	keys[3] = pool_key_text(CStringGetTextDatum(r->value));
	return keys;
}

/* Finds out who holds each identity after the reservation. */
static void
read_holders(Run *run)
{
	PoolTable  *table = pool_work_table(run->work, POOL_IDENTITY);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());

	for (int i = 0; i < run->n_reservations; i++)
	{
		Reservation *r = &run->reservations[i];
		PoolKey		keys[4];
		bool		isnull;

		if (!pool_table_find(table, POOL_IDENTITY_PKEY, snapshot,
							 identity_keys(r, keys), 4))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent update")));
		r->holder = DatumGetInt64(slot_getattr(table->old, IDENTITY_LEAD_ID,
											   &isnull));
	}
	UnregisterSnapshot(snapshot);
}

/* Order of keys: by tenant and bytes; equal ones in the order given. */
static PoolEntry *sort_entries;

static int
compare_keys(const void *a, const void *b)
{
	const PoolEntry *x = &sort_entries[*(const int *) a];
	const PoolEntry *y = &sort_entries[*(const int *) b];
	text	   *kx = DatumGetTextPP(x->key);
	text	   *ky = DatumGetTextPP(y->key);
	int			lx = VARSIZE_ANY_EXHDR(kx);
	int			ly = VARSIZE_ANY_EXHDR(ky);
	int			result;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	result = memcmp(VARDATA_ANY(kx), VARDATA_ANY(ky), Min(lx, ly));
	if (result != 0)
		return result;
	if (lx != ly)
		return lx - ly;
	return *(const int *) a - *(const int *) b;
}

#define DATA_COLUMNS 8

/* Reserves all keys by inserting the leads' data where the key is free. */
static void
reserve_keys(Run *run)
{
	static SPIPlanPtr insert_plan = NULL;
	static const Oid types[DATA_COLUMNS] = {INT8OID, INT4OID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID};
	Oid			array_types[DATA_COLUMNS] = {INT8ARRAYOID, INT4ARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID,
	TIMESTAMPTZARRAYOID};
	Datum		values[DATA_COLUMNS];
	Datum	   *columns[DATA_COLUMNS];
	bool	   *nulls[DATA_COLUMNS];
	int		   *order = palloc(run->n * sizeof(int));
	PoolSql		sql;

	for (int i = 0; i < run->n; i++)
		order[i] = i;
	sort_entries = run->entries;
	qsort(order, run->n, sizeof(int), compare_keys);
	for (int c = 0; c < DATA_COLUMNS; c++)
	{
		columns[c] = palloc(run->n * sizeof(Datum));
		nulls[c] = palloc0(run->n * sizeof(bool));
	}
	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[order[i]];
		Datum		row[DATA_COLUMNS] = {Int64GetDatum(entry->lead_id),
			Int32GetDatum(entry->tenant_id), entry->key, entry->name,
			entry->source, entry->grade, entry->attributes,
		TimestampTzGetDatum(entry->created_at)};

		for (int c = 0; c < DATA_COLUMNS; c++)
		{
			columns[c][i] = row[c];
			nulls[c][i] = c >= 3 && c <= 5 && row[c] == 0;
		}
	}
	for (int c = 0; c < DATA_COLUMNS; c++)
		values[c] = make_array(columns[c], nulls[c], run->n, types[c]);
	sql = pool_sql_begin();
	run_kept(&insert_plan,
			 "INSERT INTO pool.lead_data (id, tenant_id, key, name, source,"
			 " grade, attributes, created_at)"
			 " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
			 " ON CONFLICT (tenant_id, key) DO NOTHING",
			 DATA_COLUMNS, array_types, values);
	pool_sql_end(sql);
}

/* ------------------------------------------------------------------------
 * Judging
 * ------------------------------------------------------------------------ */

/* The lead that has this entry's key: its own, or a known one. */
static int64
holder_of_key(Run *run, PoolEntry *entry)
{
	PoolData	data;

	if (!pool_data_read_by_key(pool_work_table(run->work, POOL_LEAD_DATA),
							   entry->tenant_id, entry->key, pool_snapshot(),
							   &data))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
	return data.id;
}

/* The entry of this run that asked to become this lead, -1 if none. */
static int
entry_of(Run *run, int64 lead_id)
{
	int			low = 0;
	int			high = run->n - 1;

	/* their ids were drawn in ascending order, perhaps with gaps */
	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (run->entries[middle].lead_id == lead_id)
			return middle;
		if (run->entries[middle].lead_id < lead_id)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

/*
 * The lead that entry i doubles, 0 if none.  All entries before it have been
 * judged: an identity first named by one of them counts as taken only if that
 * one was let in, as if they had come one by one; a key leads to whatever that
 * one doubles in turn.
 */
static int64
find_double(Run *run, int i)
{
	PoolEntry  *entry = &run->entries[i];
	int64		by_key = holder_of_key(run, entry);
	ListCell   *lc;

	if (by_key != entry->lead_id)
	{
		int			j = entry_of(run, by_key);

		return j >= 0 && run->doubled[j] != 0 ? run->doubled[j] : by_key;
	}
	foreach(lc, entry->identities)
	{
		Reservation *r = find_reservation(run, entry->tenant_id, lfirst(lc));

		if (r->keeper != 0)
			return r->keeper;
		if (r->holder != run->entries[r->entry].lead_id)
			return r->holder;
	}
	return 0;
}

static void
keep_identities(Run *run, PoolEntry *entry)
{
	ListCell   *lc;

	foreach(lc, entry->identities)
		find_reservation(run, entry->tenant_id, lfirst(lc))->keeper =
		entry->lead_id;
}

/* Gives up what was reserved for entries that were not let in. */
static void
release_reservations(Run *run)
{
	PoolTable  *identities = pool_work_table(run->work, POOL_IDENTITY);
	PoolTable  *data = pool_work_table(run->work, POOL_LEAD_DATA);

	for (int i = 0; i < run->n_reservations; i++)
	{
		Reservation *r = &run->reservations[i];
		PoolKey		keys[4];
		Datum		values[IDENTITY_NATTS];
		bool		nulls[IDENTITY_NATTS] = {0};

		if (r->holder != run->entries[r->entry].lead_id ||
			r->holder == r->keeper)
			continue;
		if (!pool_table_find(identities, POOL_IDENTITY_PKEY, pool_snapshot(),
							 identity_keys(r, keys), 4))
			elog(ERROR, "reserved identity has vanished");
		if (r->keeper == 0)
		{
			pool_table_delete(identities);
			continue;
		}
		for (int c = 0; c < 4; c++)
			values[c] = keys[c].value;
		values[IDENTITY_LEAD_ID - 1] = Int64GetDatum(r->keeper);
		pool_table_update(identities, values, nulls);
	}
	for (int i = 0; i < run->n; i++)
	{
		PoolData	row;

		if (run->doubled[i] != 0 &&
			pool_data_read(data, run->entries[i].lead_id, pool_snapshot(),
						   &row))
			pool_table_delete(data);
	}
}

/* ------------------------------------------------------------------------
 * Letting in
 * ------------------------------------------------------------------------ */

static void
let_in(Run *run, PoolEntry *entry)
{
	PoolLead	lead = {0};
	PoolEvent	event = {.kind = "entered",.at = run->now};
	PoolData	data = {.source = entry->source,.grade = entry->grade};

	lead.id = entry->lead_id;
	lead.tenant_id = entry->tenant_id;
	lead.pool_id = entry->pool_id;
	lead.priority = entry->priority;
	lead.entered_at = run->now;
	lead.owned_at = lead.chain_at = POOL_NO_TIME;
	lead.first_follow_up_at = lead.last_follow_up_at = POOL_NO_TIME;
	lead.next_follow_up_at = lead.protected_until = POOL_NO_TIME;
	lead.hidden_until = lead.closed_at = lead.check_at = POOL_NO_TIME;
	pool_lead_create(pool_work_table(run->work, POOL_LEAD_STATE), &lead);
	event.actor_id = run->actor_id;
	pool_event_append(run->work, &event, &lead, &data);
	entry->outcome = "entered";
	entry->status = pool_status_name(lead.status);
	entry->home_pool_id = entry->pool_id;
}

/*
 * The entry doubles a known lead: an archived one comes back, any other is
 * reported.
 */
static void
meet_again(Run *run, PoolEntry *entry, int64 lead_id)
{
	PoolTable  *leads = pool_work_table(run->work, POOL_LEAD_STATE);
	PoolLead	lead;

	entry->lead_id = lead_id;
	entry->outcome = "duplicate";
	if (!pool_lead_peek(leads, lead_id, pool_snapshot(), &lead))
		elog(ERROR, "lead " INT64_FORMAT " has no state", lead_id);
	if (lead.status == POOL_ARCHIVED &&
		pool_lead_lock(leads, lead_id, pool_snapshot(),
					   !pool_quota_any_held(), &lead) == POOL_LEAD_LOCKED &&
		lead.status == POOL_ARCHIVED)
	{
		PoolEvent	event = {.kind = "reopened",.actor_id = run->actor_id};

		event.at = pool_lead_time(&lead, run->now);
		pool_requeue(run->work, &lead, entry->pool_id, &event);
		/* the next entry may double the same lead */
		CommandCounterIncrement();
		entry->outcome = "reopened";
	}
	entry->member_id = lead.owner_id;
	entry->status = pool_status_name(lead.status);
	entry->home_pool_id = lead.pool_id;
}

static Run *sort_run;

static int
compare_doubled(const void *a, const void *b)
{
	int64		x = sort_run->doubled[*(const int *) a];
	int64		y = sort_run->doubled[*(const int *) b];

	if (x != y)
		return x < y ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/* Locks the archived leads that will come back, in ascending order. */
static void
lock_doubled(Run *run)
{
	PoolTable  *leads = pool_work_table(run->work, POOL_LEAD_STATE);
	int		   *order = palloc(run->n * sizeof(int));
	PoolLead	lead;

	for (int i = 0; i < run->n; i++)
		order[i] = i;
	sort_run = run;
	qsort(order, run->n, sizeof(int), compare_doubled);
	for (int i = 0; i < run->n; i++)
	{
		int64		id = run->doubled[order[i]];

		if (id != 0 &&
			pool_lead_peek(leads, id, pool_snapshot(), &lead) &&
			lead.status == POOL_ARCHIVED)
			(void) pool_lead_lock(leads, id, run->snapshot,
								  !pool_quota_any_held(), &lead);
	}
	pfree(order);
}

static void
judge_entries(Run *run)
{
	run->doubled = palloc0(run->n * sizeof(int64));
	for (int i = 0; i < run->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		run->doubled[i] = find_double(run, i);
		if (run->doubled[i] == 0)
			keep_identities(run, &run->entries[i]);
	}
	release_reservations(run);
	lock_doubled(run);
}

/* Lets in and brings back, in the order of the rows: so they queue. */
static void
admit_entries(Run *run)
{
	for (int i = 0; i < run->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (run->doubled[i] == 0)
			let_in(run, &run->entries[i]);
		else
		{
			/* the doubled lead may be one of this very run */
			CommandCounterIncrement();
			meet_again(run, &run->entries[i], run->doubled[i]);
		}
	}
}

/* A duplicate is only reported, whoever was named for it. */
static bool
wants_owner(const PoolEntry *entry)
{
	return entry->owner_id != 0 && strcmp(entry->outcome, "duplicate") != 0;
}

/*
 * Entering a lead again is no way round the cooldown, unless a manager or a
 * service does it.
 */
static bool
is_cooling_down(Run *run, const PoolEntry *entry)
{
	PoolActor	actor = {run->actor_id, entry->tenant_id};
	PoolLead	lead;
	TimestampTz until;

	return strcmp(entry->outcome, "reopened") == 0 &&
		!pool_actor_manages(&actor, entry->home_pool_id) &&
		pool_lead_peek(pool_work_table(run->work, POOL_LEAD_STATE),
					   entry->lead_id, pool_snapshot(), &lead) &&
		pool_cooling_down(run->work, &lead, entry->owner_id, run->now, &until);
}

/* Those who were named as owners receive, if they may. */
static void
hand_over(Run *run)
{
	PoolQuotaSet *set = pool_quota_begin(run->work, run->snapshot);
	bool		any = false;

	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[i];

		if (!wants_owner(entry))
			continue;
		pool_quota_add(set, entry->home_pool_id, entry->owner_id, true);
		any = true;
	}
	if (!any)
		return;
	pool_quota_lock(set);
	for (int i = 0; i < run->n; i++)
	{
		PoolEntry  *entry = &run->entries[i];

		if (!wants_owner(entry))
			continue;
		entry->reason = is_cooling_down(run, entry) ? "cooldown" :
			pool_assign_at_entry(run->work, set, entry->lead_id,
								 entry->owner_id, run->actor_id, run->now);
		if (entry->reason != NULL)
			continue;
		if (strcmp(entry->outcome, "entered") == 0)
			entry->outcome = "assigned";
		entry->member_id = entry->owner_id;
		entry->status = pool_status_name(POOL_OWNED);
	}
	pool_quota_write(set);
}

/*
 * Lets in what may come in; the answers are left in the entries.
 */
void
pool_entry_run(PoolWork *work, Snapshot snapshot, PoolEntry *entries, int n,
			   int32 actor_id)
{
	Run			run = {.work = work,.snapshot = snapshot,.entries = entries,
	.n = n,.actor_id = actor_id};

	if (n == 0)
		return;
	run.now = pool_now();
	for (int i = 0; i < n; i++)
	{
		entries[i].lead_id = pool_lead_new_id();
		if (entries[i].created_at == POOL_NO_TIME)
			entries[i].created_at = run.now;
	}
	collect_reservations(&run);
	reserve_identities(&run);
	read_holders(&run);
	reserve_keys(&run);
	run.now = pool_now();
	judge_entries(&run);
	admit_entries(&run);
	CommandCounterIncrement();
	hand_over(&run);
}
