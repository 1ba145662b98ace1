/*
 * constraint.c
 *	  CHECK constraints and predicates of indexes prepared once per session.
 *
 * Core prepares a table's CHECK constraints anew for every ResultRelInfo, a
 * quarter of the time of a claim, and the predicates of partial indexes too.
 * The result depends on nothing but the definitions, so it is kept until the
 * table's definition changes and handed to core where core would keep its own.
 */
#include "constraint.h"

#include "executor/executor.h"
#include "nodes/nodes.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct Prepared
{
	Oid			relid;			/* InvalidOid = not prepared */
	EState	   *estate;			/* owns what follows */
	ExprState **checks;
	int			nindexes;		/* 0 = indexes not prepared */
	ExprState **predicates;		/* of each index, NULL = it has none */
} Prepared;

static Prepared prepared[POOL_TABLE_COUNT];

static void
forget(Datum arg, Oid relid)
{
	for (int i = 0; i < POOL_TABLE_COUNT; i++)
		if (!OidIsValid(relid) || prepared[i].relid == relid)
			prepared[i].relid = InvalidOid;
}

void
pool_constraint_init(void)
{
	CacheRegisterRelcacheCallback(forget, (Datum) 0);
}

static void
prepare(Prepared *entry, Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	MemoryContext old;

	/* a call that fired the trigger we are in may go on with it */
	if (entry->estate != NULL)
		MemoryContextSetParent(entry->estate->es_query_cxt,
							   TopTransactionContext);
	memset(entry, 0, sizeof(Prepared));
	old = MemoryContextSwitchTo(TopMemoryContext);
	entry->estate = CreateExecutorState();
	MemoryContextSwitchTo(entry->estate->es_query_cxt);
	if (constr != NULL && constr->num_check > 0)
		entry->checks = palloc0(constr->num_check * sizeof(ExprState *));
	for (int i = 0; entry->checks != NULL && i < constr->num_check; i++)
		entry->checks[i] = ExecPrepareExpr(stringToNode(constr->check[i].ccbin),
										   entry->estate);
	MemoryContextSwitchTo(old);
	entry->relid = RelationGetRelid(rel);
}

/* Gives a table to be written its prepared constraints. */
void
pool_constraint_prepare(PoolTableId id, ResultRelInfo *target)
{
	Prepared   *entry = &prepared[id];

	if (entry->relid != RelationGetRelid(target->ri_RelationDesc))
		prepare(entry, target->ri_RelationDesc);
	target->pool_check_exprs = entry->checks;
}

static void
prepare_predicates(Prepared *entry, ResultRelInfo *target)
{
	MemoryContext old = MemoryContextSwitchTo(entry->estate->es_query_cxt);

	entry->predicates = palloc0(target->ri_NumIndices * sizeof(ExprState *));
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		List	   *predicate = target->ri_IndexRelationInfo[i]->ii_Predicate;

		if (predicate != NIL)
			entry->predicates[i] = ExecPrepareQual(copyObject(predicate),
												   entry->estate);
	}
	entry->nindexes = target->ri_NumIndices;
	MemoryContextSwitchTo(old);
}

/* Gives the indexes just opened their prepared predicates. */
void
pool_constraint_prepare_indexes(PoolTableId id, ResultRelInfo *target)
{
	Prepared   *entry = &prepared[id];

	/* opening them may have told of a new definition */
	if (entry->relid != RelationGetRelid(target->ri_RelationDesc))
		return;
	if (entry->nindexes == 0)
		prepare_predicates(entry, target);
	for (int i = 0; i < target->ri_NumIndices; i++)
		target->ri_IndexRelationInfo[i]->ii_PredicateState =
			entry->predicates[i];
}
