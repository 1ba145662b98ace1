# What runs out, and what crashes: disk, connections, locks, worker slots and
# patience.  Everything that fails fails by itself, and all is well afterwards.
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $worker = "backend_type = 'pool_ext worker'";

sub state_of
{
	my ($on, $sql) = @_;
	$on->psql('postgres', $sql, stdout => \my $stdout, stderr => \my $stderr,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	return $stderr =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : 'none';
}

# Waits until none of the processes is there any more; true if so.
sub gone
{
	my @pids = @_;
	for (my $i = 0; $i < 10 * $PostgreSQL::Test::Utils::timeout_default; $i++)
	{
		return 1 unless kill 0, @pids;
		select undef, undef, undef, 0.1;
	}
	return 0;
}

# ---------------------------------------------------------------------
# A job that crashes the server is left alone, and nothing else is
# ---------------------------------------------------------------------
my $node = new_server('crashing', <<'CONF');
pool_ext.worker_naptime = '50ms'
restart_after_crash = off
CONF
$node->start;
my $postmaster = $node->{_pid};
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('good', true), ('bad', true);
INSERT INTO pool.member (key) VALUES ('m');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'at once', 'follow_up', '1 microsecond' FROM pool.pool;
CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT backend_type <> 'client backend' FROM pg_stat_activity
        WHERE pid = pg_backend_pid()) THEN
        EXECUTE format('COPY (SELECT 1) TO PROGRAM ''kill -SEGV %s''',
            pg_backend_pid());
        PERFORM pg_sleep(60);
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER crash BEFORE UPDATE ON pool.lead_state FOR EACH ROW
WHEN (new.status = 'available' AND old.status = 'owned' AND new.pool_id = 2)
EXECUTE FUNCTION crash();
INSERT INTO pool.intake (pool, key) VALUES ('bad', 'b'), ('good', 'g');
SELECT count(*) FROM pool.claim('bad', 'm');
SQL
# the first time the server stays down until somebody starts it
ok($node->wait_for_log(qr/shutting down because restart_after_crash is off/),
	'down');
$node->{_pid} = undef;
gone($postmaster);
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
ok($node->wait_for_log(qr/timers of pool 2 are left alone/), 'left alone');
my $log = slurp_file($node->logfile);
my $crashes = () = $log =~ /background worker "pool_ext worker[^"]*" \(PID \d+\) was terminated by signal 11/g;
is($crashes, 3, 'after three crashes');
$node->poll_query_until('postgres', 'SELECT true') or die;
is($node->safe_psql('postgres', 'SELECT last_error FROM pool.stat_worker'),
	'timers of pool 2 are left alone (SQLSTATE 57P02)', 'stat_worker says so');
$node->safe_psql('postgres', "SELECT count(*) FROM pool.claim('good', 'm')");
ok($node->poll_query_until('postgres', <<'SQL'), 'the other pools go on');
SELECT status = 'available' FROM pool.lead WHERE key = 'g'
SQL
is($node->safe_psql('postgres',
		"SELECT done FROM pool.tick() WHERE task = 'timers'"), '1',
	'in a session it can be done');
# many workers have come and gone; resume() lets it be said again
$log = slurp_file($node->logfile);
my $said = () = $log =~ /timers of pool \d+ are left alone/g;
is($said, 1, 'said once');

