/*
 * quota_place.c
 *	  Where the counters of members were seen last.
 *
 * Under an old snapshot all versions of a busy row stay, each with an entry in
 * the index: whoever looks there walks over all of them.  So those who lock
 * counters start from a version seen a short time ago, and follow it.  Sessions
 * tell each other in shared memory which version they have locked; what a
 * session has written itself it alone knows, since nobody else can lock that
 * before it commits.
 *
 * All of this is a hint: whether the row is there the row itself says.  Hence
 * no locks, and members whose counters fall on the same slot push each other
 * out.
 */
#include "quota_place.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define SHARED_PLACES 32768
#define MAX_OWN 4096

/* Two words that may be of two different rows for a moment. */
typedef struct SharedPlace
{
	pg_atomic_uint64 key;
	pg_atomic_uint64 packed;	/* 0 = none */
} SharedPlace;

typedef struct OwnPlace
{
	PoolMembershipKey key;
	ItemPointerData tid;
	uint64		packed;			/* what was shared when tid was seen */
} OwnPlace;

static SharedPlace *shared = NULL;
static HTAB *own = NULL;

Size
pool_quota_place_size(void)
{
	return SHARED_PLACES * sizeof(SharedPlace);
}

/* At the start of the server, AddinShmemInitLock held. */
void
pool_quota_place_create(void)
{
	bool		found;

	shared = ShmemInitStruct("pool_ext counters", pool_quota_place_size(),
							 &found);
	if (found)
		return;
	for (int i = 0; i < SHARED_PLACES; i++)
	{
		pg_atomic_init_u64(&shared[i].key, 0);
		pg_atomic_init_u64(&shared[i].packed, 0);
	}
}

static uint64
pack_key(const PoolMembershipKey *key)
{
	return (uint64) (uint32) key->pool_id << 32 | (uint32) key->member_id;
}

/*
 * With the low half of the database's number: what a slot says of another one
 * is not taken for ours, and would be found out if it were.
 */
static uint64
pack_tid(const ItemPointerData *tid)
{
	return (uint64) (uint16) MyDatabaseId << 48 |
		(uint64) ItemPointerGetBlockNumber(tid) << 16 |
		ItemPointerGetOffsetNumber(tid);
}

static SharedPlace *
shared_place(const PoolMembershipKey *key)
{
	uint32		hash = hash_combine(murmurhash32(MyDatabaseId),
									murmurhash32(key->pool_id));

	hash = hash_combine(hash, murmurhash32(key->member_id));
	return &shared[hash % SHARED_PLACES];
}

/* What sessions have told each other; 0 = nothing. */
static uint64
shared_packed(const PoolMembershipKey *key)
{
	SharedPlace *place;
	uint64		packed;

	if (shared == NULL)
		return 0;
	place = shared_place(key);
	if (pg_atomic_read_u64(&place->key) != pack_key(key))
		return 0;
	packed = pg_atomic_read_u64(&place->packed);
	return packed >> 48 == (uint16) MyDatabaseId ? packed : 0;
}

static void
note_own(const PoolMembershipKey *key, ItemPointer tid)
{
	OwnPlace   *place;

	if (own == NULL || hash_get_num_entries(own) >= MAX_OWN)
	{
		HASHCTL		ctl = {0};

		if (own != NULL)
			hash_destroy(own);
		ctl.keysize = sizeof(PoolMembershipKey);
		ctl.entrysize = sizeof(OwnPlace);
		ctl.hcxt = TopMemoryContext;
		own = hash_create("pool_ext counters seen", 256, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	place = hash_search(own, key, HASH_ENTER, NULL);
	place->tid = *tid;
	place->packed = shared_packed(key);
}

/*
 * Where to look for the row, the more promising place first; returns how many.
 */
int
pool_quota_places(const PoolMembershipKey *key, ItemPointerData *places)
{
	OwnPlace   *mine = own == NULL ? NULL :
	hash_search(own, key, HASH_FIND, NULL);
	uint64		packed = shared_packed(key);
	int			n = 0;

	/* nobody has locked the row since: so the last version is ours */
	if (mine != NULL && mine->packed == packed)
		places[n++] = mine->tid;
	if (packed != 0)
	{
		ItemPointerSet(&places[n], (BlockNumber) (packed >> 16),
					   (OffsetNumber) packed);
		n++;
	}
	if (mine != NULL && mine->packed != packed)
		places[n++] = mine->tid;
	return n;
}

/*
 * The row is there.  Others are told of committed versions only: they could not
 * wait for one that nobody sees yet.
 */
void
pool_quota_place_note(const PoolMembershipKey *key, ItemPointer tid,
					  bool is_committed)
{
	if (shared != NULL && is_committed)
	{
		SharedPlace *place = shared_place(key);

		pg_atomic_write_u64(&place->key, pack_key(key));
		pg_atomic_write_u64(&place->packed, pack_tid(tid));
	}
	note_own(key, tid);
}
