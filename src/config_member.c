/*
 * config_member.c
 *	  What follows from a change of members and memberships.
 *
 * Counters come and go with memberships and mirror the members' status and
 * limit, absences are written down, timers go on for who is back.
 *
 * Locks, in this order: the row changed by the caller, tenant, pools, members
 * (shared), counters (ascending pool, member).  Whoever makes counters for a
 * member locks his row as well (quota_row.c): so either they see the change
 * that they have to mirror, or we see the counters.  Rows are looked up in the
 * latest snapshot at every isolation level, as foreign keys do, or a counter
 * made a moment ago would be passed over.
 */
#include "compat.h"
#include "config_member.h"

#include "trigger.h"

/* it stands before many lines of SQL */
#define run pool_trigger_run

PG_FUNCTION_INFO_V1(pool_member_written);
PG_FUNCTION_INFO_V1(pool_membership_written);

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
void
pool_mirror_status(const char *pairs)
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
	PoolSql		sql = pool_trigger_begin(data);

	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		add_counters("SELECT pool_id, member_id, tenant_id FROM new_rows");
	else if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
		pool_mirror_status("SELECT pool_id, member_id FROM old_rows");
	else
	{
		add_counters("SELECT pool_id, member_id, tenant_id FROM new_rows"
					 " EXCEPT SELECT pool_id, member_id, tenant_id"
					 " FROM old_rows");
		pool_mirror_status("SELECT pool_id, member_id FROM old_rows"
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
 * The clocks of those who are back go on.  When somebody goes away nothing needs
 * to be computed: his clocks stand still, so that check_at is early enough.
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
		POOL_RECHECK_ANEW);
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
				 errmsg("cannot delete member \"%s\"", pool_trigger_value()),
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
	PoolSql		sql = pool_trigger_begin(data);

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
