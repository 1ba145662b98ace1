# Many sessions do everything at once; afterwards nothing may be wrong, and an
# order of all calls must explain every answer.
#
#   CLIENTS= sessions (32, or 64 with FULL=1)
#   SECONDS_OF_STRESS= (10, or 120 with FULL=1)
#   CALLS= each session makes whose answers are looked at, one by one, in a
#          world of their own, at all isolation levels (60, or 700 with FULL=1);
#          in another one half as many, all SERIALIZABLE
#   SEED=  what they call (that of the moment; printed)
use strict;
use warnings FATAL => 'all';
use PoolHistory;
use PoolLine;
use PoolOrder;
use PoolSerial;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = $ENV{CLIENTS} || ($ENV{FULL} ? 64 : 32);
my $seconds = $ENV{SECONDS_OF_STRESS} || ($ENV{FULL} ? 120 : 10);
my $leads = 3_000;
my $calls_each = $ENV{CALLS} || ($ENV{FULL} ? 700 : 60);
my $seed = $ENV{SEED} // time;

my $node = PostgreSQL::Test::Cluster->new('stress');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pool_ext'
pool_ext.worker_naptime = 200ms
max_connections = 150
fsync = off
synchronous_commit = off
timezone = 'UTC'
track_commit_timestamp = on
deadlock_timeout = 200ms
CONF
$node->start;
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION pool_ext;
CREATE EXTENSION amcheck;
INSERT INTO pool.pool (name, everyone, hold_limit, cooldown)
VALUES ('p1', true, 200, NULL), ('p2', true, NULL, '1 second'),
    ('p3', true, 8, NULL);
INSERT INTO pool.member (key, hold_limit)
SELECT 'm' || i, CASE WHEN i % 4 = 0 THEN 16 END
FROM generate_series(1, 40) i;
INSERT INTO pool.membership (pool_id, member_id, claim_limit)
SELECT p.id, m.id, 25 FROM pool.pool p, pool.member m
WHERE p.name = 'p2' AND m.id % 5 = 0;
INSERT INTO pool.timer_rule (pool_id, name, basis, after, remind_before)
SELECT id, 'quick', 'first_contact', '1 second',
    CASE name WHEN 'p1' THEN ARRAY[interval '500 ms'] ELSE '{}' END
FROM pool.pool WHERE name <> 'p2';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, to_pool_id)
SELECT id, 'over', 'ownership', '2 seconds',
    (SELECT id FROM pool.pool WHERE name = 'p2')
FROM pool.pool WHERE name = 'p1';
INSERT INTO pool.intake (pool, key, priority)
SELECT 'p' || i % 3 + 1, 'k' || i, i % 5 FROM generate_series(1, $leads) i;
SQL

# One call per transaction: never a deadlock.
my %single = (
	'claim' => [ 20, "SELECT pool.claim('p' || :p, 'm' || :m, :n);" ],
	'claim_leads' =>
	  [ 10, "SELECT pool.claim_leads(ARRAY[:a, :b, :c], 'm' || :m);" ],
	'release' =>
	  [ 10, "SELECT pool.release(ARRAY[:a, :b, :c], NULL, 'p' || :p, 'm' || :m);" ],
	'transfer' =>
	  [ 8, "SELECT pool.transfer(ARRAY[:c, :b, :a], 'm' || :m, 'p' || :p);" ],
	'assign' => [ 8, "SELECT pool.assign(ARRAY[:a, :b], 'm' || :m);" ],
	'reclaim' => [ 8, 'SELECT pool.reclaim(ARRAY[:b, :a]);' ],
	'follow_up' =>
	  [ 15, "SELECT pool.follow_up(:a, 'call', member => 'm' || :m);" ],
	'convert' => [ 3, 'SELECT pool.convert(:a, :n);' ],
	'archive' => [ 3, "SELECT pool.archive(ARRAY[:c, :a], 'stress');" ],
	'reopen' => [ 8, 'SELECT pool.reopen(ARRAY[:a, :b, :c]);' ],
	'move' => [ 4, "SELECT pool.move(ARRAY[:b, :c], 'p' || :p);" ],
	'enter' => [
		4,
		"SELECT pool.enter('p' || :p, 'k' || :a, priority => :n, identities"
		  . " => jsonb_build_object('phone', '1380000' || :b));"
	],
	'edit' => [ 4, 'SELECT pool.edit(:a, priority => :n);' ],
	'status' => [
		2,
		"UPDATE pool.member SET status = CASE WHEN :n = 1 THEN 'away' "
		  . "ELSE 'active' END WHERE key = 'm' || :m;"
	],
	'statistics' => [ 1, 'SELECT sum(available) FROM pool.stat_pool;' ]);

