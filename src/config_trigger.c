/*
 * config_trigger.c
 *	  What follows from a change of the configuration.
 *
 * Every backend's cache is emptied, counters come and go with memberships and
 * mirror the members' status and limit, absences are written down, timers are
 * computed anew.  What is still needed by leads cannot be deleted.
 *
 * Locks, in this order: the row changed by the caller, tenant, pools, members
 * (shared), counters (ascending pool, member).  A member's row is what whoever
 * makes counters for him locks as well (quota_row.c): so what they mirror of it
 * is either seen there, or the counters are seen here.  Rows are looked up in
 * the latest snapshot at every isolation level, as foreign keys do, or a counter
 * made a moment ago would be passed over.
 *
 * A restore meets these triggers too: see config_merge.c.
 */
#include "compat.h"

#include "fmgr.h"
#include "sql.h"
#include "table.h"
#include "trigger.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "wake.h"

PG_FUNCTION_INFO_V1(pool_config_written);
PG_FUNCTION_INFO_V1(pool_tenant_written);
PG_FUNCTION_INFO_V1(pool_pool_written);
PG_FUNCTION_INFO_V1(pool_member_written);
PG_FUNCTION_INFO_V1(pool_membership_written);
PG_FUNCTION_INFO_V1(pool_timer_rule_written);
PG_FUNCTION_INFO_V1(pool_calendar_written);

/* how long the deletion of a pool may make others wait for leads */
#define LEAD_LOCK_TIMEOUT "2s"

/* The rows of the statement become the relations old_rows and new_rows. */
static PoolSql
begin_statement(TriggerData *data)
{
	PoolSql		sql;

	if (!TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function for after a statement")));
	sql = pool_sql_begin();
	if (SPI_register_trigger_data(data) != SPI_OK_TD_REGISTER)
		elog(ERROR, "SPI_register_trigger_data failed");
	return sql;
}

/* Runs a command in the latest snapshot; returns the number of rows. */
static uint64
run(const char *command)
{
	SPIPlanPtr	plan = SPI_prepare(command, 0, NULL);
	int			rc;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	/* what this transaction has written counts as well */
	CommandCounterIncrement();
	rc = SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(),
							  InvalidSnapshot, false, true, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(rc));
	return SPI_processed;
}

