/*
 * table.h
 *	  Direct access to the extension's tables.
 */
#ifndef POOL_TABLE_H
#define POOL_TABLE_H

#include "compat.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "nodes/execnodes.h"

typedef enum PoolTableId
{
	POOL_TENANT,
	POOL_POOL,
	POOL_MEMBER,
	POOL_MEMBERSHIP,
	POOL_TIMER_RULE,
	POOL_INSTALLATION,
	POOL_LEAD_STATE,
	POOL_LEAD_DATA,
	POOL_IDENTITY,
	POOL_MEMBER_STATE,
	POOL_MEMBERSHIP_STATE,
	POOL_EVENT,
	POOL_REQUEST_LOG,
	POOL_ACCESS_GRANT
} PoolTableId;

#define POOL_TABLE_COUNT (POOL_ACCESS_GRANT + 1)

typedef enum PoolIndexId
{
	POOL_TENANT_PKEY,
	POOL_TENANT_NAME,
	POOL_POOL_PKEY,
	POOL_POOL_NAME,
	POOL_MEMBER_PKEY,
	POOL_MEMBER_KEY,
	POOL_MEMBER_LOGIN,
	POOL_MEMBERSHIP_PKEY,
	POOL_TIMER_RULE_NAME,
	POOL_LEAD_STATE_PKEY,
	POOL_LEAD_STATE_QUEUE,
	POOL_LEAD_STATE_TIMER,
	POOL_LEAD_STATE_OWNER,
	POOL_LEAD_DATA_PKEY,
	POOL_LEAD_DATA_KEY,
	POOL_IDENTITY_PKEY,
	POOL_IDENTITY_LEAD,
	POOL_MEMBER_STATE_PKEY,
	POOL_MEMBERSHIP_STATE_PKEY,
	POOL_MEMBERSHIP_STATE_MEMBER,
	POOL_EVENT_PKEY,
	POOL_REQUEST_LOG_PKEY
} PoolIndexId;

#define POOL_INDEX_COUNT (POOL_REQUEST_LOG_PKEY + 1)

typedef enum PoolSequenceId
{
	POOL_LEAD_ID_SEQ,
	POOL_EVENT_ID_SEQ,
	POOL_TICKET_SEQ
} PoolSequenceId;

#define POOL_SEQUENCE_COUNT (POOL_TICKET_SEQ + 1)

/* Column numbers; table.c compares them with the catalog. */
enum
{
	TENANT_ID = 1, TENANT_NAME, TENANT_TIMEZONE, TENANT_WORKDAYS,
	TENANT_WORK_FROM, TENANT_WORK_UNTIL, TENANT_COUNTRY
};
enum
{
	POOL_ID = 1, POOL_TENANT_ID, POOL_PARENT_ID, POOL_NAME, POOL_DESCRIPTION,
	POOL_TIMEZONE, POOL_EVERYONE, POOL_HOLD_LIMIT, POOL_CLAIM_LIMIT,
	POOL_CLAIM_INTERVAL, POOL_COOLDOWN, POOL_MASKED_ATTRIBUTES,
	POOL_DUPLICATE_POLICY, POOL_REVIEW, POOL_ROUTE_RETURNED,
	POOL_KEEP_CONVERTED, POOL_ENABLED
};
enum
{
	MEMBER_ID = 1, MEMBER_TENANT_ID, MEMBER_KEY, MEMBER_NAME, MEMBER_LOGIN,
	MEMBER_LEVEL, MEMBER_PROFILE, MEMBER_TIMEZONE, MEMBER_HOLD_LIMIT,
	MEMBER_JOINED_AT, MEMBER_STATUS, MEMBER_AWAY_UNTIL
};
enum
{
	MEMBERSHIP_POOL_ID = 1, MEMBERSHIP_MEMBER_ID, MEMBERSHIP_TENANT_ID,
	MEMBERSHIP_ROLE, MEMBERSHIP_LEVEL, MEMBERSHIP_WEIGHT,
	MEMBERSHIP_HOLD_LIMIT, MEMBERSHIP_CLAIM_LIMIT
};
enum
{
	TIMER_RULE_ID = 1, TIMER_RULE_TENANT_ID, TIMER_RULE_POOL_ID,
	TIMER_RULE_NAME, TIMER_RULE_ACTION, TIMER_RULE_BASIS, TIMER_RULE_AFTER,
	TIMER_RULE_WORKING_TIME, TIMER_RULE_CONDITION, TIMER_RULE_REMIND_BEFORE,
	TIMER_RULE_NOTICE_REQUIRED, TIMER_RULE_NOTIFY, TIMER_RULE_TO_POOL_ID,
	TIMER_RULE_ENABLED
};
enum
{
	INSTALLATION_SYSTEM_IDENTIFIER = 1, INSTALLATION_DATABASE_OID,
	INSTALLATION_GENERATION, INSTALLATION_SINCE, INSTALLATION_ACTIVE
};
enum
{
	LEAD_STATE_ID = 1, LEAD_STATE_TICKET, LEAD_STATE_ENTERED_AT,
	LEAD_STATE_OWNED_AT, LEAD_STATE_CHAIN_AT, LEAD_STATE_FIRST_FOLLOW_UP_AT,
	LEAD_STATE_LAST_FOLLOW_UP_AT, LEAD_STATE_NEXT_FOLLOW_UP_AT,
	LEAD_STATE_PROTECTED_UNTIL, LEAD_STATE_HIDDEN_UNTIL, LEAD_STATE_CLOSED_AT,
	LEAD_STATE_CHECK_AT, LEAD_STATE_TENANT_ID, LEAD_STATE_POOL_ID,
	LEAD_STATE_OWNER_ID, LEAD_STATE_LAST_OWNER_ID, LEAD_STATE_FOLLOW_UPS,
	LEAD_STATE_CLAIMS, LEAD_STATE_PRIORITY, LEAD_STATE_STATUS,
	LEAD_STATE_LAST_RESULT, LEAD_STATE_STAGE, LEAD_STATE_AMOUNT,
	LEAD_STATE_CURRENCY
};
#define LEAD_STATE_NATTS LEAD_STATE_CURRENCY
enum
{
	LEAD_DATA_ID = 1, LEAD_DATA_TENANT_ID, LEAD_DATA_KEY, LEAD_DATA_NAME,
	LEAD_DATA_SOURCE, LEAD_DATA_GRADE, LEAD_DATA_ATTRIBUTES,
	LEAD_DATA_CREATED_AT, LEAD_DATA_ERASED_AT
};
#define LEAD_DATA_NATTS LEAD_DATA_ERASED_AT
enum
{
	IDENTITY_TENANT_ID = 1, IDENTITY_SCOPE, IDENTITY_KIND, IDENTITY_VALUE,
	IDENTITY_LEAD_ID
};
#define IDENTITY_NATTS IDENTITY_LEAD_ID
enum
{
	MEMBER_STATE_MEMBER_ID = 1, MEMBER_STATE_TENANT_ID
};
enum
{
	MEMBERSHIP_STATE_SPELLS = 1, MEMBERSHIP_STATE_DAY_EVENT,
	MEMBERSHIP_STATE_DAY_UNTIL, MEMBERSHIP_STATE_LAST_CLAIM_AT,
	MEMBERSHIP_STATE_POOL_ID, MEMBERSHIP_STATE_MEMBER_ID,
	MEMBERSHIP_STATE_TENANT_ID, MEMBERSHIP_STATE_HELD,
	MEMBERSHIP_STATE_CLAIMED, MEMBERSHIP_STATE_DAY, MEMBERSHIP_STATE_STATUS
};
#define MEMBERSHIP_STATE_NATTS MEMBERSHIP_STATE_STATUS
enum
{
	EVENT_ID = 1, EVENT_AT, EVENT_XID, EVENT_LEAD_ID, EVENT_DAY,
	EVENT_GENERATION, EVENT_TENANT_ID, EVENT_POOL_ID, EVENT_MEMBER_ID,
	EVENT_ACTOR_ID, EVENT_RULE_ID, EVENT_KIND, EVENT_REASON, EVENT_SOURCE,
	EVENT_GRADE, EVENT_DETAIL
};
#define EVENT_NATTS EVENT_DETAIL
enum
{
	REQUEST_LOG_TENANT_ID = 1, REQUEST_LOG_LOGIN, REQUEST_LOG_REQUEST_ID,
	REQUEST_LOG_FUNCTION, REQUEST_LOG_DIGEST, REQUEST_LOG_RESULT,
	REQUEST_LOG_AT
};
#define REQUEST_LOG_NATTS REQUEST_LOG_AT
enum
{
	ACCESS_GRANT_ROLE = 1, ACCESS_GRANT_ACCESS, ACCESS_GRANT_TENANT_ID
};

