/*
 * merge.c
 *	  Two leads turn out to be one customer: merge.
 *
 * The one is archived for good; whoever enters its key or identities from now
 * on meets the other (again.c).
 */
#include "batch.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "close.h"
#include "group.h"
#include "intake.h"
#include "priority.h"
#include "release.h"
#include "request.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(pool_merge);

/* the two items of the batch */
#define SOURCE 0
#define TARGET 1

static const char *
check_merge(void *arg, const PoolLead *lead)
{
	int64		source = *(int64 *) arg;

	if (lead->status == POOL_ARCHIVED ||
		(lead->id == source && lead->status == POOL_CONVERTED))
		return "already_closed";
	return NULL;
}

/* Why these two cannot become one; NULL if they can.  Both are locked. */
static const char *
judge_pair(PoolBatch *batch)
{
	const PoolBatchItem *source = &batch->items[SOURCE];
	const PoolBatchItem *target = &batch->items[TARGET];
	PoolTable  *table = pool_work_table(batch->call->work, POOL_LEAD_DATA);

	if (source->outcome != NULL)
		return source->outcome;
	if (target->outcome != NULL)
		return target->outcome;
	if (source->lead.tenant_id != target->lead.tenant_id ||
		pool_data_is_erased(table, source->id) ||
		pool_data_is_erased(table, target->id))
		return "not_found";
	if (source->lead.owner_id != 0 &&
		source->lead.owner_id != target->lead.owner_id)
		return "owned";
	if (source->lead.group_id != 0 && target->lead.group_id == 0 &&
		target->lead.owner_id != 0)
		return pool_group_refusal(pool_group_try(batch->call->work,
												 source->lead.group_id,
												 target->lead.owner_id));
	return NULL;
}

/* The source says where it went, after it was archived. */
static void
close_source(PoolBatch *batch, Datum reason)
{
	PoolBatchItem *source = &batch->items[SOURCE];
	PoolEvent	event = {.kind = "archived",
		.reason = CStringGetTextDatum("merged"),
	.actor_id = batch->actor->member_id};
	PoolDetail	detail;
	PoolData	data;

	pool_archive_one(batch, source, &event);
	pool_detail_begin(&detail);
	pool_detail_int(&detail, "into", batch->items[TARGET].id);
	event.kind = "merged";
	event.member_id = 0;
	event.reason = reason;
	event.detail = pool_detail_end(&detail);
	pool_open_lead(batch->call->work, &source->lead, &data);
	pool_event_append(batch->call->work, &event, &source->lead, &data);
}

/*
 * What the target does not know it takes from the source.  40001 where either
 * has been edited since the snapshot of a higher level: nothing of it must be
 * left behind.
 */
static void
merge_data(PoolBatch *batch)
{
	PoolTable  *table = pool_work_table(batch->call->work, POOL_LEAD_DATA);
	PoolData	source;
	PoolData	target;

	if (!pool_data_lock(table, batch->items[SOURCE].id, pool_snapshot(),
						&source))
		elog(ERROR, "lead to be merged has no data");
	/* the slot is needed for the other row */
	source.attributes = datumCopy(source.attributes, false, -1);
	source.name = source.name == 0 ? 0 : datumCopy(source.name, false, -1);
	source.grade = source.grade == 0 ? 0 : datumCopy(source.grade, false, -1);
	if (!pool_data_lock(table, batch->items[TARGET].id, pool_snapshot(),
						&target))
		elog(ERROR, "lead to merge into has no data");
	target.attributes = DirectFunctionCall2(jsonb_concat, source.attributes,
											target.attributes);
	pool_check_attributes(target.attributes);
	if (target.name == 0)
		target.name = source.name;
	if (target.grade == 0)
		target.grade = source.grade;
	pool_data_update(table, &target);
}

/* All that the source has now, be it newer than the snapshot. */
static void
move_identities(const PoolBatch *batch)
{
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {Int64GetDatum(batch->items[SOURCE].id),
	Int64GetDatum(batch->items[TARGET].id)};
	PoolSql		sql = pool_sql_begin();

	(void) pool_sql_run_latest("UPDATE pool.identity SET lead_id = $2"
							   " WHERE lead_id = $1", 2, types, values);
	pool_sql_end(sql);
}

/* The target takes the source's place among the leads of its customer. */
static void
join_group(PoolBatch *batch)
{
	PoolWork   *work = batch->call->work;
	PoolLead   *target = &batch->items[TARGET].lead;
	int64		group_id = batch->items[SOURCE].lead.group_id;

	if (group_id == 0 || target->group_id != 0)
		return;
	pool_lead_join(pool_work_table(work, POOL_LEAD_STATE), target, group_id);
	if (target->owner_id != 0)
		pool_group_gain(work, group_id, target->owner_id);
	CommandCounterIncrement();
}

/* What it carries has changed: scores and conditions of timers see that. */
static void
judge_anew(PoolTable *leads, PoolLead *target, const PoolData *data,
		   TimestampTz at)
{
	int16		priority = pool_score(target, data, at);

	if (!pool_lead_is_open(target))
		return;
	if (priority != target->priority)
		pool_lead_rank(leads, target, priority);
	else if (pool_config_pool(target->pool_id)->conditional)
		pool_lead_retime(leads, target);
}

static void
change_target(PoolBatch *batch, Datum reason)
{
	PoolWork   *work = batch->call->work;
	PoolTable  *leads = pool_work_table(work, POOL_LEAD_STATE);
	PoolLead   *target = &batch->items[TARGET].lead;
	PoolEvent	event = {.kind = "merged",.reason = reason,
		.member_id = target->owner_id,
	.actor_id = batch->actor->member_id};
	PoolDetail	detail;
	PoolData	data;

	pool_open_lead(work, target, &data);
	join_group(batch);
	pool_open_lead(work, target, &data);
	event.at = pool_lead_time(target, batch->now);
	judge_anew(leads, target, &data, event.at);
	pool_detail_begin(&detail);
	pool_detail_int(&detail, "lead", batch->items[SOURCE].id);
	event.detail = pool_detail_end(&detail);
	pool_event_append(work, &event, target, &data);
}

static void
check_ids(const int64 *ids)
{
	if (ids[SOURCE] == ids[TARGET])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge lead %lld into itself",
						(long long) ids[SOURCE]),
				 errdetail("Merging archives the one lead in favour of the other."),
				 errhint("Name two leads.")));
}

/*
 * pool.merge(lead, into, reason, actor, request_id)
 */
Datum
pool_merge(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "merge");
	PoolActor	actor = pool_resolve_actor(fcinfo, 3);
	Datum		reason = pool_arg_short(call, 2, POOL_MAX_LABEL_LENGTH,
										"reason");
	int64		ids[2] = {pool_arg_id(call, 0), pool_arg_id(call, 1)};
	PoolBatch  *batch;
	const char *outcome;

	check_ids(ids);
	if (pool_request_replay(call, 4, actor.tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, ids, 2, check_merge, &ids[SOURCE]);
	pool_batch_require_manager(batch, NULL);
	pool_batch_lock_leads(batch);
	pool_batch_require_manager(batch, NULL);
	pool_batch_add_owners(batch);
	pool_batch_lock_counters(batch);
	outcome = judge_pair(batch);
	if (outcome == NULL)
	{
		close_source(batch, reason);
		merge_data(batch);
		move_identities(batch);
		CommandCounterIncrement();
		change_target(batch, reason);
		outcome = "merged";
	}
	pool_batch_emit(batch, &batch->items[TARGET], outcome);
	return pool_batch_end(batch);
}
