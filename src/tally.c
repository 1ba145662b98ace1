/*
 * tally.c
 *	  What events count for, added up: per pool, day and source, or per pool,
 *	  member and day.  The columns are those of rollup_day and rollup_member.
 *
 * verify() counts again, by the views event_day_fact and event_member_fact.
 */
#include "compat.h"
#include "tally.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* What is counted: the integer columns of the roll-ups. */
typedef enum Count
{
	ENTERED, CLAIMED, ASSIGNED, TRANSFERRED, RECEIVED, GIVEN, FOLLOWED_UP,
	FIRST_RESPONSES, RELEASED, RECLAIMED, MISSED, CONVERTED, ARCHIVED, REOPENED,
	ERASED, MOVED_IN, MOVED_OUT, ENDED,
	STOCK,						/* of each PoolStock, from here on */
	COUNTS = STOCK + POOL_STOCK_ARCHIVED + 1
} Count;

/* columns of rollup_day after pool, day and source */
static const int day_columns[] = {
	ENTERED, CLAIMED, ASSIGNED, TRANSFERRED, GIVEN, FOLLOWED_UP,
	FIRST_RESPONSES, RELEASED, RECLAIMED, MISSED, CONVERTED, ARCHIVED, REOPENED,
	ERASED, MOVED_IN, MOVED_OUT, ENDED, STOCK + POOL_STOCK_AVAILABLE,
	STOCK + POOL_STOCK_REVIEW, STOCK + POOL_STOCK_OWNED,
	STOCK + POOL_STOCK_CONVERTED, STOCK + POOL_STOCK_ARCHIVED
};

/* columns of rollup_member after pool, member and day */
static const int member_columns[] = {
	CLAIMED, ASSIGNED, RECEIVED, GIVEN, FOLLOWED_UP, FIRST_RESPONSES, MISSED,
	RELEASED, RECLAIMED, CONVERTED, ARCHIVED, ENDED
};

typedef struct TallyKey
{
	int32		pool_id;
	int32		member_id;		/* 0 in sums of a day */
	DateADT		day;
	int			source_len;
	const char *source;			/* not in sums of a member */
} TallyKey;

StaticAssertDecl(offsetof(TallyKey, source) == 4 * sizeof(int32),
				 "keys have no padding");

typedef struct TallyGroup
{
	TallyKey	key;
	int32		counts[COUNTS];
	int64		first_response_seconds;
	int64		seconds_to_convert;
	Datum		amount;			/* numeric, 0 = none */
} TallyGroup;

struct PoolTally
{
	HTAB	   *groups;
	TallyGroup *last;			/* that of the event before, mostly */
	MemoryContext context;
};

/* ------------------------------------------------------------------------
 * Groups
 * ------------------------------------------------------------------------ */

static uint32
hash_key(const void *key, Size size)
{
	const TallyKey *k = key;
	uint32		hash = hash_bytes((const unsigned char *) k,
								  offsetof(TallyKey, source));

	return hash_combine(hash, hash_bytes((const unsigned char *) k->source,
										 k->source_len));
}

static int
compare_keys(const void *a, const void *b, Size size)
{
	const TallyKey *x = a;
	const TallyKey *y = b;

	return memcmp(x, y, offsetof(TallyKey, source)) != 0 ||
		memcmp(x->source, y->source, x->source_len) != 0;
}

static TallyGroup *
get_group(PoolTally *tally, const TallyKey *key)
{
	bool		found;

	if (tally->last != NULL && compare_keys(&tally->last->key, key, 0) == 0)
		return tally->last;
	tally->last = hash_search(tally->groups, key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) tally->last + sizeof(TallyKey), 0,
			   sizeof(TallyGroup) - sizeof(TallyKey));
		tally->last->key.source =
			MemoryContextStrdup(tally->context, key->source);
	}
	return tally->last;
}

static void
add_amount(PoolTally *tally, TallyGroup *group, Numeric amount)
{
	MemoryContext old = MemoryContextSwitchTo(tally->context);

	if (group->amount == 0)
		group->amount = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	group->amount = DirectFunctionCall2(numeric_add, group->amount,
										NumericGetDatum(amount));
	MemoryContextSwitchTo(old);
}

