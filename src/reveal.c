/*
 * reveal.c
 *	  Masked data before a claim: reveal one lead at a time, counted; look up
 *	  whether a customer is known, and no more than that.
 *
 * A reveal locks the lead, as whatever writes events of it, and then the
 * member's counters, so that nobody reveals more than he may in two sessions.
 */
#include "batch.h"

#include "catalog/pg_type.h"
#include "identity.h"
#include "request.h"
#include "shown.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(pool_reveal);
PG_FUNCTION_INFO_V1(pool_lookup);

/* ------------------------------------------------------------------------
 * reveal
 * ------------------------------------------------------------------------ */

static const char *
check_reveal(void *arg, const PoolLead *lead)
{
	const PoolActor *actor = arg;

	if (pool_actor_role(actor, lead->pool_id) < POOL_ROLE_MEMBER)
		return "not_member";
	return lead->status == POOL_AVAILABLE ? NULL : "not_available";
}

/*
 * Counts a reveal on the member's day; false if the limit is reached.  One lead
 * counts once a day.
 */
static bool
count_reveal(const PoolLead *lead, const PoolMemberConf *member,
			 TimestampTz now, int32 *used)
{
	Oid			types[6] = {INT4OID, INT4OID, DATEOID, INT8OID, INT4OID,
	TIMESTAMPTZOID};
	Datum		values[6];
	int32		limit = pool_config_pool(lead->pool_id)->reveal_limit;
	PoolSql		sql;
	bool		known;
	bool		isnull;

	values[0] = Int32GetDatum(member->id);
	values[1] = Int32GetDatum(lead->pool_id);
	values[2] = DateADTGetDatum(pool_local_day(now, member->zone));
	values[3] = Int64GetDatum(lead->id);
	values[4] = Int32GetDatum(lead->tenant_id);
	values[5] = TimestampTzGetDatum(now);
	sql = pool_sql_begin();
	pool_sql_run("SELECT count(*)::integer,"
				 " coalesce(bool_or(lead_id = $4), false) FROM pool.reveal"
				 " WHERE member_id = $1 AND pool_id = $2 AND day = $3",
				 4, types, values, NULL);
	*used = pool_sql_int4(0, 1);
	known = DatumGetBool(pool_sql_datum(0, 2, &isnull));
	if (!known && (limit == POOL_NO_LIMIT || *used < limit))
	{
		pool_sql_run("INSERT INTO pool.reveal"
					 " (member_id, pool_id, day, lead_id, tenant_id, at)"
					 " VALUES ($1, $2, $3, $4, $5, $6)",
					 6, types, values, NULL);
		(*used)++;
		known = true;
	}
	pool_sql_end(sql);
	return known;
}

/* The row of a lead that is shown: all that is known of it. */
static void
emit_revealed(PoolCall *call, int64 lead_id, int32 limit, int32 used)
{
	Oid			types[3] = {INT8OID, INT4OID, INT4OID};
	Datum		values[3] = {Int64GetDatum(lead_id), Int32GetDatum(limit),
	Int32GetDatum(used)};

	pool_call_query(call,
					"SELECT 'revealed', d.id, d.key, d.name, d.source, d.grade,"
					" d.attributes, coalesce((SELECT jsonb_object_agg(i.kind,"
					"  i.known) FROM (SELECT kind,"
					"  jsonb_agg(value ORDER BY value) AS known"
					"  FROM pool.identity WHERE lead_id = d.id GROUP BY kind) i),"
					" '{}'), NULLIF($2, -1), $3"
					" FROM pool.lead_data d WHERE d.id = $1",
					3, types, values);
}

