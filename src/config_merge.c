/*
 * config_merge.c
 *	  Restored rows of tables that triggers fill as well.
 *
 * A restore inserts the rows of every table while the triggers of
 * config_trigger.c are in force, in any order of tables.  Whichever comes
 * first, the trigger's row or the restored one, the restored one stays.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "sql.h"
#include "trigger.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(pool_merge_state);

/* A derived table, whose rows either a trigger makes or a restore brings. */
typedef struct DerivedTable
{
	const char *name;
	const char *merge;			/* $1 is the restored row */
} DerivedTable;

static const DerivedTable derived_tables[] = {
	{
		"member_state",
		"INSERT INTO pool.member_state SELECT ($1).*"
		" ON CONFLICT (member_id) DO UPDATE"
		" SET tenant_id = excluded.tenant_id"
	},
	{
		/* counters that are in use already are not overwritten */
		"membership_state",
		"INSERT INTO pool.membership_state AS s SELECT ($1).*"
		" ON CONFLICT (pool_id, member_id) DO UPDATE"
		" SET (spells, day_event, day_until, last_claim_at, tenant_id,"
		"  held, claimed, day, status, member_limit) ="
		" (excluded.spells, excluded.day_event, excluded.day_until,"
		"  excluded.last_claim_at, excluded.tenant_id, excluded.held,"
		"  excluded.claimed, excluded.day, excluded.status,"
		"  excluded.member_limit)"
		" WHERE s.spells = 0 AND s.held = 0 AND s.claimed = 0"
	},
	{
		"timer_recheck",
		"INSERT INTO pool.timer_recheck AS r SELECT ($1).*"
		" ON CONFLICT (pool_id, member_id) DO UPDATE"
		" SET everything = r.everything OR excluded.everything,"
		" after_lead = 0, horizon = NULL, walk_xmin = NULL, todo = NULL,"
		" done = 0"
	},
	{
		/* the open one that the member's row has made gives way */
		"absence",
		"WITH made AS (SELECT a.started_at FROM pool.absence a"
		"  WHERE a.member_id = ($1).member_id AND a.ended_at IS NULL"
		"  AND ($1).ended_at IS NULL),"
		" gone AS (DELETE FROM pool.absence a USING made m"
		"  WHERE a.member_id = ($1).member_id"
		"  AND a.started_at = m.started_at"
		"  AND a.started_at <> ($1).started_at)"
		" INSERT INTO pool.absence SELECT ($1).*"
		" ON CONFLICT (member_id, started_at) DO UPDATE"
		" SET ended_at = excluded.ended_at"
	},
	{
		"rule_version",
		"INSERT INTO pool.rule_version AS v SELECT ($1).*"
		" ON CONFLICT (rule, pool_id, rule_id, version) DO UPDATE"
		" SET (tenant_id, valid_from, valid_to, changed_by, \"row\") ="
		" (excluded.tenant_id, excluded.valid_from, excluded.valid_to,"
		"  excluded.changed_by, excluded.\"row\")"
	}
};

static const DerivedTable *
derived_table(Relation rel)
{
	for (int i = 0; i < (int) lengthof(derived_tables); i++)
		if (strcmp(derived_tables[i].name,
				   RelationGetRelationName(rel)) == 0)
			return &derived_tables[i];
	elog(ERROR, "table \"%s\" is not a derived one",
		 RelationGetRelationName(rel));
	return NULL;
}

/*
 * Writes the row in place of one that a trigger has made.  False if there is
 * another one.
 */
static bool
merge_row(const DerivedTable *table, Relation rel, HeapTuple tuple)
{
	PoolSql		sql = pool_sql_begin();
	Oid			type = rel->rd_rel->reltype;
	Datum		row = heap_copy_tuple_as_datum(tuple, RelationGetDescr(rel));
	uint64		n = pool_sql_run(table->merge, 1, &type, &row, NULL);

	pool_sql_end(sql);
	return n > 0;
}

/*
 * Before a row is inserted into a derived table.  What the library itself
 * inserts goes through as it is.
 */
Datum
pool_merge_state(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);

	if (!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function for rows before INSERT")));
	if (!InLocalUserIdChange() &&
		merge_row(derived_table(data->tg_relation), data->tg_relation,
				  data->tg_trigtuple))
		return PointerGetDatum(NULL);
	return PointerGetDatum(data->tg_trigtuple);
}
