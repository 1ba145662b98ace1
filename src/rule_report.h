/*
 * rule_report.h
 *	  Telling of rules that cannot be evaluated.
 */
#ifndef POOL_RULE_REPORT_H
#define POOL_RULE_REPORT_H

#include "postgres.h"

typedef enum PoolRuleKind
{
	POOL_KIND_TIMER,
	POOL_KIND_SCORE,
	POOL_KIND_REWARD,
	POOL_KIND_CLAIM,
	POOL_KIND_APPROVAL,
	POOL_KIND_RUN
} PoolRuleKind;

extern void pool_rule_report(PoolRuleKind kind, int32 id, const char *name,
							 const char *pool);

#endif							/* POOL_RULE_REPORT_H */
