# pg_dump and pg_restore: everything comes along, in every way of restoring,
# while a worker watches; and the copy lives only when it is told to.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub new_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_naptime = '20ms'
timezone = 'UTC'
autovacuum = off
fsync = off
log_statement = none
CONF
	$node->start;
	return $node;
}

# Each table's rows and each sequence's state, one line per relation.
# timer_recheck may differ: what it asks for is asked for again by a restore.
sub fingerprint
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, <<'SQL');
SELECT relname, query_to_xml(CASE relkind
    WHEN 'r' THEN format('SELECT md5(string_agg(t::text, ''|'''
        ' ORDER BY t::text COLLATE "C")) AS x, count(*) FROM pool.%I t',
        relname)
    ELSE format('SELECT last_value, is_called FROM pool.%I', relname)
    END, true, true, '')
FROM pg_class
WHERE relnamespace = 'pool'::regnamespace AND relkind IN ('r', 'S')
    AND relname <> 'timer_recheck'
ORDER BY relname
SQL
}

# ACLs and policies.
sub rights
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, <<'SQL');
SELECT c.relname, a.grantee::regrole::text, a.privilege_type
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'pool'::regnamespace
UNION ALL
SELECT p.oid::regprocedure::text, a.grantee::regrole::text, a.privilege_type
FROM pg_proc p, aclexplode(p.proacl) a
WHERE p.pronamespace = 'pool'::regnamespace
UNION ALL
SELECT 'schema', a.grantee::regrole::text, a.privilege_type
FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'pool'
UNION ALL
SELECT tablename, policyname, qual FROM pg_policies
UNION ALL
SELECT relname, 'row security', '' FROM pg_class WHERE relrowsecurity
ORDER BY 1, 2, 3
SQL
}

my $source = new_node('source');
$source->safe_psql('postgres', 'CREATE DATABASE crm');
$source->safe_psql('crm', <<'SQL');
CREATE ROLE sales;
CREATE ROLE boss;
CREATE ROLE ann LOGIN IN ROLE sales;
CREATE EXTENSION pool_ext;
INSERT INTO pool.tenant (name, timezone)
VALUES ('default', 'Asia/Shanghai'), ('other', 'Europe/Berlin');
INSERT INTO pool.calendar (day) VALUES ('2026-10-01');
-- children before their parents in the file, as restored rows may be
INSERT INTO pool.pool (id, name, parent_id, everyone, hold_limit, claim_limit)
VALUES (20, 'team', 21, false, 50, 40), (21, 'company', NULL, true, NULL, NULL);
SELECT setval('pool.pool_id_seq', 21);
INSERT INTO pool.pool (name, tenant_id)
SELECT 'theirs', id FROM pool.tenant WHERE name = 'other';
INSERT INTO pool.member (key, login, hold_limit)
VALUES ('ann', 'ann', 100), ('bob', NULL, NULL), ('cid', NULL, NULL);
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m WHERE p.name = 'team';
INSERT INTO pool.timer_rule (pool_id, name, basis, after, condition,
                             remind_before)
SELECT id, 'idle', 'follow_up', '3 days', '$.priority < 50', '{1 day}'
FROM pool.pool WHERE name = 'team';
SELECT pool.grant_access('sales', 'member'),
    pool.grant_access('boss', 'admin', 'other');
INSERT INTO pool.intake (pool, key, source, priority, attributes, identities)
SELECT 'team', 'k' || i, 'web', i % 3 * 10, jsonb_build_object('i', i),
    jsonb_build_object('phone', (13800000000 + i)::text)
FROM generate_series(1, 200) i;
INSERT INTO pool.intake (pool, key, created_at)
SELECT 'other/theirs', 't' || i, '2020-01-01' FROM generate_series(1, 10) i;
SELECT count(*) FROM pool.claim('team', 'ann', 30,
    request_id => '11111111-1111-1111-1111-111111111111');
SELECT count(*) FROM pool.claim('team', 'bob', 20);
SELECT count(*) FROM pool.lead_due d,
    pool.follow_up(d.lead_id, note => 'called', member => 'bob')
WHERE d.owner = 'bob';
SELECT count(*) FROM pool.lead_due d,
    pool.release(ARRAY[d.lead_id], member => 'bob') WHERE d.owner = 'bob';
SELECT count(*) FROM pool.lead l,
    pool.convert(l.id, 9.99, 'CNY', 'ann')
WHERE l.owner_id = (SELECT id FROM pool.member WHERE key = 'ann')
    AND l.id % 3 = 0;
