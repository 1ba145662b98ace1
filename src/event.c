/*
 * event.c
 *	  The log: one row for every change, written in its transaction.
 *
 * The only writer of event.  Ids come from a sequence without caching, taken
 * under the lead's and the membership's lock, so that they order the events of
 * each.
 */
#include "compat.h"
#include "event.h"

#include "access/xact.h"
#include "attach_note.h"
#include "catalog/pg_type.h"
#include "guc.h"
#include "installation.h"
#include "miscadmin.h"
#include "sql.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
#include "wake.h"

/*
 * Raises the sequence to this server's node number, and draws an id.  Those
 * who raise it come one by one, so that no id is drawn twice.
 */
static int64
raise_event_id(void)
{
	Oid			seq = pool_sequence_oid(POOL_EVENT_ID_SEQ);
	int64		id;

	LockRelationOid(seq, ShareUpdateExclusiveLock);
	id = pool_sequence_next(POOL_EVENT_ID_SEQ);
	if (id >> POOL_NODE_BITS < pool_node_id)
	{
		Oid			types[2] = {OIDOID, INT8OID};
		Datum		values[2] = {ObjectIdGetDatum(seq)};
		int64		number = id & ((INT64CONST(1) << POOL_NODE_BITS) - 1);
		PoolSql		sql = pool_sql_begin();

		values[1] = Int64GetDatum(((int64) pool_node_id << POOL_NODE_BITS) |
								  number);
		pool_sql_run("SELECT setval($1::regclass, $2)", 2, types, values, NULL);
		pool_sql_end(sql);
		id = pool_sequence_next(POOL_EVENT_ID_SEQ);
	}
	UnlockRelationOid(seq, ShareUpdateExclusiveLock);
	return id;
}

/*
 * The next id.  Ids order the events of a lead, so that they must never go
 * down while it lives: the sequence itself carries the highest node number
 * there was, and a lower one is refused.
 */
static int64
next_event_id(void)
{
	int64		id = pool_sequence_next(POOL_EVENT_ID_SEQ);
	int			node = id >> POOL_NODE_BITS;

	if (likely(node == pool_node_id))
		return id;
	if (node < pool_node_id)
	{
		id = raise_event_id();
		node = id >> POOL_NODE_BITS;
	}
	if (node > pool_node_id)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool_ext.node_id is %d, but has been %d here",
						pool_node_id, node),
				 errdetail("Ids carry the node number and order the events of a lead, so that it cannot be lowered."),
				 errhint("Set pool_ext.node_id to %d, or to a higher number that no other server has.",
						 node)));
	return id;
}

/*
 * Writes what happened to the lead, which is given as it is afterwards.
 * Returns the event's id.
 */
int64
pool_event_append(PoolWork *work, const PoolEvent *event,
				  const PoolLead *lead, const PoolData *data)
{
	Datum		v[EVENT_NATTS];
	bool		n[EVENT_NATTS];
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	Datum		source = event->source != 0 ? event->source : data->source;
	int64		id = next_event_id();

#define PUT(attnum, value, null) \
	(v[(attnum) - 1] = (value), n[(attnum) - 1] = (null))
	PUT(EVENT_ID, Int64GetDatum(id), false);
	PUT(EVENT_AT, TimestampTzGetDatum(event->at), false);
	PUT(EVENT_XID, FullTransactionIdGetDatum(GetTopFullTransactionId()),
		false);
	PUT(EVENT_LEAD_ID, Int64GetDatum(lead->id), false);
	PUT(EVENT_DAY, DateADTGetDatum(pool_local_day(event->at, pool->zone)),
		false);
	PUT(EVENT_GENERATION, Int32GetDatum(pool_generation()), false);
	PUT(EVENT_TENANT_ID, Int32GetDatum(lead->tenant_id), false);
	PUT(EVENT_POOL_ID, Int32GetDatum(lead->pool_id), false);
	PUT(EVENT_MEMBER_ID, Int32GetDatum(event->member_id),
		event->member_id == 0);
	PUT(EVENT_ACTOR_ID, Int32GetDatum(event->actor_id),
		event->actor_id == 0);
	PUT(EVENT_RULE_ID, Int32GetDatum(event->rule_id), event->rule_id == 0);
	PUT(EVENT_KIND, CStringGetTextDatum(event->kind), false);
	PUT(EVENT_REASON, event->reason, event->reason == 0);
	PUT(EVENT_SOURCE, source, source == 0);
	PUT(EVENT_GRADE, data->grade, data->grade == 0);
	PUT(EVENT_DETAIL, JsonbPGetDatum(event->detail), event->detail == NULL);
#undef PUT
	pool_table_insert(pool_work_table(work, POOL_EVENT), v, n);
	pool_attach_note(work, lead, event->kind);
	pool_wake_written = true;
	return id;
}

/* ------------------------------------------------------------------------
 * Details
 * ------------------------------------------------------------------------ */

void
pool_detail_begin(PoolDetail *detail)
{
	detail->state = NULL;
	detail->empty = true;
	pushJsonbValue(&detail->state, WJB_BEGIN_OBJECT, NULL);
}

