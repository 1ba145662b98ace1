/*
 * follow_up.c
 *	  The owner, or who helps him, records a contact.
 *
 * Locks the lead: against a reclaim at the same moment exactly one of the two
 * comes first.  The counters are locked only where the result ends the spell.
 *
 * A result that ends the spell does so only where no approval rule is about it:
 * else it is asked for, and the follow-up stays.
 *
 * What counts moves the clocks of the lead to the time of recording.  The
 * entries of one whose entries do not count leave the lead as it is.
 */
#include "batch.h"

#include "access/xact.h"
#include "approval.h"
#include "close.h"
#include "collaborator.h"
#include "due.h"
#include "judge.h"
#include "mb/pg_wchar.h"
#include "parser/scansup.h"
#include "priority.h"
#include "release.h"
#include "request.h"
#include "rule.h"
#include "term.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_follow_up);

#define MAX_NOTE_LENGTH 10000	/* characters */
#define MAX_DETAIL_SIZE (64 * 1024) /* bytes, as jsonb */
#define DEFAULT_KIND "note"

/* columns of the result */
enum
{
	OUTCOME, EVENT_ID_COLUMN, DUE_AT
};

/* Who writes it. */
typedef struct Writer
{
	const PoolActor *actor;
	PoolWork   *work;
	bool		owns;
	PoolCollaborator helper;	/* what he is, if he does not own the lead */
} Writer;

typedef struct FollowUp
{
	Datum		kind;
	Datum		result;			/* 0 = NULL, as the next two */
	Datum		note;
	Datum		stage;
	TimestampTz next_at;
	TimestampTz occurred_at;
	Jsonb	   *data;
	const PoolTerm *term;		/* of the result; NULL = none */
	bool		counts;
	bool		ends;			/* the spell, by its result */
} FollowUp;

static bool
belongs(int32 pool_id, int32 member_id)
{
	return !pool_config_member(member_id)->left &&
		pool_config_membership(pool_id, member_id)->role >= POOL_ROLE_MEMBER;
}

static const char *
check_follow_up(void *arg, const PoolLead *lead)
{
	Writer	   *writer = arg;
	int32		member_id = writer->actor->member_id;

	if (pool_lead_is_closed(lead))
		return "closed";
	if (lead->status != POOL_OWNED)
		return "not_owner";
	writer->owns = lead->owner_id == member_id;
	/* who has left the lead's pool helps no longer, whatever is written */
	return writer->owns ||
		(belongs(lead->pool_id, member_id) &&
		 pool_collaborator_find(writer->work, lead->id, member_id,
								&writer->helper)) ? NULL : "not_owner";
}

static TimestampTz
arg_time(PoolCall *call, int argno, const char *name)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	TimestampTz at;

	if (PG_ARGISNULL(argno))
		return POOL_NO_TIME;
	at = PG_GETARG_TIMESTAMPTZ(argno);
	pool_check_time(at, name);
	return at;
}

static Jsonb *
arg_detail(FunctionCallInfo fcinfo, int argno)
{
	Jsonb	   *detail;

	if (PG_ARGISNULL(argno))
		return NULL;
	detail = PG_GETARG_JSONB_P(argno);
	if (VARSIZE(detail) > MAX_DETAIL_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"detail\" is too large"),
				 errdetail("It takes %d bytes, and %d are allowed.",
						   (int) VARSIZE(detail), MAX_DETAIL_SIZE),
				 errhint("Keep documents elsewhere and refer to them.")));
	return detail;
}

static void
read_arguments(PoolCall *call, FollowUp *f)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	f->kind = pool_arg_short(call, 1, POOL_MAX_LABEL_LENGTH, "kind");
	if (f->kind == 0)
		f->kind = CStringGetTextDatum(DEFAULT_KIND);
	f->result = pool_arg_short(call, 2, POOL_MAX_LABEL_LENGTH, "result");
	f->note = pool_arg_short(call, 3, MAX_NOTE_LENGTH, "note");
	f->next_at = arg_time(call, 4, "next_at");
	f->occurred_at = arg_time(call, 5, "occurred_at");
	pool_check_not_ahead(f->occurred_at, "occurred_at");
	f->data = arg_detail(fcinfo, 6);
	f->stage = pool_arg_short(call, 7, POOL_MAX_LABEL_LENGTH, "stage");
}

