/*
 * event.h
 *	  The log.
 */
#ifndef POOL_EVENT_H
#define POOL_EVENT_H

#include "clock.h"
#include "data.h"
#include "lead.h"
#include "table.h"
#include "utils/jsonb.h"

typedef struct PoolEvent
{
	const char *kind;
	TimestampTz at;
	int32		member_id;		/* 0 = NULL, as the next two */
	int32		actor_id;
	int32		rule_id;
	int64		run_id;			/* for the detail; 0 = of no run */
	bool		no_cooldown;	/* for the detail of a release */
	Datum		reason;			/* text, 0 = NULL */
	Datum		source;			/* text, 0 = the lead's */
	Jsonb	   *detail;			/* NULL = none */
} PoolEvent;

/* A small JSON object being built. */
typedef struct PoolDetail
{
	JsonbParseState *state;
	bool		empty;
} PoolDetail;

extern int64 pool_event_append(PoolWork *work, const PoolEvent *event,
							   const PoolLead *lead, const PoolData *data);

extern void pool_detail_begin(PoolDetail *detail);
extern void pool_detail_text(PoolDetail *detail, const char *key,
							 const char *text_value, int len);
extern void pool_detail_datum(PoolDetail *detail, const char *key,
							  Datum text_value);
extern void pool_detail_null(PoolDetail *detail, const char *key);
extern void pool_detail_or_null(PoolDetail *detail, const char *key,
								Datum text_value);
extern void pool_detail_int(PoolDetail *detail, const char *key, int64 number);
extern void pool_detail_numeric(PoolDetail *detail, const char *key,
								Datum number);
extern void pool_detail_time(PoolDetail *detail, const char *key,
							 TimestampTz at);
extern void pool_detail_from_pool(PoolDetail *detail, int32 from_pool_id,
								  int32 pool_id, TimestampTz at);
extern void pool_detail_true(PoolDetail *detail, const char *key);
extern void pool_detail_false(PoolDetail *detail, const char *key);
extern void pool_detail_json(PoolDetail *detail, const char *key, Jsonb *json);
extern Jsonb *pool_detail_end(PoolDetail *detail);
extern int64 pool_detail_get_id(Jsonb *detail, const char *key);
extern int32 pool_detail_get_int(Jsonb *detail, const char *key);
extern bool pool_detail_is_false(Jsonb *detail, const char *key);
extern bool pool_detail_has(Jsonb *detail, const char *key);

#endif							/* POOL_EVENT_H */
