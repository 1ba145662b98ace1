# The worker in the long run: at 50 ms ticks its memory stays as it is, there are
# never two of it, and no snapshot is held; where something is written it comes once per worker_naptime,
# where nothing is, hardly ever, and what falls due is acted on at its time.  With
# FULL=1 claims beside a backlog are not much slower than alone.
#
#   STEADY= seconds (10, or 1,800 with FULL=1)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $seconds = size_of('STEADY', 10, 1_800);
my $nap = $ENV{FULL} ? 30 : 2;
plan skip_all => 'there is no /proc' unless -r "/proc/$$/status";

my $node = new_server('steady', "pool_ext.worker_naptime = '50ms'");
$node->start;
build_world($node, 'postgres');
my $launcher = $node->safe_psql('postgres', <<'SQL');
SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_ext launcher'
SQL

# A number of a process' status, in kB for sizes; none if it is gone.
sub status_of
{
	my ($pid, $name) = @_;
	open my $file, '<', "/proc/$pid/status" or return;
	my ($value) = map { /^\Q$name\E:\s+(\d+)/ ? $1 : () } <$file>;
	close $file;
	return $value;
}

# ---------------------------------------------------------------------
# Work, all the time
# ---------------------------------------------------------------------
my $watch = $node->background_psql('postgres');
# its timer is for one query, not for all; and nobody reads of every sample
$watch->set_query_timer_restart;
no warnings 'redefine';
local *PostgreSQL::Test::BackgroundPsql::note = sub { };
use warnings 'redefine';
my $began = time;
my $ticks = $watch->query_safe('SELECT coalesce(sum(done), 0)
	FROM pool.stat_worker');
my (@own, %idle, @peaks, $held, $samples, $workers, $two) = ();
my $clients = [];
my $ledger = new_ledger($node, 'postgres');
while (time - $began < $seconds)
{
	finish_clients($ledger, $clients);
	$clients = start_clients($node, 'postgres', 1, 100);
	foreach (1 .. 20)
	{
		$samples++;
		push @own, status_of($launcher, 'RssAnon');
		my @rows = split /\n/, $watch->query_safe(<<'SQL');
SELECT pid, backend_type, state, backend_xmin IS NOT NULL,
    datname IS NOT NULL AND datname = current_database()
FROM pg_stat_activity WHERE backend_type LIKE 'pool_ext%'
SQL
		my $active = 0;
		foreach (@rows)
		{
			my ($pid, $type, $state, $xmin, $here) = split /\|/;
			# state and snapshot are not read at one moment: twice is no chance
			my $idle = $xmin eq 't' && $state eq 'idle';
			$held++ if $idle && $idle{$pid};
			$idle{$pid} = $idle;
			next if $type ne 'pool_ext worker';
			$workers++;
			# one that is about to leave may still be there, but does nothing
			$active++ if $here eq 't' && $state eq 'active';
			my $rss = status_of($pid, 'RssAnon') or next;
			push @peaks, $rss;
		}
		$two++ if $active > 1;
		usleep 20_000;
	}
}
finish_clients($ledger, $clients);
$watch->quit;

sub highest { my $max = 0; foreach (@_) { $max = $_ if $_ > $max } return $max }
my $half = int(@own / 2);
my ($first, $second) = (highest(@own[ 0 .. $half ]), highest(@own[ $half .. $#own ]));
cmp_ok($second, '<=', $first + 512, 'the launcher does not grow');
cmp_ok(scalar @peaks, '>', $seconds / 2, 'workers were seen');
my $mid = int(@peaks / 2);
my ($early, $late) =
  (highest(@peaks[ 0 .. $mid ]), highest(@peaks[ $mid .. $#peaks ]));
cmp_ok($late, '<=', $early + 4096, 'later workers are no larger than earlier ones');
is($held // 0, 0, 'nobody idle held a snapshot');
is($two // 0, 0, 'never two workers at work in one database');
is($node->safe_psql('postgres', 'SELECT errors FROM pool.stat_worker'), '0',
	'no error');
verified($node, 'postgres', 'steady work');

# ---------------------------------------------------------------------
# Claims beside a backlog
# ---------------------------------------------------------------------

# How many milliseconds all but one of a hundred claims of this member took at
# most, each committed by itself, and all; and what the worker has left to do.
sub claim_times
{
	my ($member) = @_;
	return split /\|/, $node->safe_psql('postgres', <<"SQL");
TRUNCATE took;
CALL claim_by('$member', 1000);
SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS most, max(ms) AS all
FROM took \\gset
SELECT :most, :all, backlog FROM pool.stat_worker
SQL
}

if ($ENV{FULL})
{
	$node->safe_psql('postgres', <<'SQL');
CREATE TABLE took (ms float8);
CREATE PROCEDURE claim_by(member text, n int) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
BEGIN
    FOR i IN 1 .. n LOOP
        began := clock_timestamp();
        PERFORM pool.claim('late', member);
        COMMIT;
        INSERT INTO took
        VALUES (extract(epoch FROM clock_timestamp() - began) * 1000);
    END LOOP;
END $$;
ALTER SYSTEM SET pool_ext.worker_enabled = off;
SELECT pg_reload_conf();
INSERT INTO pool.pool (name, everyone) VALUES ('late', true);
INSERT INTO pool.member (key) VALUES ('fast'), ('slow');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'late', 'follow_up', '1 microsecond' FROM pool.pool
WHERE name = 'late';
INSERT INTO pool.intake (pool, key, owner)
SELECT 'late', 'l' || i, CASE WHEN i > 3000 THEN 'slow' END
FROM generate_series(1, 53000) i;
SQL
	$node->poll_query_until('postgres', "SELECT count(*) = 0
		FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'");
	my ($alone) = claim_times('fast');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_ext.worker_enabled');
	$node->reload;
	$node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active'
		 AND backend_type = 'pool_ext worker'");
	my ($beside) = claim_times('fast');
	my ($slow, $slowest, $left) = claim_times('slow');
	cmp_ok($left, '>', 0, 'the worker was at it all the time');
	cmp_ok($beside, '<', 20 + 10 * $alone,
		'claims beside a backlog are not much slower');
	cmp_ok($slowest, '<', 2000, 'its owner waits for a batch at most');
	diag(sprintf 'counted: 99 %% of claims took less than %.1f ms, beside a '
		  . 'backlog %.1f ms, by its owner %.1f and at most %.1f ms', $alone,
		$beside, $slow, $slowest);
	$node->poll_query_until('postgres',
		'SELECT backlog = 0 FROM pool.stat_worker');
	verified($node, 'postgres', 'beside a backlog');
}

# ---------------------------------------------------------------------
# Nothing to do
# ---------------------------------------------------------------------
$node->safe_psql('postgres', "DELETE FROM pool.timer_rule");
$node->safe_psql('postgres', "ALTER SYSTEM SET pool_ext.worker_naptime = '${nap}s'");
$node->reload;
# what is left to do is done
$node->poll_query_until('postgres', 'SELECT backlog = 0 FROM pool.stat_worker');
usleep $nap * 1_000_000;
my $log = -s $node->logfile;
$node->safe_psql('postgres', "ALTER SYSTEM SET log_min_messages = debug1");
$node->reload;
usleep 300_000;
my $woken = status_of($launcher, 'voluntary_ctxt_switches');
my $naps = 4;
usleep $nap * $naps * 1_000_000;
$woken = status_of($launcher, 'voluntary_ctxt_switches') - $woken;
my $starts = () = substr(slurp_file($node->logfile), $log) =~
  /(?<!un)registering background worker "pool_ext worker/g;
cmp_ok($starts, '<=', 2 * $naps / 10 + 2, 'idle, hardly any worker comes');
cmp_ok($woken, '<=', $naps + 3, 'and the launcher wakes once per naptime');
diag("counted: $samples samples in $seconds s at 50 ms ticks; launcher "
	  . "$first, then $second kB; workers at most $early, then $late kB; idle "
	  . "$starts workers and $woken wake-ups in $naps naps of $nap s");

# ---------------------------------------------------------------------
# A long naptime: due at its time, in two databases
# ---------------------------------------------------------------------
$node->safe_psql('postgres', "ALTER SYSTEM SET pool_ext.worker_naptime = '60s'");
$node->safe_psql('postgres', 'CREATE DATABASE other');
foreach my $db ('postgres', 'other')
{
	$node->safe_psql($db, 'CREATE EXTENSION pool_ext') if $db eq 'other';
	$node->safe_psql($db, <<'SQL');
INSERT INTO pool.pool (name, everyone) VALUES ('soon', true);
INSERT INTO pool.member (key) VALUES ('prompt');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'soon', 'follow_up', '2 seconds' FROM pool.pool WHERE name = 'soon';
INSERT INTO pool.intake (pool, key)
SELECT 'soon', 'soon-' || i FROM generate_series(1, 9) i;
SQL
}
$node->reload;
# the new rules have been looked at
usleep 4_000_000;

sub wake_ups { return status_of($launcher, 'voluntary_ctxt_switches') }

$woken = wake_ups();
$node->safe_psql($_, "BEGIN; SELECT count(*) FROM pool.claim('soon', 'prompt', 3);
	ROLLBACK") foreach ('postgres', 'other');
usleep 1_000_000;
is(wake_ups(), $woken, 'a rollback wakes nobody');

foreach my $db ('postgres', 'other')
{
	is($node->safe_psql($db,
			"SELECT count(*) FROM pool.claim('soon', 'prompt', 3)"),
		'3', "claimed in $db");
}
usleep 1_000_000;
is($node->safe_psql('other', "SELECT count(*) FROM pool.event
		WHERE kind = 'reclaimed'"), '0', 'nothing is reclaimed before its time');
usleep 3_500_000;
foreach my $db ('postgres', 'other')
{
	is($node->safe_psql($db, <<'SQL'), '3|t', "in $db it is, in time");
SELECT count(*), max(r.at - c.at) < interval '4 seconds'
FROM pool.event r JOIN pool.event c USING (lead_id)
JOIN pool.pool p ON p.id = r.pool_id AND p.name = 'soon'
WHERE r.kind = 'reclaimed' AND c.kind = 'claimed'
SQL
}

# What follows from that is seen to once more; then there is nothing to do.
my $idle_nap = $ENV{FULL} ? 60 : 3;
$node->safe_psql('postgres',
	"ALTER SYSTEM SET pool_ext.worker_naptime = '${idle_nap}s'");
$node->reload;
usleep 1_000_000 * ($idle_nap + 2);
$woken = wake_ups();
$log = -s $node->logfile;
my $idle_seconds = 3 * $idle_nap;
usleep 1_000_000 * $idle_seconds;
$woken = wake_ups() - $woken;
$starts = () = substr(slurp_file($node->logfile), $log) =~
  /(?<!un)registering background worker "pool_ext worker/g;
cmp_ok(($woken + $starts) / 2, '<=', 2 * 3,
	'at most two wake-ups a naptime and database');
$node->stop;
diag("counted: two databases idle for $idle_seconds s: $starts workers and "
	  . "$woken wake-ups of the launcher");
done_testing();
