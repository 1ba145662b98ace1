# A subscriber of logical replication that has the extension, too: it gets
# everything, finds all of it, and does not act on what it receives, until
# somebody says that it is to.
use strict;
use warnings FATAL => 'all';
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $soon = "pool_ext.worker_naptime = '50ms'";
my $publisher = new_server('publisher', $soon, allows_streaming => 'logical');
$publisher->start;
$publisher->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.member (key) VALUES ('m'), ('n');
INSERT INTO pool.intake (pool, key)
SELECT 'p', 'k' || i FROM generate_series(1, 20) i;
CREATE PUBLICATION everything FOR TABLES IN SCHEMA pool;
SQL
my $subscriber = new_server('subscriber', "$soon\npool_ext.node_id = 1");
$subscriber->start;
$subscriber->safe_psql('postgres', 'CREATE EXTENSION pool_ext');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION all_of_it CONNECTION '"
	  . ($publisher->connstr('postgres') =~ s/'/''/gr)
	  . "' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'all_of_it');

# what its heads had before is not all there is
my $claim = "SELECT count(*) FROM pool.claim('p', 'm', 5) WHERE lead_id > 0";
is($publisher->safe_psql('postgres', $claim), 5, 'the publisher works');
$publisher->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pool.release(ARRAY(SELECT id FROM pool.lead
    WHERE owner_id IS NOT NULL ORDER BY id LIMIT 2), member => 'm');
ALTER SYSTEM SET pool_ext.worker_enabled = off;
SELECT pg_reload_conf();
SQL
$publisher->poll_query_until('postgres', "SELECT count(*) = 0
	FROM pg_stat_activity WHERE backend_type = 'pool_ext worker'");
$publisher->safe_psql('postgres', <<'SQL');
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'soon', 'follow_up', '1 millisecond' FROM pool.pool;
SELECT count(*) FROM pool.claim('p', 'n', 4);
SQL
$publisher->wait_for_catchup('all_of_it');

my $contents = <<'SQL';
SELECT string_agg(concat_ws(' ', l.key, l.status, m.key), ', ' ORDER BY l.id)
FROM pool.lead l LEFT JOIN pool.member m ON m.id = l.owner_id
SQL
is($subscriber->safe_psql('postgres', $contents),
	$publisher->safe_psql('postgres', $contents), 'the leads are the same');
is($subscriber->safe_psql('postgres', <<'SQL'), 't', 'some are overdue');
SELECT count(*) > 0 FROM pool.lead_due WHERE due_at < now()
SQL
# long enough for many a worker
my $commits = $subscriber->safe_psql('postgres',
	'SELECT xact_commit + 30 FROM pg_stat_database
	WHERE datname = current_database()');
$subscriber->poll_query_until('postgres', "SELECT xact_commit > $commits
	FROM pg_stat_database WHERE datname = current_database()");
is($subscriber->safe_psql('postgres', <<'SQL'), 'waiting for resume()|f|0',
SELECT state, active, (SELECT count(*) FROM pool.event
    WHERE kind = 'reclaimed') FROM pool.stat_worker
SQL
	'the subscriber does not act on them');
is($subscriber->safe_psql('postgres', <<'SQL'), 'id_sequence',
SELECT DISTINCT check_name FROM pool.verify()
SQL
	'verify() names the sequences, which are not replicated');

# It takes over.
$publisher->stop;
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION all_of_it DISABLE');
is($subscriber->safe_psql('postgres', 'SELECT pool.resume()'), 't', 'resume()');
ok($subscriber->poll_query_until('postgres', <<'SQL'), 'it acts from then on');
SELECT count(*) > 2 FROM pool.event WHERE kind = 'reclaimed'
SQL
is($subscriber->safe_psql('postgres', <<'SQL'), 't', 'and hands out all there is');
WITH stock AS MATERIALIZED (SELECT count(*) AS n FROM pool.lead
    WHERE status = 'available'),
claimed AS MATERIALIZED (SELECT count(lead_id) AS n
    FROM pool.claim('p', 'm', 100))
SELECT stock.n = claimed.n AND stock.n > 5 FROM stock, claimed
SQL
is($subscriber->safe_psql('postgres', <<'SQL'), 't', 'under ids of its own');
SELECT count(*) = count(DISTINCT id) FROM pool.event
SQL
$subscriber->stop('immediate');
done_testing();
