# Masked data that somebody was shown in a transaction that he undid: the
# tables forget it, the server's log does not.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
max_prepared_transactions = 2
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone, masked_attributes)
VALUES ('masked', true, '{phone}'), ('open', true, '{}');
INSERT INTO pool.member (key) VALUES ('ann');
INSERT INTO pool.intake (pool, key, attributes)
SELECT p, p || i, '{"phone": "13800138000"}'
FROM unnest('{masked,open}'::text[]) p, generate_series(1, 9) i;
SQL

# How many leads the log says were shown and undone by this.
sub shown
{
	my ($sql) = @_;
	my $before = -s $node->logfile;
	$node->psql('postgres', $sql);
	my $log = slurp_file($node->logfile, $before);
	unlike($log, qr/13800138000/, 'the log does not say what was shown');
	my $shown = 0;
	$shown += $1
	  while $log =~ /masked leads of pool 1 were shown to member 1 and the transaction was undone: (\d+)/g;
	return $shown;
}

my $reveal = "SELECT pool.reveal(pool.lead_id('masked1'), 'ann');";
my $claim = "SELECT pool.claim('masked', 'ann', 2);";
is(shown("BEGIN; $reveal ROLLBACK;"), 1, 'a reveal that is rolled back');
is(shown("BEGIN; $claim $reveal ROLLBACK;"), 2,
	'a claim that is rolled back; what one owns is not revealed');
is(shown("BEGIN; SAVEPOINT s; $claim ROLLBACK TO s; COMMIT;"),
	2, 'a savepoint that is rolled back');
is(shown("BEGIN; SAVEPOINT s; $claim RELEASE s; ROLLBACK;"),
	2, 'a savepoint that goes with its transaction');
is(shown("BEGIN; $claim SELECT 1 / 0;"), 2, 'an error');
is(shown("BEGIN; SELECT pool.claim('open', 'ann'); ROLLBACK;"),
	0, 'nothing is masked');
is(shown("BEGIN; SAVEPOINT s; $reveal RELEASE s; $claim COMMIT;"),
	0, 'what is kept is in the log of events');
is( $node->safe_psql(
		'postgres', "SELECT count(*) FROM pool.event WHERE kind = 'revealed'"),
	'1', 'where it counts once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pool.verify()'),
	'0', 'all is well');
$node->stop;
done_testing();
