/*
 * grant.c
 *	  Sets of privileges for roles: grant_access, revoke_access.
 *
 * What a role was given is kept in access_grant: it says which tenants the
 * role may see (access.c), and what another access of the role still needs
 * when one is taken away.
 *
 * Row policies keep an administrator of one tenant away from the others'
 * configuration (grants.sql).
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "config.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "result.h"
#include "sql.h"
#include "table.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(pool_grant_access);
PG_FUNCTION_INFO_V1(pool_revoke_access);

#define READER	(1 << 0)
#define MEMBER	(1 << 1)
#define MANAGER (1 << 2)
#define ADMIN	(1 << 3)
#define SERVICE (1 << 4)

/* who works on leads, who steers, who reads statistics, everybody */
#define WORKS	(MEMBER | MANAGER | SERVICE)
#define STEERS	(MANAGER | SERVICE)
#define COUNTS	(READER | MANAGER | ADMIN | SERVICE)
#define ALL		(READER | MEMBER | MANAGER | ADMIN | SERVICE)

static const char *const access_names[] = {
	"reader", "member", "manager", "admin", "service"
};

/* A privilege on an object, and the kinds of access it belongs to. */
typedef struct Privilege
{
	const char *what;			/* as in GRANT what TO */
	int			access;
} Privilege;

