# A session that does the same things again and again keeps nothing of them:
# calls that succeed, fail, are rolled back, after changes of the configuration.
#
#   ROUNDS= (40, or 2,000 with FULL=1)
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('session', 'pool_ext.worker_enabled = off');
$node->start;
my $rounds = size_of('ROUNDS', 40, 2_000);
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('soon', true);
INSERT INTO pool.member (key) VALUES ('prompt'), ('second');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'slow', 'follow_up', '3 days' FROM pool.pool;
INSERT INTO pool.intake (pool, key)
SELECT 'soon', 'k' || i FROM generate_series(1, 9) i;
INSERT INTO pool.claim_rule (pool_id, name, condition)
SELECT id, 'any', '$.priority < 50' FROM pool.pool;
INSERT INTO pool.routing_rule (pool_id, position, name, strategy)
SELECT id, 1, 'turns', 'round_robin' FROM pool.pool;
CREATE FUNCTION kept(OUT context text, OUT bytes bigint) RETURNS SETOF record
LANGUAGE sql AS $$
    SELECT CASE WHEN name LIKE 'pool_ext%' THEN name ELSE coalesce(parent, '')
        END, sum(used_bytes)::bigint
    FROM pg_backend_memory_contexts
    WHERE (name LIKE 'pool_ext%' OR coalesce(parent, 'TopMemoryContext')
        IN ('TopMemoryContext', 'CacheMemoryContext'))
        AND name NOT IN ('index info', 'MessageContext', 'PortalContext')
        AND name NOT LIKE 'TupleSort%'
    GROUP BY 1
$$;
SQL
my $round = <<'SQL';
SELECT lead_id FROM pool.claim('soon', 'prompt', 2);
SELECT lead_id FROM pool.claim('soon', 'second', 1, '{"priority": 0}',
    gen_random_uuid());
SELECT outcome FROM pool.claim_leads(ARRAY[3, 4], 'second');
SELECT outcome FROM pool.follow_up(3, 'call', member => 'second');
SELECT 1 / 0 FROM pool.release(ARRAY[3, 4], member => 'second');
SELECT outcome FROM pool.claim('nowhere', 'prompt');
SELECT outcome FROM pool.explain_claim(5, 'prompt') e (outcome);
SELECT count(*) FROM pool.stat_pool;
SELECT count(*) FROM pool.stat_member;
SELECT count(*) FROM pool.lead_due;
BEGIN;
SELECT pool.act_as('prompt');
SELECT count(*) FROM pool.lead_mine;
SAVEPOINT s;
SELECT outcome FROM pool.release(ARRAY[1, 2, 5]);
UPDATE pool.pool SET hold_limit = 70;
SELECT outcome FROM pool.claim('soon', 'prompt');
ROLLBACK TO s;
COMMIT;
SELECT outcome FROM pool.edit(1, attributes => '{"a": 1}');
UPDATE pool.pool SET hold_limit = 70;
BEGIN;
SELECT outcome FROM pool.auto_assign('soon', 3);
SELECT outcome FROM pool.enter('soon', 'x', identities => '{"phone": "13900000001"}');
INSERT INTO pool.intake (pool, key) VALUES ('soon', 'y'), ('soon', 'z');
SELECT outcome FROM pool.archive(ARRAY[7], 'lost');
SELECT outcome FROM pool.merge(8, 9);
SELECT count(*) FROM pool.search('soon', '{}');
ROLLBACK;
SELECT outcome FROM pool.reclaim(ARRAY[1, 2, 3, 4, 5, 6]);
SELECT done FROM pool.tick();
SQL
# what grows once has its size; what is kept grows in both halves
my $measure = "INSERT INTO grown SELECT *, %d FROM kept();\n";
my $session = start_psql($node, 'postgres', join('',
	"\\set QUIET on\n\\o /dev/null\n", $round x 20,
	"CREATE TEMP TABLE grown (context text, bytes bigint, half int);\n",
	sprintf($measure, -1), 'DELETE FROM grown;', $round x 2,
	(map { ($_ ? $round x ($rounds / 2) : '', sprintf $measure, $_) } 0 .. 2),
	"\\o\nSELECT context, string_agg(bytes::text, ' ' ORDER BY half) FROM grown",
	' GROUP BY 1 HAVING min(bytes) FILTER (WHERE half = 1) > 256 + coalesce(',
	'min(bytes) FILTER (WHERE half = 0), 0) AND min(bytes) FILTER (WHERE ',
	"half = 2) > 256 + min(bytes) FILTER (WHERE half = 1);\n"), 'lasting');
my ($grown, $complaints) = finish_psql($session);
is($grown, '', 'a session keeps nothing of what it has done');
my %failed;
$failed{$_}++ foreach $complaints =~ /ERROR:\s+(.*)/g;
is(join(', ', sort keys %failed),
	'division by zero, pool "nowhere" does not exist',
	'in which two calls fail');
is($node->safe_psql('postgres', <<'SQL') > 0, 1, 'and others do their work');
SELECT count(*) / 100 FROM pool.event
SQL
verified($node, 'postgres', 'at the end');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC: |TRAP: |WARNING: .*leak/,
	'no complaints in the log');
diag("counted: $rounds rounds of 30 statements in one session");
done_testing();
