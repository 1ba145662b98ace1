# One order of all transactions of a history in which all were SERIALIZABLE, and
# committed: it has every change of a lead, a member's counters or his status after
# the one before, and everybody among the changes that explain his answers.
#
# Such an order exists unless they follow one another in a circle.  It need not be
# that of their commits: who has read what another then changed comes before him,
# whoever committed first.
package PoolSerial;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PoolReplay;

our @EXPORT = qw(order_history);

# Who follows whom: numbers of records, by their transaction ids too.
sub add_arc
{
	my ($graph, $from, $to) = @_;
	return if !defined $from || !defined $to || $from == $to;
	$graph->{after}{$from}{$to} = 1;
	$graph->{before}{$to}{$from} = 1;
	return;
}

sub follow_changes
{
	my ($graph, $line) = @_;
	my $commits = $line->{commit};
	foreach my $i (grep { defined $commits->[ $_ - 1 ] } 1 .. $#$commits)
	{
		add_arc($graph, map { $graph->{of}{$_} } @$commits[ $i - 1, $i ]);
	}
	return;
}

sub follow_answers
{
	my ($graph, $n, $record) = @_;
	foreach my $bounds (@{ $record->{bounds} // [] })
	{
		my ($after, $before) = map { defined $_ ? $graph->{of}{$_} : undef }
		  @$bounds;
		add_arc($graph, $after, $n);
		add_arc($graph, $n, $before);
	}
	return;
}

# Takes away whoever comes first, as long as somebody does.
sub take_away
{
	my ($graph) = @_;
	my @first = grep { !%{ $graph->{before}{$_} // {} } }
	  keys %{ $graph->{after} };

	while (defined(my $n = shift @first))
	{
		foreach my $next (keys %{ delete $graph->{after}{$n} // {} })
		{
			delete $graph->{before}{$next}{$n};
			push @first, $next if !%{ $graph->{before}{$next} };
		}
		delete $graph->{before}{$n};
	}
	return;
}

# Whoever is left has somebody before him: going back leads into a circle.
sub circle
{
	my ($graph) = @_;
	my ($n) = sort { $a <=> $b } keys %{ $graph->{after} };
	my (%met, @way);

	while (!$met{$n}++)
	{
		push @way, $n;
		($n) = sort { $a <=> $b } keys %{ $graph->{before}{$n} };
	}
	shift @way while $way[0] != $n;
	return reverse @way;
}

sub order_history
{
	my ($h) = @_;
	my @records = grep { !$_->{failed} && !$_->{undone} } @{ $h->{records} };
	my $graph = { after => {}, before => {}, of => {} };

	foreach my $n (0 .. $#records)
	{
		$graph->{of}{$_} = $n foreach keys %{ $records[$n]{xids} };
	}
	follow_answers($graph, $_, $records[$_]) foreach 0 .. $#records;
	foreach my $what (qw(lead held claims status))
	{
		follow_changes($graph, $_) foreach values %{ $h->{$what} };
	}
	$h->{arcs} = 0;
	$h->{arcs} += keys %$_ foreach values %{ $graph->{after} };
	take_away($graph);
	complain($h, 'no order: each of these comes before the next, and the last '
		  . 'before the first: '
		  . join '; ',
		map {
			($_->{from} // $_->{function})
			  . " said [$_->{said}] from $_->{s} to $_->{e}"
		}
		  @records[ circle($graph) ])
	  if %{ $graph->{after} };
	return;
}

1;
