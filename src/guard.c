/*
 * guard.c
 *	  Against losing leads and their history.
 *
 * Leads live in tables of the extension, so dropping the extension, its schema
 * or what its owner owns would take them along.  A hook that sees every drop
 * refuses that while there are rows; it also refuses to rename what the library
 * finds by name.  Without preloading, the library may not be loaded when such a
 * command begins: an event trigger calls guard_ddl(), which gets it loaded.  It
 * also keeps updates of the extension and workers apart.
 *
 * Dependent objects go in an order of core's choosing, but whatever went
 * before our table comes back when the hook raises its error.
 */
#include "compat.h"
#include "guard.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "errors.h"
#include "fmgr.h"
#include "guc.h"
#include "lock.h"
#include "trigger.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(pool_guard_ddl);
PG_FUNCTION_INFO_V1(pool_guard_truncate);
PG_FUNCTION_INFO_V1(pool_guard_event);
PG_FUNCTION_INFO_V1(pool_guard_installation);
PG_FUNCTION_INFO_V1(pool_lead_replicated);

extern Datum pool_lead_written(PG_FUNCTION_ARGS);

bool		pool_guard_allow_event_writes = false;

/* what nothing can make again */
static const char *const guarded_tables[] = {
	"lead_state", "lead_data", "event"
};

static object_access_hook_type prev_object_access = NULL;

/* ------------------------------------------------------------------------
 * Drops
 * ------------------------------------------------------------------------ */

/*
 * Whether the table has any row but those that are deleted for certain.  It
 * is locked already, or its answer may be out of date at once.
 */
static bool
has_rows(Relation rel)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	SnapshotData dirty;
	TableScanDesc scan;
	bool		found;

	InitDirtySnapshot(dirty);
	scan = table_beginscan(rel, &dirty, 0, NULL);
	found = table_scan_getnextslot(scan, ForwardScanDirection, slot);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return found;
}

static void
refuse(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(POOL_ERRCODE_LEADS_LOST),
			 errmsg("cannot %s table \"pool.%s\" while it has rows",
					what, name),
			 errdetail("Leads, their history or what they rest on would be lost."),
			 errhint("Keep a dump, then SET pool_ext.allow_drop = on as a "
					 "superuser if this is meant.")));
}

/* By name: a table taken out of the extension beforehand counts as well. */
static const char *
guarded_name(Oid relid)
{
	Oid			schema = get_namespace_oid(POOL_SCHEMA_NAME, true);
	char	   *name;

	if (!OidIsValid(schema) || get_rel_namespace(relid) != schema ||
		get_rel_relkind(relid) != RELKIND_RELATION ||
		!OidIsValid(get_extension_oid("pool_ext", true)))
		return NULL;
	name = get_rel_name(relid);
	for (int i = 0; i < (int) lengthof(guarded_tables); i++)
		if (strcmp(guarded_tables[i], name) == 0)
			return guarded_tables[i];
	return NULL;
}

static void
check_table(Oid relid, const char *name)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		found = has_rows(rel);

	table_close(rel, NoLock);
	if (found)
		refuse("drop", name);
}

/* The extension goes, and leaves tables that were taken out of it alone. */
static void
check_tables(void)
{
	Oid			schema = get_namespace_oid(POOL_SCHEMA_NAME, true);

	for (int i = 0; OidIsValid(schema) && i < (int) lengthof(guarded_tables); i++)
	{
		Oid			relid = get_relname_relid(guarded_tables[i], schema);

		if (OidIsValid(relid))
			check_table(relid, guarded_tables[i]);
	}
}

static void
watch_drop(Oid classId, Oid objectId)
{
	const char *name;

	if (classId == RelationRelationId)
	{
		name = guarded_name(objectId);
		if (name != NULL)
			check_table(objectId, name);
	}
	else if (classId == ExtensionRelationId &&
			 objectId == get_extension_oid("pool_ext", true))
		check_tables();
}

/* ------------------------------------------------------------------------
 * New names, unlogged tables, children
 * ------------------------------------------------------------------------ */

/*
 * Calls judge with the row of the catalog as this command has made it, which
 * no lookup shows before the command ends.
 */
