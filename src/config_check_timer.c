/*
 * config_check_timer.c
 *	  What a timer rule must be like, beyond what constraints can say.
 */
#include "compat.h"
#include "config_check.h"

#include "catalog/pg_type.h"
#include "config.h"
#include "table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define MAX_REMINDERS 20

static char *
column_text(const CheckedRow *row, int attnum)
{
	bool		isnull;
	Datum		value = config_check_column(row, attnum, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static void
check_reminders(const CheckedRow *row)
{
	bool		isnull;
	Datum		value = config_check_column(row, TIMER_RULE_REMIND_BEFORE, &isnull);
	ArrayType  *array;
	Datum	   *spans;
	bool	   *nulls;
	int			n;

	if (isnull)
		return;
	array = DatumGetArrayTypeP(value);
	deconstruct_array(array, INTERVALOID, sizeof(Interval), false,
					  TYPALIGN_DOUBLE, &spans, &nulls, &n);
	if (ARR_NDIM(array) > 1 || n > MAX_REMINDERS || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is not a list of reminders",
						config_check_name(row, TIMER_RULE_REMIND_BEFORE)),
				 errdetail("It has %d elements; it must have one dimension, "
						   "no NULL and at most %d elements.",
						   n, MAX_REMINDERS),
				 errhint("For example \"{1 day,2 hours}\".")));
	for (int i = 0; i < n; i++)
		config_check_span(row, TIMER_RULE_REMIND_BEFORE, spans[i]);
}

/* What leads of this basis cannot suffer, and what to say instead. */
static const char *
misfit(PoolTimerBasis basis, PoolTimerAction action)
{
	bool		available = basis == POOL_BASIS_ENTRY ||
	basis == POOL_BASIS_REVIEW;

	if (action == POOL_TIMER_ESCALATE)
		return NULL;
	if (basis == POOL_BASIS_APPROVAL)
		return pool_text("Requests can only be escalated; expires_after of "
						 "their approval rule ends them.");
	if (action == POOL_TIMER_RECLAIM && available)
		return pool_text("Nobody owns such leads: they can be moved, archived "
						 "or escalated, those in review only archived or "
						 "escalated.");
	if (action == POOL_TIMER_MOVE && basis == POOL_BASIS_REVIEW)
		return pool_text("Leads in review can be archived or escalated.");
	return NULL;
}

/* Unknown words are left to the constraints. */
static void
check_timer_action(const CheckedRow *row)
{
	char	   *basis_name = column_text(row, TIMER_RULE_BASIS);
	char	   *action_name = column_text(row, TIMER_RULE_ACTION);
	int			basis = basis_name == NULL ? -1 : pool_timer_basis(basis_name);
	int			action = action_name == NULL ? -1 :
	pool_timer_action(action_name);
	const char *hint = basis < 0 || action < 0 ? NULL : misfit(basis, action);

	if (hint != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timer rule cannot %s on basis \"%s\"",
						action_name, basis_name),
				 errdetail("The basis says which leads the rule is about."),
				 errhint("%s", hint)));
	if (action == POOL_TIMER_MOVE &&
		!config_check_is_null(row, TIMER_RULE_TO_POOL_ID) &&
		config_check_id(row, row->new, TIMER_RULE_TO_POOL_ID) ==
		config_check_id(row, row->new, TIMER_RULE_POOL_ID))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timer rule cannot move leads to their own pool"),
				 errdetail("They would enter it anew each time."),
				 errhint("Name another pool in to_pool_id, or NULL for the "
						 "parent.")));
}

static void
refuse_months(const CheckedRow *row, int attnum)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" has months, but counts working time",
					config_check_name(row, attnum)),
			 errdetail("Months differ in their working days."),
			 errhint("Give working days or hours, for example \"20 days\".")));
}

/* How many there are; they have been checked. */
static int
read_reminders(const CheckedRow *row, Datum **spans)
{
	bool		isnull;
	Datum		value = config_check_column(row, TIMER_RULE_REMIND_BEFORE, &isnull);
	int			n;

	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(value), INTERVALOID,
					  sizeof(Interval), false, TYPALIGN_DOUBLE, spans, NULL,
					  &n);
	return n;
}

/*
 * A reminder that comes longer before the end than the whole time lasts would
 * always come at once.  Rules of basis planned count from a time that is known
 * before it comes.
 */
static void
check_lead_time(const CheckedRow *row)
{
	char	   *basis = column_text(row, TIMER_RULE_BASIS);
	bool		isnull;
	Datum		after = config_check_column(row, TIMER_RULE_AFTER, &isnull);

	Datum	   *spans;
	int			n;

	if (isnull || basis == NULL ||
		pool_timer_basis(basis) == POOL_BASIS_PLANNED)
		return;
	n = read_reminders(row, &spans);
	for (int i = 0; i < n; i++)
		if (DatumGetBool(DirectFunctionCall2(interval_gt, spans[i], after)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is longer than column \"%s\"",
							config_check_name(row, TIMER_RULE_REMIND_BEFORE),
							config_check_name(row, TIMER_RULE_AFTER)),
					 errdetail("The rule acts after %s and is to remind %s "
							   "before that.",
							   DatumGetCString(DirectFunctionCall1(interval_out,
																   after)),
							   DatumGetCString(DirectFunctionCall1(interval_out,
																   spans[i]))),
					 errhint("Remind later, or let the rule act later.")));
}

/* A month has no length in working days. */
static void
check_working_time(const CheckedRow *row)
{
	bool		isnull;
	Datum		value = config_check_column(row, TIMER_RULE_WORKING_TIME, &isnull);
	Datum	   *spans;
	int			n;

	if (isnull || !DatumGetBool(value))
		return;
	value = config_check_column(row, TIMER_RULE_AFTER, &isnull);
	if (!isnull && DatumGetIntervalP(value)->month != 0)
		refuse_months(row, TIMER_RULE_AFTER);
	n = read_reminders(row, &spans);
	for (int i = 0; i < n; i++)
		if (DatumGetIntervalP(spans[i])->month != 0)
			refuse_months(row, TIMER_RULE_REMIND_BEFORE);
}

/* Raises 22023 for a rule that could never do what it says. */
void
config_check_timer(const CheckedRow *row)
{
	check_reminders(row);
	check_timer_action(row);
	check_working_time(row);
	check_lead_time(row);
}
