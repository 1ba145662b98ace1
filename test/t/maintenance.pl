# What administrators do to the tables beside calls of all kinds: rows move,
# indexes are made anew, statistics and settings change, sessions and workers are
# ended.  No call fails by it, and everybody has what he was told.
#
#   MAINTENANCE= rounds (1, or 20 with FULL=1)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = size_of('MAINTENANCE', 1, 20);
my $node = new_server('maintenance', "pool_ext.worker_naptime = '50ms'");
$node->start;
build_world($node, 'postgres');
my @tables = qw(lead_state lead_data membership_state member_state event
  request_log bypass);
my @settings = (
	"pool_ext.worker_naptime = '10ms'", 'pool_ext.worker_batch = 1',
	'pool_ext.worker_limit = 64', 'pool_ext.request_retention = 1',
	'pool_ext.worker_enabled = off', 'pool_ext.worker_batch = 100000',
	'pool_ext.worker_enabled = on', 'pool_ext.request_retention = 0',
	"pool_ext.worker_naptime = '1h'", 'pool_ext.worker_limit = 1',
	"pool_ext.worker_naptime = '50ms'");

sub statements
{
	my @all;
	foreach my $table (map { "pool.$_" } @tables)
	{
		push @all, "VACUUM FULL $table", "REINDEX TABLE $table",
		  "REINDEX TABLE CONCURRENTLY $table", "VACUUM (FREEZE) $table",
		  "CLUSTER $table USING ${\($table =~ s/pool\.//r)}_pkey",
		  "ANALYZE $table", "ALTER TABLE $table SET (fillfactor = 50)",
		  "ALTER TABLE $table RESET (fillfactor)";
	}
	push @all, 'REINDEX INDEX pool.lead_state_queue_idx',
	  'REINDEX SCHEMA pool', 'GRANT SELECT ON pool.pool TO pg_monitor',
	  'REVOKE SELECT ON pool.pool FROM pg_monitor',
	  map { "ALTER SYSTEM SET $_; SELECT pg_reload_conf()" } @settings;
	# in an order of its own each time
	@all = map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [ rand, $_ ] } @all;
	return join '', map { "$_;\n" } @all,
	  "ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()";
}

my $ledger = new_ledger($node, 'postgres');
my $n = 0;
foreach my $round (1 .. $rounds)
{
	my $clients = start_clients($node, 'postgres', 4, $ENV{FULL} ? 3000 : 600);
	my $script = join ";\n", map { statements() } 1 .. ($ENV{FULL} ? 5 : 1);
	$n += () = $script =~ /;\n/g;
	my ($out, $err) = finish_psql(start_psql($node, 'postgres', $script,
			'maintenance'));
	is($err, '', "round $round: all could be done");
	is(join("\n", finish_clients($ledger, $clients)), '',
		"round $round: no call failed");
}
verified($node, 'postgres', 'at the end');
ledger_agrees($ledger, $node, 'postgres', 'at the end');
intact($node, 'postgres', 'at the end');
ok($node->poll_query_until('postgres', <<'SQL'), 'the worker goes on');
SELECT last_tick > now() - interval '10 seconds' FROM pool.stat_worker
SQL
drained($node, 'postgres', 'at the end');
diag("counted: $n statements of administrators beside $ledger->{calls} calls");
$node->stop;
unlike(slurp_file($node->logfile),
	qr/PANIC: |TRAP: |WARNING: .*leak|terminated by signal/,
	'no complaints in the log');
done_testing();
