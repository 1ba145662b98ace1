# Many sessions call at once, and each writes down when it called, what it was
# told and when it had been told: a history, for PoolOrder.pm to explain.
#
# All instants are microseconds of the server's clock, read before and after
# each call; what a call did lies between them.  A committed event is visible to
# others no sooner than its commit timestamp.
package PoolHistory;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PoolTest;
use Test::More;

our @EXPORT = qw(record_history);

# Few leads and small limits, so that most is refused.
our $WORLD = {
	leads => 150,
	members => 24,
	hold_limit => { p1 => 6 },
	cooldown => { p2 => 1_000_000 },
	claim_interval => { p2 => 20_000 },
	claim_limit => sub { $_[0] eq 'p2' && $_[1] % 3 == 0 ? 6 : undef },
	member_limit => sub { $_[0] % 4 == 0 ? 8 : undef },
};

sub build
{
	my ($node, $db) = @_;
	$node->safe_psql($db, <<"SQL");
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone, hold_limit, cooldown, claim_interval)
VALUES ('p1', true, 6, NULL, NULL), ('p2', true, NULL, '1 second', '20 ms'),
    ('p3', true, NULL, NULL, NULL);
INSERT INTO pool.member (key, hold_limit)
SELECT i, CASE WHEN i % 4 = 0 THEN 8 END
FROM generate_series(1, $WORLD->{members}) i;
INSERT INTO pool.membership (pool_id, member_id, claim_limit)
SELECT p.id, m.id, 6 FROM pool.pool p, pool.member m
WHERE p.name = 'p2' AND m.id % 3 = 0;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'quick', 'first_contact', '300 ms' FROM pool.pool;
INSERT INTO pool.intake (pool, key, priority)
SELECT CASE WHEN i % 15 < 10 THEN 'p1' WHEN i % 15 < 12 THEN 'p2' ELSE 'p3' END,
    'k' || i, i % 5
FROM generate_series(1, $WORLD->{leads}) i;
SQL
	return $node->safe_psql($db, 'SELECT max(id) FROM pool.event');
}

# ----------------------------------------------------------------------------
# What is called
# ----------------------------------------------------------------------------

sub some_leads
{
	my ($most) = @_;
	my %ids = map { random_of($WORLD->{leads}) => 1 } 1 .. random_of($most);
	return [ sort { $a <=> $b } keys %ids ];
}

my @BATCHES = (
	# weight, function, most leads, arguments after the leads
	[ 12, 'claim_leads', 3, "'%m'" ],
	[ 9, 'release', 8, "NULL, '%p', '%m'" ],
	[ 6, 'transfer', 3, "'%m', '%p'" ],
	[ 6, 'assign', 2, "'%m'" ],
	[ 9, 'reclaim', 6, "NULL" ],
	[ 2, 'archive', 2, "'lost'" ],
	[ 5, 'reopen', 4, "'%p'" ],
	[ 4, 'move', 2, "'%p'" ]);

# One call: function, arguments, and what is to be selected from what.
sub random_call
{
	my $call = {
		m => random_of($WORLD->{members}),
		p => 'p' . random_of(3),
		n => random_of(4),
		ids => some_leads(1)
	};
	my ($m, $p, $n, $id) = (@$call{qw(m p n)}, $call->{ids}[0]);
	my $die = rand 100;

	foreach my $batch (@BATCHES)
	{
		my ($weight, $function, $most, $rest) = @$batch;
		next if ($die -= $weight) >= 0;
		$rest =~ s/%([mp])/$call->{$1}/g;
		$call->{ids} = some_leads($most);
		return function_call($call, $function,
			'ARRAY[' . join(', ', @{ $call->{ids} }) . "], $rest",
			$function eq 'claim_leads' ? 'limit_value, used' : 'NULL, NULL');
	}
	if (($die -= 10) < 0)
	{
		return function_call($call, 'follow_up',
			"$id, 'call', member => '$m'", 'event_id, NULL', $id);
	}
	if (($die -= 2) < 0)
	{
		return function_call($call, 'convert', "$id, member => '$m'",
			'NULL, NULL');
	}
	if (($die -= 4) < 0)
	{
		my $key = ($n == 1 ? 'n' : 'k') . $id;
		$call->{key} = $key;
		return function_call($call, 'enter', "'$p', '$key'",
			'status, member');
	}
	$call->{ids} = [];
	if (($die -= 3) < 0)
	{
		$call->{function} = 'stat_member';
		$call->{from} = "'figures', NULL, held, claimed_today FROM "
		  . "pool.stat_member WHERE pool = '$p' AND member = '$m'";
		return $call;
	}
	if (($die -= 2) < 0)
	{
		$call->{function} = 'stat_pool';
		$call->{from} = "'figures', NULL, available, owned FROM "
		  . "pool.stat_pool WHERE pool = '$p'";
		return $call;
	}
	return function_call($call, 'claim', "'$p', '$m', $n",
		'limit_value, used');
}

