# Tables of the application under management, on schemas like those of CordysCRM
# (customer: owner is a user's id or NULL, a flag says that it is in the pool)
# and of Odoo (crm_lead: user_id is an integer that only Odoo knows): after
# old-style writes, claims and releases at the same time each owner column says
# who owns the lead, names, attributes and phone numbers are the table's, and
# verify() finds nothing.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use lib dirname(abs_path(__FILE__));
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = size_of('ATTACH_ROWS', 20_000, 100_000);
my $seconds = size_of('ATTACH_SECONDS', 8, 60);
my $tenth = $rows / 10;
my $db = 'postgres';
my $node = new_server('attach', 'max_connections = 40');
$node->start;

$node->safe_psql($db, <<"SQL");
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('sea', true), ('odoo', true);
INSERT INTO pool.member (key, profile)
SELECT 'u' || i, jsonb_build_object('odoo_id', 1000 + i)
FROM generate_series(1, 20) i;
INSERT INTO pool.timer_rule (pool_id, name, basis, after)
SELECT id, 'long', 'ownership', '100 years' FROM pool.pool;
CREATE TABLE app_user (id varchar(32) PRIMARY KEY);
INSERT INTO app_user SELECT key FROM pool.member
UNION ALL VALUES ('gone'), ('anybody');
-- as Django makes them
CREATE TABLE customer (
    id varchar(32) PRIMARY KEY, name varchar(255) NOT NULL,
    owner varchar(32) REFERENCES app_user DEFERRABLE INITIALLY DEFERRED,
    in_shared_pool boolean NOT NULL,
    pool_id varchar(32), create_time bigint NOT NULL,
    organization_id varchar(32) NOT NULL);
CREATE INDEX ON customer (owner);
INSERT INTO customer
SELECT 'c' || i, 'Customer ' || i,
    CASE WHEN i % 3 = 0 THEN 'u' || 1 + i % 20 WHEN i % 1000 = 1 THEN 'gone' END,
    i % 3 <> 0, NULL, 1700000000000 + i, 'org'
FROM generate_series(1, $rows) i;
CREATE TABLE crm_lead (
    id serial PRIMARY KEY, name text NOT NULL, user_id integer,
    active boolean DEFAULT true, phone varchar, partner_name varchar,
    create_date timestamp, date_open timestamp);
INSERT INTO crm_lead (name, user_id, active, phone, partner_name, create_date)
SELECT 'Lead ' || i, CASE WHEN i % 4 = 0 THEN 1001 + i % 20 END, i % 10 <> 0,
    '+86138' || lpad(i::text, 8, '0'), 'Partner ' || i, '2026-01-01'
FROM generate_series(1, $rows) i;
SQL

# ----------------------------------------------------------------------------
# Adopting
# ----------------------------------------------------------------------------
my $cordys = q{'customer', 'sea', 'id', 'owner',
	columns => '{"name": "name", "created_at": "create_time"}',
	shared => 'in_shared_pool'};
my $odoo = q{'crm_lead', 'odoo', 'id', 'user_id',
	columns => '{"name": "name", "created_at": "create_date",
		"owned_at": "date_open", "attributes": ["partner_name"]}',
	identities => '{"phone": "phone"}', condition => '$.active == true',
	member_field => 'odoo_id', key_prefix => 'lead-'};

my %dry;
foreach my $arguments ($cordys, $odoo)
{
	$dry{$arguments} = $node->safe_psql($db,
		"SELECT * FROM pool.attach($arguments, dry_run => true)");
	is($node->safe_psql($db, 'SELECT count(*) FROM pool.lead'),
		0, 'a dry run leaves nothing');
}
foreach my $arguments ($cordys, $odoo)
{
	is($node->safe_psql($db, "SELECT * FROM pool.attach($arguments)"),
		$dry{$arguments}, 'what is done is what the dry run counted');
}
like($dry{$cordys}, qr/^unknown_owner\|gone\|\|\d+$/m,
	'unknown owners are reported');
like($dry{$odoo}, qr/^not_matching\|\|\|$tenth$/m,
	'so is what does not match');
is($node->safe_psql($db, q{SELECT count(*) FROM pool.event
		WHERE kind = 'assigned' AND detail -> 'estimated' = 'true'}),
	$node->safe_psql($db, q{SELECT (SELECT count(*) FROM customer
			WHERE owner ~ '^u') + (SELECT count(*) FROM crm_lead
			WHERE user_id IS NOT NULL AND active)}),
	'open spells are estimated, and say so');
verified($node, $db, 'adopted');

# ----------------------------------------------------------------------------
# Old code and pool_ext at the same time
# ----------------------------------------------------------------------------

