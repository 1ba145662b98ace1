# Many sessions call at once, and each writes down when it called, what it was
# told and when it had been told: a history, for PoolOrder.pm to explain.
#
# All instants are microseconds of the server's clock, read before and after
# each call; what a call did lies between them.  A committed event is visible to
# others no sooner than its commit timestamp.
#
# At the higher levels a call is the second statement of its transaction: the
# first one fixes the snapshot, and tells which transactions it sees.
package PoolHistory;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PoolTest;
use Test::More;

our @EXPORT = qw(record_history);

my $CLOCK = '(extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

# Few leads and small limits, so that most is refused.
our $WORLD = {
	leads => 150,
	hot => 12,
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

# the bound of a refusal, and when it ends
my $BOUND = 'limit_value, used, '
  . '(extract(epoch FROM retry_at) * 1000000)::bigint';

sub some_leads
{
	my ($most) = @_;
	# half of them are about few leads, which many change at the same time
	my $among = rand() < 0.5 ? $WORLD->{leads} : $WORLD->{hot};
	my %ids = map { random_of($among) => 1 } 1 .. random_of($most);
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
			$function eq 'claim_leads' ? $BOUND : 'NULL, NULL, NULL');
	}
	if (($die -= 10) < 0)
	{
		return function_call($call, 'follow_up',
			"$id, 'call', member => '$m'", 'event_id, NULL, NULL', $id);
	}
	if (($die -= 2) < 0)
	{
		return function_call($call, 'convert', "$id, member => '$m'",
			'NULL, NULL, NULL');
	}
	if (($die -= 4) < 0)
	{
		my $key = ($n == 1 ? 'n' : 'k') . $id;
		$call->{key} = $key;
		return function_call($call, 'enter', "'$p', '$key'",
			'status, member, NULL');
	}
	$call->{ids} = [];
	if (($die -= 3) < 0)
	{
		$call->{function} = 'stat_member';
		$call->{from} = "'figures', NULL, held, claimed_today, NULL FROM "
		  . "pool.stat_member WHERE pool = '$p' AND member = '$m'";
		return $call;
	}
	if (($die -= 2) < 0)
	{
		$call->{function} = 'stat_pool';
		$call->{from} = "'figures', NULL, available, owned, NULL FROM "
		  . "pool.stat_pool WHERE pool = '$p'";
		return $call;
	}
	return function_call($call, 'claim', "'$p', '$m', $n", $BOUND);
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
	my ($call, $number, $level) = @_;
	my $head = "'R', $number, pg_current_xact_id_if_assigned()";
	my $request = $call->{id} ? ", request_id => '$call->{id}'" : '';
	my $sql =
	  $call->{function} eq 'status' ?
	  "UPDATE pool.member SET status = '$call->{status}' WHERE key = "
	  . "'$call->{m}' RETURNING $head, 'status', NULL, NULL, NULL, NULL;" :
	  "SELECT $head, $call->{from};";
	$sql =~ s/%r/$request/;
	my $end = $call->{undone} ? 'ROLLBACK;' : 'COMMIT;';
	return $call->{undone} ? "BEGIN;\n$sql\n$end" : $sql if $level eq '';
	return "BEGIN ISOLATION LEVEL $level;\n"
	  . "SELECT 'S', pg_current_snapshot(), $CLOCK;\n"
	  . ($number % 3 ? '' : "SELECT pg_sleep(0.02) \\g /dev/null\n")
	  . "SELECT 'B', $CLOCK;\n$sql\n\\echo E|:SQLSTATE\n"
	  . "$end\n\\echo E|:SQLSTATE";
}

