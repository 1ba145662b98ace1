# Every file of examples/systems runs in an empty database and shows what it
# promises, without an error, a warning or a line that says nothing.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = dirname(abs_path(__FILE__)) . '/../../examples/systems';

my $node = PostgreSQL::Test::Cluster->new('systems');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pool_ext'");
$node->start;

# A file that compares nothing, or less than it says, cannot fail.
sub promises
{
	my ($file) = @_;
	my @found = slurp_file($file) =~ /^SELECT example\.expect\('(.*)',$/mg;

	return @found;
}

foreach my $file (sort glob "$examples/*.sql")
{
	my $name = basename($file, '.sql');
	my ($stdout, $stderr);

	next if $name eq 'check';
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	my $status = $node->psql($name, "\\i $file", stdout => \$stdout,
		stderr => \$stderr);
	is($status, 0, "$name runs");
	is($stderr, '', "$name has nothing to complain of");
	my @said = $stdout =~ /^ok  (.*)$/mg;
	is_deeply(\@said, [ promises($file) ], "$name shows all it promises");
}

# what is not as promised is found
my ($stdout, $stderr);
$node->safe_psql('postgres', 'CREATE DATABASE bent');
my $status = $node->psql('bent', <<"SQL", stdout => \$stdout, stderr => \$stderr);
\\i $examples/check.sql
SELECT example.expect('two', 'SELECT 1 UNION SELECT 1', '1; 1');
SQL
is($status, 3, 'an example that is wrong stops');
like($stderr, qr/not as promised: two\nDETAIL:  Expected: 1; 1\. Seen: 1\./,
	'and says what was seen');

$node->stop;
done_testing();
