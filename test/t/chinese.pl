# The server's messages in Chinese: none of the source is without a
# translation, and a session that wants Chinese gets it, with the SQLSTATEs
# and the values of the English messages.

use strict;
use warnings;

use PoolTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Everything is bytes of UTF-8, as the server sends it.
my $han = qr/[\xe4-\xe9][\x80-\xbf]{2}/;
my $tempdir = PostgreSQL::Test::Utils::tempdir;

# ----------------------------------------------------------------------------
# The catalog of messages
# ----------------------------------------------------------------------------

# Message and translation pairs of a .po file.
sub read_po
{
	my ($file) = @_;
	my (@pairs, $at);
	foreach my $line (split /\n/, slurp_file($file))
	{
		push @pairs, [ '', '' ] if $line =~ /^msgid /;
		$at = $1 eq 'id' ? 0 : 1 if $line =~ /^msg(id|str) /;
		$pairs[-1][$at] .= $1 if defined $at && $line =~ /"(.*)"$/;
	}
	shift @pairs;    # the header
	return @pairs;
}

# What the build would extract, written elsewhere.
my $make = 'make --no-print-directory -n -B po/pool_ext.pot 2>/dev/null';
my ($xgettext) = grep { /xgettext/ } `$make`;
chomp $xgettext;
is(system("$xgettext -o $tempdir/pool_ext.pot"), 0, 'messages of the source');
my @source = read_po("$tempdir/pool_ext.pot");
cmp_ok(scalar @source, '>', 400, 'there are many');
command_ok([ 'msgfmt', '-c', '-o', "$tempdir/zh_CN.mo", 'po/zh_CN.po' ],
	'formats of the translations fit');
my ($out, $err) =
  run_command([ 'msgcmp', 'po/zh_CN.po', "$tempdir/pool_ext.pot" ]);
is($err, '',
	'every message of the source is translated, and nothing else is');

my @translated = read_po('po/zh_CN.po');
is_deeply(
	[ map { $_->[0] } grep { $_->[1] !~ /$han|^SQLSTATE %s|^%s$/ }
		  @translated ],
	[], 'translations are Chinese');
is_deeply(
	[ map { $_->[0] }
		  grep { ($_->[0] =~ /\.$/) != ($_->[1] =~ /。$/) } @translated ],
	[],
	'sentences stay sentences');
