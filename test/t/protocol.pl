# The extended protocol, as drivers use it.  Portals that give a few rows at a
# time, as JDBC's fetch size does, while their session goes on: they return what
# was true when they were opened.  Statements that were prepared once and are
# executed when the extension has been updated, or dropped and made again.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use IO::Socket::UNIX;
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('portals', "pool_ext.worker_enabled = off");
$node->start;
$PoolTest::LEADS = 300;
build_world($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
UPDATE pool.pool SET hold_limit = NULL, masked_attributes = '{phone}';
DELETE FROM pool.timer_rule;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'slow', 'follow_up', '3 days' FROM pool.pool;
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, CASE WHEN m.key = 'm1' THEN 'manager' ELSE 'member' END
FROM pool.pool p, pool.member m WHERE m.key IN ('m1', 'm2', 'm3');
SQL

# ---------------------------------------------------------------------
# The protocol, as far as it is needed
# ---------------------------------------------------------------------
sub connect_client
{
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	my $socket = -S $path ? IO::Socket::UNIX->new(Peer => $path) :
	  IO::Socket::INET->new(PeerAddr => $node->host, PeerPort => $node->port);
	my $client = { socket => $socket // die "no connection: $!" };
	my ($user) = getpwuid $<;
	my $start = pack('N (Z*)*', 196608, 'user', $user, 'database', 'postgres',
		'') ;
	syswrite $socket, pack('N', 4 + length $start) . $start;
	answer($client);
	return $client;
}

# Messages that wait to be sent
sub add
{
	my ($client, $type, $body) = @_;
	$client->{out} .= $type . pack('N', 4 + length $body) . $body;
	return;
}

# Sends what waits, and reads until the server is ready again, or has done
# what a Flush has asked for.  Values of a row are joined by '|'.
sub answer
{
	my ($client, $end) = @_;
	my %got = (rows => [], state => '', suspended => 0);
	$end //= 'Z';
	syswrite $client->{socket}, delete $client->{out} if $client->{out};
	while (1)
	{
		my $head = take($client, 5);
		my ($type, $length) = unpack 'a N', $head;
		my $body = take($client, $length - 4);
		if ($type eq 'D')
		{
			my @values = unpack 'x2 (N/a)*', $body =~ s/\xff{4}/\0\0\0\0/gr;
			push @{ $got{rows} }, join '|', @values;
		}
		elsif ($type eq 'E') { ($got{state}) = $body =~ /\0C(\w{5})\0/; }
		elsif ($type eq 's') { $got{suspended} = 1; }
		last if $type =~ /^[$end]$/;
		# after an error nothing is done up to the next Sync
		if ($type eq 'E' && $end ne 'Z')
		{
			add($client, 'S', '');
			syswrite $client->{socket}, delete $client->{out};
			$end = 'Z';
		}
	}
	return \%got;
}

sub take
{
	my ($client, $length) = @_;
	my $taken = '';
	while (length $taken < $length)
	{
		sysread $client->{socket}, $taken, $length - length $taken,
		  length $taken
		  or die 'the server has gone';
	}
	return $taken;
}

# A simple query; its rows, or the SQLSTATE of its failure.
sub simple
{
	my ($client, $sql) = @_;
	add($client, 'Q', "$sql\0");
	my $got = answer($client);
	return $got->{state} || join ' ', @{ $got->{rows} };
}

# Prepares a statement; the SQLSTATE if it fails.
sub prepare
{
	my ($client, $name, $sql) = @_;
	add($client, 'P', "$name\0$sql\0\0\0");
	return sync($client)->{state};
}

# Executes it; its rows, or the SQLSTATE.
sub execute
{
	my ($client, $name) = @_;
	add($client, 'B', "\0$name\0\0\0\0\0\0\0");
	add($client, 'E', "\0\0\0\0\0");
	my $got = sync($client);
	return $got->{state} || join ' ', @{ $got->{rows} };
}

# Opens a portal and leaves it where it is.
sub open_portal
{
	my ($client, $name, $sql) = @_;
	add($client, 'P', "\0$sql\0\0\0");
	add($client, 'B', "$name\0\0\0\0\0\0\0\0");
	return;
}

# The next rows of a portal; `$max` 0: all of them.
sub next_rows
{
	my ($client, $name, $max) = @_;
	add($client, 'E', $name . "\0" . pack 'N', $max);
	add($client, 'H', '');
	return answer($client, 'Cs');
}

sub sync
{
	my ($client) = @_;
	add($client, 'S', '');
	return answer($client);
}

# ---------------------------------------------------------------------
# Functions: all is done at the first row
# ---------------------------------------------------------------------
my $held = "SELECT count(*) FROM pool.lead WHERE owner_id = ("
  . "SELECT id FROM pool.member WHERE key = 'm1')";
my $claim = "SELECT outcome, lead_id FROM pool.claim('p1', 'm1', 10)";
my $client = connect_client();

simple($client, 'BEGIN');
open_portal($client, 'p', $claim);
my $first = next_rows($client, 'p', 3);
is(@{ $first->{rows} } . $first->{suspended}, '31', 'three rows, and more');
is(simple($client, $held), '10', 'all ten are claimed');
my @ids = map { (split /\|/)[1] } @{ $first->{rows} };
is(simple($client, "SELECT outcome FROM pool.release(ARRAY[$ids[0]],"
		  . " member => 'm1')"),
	'released', 'one that was read is given back');
is(simple($client, "SELECT count(*) FROM pool.claim('p1', 'm2', 10)"), '10',
	'another claims');
my $rest = next_rows($client, 'p', 0);
is(@{ $rest->{rows} } . $rest->{suspended}, '70', 'then comes the rest');
push @ids, map { (split /\|/)[1] } @{ $rest->{rows} };
is(scalar(keys %{ { map { $_ => 1 } @ids } }), 10, 'ten leads');
simple($client, 'COMMIT');
is(simple($client, $held), '9', 'of which nine are his');
is(simple($client, 'FETCH 1 FROM p'), '34000', 'the portal is gone');

# the transaction ends before the portal does
open_portal($client, 'p', $claim);
next_rows($client, 'p', 4);
sync($client);
is(simple($client, $held), '19', 'a portal left behind at a commit');
simple($client, 'BEGIN');
open_portal($client, 'p', $claim);
next_rows($client, 'p', 4);
simple($client, 'ROLLBACK');
is(simple($client, $held), '19', 'at a rollback');
is(simple($client, "SELECT count(*), count(DISTINCT lead_id) FROM "
		  . "pool.claim('p1', 'm1', 10) WHERE outcome = 'claimed'"),
	'10|10', 'what was let go of can be claimed');
is(simple($client, $held), '29', 'and is');

# savepoints round a portal
simple($client, 'BEGIN');
open_portal($client, 'outer', $claim);
next_rows($client, 'outer', 1);
simple($client, 'SAVEPOINT s');
open_portal($client, 'inner', $claim);
next_rows($client, 'inner', 1);
is(simple($client, $held), '49', 'two portals');
simple($client, 'ROLLBACK TO s');
is(next_rows($client, 'inner', 1)->{state}, '34000', 'the inner one is gone');
simple($client, 'ROLLBACK');
is(simple($client, $held), '29', 'an error, and nothing is kept');
simple($client, 'BEGIN');
open_portal($client, 'outer', $claim);
next_rows($client, 'outer', 1);
simple($client, 'SAVEPOINT s');
is(simple($client, 'SELECT 1 / 0'), '22012', 'an error');
simple($client, 'ROLLBACK TO s');
is(scalar @{ next_rows($client, 'outer', 0)->{rows} }, 9,
	'the outer one goes on');
simple($client, 'COMMIT');
is(simple($client, $held), '39', 'and is committed');

# a request is answered as it was, also of what nobody has read
my $request = "SELECT lead_id FROM pool.claim('p1', 'm1', 5, request_id => "
  . "'00000000-0000-0000-0000-000000000001')";
simple($client, 'BEGIN');
open_portal($client, 'p', $request);
my $told = next_rows($client, 'p', 2)->{rows};
simple($client, 'COMMIT');
my $again = simple($client, $request);
like($again, qr/^@$told( \d+){3}$/, 'the request has its whole answer');
is(simple($client, $held), '44', 'once');

# closed by its client
simple($client, 'BEGIN');
open_portal($client, 'p', $claim);
next_rows($client, 'p', 1);
add($client, 'C', "Pp\0");
sync($client);
simple($client, 'COMMIT');
is(simple($client, $held), '54', 'a portal that is closed half-way');

# a tick, half read
simple($client, 'BEGIN');
open_portal($client, 'p', 'SELECT task, done FROM pool.tick()');
next_rows($client, 'p', 1);
is(simple($client, 'SELECT count(*) > 3 FROM pool.tick()'), 't',
	'a tick beside another');
cmp_ok(scalar @{ next_rows($client, 'p', 0)->{rows} }, '>', 2, 'and its rest');
simple($client, 'COMMIT');
verified($node, 'postgres', 'after functions');

# ---------------------------------------------------------------------
# Views and functions that read: as they were
# ---------------------------------------------------------------------
my $clock = "SET pool_ext.clock = '2031-03-05 12:00+00'";
simple($client, $clock);
$node->safe_psql('postgres', <<"SQL");
$clock;
SELECT count(*) FROM pool.archive(ARRAY(SELECT id FROM pool.lead
    WHERE owner_id IS NULL LIMIT 10), 'lost');
SELECT count(*) FROM pool.convert((SELECT min(id) FROM pool.lead
    WHERE owner_id IS NOT NULL), 10);
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
SELECT id, 'ask', '\$.priority == 4', true FROM pool.pool WHERE name = 'p3';
SELECT count(*) FROM (SELECT l.id FROM pool.lead l JOIN pool.pool p
    ON p.id = l.pool_id WHERE p.name = 'p3' AND l.priority = 4 LIMIT 5) x,
    pool.request_claim(x.id, NULL, 'm2');
SELECT count(*) FROM pool.plan_reclaim('p1');
SQL
my $more = 0;

# What goes on in between, all of it undone at the end.  Of leads a portal shows
# its snapshot; the configuration and who acts are as of now, so with these it
# only has to end well.
my @work = (
	"SELECT count(*) FROM pool.claim('p1', 'm1', 3)",
	"SELECT count(*) FROM pool.claim('p3', 'm2', 3)",
	"SELECT count(*) FROM pool.release(ARRAY(SELECT id FROM pool.lead
		WHERE owner_id = 1 LIMIT 3), member => 'm1')",
	"SELECT count(*) FROM pool.archive(ARRAY(SELECT id FROM pool.lead
		WHERE owner_id IS NULL LIMIT 3), 'lost')",
	"SELECT count(*) FROM pool.follow_up((SELECT max(id) FROM pool.lead
		WHERE owner_id = 1), member => 'm1')",
	"SELECT count(*) FROM pool.enter('p1', 'new')",
	'SELECT count(*) FROM pool.tick()');
