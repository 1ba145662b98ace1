# Bytes of files are damaged: verify(4) says of which table or index, and looks
# at the others too.  (What rows say wrongly is in test/sql/verify.sql.)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('damage', <<'CONF');
pool_ext.worker_enabled = off
autovacuum = off
CONF
$node->start;
build_world($node, 'postgres');
$node->safe_psql('postgres', <<'SQL');
UPDATE pool.lead_data SET attributes = (SELECT jsonb_object_agg(i, md5(i::text))
    FROM generate_series(1, 500) i)
WHERE id = 7;
ALTER TABLE pool.member ALTER COLUMN profile SET STORAGE external;
UPDATE pool.member SET profile = jsonb_build_object('x', repeat('x', 5000))
WHERE key = 'm3';
SQL
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify(4)'),
	'', 'nothing is wrong at first');

my $failed;

# Overwrites a block of a relation, and asks.
sub damaged
{
	my ($relation, $bytes, $block) = @_;
	my $path = $node->data_dir . '/'
	  . $node->safe_psql('postgres',
		"CHECKPOINT; SELECT pg_relation_filepath($relation)");
	$node->stop;
	open my $file, '+<:raw', $path or die "$path: $!";
	seek $file, $block * 8192, 0;
	read $file, my $kept, length $bytes;
	seek $file, $block * 8192, 0;
	print $file $bytes;
	close $file;
	$node->start;
	my $found = $node->safe_psql('postgres', <<'SQL');
SELECT check_name, object, message FROM pool.verify(4)
WHERE check_name IN ('table_readable', 'index_complete')
SQL
	$failed //= $node->safe_psql('postgres', <<'SQL');
SELECT * FROM pool.verify(4) WHERE check_name = 'event_chain'
SQL
	$node->stop;
	open $file, '+<:raw', $path or die "$path: $!";
	seek $file, $block * 8192, 0;
	print $file $kept;
	close $file;
	$node->start;
	return $found;
}

is(damaged("'pool.event'", "\x55" x 8192, 1),
	'table_readable|table event|it could not be read: SQLSTATE XX001',
	'a block of a table');
is(damaged("'pool.lead_data_key_key'", "\x55" x 8192, 2),
	'index_complete|index lead_data_key_key|'
	  . 'it could not be read: SQLSTATE XX001',
	'a block of an index');
is($failed, 'event_chain|check|it could not be done: SQLSTATE XX001',
	'checks that read it say so');
is($node->safe_psql('postgres', 'SELECT * FROM pool.verify(4)'),
	'', 'mended by what was there before');
# last, since indexes forget what is not there
is( damaged("(SELECT reltoastrelid FROM pg_class
			WHERE oid = 'pool.member'::regclass)", "\0" x 8192, 0),
	'table_readable|table member|it could not be read: SQLSTATE XX001',
	'values out of line that are gone');
$node->stop;
done_testing();
