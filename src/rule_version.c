/*
 * rule_version.c
 *	  What every rule said, and when: rows of rule_version.
 *
 * A row trigger on every table of rules, on pool and on membership closes the
 * version in force and opens the next one.  A row that says the same as the
 * version in force makes none, so that a restore, which brings the tables in
 * any order, leaves what it has restored (see config_merge.c too).
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "clock.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "sql.h"
#include "trigger.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(pool_rule_written);

#define CLOSE_SQL \
	"UPDATE pool.rule_version SET valid_to = greatest($4, valid_from)" \
	" WHERE rule = $1 AND pool_id = $2 AND rule_id = $3 AND valid_to IS NULL"

#define OPEN_SQL \
	"INSERT INTO pool.rule_version (tenant_id, pool_id, rule, rule_id," \
	" version, valid_from, changed_by, \"row\")" \
	" SELECT ($6).tenant_id, $2, $1, $3," \
	"  1 + (SELECT coalesce(max(v.version), 0) FROM pool.rule_version v" \
	"   WHERE v.rule = $1 AND v.pool_id = $2 AND v.rule_id = $3)," \
	"  greatest($4, (SELECT max(v.valid_to) FROM pool.rule_version v" \
	"   WHERE v.rule = $1 AND v.pool_id = $2 AND v.rule_id = $3))," \
	"  $5, to_jsonb($6)" \
	" WHERE NOT EXISTS (SELECT FROM pool.rule_version v" \
	"  WHERE v.rule = $1 AND v.pool_id = $2 AND v.rule_id = $3" \
	"  AND v.valid_to IS NULL)"

/* The arguments of the statements above, for one row of one table. */
typedef struct RuleRow
{
	Oid			types[6];
	Datum		values[6];
} RuleRow;

static int32
id_column(Relation rel, HeapTuple tuple, const char *name)
{
	TupleDesc	desc = RelationGetDescr(rel);
	bool		isnull;

	return DatumGetInt32(heap_getattr(tuple, SPI_fnumber(desc, name), desc,
									  &isnull));
}

/* A membership is known by its member, a pool by itself. */
static RuleRow
rule_row(Relation rel, HeapTuple tuple, TimestampTz now, const char *role)
{
	const char *table = RelationGetRelationName(rel);
	RuleRow		row = {
		.types = {TEXTOID, INT4OID, INT4OID, TIMESTAMPTZOID, TEXTOID,
		rel->rd_rel->reltype}
	};

	row.values[0] = CStringGetTextDatum(table);
	row.values[1] = Int32GetDatum(id_column(rel, tuple,
											strcmp(table, "pool") == 0 ?
											"id" : "pool_id"));
	row.values[2] = Int32GetDatum(id_column(rel, tuple,
											strcmp(table, "membership") == 0 ?
											"member_id" : "id"));
	row.values[3] = TimestampTzGetDatum(now);
	row.values[4] = CStringGetTextDatum(role);
	row.values[5] = heap_copy_tuple_as_datum(tuple, RelationGetDescr(rel));
	return row;
}

/* In the latest snapshot, whatever the isolation level. */
static void
run(const char *command, int nargs, RuleRow *row)
{
	(void) pool_sql_run_latest(command, nargs, row->types, row->values);
}

/* Rows are compared as they are written: not by a session's own style. */
static void
pin_styles(void)
{
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("timezone", "UTC", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Trigger, after a row was written: version by version, what it said.
 */
Datum
pool_rule_written(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	const char *role = GetUserNameFromId(GetUserId(), false);
	TimestampTz now = pool_now();
	HeapTuple	old = NULL;
	HeapTuple	new = NULL;
	PoolSql		sql;

	if (!TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function for rows after a change")));
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		new = data->tg_trigtuple;
	else
		old = data->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		new = data->tg_newtuple;
	sql = pool_sql_begin();
	pin_styles();
	if (old != NULL)
	{
		RuleRow		row = rule_row(data->tg_relation, old, now, role);

		/* an update that says the same leaves its version open */
		if (new == NULL)
			run(CLOSE_SQL, 4, &row);
		else
		{
			row.values[5] =
				heap_copy_tuple_as_datum(new,
										 RelationGetDescr(data->tg_relation));
			run(CLOSE_SQL " AND \"row\" <> to_jsonb($6) AND $5 <> ''", 6,
				&row);
		}
	}
	if (new != NULL)
	{
		RuleRow		row = rule_row(data->tg_relation, new, now, role);

		run(OPEN_SQL, 6, &row);
	}
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}