my @configuration = (
	"UPDATE pool.pool SET hold_limit = 7, timezone = 'Asia/Tokyo'",
	"UPDATE pool.timer_rule SET after = '1 hour'",
	'DELETE FROM pool.claim_rule',
	'DELETE FROM pool.membership WHERE member_id = 3',
	"UPDATE pool.member SET name = 'another'",
	"SELECT pool.act_as('m2')",
	"SELECT count(*) FROM pool.claim('p1', 'm2', 3)");
my @reads = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT 'pool.' || relname FROM pg_class
WHERE relnamespace = 'pool'::regnamespace AND relkind = 'v'
    AND relname <> 'intake' ORDER BY 1
SQL
my $lead = $node->safe_psql('postgres',
	'SELECT min(id) FROM pool.lead WHERE owner_id = 1');
push @reads, 'pool.verify()', "pool.history($lead)",
  "pool.explain_claim($lead, 'm2')", "pool.explain_reclaim($lead)",
  "pool.search('p1', '{}')", 'pool.check_rules()',
  "generate_series($lead, $lead + 90) i, pool.next_timer(i)",
  "pool.poll('portal', 50)";
$node->safe_psql('postgres', "SELECT count(*) FROM pool.poll('portal', 1)");

# Opens all, reads one row of each, lets the session go on, and reads the rest.
sub read_slowly
{
	my ($between, $what) = @_;
	my (%whole, %slow);
	simple($client, 'BEGIN');
	simple($client, "SELECT pool.act_as('m1')");
	foreach my $read (@reads)
	{
		my $sql = 'SELECT r::text FROM ' . ($read =~ s/ i,/ i CROSS JOIN/r) . ' r';
		open_portal($client, '', $sql);
		$whole{$read} = next_rows($client, '', 0);
		is($whole{$read}{state}, '', "$read can be read");
		open_portal($client, $read, $sql);
		$slow{$read} = next_rows($client, $read, 1);
	}
	foreach my $change (@$between)
	{
		my $state = simple($client, $change);
		isnt($state, $1, $change) if $state =~ /^([0-9A-Z]{5})$/;
	}
	foreach my $read (grep { $slow{$_}{suspended} } @reads)
	{
		my $rest = next_rows($client, $read, 0);
		is($rest->{state}, '', "$read: the rest is read, $what");
		push @{ $slow{$read}{rows} }, @{ $rest->{rows} };
		$more++ if @{ $rest->{rows} };
	}
	simple($client, 'ROLLBACK');
	return (\%slow, \%whole);
}

