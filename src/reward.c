/*
 * reward.c
 *	  A tick's task: points for results, by reward rules.
 *
 * The task reads the log as any consumer does (poll.c), under a scope that is
 * no tenant's, and enters what rules give in the ledger.  It begins with the
 * first tick after there is a rule; without rules it keeps no position.  As
 * nobody else moves the position, and a ledger row is unique per rule, event
 * and member, an event is rewarded once.
 *
 * Conditions see the lead as it is when the tick comes, not as it was.
 */
#include "compat.h"
#include "reward.h"

#include "catalog/pg_type.h"
#include "data.h"
#include "fact.h"
#include "installation.h"
#include "lead.h"
#include "miscadmin.h"
#include "poll.h"
#include "rule.h"
#include "rule_report.h"
#include "sql.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/* Events that some rule may reward, with the rule and who may get how much. */
#define CANDIDATES_SQL \
	"WITH e AS MATERIALIZED (" POOL_POLLABLE_SQL ")" \
	" SELECT r.id, e.id, e.lead_id, w.member_id, r.points * w.share, r.cap," \
	"  r.condition, r.member_condition, e.pool_id, e.at, e.day, r.name" \
	" FROM e JOIN pool.reward_rule r ON r.pool_id = e.pool_id AND r.enabled" \
	"  AND (r.event_kind = e.kind OR (r.event_kind = 'overdue'" \
	"   AND (e.kind = 'escalated' OR (e.kind = 'reclaimed'" \
	"    AND e.rule_id IS NOT NULL))))" \
	" CROSS JOIN LATERAL (SELECT CASE WHEN e.kind = 'followed_up'" \
	"   THEN coalesce((e.detail ->> 'owner')::integer, e.member_id)" \
	"   ELSE e.member_id END AS id) o" \
	" CROSS JOIN LATERAL (SELECT o.id AS member_id," \
	"   coalesce((r.shares ->> 'owner')::numeric, 0) AS share" \
	"  UNION ALL SELECT c.member_id, (r.shares ->> c.role)::numeric FROM" \
	"   (SELECT k.member_id, k.role FROM pool.collaborator k" \
	"     WHERE k.lead_id = e.lead_id AND e.kind <> 'converted'" \
	"    UNION ALL SELECT (k ->> 'member')::integer, k ->> 'role'" \
	"     FROM jsonb_array_elements(CASE e.kind WHEN 'converted'" \
	"      THEN e.detail -> 'collaborators' END) k) c" \
	"  WHERE c.member_id <> o.id) w" \
	" WHERE w.member_id IS NOT NULL AND w.share > 0" \
	" AND e.detail -> 'counted' IS NULL" \
	" AND (r.within IS NULL OR e.at <= r.within + (" \
	"  SELECT max(b.at) FROM pool.event b WHERE b.lead_id = e.lead_id" \
	"  AND b.kind IN ('claimed', 'assigned', 'transferred')" \
	"  AND (b.id < e.id OR e.kind = b.kind)))" \
	" ORDER BY e.generation, e.xid, e.id, r.id, w.member_id"

#define ENTER_SQL \
	"INSERT INTO pool.reward (rule_id, event_id, lead_id, member_id," \
	" tenant_id, pool_id, at, day, points)" \
	" SELECT $1, $2, $3, $4, p.tenant_id, p.id, $7, $8," \
	" round(CASE WHEN $6 IS NULL OR $5 <= 0 THEN $5" \
	" ELSE least($5, $6 - coalesce((SELECT sum(g.points) FROM pool.reward g" \
	" WHERE g.rule_id = $1 AND g.member_id = $4 AND g.day = $8" \
	" AND g.points > 0), 0)) END, 2)" \
	" FROM pool.pool p WHERE p.id = $9" \
	" AND ($6 IS NULL OR $5 <= 0 OR $6 > coalesce((SELECT sum(g.points)" \
	"  FROM pool.reward g WHERE g.rule_id = $1 AND g.member_id = $4" \
	"  AND g.day = $8 AND g.points > 0), 0))" \
	" ON CONFLICT DO NOTHING"

enum
{
	RULE = 1, EVENT, LEAD, MEMBER, POINTS, CAP, CONDITION, MEMBER_CONDITION,
	POOL, AT, DAY, NAME
};

/* A row of CANDIDATES_SQL. */
typedef struct Candidate
{
	HeapTuple	tuple;
	TupleDesc	desc;
} Candidate;

static Datum
get(const Candidate *c, int column, bool *isnull)
{
	return SPI_getbinval(c->tuple, c->desc, column, isnull);
}

static int32
get_int(const Candidate *c, int column)
{
	bool		isnull;

	return DatumGetInt32(get(c, column, &isnull));
}

static void
report_rule(const Candidate *c)
{
	bool		isnull;

	pool_rule_report(POOL_KIND_REWARD, get_int(c, RULE),
					 TextDatumGetCString(get(c, NAME, &isnull)),
					 pool_config_pool(get_int(c, POOL))->name);
}

