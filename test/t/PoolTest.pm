# What the tests of failures share: a server, a world to work in, clients that
# write down what they were told, and the comparison of that with the log.
package PoolTest;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_server build_world size_of verified intact drained
  new_ledger start_clients finish_clients repeat_lost ledger_agrees
  settle_server member_sql random_of uuid start_psql finish_psql
  chinese_locale);

our $LEADS = 3_000;
our $MEMBERS = 30;

# A size: from the environment, else the full one with FULL=1, else the short.
sub size_of
{
	my ($name, $short, $full) = @_;
	return $ENV{$name} || ($ENV{FULL} ? $full : $short);
}

sub new_server
{
	my ($name, $conf, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%init);
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pool_ext'
restart_after_crash = on
timezone = 'UTC'
log_statement = none
fsync = off
synchronous_commit = on
deadlock_timeout = 200ms
$conf
CONF
	return $node;
}

# The name of a Chinese locale; where the machine lacks it, a private one is made.
sub chinese_locale
{
	my $locale = 'zh_CN.UTF-8';
	return $locale if `locale -a` =~ /^zh_CN\.utf-?8$/mi;
	my $dir = PostgreSQL::Test::Utils::tempdir . '/locale';
	mkdir $dir;
	PostgreSQL::Test::Utils::system_or_bail(qw(localedef -i zh_CN -f UTF-8),
		"$dir/$locale");
	$ENV{LOCPATH} = $dir;
	return $locale;
}

# Three pools with rules that act soon, members who belong to all of them.
sub build_world
{
	my ($node, $db) = @_;
	$node->safe_psql($db, <<"SQL");
CREATE EXTENSION pool_ext;
CREATE EXTENSION amcheck;
INSERT INTO pool.pool (name, everyone, hold_limit, cooldown)
VALUES ('p1', true, 200, NULL), ('p2', true, NULL, '1 second'),
    ('p3', true, 50, NULL);
INSERT INTO pool.member (key, hold_limit)
SELECT 'm' || i, CASE WHEN i % 4 = 0 THEN 60 END
FROM generate_series(1, $MEMBERS) i;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'quick', 'first_contact', '300 ms' FROM pool.pool
WHERE name <> 'p2';
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT id, 1, 'turns', 'round_robin' FROM pool.pool WHERE name = 'p2';
UPDATE pool.pool SET route_returned = false;
INSERT INTO pool.intake (pool, key, priority)
SELECT CASE WHEN i % 2 = 0 THEN 'p1' ELSE 'p3' END, 'k' || i, i % 5
FROM generate_series(1, $LEADS) i;
SQL
	return;
}

sub verified
{
	my ($node, $db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($db, 'SELECT * FROM pool.verify()'),
		'', "$what: verify() finds nothing");
}