/* What the event's detail adds, wherever the event itself counts. */
static void
add_detail(PoolTally *tally, TallyGroup *group, const PoolEffect *e)
{
	JsonbValue	buffer;
	JsonbValue *amount;

	if (e->kind == POOL_EFFECT_FOLLOWED_UP &&
		pool_detail_has(e->detail, "first_seconds"))
	{
		group->counts[FIRST_RESPONSES]++;
		group->first_response_seconds +=
			pool_detail_get_id(e->detail, "first_seconds");
	}
	if (e->kind != POOL_EFFECT_CONVERTED)
		return;
	group->seconds_to_convert += pool_detail_get_id(e->detail, "seconds");
	amount = getKeyJsonValueFromContainer(&e->detail->root, "amount",
										  strlen("amount"), &buffer);
	if (amount != NULL && amount->type == jbvNumeric)
		add_amount(tally, group, amount->val.numeric);
}

/* ------------------------------------------------------------------------
 * What an event counts for
 * ------------------------------------------------------------------------ */

/* Counts that say nothing about where the lead was or goes. */
static void
count_kind(PoolTally *tally, TallyGroup *group, const PoolEffect *e)
{
	static const int counts[] = {
		[POOL_EFFECT_ENTERED] = ENTERED,
		[POOL_EFFECT_CLAIMED] = CLAIMED,
		[POOL_EFFECT_CONVERTED] = CONVERTED,
		[POOL_EFFECT_ARCHIVED] = ARCHIVED,
		[POOL_EFFECT_ERASED] = ERASED
	};

	switch (e->kind)
	{
		case POOL_EFFECT_ENTERED:
		case POOL_EFFECT_CLAIMED:
		case POOL_EFFECT_CONVERTED:
		case POOL_EFFECT_ARCHIVED:
		case POOL_EFFECT_ERASED:
			group->counts[counts[e->kind]]++;
			break;
		case POOL_EFFECT_FOLLOWED_UP:
			if (e->detail == NULL || !pool_detail_has(e->detail, "counted"))
				group->counts[FOLLOWED_UP]++;
			break;
		default:
			break;
	}
	if (e->detail != NULL)
		add_detail(tally, group, e);
}

/* The pool gains the lead. */
static void
count_gain(TallyGroup *group, const PoolEffect *e)
{
	if (e->after == POOL_STOCK_NONE)
		return;
	group->counts[STOCK + e->after]++;
	if (e->kind == POOL_EFFECT_ASSIGNED)
		group->counts[ASSIGNED]++;
	else if (e->kind == POOL_EFFECT_TRANSFERRED)
		group->counts[TRANSFERRED]++;
	else if (e->kind == POOL_EFFECT_REOPENED)
		group->counts[REOPENED]++;
	else if (e->kind == POOL_EFFECT_MOVED)
		group->counts[MOVED_IN]++;
}

/* The pool loses the lead. */
static void
count_loss(TallyGroup *group, const PoolEffect *e)
{
	if (e->before == POOL_STOCK_NONE)
		return;
	group->counts[STOCK + e->before]--;
	if (e->before == POOL_STOCK_OWNED)
		group->counts[ENDED]++;
	if (e->kind == POOL_EFFECT_TRANSFERRED)
		group->counts[GIVEN]++;
	else if (e->kind == POOL_EFFECT_RELEASED)
		group->counts[RELEASED]++;
	else if (e->kind == POOL_EFFECT_RECLAIMED)
	{
		group->counts[RECLAIMED]++;
		if (e->rule_id != 0)
			group->counts[MISSED]++;
	}
	else if (e->kind == POOL_EFFECT_MOVED)
		group->counts[MOVED_OUT]++;
}

static TallyGroup *
day_group(PoolTally *tally, const PoolEffect *e, int32 pool_id, DateADT day)
{
	TallyKey	key = {.pool_id = pool_id,.day = day,.source = ""};

	if (e->source != 0)
		key.source = TextDatumGetCString(e->source);
	key.source_len = strlen(key.source);
	return get_group(tally, &key);
}

/* A lead that changes its pool leaves one, and arrives in the other. */
void
pool_tally_day(PoolTally *tally, const PoolEffect *e)
{
	TallyGroup *group = day_group(tally, e, e->pool_id, e->day);

	count_kind(tally, group, e);
	count_gain(group, e);
	if (e->from_pool_id != e->pool_id)
		group = day_group(tally, e, e->from_pool_id, e->from_day);
	count_loss(group, e);
}

