# Copies of the data in other clusters: one whose transaction ids are lower, one
# made by pg_upgrade; and the extension's own way from version to version.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(abs_path(__FILE__)) . '/../..';
my $soon = "pool_ext.worker_naptime = '50ms'";

# How many events a consumer is given until there are none, and whether one of
# them was given twice.
sub consume
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, <<'SQL');
CREATE TEMP TABLE given (id bigint);
DO $$
DECLARE last text;
BEGIN
    LOOP
        WITH p AS (SELECT * FROM pool.poll('bi', 700)),
        i AS (INSERT INTO given SELECT event_id FROM p)
        SELECT max(position) FILTER (WHERE r = n) INTO last
        FROM (SELECT position, row_number() OVER () AS r, count(*) OVER () AS n
            FROM p) x;
        EXIT WHEN last IS NULL;
        PERFORM pool.ack('bi', last);
    END LOOP;
END $$;
SELECT count(*), count(*) - count(DISTINCT id) FROM given;
SQL
}

# All figures of days, and who stands how.
sub figures
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, <<'SQL');
SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (
    SELECT to_jsonb(d)::text FROM pool.stat_daily d
    UNION ALL SELECT to_jsonb(m)::text FROM pool.stat_member_daily m
    UNION ALL SELECT to_jsonb(s)::text FROM pool.stat_source s) u (x)
SQL
}

