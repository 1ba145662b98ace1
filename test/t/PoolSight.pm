# What may have been so at some moment of a call, by the lines of a history
# (PoolReplay.pm): what lead, member or pool somebody may have seen.
#
# At READ COMMITTED that is any moment of the call.  At the higher levels what is
# read is what the snapshot of the transaction sees, exactly; what is `kept` was,
# besides, still so when the call was made: a lead or counters that it has locked.
package PoolSight;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use List::Util qw(max min sum0);
use POSIX qw(strftime);
use Time::Local qw(timegm);
use PoolHistory;
use PoolReplay;

our @EXPORT = qw(saw saw_lead saw_status states_seen had_room held_line
  claims_line hold_limit_reached claim_limit_reached few_allowed
  claimed_just_now cools_down first_cools_down others_touch pools_of lies_in
  stock_of was_empty surely_claimable day_of);

my $W = $PoolHistory::WORLD;
my @POOLS = qw(p1 p2 p3);

# Each of these returns whether it was possible at some moment of the call.

sub saw
{
	my ($h, $r, $line, $fits, $kept) = @_;
	return $line->seen(@$r{qw(s e)}, $fits, \$h->{free}, \$h->{news})
	  if !$r->{sees};
	my $i = $line->in_snapshot(@$r{qw(s b sees)});
	my $until = $kept ? $r->{c} : $r->{s};
	return 0
	  if !$line->may_last($i, $until) || !$fits->($line->{state}[$i]);
	$line->narrow($i, $i, $until, $r->{b}, \$h->{news});
	push @{ $r->{bounds} }, [ $line->bounds_of($i, $fits, $r->{xids}) ]
	  if $h->{serial};
	return 1;
}

# All states that may have been seen.
sub states_seen
{
	my ($r, $line, $kept) = @_;
	return $line->states_between(@$r{qw(s e)}) if !$r->{sees};
	my $i = $line->in_snapshot(@$r{qw(s b sees)});
	return $line->may_last($i, $kept ? $r->{c} : $r->{s}) ?
	  $line->{state}[$i] : ();
}

sub saw_lead
{
	my ($h, $r, $lead, $fits) = @_;
	my $line = $h->{lead}{$lead} or return 0;
	return saw($h, $r, $line, sub { $fits->($_[0], $r->{m}) });
}

# It stands in the counters, which whoever asks has locked.
sub saw_status
{
	my ($h, $r, $status) = @_;
	return saw($h, $r, line_of($h->{status}, $r->{m}, 'active'),
		sub { $_[0] eq $status }, 1);
}

# The calendar day of an instant, as events have it.
sub day_of { return strftime('%Y-%m-%d', gmtime(int($_[0] / 1e6))); }

sub held_line { return line_of($_[0]{held}, "$_[1] $_[2]", 0); }

# The midnight after a day, in microseconds.
sub end_of
{
	my ($year, $month, $day) = split /-/, $_[0];
	return (timegm(0, 0, 0, $day, $month - 1, $year) + 86_400) * 1_000_000;
}

# The pool in which a row of this call gave him a lead, and the one in which he
# had it before the call, by its snapshot: undef for none.
sub gain_of
{
	my ($h, $r, $row) = @_;
	my ($lead) = states_seen($r, $h->{lead}{ $row->{lead} });
	return (
		$r->{function} =~ /^(claim|transfer)$/ ? $r->{p} : $lead->{pool},
		is_his($lead, $r->{m}) ? $lead->{pool} : undef);
}

# How many leads the member had gained in this call, in one pool or in all, when
# this row (undef: the last) was judged: at least and at most.  Without a snapshot
# only what is rolled back is not in the log: he holds it for the rest of the call.
sub gained_before
{
	my ($h, $r, $row, $pool) = @_;
	my $here = sub { defined $_[0] && (!defined $pool || $_[0] eq $pool) };
	my ($n, $done) = (0, qr/^(claimed|assigned|transferred)$/);

	if (!$r->{sees})
	{
		$n = grep { $_->{outcome} =~ $done } @{ $r->{rows} } if $r->{undone};
		return (0, $n);
	}
	return (0, 0) if $row && $row->{lead} eq '';
	foreach my $other (@{ $r->{rows} })
	{
		my $judged = $row && $other->{lead} eq $row->{lead};
		next if !$judged && $other->{outcome} !~ $done;
		my ($to, $from) = gain_of($h, $r, $other);
		# his own place becomes free before it is filled
		$n-- if $here->($from);
		last if $judged;
		$n++ if $here->($to);
	}
	return ($n, $n);
}

