/*
 * collaborator.c
 *	  Who helps the owner of a lead: the only writer of collaborator.
 *
 * The lock of the lead guards its rows here: whoever reads them to decide
 * anything, or writes them, holds it.  So they are read in the latest
 * snapshot at every isolation level.  They end with the spell, but for a
 * transfer, which leaves them to the new owner.
 */
#include "compat.h"
#include "collaborator.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static void
read_row(TupleTableSlot *slot, PoolCollaborator *row)
{
	bool		isnull;

	row->member_id = DatumGetInt32(slot_getattr(slot, COLLABORATOR_MEMBER_ID,
												&isnull));
	row->role = TextDatumGetCString(slot_getattr(slot, COLLABORATOR_ROLE,
												 &isnull));
	row->counts = DatumGetBool(slot_getattr(slot, COLLABORATOR_COUNTS,
											&isnull));
	row->since = DatumGetTimestampTz(slot_getattr(slot, COLLABORATOR_SINCE,
												  &isnull));
}

/* Finds the row into the table's slot. */
static bool
find_row(PoolTable *table, int64 lead_id, int32 member_id)
{
	PoolKey		keys[2] = {pool_key_int8(lead_id), pool_key_int4(member_id)};
	Snapshot	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(table->rel)));
	bool		found = pool_table_find(table, POOL_COLLABORATOR_PKEY,
										snapshot, keys, 2);

	UnregisterSnapshot(snapshot);
	return found;
}

/* Whether the member helps with this lead, and as what (unless NULL). */
bool
pool_collaborator_find(PoolWork *work, int64 lead_id, int32 member_id,
					   PoolCollaborator *found)
{
	PoolTable  *table = pool_work_table(work, POOL_COLLABORATOR);

	if (!find_row(table, lead_id, member_id))
		return false;
	if (found != NULL)
		read_row(table->old, found);
	return true;
}

static int
compare_since(const ListCell *a, const ListCell *b)
{
	const PoolCollaborator *x = lfirst(a);
	const PoolCollaborator *y = lfirst(b);

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return x->member_id < y->member_id ? -1 : 1;
}

/* All who help with this lead (PoolCollaborator), longest first. */
List *
pool_collaborators(PoolWork *work, int64 lead_id)
{
	PoolTable  *table = pool_work_table(work, POOL_COLLABORATOR);
	Snapshot	snapshot = RegisterSnapshot(pool_latest_snapshot(RelationGetRelid(table->rel)));
	IndexScanDesc scan = pool_index_scan(table->rel,
										 pool_work_index(table, POOL_COLLABORATOR_PKEY),
										 snapshot, &pool_key_int8(lead_id), 1);
	List	   *result = NIL;

	while (index_getnext_slot(scan, ForwardScanDirection, table->old))
	{
		PoolCollaborator *row = palloc(sizeof(PoolCollaborator));

		read_row(table->old, row);
		result = lappend(result, row);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	list_sort(result, compare_since);
	return result;
}

/* Writes the row of one who helps, anew or over that of before. */
void
pool_collaborator_put(PoolWork *work, const PoolLead *lead,
					  const PoolCollaborator *who)
{
	PoolTable  *table = pool_work_table(work, POOL_COLLABORATOR);
	Datum		v[COLLABORATOR_NATTS];
	bool		n[COLLABORATOR_NATTS] = {0};

	v[COLLABORATOR_LEAD_ID - 1] = Int64GetDatum(lead->id);
	v[COLLABORATOR_MEMBER_ID - 1] = Int32GetDatum(who->member_id);
	v[COLLABORATOR_TENANT_ID - 1] = Int32GetDatum(lead->tenant_id);
	v[COLLABORATOR_ROLE - 1] = CStringGetTextDatum(who->role);
	v[COLLABORATOR_COUNTS - 1] = BoolGetDatum(who->counts);
	v[COLLABORATOR_SINCE - 1] = TimestampTzGetDatum(who->since);
	if (find_row(table, lead->id, who->member_id))
		pool_table_update(table, v, n);
	else
		pool_table_insert(table, v, n);
}

/* He helps no longer; false if he did not. */
bool
pool_collaborator_remove(PoolWork *work, int64 lead_id, int32 member_id)
{
	PoolTable  *table = pool_work_table(work, POOL_COLLABORATOR);

	if (!find_row(table, lead_id, member_id))
		return false;
	pool_table_delete(table);
	return true;
}

/* Nobody helps any longer: the spell has ended. */
void
pool_collaborators_end(PoolWork *work, int64 lead_id)
{
	List	   *all;
	ListCell   *lc;

	if (pool_work_index_unused(pool_work_table(work, POOL_COLLABORATOR),
							   POOL_COLLABORATOR_PKEY))
		return;
	all = pool_collaborators(work, lead_id);
	foreach(lc, all)
		(void) pool_collaborator_remove(work, lead_id,
										((PoolCollaborator *) lfirst(lc))->member_id);
	list_free_deep(all);
}

/* Notes who has helped, and as what, so that he can be rewarded. */
void
pool_detail_collaborators(PoolDetail *detail, List *who)
{
	StringInfoData text_value;
	ListCell   *lc;
	Datum		json;

	if (who == NIL)
		return;
	initStringInfo(&text_value);
	foreach(lc, who)
	{
		PoolCollaborator *c = lfirst(lc);

		appendStringInfo(&text_value, "%c{\"member\": %d, \"role\": \"%s\"}",
						 text_value.len == 0 ? '[' : ',', c->member_id,
						 c->role);
	}
	appendStringInfoChar(&text_value, ']');
	json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_value.data));
	pool_detail_json(detail, "collaborators", DatumGetJsonbP(json));
}