/* ------------------------------------------------------------------------
 * What the pool demands
 * ------------------------------------------------------------------------ */

/*
 * Bytes of the white space that a text begins with, 0 if it is none: of other
 * scripts too, where the encoding can tell.
 */
static int
space_at(const char *text, int len)
{
	static const char *const wide[] = {
		"\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9",
		"\xE2\x80\xAF", "\xE2\x81\x9F", "\xE2\x81\xA0", "\xE3\x80\x80",
		"\xEF\xBB\xBF"
	};

	if (scanner_isspace(*text))
		return 1;
	if (GetDatabaseEncoding() != PG_UTF8)
		return 0;
	/* U+2000 to U+200D: spaces of all widths, none included */
	if (len >= 3 && memcmp(text, "\xE2\x80", 2) == 0 &&
		(unsigned char) text[2] <= 0x8D)
		return 3;
	for (int i = 0; i < (int) lengthof(wide); i++)
	{
		int			size = strlen(wide[i]);

		if (len >= size && memcmp(text, wide[i], size) == 0)
			return size;
	}
	return 0;
}

/* Characters of a text (0 = NULL) but for white space around it. */
static int
length_of(Datum value)
{
	text	   *t = value != 0 ? DatumGetTextPP(value) : NULL;
	int			rest = t != NULL ? VARSIZE_ANY_EXHDR(t) : 0;
	char	   *p = t != NULL ? VARDATA_ANY(t) : NULL;
	int			length = 0;
	int			spaces = 0;		/* since the last other character */

	while (rest > 0)
	{
		int			size = space_at(p, rest);

		if (size > 0)
			spaces += length > 0;
		else
		{
			length += spaces + 1;
			spaces = 0;
			size = pg_mblen(p);
		}
		p += size;
		rest -= size;
	}
	return length;
}

/* Whether the caller named a kind: the default is one only as a word. */
static bool
has_kind(const FollowUp *f, const PoolTerm *term)
{
	text	   *kind = DatumGetTextPP(f->kind);

	return term != NULL || VARSIZE_ANY_EXHDR(kind) != strlen(DEFAULT_KIND) ||
		memcmp(VARDATA_ANY(kind), DEFAULT_KIND, strlen(DEFAULT_KIND)) != 0;
}

static bool
has_field(const FollowUp *f, const char *name)
{
	JsonbValue	buffer;
	JsonbValue *found;

	if (f->data == NULL || !JB_ROOT_IS_OBJECT(f->data))
		return false;
	found = getKeyJsonValueFromContainer(&f->data->root, name, strlen(name),
										 &buffer);
	return found != NULL && found->type != jbvNull;
}

static bool
has(const FollowUp *f, const PoolTerm *kind, const char *name)
{
	if (strcmp(name, "note") == 0)
		return length_of(f->note) > 0;
	if (strcmp(name, "result") == 0)
		return length_of(f->result) > 0;
	if (strcmp(name, "stage") == 0)
		return length_of(f->stage) > 0;
	if (strcmp(name, "kind") == 0)
		return has_kind(f, kind);
	if (strcmp(name, "occurred_at") == 0)
		return f->occurred_at != POOL_NO_TIME;
	/* nothing comes next where the result ends the spell */
	if (strcmp(name, "next_at") == 0)
		return f->next_at != POOL_NO_TIME || f->ends;
	return has_field(f, name);
}

static bool
is_complete(const FollowUp *f, const PoolConf *pool, const PoolTerm *kind)
{
	ListCell   *lc;

	foreach(lc, pool->follow_up_requires)
	{
		if (!has(f, kind, lfirst(lc)))
			return false;
	}
	return pool->follow_up_min_chars == POOL_NO_LIMIT ||
		length_of(f->note) >= pool->follow_up_min_chars;
}

static bool
ends_spell(const Writer *writer, const PoolTerm *term)
{
	if (!pool_term_then(term, "release") && !pool_term_then(term, "cool") &&
		!pool_term_then(term, "archive"))
		return false;
	return writer->owns || (writer->helper.counts &&
							strcmp(writer->helper.role, "deputy") == 0);
}

