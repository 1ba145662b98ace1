/*
 * search.c
 *	  Finding leads: by their fields, by two characters of their name.
 *
 * The index on search_terms() gives candidates, in the order of their ids; each
 * is then judged by what the caller may see of it, so that nobody finds a
 * lead by what is masked.
 */
#include "result.h"

#include "catalog/pg_type.h"
#include "errors.h"
#include "miscadmin.h"
#include "match.h"
#include "rule.h"
#include "search_term.h"
#include "sql.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(pool_search);

#define CHUNK 200
#define MAX_QUERY_LENGTH 200
#define MAX_WORDS 10

typedef enum Scope
{
	SCOPE_OPEN, SCOPE_MINE, SCOPE_TEAM
} Scope;

static const char *const scope_names[] = {
	[SCOPE_OPEN] = "open",
	[SCOPE_MINE] = "mine",
	[SCOPE_TEAM] = "team"
};

typedef struct Search
{
	PoolCall   *call;
	Scope		scope;
	const PoolConf *pool;		/* NULL = any, in scope mine */
	Datum		pools;			/* int4[]: that pool, for team those below */
	int32		tenant_id;
	int32		member_id;		/* 0 = a service */
	PoolMatch  *match;			/* NULL = none */
	List	   *words;			/* of char *, folded */
	Datum		terms;			/* int8[] */
	int			n_terms;
	int64		after_id;
	int			n;				/* rows wanted */
	TimestampTz now;
} Search;

/* ------------------------------------------------------------------------
 * Arguments
 * ------------------------------------------------------------------------ */

static Scope
scope_arg(FunctionCallInfo fcinfo, int argno)
{
	char	   *name;

	if (PG_ARGISNULL(argno))
		return SCOPE_OPEN;
	name = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	for (int i = 0; i < (int) lengthof(scope_names); i++)
		if (strcmp(scope_names[i], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("scope \"%.64s\" is not known", pool_cut(name, 64)),
			 errdetail("The scope says which leads are searched."),
			 errhint("It is one of open, mine and team.")));
	return SCOPE_OPEN;
}

static int
rows_arg(FunctionCallInfo fcinfo, int argno)
{
	int32		n = PG_ARGISNULL(argno) ? 50 : PG_GETARG_INT32(argno);

	if (n < 1 || n > POOL_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d rows at once are out of range", n),
				 errdetail("Between 1 and %d are allowed.", POOL_MAX_BATCH),
				 errhint("Pass the last lead_id as after_id for more.")));
	return n;
}

/* The words of the query, and their terms. */
static void
read_query(Search *s, text *query, PoolTerms *terms)
{
	char	   *folded;
	char	   *word;
	char	   *rest = NULL;

	pool_check_length(query, MAX_QUERY_LENGTH, "query");
	folded = pool_search_fold(VARDATA_ANY(query), VARSIZE_ANY_EXHDR(query));
	for (word = strtok_r(folded, " \t\n", &rest); word != NULL;
		 word = strtok_r(NULL, " \t\n", &rest))
	{
		if (list_length(s->words) == MAX_WORDS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the query has too many words"),
					 errdetail("At most %d are allowed.", MAX_WORDS),
					 errhint("Search by match for fields.")));
		s->words = lappend(s->words, word);
		pool_terms_add_text(terms, word, strlen(word), true);
	}
}

static void
read_what(Search *s, FunctionCallInfo fcinfo)
{
	PoolTerms	terms = {0};

	if (!PG_ARGISNULL(1))
	{
		Jsonb	   *match = PG_GETARG_JSONB_P(1);

		s->match = pool_match_prepare(match);
		pool_terms_add_match(&terms, match);
	}
	if (!PG_ARGISNULL(2))
		read_query(s, PG_GETARG_TEXT_PP(2), &terms);
	s->n_terms = terms.n;
	s->terms = pool_terms_array(&terms);
}

/* The pool and, for a team, all pools below it, as int4[]. */
static Datum
pools_below(int32 pool_id, bool below)
{
	Oid			types[2] = {INT4OID, BOOLOID};
	Datum		values[2] = {Int32GetDatum(pool_id), BoolGetDatum(below)};
	MemoryContext context = CurrentMemoryContext;
	PoolSql		sql = pool_sql_begin();
	Datum		result;
	bool		isnull;

	pool_sql_run("WITH RECURSIVE tree AS (SELECT $1 AS id UNION"
				 " SELECT p.id FROM pool.pool p"
				 " JOIN tree t ON p.parent_id = t.id WHERE $2)"
				 " SELECT array_agg(id) FROM tree", 2, types, values, NULL);
	MemoryContextSwitchTo(context);
	result = PointerGetDatum(DatumGetArrayTypePCopy(pool_sql_datum(0, 1,
																   &isnull)));
	pool_sql_end(sql);
	return result;
}

