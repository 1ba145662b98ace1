/*
 * reserve.c
 *	  Who has a key or an identity, where many leads ask for theirs at once.
 *
 * First all identities are reserved in ascending order, then all keys: the
 * unique indexes make a second load wait for the first one's outcome, and the
 * common order keeps two loads from waiting for each other.  Only then is each
 * entry judged, in the order given, and the reservations of those that turn
 * out to be duplicates are given up again.
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
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* An identity asked for, and by which entry first. */
typedef struct Reservation
{
	int32		tenant_id;
	const char *scope;
	const char *kind;
	const char *value;
	int			entry;
	int64		holder;			/* lead that has it now */
	int64		keeper;			/* lead that is to have it, 0 = none */
} Reservation;

struct PoolReserved
{
	PoolWork   *work;
	PoolEntry  *entries;
	int			n;
	Reservation *reservations;	/* sorted, each identity once */
	int			n_reservations;
	bool		identities_new; /* each is held by who reserved it */
	bool		keys_new;
	int64	   *doubled;		/* the lead each entry doubles, 0 = none */
	HTAB	   *met;			/* the leads among these */
};

/* There may be more of them than fit into 1 GB. */
static void *
huge_alloc(Size n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}

/* ------------------------------------------------------------------------
 * Reserving
 * ------------------------------------------------------------------------ */

static int
compare_identity(const Reservation *a, const Reservation *b)
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
	const Reservation *x = a;
	const Reservation *y = b;
	int			result = compare_identity(x, y);

	return result != 0 ? result : x->entry - y->entry;
}

/* What the rules turn away asks for nothing. */
static bool
is_rejected(const PoolEntry *entry)
{
	return entry->then == POOL_THEN_REJECT;
}