# What others hold, what the pool refuses and what is gone is skipped, as an
# application would; anything else fails the client.
sub forgiving
{
	my ($body) = @_;
	return <<"SQL";
\\set few random(1, $rows / 50)
\\set many random(1, $rows)
\\set u random(1, 20)
SELECT set_config('t.few', :few::text, false), set_config('t.u', :u::text, false), set_config('t.many', :many::text, false);
DO \$\$
DECLARE
    few integer := current_setting('t.few')::integer;
    many integer := current_setting('t.many')::integer;
    u integer := current_setting('t.u')::integer;
BEGIN
    $body
EXCEPTION WHEN lock_not_available OR deadlock_detected
    OR object_not_in_prerequisite_state THEN NULL;
END \$\$;
SQL
}

my %scripts = (
	old_owner => forgiving(
		q{UPDATE customer SET owner = 'u' || u, in_shared_pool = false
		WHERE id = 'c' || few;}),
	old_claim => forgiving(
		q{PERFORM FROM customer WHERE id = 'c' || few FOR UPDATE;
		UPDATE customer SET owner = 'u' || u, in_shared_pool = false
		WHERE id = 'c' || few AND owner IS NULL;}),
	old_return => forgiving(
		q{UPDATE customer SET owner = NULL, in_shared_pool = true
		WHERE id IN ('c' || few, 'c' || few + 1);}),
	old_odoo => forgiving(
		q{UPDATE crm_lead SET user_id = 1000 + u WHERE id BETWEEN few AND few + 2;}),
	old_odoo_name => forgiving(
		q{UPDATE crm_lead SET name = 'new', active = true WHERE id = many;}),
	old_odoo_edit => forgiving(
		q{UPDATE crm_lead SET name = 'N' || random(), partner_name = 'P' || random(),
			phone = '+86139' || lpad(many::text, 8, '0')
		WHERE id BETWEEN few AND few + 1;}),
	old_edit => forgiving(
		q{UPDATE customer SET name = 'N' || random() WHERE id = 'c' || few;}),
	old_edit_and_owner => forgiving(
		q{UPDATE customer SET name = 'N' || random(), owner = 'u' || u,
			in_shared_pool = false WHERE id = 'c' || few;}),
	old_odoo_none => forgiving(
		q{UPDATE crm_lead SET user_id = NULL WHERE id = few;}),
	insert => forgiving(
		q{INSERT INTO crm_lead (name, user_id) VALUES ('New', 1000 + u), ('Too', NULL);}),
	delete => forgiving(q{DELETE FROM crm_lead WHERE id = many;}),
	claim => forgiving(q{PERFORM pool.claim('sea', 'u' || u);}),
	claim_leads => forgiving(
		q{PERFORM pool.claim_leads(ARRAY[pool.lead_id('c' || few),
			pool.lead_id('lead-' || few)], 'u' || u)
		WHERE pool.lead_id('c' || few) IS NOT NULL
			AND pool.lead_id('lead-' || few) IS NOT NULL;}),
	transfer => forgiving(
		q{PERFORM pool.transfer(ARRAY[pool.lead_id('c' || few)], 'u' || u)
		WHERE pool.lead_id('c' || few) IS NOT NULL;}),
	reclaim => forgiving(
		q{PERFORM pool.reclaim(ARRAY[pool.lead_id('lead-' || few)], 'test')
		WHERE pool.lead_id('lead-' || few) IS NOT NULL;}),
	convert => forgiving(
		q{PERFORM pool.convert(pool.lead_id('c' || many), member => 'u' || u)
		WHERE pool.lead_id('c' || many) IS NOT NULL;}));
my @files;
foreach my $name (sort keys %scripts)
{
	my $file = PostgreSQL::Test::Utils::tempdir . "/$name.sql";
	append_to_file($file, $scripts{$name});
	push @files, '-f', $file;
}
my ($stdout, $stderr) = ('', '');
my $ok = IPC::Run::run(
	[ 'pgbench', '-n', '-c', 8, '-T', $seconds, @files, $node->connstr($db) ],
	'>', \$stdout, '2>', \$stderr);
ok($ok, 'all clients work to the end');
unlike($stderr, qr/ERROR|FATAL|aborted/, 'none is told of an error')
  or diag($stderr);
my ($done) = $stdout =~ /transactions actually processed: (\d+)/;
note("$done transactions");

# Not by verify(), which the extension wrote: by hand.
is( $node->safe_psql(
		$db, q{
	SELECT count(*) FROM customer c
	JOIN pool.lead l ON l.key = c.id
	LEFT JOIN pool.member m ON m.id = CASE l.status WHEN 'converted'
		THEN l.last_owner_id ELSE l.owner_id END
	WHERE c.owner IS DISTINCT FROM m.key
		OR c.in_shared_pool <> (l.status = 'available')}),
	0,
	'customer: the owner column is the owner');
