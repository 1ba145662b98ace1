/*
 * reserve.h
 *	  Who has a key or an identity, where many leads ask at once.
 */
#ifndef POOL_RESERVE_H
#define POOL_RESERVE_H

#include "entry.h"

/* An identity asked for, and by which entry first. */
typedef struct PoolReservation
{
	int32		tenant_id;
	const char *scope;
	const char *kind;
	const char *value;
	int			entry;
	int64		holder;			/* lead that has it now */
	int64		keeper;			/* lead that is to have it, 0 = none */
} PoolReservation;

typedef struct PoolReserved
{
	PoolWork   *work;
	PoolEntry  *entries;
	int			n;
	PoolReservation *reservations;	/* sorted, each identity once */
	int			n_reservations;
	bool		identities_new; /* each is held by who reserved it */
	bool		keys_new;
	int64	   *doubled;		/* the lead each entry doubles, 0 = none */
	HTAB	   *met;			/* the leads among these */
} PoolReserved;

extern PoolReserved *pool_reserve(PoolWork *work, PoolEntry *entries, int n);
extern PoolReservation *pool_reservation_of(PoolReserved *all,
											const PoolEntry *entry,
											const PoolIdentity *identity);
extern void pool_reserve_give_up(PoolReserved *all);
extern void *pool_reserve_alloc(Size n, Size size);

/* settle.c */
extern int64 *pool_reserve_settle(PoolReserved *all);

#endif							/* POOL_RESERVE_H */
