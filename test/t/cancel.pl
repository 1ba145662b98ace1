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
INSERT INTO pool.pool (name, everyone, duplicate_policy)
VALUES ('linked', true, 'link');
INSERT INTO pool.claim_rule (pool_id, name, condition, approval)
SELECT id, 'ask', '$.priority == 4', true FROM pool.pool WHERE name = 'p3';
SQL

sub ids { return join ', ', map { random_of($leads) } 1 .. 40; }

# name => SQL; many leads each, so that there is something to interrupt
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
	follow_up => sub {
		'pool.follow_up(' . random_of($leads) . ", 'call', member => "
		  . member_sql() . ')';
	},
	convert => sub { 'pool.convert(' . random_of($leads) . ', 1)' },
	archive => sub { "pool.archive(ARRAY[${\ids()}], 'lost')" },
	reopen => sub { "pool.reopen(ARRAY[${\ids()}])" },
	move => sub { "pool.move(ARRAY[${\ids()}], " . pool() . ')' },
	hide => sub { "pool.hide(ARRAY[${\ids()}], now() + interval '1 second')" },
	unhide => sub { "pool.unhide(ARRAY[${\ids()}])" },
	protect => sub { "pool.protect(ARRAY[${\ids()}], now() + interval '1 s')" },
	request_claim => sub {
		'pool.request_claim(' . random_of($leads) . ", NULL, ${\member_sql()})";
	},
	enter => sub {
		"pool.enter('linked', 'e' || ${\random_of(500)}, identities => "
		  . "jsonb_build_object('phone', '1380000' || ${\random_of(9999)}))";
	},
	edit => sub {
		'pool.edit(' . random_of($leads) . ', priority => ' . random_of(5) . ')';
	},
	erase => sub { 'pool.erase(ARRAY[' . random_of($leads) . "], 'asked')" },
	merge => sub {
		'pool.merge(' . random_of($leads) . ', ' . random_of($leads) . ')';
	},
	offboard => sub { "pool.offboard('gone' || ${\random_of(9)}, NULL, 'p1')" },
	relocate => sub { "pool.relocate(${\member_sql()}, NULL, 'p3')" },
	away => sub { "pool.set_away(${\member_sql()})" },
	active => sub { "pool.set_active(${\member_sql()})" },
	apply => sub {
		'pool.plan_reclaim(' . pool() . ') p, pool.apply_plan(p.token) a';
	},
	undo => sub { '(SELECT max(id) AS id FROM pool.run) r, pool.undo_run(r.id)' },
	approve => sub {
		'(SELECT id FROM pool.approval_open LIMIT 3) o, pool.approve(o.id)';
	},
	tick => sub { 'pool.tick(300)' },
	poll => sub { "pool.poll('c', 500)" },
	ack => sub { "pool.ack('c', NULL)" },
	search => sub { 'pool.search(' . pool() . ", '{}', 'k')" },
	verify => sub { 'pool.verify(1)' },
	statistics => sub { 'pool.stat_member' });

sub pool { return "'p" . random_of(3) . "'"; }

# One session's script; half of the calls have a timeout.
sub script
{
	my ($n, $seen) = @_;
	my $script = "\\set VERBOSITY sqlstate\n";
	my @names = sort keys %calls;
	foreach (1 .. $n)
	{
		my $timeout = random_of(2) == 1 ? random_of(8) : 0;
		my $die = random_of(40);
		my $name = $names[ rand @names ];
		$script .= "SET statement_timeout = $timeout;\n";
		if ($die <= 4)
		{
			# rows with identities that others bring, too
			$name = 'intake';
			$script .= "COPY pool.intake (pool, key, identities) FROM stdin;\n"
			  . join('', map { "linked\tc" . random_of(4000) . "\t{\"phone\": "
				  . "\"1390000" . random_of(4000) . "\"}\n" } 1 .. 100)
			  . "\\.\n";
		}
		elsif ($die <= 8)
		{
			$script .= "BEGIN; SELECT count(*) FROM " . $calls{claim}->()
			  . "; SAVEPOINT s; SELECT count(*) FROM " . $calls{$name}->()
			  . "; ROLLBACK TO s; SELECT count(*) FROM "
			  . $calls{release}->() . "; COMMIT;\n";
		}
		else
		{
			$script .= "SELECT count(*) FROM " . $calls{$name}->() . ";\n";
		}
		$script .= "\\echo $name :SQLSTATE\n";
	}
	return $script;
}

# Somebody who cancels whatever runs, for as long as it runs; whoever has left
# meanwhile is only warned of.
my $cancelling = <<'SQL';
SET client_min_messages = error;
DO $$
BEGIN
    FOR i IN 1 .. 5000 LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_cancel_backend(pid) FROM (
            SELECT pid FROM pg_stat_activity
            WHERE (application_name = 'victim' AND state = 'active'
                OR backend_type = 'pool_ext worker' AND random() < 0.2)
            ORDER BY random() LIMIT 1) x;
        PERFORM pg_sleep(random() * 0.02);
        EXIT WHEN i > 50 AND NOT EXISTS (SELECT FROM pg_stat_activity
            WHERE application_name = 'victim');
    END LOOP;
END $$;
SQL

# what calls may say beside being cancelled: all of it is an answer
my $allowed = qr/^(?:00000|57014|40P01|55000|22004|22023|PO\d{3}|55P03|25P02|3B001)$/;
my ($cancelled, $called, %hit, %other) = (0, 0);
for (my $round = 1; $cancelled < $wanted && $round <= 200; $round++)
{
	$node->safe_psql('postgres', <<'SQL');
UPDATE pool.member SET status = 'active' WHERE status <> 'active';
INSERT INTO pool.member (key) SELECT 'gone' || i FROM generate_series(1, 9) i
ON CONFLICT DO NOTHING;
SELECT count(*) FROM generate_series(1, 9) i, pool.claim('p1', 'gone' || i, 30);
SQL
	my @victims = map { start_psql($node, 'postgres', script(100), 'victim') }
	  1 .. 4;
	my $canceller = start_psql($node, 'postgres', $cancelling, 'canceller');
	my @lines = map { split /\n/, (finish_psql($_))[0] } @victims;
	is((finish_psql($canceller))[1], '', 'whoever cancels is not cancelled');
	foreach my $line (@lines)
	{
		my ($name, $state) = $line =~ /^(\w+) (\w{5})$/ or next;
		$called++;
		$hit{$name}++ if $state eq '57014';
		$cancelled++ if $state eq '57014';
		$other{"$name $state"}++ if $state !~ $allowed;
	}
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
cmp_ok(scalar keys %hit, '>', $ENV{FULL} ? 25 : 8, 'of many kinds');

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
# what is hidden or kept for somebody is no one's to claim
$node->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pool.approval_open o, pool.reject(o.id, 'end');
SELECT count(*) FROM pool.unhide(ARRAY(SELECT id FROM pool.lead
    WHERE hidden_until IS NOT NULL));
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
