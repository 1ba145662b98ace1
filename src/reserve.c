/*
 * reserve.c
 *	  Who has a key or an identity, where many leads ask for theirs at once.
 *
 * First all identities are reserved in ascending order, then all keys: the
 * unique indexes make a second load wait for the first one's outcome, and the
 * common order keeps two loads from waiting for each other.  Only then is each
 * entry judged (settle.c), and the reservations of those that turn out to be
 * duplicates are given up again.
 */
#include "compat.h"
#include "reserve.h"

#include "access/xact.h"
#include "again.h"
#include "bulk.h"
#include "catalog/pg_type.h"
#include "data.h"
#include "id_set.h"
#include "miscadmin.h"
#include "trigger.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* There may be more of them than fit into 1 GB. */
void *
pool_reserve_alloc(Size n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}

/* ------------------------------------------------------------------------
 * Reserving
 * ------------------------------------------------------------------------ */

static int
compare_identity(const PoolReservation *a, const PoolReservation *b)
{
	int			result;

	if (a->tenant_id != b->tenant_id)
		return a->tenant_id < b->tenant_id ? -1 : 1;
	result = strcmp(a->scope, b->scope);
	if (result == 0)
		result = strcmp(a->kind, b->kind);
	return result != 0 ? result : strcmp(a->value, b->value);
}

static int
compare_reservations(const void *a, const void *b)
{
	const PoolReservation *x = a;
	const PoolReservation *y = b;
	int			result = compare_identity(x, y);

	return result != 0 ? result : x->entry - y->entry;
}

/* What the rules turn away asks for nothing. */
static bool
is_rejected(const PoolEntry *entry)
{
	return entry->then == POOL_THEN_REJECT;
}

static PoolReservation
as_reservation(const PoolEntry *entry, const PoolIdentity *identity, int i)
{
	PoolReservation r = {.tenant_id = entry->tenant_id,.scope = entry->scope,
	.kind = identity->kind,.value = identity->value,.entry = i};

	return r;
}

static void
collect_reservations(PoolReserved *all)
{
	int			size = 0;
	int			kept = 0;

	for (int i = 0; i < all->n; i++)
		size += list_length(all->entries[i].identities);
	all->reservations = pool_reserve_alloc(size, sizeof(PoolReservation));
	for (int i = 0; i < all->n; i++)
	{
		ListCell   *lc;

		if (is_rejected(&all->entries[i]))
			continue;
		foreach(lc, all->entries[i].identities)
			all->reservations[all->n_reservations++] =
			as_reservation(&all->entries[i], lfirst(lc), i);
	}
	qsort(all->reservations, all->n_reservations, sizeof(PoolReservation),
		  compare_reservations);
	for (int i = 0; i < all->n_reservations; i++)
	{
		PoolReservation *r = &all->reservations[i];

		if (kept == 0 ||
			compare_identity(&all->reservations[kept - 1], r) != 0)
			all->reservations[kept++] = *r;
	}
	all->n_reservations = kept;
}

static int
compare_wanted(const void *a, const void *b)
{
	return compare_identity(a, b);
}

/* The reservation of this entry's identity, whoever asked for it first. */
PoolReservation *
pool_reservation_of(PoolReserved *all, const PoolEntry *entry,
					const PoolIdentity *identity)
{
	PoolReservation wanted = as_reservation(entry, identity, 0);
	PoolReservation *found = bsearch(&wanted, all->reservations,
									 all->n_reservations,
									 sizeof(PoolReservation), compare_wanted);

	if (found == NULL)
		elog(ERROR, "identity was not reserved");
	return found;
}

static PoolInsert insert_identities = {
	"INSERT INTO pool.identity (tenant_id, scope, kind, value, lead_id)"
	" SELECT * FROM unnest($1, $2, $3, $4, $5)"
	" ON CONFLICT (tenant_id, scope, kind, value) DO NOTHING",
	5, {INT4OID, TEXTOID, TEXTOID, TEXTOID, INT8OID}, NULL
};

static PoolInsert insert_data = {
	"INSERT INTO pool.lead_data (id, tenant_id, key, name, source,"
	" grade, attributes, created_at)"
	" SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
	" ON CONFLICT (tenant_id, key) DO NOTHING",
	8, {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID,
	TIMESTAMPTZOID}, NULL
};

/*
 * Whether everything asked for was free, so that nobody needs to be asked who
 * has it.  At the higher levels the snapshot may show a holder that is gone.
 */
static bool
all_free(uint64 inserted, int asked)
{
	return inserted == (uint64) asked && !IsolationUsesXactSnapshot();
}

