# The log of a history replayed: the line (PoolLine.pm) of each lead, of what
# each member holds and has claimed in each pool, and of each member's status.
#
# Event ids order the changes of one lead, and of one member's counters in one
# pool.  An event is visible from a moment after its commit timestamp on, and by
# the time when its caller has been told.  Whoever had a snapshot changes only what
# is still as it was there.
package PoolReplay;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use List::Util qw(max min);
use PoolHistory;
use PoolLine;

our @EXPORT = qw(replay_history settle_lines line_of complain %CHANGE $NO_CLAIM
  is_available is_owned is_his is_closed);

my $W = $PoolHistory::WORLD;

# of whoever has not claimed yet
our $NO_CLAIM =
  { n => 0, day => '', from => -$PoolLine::NEVER, until => -$PoolLine::NEVER };

# What the lead is before and after each kind of event; he: whom it names.
our %CHANGE = (
	entered => [ sub { $_[0]{status} eq 'none' }, 'available' ],
	claimed => [ \&is_available, 'owned' ],
	assigned => [ \&is_available, 'owned' ],
	transferred => [ \&is_owned, 'owned' ],
	released => [ \&is_his, 'available' ],
	reclaimed => [ \&is_owned, 'available' ],
	moved => [ \&is_available, 'available' ],
	reopened => [ \&is_closed, 'available' ],
	archived => [ sub { is_available(@_) || is_owned(@_) }, 'archived' ],
	converted => [ \&is_his, 'converted' ],
	followed_up => [ \&is_his, undef ]);

sub is_available { return $_[0]{status} eq 'available'; }
sub is_owned { return $_[0]{status} eq 'owned'; }
sub is_his { return is_owned(@_) && $_[0]{owner} eq $_[1]; }
sub is_closed { return $_[0]{status} =~ /^(converted|archived)$/; }

sub line_of
{
	my ($lines, $key, $first) = @_;
	return $lines->{$key} //= PoolLine->new($first);
}

# The event writes a row, over what the snapshot of its transaction has to see.
sub check_written
{
	my ($h, $event, $row) = @_;
	my $before = $h->{writer}{$row};

	$h->{writer}{$row} = $event->{of};
	complain($h, "event $event->{id}: its snapshot does not see what was done "
		  . "to $row before")
	  if $event->{sees} && defined $before && $before ne $event->{of}
	  && !$event->{sees}->($before);
	return;
}

sub count_change
{
	my ($h, $event, $pool, $member, $n) = @_;
	my $line = line_of($h->{held}, "$pool $member", 0);
	my $held = $line->last_state + $n;
	my $limit = $W->{hold_limit}{$pool};
	my $in_all = $h->{in_all}{$member} += $n;
	my $limit_in_all = $W->{member_limit}($member);

	check_written($h, $event, "counters $pool $member");
	$line->add(@$event{qw(lo hi)}, $held, $event->{of});
	complain($h, "event $event->{id}: $member holds $held in $pool, "
		  . "$in_all in all")
	  if $held < 0
	  || ($n > 0 && defined $limit && $held > $limit)
	  || ($n > 0 && defined $limit_in_all && $in_all > $limit_in_all);
	return;
}

