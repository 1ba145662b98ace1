/*
 * table.c
 *	  Direct access to the extension's tables.
 *
 * Reading goes through index scans, writing through the executor's functions
 * for replicated rows, so that core looks after constraints, indexes, triggers
 * and replica identity.  Direct access skips the checks of an SQL statement:
 * privileges, read-only transactions and recovery are the entry points' duty
 * (result.c).
 *
 * The structs of the executor are always allocated by core or with room to
 * spare: their size has changed within a major before.
 */
#include "table.h"

#include "access/nbtree.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "constraint.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define SCHEMA_NAME "pool"

typedef struct TableName
{
	const char *name;
	const char *columns;		/* in the order of the enum, space separated */
} TableName;

static const TableName table_names[POOL_TABLE_COUNT] = {
	[POOL_TENANT] = {"tenant",
	"id name timezone workdays work_from work_until country"},
	[POOL_POOL] = {"pool",
		"id tenant_id parent_id name description timezone everyone"
		" hold_limit claim_limit claim_interval cooldown masked_attributes"
		" duplicate_policy review route_returned keep_converted enabled"
		" country identity_scope newcomer_period follow_up_requires"
		" follow_up_min_chars pause_when_away max_pause protect_limit"
		" protect_for extension_limit reveal_limit quarantine_after"
	" quarantine_pool_id reclaim_limit reclaim_share catch_up"},
	[POOL_MEMBER] = {"member",
		"id tenant_id key name login level profile timezone hold_limit"
	" joined_at status away_until"},
	[POOL_MEMBERSHIP] = {"membership",
		"pool_id member_id tenant_id role level weight hold_limit"
	" claim_limit"},
	[POOL_TIMER_RULE] = {"timer_rule",
		"id tenant_id pool_id name action basis after working_time condition"
	" remind_before notice_required notify to_pool_id enabled"},
	[POOL_INSTALLATION] = {"installation",
	"system_identifier database_oid generation since active"},
	[POOL_LEAD_STATE] = {"lead_state",
		"id ticket entered_at owned_at chain_at first_follow_up_at"
		" last_follow_up_at next_follow_up_at protected_until hidden_until"
		" closed_at check_at stage_at group_id tenant_id pool_id owner_id"
		" last_owner_id reserved_for follow_ups claims priority extensions"
	" status last_result stage amount currency"},
	[POOL_LEAD_DATA] = {"lead_data",
		"id tenant_id key name source grade attributes created_at"
	" erased_at"},
	[POOL_IDENTITY] = {"identity",
	"tenant_id scope kind value lead_id"},
	[POOL_MEMBER_STATE] = {"member_state",
	"member_id tenant_id"},
	[POOL_MEMBERSHIP_STATE] = {"membership_state",
		"spells day_event day_until last_claim_at pool_id member_id tenant_id"
	" held claimed day status"},
	[POOL_EVENT] = {"event",
		"id at xid lead_id day generation tenant_id pool_id member_id"
	" actor_id rule_id kind reason source grade detail"},
	[POOL_REQUEST_LOG] = {"request_log",
	"tenant_id login request_id function digest result at"},
	[POOL_ACCESS_GRANT] = {"access_grant",
	"role access tenant_id"},
	[POOL_CLAIM_RULE] = {"claim_rule",
		"id tenant_id pool_id name condition member_condition min_level"
	" approval head_start enabled"},
	[POOL_ENTRY_RULE] = {"entry_rule",
		"id tenant_id pool_id position name condition then to_pool_id grade"
	" reason enabled"},
	[POOL_SCORE_RULE] = {"score_rule",
	"id tenant_id pool_id name condition points enabled"},
	[POOL_ROUTING_RULE] = {"routing_rule",
		"id tenant_id pool_id position name condition member_condition"
		" min_level strategy to_pool_id newcomer_share newcomer_min"
	" rotate_every rotate_seats expires_after enabled"},
	[POOL_APPROVAL_RULE] = {"approval_rule",
		"id tenant_id pool_id name action condition step min_level"
	" expires_after enabled"},
	[POOL_DICTIONARY] = {"dictionary",
	"id tenant_id pool_id kind code label counts then after enabled"},
	[POOL_APPROVAL] = {"approval",
		"id tenant_id pool_id lead_id action status step min_level"
		" applicant_id member_id to_pool_id from_rule_id reason note span"
	" created_at expires_at decided_at decided_by claims"},
	[POOL_COLLABORATOR] = {"collaborator",
	"lead_id member_id tenant_id role counts since"},
	[POOL_ABSENCE] = {"absence",
	"member_id tenant_id started_at ended_at"},
	[POOL_ROUTING_STATE] = {"routing_state",
		"rule_id member_id tenant_id served turn last_at seat_from"
	" seat_until period_from period_served"},
	[POOL_ROUTING_WAIT] = {"routing_wait",
	"lead_id pool_id tenant_id reason tried_at"},
	[POOL_MEMBER_FACT] = {"member_fact",
		"member_id tenant_id at ended_90d converted_90d conversion_rate rank first_response_seconds"
	" overdue"},
	[POOL_IDENTITY_GROUP] = {"identity_group",
	"id tenant_id scope owner_id held"},
	[POOL_RUN] = {"run",
		"id tenant_id pool_id member_id kind status token actor_id"
		" started_at ended_at expires_at planned done skipped after_lead"
	" detail"}
};