is( $node->safe_psql(
		$db, q{
	SELECT count(*) FROM crm_lead c
	JOIN pool.lead l ON l.key = 'lead-' || c.id
	LEFT JOIN pool.member m ON m.id = CASE l.status WHEN 'converted'
		THEN l.last_owner_id ELSE l.owner_id END
	WHERE c.user_id IS DISTINCT FROM (m.profile ->> 'odoo_id')::integer}),
	0,
	'crm_lead: the same, by an id of the application');
is( $node->safe_psql(
		$db, q{
	SELECT count(*) FROM customer c JOIN pool.lead l ON l.key = c.id
	WHERE l.name <> c.name}),
	0,
	'customer: leads are called what the table calls them');
is( $node->safe_psql(
		$db, q{
	SELECT count(*) FROM crm_lead c JOIN pool.lead l ON l.key = 'lead-' || c.id
	WHERE l.name <> c.name
		OR l.attributes ->> 'partner_name' IS DISTINCT FROM c.partner_name
		OR NOT EXISTS (SELECT FROM pool.identity i
			WHERE i.lead_id = l.id AND i.value = c.phone)
			AND c.phone IS NOT NULL AND NOT EXISTS (SELECT FROM pool.bypass b
			WHERE b.lead_id = l.id AND b.kind = 'duplicate')}),
	0,
	'crm_lead: likewise, attributes and phone numbers too');
is( $node->safe_psql(
		$db, q{
	SELECT count(*) FROM pool.lead l WHERE l.key ~ '^lead-'
		AND l.status IN ('available', 'owned') AND NOT EXISTS
		(SELECT FROM crm_lead c WHERE 'lead-' || c.id = l.key)}),
	0,
	'no lead is open whose row was deleted');
foreach my $kind (qw(edited claimed assigned transferred reclaimed archived))
{
	cmp_ok($node->safe_psql($db, "SELECT count(*) FROM pool.event
			WHERE kind = '$kind'"), '>', 0, "some leads were $kind");
}
verified($node, $db, 'after old and new code together');

# ----------------------------------------------------------------------------
# The worker writes to a table of which something is checked later
# ----------------------------------------------------------------------------
$node->safe_psql($db, q{
	CREATE FUNCTION look_later() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER look_later AFTER UPDATE ON customer
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.id = 'w')
	EXECUTE FUNCTION look_later();
	INSERT INTO customer VALUES ('w', 'Worker', 'u1', false, NULL, 0, 'org');
	INSERT INTO pool.timer_rule (pool_id, name, basis, after, condition)
	SELECT id, 'short', 'ownership', '1 millisecond', '$.key == "w"'
	FROM pool.pool WHERE name = 'sea'});
ok($node->poll_query_until($db,
		"SELECT owner IS NULL AND in_shared_pool FROM customer WHERE id = 'w'"),
	'the worker takes back a lead whose row is looked at later');

# ----------------------------------------------------------------------------
# A copy, and the end
# ----------------------------------------------------------------------------
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';
$node->safe_psql($db, 'CREATE DATABASE copy');
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr($db) ], 'pg_dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o',
		'/dev/null', '-f', $dump, $node->connstr('copy') ], 'restored');
verified($node, 'copy', 'a restored copy');
$node->safe_psql('copy', 'SELECT pool.resume()');
# the worker comes, and may hold the lead just then (55P03)
my $tries = 0;
while ($node->psql('copy', q{UPDATE customer SET owner = 'u1' WHERE id = 'c2'},
		stderr => \my $refused) != 0)
{
	die $refused if $refused !~ /could not obtain lock/ || ++$tries > 100;
	sleep 1;
}
is($node->safe_psql('copy', q{
		SELECT m.key FROM pool.lead l JOIN pool.member m ON m.id = l.owner_id
		WHERE l.key = 'c2'}), 'u1', 'the copy is attached as well');

my $before = $node->safe_psql($db, 'SELECT count(*) FROM pool.event');
$node->safe_psql($db, q{
	SELECT pool.detach('customer'); SELECT pool.detach('crm_lead');
	UPDATE customer SET owner = 'anybody' WHERE id = 'c1';
	TRUNCATE crm_lead; DROP TABLE crm_lead;});
is($node->safe_psql($db, 'SELECT count(*) FROM pool.event'),
	$before, 'a detached table is free');
verified($node, $db, 'detached');
$node->stop;
done_testing();
