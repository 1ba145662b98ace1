/*
 * poll.c
 *	  Events for the outside: poll, ack and digest.
 *
 * A reader's position is (generation, xid, id) of the last event it has
 * acknowledged, and events are given out in that order.  Ids alone would not
 * do: a transaction that began early and commits late writes small ids.  So
 * only transactions below the oldest one still running are given out; what
 * they wrote can never grow again.  Older generations are complete.
 */
#include "result.h"

#include <inttypes.h>

#include "catalog/pg_type.h"
#include "commands/async.h"
#include "installation.h"
#include "miscadmin.h"
#include "poll.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"
#include "visible.h"

PG_FUNCTION_INFO_V1(pool_poll);
PG_FUNCTION_INFO_V1(pool_ack);
PG_FUNCTION_INFO_V1(pool_digest);
PG_FUNCTION_INFO_V1(pool_drop_consumer);

#define CHANNEL "pool_event"
#define MAX_NAME_LENGTH 200

/* A reader of the log, and what of it the caller may see. */
typedef struct Reader
{
	Datum		name;
	int32		scope;			/* the tenant its name is unique in, 0 = all */
	Datum		tenants;		/* int4[] */
} Reader;

#define POLL_SQL \
	"SELECT e.generation || ':' || e.xid || ':' || e.id," \
	" e.id, e.at, e.kind, t.name, p.name, e.lead_id, d.key, m.key, a.key," \
	" e.rule_id, e.reason, e.source, e.grade, e.detail" \
	" FROM (" POOL_POLLABLE_SQL ") e" \
	" JOIN pool.tenant t ON t.id = e.tenant_id" \
	" LEFT JOIN pool.pool p ON p.id = e.pool_id" \
	" LEFT JOIN pool.lead_data d ON d.id = e.lead_id" \
	" LEFT JOIN pool.member m ON m.id = e.member_id" \
	" LEFT JOIN pool.member a ON a.id = e.actor_id" \
	" ORDER BY e.generation, e.xid, e.id"

/*
 * Who is to be told of an event: its member, and him from whom a lead was
 * passed on; those named in an escalation instead.
 */
#define DIGEST_SQL \
	"WITH e AS MATERIALIZED (" POOL_POLLABLE_SQL ")," \
	" last AS (SELECT e.generation || ':' || e.xid || ':' || e.id AS position" \
	"  FROM e ORDER BY e.generation DESC, e.xid DESC, e.id DESC LIMIT 1)," \
	" told AS (" \
	"  SELECT e.id, e.lead_id, e.tenant_id, e.pool_id, e.kind, w.member," \
	"  (e.detail ->> 'due_at')::timestamptz AS due_at" \
	"  FROM e LEFT JOIN pool.member m ON m.id = e.member_id" \
	"  CROSS JOIN LATERAL (" \
	"   SELECT m.key AS member WHERE m.key IS NOT NULL" \
	"   AND NOT coalesce(e.detail ? 'told', false)" \
	"   UNION SELECT f.key FROM pool.member f" \
	"   WHERE e.kind = 'transferred' AND f.id = (e.detail ->> 'from')::integer" \
	"   UNION SELECT n.key FROM pg_catalog.jsonb_array_elements_text(" \
	"    CASE pg_catalog.jsonb_typeof(e.detail -> 'told')" \
	"     WHEN 'array' THEN e.detail -> 'told' ELSE '[]' END) n(key)) w" \
	"  WHERE e.kind NOT IN ('edited', 'followed_up', 'claimed', 'entered'))" \
	"SELECT t.name, u.member, u.kind, p.name, pg_catalog.count(*)," \
	" (pg_catalog.array_agg(u.lead_id ORDER BY u.id))[1:20]," \
	" pg_catalog.min(u.due_at), (SELECT position FROM last)" \
	" FROM told u JOIN pool.tenant t ON t.id = u.tenant_id" \
	" LEFT JOIN pool.pool p ON p.id = u.pool_id" \
	" GROUP BY t.name, u.member, u.kind, p.name" \
	" UNION ALL SELECT NULL, NULL, NULL, NULL, 0, NULL, NULL, position" \
	" FROM last WHERE NOT EXISTS (SELECT FROM told)" \
	" ORDER BY 1, 2, 3, 4"