/*
 * Judges a follow-up on the locked lead: NULL, or why it is refused.  Leaves
 * in *f what follows from it.
 */
static const char *
judge_follow_up(const Writer *writer, const PoolLead *lead, TimestampTz now,
				FollowUp *f)
{
	const PoolConf *pool = pool_config_pool(lead->pool_id);
	const PoolTerm *kind;

	if (!pool_term_find(pool, POOL_TERM_FOLLOW_UP, f->kind, &kind) ||
		(!pool_term_find(pool, POOL_TERM_RESULT, f->result, &f->term) &&
		 f->result != 0))
		return "incomplete";
	f->counts = (writer->owns || writer->helper.counts) &&
		pool_term_counts(kind) && pool_term_counts(f->term) &&
		(f->occurred_at == POOL_NO_TIME || f->occurred_at >= lead->owned_at);
	f->ends = ends_spell(writer, f->term);
	if (f->next_at == POOL_NO_TIME && pool_term_then(f->term, "call_back"))
		f->next_at = pool_time_add(now, f->term->after, pool->zone);
	return is_complete(f, pool, kind) ? NULL : "incomplete";
}

/* ------------------------------------------------------------------------
 * Recording
 * ------------------------------------------------------------------------ */

static Jsonb *
describe(const FollowUp *f, const PoolLead *lead, bool owns,
		 int64 first_seconds)
{
	PoolDetail	detail;

	pool_detail_begin(&detail);
	pool_detail_datum(&detail, "kind", f->kind);
	pool_detail_datum(&detail, "result", f->result);
	pool_detail_datum(&detail, "note", f->note);
	pool_detail_time(&detail, "next_at", f->next_at);
	pool_detail_time(&detail, "occurred_at", f->occurred_at);
	pool_detail_datum(&detail, "stage", f->stage);
	pool_detail_json(&detail, "data", f->data);
	if (!owns)
		pool_detail_int(&detail, "owner", lead->owner_id);
	if (!f->counts)
		pool_detail_false(&detail, "counted");
	if (first_seconds >= 0)
		pool_detail_int(&detail, "first_seconds", first_seconds);
	return pool_detail_end(&detail);
}

