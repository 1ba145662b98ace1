/*
 * queue_shmem.h
 *	  Reserves the shared memory of the queue hints.
 */
#ifndef POOL_QUEUE_SHMEM_H
#define POOL_QUEUE_SHMEM_H

extern void queue_shmem_init(void);

#endif							/* POOL_QUEUE_SHMEM_H */