static const char *const index_names[POOL_INDEX_COUNT] = {
	[POOL_TENANT_PKEY] = "tenant_pkey",
	[POOL_TENANT_NAME] = "tenant_name_key",
	[POOL_POOL_PKEY] = "pool_pkey",
	[POOL_POOL_NAME] = "pool_name_key",
	[POOL_MEMBER_PKEY] = "member_pkey",
	[POOL_MEMBER_KEY] = "member_key_key",
	[POOL_MEMBER_LOGIN] = "member_login_key",
	[POOL_MEMBERSHIP_PKEY] = "membership_pkey",
	[POOL_TIMER_RULE_NAME] = "timer_rule_name_key",
	[POOL_LEAD_STATE_PKEY] = "lead_state_pkey",
	[POOL_LEAD_STATE_QUEUE] = "lead_state_queue_idx",
	[POOL_LEAD_STATE_TIMER] = "lead_state_timer_idx",
	[POOL_LEAD_STATE_OWNER] = "lead_state_owner_idx",
	[POOL_LEAD_DATA_PKEY] = "lead_data_pkey",
	[POOL_LEAD_DATA_KEY] = "lead_data_key_key",
	[POOL_IDENTITY_PKEY] = "identity_pkey",
	[POOL_IDENTITY_LEAD] = "identity_lead_idx",
	[POOL_MEMBER_STATE_PKEY] = "member_state_pkey",
	[POOL_MEMBERSHIP_STATE_PKEY] = "membership_state_pkey",
	[POOL_MEMBERSHIP_STATE_MEMBER] = "membership_state_member_idx",
	[POOL_EVENT_PKEY] = "event_pkey",
	[POOL_REQUEST_LOG_PKEY] = "request_log_pkey",
	[POOL_CLAIM_RULE_NAME] = "claim_rule_name_key",
	[POOL_ENTRY_RULE_NAME] = "entry_rule_name_key",
	[POOL_SCORE_RULE_NAME] = "score_rule_name_key",
	[POOL_ROUTING_RULE_NAME] = "routing_rule_name_key",
	[POOL_APPROVAL_RULE_NAME] = "approval_rule_name_key",
	[POOL_DICTIONARY_CODE] = "dictionary_code_key",
	[POOL_LEAD_STATE_GROUP] = "lead_state_group_idx",
	[POOL_APPROVAL_PKEY] = "approval_pkey",
	[POOL_APPROVAL_OPEN] = "approval_open_idx",
	[POOL_COLLABORATOR_PKEY] = "collaborator_pkey",
	[POOL_ABSENCE_PKEY] = "absence_pkey",
	[POOL_ROUTING_STATE_PKEY] = "routing_state_pkey",
	[POOL_ROUTING_WAIT_PKEY] = "routing_wait_pkey",
	[POOL_MEMBER_FACT_PKEY] = "member_fact_pkey",
	[POOL_IDENTITY_GROUP_PKEY] = "identity_group_pkey",
	[POOL_RUN_PKEY] = "run_pkey"
};

