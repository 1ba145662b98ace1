# examples/monitoring: every query of the exporter runs as its login and has the
# columns it promises; the exporter of Debian serves what the views say; alerts
# and dashboard speak of what it serves, and alerts come when they should.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run qw(start run timeout);
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = abs_path(dirname(abs_path(__FILE__)) . '/../../examples');
my $monitoring = "$examples/monitoring";
my $scratch = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('monitoring');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
listen_addresses = '127.0.0.1'
pool_ext.worker_enabled = off
fsync = off
CONF
$node->start;
$node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $_,
		$node->connstr('postgres')], "$_ runs")
  foreach "$examples/dashboard/sample.sql", "$monitoring/setup.sql";
$node->safe_psql('postgres', "SELECT * FROM pool.poll('warehouse', 1)");

# ----------------------------------------------------------------------------
# The queries
# ----------------------------------------------------------------------------
my $config = slurp_file("$monitoring/sql_exporter.yml");
my %metrics;
while ($config =~ /^  - name: (\w+)\n    help: .*\n(?:    labels: \[(.*)\]\n)?    values: \[(.*)\]\n    query: \|\n((?:      .*\n)+)/mg)
{
	my ($name, $labels, $values, $query) = ($1, $2 // '', $3, $4);
	$metrics{"sql_$name"} = [ split /, /, $values ];

	local $ENV{PGUSER} = 'monitor';
	my ($stdout, $stderr);
	my $status = $node->psql('postgres', $query, stdout => \$stdout,
		stderr => \$stderr, extra_params =>
		  [ '-P', 'tuples_only=off', '-P', 'footer=off' ]);
	is("$status $stderr", '0 ', "$name runs") or next;
	my ($head, @rows) = split /\n/, $stdout;
	is(join(' ', sort split /\|/, $head),
		join(' ', sort split /, /, join(', ', grep { $_ ne '' } $labels, $values)),
		"$name has its columns");
	cmp_ok(scalar @rows, '>', 0, "$name has rows");
	unlike($stdout, qr/\|\||^\||\|$/m, "$name has no NULL");
}
is(scalar keys %metrics, scalar(() = $config =~ /^    query:/mg),
	'no query is left out');

# ----------------------------------------------------------------------------
# Alerts and dashboard ask for what there is
# ----------------------------------------------------------------------------
my $alerts = slurp_file("$monitoring/alerts.yml");
my $dashboard = slurp_file("$monitoring/grafana.json");
$metrics{sql_exporter_last_scrape_failed} = [];    # the exporter's own
my @expressions =
  map { map { $_->{expr} } @{ $_->{targets} } }
  @{ decode_json($dashboard)->{panels} };
cmp_ok(scalar @expressions, '>=', 12, 'the dashboard has expressions');
foreach my $text ($alerts, @expressions)
{
	while ($text =~ /\b(sql_\w+)(?:\{([^}]*)\})?/g)
	{
		my ($name, $selector) = ($1, $2 // '');
		ok($metrics{$name}, "there is $name") or next;
		my ($value) = $selector =~ /\bcol="(\w+)"/ or next;
		ok((grep { $_ eq $value } @{ $metrics{$name} }), "$name has $value");
	}
}

SKIP:
{
	skip 'there is no promtool', 1
	  unless eval { run([ 'promtool', '--version' ], '>&', \my $output) };
	$node->command_ok([ 'promtool', 'check', 'rules', "$monitoring/alerts.yml" ],
		'promtool accepts the alerts');
	$node->command_ok(
		[ 'promtool', 'test', 'rules', "$monitoring/alerts_test.yml" ],
		'alerts come when they should');
	my $n = 0;
	my $rules = "groups:\n- name: dashboard\n  rules:\n";
	$rules .= "  - record: expression\n    expr: |\n      $_\n"
	  . "    labels: {n: '" . $n++ . "'}\n"
	  foreach map { s/\$\w+/.*/gr } @expressions;
	append_to_file("$scratch/dashboard.yml", $rules);
	$node->command_ok([ 'promtool', 'check', 'rules', "$scratch/dashboard.yml" ],
		'promtool accepts the expressions of the dashboard');
}

# ----------------------------------------------------------------------------
# The exporter itself
# ----------------------------------------------------------------------------
my $exporter = '/usr/bin/prometheus-sql-exporter';
SKIP:
{
	skip 'there is no prometheus-sql-exporter', 1 unless -x $exporter;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $server = $node->port;
	$config =~ s{\@localhost/crm}{\@127.0.0.1:$server/postgres}g;
	$config =~ s{interval: '\w+'}{interval: '1s'}g;
	append_to_file("$scratch/sql_exporter.yml", $config);
	my $run = start([ $exporter, '-config.file', "$scratch/sql_exporter.yml",
			'-web.listen-address', "127.0.0.1:$port" ],
		'<', \undef, '>&', "$scratch/exporter.log", timeout(60));
	my $served = '';
	my $wait_for = sub {
		my ($enough) = @_;
		for (1 .. 200)
		{
			run([ 'perl', '-MHTTP::Tiny', '-e',
					"print HTTP::Tiny->new->get('http://127.0.0.1:$port/metrics')"
					  . '->{content}' ], '>', \$served);
			return if $enough->();
			select undef, undef, undef, 0.1;
		}
	};
	$wait_for->(sub { !grep { $served !~ /^$_\{/m } keys %metrics });
	foreach my $name (sort keys %metrics)
	{
		my @lost = grep { $served !~ /^$name\{[^}]*col="$_"/m }
		  @{ $metrics{$name} };
		is("@lost", '', "$name is served");
	}
	my ($available) = $served =~
	  /^sql_pool_leads\{[^}]*col="available"[^}]*pool="sales"[^}]*\} (\S+)$/m;
	is($available, $node->safe_psql('postgres',
			'SELECT available FROM pool.stat_pool'), 'as the view says');
	my $fails = qr/^sql_exporter_last_scrape_failed\{[^}]*query="pool_worker"[^}]*\}/m;
	like($served, qr/$fails 0$/m, 'the database answers');
	$node->stop;
	$wait_for->(sub { $served =~ /$fails 1$/m });
	like($served, qr/$fails 1$/m, 'and when it does not, the exporter says so');
	like($served, qr/^sql_pool_worker\{[^}]*col="acting"/m,
		'though it still serves the last answers');
	$node->start;
	$run->kill_kill;
	diag(slurp_file("$scratch/exporter.log")) if !defined $available;
}

$node->stop;
done_testing();