sub wait_for_quiet
{
	my ($node) = @_;
	$node->safe_psql('postgres',
		'ALTER SYSTEM SET pool_ext.worker_enabled = off');
	$node->reload;
	$node->poll_query_until('postgres', "SELECT count(*) = 0
		FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'");
	return;
}

# ---------------------------------------------------------------------
# A source far ahead in transaction ids, in its second epoch
# ---------------------------------------------------------------------
my $old = new_server('old', $soon);
$old->command_ok([ 'pg_resetwal', '-e', 1, '-x', 700_000_000,
		$old->data_dir ], 'transaction ids are set ahead');
mkdir $old->data_dir . '/pg_xact';
# the page of the commit log that the next id lies in
my $page = sprintf '%s/pg_xact/%04X', $old->data_dir,
  int(700_000_000 / (8192 * 4 * 32));
append_to_file($page, "\0" x (32 * 8192)) unless -e $page;
$old->start;
cmp_ok($old->safe_psql('postgres', 'SELECT pg_current_xact_id()'), '>',
	2**32, 'the source is in its second epoch');
build_world($old, 'postgres');
$old->safe_psql('postgres', "SELECT count(*) FROM pool.poll('bi', 1)");
my $ledger = new_ledger($old, 'postgres');
is(join(' ', finish_clients($ledger, start_clients($old, 'postgres', 3, 150))),
	'', 'work');
wait_for_quiet($old);
# some of it is folded, some is not; some is acknowledged, some is not
$old->safe_psql('postgres', 'SELECT * FROM pool.tick()');
$old->safe_psql('postgres', <<'SQL');
SELECT pool.ack('bi', (SELECT position FROM pool.poll('bi', 1000)
    OFFSET 999 LIMIT 1));
SELECT count(*) FROM pool.claim('p2', 'm1', 5);
SELECT count(*) FROM pool.release(ARRAY(SELECT id FROM pool.lead
    WHERE owner_id = 1 LIMIT 3), member => 'm1');
SQL
verified($old, 'postgres', 'source');
my $figures = figures($old, 'postgres');
my $events = $old->safe_psql('postgres', 'SELECT count(*) FROM pool.event');
my $dump = $old->basedir . '/inserts.sql';
$old->command_ok([ 'pg_dump', '--inserts', '-f', $dump, 'postgres' ],
	'pg_dump --inserts');

my $young = new_server('young', $soon);
$young->start;
$young->safe_psql('postgres', 'CREATE DATABASE copy');
$young->command_checks_all([ 'psql', '-X', '-q', '-o', '/dev/null', '-v',
		'ON_ERROR_STOP=1', '-f', $dump, '-d', 'copy' ], 0, [qr/^$/], [qr/^$/],
	'restored where transaction ids are low, beside a worker');
is(figures($young, 'copy'), $figures, 'low ids: all figures are the same');
verified($young, 'copy', 'low ids');
is($young->safe_psql('copy', 'SELECT active FROM pool.stat_worker'), 'f',
	'low ids: the worker waits');
is($young->safe_psql('copy', 'SELECT pool.resume()'), 't', 'low ids: resume()');
my $copied = new_ledger($young, 'copy');
is(join(' ', finish_clients($copied, start_clients($young, 'copy', 3, 150))),
	'', 'low ids: work goes on');
wait_for_quiet($young);
$young->safe_psql('copy', 'SELECT * FROM pool.tick()');
ledger_agrees($copied, $young, 'copy', 'low ids');
verified($young, 'copy', 'low ids, worked on');
is($young->safe_psql('copy', "SELECT string_agg(generation || ' ' ||
		(xids < 2 ^ 32)::text, ', ' ORDER BY generation)
		FROM (SELECT generation, max(xid::text::numeric) AS xids
			FROM pool.event GROUP BY 1) g"),
	'1 false, 2 true', 'low ids: a generation of its own');
my $now = $young->safe_psql('copy', 'SELECT count(*) FROM pool.event');
is(consume($young, 'copy'), ($now - 1000) . '|0',
	'low ids: a consumer goes on where it was, each event once');
is($young->safe_psql('copy', <<'SQL'), 't', 'low ids: days add up');
SELECT sum(claimed) = (SELECT count(*) FROM pool.event WHERE kind = 'claimed')
FROM pool.stat_daily
SQL
$young->stop;

# ---------------------------------------------------------------------
# pg_upgrade into a new directory
# ---------------------------------------------------------------------
my $new = new_server('new', $soon);
$old->safe_psql('postgres', 'ALTER SYSTEM RESET pool_ext.worker_enabled');
$old->stop;
{
	local $ENV{PGOPTIONS};
	chdir $new->basedir;
	my $bin = $new->config_data('--bindir');
	my @upgrade = (
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir,
		'-b', $bin, '-B', $bin, '-s', $new->host, '-p', $old->port, '-P',
		$new->port);
	command_ok([ @upgrade, '--check' ], 'pg_upgrade --check');
	command_ok(\@upgrade, 'pg_upgrade');
}
$new->start;
is(figures($new, 'postgres'), $figures, 'upgraded: all figures are the same');
is($new->safe_psql('postgres', 'SELECT count(*) FROM pool.event'), $events,
	'upgraded: all events');
verified($new, 'postgres', 'upgraded');
intact($new, 'postgres', 'upgraded');
is($new->safe_psql('postgres', 'SELECT state, active FROM pool.stat_worker'),
	'waiting for resume()|f', 'upgraded: the worker waits');
is($new->safe_psql('postgres', 'SELECT pool.resume()'), 't',
	'upgraded: resume()');
my $upgraded = new_ledger($new, 'postgres');
is(join(' ', finish_clients($upgraded, start_clients($new, 'postgres', 3, 100))),
	'', 'upgraded: work goes on');
wait_for_quiet($new);
$new->safe_psql('postgres', 'SELECT * FROM pool.tick()');
ledger_agrees($upgraded, $new, 'postgres', 'upgraded');
verified($new, 'postgres', 'upgraded, worked on');
is(consume($new, 'postgres'), ($new->safe_psql('postgres',
			'SELECT count(*) FROM pool.event') - 1000) . '|0',
	'upgraded: a consumer goes on where it was, each event once');
drained($new, 'postgres', 'upgraded');

# ---------------------------------------------------------------------
# Versions
# ---------------------------------------------------------------------
my ($version) = slurp_file("$root/pool_ext.control") =~
  /^default_version = '(.*)'$/m;
is($new->safe_psql('postgres', <<'SQL'), "$version|", 'this is the version');
SELECT (SELECT default_version FROM pg_available_extensions
    WHERE name = 'pool_ext'),
    (SELECT string_agg(target, ' ') FROM pg_extension_update_paths('pool_ext')
    WHERE source = extversion AND path IS NOT NULL)
    FROM pg_extension WHERE extname = 'pool_ext'
SQL
is($new->psql('postgres', 'ALTER EXTENSION pool_ext UPDATE'), 0,
	'and updating to it does nothing');
isnt($new->psql('postgres', "ALTER EXTENSION pool_ext UPDATE TO '0.0.1'"), 0,
	'there is no way back');

# SQL of another version than the library: refused, in sessions that know the
# tables already as well
foreach my $change ('RENAME stage TO phase', 'ADD COLUMN another text')
{
	my $db = lc($change =~ s/ .*//r);
	$new->safe_psql('postgres', "CREATE DATABASE $db");
	$new->safe_psql($db, <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.member (key) VALUES ('m');
INSERT INTO pool.intake (pool, key) VALUES ('p', 'a'), ('p', 'b');
SQL
	my $session = $new->background_psql($db, on_error_stop => 0);
	is($session->query("SELECT outcome FROM pool.claim('p', 'm')"),
		'claimed', "$change: a session is at work");
	$new->safe_psql($db, "ALTER TABLE pool.lead_state $change");
	foreach my $call (
		"SELECT pool.claim('p', 'm')", "SELECT pool.enter('p', 'c')",
		'SELECT * FROM pool.tick()')
	{
		$session->query($call);
		like($session->{stderr}, qr/does not fit the library of pool_ext/,
			"$change: a session at work, $call");
		$session->{stderr} = '';
		$new->psql($db, $call, stderr => \my $stderr,
			extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		like($stderr,
			qr/55000: table "pool.lead_state" does not fit.*HINT:\s+Run ALTER EXT/s,
			"$change: a new session, $call");
	}
	$session->quit;
}
$new->stop;
foreach my $node ($old, $young, $new)
{
	unlike(slurp_file($node->logfile),
		qr/PANIC: |TRAP: |WARNING: .*leak|terminated by signal/,
		'no complaints in the log of ' . $node->name);
}
done_testing();