sub sorted { return join "\n", sort @{ $_[0]{rows} } }

my ($slow, $whole) = read_slowly(\@work, 'after work');
is(sorted($slow->{$_}), sorted($whole->{$_}), "$_: as it was at first")
  foreach @reads;
read_slowly(\@configuration, 'by another configuration');
cmp_ok($more, '>', 60, 'most of them have several rows');
verified($node, 'postgres', 'after views');

# ---------------------------------------------------------------------
# Statements prepared once: the extension is updated, dropped, made again
# ---------------------------------------------------------------------
my $make = <<"SQL";
SET client_min_messages = warning;
SET pool_ext.allow_drop = on;
DROP EXTENSION IF EXISTS pool_ext;
RESET pool_ext.allow_drop;
CREATE EXTENSION pool_ext;
$clock;
INSERT INTO pool.pool (name, everyone)
VALUES ('p1', true), ('p2', true);
INSERT INTO pool.member (key) VALUES ('m1'), ('m2'), ('m3');
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
WHERE m.key = 'm3';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'slow', 'follow_up', '3 days' FROM pool.pool;
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT id, 1, 'turns', 'round_robin' FROM pool.pool WHERE name = 'p2';
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
SELECT id, 'ask', '\$.priority == 9', true FROM pool.pool;
INSERT INTO pool.intake (pool, key, priority)
SELECT 'p' || i % 2 + 1, 'k' || i, CASE WHEN i > 90 THEN 9 ELSE 0 END
FROM generate_series(1, 100) i;
SELECT count(*) FROM pool.poll('bi', 1);
SQL
my @life = (
	"claim('p1', 'm1', 3)", "claim_leads(ARRAY[20, 91], 'm1')",
	"enter('p1', 'x', identities => '{\"phone\": \"13800138000\"}')",
	"enter('p1', 'y', identities => '{\"phone\": \"13800138000\"}')",
	"edit(4, name => 'n', attributes => '{\"a\": 1}')",
	"assign(ARRAY[40, 42], 'm2')", "auto_assign('p2', 2)",
	"follow_up(20, 'call', member => 'm1')", "transfer(ARRAY[20], 'm2')",
	"release(ARRAY[2], member => 'm1')", 'reclaim(ARRAY[4])',
	"convert(6, 10, member => 'm1')", "archive(ARRAY[8], 'lost')",
	'reopen(ARRAY[8])', "move(ARRAY[8], 'p2')",
	"request_claim(92, NULL, 'm1')", "request('move', 94, to_pool => 'p2')",
	"approve(1, actor => 'm3')", "reject(2, actor => 'm3')",
	"reserve(ARRAY[30], member => 'm1')", "unreserve(ARRAY[30], member => 'm1')",
	"hide(ARRAY[32], '2031-04-01')", 'unhide(ARRAY[32])',
	"protect(ARRAY[40], '2031-04-01')", 'unprotect(ARRAY[40])',
	"add_collaborator(40, 'm1')", "remove_collaborator(40, 'm1')",
	"reveal(40, 'm2')", 'merge(60, 62)', "search('p1', '{}', n => 3)",
	'explain_claim(64, \'m1\')', 'explain_reclaim(40)', 'explain_assign(1)',
	"check_rules('p1')", "lookup('{\"phone\": \"13800138000\"}')",
	"set_away('m1')", "set_active('m1')", "relocate('m2')", "offboard('m2')",
	"plan_reclaim('p1')", 'tick()', "poll('bi', 20)", "digest('bi')",
	"ack('bi', NULL)", "erase(ARRAY[20], 'asked')", 'history(40)', 'verify()',
	'rules_in_force', 'lead', 'lead_open', 'lead_due', 'lead_event',
	'lead_spell', 'approval_open', 'stat_pool', 'stat_member', 'stat_daily',
	'stat_member_daily', 'stat_source', 'stat_flow', 'stat_rule', 'quota_mine');