static const Privilege privileges[] = {
	{"USAGE ON SCHEMA pool", ALL},

	/* leads */
	{"EXECUTE ON FUNCTION pool.enter", WORKS},
	{"EXECUTE ON FUNCTION pool.edit", WORKS},
	{"EXECUTE ON FUNCTION pool.claim", WORKS},
	{"EXECUTE ON FUNCTION pool.claim_leads", WORKS},
	{"EXECUTE ON FUNCTION pool.explain_claim", WORKS},
	{"EXECUTE ON FUNCTION pool.explain_reclaim", WORKS | ADMIN},
	{"EXECUTE ON FUNCTION pool.release", WORKS},
	{"EXECUTE ON FUNCTION pool.follow_up", WORKS},
	{"EXECUTE ON FUNCTION pool.convert", WORKS},
	{"EXECUTE ON FUNCTION pool.reveal", WORKS},
	{"EXECUTE ON FUNCTION pool.lookup", WORKS},
	{"SELECT ON TABLE pool.points", WORKS | COUNTS},
	{"SELECT ON TABLE pool.lead_event", WORKS | ADMIN},
	{"SELECT ON TABLE pool.stat_reward", COUNTS},
	{"EXECUTE ON FUNCTION pool.search", WORKS},
	{"EXECUTE ON FUNCTION pool.add_collaborator", WORKS},
	{"EXECUTE ON FUNCTION pool.remove_collaborator", WORKS},
	{"EXECUTE ON FUNCTION pool.set_away", WORKS},
	{"EXECUTE ON FUNCTION pool.set_active", WORKS},
	{"EXECUTE ON FUNCTION pool.history", WORKS},
	{"EXECUTE ON FUNCTION pool.lead_id", WORKS | ADMIN},
	{"EXECUTE ON FUNCTION pool.normalise_identity", WORKS},
	{"EXECUTE ON FUNCTION pool.normaliser_version", WORKS},
	{"EXECUTE ON FUNCTION pool.current_member", ALL},
	{"SELECT ON TABLE pool.lead_open", WORKS},
	{"SELECT ON TABLE pool.lead_mine", WORKS},
	{"SELECT ON TABLE pool.lead_shared", WORKS},
	{"SELECT ON TABLE pool.lead_team", WORKS},
	{"SELECT ON TABLE pool.lead_due", WORKS | ADMIN},
	{"SELECT ON TABLE pool.quota_mine", WORKS},
	{"SELECT ON TABLE pool.rules_in_force", ALL},
	{"SELECT ON TABLE pool.rule_version", ADMIN},
	{"EXECUTE ON FUNCTION pool.assign", STEERS},
	{"EXECUTE ON FUNCTION pool.auto_assign", STEERS | ADMIN},
	{"EXECUTE ON FUNCTION pool.explain_assign", STEERS | ADMIN},
	{"SELECT ON TABLE pool.routing_waiting", STEERS | ADMIN},
	{"SELECT ON TABLE pool.rota", STEERS | ADMIN},
	{"EXECUTE ON FUNCTION pool.transfer", STEERS},
	{"EXECUTE ON FUNCTION pool.reclaim", STEERS},
	{"EXECUTE ON FUNCTION pool.archive", STEERS},
	{"EXECUTE ON FUNCTION pool.reopen", STEERS},
	{"EXECUTE ON FUNCTION pool.move", STEERS},
	{"EXECUTE ON FUNCTION pool.hide", STEERS},
	{"EXECUTE ON FUNCTION pool.unhide", STEERS},
	{"EXECUTE ON FUNCTION pool.protect", WORKS},
	{"EXECUTE ON FUNCTION pool.unprotect", WORKS},
	{"EXECUTE ON FUNCTION pool.reserve", WORKS},
	{"EXECUTE ON FUNCTION pool.unreserve", WORKS},
	{"EXECUTE ON FUNCTION pool.request_claim", WORKS},
	{"EXECUTE ON FUNCTION pool.request_transfer", WORKS},
	{"EXECUTE ON FUNCTION pool.request_extension", WORKS},
	{"EXECUTE ON FUNCTION pool.request", WORKS},
	{"EXECUTE ON FUNCTION pool.cancel_request", WORKS},
	{"SELECT ON TABLE pool.approval_open", WORKS},
	{"EXECUTE ON FUNCTION pool.approve", STEERS},
	{"EXECUTE ON FUNCTION pool.reject", STEERS},
	{"EXECUTE ON FUNCTION pool.plan_reclaim", STEERS},
	{"EXECUTE ON FUNCTION pool.apply_plan", STEERS},
	{"EXECUTE ON FUNCTION pool.resume_run", STEERS},
	{"EXECUTE ON FUNCTION pool.undo_run", STEERS},
	{"SELECT ON TABLE pool.run_detail", STEERS},
	{"EXECUTE ON FUNCTION pool.review", STEERS},
	{"EXECUTE ON FUNCTION pool.merge", STEERS},
	{"EXECUTE ON FUNCTION pool.intake_check", SERVICE},
	{"SELECT ON TABLE pool.lead_review", STEERS},
	{"SELECT ON TABLE pool.lead_team", STEERS},
	{"EXECUTE ON FUNCTION pool.offboard", STEERS},
	{"EXECUTE ON FUNCTION pool.relocate", STEERS},
	{"EXECUTE ON FUNCTION pool.cancel_run", STEERS},
	{"SELECT ON TABLE pool.lead_closed", STEERS},
	{"SELECT ON TABLE pool.lead", ADMIN | SERVICE},
	{"INSERT ON TABLE pool.intake", SERVICE},
	{"EXECUTE ON FUNCTION pool.act_as", SERVICE},
	{"EXECUTE ON FUNCTION pool.poll", ADMIN | SERVICE},
	{"EXECUTE ON FUNCTION pool.ack", ADMIN | SERVICE},
	{"EXECUTE ON FUNCTION pool.digest", ADMIN | SERVICE},
	{"EXECUTE ON FUNCTION pool.drop_consumer", ADMIN | SERVICE},
	{"SELECT ON TABLE pool.stat_consumer", ADMIN | SERVICE},
	{"EXECUTE ON FUNCTION pool.erase", ADMIN | SERVICE},

	/* statistics */
	{"SELECT ON TABLE pool.lead_spell", COUNTS},
	{"SELECT ON TABLE pool.stat_pool", COUNTS},
	{"SELECT ON TABLE pool.stat_member", COUNTS},
	{"SELECT ON TABLE pool.stat_member_daily", COUNTS},
	{"SELECT ON TABLE pool.stat_source", COUNTS},
	{"SELECT ON TABLE pool.stat_daily", COUNTS},
	{"SELECT ON TABLE pool.stat_worker", COUNTS},
	{"SELECT ON TABLE pool.stat_recheck", COUNTS},
	{"EXECUTE ON FUNCTION pool.check_rules", STEERS | ADMIN},
	{"EXECUTE ON FUNCTION pool.compare", COUNTS},
	{"EXECUTE ON FUNCTION pool.suggest_after", COUNTS},
	{"SELECT ON TABLE pool.stat_run", COUNTS},
	{"SELECT ON TABLE pool.stat_flow", COUNTS},
	{"SELECT ON TABLE pool.stat_stock", COUNTS},
	{"SELECT ON TABLE pool.stat_grade", COUNTS},
	{"SELECT ON TABLE pool.stat_sla", COUNTS},
	{"SELECT ON TABLE pool.stat_fairness", COUNTS},
	{"SELECT ON TABLE pool.stat_aging", COUNTS},
	{"SELECT ON TABLE pool.stat_rule", COUNTS},
	{"SELECT ON TABLE pool.stat_contact_hour", COUNTS},
	{"SELECT ON TABLE pool.stat_survival", COUNTS},
	{"SELECT ON TABLE pool.stat_cohort", COUNTS},
	{"SELECT ON TABLE pool.won_after_reclaim", STEERS | ADMIN},
	{"SELECT ON TABLE pool.gaming", STEERS | ADMIN},
	{"SELECT ON TABLE pool.cleaning_due", STEERS | ADMIN},
	{"SELECT ON TABLE pool.at_risk", WORKS | ADMIN},
	{"SELECT ON TABLE pool.assignment_public", ALL},

	/* what views and indexes call with the rights of their user */
	{"EXECUTE ON FUNCTION pool.current_member_id", ALL},
	{"EXECUTE ON FUNCTION pool.sees_tenant", ALL},
	{"EXECUTE ON FUNCTION pool.search_terms", ALL},
	{"EXECUTE ON FUNCTION pool.is_team_manager", ALL},
	{"EXECUTE ON FUNCTION pool.clock", ALL},
	{"EXECUTE ON FUNCTION pool.condition_variables", ALL},
	{"EXECUTE ON FUNCTION pool.pool_zone", ALL},
	{"EXECUTE ON FUNCTION pool.member_zone", ALL},
	{"EXECUTE ON FUNCTION pool.lead_progress", ALL},
	{"EXECUTE ON FUNCTION pool.next_timer", ALL},
	{"EXECUTE ON FUNCTION pool.tail_day", COUNTS},
	{"EXECUTE ON FUNCTION pool.tail_member", COUNTS},
	{"EXECUTE ON FUNCTION pool.worker_status", COUNTS},

	/* configuration, with its defaults, and operation */
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.tenant", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.calendar", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.pool", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.member", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.membership", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.timer_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.claim_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.entry_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.score_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.routing_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.approval_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.reward_rule", ADMIN},
	{"SELECT, INSERT, UPDATE, DELETE ON TABLE pool.dictionary", ADMIN},
	{"SELECT ON TABLE pool.member_fact", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.tenant_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.pool_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.member_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.timer_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.claim_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.entry_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.score_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.routing_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.approval_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.reward_rule_id_seq", ADMIN},
	{"USAGE, SELECT ON SEQUENCE pool.dictionary_id_seq", ADMIN},
	{"SELECT, UPDATE (on_bypass) ON TABLE pool.attachment", ADMIN},
	{"SELECT ON TABLE pool.bypass", ADMIN},
	{"EXECUTE ON FUNCTION pool.attach", ADMIN},
	{"EXECUTE ON FUNCTION pool.detach", ADMIN},
	{"EXECUTE ON FUNCTION pool.default_tenant", ADMIN},
	{"SELECT ON TABLE pool.verification", ADMIN},
	{"EXECUTE ON FUNCTION pool.verify", ADMIN},
	{"EXECUTE ON FUNCTION pool.tick", ADMIN},
	{"EXECUTE ON FUNCTION pool.resume", ADMIN},
	{"EXECUTE ON FUNCTION pool.purge_events", ADMIN}
};

