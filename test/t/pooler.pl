# Behind a pooler that gives every transaction another connection, with portals
# that wait and statements that were prepared long ago.
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
SKIP:
{
	skip 'pgbouncer is not installed', 1 unless $bouncer;
	my $dir = $node->basedir;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $host = $node->host;
	append_to_file("$dir/users", qq{"$user" ""\n"app" ""\n});
	append_to_file("$dir/bouncer.ini", <<"INI");
[databases]
* = host=$host port=${\$node->port}
[pgbouncer]
listen_addr =
unix_socket_dir = $host
listen_port = $port
auth_type = trust
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
ignore_startup_parameters = extra_float_digits, options
logfile = $dir/bouncer.log
INI
	my $run = IPC::Run::start([ $bouncer, '-q', "$dir/bouncer.ini" ],
		'<', \undef, '>', \my $out, '2>', \my $err);
	my @psql = ('psql', '-XqAt', '-h', $host, '-p', $port);
	for (my $i = 0; $i < 100; $i++)
	{
		last if system("@psql -d postgres -c 'SELECT 1' >/dev/null 2>&1") == 0;
		select undef, undef, undef, 0.1;
	}

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
# A portal that is not read to its end has done all its work
# ---------------------------------------------------------------------
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
