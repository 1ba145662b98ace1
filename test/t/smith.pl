# SQLsmith writes queries at random, over our views and functions among others,
# as a member, as an administrator and as a superuser.  Nothing crashes, and no
# error is an internal one of ours.
#
#   SMITH_SECONDS= for each of them (600 with FULL=1, else nothing is run)
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{SMITH_SECONDS} || ($ENV{FULL} ? 600 : 0);
my ($smith) = grep { -x } map { "$_/sqlsmith" } qw(/usr/bin /usr/local/bin);
plan skip_all => 'only with FULL=1 or SMITH_SECONDS' unless $seconds;
plan skip_all => 'sqlsmith is not installed' unless $smith;

my $node = new_server('smith', <<'CONF');
log_error_verbosity = verbose
log_min_messages = warning
log_min_error_statement = panic
temp_file_limit = 200MB
restart_after_crash = off
max_locks_per_transaction = 256
CONF
$node->start;
build_world($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE a_member LOGIN;
CREATE ROLE an_admin LOGIN;
CREATE ROLE a_superuser LOGIN SUPERUSER;
ALTER ROLE a_member SET statement_timeout = '2s';
ALTER ROLE an_admin SET statement_timeout = '2s';
ALTER ROLE a_superuser SET statement_timeout = '2s';
SELECT pool.grant_access('a_member', 'manager');
SELECT pool.grant_access('an_admin', 'admin');
SELECT pool.grant_access('an_admin', 'service');
UPDATE pool.member SET login = 'a_member' WHERE key = 'm1';
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
WHERE m.key = 'm1';
INSERT INTO pool.claim_rule (pool_id, name, condition)
SELECT id, 'a', '$.priority < 4' FROM pool.pool WHERE name = 'p1';
SELECT count(*) FROM pool.claim('p1', 'm1', 20);
SELECT count(*) FROM pool.claim('p3', 'm2', 20);
SELECT count(*) FROM generate_series(1, 20) i, pool.follow_up(i, 'call',
    note => 'said nothing', member => 'm1');
SELECT count(*) FROM pool.tick();
SELECT count(*) FROM pool.poll('somebody');
SQL

my $queries = 0;
foreach my $role ('a_member', 'an_admin', 'a_superuser')
{
	my ($out, $err) = ('', '');
	my $before = $node->safe_psql('postgres', <<'SQL');
SELECT xact_commit + xact_rollback FROM pg_stat_database
WHERE datname = current_database()
SQL
	my $run = IPC::Run::start(
		[
			$smith, '--exclude-catalog', '--verbose',
			'--target=' . $node->connstr('postgres') . " user=$role"
		],
		'<', \undef, '>', \$out, '2>', \$err);
	# it reads the catalog first, which takes a while
	my $until;
	while ($run->pumpable && time < ($until // $^T + 3600))
	{
		eval { $run->pump_nb };
		$until //= time + $seconds if $err =~ /Generating indexes\.+done/;
		select undef, undef, undef, 0.5;
	}
	$run->kill_kill;
	my $n = $node->safe_psql('postgres', <<'SQL') - $before;
SELECT xact_commit + xact_rollback FROM pg_stat_database
WHERE datname = current_database()
SQL
	$queries += $n;
	cmp_ok($n, '>', 0, "$role: queries were run");
	is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server is up');
}
verified($node, 'postgres', 'after all');
diag("counted: $queries random queries");
$node->stop;

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC: |TRAP: |terminated by signal|WARNING: .*leak/,
	'nothing crashed');
# "LOCATION:  function, file.c:line" follows each error
my %file = map { m{([^/]+)$} => 1 } glob dirname(abs_path(__FILE__)) . '/../../src/*.c';
my @ours = grep { /ERROR:  XX/ && /LOCATION: .* (\w+\.c):\d+/ && $file{$1} }
  split /\n(?=\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] (?!LOCATION|DETAIL|HINT|CONTEXT))/,
  $log;
is(join("\n", @ours), '', 'no internal error of ours');
my %states;
$states{$_}++ foreach $log =~ /ERROR:  (\w{5}):/g;
note(join ', ', map { "$_ $states{$_}" } sort keys %states);
done_testing();
