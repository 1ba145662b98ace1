# pool.apply_comments(): the comments on all objects of the extension in
# another language, and back; each has a translation, and none is left over.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Everything is bytes of UTF-8, as the server sends it.
my $tempdir = PostgreSQL::Test::Utils::tempdir;

# ----------------------------------------------------------------------------
# The catalog
# ----------------------------------------------------------------------------

my ($script) = glob('pool_ext--*.sql');
is(system("scripts/comments --pot $script >$tempdir/comments.pot"),
	0, 'comments of the script');
command_ok([ qw(msgfmt -c -o), "$tempdir/zh_CN.mo", 'sql/comments/zh_CN.po' ],
	'the catalog is one');
my ($out, $err) = run_command(
	[ 'msgcmp', 'sql/comments/zh_CN.po', "$tempdir/comments.pot" ]);
is($err, '', 'every comment is translated, and nothing else is');

# ----------------------------------------------------------------------------
# A database
# ----------------------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(extra => [qw(--encoding=UTF8 --locale=C)]);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
CONF
$node->start;

sub ask { return $node->safe_psql('postgres', $_[0]); }

sub error_of
{
	my ($sql) = @_;
	my $err;
	$node->psql('postgres', "\\set VERBOSITY verbose\n$sql", stderr => \$err);
	return $err;
}

# All comments on what belongs to the extension: object to text.
sub comments
{
	my %comments = split /\t|\n/, ask(<<'SQL');
SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid) || E'\t' ||
    translate(d.description, E'\n\t', '  ')
FROM pg_description d
WHERE pg_describe_object(d.classoid, d.objoid, d.objsubid) ~ '\mpool(\.|$|_)'
    AND pg_describe_object(d.classoid, d.objoid, d.objsubid) <>
        'extension pool_ext'
    OR d.classoid = 'pg_constraint'::regclass AND EXISTS (
        SELECT FROM pg_constraint c WHERE c.oid = d.objoid
            AND c.connamespace = 'pool'::regnamespace)
SQL
	return \%comments;
}

ask('CREATE EXTENSION pool_ext');
my $english = comments();
cmp_ok(scalar keys %$english, '>', 1700, 'there are many comments');
is( ask(<<'SQL'), '', 'whatever is shown to people has one');
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = 'pool'::regnamespace AND obj_description(p.oid) IS NULL
UNION ALL
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind IN ('r', 'v')
    AND obj_description(c.oid, 'pg_class') IS NULL
SQL

ask("SELECT pool.apply_comments('zh_CN')");
my $chinese = comments();
is_deeply([ sort keys %$chinese ], [ sort keys %$english ],
	'the same objects');
is_deeply([ grep { $chinese->{$_} eq $english->{$_} } sort keys %$chinese ],
	[], 'all texts are others');
is($chinese->{'table pool.lead_state'} // '',
	'线索：领取会改写的部分。只由库写入；请读 pool.lead。',
	'a table');
is( ask(
		"SELECT obj_description('pool.stat_pool'::regclass, 'pg_class'),"
		  . " col_description('pool.stat_pool'::regclass, 1)"),
	'每个公海的现状和今日。今日按公海的时区。|公海（id）。',
	'what BI tools read');
like(
	error_of("INSERT INTO pool.pool (name, hold_limit) VALUES ('x', -1)"),
	qr/23514.*HINT:  请给出 0 或更大的数，不限则用 NULL。/s,
	'hints of constraints');
# figures, outcomes and codes are the same
my %codes = map { $_ => join ' ', sort { $a cmp $b }
	  $english->{$_} =~ /\b(?:PO\d{3}|\d{5}|[0-9]{2}P[0-9]{2})\b/g }
  keys %$english;
is_deeply(
	[ grep { join(' ', sort { $a cmp $b } $chinese->{$_} =~
			/(?<![0-9A-Za-z])(?:PO\d{3}|\d{5}|[0-9]{2}P[0-9]{2})(?![0-9A-Za-z])/g)
		  ne $codes{$_} } sort keys %codes ],
	[],
	'the same SQLSTATEs');
my $words = qr/\b[a-z]+(?:_[a-z0-9]+)+\b/a;
my @words_missing;
foreach my $object (sort keys %$english)
{
	push @words_missing, map { "$object: $_" }
	  grep { index($chinese->{$object}, $_) < 0 }
	  $english->{$object} =~ /$words/g;
}
is_deeply(\@words_missing, [], 'the same outcomes and columns');

# ----------------------------------------------------------------------------
# Back, and what does not go
# ----------------------------------------------------------------------------

my ($dump) = run_command([ 'pg_dump', '-s', '-d', $node->connstr('postgres') ]);
like($dump, qr/CREATE EXTENSION IF NOT EXISTS pool_ext/, 'a dump');
unlike($dump, qr/COMMENT ON (?!EXTENSION|SCHEMA)/, 'has none of them');
ask("SELECT pool.apply_comments('en')");
is_deeply(comments(), $english, 'English again, to the letter');
ask("BEGIN; SELECT pool.apply_comments('zh_CN'); ROLLBACK;");
is_deeply(comments(), $english, 'in the transaction of the caller');

like(error_of("SELECT pool.apply_comments('$_')"),
	qr/ERROR:  22023: .*HINT:  Known are: en, zh_CN\.\n/s, "language '$_'")
  foreach '', 'tlh', '../en', 'EN', 'en.sql';
like(error_of('SELECT pool.apply_comments(NULL)'), qr/22004/, 'NULL');
like(
	error_of(
		"BEGIN READ ONLY; SELECT pool.apply_comments('zh_CN');"),
	qr/25006/, 'read-only');
ask('CREATE ROLE admin; GRANT USAGE ON SCHEMA pool TO admin;'
	  . ' GRANT EXECUTE ON FUNCTION pool.apply_comments TO admin;');
like(error_of("SET ROLE admin; SELECT pool.apply_comments('zh_CN')"),
	qr/42501/, 'somebody else');

# nobody's settings and objects get in the way
ask(<<'SQL');
CREATE SCHEMA trap;
CREATE DOMAIN trap.text AS integer;
CREATE DOMAIN trap.jsonb AS integer;
SET search_path = trap, pg_catalog;
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT pool.apply_comments('zh_CN');
SELECT pool.apply_comments('en');
SQL
is_deeply(comments(), $english, 'whatever the session has set');

$node->stop;
done_testing();
