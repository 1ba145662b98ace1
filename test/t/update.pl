# Updates: a database that comes from an older version is like a fresh one.
#
# Of every version that sql/update has a script of, and in principle: with a next
# version that this test makes up in a directory of its own, where the server
# can be told to look for extensions there.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use lib dirname(abs_path(__FILE__));
use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(dirname(dirname(abs_path(__FILE__))));
my ($now) = slurp_file("$root/pool_ext.control") =~
  /^default_version = '(.*)'$/m;
my $node = new_server('update', '');
$node->start;

# ---------------------------------------------------------------------
# The place
# ---------------------------------------------------------------------
my ($listed) = slurp_file("$root/Makefile") =~
  /^UPDATE_SCRIPTS =((?:.*\\\n)*.*)$/m;
my @listed = sort grep { $_ ne '\\' } split ' ', $listed;
is("@listed", join(' ', sort map { basename($_) } glob "$root/sql/update/*.sql"),
	'the Makefile lists what sql/update has');
my @older = split /\n/, $node->safe_psql('postgres', <<"SQL");
SELECT version FROM pg_available_extension_versions
WHERE name = 'pool_ext' AND version <> '$now' ORDER BY 1
SQL
is("@older", join(' ', sort grep { !/--/ } map { /^pool_ext--(.*)\.sql$/ } @listed),
	'each has been installed');

# ---------------------------------------------------------------------
# What a database with the extension is like
# ---------------------------------------------------------------------

# A line for each thing: all members of the extension and what hangs on them.
# Columns go by name: an update can only add them at the end.
my $description = <<'SQL';
WITH member AS (
    SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS name
    FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
        AND x.extname = 'pool_ext'),
relation AS (
    SELECT c.*, m.name AS member FROM member m JOIN pg_class c ON c.oid = m.objid
    WHERE m.classid = 'pg_class'::regclass)
SELECT m.name, 'member', NULL FROM member m
UNION ALL SELECT m.name, 'comment', obj_description(m.objid,
    (SELECT relname FROM pg_class c WHERE c.oid = m.classid)) FROM member m
UNION ALL SELECT m.name, 'function', CASE p.prokind WHEN 'a' THEN p.prosrc
        ELSE pg_get_functiondef(p.oid) END || coalesce(p.proacl::text, '')
    FROM member m JOIN pg_proc p ON p.oid = m.objid
    WHERE m.classid = 'pg_proc'::regclass
UNION ALL SELECT m.name, 'event trigger', concat_ws(' ', e.evtevent,
        e.evtfoid::regproc, e.evtenabled, e.evttags::text)
    FROM member m JOIN pg_event_trigger e ON e.oid = m.objid
    WHERE m.classid = 'pg_event_trigger'::regclass
UNION ALL SELECT r.member, 'relation', concat_ws(' ', r.relkind, r.relpersistence,
        r.reloptions::text, r.relacl::text, r.relrowsecurity,
        r.relforcerowsecurity, r.relreplident) FROM relation r
UNION ALL SELECT r.member, 'view', pg_get_viewdef(r.oid) FROM relation r
    WHERE r.relkind = 'v'
