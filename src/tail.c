/*
 * tail.c
 *	  Events that are not folded into the roll-ups yet, added up as they will be.
 *
 * Statistics add the tail to the roll-ups, and folding adds part of it to them.
 * An event is folded if its generation is lower than that of the last fold, or
 * equal with its transaction visible in the snapshot of it.  So the tail are
 * three ranges of event_order_idx.  It is read in the snapshot of the query that
 * asks, as the roll-ups are.
 */
#include "compat.h"

#include "access.h"
#include "access/relscan.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "tally.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

PG_FUNCTION_INFO_V1(pool_tail_day);
PG_FUNCTION_INFO_V1(pool_tail_member);

typedef struct Tail
{
	PoolCall   *call;
	PoolTally  *tally;
	MemoryContext scratch;		/* reset after each event */
	bool		sees_all;
	int32		last_tenant;	/* judged last */
	bool		sees_last;
	int32		generation;		/* of what is folded */
	FullTransactionId xmax;		/* no later transaction is folded */
	FullTransactionId *running; /* nor are these */
	int			n_running;
	Datum		upto;			/* count only what this snapshot sees, 0 = all */
	int32		upto_generation;
	FullTransactionId limit;	/* where that snapshot ends, invalid = nowhere */
	FullTransactionId last_xid; /* judged last */
	bool		last_counts;
} Tail;

/* Whether the transaction is to be counted. */
static bool
is_finished(Tail *tail, FullTransactionId xid, int32 generation)
{
	if (tail->upto == 0)
		return true;
	if (generation != tail->upto_generation)
		return generation < tail->upto_generation;
	if (!FullTransactionIdEquals(xid, tail->last_xid))
	{
		tail->last_xid = xid;
		tail->last_counts =
			DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot,
											 FullTransactionIdGetDatum(xid),
											 tail->upto));
	}
	return tail->last_counts;
}

static bool
sees(Tail *tail, int32 tenant_id)
{
	if (tail->sees_all)
		return true;
	if (tenant_id != tail->last_tenant)
	{
		tail->last_tenant = tenant_id;
		tail->sees_last = pool_caller_sees_tenant(tenant_id);
	}
	return tail->sees_last;
}

static void
count_event(Tail *tail, TupleTableSlot *event, PoolTallyAdd add)
{
	bool		isnull;
	FullTransactionId xid =
	DatumGetFullTransactionId(slot_getattr(event, EVENT_XID, &isnull));
	int32		generation =
	DatumGetInt32(slot_getattr(event, EVENT_GENERATION, &isnull));
	PoolEffect	effect;

	if (!is_finished(tail, xid, generation))
		return;
	pool_effect_read(event, &effect);
	if (sees(tail, effect.tenant_id))
		add(tail->tally, &effect);
}

/* Counts the events that these keys on event_order_idx find. */
static void
count_range(Tail *tail, ScanKeyData *keys, int nkeys, PoolTallyAdd add)
{
	PoolTable  *events = pool_work_table(tail->call->work, POOL_EVENT);
	IndexScanDesc scan =
	pool_index_beginscan(events->rel,
						 pool_work_index(events, POOL_EVENT_ORDER),
						 GetActiveSnapshot(), nkeys);

	index_rescan(scan, keys, nkeys, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, events->old))
	{
		MemoryContext old = MemoryContextSwitchTo(tail->scratch);

		CHECK_FOR_INTERRUPTS();
		count_event(tail, events->old, add);
		MemoryContextSwitchTo(old);
		MemoryContextReset(tail->scratch);
	}
	index_endscan(scan);
}

static void
set_generation_key(ScanKeyData *key, StrategyNumber strategy,
				   RegProcedure test, int32 generation)
{
	ScanKeyInit(key, 1, strategy, test, Int32GetDatum(generation));
}