# How many leads he held in all pools, at least and at most.
sub held_in_all
{
	my ($h, $r, $row) = @_;
	my @counts =
	  map { [ states_seen($r, held_line($h, $_, $r->{m}), 1) ] } @POOLS;
	my ($least, $most) = gained_before($h, $r, $row);
	return (1, 0) if grep { !@$_ } @counts;
	return (sum0($least, map { min @$_ } @counts),
		sum0($most, map { max @$_ } @counts));
}

# Where that matters, the counters of all his pools are as his snapshot sees them.
sub saw_held_in_all
{
	my ($h, $r, $fits) = @_;
	return 1 if !$r->{sees} || !defined $W->{member_limit}($r->{m});
	foreach my $line (map { held_line($h, $_, $r->{m}) } @POOLS)
	{
		my ($held) = states_seen($r, $line, 1);
		return 0
		  if !defined $held
		  || !saw($h, $r, $line, sub { $fits->($_[0], $held) }, 1);
	}
	return 1;
}

# He was given a lead, so there was room: fewer held would have done as well.
sub had_room
{
	my ($h, $r) = @_;
	return saw_held_in_all($h, $r, sub { $_[0] <= $_[1] });
}

sub limit_in_all_reached
{
	my ($h, $r, $row) = @_;
	my $limit = $W->{member_limit}($r->{m}) // return 0;
	my ($least, $most) = held_in_all($h, $r, $row);
	return 0 if $most < $limit || $most < $least;
	return 0
	  if $row->{x} ne ''
	  && ($row->{x} != $limit
		|| $row->{y} < $limit
		|| $row->{y} < $least
		|| $row->{y} > $most);
	return saw_held_in_all($h, $r, sub { $_[0] == $_[1] });
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
		my ($least, $most) = gained_before($h, $r, $row, $pool);
		my $fits = sub {
			$_[0] + $most >= $limit && ($row->{y} eq ''
				|| ($row->{y} >= $_[0] + $least && $row->{y} <= $_[0] + $most));
		};
		# one explanation among several says nothing for certain
		return 1
		  if @lines > 1 && grep { $fits->($_) } states_seen($r, $line, 1);
		return 1 if @lines == 1 && saw($h, $r, $line, $fits, 1);
	}
	return 0;
}

# Whether a limit let him claim no more than he did.
sub few_allowed
{
	my ($h, $r) = @_;
	my ($pool, $m) = @$r{qw(p m)};
	my $limit = $W->{hold_limit}{$pool};
	my $in_all = $W->{member_limit}($m);
	my $a_day = $W->{claim_limit}($pool, $m);
	my (undef, $most) = held_in_all($h, $r);
	my (undef, $own) = gained_before($h, $r, undef, $pool);

	return 1 if defined $in_all && $most >= $in_all;
	return 1 if defined $limit && grep { $_ + $own >= $limit }
	  states_seen($r, held_line($h, $pool, $m), 1);
	return defined $a_day && scalar grep { $_->{n} + $own >= $a_day }
	  states_seen($r, claims_line($h, $pool, $m), 1);
}

sub claims_line { return line_of($_[0]{claims}, "$_[1] $_[2]", $NO_CLAIM); }

sub claim_limit_reached
{
	my ($h, $r, $row, @pools) = @_;
	foreach my $pool (@pools)
	{
		my $limit = $W->{claim_limit}($pool, $r->{m}) // next;
		my ($least, $most) = gained_before($h, $r, $row, $pool);
		return 1 if $row->{x} == $limit && $row->{y} >= $limit
		  && $row->{retry} > $r->{c}
		  && saw($h, $r, claims_line($h, $pool, $r->{m}),
			sub {
				$row->{y} >= $_[0]{n} + $least && $row->{y} <= $_[0]{n} + $most
				  && $row->{retry} == end_of($_[0]{day} || day_of($r->{c}));
			}, 1);
	}
	return 0;
}

# His last claim was that long before he may claim again, and that is still to
# come.
sub claimed_just_now
{
	my ($h, $r, $row, @pools) = @_;
	foreach my $pool (@pools)
	{
		my $interval = $W->{claim_interval}{$pool} // next;
		my $at = $row->{retry} - $interval;
		return 1 if $row->{retry} > $r->{c}
		  && saw($h, $r, claims_line($h, $pool, $r->{m}),
			sub { $at >= $_[0]{from} && $at <= $_[0]{until} }, 1);
	}
	return 0;
}

