# Calls of all kinds are cancelled at any moment, by statement_timeout and by
# others: nothing is left behind, no lead is hidden.
#
#   CANCELS= that are to hit something (300, or 5,000 with FULL=1)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $wanted = size_of('CANCELS', 300, 5_000);
my $leads = $PoolTest::LEADS;

my $node = new_server('cancel', "pool_ext.worker_naptime = '100ms'");
$node->start;
build_world($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
UPDATE pool.pool SET reserve_for = '1 second';
INSERT INTO pool.pool (name, everyone, duplicate_policy)
VALUES ('linked', true, 'link');
INSERT INTO pool.pool (name, everyone, review) VALUES ('checked', true, true);
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
SELECT id, 'ask', '$.priority == 4', true FROM pool.pool WHERE name = 'p3';
CREATE ROLE passing;
SQL

# ids of the latest leads: others are erased or merged, by and by
my $last = $leads;
sub lead { return $last - int rand $leads; }
sub ids { return join ', ', map { lead() } 1 .. 100; }
sub pool { return "'p" . random_of(3) . "'"; }

# Another one whenever g is another number.
sub lead_g { return "$last - (g * " . random_of($leads) . ") % $leads"; }
sub member_g { return "'m' || 1 + (g * " . random_of(29) . ') % 30'; }

# name => SQL of a call that takes many leads, or looks at many, or else of one
# that is made for each g of so many: there must be something to interrupt
my %calls = (
	claim => sub { 'pool.claim(' . pool() . ", ${\member_sql()}, 100)" },
	claim_leads => sub { "pool.claim_leads(ARRAY[${\ids()}], ${\member_sql()})" },
	claim_match => sub {
		'pool.claim(' . pool() . ", ${\member_sql()}, 5, '{\"priority\": 3}')";
	},
	release => sub {
		"pool.release(ARRAY(SELECT id FROM pool.lead WHERE owner_id = "
		  . random_of(30) . "), member => 'm' || " . random_of(30) . ')';
	},
	reclaim => sub { "pool.reclaim(ARRAY[${\ids()}])" },
	transfer => sub { "pool.transfer(ARRAY[${\ids()}], ${\member_sql()})" },
	assign => sub { "pool.assign(ARRAY[${\ids()}], ${\member_sql()})" },
	auto_assign => sub { 'pool.auto_assign(' . pool() . ', 100)' },
	follow_up => [ 40, sub {
		"pool.follow_up(${\lead_g()}, 'call', member => ${\member_g()})";
	} ],
	convert => [ 20, sub { "pool.convert(${\lead_g()}, 1)" } ],
	archive => sub { "pool.archive(ARRAY[${\ids()}], 'lost')" },
	reopen => sub { "pool.reopen(ARRAY[${\ids()}])" },
	move => sub { "pool.move(ARRAY[${\ids()}], " . pool() . ')' },
	hide => sub { "pool.hide(ARRAY[${\ids()}], now() + interval '1 second')" },
	unhide => sub { "pool.unhide(ARRAY[${\ids()}])" },
	protect => sub { "pool.protect(ARRAY[${\ids()}], now() + interval '1 s')" },
	unprotect => sub { "pool.unprotect(ARRAY[${\ids()}])" },
	reserve => sub {
		"pool.reserve(ARRAY[${\ids()}], member => ${\member_sql()})";
	},
	unreserve => sub {
		"pool.unreserve(ARRAY[${\ids()}], member => ${\member_sql()})";
	},
	request_claim => [ 40, sub {
		"pool.request_claim(${\lead_g()}, NULL, ${\member_g()})";
	} ],
	request_extension => [ 40, sub {
		"pool.request_extension(${\lead_g()}, '1 second', "
		  . "member => ${\member_g()})";
	} ],
	cancel_request => [ 10, sub {
		'(SELECT a.id, m.key FROM pool.approval a JOIN pool.member m '
		  . "ON m.id = a.applicant_id WHERE a.status = 'open' ORDER BY a.id DESC "
		  . 'OFFSET g LIMIT 1) o, pool.cancel_request(o.id, o.key)';
	} ],
	approve => sub {
		'(SELECT id FROM pool.approval_open ORDER BY random() LIMIT 5) o, '
		  . 'pool.approve(o.id)';
	},
	reject => sub {
		'(SELECT id FROM pool.approval_open ORDER BY random() LIMIT 5) o, '
		  . 'pool.reject(o.id)';
	},
	enter => [ 20, sub {
		"pool.enter('linked', 'e' || (g * ${\random_of(500)}) % 500, "
		  . "identities => jsonb_build_object('phone', "
		  . "'1380000' || (g * ${\random_of(9999)}) % 9999))";
	} ],
	review => sub {
		"pool.review(ARRAY(SELECT l.id FROM pool.lead l WHERE l.status = 'review' "
		  . "ORDER BY random() LIMIT 40), 'accept')";
	},
	edit => [ 40, sub {
		"pool.edit(${\lead_g()}, priority => (${\random_of(5)} + g) % 5)";
	} ],
	erase => [ 5, sub { "pool.erase(ARRAY[${\lead_g()}], 'asked')" } ],
	merge => [ 5, sub { "pool.merge(${\lead_g()}, ${\lead_g()})" } ],
	add_collaborator => [ 40, sub {
		"pool.add_collaborator(${\lead_g()}, ${\member_g()})";
	} ],
	remove_collaborator => [ 40, sub {
		"pool.remove_collaborator(${\lead_g()}, ${\member_g()})";
	} ],
	reveal => [ 40, sub { "pool.reveal(${\lead_g()}, ${\member_g()})" } ],
	offboard => [ 9, sub { "pool.offboard('gone' || g, NULL, 'p1')" } ],
	relocate => sub { "pool.relocate(${\member_sql()}, NULL, 'p3')" },
	cancel_run => [ 10, sub {
		'(SELECT id FROM pool.run ORDER BY id DESC OFFSET g LIMIT 1) r, '
		  . 'pool.cancel_run(r.id)';
	} ],
	away => [ 20, sub { "pool.set_away(${\member_g()})" } ],
	active => [ 20, sub { "pool.set_active(${\member_g()})" } ],
	apply => sub {
		'pool.plan_reclaim(' . pool() . ') p, pool.apply_plan(p.token) a';
	},
	undo => sub { '(SELECT max(id) AS id FROM pool.run) r, pool.undo_run(r.id)' },
	resume => [ 20, sub { '(SELECT pool.resume() WHERE g > 0) r' } ],
	tick => sub { 'pool.tick(300)' },
	poll => sub { "pool.poll('c', 500)" },
	digest => sub { "pool.digest('c', 500)" },
	ack => [ 5, sub {
		"pool.ack('c', (SELECT min(\"position\") FROM pool.poll('c', g)))";
	} ],
	grant => [ 4, sub {
		"pool.grant_access('passing', (ARRAY['reader', 'member', 'manager', "
		  . "'service'])[g])";
	} ],
	revoke => [ 4, sub {
		"pool.revoke_access('passing', (ARRAY['reader', 'member', 'manager', "
		  . "'service'])[g])";
	} ],
	search => sub { 'pool.search(' . pool() . ", '{}', 'k')" },
	verify => sub { 'pool.verify(1)' },
	statistics => sub { 'pool.stat_member' });

# The call as what a statement reads from.
sub source
{
	my ($call) = @_;
	return $call->() if ref $call eq 'CODE';
	my ($times, $sql) = @$call;
	return "generate_series(1, $times) g CROSS JOIN LATERAL (SELECT FROM "
	  . $sql->() . ') x';
}

my ($cancelled, $called, %hit, %other) = (0, 0);

# what calls may say beside being cancelled: all of it is an answer
my $allowed = qr/^(?:00000|57014|40P01|55000|22004|22023|PO\d{3}|55P03|25P02|3B001)$/;

# so many kinds are to be hit so often
my $least = $ENV{FULL} ? $wanted / 200 : 1;
my $kinds = $ENV{FULL} ? 1 + keys %calls : 40;

sub kinds_hit
{
	return scalar grep { ($hit{$_} // 0) >= $least } 'intake', keys %calls;
}

# Adds a statement to a script, and whose it is to its end.
sub add
{
	my ($script, $name, $sql) = @_;
	$script->{sql} .= "$sql\n";
	push @{ $script->{ends} }, [ ($script->{sql} =~ tr/\n//), $name ];
	return;
}

# One session's script; half of the calls have a timeout.  What has been hit
# seldom so far, since it is short, comes more often.
sub script
{
	my ($n) = @_;
	my %script = (sql => "\\set VERBOSITY sqlstate\n", ends => []);
	my %rank = map { $_ => ($hit{$_} // 0) + rand } keys %calls;
	my @names = sort { $rank{$a} <=> $rank{$b} } keys %calls;
	foreach (1 .. $n)
	{
		my $timeout = random_of(2) == 1 ? random_of(8) : 0;
		my $die = random_of(40);
		my $name = $names[ @names * rand() ** 4 ];
		my $call = "SELECT count(*) FROM " . source($calls{$name}) . ';';
		add(\%script, 'SET', "SET statement_timeout = $timeout;");
		if ($die <= 2)
		{
			# rows with identities that others bring, too
			my $pool = random_of(4) == 1 ? 'checked' : 'linked';
			add(\%script, 'intake',
				"COPY pool.intake (pool, key, identities) FROM stdin;\n"
				  . join('', map { "$pool\tc" . random_of(4000)
					  . "\t{\"phone\": \"1390000" . random_of(4000)
					  . "\"}\n" } 1 .. 100) . '\\.');
		}
		elsif ($die <= 6)
		{
			add(\%script, @$_) foreach (
				[ 'BEGIN', 'BEGIN;' ],
				[ 'claim', 'SELECT count(*) FROM ' . $calls{claim}->() . ';' ],
				[ 'SAVEPOINT', 'SAVEPOINT s;' ], [ $name, $call ],
				[ 'ROLLBACK', 'ROLLBACK TO s;' ],
				[ 'release', 'SELECT count(*) FROM '
					  . $calls{release}->() . ';' ],
				[ 'COMMIT', 'COMMIT;' ]);
		}
		else { add(\%script, $name, $call); }
	}
	$script{sql} .= "\\echo done\n";
	return \%script;
}

# Counts what a session was told.  Its errors name the line: that of the first
# statement to end there or later.
sub count_errors
{
	my ($script, $errors) = @_;
	my @ends = @{ $script->{ends} };
	while ($errors =~ /:(\d+): ERROR:\s+(\w{5})/g)
	{
		my ($line, $state) = ($1, $2);
		shift @ends while $ends[0][0] < $line;
		my $name = $ends[0][1];
		$hit{$name}++ if $state eq '57014';
		$cancelled++ if $state eq '57014';
		$other{"$name $state"}++ if $state !~ $allowed;
	}
	$called += grep { exists $calls{ $_->[1] } || $_->[1] eq 'intake' }
	  @{ $script->{ends} };
	return;
}

# Somebody who cancels whatever runs, for as long as it runs, and ends a worker
# now and then; whoever has left meanwhile is only warned of.
my $cancelling = <<'SQL';
SET client_min_messages = error;
DO $$
BEGIN
    FOR i IN 1 .. 5000 LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM CASE WHEN backend_type = 'pool_ext worker' AND random() < 0.1
            THEN pg_terminate_backend(pid) ELSE pg_cancel_backend(pid) END
        FROM (
            SELECT pid, backend_type FROM pg_stat_activity
            WHERE (application_name = 'victim' AND state = 'active'
                OR backend_type = 'pool_ext worker' AND random() < 0.2)
            ORDER BY random() LIMIT 1) x;
        PERFORM pg_sleep(random() * 0.02);
        EXIT WHEN i > 50 AND NOT EXISTS (SELECT FROM pg_stat_activity
            WHERE application_name = 'victim');
    END LOOP;
END $$;
SQL

for (my $round = 1;
	($cancelled < $wanted || kinds_hit() < $kinds) && $round <= 300; $round++)
{
	$node->safe_psql('postgres', <<'SQL');
UPDATE pool.member SET status = 'active' WHERE status <> 'active';
INSERT INTO pool.member (key) SELECT 'gone' || i FROM generate_series(1, 9) i
ON CONFLICT DO NOTHING;
SELECT count(*) FROM generate_series(1, 9) i, pool.claim('p1', 'gone' || i, 30);
SQL
	# what is erased or merged is replaced
	$node->safe_psql('postgres', <<"SQL") if $round > 1;
INSERT INTO pool.intake (pool, key, priority)
SELECT CASE WHEN i % 2 = 0 THEN 'p1' ELSE 'p3' END, 'r$round-' || i, i % 5
FROM generate_series(1, 100) i
SQL
	$last = $node->safe_psql('postgres', 'SELECT max(id) FROM pool.lead');
	my @scripts = map { script(100) } 1 .. 4;
	my @victims = map { start_psql($node, 'postgres', $_->{sql}, 'victim') }
	  @scripts;
	my $canceller = start_psql($node, 'postgres', $cancelling, 'canceller');
	my $ended = 0;
	foreach my $i (0 .. $#victims)
	{
		my ($out, $errors) = finish_psql($victims[$i]);
		$ended++ if $out =~ /^done$/m;
		count_errors($scripts[$i], $errors);
	}
	is($ended, scalar @victims, 'all have come to their end');
	is((finish_psql($canceller))[1], '', 'whoever cancels is not cancelled');
	if ($round % 5 == 1)
	{
		verified($node, 'postgres', "round $round");
		is($node->safe_psql('postgres', <<'SQL'), '0', 'no lock is left');
SELECT count(*) FROM pg_locks
WHERE pid <> pg_backend_pid() AND mode <> 'AccessShareLock'
    AND locktype <> 'virtualxid' AND pid NOT IN (
        SELECT pid FROM pg_stat_activity WHERE backend_type <> 'client backend')
SQL
	}
}
cmp_ok($cancelled, '>=', $wanted, 'calls were cancelled');
is(join(', ', map { "$_: $other{$_}" } sort keys %other), '',
	'nothing failed in any other way');
cmp_ok(kinds_hit(), '>=', $kinds, 'of all kinds')
  or diag('never or seldom: ' . join ', ',
	grep { ($hit{$_} // 0) < $least } 'intake', sort keys %calls);

verified($node, 'postgres', 'at the end');
intact($node, 'postgres', 'at the end');
$node->safe_psql('postgres', <<'SQL');
ALTER SYSTEM SET pool_ext.worker_enabled = off;
SELECT pg_reload_conf();
DELETE FROM pool.claim_rule;
UPDATE pool.pool SET enabled = true;
SQL
$node->poll_query_until('postgres', "SELECT count(*) = 0
	FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'");
# what is hidden or kept for somebody is no one's to claim, nor is all that one
# of several owns a part of
$node->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pool.approval_open o, pool.reject(o.id, 'end');
SELECT count(*) FROM pool.unhide(ARRAY(SELECT id FROM pool.lead
    WHERE hidden_until IS NOT NULL));
SELECT count(*) FROM pool.archive(ARRAY(SELECT id FROM pool.lead_state
    WHERE ticket IS NOT NULL AND group_id IS NOT NULL), 'linked');
SQL
drained($node, 'postgres', 'at the end');
verified($node, 'postgres', 'drained');
$node->stop;
unlike(slurp_file($node->logfile),
	qr/PANIC: |TRAP: |WARNING: .*leak|terminated by signal/,
	'no complaints in the log');
diag("counted: $called calls, $cancelled of them cancelled: "
	  . join(', ', map { "$_ $hit{$_}" } sort keys %hit));
done_testing();
