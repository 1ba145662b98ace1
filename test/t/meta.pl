# META.json is what PGXN's meta specification asks for, and speaks of the
# same version as the control file, the Makefile and the changelogs; `make dist`
# packs what is committed under that name.

use strict;
use warnings;

use File::Copy qw(copy);
use File::Temp;
use IO::Uncompress::Unzip qw($UnzipError);
use JSON::PP;
use Test::More;

sub content
{
	my ($name) = @_;
	open my $in, '<', $name or die "$name: $!\n";
	local $/;
	return scalar <$in>;
}

my $meta = decode_json(content('META.json'));
my $semver = qr/^\d+\.\d+\.\d+(?:-?[a-z][a-z0-9-]*)?$/i;
my ($version) = content('pool_ext.control') =~ /^default_version = '(.*)'$/m;
my ($made) = content('Makefile') =~ /^EXTVERSION = (.*)$/m;
my ($packaged) = content('debian/changelog') =~ /^pool-ext \((.*)-\d+\)/;

ok($meta->{$_}, "META.json has \"$_\"")
  foreach qw(name abstract version maintainer license provides meta-spec);
like($meta->{version}, $semver, 'the version is a semantic one');
is($meta->{version}, $version, 'it is the control file\'s');
is($made, $version, 'the Makefile says the same');
is($packaged, $version, 'and the package');
is($meta->{'meta-spec'}{version}, '1.0.0', 'the specification is named');
unlike($meta->{name}, qr{[\s/\\[:cntrl:]]}, 'the name can name a file');
like($meta->{release_status}, qr/^(?:stable|testing|unstable)$/,
	'a release status that is known');
is(ref $meta->{tags}, 'ARRAY', 'tags are a list');
ok($meta->{provides}{pool_ext}, 'the extension is provided');
foreach my $name (sort keys %{ $meta->{provides} })
{
	my $provided = $meta->{provides}{$name};
	is($provided->{version}, $version, "$name has the version");
	ok(-e $provided->{$_}, "its $_ is there") foreach qw(file docfile);
}
foreach my $phase (sort keys %{ $meta->{prereqs} })
{
	like($phase, qr/^(?:configure|build|test|runtime|develop)$/, "phase $phase");
	foreach my $relation (sort keys %{ $meta->{prereqs}{$phase} })
	{
		like($relation, qr/^(?:requires|recommends|suggests|conflicts)$/,
			"relation $relation");
		like($_, $semver, "$phase $relation $_")
		  foreach values %{ $meta->{prereqs}{$phase}{$relation} };
	}
}

is(`make -s -n test PG_CONFIG=/nowhere/pg_config 2>/dev/null`,
	"./scripts/test\n", '`make test` may be what installs the server');

# A repository of these files alone, and one that is not committed.
SKIP:
{
	skip 'there is no git', 3 if system('git --version >/dev/null 2>&1') != 0;
	my $dir = File::Temp->newdir;
	my $git = "git -C $dir -c user.name=n -c user.email=n\@example.invalid";
	my @files = qw(META.json Makefile nls.mk po/LINGUAS pool_ext.control);
	mkdir "$dir/po";
	copy($_, "$dir/$_") foreach @files;
	is( system("$git init -q && $git add . && $git commit -qm m"
			  . " && touch $dir/new && make -s -C $dir dist"),
		0, 'make dist');
	my $zip =
	  IO::Uncompress::Unzip->new("$dir/pool_ext-$meta->{version}.zip");
	ok($zip, 'it is named after the version') or diag($UnzipError);
	my %packed;
	while ($zip)
	{
		local $/;
		$packed{ $zip->getHeaderInfo->{Name} } = <$zip>;
		last if $zip->nextStream != 1;
	}
	is_deeply(
		[ map { [ $_ => $packed{$_} ] } grep { !m{/\z} } sort keys %packed ],
		[ map { [ "pool_ext-$version/$_" => content($_) ] } @files ],
		'everything committed is in a directory of that name');
}

done_testing();
