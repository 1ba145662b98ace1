/*
 * fact.c
 *	  What conditions on members see: the member's document.
 *
 * It is his profile, and on top of it (they win) his own fields and the facts
 * of his results, which ticks keep in member_fact.  What is not known yet is
 * null.
 */
#include "compat.h"
#include "fact.h"

#include "event.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* The columns of member_fact that conditions see. */
static const struct
{
	const char *key;
	int			attnum;
	bool		is_numeric;
}			facts[] = {
	{"ended_90d", MEMBER_FACT_ENDED_90D, false},
	{"converted_90d", MEMBER_FACT_CONVERTED_90D, false},
	{"conversion_rate", MEMBER_FACT_CONVERSION_RATE, true},
	{"rank", MEMBER_FACT_RANK, true},
	{"first_response_seconds", MEMBER_FACT_FIRST_RESPONSE_SECONDS, true}
};

static void
put_facts(PoolDetail *fields, PoolTable *table, bool found)
{
	for (int i = 0; i < (int) lengthof(facts); i++)
	{
		bool		isnull = true;
		Datum		value = 0;

		if (found)
			value = slot_getattr(table->old, facts[i].attnum, &isnull);
		if (isnull)
			pool_detail_null(fields, facts[i].key);
		else if (facts[i].is_numeric)
			pool_detail_numeric(fields, facts[i].key, value);
		else
			pool_detail_int(fields, facts[i].key, DatumGetInt64(value));
	}
}

/*
 * The document of a member in a pool; `held` is what he holds there, `now`
 * what joined_days counts to.
 */
Jsonb *
pool_member_document(PoolWork *work, Snapshot snapshot,
					 const PoolMemberConf *member,
					 const PoolMembershipConf *membership,
					 int32 held, TimestampTz now)
{
	PoolTable  *table = pool_work_table(work, POOL_MEMBER_FACT);
	bool		found = pool_table_find(table, POOL_MEMBER_FACT_PKEY, snapshot,
										&pool_key_int4(member->id), 1);
	PoolDetail	fields;
	bool		isnull;
	Datum		own;

	pool_detail_begin(&fields);
	pool_detail_or_null(&fields, "key", CStringGetTextDatum(member->key));
	pool_detail_or_null(&fields, "name", member->name == NULL ? 0 :
						CStringGetTextDatum(member->name));
	pool_detail_int(&fields, "level", membership->level);
	pool_detail_int(&fields, "held", held);
	pool_detail_int(&fields, "joined_days",
					Max(now - member->joined_at, 0) / USECS_PER_DAY);
	put_facts(&fields, table, found);
	pool_detail_int(&fields, "overdue", found ?
					DatumGetInt32(slot_getattr(table->old, MEMBER_FACT_OVERDUE,
											   &isnull)) : 0);
	own = JsonbPGetDatum(pool_detail_end(&fields));
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat,
											  JsonbPGetDatum(member->profile),
											  own));
}