/* The first column of the first row that run() has returned. */
static char *
first_value(void)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* After any write to the configuration: nobody's cache of it is good. */
Datum
pool_config_written(PG_FUNCTION_ARGS)
{
	CacheInvalidateRelcache(pool_trigger_data(fcinfo)->tg_relation);
	pool_wake_now();
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------
 * Timers
 * ------------------------------------------------------------------------ */

/* bases of rules about leads that nobody owns */
#define UNOWNED "('entry', 'creation', 'review')"
/* whether pool q has such rules */
#define HAS_UNOWNED \
	"EXISTS (SELECT FROM pool.timer_rule u WHERE u.pool_id = q.id" \
	" AND u.basis IN " UNOWNED ")"
/* whether pool q has rules that count working time */
#define HAS_WORKING_TIME \
	"EXISTS (SELECT FROM pool.timer_rule w WHERE w.pool_id = q.id" \
	" AND w.working_time)"

#define BEGIN_ANEW \
	" ON CONFLICT (pool_id, member_id) DO UPDATE SET" \
	" everything = r.everything OR excluded.everything," \
	" since = excluded.since, after_lead = 0, horizon = NULL," \
	" walk_xmin = NULL, todo = NULL, done = 0"

/*
 * Has the timers of these pools computed anew: a query for their ids, and
 * whether those of leads that nobody owns are concerned, too.
 */
static void
recheck_timers(const char *pools)
{
	run(psprintf("INSERT INTO pool.timer_recheck AS r"
				 " (pool_id, everything, since)"
				 " SELECT p.id, bool_or(c.everything), pool.clock()"
				 " FROM pool.pool p"
				 " JOIN (%s) c (pool_id, everything) ON c.pool_id = p.id"
				 " GROUP BY p.id ORDER BY p.id" BEGIN_ANEW, pools));
}

Datum
pool_tenant_written(PG_FUNCTION_ARGS)
{
	PoolSql		sql = begin_statement(pool_trigger_data(fcinfo));

	recheck_timers("SELECT q.id, " HAS_UNOWNED " FROM new_rows n"
				   " JOIN old_rows o ON o.id = n.id"
				   " JOIN pool.pool q ON q.tenant_id = n.id"
				   " WHERE (n.timezone <> o.timezone AND q.timezone IS NULL)"
				   " OR ((n.workdays, n.work_from, n.work_until) <>"
				   " (o.workdays, o.work_from, o.work_until) AND "
				   HAS_WORKING_TIME ")");
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}

Datum
pool_calendar_written(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	PoolSql		sql = begin_statement(data);
	const char *tenants;

	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		tenants = "SELECT tenant_id FROM new_rows"
			" UNION SELECT tenant_id FROM old_rows";
	else if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		tenants = "SELECT tenant_id FROM new_rows";
	else
		tenants = "SELECT tenant_id FROM old_rows";
	recheck_timers(psprintf("SELECT q.id, " HAS_UNOWNED " FROM pool.pool q"
							" WHERE q.tenant_id IN (%s) AND "
							HAS_WORKING_TIME, tenants));
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}

Datum
pool_timer_rule_written(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	PoolSql		sql = begin_statement(data);

	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		recheck_timers("SELECT pool_id, basis IN " UNOWNED " FROM new_rows"
					   " UNION ALL"
					   " SELECT pool_id, basis IN " UNOWNED " FROM old_rows");
	else if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		recheck_timers("SELECT pool_id, basis IN " UNOWNED " FROM new_rows");
	else
		recheck_timers("SELECT pool_id, basis IN " UNOWNED " FROM old_rows");
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------
 * Members and their counters
 * ------------------------------------------------------------------------ */

/* Keeps the status of these members (a query for ids) as it is. */
static void
lock_members(const char *members)
{
	run(psprintf("SELECT FROM pool.member m WHERE m.id IN (%s)"
				 " ORDER BY m.id FOR SHARE", members));
}

/*
 * Sets the status in the counters of these memberships (a query for pool_id
 * and member_id) to what it has to be: that of a member who belongs to the
 * pool, or `removed`.
 */
static void
mirror_status(const char *pairs)
{
	run(psprintf("SELECT FROM pool.pool p WHERE p.id IN"
				 " (SELECT w.pool_id FROM (%s) w) ORDER BY p.id FOR SHARE",
				 pairs));
	lock_members(psprintf("SELECT w.member_id FROM (%s) w", pairs));
	run(psprintf("SELECT FROM pool.membership_state s"
				 " WHERE (s.pool_id, s.member_id) IN (%s)"
				 " ORDER BY s.pool_id, s.member_id FOR NO KEY UPDATE",
				 pairs));
	run(psprintf("UPDATE pool.membership_state s SET status = w.status"
				 " FROM (SELECT c.pool_id, c.member_id,"
				 "  CASE WHEN a.member_id IS NOT NULL"
				 "    OR (p.everyone AND p.tenant_id = m.tenant_id)"
				 "   THEN m.status ELSE 'removed' END AS status"
				 "  FROM (%s) c JOIN pool.member m ON m.id = c.member_id"
				 "  LEFT JOIN pool.pool p ON p.id = c.pool_id"
				 "  LEFT JOIN pool.membership a ON a.pool_id = c.pool_id"
				 "   AND a.member_id = c.member_id) w"
				 " WHERE s.pool_id = w.pool_id AND s.member_id = w.member_id"
				 " AND s.status <> w.status", pairs));
}

/* Makes counters for these new memberships, or brings old ones to life. */
static void
add_counters(const char *memberships)
{
	lock_members(psprintf("SELECT w.member_id FROM (%s) w", memberships));
	run(psprintf("INSERT INTO pool.membership_state AS s"
				 " (pool_id, member_id, tenant_id, status, member_limit)"
				 " SELECT w.pool_id, w.member_id, w.tenant_id, m.status,"
				 "  m.hold_limit"
				 " FROM (%s) w JOIN pool.member m ON m.id = w.member_id"
				 " ORDER BY w.pool_id, w.member_id"
				 " ON CONFLICT (pool_id, member_id) DO UPDATE"
				 " SET status = excluded.status,"
				 "  member_limit = excluded.member_limit"
				 " WHERE s.status <> excluded.status"
				 "  OR s.member_limit IS DISTINCT FROM excluded.member_limit",
				 memberships));
}

Datum
pool_membership_written(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	PoolSql		sql = begin_statement(data);

	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		add_counters("SELECT pool_id, member_id, tenant_id FROM new_rows");
	else if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
		mirror_status("SELECT pool_id, member_id FROM old_rows");
	else
	{
		add_counters("SELECT pool_id, member_id, tenant_id FROM new_rows"
					 " EXCEPT SELECT pool_id, member_id, tenant_id"
					 " FROM old_rows");
		mirror_status("SELECT pool_id, member_id FROM old_rows"
					  " EXCEPT SELECT pool_id, member_id FROM new_rows");
	}
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}

/*
 * Copies status and limit of changed members to their counters.  Whoever holds
 * a counter row knows both until he ends; the caller's lock on the member keeps
 * new rows away.
 */
static void
copy_to_counters(void)
{
#define OTHER_STATUS \
	"(s.status <> n.status AND (s.status <> 'removed'" \
	" OR EXISTS (SELECT FROM pool.membership a" \
	"  WHERE a.pool_id = s.pool_id AND a.member_id = s.member_id)))"
#define OTHER_LIMIT "s.member_limit IS DISTINCT FROM n.hold_limit"

	run("SELECT FROM pool.membership_state s, new_rows n"
		" WHERE s.member_id = n.id AND (" OTHER_STATUS " OR " OTHER_LIMIT ")"
		" ORDER BY s.pool_id, s.member_id FOR NO KEY UPDATE OF s");
	run("UPDATE pool.membership_state s SET status = n.status"
		" FROM new_rows n WHERE s.member_id = n.id AND " OTHER_STATUS);
	run("UPDATE pool.membership_state s SET member_limit = n.hold_limit"
		" FROM new_rows n WHERE s.member_id = n.id AND " OTHER_LIMIT);
#undef OTHER_STATUS
#undef OTHER_LIMIT
}

/*
 * Writes down when these members (in new_rows) are away.  What is to be open
 * may be there already, in a restore.
 */
static void
note_absences(void)
{
	run("UPDATE pool.absence a SET ended_at ="
		" greatest(a.started_at, pool.clock()) FROM new_rows n"
		" WHERE a.member_id = n.id AND a.ended_at IS NULL"
		" AND n.status <> 'away'");
	run("INSERT INTO pool.absence (member_id, tenant_id, started_at)"
		" SELECT n.id, n.tenant_id, greatest(pool.clock(),"
		"  (SELECT max(a.ended_at) FROM pool.absence a"
		"   WHERE a.member_id = n.id)) FROM new_rows n"
		" WHERE n.status = 'away' AND NOT EXISTS (SELECT FROM pool.absence a"
		"  WHERE a.member_id = n.id AND a.ended_at IS NULL) ORDER BY n.id"
		" ON CONFLICT (member_id, started_at) DO UPDATE SET ended_at = NULL");
}

/*
 * The clocks of those who are back go on.  While they are away theirs only
 * stand still, so check_at is early enough.
 */
static void
recheck_returned(void)
{
	run("INSERT INTO pool.timer_recheck AS r (pool_id, member_id, since)"
		" SELECT s.pool_id, s.member_id, pool.clock() FROM new_rows n"
		" JOIN old_rows o ON o.id = n.id"
		" JOIN pool.membership_state s ON s.member_id = n.id"
		" JOIN pool.pool p ON p.id = s.pool_id"
		" WHERE p.pause_when_away AND o.status = 'away'"
		" AND n.status <> 'away' ORDER BY s.pool_id, s.member_id"
		BEGIN_ANEW);
}

/* Deleted members: refused for those with a history. */
static void
remove_members(void)
{
	run("SELECT FROM pool.membership_state s"
		" JOIN old_rows o ON o.id = s.member_id"
		" ORDER BY s.pool_id, s.member_id FOR UPDATE OF s");
	if (run("SELECT o.key FROM pool.membership_state s"
			" JOIN old_rows o ON o.id = s.member_id"
			" WHERE s.spells > 0 OR s.held > 0 LIMIT 1") > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("cannot delete member \"%s\"", first_value()),
				 errdetail("Leads were given to this member, and their "
						   "history says so."),
				 errhint("Set status = 'left' instead.")));
	run("DELETE FROM pool.membership_state s USING old_rows o"
		" WHERE s.member_id = o.id");
	run("DELETE FROM pool.member_state s USING old_rows o"
		" WHERE s.member_id = o.id");
	run("DELETE FROM pool.absence a USING old_rows o"
		" WHERE a.member_id = o.id");
	run("DELETE FROM pool.timer_recheck r USING old_rows o"
		" WHERE r.member_id = o.id");
}

Datum
pool_member_written(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	PoolSql		sql = begin_statement(data);

	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
	{
		run("INSERT INTO pool.member_state (member_id, tenant_id)"
			" SELECT n.id, n.tenant_id FROM new_rows n ORDER BY n.id"
			" ON CONFLICT (member_id) DO NOTHING");
		note_absences();
	}
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
	{
		copy_to_counters();
		note_absences();
		recheck_returned();
	}
	else
		remove_members();
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------
 * Pools
 * ------------------------------------------------------------------------ */

/*
 * Refuses parents (a query for id, tenant_id, parent_id) that make a pool its
 * own ancestor.  One change of the tree at a time in a tenant, or two could
 * make a circle that neither sees.
 */
static void
check_tree(const char *changed)
{
	run(psprintf("SELECT FROM pool.tenant t WHERE t.id IN"
				 " (SELECT c.tenant_id FROM (%s) c)"
				 " ORDER BY t.id FOR NO KEY UPDATE", changed));
	if (run(psprintf("WITH RECURSIVE up (start, id) AS ("
					 " SELECT c.id, c.parent_id FROM (%s) c"
					 " UNION"
					 " SELECT u.start, p.parent_id FROM up u"
					 " JOIN pool.pool p ON p.id = u.id"
					 " WHERE p.parent_id IS NOT NULL)"
					 " SELECT p.name FROM up u JOIN pool.pool p ON p.id = u.id"
					 " WHERE u.id = u.start LIMIT 1", changed)) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool \"%s\" would be its own ancestor",
						first_value()),
				 errdetail("Its parent, or one above, is the pool itself."),
				 errhint("Pools form a tree: choose a parent that is not "
						 "below it.")));
}

