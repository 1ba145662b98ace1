# The programs of examples/clients, against the server and through pgbouncer in
# transaction mode: every outcome of a claim, the errors, a connection that is
# killed between commit and answer, and events. All say the same.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run qw(start finish run timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = abs_path(dirname(abs_path(__FILE__)) . '/../../examples');
my $clients = "$examples/clients";
my $scratch = PostgreSQL::Test::Utils::tempdir();

# ----------------------------------------------------------------------------
# What there is of them
# ----------------------------------------------------------------------------
sub works
{
	my (@command) = @_;
	return eval { run(\@command, '<', \undef, '>&', \my $output) };
}

my $jar = '/usr/share/java/postgresql.jar';
my $includes = `pg_config --includedir`;
chomp $includes;
my %command = (
	node => [ 'node', "$clients/client.mjs" ],
	python => [ '/usr/bin/python3', "$clients/client.py" ],
	php => [ 'php', "$clients/client.php" ],
	java => [ 'java', '-cp', "$scratch:$jar", '-Xshare:auto',
		'-XX:TieredStopAtLevel=1', 'Client' ],
	c => ["$scratch/client"]);
my %usable = (
	node => sub { -e "$examples/node_modules/pg" && works('node', '--version') },
	python => sub { works('/usr/bin/python3', '-c', 'import psycopg') },
	php => sub { works('php', '-r', 'exit((int) !extension_loaded("pdo_pgsql"));') },
	java => sub {
		-e $jar && works('javac', '-d', $scratch, "$clients/Client.java");
	},
	c => sub {
		works('cc', '-Wall', '-Wextra', '-Werror', "$clients/client.c", '-o',
			"$scratch/client", "-I$includes", '-lpq');
	});

# ----------------------------------------------------------------------------
# A server with a pool for each outcome, and a pooler before it
# ----------------------------------------------------------------------------
my $node = PostgreSQL::Test::Cluster->new('clients');
# so that commits can be made to wait for a standby
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
listen_addresses = '127.0.0.1'
pool_ext.worker_enabled = off
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone, hold_limit, claim_limit, claim_interval,
    enabled)
VALUES ('stock', true, NULL, NULL, NULL, true),
    ('none', true, NULL, NULL, NULL, true),
    ('full', true, 1, NULL, NULL, true),
    ('spent', true, NULL, 1, NULL, true),
    ('paced', true, NULL, NULL, '1 hour', true),
    ('barred', true, NULL, NULL, NULL, true),
    ('held', true, NULL, NULL, NULL, true),
    ('closed', true, NULL, NULL, NULL, false),
    ('others', false, NULL, NULL, NULL, true);
INSERT INTO pool.claim_rule (pool_id, name, min_level)
SELECT id, 'nobody', 9 FROM pool.pool WHERE name = 'barred';
INSERT INTO pool.intake (pool, key)
SELECT name, name || i FROM pool.pool, generate_series(1, 40) i
WHERE name NOT IN ('none', 'held', 'closed');
INSERT INTO pool.intake (pool, key) VALUES ('held', 'held1');
INSERT INTO pool.member (key, status) VALUES ('other', 'active'),
    ('off_work', 'away');
UPDATE pool.member SET login = key WHERE key = 'off_work';
CREATE ROLE off_work LOGIN;
CREATE ROLE stranger LOGIN;
CREATE ROLE outsider LOGIN;
CREATE ROLE crm LOGIN;
SELECT pool.grant_access('off_work', 'member'),
    pool.grant_access('stranger', 'member'), pool.grant_access('crm', 'service');
SQL

sub new_member
{
	my ($name) = @_;
	$node->safe_psql('postgres', <<"SQL");
CREATE ROLE $name LOGIN;
SELECT pool.grant_access('$name', 'member');
INSERT INTO pool.member (key, login) VALUES ('$name', '$name');
SELECT pool.claim(p, '$name') FROM unnest(ARRAY['full', 'spent', 'paced']) p;
SQL
	return;
}

my $pooler_port = PostgreSQL::Test::Cluster::get_free_port();
my $pooler;
my $pgbouncer = works('pgbouncer', '--version') ? 'pgbouncer' :
  -x '/usr/sbin/pgbouncer' ? '/usr/sbin/pgbouncer' : undef;

sub start_pooler
{
	my (@logins) = @_;
	append_to_file("$scratch/users.txt", join '', map { qq{"$_" ""\n} } @logins);
	append_to_file("$scratch/pgbouncer.ini", <<"INI");
[databases]
postgres = host=127.0.0.1 port=@{[ $node->port ]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pooler_port
unix_socket_dir =
auth_type = trust
auth_file = $scratch/users.txt
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
logfile = $scratch/pgbouncer.log
INI
	$pooler = start([ $pgbouncer, '-q', "$scratch/pgbouncer.ini" ],
		'<', \undef, '>&', "$scratch/pgbouncer.out");
	local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} =
	  ('127.0.0.1', $pooler_port, 'crm', 'postgres');
	for (1 .. 100)
	{
		return if works('psql', '-Xqc', 'SELECT 1');
		select undef, undef, undef, 0.1;
	}
	BAIL_OUT('pgbouncer does not come up');
}

# ----------------------------------------------------------------------------
# Running them
# ----------------------------------------------------------------------------
sub begin
{
	my ($language, $port, $login, @arguments) = @_;
	my %run = (out => '', err => '');
	local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} =
	  ('127.0.0.1', $port, $login, 'postgres');
	$run{handle} = start([ @{ $command{$language} }, @arguments ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err}, timeout(120));
	return \%run;
}

