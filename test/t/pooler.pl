# Behind a pooler that gives every transaction another connection, with portals
# that wait and statements that were prepared long ago; and the regress tests
# through it.
#
#   SUITE="claim time"   only these of them (two; with FULL=1 all)
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(abs_path(__FILE__)) . '/../..';
my $calls = size_of('POOLED', 400, 5_000);

my $node = new_server('pooled', <<'CONF');
pool_ext.worker_naptime = '50ms'
max_prepared_transactions = 5
CONF
$node->start;
build_world($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE DATABASE contract;
UPDATE pool.pool SET hold_limit = NULL, cooldown = NULL;
UPDATE pool.member SET hold_limit = NULL;
DELETE FROM pool.timer_rule;
CREATE ROLE app LOGIN;
SELECT pool.grant_access('app', 'service');
SQL
my ($user) = getpwuid $<;

# ---------------------------------------------------------------------
# Transactions of many clients on few connections
# ---------------------------------------------------------------------
my ($bouncer) = grep { -x } map { "$_/pgbouncer" } qw(/usr/sbin /usr/bin);

# A pooler in transaction mode, with what is its own of the file; once it answers.
sub start_bouncer
{
	my ($file, $port, $ini) = @_;
	my ($host) = $ini =~ /^unix_socket_dir = (.*)/m;
	my ($users) = $ini =~ /^auth_file = (.*)/m;
	append_to_file($users, join '', map { qq{"$_" ""\n} } $user, 'app',
		'postgres');
	append_to_file($file, <<"INI");
$ini
listen_addr =
listen_port = $port
auth_type = trust
pool_mode = transaction
max_client_conn = 100
ignore_startup_parameters = extra_float_digits, options
logfile = $file.log
INI
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ $bouncer, '-q', $file ],
		'<', \undef, '>', \$out, '2>', \$err);
	for (my $i = 0; $i < 100; $i++)
	{
		last if system("psql -XqAt -h $host -p $port -d postgres"
				. " -c 'SELECT 1' >/dev/null 2>&1") == 0;
		select undef, undef, undef, 0.1;
	}
	return $run;
}

