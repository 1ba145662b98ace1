/*
 * room.h
 *	  Room in a page for the next version of its rows.
 */
#ifndef POOL_ROOM_H
#define POOL_ROOM_H

#include "table.h"

extern bool pool_room_wanted(const PoolTable *table);
extern void pool_room_make(PoolTable *table);

#endif							/* POOL_ROOM_H */