static bool
meets(const Candidate *c, int column, Jsonb *document, Jsonb *variables)
{
	PoolCondition condition;
	PoolVerdict verdict;
	bool		isnull;
	Datum		path = get(c, column, &isnull);

	if (isnull)
		return true;
	pool_rule_prepare(&condition, DatumGetJsonPathPCopy(path));
	verdict = pool_rule_judge(&condition, document, variables);
	if (verdict == POOL_RULE_ERROR)
		report_rule(c);
	return verdict == POOL_MATCH;
}

/* Whether lead and member meet the rule's conditions. */
static bool
is_rewarded(PoolWork *work, const Candidate *c, TimestampTz now)
{
	const PoolMemberConf *member =
	pool_config_find_member(get_int(c, MEMBER));
	const PoolConf *pool = pool_config_find_pool(get_int(c, POOL));
	Snapshot	snapshot = GetActiveSnapshot();
	PoolLead	lead;
	PoolData	data;
	Jsonb	   *document;
	bool		isnull;

	if (member == NULL || pool == NULL ||
		!pool_lead_peek(pool_work_table(work, POOL_LEAD_STATE),
						DatumGetInt64(get(c, LEAD, &isnull)), snapshot,
						&lead) ||
		!pool_data_read(pool_work_table(work, POOL_LEAD_DATA), lead.id,
						snapshot, &data))
		return false;
	document = pool_rule_document(&lead, &data, now);
	return meets(c, CONDITION, document, NULL) &&
		meets(c, MEMBER_CONDITION,
			  pool_member_document(work, snapshot, member,
								   pool_config_membership(pool->id,
														  member->id),
								   0, now), document);
}

static void
enter(const Candidate *c)
{
	static const int columns[] = {
		RULE, EVENT, LEAD, MEMBER, POINTS, CAP, AT, DAY, POOL
	};
	Oid			types[] = {INT4OID, INT8OID, INT8OID, INT4OID, NUMERICOID,
	NUMERICOID, TIMESTAMPTZOID, DATEOID, INT4OID};
	Datum		values[lengthof(columns)];
	char		nulls[lengthof(columns) + 1];

	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		bool		isnull;

		values[i] = get(c, columns[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	nulls[lengthof(columns)] = '\0';
	pool_sql_run(ENTER_SQL, lengthof(columns), types, values, nulls);
}

/*
 * Whether there is a rule; without one there is no position either.  Where
 * there never was one, this costs nothing.
 */
static bool
has_rules(void)
{
	if (pool_index_unused(POOL_REWARD_RULE_NAME))
		return false;
	if (pool_sql_run("SELECT FROM pool.reward_rule WHERE enabled LIMIT 1",
					 0, NULL, NULL, NULL) > 0)
		return true;
	if (pool_sql_run("SELECT FROM pool.consumer WHERE tenant_id = -1",
					 0, NULL, NULL, NULL) > 0)
		pool_sql_run("DELETE FROM pool.consumer WHERE tenant_id = -1",
					 0, NULL, NULL, NULL);
	return false;
}

/*
 * The position, locked; made at the present if there is none.  False if another
 * tick has it.
 */
static bool
take_position(int32 generation)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(generation)};

	if (pool_sql_run("SELECT FROM pool.consumer WHERE tenant_id = -1"
					 " FOR UPDATE SKIP LOCKED", 0, NULL, NULL, NULL) > 0)
		return true;
	pool_sql_run("INSERT INTO pool.consumer"
				 " (name, tenant_id, generation, xid)"
				 " VALUES ('rewards', -1, $1, pg_snapshot_xmin("
				 "  pg_current_snapshot())) ON CONFLICT DO NOTHING",
				 1, types, values, NULL);
	return false;
}

/* Moves the position behind the events looked at; returns how many. */
static uint64
advance(Oid *types, Datum *values)
{
	return pool_sql_run("WITH e AS MATERIALIZED (" POOL_POLLABLE_SQL ")"
						" UPDATE pool.consumer c SET generation = l.generation,"
						" xid = l.xid, event_id = l.id, acked_at = now()"
						" FROM (SELECT * FROM e ORDER BY generation DESC,"
						"  xid DESC, id DESC LIMIT 1) l"
						" WHERE c.tenant_id = -1",
						5, types, values, NULL);
}

PoolTickResult
pool_reward_run(int max_events, TimestampTz now)
{
	PoolTickResult result = {0, false};
	Oid			types[5] = {TEXTOID, INT4OID, INT4ARRAYOID, INT4OID, INT4OID};
	Datum		values[5];
	PoolWork   *work;
	SPITupleTable *table;
	uint64		n;
	PoolSql		sql = pool_sql_begin();

	if (!has_rules() || !take_position(pool_generation()))
	{
		pool_sql_end(sql);
		return result;
	}
	pool_poll_parameters("rewards", -1, max_events, values);
	work = pool_work_begin_reading();
	n = pool_sql_run(CANDIDATES_SQL, 5, types, values, NULL);
	table = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		Candidate	c = {table->vals[i], table->tupdesc};

		CHECK_FOR_INTERRUPTS();
		if (!is_rewarded(work, &c, now))
			continue;
		enter(&c);
		result.done++;
	}
	pool_work_end(work);
	result.more = advance(types, values) > 0;
	pool_sql_end(sql);
	return result;
}