static void
update_pools(void)
{
	check_tree("SELECT n.id, n.tenant_id, n.parent_id FROM new_rows n"
			   " JOIN old_rows o ON o.id = n.id"
			   " WHERE n.parent_id IS NOT NULL"
			   " AND n.parent_id IS DISTINCT FROM o.parent_id");
	recheck_timers("SELECT q.id, " HAS_UNOWNED " FROM new_rows q"
				   " JOIN old_rows o ON o.id = q.id"
				   " WHERE (q.timezone, q.parent_id, q.pause_when_away,"
				   "  q.max_pause, q.catch_up) IS DISTINCT FROM"
				   " (o.timezone, o.parent_id, o.pause_when_away,"
				   "  o.max_pause, o.catch_up)");
	mirror_status("SELECT s.pool_id, s.member_id FROM pool.membership_state s"
				  " JOIN new_rows n ON n.id = s.pool_id"
				  " JOIN old_rows o ON o.id = n.id"
				  " WHERE n.everyone <> o.everyone");
}

static void
refuse_deletion(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("cannot delete pool \"%s\"", first_value()),
			 errdetail("Leads are or were in it, and their history says so."),
			 errhint("Set enabled = false instead, and move its leads.")));
}

/* Waits for those who write leads now, and keeps others from beginning. */
static void
lock_leads(void)
{
	(void) set_config_option("lock_timeout", LEAD_LOCK_TIMEOUT,
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	run("LOCK TABLE pool.lead_state IN SHARE MODE");
}

/*
 * Deleted pools: refused while leads, events or statistics know them.  The
 * whole log is read before anybody has to wait; after that only what has been
 * written meanwhile.
 */
static void
remove_pools(void)
{
	char	   *since;

	run("SELECT pg_snapshot_xmin(pg_current_snapshot())");
	since = first_value();
	if (run("SELECT o.name FROM old_rows o WHERE"
			" EXISTS (SELECT FROM pool.lead_state s WHERE s.pool_id = o.id)"
			" OR EXISTS (SELECT FROM pool.membership_state s"
			"  WHERE s.pool_id = o.id AND s.spells > 0)"
			" OR EXISTS (SELECT FROM pool.rollup_day r"
			"  WHERE r.pool_id = o.id)"
			" OR EXISTS (SELECT FROM pool.event e WHERE e.pool_id = o.id)"
			" LIMIT 1") > 0)
		refuse_deletion();
	lock_leads();
	if (run(psprintf("SELECT o.name FROM old_rows o"
					 " JOIN pool.event e ON e.pool_id = o.id"
					 " WHERE e.generation = (SELECT max(generation)"
					 "  FROM pool.installation)"
					 " AND e.xid >= '%s'::xid8 LIMIT 1", since)) > 0)
		refuse_deletion();
	run("DELETE FROM pool.membership_state s USING old_rows o"
		" WHERE s.pool_id = o.id");
	run("DELETE FROM pool.timer_recheck r USING old_rows o"
		" WHERE r.pool_id = o.id");
}

Datum
pool_pool_written(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	PoolSql		sql = begin_statement(data);

	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		check_tree("SELECT id, tenant_id, parent_id FROM new_rows"
				   " WHERE parent_id IS NOT NULL");
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		update_pools();
	else
		remove_pools();
	pool_sql_end(sql);
	return PointerGetDatum(NULL);
}
