/*
 * pool_ext.c
 *	  The module: starts its rooms.
 */
#include "compat.h"

#include "access.h"
#include "attach.h"
#include "config.h"
#include "constraint.h"
#include "fmgr.h"
#include "guard.h"
#include "guc.h"
#include "hint_shmem.h"
#include "load.h"
#include "miscadmin.h"
#include "queue.h"
#include "quota.h"
#include "shown.h"
#include "table.h"
#include "tick.h"
#include "verdict.h"
#include "worker.h"

PG_MODULE_MAGIC_EXT(.name = "pool_ext",.version = "0.1.0");

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (IsBinaryUpgrade)
		return;
	pool_guc_init();
	pool_catalog_init();
	pool_constraint_init();
	pool_config_init();
	pool_access_init();
	pool_shown_init();
	pool_quota_init();
	pool_queue_init();
	pool_hint_shmem_init();
	pool_load_init();
	pool_verdict_init();
	pool_tick_init();
	pool_guard_init();
	pool_attach_note_init();
	pool_attach_write_init();
	pool_worker_init();
}
