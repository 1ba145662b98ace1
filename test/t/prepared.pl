# Two-phase commit: what a prepared transaction holds stays held over restarts
# and crashes, and its outcome is that of any other.  (What the hints make of it
# is in hints.pl.)
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('prepared');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
max_prepared_transactions = 10
timezone = 'UTC'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('boss');
SQL

# All rows, or the SQLSTATE of what failed.  Nobody waits here for long.
sub answer
{
	my ($sql) = @_;
	my ($stdout, $stderr);
	$node->psql('postgres', "SET lock_timeout = '100ms';\n$sql",
		stdout => \$stdout, stderr => \$stderr,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	return $1 if $stderr =~ /ERROR:\s+(\w+)/;
	return join ' ', split /\n/, $stdout;
}

sub claim
{
	my ($pool, $member, $more) = @_;
	return "SELECT coalesce(split_part(key, '-', 2), outcome) "
	  . "FROM pool.claim('$pool', '$member'" . ($more // '') . ')';
}

my $round = 0;

# Prepares one of each kind in pools of their own, and returns these.
sub prepare_some
{
	my ($end) = @_;
	my $request = sprintf '00000000-0000-0000-0000-%012d', ++$round;
	my ($claims, $entries, $status) =
	  map { "$_ $end $round" } qw(claims entries status);

	$node->safe_psql('postgres', <<"SQL");
INSERT INTO pool.pool (name, everyone, hold_limit, claim_limit)
VALUES ('$claims', true, 2, 3), ('$entries', true, NULL, NULL),
	('$status', true, NULL, NULL);
INSERT INTO pool.member (key) VALUES ('$status');
INSERT INTO pool.intake (pool, key)
SELECT '$claims', '$claims-' || g FROM generate_series(1, 9) g
UNION ALL SELECT '$status', '$status-' || g FROM generate_series(1, 9) g;

BEGIN ISOLATION LEVEL SERIALIZABLE;
${\claim($claims, 'ann', ", 2, request_id => '$request'")};
SELECT pool.follow_up(pool.lead_id('$claims-1'), member => 'ann');
PREPARE TRANSACTION '$claims';

BEGIN;
SELECT pool.enter('$entries', '$entries-1',
	identities => '{"phone": "1380000$round"}');
PREPARE TRANSACTION '$entries';

BEGIN;
UPDATE pool.member SET status = 'away' WHERE key = '$status';
PREPARE TRANSACTION '$status';
SQL
	return ($end, $claims, $entries, $status, $request, $round);
}

sub check_held
{
	my ($what, $end, $claims, $entries, $status, $request, $n) = @_;
	my $phone = "identities => '{\"phone\": \"1380000$n\"}'";
	my $first = "pool.lead_id('$claims-1')";

	is(answer(claim($claims, 'bob')), '3', "$what: others take the next");
	is(answer(claim($claims, 'ann')), '55P03', 'he himself would wait');
	is(answer("SELECT outcome FROM pool.claim_leads(ARRAY[$first], 'bob')"),
		'contended', 'a prepared claim, by its id');
	is(answer("SELECT outcome FROM pool.assign(ARRAY[$first], 'bob')"),
		'contended', 'or to be assigned');
	is(answer("SELECT outcome FROM pool.follow_up($first, member => 'ann')"),
		'not_owner', 'it has not happened yet');
	is(answer(claim($claims, 'ann', ", 2, request_id => '$request'")),
		'55P03', 'the same request would wait');
	is(answer("SELECT outcome FROM pool.enter('$entries', 'x-$n', $phone)"),
		'55P03', 'so would the same phone number');
	is(answer("SELECT outcome FROM pool.enter('$entries', '$entries-1')"),
		'55P03', 'and the same key');
	is(answer(claim($entries, 'bob')), 'empty', 'nothing has entered yet');
	is(answer(claim($status, $status)), '55P03',
		'whose status changes would wait');
	is(answer('SELECT * FROM pool.verify()'), '', 'verify() finds nothing');
	return;
}

sub check_ended
{
	my ($what, $end, $claims, $entries, $status, $request, $n) = @_;
	my $committed = $end eq 'COMMIT';
	my $phone = "identities => '{\"phone\": \"1380000$n\"}'";

	is(answer("$end PREPARED '$_'"), '', "$what: $end PREPARED '$_'")
	  foreach ($claims, $entries, $status);
	is(answer(claim($claims, 'ann', ", 2, request_id => '$request'")),
		'1 2', 'the request is answered as before, or now');
	is(answer(claim($claims, 'ann')), 'hold_limit', 'counted');
	is(answer("SELECT outcome FROM pool.release(ARRAY[pool.lead_id("
			  . "'$claims-2')], member => 'ann')"), 'released', 'his');
	is(answer(claim($claims, 'ann', ', 9')), '4', 'up to the limit');
	is(answer("SELECT outcome, used FROM pool.claim('$claims', 'ann')"),
		'claim_limit|3', 'claims of the day');
	is(answer("SELECT follow_ups FROM pool.lead WHERE key = '$claims-1'"),
		$committed ? 1 : 0, 'followed up');
	is(answer("SELECT outcome FROM pool.enter('$entries', 'x-$n', $phone)"),
		$committed ? 'duplicate' : 'entered', 'the same phone number');
	is(answer("SELECT outcome FROM pool.enter('$entries', '$entries-1')"),
		$committed ? 'duplicate' : 'entered', 'the same key');
	is(answer(claim($status, $status)), $committed ? 'away' : '1', 'his status');
	is(answer('SELECT * FROM pool.verify()'), '', 'verify() finds nothing');
	return;
}

foreach my $restart ('', 'fast', 'immediate')
{
	my $what = $restart ? "stopped ($restart)" : 'running';
	my @some = map { [ prepare_some($_) ] } ('COMMIT', 'ROLLBACK');
	if ($restart)
	{
		$node->stop($restart);
		$node->start;
	}
	check_held($what, @$_) foreach @some;
	check_ended($what, @$_) foreach @some;
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'),
	'0', 'all have ended');

# What sessions remember of a transaction must not outlive its preparation.
my $session = $node->background_psql('postgres');
$session->query_safe(<<'SQL');
INSERT INTO pool.pool (name, everyone) VALUES ('last', true);
INSERT INTO pool.intake (pool, key)
SELECT 'last', 'last-' || g FROM generate_series(1, 9) g
SQL
$session->query_safe("BEGIN; SELECT pool.act_as('ann')");
is($session->query_safe('SELECT pool.current_member()'), 'ann', 'acting');
$session->query_safe(claim('last', 'ann'));
$session->query_safe("PREPARE TRANSACTION 'last'");
is($session->query_safe('SELECT pool.current_member()'), '', 'no more');
is($session->query_safe(claim('last', 'bob')), '2', 'it goes on');
$session->query_safe("ROLLBACK PREPARED 'last'");
is($session->query_safe(claim('last', 'bob')), '1', 'and finds what was held');
$session->quit;

is(answer("BEGIN; SELECT FROM pool.tick(); PREPARE TRANSACTION 'tick'"),
	'0A000', 'a tick cannot be prepared');
is(answer('SELECT * FROM pool.verify()'), '', 'verify() finds nothing');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'no complaints in the log');
done_testing();