sub intact
{
	my ($node, $db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $node->command_ok(
		[
			'pg_amcheck', '--heapallindexed', '--parent-check', '-s', 'pool',
			'-h', $node->host, '-p', $node->port, $db
		],
		"$what: tables and indexes agree");
}

# All that is available is handed out, in order, then the pools are empty.
sub drained
{
	my ($node, $db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql($db, <<'SQL');
UPDATE pool.pool SET hold_limit = NULL, cooldown = NULL;
DELETE FROM pool.timer_rule;
DELETE FROM pool.routing_rule;
INSERT INTO pool.member (key) VALUES ('drain');
SQL
	foreach my $pool (qw(p1 p2 p3))
	{
		is($node->safe_psql($db, <<"SQL"), 't', "$what: $pool is handed out");
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
	return;
}

# ----------------------------------------------------------------------------
# Clients who write down what they were told
# ----------------------------------------------------------------------------

# A psql that needs nobody to feed it or to listen to it.
my $sessions = 0;
sub start_psql
{
	my ($node, $db, $script, $name) = @_;
	my $base = $node->basedir . '/session' . ++$sessions;
	my %run = map { $_ => "$base.$_" } qw(sql out err);
	append_to_file($run{sql}, $script);
	$run{handle} = IPC::Run::start(
		[
			'psql', '-XqAt', '-f', $run{sql}, '-d',
			$node->connstr($db) . " application_name=$name"
		],
		'<', \undef, '>', $run{out}, '2>', $run{err});
	return \%run;
}

# Waits for its end; what it has written, and what it complained of.
sub finish_psql
{
	my ($run) = @_;
	# it may have ended with the server
	eval { IPC::Run::finish($run->{handle}) };
	my @texts = map { slurp_file($_) } @$run{qw(out err)};
	unlink @$run{qw(sql out err)};
	return @texts;
}

sub random_of { return 1 + int rand $_[0]; }

sub uuid
{
	return sprintf '%08x-%04x-4%03x-8%03x-%06x%06x',
	  map { int rand $_ } 2**32, 2**16, 2**12, 2**12, 2**24, 2**24;
}

sub member_sql { return "'m" . random_of($MEMBERS) . "'"; }

# One call with its request id; it returns outcome and lead_id, one row each.
sub random_call
{
	my ($id) = @_;
	my $request = "request_id => '$id'";
	my $m = member_sql();
	my $pool = "'p" . random_of(3) . "'";
	my $ids = join ', ', map { random_of($LEADS) } 1 .. random_of(4);
	my $n = random_of(5);
	my $die = rand 100;
	my ($call, $who) = ('', 'NULL');

	if ($die < 40) { ($call, $who) = ("claim($pool, $m, $n, $request)", $m); }
	elsif ($die < 52)
	{
		($call, $who) = ("claim_leads(ARRAY[$ids], $m, $request)", $m);
	}
	elsif ($die < 62)
	{
		$call = "release(ARRAY[$ids], NULL, $pool, $m, $request)";
	}
	elsif ($die < 67) { $call = "transfer(ARRAY[$ids], $m, $request)"; }
	elsif ($die < 72) { $call = "reclaim(ARRAY[$ids], $request)"; }
	elsif ($die < 75) { $call = "auto_assign($pool, $n, $request)"; }
	elsif ($die < 79) { $call = "archive(ARRAY[$ids], 'lost', $request)"; }
	elsif ($die < 87) { $call = "reopen(ARRAY[$ids], $request)"; }
	elsif ($die < 90) { $call = "move(ARRAY[$ids], $pool, $request)"; }
	elsif ($die < 92)
	{
		$call = "enter($pool, 'n" . random_of(1e6) . "', $request)";
	}
	else
	{
		my $lead = random_of($LEADS);
		return "SELECT 'followed ' || outcome, $lead, NULL FROM "
		  . "pool.follow_up($lead, 'call', member => $m, $request)";
	}
	return "SELECT outcome, lead_id, $who FROM pool.$call";
}

# Of what is told from now on.
sub new_ledger
{
	my ($node, $db) = @_;
	return {
		rows => [],
		calls => 0,
		lost => [],
		since => $node->safe_psql($db,
			'SELECT coalesce(max(id), 0) FROM pool.event')
	};
}

# psql prints a result only when the server has said that it is committed.
sub start_clients
{
	my ($node, $db, $count, $calls) = @_;
	my @clients;

	foreach my $i (1 .. $count)
	{
		my @calls;
		my $script = '';
		foreach (1 .. $calls)
		{
			my $id = uuid();
			my $sql = random_call($id);
			push @calls, [ $id, $sql ];
			$script .= "$sql;\n\\echo done $id\n";
		}
		push @clients,
		  {
			calls => \@calls,
			run => start_psql($node, $db, $script, "client$i")
		  };
	}
	return \@clients;
}

# Enters what they were told; a call that nobody answered is lost, for now.
sub finish_clients
{
	my ($ledger, $clients) = @_;
	my @errors;

	foreach my $client (@$clients)
	{
		my ($out, $err) = finish_psql($client->{run});
		my @lines = split /\n/, $out;
		my $answered = grep { /^done / } @lines;
		$ledger->{calls} += $answered;
		push @{ $ledger->{rows} }, grep { !/^done / } @lines;
		my $next = $client->{calls}[$answered];
		push @{ $ledger->{lost} }, $next if $next;
		push @errors, grep { /ERROR/ } split /\n/, $err;
	}
	return @errors;
}

# Whoever got no answer repeats his request, and gets it now.
sub repeat_lost
{
	my ($ledger, $node, $db) = @_;
	my $repeated = 0;

	foreach my $lost (@{ $ledger->{lost} })
	{
		my $sql = $lost->[1];
		my $first = $node->safe_psql($db, $sql);
		my $again = $node->safe_psql($db, $sql);
		die "another answer to $sql\n$first\n$again" if $first ne $again;
		push @{ $ledger->{rows} }, split /\n/, $first;
		$ledger->{calls}++;
		$repeated++;
	}
	$ledger->{lost} = [];
	return $repeated;
}

# Everything that somebody was told is in the log, and claims exactly once: only
# these clients claim.
sub ledger_agrees
{
	my ($ledger, $node, $db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $file = $node->basedir . '/told.csv';
	unlink $file;
	append_to_file($file, join '', map { "$_\n" } @{ $ledger->{rows} });
	is($node->safe_psql($db, <<"SQL"), '', "$what: the log has what was told");
CREATE TEMP TABLE told (outcome text, lead_id bigint, member text);
\\copy told FROM '$file' WITH (DELIMITER '|', NULL '')
WITH told AS (
    SELECT outcome, lead_id, member, count(*) AS n FROM told
    WHERE outcome IN ('claimed', 'assigned', 'transferred', 'released',
        'reclaimed', 'archived', 'reopened', 'moved', 'entered')
    GROUP BY 1, 2, 3),
logged AS (
    SELECT e.kind, e.lead_id,
        CASE WHEN e.kind = 'claimed' THEN m.key END AS member, count(*) AS n
    FROM pool.event e LEFT JOIN pool.member m ON m.id = e.member_id
    WHERE e.id > $ledger->{since}
    GROUP BY 1, 2, 3)
SELECT coalesce(t.outcome, l.kind), coalesce(t.lead_id, l.lead_id),
    coalesce(t.member, l.member), t.n AS told, l.n AS logged
FROM told t FULL JOIN logged l ON l.kind = t.outcome
    AND l.lead_id = t.lead_id
    AND l.member IS NOT DISTINCT FROM t.member
WHERE coalesce(t.n, 0) > coalesce(l.n, 0)
    OR l.kind = 'claimed' AND coalesce(t.n, 0) <> l.n
LIMIT 10
SQL
	is($node->safe_psql($db, <<'SQL'), '', "$what: one owner at a time");
SELECT lead_id, id FROM (
    SELECT lead_id, id, kind, lag(kind) OVER (PARTITION BY lead_id ORDER BY id)
        AS before
    FROM pool.event WHERE kind IN ('claimed', 'assigned', 'transferred',
        'released', 'reclaimed', 'converted', 'archived', 'erased')) e
WHERE kind IN ('claimed', 'assigned')
    AND before IN ('claimed', 'assigned', 'transferred')
LIMIT 10
SQL
	return;
}

# Waits until the server has recovered.
sub settle_server
{
	my ($node, $db) = @_;
	$node->poll_query_until($db, undef, '') or die 'the server is not back';
	return;
}

1;
