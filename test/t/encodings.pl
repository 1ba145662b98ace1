# Databases and clients in other encodings than UTF8: the extension's SQL is
# ASCII, so it can be created in all of them; Chinese goes in and out where the
# encoding has it, and where it has not, messages are English and calls that
# need it say so.

use strict;
use warnings;

use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

foreach my $file (sort glob('sql/install/*.sql'), 'pool_ext.control')
{
	my $n = 0;
	my @found =
	  map { ++$n; /[^\x00-\x7f]/ ? "line $n" : () } split /^/,
	  slurp_file($file);
	is_deeply(\@found, [], "$file is ASCII");
}

my $tempdir = PostgreSQL::Test::Utils::tempdir;
my $locale = chinese_locale();
my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(extra => [qw(--encoding=UTF8 --locale=C)]);
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
lc_messages = '$locale'
CONF
$node->start;

# Everything here and in the tests is bytes of UTF-8, unless it says so.
$ENV{PGCLIENTENCODING} = 'UTF8';

# What a statement prints in a database, its error with it.
sub say_in
{
	my ($database, $sql) = @_;
	my ($out, $err);
	$node->psql($database, $sql, stdout => \$out, stderr => \$err,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $out . $err;
}

sub create_in
{
	my ($encoding) = @_;
	$node->safe_psql('postgres',
		"CREATE DATABASE $encoding ENCODING '$encoding' TEMPLATE template0");
	is(say_in($encoding, <<'SQL'), "entered\nclaimed", "$encoding: a claim");
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('sales', true);
INSERT INTO pool.member (key) VALUES ('ann');
SELECT outcome FROM pool.enter('sales', 'k0',
    identities => '{"phone": "139 0013 8000"}');
SELECT outcome FROM pool.claim('sales', 'ann');
SQL
	return;
}

my $comment = "SELECT col_description('pool.stat_pool'::regclass, 1)";
my $refused = "SELECT pool.claim('sales', 'eve')";

create_in($_) foreach qw(utf8 euc_cn sql_ascii latin1);

# One customer is one however he is written, wherever that can be written.
foreach my $encoding (qw(utf8 euc_cn sql_ascii))
{
	is(say_in($encoding, <<'SQL'), <<'OUT' =~ s/\n\z//r, "$encoding: identities");
SELECT outcome FROM pool.enter('sales', 'i1',
    identities => '{"phone": "１３９　００１３－８０００"}');
SELECT outcome FROM pool.enter('sales', 'i2', identities =>
    '{"phone": "1３800138000转12", "company": "上海（科技）有限公司"}');
SELECT value FROM pool.identity ORDER BY value;
SQL
duplicate
entered
+8613800138000x12
+8613900138000
上海科技
OUT
}
like(
	say_in('sql_ascii', 'SET client_encoding = sql_ascii;'
		  . q{SELECT pool.enter('sales', 'i3', identities =>}
		  . qq{ '{"company": "\xd6\xd0"}')}),
	qr/: +22021: /,
	'SQL_ASCII: identities that are no UTF-8');

# ----------------------------------------------------------------------------
# Encodings with Chinese characters
# ----------------------------------------------------------------------------

foreach my $encoding (qw(utf8 euc_cn))
{
	is(say_in($encoding, <<'SQL'), <<'OUT' =~ s/\n\z//r, "$encoding: a name");
SELECT outcome FROM pool.enter('sales', 'k1', '上海科技公司',
    attributes => '{"city": "上海"}');
SELECT name, attributes FROM pool.search('sales', '{"city": "上海"}', '科技');
SELECT outcome FROM pool.claim('sales', 'ann',
    match => '{"city": "上海"}');
SELECT outcome FROM pool.release(ARRAY[pool.lead_id('k1')], '太远', member => 'ann');
SELECT DISTINCT reason FROM pool.history(pool.lead_id('k1')) WHERE reason IS NOT NULL;
SELECT check_name FROM pool.verify();
SQL
entered
上海科技公司|{"city": "上海"}
claimed
released
太远
OUT
	like(say_in($encoding, $refused), qr/PO002: 成员 "eve" 不存在/,
		"$encoding: a message");
	is(say_in($encoding, "SELECT pool.apply_comments('zh_CN'); $comment"),
		"\n公海（id）。", "$encoding: comments");
	say_in($encoding, "SELECT pool.apply_comments('en')");
	is(say_in($encoding, $comment), 'Pool (id).', "$encoding: and back");
}

# Clients in encodings that are no database's; iconv's words for them.
my %client = (GBK => 'GBK', GB18030 => 'GB18030', EUC_CN => 'GB2312');
foreach my $encoding (sort keys %client)
{
	local $ENV{PGCLIENTENCODING} = $encoding;
	my $text = say_in('utf8',
		"SELECT pool.apply_comments('zh_CN'); $comment; $refused");
	append_to_file("$tempdir/$encoding", $text);
	like(
		`iconv -f $client{$encoding} -t UTF-8 $tempdir/$encoding`,
		qr/\A\n公海（id）。.*PO002: 成员 "eve" 不存在/,
		"a client in $encoding");
	say_in('utf8', "SELECT pool.apply_comments('en')");
}

# ----------------------------------------------------------------------------
# Encodings without
# ----------------------------------------------------------------------------

like(say_in('latin1', $refused), qr/PO002: member "eve" does not exist/,
	'LATIN1: messages are English');
like(
	say_in('latin1', "SELECT pool.apply_comments('zh_CN')"),
	qr/22P05: comments in language "zh_CN" cannot be written.*"LATIN1"/,
	'comments are refused');
is(say_in('latin1', $comment), 'Pool (id).', 'and stay');
# UTF-8 is taken for bytes
like(say_in('sql_ascii', $refused), qr/PO002: member "eve" does not exist/,
	'SQL_ASCII: messages are English');
is(say_in('sql_ascii', "SELECT pool.apply_comments('zh_CN'); $comment"),
	"\n公海（id）。", 'SQL_ASCII: comments');

$node->stop;
done_testing();