/* Reserves all identities for the leads that name them first. */
static void
reserve_identities(PoolReserved *all)
{
	PoolBulk	bulk;

	if (all->n_reservations == 0)
		return;
	pool_bulk_begin(&bulk, &insert_identities, all->n_reservations);
	for (int i = 0; i < all->n_reservations; i++)
	{
		PoolReservation *r = &all->reservations[i];
		Datum		row[POOL_BULK_COLUMNS] = {Int32GetDatum(r->tenant_id),
			CStringGetTextDatum(r->scope),
			CStringGetTextDatum(r->kind), CStringGetTextDatum(r->value),
		Int64GetDatum(all->entries[r->entry].lead_id)};

		pool_bulk_put(&bulk, row);
	}
	all->identities_new = all_free(pool_bulk_end(&bulk), all->n_reservations);
}

static PoolKey *
identity_keys(const PoolReservation *r, PoolKey *keys)
{
	keys[0] = pool_key_int4(r->tenant_id);
	keys[1] = pool_key_text(CStringGetTextDatum(r->scope));
	keys[2] = pool_key_text(CStringGetTextDatum(r->kind));
	keys[3] = pool_key_text(CStringGetTextDatum(r->value));
	return keys;
}

/* Finds out who holds each identity after the reservation. */
static void
read_holders(PoolReserved *all)
{
	PoolTable  *table = pool_work_table(all->work, POOL_IDENTITY);
	Snapshot	snapshot = RegisterSnapshot(pool_snapshot());

	for (int i = 0; i < all->n_reservations; i++)
	{
		PoolReservation *r = &all->reservations[i];
		PoolKey		keys[4];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		r->holder = all->entries[r->entry].lead_id;
		if (all->identities_new)
			continue;
		if (!pool_table_find(table, POOL_IDENTITY_PKEY, snapshot,
							 identity_keys(r, keys), 4))
			pool_trigger_report_missing(RelationGetRelid(table->rel));
		r->holder = DatumGetInt64(slot_getattr(table->old, IDENTITY_LEAD_ID,
											   &isnull));
	}
	UnregisterSnapshot(snapshot);
}

/* Two entries by their keys, tenant and bytes; equal ones in the order given. */
static int
compare_keys(const void *a, const void *b, void *entries)
{
	const PoolEntry *x = (PoolEntry *) entries + *(const int *) a;
	const PoolEntry *y = (PoolEntry *) entries + *(const int *) b;
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

/* Reserves all keys by inserting the leads' data where the key is free. */
static void
reserve_keys(PoolReserved *all)
{
	int		   *order = pool_reserve_alloc(all->n, sizeof(int));
	int			n = 0;
	PoolBulk	bulk;

	for (int i = 0; i < all->n; i++)
		if (!is_rejected(&all->entries[i]))
			order[n++] = i;
	qsort_arg(order, n, sizeof(int), compare_keys, all->entries);
	pool_bulk_begin(&bulk, &insert_data, all->n);
	for (int i = 0; i < n; i++)
	{
		PoolEntry  *entry = &all->entries[order[i]];
		Datum		row[POOL_BULK_COLUMNS] = {Int64GetDatum(entry->lead_id),
			Int32GetDatum(entry->tenant_id), entry->key, entry->name,
			entry->source, entry->grade, entry->attributes,
		TimestampTzGetDatum(entry->created_at)};

		pool_bulk_put(&bulk, row);
	}
	all->keys_new = all_free(pool_bulk_end(&bulk), n);
	pfree(order);
}

/*
 * Reserves the identities and keys of all entries, whose ids have been drawn.
 * Waits for other transactions that have let in the same ones.
 */
PoolReserved *
pool_reserve(PoolWork *work, PoolEntry *entries, int n)
{
	PoolReserved *all = palloc0(sizeof(PoolReserved));

	all->work = work;
	all->entries = entries;
	all->n = n;
	collect_reservations(all);
	reserve_identities(all);
	read_holders(all);
	reserve_keys(all);
	return all;
}

/* Gives up what was reserved for entries that were not let in. */
void
pool_reserve_give_up(PoolReserved *all)
{
	PoolTable  *identities = pool_work_table(all->work, POOL_IDENTITY);
	PoolTable  *data = pool_work_table(all->work, POOL_LEAD_DATA);

	for (int i = 0; i < all->n_reservations; i++)
	{
		PoolReservation *r = &all->reservations[i];
		PoolKey		keys[4];
		Datum		values[IDENTITY_NATTS];
		bool		nulls[IDENTITY_NATTS] = {0};

		CHECK_FOR_INTERRUPTS();
		if (r->holder != all->entries[r->entry].lead_id ||
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
	for (int i = 0; i < all->n; i++)
	{
		PoolData	row;

		CHECK_FOR_INTERRUPTS();
		if (all->doubled[i] != 0 &&
			pool_data_read(data, all->entries[i].lead_id, pool_snapshot(),
						   &row))
			pool_table_delete(data);
	}
}
