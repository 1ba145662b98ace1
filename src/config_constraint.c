/*
 * config_constraint.c
 *	  What the constraints of the configuration tables say to whoever breaks
 *	  them.
 *
 * Core would name the constraint and print the row, which tells nobody what is
 * allowed and puts names of people into the server's log.  So the triggers that
 * check rows look first, and say it with what the constraint says.
 */
#include "compat.h"
#include "config_check.h"

#include "executor/executor.h"
#include "nodes/nodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

static void
check_not_null(const CheckedRow *row)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		if (!TupleDescAttr(row->desc, i)->attnotnull ||
			!config_check_is_null(row, i + 1))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of relation \"%s\" violates not-null constraint",
						config_check_name(row, i + 1),
						RelationGetRelationName(row->rel)),
				 errdetail("The column always has a value."),
				 errhint("Give one, or leave the column out where it has a default."),
				 errtablecol(row->rel, i + 1)));
	}
}

static void
report_check(const CheckedRow *row, const ConstrCheck *check)
{
	Datum		says = DirectFunctionCall2(pg_get_expr,
										   CStringGetTextDatum(check->ccbin),
										   ObjectIdGetDatum(RelationGetRelid(row->rel)));

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("new row for relation \"%s\" violates check constraint \"%s\"",
					RelationGetRelationName(row->rel), check->ccname),
			 errdetail("It demands %s.", TextDatumGetCString(says)),
			 errhint("The comments of the table's columns say what they mean."),
			 errtableconstraint(row->rel, check->ccname)));
}

/* Raises 23502 or 23514 for a row that core would refuse. */
void
config_check_constraints(const CheckedRow *row)
{
	TupleConstr *constr = row->desc->constr;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(row->desc,
													&TTSOpsHeapTuple);
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);

	check_not_null(row);
	ExecStoreHeapTuple(row->new, slot, false);
	econtext->ecxt_scantuple = slot;
	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		Expr	   *expr = stringToNode(constr->check[i].ccbin);

		if (!ExecCheck(ExecPrepareExpr(expr, estate), econtext))
			report_check(row, &constr->check[i]);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}