/*
 * An open table.  `old` holds the row version last fetched or locked, with its
 * page pinned; `new` is where the next version is built.
 */
typedef struct PoolTable
{
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *target;		/* NULL: open for reading only */
	EPQState   *epq;
	List	   *indexes;		/* when reading: those opened so far */
	TupleTableSlot *old;
	TupleTableSlot *new;
} PoolTable;

/*
 * The tables one SQL call works on.  Opened on first use; one executor state
 * and one trigger query level for all of them.
 */
typedef struct PoolWork
{
	EState	   *estate;			/* NULL: for reading only */
	PoolTable  *tables[POOL_TABLE_COUNT];
} PoolWork;

/* An equality key of an index scan. */
typedef struct PoolKey
{
	Oid			type;			/* INT4OID, INT8OID, TEXTOID or UUIDOID */
	Datum		value;
} PoolKey;

extern void pool_table_init(void);
extern Oid	pool_table_oid(PoolTableId id);
extern Oid	pool_index_oid(PoolIndexId id);
extern bool pool_extension_exists(void);
extern int64 pool_sequence_next(PoolSequenceId id);

extern PoolWork *pool_work_begin(void);
extern PoolWork *pool_work_begin_reading(void);
extern PoolTable *pool_work_table(PoolWork *work, PoolTableId id);
extern Relation pool_work_index(PoolTable *table, PoolIndexId id);
extern void pool_work_end(PoolWork *work);

extern IndexScanDesc pool_index_scan(Relation rel, Relation index,
									 Snapshot snapshot,
									 const PoolKey *keys, int nkeys);
extern bool pool_table_find(PoolTable *table, PoolIndexId index,
							Snapshot snapshot,
							const PoolKey *keys, int nkeys);
extern bool pool_table_fetch(PoolTable *table, ItemPointer tid,
							 Snapshot snapshot);
extern TM_Result pool_table_lock(PoolTable *table, ItemPointer tid,
								 Snapshot snapshot, LockWaitPolicy wait);
extern void pool_table_insert(PoolTable *table,
							  const Datum *values, const bool *nulls);
extern void pool_table_update(PoolTable *table,
							  const Datum *values, const bool *nulls);
extern void pool_table_delete(PoolTable *table);
extern Snapshot pool_snapshot(void);

#define pool_key_int4(v) ((PoolKey) {INT4OID, Int32GetDatum(v)})
#define pool_key_int8(v) ((PoolKey) {INT8OID, Int64GetDatum(v)})
#define pool_key_text(v) ((PoolKey) {TEXTOID, (v)})

#endif							/* POOL_TABLE_H */
