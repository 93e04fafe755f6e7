# SPDX-License-Identifier: MIT
# The documentation: its syntax, and that every function is in it.
use strict;
use warnings;
use Test::More;
use Pod::Checker;
use Converge;

for my $file (qw(lib/Converge.pm lib/Converge/Result.pm lib/Converge/Error.pm)) {
    my $checker = Pod::Checker->new(-warnings => 2, -quiet => 1);
    open my $null, '>', \my $said or die "memory: $!";
    $checker->parse_from_file($file, $null);
    close $null;
    is($checker->num_errors + $checker->num_warnings, 0, $file) or diag($said);

    open my $in, '<', $file or die "$file: $!";
    my $text = do { local $/ = undef; <$in> };
    my ($code, $pod) = split /^__END__$/m, $text, 2;
    my @missing = grep { $pod !~ /^=(?:head2|item) \Q$_\E$/m } $code =~ /^sub ([a-z]\w*)/mg;
    is("@missing", '', 'every function is explained');
}

SKIP: {
    skip 'no Test::Pod', 1 if !eval { require Test::Pod; 1 };
    Test::Pod::pod_file_ok('lib/Converge.pm', 'Test::Pod agrees');
}

done_testing;