# What went wrong too, but no warnings.
sub said
{
	my ($run) = @_;
	my $well = finish $run->{handle};
	return $run->{out} =~ s/\d{4}-\d\d-\d\d \d\d:\d\d/TIME/gr
	  . ($well ? '' : $run->{err});
}

my $outcomes = <<'SAID';
none: empty: nothing here for you now
full: hold_limit: 1 of 1
spent: claim_limit: 1 of 1
paced: too_soon: again at TIME
barred: none_allowed: nothing here for you now
held: contended: others are taking the last ones, try again
closed: pool_disabled: this pool is closed
others: PO003: you are not a member of this pool
nowhere: PO001: there is no such pool
SAID

sub check_outcomes
{
	my ($language, $port, $login, $name) = @_;
	my $said = said(begin($language, $port, $login, 'claim',
			qw(stock none full spent paced barred held closed others nowhere)));
	like($said, qr/\Astock: claimed (stock\d+)\n\Q$outcomes\E\z/,
		"$name: outcomes and errors");
	my ($key) = $said =~ /claimed (\S+)/;
	is($node->safe_psql('postgres', <<"SQL"), $login, "$name: it is so");
SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
WHERE l.key = '@{[ $key // '' ]}'
SQL
	return;
}

sub synchronous
{
	my ($standby) = @_;
	$node->safe_psql('postgres', 'ALTER SYSTEM SET synchronous_standby_names = '
		  . "'$standby'");
	$node->reload;
	return;
}

# The claim has committed and waits for a standby that never comes; so its
# answer never leaves.
sub check_killed
{
	my ($language, $port, $login, $name) = @_;
	my $waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND "
	  . "usename = '$login'";
	my $claims = "SELECT count(*) FROM pool.event e JOIN pool.member m "
	  . "ON m.id = e.member_id WHERE m.key = '$login' AND e.kind = 'claimed'";
	my $before = $node->safe_psql('postgres', $claims);

	synchronous('nobody');
	$node->poll_query_until('postgres', "SELECT current_setting("
		  . "'synchronous_standby_names') = 'nobody'");
	my $run = begin($language, $port, $login, 'claim', 'stock');
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting"),
		"$name: a claim has no answer yet");
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $waiting"),
		't', "$name: and is killed");
	synchronous('');
	my $said = said($run);
	like($said, qr/\Astock: claimed stock\d+\n\z/,
		"$name: the same request gets an answer");
	is($node->safe_psql('postgres', $claims), $before + 1,
		"$name: there was no second claim");
	is($node->safe_psql('postgres', "SELECT l.key FROM pool.lead l JOIN "
			  . "pool.member m ON m.id = l.owner_id WHERE m.key = '$login' "
			  . "ORDER BY l.owned_at DESC LIMIT 1"),
		$said =~ /(stock\d+)/ ? $1 : '', "$name: it is the first one's");
	return;
}

sub check_events
{
	my ($language, $port, $name) = @_;
	my $said = said(begin($language, $port, 'crm', 'events', $name));
	my $events = $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(format('%s %s %s', e.kind, l.key, coalesce(m.key, '-')), E'\n'
    ORDER BY e.xid, e.id)
FROM pool.event e JOIN pool.lead l ON l.id = e.lead_id
LEFT JOIN pool.member m ON m.id = e.member_id
SQL
	cmp_ok($events =~ tr/\n//, '>', 200, 'there are events');
	ok($said eq "$events\n", "$name: all events, in order") or diag($said);
	is(said(begin($language, $port, 'crm', 'events', $name)), '',
		"$name: none of them again");
	return;
}

sub check_others
{
	my ($language, $port, $name) = @_;
	is(said(begin($language, $port, 'off_work', 'claim', 'stock')),
		"stock: away: you are not at work\n", "$name: who is away");
	is(said(begin($language, $port, 'stranger', 'claim', 'stock')),
		"stock: PO002: this login belongs to no member\n", "$name: no member");
	is(said(begin($language, $port, 'outsider', 'claim', 'stock')),
		"stock: 42501: this login has no access; see pool.grant_access\n",
		"$name: no access");
	return;
}

my @languages = grep { $usable{$_}->() } sort keys %command;
my %logins = map { $_ => [ "${_}_direct", "${_}_pooled" ] } @languages;
new_member($_) foreach map { @{ $logins{$_} } } @languages;
start_pooler('crm', map { $logins{$_}[1] } @languages) if defined $pgbouncer;

foreach my $language (sort keys %command)
{
  SKIP:
	{
		skip "$language: its packages are not installed", 1
		  unless $logins{$language};

		my $holder = $node->background_psql('postgres');
		$holder->query_safe("BEGIN; SELECT pool.claim('held', 'other')");
		check_outcomes($language, $node->port, $logins{$language}[0],
			"$language, direct");
		check_outcomes($language, $pooler_port, $logins{$language}[1],
			"$language, pooled")
		  if $pooler;
		$holder->query_safe('ROLLBACK');
		$holder->quit;

		check_others($language, $node->port, "$language, direct");
		check_killed($language, $node->port, $logins{$language}[0],
			"$language, direct");
		check_events($language, $node->port, "$language, direct");
		next unless $pooler;
		check_killed($language, $pooler_port, $logins{$language}[1],
			"$language, pooled");
		check_events($language, $pooler_port, "$language, pooled");
	}
}
SKIP:
{
	skip 'pgbouncer is not installed', 1 unless $pooler;
	pass('all of them through pgbouncer too');
}

is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'), '',
	'verify() finds nothing');
if ($pooler)
{
	$pooler->signal('TERM');
	finish $pooler;
}
$node->stop;
done_testing();