UNION ALL SELECT r.member, 'sequence', concat_ws(' ', s.seqtypid::regtype,
        s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
    FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
UNION ALL SELECT r.member, 'column ' || a.attname, concat_ws(' ',
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
        a.attgenerated, a.attstorage, a.attcompression, a.attacl::text,
        pg_get_expr(f.adbin, f.adrelid),
        col_description(r.oid, a.attnum))
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
        AND NOT a.attisdropped
    LEFT JOIN pg_attrdef f ON f.adrelid = r.oid AND f.adnum = a.attnum
UNION ALL SELECT r.member, 'constraint ' || c.conname,
        concat_ws(' ', pg_get_constraintdef(c.oid), c.convalidated,
        obj_description(c.oid, 'pg_constraint'))
    FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
UNION ALL SELECT r.member, 'index ' || i.indexrelid::regclass::text,
        concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
    FROM relation r JOIN pg_index i ON i.indrelid = r.oid
UNION ALL SELECT r.member, 'trigger ' || t.tgname,
        concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL SELECT r.member, 'policy ' || p.polname, concat_ws(' ', p.polcmd,
        p.polpermissive, p.polroles::regrole[]::text,
        pg_get_expr(p.polqual, r.oid), pg_get_expr(p.polwithcheck, r.oid))
    FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL SELECT r.member, 'rule ' || w.rulename, pg_get_ruledef(w.oid)
    FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND r.relkind <> 'v'
UNION ALL SELECT pg_describe_object('pg_class'::regclass, t.id, 0), 'dumped',
        t.condition
    FROM pg_extension x, unnest(x.extconfig, x.extcondition) t (id, condition)
    WHERE x.extname = 'pool_ext'
UNION ALL SELECT 'schema', 'rights', n.nspacl::text FROM pg_namespace n
    WHERE n.nspname = 'pool'
SQL

sub described
{
	my ($db) = @_;
	return [ split /\n/, $node->safe_psql($db,
			"SELECT translate(v::text, E'\\n', ' ') FROM ($description) v") ];
}

# What only one of the two has.
sub differences
{
	my ($one, $other) = @_;
	my %count;
	$count{$_}++ foreach @$one;
	$count{$_}-- foreach @$other;
	return [ grep { $count{$_} != 0 } sort keys %count ];
}

# A database in which an older version has been at work, and is updated.
sub updated
{
	my ($db, $from, $to, $options) = @_;
	local $ENV{PGOPTIONS} = $options // '';
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION pool_ext VERSION '$from'");
	$node->safe_psql($db, <<'SQL');
INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.member (key) VALUES ('ann');
SELECT pool.enter('p', 'k' || g) FROM generate_series(1, 20) g;
SELECT pool.claim('p', 'ann', 5);
SQL
	$node->safe_psql($db, "ALTER EXTENSION pool_ext UPDATE TO '$to'");
	is($node->safe_psql($db, "SELECT count(*) FILTER (WHERE status = 'owned'), "
			  . 'count(*) FROM pool.lead'), '5|20', "$db: the leads are there");
	is($node->safe_psql($db, "SELECT outcome FROM pool.claim('p', 'ann')"),
		'claimed', "$db: and claimed");
	verified($node, $db, $db);
	return described($db);
}

sub fresh
{
	my ($db, $version, $options) = @_;
	local $ENV{PGOPTIONS} = $options // '';
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION pool_ext VERSION '$version'");
	return described($db);
}

my $fresh = @older ? fresh('fresh', $now) : [];
foreach my $version (@older)
{
	(my $db = "from_$version") =~ tr/a-zA-Z0-9/_/cs;
	is_deeply(differences(updated(lc $db, $version, $now), $fresh), [],
		"a database from version $version is like a fresh one");
}

# ---------------------------------------------------------------------
# In principle
# ---------------------------------------------------------------------
sub write_file
{
	my ($name, $content) = @_;
	open my $file, '>', $name or die "$name: $!";
	print $file $content;
	close $file or die "$name: $!";
	return;
}

# Changes of each kind that an update makes, and what undoes the last ones.
my $changes = <<'SQL';
CREATE TABLE pool.made_up (id integer PRIMARY KEY, value text);
COMMENT ON COLUMN pool.made_up.value IS 'Made up.';
CREATE INDEX made_up_idx ON pool.made_up (value);
GRANT SELECT ON pool.made_up TO PUBLIC;
ALTER FUNCTION pool.current_member() COST 7;
DROP POLICY of_tenant ON pool.bypass;
DROP VIEW pool.gaming;
CREATE VIEW pool.gaming AS SELECT 1 AS one;
SELECT pg_catalog.pg_extension_config_dump('pool.made_up', '');
SQL
my @undoing = (
	'COMMENT ON COLUMN pool.made_up.value IS NULL',
	'DROP INDEX pool.made_up_idx',
	'REVOKE SELECT ON pool.made_up FROM PUBLIC',
	'ALTER FUNCTION pool.current_member() COST 8',
	'CREATE POLICY another ON pool.bypass USING (true)',
	'CREATE OR REPLACE VIEW pool.gaming AS SELECT 2 AS one',
	'ALTER EXTENSION pool_ext DROP TABLE pool.made_up');

SKIP:
{
	my $setting = $node->safe_psql('postgres', <<'SQL');
SELECT name FROM pg_settings
WHERE name IN ('extension_destdir', 'extension_control_path')
SQL
	skip 'this server looks for extensions in one place only', 1
	  if $setting eq '';
	my $share = $node->config_data('--sharedir');
	my $place = PostgreSQL::Test::Utils::tempdir() . $share;
	my $script = slurp_file("$share/extension/pool_ext--$now.sql");
	make_path("$place/extension");
	(my $control = slurp_file("$share/extension/pool_ext.control")) =~
	  s/^default_version = .*$/default_version = 'next'/m;
	write_file("$place/extension/pool_ext.control", $control);
	write_file("$place/extension/pool_ext--$now.sql", $script);
	write_file("$place/extension/pool_ext--next.sql",
		$script . $changes);
	write_file("$place/extension/pool_ext--$now--next.sql", $changes);
	my $value = $setting eq 'extension_destdir' ?
	  substr($place, 0, -length $share) : "$place:\$system";
	my $options = "-c $setting=$value";

	my $next = fresh('next', 'next', $options);
	cmp_ok(scalar(@$next), '>', 2000, 'a fresh one has many things');
	is_deeply(differences(updated('to_next', $now, 'next', $options), $next), [],
		'a database that was updated is like a fresh one');

	# An update that forgets one of the changes does not pass for one.
	my $different = 0;
	foreach my $undo (@undoing)
	{
		$node->safe_psql('to_next', $undo);
		my $before = $different;
		$different = @{ differences(described('to_next'), $next) };
		cmp_ok($different, '>', $before, "it is noticed: $undo");
	}
}

$node->stop;
done_testing();
