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
is(scalar(() = $seen =~ /^ok /mg), 22, 'all was looked at');

# what the pages say is what the database knows
my ($key) = $seen =~ /^# lead (\S+)$/m;
is($node->safe_psql('postgres', "SELECT string_agg(kind, ' ' ORDER BY at, kind)"
		  . " FROM pool.history(pool.lead_id('" . ($key // '') . "'))"
		  . " WHERE at > '$began'"),
	'claimed followed_up released', 'the lead was claimed once');
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'), '',
	'verify() finds nothing');

is($errors, '', 'the server has nothing to complain of');

# ----------------------------------------------------------------------------
# The connection to the database breaks in the midst of a request
# ----------------------------------------------------------------------------
my ($lead, $member) = split /\|/, $node->safe_psql('postgres', q{
	SELECT l.id, m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
	WHERE l.status = 'owned' LIMIT 1});
my $body = qq({"lead_id": $lead, "kind": "call",
	"request": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"});
my @post = ('perl', '-MHTTP::Tiny', '-e', q{
	my ($url, $member, $body) = @ARGV;
	my $answer = HTTP::Tiny->new->post($url, { content => $body, headers =>
		{ 'content-type' => 'application/json', cookie => "member=$member" } });
	print "$answer->{status} $answer->{content}"},
	"${url}api/follow_up", $member, $body);
my $holder = start([ 'psql', '-XqAt', $node->connstr('postgres'), '-c',
		"BEGIN; SELECT FROM pool.lead_state WHERE id = $lead FOR UPDATE",
		'-c', 'SELECT pg_sleep(600)' ], '<', \undef, '>&', \my $held);
$node->poll_query_until('postgres',
	q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
my $asked = start(\@post, '<', \undef, '>', \my $first, timeout(60));
$node->poll_query_until('postgres', q{SELECT count(pg_terminate_backend(pid)) = 1
	FROM pg_stat_activity WHERE usename = 'crm' AND wait_event_type = 'Lock'});
$asked->finish;
like($first, qr/^500 /, 'a request whose connection broke is told so');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid)
	FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
$holder->finish;
foreach my $time ('the', 'and the')
{
	run(\@post, '>', \my $again);
	like($again, qr/^200 .*"outcome":"ok"/, "$time same request goes through");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM pool.history($lead)"
		  . " WHERE at > '$began' AND kind = 'followed_up'"),
	1, 'and does it once');
$server->kill_kill;
$node->stop;
done_testing();
