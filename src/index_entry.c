/*
 * index_entry.c
 *	  Entries of a row's next version in the indexes of its table.
 *
 * For every new version of a row, core checks in each unique index that no other
 * row has its key, which walks over all dead versions that an old snapshot
 * keeps: thousands, for a busy row.  A key that stays the same needs no check:
 * nobody else can have it.
 *
 * Whoever inserts such a key meanwhile finds the entry of the version that is
 * being replaced, and waits for us.
 */
#include "compat.h"
#include "index_entry.h"

#include "access/genam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/rel.h"

/* Whether both versions have the same values in the index's columns. */
static bool
is_key_kept(const IndexInfo *info, PoolTable *table)
{
	TupleDesc	desc = RelationGetDescr(table->rel);

	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		AttrNumber	attnum = info->ii_IndexAttrNumbers[i];
		bool		old_null;
		bool		new_null;
		Datum		old_value;
		Datum		new_value;

		/* an expression; not worth its evaluation */
		if (attnum <= 0)
			return false;
		old_value = slot_getattr(table->old, attnum, &old_null);
		new_value = slot_getattr(table->new, attnum, &new_null);
		if (old_null != new_null)
			return false;
		if (!old_null &&
			!datum_image_eq(old_value, new_value,
							TupleDescAttr(desc, attnum - 1)->attbyval,
							TupleDescAttr(desc, attnum - 1)->attlen))
			return false;
	}
	return true;
}

/* Whether the predicate, if the index has one, admits the slot's row. */
static bool
is_admitted(IndexInfo *info, EState *estate, TupleTableSlot *slot)
{
	ExprContext *context = GetPerTupleExprContext(estate);

	if (info->ii_Predicate == NIL)
		return true;
	if (info->ii_PredicateState == NULL)
		info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate, estate);
	context->ecxt_scantuple = slot;
	return ExecQual(info->ii_PredicateState, context);
}

static void
add_entry(PoolTable *table, Relation index, IndexInfo *info)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	IndexUniqueCheck check = UNIQUE_CHECK_NO;
	bool		kept;

	if (!is_admitted(info, table->estate, table->new))
		return;
	kept = is_key_kept(info, table) &&
		is_admitted(info, table->estate, table->old);
	/* an index that is being built may not know the old version */
	if (info->ii_Unique && !(kept && index->rd_index->indisvalid))
		check = UNIQUE_CHECK_YES;
	GetPerTupleExprContext(table->estate)->ecxt_scantuple = table->new;
	FormIndexDatum(info, table->new, table->estate, values, nulls);
	index_insert(index, values, nulls, &table->new->tts_tid, table->rel,
				 check, kept, info);
}

/* Whether the index asks for more than is done here. */
static bool
is_for_core(Relation index, const IndexInfo *info)
{
	return info->ii_ExclusionOps != NULL ||
		(info->ii_Unique && !index->rd_index->indimmediate);
}

/*
 * Enters table->new, which has just replaced table->old and is not in its HOT
 * chain.  The indexes are open.  Returns what core has to look at again at the
 * end of the statement: deferred constraints that somebody else has added.
 */
List *
pool_index_entry_add(PoolTable *table, TU_UpdateIndexes which)
{
	ResultRelInfo *target = table->target;

	for (int i = 0; i < target->ri_NumIndices; i++)
		if (is_for_core(target->ri_IndexRelationDescs[i],
						target->ri_IndexRelationInfo[i]))
			return pool_insert_index_tuples(target, table->new,
											table->estate, which);
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		Relation	index = target->ri_IndexRelationDescs[i];
		IndexInfo  *info = target->ri_IndexRelationInfo[i];

		if (info->ii_ReadyForInserts &&
			!(pool_only_summarizing(which) && !pool_is_summarizing(info)))
			add_entry(table, index, info);
	}
	return NIL;
}
