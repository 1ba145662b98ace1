# The schema served by PostGraphile (examples/postgraphile): names, comments and
# privileges come out right; a member claims over HTTP, others are refused.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run qw(start pump run timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = abs_path(dirname(abs_path(__FILE__)) . '/../../examples');

plan skip_all => 'there are no packages from npm'
  unless -e "$examples/node_modules/postgraphile";

my $node = PostgreSQL::Test::Cluster->new('postgraphile');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
fsync = off
CONF
$node->start;
$node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
		"$examples/postgraphile/setup.sql", $node->connstr('postgres')],
	'the set-up runs');

$ENV{JWT_SECRET} = 'a secret of the test';
my ($said, $errors) = ('', '');
my $server;
{
	local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} =
	  ($node->host, $node->port, 'gateway', 'postgres');
	$server = start([ 'node', "$examples/postgraphile/server.mjs", '0' ],
		'<', \undef, '>', \$said, '2>', \$errors, timeout(120));
}
pump $server until $said =~ /\n/ || !$server->pumpable;
my ($url) = $said =~ m{^(http://127\.0\.0\.1:\d+/graphql)$}m;
ok($url, 'the server listens') or diag($errors);

my ($seen, $lost) = ('', '');
my $well = run([ 'node', "$examples/postgraphile/check.mjs", $url ],
	'<', \undef, '>', \$seen, '2>', \$lost, timeout(120));
ok($well, 'all is as it should be') or diag("$seen$lost");
foreach (split /\n/, $seen)
{
	ok(!defined $1, $2) if /^(not )?ok - (.*)/;
}
is(scalar(() = $seen =~ /^ok /mg), 21, 'all was looked at');
is($node->safe_psql('postgres', <<'SQL'), 'ann c4, ann c5', 'it is so');
SELECT string_agg(m.key || ' ' || l.key, ', ' ORDER BY l.key)
FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
SQL

$server->kill_kill;
$node->stop;
done_testing();