# %r stands for the request id, if any
sub function_call
{
	my ($call, $function, $arguments, $figures, $lead) = @_;
	$lead //= 'lead_id';
	$call->{function} = $function;
	$call->{from} =
	  "outcome, $lead, $figures FROM pool.$function($arguments%r)";
	return $call;
}

sub status_call
{
	my ($m, $status) = @_;
	return { function => 'status', m => $m, ids => [], status => $status };
}

# In what form it comes: alone, rolled back, with a request id.
sub call_sql
{
	my ($call, $number) = @_;
	return "UPDATE pool.member SET status = '$call->{status}' "
	  . "WHERE key = '$call->{m}';"
	  if $call->{function} eq 'status';
	my $request = $call->{id} ? ", request_id => '$call->{id}'" : '';
	my $sql = "SELECT 'R', $number, pg_current_xact_id_if_assigned(), "
	  . "$call->{from};";
	$sql =~ s/%r/$request/;
	return $call->{undone} ? "BEGIN;\n$sql\nROLLBACK;" : $sql;
}

# The calls of one session.  Only session i ever changes the status of member i,
# so that the order of these changes is known.
sub random_calls
{
	my ($session, $count, $shared) = @_;
	my @calls;
	my $back = -1;

	while (@calls < $count)
	{
		my $call = random_call();
		my $id_allowed = $call->{from} =~ /%r/;
		my $die = rand 100;
		if (@calls == $back) { $call = status_call($session, 'active'); }
		elsif ($die < 1.5 && @calls > $back && $session <= $WORLD->{members})
		{
			$call = status_call($session, 'away');
			$back = @calls + random_of(3);
		}
		elsif ($die < 8) { $call->{undone} = 1; }
		elsif ($die < 12 && $id_allowed)
		{
			$call->{id} = uuid();
			# once more, by itself
			push @calls, $call;
			$back++ if $back == @calls;
		}
		# or about when the others ask the same
		$call = $shared->{ scalar @calls } if $shared->{ scalar @calls }
		  && $call->{function} ne 'status';
		push @calls, $call;
	}
	push @calls, status_call($session, 'active')
	  if $session <= $WORLD->{members};
	return \@calls;
}

# ----------------------------------------------------------------------------
# Calling, and reading what was written down
# ----------------------------------------------------------------------------

my $NOW = 'SELECT \'T\', (extract(epoch FROM clock_timestamp()) '
  . "* 1000000)::bigint;\n";

sub start_session
{
	my ($node, $db, $calls, $start) = @_;
	my $script = "SELECT pg_sleep(greatest(0, extract(epoch FROM "
	  . "'$start'::timestamptz - clock_timestamp()))) \\g /dev/null\n$NOW";
	my $number = 0;
	$script .= call_sql($_, $number++) . "\n$NOW" foreach @$calls;
	return {
		calls => $calls,
		run => start_psql($node, $db, $script, 'caller')
	};
}

# Ticks until it is stopped, with pauses in which nobody can blame a tick.
sub start_ticks
{
	my ($node, $db, $count, $start) = @_;
	my @calls = map {
		{
			function => 'tick',
			  ids => [],
			  from => "'tick', NULL, done, NULL FROM pool.tick()"
		}, { function => 'pause', ids => [],
			from => "'pause', NULL, NULL, NULL FROM pg_sleep(0.15)" }
	} 1 .. $count;
	return start_session($node, $db, \@calls, $start);
}

