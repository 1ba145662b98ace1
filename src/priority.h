/*
 * priority.h
 *	  The priority a pool's score rules give a lead.
 */
#ifndef POOL_PRIORITY_H
#define POOL_PRIORITY_H

#include "data.h"
#include "lead.h"

extern bool pool_scores(int32 pool_id);
extern int16 pool_score(const PoolLead *lead, const PoolData *data,
						TimestampTz now);

#endif							/* POOL_PRIORITY_H */
