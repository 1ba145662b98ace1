/*
 * shown.h
 *	  Masked data that was shown in a transaction that is undone.
 */
#ifndef POOL_SHOWN_H
#define POOL_SHOWN_H

#include "postgres.h"

extern void pool_shown_init(void);
extern void pool_shown_note(int32 member_id, int32 pool_id);

#endif							/* POOL_SHOWN_H */
