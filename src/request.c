/*
 * request.c
 *	  Request ids: the same call twice happens once.
 *
 * The id is locked like an advisory lock until the transaction ends, so that
 * the second of two equal requests waits and finds the first one's result.
 * Results are kept as the text of their rows.
 */
#include "request.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "errors.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* sets our locks apart from SQL's advisory locks, which use 1 and 2 */
#define LOCK_CLASS 77

static char *
login_name(void)
{
	return GetUserNameFromId(GetUserId(), false);
}

static void
lock_request(const char *login, const pg_uuid_t *id)
{
	uint64		hash = hash_bytes_extended(id->data, UUID_LEN, 0);
	LOCKTAG		tag;

	hash = hash_combine64(hash,
						  hash_bytes_extended((const unsigned char *) login,
											  strlen(login), 0));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/*
 * Values are written the same in every session from here on, until
 * AtEOXact_GUC() ends the level returned.
 */
static int
begin_plain_text(void)
{
	static const char *const settings[][2] = {
		{"datestyle", "ISO, YMD"}, {"timezone", "UTC"},
		{"intervalstyle", "postgres"}
	};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1],
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/* A digest of the arguments as text, the request id aside. */
static bytea *
digest_arguments(PoolCall *call, int request_argno)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	int			level = begin_plain_text();
	StringInfoData buffer;
	bytea	   *digest = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	initStringInfo(&buffer);
	appendStringInfo(&buffer, "%s %d", call->function, pool_caller_member());
	for (int i = 0; i < PG_NARGS(); i++)
	{
		Oid			output;
		bool		varlena;
		char	   *value;

		if (i == request_argno)
			continue;
		if (PG_ARGISNULL(i))
		{
			appendStringInfoString(&buffer, " -");
			continue;
		}
		getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, i),
						  &output, &varlena);
		value = OidOutputFunctionCall(output, PG_GETARG_DATUM(i));
		appendStringInfo(&buffer, " %zu:%s", strlen(value), value);
	}
	AtEOXact_GUC(true, level);
	if (ctx == NULL || pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (uint8 *) buffer.data, buffer.len) < 0 ||
		pg_cryptohash_final(ctx, (uint8 *) VARDATA(digest),
							PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute a digest");
	pg_cryptohash_free(ctx);
	SET_VARSIZE(digest, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	return digest;
}

static void
emit_stored_rows(PoolCall *call, Datum result)
{
	Datum	   *rows;
	int			n;
	FmgrInfo	record_in;

	fmgr_info(F_RECORD_IN, &record_in);
	call->desc = BlessTupleDesc(call->desc);
	deconstruct_array(DatumGetArrayTypeP(result), TEXTOID, -1, false,
					  TYPALIGN_INT, &rows, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		Datum		row = InputFunctionCall(&record_in,
											TextDatumGetCString(rows[i]),
											call->desc->tdtypeid,
											call->desc->tdtypmod);
		HeapTupleHeader header = DatumGetHeapTupleHeader(row);
		HeapTupleData tuple;

		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		ItemPointerSetInvalid(&tuple.t_self);
		tuple.t_tableOid = InvalidOid;
		tuple.t_data = header;
		tuplestore_puttuple(call->store, &tuple);
	}
}

static void
check_same(PoolCall *call, TupleTableSlot *slot)
{
	bool		isnull;
	char	   *function = TextDatumGetCString(slot_getattr(slot,
															REQUEST_LOG_FUNCTION,
															&isnull));
	bytea	   *digest = DatumGetByteaPP(slot_getattr(slot, REQUEST_LOG_DIGEST,
													  &isnull));

	if (strcmp(function, call->function) == 0 &&
		VARSIZE_ANY_EXHDR(digest) == PG_SHA256_DIGEST_LENGTH &&
		memcmp(VARDATA_ANY(digest), VARDATA(call->request_digest),
			   PG_SHA256_DIGEST_LENGTH) == 0)
		return;
	ereport(ERROR,
			(errcode(POOL_ERRCODE_REQUEST_REUSED),
			 errmsg("request id was used for another call"),
			 errdetail("The first call was pool.%s() with other arguments.",
					   function),
			 errhint("Make a new id for every request, and keep it for its "
					 "repetitions.")));
}

/*
 * Handles the request id in this argument, if there is one.  If it was used
 * before, emits that result and returns true: the caller then just ends the
 * call.  Raises PO010 if the arguments differ.
 */
bool
pool_request_replay(PoolCall *call, int argno, int32 tenant_id)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	PoolTable  *table;
	PoolKey		keys[2];
	Snapshot	snapshot;
	bool		found;

	if (PG_ARGISNULL(argno))
		return false;
	call->request_id = PG_GETARG_UUID_P(argno);
	call->request_tenant = tenant_id;
	call->request_digest = digest_arguments(call, argno);
	call->desc = BlessTupleDesc(call->desc);
	lock_request(login_name(), call->request_id);

	/* whoever held the lock may have committed after our snapshot */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	table = pool_work_table(call->work, POOL_REQUEST_LOG);
	keys[0] = pool_key_text(CStringGetTextDatum(login_name()));
	keys[1] = (PoolKey)
	{
		UUIDOID, UUIDPGetDatum(call->request_id)
	};
	found = pool_table_find(table, POOL_REQUEST_LOG_PKEY, snapshot, keys, 2);
	if (found)
	{
		bool		isnull;

		check_same(call, table->old);
		emit_stored_rows(call, slot_getattr(table->old, REQUEST_LOG_RESULT,
											&isnull));
		call->request_id = NULL;
	}
	UnregisterSnapshot(snapshot);
	return found;
}

/* Keeps the rows the call has emitted. */
void
pool_request_store(PoolCall *call)
{
	Datum		values[REQUEST_LOG_NATTS];
	bool		nulls[REQUEST_LOG_NATTS] = {0};
	int			n = list_length(call->request_rows);
	Datum	   *rows = palloc(Max(n, 1) * sizeof(Datum));
	int			level = begin_plain_text();

	for (int i = 0; i < n; i++)
	{
		HeapTuple	tuple = list_nth(call->request_rows, i);
		Datum		row = HeapTupleHeaderGetDatum(tuple->t_data);

		rows[i] = CStringGetTextDatum(OidOutputFunctionCall(F_RECORD_OUT,
															row));
	}
	AtEOXact_GUC(true, level);
	values[REQUEST_LOG_TENANT_ID - 1] = Int32GetDatum(call->request_tenant);
	values[REQUEST_LOG_LOGIN - 1] = CStringGetTextDatum(login_name());
	values[REQUEST_LOG_REQUEST_ID - 1] = UUIDPGetDatum(call->request_id);
	values[REQUEST_LOG_FUNCTION - 1] = CStringGetTextDatum(call->function);
	values[REQUEST_LOG_DIGEST - 1] = PointerGetDatum(call->request_digest);
	values[REQUEST_LOG_RESULT - 1] =
		PointerGetDatum(construct_array(rows, n, TEXTOID, -1, false,
										TYPALIGN_INT));
	values[REQUEST_LOG_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	pool_table_insert(pool_work_table(call->work, POOL_REQUEST_LOG),
					  values, nulls);
}
