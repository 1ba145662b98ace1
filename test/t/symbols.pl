# What the library shows to the server and to other libraries: the functions
# that SQL and the server call, and nothing else; and what it never asks them
# for.  And that the scripts make objects of their own, taking over nobody's.

use strict;
use warnings;

use Test::More;

my $pkglibdir = `"$ENV{PG_CONFIG}" --pkglibdir` if $ENV{PG_CONFIG};
$pkglibdir //= `pg_config --pkglibdir`;
chomp $pkglibdir;

my %expected = map { $_ => 1 } qw(
	_PG_init Pg_magic_func pool_launcher_main pool_worker_main);
foreach my $module (glob('sql/install/*.sql'))
{
	open my $in, '<', $module or die "$module: $!";
	my $sql = do { local $/; <$in> };
	$expected{$_} = $expected{"pg_finfo_$_"} = 1
	  foreach $sql =~ /'MODULE_PATHNAME',\s*'(\w+)'/g;
}
cmp_ok(scalar keys %expected, '>', 150, 'the scripts name their functions');

my %shown = map { $_ => 1 }
  grep { !/^(?:_init|_fini|_edata|_end|__bss_start)$/ }
  map { (split)[2] } `nm -D --defined-only "$pkglibdir/pool_ext.so"`;
is_deeply([ sort grep { !$expected{$_} } keys %shown ],
	[], 'nothing is shown that SQL does not call');
is_deeply([ sort grep { !$shown{$_} } keys %expected ],
	[], 'all that SQL calls is there');

# What it takes from others: it signals nobody, enters no critical section.
my %taken = map { (split)[-1] =~ s/@.*//r => 1 }
  `nm -D --undefined-only "$pkglibdir/pool_ext.so"`;
ok($taken{LWLockAcquire}, 'what it takes from the server is seen');
is(join(' ', grep { $taken{$_} } qw(kill killpg raise tgkill pthread_kill
		pthread_sigqueue sigqueue abort TerminateBackgroundWorker)),
	'', 'it sends no signals');
ok(!$taken{CritSectionCount}, 'an error of its own is never a PANIC');

# Between taking a spinlock and letting go of it nothing can fail or last.
my $spins = 0;
foreach my $file (glob('src/*.c'))
{
	open my $in, '<', $file or die "$file: $!";
	my $code = do { local $/; <$in> };
	while ($code =~ /SpinLockAcquire\(([^;]+)\);(.*?)SpinLockRelease\(\g1\);/gs)
	{
		my @calls = $2 =~ /(\w+)\(/g;
		is("@calls", 'copy_holds', "$file: only copying under a spinlock");
		$spins++;
	}
	$spins -= () = $code =~ /SpinLockAcquire/g;
}
is($spins, 0, 'every spinlock is let go of where it was taken');

# comments aside
my %script = map {
	open my $in, '<', $_ or die "$_: $!";
	my $sql = do { local $/; <$in> };
	($_ => $sql =~ s/--.*//gr)
} glob('sql/install/*.sql sql/update/*.sql');
is(join(' ', grep { $script{$_} =~
		/\bOR\s+REPLACE\b|\bIF\s+(?:NOT\s+)?EXISTS\b|\bCREATE\s+TEMP/i }
		sort keys %script), '', 'no script adopts or replaces objects');
my ($joined) = glob('pool_ext--*.sql');
SKIP:
{
	skip 'the script is not built', 1 unless $joined;
	open my $in, '<', $joined or die "$joined: $!";
	my $sql = do { local $/; <$in> } =~ s/--.*//gr;
	like($sql, qr/^\s*SET LOCAL search_path = pg_catalog, pg_temp;/,
		'its first statement sets the path');
}

done_testing();
