# Processes are killed and the server is stopped at once, under load, again and
# again: after each recovery everything that somebody was told is there, once.
#
#   CRASHES= rounds (6, or 100 with FULL=1)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = size_of('CRASHES', 6, 100);
my %count = (backend => 0, worker => 0, launcher => 0, stop => 0);

my $node = new_server('crash', "pool_ext.worker_naptime = '20ms'");
$node->start;
build_world($node, 'postgres');

sub victim
{
	my ($type) = @_;
	foreach (1 .. 200)
	{
		my $pid = $node->safe_psql('postgres', <<"SQL");
SELECT pid FROM pg_stat_activity
WHERE backend_type = '$type' AND pid <> pg_backend_pid()
ORDER BY random() LIMIT 1
SQL
		return $pid if $pid ne '';
	}
	return;
}

sub kill_one
{
	my ($what, $type) = @_;
	my $pid = victim($type);
	# a worker may have left by itself meanwhile
	return $pid && kill('KILL', $pid) && ++$count{$what};
}

# Ends everything; true unless whom it wanted to kill was gone.
sub crash
{
	my ($kind) = @_;
	if ($kind eq 'stop')
	{
		$node->stop('immediate');
		$node->start;
		return ++$count{stop};
	}
	return kill_one($kind, $kind eq 'backend' ? 'client backend' :
		  "pool_ext $kind");
}

my $ledger = new_ledger($node, 'postgres');
my $repeated = 0;
foreach my $round (1 .. $rounds)
{
	my $kind = (qw(backend worker stop backend worker stop launcher))
	  [ ($round - 1) % 7 ];
	my $clients = start_clients($node, 'postgres', 6, 3000);
	usleep(200_000 + int rand 600_000);
	until (crash($kind)) { }
	my @errors = finish_clients($ledger, $clients);
	is("@errors", '', "round $round, $kind: no call failed by itself");
	settle_server($node, 'postgres');
	$repeated += repeat_lost($ledger, $node, 'postgres');
	verified($node, 'postgres', "round $round, $kind");
	intact($node, 'postgres', "round $round, $kind");
	ledger_agrees($ledger, $node, 'postgres', "round $round, $kind");
}
my $claimed = grep { /^claimed/ } @{ $ledger->{rows} };
cmp_ok($claimed, '>', 20 * $rounds, 'there was much to lose');
cmp_ok($repeated, '>', $rounds, 'and calls were lost');
ok($node->poll_query_until('postgres',
		"SELECT state IN ('idle', 'running') AND last_tick IS NOT NULL"
		  . ' FROM pool.stat_worker'), 'the worker still comes');
drained($node, 'postgres', 'at the end');
verified($node, 'postgres', 'at the end');
$node->stop;
unlike(slurp_file($node->logfile),
	qr/PANIC: |TRAP: |WARNING: .*leak|terminated by signal (?!9)/,
	'nobody crashed by himself');
diag("counted: $rounds rounds; killed $count{backend} backends, "
	  . "$count{worker} workers, $count{launcher} launchers; "
	  . "$count{stop} immediate stops; $ledger->{calls} calls answered, "
	  . "$repeated of them after a repeated request; "
	  . "$claimed acknowledged claims compared");
done_testing();