static const char *const sequence_names[POOL_SEQUENCE_COUNT] = {
	[POOL_LEAD_ID_SEQ] = "lead_id_seq",
	[POOL_EVENT_ID_SEQ] = "event_id_seq",
	[POOL_TICKET_SEQ] = "ticket_seq",
	[POOL_APPROVAL_ID_SEQ] = "approval_id_seq",
	[POOL_RUN_ID_SEQ] = "run_id_seq"
};

/* Oids by name; forgotten whenever a pg_class row changes. */
static Oid	table_oids[POOL_TABLE_COUNT];
static Oid	index_oids[POOL_INDEX_COUNT];
static Oid	sequence_oids[POOL_SEQUENCE_COUNT];

static void
forget_oids(Datum arg, int cacheid, uint32 hashvalue)
{
	memset(table_oids, 0, sizeof(table_oids));
	memset(index_oids, 0, sizeof(index_oids));
	memset(sequence_oids, 0, sizeof(sequence_oids));
}

void
pool_table_init(void)
{
	CacheRegisterSyscacheCallback(RELNAMENSP, forget_oids, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_oids, (Datum) 0);
}

static Oid
relation_oid(const char *name)
{
	Oid			schema = get_namespace_oid(SCHEMA_NAME, true);
	Oid			oid = InvalidOid;

	if (OidIsValid(schema))
		oid = get_relname_relid(name, schema);
	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist",
						SCHEMA_NAME, name),
				 errhint("CREATE EXTENSION pool_ext in this database.")));
	return oid;
}

/*
 * Compares our column numbers with the catalog, so that a library that meets
 * the tables of another version says so instead of writing nonsense.
 */
static void
check_columns(Oid relid, const TableName *table)
{
	const char *p = table->columns;
	AttrNumber	attnum = 0;

	while (*p != '\0')
	{
		size_t		len = strcspn(p, " ");
		char	   *found = get_attname(relid, ++attnum, true);

		if (found == NULL || strlen(found) != len ||
			strncmp(found, p, len) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s.%s\" does not fit the library of pool_ext",
							SCHEMA_NAME, table->name),
					 errdetail("Column %d is not the expected one.", attnum),
					 errhint("Run ALTER EXTENSION pool_ext UPDATE, or install "
							 "the library of the same version.")));
		pfree(found);
		p += len;
		p += strspn(p, " ");
	}
}

Oid
pool_table_oid(PoolTableId id)
{
	if (!OidIsValid(table_oids[id]))
	{
		Oid			oid = relation_oid(table_names[id].name);

		check_columns(oid, &table_names[id]);
		table_oids[id] = oid;
	}
	return table_oids[id];
}

Oid
pool_index_oid(PoolIndexId id)
{
	if (!OidIsValid(index_oids[id]))
		index_oids[id] = relation_oid(index_names[id]);
	return index_oids[id];
}

/* Whether this database has the extension's tables. */
bool
pool_extension_exists(void)
{
	Oid			schema = get_namespace_oid(SCHEMA_NAME, true);

	return OidIsValid(schema) &&
		OidIsValid(get_relname_relid(table_names[POOL_LEAD_STATE].name,
									 schema));
}

int64
pool_sequence_next(PoolSequenceId id)
{
	if (!OidIsValid(sequence_oids[id]))
		sequence_oids[id] = relation_oid(sequence_names[id]);
	return nextval_internal(sequence_oids[id], false);
}

/*
 * The snapshot in which rows are looked up: the latest under READ COMMITTED,
 * the transaction's at the higher levels.  Both see what earlier commands of
 * this transaction wrote.  To be registered by whoever keeps it.
 */
Snapshot
pool_snapshot(void)
{
	return GetTransactionSnapshot();
}