static bool
same_text(Datum a, Datum b)
{
	text	   *x = a != 0 ? DatumGetTextPP(a) : NULL;
	text	   *y = b != 0 ? DatumGetTextPP(b) : NULL;

	if (x == NULL || y == NULL)
		return x == y;
	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

static void
note_on_lead(PoolLead *lead, const FollowUp *f, TimestampTz at)
{
	if (f->counts)
	{
		if (lead->follow_ups == 0)
			lead->first_follow_up_at = at;
		lead->last_follow_up_at = at;
		lead->follow_ups++;
	}
	/* a plan lasts until the next contact */
	if (f->counts || f->next_at != POOL_NO_TIME)
		lead->next_follow_up_at = f->next_at;
	if (f->result != 0)
		lead->last_result = f->result;
	if (f->stage != 0 && !same_text(lead->stage, f->stage))
	{
		lead->stage = f->stage;
		lead->stage_at = at;
	}

	/*
	 * A follow-up only moves deadlines later, so check_at may stay; unless
	 * what it noted makes a condition come true.
	 */
	if (pool_config_pool(lead->pool_id)->conditional)
		lead->check_at = pool_due_check_at(lead);
}

/* The lead goes, as the result says; the counters are locked. */
static void
end_by_result(PoolBatch *batch, PoolBatchItem *item, const FollowUp *f)
{
	PoolEvent	event = {.kind = "released",.reason = f->result};

	event.actor_id = batch->actor->member_id;
	if (pool_term_then(f->term, "archive"))
	{
		event.kind = "archived";
		pool_archive_one(batch, item, &event);
		return;
	}
	if (pool_term_then(f->term, "cool"))
		item->hide_for = f->term->after;
	pool_give_back(batch, item, NULL, &event);
}

/* The lead stays until somebody agrees that it is to go. */
static void
ask_to_end(PoolBatch *batch, PoolBatchItem *item, const FollowUp *f,
		   char *action)
{
	PoolWork   *work = batch->call->work;
	PoolApproval a = {.action = action,.reason = f->result,
	.applicant_id = batch->actor->member_id};
	PoolApproval found;

	if (pool_term_then(f->term, "cool"))
		a.span = f->term->after;
	if (!pool_approval_find_live(work, &item->lead, action, batch->now,
								 &found))
		pool_approval_ask(work, &item->lead, &a, batch->now);
}

/* What comes of a result that ends the spell; the counters are locked. */
static void
end_or_ask(PoolBatch *batch, PoolBatchItem *item, const FollowUp *f)
{
	char	   *action = pool_term_then(f->term, "archive") ? "archive" : "release";

	/* the row was written by this very command */
	CommandCounterIncrement();
	if (pool_approval_needed(batch->call->work, batch->actor, action,
							 &item->lead, batch->now))
		ask_to_end(batch, item, f, action);
	else
		end_by_result(batch, item, f);
}

/* When the lead goes next as things are, a notice that runs included. */
static TimestampTz
next_due(PoolBatch *batch, PoolLead *lead, const PoolData *data)
{
	PoolJudgement j;

	/* it judges by what has just been written */
	CommandCounterIncrement();
	pool_judge_begin(&j, batch->call->work, pool_snapshot(), lead, data,
					 batch->now);
	return pool_judge_due_at(&j);
}

static void
record(PoolBatch *batch, PoolBatchItem *item, const Writer *writer,
	   const FollowUp *f)
{
	PoolCall   *call = batch->call;
	PoolLead   *lead = &item->lead;
	PoolEvent	event = {.kind = "followed_up"};
	PoolData	data;
	int64		first_seconds = -1;
	int64		event_id;

	pool_batch_open(batch, item, &data);
	event.at = pool_lead_time(lead, batch->now);
	event.member_id = event.actor_id = batch->actor->member_id;
	if (f->counts && lead->follow_ups == 0)
		first_seconds = (event.at - lead->owned_at) / USECS_PER_SEC;
	event.detail = describe(f, lead, writer->owns, first_seconds);
	if (writer->owns || writer->helper.counts)
	{
		note_on_lead(lead, f, event.at);
		lead->priority = pool_score(lead, &data, event.at);
		pool_lead_note(pool_work_table(call->work, POOL_LEAD_STATE), lead);
	}
	event_id = pool_event_append(call->work, &event, lead, &data);
	if (f->ends)
	{
		end_or_ask(batch, item, f);
		/* it has fetched both rows again, and what was read is gone */
		pool_batch_open(batch, item, &data);
	}
	pool_put_text(call, OUTCOME, f->counts ? "ok" : "not_counted");
	pool_put(call, EVENT_ID_COLUMN, Int64GetDatum(event_id));
	pool_put_time(call, DUE_AT, next_due(batch, lead, &data));
	pool_call_row(call);
}

/*
 * pool.follow_up(lead, kind, result, note, next_at, occurred_at, detail,
 *				  stage, member, request_id)
 */
Datum
pool_follow_up(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin(fcinfo, "follow_up");
	const PoolMemberConf *member = pool_resolve_self(fcinfo, 8);
	PoolActor	actor = {member->id, member->tenant_id};
	Writer		writer = {.actor = &actor,.work = call->work};
	PoolBatch  *batch;
	PoolBatchItem *item;
	FollowUp	f = {0};
	int64		id;

	id = pool_arg_id(call, 0);
	read_arguments(call, &f);
	if (pool_request_replay(call, 9, member->tenant_id))
		return pool_call_end(call);
	batch = pool_batch_begin(call, &actor, &id, 1, check_follow_up, &writer);
	item = &batch->items[0];
	pool_batch_lock_leads(batch);
	batch->now = pool_now();
	if (item->outcome == NULL)
		item->outcome = judge_follow_up(&writer, &item->lead, batch->now, &f);
	if (item->outcome == NULL)
	{
		if (f.ends)
		{
			pool_batch_add_owners(batch);
			pool_batch_lock_counters(batch);
		}
		record(batch, item, &writer, &f);
	}
	else
	{
		pool_put_text(call, OUTCOME, item->outcome);
		pool_call_row(call);
	}
	return pool_batch_end(batch);
}
