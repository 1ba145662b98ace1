# What calls cost where a plan could go wrong: counted in buffers touched, not
# in time.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('plans');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
max_prepared_transactions = 5
autovacuum = off
fsync = off
timezone = 'UTC'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.member (key) VALUES ('ann'), ('bob'), ('cho'), ('boss');
-- each claim a transaction
CREATE PROCEDURE claim_singly(pool text, n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		PERFORM pool.claim(pool, 'cho');
		COMMIT;
	END LOOP;
END $$;
SQL

sub new_pool
{
	my ($pool, $leads, $priority) = @_;
	$priority //= 0;
	$node->safe_psql('postgres', <<"SQL");
INSERT INTO pool.pool (name, everyone) VALUES ('$pool', true);
INSERT INTO pool.membership (pool_id, member_id, role)
SELECT p.id, m.id, 'manager' FROM pool.pool p, pool.member m
WHERE p.name = '$pool' AND m.key = 'boss';
INSERT INTO pool.intake (pool, key, priority)
SELECT '$pool', '$pool#' || g, $priority FROM generate_series(1, $leads) g
SQL
	return $pool;
}

sub session
{
	my $session = $node->background_psql($_[0] // 'postgres');
	$session->set_query_timer_restart;
	return $session;
}

sub claim
{
	my ($pool, $member, $n) = @_;
	return "SELECT coalesce(split_part(key, '#', 2), outcome) "
	  . "FROM pool.claim('$pool', '$member', " . ($n // 1) . ')';
}

# Buffers that a query touches when it is executed.
sub buffers
{
	my ($session, $query) = @_;
	my $plan = $session->query_safe(
		'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) '
		  . $query);
	my ($touched) = $plan =~ /^\s*Buffers: (.*)/m;
	my $n = 0;
	$n += $1 while ($touched // '') =~ /(?:hit|read)=(\d+)/g;
	return $n;
}

# The same of as many calls, sorted.
sub buffers_of_many
{
	my ($session, $query, $calls) = @_;
	my @touched = sort { $a <=> $b }
	  map { buffers($session, $query) } 1 .. $calls;
	note("of $calls: median $touched[$calls / 2], most $touched[-1]");
	return @touched;
}

# ----------------------------------------------------------------------------
# Room for new versions
# ----------------------------------------------------------------------------

# Versions that nobody sees any more make room for those of the next claims:
# these stay in their pages, and counters need no entries in indexes.
sub room_in_pages
{
	my $pool = new_pool('room', 3000);
	my $tables = "'pool.lead_state'::regclass, 'pool.membership_state'::regclass";
	my $pages = "SELECT sum(pg_relation_size(oid)) / 8192 FROM pg_class "
	  . "WHERE oid IN ($tables)";
	my $moved = 'SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables '
	  . "WHERE relid = 'pool.membership_state'::regclass";

	$node->safe_psql('postgres', "SELECT pool.claim('$pool', 'cho')");
	my $before = $node->safe_psql('postgres', $pages);
	my $cold = $node->safe_psql('postgres', $moved);
	$node->safe_psql('postgres', "CALL claim_singly('$pool', 2500)");
	cmp_ok($node->safe_psql('postgres', $pages) - $before,
		'<=', 1, '2500 claims take no pages');
	cmp_ok($node->safe_psql('postgres', $moved) - $cold,
		'<=', 25, 'nearly all counters are written in place');
	return;
}

# ----------------------------------------------------------------------------
# A claim under a snapshot that somebody holds
# ----------------------------------------------------------------------------

# Now and then a counter row moves to another page: not even then may its
# unique index look at the versions in all the pages it was in.  Nor may another
# session that comes to this member for the first time.
sub held_snapshot
{
	my $pool = new_pool('held', 6000);
	my ($old, $bob, $new) = (session(), session(), session());

	$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$old->query_safe('SELECT 1');
	$bob->query_safe("CALL claim_singly('$pool', 5000)");
	my @touched = buffers_of_many($bob, claim($pool, 'cho'), 200);
	cmp_ok($touched[-1], '<=', 40, 'each claim under a held snapshot');
	$new->query_safe(claim($pool, 'ann')) for 1 .. 2;
	cmp_ok(buffers($new, claim($pool, 'cho')),
		'<=', 40, 'the first claim of another session for this member');
	is($old->query_safe("SELECT count(*) FROM pool.lead "
			  . "WHERE owner_id IS NOT NULL AND key LIKE '$pool#%'"),
		'0', 'it was held');
	$_->quit foreach ($old, $bob, $new);
	return;
}

# ----------------------------------------------------------------------------
# Nothing left, but others hold some
# ----------------------------------------------------------------------------

# Is asked while others' transactions are open; claims around them are gone,
# and nobody can vacuum what they left.
sub dry
{
	my ($bob, $pool, $expected, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($bob->query_safe(claim($pool, 'bob')), $expected, "$what: $expected");
	# the first one has to walk, for all the others
	my @touched = buffers_of_many($bob, claim($pool, 'bob'), 5);
	cmp_ok($touched[-1], '<=', 40, "$what: few buffers");
	return;
}

sub dry_pool
{
	my $leads = 20_000;
	my $pool = new_pool('dry', $leads);
	my ($ann, $bob) = (session(), session());

	# the first one and some in the middle are held all the time
	$ann->query_safe('BEGIN');
	$ann->query_safe(claim($pool, 'ann'));
	my $middle = session();
	$bob->query_safe("CALL claim_singly('$pool', $leads / 2)");
	$middle->query_safe('BEGIN');
	$middle->query_safe("SELECT * FROM pool.archive((SELECT array_agg("
		  . "pool.lead_id('$pool#' || g)) FROM generate_series(15001, 15005) g)"
		  . ", 'lost', 'boss')");
	$bob->query_safe("CALL claim_singly('$pool', $leads / 2)");
	dry($bob, $pool, 'contended', 'claims and others held open');
	$ann->query_safe('ROLLBACK');
	is($bob->query_safe(claim($pool, 'bob')), '1', 'given back');
	dry($bob, $pool, 'contended', 'others held open');
	$middle->query_safe('COMMIT');
	dry($bob, $pool, 'empty', 'nothing held');

	# given but not committed
	$ann->query_safe('BEGIN');
	$ann->query_safe("INSERT INTO pool.intake (pool, key) "
		  . "SELECT '$pool', '$pool#x' || g FROM generate_series(1, 3000) g");
	dry($bob, $pool, 'empty', 'a load under way');
	$ann->query_safe('ROLLBACK');

	# held where the dead lie thickest, by one who is prepared
	$node->safe_psql('postgres', "SELECT * FROM pool.enter('$pool', "
		  . "'$pool#last', priority => 9)");
	$ann->query_safe('BEGIN');
	is($ann->query_safe(claim($pool, 'ann')), 'last', 'one more');
	$ann->query_safe("PREPARE TRANSACTION 'dry'");
	dry($bob, $pool, 'contended', 'a prepared claim');
	$ann->query_safe("ROLLBACK PREPARED 'dry'");
	is($bob->query_safe(claim($pool, 'bob')), 'last', 'taken back');
	dry($bob, $pool, 'empty', 'nothing prepared');

	# all but the first taken out by their ids: refills walk over them once
	$pool = new_pool('by id', $leads + 2);
	$bob->query_safe(claim($pool, 'bob'));
	$ann->query_safe('BEGIN');
	$ann->query_safe(claim($pool, 'ann'));
	$bob->query_safe("SELECT count(*) FROM pool.claim_leads(("
		  . "SELECT array_agg(pool.lead_id('$pool#' || g)) "
		  . "FROM generate_series($_ * 5000 + 3, $_ * 5000 + 5002) g), 'cho')")
	  foreach (0 .. 3);
	dry($bob, $pool, 'contended', 'claimed by their ids');
	$ann->query_safe('COMMIT');
	dry($bob, $pool, 'empty', 'all claimed by their ids');
	$_->quit foreach ($ann, $middle, $bob);
	return;
}

# Others' trouble is no trouble of this pool: another pool's, another
# database's, and what is only inserted.
sub others_trouble
{
	my $bob = session();
	my $ann = session();
	my $pool = 'by id';

	$node->safe_psql('postgres', 'CREATE DATABASE other');
	$node->safe_psql('other', 'CREATE EXTENSION pool_ext');
	my $other = $node->background_psql('other');
	$other->query_safe('BEGIN');
	$other->query_safe('UPDATE pool.lead_state SET id = id');
	dry($bob, $pool, 'empty', 'SQL on leads in another database');
	$ann->query_safe('BEGIN');
	$ann->query_safe(claim('held', 'ann'));
	dry($bob, $pool, 'empty', 'a claim in another pool');
	$ann->query_safe('ROLLBACK');
	$other->query_safe('ROLLBACK');
	$ann->query_safe('BEGIN');
	$ann->query_safe('INSERT INTO pool.lead_state '
		  . 'SELECT * FROM pool.lead_state WHERE false');
	dry($bob, $pool, 'empty', 'leads inserted by SQL');
	$ann->query_safe('ROLLBACK');
	$_->quit foreach ($ann, $bob, $other);
	return;
}

# ----------------------------------------------------------------------------
# A tick with nothing to do
# ----------------------------------------------------------------------------

sub idle_tick
{
	my $owned = 50_000;
	new_pool('owned', 0);
	$node->safe_psql('postgres', <<"SQL");
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'slow', 'follow_up', '30 days' FROM pool.pool WHERE name = 'owned';
INSERT INTO pool.intake (pool, key, owner)
SELECT 'owned', 'owned#' || g, (ARRAY['ann', 'bob', 'cho'])[1 + g % 3]
FROM generate_series(1, $owned) g;
SQL
	my $session = session();
	$session->query_safe('SELECT * FROM pool.tick()');
	is($session->query_safe("SELECT count(*) FROM pool.lead_state WHERE "
			  . 'owner_id IS NOT NULL AND check_at IS NOT NULL'),
		$owned, "$owned leads that timers watch");
	is($session->query_safe("SELECT sum(done) FROM pool.tick()"),
		'0', 'nothing is due');
	my @touched = buffers_of_many($session, 'SELECT * FROM pool.tick()', 5);
	cmp_ok($touched[-1], '<=', 10, 'a tick with nothing due');
	$session->quit;

	# a copy counts its transactions anew: folded events are older, all of them
	$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE postgres');
	$session = session('copy');
	$session->query_safe('SELECT pool.resume()');
	# its roll-ups come into its own generation, past nobody who is writing
	my $writer = session('copy');
	$writer->query_safe('BEGIN');
	$writer->query_safe("SELECT pool.enter('owned', 'owned#late')");
	is($session->query_safe("SELECT sum(done) FROM pool.tick()"),
		'0', 'nothing is left to fold in a copy');
	is($session->query_safe('SELECT generation FROM pool.rollup_state'),
		'2', 'its roll-ups are of its own generation');
	$writer->query_safe('COMMIT');
	$writer->quit;
	my $all = 'SELECT (SELECT sum(entered) FROM pool.stat_daily) = '
	  . "(SELECT count(*) FROM pool.event WHERE kind = 'entered')";
	is($session->query_safe($all), 't', 'a late event is counted');
	$session->query_safe('SELECT * FROM pool.tick()');
	is($session->query_safe($all), 't', 'and once');
	@touched = buffers_of_many($session, 'SELECT * FROM pool.tick()', 5);
	cmp_ok($touched[-1], '<=', 10, 'and in a copy of the database');
	$session->quit;
	return;
}

# ----------------------------------------------------------------------------
# Statistics of one tenant beside many
# ----------------------------------------------------------------------------

sub one_of_many
{
	$node->safe_psql('postgres', 'CREATE DATABASE many');
	$node->safe_psql('many', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION pool_ext;
CREATE ROLE one_reader;
INSERT INTO pool.tenant (name) SELECT 't' || i FROM generate_series(1, 50) i;
INSERT INTO pool.pool (tenant_id, name)
SELECT id, 'p' || i FROM pool.tenant, generate_series(1, 4) i;
INSERT INTO pool.member (tenant_id, key)
SELECT id, 'm' || i FROM pool.tenant, generate_series(1, 20) i;
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p JOIN pool.member m USING (tenant_id);
INSERT INTO pool.rollup_member
SELECT pool_id, member_id, current_date - d, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0,
	1, 10, 0
FROM pool.membership, generate_series(1, 20) d;
INSERT INTO pool.rollup_membership SELECT * FROM pool.rollup_membership_recount;
SELECT pool.grant_access('one_reader', 'reader', 't1');
VACUUM ANALYZE;
SQL
	my $session = session('many');
	$session->query_safe('SET ROLE one_reader');
	foreach my $view ('stat_member', 'stat_member_daily')
	{
		is($session->query_safe("SELECT sum(claimed) FROM pool.$view"),
			4 * 20 * 20, "$view of one tenant of fifty");
		my @touched = buffers_of_many($session, "TABLE pool.$view", 2);
		# all have 1,300 pages of figures
		cmp_ok($touched[-1], '<=', 800, "$view reads what is his");
	}
	$session->quit;
	return;
}

# ----------------------------------------------------------------------------
# Statistics of a long history
# ----------------------------------------------------------------------------

# Rows that the scans of a query return, and buffers that it touches.
sub cost
{
	my ($session, $query) = @_;
	my $plan = $session->query_safe(
		'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' . $query);
	my $rows = 0;
	$rows += $1 * $2
	  while $plan =~ /(?<!Bitmap Index )Scan .*\(actual rows=(\d+) loops=(\d+)\)/g;
	buffers($session, $query);
	return ($rows, buffers($session, $query));
}

# Statistics of the days from so long ago to so long ago.
sub add_days
{
	my ($first, $last) = @_;
	$node->safe_psql('long', <<"SQL");
INSERT INTO pool.rollup_day
SELECT p.id, current_date - d, 's' || s, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 1, 0, 0, 10, 0, 0
FROM pool.pool p, generate_series($first, $last) d, generate_series(1, 5) s;
INSERT INTO pool.rollup_member
SELECT pool_id, member_id, current_date - d, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0,
	10, 0
FROM pool.membership, generate_series($first, $last) d;
DELETE FROM pool.rollup_source;
INSERT INTO pool.rollup_source SELECT * FROM pool.rollup_source_recount;
DELETE FROM pool.rollup_membership;
INSERT INTO pool.rollup_membership SELECT * FROM pool.rollup_membership_recount;
DELETE FROM pool.rollup_pool;
INSERT INTO pool.rollup_pool SELECT * FROM pool.rollup_pool_recount;
SQL
	$node->safe_psql('long', 'VACUUM (FULL, ANALYZE)');
	return;
}

sub long_history
{
	my $last = 'WHERE day > current_date - 30';
	my %counted = (
		stat_pool => [ 'owned', 900 * 50 ],
		stat_source => [ 'spells', 900 * 50 ],
		stat_member => [ 'claimed', 900 * 50 ],
		"stat_daily $last" => [ 'claimed', 30 * 50 ]);
	my %short;

	$node->safe_psql('postgres', 'CREATE DATABASE long');
	$node->safe_psql('long', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name) SELECT 'p' || i FROM generate_series(1, 10) i;
INSERT INTO pool.member (key) SELECT 'm' || i FROM generate_series(1, 5) i;
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m;
SQL
	add_days(0, 29);
	my $session = session('long');
	$short{$_} = [ cost($session, "SELECT * FROM pool.$_") ]
	  foreach keys %counted;
	$session->quit;
	add_days(30, 899);
	$session = session('long');
	foreach my $view (sort keys %counted)
	{
		my ($figure, $sum) = @{ $counted{$view} };
		is($session->query_safe("SELECT sum($figure) FROM pool.$view"),
			$sum, "$view counts all its days");
		my ($rows, $buffers) = cost($session, "SELECT * FROM pool.$view");
		note("$view: $short{$view}[0] rows, $short{$view}[1] buffers of 30 days; "
			  . "$rows rows, $buffers buffers of 900");
		cmp_ok($rows, '<=', $short{$view}[0], "$view reads no more rows");
		cmp_ok($buffers, '<=', $short{$view}[1] + 30,
			"$view reads no more pages");
	}
	is($session->query_safe('SELECT sum(claimed_today) FROM pool.stat_pool'),
		50, 'stat_pool counts today');
	is($session->query_safe('SELECT min(owned_at_end), max(owned_at_end) '
			  . "FROM pool.stat_daily $last"),
		'4355|4500', 'stat_daily has the stock of all days before');
	$session->quit;
	return;
}

# ----------------------------------------------------------------------------
# Routing
# ----------------------------------------------------------------------------

sub new_routed_pool
{
	my ($pool, $strategy) = @_;
	$node->safe_psql('postgres', <<"SQL");
INSERT INTO pool.pool (name, duplicate_policy) VALUES ('$pool', 'link');
INSERT INTO pool.member (key) SELECT '$pool' || g FROM generate_series(1, 50) g;
INSERT INTO pool.membership (pool_id, member_id)
SELECT p.id, m.id FROM pool.pool p, pool.member m
WHERE p.name = '$pool' AND m.key ~ ('^' || p.name || '[0-9]+\$');
INSERT INTO pool.routing_rule (pool_id, name, strategy)
SELECT id, 'rule', '$strategy' FROM pool.pool WHERE name = '$pool';
SQL
	return $pool;
}

# Every entry leaves dead versions of the rows of the rule, which nobody can
# clear away before the transaction is over.
sub many_entries
{
	my $strategy = shift;
	my $pool = new_routed_pool("many_$strategy", $strategy);
	my $session = session();
	my $enter = "SELECT pool.enter('$pool', gen_random_uuid()::text)";

	$session->query_safe('BEGIN');
	$session->query_safe("$enter FROM generate_series(1, 60)");
	my @first = buffers_of_many($session, $enter, 20);
	$session->query_safe("$enter FROM generate_series(1, 3000)");
	my @last = buffers_of_many($session, $enter, 20);
	cmp_ok($last[10], '<=', $first[10] + 100,
		"single entries by $strategy in a long transaction");
	$session->query_safe('ROLLBACK');
	$session->quit;
	return;
}

# Whose a customer is is looked up once per lead, not per lead and member.
sub many_siblings
{
	my $pool = new_routed_pool('siblings', 'round_robin');
	my $session = session();

	$session->query_safe("UPDATE pool.routing_rule SET enabled = false");
	$session->query_safe(<<"SQL");
INSERT INTO pool.intake (pool, key, identities)
SELECT '$pool', 's#' || g, jsonb_build_object('wechat', 'siblings' || g / 2)
FROM generate_series(1, 400) g
SQL
	$session->query_safe("UPDATE pool.routing_rule SET enabled = true");
	my $n = buffers($session,
		"SELECT * FROM pool.auto_assign('$pool', 400)");
	note("$n buffers for 400 leads");
	cmp_ok($n, '<=', 400 * 90, 'auto_assign of customers with two leads');
	$session->quit;
	return;
}

# ----------------------------------------------------------------------------
# Attached tables
# ----------------------------------------------------------------------------

# Owners are named by a field of profiles: whose it is is looked up, however many
# members there are.
sub named_owners
{
	my $pool = new_pool('named', 0);
	my $session = session();
	my $claim = "SELECT outcome FROM pool.claim('$pool', 'named')";
	my $old_code = 'SELECT old_code()';

	$session->query_safe(<<"SQL");
INSERT INTO pool.member (key, profile) VALUES ('named', '{"no": 5000001}');
CREATE TABLE owned_by (id serial PRIMARY KEY, owner integer);
INSERT INTO owned_by (owner) SELECT NULL FROM generate_series(1, 100);
CREATE FUNCTION old_code() RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
	UPDATE owned_by SET owner = 5000001
	WHERE id = (SELECT min(id) FROM owned_by WHERE owner IS NULL);
END \$\$;
SELECT pool.attach('owned_by', '$pool', 'id', 'owner', member_field => 'no')
SQL
	my @few = map { (buffers_of_many($session, $_, 9))[4] } ($claim, $old_code);
	$session->query_safe(<<'SQL');
INSERT INTO pool.member (key, profile)
SELECT 'many' || g, jsonb_build_object('no', g) FROM generate_series(1, 20000) g
SQL
	my @many = map { (buffers_of_many($session, $_, 9))[4] } ($claim, $old_code);
	cmp_ok($many[0], '<=', $few[0] + 30, 'a claim among 20,000 named members');
	cmp_ok($many[1], '<=', $few[1] + 60, 'an owner that old code names');
	is($session->query_safe('SELECT count(*) FROM owned_by '
			  . 'WHERE owner = 5000001'), '36', 'all were written');
	$session->query_safe("SELECT pool.detach('owned_by')");
	$session->quit;
	return;
}

room_in_pages();
held_snapshot();
named_owners();
many_entries('round_robin');
many_entries('least_loaded');
many_siblings();
dry_pool();
others_trouble();
idle_tick();
one_of_many();
long_history();
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify()'),
	'', 'verify() finds nothing');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'no complaints in the log');
done_testing();
