/*
 * worker_setting.c
 *	  Settings a worker does not take from sessions of clients.
 */
#include "compat.h"
#include "worker_setting.h"

#include "access/xact.h"
#include "utils/guc.h"

static void
override(const char *name, const char *value)
{
	/* not every version has all of them */
	if (GetConfigOption(name, true, false) != NULL)
		SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

/* What may be set for sessions of clients must not hinder a worker. */
void
pool_worker_override_settings(void)
{
	SetConfigOption("application_name", "pool_ext worker", PGC_USERSET,
					PGC_S_SESSION);
	override("statement_timeout", "0");
	override("transaction_timeout", "0");
	override("idle_in_transaction_session_timeout", "0");
	/* others are busy: come again */
	override("lock_timeout", "1s");
	override("default_transaction_read_only", "off");
	override("default_transaction_isolation", "read committed");
	override("session_replication_role", "origin");
	override("IntervalStyle", "postgres");
	if (synchronous_commit > SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
		override("synchronous_commit", "local");
}
