# Any two operations at once, on the same lead or member: what becomes of them,
# the events and their order included, is what becomes of them in one order or
# the other, or the second says that it could not wait (contended, taken, 40001,
# 55P03), which those that wait for leads never do.  test/include/races.sql has
# the operations, the states a lead may be in, and the comparison.
#
#   PAIRS= how many of all pairs of operations, chosen at random, with one way
#          each for them to meet (30; with FULL=1 all pairs, all ways)
#   PART=  with FULL=1, one part of them only: 2/5 is the second of five
#   SEED=  another choice (that of the day; printed)
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $pairs = $ENV{PAIRS} // ($ENV{FULL} ? 0 : 30);
my $seed = $ENV{SEED} // int(time / 86400);
my $library = dirname(abs_path(__FILE__)) . '/../include/races.sql';

# the level, how the first ends, whether the second begins only then
my @ways = (
	'READ COMMITTED, COMMIT', 'READ COMMITTED, ROLLBACK',
	'REPEATABLE READ, COMMIT', 'REPEATABLE READ, COMMIT, after',
	'SERIALIZABLE, COMMIT', 'SERIALIZABLE, COMMIT, after');

my $node = new_server('races', <<'CONF');
pool_ext.worker_enabled = off
autovacuum = off
jit = off
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pool_ext');
$node->safe_psql('postgres', slurp_file($library));

sub quoted { return join ', ', map { "'$_'" } @_; }

sub pair_sql
{
	my ($fixture, $one, $two, @how) = @_;
	my $names = quoted($fixture, $one, $two);
	my $ways = quoted(@how);
	return <<"SQL";
SELECT format('%s: %s, %s: %s', $names, trial), waited,
    replace(message, E'\\n', ' /')
FROM race.pair($names, ARRAY[$ways]);
SQL
}

# every operation does what it is there for, so that there is something to race
is($node->safe_psql('postgres', <<'SQL'), '', 'each operation works alone');
CALL race.connect();
SELECT o.name, f.f, t.said_one
FROM race.operation o, unnest(o.fixtures) f (f),
    race.in_turn(f.f, o.name, NULL, false) t
WHERE t.said_one ~ '^[A-Z0-9]{5}( |$)' OR t.said_one = 'nothing'
ORDER BY 1, 2
SQL

# by itself it does the same at every level: 40001 has a reason
is($node->safe_psql('postgres', <<'SQL'), '', 'and at every level');
CALL race.connect();
SELECT format('%s: %s', trial, message) FROM (VALUES ('REPEATABLE READ'),
    ('SERIALIZABLE')) v (level), race.alone(v.level)
WHERE message IS NOT NULL
SQL

my @all = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT DISTINCT f, a.name, b.name
FROM race.operation a, race.operation b,
    LATERAL unnest(a.fixtures || b.fixtures) f
ORDER BY 1, 2, 3
SQL
if (!$pairs && ($ENV{PART} // '') =~ m{^(\d+)/(\d+)$})
{
	my ($part, $parts) = ($1, $2);
	@all = @all[ grep { $_ % $parts == $part - 1 } 0 .. $#all ];
}
note(scalar(@all), " pairs, seed $seed");
srand $seed;

# those that have gone wrong once, in every way; offboard waits for no lead, the
# others for each other
my @known = (
	[ 'open', 'merge 2 1', 'erase' ], [ 'converted', 'erase', 'reopen' ],
	[ 'held', 'extend', 'extend' ], [ 'held', 'relocate', 'relocate' ],
	[ 'leaving', 'reclaim', 'offboard' ],
	[ 'linked', 'archive', 'enter phone' ],
	[ 'tight', 'assign q ann', 'assign q ann' ]);
my $script = "CALL race.connect();\n";
$script .= pair_sql(@$_, @ways) foreach @known;
if ($pairs)
{
	$script .= pair_sql(@{ $all[ rand @all ] }, $ways[ rand @ways ])
	  foreach 1 .. $pairs;
}
else
{
	$script .= pair_sql(@$_, @ways) foreach @all;
}
my ($stdout, $stderr) = finish_psql(start_psql($node, 'postgres', $script,
		'races'));
is($stderr, '', 'all have been tried');
my @trials = split /\n/, $stdout;
my $waited = grep { /\|t\|/ } @trials;
my $met = grep { /\|t\|/ } @trials[ 0 .. @known * @ways - 1 ];
is(scalar @trials, @known * @ways + ($pairs || @all * @ways),
	'each has its answer');
# unless the first had ended
is($met, (@known - 1) * (@ways - 2), 'those that must wait for each other did');
is(join("\n", grep { !/\|$/ } @trials), '', 'an order explains every outcome');
verified($node, 'postgres', 'after all');
diag('counted: ' . @trials . " trials, of which $waited waited");
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'no complaints in the log');
done_testing();
