/*
 * hint_shmem.h
 *	  Reserves the shared memory of the hints.
 */
#ifndef POOL_HINT_SHMEM_H
#define POOL_HINT_SHMEM_H

extern void pool_hint_shmem_init(void);

#endif							/* POOL_HINT_SHMEM_H */
