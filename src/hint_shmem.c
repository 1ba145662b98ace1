/*
 * hint_shmem.c
 *	  Reserves the shared memory of the hints.
 *
 * Without shared_preload_libraries there is none, and no hints.
 */
#include "hint_shmem.h"

#include "queue_holder.h"
#include "queue_prepared.h"
#include "queue_slot.h"
#include "quota_place.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define TRANCHE "pool_ext"

enum
{
	LOCK_OF_SLOTS, LOCK_OF_PREPARED, LOCK_COUNT
};

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

static void
request_shmem(void)
{
	Size		size = queue_slot_size();

	if (prev_shmem_request)
		prev_shmem_request();
	size = add_size(size, queue_prepared_size());
	size = add_size(size, queue_holder_size());
	size = add_size(size, pool_quota_place_size());
	/* alignment of the pieces */
	size = add_size(size, 6 * PG_CACHE_LINE_SIZE);
	RequestAddinShmemSpace(size);
	RequestNamedLWLockTranche(TRANCHE, LOCK_COUNT);
}

static void
startup_shmem(void)
{
	LWLockPadded *locks = GetNamedLWLockTranche(TRANCHE);

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	queue_slot_create(&locks[LOCK_OF_SLOTS].lock);
	queue_prepared_create(&locks[LOCK_OF_PREPARED].lock);
	queue_holder_create();
	pool_quota_place_create();
	LWLockRelease(AddinShmemInitLock);
}

void
pool_hint_shmem_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}
