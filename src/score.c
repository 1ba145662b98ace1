/*
 * score.c
 *	  How good members are: what performance and best_match go by.
 *
 * performance goes by the conversion rate of member_fact.  best_match goes by
 * the share of leads of the same source and grade that a member has won,
 * smoothed: everybody begins with PRIOR_LEADS leads at the average of all, so
 * that few results say little and none say nothing.  Ticks keep both tables.
 */
#include "compat.h"
#include "score.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"

#define PRIOR_LEADS 10.0

/* more segments than this are not remembered */
#define MAX_SEGMENTS 10000

typedef struct SegmentScores
{
	uint64		segment;		/* hash of source and grade */
	double	   *scores;			/* by receiver */
} SegmentScores;

struct PoolScores
{
	PoolReceivers *receivers;
	bool		by_segment;
	double	   *scores;			/* where they hold for every lead */
	HTAB	   *segments;
};

/* Conversion rates; who has no results comes after everybody who has. */
static double *
read_rates(PoolReceivers *receivers)
{
	PoolTable  *table = pool_work_table(receivers->work, POOL_MEMBER_FACT);
	double	   *rates = palloc(Max(receivers->n, 1) * sizeof(double));

	for (int i = 0; i < receivers->n; i++)
	{
		bool		isnull = true;
		Datum		rate = 0;

		if (pool_table_find(table, POOL_MEMBER_FACT_PKEY, pool_snapshot(),
							&pool_key_int4(receivers->items[i].member->id),
							1))
			rate = slot_getattr(table->old, MEMBER_FACT_CONVERSION_RATE,
								&isnull);
		rates[i] = isnull ? -1 :
			DatumGetFloat8(DirectFunctionCall1(numeric_float8, rate));
	}
	return rates;
}

static void
read_segment(PoolReceivers *receivers, const PoolKey *source_and_grade,
			 double *ended, double *converted)
{
	PoolTable  *table = pool_work_table(receivers->work, POOL_MEMBER_SEGMENT);

	for (int i = 0; i < receivers->n; i++)
	{
		PoolKey		keys[3] = {pool_key_int4(receivers->items[i].member->id),
		source_and_grade[0], source_and_grade[1]};
		bool		isnull;

		ended[i] = converted[i] = 0;
		if (!pool_table_find(table, POOL_MEMBER_SEGMENT_PKEY,
							 pool_snapshot(), keys, 3))
			continue;
		ended[i] = DatumGetInt64(slot_getattr(table->old,
											  MEMBER_SEGMENT_ENDED, &isnull));
		converted[i] = DatumGetInt64(slot_getattr(table->old,
												  MEMBER_SEGMENT_CONVERTED,
												  &isnull));
	}
}

/* The scores for one segment, left in `scores`. */
static void
rate_segment(PoolReceivers *receivers, const PoolKey *source_and_grade,
			 double *scores)
{
	double	   *ended = palloc(Max(receivers->n, 1) * sizeof(double));
	double	   *converted = palloc(Max(receivers->n, 1) * sizeof(double));
	double		all_ended = 0;
	double		all_converted = 0;
	double		mean;

	read_segment(receivers, source_and_grade, ended, converted);
	for (int i = 0; i < receivers->n; i++)
	{
		all_ended += ended[i];
		all_converted += converted[i];
	}
	mean = (all_converted + 1) / (all_ended + 2);
	for (int i = 0; i < receivers->n; i++)
		scores[i] = (converted[i] + PRIOR_LEADS * mean) /
			(ended[i] + PRIOR_LEADS);
}

PoolScores *
pool_scores_begin(PoolReceivers *receivers, PoolStrategy strategy)
{
	MemoryContext old = MemoryContextSwitchTo(receivers->context);
	PoolScores *result = palloc0(sizeof(PoolScores));
	HASHCTL		ctl;

	result->receivers = receivers;
	if (strategy == POOL_PERFORMANCE)
		result->scores = read_rates(receivers);
	else if (strategy == POOL_BEST_MATCH)
	{
		result->by_segment = true;
		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(uint64);
		ctl.entrysize = sizeof(SegmentScores);
		ctl.hcxt = receivers->context;
		result->segments = hash_create("pool_ext segments", 16, &ctl,
									   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	MemoryContextSwitchTo(old);
	return result;
}

static PoolKey
label_key(Datum label)
{
	return pool_key_text(label != 0 ? label : CStringGetTextDatum(""));
}

static uint64
label_hash(PoolKey key, uint64 seed)
{
	text	   *label = DatumGetTextPP(key.value);

	return hash_bytes_extended((unsigned char *) VARDATA_ANY(label),
							   VARSIZE_ANY_EXHDR(label), seed);
}

/* The scores of all receivers for this lead; NULL where the strategy has none. */
const double *
pool_scores_for(PoolScores *scores, const PoolData *data)
{
	PoolKey		keys[2];
	SegmentScores *entry;
	double	   *buffer;
	uint64		segment;
	bool		found;

	if (!scores->by_segment)
		return scores->scores;
	keys[0] = label_key(data->source);
	keys[1] = label_key(data->grade);
	segment = label_hash(keys[1], label_hash(keys[0], 0));
	entry = hash_search(scores->segments, &segment, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->scores;
	buffer = MemoryContextAlloc(hash_get_num_entries(scores->segments) <
								MAX_SEGMENTS ? scores->receivers->context :
								CurrentMemoryContext,
								Max(scores->receivers->n, 1) *
								sizeof(double));
	rate_segment(scores->receivers, keys, buffer);
	if (hash_get_num_entries(scores->segments) < MAX_SEGMENTS)
	{
		entry = hash_search(scores->segments, &segment, HASH_ENTER, &found);
		entry->scores = buffer;
	}
	return buffer;
}
