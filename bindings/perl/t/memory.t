# SPDX-License-Identifier: MIT
# Nothing grows, whether questions are answered, malformed, or die.
use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Installation;
use Converge qw(check verify);

my $here = Installation->with_agent;
$here->answer('4e 52 1 alpha=no beta=no gamma=silent');

sub resident_kib {
    open my $status, '<', '/proc/self/status' or plan skip_all => 'no /proc';
    my ($line) = grep { /^VmRSS/ } <$status>;
    return $line =~ /(\d+)/ ? $1 : die 'no VmRSS';
}

sub ask {
    my ($times) = @_;
    my $sha1 = 'ab' x 20;
    for (1 .. $times) {
        check('site.converge.example', 443, $sha1, certificate => 'x' x 1000);
        check("b\x{fc}cher\0.example", 0, $sha1);
        eval { verify('site.converge.example', 443, $sha1) };
        eval { check('site.converge.example', 443, $sha1, certificate => "\x{100}") };
    }
    return;
}

ask(100);
my $before = resident_kib();
ask(1000);
cmp_ok(resident_kib() - $before, '<', 1024, 'less than 1 KiB a question');

done_testing;
