/*
 * effect.h
 *	  What an event of the log does to its lead.
 */
#ifndef POOL_EFFECT_H
#define POOL_EFFECT_H

#include "compat.h"

#include "executor/tuptable.h"
#include "utils/date.h"
#include "utils/jsonb.h"

typedef enum PoolEffectKind
{
	POOL_EFFECT_OTHER,			/* nothing that is counted */
	POOL_EFFECT_ENTERED,
	POOL_EFFECT_REVIEW,
	POOL_EFFECT_CLAIMED,
	POOL_EFFECT_ASSIGNED,
	POOL_EFFECT_TRANSFERRED,
	POOL_EFFECT_RELEASED,
	POOL_EFFECT_RECLAIMED,
	POOL_EFFECT_MOVED,
	POOL_EFFECT_REOPENED,
	POOL_EFFECT_CONVERTED,
	POOL_EFFECT_ARCHIVED,
	POOL_EFFECT_ERASED,
	POOL_EFFECT_FOLLOWED_UP
} PoolEffectKind;

/* A status of the lead, as a place where leads are counted. */
typedef enum PoolStock
{
	POOL_STOCK_NONE,
	POOL_STOCK_AVAILABLE,
	POOL_STOCK_REVIEW,
	POOL_STOCK_OWNED,
	POOL_STOCK_CONVERTED,
	POOL_STOCK_ARCHIVED
} PoolStock;

typedef struct PoolEffect
{
	PoolEffectKind kind;
	PoolStock	before;
	PoolStock	after;
	int32		tenant_id;
	int32		pool_id;
	DateADT		day;			/* of that pool */
	int32		from_pool_id;	/* pool_id where it stays */
	DateADT		from_day;
	int32		member_id;		/* 0 = none, as the next two */
	int32		former_id;		/* whose spell the event ends */
	int32		rule_id;
	Datum		source;			/* text, 0 = none */
	Jsonb	   *detail;			/* NULL = none */
} PoolEffect;

extern void pool_effect_read(TupleTableSlot *event, PoolEffect *effect);

#endif							/* POOL_EFFECT_H */
