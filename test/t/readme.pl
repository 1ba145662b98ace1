# What the documents say is so: every SQL block of README.md and of docs runs and
# shows what stands below it, with and without the library preloaded; the names,
# arguments, outcomes, defaults and error codes in the tables of the README exist;
# what is in Chinese is the same document; references lead somewhere.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(abs_path(__FILE__)) . '/../..';
my $readme = slurp_file("$root/README.md");
my $chinese = slurp_file("$root/README.zh-CN.md");

# Documents that run in a database of their own, and what is there before they begin:
# verify.md mends what somebody else has damaged.
my %before = (
	adopt => '',
	operating => '',
	rules => '',
	tutorial => '',
	verify => <<'SQL');
CREATE EXTENSION pool_ext;
INSERT INTO pool.pool (name, everyone) VALUES ('p', true);
INSERT INTO pool.member (key) VALUES ('ann');
SELECT pool.enter('p', 'k1', owner => 'ann');
UPDATE pool.membership_state SET held = 7;
SQL
my %executed;	# the SQL blocks that have run, by their text

# The fenced blocks of a document: [language, text, first line].
sub blocks
{
	my ($text) = @_;
	my @found;

	while ($text =~ /^```(\w+)\n(.*?)^```$/msg)
	{
		my ($language, $block) = ($1, $2);
		my $line = 1 + (substr($text, 0, $-[2]) =~ tr/\n//);
		push @found, [ $language, $block, $line ];
	}
	return @found;
}

# Without blanks at the ends of lines and empty lines at the end.
sub trimmed
{
	my ($text) = @_;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n+\z//;
	return $text;
}

# The rows of the table below a heading, as lists of cells.
sub table_below
{
	my ($text, $heading) = @_;
	my ($section) = $text =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
	my @rows = map { [ map { s/^\s+|\s+$//gr } split /\|/ ] }
	  map { s/^\| | \|$//gr } $section =~ /^(\| .*\|)$/mg;

	# the head and the line below it
	return @rows[ 2 .. $#rows ];
}

sub code_spans
{
	my ($text) = @_;

	$text =~ s/^```.*?^```$//msg;
	return $text =~ /`([^`\n]+)`/g;
}

# ----------------------------------------------------------------------------
# The blocks of a document run, in one session of a database of their own and in
# their order
# ----------------------------------------------------------------------------
sub run_blocks
{
	my ($node, $name, $database, $document) = @_;
	my @blocks = grep { $_->[0] ne 'sh' && $_->[0] ne 'ini' }
	  blocks($document);
	my ($script, @lines, %shown, %sql) = ('');

	foreach my $block (@blocks)
	{
		my ($language, $text, $line) = @$block;
		if ($language eq 'sql')
		{
			push @lines, $line;
			$sql{$line} = $text;
			$script .= "\\echo block $line\n$text";
		}
		else
		{
			$shown{ $lines[-1] } = $text;
		}
	}

	my ($stdout, $stderr);
	my $status = $node->psql($database, $script, stdout => \$stdout,
		stderr => \$stderr, on_error_stop => 1,
		extra_params => [ '-P', 'format=aligned', '-P', 'tuples_only=off' ]);
	is($status, 0, "$name: no block fails");
	is($stderr, '', "$name: nothing is said to be wrong");

	my %results = "$stdout\n" =~ /^block (\d+)\n(.*?)(?=^block \d+\n|\z)/msg;
	if ($status == 0)
	{
		$executed{ $sql{$_} } = 1 foreach grep { exists $results{$_} } @lines;
	}
	foreach my $line (@lines)
	{
		is(trimmed($results{$line} // 'did not run'), trimmed($shown{$line}),
			"$name: what the block at line $line shows")
		  if defined $shown{$line};
	}
	is($node->safe_psql($database, 'SELECT * FROM pool.verify()'),
		'', "$name: verify() finds nothing");
}

sub run_documents
{
	my ($node, $name) = @_;

	run_blocks($node, $name, 'postgres', $readme);

	# What is due is shared between a tick of the worker and one called beside
	# it; these documents show what their own does.
	if ($name eq 'preloaded')
	{
		$node->append_conf('postgresql.conf', 'pool_ext.worker_enabled = off');
		$node->restart;
	}
	foreach my $document (sort keys %before)
	{
		$node->safe_psql('postgres', "CREATE DATABASE $document");
		$node->safe_psql($document, $before{$document}) if $before{$document};
		run_blocks($node, "$name, $document", $document,
			slurp_file("$root/docs/$document.md"));
	}
}

# The worker comes often, to find out whether it takes part after all.
my $node = PostgreSQL::Test::Cluster->new('preloaded');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_ext'
pool_ext.worker_naptime = '50ms'
timezone = 'America/New_York'
autovacuum = off
CONF
$node->start;
run_documents($node, 'preloaded');
$node->adjust_conf('postgresql.conf', 'pool_ext.worker_naptime', undef);
$node->adjust_conf('postgresql.conf', 'pool_ext.worker_enabled', undef);
$node->restart;

my $plain = PostgreSQL::Test::Cluster->new('not_preloaded');
$plain->init;
$plain->append_conf('postgresql.conf', 'autovacuum = off');
$plain->start;
run_documents($plain, 'not preloaded');
$plain->stop;

# ----------------------------------------------------------------------------
# No SQL block of any document is left out; docs/reference.md shows how functions
# are called, which is compared with the catalog below
# ----------------------------------------------------------------------------
foreach my $file (map { glob "$root/$_/*.md" } '.', qw(docs src examples/*))
{
	my $text = slurp_file($file);
	my $name = $file =~ s/^\Q$root\E\/(\.\/)?//r;
	my @lost = map { "line $_->[2]" }
	  grep { $_->[0] =~ /sql/i && !$executed{ $_->[1] } } blocks($text);
	is("@lost", '', "all SQL of $name has run")
	  unless $name eq 'docs/reference.md';
	# else it is not known where a block ends
	is(scalar(() = $text =~ /^ *(?:```|~~~)/mg),
		2 * scalar(() = blocks($text)), "blocks of $name say what they are");
}

# ----------------------------------------------------------------------------
# The tables tell what is there
# ----------------------------------------------------------------------------
sub query
{
	my ($sql) = @_;

	return split /\n/, $node->safe_psql('postgres', $sql);
}

# function => [arguments, comment]
my %functions = map { my @f = split /\|/, $_, 3; ($f[0] => [ @f[ 1, 2 ] ]) }
  query(<<'SQL');
SELECT p.proname,
	coalesce((SELECT string_agg(n.name, ', ' ORDER BY n.i)
		FROM unnest(p.proargnames) WITH ORDINALITY n (name, i)
		WHERE n.i <= p.pronargs), ''),
	replace(obj_description(p.oid), E'\n', ' ')
FROM pg_proc p WHERE p.pronamespace = 'pool'::regnamespace
SQL
my %documented;
foreach my $row (table_below($readme, 'Functions'))
{
	my ($calls, undef, $outcomes) = @$row;
	while ($calls =~ /`(\w+)\(([^)]*)\)`/g)
	{
		my ($name, $arguments) = ($1, $2);
		$documented{$name} = 1;
		ok($functions{$name}, "function $name") or next;
		is($arguments, $functions{$name}[0], "arguments of $name")
		  if $arguments !~ /\xe2\x80\xa6/;	# three dots
		my @unknown = grep { $functions{$name}[1] !~ /\b$_\b/ }
		  code_spans($outcomes // '');
		is("@unknown", '', "outcomes of $name");
	}
}
# what people may call is told; the rest serves views and triggers
my @untold = grep { !$documented{$_} } query(<<'SQL');
SELECT p.proname FROM pg_proc p
WHERE p.pronamespace = 'pool'::regnamespace
	AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
	AND obj_description(p.oid) !~ '(For views|ranted to nobody)\.$'
	AND p.proname NOT IN ('clock', 'current_member_id', 'default_tenant',
		'condition_variables', 'search_terms', 'worker_status')
SQL
is("@untold", '', 'all functions are told of');

# those that anybody can be given access to
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE everything;
SELECT pool.grant_access('everything', access)
FROM unnest(ARRAY['reader', 'member', 'manager', 'admin', 'service']) access
SQL
is(join(' ', sort map { code_spans($_->[0]) } table_below($readme, 'Views')),
	join(' ', query(<<'SQL')), 'views');
SELECT relname FROM pg_class
WHERE relnamespace = 'pool'::regnamespace AND relkind = 'v'
	AND has_table_privilege('everything', oid, 'SELECT, INSERT')
ORDER BY relname COLLATE "C"
SQL

is(join("\n", sort map { join ' ', map { tr/`//dr } @$_[ 0 .. 2 ] }
	  table_below($readme, 'Settings')),
	join("\n", query(<<'SQL')), 'settings, defaults, how to change them');
SELECT concat_ws(' ', name,
	CASE WHEN boot_val = '' THEN 'empty' ELSE current_setting(name) END,
	CASE context WHEN 'postmaster' THEN 'restart' WHEN 'sighup' THEN 'reload'
		ELSE context END)
FROM pg_settings WHERE name LIKE 'pool\_ext.%'
ORDER BY name COLLATE "C"
SQL

my %codes = map { $_ => 1 }
  slurp_file("$root/src/errors.h") =~ /MAKE_SQLSTATE\(([^)]*)\)/g;
is(join(' ', sort grep { /^PO/ } map { $_->[0] }
		table_below($readme, 'Errors')),
	join(' ', sort map { tr/', //dr } keys %codes), 'SQLSTATEs');

# ----------------------------------------------------------------------------
# Two languages, one document
# ----------------------------------------------------------------------------
is(join("\n", map { "$_->[0]\n$_->[1]" } blocks($chinese)),
	join("\n", map { "$_->[0]\n$_->[1]" } blocks($readme)),
	'the blocks are the same in Chinese');
is(join(' ', map { length } $chinese =~ /^(#+) /mg),
	join(' ', map { length } $readme =~ /^(#+) /mg), 'so are the headings');
is(scalar(() = $chinese =~ /^\|/mg), scalar(() = $readme =~ /^\|/mg),
	'and the rows of the tables');
my %spans;
$spans{$_} |= 1 foreach code_spans($readme);
$spans{$_} |= 2 foreach code_spans($chinese);
is(join("\n", sort grep { $spans{$_} != 3 } keys %spans), '',
	'and what is set as code');

my ($tutorial, $tutorial_chinese) =
  map { slurp_file("$root/docs/$_") } qw(tutorial.md tutorial.zh-CN.md);
is(join("\n", map { "$_->[0]\n$_->[1]" } blocks($tutorial_chinese)),
	join("\n", map { "$_->[0]\n$_->[1]" } blocks($tutorial)),
	'the blocks of the tutorial are the same in Chinese');
is(join(' ', map { length } $tutorial_chinese =~ /^(#+) /mg),
	join(' ', map { length } $tutorial =~ /^(#+) /mg),
	'so are its headings');

# ----------------------------------------------------------------------------
# References lead somewhere
# ----------------------------------------------------------------------------
my ($stdout, $stderr);
{
	local @ENV{qw(PGHOST PGPORT PGDATABASE)} =
	  ($node->host, $node->port, 'postgres');
	IPC::Run::run([ "$root/scripts/reference" ], '<', \undef,
		'>', \$stdout, '2>', \$stderr);
}
is($stderr, '', 'scripts/reference runs');
ok($stdout eq slurp_file("$root/docs/reference.md"),
	'docs/reference.md is what scripts/reference prints')
  or diag('run scripts/reference again');

# GitHub's name for a heading
sub anchor
{
	my ($heading) = @_;

	utf8::decode($heading);
	$heading = lc($heading =~ s/[^\w\- ]//gr) =~ tr/ /-/r;
	utf8::encode($heading);
	return $heading;
}

foreach my $file (
	glob "$root/*.md $root/docs/*.md $root/src/*.md $root/examples/*/*.md")
{
	my $text = slurp_file($file);
	my $name = $file =~ s/^\Q$root\E\///r;
	my @lost;

	while ($text =~ /\]\(([^)#:]*)(?:#([^)]*))?\)/g)
	{
		my ($path, $fragment) = ($1, $2);
		my $target = $path eq '' ? $file : dirname($file) . "/$path";
		if (!-e $target)
		{
			push @lost, $path;
		}
		elsif (defined $fragment)
		{
			push @lost, "$path#$fragment"
			  unless grep { anchor($_) eq $fragment }
			  slurp_file($target) =~ /^#+ (.*)$/mg;
		}
	}
	push @lost, grep { my @found = glob "$root/$_"; !@found || !-e $found[0] }
	  $text =~ m{`((?:test|scripts|bench|examples)/[\w./*-]+)`}g;
	is("@lost", '', "references of $name");
}

# no capability is left out: A1, A2, ... without a gap, to T5
my (%last, @out_of_order);
foreach my $id (slurp_file("$root/docs/capabilities.md") =~ /^\| ([A-Z]\d+) \|/mg)
{
	my ($letter, $number) = $id =~ /^(.)(\d+)$/;
	push @out_of_order, $id if $number != ++$last{$letter};
}
is("@out_of_order", '', 'capabilities are in order');
is(join(' ', map { "$_$last{$_}" } sort keys %last),
	'A22 B17 C32 D11 E12 F6 G6 H5 I8 J19 K6 L6 M3 N7 O5 P4 Q4 R4 T5',
	'capabilities are complete');

# nor is a hazard
(%last, @out_of_order) = ();
foreach my $id (slurp_file("$root/docs/hazards.md") =~ /^\| ([A-Z]\d+) \|/mg)
{
	my ($letter, $number) = $id =~ /^(.)(\d+)$/;
	push @out_of_order, $id if $number != ++$last{$letter};
}
is("@out_of_order", '', 'hazards are in order');
is(join(' ', map { "$_$last{$_}" } sort keys %last),
	'A26 B15 C24 D14 E14 F19 G12', 'hazards are complete');
# and each is answered by a test that exists, or in words
is(join(' ', slurp_file("$root/docs/hazards.md") =~ /^\| ([A-Z]\d+) \|.*\|\s*\|$/mg),
	'', 'each hazard has its answer');

my $rooms = slurp_file("$root/src/README.md");
my %rooms = map { basename($_) =~ s/\.[ch]$//r => 1 } glob "$root/src/*.[ch]";
is(join(' ', grep { $rooms !~ /`$_`/ } sort keys %rooms), '',
	'src/README.md names every file');

$node->stop;
done_testing();
