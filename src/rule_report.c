/*
 * rule_report.c
 *	  Telling of rules that cannot be evaluated.
 *
 * Such a rule is no match and the others go on, so that nobody would know.  It
 * is told of once in a statement, or a batch of the worker, however many leads
 * it fails for.
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

/*
 * The condition of this rule of the pool is neither true nor false of a lead.
 * What it says may be personal: its name has to do.
 */
void
pool_rule_report(PoolRuleKind kind, int32 id, const char *name,
				 const char *pool)
{
	if (!is_news(kind, id))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 kind == POOL_KIND_TIMER ?
			 errmsg("condition of timer rule \"%s\" of pool \"%s\" failed",
					name, pool) :
			 kind == POOL_KIND_SCORE ?
			 errmsg("condition of score rule \"%s\" of pool \"%s\" failed",
					name, pool) :
			 errmsg("condition of reward rule \"%s\" of pool \"%s\" failed",
					name, pool),
			 errdetail("It compares what cannot be compared for at least one lead."),
			 errhint("The other rules go on; compare numbers with numbers.")));
}