my @lost = map { slurp_file($_) =~
	  /\berr(?:msg|detail|hint)\((?:[^;"]|"(?:[^"\\]|\\.)*")*?[IU]NT64_FORMAT/
	  ? $_ : () } glob('src/*.c');
is_deeply(\@lost, [], 'no message is cut in pieces by a macro');

# ----------------------------------------------------------------------------
# A server that speaks Chinese
# ----------------------------------------------------------------------------

my $locale = chinese_locale();
my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(extra => [qw(--encoding=UTF8 --locale=C)]);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_enabled = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name) VALUES ('sales');
INSERT INTO pool.member (key) VALUES ('ann');
CREATE ROLE nobody;
GRANT USAGE ON SCHEMA pool TO nobody;
GRANT EXECUTE ON FUNCTION pool.enter, pool.tick TO nobody;
SQL

# The error of a statement in a language, as SQLSTATE and texts.
sub error_in
{
	my ($lc_messages, $sql) = @_;
	my $err;
	$node->psql(
		'postgres', "\\set VERBOSITY verbose\n"
		  . "SET lc_messages = '$lc_messages';\n$sql",
		stderr => \$err);
	# psql's own words stay English
	my ($state, $message) = $err =~ /(?:ERROR|错误|WARNING|警告):  (\w+): (.*)$/m
	  or return { all => $err };
	my ($detail) = $err =~ /^(?:DETAIL|详细信息|描述):\s+(.*)$/m;
	my ($hint) = $err =~ /^(?:HINT|提示):\s+(.*)$/m;
	return {
		state => $state, message => $message, detail => $detail,
		hint => $hint, all => $err
	};
}

# Every statement fails; the three texts are Chinese.
sub speaks_chinese
{
	my ($sql, $state, $message, $detail, $hint) = @_;
	my $english = error_in('C', $sql);
	my $chinese = error_in($locale, $sql);
	is($english->{state}, $state, "$sql: SQLSTATE");
	unlike($english->{all}, qr/$han/, 'English stays English');
	is_deeply([ @$chinese{qw(state message detail hint)} ],
		[ $state, $message, $detail, $hint ], 'Chinese')
	  or diag($chinese->{all});
	return;
}

speaks_chinese("SELECT pool.claim('nowhere', 'ann')", 'PO001',
	'公海 "nowhere" 不存在', '查找的范围是租户 "default"。',
	'公海的名称见 pool.pool；别的租户的公海写成“租户/名称”。');
speaks_chinese("SELECT pool.claim('sales', 'eve')", 'PO002',
	'成员 "eve" 不存在', '查找的范围是租户 "default"。',
	'成员以 pool.member.key 指定；别的租户的成员写成“租户/key”。');
speaks_chinese("SELECT pool.claim('sales', 'ann')", 'PO003',
	'成员 "ann" 不属于公海 "sales"',
	'领取需要 role 为 member 或 manager 的成员关系。',
	'请 INSERT INTO pool.membership，或者让公海对所有人开放（everyone）。');
speaks_chinese("SET ROLE nobody; SELECT pool.enter('sales', 'k')", 'PO004',
	'只有成员和服务账号可以录入线索', '角色 "nobody" 两者都不是。',
	'请设置 pool.member.login，或者使用 pool.grant_access(role, \'service\')。');
speaks_chinese("SELECT pool.claim('sales', 'ann', 0)", '22023',
	'一次调用不能领取 0 条线索', 'n 必须在 1 到 10000 之间。',
	'只领一条时可以省略。');
speaks_chinese("SELECT pool.undo_run(9007199254740993)", '22023',
	'批次 9007199254740993 不存在', '调用者看不到这样的批次。',
	'pool.stat_run 列出各批次。');
# values in another order than in English
speaks_chinese(
	"INSERT INTO pool.timer_rule (pool_id, name, action, basis, after)"
	  . " VALUES (1, 'r', 'reclaim', 'entry', '1 day')",
	'22023',
	'计时规则不能在基准 "entry" 上执行 reclaim',
	'基准决定规则针对哪些线索。',
	'这样的线索没有归属人：可以移动、归档或上报，待预审的只能归档或上报。');
# texts that are chosen before they are reported
speaks_chinese("SELECT pool.enter('sales', 'k', attributes => '[]')", '22023',
	'attributes 必须是 JSON 对象',
	'给出的是 JSON 数组、字符串、数字、布尔值或 null。',
	'例如 {"industry": "SaaS", "staff": 50}。');
speaks_chinese("SELECT pool.claim('sales', 'ann', match => '[]')", '22023',
	'参数 "match" 的形式不对', '它不是对象。',
	'请给出一个对象，例如 {"industry": "retail", "city": ["a", "b"], '
	  . '"employees": {"from": 10, "to": 50}}。');
speaks_chinese(
	"COPY pool.intake (pool, key, owned_at) FROM STDIN;\n"
	  . "sales\tk\t2020-01-01\n\\.\n",
	'22023',
	'pool.intake 的列 "owned_at" 与同一行的其余内容矛盾',
	'没有写明是谁的持有期从那时开始。',
	'请写明归属人，或者让 owned_at 保留为 NULL。');
speaks_chinese("SELECT pool.apply_comments('tlh')", '22023',
	'没有语言 "tlh" 的注释', '每种语言是随扩展安装的一个文件。',
	'已有的是：en, zh_CN。');
like(error_in($locale, "COPY pool.intake (pool, key) FROM STDIN;\nno\tk\n\\.\n")
	  ->{all}, qr/intake 的第 1 行，key "k"/, 'the context too');
# the name of the column, and what core says, as far as it speaks Chinese
is(error_in($locale, "UPDATE pool.pool SET hold_limit = -1")->{detail},
	'列 "hold_limit" 为 -1。', 'what violates a constraint');

$node->stop;
done_testing();
