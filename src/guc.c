/*
 * guc.c
 *	  Settings.
 */
#include "compat.h"
#include "guc.h"

#include "clock.h"
#include "miscadmin.h"
#include "utils/guc.h"

char	   *pool_clock_setting = "";
int			pool_node_id = 0;
bool		pool_allow_drop = false;
int			pool_queue_pools = 1000;
int			pool_request_retention = 7 * 24 * 3600;
int			pool_bypass_retention = 90 * 24 * 3600;
int			pool_intake_mode = POOL_INTAKE_LOAD;
bool		pool_worker_enabled = true;
int			pool_worker_naptime = 60000;
int			pool_worker_batch = 100;
int			pool_worker_limit = 2;
int			pool_worker_databases = 256;

static const struct config_enum_entry intake_modes[] = {
	{"load", POOL_INTAKE_LOAD, false},
	{"check", POOL_INTAKE_CHECK, false},
	{NULL, 0, false}
};

static void
define_worker_settings(void)
{
	DefineCustomBoolVariable("pool_ext.worker_enabled",
							 "Runs background workers in databases that have the extension.",
							 "Off stops them at the next reload; tick() still works.",
							 &pool_worker_enabled, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pool_ext.worker_naptime",
							"Longest time between two looks at a database where something is written.",
							"What falls due is acted on at its time, however long this is; where nothing is written, each tenth look is enough, or one in ten minutes.",
							&pool_worker_naptime, 60000, 10, 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pool_ext.worker_batch",
							"Leads that time changes in one transaction of a worker.",
							NULL,
							&pool_worker_batch, 100, 1, 100000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pool_ext.worker_limit",
							"Workers that may run at one time in this cluster.",
							NULL,
							&pool_worker_limit, 2, 1, 64,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* What shared memory has room for. */
static void
define_sizes(void)
{
	DefineCustomIntVariable("pool_ext.queue_pools",
							"Pools whose queue heads shared memory can remember.",
							"About 5 kB each. Further pools work, but more slowly.",
							&pool_queue_pools, 1000, 1, 100000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pool_ext.worker_databases",
							"Databases with the extension that workers of this cluster look after.",
							"About 0.5 kB each. In further ones tick() has to be called.",
							&pool_worker_databases, 256, 1, 1000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
}

void
pool_guc_init(void)
{
	DefineCustomStringVariable("pool_ext.clock",
							   "Time that counts instead of the system's clock; empty means the clock.",
							   "For tests, imports of history and replays.",
							   &pool_clock_setting, "",
							   PGC_SUSET, 0,
							   pool_clock_check, pool_clock_assign, NULL);
	DefineCustomIntVariable("pool_ext.node_id",
							"Number of this server in the high bits of new ids.",
							"Servers whose rows are to meet need different numbers. It can only be raised: ids order the events of a lead.",
							&pool_node_id, 0, 0, 1023,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pool_ext.allow_drop",
							 "Lets DROP and TRUNCATE destroy leads.",
							 NULL,
							 &pool_allow_drop, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pool_ext.request_retention",
							"How long results of request ids are kept; 0 means forever.",
							NULL,
							&pool_request_retention, 7 * 24 * 3600, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pool_ext.bypass_retention",
							"How long rows of pool.bypass are kept; 0 means forever.",
							NULL,
							&pool_bypass_retention, 90 * 24 * 3600, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomEnumVariable("pool_ext.intake_mode",
							 "What INSERT and COPY into pool.intake do: load or check.",
							 "With check nothing is written; pool.intake_check() says what would become of each row.",
							 &pool_intake_mode, POOL_INTAKE_LOAD, intake_modes,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	if (process_shared_preload_libraries_in_progress)
		define_sizes();
	define_worker_settings();
	MarkGUCPrefixReserved("pool_ext");
}
