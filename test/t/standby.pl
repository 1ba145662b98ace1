# Standbys, a failover under load, clones, recovery to a point in time, and a
# server for analysts that gets the log by logical replication.
#
#   FAILOVERS= (1, or 10 with FULL=1)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = size_of('FAILOVERS', 1, 10);

my $node = new_server('primary', <<'CONF', allows_streaming => 'logical',
pool_ext.worker_naptime = '50ms'
max_wal_senders = 10
CONF
	has_archiving => 1);
$node->start;
build_world($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE sales;
SELECT pool.grant_access('sales', 'member');
SELECT count(*) FROM pool.claim('p1', 'm1', 20);
INSERT INTO pool.pool (name, everyone) VALUES ('calm', true);
SET pool_ext.clock = '2020-01-01';
SELECT count(*) FROM pool.enter('calm', 'old');
SELECT count(*) FROM pool.archive(ARRAY[pool.lead_id('old')], 'old');
RESET pool_ext.clock;
INSERT INTO pool.intake (pool, key)
SELECT 'calm', 'c' || i FROM generate_series(1, 20) i;
SELECT count(*) FROM pool.claim('calm', 'm1', 5);
SELECT count(*) FROM pool.plan_reclaim('calm');
SELECT count(*) FROM pool.poll('bi', 10);
SQL

# SQLSTATE of what fails
sub state_of
{
	my ($on, $sql) = @_;
	$on->psql('postgres', $sql, stdout => \my $stdout, stderr => \my $stderr,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	return $stderr =~ /ERROR:\s+(\w{5})/ ? $1 : 'none';
}

sub new_standby
{
	my ($name) = @_;
	$node->backup("for_$name");
	my $standby = PostgreSQL::Test::Cluster->new($name);
	$standby->init_from_backup($node, "for_$name", has_streaming => 1);
	$standby->start;
	$node->wait_for_catchup($standby);
	return $standby;
}

# ---------------------------------------------------------------------
# Reading works, writing says why it does not
# ---------------------------------------------------------------------
my $standby = new_standby('standby');
my $lead = $node->safe_psql('postgres', "SELECT pool.lead_id('c1')");

# the rows of both, where nothing moves
$node->safe_psql('postgres', 'ALTER SYSTEM SET pool_ext.worker_enabled = off');
$node->reload;
$node->poll_query_until('postgres', "SELECT count(*) = 0
	FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'");
$node->wait_for_catchup($standby);
foreach my $view (split /\n/, $node->safe_psql('postgres', <<'SQL'))
SELECT relname FROM pg_class WHERE relnamespace = 'pool'::regnamespace
    AND relkind = 'v' AND relname NOT IN ('intake') ORDER BY 1
SQL
{
	# row by row, as of one moment; the worker is not that of a standby
	my $row = $view eq 'stat_worker' ? "''" : 'v::text';
	my $sql = "SET pool_ext.clock = '2040-01-01'; SELECT count(*), "
	  . "md5(string_agg($row, '|' ORDER BY $row COLLATE \"C\")) "
	  . "FROM pool.$view v";
	is($standby->safe_psql('postgres', $sql),
		$node->safe_psql('postgres', $sql), "$view on a standby");
}
is($node->safe_psql('postgres', <<'SQL'), '', 'nothing is unlogged');
SELECT relname FROM pg_class
WHERE relnamespace = 'pool'::regnamespace AND relpersistence <> 'p'
SQL
foreach my $read (
	'verify()', "history($lead)", "explain_claim($lead, 'm2')",
	"explain_reclaim($lead)", "explain_assign($lead)", "check_rules('calm')",
	"search('calm', '{}')", "lead_id('c1')", 'current_member()',
	"poll('bi', 20)", 'lookup(\'{"phone": "13800138000"}\')')
{
	my $sql = "SELECT * FROM pool.$read";
	is($standby->safe_psql('postgres', $sql),
		$node->safe_psql('postgres', $sql), "$read on a standby");
}
is($standby->safe_psql('postgres', 'SELECT state FROM pool.stat_worker'),
	'standby', 'no worker runs');

my %writes = map { /^(\w+)/; ($1 => "SELECT * FROM pool.$_") } (
	"enter('calm', 'x')", "edit($lead, priority => 1)",
	"review(ARRAY[$lead], 'accept')", "merge($lead, $lead + 1)",
	"claim('calm', 'm1')", "claim_leads(ARRAY[$lead], 'm1')",
	"assign(ARRAY[$lead], 'm1')", "auto_assign('calm')",
	"transfer(ARRAY[$lead], 'm2')", "release(ARRAY[$lead], member => 'm1')",
	"reclaim(ARRAY[$lead])", "follow_up($lead, member => 'm1')",
	"convert($lead)", "archive(ARRAY[$lead], 'x')", "reopen(ARRAY[$lead])",
	"move(ARRAY[$lead], 'p1')", "request_claim($lead, member => 'm1')",
	"request_transfer($lead, 'm2', member => 'm1')",
	"request_extension($lead, '1 day', member => 'm1')",
	"request('move', $lead, to_pool => 'p1')", 'cancel_request(1)',
	'approve(1)', 'reject(1)', "protect(ARRAY[$lead], 'tomorrow')",
	"unprotect(ARRAY[$lead])", "reserve(ARRAY[$lead], member => 'm1')",
	"unreserve(ARRAY[$lead], member => 'm1')", "hide(ARRAY[$lead], 'tomorrow')",
	"unhide(ARRAY[$lead])", "add_collaborator($lead, 'm2')",
	"remove_collaborator($lead, 'm2')", "set_away('m1')", "set_active('m1')",
	"offboard('m1')", "relocate('m1')", 'cancel_run(1)', "plan_reclaim('calm')",
	'apply_plan(gen_random_uuid())', 'resume_run(1)', 'undo_run(1)',
	"reveal($lead, 'm1')", "erase(ARRAY[$lead], 'x')", "poll('new')",
	"digest('new')", "ack('bi', NULL)", "drop_consumer('bi')", 'tick()',
	"attach('pg_class', 'calm', 'relname', 'relowner')", "detach('pg_class')",
	'resume()', "purge_events('2020-01-01')", "grant_access('sales', 'reader')",
	"revoke_access('sales', 'member')", "apply_comments('en')");
$writes{intake} = "INSERT INTO pool.intake (pool, key) VALUES ('calm', 'x')";
is(join(', ', map { "$_->[0] $_->[1]" } grep { $_->[1] ne '25006' }
	  map { [ $_, state_of($standby, $writes{$_}) ] } sort keys %writes),
	'', 'whatever writes says 25006');
# none is forgotten: these only read
is($node->safe_psql('postgres', <<'SQL' =~ s/WRITES/join ',', keys %writes/er),
SELECT string_agg(DISTINCT p.proname, ' ' ORDER BY p.proname)
FROM pg_proc p
WHERE p.pronamespace = 'pool'::regnamespace AND p.provolatile = 'v'
    AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND p.proname <> ALL (string_to_array('WRITES', ','))
SQL
	'act_as default_tenant intake_check lookup', 'all that may write were asked');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_ext.worker_enabled');
$node->reload;

# A standby with room for fewer workers than its primary
my $small = PostgreSQL::Test::Cluster->new('small');
$small->init_from_backup($node, 'for_standby', has_streaming => 1);
$small->append_conf('postgresql.conf', 'max_worker_processes = 7');
is($small->start(fail_ok => 1), 0, 'a standby with too few worker processes');
like(slurp_file($small->logfile),
	qr/max_worker_processes = 7 is a lower setting than on the primary/,
	'says so, instead of starting');
$small->append_conf('postgresql.conf', 'max_worker_processes = '
	  . $node->safe_psql('postgres', 'SHOW max_worker_processes'));
$small->start;
is($small->safe_psql('postgres', 'SELECT state FROM pool.stat_worker'),
	'standby', 'with as many it does');
$small->stop;

# ---------------------------------------------------------------------
# A clone on the level of files is the original, as far as it can know
# ---------------------------------------------------------------------
foreach my $setting ('on', 'off')
{
	my $clone = PostgreSQL::Test::Cluster->new("clone_$setting");
	$clone->init_from_backup($node, 'for_standby');
	$clone->append_conf('postgresql.conf',
		"pool_ext.worker_enabled = $setting\narchive_mode = off");
	$clone->start;
	is($clone->safe_psql('postgres', 'SELECT active FROM pool.stat_worker'),
		't', "clone, $setting: not told from the original");
	if ($setting eq 'on')
	{
		ok($clone->poll_query_until('postgres',
				'SELECT last_tick IS NOT NULL FROM pool.stat_worker'),
			'clone: its worker runs');
	}
	else
	{
		is($clone->safe_psql('postgres', 'SELECT state FROM pool.stat_worker'),
			'disabled', 'clone: its worker is switched off');
	}
	verified($clone, 'postgres', "clone, $setting");
	$clone->stop;
}

# ---------------------------------------------------------------------
# Back to a point in time
# ---------------------------------------------------------------------
$node->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pool.claim('calm', 'm2', 3);
SELECT pg_create_restore_point('between');
SELECT count(*) FROM pool.claim('calm', 'm2', 4);
SELECT pg_switch_wal();
SQL
my $past = PostgreSQL::Test::Cluster->new('past');
$past->init_from_backup($node, 'for_standby', has_restoring => 1,
	standby => 0);
$past->append_conf('postgresql.conf', <<'CONF');
recovery_target_name = 'between'
recovery_target_action = promote
pool_ext.worker_enabled = off
archive_mode = off
CONF
$past->start;
ok($past->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'),
	'recovered to a point in time');
my $held = "SELECT count(*) FROM pool.lead l JOIN pool.member m
	ON m.id = l.owner_id JOIN pool.pool p ON p.id = l.pool_id
	WHERE m.key = 'm2' AND p.name = 'calm'";
is($past->safe_psql('postgres', $held), 3, 'what came before it is there');
is($node->safe_psql('postgres', $held), 7, 'the original has gone on');
verified($past, 'postgres', 'point in time');
is($past->safe_psql('postgres',
		"SELECT count(*) FROM pool.claim('calm', 'm3', 5) WHERE lead_id > 0"),
	5, 'and work goes on from there');
$past->stop;

# ---------------------------------------------------------------------
# The log, for analysts
# ---------------------------------------------------------------------
my $bi = PostgreSQL::Test::Cluster->new('bi');
$bi->init;
$bi->start;
my $columns = $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)),
    ', ' ORDER BY attnum)