static TallyGroup *
member_group(PoolTally *tally, int32 pool_id, int32 member_id, DateADT day)
{
	TallyKey	key = {.pool_id = pool_id,.member_id = member_id,.day = day,
	.source = ""};

	return get_group(tally, &key);
}

/* Whom the event gives something, or who did something. */
static void
count_receiver(PoolTally *tally, const PoolEffect *e)
{
	TallyGroup *group = member_group(tally, e->pool_id, e->member_id, e->day);

	if (e->kind == POOL_EFFECT_ASSIGNED)
		group->counts[ASSIGNED]++;
	else if (e->kind == POOL_EFFECT_TRANSFERRED)
		group->counts[RECEIVED]++;
	else
		count_kind(tally, group, e);
}

/* Whose spell the event ends. */
static void
count_former(PoolTally *tally, const PoolEffect *e)
{
	TallyGroup *group = member_group(tally, e->from_pool_id, e->former_id,
									 e->from_day);

	count_loss(group, e);
	count_kind(tally, group, e);
}

void
pool_tally_member(PoolTally *tally, const PoolEffect *e)
{
	bool		ends = e->before == POOL_STOCK_OWNED;

	switch (e->kind)
	{
		case POOL_EFFECT_CLAIMED:
		case POOL_EFFECT_ASSIGNED:
		case POOL_EFFECT_TRANSFERRED:
		case POOL_EFFECT_FOLLOWED_UP:
			if (e->member_id != 0)
				count_receiver(tally, e);
			break;
		case POOL_EFFECT_CONVERTED:
			/* late: his spell had ended before */
			if (!ends && e->member_id != 0)
				count_receiver(tally, e);
			break;
		default:
			break;
	}
	if (ends && e->former_id != 0)
		count_former(tally, e);
}

/* What is added up lives as long as the current memory context. */
PoolTally *
pool_tally_begin(void)
{
	HASHCTL		ctl = {.keysize = sizeof(TallyKey),.entrysize = sizeof(TallyGroup),
	.hash = hash_key,.match = compare_keys,.hcxt = CurrentMemoryContext};
	PoolTally  *tally = palloc0(sizeof(PoolTally));

	tally->context = CurrentMemoryContext;
	tally->groups = hash_create("pool_ext tally", 256, &ctl,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE |
								HASH_CONTEXT);
	return tally;
}

/* ------------------------------------------------------------------------
 * As rows
 * ------------------------------------------------------------------------ */

static void
put_counts(PoolCall *call, const TallyGroup *group, const int *columns, int n)
{
	for (int i = 0; i < n; i++)
		pool_put(call, 3 + i, Int32GetDatum(group->counts[columns[i]]));
}

static void
put_amount(PoolCall *call, int column, const TallyGroup *group)
{
	pool_put(call, column, group->amount != 0 ? group->amount :
			 DirectFunctionCall1(int4_numeric, Int32GetDatum(0)));
}

void
pool_tally_emit_days(PoolTally *tally, PoolCall *call)
{
	int			n = lengthof(day_columns);
	HASH_SEQ_STATUS status;
	TallyGroup *group;

	hash_seq_init(&status, tally->groups);
	while ((group = hash_seq_search(&status)) != NULL)
	{
		pool_put(call, 0, Int32GetDatum(group->key.pool_id));
		pool_put(call, 1, DateADTGetDatum(group->key.day));
		pool_put_text(call, 2, group->key.source);
		put_counts(call, group, day_columns, n);
		pool_put(call, 3 + n, Int64GetDatum(group->first_response_seconds));
		pool_put(call, 4 + n, Int64GetDatum(group->seconds_to_convert));
		put_amount(call, 5 + n, group);
		pool_call_row(call);
	}
}

void
pool_tally_emit_members(PoolTally *tally, PoolCall *call)
{
	int			n = lengthof(member_columns);
	HASH_SEQ_STATUS status;
	TallyGroup *group;

	hash_seq_init(&status, tally->groups);
	while ((group = hash_seq_search(&status)) != NULL)
	{
		pool_put(call, 0, Int32GetDatum(group->key.pool_id));
		pool_put(call, 1, Int32GetDatum(group->key.member_id));
		pool_put(call, 2, DateADTGetDatum(group->key.day));
		put_counts(call, group, member_columns, n);
		pool_put(call, 3 + n, Int64GetDatum(group->first_response_seconds));
		put_amount(call, 4 + n, group);
		pool_call_row(call);
	}
}
