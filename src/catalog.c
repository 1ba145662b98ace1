/*
 * catalog.c
 *	  Which relations are the extension's: names, oids, columns.
 *
 * Oids are looked up by name, in our schema, and forgotten whenever a pg_class
 * row changes: the extension may be dropped and created anew at any time.
 */
#include "catalog.h"

#include "catalog/namespace.h"
#include "commands/extension.h"
#include "commands/sequence.h"
#include "guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

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
		" quarantine_pool_id reclaim_limit reclaim_share catch_up reserve_limit"
	" reserve_for"},
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
	" held claimed day status member_limit"},
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
		"rule_id member_id tenant_id served early last_no last_at"
	" seat_from seat_until period_from period_base period_served"},
	[POOL_ROUTING_WAIT] = {"routing_wait",
	"lead_id pool_id tenant_id reason tried_at excluded_id"},
	[POOL_MEMBER_FACT] = {"member_fact",
		"member_id tenant_id at ended_90d converted_90d conversion_rate rank"
	" first_response_seconds overdue"},
	[POOL_IDENTITY_GROUP] = {"identity_group",
	"id tenant_id scope owner_id held"},
	[POOL_RUN] = {"run",
		"id tenant_id pool_id member_id kind status token actor_id"
		" started_at ended_at expires_at planned done skipped after_lead"
	" detail"},
	[POOL_REWARD_RULE] = {"reward_rule",
		"id tenant_id pool_id name event_kind condition member_condition"
	" points shares within cap enabled"},
	[POOL_CALENDAR] = {"calendar",
	"tenant_id day is_workday"},
	[POOL_DOWNTIME] = {"downtime",
	"started_at ended_at"},
	[POOL_TICK_STATE] = {"tick_state",
	"id last_at"},
	[POOL_MEMBER_SEGMENT] = {"member_segment",
	"member_id source grade tenant_id ended converted"},
	[POOL_ROUTING_CREDIT] = {"routing_credit",
	"rule_id tenant_id members credits"},
	[POOL_ATTACHMENT] = {"attachment",
		"id tenant_id pool_id relation key_column owner_column shared_column"
		" nobody member_field key_prefix columns identities condition"
	" on_bypass attached_at"}
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
	[POOL_LEAD_STATE_RESERVED] = "lead_state_reserved_idx",
	[POOL_LEAD_DATA_PKEY] = "lead_data_pkey",
	[POOL_LEAD_DATA_KEY] = "lead_data_key_key",
	[POOL_IDENTITY_PKEY] = "identity_pkey",
	[POOL_IDENTITY_LEAD] = "identity_lead_idx",
	[POOL_MEMBER_STATE_PKEY] = "member_state_pkey",
	[POOL_MEMBERSHIP_STATE_PKEY] = "membership_state_pkey",
	[POOL_MEMBERSHIP_STATE_MEMBER] = "membership_state_member_idx",
	[POOL_EVENT_PKEY] = "event_pkey",
	[POOL_EVENT_ORDER] = "event_order_idx",
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
	[POOL_APPROVAL_EXPIRES] = "approval_expires_idx",
	[POOL_APPROVAL_POOL] = "approval_pool_idx",
	[POOL_COLLABORATOR_PKEY] = "collaborator_pkey",
	[POOL_ABSENCE_PKEY] = "absence_pkey",
	[POOL_ROUTING_STATE_PKEY] = "routing_state_pkey",
	[POOL_ROUTING_WAIT_PKEY] = "routing_wait_pkey",
	[POOL_MEMBER_FACT_PKEY] = "member_fact_pkey",
	[POOL_MEMBER_FACT_AT] = "member_fact_at_idx",
	[POOL_REWARD_RULE_NAME] = "reward_rule_name_key",
	[POOL_IDENTITY_GROUP_PKEY] = "identity_group_pkey",
	[POOL_RUN_PKEY] = "run_pkey",
	[POOL_CALENDAR_PKEY] = "calendar_pkey",
	[POOL_DOWNTIME_PKEY] = "downtime_pkey",
	[POOL_TICK_STATE_PKEY] = "tick_state_pkey",
	[POOL_MEMBER_ABSENCE] = "member_away_idx",
	[POOL_RUN_STATUS] = "run_status_idx",
	[POOL_MEMBER_SEGMENT_PKEY] = "member_segment_pkey",
	[POOL_ROUTING_CREDIT_PKEY] = "routing_credit_pkey",
	[POOL_BYPASS_AT] = "bypass_at_idx"
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
pool_catalog_init(void)
{
	CacheRegisterSyscacheCallback(RELNAMENSP, forget_oids, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_oids, (Datum) 0);
	/* columns that come, go or change */
	CacheRegisterSyscacheCallback(ATTNUM, forget_oids, (Datum) 0);
}

static Oid
relation_oid(const char *name)
{
	Oid			schema = get_namespace_oid(POOL_SCHEMA_NAME, true);
	Oid			oid = InvalidOid;

	if (OidIsValid(schema))
		oid = get_relname_relid(name, schema);
	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist",
						POOL_SCHEMA_NAME, name),
				 errdetail("It belongs to the extension pool_ext."),
				 OidIsValid(get_extension_oid("pool_ext", true)) ?
				 errhint("The extension is there: give the table and its schema their names back.") :
				 errhint("CREATE EXTENSION pool_ext in this database.")));
	return oid;
}

/*
 * Raises 55000 unless the column has this name; where the length is 0, unless
 * there is no such column.
 */
static void
check_column(Oid relid, AttrNumber attnum, const TableName *table,
			 const char *expected, size_t length)
{
	char	   *found = get_attname(relid, attnum, true);

	if (found == NULL)
		found = "";
	if (strlen(found) != length || strncmp(found, expected, length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" does not fit the library of pool_ext",
						POOL_SCHEMA_NAME, table->name),
				 errdetail("Column %d is not the expected one.", attnum),
				 errhint("Run ALTER EXTENSION pool_ext UPDATE, or install "
						 "the library of the same version.")));
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
		size_t		length = strcspn(p, " ");

		check_column(relid, ++attnum, table, p, length);
		p += length;
		p += strspn(p, " ");
	}
	/* rows are written whole: a column we do not know would get nonsense */
	check_column(relid, attnum + 1, table, "", 0);
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
	Oid			schema = get_namespace_oid(POOL_SCHEMA_NAME, true);

	return OidIsValid(schema) &&
		OidIsValid(get_relname_relid(table_names[POOL_LEAD_STATE].name,
									 schema));
}

Oid
pool_sequence_oid(PoolSequenceId id)
{
	if (!OidIsValid(sequence_oids[id]))
		sequence_oids[id] = relation_oid(sequence_names[id]);
	return sequence_oids[id];
}

int64
pool_sequence_next(PoolSequenceId id)
{
	return nextval_internal(pool_sequence_oid(id), false);
}

/* A new id, with the number of this server in its high bits. */
int64
pool_sequence_new_id(PoolSequenceId id)
{
	return pool_sequence_next(id) | ((int64) pool_node_id << POOL_NODE_BITS);
}
