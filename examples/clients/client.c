/*
 * Claiming and consuming events from C, with libpq.  README.md tells what to
 * look at.
 *
 *   client claim POOL ...       claim one lead of each pool
 *   client events CONSUMER      print what is new, then acknowledge it
 *
 * cc client.c -o client -I"$(pg_config --includedir)" -lpq
 *
 * The connection is that of the usual PGHOST, PGPORT, PGUSER, PGDATABASE.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static PGconn *connection;

/* The result of a query with text parameters; the caller clears it. */
static PGresult *
query(const char *sql, int n, const char *const *arguments)
{
	if (connection == NULL)
		connection = PQconnectdb("");
	else if (PQstatus(connection) != CONNECTION_OK)
		PQreset(connection);
	return PQexecParams(connection, sql, n, NULL, arguments, NULL, NULL, 0);
}

/* Empty where the server had no chance to say one. */
static const char *
sqlstate(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state != NULL ? state : "";
}

static const char *
rejected(const char *state)
{
	static const char *const texts[][2] = {
		{"PO001", "there is no such pool"},
		{"PO002", "this login belongs to no member"},
		{"PO003", "you are not a member of this pool"},
		{"42501", "this login has no access; see pool.grant_access"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		if (strcmp(texts[i][0], state) == 0)
			return texts[i][1];
	}
	return NULL;
}

/*
 * Worth another try: the connection is gone, or the server asks to repeat the
 * transaction.
 */
static int
passing(const char *state)
{
	return state[0] == '\0' || strncmp(state, "08", 2) == 0 ||
		strncmp(state, "57P", 3) == 0 || strcmp(state, "40001") == 0 ||
		strcmp(state, "40P01") == 0;
}

static void
fail(const char *message)
{
	fprintf(stderr, "%s", message);
	exit(1);
}

static void
make_uuid(char text[37])
{
	unsigned char b[16];
	FILE	   *random = fopen("/dev/urandom", "rb");

	if (random == NULL || fread(b, sizeof(b), 1, random) != 1)
		fail("no random numbers\n");
	fclose(random);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			 "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5],
			 b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/*
 * Claims once, however often it has to ask.  Nobody can know whether a request
 * whose answer got lost was carried out; so the same request id goes along
 * again, and the answer is the first one.
 */
static PGresult *
claim_one(const char *pool)
{
	char		request_id[37];
	const char *const arguments[] = {pool, request_id};
	PGresult   *result;

	make_uuid(request_id);
	for (int attempt = 1;; attempt++)
	{
		result = query("SELECT outcome, key, limit_value, used, "
					   "to_char(retry_at, 'YYYY-MM-DD HH24:MI') "
					   "FROM pool.claim($1, request_id => $2)", 2, arguments);
		if (PQresultStatus(result) == PGRES_TUPLES_OK ||
			!passing(sqlstate(result)) || attempt == 5)
			return result;
		PQclear(result);
		usleep(100000 << attempt);
	}
}

/* What an outcome means to the person who pressed the button. */
static void
tell(const char *pool, const PGresult *lead)
{
	const char *outcome = PQgetvalue(lead, 0, 0);

	printf("%s: %s", pool, outcome);
	if (strcmp(outcome, "claimed") == 0)
		printf(" %s", PQgetvalue(lead, 0, 1));
	else if (strcmp(outcome, "empty") == 0 ||
			 strcmp(outcome, "none_allowed") == 0)
		printf(": nothing here for you now");
	else if (strcmp(outcome, "contended") == 0)
		printf(": others are taking the last ones, try again");
	else if (strcmp(outcome, "hold_limit") == 0 ||
			 strcmp(outcome, "claim_limit") == 0)
		printf(": %s of %s", PQgetvalue(lead, 0, 3), PQgetvalue(lead, 0, 2));
	else if (strcmp(outcome, "too_soon") == 0)
		printf(": again at %s", PQgetvalue(lead, 0, 4));
	else if (strcmp(outcome, "away") == 0)
		printf(": you are not at work");
	else if (strcmp(outcome, "pool_disabled") == 0)
		printf(": this pool is closed");
	/* later versions may know more */
	printf("\n");
}

static void
claim(const char *pool)
{
	PGresult   *result = claim_one(pool);
	const char *state = sqlstate(result);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		tell(pool, result);
	else if (rejected(state) != NULL)
		printf("%s: %s: %s\n", pool, state, rejected(state));
	else
		fail(PQerrorMessage(connection));
	PQclear(result);
}

/*
 * Each event at least once: after a crash before ack() the same ones come
 * again, so do with them what may be done twice.
 */
static int
events(const char *consumer)
{
	const char *arguments[] = {consumer, NULL};
	PGresult   *result = query("SELECT position, kind, key, member "
							   "FROM pool.poll($1, 100)", 1, arguments);
	int			n = PQntuples(result);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail(PQerrorMessage(connection));
	for (int i = 0; i < n; i++)
		printf("%s %s %s\n", PQgetvalue(result, i, 1), PQgetvalue(result, i, 2),
			   PQgetisnull(result, i, 3) ? "-" : PQgetvalue(result, i, 3));
	if (n > 0)
	{
		PGresult   *ack;

		arguments[1] = PQgetvalue(result, n - 1, 0);
		ack = query("SELECT pool.ack($1, $2)", 2, arguments);
		if (PQresultStatus(ack) != PGRES_TUPLES_OK)
			fail(PQerrorMessage(connection));
		PQclear(ack);
	}
	PQclear(result);
	return n;
}

int
main(int argc, char **argv)
{
	if (argc < 3)
		fail("client claim POOL ... | events CONSUMER\n");
	if (strcmp(argv[1], "events") == 0)
	{
		while (events(argv[2]) > 0)
			;					/* a service would sleep and go on */
	}
	else
	{
		for (int i = 2; i < argc; i++)
			claim(argv[i]);
	}
	PQfinish(connection);
	return 0;
}