static void
require_membership(const Search *s)
{
	PoolActor	actor = {s->member_id, s->tenant_id};

	if (s->member_id == 0 || pool_actor_manages(&actor, s->pool->id) ||
		pool_actor_role(&actor, s->pool->id) != POOL_ROLE_NONE)
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_NOT_MEMBER),
			 errmsg("not a member of pool \"%s\"", s->pool->name),
			 errdetail("Its leads are for its members and managers."),
			 errhint("Search in a pool you belong to, or with scope mine.")));
}

/* Who searches where; errors PO001, PO003, PO004, PO005, 22004. */
static void
read_where(Search *s, FunctionCallInfo fcinfo)
{
	PoolActor	actor = pool_resolve_actor(fcinfo, 6);

	s->scope = scope_arg(fcinfo, 5);
	s->member_id = actor.member_id;
	s->pool = pool_arg_pool(s->call, 0);
	if (s->scope == SCOPE_MINE && s->member_id == 0)
		s->member_id = pool_resolve_self(fcinfo, 6)->id;
	if (s->pool == NULL && s->scope != SCOPE_MINE)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"pool\" must not be null"),
				 errdetail("Only scope mine is searched in all pools."),
				 errhint("Name a pool.")));
	s->tenant_id = s->pool != NULL ? s->pool->tenant_id :
		pool_config_member(s->member_id)->tenant_id;
	if (s->scope == SCOPE_OPEN)
		require_membership(s);
	if (s->scope == SCOPE_TEAM)
		pool_require_manager(&actor, s->pool->id);
	s->pools = s->pool == NULL ?
		PointerGetDatum(construct_empty_array(INT4OID)) :
		pools_below(s->pool->id, s->scope == SCOPE_TEAM);
}

/* ------------------------------------------------------------------------
 * Candidates
 * ------------------------------------------------------------------------ */

#define BY_TERMS \
	"SELECT d.id FROM pool.lead_data d" \
	" JOIN pool.lead_state s ON s.id = d.id" \
	" WHERE pool.search_terms(d.key, d.name, d.source, d.grade," \
	"  d.attributes) @> $1 AND d.tenant_id = $2 AND d.id > $3 AND "
#define BY_STATE \
	"SELECT s.id FROM pool.lead_state s" \
	" WHERE $1 = '{}' AND s.tenant_id = $2 AND s.id > $3 AND "

static const char *const scope_conditions[] = {
	[SCOPE_OPEN] = "s.pool_id = ANY ($4) AND s.ticket IS NOT NULL"
	" AND coalesce($5, 0) >= 0",
	[SCOPE_MINE] = "s.owner_id = $5"
	" AND (s.pool_id = ANY ($4) OR $4 = '{}')",
	[SCOPE_TEAM] = "s.pool_id = ANY ($4) AND s.owner_id IS NOT NULL"
	" AND coalesce($5, 0) >= 0"
};