# What one session was told: a record for each call.
sub read_session
{
	my ($session, $errors) = @_;
	my ($out, $err) = finish_psql($session->{run});
	my @records;
	my ($before, $number, @rows) = (undef, 0);

	push @$errors, grep { /\S/ } split /\n/, $err;
	foreach my $line (split /\n/, $out)
	{
		my ($type, @fields) = split /\|/, $line, -1;
		if ($type eq 'R') { push @rows, \@fields; next; }
		if (defined $before)
		{
			my $call = $session->{calls}[ $number++ ];
			push @records, new_record($call, $before, $fields[0], \@rows);
		}
		$before = $fields[0];
		@rows = ();
	}
	push @$errors, 'not all calls were answered'
	  if @records != @{ $session->{calls} };
	return @records;
}

# s, e: between these instants the call was made.  touched: leads it may hold.
sub new_record
{
	my ($call, $s, $e, $rows) = @_;
	my $record = { %$call, s => $s, e => $e, rows => [], xids => {} };

	foreach my $row (@$rows)
	{
		my (undef, $xid, $outcome, $lead, $x, $y) = @$row;
		$record->{xids}{$xid} = 1 if $xid ne '';
		push @{ $record->{rows} },
		  { outcome => $outcome, lead => $lead, x => $x, y => $y };
	}
	$record->{said} = join ' / ',
	  map { join ' ', @$_{qw(outcome lead x y)} } @{ $record->{rows} };
	$record->{touched} = { map { $_ => 1 } @{ $record->{ids} },
		grep { $_ ne '' } map { $_->{lead} } @{ $record->{rows} } };
	return $record;
}

# Who used one request id were all told what the first was: one record, of a
# call that was over when the first of them had his answer.
sub merge_requests
{
	my ($records, $problems) = @_;
	my (%first, @merged);
	my $repeated = 0;

	foreach my $record (@$records)
	{
		my $first = $record->{id} ? $first{ $record->{id} } : undef;
		if (!$first)
		{
			$first{ $record->{id} } = $record if $record->{id};
			push @merged, $record;
			next;
		}
		$repeated++;
		push @$problems, "request $record->{id} was answered "
		  . "[$first->{said}] and [$record->{said}]"
		  if $first->{said} ne $record->{said};
		$first->{s} = $record->{s} if $record->{s} < $first->{s};
		$first->{e} = $record->{e} if $record->{e} < $first->{e};
		$first->{xids}{$_} = 1 foreach keys %{ $record->{xids} };
	}
	return (\@merged, $repeated);
}

sub read_events
{
	my ($node, $db) = @_;
	my @names = qw(id lead kind pool member xid at commit day rule);
	my @events;

	foreach my $line (split /\n/, $node->safe_psql($db, <<'SQL'))
SELECT e.id, e.lead_id, e.kind, p.name, m.key, e.xid,
    (extract(epoch FROM e.at) * 1000000)::bigint,
    (extract(epoch FROM pg_xact_commit_timestamp(e.xid::xid))
        * 1000000)::bigint,
    e.day, e.rule_id
FROM pool.event e JOIN pool.pool p ON p.id = e.pool_id
LEFT JOIN pool.member m ON m.id = e.member_id ORDER BY e.id
SQL
	{
		my %event;
		@event{@names} = split /\|/, $line, -1;
		push @events, \%event;
	}
	return \@events;
}

# Makes a world in a new database, lets the sessions loose on it, and returns
# what they were told and what the log says: records, events, and the last event
# of the time before.
sub record_history
{
	my ($node, $db, $clients, $count) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	my $history = { setup => build($node, $db), problems => [] };
	my $start = $node->safe_psql($db,
		"SELECT clock_timestamp() + interval '1 second'");
	my @sessions = start_ticks($node, $db, int($count / 6), $start);
	foreach my $pair (1 .. $clients / 2)
	{
		my %shared;
		foreach (1 .. $count / 15)
		{
			my $call = random_call();
			next if $call->{from} !~ /%r/;
			$call->{id} = uuid();
			$shared{ int rand $count } = $call;
		}
		push @sessions,
		  map {
			start_session($node, $db, random_calls($_, $count, \%shared),
				$start)
		  } (2 * $pair - 1, 2 * $pair);
	}
	my (@records, @errors);
	push @records, read_session($_, \@errors) foreach @sessions;
	is(join("\n", @errors), '', 'every call was answered');
	@$history{qw(records repeated)} =
	  merge_requests(\@records, $history->{problems});
	$history->{events} = read_events($node, $db);
	$history->{calls} = @records;
	return $history;
}

1;
