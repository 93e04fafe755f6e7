# SPDX-License-Identifier: MIT
# Children of fork ask at the same time, each for its own answer.
use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Installation;
use Converge qw(check);

my $SHA1 = 'ab' x 20;
my $here = Installation->with_agent;
$here->answer('4e 52 1 alpha=no beta=no');
my $before = check('site.converge.example', 443, $SHA1);

my @children = map {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        my @bad = grep { check("site$_.converge.example", 443, $SHA1)->code != 28 } 1 .. 20;
        require POSIX;
        POSIX::_exit(@bad || @{ $before->votes } != 2 ? 1 : 0);
    }
    $pid;
} 1 .. 4;
for my $pid (@children) {
    waitpid $pid, 0;
    is($?, 0, 'a child');
}
is(check('site.converge.example', 443, $SHA1)->code, 28, 'the parent afterwards');

done_testing;
