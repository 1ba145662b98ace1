/*
 * config_trigger.c
 *	  What follows from a change of the configuration.
 *
 * Every backend's cache is emptied, timers are computed anew; of members and
 * memberships see config_member.c.  What is still needed by leads cannot be
 * deleted.
 *
 * Locks, in this order: the row changed by the caller, tenant, pools, members
 * (shared), counters (ascending pool, member).
 *
 * A restore meets these triggers too: see config_merge.c.
 */
#include "compat.h"
#include "config_member.h"

#include "fmgr.h"
#include "sql.h"
#include "table.h"
#include "trigger.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "wake.h"

/* it stands before many lines of SQL */
#define run pool_trigger_run

PG_FUNCTION_INFO_V1(pool_config_written);
PG_FUNCTION_INFO_V1(pool_tenant_written);
PG_FUNCTION_INFO_V1(pool_pool_written);
PG_FUNCTION_INFO_V1(pool_timer_rule_written);
PG_FUNCTION_INFO_V1(pool_calendar_written);

/* how long the deletion of a pool may make others wait for leads */
#define LEAD_LOCK_TIMEOUT "2s"

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
				 " GROUP BY p.id ORDER BY p.id" POOL_RECHECK_ANEW, pools));
}

Datum
pool_tenant_written(PG_FUNCTION_ARGS)
{
	PoolSql		sql = pool_trigger_begin(pool_trigger_data(fcinfo));

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
	PoolSql		sql = pool_trigger_begin(data);
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
	PoolSql		sql = pool_trigger_begin(data);

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
						pool_trigger_value()),
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
	pool_mirror_status("SELECT s.pool_id, s.member_id"
					   " FROM pool.membership_state s"
					   " JOIN new_rows n ON n.id = s.pool_id"
					   " JOIN old_rows o ON o.id = n.id"
					   " WHERE n.everyone <> o.everyone");
}

static void
refuse_deletion(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("cannot delete pool \"%s\"", pool_trigger_value()),
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
	since = pool_trigger_value();
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
	PoolSql		sql = pool_trigger_begin(data);

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