/* ------------------------------------------------------------------------
 * The reader
 * ------------------------------------------------------------------------ */

/* The reader named by an argument; errors 22004, 22023. */
static Reader
reader_arg(PoolCall *call, int argno)
{
	text	   *name = pool_arg_text(call, argno, "consumer");
	Reader		reader;

	pool_check_length(name, MAX_NAME_LENGTH, "consumer");
	if (VARSIZE_ANY_EXHDR(name) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"consumer\" must not be empty"),
				 errdetail("A consumer is known by its name."),
				 errhint("Pass a name of your choice, such as wecom.")));
	reader.name = PointerGetDatum(name);
	reader.tenants = pool_visible_tenants(&reader.scope);
	return reader;
}

/* A reader that polls for the first time begins with the oldest event. */
static void
register_reader(const Reader *reader)
{
	Oid			types[2] = {TEXTOID, INT4OID};
	Datum		values[2] = {reader->name, Int32GetDatum(reader->scope)};
	PoolSql		sql = pool_sql_begin();

	if (pool_sql_run("SELECT FROM pool.consumer"
					 " WHERE name = $1 AND tenant_id = $2",
					 2, types, values, NULL) == 0)
		pool_sql_run("INSERT INTO pool.consumer (name, tenant_id)"
					 " VALUES ($1, $2) ON CONFLICT DO NOTHING",
					 2, types, values, NULL);
	pool_sql_end(sql);
}

/* How many events at once: 1 to POOL_MAX_BATCH, 500 for NULL. */
static int32
events_arg(FunctionCallInfo fcinfo, int argno)
{
	int32		n = PG_ARGISNULL(argno) ? 500 : PG_GETARG_INT32(argno);

	if (n < 1 || n > POOL_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d events at once are out of range", n),
				 errdetail("Between 1 and %d are allowed.", POOL_MAX_BATCH),
				 errhint("Poll again for more, after ack().")));
	return n;
}

static Datum
give_out(FunctionCallInfo fcinfo, const char *function, const char *query)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, function);
	Oid			types[5] = {TEXTOID, INT4OID, INT4ARRAYOID, INT4OID, INT4OID};
	int32		n = events_arg(fcinfo, 1);
	Reader		reader = reader_arg(call, 0);
	Datum		values[5];

	register_reader(&reader);
	values[0] = reader.name;
	values[1] = Int32GetDatum(reader.scope);
	values[2] = reader.tenants;
	values[3] = Int32GetDatum(pool_generation());
	values[4] = Int32GetDatum(n);
	pool_call_query(call, query, 5, types, values);
	return pool_call_end(call);
}

/*
 * pool.poll(consumer, n)
 */
Datum
pool_poll(PG_FUNCTION_ARGS)
{
	return give_out(fcinfo, "poll", POLL_SQL);
}

/*
 * pool.digest(consumer, n)
 */
Datum
pool_digest(PG_FUNCTION_ARGS)
{
	return give_out(fcinfo, "digest", DIGEST_SQL);
}

/* ------------------------------------------------------------------------
 * Acknowledging
 * ------------------------------------------------------------------------ */

typedef struct Position
{
	int32		generation;
	uint64		xid;
	int64		event_id;
} Position;

static Position
parse_position(text *given)
{
	char	   *string = text_to_cstring(given);
	Position	position;
	int			end = 0;

	if (sscanf(string, "%" SCNd32 ":%" SCNu64 ":%" SCNd64 "%n",
			   &position.generation, &position.xid, &position.event_id,
			   &end) == 3 && string[end] == '\0' &&
		position.generation >= 0 && position.event_id >= 0)
		return position;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%.64s\" is not a position", pool_cut(string, 64)),
			 errdetail("A position has three numbers: "
					   "generation:transaction:event."),
			 errhint("Pass the column position of the last row of poll() that "
					 "was dealt with.")));
	return position;
}