static void
set_xid_key(ScanKeyData *key, StrategyNumber strategy, RegProcedure test,
			FullTransactionId xid)
{
	ScanKeyInit(key, 2, strategy, test, FullTransactionIdGetDatum(xid));
}

static void
count_tail(Tail *tail, PoolTallyAdd add)
{
	ScanKeyData keys[3];

	set_generation_key(&keys[0], BTGreaterStrategyNumber, F_INT4GT,
					   tail->generation);
	count_range(tail, keys, 1, add);
	set_generation_key(&keys[0], BTEqualStrategyNumber, F_INT4EQ,
					   tail->generation);
	set_xid_key(&keys[1], BTGreaterEqualStrategyNumber, F_XID8GE, tail->xmax);
	set_xid_key(&keys[2], BTLessStrategyNumber, F_XID8LT, tail->limit);
	count_range(tail, keys, FullTransactionIdIsValid(tail->limit) ? 3 : 2,
				add);
	for (int i = 0; i < tail->n_running; i++)
	{
		set_xid_key(&keys[1], BTEqualStrategyNumber, F_XID8EQ,
					tail->running[i]);
		count_range(tail, keys, 2, add);
	}
}

/* Reads xmax and the running ones from the text of a pg_snapshot. */
static void
read_folded(Tail *tail, Datum snapshot)
{
	char	   *text =
	DatumGetCString(DirectFunctionCall1(pg_snapshot_out, snapshot));
	char	   *next = strchr(text, ':') + 1;

	tail->xmax = FullTransactionIdFromU64(strtou64(next, &next, 10));
	tail->running = palloc((strlen(next) / 2 + 1) * sizeof(FullTransactionId));
	while (next[0] != '\0' && next[1] != '\0')
		tail->running[tail->n_running++] =
			FullTransactionIdFromU64(strtou64(next + 1, &next, 10));
}

/* Who may read the log may count all of it. */
static bool
may_read_log(void)
{
	return pg_class_aclcheck(pool_table_oid(POOL_EVENT), GetUserId(),
							 ACL_SELECT) == ACLCHECK_OK;
}

static Tail *
begin_tail(FunctionCallInfo fcinfo, const char *function)
{
	Tail	   *tail = palloc0(sizeof(Tail));

	tail->call = pool_call_begin_reading(fcinfo, function);
	tail->tally = pool_tally_begin();
	tail->scratch = AllocSetContextCreate(CurrentMemoryContext,
										  "pool_ext event",
										  ALLOCSET_SMALL_SIZES);
	tail->sees_all = may_read_log();
	/* nothing has been folded before the first fold */
	tail->generation = PG_ARGISNULL(0) ? PG_INT32_MIN : PG_GETARG_INT32(0);
	if (!PG_ARGISNULL(1))
		read_folded(tail, PG_GETARG_DATUM(1));
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		tail->upto_generation = PG_GETARG_INT32(2);
		tail->upto = PG_GETARG_DATUM(3);
		if (tail->generation == tail->upto_generation)
			tail->limit =
				DatumGetFullTransactionId(DirectFunctionCall1(pg_snapshot_xmax,
															  tail->upto));
	}
	return tail;
}

/*
 * SQL, for statistics: tail_day(generation, folded, upto_generation, upto)
 */
Datum
pool_tail_day(PG_FUNCTION_ARGS)
{
	Tail	   *tail = begin_tail(fcinfo, "tail_day");

	count_tail(tail, pool_tally_day);
	pool_tally_emit_days(tail->tally, tail->call);
	return pool_call_end(tail->call);
}

/*
 * SQL, for statistics: tail_member(generation, folded, upto_generation, upto)
 */
Datum
pool_tail_member(PG_FUNCTION_ARGS)
{
	Tail	   *tail = begin_tail(fcinfo, "tail_member");

	count_tail(tail, pool_tally_member);
	pool_tally_emit_members(tail->tally, tail->call);
	return pool_call_end(tail->call);
}