# the postmaster is killed: all others go with it, and what crashed is known
my @pids = split /\n/, $node->safe_psql('postgres',
	'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
$node->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pool.claim('bad', 'm');
SELECT count(*) FROM pool.claim('good', 'm');
SQL
$node->kill9;
ok(gone(@pids), 'no process outlives the postmaster');
my $killed = -s $node->logfile;
$node->start;
ok($node->wait_for_log(qr/timers of pool 2 are left alone/, $killed),
	'left alone after a kill of the postmaster');
ok($node->poll_query_until('postgres', <<'SQL'), 'the other pools go on');
SELECT status = 'available' FROM pool.lead WHERE key = 'g'
SQL
$crashes = () = slurp_file($node->logfile) =~ /was terminated by signal 11/g;
is($crashes, 3, 'it has not crashed again');
$node->safe_psql('postgres', <<'SQL');
DROP TRIGGER crash ON pool.lead_state;
SELECT pool.resume();
SQL
ok($node->poll_query_until('postgres', <<'SQL'), 'resumed, it is done again');
SELECT status = 'available' FROM pool.lead WHERE key = 'b'
SQL
# somebody else's crashes are not the worker's
foreach (1 .. 4)
{
	my $session = $node->background_psql('postgres');
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	kill 'KILL', $pid;
	$session->{run}->finish;
	$node->poll_query_until('postgres', undef, '') or die;
}
$node->safe_psql('postgres', "SELECT count(*) FROM pool.claim('bad', 'm')");
ok($node->poll_query_until('postgres', <<'SQL'), 'crashes of others count for nothing');
SELECT status = 'available' FROM pool.lead WHERE key = 'b'
SQL
# nor is a whole task tried for ever
$node->safe_psql('postgres', <<'SQL');
CREATE TRIGGER crash BEFORE UPDATE ON pool.member FOR EACH ROW
WHEN (new.status = 'active' AND old.status = 'away') EXECUTE FUNCTION crash();
UPDATE pool.member SET status = 'away', away_until = now();
SQL
ok($node->wait_for_log(qr/task "people" of pool_ext in database "postgres" is left alone/),
	'a task is left alone');
$node->poll_query_until('postgres', 'SELECT true') or die;
$node->safe_psql('postgres', <<'SQL');
UPDATE pool.member SET status = 'active', away_until = NULL;
SELECT count(*) FROM pool.claim('good', 'm');
SQL
ok($node->poll_query_until('postgres', <<'SQL'), 'the other tasks go on');
SELECT status = 'available' FROM pool.lead WHERE key = 'g'
SQL
$node->safe_psql('postgres', <<'SQL');
DROP TRIGGER crash ON pool.member;
UPDATE pool.member SET status = 'away', away_until = now();
SELECT pool.resume();
SQL
ok($node->poll_query_until('postgres', <<'SQL'), 'resumed, it is done again');
SELECT status = 'active' FROM pool.member WHERE key = 'm'
SQL
verified($node, 'postgres', 'after crashes');
$node->stop;

# ---------------------------------------------------------------------
# Few locks, few connections, and other libraries before and behind
# ---------------------------------------------------------------------
my $small = new_server('small', <<'CONF');
pool_ext.worker_naptime = '50ms'
shared_preload_libraries = 'pg_stat_statements, pool_ext, auto_explain'
auto_explain.log_min_duration = 1h
CONF
$small->start;
build_world($small, 'postgres');
# making the extension takes more
$small->append_conf('postgresql.conf', <<'CONF');
max_locks_per_transaction = 10
max_connections = 8
shared_preload_libraries = 'auto_explain, pool_ext, pg_stat_statements'
superuser_reserved_connections = 1
max_wal_senders = 0
CONF
$small->restart;
is(state_of($small, <<'SQL'), 'none', 'a huge load takes few locks');
INSERT INTO pool.intake (pool, key, identities)
SELECT 'p2', 'big' || i, jsonb_build_object('phone', (13800000000 + i)::text,
    'email', 'big' || i || '@x.cn')
FROM generate_series(1, 20000) i
SQL
is(state_of($small, <<'SQL'), 'none', 'so do huge batches');
BEGIN;
SELECT count(*) FROM pool.claim('p1', 'm1', 10000);
SELECT count(*) FROM pool.claim('p2', 'm1', 10000);
SELECT count(*) FROM pool.release(ARRAY(SELECT id FROM pool.lead
    WHERE owner_id = 1 LIMIT 10000), member => 'm1');
SELECT count(*) FROM pool.auto_assign('p2', 5000);
SELECT count(*) FROM pool.archive(ARRAY(SELECT id FROM pool.lead
    WHERE status = 'owned' LIMIT 10000), 'lost');
COMMIT
SQL
my @sessions;
while (@sessions < 20)
{
	my $session = eval { $small->background_psql('postgres') } or last;
	last unless eval { $session->query_safe('SELECT 1'); 1 };
	push @sessions, $session;
}
cmp_ok(scalar @sessions, '<', 9, 'no connection is left');
my $before = $sessions[0]->query_safe('SELECT last_tick FROM pool.stat_worker');
my $ticked = 0;
for (my $i = 0; $i < 200 && !$ticked; $i++)
{
	$ticked = $sessions[0]->query_safe("SELECT (last_tick > '$before'
		)::int FROM pool.stat_worker, pg_sleep(0.05)");
}
is($ticked, 1, 'the worker needs none of them');
like($sessions[1]->query_safe("SELECT outcome FROM pool.claim('p1', 'm2')"),
	qr/^(claimed|empty|contended)$/, 'whoever has one works');
$_->quit foreach @sessions;
verified($small, 'postgres', 'few locks and connections');
$small->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
cmp_ok($small->safe_psql('postgres', "SELECT count(*) FROM pg_stat_statements
		WHERE query LIKE '%pool.claim%'"), '>', 0,
	'libraries beside it do their work');
$small->stop;

# ---------------------------------------------------------------------
# No space left on the disk
# ---------------------------------------------------------------------
SKIP:
{
	my $disk = $ENV{SMALL_DISK};
	skip 'no small disk: only root can mount one', 1
	  unless $disk && -w $disk;
	my $full = new_server('full', "pool_ext.worker_naptime = '100ms'");
	$full->start;
	build_world($full, 'postgres');
	mkdir "$disk/space" or die;
	$full->safe_psql('postgres',
		"CREATE TABLESPACE small LOCATION '$disk/space'");
	$full->safe_psql('postgres', <<'SQL');
ALTER SYSTEM SET pool_ext.worker_enabled = off;
SELECT pg_reload_conf();
SQL
	$full->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE $worker");
	$full->safe_psql('postgres', <<'SQL');
SELECT format('ALTER TABLE %s SET TABLESPACE small', oid::regclass)
FROM pg_class WHERE relnamespace = 'pool'::regnamespace AND relkind = 'r'
\gexec
SELECT format('ALTER INDEX %s SET TABLESPACE small', i.indexrelid::regclass)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'pool'::regnamespace \gexec
ALTER SYSTEM RESET pool_ext.worker_enabled;
SELECT pg_reload_conf();
SQL
	my $ledger = new_ledger($full, 'postgres');
	# fill it to the last page, with what others put there
	$full->safe_psql('postgres', <<'SQL');
CREATE TABLE filler (x text) TABLESPACE small;
ALTER TABLE filler ALTER x SET STORAGE PLAIN;
SQL
	my $filled = 0;
	foreach my $rows (1000, 100, 10, 1)
	{
		$filled++ while $filled < 5000 && state_of($full,
			"INSERT INTO filler SELECT repeat('x', 8000) "
			  . "FROM generate_series(1, $rows)") eq 'none';
	}
	my @errors =
	  finish_clients($ledger, start_clients($full, 'postgres', 3, 600));
	cmp_ok(scalar @errors, '>', 0, 'calls fail for want of space');
	is(scalar(grep { !/could not extend file/ } @errors), 0,
		'and for nothing else');
	$full->safe_psql('postgres', 'DROP TABLE filler');
	verified($full, 'postgres', 'there is space again');
	intact($full, 'postgres', 'there is space again');
	my $after = new_ledger($full, 'postgres');
	is(join(' ',
			finish_clients($after, start_clients($full, 'postgres', 3, 50))),
		'', 'work goes on');
	ledger_agrees($after, $full, 'postgres', 'there is space again');
	drained($full, 'postgres', 'there is space again');
	$full->stop;
	unlike(slurp_file($full->logfile), qr/PANIC: |terminated by signal/,
		'nothing crashed');
	diag('counted: ' . scalar(@errors) . ' calls failed on a full disk');
}
done_testing();