FROM pg_attribute WHERE attrelid = 'pool.event'::regclass AND attnum > 0
SQL
$bi->safe_psql('postgres', "CREATE SCHEMA pool;
	CREATE TABLE pool.event ($columns, PRIMARY KEY (lead_id, id))");
$node->safe_psql('postgres', <<'SQL');
CREATE PUBLICATION log FOR TABLE pool.event;
CREATE PUBLICATION everything FOR ALL TABLES;
SQL
$bi->safe_psql('postgres', "CREATE SUBSCRIPTION log CONNECTION '"
	  . ($node->connstr('postgres') =~ s/'/''/gr) . "' PUBLICATION log");
$bi->wait_for_subscription_sync($node, 'log');
my $ledger = new_ledger($node, 'postgres');
my $clients = start_clients($node, 'postgres', 3, 150);
is(join(' ', finish_clients($ledger, $clients)), '',
	'calls go on beside a publication of everything');
my $erased = $node->safe_psql('postgres', <<'SQL');
SELECT lead_id FROM pool.event WHERE reason IS NOT NULL LIMIT 1
SQL
$node->safe_psql('postgres', <<"SQL");
SELECT count(*) FROM pool.erase(ARRAY[$erased], 'asked for');
SELECT pool.revoke_access('sales', 'member');
SELECT pool.drop_consumer('bi');
SELECT pool.purge_events('2020-02-01');
ALTER SYSTEM SET pool_ext.worker_enabled = off;
SELECT pg_reload_conf();
SQL
$node->poll_query_until('postgres', "SELECT count(*) = 0
	FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'");
$node->wait_for_catchup('log');
my $sum = 'SELECT count(*) > 100, md5(string_agg(e::text, e\'\n\''
  . ' ORDER BY lead_id, id)) FROM pool.event e';
is($bi->safe_psql('postgres',
		"SELECT count(*) FROM pool.event WHERE at < '2020-02-01'"), '1',
	'what is purged goes there, too: all but the last of a lead');
is($bi->safe_psql('postgres', $sum), $node->safe_psql('postgres', $sum),
	'the log arrives, erasing and purging included');
is($node->safe_psql('postgres', <<'SQL'), '', 'every table can be published');
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind = 'r'
    AND c.relreplident = 'd' AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
SQL
$bi->safe_psql('postgres', 'DROP SUBSCRIPTION log');
$bi->stop;
$node->safe_psql('postgres', <<'SQL');
DROP PUBLICATION log;
DROP PUBLICATION everything;
ALTER SYSTEM RESET pool_ext.worker_enabled;
SELECT pg_reload_conf();
SQL

# ---------------------------------------------------------------------
# The primary dies under load; whoever got no answer asks the new one
# ---------------------------------------------------------------------
$ledger = new_ledger($node, 'postgres');
my $repeated = 0;
foreach my $round (1 .. $rounds)
{
	my $heir = $round == 1 ? $standby : new_standby("heir$round");
	$node->safe_psql('postgres',
		"ALTER SYSTEM SET synchronous_standby_names = '*'");
	$node->reload;
	$clients = start_clients($node, 'postgres', 6, 4000);
	usleep(300_000 + int rand 700_000);
	$node->stop('immediate');
	is(join(' ', finish_clients($ledger, $clients)), '',
		"failover $round: no call failed by itself");
	$heir->safe_psql('postgres',
		'ALTER SYSTEM RESET synchronous_standby_names');
	$heir->promote;
	$heir->reload;
	$repeated += repeat_lost($ledger, $heir, 'postgres');
	verified($heir, 'postgres', "failover $round");
	intact($heir, 'postgres', "failover $round");
	ledger_agrees($ledger, $heir, 'postgres', "failover $round");
	ok($heir->poll_query_until('postgres',
			'SELECT last_tick IS NOT NULL FROM pool.stat_worker'),
		"failover $round: the worker runs on the new primary");
	is($heir->safe_psql('postgres',
			"SELECT count(*), max(generation) FROM pool.installation"),
		'1|1', "failover $round: it is the same installation");
	$node = $heir;
}
cmp_ok($repeated, '>', $rounds, 'requests were repeated');
drained($node, 'postgres', 'at the end');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'nobody crashed by himself');
my $claimed = grep { /^claimed/ } @{ $ledger->{rows} };
diag("counted: $rounds failovers, $ledger->{calls} calls answered, $repeated "
	  . "of them by the new primary; $claimed acknowledged claims compared; "
	  . scalar(keys %writes) . ' functions refused on a standby');
done_testing();