SKIP:
{
	skip 'pgbouncer is not installed', 1 unless $bouncer;
	my $dir = $node->basedir;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $host = $node->host;
	my $run = start_bouncer("$dir/bouncer.ini", $port, <<"INI");
[databases]
* = host=$host port=${\$node->port}
[pgbouncer]
unix_socket_dir = $host
auth_file = $dir/users
default_pool_size = 3
INI
	my @psql = ('psql', '-XqAt', '-h', $host, '-p', $port);

	# the contract
	$node->safe_psql('contract',
		'CREATE EXTENSION pgtap; CREATE EXTENSION pool_ext');
	my ($stdout, $stderr) =
	  run_command([ @psql, '-d', 'contract', '-f',
			"$root/test/pgtap/contract.sql" ]);
	cmp_ok(scalar(() = $stdout =~ /^ok /mg), '>', 100,
		'the contract holds behind a pooler');
	is(join("\n", $stdout =~ /^(not ok .*)/mg), '', 'all of it');

	# acting for members, transaction by transaction
	append_to_file("$dir/act.sql", <<'SQL');
\set m random(1, 30)
\set p random(1, 3)
BEGIN;
SELECT pool.act_as('m' || :m);
SELECT lead_id, pool.current_member() = 'm' || :m AS me
FROM pool.claim('p' || :p, n => 2);
SELECT 1 / (count(*) FILTER (WHERE current_member = 'm' || :m))
FROM pool.current_member();
COMMIT;
SELECT 1 / (pool.current_member() IS NULL)::int;
BEGIN;
SELECT pool.act_as('m' || :m);
SELECT count(*) FROM pool.release(ARRAY(SELECT lead_id FROM pool.lead_mine
    ORDER BY random() LIMIT 1));
COMMIT;
SQL
	foreach my $mode ('simple', 'extended')
	{
		my ($load, $errors) = run_command(
			[
				'pgbench', '-n', '-M', $mode, '-c', 12, '-j', 2, '-t',
				int($calls / 12), '-f', "$dir/act.sql", '-h', $host, '-p',
				$port, '-U', 'app', 'postgres'
			]);
		unlike($errors, qr/ERROR|aborted/, "$mode: nobody acts for another");
		like($load, qr/number of failed transactions: 0 /, "$mode: all went well");
	}
	verified($node, 'postgres', 'behind a pooler');
	is($node->safe_psql('postgres', <<'SQL'), 't', 'everybody claimed for himself');
SELECT count(*) > 300 AND bool_and(actor_id = member_id)
FROM pool.event WHERE kind = 'claimed'
SQL
	cmp_ok($node->safe_psql('postgres', "SELECT count(*)
			FROM pg_stat_activity WHERE usename = 'app'"), '<=', 3,
		'on three connections');
	$run->signal('TERM');
	eval { $run->finish };
	diag('counted: ' . $node->safe_psql('postgres',
			"SELECT count(*) FROM pool.event WHERE kind = 'claimed'")
		  . ' claims through the pooler');
}

# ---------------------------------------------------------------------
# The regress tests, every transaction of which the pooler hands to a server
# ---------------------------------------------------------------------
sub run_suite
{
	my ($server, $dir, @names) = @_;
	my ($host, $port) =
	  ($server->host, PostgreSQL::Test::Cluster::get_free_port());
	my $ini = start_bouncer("$dir/suite.ini", $port, <<"INI");
[databases]
* = host=$host port=${\$server->port}
[pgbouncer]
unix_socket_dir = $host
auth_file = $dir/users
default_pool_size = 1
INI
	my @failed;
	mkdir "$dir/suite";
	symlink "$root/expected", "$dir/suite/expected";
	foreach my $name (@names)
	{
		my $db = "suite_$name";
		$server->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
		# what pg_regress would ask for at the start of a session
		$server->safe_psql('postgres', "ALTER DATABASE $db SET $_")
		  foreach ("lc_messages = 'C'", "intervalstyle = 'postgres_verbose'",
			"datestyle = 'Postgres, MDY'", "timezone = 'PST8PDT'");
		$server->safe_psql($db, 'CREATE EXTENSION pool_ext');
		my ($out, $err) = run_command(
			[
				$ENV{PG_REGRESS}, '--bindir=' . $server->config_data('--bindir'),
				"--inputdir=$root/test", "--outputdir=$dir/suite",
				'--use-existing', "--dbname=$db", "--host=$host",
				"--port=$port", '--user=postgres', $name
			]);
		if ($out !~ /All 1 tests passed/)
		{
			push @failed, $name;
			diag($out, $err, map { -s $_ ? slurp_file($_) : () }
				  "$dir/suite/regression.diffs");
		}
		$server->safe_psql('postgres', <<"SQL");
DROP DATABASE $db WITH (FORCE);
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE oid >= 16384 \\gexec
SQL
	}
	$ini->signal('TERM');
	eval { $ini->finish };
	return @failed;
}

SKIP:
{
	skip 'pgbouncer is not installed', 1 unless $bouncer;
	my @names = split ' ', $ENV{SUITE} // ($ENV{FULL} ? '' : 'tenants requests');
	@names = map { m{(\w+)\.sql$} } glob "$root/test/sql/*.sql" unless @names;
	local $ENV{PGUSER} = 'postgres';
	my $server = new_server('suite', slurp_file("$root/test/server.conf"),
		extra => [qw(-U postgres -E UTF8 --locale=C.UTF-8)]);
	$server->start;
	is(join(' ', run_suite($server, $server->basedir, @names)), '',
		'regress tests pass through the pooler');
	diag('counted: ' . @names . ' regress tests through the pooler');
	$server->stop;
}

# ---------------------------------------------------------------------
# A portal that is not read to its end has done all its work
# ---------------------------------------------------------------------
# the long form may have left none
$node->safe_psql('postgres', "INSERT INTO pool.intake (pool, key)
	SELECT 'p1', 'portal' || g FROM generate_series(1, 100) g");
my $ten = $node->safe_psql('postgres', <<'SQL');
BEGIN;
DECLARE c CURSOR FOR SELECT lead_id FROM pool.claim('p1', 'm1', 10);
FETCH 1 FROM c;
COMMIT;
SELECT count(*) FROM pool.event WHERE xid = (
    SELECT max(xid::text::numeric)::text::xid8 FROM pool.event)
    AND kind = 'claimed';
SQL
like($ten, qr/^\d+\n10$/, 'FETCH 1 of ten claims: ten are claimed');
my $claimed = "SELECT count(*) FROM pool.event WHERE kind = 'claimed'";
my $before = $node->safe_psql('postgres', $claimed);
$node->safe_psql('postgres', <<'SQL');
BEGIN;
DECLARE c CURSOR FOR SELECT lead_id FROM pool.claim('p1', 'm1', 7);
COMMIT;
SQL
is($node->safe_psql('postgres', $claimed), $before,
	'none where nothing was fetched');
is($node->safe_psql('postgres', <<'SQL'), "1\n1", 'a cursor that is held and left');
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT 1 FROM pool.claim('p1', 'm2', 3);
FETCH 1 FROM h;
COMMIT;
FETCH 1 FROM h;
CLOSE h;
SQL
verified($node, 'postgres', 'after cursors');

# ---------------------------------------------------------------------
# Statements prepared before an update of the extension
# ---------------------------------------------------------------------
my $session = $node->background_psql('postgres');
$session->query_safe("PREPARE c AS SELECT outcome FROM pool.claim('p1', 'm3')");
$session->query_safe("PREPARE v AS SELECT count(*) > 0 FROM pool.stat_pool");
is($session->query_safe('EXECUTE c'), 'claimed', 'prepared');
is($session->query_safe('EXECUTE v'), 't', 'a view, too');
$node->safe_psql('postgres', 'ALTER EXTENSION pool_ext UPDATE');
# what an update does: it makes functions and views anew, in place
my $definitions = $node->safe_psql('postgres', <<'SQL');
SELECT pg_get_functiondef('pool.claim'::regproc) || ';'
UNION ALL SELECT 'CREATE OR REPLACE VIEW pool.stat_pool AS '
    || pg_get_viewdef('pool.stat_pool'::regclass)
SQL
$node->safe_psql('postgres', "BEGIN; $definitions COMMIT;");
is($session->query_safe('EXECUTE c'), 'claimed', 'and goes on after an update');
is($session->query_safe('EXECUTE v'), 't', 'the view, too');
$session->quit;
verified($node, 'postgres', 'at the end');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'no complaints in the log');
done_testing();
