/*
 * attach_note.c
 *	  Which leads of a call attached tables have to follow.
 *
 * Whoever writes an event notes its lead; when the call has done with its own
 * tables (pool_work_end), the rows of the leads noted are written.  Not at
 * once: a statement in the midst of direct access would see half of it.  Where
 * nothing is attached all this is the test of one flag.
 */
#include "compat.h"
#include "attach_note.h"

#include "access/table.h"
#include "rule.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static bool stale = true;
static bool complete = false;	/* read to the end */
static bool none = false;		/* read, and there are none */
static Oid	attachment_oid = InvalidOid;
static MemoryContext cache = NULL;
static List *attachments = NIL;
static void (*writer) (PoolAttachNotes *notes) = NULL;

static void
invalidate(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == attachment_oid)
		stale = true;
}

void
pool_attach_note_init(void)
{
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
}

/* Who writes the rows: a room above this one. */
void
pool_attach_set_writer(void (*function) (PoolAttachNotes *notes))
{
	writer = function;
}

/* What a row says of a lead that enters, and never again. */
static bool
is_read_once(const JsonbValue *field)
{
	static const char *const fields[] = {
		"source", "created_at", "owned_at", "last_follow_up_at"
	};

	for (int i = 0; i < (int) lengthof(fields); i++)
		if (field->val.string.len == (int) strlen(fields[i]) &&
			memcmp(field->val.string.val, fields[i],
				   field->val.string.len) == 0)
			return true;
	return false;
}

/*
 * Adds all strings of the object and of arrays in it; unless `all` is true,
 * not those of fields that are read once.
 */
static List *
add_names(List *names, Datum object, bool all)
{
	bool		wanted = true;
	JsonbIterator *it = JsonbIteratorInit(&DatumGetJsonbP(object)->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			wanted = all || !is_read_once(&value);
		if (wanted && (token == WJB_VALUE || token == WJB_ELEM) &&
			value.type == jbvString)
			names = lappend(names, pnstrdup(value.val.string.val,
											value.val.string.len));
	}
	return names;
}

/* Adds the columns that a condition on rows names. */
static List *
add_fields(List *names, JsonPath *condition)
{
	ListCell   *lc;

	foreach(lc, pool_rule_fields(condition))
		names = lappend(names, strVal(lfirst(lc)));
	return names;
}

static PoolAttachment *
read_attachment(TupleTableSlot *slot)
{
	PoolAttachment *a = palloc0(sizeof(PoolAttachment));
	bool		isnull;
	Datum		value;

#define GET(column) slot_getattr(slot, ATTACHMENT_##column, &isnull)
	a->id = DatumGetInt32(GET(ID));
	a->tenant_id = DatumGetInt32(GET(TENANT_ID));
	a->pool_id = DatumGetInt32(GET(POOL_ID));
	a->relid = DatumGetObjectId(GET(RELATION));
	a->key = *DatumGetName(GET(KEY_COLUMN));
	a->owner = *DatumGetName(GET(OWNER_COLUMN));
	value = GET(SHARED_COLUMN);
	if (!isnull)
		a->shared = *DatumGetName(value);
	value = GET(COLUMNS);
	a->mapped = add_names(NIL, value, true);
	a->followed = add_names(NIL, value, false);
	value = GET(IDENTITIES);
	a->mapped = add_names(a->mapped, value, true);
	a->followed = add_names(a->followed, value, true);
	a->identities = add_names(NIL, value, true);
	value = GET(NOBODY);
	if (!isnull)
		a->nobody = TextDatumGetCString(value);
	value = GET(CONDITION);
	a->conditional = !isnull;
	if (!isnull)
		a->mapped = add_fields(a->mapped, DatumGetJsonPathP(value));
	a->on_bypass = *TextDatumGetCString(GET(ON_BYPASS));
#undef GET
	return a;
}

/*
 * What is found is kept only if nothing was invalidated while it was read.
 * Lists given out before stay: a call may be nested in another.
 */
static void
read_attachments(void)
{
	MemoryContext old;
	Relation	rel = table_open(pool_table_oid(POOL_ATTACHMENT),
								 AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot;
	TableScanDesc scan;

	if (cache != NULL)
		MemoryContextSetParent(cache, CurTransactionContext);
	cache = AllocSetContextCreate(CacheMemoryContext, "pool_ext attachments",
								  ALLOCSET_SMALL_SIZES);
	attachments = NIL;
	complete = false;
	attachment_oid = RelationGetRelid(rel);
	stale = false;
	snapshot = RegisterSnapshot(pool_latest_snapshot(attachment_oid));
	old = MemoryContextSwitchTo(cache);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		attachments = lappend(attachments, read_attachment(slot));
	table_endscan(scan);
	MemoryContextSwitchTo(old);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	none = attachments == NIL;
	complete = true;
}

/* All attachments; good until the (sub)transaction ends. */
List *
pool_attachments(void)
{
	if (stale || !complete)
		read_attachments();
	return attachments;
}

/* That of this table, or NULL. */
const PoolAttachment *
pool_attachment_of(Oid relid)
{
	ListCell   *lc;

	foreach(lc, pool_attachments())
	{
		const PoolAttachment *a = lfirst(lc);

		if (a->relid == relid)
			return a;
	}
	return NULL;
}

static bool
tenant_has_any(int32 tenant_id)
{
	ListCell   *lc;

	foreach(lc, pool_attachments())
	{
		const PoolAttachment *a = lfirst(lc);

		if (a->tenant_id == tenant_id)
			return true;
	}
	return false;
}

/* Events that leave the owner alone. */
static bool
keeps_owner(const char *kind)
{
	return strcmp(kind, "followed_up") == 0 || strcmp(kind, "edited") == 0 ||
		strcmp(kind, "reminded") == 0;
}

/* An event of this kind is written about this lead. */
void
pool_attach_note(PoolWork *work, const PoolLead *lead, const char *kind)
{
	PoolAttachNotes *notes = work->notes;
	MemoryContext context;

	if ((none && complete && !stale) || keeps_owner(kind) ||
		!tenant_has_any(lead->tenant_id))
		return;
	context = GetMemoryChunkContext(work);
	if (notes == NULL)
	{
		notes = MemoryContextAllocZero(context, sizeof(PoolAttachNotes));
		notes->size = 64;
		notes->leads = MemoryContextAlloc(context,
										  notes->size * sizeof(int64));
		work->notes = notes;
		work->at_end = writer;
	}
	if (notes->n == notes->size)
	{
		notes->size *= 2;
		notes->leads = repalloc_huge(notes->leads,
									 notes->size * sizeof(int64));
	}
	notes->leads[notes->n++] = lead->id;
}
