/*
 * receiver.c
 *	  Those whom the routing rules of a pool may give leads to.
 *
 * Everything about them is read once per call, under their counters' locks.
 * What a condition says of a member depends on the variables it names, which
 * are fields of the lead: leads that agree in them share the answers.
 */
#include "compat.h"
#include "receiver.h"

#include "access/xact.h"
#include "approval.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fact.h"
#include "sql.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* more different values than this are not remembered */
#define MAX_VERDICT_ROWS 2000

#define NOT_ASKED ((PoolVerdict) -1)

typedef struct VerdictRow
{
	uint64		hash;			/* of the variables' values */
	Jsonb	   *values;
	PoolVerdict *verdicts;		/* by receiver */
} VerdictRow;

struct PoolMemberVerdicts
{
	PoolReceivers *receivers;
	const PoolCondition *condition;
	bool		on_held;		/* it may change when somebody receives */
	bool		failed;			/* for some member, and some lead */
	HTAB	   *rows;
	PoolVerdict *scratch;		/* the row where too many are remembered */
};

/* ------------------------------------------------------------------------
 * Members
 * ------------------------------------------------------------------------ */

/* Names the counters of all who may receive in this pool. */
void
pool_receivers_name(PoolQuotaSet *set, const PoolConf *pool)
{
	for (int i = 0; i < pool->n_receivers; i++)
		pool_quota_add(set, pool->id, pool->receivers[i], true);
}

/* The locked row knows of a removal that the cache may not have seen. */
static bool
is_present(const PoolReceiver *r)
{
	return r->membership->role == POOL_ROLE_MEMBER &&
		r->quota->status == POOL_MEMBER_ACTIVE;
}

/* Whether he is at a limit, with what open requests keep for him. */
static bool
is_full(PoolQuotaSet *set, const PoolReceiver *r)
{
	PoolBound	bound;

	return pool_quota_hold_bound(set, r->quota, &bound) ||
		(r->membership->hold_limit != POOL_NO_LIMIT &&
		 r->quota->held + r->reserved >= r->membership->hold_limit);
}

/* What he holds has changed. */
void
pool_receiver_count(PoolReceivers *receivers, PoolReceiver *r)
{
	r->full = is_full(receivers->set, r);
	if (r->document != NULL)
		pfree(r->document);
	r->document = NULL;
}

static void
read_reserved(PoolReceivers *receivers)
{
	PoolKept   *kept;
	int			n = pool_approval_kept(receivers->pool->id, 0, receivers->now,
									   &kept);

	for (int k = 0; k < n; k++)
		for (int i = 0; i < receivers->n; i++)
			if (receivers->items[i].member->id == kept[k].member_id)
				receivers->items[i].reserved = kept[k].n;
}

/* Reads them; their counters were named before and are locked (or peeked). */
PoolReceivers *
pool_receivers_load(PoolWork *work, PoolQuotaSet *set, const PoolConf *pool,
					TimestampTz now)
{
	PoolReceivers *result = palloc0(sizeof(PoolReceivers));

	result->work = work;
	result->set = set;
	result->pool = pool;
	result->now = now;
	result->context = CurrentMemoryContext;
	result->items = palloc0(Max(pool->n_receivers, 1) *
							sizeof(PoolReceiver));
	for (int i = 0; i < pool->n_receivers; i++)
	{
		PoolReceiver *r = &result->items[result->n];

		r->quota = pool_quota_get(set, pool->id, pool->receivers[i]);
		if (r->quota == NULL)
			elog(ERROR, "counters of member %d in pool %d are not locked",
				 pool->receivers[i], pool->id);
		r->member = pool_config_member(pool->receivers[i]);
		r->membership = pool_config_membership(pool->id, r->member->id);
		r->present = is_present(r);
		result->n++;
	}
	/* whatever rule has asked for it, and be it gone since */
	if (result->n > 0 && pool_approval_any_open(work, pool->id))
		read_reserved(result);
	for (int i = 0; i < result->n; i++)
		result->items[i].full = is_full(set, &result->items[i]);
	return result;
}

/* Whether nobody of them can receive anything. */
bool
pool_receivers_full(const PoolReceivers *receivers)
{
	for (int i = 0; i < receivers->n; i++)
		if (receivers->items[i].present && !receivers->items[i].full)
			return false;
	return true;
}

static Jsonb *
document_of(PoolReceivers *receivers, PoolReceiver *r)
{
	Jsonb	   *made;

	if (r->document != NULL)
		return r->document;
	/* what making it leaves behind is not kept */
	made = pool_member_document(receivers->work, pool_snapshot(), r->member,
								r->membership, r->quota->held,
								receivers->now);
	r->document = MemoryContextAlloc(receivers->context, VARSIZE(made));
	memcpy(r->document, made, VARSIZE(made));
	return r->document;
}

