# A line: the states that one thing (a lead, a counter) went through, in their
# known order, each with the bounds of the instant when it began.  What somebody
# saw of it between two instants is possible if one of the states that it may
# have been in then fits; and if it fits, the bounds are narrowed by it, so that
# what all have seen must fit together.
package PoolLine;
use strict;
use warnings FATAL => 'all';

our $NEVER = 9e18;

# Begins in a state that it has been in for ever.
sub new
{
	my ($class, $state) = @_;
	return bless {
		lo => [ -$NEVER ],
		hi => [ -$NEVER ],
		state => [$state],
		commit => [undef]
	}, $class;
}

# It begins with this commit, which many states may begin with.
sub add
{
	my ($self, $lo, $hi, $state, $commit) = @_;
	push @{ $self->{commit} }, $commit;
	push @{ $self->{lo} }, $lo;
	push @{ $self->{hi} }, $hi;
	push @{ $self->{state} }, $state;
	return;
}

sub last_state { return $_[0]{state}[-1]; }

# States begin in their order.  Returns those that cannot.
sub settle
{
	my ($self) = @_;
	my ($lo, $hi) = @$self{qw(lo hi)};

	foreach my $i (1 .. $#$lo)
	{
		$lo->[$i] = $lo->[ $i - 1 ] if $lo->[$i] < $lo->[ $i - 1 ];
	}
	foreach my $i (reverse 0 .. $#$hi - 1)
	{
		$hi->[$i] = $hi->[ $i + 1 ] if $hi->[$i] > $hi->[ $i + 1 ];
	}
	return grep { $lo->[$_] > $hi->[$_] } 0 .. $#$lo;
}

# A commit is one moment for all that begins with it: narrows the bounds of what
# is known of commits by those of the states, or these by those.
sub tell_commits
{
	my ($self, $known) = @_;
	foreach my $i (grep { defined $self->{commit}[$_] } 0 .. $#{ $self->{lo} })
	{
		my $bounds = $known->{ $self->{commit}[$i] } //= [ -$NEVER, $NEVER ];
		$bounds->[0] = $self->{lo}[$i] if $self->{lo}[$i] > $bounds->[0];
		$bounds->[1] = $self->{hi}[$i] if $self->{hi}[$i] < $bounds->[1];
	}
	return;
}

sub learn_commits
{
	my ($self, $known) = @_;
	foreach my $i (grep { defined $self->{commit}[$_] } 0 .. $#{ $self->{lo} })
	{
		($self->{lo}[$i], $self->{hi}[$i]) =
		  @{ $known->{ $self->{commit}[$i] } };
	}
	return;
}

# How many of the ascending instants are before this one, or not after it.
sub count_until
{
	my ($instants, $end, $itself) = @_;
	my ($low, $high) = (0, scalar @$instants);

	while ($low < $high)
	{
		my $middle = int(($low + $high) / 2);
		my $at = $instants->[$middle];
		if ($at < $end || ($itself && $at == $end)) { $low = $middle + 1; }
		else { $high = $middle; }
	}
	return $low;
}

# The first and last state it may have been in at some moment from s to e.
# Instants are whole microseconds: what ended in that of s may have ended later.
sub between
{
	my ($self, $s, $e) = @_;
	return (count_until($self->{hi}, $s, 0) - 1,
		count_until($self->{lo}, $e, 1) - 1);
}

sub states_between
{
	my ($self, $s, $e) = @_;
	my ($first, $last) = $self->between($s, $e);
	return @{ $self->{state} }[ $first .. $last ];
}

# Knows now that states up to the first had begun by e, and that those after the
# last had not before s.
sub narrow
{
	my ($self, $first, $last, $s, $e, $news) = @_;
	my ($lo, $hi) = @$self{qw(lo hi)};

	for (my $i = $first; $i >= 0 && $hi->[$i] > $e; $i--)
	{
		$hi->[$i] = $e;
		$$news++;
	}
	for (my $i = $last + 1; $i <= $#$lo && $lo->[$i] < $s; $i++)
	{
		$lo->[$i] = $s;
		$$news++;
	}
	return;
}

# Somebody says that he saw it, from s to e, in a state that fits.  Returns
# whether that is possible; narrows what is known.  $$free tells if there was a
# choice of states, $$news if anything became narrower.
sub seen
{
	my ($self, $s, $e, $fits, $free, $news) = @_;
	my ($first, $last) = $self->between($s, $e);
	my @fit = grep { $fits->($self->{state}[$_]) } $first .. $last;

	return 0 if !@fit;
	$$free = 1 if $last > $first;
	$self->narrow($fit[0], $fit[-1], $s, $e, $news);
	return 1;
}

# Which state it has in a snapshot that was taken from s to e and sees certain
# commits; -1 if there is none that fits these times.
sub in_snapshot
{
	my ($self, $s, $e, $sees) = @_;
	my ($first, $last) = $self->between($s, $e);

	foreach my $i (reverse $first .. $last)
	{
		return $i if !defined $self->{commit}[$i]
		  || $sees->($self->{commit}[$i]);
	}
	return -1;
}

# Whether that state may have lasted until s.
sub may_last
{
	my ($self, $i, $s) = @_;
	return $i >= 0 && ($i == $#{ $self->{hi} } || $self->{hi}[ $i + 1 ] >= $s);
}

# In a known order of all commits: that of the state after which, and that of the
# state before which somebody must come who saw one that fits; undef for none.
# What he did himself does not count, nor does what one commit passes through.
sub bounds_of
{
	my ($self, $i, $fits, $own) = @_;
	my ($state, $commit) = @$self{qw(state commit)};
	my $k = $i;
	my $j = $i;

	while ($k > 0 && defined $commit->[$k])
	{
		my $before = $k - 1;
		$before-- while ($commit->[$before] // '') eq $commit->[$k];
		last if !$fits->($state->[$before]);
		$k = $before;
	}
	while ($j < $#$state && !$own->{ $commit->[ $j + 1 ] })
	{
		my $after = $j + 1;
		$after++ while ($commit->[ $after + 1 ] // '') eq $commit->[ $j + 1 ];
		last if !$fits->($state->[$after]);
		$j = $after;
	}
	my $next = $commit->[ $j + 1 ];
	return ($commit->[$k], defined $next && $own->{$next} ? undef : $next);
}

# The parts of the time from s to e when it certainly was in a state that fits.
sub certain
{
	my ($self, $s, $e, $fits) = @_;
	my ($first, $last) = $self->between($s, $e);
	my @parts;

	foreach my $i ($first .. $last)
	{
		my $from = $self->{hi}[$i] + 1;
		my $until = $i < $#{ $self->{lo} } ? $self->{lo}[ $i + 1 ] : $NEVER;
		push @parts, [ $from, $until ]
		  if $from < $until && $from <= $e && $until > $s
		  && $fits->($self->{state}[$i]);
	}
	return @parts;
}

1;