static bool
as_changed(Oid catalog, Oid index, AttrNumber key, Oid objectId,
		   bool (*judge) (HeapTuple tuple))
{
	Relation	rel = table_open(catalog, AccessShareLock);
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		result;

	ScanKeyInit(&scankey, key, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(objectId));
	scan = systable_beginscan(rel, index, true, SnapshotSelf, 1, &scankey);
	tuple = systable_getnext(scan);
	result = HeapTupleIsValid(tuple) && judge(tuple);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

static bool
is_other_schema(HeapTuple tuple)
{
	return strcmp(NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname),
				  POOL_SCHEMA_NAME) != 0;
}

/* It was guarded before, by the name that lookups still show. */
static bool
is_other_table(HeapTuple tuple)
{
	Form_pg_class row = (Form_pg_class) GETSTRUCT(tuple);

	return strcmp(NameStr(row->relname), get_rel_name(row->oid)) != 0 ||
		row->relnamespace != get_namespace_oid(POOL_SCHEMA_NAME, true);
}

static bool
is_unlogged(HeapTuple tuple)
{
	return ((Form_pg_class) GETSTRUCT(tuple))->relpersistence ==
		RELPERSISTENCE_UNLOGGED;
}

static bool
table_as_changed(Oid relid, bool (*judge) (HeapTuple tuple))
{
	return as_changed(RelationRelationId, ClassOidIndexId, Anum_pg_class_oid,
					  relid, judge);
}

/*
 * Under another name nothing finds the leads, the guard against drops included:
 * whoever then makes the extension anew loses them.  A crash empties what is
 * unlogged.
 */
static void
watch_alter(Oid classId, Oid objectId)
{
	bool		gone = false;

	if (classId == NamespaceRelationId &&
		objectId == get_namespace_oid(POOL_SCHEMA_NAME, true) &&
		OidIsValid(get_extension_oid("pool_ext", true)))
		gone = as_changed(NamespaceRelationId, NamespaceOidIndexId,
						  Anum_pg_namespace_oid, objectId, is_other_schema);
	else if (classId == RelationRelationId && guarded_name(objectId) != NULL)
	{
		gone = table_as_changed(objectId, is_other_table);
		if (table_as_changed(objectId, is_unlogged))
			ereport(ERROR,
					(errcode(POOL_ERRCODE_LEADS_LOST),
					 errmsg("cannot make table \"%s.%s\" unlogged",
							POOL_SCHEMA_NAME, guarded_name(objectId)),
					 errdetail("A crash of the server would empty it."),
					 errhint("Set synchronous_commit to off instead, where speed "
							 "is worth the last moments.")));
	}
	if (gone)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot rename or move the schema \"%s\" or its tables of leads and events",
						POOL_SCHEMA_NAME),
				 errdetail("The extension pool_ext finds its tables by their names."),
				 errhint("Leave them as they are; views of your own can have any names.")));
}

/* A table of the extension, or what stands in its place. */
static bool
is_ours(Oid relid)
{
	return get_rel_namespace(relid) ==
		get_namespace_oid(POOL_SCHEMA_NAME, true) &&
		OidIsValid(get_extension_oid("pool_ext", true));
}

static bool
is_any(HeapTuple tuple)
{
	return true;
}

/*
 * What SQL reads of a table it reads of its children as well, but indexes and
 * the library know nothing of them.  Also called when a child leaves.
 */
static void
watch_inherit(Oid child, Oid parent)
{
	if ((!is_ours(parent) && !is_ours(child)) ||
		!as_changed(InheritsRelationId, InheritsRelidSeqnoIndexId,
					Anum_pg_inherits_inhrelid, child, is_any))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a table of schema \"%s\" can neither have children nor be one",
					POOL_SCHEMA_NAME),
			 errdetail("Rows of a child would show up among leads that are none."),
			 errhint("CREATE TABLE ... (LIKE ...) copies its columns; UNION ALL "
					 "in a view of your own shows the rows of both.")));
}

static void
watch_objects(ObjectAccessType access, Oid classId, Oid objectId, int subId,
			  void *arg)
{
	if (prev_object_access)
		prev_object_access(access, classId, objectId, subId, arg);
	if (subId != 0 || pool_allow_drop)
		return;
	if (access == OAT_DROP)
		watch_drop(classId, objectId);
	else if (access == OAT_POST_ALTER && classId == InheritsRelationId)
		watch_inherit(objectId, ((ObjectAccessPostAlter *) arg)->auxiliary_id);
	else if (access == OAT_POST_ALTER)
		watch_alter(classId, objectId);
}

/*
 * An update of the extension waits for the batches of workers, and later ones
 * for the end of its transaction.  Not all releases of core lock it by
 * themselves.
 */
