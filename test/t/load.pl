# Two loads beside each other, with 5 % duplicates in each and customers that
# both bring in opposite orders: no deadlock, no double, whatever the policy.
#
#   ROWS= of each load (20,000, or 100,000 with FULL=1)
use strict;
use warnings FATAL => 'all';
use IPC::Run qw(start finish);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $rows = $ENV{ROWS} || ($ENV{FULL} ? 100_000 : 20_000);

my $node = PostgreSQL::Test::Cluster->new('load');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
fsync = off
timezone = 'UTC'
deadlock_timeout = 200ms
CONF
$node->start;
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone, duplicate_policy, review) VALUES
    ('reject', true, 'reject', false), ('touch', true, 'touch', false),
    ('link', true, 'link', false), ('held', true, 'reject', true);
INSERT INTO pool.entry_rule (pool_id, name, condition, "then", grade)
SELECT id, 'of seven', '\$.n == 7', 'reject', NULL FROM pool.pool;
INSERT INTO pool.score_rule (pool_id, name, condition, points)
SELECT id, 'even', '\$.n % 2 == 0', 50 FROM pool.pool;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('cat');
SQL

# Row i of a load: its key is the load's own, but for every 100th; its phone is
# that of the row 1 before for every 20th, and the other load has the same ones.
sub load_sql
{
	my ($pool, $load, $n, $order) = @_;
	return qq{INSERT INTO pool.intake (pool, key, attributes, identities, owner)
SELECT '$pool', CASE WHEN i % 100 = 0 THEN '$pool' ELSE '$pool$load-' END || i,
    jsonb_build_object('n', i % 10), jsonb_build_object('phone',
    '+86138' || lpad((CASE WHEN i % 20 = 0 THEN i - 1 ELSE i END)::text, 8, '0'),
    'email', '$pool' || CASE WHEN i % 2 = 0 THEN '$load' ELSE '' END || i || '\@x.cn'),
    CASE WHEN i % 50 = 0 THEN 'ann' WHEN i % 50 = 1 THEN 'bob' END
FROM generate_series(1, $n) i ORDER BY i $order;
SELECT outcome, count(*) FROM pool.intake_check() GROUP BY 1 ORDER BY 1};
}

sub begin_psql
{
	my ($sql) = @_;
	my %run = (in => $sql, out => '', err => '');
	$run{handle} = start [
		'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1',
		'-d', $node->connstr('postgres')
	], \$run{in}, \$run{out}, \$run{err};
	return \%run;
}

sub values_of
{
	my ($text) = @_;
	return { map { split /\|/ } grep { /\|/ } split /\n/, $text };
}

sub load_twice
{
	my ($pool, $n) = @_;
	my $began = time;
	my @loads = map { begin_psql(load_sql($pool, @$_)) }
	  (['a', $n, 'ASC'], ['b', $n, 'DESC']);

	# members claim meanwhile
	my $claims = begin_psql(
		join "\n",
		map { "SELECT pool.claim('$pool', '$_', 5), pg_sleep(0.005);" }
		  (qw(ann bob cat)) x 60);
	my %sum;
	for my $run (@loads, $claims)
	{
		finish $run->{handle};
		is($run->{err}, '', "$pool: no error");
	}
	for my $run (@loads)
	{
		my $seen = values_of($run->{out});
		$sum{$_} += $seen->{$_} for keys %$seen;
	}
	diag(sprintf 'counted: %s: 2 x %d rows in %.1f s: %s', $pool, $n, time - $began,
		join ', ', map { "$_ $sum{$_}" } sort keys %sum);
	is(eval { my $all = 0; $all += $_ for values %sum; $all }, 2 * $n,
		"$pool: every row has its verdict");
	return \%sum;
}

sub stored
{
	my ($pool) = @_;
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pool.lead_state s JOIN pool.lead_data d USING (id)"
		  . " WHERE d.key LIKE '$pool%'");
}

sub entered
{
	my ($sum) = @_;
	return ($sum->{entered} || 0) + ($sum->{assigned} || 0) +
	  ($sum->{review} || 0);
}

for my $pool (qw(reject touch link held))
{
	my $n = $pool eq 'reject' ? $rows : $rows / 5;
	# customers of their own
	$node->safe_psql('postgres', 'DELETE FROM pool.identity')
	  if $pool ne 'reject';
	my $sum = load_twice($pool, $n);

	is(stored($pool), entered($sum), "$pool: what was let in is there");
	cmp_ok($sum->{rejected}, '==', 2 * $n / 10, "$pool: the rules were asked");
	if ($pool eq 'link')
	{
		is( $node->safe_psql('postgres', <<"SQL"), '0', 'link: leads of one customer have one owner');
SELECT count(*) FROM (SELECT FROM pool.lead_state WHERE group_id IS NOT NULL
GROUP BY group_id HAVING count(DISTINCT owner_id) > 1) x
SQL
		cmp_ok(
			$node->safe_psql('postgres',
				'SELECT count(*) FROM pool.identity_group'),
			'>', $n / 2,
			'link: the loads met in many groups');
	}
	else
	{
		# of 100 phones of both loads: 5 doubled within, 10 rejected of the
		# rest, one customer each
		is( $node->safe_psql('postgres',
				"SELECT count(DISTINCT value) FROM pool.identity"
				  . " WHERE kind = 'phone'"),
			entered($sum), "$pool: one lead for each customer");
	}
	is( $node->safe_psql('postgres',
			"SELECT count(*) FROM pool.event WHERE kind = 'touched'") > 0,
		$pool ne 'reject', 'inquiries are noted by touch only')
	  if $pool =~ /^(reject|touch)$/;
}
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'), '',
	'verify() has nothing to say');
unlike(slurp_file($node->logfile), qr/deadlock/, 'no deadlock');
$node->stop;
done_testing();