/* The arguments of a call, looked up and allowed. */
typedef struct AccessCall
{
	const char *role;
	int			access;			/* one bit */
	Datum		access_name;
	int32		tenant_id;		/* 0 = every tenant */
	PoolSql		sql;
} AccessCall;

/* ------------------------------------------------------------------------
 * Arguments
 * ------------------------------------------------------------------------ */

static void
check_caller(const char *function)
{
	if (has_privs_of_role(GetUserId(), pool_sql_owner()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function pool.%s", function),
			 errdetail("Only superusers and members of the role that owns the "
					   "extension may give or take access."),
			 errhint("Ask the owner of the extension.")));
}

static char *
arg_name(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		pool_report_null(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

static void
check_role(const char *role)
{
	if (OidIsValid(get_role_oid(role, true)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("role \"%.64s\" does not exist", pool_cut(role, 64)),
			 errdetail("Access is given to roles of the database server."),
			 errhint("CREATE ROLE first.")));
}

static int
access_by_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(access_names); i++)
		if (strcmp(access_names[i], name) == 0)
			return 1 << i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("access \"%.64s\" is not known", pool_cut(name, 64)),
			 errdetail("Each access is a fixed set of privileges."),
			 errhint("Access is one of reader, member, manager, admin and "
					 "service.")));
	return 0;
}

static int32
tenant_by_name(const char *name)
{
	int32		id = pool_config_tenant_by_name(name);

	if (id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tenant \"%.64s\" does not exist",
						pool_cut(name, 64)),
				 errdetail("No row of pool.tenant has this name."),
				 errhint("Tenants are named as in pool.tenant; leave it out "
						 "for every tenant.")));
	return id;
}

