# Whether one order of all calls explains all that a history of many sessions
# says (PoolHistory.pm).
#
# The order of changes is known: event ids order those of one lead, and of one
# member's counters in one pool.  So the log is replayed, and each answer is
# looked at: at some moment between the instants around its call, that must have
# been so which it says; an answer that nothing of the kind could cause is wrong
# by itself.  What one has seen narrows the bounds of the commits he has or has
# not seen, for all others.  Two changes whose moments may have been either way
# round are never held against anybody: what is found is wrong in every order.
#
# At the higher levels a refusal has to be true of the snapshot, which is known
# exactly; whatever was changed, and the counters that allowed or refused it, have
# to be as the snapshot has them until then (PoolReplay.pm, PoolSight.pm).  `empty`
# and `contended` are about the moment of the call.  Where all transactions are
# SERIALIZABLE, one order of them explains all answers at once: PoolSerial.pm.
package PoolOrder;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PoolHistory;
use PoolReplay;
use PoolSerial;
use PoolSight;

our @EXPORT = qw(explain_history answers_counted answers_at lies_told lies_found
  outdated);

my $W = $PoolHistory::WORLD;

# What a call that does something writes.
my %KIND = (
	claim => 'claimed', claim_leads => 'claimed', assign => 'assigned',
	transfer => 'transferred', release => 'released',
	reclaim => 'reclaimed', archive => 'archived', reopen => 'reopened',
	move => 'moved', convert => 'converted');

my $GIVES = qr/^(claim|claim_leads|assign|transfer)$/;

# Whatever else they say, only these say when to try again.
my $TIMED = qr/^claim[ ]none_allowed$
	|^claim(_leads)?[ ](too_soon|claim_limit)$|^claim_leads[ ]cooldown$/x;

# Why a lead was refused: what it must have been at some moment of the call.
my %REFUSAL = (
	'claim_leads taken' => \&is_owned,
	'claim_leads not_available' => \&is_closed,
	'assign taken' => \&is_owned,
	'assign not_available' => \&is_closed,
	'transfer not_owned' => sub { !is_owned(@_) },
	'reclaim not_owned' => sub { !is_owned(@_) },
	'release not_owner' => sub { !is_his(@_) },
	'follow_up not_owner' => sub { !is_closed(@_) && !is_his(@_) },
	'follow_up closed' => \&is_closed,
	'convert already_converted' => sub { $_[0]{status} eq 'converted' },
	'convert not_owner' =>
	  sub { $_[0]{status} ne 'converted' && !is_his(@_) },
	'archive already_closed' => \&is_closed,
	'reopen not_closed' => sub { !is_closed(@_) },
	'move not_available' => sub { !is_available(@_) });

# Refusals of claims, assignments and transfers that are about the member.
sub explain_member
{
	my ($h, $r, $row, @pools) = @_;
	my $outcome = $row->{outcome};
	return saw_status($h, $r, 'away') if $outcome =~ /^(away|inactive)$/;
	return hold_limit_reached($h, $r, $row, @pools)
	  if $outcome eq 'hold_limit';
	return 0 if $r->{function} !~ /^claim/;
	return claim_limit_reached($h, $r, $row, @pools)
	  if $outcome eq 'claim_limit';
	return claimed_just_now($h, $r, $row, @pools) if $outcome eq 'too_soon';
	return 0;
}

# A claim that got nothing.
sub explain_no_lead
{
	my ($h, $r, $row) = @_;
	my ($pool, $outcome) = ($r->{p}, $row->{outcome});
	return was_empty($h, $r, $pool) if $outcome eq 'empty';
	my @stock = stock_of($h, $r, $pool);
	return scalar grep { others_touch($h, $r, $_) } @stock
	  if $outcome eq 'contended';
	return first_cools_down($h, $r, $pool, $row->{retry}, @stock)
	  && !surely_claimable($h, $r, $pool)
	  if $outcome eq 'none_allowed';
	return explain_member($h, $r, $row, $pool);
}

