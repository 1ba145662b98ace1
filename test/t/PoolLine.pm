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
	my ($lo, $hi) = @$self{qw(lo hi)};
	for (my $i = $fit[0]; $i >= 0 && $hi->[$i] > $e; $i--)
	{
		$hi->[$i] = $e;
		$$news++;
	}
	for (my $i = $fit[-1] + 1; $i <= $#$lo && $lo->[$i] < $s; $i++)
	{
		$lo->[$i] = $s;
		$$news++;
	}
	return 1;
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
