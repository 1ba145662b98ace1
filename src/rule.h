/*
 * rule.h
 *	  Conditions on leads.
 */
#ifndef POOL_RULE_H
#define POOL_RULE_H

#include "data.h"
#include "lead.h"
#include "utils/jsonpath.h"

extern Jsonb *pool_rule_document(const PoolLead *lead, const PoolData *data,
								 TimestampTz now);
extern bool pool_rule_matches(JsonPath *condition, Jsonb *document);
extern bool pool_rule_depends_on_time(JsonPath *condition);
extern TimestampTz pool_rule_next_idle_day(const PoolLead *lead,
										   TimestampTz now);
extern const PoolTimerRule *pool_rule_next(const PoolLead *lead,
										   const PoolData *data,
										   TimestampTz now,
										   TimestampTz *due_at);

#endif							/* POOL_RULE_H */