# The calls of one session.  Only session i ever changes the status of member i,
# so that the order of these changes is known.  That he is back is said twice: at
# the higher levels once may be in vain.
sub random_calls
{
	my ($session, $count, $shared) = @_;
	my @calls;
	my $back = -9;

	while (@calls < $count)
	{
		my $call = random_call();
		my $id_allowed = $call->{from} =~ /%r/;
		my $die = rand 100;
		if ($back <= @calls && $back >= @calls - 1)
		{
			$call = status_call($session, 'active');
		}
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

sub start_session
{
	my ($node, $db, $calls, $start, $level, $own_level) = @_;
	my $script = "\\set VERBOSITY sqlstate\nSELECT pg_sleep(greatest(0, "
	  . "extract(epoch FROM '$start'::timestamptz - clock_timestamp()))) "
	  . "\\g /dev/null\nSELECT 'T', $CLOCK;\n";
	my $number = 0;
	foreach my $call (@$calls)
	{
		$script .= call_sql($call, $number++,
			$call->{function} eq 'status' ? $own_level : $level)
		  . "\nSELECT 'T', $CLOCK;\n";
	}
	return {
		calls => $calls,
		level => $level,
		run => start_psql($node, $db, $script, 'caller')
	};
}

# Ticks until it is stopped, with pauses in which nobody can blame a tick.
sub start_ticks
{
	my ($node, $db, $count, $start, $level) = @_;
	my @calls = map {
		{
			function => 'tick',
			  ids => [],
			  from => "'tick', NULL, done, NULL, NULL FROM pool.tick()"
		}, { function => 'pause', ids => [],
			from => "'pause', NULL, NULL, NULL, NULL FROM pg_sleep(0.15)" }
	} 1 .. $count;
	return start_session($node, $db, \@calls, $start, $level, $level);
}

# What one session was told: a record for each call.
sub read_session
{
	my ($session, $errors) = @_;
	my ($out, $err) = finish_psql($session->{run});
	my @records;
	my ($said, $number) = (undef, 0);

	# 40001 is an answer; who may give it is asked of the records
	push @$errors, grep { /\S/ && !/ERROR:  40001$/ } split /\n/, $err;
	foreach my $line (split /\n/, $out)
	{
		my ($type, @fields) = split /\|/, $line, -1;
		if ($type ne 'T')
		{
			push @{ $said->{$type} }, \@fields;
			next;
		}
		push @records,
		  new_record($session->{calls}[ $number++ ],
			$said, $fields[0], $session->{level})
		  if $said;
		$said = { T => $fields[0] };
	}
	push @$errors, 'not all calls were answered'
	  if @records != @{ $session->{calls} };
	return @records;
}

# s, b, c, e: before b the snapshot was taken, after c the call was made, all
# after s and before e; at READ COMMITTED both may have been at any time.
# touched: leads it may hold.
sub new_record
{
	my ($call, $said, $e, $level) = @_;
	my $snapshot = $said->{S} && $said->{S}[0];
	my $record = {
		%$call,
		level => $level,
		s => $said->{T},
		b => $snapshot ? $snapshot->[1] : $e,
		c => $said->{B} ? $said->{B}[0][0] : $said->{T},
		e => $e,
		rows => [],
		xids => {}
	};

	$record->{sees} = seer($snapshot->[0]) if $snapshot;
	$record->{failed} = 1 if grep { $_->[0] ne '00000' } @{ $said->{E} // [] };
	foreach my $row (@{ $said->{R} // [] })
	{
		my (undef, $xid, $outcome, $lead, $x, $y, $retry) = @$row;
		$record->{xids}{$xid} = 1 if $xid ne '';
		push @{ $record->{rows} },
		  {
			outcome => $outcome,
			lead => $lead,
			x => $x,
			y => $y,
			retry => $retry
		  };
	}
	$record->{said} = join ' / ',
	  map { join ' ', @$_{qw(outcome lead x y retry)} } @{ $record->{rows} };
	$record->{touched} = { map { $_ => 1 } @{ $record->{ids} },
		grep { $_ ne '' } map { $_->{lead} } @{ $record->{rows} } };
	return $record;
}

# Says of transactions whether this pg_snapshot sees what they did.
sub seer
{
	my ($first, $next, $running) = split /:/, $_[0];
	my %running = map { $_ => 1 } split /,/, $running;
	return sub { $_[0] < $next && !$running{ $_[0] } };
}

# Who used one request id were all told what was done once, by the one who had a
# transaction id: his record stands for all, of a call that was over when the
# first of them had his answer.
sub merge_requests
{
	my ($records, $problems) = @_;
	my (%same, @merged);
	my $repeated = 0;

	foreach my $record (@$records)
	{
		if (!$record->{id} || $record->{failed}) { push @merged, $record; }
		else { push @{ $same{ $record->{id} } }, $record; }
	}
	foreach my $id (sort keys %same)
	{
		my @all = @{ $same{$id} };
		my @doers = grep { %{ $_->{xids} } } @all;
		push @$problems, "request $id was done " . @doers . ' times'
		  if @doers != 1;
		my $doer = $doers[0] // $all[0];
		foreach my $record (@all)
		{
			push @$problems, "request $id was answered "
			  . "[$doer->{said}] and [$record->{said}]"
			  if $doer->{said} ne $record->{said};
			$doer->{e} = $record->{e} if $record->{e} < $doer->{e};
		}
		$repeated += @all - 1;
		push @merged, $doer;
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

# Makes a world in a new database, lets the sessions loose on it, each at one of
# the isolation levels ('' is READ COMMITTED; ticks and changes of statuses are at
# the first), and returns what they were told and what the log says: records,
# events, and the last event of the time before.
sub record_history
{
	my ($node, $db, $clients, $count, @levels) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	my $history = {
		setup => build($node, $db),
		problems => [],
		serial => "@levels" eq 'SERIALIZABLE'
	};
	my $start = $node->safe_psql($db,
		"SELECT clock_timestamp() + interval '1 second'");
	my @sessions =
	  start_ticks($node, $db, int($count / 6), $start, $levels[0]);
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
				$start, $levels[ $_ % @levels ], $levels[0])
		  } (2 * $pair - 1, 2 * $pair);
	}
	my (@records, @errors);
	push @records, read_session($_, \@errors) foreach @sessions;
	is(join("\n", @errors), '', "$db: every call was answered");
	@$history{qw(records repeated)} =
	  merge_requests(\@records, $history->{problems});
	$history->{events} = read_events($node, $db);
	$history->{calls} = @records;
	return $history;
}

1;