static void
lock_for_update(const Node *command)
{
	if (command != NULL && IsA(command, AlterExtensionStmt) &&
		strcmp(((const AlterExtensionStmt *) command)->extname, "pool_ext") == 0)
		(void) pool_lock_extension(ShareUpdateExclusiveLock);
}

/* Event trigger: to have called it is to have loaded the library. */
Datum
pool_guard_ddl(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pool.guard_ddl() is an event trigger function")));
	lock_for_update(((EventTriggerData *) fcinfo->context)->parsetree);
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------
 * Writes
 * ------------------------------------------------------------------------ */

/* Before TRUNCATE: refuses it while there are rows. */
Datum
pool_guard_truncate(PG_FUNCTION_ARGS)
{
	Relation	rel = pool_trigger_data(fcinfo)->tg_relation;

	if (!pool_allow_drop && has_rows(rel))
		refuse("truncate", RelationGetRelationName(rel));
	return PointerGetDatum(NULL);
}

/* Before UPDATE or DELETE on event: only retention may do that. */
Datum
pool_guard_event(PG_FUNCTION_ARGS)
{
	(void) pool_trigger_data(fcinfo);
	if (!pool_guard_allow_event_writes)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("events cannot be changed or deleted"),
				 errdetail("The log is append-only: statistics and the state "
						   "of every lead rest on it."),
				 errhint("pool.purge_events(before) removes old events, "
						 "pool.erase(leads, reason) personal data.")));
	return PointerGetDatum(NULL);
}

static int64
column_number(Relation rel, HeapTuple row, AttrNumber column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, RelationGetDescr(rel), &isnull);

	return TupleDescAttr(RelationGetDescr(rel), column - 1)->atttypid == INT4OID ?
		DatumGetInt32(value) : DatumGetInt64(value);
}

/* The same home, in a generation that is not older. */
static bool
is_same_home(const TriggerData *data)
{
	Relation	rel = data->tg_relation;
	HeapTuple	old = data->tg_trigtuple;
	HeapTuple	new = data->tg_newtuple;

	return column_number(rel, old, INSTALLATION_SYSTEM_IDENTIFIER) ==
		column_number(rel, new, INSTALLATION_SYSTEM_IDENTIFIER) &&
		column_number(rel, old, INSTALLATION_DATABASE_OID) ==
		column_number(rel, new, INSTALLATION_DATABASE_OID) &&
		column_number(rel, old, INSTALLATION_GENERATION) <=
		column_number(rel, new, INSTALLATION_GENERATION);
}

/*
 * Before a row of installation goes or changes: generations are given out
 * anew from the highest one that is known.
 */
Datum
pool_guard_installation(PG_FUNCTION_ARGS)
{
	TriggerData *data = pool_trigger_data(fcinfo);
	bool		update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);

	if (!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_INSERT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is a trigger function for before a change of a row")));
	if (!pool_allow_drop && !(update && is_same_home(data)))
		ereport(ERROR,
				(errcode(POOL_ERRCODE_LEADS_LOST),
				 errmsg("installations cannot be changed or deleted"),
				 errdetail("Transaction ids of events compare only within one "
						   "generation: given out again, it would mix up their "
						   "order."),
				 errhint("pool.resume() lets a copy live. SET pool_ext.allow_drop "
						 "= on as a superuser if this is meant.")));
	return PointerGetDatum(update ? data->tg_newtuple : data->tg_trigtuple);
}

/*
 * After a row of lead_state came by replication.  Asks itself whether it did:
 * ENABLE TRIGGER ALL, as pg_restore --disable-triggers ends, makes of a
 * replica's trigger everybody's.
 */
Datum
pool_lead_replicated(PG_FUNCTION_ARGS)
{
	(void) pool_trigger_data(fcinfo);
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return pool_lead_written(fcinfo);
	return PointerGetDatum(NULL);
}

/* An error must not leave the log open for the rest of the session. */
static void
end_of_xact(XactEvent event, void *arg)
{
	pool_guard_allow_event_writes = false;
}

static void
end_of_subxact(SubXactEvent event, SubTransactionId subid,
			   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pool_guard_allow_event_writes = false;
}

void
pool_guard_init(void)
{
	prev_object_access = object_access_hook;
	object_access_hook = watch_objects;
	RegisterXactCallback(end_of_xact, NULL);
	RegisterSubXactCallback(end_of_subxact, NULL);
}