SELECT count(*) FROM pool.archive(ARRAY[pool.lead_id('k199')], 'lost');
SELECT count(*) FROM pool.erase(ARRAY[pool.lead_id('k200')], 'asked for');
-- one who is in the pool no more, and one who has gone
DELETE FROM pool.membership
WHERE member_id = (SELECT id FROM pool.member WHERE key = 'bob');
UPDATE pool.member SET status = 'left' WHERE key = 'cid';
SELECT * FROM pool.tick();
SELECT pool.purge_events(now() - interval '4 days');
SQL

# A lead that is due, and a rule whose timers are still to be computed.
$source->safe_psql('crm', 'ALTER SYSTEM SET pool_ext.worker_enabled = off');
$source->reload;
ok($source->poll_query_until('crm',
		"SELECT state = 'disabled' FROM pool.stat_worker") &&
	$source->poll_query_until('crm', "SELECT count(*) = 0
		FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'"),
	'nobody works on what is dumped');
$source->safe_psql('crm', <<'SQL');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'at once', 'follow_up', '1 microsecond'
FROM pool.pool WHERE name = 'company';
SELECT * FROM pool.tick();
INSERT INTO pool.intake (pool, key) VALUES ('company', 'due');
SELECT * FROM pool.claim('company', 'ann');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'slow', 'ownership', '9 days' FROM pool.pool WHERE name = 'team';
SQL
is($source->safe_psql('crm', 'SELECT * FROM pool.verify()'), '', 'verify()');
is($source->safe_psql('crm', 'SELECT count(*) FROM pool.timer_recheck'), '1',
	'a recheck is pending');

my $rows = fingerprint($source, 'crm');
my $rights = rights($source, 'crm');
my $dir = $source->basedir;
$source->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/crm.custom", 'crm' ],
	'pg_dump, custom format');
$source->command_ok([ 'pg_dump', '-Fp', '-f', "$dir/crm.sql", 'crm' ],
	'pg_dump, plain');
$source->command_ok([ 'pg_dump', '-Fd', '-f', "$dir/crm.dir", 'crm' ],
	'pg_dump, directory');
$source->command_ok([ 'pg_dumpall', '-g', '-f', "$dir/globals.sql" ],
	'pg_dumpall, roles');

my $target = new_node('target');
# the role that made the cluster is there already
$target->psql('postgres', slurp_file("$dir/globals.sql"),
	on_error_stop => 0);