# Somebody who does what the worker does, without a break; the rules above make
# leads due all the time.
my %tick = ('tick' => [ 1, 'SELECT * FROM pool.tick(500);' ]);

# Several calls: a deadlock is an answer, and so is rolling back.
my %several = (
	'savepoint' => [
		5, "BEGIN; SELECT pool.claim('p' || :p, 'm' || :m, :n); SAVEPOINT s; "
		  . "SELECT pool.claim('p' || :p, 'm' || :m, 3); "
		  . 'SELECT pool.reclaim(ARRAY[:a, :b]); ROLLBACK TO s; '
		  . "SELECT pool.claim('p' || :p, 'm' || :m); COMMIT;"
	],
	'rollback' => [
		5, "BEGIN; SELECT pool.claim('p' || :p, 'm' || :m, :n); "
		  . "SELECT pool.release(ARRAY[:a, :b], member => 'm' || :m); "
		  . "SELECT pool.move(ARRAY[:c], 'p' || :p); ROLLBACK;"
	],
	'repeatable' => [
		3, 'BEGIN ISOLATION LEVEL REPEATABLE READ; '
		  . "SELECT pool.claim('p' || :p, 'm' || :m, :n); COMMIT;"
	]);

sub start_load
{
	my ($name, $count, $scripts) = @_;
	my @files;
	foreach my $script (sort keys %$scripts)
	{
		my $file = $node->basedir . "/$script.sql";
		unlink $file;
		my ($weight, $sql) = @{ $scripts->{$script} };
		append_to_file($file, <<"SCRIPT");
\\set a random(1, $leads)
\\set b random(1, $leads)
\\set c random(1, $leads)
\\set m random(1, 40)
\\set n random(1, 5)
\\set p random(1, 3)
$sql
SCRIPT
		push @files, '-f', "$file\@$weight";
	}
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[
			'pgbench', '-n', '-T', $seconds, '-c', $count, '-j', 2,
			'--failures-detailed', @files,
			'-h', $node->host, '-p', $node->port, 'postgres'
		],
		'<', \undef, '>', \$out, '2>', \$err);
	return { name => $name, run => $run, out => \$out, err => \$err };
}

my ($calls, $deadlocks) = (0, 0);

sub finish_load
{
	my ($load) = @_;
	IPC::Run::finish($load->{run});
	my $out = ${ $load->{out} };
	my ($done) = $out =~ /transactions actually processed: (\d+)/;
	my ($locked) = $out =~ /number of deadlock failures: (\d+)/;
	unlike(${ $load->{err} }, qr/aborted|ERROR/, "$load->{name}: no error");
	cmp_ok($done // 0, '>', 0, "$load->{name}: ran");
	note("$load->{name}: ", $done // 0, ' transactions, ', $locked // 0,
		' deadlocks');
	$calls += $done // 0;
	$deadlocks += $locked // 0;
	return $locked // 0;
}

note("$clients sessions, twice $seconds seconds");
my $one = start_load('single calls', $clients, \%single);
my $tick = start_load('ticks', 1, \%tick);
is(finish_load($one), 0, 'one call per transaction never deadlocks');
is(finish_load($tick), 0, 'nor does a tick');
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'),
	'', 'verify() finds nothing after single calls');

my $few = int($clients / 4);
finish_load($_)
  foreach (
	start_load('single calls among several', $clients - $few, \%single),
	start_load('several calls', $few, \%several),
	start_load('ticks among several', 1, \%tick));

is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'),
	'', 'verify() finds nothing');
$node->safe_psql('postgres', 'SELECT * FROM pool.tick()');
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'),
	'', 'nor after a tick');
is($node->safe_psql('postgres', <<'SQL'), 't', 'timers have acted, and moved');
SELECT count(*) FILTER (WHERE kind = 'reclaimed') > 50
    AND count(*) FILTER (WHERE kind = 'reclaimed' AND detail ? 'from_pool') > 0
    AND count(*) FILTER (WHERE kind = 'reminded') > 0
FROM pool.event WHERE rule_id IS NOT NULL
SQL
note($node->safe_psql('postgres', <<'SQL'));
SELECT string_agg(kind || ' ' || n, ', ' ORDER BY n DESC)
FROM (SELECT kind, count(*) AS n FROM pool.event GROUP BY 1) k
SQL