static Portal
open_candidates(const Search *s)
{
	Oid			types[5] = {INT8ARRAYOID, INT4OID, INT8OID, INT4ARRAYOID,
	INT4OID};
	Datum		values[5];
	char	   *query = psprintf("%s%s ORDER BY 1",
								 s->n_terms > 0 ? BY_TERMS : BY_STATE,
								 scope_conditions[s->scope]);

	values[0] = s->terms;
	values[1] = Int32GetDatum(s->tenant_id);
	values[2] = Int64GetDatum(s->after_id);
	values[3] = s->pools;
	values[4] = Int32GetDatum(s->member_id);
	/* the rows that the terms select are few: get them all at once */
	(void) set_config_option("cursor_tuple_fraction", s->n_terms > 0 ?
							 "1" : "0.01", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return SPI_cursor_open_with_args(NULL, query, 5, types, values, NULL,
									 true, 0);
}

/* ------------------------------------------------------------------------
 * Judging
 * ------------------------------------------------------------------------ */

static bool
in_scope(const Search *s, const PoolLead *lead)
{
	switch (s->scope)
	{
		case SCOPE_OPEN:
			return lead->status == POOL_AVAILABLE &&
				(lead->hidden_until <= s->now ||
				 lead->reserved_for == s->member_id);
		case SCOPE_MINE:
			return lead->owner_id == s->member_id &&
				!pool_config_member(s->member_id)->left;
		default:
			return lead->owner_id != 0;
	}
}

static void
mask(PoolData *data, List *masked)
{
	ListCell   *lc;

	foreach(lc, masked)
	{
		const char *field = lfirst(lc);

		if (strcmp(field, "key") == 0)
			data->key = 0;
		else if (strcmp(field, "name") == 0)
			data->name = 0;
		else if (strcmp(field, "source") == 0)
			data->source = 0;
		else if (strcmp(field, "grade") == 0)
			data->grade = 0;
		data->attributes = DirectFunctionCall2(jsonb_delete, data->attributes,
											   CStringGetTextDatum(field));
	}
}

static bool
contains(Datum value, const char *word)
{
	text	   *haystack;

	if (value == 0)
		return false;
	haystack = DatumGetTextPP(value);
	return strstr(pool_search_fold(VARDATA_ANY(haystack),
								   VARSIZE_ANY_EXHDR(haystack)),
				  word) != NULL;
}

static bool
fits(const Search *s, const PoolLead *lead, const PoolData *data)
{
	ListCell   *lc;

	foreach(lc, s->words)
	{
		if (!contains(data->name, lfirst(lc)) &&
			!contains(data->key, lfirst(lc)))
			return false;
	}
	return s->match == NULL ||
		pool_match_holds(s->match, pool_rule_document(lead, data, s->now));
}

static void
emit(const Search *s, const PoolLead *lead, const PoolData *data)
{
	PoolCall   *call = s->call;

	pool_put(call, 0, Int64GetDatum(lead->id));
	pool_put_datum(call, 1, data->key);
	pool_put_datum(call, 2, data->name);
	pool_put_datum(call, 3, data->source);
	pool_put_datum(call, 4, data->grade);
	pool_put(call, 5, Int32GetDatum(lead->priority));
	pool_put_datum(call, 6, data->attributes);
	if (lead->owner_id != 0)
		pool_put_text(call, 7, pool_config_member(lead->owner_id)->key);
	pool_put_time(call, 8, lead->entered_at);
	pool_call_row(call);
}

/* Emits the lead if it is what is looked for. */
static bool
judge(const Search *s, int64 id)
{
	PoolTable  *leads = pool_work_table(s->call->work, POOL_LEAD_STATE);
	PoolTable  *table = pool_work_table(s->call->work, POOL_LEAD_DATA);
	PoolLead	lead;
	PoolData	data;

	if (!pool_lead_peek(leads, id, s->call->snapshot, &lead) ||
		!in_scope(s, &lead) ||
		!pool_data_read(table, id, s->call->snapshot, &data))
		return false;
	if (s->scope == SCOPE_OPEN)
		mask(&data, pool_config_pool(lead.pool_id)->masked);
	if (!fits(s, &lead, &data))
		return false;
	emit(s, &lead, &data);
	return true;
}

static void
run_search(const Search *s)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "pool_ext search",
												  ALLOCSET_DEFAULT_SIZES);
	PoolSql		sql = pool_sql_begin();
	Portal		portal = open_candidates(s);
	int			found = 0;
	uint64		n;

	do
	{
		SPI_cursor_fetch(portal, true, CHUNK);
		n = SPI_processed;
		for (uint64 i = 0; i < n && found < s->n; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(scratch);

			CHECK_FOR_INTERRUPTS();
			if (judge(s, pool_sql_int8(i, 1)))
				found++;
			MemoryContextSwitchTo(old);
			MemoryContextReset(scratch);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (n == CHUNK && found < s->n);
	SPI_cursor_close(portal);
	pool_sql_end(sql);
	MemoryContextDelete(scratch);
}

/*
 * pool.search(pool, match, query, n, after_id, scope, actor)
 */
Datum
pool_search(PG_FUNCTION_ARGS)
{
	PoolCall   *call = pool_call_begin_reading(fcinfo, "search");
	Search		s = {.call = call};

	s.n = rows_arg(fcinfo, 3);
	s.after_id = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT64(4);
	s.now = pool_now();
	read_where(&s, fcinfo);
	read_what(&s, fcinfo);
	run_search(&s);
	return pool_call_end(call);
}
