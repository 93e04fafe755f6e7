# SPDX-License-Identifier: MIT
# Threads ask at the same time; results made before are cloned, and outlive their copies.
use strict;
use warnings;
use Config;
use lib 't/lib';

BEGIN {
    if (!$Config{useithreads}) {
        require Test::More;
        Test::More::plan(skip_all => 'this perl has no threads');
    }
}
use threads;
use Test::More;
use Installation;
use Converge qw(check verify);

my $SHA1 = 'ab' x 20;
my $here = Installation->with_agent;
$here->answer('4e 52 1 alpha=no beta=no');
my $before = check('site.converge.example', 443, $SHA1);

my @threads = map {
    my $n = $_;
    threads->create(
        sub {
            my @codes = map { check("site$n.converge.example", $_, $SHA1)->code } 1 .. 20;
            eval { verify("site$n.converge.example", 443, $SHA1) };
            return join ' ', @codes, $@->code, scalar @{ $before->votes };
        }
    );
} 1 .. 4;
my $expected = join ' ', (28) x 21, 2;
is($_->join, $expected, 'a thread') for @threads;
is($before->votes->[1]{notary}, 'beta', 'what was before is still there');
is(check('site.converge.example', 443, $SHA1)->code, 28, 'and asking goes on');

done_testing;