# No limit was passed at any moment: the log knows what everybody held in each
# pool and over all of them after each event, and how much he claimed on each day.
my $gains = $node->safe_psql('postgres', <<'SQL');
CREATE TABLE history AS
SELECT id, member_id, pool_id, 1 AS n FROM pool.event
WHERE kind IN ('claimed', 'assigned', 'transferred')
UNION ALL
SELECT id, CASE kind WHEN 'transferred' THEN (detail ->> 'from')::integer
        ELSE member_id END, coalesce((detail ->> 'from_pool')::integer, pool_id),
    -1
FROM pool.event
WHERE kind IN ('released', 'reclaimed', 'transferred')
    OR kind IN ('archived', 'erased') AND detail ->> 'from' = 'owned'
    OR kind = 'converted' AND coalesce(detail ->> 'from', '') <> 'available';
SELECT count(*) FROM history WHERE n > 0;
SQL
is($node->safe_psql('postgres', <<'SQL'), '', 'no limit on holdings was passed');
SELECT h.* FROM (
    SELECT id, n, pool_id, member_id,
        sum(n) OVER (PARTITION BY pool_id, member_id ORDER BY id, n) AS held,
        sum(n) OVER (PARTITION BY member_id ORDER BY id, n) AS held_in_all
    FROM history) h
JOIN pool.pool p ON p.id = h.pool_id JOIN pool.member m ON m.id = h.member_id
WHERE h.held < 0 OR n > 0 AND (h.held > p.hold_limit
    OR h.held_in_all > m.hold_limit)
LIMIT 5
SQL
is($node->safe_psql('postgres', <<'SQL'), '25', 'nor on claims of a day');
SELECT max(n) FROM (
    SELECT count(*) AS n FROM pool.event e JOIN pool.pool p ON p.id = e.pool_id
    WHERE kind = 'claimed' AND p.name = 'p2' AND member_id % 5 = 0
    GROUP BY member_id, (at AT TIME ZONE 'UTC')::date) c
SQL
is($node->safe_psql('postgres', <<'SQL'), 't', 'and limits were reached');
SELECT max(held) FILTER (WHERE pool_id = 3) = 8
    AND max(in_all) FILTER (WHERE member_id % 4 = 0) = 16
FROM (SELECT pool_id, member_id,
    sum(n) OVER (PARTITION BY pool_id, member_id ORDER BY id, n) AS held,
    sum(n) OVER (PARTITION BY member_id ORDER BY id, n) AS in_all
    FROM history) h
SQL

# What is available is handed out completely, and in order.
$node->safe_psql('postgres', <<'SQL');
UPDATE pool.pool SET hold_limit = NULL, cooldown = NULL;
DELETE FROM pool.timer_rule;
INSERT INTO pool.member (key) VALUES ('drain');
SQL
foreach my $pool (qw(p1 p2 p3))
{
	is($node->safe_psql('postgres', <<"SQL"), 't', "$pool is drained in order");
WITH queue AS MATERIALIZED (
    SELECT array_agg(s.id ORDER BY s.ticket) AS ids
    FROM pool.lead_state s JOIN pool.pool p ON p.id = s.pool_id
    WHERE p.name = '$pool' AND s.ticket IS NOT NULL),
claimed AS MATERIALIZED (
    SELECT array_agg(c.lead_id ORDER BY c.ordinality) AS ids
    FROM pool.claim('$pool', 'drain', 10000) WITH ORDINALITY c)
SELECT q.ids IS NOT DISTINCT FROM array_remove(c.ids, NULL)
    OR q.ids IS NULL AND c.ids = '{NULL}'
FROM queue q, claimed c
SQL
}

# Every answer was possible in some order of all calls.  The worker rests: it
# would tell nobody what it holds.
$node->append_conf('postgresql.conf', 'pool_ext.worker_enabled = off');
$node->reload;
srand $seed;
my $line = PoolLine->new('old');
$line->add(0, 90, 'new');
ok($line->seen(10, 20, sub { $_[0] eq 'new' }), 'a change may be seen')
  && ok(!$line->seen(50, 60, sub { $_[0] eq 'old' }), 'by all or none');
my @higher = ('REPEATABLE READ', 'SERIALIZABLE');
my $history = record_history($node, 'answers', $clients, $calls_each,
	'', $higher[0], '', $higher[1]);
