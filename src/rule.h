/*
 * rule.h
 *	  Conditions on leads and members.
 */
#ifndef POOL_RULE_H
#define POOL_RULE_H

#include "data.h"
#include "lead.h"
#include "utils/jsonpath.h"

typedef enum PoolVerdict
{
	POOL_NO_MATCH,
	POOL_MATCH,
	POOL_RULE_ERROR				/* neither: reported, and no match */
} PoolVerdict;

extern Jsonb *pool_rule_document(const PoolLead *lead, const PoolData *data,
								 TimestampTz now);
extern void pool_rule_prepare(PoolCondition *condition, JsonPath *path);
extern List *pool_rule_fields(JsonPath *path);
extern List *pool_rule_variables(JsonPath *path);
extern bool pool_rule_is_predicate(JsonPath *path);
extern char *pool_rule_bad_template(JsonPath *path);
extern void pool_rule_check_argument(JsonPath *condition);
extern PoolVerdict pool_rule_judge(const PoolCondition *condition,
								   Jsonb *document, Jsonb *variables);
extern TimestampTz pool_rule_next_idle_day(const PoolLead *lead,
										   TimestampTz now);

#endif							/* POOL_RULE_H */
