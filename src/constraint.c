/*
 * constraint.c
 *	  CHECK constraints prepared once per session.
 *
 * Core prepares a table's CHECK constraints anew for every ResultRelInfo: a
 * quarter of the time of a claim.  The result depends on nothing but the
 * constraints, so it is kept until the table's definition changes and handed
 * to core where core would keep its own.
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
} Prepared;

static Prepared prepared[POOL_TABLE_COUNT];

static void
forget(Datum arg, Oid relid)
{
	/* freed when prepared anew: somebody may be using it just now */
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

	if (entry->estate != NULL)
		FreeExecutorState(entry->estate);
	entry->estate = NULL;
	old = MemoryContextSwitchTo(TopMemoryContext);
	entry->estate = CreateExecutorState();
	MemoryContextSwitchTo(entry->estate->es_query_cxt);
	entry->checks = palloc0(constr->num_check * sizeof(ExprState *));
	for (int i = 0; i < constr->num_check; i++)
		entry->checks[i] = ExecPrepareExpr(stringToNode(constr->check[i].ccbin),
										   entry->estate);
	MemoryContextSwitchTo(old);
	entry->relid = RelationGetRelid(rel);
}

/* Gives an opened table its prepared constraints. */
void
pool_constraint_prepare(PoolTableId id, ResultRelInfo *target)
{
	Relation	rel = target->ri_RelationDesc;
	Prepared   *entry = &prepared[id];

	if (RelationGetDescr(rel)->constr == NULL ||
		RelationGetDescr(rel)->constr->num_check == 0)
		return;
	if (entry->relid != RelationGetRelid(rel))
		prepare(entry, rel);
	target->pool_check_exprs = entry->checks;
}
