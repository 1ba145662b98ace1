/*
 * physical.h
 *	  Whether what is stored can be read, and is found: verify, level 4.
 */
#ifndef POOL_PHYSICAL_H
#define POOL_PHYSICAL_H

#include "result.h"

extern void pool_physical_verify(PoolCall *call);

#endif							/* POOL_PHYSICAL_H */