static void
reveal(PoolBatch *batch, const PoolMemberConf *member)
{
	PoolCall   *call = batch->call;
	PoolBatchItem *item = &batch->items[0];
	PoolEvent	event = {.kind = "revealed"};
	PoolLead	lead;
	PoolData	data;
	int32		used;
	int32		limit = pool_config_pool(item->lead.pool_id)->reveal_limit;

	pool_batch_open(batch, item, &data);
	lead = item->lead;
	if (!count_reveal(&lead, member, batch->now, &used))
	{
		pool_put_text(call, 0, "reveal_limit");
		pool_put(call, 1, Int64GetDatum(lead.id));
		pool_put(call, 8, Int32GetDatum(limit));
		pool_put(call, 9, Int32GetDatum(used));
		pool_call_row(call);
		return;
	}
	/* written anew, so that an older snapshot cannot count without this one */
	pool_batch_quota(batch, lead.pool_id, member->id)->changes++;
	event.at = pool_lead_time(&lead, batch->now);
	event.member_id = event.actor_id = member->id;
	pool_event_append(call->work, &event, &lead, &data);
	pool_shown_note(member->id, lead.pool_id);
	emit_revealed(call, lead.id, limit, used);
}

/*
 * pool.reveal(lead, member, request_id)
 */
Datum
pool_reveal(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "reveal");
	const PoolMemberConf *member = pool_resolve_self(fcinfo, 1);
	PoolActor	actor = {member->id, member->tenant_id};
	PoolBatch  *batch;
	int64		id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"lead\" must not be null"),
				 errdetail("One lead is revealed at a time."),
				 errhint("Pass the id of a lead.")));
	id = PG_GETARG_INT64(0);
	if (pool_request_replay(call, 2, member->tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, &id, 1, check_reveal, &actor);
	pool_batch_lock_leads(batch);
	if (batch->items[0].outcome == NULL)
	{
		pool_quota_add(batch->set, batch->items[0].lead.pool_id, member->id,
					   false);
		pool_batch_lock_counters(batch);
		reveal(batch, member);
		pool_quota_write(batch->set);
	}
	else
	{
		pool_put_text(call, 0, batch->items[0].outcome);
		pool_put(call, 1, Int64GetDatum(id));
		pool_call_row(call);
	}
	return pool_call_end(call);
}

/* ------------------------------------------------------------------------
 * lookup
 * ------------------------------------------------------------------------ */

static void
look_up(PoolCall *call, int32 tenant_id, const PoolIdentity *identity)
{
	Oid			types[3] = {INT4OID, TEXTOID, TEXTOID};
	Datum		values[3] = {Int32GetDatum(tenant_id),
		CStringGetTextDatum(identity->kind),
	CStringGetTextDatum(identity->value)};

	pool_call_query(call,
					"SELECT $2, bool_or(s.id IS NOT NULL),"
					" CASE WHEN bool_or(s.owner_id IS NOT NULL) THEN 'private'"
					"  WHEN bool_or(s.status IN ('available', 'review'))"
					"  THEN 'pool' WHEN bool_or(s.id IS NOT NULL)"
					"  THEN 'closed' END"
					" FROM (VALUES (1)) one(one)"
					" LEFT JOIN (pool.identity i"
					"  JOIN pool.lead_state h ON h.id = i.lead_id"
					"  JOIN pool.lead_state s ON s.id = h.id"
					"   OR s.group_id = h.group_id)"
					" ON i.tenant_id = $1 AND i.kind = $2 AND i.value = $3",
					3, types, values);
}

/*
 * pool.lookup(identities, tenant)
 */
Datum
pool_lookup(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "lookup");
	int32		tenant_id = pool_resolve_tenant(fcinfo, 1);
	const PoolTenantConf *tenant;
	List	   *identities;
	ListCell   *lc;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"identities\" must not be null"),
				 errdetail("They are what is looked for."),
				 errhint("For example {\"phone\": \"...\"}.")));
	if (tenant_id == 0)
		return pool_call_end(call);
	tenant = pool_config_tenant(tenant_id);
	identities = pool_identities(PG_GETARG_JSONB_P(0), tenant->country);
	foreach(lc, identities)
		look_up(call, tenant_id, lfirst(lc));
	return pool_call_end(call);
}