# When the cooldown after his last spell on the lead ends or ended: what he may
# believe.
sub cooldowns
{
	my ($h, $r, $lead, $pool) = @_;
	my $cooldown = $W->{cooldown}{$pool} // return ();
	my @ends = @{ $h->{ends}{"$lead $r->{m}"} // [] };

	if ($r->{sees})
	{
		@ends = grep { $r->{sees}->($_->{of}) } @ends;
		@ends = $ends[-1] // ();
	}
	else
	{
		@ends = grep { $_->{lo} <= $r->{e} } @ends;
		shift @ends while @ends > 1 && $ends[1]{hi} < $r->{s};
	}
	return map { $_->{at} + $cooldown } @ends;
}

# Whether he had the lead a short while ago, as it may seem to him; with a time,
# until then.
sub cools_down
{
	my ($h, $r, $lead, $pool, $until) = @_;
	return scalar grep { $_ > $r->{c} && $_ == ($until // $_) }
	  cooldowns($h, $r, $lead, $pool);
}

# Whether of these leads of the pool the first that he may have again may be had
# at that time: one of them, and surely none before.
sub first_cools_down
{
	my ($h, $r, $pool, $until, @leads) = @_;
	foreach my $lead (lying_all_the_time($h, $r, $pool, @leads))
	{
		return 0 if $until > max(cooldowns($h, $r, $lead, $pool), 0);
	}
	return scalar grep { cools_down($h, $r, $_, $pool, $until) } @leads;
}

# Whether somebody else may have had the lead in hand.
sub others_touch
{
	my ($h, $r, $lead) = @_;
	foreach my $other (@{ $h->{touchers}{$lead} // [] }, @{ $h->{untold} })
	{
		return 1 if $other != $r
		  && $other->{c} <= $r->{e} && $other->{e} >= $r->{c};
	}
	return 0;
}

# Pools in which the lead may have lain available.
sub pools_of
{
	my ($h, $r, $lead) = @_;
	my $line = $h->{lead}{$lead} or return ();
	my %pools = map { $_->{pool} => 1 }
	  grep { is_available($_) } states_seen($r, $line);
	return sort keys %pools;
}

sub lies_in
{
	my ($pool) = @_;
	return sub { is_available($_[0]) && $_[0]{pool} eq $pool };
}

# Leads that may have lain in the pool, ready to be claimed, while he called.
sub stock_of
{
	my ($h, $r, $pool) = @_;
	my $fits = lies_in($pool);
	return grep {
		grep { $fits->($_) } $h->{lead}{$_}->states_between(@$r{qw(c e)})
	} sort keys %{ $h->{lead} };
}

# Whether at some moment of the call the pool may have been empty.
sub was_empty
{
	my ($h, $r, $pool) = @_;
	my $fits = lies_in($pool);
	my @stock = stock_of($h, $r, $pool);
	my @parts = sort { $a->[0] <=> $b->[0] }
	  map { $h->{lead}{$_}->certain(@$r{qw(c e)}, $fits) } @stock;
	my $at = $r->{c};

	$h->{free} = 1 if @stock;
	foreach (@parts)
	{
		last if $_->[0] > $at;
		$at = $_->[1] if $_->[1] > $at;
	}
	return $at <= $r->{e};
}

# Those of the leads that lay in the pool all the time, in nobody's hand.
sub lying_all_the_time
{
	my ($h, $r, $pool, @leads) = @_;
	my %own = map { $_->{lead} => 1 } @{ $r->{rows} };
	my $fits = lies_in($pool);
	return grep {
		my $lead = $_;
		(grep { $_->[0] <= $r->{s} && $_->[1] > $r->{e} }
			  $h->{lead}{$lead}->certain(@$r{qw(s e)}, $fits))
		  && !$own{$lead}
		  && !others_touch($h, $r, $lead);
	} @leads;
}

# Of these he might have claimed any.
sub surely_claimable
{
	my ($h, $r, $pool) = @_;
	return grep { !cools_down($h, $r, $_, $pool) }
	  lying_all_the_time($h, $r, $pool, stock_of($h, $r, $pool));
}

1;