/* Where everything that can be given out now has been given out. */
static Position
present_position(void)
{
	PoolSql		sql = pool_sql_begin();
	Position	position = {pool_generation(), 0, 0};
	bool		isnull;

	pool_sql_run("SELECT pg_catalog.pg_snapshot_xmin("
				 "pg_catalog.pg_current_snapshot())", 0, NULL, NULL, NULL);
	position.xid =
		U64FromFullTransactionId(DatumGetFullTransactionId(pool_sql_datum(0, 1,
																		  &isnull)));
	pool_sql_end(sql);
	return position;
}

static void
check_given_out(const Position *position)
{
	Position	now = present_position();

	if (position->generation < now.generation ||
		(position->generation == now.generation && position->xid < now.xid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("position %d:%llu:%lld has not been given out",
					position->generation, (unsigned long long) position->xid,
					(long long) position->event_id),
			 errdetail("Events are given out up to transaction %llu of "
					   "generation %d.",
					   (unsigned long long) now.xid, now.generation),
			 errhint("Pass the column position of the last row of poll() that "
					 "was dealt with.")));
}

/*
 * pool.ack(consumer, position) -> ok | behind | not_found
 */
Datum
pool_ack(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "ack");
	Oid			types[5] = {TEXTOID, INT4OID, INT4OID, XID8OID, INT8OID};
	Datum		values[5];
	Reader		reader = reader_arg(call, 0);
	Position	position;
	PoolSql		sql;
	const char *outcome = "ok";

	if (PG_ARGISNULL(1))
	{
		position = present_position();
		register_reader(&reader);
	}
	else
	{
		position = parse_position(PG_GETARG_TEXT_PP(1));
		check_given_out(&position);
	}
	values[0] = reader.name;
	values[1] = Int32GetDatum(reader.scope);
	values[2] = Int32GetDatum(position.generation);
	values[3] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position.xid));
	values[4] = Int64GetDatum(position.event_id);
	sql = pool_sql_begin();
	if (pool_sql_run("SELECT FROM pool.consumer WHERE name = $1"
					 " AND tenant_id = $2 FOR UPDATE",
					 2, types, values, NULL) == 0)
		outcome = "not_found";
	else if (pool_sql_run("UPDATE pool.consumer SET generation = $3,"
						  " xid = $4, event_id = $5, acked_at = now()"
						  " WHERE name = $1 AND tenant_id = $2"
						  " AND (generation, xid, event_id) <= ($3, $4, $5)",
						  5, types, values, NULL) == 0)
		outcome = "behind";
	pool_sql_end(sql);
	pool_put_text(call, 0, outcome);
	pool_call_row(call);
	return pool_call_end(call);
}

/*
 * pool.drop_consumer(consumer) -> dropped | not_found
 */
Datum
pool_drop_consumer(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "drop_consumer");
	Oid			types[2] = {TEXTOID, INT4OID};
	Reader		reader = reader_arg(call, 0);
	Datum		values[2] = {reader.name, Int32GetDatum(reader.scope)};
	PoolSql		sql = pool_sql_begin();
	uint64		n = pool_sql_run("DELETE FROM pool.consumer WHERE name = $1"
								 " AND tenant_id = $2", 2, types, values, NULL);

	pool_sql_end(sql);
	pool_put_text(call, 0, n > 0 ? "dropped" : "not_found");
	pool_call_row(call);
	return pool_call_end(call);
}

/* The parameters of POOL_POLLABLE_SQL for a reader of all tenants. */
void
pool_poll_parameters(const char *name, int32 scope, int32 n, Datum *values)
{
	bool		isnull;

	pool_sql_run("SELECT coalesce(array_agg(id), '{}') FROM pool.tenant",
				 0, NULL, NULL, NULL);
	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(scope);
	values[2] = pool_sql_datum(0, 1, &isnull);
	values[3] = Int32GetDatum(pool_generation());
	values[4] = Int32GetDatum(n);
}

/* Wakes who listens, once per transaction, when it commits. */
void
pool_wake_readers(void)
{
	Async_Notify(CHANNEL, "");
}