my @unexplained = explain_history($history);
is(scalar @unexplained, 0, 'an order of all calls explains every answer');
diag($_) foreach splice @unexplained, 0, 20;
foreach my $answer ('claim empty', 'claim hold_limit', 'claim of fewer',
	'claim_leads taken', 'release not_owner')
{
	cmp_ok($history->{answers}{$answer} // 0, '>', 0, "$answer was met");
}
cmp_ok($history->{repeated}, '>', 0, 'requests were repeated');
foreach my $level ('', @higher)
{
	foreach (
		[ 'claim empty', outcome => 'too_soon' ],
		[ 'claim_leads taken', outcome => 'not_available' ],
		[ 'claim_leads taken', retry => 1 ],
		[ 'reclaim not_owned', outcome => 'reclaimed' ],
		[ 'release not_owner', outcome => 'released' ],
		[ 'stat_member figures', x => 5 ])
	{
		my ($answer, @lie) = @$_;
		cmp_ok(lies_found($history, $level, @$_), '>', 0,
			"it could not have been @lie instead of $answer at '$level'");
	}
}

# Of these there are few, at one level or another.
foreach (
	[ 'claim claimed', outcome => 'empty' ],
	[ 'reclaim reclaimed', outcome => 'not_owned' ],
	[ 'transfer transferred', outcome => 'hold_limit' ])
{
	my ($answer, @lie) = @$_;
	my $found = 0;
	$found += lies_found($history, $_, $answer, @lie) foreach ('', @higher);
	cmp_ok($found, '>', 0, "nor @lie instead of $answer");
}
foreach (
	[ 'claim claim_limit', later => 1 ],
	[ 'claim too_soon', later => 1 ],
	[ 'claim none_allowed', later => -1 ],
	[ 'claim_leads cooldown', later => 1 ])
{
	my ($answer, @lie) = @$_;
	my ($told, $found) = (0, 0);
	foreach my $level ('', @higher)
	{
		$told += lies_told($history, $level, $answer);
		$found += lies_found($history, $level, $answer, @lie);
	}
	cmp_ok($found, '>=', $told * 0.8,
		"nor @lie instead of $answer, $told times");
}

# Whoever changes what another has read, and reads what that one changes.
my @both = map {
	{ function => $_, xids => { $_ => 1 }, said => '', s => 0, e => 90 }
} 'ann', 'bob';
my @lines = map { PoolLine->new('old') } @both;
$lines[$_]->add(0, 90, 'new', (keys %{ $both[$_]{xids} })[0]) foreach 0, 1;
my %skew = (records => \@both, problems => [], lead => {});
foreach my $reader (1, 0)
{
	my $r = $both[$reader];
	my @read = $lines[ 1 - $reader ]->bounds_of(0, sub { $_[0] eq 'old' },
		$r->{xids});
	push @{ $r->{bounds} }, \@read;
	$skew{lead}{ 1 - $reader } = $lines[ 1 - $reader ];
	order_history(\%skew);
	is(@{ $skew{problems} }, 1 - $reader,
		$reader ? 'one who reads and one who changes have an order' :
		  'two who change what the other has read have none');
}

my $serial = record_history($node, 'serial', $clients, $calls_each / 2,
	'SERIALIZABLE');
my @unordered = explain_history($serial);
is(scalar @unordered, 0, 'one order of all transactions explains all answers');
diag($_) foreach splice @unordered, 0, 20;
cmp_ok(outdated($history) + outdated($serial),
	'>', 0, 'refusals were of snapshots, not of now');
cmp_ok($serial->{arcs}, '>', $clients, 'many of them in a certain order');
is($node->safe_psql('serial', 'SELECT * FROM pool.verify()'),
	'', 'verify() finds nothing in that world');
is($node->safe_psql('answers', 'SELECT * FROM pool.verify()'),
	'', 'verify() finds nothing there');
$node->command_ok(
	[
		'pg_amcheck', '--heapallindexed', '--parent-check', '-s', 'pool',
		'-h', $node->host, '-p', $node->port, 'postgres'
	],
	'tables and indexes agree');
$node->stop;
unlike(slurp_file($node->logfile),
	qr/WARNING|PANIC|leak|was terminated by signal/, 'nothing in the log');
diag("counted: $clients sessions, twice $seconds s: $calls transactions, "
	  . "$gains spells held against all limits, "
	  . "$deadlocks deadlocks among several calls");
diag("counted: of $history->{calls} calls of $clients sessions "
	  . "($history->{repeated} repeated, seed $seed) in $history->{rounds} "
	  . 'rounds: ' . answers_counted($history));
diag("counted: of these at $_: " . answers_at($history, $_)) foreach @higher;
diag("counted: of $serial->{calls} calls when all are SERIALIZABLE, one before "
	  . "the other $serial->{arcs} times: " . answers_at($serial, $higher[1]));
done_testing();