/*
 * Checks the caller and the arguments, and connects.  One such call at a time:
 * what to revoke depends on all that is granted.
 */
static AccessCall
begin_call(FunctionCallInfo fcinfo, const char *function)
{
	AccessCall	call = {0};
	char	   *name = psprintf("pool.%s()", function);
	char	   *access;

	PreventCommandIfReadOnly(name);
	PreventCommandDuringRecovery(name);
	PreventCommandIfParallelMode(name);
	check_caller(function);
	call.role = arg_name(fcinfo, 0, "role");
	check_role(call.role);
	access = arg_name(fcinfo, 1, "access");
	call.access = access_by_name(access);
	call.access_name = CStringGetTextDatum(access);
	pool_config_refresh();
	if (!PG_ARGISNULL(2))
		call.tenant_id = tenant_by_name(arg_name(fcinfo, 2, "tenant"));
	call.sql = pool_sql_begin();
	pool_sql_run("LOCK TABLE pool.access_grant IN SHARE ROW EXCLUSIVE MODE",
				 0, NULL, NULL, NULL);
	return call;
}

/* Runs a command on access_grant: $1 role, $2 access, $3 tenant or NULL. */
static uint64
run_for(const AccessCall *call, const char *command)
{
	Oid			types[3] = {TEXTOID, TEXTOID, INT4OID};
	Datum		values[3] = {CStringGetTextDatum(call->role),
	call->access_name, Int32GetDatum(call->tenant_id)};

	return pool_sql_run(command, 3, types, values,
						call->tenant_id == 0 ? "  n" : "   ");
}

/* ------------------------------------------------------------------------
 * Granting
 * ------------------------------------------------------------------------ */

/*
 * Forgets what an earlier role of this name was given: whoever has been
 * dropped, or has another name now, takes his privileges with him.
 */
static void
forget_namesake(const AccessCall *call)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(call->role)};

	pool_sql_run("DELETE FROM pool.access_grant g WHERE g.role = $1"
				 " AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n,"
				 "  pg_catalog.aclexplode(n.nspacl) a,"
				 "  pg_catalog.pg_roles r WHERE n.nspname = 'pool'"
				 "  AND r.oid = a.grantee AND r.rolname = $1)",
				 1, types, values, NULL);
}

/*
 * pool.grant_access(role, access, tenant)
 */
Datum
pool_grant_access(PG_FUNCTION_ARGS)
{
	AccessCall	call = begin_call(fcinfo, "grant_access");

	forget_namesake(&call);
	run_for(&call, "INSERT INTO pool.access_grant (role, access, tenant_id)"
			" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
	for (int i = 0; i < (int) lengthof(privileges); i++)
		if (privileges[i].access & call.access)
			pool_sql_run(psprintf("GRANT %s TO %s", privileges[i].what,
								  quote_identifier(call.role)),
						 0, NULL, NULL, NULL);
	pool_sql_end(call.sql);
	PG_RETURN_VOID();
}

/* ------------------------------------------------------------------------
 * Revoking
 * ------------------------------------------------------------------------ */

/* All access the role has, as a set of bits. */
static int
remaining_access(const AccessCall *call)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(call->role)};
	uint64		n = pool_sql_run("SELECT DISTINCT access"
								 " FROM pool.access_grant WHERE role = $1",
								 1, types, values, NULL);
	int			remaining = 0;

	for (uint64 i = 0; i < n; i++)
		remaining |= access_by_name(SPI_getvalue(SPI_tuptable->vals[i],
												 SPI_tuptable->tupdesc, 1));
	return remaining;
}

/*
 * pool.revoke_access(role, access, tenant)
 */
Datum
pool_revoke_access(PG_FUNCTION_ARGS)
{
	AccessCall	call = begin_call(fcinfo, "revoke_access");
	int			remaining;

	run_for(&call, "DELETE FROM pool.access_grant WHERE role = $1"
			" AND access = $2 AND ($3 IS NULL OR tenant_id = $3)");
	remaining = remaining_access(&call);
	for (int i = 0; i < (int) lengthof(privileges); i++)
		if ((privileges[i].access & call.access) &&
			!(privileges[i].access & remaining))
			pool_sql_run(psprintf("REVOKE %s FROM %s", privileges[i].what,
								  quote_identifier(call.role)),
						 0, NULL, NULL, NULL);
	pool_sql_end(call.sql);
	PG_RETURN_VOID();
}