my %sql = map { ("s$_" => "SELECT x.* FROM pool.$life[$_] x") } 0 .. $#life;
my @names = map { "s$_" } 0 .. $#life;

sub made_again { return $node->safe_psql('postgres', $make); }

# What each says; not what is drawn, nor transaction ids.
sub live
{
	my ($run) = @_;
	return map {
		$run->($_) =~ s/[0-9a-f]{8}-[0-9a-f-]{27}|\b1:\d+:\d+\b/drawn/gr
	} @names;
}

my @plain;
sub same
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @said = live(sub { execute($client, $_[0]) });
	my @other = grep { $said[$_] ne $plain[$_] } 0 .. $#names;
	return is(join("\n", map { "$life[$_]: $said[$_]" } @other),
		join("\n", map { "$life[$_]: $plain[$_]" } @other), $what);
}

made_again();
$client = connect_client();
simple($client, $clock);
@plain = live(sub { simple($client, $sql{ $_[0] }) });
is(join(' ', grep { /^[0-9A-Z]{5}$/ } @plain), '', 'all of it can be called');
cmp_ok(scalar(grep { /./ } @plain), '>', 45, 'and does something');

is(join(' ', grep { $_ } map { prepare($client, $_, $sql{$_}) } @names), '',
	'prepared');
