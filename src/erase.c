/*
 * erase.c
 *	  Personal data goes, counts stay: erase.
 *
 * A customer is erased with all leads that were merged into the one named,
 * as far as the log still tells of them.
 */
#include "batch.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "close.h"
#include "data.h"
#include "guard.h"
#include "intake.h"
#include "release.h"
#include "sql.h"
#include "trigger.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(pool_erase);

static const char *
check_erase(void *arg, const PoolLead *lead)
{
	return NULL;
}

/* Keys of an event's detail that are not personal and that counts need. */
#define KEPT_DETAILS \
	"'{from,from_pool,from_day,cooldown,answered,kind,first_seconds,seconds,amount," \
	"currency,changed,due_at,before,until,quarantine,notify,approval,action," \
	"step,counted,owner,run,hidden_until,collaborators,role,counts," \
	"group,lead,into,estimated,strategy,probability,score,seed,newcomer," \
	"hand_over,undo,result,occurred_at}'"

/* What personal data leads have, and how it goes; $1 are the leads, $2 now. */
static const char *const erasures[] = {
	"UPDATE pool.lead_data SET key = '" POOL_ERASED_KEY "' || id, name = NULL,"
	" attributes = '{}', erased_at = $2 WHERE id = ANY ($1)",
	"DELETE FROM pool.identity WHERE lead_id = ANY ($1)",
	"UPDATE pool.event SET reason = NULL, detail ="
	" (SELECT jsonb_object_agg(d.key, d.value)"
	"  FROM jsonb_each(detail) d WHERE d.key = ANY (" KEPT_DETAILS "))"
	" WHERE lead_id = ANY ($1) AND (reason IS NOT NULL OR detail IS NOT NULL)",
	"UPDATE pool.approval SET reason = NULL, note = NULL"
	" WHERE lead_id = ANY ($1) AND (reason IS NOT NULL OR note IS NOT NULL)",
	/* of stored results, outcome and lead stay; so many columns follow */
	"UPDATE pool.request_log SET result ="
	" (SELECT array_agg(CASE WHEN split_part(r, ',', 2) = ANY ($1::text[])"
	"   THEN concat('(', split_part(substr(r, 2), ',', 1), ',',"
	"    split_part(r, ',', 2),"
	"    repeat(',', CASE function WHEN 'claim' THEN 10"
	"     WHEN 'reveal' THEN 8 WHEN 'claim_leads' THEN 5 WHEN 'reserve' THEN 5"
	"     WHEN 'approve' THEN 3 WHEN 'auto_assign' THEN 3"
	"     WHEN 'apply_plan' THEN 2 WHEN 'undo_run' THEN 2 ELSE 1 END), ')')"
	"   ELSE r END ORDER BY n)"
	"  FROM unnest(result) WITH ORDINALITY u (r, n))"
	" WHERE function IN ('claim', 'claim_leads', 'assign', 'transfer',"
	"  'release', 'reclaim', 'convert', 'archive', 'reopen', 'move', 'hide',"
	"  'unhide', 'protect', 'unprotect', 'approve', 'reject',"
	"  'cancel_request', 'review', 'merge', 'reveal', 'reserve', 'unreserve',"
	"  'auto_assign', 'apply_plan', 'undo_run', 'add_collaborator',"
	"  'remove_collaborator')"
	" AND EXISTS (SELECT FROM unnest(result) r"
	"  WHERE split_part(r, ',', 2) = ANY ($1::text[]))"
};

/* What must not be left of them, whatever triggers say. */
static const struct
{
	PoolTableId table;
	const char *query;
}			remains[] = {

	{POOL_LEAD_DATA, "SELECT FROM pool.lead_data WHERE id = ANY ($1)"
	" AND (name IS NOT NULL OR attributes <> '{}' OR erased_at IS NULL) LIMIT 1"},
	{POOL_IDENTITY, "SELECT FROM pool.identity WHERE lead_id = ANY ($1) LIMIT 1"},
	{POOL_EVENT, "SELECT FROM pool.event WHERE lead_id = ANY ($1)"
	" AND (reason IS NOT NULL OR detail ? 'note') LIMIT 1"}
};

static void
check_nothing_remains(Oid *types, Datum *values)
{
	for (int i = 0; i < (int) lengthof(remains); i++)
	{
		Relation	rel = table_open(pool_table_oid(remains[i].table),
									 AccessShareLock);

		pool_trigger_check_written(rel, pool_sql_run(remains[i].query, 2,
													 types, values, NULL) == 0);
		table_close(rel, AccessShareLock);
	}
}