# A database of its own shows that the launcher goes its rounds.
$target->safe_psql('postgres', 'CREATE EXTENSION pool_ext;
	INSERT INTO pool.pool (name) VALUES (\'p\');
	SELECT pool.enter(\'p\', \'k\')');

# Until a worker has come and gone in another database, twice.
sub let_worker_look
{
	my ($node) = @_;
	foreach (1 .. 2)
	{
		my $now = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
		$node->poll_query_until('postgres',
			"SELECT last_tick > '$now' FROM pool.stat_worker")
		  or die 'no worker comes';
	}
	return;
}

sub check_copy
{
	my ($node, $db, $how) = @_;

	is(fingerprint($node, $db), $rows, "$how: rows and sequences");
	is(rights($node, $db), $rights, "$how: rights");
	is($node->safe_psql($db, 'SELECT * FROM pool.verify()'), '',
		"$how: verify()");
	let_worker_look($node);
	is($node->safe_psql($db,
			'SELECT state, active, backlog FROM pool.stat_worker'),
		'waiting for resume()|f|1', "$how: the worker waits");
	is(fingerprint($node, $db), $rows, "$how: nothing has changed");
	return;
}

sub live
{
	my ($node, $db, $how) = @_;

	# the caller who repeats his request gets the old answer
	is($node->safe_psql($db, "SELECT count(*) FROM pool.claim('team', 'ann',
			30, request_id => '11111111-1111-1111-1111-111111111111')"),
		'30', "$how: a request is answered as before");
	is($node->safe_psql($db, <<'SQL'), <<'OUT' =~ s/\n$//r, "$how: works");
INSERT INTO pool.tenant (name) VALUES ('new');
INSERT INTO pool.calendar (day) VALUES ('2026-10-02');
INSERT INTO pool.pool (name) VALUES ('new');
INSERT INTO pool.member (key) VALUES ('new');
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = 'new' AND m.key = 'new';
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'new', 'follow_up', '1 microsecond' FROM pool.pool
WHERE name = 'new';
SELECT outcome, member FROM pool.enter('team', 'other key',
    identities => '{"phone": "+86 138 0000 0007"}');
SELECT outcome, lead_id > 210 FROM pool.enter('new', 'new',
    identities => '{"phone": "13900000000"}');
SELECT outcome, key FROM pool.claim('new', 'new',
    request_id => '22222222-2222-2222-2222-222222222222');
SELECT task, done > 0 FROM pool.tick() WHERE task IN ('timers', 'recheck');
SELECT max(generation) FROM pool.event;
SELECT outcome, key FROM pool.claim('company', 'new');
SELECT * FROM pool.verify();
SQL
duplicate|
entered|t
claimed|new
recheck|t
timers|t
2
claimed|due
OUT
	is($node->safe_psql($db, "SET ROLE ann; SELECT count(*) FROM pool.lead_mine"),
		$source->safe_psql('crm',
			"SET ROLE ann; SELECT count(*) - 1 FROM pool.lead_mine"),
		"$how: a member's login works");
	is($node->safe_psql($db, "SET ROLE boss; SELECT name FROM pool.pool"),
		'theirs', "$how: an administrator of one tenant sees that one");
	is($node->safe_psql($db, 'SELECT state, active FROM pool.stat_worker'),
		'waiting for resume()|f', "$how: the worker waits beside work as well");
	return;
}

# A parallel restore knows nothing of the foreign keys among an extension's
# tables, so it needs them off.  What it switches on again at the end is not what
# was on; verify() tells.
append_to_file("$dir/triggers.sql", <<'SQL');
SELECT substring(message FROM ': (ALTER .*)') FROM pool.verify(1)
WHERE check_name = 'triggers' \gexec
SQL
my %ways = (
	custom => [ [ 'pg_restore', "$dir/crm.custom" ] ],
	parallel => [
		[ 'pg_restore', '--section=pre-data', "$dir/crm.dir" ],
		[
			'pg_restore', '--data-only', '--disable-triggers', '-j', '4',
			"$dir/crm.dir"
		],
		[ 'pg_restore', '--section=post-data', "$dir/crm.dir" ],
		[ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1',
			'-f', "$dir/triggers.sql" ] ],
	single => [ [ 'pg_restore', '--single-transaction', "$dir/crm.custom" ] ],
	plain => [
		[ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1',
			'-f', "$dir/crm.sql" ] ]);
foreach my $how (sort keys %ways)
{
	$target->safe_psql('postgres', "CREATE DATABASE $how");
	foreach my $command (@{ $ways{$how} })
	{
		$target->command_checks_all([ @$command, '-d', $how ], 0,
			[qr/^$/], [qr/^$/], "$how: restored without a word");
	}
	check_copy($target, $how, $how);
	live($target, $how, $how);
}

# Told to live, the copy lives: the worker takes back what is due.
$target->safe_psql('postgres', 'CREATE DATABASE resumed');
$target->command_ok([ 'pg_restore', '-d', 'resumed', "$dir/crm.custom" ],
	'resumed: restored');
is($target->safe_psql('resumed', 'SELECT pool.resume(), pool.resume()'),
	't|f', 'resume()');
ok($target->poll_query_until('resumed',
		"SELECT status = 'available' FROM pool.lead WHERE key = 'due'"),
	'resumed: the worker does its work');
ok($target->poll_query_until('resumed',
		'SELECT count(*) = 0 FROM pool.timer_recheck'),
	'resumed: timers are computed anew');
is($target->safe_psql('resumed', 'SELECT * FROM pool.verify()'), '',
	'resumed: verify()');

# The same cluster, another database: a copy, too.
$source->safe_psql('crm', 'ALTER SYSTEM RESET pool_ext.worker_enabled');
$source->safe_psql('postgres', 'CREATE DATABASE twin');
$source->command_ok([ 'pg_restore', '-d', 'twin', "$dir/crm.custom" ],
	'twin: restored');
is($source->safe_psql('twin', 'SELECT active FROM pool.stat_worker'), 'f',
	'twin: waits for resume()');
is($source->safe_psql('crm', 'SELECT active FROM pool.stat_worker'), 't',
	'the original does not');

# What would lose leads is refused by --clean, too.
$source->command_fails_like([ 'pg_restore', '--clean', '--exit-on-error',
		'-d', 'twin', "$dir/crm.custom" ],
	qr/while it has rows/, 'pg_restore --clean loses no leads');

foreach my $node ($source, $target)
{
	my $log = slurp_file($node->logfile);
	unlike($log, qr/(?:PANIC|TRAP|terminated by signal|leak)/,
		'nothing bad in the log of ' . $node->name);
	unlike($log, qr/of pool_ext in database|timers of pool/,
		'no worker met an error in ' . $node->name);
	$node->stop;
}
done_testing();
