# The background worker: that it works, what it survives, and that it is in
# nobody's way.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $worker = "backend_type = 'pool_ext worker'";

sub new_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%options);
	$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_naptime = '50ms'
log_min_messages = warning
timezone = 'UTC'
autovacuum = off
fsync = off
restart_after_crash = on
log_statement = none
CONF
	return $node;
}

# Two pools whose leads are due as soon as they are claimed.
sub install
{
	my ($node, $db) = @_;
	$node->safe_psql($db, <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('good', true), ('bad', true);
INSERT INTO pool.member (key) VALUES ('m');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'at once', 'follow_up', '1 microsecond' FROM pool.pool;
SQL
	return;
}

# Enters leads and claims them; the worker is to take them back.
sub neglect
{
	my ($node, $db, $pool, $n) = @_;
	$n //= 1;
	$node->safe_psql($db, <<"SQL");
INSERT INTO pool.intake (pool, key)
SELECT '$pool', gen_random_uuid()::text FROM generate_series(1, $n);
SELECT count(*) FROM pool.claim('$pool', 'm', $n);
SQL
	return;
}

sub is_reclaimed
{
	my ($node, $db, $pool, $what) = @_;
	ok($node->poll_query_until($db, <<"SQL"), $what);
SELECT count(*) = 0 FROM pool.lead l JOIN pool.pool p ON p.id = l.pool_id
WHERE p.name = '$pool' AND l.status = 'owned'
SQL
	return;
}

sub state_becomes
{
	my ($node, $db, $state) = @_;
	ok($node->poll_query_until($db,
			"SELECT state ~ '$state' FROM pool.stat_worker"),
		"state becomes $state in $db");
	return;
}

# How often the log has this, from an offset on.
sub count_in_log
{
	my ($node, $pattern, $offset) = @_;
	my $log = substr slurp_file($node->logfile), $offset // 0;
	my $n = () = $log =~ /$pattern/g;
	return $n;
}

# Until a worker is busy in the database.
sub at_work
{
	my ($node, $db) = @_;
	ok($node->poll_query_until('postgres',
			"SELECT count(*) > 0 FROM pg_stat_activity WHERE $worker
			 AND datname = '$db' AND state = 'active'"),
		"a worker is at work in $db");
	return;
}

sub quickly
{
	my ($node, $sql, $what) = @_;
	my $began = time;
	my $result = $node->psql('postgres', $sql, stderr => \my $stderr);
	is($result, 0, $what) or diag($stderr);
	cmp_ok(time - $began, '<', 5, "$what: without waiting for long");
	return;
}

my $node = new_node('worker', allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->start;

# ---------------------------------------------------------------------
# It works
# ---------------------------------------------------------------------
$node->safe_psql('postgres', 'CREATE DATABASE a');
$node->safe_psql('postgres', 'CREATE DATABASE b');
is($node->safe_psql('postgres',
		"SELECT count(*), max(datname) FROM pg_stat_activity
		 WHERE backend_type = 'pool_ext launcher'"),
	'1|', 'one launcher, connected to no database');

# All databases have been looked at; where there was no extension, the next
# look is far away, unless CREATE EXTENSION wakes the launcher.
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE $worker"),
	'nobody stays in databases without the extension');
install($node, 'a');
neglect($node, 'a', 'good', 10);
is_reclaimed($node, 'a', 'good', 'the worker reclaims what is neglected');
install($node, 'b');
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'in the other database, too');
$node->safe_psql('postgres', 'BEGIN; CREATE EXTENSION pool_ext; ROLLBACK');

# Somebody looks while it is being made, and finds none; when it is there, he
# comes again.
my $making = $node->background_psql('postgres');
$making->query_safe('BEGIN; CREATE EXTENSION pool_ext');
my $looks = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'";
my $looked = $node->safe_psql('a', $looks);
# which makes the launcher look everywhere
$node->safe_psql('b', 'CREATE EXTENSION pgrowlocks');
ok($node->poll_query_until('a', "SELECT ($looks) > $looked"),
	'a worker looks at what is not committed');
ok($node->poll_query_until('a',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE $worker
		 AND datname = 'postgres'"),
	'and goes');
$making->query_safe('COMMIT');
$making->quit;
$node->safe_psql('postgres', <<'SQL');
INSERT INTO pool.pool (name, everyone) VALUES ('good', true);
INSERT INTO pool.member (key) VALUES ('m');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'at once', 'follow_up', '1 microsecond' FROM pool.pool;
SQL
neglect($node, 'postgres', 'good');
is_reclaimed($node, 'postgres', 'good', 'committed, it is found at once');
$node->safe_psql('postgres',
	'SET pool_ext.allow_drop = on; DROP EXTENSION pool_ext');

is($node->safe_psql('a', 'SELECT backlog, oldest_due, errors, last_error,
		active, last_tick <= now(), duration_ms > 0 FROM pool.stat_worker'),
	'0||0||t|t|t', 'stat_worker says so');
ok($node->poll_query_until('a', "SELECT state = 'idle' FROM pool.stat_worker"),
	'between two runs it is idle');
ok($node->poll_query_until('a', 'SELECT count(*) = 0 FROM pool.event e
	CROSS JOIN pool.rollup_state r
	WHERE NOT pg_visible_in_snapshot(e.xid, r.snapshot)'),
	'events are folded');
is($node->safe_psql('a', 'SELECT * FROM pool.verify()'), '', 'verify()');

# What it is and as whom it acts.
is($node->safe_psql('a', "SELECT DISTINCT kind, actor_id, rule_id IS NULL
		FROM pool.event WHERE kind = 'reclaimed'"),
	'reclaimed||f', 'reclaimed by the rule, by nobody');

# Nobody but a superuser can make it.
$node->safe_psql('postgres',
	'CREATE ROLE nobody; GRANT CREATE ON DATABASE postgres TO nobody');
$node->psql('postgres', 'SET ROLE nobody; CREATE EXTENSION pool_ext',
	stderr => \my $refused);
like($refused, qr/permission denied to create extension "pool_ext"/,
	'CREATE EXTENSION is not for everybody');

# As whom it acts: triggers of the owner's run with his rights, no more.
$node->safe_psql('b', <<'SQL');
CREATE ROLE plain;
BEGIN;
SELECT format('ALTER TABLE %s OWNER TO plain', oid::regclass) FROM pg_class
WHERE relnamespace = 'pool'::regnamespace AND relkind IN ('r', 'v') \gexec
SELECT format('ALTER SEQUENCE %s OWNER TO plain', c.oid::regclass)
FROM pg_class c WHERE relnamespace = 'pool'::regnamespace AND relkind = 'S'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
	AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) \gexec
SELECT format('ALTER ROUTINE %s OWNER TO plain', oid::regprocedure)
FROM pg_proc WHERE pronamespace = 'pool'::regnamespace \gexec
ALTER SCHEMA pool OWNER TO plain;
COMMIT;
CREATE TABLE actor AS SELECT current_user AS name, '' AS attempt LIMIT 0;
GRANT INSERT ON actor TO plain;
CREATE FUNCTION note_actor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.actor VALUES (current_user, 'acted');
    BEGIN
        SET ROLE postgres;
        INSERT INTO public.actor VALUES (current_user, 'as another');
    EXCEPTION WHEN insufficient_privilege THEN
        INSERT INTO public.actor VALUES (current_user, 'refused');
    END;
    BEGIN
        SET CONSTRAINTS ALL DEFERRED;
        INSERT INTO public.bait VALUES (1);
    EXCEPTION WHEN insufficient_privilege THEN
        INSERT INTO public.actor VALUES (current_user, 'not for later');
    END;
    RETURN NULL;
END $$;
CREATE FUNCTION note_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.actor VALUES (current_user, 'later');
    RETURN NULL;
END $$;
CREATE TABLE bait (id integer);
GRANT INSERT ON bait TO plain;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON bait
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_later();
CREATE TRIGGER note_actor AFTER UPDATE ON pool.lead_state FOR EACH ROW
WHEN (new.status = 'available') EXECUTE FUNCTION note_actor();
SQL
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'the worker goes on for another owner');
is($node->safe_psql('b', 'SELECT DISTINCT * FROM actor ORDER BY 2'),
	"plain|acted\nplain|not for later\nplain|refused",
	'with his rights, and bound to them');
# what is put off to the end of the transaction stops no worker
$node->safe_psql('b', <<'SQL');
DROP TRIGGER note_actor ON pool.lead_state;
TRUNCATE actor;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON pool.event
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (new.kind = 'reclaimed') EXECUTE FUNCTION note_later();
SQL
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'deferred triggers run, and the worker, too');
is($node->safe_psql('b', 'SELECT DISTINCT * FROM actor'), 'plain|later',
	'with the rights of the owner');
$node->safe_psql('b', 'DROP TRIGGER later ON pool.event');

# ---------------------------------------------------------------------
# Errors stop nobody else
# ---------------------------------------------------------------------
my $offset = -s $node->logfile;
$node->safe_psql('a', <<'SQL');
ALTER TABLE pool.lead_state ADD CONSTRAINT cannot
CHECK (NOT (pool_id = 2 AND status = 'available' AND claims > 0)) NOT VALID;
SQL
neglect($node, 'a', 'bad');
neglect($node, 'a', 'good');
is_reclaimed($node, 'a', 'good', 'a pool that fails stops no other pool');
ok($node->poll_query_until('a', 'SELECT errors > 3 FROM pool.stat_worker'),
	'the errors are counted');
is($node->safe_psql('a', 'SELECT last_error FROM pool.stat_worker'),
	'timers of pool 2 failed (SQLSTATE 23514)', 'last_error names it');
is(count_in_log($node, 'timers of pool 2 failed', $offset), 1,
	'the log has it once');
is($node->safe_psql('a', 'SELECT backlog, oldest_due < now()
		FROM pool.stat_worker'), '1|t', 'the backlog shows it');
$node->safe_psql('a', 'ALTER TABLE pool.lead_state DROP CONSTRAINT cannot');
is_reclaimed($node, 'a', 'bad', 'mended, it goes on');

$offset = -s $node->logfile;
$node->safe_psql('a', 'ALTER TABLE pool.rollup_day
	ADD CONSTRAINT cannot CHECK ((\'Mr Secret \' || pool_id)::integer > 0)
	NOT VALID');
neglect($node, 'a', 'good');
is_reclaimed($node, 'a', 'good', 'a task that fails stops no other task');
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'nor another database');
my $errors = $node->safe_psql('a', 'SELECT errors FROM pool.stat_worker');
ok($node->poll_query_until('a',
		"SELECT errors > $errors + 3 FROM pool.stat_worker"),
	'its errors are counted');
like($node->safe_psql('a', 'SELECT last_error FROM pool.stat_worker'),
	qr/^task "rollup" of pool_ext in database "a" failed \(SQLSTATE 22P02\)$/,
	'last_error names it without data');
is(count_in_log($node, 'task "rollup"', $offset), 1, 'the log has it once');
is(count_in_log($node, 'Secret', $offset), 0, 'without data');
$node->safe_psql('a', 'ALTER TABLE pool.rollup_day DROP CONSTRAINT cannot');
is($node->safe_psql('a', 'SELECT * FROM pool.verify()'), '', 'verify()');

# A lock somebody holds is no error.
my $holder = $node->background_psql('a');
$holder->query_safe('BEGIN; LOCK TABLE pool.lead_state');
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE $worker
		 AND datname = 'a' AND wait_event_type = 'Lock'"),
	'the worker waits for a lock');
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'another database does not');
# what all processes have to take note of, it does while it waits
quickly($node, 'CREATE DATABASE passing', 'CREATE DATABASE beside one that waits');
quickly($node, 'DROP DATABASE passing', 'DROP DATABASE beside one that waits');

# ---------------------------------------------------------------------
# Somebody ends it
# ---------------------------------------------------------------------
ok($node->poll_query_until('postgres',
		"SELECT coalesce(bool_or(pg_terminate_backend(pid)), false)
		 FROM pg_stat_activity WHERE $worker AND datname = 'a'"),
	'a worker is terminated');
$holder->quit;
neglect($node, 'a', 'good');
is_reclaimed($node, 'a', 'good', 'another one comes');
my $launcher = $node->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity
	 WHERE backend_type = 'pool_ext launcher'");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity
		 WHERE backend_type = 'pool_ext launcher' AND pid <> $launcher"),
	'a terminated launcher comes again');
neglect($node, 'a', 'good');
is_reclaimed($node, 'a', 'good', 'and works');

# ---------------------------------------------------------------------
# Off and on
# ---------------------------------------------------------------------
$node->safe_psql('postgres', 'ALTER SYSTEM SET pool_ext.worker_enabled = off');
$node->reload;
state_becomes($node, 'a', 'disabled');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE $worker"),
	'nobody works');
neglect($node, 'a', 'good', 3);
is($node->safe_psql('a', 'SELECT backlog FROM pool.stat_worker'), '3',
	'the backlog grows');
is($node->safe_psql('a', "SELECT done FROM pool.tick() WHERE task = 'timers'"),
	'3', 'tick() does the same');
neglect($node, 'a', 'good', 3);
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_ext.worker_enabled');
$node->reload;
is_reclaimed($node, 'a', 'good', 'on again, it goes on');

# ---------------------------------------------------------------------
# It is in nobody's way
# ---------------------------------------------------------------------
foreach my $round (1 .. 3)
{
	neglect($node, 'a', 'good', 3000);
	at_work($node, 'a');
	quickly($node, 'CREATE DATABASE copy TEMPLATE a',
		"CREATE DATABASE from one at work ($round)");
	$node->safe_psql('copy', 'SELECT pool.resume()');
	neglect($node, 'copy', 'good', 3000);
	at_work($node, 'copy');
	quickly($node, 'ALTER DATABASE copy RENAME TO copied',
		"ALTER DATABASE RENAME at work ($round)");
	at_work($node, 'copied');
	quickly($node, 'DROP DATABASE copied', "DROP DATABASE at work ($round)");
}
is_reclaimed($node, 'a', 'good', 'and the work gets done');

# Whoever keeps it waiting in the midst of a batch sees how little it has: a
# batch of leads.  Nobody waits for it but who wants those, or their owner's
# counters; whoever wants others works.
$node->safe_psql('postgres', "ALTER SYSTEM SET pool_ext.$_")
  foreach ('worker_batch = 10', 'worker_enabled = off');
$node->reload;
state_becomes($node, 'a', 'disabled');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE $worker"),
	'nobody works');
$node->safe_psql('a', "INSERT INTO pool.member (key) VALUES ('n')");
my $before = $node->safe_psql('a', 'SELECT max(id) FROM pool.event');
neglect($node, 'a', 'good', 200);
$node->safe_psql('a', <<'SQL');
INSERT INTO pool.intake (pool, key)
SELECT 'good', 'free' || i FROM generate_series(1, 10) i;
SQL
my $owner = $node->background_psql('a');
$owner->query_safe("BEGIN; SELECT count(*) FROM pool.claim('good', 'm')");
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_ext.worker_enabled');
$node->reload;

# It waits for a second, again and again: what is asked meanwhile may find it
# between two batches.
sub seen_in_a_batch
{
	my ($ask) = @_;
	foreach (1 .. 20)
	{
		$node->poll_query_until('postgres',
			"SELECT count(*) > 0 FROM pg_stat_activity WHERE $worker
			 AND datname = 'a' AND wait_event_type = 'Lock'") or return 0;
		return 1 if $ask->();
	}
	return 0;
}
ok(seen_in_a_batch(sub {
	$node->safe_psql('a', <<'SQL') eq '10' }), 'it waits with a batch of leads');
SELECT 200 - count(*) FROM (SELECT FROM pool.lead_state
WHERE status = 'owned' FOR UPDATE SKIP LOCKED) s
SQL
is($node->safe_psql('a', <<'SQL'), '5', 'another member claims meanwhile');
SET lock_timeout = '10s';
SELECT count(*) FROM pool.claim('good', 'n', 5) WHERE outcome = 'claimed'
SQL
is($node->safe_psql('a', <<'SQL'), "taken|200",
SET lock_timeout = '10s';
SELECT outcome, count(*) FROM pool.claim_leads(ARRAY(SELECT l.id
    FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
    WHERE m.key = 'm'), 'n')
GROUP BY 1 ORDER BY 1
SQL
	'and whoever asks for leads of the batch waits for none');
ok(seen_in_a_batch(sub {
	$node->psql('a', "SET lock_timeout = '100ms'; ALTER EXTENSION pool_ext UPDATE",
		stderr => \my $said, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	return $said =~ /55P03/ }), 'an update of the extension waits for its end');
$owner->query_safe('COMMIT');
$owner->quit;
is_reclaimed($node, 'a', 'good', 'then it goes on');
is($node->safe_psql('a', <<"SQL"), '10', 'in batches of that size');
SELECT max(n) FROM (SELECT count(*) AS n FROM pool.event
WHERE id > $before AND kind = 'reclaimed' GROUP BY xid) b
SQL

# Between two batches it rests, as long as it worked, but no longer than 100 ms.
# The time between the changes of one batch is less than it worked.
$node->safe_psql('a', <<'SQL');
CREATE TABLE public.worked (pid int, xid xid8, at timestamptz, ms int);
CREATE FUNCTION public.work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.worked VALUES (pg_backend_pid(),
        pg_current_xact_id(), clock_timestamp(), TG_ARGV[0]::int);
    PERFORM pg_sleep(TG_ARGV[0]::int / 1000.0);
    RETURN new;
END $$;
SQL
foreach my $ms (6, 30)
{
	$node->safe_psql('a', <<"SQL");
CREATE TRIGGER work BEFORE UPDATE ON pool.lead_state FOR EACH ROW
WHEN (new.status = 'available' AND old.status = 'owned')
EXECUTE FUNCTION public.work($ms);
SQL
	neglect($node, 'a', 'good', 60);
	is_reclaimed($node, 'a', 'good', "$ms ms a lead");
	$node->safe_psql('a', 'DROP TRIGGER work ON pool.lead_state');
}
my $rests = <<'SQL';
WITH batch AS (
    SELECT ms, pid, min(at) AS began, max(at) AS ended
    FROM public.worked GROUP BY ms, pid, xid HAVING count(*) = 10),
rest AS (
    SELECT ms, ended - began AS worked,
        lead(began) OVER (PARTITION BY ms, pid ORDER BY began) - ended AS rested
    FROM batch)
SELECT count(*) > 2 AND bool_and(rested > least(worked, '99 ms')),
    min(rested) < min(worked)
FROM rest WHERE rested IS NOT NULL AND ms = 
SQL
is($node->safe_psql('a', "$rests 6"), 't|f', 'it rests as long as it worked');
is($node->safe_psql('a', "$rests 30"), 't|t', 'but not for long');
$node->safe_psql('a', 'DROP FUNCTION public.work; DROP TABLE public.worked');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_ext.worker_batch');
$node->reload;

# Templates and closed databases are left out; a long name is a name.
my $long = 'n' x 63;
$node->safe_psql('postgres', "CREATE DATABASE $long");
install($node, $long);
neglect($node, $long, 'good');
is_reclaimed($node, $long, 'good', 'a long name');
$node->safe_psql('postgres', "CREATE DATABASE model TEMPLATE $long");
$node->safe_psql('model', 'SELECT pool.resume()');
neglect($node, 'model', 'good');
$node->safe_psql('postgres', 'ALTER DATABASE model IS_TEMPLATE true');
my $closed_at = -s $node->logfile;
$node->safe_psql('postgres',
	"CREATE DATABASE closed TEMPLATE $long ALLOW_CONNECTIONS false");
# a worker that is there already may stay for its slice
$node->poll_query_until('postgres', "SELECT count(*) = 0
	FROM pg_stat_activity WHERE $worker AND datname IN ('model', 'closed')");
neglect($node, 'model', 'good');
foreach my $round (1 .. 3)
{
	neglect($node, $long, 'good');
	is_reclaimed($node, $long, 'good', 'a worker has been about');
}
is($node->safe_psql('model', 'SELECT backlog > 0 FROM pool.stat_worker'), 't',
	'a template is left out');
is(count_in_log($node, 'FATAL', $closed_at), 0, 'and a closed database');
$node->safe_psql('postgres', 'ALTER DATABASE model IS_TEMPLATE false');
is_reclaimed($node, 'model', 'good', 'no template any more');
$node->safe_psql('postgres', "DROP DATABASE $_") foreach ('closed', 'model', $long);

# A copied database is another one: it waits for resume().
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE a');
state_becomes($node, 'copy', 'waiting');
is($node->safe_psql('copy', 'SELECT active FROM pool.stat_worker'), 'f',
	'a copied database is not active');
neglect($node, 'copy', 'good');
is($node->safe_psql('copy', 'SELECT pool.resume()'), 't', 'resume()');
is_reclaimed($node, 'copy', 'good', 'resumed, it works');
quickly($node, 'DROP DATABASE copy', 'DROP DATABASE');

$offset = -s $node->logfile;
$node->safe_psql('b', 'SET pool_ext.allow_drop = on;
	BEGIN; DROP EXTENSION pool_ext; ROLLBACK');
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'a DROP EXTENSION rolled back');
$node->safe_psql('b', 'SET pool_ext.allow_drop = on; DROP EXTENSION pool_ext');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'b'"),
	'a DROP EXTENSION: the worker is gone');
install($node, 'b');
neglect($node, 'b', 'good');
is_reclaimed($node, 'b', 'good', 'and comes again with the extension');
my $update = $node->background_psql('b');
$update->query_safe('SET client_min_messages = error;
	BEGIN; ALTER EXTENSION pool_ext UPDATE');
neglect($node, 'b', 'good');
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE $worker
		 AND datname = 'b' AND wait_event_type = 'Lock'
		 AND wait_event = 'object'"),
	'while the extension is updated, the worker waits');
$update->query_safe('COMMIT');
$update->quit;
is_reclaimed($node, 'b', 'good', 'and goes on afterwards');
is(count_in_log($node, '(?:WARNING|ERROR|FATAL):', $offset), 0,
	'all that without a word in the log');

# ---------------------------------------------------------------------
# A standby, a promotion, a crash
# ---------------------------------------------------------------------
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('a', 'SELECT state FROM pool.stat_worker'), 'standby',
	'on a standby nothing runs');
is($standby->safe_psql('a', "SELECT count(*) FROM pg_stat_activity
		WHERE backend_type LIKE 'pool_ext%'"), '0', 'not even the launcher');
$standby->promote;
neglect($standby, 'a', 'good');
is_reclaimed($standby, 'a', 'good', 'after promotion it works');
$standby->stop;

$holder = $node->background_psql('a');
$holder->query_safe('BEGIN; LOCK TABLE pool.lead_state');
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE $worker
		 AND datname = 'a' AND wait_event_type = 'Lock'"),
	'a worker waits');
my $victim = $node->safe_psql('postgres',
	"SELECT max(pid) FROM pg_stat_activity WHERE $worker AND datname = 'a'");
SKIP:
{
	skip 'it has just left', 1 if $victim eq '';
	kill 'KILL', $victim;
	ok($node->poll_query_until('postgres', undef, ''),
		'the server is there again after a crash of a worker');
}
# this session has ended with the crash, or the lock would still be held
eval { $holder->quit };
neglect($node, 'a', 'good');
is_reclaimed($node, 'a', 'good', 'and so is the worker');
is($node->safe_psql('a', 'SELECT * FROM pool.verify()'), '', 'verify()');
$node->stop;

# ---------------------------------------------------------------------
# No room for workers
# ---------------------------------------------------------------------
my $full = new_node('full');
# one for the launcher of logical replication, one for ours
$full->append_conf('postgresql.conf', "max_worker_processes = 2\n");
$full->start;
install($full, 'postgres');
$full->wait_for_log(qr/could not start a worker of pool_ext/);
neglect($full, 'postgres', 'good');
is($full->safe_psql('postgres',
		"SELECT done FROM pool.tick() WHERE task = 'timers'"), '1',
	'without room for workers tick() works');
is(count_in_log($full, 'could not start a worker of pool_ext'), 1,
	'said once');
$full->stop;

# ---------------------------------------------------------------------
# More databases than workers look after
# ---------------------------------------------------------------------
my $many = new_node('many');
$many->append_conf('postgresql.conf', "pool_ext.worker_databases = 2\n");
$many->start;
install($many, 'postgres');
neglect($many, 'postgres', 'good');
is_reclaimed($many, 'postgres', 'good', 'the first is looked after');
$many->safe_psql('postgres', 'CREATE DATABASE second');
install($many, 'second');
neglect($many, 'second', 'good');
is_reclaimed($many, 'second', 'good', 'so is the second');
$many->safe_psql('postgres', 'CREATE DATABASE third');
install($many, 'third');
neglect($many, 'third', 'good');
$many->wait_for_log(qr/too many databases for the workers of pool_ext/);
foreach my $db ('postgres', 'second')
{
	neglect($many, $db, 'good');
	is_reclaimed($many, $db, 'good', "a third one does not stand before $db");
}
is($many->safe_psql('third',
		"SELECT done FROM pool.tick() WHERE task = 'timers'"), '1',
	'there tick() works');
neglect($many, 'third', 'good');
$many->safe_psql('postgres', 'DROP DATABASE second');
is_reclaimed($many, 'third', 'good', 'until there is room for it');
is(count_in_log($many, 'too many databases'), 1, 'said once');

# What fails there again and again keeps nothing waiting that falls due, however
# long the naptime is.
$many->safe_psql('postgres', "ALTER SYSTEM SET pool_ext.worker_naptime = '1min'");
$many->safe_psql('third', <<'SQL');
ALTER TABLE pool.lead_state ADD CONSTRAINT cannot
CHECK (NOT (pool_id = 2 AND status = 'available' AND claims > 0)) NOT VALID;
INSERT INTO pool.pool (name, everyone) VALUES ('later', true);
UPDATE pool.timer_rule SET after = '1 second' WHERE pool_id = 1;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'later', 'follow_up', '3 seconds' FROM pool.pool
WHERE name = 'later';
INSERT INTO pool.intake (pool, key)
VALUES ('bad', 'bad'), ('good', 'soon'), ('later', 'later');
SELECT * FROM pool.tick();
SQL
$many->reload;
$many->safe_psql('third', <<'SQL');
SELECT count(*) FROM pool.claim('bad', 'm');
SELECT count(*) FROM pool.claim('good', 'm');
SELECT count(*) FROM pool.claim('later', 'm');
SQL
is_reclaimed($many, 'third', 'later', 'beside what fails');
is($many->safe_psql('third', <<'SQL'), 't|t', 'others go at their time');
SELECT (SELECT bool_and(r.at - c.at < interval '6 seconds')
    FROM pool.event r JOIN pool.event c USING (lead_id)
    WHERE r.kind = 'reclaimed' AND c.kind = 'claimed' AND r.pool_id > 2),
    errors > 1 FROM pool.stat_worker
SQL
# Nor does it hold up what nobody decides on.
$many->safe_psql('third', <<'SQL');
INSERT INTO pool.pool (name, everyone) VALUES ('asked', true);
INSERT INTO pool.claim_rule (pool_id, name, approval)
SELECT id, 'ask', true FROM pool.pool WHERE name = 'asked';
INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)
SELECT id, 'undecided', 'escalate', 'approval', '2 seconds' FROM pool.pool
WHERE name = 'asked';
INSERT INTO pool.intake (pool, key) VALUES ('asked', 'asked');
SELECT pool.request_claim(pool.lead_id('asked'), NULL, 'm');
SQL
ok($many->poll_query_until('third',
		"SELECT count(*) = 1 FROM pool.event WHERE kind = 'escalated'"),
	'a request that nobody decides on is escalated');
is($many->safe_psql('third', <<'SQL'), 't', 'when its time has come');
SELECT e.at - a.created_at BETWEEN interval '2 seconds' AND interval '6 seconds'
FROM pool.event e, pool.approval a WHERE e.kind = 'escalated'
SQL
$many->stop;

# ---------------------------------------------------------------------
# Not preloaded
# ---------------------------------------------------------------------
my $late = new_node('late');
$late->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$late->start;
install($late, 'postgres');
neglect($late, 'postgres', 'good');
is($late->safe_psql('postgres',
		'SELECT state, backlog, active FROM pool.stat_worker'),
	'not preloaded|1|t', 'stat_worker says that it is not preloaded');
is($late->safe_psql('postgres',
		"SELECT done FROM pool.tick() WHERE task = 'timers'"), '1',
	'tick() works');
is($late->safe_psql('postgres', "SELECT last_tick BETWEEN now() -
		interval '1 hour' AND now(), done FROM pool.stat_worker"), 't|',
	'when it ran last, stat_worker knows by what it has written down');
$late->safe_psql('postgres', 'CREATE ROLE owner SUPERUSER LOGIN');
$late->safe_psql('postgres', 'CREATE DATABASE owned');
$late->safe_psql('owned', 'CREATE EXTENSION pool_ext;
	INSERT INTO pool.pool (name) VALUES (\'p\');
	SELECT pool.enter(\'p\', \'k\')', extra_params => [ '-U', 'owner' ]);

# Each in a session of its own, whose first command this is.
foreach my $command (
	'DROP EXTENSION pool_ext',
	'DROP EXTENSION pool_ext CASCADE',
	'DROP SCHEMA pool CASCADE',
	'DROP OWNED BY owner',
	'TRUNCATE pool.lead_state',
	'DROP TABLE pool.lead_state CASCADE')
{
	$late->psql('owned', $command, stderr => \my $stderr,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	like($stderr, $command =~ /TABLE/ ? qr/2BP01/ : qr/PO011/,
		"$command is refused without preloading");
}
$late->safe_psql('owned', 'ALTER EXTENSION pool_ext DROP TABLE pool.lead_state');
$late->psql('owned', 'DROP TABLE pool.lead_state CASCADE',
	stderr => \my $stderr, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($stderr, qr/PO011/, 'DROP TABLE outside the extension is refused, too');
foreach my $command (
	'ALTER SCHEMA pool RENAME TO sales',
	'CREATE TABLE more () INHERITS (pool.event)',
	'ALTER TABLE pool.event SET SCHEMA public')
{
	$late->psql('owned', $command, stderr => \$stderr,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	like($stderr, qr/55000/, "$command is refused without preloading");
}
is($late->safe_psql('owned', 'SELECT count(*) FROM pool.lead'), '1',
	'and the lead is there');
$late->stop;

done_testing();