/* All leads at once: there is no index that finds stored results of a lead. */
static void
erase_personal_data(Datum *ids, int n, TimestampTz now)
{
	Oid			types[2] = {INT8ARRAYOID, TIMESTAMPTZOID};
	Datum		values[2] = {0, TimestampTzGetDatum(now)};
	PoolSql		sql;

	if (n == 0)
		return;
	values[0] = PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64),
												FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	sql = pool_sql_begin();
	pool_guard_allow_event_writes = true;
	PG_TRY();
	{
		for (int i = 0; i < (int) lengthof(erasures); i++)
			pool_sql_run(erasures[i], 2, types, values, NULL);
		check_nothing_remains(types, values);
	}
	PG_FINALLY();
	{
		pool_guard_allow_event_writes = false;
	}
	PG_END_TRY();
	pool_sql_end(sql);
}

/* Erased before, and closed since: there is nothing to do. */
static bool
is_done(PoolBatch *batch, const PoolBatchItem *item)
{
	return pool_lead_is_closed(&item->lead) &&
		pool_data_is_erased(pool_work_table(batch->call->work,
											POOL_LEAD_DATA), item->id);
}

/* Erases what the leads carry, and closes those that are open. */
static void
erase_leads(PoolBatch *batch, Datum reason)
{
	Datum	   *ids = palloc(Max(batch->n, 1) * sizeof(Datum));
	bool	   *erased = palloc0(Max(batch->n, 1) * sizeof(bool));
	int			n = 0;

	for (int i = 0; i < batch->n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		erased[i] = item->outcome == NULL && !is_done(batch, item);
		if (erased[i])
			ids[n++] = Int64GetDatum(item->id);
	}
	erase_personal_data(ids, n, batch->now);
	for (int i = 0; i < batch->n; i++)
	{
		PoolEvent	event = {.kind = "erased",.reason = reason,
		.actor_id = batch->actor->member_id};

		if (erased[i])
			pool_archive_one(batch, &batch->items[i], &event);
	}
}

/*
 * Adds the leads that were merged into these: their customer is the same.
 * Returns how many there are then.
 */
static int
add_merged(int64 **ids, int n)
{
	Oid			types[1] = {INT8ARRAYOID};
	Datum		values[1];
	Datum	   *given = palloc(Max(n, 1) * sizeof(Datum));
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	uint64		more;

	for (int i = 0; i < n; i++)
		given[i] = Int64GetDatum((*ids)[i]);
	values[0] = PointerGetDatum(construct_array(given, n, INT8OID,
												sizeof(int64),
												FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	more = pool_sql_run("WITH RECURSIVE merged AS ("
						" SELECT unnest($1) AS id UNION"
						" SELECT (e.detail ->> 'lead')::bigint FROM merged m"
						" JOIN pool.event e ON e.lead_id = m.id"
						" WHERE e.kind = 'merged' AND e.detail ? 'lead')"
						" SELECT m.id FROM merged m"
						" JOIN pool.lead_state s ON s.id = m.id"
						" WHERE m.id <> ALL ($1) ORDER BY m.id",
						1, types, values, NULL);
	if (more > 0)
	{
		int64	   *all = MemoryContextAlloc(context,
											 (n + more) * sizeof(int64));

		memcpy(all, *ids, n * sizeof(int64));
		for (uint64 row = 0; row < more; row++)
			all[n++] = pool_sql_int8(row, 1);
		*ids = all;
	}
	pool_sql_end(sql);
	return n;
}

/*
 * Whether what was merged into the first n leads is all there to be erased; with
 * these locked, nothing more is merged into them.
 */
static bool
is_whole(const PoolBatch *batch, int64 *ids, int n)
{
	if (add_merged(&ids, n) > batch->n)
		return false;
	for (int i = n; i < batch->n; i++)
		if (batch->items[i].outcome != NULL)
			return false;
	return true;
}

/*
 * pool.erase(leads, reason, actor)
 */
Datum
pool_erase(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "erase");
	PoolActor	actor = pool_resolve_operator(fcinfo, 2);
	Datum		reason = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH,
										"reason");
	PoolBatch  *batch;
	int64	   *ids;
	int			n = pool_arg_ids(call, 0, &ids);
	int			n_all = add_merged(&ids, n);

	batch = pool_batch_begin(call, &actor, ids, n_all, check_erase, NULL);
	pool_batch_require_manager(batch, NULL);
	pool_batch_lock_leads(batch);
	pool_batch_require_manager(batch, NULL);
	pool_batch_add_owners(batch);
	pool_batch_lock_counters(batch);
	if (!is_whole(batch, ids, n))
		for (int i = 0; i < n; i++)
			batch->items[i].outcome = "contended";
	else
		erase_leads(batch, reason);
	for (int i = 0; i < n; i++)
	{
		PoolBatchItem *item = &batch->items[i];

		/* the key went with the rest */
		pool_put_text(call, 0, item->outcome != NULL ?
					  item->outcome : "erased");
		pool_put(call, 1, Int64GetDatum(item->id));
		pool_call_row(call);
	}
	return pool_batch_end(batch);
}
