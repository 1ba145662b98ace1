/*
 * entry_rule.c
 *	  What the entry rules of a pool make of a lead that asks to be let in.
 *
 * Nothing is stored yet: the lead they look at is the one that would enter.
 */
#include "compat.h"
#include "entry_rule.h"

#include "lead.h"
#include "rule.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* how many pools an entry may be sent on through */
#define MAX_POOLS 16

/* An entry on its way from pool to pool. */
typedef struct Journey
{
	PoolEntry  *entry;
	TimestampTz now;
	MemoryContext scratch;
	List	  **reported;		/* ids of rules that were complained about */
	int32		passed[MAX_POOLS];
	int			n_passed;
} Journey;

/* What will be stored of the entry; its pointers are the entry's. */
PoolData
pool_entry_data(const PoolEntry *entry)
{
	PoolData	data = {0};

	data.id = entry->lead_id;
	data.tenant_id = entry->tenant_id;
	data.key = entry->key;
	data.name = entry->name;
	data.source = entry->source;
	data.grade = entry->grade;
	data.attributes = entry->attributes;
	data.created_at = entry->created_at;
	data.erased_at = POOL_NO_TIME;
	return data;
}

static Jsonb *
entry_document(const Journey *j)
{
	PoolLead	lead = {0};
	PoolData	data = pool_entry_data(j->entry);

	lead.tenant_id = j->entry->tenant_id;
	lead.pool_id = j->entry->pool_id;
	lead.priority = j->entry->priority;
	lead.entered_at = j->now;
	lead.owned_at = lead.last_follow_up_at = POOL_NO_TIME;
	return pool_rule_document(&lead, &data, j->now);
}

/* Once per rule and call: a load may have many such rows. */
static void
report_rule(const Journey *j, const PoolEntryRule *rule)
{
	if (list_member_int(*j->reported, rule->id))
		return;
	*j->reported = lappend_int(*j->reported, rule->id);
	ereport(WARNING,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("entry rule \"%s\" could not be evaluated", rule->name),
			 errdetail("Its condition compares what cannot be compared with the lead's fields."),
			 errhint("The rule was passed over, and the next one asked.")));
}

/* A rule that leads back to where the entry came from does not apply. */
static bool
leads_back(const Journey *j, const PoolEntryRule *rule)
{
	if (rule->then != POOL_THEN_TO_POOL)
		return false;
	for (int i = 0; i < j->n_passed; i++)
		if (j->passed[i] == rule->to_pool_id)
			return true;
	return j->n_passed == MAX_POOLS;
}

static PoolVerdict
judge(const Journey *j, const PoolCondition *condition, Jsonb **document)
{
	MemoryContext old;
	PoolVerdict verdict;

	if (condition->path == NULL)
		return POOL_MATCH;
	old = MemoryContextSwitchTo(j->scratch);
	if (*document == NULL)
		*document = entry_document(j);
	verdict = pool_rule_judge(condition, *document, NULL);
	MemoryContextSwitchTo(old);
	return verdict;
}

static const PoolEntryRule *
first_match(const Journey *j, const PoolConf *pool)
{
	Jsonb	   *document = NULL;

	for (int i = 0; i < pool->n_entry_rules; i++)
	{
		const PoolEntryRule *rule = &pool->entry_rules[i];
		PoolVerdict verdict;

		if (leads_back(j, rule))
			continue;
		verdict = judge(j, &rule->condition, &document);
		if (verdict == POOL_MATCH)
			return rule;
		if (verdict == POOL_RULE_ERROR)
			report_rule(j, rule);
	}
	return NULL;
}

/*
 * Decides by the rules of the entry's pool, and of those it is sent on to,
 * what becomes of it: pool, grade, then, rule and reason of the entry are set.
 * `reported` remembers across entries which rules were complained about;
 * `scratch` may be reset afterwards.
 */
void
pool_entry_judge(PoolEntry *entry, TimestampTz now, MemoryContext scratch,
				 List **reported)
{
	Journey		j = {.entry = entry,.now = now,.scratch = scratch,
	.reported = reported};
	const PoolEntryRule *rule;
	const PoolConf *pool = pool_config_pool(entry->pool_id);

	entry->then = POOL_THEN_ACCEPT;
	while ((rule = first_match(&j, pool)) != NULL)
	{
		entry->rule_id = rule->id;
		entry->rule = rule->name;
		if (rule->reason != NULL)
			entry->reason = rule->reason;
		if (rule->grade != NULL)
			entry->grade = CStringGetTextDatum(rule->grade);
		entry->then = rule->then;
		if (rule->then != POOL_THEN_TO_POOL)
			break;
		j.passed[j.n_passed++] = pool->id;
		entry->pool_id = rule->to_pool_id;
		pool = pool_config_pool(entry->pool_id);
	}
	if (entry->then == POOL_THEN_TO_POOL)
		entry->then = POOL_THEN_ACCEPT;
	if (entry->then == POOL_THEN_ACCEPT && pool->review)
		entry->then = POOL_THEN_REVIEW;
}