my @once_more = live(sub { execute($client, $_[0]) });
is(join(' ', grep { /^[0-9A-Z]{5}$/ } @once_more), '', 'and executed');
# what an update does: it makes functions and views anew, in place
$node->safe_psql('postgres', <<'SQL');
SELECT pg_get_functiondef(p.oid)
FROM pg_proc p WHERE p.pronamespace = 'pool'::regnamespace
    AND p.prokind = 'f' AND p.prorettype <> 'event_trigger'::regtype \gexec
SELECT format('CREATE OR REPLACE VIEW %s WITH (%s) AS %s', oid::regclass,
    coalesce(array_to_string(reloptions, ', '), 'security_barrier = false'),
    pg_get_viewdef(oid))
FROM pg_class WHERE relnamespace = 'pool'::regnamespace AND relkind = 'v' \gexec
SQL
@once_more = live(sub { execute($client, $_[0]) });
is(join(' ', grep { /^[0-9A-Z]{5}$/ } @once_more), '', 'and after an update');
made_again();
same('dropped and made again by another session');
simple($client, $make);
simple($client, $clock);
same('and by this one');
simple($client, 'SET pool_ext.allow_drop = on; DROP EXTENSION pool_ext');
is(join(' ', sort keys %{ { map { execute($client, $_) => 1 } @names } }),
	'42883 42P01', 'while there is none, they say so');
simple($client, 'RESET pool_ext.allow_drop');
made_again();
same('and go on when there is one');
verified($node, 'postgres', 'at the end');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'no complaints in the log');
diag("counted: $more views and functions read half, then to their end; "
	  . scalar(@names) . ' prepared statements');
done_testing();