PoolWork *
pool_work_begin(void)
{
	PoolWork   *work = palloc0(sizeof(PoolWork));

	work->estate = CreateExecutorState();
	work->estate->es_output_cid = GetCurrentCommandId(true);
	AfterTriggerBeginQuery();
	return work;
}

/* For functions that only read, on a standby too. */
PoolWork *
pool_work_begin_reading(void)
{
	return palloc0(sizeof(PoolWork));
}

static PoolTable *
open_table_reading(PoolTableId id)
{
	PoolTable  *table = palloc0(sizeof(PoolTable));

	table->rel = table_open(pool_table_oid(id), AccessShareLock);
	table->old = table_slot_create(table->rel, NULL);
	return table;
}

static PoolTable *
open_table(EState *estate, PoolTableId id)
{
	PoolTable  *table = palloc0(sizeof(PoolTable));
	Oid			relid = pool_table_oid(id);

	table->estate = estate;
	table->rel = table_open(relid, RowExclusiveLock);
	table->target = ExecGetTriggerResultRel(estate, relid, NULL);
	ExecOpenIndices(table->target, false);
	pool_constraint_prepare(id, table->target);
	table->old = table_slot_create(table->rel, NULL);
	table->new = MakeSingleTupleTableSlot(RelationGetDescr(table->rel),
										  &TTSOpsVirtual);
	/* room to spare, see above */
	table->epq = palloc0(sizeof(EPQState) + 256);
	EvalPlanQualInit(table->epq, estate, NULL, NIL, -1);
	return table;
}

PoolTable *
pool_work_table(PoolWork *work, PoolTableId id)
{
	if (work->tables[id] == NULL)
		work->tables[id] = work->estate == NULL ?
			open_table_reading(id) : open_table(work->estate, id);
	return work->tables[id];
}

static void
close_table_reading(PoolTable *table)
{
	ListCell   *lc;

	foreach(lc, table->indexes)
		index_close((Relation) lfirst(lc), AccessShareLock);
	ExecDropSingleTupleTableSlot(table->old);
	table_close(table->rel, AccessShareLock);
}

static void
close_table(PoolTable *table)
{
	EvalPlanQualEnd(table->epq);
	ExecDropSingleTupleTableSlot(table->old);
	ExecDropSingleTupleTableSlot(table->new);
	ExecCloseIndices(table->target);
	/* opened once by us and once by ExecGetTriggerResultRel */
	table_close(table->rel, NoLock);
	table_close(table->rel, NoLock);
}

/* Fires the triggers, if any, and closes everything; write locks stay. */
void
pool_work_end(PoolWork *work)
{
	if (work->estate != NULL)
		AfterTriggerEndQuery(work->estate);
	for (int i = 0; i < POOL_TABLE_COUNT; i++)
	{
		if (work->tables[i] == NULL)
			continue;
		if (work->estate == NULL)
			close_table_reading(work->tables[i]);
		else
			close_table(work->tables[i]);
	}
	if (work->estate != NULL)
	{
		ExecResetTupleTable(work->estate->es_tupleTable, false);
		FreeExecutorState(work->estate);
		/* what we wrote is visible to the next call of the same statement */
		CommandCounterIncrement();
	}
	pfree(work);
}

static Relation
reading_index(PoolTable *table, Oid oid)
{
	ListCell   *lc;
	Relation	index;

	foreach(lc, table->indexes)
		if (RelationGetRelid((Relation) lfirst(lc)) == oid)
		return lfirst(lc);
	index = index_open(oid, AccessShareLock);
	table->indexes = lappend(table->indexes, index);
	return index;
}

/* One of the table's indexes, open as long as the table is. */
Relation
pool_work_index(PoolTable *table, PoolIndexId id)
{
	Oid			oid = pool_index_oid(id);

	if (table->target == NULL)
		return reading_index(table, oid);
	for (int i = 0; i < table->target->ri_NumIndices; i++)
	{
		Relation	index = table->target->ri_IndexRelationDescs[i];

		if (RelationGetRelid(index) == oid)
			return index;
	}
	elog(ERROR, "index \"%s\" is not on table \"%s\"",
		 index_names[id], RelationGetRelationName(table->rel));
	return NULL;
}

