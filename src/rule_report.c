/*
 * rule_report.c
 *	  Telling of rules that cannot be evaluated.
 *
 * Such a rule is no match and the others go on, or it bars leads for no reason
 * that anybody sees: so nobody would know.  It is told of once in a statement,
 * or a batch of the worker, however many leads it fails for.
 */
#include "compat.h"
#include "rule_report.h"

#include "access/xact.h"
#include "datatype/timestamp.h"

/* so many rules are told of in one statement */
#define MAX_REPORTED 64

typedef struct Reported
{
	PoolRuleKind kind;
	int32		id;
} Reported;

static Reported reported[MAX_REPORTED];
static int	n_reported = 0;
static TimestampTz reported_in = 0; /* the start of that statement */

/* Whether this one is to be told of; it is then taken for told. */
static bool
is_news(PoolRuleKind kind, int32 id)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();

	if (statement != reported_in)
		n_reported = 0;
	reported_in = statement;
	for (int i = 0; i < n_reported; i++)
		if (reported[i].kind == kind && reported[i].id == id)
			return false;
	if (n_reported == MAX_REPORTED)
		return false;
	reported[n_reported++] = (Reported)
	{
		kind, id
	};
	return true;
}

static const char *
message_of(PoolRuleKind kind)
{
	switch (kind)
	{
		case POOL_KIND_TIMER:
			return gettext_noop("condition of timer rule \"%s\" of pool \"%s\" failed");
		case POOL_KIND_SCORE:
			return gettext_noop("condition of score rule \"%s\" of pool \"%s\" failed");
		case POOL_KIND_REWARD:
			return gettext_noop("condition of reward rule \"%s\" of pool \"%s\" failed");
		case POOL_KIND_CLAIM:
			return gettext_noop("condition of claim rule \"%s\" of pool \"%s\" failed");
		case POOL_KIND_APPROVAL:
			return gettext_noop("condition of approval rule \"%s\" of pool \"%s\" failed");
		case POOL_KIND_RUN:
			return gettext_noop("condition of run %s (%s) failed");
	}
	return NULL;
}

/* Rules that bar something are on the safe side: they bar it. */
static const char *
hint_of(PoolRuleKind kind)
{
	if (kind == POOL_KIND_CLAIM || kind == POOL_KIND_APPROVAL)
		return gettext_noop("The rule binds there; compare numbers with numbers.");
	if (kind == POOL_KIND_RUN)
		return gettext_noop("Such leads stay; compare numbers with numbers.");
	return gettext_noop("The other rules go on; compare numbers with numbers.");
}

/*
 * The condition of this rule of the pool is neither true nor false of a lead, or
 * of a member.  What it says may be personal: its name has to do.  Of a run the
 * name is its id, and instead of the pool stands what kind of run it is.
 */
void
pool_rule_report(PoolRuleKind kind, int32 id, const char *name,
				 const char *pool)
{
	if (!is_news(kind, id))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg_internal(pool_text(message_of(kind)), name, pool),
			 errdetail("It compares what cannot be compared for at least one lead."),
			 errhint("%s", pool_text(hint_of(kind)))));
}
