/*
 * config_constraint.c
 *	  CHECK constraints of configuration tables, with something to go by.
 *
 * Core would say which constraint a row violates, and show the row, which may
 * be personal.  The row triggers try the same constraints before it does: they
 * name the columns at fault, and the hint is the comment on the constraint.
 */
#include "compat.h"
#include "config_check.h"

#include "access/sysattr.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "executor/executor.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The constraints of one table, ready for the rows of one command. */
typedef struct Checks
{
	EState	   *estate;
	TupleTableSlot *slot;
	ExprState **checks;
} Checks;

static Checks *
prepare(FmgrInfo *trigger, const CheckedRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(trigger->fn_mcxt);
	Checks	   *result = palloc0(sizeof(Checks));
	TupleConstr *constr = row->desc->constr;

	result->estate = CreateExecutorState();
	MemoryContextSwitchTo(result->estate->es_query_cxt);
	result->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(row->desc),
											&TTSOpsHeapTuple);
	result->checks = palloc0(constr->num_check * sizeof(ExprState *));
	for (int i = 0; i < constr->num_check; i++)
		result->checks[i] =
			ExecPrepareExpr(stringToNode(constr->check[i].ccbin),
							result->estate);
	MemoryContextSwitchTo(old);
	return result;
}

/* Values that say what is wrong, and not who somebody is. */
static bool
may_be_shown(Form_pg_attribute column)
{
	const char *name = NameStr(column->attname);

	return column->atttypid != JSONBOID && strcmp(name, "name") != 0 &&
		strcmp(name, "key") != 0;
}

/* The columns the constraint looks at, and what stands there. */
static char *
describe_columns(const CheckedRow *row, Node *expression)
{
	Bitmapset  *columns = NULL;
	StringInfoData text;
	int			member = -1;

	pull_varattnos(expression, 1, &columns);
	initStringInfo(&text);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		int			attnum = member + FirstLowInvalidHeapAttributeNumber;
		Form_pg_attribute column = TupleDescAttr(row->desc, attnum - 1);
		bool		isnull;
		Datum		value = config_check_column(row, attnum, &isnull);
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(column->atttypid, &output, &is_varlena);
		if (text.len > 0)
			appendStringInfoChar(&text, ' ');
		if (!isnull && !may_be_shown(column))
			appendStringInfo(&text,
							 pool_text("Column \"%s\" is not what it must be."),
							 NameStr(column->attname));
		else
			appendStringInfo(&text, pool_text("Column \"%s\" is %s."),
							 NameStr(column->attname), isnull ? "NULL" :
							 OidOutputFunctionCall(output, value));
	}
	return text.data;
}

static void
refuse(const CheckedRow *row, const ConstrCheck *check)
{
	const char *table = RelationGetRelationName(row->rel);
	Oid			constraint = get_relation_constraint_oid(RelationGetRelid(row->rel),
														 check->ccname, true);
	char	   *comment = GetComment(constraint, ConstraintRelationId, 0);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("new row for relation \"%s\" violates check constraint "
					"\"%s\"", table, check->ccname),
			 errdetail_internal("%s",
								describe_columns(row,
												 stringToNode(check->ccbin))),
			 comment == NULL ? 0 : errhint("%s", comment),
			 errtableconstraint(row->rel, check->ccname)));
}

/* Raises 23514 where core would. */
void
config_check_constraints(FmgrInfo *trigger, const CheckedRow *row)
{
	TupleConstr *constr = row->desc->constr;
	Checks	   *checks = trigger->fn_extra;
	ExprContext *context;

	if (constr == NULL || constr->num_check == 0)
		return;
	if (checks == NULL)
		trigger->fn_extra = checks = prepare(trigger, row);
	context = GetPerTupleExprContext(checks->estate);
	context->ecxt_scantuple = ExecStoreHeapTuple(row->new, checks->slot,
												 false);
	for (int i = 0; i < constr->num_check; i++)
		if (!ExecCheck(checks->checks[i], context))
			refuse(row, &constr->check[i]);
	ExecClearTuple(checks->slot);
	ResetExprContext(context);
}
