/*
 * fact.h
 *	  What conditions on members see.
 */
#ifndef POOL_FACT_H
#define POOL_FACT_H

#include "config.h"
#include "table.h"
#include "utils/jsonb.h"

extern Jsonb *pool_member_document(PoolWork *work, Snapshot snapshot,
								   const PoolMemberConf *member,
								   const PoolMembershipConf *membership,
								   int32 held, TimestampTz now);

#endif							/* POOL_FACT_H */
