# Nothing claimable is ever hidden: each way it could happen, what
# shared memory remembers of the queues against what the table says.
#
# Each case has a database of its own, and pools with leads numbered from 1,
# best first.  It ends with settled(): verify() finds nothing, and claiming until
# `empty` returns exactly the available leads, in exactly their order.
#
#   CASES=  only the cases whose names match
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $full = $ENV{FULL};
our $db;
my $pools = 0;

sub new_node
{
	my ($name, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%init);
	$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
max_prepared_transactions = 10
autovacuum = off
fsync = off
timezone = 'UTC'
restart_after_crash = on
CONF
	$node->start;
	return $node;
}

# What the cases speak in.
sub prepare_database
{
	my ($node) = @_;
	$node->safe_psql($db, <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss'), ('drainer');
CREATE SCHEMA t;
CREATE TABLE t.drained (pool text, n bigint GENERATED ALWAYS AS IDENTITY,
	id bigint);

CREATE PROCEDURE t.make(pool text, leads int, cooldown interval)
LANGUAGE sql BEGIN ATOMIC
	INSERT INTO pool.pool (name, cooldown) VALUES (pool, cooldown);
	INSERT INTO pool.membership (pool_id, member_id, role)
	SELECT p.id, m.id, CASE m.key WHEN 'boss' THEN 'manager' ELSE 'member' END
	FROM pool.pool p, pool.member m WHERE p.name = pool;
	INSERT INTO pool.intake (pool, key)
	SELECT pool, pool || '#' || g FROM generate_series(1, leads) g;
END;

-- numbers of the leads, or why there are none
CREATE FUNCTION t.claim(pool text, member text, n int) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(coalesce(split_part(c.key, '#', 2), c.outcome), ' '
		ORDER BY c.ordinality)
	FROM pool.claim(pool, member, n) WITH ORDINALITY c
$$;
CREATE FUNCTION t.id(pool text, number int) RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT pool.lead_id(pool || '#' || number) $$;
CREATE FUNCTION t.ids(pool text, first int, last int) RETURNS bigint[]
LANGUAGE sql STABLE AS $$
	SELECT array_agg(t.id(pool, g) ORDER BY g)
	FROM generate_series(first, last) g
$$;

-- claims until nothing comes any more, each claim a transaction
CREATE PROCEDURE t.drain(pool_name text, chunk int) LANGUAGE plpgsql AS $$
DECLARE
	got bigint;
BEGIN
	DELETE FROM t.drained d WHERE d.pool = pool_name;
	LOOP
		INSERT INTO t.drained (pool, id)
		SELECT pool_name, c.lead_id
		FROM pool.claim(pool_name, 'drainer', chunk) WITH ORDINALITY c
		WHERE c.lead_id IS NOT NULL
		ORDER BY c.ordinality;
		GET DIAGNOSTICS got = ROW_COUNT;
		COMMIT;
		EXIT WHEN got = 0;
	END LOOP;
END $$;

CREATE FUNCTION t.expected(pool_name text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(s.id::text, ' ' ORDER BY s.ticket), '')
	FROM pool.lead_state s JOIN pool.pool p ON p.id = s.pool_id
	WHERE p.name = pool_name AND s.status = 'available'
$$;
CREATE FUNCTION t.result(pool_name text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(d.id::text, ' ' ORDER BY d.n), '')
	FROM t.drained d WHERE d.pool = pool_name
$$;
SQL
	return;
}

# A pool of this many leads.
sub new_pool
{
	my ($node, $leads, $cooldown) = @_;
	my $pool = 'p' . ++$pools;
	$cooldown = defined $cooldown ? "'$cooldown'" : 'NULL';
	$node->safe_psql($db, "CALL t.make('$pool', $leads, $cooldown)");
	return $pool;
}

sub session
{
	my ($node) = @_;
	my $session = $node->background_psql($db, on_error_stop => 0);
	$session->set_query_timer_restart;
	return $session;
}

sub claim
{
	my ($session, $pool, $member, $n) = @_;
	return $session->query_safe("SELECT t.claim('$pool', '$member', $n)");
}

# A statement that fails, and with what.
sub fails
{
	my ($session, $query, $error, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$session->query($query);
	like($session->{stderr}, $error, $what);
	$session->{stderr} = '';
	return;
}

# The numbers from one to another, as claim() shows them.
sub numbers
{
	my ($first, $last) = @_;
	return join ' ', $first .. $last;
}

# The number of the backend's process, and waiting until it waits for a lock.
sub pid_of
{
	my ($session) = @_;
	return $session->query_safe('SELECT pg_backend_pid()');
}

sub wait_until_blocked
{
	my ($node, $pid) = @_;
	$node->poll_query_until($db,
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid"
	) or die "process $pid does not wait";
	return;
}

sub verified
{
	my ($node, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($db, 'SELECT * FROM pool.verify()'),
		'', "$what: verify() finds nothing");
}

sub drained
{
	my ($node, $pool, $what, $chunk) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$chunk //= 1 + ($pools * 7) % 40;
	my $expected = $node->safe_psql($db, "SELECT t.expected('$pool')");
	$node->safe_psql($db, "SET statement_timeout = '3min';\n"
		  . "CALL t.drain('$pool', $chunk);");
	my $result = $node->safe_psql($db, "SELECT t.result('$pool')");
	ok($result eq $expected, "$what: all that is available, in order")
	  or diag("expected $expected\ngot      $result");
	is($node->safe_psql($db, "SELECT t.claim('$pool', 'drainer', 1)"),
		'empty', "$what: then empty");
	return;
}

sub settled
{
	my ($node, $pool, $what, $chunk) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	verified($node, $what);
	drained($node, $pool, $what, $chunk);
	return;
}

my $node = new_node('hints');

# ----------------------------------------------------------------------------
# Claims that are taken back
# ----------------------------------------------------------------------------

sub rolled_back_claims
{
	my $pool = new_pool($node, 1500);
	my ($ann, $bob) = (session($node), session($node));

	$ann->query_safe('BEGIN');
	is(claim($ann, $pool, 'ann', 1200), numbers(1, 1200), '1,200 claims');
	is(claim($bob, $pool, 'bob', 3), numbers(1201, 1203),
		'others go on behind them');
	verified($node, 'open claims');
	$ann->query_safe('ROLLBACK');
	is(claim($bob, $pool, 'bob', 300), numbers(1, 300),
		'all are served again at once, best first');
	$ann->query_safe('BEGIN');
	foreach my $i (301 .. 500)
	{
		$ann->query_safe("SELECT t.claim('$pool', 'ann', 1)");
	}
	$ann->query_safe('ROLLBACK');
	settled($node, $pool, 'rolled back', 100);

	# more than a transaction remembers one by one
	$pool = new_pool($node, 10_000);
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT t.claim('$pool', 'ann', 9000)");
	is(claim($bob, $pool, 'bob', 1), '9001', 'behind 9,000 open claims');
	$ann->query_safe('SAVEPOINT s');
	is(claim($ann, $pool, 'ann', 2), '9002 9003', 'two more');
	$ann->query_safe('ROLLBACK TO s');
	is(claim($bob, $pool, 'bob', 1), '9002', 'taken back to the savepoint');
	$ann->query_safe('ROLLBACK');
	is(claim($bob, $pool, 'bob', 2), '1 2', 'after 9,000 were rolled back');
	settled($node, $pool, '9,000 rolled back', 3000);

	$pool = new_pool($node, 9_500);
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT t.claim('$pool', 'ann', 9000)");
	$ann->query_safe('COMMIT');
	settled($node, $pool, '9,000 committed', 1);
	$_->quit foreach ($ann, $bob);
	return;
}

sub savepoints
{
	my $pool = new_pool($node, 400);
	my ($ann, $bob) = (session($node), session($node));

	$ann->query_safe('BEGIN');
	is(claim($ann, $pool, 'ann', 2), '1 2', 'before the savepoint');
	$ann->query_safe('SAVEPOINT a');
	is(claim($ann, $pool, 'ann', 100), numbers(3, 102), 'in a');
	$ann->query_safe('SAVEPOINT b');
	is(claim($ann, $pool, 'ann', 100), numbers(103, 202), 'in b');
	$ann->query_safe('ROLLBACK TO b');
	is(claim($bob, $pool, 'bob', 2), '103 104', 'others get those of b');
	is(claim($ann, $pool, 'ann', 1), '105', 'and so does he himself');
	$ann->query_safe('RELEASE b');
	$ann->query_safe('ROLLBACK TO a');
	is(claim($ann, $pool, 'ann', 2), '3 4',
		'his own claims were not dead for certain');
	is(claim($bob, $pool, 'bob', 2), '5 6', 'nor for others');
	$ann->query_safe('COMMIT');

	# an exception block, and a claim that fails in the end
	$ann->query_safe(<<"SQL");
DO \$\$
BEGIN
	FOR i IN 1..50 LOOP
		BEGIN
			PERFORM pool.claim('$pool', 'ann', 3);
			IF i % 2 = 0 THEN
				RAISE EXCEPTION 'undo';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END LOOP;
END \$\$
SQL
	fails($ann, "SELECT t.claim('$pool', 'ann', 5), 1 / (length('$pool') * 0)",
		qr/division by zero/, 'a claim in a statement that fails');
	settled($node, $pool, 'savepoints');
	$_->quit foreach ($ann, $bob);
	return;
}

# ----------------------------------------------------------------------------
# The frontier goes back
# ----------------------------------------------------------------------------

sub frontier_back
{
	my $pool = new_pool($node, 500);
	my ($ann, $bob) = (session($node), session($node));
	my $first = "t.id('$pool', 1)";

	is(claim($ann, $pool, 'ann', 300), numbers(1, 300), 'far ahead');
	$ann->query_safe("SELECT * FROM pool.edit(t.id('$pool', 450), "
		  . 'priority => 50)');
	is(claim($bob, $pool, 'bob', 1), '450', 'a new priority comes first');
	$ann->query_safe(
		"SELECT * FROM pool.release(t.ids('$pool', 7, 9), member => 'ann');"
		  . "SELECT * FROM pool.edit(t.id('$pool', 8), priority => 1)");
	is(claim($bob, $pool, 'bob', 2), '8 301',
		'released and raised, it comes first; the others come last');
	$ann->query_safe("SELECT * FROM pool.edit(t.id('$pool', 302), "
		  . 'priority => 2);'
		  . "SELECT * FROM pool.edit(t.id('$pool', 302), priority => 0)");
	is(claim($bob, $pool, 'bob', 1), '303',
		'raised and lowered, it is the newest of its band');

	# uncommitted, they are not there
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT * FROM pool.edit(t.id('$pool', 440), "
		  . 'priority => 90)');
	$ann->query_safe("SELECT * FROM pool.release(t.ids('$pool', 20, 29), "
		  . "member => 'ann')");
	is(claim($bob, $pool, 'bob', 2), '304 305', 'nothing of it yet');
	is(claim($ann, $pool, 'ann', 1), '440', 'for himself it is there');
	$ann->query_safe('ROLLBACK');
	is(claim($bob, $pool, 'bob', 1), '306', 'nor after the rollback');
	is($bob->query_safe("SELECT outcome FROM "
			  . "pool.claim_leads(ARRAY[t.id('$pool', 440)], 'bob')"),
		'claimed', 'it is where it was');

	# back with a rollback while others scan
	$ann->query_safe('BEGIN');
	claim($ann, $pool, 'ann', 5);
	$ann->query_safe(
		"SELECT * FROM pool.claim_leads(t.ids('$pool', 330, 333), 'ann')");
	$ann->query_safe("SELECT * FROM pool.assign(t.ids('$pool', 340, 342), "
		  . "'drainer', actor => 'boss')");
	$ann->query_safe("SELECT * FROM pool.archive(t.ids('$pool', 350, 352), "
		  . "'lost', actor => 'boss')");
	is(claim($bob, $pool, 'bob', 45), join(' ', 312 .. 329, 334 .. 339,
			343 .. 349, 353 .. 366), 'around what others hold');
	$ann->query_safe('ROLLBACK');
	is(claim($bob, $pool, 'bob', 9), join(' ', 307 .. 311, 330 .. 333),
		'all that was held comes back');
	settled($node, $pool, 'frontier');

	# into another pool and back
	my $other = new_pool($node, 20);
	$pool = new_pool($node, 20);
	is(claim($bob, $other, 'bob', 20), numbers(1, 20), 'all of the other');
	is(claim($bob, $pool, 'bob', 5), numbers(1, 5), 'some of this');
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT * FROM pool.move(t.ids('$pool', 6, 10), "
		  . "'$other', 'boss')");
	$ann->query_safe("SELECT * FROM pool.release(t.ids('$pool', 2, 3), "
		  . "to_pool => '$other', member => 'bob')");
	is(claim($bob, $other, 'bob', 1), 'empty', 'not there yet');
	is(claim($bob, $pool, 'drainer', 1), '11', 'but held');
	$ann->query_safe('COMMIT');
	is(claim($bob, $other, 'bob', 3), '6 7 8', 'arrived');
	settled($node, $pool, 'moved from');
	settled($node, $other, 'moved to');
	is($ann->query_safe("SELECT string_agg(outcome, ' ') FROM "
			  . "pool.archive(t.ids('$pool', 1, 9), 'lost', 'boss')"),
		join(' ', ('archived') x 9), 'archived');
	$ann->query_safe("SELECT * FROM pool.reopen(t.ids('$pool', 4, 5), "
		  . "'$pool', 'boss')");
	$ann->query_safe("SELECT * FROM pool.enter('$pool', '$pool#9')");
	is(claim($bob, $pool, 'bob', 5), '4 5 9', 'reopened');
	settled($node, $pool, 'reopened');
	$_->quit foreach ($ann, $bob);
	return;
}

# Leads that one member may not have stay for the others.
sub barred
{
	my $pool = new_pool($node, 300, '1 day');
	my ($ann, $bob) = (session($node), session($node));

	claim($ann, $pool, 'ann', 300);
	$ann->query_safe("SELECT * FROM pool.release(t.ids('$pool', 1, 300), "
		  . "member => 'ann')");
	is(claim($ann, $pool, 'ann', 5), 'none_allowed', 'none for him');
	$bob->query_safe('BEGIN');
	is(claim($bob, $pool, 'bob', 2), '1 2', 'but for others');
	$bob->query_safe("SELECT * FROM pool.release(t.ids('$pool', 1, 2), "
		  . "member => 'bob')");
	is(claim($bob, $pool, 'bob', 1), '3', 'others, in the same transaction');
	$ann->query_safe('BEGIN');
	is(claim($ann, $pool, 'ann', 5), 'contended',
		'one that is held might be for him');
	is($node->safe_psql($db, "SELECT t.claim('$pool', 'drainer', 2)"),
		'4 5', 'what he has passed stays available');
	$ann->query_safe('COMMIT');
	$bob->query_safe('COMMIT');
	is(claim($ann, $pool, 'ann', 5), 'none_allowed', 'none again');
	settled($node, $pool, 'barred');
	$_->quit foreach ($ann, $bob);
	return;
}

# ----------------------------------------------------------------------------
# Entries that commit behind others' backs
# ----------------------------------------------------------------------------

sub late_commits
{
	my $pool = new_pool($node, 30);
	my ($ann, $bob) = (session($node), session($node));
	my $enter = "SELECT * FROM pool.enter('$pool', '$pool#";

	$ann->query_safe('BEGIN');
	$ann->query_safe($enter . "31')");
	$ann->query_safe('SAVEPOINT s');
	$ann->query_safe($enter . "32')");
	$ann->query_safe('ROLLBACK TO s');
	$ann->query_safe($enter . "33', priority => 5)");
	$bob->query_safe($enter . "34')");
	is(claim($bob, $pool, 'bob', 29), numbers(1, 29), 'those before');
	is(claim($bob, $pool, 'bob', 5), '30 34', 'and the one behind');
	is(claim($bob, $pool, 'bob', 5), 'empty',
		'uncommitted entries alone are no contention');
	verified($node, 'uncommitted entries');
	is(claim($ann, $pool, 'ann', 1), '33', 'for himself they are there');
	is(claim($bob, $pool, 'bob', 5), 'empty', 'still nothing for others');
	$ann->query_safe('COMMIT');
	is(claim($bob, $pool, 'bob', 5), '31', 'the late one comes');
	is(claim($bob, $pool, 'bob', 5), 'empty', 'and that is all');
	settled($node, $pool, 'late commit');

	# one bulk load, larger than a refill looks at
	my $rows = 25_000;
	foreach my $end ('COMMIT', 'ROLLBACK')
	{
		$pool = new_pool($node, 300);
		$ann->query_safe('BEGIN');
		$ann->query_safe("INSERT INTO pool.intake (pool, key, priority) "
			  . "SELECT '$pool', '$pool#' || g, g % 3 "
			  . "FROM generate_series(1001, " . (1000 + $rows) . ") g");
		$node->safe_psql($db, "INSERT INTO pool.intake (pool, key) "
			  . "SELECT '$pool', '$pool#' || g FROM generate_series(301, 400) g"
		);
		is(claim($bob, $pool, 'bob', 350), numbers(1, 350),
			'around a bulk load');
		is(claim($bob, $pool, 'bob', 100), numbers(351, 400), 'to its end');
		is(claim($bob, $pool, 'bob', 1), 'empty', 'then empty');
		$ann->query_safe($end);
		is(claim($bob, $pool, 'bob', 2),
			$end eq 'COMMIT' ? '1001 1004' : 'empty', "after $end");
		settled($node, $pool, "bulk load, $end", 5000);
	}

	# its middle rolled back
	$pool = new_pool($node, 0);
	$ann->query_safe('BEGIN');
	foreach my $part (1 .. 3)
	{
		$ann->query_safe('SAVEPOINT s');
		$ann->query_safe("INSERT INTO pool.intake (pool, key) "
			  . "SELECT '$pool', '$pool#' || g FROM "
			  . "generate_series(${part}0001, ${part}5000) g");
		$ann->query_safe('ROLLBACK TO s') if $part == 2;
	}
	is(claim($bob, $pool, 'bob', 1), 'empty', 'nothing yet');
	is(claim($ann, $pool, 'ann', 1), '10001', 'but for himself');
	$ann->query_safe('COMMIT');
	is(claim($bob, $pool, 'bob', 1), '10002', 'the rest');
	settled($node, $pool, 'bulk load with a hole', 1000);
	$_->quit foreach ($ann, $bob);
	return;
}

# ----------------------------------------------------------------------------
# Others hold them
# ----------------------------------------------------------------------------

sub locked_rows
{
	my ($ann, $bob) = (session($node), session($node));

	foreach my $strength ('UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE')
	{
		my $pool = new_pool($node, 120);
		my $skipped = $strength ne 'KEY SHARE';
		$ann->query_safe('BEGIN');
		$ann->query_safe("SELECT count(*) FROM (SELECT FROM pool.lead_state "
			  . "WHERE id = ANY (t.ids('$pool', 1, 10)) FOR $strength) l");
		is(claim($bob, $pool, 'bob', 2), $skipped ? '11 12' : '1 2',
			"rows locked FOR $strength");
		is(claim($bob, $pool, 'bob', 200),
			$skipped ? numbers(13, 120) : numbers(3, 120), 'all others');
		is(claim($bob, $pool, 'bob', 1), $skipped ? 'contended' : 'empty',
			'what is locked');
		is($bob->query_safe("SELECT outcome FROM "
				  . "pool.claim_leads(ARRAY[t.id('$pool', 1)], 'bob')"),
			$skipped ? 'contended' : 'taken', 'one of them by its id');
		verified($node, 'locked rows');
		$ann->query_safe('COMMIT');
		is(claim($bob, $pool, 'bob', 1), $skipped ? '1' : 'empty',
			'unlocked, they are served');
		settled($node, $pool, "locked FOR $strength");
	}

	# more than is remembered one by one
	my $pool = new_pool($node, 9000);
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT count(*) FROM (SELECT FROM pool.lead_state "
		  . "WHERE id = ANY (t.ids('$pool', 1, 8900)) FOR UPDATE) l");
	$bob->query_safe('BEGIN');
	is(claim($bob, $pool, 'bob', 1), '8901', '8,900 locked rows');
	$ann->query_safe('COMMIT');
	is($node->safe_psql($db, "SELECT t.claim('$pool', 'drainer', 1)"),
		'1', 'unlocked');
	is(claim($bob, $pool, 'bob', 1), '2', 'in the transaction that passed them');
	$bob->query_safe('COMMIT');
	settled($node, $pool, 'many locked rows', 2000);
	$_->quit foreach ($ann, $bob);
	return;
}

# `empty` only when true, `contended` only for what others hold.
sub empty_and_contended
{
	my $pool = new_pool($node, 3);
	my ($ann, $bob) = (session($node), session($node));

	$ann->query_safe('BEGIN');
	is(claim($ann, $pool, 'ann', 3), '1 2 3', 'all of them');
	is(claim($ann, $pool, 'ann', 1), 'empty', 'his own are no contention');
	is(claim($bob, $pool, 'bob', 1), 'contended', 'for others they are');
	$ann->query_safe('SAVEPOINT s');
	$ann->query_safe("SELECT * FROM pool.release(t.ids('$pool', 2, 2), "
		  . "member => 'ann')");
	is(claim($ann, $pool, 'ann', 1), '2', 'claimed anew');
	is(claim($bob, $pool, 'bob', 1), 'contended', 'still held');
	$ann->query_safe('ROLLBACK TO s');
	$ann->query_safe('COMMIT');
	is(claim($bob, $pool, 'bob', 1), 'empty', 'gone');

	# released but not committed: nothing to claim, nothing to wait for
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT * FROM pool.release(t.ids('$pool', 1, 3), "
		  . "member => 'ann')");
	is(claim($bob, $pool, 'bob', 1), 'empty', 'an uncommitted release');
	$ann->query_safe('COMMIT');
	is(claim($bob, $pool, 'bob', 1), '1', 'a committed one');

	# the best one moved to the front by another who has not committed
	$ann->query_safe('BEGIN');
	$ann->query_safe("SELECT * FROM pool.edit(t.id('$pool', 3), "
		  . 'priority => 9)');
	is(claim($bob, $pool, 'bob', 5), '2', 'the other one');
	is(claim($bob, $pool, 'bob', 5), 'contended', 'its old place is held');
	$ann->query_safe('ROLLBACK');
	is(claim($bob, $pool, 'bob', 5), '3', 'as it was');
	settled($node, $pool, 'empty and contended');
	$_->quit foreach ($ann, $bob);
	return;
}

# More are entering leads at once than a look at the others reckons with.
sub many_givers
{
	my $pool = new_pool($node, 1);
	my ($ann, $bob) = (session($node), session($node));
	my $file = $node->basedir . '/giver.sql';
	my $out = '';

	is(claim($bob, $pool, 'bob', 1), '1', 'the only one');
	$bob->query_safe("BEGIN; SELECT FROM pool.enter('$pool', '$pool#2')");
	$bob->query_safe("PREPARE TRANSACTION 'given'");
	$ann->query_safe('SELECT pg_advisory_lock(7)');
	unlink $file;
	append_to_file($file, <<"SQL");
BEGIN;
SELECT FROM pool.enter('$pool', '$pool#3' || :client_id);
SELECT pg_advisory_xact_lock_shared(7);
ROLLBACK;
SQL
	my $givers = IPC::Run::start(
		[
			'pgbench', '-n', '-c', 70, '-j', 2, '-t', 1, '-h',
			$node->host, '-p', $node->port, '-f', $file, $db
		],
		'>&', \$out);
	$node->poll_query_until($db, "SELECT count(*) = 70 FROM pg_locks "
		  . "WHERE locktype = 'advisory' AND NOT granted")
	  or die "not all have entered a lead: $out";
	is(claim($bob, $pool, 'bob', 1), 'empty', 'nothing has come yet');
	$ann->query_safe('SELECT pg_advisory_unlock(7)');
	ok($givers->finish, 'all enter their leads') or diag($out);
	$bob->query_safe("COMMIT PREPARED 'given'");
	settled($node, $pool, 'many who give');
	$_->quit foreach ($ann, $bob);
	return;
}

# One lead is passed round among many sessions, each of which lets it go in the
# end: it is always there or held, so that nobody may ever say `empty`.
sub one_for_many
{
	my $pool = new_pool($node, 1);
	my $seconds = $full ? 60 : 5;
	my $id = $node->safe_psql($db, "SELECT t.id('$pool', 1)");
	my $me = '$$m$$ || :client_id';
	# a division by zero is the alarm
	my $claim = 'SELECT 1 / sum((outcome <> $$empty$$)::int) '
	  . "FROM pool.claim(\$\$$pool\$\$, $me);";
	my $edit =
	  "SELECT FROM pool.edit($id, priority => (random() * 3)::int);";
	my %scripts = (
		'rollback' => "BEGIN; $claim ROLLBACK;",
		'savepoint' => "BEGIN; SAVEPOINT s; $claim ROLLBACK TO s; COMMIT;",
		'release' => "BEGIN; $claim "
		  . "SELECT FROM pool.release(ARRAY[$id], member => $me); COMMIT;",
		'by id' => "BEGIN; SELECT FROM pool.claim_leads(ARRAY[$id], $me); "
		  . 'ROLLBACK;',
		'edit' => $edit,
		'edit in vain' => "BEGIN; $edit ROLLBACK;");

	$node->safe_psql($db, <<"SQL");
INSERT INTO pool.member (key) SELECT 'm' || g FROM generate_series(0, 23) g;
UPDATE pool.pool SET everyone = true WHERE name = '$pool';
SQL
	my @files;
	foreach my $name (sort keys %scripts)
	{
		my $file = $node->basedir . "/$name.sql";
		unlink $file;
		append_to_file($file, "$scripts{$name}\n");
		push @files, '-f', $file;
	}
	my ($out, $err) = ('', '');
	IPC::Run::run(
		[
			'pgbench', '-n', '-T', $seconds, '-c', 24, '-j', 2, @files,
			$node->connstr($db)
		],
		'<', \undef, '>', \$out, '2>', \$err);
	unlike($err, qr/ERROR|aborted/, 'never empty');
	my ($done) = $out =~ /actually processed: (\d+)/;
	cmp_ok($done // 0, '>', 100, 'and much tried');
	settled($node, $pool, 'one for many');
	return;
}

# ----------------------------------------------------------------------------
# Prepared transactions
# ----------------------------------------------------------------------------

sub prepared
{
	my ($restart) = @_;
	my $what = $restart ? "restart ($restart)" : 'no restart';
	my %pool;
	my $ann = session($node);

	foreach my $end ('COMMIT', 'ROLLBACK')
	{
		my $taken = $pool{taken}{$end} = new_pool($node, 150);
		my $given = $pool{given}{$end} = new_pool($node, 30);
		my $more = $pool{more}{$end} = new_pool($node, 9000);

		claim($ann, $given, 'ann', 10);
		$ann->query_safe('BEGIN');
		is(claim($ann, $taken, 'ann', 4), '1 2 3 4', "$what: claimed");
		$ann->query_safe('SAVEPOINT s');
		claim($ann, $taken, 'ann', 3);
		$ann->query_safe('ROLLBACK TO s');
		$ann->query_safe("PREPARE TRANSACTION 'taken $end'");

		$ann->query_safe('BEGIN');
		$ann->query_safe("SELECT * FROM pool.release("
			  . "t.ids('$given', 1, 10), member => 'ann')");
		$ann->query_safe("SELECT * FROM pool.enter('$given', '$given#31')");
		$ann->query_safe("PREPARE TRANSACTION 'given $end'");

		$ann->query_safe('BEGIN');
		claim($ann, $more, 'ann', 8500);
		$ann->query_safe("SELECT * FROM pool.move(t.ids('$more', 8600, 8600),"
			  . " '$given', 'boss')");
		$ann->query_safe("PREPARE TRANSACTION 'more $end'");
	}
	verified($node, "$what: prepared");
	$ann->quit;
	if ($restart)
	{
		$node->stop($restart);
		$node->start;
		verified($node, "$what: restarted");
	}
	my $bob = session($node);
	foreach my $end ('COMMIT', 'ROLLBACK')
	{
		my $taken = $pool{taken}{$end};
		my $given = $pool{given}{$end};
		my $more = $pool{more}{$end};

		is(claim($bob, $taken, 'bob', 2), '5 6', "$what: the free ones");
		is(claim($bob, $taken, 'bob', 200), numbers(7, 150), 'all of them');
		is(claim($bob, $taken, 'bob', 1), 'contended', 'prepared claims');
		is(claim($bob, $given, 'bob', 50), numbers(11, 30), 'the free ones');
		is(claim($bob, $given, 'bob', 1), 'empty', 'prepared releases');
		is(claim($bob, $more, 'bob', 1), '8501', 'behind many');
		$bob->query_safe("$end PREPARED 'taken $end'");
		$bob->query_safe("$end PREPARED 'given $end'");
		$bob->query_safe("$end PREPARED 'more $end'");
		is(claim($bob, $taken, 'bob', 2),
			$end eq 'COMMIT' ? 'empty' : '1 2', "$what: $end PREPARED");
		is(claim($bob, $given, 'bob', 3),
			$end eq 'COMMIT' ? '1 2 3' : 'empty', 'given');
		is(claim($bob, $more, 'bob', 1),
			$end eq 'COMMIT' ? '8502' : '1', 'many');
		settled($node, $taken, "$what: taken, $end PREPARED");
		drained($node, $given, "$what: given, $end PREPARED");
		drained($node, $more, "$what: many, $end PREPARED", 4000);
	}
	$bob->quit;
	return;
}

# ----------------------------------------------------------------------------
# Writers that are not ours
# ----------------------------------------------------------------------------

# Moves a lead to the front, as nobody should.
sub to_the_front
{
	my ($pool, $number) = @_;
	return "UPDATE pool.lead_state SET ticket = (ticket >> 48 << 48) + "
	  . "$pools - 100000 + 100000 WHERE id = t.id('$pool', $number)";
}

sub foreign_writers
{
	my $pool = new_pool($node, 400);
	my ($ann, $bob) = (session($node), session($node));

	is(claim($bob, $pool, 'bob', 150), numbers(1, 150), 'far ahead');
	$ann->query_safe("UPDATE pool.lead_state SET stage = 'x' "
		  . "WHERE id = ANY (t.ids('$pool', 151, 300))");
	is(claim($bob, $pool, 'bob', 1), '151', 'rows in new places');
	$ann->query_safe(to_the_front($pool, 350));
	is(claim($bob, $pool, 'bob', 2), '350 152', 'one before all');

	# held open, taken back
	foreach my $end ('COMMIT', 'ROLLBACK')
	{
		$pool = new_pool($node, 200);
		is(claim($bob, $pool, 'bob', 5), numbers(1, 5), 'some');
		$ann->query_safe('BEGIN');
		$ann->query_safe("UPDATE pool.lead_state SET stage = 'y' "
			  . "WHERE id = ANY (t.ids('$pool', 6, 8))");
		$ann->query_safe('SAVEPOINT s');
		$ann->query_safe("UPDATE pool.lead_state SET stage = 'z' "
			  . "WHERE id = ANY (t.ids('$pool', 9, 11))");
		is(claim($ann, $pool, 'ann', 1), '6', 'his own write');
		is(claim($bob, $pool, 'bob', 1), '12', 'what he does not hold');
		is(claim($bob, $pool, 'bob', 200), numbers(13, 200), 'all others');
		is(claim($bob, $pool, 'bob', 1), 'contended', 'SQL holds the rest');
		$ann->query_safe('ROLLBACK TO s');
		is(claim($bob, $pool, 'bob', 2), '9 10', 'taken back');
		$ann->query_safe($end);
		is(claim($bob, $pool, 'bob', 1), '6', $end);
		settled($node, $pool, "SQL, $end");
	}

	# out and in again, as a restore does
	my $file = $node->basedir . '/lead_state';
	$pool = new_pool($node, 200);
	claim($bob, $pool, 'bob', 5);
	$ann->query_safe("COPY (SELECT * FROM pool.lead_state) TO '$file'");
	$ann->query_safe('BEGIN');
	$ann->query_safe('DELETE FROM pool.lead_state');
	is(claim($bob, $pool, 'bob', 1), 'contended', 'all are held');
	$ann->query_safe("COPY pool.lead_state FROM '$file'");
	is(claim($bob, $pool, 'bob', 1), 'contended', 'still');
	$ann->query_safe('COMMIT');
	is(claim($bob, $pool, 'bob', 1), '6', 'copied in');
	$ann->query_safe('BEGIN');
	$ann->query_safe("SET LOCAL session_replication_role = replica");
	$ann->query_safe("DELETE FROM pool.lead_state");
	$ann->query_safe("COPY pool.lead_state FROM '$file' WHERE true");
	$ann->query_safe('ROLLBACK');
	is(claim($bob, $pool, 'bob', 1), '7', 'copied in vain');
	settled($node, $pool, 'COPY');

	# in again only
	$pool = new_pool($node, 20);
	my $its = "pool_id = (SELECT id FROM pool.pool WHERE name = '$pool')";
	$ann->query_safe(
		"COPY (SELECT * FROM pool.lead_state WHERE $its) TO '$file'");
	$ann->query_safe("DELETE FROM pool.lead_state WHERE $its");
	is(claim($bob, $pool, 'bob', 1), 'empty', 'none');
	foreach my $end ('ROLLBACK', 'COMMIT')
	{
		$ann->query_safe('BEGIN');
		$ann->query_safe("COPY pool.lead_state FROM '$file'");
		is(claim($bob, $pool, 'bob', 1), 'empty', 'not there yet');
		$ann->query_safe($end);
	}
	is(claim($bob, $pool, 'bob', 1), '1', 'then it is');
	$ann->query_safe('BEGIN');
	$ann->query_safe("COPY (SELECT * FROM pool.lead_state WHERE $its "
		  . "AND ticket IS NOT NULL) TO '$file'");
	$ann->query_safe("COPY pool.lead_state FROM PROGRAM 'true'");
	$ann->query_safe("DELETE FROM pool.lead_state WHERE $its "
		  . 'AND ticket IS NOT NULL');
	is(claim($bob, $pool, 'bob', 1), 'contended',
		'what is deleted after nothing was inserted');
	$ann->query_safe("COPY pool.lead_state FROM '$file'");
	$ann->query_safe('COMMIT');
	settled($node, $pool, 'only inserted');

	# prepared SQL
	foreach my $end ('COMMIT', 'ROLLBACK')
	{
		$pool = new_pool($node, 60);
		claim($bob, $pool, 'bob', 5);
		$ann->query_safe('BEGIN');
		$ann->query_safe("UPDATE pool.lead_state SET stage = 'y' "
			  . "WHERE id = ANY (t.ids('$pool', 6, 8))");
		$ann->query_safe("PREPARE TRANSACTION 'sql'");
		is(claim($bob, $pool, 'bob', 60), numbers(9, 60), 'prepared SQL');
		is(claim($bob, $pool, 'bob', 1), 'contended', 'holds the rest');
		$ann->query_safe("$end PREPARED 'sql'");
		is(claim($bob, $pool, 'bob', 1), '6', "$end PREPARED");
		settled($node, $pool, "prepared SQL, $end");
	}
	$_->quit foreach ($ann, $bob);
	return;
}

sub rewritten_tables
{
	my ($ann, $bob) = (session($node), session($node));

	foreach my $command (
		'VACUUM FULL pool.lead_state',
		'CLUSTER pool.lead_state USING lead_state_pkey',
		'REINDEX TABLE pool.lead_state',
		'REINDEX INDEX CONCURRENTLY pool.lead_state_queue_idx',
		'VACUUM pool.lead_state',
		'VACUUM FREEZE pool.lead_state',
		'ALTER TABLE pool.lead_state SET (fillfactor = 80);'
		. ' VACUUM FULL pool.lead_state')
	{
		my $pool = new_pool($node, 300);
		claim($bob, $pool, 'bob', 100);
		$ann->query_safe('BEGIN');
		claim($ann, $pool, 'ann', 20);
		$ann->query_safe('ROLLBACK');
		$ann->query_safe($command);
		is(claim($bob, $pool, 'bob', 2), '101 102', $command);
		settled($node, $pool, $command);
	}

	# A claim that begins with the old index and ends with the new one.
	my $pool = new_pool($node, 50);
	my $old = session($node);
	my $reindex = session($node);
	$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$old->query_safe('SELECT 1');
	my $pid = pid_of($reindex);
	$reindex->query_until(qr/begun/, "\\echo begun\n"
		  . "REINDEX INDEX CONCURRENTLY pool.lead_state_queue_idx;\n");
	wait_until_blocked($node, $pid);
	$ann->query_safe('BEGIN');
	is(claim($ann, $pool, 'ann', 10), numbers(1, 10), 'in the old index');
	$old->query_safe('COMMIT');
	# the new index is in force, and the old one waits for ann
	$node->poll_query_until($db,
		"SELECT pg_backend_pid() <> $pid AND $pid IN (SELECT pid FROM "
		  . 'pg_locks WHERE NOT granted) AND EXISTS (SELECT FROM pg_class '
		  . "WHERE relname = 'lead_state_queue_idx_ccold')")
	  or die 'the index is not built';
	my $late = session($node);
	is(claim($late, $pool, 'bob', 40), numbers(11, 50), 'in the new index');
	is(claim($late, $pool, 'bob', 1), 'contended', 'the rest is held');
	$ann->query_safe('ROLLBACK');
	is(claim($late, $pool, 'bob', 2), '1 2', 'taken back');
	$reindex->query_safe('SELECT 1');
	settled($node, $pool, 'REINDEX CONCURRENTLY meanwhile');
	$_->quit foreach ($ann, $bob, $late, $old, $reindex);
	return;
}

# The extension dropped and made anew in one session, which goes on.
sub recreated
{
	my $ann = session($node);
	foreach my $round (1 .. 3)
	{
		my $pool = new_pool($node, 250);
		is(claim($ann, $pool, 'ann', 120), numbers(1, 120), "round $round");
		settled($node, $pool, "round $round");
		$ann->query_safe('SET pool_ext.allow_drop = on');
		if ($round == 2)
		{
			$ann->query_safe('BEGIN');
			$ann->query_safe("SET client_min_messages = warning; "
				  . 'DROP EXTENSION pool_ext CASCADE');
			$ann->query_safe('ROLLBACK');
			is(claim($ann, $pool, 'ann', 1), 'empty', 'not dropped after all');
		}
		$ann->query_safe(
			'SET client_min_messages = warning; DROP EXTENSION pool_ext CASCADE');
		fails($ann, "SELECT t.claim('x', 'ann', 1)", qr/does not exist/,
			'there is no claim without the extension');
		$ann->query_safe('DROP SCHEMA t CASCADE');
		# by this session, then by another
		$ann->query_safe('CREATE EXTENSION pool_ext');
		$ann->query_safe('DROP EXTENSION pool_ext');
		prepare_database($node);
	}
	$ann->quit;
	return;
}

# ----------------------------------------------------------------------------
# Snapshots that do not move
# ----------------------------------------------------------------------------

sub old_snapshots
{
	my ($ann, $bob) = (session($node), session($node));

	foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
	{
		my $pool = new_pool($node, 100);
		$ann->query_safe("BEGIN ISOLATION LEVEL $level");
		$ann->query_safe('SELECT 1');
		is(claim($bob, $pool, 'bob', 40), numbers(1, 40), $level);
		$bob->query_safe("SELECT * FROM pool.release(t.ids('$pool', 1, 3), "
			  . "member => 'bob')");
		$bob->query_safe("SELECT * FROM pool.edit(t.id('$pool', 60), "
			  . 'priority => 7)');
		is(claim($ann, $pool, 'ann', 2), '41 42', 'what it sees and may have');
		$ann->query_safe('SAVEPOINT s');
		is(claim($ann, $pool, 'ann', 100),
			join(' ', 43 .. 59, 61 .. 100), 'all of that');
		fails($ann, "SELECT t.claim('$pool', 'ann', 1)",
			qr/could not serialize access/,
			'stock that it must not see is not empty');
		$ann->query_safe('ROLLBACK TO s');
		is(claim($ann, $pool, 'ann', 1), '43', 'taken back');
		$ann->query_safe('ROLLBACK');
		is(claim($bob, $pool, 'bob', 2), '60 41', 'nothing is lost');

		# its counters have changed: 40001, as in core
		$ann->query_safe("BEGIN ISOLATION LEVEL $level");
		$ann->query_safe('SELECT 1');
		claim($bob, $pool, 'ann', 1);
		fails($ann, "SELECT t.claim('$pool', 'ann', 1)",
			qr/could not serialize access/, 'counters that have changed');
		$ann->query_safe('ROLLBACK');
		settled($node, $pool, $level);
	}
	$_->quit foreach ($ann, $bob);
	return;
}

# Under an old snapshot nothing that was claimed can be vacuumed; a claim must
# not walk over it.  Now and then a counter row moves to another page, and its
# unique index then looks at one version in each page it was in: hence the mean.
sub old_snapshot_costs
{
	my ($claims, $looks) = (20_000, 200);
	my $pool = new_pool($node, $claims + 500);
	my ($old, $ann) = (session($node), session($node));
	my @touched;

	$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$old->query_safe('SELECT 1');
	$ann->query_safe("DO \$\$ BEGIN FOR i IN 1..$claims LOOP "
		  . "PERFORM pool.claim('$pool', 'ann'); COMMIT; END LOOP; END \$\$");
	foreach my $i (1 .. $looks)
	{
		my $plan = $ann->query_safe(
			'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) '
			  . "SELECT * FROM pool.claim('$pool', 'ann')");
		my ($buffers) = $plan =~ /Buffers: (.*)/;
		my $n = 0;
		$n += $1 while $buffers =~ /(?:hit|read)=(\d+)/g;
		push @touched, $n;
	}
	@touched = sort { $a <=> $b } @touched;
	my $sum = 0;
	$sum += $_ foreach @touched;
	note("median $touched[$looks / 2], mean ${\($sum / $looks)}, "
		  . "most $touched[-1]");
	cmp_ok($touched[ $looks * 0.9 ], '<=', 40, 'buffers of nine claims in ten');
	cmp_ok($sum / $looks, '<=', 40, 'buffers of a claim, mean');
	is($old->query_safe("SELECT count(*) FROM pool.lead WHERE owner_id IS "
			  . "NOT NULL AND key LIKE '$pool#%'"), '0', 'it was held');
	$old->query_safe('COMMIT');
	settled($node, $pool, 'old snapshot');
	$_->quit foreach ($old, $ann);
	return;
}

# ----------------------------------------------------------------------------
# Processes that end in the middle
# ----------------------------------------------------------------------------

# Somebody claims and takes back over and over, from a queue whose every look
# is a long one, while he is cancelled or terminated at any moment.
sub interrupted_refills
{
	my $rounds = $full ? 2000 : 300;
	my $pool = new_pool($node, 800);
	my $load = session($node);
	my $script = $node->basedir . '/victim.sql';

	$load->query_safe('BEGIN');
	$load->query_safe("INSERT INTO pool.intake (pool, key, priority) "
		  . "SELECT '$pool', '$pool#' || g, 1 "
		  . 'FROM generate_series(10001, 16000) g');
	append_to_file($script, <<"SQL" x 200);
UPDATE pool.lead_state SET stage = 'x' WHERE false;
SELECT t.claim('$pool', 'ann', 3);
BEGIN; SELECT t.claim('$pool', 'bob', 120); ROLLBACK;
SELECT * FROM pool.release(ARRAY (SELECT s.id FROM pool.lead_state s
	WHERE s.owner_id IS NOT NULL
	AND s.pool_id = (SELECT id FROM pool.pool WHERE name = '$pool')),
	member => 'ann');
SQL
	foreach my $how ('cancel', 'terminate')
	{
		my $hits = 0;
		my $real = 0;
		while ($hits < $rounds)
		{
			my ($out, $err) = ('', '');
			local $ENV{PGAPPNAME} = 'victim';
			my $victim = IPC::Run::start(
				[
					$node->installed_command('psql'), '-XqAt', '-d',
					$node->connstr($db), '-f', $script
				],
				'<', \undef, '>', \$out, '2>', \$err);
			$node->safe_psql($db, <<"SQL");
SET application_name = 'killer';
DO \$\$
DECLARE
	hits int := 0;
	idle int := 0;
BEGIN
	LOOP
		PERFORM sum(g) FROM generate_series(1, (random() * 30000)::int) g;
		PERFORM pg_stat_clear_snapshot();
		PERFORM pg_${how}_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'victim' AND state = 'active'
		AND query ~ 'claim|release';
		IF FOUND THEN
			hits := hits + 1;
			idle := 0;
		ELSE
			idle := idle + 1;
		END IF;
		EXIT WHEN hits >= CASE '$how' WHEN 'cancel' THEN $rounds ELSE 1 END;
		-- it is over, or has not begun
		EXIT WHEN idle > 500;
	END LOOP;
	PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE application_name = 'victim';
END \$\$
SQL
			$victim->finish;
			my $cancelled = () = $err =~ /canceling|terminating/g;
			$real += $cancelled;
			$hits += $cancelled || 1;
			$hits += $rounds / 10 if $how eq 'terminate';
			unlike($err,
				qr/ERROR: (?! *(canceling|current transaction))|PANIC|leak/,
				"no other error: $how");
		}
		cmp_ok($real, '>=', $how eq 'cancel' ? $rounds / 2 : 5,
			"$how: in the middle of a call");
		# all that is left in between is somebody's answer
		$node->poll_query_until($db, "SELECT NOT EXISTS (SELECT FROM "
			  . "pg_stat_activity WHERE application_name = 'victim')");
		verified($node, "after $how");
	}
	$load->query_safe('COMMIT');
	settled($node, $pool, 'interrupted refills', 50);
	$load->quit;
	return;
}

sub crash
{
	my $pool = new_pool($node, 600);
	foreach my $round (1 .. 3)
	{
		my ($ann, $bob) = (session($node), session($node));
		$ann->query_safe('BEGIN');
		$ann->query_safe("SELECT t.claim('$pool', 'ann', 50)");
		$ann->query_safe("SELECT * FROM pool.enter('$pool', '$pool#x$round')");
		$bob->query_safe("SELECT t.claim('$pool', 'bob', 10)");
		my $pid = pid_of($ann);
		kill 9, $pid;
		# whoever is left is sent away, and the server comes back
		$node->poll_query_until($db,
			"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)")
		  or die 'the server does not come back';
		# the sessions are gone with it
		eval { $_->quit; } foreach ($ann, $bob);
		is($node->safe_psql($db, "SELECT t.claim('$pool', 'ann', 1)"),
			$round, "round $round: what was claimed is gone, "
			  . 'what was not committed is back');
	}
	settled($node, $pool, 'crash');
	return;
}

# ----------------------------------------------------------------------------
# More pools than there is room for
# ----------------------------------------------------------------------------

sub few_heads
{
	$node->append_conf('postgresql.conf', 'pool_ext.queue_pools = 2');
	$node->restart;
	my @pools = map { new_pool($node, 40) } 1 .. 5;
	my @sessions = map { session($node) } 1 .. 5;
	my $bob = session($node);

	foreach my $i (0 .. 4)
	{
		$sessions[$i]->query_safe('BEGIN');
		is(claim($sessions[$i], $pools[$i], 'ann', 30), numbers(1, 30),
			'thirty of each');
	}
	# the last three found no room; the first two give theirs up
	$sessions[$_]->query_safe('COMMIT') foreach (0, 1);
	foreach my $i (2 .. 4)
	{
		is(claim($bob, $pools[$i], 'bob', 10), numbers(31, 40), 'the rest');
		is(claim($bob, $pools[$i], 'bob', 1), 'contended', 'what others hold');
	}
	verified($node, 'few heads');
	$sessions[2]->query_safe('ROLLBACK');
	is(claim($bob, $pools[2], 'bob', 2), '1 2', 'given back');
	$sessions[3]->query_safe('SAVEPOINT s');
	is(claim($sessions[3], $pools[3], 'ann', 1), 'empty', 'his own');
	$sessions[3]->query_safe("SELECT * FROM pool.release("
		  . "t.ids('$pools[3]', 1, 1), member => 'ann')");
	is(claim($bob, $pools[3], 'bob', 1), 'contended', 'held as before');
	$sessions[3]->query_safe('COMMIT');
	$sessions[4]->query_safe('ROLLBACK');
	is(claim($bob, $pools[3], 'bob', 1), '1', 'released');

	# in turns, with everything at once
	foreach my $round (1 .. 3)
	{
		foreach my $i (0 .. 4)
		{
			$sessions[$i]->query_safe('BEGIN');
			claim($sessions[$i], $pools[ ($i + $round) % 5 ], 'ann', 2);
		}
		foreach my $i (0 .. 4)
		{
			claim($bob, $pools[$i], 'bob', 1);
			$sessions[$i]
			  ->query_safe(($i + $round) % 2 ? 'COMMIT' : 'ROLLBACK');
		}
	}
	settled($node, $_, 'few heads') foreach @pools;
	$_->quit foreach (@sessions, $bob);
	$node->append_conf('postgresql.conf', 'pool_ext.queue_pools = 1000');
	$node->restart;
	return;
}

# ----------------------------------------------------------------------------
# Logical replication
# ----------------------------------------------------------------------------

sub logical_apply
{
	my $tables = join ', ', map { "pool.$_" } qw(tenant pool member membership
	  lead_state lead_data identity event membership_state member_state);
	local $db = 'postgres';
	my $publisher = new_node('publisher', allows_streaming => 'logical');
	my $subscriber = new_node('subscriber');
	# whose own ids must not meet those that come
	$subscriber->append_conf('postgresql.conf', 'pool_ext.node_id = 1');
	$subscriber->reload;
	prepare_database($publisher);
	$subscriber->safe_psql($db, 'CREATE EXTENSION pool_ext');
	my $pool = new_pool($publisher, 300);

	$publisher->safe_psql($db, "CREATE PUBLICATION p FOR TABLE $tables");
	my $connection = $publisher->connstr . " dbname=$db";
	$subscriber->safe_psql($db,
		"CREATE SUBSCRIPTION s CONNECTION '$connection' PUBLICATION p");
	$subscriber->wait_for_subscription_sync($publisher, 's', $db);

	# the hints of the subscriber learn what is there, and take it back
	my $ann = session($subscriber);
	my $claim = "SELECT string_agg(coalesce(split_part(key, '#', 2), outcome),"
	  . " ' ' ORDER BY ordinality) FROM pool.claim('$pool', 'ann', 3)"
	  . ' WITH ORDINALITY';
	my $look = sub {
		$publisher->wait_for_catchup('s');
		$ann->query_safe('BEGIN');
		my $result = $ann->query_safe($claim);
		$ann->query_safe('ROLLBACK');
		return $result;
	};
	is($look->(), '1 2 3', 'after the first copy');
	$publisher->safe_psql($db, "SELECT t.claim('$pool', 'bob', 150)");
	is($look->(), '151 152 153', 'claims arrive');
	$publisher->safe_psql($db, "SELECT * FROM pool.edit("
		  . "t.id('$pool', 290), priority => 9)");
	is($look->(), '290 151 152', 'a new priority arrives');
	$publisher->safe_psql($db, "SELECT * FROM pool.release("
		  . "t.ids('$pool', 4, 5), member => 'bob');"
		  . "SELECT * FROM pool.edit(t.id('$pool', 5), priority => 10)");
	is($look->(), '5 290 151', 'a release arrives');
	$publisher->safe_psql($db, "UPDATE pool.lead_state SET stage = 'x'");
	is($look->(), '5 290 151', 'rows in new places');
	$publisher->safe_psql($db, "SELECT * FROM pool.archive("
		  . "t.ids('$pool', 5, 5), 'lost', 'boss')");
	is($look->(), '290 151 152', 'a row that is gone');
	is($subscriber->safe_psql($db,
			"SELECT * FROM pool.verify() WHERE check_name = 'queue_hidden'"),
		'', 'nothing is hidden');

	# A row that a worker has changed when it fails, before our trigger could
	# say so: whoever met it meanwhile has put it aside.
	my $lock = session($subscriber);
	$subscriber->safe_psql($db, <<'SQL');
CREATE FUNCTION a_failure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(1);
	RAISE EXCEPTION 'failed';
END $$;
CREATE TRIGGER a_failure AFTER UPDATE ON pool.lead_state
	FOR EACH ROW EXECUTE FUNCTION a_failure();
ALTER TABLE pool.lead_state ENABLE REPLICA TRIGGER a_failure;
ALTER SUBSCRIPTION s SET (disable_on_error = true);
SQL
	$lock->query_safe('SELECT pg_advisory_lock(1)');
	$publisher->safe_psql($db, "UPDATE pool.lead_state SET stage = 'y' "
		  . "WHERE id = t.id('$pool', 290)");
	$subscriber->poll_query_until($db, "SELECT EXISTS (SELECT FROM pg_locks "
		  . "WHERE locktype = 'advisory' AND NOT granted)")
	  or die 'the worker does not wait';
	$ann->query_safe('BEGIN');
	is($ann->query_safe($claim), '151 152 153', 'around what it holds');
	$ann->query_safe('ROLLBACK');
	$lock->query_safe('SELECT pg_advisory_unlock(1)');
	$subscriber->poll_query_until($db,
		'SELECT NOT subenabled FROM pg_subscription')
	  or die 'the worker does not fail';
	is($ann->query_safe($claim), '290 151 152', 'it has failed');
	$_->quit foreach ($ann, $lock);
	$_->stop foreach ($subscriber, $publisher);
	return;
}

my @cases = (
	'savepoints' => \&savepoints,
	'the frontier goes back' => \&frontier_back,
	'leads that are barred for one' => \&barred,
	'empty and contended' => \&empty_and_contended,
	'many who give' => \&many_givers,
	'one lead for many' => \&one_for_many,
	'foreign writers' => \&foreign_writers,
	'rewritten tables' => \&rewritten_tables,
	'extension made anew' => \&recreated,
	'snapshots that do not move' => \&old_snapshots,
	'crash' => \&crash,
	'few heads' => \&few_heads,
	'interrupted refills' => \&interrupted_refills,
	'logical replication' => \&logical_apply,
	'cost under an old snapshot' => \&old_snapshot_costs,
	'claims rolled back' => \&rolled_back_claims,
	'locked rows' => \&locked_rows,
	'late commits' => \&late_commits,
	'prepared transactions' => sub { prepared('') },
	'prepared transactions, and a restart' => sub { prepared('fast') },
	'prepared transactions, and a crash' => sub { prepared('immediate') });
for (my $i = 0; my ($name, $case) = splice @cases, 0, 2; $i++)
{
	next if $name !~ ($ENV{CASES} || qr/./);
	$db = "case_$i";
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	prepare_database($node);
	subtest $name => $case;
	$node->safe_psql('postgres', "DROP DATABASE $db WITH (FORCE)");
}

$node->stop;
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC: |TRAP: |WARNING: .*leak/, 'no complaints in the log');
done_testing();
