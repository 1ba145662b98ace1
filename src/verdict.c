/*
 * verdict.c
 *	  What became, or would become, of each row of the last bulk entry:
 *	  intake_check.
 *
 * Kept in the session, since a check leaves nothing in the database.  What a
 * load reports goes with the transaction if that does not commit.
 */
#include "compat.h"
#include "verdict.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "result.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(pool_intake_check);

typedef struct Verdict
{
	int			row;			/* from 1 */
	const char *outcome;		/* static, as status */
	const char *status;
	char	   *key;			/* NULL = none given */
	char	   *rule;
	char	   *reason;
	int64		lead_id;		/* 0 = none */
	int32		member_id;
	int32		pool_id;
} Verdict;

struct PoolVerdicts
{
	MemoryContext context;
	Oid			user;			/* whose they are */
	SubTransactionId subid;		/* in which they came to be, ... */
	bool		keep;			/* ... unless they outlive it */
	Verdict    *rows;
	int			n;
	int			size;
};

/* those of the last statement that ended */
static PoolVerdicts *verdicts = NULL;

static void
forget(void)
{
	if (verdicts != NULL)
		MemoryContextDelete(verdicts->context);
	verdicts = NULL;
}

static void
end_of_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT && verdicts != NULL && !verdicts->keep)
		forget();
	else if (verdicts != NULL &&
			 (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE))
		verdicts->keep = true;
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (verdicts == NULL || verdicts->keep || verdicts->subid != subid)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget();
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		verdicts->subid = parent;
}

void
pool_verdict_init(void)
{
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}

/* Begins a new list, which lives in this context until it is published. */
PoolVerdicts *
pool_verdict_begin(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "pool_ext verdicts",
												  ALLOCSET_DEFAULT_SIZES);
	PoolVerdicts *list = MemoryContextAllocZero(context, sizeof(PoolVerdicts));

	list->context = context;
	list->size = 64;
	list->rows = MemoryContextAllocHuge(context,
										list->size * sizeof(Verdict));
	return list;
}

/* The session's last list is this one; with `keep` it outlives a rollback. */
void
pool_verdict_publish(PoolVerdicts *list, bool keep)
{
	forget();
	MemoryContextSetParent(list->context, TopMemoryContext);
	list->user = GetUserId();
	list->subid = GetCurrentSubTransactionId();
	list->keep = keep;
	verdicts = list;
}

static Verdict *
new_verdict(PoolVerdicts *list, int row, Datum key)
{
	Verdict    *verdict;

	if (list->n == list->size)
	{
		list->size *= 2;
		list->rows = repalloc_huge(list->rows, list->size * sizeof(Verdict));
	}
	verdict = &list->rows[list->n++];
	memset(verdict, 0, sizeof(Verdict));
	verdict->row = row;
	if (key != 0)
		verdict->key = TextDatumGetCString(key);
	return verdict;
}

static char *
copy(const char *string)
{
	return string != NULL ? pstrdup(string) : NULL;
}

/*
 * What became of a row.  Leads from this id on are not there any more, as
 * those a check has let in.
 */
void
pool_verdict_put(PoolVerdicts *list, int row, const PoolEntry *entry,
				 int64 undone_from)
{
	MemoryContext old = MemoryContextSwitchTo(list->context);
	Verdict    *verdict = new_verdict(list, row, entry->key);

	verdict->outcome = entry->outcome;
	verdict->status = entry->status;
	verdict->rule = copy(entry->rule);
	verdict->reason = copy(entry->reason);
	if (entry->lead_id < undone_from)
		verdict->lead_id = entry->lead_id;
	verdict->member_id = entry->member_id;
	verdict->pool_id = entry->home_pool_id;
	MemoryContextSwitchTo(old);
}

/* A row that cannot be entered at all. */
void
pool_verdict_error(PoolVerdicts *list, int row, Datum key,
				   const char *message)
{
	MemoryContext old = MemoryContextSwitchTo(list->context);
	Verdict    *verdict = new_verdict(list, row, key);

	verdict->outcome = "error";
	verdict->reason = copy(message);
	MemoryContextSwitchTo(old);
}

/* columns of intake_check() */
enum
{
	ROW_NUMBER, KEY, OUTCOME, LEAD_ID, MEMBER, STATUS, HOME_POOL, RULE, REASON
};

static void
emit(PoolCall *call, const Verdict *verdict)
{
	const PoolMemberConf *member =
	pool_config_find_member(verdict->member_id);
	const PoolConf *pool = pool_config_find_pool(verdict->pool_id);

	pool_put(call, ROW_NUMBER, Int32GetDatum(verdict->row));
	pool_put_text(call, KEY, verdict->key);
	pool_put_text(call, OUTCOME, verdict->outcome);
	if (verdict->lead_id != 0)
		pool_put(call, LEAD_ID, Int64GetDatum(verdict->lead_id));
	if (member != NULL)
		pool_put_text(call, MEMBER, member->key);
	pool_put_text(call, STATUS, verdict->status);
	if (pool != NULL)
		pool_put_text(call, HOME_POOL, pool->name);
	pool_put_text(call, RULE, verdict->rule);
	pool_put_text(call, REASON, verdict->reason);
	pool_call_row(call);
}

static int
compare_rows(const void *a, const void *b)
{
	return ((const Verdict *) a)->row - ((const Verdict *) b)->row;
}

/*
 * pool.intake_check()
 */
Datum
pool_intake_check(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "intake_check");

	if (verdicts == NULL || verdicts->user != GetUserId())
		return pool_call_end(call);
	/* rows in error were known before the others were judged */
	qsort(verdicts->rows, verdicts->n, sizeof(Verdict), compare_rows);
	for (int i = 0; i < verdicts->n; i++)
		emit(call, &verdicts->rows[i]);
	return pool_call_end(call);
}