static RegProcedure
equality_of(Oid type)
{
	switch (type)
	{
		case INT4OID:
			return F_INT4EQ;
		case INT8OID:
			return F_INT8EQ;
		case UUIDOID:
			return F_UUID_EQ;
		default:
			Assert(type == TEXTOID);
			return F_TEXTEQ;
	}
}

/*
 * Starts a scan for rows whose first index columns equal the keys.  The
 * caller ends it with index_endscan.
 */
IndexScanDesc
pool_index_scan(Relation rel, Relation index, Snapshot snapshot,
				const PoolKey *keys, int nkeys)
{
	IndexScanDesc scan;
	ScanKeyData scankeys[4];

	Assert(nkeys <= lengthof(scankeys));
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&scankeys[i], 0, i + 1, BTEqualStrategyNumber,
							   InvalidOid, index->rd_indcollation[i],
							   equality_of(keys[i].type), keys[i].value);
	scan = pool_index_beginscan(rel, index, snapshot, nkeys);
	index_rescan(scan, scankeys, nkeys, NULL, 0);
	return scan;
}

/*
 * Fetches into table->old the row with these unique keys that the snapshot
 * sees; false if there is none.
 */
bool
pool_table_find(PoolTable *table, PoolIndexId id, Snapshot snapshot,
				const PoolKey *keys, int nkeys)
{
	Relation	index = pool_work_index(table, id);
	IndexScanDesc scan = pool_index_scan(table->rel, index, snapshot,
										 keys, nkeys);
	bool		found;

	found = index_getnext_slot(scan, ForwardScanDirection, table->old);
	index_endscan(scan);
	return found;
}

/*
 * Fetches into table->old the row version at tid, if the snapshot sees one
 * there.  Its page stays pinned, so nothing else can take its place.
 */
bool
pool_table_fetch(PoolTable *table, ItemPointer tid, Snapshot snapshot)
{
	if (ItemPointerGetBlockNumber(tid) >=
		RelationGetNumberOfBlocks(table->rel))
		return false;
	return table_tuple_fetch_row_version(table->rel, tid, snapshot,
										 table->old);
}

/*
 * Locks the row at tid for update and leaves its version in table->old.
 * Under READ COMMITTED a waiting lock follows the row to its last version; at
 * the higher levels a row that changed since the snapshot is reported as
 * TM_Updated or TM_Deleted.
 */
TM_Result
pool_table_lock(PoolTable *table, ItemPointer tid, Snapshot snapshot,
				LockWaitPolicy wait)
{
	TM_FailureData failure;
	ItemPointerData copy = *tid;	/* tid may point into table->old */
	uint8		flags = 0;

	if (wait == LockWaitBlock && !IsolationUsesXactSnapshot())
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	return table_tuple_lock(table->rel, &copy, snapshot, table->old,
							GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							wait, flags, &failure);
}

static void
fill_slot(TupleTableSlot *slot, const Datum *values, const bool *nulls)
{
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
}

/* Inserts a row; its place is in table->new->tts_tid afterwards. */
void
pool_table_insert(PoolTable *table, const Datum *values, const bool *nulls)
{
	fill_slot(table->new, values, nulls);
	ExecSimpleRelationInsert(table->target, table->estate, table->new);
	ResetPerTupleExprContext(table->estate);
}

/* Replaces the row in table->old, which the caller has locked. */
void
pool_table_update(PoolTable *table, const Datum *values, const bool *nulls)
{
	fill_slot(table->new, values, nulls);
	ExecSimpleRelationUpdate(table->target, table->estate, table->epq,
							 table->old, table->new);
	ResetPerTupleExprContext(table->estate);
}

/* Deletes the row in table->old, which the caller has locked. */
void
pool_table_delete(PoolTable *table)
{
	ExecSimpleRelationDelete(table->target, table->estate, table->epq,
							 table->old);
	ResetPerTupleExprContext(table->estate);
}