# When the call asked for the time, from when to when: it is that of its events,
# but of those about leads that came later still.
sub claimed_at
{
	my ($event, $lead, $last) = @_;
	my $at = $event->{at};
	my ($from, $until) = ($lead->{at} // 0) < $at ? ($at, $at) :
	  ($event->{c} // $at, $at);
	my $same = ($last->{of} // '') eq ($event->{of} // '-');
	return !$same ? ($from, $until) :
	  (max($from, $last->{from}), min($until, $last->{until}));
}

sub count_claim
{
	my ($h, $event, $lead) = @_;
	my $key = "$event->{pool} $event->{member}";
	my $line = line_of($h->{claims}, $key, $NO_CLAIM);
	my $last = $line->last_state;
	my $n = $event->{day} eq $last->{day} ? $last->{n} + 1 : 1;
	my $limit = $W->{claim_limit}($event->{pool}, $event->{member});
	my ($from, $until) = claimed_at($event, $lead, $last);

	$line->add(
		@$event{qw(lo hi)},
		{
			n => $n,
			day => $event->{day},
			from => $from,
			until => $until,
			of => $event->{of}
		},
		$event->{of});
	complain($h, "event $event->{id}: claim $n of the day")
	  if defined $limit && $n > $limit;
	return;
}

# One event: the lead, and whoever gains or loses it.
sub replay
{
	my ($h, $event) = @_;
	my $change = $CHANGE{ $event->{kind} } or return;
	my ($fits, $status) = @$change;
	my $line = line_of($h->{lead}, $event->{lead}, { status => 'none' });
	my $before = $line->last_state;
	my ($pool, $member) = @$event{qw(pool member)};

	complain($h, "event $event->{id}: $event->{kind} by '$member' of "
		  . "lead $event->{lead}, $before->{status} '"
		  . ($before->{owner} // '') . "'")
	  if !$fits->($before, $member);
	check_written($h, $event, "lead $event->{lead}");
	return if !$status;
	my $owner = $status eq 'owned' ? $member : '';
	$line->add(
		@$event{qw(lo hi)},
		{
			status => $status,
			owner => $owner,
			pool => $pool,
			at => $event->{at}
		},
		$event->{of});
	my %change;
	if (is_owned($before))
	{
		$change{"$before->{pool} $before->{owner}"}--;
		$event->{loser} = $before->{owner};
		push @{ $h->{ends}{"$event->{lead} $before->{owner}"} }, $event;
	}
	$change{"$pool $owner"}++ if $owner ne '';
	# what he loses makes room
	foreach (sort { $change{$a} <=> $change{$b} }
		grep { $change{$_} } sort keys %change)
	{
		count_change($h, $event, split(/ /), $change{$_});
	}
	count_claim($h, $event, $before) if $event->{kind} eq 'claimed';
	return;
}

# When each event can have become visible, and who wrote it.
sub date_events
{
	my ($h) = @_;
	my %record_of;

	foreach my $record (@{ $h->{records} })
	{
		$record_of{$_} = $record foreach keys %{ $record->{xids} };
	}
	foreach my $event (@{ $h->{events} })
	{
		my $record = $record_of{ $event->{xid} };
		my $before = $event->{id} <= $h->{setup};
		$event->{lo} = $before ? -$PoolLine::NEVER : $event->{commit};
		$event->{hi} = $before ? -$PoolLine::NEVER :
		  $record ? $record->{e} : $PoolLine::NEVER;
		next if $before;
		$event->{of} = $event->{xid};
		complain($h, "event $event->{id}: nobody's") if !$record;
		next if !$record;
		@$event{qw(c sees)} = @$record{qw(c sees)};
		complain($h, "event $event->{id}: of what was rolled back")
		  if $record->{undone} || $record->{failed};
		complain($h, "event $event->{id}: not in its call")
		  if $event->{commit} < $record->{c}
		  || $event->{commit} > $record->{e};
		$record->{touched}{ $event->{lead} } = 1;
		push @{ $record->{events} }, $event;
	}
	return;
}

# Members' statuses, each changed by one session only.
sub replay_statuses
{
	my ($h) = @_;
	foreach my $record (sort { $a->{s} <=> $b->{s} } @{ $h->{records} })
	{
		next if $record->{function} ne 'status' || $record->{failed};
		my $line = line_of($h->{status}, $record->{m}, 'active');
		$line->add(@$record{qw(c e status)}, keys %{ $record->{xids} })
		  if $line->last_state ne $record->{status};
	}
	return;
}

sub complain
{
	my ($h, $text) = @_;
	push @{ $h->{problems} }, $text;
	return;
}

# Settles all lines, together: what one of them knows of a commit all others know
# then.  What cannot have begun in its order is complained of.
sub settle_lines
{
	my ($h) = @_;
	my @lines = map { values %{ $h->{$_} } } qw(lead held claims);
	my %known;

	$_->settle foreach @lines;
	$_->tell_commits(\%known) foreach @lines;
	$_->learn_commits(\%known) foreach @lines;
	foreach my $what (qw(lead held claims status))
	{
		foreach my $key (sort keys %{ $h->{$what} })
		{
			my @wrong = $h->{$what}{$key}->settle;
			complain($h, "$what $key: the order of events and that of calls "
				  . "differ at $wrong[0]") if @wrong;
		}
	}
	return;
}

sub replay_history
{
	my ($h) = @_;
	@$h{qw(lead held claims status ends in_all writer)} =
	  ({}, {}, {}, {}, {}, {}, {});
	date_events($h);
	replay($h, $_) foreach @{ $h->{events} };
	replay_statuses($h);
	settle_lines($h);
	return;
}

1;
