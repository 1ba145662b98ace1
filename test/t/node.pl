# The number of the server in ids: it may rise in the life of a lead, not fall,
# so that ids go on ordering its events; here and where the data is restored.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
fsync = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name) VALUES ('p');
INSERT INTO pool.member (key) VALUES ('ann'), ('bob');
INSERT INTO pool.membership (pool_id, member_id)
    SELECT p.id, m.id FROM pool.pool p, pool.member m;
INSERT INTO pool.intake (pool, key) SELECT 'p', 'k' || i
    FROM generate_series(1, 4) i;
SQL

sub number
{
	my ($number) = @_;
	$node->append_conf('postgresql.conf', "pool_ext.node_id = $number");
	$node->restart;
	return;
}

sub kinds
{
	my ($db) = @_;
	return $node->safe_psql($db, 'SELECT string_agg(kind, $$ $$) '
		  . "FROM pool.history(pool.lead_id('k1'))");
}

my $nodes = 'SELECT string_agg((id >> 43)::text, $$ $$ ORDER BY id) '
  . "FROM pool.event WHERE lead_id = pool.lead_id('k1')";

sub give_back
{
	my ($db) = @_;
	my ($stdout, $stderr);
	$node->psql($db, "SELECT outcome FROM pool.release("
		  . "ARRAY[pool.lead_id('k1')], member => 'ann')",
		stdout => \$stdout, stderr => \$stderr);
	return "$stdout$stderr";
}

my $claim = "SELECT outcome FROM pool.claim_leads("
  . "ARRAY[pool.lead_id('k1')], 'ann')";
is($node->safe_psql('postgres', $claim), 'claimed', 'claimed by server 0');
number(5);
is(give_back('postgres'), 'released', 'released by server 5');
is($node->safe_psql('postgres', $claim), 'claimed', 'claimed by server 5');
is($node->safe_psql('postgres', $nodes), '0 0 5 5', 'ids carry the number');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT id & (1::bigint << 43) - 1)'
	  . " = count(*) FROM pool.event"), 't', 'and go on counting');

number(2);
my $refused = give_back('postgres');
like($refused, qr/ERROR:  pool_ext.node_id is 2, but has been 5 here/,
	'a lower number is refused');
like($refused, qr/DETAIL: .*\nHINT: .* to 5, or to a higher/,
	'and the remedy is said');
is($node->safe_psql('postgres', "SELECT status FROM pool.lead "
	  . "WHERE key = 'k1'"), 'owned', 'nothing has happened');

# the dump knows of it
my $dump = $node->basedir . '/dump.sql';
$node->command_ok(['pg_dump', '-f', $dump, $node->connstr('postgres')],
	'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		$node->connstr('copy')], 'restored');
like(give_back('copy'), qr/node_id is 2, but has been 5/,
	'refused where it was restored');
number(7);
is(give_back('copy'), 'released', 'a higher number goes on there');
is($node->safe_psql('copy', $nodes), '0 0 5 5 7', 'with its own ids');

# several sessions at once raise it once
my $script = $node->basedir . '/claim.sql';
append_to_file($script, <<'SQL');
SELECT * FROM pool.claim('p', 'bob');
SELECT pool.release(ARRAY(SELECT id FROM pool.lead WHERE owner_id =
    (SELECT id FROM pool.member WHERE key = 'bob')), member => 'bob');
SQL
$node->command_ok(['pgbench', '-n', '-c', 4, '-t', 20, '-f', $script,
		$node->connstr('postgres')], 'traffic');
is($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT '
	  . 'id & (1::bigint << 43) - 1) FROM pool.event'), '0', 'no number twice');
is(kinds('copy'), 'entered claimed released claimed released',
	'history is in order');
is($node->safe_psql($_, 'SELECT * FROM pool.verify()'), '', "$_ is sound")
  for qw(postgres copy);

done_testing();
