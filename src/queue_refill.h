/*
 * queue_refill.h
 *	  Reading the queue's index, and filling heads from it.
 */
#ifndef POOL_QUEUE_REFILL_H
#define POOL_QUEUE_REFILL_H

#include "queue_slot.h"

/* What is needed to read the queue of one pool. */
typedef struct QueueReader
{
	PoolTable  *leads;
	Relation	index;
	QueueKey	key;
	SnapshotData *dirty;
	TupleTableSlot *row;		/* the lead just read */
} QueueReader;

extern void queue_refill_init(void);

extern void queue_reader_begin(QueueReader *reader, PoolTable *leads,
							   const QueueKey *key);
extern IndexScanDesc queue_reader_scan(const QueueReader *reader,
									   int64 first, int64 last,
									   bool with_entries);
extern void queue_reader_candidate(const QueueReader *reader,
								   PoolCandidate *candidate);
extern void queue_reader_end(QueueReader *reader);

extern void queue_refill_begin(QueueSlot *slot);
extern bool queue_refill(QueueReader *reader, QueueSlot *slot,
						 int64 from, uint32 epoch);

#endif							/* POOL_QUEUE_REFILL_H */
