# The log of a history replayed: the line (PoolLine.pm) of each lead, of what
# each member holds and has claimed in each pool, and of each member's status.
#
# Event ids order the changes of one lead, and of one member's counters in one
# pool.  An event is visible from a moment after its commit timestamp on, and by
# the time when its caller has been told.
package PoolReplay;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PoolHistory;
use PoolLine;

our @EXPORT = qw(replay_history settle_lines line_of complain %CHANGE
  is_available is_owned is_his is_closed);

my $W = $PoolHistory::WORLD;

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

sub count_change
{
	my ($h, $event, $pool, $member, $n) = @_;
	my $line = line_of($h->{held}, "$pool $member", 0);
	my $held = $line->last_state + $n;
	my $limit = $W->{hold_limit}{$pool};

	$line->add(@$event{qw(lo hi)}, $held, $event->{of});
	complain($h, "event $event->{id}: $member holds $held in $pool")
	  if $held < 0 || ($n > 0 && defined $limit && $held > $limit);
	return;
}

sub count_claim
{
	my ($h, $event) = @_;
	my $line = line_of($h->{claims}, "$event->{pool} $event->{member}",
		{ n => 0, day => '', at => -$PoolLine::NEVER });
	my $last = $line->last_state;
	my $n = $event->{day} eq $last->{day} ? $last->{n} + 1 : 1;
	my $limit = $W->{claim_limit}($event->{pool}, $event->{member});

	$line->add(@$event{qw(lo hi)},
		{ n => $n, day => $event->{day}, at => $event->{at} },
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
	return if !$status;
	my $owner = $status eq 'owned' ? $member : '';
	$line->add(@$event{qw(lo hi)},
		{ status => $status, owner => $owner, pool => $pool },
		$event->{of});
	my %change;
	if (is_owned($before))
	{
		$change{"$before->{pool} $before->{owner}"}--;
		push @{ $h->{ends}{"$event->{lead} $before->{owner}"} }, $event;
	}
	$change{"$pool $owner"}++ if $owner ne '';
	foreach (sort grep { $change{$_} } keys %change)
	{
		count_change($h, $event, split(/ /), $change{$_});
	}
	count_claim($h, $event) if $event->{kind} eq 'claimed';
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
		complain($h, "event $event->{id}: of what was rolled back")
		  if $record->{undone};
		complain($h, "event $event->{id}: not in its call")
		  if $event->{commit} < $record->{s}
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
		next if $record->{function} ne 'status';
		line_of($h->{status}, $record->{m}, 'active')
		  ->add(@$record{qw(s e status)});
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
	@$h{qw(lead held claims status ends)} = ({}, {}, {}, {}, {});
	date_events($h);
	replay($h, $_) foreach @{ $h->{events} };
	replay_statuses($h);
	settle_lines($h);
	return;
}

1;