sub event_of
{
	my ($r, $kind, $row) = @_;
	foreach my $event (@{ $r->{events} // [] })
	{
		next if $event->{kind} ne $kind || $event->{lead} ne $row->{lead};
		$event->{told}++;
		return $event;
	}
	return;
}

# What was done: the log says so, or it was rolled back and might have been.
sub explain_done
{
	my ($h, $r, $row, $kind) = @_;
	my $function = $r->{function};

	return 0 if $function =~ $GIVES
	  && !(saw_status($h, $r, 'active') && had_room($h, $r));
	return saw_lead($h, $r, $row->{lead}, $CHANGE{$kind}[0])
	  if $r->{undone} && $kind ne 'entered';
	return 1 if $r->{undone};
	my $event = event_of($r, $kind, $row) or return 0;
	return 0 if $function =~ /^(claim|claim_leads|assign|transfer|release)$/
	  && $event->{member} ne $r->{m};
	return 0 if $function eq 'claim' && $event->{pool} ne $r->{p};
	return 0 if $function =~ /^(move|transfer|reopen)$/
	  && $event->{pool} ne $r->{p};
	return $function ne 'follow_up' || $event->{id} eq $row->{x};
}

sub explain_enter
{
	my ($h, $r, $row) = @_;
	my $outcome = $row->{outcome};
	return explain_done($h, $r, $row, $outcome)
	  if $outcome eq 'entered' || $outcome eq 'reopened';
	return 0 if $outcome ne 'duplicate';
	return 0 if $r->{key} =~ /^k(\d+)/ && $row->{lead} != $1;
	return saw_lead($h, $r, $row->{lead},
		sub {
			$_[0]{status} eq $row->{x} && ($_[0]{owner} // '') eq $row->{y};
		});
}

# How many leads fit, at least and at most.
sub count_leads
{
	my ($h, $r, $fits) = @_;
	my ($least, $most) = (0, 0);

	foreach my $line (values %{ $h->{lead} })
	{
		my @states = states_seen($r, $line);
		my $in = grep { $fits->($_) } @states;
		$most++ if $in;
		$least++ if $in == @states;
		# where there is a snapshot it is one state: this one, or the other
		saw($h, $r, $line, $in ? $fits : sub { !$fits->($_[0]) })
		  if $r->{sees};
	}
	$h->{free} = 1 if $most > $least;
	return ($least, $most);
}

# What views say: of a member's counters, and of a pool's leads within bounds.
sub explain_figures
{
	my ($h, $r, $row) = @_;
	my $pool = $r->{p};

	if ($r->{function} eq 'stat_member')
	{
		my %today = map { day_of($_) => 1 } @$r{qw(s e)};
		return saw($h, $r, held_line($h, $pool, $r->{m}),
			sub { $_[0] == $row->{x} })
		  && saw($h, $r, claims_line($h, $pool, $r->{m}),
			sub {
				$row->{y} == ($today{ $_[0]{day} } ? $_[0]{n} : 0)
				  || ($row->{y} == 0 && keys %today > 1);
			});
	}
	my ($least, $most) = count_leads($h, $r, lies_in($pool));
	return 0 if $row->{x} < $least || $row->{x} > $most;
	($least, $most) = count_leads($h, $r,
		sub { is_owned($_[0]) && $_[0]{pool} eq $pool });
	return $row->{y} >= $least && $row->{y} <= $most;
}

sub explain_row
{
	my ($h, $r, $row) = @_;
	my ($function, $outcome) = ($r->{function}, $row->{outcome});
	my $kind = $function eq 'follow_up' ? 'followed_up' : $KIND{$function};

	return 0 if ("$function $outcome" =~ $TIMED) != ($row->{retry} ne '');
	return explain_figures($h, $r, $row) if $outcome eq 'figures';
	return explain_enter($h, $r, $row) if $function eq 'enter';
	return explain_done($h, $r, $row, $kind)
	  if $outcome eq ($function eq 'follow_up' ? 'ok' : $kind);
	return explain_no_lead($h, $r, $row) if $function eq 'claim';
	my $refusal = $REFUSAL{"$function $outcome"};
	return saw_lead($h, $r, $row->{lead}, $refusal) if $refusal;
	# only those who wait for no lead may say so
	return $function =~ /^(claim_leads|assign)$/
	  && saw_lead($h, $r, $row->{lead}, \&is_available)
	  && others_touch($h, $r, $row->{lead})
	  if $outcome eq 'contended';
	return 0 if $function !~ /^(claim_leads|assign|transfer)$/;
	return 0 if !saw_lead($h, $r, $row->{lead},
		$function eq 'transfer' ? \&is_owned : \&is_available);
	my @pools = $function eq 'transfer' ? $r->{p} :
	  pools_of($h, $r, $row->{lead});
	return
	  scalar grep { cools_down($h, $r, $row->{lead}, $_, $row->{retry}) } @pools
	  if $outcome eq 'cooldown' && $function eq 'claim_leads';
	return explain_member($h, $r, $row, @pools);
}

# Nothing has happened, and the snapshot was too old: it does not see a change of
# what the call was about.  To be asked at REPEATABLE READ; at SERIALIZABLE there
# are other reasons.
sub explain_failure
{
	my ($h, $r) = @_;
	my $function = $r->{function};
	my %leads = map { $_ => 1 } @{ $r->{ids} };
	my %members = map { $_->{owner} => 1 } grep { is_owned($_) }
	  map { states_seen($r, $_) }
	  grep { $_ } map { $h->{lead}{$_} } keys %leads;
	$members{ $r->{m} } = 1 if $function =~ $GIVES;

	return 1
	  if grep {
		!$r->{sees}->($_->{of} // 0) && $_->{lo} <= $r->{e}
		  && ( $leads{ $_->{lead} }
			|| $members{ $_->{member} }
			|| $members{ $_->{loser} // '' }
			|| ($function eq 'claim' && $_->{pool} eq $r->{p})
			|| ($function eq 'enter' && $_->{kind} eq 'entered'))
	  } @{ $h->{events} };
	foreach my $m (keys %members)
	{
		my $line = line_of($h->{status}, $m, 'active');
		my (undef, $last) = $line->between(@$r{qw(s e)});
		return 1 if $last > $line->in_snapshot(@$r{qw(s b sees)});
	}
	# a first call makes his counters, and need not tell of it
	return scalar grep {
		$_ != $r && $_->{m} && $members{ $_->{m} }
		  && ($_->{function} =~ $GIVES || $_->{function} eq 'status')
		  && $_->{c} <= $r->{e} && $_->{e} >= $r->{s}
	} @{ $h->{records} };
}

sub explain_record
{
	my ($h, $r) = @_;
	my $level = $r->{level} || 'READ COMMITTED';
	return if $r->{function} =~ /^(status|tick|pause)$/;
	if ($r->{failed})
	{
		$h->{answers}{40001}++;
		$h->{at}{$level}{40001}++;
		complain($h, "no change explains 40001 to $r->{from} from $r->{s} to "
			  . "$r->{e}")
		  if $level ne 'SERIALIZABLE'
		  && !($r->{explained} //= $r->{sees} && explain_failure($h, $r));
		return;
	}
	my %given = map { $_->{lead} => 1 } @{ $r->{rows} };
	complain($h, "$r->{function} of @{ $r->{ids} } said [$r->{said}]")
	  if grep { !$given{$_} } $r->{from} =~ /\(ARRAY/ ? @{ $r->{ids} } : ();
	$r->{bounds} = [];
	foreach my $row (@{ $r->{rows} })
	{
		$h->{free} = 0;
		next if $row->{wrong};
		my $name = "$r->{function} $row->{outcome}";
		my $possible = explain_row($h, $r, $row);
		$h->{answers}{$name}++;
		$h->{at}{$level}{$name}++;
		$h->{freedom}{$name}++ if $h->{free};
		next if $possible;
		$row->{wrong} = 1;
		complain($h, impossible($r, $row));
	}
	return if $r->{function} ne 'claim' || $r->{rows}[0]{outcome} ne 'claimed'
	  || @{ $r->{rows} } == $r->{n} || $r->{few};
	$h->{answers}{'claim of fewer'}++;
	# his limit, or all that there was
	return if few_allowed($h, $r) || !surely_claimable($h, $r, $r->{p});
	$r->{few} = 1;
	complain($h, 'too few: ' . impossible($r, $r->{rows}[0]));
	return;
}

sub impossible
{
	my ($r, $row) = @_;
	return "no order explains '$row->{outcome}' of lead '$row->{lead}' "
	  . "($row->{x} $row->{y} $row->{retry}) to $r->{from} from $r->{s} to "
	  . "$r->{e} at $r->{level}"
	  . ($r->{undone} ? ', rolled back' : '');
}

# What was done is told by whoever did it; ticks tell nobody.
sub check_told
{
	my ($h) = @_;
	foreach my $event (@{ $h->{events} })
	{
		next if $event->{id} <= $h->{setup} || $event->{rule} ne '';
		complain($h, "event $event->{id}: nobody was told that lead "
			  . "$event->{lead} was $event->{kind}")
		  if $CHANGE{ $event->{kind} } && !$event->{told};
	}
	return;
}

# Looks at all answers until no more is learned from them.  Returns what nothing
# explains; {answers} and {freedom} count what was looked at in the last round,
# and of which of them more than one state may have been met.
sub explain_history
{
	my ($h) = @_;
	replay_history($h);
	# whoever may have had any lead in hand, and has told of none
	$h->{untold} = [
		grep {
			$_->{function} eq 'tick'
			  || $_->{function} eq 'claim' && $_->{failed} && !@{ $_->{rows} }
		} @{ $h->{records} }
	];
	foreach my $record (@{ $h->{records} })
	{
		push @{ $h->{touchers}{$_} }, $record
		  foreach keys %{ $record->{touched} };
	}
	foreach my $round (1 .. 5)
	{
		@$h{qw(news answers freedom at)} = (0, {}, {}, {});
		explain_record($h, $_) foreach @{ $h->{records} };
		check_told($h) if $round == 1;
		$h->{rounds} = $round;
		settle_lines($h);
		last if !$h->{news} || @{ $h->{problems} };
	}
	order_history($h) if $h->{serial} && !@{ $h->{problems} };
	return @{ $h->{problems} };
}

# The answers of this kind at this level that can be made lies: record and row.
# Of what was done only what was rolled back is one, since the log would give the
# lie to all others.
sub answers_of
{
	my ($h, $level, $name) = @_;
	my @answers;

	foreach my $r (grep { $_->{level} eq $level && !$_->{failed}
			  && $name =~ /^$_->{function} / } @{ $h->{records} })
	{
		push @answers, map { [ $r, $_ ] }
		  grep { "$r->{function} $_->{outcome}" eq $name
			  && ($r->{undone} || !$CHANGE{ $_->{outcome} }) } @{ $r->{rows} };
	}
	return @answers;
}

sub lies_told { return scalar answers_of(@_); }

# What would have been found, had each of these answers been another, or so much
# later: the number of lies nothing explains.
sub lies_found
{
	my ($h, $level, $name, %lie) = @_;
	my $found = 0;

	foreach (answers_of($h, $level, $name))
	{
		my ($r, $row) = @$_;
		my %lying = (%$row, %lie);
		$lying{retry} = $row->{retry} + $lie{later} if $lie{later};
		$found++ if !explain_row($h, $r, \%lying);
	}
	return $found;
}

# How many refusals of leads at the higher levels were true of the snapshot, and
# not any more when the call was made: had it looked at what is there, the answer
# would be another.
sub outdated
{
	my ($h) = @_;
	my $n = 0;

	foreach my $r (grep { $_->{sees} && !$_->{failed} } @{ $h->{records} })
	{
		foreach my $row (@{ $r->{rows} })
		{
			my $refusal = $REFUSAL{"$r->{function} $row->{outcome}"} or next;
			$n++ if !grep { $refusal->($_, $r->{m}) }
			  $h->{lead}{ $row->{lead} }->states_between(@$r{qw(c e)});
		}
	}
	return $n;
}

# Of each kind of answer how many there were, and of how many of these more than
# one state may have been met.
sub answers_counted
{
	my ($h) = @_;
	return join ', ', map { "$_ $h->{answers}{$_} (" . ($h->{freedom}{$_} // 0)
		  . ' free)' } sort keys %{ $h->{answers} };
}

# The same at one isolation level, where at the higher ones nothing is free.
sub answers_at
{
	my ($h, $level) = @_;
	my $at = $h->{at}{$level} // {};
	return join ', ', map { "$_ $at->{$_}" } sort keys %$at;
}

1;