/* ------------------------------------------------------------------------
 * Verdicts
 * ------------------------------------------------------------------------ */

static bool
mentions_held(const PoolCondition *condition)
{
	char	   *text_value;

	if (condition->path == NULL)
		return false;
	text_value = DatumGetCString(DirectFunctionCall1(jsonpath_out,
													 PointerGetDatum(condition->path)));
	return strstr(text_value, "held") != NULL;
}

PoolMemberVerdicts *
pool_member_verdicts_begin(PoolReceivers *receivers,
						   const PoolCondition *condition)
{
	PoolMemberVerdicts *verdicts;
	MemoryContext old = MemoryContextSwitchTo(receivers->context);
	HASHCTL		ctl;

	verdicts = palloc0(sizeof(PoolMemberVerdicts));
	verdicts->receivers = receivers;
	verdicts->condition = condition;
	verdicts->on_held = mentions_held(condition);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(VerdictRow);
	ctl.hcxt = receivers->context;
	verdicts->rows = hash_create("pool_ext verdicts", 16, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	verdicts->scratch = palloc(Max(receivers->n, 1) * sizeof(PoolVerdict));
	MemoryContextSwitchTo(old);
	return verdicts;
}

/* The values of the condition's variables; NULL if the lead lacks one. */
static Jsonb *
values_of(const PoolCondition *condition, Jsonb *document)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < condition->n_variables; i++)
	{
		JsonbValue	buffer;
		JsonbValue *found;

		found = document == NULL ? NULL :
			getKeyJsonValueFromContainer(&document->root,
										 condition->variables[i],
										 strlen(condition->variables[i]),
										 &buffer);
		if (found == NULL)
			return NULL;
		pushJsonbValue(&state, WJB_ELEM, found);
	}
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(result);
}

static PoolVerdict *
clear_row(PoolMemberVerdicts *verdicts, PoolVerdict *row)
{
	for (int i = 0; i < verdicts->receivers->n; i++)
		row[i] = NOT_ASKED;
	return row;
}

/*
 * The verdicts that hold for a lead with this document, which may be NULL where
 * the condition names no variable of it.
 */
PoolVerdict *
pool_member_verdicts_for(PoolMemberVerdicts *verdicts, Jsonb *document)
{
	Jsonb	   *values;
	MemoryContext old;
	VerdictRow *row;
	uint64		hash;
	bool		found;

	if (verdicts->condition->path == NULL)
		return verdicts->scratch;
	values = values_of(verdicts->condition, document);
	if (values == NULL)
	{
		for (int i = 0; i < verdicts->receivers->n; i++)
			verdicts->scratch[i] = POOL_NO_MATCH;
		return verdicts->scratch;
	}
	hash = hash_bytes_extended((unsigned char *) values, VARSIZE(values), 0);
	row = hash_search(verdicts->rows, &hash,
					  hash_get_num_entries(verdicts->rows) <
					  MAX_VERDICT_ROWS ? HASH_ENTER : HASH_FIND, &found);
	if (row == NULL ||
		(found && (VARSIZE(row->values) != VARSIZE(values) ||
				   memcmp(row->values, values, VARSIZE(values)) != 0)))
		return clear_row(verdicts, verdicts->scratch);
	if (!found)
	{
		old = MemoryContextSwitchTo(verdicts->receivers->context);
		row->values = palloc(VARSIZE(values));
		memcpy(row->values, values, VARSIZE(values));
		row->verdicts = palloc(Max(verdicts->receivers->n, 1) *
							   sizeof(PoolVerdict));
		MemoryContextSwitchTo(old);
		(void) clear_row(verdicts, row->verdicts);
	}
	return row->verdicts;
}

/* Whether receiver i meets the condition. */
bool
pool_member_meets(PoolMemberVerdicts *verdicts, PoolVerdict *row, int i,
				  Jsonb *document)
{
	PoolReceivers *receivers = verdicts->receivers;

	if (verdicts->condition->path == NULL)
		return true;
	if (row[i] == NOT_ASKED)
		row[i] = pool_rule_judge(verdicts->condition,
								 document_of(receivers, &receivers->items[i]),
								 document);
	if (row[i] == POOL_RULE_ERROR)
		verdicts->failed = true;
	return row[i] == POOL_MATCH;
}

/* Whether the condition could not be evaluated for somebody. */
bool
pool_member_verdicts_failed(const PoolMemberVerdicts *verdicts)
{
	return verdicts->failed;
}

/* Receiver i holds more now: what hangs on that is to be asked anew. */
void
pool_member_verdicts_forget(PoolMemberVerdicts *verdicts, int i)
{
	HASH_SEQ_STATUS status;
	VerdictRow *row;

	if (!verdicts->on_held)
		return;
	hash_seq_init(&status, verdicts->rows);
	while ((row = hash_seq_search(&status)) != NULL)
		row->verdicts[i] = NOT_ASKED;
}
