# The demo, small: generated leads, and a file of the user's own with what
# such files have.  It starts a server of its own.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp;
use PostgreSQL::Test::Utils;
use Test::More;

my $demo = dirname(abs_path(__FILE__)) . '/../../demo';
my $dir = PostgreSQL::Test::Utils::tempdir;

# short, since a socket's path must be
$ENV{TMPDIR} = File::Temp::tempdir('demo_XXXX', TMPDIR => 1, CLEANUP => 1);

sub run_demo
{
	my ($stdout, $stderr);
	my $ok = IPC::Run::run([ $demo, '--no-build', @_ ], '<', \undef, '>',
		\$stdout, '2>', \$stderr);
	return ($ok, $stdout, $stderr);
}

my ($ok, $stdout, $stderr) = run_demo('--quick', '--data', "$dir/none");
ok($ok, 'all figures are right without the data') or diag($stdout . $stderr);
like($stdout, qr/leads are generated/, 'it says that they are generated');
like($stdout, qr/claims\/s/, 'claims per second');
like($stdout, qr/transfers .* OK/, 'the replay is compared');
is($stderr, '', 'no complaints');

# A byte-order mark, CRLF, semicolons, quotes, a column without a name.
append_to_file("$dir/own.csv", join '', "\xef\xbb\xbf",
	map { "$_\r\n" } 'Key;Name;Source;Priority;City;Phone;;Outcome',
	'K1;"Li; Lei";web;90;"Bei""jing";+8613800000001;x;yes',
	'K2;Han Mei;phone;;Shanghai;;;no',
	map { "N$_;Nobody $_;web;$_;;;;no" } 3 .. 60);
($ok, $stdout, $stderr) =
  run_demo('--csv', "$dir/own.csv", '--pool', "Tom's leads");
ok($ok, "the user's own leads") or diag($stdout . $stderr);
like($stdout, qr/customers entered .* 60 .* 60 .* OK/, 'all of them enter');
like($stdout, qr/sold .* 1 .* 1 .* OK/, 'one buys');

append_to_file("$dir/own.csv", "K61;;;101;;;;\r\n");
($ok, $stdout, $stderr) = run_demo('--csv', "$dir/own.csv");
ok(!$ok, 'a file with a bad row is refused');
like($stderr, qr/priority 101 .*K61/s, 'it says which');

($ok, $stdout, $stderr) = run_demo('--csv', "$dir/none.csv");
ok(!$ok && $stderr =~ /cannot be read/, 'so is a file that is not there');
is_deeply([ glob "$ENV{TMPDIR}/*" ], [], 'nothing is left behind');
done_testing();
