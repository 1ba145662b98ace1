/*
 * queue_slot.h
 *	  The queue heads in shared memory, one per pool.
 */
#ifndef POOL_QUEUE_SLOT_H
#define POOL_QUEUE_SLOT_H

#include "queue.h"

#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"

#define QUEUE_FIRST PG_INT64_MIN	/* before and behind all tickets */
#define QUEUE_LAST PG_INT64_MAX
#define QUEUE_CAPACITY 192		/* candidates a head remembers */
#define QUEUE_REFILL 96			/* candidates a refill looks for */
#define QUEUE_LOW 48			/* a head with fewer is refilled ahead */

typedef struct QueueKey
{
	Oid			database;
	Oid			table;			/* file number of lead_state */
	int32		pool_id;
} QueueKey;

StaticAssertDecl(sizeof(QueueKey) == 2 * sizeof(Oid) + sizeof(int32),
				 "keys have no padding");

/*
 * The head of one pool's queue.  Everything but `unsettled` is guarded by
 * `lock`.
 *
 * The invariant: a committed available lead of the pool is among the entries,
 * or its ticket is at or behind the frontier, or `unsettled` (or the count of
 * the homeless) counts a transaction that will put it here when it ends, or the
 * list of prepared transactions names one that stands for it.
 */
typedef struct QueueSlot
{
	LWLock		lock;
	QueueKey	key;			/* pool_id 0 = unused */
	pg_atomic_uint32 unsettled; /* leads that running transactions answer for */
	uint32		epoch;			/* changes whenever the frontier moves back */
	uint32		published;		/* changes whenever an answer is let go */
	int64		frontier;		/* entries are before it */
	bool		refilling;
	bool		dry;			/* nothing behind the frontier at last look */
	int64		refill_floor;	/* least ticket settled during the refill */
	ConditionVariable refilled;
	int			head;			/* first entry in use */
	int			tail;			/* behind the last one */
	PoolCandidate entries[QUEUE_CAPACITY];	/* in use: ascending tickets */
} QueueSlot;

extern Size queue_slot_size(void);
extern void queue_slot_create(LWLock *lock);
extern bool queue_slot_available(void);
extern pg_atomic_uint32 *queue_slot_homeless(void);
extern QueueSlot *queue_slot_get(const QueueKey *key, bool create);

extern QueueKey queue_slot_key(PoolTable *leads, int32 pool_id);

/* all under slot->lock */
extern bool queue_slot_is(const QueueSlot *slot, const QueueKey *key);
extern void queue_slot_pull_back(QueueSlot *slot, int64 ticket);
extern void queue_slot_append(QueueSlot *slot, const PoolCandidate *entries,
							  int n, int64 end);

extern QueueSlot *queue_slot_count_unsettled(const QueueKey *key);
extern void queue_slot_uncount(QueueSlot *slot, uint32 n);
extern void queue_slot_publish(const QueueKey *key, QueueSlot *slot,
							   const PoolCandidate *lead, bool range);
extern void queue_slot_reset_database(Oid database);
extern int	queue_slot_count(void);
extern QueueSlot *queue_slot_number(int i);

#endif							/* POOL_QUEUE_SLOT_H */
