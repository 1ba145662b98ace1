/*
 * attempt.c
 *	  Work that may fail without harm to other work.
 *
 * A tick does much in one transaction.  Each unit is tried in a subtransaction:
 * what fails is undone and told of, and the rest goes on.
 */
#include "compat.h"
#include "attempt.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* with more failures than this, everything may be broken: the whole is given up */
#define MAX_FAILURES 50
/* a lock timeout counts as this many failures, for the time it may have taken */
#define FAILURES_PER_LOCK 5

static int	running = 0;		/* attempts, one in another */
static int	rehearsing = 0;		/* those of them whose errors go through */

/* Whether this is part of an attempt: an error now fails only that. */
bool
pool_attempt_is_running(void)
{
	return running > 0;
}

/* Whether to leave what others hold for another time, rather than wait. */
bool
pool_attempt_may_fail(void)
{
	return running > rehearsing;
}

/* Whether an error comes from what others hold: the next time will do. */
bool
pool_attempt_is_passing(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/*
 * Does the work in a subtransaction, which is rolled back if the work fails or
 * if `keep` is false.  Returns NULL, or the error.  Errors of the release itself
 * are caught, too: leaving the subtransaction open would leave the session stuck
 * in a failed transaction.
 */
static ErrorData *
run(void (*work) (void *arg), void *arg, bool keep)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	running++;
	rehearsing += !keep;
	PG_TRY();
	{
		work(arg);
		if (keep)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	running--;
	rehearsing -= !keep;
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * Does the work, or undoes it and returns the error; cancel and shutdown are
 * rethrown.  What `work` has written to *arg stays in either case.
 */
ErrorData *
pool_attempt(void (*work) (void *arg), void *arg)
{
	ErrorData  *error = run(work, arg, true);

	if (error != NULL && (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
						  error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN))
		ReThrowError(error);
	return error;
}

/* Does the work and undoes it; errors are rethrown. */
void
pool_rehearse(void (*work) (void *arg), void *arg)
{
	ErrorData  *error = run(work, arg, false);

	if (error != NULL)
		ReThrowError(error);
}

/* ------------------------------------------------------------------------
 * Parts of a whole
 * ------------------------------------------------------------------------ */

typedef struct Part
{
	const PoolParts *parts;
	int			from;
	int			n;
	int		   *failures;		/* left */
} Part;

static void
work_on_part(void *arg)
{
	const Part *part = arg;

	part->parts->work(part->parts->arg, part->from, part->n);
}

/*
 * Whether the next time will do.  If we wait for locks ourselves, a refused one
 * passes; if not, somebody's trigger was refused it, and may be each time.
 */
static bool
gives_way(const PoolParts *parts, int sqlerrcode)
{
	return pool_attempt_is_passing(sqlerrcode) &&
		(parts->waits || sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE);
}

/*
 * How many things make the first half, as near to the middle as those that must
 * stay together allow; 0 if the part cannot be split.
 */
static int
first_half(const Part *part)
{
	const PoolParts *parts = part->parts;

	for (int distance = 0; distance <= part->n / 2; distance++)
	{
		int			low = part->n / 2 - distance;
		int			high = part->n / 2 + distance;

		if (low > 0 && (parts->joined == NULL ||
						!parts->joined(parts->arg, part->from + low)))
			return low;
		if (high < part->n && (parts->joined == NULL ||
							   !parts->joined(parts->arg, part->from + high)))
			return high;
	}
	return 0;
}

/* NULL, or the error for which the whole is given up. */
static ErrorData *
try_part(Part part)
{
	ErrorData  *error = pool_attempt(work_on_part, &part);
	Part		half = part;

	if (error == NULL)
		return NULL;
	if (gives_way(part.parts, error->sqlerrcode) || *part.failures <= 0)
		return error;
	*part.failures -= error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ?
		FAILURES_PER_LOCK : 1;
	half.n = first_half(&part);
	if (half.n == 0)
	{
		for (int i = 0; i < part.n; i++)
			part.parts->failed(part.parts->arg, part.from + i, error);
		return NULL;
	}
	error = try_part(half);
	if (error != NULL)
		return error;
	half.from += half.n;
	half.n = part.n - half.n;
	return try_part(half);
}

/*
 * Works on n things, all at once if that succeeds; else on each half by itself,
 * and so on, so that only those fail that fail alone.  Returns NULL, or the
 * error for which the rest was given up: a passing one, or one too many.
 */
ErrorData *
pool_attempt_parts(const PoolParts *parts, int n)
{
	int			failures = MAX_FAILURES;
	Part		all = {parts, 0, n, &failures};

	return try_part(all);
}

/* ------------------------------------------------------------------------
 * Telling
 * ------------------------------------------------------------------------ */

/*
 * Warns of an error, unless it will pass by itself; a lock refused to a single
 * lead (lead_id, 0 = none) need not pass, so that is reported.  The message of
 * the error may hold personal data, so only its SQLSTATE is shown.
 */
void
pool_attempt_report(const ErrorData *error, const char *what, int64 lead_id)
{
	const char *code = unpack_sql_state(error->sqlerrcode);

	if ((pool_attempt_is_passing(error->sqlerrcode) &&
		 (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE || lead_id == 0)) ||
		error->sqlerrcode == ERRCODE_OBJECT_IN_USE)
		return;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("%s failed", what),
			 lead_id == 0 ?
			 errdetail("SQLSTATE %s.", code) :
			 errdetail("SQLSTATE %s, at lead %lld.", code, (long long) lead_id),
			 errhint("The rest goes on; ticks try again what is still "
					 "due.")));
}
