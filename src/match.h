/*
 * match.h
 *	  Looking for leads by their fields.
 */
#ifndef POOL_MATCH_H
#define POOL_MATCH_H

#include "postgres.h"

#include "utils/jsonb.h"

typedef struct PoolMatch PoolMatch;

extern PoolMatch *pool_match_prepare(Jsonb *json);
extern bool pool_match_holds(const PoolMatch *match, Jsonb *document);

#endif							/* POOL_MATCH_H */