static void
push(PoolDetail *detail, const char *key, JsonbValue *value)
{
	JsonbValue	name;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	pushJsonbValue(&detail->state, WJB_KEY, &name);
	pushJsonbValue(&detail->state, WJB_VALUE, value);
	detail->empty = false;
}

void
pool_detail_text(PoolDetail *detail, const char *key, const char *text_value,
				 int len)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text_value);
	value.val.string.len = len;
	push(detail, key, &value);
}

/* A text datum; 0 (NULL) is left out. */
void
pool_detail_datum(PoolDetail *detail, const char *key, Datum text_value)
{
	text	   *t;

	if (text_value == 0)
		return;
	t = DatumGetTextPP(text_value);
	pool_detail_text(detail, key, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

void
pool_detail_null(PoolDetail *detail, const char *key)
{
	JsonbValue	null = {.type = jbvNull};

	push(detail, key, &null);
}

/* A text datum; 0 is null. */
void
pool_detail_or_null(PoolDetail *detail, const char *key, Datum text_value)
{
	if (text_value == 0)
		pool_detail_null(detail, key);
	else
		pool_detail_datum(detail, key, text_value);
}

void
pool_detail_numeric(PoolDetail *detail, const char *key, Datum number)
{
	JsonbValue	value;

	if (number == 0)
		return;
	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(number);
	push(detail, key, &value);
}

void
pool_detail_int(PoolDetail *detail, const char *key, int64 number)
{
	pool_detail_numeric(detail, key,
						NumericGetDatum(int64_to_numeric(number)));
}

/* ISO 8601 in UTC, so that it reads the same everywhere. */
void
pool_detail_time(PoolDetail *detail, const char *key, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buffer[MAXDATELEN + 1];
	int			utc = 0;

	if (at == POOL_NO_TIME)
		return;
	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		pool_report_time_range();
	/* else the zone is left out */
	tm.tm_isdst = 0;
	EncodeDateTime(&tm, fsec, true, utc, NULL, USE_XSD_DATES, buffer);
	pool_detail_text(detail, key, pstrdup(buffer), strlen(buffer));
}

/*
 * The pool a lead came from, if it is another one; and its local day, where
 * that differs from the day of the event.
 */
void
pool_detail_from_pool(PoolDetail *detail, int32 from_pool_id, int32 pool_id,
					  TimestampTz at)
{
	DateADT		from_day;

	if (from_pool_id == pool_id)
		return;
	pool_detail_int(detail, "from_pool", from_pool_id);
	from_day = pool_local_day(at, pool_config_pool(from_pool_id)->zone);
	if (from_day != pool_local_day(at, pool_config_pool(pool_id)->zone))
	{
		struct pg_tm tm;
		char	   *text_value;

		j2date(from_day + POSTGRES_EPOCH_JDATE,
			   &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		text_value = psprintf("%04d-%02d-%02d",
							  tm.tm_year, tm.tm_mon, tm.tm_mday);
		pool_detail_text(detail, "from_day", text_value, strlen(text_value));
	}
}

static void
push_boolean(PoolDetail *detail, const char *key, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	push(detail, key, &value);
}

void
pool_detail_true(PoolDetail *detail, const char *key)
{
	push_boolean(detail, key, true);
}

void
pool_detail_false(PoolDetail *detail, const char *key)
{
	push_boolean(detail, key, false);
}

void
pool_detail_json(PoolDetail *detail, const char *key, Jsonb *json)
{
	JsonbValue	value;

	if (json == NULL)
		return;
	if (JB_ROOT_IS_SCALAR(json))
	{
		JsonbExtractScalar(&json->root, &value);
		push(detail, key, &value);
		return;
	}
	value.type = jbvBinary;
	value.val.binary.data = &json->root;
	value.val.binary.len = VARSIZE(json) - VARHDRSZ;
	push(detail, key, &value);
}

/* The object, NULL if nothing was put in. */
Jsonb *
pool_detail_end(PoolDetail *detail)
{
	JsonbValue *object = pushJsonbValue(&detail->state, WJB_END_OBJECT, NULL);

	return detail->empty ? NULL : JsonbValueToJsonb(object);
}

/* An id in a detail; 0 if there is none. */
int64
pool_detail_get_id(Jsonb *detail, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *found = getKeyJsonValueFromContainer(&detail->root, key,
													 strlen(key), &buffer);

	if (found == NULL || found->type != jbvNumeric)
		return 0;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 NumericGetDatum(found->val.numeric)));
}

/* A number of a stored detail, 0 if it is not there. */
int32
pool_detail_get_int(Jsonb *detail, const char *key)
{
	return (int32) pool_detail_get_id(detail, key);
}

/* Whether a stored detail says `false` there. */
bool
pool_detail_is_false(Jsonb *detail, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *found = getKeyJsonValueFromContainer(&detail->root, key,
													 strlen(key), &buffer);

	return found != NULL && found->type == jbvBool && !found->val.boolean;
}

bool
pool_detail_has(Jsonb *detail, const char *key)
{
	JsonbValue	buffer;

	return getKeyJsonValueFromContainer(&detail->root, key, strlen(key),
										&buffer) != NULL;
}