static Reservation
as_reservation(const PoolEntry *entry, const PoolIdentity *identity, int i)
{
	Reservation r = {.tenant_id = entry->tenant_id,.scope = entry->scope,
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
	all->reservations = huge_alloc(size, sizeof(Reservation));
	for (int i = 0; i < all->n; i++)
	{
		ListCell   *lc;

		if (is_rejected(&all->entries[i]))
			continue;
		foreach(lc, all->entries[i].identities)
			all->reservations[all->n_reservations++] =
			as_reservation(&all->entries[i], lfirst(lc), i);
	}
	qsort(all->reservations, all->n_reservations, sizeof(Reservation),
		  compare_reservations);
	for (int i = 0; i < all->n_reservations; i++)
	{
		Reservation *r = &all->reservations[i];

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

static Reservation *
find_reservation(PoolReserved *all, const PoolEntry *entry,
				 const PoolIdentity *identity)
{
	Reservation wanted = as_reservation(entry, identity, 0);
	Reservation *found = bsearch(&wanted, all->reservations,
								 all->n_reservations, sizeof(Reservation),
								 compare_wanted);

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
		Reservation *r = &all->reservations[i];
		Datum		row[POOL_BULK_COLUMNS] = {Int32GetDatum(r->tenant_id),
			CStringGetTextDatum(r->scope),
			CStringGetTextDatum(r->kind), CStringGetTextDatum(r->value),
		Int64GetDatum(all->entries[r->entry].lead_id)};

		pool_bulk_put(&bulk, row);
	}
	all->identities_new = all_free(pool_bulk_end(&bulk), all->n_reservations);
}

static PoolKey *
identity_keys(const Reservation *r, PoolKey *keys)
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
		Reservation *r = &all->reservations[i];
		PoolKey		keys[4];
		bool		isnull;

		r->holder = all->entries[r->entry].lead_id;
		if (all->identities_new)
			continue;
		if (!pool_table_find(table, POOL_IDENTITY_PKEY, snapshot,
							 identity_keys(r, keys), 4))
			pool_report_serialization();
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

/* Reserves all keys by inserting the leads' data where the key is free. */
static void
reserve_keys(PoolReserved *all)
{
	int		   *order = huge_alloc(all->n, sizeof(int));
	int			n = 0;
	PoolBulk	bulk;

	for (int i = 0; i < all->n; i++)
		if (!is_rejected(&all->entries[i]))
			order[n++] = i;
	sort_entries = all->entries;
	qsort(order, n, sizeof(int), compare_keys);
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

/* ------------------------------------------------------------------------
 * Judging
 * ------------------------------------------------------------------------ */

/* The lead that has this entry's key: its own, or a known one. */
static int64
holder_of_key(PoolReserved *all, PoolEntry *entry)
{
	PoolData	data;

	if (all->keys_new)
		return entry->lead_id;
	if (!pool_data_read_by_key(pool_work_table(all->work, POOL_LEAD_DATA),
							   entry->tenant_id, entry->key, pool_snapshot(),
							   &data))
		pool_report_serialization();
	return data.id;
}

/* The entry of this run that asked to become this lead, -1 if none. */
static int
entry_of(PoolReserved *all, int64 lead_id)
{
	int			low = 0;
	int			high = all->n - 1;

	/* their ids were drawn in ascending order, perhaps with gaps */
	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (all->entries[middle].lead_id == lead_id)
			return middle;
		if (all->entries[middle].lead_id < lead_id)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

/* The lead that has this identity for good, 0 if none has yet. */
static int64
holder_of_identity(PoolReserved *all, const Reservation *r)
{
	if (r->keeper != 0)
		return r->keeper;
	return r->holder != all->entries[r->entry].lead_id ? r->holder : 0;
}

/*
 * Whether the entry becomes a lead of its own beside the one that has its
 * identity.  An archived one comes back instead, once: then it is there.
 */
static bool
is_linked(PoolReserved *all, PoolEntry *entry, int64 known)
{
	PoolTable  *leads = pool_work_table(all->work, POOL_LEAD_STATE);
	PoolLead	lead;

	if (pool_config_pool(entry->pool_id)->duplicate_policy != 'l')
		return false;
	if (!pool_lead_peek(leads, known, pool_snapshot(), &lead))
		return true;
	entry->judged = known;
	entry->judged_archived = lead.status == POOL_ARCHIVED;
	if (!entry->judged_archived)
		return true;
	return pool_ids_has(all->met, known) &&
		pool_again_returns(all->work, &lead);
}

/*
 * The lead that entry i doubles, 0 if none.  All entries before it have been
 * judged: an identity first named by one of them counts as taken only if that
 * one was let in, as if they had come one by one; a key leads to whatever that
 * one doubles in turn.
 */
static int64
find_double(PoolReserved *all, int i)
{
	PoolEntry  *entry = &all->entries[i];
	int64		by_key = holder_of_key(all, entry);
	ListCell   *lc;

	if (by_key != entry->lead_id)
	{
		int			j = entry_of(all, by_key);

		return j >= 0 && all->doubled[j] != 0 ? all->doubled[j] : by_key;
	}
	foreach(lc, entry->identities)
	{
		Reservation *r = find_reservation(all, entry, lfirst(lc));
		int64		known = holder_of_identity(all, r);

		if (known == 0)
			continue;
		known = pool_again_resolve(all->work, known);
		if (!is_linked(all, entry, known))
			return known;
		entry->linked_to = known;
		break;
	}
	return 0;
}

/* What a lead of the same customer has already stays with that one. */
static void
keep_identities(PoolReserved *all, PoolEntry *entry)
{
	ListCell   *lc;

	foreach(lc, entry->identities)
	{
		Reservation *r = find_reservation(all, entry, lfirst(lc));

		if (holder_of_identity(all, r) == 0)
			r->keeper = entry->lead_id;
	}
}

/* Gives up what was reserved for entries that were not let in. */
static void
release_reservations(PoolReserved *all)
{
	PoolTable  *identities = pool_work_table(all->work, POOL_IDENTITY);
	PoolTable  *data = pool_work_table(all->work, POOL_LEAD_DATA);

	for (int i = 0; i < all->n_reservations; i++)
	{
		Reservation *r = &all->reservations[i];
		PoolKey		keys[4];
		Datum		values[IDENTITY_NATTS];
		bool		nulls[IDENTITY_NATTS] = {0};

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

		if (all->doubled[i] != 0 &&
			pool_data_read(data, all->entries[i].lead_id, pool_snapshot(),
						   &row))
			pool_table_delete(data);
	}
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

/*
 * Says for each entry, in the order given, which lead it doubles (0 = none): of
 * one that was merged into another, that one.  Gives up what was reserved for
 * those that double one.  Where the pool lets a customer have several leads,
 * linked_to of the entry is set instead.
 */
int64 *
pool_reserve_settle(PoolReserved *all)
{
	all->doubled = huge_alloc(all->n, sizeof(int64));
	all->met = pool_ids_create(CurrentMemoryContext, 64);
	for (int i = 0; i < all->n; i++)
	{
		int64		known;

		CHECK_FOR_INTERRUPTS();
		all->doubled[i] = 0;
		if (is_rejected(&all->entries[i]))
			continue;
		known = find_double(all, i);
		if (known == 0)
		{
			keep_identities(all, &all->entries[i]);
			continue;
		}
		all->doubled[i] = pool_again_resolve(all->work, known);
		(void) pool_ids_add(all->met, all->doubled[i]);
	}
	hash_destroy(all->met);
	release_reservations(all);
	return all->doubled;
}
