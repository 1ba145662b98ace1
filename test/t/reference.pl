# Random operations against the extension and against a plain model of its
# rules (test/reference), compared step by step.
#
#   SEED=   another course (1; a random one with FULL=1); printed
#   STEPS=  how many; 4,000, or 20,000 with FULL=1
#   EVERY=  compare the whole state after so many steps (200)
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $steps = $ENV{STEPS} || ($ENV{FULL} ? 20_000 : 4_000);
my $every = $ENV{EVERY} || 200;
my $seed = $ENV{SEED} // ($ENV{FULL} ? int(rand(1_000_000)) : 1);
my $chunk = 500;
my $reference = dirname(abs_path(__FILE__)) . '/../reference';

note("seed $seed, $steps steps");

my $node = PostgreSQL::Test::Cluster->new('reference');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
timezone = 'UTC'
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pool_ext');
foreach my $file (qw(model rules steps timers operations entry return
	people approvals leases strategy routing questions runs choice world
	random))
{
	$node->safe_psql('postgres', slurp_file("$reference/$file.sql"));
}
$node->safe_psql('postgres', 'SELECT model.build()');

# Each chunk is a session of its own.  Its transactions are long, short or
# single steps by turns; what a chunk leaves open at its end is committed.
my @commit_every = ($chunk, 1, 20);
my $done = 0;
my $failed = 0;
while ($done < $steps && !$failed)
{
	my $count = $steps - $done < $chunk ? $steps - $done : $chunk;
	my $call = sprintf 'CALL model.run(%d, %d, %d, %d, %d)', $seed,
	  $done + 1, $count, $every, $commit_every[ $done / $chunk % 3 ];
	my ($stdout, $stderr);
	$failed = $node->psql('postgres', $call, stderr => \$stderr,
		timeout => 600);
	is($failed, 0, sprintf 'seed %d, steps %d to %d', $seed, $done + 1,
		$done + $count)
	  or diag($stderr);
	$done += $count;
}

# Where lots are drawn no course can be repeated: a short one at the end.
if (!$failed)
{
	my $stderr;
	my $first = $done + 1;
	$done += 250;
	$failed = $node->psql('postgres',
		"SELECT model.draw_lots(); CALL model.run($seed, $first, 250, $every, 1)",
		stderr => \$stderr, timeout => 600);
	is($failed, 0, "seed $seed, steps $first to $done, with lots")
	  or diag($stderr);
}

SKIP:
{
	skip 'the courses have parted', 2 if $failed;
	is($node->psql('postgres', "SELECT model.compare($seed, $done)"),
		0, 'the whole state at the end');
	is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'),
		'', 'verify() finds nothing');
	ok(met_all(), 'all that is asked has had its outcomes')
	  if $seed == 1 && $steps >= 4_000;
	note($node->safe_psql('postgres', <<'SQL'));
SELECT verb, string_agg(outcome || ' ' || times, ', ' ORDER BY times DESC)
FROM model.seen GROUP BY 1 ORDER BY 1
SQL
}
$node->stop;
diag("counted: seed $seed, $done steps");
done_testing();

# A course that no longer reaches what it is to compare says nothing of it.
sub met_all
{
	my %wanted = (
		merge => [qw(merged owned identity_owned already_closed not_found)],
		reserve => [qw(reserved limit too_long not_member level approval)],
		unreserve => [qw(unreserved not_reserved not_found)],
		auto_assign => [
			qw(assigned suggested no_rule no_candidate at_capacity)],
		plan_reclaim => [qw(planned)],
		apply_plan => [qw(reclaimed 55000)],
		undo_run => [qw(undone changed inactive)],
		resume_run => [qw(resumed not_held)],
		cancel_run => [qw(cancelled)],
		set_away => [qw(away left)],
		set_active => [qw(active already)],
		offboard => [qw(done)],
		relocate => [qw(done left)]);
	my %seen = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
		q(SELECT verb || ' ' || outcome FROM model.seen));
	my @missing;
	foreach my $verb (sort keys %wanted)
	{
		push @missing, grep { !$seen{$_} } map { "$verb $_" }
		  @{ $wanted{$verb} };
	}
	diag("not met: $_") foreach @missing;
	return !@missing;
}
