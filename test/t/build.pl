# What make would do where tools are missing: without the clang that the server
# was built with there is no bitcode, without msgfmt no other language, without
# perl no file of comments, and nothing asks for them.
#
#   FULL=1 builds and installs without clang, too
use strict;
use warnings FATAL => 'all';
use File::Basename;
use PostgreSQL::Test::Utils;
use Test::More;

my $config = $ENV{PG_CONFIG} // 'pg_config';
my $scratch = PostgreSQL::Test::Utils::tempdir;

# A directory of all commands there are, but for some.
sub path_without
{
	my ($missing) = @_;
	my $dir = "$scratch/without-" . $missing =~ s/\W//gr;
	mkdir $dir or die "$dir: $!";
	foreach my $command (map { glob "$_/*" } split /:/, $ENV{PATH})
	{
		my $name = basename($command);
		symlink $command, "$dir/$name"
		  unless $name =~ /^(?:$missing)$/ || -e "$dir/$name";
	}
	return $dir;
}

# A pg_config whose server was built with a clang that is not here.
sub config_without_clang
{
	my $pgxs = `$config --pgxs`;
	my $root = dirname(dirname(dirname($pgxs)));
	my $copy = "$scratch/pgxs";
	system_or_bail('cp', '-R', $root, $copy);
	my $global = slurp_file("$copy/src/Makefile.global");
	open my $out, '>', "$copy/src/Makefile.global" or die $!;
	print $out $global =~ s/^(CLANG *=).*$/$1 clang-nowhere/mr;
	close $out or die $!;
	open $out, '>', "$scratch/pg_config" or die $!;
	print $out "#!/bin/sh\ncase \$1 in\n",
	  "--pgxs) echo $copy/src/makefiles/pgxs.mk;;\n",
	  "*) exec $config \"\$@\";;\nesac\n";
	close $out or die $!;
	chmod 0755, "$scratch/pg_config";
	return "$scratch/pg_config";
}

# What make says it would do to build and install, from scratch.
sub commands
{
	my ($path, @arguments) = @_;
	local $ENV{PATH} = $path;
	my $said = `make -n -B PG_CONFIG=$config @arguments all install 2>&1`;
	is($?, 0, 'make knows what to do') or diag($said);
	return $said;
}

$config = (grep { -x } map { "$_/$config" } split /:/, $ENV{PATH})[0]
  if $config !~ m{/};
my $all = commands($ENV{PATH});
like($all, qr/-shared .*-o pool_ext\.so/, 'with all there is it builds');

my $without_clang;
SKIP:
{
	skip 'this server has no bitcode', 6 if $all !~ /llvm-lto/;
	$without_clang = config_without_clang();
	foreach my $arguments ('with_llvm=no', "PG_CONFIG=$without_clang")
	{
		my $said = commands($ENV{PATH}, $arguments);
		my $how = $arguments =~ /llvm/ ? $arguments : 'no clang';
		like($said, qr/-shared .*-o pool_ext\.so/, "$how: it builds");
		unlike($said, qr/clang-|llvm-|bitcode|\.bc\b/, "$how: without bitcode");
	}
}
SKIP:
{
	skip 'this server speaks English only', 3 if $all !~ /\.mo\b/;
	my $said = commands(path_without('msgfmt'));
	like($said, qr/-shared .*-o pool_ext\.so/, 'no msgfmt: it builds');
	unlike($said, qr/msgfmt|\.mo\b|-DENABLE_NLS/, 'no msgfmt: without messages');
}

my $said = commands(path_without('perl'));
like($said, qr/install .*pool_ext--[\d.]+\.sql/, 'no perl: it installs');
unlike($said, qr/comments\.\w+\.sql/, 'no perl: without comments');

if ($ENV{FULL} && $without_clang)
{
	my $stage = "$scratch/stage";
	system_or_bail('make', '-s', '-B', "PG_CONFIG=$without_clang",
		"DESTDIR=$stage", 'all', 'install');
	is(join(' ', map { basename($_) } split /\n/,
			`find $stage -name 'pool_ext.so' -o -name '*.bc'`),
		'pool_ext.so', 'built and installed without clang');
}
done_testing();
