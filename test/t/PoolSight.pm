# What may have been so at some moment of a call, by the lines of a history
# (PoolReplay.pm): what lead, member or pool somebody may have seen.
package PoolSight;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use List::Util qw(max min sum0);
use POSIX qw(strftime);
use PoolHistory;
use PoolReplay;

our @EXPORT = qw(saw saw_lead saw_status held_line held_in_all claims_line
  gained_for_nothing hold_limit_reached claim_limit_reached claimed_just_now
  cools_down others_touch pools_of lies_in stock_of was_empty surely_claimable
  day_of);

my $W = $PoolHistory::WORLD;
my @POOLS = qw(p1 p2 p3);

# Each of these returns whether it was possible at some moment of the call.

sub saw
{
	my ($h, $r, $line, $fits) = @_;
	return $line->seen(@$r{qw(s e)}, $fits, \$h->{free}, \$h->{news});
}

sub saw_lead
{
	my ($h, $r, $lead, $fits) = @_;
	my $line = $h->{lead}{$lead} or return 0;
	return saw($h, $r, $line, sub { $fits->($_[0], $r->{m}) });
}

sub saw_status
{
	my ($h, $r, $status) = @_;
	return saw($h, $r, line_of($h->{status}, $r->{m}, 'active'),
		sub { $_[0] eq $status });
}

# The calendar day of an instant, as events have it.
sub day_of { return strftime('%Y-%m-%d', gmtime(int($_[0] / 1e6))); }

sub held_line { return line_of($_[0]{held}, "$_[1] $_[2]", 0); }

# How many he has claimed in this call that is rolled back: he holds them for
# the rest of it.
sub gained_for_nothing
{
	my ($r) = @_;
	return 0 if !$r->{undone};
	return scalar grep { $_->{outcome} =~ /^(claimed|assigned|transferred)$/ }
	  @{ $r->{rows} };
}

# How many leads he held in all pools, at least and at most.
sub held_in_all
{
	my ($h, $r) = @_;
	my @counts = map {
		[ held_line($h, $_, $r->{m})->states_between(@$r{qw(s e)}) ]
	} @POOLS;
	return (sum0(map { min @$_ } @counts), sum0(map { max @$_ } @counts));
}

sub limit_in_all_reached
{
	my ($h, $r, $row) = @_;
	my $limit = $W->{member_limit}($r->{m}) // return 0;
	my ($least, $most) = held_in_all($h, $r);
	$most += gained_for_nothing($r);
	return $most >= $limit if $row->{x} eq '';
	return
	     $row->{x} == $limit
	  && $row->{y} >= $limit
	  && $row->{y} >= $least
	  && $row->{y} <= $most;
}

# Either limit on what is held; with figures, these as well.
sub hold_limit_reached
{
	my ($h, $r, $row, @pools) = @_;
	return 1 if limit_in_all_reached($h, $r, $row);
	my @lines = map { [ $_, held_line($h, $_, $r->{m}) ] }
	  grep { defined $W->{hold_limit}{$_} } @pools;
	foreach (@lines)
	{
		my ($pool, $line) = @$_;
		my $limit = $W->{hold_limit}{$pool};
		next if $row->{x} ne '' && $row->{x} != $limit;
		my $own = gained_for_nothing($r);
		my $fits = sub {
			$_[0] + $own >= $limit && ($row->{y} eq ''
				|| ($row->{y} >= $_[0] && $row->{y} <= $_[0] + $own));
		};
		# one explanation among several says nothing for certain
		return 1 if @lines > 1
		  && grep { $fits->($_) } $line->states_between(@$r{qw(s e)});
		return 1 if @lines == 1 && saw($h, $r, $line, $fits);
	}
	return 0;
}

sub claims_line
{
	my ($h, $pool, $member) = @_;
	return line_of($h->{claims}, "$pool $member",
		{ n => 0, day => '', at => -$PoolLine::NEVER });
}

sub claim_limit_reached
{
	my ($h, $r, $row, @pools) = @_;
	my $own = gained_for_nothing($r);
	foreach my $pool (@pools)
	{
		my $limit = $W->{claim_limit}($pool, $r->{m}) // next;
		return 1 if $row->{x} == $limit && $row->{y} >= $limit
		  && saw($h, $r, claims_line($h, $pool, $r->{m}),
			sub { $row->{y} >= $_[0]{n} && $row->{y} <= $_[0]{n} + $own });
	}
	return 0;
}

sub claimed_just_now
{
	my ($h, $r, $row, @pools) = @_;
	foreach my $pool (@pools)
	{
		my $interval = $W->{claim_interval}{$pool} // next;
		return 1 if saw($h, $r, claims_line($h, $pool, $r->{m}),
			sub { $_[0]{at} + $interval > $r->{s} });
	}
	return 0;
}

# Whether he had the lead a short while ago, as it may seem to him.
sub cools_down
{
	my ($h, $r, $lead, $pool) = @_;
	my $cooldown = $W->{cooldown}{$pool} or return 0;
	return scalar grep { $_->{lo} <= $r->{e} && $_->{at} + $cooldown > $r->{s} }
	  @{ $h->{ends}{"$lead $r->{m}"} // [] };
}

# Whether somebody else may have had the lead in hand.
sub others_touch
{
	my ($h, $r, $lead) = @_;
	foreach my $other (@{ $h->{touchers}{$lead} // [] }, @{ $h->{ticks} })
	{
		return 1 if $other != $r
		  && $other->{s} <= $r->{e} && $other->{e} >= $r->{s};
	}
	return 0;
}

# Pools in which the lead may have lain available.
sub pools_of
{
	my ($h, $r, $lead) = @_;
	my $line = $h->{lead}{$lead} or return ();
	my %pools = map { $_->{pool} => 1 }
	  grep { is_available($_) } $line->states_between(@$r{qw(s e)});
	return sort keys %pools;
}

sub lies_in
{
	my ($pool) = @_;
	return sub { is_available($_[0]) && $_[0]{pool} eq $pool };
}

# Leads that may have lain in the pool, ready to be claimed.
sub stock_of
{
	my ($h, $r, $pool) = @_;
	my $fits = lies_in($pool);
	return grep {
		grep { $fits->($_) } $h->{lead}{$_}->states_between(@$r{qw(s e)})
	} sort keys %{ $h->{lead} };
}

# Whether at some moment of the call the pool may have been empty.
sub was_empty
{
	my ($h, $r, $pool) = @_;
	my $fits = lies_in($pool);
	my @stock = stock_of($h, $r, $pool);
	my @parts = sort { $a->[0] <=> $b->[0] }
	  map { $h->{lead}{$_}->certain(@$r{qw(s e)}, $fits) } @stock;
	my $at = $r->{s};

	$h->{free} = 1 if @stock;
	foreach (@parts)
	{
		last if $_->[0] > $at;
		$at = $_->[1] if $_->[1] > $at;
	}
	return $at <= $r->{e};
}

# Leads that lay in the pool all the time, in nobody's hand and not barred.
sub surely_claimable
{
	my ($h, $r, $pool) = @_;
	my %own = map { $_->{lead} => 1 } @{ $r->{rows} };
	my $fits = lies_in($pool);
	return grep {
		my $lead = $_;
		(grep { $_->[0] <= $r->{s} && $_->[1] > $r->{e} }
			  $h->{lead}{$lead}->certain(@$r{qw(s e)}, $fits))
		  && !$own{$lead}
		  && !cools_down($h, $r, $lead, $pool)
		  && !others_touch($h, $r, $lead);
	} stock_of($h, $r, $pool);
}

1;
