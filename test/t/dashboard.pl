# examples/dashboard in a real browser: every picture shows something, in two
# languages; two browsers claim one lead, one wins and the other is told so.
#
#   IMAGES=DIR     takes pictures of the pages into DIR (docs/images has them)
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run qw(start pump run timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = abs_path(dirname(abs_path(__FILE__)) . '/../../examples');
my $chromium = '/usr/bin/chromium';

plan skip_all => 'there is no chromium' unless -x $chromium;
plan skip_all => 'there are no packages from npm'
  unless -e "$examples/node_modules/puppeteer-core";

my $node = PostgreSQL::Test::Cluster->new('dashboard');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
fsync = off
CONF
$node->start;
$node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
		"$examples/dashboard/sample.sql", $node->connstr('postgres')],
	'the sample loads');
my $began = $node->safe_psql('postgres', 'SELECT now()');

my ($said, $errors) = ('', '');
my $server;
{
	local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} =
	  ($node->host, $node->port, 'crm', 'postgres');
	$server = start([ 'node', "$examples/dashboard/server.mjs", '0' ],
		'<', \undef, '>', \$said, '2>', \$errors, timeout(120));
}
pump $server until $said =~ /\n/ || !$server->pumpable;
my ($url) = $said =~ m{^(http://127\.0\.0\.1:\d+/)$}m;
ok($url, 'the server listens') or diag($errors);

my ($seen, $lost) = ('', '');
my $well = run([ 'node', "$examples/dashboard/check.mjs", $url, $chromium,
		PostgreSQL::Test::Utils::tempdir(), $ENV{IMAGES} || () ],
	'<', \undef, '>', \$seen, '2>', \$lost, timeout(120));
ok($well, 'the browser ends well') or diag($lost);
foreach (split /\n/, $seen)
{
	ok(!defined $1, $2) if /^(not )?ok - (.*)/;
}
is(scalar(() = $seen =~ /^ok /mg), 21, 'all was looked at');

# what the pages say is what the database knows
my ($key) = $seen =~ /^# lead (\S+)$/m;
is($node->safe_psql('postgres', "SELECT string_agg(kind, ' ' ORDER BY at, kind)"
		  . " FROM pool.history(pool.lead_id('" . ($key // '') . "'))"
		  . " WHERE at > '$began'"),
	'claimed followed_up released', 'the lead was claimed once');
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'), '',
	'verify() finds nothing');

is($errors, '', 'the server has nothing to complain of');
$server->kill_kill;
$node->stop;
done_testing();
